"""The .venv is made once, repaired when it is broken, and every failure says in one sentence what to do."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from checks.course import environment as environment_module
from checks.course.environment import Environment, SetupError, remedy_for

VERSION = sys.version_info[:2]

# Stands for pip: counts its runs, notes the stamp it finds, and installs one package.
INSTALLER = """
import json, sys, sysconfig
from pathlib import Path
root = Path(sys.argv[1])
with (root / "runs").open("a") as runs:
    runs.write("x")
(root / "state").write_text(json.loads((root / ".venv" / "course-setup.json").read_text())["state"])
plan = root / "plan.py"
if plan.exists():
    exec(plan.read_text())
package = Path(sysconfig.get_path("purelib")) / "tiny"
package.mkdir(exist_ok=True)
(package / "__init__.py").touch()
"""


class QuickEnvironment(Environment):
    """An environment whose pip is a script of a few lines."""

    def _provide_pip(self):
        pass

    def _pip_command(self):
        return [str(self.python), "-c", INSTALLER, str(self.root)]

    @property
    def runs(self):
        path = self.root / "runs"
        return len(path.read_text()) if path.exists() else 0


@pytest.fixture(autouse=True)
def small_course(monkeypatch):
    """A course of one package, on a machine without uv."""
    monkeypatch.setattr(environment_module, "CORNERSTONES", ("tiny",))
    which = shutil.which
    monkeypatch.setattr(environment_module.shutil, "which", lambda name: None if name == "uv" else which(name))


@pytest.fixture
def said():
    return []


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "a course"
    root.mkdir()
    (root / "requirements.txt").write_text("tiny==1.0\n")
    (root / "pyproject.toml").write_text("")
    return root


@pytest.fixture
def environment(root, said):
    return QuickEnvironment(root, say=said.append)


def fail_with(root, output, *, once=False):
    forget = "plan.unlink()\n" if once else ""
    (root / "plan.py").write_text(f"{forget}print({output!r})\nsys.exit(1)\n")


def mark(environment):
    """A file that is there as long as the .venv is not made anew."""
    (environment.folder / "mark").touch()


def was_remade(environment):
    return not (environment.folder / "mark").exists()


def break_interpreter(environment):
    environment.python.unlink()


def break_stamp(environment):
    (environment.folder / "course-setup.json").write_text('{"state": "inst')


def interrupt(environment):
    (environment.folder / "course-setup.json").write_text('{"state": "installing", "made_here": true}')


def remove_package(environment):
    shutil.rmtree(next(environment.folder.rglob("tiny")))


def empty_it(environment):
    shutil.rmtree(environment.folder)
    environment.folder.mkdir()
    mark(environment)


def test_it_is_made_once(environment, said):
    assert not environment.is_ready()
    environment.prepare()
    assert environment.is_ready()
    assert said[-1] == "The course is set up."
    said.clear()
    environment.prepare()
    assert said == []
    assert environment.runs == 1


def test_while_packages_are_installed_it_counts_as_half_made(environment, root):
    environment.prepare()
    assert (root / "state").read_text() == "installing"


@pytest.mark.parametrize("damage", [break_interpreter, break_stamp, interrupt, remove_package, empty_it])
def test_a_broken_one_is_made_anew(environment, damage):
    environment.prepare()
    mark(environment)
    damage(environment)
    assert not environment.is_ready()
    environment.prepare()
    assert environment.is_ready()
    assert was_remade(environment)


def test_a_file_in_its_place_is_replaced(environment):
    environment.folder.write_text("")
    environment.prepare()
    assert environment.is_ready()


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_into_what_is_there(environment, root, name):
    environment.prepare()
    mark(environment)
    (root / name).write_text("# changed\n")
    assert not environment.is_ready()
    environment.prepare()
    assert environment.runs == 2
    assert not was_remade(environment)


def test_one_made_by_hand_is_completed_and_keeps_its_python(environment, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True)
    mark(environment)
    # As if another Python ran the launcher: only what was made by the launcher follows it.
    monkeypatch.setattr(environment, "base", "/no/such/python")
    environment.prepare()
    assert environment.is_ready()
    assert not was_remade(environment)


def test_one_made_here_follows_the_python_it_is_started_with(environment, monkeypatch, said):
    environment.prepare()
    mark(environment)
    older = (VERSION[0], VERSION[1] - 1)
    inside = environment.python
    asked = environment_module.interpreter_version

    def version_of(python):
        # The .venv seems to have another Python until it is made anew.
        return older if python == inside and not was_remade(environment) else asked(python)

    monkeypatch.setattr(environment_module, "interpreter_version", version_of)
    monkeypatch.setattr(environment_module, "OLDEST", (3, 0))
    environment.prepare()
    assert was_remade(environment)
    assert any("The existing .venv has Python" in line for line in said)


def test_one_with_too_old_a_python_is_made_anew(environment, monkeypatch, said):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True)
    mark(environment)
    inside = environment.python
    asked = environment_module.interpreter_version
    monkeypatch.setattr(
        environment_module,
        "interpreter_version",
        lambda python: (3, 8) if python == inside and not was_remade(environment) else asked(python),
    )
    environment.prepare()
    assert was_remade(environment)
    assert "The existing .venv has Python 3.8, which is too old: making it anew." in said


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "connect to the network"),
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: Permission denied: 'x'", "make it writable"),
        ("first line\nERROR: No matching distribution found for tiny==1.0", "No matching distribution found for tiny"),
    ],
)
def test_a_failed_installation_is_one_sentence_and_the_next_run_recovers(environment, root, output, remedy):
    fail_with(root, output)
    with pytest.raises(SetupError, match=remedy) as caught:
        environment.prepare()
    assert "\n" not in str(caught.value)
    assert str(environment.log) in str(caught.value)
    assert output in environment.log.read_text()
    assert not environment.is_ready()
    (root / "plan.py").unlink()
    environment.prepare()
    assert environment.is_ready()


def test_without_network_a_working_one_is_not_thrown_away(environment, root):
    environment.prepare()
    mark(environment)
    (root / "requirements.txt").write_text("tiny==2.0\n")
    fail_with(root, "Temporary failure in name resolution")
    with pytest.raises(SetupError, match="connect to the network"):
        environment.prepare()
    assert not was_remade(environment)


def test_what_cannot_be_completed_is_made_anew_once(environment, root):
    environment.prepare()
    mark(environment)
    (root / "requirements.txt").write_text("tiny==2.0\n")
    fail_with(root, "ERROR: Cannot uninstall tiny 1.0, RECORD file not found", once=True)
    environment.prepare()
    assert environment.is_ready()
    assert was_remade(environment)


def test_an_installation_that_fails_while_unpacking_is_not_completed_but_made_anew(environment, root):
    fail_with(root, "Installing collected packages: tiny\nERROR: No space left on device", once=True)
    with pytest.raises(SetupError, match="the disk is full"):
        environment.prepare()
    mark(environment)
    environment.prepare()
    assert was_remade(environment)


def test_a_full_disk_is_said_before_anything_is_made(environment, monkeypatch):
    usage = shutil.disk_usage(environment.root)._replace(free=5_000_000)
    monkeypatch.setattr(environment_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SetupError, match="has 5 MB free .* free some space"):
        environment.prepare()
    assert not environment.folder.exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(environment, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(environment_module.os, "replace", refuse)
    with pytest.raises(SetupError, match="make it writable"):
        environment.prepare()


@pytest.mark.parametrize(
    ("step", "output"),
    [("venv", "/usr/bin/python3: No module named venv"), ("ensurepip", "/usr/bin/python3: No module named ensurepip")],
)
def test_a_python_without_venv_or_ensurepip_names_the_package_to_install(root, said, step, output):
    class DebianEnvironment(Environment):
        def _run(self, command):
            if command[2:3] == [step]:
                return subprocess.CompletedProcess(command, 1, output)
            return super()._run(command)

    with pytest.raises(SetupError, match=rf"sudo apt install python{VERSION[0]}\.{VERSION[1]}-venv"):
        DebianEnvironment(root, say=said.append).prepare()
    environment = QuickEnvironment(root, say=said.append)
    environment.prepare()
    assert environment.is_ready()


def test_two_set_ups_at_once_do_the_work_once(root):
    (root / "plan.py").write_text("import time; time.sleep(0.5)\n")
    lines = [[], []]
    threads = [threading.Thread(target=QuickEnvironment(root, say=said.append).prepare) for said in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    environment = QuickEnvironment(root)
    assert environment.is_ready()
    assert environment.runs == 1
    told = [line for said in lines for line in said if line.startswith("Another set-up")]
    assert told == [f"Another set-up of this course is running (process {os.getpid()}): waiting for it."]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a shell script")
def test_where_uv_fails_pip_takes_over(environment, tmp_path, monkeypatch, said):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error sending request' >&2\nexit 2\n")
    uv.chmod(0o755)
    which = shutil.which
    monkeypatch.setattr(environment_module.shutil, "which", lambda name: str(uv) if name == "uv" else which(name))
    environment.prepare()
    assert environment.is_ready()
    assert "uv did not manage; trying pip." in said


def test_pip_itself_installs_from_requirements(root, said):
    wheel = root / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/__init__.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    (root / "requirements.txt").write_text("./tiny-1.0-py3-none-any.whl\n")
    environment = Environment(root, say=said.append)
    environment.prepare()
    assert environment.is_ready()
    assert "tiny" in environment.log.read_text()
    out = subprocess.check_output([str(environment.python), "-c", "import tiny; print(tiny.__file__)"], text=True)
    assert Path(out.strip()).is_relative_to(environment.folder)


@pytest.mark.skipif(os.name == "nt", reason="only POSIX hands the lock on to the installer")
def test_a_killed_set_up_whose_installer_works_on_is_not_overtaken(root, said):
    (root / "plan.py").write_text("import time; plan.unlink(); time.sleep(2); (root / 'first is done').touch()\n")
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_environment import QuickEnvironment, environment_module
environment_module.CORNERSTONES = ("tiny",)
environment_module.shutil.which = lambda name: None
QuickEnvironment(Path(sys.argv[1])).prepare()
"""
    first = subprocess.Popen([sys.executable, "-c", script, str(root)], stdout=subprocess.DEVNULL)
    while not (root / "state").exists():
        assert first.poll() is None
    first.kill()
    first.wait()
    environment = QuickEnvironment(root, say=said.append)
    environment.prepare()
    assert (root / "first is done").exists()
    assert "An earlier set-up was interrupted: making it anew." in said
    assert environment.is_ready()


def test_programs_of_the_course_do_not_inherit_what_leads_them_astray(environment, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, "elsewhere")
    variables = environment.variables()
    assert "elsewhere" not in variables.values()
    assert variables["PATH"].split(os.pathsep)[0] == str(environment.python.parent)


def test_progress_counts_what_is_fetched_then_what_is_there(environment, root):
    environment.prepare()
    lines = [
        "Collecting tiny==1.0 (from -r requirements.txt (line 1))\n",
        "  Downloading tiny-1.0-py3-none-any.whl (2 kB)\n",
        "Requirement already satisfied: small==1.0 in lib (from -r requirements.txt (line 2))\n",
    ]
    assert environment._stage(lines, 3) == ("Fetched", 2, 3)
    (next(environment.folder.rglob("tiny")).parent / "tiny-1.0.dist-info").mkdir()
    assert environment._stage([*lines, "Installing collected packages: tiny, small\n"], 3) == ("Installed", 1, 3)


def test_an_unknown_failure_shows_the_last_error_line():
    assert (
        remedy_for("Collecting tiny\nERROR: broken wheel\nhint: read on") == "it says 'ERROR: broken wheel'; try again"
    )
    assert remedy_for("") == "try again"


def test_the_stamp_is_plain_data(environment):
    environment.prepare()
    stamp = json.loads((environment.folder / "course-setup.json").read_text())
    assert stamp == {"state": "installed", "made_here": True, "fingerprint": environment.fingerprint(VERSION)}
