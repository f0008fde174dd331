"""Settings for a developer's machine: `manage.py runserver`, and the tests."""

import os

import django

from .common import *  # noqa: F403
from .common import BASE_DIR, SQLITE_OPTIONS

DEBUG = True
SECRET_KEY = "development-only"  # noqa: S105 - production reads its own from the environment
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        "OPTIONS": SQLITE_OPTIONS,
    }
}

# Letters are printed where the server runs; with the environment variable MAIL_FOLDER, each goes into a file there.
# From Django 6.1 on, one setting names every way that letters can take; the settings of old are deprecated there.
# https://docs.djangoproject.com/en/6.1/topics/email/
if django.VERSION >= (6, 1):
    if folder := os.environ.get("MAIL_FOLDER"):
        MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "OPTIONS": {"file_path": folder},
            }
        }
    else:
        MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
elif folder := os.environ.get("MAIL_FOLDER"):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = folder
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# The browser's console names what production would block. It is not blocked here: pages of debugging tools have
# scripts of their own.
if django.VERSION >= (6, 0):
    from .common import CONTENT_SECURITY_POLICY as SECURE_CSP_REPORT_ONLY  # noqa: F401

# For one process. https://channels.readthedocs.io/en/stable/topics/channel_layers.html#in-memory-channel-layer
CHANNEL_LAYERS = {"default": {"BACKEND": "live.layers.InMemoryChannelLayer"}}
