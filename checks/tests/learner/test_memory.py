"""What is remembered of a card follows from the journal alone, as FSRS works it out."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Card, Rating, Scheduler

from checks.learner.journal import Journal
from checks.learner.memory import SITTING, Evidence, evidence, memories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CARD, VERSION = "Q38-1", "aa"


def sign(rating=Rating.Good, after=timedelta(), version=VERSION):
    return Evidence(CARD, NOON + after, rating, version)


def memory(*signs, version=VERSION):
    return memories(signs, {CARD: version})[CARD]


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "progress.sqlite3")


def test_a_memory_is_what_fsrs_says_with_its_published_parameters():
    days = [0, 3, 10, 40]
    ratings = [Rating.Good, Rating.Hard, Rating.Again, Rating.Good]
    state = Card()
    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    for day, rating in zip(days, ratings, strict=True):
        state, _ = scheduler.review_card(state, rating, NOON + day * DAY)
    ours = memory(*(sign(rating, day * DAY) for day, rating in zip(days, ratings, strict=True)))
    assert ours.state.stability == state.stability
    assert ours.state.difficulty == state.difficulty
    assert ours.recall(NOON + 50 * DAY) == scheduler.get_card_retrievability(state, NOON + 50 * DAY)


def test_recall_falls_with_time_and_rises_with_practice():
    once, twice = memory(sign()), memory(sign(), sign(after=2 * DAY))
    assert 1 >= once.recall(NOON) > once.recall(NOON + 5 * DAY) > once.recall(NOON + 50 * DAY) > 0
    assert twice.recall(NOON + 50 * DAY) > once.recall(NOON + 50 * DAY)


def test_the_less_safe_an_answer_was_the_sooner_it_comes_back():
    missed, unsure, sure = (memory(sign(rating)) for rating in (Rating.Again, Rating.Hard, Rating.Good))
    assert missed.due <= unsure.due < sure.due
    assert missed.recall(NOON + DAY) < unsure.recall(NOON + DAY) < sure.recall(NOON + DAY)
    assert [each.is_lapse for each in (missed, unsure, sure)] == [True, False, False]


def test_a_right_answer_just_after_the_feedback_is_no_sign_of_memory():
    missed = memory(sign(Rating.Again))
    assert memory(sign(Rating.Again), sign(after=timedelta(minutes=1))) == missed
    assert memory(sign(Rating.Again), sign(after=SITTING)) != missed


def test_a_wrong_answer_counts_even_soon_after_a_right_one_but_not_twice():
    lapse = memory(sign(), sign(Rating.Again, timedelta(minutes=1)))
    assert lapse.is_lapse
    assert memory(sign(), sign(Rating.Again, timedelta(minutes=1)), sign(Rating.Again, timedelta(minutes=2))) == lapse


def test_the_same_journal_gives_the_same_schedule_and_leaves_the_learners_dice_alone():
    random.seed(1)
    expected = random.random()
    random.seed(1)
    signs = [sign(after=day * DAY) for day in (0, 3, 20)]
    first = memory(*signs)
    assert random.random() == expected
    random.seed(2)
    assert memory(*signs) == first


def test_a_changed_card_is_due_at_once_and_then_begins_anew():
    changed = memory(sign(), version="bb")
    assert changed.changed
    assert changed.due == NOON
    assert changed.recall(NOON) == 0
    again = memory(sign(), sign(after=DAY, version="bb"), version="bb")
    assert not again.changed
    assert again.reviews == 1


def test_cards_that_the_course_no_longer_has_are_left_out():
    assert memories([sign()], {}) == {}


def test_answers_recitals_and_attempts_become_evidence(journal):
    journal.answer("Q38-1", "aa", "x", True, True, 1, at=NOON)
    journal.answer("Q38-2", "aa", "x", True, False, 1, at=NOON + timedelta(minutes=1))
    journal.answer("Q38-3", "aa", "x", False, True, 1, at=NOON + timedelta(minutes=2))
    for minute, met in enumerate(["abcde", "abc", "ab"], start=3):
        journal.recital("Q38", "bb", met, 5, 30, at=NOON + timedelta(minutes=minute))
    outcomes = [("correct", 0), ("correct", 1), ("wrong", 0), ("error", 0), ("slow", 0), ("not attempted", 0)]
    for minute, (outcome, hints) in enumerate(outcomes, start=6):
        journal.attempt("13.1", "cc", outcome, "", hints=hints, at=NOON + timedelta(minutes=minute))
    again, hard, good = Rating.Again, Rating.Hard, Rating.Good
    assert [(each.card, each.rating) for each in evidence(journal)] == [
        *[("Q38-1", good), ("Q38-2", hard), ("Q38-3", again)],
        *[("Q38", good), ("Q38", hard), ("Q38", again)],
        *[("13.1", good), ("13.1", hard), ("13.1", again), ("13.1", again), ("13.1", again)],
    ]
