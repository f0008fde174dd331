import json
from decimal import Decimal

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore

from catalog.models import Book
from storefront.cart import MOST_COPIES, Cart

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    # Kept in a cookie: nothing of it asks the database.
    return SessionStore()


@pytest.fixture
def cart(session):
    return Cart(session)


@pytest.fixture
def emma():
    return Book.objects.get(slug="emma")


@pytest.fixture
def villette():
    return Book.objects.get(slug="villette")


def test_a_new_cart_is_empty(cart, session):
    assert (len(cart), list(cart), cart.wanted) == (0, [], {})
    assert not session.modified


def test_adding_counts_copies(cart, emma, villette):
    cart.add(emma)
    cart.add(villette, 2)
    cart.add(emma, 3)
    assert len(cart) == 6
    assert cart.wanted == {emma.pk: 4, villette.pk: 2}


def test_a_change_marks_the_session_as_changed(cart, session, emma):
    cart.add(emma)
    session.modified = False
    cart.add(emma)
    assert session.modified


def test_the_cart_survives_the_way_through_json(cart, session, emma):
    cart.add(emma, 2)
    assert Cart(json.loads(json.dumps(dict(session)))).wanted == {emma.pk: 2}


def test_setting_replaces_and_zero_removes(cart, emma, villette):
    cart.add(emma, 5)
    cart.add(villette)
    cart.set(emma, 2)
    cart.set(villette, 0)
    assert cart.wanted == {emma.pk: 2}


def test_what_is_not_there_can_be_removed(cart, emma):
    cart.remove(emma)
    assert cart.wanted == {}


@pytest.mark.parametrize("quantity", [-1, MOST_COPIES + 1])
def test_a_number_out_of_range_is_refused(cart, emma, quantity):
    with pytest.raises(ValueError, match="up to 99 copies"):
        cart.set(emma, quantity)
    assert cart.wanted == {}


def test_adding_does_not_go_beyond_the_limit(cart, emma):
    cart.set(emma, MOST_COPIES)
    with pytest.raises(ValueError, match="not 100"):
        cart.add(emma)
    assert len(cart) == MOST_COPIES


def test_clearing_leaves_nothing_in_the_session(cart, session, emma):
    cart.add(emma)
    cart.clear()
    assert dict(session) == {}


def test_the_lines_take_one_query_whatever_they_show(cart, django_assert_num_queries):
    for book in Book.objects.all()[:20]:
        cart.add(book, 2)
    with django_assert_num_queries(1):
        lines = [(line.book.author.name, line.book.stock.quantity, line.amount) for line in cart]
    assert len(lines) == 20


def test_the_number_of_copies_takes_no_query(cart, emma, django_assert_num_queries):
    cart.add(emma, 2)
    with django_assert_num_queries(0):
        assert len(cart) == 2


def test_a_line_costs_what_the_book_costs_now(cart, emma):
    cart.add(emma, 3)
    Book.objects.filter(pk=emma.pk).update(price=Decimal("2.50"))
    assert [line.amount for line in cart] == [Decimal("7.50")]


def test_a_book_that_left_the_catalogue_has_no_line(cart, emma):
    new = Book.objects.create(title="Sanditon", slug="sanditon", author=emma.author, price=1)
    cart.add(new)
    cart.add(emma)
    new.delete()
    assert [line.book for line in cart] == [emma]
