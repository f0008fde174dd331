# %%
from checks import check, hint, solution
from lab import queries, start

start()

# Django is set up now, so its models can be imported.
import hashlib
import secrets
import threading
import time

from catalog.models import Author, Book, Genre
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.template import engines
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.cache import cache_control, cache_page, never_cache
from django.views.decorators.http import condition, last_modified
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

# %% [markdown] exercise="20.1"
# ### 20.1 Remember whatever comes out
#
# Return what the cache has under `key`. Where it has nothing, call `compute()`, keep what it returns for `seconds`, and return it. Whatever it returns is worth
# keeping: None, 0 and an empty list are answers too. What is there is found in one trip to the cache.

# %% exercise="20.1" role="check"
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache


def observe(answer):
    cache.clear()
    seen = []
    calls = []
    for name, value in (("none", None), ("zero", 0), ("text", ""), ("list", []), ("title", "Emma")):

        def compute():
            calls.append(name)
            return value

        got = [answer(name, compute, 60) for _ in range(3)]
        seen.append((got, f"computed {calls.count(name)} times"))
    now = time.time()
    for later in (50, 70):
        with mock.patch("time.time", return_value=now + later):
            answer("title", lambda: calls.append("again") or "Nana", 60)
        seen.append(f"computed {calls.count('again')} times more after {later} seconds")
    trips = []

    def counted(name):
        real = getattr(LocMemCache, name)

        def method(self, *args, **kwargs):
            trips.append(name)
            return real(self, *args, **kwargs)

        return mock.patch.object(LocMemCache, name, method)

    cache.set("there", "Emma")
    with counted("get"), counted("has_key"), counted("set"), counted("add"):
        seen.append(answer("there", lambda: "computed", 60))
    return [*seen, f"{len(trips)} trips for what is there"]

# %% exercise="20.1" role="answer"
def remembered(key, compute, seconds):
    # solution
    missing = object()
    value = cache.get(key, missing)
    if value is missing:
        value = compute()
        cache.set(key, value, seconds)
    return value
    # end


check("20.1")

# %% exercise="20.1" role="alternative" note="`get_or_set` has a sentinel of its own. It stores with `add`, so the first of two who compute at once wins."
def remembered(key, compute, seconds):
    return cache.get_or_set(key, compute, seconds)

# %% exercise="20.1" role="alternative" note="Wrapped in a tuple, every value is true. This is also how to keep the time of its making beside a value."
def remembered(key, compute, seconds):
    entry = cache.get(key)
    if isinstance(entry, tuple):
        return entry[0]
    if entry is not None:
        return entry
    entry = (compute(),)
    cache.set(key, entry, timeout=seconds)
    return entry[0]

# %% exercise="20.1" role="mistake" says="None is computed again at every visit: `cache.get()` returns None both for an entry that is missing and for a None that is stored."
def remembered(key, compute, seconds):
    value = cache.get(key)
    if value is None:
        value = compute()
        cache.set(key, value, seconds)
    return value

# %% exercise="20.1" role="mistake" says="`or` takes 0, an empty text and an empty list for a miss as well. Compare with something that nobody stores."
def remembered(key, compute, seconds):
    value = cache.get(key) or compute()
    cache.set(key, value, seconds)
    return value

# %% exercise="20.1" role="mistake" says="`compute()` is called before the cache is asked, at every visit. Hand over the function, without parentheses."
def remembered(key, compute, seconds):
    return cache.get_or_set(key, compute(), seconds)

# %% exercise="20.1" role="mistake" says="The seconds are not used, so every entry lasts for `TIMEOUT`, 300 seconds."
def remembered(key, compute, seconds):
    missing = object()
    value = cache.get(key, missing)
    if value is missing:
        value = compute()
        cache.set(key, value)
    return value

# %% exercise="20.1" role="mistake" says="Two trips for what is there, and between them the entry may run out: then this returns None without having computed anything."
def remembered(key, compute, seconds):
    if key not in cache:
        cache.set(key, compute(), seconds)
    return cache.get(key)

# %% exercise="20.1" role="hint"
# `cache.get(key, default)` returns the default where there is nothing.
# %% exercise="20.1" role="hint"
# A fresh `object()` is a default that is in no cache. Compare with `is`.

# %% [markdown] exercise="20.2"
# ### 20.2 One price list for each currency
#
# The view answers in the currency that the request's header `X-Currency` names. Let the answer be kept for five minutes: one entry for each currency, shared
# by all visitors, whatever cookies and browsers they have. Caches on the way must learn what it depends on. The view itself stays as it is.

# %% exercise="20.2" role="check"
from unittest import mock

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path


def observe(answer):
    cache.clear()
    visitors = [
        {"x-currency": "EUR", "user-agent": "one"},
        {"x-currency": "EUR", "user-agent": "another"},
        {"x-currency": "USD"},
        {"x-currency": "USD", "cookie": "visits=2"},
        {"x-currency": "EUR", "accept": "text/html"},
        {},
    ]
    seen = []

    def ask(headers):
        with CaptureQueriesContext(connection) as queries:
            reply = Client().get("/", headers=headers)
        varies = "X-CURRENCY" in [name.strip().upper() for name in reply.get("Vary", "").split(",")]
        made = "made" if len(queries) else "from the cache"
        return (reply.content.decode(), made, f"Vary names it: {varies}", reply.get("Cache-Control", "-"))

    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("", answer),)):
        for headers in visitors:
            seen.append((str(headers), *ask(headers)))
        now = time.time()
        for later in (240, 360):
            with mock.patch("time.time", return_value=now + later):
                seen.append((f"after {later} seconds", ask({"x-currency": "EUR"})[1]))
    return seen

# %% exercise="20.2" role="answer"
# solution
@cache_page(300)
@vary_on_headers("X-Currency")
# end
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")


check("20.2")

# %% exercise="20.2" role="alternative" note="`patch_vary_headers` inside the view says the same, and can depend on what the view did."
@cache_page(300)
def prices(request):
    response = HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")
    patch_vary_headers(response, ["X-Currency"])
    return response

# %% exercise="20.2" role="alternative" note="Applied by hand, from the inside out. In a URLconf `cache_page` may stand around a view that somebody else wrote."
def by_currency(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")


prices = cache_page(60 * 5)(vary_on_headers("X-Currency")(by_currency))

# %% exercise="20.2" role="mistake" says="Whoever comes first decides on the currency for everybody: the key is the URL alone, until the response says what else it depends on."
@cache_page(300)
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="mistake" says="The order: `vary_on_headers` stands outside, so the page is stored before it has its header. What `cache_page` shall see stands below it."
@vary_on_headers("X-Currency")
@cache_page(300)
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="mistake" says="The cookie is not what the answer depends on: two currencies without cookies share an entry, and every visitor with a cookie has one of their own."
@cache_page(300)
@vary_on_cookie
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="mistake" says="Others learn what it depends on, but nothing is kept: the view runs for every visitor. `Vary` is no cache."
@vary_on_headers("X-Currency")
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="mistake" says="`cache_page` counts in seconds: after five of them it is made again."
@cache_page(5)
@vary_on_headers("X-Currency")
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="mistake" says="Each browser has an entry of its own now, for the same list. Name only what the answer depends on."
@cache_page(300)
@vary_on_headers("X-Currency", "User-Agent")
def prices(request):
    return HttpResponse(f"{Book.objects.count()} prices in {request.headers.get('X-Currency', 'EUR')}")

# %% exercise="20.2" role="hint"
# Two decorators. The lower one runs first on the way out.
# %% exercise="20.2" role="hint"
# `vary_on_headers("X-Currency")` has to have spoken when `cache_page(300)` stores.

# %% [markdown] exercise="20.3"
# ### 20.3 A page of one's own
#
# The site runs with the cache of every page: `UpdateCacheMiddleware` and `FetchFromCacheMiddleware`. The list of one's own orders must not be stored on the server, nor by a proxy
# on the way; the visitor's browser may keep it for a minute. Whoever is not logged in goes to the login, as before.

# %% exercise="20.3" role="check"
from accounts.models import User
from django.conf import settings
from django.core.cache import caches
from django.test import Client, override_settings
from django.urls import include, path


def observe(answer):
    cache.clear()
    update, fetch = (f"django.middleware.cache.{name}" for name in ("UpdateCacheMiddleware", "FetchFromCacheMiddleware"))
    patterns = (path("", include("config.urls")), path("mine/", answer))
    seen = []
    with override_settings(MIDDLEWARE=[update, *settings.MIDDLEWARE, fetch], ROOT_URLCONF=patterns):
        for name in ("mira", "tomas", "mira"):
            client = Client()
            user, created = User.objects.get_or_create(username=name)
            client.force_login(user)
            reply = client.get("/mine/")
            said = sorted(part.strip() for part in reply.get("Cache-Control", "").split(","))
            seen.append((name, reply.content.decode(), [part for part in said if part in ("private", "max-age=60", "no-store", "no-cache", "public")]))
        stored = [key for key in caches["default"]._cache if ".cache_page." in key]
        seen.append(f"{len(stored)} pages on the server")
        seen.append(Client().get("/mine/").status_code)
    return seen

# %% exercise="20.3" role="answer"
# solution
@cache_control(private=True, max_age=60)
# end
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")


check("20.3")

# %% exercise="20.3" role="alternative" note="The order of the two does not matter here: the redirect to the login may be private as well, or not."
@login_required
@cache_control(private=True, max_age=60)
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="alternative" note="Inside the view, where it can depend on what it found."
@login_required
def my_orders(request):
    response = HttpResponse(f"{request.user}: {request.user.orders.count()} orders")
    patch_cache_control(response, private=True, max_age=60)
    return response

# %% exercise="20.3" role="mistake" says="Each visitor has an entry of their own now, but it lies on the server. It should be the browser's alone: say `private`."
@cache_page(60)
@vary_on_cookie
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="mistake" says="`max_age` without `private` allows everybody on the way to keep it, and the middleware of the site does."
@cache_control(max_age=60)
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="mistake" says="Nobody may keep it now, not even the browser: `never_cache` is for what must not be seen again at all."
@never_cache
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="mistake" says="It is private, but without `max_age` the browser is not told for how long it may keep it."
@cache_control(private=True)
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="mistake" says="`Vary: Cookie` is there already, from the session. It keeps the entries apart; it does not keep them off the server."
@vary_on_cookie
@login_required
def my_orders(request):
    return HttpResponse(f"{request.user}: {request.user.orders.count()} orders")

# %% exercise="20.3" role="hint"
# The middleware of the site obeys `Cache-Control`, and so do browsers and proxies.
# %% exercise="20.3" role="hint"
# `cache_control(private=True, …)`.

# %% [markdown] exercise="20.4"
# ### 20.4 A fragment that all visitors share
#
# Return the page for the visitor `name`: the template `greeting`, then the template `listing` with all genres by name. The list is kept by `{% cache %}` for five minutes, in each
# `language`; as long as it is kept, there is no query. The greeting is each visitor's own.

# %% exercise="20.4" role="check"
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext


def observe(answer):
    cache.clear()
    seen = []

    def visit(name, language):
        with CaptureQueriesContext(connection) as queries:
            html = str(answer(name, language))
        seen.append((html, f"{len(queries)} queries"))

    for name, language in (("Mira", "en"), ("Tomas", "en"), ("Mira", "de"), ("Tomas", "de"), ("Anna & Co", "en")):
        visit(name, language)
    with uncounted():
        Genre.objects.filter(slug="romance").update(name="Love")
    now = time.time()
    for later in (240, 360):
        with mock.patch("time.time", return_value=now + later):
            visit("Mira", "en")
    return seen

# %% exercise="20.4" role="answer"
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    # solution
    source = "{% load cache %}" + greeting + "{% cache 300 genres language %}" + listing + "{% endcache %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})
    # end


check("20.4")

# %% exercise="20.4" role="alternative" note="A function in the context is called where the template uses it, so it is as lazy as a queryset, and may do anything."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}" + greeting + "{% cache 300 genre_list language %}" + listing + "{% endcache %}"

    def genres():
        return list(Genre.objects.order_by("name"))

    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="The greeting is inside the fragment: Tomas is called Mira. What a fragment shows and its key does not name, all visitors share."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}{% cache 300 genres language %}" + greeting + listing + "{% endcache %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="The language is not part of the key: German visitors get the English list. It stands after the name of the fragment."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}" + greeting + "{% cache 300 genres %}" + listing + "{% endcache %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="The query runs before the template knows whether it needs the genres. Hand over a queryset that nobody has looked at."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}" + greeting + "{% cache 300 genres language %}" + listing + "{% endcache %}"
    genres = list(Genre.objects.order_by("name"))
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="Each visitor has a list of their own, and pays for it. The list does not depend on the name."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}" + greeting + "{% cache 300 genres language name %}" + listing + "{% endcache %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="Nothing is kept: the tag `{% cache %}` is missing around the list."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(greeting + listing).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="mistake" says="It is kept for five seconds. The number in the tag counts seconds, not minutes."
def page(name, language):
    greeting = "{% if language == 'de' %}Hallo{% else %}Hello{% endif %} {{ name }}! "
    listing = "{% if language == 'de' %}Gattungen{% else %}Genres{% endif %}:{% for genre in genres %} {{ genre }},{% endfor %}"
    source = "{% load cache %}" + greeting + "{% cache 5 genres language %}" + listing + "{% endcache %}"
    genres = Genre.objects.order_by("name")
    return engines["django"].from_string(source).render({"name": name, "language": language, "genres": genres})

# %% exercise="20.4" role="hint"
# `{% load cache %}`, then `{% cache SECONDS NAME what-it-depends-on %} … {% endcache %}` around the list alone.
# %% exercise="20.4" role="hint"
# `engines["django"].from_string(source).render({…})`. Count the queries of your context before the template is rendered: there must be none.

# %% [markdown] exercise="20.5"
# ### 20.5 Many at once
#
# Return a dict from slug to price for the books with these slugs, by way of the cache, where each price lies under `price:SLUG` for a minute. At most two trips to the cache and one
# query, however many slugs; no query if all are in the cache. That a slug has no book is remembered too, and such slugs are not in the result.

# %% exercise="20.5" role="check"
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

NAMES = ("get", "set", "add", "get_many", "set_many", "get_or_set", "has_key")


def observe(answer):
    cache.clear()
    with uncounted():
        known = list(Book.objects.order_by("pk").values_list("slug", flat=True)[:6])
    trips, depth = [], []

    def counted(name):
        real = getattr(LocMemCache, name)

        def method(self, *args, **kwargs):
            if not depth:
                trips.append(name)
            depth.append(name)
            try:
                return real(self, *args, **kwargs)
            finally:
                depth.pop()

        return mock.patch.object(LocMemCache, name, method)

    seen = []

    def ask(slugs):
        trips.clear()
        patches = [counted(name) for name in NAMES]
        for patch in patches:
            patch.start()
        try:
            with CaptureQueriesContext(connection) as queries:
                found = answer(slugs)
        finally:
            for patch in patches:
                patch.stop()
        result = sorted((slug, str(price)) for slug, price in found.items())
        seen.append((result, f"{len(queries)} queries", "many trips to the cache" if len(trips) > 2 else "few trips"))

    ask(known[:3])
    ask([*known, "no-such-book"])
    ask([*known, "no-such-book"])
    ask(["no-such-book"])
    ask([])
    with uncounted():
        Book.objects.filter(slug=known[0]).update(price=1)
    ask(known[:1])
    now = time.time()
    for later in (50, 70):
        with mock.patch("time.time", return_value=now + later):
            ask(known[:1])
    return seen

# %% exercise="20.5" role="answer"
def prices(slugs):
    # solution
    keys = {f"price:{slug}": slug for slug in slugs}
    found = cache.get_many(keys)
    missing = [slug for key, slug in keys.items() if key not in found]
    if missing:
        rows = dict(Book.objects.filter(slug__in=missing).values_list("slug", "price"))
        new = {f"price:{slug}": rows.get(slug) for slug in missing}
        cache.set_many(new, 60)
        found.update(new)
    return {keys[key]: price for key, price in found.items() if price is not None}
    # end


check("20.5")

# %% exercise="20.5" role="alternative" note="First all as None, then what the table has: the order of the slugs is kept, and nobody asks twice."
def prices(slugs):
    slugs = list(slugs)
    stored = cache.get_many([f"price:{slug}" for slug in slugs])
    result = {slug: stored.get(f"price:{slug}") for slug in slugs}
    missing = {slug for slug in slugs if f"price:{slug}" not in stored}
    if missing:
        for book in Book.objects.filter(slug__in=missing).only("slug", "price"):
            result[book.slug] = book.price
        cache.set_many({f"price:{slug}": result[slug] for slug in missing}, timeout=60)
    return {slug: price for slug, price in result.items() if price is not None}

# %% exercise="20.5" role="mistake" says="One trip and one query for each slug: the N+1 problem, moved to the cache. `get_many` asks for all keys in one trip."
def prices(slugs):
    found = {}
    for slug in slugs:
        price = cache.get_or_set(f"price:{slug}", lambda: Book.objects.filter(slug=slug).values_list("price", flat=True).first(), 60)
        if price is not None:
            found[slug] = price
    return found

# %% exercise="20.5" role="mistake" says="That there is no such book is not remembered: the wrong slug is a query at every visit. Store a None for it."
def prices(slugs):
    keys = {f"price:{slug}": slug for slug in slugs}
    found = cache.get_many(keys)
    missing = [slug for key, slug in keys.items() if key not in found]
    if missing:
        new = {f"price:{slug}": price for slug, price in Book.objects.filter(slug__in=missing).values_list("slug", "price")}
        cache.set_many(new, 60)
        found.update(new)
    return {keys[key]: price for key, price in found.items()}

# %% exercise="20.5" role="mistake" says="Slugs without a book are in the result, with None as their price."
def prices(slugs):
    keys = {f"price:{slug}": slug for slug in slugs}
    found = cache.get_many(keys)
    missing = [slug for key, slug in keys.items() if key not in found]
    if missing:
        rows = dict(Book.objects.filter(slug__in=missing).values_list("slug", "price"))
        new = {f"price:{slug}": rows.get(slug) for slug in missing}
        cache.set_many(new, 60)
        found.update(new)
    return {keys[key]: price for key, price in found.items()}

# %% exercise="20.5" role="mistake" says="As soon as one price is missing, all are read again, and what the cache had was for nothing. And the table is asked even if none is missing."
def prices(slugs):
    keys = {f"price:{slug}": slug for slug in slugs}
    found = cache.get_many(keys)
    rows = dict(Book.objects.filter(slug__in=list(slugs)).values_list("slug", "price"))
    found.update({f"price:{slug}": rows.get(slug) for slug in slugs})
    cache.set_many(found, 60)
    return {keys[key]: price for key, price in found.items() if price is not None}

# %% exercise="20.5" role="mistake" says="What was read is stored one by one. `set_many` takes a dict and one trip."
def prices(slugs):
    keys = {f"price:{slug}": slug for slug in slugs}
    found = cache.get_many(keys)
    missing = [slug for key, slug in keys.items() if key not in found]
    if missing:
        rows = dict(Book.objects.filter(slug__in=missing).values_list("slug", "price"))
        for slug in missing:
            cache.set(f"price:{slug}", rows.get(slug), 60)
            found[f"price:{slug}"] = rows.get(slug)
    return {keys[key]: price for key, price in found.items() if price is not None}

# %% exercise="20.5" role="hint"
# `cache.get_many(keys)` returns a dict of what is there: a None that is stored is in it, a missing key is not.
# %% exercise="20.5" role="hint"
# Which slugs are missing? One query with `slug__in`, one `cache.set_many({…}, 60)`, with None for those that the query did not find.
