"""Second of three steps: fill in the rows that were there, a batch at a time.

Not one transaction around everything: on a large table it would keep every row locked until the end. Each batch is
done or not done, and a second run goes on where the first was stopped.
"""

from django.db import migrations

BATCH = 500


def fill_sort_names(apps, schema_editor):
    # A copy of the rule as it was: the one in `catalog.names` may change, and this migration must not.
    def sort_name(name):
        given, _, family = name.rpartition(" ")
        return f"{family}, {given}" if given else family

    authors = apps.get_model("catalog", "Author").objects.using(schema_editor.connection.alias)
    while batch := list(authors.filter(sort_name=None).only("name").order_by("pk")[:BATCH]):
        for author in batch:
            author.sort_name = sort_name(author.name)
        authors.bulk_update(batch, ["sort_name"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("catalog", "0002_author_sort_name")]

    # Backwards there is nothing to undo: the step before takes the column away.
    operations = [migrations.RunPython(fill_sort_names, migrations.RunPython.noop)]
