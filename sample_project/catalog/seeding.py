"""Puts the catalogue of `data/` into the database: real books, all in the public domain."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from django.utils.text import slugify

from .fields import check_digit
from .models import (
    AudioBook,
    Author,
    Book,
    Contribution,
    Contributor,
    Genre,
    PriceChange,
    Publisher,
)
from .names import sort_name

DATA = Path(__file__).with_name("data")

# When every third book became dearer.
PRICE_RISE = date(2025, 1, 1)
CATALOGUED = datetime(2026, 7, 1, 9, tzinfo=UTC)


def records(name):
    """The rows of `data/NAME.csv` as dictionaries; an empty cell is None."""
    with open(DATA / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(file)]


def book_slugs(titles_and_authors):
    """One slug per book: its title, and the author's name as well where another book is called the same."""
    shared = Counter(title for title, _ in titles_and_authors)
    return [slugify(title if shared[title] == 1 else f"{title} {author}") for title, author in titles_and_authors]


def invented_isbn(pk):
    """A number with a right check digit, from a group that no country has; None for every seventh book."""
    if pk % 7 == 0:
        return None
    digits = f"97899999{pk:04d}"
    return digits + check_digit(digits)


def price_before_the_rise(book):
    # Prices are multiples of 0.25: SQLite keeps decimals as binary fractions, and the sums of these are exact.
    return max(book.price - Decimal("0.75"), Decimal(0)) if book.pk % 3 == 0 else book.price


def fill_catalog():
    """Create all that is in `data/`. Primary keys are the positions in the files."""
    fill_books()
    fill_relations()
    fill_prices()


def fill_books():
    """Create every publisher, author, genre and book."""
    Publisher.objects.bulk_create(
        Publisher(pk=pk, name=row["name"], city=row["city"] or "", founded=row["founded"])
        for pk, row in enumerate(records("publishers"), start=1)
    )
    Author.objects.bulk_create(
        Author(
            pk=pk,
            name=row["name"],
            sort_name=sort_name(row["name"]),
            slug=slugify(row["name"]),
            country=row["country"] or "",
            born=row["born"],
            died=row["died"],
        )
        for pk, row in enumerate(records("authors"), start=1)
    )
    Genre.objects.bulk_create(
        Genre(pk=pk, name=row["name"], slug=slugify(row["name"])) for pk, row in enumerate(records("genres"), start=1)
    )

    books = records("books")
    slugs = book_slugs([(row["title"], row["author"]) for row in books])
    authors, publishers, genres = (
        {name: pk for pk, name in model.objects.values_list("pk", "name")} for model in (Author, Publisher, Genre)
    )
    Book.objects.bulk_create(
        Book(
            pk=pk,
            title=row["title"],
            slug=slug,
            author_id=authors[row["author"]],
            publisher_id=publishers[row["publisher"]] if row["publisher"] else None,
            published=row["published"],
            language=row["language"],
            pages=row["pages"],
            price=Decimal(row["price"]),
            rating=row["rating"] and Decimal(row["rating"]),
            in_print=row["in_print"] == "yes",
            added=datetime.fromisoformat(row["added"]).replace(hour=9, tzinfo=UTC),
            description=row["description"],
            isbn=invented_isbn(pk),
        )
        for pk, (row, slug) in enumerate(zip(books, slugs, strict=True), start=1)
    )
    shelvings = (
        (book, genres[genre])
        for book, row in enumerate(books, start=1)
        for genre in (row["genres"] or "").split("|")
        if genre
    )
    Shelving = Book.genres.through
    Shelving.objects.bulk_create(
        Shelving(pk=pk, book_id=book, genre_id=genre) for pk, (book, genre) in enumerate(shelvings, start=1)
    )


def fill_relations():
    """Create sequels, recordings, letters between authors, and who translated, illustrated or edited a book."""
    books = dict(Book.objects.values_list("slug", "pk"))
    authors = dict(Author.objects.values_list("name", "pk"))
    # One query for all of them, after the books: not every database waits with the check of a foreign key.
    Book.objects.bulk_update(
        [Book(pk=books[row["book"]], sequel_to_id=books[row["sequel_to"]]) for row in records("sequels")],
        ["sequel_to"],
    )
    for row in records("recordings"):
        # Raw: the row of the book is there, and stays as it is.
        AudioBook(book_ptr_id=books[row["book"]], narrator=row["narrator"], minutes=row["minutes"]).save_base(
            raw=True, force_insert=True
        )

    Letter = Author.correspondents.through
    pairs = [(authors[row["author"]], authors[row["correspondent"]]) for row in records("letters")]
    # Symmetrical: Django keeps a row for each direction, and `bulk_create` does not add the other.
    pairs += [(second, first) for first, second in pairs]
    Letter.objects.bulk_create(
        Letter(pk=pk, from_author_id=first, to_author_id=second) for pk, (first, second) in enumerate(pairs, start=1)
    )

    contributions = records("contributions")
    names = list(dict.fromkeys((row["given_name"], row["family_name"]) for row in contributions))
    Contributor.objects.bulk_create(
        Contributor(pk=pk, given_name=given, family_name=family, created=CATALOGUED, updated=CATALOGUED)
        for pk, (given, family) in enumerate(names, start=1)
    )
    Contribution.objects.bulk_create(
        Contribution(
            pk=pk,
            book_id=books[row["book"]],
            contributor_id=names.index((row["given_name"], row["family_name"])) + 1,
            role=row["role"],
            volume=row["volume"],
            created=CATALOGUED,
            updated=CATALOGUED,
        )
        for pk, row in enumerate(contributions, start=1)
    )


def fill_prices():
    """Create the history of every price: the first day of the book, and the rise of 2025."""
    changes = []
    for book in Book.objects.only("pk", "price", "added").order_by("pk"):
        day, before = book.added.date(), price_before_the_rise(book)
        if day >= PRICE_RISE or before == book.price:
            changes.append(PriceChange(book_id=book.pk, valid_from=day, price=book.price))
        else:
            changes.append(PriceChange(book_id=book.pk, valid_from=day, price=before))
            changes.append(PriceChange(book_id=book.pk, valid_from=PRICE_RISE, price=book.price))
    PriceChange.objects.bulk_create(changes)
