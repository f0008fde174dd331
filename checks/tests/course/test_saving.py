"""A saved notebook keeps what can be read without a kernel, and no view that cannot."""

from copy import deepcopy

from checks.course.saving import WIDGET_VIEW, drop_widget_views


def notebook(*outputs):
    return {"type": "notebook", "content": {"cells": [{"cell_type": "code", "outputs": list(outputs)}]}}


def test_the_view_goes_and_its_fallback_stays():
    model = notebook({"output_type": "display_data", "data": {WIDGET_VIEW: {"model_id": "1"}, "text/html": "<p>Q27"}})
    drop_widget_views(model=model, path="lesson.ipynb", contents_manager=None)
    assert model["content"]["cells"][0]["outputs"][0]["data"] == {"text/html": "<p>Q27"}


def test_a_view_without_a_fallback_stays():
    model = notebook({"output_type": "display_data", "data": {WIDGET_VIEW: {"model_id": "1"}}})
    before = deepcopy(model)
    drop_widget_views(model=model)
    assert model == before


def test_what_is_no_notebook_is_left_alone():
    for model in ({"type": "file", "content": "text"}, {"type": "notebook", "content": None}):
        before = deepcopy(model)
        drop_widget_views(model=model)
        assert model == before
