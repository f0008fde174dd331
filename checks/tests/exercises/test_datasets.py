# ruff: noqa: E501  the code and the sentences that are tested stay in one piece
"""The hand-made data has at its edges what careless answers trip over."""

import json
import subprocess
import sys

import pytest

FACTS = """
import json
from lab.database import connect_to
from checks.exercises import datasets
connect_to(datasets.path("edge"))
from accounts.models import User
from catalog.models import Author, Book, Genre, Publisher
from django.db.models import Count
from orders.models import Order, Stock

def exists(rows):
    return rows.exists()

facts = {
    "books without a publisher": exists(Book.objects.filter(publisher=None)),
    "books without a rating": exists(Book.objects.filter(rating=None)),
    "books without a year": exists(Book.objects.filter(published=None)),
    "books without pages": exists(Book.objects.filter(pages=None)),
    "books without a genre": exists(Book.objects.filter(genres=None)),
    "books without stock": exists(Book.objects.filter(stock=None)),
    "books never ordered": exists(Book.objects.never_ordered()),
    "books out of print": exists(Book.objects.filter(in_print=False)),
    "equal titles": exists(Book.objects.order_by().values("title").annotate(n=Count("pk")).filter(n__gt=1)),
    "equal prices": exists(Book.objects.order_by().values("price").annotate(n=Count("pk")).filter(n__gt=1)),
    "equal ratings": exists(Book.objects.exclude(rating=None).order_by().values("rating").annotate(n=Count("pk")).filter(n__gt=1)),
    "a price of nothing": exists(Book.objects.filter(price=0)),
    "the highest price": exists(Book.objects.filter(price="9999.99")),
    "authors without a book": exists(Author.objects.filter(books=None)),
    "authors without years": exists(Author.objects.filter(born=None)),
    "publishers without a book": exists(Publisher.objects.filter(books=None)),
    "genres without a book": exists(Genre.objects.filter(books=None)),
    "accents": exists(Author.objects.filter(name__startswith="É")),
    "wildcards in a title": exists(Book.objects.filter(title__contains="%").filter(title__contains="_")),
    "customers without an order": exists(User.objects.filter(orders=None)),
    "customers without a profile": exists(User.objects.filter(profile=None)),
    "customers with cancelled orders only": exists(User.objects.filter(orders__status="cancelled").exclude(orders__status__in=["open", "paid", "shipped"])),
    "customers who joined at one moment": exists(User.objects.order_by().values("date_joined").annotate(n=Count("pk")).filter(n__gt=1)),
    "orders without lines": exists(Order.objects.filter(lines=None)),
    "orders in the last second of a year": exists(Order.objects.filter(placed_at__year=2025, placed_at__second=59, placed_at__hour=23)),
    "orders in the first of the next": exists(Order.objects.filter(placed_at="2026-01-01T00:00:00Z")),
    "nothing on the shelf": exists(Stock.objects.filter(quantity=0)),
}
print(json.dumps(facts))
"""


def output(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_edge_has_what_careless_answers_trip_over():
    facts = json.loads(output(FACTS))
    assert [name for name, there in facts.items() if not there] == []
    assert len(facts) > 20


def test_the_empty_one_has_tables_and_no_rows():
    code = (
        "from checks.exercises import datasets; from lab.database import connect_to; connect_to(datasets.path('empty'))\n"
        "from django.apps import apps\n"
        "print([m.__name__ for m in apps.get_models() if m._meta.app_label in ('catalog', 'orders', 'accounts') and m.objects.exists()])"
    )
    assert output(code) == "[]\n"


def test_a_dataset_is_built_once_and_leaves_no_connection_open():
    code = (
        "from checks.exercises import datasets\nfirst = datasets.path('edge'); stamp = first.stat().st_mtime_ns\n"
        "print(datasets.path('edge') == first, first.stat().st_mtime_ns == stamp)\n"
        "from django.db import connection; print(connection.connection)"
    )
    assert output(code) == "True True\nNone\n"


def test_an_unknown_dataset_is_an_error():
    from checks.exercises import datasets

    with pytest.raises(KeyError):
        datasets.path("nowhere")
