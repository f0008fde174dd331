# %% [markdown]
# # 04 · URLs, requests, middleware
#
# After this chapter you can say which view gets a path and why, follow one request from the server to the view and back
# naming each step, and write a middleware that belongs at its place, on a synchronous and on an asynchronous server.
#
# *Questions: Q08 URL routing · Q09 the life of a request · Q10 middleware.* Predict each output before you run its cell.
# [Exercises 04.1 to 04.8](../exercises/04_urls_requests_middleware.ipynb) follow.

# %%
from checks import quiz
from lab import get, post, reset, scratch, start, trace

start()

# Django is set up now, so its models can be imported.
import asyncio
import time
import urllib.request
from functools import partial
from threading import current_thread
from timeit import repeat
from unittest import mock

import django
from asgiref.sync import SyncToAsync, iscoroutinefunction, markcoroutinefunction
from asgiref.testing import ApplicationCommunicator
from catalog.models import Book
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import checks
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import connection, connections
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory, override_settings
from django.test.utils import override_script_prefix
from django.urls import NoReverseMatch, Resolver404, include, path, re_path, register_converter, resolve, reverse
from django.urls.converters import IntConverter, get_converters
from django.utils.decorators import sync_and_async_middleware
from django.utils.module_loading import import_string
from django.views import View

# %% [markdown]
# ## Q08 · Route a URL to a view, and make the URL again
#
# *Basic · asked as T07, B11*
#
# **Say it.** A URLconf is a module with a list, `urlpatterns`. Django takes the path of the request, without host and query, and
# tries the patterns from top to bottom: the first that matches wins. Converters such as `<int:pk>` decide what matches, and which
# type the view gets. `include()` hands the rest of the path to an app's own list. Patterns have names, and `reverse()` or
# `{% url %}` makes the URL from the name, so that no address is written twice.
#
# *What lifts it:* namespaces keep the names of two apps apart, `APPEND_SLASH` loses what a POST sent, and the cost of
# resolving grows with the position.

# %% [markdown]
# **See it.** The setting `ROOT_URLCONF` names the first list. Which pattern takes this path, and what does the view get?

# %%
match = resolve("/books/emma/")
print(settings.ROOT_URLCONF)
print(match.route, match.view_name, match.kwargs)
print(f"{match.func.__module__}.{match.func.__name__}")

# %% [markdown]
# The root includes `storefront.urls`, which has the pattern; its namespace is before the colon. Neither host, method nor query
# [take part](https://docs.djangoproject.com/en/stable/topics/http/urls/#what-the-urlconf-searches-against). Now two patterns match
# `/data/2020/`. Who gets it, in either order?

# %%
def page(request, **kwargs):
    return HttpResponse(f"{kwargs}")


special = path("data/2020/", page, name="special")
general = path("data/<int:year>/", page, name="general")
for patterns in ((special, general), (general, special)):
    print([resolve(f"/data/{year}/", patterns).url_name for year in (2020, 2021)])

# %% [markdown]
# In the second order nothing ever reaches `special`, and nobody is told. The next trio looks alike. What does each hand over?

# %%
def page(request, **kwargs):
    return HttpResponse(f"{kwargs}")


pattern = re_path(r"^two/(?P<pk>[0-9]+)/$", page)
patterns = (path("one/<int:pk>/", page), pattern, path("three/<path:rest>/", page))
for url in ("/one/007/", "/two/007/", "/three/a/b/"):
    print(resolve(url, patterns).kwargs)

# %% [markdown]
# `int` gives an integer, `re_path` always a string: a regular expression has no type. `str`, the default, stops at a slash, and `path`
# does not. A converter of your own is a pattern and two functions. A `ValueError` in `to_python` means "not mine":

# %%
class YearConverter:
    regex = "[0-9]{4}"

    def to_python(self, value):
        if int(value) < 1450:
            raise ValueError("Nothing was printed then.")
        return int(value)

    def to_url(self, value):
        return f"{value:04}"


# %%
if "year" not in get_converters():
    register_converter(YearConverter, "year")
patterns = (path("books/<year:year>/", page, name="year"), path("books/<slug:slug>/", page, name="book"))
for url in ("/books/1813/", "/books/1066/", "/books/emma/"):
    match = resolve(url, patterns)
    print(url, match.url_name, match.kwargs)
print(reverse("year", args=[1813], urlconf=patterns))

# %% [markdown]
# The year 1066 went on to the next pattern. The other direction is `reverse()`. Query and fragment are arguments since 5.2. Which of
# the two is escaped for you?

# %%
print(reverse("storefront:book", args=["emma"]))
print(reverse("storefront:catalogue", query={"q": "war & peace", "page": 2}, fragment="results"))
print(reverse("storefront:home", query={"q": "a > b"}, fragment="a > b"))

# %% [markdown]
# The query; a fragment is put there as it is, so it has to be yours. What `reverse()` cannot make, it refuses, in Python and in `{% url %}`. What is wrong with each of these?

# %%
for name, arguments in (("book", ["emma"]), ("storefront:book", []), ("storefront:book", ["two words"])):
    try:
        print(reverse(name, args=arguments))
    except NoReverseMatch:
        print("NoReverseMatch", name, arguments)

# %% [markdown]
# The namespace is missing, the argument is missing, and a slug has no space: the converter checks on the way out as well.

# %% [markdown]
# **The trap.** A widely read list shows a `urlpatterns` without its closing bracket, and says that a URL is mapped to a Python function. Its
# sample does not start. And `path()` takes any callable, or what `include()` gives:

# %%
try:
    compile("urlpatterns = [\n    path('data/2020/', views.special),\n", "urls.py", "exec")
except SyntaxError as error:
    print("SyntaxError:", error.msg)

# %%
class Shelf:
    def __call__(self, request):
        return HttpResponse("an object")


async def waiting(request):
    return HttpResponse("a coroutine function")


views = [partial(page, shelf=3), Shelf(), waiting, View.as_view(), include([path("", page)])]
with override_settings(ROOT_URLCONF=tuple(path(f"{n}/", view) for n, view in enumerate(views))):
    print([get(f"/{n}/").status_code for n in range(5)])

# %% [markdown]
# (The plain `View` answers 405, because it has no method `get`.) The second trap is to write the address into templates: `/books/{{ book.slug }}/`.
# It works until the site lives below a prefix, or the path changes. A name goes along:

# %%
template = engines["django"].from_string("/books/emma/ {% url 'storefront:book' 'emma' %}")
print(template.render())
with override_script_prefix("/shop/"):
    print(template.render())

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How does `APPEND_SLASH` work, and why does it break POST?* `CommonMiddleware` looks when the answer is 404 and the path with a slash
#   would match, and redirects with 301. Browsers follow a 301 with GET, so the form's data is gone. With `DEBUG` Django raises an error that
#   says so.
# - *How do namespaces avoid name clashes?* `app_name` in an app's `urls.py` makes its names `app:name`. With
#   `include(…, namespace=…)` one app can be there twice.
# - *What does resolving cost with 2,000 patterns?* It is a walk through the list, each step a comparison or a regular expression. The last pays
#   for all before it. `include()` with a prefix skips a whole group in one step.

# %%
print(get("/catalogue").status, get("/catalogue")["Location"])
print(post("/cart/add/emma").status)
with override_settings(DEBUG=False):
    print(post("/cart/add/emma").status, "then", post("/cart/add/emma", follow=True).status)

# %% [markdown]
# Under `DEBUG` the POST is a 500 with an explanation; in production a redirect, and then a GET that the view refuses. Now two apps with
# a `list` each, without and with a namespace:

# %%
books, loans = [path("", page, name="list")], [path("", page, name="list")]
plain = (path("books/", include(books)), path("loans/", include(loans)))
archive = path("archive/", include((loans, "loans"), namespace="archive"))
named = (path("books/", include((books, "books"))), path("loans/", include((loans, "loans"))), archive)
print(reverse("list", urlconf=plain))
print([reverse(f"{name}:list", urlconf=named) for name in ("books", "loans", "archive")])

# %% [markdown]
# Without one the last wins, and the books have no name any more. And 2,000 patterns, flat and in 40 groups:

# %%
flat = tuple(path(f"shelf{n}/<int:pk>/", page) for n in range(2000))
grouped = tuple(
    path(f"hall{hall}/", include([path(f"shelf{n}/<int:pk>/", page) for n in range(50)])) for hall in range(40)
)


def cost(url, patterns):
    return min(repeat(lambda: resolve(url, patterns), number=20, repeat=5))


first, last = cost("/shelf0/1/", flat), cost("/shelf1999/1/", flat)
print(last > 10 * first, last > 3 * cost("/hall39/shelf49/1/", grouped))

# %% [markdown]
# **Versions.** Since 6.0 `register_converter()` refuses a name that is taken. 5.2 warns, and replaces the converter for every app:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    try:
        register_converter(IntConverter, "int")
    except ValueError as error:
        print(error)
else:
    print("Django 6.1 prints: Converter 'int' is already registered.")

# %%
quiz("Q08")

# %% [markdown]
# Now [exercises 04.1 to 04.3](../exercises/04_urls_requests_middleware.ipynb).

# %% [markdown]
# ## Q09 · Follow a request to its response
#
# *Intermediate · asked as T19, I5*
#
# **Say it.** The server calls Django's WSGI or ASGI handler, which was made once for the process, with its settings and its chain of middleware.
# For each request it sends `request_started`, builds an `HttpRequest` and passes it through the middleware. In the middle the URL is resolved,
# `process_view` hooks run, then the view, and a `TemplateResponse` is rendered. The response goes back through the same middleware in reverse. At
# every layer exceptions become responses. When the response is closed, `request_finished` is sent.
#
# *What lifts it:* the middleware chain is built once in a process and used for each request; `ATOMIC_REQUESTS` wraps
# the view alone; and `request_finished` waits until the response is closed.

# %% [markdown]
# **See it.** One page of the shop, whole. `→` is the way in, with what a layer added to the request, `←` the way out, with the headers it
# added. Which layer gives you `request.user`?

# %% reason="One request from the first layer to the last and back: this is the picture of the chapter."
trace("/books/emma/", user="mira")

# %% [markdown]
# Fourteen layers. `AuthenticationMiddleware` put `request.user` there without a query: it is lazy, and its queries are among those of the
# middle. A witness with every hook, and a receiver for each signal, write down what happens when:

# %% reason="One middleware with all its hooks: half of it would show nothing."
log = []


class Witness:
    def __init__(self, get_response):
        log.append("built")
        self.get_response = get_response

    def __call__(self, request):
        log.append("middleware in")
        response = self.get_response(request)
        log.append("middleware out")
        return response

    def process_view(self, request, view, args, kwargs):
        log.append(f"process_view, before {view.__name__}")

    def process_template_response(self, request, response):
        log.append(f"process_template_response, rendered: {response.is_rendered}")
        return response

# %% [markdown]
# The view answers with a `TemplateResponse`, and its template calls `say`. Then Django is called as a server calls it, twice: application,
# body, `close()`. Where does the template come?

# %%
def greeting(request):
    log.append("view")
    template = engines["django"].from_string("Good morning{{ say }}")
    return TemplateResponse(request, template, {"say": lambda: log.append("template") or ""})


def exchange(application):
    response = application(RequestFactory().get("/").environ, lambda status, headers: log.append(status))
    log.append(f"server sends {b''.join(response)}")
    response.close()

# %% reason="The list is the life of a request, step by step."
def started(**kwargs):
    log.append("request_started")


def finished(**kwargs):
    log.append("request_finished")


request_started.connect(started)
request_finished.connect(finished)
with override_settings(MIDDLEWARE=["__main__.Witness"], ROOT_URLCONF=(path("", greeting),)):
    application = WSGIHandler()
    exchange(application)
    exchange(application)
request_started.disconnect(started)
request_finished.disconnect(finished)
print(log.count("built"), log.count("view"))
print(*log[1 : log.index("request_finished") + 1], sep="\n")

# %% [markdown]
# Built once, used twice. The view was over before its template ran, and `request_finished` waits for the server's
# `close()`: a streamed body is on its way until then, and only then are database connections closed, as `CONN_MAX_AGE` has it. ASGI
# has no such call: there Django's handler closes the response when the body is sent.

# %% [markdown]
# What is in a request before any middleware has touched it? `META` holds what the server passed on, `headers` the HTTP
# headers of it under readable names. Predict the last line:

# %%
request = RequestFactory().get("/search/?q=emma", headers={"accept": "text/html;q=0.3, application/json"})
print(request.path_info, request.GET["q"], request.META["QUERY_STRING"], request.META["SERVER_PORT"])
print(request.META["HTTP_ACCEPT"] == request.headers["Accept"])
print(request.get_preferred_type(["text/html", "application/json"]))
print(hasattr(request, "session"), hasattr(request, "user"), request.resolver_match)

# %% [markdown]
# (`get_preferred_type()` came with 5.2.) Exceptions of a view turn into a status at once. For which of these is
# `got_request_exception` sent, by which error trackers learn of trouble?

# %%
heard = []


def hear(**kwargs):
    heard.append(kwargs["sender"])


def failing(request, error):
    raise {"missing": Http404, "denied": PermissionDenied, "bad": BadRequest, "bug": KeyError}[error]


got_request_exception.connect(hear)
with override_settings(ROOT_URLCONF=(path("<error>/", failing),)):
    replies = {error: get(f"/{error}/").status_code for error in ("missing", "denied", "bad", "bug")}
got_request_exception.disconnect(hear)
print(replies, len(heard))
print(issubclass(Resolver404, Http404), get("/nothing/like/it/").status_code)

# %% [markdown]
# Only for what nobody expected. (A path that no pattern matches raises too: `Resolver404`, an `Http404`.) How much of a page's time is the framework? An empty view, behind all fourteen layers, against the shop's
# front page:

# %%
def cost(url):
    client = Client()
    client.get(url)
    return min(repeat(lambda: client.get(url), number=5, repeat=5))


with override_settings(ROOT_URLCONF=(path("empty/", lambda request: HttpResponse()),)):
    framework = cost("/empty/")
print(cost("/") > 10 * framework)

# %% [markdown]
# Less than a tenth, for all of it. Queries and templates are the rest, which is why tuning begins there, and not in the chain.

# %% [markdown]
# **The trap.** Three sentences circulate: the settings are loaded for each request; the setting is called `MIDDLEWARES`; after the view, the
# "response middlewares" run. A real server, asked twice:

# %%
site = scratch("mysite")
site.write("mysite/settings.py", "print('reading the settings')\n" + site.read("mysite/settings.py"))
with site.running("python manage.py runserver 8000 --noreload") as server:
    replies = [urllib.request.urlopen(server.url).status for _ in range(2)]
    print(replies, server.log.count("reading the settings"))

# %% [markdown]
# Once in a process. A setting that Django does not know is ignored without a word, and on the way out there are no others, only the
# same layers in reverse:

# %%
with override_settings(MIDDLEWARES=["no.such.thing"], MIDDLEWARE_CLASSES=["no.such.thing"]):
    lines = repr(trace("/cart/")).splitlines()
inwards = [line.split()[1] for line in lines if "→" in line]
outwards = [line.split()[1] for line in lines if "←" in line]
print(len(inwards), inwards == outwards[::-1])

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *When is a `TemplateResponse` rendered?* After the view and every `process_template_response`, in the middle of the onion. A decorator around
#   the view still sees it unrendered; the code of a middleware after `get_response` sees it rendered. `render()` has done it in the view.
# - *What does `ATOMIC_REQUESTS` wrap exactly?* The view, one transaction for each such database. Not the middleware, not a `TemplateResponse`'s
#   template, not the iterating of a stream. An exception rolls back; a response with status 500 commits.
# - *What differs under ASGI?* An async view runs in the event loop, a sync one in a thread, with one for each request. When the client goes away, the async
#   view is cancelled (since 5.0); a sync one runs to its end. `ATOMIC_REQUESTS` refuses async views.

# %%
seen = []


def spied(place):
    seen.append((place, connection.in_atomic_block))


def spy(get_response):
    def middleware(request):
        spied("middleware")
        return get_response(request)

    return middleware

# %%
def rename(request):
    spied("view")
    Book.objects.filter(slug="emma").update(title="Changed")
    if "ok" not in request.GET:
        raise KeyError("ok")
    look = partial(spied, "template")
    return TemplateResponse(request, engines["django"].from_string("{{ look }}"), {"look": look})

# %%
atomic = mock.patch.dict(connections.settings["default"], ATOMIC_REQUESTS=True)
with atomic, override_settings(MIDDLEWARE=["__main__.spy"], ROOT_URLCONF=(path("", rename),)):
    print(get("/").status, Book.objects.get(slug="emma").title)
    print(get("/?ok").status, Book.objects.get(slug="emma").title)
reset()
print(*seen[-3:])

# %% [markdown]
# Rolled back once, kept once, and only the view was inside. Under ASGI, a client that leaves after 0.3 seconds of one. Which view notices?

# %%
log = []


async def coroutine(request):
    try:
        await asyncio.sleep(1)
        log.append("async view to the end")
    except asyncio.CancelledError:
        log.append("async view cancelled")
        raise


def function(request):
    time.sleep(1)
    log.append("sync view to the end")
    return HttpResponse()

# %%
async def leave_early(url):
    server = ApplicationCommunicator(ASGIHandler(), AsyncRequestFactory().get(url).scope)
    await server.send_input({"type": "http.request", "body": b""})
    await asyncio.sleep(0.3)
    await server.send_input({"type": "http.disconnect"})
    await server.wait(timeout=5)


log.clear()
with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("async/", coroutine), path("sync/", function))):
    await leave_early("/async/")
    await leave_early("/sync/")
print(log)

# %% [markdown]
# **Versions.** What is in this section is the same on 5.2 and 6.1. New in 6.1: a middleware may choose the parser of uploads, by
# `request.multipart_parser_class`:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(HttpRequest().multipart_parser_class.__name__)
else:
    print("Django 6.1 prints MultiPartParser")

# %%
quiz("Q09")

# %% [markdown]
# Now [exercises 04.4 and 04.5](../exercises/04_urls_requests_middleware.ipynb).

# %% [markdown]
# ## Q10 · Write middleware, and put it at its place
#
# *Intermediate · asked as T10, I8*
#
# **Say it.** Middleware is a factory: it takes `get_response` and returns a callable from request to response. Django builds the chain once, from
# the list `MIDDLEWARE`. A request goes through it from top to bottom, the response from bottom to top, like the layers of an onion. A layer may
# look, change the request or the response, or answer itself, and then nothing further in runs. `process_exception` hears of exceptions of
# the view, from the bottom up. The order follows from who needs whom.
#
# *What lifts it:* sessions come before authentication, because `request.user` is read from the session; exceptions do
# not cross a layer; and one synchronous layer costs an asynchronous server a change of threads.

# %% [markdown]
# **See it.** Two that write down when they run, around a view. In which order are the five notes?

# %%
log = []


def noting(name):
    def factory(get_response):
        def middleware(request):
            log.append(f"{name}>")
            response = get_response(request)
            log.append(f"<{name}")
            return response

        return middleware

    return factory


A, B = noting("A"), noting("B")

# %%
def view(request):
    log.append("view")
    return HttpResponse("a page")


def run(*names, view=view):
    log.clear()
    with override_settings(MIDDLEWARE=[f"__main__.{name}" for name in names], ROOT_URLCONF=(path("", view),)):
        reply = Client(raise_request_exception=False).get("/")
    print(*log, reply.status_code)


run("A", "B")
run("B", "A")

# %% [markdown]
# A third one answers without asking further in. Who still runs, at each of its three places?

# %%
def closed(get_response):
    return lambda request: HttpResponse("closed", status=503)


run("closed", "A", "B")
run("A", "closed", "B")
run("A", "B", "closed")

# %% [markdown]
# The inner ones never hear of the request. The outer ones do, in both directions, and cannot tell who made the response. The shop closes in this
# way, and what stands outside still adds its headers:

# %%
with override_settings(MAINTENANCE_MODE=True):
    closed_shop = trace("/")
lines = [line.strip() for line in repr(closed_shop).splitlines()]
print(*[line for line in lines if line.startswith(("answers", "not reached", "← Security"))], sep="\n")

# %% [markdown]
# Beside the call there are three hooks ([reference](https://docs.djangoproject.com/en/stable/topics/http/middleware/#other-middleware-hooks)):
#
# | hook | when | order | may |
# | --- | --- | --- | --- |
# | `process_view` | the URL is resolved, before the view | top down | return a response: no view |
# | `process_exception` | the view, or rendering after it, raised | bottom up | return a response: handled |
# | `process_template_response` | the response can `render()` | bottom up | change template and context; must return a response |
#
# Which of them do Django's own use? `process_request` and `process_response` are called by `MiddlewareMixin`, their common base, not by the handler:

# %%
HOOKS = ["process_request", "process_view", "process_exception"]
HOOKS += ["process_template_response", "process_response"]
for name in settings.MIDDLEWARE:
    if name.startswith("django."):
        middleware = import_string(name)
        print(f"{middleware.__name__:26}", *[hook for hook in HOOKS if hasattr(middleware, hook)])

# %% [markdown]
# What they are for, from the outside in ([reference](https://docs.djangoproject.com/en/stable/ref/middleware/)):
#
# | middleware | on the way in | on the way out |
# | --- | --- | --- |
# | `Security` | redirects to HTTPS, if told to | HSTS, `nosniff`, referrer and opener policy |
# | `Session` | `request.session` | saves it if it changed, sets the cookie |
# | `Locale` | chooses the language | `Content-Language` |
# | `Common` | refuses user agents, adds `www.` | `APPEND_SLASH`, `Content-Length` |
# | `CsrfView` | checks the token of an unsafe request | sets the cookie, if a token was made |
# | `Authentication` | `request.user`, lazily, from the session | |
# | `Message` | the messages left by the last page | keeps those that nobody read |
# | `XFrameOptions` | | `X-Frame-Options` |
#
# None of them listens to exceptions; that is for you. Two that do, around a view that fails. Who is asked first?

# %% reason="Two middleware that differ in one method."
class Asking:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        log.append(f"{type(self).__name__} hears {type(exception).__name__}")
        return self.answer(exception)

    def answer(self, exception):
        return None


class Upper(Asking):
    pass


class Lower(Asking):
    def answer(self, exception):
        return HttpResponse("out of stock", status=409) if isinstance(exception, LookupError) else None

# %%
def failing(error):
    def view(request):
        raise error

    return view


run("Upper", "Lower", view=failing(ValueError))
run("Upper", "Lower", view=failing(KeyError))

# %% [markdown]
# From the bottom up, until one answers. They are asked for the view, and for the rendering of a `TemplateResponse`; not when another
# middleware fails, and not for a URL that nothing matches.

# %% [markdown]
# **Order, wrong.** Authentication above the session: `check` has nothing against it. And the first request?

# %%
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


def swapped(one, other):
    change = {one: other, other: one}
    return [change.get(name, name) for name in settings.MIDDLEWARE]


with override_settings(MIDDLEWARE=swapped(SESSION, AUTHENTICATION)):
    print(len(checks.run_checks()), get("/").status, type(Client(raise_request_exception=False).get("/").exc_info[1]).__name__)

# %% [markdown]
# That one is loud. A silent one: `CommonMiddleware` sets `Content-Length`, and something changes the body later:

# %%
def footer(get_response):
    def middleware(request):
        response = get_response(request)
        response.content += b" and a footer"
        return response

    return middleware


COMMON = "django.middleware.common.CommonMiddleware"
for chain in ([COMMON, "__main__.footer"], ["__main__.footer", COMMON]):
    with override_settings(MIDDLEWARE=chain, ROOT_URLCONF=(path("", view),)):
        reply = Client().get("/")
    print(len(reply.content), reply["Content-Length"])

# %% [markdown]
# In the second order the header promises six bytes, and the server or the browser stops there: the page arrives cut. Whatever changes bodies stands inside,
# or sets the header anew, as `GZipMiddleware` does.

# %% [markdown]
# **Asynchronous.** Under ASGI a synchronous layer runs in a thread. `both` is written for both kinds of servers, `A` is not. Count how often the request
# changes from the event loop into a thread; Django itself does so twice, for `request_started` and to close the response:

# %% reason="A middleware for both kinds of servers is two functions in one."
@sync_and_async_middleware
def both(get_response):
    if iscoroutinefunction(get_response):

        async def middleware(request):
            log.append("both: async")
            return await get_response(request)

    else:

        def middleware(request):
            log.append("both: sync")
            return get_response(request)

    return middleware


async def waiting(request):
    return HttpResponse(current_thread().name == loop_thread)


loop_thread = current_thread().name

# %%
async def hops(*chain):
    call, counted = SyncToAsync.__call__, []

    async def counting(self, *args, **kwargs):
        counted.append(self)
        return await call(self, *args, **kwargs)

    log.clear()
    counts = mock.patch.object(SyncToAsync, "__call__", counting)
    with counts, override_settings(MIDDLEWARE=chain, ROOT_URLCONF=(path("", waiting),)):
        reply = await AsyncClient().get("/")
    print(len(counted), "view in the event loop:", reply.text, *log)

# %%
await hops()
await hops("__main__.both")
await hops("__main__.A")
await hops("__main__.both", "__main__.A")
await hops("__main__.A", "__main__.both")

# %% [markdown]
# One hop for `A`, and what is **outside** of it and can be synchronous is so too, in the same thread: `both` in the fourth line. Inside, the request
# comes back to the event loop, and the thread waits. Now the seven of a new project, every one of them async capable. Your guess?

# %%
STOCK = [SESSION, COMMON, AUTHENTICATION, "django.middleware.security.SecurityMiddleware"]
STOCK += ["django.middleware.csrf.CsrfViewMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
STOCK += ["django.middleware.clickjacking.XFrameOptionsMiddleware"]
await hops(*[name for name in settings.MIDDLEWARE if name in STOCK])

# %% [markdown]
# Thirteen more: `MiddlewareMixin` sends each `process_request` and `process_response` to a thread by itself, and the handler the hook of CSRF. "Async capable" says that
# it fits, not that it is free. A layer written twice, as `both`, is.

# %% [markdown]
# **The trap.** "Middleware is a bridge, so one `try` around `get_response` catches what the views raise." Run it:

# %%
def catching(get_response):
    def middleware(request):
        try:
            response = get_response(request)
            log.append(f"got a response, {response.status_code}")
        except Exception as error:
            log.append(f"caught {type(error).__name__}")
        return response

    return middleware


run("catching", view=failing(ValueError))
run("catching", view=failing(Http404))

# %% [markdown]
# Django wraps the view and **each** middleware in `convert_exception_to_response`, so `get_response` returns. (The setting `DEBUG_PROPAGATE_EXCEPTIONS` lets a
# 500 through; it is for debugging.) Look at the status, or use `process_exception`. That the request always reaches the view is the other half of the same belief, and you have closed the shop above.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Write a timing middleware that works sync and async.* One function with `@sync_and_async_middleware` and two inner ones, as below; or a class with
#   `sync_capable = async_capable = True` that calls `markcoroutinefunction(self)`. Keep the time in a local variable, never on `self`.
# - *Why must `SessionMiddleware` precede `AuthenticationMiddleware`?* The latter puts `request.user` there, lazily, and it is read from `request.session`. Without
#   one, every request ends in `ImproperlyConfigured`.
# - *What is `MiddlewareNotUsed` for?* Raised when the chain is built, by a factory or `__init__`: the layer is left out, and no request pays for asking a
#   setting.

# %% reason="A middleware for both kinds of servers is two functions in one."
@sync_and_async_middleware
def timing(get_response):
    def stamp(response, started):
        response.headers["X-Seconds"] = f"{time.perf_counter() - started:.4f}"
        return response

    async def asynchronous(request):
        started = time.perf_counter()
        return stamp(await get_response(request), started)

    def synchronous(request):
        started = time.perf_counter()
        return stamp(get_response(request), started)

    return asynchronous if iscoroutinefunction(get_response) else synchronous

# %%
with override_settings(MIDDLEWARE=["__main__.timing"], ROOT_URLCONF=(path("", view), path("slow/", waiting))):
    print("X-Seconds" in Client().get("/").headers)
    print("X-Seconds" in (await AsyncClient().get("/slow/")).headers)

# %% [markdown]
# Why not on `self`? There is one instance for all requests. Two customers at the same time, and a layer that remembers the name:

# %% reason="A class, as it would stand in a project."
class Forgetful:
    sync_capable, async_capable = False, True

    def __init__(self, get_response):
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request):
        self.customer = request.GET["customer"]
        response = await self.get_response(request)
        response.headers["X-Customer"] = self.customer
        return response


async def slow(request):
    await asyncio.sleep(0.3)
    return HttpResponse()

# %%
with override_settings(MIDDLEWARE=["__main__.Forgetful"], ROOT_URLCONF=(path("", slow),)):
    client = AsyncClient()
    replies = await asyncio.gather(client.get("/?customer=mira"), client.get("/?customer=tomas"))
print([reply["X-Customer"] for reply in replies])

# %% [markdown]
# Mira is told that she is Tomas. Threads do the same, more rarely. And the shop's own timing, which raises `MiddlewareNotUsed` where a setting says so:

# %%
for on in (True, False):
    with override_settings(SERVER_TIMING=on):
        way = repr(trace("/health/live/"))
    print("TimingMiddleware" in way, "Server-Timing" in way)

# %% [markdown]
# **New ones.** `LoginRequiredMiddleware` (5.1) turns the default around: every view wants a login, but for those marked. It is a `process_view`, so it can read
# the mark on the view. Which of these is open?

# %%
@login_not_required
def opening_hours(request):
    return HttpResponse("9 to 5")


LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
patterns = (path("", view), path("hours/", opening_hours), *import_string("config.urls.urlpatterns"))
with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, LOGIN_REQUIRED], ROOT_URLCONF=patterns):
    for url in ("/", "/hours/", "/account/login/"):
        print(url, get(url).status_code)

# %% [markdown]
# The login view has its mark, or nobody could ever get in.
#
# **Versions.** `ContentSecurityPolicyMiddleware` is new in 6.0; 5.2 needs a package for it. The policy is a setting, and becomes a
# header:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    CSP = "django.middleware.csp.ContentSecurityPolicyMiddleware"
    with override_settings(MIDDLEWARE=[CSP], SECURE_CSP={"default-src": ["'self'"]}, ROOT_URLCONF=(path("", view),)):
        print(Client().get("/")["Content-Security-Policy"])
else:
    print("Django 6.1 prints default-src 'self'")

# %%
quiz("Q10")

# %% [markdown]
# Now [exercises 04.6 to 04.8](../exercises/04_urls_requests_middleware.ipynb), then chapter
# [05 · Views, responses, errors](05_views_responses_errors.ipynb).
