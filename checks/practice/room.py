"""The room in which a mock interview takes place: the deck that asks, records and reports."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from checks.learner.cards import Card
from checks.learner.journal import Journal
from checks.practice.deck import Deck, sheets
from checks.practice.interview import Interview, Step, interviews
from checks.practice.report import Report, saved


class Room(Deck):
    """A mock interview in the page, from where it stands to its report."""

    def __init__(self, interview: Interview, course: Mapping[str, Card], journal: Journal) -> None:
        """Go on with this interview; one without steps begins."""
        self._interview = interview
        self._course = course
        asked = [course[card] for card in interview.open if card in course]
        super().__init__(
            "interview",
            asked,
            sheets(asked, role=interview.role),
            journal,
            intro=introduction(interview, len(asked)),
            seconds=interview.left,
            before=len(interview.plan) - len(asked),
        )

    def begun(self) -> None:
        now = self._interview
        if not now.steps and not now.elapsed:
            self._event("begun", {"role": now.role, "minutes": now.minutes, "plan": list(now.plan)})

    def answered(self, card: str, share: float, seconds: float | None, elapsed: int) -> None:
        step = Step(card, share, None if seconds is None else round(seconds, 1))
        self._event("answered", vars(step) | {"elapsed": self._since(elapsed)})

    def lasted(self, elapsed: int) -> None:
        self._event("elapsed", {"elapsed": self._since(elapsed)})

    def report(self, elapsed: int) -> str:
        self._event("finished", {"elapsed": self._since(elapsed)})
        told = interviews(self._journal.events(self._interview.id))
        report = Report(told[self._interview.id], self._course)
        return report.html + saved(report)

    def line(self) -> str:
        return "Mock interview · run this cell to begin"

    def _since(self, elapsed: int) -> int:
        """The seconds of the whole interview: the page counts from where this cell was run."""
        return self._interview.elapsed + elapsed

    def _event(self, kind: str, data: dict) -> None:
        self._journal.event(self._interview.id, kind, data)


def introduction(interview: Interview, count: int) -> str:
    """The first page, in HTML: what awaits one, or where one stands."""
    if interview.steps or interview.elapsed:
        done = len(interview.plan) - len(interview.open)
        left = f"{interview.left // 60}:{interview.left % 60:02}"
        return (
            f"<p><b>You have an interview to finish</b>: {escape(interview.role)}, {interview.minutes} minutes, "
            f"{done} of {len(interview.plan)} questions answered, {left} minutes left.</p>"
            "<p>Begin goes on with it. <code>mock_interview(new=True)</code> begins another one.</p>"
        )
    return (
        f"<p><b>{interview.minutes} minutes, {escape(interview.role)}, {count} questions</b>: to say aloud, to read "
        "code, to write code.</p><ul>"
        "<li>Say each answer aloud before you look at the points, then tick what it had.</li>"
        "<li>The follow-ups stand below the points: answer them too.</li>"
        "<li>Code runs for real when you check it, as often as you like. Only the clock is against you.</li>"
        "<li>You may pause, or stop and go on another day: run this cell again.</li></ul>"
    )
