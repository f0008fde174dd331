from datetime import UTC, datetime

import pytest

from catalog.models import Contribution, Contributor
from catalog.timestamps import Timestamped

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(1999, 1, 1, tzinfo=UTC)


@pytest.fixture
def tenniel():
    Contributor.objects.filter(family_name="Tenniel").update(created=LONG_AGO, updated=LONG_AGO)
    return Contributor.objects.get(family_name="Tenniel")


def test_the_base_has_no_table_and_each_heir_has_the_columns():
    assert Timestamped._meta.abstract
    assert not hasattr(Timestamped, "objects")
    for model in (Contributor, Contribution):
        assert model._meta.get_field("created").model is model


def test_a_new_row_has_both_times():
    contributor = Contributor.objects.create(family_name="Rackham")
    assert contributor.created.tzinfo is not None
    assert contributor.updated.tzinfo is not None


def test_an_import_keeps_its_own_times():
    contributor = Contributor.objects.create(family_name="Rackham", created=LONG_AGO, updated=LONG_AGO)
    contributor.refresh_from_db()
    assert (contributor.created, contributor.updated) == (LONG_AGO, LONG_AGO)


@pytest.mark.parametrize("arguments", [{}, {"update_fields": ["given_name"]}])
def test_saving_moves_updated_and_not_created(tenniel, arguments):
    tenniel.save(**arguments)
    tenniel.refresh_from_db()
    assert tenniel.created == LONG_AGO
    assert tenniel.updated > LONG_AGO


def test_saving_no_fields_at_all_saves_nothing(tenniel):
    tenniel.save(update_fields=[])
    tenniel.refresh_from_db()
    assert tenniel.updated == LONG_AGO


def test_update_calls_no_save(tenniel):
    Contributor.objects.filter(pk=tenniel.pk).update(given_name="Sir John")
    tenniel.refresh_from_db()
    assert tenniel.updated == LONG_AGO


def test_the_latest_is_the_one_that_was_made_last():
    newest = Contributor.objects.create(family_name="Rackham")
    assert Contributor.objects.latest() == newest
