"""What a quiz says where no widget runs: in a saved notebook, on a page that shows one, in a plain terminal.

Nothing in it tells which choice is right, and it is the same on every run.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from importlib.util import find_spec

from checks.quizzes.item import Choice, Item
from checks.quizzes.markup import inline
from checks.quizzes.seal import arranged

ASKS = {
    "single": "Choose one",
    "multiple": "Choose all that apply",
    "number": "Answer with a number",
    "order": "Put in order",
    "predict": "Predict what it gives",
}


def has_widgets() -> bool:
    """Whether what shows a quiz as a widget is installed."""
    return find_spec("anywidget") is not None and find_spec("ipywidgets") is not None


def shown(item: Item) -> list[Choice]:
    """The choices of an item in the order that anyone sees first, which tells nothing about the bank's order."""
    start = sorted(item.choices, key=lambda choice: choice.key)
    for attempt in range(9):
        choices = arranged(start, f"{item.id}/{attempt}")
        # An order item that starts in the right order would ask nothing.
        if item.kind != "order" or choices != list(item.choices):
            break
    return choices


def line(name: str, items: Sequence[Item]) -> str:
    """The `text/plain` of a saved quiz: one line."""
    return f"Quiz {name} · {len(items)} item{'s' * (len(items) != 1)} · run this cell to answer"


def page(name: str, items: Sequence[Item]) -> str:
    """The `text/html` of a saved quiz: the prompts, with the choices folded away."""
    parts = [f"<p><b>{html.escape(line(name, items))}</b></p>"]
    for number, item in enumerate(items, start=1):
        parts.append(f"<p>{number}. {inline(item.prompt)}</p>")
        if item.code:
            parts.append(f"<pre>{html.escape(item.code, quote=False)}</pre>")
        if item.choices:
            choices = "".join(f"<li>{inline(choice.text)}" for choice in shown(item))
            parts.append(f"<details><summary>{ASKS[item.kind]}</summary><ul>{choices}</ul></details>")
    return "\n".join(parts)


def text(name: str, items: Sequence[Item]) -> str:
    """The whole quiz as text, for a terminal."""
    lines = [f"Quiz {name}"]
    for item in items:
        lines += ["", f"{item.id} · {ASKS[item.kind]}", item.prompt]
        if item.code:
            lines.append(textwrap.indent(item.code, "    "))
        lines += [f"  {number}. {choice.text}" for number, choice in enumerate(shown(item), start=1)]
    return "\n".join(lines)
