"""Settings for a kernel: the developer's, on a database file that belongs to this process alone."""

import django

from lab.sqlite import Connection

from .development import *  # noqa: F403
from .development import INSTALLED_APPS, MIDDLEWARE

# Learners read `connection.queries` and the pages for errors, as on their own machine. The lab keeps the log short.
DEBUG = True
# The port and the host name depend on where the notebook runs. Nothing but this process answers.
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [*INSTALLED_APPS, "lab"]
# What a notebook shows of a request is the same on every Django, and 5.2 has no such middleware.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.endswith(".ContentSecurityPolicyMiddleware")]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        # `lab.database.connect_to` names the file. Until then nothing can be written to a place that lasts.
        "NAME": ":memory:",
        "OPTIONS": {
            # One writer at a time is SQLite's rule: take the write lock at BEGIN and wait for it.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # A private copy need not survive a power cut.
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;",
            # A long statement stops when the learner interrupts the cell.
            "factory": Connection,
        },
    }
}

# A cell that makes a hundred users should not take ten seconds. Never for real passwords.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Uploads live as long as the process, and touch no disk.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Letters stay in `django.core.mail.outbox`. The setting of old is deprecated where its successor exists.
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    globals().pop("EMAIL_BACKEND", None)
else:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# What goes wrong is shown by the cell; a log line beside it would say it twice.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {
        "django": {"handlers": ["nowhere"], "level": "INFO"},
        **{app: {"handlers": ["nowhere"]} for app in ("accounts", "catalog", "orders", "reviews", "storefront")},
    },
}
