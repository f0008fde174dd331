import importlib

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.db.migrations.executor import MigrationExecutor

FIVE = {
    "0009_contributor",
    "0010_contribution",
    "0011_contributor_two_names",
    "0012_split_contributor_names",
    "0013_remove_contributor_name",
}
SQUASHED = "0009_squashed_0013_contributions"


def new_author(apps, name, **fields):
    Author = apps.get_model("catalog", "Author")
    return Author.objects.using("migrated").create(name=name, slug=name.lower().replace(" ", "-"), **fields)


def new_book(apps, title, price, **fields):
    author = apps.get_model("catalog", "Author").objects.using("migrated").first() or new_author(apps, "Homer")
    Book = apps.get_model("catalog", "Book")
    return Book.objects.using("migrated").create(
        title=title, slug=title.lower(), author=author, price=price, added="2025-03-04T09:00:00Z", **fields
    )


def rows(apps, model, *columns):
    return list(apps.get_model("catalog", model).objects.using("migrated").order_by("pk").values_list(*columns))


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class TestRequiredColumn:
    """An author's name to sort by, in three steps: nullable, filled, required."""

    def test_rows_that_were_there_are_filled_in_batches(self, migrator, monkeypatch):
        step = importlib.import_module("catalog.migrations.0003_fill_sort_names")
        monkeypatch.setattr(step, "BATCH", 2)
        old = migrator.to(("catalog", "0001_initial"))
        for name in ("Jane Austen", "Homer", "Honoré de Balzac", "Émile Zola", "Mark Twain"):
            new_author(old, name)

        assert rows(migrator.to(("catalog", "0002_author_sort_name")), "Author", "sort_name") == [(None,)] * 5
        filled = migrator.to(("catalog", "0003_fill_sort_names"))
        assert rows(filled, "Author", "sort_name") == [
            ("Austen, Jane",),
            ("Homer",),
            ("Balzac, Honoré de",),
            ("Zola, Émile",),
            ("Twain, Mark",),
        ]

    def test_each_batch_stays_when_a_later_one_fails(self, migrator, monkeypatch):
        step = importlib.import_module("catalog.migrations.0003_fill_sort_names")
        monkeypatch.setattr(step, "BATCH", 1)
        old = migrator.to(("catalog", "0002_author_sort_name"))
        new_author(old, "Jane Austen")
        new_author(old, "Mark Twain")
        with migrator.connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER no_twain BEFORE UPDATE ON catalog_author WHEN old.name = 'Mark Twain' "
                "BEGIN SELECT RAISE(ABORT, 'interrupted'); END"
            )
        with pytest.raises(IntegrityError, match="interrupted"):
            migrator.to(("catalog", "0003_fill_sort_names"))
        assert rows(old, "Author", "sort_name") == [("Austen, Jane",), (None,)]
        assert "0003_fill_sort_names" not in migrator.applied("catalog")

        with migrator.connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_twain")
        migrator.to(("catalog", "0003_fill_sort_names"))
        assert rows(old, "Author", "sort_name") == [("Austen, Jane",), ("Twain, Mark",)]

    def test_only_the_last_step_refuses_null(self, migrator):
        filled = migrator.to(("catalog", "0003_fill_sort_names"))
        new_author(filled, "Code of yesterday")
        filled.get_model("catalog", "Author").objects.using("migrated").all().delete()
        required = migrator.to(("catalog", "0004_require_sort_name"))
        with pytest.raises(IntegrityError, match="sort_name"):
            new_author(required, "Jane Austen", sort_name=None)

    def test_the_way_back_keeps_the_authors(self, migrator):
        new_author(migrator.to(("catalog", "0004_require_sort_name")), "Jane Austen", sort_name="Austen, Jane")
        old = migrator.to(("catalog", "0001_initial"))
        assert rows(old, "Author", "name") == [("Jane Austen",)]
        again = migrator.to(("catalog", "0004_require_sort_name"))
        assert rows(again, "Author", "sort_name") == [("Austen, Jane",)]


class TestPriceHistory:
    def test_books_that_were_there_get_their_first_price(self, migrator):
        new_book(migrator.to(("catalog", "0007_pricechange")), "Emma", "9.50")
        new = migrator.to(("catalog", "0008_open_price_history"))
        assert [(str(day), str(price)) for day, price in rows(new, "PriceChange", "valid_from", "price")] == [
            ("2025-03-04", "9.50")
        ]

    def test_a_history_that_was_begun_by_hand_is_left_alone(self, migrator):
        old = migrator.to(("catalog", "0007_pricechange"))
        emma = new_book(old, "Emma", "9.50")
        old.get_model("catalog", "PriceChange").objects.using("migrated").create(
            book=emma, valid_from="2024-01-01", price=5
        )
        assert len(rows(migrator.to(("catalog", "0008_open_price_history")), "PriceChange", "price")) == 1

    def test_the_way_back_takes_only_what_the_way_forward_wrote(self, migrator):
        new_book(migrator.to(("catalog", "0007_pricechange")), "Emma", "9.50")
        new = migrator.to(("catalog", "0008_open_price_history"))
        book = new.get_model("catalog", "Book").objects.using("migrated").get()
        new.get_model("catalog", "PriceChange").objects.using("migrated").create(
            book=book, valid_from="2026-01-01", price=10
        )
        old = migrator.to(("catalog", "0007_pricechange"))
        assert [str(day) for (day,) in rows(old, "PriceChange", "valid_from")] == ["2026-01-01"]


class TestSplitNames:
    """The migrations that were squashed still work for a database that has applied some of them."""

    def contributors(self, migrator):
        old = migrator.to(("catalog", "0011_contributor_two_names"), squashed=False)
        contributors = old.get_model("catalog", "Contributor").objects.using("migrated")
        for name in ("John Tenniel", "Hablot Knight Browne", "Voltaire"):
            contributors.create(name=name)

    def test_forwards(self, migrator):
        self.contributors(migrator)
        new = migrator.to(("catalog", "0013_remove_contributor_name"), squashed=False)
        assert rows(new, "Contributor", "given_name", "family_name") == [
            ("John", "Tenniel"),
            ("Hablot Knight", "Browne"),
            ("", "Voltaire"),
        ]

    def test_and_back(self, migrator):
        self.contributors(migrator)
        migrator.to(("catalog", "0013_remove_contributor_name"), squashed=False)
        old = migrator.to(("catalog", "0011_contributor_two_names"), squashed=False)
        assert rows(old, "Contributor", "name") == [("John Tenniel",), ("Hablot Knight Browne",), ("Voltaire",)]


class TestSquash:
    def columns(self, migrator):
        with migrator.connection.cursor() as cursor:
            return {
                table: {
                    (column.name, column.type_code, column.null_ok, column.default)
                    for column in migrator.connection.introspection.get_table_description(cursor, table)
                }
                for table in ("catalog_contributor", "catalog_contribution")
            }

    def constraints(self, migrator):
        with migrator.connection.cursor() as cursor:
            found = migrator.connection.introspection.get_constraints(cursor, "catalog_contributor")
            found |= migrator.connection.introspection.get_constraints(cursor, "catalog_contribution")
        return {
            (name, tuple(facts["columns"]), facts["unique"], facts["index"])
            for name, facts in found.items()
            if not name.startswith("__")
        }

    def test_a_new_database_runs_the_squashed_one_alone(self, migrator):
        plan = {
            step.name for step, _ in MigrationExecutor(migrator.connection).migration_plan([("catalog", SQUASHED)])
        }
        assert SQUASHED in plan
        assert not plan & FIVE
        migrator.to(("catalog", SQUASHED))
        # The five are recorded as well: code of before the squash has nothing left to do either.
        assert migrator.applied("catalog") >= FIVE | {SQUASHED}

    def test_a_database_that_ran_the_five_counts_the_squashed_one_as_applied(self, migrator):
        migrator.to(("catalog", "0013_remove_contributor_name"), squashed=False)
        assert migrator.applied("catalog") >= FIVE
        migrator.to(("catalog", SQUASHED))
        assert SQUASHED in migrator.applied("catalog")

    def test_a_database_in_between_finishes_the_five(self, migrator):
        migrator.to(("catalog", "0010_contribution"), squashed=False)
        assert SQUASHED not in migrator.applied("catalog")
        migrator.to(("catalog", "0013_remove_contributor_name"))
        assert migrator.applied("catalog") >= FIVE | {SQUASHED}

    def test_both_ways_lead_to_the_same_tables(self, migrator):
        migrator.to(("catalog", "0013_remove_contributor_name"), squashed=False)
        columns, constraints = self.columns(migrator), self.constraints(migrator)
        migrator.to(("catalog", "0008_open_price_history"))
        migrator.to(("catalog", SQUASHED))
        assert (self.columns(migrator), self.constraints(migrator)) == (columns, constraints)
        assert len(constraints) > 3

    def test_the_squashed_one_can_be_taken_back(self, migrator):
        migrator.to(("catalog", SQUASHED))
        migrator.to(("catalog", "0008_open_price_history"))
        assert not migrator.applied("catalog") & (FIVE | {SQUASHED})
        assert "catalog_contributor" not in migrator.connection.introspection.table_names()
