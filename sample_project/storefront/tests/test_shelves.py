import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Book
from orders.models import Stock
from storefront.shelves import BestsellingShelf
from storefront.views import cards

pytestmark = pytest.mark.django_db


def shelf():
    return BestsellingShelf(cards(), 6)


def titles(books):
    return [book.title for book in books]


def test_it_holds_what_sold_most(db):
    assert titles(shelf()) == titles(cards().bestselling()[:6])


def test_it_asks_nothing_before_it_is_looked_at_and_once_however_often(django_assert_num_queries):
    with django_assert_num_queries(0):
        found = shelf()
    with django_assert_num_queries(1):
        assert found
        assert len(found) == 6
        assert found[0].author.name
        assert [book.stock for book in found]


def test_the_second_time_it_asks_for_the_books_alone(django_assert_num_queries):
    first = titles(shelf())
    with django_assert_num_queries(1) as second:
        assert titles(shelf()) == first
    assert "SUM" not in second.captured_queries[0]["sql"].upper()


def test_prices_and_stock_are_those_of_the_moment():
    first = shelf()[0]
    Book.objects.filter(pk=first.pk).update(price=99)
    Stock.objects.filter(pk=first.pk).update(quantity=0)
    again = shelf()[0]
    assert (again.pk, again.price, again.stock.quantity) == (first.pk, 99, 0)


def test_a_book_that_is_gone_leaves_its_place():
    found = list(shelf())
    found[0].lines.all().delete()
    Book.objects.filter(pk=found[0].pk).delete()
    assert [book.pk for book in shelf()] == [book.pk for book in found[1:]]


def test_a_deleted_book_makes_room_for_the_next_at_once(django_capture_on_commit_callbacks):
    found = list(shelf())
    found[0].lines.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        found[0].delete()
    assert len(shelf()) == 6


def test_an_empty_shelf_is_not_kept(empty_shop, django_assert_num_queries):
    assert not shelf()
    with django_assert_num_queries(1):
        assert titles(shelf()) == []


def test_home_takes_as_many_queries_the_second_time_as_the_first_and_the_dear_one_once(client):
    with CaptureQueriesContext(connection) as cold:
        client.get(reverse("storefront:home"))
    with CaptureQueriesContext(connection) as warm:
        client.get(reverse("storefront:home"))
    assert len(cold) == len(warm) == 5
    dear = [[query["sql"] for query in queries if "SUM(" in query["sql"].upper()] for queries in (cold, warm)]
    assert [len(found) for found in dear] == [1, 0]
