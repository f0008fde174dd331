"""Orders that nobody paid. They keep copies from other customers, so the shop gives up on them after a while."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from .checkout import cancel_order
from .models import Order

PATIENCE = 30


def stale_orders(days: int = PATIENCE, *, at: datetime | None = None):
    """The open orders that were placed more than so many days before `at` (now, if not given), oldest first."""
    before = (at or timezone.now()) - timedelta(days=days)
    return Order.objects.filter(status=Order.Status.OPEN, placed_at__lt=before).order_by("placed_at", "pk")


def cancel_stale_orders(
    days: int = PATIENCE, *, at: datetime | None = None, progress: Callable[[Order], None] = lambda order: None
) -> list[Order]:
    """Cancel the stale orders, each in a transaction of its own, and return those that were cancelled.

    What somebody else is working on, or has paid by now, is left alone. `progress` is told each that was cancelled.
    """
    cancelled = []
    stale = stale_orders(days, at=at)
    for pk in list(stale.values_list("pk", flat=True)):
        with transaction.atomic():
            order = stale.select_for_update(skip_locked=True).filter(pk=pk).first()
            if order:
                cancelled.append(cancel_order(order))
        if order:
            progress(order)
    return cancelled
