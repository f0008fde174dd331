"""Bars for a notebook: readable in both themes, without colour as well, each figure in words beside its bar."""

from collections.abc import Sequence
from html import escape

from checks.learner.forecast import Known

STYLE = """
.course-chart { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5em 0 }
.course-chart th, .course-chart td { border: 0; padding: 0.2em 0.8em; text-align: right; background: none }
.course-chart th:first-child { text-align: left; font-weight: normal; white-space: nowrap }
.course-chart .all { fill: var(--jp-layout-color2, #eee) }
.course-chart .bar { width: 16em; text-align: left }
.course-chart svg { display: block; width: 16em; height: 1em; overflow: visible }
.course-chart .seen { fill: none; stroke: var(--jp-content-font-color2, #666); stroke-width: 1 }
.course-chart .known { fill: var(--jp-brand-color1, #1976d2) }
.course-chart .then { stroke: var(--jp-content-font-color0, #000); stroke-width: 2 }
"""
WIDTH, HEIGHT = 200, 12


def chart(title: str, rows: Sequence[Known], then: str | None) -> str:
    """An HTML table with one bar a row: outlined what was seen, filled what is known, a stroke for the day `then`."""
    heads = ["", "", "Cards", "Seen", "Known today"] + ([f"On {then}"] if then else [])
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(_row(row) for row in rows)
    key = "outlined: seen · filled: known today" + (f" · stroke: on {then}" if then else "")
    return (
        f'<table class="course-chart"><caption style="text-align: left">{escape(title)} '
        f"<small>({escape(key)})</small></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: Known) -> str:
    shares = [row.seen, row.today] + ([] if row.then is None else [row.then])
    figures = "".join(f"<td>{share:.0%}</td>" for share in shares)
    name, bar = escape(row.name), _bar(row)
    return f'<tr><th scope="row">{name}</th><td class="bar">{bar}</td><td>{row.cards}</td>{figures}</tr>'


def _bar(row: Known) -> str:
    stroke = ""
    if row.then is not None:
        x = f"{row.then * WIDTH:.1f}"
        stroke = f'<line class="then" x1="{x}" x2="{x}" y1="-2" y2="{HEIGHT + 2}"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="all" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<rect class="known" width="{row.today * WIDTH:.1f}" height="{HEIGHT}"/>'
        f'<rect class="seen" width="{row.seen * WIDTH:.1f}" height="{HEIGHT}"/>{stroke}</svg>'
    )
