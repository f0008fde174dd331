# %% [markdown]
# # 03 · Settings and databases
#
# After this chapter you can say where a setting comes from and why a wrong one goes unnoticed, rotate a secret key
# without logging anybody out, and name the databases that Django supports and what changes when you move from one to
# another.
#
# *Questions: Q06 settings and configuration · Q07 the supported databases.*
# [Exercises 03.1 to 03.9](../exercises/03_settings_and_databases.ipynb) follow.

# %%
from checks import quiz
from lab import postgres, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import ast
import inspect
import pkgutil
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import django
from accounts.models import User
from catalog.models import Author, Book, Genre
from config.environment import required
from django.conf import global_settings, settings
from django.core import mail, signing
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, NotSupportedError, backends, connection, reset_queries, transaction
from django.db.backends.base.features import BaseDatabaseFeatures
from django.db.backends.mysql.features import DatabaseFeatures as MySQLFeatures
from django.db.utils import ConnectionHandler, load_backend
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone
from orders.models import Stock
from reviews.models import Review

# %% [markdown]
# ## Q06 · Configure a project with settings
#
# *Basic · asked as T15, I11, M3*
#
# **Say it.** `settings.py` is a plain Python module whose names in capitals configure the project: apps, middleware,
# databases, templates, the secret key. `DJANGO_SETTINGS_MODULE` says which module it is. Django imports it once in a
# process and lays it over its own defaults; code asks `django.conf.settings`, which knows both. What differs from
# place to place, and every secret, comes from the environment. Nothing should change a setting at runtime; tests
# use `override_settings`.
#
# *What lifts it:* nobody checks the names, so a misspelled or removed setting is ignored in silence;
# `SECRET_KEY_FALLBACKS` rotates the secret key without logging anybody out; and `DEBUG=True` in production shows code,
# variables and settings to whoever causes an error.

# %% [markdown]
# **See it.** One list asks for "the significance of the file" and has lost its name; a quiz asks which file configures
# "the Django applications", without its options. Both mean `settings.py`, and it configures the project: one app is
# configured in its `apps.py`. Who names the module?

# %%
site = scratch("mysite")
for file in ("manage.py", "mysite/wsgi.py", "mysite/asgi.py", "mysite/urls.py"):
    print(file, "'mysite.settings'" in site.read(file))


def ask(expression, project, **environment):
    code = f"from django.conf import settings; print({expression})"
    return project.output(f'python manage.py shell --no-imports -c "{code}"', **environment)


print(ask("settings.SETTINGS_MODULE, settings.ROOT_URLCONF", site))

# %% [markdown]
# The settings in turn name the URLconf. The module says only what is special here: for the rest there are defaults, in
# `django.conf.global_settings`. Is `APPEND_SLASH` among the settings of the bookshop, which never mentions it?

# %%
known = [name for name in dir(global_settings) if name.isupper()]
print(len(known) > 140)
print(settings.is_overridden("DATABASES"), settings.is_overridden("APPEND_SLASH"))
print(settings.APPEND_SLASH)

# %% [markdown]
# Settings of your own are names like any others, as long as they are in capitals. Which of these two does Django take
# over?

# %%
site.write("mysite/shop.py", "from .settings import *\n\nBOOKS_PER_PAGE = 20\nbooks_per_cart = 5")
for name in ("BOOKS_PER_PAGE", "books_per_cart"):
    print(name, ask(f"hasattr(settings, '{name}')", site, DJANGO_SETTINGS_MODULE="mysite.shop"))

# %% [markdown]
# So every name is allowed, and nobody asks whether Django knows it. Two names have lost their last letter here. What
# does `check` say?

# %%
site.write("mysite/live.py", """
from .settings import *

DEBUG = False
ALLOWED_HOST = ["shop.example"]
SECURE_HSTS_SECOND = 3600
""")
site.run("python manage.py check --settings mysite.live")

# %% [markdown]
# Both are settings that nobody reads. `check --deploy` warns that allowed hosts and HSTS are not set, `diffsettings`
# shows the slip. It prints what differs from the defaults, with `###` behind names that have none:

# %%
def unknown_to_django(module):
    lines = site.output(f"python manage.py diffsettings --settings {module}").splitlines()
    return {line.partition(" = ")[0] for line in lines if line.endswith("###")}


print(sorted(unknown_to_django("mysite.live") - unknown_to_django("mysite.settings")))
warnings = site.output("python manage.py check --deploy --settings mysite.live")
print("ALLOWED_HOSTS must not be empty" in warnings, "SECURE_HSTS_SECONDS" in warnings)

# %% [markdown]
# In a test, `override_settings` changes a setting for a method, a class or a block, and puts it back. `FIRST` was read
# when the module was imported. Do both tests pass?

# %% reason="A whole test module, to be run by Django's own runner."
site.write("mysite/tests.py", """
from django.conf import settings
from django.test import SimpleTestCase, override_settings

FIRST = settings.LANGUAGE_CODE


class Language(SimpleTestCase):
    @override_settings(LANGUAGE_CODE="de")
    def test_during(self):
        self.assertEqual((settings.LANGUAGE_CODE, FIRST), ("de", "en-us"))

    def test_otherwise(self):
        self.assertEqual(settings.LANGUAGE_CODE, "en-us")
""")
print(site.output("python manage.py test").splitlines()[-1])

# %% [markdown]
# They do: the constant kept its first value. Read a setting where you use it, in the function, or no test and no
# override reaches it. A script without a project configures by hand, once. And the second time?

# %%
lone = scratch()
lone.write("report.py", """
from django.conf import settings

settings.configure(TIME_ZONE="Europe/Lisbon")
print(settings.TIME_ZONE, settings.APPEND_SLASH)
settings.configure(TIME_ZONE="Europe/Berlin")
""")
lone.run("python report.py")

# %% [markdown]
# **From the environment.** Everything there is text, and every text but the empty one is true. What is `DEBUG` here?

# %%
site.write("mysite/env.py", """
import os

from .settings import *

DEBUG = os.environ.get("DEBUG", False)
""")
print(ask("bool(settings.DEBUG)", site, DJANGO_SETTINGS_MODULE="mysite.env", DEBUG="False"))

# %% [markdown]
# `DEBUG=False`, and the shop would show its inside to everybody. So the bookshop reads each variable as what it is,
# and refuses to start with one sentence. Production, with one more variable each time:

# %%
shop = scratch(bookshop=True)
environment = {"DJANGO_SETTINGS_MODULE": "config.settings.production"}
shop.run("python manage.py check", **environment)
environment["SECRET_KEY"] = "not-for-real-" * 5
shop.run("python manage.py check", **environment)
environment["ALLOWED_HOSTS"] = "shop.example, www.shop.example"
shop.run("python manage.py check", EMAIL_PORT="smtp", **environment)

# %% [markdown]
# The function behind it is short. No default: a secret with a fallback is a secret in the repository.

# %%
print(inspect.getsource(required))
print(ask("settings.ALLOWED_HOSTS", shop, **environment))

# %% [markdown]
# **The trap.** First: settings that were removed. `STATICFILES_STORAGE` is in many tutorials, was replaced by
# `STORAGES` in 4.2 and [removed in
# 5.1](https://docs.djangoproject.com/en/stable/releases/5.1/#features-removed-in-5-1). A project that still has it,
# with all warnings as errors:

# %%
manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
site.write("mysite/old.py", f"from .settings import *\n\nSTATICFILES_STORAGE = '{manifest}'")
site.run("python -W error manage.py check --settings mysite.old")
used = "settings.STORAGES['staticfiles']['BACKEND'].rpartition('.')[2]"
print(ask(used, site, DJANGO_SETTINGS_MODULE="mysite.old"))

# %% [markdown]
# No error, no warning, and no hashed file names. Whoever upgraded has no reason to look. The same setting in its new
# place:

# %%
site.write("mysite/new.py", f"""
from .settings import *

STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "{manifest}"}},
}}
""")
print(ask(used, site, DJANGO_SETTINGS_MODULE="mysite.new"))

# %% [markdown]
# Second: `from mysite import settings`. It works on the first day, since it is a module. It has no defaults, no
# overrides, and it is always this one, whatever module the environment names:

# %%
site.write("probe.py", """
from django.conf import settings
from mysite import settings as module

print(settings.DEBUG, module.DEBUG)
print(hasattr(settings, "APPEND_SLASH"), hasattr(module, "APPEND_SLASH"))
""")
site.run("python probe.py", DJANGO_SETTINGS_MODULE="mysite.live")

# %% [markdown]
# Third: assigning at runtime. It changes one process of many, and Django has often used the old value already. Predict
# the second and the third line:

# %%
print(settings.TIME_ZONE, timezone.get_default_timezone_name())
settings.TIME_ZONE = "Asia/Tokyo"
print(settings.TIME_ZONE, timezone.get_default_timezone_name())
settings.TIME_ZONE = "UTC"
with override_settings(TIME_ZONE="Asia/Tokyo"):
    print(settings.TIME_ZONE, timezone.get_default_timezone_name())

# %% [markdown]
# Django had worked out the zone when it was first asked, and kept it. `override_settings` sends the signal
# `setting_changed`, and Django's receivers forget what they had kept. Not all of it: the documentation [advises
# against](https://docs.djangoproject.com/en/stable/topics/testing/tools/#overriding-settings) `DATABASES` there.

# %% [markdown] reason="Three questions of the syllabus, each with its answer."
# **Asked next**
#
# - *Where do secrets live, and how do you rotate `SECRET_KEY`?* In the environment or in a secret store that fills it,
#   never in the repository. Deploy with the new key in `SECRET_KEY` and the old one in `SECRET_KEY_FALLBACKS`: new
#   signatures come from the new key, old ones are still good. Take the old key out when the last of them has expired.
#   If it leaked, do without the fallback: everybody logs in again. In a rolling deploy there is a step before, shown
#   below.
# - *What happens with `DEBUG=True` in production?* An error shows code, local variables and settings to whoever caused
#   it; a 404 shows the URLs; all queries are kept in memory. Shown below.
# - *How does `MAILERS` replace `EMAIL_*`?* Below, at the versions.

# %%
with override_settings(SECRET_KEY="old"):
    voucher = signing.dumps({"percent": 10})

for fallbacks in ([], ["old"]):
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=fallbacks):
        try:
            print(fallbacks, signing.loads(voucher))
        except signing.BadSignature:
            print(fallbacks, "BadSignature")

# %% [markdown]
# A session holds a hash that is made with the key. Anna comes by while both keys are good, José only after the old one
# has gone. Who has to log in again?

# %%
anna, jose = Client(), Client()
with override_settings(SECRET_KEY="old"):
    anna.force_login(User.objects.get(username="anna"))
    jose.force_login(User.objects.get(username="jose"))
with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
    print("anna", anna.get("/account/").status_code)
with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
    print("anna", anna.get("/account/").status_code, "jose", jose.get("/account/").status_code)
reset()

# %% [markdown]
# José is sent to the login. Anna's session was signed anew in passing, and she noticed nothing.
#
# In a rolling deploy old and new processes answer side by side for a while. Anna's first request meets a new one, the
# second an old one. Is she still logged in?

# %%
new = {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["old"]}
for fallbacks in ([], ["new"]):
    old = {"SECRET_KEY": "old", "SECRET_KEY_FALLBACKS": fallbacks}
    anna = Client()
    with override_settings(**old):
        anna.force_login(User.objects.get(username="anna"))
    for process in (new, old):
        with override_settings(**process):
            print(process, anna.get("/account/").status_code)
reset()

# %% [markdown]
# Not in the first case: the old process does not know the key that has just signed. So with a rolling deploy the new
# key first goes into the fallbacks everywhere, and a second deploy exchanges the two.

# %% [markdown]
# Now `DEBUG`. The page for an error hides settings whose names say `KEY`, `PASS`, `SECRET` or the like. What of a
# password inside a URL?

# %%
def pay(request):
    card = "4111 1111 1111 1111"
    raise RuntimeError("The bank does not answer.")


address = "redis://:hunter2@cache.example:6379/0"
place = {"ROOT_URLCONF": (path("pay/", pay),), "REDIS_URL": address, "SECRET_KEY": "s3cr3t"}
for debug in (True, False):
    with override_settings(DEBUG=debug, **place):
        page = Client(raise_request_exception=False).get("/pay/").content.decode()
    print(debug, [word for word in ("4111 1111", "hunter2", "s3cr3t") if word in page])

# %% [markdown]
# The card is a local variable, and the password stands in a setting with a harmless name: both are on the page. The
# 404 lists the URLs. And every statement is kept until the next request begins, so a command that runs for hours keeps
# the last 9,000:

# %%
for debug in (True, False):
    with override_settings(DEBUG=debug):
        lost = Client().get("/nowhere/").content.decode()
        reset_queries()
        for number in range(50):
            Book.objects.filter(pk=number).exists()
        print(debug, "Using the URLconf" in lost, len(connection.queries))
print(connection.queries_log.maxlen)

# %% [markdown]
# **Versions.** Since 6.1 mail is configured like databases and caches, by name: each entry of `MAILERS` has a
# `BACKEND` and `OPTIONS`, and `using=` picks one. The `EMAIL_*` settings of backend and server are
# [deprecated](https://docs.djangoproject.com/en/6.1/releases/6.1/), and so are `get_connection()` and `fail_silently`.
# On 5.2 there is one `EMAIL_BACKEND`, and `connection=` for a message that takes another.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    memory = {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
    with override_settings(MAILERS={"default": memory, "newsletter": memory}):
        print(sorted(mail.mailers))
        print(mail.send_mail("Spring", "New books.", None, ["anna@example.org"], using="newsletter"))
        try:
            mail.send_mail("Spring", "New books.", None, ["anna@example.org"], using="letters")
        except mail.MailerDoesNotExist as error:
            print(type(error).__name__)
else:
    print("Django 6.1 prints ['default', 'newsletter'], 1 and MailerDoesNotExist")

# %% [markdown]
# Old and new do not mix, and here Django does speak up. What `startproject` made has `MAILERS`; one line from an old
# project beside it:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    site.write("mysite/mails.py", "from .settings import *\n\nEMAIL_HOST = 'smtp.example'")
    print(site.output("python manage.py check --settings mysite.mails").splitlines()[-1])
else:
    print("Django 6.1 raises ImproperlyConfigured and names EMAIL_HOST")

# %%
quiz("Q06")

# %% [markdown]
# Now [exercises 03.1 to 03.4](../exercises/03_settings_and_databases.ipynb).

# %% [markdown]
# ## Q07 · Name the databases that Django supports
#
# *Basic · asked as I6, M2*
#
# **Say it.** Five, through four backends: PostgreSQL, MySQL and MariaDB, which share one, Oracle and SQLite. Each
# release has minimum versions; Django 6.1 wants PostgreSQL 15, MySQL 8.4, MariaDB 10.11, SQLite 3.37 or Oracle 19c.
# SQL Server, CockroachDB, MongoDB and others have backends that third parties maintain, at their own pace. No NoSQL
# database is officially supported. I develop on the database that production uses, and that is mostly PostgreSQL.
#
# *What lifts it:* the same queryset can answer differently on two of them, and you can say where: `contains` ignores
# the case of ASCII letters on SQLite, NULLs come first there and last on PostgreSQL, and `select_for_update()` locks
# nothing.

# %% [markdown]
# **See it.** A backend is a package, and Django brings these. Two of the six are no database. Which?

# %%
print([module.name for module in pkgutil.iter_modules(backends.__path__) if module.ispkg])
print(ConnectionHandler({}).settings["default"]["ENGINE"])

# %% [markdown]
# `base` is what all of them extend, and `dummy` stands in where `DATABASES` names none. A quiz asks which database is
# not supported by default, and its options are lost. Any NoSQL database is a right answer, MongoDB the usual one:

# %%
try:
    load_backend("django.db.backends.mongodb")
except ImproperlyConfigured as error:
    print(error)

# %% [markdown]
# The list that circulates has four names and forgets MariaDB. It has no backend of its own: the `mysql` one asks the
# server who it is. A stand-in for the server is enough to see that it treats the two differently:

# %%
mariadb = SimpleNamespace(mysql_is_mariadb=True, mysql_version=(11, 4))
mysql = SimpleNamespace(mysql_is_mariadb=False, mysql_version=(8, 4))
for name, server in {"MariaDB": mariadb, "MySQL": mysql}.items():
    features = MySQLFeatures(server)
    print(name, features.can_return_rows_from_bulk_insert, features.has_native_uuid_field)

# %% [markdown]
# `INSERT … RETURNING` and a column type for UUIDs: MariaDB has both (the type since 10.7), MySQL neither.
#
# What a database can do stands in `features.py` of its backend. On 5.2 Oracle's cannot be imported without the driver,
# so this reads the text. Which of the four can take back half a migration?

# %%
def declared(backend, feature):
    source = (Path(backends.__path__[0]) / backend / "features.py").read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == feature:
            return ast.literal_eval(node.value)
    return getattr(BaseDatabaseFeatures, feature)


builtin = ("postgresql", "sqlite3", "mysql", "oracle")
for feature in (
    "can_rollback_ddl", "has_select_for_update", "supports_partial_indexes", "interprets_empty_strings_as_nulls"
):
    print(feature, *[backend for backend in builtin if declared(backend, feature)])

# %% [markdown]
# A migration that fails half-way leaves MySQL and Oracle with the first half. SQLite has no row locks, an index with a
# condition is for the first two, and Oracle stores no empty text: it becomes NULL.
#
# Now a real server. The connection tells the same of itself, on SQLite and on PostgreSQL:

# %%
def on_both(question):
    print(connection.vendor, question())
    if postgres.available():
        with postgres():
            print(connection.vendor, question())
    else:
        print(postgres.why_not())


features = ("supports_json_field", "has_native_json_field", "can_distinct_on_fields")
on_both(lambda: [getattr(connection.features, feature) for feature in features])

# %% [markdown]
# JSON works on both, with a column type of its own on PostgreSQL only. Next, three querysets, the same rows, two
# databases. The shop has "Emma", "Thérèse Raquin", and books without a rating. Predict both lines:

# %%
def answers():
    shouted = Book.objects.filter(title__contains="EMMA").count()
    accented = Book.objects.filter(title__icontains="THÉRÈSE").count()
    first = Book.objects.order_by("rating", "pk").first()
    return f"shouted {shouted}, accented {accented}, first rating {first.rating}"


on_both(answers)

# %% [markdown]
# All three differ. `LIKE` in SQLite [ignores case, for ASCII letters
# only](https://docs.djangoproject.com/en/stable/ref/databases/#substring-matching-and-case-sensitivity): so `contains`
# finds too much, and `icontains` too little where there are accents. In ascending order NULL comes first there, and
# last in PostgreSQL; `F("rating").asc(nulls_last=True)` says it for both.

# %% [markdown]
# Some things only one of them can do. What does the other one do: refuse, or nothing?

# %%
def lock():
    with transaction.atomic():
        statement = str(Stock.objects.select_for_update(skip_locked=True).filter(pk=1).query)
    return statement.partition(" WHERE ")[2]


def one_per_language():
    try:
        return Book.objects.order_by("language").distinct("language").count()
    except NotSupportedError as error:
        return type(error).__name__


on_both(lock)
on_both(one_per_language)

# %% [markdown]
# `DISTINCT ON` is refused. The lock is left out without a word, for SQLite knows only [locks on the whole
# file](https://www.sqlite.org/lockingv3.html): code that forgets to lock passes its tests there as well. The length of
# a text is not looked at either:

# %%
def too_long():
    try:
        with transaction.atomic():
            Genre.objects.create(name="x" * 500, slug="long")
    except DataError as error:
        return type(error).__name__
    return "stored"


on_both(too_long)
reset()

# %% [markdown]
# **The trap.** A widely read list names as third-party backends "ODBC, Microsoft SQL Server, IBM DB2, SAP SQL Anywhere
# and Firebird". ODBC is a way to talk to databases, DB2 and SQL Anywhere have left the page, and others came:
# [today](https://docs.djangoproject.com/en/stable/ref/databases/#using-a-3rd-party-database-backend) CockroachDB,
# Firebird, Google Cloud Spanner, SQL Server, MongoDB, Snowflake, TiDB and YugabyteDB. Django ships none of them:

# %%
names = ["odbc", "mssql", "db2", "sqlanywhere", "firebird", "cockroachdb", "mongodb", "snowflake"]
print([name for name in names if find_spec(f"django.db.backends.{name}")])

# %% [markdown]
# What is a third-party backend, then? A package with a module `base` and a `DatabaseWrapper` in it. Django imports it
# by its path and asks no more. Here is one:

# %%
site = scratch("mysite")
site.write("shelf/__init__.py", "")
site.write("shelf/base.py", """
from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    display_name = "Shelf"
""")
site.replace("mysite/settings.py", "django.db.backends.sqlite3", "shelf")
print(site.output("python manage.py migrate").splitlines()[-1])
code = "from django.db import connection; print(connection.display_name, connection.vendor)"
print(site.output(f'python manage.py shell --no-imports -c "{code}"'))

# %% [markdown]
# So "it has a backend" is not "Django supports it". Supported means that the Django project answers for it; with the
# others you ask their makers. Look at which Django a backend is released for, who keeps it, and what it switches off.
# MongoDB's is made by MongoDB and [lists
# that](https://www.mongodb.com/docs/languages/python/django-mongodb/current/limitations-upcoming/); [the
# FAQ](https://docs.djangoproject.com/en/stable/faq/models/) on NoSQL still says: not officially.

# %% [markdown] reason="Three questions of the syllabus, each with its answer."
# **Asked next**
#
# - *How do you use two databases?* Name both in
#   [`DATABASES`](https://docs.djangoproject.com/en/stable/topics/db/multi-db/). `using("archive")` picks one for a
#   queryset, `save(using=…)` for an object, a router in `DATABASE_ROUTERS` for everything that did not say. `migrate`
#   does one database at a time, and `atomic()` covers only the one it names. There are no joins or foreign keys
#   across.
# - *Is SQLite acceptable in production?* On one machine and with few writers, yes: WAL, `transaction_mode`
#   `IMMEDIATE`, a generous `timeout`. One writes at a time, and the file wants [a local
#   disk](https://www.sqlite.org/whentouse.html), so not behind several servers.
# - *Which ORM features differ between SQLite and PostgreSQL?* Those above, and what `django.contrib.postgres` adds:
#   arrays, ranges, full-text search, exclusion constraints.

# %%
if postgres.available():
    with postgres("archive"):
        emma = Book.objects.using("archive").get(slug="emma")
        emma.title = "Emma, archived"
        emma.save()
        print(emma._state.db, Book.objects.get(slug="emma").title)
        print(Book.objects.using("archive").get(slug="emma").title)
else:
    print(postgres.why_not())

# %% [markdown]
# An object remembers where it came from, and is saved there. A router decides for what nobody decided: here the
# reviews live in PostgreSQL, and the rest in SQLite. Then two steps across: an author from there for a book from here,
# and a subquery. Which one works?

# %% reason="A router is a class, and it takes two databases to see it."
class ReviewsElsewhere:
    def db_for_read(self, model, **hints):
        return "archive" if model._meta.app_label == "reviews" else None

    db_for_write = db_for_read


if postgres.available():
    with postgres("archive"), override_settings(DATABASE_ROUTERS=[ReviewsElsewhere()]):
        print(Review.objects.all().db, Book.objects.all().db)
        print(Review.objects.filter(stars=5).exists())
        try:
            Book.objects.get(slug="emma").author = Author.objects.using("archive").first()
        except ValueError as error:
            print(type(error).__name__)
        try:
            list(Book.objects.filter(author__in=Author.objects.using("archive").all()))
        except ValueError as error:
            print(type(error).__name__)
else:
    print(postgres.why_not())

# %% [markdown]
# Neither: both sides of a relation belong in one database, and so do both parts of a query. What the bookshop tells
# SQLite, and what became of it:

# %%
print(connection.settings_dict["OPTIONS"]["transaction_mode"])
with connection.cursor() as cursor:
    for question in ("journal_mode", "busy_timeout", "foreign_keys"):
        print(question, cursor.execute(f"PRAGMA {question}").fetchone()[0])

# %% [markdown]
# WAL lets people read while one writes. `IMMEDIATE` takes the write lock at the beginning and [waits for
# it](https://docs.djangoproject.com/en/stable/ref/databases/#sqlite-transaction-behavior), where a transaction that
# reads first and writes later may fail at once. `transaction_mode` and `init_command` are there [since
# 5.1](https://docs.djangoproject.com/en/stable/releases/5.1/).

# %% [markdown]
# **Versions.** The lists give no minimum versions, and these rise from release to release: look at the server before
# you upgrade Django. 5.2 took PostgreSQL 14, MySQL 8.0.11, MariaDB 10.5 and SQLite 3.31. From the sources of the
# Django that runs here:

# %% tags=["since-6.1"]
for backend in ("postgresql", "sqlite3", "oracle"):
    print(backend, declared(backend, "minimum_database_version"))
print("mysql", MySQLFeatures(mysql).minimum_database_version)
print("mariadb", MySQLFeatures(mariadb).minimum_database_version)
if django.VERSION < (6, 1):
    print("Django 6.1 prints (15,), (3, 37), (19,), (8, 4) and (10, 11)")

# %% [markdown]
# An older server is refused with its first connection, by this method, here with a minimum that nobody has. In the
# same way drivers go: 6.0 [dropped](https://docs.djangoproject.com/en/6.0/releases/6.0/) `cx_Oracle` for `oracledb`.

# %%
with patch.object(connection.features, "minimum_database_version", (99,)):
    try:
        connection.check_database_version_supported()
    except NotSupportedError as error:
        print(str(error).partition(" (found")[0])

# %%
quiz("Q07")

# %% [markdown]
# Now [exercises 03.5 to 03.9](../exercises/03_settings_and_databases.ipynb), then chapter [04 · URLs, requests,
# middleware](04_urls_requests_middleware.ipynb).
