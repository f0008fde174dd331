"""Runs one answer on one database, in the process made for it, and leaves a report.

Nothing here decides whether the answer is right: the report goes to the examiner, which never runs answers.
"""

import ast
import json
import linecache
import os
import re
import sys
import time
import traceback
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

from checks.exercises import source as sources
from checks.exercises.inspection import Inspector
from checks.exercises.observation import TooMuch, normalise

MAX_STATEMENTS = 2_000
MAX_MESSAGE = 1_000
FILE_LIMIT = 64 * 1024**2
MEMORY_LIMIT = 1024**3
PAGES = "config.urls"  # imported by an answer that asks for a page, with all views and the admin

# What an answer may not do; the events are Python's own: https://docs.python.org/3/library/audit_events.html
_PROCESS_EVENTS = frozenset(
    [
        "os.fork",
        "os.forkpty",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "os.startfile",
        "pty.spawn",
        "subprocess.Popen",
        "_winapi.CreateProcess",
    ]  # noqa: SIM905
)
_SIGNAL_EVENTS = frozenset({"os.kill", "os.killpg", "signal.pthread_kill"})
_FILE_EVENTS = frozenset({"os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod",
                          "os.chown", "shutil.rmtree", "sqlite3.connect"})  # fmt: skip


class Refused(PermissionError):
    """An answer tried what a check does not allow."""


def filename(exercise: str) -> str:
    """The file name that stands for the answer's cell in tracebacks."""
    return f"<answer {exercise}>"


def main(job: dict, baseline: list | None, inherited: tuple[int, ...] = ()):
    """Run a job (see `trial.job`) in this process and end it; `inherited` are descriptors that it must not have."""
    leave, write = os._exit, open
    folder = Path(job["folder"])
    from lab.database import boot

    try:
        boot()  # done long ago, unless this process was spawned
        isolate(job, folder, inherited)
        report = observe(job, baseline, forbid(folder))
        report["pages"] = PAGES in sys.modules
    except BaseException as error:  # whatever an answer may throw, this process ends with a report
        report = {"status": "broken", "error": _error(error, job["exercise"])}
    draft = folder / "report.part"
    with suppress(BaseException):
        sys.stdout.flush()
    with write(draft, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(report, file)
    os.replace(draft, folder / "report.json")
    leave(0)


def isolate(job: dict, folder: Path, inherited: tuple[int, ...]):
    """Make this process one that can be killed with all it starts, with its own output, folder and limits."""
    import faulthandler
    import signal

    for descriptor in inherited:
        with suppress(OSError):
            os.close(descriptor)
    if hasattr(os, "setsid"):
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(nothing)
    # Not to be closed: what is printed last has to come out.
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)  # noqa: SIM115
    os.chdir(folder / "work")
    (folder / "started").touch()
    sys.dont_write_bytecode = True
    # Written by a thread of C just before the time is up, even in the middle of a long SQL statement: where it was.
    place = os.open(folder / "place.txt", os.O_WRONLY | os.O_CREAT, 0o600)
    faulthandler.dump_traceback_later(max(0.05, job["seconds"] - 0.25), file=place)
    with suppress(ImportError):  # Windows has none: there the examiner watches the memory
        import resource

        for limit, value in _limits(resource, job):
            with suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":
        _die_with_parent()


def _limits(resource, job):
    yield resource.RLIMIT_CORE, 0
    yield resource.RLIMIT_FSIZE, FILE_LIMIT
    # Should the examiner itself be killed, a busy answer still ends.
    yield resource.RLIMIT_CPU, int(time.process_time() + job["seconds"]) + 2
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        yield resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_LIMIT


def _die_with_parent():
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL


def forbid(folder: Path) -> list[tuple[str, str]]:
    """Refuse other processes, signals to others and files elsewhere; returns the list that refusals are noted in.

    An audit hook cannot be removed: https://docs.python.org/3/library/sys.html#sys.addaudithook
    """
    refused: list[tuple[str, str]] = []
    inside = os.path.realpath(folder) + os.sep
    me = os.getpid()
    realpath, fsdecode, writing = os.path.realpath, os.fsdecode, os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    busy = []

    def elsewhere(path) -> bool:
        if type(path) is int or path is None:
            return False
        text = fsdecode(path)
        if text in ("", ":memory:", os.devnull):
            return False
        if text.startswith("file:"):
            return ":memory:" not in text and "mode=memory" not in text
        busy.append(True)  # realpath audits nothing today; should it, that is not the answer's doing
        try:
            return not (realpath(text) + os.sep).startswith(inside)
        finally:
            busy.pop()

    def hook(event, arguments):
        if busy:
            return
        if event == "open":
            path, mode, flags = arguments
            wrong = "file" if (flags or 0) & writing and elsewhere(path) else ""
        elif event in _FILE_EVENTS:
            paths = arguments[:2] if event in ("os.rename", "os.link", "os.symlink") else arguments[:1]
            wrong = "file" if any([elsewhere(path) for path in paths]) else ""
        elif event in _PROCESS_EVENTS:
            wrong = "process"
        elif event in _SIGNAL_EVENTS:
            wrong = "signal" if arguments[0] != me and event != "signal.pthread_kill" else ""
        else:
            return
        if wrong:
            refused.append((wrong, event))
            raise Refused(f"a check does not allow {event}")

    sys.addaudithook(hook)
    return refused


def observe(job: dict, baseline: list | None = None, refused: list | None = None) -> dict:
    """Run the job's answer and say what came of it, as data that JSON can carry."""
    from lab.database import boot, connect_to

    boot()
    connect_to(job["database"])
    namespace = _namespace()
    exec(compile(job["setup"], "<set-up>", "exec"), namespace)
    inspector = Inspector(job["database"], baseline) if job["isolated"] else None
    try:
        report = _report(job, namespace)
    except BaseException:  # an answer that patched builtins breaks our own code; the inspector says which
        report = {"status": "broken", "calls": []}
    traces = [] if inspector is None else inspector.look()
    report["traces"] = [*(refused or []), *traces]
    return report


def _namespace() -> dict:
    # Dotted paths such as "__main__.Middleware" have to lead to what the answer defines.
    main_module = ModuleType("__main__")
    sys.modules["__main__"] = main_module
    return main_module.__dict__


def _report(job: dict, namespace: dict) -> dict:
    name = filename(job["exercise"])
    linecache.cache[name] = (len(job["source"]), None, job["source"].splitlines(keepends=True), name)
    calls: list[dict] = []
    try:
        tree = ast.parse(job["source"], name)
        tree.body = [node for node in tree.body if not sources.is_helper_call(node)]
        exec(compile(tree, name, "exec"), namespace)
        missing = [entry for entry in job["entries"] if entry not in namespace]
        if missing:
            return {"status": "missing", "names": missing, "calls": []}
        calls += _checked(job, namespace) if job["check"] else _called(job, namespace)
    except TooMuch:
        return {"status": "too much", "calls": []}
    except SystemExit as error:
        return {"status": "exit", "code": _text(error.code), "calls": [], "error": _error(error, job["exercise"])}
    except BaseException as error:
        return {"status": "error", "error": _error(error, job["exercise"]), "calls": []}
    return {"status": "done", "calls": calls}


def _called(job: dict, namespace: dict) -> list[dict]:
    entry = namespace[job["entries"][0]]
    if not callable(entry):
        return [_measured(lambda: entry)]
    function = _synchronous(entry)
    return [_measured(partial(function, *_mutable(arguments))) for arguments in job["calls"]]


def _mutable(arguments):
    return [list(_mutable(inner)) if isinstance(inner, list | tuple) else inner for inner in arguments]


def _checked(job: dict, namespace: dict) -> list[dict]:
    name = "<check>"
    linecache.cache[name] = (len(job["check"]), None, job["check"].splitlines(keepends=True), name)
    # Its own names, beside those of the set-up: an answer must not redefine what observes it.
    own = {"__name__": "check", "__builtins__": __builtins__, "uncounted": uncounted}
    exec(compile(job["setup"], "<set-up>", "exec"), own)
    exec(compile(job["check"], name, "exec"), own)
    entries = {entry: namespace[entry] for entry in job["entries"]}
    answer = next(iter(entries.values())) if len(entries) == 1 else SimpleNamespace(**entries)
    return [_measured(lambda: _synchronous(own["observe"])(answer))]


_captures: list = []


@contextmanager
def uncounted():
    """For a check's own look at the database: the queries inside do not count against the answer's budget."""
    seen = _captures[-1].everything
    before = len(seen)
    try:
        yield
    finally:
        del seen[before:]


def _synchronous(function):
    from inspect import iscoroutinefunction

    if not iscoroutinefunction(function):
        return function
    from asgiref.sync import async_to_sync

    return async_to_sync(function)


def _measured(function) -> dict:
    """The normal form of what a function returns, with the queries of the call and of running a lazy result."""
    from lab.capture import Capture

    with Capture(prefix="<answer") as capture:
        _captures.append(capture)
        try:
            result = normalise(function())
        finally:
            _captures.pop()
    statements = list(capture)
    return {
        "result": result,
        "queries": len(statements),
        "statements": [
            {"sql": one.sql[:2_000], "line": one.line, "code": one.code, "relation": one.relation}
            for one in statements[:MAX_STATEMENTS]
        ],
    }


def _error(error: BaseException, exercise: str) -> dict:
    name = filename(exercise)
    frames = []
    with suppress(BaseException):
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == name:
                frames.append([frame.lineno, (frame.line or "").strip()])
    if isinstance(error, SyntaxError) and error.filename == name:
        frames.append([error.lineno or 1, (error.text or "").strip()])
    if len(frames) > 3:
        frames = [frames[0], *frames[-2:]]
    message = error.msg if isinstance(error, SyntaxError) else _text(error)
    return {"type": type.__dict__["__name__"].__get__(type(error)), "message": message, "frames": frames}


def _text(value) -> str:
    try:
        text = str(value)
    except BaseException:
        text = ""
    # Addresses and temporary folders would differ from run to run.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"
