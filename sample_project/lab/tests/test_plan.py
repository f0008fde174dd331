import pytest
from django.db import NotSupportedError
from django.db.models import Exists, OuterRef

from catalog.models import Author, Book
from lab import explain
from lab.plan import _indented

pytestmark = pytest.mark.django_db


def test_one_step_per_line(capsys):
    explain(Book.objects.filter(published=1813).order_by())
    assert capsys.readouterr().out == "SEARCH catalog_book USING INDEX book_published (published=?)\n"


def test_steps_inside_a_step_are_indented(capsys):
    explain(Author.objects.filter(Exists(Book.objects.filter(author=OuterRef("pk")))).order_by())
    scan, subquery, inner = capsys.readouterr().out.splitlines()
    assert scan == "SCAN catalog_author"
    assert subquery.startswith("CORRELATED")
    assert inner.startswith("  SEARCH U0 USING")


def test_older_and_newer_sqlite_say_the_same():
    assert list(_indented(["2 0 0 SCAN TABLE author", "5 2 216 SEARCH TABLE book USING INDEX i (a=?)"])) == [
        "SCAN author",
        "  SEARCH book USING INDEX i (a=?)",
    ]


def test_what_is_no_step_is_left_as_it_is():
    assert list(_indented(["Seq Scan on book"])) == ["Seq Scan on book"]


def test_options_are_handed_on():
    with pytest.raises((ValueError, NotSupportedError)):
        explain(Book.objects.all(), format="json")


def test_only_querysets_can_be_explained():
    with pytest.raises(TypeError, match=r"explain\(\) takes a queryset, not list"):
        explain([])
