import logging
from types import SimpleNamespace
from unittest import mock

import pytest
from django.apps import apps
from django.db import connection, connections, migrations, models
from django.db.backends.signals import connection_created

from catalog.receivers import announce_losses, limit_statements


def limited(vendor):
    cursor = mock.MagicMock()
    cursor.__enter__.return_value = cursor
    fake = SimpleNamespace(vendor=vendor, connection=SimpleNamespace(cursor=lambda: cursor))
    limit_statements(sender=None, connection=fake)
    return [call.args for call in cursor.execute.call_args_list]


def test_a_connection_to_postgresql_gets_a_limit_and_a_name(settings):
    settings.STATEMENT_TIMEOUT = 1.5
    [(sql, parameters)] = limited("postgresql")
    assert "'application_name', 'bookshop'" in sql
    assert "'statement_timeout'" in sql
    assert parameters == ["1500ms"]


@pytest.mark.parametrize(("vendor", "seconds"), [("postgresql", None), ("sqlite", 1.5), ("mysql", 1.5)])
def test_no_other_connection_gets_any(settings, vendor, seconds):
    settings.STATEMENT_TIMEOUT = seconds
    assert limited(vendor) == []


def test_a_new_connection_is_announced_to_it(migrator, settings):
    """`migrator` has a database of its own, which nobody has connected to."""
    settings.STATEMENT_TIMEOUT = 1.5
    seen = []

    def watch(sender, connection, **kwargs):
        seen.append(connection.alias)

    connection_created.connect(watch)
    try:
        with connections["migrated"].cursor():
            pass
        with connections["migrated"].cursor():
            pass
    finally:
        connection_created.disconnect(watch)
    assert seen == ["migrated"]


class Removal(migrations.Migration):
    operations = [migrations.RemoveField("Book", "description"), migrations.DeleteModel("PriceChange")]


class Addition(migrations.Migration):
    operations = [migrations.AddField("Book", "weight", models.IntegerField(null=True))]


def announced(caplog, plan, app="catalog"):
    with caplog.at_level(logging.WARNING, logger="catalog.receivers"):
        announce_losses(sender=apps.get_app_config(app), using="default", plan=plan)
    return [record.getMessage() for record in caplog.records]


@pytest.mark.django_db
class TestWhatAMigrationTakesAway:
    def test_it_is_logged_before(self, caplog):
        removal = Removal("0099_remove", "catalog")
        assert announced(caplog, [(removal, False)]) == [
            "Migration catalog.0099_remove removes Book.description for good.",
            "Migration catalog.0099_remove removes PriceChange for good.",
        ]

    @pytest.mark.parametrize(
        ("migration", "backwards", "app"),
        [(Removal("0099", "catalog"), True, "catalog"), (Removal("0099", "catalog"), False, "orders")],
    )
    def test_not_on_the_way_back_nor_for_each_app_again(self, caplog, migration, backwards, app):
        assert announced(caplog, [(migration, backwards)], app) == []

    def test_what_only_adds_costs_no_query(self, caplog, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert announced(caplog, [(Addition("0099", "catalog"), False)]) == []

    def test_a_new_database_has_nothing_to_lose(self, caplog):
        with mock.patch.object(connection.introspection, "table_names", return_value=[]):
            assert announced(caplog, [(Removal("0099", "catalog"), False)]) == []


def test_migrating_an_empty_database_through_all_of_history_warns_of_nothing(migrator, caplog):
    with caplog.at_level(logging.WARNING, logger="catalog.receivers"):
        migrator.to(("catalog", "0009_squashed_0013_contributions"))
    assert caplog.records == []
