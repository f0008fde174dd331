import subprocess
import sys

import pytest

from checks.__main__ import COMMANDS, main


def test_without_a_command_the_list_is_shown(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_an_unknown_command_is_refused_with_the_list(capsys):
    assert main(["verfy"]) == 2
    shown = capsys.readouterr().err
    assert "there is no command 'verfy'" in shown
    assert "verify" in shown.partition("\n\n")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name):
    run = subprocess.run(
        [sys.executable, "-m", "checks", name, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "usage:" in run.stdout


def test_the_list_imports_no_command():
    script = "import sys, checks.__main__ as line\nline.main([])\nsys.exit('checks.course.guard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False).returncode == 0
