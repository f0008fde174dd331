"""The lab where Python runs in the page of a browser, which has no threads, processes or sockets.

What Django does in threads runs in the page's one thread. What a page cannot do at all says so in one line, followed
by what the same cell printed where the lessons were run.
"""

import ast
import asyncio
import errno
import hashlib
import json
import os
import sys
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType

from .servers.process import Unavailable

# What names those outputs by the digest of their cell's source; `checks.site` writes the file.
OUTPUTS = "COURSE_OUTPUTS"

_ELSEWHERE = "Run this cell in a JupyterLab on your own machine."
_DEPENDS = "This needs a cell above that a browser cannot run"
# What `checks.site` leaves to that distribution.
_ON_REQUEST = {"pandas", "numpy"}
_NO_SYSTEM_CALL = {errno.ENOTSUP, errno.ENOSYS, errno.EHOSTUNREACH, errno.ECONNREFUSED}

# Names that a cell would have given a value to, had it run.
_missing: set[str] = set()


def prepare():
    """Let code that Django sends to a thread, or takes from an event loop, run where it is called."""
    from asgiref.sync import AsyncToSync, SyncToAsync

    async def call_here(self, *arguments, **named):
        return self.func(*arguments, **named)

    def wait_here(self, *arguments, **named):
        return finished(self.awaitable(*arguments, **named))

    SyncToAsync.__call__ = call_here
    AsyncToSync.__call__ = wait_here
    asyncio.get_event_loop().set_exception_handler(report)
    _complete_fcntl()
    # `channels.testing` imports it for a server of its own, which no page can start.
    sys.modules["daphne"] = ModuleType("daphne")
    sys.modules["daphne.testing"] = ModuleType("daphne.testing")
    sys.modules["daphne.testing"].DaphneProcess = None


def report(loop, context: dict):
    """Handle an exception as other event loops do: that of a task counts if nobody asks for it as long as it lives.

    Pyodide's reports each as soon as the task ends, without a message, where nothing waits for it at that moment:
    https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.call_exception_handler
    """
    if "message" in context:
        loop.default_exception_handler(context)


def _complete_fcntl():
    """JupyterLite puts an empty module in its place; billiard, which Celery imports, takes names from it."""
    import fcntl

    for name in ("fcntl", "F_GETFL", "F_SETFL"):
        if not hasattr(fcntl, name):
            setattr(fcntl, name, None)


class Missing:
    """Stands for a server that a page does not have, in the place of False.

    In a cell that starts the bookshop it is False, so that the lesson goes on without the server. Any other cell that
    asks shows what it prints elsewhere.
    """

    def __bool__(self):
        if "start(" in running_source():
            return False
        raise Unavailable("A browser has no servers.")


def running_source() -> str:
    """The source of the cell that runs; empty outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return shell.history_manager.input_hist_raw[-1] if shell else ""


def watch():
    """From now on a cell that a page cannot run says so, the first one too."""
    from . import tracebacks

    ipython = sys.modules.get("IPython")
    if ipython and (shell := ipython.get_ipython()):
        tracebacks.shorten(shell)
        shell.input_transformers_post.append(kept_back)
        # A page is asked for each look into the learner's folder: not while the bookshop starts, and then as the last.
        leave_own_folder()
        shell.events.register("post_run_cell", search_own_folder)


def leave_own_folder():
    """Import nothing from the folder of the notebook."""
    sys.path[:] = [folder for folder in sys.path if folder]


def search_own_folder(result=None):
    """Import from the folder of the notebook what is found nowhere else."""
    leave_own_folder()
    sys.path.append("")


def finished(coroutine, **options):
    """What a coroutine returns, run to its end before anything else.

    Most never wait for anything, now that `sync_to_async` calls its function at once. For the others the browser has
    to be able to wait, as it has for `asyncio.run`, whose `options` mean nothing here:
    https://pyodide.org/en/stable/usage/api/python-api/ffi.html#pyodide.ffi.run_sync
    """
    try:
        while (waiting := coroutine.send(None)) is None:
            pass
    except StopIteration as done:
        return done.value
    from pyodide.ffi import can_run_sync, run_sync

    if can_run_sync():
        return run_sync(_Rest(coroutine, waiting))
    coroutine.close()
    raise Unavailable(f"This browser cannot wait for asynchronous code inside of synchronous code: {_ELSEWHERE}")


class _Rest:
    """What is left of a coroutine that has begun, and the future that it waits for."""

    def __init__(self, coroutine, waiting):
        self._coroutine = coroutine
        self._waiting = waiting

    def __await__(self):
        waiting = self._waiting
        while True:
            try:
                sent = yield waiting
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, sent)
            try:
                waiting = step()
            except StopIteration as done:
                return done.value


def explain(source: str, error: BaseException) -> bool:
    """Show why a page cannot run this cell, and what it prints elsewhere; False where the error is the cell's own."""
    stored = _stored(source)
    reason = _reason(error, known=stored is not None)
    if reason is None and stored is not None and _missing & _names(source, ast.Load):
        reason = _DEPENDS
    if reason is None:
        return False
    _missing.update(_names(source, ast.Store))
    from IPython.display import clear_output

    clear_output()  # what it printed before it failed is part of what is printed now
    if stored is None:
        print(f"{reason}. {_ELSEWHERE}")
    else:
        print(f"{reason}. On a laptop it prints {'this:' if stored else 'nothing.'}")
    for output in stored or []:
        _show(output)
    return True


def is_meant_to_fail(source: str) -> bool:
    """Whether a cell of the course shows an error."""
    return any(output["output_type"] == "error" for output in _stored(source) or [])


def _reason(error, known):
    """Why a page cannot do this, without the full stop. `known` says that the cell is one of the course's."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, Unavailable):
            return str(error).partition(": ")[0].rstrip(".")
        if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
            return "A browser has no threads"
        if type(error).__name__ == "SynchronousOnlyOperation" and known:
            return "A browser has one thread only, that of the event loop"
        if isinstance(error, OSError) and error.errno in _NO_SYSTEM_CALL:
            return "A browser has no processes and no sockets"
        if isinstance(error, NameError) and error.name in _missing:
            return _DEPENDS
        if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType) and known:
            return f"A browser has no {error.obj.__name__}.{error.name}"
        if isinstance(error, ModuleNotFoundError) and error.name in _ON_REQUEST:
            return f"{error.name} comes from Pyodide's distribution, which could not be reached"
        if isinstance(error, ModuleNotFoundError) and known:
            return f"The package {(error.name or '').partition('.')[0]} is not part of the browser edition"
        error = error.__cause__ or error.__context__
    return None


def _names(source, context):
    """The names that a cell reads (`ast.Load`), or gives a value to at its outermost level (`ast.Store`)."""
    found = set()
    waiting = list(ast.parse(source).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            found.add(node.id)
        if context is ast.Store:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
                continue
            if isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


def digest(source: str) -> str:
    """What names a cell's stored outputs."""
    return hashlib.sha256(source.strip().encode()).hexdigest()[:16]


@lru_cache
def _all_stored() -> dict:
    try:
        return json.loads(Path(os.environ[OUTPUTS]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return {}


def _stored(source):
    """The outputs of the real run, or None for a cell that is not the course's."""
    known = _all_stored().get(digest(source))
    return known and known["outputs"]


def kept_back(lines: list[str]) -> list[str]:
    """The lines to run in the place of a cell's: for one whose point a page would miss, why it does not run."""
    source = "".join(lines)
    known = _all_stored().get(digest(source), {})
    if "why" not in known:
        return lines
    unseen = [f"__import__('lab.browser').browser.run_unseen({source!r}, globals())\n"] if known.get("run") else []
    return [*unseen, f"raise __import__('lab').Unavailable({known['why']!r})\n"]


def run_unseen(source: str, names: dict):
    """Run a cell for what it leaves behind, without what it puts out."""
    from IPython.utils.capture import capture_output

    with capture_output():
        exec(source, names)


def _show(output):
    if output["output_type"] == "stream":
        print(output["text"], end="")
        return
    if output["output_type"] == "error":
        print(f"{output['ename']}: {output['evalue']}")
        return
    from IPython.display import display

    display(output["data"], raw=True)
