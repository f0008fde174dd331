from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import User
from catalog.models import Book
from orders.models import Order, OrderLine, Stock

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def order():
    return Order.objects.create(number="2026-900001", customer=User.objects.get(username="mira"), placed_at=NOON)


@pytest.fixture
def emma():
    return Book.objects.get(title="Emma")


def test_a_new_order_is_open_and_not_shipped(order):
    assert (order.status, order.shipped_at) == (Order.Status.OPEN, None)


def test_an_order_is_not_shipped_before_it_was_placed(order):
    order.shipped_at = NOON - timedelta(seconds=1)
    with pytest.raises(IntegrityError, match="order_shipped_after_placed"), transaction.atomic():
        order.save()
    order.shipped_at = NOON
    order.save()


def test_an_order_number_is_used_once(order):
    with pytest.raises(IntegrityError, match="orders_order.number"), transaction.atomic():
        Order.objects.create(number=order.number, customer=order.customer, placed_at=NOON)


def test_an_order_has_each_book_once(order, emma):
    order.lines.create(book=emma, unit_price=9)
    with pytest.raises(IntegrityError, match="orderline.order_id, .*orderline.book_id"), transaction.atomic():
        order.lines.create(book=emma, unit_price=9)


def test_a_line_has_at_least_one_copy(order, emma):
    with pytest.raises(IntegrityError, match="orderline_quantity_positive"), transaction.atomic():
        order.lines.create(book=emma, unit_price=9, quantity=0)


def test_the_database_computes_the_amount_of_a_line(order, emma):
    line = order.lines.create(book=emma, quantity=3, unit_price=Decimal("2.25"))
    line.refresh_from_db()
    assert line.amount == Decimal("6.75")
    OrderLine.objects.filter(pk=line.pk).update(quantity=4)
    line.refresh_from_db()
    assert line.amount == Decimal("9.00")


def test_the_total_is_the_sum_of_the_lines(order, emma):
    assert order.total == 0
    order.lines.create(book=emma, quantity=2, unit_price=Decimal("2.25"))
    order.lines.create(book=Book.objects.get(title="Dracula"), unit_price=Decimal("1.50"))
    assert order.total == Decimal("6.00")


def test_the_total_of_prefetched_lines_asks_nothing(order, emma, django_assert_num_queries):
    order.lines.create(book=emma, quantity=2, unit_price=Decimal("2.25"))
    fetched = Order.objects.prefetch_related("lines").get(pk=order.pk)
    with django_assert_num_queries(0):
        assert fetched.total == Decimal("4.50")


def test_lines_go_with_their_order(order, emma):
    order.lines.create(book=emma, unit_price=9)
    lines = OrderLine.objects.count()
    order.delete()
    assert OrderLine.objects.count() == lines - 1


def test_what_was_sold_and_who_bought_it_cannot_be_deleted(order, emma):
    order.lines.create(book=emma, unit_price=9)
    with pytest.raises(ProtectedError):
        emma.delete()
    with pytest.raises(ProtectedError):
        order.customer.delete()


def test_stock_cannot_be_negative(emma):
    emma.stock.quantity = -1
    with pytest.raises(IntegrityError, match="CHECK constraint failed"), transaction.atomic():
        emma.stock.save()


def test_a_book_has_one_stock(emma):
    with pytest.raises(IntegrityError, match="orders_stock.book_id"), transaction.atomic():
        Stock.objects.create(book=emma, quantity=1)


def test_stock_goes_with_its_book():
    book = Book.objects.never_ordered().get(title="The Enchanted April")
    book.delete()
    assert not Stock.objects.filter(book_id=book.pk).exists()


def test_placed_in_is_a_calendar_year(order):
    assert order in Order.objects.placed_in(2026)
    assert order not in Order.objects.placed_in(2025)
    assert Order.objects.placed_in(2024).count() == 212


def test_completed_orders_are_paid_or_shipped(order):
    for status in Order.Status:
        order.status = status
        order.save()
        completed = Order.objects.completed().filter(pk=order.pk).exists()
        assert completed == (status in {"paid", "shipped"}), status


def test_newest_orders_come_first(order):
    assert Order.objects.first() == order


def test_names_speak_for_things(order, emma):
    assert str(order) == "2026-900001"
    assert str(OrderLine(order=order, book=emma, quantity=2)) == "2 × Emma"
    assert str(emma.stock) == "Emma: 22"
