"""course.py test runs every group, stops for nothing, and hides nothing in its summary."""

import os
import sys
from pathlib import Path

import pytest

from checks.course import suite
from checks.course.environment import Environment
from checks.course.suite import GROUPS, Group, Result, report, run


class ThisEnvironment(Environment):
    python = Path(sys.executable)


@pytest.fixture
def environment(tmp_path):
    return ThisEnvironment(tmp_path)


def script(name, source, **options):
    return Group(name, f"about {name}", ("-c", source), **options)


def test_a_failure_stops_nothing(environment):
    groups = [script("first", "raise SystemExit(3)"), script("second", ""), script("third", "1 / 0")]
    results = run(environment, [], groups)
    assert [result.outcome for result in results] == ["failed", "passed", "failed"]
    assert results[0].reason == "exit status 3: `python3 course.py test first` runs it alone"


def test_only_the_groups_named_run(environment):
    groups = [script("first", ""), script("second", "")]
    assert [result.group for result in run(environment, ["second"], groups)] == ["second"]


def test_a_group_that_cannot_run_is_skipped_loudly(environment, capfd):
    groups = [script("browser", "1 / 0", obstacle=lambda environment: "no browser here")]
    assert run(environment, [], groups) == [Result("browser", "skipped", "no browser here")]
    assert "SKIPPED: no browser here" in capfd.readouterr().out


def test_no_test_writes_into_the_journal_of_the_person_who_runs_them(environment, capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    run(environment, [], [script("first", "import os; print('home', os.environ['COURSE_HOME'])")])
    home = capfd.readouterr().out.split("home ")[1].split()[0]
    assert home != str(tmp_path)
    assert not Path(home).exists()


def test_headings_come_before_what_the_group_prints(environment, capfd):
    run(environment, [], [script("first", "print('hello')"), script("second", "print('again')")])
    out = capfd.readouterr().out
    assert out.index("=== first: about first") < out.index("hello") < out.index("=== second") < out.index("again")


def test_the_summary_has_every_group_and_ends_with_the_counts():
    results = [
        Result("static", "passed"),
        Result("units", "failed", "exit status 1"),
        Result("browser", "skipped", "none"),
    ]
    lines = report(results, "3.11.7", "5.2.19").splitlines()
    assert lines[:3] == ["static   passed", "units    FAILED   exit status 1", "browser  SKIPPED  none"]
    assert lines[-1] == "1 passed, 1 failed, 1 skipped"


@pytest.mark.parametrize(
    ("python", "django", "says"),
    [("3.11.7", "5.2.19", "Not run here: Django 6.1"), ("3.13.0", "6.1.3", "Not run here: Django 5.2")],
)
def test_the_summary_says_what_was_not_run(python, django, says):
    text = report([Result("static", "passed")], python, django)
    assert f"Ran on Python {python} with Django {django}. {says}" in text


def test_browser_tests_need_a_browser(environment, monkeypatch):
    root = Path(suite.__file__).resolve().parents[2]
    environment = ThisEnvironment(root)
    monkeypatch.setenv("COURSE_CHROMIUM", sys.executable)
    assert suite.no_browser(environment) is None
    monkeypatch.delenv("COURSE_CHROMIUM")
    monkeypatch.setattr(ThisEnvironment, "variables", lambda self: {**os.environ, "PATH": "", "HOME": "/nowhere"})
    assert "no Chromium" in suite.no_browser(environment)


def test_every_group_is_there_in_order():
    assert [group.name for group in GROUPS] == [
        "static",
        "bookshop",
        "units",
        "proofs",
        "exercises",
        "lessons",
        "browser",
        "site",
    ]
