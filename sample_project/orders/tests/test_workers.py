"""The shop's tasks in worker processes: Celery's on a real Valkey, and Django's on its database.

Each test is a process that is a notebook to the workers: they have its database and its mail, which goes to a folder.
"""

import os
import subprocess
import sys
from email import message_from_bytes, policy

import pytest
from django.conf import settings

from lab import db_worker, worker

SETTINGS = """
import django
from config.settings.notebook import *

BACKEND, FOLDER = {backend!r}, {folder!r}
if django.VERSION >= (6, 1):
    MAILERS = {{"default": {{"BACKEND": BACKEND, "OPTIONS": {{"file_path": FOLDER}}}}}}
else:
    EMAIL_BACKEND, EMAIL_FILE_PATH = BACKEND, FOLDER
"""

# A mail server with bad luck: once with each kind of letter.
UNLUCKY = """
import os, signal
from pathlib import Path
from django.core.mail.backends.filebased import EmailBackend as FileBackend

class EmailBackend(FileBackend):
    def send_messages(self, messages):
        seen = Path(self.file_path) / "seen"
        seen.mkdir(exist_ok=True)
        mark = seen / messages[0].subject.rpartition("-")[2]
        first = not mark.exists()
        mark.touch()
        if first and mark.name == "001399":
            raise ConnectionRefusedError("The mail server is away.")
        if first and mark.name == "001400":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().send_messages(messages)
"""

START = """
import time
from lab import database, db_worker, start, worker

database.SETTINGS = "settings_with_mail"
start()

from accounts.models import User
from config.celery import app
from orders import background
from orders.checkout import place_order
from orders.models import SentMail
from orders.tasks import sales_report, send_receipt

def wait_for(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, crew.log
        time.sleep(0.02)
"""


def require(server):
    if reason := server.why_not():
        pytest.skip(f"SKIPPED, a real server is missing: {reason}")


@pytest.fixture
def notebook(tmp_path):
    """Call it with a script: what the process printed, and the subjects of the mail that went out."""

    def run(script, backend="django.core.mail.backends.filebased.EmailBackend"):
        letters = tmp_path / "letters"
        source = SETTINGS.format(backend=backend, folder=str(letters))
        (tmp_path / "settings_with_mail.py").write_text(source)
        (tmp_path / "unlucky.py").write_text(UNLUCKY)
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("DJANGO_", "REDIS_"))}
        path = os.pathsep.join([str(tmp_path), str(settings.BASE_DIR)])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", START + script],
            env={**inherited, "PYTHONPATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        sent = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in letters.glob("*.log")]
        return done.stdout.splitlines()[1:], sorted(message["Subject"] for message in sent)

    return run


def test_a_worker_sends_what_was_ordered_once_and_reports_the_month(notebook):
    require(worker)
    lines, sent = notebook(
        """
with worker() as crew:
    twice = [send_receipt.delay(1398) for _ in range(2)]
    print(sorted(result.get(timeout=30) for result in twice))
    order = place_order(User.objects.get(username="anna"), {2: 1})
    wait_for(SentMail.objects.filter(key=f"receipt:{order.number}").exists)
    summary = sales_report(2026, 6).delay().get(timeout=30)
    print(summary["month"], len(summary["genres"]), summary["genres"][0]["genre"])
    for entry in app.conf.beat_schedule.values():
        app.send_task(entry["task"]).get(timeout=30)
print(order.number[4:])
"""
    )
    assert lines == ["[False, True]", "2026-06 13 Social novel", "-001401"]
    receipts = [subject for subject in sent if subject.startswith("Your order")]
    assert [subject[-7:] for subject in receipts] == ["-001398", "-001401"]
    assert "Sales of 2026-06" in sent


def test_what_failed_is_tried_again_and_what_died_is_delivered_again(notebook):
    require(worker)
    lines, sent = notebook(
        """
with worker(pool="prefork", concurrency=1) as crew:
    print(send_receipt.delay(1399).get(timeout=60))
    send_receipt.delay(1400)
    wait_for(SentMail.objects.filter(key="receipt:2026-001400").exists)
    print("SIGKILL" in crew.log, "Retry in" in crew.log)
""",
        backend="unlucky.EmailBackend",
    )
    assert lines == ["True", "True True"]
    assert sent == ["Your order 2026-001399", "Your order 2026-001400"]


def test_a_worker_of_the_database_does_the_same(notebook):
    require(db_worker)
    lines, sent = notebook(
        """
queue = background.send_receipt.using(backend="database")
results = [queue.enqueue(1400) for _ in range(2)]
print([str(result.status.value) for result in results])
with db_worker("database") as crew:
    for result in results:
        wait_for(lambda: result.refresh() or result.is_finished)
print([(str(result.status.value), result.return_value) for result in results])
"""
    )
    assert lines == ["['READY', 'READY']", "[('SUCCESSFUL', True), ('SUCCESSFUL', False)]"]
    assert sent == ["Your order 2026-001400"]
