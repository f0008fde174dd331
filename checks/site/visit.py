"""Visits to the browser edition, for tests and for measuring: a host, a page, and how long the first one takes."""

import functools
import gzip
import http.server
import threading
import time
from dataclasses import dataclass
from pathlib import Path

FIRST_ROW = (
    "from lab import start\nstart()\nfrom catalog.models import Book\nprint(Book.objects.order_by('pk').first())"
)
PAUSE = 5  # seconds between two visits, in which a browser stores what it has fetched
# A host compresses these; wheels and the standard library are compressed already.
TEXT = (".html", ".js", ".mjs", ".json", ".css", ".svg", ".wasm", ".ipynb")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        """Nothing: hundreds of files are asked for."""


class Host:
    """A folder served on 127.0.0.1 by Python's own server; `address` says where."""

    def __init__(self, folder):
        handler = functools.partial(_Quiet, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.1], daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Page:
    """One notebook of the site in a tab of Playwright. `errors` are those of the page's own scripts.

    `patience` is in seconds. Raises Playwright's TimeoutError where the kernel does not come up.
    """

    def __init__(self, tab, address: str, notebook: str, patience: float = 180):
        self.tab, self.patience = tab, patience
        self.errors = []
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        if notebook:
            tab.goto(f"{address}/lab/index.html?path={notebook}")
        self.wait_until_ready()

    @classmethod
    def arrived(cls, tab) -> "Page":
        """The notebook that a tab has come to by itself."""
        return cls(tab, "", "")

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
        self.put_last(code)
        self.wait_until_done()
        return text_of(self.notebook()["cells"][-1]["outputs"])

    def put_last(self, code):
        """Let code run in a new cell at the end."""
        self.tab.evaluate(
            "code => { const panel = window.jupyterapp.shell.currentWidget;"
            " const cells = panel.content.model.sharedModel.cells;"
            " panel.content.model.sharedModel.insertCell(cells.length, { cell_type: 'code', source: code });"
            " panel.content.activeCellIndex = cells.length - 1;"
            " window.jupyterapp.commands.execute('notebook:run-cell').catch(() => {}) }",
            code,
        )


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


@dataclass(frozen=True)
class Opening:
    """Seconds from the address to the first row, at the first visit and at the second; MB sent for the first."""

    first: float
    second: float
    megabytes: float


def opening(browser, folder: Path) -> Opening:
    """Open the site in `folder` twice in a fresh profile of a browser (Playwright's), as a learner would."""
    host = Host(folder)
    context = browser.new_context()
    try:
        sent = set()
        context.on("response", lambda response: sent.add(response.url.partition("?")[0]))
        first = _seconds_to_first_row(context, host.address)
        time.sleep(PAUSE)
        size = sum(_size(folder, url.removeprefix(host.address)) for url in sent if url.startswith(host.address))
        return Opening(first, _seconds_to_first_row(context, host.address), size / 1e6)
    finally:
        context.close()
        host.close()


def _seconds_to_first_row(context, address):
    began = time.perf_counter()
    tab = context.new_page()
    tab.goto(address)
    tab.wait_for_url("**/lab/index.html**")
    page = Page.arrived(tab)
    page.put_last(FIRST_ROW)
    tab.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.at(-1).node.innerText.includes('Sense and')",
        timeout=page.patience * 1000,
    )
    took = time.perf_counter() - began
    tab.close()
    return took


def _size(folder, path):
    """What a host would send for a file, compressed."""
    file = folder / path.lstrip("/")
    file = file / "index.html" if file.is_dir() else file
    if not file.is_file():
        return 0
    content = file.read_bytes()
    return len(gzip.compress(content, 6)) if file.suffix in TEXT else len(content)
