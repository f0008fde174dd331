"""Settings that hold everywhere. What differs is in `development`, `production` and `notebook`."""

import os
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
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # After the session, before whatever makes URLs or text: it decides about the language of the answer.
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.DeskLoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
# Redis cannot tell a dead worker from a slow one: after so many seconds another one gets its task.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 15 * 60, "socket_connect_timeout": 2}

# Django's own tasks: at once, unless they are given to the queue in the database.
# https://docs.djangoproject.com/en/stable/ref/settings/#tasks
TASKS = {
    "default": {
        "BACKEND": f"django{'.' if django.VERSION >= (6, 0) else '_'}tasks.backends.immediate.ImmediateBackend"
    },
    "database": {"BACKEND": "django_tasks_db.DatabaseBackend"},
}
