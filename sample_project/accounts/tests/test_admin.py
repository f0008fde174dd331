import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user
from django.contrib.auth.models import Group
from django.test import Client

from accounts.admin import CustomerAdmin
from accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_list_takes_the_same_number_of_queries_for_one_user_and_for_many(admin_page, django_assert_num_queries):
    with django_assert_num_queries(6) as one:
        assert admin_page("/admin/accounts/user/?pk__exact=1").context["cl"].result_count == 1
    with django_assert_num_queries(len(one)):
        assert admin_page("/admin/accounts/user/?pk__gte=1").context["cl"].result_count > 100


def test_the_list_shows_the_city_and_finds_by_it(admin_page):
    page = admin_page("/admin/accounts/user/?q=Lisbon")
    assert '<td class="field-city">Lisbon</td>' in page.content.decode()
    assert User.objects.get(username="mira") in page.context["cl"].queryset


def test_a_user_is_edited_with_the_profile_and_without_showing_a_password(admin_page):
    page = admin_page("/admin/accounts/user/1/change/").content.decode()
    assert 'name="profile-0-city" value="Lisbon"' in page
    assert 'name="password1"' not in page


@pytest.mark.parametrize("path", ["campaign", "visit"])
def test_campaigns_and_visits_are_listed_without_a_query_per_row(
    admin_page, django_assert_num_queries, django_assert_max_num_queries, path
):
    with django_assert_max_num_queries(10) as one:
        assert admin_page(f"/admin/accounts/{path}/?pk__exact=1").context["cl"].result_count == 1
    with django_assert_num_queries(len(one)):
        assert admin_page(f"/admin/accounts/{path}/?pk__gte=1").context["cl"].result_count >= 8


def test_visits_are_not_edited(admin_client):
    assert admin_client.get("/admin/accounts/visit/add/").status_code == 403


@pytest.fixture
def manager(client):
    """A client whose user is staff and in the group of managers, who may change users."""
    user = User.objects.create(username="manager", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    client.force_login(user)
    return client


def change(user):
    return f"/admin/accounts/user/{user.pk}/change/"


class TestRights:
    def test_a_manager_changes_customers_and_not_their_rights(self, manager):
        anna = User.objects.get(username="anna")
        page = manager.get(change(anna)).content.decode()
        assert 'name="first_name"' in page
        for right in CustomerAdmin.RIGHTS:
            assert f'name="{right}"' not in page
        form = {"username": "anna", "first_name": "Ann", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
        form |= {"date_joined_0": "2023-04-01", "date_joined_1": "08:00", "email": anna.email}
        form |= {"profile-TOTAL_FORMS": 0, "profile-INITIAL_FORMS": 0}
        assert manager.post(change(anna), form).status_code == 302
        anna.refresh_from_db()
        assert (anna.first_name, anna.is_superuser, anna.is_staff) == ("Ann", False, False)

    @pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_superuser": True}])
    def test_a_manager_has_no_say_over_staff_and_superusers(self, manager, fields):
        boss = User.objects.create(username="boss", **fields)
        assert 'name="_save"' not in manager.get(change(boss)).content.decode()
        assert manager.post(change(boss), {"username": "slave"}).status_code == 403
        form = {"password1": "the wild duck 1884", "password2": "the wild duck 1884", "usable_password": "true"}
        assert manager.post(f"/admin/accounts/user/{boss.pk}/password/", form).status_code == 403

    def test_nor_over_themselves(self, manager):
        assert manager.post(change(User.objects.get(username="manager")), {"is_superuser": "on"}).status_code == 403

    def test_a_superuser_gives_rights(self, admin_page):
        page = admin_page(change(User.objects.get(username="ida"))).content.decode()
        assert 'name="is_superuser"' in page
        assert 'name="groups"' in page

    def test_booksellers_look_only(self, client):
        user = User.objects.create(username="clerk", is_staff=True)
        user.groups.add(Group.objects.get(name="Booksellers"))
        client.force_login(user)
        page = client.get(change(User.objects.get(username="anna"))).content.decode()
        assert 'name="first_name"' not in page
        assert 'value="deactivate"' not in client.get("/admin/accounts/user/").content.decode()


class TestDeactivating:
    def deactivate(self, client, *names):
        chosen = User.objects.filter(username__in=names).values_list("pk", flat=True)
        data = {"action": "deactivate", "_selected_action": list(chosen)}
        return client.post("/admin/accounts/user/", data, follow=True).content.decode()

    def test_staff_and_oneself_are_left_alone(self, manager):
        page = self.deactivate(manager, "anna", "jose", "ida", "manager")
        assert "Deactivated: 2. Left alone: 2." in page
        closed = User.objects.filter(username__in=["anna", "jose", "ida", "manager"], is_active=False)
        assert set(closed.values_list("username", flat=True)) == {"anna", "jose"}
        assert LogEntry.objects.filter(user__username="manager").count() == 2

    def test_it_ends_the_sessions_of_the_account(self, admin_client):
        browser = Client()
        browser.force_login(User.objects.get(username="anna"))
        self.deactivate(admin_client, "anna")
        assert not get_user(browser).is_authenticated

    def test_a_superuser_may_close_every_account_but_the_own(self, admin_client, admin_user):
        assert "Deactivated: 1. Left alone: 1." in self.deactivate(admin_client, "ida", admin_user.username)


@pytest.mark.parametrize(
    ("chosen", "condition"),
    [
        ("newsletter", {"profile__newsletter": True}),
        ("no", {"profile__newsletter": False}),
        ("none", {"profile": None}),
    ],
)
def test_users_are_filtered_by_their_profile(admin_page, chosen, condition):
    found = admin_page(f"/admin/accounts/user/?profile={chosen}").context["cl"].queryset
    assert set(found) == set(User.objects.filter(**condition))
    assert found.exists()
