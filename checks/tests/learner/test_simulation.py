"""Sixty days of simulated learners: due counts, the cap and the readiness figure behave as FSRS says they should.

The learners' real memories are of FSRS' family, but with parameters of their own (a weak one keeps a new fact for a
shorter time and forgets faster) and with slips. What predicts them knows the published parameters and the
answers alone.
"""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from fsrs import Card as State
from fsrs import Rating, Scheduler
from fsrs.scheduler import DEFAULT_PARAMETERS
from fsrs.scheduler import FSRS_DEFAULT_DECAY as DECAY

from checks.learner.cards import CHOOSE, Card
from checks.learner.forecast import forecast
from checks.learner.journal import Answer
from checks.learner.memory import RETENTION, evidence, memories
from checks.learner.queue import queue

FIRST_DAY = datetime(2026, 3, 1, 18, tzinfo=UTC)
DAYS, CAP, NEW_A_DAY, NEW_UNTIL = 60, 20, 6, 40
# How long a new fact is kept and how steeply the curve falls, both against the published parameters.
ABILITIES = {"weak": (0.6, 1.3), "average": (1.0, 1.0), "strong": (1.7, 0.85)}
SLIP = 0.02
CARDS = {
    card.id: card
    for card in [
        Card(f"Q{n // 4 + 1:02}-{n % 4 + 1}", CHOOSE, "10", f"Q{n // 4 + 1:02}", "basic", "v") for n in range(256)
    ]
}
VERSIONS = {card.id: card.version for card in CARDS.values()}


class Learner:
    """Somebody who learns: what is really in their head, and the answers that they gave."""

    def __init__(self, kept, steep, seed):
        self.dice = random.Random(seed)
        own = [*(kept * first for first in DEFAULT_PARAMETERS[:4]), *DEFAULT_PARAMETERS[4:-1], steep * DECAY]
        self.mind = Scheduler(parameters=own, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
        self.cards, self.rows = {}, []

    def answers(self):
        return self.rows

    def recitals(self):
        return []

    def attempts(self):
        return []

    def knows(self, card, now):
        """The real probability of a right answer."""
        if card not in self.cards:
            return 0.4
        return (1 - SLIP) * self.mind.get_card_retrievability(self.cards[card], now)

    def answer(self, card, now):
        chance = self.knows(card, now)
        correct = self.dice.random() < chance
        sure = self.dice.random() < chance
        rating = Rating.Again if not correct else Rating.Good if sure else Rating.Hard
        state = self.cards.get(card, State(card_id=0, due=now))
        self.cards[card], _ = self.mind.review_card(state, rating, now)
        self.rows.append(Answer(str(len(self.rows)), now, card, "v", "", correct, sure, 10.0))
        return correct


@cache
def live(name, cap=CAP):
    """Sixty days of one learner: the review, then new items; returns the learner and what each day was like."""
    learner, days, unseen = Learner(*ABILITIES[name], seed=1), [], list(CARDS)
    for day in range(DAYS):
        now = FIRST_DAY + timedelta(days=day)
        today = queue(CARDS, memories(evidence(learner), VERSIONS), now, cap)
        right = [learner.answer(each.card.id, now) for each in today.due]
        days.append((len(today.due), today.later, right))
        for _ in range(NEW_A_DAY if day < NEW_UNTIL else 0):
            learner.answer(unseen.pop(0), now + timedelta(minutes=30))
    return learner, days


@pytest.fixture(scope="module", params=ABILITIES)
def lived(request):
    return request.param, *live(request.param)


def test_the_cap_holds_on_every_day_and_reviews_begin_on_the_second(lived):
    _, _, days = lived
    assert days[0][0] == 0
    assert days[1][0] > 0
    assert max(count for count, _, _ in days) <= CAP


def test_after_the_last_new_item_the_work_gets_less(lived):
    _, _, days = lived
    before = sum(count + later for count, later, _ in days[NEW_UNTIL - 5 : NEW_UNTIL])
    after = sum(count + later for count, later, _ in days[-5:])
    assert after < before


def test_the_weaker_a_memory_the_more_it_is_asked():
    asked = {name: sum(count for count, _, _ in live(name, cap=200)[1]) for name in ABILITIES}
    assert asked["weak"] > asked["average"] > asked["strong"]


def test_with_a_small_cap_what_is_left_over_waits_and_nothing_is_forgotten_by_the_queue():
    learner, days = live("average", cap=5)
    assert all(count <= 5 for count, _, _ in days)
    known = memories(evidence(learner), VERSIONS)
    now = FIRST_DAY + timedelta(days=DAYS)
    due = sum(memory.due < now.replace(hour=23, minute=59) for memory in known.values())
    today = queue(CARDS, known, now, cap=5)
    assert len(today.due) + today.later == due


def test_nothing_is_asked_while_it_is_surely_known(lived):
    _, learner, _ = lived
    known = memories(evidence(learner), VERSIONS)
    now = FIRST_DAY + timedelta(days=DAYS)
    for each in queue(CARDS, known, now, cap=1000).due:
        # Due before the day ends, and intervals are whole days with a little fuzz.
        assert known[each.card.id].recall(now) < RETENTION + 0.05


def test_readiness_predicts_answers_that_were_held_out(lived):
    name, learner, _ = lived
    known = memories(evidence(learner), VERSIONS)
    dice = random.Random(7)
    for ahead in (0, 14, 30):
        then = FIRST_DAY + timedelta(days=DAYS + ahead)
        (row,) = forecast(CARDS.values(), known, then, None, lambda card: "all")
        # Held out: answers that the memories never saw, ten to each card.
        tries = [dice.random() < learner.knows(card, then) for card in known for _ in range(10)]
        really = sum(tries) / len(tries) * len(known) / len(CARDS)
        print(f"{name:8} +{ahead:2} days: predicted {row.today:.2f}, really {really:.2f}")
        assert row.today == pytest.approx(really, abs=0.05)


def test_the_calibration_table():
    """Over all learners, of the cards said to be known with 70 %, about 70 % are."""
    bins = defaultdict(list)
    for name in ABILITIES:
        learner, _ = live(name)
        known = memories(evidence(learner), VERSIONS)
        for ahead in (0, 15, 45, 120):
            then = FIRST_DAY + timedelta(days=DAYS + ahead)
            for card, memory in known.items():
                bins[int(memory.recall(then) * 10)].append((memory.recall(then), learner.knows(card, then)))
    table = {
        tenth: (sum(said for said, _ in pairs) / len(pairs), sum(real for _, real in pairs) / len(pairs), len(pairs))
        for tenth, pairs in sorted(bins.items())
        if len(pairs) >= 30
    }
    for tenth, (said, real, count) in table.items():
        print(f"{tenth}0–{tenth + 1}0 %: said {said:.2f}, real {real:.2f}, {count} cards")
    assert len(table) >= 4
    assert all(abs(said - real) < 0.05 for said, real, _ in table.values())
    reals = [real for _, real, _ in table.values()]
    assert reals == sorted(reals)
