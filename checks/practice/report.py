"""The report of a mock interview: by topic and level, the time each question took, and what to study."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path

from checks.learner.cards import SAY, WRITE, Card
from checks.learner.journal import default_path
from checks.practice.interview import TIMES, Interview
from checks.practice.sheet import title
from checks.syllabus import LEVELS, QUESTIONS

EXERCISES = "exercises"  # they have no level of their own
PASS = 0.6  # the share of a card at which an interviewer would go on content
FORMS = {SAY: "said", WRITE: "written"}
COLUMNS = ("question", "title", "chapter", "level", "form", "share", "seconds", "expected_seconds")
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse }
th, td { text-align: left; padding: 0.2em 1em 0.2em 0; border-bottom: 1px solid #8886 }
:root { color-scheme: light dark }"""


class Report:
    """What came of an interview: `rows` has a dict per planned card, keyed by `COLUMNS`; unanswered: share is None."""

    def __init__(self, interview: Interview, course: Mapping[str, Card]) -> None:
        self.interview = interview
        self.rows = [self._row(course[card]) for card in interview.plan if card in course]

    def _row(self, card: Card) -> dict:
        step = self.interview.steps.get(card.id)
        return {
            "question": card.id,
            "title": title(card),
            "chapter": card.chapter,
            "level": card.level,
            "form": FORMS.get(card.form, "read"),
            "share": None if step is None else round(step.share, 2),
            "seconds": None if step is None else step.seconds,
            "expected_seconds": TIMES[card.form],
        }

    @property
    def score(self) -> float:
        """The share of what was answered that was right, 0 to 1; 0 where nothing was."""
        shares = [row["share"] for row in self.rows if row["share"] is not None]
        return sum(shares) / len(shares) if shares else 0.0

    @cached_property
    def html(self) -> str:
        """The report as a part of a page."""
        answered = [row for row in self.rows if row["share"] is not None]
        minutes, seconds = divmod(self.interview.elapsed, 60)
        head = (
            f"<p><b>{self.score:.0%}</b> of what you answered · {len(answered)} of {len(self.rows)} questions · "
            f"{minutes}:{seconds:02} of {self.interview.minutes} minutes · {escape(self.interview.role)}</p>"
        )
        if not answered:
            return head + "<p>Nothing was answered, so there is nothing to say yet.</p>"
        groups = self._groups("By topic", lambda row: chapter_name(row["chapter"]))
        groups += self._groups("By level", lambda row: row["level"] or EXERCISES)
        return head + groups + self._questions() + self._study()

    @property
    def page(self) -> str:
        """The report as a page of its own."""
        name = f"Mock interview, {self.interview.at:%Y-%m-%d}"
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title><style>{STYLE}</style>'
            f"<h1>{name}</h1>{self.html}</html>\n"
        )

    @property
    def csv(self) -> str:
        """One row per planned card, with the columns `COLUMNS`."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def _groups(self, name: str, group: Callable[[dict], str]) -> str:
        shares: dict[str, list[float]] = {}
        for row in self.rows:
            if row["share"] is not None:
                shares.setdefault(group(row), []).append(row["share"])
        # Levels in their order, chapters by their numbers.
        levels = (*LEVELS, EXERCISES)
        order = sorted(shares.items(), key=lambda each: (levels.index(each[0]) if each[0] in levels else 0, each[0]))
        body = [(key, str(len(found)), f"{sum(found) / len(found):.0%}") for key, found in order]
        return table(name, ("", "Questions", "Right"), body)

    def _questions(self) -> str:
        body = [
            (
                row["question"],
                row["title"],
                row["form"],
                share(row),
                took(row["seconds"]),
                took(row["expected_seconds"]),
            )
            for row in self.rows
        ]
        return table("Question by question", ("", "", "", "Right", "Took", "Usual"), body)

    def _study(self) -> str:
        weak = [row for row in self.rows if row["share"] is not None and row["share"] < PASS]
        if not weak:
            return "<h3>What to study</h3><p>No answer fell short. Try the next longer one, or the next role.</p>"
        lines = "".join(f"<li>{lesson_link(row)}</li>" for row in weak)
        return f"<h3>What to study</h3><ul>{lines}</ul>"


def saved(report: Report) -> str:
    """Save a report as HTML and CSV in the working folder or beside the journal; says in HTML where, or why not."""
    name = f"mock_interview_{report.interview.at.astimezone():%Y-%m-%d_%H%M}_{report.interview.role}"
    for folder in (Path.cwd(), default_path().parent):
        try:
            (folder / f"{name}.html").write_text(report.page, encoding="utf-8")
            (folder / f"{name}.csv").write_text(report.csv, encoding="utf-8")
        except OSError as error:
            problem = error
            continue
        place = "beside this notebook" if folder == Path.cwd() else f"in {escape(str(folder))}"
        return f"<p>Saved as {name}.html and {name}.csv, {place}.</p>"
    return f"<p>The report could not be saved: {escape(str(problem))}.</p>"


def table(name: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """An HTML table with a heading above it."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h3>{escape(name)}</h3><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def share(row: dict) -> str:
    """How much of a card was right, as shown."""
    return "not answered" if row["share"] is None else f"{row['share']:.0%}"


def took(seconds: float | None) -> str:
    """Seconds as minutes and seconds."""
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def chapter_name(slug: str) -> str:
    """A chapter as it is shown: 13 Query performance."""
    titles = {question.slug: question.chapter_title for question in QUESTIONS.values()}
    return f"{slug[:2]} {titles.get(slug, slug[3:])}"


def lesson_link(row: dict) -> str:
    """Where to read about a card, as a link from the folder of the lessons."""
    folder = "../exercises/" if row["form"] == "written" else ""
    where = f"{folder}{row['chapter']}.ipynb"
    return f"{escape(row['question'])} {escape(row['title'])} ({chapter_link(row['chapter'], where)})"


def chapter_link(slug: str, where: str = "") -> str:
    """A chapter's name, linked to its lesson or to `where`, from the folder of the lessons."""
    return f'<a href="{escape(where or slug + ".ipynb")}" target="_blank">{escape(chapter_name(slug))}</a>'
