"""JupyterLab in a real browser, for tests and for measuring: a server of its own and a page in Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge", "msedge", "chrome")
# Of every visible text below an element: its contrast with what is painted behind it, as WCAG 2.2 computes it.
CONTRASTS = """async root => {
    await Promise.all(root.getAnimations({ subtree: true }).map(animation => animation.finished));
    const brush = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = color => {
        brush.clearRect(0, 0, 1, 1);
        brush.fillStyle = color;
        brush.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (front, back) => [0, 1, 2].map(i => front[i] * front[3] + back[i] * (1 - front[3]));
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce((back, layer) => over(layer, back), [255, 255, 255]);
    };
    const luminance = color => {
        const [r, g, b] = color.map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
        const { width, height } = element.getBoundingClientRect();
        if (!text || width < 2 || height < 2 || !element.checkVisibility()) continue;
        const back = behind(element), front = over(rgba(getComputedStyle(element).color), back);
        const [dark, light] = [luminance(back), luminance(front)].sort((a, b) => a - b);
        found.push([text, (light + 0.05) / (dark + 0.05)]);
    }
    return found;
}"""
SETTINGS = {
    # No pop-up covers the page, and nothing is fetched from elsewhere.
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # A cell that scrolled out of sight stays in the page, where a test can find it.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


def chromium() -> str | None:
    """The path of a Chromium on this machine: `COURSE_CHROMIUM`, one on the PATH, or Playwright's own; else None."""
    named = os.environ.get("COURSE_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextlib.contextmanager
def opened(executable: str) -> Iterator[Any]:
    """A headless Chromium (Playwright's `Browser`), closed at the end.

    Source: https://playwright.dev/python/docs/api/class-browsertype#browser-type-launch
    """
    from playwright.sync_api import sync_playwright

    # Chromium refuses its sandbox to root, who is the user in most containers.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"] if root else [])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, its token, and the folder it serves."""

    address: str
    token: str
    folder: Path

    def url(self, notebook: str) -> str:
        """The page of one notebook of the folder, in a workspace of its own."""
        return f"{self.address}/lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}?token={self.token}"


@contextlib.contextmanager
def jupyterlab(folder: Path, environment: Mapping[str, str] | None = None, patience: float = 60) -> Iterator[Server]:
    """Serve a folder with a JupyterLab on 127.0.0.1 that neither reads nor writes the user's Jupyter settings.

    Raises:
        RuntimeError: it stopped, or did not answer in time; the message ends with what it said last.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as private, socket.socket() as probe:
        home = Path(private)
        config = home / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        token = secrets.token_hex(16)
        own = {
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "IPYTHONDIR": str(home / "ipython"),
        }
        command = [
            *(sys.executable, "-m", "jupyter", "lab", "--no-browser"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={token}",
            "--LabApp.expose_app_in_browser=True",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        log = home / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(environment or {}), **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            server = Server(f"http://127.0.0.1:{port}", token, folder)
            _wait_for(server, process, log, patience)
            yield server
        finally:
            _stop(server, process)


def _wait_for(server: Server, process: subprocess.Popen, log: Path, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.URLError):
            _ask(server, "/api/status").close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"JupyterLab did not come up. It said:\n{said}")


def _ask(server: Server, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(
        server.address + path, method=method, headers={"Authorization": f"token {server.token}"}
    )
    # A proxy of the environment has no business with this machine's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=10)


def _stop(server: Server, process: subprocess.Popen) -> None:
    """Stop the server and with it its kernels; by force when it does not listen."""
    if process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            _ask(server, "/api/shutdown", "POST").close()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait(15)


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """Write a notebook of code cells, not yet run."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


class Lab:
    """A page with JupyterLab in it, and what a person does there."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server

    def open(self, notebook: str) -> None:
        """Open a notebook of the served folder and wait until its kernel is ready."""
        self.page.goto(self.server.url(notebook))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.wait_idle()

    def command(self, name: str) -> None:
        """Start a command of JupyterLab, as its palette would; does not wait for its end."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name) }", name)

    def run_all(self, timeout: float = 120) -> None:
        """Run every cell and wait until the last has run."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                .every(prompt => /^\\[\\d+\\]:/.test(prompt.textContent.trim()))""",
            timeout=timeout * 1000,
        )
        self.wait_idle(timeout)

    def restart(self) -> None:
        """Restart the kernel without asking, as after a crash, and wait until it is ready."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.wait_idle()

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(
            """() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'""",
            timeout=timeout * 1000,
        )

    def theme(self, name: str) -> None:
        """Switch to the light or the dark theme (`"light"`, `"dark"`)."""
        self.page.evaluate(
            "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })",
            f"JupyterLab {name.capitalize()}",
        )
        self.page.wait_for_selector(
            f"body[data-jp-theme-light='{'true' if name == 'light' else 'false'}']", state="attached"
        )

    def cells(self) -> list[str]:
        """The source of every cell, from the notebook's model."""
        return self.page.evaluate(
            "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.sharedModel.source)"
        )

    def active_cell(self) -> int:
        """The index of the active cell."""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")

    def outputs(self) -> list[list[dict[str, Any]]]:
        """The outputs of every cell, as they would be saved."""
        return self.page.evaluate(
            """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
                .map(cell => cell.toJSON().outputs ?? [])"""
        )

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what was written."""
        path = self.page.evaluate(
            "async () => { const { context } = window.jupyterapp.shell.currentWidget;"
            " await context.save(); return context.path }"
        )
        return json.loads((self.server.folder / path).read_text(encoding="utf-8"))

    def contrasts(self, where: Locator) -> list[tuple[str, float]]:
        """Each visible text of an element with its contrast to its background (AA asks for 4.5).

        Source: https://www.w3.org/TR/WCAG22/#contrast-minimum
        """
        return [tuple(pair) for pair in where.evaluate(CONTRASTS)]

    def quizzes(self) -> Locator:
        """The quiz cards in the page."""
        return self.page.locator(".dq")
