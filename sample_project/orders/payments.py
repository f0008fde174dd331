"""Money that comes in for an order."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from .exceptions import Overpaid
from .models import Order, Payment


def due(order: Order) -> Decimal:
    """What is still to be paid: nothing for a cancelled order."""
    if order.status == Order.Status.CANCELLED:
        return Decimal(0)
    amount = order.lines.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]
    return amount - order.payments.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]


@transaction.atomic
def receive_payment(
    order: Order, amount: Decimal, method: str = Payment.Method.CARD, *, received_on: date | None = None
) -> Payment:
    """Book a payment. An open order of which nothing is due any more is paid then.

    No constraint can say that the payments of an order are at most its amount, and two payments at once would each
    find the other one missing. So the order is what they queue for, though only its payments are counted.

    Raises Overpaid where less is due.
    """
    order = Order.objects.select_for_update().get(pk=order.pk)
    before = due(order)
    if amount > before:
        raise Overpaid(order, amount, before)
    payment = Payment.objects.create(
        order=order, amount=amount, method=method, received_on=received_on or timezone.localdate()
    )
    if amount == before and order.status == Order.Status.OPEN:
        order.status = Order.Status.PAID
        order.save(update_fields=["status"])
    return payment
