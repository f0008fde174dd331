import asyncio

import pytest
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model

# The host that a browser would name; ALLOWED_HOSTS of the tests has it.
ORIGIN = (b"origin", b"http://testserver")


@pytest.fixture(autouse=True)
def layer(monkeypatch):
    """A channel layer that no other test has used."""
    monkeypatch.setattr(channel_layers, "backends", {})
    return channel_layers["default"]


@pytest.fixture
def run():
    """Call it with a coroutine function. Its queries run in this thread, on the connection of the test."""

    def run(function):
        async def within_time():
            async with asyncio.timeout(20):
                return await function()

        return async_to_sync(within_time)()

    return run


@pytest.fixture
def visit(client):
    """A communicator for a path of the whole ASGI application: `visit("stock")`, `visit("orders", user=ida)`."""
    from config.asgi import application

    def visit(feed, user=None, origin=ORIGIN):
        headers = [origin] if origin else []
        if user:
            client.force_login(user)
            headers.append((b"cookie", client.cookies.output(header="", sep=";").strip().encode()))
        return WebsocketCommunicator(application, f"/live/socket/{feed}/", headers=headers)

    return visit


@pytest.fixture
def bookseller(db):
    return get_user_model().objects.get(username="ida")


@pytest.fixture
def customer(db):
    return get_user_model().objects.get(username="anna")
