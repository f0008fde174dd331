"""Proofs run on fresh shop data, and one that fails says where and how."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from checks.quizzes import proof
from checks.tests.quizzes.sample import PREDICT, SINGLE


def proven(code, item=SINGLE):
    return replace(item, proof=code)


@pytest.fixture
def bank(monkeypatch):
    """Puts items in the place of the course's bank."""

    def put(*items):
        named = {item.id: item for item in items}
        monkeypatch.setattr("checks.quizzes.bank.course_bank", lambda: named)

    return put


def test_a_proof_that_holds_returns_nothing():
    assert proof.prove(proven("assert Book.objects.exists()")) is None


def test_a_proof_that_does_not_hold_raises_what_it_met():
    with pytest.raises(AssertionError):
        proof.prove(proven("assert not Book.objects.exists()"))
    with pytest.raises(ZeroDivisionError):
        proof.prove(proven("assert 1 / 0"))


@pytest.mark.parametrize(
    "names",
    [
        "Book, Author, Order, User, Group, Session",
        "F, Q, Count, Sum, Exists, OuterRef, Subquery, Prefetch, Value, models",
        "connection, transaction, IntegrityError, CaptureQueriesContext, queries",
        "django, settings, apps, FieldError, raises",
    ],
)
def test_proofs_have_the_names_they_are_promised(names):
    proof.prove(proven(f"assert all(thing is not None for thing in ({names}))"))


def test_every_proof_gets_fresh_data():
    proof.prove(proven("OrderLine.objects.all().delete(); assert not OrderLine.objects.exists()"))
    proof.prove(proven("assert OrderLine.objects.exists()"))


def test_a_transaction_left_open_does_not_reach_the_next_proof():
    proof.prove(proven("connection.cursor().execute('BEGIN'); assert 1"))
    proof.prove(proven("assert Author.objects.create(name='One more').pk"))


def test_the_database_of_the_learner_is_there_again_afterwards():
    from lab import database

    database.boot()
    before = database.private_copy(database.shop())
    database.connect_to(before)
    try:
        with pytest.raises(AssertionError):
            proof.prove(proven("assert False"))
        proof.output(PREDICT)
        assert database.connected_to() == before
    finally:
        database.remove(before)


def test_raises_gives_the_exception_and_fails_without_one():
    assert str(proof.raises(ValueError, int, "x")).startswith("invalid literal")
    with pytest.raises(AssertionError, match="int did not raise ValueError"):
        proof.raises(ValueError, int, "1")
    with pytest.raises(TypeError):
        proof.raises(ValueError, int, [])


def test_a_proof_sees_the_answer_and_what_the_code_prints():
    item = replace(PREDICT, code="print(1 + 1)", answer=2)
    proof.prove(proven("assert output() == '2' and answer == 2", item))


def test_the_code_of_a_predict_item_must_run():
    with pytest.raises(proof.ProofError, match="the code that learners see stops with NameError: name 'nothing'"):
        proof.prove(replace(PREDICT, code="print(nothing)", proof="assert answer"))


def test_the_code_of_a_predict_item_may_stop_with_its_answer():
    item = replace(PREDICT, code="Book.objects.get(pk=-1)", answer="DoesNotExist")
    proof.prove(proven("raises(Book.DoesNotExist, Book.objects.get, pk=-1); assert answer", item))
    assert proof.output(item) == "DoesNotExist: Book matching query does not exist."


def test_the_output_of_code_is_what_it_prints():
    item = replace(PREDICT, code="with queries():\n    print(Book.objects.exists())")
    assert proof.output(item).startswith("True\n")
    assert "1 query" in proof.output(item)


def test_what_code_displays_in_a_notebook_is_part_of_its_output(tmp_path):
    code = (
        "from checks.quizzes import proof; from checks.tests.quizzes.sample import PREDICT; "
        "text = proof.output(PREDICT); print([text])"
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=nocolor", "-c", code],
        capture_output=True, text=True, encoding="utf-8", env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == "['True\\n0 queries']\n"


def test_the_command_counts_the_proofs_that_hold(bank, capsys):
    bank(SINGLE, PREDICT)
    assert proof.main([]) == 0
    assert "2 of 2 proofs hold on Django" in capsys.readouterr().out


def test_the_command_shows_item_line_and_exception_of_what_fails(bank, capsys):
    bank(proven("x = 1\nassert x == 2, 'not two'"), PREDICT)
    assert proof.main([]) == 1
    said = capsys.readouterr().out
    assert "12_relationships.toml, Q36-1, line 2 of the proof:\n    assert x == 2, 'not two'\n" in said
    assert "AssertionError: not two" in said
    assert "1 of 2 proofs hold" in said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("assert 1 / 0", "ZeroDivisionError: division by zero"),
        ("Book.objects.all().delete(); assert 1", "ProtectedError: (cannot be shown any more)"),
    ],
)
def test_whatever_a_proof_raises_is_a_failure(bank, capsys, code, said):
    bank(proven(code))
    assert proof.main(["Q36-1"]) == 1
    assert said in capsys.readouterr().out


def test_the_command_runs_only_what_is_named(bank, capsys):
    bank(proven("assert False"), PREDICT)
    assert proof.main(["Q36-5"]) == 0
    assert "1 of 1 proofs hold" in capsys.readouterr().out
    assert proof.main(["Q36"]) == 1


def test_the_command_refuses_an_unknown_id(bank, capsys):
    bank(SINGLE)
    assert proof.main(["Q99"]) == 2
    assert "There is no question Q99" in capsys.readouterr().out


def test_an_empty_bank_proves_nothing(bank, capsys):
    bank()
    assert proof.main([]) == 1
    assert "nothing is proven" in capsys.readouterr().out
