"""Tests that use the database find the shop filled, as `manage.py seed` leaves it; what they change is rolled back."""

import pytest

from accounts.models import User
from catalog.models import Author, Book, Genre, Publisher
from orders.models import Order
from orders.seeding import fill


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        fill()


@pytest.fixture
def empty_shop(db):
    """The shop without a single row."""
    for model in (Order, User, Book, Author, Publisher, Genre):
        model.objects.all().delete()


@pytest.fixture
def admin_page(admin_client):
    """Fetch a page of the admin site as a superuser: `admin_page("/admin/catalog/book/")`."""

    def get(path):
        response = admin_client.get(path)
        assert response.status_code == 200, path
        return response

    return get
