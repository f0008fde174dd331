# %% [markdown]
# # 25 · Deployment
#
# After this chapter you can put a Django site on a real server, replace its code while people use it, count the
# connections it needs, and say what you look at first when it is slow. You will have measured that nothing got lost.
#
# *Questions: Q64 deployment best practices.* The cells start real servers with a copy of the bookshop. gunicorn and
# its signals need Linux or macOS. [Exercises 25.1 to 25.8](../exercises/25_deployment.ipynb) follow.

# %%
from checks import quiz
from lab import get, postgres, queries, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import json
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

import django
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from orders.models import Order

# %% [markdown]
# ## Q64 · Deploy, and lose no request
#
# *Advanced · asked as T-A4*
#
# **Say it.** Behind a proxy that does HTTPS, gunicorn runs several workers, or uvicorn where there are web sockets.
# One image goes everywhere; keys, hosts and the database come from the environment. Static files are collected when
# it is built. A deploy migrates once, in steps that the running code survives, then starts new workers, waits until
# they are ready and lets the old ones finish. `check --deploy` guards the settings; logs, error tracking and a
# backup that was restored do the rest.
#
# *What lifts it:* connections are workers times pool, twice during a deploy; liveness asks for nothing, readiness
# for what no page can do without; a column is added before the code that needs it and dropped after the code that
# did; and you have measured it.

# %% [markdown]
# **See it.** The settings of production read the environment. What does a command say that finds nothing there, and
# what when the two variables without a default are set?

# %%
shop = scratch(bookshop=True)
LIVE = {"DJANGO_SETTINGS_MODULE": "config.settings.production", "WEB_CONCURRENCY": "2"}
shop.run("python manage.py check", **LIVE)

LIVE |= {"SECRET_KEY": "not-for-real-" * 5, "ALLOWED_HOSTS": "shop.example"}
shop.run("python manage.py check --deploy", **LIVE)

# %% [markdown]
# One sentence, and the process ends before it serves a page. A default key would have started, and signed sessions
# with what everybody can read. The silence of `check --deploy` is earned; a new project, in contrast:

# %%
site = scratch("mysite")
for option in ("", "--fail-level WARNING"):
    told = site.output(f"python manage.py check --deploy --tag security {option}")
    print(sorted(set(re.findall(r"W\d+", told))), site.status)

# %% [markdown]
# Seven warnings, and only with `--fail-level WARNING` a status that stops a pipeline. What `--deploy` adds looks at
# settings: it has seen no server, no certificate and no backup. One thing it learned lately:

# %% tags=["since-6.1"]
told = site.output("python manage.py check --deploy --tag mail")
if django.VERSION >= (6, 1):
    print(re.findall(r"mail\.E\d+", told), site.status)
else:
    print("Django 6.1 prints ['mail.E001'] 1; 5.2 has no setting MAILERS and no such check.")

# %% [markdown]
# The project template of 6.1 prints letters to the console, and the check calls that an error.
#
# A value from the environment is text. Which of these four is a mistake that started without complaint?

# %%
for value in ("1", "0", "False", ""):
    print(repr(value), bool(value), value.lower() in {"1", "true", "yes", "on"})

# %% [markdown]
# `bool("False")` is true: `DEBUG=False` in the environment switches it on. The shop's `switch()` accepts a few words
# and refuses all others:

# %%
shop.run("python manage.py check", **LIVE, EMAIL_USE_TLS="ture")

# %% [markdown]
# **Static files** are collected once, when the image is built. Then a server: two workers of gunicorn. What do they
# answer to a page over HTTPS, over HTTP, for another host, and for a style sheet?

# %% reason="Two commands, and the two helpers of the chapter."
shop.output("python manage.py collectstatic --no-input", **LIVE)
GUNICORN = "gunicorn -c config/gunicorn.py config.wsgi --bind 127.0.0.1:8000"
UVICORN = "uvicorn config.asgi:application --port 8000"
on_unix = os.name != "nt"


def wait_until(condition):
    deadline = time.monotonic() + 50
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def ask(server, path, host="shop.example", proto="https", patience=50, **headers):
    """Status, headers and text, as the proxy asks; status 0 where no answer comes."""
    headers |= {"Host": host, "X-Forwarded-Proto": proto}
    client = HTTPConnection(server.url.removeprefix("http://"), timeout=patience)
    with closing(client), suppress(OSError, HTTPException):
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    return 0, {}, ""

# %%
LIVE |= {"TRUST_X_FORWARDED_PROTO": "1"}
if on_unix:
    with shop.running(GUNICORN, **LIVE) as server:
        status, headers, page = ask(server, "/books/emma/")
        print(status, headers["Strict-Transport-Security"])
        print(ask(server, "/books/emma/", proto="http")[0])
        print(ask(server, "/", host="elsewhere.example")[0])
        sheet = re.search(r"/static/storefront/shop\.\w+\.css", page)[0]
        print(ask(server, sheet)[1]["Cache-Control"])
else:
    print("gunicorn needs Linux or macOS; in WSL these cells run.")

# %% [markdown]
# HTTPS for a year, a redirect, a 400 for a host that nobody named, and a file kept for ten years: its name holds a
# digest of its content, so new content has a new name. uvicorn serves the same, and web sockets, with two workers as
# well:

# %%
with shop.running(f"{UVICORN} --workers 2", **LIVE) as server:
    wait_until(lambda: server.log.count("Started server process") == 2)
    page = ask(server, "/books/emma/")[2]
    sheet = re.search(r"/static/storefront/shop\.\w+\.css", page)[0]
    print(ask(server, sheet)[1]["Cache-Control"])

# %% [markdown]
# Both run workers of their own, and both can replace one after so many requests: `max_requests` here,
# `--limit-max-requests` there. `uvicorn.workers`, which put uvicorn into gunicorn, is deprecated in favour of [a package
# of its own](https://github.com/Kludex/uvicorn-worker).
#
# And if somebody forgets `collectstatic`? Predict three statuses:

# %%
with shop.running(UVICORN, **LIVE, STATIC_ROOT="empty") as server:
    for url in ("/health/live/", "/health/ready/", "/books/emma/"):
        print(url, ask(server, url)[0])

# %% [markdown]
# Templates ask for names with a digest, the list of them is missing, and each page fails, while both health pages
# are content. So a deploy ends with a request for a real page, before visitors come.

# %% [markdown]
# **Health.** Two questions, two addresses. How many queries does each ask?

# %%
for url in ("/health/live/", "/health/ready/"):
    with queries(quiet=True) as seen:
        get(url)
    print(len(seen), "queries")

# %% [markdown]
# Now the database misses a migration, as while new code waits for it. Which answer stays 200?

# %%
with connection.cursor() as cursor:
    cursor.execute("DELETE FROM django_migrations WHERE app = 'reviews'")
client = Client()
for url in ("/health/live/", "/health/ready/"):
    answer = client.get(url)
    print(answer.status_code, answer.json())
reset()

# %% [markdown]
# A process that does not live is restarted; one that is not ready gets no requests until it is. Ask the database in
# the liveness probe, and its two minutes of absence restart every process you have. Readiness has its price, too: what
# all processes share takes all of them off the list at once, so ask for nothing that the pages can do without. The 503
# names the part; the cause, which may hold a password, is in the log alone.

# %% [markdown]
# **A graceful end.** A deploy ends processes with SIGTERM. A page is half done at that moment. The experiment: begin
# a page, send the signal, wait until no new request gets in, then let the page finish.

# %% reason="One experiment, to be read as a whole: it is run on three servers."
SLOW = {**LIVE, "DJANGO_SETTINGS_MODULE": "config.tests.slow_settings"}


def process_of(server):
    """The process that was started; its workers are `children()`."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if " ".join(child.cmdline()).endswith(server.url.rpartition(":")[2]):
                return child


def end_during_a_page(command):
    """The status of a page that was under way when its server got SIGTERM."""
    folder = scratch()
    options = SLOW | {"SLOW_FOLDER": str(folder.path)}
    with shop.running(command, **options) as server, ThreadPoolExecutor(1) as visitor:
        page = visitor.submit(ask, server, "/slow/")
        wait_until((folder.path / "begun").exists)
        process_of(server).terminate()
        wait_until(lambda: ask(server, "/health/live/", patience=1)[0] == 0)
        (folder.path / "end").touch()
        return page.result()[0]

# %% [markdown]
# What status does the visitor get from each? 0 stands for no answer at all.

# %%
RUNSERVER = "python manage.py runserver --noreload 8000"
if on_unix:
    for command in (GUNICORN, UVICORN, RUNSERVER):
        print(command.split()[0], end_during_a_page(command))
else:
    print("Windows has no SIGTERM that a process could answer.")

# %% [markdown]
# Both finish what they began; `runserver` drops it. gunicorn gives its workers `graceful_timeout`, uvicorn waits
# without end unless `--timeout-graceful-shutdown` is set, and whatever runs them has to wait longer: Kubernetes and
# Compose kill after [30](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination) and
# [10](https://docs.docker.com/reference/compose-file/services/#stop_grace_period) seconds by default.

# %% [markdown]
# **A rolling restart, measured.** Four visitors ask without a pause, the code changes, and SIGHUP makes gunicorn
# replace its workers. How many requests get lost, and which release answers?

# %% reason="Start, change, signal, and the count: one experiment."
def lost_while(server, change):
    """Four visitors ask during `change`: how many got no 200, and the releases that answered."""
    over, answers = Event(), []

    def visit():
        while not over.is_set():
            answers.append(ask(server, "/health/live/"))

    def some_more():
        enough = len(answers) + 20
        wait_until(lambda: len(answers) > enough)

    with ThreadPoolExecutor(4) as visitors:
        for _ in range(4):
            visitors.submit(visit)
        try:
            some_more()
            change()
            some_more()
        finally:
            over.set()
    return sum(status != 200 for status, _, _ in answers), sorted({text for _, _, text in answers})

# %%
def new_release():
    gunicorn = process_of(server)
    before = set(gunicorn.children())
    shop.replace("config/health.py", '{"status": "ok"}', '{"status": "ok", "release": 2}')
    gunicorn.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & set(gunicorn.children()))


if on_unix:
    with shop.running(GUNICORN, **LIVE) as server:
        lost, releases = lost_while(server, new_release)
        print("lost:", lost)
        print(*releases, sep="\n")

# %% [markdown]
# None. The socket stays open in the master while the workers change, and for a moment both releases may answer: what
# one writes into tables, caches and queues, the other reads. [HUP](https://gunicorn.org/signals/) takes new code in the
# same folder, under a master with the old environment. Each visit had a connection of its own; on one that a proxy
# keeps, a request can cross its close, and the proxy [asks again where that does no
# harm](https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1).
#
# With several machines, new processes start beside the old. In this order: ready, into the list of the load
# balancer, the old one out of it, SIGTERM last. Here SIGTERM comes first:

# %%
def stop_before_it_left_the_list():
    process_of(server).terminate()
    wait_until(lambda: ask(server, "/health/live/")[0] == 0)


if on_unix:
    with shop.running(GUNICORN, **LIVE) as server:
        lost, _ = lost_while(server, stop_before_it_left_the_list)
        print("lost some:", lost > 0)

# %% [markdown]
# A new release that cannot be imported: does HUP keep the old workers?

# %%
if on_unix:
    with shop.running(GUNICORN, **LIVE | {"WEB_CONCURRENCY": "1"}) as server:
        print("before:", ask(server, "/health/live/")[0])
        shop.write("config/wsgi.py", shop.read("config/wsgi.py") + "import config.mistyped")
        process_of(server).send_signal(signal.SIGHUP)
        wait_until(lambda: ask(server, "/health/live/")[0] == 0)
        print("after:", ask(server, "/health/live/")[0])
    shop.replace("config/wsgi.py", "import config.mistyped\n", "")

# %% [markdown]
# It does not: a worker that fails to boot ends the master. So the release is checked before the signal, with
# `manage.py check` in it at least; or it starts beside the old one and has to become ready first.

# %% [markdown]
# **Migrations while the site runs.** Both releases meet one schema. Release 1 has a column `shelf`, release 2 does
# without. What do visitors see if the column goes first, and the code second?

# %%
PAGES = "    pages = models.PositiveSmallIntegerField(null=True, blank=True)\n"
SHELF = "    shelf = models.CharField(max_length=10, null=True)\n"
# What AddField and RemoveField send.
ADD, DROP = "ADD COLUMN shelf varchar(10) NULL", "DROP COLUMN shelf"


def migrate(change):
    with closing(sqlite3.connect(shop.path / "db.sqlite3")) as database, database:
        database.execute(f"ALTER TABLE catalog_book {change}")
    return ask(server, "/books/emma/")[0]


def replace_workers(server):
    gunicorn = process_of(server)
    before = set(gunicorn.children())
    gunicorn.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & set(gunicorn.children()))

# %% reason="The wrong order and the right one, on one server."
if on_unix:
    shop.replace("catalog/models.py", PAGES, PAGES + SHELF)
    with shop.running(GUNICORN, **LIVE | {"WEB_CONCURRENCY": "1"}) as server:
        print("release 1, column missing:", ask(server, "/books/emma/")[0])
        print("release 1, column added:  ", migrate(ADD))
        print("release 1, column dropped:", migrate(DROP))
        print("release 1, column back:   ", migrate(ADD))

        shop.replace("catalog/models.py", SHELF, "")
        replace_workers(server)
        print("release 2, column there:  ", ask(server, "/books/emma/")[0])
        print("release 2, column dropped:", migrate(DROP))

# %% [markdown]
# Django names every column of a model in its SELECT, if no `only()` or `values()` says otherwise. So one that is gone
# breaks the pages of the old code that read the table. What the new code needs is added before it; what the old code
# needs is dropped after it, in the deploy that follows. Required columns, renames and locks:
# [Q26](09_migrations.ipynb).

# %% [markdown]
# **Connections.** Thirty visitors come at once, and a lock keeps each page waiting in the database. How many
# connections hold one process of gunicorn with its 8 threads, and one of uvicorn?

# %% reason="One experiment, run three times with another server or option."
def connections_of(command, at_least, pool="", visitors=30):
    """How many wait in PostgreSQL when all ask at once, and how many are answered in the end."""

    def waiting():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return cursor.fetchone()[0]

    options = {**LIVE, "WEB_CONCURRENCY": "1", "DATABASE_URL": database.url + pool}
    with shop.running(command, **options) as server, ThreadPoolExecutor(visitors) as crowd:
        with closing(connection.copy()) as holder:
            holder.set_autocommit(False)
            holder.cursor().execute("LOCK TABLE catalog_book")
            pages = [crowd.submit(ask, server, "/books/emma/") for _ in range(visitors)]
            wait_until(lambda: waiting() >= at_least)
            held = waiting()
        return held, sum(page.result()[0] == 200 for page in pages)

# %%
if on_unix and postgres.available():
    with postgres() as database:
        print("gunicorn, 8 threads:", connections_of(GUNICORN, 8))
else:
    print("This needs gunicorn and PostgreSQL.")

# %%
if postgres.available():
    with postgres() as database:
        print("uvicorn, pool of 10:", connections_of(UVICORN, 10))
else:
    print(postgres.why_not())

# %%
if postgres.available():
    with postgres() as database:
        print("uvicorn, no pool:", connections_of(UVICORN, 30, "?pool=false"))
else:
    print(postgres.why_not())

# %% [markdown]
# Threads bound the first, the pool the second, and nothing the third: under ASGI each request at a synchronous view
# has a thread of its own, and each thread a connection. The others waited and were answered. Now the sum, for two
# machines:

# %%
def connections(machines, workers, pool, tasks, spare=10):
    """Every day and in a deploy; `spare` is for people, and for what PostgreSQL reserves."""
    serving = machines * workers * pool
    return serving + tasks + spare, 2 * serving + tasks + spare


for pool in (10, 4):
    print(pool, connections(machines=2, workers=4, pool=pool, tasks=8))

# %% [markdown]
# During a deploy old and new serve side by side. PostgreSQL's own limit is [typically
# 100](https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS): a pool of 10 fits
# every day but that one. A smaller pool costs little while pages are short; for hundreds
# of processes PgBouncer stands in between ([Q42](14_transactions_and_connections.ipynb)).

# %% [markdown]
# **The log.** One JSON line per record, with the id of the request. The page `/broken/` raises; its query holds a
# token. What reaches the log?

# %%
with shop.running(UVICORN, **SLOW) as server:
    status, headers, text = ask(server, "/broken/?token=c0de")
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    [entry] = [line for line in lines if line["logger"] == "django.request"]
    print(status, entry["level"], entry["path"], entry["exception"].splitlines()[-1])
    print(entry["request_id"] == headers["X-Request-ID"])
    print("ArithmeticError" in text, "c0de" in json.dumps(entry))

# %% [markdown]
# The visitor has the id, the log has the rest. A program writes to stderr, and whatever runs it collects that. But the
# servers write lines of their own. Ask uvicorn for a page, under a new project and under the shop: who writes the token?

# %%
for project, module, host in ((site, "mysite", "localhost"), (shop, "config", "shop.example")):
    options = LIVE if project is shop else {}
    with project.running(f"uvicorn {module}.asgi:application --port 8000", **options) as server:
        ask(server, "/nowhere/?token=c0de", host)
        wait_until(lambda: "GET /nowhere/" in server.log)
        print(module, "c0de" in server.log)

# %% [markdown]
# uvicorn writes the path with its query. [`--no-access-log`](https://www.uvicorn.org/settings/#logging) leaves the line
# out, though not that of a web socket; the shop's `config/logging.py` has a filter for both. gunicorn's format is a
# setting, and the shop's names the path alone.

# %% [markdown]
# **Error tracking** hangs on the same records. It groups: a thousand failures of one line are one problem. How many
# groups do these four make?

# %% reason="A tracker in little: the handler, a view, and its groups."
class Tracker(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.groups = Counter()

    def emit(self, record):
        if record.exc_info:
            place = traceback.extract_tb(record.exc_info[2])[-1]
            self.groups[record.exc_info[0].__name__, place.name] += 1


def pay(request, order):
    if order == 7:
        raise KeyError("no card")
    raise ValueError(f"order {order} cannot be paid")


tracker = Tracker()
logging.getLogger("django.request").addHandler(tracker)
with override_settings(ROOT_URLCONF=(path("pay/<int:order>/", pay),)):
    for order in (1, 2, 3, 7):
        Client(raise_request_exception=False).get(f"/pay/{order}/")
logging.getLogger("django.request").removeHandler(tracker)
print(dict(tracker.groups))

# %% [markdown]
# Two, by type and place; the messages differ. Sentry [looks at the whole
# traceback](https://docs.sentry.io/concepts/data-management/event-grouping/), and adds the release and the values of
# variables, [unless you switch that off](https://docs.sentry.io/platforms/python/configuration/options/): decide what
# may leave your house. [Mail to `ADMINS`](https://docs.djangoproject.com/en/stable/howto/error-reporting/) is one letter
# per failure, on the day you least want it.

# %% [markdown]
# **Backups.** A file is easily copied. The shop's SQLite writes to a log beside it first. Somebody is connected and
# has committed a row: is it in the copy?

# %%
source = shop.path / "db.sqlite3"
writer = sqlite3.connect(source)
writer.execute("PRAGMA journal_mode = WAL")
with writer:
    writer.execute("INSERT INTO catalog_publisher (name, city) VALUES ('Night Shift Press', '')")

shutil.copyfile(source, shop.path / "copy.sqlite3")
with closing(sqlite3.connect(shop.path / "backup.sqlite3")) as backup:
    writer.backup(backup)
writer.close()
for file in ("copy", "backup"):
    with closing(sqlite3.connect(shop.path / f"{file}.sqlite3")) as found:
        rows = found.execute("SELECT name FROM catalog_publisher WHERE name LIKE 'Night%'")
        print(file, len(rows.fetchall()))

# %% [markdown]
# This copy is a good database without last night; one that a checkpoint interrupts [may be
# damaged](https://sqlite.org/howtocorrupt.html). SQLite's `backup` reads as a connection does. A backup counts once it
# was restored: does the schema in it fit the code?

# %%
shop.output("python manage.py migrate --check", **LIVE, DATABASE_PATH="backup.sqlite3")
print(shop.status)

# %% [markdown]
# 0: no migration is missing. For PostgreSQL `pg_dump` takes
# [one snapshot while others write](https://www.postgresql.org/docs/current/app-pgdump.html). Then the half that is
# forgotten, the restore, into a database of its own. Are all orders there?

# %% reason="Dump, restore, and two questions to the result."
def counted(url, statement):
    import psycopg

    with psycopg.connect(url) as restored:
        return restored.execute(statement).fetchone()[0]


if postgres.available():
    with postgres() as database, connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        programs, file = Path(cursor.fetchone()[0]), shop.path / "shop.dump"
        subprocess.run([programs / "pg_dump", "-Fc", "-f", file, database.url], check=True)
        cursor.execute("CREATE DATABASE drill")
        drill = database.url.rpartition("/")[0] + "/drill"
        subprocess.run([programs / "pg_restore", "-d", drill, file], check=True)
        print(counted(drill, "SELECT count(*) FROM orders_order") == Order.objects.count())
        connection.cursor().execute("DROP DATABASE drill WITH (FORCE)")
else:
    print(postgres.why_not())

# %% [markdown]
# Do it by the clock, on another machine, and measure how long it takes. Uploaded files and the secret key are part
# of what has to come back.

# %% [markdown]
# **The container file.** Is the key in it a leak, which line lets a broken-in process write nothing, and why do the
# packages come before the code?

# %%
for line in shop.read("Containerfile").splitlines():
    if line.startswith(("COPY", "RUN SECRET", "USER", "CMD")):
        print(line[:76])

# %% [markdown]
# None keeps a secret out: the key in `RUN` signs nothing, and whoever has the image reads the line in its history. A
# real one comes when the container runs, or as a [build secret](https://docs.docker.com/build/building/secrets/).
# `.dockerignore` keeps `.env` away from `COPY . .`. `USER` is not root and owns nothing but uploads. Packages change
# rarely, so their layer comes [from the cache](https://docs.docker.com/build/cache/).

# %% [markdown]
# `CMD` is a list: the server itself gets SIGTERM. With a shell in between:

# %%
if on_unix:
    import psutil

    shell = psutil.Popen(["sh", "-c", "sleep 600; true"])
    wait_until(shell.children)
    [child] = shell.children()
    shell.terminate()
    shell.wait()
    print("it went on:", child.is_running())
    child.kill()

# %% [markdown]
# The signal went to the shell alone. In a container the rest is killed when the time is over, requests included:
# write the command as a list, or begin the last one in the script with `exec`.

# %% [markdown]
# **The trap.** "Run `migrate && gunicorn` when the container starts, then it cannot be forgotten." With one
# container. Two start together, and both have read what is still to do:

# %%
back, excerpt = ("catalog", "0009_squashed_0013_contributions"), ("catalog", "0014_excerpt")
MigrationExecutor(connection).migrate([back])
replicas = [MigrationExecutor(connection) for _ in range(2)]
for replica in replicas:
    try:
        replica.migrate([excerpt])
        print("migrated")
    except DatabaseError as error:
        print(type(error).__name__)
reset()

# %% [markdown]
# `migrate` takes no lock around the whole, so the second stumbles over the table of the first. It also has the
# rights to change the schema where pages are served, and each restart waits for it. The shop's `compose.yaml` has it
# as a job of its own, once, before the rest:

# %%
compose = shop.read("compose.yaml").splitlines()
for line in compose:
    if "manage.py" in line or "service_completed" in line:
        print(line.strip())

# %% [markdown]
# Where several may start it, a lock lets one through. Two processes ask PostgreSQL for the same number:

# %%
if postgres.available():
    with postgres(), closing(connection.copy()) as other:
        for process in (connection, other):
            with process.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(64)")
                print(cursor.fetchone()[0])
else:
    print(postgres.why_not())

# %% [markdown]
# `pg_advisory_lock` waits instead: the second then finds nothing to do, and serves. The lock [belongs to the
# session](https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS), so take it past a PgBouncer
# that pools transactions.
#
# The next trap: "Behind a proxy, set `SECURE_PROXY_SSL_HEADER`." Half of it. A visitor comes over plain HTTP and
# sends the header along:

# %%
request = RequestFactory().get("/", headers={"X-Forwarded-Proto": "https"})
for header in (None, ("HTTP_X_FORWARDED_PROTO", "https")):
    with override_settings(SECURE_PROXY_SSL_HEADER=header):
        print(header is not None, request.is_secure())

# %% [markdown]
# With the setting, who sends the header is believed: no redirect, and the page goes out over plain HTTP. So set it only
# where a proxy [removes the visitor's and sets its
# own](https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header), and nobody reaches the server
# past it. In the shop it is a switch, off until somebody says so. Is the header ignored while it is off?

# %%
OFF = LIVE | {"TRUST_X_FORWARDED_PROTO": "0"}
for proxies in ("127.0.0.1", "10.0.0.1"):
    with shop.running(UVICORN, **OFF, FORWARDED_ALLOW_IPS=proxies) as server:
        print(proxies, ask(server, "/books/emma/")[0])

# %% [markdown]
# Not from the first: [uvicorn](https://www.uvicorn.org/settings/#http) and
# [gunicorn](https://gunicorn.org/reference/settings/) read it themselves, from the addresses in `FORWARDED_ALLOW_IPS`,
# by default those of their own machine. There are two lists to keep, and `*` in this one believes everybody.
#
# The third, "`runserver` will do behind nginx", was answered above: it drops what it has begun. The documentation
# [says the rest](https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver).

# %% [markdown] reason="Five questions, three of them of the syllabus, each with its answer."
# **Asked next**
#
# - *Zero-downtime migrations?* Expand, move, contract, each a deploy of its own. Add nullable or with `db_default`,
#   deploy the code that writes both, fill in batches, deploy the code that reads the new, drop the old when no old
#   process runs. On PostgreSQL with a `lock_timeout`, and indexes `CONCURRENTLY`.
# - *Workers and threads on 2 cores?* Two processes, since Python computes on one core in each, with 4 to 8 threads
#   for the time they wait. Then load it, and look whether the cores or the database are busy first. gunicorn's [2 ×
#   cores + 1](https://docs.gunicorn.org/en/stable/design.html#how-many-workers) is a number to begin with, not to
#   end with.
# - *What do you monitor first?* What visitors notice: the share of failed requests and the slow end of the times,
#   per URL. Then what runs out: connections that wait for the pool, age of the oldest task, disk, days of the
#   certificate. An alarm is for what somebody has to do now.
# - *How much may be lost, and for how long?* Two numbers that the business sets. A dump at night loses a day;
#   PostgreSQL's [archived log](https://www.postgresql.org/docs/current/continuous-archiving.html) goes back to any
#   minute, also to the one before somebody forgot a WHERE. A replica repeats the mistake at once, so it is no
#   backup.
# - *A bad release is out. Back, or forward?* Back to the last image, if the schema still fits it, which expand and
#   contract make sure of. Migrations are rarely run backwards: they would drop what has been written meanwhile.

# %% [markdown]
# What are threads good for? Eight jobs, one after the other and in eight threads: is that more than three times as
# fast where they wait, and where they compute?

# %%
def is_three_times_faster(job):
    def measured(jobs_at_once):
        begun = time.perf_counter()
        with ThreadPoolExecutor(jobs_at_once) as threads:
            list(threads.map(job, [0.1] * 8))
        return time.perf_counter() - begun

    return min(measured(1) for _ in range(2)) / min(measured(8) for _ in range(2)) > 3


print("waiting:  ", is_three_times_faster(time.sleep))
print("computing:", is_three_times_faster(lambda _: sum(range(1_000_000))))

# %% [markdown]
# A thread that waits lets the others run; one that computes does not, unless Python is
# [built without the lock](https://docs.python.org/3/howto/free-threading-python.html).

# %% [markdown]
# **Versions.** 5.2 is the [long-term support release](https://docs.djangoproject.com/en/5.2/releases/5.2/), and 6.1
# [needs Python 3.12](https://docs.djangoproject.com/en/6.1/releases/6.1/#python-compatibility). On 6.1 a PostgreSQL
# is asked for its version where a model has a generated column. Can an image be checked while it is built, without
# its database?

# %% tags=["since-6.1"]
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:9/nowhere?connect_timeout=2&pool=false"
shop.output("python manage.py check", **LIVE | {"DATABASE_URL": NOWHERE})
if django.VERSION >= (6, 1):
    print(shop.status == 0)
else:
    print("Django 6.1 prints False; 5.2 needs no database for this.")

# %%
quiz("Q64")

# %% [markdown]
# Now [exercises 25.1 to 25.8](../exercises/25_deployment.ipynb).
