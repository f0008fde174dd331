"""An order is paid once, also by two payments in the same moment."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from accounts.models import User
from orders.checkout import cancel_order, place_order
from orders.exceptions import Overpaid
from orders.models import Order, Payment
from orders.payments import due, receive_payment

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
PRICE = Decimal("9.75")


def new_order():
    customer = User.objects.create(username="payer")
    return place_order(customer, {2: 1}, at=NOON)


def test_the_last_payment_makes_an_order_paid(db):
    order = new_order()
    payment = receive_payment(order, Decimal(4), received_on=date(2026, 7, 2))
    assert (payment.method, payment.received_on, due(order)) == ("card", date(2026, 7, 2), PRICE - 4)
    assert Order.objects.get(pk=order.pk).status == "open"
    receive_payment(order, PRICE - 4, Payment.Method.TRANSFER)
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert due(order) == 0


def test_nobody_pays_more_than_is_due(db):
    order = new_order()
    with pytest.raises(Overpaid, match="Only 9.75 is due"):
        receive_payment(order, Decimal(10))
    assert not order.payments.exists()


def test_nothing_is_due_for_what_was_cancelled(db):
    order = new_order()
    cancel_order(order)
    with pytest.raises(Overpaid, match="Only 0.00 is due"):
        receive_payment(order, Decimal(1))


def test_of_eight_payments_at_once_one_is_taken(real_database, crowd):
    order = new_order()
    results = crowd(*[partial(receive_payment, order, PRICE)] * 8)
    assert len([result for result in results if isinstance(result, Payment)]) == 1
    assert len([result for result in results if isinstance(result, Overpaid)]) == 7
    assert Order.objects.get(pk=order.pk).status == "paid"
