"""How long a learner waits from click to feedback, measured in a real JupyterLab in Chromium."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.course import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

ITEMS = 10  # as many as a long quiz asks
CELL = """
from dataclasses import replace
from checks.quizzes import bank
from checks.quizzes.widget import Quiz

single = [item for item in bank.load().values() if item.kind == "single"]
Quiz("latency", [replace(single[n % len(single)], id=f"latency-{n}") for n in range(ITEMS)])
"""

# From the moment the browser received the click to (a) feedback in the page, styled and laid out, and (b) the first
# moment after the frame that shows it was handed over. (b) includes waiting for the screen's next frame.
WATCH = """() => {
    window.waits = [];
    document.addEventListener('click', event => {
        if (!event.target.closest('.dq-submit')) return;
        const wait = { received: event.timeStamp };
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { wait.painted = performance.now() - wait.received; window.waits.push(wait); };
            port2.postMessage(0);
        });
        // Runs after the quiz's own listener, which sits deeper in the page.
        window.addEventListener('click', () => {
            const shown = document.querySelector('.dq-verdict')?.getBoundingClientRect().height > 0;
            wait.shown = shown ? performance.now() - wait.received : Infinity;
        }, { once: true });
    }, true);
}"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from click to feedback, one of each per click.

    `shown` is until the feedback is in the page, laid out; `painted` is until its frame has been painted, which
    includes up to one frame of waiting for the screen.
    """

    shown: tuple[float, ...]
    painted: tuple[float, ...]

    @property
    def median_shown(self) -> float:
        return statistics.median(self.shown)

    @property
    def median_painted(self) -> float:
        return statistics.median(self.painted)


def measure(clicks: int = 50, executable: str | None = None) -> Latency:
    """Answer that many quiz items by mouse in a JupyterLab started for it, and measure each click.

    Raises:
        RuntimeError: there is no Chromium, or JupyterLab did not come up.
    """
    executable = executable or browser.chromium()
    if executable is None:
        raise RuntimeError("No Chromium was found: install one, or name it in COURSE_CHROMIUM.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        with (
            browser.jupyterlab(folder, {"COURSE_HOME": str(folder / "home")}) as server,
            browser.opened(executable) as chromium,
        ):
            return clicked(chromium.new_page(viewport={"width": 1280, "height": 1400}), server, clicks)


def clicked(page: Page, server: browser.Server, clicks: int) -> Latency:
    """What `measure` does, in a page and on a server that are there already. Needs items in the course's bank."""
    browser.write_notebook(server.folder / "latency.ipynb", [CELL.replace("ITEMS", str(ITEMS))])
    lab = browser.Lab(page, server)
    lab.open("latency.ipynb")
    lab.run_all()
    quiz = lab.quizzes()
    page.evaluate(WATCH)
    for done in range(1, clicks + 1):
        quiz.locator("input").first.click()
        quiz.get_by_role("button", name="Sure", exact=True).click()
        page.wait_for_function("done => window.waits.length === done", arg=done)
        quiz.get_by_role("button", name="Next").or_(quiz.get_by_role("button", name="Score")).first.click()
        if done % ITEMS == 0:
            quiz.get_by_role("button", name="Start over").click()
    waits = page.evaluate("() => window.waits")
    return Latency(tuple(wait["shown"] for wait in waits), tuple(wait["painted"] for wait in waits))
