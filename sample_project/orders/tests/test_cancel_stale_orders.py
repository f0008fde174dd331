"""`manage.py cancel_stale_orders`"""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from orders.checkout import place_order
from orders.models import Order, Stock

pytestmark = pytest.mark.django_db


def run(**options):
    out, err = io.StringIO(), io.StringIO()
    call_command("cancel_stale_orders", stdout=out, stderr=err, **options)
    assert err.getvalue() == ""
    return out.getvalue()


@pytest.fixture
def orders():
    """Two orders of Emma that nobody paid: one of forty days ago, one of today; no other is open."""
    Order.objects.filter(status=Order.Status.OPEN).update(status=Order.Status.PAID)
    emma, anna = Book.objects.get(slug="emma"), User.objects.get(username="anna")
    old = place_order(anna, {emma.pk: 2}, at=timezone.now() - timedelta(days=40))
    return old, place_order(anna, {emma.pk: 1})


def statuses(orders):
    return [Order.objects.get(pk=order.pk).status for order in orders]


def test_old_orders_are_cancelled_and_their_copies_come_back(orders):
    before = Stock.objects.get(book__slug="emma").quantity
    assert run() == "1 orders cancelled.\n"
    assert statuses(orders) == ["cancelled", "open"]
    assert Stock.objects.get(book__slug="emma").quantity == before + 2


def test_the_second_time_there_is_nothing_left_to_do(orders):
    run()
    copies = Stock.objects.get(book__slug="emma").quantity
    assert run() == "0 orders cancelled.\n"
    assert Stock.objects.get(book__slug="emma").quantity == copies


def test_one_says_from_when_on_an_order_is_old(orders):
    assert run(older_than=41) == "0 orders cancelled.\n"
    assert run(older_than=0) == "2 orders cancelled.\n"


def test_a_dry_run_shows_and_changes_nothing(orders):
    shown = run(dry_run=True)
    assert shown.splitlines() == [
        f"{orders[0].number} of anna, placed {orders[0].placed_at:%Y-%m-%d}",
        "1 orders would be cancelled.",
    ]
    assert statuses(orders) == ["open", "open"]


def test_it_is_as_talkative_as_one_likes(orders):
    assert run(verbosity=0) == ""
    Order.objects.filter(pk=orders[0].pk).update(status=Order.Status.OPEN)
    assert run(verbosity=2) == f"{orders[0].number}\n1 orders cancelled.\n"


def test_a_negative_number_of_days_is_refused():
    with pytest.raises(CommandError, match="0 or more"):
        run(older_than=-1)


def test_what_is_no_number_is_refused():
    with pytest.raises(CommandError, match="invalid int value: 'soon'"):
        call_command("cancel_stale_orders", "--older-than", "soon")
