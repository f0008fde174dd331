"""The settings as a server meets them: each in a process of its own."""

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


def run(*arguments, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in {*PRODUCTION, "DATABASE_PATH"}}
    return subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, env=inherited | environment, capture_output=True, text=True
    )


def test_production_passes_the_deployment_check_without_a_warning():
    checked = run("-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_says_in_one_sentence_what_is_missing(missing, value):
    environment = {name: setting for name, setting in PRODUCTION.items() if name != missing}
    if value is not None:
        environment[missing] = value
    checked = run("manage.py", "check", **environment)
    assert checked.returncode != 0
    assert f"Set the environment variable {missing}: " in checked.stderr.strip().splitlines()[-1]


def test_production_reads_its_hosts_and_its_database_from_the_environment(tmp_path):
    shown = run(
        "-c",
        "from django.conf import settings\n"
        "print(settings.DEBUG, settings.ALLOWED_HOSTS, settings.DATABASES['default']['NAME'])",
        DATABASE_PATH=str(tmp_path / "shop.sqlite3"),
        **PRODUCTION,
    )
    assert shown.stdout.strip() == f"False ['shop.example', 'www.shop.example'] {tmp_path / 'shop.sqlite3'}"


@pytest.mark.parametrize("entrance", ["wsgi", "asgi"])
def test_servers_find_the_application_and_use_production_settings(entrance):
    environment = {name: value for name, value in PRODUCTION.items() if name != "DJANGO_SETTINGS_MODULE"}
    imported = run(
        "-c",
        f"from config.{entrance} import application\n"
        "from django.conf import settings\n"
        "print(type(application).__name__, settings.SETTINGS_MODULE)",
        **environment,
    )
    assert imported.stdout.split() == [f"{entrance.upper()}Handler", "config.settings.production"], imported.stderr


def test_development_needs_nothing_from_the_environment():
    checked = run("-W", "error", "manage.py", "check")
    assert checked.returncode == 0, checked.stderr


def test_the_migrations_say_what_the_models_say():
    checked = run("manage.py", "makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("app", ["accounts", "catalog", "orders", "storefront", "config"])
def test_the_bookshop_stands_alone(app):
    """No part of the shop imports what was built around it."""
    for path in (PROJECT / app).rglob("*.py"):
        if path.name == "notebook.py" or "tests" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (lab|checks)\b", source, re.MULTILINE), path
