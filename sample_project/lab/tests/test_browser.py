"""The lab where Python runs in a page. What the page itself does is tested in a browser, with the whole site."""

import ast
import asyncio
import errno
import json
import sys

import pytest

from lab import browser
from lab.servers.process import Unavailable

CELL = "shop = scratch()\nshop.run('ls')"


@pytest.fixture(autouse=True)
def _as_in_a_page(monkeypatch, tmp_path):
    stored = {
        browser.digest(CELL): {"outputs": [{"output_type": "stream", "text": "$ ls\n"}]},
        browser.digest("import flask"): {"outputs": []},
        browser.digest("lock()"): {"outputs": [], "why": "SQLite has no locks on rows"},
        browser.digest("left = 1\nprint(left)"): {"outputs": [], "why": "No.", "run": True},
    }
    (tmp_path / "outputs.json").write_text(json.dumps(stored), encoding="utf-8")
    monkeypatch.setenv(browser.OUTPUTS, str(tmp_path / "outputs.json"))
    monkeypatch.setattr(browser, "_missing", set())
    browser._all_stored.cache_clear()
    yield
    browser._all_stored.cache_clear()


def test_a_cell_that_needs_a_process_says_so_and_shows_what_it_prints_elsewhere(capsys):
    assert browser.explain(CELL, Unavailable("Commands cannot be run in a browser: use a laptop."))
    said = capsys.readouterr().out
    assert said.endswith("Commands cannot be run in a browser. On a laptop it prints this:\n$ ls\n")


def test_a_cell_of_the_learners_own_has_the_sentence_alone(capsys):
    assert browser.explain("scratch().run('x')", Unavailable("Commands cannot be run in a browser."))
    assert capsys.readouterr().out.endswith("Run this cell in a JupyterLab on your own machine.\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("can't start new thread"), "A browser has no threads"),
        (OSError(errno.ENOTSUP, "no"), "A browser has no processes and no sockets"),
        (ModuleNotFoundError(name="pandas"), "pandas comes from Pyodide's distribution, which could not be reached"),
    ],
)
def test_what_the_platform_lacks_is_named(capsys, error, said):
    assert browser.explain("print(1)", error)
    assert capsys.readouterr().out.lstrip("\x1b[2K\r").startswith(said)


def test_a_cell_that_depends_on_one_is_told_so(capsys):
    browser.explain(CELL, Unavailable("No."))
    assert browser.explain("shop.tree()", NameError("name 'shop' is not defined", name="shop"))
    assert "This needs a cell above" in capsys.readouterr().out


def test_a_package_is_missed_by_cells_of_the_course_alone(capsys):
    assert browser.explain("import flask", ModuleNotFoundError("no", name="flask.views"))
    assert "The package flask is not part of the browser edition" in capsys.readouterr().out
    assert not browser.explain("import flusk", ModuleNotFoundError("no", name="flusk"))


@pytest.mark.parametrize("error", [ValueError("x"), NameError("name 'y' is not defined", name="y"), OSError(2, "no")])
def test_a_mistake_of_the_learner_stays_one(capsys, error):
    assert not browser.explain(CELL, error)
    assert capsys.readouterr().out == ""


def test_the_cause_of_an_error_counts(capsys):
    error = ValueError("the test failed")
    error.__cause__ = RuntimeError("can't start new thread")
    assert browser.explain("print(1)", error)


def test_the_names_of_a_cell():
    source = "import os.path, json as j\nx, (y, z) = 1, (2, 3)\ndef f(a):\n    b = a\nclass C:\n    d = 1\nprint(q)"
    assert browser._names(source, ast.Store) == {"os", "j", "x", "y", "z", "f", "C"}
    assert {"q", "print"} <= browser._names(source, ast.Load)


def test_a_cell_whose_point_a_page_would_miss_is_kept_back():
    (line,) = browser.kept_back(["lock()\n"])
    with pytest.raises(Unavailable, match="SQLite has no locks on rows"):
        exec(line)
    assert browser.kept_back(["lock(1)\n"]) == ["lock(1)\n"]


def test_a_server_is_missing_but_for_the_cell_that_starts_the_bookshop(monkeypatch):
    monkeypatch.setattr(browser, "running_source", lambda: "start() if postgres.available() else 1")
    assert not browser.Missing()
    monkeypatch.setattr(browser, "running_source", lambda: "if on_postgresql:\n    1")
    with pytest.raises(Unavailable):
        bool(browser.Missing())


async def rows(wait):
    if wait:
        await asyncio.sleep(0)
    return [1, 2]


@pytest.mark.parametrize("wait", [False, True])
def test_a_coroutine_that_waits_for_nothing_is_run_to_its_end(wait):
    assert browser.finished(rows(wait)) == [1, 2]


def test_an_error_of_a_coroutine_comes_out():
    async def broken():
        raise LookupError("no such page")

    with pytest.raises(LookupError):
        browser.finished(broken())


@pytest.mark.parametrize("fails", [False, True])
def test_the_rest_of_a_coroutine_that_waits_can_be_awaited(fails):
    async def late():
        await asyncio.sleep(0.01)
        if fails:
            raise LookupError
        return "late"

    async def main():
        coroutine = late()
        waiting = coroutine.send(None)
        return await browser._Rest(coroutine, waiting)

    if fails:
        with pytest.raises(LookupError):
            asyncio.run(main())
    else:
        assert asyncio.run(main()) == "late"


@pytest.mark.parametrize(("context", "reported"), [({}, False), ({"message": "Nobody asked"}, True)])
def test_the_exception_of_a_task_is_reported_when_nobody_has_asked_for_it(caplog, context, reported):
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(browser.report)
    loop.call_exception_handler({"exception": ValueError("late")} | context)
    loop.close()
    assert ("Nobody asked" in caplog.text) == reported


def test_the_folder_of_the_notebook_comes_last(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/lib"])
    browser.leave_own_folder()
    assert sys.path == ["/lib"]
    browser.search_own_folder()
    browser.search_own_folder()
    assert sys.path == ["/lib", ""]


def test_a_cell_that_others_build_on_is_run_unseen(capsys):
    names = {}
    with pytest.raises(Unavailable):
        exec("".join(browser.kept_back(["left = 1\n", "print(left)\n"])), names)
    assert names["left"] == 1
    assert capsys.readouterr().out == ""
