"""A project of one's own to try commands on: in a folder of this kernel, gone when it ends.

Commands run as in a terminal there, in processes of their own, so nothing they do touches the bookshop in the kernel.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import database
from .servers import process
from .servers.process import Unavailable

PATIENCE = 120  # seconds for one command
PORT = "8000"
NOTHING = r"(?!)"  # a pattern that no log has
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".pytest_cache", "staticfiles", "media")
_HIDDEN = {"__pycache__", ".pytest_cache"}

# A new project is alone: the bookshop must not be found beside it, or `startapp catalog` would refuse the name.
_SITECUSTOMIZE = "import sys\nsys.path[:] = [folder for folder in sys.path if folder not in {folders!r}]\n"

# What differs from run to run, from machine to machine, or between two versions for no reason that matters here.
_VARYING = [
    (re.compile(r"django-insecure-[^'\"]+"), "django-insecure-…"),
    (re.compile(r"((?:[Gg]enerated|created) by .*?)Django [\d.]+( on [\d: -]+)?"), r"\1Django …"),
    (re.compile(r"(using|Using|version) Django [\d.]*\d"), r"\1 Django …"),
    (re.compile(r"(docs\.djangoproject\.com/en/)[\d.]+/"), r"\1…/"),
    (re.compile(r"\bin \d+\.\d+s\b"), "in …s"),
    (re.compile(r"^\w+ \d{1,2}, \d{4} - \d\d:\d\d:\d\d$", re.MULTILINE), "…"),
    (re.compile(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]"), "[…]"),
    (re.compile(r"\x1b\[[\d;]*m"), ""),
]


def scratch(project: str | None = None, *, bookshop: bool = False) -> "Scratch":
    """A folder of this kernel's own to run commands in.

        shop = scratch("mysite")
        shop.run("python manage.py startapp books")

    Args:
        project: a new project of that name in it, as `django-admin startproject NAME .` makes one.
        bookshop: a copy of the bookshop in it instead, with its rows in `db.sqlite3`.

    Without either the folder is empty.

    Raises Unavailable where there are no processes, as in a browser;
    ValueError for a name that `startproject` refuses.
    """
    if not database.processes_exist():
        raise Unavailable("Commands cannot be run in a browser: run this cell in a JupyterLab on your own machine.")
    if project and bookshop:
        raise ValueError('scratch() makes one project: scratch("mysite") or scratch(bookshop=True).')
    made = Scratch(alone=not bookshop)
    if project:
        made._call(["django-admin", "startproject", project, "."], problem=ValueError)
    elif bookshop:
        shutil.copytree(database.PROJECT, made.path, ignore=_NOT_COPIED, dirs_exist_ok=True)
        shutil.copyfile(database.shop(), made.path / "db.sqlite3")
    return made


class Scratch:
    """The folder. `path` is where it is; all other paths are given from there."""

    def __init__(self, alone: bool = True):
        self._home = Path(tempfile.mkdtemp(prefix=f"{database.COURSE}-scratch-")).resolve()
        self.path = self._home / "project"
        self.path.mkdir()
        weakref.finalize(self, shutil.rmtree, self._home, ignore_errors=True)
        self._status = 0
        paths = [str(self.path)]
        if alone:
            source = _SITECUSTOMIZE.format(folders=sorted({str(database.PROJECT), str(database.PROJECT.parent)}))
            (self._home / "sitecustomize.py").write_text(source, encoding="utf-8")
            paths.append(str(self._home))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "COURSE_"))}
        self._environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
            "DJANGO_COLORS": "nocolor",
            "COLUMNS": "100",
        }

    def __repr__(self):
        return "<a project to try things on>"

    # Commands

    def run(self, command: str, *, answers: str = "", lines: int | None = None, **environment: str):
        """Run a command line as in a terminal in the folder, and print it with what it printed.

        Args:
            command: such as "python manage.py check". `python` and `django-admin` are those of this kernel.
            answers: what is typed when it asks, line by line.
            lines: print so many lines of its output, and how many more there are.
            environment: variables that it has beside the usual ones.

        An exit status other than 0 is printed at the end.
        """
        output = self.output(command, answers=answers, **environment)
        print(f"$ {command}")
        shown = output.splitlines()
        if lines is not None and len(shown) > lines:
            shown = [*shown[:lines], f"… {len(shown) - lines} more lines"]
        if shown:
            print("\n".join(shown))
        if self._status:
            print(f"exit status {self._status}")

    def output(self, command: str, *, answers: str = "", **environment: str) -> str:
        """What a command prints, as text; otherwise as `run`. `status` has its exit status afterwards."""
        return self._call(shlex.split(command), answers, environment)

    @property
    def status(self) -> int:
        """The exit status of the last command: 0 where it ended well."""
        return self._status

    @contextmanager
    def running(self, command: str, **environment: str) -> Iterator["Running"]:
        """A server for the block: `with shop.running("python manage.py runserver 8000") as server:` and `server.url`.

        The port 8000 in the command stands for one that is free. Raises ValueError where it has none, RuntimeError
        with the end of the log where the server does not start.
        """
        if PORT not in command:
            raise ValueError(f'Write the port {PORT} into the command, as in "python manage.py runserver {PORT}".')

        def begin(port):
            words = self._words(shlex.split(command.replace(PORT, str(port))))
            variables = {**_cleared(self._environment), **self._environment, **environment}
            begun = process.start(words, "", directory=self.path, environment=variables)
            try:
                _wait_for(begun, port)
            except BaseException:
                begun.stop()
                raise
            return begun

        try:
            server, port = process.start_on_free_port(begin)
        except (process.Crashed, TimeoutError) as error:
            raise RuntimeError(f"The server does not start: {self._stable(str(error))}") from None
        try:
            yield Running(f"http://127.0.0.1:{port}", server, self._stable)
        finally:
            server.stop()

    def _call(self, words, answers="", environment=None, problem=None):
        try:
            done = subprocess.run(
                self._words(words),
                cwd=self.path,
                env={**self._environment, **(environment or {})},
                input=answers,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError:
            raise ValueError(f"There is no command {words[0]!r}. Begin with python or django-admin.") from None
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"{shlex.join(words)!r} has not ended after {PATIENCE} seconds. For a server, use running()."
            ) from None
        self._status = done.returncode
        output = self._stable(_without_frames(done.stdout)).rstrip()
        if problem and done.returncode:
            raise problem(output.splitlines()[-1])
        return output

    @staticmethod
    def _words(words):
        if not words:
            raise ValueError("There is no command.")
        program, *rest = words
        if program in {"python", "python3"}:
            return [sys.executable, *rest]
        if program == "django-admin":
            return [sys.executable, "-m", "django", *rest]
        beside = Path(sys.executable).with_name(program)
        return [str(beside) if beside.exists() else program, *rest]

    def _stable(self, text):
        places = {str(self.path): ".", str(self._home): ".", sys.executable: "python"}
        for folder in sorted({*sys.path, str(Path(sys.executable).parent)}, key=len, reverse=True):
            if folder.endswith("site-packages"):
                places[folder] = "…"
        for place, shown in places.items():
            text = text.replace(place + os.sep, "" if shown == "." else shown + "/").replace(place, shown)
        for pattern, shown in _VARYING:
            text = pattern.sub(shown, text)
        return text.replace("\r\n", "\n")

    # Files

    def tree(self, folder: str = "."):
        """Print the files below a folder, sorted, without compiled ones."""
        root = self._inside(folder)
        print("\n".join(_tree(root)))

    def show(self, file: str, lines: tuple[int, int] | None = None):
        """Print a file, or its lines from `first` to `last`: `shop.show("mysite/urls.py", (16, 22))`."""
        text = self._stable(self.read(file)).splitlines()
        first, last = lines or (1, len(text))
        print("\n".join(text[first - 1 : last]).rstrip())

    def read(self, file: str) -> str:
        """A file's text. Raises FileNotFoundError that names what is there."""
        path = self._inside(file)
        if not path.is_file():
            near = sorted(found.name for found in path.parent.glob("*")) if path.parent.is_dir() else []
            raise FileNotFoundError(f"There is no {file} here. Beside it: {', '.join(near) or 'nothing'}.")
        return path.read_text(encoding="utf-8")

    def write(self, file: str, text: str):
        """Make a file, with the folders it is in, or replace what it holds."""
        path = self._inside(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.strip("\n") + "\n", encoding="utf-8")

    def replace(self, file: str, old: str, new: str):
        """Replace a piece of a file. Raises ValueError unless it stands there exactly once."""
        text = self.read(file)
        if text.count(old) != 1:
            raise ValueError(f"{file} has {old!r} {text.count(old)} times; replace() wants it there once.")
        self._inside(file).write_text(text.replace(old, new), encoding="utf-8")

    def delete(self, file: str):
        """Remove a file or a folder. Raises FileNotFoundError where it is missing."""
        path = self._inside(file)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def _inside(self, file):
        path = (self.path / file).resolve()
        if not path.is_relative_to(self.path):
            raise ValueError(f"{file} is outside of the project.")
        return path


class Running:
    """A server of a scratch project: `url` is where it answers, `log` what it has printed."""

    def __init__(self, url, server, stable):
        self.url = url
        self._server = server
        self._stable = stable

    @property
    def log(self) -> str:
        return self._stable(self._server.log).replace(self.url.rpartition(":")[2], PORT)


def _cleared(environment):
    """What the kernel has and the server must not: its settings above all."""
    return dict.fromkeys(name for name in os.environ if name not in environment)


def _wait_for(server, port):
    deadline = time.monotonic() + process.PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if not server.running:
                server.wait_for(NOTHING)  # raises, with the end of its log
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing answers after {process.PATIENCE} seconds: {server.log[-500:]}")
        time.sleep(0.02)


def _without_frames(text):
    """The output with each traceback cut to its first line and the error: the frames are those of this machine."""
    shown, inside = [], False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            shown += [line, "  …"]
            inside = True
        elif not inside or (line and not line.startswith((" ", "\t"))):
            inside = False
            shown.append(line)
    return "\n".join(shown)


def _tree(folder, depth=0):
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.name in _HIDDEN:
            continue
        yield "    " * depth + path.name + ("/" if path.is_dir() else "")
        if path.is_dir():
            yield from _tree(path, depth + 1)
