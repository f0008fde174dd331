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
from django.views.decorators.http import condition
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

# %% [markdown] exercise="20.1"
# ### 20.1 Remember whatever comes out
#
# Return what the cache has under `key`. Where it has nothing, call `compute()`, keep what it returns for `seconds`,
# and return it. Whatever it returns is worth keeping: None, 0 and an empty list are answers too. What is there is
# found in one trip to the cache.

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

# %% exercise="20.1" role="alternative" note="`get_many` leaves out what is missing, and has in its dict what is there, None included."
def remembered(key, compute, seconds):
    found = cache.get_many([key])
    if key not in found:
        found[key] = compute()
        cache.set(key, found[key], timeout=seconds)
    return found[key]

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
# The view answers in the currency that the request's header `X-Currency` names. Let the answer be kept for five
# minutes: one entry for each currency, shared by all visitors, whatever cookies and browsers they have. Caches on the
# way must learn what it depends on. The view itself stays as it is.

# %% exercise="20.2" role="check"
from unittest import mock

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path


def observe(answer):
    cache.clear()
    visitors = {
        "EUR": {"x-currency": "EUR", "user-agent": "one"},
        "EUR, another browser": {"x-currency": "EUR", "user-agent": "another"},
        "USD": {"x-currency": "USD"},
        "USD, a cookie": {"x-currency": "USD", "cookie": "visits=2"},
        "EUR, another Accept": {"x-currency": "EUR", "accept": "text/html"},
        "no currency": {},
    }
    seen = []

    def ask(headers):
        with CaptureQueriesContext(connection) as queries:
            reply = Client().get("/", headers=headers)
        varies = "X-CURRENCY" in [name.strip().upper() for name in reply.get("Vary", "").split(",")]
        made = "made" if len(queries) else "from the cache"
        told = "max-age=300" in reply.get("Cache-Control", "")
        headers = f"Vary names it: {varies}, max-age=300: {told}"
        return made, reply.content.decode(), headers

    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("", answer),)):
        for visitor, headers in visitors.items():
            made, text, said = ask(headers)
            seen += [(visitor, made, text), (visitor, said)]
        now = time.time()
        for later in (240, 360):
            with mock.patch("time.time", return_value=now + later):
                seen.append((f"after {later} seconds", ask({"x-currency": "EUR"})[0]))
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
# The site runs with the cache of every page: `UpdateCacheMiddleware` and `FetchFromCacheMiddleware`. The list of one's
# own orders must not be stored on the server, nor by a proxy on the way; the visitor's browser may keep it for a
# minute. Whoever is not logged in goes to the login, as before.

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
# Return the page for the visitor `name`: the template `greeting`, then the template `listing` with all genres by name.
# The list is kept by `{% cache %}` for five minutes, in each `language`; as long as it is kept, there is no query. The
# greeting is each visitor's own.

# %% exercise="20.4" role="check"
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext


def observe(answer):
    cache.clear()
    seen = []

    def visit(name, language):
        with CaptureQueriesContext(connection) as queries:
            html = answer(name, language).encode().decode()
        seen.append((f"{name}, {language}", f"{len(queries)} queries", html))

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
# `engines["django"].from_string(source).render({…})`. Count the queries of your context before the template is
# rendered: there must be none.

# %% [markdown] exercise="20.5"
# ### 20.5 Many at once
#
# Return a dict from slug to price for the books with these slugs, by way of the cache, where each price lies under
# `price:SLUG` for a minute. At most two trips to the cache and one query, however many slugs, and that only for those
# that the cache does not have. That a slug has no book is remembered too, and such slugs are not in the result.

# %% exercise="20.5" role="check"
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

NAMES = ("get", "set", "add", "get_many", "set_many", "get_or_set", "has_key")


def observe(answer):
    cache.clear()
    with uncounted():
        slugs = list(Book.objects.order_by("pk").values_list("slug", flat=True)[:7])
    known, another = slugs[:6], slugs[6:]
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
        seen.append((f"{len(queries)} queries", "many trips to the cache" if len(trips) > 2 else "few trips", result))

    ask(known[:3])
    seen.append([f"price:{slug} is there: {f'price:{slug}' in cache}" for slug in known[:4]])
    ask([*known, "no-such-book"])
    ask([*known, "no-such-book"])
    ask(["no-such-book"])
    ask([])
    with uncounted():
        Book.objects.filter(slug=known[0]).update(price=1)
    ask(known[:1])
    ask([*known[:1], *another])
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

# %% exercise="20.5" role="mistake" says="As soon as one price is missing, all are read again: what the cache had was for nothing, and is stored anew. Ask for the missing ones only."
def prices(slugs):
    found = cache.get_many([f"price:{slug}" for slug in slugs])
    if len(found) < len(slugs):
        rows = dict(Book.objects.filter(slug__in=slugs).values_list("slug", "price"))
        cache.set_many({f"price:{slug}": rows.get(slug) for slug in slugs}, 60)
        return rows
    return {key.removeprefix("price:"): price for key, price in found.items() if price is not None}

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

# %% exercise="20.5" role="mistake" says="All prices are one entry, named by the list of slugs: another list finds nothing of it, and one new price outdates nothing that can be named."
def prices(slugs):
    def ask():
        return dict(Book.objects.filter(slug__in=slugs).values_list("slug", "price"))

    return cache.get_or_set("price:" + ",".join(slugs), ask, 60)

# %% exercise="20.5" role="hint"
# `cache.get_many(keys)` returns a dict of what is there: a None that is stored is in it, a missing key is not.
# %% exercise="20.5" role="hint"
# Which slugs are missing? One query with `slug__in`, one `cache.set_many({…}, 60)`, with None for those that the query
# did not find.

# %% [markdown] exercise="20.6"
# ### 20.6 A new price, and nobody reads the old one for long
#
# Give the book with that slug its new price, and see to it that its entry `price:SLUG` is deleted, that one alone, at
# the right moment. The caller may be inside a transaction, which may be rolled back; and a visitor may fill the entry
# again at any time before the commit.

# %% exercise="20.6" role="check"
from decimal import Decimal
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache
from django.db import connection


def observe(answer):
    cache.clear()
    with uncounted():
        first, second = Book.objects.order_by("pk")[:2]
    keys = [f"price:{book.slug}" for book in (first, second)]
    seen = []

    def look(moment):
        with uncounted():
            rows = dict(Book.objects.filter(pk__in=[first.pk, second.pk]).values_list("slug", "price"))
        there = [cache.get(key, "-") for key in keys]
        seen.append((moment, f"entries {there}", f"rows {[str(rows[book.slug]) for book in (first, second)]}"))
        seen.append(f"the menu is {cache.get('menu')}")

    def fill():
        cache.set_many({keys[0]: "old", keys[1]: "old", "menu": "there"})

    fill()
    answer(first.slug, Decimal("41.25"))
    look("without a transaction")
    delete = LocMemCache.delete

    def visited(self, key, *args, **kwargs):
        # A visitor comes right after the deletion, and stores what is committed.
        deleted = delete(self, key, *args, **kwargs)
        if key == keys[0] and not connection.in_atomic_block:
            with uncounted():
                cache.set(key, str(Book.objects.get(pk=first.pk).price))
        return deleted

    fill()
    with mock.patch.object(LocMemCache, "delete", visited):
        answer(first.slug, Decimal("41.75"))
    look("a visitor came right after the deletion")
    fill()
    with transaction.atomic():
        answer(first.slug, Decimal("42.25"))
        fill()  # a visitor, who still reads the old row
    look("a visitor came before the commit")
    fill()
    with transaction.atomic():
        with transaction.atomic():
            answer(second.slug, Decimal("43.25"))
            answer(first.slug, Decimal("43.25"))
        fill()
    look("two prices, and a visitor before the outer commit")
    cache.clear()
    try:
        with transaction.atomic():
            answer(first.slug, Decimal("44.25"))
            raise LookupError
    except LookupError:
        look("rolled back")
    return seen

# %% exercise="20.6" role="answer"
def change_price(slug, price):
    # solution
    book = Book.objects.get(slug=slug)
    book.price = price
    book.save(update_fields=["price"])
    transaction.on_commit(lambda: cache.delete(f"price:{slug}"))
    # end


check("20.6")

# %% exercise="20.6" role="alternative" note="One statement instead of two. No signal is sent, so whoever relies on receivers has to be told in another way."
def change_price(slug, price):
    def forget():
        cache.delete(f"price:{slug}")

    Book.objects.filter(slug=slug).update(price=price)
    transaction.on_commit(forget)

# %% exercise="20.6" role="alternative" note="Several writes of one's own in a transaction of one's own: the callback waits for the outermost one all the same. `robust=True` keeps a dead cache from becoming an error of the page."
def change_price(slug, price):
    with transaction.atomic():
        book = Book.objects.select_for_update().get(slug=slug)
        book.price = price
        book.save()
        transaction.on_commit(lambda: cache.delete(f"price:{book.slug}"), robust=True)

# %% exercise="20.6" role="mistake" says="It is deleted before the commit, and the visitor who comes in between puts the old price back. Delete in `transaction.on_commit()`."
def change_price(slug, price):
    book = Book.objects.get(slug=slug)
    book.price = price
    book.save()
    cache.delete(f"price:{slug}")

# %% exercise="20.6" role="mistake" says="It is deleted after your own `atomic()`, but the caller's is the outer one and still open. `transaction.on_commit()` waits for the outermost."
def change_price(slug, price):
    with transaction.atomic():
        book = Book.objects.get(slug=slug)
        book.price = price
        book.save()
    cache.delete(f"price:{slug}")

# %% exercise="20.6" role="mistake" says="The new price is in the cache before it is committed. After a rollback, the cache tells a price that never was."
def change_price(slug, price):
    book = Book.objects.get(slug=slug)
    book.price = price
    book.save()
    cache.set(f"price:{slug}", price)

# %% exercise="20.6" role="mistake" says="The whole cache is emptied for one price: the menu is gone as well, and on a shared server the sessions of everybody."
def change_price(slug, price):
    book = Book.objects.get(slug=slug)
    book.price = price
    book.save()
    transaction.on_commit(cache.clear)

# %% exercise="20.6" role="mistake" says="The row has its price, and the entry stays as it was until its time is up. Delete it, after the commit."
def change_price(slug, price):
    Book.objects.filter(slug=slug).update(price=price)

# %% exercise="20.6" role="mistake" says="Without a transaction `on_commit()` calls at once, so the entry is deleted before the row is written, and a visitor puts the old price back. Write first."
def change_price(slug, price):
    transaction.on_commit(lambda: cache.delete(f"price:{slug}"))
    Book.objects.filter(slug=slug).update(price=price)

# %% exercise="20.6" role="mistake" says="The entry is deleted under another name: `price:` and the slug, with nothing else."
def change_price(slug, price):
    Book.objects.filter(slug=slug).update(price=price)
    transaction.on_commit(lambda: cache.delete(slug))

# %% exercise="20.6" role="mistake" says="The entry is filled where it should be deleted. Of two writers, the one who commits first may store last, and the older price stays. A reader fills it from the row."
def change_price(slug, price):
    Book.objects.filter(slug=slug).update(price=price)
    transaction.on_commit(lambda: cache.set(f"price:{slug}", price))

# %% exercise="20.6" role="hint"
# What the visitor reads before the commit is the old row. When is the first moment at which a deletion holds?
# %% exercise="20.6" role="hint"
# `transaction.on_commit(…)` takes a function. Without a transaction it is called at once.

# %% [markdown] exercise="20.7"
# ### 20.7 Outdate a group
#
# Write two functions. `cached(name, group, compute)` returns the value of that name, computed where there is none, and
# kept for five minutes. `outdate(group)`: from now on, no value of that group is found that was computed, or begun to
# be computed, before. Values of other groups stay. The cache may drop any entry at any time, and must never bring back
# what was outdated.

# %% exercise="20.7" role="check"
import pickle

from django.core.cache import caches


def observe(answer):
    cache.clear()
    cache.set("menu", "there")
    made = []

    def page(name):
        def compute():
            made.append(name)
            return f"page {made.count(name)} of {name}"

        return compute

    def ask(name, group):
        return answer.cached(name, group, page(name))

    def is_page(key, stored):
        return "page" in str(pickle.loads(stored)) or "menu" in key

    seen = [ask("emma", "books"), ask("emma", "books"), ask("nana", "books"), ask("hours", "shop")]
    shared = [key for key, stored in caches["default"]._cache.items() if not is_page(key, stored)]
    seen.append(f"other processes see the version: {bool(shared)}")
    answer.outdate("books")
    seen += ["outdated", ask("emma", "books"), ask("nana", "books"), ask("hours", "shop")]

    def drop_versions():
        # Whatever is no page and not the menu: a full cache may drop it.
        local = caches["default"]
        for key, stored in list(local._cache.items()):
            if not is_page(key, stored):
                local._delete(key)

    for _ in range(3):
        answer.outdate("books")
        drop_versions()
        seen += ["outdated, and versions dropped", ask("emma", "books"), ask("nana", "books")]

    def slow():
        text = page("slow")()
        answer.outdate("books")
        return text

    seen += ["outdated while it is computed", answer.cached("slow", "books", slow), ask("slow", "books")]
    answer.outdate("never seen")
    seen += [ask("a", "bc"), ask("ab", "c"), ask("a", "c")]
    now = time.time()
    for later in (240, 360):
        from unittest import mock

        with mock.patch("time.time", return_value=now + later):
            made.clear()
            ask("a", "c")
            seen.append(f"computed {len(made)} times after {later} seconds")
    return [*seen, cache.get("menu")]

# %% exercise="20.7" role="answer"
def cached(name, group, compute):
    # solution
    version = cache.get_or_set(f"version:{group}", secrets.token_hex, None)
    return cache.get_or_set(f"{group}:{version}:{name}", compute, 300)
    # end


def outdate(group):
    # solution
    cache.set(f"version:{group}", secrets.token_hex(), None)
    # end


check("20.7")

# %% exercise="20.7" role="alternative" note="To delete the version does it as well: whoever reads next makes a new one, and random ones do not repeat. Two readers at once may make two; `add` inside `get_or_set` lets one win."
def cached(name, group, compute):
    version = cache.get(f"version:{group}")
    if version is None:
        cache.add(f"version:{group}", secrets.token_urlsafe(8), timeout=None)
        version = cache.get(f"version:{group}")
    return cache.get_or_set((f"page:{group}:{version}:{name}"), compute, timeout=300)


def outdate(group):
    cache.delete(f"version:{group}")

# %% exercise="20.7" role="alternative" note="The version lies beside the value instead of in the key. It is one entry per name for ever, but a slow reader may replace a newer value by an older one, which the next reader then throws away."
def cached(name, group, compute):
    version = cache.get_or_set(f"version:{group}", secrets.token_hex, None)
    entry = cache.get(f"{group}:{name}")
    if entry and entry[0] == version:
        return entry[1]
    value = compute()
    cache.set(f"{group}:{name}", (version, value), 300)
    return value


def outdate(group):
    cache.set(f"version:{group}", secrets.token_hex(), None)

# %% exercise="20.7" role="mistake" says="When the cache drops the counter it begins again at 1, and pages that were stored under 1 are found again. Draw the version instead of counting it."
def cached(name, group, compute):
    version = cache.get_or_set(f"version:{group}", 1, None)
    return cache.get_or_set(f"{group}:{version}:{name}", compute, 300)


def outdate(group):
    cache.add(f"version:{group}", 1, None)
    cache.incr(f"version:{group}")

# %% exercise="20.7" role="mistake" says="The version is read after the value was computed. What was outdated meanwhile is stored under the new version, and is found from then on."
def cached(name, group, compute):
    version = cache.get_or_set(f"version:{group}", secrets.token_hex, None)
    value = cache.get(f"{group}:{version}:{name}")
    if value is None:
        value = compute()
        version = cache.get_or_set(f"version:{group}", secrets.token_hex, None)
        cache.set(f"{group}:{version}:{name}", value, 300)
    return value


def outdate(group):
    cache.set(f"version:{group}", secrets.token_hex(), None)

# %% exercise="20.7" role="mistake" says="Everything is gone, the menu and the other groups as well. `clear()` knows neither groups nor prefixes."
def cached(name, group, compute):
    return cache.get_or_set(f"{group}:{name}", compute, 300)


def outdate(group):
    cache.clear()

# %% exercise="20.7" role="mistake" says="A list of the keys is an entry as well. When the cache drops it, nobody knows what to delete; and a slow reader stores after the deletion."
def cached(name, group, compute):
    keys = cache.get(f"keys:{group}", [])
    cache.set(f"keys:{group}", [*keys, f"{group}:{name}"], None)
    return cache.get_or_set(f"{group}:{name}", compute, 300)


def outdate(group):
    cache.delete_many(cache.get(f"keys:{group}", []))

# %% exercise="20.7" role="mistake" says="The group is not part of the key's version: outdating one outdates all, because there is one version for the whole cache."
def cached(name, group, compute):
    version = cache.get_or_set("version", secrets.token_hex, None)
    return cache.get_or_set(f"{group}:{version}:{name}", compute, 300)


def outdate(group):
    cache.set("version", secrets.token_hex(), None)

# %% exercise="20.7" role="mistake" says="The versions are in a dict of this process. Another worker has a dict of its own, and goes on serving what was outdated here."
versions = {}


def cached(name, group, compute):
    version = versions.setdefault(group, secrets.token_hex())
    return cache.get_or_set(f"{group}:{version}:{name}", compute, 300)


def outdate(group):
    versions[group] = secrets.token_hex()

# %% exercise="20.7" role="hint"
# Put a version of the group into the key of each value. The version is an entry too: what if the cache drops it?
# %% exercise="20.7" role="hint"
# A random text never comes twice: `secrets.token_hex()`. Read it before you compute.

# %% [markdown] exercise="20.8"
# ### 20.8 One computes, the others wait
#
# Return the value under `key`. Where there is none, one thread calls `compute()` and keeps the value for a minute;
# whoever asks meanwhile waits for it, and looks again every hundredth of a second or so. If `compute()` fails, its
# exception goes to the one who called it, and another may try at once. A process that dies meanwhile must not stop the
# others for ever. (No value is None.)

# %% exercise="20.8" role="check"
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache


def observe(answer):
    cache.clear()
    seen, made, timeouts, locks, looks = [], [], [], set(), []
    get, has_key, add, write = LocMemCache.get, LocMemCache.has_key, LocMemCache.add, LocMemCache.set

    def slow(real):
        # Time between a look at the lock and what follows from it.
        def method(self, key, *args, **kwargs):
            found = real(self, key, *args, **kwargs)
            if key not in ("report", "menu"):
                time.sleep(0.05)
            return found

        return method

    def noted(real):
        def method(self, key, value, timeout=300, **kwargs):
            if key not in ("report", "menu"):
                timeouts.append(timeout)
                locks.add(key)
            return real(self, key, value, timeout, **kwargs)

        return method

    def compute():
        made.append(1)
        time.sleep(0.1)
        return "Pride and Prejudice"

    def times():
        return "computed once" if len(made) == 1 else "computed more than once" if made else "not computed"

    patches = {"get": slow(get), "has_key": slow(has_key), "add": noted(add), "set": noted(write)}
    with mock.patch.multiple(LocMemCache, **patches):
        with ThreadPoolExecutor(8) as threads:
            answers = set(threads.map(lambda number: answer("report", compute), range(8)))
        seen += ["8 at once", sorted(map(str, answers)), times()]
        answer("report", compute)
        seen += ["a ninth", times()]
        before = set(locks)
        locks.clear()
        answer("menu", lambda: "soup")
    seen.append(f"two keys have one lock: {bool(before & locks)}")
    seen.append(f"a lock without end: {any(timeout is None for timeout in timeouts)}")

    def fail():
        raise LookupError("no rows")

    # A second one comes while the first is at it.
    cache.clear()
    made.clear()
    with ThreadPoolExecutor(1) as thread:

        def compute_and_be_visited():
            second.append(thread.submit(answer, "report", compute))
            begun = time.monotonic()
            # Until the second one has looked several times, or has left.
            while not second[0].done() and time.monotonic() < begun + (0.3 if len(looks) > 8 else 3):
                time.sleep(0.01)
            often.append(len(looks) / (time.monotonic() - begun) > 1000)
            return compute()

        def watched(real):
            def method(self, key, *args, **kwargs):
                if threading.current_thread() is not threading.main_thread():
                    looks.append(key)
                return real(self, key, *args, **kwargs)

            return method

        second, often = [], []
        with mock.patch.multiple(LocMemCache, get=watched(get), has_key=watched(has_key), add=watched(add)):
            seen += ["a second comes while it is computed", answer("report", compute_and_be_visited)]
            seen += [second[0].result(), times(), f"looks without a pause: {any(often)}"]

    cache.clear()
    try:
        seen.append(answer("report", fail))
    except LookupError:
        seen.append("the failure is told")
    left = len(cache_keys())
    seen.append(f"{left} entries left by a failure")
    if not left:
        seen.append(answer("report", compute))

    # Between one's look and one's lock, the last owner finishes.
    cache.clear()
    made.clear()

    def late(self, key, *args, **kwargs):
        if key != "report" and not late.done:
            late.done = True
            write(self, "report", "Dracula", 60)
        return add(self, key, *args, **kwargs)

    late.done = False
    with mock.patch.object(LocMemCache, "add", late):
        seen += ["another finishes between look and lock", answer("report", compute), times()]
    cache.clear()
    answer("report", compute)
    now = time.time()
    for later in (50, 70):
        made.clear()
        with mock.patch("time.time", return_value=now + later):
            seen += [f"after {later} seconds", answer("report", compute), times()]
    return seen


def cache_keys():
    from django.core.cache import caches

    return list(caches["default"]._cache)

# %% exercise="20.8" role="answer" seconds=10
def once(key, compute):
    # solution
    lock = f"{key}:lock"
    while (value := cache.get(key)) is None:
        if not cache.add(lock, "taken", 10):
            time.sleep(0.01)
            continue
        try:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
        finally:
            cache.delete(lock)
        return value
    return value
    # end


check("20.8")

# %% exercise="20.8" role="alternative" note="The lock is a token of one's own, and given back only while it is ours: when `compute()` took longer than the lock lasts, it may be somebody else's by now."
def once(key, compute):
    token = secrets.token_hex(8)
    while True:
        value = cache.get(key)
        if value is not None:
            return value
        if cache.add(f"{key}:lock", token, timeout=10):
            try:
                return cache.get_or_set(key, compute, 60)
            finally:
                if cache.get(f"{key}:lock") == token:
                    cache.delete(f"{key}:lock")
        time.sleep(0.02)

# %% exercise="20.8" role="mistake" says="Everybody who finds nothing computes. `get_or_set` looks, computes and stores, and takes no lock."
def once(key, compute):
    return cache.get_or_set(key, compute, 60)

# %% exercise="20.8" role="mistake" says="Looking at the lock and taking it are two steps, and several take it between them. `cache.add` is one step, and tells whether it was you."
def once(key, compute):
    lock = f"{key}:lock"
    while (value := cache.get(key)) is None:
        if cache.get(lock):
            time.sleep(0.01)
            continue
        cache.set(lock, "taken", 10)
        try:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
        finally:
            cache.delete(lock)
        return value
    return value

# %% exercise="20.8" role="mistake" says="The lock has no end: if its owner is killed, nobody computes any more, and all wait for ever. Give it a timeout."
def once(key, compute):
    lock = f"{key}:lock"
    while (value := cache.get(key)) is None:
        if not cache.add(lock, "taken", None):
            time.sleep(0.01)
            continue
        try:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
        finally:
            cache.delete(lock)
        return value
    return value

# %% exercise="20.8" role="mistake" says="When `compute()` fails, the lock stays behind and the others wait for it to run out. Give it back in `finally`."
def once(key, compute):
    lock = f"{key}:lock"
    while (value := cache.get(key)) is None:
        if not cache.add(lock, "taken", 10):
            time.sleep(0.01)
            continue
        value = cache.get(key)
        if value is None:
            value = compute()
            cache.set(key, value, 60)
        cache.delete(lock)
        return value
    return value

# %% exercise="20.8" role="mistake" says="Between your look and your lock, the last owner may have finished. Look again once you have the lock, or it is computed twice."
def once(key, compute):
    lock = f"{key}:lock"
    while (value := cache.get(key)) is None:
        if not cache.add(lock, "taken", 10):
            time.sleep(0.01)
            continue
        try:
            value = compute()
            cache.set(key, value, 60)
        finally:
            cache.delete(lock)
        return value
    return value

# %% exercise="20.8" role="mistake" says="Those who do not get the lock leave with nothing. They should wait, and look again."
def once(key, compute):
    value = cache.get(key)
    if value is None and cache.add(f"{key}:lock", "taken", 10):
        try:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
        finally:
            cache.delete(f"{key}:lock")
    return value

# %% exercise="20.8" role="mistake" says="One wait of a fixed length, and then whatever is there: when `compute()` takes longer, this returns None. Look again and again."
def once(key, compute):
    value = cache.get(key)
    if value is None:
        if cache.add(f"{key}:lock", "taken", 10):
            try:
                value = cache.get(key)
                if value is None:
                    value = compute()
                    cache.set(key, value, 60)
            finally:
                cache.delete(f"{key}:lock")
        else:
            time.sleep(0.5)
            value = cache.get(key)
    return value

# %% exercise="20.8" role="mistake" says="Whoever waits asks the cache as fast as the processor can, thousands of times a second. Sleep a hundredth between two looks."
def once(key, compute):
    while (value := cache.get(key)) is None:
        if cache.add(f"{key}:lock", "taken", 10):
            try:
                if cache.get(key) is None:
                    cache.set(key, compute(), 60)
            finally:
                cache.delete(f"{key}:lock")
    return value

# %% exercise="20.8" role="mistake" says="One lock for all keys: who wants the menu waits for the report. Put the key into the lock's name."
def once(key, compute):
    while (value := cache.get(key)) is None:
        if not cache.add("lock", "taken", 10):
            time.sleep(0.01)
            continue
        try:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
        finally:
            cache.delete("lock")
        return value
    return value

# %% exercise="20.8" role="mistake" says="A lock of Python's is known to this process alone: four workers compute four times. The lock belongs into the cache, where all see it."
computing = threading.Lock()


def once(key, compute):
    value = cache.get(key)
    if value is None:
        with computing:
            value = cache.get(key)
            if value is None:
                value = compute()
                cache.set(key, value, 60)
    return value

# %% exercise="20.8" role="hint"
# `cache.add(lock, …)` is True for one alone. The others sleep and begin again: a loop.
# %% exercise="20.8" role="hint"
# Three things with the lock: a timeout, a second look at the entry, and `finally`.

# %% [markdown] exercise="20.9"
# ### 20.9 The old value, while a new one is made
#
# Nobody should wait. An entry is fresh for 10 seconds, and kept for 100 more. Who asks for it while it is fresh gets
# it. Who finds it old computes it anew, unless somebody is at it already: then the old value will do. Where there is
# nothing, compute. Go by `time.time()`, and let the lock last for 30 seconds at most, and not longer than it is
# needed. If `compute()` fails, its exception goes to the one who called it.

# %% exercise="20.9" role="check"
from unittest import mock


def observe(answer):
    cache.clear()
    seen, made = [], []
    clock = [1_000_000.0]

    def at(seconds):
        clock[0] = 1_000_000.0 + seconds

    def compute(letter, meanwhile=False):
        def make():
            made.append(letter)
            if meanwhile:
                # Another visitor, while this one computes.
                seen.append(("meanwhile", answer("report", lambda: made.append("again") or "computed as well")))
                seen.append(("the menu meanwhile", answer("menu", lambda: f"menu {clock[0]:.0f}")))
            return letter

        return make

    def ask(seconds, letter, meanwhile=False):
        at(seconds)
        made.clear()
        got = answer("report", compute(letter, meanwhile))
        seen.append((f"after {seconds} seconds", got, f"computed {len(made)} times"))

    with mock.patch("time.time", lambda: clock[0]):
        ask(0, "a")
        answer("menu", lambda: "menu")
        ask(9, "b")
        ask(11, "c", meanwhile=True)
        ask(12, "d")
        ask(22, "e", meanwhile=True)
        ask(131, "f", meanwhile=True)
        at(145)

        def fail():
            raise LookupError

        try:
            seen.append(answer("report", fail))
        except LookupError:
            seen.append("the failure is told")
        ask(146, "g")
        ask(146 + 111, "h", meanwhile=True)
        at(270)

        def take_long():
            at(270 + 32)
            seen.append(("after 32 seconds of computing", answer("report", lambda: "computed as well")))
            return "i"

        seen.append(answer("report", take_long))
        at(270 + 500)
        seen.append(f"{len(keys())} entries in the end")
    return seen


def keys():
    from django.core.cache import caches

    local = caches["default"]
    return [key for key, end in local._expire_info.items() if end is None or end > time.time()]

# %% exercise="20.9" role="answer"
def served(key, compute):
    # solution
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    mine = cache.add(f"{key}:lock", "taken", 30)
    if entry and not mine:
        return entry[0]
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), 110)
    finally:
        if mine:
            cache.delete(f"{key}:lock")
    return value
    # end


check("20.9")

# %% exercise="20.9" role="alternative" note="The time of its making instead of its end, and the lock for those without an old value too. They go on without it, as somebody has to."
def served(key, compute):
    value, made = cache.get(key, (None, 0))
    if time.time() - made < 10:
        return value
    mine = cache.add(f"lock:{key}", True, timeout=30)
    if made and not mine:
        return value
    try:
        value = compute()
        cache.set(key, (value, time.time()), timeout=10 + 100)
        return value
    finally:
        if mine:
            cache.delete(f"lock:{key}")

# %% exercise="20.9" role="mistake" says="After ten seconds the entry is gone, so there is no old value to give, and everybody computes. The cache has to keep it for longer than it is fresh."
def served(key, compute):
    return cache.get_or_set(key, compute, 10)

# %% exercise="20.9" role="mistake" says="Everybody who finds it old computes: nothing says that somebody is at it already. `cache.add` does."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    value = compute()
    cache.set(key, (value, time.time() + 10), 110)
    return value

# %% exercise="20.9" role="mistake" says="The lock is not given back: for half a minute nobody makes a new value, even where it is old again."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    if entry and not cache.add(f"{key}:lock", "taken", 30):
        return entry[0]
    value = compute()
    cache.set(key, (value, time.time() + 10), 110)
    return value

# %% exercise="20.9" role="mistake" says="When `compute()` fails the lock stays, and for half a minute all get the old value though nobody works on it. `finally` gives it back."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    if entry and not cache.add(f"{key}:lock", "taken", 30):
        return entry[0]
    value = compute()
    cache.set(key, (value, time.time() + 10), 110)
    cache.delete(f"{key}:lock")
    return value

# %% exercise="20.9" role="mistake" says="One lock for all keys: while somebody makes the report, nobody makes the menu. Put the key into the lock's name."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    mine = cache.add("lock", "taken", 30)
    if entry and not mine:
        return entry[0]
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), 110)
    finally:
        if mine:
            cache.delete("lock")
    return value

# %% exercise="20.9" role="mistake" says="The lock has no end: when its owner is killed, nobody makes a new value as long as the old one is there. Give it 30 seconds."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    mine = cache.add(f"{key}:lock", "taken", None)
    if entry and not mine:
        return entry[0]
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), 110)
    finally:
        if mine:
            cache.delete(f"{key}:lock")
    return value

# %% exercise="20.9" role="mistake" says="Where there is neither a value nor the lock to be had, this returns None. Somebody asked, so compute."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    if not cache.add(f"{key}:lock", "taken", 30):
        return entry[0] if entry else None
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), 110)
    finally:
        cache.delete(f"{key}:lock")
    return value

# %% exercise="20.9" role="mistake" says="The entry has no end: what nobody asked for in a year is served once more as if it were a minute old. Keep it for 110 seconds."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    if entry and not cache.add(f"{key}:lock", "taken", 30):
        return entry[0]
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), None)
    finally:
        cache.delete(f"{key}:lock")
    return value

# %% exercise="20.9" role="mistake" says="The entry lasts for 100 seconds from its making: 10 fresh and 100 more are 110. In the last ten there is no old value to give."
def served(key, compute):
    entry = cache.get(key)
    if entry and time.time() < entry[1]:
        return entry[0]
    if entry and not cache.add(f"{key}:lock", "taken", 30):
        return entry[0]
    try:
        value = compute()
        cache.set(key, (value, time.time() + 10), 100)
    finally:
        cache.delete(f"{key}:lock")
    return value

# %% exercise="20.9" role="hint"
# Store a pair: the value, and the time until which it is fresh. The timeout of the entry is another matter: 110
# seconds.
# %% exercise="20.9" role="hint"
# Old, and `cache.add(lock, …, 30)` is False: somebody is at it, so return the old value. Else compute, and give the
# lock back in `finally`.

# %% [markdown] exercise="20.10"
# ### 20.10 Is your copy still right?
#
# A book's page shows title, price, the author's name and how many copies are in stock. Write `etag(request, slug)` for
# `@condition(etag_func=etag)`: a text that changes whenever one of the four does, and only then, the same in every
# process; None where there is no such book, so that the view answers. One query. A book may have no row in `stock`.

# %% exercise="20.10" role="check"
import sys
from unittest import mock

from django.db import connection
from django.http import Http404
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext


def observe(answer):
    seen = []
    with uncounted():
        book = Book.objects.order_by("pk").first()
        bare = Book.objects.filter(stock=None).order_by("pk").first()

    @condition(etag_func=answer)
    def page(request, slug):
        if slug == "no-such-book":
            raise Http404
        return HttpResponse(slug)

    def ask(moment, slug, etag=None):
        headers = {"if-none-match": etag} if etag else {}
        with CaptureQueriesContext(connection) as queries:
            try:
                reply = page(RequestFactory().get("/", headers=headers), slug)
                status, etag = reply.status_code, reply.get("ETag")
            except Http404:
                status, etag = 404, None
            except Exception as error:
                status, etag = type(error).__name__, None
        seen.append((moment, status, "an ETag" if etag else "no ETag", f"{len(queries)} queries"))
        return etag

    hashed = []

    def noticing(value, real=hash):
        if sys._getframe(1).f_code.co_filename.startswith("<answer"):
            hashed.append(value)
        return real(value)

    with mock.patch("builtins.hash", noticing):
        etag = ask("at first", book.slug)
        ask("again", book.slug, etag)

        def change(moment, step):
            nonlocal etag
            with uncounted():
                step()
            etag = ask(moment, book.slug, etag) or etag

        row = Book.objects.filter(pk=book.pk)
        change("more pages", lambda: row.update(pages=4711, description="Another text."))
        change("another price", lambda: row.update(price=91))
        change("another title", lambda: row.update(title="Another title"))
        change("a digit more in the title, one less in the price", lambda: row.update(title="Another title9", price=1))
        change("another name", lambda: Author.objects.filter(pk=book.author_id).update(name="Another name"))
        change("another number", lambda: type(book.stock).objects.filter(book=book).update(quantity=977))
        ask("nothing changed", book.slug, etag)
        ask("no such book", "no-such-book")
        ask("an old copy of no book", "no-such-book", etag)
        if bare:
            first = ask("no stock", bare.slug)
            ask("no stock, again", bare.slug, first)
    return [*seen, f"asks hash(): {bool(hashed)}"]

# %% exercise="20.10" role="answer"
def etag(request, slug):
    # solution
    columns = "title", "price", "author__name", "stock__quantity"
    row = Book.objects.filter(slug=slug).values_list(*columns).first()
    return row and hashlib.sha256(repr(row).encode()).hexdigest()
    # end


check("20.10")

# %% exercise="20.10" role="alternative" note="Any text without quotes inside will do; Django puts the quotes around it. Digits and a hash keep it short."
def etag(request, slug):
    book = Book.objects.select_related("author", "stock").filter(slug=slug).first()
    if book is None:
        return None
    stock = getattr(book, "stock", None)
    parts = [book.title, str(book.price), book.author.name, str(stock.quantity if stock else None)]
    return f'"{hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()}"'

# %% exercise="20.10" role="mistake" says="The author's name is on the page too. After it changed, browsers are told that their copy is still right."
def etag(request, slug):
    row = Book.objects.filter(slug=slug).values_list("title", "price", "stock__quantity").first()
    return row and hashlib.sha256(repr(row).encode()).hexdigest()

# %% exercise="20.10" role="mistake" says="`hash()` of a text differs from process to process: with four workers, three in four requests find a copy out of date that is not."
def etag(request, slug):
    row = Book.objects.filter(slug=slug).values_list("title", "price", "author__name", "stock__quantity").first()
    return row and str(hash(row))

# %% exercise="20.10" role="mistake" says="The time is in it, so it changes at every request, and nobody ever gets a 304."
def etag(request, slug):
    row = Book.objects.filter(slug=slug).values_list("title", "price", "author__name", "stock__quantity").first()
    return row and hashlib.sha256(f"{row}{time.time()}".encode()).hexdigest()

# %% exercise="20.10" role="mistake" says="Three queries where one will do: each relation that is followed asks again. Join them, or name the columns with `values_list`."
def etag(request, slug):
    book = Book.objects.filter(slug=slug).first()
    if book is None:
        return None
    stock = getattr(book, "stock", None)
    parts = [book.title, str(book.price), book.author.name, str(stock.quantity if stock else None)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()

# %% exercise="20.10" role="mistake" says="For a slug without a book this raises, and the page is a 500 before the view could say 404. Return None."
def etag(request, slug):
    row = Book.objects.values_list("title", "price", "author__name", "stock__quantity").get(slug=slug)
    return hashlib.sha256(repr(row).encode()).hexdigest()

# %% exercise="20.10" role="mistake" says="Nothing stands between the parts: a 9 at the end of the title and a 9 at the beginning of the price make the same text. Separate them, or hash the `repr` of the row."
def etag(request, slug):
    row = Book.objects.filter(slug=slug).values_list("title", "price", "author__name", "stock__quantity").first()
    return row and hashlib.sha256("".join(map(str, row)).encode()).hexdigest()

# %% exercise="20.10" role="mistake" says="The whole row is in it: a new description, which the page does not show, makes all copies out of date."
def etag(request, slug):
    row = Book.objects.filter(slug=slug).values("pages", "description", "title", "price", "author__name", "stock__quantity").first()
    return row and hashlib.sha256(repr(row).encode()).hexdigest()

# %% exercise="20.10" role="hint"
# `values_list()` follows relations: `author__name`, `stock__quantity`. Where there is no row in `stock`, that is None.
# %% exercise="20.10" role="hint"
# A hash of the four, by `hashlib`: Python's own `hash()` is salted anew in each process.
