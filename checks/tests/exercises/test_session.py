# ruff: noqa: E501  the code and the sentences that are tested stay in one piece
"""check, hint and solution in a real kernel, and outside of one."""

import subprocess
import sys
from pathlib import Path

import pytest

from checks.exercises import session
from checks.learner.journal import Journal

from .conftest import SAMPLE

START = f"""
from pathlib import Path
from checks.exercises import source
source.FOLDER = Path({str(SAMPLE)!r})
from checks import check, hint, solution
"""
RIGHT = 'def one():\n    return 1\n\n\ncheck("91.6")'
WRONG = 'def one():\n    return {}\n\n\ncheck("91.6")'


class Notebook:
    """A kernel, and the texts that its cells show."""

    def __init__(self, home):
        import os

        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(
            kernel_name="python3", env={**os.environ, "COURSE_HOME": str(home)}
        )

    def run(self, source, store_history=True):
        shown = []

        def collect(message):
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    shown.append(content["text"])
                case "display_data" | "execute_result":
                    shown.append(content["data"]["text/plain"])
                    self.html = content["data"].get("text/html")
                case "error":
                    shown.append(f"{content['ename']}: {content['evalue']}")

        self.client.execute_interactive(source, store_history=store_history, output_hook=collect, timeout=120)
        return "".join(shown)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def notebook(home):
    notebook = Notebook(home)
    notebook.run(START)
    yield notebook
    notebook.close()


def test_a_cell_is_checked_and_the_attempt_remembered(notebook, home, sample):
    assert notebook.run(WRONG.format(2)).startswith("✗ 91.6 wrong: Two is not one.")
    assert notebook.run(RIGHT).startswith("✓ 91.6 correct: Correct, with 0 queries."[:18])
    assert "var(--jp-" in notebook.html
    attempts = Journal(home / "progress.sqlite3").attempts("91.6")
    assert [(one.outcome, one.mistake) for one in attempts] == [("wrong", "1"), ("correct", None)]
    assert attempts[0].source == WRONG.format(2)
    assert attempts[0].version == sample["91.6"].version


def test_the_running_cell_counts_even_when_nothing_is_kept_of_it(notebook):
    assert "correct" in notebook.run(RIGHT)
    assert "Two is not one" in notebook.run(WRONG.format(2), store_history=False)


def test_a_cell_that_patches_the_kernel_is_judged_all_the_same(notebook):
    above = "import builtins\nbuiltins.sorted = lambda *_, **__: [1]\n"
    verdict = notebook.run(above + WRONG.format(2))
    assert "correct" not in verdict
    assert "replaces `sorted`" in verdict


def test_a_cell_that_patches_checks_does_not_change_the_verdict(notebook):
    above = (
        "from checks.exercises import verdict, difference\n"
        "verdict.judge = None\ndifference.differences = lambda *a, **k: []\n"
        "verdict.Verdict.passed = True\n"
    )
    assert "replaces `checks.exercises.difference.differences`" in notebook.run(above + WRONG.format(2))
    assert notebook.run(WRONG.format(2)).startswith("✗ 91.6 wrong: Two is not one.")


def test_the_kernel_outlives_what_an_answer_does(notebook):
    notebook.run("kept = 1")
    assert "ends Python itself" in notebook.run('import os\n\n\ndef one():\n    os._exit(0)\n\n\ncheck("91.6")')
    assert "was stopped" in notebook.run('def one():\n    while True:\n        pass\n\n\ncheck("91.6")')
    assert notebook.run("print(kept)") == "1\n"
    assert "correct" in notebook.run(RIGHT)


def test_a_killed_kernel_leaves_neither_processes_nor_files(notebook):
    import time

    import psutil

    notebook.run(RIGHT)
    kernel = psutil.Process(notebook.manager.provisioner.process.pid)
    examiner = int(notebook.run("from checks.exercises import examiner; print(examiner._shared(__import__('os').getpid()).process_id)"))
    folder = Path(notebook.run("print(examiner._shared(__import__('os').getpid()).folder)").strip())
    assert folder.exists()
    kernel.kill()
    for _ in range(200):
        if not folder.exists() and not psutil.pid_exists(examiner):
            return
        time.sleep(0.05)
    pytest.fail("the examiner outlived its kernel")


def test_an_interrupted_check_leaves_a_kernel_that_checks(notebook):
    import threading

    stop = threading.Timer(0.8, notebook.manager.interrupt_kernel)
    stop.start()
    shown = notebook.run('import time\n\n\ndef one():\n    time.sleep(60)\n\n\ncheck("91.6")')
    stop.join()
    assert "KeyboardInterrupt" in shown or "was stopped" in shown
    assert "correct" in notebook.run(RIGHT)


def test_an_unknown_id_names_the_nearest(notebook):
    assert notebook.run('check("91.66")').startswith("There is no exercise 91.66. The nearest are 91.6")
    assert notebook.run('hint("91.66")').startswith("There is no exercise 91.66.")
    assert "in quotes" in notebook.run("check(91.6)")


def test_hints_come_one_by_one_and_are_remembered(notebook, home):
    assert notebook.run('hint("91.1")') == "Hint 1 of 2 for 91.1: A minus turns the order round.\n(1 more hint.)"
    assert "Hint 2 of 2" in notebook.run('hint("91.1")')
    assert "That was the last hint." in notebook.run('hint("91.1")')
    assert Journal(home / "progress.sqlite3").hints("91.1") == 2
    notebook.run('def dearest():\n    return None\n\n\ncheck("91.1")')
    assert Journal(home / "progress.sqlite3").attempts("91.1")[0].hints == 2


def test_a_solution_waits_for_three_different_tries(notebook):
    assert "after 3 different tries (none yet)" in notebook.run('solution("91.6")')
    for number in (2, 2, 3):
        notebook.run(WRONG.format(number))
    assert "(2 so far)" in notebook.run('solution("91.6")')
    notebook.run(WRONG.format(4))
    assert "def one():\n        return 1" in notebook.run('solution("91.6")')


def test_a_solution_opens_after_a_pass_and_on_insistence(notebook):
    assert "The long way." in notebook.run('solution("91.6", anyway=True)')
    assert "none yet" in notebook.run('solution("91.6")')
    notebook.run(RIGHT)
    assert "The long way." in notebook.run('solution("91.6")')


def test_a_journal_that_fails_does_not_break_a_check(notebook):
    notebook.run(
        "from checks.learner import journal\n"
        "def broken(*args, **kwargs):\n    raise OSError('no disk')\n"
        "journal.Journal.attempt = journal.Journal.hints = journal.Journal.hint = broken"
    )
    shown = notebook.run(RIGHT)
    assert "✓ 91.6 correct" in shown
    assert "Your progress was not saved (OSError: no disk)." in shown
    assert "Hint 1 of 2" in notebook.run('hint("91.1")')
    assert "Hint 2 of 2" in notebook.run('hint("91.1")')


def test_outside_a_notebook_check_says_where_it_belongs(home):
    code = START + 'check("91.6")\nhint("91.6")'
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert shown.startswith('check("91.6") checks the notebook cell that it stands in, and this is not one')
    assert "Hint 1 of 1" in shown


def test_importing_check_loads_neither_django_nor_processes():
    code = (
        "import sys; from checks import check, hint, solution; "
        "print([name for name in ('django', 'multiprocessing', 'pygments', 'jupytext', 'psutil') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_three_names_are_public():
    import checks.exercises

    assert checks.exercises.__all__ == ["check", "hint", "solution"]
    assert checks.exercises.check is session.check
