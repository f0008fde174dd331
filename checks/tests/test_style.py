"""The code is formatted and linted as pyproject.toml says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_has_nothing_to_say(command):
    ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "--output-format=concise", "."]
    found = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not found.returncode, found.stdout + found.stderr
