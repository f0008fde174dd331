"""The same answer in the form that was asked for."""

import csv

import pytest

from api.renderers import CSVRenderer

BOOKS = "/api/v1/books/"


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ({}, "", "application/json"),
        ({"Accept": "*/*"}, "", "application/json"),
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "", "text/html; charset=utf-8"),
        ({"Accept": "text/csv"}, "", "text/csv; charset=utf-8"),
        ({"Accept": "text/html,*/*;q=0.8"}, "?format=json", "application/json"),
        # A format narrows what is on offer; it does not overrule who takes nothing else.
        ({"Accept": "application/json"}, "?format=csv", None),
        ({}, "?format=csv", "text/csv; charset=utf-8"),
    ],
)
def test_the_client_chooses(anybody, headers, query, expected):
    response = anybody.get(f"{BOOKS}{query}", headers=headers)
    assert response.status_code == (200 if expected else 406)
    assert response["Content-Type"] == (expected or "application/json")
    assert "Accept" in response["Vary"]


def test_a_suffix_is_a_choice_as_well(anybody):
    assert anybody.get("/api/v1/books.csv")["Content-Type"] == "text/csv; charset=utf-8"
    assert anybody.get("/api/v1/books/emma.json").json()["title"] == "Emma"


def test_what_the_shop_cannot_make_is_not_acceptable(anybody):
    response = anybody.get(BOOKS, headers={"Accept": "application/xml"})
    assert (response.status_code, response["Content-Type"]) == (406, "application/json")
    # Orders are no table.
    assert anybody.get("/api/v1/genres/", headers={"Accept": "text/csv"}).status_code == 406


def test_what_the_shop_cannot_read_is_an_unsupported_type(customer):
    url = "/api/v1/books/emma/reviews/"
    response = customer.generic("POST", url, "<stars>5</stars>", content_type="application/xml")
    assert response.status_code == 415
    form = customer.post(url, {"stars": 5}, format="multipart")
    assert form.status_code == 201


def test_what_is_no_json_is_a_bad_request(customer):
    response = customer.generic("POST", "/api/v1/orders/", '{"lines": [', content_type="application/json")
    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error")


def test_a_list_of_books_is_a_table(anybody):
    response = anybody.get(f"{BOOKS}?format=csv&author=jane-austen")
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert len(rows) == 6
    assert (rows[0]["title"], rows[0]["author.name"], rows[0]["genres"]) == ("Emma", "Jane Austen", "romance; satire")


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (None, []),
        ([], [""]),
        ({"results": [], "next": None}, [""]),
        ({"detail": "Not found."}, ["detail", "Not found."]),
        ([{"a": 1}, {"b": {"c": [1, 2]}}], ["a,b.c", "1,", ",1; 2"]),
        ([{"text": 'Say "no", twice'}], ["text", '"Say ""no"", twice"']),
    ],
)
def test_rows_and_columns(data, lines):
    assert CSVRenderer().render(data).splitlines() == lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_finds_no_formula(text):
    rows = list(csv.reader(CSVRenderer().render([{"text": text, "number": -1}]).splitlines()))
    assert rows[1] == [f"'{text}", "-1"]
