from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from accounts.models import Profile, User
from catalog.models import Author, Book, Genre
from lab.capture import Capture

pytestmark = pytest.mark.django_db


@pytest.fixture
def austen(empty_shop):
    austen = Author.objects.create(name="Jane Austen", slug="jane-austen")
    for title in ["Emma", "Persuasion"]:
        book = Book.objects.create(
            title=title, slug=title.lower(), author=austen, price=8, added=datetime(2026, 1, 1, tzinfo=UTC)
        )
        book.genres.add(Genre.objects.get_or_create(name="Satire", slug="satire")[0])
    return austen


def capture():
    """This file is the learner's code."""
    return Capture(prefix=__file__)


def relations(seen):
    return [statement.relation for statement in seen]


def test_statements_have_sql_parameters_and_the_learners_line(austen):
    with capture() as seen:
        Book.objects.filter(title="Emma").exists()
    [statement] = seen
    assert len(seen) == 1
    assert "%s" in statement.sql
    assert "Emma" in statement.params
    assert statement.code == 'Book.objects.filter(title="Emma").exists()'
    assert __import__("linecache").getline(__file__, statement.line).strip() == statement.code


def test_without_the_learner_on_the_stack_there_is_no_line():
    with Capture(prefix="/nowhere/") as seen:
        Book.objects.count()
    assert (seen[0].line, seen[0].code) == (None, "")


def test_a_lazy_foreign_key_is_named(austen):
    with capture() as seen:
        for book in Book.objects.all():
            str(book.author)
    assert relations(seen) == [None, "Book.author", "Book.author"]


def test_the_innermost_relation_is_named_also_through_other_code(austen):
    from orders.models import Stock

    stock = Stock.objects.create(book=Book.objects.first(), quantity=1)
    stock = Stock.objects.get(pk=stock.pk)
    with capture() as seen:
        str(stock)
    assert relations(seen) == ["Stock.book"]
    assert seen[0].code == "str(stock)"


def test_a_reverse_one_to_one_is_named():
    user = Profile.objects.create(user=User.objects.create(username="newcomer")).user
    user = User.objects.get(pk=user.pk)
    with capture() as seen:
        user.profile.city  # noqa: B018 - reading it is the point
    assert relations(seen) == ["User.profile"]


def test_deferred_fields_are_named(austen):
    book = Book.objects.only("slug").first()
    with capture() as seen:
        book.title  # noqa: B018
        book.author_id  # noqa: B018
    assert relations(seen) == ["Book.title (deferred)", "Book.author_id (deferred)"]


@pytest.mark.parametrize("read", [list, lambda books: books.count(), lambda books: books.filter(price=8).first()])
def test_reverse_foreign_keys_are_named(austen, read):
    with capture() as seen:
        read(austen.books.all())
    assert relations(seen) == ["Author.books"]


@pytest.mark.parametrize("read", [list, lambda rows: rows.count(), lambda rows: rows.exists()])
def test_both_sides_of_many_to_many_are_named(austen, read):
    book, genre = Book.objects.first(), Genre.objects.first()
    with capture() as seen:
        read(book.genres.all())
        read(genre.books.all())
    assert relations(seen) == ["Book.genres", "Genre.books"]


def test_counting_a_many_to_many_manager_is_named(austen):
    book = Book.objects.first()
    with capture() as seen:
        book.genres.count()
    assert relations(seen) == ["Book.genres"]


def test_what_was_asked_for_ahead_names_no_relation(austen):
    with capture() as seen:
        list(Author.objects.prefetch_related("books__genres"))
        list(Book.objects.select_related("author").prefetch_related("author__books"))
    assert relations(seen) == [None] * len(seen)


def test_writing_through_a_relation_names_none(austen):
    book = Book.objects.first()
    with capture() as seen:
        book.genres.create(name="Romance", slug="romance")
    assert {s.relation for s in seen if s.sql.startswith("INSERT")} == {None}


@pytest.mark.skipif(
    not hasattr(__import__("django.db.models").db.models, "FETCH_PEERS"), reason="fetch modes came with Django 6.1"
)
def test_peers_fetched_together_are_named_once(austen):
    from django.db.models import FETCH_PEERS

    with capture() as seen:
        for book in Book.objects.fetch_mode(FETCH_PEERS):
            str(book.author)
    assert relations(seen) == [None, "Book.author"]


def test_savepoints_are_seen_and_not_counted(austen):
    with capture() as seen, transaction.atomic():
        Book.objects.count()
    assert len(seen) == 1
    assert [s.sql.split()[0] for s in seen.everything] == ["SAVEPOINT", "SELECT", "RELEASE"]


def test_commit_and_rollback_are_seen(python):
    script = """
from lab import start
start()
from catalog.models import Genre
from django.db import transaction
from lab.capture import Capture
with Capture() as seen:
    with transaction.atomic():
        Genre.objects.create(name="a", slug="a")
    try:
        with transaction.atomic():
            1 / 0
    except ZeroDivisionError:
        pass
print(len(seen), *[statement.sql.split()[0] for statement in seen.everything])
"""
    assert python(script).endswith("1 BEGIN INSERT COMMIT BEGIN ROLLBACK\n")


def test_after_the_block_nothing_is_watched(austen):
    hooks = list(connection.execute_wrappers)
    with pytest.raises(ZeroDivisionError), capture() as seen:
        1 / 0  # noqa: B018
    Book.objects.count()
    assert len(seen) == 0
    assert connection.execute_wrappers == hooks
    assert "_commit" not in vars(connection)


def test_an_inner_block_sees_its_part_and_the_outer_all(austen):
    with capture() as outer:
        Book.objects.count()
        with capture() as inner:
            Book.objects.count()
        Book.objects.count()
    assert (len(outer), len(inner)) == (3, 1)


def test_executemany_is_one_statement(austen):
    with capture() as seen, connection.cursor() as cursor:
        cursor.executemany("UPDATE catalog_book SET price = %s", [(1,), (2,)])
    assert len(seen) == 1
    assert seen[0].many


def test_a_statement_that_failed_was_sent_all_the_same(austen):
    with capture() as seen, pytest.raises(Exception, match="no such table"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")
    assert len(seen) == 1
