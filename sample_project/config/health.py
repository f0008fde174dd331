"""What a container platform or a load balancer asks: is the process alive, and can it serve the shop?

`/health/live/` answers as long as the process does: where it does not, restart it. `/health/ready/` looks at what the
shop needs: where something is missing, a restart would not help, and requests should go elsewhere until it is back.
"""

import logging
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.cache import never_cache

from storefront.middleware import BothWays

logger = logging.getLogger(__name__)


@never_cache
def live(request):
    """200 without a look at anything else."""
    return JsonResponse({"status": "ok"})


@never_cache
def ready(request):
    """200 where every part works; 503 with the names of those that do not. What is wrong with them is in the log."""
    parts = {name: _state(name, check) for name, check in _CHECKS.items()}
    is_ready = set(parts.values()) == {"ok"}
    return JsonResponse({"status": "ok" if is_ready else "unavailable", **parts}, status=200 if is_ready else 503)


PAGES = {"/health/live/": live, "/health/ready/": ready}


class HealthMiddleware(BothWays):
    """Answers both pages before the host name is looked at.

    Who asks often knows the process by its address alone, which is in no ALLOWED_HOSTS, and comes without HTTPS, past
    the proxy that has it. So this stands before the middleware that would refuse or redirect it, and before those that
    would open a session. The pages tell nothing that depends on the host.
    """

    def respond(self, request):
        return PAGES.get(request.path_info, self.get_response)(request)

    async def arespond(self, request):
        page = PAGES.get(request.path_info)
        if page is None:
            return await self.get_response(request)
        # Only what looks at the database needs a thread.
        return live(request) if page is live else await sync_to_async(page)(request)


def _state(name, check):
    try:
        return "ok" if check() else "not ready"
    except Exception:
        # Whatever it is: the answer is that this part is missing. The text of the error may hold a password.
        logger.exception("The health check of the %s failed", name)
        return "unreachable"


def _database_answers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _migrations_are_applied():
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _caches_keep():
    word = uuid4().hex
    for alias in caches.settings:
        caches[alias].set("health", word, timeout=10)
    # Another process may have written its own word since: that it can be read is enough.
    return all(caches[alias].get("health") is not None for alias in caches.settings)


_CHECKS = {"database": _database_answers, "migrations": _migrations_are_applied, "cache": _caches_keep}
