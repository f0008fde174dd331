"""Worker processes see the tasks of a module and the database of the kernel."""

import pytest

SHOP = """
import os
from celery import Celery, chord

app = Celery("shop")
app.conf.task_always_eager = True

@app.task
def process():
    return os.getpid()

@app.task
def count():
    import django
    django.setup()
    from catalog.models import Genre
    from django.core.cache import cache
    return [Genre.objects.count(), cache.get("answer")]

@app.task
def double(number):
    return 2 * number

@app.task
def total(numbers):
    return sum(numbers)
"""
START = "import os\nfrom lab import postgres, start, valkey, worker\nstart()\n"
START += "from catalog.models import Genre\nimport shop\n"


@pytest.fixture
def folder(tmp_path, environment, has):
    """The variables of a process that can import a module `shop` with a Celery application."""
    has("worker")
    (tmp_path / "shop.py").write_text(SHOP)
    return {"PYTHONPATH": f"{tmp_path}:{environment['PYTHONPATH']}"}


def test_tasks_run_in_another_process_in_the_block_and_eagerly_after(python, folder):
    script = (
        START + "print(shop.process.delay().get() == os.getpid())\n"
        "with worker('shop:app'):\n"
        "    print(shop.process.delay().get(timeout=20) == os.getpid())\n"
        "    print(shop.chord(shop.double.s(number) for number in range(4))(shop.total.s()).get(timeout=20))\n"
        "print(shop.process.delay().get() == os.getpid())"
    )
    assert python(script, **folder) == "The bookshop is ready.\nTrue\nFalse\n12\nTrue\n"


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_it_has_the_database_and_the_cache_of_this_kernel(python, folder, has, server):
    has(server)
    script = (
        START + "from django.core.cache import cache\n"
        f"with {server}(), worker('shop:app') as crew:\n"
        "    Genre.objects.filter(books=None).delete()\n"
        "    cache.set('answer', 42)\n"
        "    print(shop.count.delay().get(timeout=20), Genre.objects.count())\n"
    )
    answer = "42" if server == "valkey" else "None"
    assert python(script, **folder).endswith(f"\n[13, {answer}] 13\n")


def test_processes_can_be_asked_for(python, folder):
    script = START + "with worker('shop:app', pool='prefork', concurrency=1):\n"
    script += "    print(shop.count.delay().get(timeout=20))"
    assert python(script, **folder).endswith("\n[14, None]\n")


def test_a_second_block_works_like_the_first(python, folder):
    script = START + "for _ in range(2):\n    with worker('shop:app'):\n"
    script += "        print(shop.double.delay(2).get(timeout=20))"
    assert python(script, **folder).endswith("\n4\n4\n")


def test_two_workers_can_follow_each_other_on_one_broker(python, folder):
    script = START + "with valkey():\n    for _ in range(2):\n        with worker('shop:app'):\n"
    script += "            print(shop.double.delay(2).get(timeout=20))"
    assert python(script, **folder).endswith("\n4\n4\n")


def test_an_application_that_is_not_there_is_an_import_error(python, folder):
    script = (
        START + "try:\n    worker('bakery:app').start()\nexcept ImportError as error:\n    print(error)\n"
        "print(shop.app.conf.task_always_eager)"
    )
    assert python(script, **folder).endswith("\nNo module named 'bakery'\nTrue\n")


TASKS = """
from config.settings.notebook import *
from config.settings.notebook import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, *(name for name in QUEUE if name not in INSTALLED_APPS)]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
"""
QUEUED = """
import os

try:
    from django.tasks import task
except ImportError:
    from django_tasks import task

@task
def process():
    return os.getpid()
"""


def test_a_database_worker_takes_tasks_from_the_database_of_this_kernel(python, environment, tmp_path, has):
    has("db_worker")
    import django

    queue = ["django_tasks_db"] if django.VERSION >= (6, 0) else ["django_tasks", "django_tasks_db"]
    (tmp_path / "tasks_settings.py").write_text(TASKS.replace("QUEUE", repr(queue)))
    (tmp_path / "queued.py").write_text(QUEUED)
    script = (
        "import os, time\nfrom lab import database, db_worker, start\n"
        "database.SETTINGS = 'tasks_settings'\n"
        "start()\nfrom django.core.management import call_command\ncall_command('migrate', verbosity=0)\n"
        "import queued\n"
        "with db_worker():\n"
        "    result = queued.process.enqueue()\n"
        "    deadline = time.monotonic() + 60\n"
        "    while not result.is_finished and time.monotonic() < deadline:\n"
        "        time.sleep(0.05)\n"
        "        result.refresh()\n"
        "    print(result.status, result.return_value == os.getpid())"
    )
    path = f"{tmp_path}:{environment['PYTHONPATH']}"
    assert python(script, PYTHONPATH=path).endswith("\nSUCCESSFUL False\n")
