"""Tests that use the database find the shop filled, as `manage.py seed` leaves it; what they change is rolled back."""

import pytest

from accounts.models import Campaign, User
from catalog.models import Author, Book, Contributor, Genre, Publisher
from orders.models import Order
from orders.seeding import fill
from reviews.models import Review, Tag, TagGroup


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        fill()


@pytest.fixture
def empty_shop(db):
    """The shop without a single row."""
    Review.everything.all().hard_delete()
    for model in (Tag, Order, User, Book, Contributor, Author, Publisher, Genre, Campaign):
        model.objects.all().delete()
    TagGroup.objects.exclude(pk=TagGroup.OTHER).delete()


@pytest.fixture
def admin_page(admin_client):
    """Fetch a page of the admin site as a superuser: `admin_page("/admin/catalog/book/")`."""

    def get(path):
        response = admin_client.get(path)
        assert response.status_code == 200, path
        return response

    return get
