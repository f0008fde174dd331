"""Lists come in pieces, and the pieces make the list."""

from base64 import b64encode

import pytest

from catalog.models import Book
from orders.models import Order

BOOKS = "/api/v1/books/"


def pages(client, url, direction="next"):
    while url:
        page = client.get(url).json()
        yield page["results"]
        url = page[direction]


@pytest.mark.parametrize("ordering", ["title", "-title", "price", "-price", "added", "-added"])
@pytest.mark.parametrize("size", [7, 50])
def test_every_book_comes_once_however_many_are_equal(anybody, ordering, size):
    found = [book["slug"] for page in pages(anybody, f"{BOOKS}?page_size={size}&ordering={ordering}") for book in page]
    assert found == list(Book.objects.order_by(ordering, "pk").values_list("slug", flat=True))


def test_the_way_back(anybody):
    *_, last = iterate(anybody, f"{BOOKS}?page_size=60")
    backwards = list(pages(anybody, last["previous"], "previous"))
    assert [book["slug"] for page in reversed(backwards) for book in page] == list(
        Book.objects.order_by("title", "pk").values_list("slug", flat=True)[:120]
    )


def iterate(client, url):
    while url:
        page = client.get(url).json()
        yield page
        url = page["next"]


def test_a_new_book_moves_nobody(anybody):
    """With numbered pages, a row before the page pushes the last one of it onto the next: it would come twice."""
    first = anybody.get(f"{BOOKS}?page_size=5").json()
    Book.objects.create(title="A", slug="a", author_id=1, price=1)
    second = anybody.get(first["next"]).json()
    seen = [book["slug"] for page in [first, second] for book in page["results"]]
    assert seen == list(Book.objects.exclude(slug="a").order_by("title", "pk").values_list("slug", flat=True)[:10])


def test_orders_of_the_same_moment_come_once(bookseller):
    numbers = [order["number"] for page in pages(bookseller, "/api/v1/orders/?page_size=100") for order in page]
    assert numbers == list(Order.objects.order_by("-placed_at", "pk").values_list("number", flat=True))


@pytest.mark.parametrize("position", ["p=abc", "p=%00", "o=x", "r=x"])
def test_a_cursor_that_was_made_up_is_not_found(anybody, position):
    cursor = b64encode(position.encode()).decode()
    response = anybody.get(BOOKS, {"ordering": "price", "cursor": cursor})
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid cursor"})


def test_pages_have_a_greatest_size(anybody):
    assert len(anybody.get(f"{BOOKS}?page_size=100000").json()["results"]) == 100
    assert len(anybody.get("/api/v1/authors/?page_size=100000").json()["results"]) == 100


def test_numbered_pages_say_how_many_there_are(anybody):
    answer = anybody.get("/api/v1/authors/?page=2&page_size=50").json()
    assert (answer["count"], len(answer["results"])) == (110, 50)
    assert answer["next"] == "http://testserver/api/v1/authors/?page=3&page_size=50"
    assert anybody.get("/api/v1/authors/?page=1000").status_code == 404
