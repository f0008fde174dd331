# ruff: noqa: E501  the code and the sentences that are tested stay in one piece
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from checks.exercises import examiner as examiners
from checks.exercises.examiner import Examiner, ExaminerError, examine_many
from checks.exercises.source import UnknownExercise
from checks.exercises.verdict import CORRECT, ERROR, SLOW, WRONG, Verdict

from .conftest import SAMPLE


def test_an_exercise_can_be_named_by_its_id(examiner):
    assert examiner.examine("91.6", 'def one():\n    return 1\n\n\ncheck("91.6")', SAMPLE).passed


def test_an_unknown_id_names_the_nearest(examiner):
    with pytest.raises(UnknownExercise, match=r"The nearest are 91\.6"):
        examiner.examine("91.66", "", SAMPLE)


def test_each_run_has_a_fresh_database(sample, examiner):
    for _ in range(2):
        assert examiner.examine(sample["91.5"], sample["91.5"].solution).passed


def test_what_an_answer_leaves_in_python_is_gone_with_its_process(sample, examiner):
    source = "import catalog.models\ncatalog.models.left = 1\n\n\ndef one():\n    return 1"
    assert examiner.examine(sample["91.6"], source).passed
    source = "import catalog.models\n\n\ndef one():\n    return getattr(catalog.models, 'left', 0) + 1"
    assert examiner.examine(sample["91.6"], source).passed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork each process imports Django itself")
def test_after_an_answer_that_asks_for_a_page_the_next_need_not_import_the_pages(sample):
    loaded = "import sys\n\n\ndef one():\n    return int('config.urls' in sys.modules)"
    page = "def one():\n    from django.urls import reverse\n    return len(reverse('storefront:home'))"
    with Examiner() as examiner:
        assert not examiner.examine(sample["91.6"], loaded).passed
        assert examiner.examine(sample["91.6"], page).passed
        assert examiner.examine(sample["91.6"], loaded).passed


def test_a_reference_that_fails_is_not_blamed_on_the_learner(sample, examiner):
    broken = replace(sample["91.6"], solution="def one():\n    return 1 / 0", version="broken")
    verdict = examiner.examine(broken, "def one():\n    return 1")
    assert verdict.outcome == ERROR
    assert verdict.message.startswith("Exercise 91.6 itself is at fault, not your answer")


def test_a_reference_that_cannot_be_compared_never_passes_anyone(sample, examiner):
    opaque = replace(sample["91.6"], solution="def one():\n    return object", version="opaque")
    assert examiner.examine(opaque, opaque.solution).outcome == WRONG


def test_many_answers_come_back_in_order(sample):
    exercise = sample["91.6"]
    pairs = [(exercise, f"def one():\n    return {number % 3}") for number in range(7)]
    done = []
    verdicts = examine_many([*pairs, ("98.1", "")], workers=2, done=lambda: done.append(1))
    assert [verdict.passed for verdict in verdicts[:7]] == [number % 3 == 1 for number in range(7)]
    assert isinstance(verdicts[7], UnknownExercise)
    assert len(done) == 8


def test_many_answers_survive_a_hostile_one(sample):
    exercise = sample["91.6"]
    verdicts = examine_many(
        [(exercise, "def one():\n    while True:\n        pass"), (exercise, exercise.solution)], workers=1
    )
    assert [verdict.outcome for verdict in verdicts] == [SLOW, CORRECT]


def test_no_answers_take_no_examiner():
    assert examine_many([]) == []


def test_known_results_are_read_from_the_cache_folder(sample, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    # The server of processes keeps the environment it was started with.
    code = (
        "from checks.exercises.examiner import Examiner\nfrom checks.exercises.source import find\n"
        f"from pathlib import Path\nexercise = find('91.6', Path({str(SAMPLE)!r}))\n"
        "if __name__ == '__main__':\n"
        "    with Examiner() as examiner:\n        print(examiner.examine(exercise, 'def one():\\n    return 2').message)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)

    def run():
        return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=True).stdout

    assert run() == "Two is not one.\n"
    stored = sorted(tmp_path.glob("*/observations/*.json"))
    assert len(stored) == 4  # the reference and three mistakes
    mistake = next(
        path
        for path in stored
        if json.loads(path.read_text())[2] and json.loads(path.read_text())[2][0]["result"] == 2
    )
    mistake.write_text(mistake.read_text().replace('"result": 2', '"result": 4'))
    assert run() == "You have 2, expected 1.\n"
    mistake.write_text("damaged")
    assert run() == "Two is not one.\n"


def test_an_interrupt_ends_the_check_and_the_next_one_works(sample, monkeypatch):
    exercise = sample["91.6"]
    with Examiner() as examiner:
        examiner.ask(exercise, "def one():\n    while True:\n        pass")

        def interrupted(timeout):
            raise KeyboardInterrupt

        monkeypatch.setattr(type(examiner.connection), "poll", lambda self, timeout=0: interrupted(timeout))
        with pytest.raises(KeyboardInterrupt):
            examiner.answer()
        monkeypatch.undo()
        assert examiner.process_id is None
        assert examiner.examine(exercise, exercise.solution).passed


def test_a_lost_examiner_is_an_error_and_no_verdict(sample):
    with Examiner() as examiner:
        examiner.ask(sample["91.6"], "def one():\n    while True:\n        pass")
        import psutil

        psutil.Process(examiner.process_id).kill()
        with pytest.raises(ExaminerError, match="no verdict"):
            examiner.answer()


def test_closing_leaves_no_process_and_no_folder(sample):
    import psutil

    examiner = Examiner()
    examiner.examine(sample["91.6"], sample["91.6"].solution)
    process, folder = psutil.Process(examiner.process_id), examiner.folder
    examiner.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not folder.exists()


# Where processes cannot be forked, as on Windows


@pytest.mark.skipif(os.name != "posix", reason="the default there")
def test_answers_are_judged_by_spawned_processes_too(sample):
    with Examiner(method="spawn") as examiner:
        assert examiner.examine(sample["91.1"], sample["91.1"].solution).passed
        assert examiner.examine(sample["91.6"], "import os\n\n\ndef one():\n    os._exit(0)").outcome == ERROR
        verdict = examiner.examine(
            sample["91.6"], "import builtins\n\n\ndef one():\n    builtins.len = None\n    return 1"
        )
        assert verdict.message.startswith("Your code replaces `len`")
        assert examiner.examine(sample["91.6"], "def one():\n    while True:\n        pass").outcome == SLOW


# Where there are no processes, as in a browser

IN_PROCESS = """
import sys
from pathlib import Path
import lab.database as database
import psutil  # the lab needs it, and it needs what is blocked below
database.processes_exist = lambda: False
for name in ("_multiprocessing", "resource"):
    sys.modules[name] = None  # cannot be imported
from lab import start
start()
from catalog.models import Author, Book
from orders.models import Stock
from checks.exercises.examiner import examine
from checks.exercises.source import load
Stock.objects.update(quantity=7)
exercises = load(folder=Path(sys.argv[1]))
for exercise in exercises.values():
    for source in (exercise.stub, exercise.solution, exercise.mistakes[0].source):
        verdict = examine(exercise, source)
        print(exercise.id, verdict.outcome, verdict.mistake)
print(verdict.details[-1])
print(examine(exercises["91.6"], "def one():\\n    print('here')\\n    return 1").output)
print(set(Stock.objects.values_list("quantity", flat=True)))
"""


def test_without_processes_an_answer_runs_here_and_the_verdict_says_what_that_lacks(tmp_path):
    script = tmp_path / "browser.py"
    script.write_text(IN_PROCESS)
    command = [sys.executable, script, SAMPLE]
    output = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.splitlines()
    judged = [line.split(" ", 1)[1] for line in output[1:19]]
    assert judged[0::3] == ["not attempted None"] * 6
    assert judged[1::3] == ["correct None"] * 6
    assert [line.split()[-1] for line in judged[2::3]] == ["1"] * 6
    assert output[19] == examiners.UNPROTECTED
    assert output[20] == "here"
    assert output[21] == "{7}"  # the learner's own database is theirs again


def test_a_verdict_crosses_processes_whole(sample, examiner):
    verdict = examiner.examine(sample["91.6"], "def one():\n    return 2")
    assert isinstance(verdict, Verdict)
    assert (verdict.exercise, verdict.version) == ("91.6", sample["91.6"].version)


def test_without_processes_what_an_answer_changes_outside_of_the_database_is_put_back(tmp_path):
    answer = (
        "import os\nfrom django.core.cache import cache\nfrom django.core.files.storage import default_storage\n"
        "from django.urls import register_converter\nfrom django.urls.converters import IntConverter\n\n\n"
        "register_converter(IntConverter, 'copies')\n"
        "from django.db.models.signals import post_save\n"
        "post_save.connect(lambda **named: None, weak=False)\n\n\n"
        "def one():\n    seen = len(default_storage.listdir('.')[1]) if default_storage.exists('.') else 0\n"
        "    default_storage.save('left.txt', __import__('io').BytesIO(b'x'))\n"
        "    seen += cache.get('left', 0) + len(os.listdir())\n"
        "    cache.set('left', 1)\n    open('left.txt', 'w').close()\n    os.environ.pop('HOME', None)\n"
        "    return 1 + seen\n"
    )
    code = (
        "import os\nfrom pathlib import Path\nfrom checks.exercises.examiner import run_in_process\nfrom lab import start\n"
        "start()\nfrom django.db.models.signals import post_save\nfrom django.utils.functional import SimpleLazyObject\n"
        "lazy = SimpleLazyObject(lambda: 1 / 0)\n"
        "before = os.getcwd(), dict(os.environ), len(post_save.receivers)\n"
        f"verdict = run_in_process('91.6', {answer!r}, Path({str(SAMPLE)!r}))\n"
        "print(verdict.outcome, verdict.message, "
        "before == (os.getcwd(), dict(os.environ), len(post_save.receivers)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[1:] == ["correct Correct. True"], done.stdout + done.stderr
