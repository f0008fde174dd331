"""A JupyterLab and a Chromium for the browser tests; without a Chromium all are skipped, and it is said aloud.

`folder` is what JupyterLab serves, `home` where learners' progress goes, `lab` a fresh page: `lab.open("a.ipynb")`,
`lab.run_all()`, `lab.wait_idle()`, `lab.theme("dark")` (see checks/course/browser.py).
"""

import pytest

from checks.course import browser

NO_CHROMIUM = (
    "NO CHROMIUM FOUND: the browser tests did not run. Install Chromium, or name one in COURSE_CHROMIUM, "
    "or run `python -m playwright install chromium`."
)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium for the whole run."""
    pytest.importorskip("playwright")
    executable = browser.chromium()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    with browser.opened(executable) as running:
        yield running


def pytest_terminal_summary(terminalreporter):
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_CHROMIUM in str(report.longrepr)]
    if skipped:
        terminalreporter.section("browser tests skipped", yellow=True, bold=True)
        terminalreporter.line(f"{len(skipped)} skipped. {NO_CHROMIUM}", yellow=True, bold=True)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The folder that JupyterLab serves: put notebooks there (`browser.write_notebook`)."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder with the learner's progress, as `COURSE_HOME`."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def server(chromium, folder, home):
    """One JupyterLab for the whole run. Comes after `chromium`, so that none is started in vain."""
    with browser.jupyterlab(folder, {"COURSE_HOME": str(home)}) as running:
        yield running


@pytest.fixture(scope="session")
def profile(chromium):
    """The browser profile of the whole run: JupyterLab's own files are loaded once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1400})
    yield context
    context.close()


@pytest.fixture
def lab(profile, server):
    """JupyterLab in a page of its own, in the light theme. The test fails when the page met an error."""
    page = profile.new_page()
    page.set_default_timeout(20_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lab = browser.Lab(page, server)
    yield lab
    page.evaluate("() => localStorage.clear()")
    if page.evaluate("() => document.body.dataset.jpThemeLight") == "false":
        lab.theme("light")
    page.close()
    assert not errors
