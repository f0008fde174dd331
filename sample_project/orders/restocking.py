"""Books that come in: the way back onto the shelf that is not a cancelled order."""

from django.db import transaction
from django.db.models import F

from catalog.models import Book

from .exceptions import MOST_COPIES, InvalidQuantity, UnknownBook
from .models import Stock
from .signals import stock_changed


@transaction.atomic
def restock(book_pk: int, copies: int) -> int:
    """Put copies of a book on the shelf, and return how many are there now. `stock_changed` follows the commit.

    The row is locked, or made, before it is counted up: two deliveries at once both count.

    Raises InvalidQuantity, UnknownBook.
    """
    if not isinstance(copies, int) or isinstance(copies, bool) or not 1 <= copies <= MOST_COPIES:
        raise InvalidQuantity(copies)
    if not Book.objects.filter(pk=book_pk).exists():
        raise UnknownBook(book_pk)
    stock, _ = Stock.objects.select_for_update().get_or_create(pk=book_pk)
    Stock.objects.filter(pk=book_pk).update(quantity=F("quantity") + copies)
    quantity = stock.quantity + copies
    # A lambda and not a `partial`: should it fail, Django 5.2 asks for its name, which the latter has not.
    transaction.on_commit(lambda: stock_changed.send_robust(sender=Stock, quantities={book_pk: quantity}), robust=True)
    return quantity
