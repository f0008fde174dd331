"""The ASGI application: pages as under WSGI, and web sockets.

https://docs.djangoproject.com/en/stable/howto/deployment/asgi/
https://channels.readthedocs.io/en/stable/topics/routing.html
"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

# First of all: it sets Django up, and what is imported below needs models.
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from live.routing import websocket_urlpatterns  # noqa: E402

if settings.DEBUG:
    # What runserver does under WSGI.
    pages = ASGIStaticFilesHandler(pages)

application = ProtocolTypeRouter(
    {
        "http": pages,
        # Browsers send cookies along whatever page a script belongs to, and no CSRF token: the origin has to be ours.
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
