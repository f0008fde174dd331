"""The pages for whoever watches over the server."""

import logging

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import AsyncClient, Client
from django.urls import reverse

from config import health

BROKEN_CACHE = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://:s3cret@127.0.0.1:1/0"}
}


@pytest.fixture(autouse=True)
def strict(settings):
    """As in production: one host name, and HTTPS alone."""
    settings.ALLOWED_HOSTS = ["shop.example"]
    settings.SECURE_SSL_REDIRECT = True


def test_a_living_process_says_so_without_a_query():
    # No mark for the database: a query would fail.
    response = Client().get("/health/live/")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_shop_that_is_ready_says_so_part_by_part():
    response = Client().get("/health/ready/")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "migrations": "ok", "cache": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/"])
@pytest.mark.parametrize("host", ["10.0.7.3:8000", "localhost", "shop.example"])
def test_probes_need_neither_the_host_name_nor_https(path, host):
    assert Client().get(path, headers={"Host": host}).status_code == 200


@pytest.mark.django_db
def test_all_other_pages_need_both():
    assert Client().get("/", headers={"Host": "10.0.7.3"}).status_code == 400
    assert Client().get("/", headers={"Host": "shop.example"}).status_code == 301


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/"])
def test_nobody_keeps_the_answer_and_no_session_is_opened(path):
    response = Client().get(path)
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    assert response["X-Request-ID"]


def test_the_pages_have_names():
    assert {reverse("health-live"), reverse("health-ready")} == set(health.PAGES)


@pytest.mark.django_db
def test_a_missing_migration_is_named():
    MigrationRecorder(connection).record_unapplied("reviews", "0001_initial")
    response = Client().get("/health/ready/")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "ok", "migrations": "not ready", "cache": "ok"}


@pytest.mark.django_db
def test_a_cache_out_of_reach_is_named_and_its_password_is_not(settings, caplog):
    settings.CACHES = BROKEN_CACHE
    with caplog.at_level(logging.ERROR, "config.health"):
        response = Client().get("/health/ready/")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "ok", "migrations": "ok", "cache": "unreachable"}
    assert [record.getMessage() for record in caplog.records if record.name == "config.health"] == [
        "The health check of the cache failed"
    ]
    assert "s3cret" not in caplog.text + response.content.decode()


@pytest.mark.django_db
def test_a_database_out_of_reach_is_named_and_the_rest_is_looked_at_all_the_same():
    def gone(execute, sql, params, many, context):
        raise DatabaseError("could not connect with password s3cret")

    with connection.execute_wrapper(gone):
        response = Client().get("/health/ready/")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "database": "unreachable",
        "migrations": "unreachable",
        "cache": "ok",
    }


@pytest.mark.django_db
def test_both_answer_on_an_asynchronous_server():
    for path in health.PAGES:
        assert async_to_sync(AsyncClient().get)(path).status_code == 200
    response = async_to_sync(AsyncClient().get)("/books/emma/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
