"""The databases that answers are tried on: what the learner sees, and what they do not.

"shop" is the learner's own data, "edge" a few rows made by hand that break careless answers, "empty" only tables.
"""

import datetime
import inspect
import sys
from decimal import Decimal
from pathlib import Path


def path(name: str) -> Path:
    """The prebuilt file of a dataset, built when it is first asked for. KeyError for an unknown name."""
    from lab.database import boot, close_connections, prebuilt, shop

    build = {
        "shop": shop,
        "edge": lambda: prebuilt("edge", fill_edge, key=inspect.getsource(sys.modules[__name__])),
        "empty": lambda: prebuilt("empty", lambda: None),
    }[name]
    boot()
    try:
        return build()
    finally:
        # An open connection must not be shared with a forked process: https://www.sqlite.org/howtocorrupt.html
        close_connections()


def fill_edge():
    """Fill a migrated database with rows at the edges: NULLs, ties, equal names, nothing related, year ends."""
    from django.db import transaction

    with transaction.atomic():
        books = _catalogue()
        customers = _customers()
        _trade(books, customers)


def _moment(year, month, day, hour=12, minute=0, second=0):
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)


def _catalogue() -> dict:
    from catalog.models import Author, Book, Genre, Publisher

    authors = {
        slug: Author.objects.create(pk=pk, name=name, slug=slug, country=country, born=born, died=died)
        for pk, slug, name, country, born, died in (
            (1, "jane-austen", "Jane Austen", "England", 1775, 1817),
            (2, "emile-zola", "Émile Zola", "France", 1840, 1902),
            (3, "homer", "Homer", "", None, None),
            (4, "zoe-writer", "Zoë Ångström", "Sweden", 1850, None),  # no book
            (5, "aelfric", "ælfric o'neill", "Ireland", 1840, 1840),  # sorts after Z, born and died in one year
            (6, "charles-dickens", "Charles Dickens", "England", 1812, 1870),
            (7, "percent", "100% Anonymous_", "", None, 1902),
            (8, "cassandra-austen", "Cassandra Austen", "England", 1773, 1845),  # another Austen
        )
    }
    publishers = {
        name: Publisher.objects.create(pk=pk, name=name, city=city, founded=founded)
        for pk, name, city, founded in (
            (1, "John Murray", "London", 1768),
            (2, "Éditions Charpentier", "Paris", 1838),
            (3, "Nobody & Sons", "", None),  # no book
            (4, "Chapman & Hall", "London", None),
        )
    }
    genres = {
        name: Genre.objects.create(pk=pk, name=name, slug=slug)
        for pk, name, slug in (
            (1, "Romance", "romance"),
            (2, "Satire", "satire"),
            (3, "Cookery", "cookery"),  # no book
            (4, "Social novel", "social-novel"),
            (5, "Épopée", "epopee"),
        )
    }
    england, france, london = (
        publishers["John Murray"],
        publishers["Éditions Charpentier"],
        publishers["Chapman & Hall"],
    )
    rows = (
        # title, slug, author, publisher, published, language, pages, price, rating, in_print, genres
        ("Poems", "poems-1", "jane-austen", england, 1815, "English", 200, "9.50", "4.50", True,
         ["Romance", "Satire"]),
        ("Poems", "poems-2", "emile-zola", france, 1880, "French", 200, "9.50", "3.50", True, []),
        ("Poems", "poems-3", "homer", None, None, "Greek", None, "9.50", None, True, ["Épopée"]),
        ("Emma", "emma", "jane-austen", england, 1815, "English", 400, "9.50", None, True, ["Romance"]),
        ("emma", "emma-2", "charles-dickens", london, 1850, "English", 400, "0.00", "0.00", True, ["Social novel"]),
        ("Œdipe 50%_'s \"end\"", "odd", "percent", None, 1899, "French", 1, "9999.99", "5.00", True,
         ["Satire", "Épopée"]),
        ("Thérèse Raquin", "therese", "emile-zola", None, 1867, "French", None, "12.25", "4.50", False,
         ["Social novel"]),
        ("Germinal", "germinal", "emile-zola", france, 1885, "French", 600, "12.25", "4.75", True,
         ["Social novel", "Satire", "Romance"]),
        ("Bleak House", "bleak-house", "charles-dickens", london, 1853, "English", 900, "12.25", "4.75", False, []),
        ("Hard Times", "hard-times", "charles-dickens", london, 1854, "English", 350, "0.00", None, True,
         ["Social novel"]),
        ("Colloquy", "colloquy", "aelfric", None, -1000, "Latin", None, "25.00", "3.00", True, []),
        ("Letters", "letters", "cassandra-austen", None, 1796, "English", 90, "7.00", "4.00", True, []),
    )  # fmt: skip
    books = {}
    for pk, (
        title,
        slug,
        author,
        publisher,
        published,
        language,
        pages,
        price,
        rating,
        in_print,
        shelves,
    ) in enumerate(rows, 1):
        book = Book.objects.create(
            pk=pk,
            title=title,
            slug=slug,
            author=authors[author],
            publisher=publisher,
            published=published,
            language=language,
            pages=pages,
            price=Decimal(price),
            rating=rating and Decimal(rating),
            in_print=in_print,
            added=_moment(2025, 12, 31, 23, 59, 59) if pk % 2 else _moment(2026, 1, 1, 0),
            description="" if pk % 3 else "A book, described.",
        )
        book.genres.set([genres[name] for name in shelves])
        books[slug] = book
    return books


def _customers() -> dict:
    from accounts.models import Profile, User

    customers = {}
    for pk, username, first, last, joined, active, city in (
        (1, "mira", "Mira", "Lopes", _moment(2025, 12, 31, 23, 59, 59), True, "Lisbon"),
        (2, "tomas", "Tomáš", "Novák", _moment(2026, 1, 1, 0), True, None),  # no profile
        (3, "jose", "José", "Lopes", _moment(2026, 1, 1, 0), True, ""),
        (4, "ida", "Ida", "Berg", _moment(2026, 1, 1, 0), True, "Århus"),  # no order
        (5, "lars", "Lars", "Tanaka", _moment(2024, 2, 29), True, "Lisbon"),  # only cancelled orders
        (6, "petra", "Petra", "Chen", _moment(2024, 2, 29), False, None),  # no order, inactive
        (7, "Émilie", "", "", _moment(2023, 1, 1, 0), True, "Lisbon"),
        (8, "mira2", "Mira", "Lopes", _moment(2026, 1, 2), True, None),
    ):
        user = User(pk=pk, username=username, first_name=first, last_name=last, date_joined=joined, is_active=active)
        user.email = "" if pk in (3, 7) else f"{username.lower()}@example.com"
        user.is_staff = pk == 4
        user.set_unusable_password()
        user.password = "!edge"  # unusable, and the same on every build
        user.save()
        if city is not None:
            born = datetime.date(1990, 12, 31) if pk % 2 else None
            Profile.objects.create(pk=pk, user=user, city=city, born=born, newsletter=pk in (1, 3, 5))
        customers[username] = user
    return customers


def _trade(books: dict, customers: dict):
    from orders.models import Order, OrderLine, Stock

    status = Order.Status
    year_end, new_year = _moment(2025, 12, 31, 23, 59, 59), _moment(2026, 1, 1, 0)
    rows = (
        # customer, status, placed_at, shipped_at, note, lines (book, quantity, unit_price)
        ("mira", status.SHIPPED, year_end, new_year, "", [("emma", 1, "9.50"), ("poems-1", 2, "9.00")]),
        ("mira", status.PAID, new_year, None, "100% sure_", [("emma", 1, "9.50")]),
        ("mira", status.CANCELLED, new_year, None, "", [("germinal", 5, "12.25")]),
        ("tomas", status.SHIPPED, new_year, new_year, "", [("germinal", 1, "12.25"), ("odd", 1, "9999.99")]),
        ("tomas", status.OPEN, _moment(2026, 1, 1, 0, 0, 1), None, "", []),  # no lines
        ("jose", status.PAID, year_end, None, "", [("hard-times", 3, "0.00"), ("poems-2", 2, "9.50")]),
        ("lars", status.CANCELLED, _moment(2024, 2, 29), None, "", [("emma", 4, "9.50")]),
        ("lars", status.CANCELLED, _moment(2024, 12, 31, 23, 59, 59), None, "", [("bleak-house", 1, "12.00")]),
        ("Émilie", status.OPEN, _moment(2026, 6, 30), None, "", [("poems-3", 1, "9.50"), ("germinal", 2, "12.00")]),
        # Two at one moment, then older ones with a higher key, a higher number, and a later dispatch.
        ("mira", status.SHIPPED, _moment(2026, 3, 1), _moment(2026, 3, 3), "", [("letters", 1, "7.00")]),
        ("mira", status.SHIPPED, _moment(2026, 3, 1), _moment(2026, 3, 2), "", [("emma", 2, "9.50")]),
        ("mira", status.SHIPPED, _moment(2026, 2, 1), _moment(2026, 5, 1), "", [("odd", 1, "9999.99")]),
        ("mira2", status.SHIPPED, _moment(2026, 4, 1), _moment(2026, 4, 2), "", [("emma", 1, "9.50")]),
        ("jose", status.OPEN, _moment(2026, 5, 1), None, "", [("bleak-house", 1, "12.25")]),
    )
    for pk, (customer, state, placed, shipped, note, lines) in enumerate(rows, 1):
        order = Order.objects.create(
            pk=pk,
            number=f"{placed.year}-{pk:06}",
            customer=customers[customer],
            status=state,
            placed_at=placed,
            shipped_at=shipped,
            note=note,
        )
        for book, quantity, price in lines:
            OrderLine.objects.create(order=order, book=books[book], quantity=quantity, unit_price=Decimal(price))
    # A line that was added late: its key is higher than those of younger orders.
    OrderLine.objects.create(order_id=9, book=books["hard-times"], quantity=1, unit_price=Decimal(0))
    # Two on the shelf are gone, some were never there, one ties with another; "colloquy" and "poems-3" have no row.
    for slug, quantity in (
        ("poems-1", 3), ("poems-2", 3), ("emma", 0), ("emma-2", 0), ("odd", 1), ("therese", 10), ("germinal", 4),
        ("bleak-house", 5), ("hard-times", 1000),
    ):  # fmt: skip
        Stock.objects.create(book=books[slug], quantity=quantity)
