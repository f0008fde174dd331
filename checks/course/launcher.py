"""The commands of `course.py`: lab, test, build, site, doctor.

Standard library only: it runs in any Python from 3.11 on, and everything else runs in the course's `.venv`.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from checks.course import machine, suite
from checks.course.environment import Environment, SetupError

ROOT = Path(__file__).resolve().parents[2]
START_PAGE = "notebooks/00_start_here.ipynb"
PORT = 8888
PATIENCE = 60.0  # seconds for JupyterLab to come up on a slow disk

DESCRIPTION = "Django interview questions, answered by code that runs. Begin with `python3 course.py lab`."

EPILOG = """\
The first command sets up what it needs in .venv (about 600 MB, one minute).
`python3 course.py COMMAND --help` shows what a command takes.
"""


class LaunchError(Exception):
    """A command cannot go on; the text is one sentence with the remedy."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; no command shows the help."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not argv:
        parser.print_help()
        return 0
    options, rest = parser.parse_known_args(argv)
    if rest and options.command is not lab:
        parser.error(f"{options.name} does not know {' '.join(rest)}")
    options.rest = rest
    environment = Environment(ROOT, say=_say)
    try:
        return options.command(environment, options)
    except (SetupError, LaunchError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130


def lab(environment: Environment, options: argparse.Namespace) -> int:
    """Open the learner's copy of the course in JupyterLab, until Ctrl-C."""
    if options.port is not None:
        _refuse_taken_port(options.port)
    environment.prepare()
    folder = options.folder.expanduser().absolute()
    synced = _run(environment, ["-m", "checks.course.workspace", str(folder)])
    if synced:
        return synced
    return Laboratory(environment, folder).open(options.port, options.browser, options.rest)


def test(environment: Environment, options: argparse.Namespace) -> int:
    """Run the groups of tests and print what passed, failed and was skipped."""
    known = [group.name for group in suite.GROUPS]
    strange = [name for name in options.groups if name not in known]
    if strange:
        raise LaunchError(f"There is no group {strange[0]!r}: the groups are {', '.join(known)}.")
    environment.prepare()
    results = suite.run(environment, options.groups)
    print("\n" + suite.report(results, *suite.versions(environment)), flush=True)
    return 1 if any(result.outcome == "failed" for result in results) else 0


def build(environment: Environment, options: argparse.Namespace) -> int:
    """Build lessons and exercises from their sources."""
    environment.prepare()
    return _run(environment, ["-m", "checks.course.build", *options.chapters])


def site(environment: Environment, options: argparse.Namespace) -> int:
    """Build the course as a static site, in which Python runs in the page."""
    environment.prepare()
    return _run(environment, ["-m", "checks.site", str(options.folder.expanduser().absolute())])


def doctor(environment: Environment, options: argparse.Namespace) -> int:
    """Say what this machine has; status 1 when something that every learner needs is not right."""
    found = machine.findings(environment)
    width = max(len(finding.what) for finding in found)
    for finding in found:
        print(f"{'ok' if finding.fine else '--'}  {finding.what:<{width}}  {finding.text}")
    optional = set(machine.TITLES.values())
    return 1 if any(not finding.fine and finding.what not in optional for finding in found) else 0


class Laboratory:
    """One run of JupyterLab on the copy in ``folder``."""

    def __init__(self, environment: Environment, folder: Path):
        self.environment = environment
        self.folder = folder
        self.settings = folder / ".jupyter"
        self.log = self.settings / "jupyterlab.log"

    def open(self, port: int | None, browser: bool, rest: Sequence[str]) -> int:
        """Start JupyterLab, say where it is, and wait until it is stopped."""
        # A folder of its own, where no other server's address can be mistaken for this one's. Not among the temporary
        # files: a browser in a sandbox cannot open from there the page that carries the token.
        with tempfile.TemporaryDirectory(prefix="runtime-", dir=self.settings, ignore_cleanup_errors=True) as runtime:
            with self.log.open("w", encoding="utf-8") as log:
                server = subprocess.Popen(
                    self.command(port, browser, rest),
                    env=self.variables(runtime),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            # A closed terminal or a service manager should end the server as Ctrl-C does.
            for name in ("SIGTERM", "SIGHUP"):
                if hasattr(signal, name):
                    signal.signal(getattr(signal, name), _interrupt)
            try:
                address = self._address(server, Path(runtime))
                if address:
                    self._welcome(address)
                status = server.wait()
            except KeyboardInterrupt:
                _stop(server)
                print("\nJupyterLab has stopped. Your work is in", self.folder, flush=True)
                return 0
            finally:
                if server.poll() is None:
                    _stop(server)
        if status:
            raise LaunchError(
                f"JupyterLab ended with status {status} ({self._last_words()}): its log is {self.log}; "
                "`python3 course.py doctor` shows whether something is missing."
            )
        print("JupyterLab was shut down. Your work is in", self.folder, flush=True)
        return 0

    def command(self, port: int | None, browser: bool, rest: Sequence[str]) -> list[str]:
        """The command line of JupyterLab; the learner's own arguments come last and win."""
        arguments = [
            "-m",
            "jupyterlab",
            f"--ServerApp.root_dir={self.folder}",
            f"--LabApp.default_url=/lab/tree/{START_PAGE}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port or PORT}",
            f"--ServerApp.port_retries={0 if port else 50}",
            "--ServerApp.answer_yes=True",
        ]
        if not browser:
            arguments.append("--no-browser")
        # Jupyter refuses to run as root, which is who one is in most containers.
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.append("--allow-root")
        return [str(self.environment.python), *arguments, *rest]

    def variables(self, runtime: str) -> dict[str, str]:
        """The environment variables of JupyterLab: the course's settings instead of the user's own."""
        apart = {
            "JUPYTER_CONFIG_DIR": str(self.settings),
            "JUPYTER_RUNTIME_DIR": runtime,
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTERLAB_SETTINGS_DIR": str(self.settings / "lab" / "user-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.settings / "lab" / "workspaces"),
            # Not on the command line, where every user of the machine could read it.
            "JUPYTER_TOKEN": secrets.token_hex(24),
        }
        inherited = {
            name: value
            for name, value in self.environment.variables().items()
            if name not in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH", "JUPYTER_PORT", "JUPYTER_PORT_RETRIES")
        }
        return inherited | apart

    def _address(self, server: subprocess.Popen, runtime: Path) -> str | None:
        """Where the server listens, as soon as it does; None when it ended instead."""
        for _ in range(int(PATIENCE / 0.1)):
            try:
                # A server that is not this one's child process (Windows starts a second one) has another number.
                (found,) = runtime.glob("jpserver-*.json")
                info = json.loads(found.read_text(encoding="utf-8"))
                # The file may be there a moment before the server listens.
                socket.create_connection(("127.0.0.1", info["port"]), timeout=1).close()
                return f"{info['url']}lab/tree/{START_PAGE}?token={info['token']}"
            except (OSError, ValueError, KeyError):
                pass
            try:
                server.wait(0.1)
                return None
            except subprocess.TimeoutExpired:
                pass
        raise LaunchError(
            f"JupyterLab did not come up within {PATIENCE:.0f} seconds: look at its log {self.log}, then try again."
        )

    def _welcome(self, address: str) -> None:
        print(
            f"\nThe course is open at\n\n    {address}\n\n"
            f"It is your own copy, in {self.folder}: what you write in it is never overwritten.\n"
            "Ctrl-C here stops it.",
            flush=True,
        )

    def _last_words(self) -> str:
        try:
            lines = [line.strip() for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()]
        except OSError:
            return "no log"
        return next((line[:200] for line in reversed(lines) if line), "an empty log")


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        if os.name != "nt":
            # A port that a server left a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LaunchError(
                f"Port {port} cannot be used ({error.strerror}): name another one, or leave --port out and a free one "
                "is taken."
            ) from error


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _stop(server: subprocess.Popen) -> None:
    """End the server and its kernels; one that does not end within a quarter of a minute is killed."""
    if os.name != "nt":  # on Windows the console has told it already, and terminate() would leave its kernels
        server.terminate()
    try:
        server.wait(15)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
        server.wait()


def _run(environment: Environment, arguments: Sequence[str]) -> int:
    command = [str(environment.python), *arguments]
    return subprocess.run(command, cwd=environment.root, env=environment.variables(), check=False).returncode


def _say(line: str) -> None:
    print(line, flush=True)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        usage="python3 course.py COMMAND [ARGUMENTS]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, dest="name", prog="python3 course.py"
    )

    def add(command: Callable, about: str, epilog: str | None = None) -> argparse.ArgumentParser:
        added = commands.add_parser(
            command.__name__,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        return added

    opened = add(lab, "open your copy of the course in JupyterLab", "Other arguments go to JupyterLab as they are.")
    opened.add_argument("--port", type=_port, help=f"the port to listen on (default: the first free one from {PORT})")
    opened.add_argument("--no-browser", dest="browser", action="store_false", help="print the address, open nothing")
    opened.add_argument("--folder", type=Path, default=ROOT / "my_course", help="your copy (default: my_course)")
    names = "\n".join(f"  {group.name:<10} {group.about}" for group in suite.GROUPS)
    tested = add(test, "run every test of the course, or the groups named", f"groups:\n{names}")
    tested.add_argument("groups", nargs="*", metavar="GROUP")
    built = add(build, "build the lessons and exercises that changed")
    built.add_argument("chapters", nargs="*", metavar="NN", help="a chapter's number, such as 13")
    placed = add(site, "build the course as a static site that needs no installation (Python 3.12 or newer)")
    placed.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist", help="where to (default: dist)")
    add(doctor, "say what is installed, and what lacks for what")
    return parser
