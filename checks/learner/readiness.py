"""Where a learner stands: what ``progress()`` shows.

It reads the journal and the outline of the course (which chapters, items and exercises exist) and says, per chapter,
what was answered and solved, and then what to do next.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from html import escape
from pathlib import Path

from checks.learner.journal import Answer, Journal

COURSE = Path(__file__).resolve().parents[2]
WEAKEST = 5  # as many as one sits down to answer again


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


class Progress:
    """Where a learner stands; shows itself in a notebook and as text.

    ``standings`` has one Standing per chapter, ``total`` one line, ``next`` the sentences on what to do next,
    ``problem`` why progress is not being saved (or None).
    """

    def __init__(self, standings: Sequence[Standing], total: str, next: Sequence[str], problem: str | None = None):
        self.standings = list(standings)
        self.total = total
        self.next = list(next)
        self.problem = problem

    @property
    def chapters(self):
        """The standings as a pandas DataFrame, one row per chapter. Needs pandas."""
        import pandas

        names = [field.name for field in fields(Standing)]
        return pandas.DataFrame([asdict(row) for row in self.standings], columns=names).set_index("chapter")

    def __repr__(self) -> str:
        lines = [self.problem, ""] if self.problem else []
        lines += [self.total, ""]
        if self.standings:
            rows = [HEADINGS, *map(_cells, self.standings)]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for first, *others in rows:
                numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
                lines.append("  ".join([first.ljust(widths[0]), *numbers]))
            lines.append("")
        return "\n".join(lines + [f"Next: {sentence}" for sentence in self.next]).rstrip()

    def _repr_html_(self) -> str:
        parts = [f'<p class="problem">{escape(self.problem)}</p>'] if self.problem else []
        parts.append(f"<p>{escape(self.total)}</p>")
        if self.standings:
            head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
            body = "".join(_html_row(row) for row in self.standings)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if self.next:
            parts.append("<ul>" + "".join(f"<li>{_with_code(sentence)}</li>" for sentence in self.next) + "</ul>")
        return f'<div class="course-progress"><style>{STYLE}</style>{"".join(parts)}</div>'


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
.course-progress th:first-child { text-align: left }
.course-progress .finished th::after { content: " ✓"; color: var(--jp-success-color1, #1b7e3c) }
.course-progress .problem { border-left: 4px solid var(--jp-error-color1, #c62828); padding-left: 0.6em }
"""


def progress(journal: Journal | None = None, chapters: Iterable[Chapter] | None = None) -> Progress:
    """Where one stands, chapter by chapter, and what to do next.

    ``journal`` is the learner's own by default; ``chapters`` what the course offers (see ``outline``).
    """
    journal = Journal() if journal is None else journal
    chapters = outline() if chapters is None else list(chapters)
    last: dict[str, Answer] = {answer.item: answer for answer in journal.answers()}
    tried, solved = set(), set()
    for attempt in journal.attempts():
        # Running an untouched cell is not a try.
        if attempt.outcome != "not attempted":
            tried.add(attempt.exercise)
        if attempt.outcome == "correct":
            solved.add(attempt.exercise)
    standings = [_standing(chapter, last, tried, solved) for chapter in chapters]
    if not any(row.answered or row.tried for row in standings):
        return Progress([], "Nothing answered yet.", _first_step(chapters), journal.problem)
    advice = [
        *_where_to_go_on(chapters, standings, last, solved),
        *_weakest(chapters, last),
        *_unsolved(chapters, tried - solved),
    ]
    return Progress(
        standings, _total(standings), advice or ["Everything here is answered and solved."], journal.problem
    )


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


def exercise_ids(path: Path) -> tuple[str, ...]:
    """The ids of the exercises in one source, in the order they are written.

    Read from the cell headers alone: parsing the cells takes a hundred times longer.
    """
    found = re.findall(r'^# %%.*\bexercise="([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(dict.fromkeys(found))


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
