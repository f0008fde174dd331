import re

import django
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.deletion


class CreateModelWithRules(migrations.CreateModel):
    """`CreateModel`, with `ON DELETE` in the table: Django writes it from 6.1 on, and here it is written for 5.2 too.

    So a database made by one is right for the other: only the table decides what happens to the rows. Where SQLite
    rebuilds the table for a later migration, Django 5.2 leaves the rules out again: that migration has to do the same.
    """

    rules = {"user_id": "CASCADE", "campaign_id": "SET NULL"}

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if django.VERSION >= (6, 1):
            return super().database_forwards(app_label, schema_editor, from_state, to_state)

        def with_rules(statement):
            statement = str(statement)
            for column, rule in self.rules.items():
                # SQLite has the reference in the column's definition, others in a statement of its own.
                reference = rf"({re.escape(schema_editor.quote_name(column))}[^,]* REFERENCES \S+ \([^)]+\))"
                statement = re.sub(reference, rf"\1 ON DELETE {rule}", statement)
            return statement

        execute, waiting = schema_editor.execute, len(schema_editor.deferred_sql)
        schema_editor.execute = lambda sql, params=(): execute(with_rules(sql), params)
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            del schema_editor.execute
        schema_editor.deferred_sql[waiting:] = map(with_rules, schema_editor.deferred_sql[waiting:])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("sent_on", models.DateField()),
            ],
            options={"ordering": ["-sent_on"], "get_latest_by": "sent_on"},
        ),
        CreateModelWithRules(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=accounts.deletion.DB_SET_NULL,
                        related_name="visits",
                        to="accounts.campaign",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=accounts.deletion.DB_CASCADE, related_name="visits", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "get_latest_by": "at",
                "default_permissions": ("view", "delete"),
            },
        ),
    ]
