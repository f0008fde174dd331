"""The examiner: a process that never runs an answer, has one run for it, and judges.

    kernel ── Examiner ──► examiner process ── Laboratory ──► one candidate process per answer and dataset

The kernel may be patched by what a learner ran there; the verdict is made where no answer ever ran.
"""

import atexit
import gc
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from functools import lru_cache
from pathlib import Path
from unittest import mock

from checks.exercises import candidate, datasets, observation, verdict
from checks.exercises.source import Exercise, SourceError, UnknownExercise, find
from checks.exercises.trial import Laboratory, Observation, digest, job, shortened
from checks.exercises.verdict import Verdict, judge, troubled, unread

PATIENCE = 120  # seconds; each run has its own limit, this is for an examiner that hangs
UNPROTECTED = (
    "Checked inside this page, where there are no processes: an endless loop is not stopped, and what your code "
    "changes in Python stays changed until the kernel restarts."
)


class ExaminerError(RuntimeError):
    """The examiner could not come to a verdict; the message says why."""


# In the examiner process


class Examination:
    """Judges answers. `observe(exercise, source, prebuilt)` runs one on each database and yields what came of it."""

    def __init__(self, observe: Callable[[Exercise, str, dict[str, Path]], Iterator[Observation]]):
        self._observe = observe
        self._known: dict[str, Observation] = {}

    def judge(self, exercise: Exercise, source: str) -> Verdict:
        """The verdict on one answer."""
        early = unread(exercise, source)
        if early is not None:
            return early
        seen: dict[str, Observation] = {}
        prebuilt = {dataset: datasets.path(dataset) for dataset in exercise.datasets}
        with closing(self._observe(exercise, source, prebuilt)) as observations:
            for one in observations:
                seen[one.dataset] = one
                if troubled(exercise, one, source) is not None:
                    break
        references = {dataset: self.reference(exercise, exercise.solution, dataset) for dataset in seen}
        for dataset, one in references.items():
            fault = troubled(exercise, one, exercise.solution)
            if fault is not None and not (set(seen) == {dataset} and seen[dataset].status == "time"):
                message = (
                    f"Exercise {exercise.id} itself is at fault, not your answer: its reference fails on {dataset!r}."
                )
                return verdict.verdict(exercise, verdict.ERROR, message, details=(fault.message, *fault.details))
        first = judge(exercise, source, seen, references, [])
        last = list(seen.values())[-1]
        if first.passed or last.traces or last.status not in ("done", "error"):
            return first
        mistakes = [
            {dataset: self.reference(exercise, mistake.source, dataset) for dataset in seen}
            for mistake in exercise.mistakes
        ]
        return judge(exercise, source, seen, references, mistakes)

    def reference(self, exercise: Exercise, source: str, dataset: str) -> Observation:
        """A run of the course's own code, remembered in memory and in the cache folder."""
        from lab.database import cache_folder

        prebuilt = datasets.path(dataset)
        task = {name: value for name, value in job(exercise, source, prebuilt, Path()).items() if name != "database"}
        parts = [task, exercise.writes_schema, digest(prebuilt), _code_digest()]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
        if key in self._known:
            return self._known[key]
        file = cache_folder() / "observations" / f"{key}.json"
        try:
            found = Observation.from_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            (found,) = self._observe(exercise, source, {dataset: prebuilt})
            if found.status in ("done", "error") and not found.traces:
                _keep(file, found.as_json())
        self._known[key] = found
        return found


@lru_cache
def _code_digest() -> str:
    """Stands for what a stored run depends on beside the exercise and the data."""
    import django
    import lab.capture

    # A message may name a file of the shop: what was stored for one copy of the course is not for another.
    text = [django.get_version(), sys.version, str(Path(lab.capture.__file__).parent)]
    text += [Path(module.__file__).read_text(encoding="utf-8") for module in (candidate, observation, lab.capture)]
    return hashlib.sha256("".join(text).encode()).hexdigest()


def _keep(file: Path, text: str):
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=file.parent)
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(draft, file)


def serve(connection, folder: str, method: str | None = None):
    """The examiner process: answers requests until the other side is gone. `method` is how candidates are started."""
    if hasattr(os, "setsid"):
        os.setsid()  # an interrupt of the kernel is not for us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from lab.database import boot

    boot()
    laboratory = Laboratory(Path(folder), method, inherited=(connection.fileno(),) if os.name == "posix" else ())

    def observe(exercise, source, prebuilt):
        laboratory.prepare(exercise)
        return laboratory.observe(exercise, source, prebuilt)

    examination = Examination(observe)
    with suppress(EOFError, OSError, BrokenPipeError):
        while True:
            asked, exercise_folder, source = connection.recv()
            try:
                exercise = (
                    asked if isinstance(asked, Exercise) else find(asked, exercise_folder and Path(exercise_folder))
                )
                answer = examination.judge(exercise, source)
            except (SourceError, UnknownExercise) as error:
                answer = error if isinstance(error, UnknownExercise) else str(error)
            except Exception as error:  # a fault of ours: the learner learns of it, and the next request is served
                answer = f"{type(error).__name__}: {error}"
            connection.send(answer)
            laboratory.load_pages()  # while the verdict is read
    # The kernel is gone, perhaps without a chance to tidy up.
    shutil.rmtree(folder, ignore_errors=True)


# In the kernel


class Examiner:
    """A handle on an examiner process, started when it is first needed and again should it be gone.

    `method` is how the examiner starts candidates, "fork" or "spawn"; by default as the system allows.
    """

    def __init__(self, method: str | None = None):
        self._method = method
        self._process = None
        self._connection = None
        self.folder = Path()
        self._owner = os.getpid()

    def examine(self, exercise: Exercise | str, source: str, folder: Path | None = None) -> Verdict:
        """The verdict on an answer's source. An id is looked up in `folder` (by default the course's own).

        Raises UnknownExercise, and ExaminerError when there is no verdict to be had.
        """
        self.ask(exercise, source, folder)
        return self.answer()

    def ask(self, exercise: Exercise | str, source: str, folder: Path | None = None):
        """Send a request whose answer `answer()` will wait for."""
        request = (exercise, str(folder) if folder else None, source)
        # Nothing is to be read between requests but the end of an examiner that is gone.
        if self._process is None or self._connection.poll(0):
            self._start()
        try:
            self._connection.send(request)
        except OSError:
            self._start()
            self._connection.send(request)

    def answer(self) -> Verdict:
        """Wait for the answer to the last request."""
        try:
            for _ in range(PATIENCE * 5):
                if self._connection.poll(0.2):
                    found = self._connection.recv()
                    break
            else:
                raise ExaminerError("The check took too long and was given up. Run the cell again.")
        except (EOFError, OSError) as error:
            self.close()
            raise ExaminerError("The process that checks answers ended while it read yours: no verdict.") from error
        except BaseException:  # an interrupt above all: nothing of this check may go on
            self.close()
            raise
        if isinstance(found, Verdict):
            return found
        raise found if isinstance(found, UnknownExercise) else ExaminerError(f"The check itself failed: {found}")

    @property
    def connection(self):
        """The open end of the pipe, for `multiprocessing.connection.wait`."""
        return self._connection

    @property
    def process_id(self) -> int | None:
        """The examiner process, while it runs."""
        return self._process and self._process.pid

    def _start(self):
        import multiprocessing
        import multiprocessing.util  # noqa: F401  its exit handler, which waits for processes, must come after ours

        from lab.database import interrupts_held

        self.close()
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(
                ["checks.exercises.examiner", "lab.capture", "django.db.models", "django.test"]
            )
        with interrupts_held():
            self._owner = os.getpid()
            self.folder = Path(tempfile.mkdtemp(prefix="course-check-"))
            self._connection, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, str(self.folder), self._method), name="examiner")
            process.start()
            self._process = process
            theirs.close()
        atexit.register(self.close)

    def close(self):
        """End the examiner process and all it started. The next request starts another."""
        if self._process is None or os.getpid() != self._owner:
            self._process = None
            return
        process, self._process = self._process, None
        atexit.unregister(self.close)
        import psutil

        with suppress(OSError):
            self._connection.close()
        with suppress(psutil.Error):
            for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                with suppress(psutil.Error):
                    one.kill()
        process.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


@lru_cache(maxsize=1)
def _shared(process: int) -> Examiner:
    """One examiner per process: a forked child must not talk over its parent's pipe."""
    return Examiner()


def examine(exercise: Exercise | str, source: str, folder: Path | None = None) -> Verdict:
    """The verdict on an answer, from an examiner process that stays for the next; see `Examiner.examine`."""
    from lab.database import processes_exist

    if not processes_exist():
        return run_in_process(exercise, source, folder)
    return _shared(os.getpid()).examine(exercise, source, folder)


def examine_many(
    pairs: Iterable[tuple[Exercise | str, str]], workers: int = 2, done: Callable[[], None] = lambda: None
) -> list[Verdict | Exception]:
    """Verdicts on many (exercise, source) pairs, in their order, by several examiners at once.

    A pair without a verdict has the UnknownExercise or ExaminerError in its place. `done` is called after each pair.
    """
    from multiprocessing.connection import wait

    pairs = list(pairs)
    found: list[Verdict | Exception] = [ExaminerError("not examined")] * len(pairs)
    waiting = iter(range(len(pairs)))
    examiners = [Examiner() for _ in range(min(workers, len(pairs)))]
    busy: dict[Examiner, int] = {}

    def give(examiner: Examiner):
        for number in waiting:
            examiner.ask(*pairs[number])
            busy[examiner] = number
            return

    try:
        for examiner in examiners:
            give(examiner)
        while busy:
            ready = wait([examiner.connection for examiner in busy], timeout=PATIENCE)
            for examiner in [one for one in busy if not ready or one.connection in ready]:
                number = busy.pop(examiner)
                try:
                    found[number] = examiner.answer() if ready else _give_up(examiner)
                except (UnknownExercise, ExaminerError) as error:
                    found[number] = error
                done()
                give(examiner)
    finally:
        for examiner in examiners:
            examiner.close()
    return found


def _give_up(examiner: Examiner):
    examiner.close()
    raise ExaminerError("The check took too long and was given up.")


# Where there are no processes


def run_in_process(exercise: Exercise | str, source: str, folder: Path | None = None) -> Verdict:
    """The verdict where no process can be started (a browser): the answer runs right here, with little protection."""
    exercise = exercise if isinstance(exercise, Exercise) else find(exercise, folder)
    found = _in_process.judge(exercise, source)
    if found.outcome == verdict.NOT_ATTEMPTED:
        return found
    if found.message.startswith(f"Exercise {exercise.id} itself is at fault"):
        message = "A browser cannot check this exercise: it needs what only a JupyterLab on your own machine has."
        return Verdict(**{**found.__dict__, "message": message})
    return Verdict(**{**found.__dict__, "details": (*found.details, UNPROTECTED)})


def _observe_here(exercise: Exercise, source: str, prebuilt: dict[str, Path]) -> Iterator[Observation]:
    for dataset, file in prebuilt.items():
        yield _observe_one_here(exercise, source, dataset, file)


def _observe_one_here(exercise: Exercise, source: str, dataset: str, prebuilt: Path) -> Observation:
    import io

    from lab import database

    printed = io.StringIO()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _on_copy(prebuilt, Path(folder)) as copy,
    ):
        task = job(exercise, source, copy, Path(folder), isolated=False)
        with redirect_stdout(printed), redirect_stderr(printed), _put_back(Path(folder)):
            report = candidate.observe(task)
        database.close_connections()
    report = json.loads(json.dumps(report))
    status, detail = report["status"], ", ".join(report.get("names", ()))
    output = shortened(printed.getvalue())
    return Observation(dataset, status, tuple(report["calls"]), report.get("error", {}), detail=detail, output=output)


@contextmanager
def _put_back(folder: Path):
    """For the block the folder is the working one; what answers often change outside of the database is put back."""
    from django.conf import settings
    from django.dispatch import Signal
    from django.test import override_settings
    from django.urls import converters
    from lab.browser import finished
    from lab.session import empty_caches

    before, environment, main = os.getcwd(), dict(os.environ), sys.modules["__main__"]
    registered = dict(converters.REGISTERED_CONVERTERS)
    # `isinstance` would evaluate the lazy objects that are about.
    signals = [thing for thing in gc.get_objects() if issubclass(type(thing), Signal)]
    receivers = [(signal, list(signal.receivers)) for signal in signals]
    (folder / "work").mkdir()
    os.chdir(folder / "work")
    empty_caches()
    try:
        # Storages in memory are made anew where their setting changes. In a page `asyncio.run` would let the kernel go
        # on meanwhile, with the changes of the answer.
        run = mock.patch("asyncio.run", finished) if sys.platform == "emscripten" else nullcontext()
        with override_settings(STORAGES=settings.STORAGES), run:
            yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
        sys.modules["__main__"] = main
        converters.REGISTERED_CONVERTERS.clear()
        converters.REGISTERED_CONVERTERS.update(registered)
        converters.get_converters.cache_clear()
        for signal, connected in receivers:
            signal.receivers[:] = connected
            signal.sender_receivers_cache.clear()


@contextmanager
def _on_copy(prebuilt: Path, folder: Path):
    """Point Django at a copy, and back at the learner's database afterwards."""
    from lab import database

    before = database.connected_to()
    try:
        yield database.private_copy(prebuilt, folder)
    finally:
        database.connect_to(before or ":memory:")


_in_process = Examination(_observe_here)
