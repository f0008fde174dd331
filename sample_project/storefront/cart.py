"""What a visitor is about to buy, kept in the session: it needs no login and no table, and ends with the session.

https://docs.djangoproject.com/en/stable/topics/http/sessions/#using-sessions-in-views
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import Book

KEY = "cart"
MOST_COPIES = 99


@dataclass(frozen=True)
class Line:
    book: Book
    quantity: int

    @property
    def amount(self) -> Decimal:
        return self.book.price * self.quantity


class Cart:
    """Copies by book. Numbers only: prices are looked up when they are shown, so that they are never old ones.

    The keys in the session are text, because JSON, in which sessions are stored, has no others.
    """

    def __init__(self, session):
        self._session = session

    @property
    def wanted(self) -> dict[int, int]:
        """Copies by the primary key of the book, in the order in which they were put in: what `place_order` takes."""
        return {int(pk): quantity for pk, quantity in self._session.get(KEY, {}).items()}

    def add(self, book: Book, quantity: int = 1):
        """Put copies beside those that are there already; ValueError if that is none or more than `MOST_COPIES`."""
        self.set(book, self.wanted.get(book.pk, 0) + quantity)

    def set(self, book: Book, quantity: int):
        """Have that many copies of the book; 0 removes it. ValueError if that is less, or more than `MOST_COPIES`."""
        if not 0 <= quantity <= MOST_COPIES:
            raise ValueError(
                _("A cart takes up to %(most)d copies of a book, and not %(wanted)s.")
                % {"most": MOST_COPIES, "wanted": quantity}
            )
        copies = self._session.get(KEY, {})
        if quantity:
            copies[str(book.pk)] = quantity
        else:
            copies.pop(str(book.pk), None)
        # Assigned, not changed in place: the session is saved where one of its own keys was set.
        self._session[KEY] = copies

    def remove(self, book: Book):
        self.set(book, 0)

    def clear(self):
        self._session.pop(KEY, None)

    def __len__(self):
        """The number of copies; asks the session alone."""
        return sum(self._session.get(KEY, {}).values())

    def __iter__(self):
        """The lines, with their books from one query. A book that has left the catalogue since has no line."""
        wanted = self.wanted
        books = Book.objects.select_related("author", "stock").in_bulk(wanted) if wanted else {}
        for pk, quantity in wanted.items():
            if pk in books:
                yield Line(books[pk], quantity)
