"""What can go wrong with an order, in the shop's own words. Views turn these into messages, the API into answers."""


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
