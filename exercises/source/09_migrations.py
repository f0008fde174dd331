# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from types import SimpleNamespace
from unittest.mock import patch

from catalog.models import Author, Book, Genre
from django.db import DatabaseError, connection, migrations, models, router
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import F, Max, Min, QuerySet, Value
from django.db.models.functions import Concat, Substr, Upper
from orders.models import Order

# %% [markdown] exercise="09.1"
# ### 09.1 A data migration
#
# Write the function for `RunPython` that sets `country` to `"Unknown"` for every author where it is empty. Take the model
# from the history, and write to the database that is being migrated. One query.

# %% exercise="09.1" role="check"
def observe(answer):
    with uncounted():
        past = MigrationLoader(connection).project_state(("catalog", "0008_open_price_history")).apps
    taken, asked, left_open = [], [], []

    def get_model(app_label, model_name=None):
        model = past.get_model(app_label, model_name)
        taken.append(model._meta.label)
        return model

    class Connection:
        @property
        def alias(self):
            asked.append(True)
            return "default"

    class Router:
        """Is asked where a query does not say which database it is for."""

        def db_for_read(self, model, **hints):
            if "instance" not in hints:
                left_open.append(model)

        db_for_write = db_for_read

    usual, router.routers = router.routers, [Router()]
    try:
        answer(SimpleNamespace(get_model=get_model), SimpleNamespace(connection=Connection()))
    finally:
        router.routers = usual
    with uncounted():
        countries = sorted(Author.objects.values_list("name", "country"))
    return {
        "countries": countries,
        "historical models": sorted(set(taken)),
        "writes to the database that is migrated": bool(asked) and not left_open,
    }

# %% exercise="09.1" role="answer" budget=1
def name_the_unknown(apps, schema_editor):
    # solution
    authors = apps.get_model("catalog", "Author").objects.using(schema_editor.connection.alias)
    authors.filter(country="").update(country="Unknown")
    # end


check("09.1")

# %% exercise="09.1" role="alternative" note="`db_manager` makes the same choice earlier. It is for methods of the manager; for a queryset, `using` is shorter."
def name_the_unknown(apps, schema_editor):
    authors = apps.get_model("catalog.Author").objects.db_manager(schema_editor.connection.alias)
    authors.filter(country__exact="").update(country="Unknown")

# %% exercise="09.1" role="mistake" says="The rows are right, and the model is today's: on a new database it will ask for columns that do not exist yet. Take it from `apps.get_model`."
def name_the_unknown(apps, schema_editor):
    Author.objects.using(schema_editor.connection.alias).filter(country="").update(country="Unknown")

# %% exercise="09.1" role="mistake" says="This writes to the default database, whichever is being migrated. `schema_editor.connection.alias` says which that is, and `using` chooses it."
def name_the_unknown(apps, schema_editor):
    apps.get_model("catalog", "Author").objects.filter(country="").update(country="Unknown")

# %% exercise="09.1" role="alternative" note="`_default_manager` is there whatever the manager is called. Good in a function that serves several models."
def name_the_unknown(apps, schema_editor):
    author = apps.get_model(app_label="catalog", model_name="Author")
    author._default_manager.filter(country="").using(schema_editor.connection.alias).update(country="Unknown")

# %% exercise="09.1" role="mistake" says="Every author is from \"Unknown\" now, also those whose country was known. Filter first."
def name_the_unknown(apps, schema_editor):
    apps.get_model("catalog", "Author").objects.using(schema_editor.connection.alias).update(country="Unknown")

# %% exercise="09.1" role="mistake" says="Nothing was changed: an empty `CharField` holds the empty text, not NULL. Filter for `\"\"`."
def name_the_unknown(apps, schema_editor):
    authors = apps.get_model("catalog", "Author").objects.using(schema_editor.connection.alias)
    authors.filter(country=None).update(country="Unknown")

# %% exercise="09.1" role="hint"
# `apps.get_model("catalog", "Author")` is the model as it was at this point.
# %% exercise="09.1" role="hint"
# `….objects.using(schema_editor.connection.alias)`, then `filter(…)` and `update(…)`.

# %% [markdown] exercise="09.2"
# ### 09.2 There and back
#
# Write both functions of a `RunPython`. `forwards` puts `"Shelf: "` before the name of every genre, `backwards` takes it away. There
# and back leaves every name as it was, also the name of a genre that was called `Shelf: Maps` before. Take the model from `apps`.

# %% exercise="09.2" role="check"
def observe(answer):
    editor, asked = SimpleNamespace(connection=connection), set()
    usual = QuerySet.__init__

    def look(queryset, model=None, *args, **kwargs):
        asked.add(model)
        usual(queryset, model, *args, **kwargs)

    with uncounted():
        apps = MigrationLoader(connection).project_state(("catalog", "0014_excerpt")).apps
        Genre.objects.create(name="Shelf: Maps", slug="maps")
        Genre.objects.create(name="Self-help", slug="self-help")
        before = list(Genre.objects.order_by("pk").values_list("name", flat=True))
    with patch.object(QuerySet, "__init__", look):
        answer.forwards(apps, editor)
    with uncounted():
        there = list(Genre.objects.order_by("pk").values_list("name", flat=True))
    with patch.object(QuerySet, "__init__", look):
        answer.backwards(apps, editor)
    with uncounted():
        back = list(Genre.objects.order_by("pk").values_list("name", flat=True))
    return {"there": there, "back": back, "as before": back == before, "asks today's model": Genre in asked}

# %% exercise="09.2" role="answer"
def forwards(apps, schema_editor):
    # solution
    genres = apps.get_model("catalog", "Genre").objects.using(schema_editor.connection.alias)
    for genre in genres.all():
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])
    # end


def backwards(apps, schema_editor):
    # solution
    genres = apps.get_model("catalog", "Genre").objects.using(schema_editor.connection.alias)
    for genre in genres.filter(name__startswith="Shelf: "):
        genre.name = genre.name.removeprefix("Shelf: ")
        genre.save(update_fields=["name"])
    # end


check("09.2")

# %% exercise="09.2" role="alternative" note="One statement each, in the database. Better for many rows, where loading them would take minutes."
def forwards(apps, schema_editor):
    genres = apps.get_model("catalog", "Genre").objects.using(schema_editor.connection.alias)
    genres.update(name=Concat(Value("Shelf: "), F("name")))


def backwards(apps, schema_editor):
    genres = apps.get_model("catalog", "Genre").objects.using(schema_editor.connection.alias)
    genres.filter(name__startswith="Shelf: ").update(name=Substr("name", len("Shelf: ") + 1))

# %% exercise="09.2" role="mistake" says="`lstrip` takes away letters, not a word: \"Self-help\" comes back as \"-help\". `removeprefix` takes the text as a whole."
def forwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.all():
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])


def backwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.all():
        genre.name = genre.name.lstrip("Shelf: ")
        genre.save(update_fields=["name"])

# %% exercise="09.2" role="mistake" says="`replace` takes the mark away wherever it stands: \"Shelf: Maps\" has lost its own. Take away the one that you put there."
def forwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.all():
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])


def backwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.all():
        genre.name = genre.name.replace("Shelf: ", "")
        genre.save(update_fields=["name"])

# %% exercise="09.2" role="mistake" says="You skip genres that have the mark already, and backwards cannot know that: \"Shelf: Maps\" loses its own."
def forwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.exclude(name__startswith="Shelf: "):
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])


def backwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.filter(name__startswith="Shelf: "):
        genre.name = genre.name.removeprefix("Shelf: ")
        genre.save(update_fields=["name"])

# %% exercise="09.2" role="mistake" says="The names are right, and the model is today's. Take it from `apps`: with the import, new databases fail as soon as the model has another field."
def forwards(apps, schema_editor):
    for genre in Genre.objects.all():
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])


def backwards(apps, schema_editor):
    for genre in Genre.objects.all():
        genre.name = genre.name.removeprefix("Shelf: ")
        genre.save(update_fields=["name"])

# %% exercise="09.2" role="mistake" says="The way back does nothing: the marks stay. A `noop` is right only where nothing has to be undone."
def forwards(apps, schema_editor):
    for genre in apps.get_model("catalog", "Genre").objects.all():
        genre.name = f"Shelf: {genre.name}"
        genre.save(update_fields=["name"])


def backwards(apps, schema_editor):
    pass

# %% exercise="09.2" role="hint"
# After `forwards` every name has the mark once more than before, so `backwards` takes it away once.
# %% exercise="09.2" role="hint"
# `name.removeprefix("Shelf: ")`

# %% [markdown] exercise="09.3"
# ### 09.3 A required column in three steps
#
# A model `Shelf` of an app has a `name`, and rows. Return the list of operations that gives it a `label` with at most 50 characters: for
# the rows that are there the name in capitals, afterwards required, with no default. The whole list can be run backwards.

# %% exercise="09.3" role="check"
def observe(answer):
    def columns():
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_description(cursor, "stock_shelf")
        return [[column.name, bool(column.null_ok)] for column in found]

    first = migrations.Migration("0001", "stock")
    key = models.BigAutoField(primary_key=True)
    first.operations = [migrations.CreateModel("Shelf", [("id", key), ("name", models.CharField(max_length=50))])]
    with connection.schema_editor(atomic=False) as editor:
        before = first.apply(ProjectState(), editor)
    shelves = before.apps.get_model("stock", "Shelf").objects
    for name in ("maps", "Poems", "new"):
        shelves.create(name=name)
    second = migrations.Migration("0002", "stock")
    second.operations = list(answer())
    try:
        with connection.schema_editor(atomic=False) as editor:
            after = second.apply(before.clone(), editor)
    except DatabaseError as error:
        return {"fails": type(error).__name__}
    field = after.models["stock", "shelf"].fields.get("label")
    seen = {"columns": columns(), "type": type(field).__name__, "max_length": getattr(field, "max_length", None)}
    seen["has a default"] = field is not None and (field.has_default() or field.has_db_default())
    if field is not None:
        rows = after.apps.get_model("stock", "Shelf").objects.order_by("pk")
        seen["rows"] = list(rows.values_list("name", "label"))
    seen["reversible"] = all(operation.reversible for operation in second.operations)
    if seen["reversible"]:
        try:
            with connection.schema_editor(atomic=False) as editor:
                second.unapply(before.clone(), editor)
            seen["columns after the way back"] = columns()
        except DatabaseError as error:
            seen["the way back fails"] = type(error).__name__
    return seen

# %% exercise="09.3" role="answer" writes_schema=true
def operations():
    # solution
    def fill(apps, schema_editor):
        shelves = apps.get_model("stock", "Shelf").objects.using(schema_editor.connection.alias)
        shelves.update(label=Upper("name"))

    return [
        migrations.AddField("shelf", "label", models.CharField(max_length=50, null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("shelf", "label", models.CharField(max_length=50)),
    ]
    # end


check("09.3")

# %% exercise="09.3" role="alternative" note="SQL for the middle step. Good where a statement says it best; it has to suit every database that you run on."
def operations():
    fill = "UPDATE stock_shelf SET label = UPPER(name)"
    return [
        migrations.AddField("Shelf", "label", models.CharField(max_length=50, null=True)),
        migrations.RunSQL(fill, reverse_sql=migrations.RunSQL.noop),
        migrations.AlterField("Shelf", "label", models.CharField(max_length=50)),
    ]

# %% exercise="09.3" role="alternative" note="`preserve_default=False`: the default serves this operation and is not in the model. Fewer steps; old code cannot insert from the first one on."
def operations():
    def fill(apps, schema_editor):
        for shelf in apps.get_model("stock", "Shelf").objects.using(schema_editor.connection.alias):
            shelf.label = shelf.name.upper()
            shelf.save(update_fields=["label"])

    once = models.CharField(max_length=50, default="")
    return [
        migrations.AddField("Shelf", "label", once, preserve_default=False),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

# %% exercise="09.3" role="mistake" says="One step with a default gives every row the same label, the empty one, and it stays in the model. Add it nullable, fill it, then require it."
def operations():
    return [migrations.AddField("shelf", "label", models.CharField(max_length=50, default=""))]

# %% exercise="09.3" role="mistake" says="The column is required before it is filled, so the database refuses: the rows have NULL. Fill first."
def operations():
    return [
        migrations.AddField("shelf", "label", models.CharField(max_length=50, null=True)),
        migrations.AlterField("shelf", "label", models.CharField(max_length=50)),
        migrations.RunSQL("UPDATE stock_shelf SET label = UPPER(name)", reverse_sql=migrations.RunSQL.noop),
    ]

# %% exercise="09.3" role="mistake" says="The last step is missing: the column still takes NULL, in the table and in the model."
def operations():
    return [
        migrations.AddField("shelf", "label", models.CharField(max_length=50, null=True)),
        migrations.RunSQL("UPDATE stock_shelf SET label = UPPER(name)", reverse_sql=migrations.RunSQL.noop),
    ]

# %% exercise="09.3" role="mistake" says="The rows are right, and the default stays in the model: who forgets the label gets an empty one, and nobody notices. The last step takes it out."
def operations():
    fill = "UPDATE stock_shelf SET label = UPPER(name)"
    return [
        migrations.AddField("shelf", "label", models.CharField(max_length=50, default="")),
        migrations.RunSQL(fill, reverse_sql=migrations.RunSQL.noop),
    ]

# %% exercise="09.3" role="mistake" says="The way back is closed: an operation without a reverse raises `IrreversibleError`. Nothing has to be undone here, so say `noop`."
def operations():
    return [
        migrations.AddField("shelf", "label", models.CharField(max_length=50, null=True)),
        migrations.RunSQL("UPDATE stock_shelf SET label = UPPER(name)"),
        migrations.AlterField("shelf", "label", models.CharField(max_length=50)),
    ]

# %% exercise="09.3" role="hint"
# `AddField` with `null=True`, a step that fills, `AlterField` without it. The model's app is `stock`.
# %% exercise="09.3" role="hint"
# `migrations.RunPython(fill, migrations.RunPython.noop)`, and in `fill` an `update(label=Upper("name"))`.

# %% [markdown] exercise="09.4"
# ### 09.4 A rename that sends nothing
#
# `Genre.name` is to be called `label` in Python. While the deploy goes on, old code still reads the column `name`. Return the operations
# for the app `catalog` that rename the field, and run **no** SQL. (`name` is a
# `CharField(max_length=100, unique=True)`. That the model orders by it is another matter.)

# %% exercise="09.4" role="check"
def observe(answer):
    step = migrations.Migration("rename", "catalog")
    step.operations = list(answer())
    before = MigrationLoader(connection).project_state()
    with connection.schema_editor(collect_sql=True) as editor:
        after = step.apply(before, editor, collect_sql=True)
    fields = after.models["catalog", "genre"].fields
    seen = {
        "fields": sorted(fields),
        "statements": sum(not line.startswith("--") for line in editor.collected_sql),
        "columns": sorted(field.column for field in after.apps.get_model("catalog", "Genre")._meta.local_fields),
    }
    if "label" in fields:
        seen["type"], seen["max_length"] = type(fields["label"]).__name__, fields["label"].max_length
        seen["unique"] = fields["label"].unique
        try:
            genres = after.apps.get_model("catalog", "Genre").objects.order_by()
            seen["read"] = sorted(genres.values_list("label", flat=True))
        except DatabaseError as error:
            seen["read"] = type(error).__name__
    return seen

# %% exercise="09.4" role="answer"
def operations():
    # solution
    kept = models.CharField(max_length=100, unique=True, db_column="name")
    return [migrations.AlterField("genre", "name", kept), migrations.RenameField("genre", "name", "label")]
    # end


check("09.4")

# %% exercise="09.4" role="alternative" note="Says aloud that the database has no part in it. Nobody checks that it is true, so the first way is safer where it works."
def operations():
    kept = models.CharField(max_length=100, unique=True, db_column="name")
    renamed = [migrations.RenameField("genre", "name", "label"), migrations.AlterField("genre", "label", kept)]
    return [migrations.SeparateDatabaseAndState(state_operations=renamed)]

# %% exercise="09.4" role="mistake" says="This renames the column as well: from this moment every query of the old code fails. Keep the column with `db_column`."
def operations():
    return [migrations.RenameField("genre", "name", "label")]

# %% exercise="09.4" role="mistake" says="Nothing is sent, and the model now believes in a column `label` that no table has. Say `db_column=\"name\"` too."
def operations():
    return [migrations.SeparateDatabaseAndState(state_operations=[migrations.RenameField("genre", "name", "label")])]

# %% exercise="09.4" role="mistake" says="Named and kept, but no longer `unique`: the state has lost what the table has. Repeat all that the field had, and add `db_column`."
def operations():
    kept = models.CharField(max_length=100, db_column="name")
    renamed = [migrations.RenameField("genre", "name", "label"), migrations.AlterField("genre", "label", kept)]
    return [migrations.SeparateDatabaseAndState(state_operations=renamed)]

# %% exercise="09.4" role="mistake" says="Renamed first, and renamed back by the second step: the column has another name in between. Name the column before you rename the field."
def operations():
    kept = models.CharField(max_length=100, unique=True, db_column="name")
    return [migrations.RenameField("genre", "name", "label"), migrations.AlterField("genre", "label", kept)]

# %% exercise="09.4" role="mistake" says="This drops the column with all names in it, and makes an empty one. It is what `makemigrations` writes when it is told that this is no rename."
def operations():
    new = models.CharField(max_length=100, null=True, unique=True)
    return [migrations.RemoveField("genre", "name"), migrations.AddField("genre", "label", new)]

# %% exercise="09.4" role="hint"
# A field has a name in Python and a column in the table, and they need not be the same.
# %% exercise="09.4" role="hint"
# `AlterField` to the same field with `db_column="name"`, then `RenameField`.

# %% [markdown] exercise="09.5"
# ### 09.5 Do two branches meet?
#
# A dictionary says for each migration of an app on which others of it depends: `{"0001": [], "0002_a": ["0001"], …}`. Return the sorted
# leaves if there is more than one, as `migrate` complains of them, otherwise an empty list.

# %% exercise="09.5" role="check"
def observe(answer):
    line = {"0001": [], "0002": ["0001"], "0003": ["0002"]}
    fork = {**line, "0003_b": ["0002"]}
    graphs = {
        "no migration": {},
        "one migration": {"0001": []},
        "a line": line,
        "a fork": fork,
        "a fork, the later name first": {"0003_b": ["0002"], **line},
        "a fork that was merged": {**fork, "0004_merge": ["0003", "0003_b"]},
        "two with one number, in a line": {**line, "0003_b": ["0003"]},
        "an early fork": {**line, "0004": ["0001"]},
        "three leaves": {**fork, "0003_c": ["0001"]},
        "leaves with different numbers": {**fork, "0004": ["0003"]},
    }
    found = {}
    for name, graph in graphs.items():
        leaves = answer({child: list(parents) for child, parents in graph.items()})
        found[name] = list(leaves) if isinstance(leaves, tuple) else leaves
    return found

# %% exercise="09.5" role="answer" calls=[]
def conflict(graph):
    # solution
    needed = {parent for parents in graph.values() for parent in parents}
    leaves = sorted(set(graph) - needed)
    return leaves if len(leaves) > 1 else []
    # end


check("09.5")

# %% exercise="09.5" role="alternative" note="Django's own graph. It also finds circles and dependencies that do not exist."
def conflict(graph):
    known = MigrationGraph()
    for name in graph:
        known.add_node(("app", name), migrations.Migration(name, "app"))
    for name, parents in graph.items():
        for parent in parents:
            known.add_dependency(name, ("app", name), ("app", parent))
    leaves = [name for _, name in known.leaf_nodes("app")]
    return sorted(leaves) if len(leaves) > 1 else []

# %% exercise="09.5" role="mistake" says="You go by the numbers. They are part of a name: 0004 may depend on 0001, and 0003_b on 0003. Only the dependencies count."
def conflict(graph):
    numbers = [name[:4] for name in graph]
    return sorted(name for name in graph if numbers.count(name[:4]) > 1)

# %% exercise="09.5" role="mistake" says="One leaf is no conflict: every app has one. Return an empty list then."
def conflict(graph):
    return sorted(set(graph) - {parent for parents in graph.values() for parent in parents})

# %% exercise="09.5" role="mistake" says="The right leaves, in the order in which they came. Sort them."
def conflict(graph):
    needed = {parent for parents in graph.values() for parent in parents}
    leaves = [name for name in graph if name not in needed]
    return leaves if len(leaves) > 1 else []

# %% exercise="09.5" role="mistake" says="You look at the first dependency alone: a merge depends on two, and both have a migration after them."
def conflict(graph):
    needed = {parents[0] for parents in graph.values() if parents}
    leaves = sorted(set(graph) - needed)
    return leaves if len(leaves) > 1 else []

# %% exercise="09.5" role="mistake" says="A fork that was merged is none any more: two that depend on the same one are fine as long as a later one depends on both."
def conflict(graph):
    parents = [tuple(parents) for parents in graph.values()]
    return sorted(name for name in graph if parents.count(tuple(graph[name])) > 1)

# %% exercise="09.5" role="hint"
# A leaf is a migration on which no other depends.
# %% exercise="09.5" role="hint"
# The set of all names, minus the set of all that appear as a dependency.

# %% [markdown] exercise="09.6"
# ### 09.6 Fill in batches
#
# Give every order whose `note` is empty the note `"–"`, at most 200 rows in a transaction, so that no lock lasts. The function is for
# a `RunPython` in a migration with `atomic = False`: stopped and run again, it goes on. Take the model from `apps`. At most 30 queries for
# the shop's 1,400 orders.

# %% exercise="09.6" role="check"
def observe(answer):
    with uncounted():
        apps = MigrationLoader(connection).project_state(("orders", "0005_sentmail")).apps
    asked, changed = set(), []
    usual, editor = QuerySet.__init__, SimpleNamespace(connection=connection)

    def look(queryset, model=None, *args, **kwargs):
        asked.add(model)
        usual(queryset, model, *args, **kwargs)

    def watch(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        statement = sql.lstrip().upper()
        if statement.startswith("BEGIN") or (statement.startswith("UPDATE") and not connection.in_atomic_block):
            changed.append(0)
        if statement.startswith("UPDATE"):
            changed[-1] += context["cursor"].rowcount
        return result

    with connection.execute_wrapper(watch), patch.object(QuerySet, "__init__", look):
        answer(apps, editor)
    first, changed[:] = list(changed), []
    with uncounted(), connection.execute_wrapper(watch):
        answer(apps, editor)
    with uncounted():
        return {
            "notes": list(Order.objects.order_by("pk").values_list("number", "note")),
            "at most 200 rows in a transaction": max(first, default=0) <= 200,
            "the second run changes nothing": sum(changed) == 0,
            "asks today's model": Order in asked,
        }

# %% exercise="09.6" role="answer" budget=30 seconds=15
def fill(apps, schema_editor):
    # solution
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    while batch := list(orders.filter(note="").order_by("pk").values_list("pk", flat=True)[:200]):
        orders.filter(pk__in=batch).update(note="–")
    # end


check("09.6")

# %% exercise="09.6" role="alternative" note="`bulk_update` as in the shop's own migration: for values that Python has to work out, row by row."
def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    while batch := list(orders.filter(note="").only("pk").order_by("pk")[:200]):
        for order in batch:
            order.note = "–"
        orders.bulk_update(batch, ["note"])

# %% exercise="09.6" role="alternative" note="By ranges of the key: no list of keys, each `UPDATE` reads its own part of the table. Where there are large gaps in the keys, many find nothing."
def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    ends = orders.aggregate(low=Min("pk"), high=Max("pk"))
    for start in range(ends["low"] or 0, (ends["high"] or 0) + 1, 200):
        orders.filter(note="", pk__gte=start, pk__lt=start + 200).update(note="–")

# %% exercise="09.6" role="mistake" says="One statement for all rows: short, and on a table of millions every row stays locked until the end. Go in batches."
def fill(apps, schema_editor):
    apps.get_model("orders", "Order").objects.filter(note="").update(note="–")

# %% exercise="09.6" role="mistake" says="Some notes are still empty: you step through with an offset while the rows that you filled drop out of the filter, so every other batch is skipped. Begin at the front each time."
def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    for start in range(0, orders.filter(note="").count(), 200):
        batch = list(orders.filter(note="").order_by("pk").values_list("pk", flat=True)[start : start + 200])
        orders.filter(pk__in=batch).update(note="–")

# %% exercise="09.6" role="mistake" says="The statements are small and the transaction is not: every row stays locked until its end. A `bulk_update` of all rows is one transaction too, whatever its `batch_size`."
def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    unfilled = list(orders.filter(note=""))
    for order in unfilled:
        order.note = "–"
    orders.bulk_update(unfilled, ["note"], batch_size=200)

# %% exercise="09.6" role="mistake" says="Batches, and the import of today's model. A migration takes it from `apps`."
def fill(apps, schema_editor):
    orders = Order.objects.using(schema_editor.connection.alias)
    while batch := list(orders.filter(note="").order_by("pk").values_list("pk", flat=True)[:200]):
        orders.filter(pk__in=batch).update(note="–")

# %% exercise="09.6" role="mistake" says="You wrote over notes that customers had left. Only empty ones are to be filled."
def fill(apps, schema_editor):
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    keys = list(orders.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), 200):
        orders.filter(pk__in=keys[start : start + 200]).update(note="–")

# %% exercise="09.6" role="mistake" says="A statement for each order: no lock lasts, and the way through a large table takes hours. Two hundred rows at a time."
def fill(apps, schema_editor):
    for order in apps.get_model("orders", "Order").objects.filter(note="").order_by("pk"):
        order.note = "–"
        order.save(update_fields=["note"])

# %% exercise="09.6" role="hint"
# What is filled drops out of the filter, so the next batch is always the first 200.
# %% exercise="09.6" role="hint"
# `while batch := list(….filter(note="").order_by("pk").values_list("pk", flat=True)[:200]):`

# %% [markdown] exercise="09.7"
# ### 09.7 Review a migration
#
# During a deploy the old code runs on the new schema. Return, in their order, the class names of those operations that a review stops:
# removing or renaming a field or a model, and adding a column that is `NOT NULL` without a `db_default`. A many-to-many field adds no
# column to the table. Indexes and constraints may pass. Of `SeparateDatabaseAndState` only the `database_operations` count, each by itself.

# %% exercise="09.7" role="check"
def observe(answer):
    def add(field):
        return migrations.AddField("book", "extra", field)

    text = {"max_length": 20}
    cases = {
        "nullable": [add(models.CharField(**text, null=True))],
        "default": [add(models.CharField(**text, default="?"))],
        "db_default": [add(models.CharField(**text, db_default="?"))],
        "many": [add(models.ManyToManyField("catalog.Genre"))],
        "removed": [migrations.RemoveField("book", "pages"), migrations.DeleteModel("Excerpt")],
        "renamed": [migrations.RenameModel("Book", "Work"), migrations.RenameField("work", "title", "name")],
        "harmless": [
            migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
            migrations.AddIndex("book", models.Index(fields=["pages"], name="by_pages")),
            migrations.RenameIndex("book", new_name="book_by_pages", old_name="by_pages"),
            migrations.RemoveIndex("book", "book_by_pages"),
            migrations.RemoveConstraint("author", "author_died_after_birth"),
            migrations.RunPython(migrations.RunPython.noop),
        ],
        "state": [migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Excerpt")])],
        "database": [
            migrations.SeparateDatabaseAndState(
                database_operations=[add(models.TextField(null=True)), migrations.RemoveField("book", "pages")]
            ),
            add(models.IntegerField()),
        ],
        "nothing": [],
    }
    return {name: list(answer(operations)) for name, operations in cases.items()}

# %% exercise="09.7" role="answer" calls=[]
def breaking(operations):
    # solution
    removing = (migrations.RemoveField, migrations.DeleteModel, migrations.RenameField, migrations.RenameModel)
    found = []
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            found += breaking(operation.database_operations)
        elif isinstance(operation, removing):
            found.append(type(operation).__name__)
        elif isinstance(operation, migrations.AddField):
            field = operation.field
            if not (field.null or field.many_to_many or field.has_db_default()):
                found.append(type(operation).__name__)
    return found
    # end


check("09.7")

# %% exercise="09.7" role="alternative" note="A generator, and a small function with a name for each question. Better as soon as there are more rules."
def breaking(operations):
    def required(field):
        return not field.null and not field.many_to_many and field.db_default is models.NOT_PROVIDED

    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            yield from breaking(operation.database_operations)
        elif name in {"RemoveField", "DeleteModel", "RenameField", "RenameModel"}:
            yield name
        elif name == "AddField" and required(operation.field):
            yield name

# %% exercise="09.7" role="mistake" says="A `default` does not help the old code: Django takes it out of the table again after it filled the rows. Only `db_default` stays."
def breaking(operations):
    found = []
    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            found += breaking(operation.database_operations)
        elif name in {"RemoveField", "DeleteModel", "RenameField", "RenameModel"}:
            found.append(name)
        elif name == "AddField":
            field = operation.field
            if not (field.null or field.many_to_many or field.has_db_default() or field.has_default()):
                found.append(name)
    return found

# %% exercise="09.7" role="mistake" says="What only changes the state touches no table. Look into `database_operations`, and nowhere else."
def breaking(operations):
    found = []
    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            found += breaking([*operation.database_operations, *operation.state_operations])
        elif name in {"RemoveField", "DeleteModel", "RenameField", "RenameModel"}:
            found.append(name)
        elif name == "AddField":
            field = operation.field
            if not (field.null or field.many_to_many or field.has_db_default()):
                found.append(name)
    return found

# %% exercise="09.7" role="mistake" says="A many-to-many field has a table of its own. The old code inserts its rows as before."
def breaking(operations):
    found = []
    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            found += breaking(operation.database_operations)
        elif name in {"RemoveField", "DeleteModel", "RenameField", "RenameModel"}:
            found.append(name)
        elif name == "AddField" and not operation.field.null and not operation.field.has_db_default():
            found.append(name)
    return found

# %% exercise="09.7" role="mistake" says="Adding can break the old code as well: it inserts rows without the new column, and one that is `NOT NULL` refuses them."
def breaking(operations):
    found = []
    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            found += breaking(operation.database_operations)
        elif name in {"RemoveField", "DeleteModel", "RenameField", "RenameModel"}:
            found.append(name)
    return found

# %% exercise="09.7" role="mistake" says="By the beginning of the name you also stop `RemoveIndex`, `RenameIndex` and `RemoveConstraint`. Old code names no index, and a check that is gone refuses nothing."
def breaking(operations):
    found = []
    for operation in operations:
        name = type(operation).__name__
        if name == "SeparateDatabaseAndState":
            found += breaking(operation.database_operations)
        elif name.startswith(("Remove", "Delete", "Rename")):
            found.append(name)
        elif name == "AddField":
            field = operation.field
            if not (field.null or field.many_to_many or field.has_db_default()):
                found.append(name)
    return found

# %% exercise="09.7" role="hint"
# Ask of each operation: which statement of the old code fails after it?
# %% exercise="09.7" role="hint"
# For `AddField`, look at `operation.field`: `null`, `many_to_many`, `has_db_default()`.
