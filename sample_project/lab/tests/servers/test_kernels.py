"""Servers in a real kernel: interrupted, killed, several at once, missing."""

import os
import time
from contextlib import ExitStack

import psutil
import pytest

from ..notebook import Notebook
from .test_process import ended, wait_until

SERVERS = ["postgres", "valkey", "memcached", "worker"]


@pytest.fixture
def start(environment, tmp_path):
    """Start a kernel with the bookshop; the last ones are shut down after the test."""
    (tmp_path / "tiny.py").write_text("from celery import Celery\n\napp = Celery('tiny')\n")
    environment = {**environment, "PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"}
    with ExitStack() as kernels:

        def begin(command="start()"):
            notebook = kernels.enter_context(Notebook(environment))
            notebook.run(
                "import psutil, time\nfrom lab import *\n" + command + "\n"
                "from catalog.models import Genre\nfrom django.db import connection, models"
            )
            return notebook

        yield begin


def call(name):
    return "worker('tiny:app')" if name == "worker" else f"{name}()"


def processes(notebook):
    cell = "print(*(child.pid for child in psutil.Process().children(recursive=True)))"
    return [int(number) for number in notebook.run(cell).text.split()]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of Unix")
@pytest.mark.parametrize("name", SERVERS)
def test_nothing_is_left_of_a_kernel_that_was_killed(start, has, name):
    has(name)
    notebook = start()
    notebook.run(f"server = {call(name)}\nserver.start()")
    found = processes(notebook)
    folders = notebook.run("import glob, tempfile\nprint(*glob.glob(tempfile.gettempdir() + '/*/server.log'))").text
    assert len(found) >= 2
    kernel = int(notebook.run("import os\nprint(os.getpid())").text)
    mine = [path for path in folders.split() if f"-{kernel}-" in path]
    assert mine
    psutil.Process(kernel).kill()
    wait_until(lambda: all(ended(number) for number in found))
    wait_until(lambda: not any(os.path.exists(path) for path in mine))


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_an_interrupted_block_ends_its_server(start, has, name):
    has(name)
    notebook = start()
    cell = f"with {name}():\n    print('running', flush=True)\n    time.sleep(60)"
    assert notebook.run_badly(cell, interrupt=True).error.startswith("KeyboardInterrupt")
    assert processes(notebook) == []
    assert notebook.run("print(connection.vendor, Genre.objects.count())").text == "sqlite 14\n"


def test_an_interrupt_stops_a_long_statement_and_leaves_the_server_of_the_notebook(start, has):
    has("postgres")
    notebook = start("start('postgresql')")
    cell = "print('running', flush=True)\nconnection.cursor().execute('SELECT pg_sleep(600)')"
    begun = time.monotonic()
    assert notebook.run_badly(cell, interrupt=True).error
    assert time.monotonic() - begun < 60
    assert notebook.run("print(connection.vendor, Genre.objects.count())").text == "postgresql 14\n"


def test_a_raw_begin_on_postgresql_is_rolled_back_and_said(start, has):
    has("postgres")
    notebook = start("start('postgresql')")
    outputs = notebook.run("connection.cursor().execute('BEGIN')\nGenre.objects.update(slug=models.F('name'))")
    assert "Rolled back: this cell left a transaction open." in outputs.text
    assert notebook.run("print(Genre.objects.filter(slug=models.F('name')).count())").text == "0\n"


def test_several_notebooks_do_not_see_each_other(start, has):
    has("postgres")
    one, other = start("start('postgresql')"), start("start('postgresql')")
    one.run("Genre.objects.all().delete()")
    assert other.run("print(Genre.objects.count())").text == "14\n"
    assert one.run("reset()\nprint(Genre.objects.count())").text == "14\n"


def test_await_reaches_the_server_too(start, has):
    has("postgres")
    notebook = start()
    notebook.run("print(await Genre.objects.acount())")
    cell = "with postgres():\n    Genre.objects.all().delete()\n    print(await Genre.objects.acount())\n"
    assert notebook.run(cell + "print(await Genre.objects.acount())").text == "0\n14\n"


def test_models_of_cells_have_a_table_there(start, has):
    has("postgres")
    notebook = start()
    notebook.run("from django.db import models\nclass Shelf(models.Model):\n    room = models.IntegerField()")
    cell = "with postgres():\n    Shelf.objects.create(room=1)\n    reset()\n    print(Shelf.objects.count())"
    assert notebook.run(cell).text == "0\n"


def test_a_missing_server_is_one_sentence_and_the_notebook_goes_on(start):
    notebook = start()
    notebook.run("from lab.servers import process\nimport lab.servers.caches\nprocess.find = lambda *names: None")
    outputs = notebook.run("with memcached():\n    print('never')")
    assert outputs.text.startswith("Memcached is not installed here")
    assert outputs.text.count("\n") == 1
    assert outputs.stderr == ""
    assert notebook.run("print(Genre.objects.count())").text == "14\n"
