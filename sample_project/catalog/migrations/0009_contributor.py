import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_open_price_history")]

    operations = [
        migrations.CreateModel(
            name="Contributor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("name", models.CharField(blank=True, max_length=200)),
            ],
            options={"ordering": ["name"], "get_latest_by": "created", "abstract": False},
        ),
    ]
