from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Max, Min

from accounts.models import User
from orders import growth
from orders.growth import grow
from orders.models import Order, OrderLine

pytestmark = pytest.mark.django_db

SEEDED_ORDERS, SEEDED_LINES, SEEDED_USERS = 1_400, 4_407, 150


def rows():
    return [list(model.objects.order_by("pk").values_list()) for model in (User, Order, OrderLine)]


def rows_after_growing(*steps):
    """What the shop would contain; the growth itself is undone."""
    with transaction.atomic():
        for orders in steps:
            grow(orders)
        grown = rows()
        transaction.set_rollback(True)
    return grown


def test_growing_adds_orders_lines_and_customers():
    lines = grow(900)
    assert Order.objects.count() == SEEDED_ORDERS + 900
    assert OrderLine.objects.count() == SEEDED_LINES + lines
    assert 2.5 < lines / 900 < 3.5
    assert User.objects.count() == SEEDED_USERS + 100


def test_what_was_there_stays():
    before = rows()
    grow(50)
    for old, new in zip(before, rows(), strict=True):
        assert new[: len(old)] == old


def test_two_small_steps_leave_the_rows_of_one_large_step():
    assert rows_after_growing(17, 43) == rows_after_growing(60)


def test_small_batches_leave_the_rows_of_a_large_one(monkeypatch):
    at_once = rows_after_growing(60)
    monkeypatch.setattr(growth, "BATCH", 7)
    assert rows_after_growing(60) == at_once


def test_grown_rows_keep_every_constraint_and_foreign_key():
    grow(300)
    connection.check_constraints()
    grown = Order.objects.filter(pk__gt=SEEDED_ORDERS)
    assert not grown.filter(lines=None).exists()
    assert not grown.filter(placed_at__lt=F("customer__date_joined")).exists()
    assert not OrderLine.objects.filter(order__placed_at__lt=F("book__added")).exists()


def test_grown_orders_lie_within_the_years_of_the_shop():
    grow(300)
    span = Order.objects.aggregate(first=Min("placed_at"), last=Max("placed_at"))
    assert (span["first"].year, span["last"].year, span["last"].month) == (2024, 2026, 6)


def test_customers_who_never_order_still_do_not():
    grow(300)
    assert not Order.objects.filter(customer__username="ida").exists()
    assert not Order.objects.filter(customer_id=7).exists()


def test_progress_is_told_the_size_of_each_batch(monkeypatch):
    monkeypatch.setattr(growth, "BATCH", 20)
    batches = []
    grow(50, progress=batches.append)
    assert batches == [20, 20, 10]


def test_an_interrupted_run_keeps_whole_batches_and_goes_on(monkeypatch):
    monkeypatch.setattr(growth, "BATCH", 20)

    def interrupt(orders):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grow(50, progress=interrupt)
    assert Order.objects.count() == SEEDED_ORDERS + 20
    grow(30)
    assert Order.objects.count() == SEEDED_ORDERS + 50


def test_growing_by_nothing_changes_nothing():
    before = rows()
    assert grow(0) == 0
    assert rows() == before


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="-1"):
        grow(-1)


def test_an_empty_shop_is_refused_with_the_remedy(empty_shop):
    with pytest.raises(ValueError, match="manage.py seed"):
        grow(10)


def test_the_command_grows_and_says_how_much(capsys):
    output = StringIO()
    call_command("grow", orders=40, stdout=output)
    assert Order.objects.count() == SEEDED_ORDERS + 40
    assert f"Added 40 orders with {OrderLine.objects.count() - SEEDED_LINES} lines." in output.getvalue()
    assert "40/40" in capsys.readouterr().err


def test_the_command_turns_a_refusal_into_one_sentence(empty_shop):
    with pytest.raises(CommandError, match="manage.py seed"):
        call_command("grow", orders=1, verbosity=0)


def test_the_command_survives_an_interrupt(monkeypatch):
    def interrupted(orders, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr("orders.management.commands.grow.grow", interrupted)
    with pytest.raises(CommandError, match="Interrupted"):
        call_command("grow", orders=1, verbosity=0)
