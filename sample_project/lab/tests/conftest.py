import os
import subprocess
import sys
from pathlib import Path

import pytest

from .notebook import Notebook

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The environment of a process with a cache of its own, in which the bookshop is built once for all tests."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("DJANGO_", "COURSE_"))}
    return {**inherited, "COURSE_CACHE": str(tmp_path_factory.mktemp("cache")), "PYTHONPATH": str(PROJECT)}


@pytest.fixture(scope="session")
def python(environment):
    """Call it with a script: it runs in a Python of its own, with warnings as errors, and must end well."""

    def run(script, **variables):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


@pytest.fixture(scope="session")
def kernel(environment):
    with Notebook(environment) as notebook:
        notebook.run("from lab import explain, queries, reset, show, start\nstart()")
        notebook.run(
            "from catalog.models import Author, Book, Genre\nfrom django.db import connection, models, transaction"
        )
        yield notebook


@pytest.fixture
def notebook(kernel):
    """A kernel with the bookshop in its first state. Whatever the test before did to it, it must work."""
    kernel.run("reset()")
    return kernel
