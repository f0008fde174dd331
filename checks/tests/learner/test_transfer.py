"""Progress goes to another machine and back without losing or doubling a row."""

import csv
import json
from datetime import UTC, datetime

import pytest

from checks.learner.journal import Journal
from checks.learner.transfer import TransferError, exported, imported, main

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def filled(path, name):
    journal = Journal(path)
    journal.answer("Q38-1", "aa", f"given “{name}”", True, False, 2.5, key=f"a{name}", at=NOON)
    journal.attempt("13.1", "v", "wrong", "books = ...\n", detail="Čapek", hints=1, key=f"t{name}", at=NOON)
    journal.hint("13.1", 1, key=f"h{name}", at=NOON)
    journal.recital("Q38", "r", ["x", "y"], 5, None, key=f"r{name}", at=NOON)
    journal.set("interview", "2026-05-01", key=f"s{name}", at=NOON)
    journal.event("interview/1", "begun", {"role": "mid"}, key=f"e{name}", at=NOON)
    return journal


def test_everything_comes_back_as_it_was(tmp_path):
    here, there = filled(tmp_path / "here.sqlite3", "1"), Journal(tmp_path / "there.sqlite3")
    assert there.add(imported(json.dumps(exported(here)))) == 6
    assert there.rows() == here.rows()


def test_two_machines_that_take_each_others_progress_have_the_same(tmp_path):
    one, other = filled(tmp_path / "1.sqlite3", "1"), filled(tmp_path / "2.sqlite3", "2")
    first = json.dumps(exported(one))
    assert one.add(imported(json.dumps(exported(other)))) == 6
    assert other.add(imported(first)) == 6
    assert one.add(imported(first)) == 0
    assert {row.key for row in one.rows()} == {row.key for row in other.rows()}
    assert len(one.rows()) == 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "not progress of this course"),
        ('{"format": "other"}', "not progress of this course"),
        ('{"format": "django-interview-course/99"}', "newer version"),
        (
            '{"format": "django-interview-course/1", "answers": [{"key": "a"}]}',
            "answers, number 1: expected the fields",
        ),
        (
            '{"format": "django-interview-course/1", "settings": [{"key":"a","at":"2026","name":"n","value":"v"}]}',
            "settings, number 1",
        ),
    ],
)
def test_what_is_no_export_is_refused_with_its_place(text, says):
    with pytest.raises(TransferError, match=says):
        imported(text, "progress.json")


def test_one_bad_row_imports_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    data = exported(filled(tmp_path / "other.sqlite3", "1"))
    data["events"][0]["at"] = "yesterday"
    (tmp_path / "p.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["import", str(tmp_path / "p.json")]) == 1
    assert "events, number 1" in capsys.readouterr().err
    assert Journal().rows() == []


def test_the_command_writes_and_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "one"))
    filled(tmp_path / "one" / "progress.sqlite3", "1")
    assert main(["export", str(tmp_path / "p.json")]) == 0
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "two"))
    assert main(["import", str(tmp_path / "p.json")]) == 0
    assert "6 new rows" in capsys.readouterr().out
    assert main(["export", str(tmp_path / "answers.csv")]) == 0
    with (tmp_path / "answers.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["item"], row["given"], row["seconds"]) == ("Q38-1", "given “1”", "2.5")


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["import", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err
