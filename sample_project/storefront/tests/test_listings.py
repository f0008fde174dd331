import inspect
import re
from decimal import Decimal
from unittest import mock

import django
import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from catalog.models import Author, Book
from storefront import listings
from storefront.views import BOOKS_PER_PAGE

pytestmark = pytest.mark.django_db


def main(response):
    """What the page says: around it, links may name the address it has."""
    return re.search(r"<main.*</main>", response.content.decode(), re.DOTALL).group()


def new_books(number, **fields):
    fields = {"author": Author.objects.first(), "price": Decimal(1)} | fields
    return Book.objects.bulk_create(
        Book(title=f"Aa {number:03}", slug=f"aa-{number}", **fields) for number in range(number)
    )


class TestClassesOfTheSamePages:
    @pytest.mark.parametrize("slug", ["jane-austen", "homer", "george-sand"])
    def test_the_page_of_an_author(self, client, slug):
        function = client.get(reverse("storefront:author", args=[slug]))
        class_based = client.get(reverse("storefront:author-books", args=[slug]))
        assert main(class_based) == main(function)
        assert class_based.context["author"] == function.context["author"]
        assert list(class_based.context["books"]) == list(function.context["books"])

    @pytest.mark.parametrize("slug", ["social-novel", "crime", "cookery"])
    @pytest.mark.parametrize("page", ["", "2", "99", "two"])
    def test_the_page_of_a_genre(self, client, slug, page):
        function = client.get(reverse("storefront:genre", args=[slug]), {"page": page})
        class_based = client.get(reverse("storefront:genre-books", args=[slug]), {"page": page})
        assert class_based.status_code == function.status_code == 200
        assert main(class_based) == main(function)
        assert class_based.context["genre"] == function.context["genre"]
        assert list(class_based.context["page"]) == list(function.context["page"])

    @pytest.mark.parametrize("name", ["author", "author-books", "genre", "genre-books"])
    def test_what_does_not_exist_is_not_found_by_either(self, client, name):
        assert client.get(reverse(f"storefront:{name}", args=["nothing"])).status_code == 404

    @pytest.mark.parametrize(("name", "slug"), [("author", "jane-austen"), ("genre", "crime")])
    def test_they_take_the_same_queries(self, client, django_assert_num_queries, name, slug):
        with django_assert_num_queries(2 if name == "author" else 3):
            client.get(reverse(f"storefront:{name}", args=[slug]))
        with django_assert_num_queries(2 if name == "author" else 3):
            client.get(reverse(f"storefront:{name}-books", args=[slug]))

    @pytest.mark.parametrize("name", ["author-books", "genre-books"])
    def test_only_the_classes_refuse_what_they_have_no_method_for(self, client, name):
        assert client.post(reverse(f"storefront:{name}", args=["nothing"])).status_code == 405


class TestBooks:
    def get(self, client, **query):
        return client.get(reverse("storefront:books"), query)

    def rows(self, client, **query):
        """All books, by following the links."""
        rows = []
        while True:
            page = self.get(client, **query).context["page"]
            rows += page.rows
            if page.after is None:
                return rows
            query["after"] = page.after

    def test_the_links_lead_through_every_book(self, client):
        assert self.rows(client) == list(Book.objects.order_by("title", "author_id"))

    def test_the_link_is_in_the_page_and_works(self, client):
        shown = self.get(client, in_stock="on").content.decode()
        link = re.search(r'rel="next" href="([^"]+)"', shown).group(1).replace("&amp;", "&")
        second = client.get(reverse("storefront:books") + link)
        assert second.status_code == 200
        assert len(second.context["page"].rows) == BOOKS_PER_PAGE
        assert second.context["form"].cleaned_data["in_stock"]
        assert "First page" in second.content.decode()

    def test_books_that_come_in_between_shift_nothing(self, client):
        first = self.get(client).context["page"]
        new_books(5)
        second = self.get(client, after=first.after).context["page"]
        assert second.rows == list(Book.objects.order_by("title", "author_id"))[5:][BOOKS_PER_PAGE:][:BOOKS_PER_PAGE]

    @pytest.mark.parametrize("after", ["nonsense", "WyJFbW1hIiwiMSJd:forged"])
    def test_a_bad_cursor_is_a_bad_request_that_says_how_to_go_on(self, client, after):
        response = self.get(client, after=after, price_to="9")
        assert response.status_code == 400
        assert "This link leads nowhere" in response.content.decode()
        assert 'href="?price_to=9"' in response.content.decode()

    def test_a_price_range(self, client):
        prices = {book.price for book in self.rows(client, price_from="9.50", price_to="9.75")}
        assert (min(prices), max(prices)) == (Decimal("9.50"), Decimal("9.75"))

    def test_only_what_is_in_stock(self, client):
        rows = self.rows(client, in_stock="on")
        assert len(rows) == Book.objects.filter(stock__quantity__gt=0).count() < Book.objects.count()

    def test_a_range_that_is_upside_down_is_explained_beside_its_field(self, client):
        response = self.get(client, price_from="10", price_to="9")
        assert response.status_code == 200
        assert response.context["form"].errors == {"price_to": ["This is less than the lower price."]}
        assert "This is less than the lower price." in response.content.decode()
        assert response.context["page"].rows == []
        assert "No book was found" not in response.content.decode()

    def test_a_field_that_is_wrong_by_itself_is_not_compared(self, client):
        form = self.get(client, price_from="much", price_to="9").context["form"]
        assert list(form.errors) == ["price_from"]

    @pytest.mark.parametrize("number", [0, 60])
    def test_one_query_on_every_page(self, client, django_assert_num_queries, number):
        new_books(number)
        after = None
        for _ in range(3):
            with django_assert_num_queries(1):
                after = self.get(client, after=after or "").context["page"].after


class TestArrivals:
    def get(self, client, **query):
        return client.get(reverse("storefront:arrivals"), query)

    def test_the_view_is_asynchronous(self):
        assert inspect.iscoroutinefunction(listings.arrivals)

    def test_the_newest_come_first(self, client):
        context = self.get(client).context
        assert context["books"] == list(Book.objects.newest()[:BOOKS_PER_PAGE])
        assert (context["previous"], context["number"], context["next"], context["last"]) == (None, 1, 2, 7)

    @pytest.mark.parametrize(("asked", "shown"), [("2", 2), ("7", 7), ("8", 7), ("0", 7), ("-1", 7), ("two", 1)])
    def test_a_page_that_does_not_exist_shows_the_nearest(self, client, asked, shown):
        assert self.get(client, page=asked).context["number"] == shown

    def test_the_last_page_holds_the_rest(self, client):
        context = self.get(client, page=7).context
        assert len(context["books"]) == Book.objects.count() - 6 * BOOKS_PER_PAGE
        assert context["next"] is None

    def test_an_empty_shop_has_one_empty_page(self, client, empty_shop):
        context = self.get(client).context
        assert (context["books"], context["number"], context["last"]) == ([], 1, 1)

    @pytest.mark.parametrize("number", [0, 60])
    def test_two_queries_on_every_page(self, client, django_assert_num_queries, number):
        new_books(number)
        for page in (1, 3):
            with django_assert_num_queries(2):
                self.get(client, page=page)

    def test_a_customer_who_is_logged_in_is_greeted_as_on_other_pages(self, shopper):
        assert self.get(shopper).status_code == 200

    @pytest.mark.skipif(django.VERSION < (6, 0), reason="There is an asynchronous paginator from Django 6.0 on.")
    @pytest.mark.parametrize("asked", [None, "1", "3", "7", "8", "0", "two"])
    def test_both_ways_to_count_agree(self, asked):
        def page():
            return django_run(listings.numbered_page(Book.objects.newest(), asked, BOOKS_PER_PAGE))

        with_paginator = page()
        with mock.patch.object(django, "VERSION", (5, 2, 0, "final", 0)):
            assert page() == with_paginator


def django_run(coroutine):
    """Run a coroutine that asks the database, on the connection of the test."""

    async def run():
        return await coroutine

    return async_to_sync(run)()
