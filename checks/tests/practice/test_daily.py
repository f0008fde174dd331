"""review() asks what is due, says why nothing is, and ends with what comes next."""

from datetime import UTC, datetime, timedelta

import pytest

from checks.learner.journal import Journal
from checks.learner.queue import Queue
from checks.practice.daily import over, review
from checks.practice.deck import Deck
from checks.quizzes import bank

NOW = datetime.now(UTC)


@pytest.fixture
def journal(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return Journal()


def missed(journal, count, days=1):
    for item in list(bank.load().values())[:count]:
        journal.answer(item.id, item.version, "", False, True, 5, at=NOW - timedelta(days=days))


def test_with_nothing_answered_it_says_where_cards_come_from(journal):
    assert "Nothing to review yet" in str(review())
    assert 'quiz("Q01")' in str(review())


def test_what_is_due_is_asked_with_its_reason(journal):
    missed(journal, 2)
    deck = review()
    assert isinstance(deck, Deck)
    assert [item["why"] for item in deck.items] == [
        *["not known yesterday"] * 2,
        "you have answered its quiz: now say it aloud",
    ]
    assert str(deck) == f"Review · {len(deck.items)} cards due · run this cell to begin"


def test_when_nothing_is_due_it_says_when_the_next_is(journal):
    item = next(iter(bank.load().values()))
    journal.answer(item.id, item.version, item.solution, True, True, 5, at=NOW)
    journal.recital(item.question, "v", ["a"], 1, 5, at=NOW)
    assert "Nothing is due today. The next card comes" in str(review()) or isinstance(review(), Deck)


def test_the_cap_is_kept_for_the_next_days(journal):
    missed(journal, 10)
    assert len(review(cap=4).items) == 4
    assert len(review().items) == 4
    assert len(review(cap=6).items) == 6


@pytest.mark.parametrize("cap", [0, -2, "20", True, 2.5])
def test_a_cap_that_cannot_be_is_refused_and_the_old_one_kept(journal, cap):
    missed(journal, 10)
    review(cap=3)
    with pytest.raises(ValueError, match=r"review\(cap="):
        review(cap=cap)
    assert len(review().items) == 3


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (Queue((), 0, 5, 20, None), "5 cards reviewed today"),
        (Queue((), 7, 20, 20, NOW + timedelta(days=1)), "7 cards more wait for another day. A day brings 20 at most"),
        (Queue((), 0, 1, 20, NOW + timedelta(days=1)), "The next card comes due tomorrow"),
        (Queue((), 0, 1, 20, NOW + timedelta(days=9)), "in 9 days"),
    ],
)
def test_the_end_says_what_was_done_and_what_comes(left, says):
    assert says in over(left, NOW)
