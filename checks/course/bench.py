"""The benchmark: what the course promises about waiting and size, measured as ratios in one run.

Nothing here is a test: a busy machine may miss a bound. Every figure is taken beside what it is compared with, in the
same minute on the same machine.
"""

import argparse
import io
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from checks.course.lesson import ROOT, Course

OK, MISSED, NOT_MEASURED = "ok", "missed", "not measured"
README = ROOT / "README.md"


@dataclass(frozen=True)
class Row:
    """One bound and what was measured. `at_least` turns the bound round; `note` says how, or why not."""

    what: str
    bound: float | None
    unit: str
    measured: float | None
    at_least: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured against the bound."""
        return None if self.measured is None or not self.bound else self.measured / self.bound

    @property
    def outcome(self) -> str:
        if self.measured is None:
            return NOT_MEASURED
        return OK if (self.measured >= self.bound if self.at_least else self.measured <= self.bound) else MISSED

    @property
    def bound_text(self) -> str:
        if self.bound is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {number(self.bound)} {self.unit}".strip()

    @property
    def measured_text(self) -> str:
        return NOT_MEASURED if self.measured is None else f"{number(self.measured)} {self.unit}".strip()

    def as_dict(self) -> dict:
        return asdict(self) | {"ratio": self.ratio, "outcome": self.outcome}


def number(value: float) -> str:
    """A figure with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def apart(function: Callable, *arguments):
    """The result of a function called in a fresh Python, where nothing is imported yet."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def milliseconds(step: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    step()
    return (time.perf_counter() - begin) * 1000


# start() and reset()

BARE = """
import os, time
begin = time.perf_counter()
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.development"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
import django
django.setup()
from django.db import connections
connections.settings["default"]["NAME"] = {path!r}
from catalog.models import Book
Book.objects.order_by("pk").first()
print("TOOK", time.perf_counter() - begin)
"""

START = """
import time
begin = time.perf_counter()
from lab import start
start()
from catalog.models import Book
Book.objects.order_by("pk").first()
print("TOOK", time.perf_counter() - begin)
"""


def shop_copy() -> str:
    """The path of a copy of the bookshop's database, built where it is missing. The caller removes it."""
    from lab import database

    folder = tempfile.mkdtemp(prefix="course-bench-")
    return str(database.private_copy(database.shop(), Path(folder)))


def in_kernel(code: str) -> float:
    """The milliseconds that code in the first cell of a fresh kernel says it took."""
    import nbformat

    from checks.course.build import execute

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    execute(notebook, ROOT / "notebooks")
    printed = "".join(output.text for output in notebook.cells[0].outputs if output.output_type == "stream")
    return float(printed.partition("TOOK ")[2].split()[0]) * 1000


def start_rows() -> Iterator[Row]:
    """start() to the first row against bare Django, in fresh kernels, by turns."""
    path = Path(apart(shop_copy))
    try:
        bare = BARE.format(path=str(path))
        in_kernel(bare)  # reads the files into the system's cache
        pairs = [(in_kernel(bare), in_kernel(START)) for _ in range(7)]
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
    plain, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = f"{number(ours)} ms against {number(plain)} ms, medians of {len(pairs)} fresh kernels each"
    yield Row(
        "`start()` to the first row, against bare `django.setup()` and a query", 1.3, "×", ours / plain, note=note
    )


def reset_times() -> tuple[float, float]:
    """The milliseconds of reset(), and of flush and loaddata of the same rows (medians)."""
    from lab import reset, start

    with redirect_stdout(io.StringIO()):
        start()
    from django.apps import apps
    from django.core.management import call_command

    fast = [milliseconds(reset) for _ in range(30)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = str(Path(folder) / "rows.json")
        # A view has no rows of its own to load.
        views = [model._meta.label for model in apps.get_models() if not model._meta.managed]
        # Flush makes content types and permissions anew, as migrate does.
        call_command("dumpdata", exclude=["contenttypes", "auth.permission", *views], output=rows, verbosity=0)

        def reload():
            call_command("flush", interactive=False, verbosity=0)
            call_command("loaddata", rows, verbosity=0)

        slow = [milliseconds(reload) for _ in range(3)]
    return statistics.median(fast), statistics.median(slow)


def reset_rows() -> Iterator[Row]:
    """reset(), alone and against Django's own way."""
    fast, slow = apart(reset_times)
    yield Row("`reset()`", 10, "ms", fast, note="median of 30")
    yield Row("flush and loaddata of the same rows, against `reset()`", 200, "×", slow / fast, at_least=True,
              note=f"{number(slow)} ms, median of 3")  # fmt: skip


# check() and grade


def check_times(count: int) -> list[float]:
    """The milliseconds of warm checks of right answers, over all exercises with two datasets or more by turns."""
    from checks.exercises.examiner import Examiner
    from checks.exercises.source import load

    exercises = [exercise for exercise in load().values() if len(exercise.datasets) > 1]
    took = []
    with Examiner() as examiner:
        for exercise in exercises:
            examiner.examine(exercise, exercise.solution)
        for turn, exercise in enumerate(islice(cycle(exercises), count if exercises else 0)):
            source = f"{exercise.solution}\n# {turn}\n"
            verdicts = []
            took.append(milliseconds(lambda: verdicts.append(examiner.examine(exercise, source))))  # noqa: B023
            if not verdicts[0].passed:
                raise RuntimeError(f"the reference of {exercise.id} does not pass: {verdicts[0].message}")
    return took


def bare_check_times(count: int) -> list[float]:
    """The milliseconds of the least that isolation costs: a forked process that counts rows in two database copies."""
    from lab import database

    database.boot()
    shop = database.shop()

    def check():
        copies = [database.private_copy(shop) for _ in range(2)]
        child = os.fork()
        if child == 0:
            from catalog.models import Book

            for copy in copies:
                database.connect_to(copy)
                Book.objects.count()
            os._exit(0)
        os.waitpid(child, 0)
        for copy in copies:
            database.remove(copy)

    return [milliseconds(check) for _ in range(count)]


def check_rows() -> Iterator[Row]:
    """check() when the examiner is up, two databases each."""
    took = sorted(apart(check_times, 100))
    note = f"{len(took)} checks of right answers"
    if hasattr(os, "fork"):
        bare = statistics.median(apart(bare_check_times, 20))
        note += f"; a bare forked process with two database copies takes {number(bare)} ms"
    median = statistics.median(took) if took else None
    last = took[int(len(took) * 0.95)] if took else None
    yield Row("`check()`, warm, on two databases: median", 60, "ms", median, note=note)
    yield Row("`check()`, warm, on two databases: 95th percentile", 150, "ms", last, note=note)


def grade_time(count: int) -> float:
    """How many notebooks of one right answer each are graded in a minute, start-up included."""
    import nbformat

    from checks.course.grade import grade
    from checks.exercises.source import load

    exercises = list(load().values())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for turn, exercise in enumerate(islice(cycle(exercises), count)):
            source = f'{exercise.solution}\n\n\n# {turn}\ncheck("{exercise.id}")'
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
            nbformat.write(notebook, Path(folder) / f"{turn:04}.ipynb")
        grades = []
        took = milliseconds(lambda: grades.extend(grade([Path(folder)])))
    if wrong := [one for one in grades if one.outcome != "correct"]:
        raise RuntimeError(f"{len(wrong)} right answers were not graded correct, the first: {wrong[0].message}")
    return count / took * 60_000


def grade_rows() -> Iterator[Row]:
    """The throughput of grade."""
    count = 200
    per_minute = apart(grade_time, count)
    note = f"{count} notebooks, each with another answer"
    yield Row("`checks grade`: notebooks of one exercise", 1000, "per minute", per_minute, at_least=True, note=note)


# Quizzes


def latency_rows() -> Iterator[Row]:
    """From a click to feedback, in a real browser."""
    what = "quiz: click to feedback in the page, median"
    from checks.course import latency

    try:
        measured = latency.measure()
    except RuntimeError as error:
        yield Row(what, 8, "ms", None, note=str(error))
        return
    note = f"{len(measured.shown)} clicks in JupyterLab; painted after {number(measured.median_painted)} ms"
    yield Row(what, 8, "ms", measured.median_shown, note=note)


def stored_rows() -> Iterator[Row]:
    """How much a quiz weighs in the saved lessons, outputs as JSON, per ten items."""
    from checks.course.build import QUIZ_CALL
    from checks.course.lesson import read_notebook
    from checks.quizzes.bank import load, select

    items = load()
    size = count = 0
    for chapter in Course().chapters:
        if not (chapter.questions and chapter.lesson.exists()):
            continue
        for cell in read_notebook(chapter.lesson).cells:
            call = QUIZ_CALL.search(cell.source) if cell.cell_type == "code" else None
            if call:
                size += len(json.dumps(cell.outputs, ensure_ascii=False, indent=1).encode())
                count += len(select(call[1], items))
    per_ten = size / count * 10 / 1000 if count else None
    note = f"{count} items in the saved lessons" if count else "no lesson with a quiz is built"
    yield Row("ten quiz items in a saved notebook", 10, "kB", per_ten, note=note)


# Lessons

EXECUTE = """
import sys
from pathlib import Path
import nbformat
from nbclient import NotebookClient
for file in map(Path, sys.argv[1:]):
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(file.parent)}}).execute()
"""


SAMPLE = ("10", "13", "19")  # chapters; all of them, seven times over, would take most of an hour


def lesson_rows() -> Iterator[Row]:
    """Some lessons compared by nbval, against nbclient executing the same files, by turns."""
    what = "lessons under nbval, against nbclient executing them"
    sample = [chapter for chapter in Course().chapters if chapter.number in SAMPLE]
    files = [str(chapter.lesson) for chapter in sample if chapter.lesson.exists()]
    if not files:
        yield Row(what, 1.15, "×", None, note="no lesson is built")
        return
    compare = [sys.executable, "-m", "pytest", "-q", "--color=no", "--nbval", *files]
    execute = [sys.executable, "-c", EXECUTE, *files]

    def seconds(command: list[str]) -> float:
        found = []
        took = milliseconds(lambda: found.append(subprocess.run(command, cwd=ROOT, capture_output=True, check=False)))
        if found[0].returncode:
            last = (found[0].stderr + found[0].stdout).decode().strip().splitlines()[-1:]
            raise RuntimeError(f"the lessons fail, so that there is nothing to compare: {' '.join(last)}")
        return took / 1000

    seconds(execute)  # databases that have to be built once are built here
    pairs = [(seconds(execute), seconds(compare)) for _ in range(3)]
    plain, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = f"{number(ours)} s against {number(plain)} s for {len(files)} lessons, medians of {len(pairs)}"
    yield Row(what, 1.15, "×", ours / plain, note=note)


def build_rows() -> Iterator[Row]:
    """What the builder writes when it is run twice, on a copy of the course."""
    from checks.course.build import build

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "course"
        for name in ("notebooks", "exercises", "checks/bank"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        shutil.copy(README, copy)
        course = Course(copy)
        first = build(course)
        if first["failed"]:
            raise RuntimeError(f"{first['failed'][0][0]} cannot be built: {first['failed'][0][1]}")
        outcome = {}
        took = milliseconds(lambda: outcome.update(build(course)))
    built = len(outcome["written"]) + len(outcome["same"])
    note = f"{len(outcome['current'])} notebooks looked at in {number(took)} ms"
    yield Row("a second `course.py build`: notebooks built", 0, "", built, note=note)


# The browser edition


def site_rows() -> Iterator[Row]:
    """How long the site takes to build, and its first page to show a row."""
    from checks.course import browser
    from checks.course.suite import why_no_site

    whats = (
        ("`course.py site`", 120, "s"),
        ("the site, first visit: seconds to the first row", 10, "s"),
        ("the site, second visit: seconds to the first row", 6, "s"),
        ("the site, sent for the first row, compressed", 25, "MB"),
    )
    executable = browser.chromium()
    obstacle = why_no_site(sys.version_info) or (None if executable else "no Chromium was found")
    if obstacle:
        yield from (Row(what, bound, unit, None, note=obstacle) for what, bound, unit in whats)
        return
    from checks.site.edition import Edition
    from checks.site.visit import opening

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        site = Path(folder) / "dist"
        built = milliseconds(Edition(site, report=lambda text: None).build) / 1000
        with browser.opened(executable) as chromium:
            found = [opening(chromium, site) for _ in range(3)]
    figures = (
        built,
        *(statistics.median(getattr(one, name) for one in found) for name in ("first", "second", "megabytes")),
    )
    note = f"medians of {len(found)} fresh profiles in Chromium, from 127.0.0.1"
    for (what, bound, unit), figure in zip(whats, figures, strict=True):
        yield Row(what, bound, unit, figure, note="packages at hand" if figure is built else note)


MEASURES: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start_rows,
    "reset": reset_rows,
    "check": check_rows,
    "latency": latency_rows,
    "stored": stored_rows,
    "grade": grade_rows,
    "lessons": lesson_rows,
    "build": build_rows,
    "site": site_rows,
}


def measure(names: list[str], report: Callable[[str], None] = lambda name: None) -> list[Row]:
    """The rows of some measures; one that cannot be taken is a row that says why."""
    rows = []
    for name in names:
        report(name)
        try:
            rows += MEASURES[name]()
        except Exception as error:  # the other figures are still worth having
            rows.append(Row(name, None, "", None, note=f"{type(error).__name__}: {error}"))
    return rows


def busyness() -> str:
    """A sentence where other work on this machine makes the milliseconds meaningless, else nothing."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    if load <= cores + 1:  # the benchmark itself keeps one busy, at times two
        return ""
    return f"This machine is busy (load {load:.1f} on {cores} cores): figures in milliseconds are too high."


def as_markdown(rows: list[Row]) -> str:
    """The table that the README quotes."""
    lines = ["| What | Bound | Measured | |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.bound_text} | {row.measured_text} | {row.outcome} |" for row in rows]
    return "\n".join(lines)


def write_readme(rows: list[Row], file: Path = README) -> None:
    """Put the table between `<!-- bench -->` and `<!-- /bench -->`; raises CourseError where they are missing."""
    from checks.course.chapter_table import replace_block
    from checks.course.lesson import CourseError, source_text

    text = replace_block(source_text(file), "bench", as_markdown(rows))
    if text is None:
        raise CourseError(f"{file.name} has no lines `<!-- bench -->` and `<!-- /bench -->` to put the table between.")
    file.write_text(text, encoding="utf-8", newline="\n")


def main(argv: list[str] | None = None) -> int:
    """`python -m checks bench [NAME …] [--json] [--write]`; 1 when a bound is missed.

    What cannot be measured is named, and is not ok; it does not fail the run.
    """
    parser = argparse.ArgumentParser(
        prog="python -m checks bench", description="Measure the course against its bounds. Takes a few minutes."
    )
    parser.add_argument("name", nargs="*", help=f"only some of: {', '.join(MEASURES)}")
    parser.add_argument("--json", action="store_true", help="one object per bound, for tools")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args(argv)
    if unknown := set(options.name) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if options.write and options.name:
        parser.error("--write quotes the whole table: leave out the names")

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    names = options.name or list(MEASURES)
    columns = TextColumn("Measuring {task.description}"), BarColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(names))
        rows = measure(names, lambda name: progress.update(bar, description=name, completed=names.index(name)))
    if options.json:
        json.dump([row.as_dict() for row in rows], sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        show(rows)
    if busy := busyness():
        print(busy, file=sys.stderr)
    for row in rows:
        if row.outcome == NOT_MEASURED:
            print(f"NOT MEASURED: {row.what}: {row.note}", file=sys.stderr)
    if options.write:
        write_readme(rows)
    return 1 if any(row.outcome == MISSED for row in rows) else 0


def show(rows: list[Row]) -> None:
    """The table on a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table("What", "Bound", "Measured", "Ratio", "", "How")
    for row in rows:
        ratio = "" if row.ratio is None else number(row.ratio)
        table.add_row(row.what, row.bound_text, row.measured_text, ratio, row.outcome, row.note)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
