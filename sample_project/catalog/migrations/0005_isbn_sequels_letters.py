import django.db.models.deletion
from django.db import migrations, models

import catalog.fields


class AddConstraintWhereAllowed(migrations.AddConstraint):
    """MySQL and MariaDB refuse a check that reads an AUTO_INCREMENT column, as the primary key is one there."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "mysql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "mysql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_require_sort_name")]

    operations = [
        migrations.AlterModelOptions(
            "book",
            options={"ordering": ["title"], "permissions": [("change_price", "Can change the price of a book")]},
        ),
        migrations.AddField("author", "correspondents", models.ManyToManyField(blank=True, to="catalog.author")),
        migrations.AddField(
            "book", "isbn", catalog.fields.ISBNField(blank=True, null=True, unique=True, verbose_name="ISBN")
        ),
        migrations.AddField(
            "book",
            "sequel_to",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="sequels",
                to="catalog.book",
            ),
        ),
        AddConstraintWhereAllowed(
            "book",
            models.CheckConstraint(
                condition=models.Q(
                    ("sequel_to__isnull", True),
                    models.Q(("sequel_to", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="book_not_its_own_sequel",
                violation_error_message="A book cannot be the sequel to itself.",
            ),
        ),
    ]
