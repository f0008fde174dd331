from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.db.models import Avg, Count
from django.test.utils import CaptureQueriesContext

from accounts.models import Profile, User
from catalog.models import Author, Book
from lab import show
from orders.models import Stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(empty_shop):
    austen = Author.objects.create(name="Jane Austen", slug="jane-austen", born=1775)
    return [
        Book.objects.create(
            title=title, slug=title.lower(), author=austen, price=8, added=datetime(2026, 1, 1, 9, tzinfo=UTC)
        )
        for title in ["Emma", "Lady Susan", "Persuasion"]
    ]


@pytest.fixture
def shown(capsys):
    def shown(*arguments, **options):
        show(*arguments, **options)
        return capsys.readouterr().out.splitlines()

    return shown


def test_values_have_their_names_and_null(books, shown):
    assert shown(Book.objects.values("title", "rating")) == [
        "title       rating",
        "----------  ------",
        "Emma        NULL",
        "Lady Susan  NULL",
        "Persuasion  NULL",
        "3 rows",
    ]


def test_values_list_has_names_too(books, shown):
    assert shown(Book.objects.values_list("title", "author__name"))[0].split() == ["title", "author__name"]
    assert shown(Book.objects.values_list("title", flat=True)[:1]) == ["title", "-----", "Emma", "1 row"]


def test_instances_show_loaded_fields_without_slugs_and_long_texts(books, shown):
    assert shown(Book.objects.only("title", "slug"))[0].split() == ["id", "title"]
    columns = shown(Book.objects.all())[0].split()
    assert "author_id" in columns
    assert not {"slug", "description"} & set(columns)


def test_passwords_are_not_shown(shown):
    user = User.objects.create_user("newcomer", password="secret")
    assert "password" not in shown(user)[0]


def test_a_foreign_key_is_an_object_only_where_it_came_along(books, shown):
    with CaptureQueriesContext(connection) as seen:
        head, _, first, *_ = shown(Book.objects.select_related("author").only("title", "author"))
    assert "Jane Austen" in first
    assert "author_id" not in head
    assert len(seen) == 1


def test_showing_never_queries_for_the_text_of_an_object(books, shown):
    # The text of a stock is that of its book, which did not come along.
    stock = Stock(book_id=books[0].pk, quantity=1)
    label = Profile(user=User.objects.create(username="mira"))
    label._state.fields_cache["user"] = stock
    with CaptureQueriesContext(connection) as seen:
        shown(label)
    assert len(seen) == 0


def test_annotations_are_columns(books, shown):
    assert shown(Author.objects.annotate(books_written=Count("books")))[2].split()[-1] == "3"


def test_the_rest_is_counted_where_it_is_known(books, shown):
    assert shown(list(Book.objects.all()), limit=2)[-1] == "2 of 3 rows"
    with CaptureQueriesContext(connection) as seen:
        assert shown(Book.objects.all(), limit=2)[-1] == "the first 2 rows, there are more"
    assert len(seen) == 1


def test_an_evaluated_queryset_is_not_asked_again(books, shown):
    evaluated = Book.objects.all()
    len(evaluated)
    with CaptureQueriesContext(connection) as seen:
        assert shown(evaluated, limit=2)[-1] == "2 of 3 rows"
    assert len(seen) == 0


def test_aggregates_plain_values_and_nothing(books, shown):
    assert shown(Book.objects.aggregate(n=Count("pk"), rating=Avg("rating")))[2].split() == ["3", "NULL"]
    assert shown([1, None]) == ["value", "-----", "1", "NULL", "2 rows"]
    assert shown(Book.objects.none()) == ["no rows"]
    assert shown([("a", 1)])[0].split() == ["1", "2"]


def test_times_are_short_and_long_texts_cut(shown):
    row = {"at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "on": date(2026, 1, 2), "text": "x" * 100 + "\n"}
    assert shown(row)[2].split("  ") == ["2026-01-02 03:04", "2026-01-02", "x" * 59 + "…"]


@pytest.mark.parametrize("nothing", ["Book", 3, None])
def test_what_has_no_rows_is_refused(nothing):
    with pytest.raises(TypeError, match=r"show\(\) takes a queryset or a list"):
        show(nothing)


def test_a_limit_must_leave_something():
    with pytest.raises(ValueError, match="limit is a number of rows from 1"):
        show([1], limit=0)


def test_html_is_escaped():
    from lab.table import Table

    html = Table(["a"], [["<b>"]], "1 row")._repr_mimebundle_()["text/html"]
    assert "<td>&lt;b&gt;</td>" in html
