import pytest

from checks.course.guards import notebooks


def test_a_source_without_a_notebook(bench):
    bench.notebook.unlink()
    assert "has no notebook" in bench.findings(notebooks.agreement)[0]


def test_a_notebook_without_a_source(bench):
    bench.write("notebooks/24_stray.ipynb", "{}")
    assert "24_stray.ipynb, : has no source" in bench.findings(notebooks.agreement)[0]


def test_a_source_edited_after_the_build(bench):
    bench.replace(bench.lesson, "Three numbers", "Three figures")
    (finding,) = bench.findings(notebooks.agreement)
    assert "cell 3: says something else than the source; run: course.py build 25" in finding


def test_a_notebook_edited_by_hand(bench):
    bench.edit_notebook(lambda notebook: notebook.cells[3].update(source="**See it.** Four:"))
    assert "says something else than the source" in bench.findings(notebooks.agreement)[0]


def test_a_notebook_with_a_cell_too_many(bench):
    bench.edit_notebook(lambda notebook: notebook.cells.append(dict(notebook.cells[0], id="more")))
    assert "cells, the source" in bench.findings(notebooks.agreement)[0]


def test_a_cell_id_that_does_not_come_from_the_content(bench):
    bench.edit_notebook(lambda notebook: notebook.cells[0].update(id="random"))
    assert "has the id 'random'" in bench.findings(notebooks.agreement)[0]


def test_a_quiz_item_changed_after_the_build(bench):
    bench.replace(bench.bank, "How much is 2?", "What is 2?")
    assert "older source or quiz bank" in bench.findings(notebooks.agreement)[0]


def test_a_proof_changed_after_the_build_needs_no_new_notebook(bench):
    bench.replace(bench.bank, "assert 2 == 2", "assert 2 == 1 + 1")
    assert bench.findings(notebooks.agreement) == []


def test_a_notebook_saved_by_jupyter(bench):
    bench.edit_notebook(lambda notebook: notebook.metadata.language_info.update(version="3.13.0"))
    assert "saved by an editor" in bench.findings(notebooks.agreement)[0]


def test_exercises_edited_after_the_build(bench):
    bench.replace(bench.exercises, "### 25.1 Return 1", "### 25.1 Give back 1")
    assert "exercises/25_deployment.ipynb" in bench.findings(notebooks.agreement)[0]


@pytest.mark.parametrize("name", ["notebooks/source/24_stray.py", "exercises/source/deployment.py",
                                  "checks/bank/26_stray.toml"])  # fmt: skip
def test_a_file_that_names_no_chapter(bench, name):
    bench.write(name, "")
    assert any(name in finding for finding in bench.findings(notebooks.agreement))


def code_cell(notebook, source):
    return next(cell for cell in notebook.cells if cell.source == source)


def test_a_cell_that_was_never_executed(bench):
    bench.edit_notebook(lambda notebook: code_cell(notebook, "print(2)").update(execution_count=None))
    assert "was never executed" in bench.findings(notebooks.execution)[0]


def test_cells_executed_out_of_order(bench):
    bench.edit_notebook(lambda notebook: code_cell(notebook, "print(2)").update(execution_count=9))
    assert "has the count 9 instead of 3" in bench.findings(notebooks.execution)[0]


def test_an_exception_nobody_announced(bench):
    bench.edit_notebook(lambda notebook: code_cell(notebook, "1 / 0").metadata.update(tags=[]))
    assert "stores an exception" in bench.findings(notebooks.execution)[0]


@pytest.mark.parametrize("tag", ["nbval-ignore-output", "nbval-skip", "raise-exception"])
def test_a_tag_that_hides_or_does_nothing(bench, tag):
    bench.edit_notebook(lambda notebook: code_cell(notebook, "print(2)").metadata.update(tags=[tag]))
    assert f"has the tag `{tag}`" in bench.findings(notebooks.comparability)[0]


def test_a_tag_for_a_program_that_the_cell_does_not_look_for(bench):
    bench.edit_notebook(lambda notebook: code_cell(notebook, "print(2)").metadata.update(tags=["needs-msgfmt"]))
    assert "is tagged `needs-msgfmt` and does not ask for it" in bench.findings(notebooks.comparability)[0]


def test_a_comment_that_keeps_nbval_from_comparing(bench):
    bench.replace(bench.lesson, "print(2)", "# NBVAL_IGNORE_OUTPUT\nprint(2)")
    bench.rebuild()
    assert "has the comment `# NBVAL_IGNORE_OUTPUT`" in bench.findings(notebooks.comparability)[0]


def test_a_timing_magic(bench):
    bench.replace(bench.lesson, "print(2)", "%timeit print(2)")
    bench.rebuild()
    assert "uses %time" in bench.findings(notebooks.comparability)[0]


def test_a_cell_for_the_newest_django_that_does_not_say_so(bench):
    bench.replace(bench.lesson, "if django.VERSION >= (6, 1):", "if True:")
    bench.rebuild()
    assert "does not ask for django.VERSION" in bench.findings(notebooks.comparability)[0]


@pytest.mark.parametrize("option", ["--nbval-lax", "--nbval-sanitize-with=rules.cfg"])
def test_an_option_that_weakens_the_comparison(bench, option):
    bench.write("pyproject.toml", f'[tool.pytest.ini_options]\naddopts = "{option}"\n')
    assert "make the outputs stable instead" in bench.findings(notebooks.comparability)[0]


@pytest.mark.parametrize(
    ("shown", "called"),
    [
        ("/" + "home/mira/course/db.sqlite3\n", "a path of this machine"),
        ("saved to /tmp/x1y2\n", "a path of this machine"),
        ("C:\\Course\\db.sqlite3\n", "a path of this machine"),
        ("ipykernel_4711/123.py:1: UserWarning\n", "a path of this machine"),
        ("<object at 0x7f3a2b1c4d5e>\n", "the address of an object"),
        ("\x1b[31mred\x1b[0m\n", "terminal colours"),
        ("took 12.5 ms\n", "a time"),
        ("done in 3 seconds\n", "a time"),
    ],
)
def test_an_output_that_is_not_the_same_elsewhere(bench, shown, called):
    bench.show(shown)
    assert f"shows {called}" in bench.findings(notebooks.outputs)[0]


def test_the_folder_of_the_course_in_an_output(bench):
    bench.show(f"{bench.root}\n")
    assert any("shows a path of this machine" in finding for finding in bench.findings(notebooks.outputs))


@pytest.mark.parametrize("shown", ["GET /home/ 200\n", "http://localhost/tmp/page\n", "5 items, 100 ms-office\n"[:7]])
def test_an_output_that_only_looks_like_one(bench, shown):
    bench.show(shown)
    assert bench.findings(notebooks.outputs) == []


def test_a_duration_that_never_changes_may_give_its_reason(bench):
    bench.show("Expires in 3600 seconds\n", reason="the setting's value")
    assert bench.findings(notebooks.outputs) == []


def test_the_state_of_widgets(bench):
    bench.edit_notebook(lambda notebook: notebook.metadata.update(widgets={}))
    assert "stores the state of widgets" in bench.findings(notebooks.outputs)[0]


def test_a_widget_view(bench):
    def change(notebook):
        data = {"text/plain": "quiz", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
        code_cell(notebook, "print(2)").outputs = [{"output_type": "display_data", "data": data, "metadata": {}}]

    bench.edit_notebook(change)
    assert "stores a widget view" in bench.findings(notebooks.outputs)[0]
