"""The ASGI application: https://docs.djangoproject.com/en/stable/howto/deployment/asgi/"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_asgi_application()
