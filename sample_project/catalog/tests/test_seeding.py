import pytest

from catalog.models import Author, Book, Genre, Publisher
from catalog.seeding import book_slugs, records

pytestmark = pytest.mark.django_db


def test_every_book_of_the_file_is_in_the_shop_at_its_position():
    rows = records("books")
    assert len(rows) >= 72
    stored = list(Book.objects.select_related("author").order_by("pk"))
    assert [(book.pk, book.title, book.author.name) for book in stored] == [
        (pk, row["title"], row["author"]) for pk, row in enumerate(rows, start=1)
    ]


@pytest.mark.parametrize(
    ("author", "books"), [("Jane Austen", 6), ("Charles Dickens", 8), ("Émile Zola", 4), ("George Sand", 0)]
)
def test_authors_have_their_books(author, books):
    assert Author.objects.get(name=author).books.count() == books


def test_a_book_has_its_facts():
    book = Book.objects.get(title="Memórias póstumas de Brás Cubas")
    assert (book.author.name, book.author.country, book.author.born, book.author.died) == (
        "Machado de Assis",
        "Brazil",
        1839,
        1908,
    )
    assert (book.publisher.name, book.published, book.decade, book.language) == (
        "Tipografia Nacional",
        1881,
        1880,
        "Portuguese",
    )
    assert [genre.name for genre in book.genres.all()] == ["Satire"]


def test_every_author_is_in_the_public_domain():
    assert not Author.objects.filter(died__gt=1955).exists()
    assert not Book.objects.filter(published__gt=1930).exists()


def test_no_book_appeared_long_after_or_before_its_author_lived():
    """Posthumous books exist (Dickinson's by four years, Owen's by two), and so do first prints of old texts."""
    for book in Book.objects.select_related("author").exclude(published=None):
        born, died = book.author.born, book.author.died
        assert born is None or book.published >= born + 15, book
        late = {"The Divine Comedy", "The Prince"}
        assert died is None or book.published <= died + 5 or book.title in late, book


def test_no_publisher_printed_before_it_was_founded():
    for book in Book.objects.select_related("publisher").exclude(publisher__founded=None):
        assert book.published >= book.publisher.founded, book


def test_the_unusual_is_there_on_purpose():
    assert Book.objects.filter(title="Poems").count() == 3
    assert list(Genre.objects.filter(books=None).values_list("name", flat=True)) == ["Cookery"]
    assert Publisher.objects.filter(books=None).count() == 2
    assert Author.objects.filter(books=None).count() == 2
    for empty in ("publisher", "published", "pages", "rating", "genres"):
        assert Book.objects.filter(**{empty: None}).exists(), empty


def test_slugs_name_the_author_only_where_titles_are_equal():
    assert book_slugs([("Poems", "John Keats"), ("Poems", "Emily Dickinson"), ("Thérèse Raquin", "Émile Zola")]) == [
        "poems-john-keats",
        "poems-emily-dickinson",
        "therese-raquin",
    ]


def test_prices_are_quarters():
    """So that SQLite, which stores decimals as binary fractions, adds them up exactly."""
    assert not [book for book in Book.objects.all() if book.price * 4 % 1]
