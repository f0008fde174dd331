import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from live.layers import InMemoryChannelLayer


class Elsewhere:
    """An event loop in a thread of its own, as a server's. In debug mode it refuses calls of other threads."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.loop.set_debug(True)
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def begin(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine):
        return self.begin(coroutine).result(timeout=10)


@pytest.fixture
def layer():
    return InMemoryChannelLayer(capacity=2)


async def member(layer, group="stock"):
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


async def listening(layer, channel):
    """Begin to receive, and come back when it waits."""
    waiting = asyncio.ensure_future(layer.receive(channel))
    while channel not in layer.channels:
        await asyncio.sleep(0)
    return waiting


async def of(future):
    return await future


def test_a_message_wakes_up_who_waits_in_another_loop(layer):
    with Elsewhere() as server:
        channel = server.run(member(layer))
        waiting = server.run(listening(layer, channel))
        asyncio.run(layer.group_send("stock", {"type": "stock.changed"}))
        assert server.run(of(waiting)) == {"type": "stock.changed"}


def test_messages_stay_in_order(layer):
    async def send():
        await layer.group_send("stock", {"n": 1})
        await layer.group_send("stock", {"n": 2})

    async def two(channel):
        return [await layer.receive(channel), await layer.receive(channel)]

    with Elsewhere() as server:
        channel = server.run(member(layer))
        asyncio.run(send())
        assert server.run(two(channel)) == [{"n": 1}, {"n": 2}]


def test_a_loop_that_stands_still_does_not_hold_up_the_sender(layer):
    async def scene():
        channel = await member(layer)
        sender = threading.Thread(target=lambda: asyncio.run(layer.group_send("stock", {"n": 1})))
        sender.start()
        # Nothing of this loop runs meanwhile, as during a cell of a notebook.
        sender.join(timeout=10)
        assert not sender.is_alive()
        return await layer.receive(channel)

    assert asyncio.run(scene()) == {"n": 1}


def test_who_is_full_misses_a_message_and_nobody_else_does(layer):
    async def scene():
        full, other = await member(layer), await member(layer)
        for n in range(3):
            await layer.group_send("stock", {"n": n})
            if n < 2:
                await layer.receive(other)
        return await layer.receive(full), await layer.receive(full), await layer.receive(other), dict(layer.channels)

    first, second, third, waiting = asyncio.run(scene())
    assert (first, second, third) == ({"n": 0}, {"n": 1}, {"n": 2})
    assert waiting == {}


def test_a_loop_that_is_gone_is_passed_over(layer, recwarn):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(member(layer))
    loop.close()
    asyncio.run(layer.group_send("stock", {"n": 1}))
    assert not recwarn.list


def test_in_production_a_quiet_socket_outlives_the_wait_for_a_message():
    """The client of Redis gives up after 5 seconds by default, which is how long the layer waits for a message."""
    pytest.importorskip("channels_redis")
    script = (
        "import django\ndjango.setup()\nfrom channels.layers import get_channel_layer\n"
        "layer = get_channel_layer()\n"
        "print([host['socket_timeout'] > layer.brpop_timeout for host in layer.hosts])"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "shop.example",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[True]\n", done.stdout + done.stderr
