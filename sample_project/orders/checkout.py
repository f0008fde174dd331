"""Taking an order, and taking it back: the one place where copies leave the shelf.

What keeps the shop from selling a copy twice, from the outside in:

1. `select_for_update()` locks the rows of the stock, so that orders for the same book form a queue, and what was read
   stays true. SQLite has no such lock and needs none: its transactions here begin with the only write lock there is.
2. The update says `quantity >= wanted` itself and counts from what the database has, not from what was read.
3. The constraint `stock_not_negative` refuses what a later change to this module may get wrong.

https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-for-update
"""

from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import Book

from .exceptions import MOST_COPIES, EmptyOrder, InvalidQuantity, NotCancellable, OutOfStock, UnknownBook
from .models import Order, OrderLine, Stock
from .retries import retried
from .signals import order_placed, stock_changed

# What a customer may add to an order, in characters: asked by the page and by the API.
LONGEST_NOTE = 500


def place_order(customer, wanted: Mapping[int, int], *, note: str = "", at: datetime | None = None) -> Order:
    """Sell these books, all of them or none, and return the new, open order.

    Whatever is on the shelf can be bought, whether it is still in print or not. Prices are those of this moment, and
    stay in the lines. After the transaction, `order_placed` and `stock_changed` are sent and the receipt is queued;
    nothing of this can undo the order.

    Where the database gives the transaction up because of a concurrent one, it is done again, unless the caller began
    it: then it is theirs to repeat.

    Args:
        customer: the user who buys.
        wanted: copies by the primary key of their book.
        note: what the customer has to say.
        at: when it is placed; now, if not given.

    Raises:
        EmptyOrder, InvalidQuantity, UnknownBook: the order makes no sense.
        OutOfStock: fewer copies are left; the first such book in the order of keys.
    """
    wanted = checked(wanted)
    return _transacted(_place)(customer, wanted, note, at or timezone.now(), _receipt_task())


def cancel_order(order: Order) -> Order:
    """Cancel an order that was not shipped, and put its copies back on the shelf. Returns it as it is now.

    Raises NotCancellable where it was shipped or cancelled already.
    """
    return _transacted(_cancel)(order.pk)


def checked(wanted):
    """The wish in the order of keys; raises EmptyOrder or InvalidQuantity."""
    if not wanted:
        raise EmptyOrder
    for quantity in wanted.values():
        # True is an int, and no number of copies.
        if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= MOST_COPIES:
            raise InvalidQuantity(quantity)
    return dict(sorted(wanted.items()))


def _receipt_task():
    """The task that sends receipts; None where there is no Celery, as in a browser, and hence no mail."""
    if find_spec("celery") is None:
        return None
    # Here, and before anything is locked: Celery takes a while to import, and only who sells needs it.
    from .tasks import send_receipt

    return send_receipt


def _transacted(function):
    return transaction.atomic(function) if connection.in_atomic_block else retried(function)


def _place(customer, wanted, note, at, receipt_task):
    books = Book.objects.in_bulk(wanted)
    for pk in wanted:
        if pk not in books:
            raise UnknownBook(pk)

    left = take_copies(books, wanted)

    # The number holds the primary key, which is known only now. It cannot collide and nobody waits for it, but an
    # order that fails may leave a gap. (What must have no gaps, such as invoices in many countries, needs a counter in
    # a row that is locked.) Until then the number is one that only this customer's orders can have.
    order = Order.objects.create(number=f"new-{customer.pk}", customer=customer, placed_at=at, note=note)
    order.number = f"{timezone.localtime(at).year}-{order.pk:06d}"
    order.save(update_fields=["number"])
    OrderLine.objects.bulk_create(
        OrderLine(order=order, book=books[pk], quantity=quantity, unit_price=books[pk].price)
        for pk, quantity in wanted.items()
    )

    _after_commit(order_placed, Order, order=order)
    tell_of_copies(left)
    if receipt_task:
        receipt_task.delay_on_commit(order.pk)
    return order


def _cancel(order_pk):
    order = Order.objects.select_for_update().get(pk=order_pk)
    if order.status not in {Order.Status.OPEN, Order.Status.PAID}:
        raise NotCancellable(order)
    order.status = Order.Status.CANCELLED
    order.save(update_fields=["status"])

    copies = dict(order.lines.order_by("book_id").values_list("book_id", "quantity"))
    left = locked_stock(copies)
    # The shop may not have kept a book on its shelf so far. Somebody else may be putting it there, too.
    new = [Stock(pk=pk) for pk in copies if pk not in left]
    Stock.objects.bulk_create(new, ignore_conflicts=True)
    for pk, quantity in copies.items():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") + quantity)
    tell_of_copies({pk: left.get(pk, 0) + copies[pk] for pk in copies})
    return order


def take_copies(books: Mapping[int, Book], wanted: Mapping[int, int]) -> dict[int, int]:
    """Take copies off the shelf, and return how many are left of each book. Call it inside `atomic()`.

    Raises OutOfStock.
    """
    left = locked_stock(wanted)
    for pk, quantity in wanted.items():
        taken = Stock.objects.filter(pk=pk, quantity__gte=quantity).update(quantity=F("quantity") - quantity)
        if not taken:
            raise OutOfStock(books[pk], quantity, left.get(pk, 0))
    return {pk: left[pk] - quantity for pk, quantity in wanted.items()}


def tell_of_copies(quantities: Mapping[int, int]):
    """Send `stock_changed` after the commit: copies now on the shelf, by book."""
    _after_commit(stock_changed, Stock, quantities=quantities)


def locked_stock(book_keys) -> dict[int, int]:
    """Copies on the shelf by book, locked until the transaction ends.

    In the order of keys: two orders for the same two books then never hold one each while they wait for the other.
    """
    rows = Stock.objects.select_for_update().filter(pk__in=book_keys).order_by("pk")
    return dict(rows.values_list("pk", "quantity"))


def _after_commit(signal, sender, **facts):
    def send():
        signal.send_robust(sender=sender, **facts)

    # Robust twice: a receiver that fails keeps no other receiver, and no other callback, from being called.
    transaction.on_commit(send, robust=True)
