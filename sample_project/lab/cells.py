"""Puts right, at the end of each cell, what the cell left behind that would stop the next one."""

import signal
import sys
import threading

from . import database, tracebacks
from .servers.process import Unavailable

# Enough to look at with `connection.queries`, too little to fill the memory in a long session.
_LOGGED_QUERIES = 200

_ADVICE = "Rolled back: this cell left a transaction open. Begin and end it in one cell, best with atomic()."

_watched = None
_interrupt = None


def watch():
    """Look after every cell from now on. Outside IPython, and the second time, it does nothing."""
    global _watched
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or shell is _watched:
        return
    shell.events.register("pre_run_cell", _before)
    shell.events.register("post_run_cell", _after)
    tracebacks.shorten(shell)
    _watched = shell


def _before(info):
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        while len(connection.queries_log) > _LOGGED_QUERIES:
            connection.queries_log.popleft()
    # A cell that was interrupted very late, or a callback between cells, may have left something too.
    _put_right()
    _watch_for_interrupt()


def _after(result):
    if _stop_watching_for_interrupt():
        database.close_async_connection()
    _put_right()
    if isinstance(result.error_in_exec, Unavailable):
        # The lesson goes on: an error would end "Run All Cells" here.
        result.error_in_exec = None


def _watch_for_interrupt():
    """During an `await` the statement runs in another thread, which no interrupt reaches: pass it on.

    The kernel has set its own handler for this cell by now, and sets the one of before when the cell has ended.
    """
    global _interrupt
    if threading.current_thread() is not threading.main_thread():
        return
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler) and not isinstance(handler, _Interrupt):
        _interrupt = _Interrupt(handler)
        signal.signal(signal.SIGINT, _interrupt)


def _stop_watching_for_interrupt():
    """Whether the cell was interrupted."""
    global _interrupt
    if _interrupt is None:
        return False
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, _interrupt.handler)
    came, _interrupt = _interrupt.came, None
    return came


class _Interrupt:
    """A signal handler that stops the statement of the asynchronous thread and does what the kernel's handler does."""

    def __init__(self, handler):
        self.handler = handler
        self.came = False

    def __call__(self, number, frame):
        self.came = True
        database.stop_async_statement()
        return self.handler(number, frame)


def _put_right():
    left = [_end_open_transactions(), database.in_async_thread(_end_open_transactions)]
    if any(left):
        print(_ADVICE)


def _end_open_transactions():
    """Return to autocommit in every connection of this thread; True when one had a transaction open."""
    from django.db import connections

    found = False
    for connection in connections.all(initialized_only=True):
        if connection.connection is None and not connection.in_atomic_block:
            continue
        if (
            connection.in_atomic_block
            or connection.needs_rollback
            or not connection.get_autocommit()
            or _has_begun(connection)
        ):
            database.discard(connection)
            found = True
    return found


def _has_begun(connection):
    """Whether a BEGIN that Django knows nothing of waits for its COMMIT."""
    if connection.vendor == "postgresql":
        return connection.connection.info.transaction_status.name in {"ACTIVE", "INTRANS", "INERROR"}
    return connection.vendor == "sqlite" and connection.connection.in_transaction
