"""A mock interview fits its role and its time, and is known from its events alone."""

import json
from datetime import UTC, datetime

import pytest

from checks.learner.cards import CHOOSE, SAY, WRITE, Card, cards
from checks.learner.journal import Event, Journal
from checks.practice import interview as module
from checks.practice.interview import TIMES, interviews, mock_interview, plan, unfinished

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVELS = ("basic", "intermediate", "advanced")


@pytest.fixture
def course(monkeypatch):
    """Nine chapters, each with three questions of one level: items with code, a rubric, an exercise."""
    monkeypatch.setattr(module, "_fits", lambda card, form: card.form == form)
    found = []
    for chapter in range(1, 10):
        slug, level = f"{chapter:02}_chapter", LEVELS[chapter % 3]
        for number in range(3):
            question = f"Q{chapter}{number}"
            found += [Card(f"{question}-{n}", CHOOSE, slug, question, level) for n in (1, 2)]
            found.append(Card(question, SAY, slug, question, level))
        found.append(Card(f"{chapter:02}.1", WRITE, slug))
    return {card.id: card for card in found}


def planned(course, role="mid", minutes=30, seed="a"):
    return [course[card] for card in plan(role, minutes, course.values(), seed)]


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("role", ["junior", "mid", "senior"])
def test_an_interview_fills_its_time_and_no_more(course, role, minutes):
    took = sum(TIMES[card.form] for card in planned(course, role, minutes))
    assert minutes * 60 - min(TIMES.values()) < took <= minutes * 60


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_it_begins_with_talk_and_has_every_sort(course, minutes):
    forms = [card.form for card in planned(course, minutes=minutes)]
    assert forms[0] == SAY
    assert set(forms) == {SAY, CHOOSE, WRITE}


def test_no_question_comes_twice_and_chapters_change(course):
    found = planned(course, minutes=60)
    questions = [card.question for card in found if card.question]
    assert len(set(questions)) == len(questions)
    assert all(one.chapter != other.chapter for one, other in zip(found, found[1:], strict=False))


def test_the_role_decides_the_levels(course):
    def share(role, level):
        found = [card for seed in "abcdefghij" for card in planned(course, role, 60, seed) if card.level]
        return sum(card.level == level for card in found) / len(found)

    assert share("junior", "advanced") == 0
    assert share("junior", "basic") > share("mid", "basic") > share("senior", "basic") - 0.1
    assert share("senior", "advanced") > share("mid", "advanced")


def test_the_seed_decides_the_questions(course):
    assert planned(course, seed="a") == planned(course, seed="a")
    assert planned(course, seed="a") != planned(course, seed="b")


def test_the_real_course_has_enough_for_every_interview():
    everything = cards()
    for role in module.ROLES:
        for minutes in module.LENGTHS:
            found = plan(role, minutes, everything.values(), "seed")
            assert sum(TIMES[everything[card].form] for card in found) <= minutes * 60
            assert len(found) >= minutes // 5


# What the journal knows


def event(kind, session="interview/1", **data):
    return Event(f"{session}{kind}{data}", NOON, session, kind, json.dumps(data))


BEGUN = event("begun", role="mid", minutes=15, plan=["Q10", "Q20-1", "03.1"])
ANSWERED = event("answered", card="Q10", share=0.5, seconds=60, elapsed=70)


def test_an_interview_is_what_its_events_say():
    (found,) = interviews([BEGUN, ANSWERED, event("elapsed", elapsed=90)]).values()
    assert (found.role, found.minutes, found.elapsed, found.left) == ("mid", 15, 90, 810)
    assert found.open == ("Q20-1", "03.1")
    assert found.steps["Q10"].share == 0.5
    assert not found.finished


def test_code_that_was_checked_again_counts_as_it_stood_in_the_end():
    tries = [event("answered", card="03.1", share=share, seconds=9, elapsed=9) for share in (0.0, 1.0)]
    (found,) = interviews([BEGUN, *tries]).values()
    assert found.steps["03.1"].share == 1


def test_time_never_runs_backwards():
    (found,) = interviews([BEGUN, event("elapsed", elapsed=90), event("elapsed", elapsed=30)]).values()
    assert found.elapsed == 90


def test_events_of_other_sessions_are_not_interviews():
    assert interviews([event("begun", "placement/1", role="mid", minutes=15, plan=[])]) == {}


@pytest.mark.parametrize(
    "more",
    [
        [event("finished", elapsed=100)],
        [event("elapsed", elapsed=900)],
        [event("answered", card=card, share=1, seconds=1, elapsed=9) for card in ("Q10", "Q20-1", "03.1")],
    ],
    ids=["finished", "out of time", "all answered"],
)
def test_an_interview_that_is_over_is_not_gone_on_with(course, more):
    assert unfinished([BEGUN], course).id == "interview/1"
    assert unfinished([BEGUN, *more], course) is None


def test_the_last_interview_is_gone_on_with_until_another_is_begun(course):
    other = event("begun", "interview/2", role="junior", minutes=15, plan=["Q10"])
    assert unfinished([BEGUN, other], course).id == "interview/2"
    assert unfinished([BEGUN, other, event("finished", "interview/2", elapsed=5)], course) is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"role": "boss"}, "junior, mid, senior"),
        ({"minutes": 20}, "15, 30 or 60"),
        ({"minutes": "30"}, "15, 30 or 60"),
    ],
)
def test_what_cannot_be_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        mock_interview(**options)


def test_nothing_is_written_before_the_learner_begins(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    room = mock_interview("mid", 15)
    assert Journal().events() == []
    room._receive(room, {"begin": True}, [])
    room._receive(room, {"elapsed": 15}, [])
    (found,) = interviews(Journal().events()).values()
    assert found.elapsed == 15
    again = mock_interview("senior", 60)
    assert again.seconds == 15 * 60 - 15
    assert "You have an interview to finish" in again.intro
    assert "60 minutes, senior" in mock_interview("senior", 60, new=True).intro
