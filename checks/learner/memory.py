"""What a learner remembers: FSRS on everything that the journal knows of a card.

A card is a quiz item (`Q38-1`), a question said aloud (`Q38`) or an exercise (`13.1`). No state is stored: the
memory is worked out from the journal's rows each time, so that nothing can be lost or drift apart, and two journals
that were merged give one memory.

Source: https://github.com/open-spaced-repetition/py-fsrs (FSRS-6, its published parameters)
"""

import random
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from fsrs import Card as State
from fsrs import Rating, Scheduler

from checks.learner.cards import Card
from checks.learner.journal import Journal

RETENTION = 0.9  # the recall at which a card is due: FSRS' own default
# Days only: minutes-long steps are for vocabulary drilled in one sitting.
SCHEDULER = Scheduler(desired_retention=RETENTION, learning_steps=(), relearning_steps=())
# What is answered again so soon after its feedback shows reading, not remembering.
SITTING = timedelta(hours=6)
HALF = 0.6  # of a rubric's points: less is an answer that an interviewer would not let pass


@dataclass(frozen=True)
class Evidence:
    """One sign of how well a card was remembered; `version` is that of the card as it was asked."""

    card: str
    at: datetime
    rating: Rating
    version: str


@dataclass(frozen=True)
class Memory:
    """What is known of one card: how it went last, and FSRS' picture of it.

    `changed` says that the card was never asked in its present version. Then `state` is that of the older one, and
    the card is due.
    """

    card: str
    last: Evidence
    state: State
    reviews: int
    changed: bool = False

    @property
    def due(self) -> datetime:
        """When the card is to be asked again."""
        return self.last.at if self.changed else self.state.due

    def recall(self, at: datetime) -> float:
        """The probability, 0 to 1, that the card is remembered at a time; 0 where it has changed since."""
        if self.changed:
            return 0.0
        return SCHEDULER.get_card_retrievability(self.state, current_datetime=max(at, self.state.last_review))

    @property
    def is_lapse(self) -> bool:
        """Whether it was not known the last time."""
        return self.last.rating is Rating.Again


def evidence(journal: Journal) -> list[Evidence]:
    """Every answer, recital and attempt of a journal as signs of memory, oldest first.

    Right and sure is `Good`, right and not sure `Hard`, wrong `Again`. An exercise passed with hints is `Hard`. A
    recital with every point is `Good`, with three of five `Hard`.
    """
    found = [Evidence(row.item, row.at, _of_answer(row), row.version) for row in journal.answers()]
    found += [Evidence(row.question, row.at, _of_recital(row), row.version) for row in journal.recitals()]
    found += [
        # Whatever was changed in an exercise, the code that it asks for is what was practised.
        Evidence(row.exercise, row.at, _of_attempt(row), "")
        for row in journal.attempts()
        if row.outcome != "not attempted"
    ]
    return sorted(found, key=lambda each: each.at)


def memories(signs: Iterable[Evidence], versions: Mapping[str, str]) -> dict[str, Memory]:
    """The memory of every card that was ever answered, by card.

    `versions` maps each card of the course to its present version. Cards that the course no longer has are left out;
    one that was changed since its last answer is `changed`, and what is answered then begins anew.
    """
    found: dict[str, Memory] = {}
    for sign in signs:
        if sign.card in versions:
            found[sign.card] = _after(found.get(sign.card), sign)
    return {
        card: memory if memory.last.version == versions[card] else replace(memory, changed=True)
        for card, memory in found.items()
    }


def remembered(journal: Journal, cards: Mapping[str, Card]) -> dict[str, Memory]:
    """What a journal says is remembered of these cards, by card."""
    return memories(evidence(journal), {card.id: card.version for card in cards.values()})


def _after(memory: Memory | None, sign: Evidence) -> Memory:
    if memory is None or memory.last.version != sign.version:
        # FSRS fuzzes intervals by at most a few days, seeded here: a schedule looks the same tomorrow.
        state, reviews = State(card_id=0, due=sign.at), 0
    elif sign.at - memory.state.last_review < SITTING and not (
        sign.rating is Rating.Again and memory.last.rating is not Rating.Again
    ):
        return memory
    else:
        state, reviews = memory.state, memory.reviews
    with _seeded(f"{sign.card}/{sign.version}/{reviews}"):
        state, _ = SCHEDULER.review_card(state, sign.rating, sign.at.astimezone(UTC))
    return Memory(sign.card, sign, state, reviews + 1)


@contextmanager
def _seeded(seed: str):
    """FSRS draws from the global generator, which is the learner's."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _of_answer(row) -> Rating:
    if not row.correct:
        return Rating.Again
    return Rating.Good if row.sure else Rating.Hard


def _of_recital(row) -> Rating:
    share = len(row.met.split()) / row.points if row.points else 0
    return Rating.Good if share == 1 else Rating.Hard if share >= HALF else Rating.Again


def _of_attempt(row) -> Rating:
    if row.outcome != "correct":
        return Rating.Again
    return Rating.Hard if row.hints else Rating.Good
