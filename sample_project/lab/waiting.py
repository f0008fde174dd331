"""Shows that a long piece of work goes on, and leaves no trace of it in the notebook."""

import os
import sys

from .output import in_ipython


def wait_for(process) -> str:
    """Return what the process printed, when it has ended. Each line is shown until the next one replaces it."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        _show(line.rstrip())
    process.wait()
    _show("")
    return "".join(lines)


def _show(text):
    # A comparing test run would take the passing message for output.
    if "PYTEST_VERSION" in os.environ:
        return
    if in_ipython():
        from IPython.display import clear_output

        clear_output(wait=bool(text))
        if text:
            print(text, flush=True)
    elif sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
