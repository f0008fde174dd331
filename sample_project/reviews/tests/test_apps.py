import pytest
from django.core.management import call_command
from django.db import connection

from reviews.apps import keep_the_last_group
from reviews.models import Tag, TagGroup

pytestmark = pytest.mark.django_db


def test_the_last_group_is_made_where_it_is_missing(empty_shop):
    TagGroup.objects.all().delete()
    keep_the_last_group(sender=None, using="default")
    assert TagGroup.objects.get().pk == TagGroup.OTHER
    assert Tag.objects.create(name="Short").group.name == "Other"
    assert TagGroup.objects.create(name="Length").pk != TagGroup.OTHER


def test_a_group_that_was_renamed_is_left_alone():
    TagGroup.objects.filter(pk=TagGroup.OTHER).update(name="Sonstiges")
    keep_the_last_group(sender=None, using="default")
    assert TagGroup.objects.get(pk=TagGroup.OTHER).name == "Sonstiges"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere a flush cannot be rolled back with the test")
def test_it_is_there_after_a_flush():
    call_command("flush", interactive=False, verbosity=0)
    assert TagGroup.objects.get().name == "Other"
