"""What can go wrong with an order, in the shop's own words. Views turn these into messages, the API into answers."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# What a small integer holds on every database: the quantity of an order line is one.
MOST_COPIES = 32_767


class OrderError(Exception):
    """An order that the shop cannot take. `str(error)` is a sentence for the customer."""


class EmptyOrder(OrderError):
    """Nothing was ordered."""

    def __init__(self):
        super().__init__(_("There is nothing in this order. Put a book into the cart first."))


class OutOfStock(OrderError):
    """Fewer copies are left than were asked for."""

    def __init__(self, book, wanted, left):
        self.book = book
        self.wanted = wanted
        self.left = left
        message = ngettext(
            "Only %(left)d copy is left of %(title)s, and %(wanted)s were asked for.",
            "Only %(left)d copies are left of %(title)s, and %(wanted)s were asked for.",
            left,
        )
        super().__init__(message % {"left": left, "title": book.title, "wanted": wanted})


class InvalidQuantity(OrderError):
    """The number of copies is no number, less than one, or more than an order line can hold."""

    def __init__(self, quantity):
        self.quantity = quantity
        super().__init__(
            _("Ask for a whole number of copies, at least 1 and at most %(most)s, not %(wanted)r.")
            % {"most": f"{MOST_COPIES:,}", "wanted": quantity}
        )


class UnknownBook(OrderError):
    """There is no book with that key: it was deleted, or the request was made up."""

    def __init__(self, book_pk):
        self.book_pk = book_pk
        super().__init__(_("The shop has no book with the number %(number)r.") % {"number": book_pk})


class NotCancellable(OrderError):
    """The order was shipped, or cancelled already."""

    def __init__(self, order):
        self.order = order
        status = order.get_status_display().lower()
        message = _("Order %(number)s is %(status)s: it cannot be cancelled.")
        super().__init__(message % {"number": order.number, "status": status})


class Overpaid(OrderError):
    """Somebody would pay more than is still due."""

    def __init__(self, order, amount, due):
        self.order = order
        self.amount = amount
        self.due = due
        message = _("Only %(due).2f is due for order %(number)s, and %(amount).2f was paid.")
        super().__init__(message % {"due": due, "number": order.number, "amount": amount})
