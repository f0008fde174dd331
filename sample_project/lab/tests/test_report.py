import pytest
from django.db import transaction

from catalog.models import Author, Book, Genre
from lab import queries
from lab.report import queries as Report  # noqa: N812

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(empty_shop):
    for number in range(4):
        author = Author.objects.create(name=f"Author {number // 2}{number}", slug=f"a{number}")
        Book.objects.create(title=f"Book {number}", slug=f"b{number}", author=author, price=1)


@pytest.fixture(autouse=True)
def _this_file_is_the_learners(monkeypatch):
    monkeypatch.setattr(Report, "_is_learners", lambda self, frame: frame.f_code.co_filename == __file__)


def test_the_count_comes_first_then_statement_and_line(books, capsys):
    with queries() as seen:
        Book.objects.count()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["1 query", "1  SELECT COUNT(*) AS __count FROM catalog_book"]
    assert lines[2].endswith(": Book.objects.count()")
    assert seen[0].sql.startswith("SELECT COUNT")


def test_nothing_ran_is_said(capsys):
    with queries():
        pass
    assert capsys.readouterr().out == "0 queries\n"


def test_repeats_are_shown_once_with_what_loaded_them(books, capsys):
    with queries():
        for book in Book.objects.all():
            str(book.author)
    out = capsys.readouterr().out
    assert out.startswith("5 queries\n")
    assert out.count("FROM catalog_author") == 1
    assert "   × 4 the same statement with other parameters\n" in out
    assert ": str(book.author), which loaded Book.author\n" in out


def test_exact_repeats_are_told_from_others(books, capsys):
    with queries():
        for pk in [1, 1, 2]:
            Book.objects.filter(pages=pk).exists()
        for _ in range(2):
            Book.objects.count()
    out = capsys.readouterr().out
    assert "× 3 the same statement, with 2 different sets of parameters\n" in out
    assert "× 2 exactly the same\n" in out


def test_full_shows_every_statement_and_column(books, capsys):
    with queries(full=True):
        list(Book.objects.filter(pages=1))
        list(Book.objects.filter(pages=1))
    out = capsys.readouterr().out
    assert out.count("catalog_book.description") == 2
    assert "×" not in out


def test_quiet_only_collects(books, capsys):
    with queries(quiet=True) as seen:
        Book.objects.count()
    assert (len(seen), capsys.readouterr().out) == (1, "")


def test_a_long_list_is_cut_and_says_how_to_see_it(books, capsys):
    with queries():
        for number in range(12):
            list(Book.objects.values_list("pk")[: number + 1])
    out = capsys.readouterr().out
    assert out.startswith("12 queries\n")
    assert out.endswith("   … and 4 more: queries(full=True) shows all.\n")


def test_a_block_that_raised_is_shown_too(books, capsys):
    with pytest.raises(Book.DoesNotExist), queries():
        Book.objects.get(pk=0)
    assert capsys.readouterr().out.startswith("1 query\n")


def test_transaction_statements_are_shown_without_numbers(books, capsys):
    with queries(), transaction.atomic(), transaction.atomic():
        Genre.objects.create(name="x", slug="x")
    out = capsys.readouterr().out
    assert out.startswith("1 query\n   SAVEPOINT s1\n   SAVEPOINT s2\n1  INSERT")
    assert out.endswith("   RELEASE SAVEPOINT s2\n   RELEASE SAVEPOINT s1\n")


def test_html_has_the_same_words_and_escapes_values(books):
    with queries(quiet=True) as seen:
        Book.objects.filter(title="<b>").exists()
    html = seen._repr_mimebundle_()["text/html"]
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert '<span class="k">SELECT</span>' in html
