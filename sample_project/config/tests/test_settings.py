"""The settings as a server meets them: each in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SECRET_KEY = "9f2kq-only-for-this-test-7w1zv-R8mX4hTn3bYc6Ld0PsGjAeUo"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": SECRET_KEY,
    "ALLOWED_HOSTS": "shop.example, www.shop.example",
}


# What production reads beside these.
OPTIONAL = set(
    re.findall(r'(?:optional|switch|number)\("(\w+)"', (PROJECT / "config/settings/production.py").read_text())
)


def run(*arguments, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in {*PRODUCTION, *OPTIONAL}}
    return subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, env=inherited | environment, capture_output=True, text=True
    )


def shown(expression, **environment):
    """The value of an expression about `settings`, in production."""
    printed = run(
        "-c",
        f"import json\nfrom django.conf import settings\nprint(json.dumps({expression}, default=str))",
        **PRODUCTION | environment,
    )
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


@pytest.mark.parametrize(
    "further",
    [
        {},
        {
            "DATABASE_URL": "sqlite:////tmp/shop.sqlite3",
            "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
            "TRUST_X_FORWARDED_PROTO": "1",
            "SECRET_KEY_FALLBACKS": SECRET_KEY[::-1],
            "CSRF_TRUSTED_ORIGINS": "https://admin.shop.example",
            "EMAIL_HOST": "mail.example",
        },
    ],
    ids=["required", "everything"],
)
def test_production_passes_the_deployment_check_without_a_warning(further):
    checked = run("-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION | further)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout
    assert checked.stderr == ""


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_says_in_one_sentence_what_is_missing(missing, value):
    environment = {name: setting for name, setting in PRODUCTION.items() if name != missing}
    if value is not None:
        environment[missing] = value
    checked = run("manage.py", "check", **environment)
    assert checked.returncode != 0
    [sentence] = checked.stderr.strip().splitlines()
    assert sentence.startswith(f"Set the environment variable {missing}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql//shop:s3cret@db/books"),
        ("TRUST_X_FORWARDED_PROTO", "maybe"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_production_says_in_one_sentence_what_it_cannot_read(name, value):
    checked = run("manage.py", "check", **PRODUCTION, **{name: value})
    assert checked.returncode != 0
    [sentence] = checked.stderr.strip().splitlines()
    assert sentence.startswith(f"The environment variable {name} is ")
    assert "s3cret" not in sentence


def test_production_reads_its_hosts_and_its_database_from_the_environment(tmp_path):
    assert shown(
        "[settings.DEBUG, settings.ALLOWED_HOSTS, settings.DATABASES['default']['NAME'], "
        "settings.SECRET_KEY_FALLBACKS]",
        DATABASE_PATH=str(tmp_path / "shop.sqlite3"),
        SECRET_KEY_FALLBACKS="older, oldest",
    ) == [False, ["shop.example", "www.shop.example"], str(tmp_path / "shop.sqlite3"), ["older", "oldest"]]


def test_one_url_is_for_the_cache_sessions_open_pages_and_celery():
    expression = (
        "[settings.CACHES['default']['LOCATION'], settings.SESSION_ENGINE, "
        "settings.CHANNEL_LAYERS['default']['CONFIG']['hosts'][0]['address'], settings.CELERY_BROKER_URL]"
    )
    url = "redis://:secret@valkey:6379/0"
    assert shown(expression, REDIS_URL=url) == [url, "django.contrib.sessions.backends.cached_db", url, url]


def test_without_one_each_process_has_its_own_cache_and_sessions_are_in_the_database():
    expression = "[settings.CACHES['default']['BACKEND'], settings.SESSION_ENGINE]"
    cache, sessions = shown(expression)
    assert cache.endswith(".LocMemCache")
    assert sessions == "django.contrib.sessions.backends.db"


def test_the_header_of_a_proxy_is_believed_where_somebody_says_so_and_nowhere_else():
    """Anybody can send it, and would have a plain connection taken for HTTPS."""
    expression = "settings.SECURE_PROXY_SSL_HEADER"
    assert shown(expression) is None
    assert shown(expression, TRUST_X_FORWARDED_PROTO="0") is None
    assert shown(expression, TRUST_X_FORWARDED_PROTO="1") == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_proxies_are_counted_where_somebody_says_so():
    assert shown("settings.REST_FRAMEWORK['NUM_PROXIES']") == 0
    assert shown("settings.REST_FRAMEWORK['NUM_PROXIES']", PROXIES="1") == 1


def test_files_are_served_right_after_the_security_headers():
    order = shown("settings.MIDDLEWARE")
    security = order.index("django.middleware.security.SecurityMiddleware")
    assert order[security + 1] == "config.files.StaticFilesMiddleware"


def test_cookies_and_the_referrer_stay_ours():
    expression = (
        "[settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE, "
        "settings.CSRF_COOKIE_SECURE, settings.LANGUAGE_COOKIE_SECURE, settings.SECURE_REFERRER_POLICY]"
    )
    assert shown(expression) == [True, True, "Lax", True, True, "same-origin"]


def test_times_are_told_where_somebody_wants_them():
    assert shown("settings.SERVER_TIMING") is False
    assert shown("settings.SERVER_TIMING", SERVER_TIMING="1") is True


@pytest.mark.parametrize(("entrance", "kind"), [("wsgi", "WSGIHandler"), ("asgi", "ProtocolTypeRouter")])
def test_servers_find_the_application_and_use_production_settings(entrance, kind):
    environment = {name: value for name, value in PRODUCTION.items() if name != "DJANGO_SETTINGS_MODULE"}
    imported = run(
        "-c",
        f"from config.{entrance} import application\n"
        "from django.conf import settings\n"
        "print(type(application).__name__, settings.SETTINGS_MODULE)",
        **environment,
    )
    assert imported.stdout.split() == [kind, "config.settings.production"], imported.stderr


def test_statements_have_a_limit_where_the_environment_says_so():
    assert shown("settings.STATEMENT_TIMEOUT") is None
    assert shown("settings.STATEMENT_TIMEOUT", STATEMENT_TIMEOUT="30") == 30


def test_development_needs_nothing_from_the_environment():
    checked = run("-W", "error", "manage.py", "check")
    assert checked.returncode == 0, checked.stderr


def test_the_migrations_say_what_the_models_say():
    checked = run("manage.py", "makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("app", ["accounts", "api", "catalog", "config", "live", "orders", "reviews", "storefront"])
def test_the_bookshop_stands_alone(app):
    """No part of the shop imports what was built around it."""
    for path in (PROJECT / app).rglob("*.py"):
        if path.name == "notebook.py" or "tests" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (lab|checks)\b", source, re.MULTILINE), path


@pytest.mark.parametrize(
    ("value", "path"), [("", "/admin/"), ("back-office", "/back-office/"), ("/back/office/", "/back/office/")]
)
def test_the_admin_site_is_where_the_environment_says(value, path):
    expression = "__import__('django').setup() or __import__('django.urls').urls.reverse('admin:index')"
    assert shown(expression, ADMIN_PATH=value) == path


@pytest.mark.parametrize(("folder", "backend"), [("", "console"), ("letters", "filebased")])
def test_letters_are_printed_or_put_into_a_folder(folder, backend):
    """While developing. On Django 6.1 that is said by another setting."""
    read = run(
        "-W",
        "error",
        "-c",
        "from django.conf import settings\n"
        "mailer = getattr(settings, 'MAILERS', {}).get('default', {})\n"
        "options = mailer.get('OPTIONS', {})\n"
        "print(mailer.get('BACKEND') or settings.EMAIL_BACKEND)\n"
        "print(options.get('file_path') or getattr(settings, 'EMAIL_FILE_PATH', ''))",
        DJANGO_SETTINGS_MODULE="config.settings.development",
        MAIL_FOLDER=folder,
    )
    assert read.stdout.splitlines() == [f"django.core.mail.backends.{backend}.EmailBackend", folder], read.stderr


def test_the_readme_names_every_variable_that_production_reads():
    section = (PROJECT / "README.md").read_text(encoding="utf-8").partition("## In production")[2]
    named = set(re.findall(r"`([A-Z_]+)`", " ".join(re.findall(r"^\| (`[A-Z].*?) \|", section, re.MULTILINE))))
    assert named == OPTIONAL | {"SECRET_KEY", "ALLOWED_HOSTS"}
