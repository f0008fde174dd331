"""How much of the course is known: today, and on the day of the interview.

The figure is the share of the course's questions that the learner can be expected to answer right when asked: FSRS'
probability of recall for what was answered, nothing for what was not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from checks.learner.cards import WRITE, Card
from checks.learner.memory import Memory

MORNING = time(9)  # the hour at which an interview may begin


@dataclass(frozen=True)
class Known:
    """What is known of a group of cards: shares from 0 to 1. `then` is None without a date to look ahead to."""

    name: str
    cards: int
    seen: float
    today: float
    then: float | None


def forecast(
    cards: Iterable[Card],
    known: Mapping[str, Memory],
    now: datetime,
    then: datetime | None,
    group: Callable[[Card], str],
) -> list[Known]:
    """What is known of each group of cards, in the order in which the groups come.

    Exercises are left out: whether code can be written again is tried, not recalled. What was missed today is not
    known today: FSRS, which takes an answer for seen as soon as it is missed, would say that it is.
    """
    groups: dict[str, list[Card]] = {}
    for card in cards:
        if card.form != WRITE:
            groups.setdefault(group(card), []).append(card)
    return [_known(name, group, known, now, then) for name, group in groups.items()]


def _known(name: str, cards: list[Card], known: Mapping[str, Memory], now: datetime, then: datetime | None) -> Known:
    seen = [known[card.id] for card in cards if card.id in known]
    return Known(
        name,
        len(cards),
        len(seen) / len(cards),
        sum(memory.recall(now) for memory in seen if not _missed_today(memory, now)) / len(cards),
        sum(memory.recall(then) for memory in seen) / len(cards) if then else None,
    )


def _missed_today(memory: Memory, now: datetime) -> bool:
    return memory.is_lapse and memory.last.at.astimezone(now.tzinfo).date() == now.date()


def moment(day: date, zone: tzinfo | None) -> datetime:
    """The morning of a day in a time zone."""
    return datetime.combine(day, MORNING, zone)


def streak(moments: Iterable[datetime], now: datetime) -> int:
    """How many days in a row something was done, up to today or, before today's first answer, yesterday."""
    days = {at.astimezone(now.tzinfo).date() for at in moments}
    day = now.date() if now.date() in days else now.date() - timedelta(days=1)
    length = 0
    while day in days:
        length += 1
        day -= timedelta(days=1)
    return length
