"""Tasks as Celery knows them, run at once in this process. What a worker does with them is in `test_workers.py`."""

import os
import subprocess
import sys
from datetime import date, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from celery.app.utils import find_app
from celery.schedules import crontab
from celery.utils.time import get_exponential_backoff_interval
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from config.celery import app
from orders import tasks
from orders.checkout import place_order
from orders.models import Order, SentMail


@pytest.fixture
def order(db):
    return Order.objects.exclude(customer__email="").get(pk=1400)


def test_a_receipt_is_sent_once(order):
    assert [tasks.send_receipt.delay(order.pk).get() for _ in range(2)] == [True, False]
    assert len(mail.outbox) == 1


def test_an_order_that_is_committed_queues_its_receipt(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        order = place_order(User.objects.get(username="anna"), {2: 1})
        assert mail.outbox == []
    assert [message.subject for message in mail.outbox] == [f"Your order {order.number}"]


@pytest.mark.parametrize("error", [SMTPServerDisconnected("bye"), ConnectionRefusedError(), TimeoutError()])
def test_a_mail_server_that_is_away_is_asked_again(order, monkeypatch, error):
    errors, send = [error, error], EmailMessage.send

    def falter(self):
        if errors:
            raise errors.pop()
        return send(self)

    monkeypatch.setattr(EmailMessage, "send", falter)
    result = tasks.send_receipt.delay(order.pk)
    assert result.state in {"RETRY", "SUCCESS"}
    assert errors == []
    assert len(mail.outbox) == 1


def test_and_not_for_ever(order, monkeypatch):
    attempts = []

    def refuse(self):
        attempts.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refuse)
    tasks.send_receipt.delay(order.pk)
    assert len(attempts) == 1 + tasks.send_receipt.max_retries
    assert not SentMail.objects.exists()


def test_what_no_patience_helps_fails_at_once(db):
    result = tasks.send_receipt.delay(99_999)
    assert result.state == "FAILURE"
    assert isinstance(result.result, Order.DoesNotExist)


def test_the_pauses_double_up_to_a_limit_and_vary():
    task = tasks.send_receipt
    assert task.retry_jitter
    pauses = [get_exponential_backoff_interval(task.retry_backoff, n, task.retry_backoff_max) for n in range(10)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]


def test_a_broker_that_is_away_is_no_error_of_an_order(db, monkeypatch, caplog, django_capture_on_commit_callbacks):
    def fail(*args, **kwargs):
        raise OperationalError("connection refused")

    told = []
    monkeypatch.setattr(tasks.send_receipt, "apply_async", fail)
    with django_capture_on_commit_callbacks(execute=True):
        order = place_order(User.objects.get(username="anna"), {2: 1})
        transaction.on_commit(lambda: told.append("next"))
    assert order.lines.count() == 1
    assert told == ["next"]
    assert "connection refused" in caplog.text


def test_options_can_be_given_after_the_commit_too(order, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        tasks.send_receipt.apply_async_on_commit([order.pk], countdown=1)
        assert mail.outbox == []
    assert len(mail.outbox) == 1


def test_missing_receipts_are_queued_by_the_hour(db, monkeypatch):
    customer = User.objects.get(username="anna")
    order = place_order(customer, {2: 1}, at=timezone.now() - timedelta(hours=1))
    assert tasks.send_missing_receipts.delay().get() == 1
    assert mail.outbox[0].subject == f"Your order {order.number}"
    assert tasks.send_missing_receipts.delay().get() == 0


def test_orders_that_nobody_paid_are_cancelled_at_night(db):
    order = place_order(User.objects.get(username="anna"), {2: 1}, at=timezone.now() - timedelta(days=31))
    fresh = place_order(order.customer, {2: 1}, at=timezone.now() - timedelta(days=29))
    numbers = tasks.cancel_stale.delay().get()
    assert order.number in numbers
    assert fresh.number not in numbers
    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED


class TestReport:
    def test_a_month_is_counted_by_genre_and_then_summarised(self, db):
        summary = tasks.sales_report(2026, 6).delay().get()
        assert summary["month"] == "2026-06"
        assert summary["genres"][0] == {"genre": "Social novel", "copies": 117, "revenue": "1178.50"}
        assert [message.subject for message in mail.outbox] == ["Sales of 2026-06"]

    def test_a_month_without_sales_has_a_summary_too(self, db):
        assert tasks.sales_report(2029, 6).delay().get() == {"month": "2029-06", "genres": []}

    @pytest.mark.parametrize(
        ("today", "month"),
        [(date(2026, 7, 1), "2026-06"), (date(2026, 1, 31), "2025-12"), (date(2024, 3, 1), "2024-02")],
    )
    def test_the_clock_asks_for_the_month_before(self, db, monkeypatch, today, month):
        monkeypatch.setattr(tasks.timezone, "localdate", lambda: today)
        tasks.report_sales.delay()
        assert [message.subject for message in mail.outbox] == [f"Sales of {month}"]


class TestApplication:
    def test_what_happens_by_the_clock_is_a_task_that_exists(self):
        app.loader.import_default_modules()
        entries = app.conf.beat_schedule
        assert len(entries) == 3
        for name, entry in entries.items():
            assert entry["task"] in app.tasks, name
            assert isinstance(entry["schedule"], crontab), name

    def test_every_task_of_the_shop_belongs_to_it_and_is_found_by_a_worker(self):
        app.loader.import_default_modules()
        own = {name for name in app.tasks if not name.startswith("celery.")}
        assert {"orders.tasks.send_receipt", "orders.tasks.summarise", "orders.tasks.cancel_stale"} <= own
        assert {app.tasks[name].app for name in own} == {app}

    def test_the_command_finds_it_though_the_package_does_not_import_it(self):
        assert find_app("config") is app

    def test_nobody_takes_a_task_that_only_waits_for_its_next_attempt(self):
        assert app.conf.broker_transport_options["visibility_timeout"] > tasks.send_receipt.retry_backoff_max

    def test_a_message_is_kept_until_its_work_is_done(self):
        for task in (tasks.send_receipt, tasks.summarise, tasks.cancel_stale):
            assert (task.acks_late, task.reject_on_worker_lost) == (True, True)
        assert tasks.send_receipt.soft_time_limit < tasks.send_receipt.time_limit

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({}, "True memory:// cache+memory://"),
            ({"REDIS_URL": "redis://cache:6379/1"}, "False redis://cache:6379/1 redis://cache:6379/1"),
        ],
    )
    def test_the_broker_is_where_the_environment_says(self, environment, expected):
        script = (
            "from config.celery import app\n"
            "print(app.conf.task_always_eager, app.conf.broker_url, app.conf.result_backend)"
        )
        assert run(script, environment) == expected

    def test_only_who_has_a_task_has_celery_in_the_process(self):
        script = "import sys, django\ndjango.setup()\nimport orders.checkout\nprint('celery' in sys.modules)"
        assert run(script, {}) == "False"

    def test_the_shop_does_without_celery(self):
        script = (
            "import sys, django\nsys.modules['celery'] = None\ndjango.setup()\n"
            "import importlib.util, orders.checkout as checkout\n"
            "checkout.find_spec = lambda name: None\n"
            "print(checkout._receipt_task())"
        )
        assert run(script, {}) == "None"


def run(script, environment):
    inherited = {name: text for name, text in os.environ.items() if name not in {"REDIS_URL", "CELERY_BROKER_URL"}}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**inherited, "DJANGO_SETTINGS_MODULE": "config.settings.development", **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
