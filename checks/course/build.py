"""The builder: lessons and exercises as learners open them, made from their sources.

notebooks/source/NN_slug.py → notebooks/NN_slug.ipynb, executed; exercises/source/NN_slug.py →
exercises/NN_slug.ipynb, with the answers taken out. A notebook has the same bytes whenever, wherever and on
whichever Django it is built; one that is up to date is left alone and starts no kernel.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from checks.course import chapter_table, quotation
from checks.course.lesson import Chapter, Course, CourseError, digest, parse, read_notebook, source_text, tags
from checks.quizzes.bank import BankError
from checks.quizzes.bank import load as load_bank

TIME_LIMIT = 60  # seconds for one cell
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SINCE = "since-6.1"
NEEDS = "needs-"  # and the name of a program that not every machine has
RAISES = "raises-exception"
QUIZ_CALL = re.compile(r"""\bquiz\(\s*["'](Q\d\d(?:-\d+)?)["']""")
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class CellFailed(CourseError):
    """A cell did something its tags do not announce."""

    def __init__(self, number: int, problem: str, source: str, traceback: str = ""):
        indented = "\n".join(f"    {line}" for line in source.splitlines())
        shown = f"\n{traceback.strip()}\n" if traceback else ""
        super().__init__(f"cell {number}: {problem}\n\n{indented}\n{shown}")


@dataclass(frozen=True)
class Sheet:
    """One notebook to build: a chapter's lesson or its exercises."""

    chapter: Chapter
    kind: str  # "lesson" or "exercises"

    @property
    def source(self) -> Path:
        return self.chapter.lesson_source if self.kind == "lesson" else self.chapter.exercise_source

    @property
    def target(self) -> Path:
        return self.chapter.lesson if self.kind == "lesson" else self.chapter.exercises

    @property
    def name(self) -> str:
        return f"{self.target.parent.name}/{self.target.name}"

    @cached_property
    def text(self) -> str:
        return source_text(self.source)

    def unexecuted(self) -> NotebookNode:
        """The notebook as its source says it, without outputs, with the digests that tell whether it is current.

        Raises CourseError where the source cannot be read.
        """
        notebook = parse(self.text) if self.kind == "lesson" else practice_notebook(self.chapter)
        notebook.metadata = {
            "course": {"kind": self.kind} | digests(self),
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
        }
        return nbformat.from_dict(notebook)

    @property
    def current(self) -> bool:
        """Whether the stored notebook is the one the builder would write, as far as can be told without running it."""
        try:
            stored = read_notebook(self.target)
            wanted = self.unexecuted()
        except (OSError, CourseError):
            return False
        return (
            stored.metadata.get("course") == wanted.metadata.course
            and [(cell.get("id"), cell.source) for cell in stored.cells]
            == [(cell.id, cell.source) for cell in wanted.cells]
            and serialise(normalise(stored)) == self.target.read_bytes()
        )


def sheets(course: Course, names: Iterable[str] = ()) -> list[Sheet]:
    """What there is to build, of all chapters or those named; raises CourseError for a name that means nothing."""
    chapters = [course.chapter(name) for name in names] or course.chapters
    found = [Sheet(chapter, kind) for kind in ("lesson", "exercises") for chapter in dict.fromkeys(chapters)]
    return [sheet for sheet in found if sheet.source.exists()]


def digests(sheet: Sheet) -> dict[str, str]:
    """What a notebook was built from: its source, and the quiz items it shows."""
    found = {"source": digest(sheet.text)}
    quizzes = set(QUIZ_CALL.findall(sheet.text))
    if sheet.kind == "lesson" and quizzes:
        try:
            items = load_bank(sheet.chapter.bank.parent)
        except BankError as error:
            raise CourseError(f"The quiz bank cannot be read: {error}") from error
        shown = [item for item in items.values() if quizzes & {item.id, item.question}]
        found["quizzes"] = digest(*(f"{item.id} {item.version}" for item in shown))
    return found


def serialise(notebook: NotebookNode) -> bytes:
    """The bytes of a notebook file: sorted keys, one space of indent, "\\n" on every system."""
    return (nbformat.v4.writes(notebook).rstrip("\n") + "\n").encode()


def write(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all; says whether it changed."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)
    return True


# Exercises


def practice_notebook(chapter: Chapter) -> NotebookNode:
    """The exercises of a chapter as a learner finds them: how it works, then prompts and cells to fill in."""
    from checks.exercises.source import SourceError, learner_cells

    lesson = os.path.relpath(chapter.lesson, chapter.exercises.parent).replace(os.sep, "/")
    head = (
        f"# {chapter.number} · {chapter.title}: exercises\n\n"
        "Replace each `...` and run the cell: `check` runs your answer in a separate process, on data you see and on "
        f'data you do not. `hint("{chapter.number}.1")` gives one step at a time; the lesson is '
        f"[here]({lesson})."
    )
    try:
        cells = learner_cells(chapter.exercise_source)
    except SourceError as error:
        raise CourseError(str(error)) from error
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(head, id="title"), *cells])


# Executing


@contextmanager
def clean_environment() -> Iterator[dict[str, str]]:
    """The environment for a kernel: without the builder's own settings, and with an empty journal."""
    dropped = ("DJANGO_SETTINGS_MODULE", "COLUMNS", "LINES", "FORCE_COLOR", "PYTHONWARNINGS", "PYTEST_CURRENT_TEST")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        yield {key: value for key, value in os.environ.items() if key not in dropped} | {"COURSE_HOME": home}


def execute(notebook: NotebookNode, folder: Path, on_cell: Callable[[int], None] = lambda number: None) -> None:
    """Run every code cell in a fresh kernel of this interpreter, in `folder`, and keep the outputs in the notebook.

    Raises CellFailed where a cell raises without the tag `raises-exception`, has the tag and does not raise, takes
    longer than the time limit, or kills the kernel.
    Source: https://nbclient.readthedocs.io/en/latest/client.html
    """
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

    at = 0

    def note(cell: NotebookNode, cell_index: int) -> None:
        nonlocal at
        at = cell_index
        on_cell(cell_index)

    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()),
        timeout=TIME_LIMIT,
        extra_arguments=["--log-level=40"],
        store_widget_state=False,
        record_timing=False,
        on_cell_start=note,
    )
    with clean_environment() as environment:
        try:
            client.execute(cwd=str(folder), env=environment, cleanup_kc=True)
        except CellTimeoutError:
            raise CellFailed(at, f"took longer than {TIME_LIMIT} seconds", notebook.cells[at].source) from None
        except DeadKernelError:
            raise CellFailed(at, "the kernel died", notebook.cells[at].source) from None
        except CellExecutionError as error:
            raise CellFailed(
                at,
                f"raised without the tag `{RAISES}`",
                notebook.cells[at].source,
                ANSI.sub("", error.traceback),
            ) from None
    for number, cell in enumerate(notebook.cells):
        if RAISES in tags(cell) and not missing(cell) and not raised(cell):
            raise CellFailed(number, f"is tagged `{RAISES}` and raised nothing", cell.source)


def raised(cell: NotebookNode) -> bool:
    """Whether the stored outputs of a cell contain an exception."""
    return any(output.output_type == "error" for output in cell.get("outputs", ()))


# Normalising


def normalise(notebook: NotebookNode) -> NotebookNode:
    """A notebook with only what stays the same from run to run; gives the same again when applied twice."""
    cells, count = [], 0
    for cell in notebook.cells:
        kept = {"cell_type": cell.cell_type, "id": cell.get("id"), "metadata": cell.metadata, "source": cell.source}
        if cell.cell_type == "code":
            executed = cell.execution_count is not None
            count += executed
            kept["execution_count"] = count if executed else None
            kept["outputs"] = normalise_outputs(cell.outputs, kept["execution_count"])
        cells.append(kept)
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    if "course" in notebook.metadata:
        metadata["course"] = notebook.metadata.course
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def normalise_outputs(outputs: list[NotebookNode], count: int | None) -> list[dict]:
    """Outputs without widget views, paths of frames and chunks of streams that depend on the moment of a flush."""
    kept: list[dict] = []
    for output in outputs:
        if output.output_type == "stream":
            add_stream(kept, output)
        elif output.output_type == "error":
            kept.append(
                {
                    "output_type": "error",
                    "ename": output.ename,
                    "evalue": output.evalue,
                    "traceback": [f"{output.ename}: {output.evalue}"],
                }
            )
        else:
            data = {kind: value for kind, value in output.data.items() if kind != WIDGET_VIEW}
            if data:
                shown = {"output_type": output.output_type, "data": data, "metadata": {}}
                kept.append(shown | ({"execution_count": count} if output.output_type == "execute_result" else {}))
    return kept


def add_stream(kept: list[dict], output: NotebookNode) -> None:
    """Join what was printed without anything between, stdout first: how the two interleave is a matter of chance."""
    run = []
    while kept and kept[-1]["output_type"] == "stream":
        run.insert(0, kept.pop())
    for stream in run:
        if stream["name"] == output.name:
            stream["text"] += output.text
            break
    else:
        run.append({"output_type": "stream", "name": output.name, "text": output.text})
    kept += sorted(run, key=lambda stream: stream["name"], reverse=True)


# Cells whose stored outputs not every machine can make


def newest_django() -> bool:
    """Whether this Django is the one whose outputs are stored."""
    import django

    return django.VERSION >= (6, 1)


def missing(cell: NotebookNode) -> str:
    """What this machine lacks to make the stored output of a cell: Django 6.1, a program, or "" for nothing."""
    if SINCE in tags(cell) and not newest_django():
        return "Django 6.1"
    programs = [tag.removeprefix(NEEDS) for tag in tags(cell) if tag.startswith(NEEDS)]
    return next((program for program in programs if shutil.which(program) is None), "")


def stored_outputs(sheet: Sheet, notebook: NotebookNode) -> dict[int, list[NotebookNode]]:
    """The stored outputs of cells that lack something here, by cell number; raises CourseError where one has none."""
    wanted = {number: lack for number, cell in enumerate(notebook.cells) if (lack := missing(cell))}
    if not wanted:
        return {}
    stored = {cell.id: cell for cell in read_notebook(sheet.target).cells} if sheet.target.exists() else {}
    kept = {}
    for number, lack in wanted.items():
        old = stored.get(notebook.cells[number].id)
        if old is None or old.get("execution_count") is None:
            raise CourseError(
                f"cell {number} is new or changed, and its output comes from {lack}, which is not here. Build this "
                + ("lesson on Python ≥ 3.12." if lack == "Django 6.1" else f"lesson where `{lack}` is installed.")
            )
        kept[number] = old.outputs
    return kept


# Building


def build_sheet(sheet: Sheet, on_cell: Callable[[int], None] = lambda number: None) -> bool:
    """Build one notebook; says whether the file changed. Raises CourseError, and then writes nothing."""
    notebook = sheet.unexecuted()
    if sheet.kind == "lesson":
        kept = stored_outputs(sheet, notebook)
        execute(notebook, sheet.target.parent, on_cell)
        for number, outputs in kept.items():
            notebook.cells[number].outputs = outputs
    return write(sheet.target, serialise(normalise(notebook)))


def build(course: Course, names: Iterable[str] = (), *, force: bool = False, show=None) -> dict[str, list]:
    """Build what is not current, of all chapters or those named; `force` builds everything.

    Returns the names of notebooks by what became of them: `written`, `same` (built again, not changed), `current`
    (left alone) and `failed` (pairs of a name and the error). `show(name, cell, cells)` is told of the progress.
    """
    show = show or (lambda name, cell, cells: None)
    outcome: dict[str, list] = {"written": [], "same": [], "current": [], "failed": []}
    outcome["written"] += chapter_table.refresh(course)
    for sheet in sheets(course, names):
        try:
            if sheet.current and not force:
                outcome["current"].append(sheet.name)
                continue
            cells = len(sheet.unexecuted().cells)
            changed = build_sheet(sheet, lambda cell, sheet=sheet, cells=cells: show(sheet.name, cell, cells))
            outcome["written" if changed else "same"].append(sheet.name)
        except CourseError as error:
            outcome["failed"].append((sheet.name, error))
    outcome["written"] += quotation.refresh(course)
    return outcome


def main(argv: list[str] | None = None) -> int:
    """`python -m checks.course.build [CHAPTER …] [--force]`; 1 when a notebook could not be built."""
    parser = argparse.ArgumentParser(
        prog="course.py build",
        description="Build lessons and exercises from their sources. What is current is left alone.",
    )
    parser.add_argument("chapter", nargs="*", help="number or slug; all chapters when none is given")
    parser.add_argument("--force", action="store_true", help="build again what is current, too")
    options = parser.parse_args(argv)

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    course = Course()
    try:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=console) as progress:
            bars: dict[str, int] = {}

            def show(name: str, cell: int, cells: int) -> None:
                if name not in bars:
                    bars[name] = progress.add_task(name, total=cells)
                progress.update(bars[name], completed=cell + 1)

            outcome = build(course, options.chapter, force=options.force, show=show)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    for name, error in outcome["failed"]:
        print(f"\n{name}, {error}", file=sys.stderr)
    for name in outcome["written"]:
        print(f"{name} written")
    left = len(outcome["current"]) + len(outcome["same"])
    print(f"{len(outcome['written'])} written, {left} unchanged, {len(outcome['failed'])} failed")
    return 1 if outcome["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
