import json
import subprocess
import sys

import pytest

from checks.course import guard
from checks.course.guard import GUARDS, verify


def test_the_small_course_is_valid(bench):
    assert verify(bench.course) == []


@pytest.mark.parametrize("one", GUARDS, ids=lambda one: f"{one.__module__.rpartition('.')[2]}.{one.__name__}")
def test_each_guard_says_what_it_guards(one):
    assert one.__doc__


def test_an_error_is_listed_with_its_remedy_and_fails(bench, monkeypatch, capsys):
    bench.notebook.unlink()
    monkeypatch.setattr(guard, "Course", lambda: bench.course)
    assert guard.main([]) == 1
    shown = capsys.readouterr().out
    assert "error: notebooks/source/25_deployment.py: has no notebook\n    run: course.py build 25" in shown
    assert shown.endswith("1 errors, 0 warnings\n")


def test_a_warning_is_listed_and_does_not_fail(bench, monkeypatch, capsys):
    bench.show("line\n" * 12)
    monkeypatch.setattr(guard, "Course", lambda: bench.course)
    assert guard.main([]) == 0
    assert "warning: notebooks/25_deployment.ipynb, cell 4: has 12 lines of output" in capsys.readouterr().out


def test_json_has_every_finding_with_its_place(bench, monkeypatch, capsys):
    bench.notebook.unlink()
    monkeypatch.setattr(guard, "Course", lambda: bench.course)
    guard.main(["--json"])
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding == {
        "file": "notebooks/source/25_deployment.py",
        "place": "",
        "what": "has no notebook",
        "remedy": "run: course.py build 25",
        "level": "error",
    }


def test_guards_need_no_django():
    script = "import sys, checks.course.guard\nsys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
