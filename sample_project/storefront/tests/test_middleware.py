"""The shop's own middleware, under a synchronous and an asynchronous handler."""

import asyncio
import logging
import re
import threading

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, iscoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from accounts.models import User
from catalog.models import Genre
from storefront.middleware import (
    MaintenanceMiddleware,
    RequestIDMiddleware,
    TimingMiddleware,
    request_id,
    watch,
)

ALL = [RequestIDMiddleware, TimingMiddleware, MaintenanceMiddleware]


@pytest.fixture(params=["sync", "async"])
def get(request):
    """Fetch a page as under WSGI, and as under ASGI: `get("/", HTTP_ACCEPT="text/html")`."""

    def fetch(path, user=None, **headers):
        client = Client() if request.param == "sync" else AsyncClient()
        if user is not None:
            client.force_login(user)
        if request.param == "sync":
            return client.get(path, headers=headers)
        # Queries run in this thread, on the connection whose rows are rolled back.
        return async_to_sync(client.get)(path, headers=headers)

    return fetch


def around(middleware, view, **headers):
    """What the middleware makes of a synchronous view's response, and of an asynchronous one's."""

    async def asynchronous(request):
        return view(request)

    yield middleware(view)(RequestFactory().get("/", headers=headers))
    yield asyncio.run(middleware(asynchronous)(RequestFactory().get("/", headers=headers)))


@pytest.mark.parametrize("middleware", ALL)
def test_each_is_asynchronous_where_the_next_one_is(middleware, settings):
    async def asynchronous(request):
        return HttpResponse()

    assert middleware.sync_capable
    assert middleware.async_capable
    assert iscoroutinefunction(middleware(asynchronous))
    assert not iscoroutinefunction(middleware(lambda request: HttpResponse()))


@pytest.mark.parametrize("middleware", ALL)
def test_none_changes_the_thread(middleware, monkeypatch):
    async def asynchronous(request):
        threads.append(threading.get_ident())
        return HttpResponse()

    async def refuse(self, *args, **kwargs):
        raise AssertionError("a thread was asked for")

    threads = []
    monkeypatch.setattr(SyncToAsync, "__call__", refuse)
    asyncio.run(middleware(asynchronous)(RequestFactory().get("/")))
    assert threads == [threading.get_ident()]


# The id


@pytest.mark.django_db
def test_a_request_without_an_id_gets_one_of_its_own(get):
    first, second = get("/genres/satire/"), get("/genres/satire/")
    assert re.fullmatch(r"[0-9a-f]{32}", first["X-Request-ID"])
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.django_db
def test_an_id_that_came_along_is_kept(get):
    assert get("/genres/satire/", **{"X-Request-ID": "proxy-7.f_3"})["X-Request-ID"] == "proxy-7.f_3"


@pytest.mark.parametrize("given", ["", "a b", 'x"}{"level":"', "a\x1b[2J", "é", "x" * 65])
def test_what_is_no_id_is_not_believed(given):
    for response in around(RequestIDMiddleware, lambda request: HttpResponse(request.id), **{"X-Request-ID": given}):
        assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])
        assert response.content.decode() == response["X-Request-ID"]


def test_the_id_is_at_hand_during_the_request_and_not_after_it():
    for response in around(RequestIDMiddleware, lambda request: HttpResponse(request_id.get())):
        assert response.content.decode() == response["X-Request-ID"]
    assert request_id.get() == "-"


def test_the_id_is_gone_after_an_exception_as_well():
    def broken(request):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        RequestIDMiddleware(broken)(RequestFactory().get("/"))
    assert request_id.get() == "-"


def test_requests_at_the_same_time_do_not_mix_their_ids():
    async def slow(request):
        before = request_id.get()
        await asyncio.sleep(0)
        return HttpResponse(f"{before} {request_id.get()}")

    async def several():
        middleware = RequestIDMiddleware(slow)
        requests = [RequestFactory().get("/", headers={"X-Request-ID": f"r{number}"}) for number in range(5)]
        return await asyncio.gather(*[middleware(request) for request in requests])

    assert [response.content.decode() for response in asyncio.run(several())] == [f"r{n} r{n}" for n in range(5)]


def test_an_id_that_the_view_has_set_stays():
    for response in around(RequestIDMiddleware, lambda request: HttpResponse(headers={"X-Request-ID": "mine"})):
        assert response["X-Request-ID"] == "mine"


# The time


@pytest.mark.django_db
def test_the_time_and_the_queries_of_a_page_are_told(get, django_assert_num_queries):
    with django_assert_num_queries(3):
        timing = get("/genres/crime/")["Server-Timing"]
    assert re.fullmatch(r'total;dur=\d+\.\d, db;dur=\d+\.\d;desc="3 queries"', timing)


@pytest.mark.django_db
def test_queries_are_counted_in_whatever_thread_they_run(get):
    """On an asynchronous server, that is not the thread of the middleware."""
    assert get("/genres/crime/")["Server-Timing"].endswith('desc="3 queries"')
    elsewhere = asyncio.run(AsyncClient().get("/genres/crime/"))
    assert elsewhere["Server-Timing"].endswith('desc="3 queries"')


@pytest.mark.django_db
def test_queries_outside_of_the_request_are_not_counted():
    middleware = TimingMiddleware(lambda request: HttpResponse(Genre.objects.count()))
    for _ in range(2):
        Genre.objects.count()
        assert middleware(RequestFactory().get("/"))["Server-Timing"].endswith('desc="1 query"')


@pytest.mark.django_db
def test_a_query_that_fails_counts(django_assert_num_queries):
    def failing(request):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return HttpResponse()

    assert TimingMiddleware(failing)(RequestFactory().get("/"))["Server-Timing"].endswith('desc="1 query"')


def test_times_that_the_view_tells_stay():
    for response in around(TimingMiddleware, lambda request: HttpResponse(headers={"Server-Timing": "search;dur=5"})):
        assert response["Server-Timing"].startswith("search;dur=5, total;dur=")


def test_it_can_be_left_out(settings):
    settings.SERVER_TIMING = False
    with pytest.raises(MiddlewareNotUsed):
        TimingMiddleware(lambda request: HttpResponse())


@pytest.mark.django_db
def test_a_connection_is_watched_once():
    before = list(connection.execute_wrappers)
    watch(connection)
    assert connection.execute_wrappers == before
    assert len(before) == len(set(before))


# The sign on the door


@pytest.fixture
def closed(settings):
    settings.MAINTENANCE_MODE = True


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("path", ["/", "/books/emma/", "/cart/", "/nowhere/", "/admin/", "/api/v1/books/"])
def test_a_closed_shop_says_when_to_come_back(get, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = get(path, Accept="text/html")
    assert response.status_code == 503
    assert response["Retry-After"] == "300"
    assert "no-store" in response["Cache-Control"]
    assert "closed for maintenance" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_who_wants_no_html_gets_none(get):
    response = get("/api/v1/books/", Accept="application/json")
    assert response.status_code == 503
    assert response["Content-Type"] == "text/plain"


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_staff_get_through_and_customers_do_not(get):
    assert get("/genres/satire/", user=User.objects.create_user("boss", is_staff=True)).status_code == 200
    assert get("/genres/satire/", user=User.objects.create_user("visitor")).status_code == 503


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("path", ["/admin/login/", "/account/login/", "/health/live/", "/health/ready/"])
def test_staff_can_log_in_and_probes_see_that_the_shop_is_alive(get, path):
    assert get(path).status_code == 200


@pytest.mark.django_db
def test_the_sign_is_a_file_that_can_come_and_go(get, settings, tmp_path):
    sign = tmp_path / "closed"
    settings.MAINTENANCE_FILE = str(sign)
    assert get("/genres/satire/").status_code == 200
    sign.touch()
    assert get("/genres/satire/").status_code == 503
    sign.unlink()
    assert get("/genres/satire/").status_code == 200


@pytest.mark.usefixtures("closed")
def test_without_a_database_nobody_is_staff_and_the_notice_is_shown_all_the_same():
    class Gone:
        @property
        def is_staff(self):
            raise DatabaseError

    async def gone():
        raise DatabaseError

    async def asynchronous(request):
        raise AssertionError("got through")

    request = RequestFactory().get("/books/emma/")
    request.user, request.auser = Gone(), gone
    assert asyncio.run(MaintenanceMiddleware(asynchronous)(request)).status_code == 503
    assert MaintenanceMiddleware(lambda request: HttpResponse())(request).status_code == 503


@pytest.mark.django_db
def test_every_record_of_a_request_has_its_id(get, caplog):
    from config.logging import RequestIDFilter

    caplog.handler.addFilter(RequestIDFilter())
    with caplog.at_level(logging.WARNING, "django.request"):
        get("/nowhere/", **{"X-Request-ID": "lost-1"})
    logging.getLogger("somewhere").warning("outside")
    assert [record.request_id for record in caplog.records] == ["lost-1", "-"]
