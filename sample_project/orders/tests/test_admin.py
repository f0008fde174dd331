import re
from urllib.parse import quote

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import Count
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.models import Book
from catalog.tests.test_admin import posted
from orders.admin import OrderAdmin
from orders.checkout import cancel_order
from orders.models import Invoice, Order, OrderLine, Stock

pytestmark = pytest.mark.django_db


def order_with(lines):
    return Order.objects.annotate(count=Count("lines")).filter(count=lines).first()


def test_the_list_takes_the_same_number_of_queries_for_one_order_and_for_many(
    admin_page, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9) as one:
        assert admin_page("/admin/orders/order/?pk__exact=1").context["cl"].result_count == 1
    with django_assert_num_queries(len(one)):
        assert admin_page("/admin/orders/order/?pk__gte=1").context["cl"].result_count == 1_400


def test_an_order_takes_the_same_number_of_queries_with_one_line_and_with_eight(
    admin_page, django_assert_num_queries, django_assert_max_num_queries
):
    admin_page("/admin/orders/order/add/")  # from here on Django remembers the content types
    with django_assert_max_num_queries(9) as one:
        admin_page(f"/admin/orders/order/{order_with(lines=1).pk}/change/")
    with django_assert_num_queries(len(one)):
        admin_page(f"/admin/orders/order/{order_with(lines=8).pk}/change/")


def test_the_list_shows_the_customer_and_the_amount_of_the_lines(admin_page):
    order = order_with(lines=3)
    page = admin_page(f"/admin/orders/order/?q={order.number}").content.decode()
    assert str(order.customer) in page
    assert f'<td class="field-amount">{order.total}</td>' in page


def test_an_order_without_lines_is_worth_nothing(admin_page):
    page = admin_page("/admin/orders/order/?q=2026-001234").content.decode()
    assert '<td class="field-amount">0.00</td>' in page


def test_sold_lines_can_be_read_and_not_changed(admin_page):
    order = order_with(lines=2)
    page = admin_page(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for line in order.lines.all():
        assert line.book.title.replace("'", "&#x27;") in page
    assert 'name="lines-0-quantity"' not in page
    assert 'name="lines-__prefix__-quantity"' in page


def test_the_list_of_books_shows_the_copies_in_stock(admin_page):
    assert '<td class="field-copies">22</td>' in admin_page("/admin/catalog/book/?q=Emma").content.decode()
    assert '<td class="field-copies">-</td>' in admin_page("/admin/catalog/book/?q=Herland").content.decode()


@pytest.mark.parametrize(
    ("path", "one", "many"),
    [
        ("invoice", "pk__exact=1", "pk__gte=1"),
        ("payment", "pk__exact=1", "pk__gte=1"),
        ("openorder", "status__exact=open", ""),
        ("booksales", "book__exact=1", ""),
    ],
)
def test_later_lists_take_the_same_number_of_queries_for_few_rows_and_for_many(
    admin_page, django_assert_num_queries, django_assert_max_num_queries, path, one, many
):
    with django_assert_max_num_queries(10) as queries:
        few = admin_page(f"/admin/orders/{path}/?{one}").context["cl"].result_count
    # Without a filter the admin knows the full count already.
    with django_assert_max_num_queries(len(queries)):
        assert admin_page(f"/admin/orders/{path}/?{many}").context["cl"].result_count > few


def test_an_invoice_shows_what_came_in(admin_page):
    invoice = Invoice.objects.annotate(parts=Count("payments")).filter(parts=2).first()
    page = admin_page(f"/admin/orders/invoice/?q={invoice.number}").content.decode()
    assert f'<td class="field-received">{invoice.amount:.2f}</td>' in page
    page = admin_page(f"/admin/orders/invoice/{invoice.pk}/change/").content.decode()
    assert "5.00 by" in page


def test_sales_can_be_looked_at_and_nothing_else(admin_page, admin_client):
    page = admin_page("/admin/orders/booksales/").content.decode()
    assert "Pride and Prejudice" in page
    assert admin_client.get("/admin/orders/booksales/add/").status_code == 403


@pytest.fixture
def member(client):
    """A client whose user is staff and in this group."""

    def log_in(group):
        user = User.objects.create(username=f"one-of-{group.lower()}", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        client.user = user
        return client

    return log_in


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def act(client, action, orders, path="/admin/orders/order/", **more):
    data = {"action": action, "_selected_action": [order.pk for order in orders]}
    return client.post(path, data | more)


def some(status, count=2):
    return list(Order.objects.filter(status=status, lines__isnull=False).distinct().order_by("pk")[:count])


class TestSearch:
    def test_an_order_is_found_by_a_title_in_it_and_its_lines_are_counted_once(self, admin_page):
        order = order_with(lines=3)
        title = order.lines.first().book.title
        shown = admin_page(f"/admin/orders/order/?q={order.number}").context["cl"].result_list
        assert [found.amount for found in shown] == [order.total]
        by_title = admin_page(f"/admin/orders/order/?q={quote(title)}").context["cl"].queryset
        assert {found.pk: found.amount for found in by_title}[order.pk] == order.total

    def test_the_list_sorts_by_the_amount(self, admin_page):
        number = OrderAdmin.list_display.index("amount") + 1
        amounts = [order.amount for order in admin_page(f"/admin/orders/order/?o=-{number}").context["cl"].result_list]
        assert amounts == sorted(amounts, reverse=True)


class TestChanging:
    @pytest.mark.parametrize(
        ("group", "status", "may"),
        [
            ("Booksellers", "open", True),
            ("Booksellers", "paid", True),
            ("Booksellers", "shipped", False),
            ("Booksellers", "cancelled", False),
            ("Managers", "shipped", True),
            ("Managers", "cancelled", True),
        ],
    )
    def test_booksellers_change_unfinished_orders_and_read_the_others(self, member, group, status, may):
        client, [order] = member(group), some(status, 1)
        path = f"/admin/orders/order/{order.pk}/change/"
        page = client.get(path)
        assert page.status_code == 200
        assert ('name="_save"' in page.content.decode()) == may
        form = {"note": "as agreed", "status": status, "_save": "Save"}
        form |= {f"shipped_at_{part}": value for part, value in enumerate(["2026-07-01", "12:00"]) if order.shipped_at}
        management = {"lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
        assert client.post(path, form | management).status_code == (302 if may else 403)
        order.refresh_from_db()
        assert (order.note == "as agreed", order.status) == (may, status)

    def test_who_ships_need_not_say_when(self, member):
        client, [order] = member("Booksellers"), some("paid", 1)
        form = {"status": "shipped", "lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
        client.post(f"/admin/orders/order/{order.pk}/change/", form)
        order.refresh_from_db()
        assert order.status == "shipped"
        assert order.shipped_at is not None

    def test_an_order_is_not_cancelled_by_choosing_from_a_list(self, admin_client):
        [order] = some("open", 1)
        form = {"status": "cancelled", "lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
        page = admin_client.post(f"/admin/orders/order/{order.pk}/change/", form)
        assert "status" in page.context["adminform"].form.errors
        order.refresh_from_db()
        assert order.status == "open"

    def test_an_order_that_is_cancelled_meanwhile_stays_so(self, admin_client, monkeypatch):
        [order] = some("open", 1)

        def wait_for_the_customer():
            Order.objects.filter(pk=order.pk).update(status="cancelled")
            return Order.objects.all()

        monkeypatch.setattr(Order.objects, "select_for_update", wait_for_the_customer)
        form = {"status": "paid", "note": "", "lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
        admin_client.post(f"/admin/orders/order/{order.pk}/change/", form)
        order.refresh_from_db()
        assert order.status == "cancelled"

    def test_the_number_is_chosen_once(self, admin_page):
        assert 'name="number"' in admin_page("/admin/orders/order/add/").content.decode()
        assert 'name="number"' not in admin_page(f"/admin/orders/order/{some('open')[0].pk}/change/").content.decode()


class TestShipping:
    def test_it_is_one_update_for_those_that_are_paid(self, admin_client):
        paid, unpaid = some("paid", 3), some("open", 1)
        with CaptureQueriesContext(connection) as queries:
            response = act(admin_client, "ship", [*paid, *unpaid])
        updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "orders_order"')]
        assert len(updates) == 1
        assert said(response) == ["3 orders are shipped.", "1 order was not paid, and stays."]
        for order in paid:
            order.refresh_from_db()
            assert order.status == "shipped"
            assert order.shipped_at is not None
        unpaid[0].refresh_from_db()
        assert unpaid[0].status == "open"

    def test_it_is_written_down(self, admin_client, admin_user):
        [order] = some("paid", 1)
        act(admin_client, "ship", [order])
        entry = LogEntry.objects.get(object_id=str(order.pk), content_type__model="order")
        assert (entry.user, entry.get_change_message()) == (admin_user, "Changed Status and Shipped at.")

    def test_the_packing_table_has_it_too(self, member):
        client, [order] = member("Booksellers"), some("paid", 1)
        assert said(act(client, "ship", [order], path="/admin/orders/openorder/")) == ["1 order is shipped."]


class TestCancelling:
    def test_it_asks_first(self, admin_client):
        orders = some("open")
        page = act(admin_client, "cancel", orders)
        assert page.templates[0].name == "admin/orders/cancel.html"
        for order in orders:
            assert order.number in page.content.decode()
            assert Order.objects.get(pk=order.pk).status == "open"

    def test_then_it_saves_each_and_puts_the_copies_back(self, admin_client, admin_user):
        orders, [shipped] = some("open"), some("shipped", 1)
        saved, line = [], orders[0].lines.first()
        before = Stock.objects.filter(pk=line.book_id).values_list("quantity", flat=True).first() or 0

        def hear(sender, instance, **kwargs):
            saved.append(instance.pk)

        post_save.connect(hear, sender=Order)
        try:
            response = act(admin_client, "cancel", [*orders, shipped], confirmed="yes")
        finally:
            post_save.disconnect(hear, sender=Order)
        assert sorted(saved) == [order.pk for order in orders]
        again = orders[1].lines.filter(book=line.book_id).values_list("quantity", flat=True).first() or 0
        assert Stock.objects.get(pk=line.book_id).quantity == before + line.quantity + again
        assert said(response) == [
            "2 orders are cancelled.",
            f"Shipped or cancelled before, and left alone: {shipped.number}.",
        ]
        assert LogEntry.objects.filter(user=admin_user, content_type__model="order").count() == 2

    def test_it_is_for_those_who_may_cancel(self, member):
        orders = some("open")
        client = member("Booksellers")
        page = client.get("/admin/orders/order/").content.decode()
        assert 'value="ship"' in page
        assert 'value="cancel"' not in page
        act(client, "cancel", orders, confirmed="yes")
        assert Order.objects.get(pk=orders[0].pk).status == "open"

    def test_managers_may(self, member):
        orders = some("open")
        act(member("Managers"), "cancel", orders, confirmed="yes")
        assert Order.objects.get(pk=orders[0].pk).status == "cancelled"


class TestInvoices:
    PATH = "/admin/orders/invoice/"

    def test_booksellers_see_their_own_and_managers_all(self, member):
        assert member("Managers").get(self.PATH).context["cl"].result_count == 166
        client = member("Booksellers")
        mine = Invoice.objects.order_by("pk")[:3]
        Invoice.objects.filter(pk__in=[invoice.pk for invoice in mine]).update(issued_by=client.user)
        assert client.get(self.PATH).context["cl"].result_count == 3
        other = Invoice.objects.exclude(issued_by=client.user).first()
        # Not listed, not found by its address, and not offered on another page.
        assert client.get(f"{self.PATH}{other.pk}/change/").status_code == 302
        choices = {"app_label": "orders", "model_name": "payment", "field_name": "invoice", "term": "I20"}
        offered = client.get("/admin/autocomplete/", choices).json()["results"]
        assert {int(choice["id"]) for choice in offered} == {invoice.pk for invoice in mine}

    def test_booksellers_issue_them_in_their_own_name(self, member):
        client, [order] = member("Booksellers"), some("open", 1)
        ida = User.objects.get(username="ida")
        form = {"number": "I2026-999999", "order": order.pk, "issued_by": ida.pk, "issued_on": "2026-07-01"}
        management = {"payments-TOTAL_FORMS": 0, "payments-INITIAL_FORMS": 0}
        assert client.post(f"{self.PATH}add/", form | management | {"amount": "5.00"}).status_code == 302
        assert Invoice.objects.get(number="I2026-999999").issued_by == client.user

    def test_paid_or_not_is_an_icon(self, admin_page):
        unpaid = Invoice.objects.unpaid().first()
        assert re.search(
            r'field-is_paid"><img src="[^"]*icon-no', admin_page(f"{self.PATH}?q={unpaid}").content.decode()
        )


class TestTurnover:
    PATH = "/admin/orders/booksales/report/"

    def test_the_list_of_sales_leads_to_it(self, admin_page):
        assert f'href="{self.PATH}"' in admin_page("/admin/orders/booksales/").content.decode()

    def test_it_adds_up(self, admin_page, django_assert_num_queries):
        # The session, the user, the years and the sums.
        with django_assert_num_queries(4):
            page = admin_page(f"{self.PATH}?year=2025")
        sold = Order.objects.placed_in(2025).exclude(status="cancelled")
        lines = OrderLine.objects.filter(order__in=sold)
        assert page.context["total"] == {
            "orders": sold.filter(lines__isnull=False).distinct().count() + sold.filter(lines=None).count(),
            "copies": sum(line.quantity for line in lines),
            "revenue": sum(line.amount for line in lines),
        }
        assert len(page.context["months"]) == 12
        assert ">December<" in page.content.decode()

    @pytest.mark.parametrize("year", ["", "1066", "nonsense", "²", "9" * 5000])
    def test_without_a_year_of_sales_it_shows_the_latest(self, admin_page, year):
        assert admin_page(self.PATH + f"?year={year}").context["year"] == 2026

    def test_it_is_for_staff_who_may_see_sales(self, client, member):
        assert client.get(self.PATH).headers["Location"].startswith("/admin/login/")
        client.force_login(User.objects.get(username="ida"))
        assert client.get(self.PATH).status_code == 403
        assert member("Booksellers").get(self.PATH).status_code == 200

    def test_a_shop_that_sold_nothing_says_so(self, empty_shop, admin_page):
        assert "Nothing was sold yet" in admin_page(self.PATH).content.decode()


@pytest.mark.parametrize(
    ("supply", "condition"),
    [
        ("plenty", {"stock__quantity__gt": 5}),
        ("low", {"stock__quantity__in": range(1, 6)}),
        ("out", {"stock__quantity": 0}),
        ("never", {"stock": None}),
    ],
)
def test_books_are_filtered_by_what_is_on_the_shelf(admin_page, supply, condition):
    found = admin_page(f"/admin/catalog/book/?supply={supply}").context["cl"].result_count
    assert found == Book.objects.filter(**condition).count()


class TestAddingLines:
    def add(self, client, order, book, quantity):
        line = {"lines-0-order": order.pk, "lines-0-book": book.pk, "lines-0-quantity": quantity}
        form = {"status": order.status, "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-unit_price": "5.00"}
        return client.post(f"/admin/orders/order/{order.pk}/change/", form | line)

    def book(self, order):
        """A book of which the shop has ten, and that is not in the order yet."""
        book = Book.objects.filter(stock__isnull=False).exclude(lines__order=order).first()
        Stock.objects.filter(pk=book.pk).update(quantity=10)
        return book

    def test_what_is_sold_leaves_the_shelf_and_comes_back_with_the_order(self, admin_client):
        [order] = some("open", 1)
        book = self.book(order)
        assert self.add(admin_client, order, book, 4).status_code == 302
        assert order.lines.get(book=book).quantity == 4
        assert Stock.objects.get(pk=book.pk).quantity == 6
        cancel_order(order)
        assert Stock.objects.get(pk=book.pk).quantity == 10

    def test_what_is_not_there_cannot_be_sold(self, admin_client):
        [order] = some("open", 1)
        book = self.book(order)
        page = self.add(admin_client, order, book, 11)
        assert "Only 10 copies are left" in page.content.decode()
        assert not order.lines.filter(book=book).exists()
        assert Stock.objects.get(pk=book.pk).quantity == 10

    def test_a_cancelled_order_takes_no_more_books(self, admin_client):
        [order] = some("cancelled", 1)
        book = self.book(order)
        assert "takes no more books" in self.add(admin_client, order, book, 1).content.decode()
        assert Stock.objects.get(pk=book.pk).quantity == 10


class TestStock:
    PATH = "/admin/catalog/book/4/change/"

    def sell(self):
        Stock.objects.filter(pk=4).update(quantity=3)

    def test_copies_sold_while_the_book_is_edited_stay_sold(self, admin_page, admin_client):
        data = posted(admin_page(self.PATH)) | {"pages": 477}
        self.sell()
        assert admin_client.post(self.PATH, data).status_code == 302
        assert Book.objects.get(pk=4).pages == 477
        assert Stock.objects.get(pk=4).quantity == 3

    def test_a_count_that_is_out_of_date_is_refused(self, admin_page, admin_client):
        data = posted(admin_page(self.PATH)) | {"stock-0-quantity": 30}
        self.sell()
        assert "By now, 3 are on the shelf." in admin_client.post(self.PATH, data).content.decode()
        assert Stock.objects.get(pk=4).quantity == 3

    def test_the_page_carries_the_number_it_showed(self, admin_page):
        assert 'name="initial-stock-0-quantity"' in admin_page(self.PATH).content.decode()

    def test_a_count_is_saved(self, admin_page, admin_client):
        data = posted(admin_page(self.PATH)) | {"stock-0-quantity": 30}
        assert admin_client.post(self.PATH, data).status_code == 302
        assert Stock.objects.get(pk=4).quantity == 30
