"""Settings for the live shop. What differs from place to place is read from the environment.

https://docs.djangoproject.com/en/stable/howto/deployment/checklist/
"""

import os

from django.core.exceptions import ImproperlyConfigured

from .common import *  # noqa: F403
from .common import BASE_DIR, SQLITE_OPTIONS


def required(name, meaning):
    """The environment variable `name`; without it, an error that says what to set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name}: {meaning}.")
    return value


DEBUG = False
SECRET_KEY = required("SECRET_KEY", "at least 50 random characters that nobody else knows")
ALLOWED_HOSTS = [
    host.strip()
    for host in required("ALLOWED_HOSTS", "the shop's host names with commas between them, as in shop.example").split(
        ","
    )
    if host.strip()
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE_PATH") or BASE_DIR / "db.sqlite3",
        "OPTIONS": SQLITE_OPTIONS,
    }
}

STATIC_ROOT = BASE_DIR / "staticfiles"

# HTTPS alone, for a year, subdomains included.
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
