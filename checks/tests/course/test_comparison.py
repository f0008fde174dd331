"""What nbval passes and must not: each notebook here is green without the plugin, or slow to turn red."""

import os
import subprocess
import sys
from pathlib import Path

import django
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = ["-p", "no:django", "-p", "no:cacheprovider", "-p", "checks.course.comparison"]


def cell(source, outputs=(), count=1, tags=()):
    made = nbformat.v4.new_code_cell(source, execution_count=count, outputs=list(outputs))
    made.metadata["tags"] = list(tags)
    return made


def printed(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def raised(name, message):
    return nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[])


SWALLOW = """
import time
end = time.monotonic() + 5
while time.monotonic() < end:
    try:
        time.sleep(0.1)
    except KeyboardInterrupt:
        break
"""

NOTEBOOKS = {
    "agrees": [
        cell("print(1)", [printed("1\n")]),
        cell("1 / 0", [raised("ZeroDivisionError", "division by zero")], tags=["raises-exception"]),
    ],
    "differs": [cell("print(1)", [printed("2\n")])],
    "never_executed": [cell("print(1)", count=None)],
    "stored_error": [cell("1 / 0", [raised("ZeroDivisionError", "division by zero")])],
    "announced_error_gone": [
        cell("1 / 1", [raised("ZeroDivisionError", "division by zero")], tags=["raises-exception"])
    ],
    "swallows_the_interrupt": [cell(SWALLOW)],
    "kernel_dies": [cell("import os\nos._exit(1)"), cell("print(1)", [printed("1\n")])],
    "since": [cell("print('here')", [printed("6.1\n")], tags=["since-6.1"])],
    "lacks_a_program": [cell("print('here')", [printed("there\n")], tags=["needs-no-such-program"])],
    "has_a_program": [cell("print('here')", [printed("there\n")], tags=["needs-git"])],
    "journal": [cell("import os\nprint(os.listdir(os.environ['COURSE_HOME']))", [printed("[]\n")])],
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The report line of each cell, from one run over all notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name, cells in NOTEBOOKS.items():
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "--nbval", "--nbval-current-env", "--nbval-cell-timeout=2",
         "--color=no", "-q", "-rA", "--rootdir", str(folder), "."],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return run.stdout


def status(outcomes, name, number=0):
    lines = [line for line in outcomes.splitlines() if f"{name}.ipynb::Cell {number}" in line]
    return next((line.split()[0] for line in lines if line.startswith(("PASSED", "FAILED", "XFAIL", "XPASS"))), None)


def test_a_cell_that_agrees_passes(outcomes):
    assert status(outcomes, "agrees") == "PASSED"
    assert status(outcomes, "agrees", 1) == "PASSED"


def test_a_cell_that_differs_fails(outcomes):
    assert status(outcomes, "differs") == "FAILED"


def test_a_cell_that_was_never_executed_fails_and_names_the_remedy(outcomes):
    assert status(outcomes, "never_executed") == "FAILED"
    assert "not executed (run: course.py build)" in outcomes


def test_a_stored_exception_nobody_announced_fails(outcomes):
    assert status(outcomes, "stored_error") == "FAILED"
    assert "the stored output is ZeroDivisionError, and the cell has no tag `raises-exception`" in outcomes


def test_an_announced_exception_that_does_not_come_fails(outcomes):
    assert status(outcomes, "announced_error_gone") == "FAILED"


def test_a_cell_that_swallows_its_time_limit_fails(outcomes):
    assert status(outcomes, "swallows_the_interrupt") == "FAILED"
    assert "Time limit of 2 seconds exceeded, and the interrupt was swallowed" in outcomes


def test_a_dead_kernel_fails_the_cell_that_killed_it_and_those_after(outcomes):
    assert status(outcomes, "kernel_dies") == "FAILED"
    assert status(outcomes, "kernel_dies", 1) == "FAILED"
    assert "The kernel died while running this cell" in outcomes


def test_a_cell_for_the_newest_django_is_compared_on_it_alone(outcomes):
    assert status(outcomes, "since") == ("FAILED" if django.VERSION >= (6, 1) else "PASSED")


def test_a_cell_for_a_program_is_compared_where_that_is_installed(outcomes):
    assert status(outcomes, "lacks_a_program") == "PASSED"
    assert status(outcomes, "has_a_program") == "FAILED"


def test_notebooks_find_an_empty_journal(outcomes):
    assert status(outcomes, "journal") == "PASSED"


def test_the_plugin_is_silent_where_no_notebook_is_run(tmp_path):
    (tmp_path / "test_plain.py").write_text(
        "import os\n\n\ndef test_home():\n    assert os.environ['COURSE_HOME'] == 'mine'\n", encoding="utf-8"
    )

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-q", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"COURSE_HOME": "mine"},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def test_the_options_of_the_project_load_the_plugin():
    assert "-p checks.course.comparison" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
