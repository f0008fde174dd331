"""The placement follows the learner's level through all chapters, and its plan covers the course."""

import pytest

from checks.learner.cards import CHOOSE, Card, cards
from checks.practice.adaptive import LENGTH, Result, level_after, needs, next_card, placement, plan, told
from checks.syllabus import LEVELS, QUESTIONS

POOL = [
    Card(f"{question.id}-{number}", CHOOSE, question.slug, question.id, question.level)
    for question in QUESTIONS.values()
    for number in (1, 2, 3)
]


def asked(knows):
    """The results of a learner who knows what `knows(card)` says."""
    results = []
    while card := next_card(POOL, results):
        results.append(Result(card, knows(card)))
    return results


def test_it_asks_twenty_different_items_of_twenty_chapters():
    results = asked(lambda card: len(card.id) % 2 == 0)
    assert len(results) == LENGTH
    assert len({result.card.id for result in results}) == LENGTH
    assert len({result.card.chapter for result in results}) == LENGTH


def test_a_right_answer_raises_the_level_and_a_wrong_one_lowers_it():
    card = POOL[0]
    right, wrong = Result(card, True), Result(card, False)
    assert [LEVELS[level_after(results)] for results in ([], [right], [wrong], [right, right], [right, wrong])] == [
        "intermediate",
        "advanced",
        "basic",
        "advanced",
        "intermediate",
    ]


def test_who_knows_everything_is_asked_harder_items_than_who_knows_nothing():
    def mean(results):
        return sum(LEVELS.index(result.card.level) for result in results) / len(results)

    assert mean(asked(lambda card: True)) > mean(asked(lambda card: False)) + 0.5


def test_two_learners_alike_are_asked_alike():
    assert asked(lambda card: True) == asked(lambda card: True)


def test_what_was_missed_needs_more_work_than_what_was_known():
    work = needs(POOL, asked(lambda card: card.chapter < "10"))
    assert work["08_models_and_fields"] / 5 < work["11_composing_queries"] / 3


@pytest.mark.parametrize("days", [1, 3, 14, 60])
def test_a_plan_has_every_chapter_once_in_order(days):
    found = plan(POOL, asked(lambda card: False), days)
    assert len(found) == days
    assert [slug for day in found for slug in day] == sorted({card.chapter for card in POOL})


def test_the_days_of_a_plan_are_alike_in_work():
    results = asked(lambda card: False)
    work = needs(POOL, results)
    loads = [sum(work[slug] for slug in day) for day in plan(POOL, results, 7)]
    assert max(loads) < 2.5 * sum(loads) / len(loads)


def test_the_end_says_the_result_by_level_and_names_what_was_missed():
    results = asked(lambda card: card.level != "advanced")
    page = told(results, plan(POOL, results, 2))
    assert "Day 2" in page
    assert "<td>basic</td>" in page or "<td>intermediate</td>" in page
    assert all(result.card.question in page for result in results if not result.correct)


def test_the_real_bank_has_a_placement():
    pool = [card for card in cards().values() if card.form == CHOOSE]
    results = []
    while card := next_card(pool, results):
        results.append(Result(card, True))
    assert len(results) == LENGTH


@pytest.mark.parametrize("days", [0, 61, "14", True, 2.5])
def test_days_that_cannot_be_are_refused(days):
    with pytest.raises(ValueError, match="from 1 to 60"):
        placement(days)
