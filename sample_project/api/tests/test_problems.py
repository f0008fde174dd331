"""What the shop refuses, for programs."""

import pytest

from api.problems import code_of
from orders import exceptions
from orders.exceptions import EmptyOrder, OrderError

ORDERS = "/api/v1/orders/"
TOO_MANY = {"lines": [{"book": "northanger-abbey", "quantity": 2}]}


def test_a_conflict_says_what_is_left(customer):
    response = customer.post(ORDERS, TOO_MANY, headers={"X-Request-ID": "order-7"})
    assert (response.status_code, response["Content-Type"]) == (409, "application/problem+json")
    assert response.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Only 0 copies are left of Northanger Abbey, and 2 were asked for.",
        "code": "out_of_stock",
        "book": "northanger-abbey",
        "wanted": 2,
        "left": 0,
        "request_id": "order-7",
    }
    assert response["X-Request-ID"] == "order-7"


def test_a_browser_gets_a_page(customer):
    response = customer.post(ORDERS, TOO_MANY, headers={"Accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (409, "text/html; charset=utf-8")
    assert "out_of_stock" in response.content.decode()


def test_what_will_never_do_is_a_bad_request(customer, monkeypatch):
    def refuse(*args, **kwargs):
        raise EmptyOrder

    monkeypatch.setattr("api.serializers.place_order", refuse)
    response = customer.post(ORDERS, {"lines": [{"book": "emma"}]})
    assert (response.status_code, response.json()["code"]) == (400, "empty_order")


def test_what_others_need_is_not_deleted(manager):
    response = manager.delete("/api/v1/books/emma/")
    assert (response.status_code, response.json()["code"]) == (409, "in_use")


def test_other_errors_are_left_as_the_framework_has_them(anybody):
    response = anybody.get("/api/v1/books/nowhere/")
    assert response.json() == {"detail": "No Book matches the given query."}


def test_what_nobody_foresaw_is_a_server_error(customer, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("api.serializers.place_order", fail)
    with pytest.raises(ZeroDivisionError):
        customer.post(ORDERS, {"lines": [{"book": "emma"}]})


def test_every_refusal_has_a_code():
    refusals = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, OrderError)]
    codes = {code_of(kind.__new__(kind)) for kind in refusals}
    assert len(codes) == len(refusals)
    assert {"out_of_stock", "not_cancellable", "empty_order"} <= codes
