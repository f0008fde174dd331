"""The report of an interview says how it went, how long it took and what to read, and is saved."""

import csv
from datetime import UTC, datetime

import pytest

from checks.learner.cards import cards
from checks.practice.interview import Interview, Step
from checks.practice.report import COLUMNS, Report, saved, took

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = ("Q38", "Q38-1", "10.1", "Q27-1")


def report(*steps, elapsed=600):
    interview = Interview("interview/1", NOON, "mid", 15, PLAN, {step.card: step for step in steps}, elapsed)
    return Report(interview, cards())


STEPS = [Step("Q38", 0.5, 200), Step("Q38-1", 1.0, 61), Step("10.1", 0.0, None)]


def test_rows_are_the_plan_answered_or_not():
    rows = report(*STEPS).rows
    assert [row["question"] for row in rows] == list(PLAN)
    assert [row["share"] for row in rows] == [0.5, 1.0, 0.0, None]
    assert [row["form"] for row in rows] == ["said", "read", "written", "read"]
    assert rows[0]["level"] == "intermediate"
    assert rows[3]["seconds"] is None


def test_the_score_is_of_what_was_answered():
    assert report(*STEPS).score == 0.5
    assert report().score == 0


def test_the_page_has_topic_level_time_and_what_to_read():
    html = report(*STEPS).html
    assert "<b>50%</b> of what you answered · 3 of 4 questions · 10:00 of 15 minutes · mid" in html
    assert "<td>13 Query performance</td><td>2</td><td>75%</td>" in html
    assert "<td>intermediate</td><td>2</td><td>75%</td>" in html
    assert "<td>3:20</td><td>3:00</td>" in html
    assert "not answered" in html
    study = html.partition("What to study")[2]
    assert 'href="13_query_performance.ipynb"' in study
    assert 'href="../exercises/10_reading_data.ipynb"' in study
    assert "Q38-1" not in study


def test_nothing_fell_short():
    assert "No answer fell short" in report(Step("Q38", 1.0, 60)).html


def test_an_interview_without_answers_is_reported_as_such():
    assert "Nothing was answered" in report().html


def test_cards_that_the_course_no_longer_has_are_left_out():
    gone = Interview("interview/1", NOON, "mid", 15, ("Q38", "Q99-1"), {"Q99-1": Step("Q99-1", 1, 1)}, 1)
    assert [row["question"] for row in Report(gone, cards()).rows] == ["Q38"]


def test_it_is_saved_as_page_and_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Saved as mock_interview_2026-03-01_" in saved(report(*STEPS))
    (page,) = tmp_path.glob("*.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    (table,) = tmp_path.glob("*.csv")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["share"] for row in rows] == ["0.5", "1.0", "0.0", ""]


def test_where_the_folder_is_read_only_it_goes_beside_the_journal(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.setattr("checks.practice.report.Path.cwd", lambda: tmp_path / "missing")
    assert str(tmp_path) in saved(report(*STEPS))
    assert len(list(tmp_path.glob("mock_interview_*"))) == 2


def test_where_nothing_can_be_written_it_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "missing"))
    monkeypatch.setattr("checks.practice.report.Path.cwd", lambda: tmp_path / "gone")
    assert "could not be saved" in saved(report(*STEPS))


@pytest.mark.parametrize(("seconds", "shown"), [(None, ""), (0.4, "0:00"), (61, "1:01"), (600, "10:00")])
def test_times_are_minutes_and_seconds(seconds, shown):
    assert took(seconds) == shown
