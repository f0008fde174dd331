"""Answers that are sent while they are made: changes of the stock as they happen, and a table of any length.

https://docs.djangoproject.com/en/stable/ref/request-response/#streaminghttpresponse-objects
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from orders.models import OrderLine
from storefront.spreadsheets import line

from . import groups

HEARTBEAT = 15
COLUMNS = ("order", "book", "quantity", "unit price", "amount")
_FIELDS = ("order__number", "book__title", "quantity", "unit_price", "amount")
# Rows that are read from the database at once.
_CHUNK = 2000


async def stock_events(layer, heartbeat: float = HEARTBEAT) -> AsyncIterator[str]:
    """Server-sent events: each change of the stock, and a comment when nothing happened for `heartbeat` seconds.

    The comment keeps proxies from giving the connection up, and makes the server notice that the reader is gone. Then
    Django cancels this generator where it stands, and it leaves its group.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    channel = await layer.new_channel()
    await layer.group_add(groups.STOCK, channel)
    waiting = None
    try:
        # Something at once, so that the reader knows it is heard; and after how long to come back.
        yield "retry: 3000\n\n"
        while True:
            # Not cancelled when the heartbeat is due: a message might get lost.
            waiting = waiting or asyncio.ensure_future(layer.receive(channel))
            done, _ = await asyncio.wait([waiting], timeout=heartbeat)
            if done:
                message, waiting = waiting.result(), None
                yield f"event: stock\ndata: {json.dumps(message['changes'])}\n\n"
            else:
                yield ": nothing new\n\n"
    finally:
        if waiting:
            waiting.cancel()
        await layer.group_discard(groups.STOCK, channel)


def order_lines() -> Iterator[str]:
    """All order lines as CSV, line by line: for WSGI, where the response is read by a plain loop."""
    yield line(COLUMNS)
    for row in _lines().iterator(chunk_size=_CHUNK):
        yield line(row.values())


async def aorder_lines() -> AsyncIterator[str]:
    """The same for ASGI. Given the plain iterator, Django would read it to the end before it sends any, and warn."""
    yield line(COLUMNS)
    async for row in _lines().aiterator(chunk_size=_CHUNK):
        yield line(row.values())


def _lines():
    # Not values_list(): its aiterator() runs the query on the thread of the event loop, which Django then refuses.
    return OrderLine.objects.order_by("pk").values(*_FIELDS)
