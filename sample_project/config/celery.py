"""The queue of the shop: `celery -A config worker`, and `celery -A config beat` for what happens by the clock.

https://docs.celeryq.dev/en/stable/django/first-steps-with-django.html
"""

import os

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.schedules import crontab
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")


class RobustTask(DjangoTask):
    """A task that is queued after the commit, and whose broker may be away: what was committed is no error then.

    Django logs the failure, and the callbacks after it are called.
    https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.on_commit
    """

    def delay_on_commit(self, *args, **kwargs):
        self.apply_async_on_commit(args, kwargs)

    def apply_async_on_commit(self, *args, **kwargs):
        # No `partial`: Django 5.2 wants to name the robust callback that failed in its log, and a partial has no name.
        def queue():
            self.apply_async(*args, **kwargs)

        transaction.on_commit(queue, robust=True)


app = Celery("bookshop", task_cls=RobustTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Here and not in the settings: `crontab` would import Celery into every process that reads them.
app.conf.beat_schedule = {
    "cancel-stale-orders": {"task": "orders.tasks.cancel_stale", "schedule": crontab(hour=3, minute=30)},
    "send-missing-receipts": {"task": "orders.tasks.send_missing_receipts", "schedule": crontab(minute=15)},
    "report-sales": {"task": "orders.tasks.report_sales", "schedule": crontab(day_of_month=1, hour=5, minute=0)},
}
