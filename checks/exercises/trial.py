"""One answer on one database: a process is made for it, watched, ended with all it started, and its traces read.

The watching process (the examiner) runs no answer itself. It reads the answer's report from a file once that process
is gone, as text that can only be data.
"""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from checks.exercises import candidate
from checks.exercises.source import Exercise

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

MAX_OUTPUT = 1024**2
MAX_REPORT = 16 * 1024**2
MAX_PROCESSES = 3
SHOWN_OUTPUT = 2_000
GRACE = 0.25  # seconds beyond the limit, to write where the time went
POLL = 0.05
LOOK = 0.25  # seconds between looks at memory and processes, which cost more
START = 30  # seconds for a spawned process to import Django


@dataclass(frozen=True)
class Observation:
    """What became of one answer on one dataset; plain data.

    `status` is "done", "error", "missing", "exit", "too much", or what the examiner found: "time", "output", "memory",
    "processes", "ended" (with `detail` the exit code), "killed" (the signal), "broken". `traces` are pairs of a kind
    ("patched", "thread", "lock", "schema", "deleted", …) and a detail; an answer with traces never passes.
    """

    dataset: str
    status: str
    calls: tuple = ()
    error: dict = field(default_factory=dict)
    traces: tuple[tuple[str, str], ...] = ()
    detail: str = ""
    output: str = ""

    def as_json(self) -> str:
        return json.dumps(
            [self.dataset, self.status, list(self.calls), self.error, list(self.traces), self.detail, self.output]
        )

    @classmethod
    def from_json(cls, text: str) -> "Observation":
        dataset, status, calls, error, traces, detail, output = json.loads(text)
        return cls(
            dataset,
            status,
            tuple(calls),
            error,
            tuple((str(kind), str(what)) for kind, what in traces),
            detail,
            output,
        )


def job(exercise: Exercise, source: str, database: Path, folder: Path, *, isolated: bool = True) -> dict:
    """What a candidate process needs to know."""
    return {
        "exercise": exercise.id,
        "setup": exercise.setup,
        "source": source,
        "entries": list(exercise.entries),
        "check": exercise.check,
        "calls": [list(arguments) for arguments in exercise.calls],
        "seconds": exercise.seconds,
        "database": str(database),
        "folder": str(folder),
        "isolated": isolated,
    }


class Laboratory:
    """Makes candidate processes for one examiner.

    `method` is a start method of multiprocessing, "fork" or "spawn"; `folder` is for the temporary files of trials;
    `inherited` are descriptors that a forked candidate has to close.
    """

    def __init__(self, folder: Path, method: str | None = None, inherited: tuple[int, ...] = ()):
        import multiprocessing

        self.method = method or ("fork" if hasattr(os, "fork") else "spawn")
        self.context = multiprocessing.get_context(self.method)
        self.folder = folder
        self.inherited = inherited if self.method == "fork" else ()
        self.baseline: list | None = None
        self.modules = 0
        self.trials = 0
        self.asks_for_pages = False
        if sys.platform == "linux":
            _adopt_orphans()
        if self.method == "spawn" and os.name == "posix":
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # a child of ours, no candidate's

    def prepare(self, exercise: Exercise):
        """Import what an exercise imports before any candidate is made, so that none has to."""
        if self.method != "fork":
            return
        exec(compile(exercise.setup, "<set-up>", "exec"), {"__name__": "setup"})
        if not self.modules:
            _warm_up()
        if len(sys.modules) != self.modules:
            import gc

            from checks.exercises.inspection import snapshot

            self.baseline = snapshot()
            self.modules = len(sys.modules)
            # Candidates share this process's memory until something writes to it; the collector would.
            gc.collect()
            gc.freeze()

    def load_pages(self):
        """Import what a page needs, if the last answers asked for one: otherwise each would import it for itself."""
        if self.method == "fork" and self.asks_for_pages and candidate.PAGES not in sys.modules:
            _import_pages()

    def observe(self, exercise: Exercise, source: str, prebuilt: dict[str, Path]) -> Iterator[Observation]:
        """Run an answer on a fresh copy of each prebuilt database, all at once; yields what came of it, in their order.

        Runs that nobody waits for any more end when the iterator is closed.
        """
        before = _children()
        runs: list[_Run] = []
        try:
            for dataset, file in prebuilt.items():
                runs.append(self._start(exercise, source, dataset, file))
            for run in runs:
                verdict = self._watch(run, exercise.seconds)
                if run is runs[-1]:
                    _end_orphans(before)
                yield self._read(exercise, run, verdict)
        finally:
            for run in runs:
                run.end()
            _end_orphans(before)
            for run in runs:
                shutil.rmtree(run.folder, ignore_errors=True)

    def _start(self, exercise: Exercise, source: str, dataset: str, prebuilt: Path) -> "_Run":
        self.trials += 1
        folder = self.folder / f"trial-{self.trials}"
        (folder / "work").mkdir(parents=True)
        database = folder / "database.sqlite3"
        shutil.copyfile(prebuilt, database)
        identity = database.stat().st_ino
        task = job(exercise, source, database, folder)
        baseline = self.baseline if self.method == "fork" else None
        process = self.context.Process(target=candidate.main, args=(task, baseline, self.inherited))
        process.start()
        return _Run(dataset, prebuilt, folder, database, identity, process, time.monotonic())

    def _watch(self, run: "_Run", seconds: float) -> tuple[str, str]:
        """Wait for a run to end, or end it; says why it ended."""
        from multiprocessing.connection import wait

        process, folder, began = run.process, run.folder, run.began
        started = self.method == "fork"
        look_closer = began + LOOK
        why = None
        while why is None and not wait([process.sentinel], timeout=POLL):
            if not started and (folder / "started").exists():
                # A spawned process had to import Django first.
                began, started = time.monotonic(), True
            if time.monotonic() - began > (seconds if started else START) + GRACE:
                why = "time"
            elif _size(folder / "output.txt") > MAX_OUTPUT:
                why = "output"
            elif time.monotonic() > look_closer:
                why = _excess(process.pid)
                look_closer = time.monotonic() + LOOK
        code = run.end()
        if _size(folder / "output.txt") > MAX_OUTPUT:
            return "output", ""
        if why is not None:
            return why, ""
        if code is not None and code < 0:
            # The limit on CPU time is only for an answer that outlives its examiner, or hides in threads.
            name = _signal_name(-code)
            return ("time", "") if name == "SIGXCPU" else ("killed", name)
        return "ended", str(code)

    def _read(self, exercise: Exercise, run: "_Run", verdict: tuple[str, str]) -> Observation:
        status, detail = verdict
        folder = run.folder
        output = _output(folder / "output.txt")
        error: dict = {}
        calls: tuple = ()
        traces: list[tuple[str, str]] = []
        report = _report(folder / "report.json") if status == "ended" else None
        if report is not None:
            self.asks_for_pages |= report.get("pages") is True
            status, detail = report["status"], str(report.get("code", ""))
            calls, error = tuple(report.get("calls", ())), report.get("error", {})
            traces = [(str(kind), str(what)) for kind, what in report.get("traces", ())]
            if status == "missing":
                detail = ", ".join(map(str, report["names"]))
        elif status == "time":
            error = _place(folder / "place.txt", exercise)
        if status not in ("time", "output", "memory", "processes"):
            traces += _traces_in_database(run.database, run.identity, run.prebuilt, exercise.writes_schema)
        return Observation(run.dataset, status, calls, error, tuple(traces), detail, output)


@dataclass
class _Run:
    """A process that runs an answer on one database."""

    dataset: str
    prebuilt: Path
    folder: Path
    database: Path
    identity: int  # of the database's file: another one in its place is a trace
    process: "BaseProcess | None"
    began: float

    def end(self) -> int | None:
        """Kill it and all it started, if it still runs. Its exit code, None when it had been ended before."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        end_group(process)
        process.join()
        code = process.exitcode
        process.close()
        return code


def _warm_up():
    """Let Django import and compute now what every candidate would otherwise import and compute again."""
    from django.apps import apps
    from lab.database import close_connections

    for model in apps.get_models():
        str(model._default_manager.all().query)
    close_connections()


def _import_pages():
    """Views, middleware and template tags. No page is rendered: caches are to be as empty as in a new process."""
    from django.conf import settings
    from django.template import engines
    from django.urls import get_resolver
    from django.utils.module_loading import import_string

    get_resolver()._populate()
    for middleware in settings.MIDDLEWARE:
        import_string(middleware)
    engines.all()
    import_module("django.contrib.staticfiles.storage")


def end_group(process):
    """Kill a process and all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.is_alive():
        process.kill()


def _adopt_orphans():
    """Become the parent of what a candidate leaves behind, so that it can be found."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _children() -> set[int]:
    me = os.getpid()
    try:
        return set(map(int, Path(f"/proc/{me}/task/{me}/children").read_text().split()))
    except OSError:
        return set()


def _end_orphans(before: set[int]):
    """Kill what a candidate started and moved out of its group; it became ours when the candidate ended."""
    for _ in range(50):  # the children of a killed process only then become ours
        left = _children() - before
        if not left:
            return
        for child in left:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(child, 0)


def _excess(pid: int) -> str | None:
    """What a running process has too much of."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        # Where the system sets no limit on memory: https://docs.python.org/3/library/resource.html
        if process.memory_info().rss > candidate.MEMORY_LIMIT + 512 * 1024**2:
            return "memory"
        if len(process.children(recursive=True)) > MAX_PROCESSES:
            return "processes"
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _output(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return shortened(file.read(SHOWN_OUTPUT + 1).decode("utf-8", "replace"))
    except OSError:
        return ""


def shortened(text: str) -> str:
    """The first lines of what an answer printed."""
    lines = text[:SHOWN_OUTPUT].splitlines()
    return "\n".join(lines[:20]) + ("\n…" if len(lines) > 20 or len(text) > SHOWN_OUTPUT else "")


def _report(path: Path) -> dict | None:
    if not 0 < _size(path) <= MAX_REPORT:
        return {"status": "too much"} if _size(path) else None
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(report, dict) and isinstance(report.get("status"), str):
            return report
    except (ValueError, RecursionError, OSError):
        pass
    return {"status": "broken"}


def _place(path: Path, exercise: Exercise) -> dict:
    """Where an answer was when its time was up, from faulthandler's dump (innermost frame first)."""
    import re

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    main = text.rpartition("most recent call first")[2]
    lines = [line for line in main.splitlines() if line.startswith("  File ")]
    in_database = bool(lines) and "sqlite" in lines[0]
    for line in lines:
        match = re.search(r'File "' + re.escape(candidate.filename(exercise.id)) + r'", line (\d+)', line)
        if match:
            return {"frames": [[int(match[1]), ""]], "in database": in_database}
    return {}


def _traces_in_database(database: Path, identity: int, prebuilt: Path, writes_schema: bool) -> list[tuple[str, str]]:
    try:
        if os.name == "posix" and database.stat().st_ino != identity:
            return [("deleted", "")]
        if not database.stat().st_size:
            return [("deleted", "")]
        if writes_schema:
            return []
        before, after = _schema(prebuilt), _read_schema(database)
    except FileNotFoundError:
        return [("deleted", "")]
    except sqlite3.Error:
        return [("damaged", "")]
    for name, sql in before.items():
        if name not in after:
            return [("dropped", name)]
        if after[name] != sql:
            return [("schema", name)]
    return [("schema", name) for name in after if name not in before][:1]


@lru_cache
def _schema(prebuilt: Path) -> dict[str, str]:
    # Immutable: SQLite then leaves no files of its own beside it.
    return _read_schema(prebuilt, immutable=True)


def _read_schema(path: Path, *, immutable: bool = False) -> dict[str, str]:
    where = f"{path.as_uri()}?immutable=1" if immutable else path.as_uri()
    with closing(sqlite3.connect(where, uri=True, timeout=0)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'")
        return {name: sql or "" for name, sql in rows}


@lru_cache
def digest(path: Path) -> str:
    """A digest of a prebuilt database's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
