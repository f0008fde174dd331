"""Third of three steps: from here on the database refuses an author without a name to sort by."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_fill_sort_names")]

    operations = [
        migrations.AlterField("author", "sort_name", models.CharField(blank=True, editable=False, max_length=200)),
        migrations.AddIndex(
            "author", models.Index(django.db.models.functions.text.Lower("sort_name"), name="author_sort_name_lower")
        ),
    ]
