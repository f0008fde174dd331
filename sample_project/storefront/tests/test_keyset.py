from decimal import Decimal

import pytest
from django.db import connection
from django.utils import translation

from catalog.models import Author, Book
from orders.models import Order
from storefront.keyset import BadCursor, Keyset

pytestmark = pytest.mark.django_db

BY_TITLE = ("title", "author_id")


def by_title(books=None, per_page=10):
    return Keyset(Book.objects.all() if books is None else books, BY_TITLE, per_page)


def walk(keyset):
    """The pages, from the first to the last."""
    after = None
    while True:
        page = keyset.page(after)
        yield page.rows
        after = page.after
        if after is None:
            return


def new_book(title):
    author = Author.objects.first()
    return Book.objects.create(title=title, slug=title.lower(), author=author, price=Decimal(1))


def test_the_pages_hold_every_row_once_and_in_order():
    rows = [book for page in walk(by_title()) for book in page]
    assert rows == list(Book.objects.order_by(*BY_TITLE))


def test_a_page_may_end_between_equal_values():
    poems = list(walk(by_title(Book.objects.filter(title="Poems"), per_page=1)))
    assert [len(page) for page in poems] == [1, 1, 1]
    assert len({book.author_id for (book,) in poems}) == 3


@pytest.mark.parametrize("fields", [("-placed_at", "-pk"), ("status", "-placed_at", "pk")])
def test_columns_may_descend_and_be_of_any_kind(fields):
    fields = tuple(field.replace("pk", "id") for field in fields)
    rows = [order.pk for page in walk(Keyset(Order.objects.all(), fields, 150)) for order in page]
    assert rows == list(Order.objects.order_by(*fields).values_list("pk", flat=True))


def test_a_row_that_comes_in_between_is_neither_repeated_nor_makes_another_skipped():
    keyset = by_title()
    first = keyset.page()
    shown = {book.pk for book in first.rows}
    before, behind = new_book("A"), new_book(first.rows[-1].title + " II")
    second = keyset.page(first.after)
    assert shown.isdisjoint(book.pk for book in second.rows)
    assert second.rows[0] == behind
    assert before not in second.rows
    # The same with numbers of pages: the row that was the last of page 1 comes again.
    assert first.rows[-1] in Book.objects.order_by(*BY_TITLE)[10:20]


def test_the_row_of_the_cursor_may_be_gone():
    keyset = by_title(Book.objects.never_ordered(), per_page=2)
    expected = keyset.page(keyset.page().after).rows
    first = keyset.page()
    first.rows[-1].delete()
    assert keyset.page(first.after).rows == expected


def test_a_page_takes_one_query_wherever_it_is(django_assert_num_queries):
    keyset = by_title()
    after = None
    for _ in range(3):
        with django_assert_num_queries(1):
            after = keyset.page(after).after


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan of SQLite")
def test_a_page_is_a_range_of_the_index_and_needs_no_sorting():
    keyset = by_title()
    plan = keyset.queryset.filter(keyset._behind(["Emma", 1]))[:11].explain()
    assert "SEARCH" in plan
    assert "(title>?)" in plan
    assert "TEMP B-TREE" not in plan


def test_the_last_page_has_no_cursor():
    assert by_title(per_page=500).page().after is None
    assert by_title(Book.objects.none()).page().after is None
    # Exactly full.
    assert by_title(per_page=Book.objects.count()).page().after is None


def test_a_cursor_is_the_same_on_every_run():
    assert by_title().page().after == by_title().page().after


@pytest.mark.parametrize("cursor", ["nonsense", "WyJFbW1hIiwiMSJd:forged", "a" * 2000, "é\x00"])
def test_a_cursor_that_was_not_given_out_is_refused(cursor):
    with translation.override("de"), pytest.raises(BadCursor, match="führt nirgendwohin"):
        raise BadCursor
    with pytest.raises(BadCursor, match="leads nowhere"):
        by_title().page(cursor)


def test_a_cursor_of_another_list_is_refused():
    other = Keyset(Book.objects.all(), ("-added", "id"), 10).page().after
    with pytest.raises(BadCursor):
        by_title().page(other)


def test_a_column_that_may_be_null_is_refused():
    with pytest.raises(ValueError, match=r"Book.rating may be NULL"):
        Keyset(Book.objects.all(), ("rating", "id"), 10)
