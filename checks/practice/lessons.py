"""What the lessons say of a question: the spoken answer, and the follow-ups with theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "notebooks" / "source"
_QUESTION = re.compile(r"^## (Q\d\d) · (.+)$", re.MULTILINE)
_SAID = re.compile(r"\*\*Say it\.\*\*\s*(.+)", re.DOTALL)
_NEXT = re.compile(r"\*\*Asked next\.?\*\*(.+?)(?=\*\*Versions|\Z)", re.DOTALL)
_FOLLOWUP = re.compile(r"^- \*(.+?)\*\s+(.+?)(?=^- \*|\n\n|\Z)", re.MULTILINE | re.DOTALL)
# The sentence that leads over to the cell below it: "How many queries does it run?", "The same with a join:".
_LEAD = re.compile(r"(?<=[.`)])\s+[^.`]*(?:`[^`]*`[^.`]*)*[?:]$")


@dataclass(frozen=True)
class Followup:
    """A question that interviewers ask next, and the answer to it, both Markdown."""

    ask: str
    answer: str


@dataclass(frozen=True)
class Spoken:
    """One question as its lesson treats it, in Markdown: `said` is the spoken answer, `text` all that is written."""

    question: str
    title: str
    said: str
    followups: tuple[Followup, ...]
    text: str


@cache
def spoken(folder: Path = FOLDER) -> dict[str, Spoken]:
    """Every question that a lesson answers, by id, read from the lessons' sources."""
    found = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.py")):
        prose = "\n\n".join(_markdown(path.read_text(encoding="utf-8")))
        heads = list(_QUESTION.finditer(prose))
        ends = [head.start() for head in heads[1:]] + [len(prose)]
        for head, end in zip(heads, ends, strict=False):
            section = prose[head.end() : end]
            found[head[1]] = _spoken(head[1], head[2].strip(), section)
    return found


def _spoken(question: str, title: str, section: str) -> Spoken:
    cells = section.split("\n\n\n")
    said = next((match[1].strip() for cell in cells if (match := _SAID.search(cell))), "")
    asked = match[1] if (match := _NEXT.search(section)) else ""
    followups = tuple(
        Followup(" ".join(match[1].split()), _LEAD.sub("", match[2].strip())) for match in _FOLLOWUP.finditer(asked)
    )
    return Spoken(question, title, said, followups, section)


def _markdown(source: str) -> list[str]:
    """The Markdown cells of a py:percent source, each ended by an empty line more than a paragraph is.

    Source: https://jupytext.readthedocs.io/en/latest/formats-scripts.html#the-percent-format
    """
    cells = re.split(r"^# %%(.*)$", source, flags=re.MULTILINE)[1:]
    return [
        re.sub(r"^# ?", "", text.strip("\n"), flags=re.MULTILINE) + "\n"
        for head, text in zip(cells[::2], cells[1::2], strict=True)
        if "[markdown]" in head
    ]
