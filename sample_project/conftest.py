"""Tests that use the database find the shop filled, as `manage.py seed` leaves it; what they change is rolled back."""

import pytest
from django.core.cache import caches
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import translation

from accounts.models import Campaign, User
from catalog.models import Author, Book, Contributor, Genre, Publisher
from orders.models import Order
from orders.seeding import fill
from reviews.models import Review, Tag, TagGroup


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        fill()


@pytest.fixture(autouse=True)
def _cold_caches():
    """Every test begins with nothing in the caches."""
    for alias in caches.settings:
        caches[alias].clear()


@pytest.fixture(autouse=True)
def _in_english():
    """The language of the last page of a test is that of the thread, until another page is asked for."""
    yield
    translation.deactivate()


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


class Migrator:
    """Migrates an empty database of its own, forwards and backwards."""

    def __init__(self, connection):
        self.connection = connection

    def to(self, *targets, squashed=True):
        """Migrate to each (app, migration) and return the models as they were then.

        `squashed=False` goes by the migrations that a squashed one replaces, as a database of old did.
        """
        executor = MigrationExecutor(self.connection)
        if not squashed:
            executor.loader.replace_migrations = False
            executor.loader.build_graph()
        return executor.migrate(list(targets)).apps

    def applied(self, app):
        """The names of the app's migrations that the database counts as applied."""
        return {name for label, name in MigrationRecorder(self.connection).applied_migrations() if label == app}


@pytest.fixture
def migrator(tmp_path, django_db_blocker):
    """A `Migrator` with a SQLite file: the tests that share the filled shop notice nothing."""
    alias = "migrated"
    connections.settings[alias] = {
        **connections.settings[DEFAULT_DB_ALIAS],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "migrated.sqlite3"),
        "OPTIONS": {},
    }
    with django_db_blocker.unblock():
        yield Migrator(connections[alias])
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]
