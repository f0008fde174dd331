"""Rehearses every exercise through the real examiner: the stub, the solution, the alternatives and the mistakes.

The stub must be "not attempted", and no answer when its dots are taken away; solution and alternatives must be
correct. Each mistake must fail with its own sentence: else the data cannot tell it from a right answer, or from
another mistake.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from checks.exercises import source as sources
from checks.exercises.examiner import examine_many
from checks.exercises.source import Exercise, SourceError, UnknownExercise
from checks.exercises.verdict import NOT_ATTEMPTED, Verdict


@dataclass(frozen=True)
class Part:
    """One text of an exercise to rehearse. `mistake` is its number when it is one."""

    exercise: Exercise
    name: str
    source: str
    mistake: int | None = None


def parts(exercise: Exercise) -> list[Part]:
    """All that a rehearsal runs of an exercise."""
    return [
        Part(exercise, "stub", exercise.stub),
        Part(exercise, "emptied stub", re.sub(r"^(\s*)\.\.\.$", r"\1pass", exercise.stub, flags=re.M)),
        Part(exercise, "solution", exercise.solution),
        *(Part(exercise, f"alternative {n}", one.source) for n, one in enumerate(exercise.alternatives, 1)),
        *(Part(exercise, f"mistake {n}", one.source, n) for n, one in enumerate(exercise.mistakes, 1)),
    ]


def rehearse(exercises: Iterable[Exercise], *, workers: int = 2, done: Callable[[], None] = lambda: None) -> list[str]:
    """What went wrong, a sentence each; an empty list when every exercise holds. `done` is called after each run."""
    exercises = list(exercises)
    failures = [finding for exercise in exercises for finding in sources.findings(exercise)]
    plays = [part for exercise in exercises for part in parts(exercise)]
    verdicts = examine_many([(part.exercise, part.source) for part in plays], workers, done)
    for part, verdict in zip(plays, verdicts, strict=True):
        if (problem := problem_with(part, verdict)) is not None:
            failures.append(f"{part.exercise.id} {part.name}: {problem}")
    return failures


def problem_with(part: Part, verdict: Verdict | Exception) -> str | None:
    """What is wrong with how a part was judged, or None."""
    if isinstance(verdict, Exception):
        return str(verdict)
    if part.name == "stub":
        return (
            None
            if verdict.outcome == NOT_ATTEMPTED
            else f"judged {verdict.outcome}, must be not attempted. {verdict.message}"
        )
    if part.name == "emptied stub":
        return "what the learner is given passes already" if verdict.passed else None
    if part.mistake is None:
        return None if verdict.passed else f"judged {verdict.outcome}, must be correct. {_said(verdict)}"
    if verdict.passed:
        return "the data cannot tell this mistake: it passes as correct"
    if verdict.mistake is None:
        return f"its sentence is not shown. {_said(verdict)}"
    if verdict.mistake != part.mistake:
        return f"taken for mistake {verdict.mistake}: the data cannot tell the two apart"
    return None


def _said(verdict: Verdict) -> str:
    said = " ".join([verdict.message, *verdict.details])
    return said + "".join(f" (line {number}: {text})" for number, text in verdict.lines)


def main(argv: list[str], folder: Path | None = None) -> int:
    """`python -m checks exercises [ID …]`: 0 when all holds, 1 and a list when not, 2 for a wrong id."""
    parser = argparse.ArgumentParser(
        prog="python -m checks exercises",
        description="Run stub, solution, alternatives and mistakes of every exercise through the real examiner.",
    )
    parser.add_argument("id", nargs="*", help='an exercise ("13.1") or a chapter ("13"); all when none is given')
    options = parser.parse_args(argv)

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    try:
        chosen: dict[str, Exercise] = {}
        for which in options.id or [None]:
            chosen |= sources.load(which, folder)
    except UnknownExercise as error:
        print(error, file=sys.stderr)
        return 2
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    if not chosen:
        print("There are no exercises.", file=sys.stderr)
        return 1
    runs = sum(len(parts(exercise)) for exercise in chosen.values())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Rehearsing", total=runs)
        failures = rehearse(chosen.values(), done=lambda: progress.advance(bar))
    for failure in failures:
        print(failure)
    print(f"{len(chosen)} exercises, {runs} runs, {len(failures)} failures.")
    return 1 if failures else 0
