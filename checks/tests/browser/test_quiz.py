"""A learner and a quiz in a real JupyterLab."""

import json
import re
from itertools import islice

import pytest

from checks.course.browser import write_notebook
from checks.learner.journal import Journal
from checks.quizzes import widget
from checks.quizzes.fallback import shown
from checks.quizzes.seal import arranged, numbers
from checks.tests.quizzes.sample import ITEMS, MULTIPLE, NUMBER, ORDER, PREDICT, SINGLE

QUIZ = """
from checks.quizzes.widget import Quiz
from checks.tests.quizzes.sample import ITEMS
Quiz("Q36", ITEMS)
"""
AA = 4.5


@pytest.fixture
def quiz(lab, folder):
    """The sample quiz between two other cells, run and ready."""
    write_notebook(folder / "quiz.ipynb", ["before = 1", QUIZ, "after = 2"])
    lab.open("quiz.ipynb")
    lab.run_all()
    card = lab.quizzes()
    card.wait_for()
    return card


@pytest.fixture
def journal(home):
    """The learner's journal, without what other tests left there."""
    path = home / "progress.sqlite3"
    before = {row.key for row in Journal(path).answers()} if path.exists() else set()
    return lambda: [row for row in Journal(path).answers() if row.key not in before]


def plain(text):
    return text.replace("`", "").replace("*", "")


def choice(quiz, text):
    return quiz.get_by_role("radio", name=plain(text)).or_(quiz.get_by_role("checkbox", name=plain(text)))


def button(quiz, name):
    return quiz.get_by_role("button", name=name, exact=True)


def place(item, text):
    """The digit key of a choice when the item is asked for the first time."""
    (index,) = [index for index, each in enumerate(shown(item)) if each.text.startswith(text)]
    return str(index + 1)


def status(quiz):
    return quiz.locator("[role=status].dq-feedback")


# --- by mouse -------------------------------------------------------------------------------------------------------


def test_a_wrong_answer_shows_its_reason_only_and_can_be_tried_again(quiz, journal):
    right, wrong = SINGLE.choices[0], SINGLE.choices[3]
    choice(quiz, wrong.text).check()
    button(quiz, "Sure").click()
    assert "Not right. You were sure" in status(quiz).inner_text()
    assert plain(wrong.explain) in quiz.inner_text()
    assert plain(right.explain) not in quiz.inner_text()

    button(quiz, "Try again").click()
    assert status(quiz).inner_text() == ""
    choice(quiz, right.text).check()
    button(quiz, "Not sure").click()
    assert "Right. You knew more than you thought" in status(quiz).inner_text()
    for each in SINGLE.choices:
        assert plain(each.explain) in quiz.inner_text()

    quiz.get_by_text("✓ Saved").wait_for()
    assert [(row.item, row.given, row.correct, row.sure) for row in journal()] == [
        ("Q36-1", wrong.key, False, True),
        ("Q36-1", right.key, True, False),
    ]


def test_nothing_is_submitted_without_an_answer(quiz, lab, journal):
    quiz.get_by_role("radio").first.focus()
    lab.page.keyboard.press("s")
    assert status(quiz).inner_text() == "Choose first, then say how sure you are."
    assert button(quiz, "Try again").count() == 0
    assert journal() == []


def test_the_choices_change_places_for_the_next_attempt(quiz):
    def order():
        return quiz.locator("[data-key]").evaluate_all("rows => rows.map(row => row.dataset.key)")

    assert order() == [each.key for each in shown(SINGLE)]
    choice(quiz, SINGLE.choices[1].text).check()
    button(quiz, "Sure").click()
    assert order() == [each.key for each in shown(SINGLE)]
    button(quiz, "Try again").click()
    by_key = sorted(each.key for each in SINGLE.choices)
    assert order() == arranged(by_key, "Q36-1/1")


def test_the_answer_can_be_shown(quiz):
    button(quiz, "Next ›").click()
    choice(quiz, MULTIPLE.choices[0].text).check()
    button(quiz, "Not sure").click()
    assert "One is still missing." in status(quiz).inner_text()
    button(quiz, "Show the answer").click()
    assert "The answer." in status(quiz).inner_text()
    assert quiz.locator(".dq-choice.dq-shown").count() == 2


def test_rows_are_moved_by_their_buttons(quiz):
    for _ in range(3):
        button(quiz, "Next ›").click()
    first, second = shown(ORDER)[:2]
    button(quiz, f"Move down: {plain(first.text)}").click()
    keys = quiz.locator("[data-key]").evaluate_all("rows => rows.map(row => row.dataset.key)")
    assert keys[:2] == [second.key, first.key]


def test_one_can_go_back_and_forth_and_finds_the_answer_there(quiz):
    choice(quiz, SINGLE.choices[0].text).check()
    button(quiz, "Sure").click()
    button(quiz, "Next question").click()
    button(quiz, "‹ Previous").click()
    assert "Right." in status(quiz).inner_text()
    assert choice(quiz, SINGLE.choices[0].text).is_checked()


# --- by keyboard, which never reaches the notebook ----------------------------------------------------------------


def untouched(lab):
    return [source.strip() for source in lab.cells()] == ["before = 1", QUIZ.strip(), "after = 2"]


def everything_is_saved(lab):
    """Wait until the kernel has confirmed every answer. An idle kernel may not have got the last one yet."""
    lab.page.wait_for_function("() => localStorage.getItem('django-interview-course.unsaved') === '{}'")


def test_every_kind_is_answered_by_keyboard_up_to_the_score(quiz, lab, journal):
    press = lab.page.keyboard.press
    quiz.get_by_role("radio").first.focus()
    active = lab.active_cell()
    press(place(SINGLE, "It raises"))
    press("s")
    assert "Right." in status(quiz).inner_text()
    press("Enter")

    press(place(MULTIPLE, "The column"))
    press(place(MULTIPLE, "`select_related`"))
    press("Enter")  # to the buttons
    press("ArrowRight")
    press("Enter")
    assert "Right. You knew more" in status(quiz).inner_text()
    press("Enter")

    lab.page.keyboard.type("1")
    press("s")
    assert "Right." in status(quiz).inner_text()
    press("Enter")

    for position, wanted in enumerate(ORDER.choices):
        rows = quiz.locator(".dq-row")
        keys = rows.evaluate_all("rows => rows.map(row => row.dataset.key)")
        rows.nth(keys.index(wanted.key)).focus()
        press(str(position + 1))
    press("s")
    assert "Right." in status(quiz).inner_text()
    press("Enter")

    lab.page.keyboard.type("false")
    press("Enter")
    press("Enter")
    assert "Not right. It is True." in status(quiz).inner_text()
    press("Enter")

    assert "4 of 5 right at the first try" in quiz.inner_text()
    assert "Sure, and wrong: Q36-5." in quiz.inner_text()
    assert "Right, but not sure: Q36-2." in quiz.inner_text()
    assert untouched(lab)
    assert lab.active_cell() == active
    everything_is_saved(lab)
    assert [(row.item, row.correct, row.sure) for row in journal()] == [
        ("Q36-1", True, True),
        ("Q36-2", True, False),
        ("Q36-3", True, True),
        ("Q36-4", True, True),
        ("Q36-5", False, True),
    ]


@pytest.mark.parametrize("where", ["radio", "prompt", "answered", "input", "row", "score"])
def test_no_key_reaches_the_notebook(quiz, lab, where):
    if where == "radio":
        quiz.get_by_role("radio").first.click()
    elif where == "prompt":
        quiz.locator(".dq-prompt").click()
    elif where == "answered":
        quiz.get_by_role("radio").first.click()
        button(quiz, "Sure").click()
    else:
        for _ in range({"input": 2, "row": 3, "score": 5}[where]):
            quiz.locator(".dq-foot").get_by_role("button").last.click()
    active = lab.active_cell()
    for key in ("ArrowDown", "ArrowDown", "d", "d", "a", "b", "x", "1", "m", "ArrowUp", "0", "0", "Escape", "d", "d"):
        lab.page.keyboard.press(key)
    assert untouched(lab)
    assert lab.active_cell() == active
    assert lab.page.evaluate("() => document.querySelector('.dq').contains(document.activeElement)")


def test_saving_the_notebook_works_from_within_the_quiz(quiz, lab):
    quiz.get_by_role("radio").first.click()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert untouched(lab)


def test_arrows_choose_among_radios_and_move_rows(quiz, lab):
    quiz.get_by_role("radio").first.focus()
    lab.page.keyboard.press("ArrowDown")
    assert quiz.get_by_role("radio").nth(1).is_checked()
    for _ in range(3):
        button(quiz, "Next ›").click()
    first, second = shown(ORDER)[:2]
    quiz.locator(".dq-row").first.focus()
    lab.page.keyboard.press("Shift+ArrowDown")
    assert quiz.locator(".dq-row").evaluate_all("rows => rows.map(row => row.dataset.key)")[:2] == [
        second.key, first.key,
    ]  # fmt: skip
    assert quiz.locator("[aria-live]", has_text="Now 2 of 4.").count() == 1


# --- for everyone --------------------------------------------------------------------------------------------------


def test_controls_have_names_and_feedback_is_announced(quiz):
    group = quiz.get_by_role("group", name=re.compile("A Profile has .*Choose one"))
    assert group.get_by_role("radio").count() == 4
    assert status(quiz).get_attribute("aria-live") == "polite"
    button(quiz, "Next ›").click()
    button(quiz, "Next ›").click()
    assert quiz.get_by_label("Answer with a number").get_attribute("type") == "text"


def test_right_and_wrong_are_told_by_words_too(quiz):
    choice(quiz, SINGLE.choices[3].text).check()
    button(quiz, "Sure").click()
    assert "wrong:" in quiz.locator(".dq-choice.dq-wrong").inner_text()
    assert quiz.get_by_role("listitem", name="Item 1: wrong").count() == 1


def test_focus_is_visible(quiz, lab):
    def outlined(selector):
        return quiz.locator(selector).evaluate(
            "element => { const { outlineStyle, outlineWidth } = getComputedStyle(element);"
            " return `${outlineStyle} ${outlineWidth}` }"
        )

    quiz.get_by_role("radio").first.focus()
    lab.page.keyboard.press("ArrowDown")
    assert outlined(".dq-choice:has(:focus)") == "solid 2px"
    lab.page.keyboard.press("Tab")
    assert outlined("button:focus") == "solid 2px"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_enough_contrast_in_every_state(quiz, lab, theme):
    lab.theme(theme)
    seen = set()

    def check():
        pairs = lab.contrasts(quiz)
        seen.update(text for text, _ in pairs)
        assert [(text, round(ratio, 2)) for text, ratio in pairs if ratio < AA] == []

    check()
    choice(quiz, SINGLE.choices[3].text).check()
    check()
    button(quiz, "Sure").click()
    check()
    button(quiz, "Try again").click()
    choice(quiz, SINGLE.choices[0].text).check()
    button(quiz, "Sure").click()
    check()
    for item in (MULTIPLE, NUMBER, ORDER, PREDICT):
        quiz.get_by_role("button", name=re.compile("^Next")).click()
        check()
        if item is MULTIPLE:
            choice(quiz, item.choices[0].text).check()
        elif not item.choices:
            quiz.get_by_role("textbox").fill("7")
        button(quiz, "Sure").click()
        check()
        if button(quiz, "Show the answer").count():
            button(quiz, "Show the answer").click()
            check()
    button(quiz, "See your score").click()
    check()
    assert {"✓", "✗", "Sure", "# one per user", "Start over"} <= seen


def test_nothing_moves_for_those_who_ask_for_that(quiz, lab):
    def durations():
        return quiz.locator("*").evaluate_all(
            "all => [...new Set(all.map(one => getComputedStyle(one)).map(s => `${s.transitionDuration}"
            " ${s.animationName}`))]"
        )

    assert durations() != ["0s none"]
    lab.page.emulate_media(reduced_motion="reduce")
    assert durations() == ["0s none"]


# --- the page and the kernel ----------------------------------------------------------------------------------------


def test_the_page_draws_the_same_numbers_as_the_seals(lab, quiz):
    source = (widget.STATIC / "quiz.js").read_text(encoding="utf-8")
    drawn = lab.page.evaluate(
        """async source => {
            const quiz = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
            const seeds = ['', 'a', 'Q38-1/0', 'Q38-1/87da09384fdb/answer'];
            return seeds.map(seed => {
                const draw = quiz.numbers(seed);
                return [Array.from({ length: 50 }, draw), quiz.arranged(['a', 'b', 'c', 'd', 'e'], seed)];
            });
        }""",
        source,
    )
    for seed, (some, order) in zip(["", "a", "Q38-1/0", "Q38-1/87da09384fdb/answer"], drawn, strict=True):
        assert some == list(islice(numbers(seed), 50))
        assert order == arranged("abcde", seed)


def test_neither_page_nor_notebook_tells_a_reason_before_the_answer(quiz, lab):
    page, notebook = lab.page.content(), json.dumps(lab.save())
    for item in ITEMS:
        for reason in [item.explain, *(each.explain for each in item.choices)]:
            telling = max(re.split("[`*]", reason), key=len)
            assert not telling or telling not in page + notebook
    assert "seals" not in page + notebook
    assert "widget-state" not in notebook


def test_a_prediction_is_followed_by_what_the_code_prints(quiz):
    for _ in range(4):
        button(quiz, "Next ›").click()
    assert quiz.locator(".dq-output").count() == 0
    quiz.get_by_role("textbox").fill("False")
    button(quiz, "Not sure").click()
    quiz.get_by_text("What it printed just now:").wait_for()
    assert quiz.locator(".dq-output pre").inner_text() == "True\n0 queries"
    assert button(quiz, "See your score").evaluate("button => button === document.activeElement")


def test_without_a_kernel_feedback_comes_all_the_same_and_the_next_quiz_saves_the_answer(quiz, lab, journal):
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    choice(quiz, SINGLE.choices[0].text).check()
    button(quiz, "Sure").click()
    assert "Right." in status(quiz).inner_text()
    quiz.get_by_text("Not saved yet: kept in this browser").wait_for()
    assert journal() == []

    lab.page.reload()
    lab.open("quiz.ipynb")
    lab.run_all()
    everything_is_saved(lab)
    assert [(row.item, row.correct) for row in journal()] == [("Q36-1", True)]


def test_a_journal_that_fails_is_told_in_one_line_and_the_quiz_goes_on(lab, folder):
    broken = "class Broken:\n    problem = 'The disk is full.'\n    def answer(self, *a, **k): return ''\n"
    write_notebook(folder / "broken.ipynb", [broken + QUIZ.replace("ITEMS)", "ITEMS, Broken())")])
    lab.open("broken.ipynb")
    lab.run_all()
    quiz = lab.quizzes()
    choice(quiz, SINGLE.choices[0].text).check()
    button(quiz, "Sure").click()
    quiz.get_by_text("Not saved: The disk is full.").wait_for()
    button(quiz, "Next question").click()
    assert quiz.get_by_role("checkbox").count() == 4
