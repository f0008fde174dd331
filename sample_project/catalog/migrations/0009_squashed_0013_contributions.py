"""0009 to 0013 in one, for new databases. Where those ran already, this one counts as applied."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("catalog", "0009_contributor"),
        ("catalog", "0010_contribution"),
        ("catalog", "0011_contributor_two_names"),
        ("catalog", "0012_split_contributor_names"),
        ("catalog", "0013_remove_contributor_name"),
    ]

    dependencies = [
        ("catalog", "0008_open_price_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="Contributor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("given_name", models.CharField(blank=True, max_length=100)),
                ("family_name", models.CharField(max_length=100)),
            ],
            options={
                "ordering": ["family_name", "given_name"],
                "get_latest_by": "created",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Contribution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("translator", "Translator"), ("illustrator", "Illustrator"), ("editor", "Editor")],
                        max_length=11,
                    ),
                ),
                (
                    "volume",
                    models.PositiveSmallIntegerField(blank=True, help_text="Empty for the whole book.", null=True),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="contributions", to="catalog.book"
                    ),
                ),
                (
                    "contributor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="catalog.contributor",
                    ),
                ),
            ],
            options={
                "ordering": ["book_id", "volume", "pk"],
                "get_latest_by": "created",
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        models.F("book"),
                        models.F("contributor"),
                        models.F("role"),
                        django.db.models.functions.comparison.Coalesce("volume", 0),
                        name="contribution_unique",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="book",
            name="contributors",
            field=models.ManyToManyField(
                blank=True, related_name="books", through="catalog.Contribution", to="catalog.contributor"
            ),
        ),
        migrations.AddConstraint(
            model_name="contributor",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("family_name"),
                django.db.models.functions.text.Lower("given_name"),
                name="contributor_unique_name",
                violation_error_message="There is somebody of this name already, perhaps with other capitals.",
            ),
        ),
    ]
