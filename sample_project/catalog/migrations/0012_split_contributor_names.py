"""The last word of a name becomes the family name, what stands before it the given name; and back."""

from django.db import migrations


def split_names(apps, schema_editor):
    contributors = apps.get_model("catalog", "Contributor").objects.using(schema_editor.connection.alias)
    changed = []
    for contributor in contributors.only("name"):
        contributor.given_name, _, contributor.family_name = contributor.name.rpartition(" ")
        changed.append(contributor)
    contributors.bulk_update(changed, ["given_name", "family_name"], batch_size=500)


def join_names(apps, schema_editor):
    contributors = apps.get_model("catalog", "Contributor").objects.using(schema_editor.connection.alias)
    changed = []
    for contributor in contributors.only("given_name", "family_name"):
        contributor.name = f"{contributor.given_name} {contributor.family_name}".strip()
        changed.append(contributor)
    contributors.bulk_update(changed, ["name"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0011_contributor_two_names")]

    # Elidable: a new database has no names to split, so the squashed migration goes without.
    operations = [migrations.RunPython(split_names, join_names, elidable=True)]
