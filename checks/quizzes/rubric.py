"""Rubrics: what an answer said aloud has to have, point by point.

They stand in the bank's files beside the items (`[[rubric]]`). A point may be asked from a role on: of a senior more
is expected than of a junior.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from checks.quizzes.bank import FOLDER, BankError
from checks.syllabus import QUESTIONS

ROLES = ("junior", "mid", "senior")
FEWEST, MOST = 3, 5


@dataclass(frozen=True)
class Point:
    """One point of a rubric.

    `role` is the first of `ROLES` that is expected to say it; `quote` are words of the lesson that say it.
    """

    text: str
    quote: str
    role: str = "junior"

    @cached_property
    def key(self) -> str:
        """The name of the point in recitals, the same wherever it stands."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Rubric:
    """The points of one question, in the order in which one would say them."""

    question: str
    points: tuple[Point, ...]

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change when a point does."""
        return hashlib.sha256(json.dumps([[point.text, point.role] for point in self.points]).encode()).hexdigest()[
            :12
        ]

    def asked_of(self, role: str) -> tuple[Point, ...]:
        """The points that are expected of a role (`"junior"`, `"mid"`, `"senior"`)."""
        return tuple(point for point in self.points if ROLES.index(point.role) <= ROLES.index(role))


def load(path: Path | None = None) -> dict[str, Rubric]:
    """The rubrics of a bank by question, in the order of files.

    Args:
        path: a chapter's TOML file or a folder of them; by default the bank of the course.

    Raises:
        BankError: a rubric is not sound; the message names the file, the question, the field and the remedy.
    """
    if path is None:
        return dict(_course_rubrics())
    return _read(sorted(path.glob("*.toml")) if path.is_dir() else [path])


@cache
def _course_rubrics() -> dict[str, Rubric]:
    return _read(sorted(FOLDER.glob("*.toml")))


def _read(files: Iterable[Path]) -> dict[str, Rubric]:
    found: dict[str, Rubric] = {}
    for file in files:
        for number, raw in enumerate(tomllib.loads(file.read_text(encoding="utf-8")).get("rubric", []), start=1):
            rubric = _rubric(raw, file, number)
            if rubric.question in found:
                raise BankError(f"{file.name}, rubric {rubric.question}: comes twice; put its points together.")
            found[rubric.question] = rubric
    return found


def _rubric(raw: dict, file: Path, number: int) -> Rubric:
    question = raw.get("question")

    def wrong(field: str, problem: str) -> BankError:
        return BankError(f"{file.name}, rubric {question or f'number {number}'}, `{field}`: {problem}")

    if question not in QUESTIONS or QUESTIONS[question].slug != file.stem:
        raise wrong("question", f"is {question!r}; expected a question of this chapter.")
    for field in set(raw) - {"question", "points"}:
        raise wrong(field, "no such field; a rubric has `question` and `points`.")
    points = [_point(each, wrong) for each in raw.get("points", [])]
    if not FEWEST <= len(points) <= MOST:
        raise wrong("points", f"there are {len(points)}; expected {FEWEST} to {MOST}.")
    if sum(point.role == "junior" for point in points) < FEWEST:
        raise wrong("points", f"fewer than {FEWEST} are asked of everybody.")
    if len({point.key for point in points}) < len(points):
        raise wrong("points", "two of them say the same.")
    return Rubric(question, tuple(points))


def _point(raw: dict, wrong) -> Point:
    for field in set(raw) - {"text", "quote", "role"}:
        raise wrong(f"points.{field}", "no such field; a point has `text`, `quote` and perhaps `role`.")
    for field in ("text", "quote"):
        if not isinstance(raw.get(field), str) or not raw[field].strip():
            raise wrong(f"points.{field}", "is missing.")
    role = raw.get("role", "junior")
    if role not in ROLES:
        raise wrong("points.role", f"is {role!r}; expected one of {', '.join(ROLES)}.")
    return Point(raw["text"].strip(), raw["quote"].strip(), role)
