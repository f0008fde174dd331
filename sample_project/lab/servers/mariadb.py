"""MariaDB with the bookshop's data, where its server is installed.

As with PostgreSQL, the data is built once per machine, and who wants a server gets a copy of its files.
"""

import os
import platform
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from .. import database
from . import connection, process
from .process import Crashed, Unavailable
from .server import Server

USER = "bookshop"
NAME = "bookshop"
_FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/bin", "/usr/local/opt/mariadb*/bin", "/opt/homebrew/opt/mariadb*/bin")

_SETTINGS = {
    "bind-address": "127.0.0.1",
    "default-time-zone": "+00:00",
    "character-set-server": "utf8mb4",
    # Nothing has to survive, and small files are copied soon.
    "innodb-flush-log-at-trx-commit": 0,
    "innodb-doublewrite": 0,
    "innodb-log-file-size": "8M",
    "innodb-buffer-pool-size": "64M",
    "skip-log-bin": None,
    # Who connects is known by the address.
    "skip-name-resolve": None,
}


class mariadb(Server):  # noqa: N801 - learners write `with mariadb():`
    """MariaDB for the block: Django's default connection points at it, with the bookshop's data in it.

        with mariadb():
            Book.objects.select_for_update(skip_locked=True).first()

    What MariaDB has not, Django leaves out: indexes on expressions and with conditions, unique constraints with
    either. `manage.py check --database default` names them.

    Args:
        alias: the connection that points at it. Another alias than "default" leaves that one on SQLite.

    `server.url` has the address with user and password, `server.reset()` gives the data their first state back.

    Raises Unavailable where there is no MariaDB, or nothing to talk to it with.
    """

    label = "MariaDB"

    def __init__(self, alias: str = "default"):
        self.alias = alias
        self._process = None

    @classmethod
    def check(cls):
        if programs() is None:
            raise Unavailable(
                "MariaDB is not installed here: apt install mariadb-server, or brew install mariadb. PostgreSQL needs "
                "no installation: with postgres():"
            )
        if find_spec("MySQLdb") is None:
            raise Unavailable("MariaDB needs mysqlclient: pip install mysqlclient, then restart the kernel.")

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        files = prebuilt()
        password = (files / "password").read_text()
        self._process, port = launch(lambda folder: shutil.copytree(files / "data", folder / "data"))
        try:
            settings = _settings(port, password)
            self.url = f"mysql://{USER}:{quote(password)}@127.0.0.1:{port}/{NAME}"
            connection.point(self.alias, settings, self)
            self._create_tables()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        with database.interrupts_held():
            connection.point_back(self)
            if self._process:
                self._process.stop()
                self._process = None

    def reset(self):
        """Give the data their first state back, on a new server. Open transactions of all connections end.

        Raises RuntimeError where the server does not run.
        """
        if self._process is None:
            raise RuntimeError("This MariaDB does not run: use it inside its `with` block.")
        with database.interrupts_held():
            self.stop()
            self.start()

    def _create_tables(self):
        from .. import registry

        if self.alias == "default":
            registry.create_tables()


@lru_cache
def programs() -> tuple[Path, Path] | None:
    """The server, and what makes its first files; None where one is missing."""
    server = process.find("mariadbd", *_FOLDERS)
    installer = process.find("mariadb-install-db", *_FOLDERS)
    return (server, installer) if server and installer else None


def prebuilt() -> Path:
    """A folder with `data`, the files of a server that is shut down, and `password`; built when it is missing."""
    path = _place()
    if not path.exists():
        # In a process of its own: patches of a cell must not leave marks in files that stay.
        database.build_apart("--mariadb")
    return path


def build(lines: None = None, report: Callable[[str], None] | None = None):
    """Build what `prebuilt` returns, in this very process, where it is missing. `report` is told how far it is.

    There is no grown shop here: `lines` is what the builders of the others have.
    """
    report = report or (lambda text: None)
    path = _place()
    if path.exists():
        return
    report("Preparing MariaDB, once on this machine …")
    password = secrets.token_hex(16)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=path.parent))
    try:
        _make_files(draft / "data")
        (draft / "password").write_text(password)
        # Executed by the server itself: before it, nobody has a password.
        (draft / "first.sql").write_text(
            "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\nFLUSH PRIVILEGES;\n"
            f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON *.* TO {USER}@'127.0.0.1';\n"
            f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4;\n"
        )
        server, port = launch(lambda folder: draft / "data", f"--init-file={draft / 'first.sql'}")
        try:
            _fill(_settings(port, password), report)
        finally:
            server.stop()
        (draft / "first.sql").unlink()
        if not path.exists():
            os.replace(draft, path)
    except OSError:
        # Another process was faster; its files are as good.
        if not path.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def launch(prepare: Callable[[Path], Path], *options: str) -> tuple[process.Process, int]:
    """Run a server: the process and its port.

    Args:
        prepare: gets a folder that goes when the server ends, and returns the one with the server's files.
        options: for the server, beside those that all have.

    Raises Unavailable where it does not start.
    """
    settings = [f"--{name}" if value is None else f"--{name}={value}" for name, value in _SETTINGS.items()]

    def begin(port):
        folder = process.new_folder()
        try:
            data = prepare(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        own = [f"--datadir={data}", f"--port={port}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
        return process.start(
            # "--no-defaults" comes first of all, or the settings of the system are read.
            [programs()[0], "--no-defaults", *own, *_as_root(), *settings, *options],
            "ready for connections",
            folder=folder,
            patience=20,
        )

    try:
        return process.start_on_free_port(begin)
    except (Crashed, TimeoutError) as error:
        raise Unavailable(f"MariaDB does not start on this machine: {error}") from None


def _place():
    """Where the files are kept. They suit one version of the server on one kind of machine."""
    state = programs()[0].stat()
    version = f"{programs()[0]} {state.st_size} {state.st_mtime_ns} {platform.machine()}"
    return database.place("mariadb", version).with_suffix("")


def _make_files(data):
    options = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    # The server that it runs for a moment would make large files otherwise.
    options += ["--innodb-log-file-size=8M", *_as_root()]
    done = subprocess.run([str(programs()[1]), *options], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["mariadb-install-db failed"])[-1]
        raise Unavailable(f"MariaDB does not start on this machine: {reason}")


def _as_root():
    """Root has to say that it means it. In a container there often is nobody else."""
    return ["--user=root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def _settings(port, password):
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "USER": USER,
        "PASSWORD": password,
        "NAME": NAME,
    }


def _fill(settings, report):
    """Migrate an empty database and fill it with the bookshop."""
    from django.core.management import call_command

    owner = object()
    connection.point("default", settings, owner)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        database.fill_shop(None, report)
    finally:
        connection.point_back(owner)
