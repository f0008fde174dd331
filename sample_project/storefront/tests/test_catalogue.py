"""The same page from two template engines."""

import re

import pytest
from django.template import engines
from django.test.html import parse_html
from django.utils import translation

from catalog.models import Author, Book
from config.jinja import environment

pytestmark = pytest.mark.django_db
PAGES = ["/catalogue/", "/catalogue/jinja2/"]


@pytest.fixture
def page(client):
    def get(path, **headers):
        response = client.get(path, headers=headers)
        assert response.status_code == 200
        return response.content.decode()

    return get


@pytest.mark.parametrize("path", PAGES)
def test_it_lists_every_book_under_its_author_with_one_query(page, django_assert_num_queries, path):
    with django_assert_num_queries(1):
        shown = page(path)
    assert shown.count('<td class="number">') == Book.objects.count()
    authors = re.findall(r'<th scope="rowgroup" colspan="4">([^<]+)</th>', shown)
    assert authors[:3] == ["Louisa May Alcott", "Hans Christian Andersen", "Anonymous"]
    assert len(authors) == len(set(authors)) == Author.objects.filter(books__isnull=False).distinct().count()


def test_both_engines_show_the_same(page):
    first, second = map(page, PAGES)
    assert first != second  # White space, for one: it is not the same engine.
    assert parse_html(first) == parse_html(second)


def test_both_engines_show_the_same_in_german(page):
    first, second = (page(path, accept_language="de") for path in PAGES)
    assert '<html lang="de">' in first
    assert "9,50\N{NO-BREAK SPACE}€" in first
    assert parse_html(first) == parse_html(second)


@pytest.mark.parametrize("path", PAGES)
def test_what_is_unusual_about_a_book_is_a_footnote(page, path):
    shown = page(path)
    assert len(re.findall(r'<li id="note-\d">', shown)) == 2
    assert shown.count("Out of print: while copies last.") == 1
    assert len(re.findall(r'href="#note-\d"', shown)) == (
        Book.objects.filter(in_print=False).count() + Book.objects.filter(published=None).count()
    )


@pytest.mark.parametrize("path", PAGES)
def test_hostile_titles_and_names_are_shown_as_text(page, path):
    hostile = "<script>alert('x')</script>"
    Book.objects.filter(slug="emma").update(title=hostile)
    Author.objects.filter(slug="jane-austen").update(name=hostile)
    shown = page(path)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;alert(") == 2


def test_hostile_text_looks_the_same_from_both(page):
    Book.objects.filter(slug="emma").update(title="<b>'Emma' & \"so on\"</b>")
    first, second = map(page, PAGES)
    assert parse_html(first) == parse_html(second)


def test_jinja2_escapes_but_what_is_marked_as_safe():
    template = engines["jinja2"].from_string("{{ text }} {{ text|safe }} {{ 3|stars }}")
    shown = template.render({"text": "<b>"})
    assert shown.startswith("&lt;b&gt; <b> <span")


def test_a_name_that_does_not_exist_is_an_error_in_jinja2_and_nothing_in_django():
    assert engines["django"].from_string("[{{ nothing }}]").render() == "[]"
    with pytest.raises(Exception, match="'nothing' is undefined"):
        engines["jinja2"].from_string("[{{ nothing }}]").render()


def test_the_environment_knows_urls_static_files_and_translations():
    made = environment(autoescape=True)
    template = made.from_string(
        "{{ url('storefront:book', slug='emma') }} {{ static('storefront/shop.css') }} {{ _('Language') }}"
    )
    assert template.render() == "/books/emma/ /static/storefront/shop.css Language"
    with translation.override("de"):
        assert template.render().endswith(" Sprache")


def test_each_engine_finds_the_template_in_its_own_folder():
    for name, folder in [("django", "templates"), ("jinja2", "jinja2")]:
        origin = engines[name].get_template("storefront/catalogue.html").origin.name.replace("\\", "/")
        assert origin.endswith(f"storefront/{folder}/storefront/catalogue.html")
