"""Tells the channel layer what happened in the shop. Whoever listens there hears it; nobody waits for them.

What is said is said once: a page that was away asks for the state of things when it comes back. Two changes at the
same moment may be heard in either order.

https://channels.readthedocs.io/en/stable/topics/channel_layers.html#using-outside-of-consumers
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import async_to_sync
from django.conf import settings
from django.dispatch import receiver

from orders.models import Order
from orders.signals import order_placed, stock_changed

from . import groups

logger = logging.getLogger(__name__)

# Seconds that a checkout waits for a channel layer that does not answer.
PATIENCE = 2

_unfinished = set()


@receiver(stock_changed, dispatch_uid="live.announce_stock")
def stock_was_changed(sender, quantities, **kwargs):
    announce_stock(quantities)


@receiver(order_placed, sender=Order, dispatch_uid="live.announce_order")
def order_was_placed(sender, order, **kwargs):
    announce_order(order)


def announce_stock(quantities: Mapping[int, int]):
    """Tell how many copies there are now, by primary key of the book: each book's group, and the group of all."""
    changes = [{"book": pk, "quantity": quantity} for pk, quantity in quantities.items()]
    if changes:
        _announce(
            (groups.STOCK, {"type": "stock.changed", "changes": changes}),
            *((groups.of_book(change["book"]), {"type": "stock.changed", "changes": [change]}) for change in changes),
        )


def announce_order(order: Order):
    """Tell of a new order: its number and no more. Who may read it looks it up."""
    _announce((groups.ORDERS, {"type": "order.placed", "number": order.number}))


def _announce(*messages):
    """Send (group, message) pairs, from synchronous code anywhere. It never raises: the books are sold already."""
    if not getattr(settings, "CHANNEL_LAYERS", None):
        return
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    if layer is None:
        return

    async def send():
        try:
            async with asyncio.timeout(PATIENCE):
                for group, message in messages:
                    await layer.group_send(group, message)
        except Exception:
            logger.exception("The channel layer was not told of %s", messages[0][1]["type"])

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # In a thread of an ASGI server, this runs on the server's loop.
        async_to_sync(send)()
    else:
        _send_beside(loop, send)


def _send_beside(loop, send):
    """For synchronous code on the thread of a running loop, where async_to_sync raises: a cell of a notebook.

    It holds the loop up until it is done, as the queries of such code do.
    """
    try:
        with ThreadPoolExecutor(max_workers=1) as other_thread:
            other_thread.submit(lambda: asyncio.run(send())).result()
    except RuntimeError:
        # A browser has no threads: the message goes when the loop goes on.
        task = loop.create_task(send())
        _unfinished.add(task)
        task.add_done_callback(_unfinished.discard)
