"""The review, the mock interview and the placement in a real JupyterLab, by keyboard alone."""

from datetime import UTC, datetime, timedelta

import pytest

from checks.course.browser import write_notebook
from checks.exercises import source as exercises
from checks.learner.journal import Journal
from checks.practice.interview import interviews
from checks.quizzes import bank, rubric

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def journal(home):
    """The learner's journal, empty."""
    for path in home.glob("progress.sqlite3*"):
        path.unlink()
    return Journal(home / "progress.sqlite3")


@pytest.fixture
def deck(lab, folder):
    """Runs a cell between two others and gives the deck that it shows."""

    def run(call):
        write_notebook(folder / "practice.ipynb", ["before = 1", f"from checks import *\n{call}", "after = 2"])
        lab.open("practice.ipynb")
        lab.run_all()
        card = lab.quizzes()
        card.wait_for()
        card.focus()
        return card

    return run


def feedback(card):
    return card.locator("[role=status].dq-feedback")


def focused(lab):
    return lab.page.evaluate("() => document.activeElement.textContent || document.activeElement.className")


def heading(card):
    return card.locator(".dq-prompt").inner_text()


def saved(lab):
    lab.page.wait_for_function("() => localStorage.getItem('django-interview-course.unsaved') === '{}'")


def missed(journal, item):
    journal.answer(item.id, item.version, "", False, True, 5, at=YESTERDAY)


def test_a_card_to_say_is_said_first_and_rated_by_its_points(lab, deck, journal):
    item = next(item for item in bank.load().values() if item.question == "Q38" and item.kind == "single")
    journal.answer(item.id, item.version, item.solution, True, True, 5, at=datetime.now(UTC) - timedelta(hours=7))
    card = deck("review()")
    press = lab.page.keyboard.press
    assert "You have answered its quiz: now say it aloud" in card.inner_text()
    assert card.get_by_role("checkbox").count() == 0
    lab.page.keyboard.press("Tab")
    assert "show the points" in focused(lab)
    press("Enter")
    points = rubric.load()["Q38"].points
    assert card.get_by_role("checkbox").count() == len(points)
    press("1")
    press("3")
    press("s")
    assert f"2 of {len(points)} points" in feedback(card).inner_text()
    assert card.locator(".dq-choice.dq-right").count() == 2
    assert card.locator(".dq-choice.dq-missed").count() == len(points) - 2
    press("Enter")
    card.get_by_text("1 card reviewed today").wait_for()
    saved(lab)
    (row,) = journal.recitals("Q38")
    assert row.met.split() == [points[0].key, points[2].key]
    assert row.points == len(points)
    assert lab.cells()[0] == "before = 1"


def test_code_is_written_checked_and_kept_until_it_is_right(lab, deck, journal):
    exercise = exercises.find("10.1")
    journal.attempt("10.1", exercise.version, "wrong", "", at=YESTERDAY)
    card = deck("review()")
    assert "Not known" in card.inner_text()
    editor = card.get_by_role("textbox")
    editor.focus()
    lab.page.keyboard.press("Control+a")
    lab.page.keyboard.insert_text("answer = (")
    lab.page.reload()

    card = deck("review()")
    assert card.get_by_role("textbox").input_value() == "answer = ("
    card.get_by_role("textbox").focus()
    lab.page.keyboard.press("Control+Enter")
    card.locator(".dq-checked").get_by_text("10.1 error").wait_for()
    lab.page.keyboard.press("Control+a")  # the focus is where it was
    lab.page.keyboard.insert_text(exercise.solution)
    lab.page.keyboard.press("Control+Enter")
    card.locator(".dq-checked").get_by_text("10.1 correct").wait_for()
    assert card.get_by_role("button", name="Finish", exact=True).evaluate("it => it === document.activeElement")
    assert [row.outcome for row in journal.attempts("10.1")] == ["wrong", "error", "correct"]
    assert lab.page.evaluate("() => JSON.parse(localStorage.getItem('django-interview-course.drafts'))") == {}


def test_tab_indents_and_escape_leaves_the_editor(lab, deck, journal):
    journal.attempt("10.1", exercises.find("10.1").version, "wrong", "", at=YESTERDAY)
    card = deck("review()")
    editor = card.get_by_role("textbox")
    editor.focus()
    lab.page.keyboard.press("Control+a")
    lab.page.keyboard.press("Tab")
    assert editor.input_value() == "    "
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("Tab")
    assert "Check" in focused(lab)


def test_nothing_is_asked_twice_in_one_review(lab, deck, journal):
    items = [item for item in bank.load().values() if item.kind == "single"][:2]
    for item in items:
        missed(journal, item)
    card = deck("review()")
    lab.page.keyboard.press("1")
    lab.page.keyboard.press("s")
    assert card.get_by_role("button", name="Try again").count() == 0
    saved(lab)
    assert len(journal.answers()) == 3


def test_after_a_miss_the_review_shows_the_answer_to_who_asks(lab, deck, journal):
    item = next(item for item in bank.load().values() if item.kind == "single")
    missed(journal, item)
    card = deck("review()")
    wrong = next(choice.key for choice in item.choices if choice.key != item.solution)
    card.locator(f'[data-key="{wrong}"] input').click()
    lab.page.keyboard.press("s")
    lab.page.keyboard.press("Tab")
    assert focused(lab) == "Show the answer"
    lab.page.keyboard.press("Enter")
    assert card.locator(".dq-choice.dq-shown").get_attribute("data-key") == item.solution
    assert focused(lab) == "Next question"
    saved(lab)
    assert len(journal.answers()) == 2


def test_the_placement_goes_on_until_its_plan_and_gets_harder_after_a_right_answer(lab, deck, journal):
    card = deck("placement(days=3)")
    press = lab.page.keyboard.press
    press("Tab")
    assert focused(lab) == "Begin"
    press("Enter")
    for number in range(1, 21):
        card.get_by_text(f"{number} of 20").wait_for()
        card.locator(".dq-asks").first.wait_for()  # the next item comes from the kernel
        kind = "text" if card.locator(".dq-input").count() else "choices"
        if kind == "text":
            lab.page.keyboard.type("1")
            press("Enter")
            press("Enter")
        elif card.locator(".dq-row").count():
            card.locator(".dq-row").first.focus()
            press("s")
        else:
            press("1")
            press("n")
        card.get_by_role("button", name="Next question").or_(card.get_by_role("button", name="Finish")).wait_for()
        press("Enter")
    card.get_by_text("Where you stand").wait_for()
    assert "Day 3" in card.inner_text()
    saved(lab)
    assert len({row.item for row in journal.answers()}) == 20


def test_an_interview_is_resumed_after_a_restart_and_ends_with_a_report(lab, deck, journal, folder):
    card = deck('mock_interview("mid", 15)')
    press = lab.page.keyboard.press
    assert "15 minutes, mid" in card.inner_text()
    press("Tab")
    press("Enter")
    card.get_by_text("left").first.wait_for()
    assert "14:" in card.locator(".dq-clock").inner_text() or "15:00" in card.locator(".dq-clock").inner_text()
    first = heading(card)
    press("Tab")
    card.get_by_role("button", name="show the points").focus()
    press("Enter")
    press("1")
    press("s")
    saved(lab)
    lab.restart()

    card = deck('mock_interview("mid", 15)')
    assert "You have an interview to finish" in card.inner_text()
    assert "1 of" in card.inner_text()
    card.get_by_role("button", name="Begin").focus()
    press("Enter")
    assert heading(card) != first
    card.get_by_text("2 of").first.wait_for()
    card.get_by_role("button", name="Pause").focus()
    press("Enter")
    assert "The clock stands still" in card.inner_text()
    press("Enter")
    card.get_by_role("button", name="End now").focus()
    press("Enter")
    card.get_by_text("What to study").wait_for()
    (interview,) = interviews(journal.events()).values()
    assert interview.finished
    assert len(interview.steps) == 1
    (page,) = folder.glob("mock_interview_*_mid.html")
    assert "What to study" in page.read_text(encoding="utf-8")
    (rows,) = folder.glob("mock_interview_*_mid.csv")
    assert rows.read_text(encoding="utf-8").startswith("question,title,chapter,level,form,share,seconds")
