"""A longer list costs no more queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Book
from orders.models import Order


def queries_for(client, url):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = client.get(url)
    assert response.status_code == 200
    return len(seen), len(response.json().get("results", []))


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # The books with author and stock; their genres.
        ("books/", 2),
        # How many; the authors; the first books of each.
        ("authors/", 3),
        # The book; how many reviews; the reviews with who wrote them; once per process, the content type.
        ("books/pride-and-prejudice/reviews/", 4),
    ],
)
def test_of_public_lists(anybody, version, path, expected):
    anybody.get(f"/api/{version}/books/emma/reviews/")
    few = queries_for(anybody, f"/api/{version}/{path}?page_size=5")
    many = queries_for(anybody, f"/api/{version}/{path}?page_size=50")
    assert many[1] > few[1] == 5
    assert few[0] == many[0] == expected


def test_of_orders(bookseller):
    few = queries_for(bookseller, "/api/v1/orders/?page_size=5")
    many = queries_for(bookseller, "/api/v1/orders/?page_size=50")
    assert (few[1], many[1]) == (5, 50)
    # The session and its user; what they may, by themselves and by their groups; the orders with their customers; the
    # lines; the books of these.
    assert few[0] == many[0] == 7


@pytest.mark.parametrize("lines", [1, 8])
def test_of_an_order(customer, bookseller, lines):
    from django.db.models import Count

    order = Order.objects.annotate(n=Count("lines")).filter(n=lines).first()
    assert queries_for(bookseller, f"/api/v1/orders/{order.number}/")[0] == 7


@pytest.mark.parametrize("slug", ["pride-and-prejudice", "on-the-origin-of-species"])
def test_of_a_book(anybody, slug):
    assert Book.objects.filter(slug=slug).exists()
    assert queries_for(anybody, f"/api/v1/books/{slug}/")[0] == 2


def test_of_the_bestsellers(anybody):
    with CaptureQueriesContext(connection) as seen:
        anybody.get("/api/v1/books/bestselling/")
    assert len(seen) == 1
