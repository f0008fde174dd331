"""Puts the catalogue of `data/` into the database: real books, all in the public domain."""

import csv
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from django.utils.text import slugify

from .models import Author, Book, Genre, Publisher

DATA = Path(__file__).with_name("data")


def records(name):
    """The rows of `data/NAME.csv` as dictionaries; an empty cell is None."""
    with open(DATA / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(file)]


def book_slugs(titles_and_authors):
    """One slug per book: its title, and the author's name as well where another book is called the same."""
    shared = Counter(title for title, _ in titles_and_authors)
    return [slugify(title if shared[title] == 1 else f"{title} {author}") for title, author in titles_and_authors]


def fill_catalog():
    """Create every publisher, author, genre and book of `data/`. Primary keys are the positions in the files."""
    Publisher.objects.bulk_create(
        Publisher(pk=pk, name=row["name"], city=row["city"] or "", founded=row["founded"])
        for pk, row in enumerate(records("publishers"), start=1)
    )
    Author.objects.bulk_create(
        Author(
            pk=pk,
            name=row["name"],
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
