"""How many objects a page makes of rows. A query too many is seen in a list of queries; rows too many are not.

`pre_init` is sent for every instance, those from the database included. That makes it dear for a running shop, and
right for a test.
"""

from collections import Counter

import pytest
from django.db.models.signals import pre_init

from catalog.models import Book, Genre
from storefront.views import BOOKS_PER_PAGE, BOOKS_PER_SHELF

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(client):
    """Fetch a page, and get how many instances of each model were made for it."""

    def get(path):
        counter = Counter()

        def count(sender, **kwargs):
            counter[sender] += 1

        pre_init.connect(count)
        try:
            assert client.get(path).status_code == 200
        finally:
            pre_init.disconnect(count)
        return counter

    return get


def test_home_makes_the_books_that_it_shows(made):
    assert made("/")[Book] == BOOKS_PER_PAGE + 2 * BOOKS_PER_SHELF


def test_feeds_make_none_of_the_books(made):
    assert made("/feed/") == {}
    assert set(made("/genres/crime/feed/")) == {Genre}
    assert made("/genres/crime/feed/") == {}


def test_the_list_of_genres_makes_none_the_second_time(made):
    assert made("/genres/")[Genre] == Genre.objects.count()
    assert made("/genres/") == {}
