"""Which web socket is at which path. `config/asgi.py` takes them in.

https://channels.readthedocs.io/en/stable/topics/routing.html
"""

from django.urls import path, re_path

from . import consumers


async def nothing_here(scope, receive, send):
    """Refuse the handshake. Without it, any wrong path would be an error in the log."""
    await receive()
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("live/socket/stock/", consumers.StockConsumer.as_asgi()),
    path("live/socket/orders/", consumers.OrdersConsumer.as_asgi()),
    re_path(r"", nothing_here),
]
