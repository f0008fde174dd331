"""Settings for the live shop. What differs from place to place is read from the environment.

https://docs.djangoproject.com/en/stable/howto/deployment/checklist/
"""

import django

from config import logging
from config.databases import database
from config.environment import listed, number, optional, required, switch

from .common import *  # noqa: F403
from .common import BASE_DIR, MIDDLEWARE, REST_FRAMEWORK, SQLITE_OPTIONS

DEBUG = False
SECRET_KEY = required("SECRET_KEY", "at least 50 random characters that nobody else knows")
# Keys of the past, with commas between them: what they signed is still good, and nothing new is signed with them.
# So a new key logs nobody out, as long as its predecessor is here.
SECRET_KEY_FALLBACKS = listed(optional("SECRET_KEY_FALLBACKS"))
ALLOWED_HOSTS = listed(required("ALLOWED_HOSTS", "the shop's host names with commas between them, as in shop.example"))

if url := optional("DATABASE_URL"):
    DATABASES = {"default": database(url, SQLITE_OPTIONS)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": optional("DATABASE_PATH") or BASE_DIR / "db.sqlite3",
            "OPTIONS": SQLITE_OPTIONS,
        }
    }

# For the processes that serve pages: who waits for half a minute has left. Not where migrations run, which may take
# longer than any page.
STATEMENT_TIMEOUT = number("STATEMENT_TIMEOUT", 0) or None

# One server for what all processes share: the cache, sessions, messages to open pages, and Celery's queue, each under
# names of its own. Without it each process has a cache to itself, and open pages are told nothing.
if REDIS_URL := optional("REDIS_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "shop",
            # Half a second without an answer is an error, and not a page that hangs.
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # It waits 5 seconds for a message and then asks again. The client's own limit is 5 as well, from version 8
            # on, and would end every quiet web socket: it has to be longer.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 15}]},
        }
    }
    # Read from the cache, and kept in the database for when the cache has lost them.
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# The name of each file contains a digest of its content, so browsers may keep it for ever. Compressed once.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_ROOT = optional("STATIC_ROOT") or BASE_DIR / "staticfiles"
MEDIA_ROOT = optional("MEDIA_ROOT") or BASE_DIR / "media"

# Right after the security headers, which files have as well; before everything that only pages need.
_after_security = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1
MIDDLEWARE = [
    *MIDDLEWARE[:_after_security],
    "config.files.StaticFilesMiddleware",
    *MIDDLEWARE[_after_security:],
]

# HTTPS alone, for a year, subdomains included.
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
# Where forms come from another origin than the page's own host: "https://admin.shop.example".
CSRF_TRUSTED_ORIGINS = listed(optional("CSRF_TRUSTED_ORIGINS"))

# Who knocks at /admin/ all day finds nothing there. It keeps noise away, and is no protection by itself.
_admin = optional("ADMIN_PATH").strip("/") or "admin"
ADMIN_PATH = f"{_admin}/"

# Only behind a proxy that sets this header itself and drops the browser's: anybody else can send it too, and would
# have every connection taken for HTTPS. So nothing is trusted unless somebody says so.
if switch("TRUST_X_FORWARDED_PROTO"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# How many proxies of ours a request comes through. The limits of the API count by the address that the first of them
# has seen; without proxies that is who connects, whatever X-Forwarded-For says.
REST_FRAMEWORK = {**REST_FRAMEWORK, "NUM_PROXIES": number("PROXIES", 0)}

# Enforced from Django 6.0 on. Django 5.2 has no such middleware, and there the header is left out.
if django.VERSION >= (6, 0):
    from .common import CONTENT_SECURITY_POLICY as SECURE_CSP  # noqa: F401

# How long an answer took tells who asks whether the database was asked: not everybody's business.
SERVER_TIMING = switch("SERVER_TIMING")

MAINTENANCE_MODE = switch("MAINTENANCE_MODE")
MAINTENANCE_FILE = optional("MAINTENANCE_FILE") or None

LOGGING = logging.configuration(optional("LOG_LEVEL") or "INFO")

# Letters go to a mail server. From Django 6.1 on, one setting names it; the settings of old are deprecated there.
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": optional("EMAIL_HOST") or "localhost",
                "port": number("EMAIL_PORT", 25),
                "username": optional("EMAIL_HOST_USER"),
                "password": optional("EMAIL_HOST_PASSWORD"),
                "use_tls": switch("EMAIL_USE_TLS"),
                "timeout": 10,
            },
        }
    }
else:
    EMAIL_HOST = optional("EMAIL_HOST") or "localhost"
    EMAIL_PORT = number("EMAIL_PORT", 25)
    EMAIL_HOST_USER = optional("EMAIL_HOST_USER")
    EMAIL_HOST_PASSWORD = optional("EMAIL_HOST_PASSWORD")
    EMAIL_USE_TLS = switch("EMAIL_USE_TLS")
    EMAIL_TIMEOUT = 10
