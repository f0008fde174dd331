"""A channel layer for one process that has several event loops."""

import asyncio
from contextlib import suppress
from weakref import WeakValueDictionary

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer as SingleLoopChannelLayer


class InMemoryChannelLayer(SingleLoopChannelLayer):
    """Hands each message over to the event loop that waits for it.

    The one of Channels puts messages into an `asyncio.Queue` from whatever thread it is called in. Such a queue is not
    safe between threads: where a view runs under another loop than the consumer, the message lies there and nobody
    wakes up. That is the case wherever a server runs in a thread, as in a notebook or a test.

    https://docs.python.org/3/library/asyncio-dev.html#concurrency-and-multithreading
    """

    def __init__(self, **options):
        super().__init__(**options)
        self._loops = WeakValueDictionary()

    async def new_channel(self, prefix="specific."):
        """A channel whose name ends with a word for the loop that it belongs to."""
        loop = asyncio.get_running_loop()
        word = str(id(loop))
        self._loops[word] = loop
        return f"{await super().new_channel(prefix)}.{word}"

    async def send(self, channel, message):
        """As in Channels; towards another loop nobody is told when the channel is full, and the message is dropped."""
        home = self._loops.get(channel.rpartition(".")[2])
        if home is None or home is asyncio.get_running_loop():
            await super().send(channel, message)
            return
        # Not waited for: that loop may be the very one that stands still until this call has ended.
        delivery = super().send(channel, message)
        try:
            asyncio.run_coroutine_threadsafe(delivery, home)
        except RuntimeError:  # That loop is closed, so nobody waits there.
            delivery.close()

    async def group_send(self, group, message):
        """Send to every channel of the group, but to those that are full."""
        self.require_valid_group_name(group)
        # A copy: other threads may join and leave meanwhile.
        for channel in list(self.groups.get(group, ())):
            with suppress(ChannelFull):
                await self.send(channel, message)
