# %% [markdown]
# # 09 · Migrations
#
# After this chapter you can say what a migration holds and what it does not look at, write one that moves data and
# comes back, bring two branches together, and give a full table a required column while the site stays up.
#
# *Questions: Q26 what migrations are.* The commands run in a small project of their own, the locks are those of a real
# PostgreSQL. [Exercises 09.1 to 09.7](../exercises/09_migrations.ipynb) follow.

# %%
from checks import quiz
from lab import postgres, queries, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import sqlite3
from contextlib import closing

import django
from catalog.models import Author, Book, Genre
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import DatabaseError, IntegrityError, NotSupportedError, connection, migrations, models, transaction
from django.db.backends.mysql.features import DatabaseFeatures as MySQLFeatures
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.state import ProjectState

# %% [markdown]
# ## Q26 · Change the schema with migrations
#
# *Intermediate · asked as T04*
#
# **Say it.** A migration is a Python file, in version control, with a list of operations and the migrations it depends
# on. `makemigrations` replays all the files into a picture of the models, the state, compares it with `models.py` and
# writes the difference. `migrate` runs what the table `django_migrations` has not noted yet, and can run it backwards.
# So every database, from my laptop to production, takes the same steps in the same order.
#
# *What lifts it:* neither command looks at the tables to find out what is there; data moves with `RunPython` and
# historical models; and on a live site old and new code share one schema for a while, so a change that breaks the old
# code becomes several that do not.

# %% [markdown]
# **See it.** A new project with one app and one model. What does `makemigrations` write, and which column did nobody
# ask for?

# %%
site = scratch("mysite")
site.output("python manage.py startapp books")
site.replace("mysite/settings.py", "INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "books",')
BOOK = """
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
"""
site.write("books/models.py", BOOK)
site.run("python manage.py makemigrations")
site.show("books/migrations/0001_initial.py", (13, 21))

# %% [markdown]
# The key `id` was added. Operations, not SQL: the same file serves every database. `sqlmigrate` says what it becomes on
# the one that is configured, and runs nothing. Then `migrate` runs it. Where is it noted?

# %%
site.run("python manage.py sqlmigrate books 0001")
site.run("python manage.py migrate books")


def sql(statement):
    with closing(sqlite3.connect(site.path / "db.sqlite3")) as database, database:
        return database.execute(statement).fetchall()


print(sql("SELECT app, name FROM django_migrations"))

# %% [markdown]
# One row in `django_migrations`: all that Django knows of what was done here. Now two books come in, and the model gets
# a field. In the pipeline of a team, which command finds out that somebody forgot the file?

# %%
sql("INSERT INTO books_book (title) VALUES ('Emma'), ('Frankenstein: The Modern Prometheus')")
site.write("books/models.py", BOOK + '    subtitle = models.CharField(max_length=200, blank=True, default="")')
site.run("python manage.py makemigrations --check")

# %% [markdown]
# `--check` writes nothing and ends with status 1, so the build fails. Write the file, with a name that says what it
# does, and ask `--plan` what a deploy would run:

# %%
site.run("python manage.py makemigrations books --name subtitle")
site.run("python manage.py migrate books --plan")

# %% [markdown]
# **Data moves too.** The title holds the subtitle; a migration splits them. `apps.get_model` gives the model as it was
# at this point of the history, and `using` the database that is being migrated. The second function is the way back:

# %% reason="A whole migration file, with its way back."
site.write("books/migrations/0003_split_titles.py", '''
from django.db import migrations


def split(apps, schema_editor):
    books = apps.get_model("books", "Book").objects.using(schema_editor.connection.alias)
    for book in books.filter(title__contains=": "):
        book.title, _, book.subtitle = book.title.partition(": ")
        book.save(update_fields=["title", "subtitle"])


def join(apps, schema_editor):
    books = apps.get_model("books", "Book").objects.using(schema_editor.connection.alias)
    for book in books.exclude(subtitle=""):
        book.title, book.subtitle = f"{book.title}: {book.subtitle}", ""
        book.save(update_fields=["title", "subtitle"])


class Migration(migrations.Migration):
    dependencies = [("books", "0002_subtitle")]
    operations = [migrations.RunPython(split, join)]
''')

# %% [markdown]
# Forwards, which takes 0002 along, back to 0002, forwards again. What does the row say each time?

# %%
for target in ("0003", "0002", "0003"):
    site.output(f"python manage.py migrate books {target}")
    print(target, sql("SELECT title, subtitle FROM books_book WHERE id = 2"))

# %% [markdown]
# To name a migration is to go to it, from either side; `zero` goes before the first. Without the second function the
# way back is closed, and a bad deploy can only go forward. `RunPython.noop` opens it where nothing has to be undone:

# %%
def split(apps, schema_editor):
    """As above."""


print(migrations.RunPython(split).reversible)
print(migrations.RunPython(split, migrations.RunPython.noop).reversible)
print(migrations.RunSQL("UPDATE books_book SET title = ''").reversible)
print(migrations.RemoveField("book", "subtitle").reversible)

# %% [markdown]
# `RemoveField` comes back too: the column does, empty, and the data does not.

# %% [markdown]
# **Two branches meet.** On one branch the book gets an `isbn`, on the other `pages`; both files are 0004. Each passed
# its tests. After the merge in Git, what does `migrate` do?

# %%
FIELDS = site.read("books/models.py")
ISBN = '    isbn = models.CharField(max_length=13, blank=True, default="")\n'
PAGES = "    pages = models.IntegerField(null=True)\n"

site.write("books/models.py", FIELDS + ISBN)
site.output("python manage.py makemigrations books --name isbn")
ours = site.read("books/migrations/0004_isbn.py")
site.delete("books/migrations/0004_isbn.py")
site.write("books/models.py", FIELDS + PAGES)
site.output("python manage.py makemigrations books --name pages")

site.write("books/migrations/0004_isbn.py", ours)
site.write("books/models.py", FIELDS + ISBN + PAGES)
site.run("python manage.py migrate books")

# %% [markdown]
# It refuses, and does nothing. The number is part of a name; what counts is the graph, and it has two leaves. `--merge` joins
# them with an empty migration that depends on both:

# %%
site.run("python manage.py makemigrations --merge --no-input")
site.show("books/migrations/0005_merge_0004_isbn_0004_pages.py", (8, 11))

# %% [markdown]
# The merge says that the order of the two does not matter. Read both before you claim that: where both touch the same
# field, or one reads what the other changes, make one depend on the other instead. Then there is nothing to merge.

# %%
site.output("python manage.py migrate books")
print(sql("SELECT name FROM django_migrations WHERE app = 'books'")[3:])
site.run("python manage.py makemigrations --check")

# %% [markdown]
# **Fake** is for a database that has the change already: `--fake` notes it and runs nothing. Here the notes are taken
# away and the tables stay, as if the database came from elsewhere. What does `migrate` do, and what `--fake-initial`?

# %%
site.output("python manage.py migrate books zero --fake")
print(sql("SELECT count(*) FROM django_migrations WHERE app = 'books'"), sql("SELECT count(*) FROM books_book"))
print(site.output("python manage.py migrate books").splitlines()[-1])
site.run("python manage.py migrate books 0001 --fake-initial")

# %% [markdown]
# It looked for the table by its name and was content; what the columns are like it did not ask. `--fake` looks for
# nothing: a wrong one is noticed much later. The rest we know to be there, so:

# %%
site.run("python manage.py migrate books --fake", lines=4)

# %% [markdown]
# **Squash** when new databases take too long, not for neatness. Six migrations become one, with `replaces`; the old
# files stay until every database has them. What keeps five operations from becoming one?

# %%
told = site.output("python manage.py squashmigrations books 0005 --squashed-name books --no-input")
squashed = site.read("books/migrations/0001_books.py")
for line in [*told.splitlines(), *squashed.splitlines()]:
    if any(words in line for words in ("Optimized", "Manual", "code=")):
        print(line.strip())

# %% [markdown]
# `RunPython`: nobody can tell what it reads, so nothing moves across it. The last line is not even Python until
# somebody has copied the functions over. Marked `elidable`, the step is left out: a new database has no rows to split.
# The optimizer on its own:

# %%
site.delete("books/migrations/0001_books.py")
key, title = models.BigAutoField(primary_key=True), models.CharField(max_length=200)
for elidable in (False, True):
    history = [
        migrations.CreateModel("Book", [("id", key), ("title", title)]),
        migrations.RunPython(split, elidable=elidable),
        migrations.AddField("Book", "pages", models.IntegerField(null=True)),
    ]
    print([type(operation).__name__ for operation in MigrationOptimizer().optimize(history, "books")])

# %% [markdown]
# **A required column on a full table.** First the obvious way: a `default`, one step. Django fills the rows and drops
# the default again. Meanwhile the old code still runs and inserts a genre without the new column. Does it get in?

# %%
def migrate_by(app, *operations, atomic=True):
    step = migrations.Migration("step", app)
    step.operations, step.atomic = list(operations), atomic
    with connection.schema_editor(atomic=atomic) as editor:
        step.apply(MigrationLoader(connection).project_state(), editor)


def old_code_works(field):
    migrate_by("catalog", migrations.AddField("genre", "shelf", field))
    try:
        return bool(Genre.objects.create(name="Maps", slug="maps").pk)
    except IntegrityError:
        return False

# %%
short = {"max_length": 10}
for field in (models.CharField(**short, default="?"), models.CharField(**short, db_default="?")):
    kind = "db_default" if field.has_db_default() else "default"
    print("SQLite", kind, old_code_works(field))
    reset()
    if postgres.available():
        with postgres():
            print("PostgreSQL", kind, old_code_works(field))

# %% [markdown]
# With `default` every insert of the old code fails until the new code is everywhere. `db_default` stays in the
# database, so one step will do, where one value fits all rows. Where each row needs its own, it takes three. The shop's
# authors got their `sort_name` so; what PostgreSQL is sent:

# %%
names = ("0002_author_sort_name", "0003_fill_sort_names", "0004_require_sort_name")
if postgres.available():
    with postgres():
        loader = MigrationLoader(connection)
        for name in names:
            step = loader.get_migration("catalog", name)
            print(f"{name}, atomic {step.atomic}")
            for line in loader.collect_sql([(step, False)]):
                if line.startswith(("ALTER", "CREATE", "-- THIS")):
                    print("  ", line)
else:
    print(postgres.why_not())

# %% [markdown]
# First nullable, and [no row is rewritten](https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES).
# Deploy the code that writes it. Then the old rows, in batches, each committed by
# itself. Then `NOT NULL`. Between the steps every version of the code that runs can live with the schema. The middle
# one:

# %% reason="The function of a real migration, to be read as a whole."
shop = scratch(bookshop=True)
shop.show("catalog/migrations/0003_fill_sort_names.py", (12, 33))

# %% [markdown]
# Why so careful? `ALTER TABLE` on PostgreSQL takes the strongest lock there is, and holds it until the transaction
# ends: [neither reads nor writes](https://www.postgresql.org/docs/current/explicit-locking.html) get past.
# `CREATE INDEX` lets reads pass. Inside a migration that is still open:

# %%
by_country = models.Index(fields=["country"], name="author_by_country")


def locks(*operations):
    with transaction.atomic(), connection.cursor() as cursor:
        migrate_by("catalog", *operations)
        cursor.execute("SELECT mode FROM pg_locks WHERE relation = 'catalog_author'::regclass")
        modes = {mode for mode, in cursor.fetchall()}
        transaction.set_rollback(True)
    return sorted(modes & {"AccessExclusiveLock", "ShareLock"})


if postgres.available():
    with postgres():
        print(locks(migrations.AddField("author", "note", models.TextField(null=True))))
        print(locks(migrations.AddIndex("author", by_country)))
else:
    print(postgres.why_not())

# %% [markdown]
# So the backfill belongs in a migration of its own: in the same one, the lock of the `ALTER` lasts as long as the
# loop. And an index on a busy table is built concurrently, which PostgreSQL refuses inside a transaction:

# %%
if postgres.available():
    with postgres():
        for atomic in (True, False):
            try:
                migrate_by("catalog", AddIndexConcurrently("author", by_country), atomic=atomic)
                print(atomic, "built")
            except NotSupportedError:
                print(atomic, "NotSupportedError")
else:
    print(postgres.why_not())

# %% [markdown]
# Hence `atomic = False` on that migration, with this one operation in it. If the build fails half-way, an index marked
# [invalid](https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY) stays behind and
# has to be dropped by hand.

# %% [markdown]
# **When a migration fails in the middle.** The first operation makes a table, the second fails. Is the table there
# afterwards?

# %%
def table_left(atomic):
    shelf = migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))])
    try:
        migrate_by("catalog", shelf, migrations.RunSQL("SELECT nothing FROM nowhere"), atomic=atomic)
    except DatabaseError:
        return "catalog_shelf" in connection.introspection.table_names()


print("SQLite    ", table_left(atomic=True), table_left(atomic=False))
reset()
if postgres.available():
    with postgres():
        print("PostgreSQL", table_left(atomic=True), table_left(atomic=False))
print("MySQL can roll back DDL:", MySQLFeatures.can_rollback_ddl)

# %% [markdown]
# PostgreSQL and SQLite run a migration in one transaction, DDL included. The other databases
# [cannot](https://docs.djangoproject.com/en/stable/topics/migrations/#transactions): there every migration behaves like
# the second column. Half of it stays, and the next run stumbles over it. One operation per file keeps that small.

# %% [markdown]
# `atomic` can be said of the migration and of a `RunPython`. Which of the four runs its Python in a transaction?

# %%
def report(apps, schema_editor):
    print(connection.in_atomic_block)


for whole in (True, False):
    for step in (None, True, False):
        print(f"migration {whole}, RunPython {step}:", end=" ")
        migrate_by("catalog", migrations.RunPython(report, atomic=step), atomic=whole)

# %% [markdown]
# `RunPython(…, atomic=False)` alone changes nothing here: the migration around it has a transaction already. On MySQL
# it has none, and there it counts.

# %% [markdown]
# **The trap.** "`migrate` brings the database in line with the models." It runs files. Take the field `pages` away from
# the model and write no file:

# %%
site.write("books/models.py", FIELDS + ISBN)
print("\n".join(site.output("python manage.py migrate books").splitlines()[3:5]))
print("pages" in [name for _, name, *_ in sql("PRAGMA table_info(books_book)")])

# %% [markdown]
# It noticed and changed nothing. And "`makemigrations` compares the models with the database" is as wrong. It asks the
# files; in the database it reads `django_migrations` alone, to check the order in which they ran. How many queries
# does it take to know every model of the shop?

# %%
with queries(quiet=True) as seen:
    state = MigrationLoader(None).project_state()
print(len(seen), ("catalog", "book") in state.models, ("orders", "order") in state.models)

# %% [markdown]
# So a column that somebody changed by hand goes unnoticed, and a renamed field is a guess. In a terminal it asks; with
# `--no-input`, as in a script, the answer is no. What happens to the page numbers?

# %%
site.write("books/models.py", FIELDS + ISBN + PAGES.replace("pages", "page_count"))
site.run("python manage.py makemigrations --dry-run --no-input")
site.run("python manage.py makemigrations --dry-run", answers="y\n")

# %% [markdown]
# The column is dropped and an empty one made, and `migrate` says OK. Read every file that you commit.
#
# Next, the import that works today. A data migration takes `Book` from `books.models`. Later the model gets a field,
# with a migration of its own. A colleague sets up a new database:

# %%
site.write("books/models.py", FIELDS + ISBN + PAGES)
split_titles = site.read("books/migrations/0003_split_titles.py")
imported = split_titles.replace('apps.get_model("books", "Book")', "Book")
site.write("books/migrations/0003_split_titles.py", "from books.models import Book\n" + imported)
site.delete("db.sqlite3")
print(site.output("python manage.py migrate books").splitlines()[-1])
site.write("books/migrations/0003_split_titles.py", split_titles)
site.output("python manage.py migrate books")
print(site.status)

# %% [markdown]
# The imported model is today's, with columns that do not exist yet. The historical one has the fields of its time, and
# [only what migrations record](https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models): no methods,
# no `save()` of yours, no managers without `use_in_migrations`, no receivers that listen to the real class:

# %%
past = MigrationLoader(connection).project_state(("catalog", "0001_initial")).apps.get_model("catalog", "Author")
for name in ("name", "sort_name", "get_absolute_url", "save"):
    print(name, hasattr(past, name), hasattr(Author, name))
print(past is Author, past.save is models.Model.save, Author.save is models.Model.save)

# %% [markdown] reason="Four questions, three of them of the syllabus, each with its answer."
# **Asked next**
#
# - *How do you deploy a column rename with zero downtime?* Not with `RenameField` on the column: the old code asks for
#   a name that is gone. Rename in Python only, and keep the column with `db_column`. If the column itself must change:
#   add the new one, write both, fill in the old rows, read the new one, stop writing the old one, drop it. Code and
#   schema move one after the other, in several deploys.
# - *Two developers created 0005: what now?* `migrate` refuses, whichever is deployed. If neither depends on the other,
#   `makemigrations --merge`; otherwise, or to keep one line, the one that is not deployed yet gets the next number and
#   depends on the other. Never rename one that ran somewhere.
# - *`SeparateDatabaseAndState`: when?* When the state must change and the database must not, or otherwise than Django
#   would do it: a model moves to another app and keeps its table; a many-to-many gets a through model over the table it
#   has; an index was built by hand.
# - *Would you edit a migration that is deployed?* No: where it ran, it does not run again, and the databases differ.

# %%
def statements(*operations):
    step = migrations.Migration("step", "catalog")
    step.operations = list(operations)
    with connection.schema_editor(collect_sql=True) as editor:
        step.apply(MigrationLoader(connection).project_state(), editor, collect_sql=True)
    return [line for line in editor.collected_sql if not line.startswith("--")]


keep = models.CharField(max_length=100, unique=True, db_column="name")
print(statements(migrations.RenameField("genre", "name", "label")))
print(statements(migrations.AlterField("genre", "name", keep), migrations.RenameField("genre", "name", "label")))

# %% [markdown]
# The second list is empty: `genre.label` in Python, `name` in the table. And a model that leaves the app, with its
# table where it was; both lists, with and without:

# %%
leave = migrations.DeleteModel("Excerpt")
print(statements(leave))
print(statements(migrations.SeparateDatabaseAndState(state_operations=[leave])))

# %% [markdown]
# - *`SET NOT NULL` reads the whole table under its lock. What of a huge one?* On PostgreSQL, a check constraint that
#   holds for new rows at once, then validated under a weaker lock; a later `SET NOT NULL`
#   [finds it and skips the scan](https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL).

# %%
present = models.CheckConstraint(condition=models.Q(country__isnull=False), name="author_has_country")
if postgres.available():
    with postgres():
        for operation in (AddConstraintNotValid("author", present), ValidateConstraint("author", present.name)):
            print(operation.describe())
        migrate_by("catalog", AddConstraintNotValid("author", present))
        with connection.cursor() as cursor:
            cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'author_has_country'")
            print(cursor.fetchone())
else:
    print(postgres.why_not())

# %% [markdown]
# **Versions.** A squashed migration can be squashed again
# [since 6.0](https://docs.djangoproject.com/en/6.0/releases/6.0/#migrations). On 5.2, first delete the replaced files and
# take `replaces` out of it.

# %% tags=["since-6.1"]
site.replace("books/migrations/0003_split_titles.py", "(split, join)", "(split, join, elidable=True)")
site.output("python manage.py squashmigrations books 0004_isbn --squashed-name first --no-input")
answer = site.output("python manage.py squashmigrations books 0005 --squashed-name second --no-input")
if django.VERSION >= (6, 0):
    print("cannot squash squashed" in answer, site.status)
else:
    print("Django 6.1 prints False 0; 5.2 says that you cannot squash squashed migrations.")

# %%
quiz("Q26")

# %% [markdown]
# Now [exercises 09.1 to 09.7](../exercises/09_migrations.ipynb).
