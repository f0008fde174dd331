"""The instructor's view: a verdict for every exercise of answered notebooks.

Answers are judged as in the learner's own notebook, each in processes of its own; several at a time.
"""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from checks.exercises.examiner import examine_many
from checks.exercises.verdict import CORRECT, NOT_ATTEMPTED, Verdict

NO_VERDICT = "no verdict"
NOT_A_TRY = (NO_VERDICT, NOT_ATTEMPTED)
CHECK_CALL = re.compile(r"""^\s*check\(\s*["']([^"']+)["']\s*\)""", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """One answered exercise: the source of its cell."""

    file: Path
    exercise: str
    source: str


@dataclass(frozen=True)
class Grade:
    """One row of the result. `outcome` is one of the five, or "no verdict", and `message` says why.

    `mistake` is the number of the classic mistake recognised.
    """

    file: str
    exercise: str
    outcome: str
    message: str
    mistake: int | None = None
    queries: int | None = None


def notebooks(paths: Iterable[Path]) -> Iterator[Path]:
    """The notebooks among some files and folders, folders searched to the bottom."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in one.parts)
        else:
            yield path


def answers(file: Path) -> list[Answer]:
    """The answers in a notebook, one per exercise; of several cells for the same exercise the last.

    Raises ValueError, with a sentence, for what is not a notebook or holds no exercise.
    """
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = [("".join(cell["source"]), cell.get("metadata", {})) for cell in cells if cell["cell_type"] == "code"]
    except OSError as error:
        raise ValueError(f"The file cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"This is not a notebook: {error}.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("This is not a notebook of format 4: save it in JupyterLab once.") from error
    found = {}
    for source, metadata in code:
        call = CHECK_CALL.search(source)
        course = metadata.get("course") if isinstance(metadata, dict) else None
        exercise = call[1] if call else course.get("exercise") if isinstance(course, dict) else None
        if exercise:
            found[exercise] = Answer(file, str(exercise), source)
    if not found:
        raise ValueError("There is no exercise in this notebook: no cell calls check.")
    return list(found.values())


def grade(
    paths: Iterable[Path],
    *,
    workers: int | None = None,
    on_grade: Callable[[int, int], None] = lambda done, of: None,
) -> list[Grade]:
    """The grades of all exercises in some notebooks and folders, in their order.

    `workers` examiners judge at a time (by default one per core). `on_grade` is told how many of how many are done.
    """
    rows: list[Grade | Answer] = []
    for file in notebooks(paths):
        try:
            rows += answers(file)
        except ValueError as error:
            rows.append(Grade(str(file), "", NO_VERDICT, str(error)))
    asked = [row for row in rows if isinstance(row, Answer)]
    unread = len(rows) - len(asked)
    done = count(unread + 1)
    found = examine_many(
        [(answer.exercise, answer.source) for answer in asked],
        workers=workers or os.cpu_count() or 1,
        done=lambda: on_grade(next(done), len(rows)),
    )
    judged = map(_graded, asked, found)
    return [row if isinstance(row, Grade) else next(judged) for row in rows]


def _graded(answer: Answer, found: Verdict | Exception) -> Grade:
    if isinstance(found, Exception):
        return Grade(str(answer.file), answer.exercise, NO_VERDICT, str(found))
    return Grade(str(answer.file), answer.exercise, found.outcome, found.message, found.mistake, found.queries)


@dataclass(frozen=True)
class Difficulty:
    """How a class did in one exercise: how many tried and solved it, and the mistake that most of them made."""

    exercise: str
    tried: int
    solved: int
    mistake: str = ""
    made: int = 0

    @property
    def share(self) -> float:
        """The share of those who tried that solved it, 0 to 1."""
        return self.solved / self.tried if self.tried else 0.0


def difficulties(grades: Iterable[Grade]) -> list[Difficulty]:
    """What a class found hard, the hardest first: one row per exercise that anybody tried."""
    tried: dict[str, list[Grade]] = {}
    for row in grades:
        if row.outcome not in NOT_A_TRY:
            tried.setdefault(row.exercise, []).append(row)
    return sorted(map(_difficulty, tried.values()), key=lambda row: (row.share, -row.tried, row.exercise))


def _difficulty(grades: list[Grade]) -> Difficulty:
    # A mistake that was recognised has its own sentence; other failures are told apart by theirs.
    failed = Counter(row.message for row in grades if row.outcome != CORRECT)
    mistake, made = failed.most_common(1)[0] if failed else ("", 0)
    return Difficulty(grades[0].exercise, len(grades), sum(row.outcome == CORRECT for row in grades), mistake, made)


def main(argv: list[str] | None = None) -> int:
    """`python -m checks grade FILE.ipynb … [--json] [--report]`; 1 where something could not be graded."""
    parser = argparse.ArgumentParser(
        prog="python -m checks grade", description="Give the verdict of every exercise in answered notebooks."
    )
    parser.add_argument("path", nargs="+", type=Path, help="a notebook, or a folder of notebooks")
    parser.add_argument("--json", action="store_true", help="one object per exercise, for tools")
    parser.add_argument("--report", action="store_true", help="by exercise, the hardest first, instead of by notebook")
    parser.add_argument("--workers", type=int, metavar="N", help="examiners at a time; one per core by default")
    options = parser.parse_args(argv)

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Grading", total=None)
        grades = grade(
            options.path,
            workers=options.workers,
            on_grade=lambda done, of: progress.update(bar, completed=done, total=of),
        )
    rows = difficulties(grades) if options.report else grades
    if options.json:
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2, ensure_ascii=False)
        print()
    elif options.report:
        table = Table("Exercise", "Tried", "Solved", "Most often wrong")
        for row in rows:
            most = f"{row.made} ×: {row.mistake}" if row.made else ""
            table.add_row(row.exercise, str(row.tried), f"{row.solved} ({row.share:.0%})", most)
        Console().print(table)
        unread = [row for row in grades if row.outcome == NO_VERDICT]
        Console().print(*(f"{row.file}: {row.message}" for row in unread), sep="\n")
    else:
        table = Table("Notebook", "Exercise", "Outcome", "Verdict")
        for row in grades:
            table.add_row(row.file, row.exercise, row.outcome, row.message)
        console = Console()
        console.print(table)
        counts = Counter(row.outcome for row in grades)
        console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "nothing to grade")
    return 1 if any(row.outcome == NO_VERDICT for row in grades) else 0


if __name__ == "__main__":
    sys.exit(main())
