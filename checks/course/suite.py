"""What `course.py test` runs: groups of tests, one after the other, and a summary that leaves nothing out."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checks.course.environment import OLDEST, Environment


@dataclass(frozen=True)
class Group:
    """One group of tests: ``arguments`` for the `.venv`'s Python, run in ``folder`` below the course.

    ``obstacle`` says why the group cannot run on this machine, or None when it can.
    """

    name: str
    about: str
    arguments: tuple[str, ...]
    folder: str = "."
    obstacle: Callable[[Environment], str | None] = lambda environment: None


def no_browser(environment: Environment) -> str | None:
    """Why browser tests cannot run here; the `.venv` is asked, because one may be installed inside it."""
    script = "import sys; from checks.course.browser import chromium; sys.exit(not chromium())"
    command = [str(environment.python), "-c", script]
    if subprocess.run(command, cwd=environment.root, env=environment.variables(), check=False).returncode:
        return "no Chromium or Chrome was found: install one, or name it in COURSE_CHROMIUM"
    return None


def no_site(environment: Environment) -> str | None:
    """Why the browser edition cannot be built and opened here."""
    return why_no_site(environment.version() or OLDEST) or no_browser(environment)


def why_no_site(version: Sequence) -> str | None:
    """Why a Python of this version cannot build the browser edition on this machine; None when it can."""
    if tuple(version[:2]) < (3, 12):
        return (
            "the browser edition runs Django 6.1, which needs Python 3.12 or newer: `python3.13 course.py test site`"
        )
    if not (shutil.which("npm") and shutil.which("node")):
        return "npm, which fetches Pyodide, was not found: install Node.js"
    return None


PAGE_TESTS = "checks/tests/page"
BROWSER_TESTS = "checks/tests/browser"

GROUPS = (
    Group("static", "the guards: sources, notebooks, ids, rhythm", ("-m", "checks", "verify")),
    Group("bookshop", "the Django project and the lab", ("-m", "pytest", "-q"), "sample_project"),
    Group(
        "units",
        "quizzes, exercises, progress, builder",
        ("-m", "pytest", "-q", "checks", "--ignore", BROWSER_TESTS, "--ignore", PAGE_TESTS),
    ),
    Group("proofs", "the proof of every quiz item", ("-m", "checks", "proofs")),
    Group("exercises", "stub, solution and mistakes of every exercise", ("-m", "checks", "exercises")),
    Group("lessons", "every cell of every lesson", ("-m", "pytest", "-q", "--nbval", "notebooks")),
    Group("browser", "JupyterLab as a learner sees it", ("-m", "pytest", "-q", BROWSER_TESTS), obstacle=no_browser),
    Group("site", "the browser edition, lesson by lesson", ("-m", "pytest", "-q", PAGE_TESTS), obstacle=no_site),
)


@dataclass(frozen=True)
class Result:
    """How one group ended: "passed", "failed" or "skipped", and why."""

    group: str
    outcome: str
    reason: str = ""


def run(environment: Environment, names: Sequence[str], groups: Sequence[Group] = GROUPS) -> list[Result]:
    """Run the groups with these names (all without any), printing what they print; a failure stops nothing."""
    results = []
    # The tests answer quizzes and exercises: not in the journal of the person who runs them.
    with tempfile.TemporaryDirectory(prefix="course-test-", ignore_cleanup_errors=True) as home:
        variables = environment.variables() | {"COURSE_HOME": home, "PY_COLORS": _colours()}
        for group in groups:
            if names and group.name not in names:
                continue
            _heading(f"{group.name}: {group.about}")
            obstacle = group.obstacle(environment)
            if obstacle:
                print(f"SKIPPED: {obstacle}", flush=True)
                results.append(Result(group.name, "skipped", obstacle))
                continue
            status = subprocess.run(
                [str(environment.python), *group.arguments],
                cwd=environment.root / group.folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode
            reason = f"exit status {status}: `python3 course.py test {group.name}` runs it alone" if status else ""
            results.append(Result(group.name, "failed" if status else "passed", reason))
    return results


def report(results: Sequence[Result], python: str, django: str) -> str:
    """The summary; its last line counts the groups."""
    width = max(len(result.group) for result in results)
    lines = [
        f"{result.group:<{width}}  {result.outcome if result.outcome == 'passed' else result.outcome.upper():<7}"
        f"  {result.reason}".rstrip()
        for result in results
    ]
    lines += ["", f"Ran on Python {python} with Django {django}. {_not_run_here(python)}"]
    counts = [
        f"{sum(result.outcome == outcome for result in results)} {outcome}"
        for outcome in ("passed", "failed", "skipped")
    ]
    return "\n".join([*lines, ", ".join(counts)])


def versions(environment: Environment) -> tuple[str, str]:
    """The Python and the Django in the `.venv`."""
    script = "import platform, django; print(platform.python_version(), django.__version__)"
    out = subprocess.run([str(environment.python), "-c", script], capture_output=True, text=True, check=True).stdout
    python, django = out.split()
    return python, django


def _not_run_here(python: str) -> str:
    _, minor, *_ = map(int, python.split("."))
    if minor < 12:
        return "Not run here: Django 6.1, which needs Python 3.12 or newer (`python3.13 course.py test`)."
    return "Not run here: Django 5.2, which the course uses on Python 3.11 (`python3.11 course.py test`)."


def _heading(text: str) -> None:
    print(f"\n=== {text} {'=' * max(3, 72 - len(text))}", flush=True)


def _colours() -> str:
    return "1" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else "0"
