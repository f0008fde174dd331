"""Database files: built once per machine, copied for each process that wants one.

A file is built from nothing (migrations, then a function that fills it), kept in the user's cache folder, and never
opened again: who needs a database gets a copy, which takes a millisecond or two.
"""

import atexit
import hashlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

from . import sqlite

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS = "config.settings.notebook"
COURSE = "django-interview-course"

# What decides about the content of a file, beside Django itself. Views and templates do not.
_INGREDIENTS = [
    "*/migrations/*.py",
    "*/data/**/*",
    "*/seeding.py",
    "*/growth.py",
    "*/groups.py",
    # Which apps there are, and so which tables.
    "config/settings/common.py",
    "lab/database.py",
]
_SUFFIXES = ["", "-wal", "-shm", "-journal"]
_KEEP_UNUSED_DAYS = 30
_ORDERS_AT_ONCE = 5_000
_booted = False


def boot():
    """Set Django up for this process, with `config.settings.notebook` and no data. Does nothing the second time.

    Raises RuntimeError where Django already runs with other settings.
    """
    global _booted
    from django.apps import apps

    if apps.ready:
        from django.conf import settings

        # Inside of `override_settings` the module has no name: who booted Django here need not ask.
        if not _booted and getattr(settings, "SETTINGS_MODULE", None) != SETTINGS:
            raise RuntimeError(
                "Django already runs in this process with other settings. Restart the kernel and call start() first."
            )
        return
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    # Cells run under an event loop, where Django refuses synchronous queries. One person at a kernel may wait.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with interrupts_held():
        django.setup()
    _booted = True

    from . import registry

    registry.install()
    if not processes_exist():
        from . import browser

        browser.prepare()


@contextmanager
def interrupts_held():
    """Let a short piece of work finish before an interrupt is heeded: half of it would be worse than the wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if held:
            raise KeyboardInterrupt


def shop(lines: int | None = None) -> Path:
    """The learner's database: the bookshop as it is, or grown to at least `lines` order lines."""
    boot()
    path = place(_shop_name(lines))
    if not path.exists() and processes_exist():
        # In a process of its own: signal receivers and patches of a cell must not leave marks in a file that stays.
        build_apart(*([] if lines is None else ["--lines", str(lines)]))
    return path if path.exists() else build_shop(lines)


def build_shop(lines: int | None = None, report: Callable[[str], None] | None = None) -> Path:
    """What `shop` returns, built by this very process where it is missing. `report` is told how far the work is."""
    return prebuilt(_shop_name(lines), partial(fill_shop, lines, report))


def prebuilt(name: str, fill: Callable[[], None], key: str = "") -> Path:
    """The path of a migrated database, filled by calling `fill`; built when it is first asked for.

    `key` stands for what `fill` does (its source, say): another key makes another file. `fill` sees Django's default
    connection pointing at the new file; afterwards the connection points where it pointed before.
    """
    path = place(name, key)
    if not path.exists():
        boot()
        _build(path, fill)
    return path


def private_copy(prebuilt_path: Path, folder: Path | None = None) -> Path:
    """A copy under a new name, in `folder` or in a temporary folder that goes when this process ends."""
    prebuilt_path = Path(prebuilt_path)
    handle, copy = tempfile.mkstemp(
        prefix=f"{prebuilt_path.stem}-", suffix=".sqlite3", dir=folder or _temporary_folder(os.getpid())
    )
    os.close(handle)
    shutil.copyfile(prebuilt_path, copy)
    return Path(copy)


def connect_to(path: Path):
    """Point Django's default connection at a file. What the old one had open is rolled back and closed first."""
    from django.db import connections

    close_connections()
    # Every thread's connection has this very dictionary, so those of other threads follow when they next connect.
    connections.settings["default"]["NAME"] = str(path)


def connected_to() -> Path | None:
    """The file that the default connection points at, or None while it has none."""
    from django.db import connections

    name = str(connections.settings["default"]["NAME"])
    return None if ":memory:" in name else Path(name)


def close_connections():
    """Close this thread's connection, and that of the thread in which Django runs queries of `await`."""
    _close_of_this_thread()
    close_async_connection()


def discard(connection):
    """Close a connection whatever state it is in. Open transactions are rolled back, `atomic()` blocks forgotten."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    connection.in_atomic_block = False
    connection.closed_in_transaction = False
    connection.needs_rollback = False
    connection.savepoint_ids = []
    connection.atomic_blocks = []
    # Not the backend's close(): SQLite's keeps a database in memory open.
    BaseDatabaseWrapper.close(connection)


def in_async_thread(function, start: bool = False):
    """Call `function` in the thread where `sync_to_async` runs queries, and return what it returns.

    None where there is no such thread yet (unless `start`), or where it is busy with a task in the background.
    """
    if not processes_exist():
        return None
    from concurrent.futures import TimeoutError as TookTooLong

    from asgiref.sync import SyncToAsync

    executor = SyncToAsync.single_thread_executor
    alive = any(thread.is_alive() for thread in executor._threads)  # in a forked child none is
    if not alive and (executor._threads or not start) or threading.current_thread() in executor._threads:
        return None
    future = executor.submit(function)
    try:
        return future.result(timeout=1)
    except TookTooLong:
        future.cancel()
        return None


def processes_exist() -> bool:
    """Whether this Python can start threads and processes. In a browser it cannot."""
    return sys.platform not in {"emscripten", "wasi"}


def stop_async_statement():
    """End the statement that runs in the thread of `await`. Close its connection before it is used again."""
    if processes_exist() and "asgiref.sync" in sys.modules:
        from asgiref.sync import SyncToAsync

        sqlite.stop_statements(SyncToAsync.single_thread_executor._threads)


def close_async_connection():
    """Close the connection of the thread of `await`, whatever state it is in."""
    in_async_thread(_close_of_this_thread)


def remove(path: Path):
    """Delete a database file and what SQLite keeps beside it. A file still in use (Windows) stays until the exit."""
    for suffix in _SUFFIXES:
        try:
            os.unlink(f"{path}{suffix}")
        except OSError:
            continue


@lru_cache
def fingerprint() -> str:
    """Short text that changes when Django, a migration, the data or the code that fills in the data changes."""
    import django

    digest = hashlib.sha256(django.get_version().encode())
    for pattern in _INGREDIENTS:
        for path in sorted(PROJECT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(PROJECT).as_posix().encode())
                # Git may give text files other line ends on Windows; the content is the same.
                digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


@lru_cache
def cache_folder() -> Path:
    """Where built files are kept: COURSE_CACHE, or the user's cache folder, or (not writable) the temporary one."""
    import platformdirs

    chosen = os.environ.get("COURSE_CACHE") or platformdirs.user_cache_dir(COURSE, appauthor=False)
    for parent in [Path(chosen).absolute(), Path(tempfile.gettempdir()) / COURSE]:
        folder = parent / fingerprint()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix=f"{COURSE}-"))


def _shop_name(lines):
    return "shop" if lines is None else f"shop-{lines}"


def fill_shop(lines: int | None = None, report: Callable[[str], None] | None = None):
    """Fill the migrated, empty database that the default connection points at, with at least `lines` order lines."""
    from orders.growth import grow
    from orders.models import OrderLine
    from orders.seeding import fill

    report = report or (lambda text: None)
    report("Filling the bookshop, once on this machine …")
    fill()
    while lines and (missing := lines - OrderLine.objects.count()) > 0:
        report(f"Growing the bookshop to {lines:,} order lines, once on this machine: {1 - missing / lines:.0%}")
        # Three lines per order, a little more in fact: never far too many.
        grow(min(_ORDERS_AT_ONCE, missing // 3 + 1))


def place(name: str, key: str = "") -> Path:
    """Where the file of that name and key is kept, built or not."""
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"{name!r} cannot be the name of a database: use letters, digits, '-' and '_'.")
    if key:
        name += "-" + hashlib.sha256(key.encode()).hexdigest()[:12]
    return cache_folder() / f"{name}.sqlite3"


def _build(path, fill):
    """Build under another name and move it into place: two processes may build at once, and either may be stopped."""
    from django.core.management import call_command

    _remove_stale(path.parent)
    before = connected_to()
    handle, draft = tempfile.mkstemp(prefix="draft-", suffix=".sqlite3", dir=path.parent)
    os.close(handle)
    try:
        connect_to(draft)
        try:
            call_command("migrate", verbosity=0, interactive=False)
            fill()
        finally:
            connect_to(before or ":memory:")
        try:
            os.replace(draft, path)
        except PermissionError:
            # Windows, and somebody copies the file that another process has just built: that one is as good.
            if not path.exists():
                raise
    finally:
        remove(draft)


def build_apart(*arguments: str):
    """Run `python -m lab` with these arguments in a fresh Python, showing how far it is."""
    import subprocess

    from .waiting import wait_for

    command = [sys.executable, "-m", "lab", *arguments]
    path = os.pathsep.join(folder for folder in sys.path if folder)
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "COURSE_CACHE": str(cache_folder().parent), "PYTHONPATH": path, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        try:
            output = wait_for(process)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(f"The bookshop's database could not be built:\n{output.strip()}")


def _remove_stale(folder):
    """Drafts of builds that were killed, and folders of fingerprints that nobody has built for in a month."""
    now = time.time()
    for draft in folder.glob("draft-*"):
        if now - _modified(draft) > 3600:
            shutil.rmtree(draft, ignore_errors=True) if draft.is_dir() else remove(draft)
    if re.fullmatch(r"[0-9a-f]{16}", folder.name):
        for other in folder.parent.iterdir():
            old = now - _modified(other) > _KEEP_UNUSED_DAYS * 24 * 3600
            if old and other != folder and re.fullmatch(r"[0-9a-f]{16}", other.name):
                shutil.rmtree(other, ignore_errors=True)


def _modified(path):
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


@lru_cache
def _temporary_folder(process):
    """One per process: a forked child must not use, nor at its end remove, the folder of its parent."""
    _remove_folders_of_the_dead()
    folder = tempfile.mkdtemp(prefix=f"{COURSE}-{process}-")
    atexit.register(_leave, folder, process)
    return folder


def _leave(folder, process):
    if os.getpid() == process:
        # By now the thread of `await` has ended.
        _close_of_this_thread()
        shutil.rmtree(folder, ignore_errors=True)


def _remove_folders_of_the_dead():
    """A kernel that was killed could not tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{COURSE}-*-*"):
        process = folder.name.removeprefix(f"{COURSE}-").partition("-")[0]
        if process.isdigit() and int(process) != os.getpid():
            import psutil

            if not psutil.pid_exists(int(process)):
                shutil.rmtree(folder, ignore_errors=True)


def _close_of_this_thread():
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        discard(connection)
