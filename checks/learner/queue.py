"""The review queue: what is due today, why, and when the next is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fsrs import Rating

from checks.learner.cards import CHOOSE, SAY, WRITE, Card
from checks.learner.memory import SITTING, Memory

CAP = 20  # cards a day: about a quarter of an hour
CODE_A_DAY = 2  # an exercise takes as long as ten items
NEW_A_DAY = 3  # questions said aloud for the first time


@dataclass(frozen=True)
class Due:
    """A card that is due, and why. `recall` is the probability, 0 to 1, that it is remembered now."""

    card: Card
    reason: str
    recall: float


@dataclass(frozen=True)
class Queue:
    """Today's reviews.

    `due` are the cards to ask now, the least remembered first; `later` counts those that are due as well and wait
    for another day; `done` what was reviewed today; `next` is when the next card comes due, None where none will.
    """

    due: tuple[Due, ...]
    later: int
    done: int
    cap: int
    next: datetime | None


def queue(cards: Mapping[str, Card], known: Mapping[str, Memory], now: datetime, cap: int = CAP) -> Queue:
    """Today's reviews of a learner with these memories.

    `now` is aware of its time zone, which decides what today is. A card is due when FSRS expects its recall to fall
    below the wanted retention before the day ends. Cards that were never answered are for the lessons, except that a
    question whose quiz was answered is to be said aloud.

    Raises:
        ValueError: `cap` is not positive, or `now` has no time zone.
    """
    if cap < 1:
        raise ValueError(f"a cap of {cap} cards a day reviews nothing: give 1 or more")
    if now.tzinfo is None:
        raise ValueError("now has no time zone: pass datetime.now().astimezone()")
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = begin + timedelta(days=1)
    due, ahead, done, recited = [], [], 0, 0
    for memory in known.values():
        card = cards[memory.card]
        reviewed_today = memory.last.at >= begin
        done += reviewed_today and (memory.reviews > 1 or card.form == SAY)
        recited += reviewed_today and card.form == SAY and memory.reviews == 1
        if memory.due < end and (memory.changed or now - memory.last.at >= SITTING):
            due.append(Due(card, _reason(memory, now), memory.recall(now)))
        else:
            ahead.append(max(memory.due, memory.last.at + SITTING))
    due.sort(key=lambda each: (each.recall, each.card.id))
    fresh = _unsaid(cards, known)
    left = max(cap - done, 0)
    today = _limited(due, WRITE, CODE_A_DAY)
    today = (today + fresh[: max(NEW_A_DAY - recited, 0)])[:left]
    return Queue(tuple(today), len(due) + len(fresh) - len(today), done, cap, min(ahead, default=None))


def _limited(due: list[Due], form: str, most: int) -> list[Due]:
    kept, seen = [], 0
    for each in due:
        seen += each.card.form == form
        if each.card.form != form or seen <= most:
            kept.append(each)
    return kept


def _unsaid(cards: Mapping[str, Card], known: Mapping[str, Memory]) -> list[Due]:
    """Questions whose quiz was begun and that were never said aloud."""
    begun = {cards[card].question for card in known if cards[card].form == CHOOSE}
    return [
        Due(card, "you have answered its quiz: now say it aloud", 0.0)
        for card in cards.values()
        if card.form == SAY and card.id in begun and card.id not in known
    ]


def _reason(memory: Memory, now: datetime) -> str:
    if memory.changed:
        return "it has changed since you answered it"
    days = (now - memory.last.at).days
    ago = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    if memory.is_lapse:
        return f"not known {ago}"
    if memory.last.rating is Rating.Hard:
        return f"right, but not safe, {ago}"
    return f"known {ago}; the odds are down to {memory.recall(now):.0%}"
