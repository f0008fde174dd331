"""Static files under both kinds of servers."""

import asyncio

import pytest
from asgiref.sync import SyncToAsync
from django.core.signals import request_finished
from django.http import HttpResponse
from django.test import RequestFactory

from config.files import StaticFilesMiddleware

PAGE, SHEET = "/books/emma/", "/static/shop.0123456789ab.css"


@pytest.fixture
def files(settings, tmp_path):
    settings.DEBUG = False
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "shop.0123456789ab.css").write_text("a { color: red }")
    return tmp_path


def sync_answer(request):
    return StaticFilesMiddleware(lambda request: HttpResponse("a page"))(request)


def async_answer(request):
    async def view(request):
        return HttpResponse("a page")

    return asyncio.run(StaticFilesMiddleware(view)(request))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("answer", [sync_answer, async_answer])
def test_files_are_served_and_pages_pass(answer):
    response = answer(RequestFactory().get(SHEET))
    assert response.status_code == 200
    assert response.getvalue() == b"a { color: red }"
    assert response["Content-Type"] == 'text/css; charset="utf-8"'
    assert response["Content-Length"] == "16"
    assert answer(RequestFactory().get(PAGE)).content == b"a page"
    assert answer(RequestFactory().get("/static/gone.css")).content == b"a page"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("answer", [sync_answer, async_answer])
def test_what_the_browser_has_is_not_sent_again(answer):
    first = answer(RequestFactory().get(SHEET))
    again = answer(RequestFactory().get(SHEET, headers={"If-Modified-Since": first["Last-Modified"]}))
    assert (again.status_code, again.getvalue()) == (304, b"")
    assert answer(RequestFactory().post(SHEET)).status_code == 405
    part = answer(RequestFactory().get(SHEET, headers={"Range": "bytes=0-2"}))
    assert (part.status_code, part.getvalue(), part["Content-Range"]) == (206, b"a {", "bytes 0-2/16")


@pytest.mark.usefixtures("files")
def test_pages_pass_without_a_thread_and_files_are_no_stream(monkeypatch):
    """Django reads a synchronous stream whole under ASGI, and warns."""
    assert not async_answer(RequestFactory().get(SHEET)).streaming

    async def refuse(self, *args, **kwargs):
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(SyncToAsync, "__call__", refuse)
    assert async_answer(RequestFactory().get(PAGE)).content == b"a page"


@pytest.mark.usefixtures("files")
def test_a_file_does_not_end_the_request_before_the_server_does():
    ended = []

    def hear(**kwargs):
        ended.append(kwargs["sender"])

    request_finished.connect(hear)
    try:
        async_answer(RequestFactory().get(SHEET))
    finally:
        request_finished.disconnect(hear)
    assert ended == []
