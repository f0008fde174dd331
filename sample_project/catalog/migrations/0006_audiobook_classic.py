import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_isbn_sequels_letters")]

    operations = [
        migrations.CreateModel(
            name="AudioBook",
            fields=[
                (
                    "book_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="catalog.book",
                    ),
                ),
                ("narrator", models.CharField(max_length=200)),
                ("minutes", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name": "audio book",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("minutes__gt", 0)), name="audiobook_minutes_positive")
                ],
            },
            bases=("catalog.book",),
        ),
        migrations.CreateModel(
            name="Classic",
            fields=[],
            options={"ordering": ["published", "title"], "proxy": True, "indexes": [], "constraints": []},
            bases=("catalog.book",),
        ),
    ]
