"""The builder, with real kernels: what it writes, what it leaves alone, and what it refuses."""

import nbformat
import pytest

from checks.course import build as builder
from checks.course.build import build, main, normalise_outputs
from checks.course.lesson import Course, CourseError
from checks.syllabus import QUESTIONS

LESSON = """# %% [markdown]
# # Deployment

# %%
import sys

print("one")
print("to stderr", file=sys.stderr)
print("two")

# %%
{"shown": 1}

# %% tags=["raises-exception"]
1 / 0

# %%
print("same")

# %%
print("same")
"""

NEWER = """# %%
import django

# %% tags=["since-6.1"]
print(django.VERSION >= (6, 1))
"""


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path, {"Q64": QUESTIONS["Q64"]})


@pytest.fixture
def no_kernel(monkeypatch):
    """Fail when a kernel would be started."""
    monkeypatch.setattr(builder, "execute", lambda *arguments: pytest.fail("a kernel was started"))


def write_lesson(course, text):
    source = course.chapters[-1].lesson_source
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text, encoding="utf-8", newline="\n")
    return course.chapters[-1].lesson


def test_a_lesson_is_executed_and_holds_nothing_that_varies(course):
    lesson = write_lesson(course, LESSON)
    assert build(course)["written"] == ["notebooks/25_deployment.ipynb"]
    notebook = nbformat.read(lesson, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
    assert [(output.name, output.text) for output in code[0].outputs] == [
        ("stdout", "one\ntwo\n"),
        ("stderr", "to stderr\n"),
    ]
    assert code[2].outputs[0].traceback == ["ZeroDivisionError: division by zero"]
    assert sorted(notebook.metadata) == ["course", "kernelspec", "language_info"]
    assert notebook.metadata.language_info == {"name": "python"}


def test_building_again_gives_the_same_bytes(course):
    lesson = write_lesson(course, LESSON)
    build(course)
    first = lesson.read_bytes()
    assert build(course, force=True) == {
        "written": [], "same": ["notebooks/25_deployment.ipynb"], "current": [], "failed": []
    }  # fmt: skip
    assert lesson.read_bytes() == first


def test_what_is_current_starts_no_kernel(bench, no_kernel):
    before = {path: path.stat().st_mtime_ns for path in bench.root.rglob("*.*")}
    outcome = build(bench.course)
    names = ["notebooks/00_start_here.ipynb", "notebooks/25_deployment.ipynb", "exercises/25_deployment.ipynb"]
    assert outcome == {"written": [], "same": [], "current": names, "failed": []}
    assert {path: path.stat().st_mtime_ns for path in bench.root.rglob("*.*")} == before


def edit_source(bench):
    bench.replace(bench.lesson, "Three numbers", "Three figures")


def edit_quiz(bench):
    bench.replace(bench.bank, "How much is 2?", "What is 2?")


def save_in_jupyter(bench):
    bench.edit_notebook(lambda notebook: notebook.metadata.language_info.update(version="3.13"))


@pytest.mark.parametrize("change", [edit_source, edit_quiz, save_in_jupyter])
def test_what_is_not_current_is_built(bench, change, monkeypatch):
    change(bench)
    monkeypatch.setattr(builder, "build_sheet", lambda sheet, on_cell: True)
    assert build(bench.course)["written"] == ["notebooks/25_deployment.ipynb"]


def test_a_new_cell_changes_no_other_id(course):
    lesson = write_lesson(course, LESSON)
    build(course)
    before = [cell.id for cell in nbformat.read(lesson, as_version=4).cells]
    write_lesson(course, LESSON.replace("# %%\n{", "# %% [markdown]\n# New.\n\n# %%\n{"))
    build(course)
    after = [cell.id for cell in nbformat.read(lesson, as_version=4).cells]
    assert len(set(after)) == len(after) == len(before) + 1
    assert [name for name in after if name in before] == before


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("# %%\nundefined_name\n", "NameError: name 'undefined_name' is not defined"),
        ('# %% tags=["raises-exception"]\nprint(1)\n', "is tagged `raises-exception` and raised nothing"),
        ("# %%\nimport os\nos._exit(1)\n", "the kernel died"),
    ],
)
def test_a_cell_that_does_not_do_what_it_announces_stops_its_notebook_alone(course, cell, problem):
    lesson = write_lesson(course, "# %%\nprint(1)\n\n" + cell)
    course.chapters[0].lesson_source.write_text("# %%\nprint(1)\n", encoding="utf-8")
    outcome = build(course)
    ((name, error),) = outcome["failed"]
    assert name == "notebooks/25_deployment.ipynb"
    assert str(error).startswith("cell 1: ")
    assert problem in str(error)
    assert cell.splitlines()[1] in str(error)
    assert "\x1b" not in str(error)
    assert not lesson.exists()
    assert outcome["written"] == ["notebooks/00_start_here.ipynb"]


def test_a_cell_that_takes_too_long_stops_its_notebook(course, monkeypatch):
    monkeypatch.setattr(builder, "TIME_LIMIT", 1)
    write_lesson(course, "# %%\nimport time\n\ntime.sleep(30)\n")
    ((_, error),) = build(course)["failed"]
    assert "took longer than 1 seconds" in str(error)


def test_the_newest_django_builds_its_own_cells(course, monkeypatch):
    monkeypatch.setattr(builder, "newest_django", lambda: True)
    lesson = write_lesson(course, NEWER)
    build(course)
    assert nbformat.read(lesson, as_version=4).cells[1].outputs[0].text in ("True\n", "False\n")


def test_an_older_django_keeps_the_stored_output_of_an_unchanged_cell(course, monkeypatch):
    lesson = write_lesson(course, NEWER)
    monkeypatch.setattr(builder, "newest_django", lambda: True)
    build(course)
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[1].outputs[0].text = "from 6.1\n"
    lesson.write_bytes(builder.serialise(notebook))
    monkeypatch.setattr(builder, "newest_django", lambda: False)
    write_lesson(course, "# %% [markdown]\n# More.\n\n" + NEWER)
    build(course)
    assert nbformat.read(lesson, as_version=4).cells[2].outputs[0].text == "from 6.1\n"


def test_an_older_django_does_not_build_a_new_cell_for_the_newest(course, monkeypatch, no_kernel):
    monkeypatch.setattr(builder, "newest_django", lambda: False)
    lesson = write_lesson(course, NEWER)
    ((_, error),) = build(course)["failed"]
    assert "cell 1" in str(error)
    assert "Build this lesson on Python ≥ 3.12" in str(error)
    assert not lesson.exists()


def test_exercises_are_not_executed_and_hold_no_answer(bench, no_kernel):
    bench.course.chapters[-1].exercises.unlink()
    build(bench.course)
    notebook = nbformat.read(bench.course.chapters[-1].exercises, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# 25 · Deployment: exercises")
    assert "../notebooks/25_deployment.ipynb" in notebook.cells[0].source
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count is None and cell.outputs == [] for cell in code)
    answer = next(cell for cell in code if cell.metadata.get("course", {}).get("exercise") == "25.1")
    assert "..." in answer.source
    assert "return 1" not in answer.source


def test_the_chapter_table_is_written_into_the_start_page_and_the_readme(bench, no_kernel):
    bench.replace(bench.root / "README.md", "| 25 |", "| 99 |")
    assert "README.md" in build(bench.course, ["25"])["written"]
    text = (bench.root / "README.md").read_text(encoding="utf-8")
    links = "[Deployment](notebooks/25_deployment.ipynb) | Q64 | 3 | [6](exercises/25_deployment.ipynb)"
    assert f"| 25 | {links} |" in text
    start = (bench.root / "notebooks" / "source" / "00_start_here.py").read_text(encoding="utf-8")
    assert "# | 25 | [Deployment](25_deployment.ipynb) | Q64 | 3 | [6](../exercises/25_deployment.ipynb) |" in start


@pytest.mark.parametrize("name", ["25", "25_deployment", "notebooks/source/25_deployment.py"])
def test_a_chapter_goes_by_number_slug_or_file(course, name):
    assert course.chapter(name).slug == "25_deployment"


def test_an_unknown_chapter_is_refused(course):
    with pytest.raises(CourseError, match="There is no chapter '77'"):
        build(course, ["77"])


def test_the_command_says_what_failed_and_fails(course, monkeypatch, capsys):
    monkeypatch.setattr(builder, "Course", lambda: course)
    write_lesson(course, "# %%\nundefined_name\n")
    assert main([]) == 1
    shown = capsys.readouterr()
    assert "notebooks/25_deployment.ipynb, cell 0: raised without the tag `raises-exception`" in shown.err
    assert "0 written, 0 unchanged, 1 failed" in shown.out


def test_widget_views_go_and_their_text_stays():
    view = "application/vnd.jupyter.widget-view+json"
    shown = nbformat.v4.new_output("display_data", data={view: {"model_id": "1"}, "text/plain": "Quiz Q64"})
    alone = nbformat.v4.new_output("display_data", data={view: {"model_id": "1"}})
    assert [output["data"] for output in normalise_outputs([shown, alone], 1)] == [{"text/plain": "Quiz Q64"}]
