# ruff: noqa: E501  the code and the sentences that are tested stay in one piece
"""Answers that do not answer: none passes, each gets a verdict of its own, and the next answer is judged as ever."""

import pytest

from checks.exercises.verdict import ERROR, SLOW, WRONG

# name: (outcome, what the message says, the answer's lines, code above it)
HOSTILE = {
    "an endless loop": (SLOW, "ran longer than 1.5 seconds", "while True:\n        pass"),
    "an endless loop that catches everything": (
        SLOW,
        "ran longer than 1.5 seconds",
        "while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass",
    ),
    "a long sleep": (SLOW, "ran longer than 1.5 seconds", "import time\n    time.sleep(60)\n    return 1"),
    "slow SQL": (
        SLOW,
        "A query of your code ran longer than 1.5 seconds",
        "from django.db import connection\n"
        "    with connection.cursor() as cursor:\n"
        "        cursor.execute('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n')\n"
        "    return 1",
    ),
    "os._exit": (ERROR, "ends Python itself (exit code 0)", "import os\n    os._exit(0)"),
    "sys.exit": (ERROR, "calls `sys.exit()`", "import sys\n    sys.exit(0)"),
    "a recursion": (ERROR, "RecursionError: your code calls itself without end", "return one()"),
    "a recursion without limit": (
        ERROR,
        None,  # MemoryError, a killed process or the time, as the version of Python has it
        "import sys\n    sys.setrecursionlimit(10**9)\n    class Deep:\n        def __repr__(self):\n"
        "            return repr([self])\n    return len(repr(Deep()))",
    ),
    "a crash": (ERROR, "was ended by SIGSEGV", "import ctypes\n    ctypes.string_at(0)"),
    "8 GB of memory": (ERROR, "asks for more than a gigabyte of memory", "bytearray(8 * 1024**3)\n    return 1"),
    "100 MB of output": (
        ERROR,
        "prints more than a megabyte",
        "for _ in range(100):\n        print('x' * 1024**2)\n    return 1",
    ),
    "output that never ends": (ERROR, "prints more than a megabyte", "while True:\n        print('x' * 9999)"),
    "a dropped table": (
        WRONG,
        "drops the table or index `orders_stock`",
        "from django.db import connection\n    connection.cursor().execute('DROP TABLE orders_stock')\n    return 1",
    ),
    "a changed schema": (
        WRONG,
        "changes the schema (`mine`)",
        "from django.db import connection\n    connection.cursor().execute('CREATE TABLE mine (id int)')\n    return 1",
    ),
    "a deleted database file": (
        WRONG,
        "deletes or replaces the database file",
        "import os\n    from django.db import connection\n    os.remove(connection.settings_dict['NAME'])\n    return 1",
    ),
    "an overwritten database file": (
        WRONG,
        "damages the database file",
        "from django.db import connection\n    name = connection.settings_dict['NAME']\n    connection.close()\n"
        "    open(name, 'r+b').write(b'nonsense' * 1000)\n    return 1",
    ),
    "a thread left running": (
        WRONG,
        "leaves a thread running",
        "import threading, time\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return 1",
    ),
    "a daemon thread left running": (
        WRONG,
        "leaves a thread running",
        "import threading, time\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n    return 1",
    ),
    "closed stdout": (
        ERROR,
        "closes or replaces the standard output",
        "import sys\n    sys.stdout.close()\n    return 1",
    ),
    "closed descriptors": (
        ERROR,
        "closes or replaces the standard output",
        "import os\n    os.closerange(0, 3)\n    return 1",
    ),
    "a changed working directory": (
        ERROR,
        "changes the working directory",
        "import os\n    os.chdir('/')\n    return 1",
    ),
    "a lock left held": (
        WRONG,
        "leaves a lock on the database",
        "import sqlite3\n    from django.db import connection\n    global held\n"
        "    held = sqlite3.connect(connection.settings_dict['NAME'], isolation_level=None)\n"
        "    held.execute('BEGIN IMMEDIATE')\n    return 1",
    ),
    "a transaction left open": (
        WRONG,
        "leaves a transaction open",
        "from django.db import connection\n    connection.cursor().execute('BEGIN')\n    return 1",
    ),
    "patched builtins": (ERROR, "replaces `len`", "import builtins\n    builtins.len = lambda value: 1\n    return 1"),
    "patched builtins above": (
        ERROR,
        "replaces `isinstance`",
        "return 2",
        "import builtins\nbuiltins.isinstance = lambda *_: True\n",
    ),
    "patched checks": (
        ERROR,
        "replaces `checks.exercises.observation.normalise`",
        "from checks.exercises import observation\n    observation.normalise = lambda value: 1\n    return 2",
    ),
    "a patched runner": (
        ERROR,
        "replaces `checks.exercises.candidate._measured`",
        "from checks.exercises import candidate\n"
        "    candidate._measured = lambda function: {'result': 1, 'queries': 0, 'statements': []}\n    return 2",
    ),
    "a patched Django": (
        ERROR,
        "replaces `django.db.models.query.QuerySet.count`",
        "from django.db.models import QuerySet\n    QuerySet.count = lambda self: 1\n    return 1",
    ),
    "swapped code": (
        ERROR,
        "replaces `lab.capture.Capture.__len__`",
        "from lab.capture import Capture\n    Capture.__len__.__code__ = (lambda self: 0).__code__\n    return 1",
    ),
    "an object equal to everything": (
        WRONG,
        "<Everything>",
        "class Everything:\n        __eq__ = lambda self, other: True\n        __ne__ = lambda self, other: False\n"
        "        __hash__ = lambda self: 1\n        __class__ = int\n        __int__ = __index__ = lambda self: 1\n"
        "        __repr__ = lambda self: '1'\n    return Everything()",
    ),
    "an int with odd methods": (
        WRONG,
        "only by inheritance",
        "class One(int):\n        __eq__ = lambda self, other: True\n        __hash__ = int.__hash__\n"
        "        __int__ = lambda self: 1\n    return One(1)",
    ),
    "a forged report": (
        ERROR,
        "ends Python itself",
        "import json, os\n    with open('report.json', 'w') as file:\n"
        "        json.dump({'status': 'done', 'calls': [{'result': 1, 'queries': 0, 'statements': []}]}, file)\n    os._exit(0)",
    ),
    "another process": (
        ERROR,
        "starts another process",
        "import subprocess, sys\n    subprocess.run([sys.executable, '-V'])",
    ),
    "a fork bomb": (
        ERROR,
        "starts another process",
        "import os\n    while True:\n        try:\n            os.fork()\n        except BaseException:\n            return 1",
    ),
    "a signal to the examiner": (
        ERROR,
        "sends a signal",
        "import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)\n    return 1",
    ),
    "a suicide": (ERROR, "was ended by SIGKILL", "import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)"),
    "a file elsewhere": (
        ERROR,
        "outside its own folder",
        "import checks.exercises.verdict as v\n    open(v.__file__, 'a').close()\n    return 1",
    ),
    "a swallowed refusal": (
        ERROR,
        "outside its own folder",
        "import os\n    try:\n        os.rename('/tmp/no such file', '/tmp/nor this')\n    except OSError:\n        pass\n    return 1",
    ),
    "too many values": (
        ERROR,
        "more values than a check can look at",
        "return range(10**9).__iter__() and map(int, range(10**7))",
    ),
    "an endless generator": (
        ERROR,
        "more values than a check can look at",
        "import itertools\n    return (n for n in itertools.count())",
    ),
    "a list in itself": (WRONG, "You have", "a = []\n    a.append(a)\n    return a"),
    "an exception that cannot be shown": (
        ERROR,
        "Odd",
        "class Odd(Exception):\n        def __str__(self):\n            raise SystemExit\n    raise Odd",
    ),
    "exit handlers": (
        SLOW,
        "ran longer",
        "import atexit\n    @atexit.register\n    def late():\n        while True: pass\n    while True: pass",
    ),
}


def cell(body, above=""):
    return f'{above}def one():\n    {body}\n\n\ncheck("91.6")'


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_never_passes_and_the_next_one_is_judged(name, sample, examiner):
    outcome, said, body, *above = HOSTILE[name]
    exercise = sample["91.6"]
    verdict = examiner.examine(exercise, cell(body, *above))
    assert not verdict.passed
    if said is not None:
        assert (verdict.outcome, said in str(verdict)) == (outcome, True), str(verdict)
    assert examiner.examine(exercise, exercise.solution).passed


def test_verdicts_of_different_kinds_of_harm_differ(sample, examiner):
    chosen = ["os._exit", "sys.exit", "8 GB of memory", "100 MB of output", "a dropped table", "closed stdout"]
    messages = {examiner.examine(sample["91.6"], cell(*HOSTILE[name][2:])).message for name in chosen}
    assert len(messages) == len(chosen)


def test_a_stopped_answer_is_shown_the_line_it_was_at(sample, examiner):
    verdict = examiner.examine(sample["91.6"], cell("number = 1\n    while number:\n        number += 1"))
    assert verdict.lines
    assert verdict.lines[0][1] in ("while number:", "number += 1")


def test_nothing_of_a_stopped_answer_is_left(sample, examiner, tmp_path):
    import psutil

    examiner.examine(sample["91.6"], cell("import time\n    time.sleep(60)"))
    assert psutil.Process(examiner.process_id).children(recursive=True) == []
    assert list(examiner.folder.iterdir()) == []


def test_an_examiner_that_was_killed_is_started_again(sample, examiner):
    import psutil

    process = psutil.Process(examiner.process_id)
    process.kill()
    process.wait(5)
    assert examiner.examine(sample["91.6"], sample["91.6"].solution).passed
