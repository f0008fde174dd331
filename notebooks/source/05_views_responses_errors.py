# %% [markdown]
# # 05 · Views, responses, errors
#
# After this chapter you can name Django's exceptions and the status that each becomes, write one endpoint as a
# function, as a class and asynchronously, say what every parameter of `render()` does, and choose a redirect that you
# will not regret.
#
# *Questions: Q11 exceptions · Q12 views · Q13 render · Q14 permanent redirects.* [Exercises 05.1 to
# 05.9](../exercises/05_views_responses_errors.ipynb) follow.

# %%
from checks import quiz
from lab import asgi, get, post, postgres, queries, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import sys
from collections import Counter
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from inspect import iscoroutinefunction, signature
from io import BytesIO
from unittest import TestCase
from urllib.parse import urlsplit

import django
from catalog.models import Author, Book
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.file import SessionStore as FileSession
from django.contrib.sessions.models import Session
from django.core import exceptions
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.multipartparser import LazyStream, MultiPartParserError
from django.shortcuts import get_object_or_404, redirect, render
from django.template import Engine, RequestContext
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import get_callable, include, path, resolve, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.debug import ExceptionReporter
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET
from django.views.generic import ListView, RedirectView
from jinja2 import DictLoader
from orders.exceptions import EmptyOrder
from orders.models import Invoice
from storefront.middleware import TimingMiddleware

# %% [markdown]
# ## Q11 · Turn exceptions into responses
#
# *Intermediate · asked as A12*
#
# **Say it.** Django adds its own exceptions to Python's: for models, settings, URLs, the database, HTTP. A few of them
# mean something to the visitor. `Http404` becomes 404, `PermissionDenied` 403, `BadRequest` and `SuspiciousOperation`
# with all its subclasses 400. Nearly all else that leaves a view becomes 500. `DoesNotExist` is one of those, so I use
# `get_object_or_404`. The conversion is wrapped around every middleware: what `get_response()` gives to each of them is
# a response, never an exception.
#
# *What lifts it:* catch the narrowest class, at the place that can do something about it; and never catch a database
# error inside the `atomic()` block that it broke.

# %% [markdown]
# **See it.** A view that raises, and the status that the visitor gets in production. How many of these become 500?

# %%
def status_of(error):
    def view(request):
        raise error

    with override_settings(ROOT_URLCONF=(path("", view), path("", include("config.urls"))), DEBUG=False):
        return get("/").status_code


for kind in (Http404, PermissionDenied, BadRequest, SuspiciousOperation, Book.DoesNotExist, ValidationError):
    print(status_of(kind("no")), kind.__name__)

# %% [markdown]
# The bookshop at work: a book that does not exist, a fragment of a page that does not, and the desk for somebody who
# is no bookseller. A middleware may know more: `process_exception` of the bookshop's makes 409 of an order that cannot
# be taken.

# %%
with override_settings(DEBUG=False):
    for url in ("/books/nothing/", "/search/?fragment=nothing", "/desk/books/"):
        print(get(url, user="mira").status)
print(status_of(EmptyOrder()), type(EmptyOrder()).__base__.__name__)

# %% [markdown]
# The [documentation](https://docs.djangoproject.com/en/stable/ref/exceptions/) has one page of exceptions. Here they
# are all, each raised by what raises it in real life. `raised` prints the class and the class above it. Begin with
# models and queries:

# %%
def raised(**steps):
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            print(f"{name:10}{type(error).__name__} < {type(error).__base__.__name__}")


everything = Book.objects.exclude(pk__in=[]).query

# %%
raised(
    none=lambda: Book.objects.get(slug="nothing"),
    several=lambda: Book.objects.get(title="Poems"),
    field=lambda: Book._meta.get_field("colour"),
    lookup=lambda: Book.objects.filter(colour="red"),
    clean=lambda: Book().full_clean(),
    no_rows=lambda: str(Book.objects.none().query),
    python=lambda: Book.objects.get(pk="abc"),
    all_rows=lambda: everything.where.as_sql(everything.get_compiler("default"), connection),
)

# %% [markdown]
# `DoesNotExist` is an attribute of each model, so `except Book.DoesNotExist` does not swallow a missing author;
# `ObjectDoesNotExist` catches those of all models. `EmptyResultSet` and `FullResultSet` are messages from the SQL
# compiler to itself: a query that need not be sent, a condition that is always true. And Python's own exceptions come
# as well. Next, the database. Which are integrity errors?

# %%
raised(
    twice=lambda: Book.objects.create(title="Emma", author=Author.objects.get(slug="jane-austen"), price=1),
    sold=lambda: Book.objects.get(slug="emma").delete(),
    paid=lambda: Invoice.objects.filter(payments__isnull=False).first().delete(),
    binding=lambda: connection.cursor().execute("SELECT %s", []),
    no_table=lambda: connection.cursor().execute("SELECT * FROM nowhere"),
    distinct=lambda: list(Book.objects.distinct("title")),
)

# %% [markdown]
# The classes are those of [PEP 249](https://peps.python.org/pep-0249/), wrapped so that they are the same on every
# backend; which one is raised is mostly the driver's choice. PostgreSQL takes the missing table for a
# `ProgrammingError`, and has three that SQLite hardly shows:

# %%
def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def closed():
    cursor = connection.cursor()
    cursor.close()
    cursor.execute("SELECT 1")

# %%
def broken():
    with transaction.atomic():
        with suppress(DataError):
            execute("SELECT 1 / 0")
        execute("SELECT 1")


if postgres.available():
    with postgres():
        raised(no_table=lambda: execute("SELECT * FROM nowhere"), divided=lambda: execute("SELECT 1 / 0"))
        raised(broken=broken, closed=closed)
else:
    print(postgres.why_not())

# %% [markdown]
# Nine classes: `Error` is the root, `InterfaceError` its child, `DatabaseError` the other one with six below it. The
# driver's own exception, with all it knows, is the `__cause__`:

# %%
try:
    execute("SELECT * FROM nowhere")
except DatabaseError as error:
    print(type(error).__module__, "|", type(error.__cause__).__module__, type(error.__cause__).__name__)
print(sorted(kind.__name__ for kind in IntegrityError.__subclasses__()))

# %% [markdown]
# URLs, configuration, and a middleware that a setting turns off. Which one does a visitor meet every day?

# %%
def limited(step, **settings):
    with override_settings(**settings):
        step()


raised(
    no_url=lambda: resolve("/nothing/"),
    no_name=lambda: reverse("nothing"),
    no_view=lambda: get_callable("storefront.views.nothing"),
    no_model=lambda: ListView().get_queryset(),
    unused=lambda: limited(lambda: TimingMiddleware(None), SERVER_TIMING=False),
)

# %% [markdown]
# `Resolver404` is an `Http404`: this is how an unknown address becomes its status. Two more are easiest to meet in a
# program of their own: models before `setup()`, and the ORM in a coroutine, such as an async view.

# %%
site = scratch("mysite")
site.write("early.py", "from django.contrib.auth.models import User")
site.write("loop.py", """
import asyncio, django
django.setup()
import early

async def count():
    early.User.objects.count()

asyncio.run(count())
""")
for file in ("early.py", "loop.py"):
    print(site.output(f"python {file}", DJANGO_SETTINGS_MODULE="mysite.settings").splitlines()[-1].partition(":")[0])

# %% [markdown]
# Requests that are too much, break off, or are read twice; and a header with a line break in it. The limits are
# settings:

# %%
class Cut(BytesIO):
    def read(self, size=-1):
        raise OSError("The visitor closed the page.")


asked, stream = RequestFactory(), LazyStream(iter([b""]))
two_files = {"a": BytesIO(b"a"), "b": BytesIO(b"b")}
read = asked.post("/", {"note": "x"})
print(read.POST["note"])

# %%
raised(
    size=lambda: limited(lambda: asked.post("/", {"note": "x" * 99}).body, DATA_UPLOAD_MAX_MEMORY_SIZE=9),
    fields=lambda: limited(lambda: asked.get("/?a=1&b=2").GET, DATA_UPLOAD_MAX_NUMBER_FIELDS=1),
    files=lambda: limited(lambda: asked.post("/", two_files).POST, DATA_UPLOAD_MAX_NUMBER_FILES=1),
    stuck=lambda: [stream.unget(b"--") for attempt in range(50)],
    cut=lambda: asked.post("/", b"text", "text/plain", **{"wsgi.input": Cut()}).body,
    twice=lambda: read.body,
    header=lambda: HttpResponse(headers={"X-Note": "two\nlines"}),
)

# %% [markdown]
# Under ASGI it is the server that says the visitor is gone:

# %% tags=["raises-exception"]
async def gone():
    return {"type": "http.disconnect"}


await ASGIHandler().read_body(gone)

# %% [markdown]
# And what nobody asks for by accident: another host, a script as an address, files outside, a forged session key, and
# questions to the admin site that would tell more than its lists show. All of these are a `SuspiciousOperation`:

# %%
def changelist(query):
    request = RequestFactory().get(f"/?{query}")
    request.user = AnonymousUser()
    request.user.has_perm = lambda name: True
    return admin.site.get_model_admin(Book).get_changelist_instance(request)

# %%
raised(
    host=lambda: limited(RequestFactory().get("/").get_host, ALLOWED_HOSTS=["shop.example"]),
    script=lambda: HttpResponseRedirect("javascript:alert(1)"),
    file=lambda: default_storage.open("../secret.txt"),
    session=lambda: FileSession()._key_to_file("../../secret"),
    lookup=lambda: changelist("lines__order__user__email__startswith=a"),
    to_field=lambda: changelist("_to_field=title"),
)

# %% [markdown]
# One more is in that family and raised by nobody: `SuspiciousSession`. A session that was tampered with is emptied,
# and only the log hears of it, under the name of the class:

# %%
with TestCase().assertLogs("django.security") as log:
    print(Session.get_session_store_class()().decode("forged"))
print(log.records[0].name, log.records[0].levelname)

# %% [markdown]
# Two are left that need a conversation. A session row that is deleted while the view runs ends in
# `SessionInterrupted`, a `BadRequest`; a redirect that comes back to itself in a test raises `RedirectCycleError`:

# %%
def view(request):
    request.session.save()
    Session.objects.all().delete()
    request.session["seen"] = True
    return HttpResponse("fine")


ring = path("again/", RedirectView.as_view(url="/again/"))
with override_settings(ROOT_URLCONF=(path("", view), ring, path("", include("config.urls")))):
    print(get("/").status)
    reset()
    raised(cycle=lambda: Client().get("/again/", follow=True))

# %% [markdown]
# Now the whole module `django.core.exceptions` through a view. Which statuses are there, and how many classes are a
# 404?

# %%
kinds = [kind for kind in vars(exceptions).values() if getattr(kind, "__module__", "") == exceptions.__name__]
statuses = {}
for kind in kinds:
    statuses.setdefault(status_of(kind("no")), []).append(kind.__name__)
print(sorted(statuses))
print(400, *sorted(statuses[400]))
print(403, *statuses[403], "|", 400, status_of(MultiPartParserError()))

# %% [markdown]
# No 404: `Http404` lives in `django.http`, and `MultiPartParserError`, for a body that cannot be read, in
# `django.http.multipartparser`. The page for each status comes from the URLconf: `handler400`, `handler403`,
# `handler404`, `handler500`, or a template named `404.html`. With `DEBUG=True` you see Django's own instead (except for
# 403 and that 400 of the unreadable body); a failed CSRF check has a page [of its
# own](https://docs.djangoproject.com/en/stable/ref/settings/#csrf-failure-view).
# The bookshop's 404 knows programs:

# %%
with override_settings(DEBUG=False):
    print(get("/nothing/", headers={"accept": "application/json"}))
    print(get("/nothing/").headers["Content-Type"])

# %% [markdown]
# A handler takes the request and the exception; that for 500 the request alone. What does the visitor get when a
# handler fails?

# %%
class urls:
    urlpatterns = [path("", include("config.urls"))]

    def handler404(request, exception):
        return HttpResponse("Not on our shelves.", status=404)

    def handler400(request, exception):
        raise KeyError("a mistake in the page for mistakes")


with override_settings(ROOT_URLCONF=urls, DEBUG=False):
    print(get("/nothing/").text, "|", get("/search/?fragment=nothing").status)

# %% [markdown]
# **The trap.** "To be safe, catch `Exception` around `get()`." It reads like care, and it turns every mistake of ours
# into a page that says the book does not exist. Nothing is logged as an error, nobody is told. Find the typing error:

# %%
def careful(request, slug):
    try:
        return HttpResponse(Book.objects.get(slug=slug).titel)
    except Exception:
        raise Http404 from None


def narrow(request, slug):
    return HttpResponse(get_object_or_404(Book, slug=slug).titel)

# %%
for view in (careful, narrow):
    with override_settings(ROOT_URLCONF=(path("<slug:slug>/", view), path("", include("config.urls"))), DEBUG=False):
        print(view.__name__, get("/emma/").status_code, get("/nothing/").status_code)

# %% [markdown]
# The same reflex breaks transactions. The insert fails, the error is caught, and the next query is innocent. What does
# it raise?

# %%
emma = {"title": "Emma", "author": Author.objects.get(slug="jane-austen"), "price": 1}


def caught_inside():
    with transaction.atomic():
        with suppress(IntegrityError):
            Book.objects.create(**emma)
        return Book.objects.count()


raised(inside=caught_inside)

# %% [markdown]
# `TransactionManagementError`: a `save()` that fails marks the transaction for rollback, and PostgreSQL would refuse
# the next query anyway
# ([documentation](https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly)).
# Catch outside of the block, or put the statement into an `atomic()` of its own, which is a savepoint:

# %%
def caught_outside():
    with transaction.atomic():
        with suppress(IntegrityError), transaction.atomic():
            Book.objects.create(**emma)
        return Book.objects.count()


print(caught_outside())

# %% [markdown]
# **Asked next**
#
# - *What is `SuspiciousOperation`, and who logs it?* A request that looks like an attack or exceeds a limit; an honest
#   visitor with a very long form sends one too. The handler answers 400 and logs to `django.security.` plus the name
#   of the class, at level error. `PermissionDenied` goes to `django.request`, as a warning.

# %%
with TestCase().assertLogs("django") as log:
    for error in (DisallowedHost(), PermissionDenied(), Http404(), KeyError()):
        status_of(error)
for record in log.records:
    print(record.name, record.levelname)

# %% [markdown]
# Robots that try host names fill this log. The documentation shows how to [silence that one
# logger](https://docs.djangoproject.com/en/stable/ref/logging/#django-security).
#
# - *How do you hide sensitive variables in error reports?* `@sensitive_variables` for the locals of a function,
#   `@sensitive_post_parameters` for the form. Reports obey with `DEBUG=False` only. What is in the report of this
#   payment?

# %%
@sensitive_variables("card")
def pay(card):
    raise ValueError("The bank does not answer.")


def reported():
    try:
        pay("4000-1234")
    except ValueError:
        frames = ExceptionReporter(None, *sys.exc_info()).get_traceback_data()["frames"]
        return dict(frames[-1]["vars"])["card"]


for debug in (True, False):
    with override_settings(DEBUG=debug):
        print(debug, reported())

# %% [markdown]
# - *Why must you not catch `IntegrityError` inside `atomic()`?* You saw it: the block is lost, and every later query
#   in it fails. The inner `atomic()` costs two statements, a savepoint and its release, and one more to roll back.
#   Emma is there, Sanditon is new: how many in all?

# %%
with CaptureQueriesContext(connection) as seen, transaction.atomic():
    for title in ("Emma", "Sanditon"):
        with suppress(IntegrityError), transaction.atomic():
            Book.objects.create(**emma | {"title": title, "slug": title.lower() * 2})
    transaction.set_rollback(True)
print(len(seen), *[query["sql"].split()[0] for query in seen])

# %% [markdown]
# **Versions.** 6.0 brought `ObjectNotUpdated`, with `Book.NotUpdated` below it: a forced `save()` that met no row, say
# because somebody deleted it. On 5.2 that is a bare `DatabaseError`, and `except DatabaseError` works on both. 6.1
# brought `FieldFetchBlocked`, see Q38.

# %%
try:
    Book(pk=0, **emma).save(force_update=True)
except DatabaseError as error:
    print(error)

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(Book.NotUpdated.__mro__[1].__name__, issubclass(Book.NotUpdated, DatabaseError))
    print(exceptions.FieldFetchBlocked.__base__.__name__)
else:
    print("Django 6.1 prints ObjectNotUpdated True, then FieldError.")

# %%
quiz("Q11")

# %% [markdown]
# Now [exercises 05.1 to 05.3](../exercises/05_views_responses_errors.ipynb).

# %% [markdown]
# ## Q12 · Write a view as a function or as a class
#
# *Basic · asked as T06, B5*
#
# **Say it.** A view is a callable that takes an `HttpRequest` and returns an `HttpResponse`, or raises. It can be a
# function, a coroutine function, an object with `__call__`, or what `as_view()` of a class returns. A class-based view
# is a function as well for the URLconf: each request gets a new instance, `setup()` stores the request, `dispatch()`
# calls the method named like the HTTP method, and 405 answers the rest. Functions read from top to bottom; classes
# share behaviour by inheritance.
#
# *What lifts it:* class attributes are shared by all requests of a process, handlers are all sync or all async, and a
# class pays when the behaviour is reused, not because there is one model.

# %% [markdown]
# **See it.** One endpoint, four times:

# %%
def as_function(request):
    return JsonResponse({"books": Book.objects.count()})


class AsClass(View):
    def get(self, request):
        return JsonResponse({"books": Book.objects.count()})

# %%
async def as_coroutine(request):
    return JsonResponse({"books": await Book.objects.acount()})


class AsInstance:
    def __call__(self, request):
        return JsonResponse({"books": Book.objects.count()})

# %% [markdown]
# Does a visitor notice a difference? And what does each answer to a POST?

# %%
def ask(view, method=get, url="/"):
    urlconf = (path("", view), path("<slug:slug>/", view), path("", include("config.urls")))
    with override_settings(ROOT_URLCONF=urlconf):
        return method(url)


for view in (as_function, AsClass.as_view(), as_coroutine, AsInstance()):
    print(ask(view).json(), ask(view, post).status)

# %% [markdown]
# Only the class says no: 405, with the methods that it has in `Allow`. A function answers every method until it is
# decorated. `HEAD` and `OPTIONS` come with the class:

# %%
print(ask(AsClass.as_view(), post).headers["Allow"], "|", ask(require_GET(as_function), post).headers["Allow"])
with override_settings(ROOT_URLCONF=(path("", AsClass.as_view()),)):
    print(Client().options("/").headers["Allow"], len(Client().head("/").content))

# %% [markdown]
# `as_view()` returns a function which makes an instance for every request. What will the second visitor see?

# %%
class Visited(View):
    slugs = []

    def get(self, request, slug):
        self.slugs.append(slug)
        return JsonResponse({"visited": self.slugs})


for url in ("/emma/", "/persuasion/"):
    print(ask(Visited.as_view(), url=url).json())

# %% [markdown]
# The instance is new, the list is not: it belongs to the class. (`AsInstance()` is one object for all requests, so it
# would share everything.) In production this is one visitor's data on another's page, in one process of several, so
# nobody can repeat it. Give each instance its own in `setup()`:

# %%
class Own(Visited):
    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.slugs = []


for url in ("/emma/", "/persuasion/"):
    print(ask(Own.as_view(), url=url).json())

# %% [markdown]
# Handlers are all synchronous or all asynchronous. A class with both is refused by `as_view()`, so when the URLconf is
# read:

# %%
class Mixed(View):
    def get(self, request):
        return JsonResponse({})

    async def post(self, request):
        return JsonResponse({})


try:
    Mixed.as_view()
except ImproperlyConfigured as error:
    print(error)

# %% [markdown]
# **The trap.** "A view is simply a Python function", "there are two types", and one list tells them apart by how they
# are imported. The URLconf holds a callable either way, and the bookshop shows both for the same page. What the list
# prints as its first view has curly quotes:

# %%
for url in ("/genres/satire/", "/genres/satire/books/", "/arrivals/"):
    found = resolve(url).func
    print(f"{url:24}{type(found).__name__} {hasattr(found, 'view_class')} {iscoroutinefunction(found)}")
try:
    compile("HttpResponse(“Welcome to Django”)", "views.py", "exec")
except SyntaxError as error:
    print(type(error).__name__)

# %% [markdown]
# Three functions for the URLconf: the second was made from a class, and the third is a coroutine function. The class
# itself is callable too, and that is why forgetting `as_view()` is noticed late. An instance is refused when the
# URLconf is read, the class when the page is asked for:

# %%
try:
    path("", AsClass())
except TypeError as error:
    print(error)
print(ask(AsClass).status)

# %% [markdown]
# And the answer has to be a response. Text, as in other frameworks, nothing at all, and a coroutine that nobody
# awaits:

# %%
def text(request):
    return "Welcome"


def nothing(request):
    HttpResponse("Welcome")


print([ask(view).exc_info[0].__name__ for view in (text, nothing, lambda request: as_coroutine(request))])

# %% [markdown] reason="The follow-ups of the syllabus, each with a full answer."
# **Asked next**
#
# - *How do you decorate a class-based view?* On the class with `method_decorator(…, name="dispatch")`, for one method
#   on the method, or in the URLconf around `as_view()`. A plain function decorator on a method would get `self` for
#   the request.
# - *What do `setup()` and `dispatch()` do?* `setup()` stores `request`, `args` and `kwargs` on the instance.
#   `dispatch()` chooses the method, or `http_method_not_allowed`. Code for all methods goes before
#   `super().dispatch()`; what prepares state goes into `setup()`.
# - *When do you refuse a class?* When a page does one thing of its own. Overriding four hooks of a generic view hides
#   a flow that ten lines of a function would show. How many classes does a reader have to know for a `ListView`?

# %%
@method_decorator(never_cache, name="dispatch")
class Decorated(View):
    def setup(self, *args, **kwargs):
        print("setup", end=" ")
        super().setup(*args, **kwargs)

    def dispatch(self, *args, **kwargs):
        print("dispatch", end=" ")
        return super().dispatch(*args, **kwargs)

    def get(self, request):
        print("get")
        return HttpResponse("fresh")

# %%
print("no-store" in ask(Decorated.as_view()).headers["Cache-Control"])
print("no-store" in ask(never_cache(AsClass.as_view())).headers["Cache-Control"])
print(len(ListView.__mro__) - 1, "classes above object, ListView included")

# %% [markdown]
# Decorators in front of a coroutine: most of Django's are made for both, since 5.0 and 5.1
# ([list](https://docs.djangoproject.com/en/stable/topics/async/#decorators)); 5.2 taught `method_decorator` to wrap
# async methods. `transaction.atomic` is not:

# %%
for decorator in (require_GET, never_cache, login_required, transaction.atomic):
    decorated = decorator(as_coroutine)
    print(decorator.__name__, iscoroutinefunction(decorated), ask(decorated).status_code)

# %% [markdown]
# The last one enters and leaves the transaction around the *making* of the coroutine, and Django complains that nobody
# awaits it. (The 302 is `login_required` at work: nobody is logged in.) For a block of queries in an async view, put
# them into a function with `atomic` and call it through `sync_to_async`.

# %%
quiz("Q12")

# %% [markdown]
# Now [exercises 05.4 and 05.5](../exercises/05_views_responses_errors.ipynb).

# %% [markdown]
# ## Q13 · Render a template into a response
#
# *Basic · asked as I10*
#
# **Say it.** `render(request, template_name, context)` loads a template, fills it with the context, and returns the
# text as an `HttpResponse`. Three more parameters: `content_type`, `status`, and `using`, the name of a template
# engine. The request is for the context processors, which add `user`, `messages` and what the settings list; with
# `None` they do not run. `render()` works at once: what leaves the view is finished text. It asks the database nothing
# itself; a lazy queryset in the context does, while the template loops.
#
# *What lifts it:* `TemplateResponse` waits, so that middleware and decorators can still change template and context;
# `render_to_string` is the same without HTTP.

# %% [markdown]
# **See it.** All parameters, and what comes out. Is it more than this one line?

# %%
print(signature(render))
page = render(None, "409.html", {"reason": "The cart is empty."})
by_hand = HttpResponse(render_to_string("409.html", {"reason": "The cart is empty."}))
print(page.content == by_hand.content, type(page).__name__)

# %% [markdown]
# A few small templates for two engines. `pages` puts them into the settings for a block:

# %%
PROCESSORS = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
HELLO = "Hello {{ user }} at {{ request.path }}, {% if csrf_token %}with{% else %}without{% endif %} a token."
DTL = {"hello.html": HELLO, "list.html": "{% for book in books %}{{ book.title }}. {% endfor %}"}
JINJA = {"hello.html": "{{ name|upper }}", "only_jinja.html": "{{ 6 * 7 }}"}

# %%
def engine(name, **options):
    return {"BACKEND": f"django.template.backends.{name}", "OPTIONS": options}


loaders = [("django.template.loaders.locmem.Loader", DTL)]
dtl = engine("django.DjangoTemplates", context_processors=PROCESSORS, loaders=loaders)
pages = override_settings(TEMPLATES=[dtl, engine("jinja2.Jinja2", loader=DictLoader(JINJA))])
request = RequestFactory().get("/shelf/")
request.user = AnonymousUser()

# %% [markdown]
# The same template with a request and without. What is missing in the second line?

# %%
with pages:
    print(render(request, "hello.html").text)
    print(render(None, "hello.html").text)
    print(render(request, "hello.html", {"user": "Mira"}).text)

# %% [markdown]
# User, path and token are gone, and no error says so: a form without its token is refused with 403 when it is sent.
# The third line: what the view puts into the context wins over the processors.
#
# The other parameters. Which engine answers when none is named?

# %%
with pages:
    page = render(request, "hello.html", {"name": "mira"}, content_type="text/plain", status=404, using="jinja2")
    print(page.status_code, page["Content-Type"], page.text)
    print(render(request, "hello.html").text[:5], render(request, "only_jinja.html").text)
    print(render(request, ["missing.html", "hello.html"]).text[:5])

# %% [markdown]
# The engines are tried in the order of the setting; a list of names is tried from the left. And the queries:

# %%
with pages, queries():
    response = render(request, "list.html", {"books": Book.objects.order_by("title")[:2]})
print(response.text)

# %% [markdown]
# One, and it is the loop's. The report names the line that rendered, not the view that made the queryset; with rows in
# a list there is none:

# %%
rows = list(Book.objects.order_by("title")[:2])
with pages, queries():
    render(request, "list.html", {"books": rows})

# %% [markdown]
# **The trap.** A list explains the parameters so: the request "generates the response", the result is "the data
# returned by models", `status` is "the status of the data you passed" and `using` "the render you are returning". You
# saw all four: no request, no model, an HTTP status, an engine's name. The fifth, "`render()` when the view returns a
# page instead of a simple string", has no other half: no view may return a string (Q12 tries it). Older lists add
# `dirs` and `context_instance`, which are gone:

# %%
for old in ("dirs", "context_instance"):
    try:
        render(request, "404.html", **{old: None})
    except TypeError as error:
        print(error)

# %% [markdown]
# And `status` is easily put into the wrong place. The third argument by position is the context, the fourth is the
# content type:

# %%
wrong = render(None, "404.html", {}, 404)
print(wrong.status_code, repr(wrong["Content-Type"]))

# %% [markdown]
# For caches, programs and monitoring, an error page with status 200 is a success. Name the parameters after the
# context.

# %% [markdown]
# **Asked next**
#
# - *`render`, `TemplateResponse` or `render_to_string`?* `render` for most views. `TemplateResponse` where somebody
#   else may still change it: generic views that show a template return one. `render_to_string` for letters and
#   fragments. What may be changed when?

# %%
with pages, queries():
    lazy = TemplateResponse(request, "list.html", {"books": Book.objects.order_by("title")})
    print(lazy.is_rendered)
    lazy.context_data["books"] = Book.objects.order_by("-title")[:1]
    print(lazy.render().text, lazy.is_rendered)

# %% [markdown]
# The change came in time, and the first queryset was never run. A middleware does this with
# `process_template_response`.
#
# - *How do context processors get in, and what do they cost?* `OPTIONS["context_processors"]` of the engine lists
#   functions from request to dictionary. Each runs at every rendering with a request, also where the template uses
#   nothing of it. How many queries does this one cost a page that does not show it?

# %%
def eager(request):
    return {"copies": Book.objects.count()}


def lazy(request):
    return {"copies": Book.objects.count}


for processor in ("eager", "lazy"):
    template = Engine(context_processors=[f"__main__.{processor}"]).from_string("A page without numbers")
    with queries(quiet=True) as seen:
        template.render(RequestContext(request))
    print(processor, len(seen))

# %% [markdown]
# Hand over something lazy: the template calls a function when it meets its name. (A cell is the module `__main__`,
# hence the path.) The bookshop's own processor counts the cart in this way.
#
# - *How do you render one fragment for htmx?* Give it a template of its own, include it in the page, and render it
#   alone when the script asks. Since 6.0 a partial inside the page's template does the same with `page.html#name`. The
#   bookshop's search answers `?fragment=found`:

# %%
page, part = get("/search/?q=emma").text, get("/search/?q=emma&fragment=found").text
print("<html" in page, "<html" in part, part.strip() in page)

# %% [markdown]
# **Versions.** Template partials are new in 6.0; 5.2 does not know the tag, and needs the second file:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    DTL["shelf.html"] = "<h1>Shelf</h1>{% partialdef row inline %}<li>{{ title }}</li>{% endpartialdef %}"
    with pages:
        for name in ("shelf.html", "shelf.html#row"):
            print(render(None, name, {"title": "Emma"}).text)
else:
    print("Django 6.1 prints <h1>Shelf</h1><li>Emma</li>, then <li>Emma</li>")

# %%
quiz("Q13")

# %% [markdown]
# Now [exercises 05.6 and 05.7](../exercises/05_views_responses_errors.ipynb).

# %% [markdown]
# ## Q14 · Redirect for now, or for good?
#
# *Intermediate · asked as A4*
#
# **Say it.** A 301 says that the address has moved for good, and browsers take it at its word: they may keep it
# without any header and go to the new address without asking the server again. So the server cannot call a wrong one
# back. I begin with 302, Django's default, and make it permanent when it has proven right. And 301 and 302 may turn a
# POST into a GET; 307 and 308 keep method and body, in Django with `preserve_request=True`.
#
# *What lifts it:* a `Cache-Control` with a short age makes a 301 that can be taken back, and a permanent redirect is
# right when the address really moved: links, bookmarks and search engines [follow
# it](https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Redirections).

# %% [markdown]
# **See it.** The two switches of `redirect()`. Which four statuses do they give, and does Django say for how long to
# keep one?

# %%
for permanent in (False, True):
    for preserve_request in (False, True):
        moved = redirect("/books/", permanent=permanent, preserve_request=preserve_request)
        print(moved.status_code, moved["Location"], "Cache-Control" in moved)

# %% [markdown]
# No word about keeping. [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-15.1) allows a client to keep 301
# and 308 without one, and not 302 and 307. Here is a small client that does what the text allows, over a real
# connection:

# %%
def fetch(server, url):
    connection = HTTPConnection(urlsplit(server.url).netloc)
    connection.request("GET", url)
    reply = connection.getresponse()
    connection.close()
    return reply.status, reply.headers.get("Location")

# %%
class Browser:
    def __init__(self, server):
        self.server, self.kept = server, {}

    def open(self, url):
        for step in range(20):
            status, target = (301, self.kept[url]) if url in self.kept else fetch(self.server, url)
            if target is None:
                return url
            if status in (301, 308):
                self.kept[url] = target
            url = target
        return "too many redirects"

# %% [markdown]
# The server counts who asks for the old address. Each is opened three times; how often does the server hear of it?

# %%
asked, target = Counter(), {"now": "/spring/"}


def old(request, **options):
    asked[request.path] += 1
    return redirect(target["now"], **options)


def season(request, name):
    return HttpResponse(name)


urlconf = (path("for-now/", old), path("for-good/", partial(old, permanent=True)), path("<name>/", season))

# %%
if asgi.available():
    with asgi() as server, override_settings(ROOT_URLCONF=urlconf):
        browser = Browser(server)
        for visit in range(3):
            browser.open("/for-now/")
            browser.open("/for-good/")
        print(dict(asked))
        target["now"] = "/autumn/"
        print(browser.open("/for-now/"), browser.open("/for-good/"), dict(asked))
else:
    print(asgi.why_not())

# %% [markdown]
# After the change the first address leads to autumn, the other one still to spring, and the server was not even asked:
# there is nothing that it could say to this browser. Chromium does the same; a test of this course drives one
# (`checks/tests/browser/test_redirects.py`).

# %% [markdown]
# Next, the method. A form is sent to each of these; which method arrives, and with what?

# %%
def forward(request, status):
    return HttpResponseRedirect("/arrived/", status=status)


def arrived(request):
    return HttpResponse(f"{request.method} {dict(request.POST.items())}")


with override_settings(ROOT_URLCONF=(path("<int:status>/", forward), path("arrived/", arrived))):
    for status in (301, 302, 303, 307, 308):
        print(status, post(f"/{status}/", {"title": "Emma"}, follow=True).text)

# %% [markdown]
# 303 says "now GET this page", which is what one means after a form was saved; 302 is used for it, because browsers
# [do the same with a POST](https://fetch.spec.whatwg.org/#http-redirect-fetch). For 301 and 302 the change is [allowed,
# not demanded](https://www.rfc-editor.org/rfc/rfc9110#section-15.4.3): another client may send the POST again. The
# bookshop's basket of old is a 308, so forms on pages that are still open keep working:

# %%
reply = post("/basket/add/emma/", {"quantity": 2}, follow=True)
print(reply.redirect_chain)
print(get("/cart/", client=reply.client).text.count("/books/emma/"))

# %% [markdown]
# 308 to the cart, with the form; the cart's own 302 back to the book.
#
# `RedirectView` does in the URLconf what `redirect()` does in a view. It can reverse a name with the arguments of the
# path, and carry the query over:

# %%
shelf = RedirectView.as_view(pattern_name="storefront:genre", query_string=True, permanent=True)
with override_settings(ROOT_URLCONF=(path("shelf/<slug:slug>/", shelf), path("", include("config.urls")))):
    reply = get("/shelf/satire/?page=2", follow=True)
    print(reply.redirect_chain, reply.status)

# %% [markdown]
# **The trap.** "Permanent redirection is not a good option", says a list, because a user who "wants to move to a new
# page will load the same page". What is loaded again is the old *target*, as above; for an address that moved for good
# that is right. It is no good default, and not Django's. But one that you did not write is permanent: `APPEND_SLASH`.
# What becomes of a form that is sent without the slash, in production?

# %%
print(RedirectView.permanent, redirect("/").status_code, get("/books/emma").status)
with override_settings(DEBUG=False):
    reply = post("/cart/add/emma", {"quantity": 2}, follow=True)
print(reply.redirect_chain, reply.status)

# %% [markdown]
# The POST became a GET, the quantity is lost, and the view refuses. With `DEBUG=True` Django raises a `RuntimeError`
# that explains it, so one learns of it while developing:

# %%
reply = post("/cart/add/emma", {"quantity": 2})
print(reply.exc_info[0].__name__)

# %% [markdown]
# **Asked next**
#
# - *How do you undo a wrong 301?* Where it is kept, nobody asks the old address. So answer at the wrong target, with a
#   page or a 302 to the right one, or send [`Clear-Site-Data:
#   "cache"`](https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Clear-Site-Data) from pages that
#   people visit, for browsers that obey it over HTTPS. And give each new permanent redirect an age at first. Do not
#   send people back to the old address. Why not?

# %%
def back(request, name):
    return redirect("/for-good/")


if asgi.available():
    urlconf = (path("for-good/", season, {"name": "home"}), path("<name>/", back))
    with asgi() as server, override_settings(ROOT_URLCONF=urlconf):
        browser.server = server
        print(browser.open("/for-good/"), "|", Browser(server).open("/for-good/"))
brief = cache_control(max_age=300)(lambda request: redirect("/spring/", permanent=True))
reply = brief(RequestFactory().get("/winter/"))
print(reply.status_code, reply["Cache-Control"])

# %% [markdown]
# A ring: the browser itself answers for the old address, the server for the wrong target.
#
# - *How do you prevent open redirects?* Whatever came from the visitor (`?next=`) passes
#   `url_has_allowed_host_and_scheme` first, or a link to your login page ends on somebody else's. Which of these stay
#   in the shop?

# %%
stay = ["/cart/", "https://shop.example/cart/", "http://shop.example/cart/"]
for url in (*stay, "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
    print(url_has_allowed_host_and_scheme(url, {"shop.example"}, require_https=True), url)
print(post("/cart/add/emma/", {"quantity": 1, "next": "//evil.example/"})["Location"])

# %% [markdown]
# - *When is 410 better?* When the page is gone for good and nothing took its place. A redirect to the home page would
#   say that the home page took its place. 404 leaves open whether it comes back. A client may keep a 410 [as
#   well](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.11). A `RedirectView` without an address gives it:

# %%
with override_settings(ROOT_URLCONF=(path("sale/", RedirectView.as_view()),)):
    print(get("/sale/").status)

# %% [markdown]
# **Versions.** `preserve_request` is new in 5.2, for `redirect()` and the response classes. 6.1 brought it to
# `RedirectView`, and `max_length` to `redirect()`: both versions refuse a URL above 16,384 characters (5.2 since
# [5.2.9](https://docs.djangoproject.com/en/stable/releases/5.2.9/)), and only 6.1 lets you move the limit:

# %%
try:
    redirect("/" + "x" * 16_384)
except exceptions.DisallowedRedirect as error:
    print(error)

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(RedirectView.as_view(url="/cart/", preserve_request=True)(RequestFactory().post("/basket/")).status_code)
    print(redirect("/" + "x" * 16_384, max_length=None).status_code)
else:
    print("Django 6.1 prints 307, then 302.")

# %%
quiz("Q14")

# %% [markdown]
# Now [exercises 05.8 and 05.9](../exercises/05_views_responses_errors.ipynb), then chapter [06 ·
# Templates](06_templates.ipynb).
