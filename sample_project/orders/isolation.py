"""How much a transaction may notice of those beside it.

PostgreSQL has READ COMMITTED unless told otherwise: each statement sees what was committed when it began.
REPEATABLE READ shows the whole transaction one moment, SERIALIZABLE lets it behave as if it were alone. Both make the
database give up transactions that meet, with SQLSTATE 40001, so use them with `retried`.

https://www.postgresql.org/docs/current/transaction-iso.html
"""

from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections


class Isolation(StrEnum):
    READ_COMMITTED = "READ COMMITTED"
    REPEATABLE_READ = "REPEATABLE READ"
    SERIALIZABLE = "SERIALIZABLE"


def isolate(level: Isolation, using: str = DEFAULT_DB_ALIAS):
    """Give the transaction that has just begun this level. It has to be its first statement.

    SQLite has nothing less than SERIALIZABLE, so there is nothing to do there.

    Raises NotSupportedError on another database than these two: MySQL has to be told before the transaction begins.
    For all transactions of a connection, there is the option `isolation_level` of `DATABASES`.
    https://docs.djangoproject.com/en/stable/ref/databases/#isolation-level
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {Isolation(level)}")
    elif connection.vendor != "sqlite":
        raise NotSupportedError(f"The shop cannot set the isolation level on {connection.display_name}.")
