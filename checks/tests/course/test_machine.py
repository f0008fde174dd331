"""course.py doctor: what is here, and what is missing for what."""

import os
import sys
from pathlib import Path

import pytest

from checks.course import launcher, machine
from checks.course.environment import Environment
from checks.course.machine import findings, interpreters, program

ROOT = Path(machine.__file__).resolve().parents[2]


class ThisEnvironment(Environment):
    """The interpreter that runs the tests, in the place of a .venv."""

    python = Path(sys.executable)

    def is_ready(self):
        return True


def by_name(environment):
    return {finding.what: finding for finding in findings(environment)}


def test_before_the_set_up_it_says_what_makes_the_environment(tmp_path):
    found = by_name(Environment(tmp_path))
    assert found[".venv"].text == "not made yet: `python3 course.py lab` makes it"
    assert found["Python"].fine
    assert "Packages" not in found
    assert found["Course folder"].fine


def test_a_broken_environment_is_not_fine(tmp_path):
    (tmp_path / ".venv").mkdir()
    assert not by_name(Environment(tmp_path))[".venv"].fine


def test_packages_that_differ_from_their_pins_are_named(tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "# a comment\ndjango==1.0\nno-such-package==1.0\npytest>=9\nold==1 ; python_version < '3'\n-e .\n"
    )
    found = by_name(ThisEnvironment(tmp_path))["Packages"]
    assert not found.fine
    assert "django" in found.text
    assert "(pinned ==1.0)" in found.text
    assert "no-such-package is missing" in found.text
    assert "pytest" not in found.text
    assert "old" not in found.text.replace("folder", "")


def test_what_is_missing_says_what_it_disables(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    monkeypatch.setattr(machine, "ASIDE", {})
    found = by_name(Environment(tmp_path))
    for name, title in machine.TITLES.items():
        assert not found[title].fine
        assert found[title].text == f"not found: {machine.WITHOUT[name]}"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_server_on_the_path_is_found(tmp_path, monkeypatch):
    server = tmp_path / "valkey-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program("valkey") == str(server)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    found = machine._folder_finding("Progress folder", tmp_path / "file" / "progress")
    assert not found.fine
    assert "make it writable" in found.text
    found = machine._folder_finding("Progress folder", tmp_path / "not" / "yet")
    assert found.fine
    assert not (tmp_path / "not").exists()


def test_interpreters_are_those_that_run_newest_first(tmp_path, monkeypatch):
    shim = tmp_path / "python3.14"
    shim.write_text("#!/bin/sh\necho 'python3.14: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreters() == {sys.version_info[:2]: sys.executable}


def test_every_program_has_a_title_and_a_consequence():
    assert set(machine.NAMES) == set(machine.TITLES) == set(machine.WITHOUT)


def test_the_command_prints_a_line_for_each(capsys, monkeypatch):
    monkeypatch.setattr(launcher, "Environment", ThisEnvironment)
    launcher.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok  Python ")
    assert any(line.split()[1] == "Chromium" for line in lines)
    assert all(line[:4] in ("ok  ", "--  ") for line in lines)
