"""Markdown and code of the bank as HTML."""

from __future__ import annotations

import html
import textwrap
from functools import cache

# Aliases that authors write and that read better in a bank than the lexers' own names.
LEXERS = {"template": "html+django", "shell": "console", "text": "text"}


@cache
def _markdown():
    from markdown_it import MarkdownIt

    # HTML in a prompt is text to read ("<form>"), never markup. Source: https://markdown-it-py.readthedocs.io
    return MarkdownIt("commonmark", {"html": False, "highlight": lambda code, name, _: highlighted(code, name)})


def block(text: str) -> str:
    """Markdown paragraphs, lists and fenced code as HTML."""
    return _markdown().render(textwrap.dedent(text).strip()).strip()


def inline(text: str) -> str:
    """One paragraph of Markdown as HTML without a paragraph around it; several as `block` gives them."""
    if "\n\n" in text or "```" in text:
        return block(text)
    return _markdown().renderInline(" ".join(text.split()))


def highlighted(code: str, language: str = "python") -> str:
    """Code as HTML whose `span` classes are the short token names of Pygments; plain where the language is unknown.

    Source: https://pygments.org/docs/formatters/#HtmlFormatter
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(LEXERS.get(language, language) or "text")
    except ClassNotFound:
        return html.escape(code, quote=False)
    return highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
