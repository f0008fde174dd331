import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def has(environment):
    """Call it with the name of a server: it skips the test, and says so, where this machine has none."""

    def require(name):
        script = f"import lab\nprint(lab.{name}.why_not())"
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
        if reason := done.stdout.strip():
            pytest.skip(f"SKIPPED, a real server is missing: {reason}")

    return require
