"""The shop's own filters and tags."""

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from types import SimpleNamespace

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.urls import resolve
from django.utils import translation
from django.utils.safestring import mark_safe

from catalog.models import Book
from storefront.templatetags.bookshop import highlight, price, quoted, stars

HOSTILE = "<script>alert('1')</script> & \"so on\""
ESCAPED = "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; &quot;so on&quot;"


def render(source, **context):
    return Template("{% load bookshop %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("10.5"), "10.50 €"),
        (7, "7.00 €"),
        ("3.25", "3.25 €"),
        (0.1, "0.10 €"),
        (Decimal("-2"), "-2.00 €"),
        (None, ""),
        ("", ""),
        ("much", ""),
    ],
)
def test_a_price_has_two_places_and_a_sign(amount, shown):
    assert price(amount).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_a_price_speaks_the_readers_language():
    with translation.override("de"):
        assert price(Decimal("1234.5")) == "1234,50\N{NO-BREAK SPACE}€"


@pytest.mark.parametrize(("currency", "sign"), [("GBP", "£"), ("USD", "$"), ("SEK", "SEK")])
def test_a_price_may_be_in_another_currency(currency, sign):
    assert render("{{ 5|price:currency }}", currency=currency) == f"5.00\N{NO-BREAK SPACE}{sign}"


def test_a_currency_from_outside_is_escaped():
    assert render("{{ 5|price:currency }}", currency=HOSTILE) == f"5.00\N{NO-BREAK SPACE}{ESCAPED}"


@pytest.mark.parametrize(
    ("rating", "shown"), [(0, "☆☆☆☆☆"), (Decimal("4.4"), "★★★★☆"), (4.5, "★★★★★"), (7, "★★★★★"), (-1, "☆☆☆☆☆")]
)
def test_stars_are_rounded_to_whole_ones(rating, shown):
    assert shown in stars(rating)


def test_stars_have_the_number_for_those_who_do_not_see_them():
    assert 'role="img" aria-label="4.4 of 5 stars"' in stars(Decimal("4.4"))


@pytest.mark.parametrize("rating", [None, "", HOSTILE])
def test_without_a_rating_there_are_no_stars(rating):
    assert render("{{ rating|stars }}", rating=rating) == ""


def test_stars_are_html_and_stay_it():
    assert render("{{ 3|stars }}").startswith("<span")


def test_quotation_marks_follow_the_language():
    assert quoted("Emma") == "“Emma”"
    with translation.override("de"):
        assert quoted("Emma") == "„Emma“"


def test_what_was_safe_before_quoting_is_safe_after_it():
    """`is_safe`: the filter vouches for what it adds, not for what came in."""
    assert render("{{ title|quoted }}", title=mark_safe("<i>Emma</i>")) == "“<i>Emma</i>”"
    assert render("{{ title|quoted }}", title=HOSTILE) == f"“{ESCAPED}”"


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("Emma", "mm", "E<mark>mm</mark>a"),
        ("Emma", "EM", "<mark>Em</mark>ma"),
        ("Emma", "x", "Emma"),
        ("Emma", "", "Emma"),
        ("Emma", None, "Emma"),
        ("R.U.R.", ".", "R<mark>.</mark>U<mark>.</mark>R<mark>.</mark>"),
        ("Fathers & Sons", "amp", "Fathers &amp; Sons"),
        ("Fathers & Sons", "&", "Fathers <mark>&amp;</mark> Sons"),
        ("a<b", "<", "a<mark>&lt;</mark>b"),
    ],
)
def test_highlighting_marks_what_was_searched_for(text, word, shown):
    assert render("{{ text|highlight:word }}", text=text, word=word) == shown


@pytest.mark.parametrize("word", ["script", "", "<script>", HOSTILE])
def test_highlighting_escapes_both_the_text_and_the_word(word):
    assert "<script" not in render("{{ text|highlight:word }}", text=HOSTILE, word=word)


def test_highlighting_takes_safe_text_as_text():
    assert render("{{ text|highlight:'x' }}", text=mark_safe("<b>x</b>")) == "&lt;b&gt;<mark>x</mark>&lt;/b&gt;"
    assert render("{{ text|highlight:'' }}", text=mark_safe("<b>x</b>")) == "&lt;b&gt;x&lt;/b&gt;"


def test_highlighting_leaves_escaping_to_those_who_switched_it_off():
    source = "{% autoescape off %}{{ text|highlight:'a' }}{% endautoescape %}"
    assert render(source, text="a < b") == "<mark>a</mark> < b"
    assert highlight("a < b", "a") == "<mark>a</mark> &lt; b"


def test_the_link_to_the_page_that_is_shown_says_so():
    request = RequestFactory().get("/")
    request.resolver_match = resolve("/")
    source = "<a {% current 'storefront:home' %}><a {% current 'storefront:search' %}>"
    assert render(source, request=request) == '<a aria-current="page"><a >'


@pytest.mark.parametrize("context", [{}, {"request": None}, {"request": RequestFactory().get("/")}])
def test_without_a_page_no_link_is_current(context):
    assert render("{% current 'storefront:home' %}", **context) == ""


@pytest.mark.parametrize(
    ("slug", "shown"),
    [
        ("emma", ["22 in stock"]),
        ("villette", ["only 3 left"]),
        ("nana", ["sold out"]),
        ("herland", ["sold out"]),
        ("peer-gynt", ["sold out", "out of print"]),
    ],
)
@pytest.mark.django_db
def test_availability_is_a_badge(django_assert_num_queries, slug, shown):
    book = Book.objects.select_related("stock").get(slug=slug)
    with django_assert_num_queries(0):
        badges = render("{% availability book %}", book=book)
    assert re.findall(r">([^<]+)</span>", badges) == shown


def test_an_included_template_does_not_see_the_page():
    book = SimpleNamespace(stock=SimpleNamespace(quantity=7), in_print=True)
    assert "7 in stock" in render("{% availability book %}", book=book, left=0)


def test_a_notice_surrounds_its_content():
    assert render("{% notice 'warning' %}<p>{{ text }}</p>{% endnotice %}", text=HOSTILE) == (
        f'<div class="notice warning"><p>{ESCAPED}</p></div>'
    )


def test_the_arguments_of_a_notice_are_escaped():
    shown = render("{% notice kind=text heading=text %}{% endnotice %}", text=HOSTILE)
    assert shown == f'<div class="notice {ESCAPED}"><h2>{ESCAPED}</h2></div>'


FOOTNOTES = (
    "{% for title in titles %}{{ title }}{% footnote %} On {{ title }}. {% endfootnote %}{% endfor %}{% footnotes %}"
)


def test_footnotes_are_numbered_and_listed():
    shown = render(FOOTNOTES, titles=["Emma", "Nana"])
    assert 'Emma<sup><a href="#note-1" aria-label="Footnote">1</a></sup>Nana<sup><a href="#note-2"' in shown
    assert shown.endswith('<ol class="footnotes"><li id="note-1">On Emma.</li><li id="note-2">On Nana.</li></ol>')


def test_the_same_footnote_has_the_same_number():
    shown = render(FOOTNOTES, titles=["Emma", "Emma"])
    assert shown.count("<li") == 1
    assert shown.count('href="#note-1"') == 2


def test_without_footnotes_there_is_no_list():
    assert render(FOOTNOTES, titles=[]) == ""


def test_footnotes_are_escaped_once():
    shown = render(FOOTNOTES, titles=[HOSTILE])
    assert f'<li id="note-1">On {ESCAPED}.</li>' in shown


def test_a_footnote_has_an_end():
    with pytest.raises(TemplateSyntaxError, match="endfootnote"):
        Template("{% load bookshop %}{% footnote %}")


def test_a_template_begins_anew_each_time():
    template = Template("{% load bookshop %}" + FOOTNOTES)
    first = template.render(Context({"titles": ["Emma"]}))
    assert template.render(Context({"titles": ["Emma"]})) == first


def test_threads_that_share_a_template_do_not_share_its_footnotes():
    """Two threads render the same nodes, and neither goes on before the other has come as far."""
    template = Template("{% load bookshop %}" + FOOTNOTES)
    barrier = Barrier(2, timeout=10)

    class Waiting:
        def __init__(self, title):
            self.title = title

        def __str__(self):
            barrier.wait()
            return self.title

    def shown(name):
        return template.render(Context({"titles": [Waiting(f"{name} 1"), Waiting(f"{name} 2")]}))

    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(shown, ["Emma", "Nana"]))
    for page, name in zip(pages, ["Emma", "Nana"], strict=True):
        assert page.endswith(
            f'<ol class="footnotes"><li id="note-1">On {name} 1.</li><li id="note-2">On {name} 2.</li></ol>'
        )
