"""What the catalogue does when Django says that something happens to its database."""

import logging

from django.conf import settings
from django.db import connections
from django.db.migrations.operations import DeleteModel, RemoveField

logger = logging.getLogger(__name__)


def limit_statements(sender, connection, **kwargs):
    """Let no statement of the shop's run for ever on PostgreSQL, and say there whose connection it is.

    With the driver's cursor: this belongs to connecting, and not to what somebody counts as queries. Migrations and
    commands of a night may need longer: they set STATEMENT_TIMEOUT to None.

    https://docs.djangoproject.com/en/stable/ref/signals/#connection-created
    """
    seconds = settings.STATEMENT_TIMEOUT
    if connection.vendor != "postgresql" or seconds is None:
        return
    with connection.connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('application_name', 'bookshop', false), set_config('statement_timeout', %s, false)",
            [f"{int(seconds * 1000)}ms"],
        )


def announce_losses(sender, using, plan, verbosity=1, **kwargs):
    """Before `migrate`, log what the plan takes away for good: somebody reads the log of a deployment.

    A new database, which passes through all of history, has nothing to lose.

    https://docs.djangoproject.com/en/stable/ref/signals/#pre-migrate
    """
    lost = []
    for migration, backwards in plan:
        if migration.app_label != sender.label or backwards:
            continue
        for operation in migration.operations:
            if isinstance(operation, RemoveField):
                lost.append((migration, f"{operation.model_name}.{operation.name}", operation.model_name_lower))
            elif isinstance(operation, DeleteModel):
                lost.append((migration, operation.name, operation.name_lower))
    if not lost:
        return
    tables = set(connections[using].introspection.table_names())
    for migration, what, model in lost:
        if f"{sender.label}_{model}" in tables:
            logger.warning("Migration %s removes %s for good.", migration, what)
