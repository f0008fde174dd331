import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from accounts.models import Profile, User

pytestmark = pytest.mark.django_db


def test_the_project_uses_its_own_user():
    assert get_user_model() is User


def test_a_user_has_at_most_one_profile():
    with pytest.raises(IntegrityError, match="accounts_profile.user_id"), transaction.atomic():
        Profile.objects.create(user=User.objects.get(username="mira"))


def test_a_user_without_a_profile_says_so():
    with pytest.raises(Profile.DoesNotExist):
        _ = User.objects.get(username="tomas").profile


def test_a_profile_goes_with_its_user():
    ana = User.objects.create(username="ana")
    Profile.objects.create(user=ana)
    ana.delete()
    assert not Profile.objects.filter(user__username="ana").exists()


def test_a_profile_names_the_city_where_there_is_one():
    user = User(username="ana")
    assert str(Profile(user=user, city="Porto")) == "ana of Porto"
    assert str(Profile(user=user)) == "ana"
