"""The mock interview: which questions are put to a role, how it is resumed, and the deck that asks them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from checks.exercises.presentation import sentence_shown
from checks.learner.cards import CHOOSE, SAY, WRITE, Card, cards
from checks.learner.journal import Event, Journal
from checks.quizzes import fallback
from checks.quizzes.rubric import ROLES

LENGTHS = (15, 30, 60)
SESSION = "interview"
# Seconds that a card takes: a spoken answer with its follow-ups, code to read, code to write.
TIMES = {SAY: 180, CHOOSE: 90, WRITE: 420}
# How often each level is asked of a role.
LEVELS = {
    "junior": {"basic": 6, "intermediate": 3, "advanced": 0},
    "mid": {"basic": 2, "intermediate": 6, "advanced": 2},
    "senior": {"basic": 1, "intermediate": 4, "advanced": 5},
}
# One round of an interview. It begins with talk, as interviews do.
ROUND = (SAY, SAY, CHOOSE, WRITE, SAY, CHOOSE)


@dataclass(frozen=True)
class Step:
    """How one card went: the share that was right, 0 to 1, and the seconds it took."""

    card: str
    share: float
    seconds: float | None


@dataclass(frozen=True)
class Interview:
    """One mock interview as the journal knows it; `elapsed` is in seconds."""

    id: str
    at: datetime
    role: str
    minutes: int
    plan: tuple[str, ...]
    steps: Mapping[str, Step] = field(default_factory=dict)
    elapsed: int = 0
    finished: bool = False

    @property
    def left(self) -> int:
        """The seconds that are left."""
        return max(self.minutes * 60 - self.elapsed, 0)

    @property
    def open(self) -> tuple[str, ...]:
        """The cards that were not answered yet."""
        return tuple(card for card in self.plan if card not in self.steps)


def mock_interview(role: str = "mid", minutes: int = 30, *, new: bool = False):
    """Begin a mock interview, or go on with the one that was not finished.

    `role` is "junior", "mid" or "senior", `minutes` 15, 30 or 60; `new` gives up an unfinished interview. Returns a
    widget, which the notebook shows when the call is the last line of a cell. At the end it saves a report beside the
    notebook, as HTML and as CSV.

    Raises:
        ValueError: there is no such role or length.
    """
    if role not in ROLES:
        raise ValueError(f"mock_interview(role={role!r}): the roles are {', '.join(ROLES)}")
    if minutes not in LENGTHS:
        raise ValueError(
            f"mock_interview(minutes={minutes!r}): give {', '.join(map(str, LENGTHS[:-1]))} or {LENGTHS[-1]}"
        )
    if not fallback.has_widgets():
        return sentence_shown("A mock interview needs ipywidgets and anywidget: `pip install -r requirements.txt`.")
    from checks.practice.room import Room

    journal = Journal()
    course = cards()
    before = None if new else unfinished(journal.events(), course)
    if before is None:
        seed = str(uuid.uuid4())
        at = datetime.now().astimezone()
        before = Interview(f"{SESSION}/{seed}", at, role, minutes, plan(role, minutes, course.values(), seed))
    return Room(before, course, journal)


def plan(role: str, minutes: int, course: Iterable[Card], seed: str) -> tuple[str, ...]:
    """The cards of an interview in their order: spoken questions, code to read and code to write.

    The times of the cards add up to no more than `minutes`; no question comes twice, and chapters change from card
    to card as long as there are others.
    """
    draw = random.Random(seed)
    pool = list(course)
    draw.shuffle(pool)
    levels = LEVELS[role]
    within = {card.chapter for card in pool if levels.get(card.level)}  # exercises have no level of their own
    weights = {
        card.id: levels.get(card.level, 0) if card.form != WRITE else 5 * (card.chapter in within) for card in pool
    }
    ready = {form: _drawn([card for card in pool if _fits(card, form)], weights, draw) for form in TIMES}
    chosen: list[Card] = []
    left = minutes * 60
    for form in _rounds(minutes):
        if TIMES[form] > left:
            continue
        card = _next(ready[form], chosen)
        if card is not None:
            ready[form].remove(card)
            chosen.append(card)
            left -= TIMES[form]
    return tuple(card.id for card in chosen)


def _rounds(minutes: int) -> list[str]:
    # More rounds than there is time for: what does not fit is left out.
    return list(ROUND) * (minutes // 10 + 1)


def _fits(card: Card, form: str) -> bool:
    if card.form != form:
        return False
    if form != CHOOSE:
        return True
    from checks.quizzes import bank

    return bool(bank.load()[card.id].code)  # code to read


def _drawn(pool: list[Card], weights: Mapping[str, float], draw: random.Random) -> list[Card]:
    """The cards in a random order in which those of more weight tend to come first; without weight, not at all.

    Source: Efraimidis and Spirakis, https://doi.org/10.1016/j.ipl.2005.11.003
    """
    keys = {card.id: draw.random() ** (1 / weights[card.id]) for card in pool if weights[card.id]}
    return sorted((card for card in pool if card.id in keys), key=lambda card: -keys[card.id])


def _next(pool: list[Card], chosen: list[Card]) -> Card | None:
    asked = {card.question for card in chosen if card.question}
    fresh = [card for card in pool if card.question not in asked or not card.question]
    used = [card.chapter for card in chosen]
    return min(fresh, key=lambda card: used.count(card.chapter), default=None)


def interviews(events: Iterable[Event]) -> dict[str, Interview]:
    """Every mock interview of a journal by id, oldest first, as its events tell it."""
    found: dict[str, Interview] = {}
    for event in events:
        if not event.session.startswith(f"{SESSION}/"):
            continue
        data = json.loads(event.data)
        if event.kind == "begun":
            found[event.session] = Interview(
                event.session, event.at, data["role"], data["minutes"], tuple(data["plan"])
            )
        elif event.session in found:
            found[event.session] = _after(found[event.session], event.kind, data)
    return found


def _after(interview: Interview, kind: str, data: dict) -> Interview:
    elapsed = max(interview.elapsed, int(data.get("elapsed") or 0))
    if kind == "answered":
        step = Step(data["card"], data["share"], data["seconds"])
        # Code may be checked again and again: how it stood in the end counts, and all the time it took.
        return replace(interview, steps={**interview.steps, step.card: step}, elapsed=elapsed)
    return replace(interview, elapsed=elapsed, finished=interview.finished or kind == "finished")


def unfinished(events: Iterable[Event], course: Mapping[str, Card]) -> Interview | None:
    """The last interview, if it was begun and can go on."""
    last = next(reversed(interviews(events).values()), None)
    can = last is not None and not last.finished and last.left and any(card in course for card in last.open)
    return last if can else None
