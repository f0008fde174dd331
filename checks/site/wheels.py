"""The packages of the page's Python: fetched as pinned, stripped of what the page does not need, listed in a lock.

Source: https://pyodide.org/en/stable/development/pyodide-lock.html
"""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

PYTHON = "3.14"
HERE = Path(__file__).resolve().parent

# The languages that lessons show; Django has a hundred.
LANGUAGES = ("de", "en", "fr")
# What the course and IPython colour, with what these import; Pygments knows six hundred.
LEXERS = (
    *("__init__", "_css_builtins", "_googlesql_builtins", "_lilypond_builtins", "_mapping", "_mysql_builtins"),
    *(
        "_postgres_builtins",
        "_scheme_builtins",
        "_sql_builtins",
        "_tsql_builtins",
        "css",
        "data",
        "html",
        "javascript",
    ),
    *("jvm", "lilypond", "lisp", "markup", "perl", "python", "ruby", "shell", "special", "sql"),
)
UNNEEDED = (
    "*.so",
    "*.pyd",
    "*.pyx",
    "*.po",
    "*.map",
    "*/tests/*",
    "*.dist-info/sboms/*",
    "dateutil/zoneinfo/*.tar.gz",  # zones come from tzdata
    "anywidget/labextension/*",  # the site serves what a page loads itself
    "django/contrib/admin/static/admin/img/*",
    "django/contrib/admin/static/admin/js/*",
    "rest_framework/static/*",
    "drf_spectacular/static/*",
    "django/contrib/flatpages/*",
    "django/contrib/gis/*",
    "django/contrib/redirects/*",
    "IPython/sphinxext/*",
    "IPython/testing/plugin/*",
    "*.data/*",
    "*/RECORD",
)
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same file on every run


class PackageError(RuntimeError):
    """A package cannot be had; the text says which and what to do."""


def listed(file: Path = HERE / "packages.txt") -> dict[str, bool]:
    """The packages to serve, in the order of the file, and whether they stay zipped."""
    lines = (line.split("#")[0].split() for line in file.read_text(encoding="utf-8").splitlines())
    return {name: marks == ["zipped"] for name, *marks in filter(None, lines)}


def pins(requirements: str) -> dict[str, str]:
    """Version by package name, from the text of a requirements file, for the page's Python."""
    from packaging.requirements import Requirement

    system = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "emscripten"}
    found = {}
    for line in requirements.splitlines():
        line = line.split("#")[0].strip()
        if not line or line.startswith("-"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(system):
            found[requirement.name.lower()] = str(requirement.specifier).removeprefix("==")
    return found


def fetch(wanted: dict[str, str], folder: Path) -> list[Path]:
    """The wheels of (name: version) in `folder`, downloaded by pip where they are missing.

    A package without a wheel for every system comes as one for Linux, whose compiled parts `slim` takes out.
    Raises PackageError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = {name: version for name, version in wanted.items() if _wheel(folder, name, version) is None}
    anywhere = ["--implementation=py", "--abi=none", "--platform=any", f"--python-version={PYTHON}"]
    linux = ["--implementation=cp", "--platform=manylinux2014_x86_64", "--platform=manylinux_2_17_x86_64"]
    for system in (anywhere, [*linux, "--python-version=3.13"]):
        missing = {name: version for name, version in missing.items() if _wheel(folder, name, version) is None}
        if not missing:
            break
        log = _download(missing, folder, system)
        if log:  # one that is missing keeps pip from fetching the others
            for name, version in missing.items():
                log = _download({name: version}, folder, system) or log
    found = []
    for name, version in wanted.items():
        wheel = _wheel(folder, name, version)
        if wheel is None:
            raise PackageError(f"pip found no wheel of {name} {version} that a browser could use: {_last(log)}")
        found.append(wheel)
    return found


def _download(wanted: dict[str, str], folder: Path, system: list[str]) -> str:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *system]
    command += [f"--dest={folder}", *(f"{name}=={version}" for name, version in wanted.items())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout if done.returncode else ""


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "run the command again, with a network"


def _wheel(folder: Path, name: str, version: str) -> Path | None:
    for path in sorted(folder.glob("*.whl")):
        found, its_version = path.name.split("-")[:2]
        if normal(found) == normal(name) and its_version == version:
            return path
    return None


def normal(name: str) -> str:
    """A package name as locks and indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def slim(wheel: Path, folder: Path) -> Path:
    """A copy of a wheel in `folder` for any system, without what a page does not need; the same on every run."""
    name, version = wheel.name.split("-")[:2]
    copy = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as source:
        write(copy, {member: source.read(member) for member in source.namelist() if is_needed(member)})
    return copy


def is_needed(member: str) -> bool:
    """Whether a file of a wheel is worth its bytes in a page."""
    if member.endswith("/") or any(fnmatch(member, pattern) for pattern in UNNEEDED):
        return False
    lexer = re.fullmatch(r"pygments/lexers/(\w+)\.py", member)
    if lexer and lexer[1] not in LEXERS:
        return False
    language = re.search(r"/(?:conf/)?locale/([a-z]{2,3})(?:_\w+)?/", member)
    return language is None or language[1] in LANGUAGES


def write(path: Path, files: dict[str, bytes]) -> None:
    """A zip file of (name: content), byte for byte the same for the same content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, files[name])


def add_compiled(archive: Path, compiled: dict[str, bytes]) -> None:
    """Put compiled modules beside their sources in a wheel, or in the zip file of the standard library, that has them.

    They go by their paths: `__pycache__/x.cpython-314.pyc` in a wheel, which is unpacked; `x.pyc` in what is not.
    """
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    ours = {
        name: code
        for name, code in compiled.items()
        if re.sub(r"(?:__pycache__/)?(\w+)(?:\.[\w-]+)?\.pyc$", r"\1.py", name) in files
    }
    if ours:
        write(archive, files | ours)


def add_wheels(archive: Path, wheels: Iterable[Path]) -> None:
    """Put what wheels hold into the zip file of the standard library: Python imports it from there."""
    files = {}
    for path in (archive, *wheels):
        with zipfile.ZipFile(path) as opened:
            files |= {name: opened.read(name) for name in opened.namelist()}
    write(archive, files)


def placeholder(name: str, folder: Path) -> Path:
    """An empty package of that name, for one that is asked for but not needed."""
    info = f"{name}-0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n"
    path = folder / f"{name}-0-py3-none-any.whl"
    write(path, {f"{info}/METADATA": metadata.encode()})
    return path


def entry(wheel: Path, depends: Iterable[str] = ()) -> dict:
    """What the lock says of a wheel that lies beside it."""
    with zipfile.ZipFile(wheel) as opened:
        tops = {name.split("/")[0].removesuffix(".py") for name in opened.namelist()}
    name, version = wheel.name.split("-")[:2]
    return {
        "name": normal(name),
        "version": version,
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": sorted(top for top in tops if not top.endswith((".dist-info", ".data"))),
        "depends": sorted(depends),
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def lock(
    original: dict, wheels: Iterable[Path], remote: str, from_remote: Iterable[str], zipped: Iterable[str] = ()
) -> dict:
    """Pyodide's lock with our wheels, and of its own packages those that a page may ask its distribution for.

    `remote` is the address of that distribution; what `from_remote` depends on comes along, but for what is `zipped`.
    """
    packages = {one["name"]: one for one in map(entry, wheels)}
    there = {normal(name) for name in zipped}
    waiting = list(from_remote)
    while waiting:
        name = waiting.pop()
        if name not in packages:
            packages[name] = {**original["packages"][name]}
            packages[name]["file_name"] = remote + packages[name]["file_name"]
            packages[name]["depends"] = [one for one in packages[name]["depends"] if one not in there]
            waiting += packages[name]["depends"]
    return {"info": original["info"], "packages": dict(sorted(packages.items()))}


def text(content: dict) -> str:
    """JSON that is the same on every run."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
