"""What the Content Security Policy says, and that the pages work under it."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest
from django.conf import settings as configured
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.test import Client
from django.urls import path

from accounts.models import User

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATES = [*PROJECT.glob("*/templates/**/*.html"), *PROJECT.glob("*/jinja2/**/*.html")]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
BROWSER = os.environ.get("COURSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
has_csp = pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has it from 6.0 on")


def with_nonce(request):
    template = Template('<script nonce="{{ csp_nonce }}">1</script>')
    return HttpResponse(template.render(RequestContext(request)))


def plain(request):
    return HttpResponse("nothing to run")


urlpatterns = [path("with-nonce/", with_nonce), path("plain/", plain)]


@pytest.fixture
def enforced(settings):
    """As in production."""
    settings.SECURE_CSP, settings.SECURE_CSP_REPORT_ONLY = settings.CONTENT_SECURITY_POLICY, {}


def inside(text):
    """What a page runs or applies without a file of ours."""
    return [
        *re.findall(r"<script(?![^>]*(?:\bsrc=|application/json))[^>]*>", text),
        *re.findall(r"<style\b[^>]*>", text),
        *re.findall(r"""<[^>]*\s(?:style|on[a-z]+)=["'][^>]*>""", text),
        *re.findall(r"javascript:", text),
    ]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda found: str(found.relative_to(PROJECT)))
def test_no_template_has_a_script_or_a_style_inside(template):
    assert inside(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>1</script>",
        "<style media=print>",
        '<p style="color: red">',
        "<b onclick='x()'>",
        'href="javascript:1"',
    ],
)
def test_that_would_be_found(text):
    assert inside(text)


@pytest.mark.skipif(django.VERSION >= (6, 0), reason="Django has it from 6.0 on")
def test_before_django_6_there_is_none(settings):
    settings.ROOT_URLCONF = __name__
    assert not [name for name in Client().get("/plain/").headers if "Security-Policy" in name]


@has_csp
def test_while_developing_it_is_only_reported(settings):
    settings.ROOT_URLCONF = __name__
    response = Client().get("/plain/")
    assert "Content-Security-Policy" not in response
    assert response["Content-Security-Policy-Report-Only"].startswith("default-src 'self'; ")


@has_csp
@pytest.mark.usefixtures("enforced")
def test_nothing_runs_but_what_is_ours(settings):
    settings.ROOT_URLCONF = __name__
    policy = dict(rule.split(" ", 1) for rule in Client().get("/plain/")["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"


@has_csp
@pytest.mark.usefixtures("enforced")
def test_a_nonce_is_in_the_page_and_in_the_header_and_another_one_the_next_time(settings):
    settings.ROOT_URLCONF = __name__
    nonces = []
    for _ in range(2):
        response = Client().get("/with-nonce/")
        [nonce] = re.findall(r'nonce="([^"]+)"', response.content.decode())
        assert f"script-src 'self' 'nonce-{nonce}'" in response["Content-Security-Policy"]
        nonces.append(nonce)
    assert len(set(nonces)) == 2


@has_csp
@pytest.mark.django_db
@pytest.mark.usefixtures("enforced")
@pytest.mark.skipif(BROWSER is None, reason="Neither Chromium nor Chrome is installed, nor is COURSE_CHROMIUM set.")
def test_a_browser_has_nothing_to_complain_about():
    """The pages of the shop and of the admin site, answered from here: no server, no network."""
    from playwright.sync_api import sync_playwright

    client = Client()
    client.force_login(User.objects.create_superuser("boss"), backend="django.contrib.auth.backends.ModelBackend")
    admin = f"/{configured.ADMIN_PATH}"
    pages = [
        *["/", "/books/emma/", "/search/?q=emma", "/cart/", "/catalogue/", "/live/", "/desk/"],
        *[admin, f"{admin}catalog/book/", f"{admin}catalog/book/1/change/", f"{admin}orders/order/add/"],
    ]
    # Ahead: the browser runs an event loop in this thread, where Django refuses queries.
    answers = {address: client.get(address, follow=True) for address in pages}
    complaints = []

    def answer(route):
        address = urlsplit(route.request.url)
        if address.path.startswith("/static/") and (found := finders.find(address.path.removeprefix("/static/"))):
            file = Path(found)
            route.fulfill(body=file.read_bytes(), content_type=TYPES.get(file.suffix, "application/octet-stream"))
            return
        response = answers.get(f"{address.path}?{address.query}".rstrip("?"))
        if response is None:
            route.abort()
        else:
            route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda said: complaints.append((page.url, said.text)))
        page.on("pageerror", lambda error: complaints.append((page.url, str(error))))
        page.route("**/*", answer)
        for address in pages:
            response = page.goto(f"http://testserver{address}")
            assert response.status == 200, address
            assert "content-security-policy" in response.headers
        blocked = [said for said in complaints if "Security Policy" in said[1]]
        # The policy is at work: what is put into the page by hand is blocked.
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">red</p>')")
        page.wait_for_timeout(100)
        assert any("Security Policy" in text for _, text in complaints)
        browser.close()
    assert blocked == []
