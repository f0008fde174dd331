"""The browser edition, built once and served from a folder by Python's own server; a page of it in Chromium."""

import functools
import http.server
import json
import sys
import threading
import time
from collections import defaultdict

import pytest

from checks.course.lesson import ROOT
from checks.course.suite import why_no_site
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


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        """Nothing: hundreds of files are asked for."""


class Site:
    """The served folder; `address` is where."""

    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.1], daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Page:
    """One notebook of the site in a tab. `errors` are those of the page's own scripts."""

    def __init__(self, tab, address, notebook, patience=180):
        self.tab, self.patience = tab, patience
        self.errors = []
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.goto(f"{address}/lab/index.html?path={notebook}")
        self.wait_until_ready()

    def wait_until_ready(self):
        self.tab.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=self.patience * 1000,
        )

    def run_all(self):
        """Run every cell, until the kernel has nothing more to do."""
        # The command's promise ends with the first error, so it is not what tells the end.
        self.tab.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells').catch(() => {}) }")
        self.wait_until_done()

    def wait_until_done(self):
        deadline = time.monotonic() + self.patience
        quiet = 0
        while quiet < 4:
            assert time.monotonic() < deadline, "the kernel is still busy"
            time.sleep(0.5)
            status, waiting = self.tab.evaluate(
                "() => { const panel = window.jupyterapp.shell.currentWidget;"
                " return [panel.sessionContext.session?.kernel?.status,"
                " panel.content.widgets.filter(cell => cell.model.executionState === 'running').length] }"
            )
            quiet = quiet + 1 if status == "idle" and not waiting else 0

    def notebook(self):
        """The notebook as it is now, with its outputs."""
        return self.tab.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON()")

    def run_last(self, code):
        """Run code in a new cell at the end; the text of what it puts out."""
        self.tab.evaluate(
            "code => { const panel = window.jupyterapp.shell.currentWidget;"
            " const cells = panel.content.model.sharedModel.cells;"
            " panel.content.model.sharedModel.insertCell(cells.length, { cell_type: 'code', source: code });"
            " panel.content.activeCellIndex = cells.length - 1;"
            " window.jupyterapp.commands.execute('notebook:run-cell').catch(() => {}) }",
            code,
        )
        self.wait_until_done()
        return text_of(self.notebook()["cells"][-1]["outputs"])


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
    serving = Site(built)
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


def text_of(outputs):
    """What outputs say, as text; a widget is only that it is one."""
    parts = []
    for output in outputs:
        if output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        elif output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}\n")
        elif "application/vnd.jupyter.widget-view+json" in output["data"]:
            parts.append("<widget>\n")
        else:
            parts.append("".join(output["data"].get("text/plain", sorted(output["data"]))) + "\n")
    return "".join(parts).strip()


def stored(notebook):
    """A notebook of the course with the outputs of its real run."""
    return json.loads((ROOT / notebook).read_text(encoding="utf-8"))
