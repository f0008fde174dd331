# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
import difflib
import os
from importlib import import_module
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from catalog.models import Book
from django.conf import global_settings, settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce, StrIndex
from django.test import override_settings
from orders.models import Order

# %% [markdown] exercise="03.1"
# ### 03.1 A switch from the environment
#
# Return the variable `name` of `environ` (a dictionary of texts, such as `os.environ`) as a boolean. `1`, `true`,
# `yes`, `on` mean yes and `0`, `false`, `no`, `off` mean no, in any case, with blanks around or not. Missing or blank
# means `default`. Any other text raises `ImproperlyConfigured`, and the message names the variable.

# %% exercise="03.1" role="check"
def observe(answer):
    seen = []
    for text in ("1", "true", "Yes", " ON ", "0", "False", "no", "off", "", "  ", None, "treu", "2"):
        environ = {"OTHER": "1"} if text is None else {"SHOP_DEBUG": text}
        for default in (False, True):
            try:
                seen.append([text, default, answer(environ, "SHOP_DEBUG", default)])
            except ImproperlyConfigured as error:
                seen.append([text, default, "ImproperlyConfigured", "SHOP_DEBUG" in str(error)])
    return seen

# %% exercise="03.1" role="answer"
def switch(environ, name, default=False):
    # solution
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = environ.get(name, "").strip().lower()
    if text and text not in words:
        raise ImproperlyConfigured(f"{name} is a switch: set it to 1 or 0.")
    return words.get(text, default)
    # end


check("03.1")

# %% exercise="03.1" role="alternative" note="Two sets read well when there are few words. The dictionary has them in one place, and nothing can be in both."
def switch(environ, name, default=False):
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"The variable {name} must be 1 or 0.")

# %% exercise="03.1" role="mistake" says="Every text but the empty one is true, and so is `\"False\"`: debug mode would be on. Compare words."
def switch(environ, name, default=False):
    return bool(environ.get(name, default))

# %% exercise="03.1" role="mistake" says="Whatever is not in your list of yes counts as no, and a slip such as `treu` is not noticed. Know both lists, and refuse the rest."
def switch(environ, name, default=False):
    text = environ.get(name, "").strip().lower()
    return text in {"1", "true", "yes", "on"} if text else default

# %% exercise="03.1" role="mistake" says="A variable that nobody set ends in `KeyError`: here it means the default."
def switch(environ, name, default=False):
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = environ[name].strip().lower()
    if text and text not in words:
        raise ImproperlyConfigured(f"{name} is a switch: set it to 1 or 0.")
    return words.get(text, default)

# %% exercise="03.1" role="mistake" says="The message does not name the variable: with twenty of them, somebody searches for an hour."
def switch(environ, name, default=False):
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = environ.get(name, "").strip().lower()
    if text and text not in words:
        raise ImproperlyConfigured("A switch is 1 or 0.")
    return words.get(text, default)

# %% exercise="03.1" role="hint"
# `environ.get(name, "")` is a text in any case. Make it small and cut the blanks off before you compare.
# %% exercise="03.1" role="hint"
# A dictionary from word to boolean, and `words.get(text, default)`.

# %% [markdown] exercise="03.2"
# ### 03.2 Find the misspelled settings
#
# Django does not check the names of settings. Write the check: return a dictionary from each name of `module` that
# Django does **not** know and that looks like a slip to the name that was probably meant. Only names in capitals are
# settings. Known are Django's own, in `global_settings`; alike is what `difflib.get_close_matches` finds with
# `cutoff=0.9`.

# %% exercise="03.2" role="check"
def observe(answer):
    slips = SimpleNamespace(
        ALLOWED_HOST=["shop.example"], SECURE_HSTS_SECOND=3600, MIDDLWARE=[], DEBUG=False, TIME_ZONE="UTC", ROOT_URLCONF="shop.urls",
        BOOKS_PER_PAGE=20, ADMIN_PATHS="admin/", time_zones="UTC", allowed_hosts=[],
    )
    return [sorted(answer(slips).items()), sorted(answer(SimpleNamespace(DEBUG=True)).items())]

# %% exercise="03.2" role="answer"
def misspelled(module):
    # solution
    known = [name for name in dir(global_settings) if name.isupper()]
    meant = {}
    for name in dir(module):
        if name.isupper() and name not in known:
            for match in difflib.get_close_matches(name, known, n=1, cutoff=0.9):
                meant[name] = match
    return meant
    # end


check("03.2")

# %% exercise="03.2" role="alternative" note="The same in sets and one comprehension. Shorter; the loop is easier to extend, say with names that were removed."
def misspelled(module):
    known = set(filter(str.isupper, dir(global_settings)))
    unknown = set(filter(str.isupper, dir(module))) - known
    matches = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.9) for name in unknown}
    return {name: found[0] for name, found in matches.items() if found}

# %% exercise="03.2" role="mistake" says="The names that are right are in your answer too: each is most like itself. Leave out what Django knows."
def misspelled(module):
    known = [name for name in dir(global_settings) if name.isupper()]
    matches = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.9) for name in dir(module) if name.isupper()}
    return {name: found[0] for name, found in matches.items() if found}

# %% exercise="03.2" role="mistake" says="`settings` also has the names of the bookshop, and Django's mean nothing more to it than `ADMIN_PATH`. The defaults alone are in `global_settings`."
def misspelled(module):
    known = [name for name in dir(settings) if name.isupper()]
    unknown = [name for name in dir(module) if name.isupper() and name not in known]
    matches = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.9) for name in unknown}
    return {name: found[0] for name, found in matches.items() if found}

# %% exercise="03.2" role="mistake" says="A name in small letters is no setting, so it cannot be a misspelled one. Ask `isupper()`."
def misspelled(module):
    known = [name for name in dir(global_settings) if name.isupper()]
    unknown = [name for name in dir(module) if name not in known]
    matches = {name: difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.9) for name in unknown}
    return {name: found[0] for name, found in matches.items() if found}

# %% exercise="03.2" role="mistake" says="Without `cutoff=0.9` names of your own are taken for slips of some far relative."
def misspelled(module):
    known = [name for name in dir(global_settings) if name.isupper()]
    unknown = [name for name in dir(module) if name.isupper() and name not in known]
    matches = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.5) for name in unknown}
    return {name: found[0] for name, found in matches.items() if found}

# %% exercise="03.2" role="hint"
# `dir(global_settings)` lists more than settings: keep what `isupper()`.
# %% exercise="03.2" role="hint"
# `get_close_matches(name, known, n=1, cutoff=0.9)` returns a list with one name or none.

# %% [markdown] exercise="03.3"
# ### 03.3 A setting with a default
#
# Return the first titles of the shop in alphabetical order: as many as the setting `BOOKS_PER_SHELF` says, and 3 where
# it is not set. A test that overrides it must be heard, and 0 means none. At most one query.

# %% exercise="03.3" role="check"
def observe(answer):
    seen = [list(answer())]
    for number in (5, 1, 0):
        with override_settings(BOOKS_PER_SHELF=number):
            seen.append(list(answer()))
    return [*seen, list(answer())]

# %% exercise="03.3" role="answer" budget=5
def shelf():
    # solution
    number = getattr(settings, "BOOKS_PER_SHELF", 3)
    return list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:number])
    # end


check("03.3")

# %% exercise="03.3" role="alternative" note="One name for the setting and its default, for an app that has several. It reads at each use as well."
class ShelfSettings:
    @property
    def books(self):
        return getattr(settings, "BOOKS_PER_SHELF", 3)


shelf_settings = ShelfSettings()


def shelf():
    return [book.title for book in Book.objects.order_by("title", "pk")[: shelf_settings.books]]

# %% exercise="03.3" role="mistake" says="The setting is read once, when the module is imported: no override reaches it. Read it inside the function."
NUMBER = getattr(settings, "BOOKS_PER_SHELF", 3)


def shelf():
    return list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:NUMBER])

# %% exercise="03.3" role="mistake" says="The default of an argument is computed once, when `def` runs: no override reaches it. Read the setting in the body."
def shelf(number=getattr(settings, "BOOKS_PER_SHELF", 3)):
    return list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:number])

# %% exercise="03.3" role="mistake" says="`or` takes 0 for not set. `getattr` with a third argument knows the difference."
def shelf():
    number = getattr(settings, "BOOKS_PER_SHELF", None) or 3
    return list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:number])

# %% exercise="03.3" role="mistake" says="You ask the module and not `django.conf.settings`: overrides, and settings from elsewhere, are not seen."
def shelf():
    module = import_module(settings.SETTINGS_MODULE or os.environ["DJANGO_SETTINGS_MODULE"])
    number = getattr(module, "BOOKS_PER_SHELF", 3)
    return list(Book.objects.order_by("title", "pk").values_list("title", flat=True)[:number])

# %% exercise="03.3" role="hint"
# Settings are attributes, and a missing one raises `AttributeError`.
# %% exercise="03.3" role="hint"
# `getattr(settings, "BOOKS_PER_SHELF", 3)`, in the body of the function.

# %% [markdown] exercise="03.4"
# ### 03.4 Vouchers after a change of keys
#
# Vouchers are made with `signing.dumps(value, salt="voucher")`. Write what renews them: return `token` itself where
# the present `SECRET_KEY` has signed it, a new token with the same value where one of the `SECRET_KEY_FALLBACKS` has,
# and `None` where it is neither.

# %% exercise="03.4" role="check"
def observe(answer):
    def token(key, value, salt="voucher"):
        # As if it had been made long ago: a new one bears another time.
        with patch("django.core.signing.time.time", return_value=1_700_000_000):
            return signing.dumps(value, key=key, salt=salt)

    tokens = {
        "present": token("present", {"percent": 5}),
        "past": token("past", {"percent": 10}),
        "past and empty": token("past", {}),
        "present and empty": token("present", {}),
        "long past": token("long past", {"percent": 15}),
        "unknown": token("unknown", {"percent": 90}),
        "other salt": token("present", {"percent": 95}, salt="cookie"),
        "nonsense": "ten percent",
    }
    seen = []
    with override_settings(SECRET_KEY="present", SECRET_KEY_FALLBACKS=["past", "long past"]):
        for name, made in tokens.items():
            got = answer(made)
            if got is None or got == made:
                seen.append([name, "as it was" if got else None])
                continue
            try:
                seen.append([name, "new", signing.loads(got, salt="voucher", fallback_keys=[])])
            except signing.BadSignature:
                seen.append([name, "new", "not signed with the present key"])
    return seen

# %% exercise="03.4" role="answer"
def renew(token):
    # solution
    try:
        value = signing.loads(token, salt="voucher")
    except signing.BadSignature:
        return None
    try:
        signing.loads(token, salt="voucher", fallback_keys=[])
    except signing.BadSignature:
        return signing.dumps(value, salt="voucher")
    return token
    # end


check("03.4")

# %% exercise="03.4" role="alternative" note="From the likely case to the rare one: most tokens need one look. It names the keys itself, as a loop over them would."
def renew(token):
    try:
        signing.loads(token, key=settings.SECRET_KEY, salt="voucher", fallback_keys=[])
        return token
    except signing.BadSignature:
        pass
    for key in settings.SECRET_KEY_FALLBACKS:
        try:
            value = signing.loads(token, key=key, salt="voucher", fallback_keys=[])
        except signing.BadSignature:
            continue
        return signing.dumps(value, salt="voucher")
    return None

# %% exercise="03.4" role="mistake" says="`loads` accepts the old keys as well, so you hand back tokens that die when the old key goes. Look again with `fallback_keys=[]`."
def renew(token):
    try:
        signing.loads(token, salt="voucher")
    except signing.BadSignature:
        return None
    return token

# %% exercise="03.4" role="mistake" says="Every good token is made anew. One that the present key has signed stays as it is."
def renew(token):
    try:
        return signing.dumps(signing.loads(token, salt="voucher"), salt="voucher")
    except signing.BadSignature:
        return None

# %% exercise="03.4" role="mistake" says="The salt is missing: it is part of the key, so no voucher opens."
def renew(token):
    try:
        value = signing.loads(token)
    except signing.BadSignature:
        return None
    try:
        signing.loads(token, fallback_keys=[])
    except signing.BadSignature:
        return signing.dumps(value)
    return token

# %% exercise="03.4" role="mistake" says="A token that nobody signed ends in `BadSignature`. Whoever sends one gets `None` here."
def renew(token):
    value = signing.loads(token, salt="voucher")
    try:
        signing.loads(token, salt="voucher", fallback_keys=[])
    except signing.BadSignature:
        return signing.dumps(value, salt="voucher")
    return token

# %% exercise="03.4" role="mistake" says="A voucher with an empty value is taken for a forged one: `if not value` asks what is in it, not whether it was signed. Ask for `None`, or catch the exception where you need it."
def opened(token, **options):
    try:
        return signing.loads(token, salt="voucher", **options)
    except signing.BadSignature:
        return None


def renew(token):
    value = opened(token)
    if not value:
        return None
    return token if opened(token, fallback_keys=[]) else signing.dumps(value, salt="voucher")

# %% exercise="03.4" role="hint"
# `signing.loads` tries the present key and then the fallbacks, and takes `fallback_keys` from you if you name them.
# %% exercise="03.4" role="hint"
# Twice `loads`: once with all keys, once with `fallback_keys=[]`.

# %% [markdown] exercise="03.5"
# ### 03.5 From a URL to an entry of DATABASES
#
# Turn `postgresql://ida:secret@db.example:5432/shop` into a dictionary with `ENGINE`, `NAME`, `USER`, `PASSWORD`,
# `HOST` and `PORT`, all of them text, empty where the URL says nothing. `postgres`, `postgresql`, `mysql`, `mariadb`
# and `sqlite` are known; `sqlite:////srv/shop.db` means the file `/srv/shop.db`. User, password and name may be
# percent-encoded. Any other scheme raises `ImproperlyConfigured`, and the password is not in the message.

# %% exercise="03.5" role="check"
def observe(answer):
    seen = []
    for url in (
        "postgresql://ida:secret@db.example:5432/shop",
        "postgres://ida:p%40ss%2Fword@db.example/shop",
        "postgres://ida%40shop:one+two@db.example/shop",
        "mariadb://ida@10.0.0.5/shop%20two",
        "mysql://db.example:3307/shop",
        "sqlite:////srv/shop.db",
        "mongodb://ida:hunter2@db.example/shop",
        "mssql://ida:hunter2@db.example/shop",
    ):
        try:
            seen.append([url, sorted(answer(url).items())])
        except ImproperlyConfigured as error:
            seen.append([url, "ImproperlyConfigured", "hunter2" in str(error)])
    return seen

# %% exercise="03.5" role="answer"
def database(url):
    # solution
    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    return {
        "ENGINE": f"django.db.backends.{backends[parts.scheme]}",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
    # end


check("03.5")

# %% exercise="03.5" role="alternative" note="With `match`, each kind of server may get options of its own later: SQLite a timeout, MySQL a character set."
def database(url):
    parts = urlsplit(url)
    match parts.scheme:
        case "postgres" | "postgresql":
            backend = "postgresql"
        case "mysql" | "mariadb":
            backend = "mysql"
        case "sqlite":
            backend = "sqlite3"
        case _:
            raise ImproperlyConfigured("This database has no backend in Django.")
    entry = {"ENGINE": f"django.db.backends.{backend}", "NAME": unquote(parts.path.removeprefix("/"))}
    entry |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port) if parts.port else ""}

# %% exercise="03.5" role="mistake" says="`%40` is an encoded `@`: who has such a password cannot connect. `unquote` decodes."
def database(url):
    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    entry = {"ENGINE": f"django.db.backends.{backends[parts.scheme]}", "NAME": parts.path[1:]}
    entry |= {"USER": parts.username or "", "PASSWORD": parts.password or ""}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="mistake" says="The password is decoded and the user is not: some hosts have users such as `ida@shop`, with an `@` to encode."
def database(url):
    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    entry = {"ENGINE": f"django.db.backends.{backends[parts.scheme]}", "NAME": unquote(parts.path[1:])}
    entry |= {"USER": parts.username or "", "PASSWORD": unquote(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="mistake" says="`unquote_plus` is for query strings: it makes a space of the plus in a password. Here `unquote` decodes."
def database(url):
    from urllib.parse import unquote_plus

    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    entry = {"ENGINE": f"django.db.backends.{backends[parts.scheme]}", "NAME": unquote_plus(parts.path[1:])}
    entry |= {"USER": unquote_plus(parts.username or ""), "PASSWORD": unquote_plus(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="mistake" says="There is no backend `mariadb`: MariaDB is reached through `django.db.backends.mysql`."
def database(url):
    backends = {"postgres": "postgresql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql", "mysql", "mariadb", "sqlite"}:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    entry = {"ENGINE": f"django.db.backends.{backends.get(parts.scheme, parts.scheme)}", "NAME": unquote(parts.path[1:])}
    entry |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="mistake" says="The message quotes the whole URL, and the password lands in the log. Name the scheme alone."
def database(url):
    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Cannot use {url}.")
    entry = {"ENGINE": f"django.db.backends.{backends[parts.scheme]}", "NAME": unquote(parts.path[1:])}
    entry |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="mistake" says="All slashes at the front are gone, and with them the root of the SQLite file's path. Only the first belongs to the URL."
def database(url):
    backends = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}
    parts = urlsplit(url)
    if parts.scheme not in backends:
        raise ImproperlyConfigured(f"Django has no backend for {parts.scheme}.")
    entry = {"ENGINE": f"django.db.backends.{backends[parts.scheme]}", "NAME": unquote(parts.path.lstrip("/"))}
    entry |= {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    return entry | {"HOST": parts.hostname or "", "PORT": str(parts.port or "")}

# %% exercise="03.5" role="hint"
# `urlsplit(url)` has `scheme`, `username`, `password`, `hostname`, `port` and `path`.
# %% exercise="03.5" role="hint"
# The path begins with the slash after the host: `parts.path[1:]`. Decode user, password and name with `unquote`.

# %% [markdown] exercise="03.6"
# ### 03.6 A router for sessions
#
# Sessions get a database of their own, `visitors`. Write the router: models of the app `sessions` are read and written
# there; their tables are made there and nowhere else, and no other tables are made there. About everything else the
# router has no opinion, which Django reads from `None`.

# %% exercise="03.6" role="check"
def observe(answer):
    router = answer()
    seen = []
    for model in (Session, Book, Order):
        for hints in ({}, {"instance": model()}):
            seen.append([model.__name__, router.db_for_read(model, **hints), router.db_for_write(model, **hints)])
    for place in ("default", "visitors", "archive"):
        for label, name in (("sessions", "session"), ("sessions", None), ("catalog", "book"), ("orders", None)):
            seen.append([place, label, router.allow_migrate(place, label, model_name=name)])
    return seen

# %% exercise="03.6" role="answer"
class VisitorsRouter:
    # solution
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else None

    def db_for_write(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else None

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if app_label == "sessions" or db == "visitors":
            return app_label == "sessions" and db == "visitors"
        return None
    # end


check("03.6")

# %% exercise="03.6" role="alternative" note="One method under two names, as long as reading and writing go to the same place. With a replica they part."
class VisitorsRouter:
    apps = {"sessions"}
    database = "visitors"

    def db_for_read(self, model, **hints):
        if model._meta.app_label in self.apps:
            return self.database

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        ours, here = app_label in self.apps, db == self.database
        if ours or here:
            return ours and here

# %% exercise="03.6" role="mistake" says="`\"default\"` is an opinion: no later router is asked, and an object from another database would be saved there. Return `None`."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if app_label == "sessions" or db == "visitors":
            return app_label == "sessions" and db == "visitors"
        return None

# %% exercise="03.6" role="mistake" says="The tables of the shop would be made in `visitors` as well: `allow_migrate` says nothing about them there, and nothing means yes."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return db == "visitors" if app_label == "sessions" else None

# %% exercise="03.6" role="mistake" says="Every table of the shop is refused everywhere: False for what is not yours stops `migrate` on `default`. Have no opinion there."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return app_label == "sessions" and db == "visitors"

# %% exercise="03.6" role="mistake" says="Sessions are written to `default` and read from `visitors`: nobody stays logged in. Route both."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "sessions" else None

    def db_for_write(self, model, **hints):
        return None

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if app_label == "sessions" or db == "visitors":
            return app_label == "sessions" and db == "visitors"
        return None

# %% exercise="03.6" role="mistake" says="The label of the app is `sessions`; `django.contrib.sessions` is its path, and no model has that for a label."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.app_label == "django.contrib.sessions" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if app_label == "django.contrib.sessions" or db == "visitors":
            return app_label == "django.contrib.sessions" and db == "visitors"
        return None

# %% exercise="03.6" role="mistake" says="You ask for the name of the model. A step with `RunPython` or `RunSQL` has none, so those of this app would run everywhere. Ask for the label of the app."
class VisitorsRouter:
    def db_for_read(self, model, **hints):
        return "visitors" if model._meta.model_name == "session" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if model_name == "session" or db == "visitors":
            return model_name == "session" and db == "visitors"
        return None

# %% exercise="03.6" role="hint"
# `model._meta.app_label` names the app. All methods get `**hints`.
# %% exercise="03.6" role="hint"
# `allow_migrate` has four cases: their app or not, their database or not. Only one is `True`, only one is `None`.

# %% [markdown] exercise="03.7"
# ### 03.7 Is this server too old?
#
# `backend` is `"postgresql"` or `"sqlite3"`, `version` a text such as `"9.6"` or `"3.45.1"`. Return whether the
# installed Django refuses that version. Ask Django for its minimum, at each call: it is `minimum_database_version` of
# the class `DatabaseFeatures` in `features` of the backend.

# %% exercise="03.7" role="check"
def observe(answer):
    seen = []
    for backend, versions in {
        "postgresql": ("9.6", "9.6.24", "13", "18", "18.1", "100.0"),
        "sqlite3": ("3.4.2", "3.5", "3.8.11", "3.45.1", "3.100.0", "4.0"),
    }.items():
        minimum = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures.minimum_database_version
        seen += [[version, answer(backend, version)] for version in versions]
        seen.append(["the minimum itself", answer(backend, ".".join(map(str, minimum)))])
        features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
        with patch.object(features, "minimum_database_version", (200, 4)):
            seen += [[version, "a later Django", answer(backend, version)] for version in ("200.3", "200.4")]
    return seen

# %% exercise="03.7" role="answer"
def too_old(backend, version):
    # solution
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    return tuple(int(part) for part in version.split(".")) < features.minimum_database_version
    # end


check("03.7")

# %% exercise="03.7" role="alternative" note="Naming the two modules needs no import by name. With two backends it is the plainer way."
def too_old(backend, version):
    from django.db.backends.postgresql.features import DatabaseFeatures as PostgreSQL
    from django.db.backends.sqlite3.features import DatabaseFeatures as SQLite

    features = {"postgresql": PostgreSQL, "sqlite3": SQLite}[backend]
    return (*map(int, version.split(".")),) < features.minimum_database_version

# %% exercise="03.7" role="mistake" says="As text, `9.6` comes after `15`: letters are compared one by one. Compare numbers, part by part."
def too_old(backend, version):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    return version < ".".join(map(str, features.minimum_database_version))

# %% exercise="03.7" role="mistake" says="As a decimal, 3.5 is more than 3.37; as a version it is much older. Compare tuples of whole numbers."
def too_old(backend, version):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    minimum = float(".".join(map(str, features.minimum_database_version)))
    return float(".".join(version.split(".")[:2])) < minimum

# %% exercise="03.7" role="mistake" says="The minimum itself is still supported: `<`, not `<=`."
def too_old(backend, version):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    return tuple(int(part) for part in version.split(".")) <= features.minimum_database_version

# %% exercise="03.7" role="mistake" says="You look at the first number only, and every SQLite has had a 3 there for twenty years."
def too_old(backend, version):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    return int(version.split(".")[0]) < features.minimum_database_version[0]

# %% exercise="03.7" role="mistake" says="The numbers are those of one release, and the next has others. Ask Django for them."
def too_old(backend, version):
    minimum = {"postgresql": (15,), "sqlite3": (3, 37)}[backend]
    return tuple(int(part) for part in version.split(".")) < minimum

# %% exercise="03.7" role="hint"
# `import_module("django.db.backends.sqlite3.features")` needs no server.
# %% exercise="03.7" role="hint"
# Tuples are compared part by part: `(9, 6) < (15,)` is true.

# %% [markdown] exercise="03.8"
# ### 03.8 The same order on every database
#
# Return the books from the worst rating to the best, with those that have none at the end; equal ratings by primary
# key. The order must be the same on SQLite and on PostgreSQL, which put NULL at opposite ends. One query.

# %% exercise="03.8" role="check"
def observe(answer):
    # A copy in front of the table, with its rows the other way round: who does not order by the key gets that order.
    with uncounted(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE catalog_book AS SELECT * FROM main.catalog_book ORDER BY id DESC")
    try:
        return list(answer())
    finally:
        with uncounted(), connection.cursor() as cursor:
            cursor.execute("DROP TABLE temp.catalog_book")

# %% exercise="03.8" role="answer" ordered=true budget=1
def worst_first():
    # solution
    return Book.objects.order_by(F("rating").asc(nulls_last=True), "pk")
    # end


check("03.8")

# %% exercise="03.8" role="alternative" note="A value that is above all others stands for none. It works everywhere, and needs such a value; `nulls_last` says what is meant."
def worst_first():
    return Book.objects.order_by(Coalesce("rating", Value(99)), "pk")

# %% exercise="03.8" role="mistake" says="On SQLite the books without a rating come first, on PostgreSQL last. Say which: `F(\"rating\").asc(nulls_last=True)`."
def worst_first():
    return Book.objects.order_by("rating", "pk")

# %% exercise="03.8" role="mistake" says="That is from the best to the worst."
def worst_first():
    return Book.objects.order_by(F("rating").desc(nulls_last=True), "pk")

# %% exercise="03.8" role="mistake" says="The books without a rating are missing. They belong to the end of the list."
def worst_first():
    return Book.objects.filter(rating__isnull=False).order_by("rating", "pk")

# %% exercise="03.8" role="mistake" says="Books with equal ratings come in any order, on each database another one. Add `\"pk\"`."
def worst_first():
    return Book.objects.order_by(F("rating").asc(nulls_last=True))

# %% exercise="03.8" role="hint"
# `order_by` takes expressions, and `F("rating").asc()` is one.
# %% exercise="03.8" role="hint"
# `asc(nulls_last=True)`

# %% [markdown] exercise="03.9"
# ### 03.9 The same letters on every database
#
# Return the titles that contain `text` exactly as it is written, capitals and accents included, by title and primary
# key. `contains` ignores the case of ASCII letters on SQLite. One query; whether the database or Python decides in the
# end is up to you.

# %% exercise="03.9" role="answer" ordered=true budget=1 calls=[["the"], ["The"], ["EMMA"], ["é"], ["É"], ["R.U.R."], ["."], ["%"], ["_"]]
def titles_with(text):
    # solution
    books = Book.objects.filter(title__contains=text).order_by("title", "pk")
    return [book.title for book in books if text in book.title]
    # end


check("03.9")

# %% exercise="03.9" role="alternative" note="The position of the text, from the database: it compares letter by letter on SQLite and PostgreSQL. On MySQL the collation decides; there Python has the last word."
def titles_with(text):
    books = Book.objects.alias(place=StrIndex("title", Value(text))).filter(place__gt=0)
    return list(books.order_by("title", "pk").values_list("title", flat=True))

# %% exercise="03.9" role="mistake" says="On SQLite `contains` is `LIKE`, and finds `Emma` for `EMMA`. Look again in Python, or ask for the position."
def titles_with(text):
    return list(Book.objects.filter(title__contains=text).order_by("title", "pk").values_list("title", flat=True))

# %% exercise="03.9" role="mistake" says="`icontains` ignores case on purpose, on every database (on SQLite for ASCII letters alone)."
def titles_with(text):
    return list(Book.objects.filter(title__icontains=text).order_by("title", "pk").values_list("title", flat=True))

# %% exercise="03.9" role="mistake" says="That is where a title begins. It may contain the text anywhere."
def titles_with(text):
    return [book.title for book in Book.objects.order_by("title", "pk") if book.title.startswith(text)]

# %% exercise="03.9" role="mistake" says="You made both sides small, so case does not count any more."
def titles_with(text):
    return [book.title for book in Book.objects.order_by("title", "pk") if text.lower() in book.title.lower()]

# %% exercise="03.9" role="mistake" says="`regex` knows case, and takes the text for a pattern: a dot is any letter. `re.escape(text)` would do, or `contains` and a second look."
def titles_with(text):
    return list(Book.objects.filter(title__regex=text).order_by("title", "pk").values_list("title", flat=True))

# %% exercise="03.9" role="hint"
# `contains` finds at least what you want. What is too much?
# %% exercise="03.9" role="hint"
# `text in book.title` compares letter by letter.
