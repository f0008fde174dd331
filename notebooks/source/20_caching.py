# %% [markdown]
# # 20 · Caching
#
# After this chapter you can say what to cache and where to keep it, cache a page without showing one visitor's to
# another, make a change visible when it has to be, and keep a site up while its most popular entry is missing.
#
# *Questions: Q53 levels and backends · Q54 strategies and invalidation.* Predict each output before you run its cell.
# [Exercises 20.1 to 20.10](../exercises/20_caching.ipynb) follow.

# %%
from checks import quiz
from lab import asgi, get, memcached, queries, reset, start, valkey

start()

# Django is set up now, so its models can be imported.
import asyncio
import pickle
import pkgutil
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from shutil import which
from timeit import repeat
from urllib.request import urlopen

import django
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.conf import settings
from django.core.cache import backends, cache, caches
from django.core.cache.backends import memcached as bindings
from django.core.cache.backends.base import InvalidCacheKey
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.utils import make_template_fragment_key
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.template import engines
from django.test import Client, override_settings
from django.urls import path
from django.utils.text import slugify
from django.views.decorators.cache import cache_control, cache_page
from django.views.decorators.vary import vary_on_cookie, vary_on_headers
from storefront.caching import get_or_compute

# %% [markdown]
# ## Q53 · Choose what to cache, and where to keep it
#
# *Intermediate · asked as T14, I2*
#
# **Say it.** A cache keeps a result, so that the next who asks need not have it worked out again. There are two
# choices. What to keep: every page, by middleware; one view, by `cache_page`; a fragment of a template, by `{% cache
# %}`; or any value, by `cache.get` and `cache.set`. And where: `CACHES` names the backends, which are local memory,
# the default, then files, a database table, Redis, Memcached, and a dummy for development. The code stays the same;
# who shares the entries, and what they cost, does not.
#
# *What lifts it:* a cache may forget at any time. A page's key is its URL and the headers that `Vary` names, so
# whoever caches pages has to know what they depend on.

# %% [markdown]
# **See it.** The lowest level: any value under a name. Three visitors want the ranking. How often is it computed?

# %%
computed = []


def ranking():
    computed.append("ranking")
    return [book.title for book in Book.objects.bestselling()[:3]]


cache.clear()
with queries(quiet=True) as seen:
    for visitor in range(3):
        titles = cache.get_or_set("bestselling", ranking, timeout=300)
print(titles, len(computed), len(seen))

# %% [markdown]
# Once. `get_or_set` takes the function; with `ranking()` it would be computed for each visitor and thrown away twice.
# The other calls, on stock numbers. Which of the two `add` succeeds, and what does the second `delete` say?

# %%
cache.set_many({"emma": 3, "nana": 0})
print(cache.get_many(["emma", "nana", "dracula"]))
print(cache.add("emma", 9), cache.add("dracula", 5), cache.incr("emma"))
print(cache.touch("emma", 60), cache.delete("nana"), cache.delete("nana"))

# %% [markdown]
# `add` stores nothing where there is something: that makes it a lock, later. Now the timeout, in seconds, 300 unless
# `TIMEOUT` says otherwise. With which of these is the entry there?

# %%
print(cache.default_timeout)
for timeout in (60, 0, -1, None):
    cache.set("notice", "Closed on Mondays", timeout)
    print(timeout, "notice" in cache)

# %% [markdown]
# `None` means for ever, 0 never: people mix them up. And what comes back is a copy, pickled and unpickled, even from
# local memory. So a change to it is lost, and what pickle refuses cannot be cached:

# %%
cache.set("shelf", ["Emma"])
cache.get("shelf").append("Nana")
print(cache.get("shelf"))
try:
    cache.set("discount", lambda price: price / 2)
except (AttributeError, pickle.PicklingError):
    print("A lambda cannot be pickled.")

# %% [markdown]
# **A view.** `cache_page` keeps the whole response. Six requests: how often does the view run?

# %%
made = []


def listing(request):
    made.append(request.get_full_path())
    return HttpResponse("166 books")


cache.clear()
with override_settings(ROOT_URLCONF=(path("", cache_page(60)(listing)),)):
    for url in ("/", "/", "/?page=2&q=e", "/?q=e&page=2", "/?page=2&q=e"):
        reply = Client().get(url)
    Client().post("/")
print(made)
print(reply["Cache-Control"], "Expires" in reply, "Age" in reply)

# %% [markdown]
# Four times. The key is the URL as it was sent, so the same question in another order is another page, and a POST is
# never answered from the cache. The browser is told as well, by `Cache-Control` and `Expires`. Which of these answers
# is kept?

# %%
answers = {
    "page": lambda: HttpResponse("166 books"),
    "404": lambda: HttpResponse("nothing", status=404),
    "redirect": lambda: HttpResponse(status=302, headers={"Location": "/"}),
    "stream": lambda: StreamingHttpResponse(["166 ", "books"]),
    "private": lambda: HttpResponse("Mira's orders", headers={"Cache-Control": "private"}),
    "no-store": lambda: HttpResponse("Mira's card", headers={"Cache-Control": "no-store"}),
    "varies on all": lambda: HttpResponse("a page", headers={"Vary": "*"}),
}

# %%
for name, answer in answers.items():
    made.clear()
    view = cache_page(60)(lambda request: made.append(name) or answer())
    with override_settings(ROOT_URLCONF=(path(f"{slugify(name)}/", view),)):
        for _ in range(2):
            Client().get(f"/{slugify(name)}/")
    print(f"{name:14} {'kept' if len(made) == 1 else 'made twice'}")

# %% [markdown]
# A page only: status 200, whole, and not forbidden by its own headers. (A 304 of the view is let through, and not
# kept.) Next, one URL with two answers. What does the program get that asks for JSON after a browser was there?

# %%
def book(request):
    return HttpResponse(request.get_preferred_type(["text/html", "application/json"]))


def ask(view, header, *values):
    cache.clear()
    with override_settings(ROOT_URLCONF=(path("", view),)):
        return [Client().get("/", headers={header: value}).text for value in values]


kinds = "text/html", "application/json"
print(ask(cache_page(60)(book), "accept", *kinds))
print(ask(cache_page(60)(vary_on_headers("Accept")(book)), "accept", *kinds))

# %% [markdown]
# The HTML, as it was cached; and by its own kind, once the response says `Vary: Accept`. `Vary` names the request
# headers that the answer depends on, and Django makes them part of the key. The values count as they are. How many
# answers for one page in HTML?

# %%
def counting(request):
    made.append("page")
    return book(request)


made.clear()
browsers = ["text/html", "text/html, */*;q=0.8", "text/html,*/*;q=0.8"]
print(set(ask(cache_page(60)(vary_on_headers("Accept")(counting)), "accept", *browsers)), len(made))

# %% [markdown]
# Three entries, because three browsers write it in three ways. The active language needs no care: it is part of the
# key with `USE_I18N`, and so is the time zone with `USE_TZ`
# ([documentation](https://docs.djangoproject.com/en/stable/topics/cache/#the-per-site-cache)).
#
# **A fragment.** `{% cache %}` keeps a part of a page, and leaves the rest to each visitor. The view hands over a
# queryset. Count its queries:

# %%
template = engines["django"].from_string(
    "{% load cache %}Hello {{ name }}: {% cache 300 authors %}{{ authors|join:', ' }}{% endcache %}"
)
cache.clear()
for name in ("Mira", "Tomas", "Anna"):
    with queries(quiet=True) as seen:
        authors = Author.objects.order_by("pk")[:2]
        html = template.render({"name": name, "authors": list(authors) if name == "Anna" else authors})
    print(len(seen), html)

# %% [markdown]
# The first visitor pays for the query. For Tomas the queryset stays a question that nobody asks. For Anna the view
# made a list of it, and the query was sent for nothing: a cached fragment saves only what happens inside it. The
# shop's page does it right:

# %%
cache.clear()
for language in ("en", "en", "de"):
    with queries(quiet=True) as seen:
        reply = get("/genres/", headers={"accept-language": language})
    print(language, len(seen), "59 Bücher" in reply.text)

# %% [markdown]
# Its tag says `{% cache 300 genre_index language %}`: what stands after the name is part of the key. Whatever a
# fragment shows and its key does not name, all visitors share.
#
# **Every page.** Two middleware, the outermost and the innermost. Queries of three visits each:

# %%
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
cache.clear()
with override_settings(MIDDLEWARE=[UPDATE, *settings.MIDDLEWARE, FETCH]):
    for url in ("/authors/jane-austen/", "/books/emma/"):
        counts = []
        for _ in range(3):
            with queries(quiet=True) as seen:
                Client().get(url)
            counts.append(len(seen))
        print(url, counts)

# %% [markdown]
# The page of the book has a form, so each answer sets the CSRF cookie and varies on it: Django does not keep it.
# `Update` stands first because responses pass it last, when every `Vary` is there; `Fetch` last, when the language is
# known. The shop leaves this level off: most of its pages show a name or a cart.

# %% [markdown]
# **Where.** The same four lines on each backend, and in a second process. What does each get back?

# %%
def backend(name, location="lesson", **further):
    entry = {"BACKEND": f"django.core.cache.backends.{name}", "LOCATION": location, **further}
    return override_settings(CACHES={"default": entry})


def another_process(statement):
    tables = {"default": {"ENGINE": connection.settings_dict["ENGINE"], "NAME": str(connection.settings_dict["NAME"])}}
    setup = f"settings.configure(CACHES={{'default': {caches.settings['default']!r}}}, DATABASES={tables!r})"
    code = f"from django.conf import settings\n{setup}\nfrom django.core.cache import cache\n{statement}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()

# %%
def try_out(name):
    cache.set("title", "Emma")
    there = another_process("print(cache.get('title'))")
    try:
        cache.set("large", "x" * 1_100_000)
        large = "large" in cache
    except Exception as error:
        large = type(error).__name__
    print(f"{name:14} {cache.get('title')!s:6} {there:6} {large}")


# %%
places = {"dummy": backend("dummy.DummyCache"), "local memory": backend("locmem.LocMemCache")}
places["files"] = backend("filebased.FileBasedCache", tempfile.mkdtemp())
places["database"] = backend("db.DatabaseCache")
print("               here   there  large")
for name, place in places.items():
    with place:
        call_command("createcachetable", verbosity=0)
        try_out(name)

# %%
if valkey.available():
    with valkey():
        try_out("Valkey")
else:
    print(valkey.why_not())

# %% tags=["needs-memcached"]
if which("memcached"):
    with memcached():
        try_out("Memcached")
else:
    print("Memcached is not installed here. It takes no value above a megabyte.")

# %% [markdown]
# Local memory belongs to one process: with four workers there are four caches, and what is deleted in one lives on in
# three. Memcached takes no value above a megabyte by default, and the client pymemcache raises. The dummy keeps
# nothing, so that developers see their changes.

# %% [markdown] reason="A table of the seven backends, to look things up."
# | backend | entries live in | shared by | when it is full |
# | --- | --- | --- | --- |
# | `locmem.LocMemCache` | a dictionary of the process | its threads | above `MAX_ENTRIES`, drops the least recently used |
# | `filebased.FileBasedCache` | one file each | whoever sees the folder | above `MAX_ENTRIES`, drops any; lists the folder at each `set` |
# | `db.DatabaseCache` | a table, `createcachetable` | whoever has the database | above `MAX_ENTRIES`, drops expired rows, then the first by key |
# | `redis.RedisCache` | a Redis or Valkey server | whoever reaches it | as its `maxmemory-policy` says |
# | `memcached.PyMemcacheCache` | a Memcached server | whoever reaches it | drops what was not used for long |
# | `memcached.PyLibMCCache` | the same, by the client pylibmc | | |
# | `dummy.DummyCache` | nowhere | | |
#
# ([Reference](https://docs.djangoproject.com/en/stable/topics/cache/#setting-up-the-cache).) `MAX_ENTRIES` is 300
# unless you say otherwise. Is that much? The 301st book comes:

# %%
with backend("locmem.LocMemCache", "full"):
    cache.clear()
    for number in range(301):
        cache.set(f"book:{number}", "a page")
    there = [number for number in range(301) if f"book:{number}" in cache]
print(len(there), there[0], there[-1])

# %% [markdown]
# A third is dropped at once (`CULL_FREQUENCY` = 3). A site with a page for each of a thousand books needs `OPTIONS:
# {"MAX_ENTRIES": …}`. The database as a cache: what does it cost to save a query that way?

# %%
with backend("db.DatabaseCache"):
    call_command("createcachetable", verbosity=0)
    with queries(quiet=True) as write:
        cache.set("title", "Emma")
    with queries(quiet=True) as read:
        cache.get("title")
    print(len(write), len(read))

# %% [markdown]
# A `set` counts all rows, looks and writes; a `get` is a query. That pays for what takes many queries, not for one. On
# a server entries are keys and bytes. What does Django call ours?

# %%
if valkey.available():
    import redis

    with valkey() as server:
        cache.set("title", "Emma", timeout=60)
        cache.set("stock", 12, timeout=None)
        raw = redis.Redis.from_url(server.url)
        for key in sorted(raw.keys()):
            print(key, raw.get(key)[:2], raw.ttl(key) > 0)
else:
    print(valkey.why_not())

# %% [markdown]
# `prefix:version:key`, with an empty prefix and version 1. Integers go unpickled, so that the server itself can add to
# them; the rest is pickle. Memcached has rules for keys, and is strict:

# %% tags=["needs-memcached"]
if which("memcached"):
    with memcached():
        for key in ("two words", "x" * 251, "emma"):
            try:
                cache.set(key, 1)
                print("stored")
            except InvalidCacheKey:
                print("InvalidCacheKey")
else:
    print("Memcached is not installed here. It refuses the first two.")

# %% [markdown]
# Local memory, files and Redis [warn](https://docs.djangoproject.com/en/stable/topics/cache/#cache-key-warnings) of
# such keys and take them, so the surprise comes with the move. The shop hashes its keys (`storefront/caching.py`).

# %% [markdown]
# **The trap.** The most dangerous one first. A page greets its visitor, and somebody puts `cache_page` on it. Django
# knows that the answer depends on the cookie, and says so in `Vary`. What does Tomas read?

# %%
def welcome(request):
    return HttpResponse(f"Hello {request.user}")


def visits(view):
    cache.clear()
    with override_settings(ROOT_URLCONF=(path("", view),)):
        for name in ("mira", "tomas"):
            client = Client()
            client.force_login(User.objects.get(username=name))
            reply = client.get("/")
            print(reply.text, "·", "Cookie" in reply.get("Vary", ""))


visits(cache_page(60)(welcome))

# %% [markdown]
# Mira's page. The session middleware adds `Vary: Cookie`, but it stands outside of the decorator: the page was stored
# without it, before. The middleware of the whole site does not have this hole. Three cures, and one that looks like a
# cure:

# %%
visits(cache_page(60)(vary_on_cookie(welcome)))
visits(cache_page(60)(cache_control(private=True)(welcome)))
print("The other way round:")
visits(vary_on_cookie(cache_page(60)(welcome)))

# %% [markdown]
# `vary_on_cookie` gives each visitor an entry, `private` keeps it for the browser alone; the third cure is not to
# cache such a page. In the wrong order the header comes too late again. The same holds for forms: see [CSRF and
# caching](https://docs.djangoproject.com/en/stable/howto/csrf/#using-csrf-protection-with-caching).

# %% [markdown]
# Second: a widely read list answers "caching strategies" with Memcached, file system, local memory and database, and
# says that a cache stores dynamic pages. Those are places: above, the same lines ran on each. And pages are one of the
# things to keep. What Django brings:

# %%
print(*sorted(module.name for module in pkgutil.iter_modules(backends.__path__) if module.name != "base"))
print([name for name in ("MemcachedCache", "PyMemcacheCache", "PyLibMCCache") if hasattr(bindings, name)])

# %% [markdown]
# Redis, [built in since 4.0](https://docs.djangoproject.com/en/stable/releases/4.0/#redis-cache-backend), and the
# dummy are missing there. The class of old samples, `MemcachedCache`, [was removed in
# 4.1](https://docs.djangoproject.com/en/stable/releases/4.1/#features-removed-in-4-1). A strategy says when an entry
# is made, and when it ends: that is Q54. Third, the same list: files are written "in a serialized order". Which order?

# %%
folder = tempfile.mkdtemp()
with backend("filebased.FileBasedCache", folder):
    cache.set("b", "Nana")
    cache.set("a", "Emma")
for file in Path(folder).iterdir():
    with file.open("rb") as content:
        expires, value = pickle.load(content), pickle.loads(zlib.decompress(content.read()))
    print(file.suffix, type(expires).__name__, value in ("Emma", "Nana"))

# %% [markdown]
# None: one file per entry, named by a hash of its key, and in it a pickled expiry and a compressed pickle.
# "Serialised" is the format. And that is a matter of trust. Somebody else may write into the folder:

# %%
class Stranger:
    def __reduce__(self):
        return print, ("This came out of the cache.",)


with backend("filebased.FileBasedCache", folder):
    cache.set("a", "Emma")
    for file in Path(folder).iterdir():
        file.write_bytes(pickle.dumps(time.time() + 60) + zlib.compress(pickle.dumps(Stranger())))
    cache.get("a")

# %% [markdown]
# `print` ran because the file said so; it could have been any function. Who can write to your cache can run code in
# your processes: no folder that others may write to, no Redis or Memcached open to a network, a password where the
# server has one.

# %% [markdown]
# Fourth: "Memcached is the fastest and most efficient type of cache". The
# [documentation](https://docs.djangoproject.com/en/stable/topics/cache/#memcached) says today that it is entirely
# memory-based. Measured, one small value read from each, the quickest of 500:

# %%
def seconds(action, times=500):
    return min(repeat(action, number=1, repeat=times))


def reading():
    cache.set("shelf", ["Emma", "Nana", "Dracula"])
    return seconds(lambda: cache.get("shelf"))

# %% tags=["needs-memcached"]
local = reading()
if which("memcached") and valkey.available():
    with valkey():
        on_valkey = reading()
    with memcached():
        on_memcached = reading()
    print(on_valkey > 5 * local, on_memcached > 5 * local, on_valkey > on_memcached)
else:
    print("It takes both servers, and prints True True True.")

# %% [markdown]
# Local memory is several times faster than both, because nothing leaves the process. Between the two, with the clients
# of this course, Memcached wins a single `get`. Is it the server? Ask both over a bare socket, without any client:

# %% reason="Two servers, each with its own greeting: the same question to both." tags=["needs-memcached"]
def bare(address, question, password=""):
    host, port = address.split(":")
    wire = socket.create_connection((host, int(port)))
    if password:
        wire.sendall(f"AUTH {password}\r\n".encode())
        wire.recv(100)
    return seconds(lambda: (wire.sendall(question), wire.recv(1000)), times=3000)


if which("memcached") and valkey.available():
    with valkey(cache=None) as one, memcached(cache=None) as other:
        password, address = one.url.removeprefix("redis://:").removesuffix("/0").split("@")
        ratio = bare(address, b"GET title\r\n", password) / bare(other.url, b"get title\r\n")
    print(1 / 3 < ratio < 3)
else:
    print("It takes both servers, and prints True.")

# %% [markdown]
# The servers answer in much the same time; the rest is Python: the client library, and Django around it. What counts
# more than the brand is the number of trips, the size of what is kept, and whether it was worth it. A hundred titles,
# one by one and in one trip:

# %%
titles = {f"title:{number}": "Emma" for number in range(100)}
if valkey.available():
    with valkey():
        cache.set_many(titles)
        one_by_one = seconds(lambda: [cache.get(key) for key in titles], times=20)
        print(one_by_one > 4 * seconds(lambda: cache.get_many(titles), times=20))
        print(seconds(lambda: cache.get("title:1")) > 4 * seconds(lambda: slugify("Pride and Prejudice")))
else:
    print(valkey.why_not())

# %% [markdown]
# The second line: what is quick to compute is slower from a cache. And the size: model instances, or only what the
# page shows?

# %%
books = pickle.dumps(list(Book.objects.all()))
columns = pickle.dumps(list(Book.objects.values_list("title", "slug")))
print(len(books) > 5 * len(columns))
print(seconds(lambda: pickle.loads(books), 20) > 5 * seconds(lambda: pickle.loads(columns), 20))

# %% [markdown] reason="Four questions, each with a full answer."
# **Asked next**
#
# - *`cache.get()` returned None: is the entry missing, or is None stored?* You cannot tell. Give a default that nobody
#   stores, a sentinel, and compare with `is`. `get_or_set()` does so by itself. `key in cache` and then `get` are two
#   trips, and the entry may go in between.
# - *What does `Vary: Cookie` do to the hit rate?* Each value of the whole `Cookie` header is an entry of its own, and
#   a counter of visits or a consent banner is in it. Cache what is the same for all without the cookie, as fragments
#   or values.
# - *Redis or Memcached?* For Django's API either. Redis, or Valkey, when the server is broker or channel layer as
#   well, when entries shall survive a restart, or when a value is larger than a megabyte. Memcached for a cache and
#   nothing else; Django [spreads the keys](https://docs.djangoproject.com/en/stable/topics/cache/#memcached) over
#   several of them.
# - *And in an async view?* `aget()`, `aset()` and the rest exist on all backends. None of Django's is asynchronous
#   inside: the call goes through a thread.

# %%
def discount(slug):
    computed.append(slug)
    return None


MISSING = object()
computed.clear()
for _ in range(3):
    if cache.get("discount:emma") is None:
        cache.set("discount:emma", discount("emma"))
    if cache.get("discount:nana", MISSING) is MISSING:
        cache.set("discount:nana", discount("nana"))
print(Counter(computed))

# %%
def counting(request):
    made.append("page")
    return HttpResponse("166 books")


for view in (cache_page(60)(counting), cache_page(60)(vary_on_cookie(counting))):
    made.clear()
    ask(view, "cookie", *[f"visits={number}" for number in range(50)])
    print(len(made), "of 50 computed")

# %% [markdown]
# None is hit when each visitor has a cookie of their own. Before you take Redis for a cache, know what it does when it
# is full. As it comes out of the box:

# %%
if valkey.available():
    with valkey() as server:
        limits = redis.Redis.from_url(server.url).config_get("maxmemory", "maxmemory-policy")
        print(limits["maxmemory"], limits["maxmemory-policy"])
else:
    print(valkey.why_not())

# %% [markdown]
# No limit, and with one it would refuse writes instead of dropping anything. For a cache, set `maxmemory` and
# `allkeys-lru` or `allkeys-lfu`; not on a server that holds sessions or a queue too
# ([eviction](https://valkey.io/topics/lru-cache/)).
#
# **Versions.** Since 6.1 the keys of pages and fragments that vary are made in another way. After the upgrade, the
# first visit to each is a miss. The old way had a flaw:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(make_template_fragment_key("shelf", ["a", "b"]) == make_template_fragment_key("shelf", ["a:b"]))
else:
    print("Django 6.1 prints False. 5.2 makes the same key of both.")

# %% [markdown]
# On 5.2 the two are one entry: a text typed by a visitor could meet somebody else's fragment. While servers of both
# releases run side by side, each deletes only its own. And `aincr()`: on 5.2 it reads and then writes, on every
# backend. On 6.1 it is one step where `incr()` is. Fifty visitors counted at once:

# %% tags=["since-6.1"]
async def count_visitors():
    await cache.aset("visitors", 0)
    await asyncio.gather(*[cache.aincr("visitors") for _ in range(50)])
    return await cache.aget("visitors")


if django.VERSION >= (6, 1):
    print(await count_visitors())
else:
    print("Django 6.1 prints 50. Here:", await count_visitors())

# %% [markdown]
# `aget_many()`, too: three keys are three commands on 5.2, and one on 6.1, where the backend has a command for many.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1) and valkey.available():
    with valkey() as server:
        raw = redis.Redis.from_url(server.url)
        raw.config_resetstat()
        await cache.aget_many(["emma", "nana", "dracula"])
        print([name for name in raw.info("commandstats") if name in ("cmdstat_get", "cmdstat_mget")])
else:
    print("Django 6.1 prints ['cmdstat_mget'], given a Valkey. On 5.2 it is ['cmdstat_get'].")

# %%
quiz("Q53")

# %% [markdown]
# Now [exercises 20.1 to 20.5](../exercises/20_caching.ipynb).

# %% [markdown]
# ## Q54 · Invalidate what is cached, and survive the moment when it is gone
#
# *Advanced · asked as T-A5*
#
# **Say it.** First I ask how old a value may be. Where minutes are fine, a timeout is the whole strategy. Where they
# are not, whoever writes says so after the commit: by deleting the entry or, better, by a new version of its group,
# which is part of every key, so that nobody asks for the old ones. A timeout stays as the net. And when a popular
# entry is gone, one request computes, and the others wait or get the old value. Otherwise all compute at once.
#
# *What lifts it:* why deleting too early leaves old data behind, what keys need in a deployment, and that
# nobody can delete what a browser keeps.

# %% [markdown] reason="A table of the strategies, to look things up."
# | strategy | who makes the entry | when it ends | may be wrong |
# | --- | --- | --- | --- |
# | timeout | the reader who misses ("cache-aside") | when time is up | until then |
# | delete on write | the reader who misses | with the write, if it knows all keys | after a race: see the trap |
# | write through | the writer | when time is up | after a rollback, if it was before the commit |
# | versioned keys | the reader who misses | with a new version, however many keys | between the commit and the new version; after a reader of old rows: see the trap |
# | stale while revalidating | one reader, the others get the old value | when it is no longer fresh | a little, on purpose |
#
# **See it.** The first one, and its price. Emma gets another title. What do the three readers see?

# %%
def title_of(slug):
    return cache.get_or_set(f"title:{slug}", lambda: Book.objects.get(slug=slug).title, 300)


cache.clear()
print(title_of("emma"))
Book.objects.filter(slug="emma").update(title="Emma Woodhouse")
print(title_of("emma"))
cache.delete("title:emma")
print(title_of("emma"))
reset()

# %% [markdown]
# Up to five minutes of the old title, unless the write deletes the entry. But which entries? Emma is on her own page,
# on the author's, on the shelf of each of her genres, in feeds and in searches. Put a version into their keys, and
# change that one. Four entries, two groups; how many are computed anew?

# %%
def version_of(group):
    return cache.get_or_set(f"version:{group}", secrets.token_hex, None)


def page(name, group):
    return cache.get_or_set(f"{name}:{version_of(group)}", lambda: made.append(name) or f"page of {name}", 300)


def outdate(group):
    cache.set(f"version:{group}", secrets.token_hex(), None)

# %%
def visit_all():
    made.clear()
    for name, group in (("emma", "books"), ("nana", "books"), ("search", "books"), ("hours", "shop")):
        page(name, group)
    return list(made)


cache.clear()
made = []
print(visit_all(), visit_all())
outdate("books")
print(visit_all())

# %% [markdown]
# One write, and three entries are out of reach; the cache drops them in its own time. Why a random token, and not a
# counter? Because a cache may drop the version itself. What does the reader find then?

# %%
cache.clear()
cache.set("version", 1, None)
cache.set("emma:1", "the page of yesterday")
cache.incr("version")
cache.delete("version")  # the cache was full
print(cache.get(f"emma:{cache.get_or_set('version', 1)}"))

# %%
page("emma", "books")
outdate("books")
cache.delete("version:books")
made.clear()
print(page("emma", "books"), made)

# %% [markdown]
# A counter begins again and meets the entries of before; a token never comes twice. Django counts versions too, of one
# entry and of the whole site. What do the three readers find?

# %%
cache.clear()
cache.set("emma", "old page")
cache.incr_version("emma")
print(cache.get("emma"), cache.get("emma", version=2))
with override_settings(CACHES={"default": {**settings.CACHES["default"], "VERSION": 2}}):
    print(cache.get("emma"))

# %% [markdown]
# `incr_version` moves one entry to the next number, where you ask for it by number. The setting `VERSION` moves all
# readers: for a release that stores something else under the same keys, and that begins cold. Beside it stands
# `KEY_PREFIX`. The live shop and a test system have one server. What does the customer read?

# %%
def two_sites(server, live="", test=""):
    sites = {"default": {**server, "KEY_PREFIX": live}, "test": {**server, "KEY_PREFIX": test}}
    return override_settings(CACHES=sites)


with valkey() if valkey.available() else nullcontext():
    server = caches.settings["default"]
    for prefixes in ([], ["live", "test"]):
        with two_sites(server, *prefixes):
            cache.set("greeting", "Welcome!")
            caches["test"].set("greeting", "This is a test.")
            print(cache.get("greeting"), end=" ")
            caches["test"].clear()
            print(cache.get("greeting"))

# %% [markdown]
# Without a prefix, what the test system wrote. With one, its own, but `clear()` knows no prefix: it empties everything
# there, whoever put it in. So invalidate by version; `clear()` is for tests.

# %% [markdown]
# **The stampede.** A report takes two seconds, is kept for a minute, and fifty clients ask in the moment when it is
# gone: a real server, fifty connections, one Valkey. The barrier lets all arrive before the first looks. How often is
# it computed?

# %%
CLIENTS = 50
together = threading.Barrier(CLIENTS)
made = []


def report():
    made.append("report")
    time.sleep(2)
    return "Pride and Prejudice"


def naive(request):
    together.wait(20)
    return HttpResponse(cache.get_or_set("report", report, 60))

# %%
def rush(view):
    made.clear()
    with asgi() as server, override_settings(ROOT_URLCONF=(path("", view),)):
        with ThreadPoolExecutor(CLIENTS) as clients:
            pages = clients.map(lambda number: urlopen(server.url).read().decode(), range(CLIENTS))
            answers = Counter(pages)
    print(len(made), "computed,", answers.total(), "answered")
    return answers


with valkey() if valkey.available() else nullcontext():
    answers = rush(naive)

# %% [markdown]
# Fifty times. `get_or_set` asks, computes and stores, and knows nothing of the others: what was cached because it is
# dear is now done fifty times at once. Let one of them take a lock: `cache.add` succeeds for the first alone.

# %% reason="The whole pattern: every line prevents something that happens."
MISSING = object()


def once(key, compute, timeout=60, patience=10):
    while (value := cache.get(key, MISSING)) is MISSING:
        if not cache.add(f"{key}:lock", "taken", patience):
            time.sleep(0.02)
            continue
        try:
            if (value := cache.get(key, MISSING)) is MISSING:
                value = compute()
                cache.set(key, value, timeout)
        finally:
            cache.delete(f"{key}:lock")
    return value

# %%
def patient(request):
    together.wait(20)
    return HttpResponse(once("report", report))


with valkey() if valkey.available() else nullcontext():
    answers = rush(patient)

# %% [markdown]
# Once. The lock has a timeout, in case its owner dies; it is given back in `finally`, in case the report fails; and
# whoever gets it looks again, because the last owner may have just finished. A report that outlasts its lock is
# computed again, and gives back a lock that is another's: the shop's is a token, and is compared first. Still 49
# clients wait. Where the number of before will do, they need not. `get_or_compute` of the shop keeps values beyond
# their time:

# %%
def calm(request):
    together.wait(20)
    return HttpResponse(get_or_compute("report", report))


with valkey() if valkey.available() else nullcontext():
    with override_settings(CACHE_POLICY={"fresh": 0.01, "stale": 3600, "lock": 30, "jitter": 0}):
        get_or_compute("report", lambda: "Dracula")
    time.sleep(0.02)
    answers = rush(calm)
print(answers["Dracula"] > 40, answers["Pride and Prejudice"] >= 1)

# %% [markdown]
# One client computes, the others have the old value at once. The third cure is against many entries at a time. A
# hundred pages, warmed in one go, run out together. Spread their timeouts by a tenth. How many run out within the
# worst second?

# %%
draw = random.Random(20)
together_gone = Counter(300 for page in range(100))
spread = Counter(int(300 * draw.uniform(0.9, 1.1)) for page in range(100))
print(max(together_gone.values()), max(spread.values()))

# %% [markdown]
# **A fragment gone stale.** The shop's list of genres is a fragment, and a receiver deletes it when a genre is saved.
# Which of the two changes does the page show?

# %%
def named(title):
    return title in get("/genres/").text


cache.clear()
named("Satire")
satire = Genre.objects.get(slug="satire")
satire.name = "Mockery"
satire.save()
print(named("Mockery"))
Genre.objects.filter(slug="satire").update(name="Ridicule")
print(named("Ridicule"), named("Mockery"))

# %%
cache.delete(make_template_fragment_key("genre_index", ["en"]))
print(named("Ridicule"))
reset()

# %% [markdown]
# `update()` sends no signal, so nobody deleted anything. `make_template_fragment_key` takes the name and the values in
# the order of the tag, and gives the key. For each combination there is one, which is why fragments that vary by user
# live by their timeout.

# %% [markdown]
# **The trap.** "Delete the entry when the row is saved." When exactly? Another visitor comes in the moment between the
# deletion and the commit:

# %%
def visitor(look):
    def visit():
        try:
            return look()
        finally:
            connection.close()

    # Another thread has another connection, and does not see what is not committed.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(visit).result()


def price():
    return cache.get_or_set("price:emma", lambda: Book.objects.get(slug="emma").price, 300)

# %%
def raise_price(forget):
    with transaction.atomic():
        book = Book.objects.get(slug="emma")
        book.price += 1
        book.save()
        forget(lambda: cache.delete("price:emma"))
        visitor(price)


for forget in (lambda delete: delete(), transaction.on_commit):
    cache.clear()
    price()
    raise_price(forget)
    print(price() == Book.objects.get(slug="emma").price)

# %% [markdown]
# False: the visitor still read the old price, as it was not committed, and put it back for the next five minutes, long
# after everybody believes it is deleted. Inside `atomic()`, and so in every view with `ATOMIC_REQUESTS`, `post_save`
# is sent before the commit: a receiver that deletes at once has this fault. `transaction.on_commit` mends it, but for
# a narrower case. A reader that is slow:

# %%
def slow_read():
    old = Book.objects.get(slug="emma").price
    raise_price(transaction.on_commit)
    return old


cache.clear()
cache.get_or_set("price:emma", slow_read, 300)
print(price() == Book.objects.get(slug="emma").price)

# %% [markdown]
# It read before the change and stored after the deletion. The version helps here: it is read **before** the rows, so
# what is old is stored under the old key. The same slow reader:

# %%
def versioned_price(compute):
    return cache.get_or_set(f"price:{version_of('books')}", compute, 300)


def slow_read():
    old = Book.objects.get(slug="emma").price
    raise_price(lambda delete: transaction.on_commit(lambda: outdate("books")))
    return old


cache.clear()
versioned_price(slow_read)
fresh = Book.objects.get(slug="emma").price
print(versioned_price(lambda: fresh) == fresh)

# %% [markdown]
# One hole is left. A reader in a transaction that keeps to what it saw first, as with `REPEATABLE READ`, takes the new
# version together with the old rows:

# %%
def reader_of_before():
    connection.cursor().execute("BEGIN")
    Book.objects.get(slug="emma")  # from here on, SQLite shows this transaction the rows of now
    visitor(lambda: raise_price(lambda delete: transaction.on_commit(lambda: outdate("books"))))
    return versioned_price(lambda: Book.objects.get(slug="emma").price)


cache.clear()
visitor(reader_of_before)
fresh = Book.objects.get(slug="emma").price
print(versioned_price(lambda: fresh) == fresh)
reset()

# %% [markdown]
# A [replica that lags](https://docs.djangoproject.com/en/stable/topics/db/multi-db/#an-example) does the same. So read
# what you cache outside of long transactions and from the primary database, and give each entry a timeout all the same.

# %% [markdown]
# The second trap: to cache a queryset. It is lazy, so what is stored, and what does it ask later?

# %%
cache.clear()
steps = {
    "store": lambda: cache.set("books", Book.objects.all()),
    "read": lambda: len(cache.get("books")),
    "filter": lambda: len(cache.get("books").filter(language="French")),
}
for name, step in steps.items():
    with queries(quiet=True) as seen:
        result = step()
    print(name, len(seen), result or "")

# %% [markdown]
# Pickling runs it, all rows and all columns; filtering what comes back asks the database as if there were no cache.
# And the instances are those of the version that stored them. A release adds the column `isbn`; twenty books are still
# in the cache:

# %%
books = list(Book.objects.all()[:20])
for book in books:
    del book.__dict__["isbn"]  # as it was before that release
cache.set("books", books)
with queries(quiet=True) as seen:
    isbns = [book.isbn for book in cache.get("books")]
print(len(seen))

# %% [markdown]
# One query each, from a page that had none: what an instance lacks, it fetches. Store plain values, or keys, as the
# shop does with its ranking (`storefront/shelves.py`). The third trap is a fragment that knows its visitor:

# %%
for tag in ("{% cache 300 hello %}", "{% cache 300 hello user.pk %}"):
    cache.clear()
    template = engines["django"].from_string("{% load cache %}" + tag + "Hello {{ user }}{% endcache %}")
    print([template.render({"user": user}) for user in User.objects.order_by("pk")[:2]])

# %% [markdown] reason="Four questions, each with a full answer."
# **Asked next**
#
# - *How do you prevent a stampede?* One computes, under a lock with a timeout; the others wait, or better get the old
#   value. Timeouts with jitter, so that not all runs out at once. What must never be missing is made ahead, by a task.
# - *Invalidate in a signal, in the service or on commit?* Always on commit; the question is who says it. The service
#   function, where all writes go through it: the call can be read. A signal, where the admin and others save as well;
#   it misses `update()`, and the [bulk
#   methods](https://docs.djangoproject.com/en/stable/ref/models/querysets/#bulk-create).
# - *HTTP caching or a server cache?* A server cache saves work for everybody, and you can delete there. HTTP saves the
#   transfer too, and sometimes the request, but what a browser keeps you cannot take back. With `no-cache` and an ETag
#   it asks each time, and a 304 has no body.
# - *What if the cache server is down?* The backends for Redis and Memcached raise, and a page that catches nothing is a 500. Set short
#   timeouts in `OPTIONS`, decide where to go on without, and load-test the site with an empty cache.

# %%
kept = {}
for _ in range(3):
    with queries(quiet=True) as seen:
        reply = Client().get("/genres/satire/feed/", headers=kept)
    print(reply.status_code, len(reply.content) > 1000, len(seen), reply.get("Cache-Control"))
    if len(seen) == 0:
        kept = {"if-none-match": reply["ETag"]}

# %% [markdown]
# Three queries, none, and then not even the body. `condition(etag_func=…)` asks for the ETag before the view runs;
# `no-cache` tells browsers to keep it and ask. (The 304 was made without the view, so it does not repeat it.)
# `cache_page` tells them something else, unless you do:

# %%
def listing(request):
    return HttpResponse("166 books")


for view in (cache_page(300)(listing), cache_page(300)(cache_control(max_age=0)(listing))):
    cache.clear()
    with override_settings(ROOT_URLCONF=(path("", view),)):
        replies = [Client().get("/") for _ in range(2)]
    print(replies[0]["Cache-Control"], "Age" in replies[1])

# %% [markdown]
# Kept for 300 seconds on the server in both; in the second, browsers ask each time. In async views the stampede is the
# same. Fifty coroutines, and then the lock:

# %%
async def visit(locked):
    while await cache.aget("report") is None:
        if locked and not await cache.aadd("report:lock", "taken", 10):
            await asyncio.sleep(0.02)
            continue
        made.append("report")
        await asyncio.sleep(0.2)
        await cache.aset("report", "Pride and Prejudice", 60)


for locked in (False, True):
    cache.clear()
    made.clear()
    await asyncio.gather(*[visit(locked) for _ in range(50)])
    print(len(made))

# %% [markdown]
# (It leaves the lock to its timeout, to be short.) Not every `add` is a lock, though: on files it looks first and
# writes then, in two steps. Two that look at the same time:

# %%
class Slow(FileBasedCache):
    def has_key(self, *args):
        found = super().has_key(*args)
        both_looked.wait(5)
        return found


both_looked = threading.Barrier(2)
files = Slow(tempfile.mkdtemp(), {})
with ThreadPoolExecutor(2) as threads:
    print(list(threads.map(lambda name: files.add("lock", name), ["one", "two"])))

# %% [markdown]
# Both have it. Twenty at once, in local memory and on Valkey. How many locks are given?

# %%
def winners():
    cache.clear()
    with ThreadPoolExecutor(20) as threads:
        return sum(threads.map(lambda number: cache.add("lock", number), range(20)))


print(winners())
with valkey() if valkey.available() else nullcontext():
    print(winners())

# %% [markdown]
# One each: Python's own lock there, one command of the server here. Last, the server that is gone:

# %%
with socket.create_server(("127.0.0.1", 0)) as place:
    port = place.getsockname()[1]  # nobody listens there any more, once the block is left
servers = {"redis.RedisCache": f"redis://127.0.0.1:{port}", "memcached.PyMemcacheCache": f"127.0.0.1:{port}"}
for name, location in servers.items():
    gone = {"default": {"BACKEND": f"django.core.cache.backends.{name}", "LOCATION": location}}
    with override_settings(CACHES=gone, ROOT_URLCONF=(path("", cache_page(60)(listing)),)):
        print(Client(raise_request_exception=False).get("/").status_code)

# %% [markdown]
# **Versions.** The same on 5.2.19 and 6.1.3, and new in both, as a security fix: a header that is missing and one that is empty are
# different pages, as [the standard](https://www.rfc-editor.org/rfc/rfc9111.html#section-4.1) has it. [Releases
# before](https://docs.djangoproject.com/en/stable/releases/5.2.19/) gave both one key:

# %%
def region(request):
    made.append("page")
    return HttpResponse(repr(request.headers.get("X-Customer")))


made.clear()
cache.clear()
with override_settings(ROOT_URLCONF=(path("", cache_page(60)(vary_on_headers("X-Customer")(region))),)):
    for headers in ({}, {"x-customer": ""}, {"x-customer": "mira"}):
        print(Client().get("/", headers=headers).text)

# %%
quiz("Q54")

# %% [markdown]
# Now [exercises 20.6 to 20.10](../exercises/20_caching.ipynb), then chapter [21 · Security](21_security.ipynb).
