"""What happens around every request: its time, its id, and the sign on the door while the shop is being mended.

Each works on a synchronous and on an asynchronous server, and in the latter without changing threads: Django would put
one that is only synchronous into a thread, and with it those further out that can be synchronous.

https://docs.djangoproject.com/en/stable/topics/http/middleware/#asynchronous-support
"""

import re
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers

# The id of the request at hand, for whoever logs something. `config.logging` puts it on every record.
request_id = ContextVar("request_id", default="-")
# What the database has done for the request at hand; None outside of one.
_tally = ContextVar("tally", default=None)

# Somebody else's text goes into our log: nothing but what ids are made of, and not much of it.
_WELL_FORMED = re.compile(r"[\w.-]{1,64}", re.ASCII)

# What answers while the shop is closed as well: how staff get in, and how it is seen that the shop is alive.
_OPEN = {"admin:login", "accounts:login", "health-live", "health-ready"}


class BothWays:
    """A middleware for both kinds of servers: `respond` for the one, `arespond` for the other."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        return self.arespond(request) if self.is_async else self.respond(request)


class RequestIDMiddleware(BothWays):
    """Give every request an id: `request.id`, on each log record, and in the response as X-Request-ID.

    A proxy that has given one already is believed, so that its log and ours tell of the same request.
    """

    def respond(self, request):
        with self._identified(request):
            return self._marked(request, self.get_response(request))

    async def arespond(self, request):
        with self._identified(request):
            return self._marked(request, await self.get_response(request))

    @contextmanager
    def _identified(self, request):
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _WELL_FORMED.fullmatch(given) else uuid4().hex
        token = request_id.set(request.id)
        try:
            yield
        finally:
            request_id.reset(token)

    def _marked(self, request, response):
        response.headers.setdefault("X-Request-ID", request.id)
        return response


class TimingMiddleware(BothWays):
    """Tell the browser's developer tools how long the answer took, and how much of it was the database.

    Off where `SERVER_TIMING` is False. The time of a streamed body, sent after this, is not in it.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Server-Timing
    """

    def __init__(self, get_response):
        if not settings.SERVER_TIMING:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def respond(self, request):
        with _tallying() as tally:
            response = self.get_response(request)
        return tally.on(response)

    async def arespond(self, request):
        with _tallying() as tally:
            response = await self.get_response(request)
        return tally.on(response)


class MaintenanceMiddleware(BothWays):
    """Answer 503 while the shop is closed: where `MAINTENANCE_MODE` is True, or the file `MAINTENANCE_FILE` exists.

    The file closes all processes of a server at once, without a restart. Staff see the shop as ever, and anybody sees
    the pages on which staff log in.
    """

    def respond(self, request):
        if not self._is_closed(request) or self._is_staff(request):
            return self.get_response(request)
        return self._notice(request)

    async def arespond(self, request):
        if not self._is_closed(request) or await self._ais_staff(request):
            return await self.get_response(request)
        return self._notice(request)

    def _is_closed(self, request):
        sign = settings.MAINTENANCE_FILE
        if not settings.MAINTENANCE_MODE and not (sign and Path(sign).exists()):
            return False
        try:
            return resolve(request.path_info).view_name not in _OPEN
        except Resolver404:
            return True

    # It may be the database that is being mended: then nobody is known to be staff.

    def _is_staff(self, request):
        with suppress(DatabaseError):
            return request.user.is_staff
        return False

    async def _ais_staff(self, request):
        with suppress(DatabaseError):
            return (await request.auser()).is_staff
        return False

    def _notice(self, request):
        # Rendered without the request: the shop's context processors may want what is out of order.
        if request.accepts("text/html"):
            response = HttpResponse(render_to_string("503.html"), status=503)
        else:
            response = HttpResponse("The shop is closed for maintenance.\n", status=503, content_type="text/plain")
        response.headers["Retry-After"] = str(settings.MAINTENANCE_RETRY_AFTER)
        add_never_cache_headers(response)
        return response


class _Tally:
    def __init__(self):
        self.started = perf_counter()
        self.seconds = 0.0
        self.queries = 0

    def on(self, response):
        total = perf_counter() - self.started
        queries = "1 query" if self.queries == 1 else f"{self.queries} queries"
        times = [
            *filter(None, [response.headers.get("Server-Timing")]),
            f"total;dur={total * 1000:.1f}",
            f'db;dur={self.seconds * 1000:.1f};desc="{queries}"',
        ]
        response.headers["Server-Timing"] = ", ".join(times)
        return response


@contextmanager
def _tallying():
    tally = _Tally()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


def watch(connection, **kwargs):
    """Have the connection's queries counted for the request that makes them; a receiver of `connection_created`.

    The middleware cannot do this itself with `with connection.execute_wrapper(…)`: on an asynchronous server the
    queries run in another thread, on its connection. The context variable goes along.

    https://docs.djangoproject.com/en/stable/topics/db/instrumentation/
    """
    # First in the list: the context managers of others remove the last one.
    if _measured not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _measured)


def _measured(execute, sql, params, many, context):
    tally = _tally.get()
    if tally is None:
        return execute(sql, params, many, context)
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        tally.seconds += perf_counter() - started
        tally.queries += 1
