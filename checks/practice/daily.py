"""The daily review: the cards that are due, in a deck."""

from __future__ import annotations

from datetime import datetime
from html import escape

from checks.exercises.presentation import Shown, sentence_shown
from checks.learner.cards import cards
from checks.learner.journal import Journal
from checks.learner.memory import remembered
from checks.learner.queue import CAP, CODE_A_DAY, NEW_A_DAY, Queue, queue
from checks.quizzes import fallback

SETTING = "cap"  # the setting that holds the learner's daily cap


def review(cap: int | None = None):
    """Ask the cards that are due today.

    `cap` is the most cards a day (20 unless set): it is kept for the following days. Returns a widget, which the
    notebook shows when the call is the last line of a cell, or a sentence where nothing is due.

    Raises:
        ValueError: `cap` is not a whole number from 1 on.
    """
    journal = Journal()
    if cap is not None:
        if isinstance(cap, bool) or not isinstance(cap, int) or cap < 1:
            raise ValueError(f"review(cap={cap!r}): give a number of cards from 1 on, such as review(cap=30)")
        journal.set(SETTING, str(cap))
    now = datetime.now().astimezone()
    today = _queue(journal, now)
    if not today.due:
        return sentence_shown(_nothing(today, bool(journal.answers() or journal.attempts()), now))
    if not fallback.has_widgets():
        return _listed(today)
    from checks.practice.deck import Deck, sheets

    class Review(Deck):
        def report(self, elapsed: int) -> str:
            return over(_queue(journal, datetime.now().astimezone()), datetime.now().astimezone())

        def line(self) -> str:
            return f"Review · {_count(len(today.due))} due · run this cell to begin"

    asked = [each.card for each in today.due]
    return Review("review", asked, sheets(asked, [each.reason for each in today.due]), journal)


def over(left: Queue, now: datetime) -> str:
    """What is said after a review, in HTML."""
    lines = [f"<p><b>{_count(left.done)} reviewed today.</b></p>"]
    if left.due:
        lines.append(f"<p>{_count(len(left.due))} of today's left: run the cell again to go on.</p>")
    elif left.later:
        lines.append(f"<p>{_count(left.later)} more wait for another day. {_a_day(left.cap)}</p>")
    if left.next:
        lines.append(f"<p>The next card comes due {escape(_when(left.next, now))}.</p>")
    return "".join(lines)


def _queue(journal: Journal, now: datetime) -> Queue:
    deck = cards()
    return queue(deck, remembered(journal, deck), now, int(journal.settings().get(SETTING, CAP)))


def _nothing(today: Queue, begun: bool, now: datetime) -> str:
    if not begun:
        return (
            "Nothing to review yet: a card comes here when you have answered a quiz or tried an exercise. "
            'Open a lesson, or begin at once with `quiz("Q01")`.'
        )
    if today.later:
        return (
            f"That was enough for today: {_count(today.done)} reviewed. {_count(today.later)} wait for another day. "
            f"{_a_day(today.cap)}"
        )
    if today.next is None:
        return "Nothing is due."
    return f"Nothing is due today. The next card comes {_when(today.next, now)}."


def _listed(today: Queue) -> Shown:
    lines = [f"{each.card.id}: {each.reason}" for each in today.due]
    return Shown("\n".join(lines), "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")


def _a_day(cap: int) -> str:
    return (
        f"A day brings {cap} at most, of them {NEW_A_DAY} questions to say aloud for the first time and {CODE_A_DAY} "
        "exercises."
    )


def _count(number: int) -> str:
    return "1 card" if number == 1 else f"{number} cards"


def _when(at: datetime, now: datetime) -> str:
    days = (at.astimezone(now.tzinfo).date() - now.date()).days
    if days < 1:
        return "later today"
    return "tomorrow" if days == 1 else f"in {days} days"
