"""An order is taken completely or not at all, and can be taken back."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import User
from catalog.models import Book
from orders import checkout
from orders.checkout import cancel_order, place_order
from orders.exceptions import EmptyOrder, InvalidQuantity, NotCancellable, OutOfStock, UnknownBook
from orders.models import Order, OrderLine, Stock
from orders.signals import order_placed, stock_changed

SENSE, PRIDE, NORTHANGER = 1, 2, 5
NOON = datetime(2027, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def anna(db):
    return User.objects.get(username="anna")


@pytest.fixture
def heard():
    """What the shop's signals said, in order."""
    said = []

    def listen(sender, signal, **facts):
        said.append({name: facts[name] for name in ("order", "quantities") if name in facts})

    for signal in (order_placed, stock_changed):
        signal.connect(listen, weak=False)
    yield said
    for signal in (order_placed, stock_changed):
        signal.disconnect(listen)


def copies(pk):
    return Stock.objects.get(pk=pk).quantity


def test_an_order_has_lines_at_the_prices_of_today(anna):
    order = place_order(anna, {PRIDE: 1, SENSE: 2}, note="For my aunt.", at=NOON)
    Book.objects.update(price=99)
    order = Order.objects.get(pk=order.pk)
    assert (order.customer, order.status, order.placed_at, order.note) == (anna, "open", NOON, "For my aunt.")
    lines = [(line.book_id, line.quantity, line.unit_price) for line in order.lines.order_by("pk")]
    assert lines == [(SENSE, 2, Decimal("8.75")), (PRIDE, 1, Decimal("9.75"))]
    assert order.total == Decimal("27.25")


def test_its_number_is_the_year_and_its_key_which_a_failed_order_leaves_out(anna):
    first = place_order(anna, {PRIDE: 1}, at=NOON)
    assert first.number == f"2027-{first.pk:06d}"
    second = place_order(anna, {PRIDE: 1}, at=NOON.replace(year=2028))
    assert second.number == f"2028-{first.pk + 1:06d}"
    assert not Order.objects.filter(number__startswith="new").exists()


def test_the_copies_leave_the_shelf(anna):
    before = copies(PRIDE), copies(SENSE)
    place_order(anna, {PRIDE: 3, SENSE: 1})
    assert (copies(PRIDE), copies(SENSE)) == (before[0] - 3, before[1] - 1)


def test_the_last_copies_can_be_bought_and_then_no_more(anna):
    place_order(anna, {PRIDE: copies(PRIDE)})
    with pytest.raises(OutOfStock, match="Only 0 copies are left of Pride and Prejudice"):
        place_order(anna, {PRIDE: 1})


def test_a_book_that_is_out_of_print_can_be_bought_while_there_are_copies(anna):
    book = Book.objects.filter(in_print=False, stock__quantity__gt=0).first()
    assert place_order(anna, {book.pk: 1}).lines.get().book == book


@pytest.mark.parametrize("missing", ["with no copies", "never on the shelf"])
def test_one_book_that_is_missing_rolls_everything_back(anna, missing):
    book = Book.objects.get(title="Herland") if missing == "never on the shelf" else Book.objects.get(pk=NORTHANGER)
    orders, before = Order.objects.count(), copies(SENSE)
    with pytest.raises(OutOfStock) as refusal:
        place_order(anna, {SENSE: 1, book.pk: 2})
    assert (refusal.value.book, refusal.value.wanted, refusal.value.left) == (book, 2, 0)
    assert (Order.objects.count(), copies(SENSE)) == (orders, before)


@pytest.mark.parametrize("quantity", [0, -1, 1.0, "1", None, True, 40_000])
def test_a_quantity_is_a_number_of_copies(anna, quantity):
    with pytest.raises(InvalidQuantity, match="whole number of copies"):
        place_order(anna, {PRIDE: quantity})


def test_there_is_something_in_an_order(anna):
    with pytest.raises(EmptyOrder):
        place_order(anna, {})


def test_the_shop_has_the_books(anna):
    with pytest.raises(UnknownBook, match="no book with the number 9999"):
        place_order(anna, {9999: 1})


def test_it_takes_so_many_queries(anna, django_assert_num_queries):
    # Books, stock, an update for each book, the order, its number, the lines; and the savepoint in a test.
    with django_assert_num_queries(2 + 2 + 3 + 2):
        place_order(anna, {SENSE: 1, PRIDE: 1})


def test_the_rows_of_the_stock_are_locked_in_the_order_of_keys(anna, monkeypatch):
    seen = []
    locked = checkout.locked_stock
    monkeypatch.setattr(checkout, "locked_stock", lambda keys: seen.append(list(keys)) or locked(keys))
    place_order(anna, {PRIDE: 1, SENSE: 1})
    assert seen == [[SENSE, PRIDE]]


def test_others_hear_of_it_after_the_commit(anna, heard, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        before = copies(PRIDE)
        order = place_order(anna, {PRIDE: 2})
        assert heard == []
    assert heard == [{"order": order}, {"quantities": {PRIDE: before - 2}}]


def test_nobody_hears_of_an_order_that_was_undone(anna, heard, django_capture_on_commit_callbacks):
    def fail():
        with transaction.atomic():
            place_order(anna, {PRIDE: 2})
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        fail()
    assert heard == []
    assert mail.outbox == []


def test_who_listens_cannot_undo_an_order(anna, heard, django_capture_on_commit_callbacks):
    def fail(**facts):
        raise RuntimeError("I always fail.")

    order_placed.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            order = place_order(anna, {PRIDE: 1})
    finally:
        order_placed.disconnect(fail)
    assert {"order": order} in heard
    assert len(heard) == 2
    assert [message.subject for message in mail.outbox] == [f"Your order {order.number}"]


def test_where_celery_is_missing_an_order_is_placed_all_the_same(anna, monkeypatch):
    monkeypatch.setattr(checkout, "find_spec", lambda name: None)
    assert place_order(anna, {PRIDE: 1}).lines.count() == 1


def test_a_cell_of_a_notebook_can_call_it(on_sqlite_file, monkeypatch):
    # There, an event loop runs, and whoever is alone may let it wait.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

    async def cell():
        order = place_order(User.objects.get(username="anna"), {PRIDE: 1})
        return cancel_order(order)

    assert asyncio.run(cell()).status == "cancelled"
    assert len(mail.outbox) == 1


def test_it_is_done_again_where_nobody_else_began_the_transaction(on_sqlite_file, monkeypatch):
    place, conflicts = checkout._place, [OperationalError("database is locked")]

    def meet_once(*args):
        order = place(*args)
        if conflicts:
            raise conflicts.pop()
        return order

    monkeypatch.setattr(checkout, "_place", meet_once)
    anna, before, orders = User.objects.get(username="anna"), copies(PRIDE), Order.objects.count()
    place_order(anna, {PRIDE: 1})
    assert (copies(PRIDE), Order.objects.count()) == (before - 1, orders + 1)

    conflicts.append(OperationalError("database is locked"))
    with pytest.raises(OperationalError), transaction.atomic():
        place_order(anna, {PRIDE: 1})


def test_the_database_itself_refuses_less_than_nothing(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.filter(pk=PRIDE).update(quantity=-1)


class TestCancelling:
    def test_puts_the_copies_back(self, anna):
        before = copies(PRIDE), copies(SENSE)
        order = cancel_order(place_order(anna, {PRIDE: 2, SENSE: 1}))
        assert (copies(PRIDE), copies(SENSE)) == before
        assert Order.objects.get(pk=order.pk).status == order.status == Order.Status.CANCELLED
        assert OrderLine.objects.filter(order=order).count() == 2

    def test_puts_a_book_on_the_shelf_that_was_not_there(self, anna):
        order = place_order(anna, {PRIDE: 2})
        Stock.objects.get(pk=PRIDE).delete()
        cancel_order(order)
        assert copies(PRIDE) == 2

    def test_is_told_after_the_commit(self, anna, heard, django_capture_on_commit_callbacks):
        order, before = place_order(anna, {PRIDE: 2}), copies(PRIDE)
        with django_capture_on_commit_callbacks(execute=True):
            cancel_order(order)
        assert heard == [{"quantities": {PRIDE: before + 2}}]

    @pytest.mark.parametrize("status", ["shipped", "cancelled"])
    def test_comes_too_late_for_some(self, db, status):
        order = Order.objects.filter(status=status).first()
        with pytest.raises(NotCancellable, match=f"{order.number} is {status}"):
            cancel_order(order)

    def test_believes_the_database_and_not_the_object(self, anna):
        order = place_order(anna, {PRIDE: 2})
        cancel_order(order)
        assert order.status == Order.Status.OPEN
        before = copies(PRIDE)
        with pytest.raises(NotCancellable):
            cancel_order(order)
        assert copies(PRIDE) == before
