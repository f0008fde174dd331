"""When the shop tells that its stock has changed."""

import asyncio
import logging

import django
import pytest
from django.core import serializers
from django.db import transaction
from django.db.models import F

from catalog.models import Book
from orders.models import Stock
from orders.signals import stock_changed


@pytest.fixture
def told():
    """What `stock_changed` told, in order."""
    quantities = []

    def receive(sender, quantities, _told=quantities, **kwargs):
        assert sender is Stock
        _told.append(quantities)

    stock_changed.connect(receive)
    yield quantities
    stock_changed.disconnect(receive)


@pytest.fixture
def stock(db):
    return Stock.objects.get(book__slug="emma")


def test_saving_a_stock_tells_it_after_the_transaction(stock, told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        stock.quantity = 3
        stock.save()
        assert told == []
    assert told == [{stock.pk: 3}]


def test_a_new_stock_is_told_as_well(db, told, django_capture_on_commit_callbacks):
    herland = Book.objects.get(slug="herland")
    with django_capture_on_commit_callbacks(execute=True):
        # As a form of old would give it.
        Stock.objects.create(book=herland, quantity="7")
    assert told == [{herland.pk: 7}]


def test_a_transaction_that_is_undone_tells_nothing(stock, told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        stock.save()
        transaction.set_rollback(True)
    assert told == []


def test_what_saves_nothing_in_django_s_eyes_tells_nothing(stock, told, django_capture_on_commit_callbacks):
    """So `checkout` sends the signal itself."""
    with django_capture_on_commit_callbacks(execute=True):
        Stock.objects.filter(pk=stock.pk).update(quantity=F("quantity") - 1)
        Stock.objects.bulk_update([stock], ["quantity"])
        Stock.objects.bulk_create([Stock(book=Book.objects.get(slug="herland"), quantity=1)])
        stock.save(update_fields=[])
    assert told == []


def test_a_fixture_tells_nothing(stock, told, django_capture_on_commit_callbacks):
    text = serializers.serialize("json", [stock])
    with django_capture_on_commit_callbacks(execute=True):
        for row in serializers.deserialize("json", text):
            row.save()
    assert told == []


def test_an_expression_is_told_where_django_knows_what_came_of_it(stock, told, django_capture_on_commit_callbacks):
    """Since 6.0 Django reads it back with the same statement; before, nobody knows without another query."""
    left = stock.quantity - 1
    with django_capture_on_commit_callbacks(execute=True):
        stock.quantity = F("quantity") - 1
        stock.save()
    assert told == ([{stock.pk: left}] if django.VERSION >= (6, 0) else [])


def test_it_costs_no_query(stock, django_assert_num_queries, django_capture_on_commit_callbacks):
    with django_assert_num_queries(1), django_capture_on_commit_callbacks(execute=True):
        stock.save()


def test_a_receiver_that_fails_is_logged_and_keeps_nobody_from_saving(
    stock, told, caplog, django_capture_on_commit_callbacks
):
    def fail(**kwargs):
        raise LookupError("nobody listens")

    stock_changed.connect(fail)
    try:
        with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
            stock.quantity = 3
            stock.save()
    finally:
        stock_changed.disconnect(fail)
    assert Stock.objects.get(pk=stock.pk).quantity == 3
    assert told == [{stock.pk: 3}]
    assert "nobody listens" in caplog.text


def test_all_who_listen_can_do_so_where_an_event_loop_runs(stock, told):
    """As in a cell of a notebook. An async receiver would make `send_robust` fail there."""

    async def cell():
        return stock_changed.send_robust(sender=Stock, quantities={stock.pk: 3})

    answers = asyncio.run(cell())
    assert not [answer for _, answer in answers if isinstance(answer, Exception)]
    assert told == [{stock.pk: 3}]
