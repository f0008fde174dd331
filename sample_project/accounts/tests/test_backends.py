import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate

from accounts.backends import EmailBackend
from accounts.models import User
from accounts.tests.hashers import QuickHasher

pytestmark = pytest.mark.django_db
PASSWORD = "a doll's house"


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """Ask all backends of the settings, in one of two ways."""
    way = authenticate if request.param == "sync" else async_to_sync(aauthenticate)
    return lambda username, password=PASSWORD: way(None, username=username, password=password)


@pytest.mark.parametrize("name", ["nora", "Nora@example.org", "nora@EXAMPLE.ORG", " nora@example.org "])
def test_users_log_in_by_name_and_by_address_in_any_capitals(ask, nora, name):
    assert ask(name) == nora


@pytest.mark.parametrize("name", ["Nora", "nora@example", "ora@example.org", "%@example.org", "@", ""])
def test_nothing_else_is_taken_for_the_name(ask, nora, name):
    assert ask(name) is None


def test_a_wrong_password_is_refused(ask, nora):
    assert ask("nora@example.org", "another") is None


def test_an_empty_address_never_matches(ask):
    User.objects.create_user("nobody", "", PASSWORD)
    assert ask("") is None
    assert ask(None) is None


def test_an_address_that_two_accounts_have_is_good_for_none_of_them(ask, nora):
    twin = User.objects.create_user("twin", "nora@example.org", PASSWORD)
    assert ask("nora@example.org") is None
    assert ask("nora") == nora
    assert ask("twin") == twin


def test_who_took_an_address_for_a_name_does_not_shut_its_owner_out(ask, nora):
    thief = User.objects.create_user("nora@example.org", "thief@example.org", "stolen goods")
    assert ask("nora@example.org") == nora
    assert ask("nora@example.org", "stolen goods") == thief


def test_inactive_accounts_are_refused(ask, nora):
    User.objects.filter(pk=nora.pk).update(is_active=False)
    assert ask("nora@example.org") is None
    assert ask("nora") is None


@pytest.mark.parametrize("known", ["nora@example.org", "unusable@example.org", "inactive@example.org"])
def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(ask, nora, known, monkeypatch):
    User.objects.create_user("unusable", "unusable@example.org")
    User.objects.create_user("inactive", "inactive@example.org", PASSWORD, is_active=False)
    hashed = []
    encode = QuickHasher.encode
    monkeypatch.setattr(QuickHasher, "encode", lambda *args, **kwargs: hashed.append(1) or encode(*args, **kwargs))
    ask(known, "wrong")
    cost = len(hashed)
    ask("unknown@example.org", "wrong")
    assert len(hashed) - cost == cost > 0


def test_a_name_is_not_looked_up_as_an_address(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert EmailBackend().authenticate(None, "nora", PASSWORD) is None


def test_users_are_found_again_by_their_key(nora):
    assert EmailBackend().get_user(nora.pk) == nora
    assert async_to_sync(EmailBackend().aget_user)(nora.pk) == nora


def test_a_session_remembers_the_backend(client, nora):
    assert client.login(username="nora@example.org", password=PASSWORD)
    assert client.session["_auth_user_backend"] == "accounts.backends.EmailBackend"
    assert client.get("/account/").context["user"] == nora
