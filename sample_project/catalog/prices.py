from django.db import transaction
from django.utils import timezone

from .models import PriceChange


@transaction.atomic
def change_price(book, price, *, day=None):
    """Let the book cost `price` from `day` on (today, if not given), and remember it in the book's price history.

    Twice on a day: the later price counts, for the history has one a day. The book is saved, so that whoever keeps
    something by its price hears of it.
    """
    book.price = price
    book.save(update_fields=["price"])
    record_price(book, day=day)


def record_price(book, *, day=None):
    """Note in the history what the saved book costs."""
    PriceChange.objects.update_or_create(
        book=book, valid_from=day or timezone.localdate(), defaults={"price": book.price}
    )
