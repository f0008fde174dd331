"""Guessing without knowledge is scored fairly: the telltale banks are caught, the fair ones are not."""

import pytest

from checks.quizzes.guesser import scores
from checks.quizzes.item import Choice, Item


def bank(*texts, count=40, kind="single", right=lambda number: 0):
    """Items with these choices, of which the one at `right(number)` is correct."""
    return [
        Item(
            id=f"Q01-{number}",
            question="Q01",
            kind=kind,
            prompt="?",
            choices=tuple(Choice(text, "", place == right(number) % len(texts)) for place, text in enumerate(texts)),
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("strategy", "texts"),
    [
        ("longest choice", ("this is the long one", "short", "shirt", "shore")),
        ("most hedged", ("it may be so, or sometimes so", "it is so, ever and for always", "no", "yes")),
        ("has code", ("a `b`", "a b c", "b c d", "c d e")),
    ],
)
def test_a_bank_that_gives_itself_away_is_caught(strategy, texts):
    assert scores(bank(*texts))[strategy] == (1.0, 0.25)


@pytest.mark.parametrize("strategy", ["longest choice", "most hedged", "has code"])
def test_a_strategy_that_sees_no_difference_scores_as_chance_does(strategy):
    assert scores(bank("abc", "bcd", "cde"))[strategy] == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_fair_bank_gives_no_strategy_more_than_chance():
    fair = bank("a `b` that may be long", "it is `c`", "perhaps", "it is not so", right=lambda number: number)
    assert all(score == pytest.approx(chance, abs=0.05) for score, chance in scores(fair).values())


def test_a_fixed_position_is_worth_nothing_wherever_the_bank_has_the_right_choice():
    always_first = scores(bank("abc", "bcd", "cde", "def"))
    for position in range(1, 5):
        score, chance = always_first[f"position {position}"]
        assert score == pytest.approx(chance, abs=0.05)


def test_a_position_is_scored_over_the_items_that_have_it():
    found = scores([*bank("abc", "bcd"), *bank("abc", "bcd", "cde")])
    assert found["position 3"][1] == pytest.approx(1 / 3)
    assert found["longest choice"][1] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_only_items_with_one_right_choice_are_guessed():
    assert scores(bank("abc", "bcd", kind="multiple")) == {}
    assert scores([]) == {}
