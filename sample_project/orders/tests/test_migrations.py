import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection, models

LAST = ("catalog", "0009_squashed_0013_contributions"), ("orders", "0004_covering_index")


def test_the_view_comes_and_goes(migrator):
    migrator.to(("orders", "0003_booksales"))
    assert migrator.applied("orders") >= {"0002_openorder_invoice_payment", "0003_booksales"}
    with migrator.connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM orders_booksales")
        assert cursor.fetchone() == (0,)
    migrator.to(("orders", "0002_openorder_invoice_payment"))
    with migrator.connection.cursor() as cursor, pytest.raises(OperationalError, match="no such table"):
        cursor.execute("SELECT COUNT(*) FROM orders_booksales")
    migrator.to(("orders", "0003_booksales"))


def alter(migrator, apps, app, model, column, field):
    """Change a column that SQLite can change by rebuilding the table only."""
    model = apps.get_model(app, model)
    field.set_attributes_from_name(column)
    with migrator.connection.schema_editor() as editor:
        editor.alter_field(model, model._meta.get_field(column), field)


def test_books_can_be_rebuilt_below_the_view(migrator):
    apps = migrator.to(*LAST)
    alter(migrator, apps, "catalog", "Book", "language", models.CharField(max_length=50, default="English", null=True))
    with migrator.connection.cursor() as cursor:
        columns = migrator.connection.introspection.get_table_description(cursor, "catalog_book")
    assert next(column for column in columns if column.name == "language").null_ok


def test_what_the_view_reads_can_be_rebuilt_without_it_only(migrator):
    apps = migrator.to(*LAST)
    with pytest.raises(OperationalError, match="error in view orders_booksales"):
        alter(migrator, apps, "orders", "Order", "note", models.TextField(null=True))
    apps = migrator.to(("orders", "0002_openorder_invoice_payment"))
    alter(migrator, apps, "orders", "Order", "note", models.TextField(null=True))


def test_the_covering_index_is_made_where_the_database_has_such(migrator):
    migrator.to(("orders", "0003_booksales"))
    migrator.to(("orders", "0004_covering_index"))
    with migrator.connection.cursor() as cursor:
        names = migrator.connection.introspection.get_constraints(cursor, "orders_orderline")
    assert ("orderline_book_covering" in names) == migrator.connection.features.supports_covering_indexes
    migrator.to(("orders", "0003_booksales"))


@pytest.mark.django_db
def test_checks_that_ask_the_database_have_nothing_to_warn_of():
    assert run_checks(databases=[connection.alias]) == []
