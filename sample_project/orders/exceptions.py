"""What can go wrong with an order, in the shop's own words. Views turn these into messages, the API into answers."""

# What a small integer holds on every database: the quantity of an order line is one.
MOST_COPIES = 32_767


class OrderError(Exception):
    """An order that the shop cannot take. `str(error)` is a sentence for the customer."""


class EmptyOrder(OrderError):
    """Nothing was ordered."""

    def __init__(self):
        super().__init__("There is nothing in this order. Put a book into the cart first.")


class OutOfStock(OrderError):
    """Fewer copies are left than were asked for."""

    def __init__(self, book, wanted, left):
        self.book = book
        self.wanted = wanted
        self.left = left
        copies = "copy is" if left == 1 else "copies are"
        super().__init__(f"Only {left} {copies} left of {book.title}, and {wanted} were asked for.")


class InvalidQuantity(OrderError):
    """The number of copies is no number, less than one, or more than an order line can hold."""

    def __init__(self, quantity):
        self.quantity = quantity
        super().__init__(
            f"Ask for a whole number of copies, at least 1 and at most {MOST_COPIES:,}, not {quantity!r}."
        )


class UnknownBook(OrderError):
    """There is no book with that key: it was deleted, or the request was made up."""

    def __init__(self, book_pk):
        self.book_pk = book_pk
        super().__init__(f"The shop has no book with the number {book_pk!r}.")


class NotCancellable(OrderError):
    """The order was shipped, or cancelled already."""

    def __init__(self, order):
        self.order = order
        super().__init__(f"Order {order.number} is {order.get_status_display().lower()}: it cannot be cancelled.")


class Overpaid(OrderError):
    """Somebody would pay more than is still due."""

    def __init__(self, order, amount, due):
        self.order = order
        self.amount = amount
        self.due = due
        super().__init__(f"Only {due:.2f} is due for order {order.number}, and {amount:.2f} was paid.")
