import json
from pathlib import Path

import nbformat
import pytest

from checks.course import grade as command
from checks.course.grade import Grade, answers, difficulties, grade, notebooks
from checks.exercises.source import UnknownExercise, load
from checks.exercises.verdict import Verdict


def save(path, *sources, **metadata):
    cells = [nbformat.v4.new_code_cell(source, metadata=metadata) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def examine_many(pairs, workers, done):
    """Stands in for the real one: the source says which verdict it gets."""
    found = []
    for exercise, source in pairs:
        outcome = "correct" if "right" in source else "wrong"
        unknown = UnknownExercise(f"There is no exercise {exercise}.")
        known = Verdict(exercise, "1", outcome, "Said.", mistake=None, queries=1)
        found.append(unknown if exercise == "99.1" else known)
        done()
    return found


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(command, "examine_many", examine_many)


def test_the_answer_is_the_cell_that_calls_check(tmp_path):
    file = save(tmp_path / "a.ipynb", "start()", 'x = 1\n\ncheck("13.1")', 'def f(): ...\ncheck( "13.2" )')
    assert [(one.exercise, one.source) for one in answers(file)] == [
        ("13.1", 'x = 1\n\ncheck("13.1")'),
        ("13.2", 'def f(): ...\ncheck( "13.2" )'),
    ]


def test_an_answer_cell_without_its_call_is_known_by_its_metadata(tmp_path):
    file = save(tmp_path / "a.ipynb", "x = 1", course={"exercise": "13.1", "role": "answer"})
    assert [one.exercise for one in answers(file)] == ["13.1"]


def test_of_several_cells_for_an_exercise_the_last_counts(tmp_path):
    file = save(tmp_path / "a.ipynb", 'first = 1\ncheck("13.1")', 'last = 1\ncheck("13.1")')
    assert [one.source for one in answers(file)] == ['last = 1\ncheck("13.1")']


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not json", "This is not a notebook"),
        (b"[]", "save it in JupyterLab once"),
        (b'{"worksheets": []}', "save it in JupyterLab once"),
        (b'{"cells": [{"cell_type": "code"}]}', "save it in JupyterLab once"),
        (b'{"cells": []}', "There is no exercise in this notebook"),
        (b"\xff\xfe\x00", "This is not a notebook"),
        (b"[" * 100_000, "This is not a notebook"),
    ],
)
def test_what_cannot_be_read_is_a_row_with_the_reason(tmp_path, quick, content, reason):
    (tmp_path / "a.ipynb").write_bytes(content)
    right = save(tmp_path / "b.ipynb", 'right = 1\ncheck("13.1")')
    bad, good = grade([tmp_path])
    assert (bad.file, bad.outcome) == (str(tmp_path / "a.ipynb"), "no verdict")
    assert reason in bad.message
    assert (good.file, good.exercise, good.outcome) == (str(right), "13.1", "correct")


def test_a_missing_file_is_a_row_with_the_reason(tmp_path, quick):
    (row,) = grade([tmp_path / "gone.ipynb"])
    assert row.outcome == "no verdict"
    assert "The file cannot be read" in row.message


def test_an_unknown_exercise_is_a_row_with_the_reason(tmp_path, quick):
    (row,) = grade([save(tmp_path / "a.ipynb", 'check("99.1")')])
    assert (row.outcome, row.message) == ("no verdict", "There is no exercise 99.1.")


def test_folders_are_searched_and_checkpoints_left_out(tmp_path):
    deep = save(tmp_path / "b" / "deep.ipynb", "x")
    save(tmp_path / ".ipynb_checkpoints" / "old.ipynb", "x")
    single = save(tmp_path / "a.ipynb", "x")
    assert list(notebooks([tmp_path / "b", single])) == [deep, single]
    assert list(notebooks([tmp_path])) == [single, deep]


def test_rows_keep_the_order_of_the_files_whoever_judged_them(tmp_path, quick):
    files = [save(tmp_path / f"{number:02}.ipynb", f'right = {number}\ncheck("13.1")') for number in range(20)]
    told = []
    rows = grade(files, workers=4, on_grade=lambda done, of: told.append((done, of)))
    assert [row.file for row in rows] == [str(file) for file in files]
    assert told[-1] == (20, 20)


def test_the_command_prints_json_and_fails_where_something_was_not_graded(tmp_path, quick, capsys):
    good = save(tmp_path / "a.ipynb", 'right = 1\ncheck("13.1")')
    assert command.main([str(good), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {
        "file": str(good),
        "exercise": "13.1",
        "outcome": "correct",
        "message": "Said.",
        "mistake": None,
        "queries": 1,
    }
    assert command.main([str(good), str(tmp_path / "gone.ipynb")]) == 1
    assert "1 correct, 1 no verdict" in capsys.readouterr().out


def test_the_real_examiner_tells_right_from_wrong_and_open(tmp_path):
    exercise = load()["13.1"]
    sources = {
        "correct": f'{exercise.solution}\n\ncheck("{exercise.id}")',
        "not attempted": exercise.stub,
        "error": f"{exercise.stub.replace('...', '1 / 0')}",
    }
    files = [save(tmp_path / f"{outcome}.ipynb", source) for outcome, source in sources.items()]
    assert {Path(row.file).stem: row.outcome for row in grade(files)} == {outcome: outcome for outcome in sources}


def test_the_report_has_the_hardest_exercise_first_and_what_went_wrong_most():
    def row(exercise, outcome, message=""):
        return Grade("a.ipynb", exercise, outcome, message)

    found = difficulties(
        [
            row("13.1", "correct"),
            row("13.1", "wrong", "Two rows are missing."),
            row("13.2", "wrong", "It counts twice."),
            row("13.2", "wrong", "It counts twice."),
            row("13.2", "error", "NameError"),
            row("13.3", "not attempted"),
            row("", "no verdict", "This is not a notebook."),
        ]
    )
    assert [(each.exercise, each.tried, each.solved) for each in found] == [("13.2", 3, 0), ("13.1", 2, 1)]
    assert (found[0].mistake, found[0].made) == ("It counts twice.", 2)
    assert found[1].share == 0.5


def test_the_command_reports_by_exercise_and_still_names_what_it_could_not_read(tmp_path, quick, capsys):
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    assert command.main([str(tmp_path), "--report"]) == 1
    said = capsys.readouterr().out
    assert "Exercise" in said
    assert "broken.ipynb" in said
    assert "This is not a notebook" in said
