import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_covering_index")]

    operations = [
        migrations.CreateModel(
            name="SentMail",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="What it was about: receipt:2026-000123",
                        max_length=60,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sent_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "sent mail",
                "ordering": ["-sent_at", "key"],
                "default_permissions": ("view",),
            },
        ),
    ]
