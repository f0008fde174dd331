"""The receipt as a task of Django's own framework, which comes without a worker: a backend brings one, or does not.

    send_receipt.enqueue(order.pk)                              # at once, in this process (TASKS["default"])
    send_receipt.using(backend="database").enqueue(order.pk)    # `manage.py db_worker --backend database`

The database's queue is a table, so what is queued in a transaction is undone with it, and `on_commit` is not needed.
There is no retrying: who wants that, queues the task again.

https://docs.djangoproject.com/en/stable/topics/tasks/
"""

import django

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    # The same, as a package, until the project leaves Django 5.2.
    from django_tasks import task

from .receipts import deliver_receipt


@task
def send_receipt(order_pk: int) -> bool:
    """Send the receipt of an order once; whether it went out now."""
    return deliver_receipt(order_pk)
