from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Count, ProtectedError, RestrictedError, Sum

from accounts.models import User
from catalog.models import Book
from orders.models import BookSales, Invoice, OpenOrder, Order, OrderLine, Payment, Stock

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


class TestOpenOrder:
    def test_it_is_the_orders_that_are_to_be_done_oldest_first(self):
        todo = list(OpenOrder.objects.all())
        assert {order.status for order in todo} == {"open", "paid"}
        assert [order.placed_at for order in todo] == sorted(order.placed_at for order in todo)
        assert len(todo) == Order.objects.unfinished().count() == 98
        assert OpenOrder._meta.db_table == Order._meta.db_table

    def test_an_order_that_is_shipped_leaves_it(self):
        first = OpenOrder.objects.first()
        first.status = Order.Status.SHIPPED
        first.save()
        assert not OpenOrder.objects.filter(pk=first.pk).exists()
        assert Order.objects.get(pk=first.pk).status == "shipped"

    def test_its_permissions_are_its_own_and_two(self):
        kind = ContentType.objects.get_for_model(OpenOrder, for_concrete_model=False)
        codenames = set(Permission.objects.filter(content_type=kind).values_list("codename", flat=True))
        assert codenames == {"view_openorder", "change_openorder"}


def test_the_latest_order_is_the_one_placed_last():
    assert Order.objects.latest().pk == 1_400


def test_cancelling_has_a_permission():
    assert Permission.objects.filter(codename="cancel_order", content_type__app_label="orders").exists()


class TestInvoice:
    @pytest.fixture
    def invoice(self, order):
        seller = User.objects.create(username="olga", is_staff=True)
        return Invoice.objects.create(
            number="I2026-900001", order=order, issued_by=seller, issued_on=NOON.date(), amount=10
        )

    def test_unpaid_invoices_are_those_that_no_payment_refers_to(self, invoice):
        assert invoice in Invoice.objects.unpaid()
        Payment.objects.create(order=invoice.order, received_on=NOON.date(), amount=10)
        assert invoice in Invoice.objects.unpaid()
        Payment.objects.create(order=invoice.order, invoice=invoice, received_on=NOON.date(), amount=10)
        assert invoice not in Invoice.objects.unpaid()

    def test_a_paid_invoice_is_not_deleted_by_itself_but_with_its_order(self, invoice, order):
        Payment.objects.create(order=order, invoice=invoice, received_on=NOON.date(), amount=10)
        with pytest.raises(RestrictedError):
            invoice.delete()
        order.delete()
        assert not Invoice.objects.filter(number="I2026-900001").exists()
        assert not Payment.objects.filter(received_on=NOON.date(), amount=10).exists()

    def test_invoices_of_a_bookseller_who_leaves_go_to_one_who_stands_for_all(self, invoice):
        invoice.issued_by.delete()
        invoice.refresh_from_db()
        former = invoice.issued_by
        assert (former.username, former.is_active, former.has_usable_password()) == ("former-bookseller", False, False)

        other = User.objects.create(username="pavel")
        Invoice.objects.filter(pk=invoice.pk).update(issued_by=other)
        other.delete()
        invoice.refresh_from_db()
        assert invoice.issued_by == former

    def test_bounds(self, invoice, order):
        with pytest.raises(IntegrityError, match="invoice_amount_not_negative"), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(amount=-1)
        with pytest.raises(IntegrityError, match="payment_amount_positive"), transaction.atomic():
            Payment.objects.create(order=order, received_on=NOON.date(), amount=0)

    def test_the_invoices_of_the_shop_are_what_the_lines_amount_to(self):
        for invoice in Invoice.objects.select_related("order").prefetch_related("order__lines"):
            assert invoice.amount == invoice.order.total
        assert 0 < Invoice.objects.unpaid().count() < 20
        assert Payment.objects.filter(invoice=None).exists()
        split = Invoice.objects.annotate(parts=Count("payments"), paid=Sum("payments__amount")).filter(parts=2)
        assert split
        assert all(invoice.paid == invoice.amount for invoice in split)


class TestBookSales:
    def test_the_view_agrees_with_the_lines(self):
        lines = OrderLine.objects.exclude(order__status="cancelled").order_by()
        expected = lines.values("book").annotate(copies=Sum("quantity"), orders=Count("pk"), revenue=Sum("amount"))
        sales = {row.pk: (row.copies, row.orders, row.revenue) for row in BookSales.objects.all()}
        assert sales == {row["book"]: (row["copies"], row["orders"], row["revenue"]) for row in expected}

    def test_it_changes_with_the_lines(self, order, emma):
        before = emma.sales.copies
        OrderLine.objects.create(order=order, book=emma, quantity=2, unit_price="9.50")
        assert BookSales.objects.get(book=emma).copies == before + 2

    def test_a_book_that_sold_nothing_has_none(self):
        with pytest.raises(BookSales.DoesNotExist):
            _ = Book.objects.get(title="Os Lusíadas").sales

    def test_the_best_comes_first_and_can_be_joined(self):
        assert BookSales.objects.select_related("book").first().book.title == "Pride and Prejudice"
        assert Book.objects.order_by("-sales__copies").exclude(sales=None).first().title == "Pride and Prejudice"

    def test_nobody_can_write_it(self, emma):
        with pytest.raises(DatabaseError), transaction.atomic():
            BookSales.objects.filter(book=emma).update(copies=1_000)

    def test_a_book_with_a_row_in_the_view_can_be_deleted(self, order):
        book = Book.objects.create(title="Mensagem", slug="mensagem", author_id=1, price=5)
        line = OrderLine.objects.create(order=order, book=book, quantity=1, unit_price=5)
        assert BookSales.objects.filter(book=book).exists()
        line.delete()
        book.delete()
        assert not BookSales.objects.filter(book_id=book.pk).exists()

    def test_there_is_a_permission_to_see_it_only(self):
        codenames = Permission.objects.filter(content_type__model="booksales").values_list("codename", flat=True)
        assert list(codenames) == ["view_booksales"]
