"""What is shown when something cannot be done, as in production: DEBUG is False here, and exceptions are answered."""

import re

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, include, path

from orders.exceptions import EmptyOrder, OrderError
from storefront.errors import bad_request, page_not_found, permission_denied, server_error, wants_json

EXCEPTIONS = {
    "bad": BadRequest("no such thing"),
    "suspicious": SuspiciousOperation("out of bounds"),
    "forbidden": PermissionDenied("not you"),
    "missing": Http404("gone"),
    "conflict": EmptyOrder(),
    "hostile": OrderError("<script>alert(1)</script>"),
    "failure": RuntimeError("secret detail"),
}


def failing(request, name):
    raise EXCEPTIONS[name]


async def failing_later(request, name):
    raise EXCEPTIONS[name]


def form(request):
    return HttpResponse("received")


urlpatterns = [
    path("form/", form),
    path("failing/<name>/", failing),
    path("failing/later/<name>/", failing_later),
    path("api/failing/<name>/", failing),
    path("", include("config.urls")),
]
handler400 = bad_request
handler403 = permission_denied
handler404 = page_not_found
handler500 = server_error


@pytest.fixture
def ask(settings):
    """Get a path of the URLs above: `ask("/failing/bad/", accept="text/html")`."""
    settings.ROOT_URLCONF = __name__

    def get(path, **headers):
        return Client(raise_request_exception=False).get(path, headers=headers)

    return get


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["/failing/", "/failing/later/"])
@pytest.mark.parametrize(
    ("name", "status", "heading"),
    [
        ("bad", 400, "We cannot read this request"),
        ("suspicious", 400, "We cannot read this request"),
        ("forbidden", 403, "This door is not open to you"),
        ("missing", 404, "This page is not on our shelves"),
        ("conflict", 409, "We cannot take this order"),
        ("failure", 500, "Something went wrong"),
    ],
)
def test_each_exception_has_its_page(ask, place, name, status, heading):
    response = ask(f"{place}{name}/")
    assert response.status_code == status
    page = response.content.decode()
    assert re.search(rf"<h[12]>{heading}</h[12]>", page)
    assert page.lower().startswith("<!doctype html>")
    assert "secret detail" not in page


@pytest.mark.django_db
def test_an_address_without_a_page_is_not_found(client):
    assert "not on our shelves" in client.get("/nowhere/").content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_explained(settings):
    settings.ROOT_URLCONF = __name__
    response = Client(enforce_csrf_checks=True).post("/form/")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_a_host_name_that_is_not_ours_is_a_bad_request(client, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]
    response = client.get("/", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "We cannot read this request" in response.content.decode()


@pytest.mark.django_db
def test_a_conflict_says_what_is_wrong_as_text(ask):
    assert "There is nothing in this order." in ask("/failing/conflict/").content.decode()
    assert "&lt;script&gt;alert(1)" in ask("/failing/hostile/").content.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/failing/bad/", 400),
        ("/api/failing/suspicious/", 400),
        ("/api/failing/forbidden/", 403),
        ("/api/nothing/", 404),
        ("/api/failing/conflict/", 409),
        ("/api/failing/failure/", 500),
    ],
)
def test_programs_get_json(ask, path, status):
    response = ask(path, accept="application/json")
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert set(response.json()) >= {"detail"}
    for detail in ("secret detail", "out of bounds", "not you"):
        assert detail not in response.content.decode()


@pytest.mark.parametrize(
    ("status", "handler"), [(400, bad_request), (403, permission_denied), (404, page_not_found), (500, server_error)]
)
def test_the_shop_has_them(status, handler):
    assert get_resolver().resolve_error_handler(status) is handler


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/api/books/", "*/*", True),
        ("/api/books/", "application/json", True),
        ("/api/books/", "text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("/books/", "*/*", False),
        ("/books/", "application/json", True),
        ("/books/", "text/html, application/json;q=0.5", False),
        ("/books/", "image/png", False),
    ],
)
def test_who_is_a_program(rf, path, accept, expected):
    assert wants_json(rf.get(path, headers={"accept": accept})) is expected


def test_a_failure_has_the_number_of_its_request(ask):
    number = "7f3a-number-of-a-test"
    assert number in ask("/failing/failure/", x_request_id=number).content.decode()
    assert ask("/api/failing/failure/", x_request_id=number).json()["request"] == number


def test_the_page_for_failures_needs_nothing_that_may_have_failed(rf, monkeypatch, settings):
    """No database (pytest-django forbids it here), session, context processor, URL, static file or other template."""

    def broken(*args, **kwargs):
        raise AssertionError("the page for failures asked for something")

    settings.ROOT_URLCONF = "nowhere.urls"
    monkeypatch.setattr("storefront.context_processors.shop", broken)
    monkeypatch.setattr("django.contrib.staticfiles.storage.staticfiles_storage.url", broken)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", broken)
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    page = response.content.decode()
    assert "Something went wrong" in page
    assert "<link" not in page
    assert "write to us" not in page  # There is no number to name.


@pytest.mark.django_db
def test_a_lost_database_shows_the_page_for_failures(ask, monkeypatch):
    def lost(*args, **kwargs):
        raise connection.Database.OperationalError("connection lost")

    monkeypatch.setattr(AuthenticationMiddleware, "process_request", lost)
    response = ask("/")
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()


class NoUrls:
    urlpatterns = []


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "500.html"])
def test_pages_for_refusals_do_without_request_and_urls(settings, template):
    """Django gives 400 and 500 no request; a learner's own URLs may not have the names of the shop."""
    settings.ROOT_URLCONF = NoUrls
    page = render_to_string(template)
    assert "<h1>" in page
    assert '<html lang="en">' in page
