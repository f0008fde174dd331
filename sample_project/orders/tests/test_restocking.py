import pytest

from catalog.models import Book
from orders.exceptions import InvalidQuantity, UnknownBook
from orders.models import Stock
from orders.restocking import restock
from orders.signals import stock_changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """What `stock_changed` said."""
    heard = []

    def listen(sender, quantities, **kwargs):
        heard.append(quantities)

    stock_changed.connect(listen)
    yield heard
    stock_changed.disconnect(listen)


def test_copies_are_counted_up_and_it_is_said_after_the_commit(heard, django_capture_on_commit_callbacks):
    before = Stock.objects.get(pk=1).quantity
    with django_capture_on_commit_callbacks(execute=True):
        assert restock(1, 4) == before + 4
        assert heard == []
    assert Stock.objects.get(pk=1).quantity == before + 4
    assert heard == [{1: before + 4}]


def test_where_that_fails_django_can_name_it(django_capture_on_commit_callbacks):
    """Django 5.2 logs a robust callback that failed by its name, and fails itself where there is none."""
    with django_capture_on_commit_callbacks() as callbacks:
        restock(1, 4)
    assert [callback.__qualname__.partition(".")[0] for callback in callbacks] == ["restock"]


def test_a_book_that_was_not_kept_is_from_now_on(heard, django_capture_on_commit_callbacks):
    herland = Book.objects.get(title="Herland").pk
    with django_capture_on_commit_callbacks(execute=True):
        assert restock(herland, 2) == 2
    assert Stock.objects.get(pk=herland).quantity == 2
    assert heard[-1] == {herland: 2}


@pytest.mark.parametrize("copies", [0, -1, True, "3", 1.5, 32_768])
def test_what_is_no_number_of_copies_is_refused(copies):
    before = Stock.objects.get(pk=1).quantity
    with pytest.raises(InvalidQuantity):
        restock(1, copies)
    assert Stock.objects.get(pk=1).quantity == before


def test_an_unknown_book_is_refused():
    with pytest.raises(UnknownBook):
        restock(99_999, 1)
