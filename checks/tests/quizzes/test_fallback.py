"""Without a widget a quiz can still be read, and does not tell its answers."""

from dataclasses import replace

from checks.quizzes import fallback
from checks.tests.quizzes.sample import ITEMS, NUMBER, ORDER, PREDICT, SINGLE


def test_the_line_names_the_quiz_and_says_what_to_do():
    assert fallback.line("Q36", ITEMS) == "Quiz Q36 · 5 items · run this cell to answer"
    assert fallback.line("Q36-1", ITEMS[:1]) == "Quiz Q36-1 · 1 item · run this cell to answer"


def test_the_page_shows_prompts_and_code_and_folds_the_choices():
    page = fallback.page("Q36", ITEMS)
    assert "What does <code>u.profile</code> do?" in page
    assert "<pre>class Profile(models.Model):" in page
    assert page.count("<details><summary>") == 3
    assert page.count("<li>") == 12


def test_the_page_tells_neither_answers_nor_reasons():
    page = fallback.page("Q36", ITEMS)
    for item in ITEMS:
        assert not item.explain or item.explain not in page
        assert all(choice.explain not in page for choice in item.choices)
    assert "correct" not in page
    assert "True" not in fallback.page("Q36-5", [PREDICT])
    assert fallback.page("Q36-3", [replace(NUMBER, answer=2)]) == fallback.page("Q36-3", [NUMBER])


def test_the_order_of_choices_does_not_follow_the_bank():
    assert fallback.shown(SINGLE) == fallback.shown(replace(SINGLE, choices=SINGLE.choices[::-1]))


def test_an_order_item_never_starts_in_its_right_order():
    for number in range(200):
        item = replace(ORDER, id=f"Q36-{number}", choices=ORDER.choices[:3])
        assert fallback.shown(item) != list(item.choices)


def test_the_text_shows_everything_that_is_asked():
    text = fallback.text("Q36", ITEMS)
    assert "Q36-1 · Choose one\nA `Profile` has" in text
    assert "  4. " in text
    assert '    with queries():\n        print(Profile._meta.get_field("user").unique)' in text
    assert all(choice.explain not in text for item in ITEMS for choice in item.choices)
