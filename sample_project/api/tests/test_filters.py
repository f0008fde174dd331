"""Which books, and in which order."""

import pytest

from catalog.models import Book

BOOKS = "/api/v1/books/"


@pytest.fixture
def titles(anybody):
    def ask(**query):
        response = anybody.get(BOOKS, {"page_size": 100, **query})
        assert response.status_code == 200, response.content
        return [book["title"] for book in response.json()["results"]]

    return ask


@pytest.fixture
def refusal(anybody):
    def ask(**query):
        response = anybody.get(BOOKS, query)
        assert response.status_code == 400
        return response.json()

    return ask


def test_by_genre(titles):
    found = titles(genre="gothic")
    assert found == list(Book.objects.in_genre("Gothic").order_by("title", "pk").values_list("title", flat=True))
    assert titles(genre="cookery") == []


def test_by_author(titles):
    assert len(titles(author="jane-austen")) == 6


def test_by_price(titles):
    found = titles(min_price="6", max_price="7")
    assert len(found) == Book.objects.filter(price__gte=6, price__lte=7).count() > 1


def test_in_print_or_not(titles):
    assert len(titles(in_print="false")) == 6
    assert len(titles(in_print="true", author="jane-austen")) == 6


def test_together(titles):
    assert titles(genre="satire", author="jane-austen", max_price="9.50", search="emma") == ["Emma"]


@pytest.mark.parametrize("word", ["Émile", "emile", "EMILE"])
def test_search_knows_no_accents_and_no_capitals(titles, word):
    assert "Germinal" in titles(search=word)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"genre": "nowhere"}, "genre"),
        ({"min_price": "cheap"}, "min_price"),
        ({"min_price": 7, "max_price": 6}, "min_price"),
        ({"in_print": "perhaps"}, "in_print"),
        ({"search": "\0"}, None),
    ],
)
def test_nonsense_is_refused_and_named(refusal, query, field):
    found = refusal(**query)
    assert field is None or list(found) == [field]


def test_the_order(titles):
    assert titles() == list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:100])
    newest = list(Book.objects.order_by("-added", "pk").values_list("title", flat=True)[:100])
    assert titles(ordering="-added") == newest
    by_price = list(Book.objects.order_by("price", "-title", "pk").values_list("title", flat=True)[:100])
    assert titles(ordering="price,-title") == by_price


@pytest.mark.parametrize("name", ["rating", "author__user__password", "-", "?"])
def test_the_order_is_one_of_the_list(refusal, name):
    assert refusal(ordering=name) == {
        "ordering": [f"There is no ordering by {name!r}. Choose from: title, price, added; with a minus, downwards."]
    }
