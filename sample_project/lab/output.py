"""Shows an object below the cell; in plain Python it prints its text."""

import sys


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
