"""A deck records what came of each card, whatever its form, and never breaks."""

import pytest

from checks.exercises import source as exercises
from checks.learner.cards import SAY, WRITE, cards
from checks.learner.journal import Journal
from checks.practice.deck import Deck, sheets
from checks.quizzes import bank, rubric


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "progress.sqlite3")


@pytest.fixture
def sent(monkeypatch):
    messages = []
    monkeypatch.setattr(Deck, "send", lambda self, message, buffers=None: messages.append(message))
    return messages


class Watched(Deck):
    """Remembers what it was told."""

    def __init__(self, *arguments, **options):
        self.went = []
        super().__init__(*arguments, **options)

    def answered(self, card, share, seconds, elapsed):
        self.went.append((card, share))

    def report(self, elapsed):
        return f"after {elapsed}"


@pytest.fixture
def deck(journal, sent):
    course = cards()
    asked = [course["Q38-1"], course["Q38"], course["10.1"]]
    return Watched("review", asked, sheets(asked, ["because"]), journal)


def answer(ref, given, **changes):
    row = {"key": ref, "item": ref, "version": "v", "given": given, "correct": False, "sure": True, "seconds": 4}
    return {"answer": row | changes}


def test_the_page_gets_each_card_in_its_form(deck):
    item, say, write = deck.items
    assert item["kind"] == bank.load()["Q38-1"].kind
    assert item["why"] == "because"
    assert (say["kind"], write["kind"]) == (SAY, WRITE)
    assert [point["key"] for point in say["points"]] == [point.key for point in rubric.load()["Q38"].points]
    assert "select_related" in say["said"]
    assert len(say["followups"]) >= 2
    assert "check(" not in write["stub"]
    assert "from checks" not in write["code"]


def test_a_role_is_asked_its_own_points():
    say = cards()["Q38"]
    counts = [len(sheets([say], role=role)[0]["points"]) for role in ("junior", "mid", "senior")]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


def test_an_item_is_judged_here_and_not_by_the_page(deck, journal):
    item = bank.load()["Q38-1"]
    deck._receive(deck, answer("Q38-1", item.solution, version=item.version), [])
    deck._receive(deck, answer("Q38-1", "nonsense", version=item.version, key="2", correct=True), [])
    assert [row.correct for row in journal.answers()] == [True, False]
    assert deck.went == [("Q38-1", 1.0), ("Q38-1", 0.0)]


def test_an_answer_said_aloud_is_kept_with_its_points(deck, journal, sent):
    deck._receive(deck, answer("Q38", "aaa bbb", points=5, version="r"), [])
    (row,) = journal.recitals()
    assert (row.question, row.met, row.points, row.version) == ("Q38", "aaa bbb", 5, "r")
    assert deck.went == [("Q38", 0.4)]
    assert sent == [{"saved": "Q38"}]


def test_code_is_checked_for_real_and_the_attempt_kept(deck, tmp_path, monkeypatch, sent):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    deck._receive(deck, {"check": "10.1", "source": "x = (", "seconds": 3}, [])
    deck._receive(deck, {"check": "10.1", "source": exercises.find("10.1").solution, "seconds": 3}, [])
    assert [(message["checked"], message["correct"]) for message in sent] == [("10.1", False), ("10.1", True)]
    assert "10.1 correct" in sent[1]["html"]
    assert deck.went == [("10.1", 0.0), ("10.1", 1.0)]
    assert [row.outcome for row in Journal().attempts()] == ["error", "correct"]


def test_the_solution_is_shown_when_asked_for(deck, sent):
    deck._receive(deck, {"solve": "10.1"}, [])
    (message,) = sent
    assert message["solved"] == "10.1"
    assert "Reference" in message["html"] or "<pre" in message["html"] or "def" in message["html"]


def test_the_end_is_reported(deck, sent):
    deck._receive(deck, {"finish": 12}, [])
    assert sent == [{"finished": "after 12"}]


@pytest.mark.parametrize(
    "message",
    [{}, None, {"check": "99.9", "source": ""}, {"solve": "99.9"}, {"answer": {"key": 1}}, {"begin": False}, "text"],
)
def test_a_message_that_means_nothing_changes_nothing(deck, journal, message):
    deck._receive(deck, message, [])
    assert deck.went == []
    assert journal.rows() == []


def test_a_saved_notebook_holds_one_line_of_it(deck):
    data, _ = deck._repr_mimebundle_()
    assert data["text/plain"] == "Review · run this cell to begin"
    assert "select_related" not in data["text/html"]
