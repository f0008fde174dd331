"""Progress from one machine to another: everything as JSON, the answers as CSV, and back without losing a row.

`python -m checks progress` is the command line of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path

from checks.learner.journal import TABLES, Answer, Journal, Row

FORMAT = "django-interview-course/1"
KINDS = {name: kind for kind, name in TABLES.items()}


class TransferError(ValueError):
    """A file cannot be read as progress. The message names the file, the place in it and the remedy."""


def exported(journal: Journal) -> dict:
    """All of a journal as JSON can say it: one list of objects per sort of row, times in ISO 8601."""
    return as_data(journal.rows())


def as_data(rows: Iterable[Row]) -> dict:
    """Rows as JSON can say them, in the form of an export."""
    found: dict = {"format": FORMAT} | {name: [] for name in KINDS}
    for row in rows:
        found[TABLES[type(row)]].append(asdict(row) | {"at": row.at.isoformat()})
    return found


def imported(text: str, name: str = "the file") -> list[Row]:
    """The rows of an export, each checked.

    Raises:
        TransferError: the text is not an export, is from a newer course, or a row of it is not sound.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise TransferError(f"{name} is not JSON ({error}): give a file that `export` wrote.") from error
    if not isinstance(data, dict) or not str(data.get("format", "")).startswith("django-interview-course/"):
        raise TransferError(f"{name} is JSON, but not progress of this course: give a file that `export` wrote.")
    if data["format"] != FORMAT:
        raise TransferError(f"{name} was written by a newer version of this course: update the course first.")
    return [
        _row(kind, raw, f"{name}, {what}, number {number}")
        for what, kind in KINDS.items()
        for number, raw in enumerate(data.get(what, []), start=1)
    ]


def _row(kind: type, raw: dict, place: str) -> Row:
    wanted = {field.name: field.type for field in fields(kind)}
    if not isinstance(raw, dict) or set(raw) != set(wanted):
        raise TransferError(f"{place}: expected the fields {', '.join(wanted)}. Nothing was imported.")
    try:
        at = datetime.fromisoformat(raw["at"])
        if at.tzinfo is None or not isinstance(raw["key"], str):
            raise ValueError("a time without a time zone, or a key that is no text")
    except (TypeError, ValueError) as error:
        raise TransferError(f"{place}: {error}. Nothing was imported.") from error
    return kind(**raw | {"at": at})


def answers_csv(journal: Journal, path: Path) -> int:
    """Write every answer to a CSV file, oldest first, and return how many there are."""
    rows = journal.answers()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Answer)])
        writer.writerows((asdict(row) | {"at": row.at.isoformat()}).values() for row in rows)
    return len(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m checks progress export FILE | import FILE | anki FILE`."""
    parser = argparse.ArgumentParser(
        prog="python -m checks progress", description="Take your progress to another machine, or to Anki."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write all progress to a .json file, or the answers to a .csv file")
    export.add_argument("file", type=Path)
    take = commands.add_parser("import", help="add the progress of a .json file to this machine's; nothing is lost")
    take.add_argument("file", type=Path)
    anki = commands.add_parser("anki", help="write the course's cards to an .apkg file for Anki")
    anki.add_argument("file", type=Path)
    options = parser.parse_args(argv)
    try:
        print(_done(options.command, options.file))
    except (TransferError, OSError) as error:
        print(f"python -m checks progress: {error}", file=sys.stderr)
        return 1
    return 0


def _done(command: str, file: Path) -> str:
    if command == "anki":
        from checks.learner.anki import write

        return f"{write(file)} cards written to {file}: open it in Anki."
    journal = Journal()
    if command == "import":
        rows = imported(file.read_text(encoding="utf-8"), file.name)
        return f"{_counted(journal.add(rows), 'new row')} from {file}."
    if file.suffix == ".csv":
        return f"{_counted(answers_csv(journal, file), 'answer')} written to {file}."
    data = exported(journal)
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return f"{_counted(sum(len(data[name]) for name in KINDS), 'row')} written to {file}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
