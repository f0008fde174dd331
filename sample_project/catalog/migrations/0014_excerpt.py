import catalog.excerpts
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    # The last of those that were squashed: Django reads it as the squashed one wherever that takes their place.
    dependencies = [("catalog", "0013_remove_contributor_name")]

    operations = [
        migrations.CreateModel(
            name="Excerpt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "file",
                    models.FileField(
                        help_text="A PDF or a text in UTF-8, at most 1 MB.",
                        upload_to=catalog.excerpts.excerpt_path,
                        validators=[
                            django.core.validators.FileExtensionValidator(["pdf", "txt"]),
                            catalog.excerpts.validate_size,
                            catalog.excerpts.validate_content,
                        ],
                    ),
                ),
                (
                    "book",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="excerpt", to="catalog.book"
                    ),
                ),
            ],
            options={
                "get_latest_by": "created",
                "abstract": False,
            },
        ),
    ]
