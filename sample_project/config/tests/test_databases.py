"""What DATABASE_URL becomes."""

import pytest

from config.databases import database
from config.environment import EnvironmentMistake
from config.settings.common import SQLITE_OPTIONS


def made_of(url):
    return database(url, SQLITE_OPTIONS)


def test_postgresql_has_a_pool_and_its_connections_are_checked():
    made = made_of("postgresql://shop:p%40ss%2Fword@db.example:5433/books?sslmode=require")
    assert made["ENGINE"] == "django.db.backends.postgresql"
    assert [made[name] for name in ["USER", "PASSWORD", "HOST", "PORT", "NAME"]] == [
        "shop",
        "p@ss/word",
        "db.example",
        5433,
        "books",
    ]
    assert made["OPTIONS"]["sslmode"] == "require"
    assert made["OPTIONS"]["pool"]["max_size"] == 10
    assert made["CONN_HEALTH_CHECKS"] is True
    # A pool and connections that a thread keeps exclude one another.
    assert made["CONN_MAX_AGE"] == 0


def test_without_a_pool_connections_last_a_minute():
    made = made_of("postgres://shop:secret@db/books?pool=false")
    assert "pool" not in made["OPTIONS"]
    assert (made["CONN_MAX_AGE"], made["CONN_HEALTH_CHECKS"]) == (60, True)


def test_sqlite_has_the_options_of_the_shop_and_those_of_the_url():
    made = made_of("sqlite:////srv/shop.sqlite3?timeout=5")
    assert made["NAME"] == "/srv/shop.sqlite3"
    assert made["OPTIONS"] == {**SQLITE_OPTIONS, "timeout": 5}


def test_mysql_gets_what_django_advises():
    made = made_of("mysql://shop:secret@db:3306/books")
    assert made["ENGINE"] == "django.db.backends.mysql"
    assert made["OPTIONS"]["charset"] == "utf8mb4"
    assert made["OPTIONS"]["isolation_level"] == "read committed"
    assert "STRICT_TRANS_TABLES" in made["OPTIONS"]["init_command"]
    assert (made["CONN_MAX_AGE"], made["CONN_HEALTH_CHECKS"]) == (60, True)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "postgresql://shop:s3cret@db:port/books",
        "postgresql://shop:s3/cret@db/books",
        "couchdb://shop:s3cret@db/books",
        "postgresql://shop:s3cret@[db/books",
        "postgresql://shop:s3cret@db",
        "sqlite3:///s3cret.sqlite3",
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence_without_the_password(url):
    with pytest.raises(EnvironmentMistake, match="^The environment variable DATABASE_URL ") as caught:
        made_of(url)
    assert "s3" not in str(caught.value)
    assert str(caught.value).count(". ") == 0
    assert caught.value.__cause__ is None


def test_the_options_are_those_that_the_driver_takes():
    """The pool is made without a server, and not opened."""
    pytest.importorskip("psycopg_pool")
    from django.db.backends.postgresql.base import DatabaseWrapper
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler({"default": made_of("postgresql://shop:secret@127.0.0.1:1/books")})
    connection = handler["default"]
    assert isinstance(connection, DatabaseWrapper)
    try:
        assert (connection.pool.min_size, connection.pool.max_size) == (2, 10)
    finally:
        connection.close_pool()
