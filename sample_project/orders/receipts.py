"""The e-mail that confirms an order: to each customer once, however often somebody asks for it."""

from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat
from django.template.loader import render_to_string
from django.utils import timezone

from .models import Order, SentMail


def deliver_receipt(order_pk: int) -> bool:
    """Send the receipt of an order, and return whether it went out now: not if it did before, or has no address.

    Raises Order.DoesNotExist, and whatever the mail server has to say.
    """
    order = Order.objects.select_related("customer").prefetch_related("lines__book").get(pk=order_pk)
    if not order.customer.email:
        return False
    text = render_to_string("orders/receipt.txt", {"order": order, "customer": order.customer})
    message = EmailMessage(f"Your order {order.number}", text, to=[order.customer.email])
    return send_once(receipt_key(order.number), message)


def receipt_key(number):
    return f"receipt:{number}"


def send_once(key: str, message: EmailMessage) -> bool:
    """Send a message unless one with this key was sent before; return whether it was sent now.

    The key is written first, in the transaction that the sending is part of. A second worker waits for it, and finds
    it; a worker that fails or dies leaves no key, and the next one sends. Only who dies between the mail server's
    answer and the commit makes a second mail: once and never twice cannot be had of two systems.
    """
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=key)
        if is_new:
            message.send()
    return is_new


def without_receipt(hours: int = 24, *, at: datetime | None = None):
    """Orders of the last hours, but the last ten minutes, whose customer has an address and got no receipt.

    A broker that was away, or lost what it had, leaves such orders.
    """
    at = at or timezone.now()
    sent = SentMail.objects.filter(key=Concat(Value("receipt:"), OuterRef("number")))
    recent = Order.objects.filter(placed_at__gt=at - timedelta(hours=hours), placed_at__lt=at - timedelta(minutes=10))
    return recent.filter(~Exists(sent)).exclude(customer__email="").exclude(status=Order.Status.CANCELLED)
