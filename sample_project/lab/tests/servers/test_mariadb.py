"""MariaDB, where it is installed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

START = (
    "from lab import mariadb, reset, start\nstart()\n"
    "from catalog.models import Book\nfrom django.db import connection\n"
)
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def test_the_shop_is_on_it_in_the_block_and_on_sqlite_after(python, has):
    has("mariadb")
    script = START + (
        "from orders.models import BookSales, OrderLine\n"
        "with mariadb() as server:\n"
        "    print(server, connection.vendor, connection.mysql_is_mariadb)\n"
        "    print(Book.objects.count(), OrderLine.objects.count(), BookSales.objects.first().copies)\n"
        "    print(Book.objects.get(isbn='978-99999-000-4-1'))\n"
        "print(connection.vendor, Book.objects.count())"
    )
    assert python(script) == ("The bookshop is ready.\nMariaDB mysql True\n166 4407 148\nEmma\nsqlite 166\n")


def test_reset_gives_the_first_state_back(python, has):
    has("mariadb")
    script = START + (
        "with mariadb() as server:\n"
        "    Book.objects.filter(lines__isnull=True).delete()\n    print(Book.objects.count())\n"
        "    reset()\n    print(connection.vendor, Book.objects.count())\n"
        "    connection.ensure_connection()\n"
        "try:\n    server.reset()\nexcept RuntimeError as error:\n    print(error)"
    )
    assert python(script).endswith("\n159\nmysql 166\nThis MariaDB does not run: use it inside its `with` block.\n")


def test_rows_can_be_locked_and_skipped(python, has):
    has("mariadb")
    script = START + (
        "from concurrent.futures import ThreadPoolExecutor\nfrom django.db import connections, transaction\n"
        "from orders.models import Stock\n"
        "def first_free():\n"
        "    try:\n        with transaction.atomic():\n"
        "            return Stock.objects.select_for_update(skip_locked=True).order_by('pk').first().pk\n"
        "    finally:\n        connections.close_all()\n"
        "with mariadb(), ThreadPoolExecutor(1) as other:\n"
        "    with transaction.atomic():\n"
        "        locked = Stock.objects.select_for_update().get(pk=1)\n"
        "        print(other.submit(first_free).result(timeout=20) != locked.pk)\n"
        "    print(other.submit(first_free).result(timeout=20))\n"
    )
    assert python(script).endswith("\nTrue\n1\n")


def test_nobody_comes_in_without_the_password(python, has):
    has("mariadb")
    script = START + (
        "import MySQLdb\n"
        "with mariadb():\n"
        "    port = int(connection.settings_dict['PORT'])\n"
        "    for user in ('root', 'bookshop', ''):\n"
        "        try:\n            MySQLdb.connect(host='127.0.0.1', port=port, user=user, password='')\n"
        "        except MySQLdb.OperationalError as error:\n            print(error.args[0])\n"
    )
    ready, *errors = python(script).splitlines()
    # 1045 is "access denied".
    assert errors == ["1045"] * 3


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("servers.programs = lambda: None", "MariaDB is not installed here: "),
        (
            "servers.programs = lambda: ('/bin/true', '/bin/true'); servers.find_spec = lambda name: None",
            "MariaDB needs mysqlclient: ",
        ),
    ],
)
def test_where_there_is_none_one_sentence_says_what_to_do(python, missing, sentence):
    script = (
        f"from lab import Unavailable, mariadb\nfrom lab.servers import mariadb as servers\n{missing}\n"
        "print(mariadb.available())\n"
        "try:\n    mariadb().start()\nexcept Unavailable as error:\n    print(error)"
    )
    output = python(script)
    assert output.startswith(f"False\n{sentence}")
    assert output.count("\n") == 2


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="SKIPPED: setpriv is missing")
def test_an_ordinary_user_can_run_it(environment, has):
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("SKIPPED: only root can become somebody else")
    has("mariadb")
    import MySQLdb

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = [str(Path(module.__file__).parents[1]) for module in (pytest, MySQLdb)]
    path = {"PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], *packages])}
    runs = [sys.executable, f"/usr/bin/{version}"]
    itself = "import subprocess, sys, MySQLdb, lab.servers\nsubprocess.run([sys.executable, '-c', ''], check=True)"
    for run in runs:
        command = [*AS_NOBODY, run, "-c", itself]
        if not subprocess.run(command, env=environment | path, capture_output=True).returncode:
            break
    else:
        pytest.skip(f"SKIPPED: user nobody cannot reach a {version}")
    script = START + "with mariadb():\n    print(connection.vendor, Book.objects.count())"
    # Not below pytest's own folder, which is root's alone.
    with tempfile.TemporaryDirectory() as home:
        shutil.chown(home, "nobody")
        done = subprocess.run(
            [*AS_NOBODY, run, "-c", script],
            env={**environment, **path, "HOME": home, "COURSE_CACHE": home},
            capture_output=True,
            text=True,
            cwd=home,
        )
    assert done.stdout.endswith("\nmysql 166\n"), done.stderr
