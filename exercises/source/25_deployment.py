# %%
from checks import check, hint, solution
from lab import start

start()

# Django is set up now, so its models can be imported.
import json
import logging
import re
import shutil
import sqlite3
import sys
import traceback
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.models import Book
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, Error, OperationalError, connection
from django.http import HttpResponse, JsonResponse
from django.test import RequestFactory, override_settings
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache

# %% [markdown] exercise="25.1"
# ### 25.1 Settings from the environment
#
# `environ` is like `os.environ`. Return a dict with `DEBUG`, `SECRET_KEY` and `ALLOWED_HOSTS`. `DEBUG` is true for `1`, `true`, `yes`, `on`,
# false for `0`, `false`, `no`, `off`, in any case of letters, and false where it is missing or empty; other words raise `ImproperlyConfigured`, as does a
# key that is missing or blank. The hosts are a list, split at commas, without blanks around them and without empty ones.

# %% exercise="25.1" role="check"
def observe(answer):
    seen = []
    key = {"SECRET_KEY": "k" * 50}
    flags = ["1", "true", "YES", "On", "0", "False", "no", "off", "", "maybe", "ture", "2"]
    cases = [key | {"DEBUG": value} for value in flags]
    hosts = ["", "shop.example", "shop.example, www.shop.example", "a.example,,b.example,", " , ", " c.example "]
    cases += [key | {"ALLOWED_HOSTS": value} for value in hosts]
    cases += [{}, {"SECRET_KEY": ""}, {"SECRET_KEY": "  "}, {"DEBUG": "1"}, key]
    for environ in cases:
        shown = {name: value for name, value in environ.items() if value != key["SECRET_KEY"]}
        try:
            seen.append((shown, answer(dict(environ))))
        except ImproperlyConfigured:
            seen.append((shown, "ImproperlyConfigured"))
    return seen

# %% exercise="25.1" role="answer"
def from_environment(environ):
    # solution
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    debug = environ.get("DEBUG", "").strip().lower() or "0"
    if debug not in words:
        raise ImproperlyConfigured("DEBUG is a switch: set it to 1 or 0.")
    key = environ.get("SECRET_KEY", "")
    if not key.strip():
        raise ImproperlyConfigured("Set SECRET_KEY.")
    hosts = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",")]
    return {"DEBUG": words[debug], "SECRET_KEY": key, "ALLOWED_HOSTS": [host for host in hosts if host]}
    # end


check("25.1")

# %% exercise="25.1" role="alternative" note="Two small functions, one per kind of value: better as soon as there are more settings, because each rule stands once."
def from_environment(environ):
    def switch(name):
        value = environ.get(name, "").strip().lower()
        if value in ("", "0", "false", "no", "off"):
            return False
        if value in ("1", "true", "yes", "on"):
            return True
        raise ImproperlyConfigured(f"{name} is a switch: set it to 1 or 0.")

    def listed(name):
        return [part for part in re.split(r"[,\s]+", environ.get(name, "")) if part]

    if not environ.get("SECRET_KEY", "").strip():
        raise ImproperlyConfigured("Set SECRET_KEY.")
    return {"DEBUG": switch("DEBUG"), "SECRET_KEY": environ["SECRET_KEY"], "ALLOWED_HOSTS": listed("ALLOWED_HOSTS")}

# %% exercise="25.1" role="mistake" says="`bool()` of a text is true unless it is empty: `DEBUG=False` switches it on. Compare with the words that you accept."
def from_environment(environ):
    if not environ.get("SECRET_KEY", "").strip():
        raise ImproperlyConfigured("Set SECRET_KEY.")
    hosts = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",")]
    return {
        "DEBUG": bool(environ.get("DEBUG", False)),
        "SECRET_KEY": environ["SECRET_KEY"],
        "ALLOWED_HOSTS": [host for host in hosts if host],
    }

# %% exercise="25.1" role="mistake" says="A word that you do not know counts as false: `DEBUG=ture` is a mistake that starts without complaint. Refuse it."
def from_environment(environ):
    if not environ.get("SECRET_KEY", "").strip():
        raise ImproperlyConfigured("Set SECRET_KEY.")
    hosts = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",")]
    return {
        "DEBUG": environ.get("DEBUG", "").lower() in ("1", "true", "yes", "on"),
        "SECRET_KEY": environ["SECRET_KEY"],
        "ALLOWED_HOSTS": [host for host in hosts if host],
    }

# %% exercise="25.1" role="mistake" says="With a default key a process starts that signs sessions with what everybody can read. Without a key it must not start."
def from_environment(environ):
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    debug = environ.get("DEBUG", "").strip().lower() or "0"
    if debug not in words:
        raise ImproperlyConfigured("DEBUG is a switch: set it to 1 or 0.")
    hosts = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",")]
    return {
        "DEBUG": words[debug],
        "SECRET_KEY": environ.get("SECRET_KEY", "").strip() or "change-me",
        "ALLOWED_HOSTS": [host for host in hosts if host],
    }

# %% exercise="25.1" role="mistake" says="`\"\".split(\",\")` is a list with one empty name, and a blank after a comma stays in the next one. Strip each part, then drop the empty ones."
def from_environment(environ):
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    debug = environ.get("DEBUG", "").strip().lower() or "0"
    if debug not in words or not environ.get("SECRET_KEY", "").strip():
        raise ImproperlyConfigured("DEBUG or SECRET_KEY")
    return {
        "DEBUG": words[debug],
        "SECRET_KEY": environ["SECRET_KEY"],
        "ALLOWED_HOSTS": environ.get("ALLOWED_HOSTS", "").split(","),
    }

# %% exercise="25.1" role="hint"
# A dict from each accepted word to its value tells both what is true and what is refused.
# %% exercise="25.1" role="hint"
# `[part.strip() for part in text.split(",") if part.strip()]`

# %% [markdown] exercise="25.2"
# ### 25.2 Is this process ready?
#
# Write the view for a readiness probe. One query asks the database whether it answers: 200 and the JSON `{"status": "ok"}`, or 503 and
# `{"status": "unavailable"}` whatever error of the database that raises. Nothing keeps the answer: `Cache-Control` has `no-store`.

# %% exercise="25.2" role="check"
def observe(answer):
    def ask():
        try:
            response = answer(RequestFactory().get("/health/ready/"))
        except Error as error:
            return f"raises {type(error).__name__}"
        body = response.content.decode()
        try:
            body = json.loads(body)
        except ValueError:
            pass
        return {
            "status": response.status_code,
            "type": response.headers.get("Content-Type", "").partition(";")[0],
            "body": body,
            "nothing keeps it": "no-store" in response.headers.get("Cache-Control", ""),
        }

    def broken(error):
        def refuse(execute, sql, params, many, context):
            raise error("connection to 10.0.0.7 failed, password=hunter2")

        return connection.execute_wrapper(refuse)

    from django.db import InterfaceError

    seen = {"well": ask()}
    for error in (OperationalError, InterfaceError):
        with broken(error):
            seen[error.__name__] = ask()
    seen["well again"] = ask()
    return seen

# %% exercise="25.2" role="answer" budget=4
# solution
@never_cache
# end
def ready(request):
    # solution
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})
    # end


check("25.2")

# %% exercise="25.2" role="alternative" note="A query of the ORM, and the header by hand. It asks for a table as well, so it also notices a database that was never migrated."
def ready(request):
    try:
        Book.objects.exists()
        works = True
    except Exception:
        logging.getLogger(__name__).debug("not ready")
        works = False
    response = JsonResponse({"status": "ok" if works else "unavailable"}, status=200 if works else 503)
    response.headers["Cache-Control"] = "no-store"
    return response

# %% exercise="25.2" role="mistake" says="The text is JSON and the header says HTML, so clients do not read it as JSON. `JsonResponse` sets both."
@never_cache
def ready(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return HttpResponse(json.dumps({"status": "unavailable"}), status=503)
    return HttpResponse(json.dumps({"status": "ok"}))

# %% exercise="25.2" role="mistake" says="`InterfaceError` is no `DatabaseError`: both come from `django.db.Error`. Some drivers raise it where a connection was closed, and your view lets it through."
@never_cache
def ready(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})

# %% exercise="25.2" role="mistake" says="The body says what is wrong and the status is 200: a load balancer reads the status alone. Answer 503."
@never_cache
def ready(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "unavailable"})
    return JsonResponse({"status": "ok"})

# %% exercise="25.2" role="mistake" says="The text of the error goes to whoever asks, with the address and the password in it. Log it, and answer without it."
@never_cache
def ready(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return JsonResponse({"status": "unavailable", "error": str(error)}, status=503)
    return JsonResponse({"status": "ok"})

# %% exercise="25.2" role="mistake" says="Nothing was sent: `ensure_connection()` takes a connection that is open as it is, and `is_usable()` is always true on SQLite. A database that is gone counts as ready. Send a query."
@never_cache
def ready(request):
    try:
        connection.ensure_connection()
    except Error:
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})

# %% exercise="25.2" role="mistake" says="A cache between the probe and you may answer for a process that is gone: say `no-store`, as `never_cache` does."
def ready(request):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "unavailable"}, status=503)
    return JsonResponse({"status": "ok"})

# %% exercise="25.2" role="hint"
# `connection.cursor()` and `SELECT 1`; catch what all errors of the database have in common.
# %% exercise="25.2" role="hint"
# `from django.db import Error`; `JsonResponse(…, status=503)`; the decorator `never_cache`.

# %% [markdown] exercise="25.3"
# ### 25.3 How large may the pool be?
#
# Each of `machines` runs `workers` processes, and each process has a pool. `others` connections go to Celery, commands and people, and `reserved` are kept by the server. In a rolling
# deploy the old processes of all machines may still run while the new ones are up. Return the largest `max_size` that keeps within `max_connections`
# then, or 0 where not even one connection per process fits.

# %% exercise="25.3" role="check"
def observe(answer):
    cases = [(100, 3, 10, 1, 4), (100, 3, 17, 2, 4), (100, 3, 10, 2, 2), (200, 3, 40, 3, 8), (100, 3, 20, 10, 8), (20, 3, 30, 1, 1)]
    cases += [(100, 4, 0, 1, 1), (500, 3, 57, 5, 4)]
    return [(case, answer(*case)) for case in cases]

# %% exercise="25.3" role="answer"
def largest_pool(max_connections, reserved, others, machines, workers):
    # solution
    left = max_connections - reserved - others
    return max(left // (2 * machines * workers), 0)
    # end


check("25.3")

# %% exercise="25.3" role="alternative" note="Counting up says the condition as one would say it aloud. Slower, and closer to the sentence."
def largest_pool(max_connections, reserved, others, machines, workers):
    size = 0
    while 2 * machines * workers * (size + 1) + others + reserved <= max_connections:
        size += 1
    return size

# %% exercise="25.3" role="mistake" says="That fits every day but the one of a deploy: old and new processes hold their pools side by side."
def largest_pool(max_connections, reserved, others, machines, workers):
    return max((max_connections - reserved - others) // (machines * workers), 0)

# %% exercise="25.3" role="mistake" says="The pool belongs to a process, not to a machine: each worker opens its own."
def largest_pool(max_connections, reserved, others, machines, workers):
    return max((max_connections - reserved - others) // (2 * machines), 0)

# %% exercise="25.3" role="mistake" says="Rounded up, the last connections are the ones that the server refuses. Round down."
def largest_pool(max_connections, reserved, others, machines, workers):
    return max(-(-(max_connections - reserved - others) // (2 * machines * workers)), 0)

# %% exercise="25.3" role="mistake" says="Where more is taken than there is, the result is negative. No process has fewer than no connections: return 0."
def largest_pool(max_connections, reserved, others, machines, workers):
    return (max_connections - reserved - others) // (2 * machines * workers)

# %% exercise="25.3" role="hint"
# How many pools are there while both releases run?
# %% exercise="25.3" role="hint"
# What is left for them, divided by their number, rounded down.

# %% [markdown] exercise="25.4"
# ### 25.4 One record, one line
#
# Write the formatter for a log server: each record is one line of JSON with `level`, `logger`, `message`, `request_id` (`"-"` where the record has none), and, where
# an exception is logged, `exception` with its traceback as text. `message` has its arguments filled in.

# %% exercise="25.4" role="check"
def observe(answer):
    formatter = answer()

    def shown(**fields):
        text = formatter.format(logging.makeLogRecord({"name": "shop", "levelno": 20, "levelname": "INFO"} | fields))
        try:
            entry = json.loads(text)
        except (TypeError, ValueError):
            return "no JSON"
        if isinstance(entry, dict) and "Traceback" in str(entry.get("exception")):
            entry["exception"] = ["Traceback", str(entry["exception"]).strip().splitlines()[-1]]
        if isinstance(entry, dict) and "Traceback" in str(entry.get("message")):
            entry["message"] = [str(entry["message"]).splitlines()[0], "and the traceback"]
        if isinstance(entry, dict):
            wanted = ["level", "logger", "message", "request_id", "exception"]
            entry = {name: entry[name] for name in wanted if name in entry}
        return {"lines": len(text.splitlines()), "entry": entry}

    try:
        raise KeyError("no \"card\"\nat all")
    except KeyError:
        failure = sys.exc_info()
    return [
        shown(msg="started"),
        shown(msg="%s of %s", args=("Emma", 3), request_id="a1"),
        shown(msg='a "quoted" word\nand a second line', name="django.request", levelname="WARNING", levelno=30),
        shown(msg="failed %s", args=("twice",), levelname="ERROR", levelno=40, exc_info=failure, request_id="b2"),
        shown(msg="100 %"),
    ]

# %% exercise="25.4" role="answer"
class OneLine(logging.Formatter):
    def format(self, record):
        # solution
        entry = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)
        # end


check("25.4")

# %% exercise="25.4" role="alternative" note="The standard library's `traceback` instead of the formatter's own method. The latter also keeps what it made, in `record.exc_text`, if you do."
class OneLine(logging.Formatter):
    def format(self, record):
        entry = dict(level=record.levelname, logger=record.name, message=record.getMessage())
        entry["request_id"] = record.__dict__.get("request_id") or "-"
        if record.exc_info:
            entry["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)

# %% exercise="25.4" role="mistake" says="`record.msg` is the template: its arguments are in `record.args`. `record.getMessage()` puts them together."
class OneLine(logging.Formatter):
    def format(self, record):
        entry = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.msg,
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)

# %% exercise="25.4" role="mistake" says="A quotation mark or a line break in a message ends your text in the middle. Build a dict and let `json.dumps` write it."
class OneLine(logging.Formatter):
    def format(self, record):
        text = f'{{"level": "{record.levelname}", "logger": "{record.name}", "message": "{record.getMessage()}", '
        text += f'"request_id": "{getattr(record, "request_id", "-")}"'
        if record.exc_info:
            text += f', "exception": {json.dumps(self.formatException(record.exc_info))}'
        return text + "}"

# %% exercise="25.4" role="mistake" says="`super().format()` puts the traceback behind the message: there is no field to search it by. `formatException` has it alone."
class OneLine(logging.Formatter):
    def format(self, record):
        entry = {
            "level": record.levelname,
            "logger": record.name,
            "message": super().format(record),
            "request_id": getattr(record, "request_id", "-"),
        }
        return json.dumps(entry)

# %% exercise="25.4" role="mistake" says="With an indent each record is many lines, and the log server takes each for a record of its own."
class OneLine(logging.Formatter):
    def format(self, record):
        entry = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, indent=2)

# %% exercise="25.4" role="hint"
# A dict, `record.getMessage()`, and `json.dumps`.
# %% exercise="25.4" role="hint"
# `record.exc_info` is a triple where an exception is logged; `self.formatException(record.exc_info)` is its text.

# %% [markdown] exercise="25.5"
# ### 25.5 A check for the pipeline
#
# What is counted in a cache is counted wrongly where each process has a cache of its own, or none. Write the check for `register(Tags.caches, deploy=True)`: one `checks.Warning` with the id
# `shop.W001` where the default cache is Django's local-memory or dummy cache, nothing otherwise. Other aliases may be what they like.

# %% exercise="25.5" role="check"
def observe(answer):
    home = "django.core.cache.backends"
    cases = {
        "local memory": {"default": f"{home}.locmem.LocMemCache"},
        "dummy": {"default": f"{home}.dummy.DummyCache"},
        "redis": {"default": f"{home}.redis.RedisCache"},
        "database": {"default": f"{home}.db.DatabaseCache"},
        "memcached": {"default": f"{home}.memcached.PyMemcacheCache"},
        "files": {"default": f"{home}.filebased.FileBasedCache"},
        "redis, and local memory beside": {"default": f"{home}.redis.RedisCache", "near": f"{home}.locmem.LocMemCache"},
        "local memory, and redis beside": {"default": f"{home}.locmem.LocMemCache", "far": f"{home}.redis.RedisCache"},
    }
    seen = {}
    for name, backends in cases.items():
        with override_settings(CACHES={alias: {"BACKEND": backend, "LOCATION": "x"} for alias, backend in backends.items()}):
            try:
                found = answer(app_configs=None, databases=None)
            except ImproperlyConfigured:
                seen[name] = "raises ImproperlyConfigured"
                continue
            if not isinstance(found, (list, tuple)):
                seen[name] = f"no list, but {type(found).__name__}"
                continue
            seen[name] = [(type(one).__name__, getattr(one, "id", None)) for one in found]
    return seen

# %% exercise="25.5" role="answer"
def shared_cache(app_configs, **kwargs):
    # solution
    kind = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    if kind not in {"LocMemCache", "DummyCache"}:
        return []
    return [
        checks.Warning(
            "The processes do not share the default cache.", hint="Set REDIS_URL.", id="shop.W001", obj="CACHES['default']"
        )
    ]
    # end


check("25.5")

# %% exercise="25.5" role="alternative" note="By class: a subclass of your own counts as well. It imports the backend, which needs its client library."
def shared_cache(app_configs, **kwargs):
    from django.core.cache.backends.dummy import DummyCache
    from django.core.cache.backends.locmem import LocMemCache

    backend = import_string(settings.CACHES["default"]["BACKEND"])
    messages = []
    if issubclass(backend, (LocMemCache, DummyCache)):
        messages.append(checks.Warning("The processes do not share the default cache.", id="shop.W001"))
    return messages

# %% exercise="25.5" role="mistake" says="Only Redis passes here: the database, Memcached and files (on one machine) are shared as well. Name what is not."
def shared_cache(app_configs, **kwargs):
    if "redis" in settings.CACHES["default"]["BACKEND"]:
        return []
    return [checks.Warning("The processes do not share the default cache.", id="shop.W001")]

# %% exercise="25.5" role="mistake" says="A check returns a list, also where there is nothing to say. `None` ends `check --deploy` with a TypeError."
def shared_cache(app_configs, **kwargs):
    if settings.CACHES["default"]["BACKEND"].endswith(("LocMemCache", "DummyCache")):
        return [checks.Warning("The processes do not share the default cache.", id="shop.W001")]

# %% exercise="25.5" role="mistake" says="An `Error` fails `check --deploy` wherever it runs, also where one process is enough. The task asks for a warning; `--fail-level WARNING` lets a pipeline stop for it."
def shared_cache(app_configs, **kwargs):
    if settings.CACHES["default"]["BACKEND"].endswith(("LocMemCache", "DummyCache")):
        return [checks.Error("The processes do not share the default cache.", id="shop.W001")]
    return []

# %% exercise="25.5" role="mistake" says="You look at all aliases: local memory beside a shared default is allowed."
def shared_cache(app_configs, **kwargs):
    for options in settings.CACHES.values():
        if options["BACKEND"].endswith(("LocMemCache", "DummyCache")):
            return [checks.Warning("The processes do not share the default cache.", id="shop.W001")]
    return []

# %% exercise="25.5" role="mistake" says="A check that raises ends with a traceback, and nobody sees what the other checks have to say. Return the message."
def shared_cache(app_configs, **kwargs):
    if settings.CACHES["default"]["BACKEND"].endswith(("LocMemCache", "DummyCache")):
        raise ImproperlyConfigured("shop.W001: the processes do not share the default cache.")
    return []

# %% exercise="25.5" role="hint"
# `settings.CACHES["default"]["BACKEND"]` is a dotted path.
# %% exercise="25.5" role="hint"
# `return [checks.Warning("…", id="shop.W001")]`, and `[]` otherwise.

# %% [markdown] exercise="25.6"
# ### 25.6 Back up a file that is in use
#
# `source` is the path of a SQLite database in WAL mode that others read and write at this moment. Make a copy at `target`, another path, with everything that is committed and nothing else.
# The source stays as it is. Open both by their paths.

# %% exercise="25.6" role="check"
def observe(answer):
    seen = {}
    with TemporaryDirectory(dir=".") as folder:
        source, target = Path(folder) / "shop.sqlite3", Path(folder) / "backup.sqlite3"
        with (
            closing(sqlite3.connect(source)) as writer,
            closing(sqlite3.connect(source)) as reader,
            closing(sqlite3.connect(source, timeout=0.2)) as other,
        ):
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("CREATE TABLE sale (title TEXT, copies INTEGER)")
            writer.execute("CREATE INDEX sale_by_title ON sale (title)")
            writer.execute("INSERT INTO sale VALUES ('Emma', 3)")
            writer.commit()
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sale").fetchall()
            writer.execute("INSERT INTO sale VALUES ('Dracula', 1)")
            writer.commit()
            writer.execute("INSERT INTO sale VALUES ('not yet committed', 1)")
            try:
                answer(source, target)
            except sqlite3.OperationalError as error:
                seen["fails"] = str(error)
            writer.commit()
            seen["source"] = other.execute("SELECT title FROM sale ORDER BY title").fetchall()
        seen["files"] = sorted(file.name for file in Path(folder).glob("backup*"))
        if target.exists():
            with closing(sqlite3.connect(target)) as copy:
                try:
                    seen["copy"] = copy.execute("SELECT title, copies FROM sale ORDER BY title").fetchall()
                    seen["indexes"] = copy.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
                    seen["whole"] = copy.execute("PRAGMA integrity_check").fetchone()[0]
                except sqlite3.DatabaseError as error:
                    seen["copy"] = f"{type(error).__name__}: {error}"
        else:
            seen["copy"] = "no file"
    return seen

# %% exercise="25.6" role="answer"
def back_up(source, target):
    # solution
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
    # end


check("25.6")

# %% exercise="25.6" role="alternative" note="One statement, and the copy is smaller: free pages are left out. `backup` keeps the pages as they are, and can go in steps that let writers past."
def back_up(source, target):
    with closing(sqlite3.connect(source)) as database:
        database.execute("VACUUM INTO ?", [str(target)])

# %% exercise="25.6" role="mistake" says="What was committed last is in the file `-wal` beside the database, and your copy lacks it. A checkpoint before it moves pages only as far as no reader needs the old ones. Let SQLite read: `backup()` or `VACUUM INTO`."
def back_up(source, target):
    shutil.copyfile(source, target)

# %% exercise="25.6" role="mistake" says="The last commits are in the log beside it: reading the bytes of the main file misses them, however often it is tried."
def back_up(source, target):
    for _ in range(3):
        Path(target).write_bytes(Path(source).read_bytes())

# %% exercise="25.6" role="mistake" says="Two files, copied at two moments: a checkpoint between them moves pages from the one to the other, and the pair fits no more. Let SQLite make one file."
def back_up(source, target):
    shutil.copyfile(source, target)
    shutil.copyfile(f"{source}-wal", f"{target}-wal")

# %% exercise="25.6" role="alternative" note="As SQL text into the new file: readable, and slow for a large shop. `BEGIN` makes it one state: `iterdump` asks table by table, and others may commit in between."
def back_up(source, target):
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.execute("BEGIN")
        copy.executescript("\n".join(database.iterdump()))

# %% exercise="25.6" role="mistake" says="SQLite refuses: others read and write at this moment, so neither another journal mode nor the lock of a writer is to be had. A backup only reads: `backup()` or `VACUUM INTO`."
def back_up(source, target):
    with closing(sqlite3.connect(source, timeout=0.2)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    shutil.copyfile(source, target)

# %% exercise="25.6" role="mistake" says="The rows are there, and the indexes are not, nor would constraints and triggers be: `CREATE TABLE … AS` copies values alone."
def back_up(source, target):
    with closing(sqlite3.connect(source)) as database:
        database.execute("ATTACH ? AS copy", [str(target)])
        for (name,) in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            database.execute(f"CREATE TABLE copy.{name} AS SELECT * FROM main.{name}")
        database.commit()

# %% exercise="25.6" role="mistake" says="The two are the wrong way round: the empty new file was copied over the shop."
def back_up(source, target):
    with closing(sqlite3.connect(source, timeout=0.2)) as database, closing(sqlite3.connect(target)) as copy:
        copy.execute("CREATE TABLE sale (title TEXT, copies INTEGER)")
        copy.commit()
        for row in copy.execute("SELECT title, copies FROM sale").fetchall():
            database.execute("INSERT INTO sale VALUES (?, ?)", row)

# %% exercise="25.6" role="hint"
# A connection sees what is committed, wherever it lies. Which method of `sqlite3.Connection` copies what it sees?
# %% exercise="25.6" role="hint"
# `database.backup(copy)`, from one connection to the other; close both.

# %% [markdown] exercise="25.7"
# ### 25.7 Group the errors
#
# Write a `logging.Handler` with a dict `groups`: it counts failures by the class of the exception and the function that raised it, as in `{("ValueError", "pay"): 3}`. The message
# does not matter. Records without an exception, and those below `ERROR`, do not count.

# %% exercise="25.7" role="check"
def observe(answer):
    handler = answer()
    logger = logging.getLogger("exercise.25_7")
    logger.propagate, logger.handlers = False, [handler]
    logger.setLevel(logging.DEBUG)

    def charge(number):
        raise ValueError(f"order {number}")

    def pay(number):
        charge(number) if number < 10 else {}["card"]

    for number in (1, 2, 3, 11, 12):
        try:
            pay(number)
        except Exception:
            logger.exception("order %s failed", number)
    try:
        pay(4)
    except ValueError:
        logger.warning("tried again", exc_info=True)
    for number, level in ((5, logging.CRITICAL), (13, logging.CRITICAL), (6, logging.ERROR)):
        try:
            pay(number)
        except Exception as error:
            kept = error
            if level == logging.CRITICAL:
                logger.critical("nobody can pay", exc_info=True)
    try:
        raise LookupError("something else")
    except LookupError:
        logger.error("seen later", exc_info=kept)
    logger.error("no exception here")
    logger.info("served")
    logger.error("explicitly none", exc_info=False)
    logger.handlers = []

    def plain(part):
        return part if isinstance(part, str) else repr(part)

    keys = {key: [plain(part) for part in key] if isinstance(key, tuple) else plain(key) for key in handler.groups}
    return sorted(((keys[key], count) for key, count in handler.groups.items()), key=str)

# %% exercise="25.7" role="answer"
class Groups(logging.Handler):
    def __init__(self):
        super().__init__()
        self.groups = {}

    def emit(self, record):
        # solution
        if record.levelno < logging.ERROR or not record.exc_info:
            return
        kind, _, trace = record.exc_info
        key = kind.__name__, traceback.extract_tb(trace)[-1].name
        self.groups[key] = self.groups.get(key, 0) + 1
        # end


check("25.7")

# %% exercise="25.7" role="alternative" note="The level in the constructor, and the frames by hand: no source lines are read. Better where very many errors come."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            trace = record.exc_info[2]
            while trace.tb_next:
                trace = trace.tb_next
            key = (record.exc_info[0].__name__, trace.tb_frame.f_code.co_name)
            self.groups.setdefault(key, 0)
            self.groups[key] += 1

# %% exercise="25.7" role="mistake" says="By message, each order is a problem of its own, and the list is as long as the log. Group by class and place."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            key = record.exc_info[0].__name__, record.getMessage()
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="`record.funcName` is the function that wrote to the log, the same for all. Where it was raised is the last frame of the traceback."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            key = record.exc_info[0].__name__, record.funcName
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="You take the first frame, which is where it was caught. The last is where it was raised."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            key = record.exc_info[0].__name__, traceback.extract_tb(record.exc_info[2])[0].name
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="Warnings count here, too. What was tried again and went well is no failure: look at `record.levelno`."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__()
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            key = record.exc_info[0].__name__, traceback.extract_tb(record.exc_info[2])[-1].name
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="You count `ERROR` alone. `CRITICAL` is worse and counts, too: compare with `>=`, or give the handler its level."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__()
        self.groups = {}

    def emit(self, record):
        if record.levelno == logging.ERROR and record.exc_info:
            key = record.exc_info[0].__name__, traceback.extract_tb(record.exc_info[2])[-1].name
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="`sys.exc_info()` is what is handled at this moment. A record may bring an exception that was kept: read it from `record.exc_info`."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        kind, _, trace = sys.exc_info()
        if record.exc_info and kind:
            key = kind.__name__, traceback.extract_tb(trace)[-1].name
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="mistake" says="The class itself is the key: the task asks for its name, as text."
class Groups(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.groups = {}

    def emit(self, record):
        if record.exc_info:
            key = record.exc_info[0], traceback.extract_tb(record.exc_info[2])[-1].name
            self.groups[key] = self.groups.get(key, 0) + 1

# %% exercise="25.7" role="hint"
# `record.exc_info` is `(class, exception, traceback)`, or nothing.
# %% exercise="25.7" role="hint"
# `traceback.extract_tb(trace)[-1].name`

# %% [markdown] exercise="25.8"
# ### 25.8 Whose address is it?
#
# A request comes through `proxies` of your proxies, one after the other. Each adds to the end of `X-Forwarded-For` the address that connected to it, and leaves what was there. Return the address of the visitor as the
# first of your proxies saw it: without proxies `REMOTE_ADDR`; `None` where the header has too few addresses, since somebody came past a proxy.

# %% exercise="25.8" role="check"
def observe(answer):
    cases = [
        (0, None),
        (0, "6.6.6.6"),
        (1, "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9"),
        (1, "6.6.6.6,7.7.7.7,203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.2"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2"),
        (2, "203.0.113.9"),
        (1, None),
        (1, ""),
    ]
    seen = []
    for proxies, header in cases:
        headers = {} if header is None else {"X-Forwarded-For": header}
        request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
        seen.append((proxies, header, answer(request, proxies)))
    return seen

# %% exercise="25.8" role="answer"
def client_address(request, proxies):
    # solution
    if not proxies:
        return request.META["REMOTE_ADDR"]
    header = request.headers.get("X-Forwarded-For", "")
    addresses = [address.strip() for address in header.split(",") if address.strip()]
    return addresses[-proxies] if len(addresses) >= proxies else None
    # end


check("25.8")

# %% exercise="25.8" role="alternative" note="The connection is one more address at the end: with it, no case needs a branch of its own."
def client_address(request, proxies):
    told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    chain = [*told, request.META["REMOTE_ADDR"]]
    try:
        return chain[-1 - proxies]
    except IndexError:
        return None

# %% exercise="25.8" role="mistake" says="The first address is whatever the visitor wrote there. Count from the end: there your own proxies have written."
def client_address(request, proxies):
    if not proxies:
        return request.META["REMOTE_ADDR"]
    addresses = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    return addresses[0] if len(addresses) >= proxies else None

# %% exercise="25.8" role="mistake" says="Without proxies nobody may be believed: the header comes from the visitor alone. `REMOTE_ADDR` is who connected."
def client_address(request, proxies):
    addresses = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if not addresses and not proxies:
        return request.META["REMOTE_ADDR"]
    return addresses[-max(proxies, 1)] if len(addresses) >= max(proxies, 1) else None

# %% exercise="25.8" role="mistake" says="That is always the address of the proxy next to you. With two proxies, the last entry is the first proxy."
def client_address(request, proxies):
    if not proxies:
        return request.META["REMOTE_ADDR"]
    addresses = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    return addresses[-1] if len(addresses) >= proxies else None

# %% exercise="25.8" role="mistake" says="Where the header is too short, somebody came past a proxy, and `REMOTE_ADDR` is not the visitor you think. Return None."
def client_address(request, proxies):
    addresses = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if not proxies or len(addresses) < proxies:
        return request.META["REMOTE_ADDR"]
    return addresses[-proxies]

# %% exercise="25.8" role="hint"
# The last entry was written by the proxy that is next to you, the one before it by the next.
# %% exercise="25.8" role="hint"
# `addresses[-proxies]`, once you know that there are enough of them.
