from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_contribution")]

    operations = [
        migrations.AddField("contributor", "given_name", models.CharField(blank=True, max_length=100)),
        migrations.AddField(
            "contributor", "family_name", models.CharField(default="", max_length=100), preserve_default=False
        ),
    ]
