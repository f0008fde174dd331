"""Where the files of the course are, and what a lesson's source and notebook say.

One number and one slug (`13_query_performance`) name a chapter's lesson, exercises and bank file.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jupytext
import nbformat

from checks.syllabus import QUESTIONS, Question

ROOT = Path(__file__).resolve().parents[2]
START = "00_start_here"
# Notebooks without questions of their own.
PAGES = {START: "Start here", "review": "Daily review", "mock_interview": "Mock interview"}
SLUG = re.compile(r"\d\d_[a-z0-9]+(?:_[a-z0-9]+)*")

# Part of every digest: raise it when the builder writes notebooks differently, and all are built again.
FORMAT = 1

# What a cell of a source may say about itself; jupytext adds layout notes of its own, which are dropped.
KEPT_METADATA = ("course", "reason", "tags")


class CourseError(Exception):
    """Something in the course is not as it should be; the text says where and what to do."""


@dataclass(frozen=True)
class Chapter:
    """One chapter: its place in the syllabus, and its files, which need not exist yet."""

    root: Path
    slug: str
    title: str
    questions: tuple[Question, ...] = ()

    @property
    def number(self) -> str:
        return self.slug[:2]

    @property
    def lesson_source(self) -> Path:
        return self.root / "notebooks" / "source" / f"{self.slug}.py"

    @property
    def lesson(self) -> Path:
        return self.root / "notebooks" / f"{self.slug}.ipynb"

    @property
    def exercise_source(self) -> Path:
        return self.root / "exercises" / "source" / f"{self.slug}.py"

    @property
    def exercises(self) -> Path:
        return self.root / "exercises" / f"{self.slug}.ipynb"

    @property
    def bank(self) -> Path:
        return self.root / "checks" / "bank" / f"{self.slug}.toml"

    @property
    def finished(self) -> bool:
        """A chapter counts as finished when its lesson is there; the guards then ask for everything else."""
        return self.lesson_source.exists()


@dataclass(frozen=True)
class Course:
    """A course in a folder; `questions` is its syllabus."""

    root: Path = ROOT
    questions: Mapping[str, Question] = field(default_factory=lambda: QUESTIONS)

    @cached_property
    def chapters(self) -> list[Chapter]:
        """The start page and the other pages without questions, then the chapters of the syllabus in their order."""
        by_slug: dict[str, list[Question]] = {}
        for question in self.questions.values():
            by_slug.setdefault(question.slug, []).append(question)
        return [Chapter(self.root, slug, title) for slug, title in PAGES.items()] + [
            Chapter(self.root, slug, questions[0].chapter_title, tuple(questions))
            for slug, questions in sorted(by_slug.items())
        ]

    def chapter(self, name: str) -> Chapter:
        """The chapter called by number ("13", "3"), slug or the path of one of its files.

        Raises CourseError for a name that is none of these.
        """
        stem = Path(name).stem
        for chapter in self.chapters:
            if stem == chapter.slug or (stem.isdigit() and stem.zfill(2) == chapter.number):
                return chapter
        last = self.chapters[-1].number
        raise CourseError(f"There is no chapter {name!r}: give a number from 00 to {last}, or a slug such as {START}.")


def source_text(path: Path) -> str:
    """A source as text with "\\n" line ends on every system, as its digest must not depend on the checkout."""
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def digest(*parts: str) -> str:
    """Twelve hex digits that change when one of the parts changes."""
    return hashlib.sha256("\0".join([str(FORMAT), *parts]).encode()).hexdigest()[:12]


def parse(text: str) -> nbformat.NotebookNode:
    """A py:percent source as a notebook without outputs, its cells named by what they say.

    Source: https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
    """
    notebook = nbformat.v4.new_notebook(cells=jupytext.reads(text, fmt="py:percent").cells)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
    name_cells(notebook)
    return notebook


def name_cells(notebook: nbformat.NotebookNode) -> None:
    """Give each cell an id derived from its content, so that a new cell changes no other cell's id.

    Cells that say the same are numbered in order.
    """
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] += 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", ()))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A stored notebook; raises CourseError where the file is not one."""
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise CourseError(f"{path} is not a notebook: {error}. Build it again from its source.") from error
