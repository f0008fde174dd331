# %% [markdown]
# # 02 · Project anatomy
#
# After this chapter you can name every file that `startproject` and `startapp` make and prove what it is for, say where a
# project ends and an app begins, and choose the right command of `manage.py` without looking it up.
#
# *Questions: Q03 the project directory · Q04 project and app · Q05 the commands.* Every command here runs for real, in a folder
# that is gone when the kernel ends. [Exercises 02.1 to 02.7](../exercises/02_project_anatomy.ipynb) follow.

# %%
from checks import quiz
from lab import scratch, start

start()

# Django is set up now, so its models can be imported.
import re
from difflib import unified_diff
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from shutil import which

import django
from catalog.models import Book
from django.apps import apps
from django.conf import settings
from django.core.checks import Tags, register
from django.core.checks.registry import registry
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.core.management.commands.runserver import Command as Runserver
from django.db.backends.postgresql.client import DatabaseClient
from django.urls import URLResolver, get_resolver
from storefront.urls import urlpatterns

# %% [markdown]
# ## Q03 · Explain the files of a new project
#
# *Basic · asked as B2*
#
# **Say it.** `startproject` makes `manage.py` and one package. In the package are `settings.py`, the configuration, `urls.py`, the
# root of all URLs, and two entry points for servers: `wsgi.py` for synchronous and `asgi.py` for asynchronous ones. `startapp` adds
# a package for one part of the domain: `models.py`, `views.py`, `admin.py`, `apps.py`, `tests.py` and `migrations`. It makes no
# `urls.py`. Django itself looks for `models`, `apps`, `admin` and `migrations`; `views` is a habit.
#
# *What lifts it:* know which file is imported by whom: `manage.py` and both entry points name the settings module, and the settings
# name the URLconf.

# %% [markdown]
# **See it.** A project and an app, as they come. Which file of the app do you miss?

# %%
site = scratch("mysite")
site.tree()

# %%
site.run("python manage.py startapp books")
site.tree("books")

# %% [markdown]
# There is no `urls.py` in the app: you write it, and the project's `urls.py` includes it. So "all URLs of the project are in
# `urls.py`", as one list has it, is true of a project without apps only. How many entries of the bookshop's own include others?

# %%
entries = get_resolver().url_patterns
print(len(entries), [str(entry.pattern) for entry in entries if isinstance(entry, URLResolver)])

# %% [markdown]
# The new app needs one line in the settings, and a model:

# %%
site.replace("mysite/settings.py", "INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'books',")
site.write("books/models.py", """
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
""")

# %% [markdown]
# What is a file for? Take it away and see who complains. Predict for each of these: does `check` still pass?

# %%
def without(file, command="python manage.py check"):
    kept = site.read(file)
    site.delete(file)
    last = site.output(command).splitlines()[-1]
    site.write(file, kept)
    print(f"{file:28} {last}")


for file in ("settings.py", "urls.py", "wsgi.py", "asgi.py", "__init__.py"):
    without(f"mysite/{file}")

# %% [markdown]
# `check` needs the settings and the URLconf that these name. Nothing imports an entry point but a server, and
# `runserver` is one:

# %%
without("mysite/wsgi.py", "python manage.py runserver 8000 --noreload")

# %% [markdown]
# In the app no file is needed to pass `check`. What does `makemigrations` find when one is missing?

# %%
for file in ("apps.py", "views.py", "models.py", "migrations/__init__.py"):
    without(f"books/{file}", "python manage.py makemigrations --dry-run")

# %% [markdown]
# Two absences do damage in silence. Without `models.py` there is no model. Without the `__init__.py` of `migrations` Django takes
# the app for one that has no migrations, and "No changes detected" is all it says.

# %% [markdown]
# **The trap.** Many lists know `wsgi.py` and stop there. Both entry points have been in every new project since Django 3.0, and what they
# hand out differs in one point. Which of the two is a coroutine function?

# %%
for name in ("wsgi", "asgi"):
    code = f"import inspect; from mysite.{name} import application as app; print(inspect.iscoroutinefunction(app.__call__))"
    print(name, site.output(f'python -c "{code}"'))

# %% [markdown]
# The outer folder is the opposite case: it bears the project's name, and nothing depends on it. Rename it, and what breaks?

# %%
outer = scratch()
outer.run("django-admin startproject mysite")
(outer.path / "mysite").rename(outer.path / "anything")
outer.run("python anything/manage.py check")

# %% [markdown]
# Neither entry point is for production alone: a server imports one of them, and with it the settings that it names, unless
# the environment named others. `setdefault` lets an exported variable win:

# %%
site.show("mysite/asgi.py", (14, 16))
site.write("mysite/production.py", "from .settings import *\nDEBUG = False\nALLOWED_HOSTS = ['shop.example']")
debug = 'python manage.py shell --no-imports -c "from django.conf import settings; print(settings.DEBUG)"'
print(site.output(debug), site.output(debug, DJANGO_SETTINGS_MODULE="mysite.production"))

# %% [markdown]
# **Asked next**
#
# - *What is in `wsgi.py`, and who imports it?* One line names the settings, one makes `application`. A server such as gunicorn imports
#   it by the path on its command line; `runserver` through the setting `WSGI_APPLICATION`.
# - *How do you split settings by environment?* A package with a module for each, where the special ones import from the common one,
#   or one module that reads the environment. The bookshop has `config/settings/` with `common`, `development` and `production`.
# - *Why is `__init__.py` there, when Python has namespace packages?* The project's own package works without it, as you saw. Migrations
#   do not, and neither do tests: the default runner does not look into a folder without one. Which tests run here?

# %%
test = "from django.test import SimpleTestCase\n\n\nclass Works(SimpleTestCase):\n    def test(self):\n        pass"
site.write("checked/__init__.py", "")
site.write("checked/test_a.py", test)
site.write("unchecked/test_b.py", test)
print(site.output("python manage.py test").splitlines()[0])

# %% [markdown]
# **Versions.** The trees above are the same on 5.2 and 6.1, and so is each file but for two (and the version in their links):
#
# | file | 5.2 | 6.1 |
# | --- | --- | --- |
# | `mysite/settings.py` | ends with `DEFAULT_AUTO_FIELD` | ends with `MAILERS`: mail goes to the console |
# | `books/apps.py` | `default_auto_field` and `name` | `name` |
#
# Since 6.0 `BigAutoField` is the default, so nobody has to write it. Side by side:

# %%
made = site.read("books/apps.py")
line = "    default_auto_field = 'django.db.models.BigAutoField'\n"
new = made.replace(line, "")
old = new.replace("    name", line + "    name")
print(made == (new if django.VERSION >= (6, 0) else old))
print(*unified_diff(old.splitlines(), new.splitlines(), "5.2", "6.1", n=1, lineterm=""), sep="\n")

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    for name in ("DEFAULT_AUTO_FIELD", "MAILERS"):
        print(name, name in site.read("mysite/settings.py"))
else:
    print("Django 6.1 prints False for DEFAULT_AUTO_FIELD and True for MAILERS")

# %%
quiz("Q03")

# %% [markdown]
# Now [exercises 02.1 and 02.2](../exercises/02_project_anatomy.ipynb).

# %% [markdown]
# ## Q04 · Tell a project from an app
#
# *Basic · asked as B12*
#
# **Say it.** A project is one site: settings, a root URLconf and the entry points. An app is a Python package with an `AppConfig` that
# the settings list in `INSTALLED_APPS`: it brings models, migrations, templates, admin classes, commands. A project uses many apps, most
# of them not its own, and an app can serve many projects. The payment part of a shop is an app; the shop is the project, and
# is not in that list.
#
# *What lifts it:* an app is identified by its label, which is in table names, permissions and migrations for good.

# %% [markdown]
# **See it.** Where do the bookshop's apps live? Before you run: are more of them its own, or somebody else's?

# %%
own = [app for app in apps.get_app_configs() if Path(app.path).is_relative_to(settings.BASE_DIR)]
others = [app for app in apps.get_app_configs() if app not in own]
print("its own:", *[app.label for app in own])
print("Django's:", *[app.label for app in others if app.name.startswith("django.")])
print(len(others) > len(own), apps.is_installed("rest_framework"), apps.is_installed("config"))

# %% [markdown]
# Most are somebody else's, REST framework among them (`lab` is this course's). `config` is the bookshop's project package, and no app. What an app has, its `AppConfig` knows, and the label is where the names of
# tables begin:

# %%
catalog = apps.get_app_config("catalog")
print(catalog.name, catalog.label, catalog.verbose_name)
print(Book._meta.app_label, Book._meta.db_table)

# %% [markdown]
# The label is the last part of the path, and there is one of each. Two packages called `books`, in different places:

# %%
site = scratch("mysite")
for package in ("books", "loans", "loans/books"):
    site.write(f"{package}/__init__.py", "")
site.replace("mysite/settings.py", "INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'books',\n    'loans.books',")
print(site.output("python manage.py check").splitlines()[-1])

# %% [markdown]
# The cure is a label of its own, in the `AppConfig` of one of them. Decide before the first migration: later the tables,
# content types and permissions carry the old one.

# %%
site.write("loans/books/apps.py", """
from django.apps import AppConfig


class LentBooksConfig(AppConfig):
    name = "loans.books"
    label = "lent_books"
""")
print(site.output("python manage.py check"))

# %% [markdown]
# **The trap.** "The project must be in `INSTALLED_APPS` too", and "one app is one page". The bookshop's project package is not in the list, and
# its pages come from `storefront` alone, while `catalog` has models and no page at all. Listing the project does no harm, which keeps the
# belief alive; it makes an app of it:

# %%
print(len(urlpatterns) > 20, find_spec("catalog.urls"))
site.replace("mysite/settings.py", "    'books',\n", "    'books',\n    'mysite',\n")
print(site.output("python manage.py check"))

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *When do you split an app in two?* When a part has its own words, its own tables and its own reason to change, and the other part can
#   be read without it. Not by size: a relation across apps is as cheap as one inside, a circular import is not.
# - *What runs in `AppConfig.ready()`, and how often?* What must happen once all models are there: connecting receivers, registering checks.
#   Once in a process; with `runserver` in two, because the reloader has one of its own. No queries: there may be no table yet.
# - *How do you rename an app that has migrations?* Keep the label, and change only `name` and the package. Otherwise the tables, the rows of
#   `django_migrations` and the content types have to be renamed by hand, in the right order.

# %%
site.write("books/apps.py", """
from django.apps import AppConfig


class BooksConfig(AppConfig):
    name = "books"

    def ready(self):
        print("ready")
""")
print(site.output("python manage.py check").splitlines())
with site.running("python manage.py runserver 8000") as server:
    print(server.log.count("ready"))

# %%
quiz("Q04")

# %% [markdown]
# Now [exercise 02.3](../exercises/02_project_anatomy.ipynb).

# %% [markdown]
# ## Q05 · Choose the right command
#
# *Basic · asked as T20, B9, M5*
#
# **Say it.** `django-admin` and `manage.py` run the same commands; `manage.py` also sets `DJANGO_SETTINGS_MODULE` and puts the project on the
# path. I use `runserver`, `shell` and `test` every day; `makemigrations`, `sqlmigrate` and `migrate` when a model changes; `check --deploy` and
# `collectstatic` before a release; `createsuperuser`, `dumpdata`, `loaddata` and `clearsessions` now and then. Apps bring commands, and I write
# my own for what cron or a colleague should run.
#
# *What lifts it:* which commands change something and which only print: `check`, `sqlmigrate`, `showmigrations` and
# `diffsettings` print.

# %% [markdown]
# **See it.** The same command, called in two ways. What does `django-admin` lack?

# %%
site = scratch("mysite")
site.run("python manage.py check")
site.run("django-admin check --settings mysite.settings --pythonpath .")
print(site.output("django-admin check").splitlines()[-1].split(". ")[0])

# %% [markdown]
# `help` lists commands by the app that brings them. How many has Django itself, and which apps add some? (`staticfiles`
# takes `runserver` over, to serve its files.)

# %%
for owner in ("django.core", *(app.name for app in apps.get_app_configs() if app.name.startswith("django.contrib"))):
    found = sorted(name for name, home in get_commands().items() if home == owner)
    print(owner, len(found), *(found if len(found) < 5 else []))

# %% [markdown]
# **About the project.** `version`, `check`, and `diffsettings`, which prints what differs from Django's defaults:

# %%
print(site.output("python manage.py version") == django.get_version())
print(sorted(set(re.findall(r"security\.W\d+", site.output("python manage.py check --deploy")))))
print(*[line for line in site.output("python manage.py diffsettings").splitlines() if line.startswith(("DEBUG", "ROOT"))])

# %% [markdown]
# Seven warnings that a plain `check` keeps to itself: a green one says nothing about production. "It inspects the entire project" goes too
# far in a second way. When is a check of the database itself asked?

# %% reason="A check, and two ways to ask for it."
@register(Tags.database)
def reachable(app_configs, databases, **kwargs):
    if databases:
        print("asked about", *databases)
    return []


for asked in (None, ["default"]):
    print("databases:", asked)
    call_command("check", databases=asked, stdout=StringIO(), stderr=StringIO())
registry.registered_checks.discard(reachable)

# %% [markdown]
# Only with `--database default`: a plain `check` reads code and settings
# ([reference](https://docs.djangoproject.com/en/stable/ref/django-admin/#check)).
#
# **When a model changes.** `makemigrations` compares models with migration files, `migrate` runs the files. Which of the two notices the new
# model?

# %%
site.run("python manage.py startapp books")
site.replace("mysite/settings.py", "INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'books',")
model = "from django.db import models\n\n\nclass Book(models.Model):\n    title = models.CharField(max_length=200)\n"
site.write("books/models.py", model)
site.output("python manage.py migrate")
print(site.output("python manage.py migrate").splitlines()[-1])
site.run("python manage.py makemigrations")

# %% [markdown]
# `migrate` applied what there was, and only said that something has no migration. Before it runs, look at the SQL and at what is waiting:

# %%
site.run("python manage.py sqlmigrate books 0001")
site.run("python manage.py showmigrations books")
site.run("python manage.py migrate books")

# %% [markdown]
# Many small migrations can be made fewer: `squashmigrations` joins several in a new file, `optimizemigration` shortens one. (The first does
# both, unless told not to, as here.) Where does the column end up that was added later?

# %%
site.write("books/models.py", model + "    pages = models.IntegerField(null=True)\n")
site.output("python manage.py makemigrations --name pages")
site.run("python manage.py squashmigrations books 0002 --no-input --no-optimize", lines=4)
site.run("python manage.py optimizemigration books 0001_squashed_0002_pages")
squashed = site.read("books/migrations/0001_squashed_0002_pages.py")
print("pages" in squashed, "AddField" in squashed)

# %% [markdown]
# It is in the `CreateModel` now.
#
# **Data.** `dumpdata` prints rows as JSON, those of each model's default manager (`--all`: every row); `loaddata` reads them. `flush` empties
# the tables. What is in them right after it, and what does `showmigrations` say?

# %%
site.run("python manage.py migrate", lines=0)
site.write("one.json", '[{"model": "books.book", "pk": 1, "fields": {"title": "Emma"}}]')
site.run("python manage.py loaddata one.json")
site.run("python manage.py dumpdata books")
site.run("python manage.py flush --no-input")
left = site.output("python manage.py dumpdata books auth")
print("books.book" in left, "auth.permission" in left)
site.run("python manage.py showmigrations books")

# %% [markdown]
# Tables and migrations stay, rows go, and `post_migrate` is sent again: so the permissions are back. `sqlflush` and `sqlsequencereset` print
# and change nothing; for SQLite the second has nothing to print. `inspectdb` writes models for tables that exist, not to be managed by Django:

# %%
print(site.output("python manage.py sqlflush").count("DELETE FROM"))
site.run("python manage.py sqlsequencereset books")
print("managed = False" in site.output("python manage.py inspectdb books_book"))

# %% [markdown]
# `dbshell` starts the database's own client. "It uses `USER`, `PASSWORD` and `DB_NAME`", says a list; there is no such key as the last:

# %%
parameters = {"NAME": "shop", "USER": "ida", "HOST": "localhost", "DB_NAME": "other", "OPTIONS": {}}
print(DatabaseClient.settings_to_cmd_args_env(parameters, [])[0])

# %% [markdown]
# The key is `NAME`, and for SQLite it is the file. What is typed goes to that program, `sqlite3`, which must be installed:

# %% tags=["needs-sqlite3"]
if which("sqlite3"):
    site.run("python manage.py dbshell", answers="SELECT count(*) FROM books_book;")
else:
    print("sqlite3 is not installed here: it would print 0.")

# %% [markdown]
# **People and sessions.** `createsuperuser` can run without questions, with the password from the environment. `changepassword` asks at the
# terminal, and refuses whom it does not know:

# %%
site.run("python manage.py createsuperuser --no-input --username ida --email ida@example.com", DJANGO_SUPERUSER_PASSWORD="spell-7")
site.run("python manage.py changepassword nobody")

# %% [markdown]
# What is left behind, some commands remove. Here is an expired session, and the content types of a model that was deleted from `books`, and of one
# whose whole app is gone:

# %%
site.write("leave.py", """
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore

for label in ("books", "gone"):
    ContentType.objects.create(app_label=label, model="deleted")
session = SessionStore()
session.set_expiry(-1)
session.save()
""")
site.run('python manage.py shell --no-imports -c "import leave"')

# %% [markdown]
# Which of the two content types is removed without `--include-stale-apps`?

# %%
print(site.output("python manage.py dumpdata sessions").count("session_data"))
site.run("python manage.py clearsessions")
print(site.output("python manage.py dumpdata sessions").count("session_data"))
site.run("python manage.py remove_stale_contenttypes --no-input --verbosity 2")
site.run("python manage.py remove_stale_contenttypes --no-input --verbosity 2 --include-stale-apps")
site.run("python manage.py createcachetable shop_cache --verbosity 2")

# %% [markdown]
# `clearsessions` belongs into cron, because nothing else removes expired rows. With a content type go the rows that point to it. `createcachetable`
# makes the table of a cache that lives in the database; its name is usually taken from `CACHES`.

# %% [markdown]
# **Mail and files.** `sendtestemail` sends one message, here to the console, which is where a new project of 6.1 sends all. `findstatic` and `collectstatic` come with `staticfiles`, and many lists
# leave them out:

# %%
site.run("python manage.py findstatic admin/css/base.css", lines=1)
site.replace("mysite/settings.py", "STATIC_URL = 'static/'", "STATIC_URL = 'static/'\nSTATIC_ROOT = BASE_DIR / 'collected'")
print("static files copied" in site.output("python manage.py collectstatic --no-input"))
if django.VERSION < (6, 1):
    console = "\nEMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'"
    site.write("mysite/settings.py", site.read("mysite/settings.py") + console)
print("To: ida@example.com" in site.output("python manage.py sendtestemail ida@example.com"))

# %% [markdown]
# **Work and tests.** `runserver` for development, at port 8000 of this machine alone; `testserver` the same on a database made from a fixture;
# `shell` with the models imported (since 5.2). "`test` runs the tests of all installed apps", says a list. Does it find one in a package that is no
# app?

# %%
print(Runserver.default_addr, Runserver.default_port)
print(site.output('python manage.py shell --verbosity 0 -c "print(Book.objects.count())"'))
site.write("outside/__init__.py", "")
site.write("outside/test_a.py", "from unittest import TestCase\n\n\nclass A(TestCase):\n    def test(self):\n        pass")
print(site.output("python manage.py test").splitlines()[0])
with site.running("python manage.py testserver one.json --addrport 8000 --no-input") as server:
    print("Installed 1 object" in server.log, "Do not use it in a production setting" in server.log)

# %% [markdown]
# It does: `test` looks for files named `test*.py` below the current folder, whatever `INSTALLED_APPS` says. And each start of the server prints that it
# is not for production.
#
# **Translations.** `makemessages` collects texts into `.po` files, `compilemessages` turns those into the `.mo` files that Django reads. Both
# call GNU gettext, which must be installed:

# %% tags=["needs-msgfmt"]
site.write("books/views.py", "from django.utils.translation import gettext as _\n\nGREETING = _('Good morning')")
site.write("books/locale/readme.txt", "One folder for each language.")
if which("msgfmt"):
    site.run("python manage.py makemessages --locale de")
    site.replace("books/locale/de/LC_MESSAGES/django.po", 'msgid "Good morning"\nmsgstr ""', 'msgid "Good morning"\nmsgstr "Guten Morgen"')
    site.run("python manage.py compilemessages --verbosity 0")
    site.tree("books/locale/de")
else:
    print("GNU gettext is not installed here: this makes django.po, and from it django.mo.")

# %% [markdown]
# **The trap.** `makemessages` is not `makemigrations`, and `migrate` does not look at models, as you saw above. The third mix-up is to
# call `django-admin` in a project: without settings it knows Django's commands, and none of your apps'. The bookshop's `seed`, asked for in
# both ways:

# %%
shop = scratch(bookshop=True)
print("seed" in shop.output("django-admin help --commands").split())
print("seed" in shop.output("python manage.py help --commands").split())

# %% [markdown]
# **Asked next**
#
# - *How do you write a command, and how do you test it?* A class `Command` in `management/commands/` of an app; its module's name is the
#   command's. Write to `self.stdout`, raise `CommandError` for what the user can mend, and call it in a test with `call_command`.
# - *What does `check --deploy` look at?* Security settings: `DEBUG`, the secret key, HTTPS redirect, HSTS, secure cookies, allowed hosts.
#   It cannot see the web server, the proxy or the network.
# - *What does `shell` import for you?* All models since 5.2; since 6.0 also `settings`, `connection`, `models`, `functions`, `timezone`
#   and `reset_queries`. Override `get_auto_imports()` in a command named `shell` of your own, or pass `--no-imports`.

# %%
class Command(BaseCommand):
    help = "Print how many books cost at most LIMIT."

    def add_arguments(self, parser):
        parser.add_argument("limit", type=float)

    def handle(self, *, limit, **options):
        if limit < 0:
            raise CommandError("A limit is not negative.")
        self.stdout.write(f"{Book.objects.costing_at_most(limit).count()} books")


printed = StringIO()
call_command(Command(), 5, stdout=printed)
print(printed.getvalue())

# %% [markdown]
# `CommandError` has its own ending: one line on the error stream and status 1, no traceback. In a test it is an exception:

# %% tags=["raises-exception"]
call_command(Command(), -1)

# %% [markdown]
# **Versions.** Since 6.0 `startproject` and `startapp` make the folder that they are given, where 5.2 wants it to exist, and a squashed migration
# can be squashed again, where 5.2 refuses. Since 6.1 `sendtestemail` takes `--using`, the name of a mailer:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    site.run("django-admin startapp loans src/loans")
    site.run("python manage.py makemigrations books --empty --name later", lines=2)
    site.run("python manage.py squashmigrations books 0003 --no-input", lines=3)
    print("--using" in site.output("python manage.py sendtestemail --help"))
else:
    print("Django 6.1 makes src/loans, squashes again, and prints True")

# %%
quiz("Q05")

# %% [markdown]
# Now [exercises 02.4 to 02.7](../exercises/02_project_anatomy.ipynb), then chapter
# [03 · Settings and databases](03_settings_and_databases.ipynb).
