"""The script of the search page, in a browser that gets its answers from here: no server, no network."""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

import pytest
from django.contrib.staticfiles import finders

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
BROWSER = os.environ.get("COURSE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
SHOP = "http://shop.example"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        BROWSER is None, reason="Neither Chromium nor Chrome is installed, nor is COURSE_CHROMIUM set."
    ),
]


@pytest.fixture(scope="module")
def browser():
    """One for all tests. While it runs, so does its event loop in this thread, where Django refuses queries."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shop(browser):
    """Open the page: `page, asked = shop(answers)`; `asked` lists the addresses below /search/.

    `answers` is what the shop says to each address, as status and body; without one the request is lost.
    """
    page = browser.new_page()

    def opened(answers):
        asked = []

        def answer(route):
            address = urlsplit(route.request.url)
            if address.path.startswith("/static/"):
                file = Path(finders.find(address.path.removeprefix("/static/")))
                route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
                return
            wanted = unquote_plus(f"{address.path}?{address.query}" if address.query else address.path)
            asked.append(wanted)
            if wanted in answers:
                status, body = answers[wanted]
                route.fulfill(status=status, body=body, content_type="text/html; charset=utf-8")
            else:
                route.abort()

        page.route("**/*", answer)
        page.goto(f"{SHOP}/search/")
        return page, asked

    yield opened
    page.close()


@pytest.fixture
def answers(client):
    """What the shop itself says."""
    paths = ["/search/", "/search/?q=emma", "/search/?q=emma&fragment=found", "/search/?q=qq&fragment=found"]
    return {path: (200, client.get(path).content) for path in paths}


def test_the_list_follows_what_is_typed(shop, answers):
    page, asked = shop(answers)
    page.fill("[name=q]", "emma")
    page.wait_for_selector("#found li")
    assert page.inner_text("#found mark") == "Emma"
    assert page.inner_text("#messages") == "1 book found"
    assert asked == ["/search/", "/search/?q=emma&fragment=found"]
    page.fill("[name=q]", "qq")
    page.wait_for_selector("#found .notice")
    assert page.inner_text("#messages") == "No book matches “qq”"


def test_the_address_is_that_of_the_search(shop, answers):
    """So that reloading the page, a bookmark and another language lead back to it."""
    page, _ = shop(answers)
    page.fill("[name=q]", "emma")
    page.wait_for_selector("#found li")
    assert page.url == f"{SHOP}/search/?q=emma"
    assert page.input_value(".footer [name=next]") == "/search/?q=emma"


@pytest.mark.parametrize("failure", [None, (500, b"<h1>Something went wrong</h1>")])
def test_without_an_answer_the_page_stays_and_the_form_works(shop, answers, failure):
    fragment = "/search/?q=emma&fragment=found"
    answers = {path: answer for path, answer in answers.items() if path != fragment}
    page, asked = shop(answers | ({fragment: failure} if failure else {}))
    ending = "requestfinished" if failure else "requestfailed"
    with page.expect_event(ending, lambda request: "fragment" in request.url):
        page.fill("[name=q]", "emma")
    assert asked[-1] == fragment
    assert page.inner_text("#found").strip() == ""
    page.press("[name=q]", "Enter")
    page.wait_for_selector("#found li")
    assert asked[-1] == "/search/?q=emma"
