"""Short tracebacks: the learner's own lines and the last word, instead of ninety lines of Django and the lab."""

import linecache
import sys
import traceback

from .capture import CELL
from .database import processes_exist
from .servers.process import Unavailable

_RED, _PLAIN = "\x1b[31m", "\x1b[39m"
_WHOLE = "The whole traceback: %tb"

# What a learner meets who runs a cell twice, and what helps.
_AGAIN = "If you ran this cell before: reset() gives the first state back."


def shorten(shell):
    """From now on an exception in a cell shows the lines of cells only; `%tb` has the rest.

    Source: https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.interactiveshell.html
    """
    shell.set_custom_exc((Exception, KeyboardInterrupt), _show)


def _show(shell, kind, error, frames, tb_offset=None):
    if not processes_exist():
        from . import browser

        source = browser.running_source()
        if browser.explain(source, error):
            return
        if browser.is_meant_to_fail(source):
            # There "Run All Cells" ends at an error, whatever the cell's tag says of it.
            print(*short(kind, error, frames)[:-1], sep="\n", file=sys.stderr)
            return
    if isinstance(error, Unavailable):
        print(error)
        return
    # What `%tb` and a debugger look for.
    sys.last_type, sys.last_value, sys.last_traceback, sys.last_exc = kind, error, frames, error
    shell._showtraceback(kind, error, short(kind, error, frames))


def short(kind: type, error: BaseException, frames) -> list[str]:
    """The lines to show for an exception with the traceback `frames`."""
    if issubclass(kind, SyntaxError) or hasattr(error, "_render_traceback_"):
        return traceback.format_exception_only(kind, error)
    said = [f"line {line}: {linecache.getline(name, line).strip()}" for name, line in _of_cells(frames)]
    if issubclass(kind, KeyboardInterrupt):
        return [*said[-1:], "Stopped."]
    said.append(f"{_RED}{kind.__qualname__}{_PLAIN}: {error}")
    text = str(error)
    if "already exists" in text or "UNIQUE constraint failed" in text:
        said.append(_AGAIN)
    return [*said, _WHOLE]


def _of_cells(frames):
    """File name and line of every frame that is in a cell, outermost first."""
    return [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(frames)
        if CELL.search(frame.f_code.co_filename)
    ]
