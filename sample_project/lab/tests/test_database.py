import subprocess
import sys

import pytest

from lab import database

FILL = """
import sys
from pathlib import Path
from lab import database

def fill():
    from catalog.models import Genre
    print("filling", flush=True)
    Genre.objects.create(name="Only", slug="only")
"""


@pytest.fixture
def empty_cache(tmp_path):
    return {"COURSE_CACHE": str(tmp_path)}


def test_a_file_is_built_once_and_again_for_another_key(python, empty_cache):
    script = FILL + (
        "paths = [database.prebuilt('tiny', fill, key) for key in ['', '', 'b']]\n"
        "print(len(set(paths)), {path.parent == database.cache_folder() for path in paths})\n"
        "database.connect_to(database.private_copy(paths[0]))\n"
        "from catalog.models import Book, Genre\n"
        "print(Genre.objects.count(), Book.objects.count())\n"
    )
    assert python(script, **empty_cache) == "filling\nfilling\n2 {True}\n1 0\n"


def test_building_keeps_the_connection_where_it_was(python, empty_cache):
    script = FILL + (
        "copy = database.private_copy(database.prebuilt('tiny', fill))\n"
        "database.connect_to(copy)\n"
        "database.prebuilt('other', fill)\n"
        "print(database.connected_to() == copy)\n"
    )
    assert python(script, **empty_cache).endswith("True\n")


def test_an_interrupted_build_leaves_nothing_and_the_next_one_works(python, empty_cache):
    script = FILL + (
        "def stop():\n    fill()\n    raise KeyboardInterrupt\n"
        "try:\n    database.prebuilt('tiny', stop)\nexcept KeyboardInterrupt:\n    print('stopped')\n"
        "print(list(database.cache_folder().iterdir()))\n"
        "print(database.prebuilt('tiny', fill).exists())\n"
    )
    assert python(script, **empty_cache) == "filling\nstopped\n[]\nfilling\nTrue\n"


def test_the_shop_is_built_without_the_traces_of_the_kernel_that_asks_for_it(python, empty_cache):
    script = (
        "from lab import database, start\n"
        "database.boot()\n"
        "from catalog.models import Genre\n"
        "from django.db.models.signals import pre_save\n"
        "def spoil(instance, **kwargs):\n    instance.name = 'spoiled'\n"
        "pre_save.connect(spoil)\n"
        "bulk_create = Genre.objects.bulk_create\n"
        "type(Genre.objects).bulk_create = lambda *args, **kwargs: None\n"
        "start()\n"
        "print(Genre.objects.count())\n"
    )
    assert python(script, **empty_cache) == "The bookshop is ready.\n14\n"


def test_two_processes_may_build_at_once(environment, empty_cache):
    script = "from lab import database\ndatabase.boot()\nprint(database.build_shop().stat().st_size > 100_000)"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={**environment, **empty_cache},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0] for process in both] == ["True\n", "True\n"]


def test_a_cache_that_cannot_be_written_is_replaced_by_the_temporary_folder(python, tmp_path):
    (tmp_path / "file").write_text("in the way")
    script = FILL + "print(database.prebuilt('tiny', fill))"
    printed = python(script, COURSE_CACHE=str(tmp_path / "file"), TMPDIR=str(tmp_path), TEMP=str(tmp_path))
    assert printed.splitlines()[-1].startswith(str(tmp_path / database.COURSE))


def test_copies_are_apart_and_gone_at_exit(python, tmp_path):
    script = FILL + (
        "paths = [database.private_copy(database.shop()) for _ in range(2)]\n"
        "database.connect_to(paths[0])\n"
        "from catalog.models import Book\n"
        "Book.objects.update(price=1)\n"
        "database.connect_to(paths[1])\n"
        "print(Book.objects.filter(price=1).count(), all(path.exists() for path in paths))\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert python(script, TMPDIR=str(temporary), TEMP=str(temporary)) == "0 True\n"
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(python, tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f"{database.COURSE}-{dead.pid}-x"
    left.mkdir()
    python(FILL + "database.private_copy(database.shop())", TMPDIR=str(tmp_path), TEMP=str(tmp_path))
    assert not left.exists()


@pytest.mark.parametrize(
    "opening",
    [
        "cursor.execute('BEGIN IMMEDIATE')",
        "transaction.atomic().__enter__()",
        "books = Book.objects.iterator(); next(books)",
    ],
)
def test_pointing_elsewhere_ends_what_is_open(python, opening):
    script = (
        "from lab import database\n"
        "database.boot()\n"
        "database.connect_to(database.private_copy(database.shop()))\n"
        "from catalog.models import Book\n"
        "from django.db import connection, transaction\n"
        "cursor = connection.cursor()\n"
        f"{opening}\n"
        "Book.objects.update(price=1)\n"
        "first = database.connected_to()\n"
        "database.connect_to(database.private_copy(first))\n"
        "Book.objects.update(price=2)\n"
        "print(connection.in_atomic_block, Book.objects.filter(price=2).count())\n"
    )
    assert python(script) == "False 166\n"


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system cannot fork")
def test_a_forked_child_copies_into_a_folder_of_its_own(python):
    script = (
        "import os\n"
        "from lab import database\n"
        "database.boot()\n"
        "shop = database.shop()\n"
        "mine = database.private_copy(shop)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    raise SystemExit(database.private_copy(shop).parent == mine.parent)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), mine.exists())\n"
    )
    assert python(script) == "0 True\n"


def test_other_settings_than_the_notebooks_are_refused(python):
    script = (
        "import django\nfrom lab import database\ndjango.setup()\n"
        "try:\n    database.boot()\nexcept RuntimeError as error:\n    print(error)\n"
    )
    printed = python(script, DJANGO_SETTINGS_MODULE="config.settings.development")
    assert printed.endswith("Restart the kernel and call start() first.\n")


def test_the_name_of_a_file_has_no_path_in_it():
    with pytest.raises(ValueError, match="cannot be the name of a database"):
        database.prebuilt("../elsewhere", lambda: None)


def test_the_fingerprint_changes_with_the_data(tmp_path, monkeypatch):
    data = tmp_path / "catalog" / "data"
    data.mkdir(parents=True)
    monkeypatch.setattr(database, "PROJECT", tmp_path)
    fingerprints = []
    for content in ["a\n", "b\n", "b\r\n"]:
        (data / "books.csv").write_bytes(content.encode())
        fingerprints.append(database.fingerprint.__wrapped__())
    assert fingerprints[0] != fingerprints[1] == fingerprints[2]


def test_the_fingerprint_changes_with_the_apps(tmp_path, monkeypatch):
    settings = tmp_path / "config" / "settings" / "common.py"
    settings.parent.mkdir(parents=True)
    monkeypatch.setattr(database, "PROJECT", tmp_path)
    before = database.fingerprint.__wrapped__()
    settings.write_text("INSTALLED_APPS = []")
    assert database.fingerprint.__wrapped__() != before


def test_overridden_settings_are_no_other_settings(python):
    script = (
        "from lab import database, start\nstart()\nfrom django.test import override_settings\n"
        "with override_settings(DEBUG=False):\n    database.boot()\n    print('goes on')"
    )
    assert python(script) == "The bookshop is ready.\ngoes on\n"
