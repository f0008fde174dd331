"""What the shop does in the background, with Celery. The work itself is in other modules, and can be called there.

Arguments are keys, not objects: they travel as JSON, and the row may have changed when a worker reads them.
https://docs.celeryq.dev/en/stable/userguide/tasks.html
"""

from datetime import timedelta
from smtplib import SMTPException

from celery import chord
from django.db import OperationalError
from django.utils import timezone

from config.celery import app

from .receipts import deliver_receipt, without_receipt
from .sales import mail_summary, sales_of_genre, sold_genres
from .stale import cancel_stale_orders

# What goes away by itself: the mail server or the database does not answer, or answers with a refusal for now.
# The pauses double from two seconds on, up to ten minutes, and are drawn, lest all those who wait come at once.
PATIENT = {
    "autoretry_for": (SMTPException, OSError, OperationalError),
    "retry_backoff": 2,
    "retry_backoff_max": 600,
    "retry_jitter": True,
    "max_retries": 8,
}
# The message is taken from the queue when the work is done. Who dies before leaves it to the next worker, so what is
# done must be fit to be done twice.
UNTIL_DONE = {"acks_late": True, "reject_on_worker_lost": True}


@app.task(**PATIENT, **UNTIL_DONE, soft_time_limit=30, time_limit=60)
def send_receipt(order_pk: int) -> bool:
    """Send the receipt of an order once; whether it went out now."""
    return deliver_receipt(order_pk)


@app.task(**UNTIL_DONE)
def send_missing_receipts() -> int:
    """Queue the receipts that the broker lost; how many there were."""
    keys = list(without_receipt().values_list("pk", flat=True))
    for pk in keys:
        send_receipt.delay(pk)
    return len(keys)


@app.task(**UNTIL_DONE)
def cancel_stale() -> list[str]:
    """Cancel the orders that nobody paid; their numbers."""
    return [order.number for order in cancel_stale_orders()]


@app.task
def count_genre(genre_pk: int, year: int, month: int) -> dict:
    """What books of a genre sold in a month."""
    return sales_of_genre(genre_pk, year, month)


@app.task(**PATIENT, **UNTIL_DONE)
def summarise(genres: list[dict], year: int, month: int) -> dict:
    """Put the genres of a month in order and mail them to the booksellers; once, when all are counted."""
    return mail_summary(genres, year, month)


@app.task
def report_sales():
    """Start the report of last month."""
    last_month = timezone.localdate().replace(day=1) - timedelta(days=1)
    sales_report(last_month.year, last_month.month).delay()


def sales_report(year: int, month: int):
    """The report of a month as a chord: the genres side by side, then one summary. `.delay()` starts it.

    https://docs.celeryq.dev/en/stable/userguide/canvas.html#chords
    """
    genres = sold_genres(year, month)
    return chord([count_genre.s(pk, year, month) for pk in genres], summarise.s(year, month))
