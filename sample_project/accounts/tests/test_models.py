from datetime import UTC, date, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.db.models import signals
from django.test.utils import CaptureQueriesContext

from accounts.models import Campaign, Profile, User, Visit

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


class TestVisit:
    @pytest.fixture
    def visit(self):
        ana = User.objects.create(username="ana")
        campaign = Campaign.objects.create(name="Poems", sent_on=date(2026, 7, 2))
        return Visit.objects.create(user=ana, campaign=campaign, at=datetime(2026, 7, 3, 9, tzinfo=UTC))

    def test_the_database_deletes_the_visits_of_a_user(self, visit):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_user WHERE username = 'ana'")
        assert not Visit.objects.filter(pk=visit.pk).exists()

    def test_the_database_forgets_a_campaign(self, visit):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_campaign WHERE name = 'Poems'")
        visit.refresh_from_db()
        assert visit.campaign is None

    def test_django_keeps_out_of_it(self, visit):
        heard = []

        def hear(sender, **kwargs):
            heard.append(sender)

        signals.pre_delete.connect(hear)
        try:
            with CaptureQueriesContext(connection) as queries:
                deleted = visit.user.delete()
        finally:
            signals.pre_delete.disconnect(hear)
        assert not Visit.objects.filter(pk=visit.pk).exists()
        assert heard == [User]
        assert not [query for query in queries if "accounts_visit" in query["sql"]]
        # What Django did not delete itself it does not count either.
        assert deleted == (1, {"accounts.User": 1})

    def test_a_campaign_is_deleted_and_the_visit_stays(self, visit):
        visit.campaign.delete()
        visit.refresh_from_db()
        assert visit.campaign is None

    def test_visits_that_campaigns_brought(self, visit):
        assert visit in Visit.objects.from_campaigns()
        assert visit in Visit.objects.on(date(2026, 7, 3))
        assert visit not in Visit.objects.on(date(2026, 7, 2))
        assert Visit.objects.latest() == visit
        assert Campaign.objects.latest() == visit.campaign

    def test_there_are_permissions_to_see_and_delete_only(self):
        codenames = Permission.objects.filter(content_type__model="visit").values_list("codename", flat=True)
        assert set(codenames) == {"view_visit", "delete_visit"}
