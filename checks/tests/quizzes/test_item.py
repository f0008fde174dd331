"""An item says whether an answer is right, and its version follows what is asked."""

from dataclasses import replace

import pytest

from checks.tests.quizzes.sample import ITEMS, MULTIPLE, NUMBER, ORDER, PREDICT, SINGLE, given


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.kind)
def test_the_solution_of_every_kind_is_judged_right_and_nothing_is_judged_wrong(item):
    assert item.judge(item.solution)
    assert not item.judge("")


def test_a_single_item_takes_the_one_right_choice_alone():
    assert SINGLE.judge(given(SINGLE, "It raises"))
    assert not SINGLE.judge(given(SINGLE, "It creates"))
    assert not SINGLE.judge(given(SINGLE, "It raises", "It creates"))


def test_a_multiple_item_takes_all_right_choices_in_any_order():
    assert MULTIPLE.judge(given(MULTIPLE, "`select_related`", "The column"))
    assert not MULTIPLE.judge(given(MULTIPLE, "The column"))
    assert not MULTIPLE.judge(given(MULTIPLE, "The column", "`select_related`", "It may"))


def test_an_order_item_takes_the_right_order_only():
    assert ORDER.judge(given(ORDER, "`FROM`", "`WHERE`", "`GROUP BY`", "`HAVING`"))
    assert not ORDER.judge(given(ORDER, "`FROM`", "`GROUP BY`", "`WHERE`", "`HAVING`"))
    assert not ORDER.judge(given(ORDER, "`FROM`", "`WHERE`", "`GROUP BY`"))


@pytest.mark.parametrize("answer", ["1", " 1 ", "1.0", "+1", "0_1"])
def test_a_number_may_be_written_in_several_ways(answer):
    assert NUMBER.judge(answer)


@pytest.mark.parametrize("answer", ["2", "one", "-1", "1 or 2", "nan", "inf", "1e0", "١"])
def test_what_is_not_the_number_is_wrong_and_no_error(answer):
    assert not NUMBER.judge(answer)


@pytest.mark.parametrize("answer", ["True", "true", ' "True" ', "`TRUE`"])
def test_text_counts_without_case_quotes_and_spaces(answer):
    assert PREDICT.judge(answer)


def test_text_must_be_the_whole_answer():
    assert not PREDICT.judge("True or False")


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Another question?"},
        {"code": "print(1)"},
        {"answer": "False"},
        {"choices": SINGLE.choices},
        {"choices": tuple(replace(choice, correct=not choice.correct) for choice in SINGLE.choices)},
    ],
)
def test_the_version_changes_with_what_is_asked_or_right(change):
    assert replace(PREDICT, **change).version != PREDICT.version


def test_the_version_outlives_better_reasons_and_better_proofs():
    better = tuple(replace(choice, explain="Said better.") for choice in SINGLE.choices)
    assert replace(SINGLE, choices=better, explain="Why.", proof="assert 1").version == SINGLE.version


def test_versions_are_the_same_on_every_machine():
    assert PREDICT.version == "e647405828d5"


def test_the_key_of_a_choice_does_not_depend_on_its_place_or_its_truth():
    choice = SINGLE.choices[0]
    assert replace(choice, correct=False, explain="").key == choice.key
    assert len({choice.key for item in ITEMS for choice in item.choices}) == 12
