"""A month in copies and money, by genre."""

from decimal import Decimal

from django.core import mail

from catalog.models import Genre
from orders.models import OrderLine
from orders.sales import mail_summary, sales_of_genre, sold_genres


def test_the_genres_that_sold_have_sums_without_cancelled_orders(db):
    keys = sold_genres(2026, 6)
    assert Genre.objects.get(name="Cookery").pk not in keys
    rows = [sales_of_genre(pk, 2026, 6) for pk in keys]
    for pk, row in zip(keys, rows, strict=True):
        lines = [
            line
            for line in OrderLine.objects.select_related("order").filter(book__genres=pk)
            if (line.order.placed_at.year, line.order.placed_at.month) == (2026, 6)
            and line.order.status != "cancelled"
        ]
        assert row["copies"] == sum(line.quantity for line in lines) > 0
        assert Decimal(row["revenue"]) == sum(line.amount for line in lines)


def test_a_genre_that_sold_nothing_has_zeros(db):
    cookery = Genre.objects.get(name="Cookery").pk
    assert sales_of_genre(cookery, 2026, 6) == {"genre": "Cookery", "copies": 0, "revenue": "0.00"}


def test_the_booksellers_get_the_best_first_and_once(db):
    rows = [
        {"genre": "Gothic", "copies": 1, "revenue": "9.00"},
        {"genre": "Satire", "copies": 3, "revenue": "20.00"},
        {"genre": "Drama", "copies": 1, "revenue": "8.00"},
    ]
    for _ in range(2):
        summary = mail_summary(rows, 2026, 6)
        assert [row["genre"] for row in summary["genres"]] == ["Satire", "Drama", "Gothic"]
        assert summary["month"] == "2026-06"
    (message,) = mail.outbox
    assert message.subject == "Sales of 2026-06"
    assert message.bcc == ["ida@example.org"]
    assert message.body.splitlines()[0].split() == ["3", "20.00", "Satire"]
