"""What chapter 05 says of redirects, done by a real browser on a real server."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

# Answers `/301/` with that status and a way to `/arrived/`, and prints whatever is asked of it.
SHOP = """
import sys
from lab import asgi, start
start()
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from config.asgi import application

@csrf_exempt
def forward(request, status):
    return HttpResponseRedirect("/arrived/", status=status)

@csrf_exempt
def arrived(request):
    return HttpResponse(f"<title>arrived</title><p>{request.method} {request.POST.get('title', 'nothing')}</p>")

def start_page(request):
    links = [f"<a href='/{status}/'>{status}</a>" for status in (301, 302, 307, 308)]
    forms = [
        f"<form id='form{status}' method='post' action='/{status}/'><input name='title' value='Emma'></form>"
        for status in (301, 302, 303, 307, 308)
    ]
    return HttpResponse("".join(links + forms) + "<a href='/brief/'>brief</a>")

def clear(request):
    return HttpResponse("<title>clear</title>", headers={"Clear-Site-Data": '"cache"'})

def brief(request):
    return HttpResponseRedirect("/arrived/", status=301, headers={"Cache-Control": "max-age=0"})

def ring(request):
    return HttpResponseRedirect("/ring/")

settings.ROOT_URLCONF = (
    path("", start_page), path("<int:status>/", forward), path("arrived/", arrived), path("ring/", ring),
    path("clear/", clear), path("brief/", brief),
)

async def heard(scope, receive, send):
    if scope["type"] == "http":
        print(scope["method"], scope["path"], flush=True)
    await application(scope, receive, send)

with asgi(heard) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shop(chromium, tmp_path):
    """The address of the server, and a function that ends it and says what was asked how often."""
    environment = {**os.environ, "COURSE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SHOP]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout.readline() == "The bookshop is ready.\n"
        url = process.stdout.readline().strip()

        def asked():
            process.stdin.close()
            return Counter(process.stdout.read().splitlines())

        yield url, asked
        if not process.stdin.closed:
            process.stdin.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_chromium_asks_once_for_a_permanent_redirect_and_each_time_for_a_temporary_one(shop, page):
    url, asked = shop
    for _ in range(3):
        for status in (301, 302, 307, 308):
            follow(page, url, str(status))

    times = asked()
    assert {status: times[f"GET /{status}/"] for status in (301, 302, 307, 308)} == {301: 1, 302: 3, 307: 3, 308: 1}


def follow(page, url, name):
    page.goto(f"{url}/")
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/arrived/")


def test_chromium_asks_again_for_a_permanent_redirect_that_is_too_old_or_was_cleared(shop, page):
    url, asked = shop
    for _ in range(2):
        follow(page, url, "brief")
        follow(page, url, "301")
        page.goto(f"{url}/clear/")

    times = asked()
    assert (times["GET /brief/"], times["GET /301/"]) == (2, 2)


def test_chromium_sends_a_form_again_after_307_and_308_and_asks_with_get_after_the_others(shop, page):
    url, _ = shop
    arrived = {}
    for status in (301, 302, 303, 307, 308):
        page.goto(f"{url}/")
        page.evaluate(f"document.getElementById('form{status}').submit()")
        page.wait_for_url("**/arrived/")
        arrived[status] = page.locator("p").inner_text()

    assert arrived == {301: "GET nothing", 302: "GET nothing", 303: "GET nothing", 307: "POST Emma", 308: "POST Emma"}


def test_chromium_gives_up_after_asking_twenty_times_in_a_ring(shop, page):
    from playwright.sync_api import Error

    url, asked = shop
    with pytest.raises(Error, match=re.escape("ERR_TOO_MANY_REDIRECTS")):
        page.goto(f"{url}/ring/")
    assert asked()["GET /ring/"] == 20
