"""The bridge between a notebook and the bookshop: what a learner calls to see what Django does.

Each name is imported when it is first asked for, and none of them needs Django to be set up: `start()` does that.
"""

from importlib import import_module

__all__ = ["explain", "queries", "reset", "show", "start"]

_HOMES = {
    "explain": "lab.plan",
    "queries": "lab.report",
    "reset": "lab.session",
    "show": "lab.table",
    "start": "lab.session",
}


def __getattr__(name):
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__():
    return sorted([*globals(), *__all__])
