"""The catalog: every question with where it is answered, asked again and practised."""

import argparse
import json
import sys

from checks.course.lesson import Course
from checks.exercises.source import load as load_exercises
from checks.quizzes.bank import load as load_bank


def catalog(course: Course) -> list[dict]:
    """One object per question: id, chapter, title, level, sources, lesson, items, exercises.

    `lesson` is the notebook's path from the root of the course, None where the chapter is not written. `exercises` are
    those of the chapter. Raises BankError and SourceError for a bank or a source that cannot be read.
    """
    items = load_bank(course.root / "checks" / "bank").values()
    exercises = load_exercises(folder=course.root / "exercises" / "source")
    entries = []
    for chapter in course.chapters:
        practised = [name for name, exercise in exercises.items() if f"{exercise.chapter:02}" == chapter.number]
        for question in chapter.questions:
            entries.append(
                {
                    "id": question.id,
                    "chapter": question.slug,
                    "title": question.title,
                    "level": question.level,
                    "sources": list(question.sources),
                    "lesson": f"notebooks/{chapter.lesson.name}" if chapter.finished else None,
                    "items": [item.id for item in items if item.question == question.id],
                    "exercises": practised,
                }
            )
    return entries


def main(argv: list[str] | None = None) -> int:
    """`python -m checks catalog [--json]`."""
    parser = argparse.ArgumentParser(
        prog="python -m checks catalog", description="List every question with its lesson, quiz items and exercises."
    )
    parser.add_argument("--json", action="store_true", help="one object per question, for tools")
    options = parser.parse_args(argv)
    entries = catalog(Course())
    if options.json:
        json.dump(entries, sys.stdout, indent=2, ensure_ascii=False)
        print()
        return 0

    from rich.console import Console
    from rich.table import Table

    table = Table("", "Question", "Level", "Lesson", "Items", "Exercises")
    for entry in entries:
        counts = [str(len(entry[kind])) for kind in ("items", "exercises")]
        table.add_row(entry["id"], entry["title"], entry["level"], entry["lesson"] or "", *counts)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
