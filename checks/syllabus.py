"""The syllabus: the 64 interview questions and the chapters that answer them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "bank" / "syllabus.csv"
LEVELS = ("basic", "intermediate", "advanced")


@dataclass(frozen=True, slots=True)
class Question:
    """One interview question.

    `id` is for ever, because learners' progress hangs on it. `slug` names the chapter's lesson, exercises and bank
    file alike; `sources` are the references of the public lists that ask the question.
    """

    id: str
    chapter: int
    slug: str
    chapter_title: str
    title: str
    level: str
    sources: tuple[str, ...]


class SyllabusError(ValueError):
    """The syllabus file is not what it should be; the message names the line, the field and what is expected."""


def load(path: Path = FILE) -> dict[str, Question]:
    """Read the questions of a syllabus file, in the order of the file, by id.

    Raises:
        SyllabusError: a field is missing or not of its kind, an id comes twice, or a chapter has two slugs or titles.
    """
    questions: dict[str, Question] = {}
    chapters: dict[int, tuple[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            for field in ("id", "chapter", "slug", "chapter_title", "title", "level", "sources"):
                if not (row.get(field) or "").strip():
                    raise SyllabusError(f"{where}: `{field}` is missing.")
            if not row["chapter"].isdecimal():
                raise SyllabusError(f"{where}: `chapter` is {row['chapter']!r}; expected a number.")
            if row["level"] not in LEVELS:
                raise SyllabusError(f"{where}: `level` is {row['level']!r}; expected one of {', '.join(LEVELS)}.")
            if row["id"] in questions:
                raise SyllabusError(f"{where}: the id {row['id']} comes twice.")
            chapter = int(row["chapter"])
            if not row["slug"].startswith(f"{chapter:02d}_"):
                raise SyllabusError(f"{where}: `slug` is {row['slug']!r}; expected it to begin with {chapter:02d}_.")
            named = (row["slug"], row["chapter_title"])
            if chapters.setdefault(chapter, named) != named:
                raise SyllabusError(f"{where}: chapter {chapter} is called {chapters[chapter]} above, {named} here.")
            questions[row["id"]] = Question(
                id=row["id"],
                chapter=chapter,
                slug=row["slug"],
                chapter_title=row["chapter_title"],
                title=row["title"],
                level=row["level"],
                sources=tuple(row["sources"].split()),
            )
    return questions


QUESTIONS: dict[str, Question] = load()
