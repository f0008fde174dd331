"""`manage.py warm_caches`"""

import io

import pytest
from django.core.management import call_command

from catalog.models import Book, Genre

pytestmark = pytest.mark.django_db


def run(**options):
    out, err = io.StringIO(), io.StringIO()
    call_command("warm_caches", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_the_first_visitor_need_not_wait(client, django_assert_num_queries):
    assert run()[0] == "15 entries are warm.\n"
    with django_assert_num_queries(0):
        assert client.get("/genres/crime/feed/").status_code == 200
    with django_assert_num_queries(5) as queries:
        client.get("/")
    assert not any("SUM(" in query["sql"].upper() for query in queries.captured_queries)


def test_run_again_it_finds_all_warm(django_assert_num_queries):
    run()
    # The books of the shelf are read each time.
    with django_assert_num_queries(1):
        run()


def test_what_was_changed_with_sql_is_seen_after_it(client):
    run()
    client.get("/genres/")
    book = Genre.objects.get(slug="crime").books.newest()[0]
    Book.objects.filter(pk=book.pk).update(title="Under another title")
    Genre.objects.filter(slug="crime").update(name="Murder")
    run()
    assert "Under another title" not in client.get("/genres/crime/feed/").content.decode()
    run(outdate=True)
    assert "Under another title" in client.get("/genres/crime/feed/").content.decode()
    assert "Murder" in client.get("/genres/").content.decode()


def test_it_says_where_it_is_of_no_use(settings, tmp_path):
    assert "The cache is a LocMemCache: no other process will see" in run()[1]
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": tmp_path}
    }
    assert run()[1] == ""


def test_an_empty_shop_is_warmed_as_well(empty_shop):
    assert run()[0] == "1 entries are warm.\n"
