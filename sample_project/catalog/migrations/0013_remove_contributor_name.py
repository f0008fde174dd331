import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_split_contributor_names")]

    operations = [
        migrations.AlterModelOptions(
            "contributor", options={"ordering": ["family_name", "given_name"], "get_latest_by": "created"}
        ),
        migrations.RemoveField("contributor", "name"),
        migrations.AddConstraint(
            "contributor",
            models.UniqueConstraint(
                django.db.models.functions.text.Lower("family_name"),
                django.db.models.functions.text.Lower("given_name"),
                name="contributor_unique_name",
                violation_error_message="There is somebody of this name already, perhaps with other capitals.",
            ),
        ),
    ]
