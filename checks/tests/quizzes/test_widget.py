"""The widget sends what is asked, seals what is right, stores little, and records answers without ever breaking."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest

import checks
from checks.learner.journal import Journal
from checks.quizzes import quiz
from checks.quizzes.bank import UnknownQuiz
from checks.quizzes.seal import unseal
from checks.quizzes.widget import Quiz, sheet
from checks.tests.quizzes.sample import ITEMS, MULTIPLE, NUMBER, ORDER, PREDICT, SINGLE, given


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "progress.sqlite3")


@pytest.fixture
def sent(monkeypatch):
    """The messages that quizzes sent to the page."""
    messages = []
    monkeypatch.setattr(Quiz, "send", lambda self, message, buffers=None: messages.append(message))
    return messages


def answer(item, choice, **changes):
    """The message of the page that an item was answered."""
    row = {
        "key": "k1",
        "item": item.id,
        "version": item.version,
        "given": choice,
        "correct": False,
        "sure": True,
        "seconds": 4.26,
        "at": 1_790_000_000_000,
    }
    return {"answer": row | changes}


def stored(widget):
    """The bytes that the output of a quiz cell takes in a saved notebook."""
    data, metadata = widget._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)
    cell = nbformat.v4.new_code_cell('quiz("Q36")', outputs=[output], id="a")
    with_output = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
    cell.outputs = []
    return len(with_output.encode()) - len(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])).encode())


# --- what is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.kind)
def test_nothing_that_is_sent_tells_the_key(item):
    page = json.dumps(sheet(item))
    for choice in item.choices:
        assert choice.explain[:20] not in page
    assert "correct" not in page
    assert ": true" not in page.replace('"numeric": true', "")
    assert not item.explain or item.explain[:20] not in page
    # The order of the bank, in which authors put the right choice first, is not sent either.
    assert sheet(item)["choices"] == sheet(replace(item, choices=item.choices[::-1]))["choices"]


def test_each_choice_has_its_own_seal_with_verdict_and_reason():
    page = sheet(SINGLE)
    for choice in SINGLE.choices:
        correct, reason = unseal(f"{SINGLE.id}/{SINGLE.version}/{choice.key}", page["seals"][choice.key])
        assert correct is choice.correct
        assert reason[:9] == choice.explain.replace("`", "<code>", 1)[:9]
    lengths = {len(page["seals"][choice.key]) for choice in SINGLE.choices}
    assert len(lengths) == 1


def test_the_whole_answer_is_sealed_for_the_other_kinds():
    def opened(item):
        return unseal(f"{item.id}/{item.version}/answer", sheet(item)["seals"]["answer"])

    assert opened(ORDER)["order"] == ORDER.solution.split()
    assert opened(NUMBER)["answer"] == 1
    assert opened(PREDICT)["answer"] == "True"


# --- what is stored -------------------------------------------------------------------------------------------------


def test_the_stored_output_is_the_same_for_every_widget_but_for_its_view():
    first, second = (Quiz("Q36", ITEMS)._repr_mimebundle_()[0] for _ in range(2))
    for mime in ("text/plain", "text/html"):
        assert first[mime] == second[mime]
    assert "application/vnd.jupyter.widget-view+json" in first
    assert not re.search("0x[0-9a-f]{6}", first["text/plain"] + first["text/html"])


def test_ten_items_take_at_most_ten_kilobytes_in_a_saved_notebook():
    items = [replace(item, id=f"{item.id}{half}") for half in (0, 1) for item in ITEMS]
    assert stored(Quiz("Q36", items)) <= 10_000


def test_printed_in_a_terminal_it_is_the_text_of_the_quiz():
    assert str(Quiz("Q36", ITEMS)) == repr(Quiz("Q36", ITEMS))
    assert "Q36-1 · Choose one" in str(Quiz("Q36", ITEMS))


NOTEBOOK_CELL = """
from checks.quizzes.widget import Quiz
from checks.tests.quizzes.sample import ITEMS
Quiz("Q36", ITEMS)
"""


def test_a_stored_quiz_passes_strict_nbval_with_and_without_its_view(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK_CELL)])
    nbclient.NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    data = notebook.cells[0].outputs[0].data
    nbformat.write(notebook, tmp_path / "whole.ipynb")
    del data["application/vnd.jupyter.widget-view+json"]
    nbformat.write(notebook, tmp_path / "without_view.ipynb")
    data["text/html"] += "changed"
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-v", "--nbval", "--nbval-current-env",
         "--nbval-cell-timeout=60", *sorted(tmp_path.glob("*.ipynb"))],
        capture_output=True, text=True, encoding="utf-8", cwd=tmp_path,
    )  # fmt: skip
    assert dict(re.findall(r"^(\w+)::ipynb::Cell 0 (\w+)", done.stdout, re.MULTILINE)) == {
        "changed": "FAILED",
        "whole": "PASSED",
        "without_view": "PASSED",
    }


# --- what comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "choice", "correct"),
    [
        (SINGLE, given(SINGLE, "It raises"), True),
        (SINGLE, given(SINGLE, "It creates"), False),
        (MULTIPLE, given(MULTIPLE, "`select_related`", "The column"), True),
        (ORDER, given(ORDER, "`WHERE`", "`FROM`", "`GROUP BY`", "`HAVING`"), False),
        (NUMBER, "1", True),
        (PREDICT, "true", True),
    ],
)
def test_an_answer_is_judged_again_recorded_and_acknowledged(journal, sent, item, choice, correct):
    Quiz("Q36", ITEMS, journal)._receive(None, answer(item, choice, correct=not correct, sure=False), [])
    (row,) = journal.answers()
    assert (row.item, row.version, row.given, row.correct, row.sure) == (
        item.id,
        item.version,
        choice,
        correct,
        False,
    )
    assert (row.seconds, row.at.timestamp()) == (4.3, 1_790_000_000)
    assert sent == [{"saved": "k1"}]


def test_an_answer_that_comes_twice_is_stored_once_and_acknowledged_twice(journal, sent):
    widget = Quiz("Q36", ITEMS, journal)
    for _ in range(2):
        widget._receive(None, answer(NUMBER, "1"), [])
    assert len(journal.answers()) == 1
    assert sent == [{"saved": "k1"}] * 2


def test_an_answer_left_behind_by_another_quiz_is_recorded_too(journal, sent):
    Quiz("Q36-1", [SINGLE], journal)._receive(None, answer(replace(NUMBER, id="Q01-77"), "1", correct=True), [])
    assert [(row.item, row.correct) for row in journal.answers()] == [("Q01-77", True)]


def test_an_answer_to_an_older_version_keeps_the_verdict_of_its_page(journal, sent):
    Quiz("Q36", ITEMS, journal)._receive(None, answer(NUMBER, "7", version="older", correct=True), [])
    assert [(row.version, row.correct) for row in journal.answers()] == [("older", True)]


@pytest.mark.parametrize("seconds", [None, "soon", -1, float("nan")])
def test_a_time_that_cannot_be_is_left_out(journal, sent, seconds):
    Quiz("Q36", ITEMS, journal)._receive(None, answer(NUMBER, "1", seconds=seconds), [])
    assert journal.answers()[0].seconds is None


class Broken:
    problem = None

    def answer(self, *args, **kwargs):
        raise OSError("disk\nfull")


class Waiting:
    problem = "The disk is full; answers are kept in memory."

    def answer(self, *args, **kwargs):
        return "k1"


def test_a_failing_journal_is_named_in_one_line_and_breaks_nothing(sent, capsys):
    Quiz("Q36", ITEMS, Broken())._receive(None, answer(NUMBER, "1"), [])
    Quiz("Q36", ITEMS, Waiting())._receive(None, answer(NUMBER, "1"), [])
    assert sent == [{"unsaved": "k1", "problem": "OSError: disk full"}, {"unsaved": "k1", "problem": Waiting.problem}]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("message", [{}, {"answer": 1}, {"answer": {}}, "text", None, {"run": 5}])
def test_messages_that_make_no_sense_are_passed_over(journal, sent, message):
    Quiz("Q36", ITEMS, journal)._receive(None, message, [])
    assert sent == []
    assert journal.answers() == []


def test_an_answer_without_its_parts_is_not_saved(journal, sent):
    Quiz("Q36", ITEMS, journal)._receive(None, {"answer": {"key": "k1"}}, [])
    assert sent == [{"unsaved": "k1", "problem": "KeyError: 'item'"}]


def test_only_the_code_of_predict_items_of_this_quiz_is_run(sent):
    widget = Quiz("Q36", ITEMS)
    widget._receive(None, {"run": "Q36-3"}, [])
    widget._receive(None, {"run": "Q01-1"}, [])
    assert sent == [
        {"ran": "Q36-3", "problem": "Q36-3 has no code to run."},
        {"ran": "Q01-1", "problem": "Q01-1 has no code to run."},
    ]


def test_what_the_code_prints_is_sent_to_the_page(sent, monkeypatch):
    monkeypatch.setattr("checks.quizzes.proof.output", lambda item: f"{item.id} printed this")
    Quiz("Q36", ITEMS)._receive(None, {"run": "Q36-5"}, [])
    assert sent == [{"ran": "Q36-5", "output": "Q36-5 printed this"}]


def test_code_that_cannot_run_is_said_in_one_line(sent, monkeypatch):
    def fail(item):
        raise RuntimeError("no\ndatabase")

    monkeypatch.setattr("checks.quizzes.proof.output", fail)
    Quiz("Q36", ITEMS)._receive(None, {"run": "Q36-5"}, [])
    assert sent == [{"ran": "Q36-5", "problem": "RuntimeError: no database"}]


# --- what learners call ---------------------------------------------------------------------------------------------


@pytest.fixture
def sample_bank(monkeypatch):
    monkeypatch.setattr("checks.quizzes.bank.course_bank", lambda: {item.id: item for item in ITEMS})


def test_quiz_gives_the_widget_of_a_question_or_an_item(sample_bank):
    assert [item["id"] for item in quiz("Q36").items] == [item.id for item in ITEMS]
    assert [item["id"] for item in checks.quiz("q36-2").items] == ["Q36-2"]


def test_quiz_names_what_there_is(sample_bank):
    with pytest.raises(UnknownQuiz, match="There is no question Q99. There are quizzes for Q36"):
        quiz("Q99")


@pytest.mark.parametrize("missing", ["anywidget", "ipywidgets"])
def test_quiz_prints_text_where_widgets_are_not_installed(sample_bank, monkeypatch, capsys, missing):
    monkeypatch.setattr("checks.quizzes.fallback.find_spec", lambda name: None if name == missing else object())
    assert quiz("Q36") is None
    assert "Q36-1 · Choose one" in capsys.readouterr().out


def test_quizzes_export_what_they_say():
    import checks.quizzes

    assert checks.quizzes.__all__ == ["quiz"]
