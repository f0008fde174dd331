"""Where a learner stands: what ``progress()`` shows.

It reads the journal and the outline of the course (which chapters, items and exercises exist) and says, per chapter,
what was answered and solved, how much of it is still known, today and on the day of the interview, and what to do
next.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from html import escape

from checks.learner.cards import COURSE, Card, cards, exercise_ids
from checks.learner.chart import STYLE as CHART_STYLE
from checks.learner.chart import chart
from checks.learner.forecast import Known, forecast, moment, streak
from checks.learner.journal import Answer, Attempt, Journal
from checks.learner.memory import Memory, remembered
from checks.learner.queue import queue
from checks.syllabus import LEVELS

WEAKEST = 5  # as many as one sits down to answer again
WEAK = 0.7  # a question whose cards are known less than this is worth another look
INTERVIEW = "interview"  # the setting that holds the day of the interview


@dataclass(frozen=True)
class Chapter:
    """What one chapter offers, in the order of the course. ``items`` maps each item's id to its question's id."""

    slug: str
    title: str
    items: dict[str, str]
    exercises: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The chapter as it is shown: ``13 Query performance``."""
        return f"{self.slug[:2]} {self.title}"


@dataclass(frozen=True)
class Standing:
    """One row of the report: a learner's standing in one chapter.

    ``right`` counts items whose last answer was right, ``sure`` those of them that were given as sure.
    """

    chapter: str
    questions: int
    seen: int
    items: int
    answered: int
    right: int
    sure: int
    exercises: int
    tried: int
    solved: int

    @property
    def is_finished(self) -> bool:
        return self.answered == self.items and self.solved == self.exercises


@dataclass(frozen=True)
class Outlook:
    """How much is known, by chapter and by level, today and on the day of the interview (None without one)."""

    chapters: tuple[Known, ...] = ()
    levels: tuple[Known, ...] = ()
    interview: date | None = None

    @property
    def total(self) -> str:
        """One line: how much of the whole course is known."""
        if not self.levels:
            return ""
        count = sum(row.cards for row in self.levels)
        known = sum(row.today * row.cards for row in self.levels) / count
        line = f"Known today: {known:.0%} of the course"
        if self.interview is None:
            return line + "."
        then = sum(row.then * row.cards for row in self.levels) / count
        return f"{line}; on {day_name(self.interview)}, without review: {then:.0%}."


class Progress:
    """Where a learner stands; shows itself in a notebook and as text.

    ``standings`` has one Standing per chapter, ``outlook`` what is known, ``total`` one line, ``next`` the sentences
    on what to do next, ``problem`` why progress is not being saved (or None).
    """

    def __init__(
        self,
        standings: Sequence[Standing],
        total: str,
        next: Sequence[str],
        problem: str | None = None,
        outlook: Outlook = Outlook(),
    ):
        self.standings = list(standings)
        self.total = total
        self.next = list(next)
        self.problem = problem
        self.outlook = outlook

    @property
    def chapters(self):
        """The standings and what is known as a pandas DataFrame, one row per chapter. Needs pandas."""
        import pandas

        names = [field.name for field in fields(Standing)]
        frame = pandas.DataFrame([asdict(row) for row in self.standings], columns=names).set_index("chapter")
        return frame.join(_frame(self.outlook.chapters)[["today", "then"]])

    @property
    def levels(self):
        """What is known as a pandas DataFrame, one row per level, shares from 0 to 1. Needs pandas."""
        return _frame(self.outlook.levels)

    def __repr__(self) -> str:
        lines = [self.problem, ""] if self.problem else []
        lines += [self.total, *filter(None, [self.outlook.total]), ""]
        if self.standings:
            rows = [HEADINGS, *map(_cells, self.standings)]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for first, *others in rows:
                numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
                lines.append("  ".join([first.ljust(widths[0]), *numbers]))
            lines.append("")
            lines += [f"{row.name}: {_shares(row, self.outlook.interview)}" for row in self.outlook.levels]
            lines.append("")
        return "\n".join(lines + [f"Next: {sentence}" for sentence in self.next]).rstrip()

    def _repr_html_(self) -> str:
        parts = [f'<p class="problem">{escape(self.problem)}</p>'] if self.problem else []
        parts.append(f"<p>{escape(self.total)}</p>")
        if self.outlook.levels:
            then = day_name(self.outlook.interview) if self.outlook.interview else None
            parts.append(f"<p>{escape(self.outlook.total)}</p>")
            parts.append(chart("By level", self.outlook.levels, then))
            parts.append(chart("By chapter", self.outlook.chapters, then))
        if self.standings:
            head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
            body = "".join(_html_row(row) for row in self.standings)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if self.next:
            parts.append("<ul>" + "".join(f"<li>{_with_code(sentence)}</li>" for sentence in self.next) + "</ul>")
        return f'<div class="course-progress"><style>{STYLE}{CHART_STYLE}</style>{"".join(parts)}</div>'


HEADINGS = (
    "Chapter",
    "Questions seen",
    "Items answered",
    "Right at last try",
    "Sure and right",
    "Exercises tried",
    "Exercises solved",
)

STYLE = """
.course-progress { color: var(--jp-content-font-color1, inherit); max-width: 60em }
.course-progress table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5em 0 }
.course-progress th, .course-progress td {
  border-bottom: 1px solid var(--jp-border-color2, #ccc); padding: 0.3em 0.8em; text-align: right }
.course-progress th:first-child { text-align: left; white-space: nowrap }
.course-progress .finished th::after { content: " ✓"; color: var(--jp-success-color1, #1b7e3c) }
.course-progress .problem { border-left: 4px solid var(--jp-error-color1, #c62828); padding-left: 0.6em }
"""


def progress(
    interview: date | str | None = None,
    *,
    journal: Journal | None = None,
    chapters: Iterable[Chapter] | None = None,
    deck: Mapping[str, Card] | None = None,
    now: datetime | None = None,
) -> Progress:
    """Where one stands, chapter by chapter, how much is known, and what to do next.

    ``interview`` is the day of the interview (``"2026-12-01"``): it is kept, and what will be known then is shown
    from now on. The others are for tests: ``journal`` is the learner's own by default, ``chapters`` and ``deck`` what
    the course offers (see ``outline`` and ``cards``), ``now`` the present in the learner's time zone.

    Raises:
        ValueError: ``interview`` is not a day, or is over.
    """
    journal = Journal() if journal is None else journal
    now = datetime.now().astimezone() if now is None else now
    if interview is not None:
        journal.set(INTERVIEW, _coming(interview, now).isoformat())
    chapters = outline() if chapters is None else list(chapters)
    deck = cards() if deck is None else deck
    answers, attempts = journal.answers(), journal.attempts()
    last: dict[str, Answer] = {answer.item: answer for answer in answers}
    tried, solved = _exercises(attempts)
    standings = [_standing(chapter, last, tried, solved) for chapter in chapters]
    if not any(row.answered or row.tried for row in standings):
        return Progress([], "Nothing answered yet.", _first_step(chapters), journal.problem)
    known = remembered(journal, deck)
    outlook = _outlook(chapters, deck, known, now, interview_day(journal, now))
    advice = [
        *_due(deck, known, now),
        *_where_to_go_on(chapters, standings, last, solved),
        *_weakest(chapters, last),
        *_weak_topics(chapters, deck, known, now),
        *_unsolved(chapters, tried - solved),
    ]
    total = _total(standings) + _in_a_row(streak([row.at for row in [*answers, *attempts]], now))
    advice = advice or ["Everything here is answered and solved."]
    return Progress(standings, total, advice, journal.problem, outlook)


def interview_day(journal: Journal, now: datetime) -> date | None:
    """The day of the interview that the learner named, None where none was named or it is over."""
    try:
        day = date.fromisoformat(journal.settings().get(INTERVIEW, ""))
    except ValueError:
        return None
    return day if day >= now.date() else None


def day_name(day: date) -> str:
    """A day as it is shown: 1 December."""
    return f"{day.day} {day:%B}"


def outline() -> list[Chapter]:
    """The chapters that have items or exercises, read from the syllabus, the bank and the exercise sources."""
    from checks.quizzes import bank
    from checks.syllabus import QUESTIONS

    titles = {question.slug: question.chapter_title for question in QUESTIONS.values()}
    items: dict[str, dict[str, str]] = {slug: {} for slug in titles}
    for item in bank.load().values():
        items[QUESTIONS[item.question].slug][item.id] = item.question
    exercises = {path.stem: exercise_ids(path) for path in (COURSE / "exercises" / "source").glob("*.py")}
    chapters = [Chapter(slug, titles[slug], items[slug], exercises.get(slug, ())) for slug in sorted(titles)]
    return [chapter for chapter in chapters if chapter.items or chapter.exercises]


def _coming(interview: date | str, now: datetime) -> date:
    try:
        day = interview if isinstance(interview, date) else date.fromisoformat(interview)
    except (TypeError, ValueError):
        example = f'progress(interview="{now.date().isoformat()}")'
        raise ValueError(f"{interview!r} is not a day: write year, month and day as in {example}") from None
    if day < now.date():
        raise ValueError(f"{day.isoformat()} is over: name a day from today on")
    return day


def _exercises(attempts: Iterable[Attempt]) -> tuple[set[str], set[str]]:
    """The exercises that were tried, and those that were solved."""
    tried, solved = set(), set()
    for attempt in attempts:
        # Running an untouched cell is not a try.
        if attempt.outcome != "not attempted":
            tried.add(attempt.exercise)
        if attempt.outcome == "correct":
            solved.add(attempt.exercise)
    return tried, solved


def _outlook(
    chapters: list[Chapter], deck: Mapping[str, Card], known: Mapping[str, Memory], now: datetime, day: date | None
) -> Outlook:
    names = {chapter.slug: chapter.name for chapter in chapters}
    ours = [card for card in deck.values() if card.chapter in names]
    then = moment(day, now.tzinfo) if day else None
    by_level = sorted(ours, key=lambda card: LEVELS.index(card.level) if card.level else 0)
    return Outlook(
        tuple(forecast(ours, known, now, then, lambda card: names[card.chapter])),
        tuple(forecast(by_level, known, now, then, lambda card: card.level)),
        day,
    )


def _due(deck: Mapping[str, Card], known: Mapping[str, Memory], now: datetime) -> list[str]:
    count = len(queue(deck, known, now).due)
    cards = "one card is" if count == 1 else f"{count} cards are"
    return [f"{cards} due today: open review.ipynb."] if count else []


def _weak_topics(
    chapters: list[Chapter], deck: Mapping[str, Card], known: Mapping[str, Memory], now: datetime
) -> list[str]:
    """The questions that were begun and are known least."""
    slugs = {chapter.slug for chapter in chapters}
    begun = {deck[card].question for card in known}
    ours = [card for card in deck.values() if card.chapter in slugs and card.question in begun]
    rows = sorted(forecast(ours, known, now, None, lambda card: card.question), key=lambda row: row.today)
    weak = [f"{row.name} ({row.today:.0%})" for row in rows[:WEAKEST] if row.today < WEAK]
    return [f"read again what is known least: {', '.join(weak)}."] if weak else []


def _in_a_row(days: int) -> str:
    return f" {days} days in a row." if days > 1 else ""


def _frame(rows: Sequence[Known]):
    import pandas

    names = [field.name for field in fields(Known)]
    return pandas.DataFrame([asdict(row) for row in rows], columns=names).set_index("name")


def _shares(row: Known, interview: date | None) -> str:
    then = "" if interview is None else f", {row.then:.0%} on {day_name(interview)}"
    return f"{row.seen:.0%} seen, {row.today:.0%} known today{then}"


def _standing(chapter: Chapter, last: dict[str, Answer], tried: set[str], solved: set[str]) -> Standing:
    answers = [last[item] for item in chapter.items if item in last]
    return Standing(
        chapter=chapter.name,
        questions=len(set(chapter.items.values())),
        seen=len({chapter.items[answer.item] for answer in answers}),
        items=len(chapter.items),
        answered=len(answers),
        right=sum(answer.correct for answer in answers),
        sure=sum(answer.correct and answer.sure for answer in answers),
        exercises=len(chapter.exercises),
        tried=len(tried.intersection(chapter.exercises)),
        solved=len(solved.intersection(chapter.exercises)),
    )


def _total(standings: list[Standing]) -> str:
    def total(name):
        return sum(getattr(row, name) for row in standings)

    return (
        f"{total('answered')} of {total('items')} items answered, {total('right')} right at the last try; "
        f"{total('solved')} of {total('exercises')} exercises solved."
    )


def _first_step(chapters: list[Chapter]) -> list[str]:
    for chapter in chapters:
        for question in chapter.items.values():
            return [
                f"open {chapter.slug}.ipynb and read the first question, or see at once what you know "
                f'with `quiz("{question}")`.'
            ]
    return []


def _where_to_go_on(
    chapters: list[Chapter], standings: list[Standing], last: dict[str, Answer], solved: set[str]
) -> list[str]:
    for chapter, standing in zip(chapters, standings, strict=True):
        if standing.is_finished:
            continue
        steps = [f'`quiz("{question}")`' for item, question in chapter.items.items() if item not in last][:1]
        steps += [f"exercise {exercise}" for exercise in chapter.exercises if exercise not in solved][:1]
        return [f"go on with {chapter.name}: {', then '.join(steps)}."]
    return []


def _weakest(chapters: list[Chapter], last: dict[str, Answer]) -> list[str]:
    wrong = [last[item] for chapter in chapters for item in chapter.items if item in last and not last[item].correct]
    # Sure and wrong is what costs an interview, so it comes first.
    wrong.sort(key=lambda answer: not answer.sure)
    calls = [f'`quiz("{answer.item}")`' + (" (you were sure)" if answer.sure else "") for answer in wrong[:WEAKEST]]
    return [f"answer again {', '.join(calls)}."] if calls else []


def _unsolved(chapters: list[Chapter], tried: set[str]) -> list[str]:
    open_ones = [exercise for chapter in chapters for exercise in chapter.exercises if exercise in tried]
    return [f"try again exercise {', '.join(open_ones[:WEAKEST])}."] if open_ones else []


def _cells(row: Standing) -> tuple[str, ...]:
    return (
        row.chapter,
        f"{row.seen}/{row.questions}",
        f"{row.answered}/{row.items}",
        str(row.right),
        f"{100 * row.sure // row.answered}%" if row.answered else "–",
        str(row.tried),
        f"{row.solved}/{row.exercises}",
    )


def _html_row(row: Standing) -> str:
    first, *others = map(escape, _cells(row))
    numbers = "".join(f"<td>{cell}</td>" for cell in others)
    finished = ' class="finished"' if row.is_finished else ""
    return f'<tr{finished}><th scope="row">{first}</th>{numbers}</tr>'


def _with_code(sentence: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence[:1].upper() + sentence[1:], quote=False))
