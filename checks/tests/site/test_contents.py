import json

import pytest

from checks.course.lesson import ROOT
from checks.site import contents
from lab.browser import digest


def test_the_page_gets_every_notebook_without_outputs():
    pages = contents.prepare(ROOT)
    assert set(pages.notebooks) == {
        f"{folder}/{path.name}" for folder in ("notebooks", "exercises") for path in (ROOT / folder).glob("*.ipynb")
    }
    notebook = json.loads(pages.notebooks["notebooks/13_query_performance.ipynb"])
    assert notebook["metadata"]["kernelspec"]["name"] == "python"
    assert not any(cell.get("outputs") for cell in notebook["cells"])


def test_the_outputs_of_the_real_run_are_kept_by_their_source():
    stored = json.loads(contents.prepare(ROOT).stored[contents.OUTPUTS])
    notebook = json.loads((ROOT / "notebooks/13_query_performance.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["outputs"])
    assert digest("".join(cell["source"])) in stored


def test_an_output_is_kept_as_text_and_html_and_a_widget_as_what_stands_for_it():
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "Quiz Q01"}
    cell = {
        "cell_type": "code",
        "source": ["quiz()"],
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
            {"output_type": "display_data", "data": widget, "metadata": {}},
            {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["…"]},
        ],
    }
    assert contents.outputs_of({"cells": [cell, {"cell_type": "markdown", "source": "x"}]}) == {
        digest("quiz()"): {
            "outputs": [
                {"output_type": "stream", "text": "one\ntwo\n"},
                {"output_type": "display_data", "data": {"text/plain": "Quiz Q01"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no"},
            ]
        }
    }


def test_a_cell_that_a_page_is_not_to_run_has_a_reason():
    cells = [{"cell_type": "code", "source": [text], "outputs": []} for text in ("lock(1)", "lock(2)")]
    found = contents.outputs_of({"cells": cells}, [{"has": "(2)", "why": "no locks"}])
    assert [found[digest(text)].get("why") for text in ("lock(1)", "lock(2)")] == [None, "no locks"]


def test_a_reason_that_fits_no_cell_or_two_is_named():
    cells = [{"cell_type": "code", "source": [text], "outputs": []} for text in ("lock(1)", "lock(2)")]
    for has, count in (("(3)", 0), ("lock", 2)):
        with pytest.raises(ValueError, match=f"fits {count} cells"):
            contents.outputs_of({"cells": cells}, [{"has": has, "why": "x"}])


def test_the_first_page_says_what_is_so_in_a_page():
    first = json.loads(contents.prepare(ROOT).notebooks[contents.START])
    text = "\n".join("".join(cell["source"]) for cell in first["cells"])
    assert "kept in this browser" in text
    assert "course.py" not in text


def test_a_first_page_that_says_something_else_is_named():
    with pytest.raises(ValueError, match="has to follow its text"):
        contents._say_otherwise({"cells": [{"cell_type": "markdown", "source": ["nothing"]}]})
