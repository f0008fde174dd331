# %% [markdown]
# # 09 · Migrations
#
# After this chapter you can say what a migration holds and what it does not look at, write one that moves data and
# comes back, join two branches, and give a full table a required column while the site stays up.
#
# *Questions: Q26 what migrations are.* The commands run in a project of their own, the locks are PostgreSQL's.
# [Exercises 09.1 to 09.7](../exercises/09_migrations.ipynb) follow.

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

# %% [markdown]
# ## Q26 · Change the schema with migrations
#
# *Intermediate · asked as T04*
#
# **Say it.** A migration is a Python file, in version control, with a list of operations and the migrations it depends
# on. `makemigrations` replays all the files into a picture of the models, the state, compares it with `models.py` and
# writes the difference. `migrate` runs what the table `django_migrations` has not noted yet, and can run it backwards.
# So every database, from my laptop to production, is built by the same steps.
#
# *What lifts it:* neither command compares `models.py` with the tables; data moves with `RunPython` and historical
# models; and on a live site old and new code share one schema for a while, so a change that breaks the old code
# becomes several that do not: add the column nullable, fill it in batches, then forbid NULL.

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
# The key `id` was added. Operations, not SQL: this file serves every database. `sqlmigrate` says what it becomes on the
# one that is configured, and runs none of it:

# %%
site.run("python manage.py sqlmigrate books 0001")

# %% [markdown]
# `migrate` runs it. Where does it note that?

# %%
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
# Forwards, which takes 0002 along, and back to 0002. What does the row say each time?

# %%
for target in ("0003", "0002"):
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
# The last `True` promises a column, not the data: each row gets the default or NULL. Where it may have neither, the way
# back fails on a table with rows.
#
# A function that reads a model of another app needs a migration of that app
# [among its dependencies](https://docs.djangoproject.com/en/stable/topics/migrations/#accessing-models-from-other-apps):
# otherwise `apps` may not know it yet.

# %% [markdown]
# **Two branches meet.** On one branch the book gets an `isbn`, on the other `pages`. Each calls its file 0004, and each
# passed its tests:

# %%
FIELDS = site.read("books/models.py")
ISBN = '    isbn = models.CharField(max_length=13, blank=True, default="")\n'
PAGES = "    pages = models.IntegerField(null=True)\n"

site.write("books/models.py", FIELDS + ISBN)
site.output("python manage.py makemigrations books --name isbn")
ours = site.read("books/migrations/0004_isbn.py")
site.delete("books/migrations/0004_isbn.py")
site.write("books/models.py", FIELDS + PAGES)
site.run("python manage.py makemigrations books --name pages")

# %% [markdown]
# After the merge in Git both files are there, and both fields. What does `migrate` do?

# %%
site.write("books/migrations/0004_isbn.py", ours)
site.write("books/models.py", FIELDS + ISBN + PAGES)
site.run("python manage.py migrate books")

# %% [markdown]
# It refuses, and does nothing. The number is part of a name; what counts is the graph, and it has two leaves.
# `--merge` joins them with an empty migration that depends on both:

# %%
site.run("python manage.py makemigrations --merge --no-input")
site.show("books/migrations/0005_merge_0004_isbn_0004_pages.py", (8, 11))

# %% [markdown]
# The merge says that the order of the two does not matter. Read both before you claim that: where both touch the same
# field, or one reads what the other changes, make one depend on the other instead. Then there is nothing to merge.
# `showmigrations` compares the files with the notes:

# %%
site.output("python manage.py migrate books")
site.run("python manage.py showmigrations books")

# %% [markdown]
# **Fake** is for a database that has the change already: `--fake` notes it and runs nothing. Here the notes are taken
# away and the tables stay, as if the database came from elsewhere. What does `migrate` do, and what `--fake-initial`?

# %%
sql("DELETE FROM django_migrations WHERE app = 'books'")
print(site.output("python manage.py migrate books").splitlines()[-1])
site.run("python manage.py migrate books 0001 --fake-initial")

# %% [markdown]
# It looked for the table by its name and was content; what the columns are like it did not ask. `--fake` looks for
# nothing: a wrong one shows when a query fails. The rest we know to be there, so:

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
# `RunPython`: nobody can tell what it reads, so nothing moves across it. The last two lines are not even Python until
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
# **A required column on a full table.** First the obvious way: a `default`, one step. Django fills the rows and leaves
# no default in the table. Meanwhile the old code still runs and inserts a genre without the new column. Does it get in?

# %%
def migrate_by(app, *operations, atomic=True):
    step = migrations.Migration("step", app)
    step.operations, step.atomic = list(operations), atomic
    with connection.schema_editor(atomic=atomic) as editor:
        step.apply(MigrationLoader(connection).project_state(), editor)


def old_code_works(**options):
    migrate_by("catalog", migrations.AddField("genre", "shelf", models.CharField(max_length=10, **options)))
    try:
        return bool(Genre.objects.create(name="Maps", slug="maps").pk)
    except IntegrityError:
        return False

# %%
columns = [{"default": "?"}, {"db_default": "?"}, {"null": True}]
for options in columns:
    print("SQLite", options, old_code_works(**options))
    reset()
if postgres.available():
    with postgres():
        for options in columns:
            with transaction.atomic():
                print("PostgreSQL", options, old_code_works(**options))
                transaction.set_rollback(True)

# %% [markdown]
# With `default` every insert of the old code fails until the new code is everywhere. `db_default` stays in the
# database, so one step will do, where one constant fits all rows. Where each row needs its own, begin with NULL: it
# takes three steps. The shop's authors got their `sort_name` so; what PostgreSQL is sent:

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
# First nullable, and
# [no row is rewritten](https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES). Deploy the
# code that writes it. Then the old rows, in batches, each committed by itself. Then `NOT NULL`, when no old code runs
# any more. Between the steps every version of the code that runs can live with the schema. The middle one:

# %% reason="The function of a real migration, to be read as a whole."
shop = scratch(bookshop=True)
shop.show("catalog/migrations/0003_fill_sort_names.py", (12, 33))

# %% [markdown]
# Why so careful? Most forms of `ALTER TABLE` on PostgreSQL take the strongest lock there is, and hold it until the
# transaction ends: [neither reads nor writes](https://www.postgresql.org/docs/current/explicit-locking.html) get past.
# `CREATE INDEX` lets reads pass. Inside a migration that is still open:

# %%
by_country = models.Index(fields=["country"], name="author_by_country")


def locks(*operations):
    with transaction.atomic(), connection.cursor() as cursor:
        migrate_by("catalog", *operations)
        cursor.execute("SELECT mode FROM pg_locks WHERE relation = 'catalog_author'::regclass")
        modes = {mode for mode, in cursor.fetchall()}
        transaction.set_rollback(True)
    return sorted(modes & {"AccessExclusiveLock", "ShareLock", "ShareUpdateExclusiveLock"})


if postgres.available():
    with postgres():
        print(locks(migrations.AddField("author", "note", models.TextField(null=True))))
        print(locks(migrations.AddIndex("author", by_country)))
else:
    print(postgres.why_not())

# %% [markdown]
# So the backfill belongs in a migration of its own: in the same one, the lock of the `ALTER` lasts as long as the
# loop.

# %% [markdown]
# A short `ALTER` can stop the site too: it waits for every transaction that has read the table, and who comes after it
# [waits behind it](https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION). Here a report
# is still open. What does `lock_timeout` change?

# %%
add_note = migrations.AddField("author", "note", models.TextField(null=True))
if postgres.available():
    with postgres():
        reading = connection.copy()
        reading.set_autocommit(False)
        reading.cursor().execute("SELECT count(*) FROM catalog_author")
        connection.cursor().execute("SET lock_timeout = '300ms'")
        try:
            migrate_by("catalog", add_note)
        except DatabaseError:
            print("gave up")
        reading.close()
else:
    print(postgres.why_not())

# %% [markdown]
# It gives up, so that others get past, and the deploy tries again later. An index on a busy table is built
# concurrently, which cannot run inside a transaction:

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
# Hence `atomic = False` on that migration, with this one operation in it; the index in the shop's third step would go
# there too, if authors were many. If the build fails half-way, an index marked
# [invalid](https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY) stays behind, to
# be dropped or rebuilt by hand.

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
# On PostgreSQL and SQLite a migration runs in one transaction, DDL included. MySQL, MariaDB and Oracle
# [cannot do that](https://docs.djangoproject.com/en/stable/topics/migrations/#transactions): there it behaves like the
# second column. Half of it stays, and the next run stumbles over it. One operation per file keeps that small.

# %% [markdown]
# `atomic` can be said of the migration and of a `RunPython`. Which of the six runs its Python in a transaction?

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
# It noticed, as it does only where nothing else is to run, and changed nothing.
#
# And "`makemigrations` compares the models with the database" is as wrong. It asks the files; of the tables it reads
# `django_migrations` alone, to check that nothing ran before what it depends on. How many queries does it take to know
# every model of the shop?

# %%
with queries(quiet=True) as seen:
    state = MigrationLoader(None).project_state()
print(len(seen), ("catalog", "book") in state.models, ("orders", "order") in state.models)

# %% [markdown]
# So a column that somebody changed by hand goes unnoticed, and a renamed field is a guess. If the rest of the field is
# the same, it asks; with `--no-input`, as in a script, the answer is no. What happens to the page numbers?

# %%
site.write("books/models.py", FIELDS + ISBN + PAGES.replace("pages", "page_count"))
site.run("python manage.py makemigrations --dry-run --no-input")
site.run("python manage.py makemigrations --dry-run", answers="y\n")

# %% [markdown]
# With `-` and `+` the column is dropped and an empty one made, and `migrate` says OK; `~` keeps the numbers. Where the
# field is changed as well as renamed, it does not ask at all. Read every file that you commit.

# %% [markdown]
# Next, the import that works today. A data migration takes `Book` from `books.models`; later the model gets fields,
# with migrations of their own. A colleague sets up a new database. `zero` takes ours to the same place:

# %%
site.write("books/models.py", FIELDS + ISBN + PAGES)
site.output("python manage.py migrate books zero")
print(sql("SELECT name FROM sqlite_master WHERE name LIKE 'books_%'"))

# %% [markdown]
# No table of ours is left. Now forwards, first with the import, then with `apps.get_model`:

# %%
split_titles = site.read("books/migrations/0003_split_titles.py")
imported = split_titles.replace('apps.get_model("books", "Book")', "Book")
site.write("books/migrations/0003_split_titles.py", "from books.models import Book\n" + imported)
print(site.output("python manage.py migrate books").splitlines()[-1])

site.write("books/migrations/0003_split_titles.py", split_titles)
site.output("python manage.py migrate books")
print(site.status)

# %% [markdown]
# The imported model is today's, with columns that do not exist yet. The historical one has the fields of its time, and
# [only what migrations record](https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models): no
# methods of its own class, no `save()` of yours, no managers without `use_in_migrations`. And it is another class, so
# receivers with `sender=Author` do not hear it:

# %%
past = MigrationLoader(connection).project_state(("catalog", "0001_initial")).apps.get_model("catalog", "Author")
for name in ("name", "sort_name", "get_absolute_url"):
    print(name, hasattr(past, name), hasattr(Author, name))
print(past is Author, past.save is models.Model.save, Author.save is models.Model.save)

# %% [markdown] reason="Four questions, three of them of the syllabus, each with its answer."
# **Asked next**
#
# - *How do you deploy a column rename with zero downtime?* Not with `RenameField` on the column: the old code asks for
#   a name that is gone. Rename in Python only, and keep the column with `db_column`. If the column itself must change:
#   add the new one, write both, fill in the old rows, read the new one, let the old one be NULL, stop writing it, drop
#   it. Code and schema move one after the other, in several deploys.
# - *Two developers created 0005: what now?* `migrate` refuses, whichever is deployed. If neither depends on the other,
#   `makemigrations --merge`; otherwise, or to keep one line, the one that is not deployed yet gets the next number and
#   depends on the other. Never rename one that ran somewhere.
# - *`SeparateDatabaseAndState`: when?* When the state must change and the database must not, or otherwise than Django
#   would do it: a model moves to another app and keeps its table; a many-to-many gets a through model over the table it
#   has; an index was built by hand.
# - *Would you edit a migration that is deployed?* Not what it does: where it ran, it does not run again, and the
#   databases differ. An edit that leaves schema and data as they are may go in: the historical model for an import,
#   `elidable=True`.

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
# The second list is empty: `genre.label` in Python, `name` in the table. And a model that leaves the app, first
# with its table, then without touching it:

# %%
leave = migrations.DeleteModel("Excerpt")
print(statements(leave))
print(statements(migrations.SeparateDatabaseAndState(state_operations=[leave])))

# %% [markdown]
# - *`SET NOT NULL` reads the whole table under its lock. What of a huge one?* On PostgreSQL, once the rows are filled:
#   add a check as `NOT VALID`, which reads no rows, and validate it under a lock that lets reads and writes pass. The
#   `SET NOT NULL`
#   [finds it and skips the scan](https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL).
#   The server says so:

# %% reason="The three steps and what the server says of the last."
born = models.CheckConstraint(condition=models.Q(born__isnull=False), name="author_has_born")
if postgres.available():
    with postgres(), connection.cursor() as cursor:
        Author.objects.filter(born=None).update(born=0)
        for operation in (AddConstraintNotValid("author", born), ValidateConstraint("author", born.name)):
            print(operation.describe(), locks(operation))
            migrate_by("catalog", operation)

        cursor.execute("SET client_min_messages = debug1")
        connection.connection.add_notice_handler(lambda notice: print(notice.message_primary))
        migrate_by("catalog", migrations.AlterField("author", "born", models.SmallIntegerField()))
else:
    print(postgres.why_not())

# %% [markdown]
# Not before the filling: a check that is not valid yet holds for new rows
# [and for updates of old ones](https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT),
# whichever column they change.

# %% [markdown]
# **Versions.** A squashed migration can be squashed again
# [since 6.0](https://docs.djangoproject.com/en/6.0/releases/6.0/#migrations). On 5.2, when it has run everywhere, first
# delete the replaced files and take `replaces` out of it. The shop has one:

# %% tags=["since-6.1"]
answer = shop.output("python manage.py squashmigrations catalog 0009_squashed 0014 --squashed-name later --no-input")
if django.VERSION >= (6, 0):
    print("cannot squash squashed" in answer, shop.status)
else:
    print("Django 6.1 prints False 0; 5.2 says that you cannot squash squashed migrations.")

# %%
quiz("Q26")

# %% [markdown]
# Now [exercises 09.1 to 09.7](../exercises/09_migrations.ipynb).
