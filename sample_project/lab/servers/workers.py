"""Processes that take work off a queue: Celery's worker, and the one of django-tasks-db.

A worker has the settings of this kernel, down to the database file, so what it writes can be read in the next cell.
"""

import ast
import os
import sys
import threading
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec

from .. import database
from . import caches, process
from .process import Crashed, Unavailable
from .server import Server

_PLACE = ["ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT"]
_PASSED_ON = ["CACHES", "CHANNEL_LAYERS", "STORAGES", "MEDIA_ROOT"]

# What a worker's settings module is made of. Options of the database may be objects, so they stay where they are.
_SETTINGS = """\
from {module} import *
from {module} import DATABASES

for alias, place in {places!r}.items():
    if DATABASES.get(alias, {{}}).get("ENGINE") == place["ENGINE"]:
        DATABASES[alias].update(place)
    else:
        DATABASES[alias] = place
globals().update({others!r})
"""

# Here the application may run tasks eagerly, for want of a worker. The worker itself must not.
_APP = """\
from {module} import {name} as app

app.conf.update({options!r})
"""


class _Worker(Server):
    """What both kinds of workers share."""

    def __init__(self):
        self._process = None

    @property
    def log(self) -> str:
        """What the worker has logged so far. It holds times and process numbers."""
        return self._process.log if self._process else ""

    def stop(self):
        with database.interrupts_held():
            if self._process:
                self._process.stop()
                self._process = None

    def _launch(self, command, ready, environment=None, modules=None, **options):
        folder = process.new_folder()
        for name, source in {"settings_of_this_kernel": _settings(), **(modules or {})}.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
        path = [str(folder), *(part for part in sys.path if part), os.getcwd()]
        variables = {
            "DJANGO_SETTINGS_MODULE": "settings_of_this_kernel",
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
            **(environment or {}),
        }
        try:
            self._process = process.start(
                [sys.executable, "-m", *command], ready, folder=folder, environment=variables, **options
            )
        except (Crashed, TimeoutError) as error:
            raise RuntimeError(f"{self.label} does not start: {error}") from None


class worker(_Worker):  # noqa: N801 - learners write `with worker():`
    """A Celery worker for the block, in a process of its own. Tasks must be in modules: it cannot see cells.

        with worker():
            print(send_receipt.delay(order.pk).get(timeout=10))

    The broker is the Valkey whose block this is, else one is started. In the block the application in this kernel uses
    the same broker, and does not run tasks eagerly.

    Args:
        app: where the Celery application is, as for `celery -A`.
        concurrency: tasks at a time.
        pool: how they run: "threads", "prefork" (processes), "solo" (one after the other).
        options: further options of `celery worker`, such as "--beat".

    Raises Unavailable where there is no broker, ImportError or AttributeError where `app` is not there, RuntimeError
    where the worker does not start.

    https://docs.celeryq.dev/en/stable/userguide/workers.html
    """

    label = "A Celery worker"

    def __init__(self, app: str = "config.celery:app", *options: str, concurrency: int = 4, pool: str = "threads"):
        super().__init__()
        self._path = app
        self._options = options
        self._concurrency = concurrency
        self._pool = pool
        self._valkey = None
        self._restore = None

    @classmethod
    def check(cls):
        if find_spec("celery") is None:
            raise Unavailable("A Celery worker needs Celery: pip install celery, then restart the kernel.")
        caches.valkey.check()

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        module, _, name = self._path.partition(":")
        name = name or "app"
        app = getattr(import_module(module), name)
        try:
            broker = caches.running_valkey()
            if broker is None:
                broker = self._valkey = caches.valkey(cache=None)
                broker.start()
            self.url = broker.url
            options = {
                "broker_url": broker.url,
                "broker_read_url": None,
                "broker_write_url": None,
                "result_backend": broker.url,
                "task_always_eager": False,
            }
            self._restore = _configure(app, options)
            self._launch(
                [
                    *["celery", "-A", "app_of_this_kernel:app", "worker", "--loglevel", "INFO"],
                    *["--pool", self._pool, "--concurrency", str(self._concurrency)],
                    # There is one worker, so none to talk to.
                    *["--without-gossip", "--without-mingle", "--without-heartbeat", *self._options],
                ],
                r"celery@\S+ ready",
                {"CELERY_BROKER_URL": broker.url, "CELERY_RESULT_BACKEND": broker.url, "REDIS_URL": broker.url},
                {"app_of_this_kernel": _APP.format(module=module, name=name, options=options)},
                patience=2,
            )
        except BaseException:
            self.stop()
            raise

    def stop(self):
        super().stop()
        with database.interrupts_held():
            if self._restore:
                self._restore()
                self._restore = None
            if self._valkey:
                self._valkey.stop()
                self._valkey = None


class db_worker(_Worker):  # noqa: N801 - learners write `with db_worker():`
    """A worker of django-tasks-db for the block, in a process of its own: its queue is a table of the database.

    Args:
        backend: the alias in TASKS.

    Raises Unavailable where django-tasks-db is missing, RuntimeError where the worker does not start.

    https://docs.djangoproject.com/en/stable/topics/tasks/
    """

    label = "A database worker"

    def __init__(self, backend: str = "default"):
        super().__init__()
        self._backend = backend

    @classmethod
    def check(cls):
        if find_spec("django_tasks_db") is None:
            raise Unavailable("A database worker needs django-tasks-db: pip install django-tasks-db.")

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        self._launch(
            [
                *["django", "db_worker", "--backend", self._backend, "--queue-name", "*", "--interval", "0.1"],
                *["--no-startup-delay", "--no-reload"],
            ],
            "Starting worker",
        )


def _settings():
    """The source of a settings module like this kernel's, with its databases and caches of this moment."""
    from django.conf import settings
    from django.db import connections

    places = {
        alias: {name: str(found[name]) for name in _PLACE if found.get(name)}
        for alias, found in connections.settings.items()
    }
    others = {name: getattr(settings, name) for name in _PASSED_ON if _is_plain(getattr(settings, name, None))}
    return _SETTINGS.format(module=os.environ["DJANGO_SETTINGS_MODULE"], places=places, others=others)


def _is_plain(value):
    try:
        return value is not None and ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        return False


def _configure(app, options):
    """Give the application in this process these options; returns what undoes that."""
    before = {name: app.conf.get(name) for name in options}
    # Celery prefers these to its options.
    variables = {name: os.environ.pop(name, None) for name in ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"]}

    def restore():
        _close_connections(app)
        app.conf.update(before)
        os.environ.update({name: value for name, value in variables.items() if value is not None})
        _forget_connections(app)

    app.conf.update(options)
    _forget_connections(app)
    return restore


def _close_connections(app):
    """Close what the application has open to the broker of the block, which nobody will use again."""
    backend = app._backend_cache or getattr(app._local, "backend", None)
    if hasattr(backend, "result_consumer"):
        backend.result_consumer.stop()
        backend.client.connection_pool.disconnect()
    if app._pool is not None:
        from kombu import pools

        app.producer_pool.force_close_all()
        app.pool.force_close_all()
        # A closed pool cannot be used again, and the next block may have the same broker.
        for group in (pools.producers, pools.connections):
            with suppress(KeyError):
                del group[app.connection_for_write()]


def _forget_connections(app):
    # What Celery itself does in a forked child.
    app._after_fork()
    app._local = threading.local()
    app._backend_cache = None
