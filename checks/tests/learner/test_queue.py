"""Today's reviews: what is due, no more than the cap, each with its reason."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from fsrs import Rating

from checks.learner.cards import CHOOSE, SAY, WRITE, Card
from checks.learner.memory import Evidence, memories
from checks.learner.queue import CODE_A_DAY, NEW_A_DAY, queue

EVENING = datetime(2026, 3, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)
CARDS = {
    card.id: card
    for card in [
        *[Card(f"Q38-{n}", CHOOSE, "13_query_performance", "Q38", version="aa") for n in range(1, 31)],
        *[Card(f"13.{n}", WRITE, "13_query_performance") for n in range(1, 6)],
        Card("Q38", SAY, "13_query_performance", "Q38", version="rr"),
        *[Card(f"Q{n}", SAY, "13_query_performance", f"Q{n}", version="rr") for n in range(40, 50)],
        *[Card(f"Q{n}-1", CHOOSE, "13_query_performance", f"Q{n}", version="aa") for n in range(40, 50)],
    ]
}
SAID = Evidence("Q38", EVENING - DAY, Rating.Easy, "rr")  # so that it is not offered for the first time


def today(*signs, now=EVENING, **options):
    versions = {card.id: card.version for card in CARDS.values()}
    return queue(CARDS, memories(sorted(signs, key=lambda sign: sign.at), versions), now, **options)


def sign(card, rating=Rating.Good, ago=DAY, version=None):
    return Evidence(card, EVENING - ago, rating, CARDS[card].version if version is None else version)


def ids(found):
    return [each.card.id for each in found.due]


def test_nothing_answered_nothing_due():
    found = today()
    assert (found.due, found.later, found.done, found.next) == ((), 0, 0, None)


def test_what_was_missed_comes_tomorrow_and_what_was_known_later():
    found = today(sign("Q38-1", Rating.Again), sign("Q38-2"), SAID)
    assert ids(found) == ["Q38-1"]
    assert found.next == EVENING - DAY + 2 * DAY


def test_a_card_is_due_from_the_morning_of_its_day():
    assert ids(today(sign("Q38-1", Rating.Again), SAID, now=EVENING.replace(hour=6))) == ["Q38-1"]


def test_the_day_is_the_learners_own():
    last_minutes = EVENING.replace(hour=23, minute=30)
    assert ids(today(sign("Q38-1", ago=DAY), SAID, now=last_minutes)) == []
    assert ids(today(sign("Q38-1", ago=DAY), SAID, now=last_minutes.astimezone(timezone(timedelta(hours=1))))) == [
        "Q38-1"
    ]


def test_the_least_remembered_come_first():
    found = today(sign("Q38-1", ago=40 * DAY), sign("Q38-2", ago=4 * DAY), sign("Q38-3", Rating.Again), SAID)
    assert ids(found) == ["Q38-1", "Q38-3", "Q38-2"]
    assert [each.recall for each in found.due] == sorted(each.recall for each in found.due)


def test_every_card_says_why_it_is_there():
    found = today(
        sign("Q38-1", ago=5 * DAY, version="old"),
        sign("Q38-2", Rating.Again),
        sign("Q38-3", Rating.Hard, ago=3 * DAY),
        sign("Q38-4", ago=4 * DAY),
        SAID,
    )
    assert [each.reason for each in found.due] == [
        "it has changed since you answered it",
        "not known yesterday",
        "right, but not safe, 3 days ago",
        "known 4 days ago; the odds are down to 86%",
    ]


def test_the_cap_holds_and_the_rest_waits():
    found = today(*[sign(f"Q38-{n}", Rating.Again) for n in range(1, 31)], SAID, cap=12)
    assert len(found.due) == 12
    assert found.later == 18


def test_what_was_reviewed_today_counts_against_the_cap():
    reviewed = [
        each
        for n in range(1, 11)
        for each in (sign(f"Q38-{n}", Rating.Again), sign(f"Q38-{n}", ago=timedelta(hours=1)))
    ]
    found = today(*reviewed, *[sign(f"Q38-{n}", Rating.Again) for n in range(11, 31)], SAID, cap=12)
    assert found.done == 10
    assert len(found.due) == 2


def test_first_answers_do_not_count_against_the_cap():
    found = today(*[sign(f"Q38-{n}", ago=timedelta(hours=1)) for n in range(1, 31)], sign("Q40-1", Rating.Again), SAID)
    assert found.done == 0
    assert "Q40-1" in ids(found)


def test_what_was_said_for_the_first_time_today_was_reviewed_today():
    found = today(*[sign(f"Q{n}-1") for n in range(40, 50)], sign("Q40", ago=timedelta(hours=1)))
    assert found.done == 1


def test_few_exercises_a_day():
    found = today(*[sign(f"13.{n}", Rating.Again) for n in range(1, 6)])
    assert len(found.due) == CODE_A_DAY
    assert found.later == 5 - CODE_A_DAY


def test_questions_whose_quiz_was_begun_are_said_aloud_a_few_a_day():
    found = today(*[sign(f"Q{n}-1", ago=timedelta(hours=7)) for n in range(40, 50)])
    assert ids(found) == [f"Q{n}" for n in range(40, 40 + NEW_A_DAY)]
    assert {each.reason for each in found.due} == {"you have answered its quiz: now say it aloud"}
    assert found.later == 10 - NEW_A_DAY


def test_a_card_answered_a_moment_ago_is_not_asked_again_after_midnight():
    after_midnight = (EVENING + DAY).replace(hour=1)
    missed = Evidence("Q38-1", after_midnight - timedelta(hours=2), Rating.Again, "aa")
    assert ids(today(missed, SAID, now=after_midnight)) == []


@pytest.mark.parametrize("cap", [0, -1])
def test_a_cap_that_reviews_nothing_is_refused(cap):
    with pytest.raises(ValueError, match="reviews nothing"):
        today(cap=cap)


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        today(now=datetime(2026, 3, 10))
