"""The receipt as a task of Django: at once, or in the table that a worker reads."""

import pytest
from django.core import mail
from django.db import transaction
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from orders.background import send_receipt
from orders.models import SentMail

NUMBER = 1400


def test_by_default_it_runs_at_once(db):
    result = send_receipt.enqueue(NUMBER)
    assert (result.status, result.return_value) == ("SUCCESSFUL", True)
    assert len(mail.outbox) == 1
    assert send_receipt.enqueue(NUMBER).return_value is False
    assert len(mail.outbox) == 1


def test_a_task_that_fails_says_so_in_its_result(db):
    result = send_receipt.enqueue(99_999)
    assert result.status == "FAILED"
    assert result.errors[0].exception_class_path == "orders.models.Order.DoesNotExist"


@pytest.fixture
def queue():
    return send_receipt.using(backend="database")


def work():
    """Do what is queued, as `manage.py db_worker --backend database --batch` does, without its signal handlers."""
    options = {"queue_names": ["*"], "excluded_queue_names": [], "interval": 0, "startup_delay": False}
    Worker(backend_name="database", batch=True, max_tasks=None, worker_id="tested", **options).run()


class TestDatabaseQueue:
    def test_waits_for_a_worker(self, on_sqlite_file, queue):
        result = queue.enqueue(NUMBER)
        assert result.status == "READY"
        assert mail.outbox == []
        work()
        result.refresh()
        assert (result.status, result.return_value) == ("SUCCESSFUL", True)
        assert len(mail.outbox) == 1

    def test_can_be_told_twice(self, on_sqlite_file, queue):
        results = [queue.enqueue(NUMBER) for _ in range(2)]
        work()
        for result in results:
            result.refresh()
        assert sorted(result.return_value for result in results) == [False, True]
        assert SentMail.objects.count() == 1

    def test_is_undone_with_the_transaction(self, db, queue):
        def fail():
            with transaction.atomic():
                queue.enqueue(NUMBER)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not DBTaskResult.objects.exists()
