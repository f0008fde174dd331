import pytest
from django.core.cache import cache

from accounts.models import User


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    """The hashers of the settings take a third of a second on purpose."""
    settings.PASSWORD_HASHERS = ["accounts.tests.hashers.QuickHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def no_attempts_so_far():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def nora(db):
    return User.objects.create_user("nora", "Nora@example.org", "a doll's house")
