"""Notices what an answer did to its process beside answering: patches, threads, transactions, locks.

The snapshot is taken before the answer runs and holds every object by reference; the comparison calls no builtin that
an answer could have replaced.
"""

import os
import sqlite3
import sys
import threading
import time
from types import FunctionType, ModuleType

# What a check relies on to read results and to count queries. Looking at all of Django would take as long as the rest
# of a check, because a forked process copies every page of memory that it looks at.
WATCHED = (
    "builtins",
    "checks",
    "lab",
    "json",
    "sqlite3",
    "django.db.backends.base.base",
    "django.db.backends.sqlite3.base",
    "django.db.backends.utils",
    "django.db.models.base",
    "django.db.models.manager",
    "django.db.models.query",
    "django.db.models.sql.compiler",
    "django.db.models.sql.query",
    "django.db.transaction",
    "django.db.utils",
    "catalog.models",
    "catalog.querysets",
    "orders.models",
    "accounts.models",
)
_PREFIXES = tuple(name + "." for name in WATCHED)
_MISSING = object()

# Captured while nobody has touched them.
_connect, _Error, _getcwd, _fstat, _enumerate, _main_thread, _sleep = (
    sqlite3.connect,
    sqlite3.Error,
    os.getcwd,
    os.fstat,
    threading.enumerate,
    threading.main_thread,
    time.sleep,
)


def snapshot() -> list[tuple]:
    """Every function and class in the watched modules and classes: (owner, its names, name, object, code)."""
    found = []
    classes = {}
    for module_name, module in sorted(sys.modules.items()):
        if not (module_name + ".").startswith(_PREFIXES) or type(module) is not ModuleType:
            continue
        names = module.__dict__
        for name, value in names.items():
            if callable(value):
                found.append((module_name, names, name, value, _code(value)))
            if isinstance(value, type) and value.__module__ == module_name and value.__module__ != "builtins":
                classes[value] = f"{module_name}.{value.__name__}"
    for kind, label in classes.items():
        names = kind.__dict__
        for name, value in names.items():
            if callable(value) or type(value) in (staticmethod, classmethod, property):
                found.append((label, names, name, value, _code(value)))
    return found


def _code(value):
    return value.__code__ if type(value) is FunctionType else None


def patched(before: list[tuple]) -> list[str]:
    """The names that are no longer what they were. Modules get theirs back, for the code that still has to run."""
    found = []
    for owner, names, name, value, code in before:
        if names.get(name, _MISSING) is not value:
            found.append(owner + "." + name)
            if type(names) is dict:
                names[name] = value
        elif code is not None and value.__code__ is not code:
            found.append(owner + "." + name)
            value.__code__ = code
    return found


class Inspector:
    """Looks at this process before and after an answer. `look` returns (kind, detail) for each trace that it finds."""

    def __init__(self, database: str, before: list[tuple] | None = None):
        self.database = database
        self.before = snapshot() if before is None else before
        self.patched = patched
        self.folder = _getcwd()
        self.stdout = sys.stdout
        self.output = _identity(1)

    def look(self) -> list[tuple[str, str]]:
        found = []
        names = self.patched(self.before)
        if names:
            found.append(("patched", names[0].replace("builtins.", "", 1)))
        try:
            moved = _getcwd() != self.folder
        except OSError:
            moved = True
        if moved:
            found.append(("directory", ""))
        if sys.stdout is not self.stdout or self.stdout.closed or _identity(1) != self.output:
            found.append(("stdout", ""))
        if self.threads_left():
            found.append(("thread", ""))
        if not names:
            found += self.database_traces()
        return found

    def threads_left(self) -> bool:
        """Whether a thread still runs after a moment of grace."""
        from asgiref.sync import SyncToAsync

        executor = SyncToAsync.single_thread_executor
        executor.shutdown(wait=False)  # Django's own, for `await`
        known = {_main_thread(), *executor._threads}
        for _ in range(20):
            if all(thread in known or not thread.is_alive() for thread in _enumerate()):
                return False
            _sleep(0.01)
        return True

    def database_traces(self) -> list[tuple[str, str]]:
        from django.db import connection

        raw = connection.connection
        if connection.in_atomic_block or (raw is not None and raw.in_transaction):
            return [("transaction", "")]
        if not os.path.exists(self.database):
            return []  # the examiner says so
        try:
            other = _connect(self.database, timeout=0, isolation_level=None)
            try:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
            finally:
                other.close()
        except _Error as error:
            if "locked" in str(error):
                return [("lock", "")]
        return []


def _identity(descriptor: int):
    try:
        status = _fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
