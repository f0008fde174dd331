from datetime import UTC, datetime, timedelta

from fsrs import Rating

from checks.learner.cards import CHOOSE, Card
from checks.learner.forecast import forecast
from checks.learner.memory import Evidence, memories

NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)
CARD = Card("Q38-1", CHOOSE, "13_query_performance", "Q38", version="v")


def share_known(*signs, now=NOW):
    known = memories([Evidence(CARD.id, at, rating, "v") for rating, at in signs], {CARD.id: "v"})
    (row,) = forecast([CARD], known, now, None, lambda card: "all")
    return row.today


def test_what_was_right_today_is_known_and_what_was_missed_is_not():
    assert share_known((Rating.Good, NOW)) > 0.99
    assert share_known((Rating.Again, NOW - timedelta(hours=1))) == 0.0
    assert share_known((Rating.Again, NOW - timedelta(hours=9)), (Rating.Hard, NOW)) > 0.99


def test_what_was_missed_yesterday_is_known_as_far_as_its_answer_is_remembered():
    assert 0.1 < share_known((Rating.Again, NOW - timedelta(days=1))) < 0.9
