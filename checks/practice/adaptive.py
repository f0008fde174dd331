"""The placement: twenty items over all chapters, harder after a right answer and easier after a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from checks.exercises.presentation import sentence_shown
from checks.learner.cards import CHOOSE, Card, cards
from checks.learner.journal import Journal
from checks.practice.report import chapter_link, chapter_name, table
from checks.quizzes import fallback
from checks.quizzes.seal import arranged
from checks.syllabus import LEVELS, QUESTIONS

LENGTH = 20
BEGIN = 1  # the level of the first item, by its place in LEVELS
DAYS = (1, 60)


@dataclass(frozen=True)
class Result:
    """How one item of a placement went."""

    card: Card
    correct: bool


def placement(days: int = 14):
    """Ask twenty items over all chapters, and lay out the chapters for the days that are left.

    A right answer is followed by a harder item, a wrong one by an easier one. Returns a widget, which the notebook
    shows when the call is the last line of a cell.

    Raises:
        ValueError: `days` is not a whole number from 1 to 60.
    """
    if isinstance(days, bool) or not isinstance(days, int) or not DAYS[0] <= days <= DAYS[1]:
        raise ValueError(f"placement(days={days!r}): give a whole number of days from {DAYS[0]} to {DAYS[1]}")
    if not fallback.has_widgets():
        return sentence_shown("The placement needs ipywidgets and anywidget: `pip install -r requirements.txt`.")
    from checks.practice.deck import Deck, sheets

    pool = [card for card in cards().values() if card.form == CHOOSE]
    results: list[Result] = []

    class Placement(Deck):
        def answered(self, card: str, share: float, seconds: float | None, elapsed: int) -> None:
            if card not in {result.card.id for result in results}:
                results.append(Result(self._cards[card], share == 1))
            if (following := next_card(pool, results)) is not None:
                self.send({"next": sheets([following])[0]})

        def report(self, elapsed: int) -> str:
            return told(results, plan(pool, results, days))

        def line(self) -> str:
            return f"Placement · {LENGTH} questions · run this cell to begin"

    first = next_card(pool, [])
    intro = (
        f"<p><b>{LENGTH} questions, about ten minutes.</b> A right answer brings a harder one. At the end stands a "
        f"plan for {'one day' if days == 1 else f'{days} days'}; <code>placement(days=…)</code> changes that.</p>"
    )
    return Placement("placement", pool, sheets([first]), Journal(), intro=intro, total=min(LENGTH, len(pool)))


def next_card(pool: Sequence[Card], results: Sequence[Result]) -> Card | None:
    """The item to ask after these results, None after the last.

    From a chapter that was asked least, at the level that the results lead to, or the nearest to it.
    """
    if len(results) >= LENGTH:
        return None
    asked = {result.card.id for result in results}
    chapters = [result.card.chapter for result in results]
    level = level_after(results)
    # The same placement for everybody: an order that tells nothing, and not the order of the course.
    open_ones = [
        card for card in arranged(sorted(pool, key=lambda card: card.id), "placement") if card.id not in asked
    ]
    return min(
        open_ones,
        key=lambda card: (chapters.count(card.chapter), abs(LEVELS.index(card.level) - level)),
        default=None,
    )


def level_after(results: Iterable[Result]) -> int:
    """The level to ask next, by its place in `LEVELS`: one up after a right answer, one down after a wrong one."""
    level = BEGIN
    for result in results:
        level = min(max(level + (1 if result.correct else -1), 0), len(LEVELS) - 1)
    return level


def needs(pool: Iterable[Card], results: Sequence[Result]) -> dict[str, float]:
    """How much work each chapter is, by slug: its questions, weighted by how likely they are not known.

    A chapter that was asked counts by its own results; another one by how its levels went elsewhere.
    """
    by_level = {level: _share([each for each in results if each.card.level == level], 0.5) for level in LEVELS}
    found: dict[str, float] = {}
    for slug in sorted({card.chapter for card in pool}):
        own = [each for each in results if each.card.chapter == slug]
        questions = {card.question for card in pool if card.chapter == slug}
        for question in questions:
            known = _share(own, by_level[QUESTIONS[question].level])
            found[slug] = found.get(slug, 0) + 1.25 - known  # what is known is read again all the same
    return found


def _share(results: Sequence[Result], otherwise: float) -> float:
    return sum(result.correct for result in results) / len(results) if results else otherwise


def plan(pool: Iterable[Card], results: Sequence[Result], days: int) -> list[list[str]]:
    """The chapters of each day, in the order of the course, so that the days are alike in work.

    With fewer days than it takes, all chapters are still there: the days are fuller.
    """
    work = needs(pool, results)
    total, done = sum(work.values()), 0.0
    found: list[list[str]] = [[] for _ in range(days)]
    for slug, needed in work.items():
        # A chapter belongs to the day on which most of it is read.
        day = int((done + needed / 2) / total * days)
        found[min(day, days - 1)].append(slug)
        done += needed
    return found


def told(results: Sequence[Result], days: Sequence[Sequence[str]]) -> str:
    """What a placement says at the end, in HTML: the result by level, and the plan."""
    rows = [
        (level, f"{sum(each.correct for each in own)} of {len(own)}")
        for level in LEVELS
        if (own := [each for each in results if each.card.level == level])
    ]
    missed = sorted({each.card.question for each in results if not each.correct})
    parts = [table("Where you stand", ("Level", "Right"), rows)]
    if missed:
        lines = [f"{ref} {escape(QUESTIONS[ref].title)} ({chapter_link(QUESTIONS[ref].slug)})" for ref in missed]
        parts.append(f"<h3>What you missed</h3><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>")
    body = [
        (f"Day {number}", ", ".join(chapter_name(slug) for slug in slugs) or "Repeat what was missed: review()")
        for number, slugs in enumerate(days, start=1)
    ]
    parts.append(table("A plan", ("", "Chapters"), body))
    parts.append("<p>Every day begins with the review: open review.ipynb.</p>")
    return "".join(parts)
