"""The course itself as one package of the page: its modules, exercises and prebuilt databases in their own folders.

Nothing in it is moved, so that what looks for a file beside itself finds it in the page as on a laptop.
"""

import re
from fnmatch import fnmatch
from pathlib import Path

from checks.course.lesson import ROOT
from checks.site import wheels

NAME = "django-interview-course"
FOLDER = NAME.replace("-", "_")
TAKEN = (
    "checks/*.py",
    "checks/*.toml",
    "checks/*.csv",
    "checks/*.js",
    "checks/*.css",
    "checks/*.json",
    "sample_project/*",
    "exercises/source/*.py",
    "notebooks/source/*.py",
)
LEFT = (
    "*/__pycache__/*",
    "*/tests/*",
    "checks/tests/*",
    "checks/site/*",
    "checks/course/*",
    "sample_project/conftest.py",
    "sample_project/.*",
    "sample_project/staticfiles/*",
    "*.sqlite3*",
    "*.pyc",
)
# The course's command line is not for a page, but lessons and cards say what the commands mean by them.
KEPT = ("checks/course/__init__.py", "checks/course/lesson.py")


def files(root: Path = ROOT) -> dict[str, bytes]:
    """What goes into the page, by path below the course's folder."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith((".", "dist/", "my_course/")) or not path.is_file():
            continue
        taken = any(fnmatch(name, pattern) for pattern in TAKEN)
        left = any(fnmatch(name, pattern) for pattern in LEFT)
        if name in KEPT or taken and not left:
            found[name] = path.read_bytes()
    return found


def databases() -> dict[str, bytes]:
    """The prebuilt databases, by path below the cache folder. They are built where they are missing."""
    from checks.exercises import datasets
    from lab import database

    database.boot()
    paths = [database.shop(), *(datasets.path(name) for name in ("shop", "edge"))]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in sorted(set(paths))}


def wheel(folder: Path, stored: dict[str, bytes], root: Path = ROOT) -> Path:
    """Write the course's wheel into `folder`; `stored` are further files by path below the course's folder."""
    content = files(root) | {f"cache/{name}": data for name, data in databases().items()} | stored
    version = _version(root)
    info = f"{FOLDER}-{version}.dist-info"
    members = {f"{FOLDER}/{name}": data for name, data in content.items()}
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n".encode()
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: course\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / f"{FOLDER}-{version}-py3-none-any.whl"
    wheels.write(path, members)
    return path


def _version(root: Path) -> str:
    return re.search(r'^version = "(.+)"', (root / "pyproject.toml").read_text(encoding="utf-8"), re.M)[1]
