"""The same cart with each of Django's session engines.

https://docs.djangoproject.com/en/stable/topics/http/sessions/#configuring-the-session-engine
"""

from datetime import timedelta
from importlib import import_module

import pytest
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from catalog.models import Book
from storefront.cart import Cart

pytestmark = pytest.mark.django_db
ENGINES = ["db", "cache", "cached_db", "file", "signed_cookies"]


@pytest.fixture(autouse=True)
def cold_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def engine(request, settings, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    # The file engine reads its folder from the settings once, and remembers it on the class.
    if "_storage_path" in vars(FileStore):
        del FileStore._storage_path
    yield import_module(settings.SESSION_ENGINE)
    if "_storage_path" in vars(FileStore):
        del FileStore._storage_path


def every(*names):
    return pytest.mark.parametrize("engine", names or ENGINES, indirect=True)


@pytest.fixture
def emma():
    return Book.objects.get(title="Emma")


def cookie_of(client):
    return client.cookies["sessionid"].value


def with_cookie(value):
    client = Client()
    client.cookies["sessionid"] = value
    return client


def cart_of(client):
    return client.get("/cart/").wsgi_request.session.get("cart")


@every()
def test_the_cart_comes_back_with_the_cookie_and_with_nothing_else(engine, client, emma):
    client.post("/cart/add/emma/", {"quantity": 2})
    page = with_cookie(cookie_of(client)).get("/cart/")
    assert "Emma" in page.content.decode()
    assert Cart(page.wsgi_request.session).wanted == {emma.pk: 2}
    assert cart_of(Client()) is None


@every()
def test_the_cart_stays_when_somebody_logs_in_and_goes_when_they_log_out(engine, client, emma):
    from accounts.models import User

    client.post("/cart/add/emma/", {"quantity": 2})
    visitor = cookie_of(client)
    client.force_login(User.objects.get(username="anna"))
    assert cart_of(client) == {str(emma.pk): 2}
    assert cookie_of(client) != visitor
    client.post("/account/logout/")
    assert not cart_of(client)


@every("db", "cache", "cached_db", "file")
def test_logging_out_ends_the_session_on_the_server(engine, client, emma):
    client.post("/cart/add/emma/", {"quantity": 2})
    before = cookie_of(client)
    client.post("/account/logout/")
    assert cart_of(with_cookie(before)) is None


@every("signed_cookies")
def test_a_session_in_a_cookie_cannot_be_ended_by_the_server(engine, client, emma):
    client.post("/cart/add/emma/", {"quantity": 2})
    before = cookie_of(client)
    client.post("/account/logout/")
    assert cart_of(with_cookie(before)) == {str(emma.pk): 2}


@every("signed_cookies")
def test_a_session_in_a_cookie_can_be_read_by_everybody_and_changed_by_nobody(engine, client, emma, settings):
    from django.core import signing

    client.post("/cart/add/emma/", {"quantity": 2})
    cookie = cookie_of(client)
    # The salt is in Django's source, and the content is not encrypted: the key is needed to sign alone.
    content = cookie.split(":")[0]
    read = signing.JSONSerializer().loads(signing.b64_decode(content.lstrip(".").encode()))
    assert read["cart"] == {str(emma.pk): 2}

    forged = signing.b64_encode(signing.JSONSerializer().dumps({"cart": {str(emma.pk): 99}})).decode()
    assert cart_of(with_cookie(cookie.replace(content, forged))) is None
    assert cart_of(with_cookie(cookie[:-1] + ("A" if cookie[-1] != "A" else "B"))) is None
    settings.SECRET_KEY = "another"
    settings.SECRET_KEY_FALLBACKS = []
    assert cart_of(with_cookie(cookie)) is None


@every("db", "cache", "cached_db", "file")
def test_a_key_that_the_shop_did_not_give_out_is_not_taken_up(engine):
    client = with_cookie("chosenbysomebodyelse0123456789ab")
    assert cart_of(client) is None
    client.post("/cart/add/emma/", {"quantity": 2})
    assert cookie_of(client) != "chosenbysomebodyelse0123456789ab"


@every("cache", "cached_db")
def test_what_is_left_when_the_cache_is_lost(engine, client, emma):
    client.post("/cart/add/emma/", {"quantity": 2})
    cache.clear()
    kept = {str(emma.pk): 2} if engine.__name__.endswith("cached_db") else None
    assert cart_of(client) == kept


@every("db", "cached_db", "file")
def test_clearsessions_removes_what_has_expired_and_nothing_else(engine, tmp_path):
    stores = {}
    for name, age in (("expired", -1), ("alive", 3600)):
        stores[name] = engine.SessionStore()
        stores[name]["cart"] = {"1": 2}
        stores[name].set_expiry(timezone.now() + timedelta(seconds=age))
        stores[name].create()
        stores[name].save()

    def kept():
        return Session.objects.count() if "file" not in engine.__name__ else len(list(tmp_path.iterdir()))

    before = kept()
    call_command("clearsessions")
    assert kept() == before - 1
    again = engine.SessionStore(stores["alive"].session_key)
    assert again["cart"] == {"1": 2}


@every("cache", "signed_cookies")
def test_clearsessions_has_nothing_to_do_where_nothing_is_left_lying(engine):
    before = Session.objects.count()
    call_command("clearsessions")
    assert Session.objects.count() == before


@every()
def test_a_change_within_a_value_is_saved_only_when_that_is_said(engine):
    """The session notices when its own keys are set; what happens inside a value, it does not see."""

    def ask(change, cookie=None):
        seen = {}

        def view(request):
            change(request.session)
            seen.update(request.session)
            return HttpResponse()

        request = RequestFactory().get("/")
        if cookie:
            request.COOKIES["sessionid"] = cookie
        response = SessionMiddleware(view)(request)
        saved = response.cookies.get("sessionid")
        return seen, saved.value if saved else cookie

    def start(session):
        session["cart"] = {"1": 1}

    def inside(session):
        session["cart"]["1"] = 2

    def inside_and_said(session):
        session["cart"]["1"] = 3
        session.modified = True

    _, cookie = ask(start)
    seen, cookie = ask(inside, cookie)
    assert seen["cart"] == {"1": 2}
    seen, cookie = ask(lambda session: None, cookie)
    assert seen["cart"] == {"1": 1}
    _, cookie = ask(inside_and_said, cookie)
    seen, _ = ask(lambda session: None, cookie)
    assert seen["cart"] == {"1": 3}


class TestWhatASessionHolds:
    def keep(self, engine, value):
        """The value as the next request reads it."""
        store = engine.SessionStore()
        store["value"] = value
        store.save()
        # What the cookie says: a key, or everything.
        return store.session_key, engine.SessionStore(store.session_key)["value"]

    @every("db", "file", "signed_cookies")
    def test_what_json_can_say(self, engine):
        assert self.keep(engine, {"a": [1, None]})[1] == {"a": [1, None]}
        assert self.keep(engine, {1: 2})[1] == {"1": 2}
        with pytest.raises(TypeError, match="not JSON serializable"):
            self.keep(engine, timezone.now())

    @every("cached_db")
    def test_the_cache_has_other_keys_than_the_database_behind_it(self, engine):
        key, value = self.keep(engine, {1: 2})
        assert value == {1: 2}
        cache.clear()
        assert engine.SessionStore(key)["value"] == {"1": 2}


@every("db")
def test_a_visitor_who_puts_nothing_in_gets_no_session(engine, client):
    before = Session.objects.count()
    client.get("/cart/")
    assert "sessionid" not in client.cookies
    assert Session.objects.count() == before
