import pytest

from accounts.models import User
from catalog.models import Book


@pytest.fixture
def emma(db):
    return Book.objects.select_related("stock").get(slug="emma")


@pytest.fixture
def customer(db):
    """Somebody new, with no orders and no reviews."""
    return User.objects.create_user("newcomer", first_name="Nora")


@pytest.fixture
def shopper(client, customer):
    """A client that is logged in as the customer."""
    client.force_login(customer)
    return client
