"""Normal forms, taken in a process of their own because Django has to run there."""

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
from lab.database import boot, connect_to, private_copy
from checks.exercises import datasets
connect_to(private_copy(datasets.path("edge")))
import collections, datetime, decimal, enum, uuid
from catalog.models import Author, Book, Publisher
from django.db.models import Count, F
from django.utils.safestring import mark_safe
from orders.models import Order
from checks.exercises.observation import normalise

class Liar:
    __class__ = int
    __eq__ = lambda self, other: True
    __hash__ = lambda self: 0

class Named(type):
    __name__ = "int"

class Int(int, metaclass=Named):
    pass

Point = collections.namedtuple("Point", "x y")
zone = datetime.timezone(datetime.timedelta(hours=2))
print(json.dumps([normalise(eval(line)) for line in json.load(sys.stdin)]))
"""

FORMS = {
    "None": None,
    "True": True,
    "7": 7,
    "2**60": ["int", "0x1000000000000000"],
    "'é'": "é",
    "0.5": ["float", "0.5"],
    "float('nan')": ["float", "nan"],
    "decimal.Decimal('1.50')": ["Decimal", "1.50"],
    "datetime.date(2026, 1, 2)": ["date", "2026-01-02"],
    "datetime.datetime(2026, 1, 2, 3)": ["datetime", "2026-01-02 03:00:00"],
    "datetime.datetime(2026, 1, 2, 3, tzinfo=zone)": ["aware datetime", "2026-01-02 01:00:00"],
    "datetime.timedelta(1)": ["timedelta", "1 day, 0:00:00"],
    "uuid.UUID(int=1)": ["UUID", "00000000-0000-0000-0000-000000000001"],
    "mark_safe('<b>')": ["SafeString", "<b>"],
    "Order.Status.PAID": "paid",
    "[1, (2,)]": ["list", [1, ["tuple", [2]]]],
    "{1}": ["set", [1]],
    "collections.Counter('a')": ["dict", [["a", 1]]],
    "collections.deque([1])": ["list", [1]],
    "(n for n in [1, 2])": ["list", [1, 2]],
    "Point(1, 2)": ["named", ["x", "y"], [1, 2]],
    "Author.objects.get(pk=1)": ["model", "catalog.Author", 1, {}, "Jane Austen"],
    "Publisher(name='X')": [
        "model",
        "catalog.Publisher",
        None,
        {"city": "", "founded": None, "id": None, "name": "X"},
        "X",
    ],
    "Author.objects.annotate(copies=Count('books')).get(pk=1)": [
        "model",
        "catalog.Author",
        1,
        {"copies": 2},
        "Jane Austen",
    ],
    "Author.objects.only('pk').get(pk=1)": ["model", "catalog.Author", 1, {}, ""],
    "Author.objects.filter(pk__lt=3).values_list('pk', flat=True)": ["queryset", [2, 1][::-1], True, None],
    "Author.objects.order_by('-pk').filter(pk__lt=3).values_list('pk', flat=True)": ["queryset", [2, 1], True, [0, 1]],
    "Author.objects.order_by().filter(pk=1).values('pk')": ["queryset", [["dict", [["pk", 1]]]], False, None],
    "Book.objects.order_by('price', 'title').filter(price=0).values_list('title', 'price')": [
        "queryset",
        [["tuple", ["Hard Times", ["Decimal", "0.00"]]], ["tuple", ["emma", ["Decimal", "0.00"]]]],
        True,
        [0, 1],
    ],
    "Book.objects.order_by(F('price').desc()).filter(price=0).values('price')": [
        "queryset",
        [["dict", [["price", ["Decimal", "0.00"]]]]] * 2,
        True,
        [0, 0],
    ],
    "Book.objects.order_by('author__name').filter(pk=4).values_list('title')": [
        "queryset",
        [["tuple", ["Emma"]]],
        True,
        None,
    ],
    "Book.objects.raw('SELECT * FROM catalog_book WHERE id = 4')": [
        "list",
        [["model", "catalog.Book", 4, {}, "Emma"]],
    ],
    "Liar()": ["other", "Liar", ""],
    "Int(1)": ["other", "Int", "it is a int only by inheritance: return the plain value"],
    "Book.objects": [
        "other",
        "ManagerFromBookQuerySet",
        "a manager is not a queryset yet: call .all() or .filter() on it",
    ],
    "Book": ["other", "ModelBase", "it is the model class, not one of its rows"],
    "Book.objects.count": ["other", "method", "it is a function that was not called: are its parentheses missing?"],
    "object()": ["other", "object", ""],
}


@pytest.fixture(scope="module")
def forms():
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        input=json.dumps(list(FORMS)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(zip(FORMS, json.loads(run.stdout), strict=True))


@pytest.mark.parametrize("expression", FORMS)
def test_a_value_becomes_plain_data(expression, forms):
    assert forms[expression] == FORMS[expression]
