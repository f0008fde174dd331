"""The image and the services, read as text: what they name exists, and nothing secret is in them."""

import json
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve

PROJECT = Path(__file__).resolve().parents[2]
# Read by the servers themselves.
OF_SERVERS = {"WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"}
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY|AUTH|_URL$")
# What is imported under another name than it is installed under.
IMPORTED_AS = {
    "djangorestframework": "rest_framework",
    "drf-spectacular": "drf_spectacular",
    "channels-redis": "channels_redis",
    "django-tasks-db": "django_tasks_db",
    "dj-database-url": "dj_database_url",
}


@pytest.fixture(scope="module")
def compose():
    # It comes with drf-spectacular.
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((PROJECT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def shops(services):
    """The services that run the shop's own image."""
    return {name: service for name, service in services.items() if service["image"] == "bookshop"}


@pytest.fixture(scope="module")
def stages():
    """The instructions of each stage of the image: [[("FROM", "python:3.13-slim AS packages"), …], …]."""
    text = re.sub(r"^#.*\n", "", (PROJECT / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).split("\n")
    instructions = [tuple(line.split(None, 1)) for line in lines if line.strip()]
    starts = [place for place, (name, _) in enumerate(instructions) if name == "FROM"]
    return [instructions[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def arguments_of(stage, name):
    return [text for instruction, text in stage if instruction == name]


def check_command(command):
    """What the command names exists, and the options are some that it has."""
    program, *arguments = command
    if program == "python":
        script, name, *options = arguments
        assert (PROJECT / script).is_file()
        assert name in get_commands()
    elif program == "uvicorn":
        from uvicorn.main import main

        context = main.make_context("uvicorn", arguments)
        module, _, name = context.params["app"].partition(":")
        assert find_spec(module)
        assert re.search(rf"^{name} = ", (PROJECT / f"{module.replace('.', '/')}.py").read_text(), re.MULTILINE)
    elif program == "celery":
        from celery.bin.celery import celery

        option, app, name, *options = arguments
        assert option == "-A"
        assert import_module(f"{app}.celery").app
        known = {switch for parameter in celery.commands[name].params for switch in parameter.opts}
        assert {part.partition("=")[0] for part in options if part.startswith("-")} <= known
    else:
        raise AssertionError(f"nobody knows what {program} is")


# The image


def test_packages_are_installed_in_a_stage_of_their_own(stages):
    assert len(stages) == 2
    names = [arguments_of(stage, "FROM")[0].partition(" AS ")[2] for stage in stages]
    assert any("pip install" in text for text in arguments_of(stages[0], "RUN"))
    assert not any("pip install" in text for text in arguments_of(stages[1], "RUN"))
    assert f"--from={names[0]} /venv /venv" in arguments_of(stages[1], "COPY")


def test_what_is_copied_exists(stages):
    for stage in stages:
        for text in arguments_of(stage, "COPY"):
            *sources, _ = text.split()
            if not text.startswith("--from="):
                assert all((PROJECT / source).exists() for source in sources)


def test_the_shop_does_not_run_as_root_and_owns_no_code(stages):
    names = [name for name, _ in stages[-1]]
    assert arguments_of(stages[-1], "USER") == ["shop"]
    # Whatever is copied or written before, root owns.
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in {"COPY", "RUN"})
    assert not any("--chown" in text for text in arguments_of(stages[-1], "COPY"))


def test_static_files_are_collected_when_the_image_is_built(stages):
    assert any("manage.py collectstatic --no-input" in text for text in arguments_of(stages[-1], "RUN"))


def test_no_secret_is_in_a_layer(stages):
    for stage in stages:
        for name in ["ENV", "ARG", "LABEL"]:
            for text in arguments_of(stage, name):
                assert not re.search(r"SECRET|PASSWORD|TOKEN|_URL", text), text
    ignored = (PROJECT / ".dockerignore").read_text().split()
    for file in [".env", ".env.production", "db.sqlite3", "db.sqlite3-wal"]:
        assert any(fnmatch(file, pattern) for pattern in ignored), file


def test_what_the_image_sets_is_read(stages):
    variables = dict(part.split("=", 1) for text in arguments_of(stages[-1], "ENV") for part in shlex.split(text))
    assert variables["DJANGO_SETTINGS_MODULE"] == "config.settings.production"
    assert set(variables) - {"PATH", "PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE"} <= read_by_settings()


def test_its_command_is_one_that_starts_the_shop(stages):
    [command] = arguments_of(stages[-1], "CMD")
    check_command(json.loads(command))


def test_it_is_asked_for_a_page_that_is_there(stages):
    [check] = arguments_of(stages[-1], "HEALTHCHECK")
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/[\w/]+)", check)
    assert resolve(path).view_name == "health-live"
    _, _, script = json.loads(check.partition(" CMD ")[2])
    compile(script, "HEALTHCHECK", "exec")
    assert arguments_of(stages[-1], "EXPOSE") == ["8000"]


# The packages in it


def packages():
    lines = (PROJECT / "requirements.in").read_text().splitlines()
    return {re.split(r"[\[<>=;]", line)[0].strip() for line in lines if line.strip() and not line.startswith("#")}


def pins(path):
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(), re.MULTILINE))


def test_each_package_has_its_version():
    assert packages() <= set(pins(PROJECT / "requirements.txt"))


def test_the_versions_are_those_that_are_tested():
    whole = PROJECT.parent / "requirements.txt"
    if not whole.exists():
        pytest.skip("the bookshop is here alone")
    tested = set(re.findall(r"^([\w.-]+==[\w.]+)", whole.read_text(), re.MULTILINE))
    assert {f"{name}=={version}" for name, version in pins(PROJECT / "requirements.txt").items()} <= tested


def test_whatever_the_shop_imports_is_in_it():
    """Django before 6.0 wants a package for its tasks; the image has a later one."""
    installed = {IMPORTED_AS.get(name, name) for name in pins(PROJECT / "requirements.txt")} | {"django_tasks"}
    own = {path.name for path in PROJECT.iterdir() if path.is_dir()}
    for path in PROJECT.rglob("*.py"):
        parts = path.relative_to(PROJECT).parts
        if "tests" in parts or parts[0] in {"lab", "conftest.py"} or path.name == "notebook.py":
            continue
        for name in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            known = name in own | installed | sys.stdlib_module_names
            assert known or find_spec(name) is None, f"{path} imports {name}"


# The services


def read_by_settings():
    sources = ["settings/common.py", "settings/production.py", "gunicorn.py"]
    text = "".join((PROJECT / "config" / name).read_text() for name in sources)
    return set(re.findall(r'(?:optional|required|switch|number|environ\.get)\("(\w+)"', text))


def test_every_part_is_there(services):
    assert set(services) == {"web", "worker", "beat", "migrate", "postgres", "valkey"}


def test_the_commands_start_what_there_is(shops):
    for service in shops.values():
        if "command" in service:
            check_command(service["command"])


def test_every_variable_is_read(shops):
    known = read_by_settings() | OF_SERVERS
    for name, service in shops.items():
        assert set(service["environment"]) <= known, name


def test_what_production_requires_is_required_here(shops):
    for service in shops.values():
        for name in ["SECRET_KEY", "ALLOWED_HOSTS"]:
            assert service["environment"][name].startswith(f"${{{name}:?")


def test_no_secret_is_written_down(services):
    for service in services.values():
        for name, value in service["environment"].items():
            if SECRET.search(name):
                assert "${" in value, name
                # What could be a password is a variable without a value to fall back on.
                assert not re.search(r":-[^}]", value), name


def test_each_waits_for_what_it_needs(services):
    for service in services.values():
        for name, needed in service.get("depends_on", {}).items():
            if needed["condition"] == "service_healthy":
                assert "test" in services[name]["healthcheck"]
            else:
                assert needed["condition"] == "service_completed_successfully"
                assert services[name]["restart"] == "no"
    for name in ["web", "worker", "beat"]:
        assert set(services[name]["depends_on"]) == {"migrate", "valkey"}
    assert set(services["migrate"]["depends_on"]) == {"postgres"}
    assert services["migrate"]["command"][1:3] == ["manage.py", "migrate"]


def test_only_the_proxy_of_this_machine_reaches_the_shop(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_nothing_in_the_image_is_written_to(shops, compose):
    for service in shops.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert (PROJECT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    services = compose["services"].values()
    named = {volume.partition(":")[0] for service in services for volume in service.get("volumes", [])}
    assert named == set(compose["volumes"])


def test_production_can_read_what_the_services_give_it(shops):
    given = {}
    for service in shops.values():
        for name, value in service["environment"].items():
            given[name] = re.sub(r"\$\{\w+:(?:-([^}]*)|\?[^}]*)\}", r"\1", value)
    given |= {"SECRET_KEY": "x" * 25 + "9f2kq-only-for-this-test-7w1zv", "ALLOWED_HOSTS": "shop.example"}
    script = (
        "from django.conf import settings\n"
        "found = settings.DATABASES['default']\n"
        "print(found['HOST'], found['PORT'], found['NAME'], settings.CELERY_BROKER_URL, settings.MAINTENANCE_FILE)"
    )
    kept = {name: os.environ[name] for name in ["PATH", "HOME", "SYSTEMROOT", "PYTHONPATH"] if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=kept | given | {"DJANGO_SETTINGS_MODULE": "config.settings.production"},
        capture_output=True,
        text=True,
    )
    expected = ["postgres", "5432", "bookshop", "redis://:@valkey:6379/0", "/media/closed"]
    assert done.stdout.split() == expected, done.stderr
