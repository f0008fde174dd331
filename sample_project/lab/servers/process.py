"""A server process that belongs to this kernel.

Each has a guardian (`guardian.py`) that ends it, and a folder of its own that the guardian removes.
"""

import atexit
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .. import database
from .guardian import group_of

__all__ = [
    "Crashed",
    "Process",
    "Unavailable",
    "find",
    "free_port",
    "group_of",
    "new_folder",
    "refuse_without_processes",
    "start",
    "start_on_free_port",
]

GUARDIAN = Path(__file__).with_name("guardian.py")
PATIENCE = 30
_LOOK_EVERY = 0.005


class Unavailable(RuntimeError):
    """This machine has no such server. Its text is one sentence that says what is missing and what would help.

    A cell that ends with it shows that sentence, and the notebook goes on with the next cell.
    """

    def _render_traceback_(self):
        return [str(self)]


class Crashed(RuntimeError):
    """A server ended before it was ready. Carries the end of its log."""


class Process:
    """One running server. `stop()` ends it; so does the end of this process, in whatever way."""

    def __init__(self, guardian, folder: Path, log: Path):
        self._guardian = guardian
        self.folder = folder
        self._log = log
        self._owner = os.getpid()
        atexit.register(self.stop)

    def __repr__(self):
        return f"<{type(self).__name__}: {'running' if self.running else 'ended'}>"

    @property
    def running(self) -> bool:
        return self._guardian.poll() is None

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def wait_for(self, ready: str, patience: float = PATIENCE):
        """Return when the log matches the pattern `ready`.

        Raises Crashed where the server ends first, TimeoutError where it is not ready in `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while not re.search(ready, self.log):
            if not self.running:
                raise Crashed(_end_of(self._guardian.stdout.read().decode(errors="replace")))
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {patience} seconds: {_end_of(self.log)}")
            time.sleep(_LOOK_EVERY)

    def stop(self):
        """End the server, wait until it is gone, and remove its folder. Does nothing the second time.

        Nor does it in a forked child: the server is its parent's.
        """
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        with database.interrupts_held():
            # Closing the pipe is what the guardian waits for.
            self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian.stdout.close()


def start(
    command: Sequence[str | Path],
    ready: str,
    *,
    folder: Path | None = None,
    directory: Path | None = None,
    environment: dict[str, str | None] | None = None,
    user: str | None = None,
    stop: str = "SIGTERM",
    patience: float = 3,
) -> Process:
    """Run a server and return when its log matches the pattern `ready`.

    Args:
        command: what to run, as for `subprocess.Popen`.
        folder: for its log and whatever it keeps, one made by `new_folder`; it is removed when the server has ended.
        directory: where it works; by default in that folder.
        environment: variables beside those of this process; None takes one away.
        user: the system user to run it as, where this process may choose.
        stop, patience: the signal that ends it, and how many seconds it has until it is killed.

    Raises:
        Crashed: it ended at once.
        TimeoutError: it does not get ready.
    """
    refuse_without_processes()
    folder = folder or new_folder()
    log = folder / "server.log"
    plan = {
        "command": [str(part) for part in command],
        "log": str(log),
        "folder": str(folder),
        "directory": str(directory or folder),
        "user": user,
        "stop": stop,
        "patience": patience,
    }
    options = {}
    if os.name == "nt":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    variables = {**os.environ, **(environment or {})}
    with database.interrupts_held():
        guardian = subprocess.Popen(
            # Isolated and without site-packages: up in a few hundredths of a second.
            [sys.executable, "-I", "-S", str(GUARDIAN), json.dumps(plan)],
            # Not in the plan: everybody can read the arguments of a process.
            env={name: value for name, value in variables.items() if value is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # An interrupt of the kernel goes to all processes of its group.
            start_new_session=True,
            **options,
        )
        process = Process(guardian, folder, log)
    try:
        process.wait_for(ready)
    except BaseException:
        process.stop()
        raise
    return process


def start_on_free_port(begin: Callable[[int], Process], attempts: int = 5) -> tuple[Process, int]:
    """Call `begin` with a free port; again with another one where somebody else was faster."""
    for attempt in range(attempts):
        port = free_port()
        try:
            return begin(port), port
        except Crashed as error:
            if attempt == attempts - 1 or "in use" not in str(error):
                raise
    raise AssertionError("attempts must be at least 1")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def new_folder() -> Path:
    """An empty folder that only this user can read, for one server. Short: paths of sockets have little room."""
    return Path(tempfile.mkdtemp(prefix=f"{database.COURSE}-{os.getpid()}-"))


def find(name: str, *folders: str) -> Path | None:
    """The program of that name on PATH, or in one of these folders (patterns), the last in order of version."""
    if found := shutil.which(name):
        return Path(found).resolve()
    candidates = [path for folder in folders for path in Path("/").glob(f"{folder.lstrip('/')}/{name}")]
    return max(candidates, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], default=None)


def refuse_without_processes():
    if not database.processes_exist():
        raise Unavailable("Servers cannot be started in a browser: run this cell in a JupyterLab on your own machine.")


def _end_of(log, lines=3):
    return " ".join(log.strip().splitlines()[-lines:]) or "it printed nothing"
