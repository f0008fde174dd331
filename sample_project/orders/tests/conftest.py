"""A real PostgreSQL for the tests that need one, started by the bridge to notebooks. The shop itself knows no lab."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

from lab.servers import postgresql, process

# No test waits longer for another thread.
PATIENCE = 30


class Crowd:
    """Threads with connections of their own, which do something at the same moment."""

    def __init__(self, size):
        self.size = size
        self.pool = ThreadPoolExecutor(size)

    def __call__(self, *functions):
        """Call the functions at once, a thread each, and return what each returned or raised."""
        barrier = Barrier(len(functions))

        def call(function):
            barrier.wait(PATIENCE)
            try:
                return function()
            except Exception as error:
                return error

        return [future.result(PATIENCE) for future in [self.pool.submit(call, function) for function in functions]]

    def leave(self):
        self(*[connections.close_all] * self.size)
        self.pool.shutdown()


@pytest.fixture
def crowd():
    """Call it with up to eight functions: they run at the same moment, in threads with connections of their own."""
    crowd = Crowd(8)
    yield crowd
    crowd.leave()


@contextmanager
def default_database(place, django_db_blocker):
    """Let the default connection of every thread be another one for a while."""
    before, held = connections.settings[DEFAULT_DB_ALIAS], connections[DEFAULT_DB_ALIAS]
    connections.settings[DEFAULT_DB_ALIAS] = {**before, "TEST": {}, "OPTIONS": {}, **place}
    connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with django_db_blocker.unblock():
            yield
    finally:
        connection.close()
        connections.settings[DEFAULT_DB_ALIAS] = before
        # A test database in memory lives as long as this connection.
        connections[DEFAULT_DB_ALIAS] = held


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server that holds the filled shop as a template: its connection settings."""
    if reason := postgresql.postgres.why_not():
        pytest.skip(f"SKIPPED, a real server is missing: {reason}")
    if postgresql.programs() is None:
        pytest.skip("SKIPPED, a real server is missing: these tests need a PostgreSQL of their own.")
    built = postgresql.prebuilt()
    folder = process.new_folder()
    shutil.copytree(built / "data", folder / "data")
    server, port = postgresql.launch(folder, folder / "data")
    yield {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "USER": postgresql.USER,
        "PASSWORD": (built / "password").read_text(),
    }
    server.stop()


@pytest.fixture
def on_postgresql(cluster, django_db_blocker):
    """The filled shop on PostgreSQL, for this test alone. What it commits is gone afterwards."""
    import psycopg

    address = {name.lower(): cluster[name] for name in ("HOST", "PORT", "USER", "PASSWORD")}
    with psycopg.connect(dbname="postgres", autocommit=True, **address) as session:
        session.execute('DROP DATABASE IF EXISTS "tested" WITH (FORCE)')
        session.execute(f'CREATE DATABASE "tested" TEMPLATE "{postgresql.PRISTINE}" STRATEGY FILE_COPY')
    with default_database({**cluster, "NAME": "tested"}, django_db_blocker):
        yield


@pytest.fixture(scope="session")
def filled_file():
    """A SQLite file with the shop. Not made from the test database, which a test with transactions leaves empty."""
    script = "from lab import database\nprint(database.shop())"
    done = subprocess.run([sys.executable, "-c", script], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture
def on_sqlite_file(filled_file, django_db_blocker, tmp_path):
    """The filled shop in a SQLite file, as `runserver` has it, for this test alone: threads can share it."""
    place = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.sqlite3")}
    shutil.copyfile(filled_file, place["NAME"])
    with default_database({**place, "OPTIONS": settings.SQLITE_OPTIONS}, django_db_blocker):
        yield


@pytest.fixture(params=["on_postgresql", "on_sqlite_file"])
def real_database(request):
    """A test with this runs twice: on PostgreSQL and on SQLite, each with transactions that end."""
    request.getfixturevalue(request.param)
    return request.param.removeprefix("on_")
