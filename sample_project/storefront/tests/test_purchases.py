from datetime import date
from decimal import Decimal
from unittest import mock

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from catalog.models import Book
from orders.exceptions import OutOfStock
from orders.models import Order
from storefront.cart import MOST_COPIES, Cart
from storefront.forms import CartLineForm, OrderSearchForm

pytestmark = pytest.mark.django_db

CART, CHECKOUT, ORDERS = "/cart/", "/checkout/", "/orders/"


def add(client, slug="emma", **data):
    return client.post(reverse("storefront:cart-add", args=[slug]), {"quantity": 1, **data})


def wanted(client):
    return Cart(client.session).wanted


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def lines(*pairs):
    """The data of the cart's form set: `lines((book, 2), …)`."""
    data = {"lines-TOTAL_FORMS": len(pairs), "lines-INITIAL_FORMS": len(pairs)}
    for number, (book, quantity) in enumerate(pairs):
        data |= {f"lines-{number}-book": getattr(book, "pk", book), f"lines-{number}-quantity": quantity}
    return data


class TestAdding:
    def test_a_copy_goes_into_the_cart_and_the_customer_back_to_the_book(self, client, emma):
        response = add(client)
        assert (response.status_code, response.url) == (302, "/books/emma/")
        assert wanted(client) == {emma.pk: 1}
        assert said(response) == ["“Emma” is in your cart."]

    def test_the_button_is_on_the_page_of_the_book(self, client):
        shown = client.get("/books/emma/").content.decode()
        assert 'action="/cart/add/emma/"' in shown
        assert "csrfmiddlewaretoken" in shown

    def test_a_link_cannot_buy(self, client):
        assert client.get("/cart/add/emma/").status_code == 405
        assert wanted(client) == {}

    def test_a_form_of_another_site_cannot_buy(self, client):
        client.handler.enforce_csrf_checks = True
        assert add(client).status_code == 403

    def test_what_does_not_exist_cannot_be_bought(self, client):
        assert add(client, "nothing").status_code == 404

    @pytest.mark.parametrize("quantity", ["0", "-1", "100", "many", ""])
    def test_a_quantity_that_makes_no_sense_is_explained(self, client, quantity):
        response = add(client, quantity=quantity)
        assert response.status_code == 302
        assert len(said(response)) == 1
        assert wanted(client) == {}

    def test_more_than_a_cart_takes_is_explained(self, client, emma):
        add(client, quantity=MOST_COPIES)
        assert "up to 99 copies" in said(add(client))[-1]
        assert wanted(client) == {emma.pk: MOST_COPIES}

    def test_the_form_may_name_the_page_to_go_on_with(self, client):
        assert add(client, next="/arrivals/?page=2").url == "/arrivals/?page=2"

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "\t//evil"]
    )
    def test_that_page_is_one_of_the_shop(self, client, target):
        assert add(client, next=target).url == "/books/emma/"

    def test_over_https_no_link_leads_back_to_http(self, client):
        data = {"quantity": 1, "next": "http://testserver/cart/"}
        assert client.post("/cart/add/emma/", data, secure=True).url == "/books/emma/"
        assert client.post("/cart/add/emma/", data).url == "http://testserver/cart/"


class TestCartPage:
    def test_an_empty_cart_says_so(self, client):
        assert "Your cart is empty." in client.get(CART).content.decode()

    def test_it_shows_lines_and_total(self, client, emma):
        add(client, quantity=3)
        response = client.get(CART)
        assert response.context["formset"].total == 3 * emma.price
        assert "Jane Austen" in response.content.decode()

    def test_the_quantities_are_set_all_at_once(self, client, emma):
        add(client)
        add(client, "villette")
        villette = Book.objects.get(slug="villette")
        response = client.post(CART, lines((emma, 4), (villette, 0)))
        assert (response.status_code, response.url) == (302, CART)
        assert wanted(client) == {emma.pk: 4}

    @pytest.mark.parametrize("quantity", ["-1", "100", "some", ""])
    def test_one_wrong_quantity_changes_nothing_and_is_shown_again(self, client, emma, quantity):
        add(client)
        add(client, "villette")
        villette = Book.objects.get(slug="villette")
        response = client.post(CART, lines((emma, 4), (villette, quantity)))
        assert response.status_code == 200
        assert [bool(form.errors) for form in response.context["formset"]] == [False, True]
        assert response.context["formset"].rows[0]["quantity"].value() == "4"
        assert wanted(client) == {emma.pk: 1, villette.pk: 1}

    def test_a_line_that_another_tab_removed_does_not_come_back(self, client, emma):
        add(client)
        villette = Book.objects.get(slug="villette")
        assert client.post(CART, lines((villette, 2), (emma, 3))).status_code == 302
        assert wanted(client) == {emma.pk: 3}

    @pytest.mark.parametrize("book", ["x", "", "9" * 30, "9" * 5000, "²"])
    def test_a_line_about_no_book_does_no_harm(self, client, emma, book):
        add(client)
        assert client.post(CART, lines((book, 2))).status_code in {200, 302}
        assert wanted(client) == {emma.pk: 1}

    def test_a_form_set_without_its_management_form_is_an_error_of_the_form(self, client):
        add(client)
        response = client.post(CART, {"lines-0-quantity": 2})
        assert response.status_code == 200
        assert response.context["formset"].non_form_errors()

    def test_it_takes_as_many_queries_for_many_lines_as_for_one(self, client, django_assert_num_queries):
        add(client)
        with CaptureQueriesContext(connection) as queries:
            client.get(CART)
            few = len(queries)
        for book in Book.objects.all()[:30]:
            add(client, book.slug)
        with django_assert_num_queries(few):
            client.get(CART)

    def test_the_books_take_one_query(self, client, django_assert_num_queries):
        add(client)
        # One for the session, one for the books.
        with django_assert_num_queries(2):
            client.get(CART)


def test_the_cart_survives_the_login(client, customer, emma):
    add(client)
    client.force_login(customer)
    assert wanted(client) == {emma.pk: 1}


class TestCheckout:
    def order(self, client, **data):
        return client.post(CHECKOUT, {"note": "", "agreed": "on", **data})

    def test_it_asks_for_a_login_and_comes_back(self, client):
        add(client)
        response = client.get(CHECKOUT)
        assert response.status_code == 302
        assert response.url.endswith("?next=/checkout/")

    def test_an_empty_cart_has_no_checkout(self, shopper):
        response = shopper.get(CHECKOUT)
        assert response.url == CART
        assert "Your cart is empty" in said(response)[0]

    def test_it_shows_what_will_be_ordered(self, shopper, emma):
        add(shopper, quantity=2)
        response = shopper.get(CHECKOUT)
        assert response.context["total"] == 2 * emma.price
        assert "Emma" in response.content.decode()

    def test_ordering_takes_the_copies_and_empties_the_cart(self, shopper, customer, emma):
        add(shopper, quantity=2)
        response = self.order(shopper, note="Ring twice")
        order = Order.objects.get(customer=customer)
        assert (response.status_code, response.url) == (302, f"/orders/{order.number}/")
        assert [(line.book, line.quantity, line.unit_price) for line in order.lines.all()] == [(emma, 2, emma.price)]
        assert order.note == "Ring twice"
        assert wanted(shopper) == {}
        left = emma.stock.quantity
        emma.stock.refresh_from_db()
        assert emma.stock.quantity == left - 2
        assert order.number in said(response)[-1]

    def test_what_cannot_be_sold_is_said_and_stays_in_the_cart(self, shopper, customer):
        add(shopper)
        add(shopper, "nana", quantity=2)
        response = self.order(shopper, note="Please")
        assert response.status_code == 200
        assert response.context["form"].non_field_errors()[0].startswith("Only 0 copies are left of Nana")
        assert "Please" in response.content.decode()
        assert len(wanted(shopper)) == 2
        assert not customer.orders.exists()

    def test_any_refusal_of_an_order_is_the_customers_to_read(self, shopper, emma):
        add(shopper)
        with mock.patch("storefront.purchases.place_order", side_effect=OutOfStock(emma, 1, 0)):
            assert "Only 0 copies are left of Emma" in self.order(shopper).content.decode()

    def test_a_button_that_is_pressed_twice_orders_once(self, shopper, customer):
        add(shopper)
        key = shopper.get(CHECKOUT).context["form"]["key"].value()
        # The second request has read the session before the first one emptied the cart.
        read = dict(shopper.session.items())
        self.order(shopper, key=key)
        session = shopper.session
        session.update(read)
        session.save()
        response = self.order(shopper, key=key)
        assert response.url == ORDERS
        assert said(response)[-1] == "The button was pressed twice, and the order taken once."
        assert customer.orders.count() == 1

    def test_what_failed_can_be_sent_again(self, shopper, customer, emma):
        add(shopper)
        key = shopper.get(CHECKOUT).context["form"]["key"].value()
        for failure in (OutOfStock(emma, 1, 0), OSError("The database is away.")):
            shopper.raise_request_exception = False
            with mock.patch("storefront.purchases.place_order", side_effect=failure):
                self.order(shopper, key=key)
        assert self.order(shopper, key=key).status_code == 302
        assert customer.orders.count() == 1

    def test_each_page_is_an_order_of_its_own(self, shopper):
        add(shopper)
        one, two = (shopper.get(CHECKOUT).content.decode().partition('name="key" value="')[2][:36] for _ in "12")
        assert one != two

    def test_without_the_tick_there_is_no_order(self, shopper, customer):
        add(shopper)
        response = shopper.post(CHECKOUT, {"note": ""})
        assert "Tick the box" in response.content.decode()
        assert not customer.orders.exists()

    def test_a_book_that_left_the_catalogue_does_not_hold_up_the_others(self, shopper, customer, emma):
        sanditon = Book.objects.create(title="Sanditon", slug="sanditon", author=emma.author, price=1)
        add(shopper, "sanditon")
        add(shopper)
        sanditon.delete()
        assert self.order(shopper).status_code == 302
        assert customer.orders.get().lines.count() == 1


@pytest.fixture
def anna(client):
    anna = User.objects.get(username="anna")
    client.force_login(anna)
    return anna


class TestOrders:
    def test_they_ask_for_a_login(self, client):
        assert client.get(ORDERS).url.endswith("?next=/orders/")

    def test_a_customer_sees_their_own_newest_first(self, client, anna):
        shown = list(client.get(ORDERS).context["orders"])
        assert shown == list(anna.orders.order_by("-placed_at", "-pk")[:10])

    def test_each_shows_its_amount_and_copies(self, client, anna):
        for order in client.get(ORDERS).context["orders"]:
            assert order.amount == order.total
            assert order.copies == sum(line.quantity for line in order.lines.all())

    def test_the_links_between_pages_keep_the_search(self, client, anna):
        shown = client.get(ORDERS, {"status": "shipped"}).content.decode()
        assert "?status=shipped&amp;page=2" in shown

    def test_a_page_that_does_not_exist_is_not_found(self, client, anna):
        assert client.get(ORDERS, {"page": 99}).status_code == 404

    def test_days_count_whole(self, client, anna):
        first, last = anna.orders.earliest(), anna.orders.latest()
        days = {"since": first.placed_at.date().isoformat(), "until": last.placed_at.date().isoformat()}
        assert client.get(ORDERS, days).context["paginator"].count == anna.orders.count()
        assert list(client.get(ORDERS, days | {"until": days["since"]}).context["orders"]) == [first]

    def test_days_the_wrong_way_round_are_explained(self, client, anna):
        response = client.get(ORDERS, {"since": "2026-02-01", "until": "2026-01-01"})
        assert "The first day is after the last one." in response.content.decode()
        assert list(response.context["orders"]) == []

    def test_who_ordered_nothing_is_told_so(self, shopper):
        assert "not ordered anything yet" in shopper.get(ORDERS).content.decode()

    def test_the_list_takes_as_many_queries_for_ten_orders_as_for_one(self, client, anna, django_assert_num_queries):
        # Session, user, count, orders with their sums.
        for query in ({}, {"page": 4}):
            with django_assert_num_queries(4):
                client.get(ORDERS, query)


class TestOrder:
    def path(self, order):
        return reverse("storefront:order", args=[order.number])

    def test_its_owner_sees_every_line(self, client, anna):
        order = anna.orders.latest()
        shown = client.get(self.path(order)).content.decode()
        assert all(line.book.title.replace("'", "&#x27;") in shown for line in order.lines.select_related("book"))

    def test_another_customer_does_not_find_it(self, shopper):
        order = User.objects.get(username="anna").orders.latest()
        assert shopper.get(self.path(order)).status_code == 404

    def test_not_even_a_bookseller_finds_it_here(self, admin_client):
        order = User.objects.get(username="anna").orders.latest()
        assert admin_client.get(self.path(order)).status_code == 404

    def test_without_a_login_nobody_learns_whether_it_exists(self, client):
        order = User.objects.get(username="anna").orders.latest()
        assert client.get(self.path(order)).status_code == client.get("/orders/2026-999999/").status_code == 302

    def test_it_takes_as_many_queries_for_eight_lines_as_for_one(self, client, django_assert_num_queries):
        by_lines = {}
        for order in Order.objects.prefetch_related("lines"):
            by_lines.setdefault(order.lines.count(), order)
        for number in (1, 8):
            client.force_login(by_lines[number].customer)
            # Session, user, order, lines with books and authors.
            with django_assert_num_queries(4):
                client.get(self.path(by_lines[number]))


class TestForms:
    def test_fields_are_cleaned_in_their_order_and_the_form_last(self):
        class Noting(OrderSearchForm):
            def clean_since(self):
                seen.append(("since", sorted(self.cleaned_data)))
                return self.cleaned_data["since"]

            def clean_until(self):
                seen.append(("until", sorted(self.cleaned_data)))
                return self.cleaned_data["until"]

            def clean(self):
                seen.append(("form", sorted(self.cleaned_data)))
                super().clean()

        seen = []
        Noting({"since": "2026-01-01", "until": "2026-02-01"}).is_valid()
        assert seen == [("since", ["since"]), ("until", ["since", "until"]), ("form", ["since", "status", "until"])]

    def test_the_form_is_cleaned_even_where_a_field_was_wrong(self):
        form = OrderSearchForm({"since": "yesterday", "until": "2026-01-01"})
        assert list(form.errors) == ["since"]
        assert form.cleaned_data == {"until": date(2026, 1, 1), "status": ""}

    @pytest.mark.parametrize(("quantity", "valid"), [(0, True), (MOST_COPIES, True), (MOST_COPIES + 1, False)])
    def test_the_form_of_a_line_knows_the_limits_of_the_cart(self, quantity, valid):
        assert CartLineForm({"book": 1, "quantity": quantity}).is_valid() is valid

    def test_a_search_that_is_not_valid_finds_nothing(self):
        form = OrderSearchForm({"status": "lost"})
        assert not form.narrow(Order.objects.all()).exists()


def test_money_stays_exact(shopper, emma):
    Book.objects.filter(pk=emma.pk).update(price=Decimal("0.10"))
    add(shopper, quantity=3)
    assert shopper.get(CHECKOUT).context["total"] == Decimal("0.30")
