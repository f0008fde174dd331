"""Filters and tags of the shop's templates: `{% load bookshop %}`.

https://docs.djangoproject.com/en/stable/howto/custom-template-tags/
"""

import re
from decimal import Decimal, InvalidOperation

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.formats import number_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, pgettext

register = template.Library()

SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
MOST_STARS = 5


@register.filter
def price(amount, currency="EUR"):
    """An amount of money as the reader's language writes it, "10.50 €" or "10,50 €"; nothing where there is none.

    `{{ book.price|price:"GBP" }}`. A currency without a sign here is shown by its code. The text goes through
    autoescaping like any other: nobody promised that `currency` is harmless.
    """
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return ""
    # No line break between the two.
    return f"{number_format(number, decimal_pos=2)}\N{NO-BREAK SPACE}{SIGNS.get(currency, currency)}"


@register.filter
def stars(rating):
    """A rating as five stars, with the number for those who do not see them; nothing where there is no rating."""
    try:
        number = Decimal(str(rating))
    except InvalidOperation:
        return ""
    full = min(max(int(number + Decimal("0.5")), 0), MOST_STARS)
    label = gettext("%(rating)s of %(most)s stars") % {"rating": number_format(number), "most": MOST_STARS}
    return format_html(
        '<span class="stars" role="img" aria-label="{}">{}</span>', label, "★" * full + "☆" * (MOST_STARS - full)
    )


@register.filter(is_safe=True)
@stringfilter
def quoted(text):
    """A title in the quotation marks of the reader's language.

    The marks need no escaping, so what came in safe goes out safe: that is all that `is_safe` says. What came in
    unsafe is still escaped.
    """
    return pgettext("quotation marks", "“%s”") % text


@register.filter(needs_autoescape=True)
def highlight(text, word, autoescape=True):
    """Mark where `word` occurs, in any case: `{{ book.title|highlight:q }}`.

    The result is HTML, so every piece is escaped here, where the template would have done it: in escaped text, "amp"
    would be found inside `&amp;`. What is marked as safe is taken as text all the same, for it may hold tags.
    """
    cleaned = escape if autoescape else str
    if not word:
        return mark_safe(cleaned(text))
    pieces = re.split(f"({re.escape(str(word))})", str(text), flags=re.IGNORECASE)
    return mark_safe("".join(f"<mark>{cleaned(p)}</mark>" if n % 2 else cleaned(p) for n, p in enumerate(pieces)))


@register.simple_tag(takes_context=True)
def current(context, name):
    """` aria-current="page"` in the link to the page that is shown: `<a href="…" {% current 'storefront:home' %}>`."""
    match = getattr(context.get("request"), "resolver_match", None)
    return mark_safe('aria-current="page"') if match and match.view_name == name else ""


@register.inclusion_tag("storefront/_availability.html")
def availability(book):
    """Whether a book can be had, as a badge. Reads `book.stock`: select it with the book."""
    return {"left": stock.quantity if (stock := getattr(book, "stock", None)) else 0, "in_print": book.in_print}


@register.simple_block_tag
def notice(content, kind="", heading=""):
    """A box around some lines: `{% notice "warning" heading=title %}…{% endnotice %}`.

    `content` comes rendered, and thereby escaped. What the arguments say is not.
    """
    title = format_html("<h2>{}</h2>", heading) if heading else ""
    return format_html('<div class="notice {}">{}{}</div>', kind, title, content)


class FootnoteNode(template.Node):
    """Puts a number where the note was, and keeps the text for `{% footnotes %}`.

    A compiled template is shared by all threads, so a node must not keep anything of a page in itself: what belongs
    to one rendering is in its `render_context`.
    https://docs.djangoproject.com/en/stable/howto/custom-template-tags/#template-tag-thread-safety
    """

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        text = self.nodelist.render(context).strip()
        notes = context.render_context.setdefault(FootnoteNode, [])
        # The same words twice are one note.
        if text not in notes:
            notes.append(text)
        number = notes.index(text) + 1
        return format_html('<sup><a href="#note-{0}" aria-label="{1}">{0}</a></sup>', number, gettext("Footnote"))


@register.tag
def footnote(parser, token):
    """`{% footnote %}Out of print.{% endfootnote %}`: an own node, because it compiles what is inside."""
    nodelist = parser.parse(("endfootnote",))
    parser.delete_first_token()
    return FootnoteNode(nodelist)


@register.simple_tag(takes_context=True)
def footnotes(context):
    """The notes so far, as a list; nothing where there are none. An included template has notes of its own."""
    notes = context.render_context.get(FootnoteNode, [])
    if not notes:
        return ""
    # Each note is what its node list rendered, and that escaped what had to be.
    items = format_html_join("", '<li id="note-{}">{}</li>', ((n, mark_safe(text)) for n, text in enumerate(notes, 1)))
    return format_html('<ol class="footnotes">{}</ol>', items)
