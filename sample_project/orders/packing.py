"""The packing table: several people pack, and nobody packs what another one has in hand."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from .models import Order


def next_to_pack() -> Order | None:
    """The oldest paid order that nobody else packs, locked until the transaction ends. Call it inside `atomic()`.

    `skip_locked` makes a table a queue: who finds the first row locked takes the next one, and waits for nobody.
    https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-for-update
    """
    paid = Order.objects.filter(status=Order.Status.PAID).order_by("placed_at", "pk")
    return paid.select_for_update(skip_locked=True).first()


@transaction.atomic
def ship_next(at: datetime | None = None) -> Order | None:
    """Ship the oldest paid order that nobody else packs, and return it; None where there is none."""
    order = next_to_pack()
    if order:
        order.status = Order.Status.SHIPPED
        order.shipped_at = at or timezone.now()
        order.save(update_fields=["status", "shipped_at"])
    return order
