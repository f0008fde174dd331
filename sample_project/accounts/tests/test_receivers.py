import logging

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.db import transaction
from django.test import RequestFactory

from accounts.models import User
from accounts.receivers import mark_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(caplog):
    """Call it for the lines that were written, with their level."""
    caplog.set_level(logging.INFO, logger="accounts.receivers")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records if "accounts" in record.name]


@pytest.fixture
def user():
    return User.objects.create_user("newcomer", "newcomer@example.org", "nobody-else-knows")


def test_coming_and_leaving_are_written_down_with_the_address(client, user, log):
    client.force_login(user)
    client.logout()
    client.logout()
    # The second time, nobody was there to leave. The client calls no page for this, and so has no address.
    assert [message.partition(" from ")[0] for _, message in log()] == [
        f"Account {user.pk} logged in",
        f"Account {user.pk} logged out",
    ]


def test_the_page_knows_the_address(client, user, log):
    client.post(
        "/account/login/",
        {"username": "newcomer", "password": "nobody-else-knows"},
        REMOTE_ADDR="192.0.2.7",
    )
    assert ("INFO", f"Account {user.pk} logged in from 192.0.2.7.") in log()


def test_a_refused_login_is_a_warning_without_name_and_password(user, log, caplog):
    request = RequestFactory().post("/account/login/", REMOTE_ADDR="192.0.2.7")
    assert authenticate(request, username="nobody-else-knows", password="newcomer\nfaked line") is None
    [(level, message)] = log()
    assert level == "WARNING"
    assert message == f"Login refused for the name {mark_of('nobody-else-knows')} from 192.0.2.7."
    assert "nobody-else-knows" not in caplog.text
    assert "faked line" not in caplog.text


def test_nobody_need_have_come_by_the_web(user, log):
    authenticate(username="newcomer", password="guess")
    assert log()[0][1].endswith(" from -.")


def test_the_mark_tells_names_apart_and_is_the_same_each_time(settings):
    assert mark_of("Anna") == mark_of("anna") != mark_of("anne")
    before = mark_of("anna")
    settings.SECRET_KEY = "another"
    assert mark_of("anna") != before


def test_rights_are_written_down_from_either_side(user, log):
    group = Group.objects.create(name="Packers")
    user.groups.add(group)
    group.user_set.remove(user)
    user.groups.clear()
    permission = Permission.objects.get(codename="change_price")
    user.user_permissions.set([permission])
    assert [message for _, message in log()] == [
        f"user-group relationship of user {user.pk}, add: [{group.pk}].",
        f"user-group relationship of group {group.pk}, remove: [{user.pk}].",
        f"user-group relationship of user {user.pk}, clear: all.",
        f"user-permission relationship of user {user.pk}, add: [{permission.pk}].",
    ]


def test_a_deletion_is_written_down_when_it_begins_and_when_it_is_done(user, log, django_capture_on_commit_callbacks):
    pk = user.pk
    with django_capture_on_commit_callbacks(execute=True):
        user.delete()
        assert [message for _, message in log()] == [f"Account {pk} is to be deleted."]
    assert [message for _, message in log()] == [f"Account {pk} is to be deleted.", f"Account {pk} was deleted."]


def test_a_deletion_that_was_undone_only_began(user, log, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        user.delete()
        transaction.set_rollback(True)
    assert [message.split(" ", 2)[2] for _, message in log()] == ["is to be deleted."]


@pytest.mark.parametrize(
    "save", [User.save, lambda user: User.objects.update_or_create(username="x", email=user.email)]
)
def test_the_domain_of_an_address_is_stored_in_small_letters(save):
    save(User(username="x", email="Anna@EXAMPLE.org"))
    assert User.objects.get(username="x").email == "Anna@example.org"


def test_a_fixture_is_stored_as_it_is(user):
    user.email = "anna@EXAMPLE.org"
    for row in serializers.deserialize("json", serializers.serialize("json", [user])):
        row.save()
    assert User.objects.get(pk=user.pk).email == "anna@EXAMPLE.org"
