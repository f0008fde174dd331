"""An index that answers "how many copies of this book?" without a look at the table, where the database has such.

Not in `Meta.indexes`: SQLite and MySQL know no INCLUDE, and would warn about it at every check.

https://docs.djangoproject.com/en/stable/ref/models/indexes/#include
"""

from django.db import migrations, models

COVERING = models.Index(fields=["book"], include=["quantity", "order"], name="orderline_book_covering")


def add_index(apps, schema_editor):
    if schema_editor.connection.features.supports_covering_indexes:
        schema_editor.add_index(apps.get_model("orders", "OrderLine"), COVERING)


def remove_index(apps, schema_editor):
    if schema_editor.connection.features.supports_covering_indexes:
        schema_editor.remove_index(apps.get_model("orders", "OrderLine"), COVERING)


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_booksales")]

    operations = [migrations.RunPython(add_index, remove_index)]
