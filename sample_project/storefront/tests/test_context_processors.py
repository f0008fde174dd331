import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from catalog.models import Book
from storefront.cart import Cart
from storefront.context_processors import shop

pytestmark = pytest.mark.django_db


def test_the_name_of_the_shop_is_on_every_page(client):
    assert "The Bookshop</a>" in client.get("/").content.decode()


def test_the_cart_is_counted_in_copies_and_without_a_query(rf, django_assert_num_queries):
    request = rf.get("/")
    request.session = SessionStore()
    cart = Cart(request.session)
    cart.add(Book.objects.get(slug="emma"), 2)
    cart.add(Book.objects.get(slug="nana"))
    with django_assert_num_queries(0):
        assert shop(request)["cart_count"] == 3


def test_the_session_is_read_only_by_templates_that_show_the_cart(rf):
    request = rf.get("/")
    request.session = SessionStore()
    count = shop(request)["cart_count"]
    assert not request.session.accessed
    assert count == 0
    assert request.session.accessed


def test_a_visitor_does_not_get_a_session_for_it(client, django_assert_num_queries):
    with django_assert_num_queries(2):
        response = client.get("/authors/jane-austen/")
    assert '<span class="count">0</span>' in response.content.decode()
    assert "sessionid" not in response.cookies


def test_the_masthead_shows_the_cart_of_the_session(client):
    session = client.session
    Cart(session).add(Book.objects.get(slug="emma"), 4)
    session.save()
    assert '<span class="count">4</span>' in client.get("/").content.decode()


def test_a_request_without_session_has_an_empty_cart():
    assert shop(RequestFactory().get("/"))["cart_count"] == 0
