"""SQLite connections that an interrupted cell can stop.

SQLite runs a statement without looking at Python's signals, so an interrupt waits until the statement ends. A progress
handler lets Python look in between; this module turns what SQLite then reports back into a KeyboardInterrupt.

https://docs.python.org/3/library/sqlite3.html#sqlite3.Connection.set_progress_handler
"""

import sqlite3
import threading
from functools import lru_cache
from weakref import WeakSet

# A few milliseconds of work on an ordinary machine: soon enough for a person, too seldom to cost anything.
STEPS_BETWEEN_LOOKS = 100_000

_open_connections = WeakSet()


class Connection(sqlite3.Connection):
    """What `sqlite3.connect(factory=Connection)` returns. Its cursors raise KeyboardInterrupt when interrupted."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.set_progress_handler(_look_for_signals, STEPS_BETWEEN_LOOKS)
        self.thread = threading.current_thread()
        _open_connections.add(self)

    def cursor(self, factory=sqlite3.Cursor):
        return super().cursor(_interruptible(factory))


def stop_statements(threads):
    """End what runs on the connections of these threads. Such a connection is of no use before it is opened anew."""
    for connection in list(_open_connections):
        try:
            if connection.thread in threads:
                connection.interrupt()
        except sqlite3.ProgrammingError:  # closed in the meantime
            continue


def _look_for_signals():
    """Calling any Python function runs pending signal handlers. An exception among them makes SQLite stop."""


@lru_cache
def _interruptible(factory):
    """A cursor class that raises KeyboardInterrupt where the main thread's statement was stopped by a signal.

    Its `close` is content when the connection was closed before: an iterator that nobody finished is no error.
    """

    def translating(name):
        method = getattr(factory, name)

        def translated(self, *args):
            try:
                return method(self, *args)
            except sqlite3.OperationalError as error:
                stopped = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
                if stopped and threading.current_thread() is threading.main_thread():
                    raise KeyboardInterrupt from None
                raise

        translated.__name__ = name
        return translated

    def close(self):
        try:
            factory.close(self)
        except sqlite3.ProgrammingError as error:
            if "closed database" not in str(error):
                raise

    names = ["execute", "executemany", "executescript", "fetchone", "fetchmany", "fetchall", "__next__"]
    return type(factory.__name__, (factory,), {"close": close} | {name: translating(name) for name in names})
