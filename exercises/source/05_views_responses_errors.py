# %%
from checks import check, hint, solution
from lab import get, queries, show, start

start()

# Django is set up now, so its models can be imported.
import json
from functools import wraps
from inspect import iscoroutinefunction

from catalog.models import Book, Genre
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
    TooManyFieldsSent,
    ValidationError,
)
from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpResponse, HttpResponseGone, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import Resolver404, include, path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

# %% [markdown] exercise="05.1"
# ### 05.1 Which status?
#
# Return the status that Django's handler gives a visitor for an exception that leaves the view, without sending a
# request: 404, 403, 400 or 500. Subclasses become what their base becomes. `MultiPartParserError`, for a body that
# cannot be read, is left out here.

# %% exercise="05.1" role="check"
class Closed(PermissionDenied):
    """The shop is closed."""


def observe(answer):
    errors = [Http404(), Resolver404(), PermissionDenied(), Closed()]
    errors += [BadRequest(), SuspiciousOperation(), TooManyFieldsSent()]
    errors += [Book.DoesNotExist(), Book.MultipleObjectsReturned(), Genre.MultipleObjectsReturned()]
    errors += [ValidationError("price"), KeyError("price"), IntegrityError()]
    return [(type(error).__name__, answer(error)) for error in errors]

# %% exercise="05.1" role="answer"
def status_of(error):
    # solution
    if isinstance(error, Http404):
        return 404
    if isinstance(error, PermissionDenied):
        return 403
    if isinstance(error, (BadRequest, SuspiciousOperation)):
        return 400
    return 500
    # end


check("05.1")

# %% exercise="05.1" role="alternative" note="A table, read from the top. Good when rows will be added; the chain of `if` shows the order of decisions."
STATUSES = {Http404: 404, PermissionDenied: 403, BadRequest: 400, SuspiciousOperation: 400}


def status_of(error):
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)

# %% exercise="05.1" role="mistake" says="`type(error)` is compared, so subclasses fall through to 500: `Resolver404` is what every unknown address raises. `isinstance` takes them along."
def status_of(error):
    return {Http404: 404, PermissionDenied: 403, BadRequest: 400, SuspiciousOperation: 400}.get(type(error), 500)

# %% exercise="05.1" role="mistake" says="`DoesNotExist` is no 404: Django answers 500 until somebody turns it into `Http404`, as `get_object_or_404` does."
def status_of(error):
    if isinstance(error, (Http404, ObjectDoesNotExist)):
        return 404
    if isinstance(error, PermissionDenied):
        return 403
    if isinstance(error, (BadRequest, SuspiciousOperation)):
        return 400
    return 500

# %% exercise="05.1" role="mistake" says="A `SuspiciousOperation` is a 400: the request is wrong, whoever sent it. 403 is for `PermissionDenied`."
def status_of(error):
    if isinstance(error, Http404):
        return 404
    if isinstance(error, (PermissionDenied, SuspiciousOperation)):
        return 403
    if isinstance(error, BadRequest):
        return 400
    return 500

# %% exercise="05.1" role="mistake" says="Not every mistake of a program is the visitor's: `KeyError` and `IntegrityError` are 500, or nobody would ever be told of them."
def status_of(error):
    if isinstance(error, Http404):
        return 404
    if isinstance(error, PermissionDenied):
        return 403
    if isinstance(error, (BadRequest, SuspiciousOperation, LookupError, IntegrityError)):
        return 400
    return 500

# %% exercise="05.1" role="mistake" says="A form turns `ValidationError` into messages beside its fields. One that leaves the view is a 500 in Django; the class of the same name in Django REST framework is a 400."
def status_of(error):
    if isinstance(error, Http404):
        return 404
    if isinstance(error, PermissionDenied):
        return 403
    if isinstance(error, (BadRequest, SuspiciousOperation, ValidationError)):
        return 400
    return 500

# %% exercise="05.1" role="hint"
# Four classes have a status of their own, with all their subclasses.
# %% exercise="05.1" role="hint"
# `isinstance(error, (BadRequest, SuspiciousOperation))` asks for two at once.

# %% [markdown] exercise="05.2"
# ### 05.2 Skip what is there, keep the rest
#
# Add a genre for each name, with the slug that is its name in lower case, all in **one** transaction. A name that the
# database refuses with an `IntegrityError` is left out; the others stay. Return how many were added. Do not ask first
# whether a genre exists: somebody could add it between the question and the insert.

# %% exercise="05.2" role="check"
def observe(answer):
    seen, asked = [], []

    def listen(execute, statement, *rest):
        if statement.startswith("SELECT") and "WHERE" in statement:
            asked.append(statement)
        return execute(statement, *rest)

    for names in (["Gothic", "Satire", "Fable"], ["Fable", "Fable", "SATIRE", "Travelogue"], []):
        with uncounted():
            before = Genre.objects.count()
        try:
            with connection.execute_wrapper(listen):
                added = answer(names)
        except Exception as error:
            added = type(error).__name__
        with uncounted():
            seen.append((names, added, Genre.objects.count() - before))
    # In one transaction with whatever fails later: nothing may stay.
    with uncounted():
        before = Genre.objects.count()
    try:
        answer(["Chronicle", None])
    except Exception as error:
        seen.append(type(error).__name__)
    with uncounted():
        seen.append(Genre.objects.count() - before)
    return [*seen, "asked first" if asked else "never asked"]

# %% exercise="05.2" role="answer"
def add_genres(names):
    # solution
    added = 0
    with transaction.atomic():
        for name in names:
            try:
                with transaction.atomic():
                    Genre.objects.create(name=name, slug=name.lower())
            except IntegrityError:
                continue
            added += 1
    return added
    # end


check("05.2")

# %% exercise="05.2" role="alternative" note="The savepoint in a function of its own, as a decorator. It says what may fail, and the loop stays flat."
@transaction.atomic
def add(name):
    Genre.objects.create(name=name, slug=name.lower())


@transaction.atomic
def add_genres(names):
    added = 0
    for name in names:
        try:
            add(name)
            added += 1
        except IntegrityError:
            pass
    return added

# %% exercise="05.2" role="mistake" says="The error is caught inside of the block that it broke: the next insert raises `TransactionManagementError`. Give each insert an `atomic()` of its own, and catch around that."
def add_genres(names):
    added = 0
    with transaction.atomic():
        for name in names:
            try:
                Genre.objects.create(name=name, slug=name.lower())
                added += 1
            except IntegrityError:
                pass
    return added

# %% exercise="05.2" role="mistake" says="One refused name takes all others with it: the error is caught outside of the only block, which is rolled back as a whole."
def add_genres(names):
    added = 0
    try:
        with transaction.atomic():
            for name in names:
                Genre.objects.create(name=name, slug=name.lower())
                added += 1
    except IntegrityError:
        pass
    return added

# %% exercise="05.2" role="mistake" says="Each insert commits on its own: when a later name fails in another way, the earlier ones stay. Put one `atomic()` around the loop."
def add_genres(names):
    added = 0
    for name in names:
        try:
            Genre.objects.create(name=name, slug=name.lower())
        except IntegrityError:
            continue
        added += 1
    return added

# %% exercise="05.2" role="mistake" says="The number counts attempts, not genres: it goes up before the insert is known to have worked."
def add_genres(names):
    added = 0
    with transaction.atomic():
        for name in names:
            added += 1
            try:
                with transaction.atomic():
                    Genre.objects.create(name=name, slug=name.lower())
            except IntegrityError:
                pass
    return added

# %% exercise="05.2" role="mistake" says="The database is asked first, and somebody may add the genre between the question and the insert. Only the insert itself finds out: try it, and catch what it raises."
def add_genres(names):
    added = 0
    with transaction.atomic():
        for name in names:
            if not Genre.objects.filter(slug=name.lower()).exists():
                Genre.objects.create(name=name, slug=name.lower())
                added += 1
    return added

# %% exercise="05.2" role="mistake" says="`get_or_create` asks for a row with both values. A genre that has the slug under another name is not found, so the insert fails, and the error ends it all."
def add_genres(names):
    with transaction.atomic():
        return sum(Genre.objects.get_or_create(name=name, slug=name.lower())[1] for name in names)

# %% exercise="05.2" role="hint"
# An `atomic()` inside of another is a savepoint.
# %% exercise="05.2" role="hint"
# `try` goes around the inner block, not into it.

# %% [markdown] exercise="05.3"
# ### 05.3 A 404 for people and for programs
#
# Write a handler for 404. A request whose `Accept` prefers JSON to HTML gets `{"detail": "Not found."}` as JSON,
# everybody else the plain text `Not on our shelves.` What the exception says is for us alone: a visitor does not see
# it.

# %% exercise="05.3" role="check"
def observe(answer):
    def missing(request):
        raise Http404("No row in catalog_book.")

    class urls:
        urlpatterns = [path("missing/", missing)]
        handler404 = answer

    seen = []
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    accepts = [None, "application/json", browser, "*/*", "text/html;q=0.5,application/json"]
    accepts.append("text/html,application/json;q=0.5")
    with override_settings(ROOT_URLCONF=urls, DEBUG=False, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        for url in ("/missing/", "/unknown/"):
            for accept in accepts:
                reply = Client(raise_request_exception=False).get(url, headers={"accept": accept} if accept else None)
                kind = reply.headers["Content-Type"].partition(";")[0]
                seen.append((url, accept, reply.status_code, kind, reply.content.decode()[:80]))
    return seen

# %% exercise="05.3" role="answer"
def page_not_found(request, exception):
    # solution
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"detail": "Not found."}, status=404)
    return HttpResponse("Not on our shelves.", status=404, content_type="text/plain")
    # end


check("05.3")

# %% exercise="05.3" role="alternative" note="The body decided first, one response at the end. Shorter where more statuses follow; `JsonResponse` does the encoding and the header for you."
def page_not_found(request, exception):
    preferred = request.get_preferred_type(["text/html", "application/json"])
    body, kind = "Not on our shelves.", "text/plain"
    if preferred == "application/json":
        body, kind = json.dumps({"detail": "Not found."}), "application/json"
    return HttpResponse(body, content_type=kind, status=404)

# %% exercise="05.3" role="mistake" says="The answer has status 200: Django takes what the handler returns as it is. Say `status=404`."
def page_not_found(request, exception):
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"detail": "Not found."})
    return HttpResponse("Not on our shelves.", content_type="text/plain")

# %% exercise="05.3" role="mistake" says="The text of the exception reaches the visitor. It was written for developers, and for an unknown address it holds the whole list of URL patterns."
def page_not_found(request, exception):
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"detail": str(exception)}, status=404)
    return HttpResponse("Not on our shelves.", status=404, content_type="text/plain")

# %% exercise="05.3" role="mistake" says="A browser sends `*/*` at the end of its list, so it *accepts* JSON as well. Asked for is what it prefers: `get_preferred_type`."
def page_not_found(request, exception):
    if request.accepts("application/json"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return HttpResponse("Not on our shelves.", status=404, content_type="text/plain")

# %% exercise="05.3" role="mistake" says="The header is compared as a text, so a list with qualities is not understood. `get_preferred_type` reads them."
def page_not_found(request, exception):
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"detail": "Not found."}, status=404)
    return HttpResponse("Not on our shelves.", status=404, content_type="text/plain")

# %% exercise="05.3" role="mistake" says="JSON in the list is not JSON preferred: `text/html,application/json;q=0.5` would like HTML better. `get_preferred_type` reads the qualities."
def page_not_found(request, exception):
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"detail": "Not found."}, status=404)
    return HttpResponse("Not on our shelves.", status=404, content_type="text/plain")

# %% exercise="05.3" role="mistake" says="The text is sent as HTML, which is what `HttpResponse` says of everything. Plain text needs `content_type=\"text/plain\"`."
def page_not_found(request, exception):
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"detail": "Not found."}, status=404)
    return HttpResponse("Not on our shelves.", status=404)

# %% exercise="05.3" role="hint"
# A handler returns a response with its status; Django adds none.
# %% exercise="05.3" role="hint"
# `request.get_preferred_type([…])`, new in 5.2, gives the one of your types that the client likes best. Where one `*/*` stands for all of them, it is the first of yours.

# %% [markdown] exercise="05.4"
# ### 05.4 A class with a memory of its own
#
# Write the view `Basket(View)` for the URL `<slug>/`. Before any method, it fetches the book of the slug (404 where
# there is none) into `self.book` and begins an empty list `self.notes`. GET notes the title, POST notes the title and
# "bought". Both answer with the notes as JSON: `{"notes": ["Emma"]}`. Other methods get 405.

# %% exercise="05.4" role="check"
def observe(answer):
    class urls:
        urlpatterns = [path("<slug:slug>/", answer.as_view())]

        def handler404(request, exception):
            return HttpResponse("not found", status=404)

        def handler500(request):
            return HttpResponse("failed", status=500)

    with override_settings(ROOT_URLCONF=urls, DEBUG=False, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        client = Client(raise_request_exception=False)
        seen = []
        with uncounted():
            slugs = list(Book.objects.order_by("pk").values_list("slug", flat=True)[:2]) + ["nothing"]
        for slug in slugs:
            for method in ("get", "post", "delete", "get"):
                reply = getattr(client, method)(f"/{slug}/")
                body = reply.content.decode() if reply.status_code == 200 else ""
                seen.append((slug, method, reply.status_code, reply.headers.get("Allow"), body))
        return seen

# %% exercise="05.4" role="answer"
class Basket(View):
    # solution
    def setup(self, request, slug):
        super().setup(request, slug=slug)
        self.book = get_object_or_404(Book, slug=slug)
        self.notes = []

    def get(self, request, slug):
        self.notes.append(self.book.title)
        return JsonResponse({"notes": self.notes})

    def post(self, request, slug):
        self.notes += [self.book.title, "bought"]
        return JsonResponse({"notes": self.notes})
    # end


check("05.4")

# %% exercise="05.4" role="alternative" note="The same in `dispatch`. It works as well; `setup` is the better place for state, because mixins ask for it in their own `dispatch`."
class Basket(View):
    def dispatch(self, request, *args, **kwargs):
        self.book = get_object_or_404(Book, slug=kwargs["slug"])
        self.notes = []
        return super().dispatch(request, *args, **kwargs)

    def get(self, request, **kwargs):
        return self.answer(self.book.title)

    def post(self, request, **kwargs):
        return self.answer(self.book.title, "bought")

    def answer(self, *notes):
        self.notes.extend(notes)
        return JsonResponse({"notes": self.notes})

# %% exercise="05.4" role="mistake" says="The list belongs to the class, so every visitor's notes are on the next one's page. Make a new list for each request, in `setup`."
class Basket(View):
    notes = []

    def setup(self, request, slug):
        super().setup(request, slug=slug)
        self.book = get_object_or_404(Book, slug=slug)

    def get(self, request, slug):
        self.notes.append(self.book.title)
        return JsonResponse({"notes": self.notes})

    def post(self, request, slug):
        self.notes.extend([self.book.title, "bought"])
        return JsonResponse({"notes": self.notes})

# %% exercise="05.4" role="mistake" says="A book that does not exist ends in 500: `DoesNotExist` is no 404. `get_object_or_404` raises the exception that is."
class Basket(View):
    def setup(self, request, slug):
        super().setup(request, slug=slug)
        self.book = Book.objects.get(slug=slug)
        self.notes = []

    def get(self, request, slug):
        self.notes.append(self.book.title)
        return JsonResponse({"notes": self.notes})

    def post(self, request, slug):
        self.notes += [self.book.title, "bought"]
        return JsonResponse({"notes": self.notes})

# %% exercise="05.4" role="mistake" says="One method for all: `dispatch` is replaced, and with it the 405 for methods that the view does not have."
class Basket(View):
    def dispatch(self, request, slug):
        book = get_object_or_404(Book, slug=slug)
        notes = [book.title, "bought"] if request.method == "POST" else [book.title]
        return JsonResponse({"notes": notes})

# %% exercise="05.4" role="mistake" says="Without `super().setup()` the instance has no `request`, and Django says so: every page is a 500."
class Basket(View):
    def setup(self, request, slug):
        self.book = get_object_or_404(Book, slug=slug)
        self.notes = []

    def get(self, request, slug):
        self.notes.append(self.book.title)
        return JsonResponse({"notes": self.notes})

    def post(self, request, slug):
        self.notes += [self.book.title, "bought"]
        return JsonResponse({"notes": self.notes})

# %% exercise="05.4" role="hint"
# `setup(self, request, slug)` runs before `dispatch` chooses the method. Call `super().setup(request, slug=slug)` first.
# %% exercise="05.4" role="hint"
# Methods that you do not define are answered with 405 by `View`.

# %% [markdown] exercise="05.5"
# ### 05.5 A decorator for both kinds of view
#
# Write the decorator `json_errors`. When the view raises `Http404`, it answers `{"detail": "Not found."}` with 404;
# when it raises `PermissionDenied`, `{"detail": "Not allowed."}` with 403. Everything else goes on as it was. It works
# for `def` and for `async def` views, and what was a coroutine function stays one: Django asks.

# %% exercise="05.5" role="check"
def finished(coroutine):
    """The result of a coroutine that waits for nothing: no event loop is needed."""
    try:
        coroutine.send(None)
    except StopIteration as result:
        return result.value


def observe(answer):
    def outcome(error):
        def view(request, slug):
            """Sells books."""
            if error:
                raise error
            return HttpResponse(slug)

        async def aview(request, slug):
            return view(request, slug)

        yield view
        yield aview

    seen = []
    request = RequestFactory().get("/")
    for error in (None, Http404("secret"), PermissionDenied(), KeyError("price")):
        for view in outcome(error):
            decorated = answer(view)
            seen.append((iscoroutinefunction(decorated), decorated.__name__))
            try:
                reply = decorated(request, slug="emma")
                if iscoroutinefunction(decorated):
                    reply = finished(reply)
                if not isinstance(reply, HttpResponse):
                    if hasattr(reply, "close"):
                        reply.close()
                    seen.append("no response: " + type(reply).__name__)
                else:
                    seen.append((reply.status_code, reply.content.decode()))
            except Exception as problem:
                seen.append(type(problem).__name__)
    return seen

# %% exercise="05.5" role="answer"
def json_errors(view):
    # solution
    def answer_to(error):
        if isinstance(error, Http404):
            return JsonResponse({"detail": "Not found."}, status=404)
        return JsonResponse({"detail": "Not allowed."}, status=403)

    if iscoroutinefunction(view):

        @wraps(view)
        async def wrapper(request, *args, **kwargs):
            try:
                return await view(request, *args, **kwargs)
            except (Http404, PermissionDenied) as error:
                return answer_to(error)

    else:

        @wraps(view)
        def wrapper(request, *args, **kwargs):
            try:
                return view(request, *args, **kwargs)
            except (Http404, PermissionDenied) as error:
                return answer_to(error)

    return wrapper
    # end


check("05.5")

# %% exercise="05.5" role="alternative" note="One context manager holds what both wrappers share, the answer included. Less to keep equal; a little more to understand."
class Answering:
    KNOWN = {Http404: ("Not found.", 404), PermissionDenied: ("Not allowed.", 403)}
    response = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for known, (detail, status) in self.KNOWN.items():
            if isinstance(error, known):
                self.response = JsonResponse({"detail": detail}, status=status)
                return True


def json_errors(view):
    async def awaiting(request, *args, **kwargs):
        with Answering() as answering:
            return await view(request, *args, **kwargs)
        return answering.response

    def calling(request, *args, **kwargs):
        with Answering() as answering:
            return view(request, *args, **kwargs)
        return answering.response

    return wraps(view)(awaiting if iscoroutinefunction(view) else calling)

# %% exercise="05.5" role="mistake" says="An `async def` view is wrapped in a plain function: calling it only makes the coroutine, so nothing is caught, and Django no longer sees that it must be awaited."
def json_errors(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return JsonResponse({"detail": "Not found."}, status=404)
        except PermissionDenied:
            return JsonResponse({"detail": "Not allowed."}, status=403)

    return wrapper

# %% exercise="05.5" role="mistake" says="`except Exception` turns a `KeyError` of ours into a 404: nobody would ever be told of it. Catch the two that were asked for."
def json_errors(view):
    def answer_to(error):
        if isinstance(error, PermissionDenied):
            return JsonResponse({"detail": "Not allowed."}, status=403)
        return JsonResponse({"detail": "Not found."}, status=404)

    @wraps(view)
    async def awaiting(request, *args, **kwargs):
        try:
            return await view(request, *args, **kwargs)
        except Exception as error:
            return answer_to(error)

    @wraps(view)
    def calling(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            return answer_to(error)

    return awaiting if iscoroutinefunction(view) else calling

# %% exercise="05.5" role="mistake" says="Every view has become a coroutine function. A plain view is then run in the event loop, where the ORM refuses to work; keep each kind as it was."
def json_errors(view):
    @wraps(view)
    async def wrapper(request, *args, **kwargs):
        try:
            reply = view(request, *args, **kwargs)
            return await reply if iscoroutinefunction(view) else reply
        except Http404:
            return JsonResponse({"detail": "Not found."}, status=404)
        except PermissionDenied:
            return JsonResponse({"detail": "Not allowed."}, status=403)

    return wrapper

# %% exercise="05.5" role="mistake" says="`wraps` is missing, so every view has the name of the wrapper in logs and traces."
def json_errors(view):
    def answer_to(error):
        if isinstance(error, Http404):
            return JsonResponse({"detail": "Not found."}, status=404)
        return JsonResponse({"detail": "Not allowed."}, status=403)

    async def awaiting(request, *args, **kwargs):
        try:
            return await view(request, *args, **kwargs)
        except (Http404, PermissionDenied) as error:
            return answer_to(error)

    def calling(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except (Http404, PermissionDenied) as error:
            return answer_to(error)

    return awaiting if iscoroutinefunction(view) else calling

# %% exercise="05.5" role="mistake" says="Only the request is handed on: a view with an argument in its path, such as a slug, fails. Take `*args, **kwargs` and pass them on."
def json_errors(view):
    def answer_to(error):
        if isinstance(error, Http404):
            return JsonResponse({"detail": "Not found."}, status=404)
        return JsonResponse({"detail": "Not allowed."}, status=403)

    @wraps(view)
    async def awaiting(request):
        try:
            return await view(request)
        except (Http404, PermissionDenied) as error:
            return answer_to(error)

    @wraps(view)
    def calling(request):
        try:
            return view(request)
        except (Http404, PermissionDenied) as error:
            return answer_to(error)

    return awaiting if iscoroutinefunction(view) else calling

# %% exercise="05.5" role="hint"
# `inspect.iscoroutinefunction(view)` tells which wrapper to make: one with `async def` and `await`, or one without.
# %% exercise="05.5" role="hint"
# `functools.wraps(view)` keeps the name. Catch `(Http404, PermissionDenied)` and nothing wider.

# %% [markdown] exercise="05.6"
# ### 05.6 A page that says why
#
# An order cannot be taken. Show the template `conflict.html` with the `reason` in it, as status 409. The page has the
# name of the shop in its header, so the context processors have to run.

# %% exercise="05.6" role="check"
PAGES = {"conflict.html": "<h1>{{ shop_name }}</h1><p>{{ reason }}</p>"}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.locmem.Loader", PAGES)],
            "context_processors": ["storefront.context_processors.shop"],
        },
    }
]


def observe(answer):
    request = RequestFactory().get("/checkout/")
    request.session = {}
    with override_settings(TEMPLATES=TEMPLATES):
        replies = [answer(request, reason) for reason in ("Only 1 copy of <Emma> is left.", "The cart is empty.")]
        for reply in replies:
            if not getattr(reply, "is_rendered", True):
                reply.render()
    return [(reply.status_code, reply.headers["Content-Type"], reply.content.decode()) for reply in replies]

# %% exercise="05.6" role="answer"
def conflict(request, reason):
    # solution
    return render(request, "conflict.html", {"reason": reason}, status=409)
    # end


check("05.6")

# %% exercise="05.6" role="alternative" note="The two steps that `render` is made of. Needed where the response is of another class, such as one of your own for 409."
def conflict(request, reason):
    page = render_to_string("conflict.html", {"reason": reason}, request)
    return HttpResponse(page, status=409)

# %% exercise="05.6" role="alternative" note="Rendered by Django after the view, so middleware and decorators can still change the context."
def conflict(request, reason):
    return TemplateResponse(request, "conflict.html", {"reason": reason}, status=409)

# %% exercise="05.6" role="mistake" says="The status is 200: a program, a cache and a search engine take the page for a success. Say `status=409`."
def conflict(request, reason):
    return render(request, "conflict.html", {"reason": reason})

# %% exercise="05.6" role="mistake" says="The fourth argument by position is the content type: the page has status 200 and the header `Content-Type: 409`. Give it by name."
def conflict(request, reason):
    return render(request, "conflict.html", {"reason": reason}, 409)

# %% exercise="05.6" role="mistake" says="Rendered without the request, no context processor runs: the name of the shop is missing."
def conflict(request, reason):
    return render(None, "conflict.html", {"reason": reason}, status=409)

# %% exercise="05.6" role="mistake" says="The reason does not reach the template: its name there is the key of the dictionary, `reason`."
def conflict(request, reason):
    return render(request, "conflict.html", {"message": reason}, status=409)

# %% exercise="05.6" role="hint"
# `render(request, template_name, context=None, content_type=None, status=None, using=None)`
# %% exercise="05.6" role="hint"
# The context processors run when `render` is given the request.

# %% [markdown] exercise="05.7"
# ### 05.7 Add to the page before it is text
#
# Write the decorator `with_notice(notice)` for views. A `TemplateResponse` that is not rendered yet gets `notice` into
# its context, under that name, unless the view has put one there itself. Every other response is left alone. A context
# may be missing.

# %% exercise="05.7" role="check"
def observe(answer):
    loaders = [("django.template.loaders.locmem.Loader", {"page.html": "<p>{{ notice }}</p>"})]
    engine = {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
    with override_settings(TEMPLATES=[engine]):
        return list(answers(answer, RequestFactory().get("/")))


def answers(answer, request):
    def page(context):
        return lambda request, slug: TemplateResponse(request, "page.html", context)

    def ready(request, slug):
        return TemplateResponse(request, "page.html", {"number": 1}).render()

    views = [page({"book": "Emma"}), page({"notice": "Closed."}), page({"notice": ""}), page(None), ready]
    views.append(lambda request, slug: HttpResponse("plain"))
    for view in views:
        reply = answer("Sale!")(view)(request, slug="emma")
        context = getattr(reply, "context_data", "none at all")
        yield type(reply).__name__, context, getattr(reply, "is_rendered", None)

# %% exercise="05.7" role="answer"
def with_notice(notice):
    # solution
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.context_data = {"notice": notice, **(response.context_data or {})}
            return response

        return wrapper

    return decorator
    # end


check("05.7")

# %% exercise="05.7" role="alternative" note="Asking for `context_data` instead of the class also serves responses of other libraries that behave like Django's, such as those of Django REST framework."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if hasattr(response, "context_data") and not response.is_rendered:
                if response.context_data is None:
                    response.context_data = {}
                response.context_data.setdefault("notice", notice)
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="The context of a `TemplateResponse` may be `None`: then this raises. Begin with an empty dictionary."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered and response.context_data:
                response.context_data.setdefault("notice", notice)
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="The notice of the view itself is overwritten. The page knows better: what is there stays."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.context_data = {**(response.context_data or {}), "notice": notice}
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="The response was rendered here, so nothing behind this decorator can change it any more. Set the context, and let Django render."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.context_data = {"notice": notice, **(response.context_data or {})}
                response.render()
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="A response that was rendered before is changed too. Its text stays as it was, and its context now tells tests something else."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.context_data = {"notice": notice, **(response.context_data or {})}
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="An empty notice is a notice that the view has put there itself, say to have none. Ask whether the name is in the context, not whether its value is true."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                context = response.context_data or {}
                response.context_data = {**context, "notice": context.get("notice") or notice}
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="mistake" says="Only the request is handed on: a view with an argument in its path, such as a slug, fails. Take `*args, **kwargs` and pass them on."
def with_notice(notice):
    def decorator(view):
        @wraps(view)
        def wrapper(request):
            response = view(request)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.context_data = {"notice": notice, **(response.context_data or {})}
            return response

        return wrapper

    return decorator

# %% exercise="05.7" role="hint"
# A decorator with an argument is a function that returns a decorator: three levels.
# %% exercise="05.7" role="hint"
# `response.is_rendered` and `response.context_data`; the latter is what the view passed, `None` included.

# %% [markdown] exercise="05.8"
# ### 05.8 An address that moved for good
#
# `/book/<pk>/` was the address of a book, and became `/books/<slug>/`. Write the view for the old one. A known book is
# a permanent redirect that keeps method, body and query (`?page=2`). A number that no book has is gone for good: 410.

# %% exercise="05.8" role="check"
def observe(answer):
    with uncounted():
        known = list(Book.objects.order_by("pk").values_list("pk", flat=True)[:2])
    seen = []

    class urls:
        books = [path("books/<slug:slug>/", answer, name="book"), path("", answer, name="home")]
        urlpatterns = [path("book/<int:pk>/", answer), path("", include((books, "storefront")))]

        def handler404(request, exception):
            return HttpResponse("not found", status=404)

    with override_settings(ROOT_URLCONF=urls, DEBUG=False, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        client = Client(raise_request_exception=False)
        for pk in [*known, 987_654]:
            for method in ("get", "post"):
                for query in ("", "?page=2&q=a%26b"):
                    reply = getattr(client, method)(f"/book/{pk}/{query}")
                    target = reply.headers.get("Location", "").removeprefix("http://testserver")
                    seen.append((pk, method, query, reply.status_code, target))
    return seen

# %% exercise="05.8" role="answer"
def old_book(request, pk):
    # solution
    book = Book.objects.filter(pk=pk).first()
    if book is None:
        return HttpResponseGone("This book is not sold any more.")
    query = request.META["QUERY_STRING"]
    url = f"{book.get_absolute_url()}?{query}" if query else book.get_absolute_url()
    return redirect(url, permanent=True, preserve_request=True)
    # end


check("05.8")

# %% exercise="05.8" role="alternative" note="The exception instead of a test for `None`, and the class that `redirect` would choose. Good where the two ends of the view are far apart."
def old_book(request, pk):
    try:
        url = Book.objects.get(pk=pk).get_absolute_url()
    except Book.DoesNotExist:
        return HttpResponse("Gone.", status=410)
    if request.GET:
        url += "?" + request.GET.urlencode()
    return HttpResponsePermanentRedirect(url, preserve_request=True)

# %% exercise="05.8" role="mistake" says="301: a form sent to the old address comes back as GET, without its data. `preserve_request=True` makes it 308."
def old_book(request, pk):
    book = Book.objects.filter(pk=pk).first()
    if book is None:
        return HttpResponseGone("This book is not sold any more.")
    query = request.META["QUERY_STRING"]
    url = f"{book.get_absolute_url()}?{query}" if query else book.get_absolute_url()
    return redirect(url, permanent=True)

# %% exercise="05.8" role="mistake" says="307 is for now: every visitor comes by the old address again and again. The address moved for good, so `permanent=True` as well."
def old_book(request, pk):
    book = Book.objects.filter(pk=pk).first()
    if book is None:
        return HttpResponseGone("This book is not sold any more.")
    query = request.META["QUERY_STRING"]
    url = f"{book.get_absolute_url()}?{query}" if query else book.get_absolute_url()
    return redirect(url, preserve_request=True)

# %% exercise="05.8" role="mistake" says="The query is lost: a redirect goes to the address that it is given, and to no more."
def old_book(request, pk):
    book = Book.objects.filter(pk=pk).first()
    if book is None:
        return HttpResponseGone("This book is not sold any more.")
    return redirect(book, permanent=True, preserve_request=True)

# %% exercise="05.8" role="mistake" says="404 leaves open whether the book comes back. Asked for was 410, which says that it does not."
def old_book(request, pk):
    book = get_object_or_404(Book, pk=pk)
    query = request.META["QUERY_STRING"]
    url = f"{book.get_absolute_url()}?{query}" if query else book.get_absolute_url()
    return redirect(url, permanent=True, preserve_request=True)

# %% exercise="05.8" role="mistake" says="A missing book is sent to the home page: a visitor wonders, and a search engine learns that the home page is that book."
def old_book(request, pk):
    book = Book.objects.filter(pk=pk).first()
    if book is None:
        return redirect("/")
    query = request.META["QUERY_STRING"]
    url = f"{book.get_absolute_url()}?{query}" if query else book.get_absolute_url()
    return redirect(url, permanent=True, preserve_request=True)

# %% exercise="05.8" role="hint"
# `redirect(url, permanent=True, preserve_request=True)` is 308; `HttpResponseGone` is 410.
# %% exercise="05.8" role="hint"
# What stands behind the `?` is `request.META["QUERY_STRING"]`.

# %% [markdown] exercise="05.9"
# ### 05.9 Come back, but only to us
#
# After a login the visitor goes to the address in `next`, from the form or else from the query. Return that address if
# it leads to this site (the host of the request), and over HTTPS where the request came over HTTPS; otherwise `/`.

# %% exercise="05.9" role="check"
def observe(answer):
    values = ["/cart/", "https://shop.example/cart/", "http://shop.example/cart/", "//evil.example/", "/\\evil.example/"]
    values += ["///evil.example", "https://evil.example/", "https://shop.example.evil.example/", "javascript:alert(1)"]
    values += ["", None, "https://evil.example/shop.example"]
    seen = []
    with override_settings(ALLOWED_HOSTS=["shop.example"]):
        for secure in (False, True):
            for value in values:
                for method in ("get", "post"):
                    data = {} if value is None else {"next": value}
                    ask = getattr(RequestFactory(headers={"host": "shop.example"}), method)
                    request = ask("/login/", data, secure=secure)
                    seen.append((secure, method, value, answer(request)))
        both = RequestFactory().post("/login/?next=/orders/", {"next": "/cart/"}, headers={"host": "shop.example"})
        query = RequestFactory().post("/login/?next=/orders/", {}, headers={"host": "shop.example"})
        seen += [answer(both), answer(query)]
    return seen

# %% exercise="05.9" role="answer"
def next_url(request):
    # solution
    url = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return url
    return "/"
    # end


check("05.9")

# %% exercise="05.9" role="alternative" note="Both places in a loop, the first safe one wins. It forgives a spoilt form where the query is fine; `LoginView` takes the form's value and stops there."
def next_url(request):
    for data in (request.POST, request.GET):
        url = data.get("next")
        if url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
            return url
    return "/"

# %% exercise="05.9" role="mistake" says="`//evil.example/` begins with a slash and is another host: the browser adds the scheme. Ask `url_has_allowed_host_and_scheme`."
def next_url(request):
    url = request.POST.get("next") or request.GET.get("next", "")
    return url if url.startswith("/") else "/"

# %% exercise="05.9" role="mistake" says="The name of the host may stand anywhere in somebody else's address: `https://shop.example.evil.example/`. The host as a whole has to be compared."
def next_url(request):
    url = request.POST.get("next") or request.GET.get("next", "")
    return url if request.get_host() in url or url_has_allowed_host_and_scheme(url, None) else "/"

# %% exercise="05.9" role="mistake" says="A visitor who came over HTTPS is sent on over HTTP, with the address readable on the way. `require_https=request.is_secure()`."
def next_url(request):
    url = request.POST.get("next") or request.GET.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}) else "/"

# %% exercise="05.9" role="mistake" says="Only paths are let through: an address of this site that names its host is refused. Pass the host of the request as allowed."
def next_url(request):
    url = request.POST.get("next") or request.GET.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts=None, require_https=request.is_secure()) else "/"

# %% exercise="05.9" role="mistake" says="Whatever the visitor brought is where they go: an open redirect. A mail with a link to your login page ends on somebody else's."
def next_url(request):
    return request.POST.get("next") or request.GET.get("next") or "/"

# %% exercise="05.9" role="hint"
# `django.utils.http.url_has_allowed_host_and_scheme(url, allowed_hosts, require_https=…)`
# %% exercise="05.9" role="hint"
# `request.get_host()` and `request.is_secure()` say what this site is, for this request.
