"""Settings for a developer's machine: `manage.py runserver`, and the tests."""

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
