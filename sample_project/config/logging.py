"""The log as lines of JSON, each with the id of its request: a log server can search them without guessing.

https://docs.djangoproject.com/en/stable/topics/logging/
"""

import json
import logging
from datetime import UTC, datetime

from storefront.middleware import request_id

from .environment import EnvironmentMistake

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class RequestIDFilter(logging.Filter):
    """Puts `request_id` on every record that passes; "-" outside of a request."""

    def filter(self, record):
        # Django logs a 404 when the middleware is through, but says which request it was.
        record.request_id = getattr(getattr(record, "request", None), "id", None) or request_id.get()
        return True


class PathAloneFilter(logging.Filter):
    """Takes the query off the paths that uvicorn writes, of pages and web sockets. gunicorn has a format for that."""

    def filter(self, record):
        if record.name.startswith("uvicorn.") and isinstance(record.args, tuple):
            record.args = tuple(
                value.partition("?")[0] if isinstance(value, str) and value.startswith("/") else value
                for value in record.args
            )
        return True


class JSONFormatter(logging.Formatter):
    """One record, one line.

    What a request carries stays out: its body, cookies, headers and query may hold passwords and tokens. A traceback
    has the lines of the code, and not the values in them.
    """

    def format(self, record):
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        request = getattr(record, "request", None)
        if hasattr(request, "method") and hasattr(request, "path"):
            entry |= {"method": request.method, "path": request.path}
        if hasattr(record, "status_code"):
            entry["status"] = record.status_code
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)
        return json.dumps(entry, ensure_ascii=False)


def configuration(level: str) -> dict:
    """LOGGING for production: everything goes to standard error, from this level on, and to nobody's mailbox.

    Django's own loggers hand on to the root, as do those of the servers: without that, they would print lines of
    another form beside ours.

    Raises EnvironmentMistake where there is no such level.
    """
    if level.upper() not in LEVELS:
        raise EnvironmentMistake(f"The environment variable LOG_LEVEL is one of {', '.join(LEVELS)}.")
    hands_on = {"handlers": [], "level": level.upper(), "propagate": True}
    servers = ["gunicorn.error", "gunicorn.access", "uvicorn", "uvicorn.error", "uvicorn.access"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": f"{__name__}.RequestIDFilter"},
            "path_alone": {"()": f"{__name__}.PathAloneFilter"},
        },
        "formatters": {"json": {"()": f"{__name__}.JSONFormatter"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": ["request_id", "path_alone"],
                "formatter": "json",
            },
        },
        "root": {"handlers": ["console"], "level": level.upper()},
        "loggers": {name: dict(hands_on) for name in ["django", *servers]},
    }
