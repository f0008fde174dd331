"""The browser edition, built once and served from a folder by Python's own server; a page of it in Chromium."""

import json
import sys
from collections import defaultdict

import pytest

from checks.course.lesson import ROOT
from checks.course.suite import why_no_site
from checks.site.visit import Host, Page
from checks.tests.browser.conftest import chromium  # noqa: F401

ELSEWHERE = "On a laptop it prints "

# Cells of lessons that a page cannot run, by notebook: what it says instead.
elsewhere = defaultdict(list)


def pytest_terminal_summary(terminalreporter):
    if elsewhere:
        count = sum(map(len, elsewhere.values()))
        terminalreporter.section(f"{count} cells show what they print on a laptop")
        for notebook, cells in sorted(elsewhere.items()):
            terminalreporter.line(f"{notebook}: {', '.join(str(number) for number, _ in cells)}")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of the site."""
    why_not = why_no_site(sys.version_info)
    if why_not:
        pytest.skip(why_not)
    from checks.site.edition import Edition

    folder = tmp_path_factory.mktemp("site") / "dist"
    Edition(folder, report=lambda text: None).build()
    return folder


@pytest.fixture(scope="session")
def site(built, chromium):  # noqa: F811
    serving = Host(built)
    yield serving
    serving.close()


@pytest.fixture
def profile(chromium):  # noqa: F811
    """A fresh browser profile. The test fails when a page of it asked anybody else for anything."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    yield context
    context.close()
    strange = [url for url in asked if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))]
    assert not strange


@pytest.fixture
def page(profile, site):
    """Call it with a notebook: it opens there, and its kernel is up."""
    opened = []

    def at(notebook):
        opened.append(Page(profile.new_page(), site.address, notebook))
        return opened[-1]

    yield at
    assert not [error for one in opened for error in one.errors]


def stored(notebook):
    """A notebook of the course with the outputs of its real run."""
    return json.loads((ROOT / notebook).read_text(encoding="utf-8"))
