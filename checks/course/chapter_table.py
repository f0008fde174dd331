"""The chapter table of README.md and of the start page: written from the syllabus and the files that exist.

It stands between `<!-- chapters -->` and `<!-- /chapters -->`; what is between is the builder's.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from checks.course.lesson import Chapter, Course, CourseError, source_text

ANSWER_CELL = re.compile(r'^# %%.*\brole="answer"', re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A file with a chapter table, the folder its links start from, and what each line begins with."""

    file: Path
    links_from: Path
    prefix: str = ""


def pages(course: Course) -> list[Page]:
    """The files that have a chapter table, where they exist."""
    start = course.chapters[0]
    found = [Page(course.root / "README.md", course.root), Page(start.lesson_source, start.lesson.parent, "# ")]
    return [page for page in found if page.file.exists()]


def replace_block(text: str, name: str, body: str, prefix: str = "") -> str | None:
    """The text with what is between the markers of a name replaced; None where there are no markers."""
    opening, closing = f"{prefix}<!-- {name} -->", f"{prefix}<!-- /{name} -->"
    block = re.compile(rf"^{re.escape(opening)}\n.*?^{re.escape(closing)}$", re.MULTILINE | re.DOTALL)
    if not block.search(text):
        return None
    lines = "".join(f"{prefix}{line}".rstrip() + "\n" for line in ["", *body.splitlines(), ""])
    return block.sub(lambda match: f"{opening}\n{lines}{closing}", text, count=1)


def row(chapter: Chapter, links_from: Path) -> str:
    """One chapter: links to what exists, counts of what there is to do."""

    def link(words: str, path: Path) -> str:
        relative = Path(os.path.relpath(path, links_from)).as_posix()
        return f"[{words}]({relative})"

    title = link(chapter.title, chapter.lesson) if chapter.finished else chapter.title
    first, last = chapter.questions[0].id, chapter.questions[-1].id
    asked = first if first == last else f"{first}–{last}"
    items = item_count(chapter.bank) or "–"
    count = exercise_count(chapter.exercise_source)
    exercises = link(str(count), chapter.exercises) if count else "–"
    return f"| {chapter.number} | {title} | {asked} | {items} | {exercises} |"


def item_count(bank: Path) -> int:
    """How many quiz items a bank file holds; none where the file cannot be read, which another guard reports."""
    try:
        return len(tomllib.loads(source_text(bank)).get("item", ()))
    except (OSError, tomllib.TOMLDecodeError):
        return 0


def exercise_count(source: Path) -> int:
    """How many exercises a source holds: each has one answer cell."""
    return len(ANSWER_CELL.findall(source_text(source))) if source.exists() else 0


def table(course: Course, links_from: Path) -> str:
    """The table in markdown, with links relative to a folder."""
    head = ["| | Chapter | Questions | Quiz items | Exercises |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(head + [row(chapter, links_from) for chapter in course.chapters if chapter.questions])


def expected(course: Course, page: Page) -> str:
    """What a page should say; raises CourseError where it has no markers."""
    text = replace_block(source_text(page.file), "chapters", table(course, page.links_from), page.prefix)
    if text is None:
        raise CourseError(
            f"{page.file.name} has no chapter table: put `<!-- chapters -->` and `<!-- /chapters -->` on lines of "
            "their own where it belongs."
        )
    return text


def refresh(course: Course) -> list[str]:
    """Write the table where it is not current; returns the names of the files that changed.

    A page without markers is left alone here: `python -m checks verify` names it.
    """
    changed = []
    for page in pages(course):
        try:
            text = expected(course, page)
        except CourseError:
            continue
        if text != source_text(page.file):
            page.file.write_text(text, encoding="utf-8", newline="\n")
            changed.append(page.file.relative_to(course.root).as_posix())
    return changed
