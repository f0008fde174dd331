import re

import django
import pytest
from django.template.loader import render_to_string

from catalog.models import Book
from storefront import search

pytestmark = pytest.mark.django_db


def shown(response):
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_finds_titles_and_authors_and_marks_what_was_asked_for(client):
    page = shown(client.get("/search/", {"q": "emma"}))
    assert "1 book found" in page
    assert '<a href="/books/emma/"><mark>Emma</mark></a>' in page
    assert "9.50\N{NO-BREAK SPACE}€" in page
    assert "22 in stock" in page


def test_nothing_is_searched_for_before_something_is_asked(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = shown(client.get("/search/"))
    assert "found</h2>" not in page
    assert "No book" not in page


def test_a_long_list_is_cut(client):
    page = shown(client.get("/search/", {"q": "e"}))
    assert "The first 20 books found" in page
    assert page.count("<li>\n    <a") == search.MOST_FOUND


def test_a_search_takes_one_query(client, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get("/search/", {"q": "e"})


@pytest.mark.parametrize("query", [{"q": "<script>x</script>"}, {"q": "<script>x</script>", "fragment": "found"}])
def test_what_was_asked_is_shown_as_text(client, query):
    page = shown(client.get("/search/", query))
    assert "<script>x" not in page
    assert "No book matches “&lt;script&gt;x&lt;/script&gt;”" in page


def test_a_hostile_title_is_shown_as_text(client):
    Book.objects.filter(slug="emma").update(title='<img src="x" onerror="alert(1)">')
    page = shown(client.get("/search/", {"q": "img"}))
    assert "&lt;<mark>img</mark> src=&quot;x&quot; onerror=&quot;alert(1)&quot;&gt;" in page


def test_a_search_that_makes_no_sense_is_explained(client):
    assert "at most 100 characters" in shown(client.get("/search/", {"q": "x" * 101}))


@pytest.mark.parametrize("query", ["emma", "e", "nothing at all", "", "x" * 101])
def test_the_fragment_is_the_part_of_the_page_that_changes(client, query):
    page = shown(client.get("/search/", {"q": query}))
    fragment = shown(client.get("/search/", {"q": query, "fragment": "found"}))
    assert "<html" not in fragment
    assert fragment.strip() in page.partition('<div id="found">')[2]


@pytest.mark.parametrize("fragment", ["", "form", "../found", "found#x"])
def test_a_fragment_that_does_not_exist_is_a_bad_request(client, fragment):
    assert client.get("/search/", {"q": "emma", "fragment": fragment}).status_code == 400


def test_the_template_is_chosen_by_what_django_knows(client):
    names = [template.name for template in client.get("/search/", {"q": "emma", "fragment": "found"}).templates]
    assert names[0] == ("found" if django.VERSION >= (6, 0) else "storefront/_found.html")


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Partials came with Django 6.0.")
@pytest.mark.parametrize("query", ["emma", "e", "nothing at all", ""])
def test_the_partial_and_the_included_template_show_the_same(client, monkeypatch, query):
    """The two forms of the page, for Django 6.0 and for those before, do not drift apart."""

    def words():
        return [shown(client.get("/search/", {"q": query} | more)).split() for more in [{}, {"fragment": "found"}]]

    with_partial = words()
    monkeypatch.setattr(search, "PAGE", "storefront/search_with_include.html")
    monkeypatch.setattr(search, "FRAGMENTS", {"found": "storefront/_found.html"})
    assert words() == with_partial


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Partials came with Django 6.0.")
def test_a_partial_renders_by_itself():
    assert "<html" not in render_to_string("storefront/search.html#found", {"asked": "x", "found": []})


def test_the_form_works_without_the_script_and_tells_it_what_to_replace(client):
    page = shown(client.get("/search/"))
    form = re.search(r"<form class=\"search\".*?>", page, re.DOTALL).group()
    assert 'method="get"' in form
    assert 'action="/search/"' in form
    fragment = re.search(r'data-fragment="(\w+)"', form).group(1)
    assert fragment in search.FRAGMENTS
    assert f'<div id="{fragment}">' in page
    assert 'src="/static/storefront/search.js" defer' in page
