"""Who may do what, as a table: nobody, a customer, a bookseller, a manager."""

import pytest

from orders.models import Order
from reviews.models import Review

PEOPLE = ["anybody", "customer", "bookseller", "manager"]


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("get", "/api/v1/books/", [200, 200, 200, 200]),
        # A body that is wrong, so that 400 says: you might.
        ("post", "/api/v1/books/", [401, 403, 400, 400]),
        ("post", "/api/v1/books/bulk/", [401, 403, 400, 400]),
        ("patch", "/api/v1/books/emma/", [401, 403, 200, 200]),
        # 409: the book is in orders.
        ("delete", "/api/v1/books/emma/", [401, 403, 403, 409]),
        ("get", "/api/v1/books/emma/reviews/", [200, 200, 200, 200]),
        ("post", "/api/v1/books/emma/reviews/", [401, 400, 400, 400]),
        ("get", "/api/v1/orders/", [401, 200, 200, 200]),
        ("post", "/api/v1/orders/", [401, 400, 400, 400]),
        ("get", "/api/v1/orders/2024-000002/", [401, 404, 200, 200]),
        ("post", "/api/v1/orders/2024-000002/cancel/", [401, 404, 403, 409]),
        ("get", "/api/v1/account/", [401, 200, 200, 200]),
        ("get", "/api/v1/authors/", [200, 200, 200, 200]),
        ("get", "/api/v1/genres/", [200, 200, 200, 200]),
        ("get", "/api/v1/languages/", [200, 200, 200, 200]),
        ("post", "/api/v1/token/revoke/", [401, 204, 204, 204]),
    ],
)
def test_who_may(request, method, url, expected):
    statuses = [getattr(request.getfixturevalue(who), method)(url).status_code for who in PEOPLE]
    assert dict(zip(PEOPLE, statuses, strict=True)) == dict(zip(PEOPLE, expected, strict=True))


class TestAReview:
    """Everybody sees it, so that refusing says nothing new: 403, where an order of somebody else is 404."""

    @pytest.fixture
    def own(self, anna):
        return f"/api/v1/reviews/{Review.objects.filter(reviewer=anna).first().pk}/"

    @pytest.fixture
    def other(self, anna):
        return f"/api/v1/reviews/{Review.objects.exclude(reviewer=anna).first().pk}/"

    def test_everybody_reads(self, anybody, other):
        assert anybody.get(other).status_code == 200

    def test_who_wrote_it_changes_it(self, customer, own):
        response = customer.patch(own, {"stars": 1, "text": "On second thoughts …"})
        assert (response.status_code, response.json()["by"], response.json()["stars"]) == (200, "anna", 1)
        assert customer.put(own, {"stars": 2}).status_code == 200

    def test_nobody_else_does(self, anybody, customer, manager, other, own):
        response = customer.delete(other)
        assert (response.status_code, response.json()) == (403, {"detail": "This review is somebody else's."})
        assert manager.patch(own, {"stars": 1}).status_code == 403
        assert anybody.delete(own).status_code == 401

    def test_deleting_keeps_the_row(self, customer, own):
        assert customer.delete(own).status_code == 204
        assert customer.get(own).status_code == 404
        assert Review.everything.withdrawn().filter(pk=own.split("/")[-2]).exists()

    def test_a_review_without_reviewer_belongs_to_nobody(self, anybody, customer):
        anonymous = f"/api/v1/reviews/{Review.objects.anonymous().first().pk}/"
        assert customer.delete(anonymous).status_code == 403
        assert anybody.delete(anonymous).status_code == 401


def test_a_list_asks_no_permission_of_its_objects(customer, anna, monkeypatch):
    """Rows are kept back by the queryset alone: without that, everybody's orders would be in the list."""
    from api.viewsets import OrderViewSet

    monkeypatch.setattr(OrderViewSet, "get_queryset", lambda self: Order.objects.all())
    listed = customer.get("/api/v1/orders/?page_size=100").json()["results"]
    assert {order["customer"] for order in listed} > {"anna"}
    number = next(order["number"] for order in listed if order["customer"] != "anna")
    assert customer.get(f"/api/v1/orders/{number}/").status_code == 403
