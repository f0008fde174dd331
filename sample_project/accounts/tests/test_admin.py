import pytest

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
