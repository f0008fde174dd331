"""Pages that are kept whole: per view, per genre, and what a browser has already."""

from xml.etree import ElementTree

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.models import Book, Genre

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
FEED, CRIME = "/feed/", "/genres/crime/feed/"


def entries(response):
    assert response.status_code == 200
    return [entry.findtext(f"{ATOM}title") for entry in ElementTree.fromstring(response.content).iter(f"{ATOM}entry")]


@pytest.fixture
def counted(client):
    """Fetch a page: the response, and how many queries it took."""

    def get(path, **headers):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        return response, len(queries)

    return get


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """Call it with what to do in a transaction that ends well."""

    def do(function, *arguments):
        with django_capture_on_commit_callbacks(execute=True):
            function(*arguments)

    return do


class TestPerView:
    def test_it_holds_the_newest_books(self, client):
        found = entries(client.get(FEED))
        assert found == [book.title for book in Book.objects.newest()[:20]]

    def test_the_second_answer_is_the_first_one(self, counted):
        first, cold = counted(FEED)
        second, warm = counted(FEED)
        assert (cold, warm) == (1, 0)
        assert second.content == first.content
        assert "max-age=300" in first["Cache-Control"]
        assert first["Expires"] == second["Expires"]

    def test_time_alone_decides_when_it_is_made_anew(self, client, commit):
        before = client.get(FEED).content
        emma = Book.objects.get(slug="emma")
        emma.title = "Emma Woodhouse"
        commit(emma.save)
        assert client.get(FEED).content == before

    def test_each_address_has_its_own(self, counted):
        assert [counted(path)[1] for path in (FEED, f"{FEED}?page=2", FEED, f"{FEED}?page=2")] == [1, 1, 0, 0]

    def test_it_says_nothing_of_whoever_asks(self, client):
        anonymous = client.get(FEED)
        client.force_login(User.objects.get(username="anna"))
        client.post("/cart/add/emma/", {"quantity": 1})
        cache.clear()
        known = client.get(FEED)
        assert known.content == anonymous.content
        assert "anna" not in known.content.decode()
        assert not known.cookies
        # The cookie decides about nothing here; the language is what the middleware may have chosen.
        assert "cookie" not in known["Vary"].lower()

    def test_who_has_it_gets_304(self, client, counted):
        tag = client.get(FEED)["ETag"]
        response, queries = counted(FEED, if_none_match=tag)
        assert (response.status_code, response.content, queries) == (304, b"", 0)
        assert counted(FEED, if_none_match='"another"')[0].status_code == 200


class TestPerGenre:
    def test_it_holds_the_newest_of_the_genre(self, client):
        crime = Genre.objects.get(slug="crime")
        assert entries(client.get(CRIME)) == [book.title for book in crime.books.newest()[:20]]

    def test_a_genre_that_is_not_there(self, client):
        assert client.get("/genres/none/feed/").status_code == 404

    def test_one_that_was_deleted_without_a_word(self, client):
        client.get(CRIME)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM catalog_book_genres")
            cursor.execute("DELETE FROM catalog_genre WHERE slug = 'gothic'")
        assert client.get("/genres/gothic/feed/").status_code == 404

    def test_a_genre_without_books(self, client):
        assert entries(client.get("/genres/cookery/feed/")) == []

    def test_the_second_time_it_takes_no_query(self, counted):
        assert [counted(CRIME)[1], counted(CRIME)[1]] == [3, 0]

    def test_who_has_it_gets_304_without_a_query(self, client, counted):
        tag = client.get(CRIME)["ETag"]
        response, queries = counted(CRIME, if_none_match=tag)
        assert (response.status_code, response.content, queries) == (304, b"", 0)
        assert response["ETag"] == tag
        assert "Last-Modified" not in response

    @pytest.mark.parametrize("change", ["title", "membership", "genre", "deletion"])
    def test_a_change_is_seen_at_once(self, client, commit, change):
        tag = client.get(CRIME)["ETag"]
        crime = Genre.objects.get(slug="crime")
        book = crime.books.filter(lines__isnull=True).first() or crime.books.newest().first()
        book.title = "Under another title"
        crime.name = "Murder"
        commit(
            *{
                "title": (book.save,),
                "membership": (crime.books.remove, book),
                "genre": (crime.save,),
                "deletion": (lambda: (book.lines.all().delete(), book.delete()),),
            }[change]
        )
        response = client.get(CRIME, headers={"If-None-Match": tag})
        assert response.status_code == 200
        assert response["ETag"] != tag

    def test_other_genres_keep_theirs(self, counted, commit):
        counted("/genres/gothic/feed/")
        crime = Genre.objects.get(slug="crime")
        commit(crime.books.add, Book.objects.get(slug="emma"))
        assert counted("/genres/gothic/feed/")[1] == 0

    def test_a_change_that_changes_nothing_is_none(self, client, commit):
        tag = client.get(CRIME)["ETag"]
        commit(Book.objects.get(slug="emma").save)
        assert client.get(CRIME, headers={"If-None-Match": tag}).status_code == 304


class TestFragment:
    """https://docs.djangoproject.com/en/stable/topics/cache/#template-fragment-caching"""

    def test_the_list_is_made_once_for_everybody(self, client, counted):
        first, cold = counted("/genres/")
        assert "59 books" in first.content.decode()
        assert "0 books" in first.content.decode()
        assert cold == 1
        client.force_login(User.objects.get(username="anna"))
        assert "59 books" in counted("/genres/")[0].content.decode()
        with CaptureQueriesContext(connection) as queries:
            client.get("/genres/")
        assert not any("catalog_genre" in query["sql"] for query in queries)

    def test_the_frame_around_it_is_each_visitor_s_own(self, client):
        client.get("/genres/")
        client.post("/cart/add/emma/", {"quantity": 1})
        assert '<span class="count">1</span>' in client.get("/genres/").content.decode()

    def test_each_language_has_its_own(self, counted):
        assert [counted("/genres/", accept_language=code)[1] for code in ("en", "de", "en", "de")] == [1, 1, 0, 0]

    def test_a_change_is_seen_in_every_language(self, counted, commit):
        for code in ("en", "de"):
            counted("/genres/", accept_language=code)
        crime = Genre.objects.get(slug="crime")
        crime.name = "Murder"
        commit(crime.save)
        for code in ("en", "de"):
            assert "Murder" in counted("/genres/", accept_language=code)[0].content.decode()

    def test_so_are_a_membership_and_a_deletion(self, counted, commit):
        counted("/genres/")
        commit(Genre.objects.get(slug="cookery").books.add, Book.objects.get(slug="seven-brothers"))
        assert "1 book<" in counted("/genres/")[0].content.decode().replace("1 book,", "1 book<")
        commit(Book.objects.get(slug="seven-brothers").delete)
        assert "0 books" in counted("/genres/")[0].content.decode()

    def test_a_statement_about_many_rows_is_seen_later(self, counted):
        counted("/genres/")
        Genre.objects.filter(slug="crime").update(name="Murder")
        assert "Murder" not in counted("/genres/")[0].content.decode()


def per_site():
    return override_settings(
        MIDDLEWARE=[
            "django.middleware.cache.UpdateCacheMiddleware",
            *django_settings.MIDDLEWARE,
            "django.middleware.cache.FetchFromCacheMiddleware",
        ]
    )


class TestPerSite:
    """Not used by the shop: nearly every page has the cart and the name of the visitor in its frame.

    So nearly every page varies on the cookie, each visitor has copies of their own, and few would be asked for twice.
    A page with a form is not even kept for one visitor.
    https://docs.djangoproject.com/en/stable/topics/cache/#the-per-site-cache
    """

    def test_it_is_not_on(self):
        assert not [name for name in django_settings.MIDDLEWARE if "middleware.cache" in name]

    def test_a_page_is_kept_for_whoever_has_the_same_cookies(self, counted):
        with per_site():
            assert [counted("/authors/jane-austen/")[1] for _ in range(3)] == [2, 0, 0]

    def test_a_page_with_a_form_is_never_kept(self, counted):
        """Each answer brings the cookie that belongs to the form, and who gets a cookie gets a page of their own."""
        with per_site():
            assert [counted("/books/emma/")[1] for _ in range(3)] == [3, 3, 3]

    def test_a_visitor_with_another_cookie_gets_another_page(self, client, counted):
        with per_site():
            counted("/genres/")
            client.post("/cart/add/emma/", {"quantity": 1})
            assert '<span class="count">1</span>' in client.get("/genres/").content.decode()
            client.cookies.clear()
            assert '<span class="count">0</span>' in client.get("/genres/").content.decode()

    def test_what_changed_is_not_seen_until_time_is_up(self, client, commit):
        with per_site():
            client.get("/authors/jane-austen/")
            emma = Book.objects.get(slug="emma")
            emma.title = "Emma Woodhouse"
            commit(emma.save)
            assert "Emma Woodhouse" not in client.get("/authors/jane-austen/").content.decode()
