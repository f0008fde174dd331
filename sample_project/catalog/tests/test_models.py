from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from catalog.models import Author, Book, Genre, Publisher

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return Author.objects.create(name="Fernando Pessoa", slug="fernando-pessoa")


def new_book(author, **changes):
    fields = {"title": "Mensagem", "slug": "mensagem", "author": author, "price": "8.50"}
    return Book.objects.create(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"price": Decimal("-0.01")}, "book_price_not_negative"),
        ({"rating": Decimal("5.01")}, "book_rating_from_0_to_5"),
        ({"rating": Decimal("-0.01")}, "book_rating_from_0_to_5"),
    ],
)
def test_the_database_refuses_a_book_out_of_bounds(author, changes, constraint):
    book = new_book(author)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Book.objects.filter(pk=book.pk).update(**changes)


@pytest.mark.parametrize("changes", [{"price": 0}, {"rating": 0}, {"rating": 5}, {"rating": None}])
def test_the_database_accepts_the_bounds(author, changes):
    assert new_book(author, **changes).pk


def test_the_database_refuses_the_same_title_by_the_same_author(author):
    new_book(author)
    with pytest.raises(IntegrityError, match="catalog_book.title"), transaction.atomic():
        new_book(author, slug="another-slug")


def test_two_authors_may_use_the_same_title(author):
    assert new_book(author, title="Poems", slug="poems-pessoa").pk
    assert Book.objects.filter(title="Poems").count() == 4


def test_the_database_refuses_a_second_use_of_a_slug(author):
    new_book(author)
    with pytest.raises(IntegrityError, match="catalog_book.slug"), transaction.atomic():
        new_book(author, title="Another title")


@pytest.mark.parametrize(("model", "name"), [(Author, "Jane Austen"), (Genre, "Crime"), (Publisher, "John Murray")])
def test_the_database_refuses_a_second_use_of_a_name(model, name):
    values = {"name": name} if model is Publisher else {"name": name, "slug": "new"}
    with pytest.raises(IntegrityError, match="name"), transaction.atomic():
        model.objects.create(**values)


def test_an_author_cannot_die_before_being_born(author):
    author.born, author.died = 1935, 1888
    with pytest.raises(ValidationError, match="cannot die before being born"):
        author.full_clean()
    with pytest.raises(IntegrityError, match="author_died_after_birth"), transaction.atomic():
        author.save()


@pytest.mark.parametrize(("born", "died"), [(1888, None), (None, 1935), (1888, 1888)])
def test_an_author_may_have_unknown_years(author, born, died):
    author.born, author.died = born, died
    author.full_clean()
    author.save()


def test_an_author_with_books_cannot_be_deleted(author):
    new_book(author)
    with pytest.raises(ProtectedError):
        author.delete()


def test_a_book_survives_its_publisher(author):
    publisher = Publisher.objects.create(name="Parceria António Maria Pereira")
    book = new_book(author, publisher=publisher)
    publisher.delete()
    book.refresh_from_db()
    assert book.publisher is None


@pytest.mark.parametrize(("published", "decade"), [(1934, 1930), (1930, 1930), (1939, 1930), (None, None)])
def test_the_database_computes_the_decade(author, published, decade):
    book = new_book(author, published=published)
    book.refresh_from_db()
    assert book.decade == decade


def test_the_database_fills_in_print_and_added(author):
    book = new_book(author)
    book.refresh_from_db()
    assert book.in_print is True
    assert book.added.tzinfo is not None


@pytest.mark.parametrize(
    ("thing", "path"),
    [
        (Book(slug="emma"), "/books/emma/"),
        (Author(slug="jane-austen"), "/authors/jane-austen/"),
        (Genre(slug="crime"), "/genres/crime/"),
    ],
)
def test_each_thing_knows_its_page(thing, path):
    assert thing.get_absolute_url() == path


@pytest.mark.parametrize("model", [Author, Genre, Publisher])
def test_names_speak_for_things(model):
    assert str(model(name="Émile")) == "Émile"
    assert str(Book(title="Nana")) == "Nana"
