import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from accounts.groups import BOOKSELLERS, MANAGERS
from accounts.models import User


@pytest.fixture(autouse=True)
def uncounted_requests():
    """The throttles count in the cache, and what one test asks for is no business of the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rates(monkeypatch):
    """Set rates: `rates(anon="2/min")`. The framework reads the setting once, into an attribute of the class."""

    def setter(**changed):
        monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {**SimpleRateThrottle.THROTTLE_RATES, **changed})

    return setter


def logged_in(user):
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def anybody(db):
    """Who has not logged in."""
    return APIClient()


@pytest.fixture
def anna(db):
    return User.objects.get(username="anna")


@pytest.fixture
def customer(anna):
    """Anna, a customer, in her browser."""
    return logged_in(anna)


@pytest.fixture
def bookseller(db):
    """Somebody of the group, who may change books, but neither their prices nor orders."""
    user = User.objects.create_user("new-bookseller", is_staff=True)
    user.groups.add(Group.objects.get(name=BOOKSELLERS))
    return logged_in(user)


@pytest.fixture
def manager(db):
    user = User.objects.create_user("new-manager", is_staff=True)
    user.groups.add(Group.objects.get(name=MANAGERS))
    return logged_in(user)


@pytest.fixture
def new_book():
    """What is sent to add a book of Jane Austen's."""
    return {"title": "The Watsons", "slug": "the-watsons", "author_id": 1, "price": "6.50"}
