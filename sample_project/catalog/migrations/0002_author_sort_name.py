"""A column that must not be empty, first of three steps: add it empty, which locks the table for an instant only.

The code that runs meanwhile does not know the column yet. Deploy the code that fills it before the next step.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField(
            "author", "sort_name", models.CharField(blank=True, editable=False, max_length=200, null=True)
        ),
    ]
