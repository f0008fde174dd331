"""A deck of cards in the page: a quiz that can also ask to say and to write, and that ends with a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checks.exercises import session
from checks.exercises import source as exercises
from checks.exercises.presentation import as_html, lessons_shown
from checks.exercises.verdict import Verdict, lessons
from checks.learner.cards import CHOOSE, Card
from checks.learner.journal import Journal
from checks.practice.sheet import sheet
from checks.quizzes import bank
from checks.quizzes.widget import Quiz


class Deck(Quiz):
    """Asks cards of all forms in the page and records what came of each.

    Subclasses say what happens when the learner begins (`begun`), after each card (`answered`), as time goes by
    (`lasted`) and at the end (`report`).
    """

    def __init__(
        self, mode: str, cards: Sequence[Card], sheets: Sequence[dict[str, Any]], journal: Journal, **traits: Any
    ):
        """Ask these cards; `sheets` is what the page gets of the first ones, `traits` sets the page's other traits."""
        items = bank.load()
        asked = [items[card.id] for card in cards if card.form == CHOOSE]
        self._cards = {card.id: card for card in cards}
        super().__init__("", asked, journal, mode=mode, sheets=sheets, **traits)

    def begun(self) -> None:
        """The learner left the first page."""

    def answered(self, card: str, share: float, seconds: float | None, elapsed: int) -> None:
        """A card was answered: the share of it that was right, 0 to 1, and the seconds it took."""

    def lasted(self, elapsed: int) -> None:
        """So many seconds of a timed session are over."""

    def report(self, elapsed: int) -> str:
        """What is said at the end, in HTML."""
        return ""

    def line(self) -> str:
        """What a saved notebook says instead of the deck."""
        return f"{self.mode.capitalize()} · run this cell to begin"

    def __str__(self) -> str:
        return self.line()

    __repr__ = __str__

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is not None:
            shown[0]["text/plain"] = self.line()
            shown[0]["text/html"] = f"<p>{self.line()}</p>"
        return shown

    def _receive(self, widget: Any, message: Any, buffers: Any) -> None:
        super()._receive(widget, message, buffers)
        match message:
            case {"answer": {"item": str(ref)} as answer} if ref in self._cards:
                self.answered(ref, self._share(ref, answer), answer.get("seconds"), int(answer.get("elapsed") or 0))
            case {"check": str(ref), "source": str(source)} if ref in self._cards:
                self.send({"checked": ref} | self._check(ref, source, message))
            case {"solve": str(ref)} if ref in self._cards:
                exercise = exercises.find(ref)
                self.send({"solved": ref, "html": lessons_shown(exercise, lessons(exercise)).html})
            case {"begin": True}:
                self.begun()
            case {"finish": elapsed}:
                self.send({"finished": self.report(int(elapsed))})
            case {"elapsed": elapsed}:
                self.lasted(int(elapsed))

    def _share(self, ref: str, answer: dict[str, Any]) -> float:
        if points := answer.get("points"):
            return len(answer["given"].split()) / points
        item = bank.load()[ref]
        return float(item.judge(answer["given"]))

    def _check(self, ref: str, source: str, message: dict[str, Any]) -> dict[str, Any]:
        shown = session.checked(ref, source)
        if not isinstance(shown, Verdict):
            return {"correct": False, "html": shown.html}
        self.answered(ref, float(shown.passed), message.get("seconds"), int(message.get("elapsed") or 0))
        return {"correct": shown.passed, "html": as_html(shown)}


def sheets(cards: Sequence[Card], whys: Sequence[str] = (), role: str = "senior") -> list[dict[str, Any]]:
    """What the page gets of cards, each with why it is asked."""
    return [sheet(card, why, role) for card, why in zip(cards, [*whys, *[""] * len(cards)], strict=False)]
