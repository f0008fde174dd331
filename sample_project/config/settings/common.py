"""Settings that hold everywhere. What differs is in `development`, `production` and `notebook`."""

import os
from datetime import timedelta
from pathlib import Path

import django

BASE_DIR = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "accounts",
    "catalog",
    "orders",
    "reviews",
    "storefront",
    "api",
    "live",
    # The tables of the queue that `TASKS["database"]` is. Before Django 6.0 the framework is a package as well.
    *([] if django.VERSION >= (6, 0) else ["django_tasks"]),
    "django_tasks_db",
    # After `api`, which has a template of the framework in a version of its own.
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
]

# From the outside in. Each stands where it is for a reason, and `config/tests/test_middleware.py` holds the order.
MIDDLEWARE = [
    # First, so that whatever is logged further in has the id.
    "storefront.middleware.RequestIDMiddleware",
    # Its time contains that of all the others.
    "storefront.middleware.TimingMiddleware",
    # Before the host name is looked at, HTTPS asked for, or a session opened: who checks has none of them.
    "config.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # After the session, before whatever makes URLs or text: it decides about the language of the answer.
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # After the user is known, because staff get through; before the view and whatever asks for a login.
    "storefront.middleware.MaintenanceMiddleware",
    "accounts.middleware.DeskLoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Last, next to the views whose exceptions it turns into an answer.
    "storefront.errors.OrderErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storefront.context_processors.shop",
            ],
        },
    },
    # Django asks the engines in this order. Templates for this one are in the folder jinja2/ of an app.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {"environment": "config.jinja.environment"},
    },
]

# One writer at a time is SQLite's rule: take the write lock at BEGIN and wait for it, instead of failing half-way.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

# Asked in this order until one knows the name and the password; for permissions, until one says yes.
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "accounts.backends.EmailBackend",
    "reviews.backends.ReviewBackend",
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "storefront:home"
LOGOUT_REDIRECT_URL = "storefront:home"

# New passwords are hashed by the first. One that was hashed by another, or with fewer rounds, is hashed anew when its
# owner logs in: the only moment at which the shop knows it. Argon2 needs a package of its own.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "accounts.passwords.ForbiddenWordsValidator",
        "OPTIONS": {"words": ["The Bookshop", "Bookshop", "Pride and Prejudice", "Jane Austen", "Sherlock Holmes"]},
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Where the admin site is. Production may give it a path that nobody guesses, with a slash at its end.
ADMIN_PATH = "admin/"

DEFAULT_FROM_EMAIL = "The Bookshop <shop@example.org>"

STATIC_URL = "static/"
# What belongs to no app: the sign over the door, which is the same in the shop, in its letters and in its admin site.
STATICFILES_DIRS = [BASE_DIR / "static"]

# What people upload. No URL leads into this folder: a view sends each file, with headers of the shop's choice.
MEDIA_ROOT = BASE_DIR / "media"

# Celery's queue and results, where there is a server for them. Without one, a task runs at once in the process that
# asks for it.
REDIS_URL = os.environ.get("REDIS_URL", "")
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_RESULT_BACKEND = REDIS_URL or "cache+memory://"
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TIMEZONE = TIME_ZONE
CELERY_RESULT_EXPIRES = 24 * 60 * 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A customer waits while a task is queued. Who finds the broker away for so long gives up.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2}
# A worker takes no more than it works on: what it has not begun stays for the others.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Redis cannot tell a dead worker from a slow one: after so many seconds another one gets its task. A task that waits
# for its next attempt is with a worker, too, so this is longer than the longest pause.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 15 * 60, "socket_connect_timeout": 2}

# Django's own tasks: at once, unless they are given to the queue in the database.
# https://docs.djangoproject.com/en/stable/ref/settings/#tasks
TASKS = {
    "default": {
        "BACKEND": f"django{'.' if django.VERSION >= (6, 0) else '_'}tasks.backends.immediate.ImmediateBackend"
    },
    "database": {"BACKEND": "django_tasks_db.DatabaseBackend"},
}

# What pages keep, in seconds: so long it is as good as new, so long it is served while somebody works it out anew, and
# so long that may take. `storefront.caching.Policy` says more.
CACHE_POLICY = {"fresh": 300, "stale": 3600, "lock": 30, "jitter": 0.1}

# How many seconds PostgreSQL gives a statement; None for as long as it takes.
STATEMENT_TIMEOUT = None

# The header Server-Timing.
SERVER_TIMING = True

# The shop is closed while the one is True, or the file is there that the other names.
MAINTENANCE_MODE = False
MAINTENANCE_FILE = None
MAINTENANCE_RETRY_AFTER = 300

# What pages may load: nothing that is not ours, and no script or style inside the page unless it bears the nonce that
# the middleware made for this very answer. The templates of the shop have none. Data URLs are the admin site's icons.
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    CONTENT_SECURITY_POLICY = {
        "default-src": [CSP.SELF],
        "script-src": [CSP.SELF, CSP.NONCE],
        "style-src": [CSP.SELF, CSP.NONCE],
        "img-src": [CSP.SELF, "data:"],
        "object-src": [CSP.NONE],
        "base-uri": [CSP.NONE],
        "form-action": [CSP.SELF],
        "frame-ancestors": [CSP.NONE],
    }
    # After what answers without a page.
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1,
        "django.middleware.csp.ContentSecurityPolicyMiddleware",
    )
    TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.template.context_processors.csp")

# The API. What a view needs otherwise, it says itself. https://www.django-rest-framework.org/api-guide/settings/
REST_FRAMEWORK = {
    # The first class decides what somebody unknown is told: tokens answer 401 and say how to log in, sessions 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.ExpiringTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # The framework's own default lets everybody write.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    # Counted in the default cache: with several processes, that has to be one that they share.
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "600/min", "user": "1200/min", "token": "5/min", "orders": "30/min"},
    # No proxy is believed: any client may call itself anything in X-Forwarded-For. Production counts its own.
    "NUM_PROXIES": 0,
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.URLPathVersioning",
    "DEFAULT_VERSION": "v1",
    "ALLOWED_VERSIONS": ["v1", "v2"],
    # No list is endless.
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pages",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_TOKEN_LIFETIME = timedelta(days=30)

# Swagger UI and Redoc are left out: both load their scripts from elsewhere. The browsable API is the shop's own.
# https://drf-spectacular.readthedocs.io/en/latest/settings.html
SPECTACULAR_SETTINGS = {
    "TITLE": "The Bookshop",
    "DESCRIPTION": "Books, their authors and reviews for everybody; orders for customers.",
    # Each version of the API has its schema; there is no other number.
    "VERSION": None,
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SERVE_INCLUDE_SCHEMA": False,
}
