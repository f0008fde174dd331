"""The learner's copy is kept up to date, and nothing a learner wrote is ever overwritten."""

import json
import re

import pytest

from checks.course import workspace as workspace_module
from checks.course.workspace import Workspace, WorkspaceError, answered_by
from checks.learner.journal import Journal

LESSON = "notebooks/13_query_performance.ipynb"
EXERCISES = "exercises/13_query_performance.ipynb"


def code(source, exercise=None, outputs=()):
    metadata = {"course": {"exercise": exercise, "role": "answer"}} if exercise else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{abs(hash(source))}",
        "metadata": metadata,
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def write(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def sources(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def stub(number):
    return f'def answer():\n    ...\n\n\ncheck("13.{number}")'


@pytest.fixture
def course(tmp_path):
    course = tmp_path / "course"
    write(course / LESSON, code("first = 1"), code("second = 2"))
    write(course / EXERCISES, code("from checks import check"), code(stub(1), "13.1"), code(stub(2), "13.2"))
    return course


@pytest.fixture
def copy(tmp_path, course):
    return Workspace(tmp_path / "my_course", course, Journal(tmp_path / "home" / "progress.sqlite3"))


@pytest.fixture
def lesson(copy):
    return copy.folder / LESSON


def names(copy, folder="notebooks"):
    return sorted(path.name for path in (copy.folder / folder).iterdir())


def test_a_first_copy_has_the_courses_cells_and_folders(copy, course, lesson):
    assert copy.sync() == [f"2 notebooks copied to {copy.folder}."]
    ours, mine = (json.loads(path.read_text(encoding="utf-8")) for path in (course / LESSON, lesson))
    assert [cell["source"] for cell in mine["cells"]] == [cell["source"] for cell in ours["cells"]]


def test_a_copy_holds_no_outputs_so_that_predictions_are_predictions(copy, course, lesson):
    ours = json.loads((course / LESSON).read_text(encoding="utf-8"))
    code = next(cell for cell in ours["cells"] if cell["cell_type"] == "code")
    code |= {"execution_count": 1, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["4\n"]}]}
    (course / LESSON).write_text(json.dumps(ours), encoding="utf-8")
    copy.sync()
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if "outputs" in cell)
    assert any("outputs" in cell for cell in cells)


def test_sources_are_not_delivered(copy, course):
    (course / "notebooks" / "source").mkdir()
    (course / "notebooks" / "source" / "13_query_performance.py").write_text("# %%\n")
    copy.sync()
    assert names(copy) == ["13_query_performance.ipynb"]


def test_a_second_sync_writes_nothing(copy, lesson):
    copy.sync()
    before = lesson.stat().st_mtime_ns
    assert copy.sync() == []
    assert lesson.stat().st_mtime_ns == before


def test_an_unchanged_notebook_is_refreshed(copy, course, lesson):
    copy.sync()
    write(course / LESSON, code("first = 100"))
    assert copy.sync() == [f"Brought up to date: {LESSON}."]
    assert sources(lesson) == ["first = 100"]
    assert names(copy) == ["13_query_performance.ipynb"]


def test_running_a_notebook_is_not_writing_in_it(copy, course, lesson):
    copy.sync()
    ran = {"name": "stdout", "output_type": "stream", "text": ["2\n"]}
    write(lesson, code("first = 1", outputs=[ran]), code("second = 2"))
    before = lesson.read_bytes()
    assert copy.sync() == []
    assert lesson.read_bytes() == before
    write(course / LESSON, code("first = 100"))
    copy.sync()
    assert sources(lesson) == ["first = 100"]


def test_what_a_learner_wrote_is_kept_and_the_new_version_offered_beside_it(copy, course, lesson):
    copy.sync()
    write(lesson, code("first = 1"), code("mine = 'a note'"))
    before = lesson.read_bytes()
    write(course / LESSON, code("first = 100"))
    (said,) = copy.sync()
    assert lesson.read_bytes() == before
    assert sources(copy.folder / "notebooks" / "13_query_performance.new.ipynb") == ["first = 100"]
    assert "13_query_performance.new.ipynb" in said


def test_a_changed_notebook_of_an_unchanged_course_is_left_in_peace(copy, lesson):
    copy.sync()
    write(lesson, code("mine = 1"))
    assert copy.sync() == []
    assert names(copy) == ["13_query_performance.ipynb"]


def test_a_version_is_offered_once_even_if_the_learner_removes_it(copy, course, lesson):
    copy.sync()
    write(lesson, code("mine = 1"))
    write(course / LESSON, code("first = 100"))
    copy.sync()
    (copy.folder / "notebooks" / "13_query_performance.new.ipynb").unlink()
    assert copy.sync() == []
    assert names(copy) == ["13_query_performance.ipynb"]


def test_a_newer_offer_replaces_an_untouched_one(copy, course, lesson):
    copy.sync()
    write(lesson, code("mine = 1"))
    for number in (100, 200):
        write(course / LESSON, code(f"first = {number}"))
        copy.sync()
    assert names(copy) == ["13_query_performance.ipynb", "13_query_performance.new.ipynb"]
    assert sources(copy.folder / "notebooks" / "13_query_performance.new.ipynb") == ["first = 200"]


def test_an_offer_that_the_learner_wrote_in_is_theirs_too(copy, course, lesson):
    copy.sync()
    write(lesson, code("mine = 1"))
    write(course / LESSON, code("first = 100"))
    copy.sync()
    offer = copy.folder / "notebooks" / "13_query_performance.new.ipynb"
    write(offer, code("first = 100"), code("mine too = 2"))
    write(course / LESSON, code("first = 200"))
    copy.sync()
    assert sources(offer) == ["first = 100", "mine too = 2"]
    assert sources(copy.folder / "notebooks" / "13_query_performance.new-2.ipynb") == ["first = 200"]


def test_adopting_the_offer_ends_the_matter(copy, course, lesson):
    copy.sync()
    write(lesson, code("mine = 1"))
    write(course / LESSON, code("first = 100"))
    copy.sync()
    (copy.folder / "notebooks" / "13_query_performance.new.ipynb").replace(lesson)
    assert copy.sync() == []
    write(course / LESSON, code("first = 200"))
    copy.sync()
    assert sources(lesson) == ["first = 200"]


@pytest.mark.parametrize("content", [None, "", "{not json", "[]"])
def test_without_its_manifest_everything_that_differs_is_the_learners(copy, course, lesson, content):
    copy.sync()
    manifest = copy.folder / ".course" / "manifest.json"
    if content is None:
        manifest.unlink()
    else:
        manifest.write_text(content)
    write(course / LESSON, code("first = 100"))
    copy.sync()
    assert sources(lesson) == ["first = 1", "second = 2"]
    assert sources(copy.folder / "notebooks" / "13_query_performance.new.ipynb") == ["first = 100"]
    assert names(copy, "exercises") == ["13_query_performance.ipynb"]


def test_files_of_the_learners_own_are_left_alone(copy):
    copy.sync()
    mine = copy.folder / "notebooks" / "scratch.ipynb"
    mine.write_text("anything")
    copy.sync()
    assert mine.read_text() == "anything"


def test_a_notebook_that_left_the_course_stays_with_the_learner(copy, course, lesson):
    copy.sync()
    (course / LESSON).unlink()
    assert copy.sync() == []
    assert lesson.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"cells": [{}]}'])
def test_an_unreadable_notebook_is_kept_aside_and_delivered_again(copy, lesson, damage):
    copy.sync()
    lesson.write_bytes(damage)
    said = copy.sync()
    assert sources(lesson) == ["first = 1", "second = 2"]
    assert (copy.folder / "notebooks" / "13_query_performance.unreadable-1.ipynb").read_bytes() == damage
    assert any("13_query_performance.unreadable-1.ipynb" in sentence for sentence in said)


def answer(text, number=1):
    return f'def answer():\n    return "{text}"\n\n\ncheck("13.{number}")'


def test_an_answered_exercise_comes_back_when_its_notebook_is_gone(copy):
    copy.sync()
    copy.journal.attempt("13.1", "v", "wrong", answer("a first try"))
    copy.journal.attempt("13.1", "v", "correct", answer("čapek"))
    copy.journal.attempt("13.1", "v", "not attempted", stub(1))
    (copy.folder / EXERCISES).unlink()
    said = copy.sync()
    assert sources(copy.folder / EXERCISES) == ["from checks import check", answer("čapek"), stub(2)]
    assert f"{EXERCISES}: your latest answers are back in it (13.1)." in said


def test_answers_come_back_in_place_of_an_unreadable_notebook(copy):
    copy.sync()
    copy.journal.attempt("13.2", "v", "wrong", answer("mine", 2))
    (copy.folder / EXERCISES).write_text("{")
    copy.sync()
    assert sources(copy.folder / EXERCISES)[2] == answer("mine", 2)


def test_answers_that_came_back_are_the_learners(copy, course):
    copy.journal.attempt("13.1", "v", "wrong", answer("mine"))
    copy.sync()
    write(course / EXERCISES, code("# a new prompt"), code(stub(1), "13.1"))
    copy.sync()
    assert sources(copy.folder / EXERCISES)[1] == answer("mine")
    offered = sources(copy.folder / "exercises" / "13_query_performance.new.ipynb")
    assert offered == ["# a new prompt", answer("mine")]


def test_answers_are_not_put_over_a_notebook_that_is_there(copy):
    copy.sync()
    copy.journal.attempt("13.1", "v", "wrong", answer("older"))
    write(copy.folder / EXERCISES, code(answer("newer, not checked yet"), "13.1"))
    copy.sync()
    assert sources(copy.folder / EXERCISES) == [answer("newer, not checked yet")]


@pytest.mark.parametrize(
    ("cell", "exercise"),
    [
        (code("x = 1", "13.1"), "13.1"),
        (code('def f(): ...\n\ncheck("13.10")'), "13.10"),
        (code("check('13.1')"), "13.1"),
        (code('# then check("13.1")'), None),
        (code("x = 1"), None),
        ({"cell_type": "markdown", "metadata": {}, "source": ['check("13.1")']}, None),
        ({**code("x = 1"), "metadata": {"course": {"exercise": "13.1", "role": "prompt"}}}, None),
    ],
)
def test_answer_cells_are_known_by_metadata_or_by_their_call(cell, exercise):
    assert answered_by(cell) == exercise


def test_a_copy_that_cannot_be_written_says_what_to_do(copy):
    copy.folder.parent.mkdir(exist_ok=True)
    copy.folder.write_text("a file in the way")
    with pytest.raises(WorkspaceError, match="--folder"):
        copy.sync()


def test_a_write_that_fails_leaves_the_old_notebook_whole(copy, course, lesson, monkeypatch):
    copy.sync()
    before = lesson.read_bytes()
    write(course / LESSON, code("first = 100"))

    def disk_is_full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(workspace_module.os, "replace", disk_is_full)
        with pytest.raises(WorkspaceError, match="No space left on device"):
            copy.sync()
    assert lesson.read_bytes() == before
    assert names(copy) == ["13_query_performance.ipynb"]
    copy.sync()
    assert sources(lesson) == ["first = 100"]


def test_jupyterlabs_settings_lie_inside_the_copy_and_turn_news_off(copy):
    settings = copy.deliver_settings()
    assert copy.folder in settings.parents
    text = (settings / "labconfig" / "default_setting_overrides.json").read_text(encoding="utf-8")
    (overrides,) = json.loads(text).values()
    assert overrides["fetchNews"] == "false"


def test_the_command_reports_and_fails_with_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    assert workspace_module.main([str(tmp_path / "my_course")]) == 0
    (tmp_path / "file").write_text("in the way")
    assert workspace_module.main([str(tmp_path / "file")]) == 1
    assert re.fullmatch(r"Your copy of the course in .* cannot be written .*\n", capsys.readouterr().err)
