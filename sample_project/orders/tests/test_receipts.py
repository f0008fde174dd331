"""A receipt goes out once, however often and by how many workers it is asked for."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from accounts.models import User
from orders.checkout import cancel_order, place_order
from orders.models import Order, SentMail
from orders.receipts import deliver_receipt, send_once, without_receipt

NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def order(db):
    return place_order(User.objects.get(username="anna"), {2: 2, 1: 1}, at=NOON)


def test_it_says_what_was_bought(order):
    assert deliver_receipt(order.pk) is True
    (message,) = mail.outbox
    assert message.subject == f"Your order {order.number}"
    assert message.to == ["anna@example.org"] == [order.customer.email]
    assert message.body.startswith("Dear Anna")
    assert f"{order.number} of 2 January 2027" in message.body
    assert "1 × Sense and Sensibility, 8.75\n2 × Pride and Prejudice, 19.50\n\nTogether: 28.25\n" in message.body


def test_a_title_is_text_and_not_html(db):
    order = place_order(User.objects.get(username="anna"), {2: 1}, at=NOON)
    order.lines.get().book.__class__.objects.filter(pk=2).update(title="Tess of the d'Urbervilles & more")
    deliver_receipt(order.pk)
    assert "Tess of the d'Urbervilles & more" in mail.outbox[0].body


def test_the_second_time_nothing_is_sent(order):
    assert [deliver_receipt(order.pk) for _ in range(3)] == [True, False, False]
    assert len(mail.outbox) == 1


def test_who_has_no_address_gets_none(order):
    User.objects.filter(pk=order.customer_id).update(email="")
    assert deliver_receipt(order.pk) is False
    assert not SentMail.objects.exists()


def test_what_is_gone_has_no_receipt(db):
    with pytest.raises(Order.DoesNotExist):
        deliver_receipt(99_999)


def test_a_mail_that_fails_counts_as_not_sent(order, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver_receipt(order.pk)
    assert not SentMail.objects.exists()
    assert deliver_receipt(order.pk) is True


def test_of_eight_workers_one_sends(real_database, crowd):
    message = EmailMessage("Once", "", to=["anna@example.org"])
    assert sorted(crowd(*[partial(send_once, "once", message)] * 8)) == [False] * 7 + [True]
    assert len(mail.outbox) == 1


class TestWithoutReceipt:
    @pytest.mark.parametrize(
        ("later", "found"),
        [(timedelta(minutes=9), False), (timedelta(minutes=11), True), (timedelta(hours=25), False)],
    )
    def test_are_orders_of_the_last_day_but_not_of_this_moment(self, order, later, found):
        assert (order in without_receipt(at=NOON + later)) is found

    def test_are_not_those_that_have_one_or_need_none(self, order):
        later = NOON + timedelta(hours=1)
        assert list(without_receipt(at=later)) == [order]
        deliver_receipt(order.pk)
        assert not without_receipt(at=later).exists()

        silent = place_order(User.objects.create(username="silent"), {2: 1}, at=NOON)
        undone = cancel_order(place_order(order.customer, {2: 1}, at=NOON))
        assert silent.pk
        assert undone.pk
        assert not without_receipt(at=later).exists()
