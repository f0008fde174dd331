import django.db.models.deletion
from django.db import migrations, models

import catalog.fields


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
        migrations.AddConstraint(
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
