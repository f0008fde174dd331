from itertools import islice
from random import Random

import pytest

from accounts.models import Profile, User
from accounts.seeding import people


@pytest.mark.django_db
def test_the_first_users_are_known_by_name():
    assert list(User.objects.order_by("pk").values_list("username", flat=True)[:5]) == [
        "mira",
        "tomas",
        "anna",
        "jose",
        "ida",
    ]
    assert str(User.objects.get(username="mira").profile) == "mira of Lisbon"


@pytest.mark.django_db
def test_some_have_no_profile_no_city_no_birthday_no_address():
    assert 20 < User.objects.filter(profile=None).count() < 60
    assert Profile.objects.filter(city="").exists()
    assert Profile.objects.filter(born=None).exists()
    assert User.objects.filter(email="").exists()
    assert User.objects.filter(is_active=False).exists()


@pytest.mark.django_db
def test_nobody_can_log_in():
    assert not [user for user in User.objects.all() if user.has_usable_password()]


@pytest.mark.django_db
def test_users_joined_in_the_order_of_their_keys():
    joined = list(User.objects.order_by("pk").values_list("date_joined", flat=True))
    assert joined == sorted(joined)


def test_people_have_different_usernames():
    usernames = [username for username, *_ in islice(people(Random(1)), 500)]
    assert len(set(usernames)) == 500
    assert all(name.isascii() for name in usernames)
