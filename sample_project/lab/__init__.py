"""The bridge between a notebook and the bookshop: what a learner calls to see what Django does.

Each name is imported when it is first asked for, and none of them needs Django to be set up: `start()` does that.
"""

import sys
from importlib import import_module

__all__ = [
    "Unavailable",
    "asgi",
    "db_worker",
    "diagram",
    "explain",
    "get",
    "mariadb",
    "memcached",
    "post",
    "postgres",
    "queries",
    "reset",
    "scratch",
    "serve",
    "show",
    "start",
    "trace",
    "valkey",
    "worker",
]

_HOMES = {
    "Unavailable": "lab.servers.process",
    "asgi": "lab.servers.web",
    "db_worker": "lab.servers.workers",
    "diagram": "lab.schema",
    "explain": "lab.plan",
    "get": "lab.exchange",
    "mariadb": "lab.servers.mariadb",
    "memcached": "lab.servers.caches",
    "post": "lab.exchange",
    "postgres": "lab.servers.postgresql",
    "queries": "lab.report",
    "reset": "lab.session",
    "scratch": "lab.scratchpad",
    "serve": "lab.site",
    "show": "lab.table",
    "start": "lab.session",
    "trace": "lab.onion",
    "valkey": "lab.servers.caches",
    "worker": "lab.servers.workers",
}


def __getattr__(name):
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__():
    return sorted([*globals(), *__all__])


if sys.platform == "emscripten":
    import_module("lab.browser").watch()
