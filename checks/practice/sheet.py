"""What the page gets of a card: an item, a question to say aloud, or an exercise to write."""

from __future__ import annotations

from typing import Any

from checks.exercises import source as exercises
from checks.learner.cards import SAY, WRITE, Card
from checks.practice.lessons import spoken
from checks.quizzes import bank, markup, rubric, widget

ASKS = {
    SAY: "Say your answer aloud, as to an interviewer. Then compare it.",
    WRITE: "Write the code, then check it.",
}


def sheet(card: Card, why: str = "", role: str = "senior") -> dict[str, Any]:
    """One card for the page; `why` is said above it, and `role` decides which points of a rubric count.

    Raises LookupError for a card that the course does not have.
    """
    make = {SAY: _say, WRITE: _write}.get(card.form, _item)
    return make(card, role) | {"why": why}


def title(card: Card) -> str:
    """What a card is called in a list: the question's title, or the exercise's."""
    from checks.syllabus import QUESTIONS

    if card.form == WRITE:
        return exercises.find(card.id).title
    return QUESTIONS[card.question].title


def _item(card: Card, role: str) -> dict[str, Any]:
    return widget.sheet(bank.load()[card.id])


def _say(card: Card, role: str) -> dict[str, Any]:
    from checks.syllabus import QUESTIONS

    found = rubric.load()[card.id]
    lesson = spoken().get(card.id)
    return _empty(card.id, SAY, found.version) | {
        "prompt": markup.block(lesson.title if lesson else QUESTIONS[card.id].title),
        "points": [{"key": point.key, "html": markup.inline(point.text)} for point in found.asked_of(role)],
        "said": markup.block(lesson.said) if lesson else "",
        "followups": [
            {"ask": markup.inline(each.ask), "answer": markup.block(each.answer)}
            for each in (lesson.followups if lesson else ())
        ],
    }


def _write(card: Card, role: str) -> dict[str, Any]:
    found = exercises.find(card.id)
    imports = "\n".join(line for line in found.setup.splitlines() if not line.startswith("from checks"))
    return _empty(card.id, WRITE, "") | {
        "prompt": markup.block(found.prompt),
        "code": markup.highlighted(imports),
        "stub": exercises.without_helpers(found.stub).strip("\n") + "\n",
    }


def _empty(ref: str, form: str, version: str) -> dict[str, Any]:
    return {
        "id": ref,
        "version": version,
        "kind": form,
        "asks": ASKS[form],
        "numeric": False,
        "code": "",
        "choices": [],
        "seals": {},
        "followups": [],
    }
