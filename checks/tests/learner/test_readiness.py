"""progress() counts what the journal holds against what the course offers, and says what to do next."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from checks.learner import journal as journal_module
from checks.learner.cards import CHOOSE, Card, exercise_ids
from checks.learner.journal import Journal
from checks.learner.readiness import Chapter, outline, progress

READING = Chapter("10_reading_data", "Reading data", {"Q27-1": "Q27", "Q27-2": "Q27", "Q28-1": "Q28"}, ("10.1",))
SPEED = Chapter("13_query_performance", "Query performance", {"Q38-1": "Q38", "Q39-1": "Q39"}, ("13.1", "13.2"))
CHAPTERS = [READING, SPEED]
DECK = {
    item: Card(item, CHOOSE, chapter.slug, question, "basic" if chapter is READING else "advanced", "v")
    for chapter in CHAPTERS
    for item, question in chapter.items.items()
}


@pytest.fixture
def journal(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "_files", {})
    return Journal(tmp_path / "progress.sqlite3", report=lambda sentence: None)


def answer(journal, item, *, correct=True, sure=True):
    journal.answer(item, "v", "1", correct, sure, 2.0)


def attempt(journal, exercise, outcome="correct"):
    journal.attempt(exercise, "v", outcome, "source")


def shown(journal, chapters=CHAPTERS, **options):
    return progress(journal=journal, chapters=chapters, deck=DECK, **options)


def standing(journal, chapter=READING):
    (found,) = [row for row in shown(journal).standings if row.chapter == chapter.name]
    return found


def test_with_nothing_answered_it_says_where_to_begin(journal):
    report = shown(journal)
    assert repr(report) == (
        "Nothing answered yet.\n\nNext: open 10_reading_data.ipynb and read the first question, "
        'or see at once what you know with `quiz("Q27")`.'
    )
    assert "<table" not in report._repr_html_()
    assert '<code>quiz("Q27")</code>' in report._repr_html_()


def test_a_course_without_chapters_says_so_much(journal):
    assert repr(shown(journal, [])) == "Nothing answered yet."


def test_questions_and_items_are_counted_once_however_often_answered(journal):
    for _ in range(3):
        answer(journal, "Q27-1")
    answer(journal, "Q27-2")
    row = standing(journal)
    assert (row.questions, row.seen) == (2, 1)
    assert (row.items, row.answered) == (3, 2)


def test_the_last_try_decides(journal):
    answer(journal, "Q27-1", correct=False)
    answer(journal, "Q27-1", correct=True)
    answer(journal, "Q27-2", correct=True)
    answer(journal, "Q27-2", correct=False)
    assert standing(journal).right == 1


def test_a_lucky_guess_is_right_but_not_sure(journal):
    answer(journal, "Q27-1", correct=True, sure=False)
    answer(journal, "Q27-2", correct=True, sure=True)
    answer(journal, "Q28-1", correct=False, sure=True)
    row = standing(journal)
    assert (row.right, row.sure) == (2, 1)
    assert "33%" in repr(shown(journal))


def test_a_solved_exercise_stays_solved(journal):
    attempt(journal, "13.1", "wrong")
    attempt(journal, "13.1", "correct")
    attempt(journal, "13.1", "error")
    attempt(journal, "13.2", "slow")
    row = standing(journal, SPEED)
    assert (row.exercises, row.tried, row.solved) == (2, 2, 1)


def test_checking_an_untouched_cell_is_not_a_try(journal):
    attempt(journal, "13.1", "not attempted")
    assert repr(shown(journal)).startswith("Nothing answered yet.")


def test_answers_to_items_that_no_longer_exist_do_not_count(journal):
    answer(journal, "Q27-1")
    answer(journal, "Q27-99")
    assert shown(journal).total == ("1 of 5 items answered, 1 right at the last try; 0 of 3 exercises solved.")


def test_next_is_the_first_unfinished_chapter(journal):
    answer(journal, "Q27-1")
    assert shown(journal).next[0] == 'go on with 10 Reading data: `quiz("Q27")`, then exercise 10.1.'
    answer(journal, "Q27-2")
    answer(journal, "Q28-1")
    assert shown(journal).next[0] == "go on with 10 Reading data: exercise 10.1."
    attempt(journal, "10.1")
    assert shown(journal).next[0].startswith('go on with 13 Query performance: `quiz("Q38")`')


def test_sure_and_wrong_is_to_be_answered_again_first(journal):
    answer(journal, "Q27-1", correct=False, sure=False)
    answer(journal, "Q39-1", correct=False, sure=True)
    assert shown(journal).next[1] == 'answer again `quiz("Q39-1")` (you were sure), `quiz("Q27-1")`.'


def test_an_exercise_tried_and_not_solved_is_named(journal):
    attempt(journal, "13.2", "wrong")
    assert shown(journal).next[-1] == "try again exercise 13.2."


def test_with_everything_done_it_says_so(journal):
    for chapter in CHAPTERS:
        for item in chapter.items:
            answer(journal, item)
        for exercise in chapter.exercises:
            attempt(journal, exercise)
    report = shown(journal)
    assert report.next == ["Everything here is answered and solved."]
    assert report._repr_html_().count('class="finished"') == 2


def test_the_text_is_an_aligned_table(journal):
    answer(journal, "Q27-1")
    attempt(journal, "10.1")
    lines = repr(shown(journal)).splitlines()
    assert lines[3].split("  ")[0] == "Chapter"
    assert len({len(line) for line in lines[3:6]}) == 1
    assert lines[4].split() == ["10", "Reading", "data", "1/2", "1/3", "1", "100%", "1", "1/1"]
    assert lines[5].split() == ["13", "Query", "performance", "0/2", "0/2", "0", "–", "0", "0/2"]


def test_the_html_is_well_formed_and_escaped(journal):
    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    answer(journal, "Q27-1", correct=False)
    chapters = [Chapter("10_reading_data", "<b>Reading & data", READING.items)]
    html = shown(journal, chapters)._repr_html_()
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert "&lt;b&gt;Reading &amp; data" in html


def test_the_chapters_are_a_data_frame(journal):
    answer(journal, "Q27-1")
    frame = shown(journal).chapters
    assert list(frame.index) == ["10 Reading data", "13 Query performance"]
    assert frame.loc["10 Reading data", "answered"] == 1


def test_without_pandas_all_but_the_data_frame_works(journal):
    answer(journal, "Q27-1")
    script = """
import sys
from pathlib import Path
sys.modules["pandas"] = None
from checks.learner.journal import Journal
from checks.learner.readiness import Chapter, progress
chapters = [Chapter("10_reading_data", "Reading data", {"Q27-1": "Q27"})]
report = progress(journal=Journal(Path(sys.argv[1])), chapters=chapters, deck={})
print(repr(report), report._repr_html_())
"""
    out = subprocess.check_output([sys.executable, "-X", "utf8", "-c", script, str(journal.path)], encoding="utf-8")
    assert "1 of 1 items answered" in out
    assert "<table>" in out


NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def learned(journal, *items, days_ago=0):
    for item in items:
        journal.answer(item, "v", "1", True, True, 2.0, at=NOON - timedelta(days=days_ago))


def test_what_was_not_seen_is_not_known(journal):
    learned(journal, "Q27-1")
    rows = {row.name: row for row in shown(journal, now=NOON).outlook.chapters}
    assert rows["10 Reading data"].seen == pytest.approx(1 / 3)
    assert rows["10 Reading data"].today == pytest.approx(1 / 3, abs=0.001)
    assert rows["13 Query performance"].today == 0


def test_what_is_known_fades(journal):
    learned(journal, "Q27-1", "Q27-2", "Q28-1", days_ago=30)
    (reading, _) = shown(journal, now=NOON).outlook.chapters
    assert reading.seen == 1
    assert 0.5 < reading.today < 0.8


def test_levels_are_told_apart(journal):
    learned(journal, "Q27-1", "Q27-2", "Q28-1")
    rows = {row.name: row for row in shown(journal, now=NOON).outlook.levels}
    assert list(rows) == ["basic", "advanced"]
    assert (rows["basic"].seen, rows["advanced"].seen) == (1, 0)
    assert list(shown(journal, now=NOON).levels.index) == ["basic", "advanced"]


def test_the_day_of_the_interview_is_kept_and_looked_ahead_to(journal):
    learned(journal, "Q27-1", "Q27-2", "Q28-1", "Q38-1", "Q39-1")
    assert shown(journal, now=NOON).outlook.total == "Known today: 100% of the course."
    shown(journal, interview="2026-04-09", now=NOON)
    report = shown(journal, now=NOON)
    assert report.outlook.interview == date(2026, 4, 9)
    assert report.outlook.total == "Known today: 100% of the course; on 9 April, without review: 67%."
    assert "On 9 April" in report._repr_html_()
    assert report.chapters.loc["10 Reading data", "then"] == pytest.approx(0.68, abs=0.01)


def test_a_day_that_is_over_is_no_longer_looked_ahead_to(journal):
    learned(journal, "Q27-1")
    shown(journal, interview="2026-03-10", now=NOON)
    assert shown(journal, now=NOON).outlook.interview == date(2026, 3, 10)
    assert shown(journal, now=NOON + timedelta(days=1)).outlook.interview is None


@pytest.mark.parametrize(
    ("day", "says"),
    [("tomorrow", 'progress\\(interview="2026-03-10"\\)'), (7, "is not a day"), ("2026-03-09", "is over")],
)
def test_a_day_that_cannot_be_is_refused_and_the_old_one_kept(journal, day, says):
    shown(journal, interview="2026-05-01", now=NOON)
    with pytest.raises(ValueError, match=says):
        shown(journal, interview=day, now=NOON)
    learned(journal, "Q27-1")
    assert shown(journal, now=NOON).outlook.interview == date(2026, 5, 1)


def test_the_review_is_named_when_something_is_due(journal):
    learned(journal, "Q27-1", "Q28-1", days_ago=9)
    assert shown(journal, now=NOON).next[0] == "2 cards are due today: open review.ipynb."


def test_what_is_known_least_comes_first(journal):
    learned(journal, "Q27-1", "Q27-2", days_ago=60)
    learned(journal, "Q38-1", days_ago=150)
    (weak,) = [sentence for sentence in shown(journal, now=NOON).next if "known least" in sentence]
    assert weak.index("Q38") < weak.index("Q27")


def test_days_in_a_row_are_counted_and_a_pause_is_not_mentioned(journal):
    learned(journal, "Q27-1", days_ago=4)
    learned(journal, "Q27-2", days_ago=2)
    learned(journal, "Q28-1", days_ago=1)
    assert shown(journal, now=NOON).total.endswith("solved. 2 days in a row.")
    assert shown(journal, now=NOON + timedelta(days=3)).total.endswith("solved.")


def test_a_journal_that_cannot_be_written_is_said_first(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "_files", {})
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "progress.sqlite3", report=lambda sentence: None)
    answer(journal, "Q27-1")
    report = shown(journal)
    assert repr(report).splitlines()[0] == journal.problem
    assert 'class="problem"' in report._repr_html_()
    assert "1 of 5 items answered" in report.total


def test_exercise_ids_are_read_from_the_cell_headers(tmp_path):
    source = tmp_path / "13_query_performance.py"
    source.write_text(
        '# %% [markdown] exercise="13.2"\n# see exercise="13.9"\n# %% exercise="13.2" role="answer"\nx = 1\n'
        '# %% [markdown] tags=["a"] exercise="13.10"\n# %%\n',
        encoding="utf-8",
    )
    assert exercise_ids(source) == ("13.2", "13.10")


def test_the_outline_is_the_course_as_it_is():
    chapters = outline()
    assert [chapter.slug for chapter in chapters] == sorted(chapter.slug for chapter in chapters)
    (chapter,) = [chapter for chapter in chapters if chapter.slug == "13_query_performance"]
    assert chapter.name == "13 Query performance"
    assert chapter.items["Q38-1"] == "Q38"
    assert "13.1" in chapter.exercises
    assert all(item.startswith(question) for item, question in chapter.items.items())
    assert all(chapter.items or chapter.exercises for chapter in chapters)
