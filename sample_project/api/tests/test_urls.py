"""Versions, the schema, and the pages for people."""

import json
from io import StringIO

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

PATHS = {
    "account/": "get patch",
    "authors/": "get",
    "authors/{slug}/": "get",
    "books/": "get post",
    "books/bestselling/": "get",
    "books/bulk/": "post",
    "books/{slug}/": "get put patch delete",
    "books/{slug}/reviews/": "get post",
    "books/{slug}/stock/": "get",
    "genres/": "get",
    "languages/": "get",
    "orders/": "get post",
    "orders/{number}/": "get",
    "orders/{number}/cancel/": "post",
    "reviews/{id}/": "get put patch delete",
    "token/": "post",
    "token/revoke/": "post",
}


def schema_of(version):
    out, complaints = StringIO(), StringIO()
    call_command(
        "spectacular",
        api_version=version,
        format="openapi-json",
        validate=True,
        fail_on_warn=True,
        stdout=out,
        stderr=complaints,
    )
    assert complaints.getvalue() == ""
    return json.loads(out.getvalue())


class TestSchema:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_it_is_valid_and_names_every_path(self, version):
        schema = schema_of(version)
        methods = {path: set(operations) for path, operations in schema["paths"].items()}
        assert methods == {f"/api/{version}/{path}": set(known.split()) for path, known in PATHS.items()}
        assert schema["info"]["version"] == version

    def test_versions_differ_in_the_price(self):
        first, second = (schema_of(version)["components"]["schemas"] for version in ["v1", "v2"])
        assert first["Book"]["properties"]["price"]["type"] == "string"
        assert second["BookV2"]["properties"]["price"]["$ref"].endswith("/Price")

    def test_it_says_how_to_log_in_and_what_may_be_asked(self):
        schema = schema_of("v1")
        assert set(schema["components"]["securitySchemes"]) == {"tokenAuth", "cookieAuth"}
        asked = {parameter["name"] for parameter in schema["paths"]["/api/v1/books/"]["get"]["parameters"]}
        assert asked >= {"genre", "author", "min_price", "max_price", "in_print", "search", "ordering", "cursor"}

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_the_shop_hands_it_out(self, anybody, version):
        response = anybody.get(f"/api/{version}/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
        assert json.loads(response.content) == schema_of(version)


class TestVersions:
    def test_the_price_is_what_differs(self, anybody):
        first, second = (anybody.get(f"/api/{version}/books/emma/").json() for version in ["v1", "v2"])
        assert first["price"] == "9.50"
        assert second["price"] == {"amount": "9.50", "currency": "EUR"}
        assert first.keys() == second.keys()

    def test_links_stay_in_their_version(self, anybody):
        answer = anybody.get("/api/v2/books/?page_size=1").json()
        book = answer["results"][0]
        for url in [answer["next"], book["url"], book["author"]["url"]]:
            assert url.startswith("http://testserver/api/v2/")

    def test_there_is_no_third(self, anybody):
        response = anybody.get("/api/v3/books/")
        assert (response.status_code, response.json()) == (404, {"detail": "Invalid version in URL path."})

    def test_a_part_of_a_book_is_changed_in_version_two(self, manager):
        response = manager.patch("/api/v2/books/emma/", {"price": {"amount": "7"}})
        assert response.json()["price"] == {"amount": "7.00", "currency": "EUR"}


class TestPages:
    """The browsable API."""

    def test_the_root_shows_the_way(self, anybody):
        assert anybody.get("/api/").url == "v1/"
        assert set(anybody.get("/api/v1/").json()) == {"books", "authors", "orders"}

    @pytest.mark.parametrize(
        "path", ["", "books/", "books/emma/", "books/emma/reviews/", "authors/", "orders/", "account/"]
    )
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_every_answer_is_a_page(self, manager, version, path):
        response = manager.get(f"/api/{version}/{path}", headers={"Accept": "text/html"})
        assert response.status_code == 200
        assert "The Bookshop" in response.content.decode()

    def test_customers_log_in_and_out_there(self, anybody, customer):
        page = anybody.get("/api/v1/books/", headers={"Accept": "text/html"}).content.decode()
        assert 'href="/api/auth/login/?next=/api/v1/books/"' in page
        assert anybody.get("/api/auth/login/").status_code == 200
        page = customer.get("/api/v1/books/", headers={"Accept": "text/html"}).content.decode()
        assert 'action="/api/auth/logout/?next=/api/v1/books/"' in page
        assert "onclick" not in page
        assert customer.post("/api/auth/logout/?next=/api/v1/books/").url == "/api/v1/books/"
        assert customer.get("/api/v1/account/").status_code == 401

    def test_the_style_sheets_are_there(self, anybody):
        for name in ["api/browsable.css", "rest_framework/css/bootstrap.min.css"]:
            assert finders.find(name)

    def test_saving_the_form_of_a_book_does_not_give_it_to_the_first_author_of_a_list(self, manager):
        page = manager.get("/api/v1/books/emma/", headers={"Accept": "text/html"}).content.decode()
        assert 'name="author_id"' in page
        assert "Adam Smith" not in page
