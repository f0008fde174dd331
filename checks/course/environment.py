"""The course's own `.venv`: made, completed, repaired, and left alone when it is right.

Standard library only, because it runs before anything is installed.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

OLDEST = (3, 11)
CORNERSTONES = ("django", "jupyterlab", "nbval", "pytest", "lab")
NEEDED = 1_000_000_000  # bytes for a new .venv with what pip keeps aside while it works


class SetupError(Exception):
    """The set-up cannot go on; the text is one sentence with the remedy."""


class Environment:
    """The `.venv` of the course in the folder ``root``, made with the interpreter ``python`` (default: this one).

    ``say`` gets one line at a time on what is being done.
    """

    def __init__(self, root: Path, *, python: str | None = None, say: Callable[[str], None] = print):
        self.root = root
        self.folder = root / ".venv"
        self.log = self.folder / "setup.log"
        self.base = python or base_interpreter()
        self._stamp = self.folder / "course-setup.json"
        self._say = say

    @property
    def python(self) -> Path:
        """The interpreter of the `.venv`."""
        return self.folder.joinpath(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

    def variables(self) -> dict[str, str]:
        """The environment variables for programs of the course: this process's, without what leads them astray."""
        strange = ("PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE", "__PYVENV_LAUNCHER__")
        kept = {name: value for name, value in os.environ.items() if name not in strange}
        kept["PATH"] = os.pathsep.join([str(self.python.parent), kept.get("PATH", os.defpath)])
        return kept | {"VIRTUAL_ENV": str(self.folder), "PYTHONUTF8": "1"}

    def version(self) -> tuple[int, int] | None:
        """The version of the Python in the `.venv`, or None when there is none that works."""
        return interpreter_version(self.python)

    def is_ready(self) -> bool:
        """Whether everything is installed as requirements.txt says, with the Python that asks."""
        stamp = self._read_stamp()
        if stamp.get("state") != "installed":
            return False
        version = self.version()
        return (
            version is not None
            and version == self._wanted_version(stamp)
            and stamp.get("fingerprint") == self.fingerprint(version)
            and self._is_whole()
        )

    def fingerprint(self, version: tuple[int, int]) -> str:
        """What an installation depends on. The folder is part of it, because a `.venv` cannot be moved."""
        parts = [str(self.root), repr(version)]
        parts += [(self.root / name).read_text(encoding="utf-8") for name in ("requirements.txt", "pyproject.toml")]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def prepare(self) -> None:
        """Bring the `.venv` in order, if it is not. Raises SetupError."""
        if self.is_ready():
            return
        try:
            with only_one(self.root, self._say) as self._lock:
                # Another set-up may have done it while this one waited.
                if not self.is_ready():
                    self._bring_in_order()
        except OSError as error:
            raise SetupError(f"The set-up cannot write its files ({error}): {remedy_for(str(error))}.") from error

    def _bring_in_order(self) -> None:
        reason = self._reason_to_remake()
        if reason:
            if self.folder.exists() or self.folder.is_symlink():
                self._say(f"{reason}: making it anew.")
                self._remove()
            self._make()
        uv = shutil.which("uv")
        if uv:
            self._say("Installing the course's packages with uv (about 600 MB the first time).")
            command = [uv, "pip", "install", "--python", str(self.python), "-r", "requirements.txt"]
            if self._install(command) is None:
                return self._finish()
            # uv does not read pip's settings, such as a company's package index.
            self._say("uv did not manage; trying pip.")
        else:
            self._say("Installing the course's packages (about 600 MB and a minute the first time).")
        self._provide_pip()
        failure = self._install(self._pip_command())
        if failure and not reason and not is_environmental(failure):
            # What was there may be what is in the way.
            self._say("The existing .venv could not be completed: making it anew.")
            self._remove()
            self._make()
            self._provide_pip()
            failure = self._install(self._pip_command())
        if failure:
            raise SetupError(f"The packages could not be installed: {remedy_for(failure)}. The log is {self.log}.")
        self._finish()

    def _reason_to_remake(self) -> str | None:
        if not self.folder.exists():
            return "The .venv is missing"
        version = self.version()
        if version is None:
            return "The Python of the existing .venv does not run"
        if version < OLDEST:
            return f"The existing .venv has Python {dotted(version)}, which is too old"
        stamp = self._read_stamp()
        if stamp.get("state") == "installing":
            return "An earlier set-up was interrupted"
        wanted = self._wanted_version(stamp)
        if wanted and version != wanted:
            return f"The existing .venv has Python {dotted(version)}, this is Python {dotted(wanted)}"
        if stamp.get("fingerprint") == self.fingerprint(version) and not self._is_whole():
            return "The existing .venv is damaged"
        return None

    def _wanted_version(self, stamp: dict) -> tuple[int, int] | None:
        # A .venv that somebody made by hand keeps its Python; one made here follows the Python it is started with.
        return interpreter_version(self.base) if stamp.get("made_here") else self.version()

    def _is_whole(self) -> bool:
        """Whether the packages that everything hangs on can be found."""
        script = f"import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, {CORNERSTONES})))"
        return self._run([str(self.python), "-c", script]).returncode == 0

    def _remove(self) -> None:
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
            return
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise SetupError(
                f"The folder {self.folder} cannot be removed ({error}): close every program that runs from it, "
                "or remove it yourself, then try again."
            ) from error

    def _make(self) -> None:
        free = shutil.disk_usage(self.root).free
        if free < NEEDED:
            raise SetupError(
                f"The disk of {self.root} has {free // 1_000_000} MB free and the set-up needs about "
                f"{NEEDED // 1_000_000}: free some space, then try again."
            )
        uv = shutil.which("uv")
        if uv:
            made = self._run([uv, "venv", "--quiet", "--python", self.base, str(self.folder)])
            if made.returncode == 0 and self.version():
                return self._write_stamp("installing", made_here=True)
            shutil.rmtree(self.folder, ignore_errors=True)
        # `--without-pip`, and pip in a second step: on Debian the module is there and only its pip part is missing.
        made = self._run([self.base, "-m", "venv", "--without-pip", str(self.folder)])
        if made.returncode or not self.version():
            output = made.stdout.strip()
            if "No module named" in output:
                raise SetupError(NO_VENV.format(version=dotted(interpreter_version(self.base) or OLDEST)))
            last = output.splitlines()[-1] if output else "no message"
            raise SetupError(f"Python could not make {self.folder} ({last}): {remedy_for(output)}.")
        self._write_stamp("installing", made_here=True)

    def _provide_pip(self) -> None:
        if self._run([str(self.python), "-m", "pip", "--version"]).returncode == 0:
            return
        made = self._run([str(self.python), "-m", "ensurepip", "--upgrade", "--default-pip"])
        if made.returncode == 0:
            return
        if "ensurepip" in made.stdout:
            raise SetupError(NO_VENV.format(version=dotted(self.version() or OLDEST)))
        raise SetupError(f"pip could not be installed: {remedy_for(made.stdout)}.")

    def _pip_command(self) -> list[str]:
        return [
            str(self.python),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--retries=2",
            "--progress-bar=off",
            "-r",
            "requirements.txt",
        ]

    def _install(self, command: list[str]) -> str | None:
        """Run an installer with a line of progress; returns its output when it failed."""
        self._write_stamp("installing")
        total = self._number_of_requirements()
        # A learner's pip may be set to install for the user, which no `.venv` allows.
        variables = self.variables() | {
            "PIP_USER": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # Where this process is killed, the installer works on: nobody should begin anew meanwhile.
            pass_fds=() if os.name == "nt" else (self._lock,),
        )
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
        reader.start()
        try:
            with ProgressLine(self._say) as line:
                while reader.is_alive():
                    line.show(*self._stage(lines.copy(), total))
                    reader.join(0.2)
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            with contextlib.suppress(OSError):
                self.log.write_text("".join(lines), encoding="utf-8")
        if process.returncode == 0:
            return None
        if not is_unpacking(lines):
            # It left nothing half-written: the next run completes what is here.
            self._write_stamp("failed")
        return "".join(lines) or f"the installer ended with status {process.returncode} and no message"

    def _stage(self, lines: list[str], total: int) -> tuple[str, int, int]:
        """What the installer is doing, how far it is, of how many."""
        # pip says nothing while it unpacks, so count what is there.
        fetched = sum("(from -r requirements.txt (line" in line for line in lines)
        if fetched and not is_unpacking(lines):
            return "Fetched", fetched, total
        return "Installed", sum(1 for _ in self._site_packages().glob("*.dist-info")), total

    def _site_packages(self) -> Path:
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return next(iter(sorted(self.folder.glob("lib/python3*/site-packages"))), self.folder)

    def _number_of_requirements(self) -> int:
        lines = (self.root / "requirements.txt").read_text(encoding="utf-8").splitlines()
        # A package with a pin per Python counts once, one for another system not at all: near enough for progress.
        lines = [line for line in lines if line and not line.startswith("#") and "== 'win32'" not in line]
        return len({line.split("==")[0] for line in lines})

    def _finish(self) -> None:
        version = self.version()
        if version is None:
            raise SetupError(f"The Python in {self.folder} does not run: remove that folder and try again.")
        self._write_stamp("installed", fingerprint=self.fingerprint(version))
        self._say("The course is set up.")

    def _read_stamp(self) -> dict:
        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            return {"state": "installing"}
        return stamp if isinstance(stamp, dict) else {"state": "installing"}

    def _write_stamp(self, state: str, *, made_here: bool | None = None, fingerprint: str = "") -> None:
        if made_here is None:
            made_here = self._read_stamp().get("made_here", False)
        draft = self._stamp.with_suffix(".draft")
        draft.write_text(
            json.dumps({"state": state, "made_here": made_here, "fingerprint": fingerprint}), encoding="utf-8"
        )
        os.replace(draft, self._stamp)

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


NO_VENV = (
    "This Python cannot make virtual environments (its venv or ensurepip module is missing): on Debian and Ubuntu run "
    "`sudo apt install python{version}-venv`, elsewhere install Python from https://www.python.org/downloads/, "
    "then try again."
)

# What an installer says, and what the learner can do about it. The first match counts.
REMEDIES = (
    (
        ("No space left", "os error 28", "not enough space", "Disk quota exceeded"),
        "the disk is full; free about 1 GB, then try again",
    ),
    (
        (
            "name resolution",
            "Name or service not known",
            "nodename nor servname",
            "getaddrinfo failed",
            "NewConnectionError",
            "new connection",
            "ConnectTimeout",
            "ReadTimeout",
            "timed out",
            "Connection refused",
            "ConnectionResetError",
            "Network is unreachable",
            "ProxyError",
            "Cannot connect to proxy",
            "CERTIFICATE_VERIFY_FAILED",
            "dns error",
            "error sending request",
            "Could not connect",
        ),
        "the package index cannot be reached; connect to the network (or set HTTPS_PROXY), then try again",
    ),
    (
        ("Permission denied", "PermissionError", "Read-only file system", "Access is denied"),
        "this folder may not be written; make it writable or copy the course to one that is, then try again",
    ),
)


def remedy_for(output: str) -> str:
    """What to do about an installer's output: the remedy when it is known, its last words otherwise."""
    for signs, remedy in REMEDIES:
        if any(sign.lower() in output.lower() for sign in signs):
            return remedy
    errors = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in errors if line.lower().startswith("error")] or errors
    return f"it says {told[-1][:200]!r}; try again" if told else "try again"


def is_unpacking(lines: list[str]) -> bool:
    """Whether an installer has got as far as writing packages, going by what it printed."""
    return any(line.startswith(("Installing collected packages", "Prepared ")) for line in lines)


def is_environmental(output: str) -> bool:
    """Whether the network, the disk or the permissions are at fault, not what is in the `.venv`."""
    return any(sign.lower() in output.lower() for signs, _ in REMEDIES for sign in signs)


def base_interpreter() -> str:
    """The interpreter outside any virtual environment, since the course's own may have to be removed."""
    return getattr(sys, "_base_executable", None) or sys.executable


def interpreter_version(python: str | Path) -> tuple[int, int] | None:
    """Major and minor version of an interpreter; None when it does not run."""
    if str(python) == base_interpreter():
        return sys.version_info[:2]
    try:
        out = subprocess.run(
            [str(python), "-I", "-c", "import sys; print('%d %d' % sys.version_info[:2])"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=True,
            text=True,
        ).stdout
        major, minor = map(int, out.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return major, minor


def dotted(version: tuple[int, int]) -> str:
    """(3, 11) as it is written: 3.11."""
    return ".".join(map(str, version))


@contextlib.contextmanager
def only_one(root: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the set-up of the course in ``root`` for this process, waiting for another one to finish.

    The operating system holds the lock, so that one whose process was killed is free. Gives the lock's file
    descriptor, for child processes that should hold it as well.
    """
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME")
    name = hashlib.sha256(f"{user} {root}".encode()).hexdigest()[:16]
    with open(Path(tempfile.gettempdir()) / f"course-setup-{name}.lock", "a+b") as file:
        waited = False
        while not _try_lock(file):
            threading.Event().wait(0.2)
            if not waited:
                file.seek(0)
                say(f"Another set-up of this course is running (process {file.read().decode()}): waiting for it.")
                waited = True
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        try:
            yield file.fileno()
        finally:
            _unlock(file)


if os.name == "nt":
    import msvcrt

    FAR = 1 << 30  # a locked byte cannot be read by others, so lock one beyond the process number

    def _try_lock(file) -> bool:
        file.seek(FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file) -> None:
        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _try_lock(file) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)


class ProgressLine:
    """A line that moves in a terminal, and one line per quarter elsewhere."""

    def __init__(self, say: Callable[[str], None]):
        self._say = say
        self._moving = sys.stdout.isatty()
        self._spinner = itertools.cycle("|/-\\")
        self._told: set[tuple[str, int]] = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._moving:
            sys.stdout.write("\r" + " " * 60 + "\r")
            sys.stdout.flush()

    def show(self, doing: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` are through."""
        done = min(done, total)
        if self._moving:
            sys.stdout.write(f"\r{next(self._spinner)} {doing} {done} of {total} packages   ")
            sys.stdout.flush()
            return
        quarter = 4 * done // max(total, 1)
        if quarter and (doing, quarter) not in self._told:
            self._told.add((doing, quarter))
            self._say(f"{doing} {done} of {total} packages.")
