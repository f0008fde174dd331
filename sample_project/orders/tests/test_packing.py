"""Several people pack, and nobody packs an order twice or waits for another one."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from orders.models import Order
from orders.packing import next_to_pack, ship_next

EVENING = datetime(2026, 7, 1, 18, tzinfo=UTC)


def waiting():
    return list(Order.objects.filter(status="paid").order_by("placed_at", "pk").values_list("pk", flat=True))


def test_the_oldest_paid_order_is_shipped_first(db):
    first, second, *_ = waiting()
    assert [ship_next(EVENING).pk, ship_next(EVENING).pk] == [first, second]
    order = Order.objects.get(pk=first)
    assert (order.status, order.shipped_at) == ("shipped", EVENING)


def test_at_the_end_of_the_day_there_is_none(db):
    Order.objects.filter(status="paid").update(status="shipped", shipped_at=EVENING)
    assert ship_next() is None


def test_what_one_has_in_hand_the_next_one_does_not_get(on_postgresql, crowd):
    def take():
        with transaction.atomic():
            return next_to_pack().pk

    first, second, *_ = waiting()
    with transaction.atomic():
        assert next_to_pack().pk == first
        assert crowd(take) == [second]
    assert crowd(take) == [first]


def test_eight_packers_ship_eight_orders(real_database, crowd):
    expected = waiting()[:8]
    shipped = crowd(*[lambda: ship_next(EVENING).pk] * 8)
    assert sorted(shipped) == sorted(expected)


def test_a_lock_needs_a_transaction(on_postgresql):
    with pytest.raises(transaction.TransactionManagementError):
        next_to_pack()
