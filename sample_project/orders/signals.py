"""What happens in the shop and others may want to know. Sent after the transaction that it belongs to has ended well.

https://docs.djangoproject.com/en/stable/topics/signals/#defining-signals
"""

from django.dispatch import Signal

# sender=Order, order=the new order with its lines
order_placed = Signal()
# sender=Stock, quantities={primary key of a book: copies now on the shelf}
stock_changed = Signal()
