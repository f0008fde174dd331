"""The map of the project leads to what is there: each file that README.md names, and each part of a file."""

import re

import pytest
from django.conf import settings

README = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`(\w[\w./-]*/[\w.-]+\.(?:py|html|css|js|csv|svg|txt|yaml))`", README)))
# "`Stock` in `orders/models.py`": the last name before "in" is in that file.
NAMES = sorted(set(re.findall(r"`([A-Za-z_]+)(?:\.\w+)*` in `([\w./-]+\.py)`", README)))
LINKS = re.findall(r"\]\(#([\w-]+)\)", README)


@pytest.mark.parametrize("path", FILES)
def test_the_file_is_there(path):
    assert (settings.BASE_DIR / path).is_file()


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_the_name_is_in_the_file(name, path):
    assert re.search(rf"\b{name}\b", (settings.BASE_DIR / path).read_text(encoding="utf-8"))


def test_each_link_leads_to_a_heading():
    headings = re.findall(r"^##+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    assert len(LINKS) > 10
    assert set(LINKS) <= anchors


def test_no_row_is_there_twice_and_no_line_is_too_long():
    lines = README.splitlines()
    rows = [line for line in lines if line.startswith("| ") and line not in ("| to see | look at |", "| --- | --- |")]
    assert len(rows) == len(set(rows))
    assert [line for line in lines if len(line) > 119] == []
