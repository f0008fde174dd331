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
        digest("quiz()"): [
            {"output_type": "stream", "text": "one\ntwo\n"},
            {"output_type": "display_data", "data": {"text/plain": "Quiz Q01"}},
            {"output_type": "error", "ename": "ValueError", "evalue": "no"},
        ]
    }


def test_the_first_page_says_what_is_so_in_a_page():
    first = json.loads(contents.prepare(ROOT).notebooks[contents.START])
    text = "\n".join("".join(cell["source"]) for cell in first["cells"])
    assert "kept in this browser" in text
    assert "course.py" not in text


def test_a_first_page_that_says_something_else_is_named():
    with pytest.raises(ValueError, match="has to follow its text"):
        contents._say_otherwise({"cells": [{"cell_type": "markdown", "source": ["nothing"]}]})
