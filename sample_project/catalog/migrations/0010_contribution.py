import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_contributor")]

    operations = [
        migrations.CreateModel(
            name="Contribution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("translator", "Translator"),
                            ("illustrator", "Illustrator"),
                            ("editor", "Editor"),
                        ],
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
            "book",
            "contributors",
            models.ManyToManyField(
                blank=True, related_name="books", through="catalog.Contribution", to="catalog.contributor"
            ),
        ),
    ]
