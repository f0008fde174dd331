"""Shows an object below the cell; in plain Python it prints its text."""

import sys
from html import escape


def display(thing):
    """Display an object by its `_repr_mimebundle_` in IPython, print its repr elsewhere."""
    if in_ipython():
        from IPython.display import display as show_below

        show_below(thing)
    else:
        print(thing)


def in_ipython() -> bool:
    """Whether this code runs in a notebook or in IPython's own shell."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


class KeptAsText:
    """For a widget of which a saved notebook keeps a sentence, its repr: what it shows is gone with its kernel."""

    def _repr_mimebundle_(self, **kwargs):
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        data["text/plain"] = repr(self)
        data["text/html"] = f"<p>{escape(repr(self))} (run the cell to open it)</p>"
        return data, metadata
