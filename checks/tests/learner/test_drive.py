import pytest

from checks.learner import drive as drives
from checks.learner.drive import Drive
from checks.learner.journal import Journal


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(drives, "PAUSE", 0)


def kernel(tmp_path, number):
    """The journal of one kernel: its own files are its own, the browser's storage is everybody's."""
    return Journal(tmp_path / f"kernel-{number}" / "progress.sqlite3", drive=Drive(tmp_path / "storage"))


def answer(journal, item):
    journal.answer(item, "v1", "b", True, True, 2.5)


def items(journal):
    return [row.item for row in journal.answers()]


def test_what_a_page_knew_is_there_after_a_reload(tmp_path):
    answer(kernel(tmp_path, 1), "Q01-1")
    assert items(kernel(tmp_path, 2)) == ["Q01-1"]


def test_two_open_notebooks_lose_nothing_of_each_other(tmp_path):
    first, second = kernel(tmp_path, 1), kernel(tmp_path, 2)
    answer(first, "Q01-1")
    answer(second, "Q01-2")
    answer(first, "Q01-3")
    for journal in (first, second, kernel(tmp_path, 3)):
        assert items(journal) == ["Q01-1", "Q01-2", "Q01-3"]


def test_every_sort_of_row_comes_back(tmp_path):
    journal = kernel(tmp_path, 1)
    answer(journal, "Q01-1")
    journal.attempt("13.1", "v1", "correct", "def one(): ...")
    journal.hint("13.1", 1)
    journal.recital("Q01", "v1", ["1"], 3, 20.0)
    journal.set("date", "2027-01-15")
    journal.event("mock", "begin", {"level": "senior"})
    assert kernel(tmp_path, 2).rows() == journal.rows()


def test_many_files_become_few_and_no_row_is_lost(tmp_path):
    for number in range(drives.MANY + 3):
        answer(kernel(tmp_path, number), f"Q01-{number}")
    last = kernel(tmp_path, "last")
    everything = {f"Q01-{number}" for number in range(drives.MANY + 3)}
    assert set(items(last)) == everything
    assert len(list((tmp_path / "storage").iterdir())) == 1
    assert set(items(kernel(tmp_path, "next"))) == everything


def test_a_kernel_whose_file_was_put_together_goes_on(tmp_path):
    early = kernel(tmp_path, "early")
    answer(early, "Q02-1")
    for number in range(drives.MANY):
        answer(kernel(tmp_path, number), f"Q01-{number}")
    kernel(tmp_path, "last").answers()
    answer(early, "Q02-2")
    assert {"Q02-1", "Q02-2"} <= set(items(kernel(tmp_path, "next")))


def test_a_file_that_cannot_be_read_stays_and_is_named(tmp_path, capsys):
    answer(kernel(tmp_path, 1), "Q01-1")
    (tmp_path / "storage" / "torn.json").write_text("{", encoding="utf-8")
    assert items(kernel(tmp_path, 2)) == ["Q01-1"]
    assert "torn.json is not JSON" in capsys.readouterr().err
    assert (tmp_path / "storage" / "torn.json").exists()


def test_a_storage_that_refuses_is_said_once_and_the_page_goes_on(tmp_path, capsys):
    (tmp_path / "storage").write_text("no folder", encoding="utf-8")
    journal = kernel(tmp_path, 1)
    answer(journal, "Q01-1")
    answer(journal, "Q01-2")
    assert items(journal) == ["Q01-1", "Q01-2"]
    assert capsys.readouterr().err.count("cannot be kept in this browser") == 1


def test_elsewhere_there_is_no_such_storage():
    assert drives.of_this_page() is None


def test_a_browser_that_lends_no_storage_is_told_of(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drives.sys, "platform", "emscripten")
    monkeypatch.setattr(drives, "MOUNT", tmp_path / "nothing")
    drives.of_this_page.cache_clear()
    try:
        assert drives.of_this_page() is drives.of_this_page() is None
    finally:
        drives.of_this_page.cache_clear()
    assert capsys.readouterr().err.count("your progress is gone with the page") == 1
