"""Customers who want the last copies in the same moment, each in a thread with a connection of their own."""

import time
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import User
from orders.checkout import cancel_order, place_order
from orders.exceptions import OutOfStock
from orders.models import Order, OrderLine, Stock
from orders.signals import stock_changed

RACES = {"postgresql": 100, "sqlite_file": 20}
CUSTOMERS = 8
COPIES = 5
EMMA, PERSUASION = 4, 6
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def customers(real_database):
    # Without an address: no receipts are sent here.
    usernames = [f"racer{number}" for number in range(CUSTOMERS)]
    return User.objects.bulk_create(User(username=username) for username in usernames)


def shelve(copies):
    Stock.objects.filter(pk__in=[EMMA, PERSUASION]).update(quantity=copies)


def buys(customer, wanted):
    return partial(place_order, customer, wanted, at=NOON)


@pytest.mark.parametrize("basket", [{EMMA: 1}, {EMMA: 1, PERSUASION: 1}], ids=["one book", "two books"])
def test_each_of_many_races_for_the_last_copies_sells_exactly_these(customers, crowd, basket, real_database):
    before = OrderLine.objects.count()
    # Every second customer fills the cart the other way round: a deadlock, if the rows were locked as they come.
    baskets = [dict(items) for items in (basket.items(), reversed(basket.items()))]
    for race in range(1, RACES[real_database] + 1):
        shelve(COPIES)
        results = crowd(*[buys(customer, baskets[place % 2]) for place, customer in enumerate(customers)])

        sold = [result for result in results if isinstance(result, Order)]
        refused = [result for result in results if isinstance(result, OutOfStock)]
        assert (len(sold), len(refused)) == (COPIES, CUSTOMERS - COPIES), results
        assert len({order.number for order in sold}) == COPIES
        assert not Stock.objects.filter(pk__in=basket, quantity__gt=0).exists()
        assert OrderLine.objects.count() - before == race * COPIES * len(basket)


def test_each_sale_tells_how_many_copies_it_left(customers, crowd):
    # Without the lock two of them would have read the same number, though no copy was sold twice.
    told = []

    def listen(quantities, **facts):
        told.append(quantities[EMMA])

    stock_changed.connect(listen)
    try:
        for _ in range(5):
            shelve(CUSTOMERS)
            told.clear()
            crowd(*[buys(customer, {EMMA: 1}) for customer in customers])
            assert sorted(told) == list(range(CUSTOMERS))
    finally:
        stock_changed.disconnect(listen)


def test_one_customer_can_click_in_two_windows(customers, crowd):
    shelve(COPIES)
    results = crowd(*[buys(customers[0], {EMMA: 1})] * CUSTOMERS)
    assert len([result for result in results if isinstance(result, Order)]) == COPIES


def test_an_order_is_cancelled_once(customers, crowd):
    shelve(COPIES)
    order = place_order(customers[0], {EMMA: 2}, at=NOON)
    results = crowd(*[partial(cancel_order, order)] * CUSTOMERS)
    assert len([result for result in results if isinstance(result, Order)]) == 1
    assert Stock.objects.get(pk=EMMA).quantity == COPIES


def buy_as_it_is_often_written(customer):
    """Reads, decides, writes: what two customers decide on the same copy."""
    with transaction.atomic():
        stock = Stock.objects.get(pk=EMMA)
        if not stock.quantity:
            raise OutOfStock(stock.book, 1, 0)
        time.sleep(0.02)
        stock.quantity -= 1
        stock.save()
        order = Order.objects.create(number=f"naive-{customer.pk}", customer=customer, placed_at=NOON)
        OrderLine.objects.create(order=order, book_id=EMMA, unit_price=1)
        return order


def buy_with_the_constraint_alone(customer):
    """Counts in the database, and leaves the rule to the constraint."""
    with transaction.atomic():
        Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)
        return Order.objects.create(number=f"naive-{customer.pk}", customer=customer, placed_at=NOON)


@pytest.mark.parametrize("real_database", ["on_postgresql"], indirect=True)
def test_the_race_finds_out_who_sells_a_copy_twice(customers, crowd):
    shelve(COPIES)
    results = crowd(*[partial(buy_as_it_is_often_written, customer) for customer in customers])
    assert len([result for result in results if isinstance(result, Order)]) > COPIES


@pytest.mark.parametrize("real_database", ["on_postgresql", "on_sqlite_file"], indirect=True)
def test_the_constraint_is_the_last_line_of_defence(customers, crowd):
    shelve(COPIES)
    results = crowd(*[partial(buy_with_the_constraint_alone, customer) for customer in customers])
    assert len([result for result in results if isinstance(result, Order)]) == COPIES
    assert len([result for result in results if isinstance(result, IntegrityError)]) == CUSTOMERS - COPIES
