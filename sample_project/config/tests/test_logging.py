"""What production writes to its log."""

import io
import json
import logging
from contextlib import contextmanager
from logging.config import dictConfig

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from config.environment import EnvironmentMistake
from config.logging import JSONFormatter, RequestIDFilter, configuration


def broken(request):
    password = request.POST["password"]
    raise ArithmeticError(f"{len(password)} is no number for us")


def talking(request):
    logging.getLogger("orders.checkout").info("A book %s was sold", "»Emma«")
    return HttpResponse()


urlpatterns = [path("broken/", broken), path("talking/", talking)]


@contextmanager
def lines_of(name="django", level=logging.INFO):
    """The lines, read back, that the production's handler writes of a logger's records."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    handler.addFilter(RequestIDFilter())
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    lines = []
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        lines += [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def urls(settings):
    settings.ROOT_URLCONF = __name__


def test_an_exception_is_one_line_with_the_id_and_the_traceback_and_no_secret():
    client = Client(raise_request_exception=False, headers={"Authorization": "Token t0ken"})
    client.cookies["sessionid"] = "c00kie"
    with lines_of() as lines:
        response = client.post("/broken/?code=c0de", {"password": "pa55word"}, headers={"X-Request-ID": "abc-1"})
    assert response.status_code == 500
    [line] = lines
    assert line | {"time": "", "exception": ""} == {
        "time": "",
        "level": "ERROR",
        "logger": "django.request",
        "message": "Internal Server Error: /broken/",
        "request_id": "abc-1",
        "method": "POST",
        "path": "/broken/",
        "status": 500,
        "exception": "",
    }
    assert line["time"].endswith("+00:00")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ArithmeticError: 8 is no number for us")
    for secret in ["t0ken", "c00kie", "c0de", "pa55word"]:
        assert secret not in json.dumps(line)


def test_a_page_that_is_missing_is_a_warning_with_its_id(settings):
    settings.ROOT_URLCONF = "config.urls"
    with lines_of() as lines:
        response = Client().get("/nowhere/")
    [line] = lines
    assert (line["level"], line["status"], line["path"]) == ("WARNING", 404, "/nowhere/")
    assert line["request_id"] == response["X-Request-ID"]


def test_the_shops_own_records_have_the_id_of_their_request():
    with lines_of("orders.checkout") as lines:
        response = Client().get("/talking/")
    [line] = lines
    assert line["message"] == "A book »Emma« was sold"
    assert line["request_id"] == response["X-Request-ID"]
    assert "exception" not in line


def test_text_over_several_lines_stays_on_one():
    with lines_of("somewhere") as lines:
        logging.getLogger("somewhere").error('one\ntwo "three"', stack_info=True)
    [line] = lines
    assert line["message"] == 'one\ntwo "three"'
    assert line["request_id"] == "-"
    assert line["stack"].startswith("Stack (most recent call last):")


@pytest.mark.parametrize("level", ["debug", "WARNING"])
def test_the_level_is_the_one_asked_for(level):
    assert configuration(level)["root"]["level"] == level.upper()


def test_an_unknown_level_is_refused_with_those_that_there_are():
    with pytest.raises(EnvironmentMistake, match="^The environment variable LOG_LEVEL is one of DEBUG, INFO, "):
        configuration("loud")


def test_the_configuration_is_one_that_logging_takes():
    root = logging.getLogger()
    names = ["django", *configuration("INFO")["loggers"]]
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in names}
    handlers, level = list(root.handlers), root.level
    try:
        dictConfig(configuration("INFO"))
        assert [type(handler.formatter) for handler in root.handlers] == [JSONFormatter]
        assert not any(logging.getLogger(name).handlers for name in names)
    finally:
        root.handlers[:], root.level = handlers, level
        for name, (handlers, level) in before.items():
            logging.getLogger(name).handlers[:] = handlers
            logging.getLogger(name).setLevel(level)
