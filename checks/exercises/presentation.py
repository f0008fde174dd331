"""Verdicts, hints and solutions as text and as HTML for both themes; the same on every run."""

import html
import re

from checks.exercises.source import Exercise
from checks.exercises.verdict import CORRECT, ERROR, NOT_ATTEMPTED, SLOW, WRONG, Lesson, Verdict

_TITLES = {
    NOT_ATTEMPTED: ("○", "not attempted", "var(--jp-ui-font-color2, #666)"),
    ERROR: ("✗", "error", "var(--jp-error-color1, #c62828)"),
    WRONG: ("✗", "wrong", "var(--jp-error-color1, #c62828)"),
    SLOW: ("◷", "too slow or too many queries", "var(--jp-warn-color1, #b26a00)"),
    CORRECT: ("✓", "correct", "var(--jp-success-color1, #2e7d32)"),
}
_BOX = (
    "border-left: 4px solid {color}; padding: 0.3em 1em; margin: 0.3em 0; "
    "color: var(--jp-content-font-color1, inherit); background: var(--jp-layout-color1, transparent); "
    "font-family: var(--jp-content-font-family, sans-serif)"
)
_CODE = (
    "font-family: var(--jp-code-font-family, monospace); background: var(--jp-layout-color2, #8881); "
    "padding: 0.5em 0.8em; margin: 0.3em 0; overflow-x: auto; white-space: pre; "
    "color: var(--jp-mirror-editor-variable-color, inherit)"
)
_TOKENS = (
    ("Keyword", "keyword"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Comment", "comment"),
    ("Name.Function", "def"),
    ("Name.Class", "def"),
    ("Name.Builtin", "builtin"),
    ("Operator", "operator"),
)


class Shown:
    """Something to show in a notebook: plain text and HTML."""

    def __init__(self, text: str, html: str):
        self.text, self.html = text, html

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text, "text/html": self.html}


def as_text(verdict: Verdict) -> str:
    """A verdict in plain text."""
    sign, title, _ = _TITLES[verdict.outcome]
    lines = [f"{sign} {verdict.exercise} {title}: {verdict.message}"]
    lines += [f"  {detail}" for detail in verdict.details]
    lines += [f"  line {number}: {text}" for number, text in verdict.lines]
    if verdict.output and verdict.outcome != CORRECT:
        lines += ["  It printed:", *(f"  | {line}" for line in verdict.output.splitlines())]
    for lesson in verdict.lessons:
        lines += ["", *_lesson_text(lesson)]
    return "\n".join(lines)


def as_html(verdict: Verdict) -> str:
    """A verdict in HTML."""
    sign, title, color = _TITLES[verdict.outcome]
    head = f'<strong style="color: {color}">{sign} {verdict.exercise} {title}</strong>'
    parts = [f'<p style="margin: 0.2em 0">{head}<br>{inline(verdict.message)}</p>']
    parts += [f'<p style="margin: 0.2em 0">{inline(detail)}</p>' for detail in verdict.details]
    parts += [
        f'<div style="{_CODE}"><span style="opacity: 0.7">line {number}  </span>{highlighted(text)}</div>'
        for number, text in verdict.lines
    ]
    if verdict.output and verdict.outcome != CORRECT:
        parts.append(
            f'<p style="margin: 0.2em 0">It printed:</p><div style="{_CODE}">{html.escape(verdict.output)}</div>'
        )
    parts += [_lesson_html(lesson) for lesson in verdict.lessons]
    return _box(color, *parts)


def hint_shown(exercise: Exercise, number: int) -> Shown:
    """Hint `number` (from 1) of an exercise."""
    left = len(exercise.hints) - number
    rest = "That was the last hint." if not left else f"{left} more {'hint' if left == 1 else 'hints'}."
    title = f"Hint {number} of {len(exercise.hints)} for {exercise.id}"
    text = f"{title}: {exercise.hints[number - 1]}\n({rest})"
    body = f"<strong>{title}</strong><br>{inline(exercise.hints[number - 1])}<br><small>{rest}</small>"
    return Shown(text, _box("var(--jp-info-color1, #0277bd)", body))


def sentence_shown(text: str) -> Shown:
    """One sentence."""
    return Shown(text, _box("var(--jp-info-color1, #0277bd)", inline(text)))


def lessons_shown(exercise: Exercise, lessons: tuple[Lesson, ...]) -> Shown:
    """The reference and the alternatives of an exercise."""
    title = f"{exercise.id} {exercise.title}"
    text = "\n".join([title, *("\n" + "\n".join(_lesson_text(lesson)) for lesson in lessons)])
    body = [f"<strong>{html.escape(title)}</strong>", *(_lesson_html(lesson) for lesson in lessons)]
    return Shown(text, _box("var(--jp-info-color1, #0277bd)", *body))


def inline(text: str) -> str:
    """A sentence as HTML: what stands between backticks as code, line ends kept."""
    escaped = html.escape(text, quote=False)
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped).replace("\n", "<br>")


def highlighted(source: str) -> str:
    """Python as HTML in the colours of the notebook's editor."""
    from pygments.lexers import PythonLexer
    from pygments.token import string_to_tokentype

    colors = [(string_to_tokentype(name), color) for name, color in _TOKENS]
    parts = []
    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        color = next((color for kind, color in colors if token in kind), None)
        escaped = html.escape(text, quote=False)
        parts.append(
            f'<span style="color: var(--jp-mirror-editor-{color}-color)">{escaped}</span>' if color else escaped
        )
    return "".join(parts)


def _box(color: str, *parts: str) -> str:
    return f'<div style="{_BOX.format(color=color)}">{"".join(parts)}</div>'


def _lesson_text(lesson: Lesson) -> list[str]:
    note = f": {lesson.note}" if lesson.note else ":"
    return [f"{lesson.title}{note}", *("    " + line if line else "" for line in lesson.source.split("\n"))]


def _lesson_html(lesson: Lesson) -> str:
    note = f": {inline(lesson.note)}" if lesson.note else ""
    return (
        f'<p style="margin: 0.6em 0 0.2em"><strong>{html.escape(lesson.title)}</strong>{note}</p>'
        f'<div style="{_CODE}">{highlighted(lesson.source)}</div>'
    )
