"""What is let in, and what is said about the rest."""

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.test import APIRequestFactory
from rest_framework.versioning import URLPathVersioning

from api.serializers import (
    BookSerializer,
    BookV2Serializer,
    OrderSerializer,
    ReviewSerializer,
)
from catalog.models import Book
from orders.models import Order
from reviews.models import Review

pytestmark = pytest.mark.django_db


def context_of(version):
    """What a view gives to its serializers, as far as it takes to make links."""
    request = APIRequestFactory().get("/")
    request.user, request.version, request.versioning_scheme = AnonymousUser(), version, URLPathVersioning()
    return {"request": request}


def errors(serializer, data, instance=None, **options):
    checked = serializer(instance, data=data, **options)
    assert not checked.is_valid()
    return checked.errors


def test_an_isbn_is_normalised(new_book):
    serializer = BookSerializer(data={**new_book, "isbn": "0-306-40615-2"})
    serializer.is_valid(raise_exception=True)
    assert serializer.validated_data["isbn"] == "9780306406157"


def test_an_isbn_that_is_none(new_book):
    found = errors(BookSerializer, {**new_book, "isbn": "978-99999-0004-2"})
    assert found == {"isbn": ["This is no ISBN: the check digit is wrong."]}
    assert found["isbn"][0].code == "invalid"


@pytest.mark.parametrize("isbn", ["9789999900041", "978-99999-0004-1"])
def test_an_isbn_is_unique_however_it_is_written(new_book, isbn):
    assert errors(BookSerializer, {**new_book, "isbn": isbn}) == {"isbn": ["Another book has this ISBN."]}


def test_a_book_may_keep_what_is_unique():
    emma = Book.objects.get(slug="emma")
    serializer = BookSerializer(emma, data={"slug": "emma", "isbn": "978-99999-0004-1"}, partial=True)
    assert serializer.is_valid()


def test_a_book_without_isbn(new_book):
    for isbn in [{}, {"isbn": None}]:
        serializer = BookSerializer(data={**new_book, **isbn})
        assert serializer.is_valid()


def test_two_fields_are_validated_together(new_book):
    message = {"published": ["Jane Austen was born in 1775."]}
    assert errors(BookSerializer, {**new_book, "published": 1770}) == message
    emma = Book.objects.get(slug="emma")
    assert errors(BookSerializer, {"published": 1770}, emma, partial=True) == message
    tolstoy = Book.objects.filter(author__born__gt=emma.published).first().author
    assert "published" in errors(BookSerializer, {"author_id": tolstoy.pk}, emma, partial=True)


def test_an_author_has_a_title_once(new_book):
    found = errors(BookSerializer, {**new_book, "title": "Emma"})
    assert found["non_field_errors"][0].code == "unique"


def test_the_author_is_written_by_id_and_read_as_an_object(new_book):
    written = errors(BookSerializer, {**new_book, "author_id": 0})
    assert written == {"author_id": ['Invalid pk "0" - object does not exist.']}
    without = {name: value for name, value in new_book.items() if name != "author_id"}
    assert errors(BookSerializer, {**without, "author": {"id": 1}}) == {"author_id": ["This field is required."]}


def test_a_price_is_not_below_nothing(new_book):
    assert "price" in errors(BookSerializer, {**new_book, "price": "-0.25"})
    assert "amount" in errors(BookV2Serializer, {**new_book, "price": {"amount": "-0.25"}})["price"]


def test_version_two_takes_and_gives_an_object(new_book):
    serializer = BookV2Serializer(data={**new_book, "price": {"amount": "6.50"}}, context=context_of("v2"))
    serializer.is_valid(raise_exception=True)
    assert str(serializer.save().price) == "6.50"
    assert serializer.data["price"] == {"amount": "6.50", "currency": "EUR"}
    assert errors(BookV2Serializer, new_book)["price"] == {
        "non_field_errors": ["Invalid data. Expected a dictionary, but got str."]
    }


def test_the_sum_of_an_order_without_lines_has_decimals_too():
    order = Order.objects.get(number="2026-001234")
    assert OrderSerializer(order, context=context_of("v1")).data["total"] == "0.00"


def test_who_left_is_a_former_customer():
    anonymous = Review.objects.anonymous().first()
    signed = Review.objects.by("anna").first()
    shown = ReviewSerializer([anonymous, signed], many=True, context=context_of("v1")).data
    assert [review["by"] for review in shown] == ["a former customer", "anna"]
    assert "reviewer" not in shown[0]
