"""The groups of the channel layer, and so who hears what.

https://channels.readthedocs.io/en/stable/topics/channel_layers.html#groups
"""

# Every change of the stock.
STOCK = "stock"
# Every new order; for the staff.
ORDERS = "orders"


def of_book(pk: int) -> str:
    """The group of one book's stock."""
    return f"{STOCK}.{pk}"
