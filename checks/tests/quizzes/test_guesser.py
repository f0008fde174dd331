"""Guessing without knowledge is scored fairly: the telltale banks are caught, the fair ones are not."""

import pytest

from checks.quizzes.guesser import counts, scores, twins
from checks.quizzes.item import Choice, Item


def made(*texts, count=40, kind="single", right=lambda number: 0):
    """Items with these choices, of which the one at `right(number)` is correct."""
    return [
        Item(
            id=f"Q01-{number}",
            question="Q01",
            kind=kind,
            prompt="What of books?",
            choices=tuple(Choice(text, "", place == right(number) % len(texts)) for place, text in enumerate(texts)),
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("strategy", "texts"),
    [
        ("longest choice", ("this is the long one", "short", "shirt", "shore")),
        ("shortest choice", ("brief", "a longer one", "another long", "still longer")),
        ("words of the prompt", ("about books", "on trains", "on planes", "by ships")),
        ("most hedged", ("it may be so, or sometimes so", "it is so, ever and for always", "no", "yes")),
        ("has code", ("a `b`", "a b c", "b c d", "c d e")),
    ],
)
def test_a_bank_that_gives_itself_away_is_caught(strategy, texts):
    assert scores(made(*texts))[strategy] == (1.0, 0.25)


@pytest.mark.parametrize("strategy", ["longest choice", "most hedged", "has code"])
def test_a_strategy_that_sees_no_difference_scores_as_chance_does(strategy):
    assert scores(made("abc", "bcd", "cde"))[strategy] == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_fair_bank_gives_no_strategy_more_than_chance():
    fair = made("a `b` that may be long", "it is `c`", "perhaps", "it is not so", right=lambda number: number)
    assert all(score == pytest.approx(chance, abs=0.05) for score, chance in scores(fair).values())


def test_a_fixed_position_is_worth_nothing_wherever_the_bank_has_the_right_choice():
    always_first = scores(made("abc", "bcd", "cde", "def"))
    for position in range(1, 5):
        score, chance = always_first[f"position {position}"]
        assert score == pytest.approx(chance, abs=0.05)


def test_a_position_is_scored_over_the_items_that_have_it():
    found = scores([*made("abc", "bcd"), *made("abc", "bcd", "cde")])
    assert found["position 3"][1] == pytest.approx(1 / 3)
    assert found["longest choice"][1] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_only_items_with_one_right_choice_are_guessed():
    assert scores(made("abc", "bcd", kind="multiple")) == {}
    assert scores([]) == {}


def item(ref, prompt, kind="single", code=""):
    return Item(id=ref, question=ref.partition("-")[0], kind=kind, prompt=prompt, code=code)


def test_items_that_ask_the_same_are_found_whatever_the_order_of_their_words():
    one = item("Q01-1", "Which command creates the migrations of an application?")
    other = item("Q26-1", "Which command creates the migrations of every application?")
    different = item("Q27-1", "When does a queryset send its query?")
    ((first, second, share),) = twins([one, other, different])
    assert (first, second) == ("Q01-1", "Q26-1")
    assert share > 0.7


def test_the_same_question_about_other_code_is_another_item():
    ask = "How many queries does this block run?"
    assert (
        twins([item("Q27-1", ask, code="list(a)\nlist(b)"), item("Q28-1", ask, code="a.count()\nb.count()\nc")]) == []
    )


def test_kinds_are_counted_by_level():
    found = counts([item("Q01-1", "a"), item("Q01-2", "b"), item("Q39-1", "c", "order")])
    assert found == {("single", "basic"): 2, ("order", "advanced"): 1}


def test_the_bank_of_the_course_asks_nothing_twice():
    from checks.quizzes import bank

    assert twins(bank.load().values()) == []
