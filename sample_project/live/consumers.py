"""Web sockets: the stock for everybody, new orders for the staff.

https://channels.readthedocs.io/en/stable/topics/consumers.html
"""

import asyncio
import json
from contextlib import suppress
from enum import IntEnum

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db.models import Sum

from catalog.models import Book
from orders.models import Order, Stock

from . import groups


class Close(IntEnum):
    """Why a socket was closed; 4000 to 4999 are free for applications to define. RFC 6455, section 7.4."""

    UNSUPPORTED = 1003
    TOO_BIG = 1009
    LOGIN_NEEDED = 4401
    FORBIDDEN = 4403
    TOO_SLOW = 4408
    NO_LAYER = 4503


class Feed(AsyncJsonWebsocketConsumer):
    """What is common to the feeds: JSON both ways, and patience with slow clients that has an end.

    What is to go out waits in a queue, so that a client who does not read holds up nobody else, and not this consumer
    either. When `capacity` messages wait, the client is disconnected: it can come back and ask for the state of
    things, which is less than all it has missed.
    """

    capacity = 100
    # Characters of a message that comes in. Nothing we understand is longer.
    longest = 4096

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.joined = set()
        self.outbox = asyncio.Queue(self.capacity)
        self.writer = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # However it ends: a message of the client, a cancelled task, an error of our own.
            await self._clear_up()

    async def connect(self):
        """Accept, and then close where the client must not stay: before that, a browser is told no reason."""
        await self.accept()
        refusal = Close.NO_LAYER if self.channel_layer is None else await self.refusal()
        if refusal:
            await self.close(refusal)
            return
        self.writer = asyncio.create_task(self._write())
        await self.welcome()

    async def refusal(self) -> Close | None:
        """Why this client must not listen; None where it may."""
        return None

    async def welcome(self):
        """What comes after the handshake."""

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        """Hand JSON objects to `receive_json`. What is none is answered, so that who writes the client sees why."""
        if self.writer is None:
            # It was refused, and wrote before it heard of it.
            return
        if text_data is None:
            await self._end(Close.UNSUPPORTED)
        if len(text_data) > self.longest:
            await self._end(Close.TOO_BIG)
        try:
            content = json.loads(text_data)
        except (ValueError, RecursionError):
            await self.complain("This is not JSON.")
            return
        if not isinstance(content, dict):
            await self.complain('Send an object, as in {"action": "subscribe", "books": "all"}.')
            return
        await self.receive_json(content)

    async def receive_json(self, content, **kwargs):
        await self.complain("Nothing is expected here.")

    async def complain(self, error: str):
        await self.post({"type": "error", "error": error})

    async def post(self, content: dict):
        """Let the client have this when it is ready for it."""
        try:
            self.outbox.put_nowait(content)
        except asyncio.QueueFull:
            await self._end(Close.TOO_SLOW)

    async def join(self, group: str):
        await self.channel_layer.group_add(group, self.channel_name)
        self.joined.add(group)

    async def leave(self, group: str):
        if group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)
            self.joined.discard(group)

    async def _write(self):
        # The client may be gone, which the server says with an OSError. That it is, we hear as a message too.
        with suppress(OSError):
            while True:
                await self.send_json(await self.outbox.get())

    async def _end(self, code):
        self.writer.cancel()
        # To a client who does not read, nothing can be said any more.
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(1):
                await self.close(code)
        raise StopConsumer

    async def _clear_up(self):
        if self.writer:
            self.writer.cancel()
        for group in list(self.joined):
            await self.leave(group)


class StockConsumer(Feed):
    """Copies on the shelf, as they change. A client says which books it means, or "all":

        {"action": "subscribe", "books": [1, 2]}        {"action": "unsubscribe", "books": "all"}

    and gets the numbers of now, then each change:

        {"type": "stock", "snapshot": true, "changes": [{"book": 1, "quantity": 12}, …]}
    """

    ALL = "all"
    # Each book is a group of the layer, and a group costs memory there.
    most_books = 100

    async def receive_json(self, content, **kwargs):
        action, books = content.get("action"), content.get("books")
        if action not in ("subscribe", "unsubscribe"):
            await self.complain('The action is "subscribe" or "unsubscribe".')
        elif books != self.ALL and not _are_keys(books):
            await self.complain('The books are a list of primary keys, or "all".')
        else:
            await getattr(self, action)(books)

    async def subscribe(self, books):
        if books == self.ALL:
            # It includes the others: one message per change is enough.
            await self._leave_all()
            await self.join(groups.STOCK)
        else:
            known = {pk async for pk in Book.objects.filter(pk__in=books).values_list("pk", flat=True)}
            if unknown := sorted(set(books) - known):
                await self.complain(f"There is no such book: {', '.join(map(str, unknown))}.")
                return
            wanted = {groups.of_book(pk) for pk in books}
            if len(wanted | self.joined - {groups.STOCK}) > self.most_books:
                await self.complain(f"{self.most_books} books at most, or all.")
                return
            await self.leave(groups.STOCK)
            for group in sorted(wanted - self.joined):
                await self.join(group)
        # Read after joining: what changes in between comes twice, and is not missed.
        await self.post({"type": "stock", "snapshot": True, "changes": await _stock(books)})

    async def unsubscribe(self, books):
        if books == self.ALL:
            await self._leave_all()
        else:
            for pk in books:
                await self.leave(groups.of_book(pk))
        await self.post({"type": "unsubscribed", "books": books})

    async def stock_changed(self, event):
        """A message of the channel layer (see `announcements`)."""
        await self.post({"type": "stock", "snapshot": False, "changes": event["changes"]})

    async def _leave_all(self):
        for group in list(self.joined):
            await self.leave(group)


class OrdersConsumer(Feed):
    """New orders, as they come in. For the staff, by the session that they logged in with.

    Who may listen is asked once, at the handshake: who logs out hears on until the socket closes.
    """

    async def refusal(self):
        user = self.scope["user"]
        if not user.is_authenticated:
            return Close.LOGIN_NEEDED
        return None if user.is_staff else Close.FORBIDDEN

    async def welcome(self):
        await self.join(groups.ORDERS)
        await self.post({"type": "ready"})

    async def order_placed(self, event):
        order = (
            await Order.objects.filter(number=event["number"])
            .annotate(copies=Sum("lines__quantity"), amount=Sum("lines__amount"))
            .select_related("customer")
            .afirst()
        )
        if order:
            await self.post(
                {
                    "type": "order",
                    "number": order.number,
                    "customer": order.customer.get_username(),
                    "copies": order.copies or 0,
                    "amount": f"{order.amount or 0:.2f}",
                }
            )


def _are_keys(books):
    """Whether it is a list of whole numbers from 1 on. True is an int in Python and none here."""
    return (
        isinstance(books, list)
        and len(books) > 0
        and all(isinstance(pk, int) and not isinstance(pk, bool) and 0 < pk < 2**63 for pk in books)
    )


async def _stock(books):
    rows = Stock.objects.all() if books == StockConsumer.ALL else Stock.objects.filter(pk__in=books)
    found = {pk: quantity async for pk, quantity in rows.order_by("pk").values_list("pk", "quantity")}
    keys = found if books == StockConsumer.ALL else sorted(set(books))
    # A book without a row is one that the shop does not keep.
    return [{"book": pk, "quantity": found.get(pk, 0)} for pk in keys]
