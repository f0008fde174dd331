"""What JupyterLab leaves out when it saves a learner's notebook."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def drop_widget_views(model: dict, **_) -> None:
    """Take the views of widgets out of the notebook ``model`` that is about to be saved, in place.

    A view belongs to a running kernel. Opened again without one it reads "Error displaying widget", and hides the
    text and HTML that stand beside it in the same output.

    Source: https://jupyter-server.readthedocs.io/en/stable/developers/savehooks.html
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    for cell in model["content"].get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data")
            if data and len(data) > 1:
                data.pop(WIDGET_VIEW, None)
