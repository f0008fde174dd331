"""Orders that nobody paid are cancelled, and only these."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from orders.models import Order, OrderLine, Stock
from orders.stale import cancel_stale_orders, stale_orders

CLOSING = datetime(2026, 7, 1, tzinfo=UTC)


def test_stale_is_what_is_open_and_old(db):
    expected = Order.objects.filter(status="open", placed_at__lt=CLOSING - timedelta(days=30))
    assert 0 < expected.count() < Order.objects.filter(status="open").count()
    assert set(stale_orders(30, at=CLOSING)) == set(expected)
    days = [order.placed_at for order in stale_orders(0, at=CLOSING)]
    assert days == sorted(days)


def test_their_copies_come_back(db):
    stale = list(stale_orders(at=CLOSING))
    line = OrderLine.objects.filter(order__in=stale, book__stock__isnull=False).first()
    wanted = sum(OrderLine.objects.filter(order__in=stale, book=line.book).values_list("quantity", flat=True))
    before = Stock.objects.get(pk=line.book_id).quantity
    cancelled = cancel_stale_orders(at=CLOSING)
    assert cancelled == stale
    assert {order.status for order in cancelled} == {"cancelled"}
    assert Stock.objects.get(pk=line.book_id).quantity == before + wanted
    assert cancel_stale_orders(at=CLOSING) == []


def test_what_somebody_has_in_hand_is_left_alone(on_postgresql, crowd):
    oldest, *others = stale_orders(at=CLOSING)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=oldest.pk)
        (cancelled,) = crowd(lambda: cancel_stale_orders(at=CLOSING))
    assert cancelled == others
    assert cancel_stale_orders(at=CLOSING) == [oldest]
