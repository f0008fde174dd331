# %%
from checks import check, hint, solution
from lab import get, start, trace

start()

# Django is set up now, so its models can be imported.
import asyncio
from datetime import date, datetime
from functools import wraps
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from catalog.models import Book
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed, PermissionDenied
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory, override_settings
from django.test.utils import override_script_prefix
from django.urls import NoReverseMatch, Resolver404, path, re_path, register_converter, resolve, reverse
from django.utils.decorators import sync_and_async_middleware

# %% [markdown] exercise="04.1"
# ### 04.1 Four patterns in the right order
#
# Write `urlpatterns` for the pages of a shop, all with the view `page`: `/books/` named `books`, `/books/new/` named `new`, a year of books as
# `/books/1813/` named `year`, where the view gets the integer `year`, and a book as `/books/emma/` named `book`, where it gets the `slug`.
# There is a book with the slug `1984-or-not`, and none whose slug is a number.

# %% exercise="04.1" role="check"
def observe(answer):
    patterns = tuple(answer.urlpatterns)
    seen = []
    urls = ["/books/", "/books/new/", "/books/1813/", "/books/emma/", "/books/1984-or-not/"]
    for url in [*urls, "/books", "/books/a/b/", "/books/new/er/", "/old/books/", "/old/books/new/"]:
        try:
            match = resolve(url, patterns)
            seen.append((url, match.url_name, match.kwargs))
        except Resolver404:
            seen.append((url, "no match", {}))
    for name, arguments in (("books", {}), ("new", {}), ("year", {"year": 1813}), ("book", {"slug": "emma"})):
        try:
            seen.append((name, reverse(name, patterns, kwargs=arguments)))
        except NoReverseMatch:
            seen.append((name, "no URL"))
    return seen

# %% exercise="04.1" role="answer"
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    # solution
    path("books/", page, name="books"),
    path("books/new/", page, name="new"),
    path("books/<int:year>/", page, name="year"),
    path("books/<slug:slug>/", page, name="book"),
    # end
]


check("04.1")

# %% exercise="04.1" role="alternative" note="Only the overlap decides: the list itself may come last, the slug must come after the two that it would swallow."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books/<int:year>/", page, name="year"),
    path("books/new/", page, name="new"),
    path("books/<slug:slug>/", page, name="book"),
    path("books/", page, name="books"),
]

# %% exercise="04.1" role="mistake" says="The slug comes first and takes `new` and `1813` as well: the first match wins. Put what is more particular above it."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books/", page, name="books"),
    path("books/<slug:slug>/", page, name="book"),
    path("books/new/", page, name="new"),
    path("books/<int:year>/", page, name="year"),
]

# %% exercise="04.1" role="mistake" says="`re_path` gives the year as text. A converter gives an integer: `<int:year>`."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books/", page, name="books"),
    path("books/new/", page, name="new"),
    re_path(r"^books/(?P<year>[0-9]+)/$", page, name="year"),
    path("books/<slug:slug>/", page, name="book"),
]

# %% exercise="04.1" role="mistake" says="The patterns have no slash at the end, the URLs do: nothing matches. A redirect goes from no slash to a slash, not back."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books", page, name="books"),
    path("books/new", page, name="new"),
    path("books/<int:year>", page, name="year"),
    path("books/<slug:slug>", page, name="book"),
]

# %% exercise="04.1" role="mistake" says="`path` as a converter takes slashes too, so `/books/a/b/` counts as a book."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books/", page, name="books"),
    path("books/new/", page, name="new"),
    path("books/<int:year>/", page, name="year"),
    path("books/<path:slug>/", page, name="book"),
]

# %% exercise="04.1" role="mistake" says="A `re_path` without `^` and `$` searches anywhere: `/old/books/new/` and `/books/new/er/` are found as well. `path` matches the whole."
def page(request, **kwargs):
    return HttpResponse(str(kwargs))


urlpatterns = [
    path("books/", page, name="books"),
    re_path(r"books/new/", page, name="new"),
    path("books/<int:year>/", page, name="year"),
    path("books/<slug:slug>/", page, name="book"),
]

# %% exercise="04.1" role="hint"
# Which of the four would also take another one's URL?
# %% exercise="04.1" role="hint"
# `<slug:slug>` matches `new` and `1813`: it comes after both.

# %% [markdown] exercise="04.2"
# ### 04.2 A converter for months
#
# Write a `MonthConverter`, so that `archive/<month:month>/` takes `/archive/2026-06/` and gives the view `date(2026, 6, 1)`. Four digits, a hyphen, two
# digits, and nothing else; a month that does not exist, such as `2026-13`, is no match. `reverse()` with a date gives the URL back.

# %% exercise="04.2" role="check"
def observe(answer):
    register_converter(answer, "month")
    patterns = (path("archive/<month:month>/", HttpResponse, name="archive"),)
    seen = []
    for text in ("2026-06", "2026-12", "2026-13", "2026-6", "26-06", "2026-06-01"):
        try:
            seen.append((text, resolve(f"/archive/{text}/", patterns).kwargs))
        except Resolver404:
            seen.append((text, "no match"))
    for day in (date(2026, 6, 1), date(1813, 1, 28)):
        try:
            seen.append((day, reverse("archive", patterns, args=[day])))
        except NoReverseMatch:
            seen.append((day, "no URL"))
    return seen

# %% exercise="04.2" role="answer"
class MonthConverter:
    # solution
    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value):
        year, month = value.split("-")
        return date(int(year), int(month), 1)

    def to_url(self, value):
        return f"{value:%Y-%m}"
    # end


check("04.2")

# %% exercise="04.2" role="alternative" note="`strptime` reads and checks in one step. It would take `2026-6` as well, so the pattern has to be strict."
class MonthConverter:
    regex = r"\d{4}-\d{2}"

    def to_python(self, value):
        return datetime.strptime(value, "%Y-%m").date()

    def to_url(self, value):
        return f"{value.year:04}-{value.month:02}"

# %% exercise="04.2" role="mistake" says="The view gets text. What `to_python` returns is what the view gets: make a date of it."
class MonthConverter:
    regex = "[0-9]{4}-(0[1-9]|1[0-2])"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return f"{value:%Y-%m}"

# %% exercise="04.2" role="mistake" says="A month that does not exist reaches the view as None. Let the `ValueError` out: it tells Django that this is no match."
class MonthConverter:
    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value):
        try:
            return datetime.strptime(value, "%Y-%m").date()
        except ValueError:
            return None

    def to_url(self, value):
        return f"{value:%Y-%m}"

# %% exercise="04.2" role="mistake" says="`to_url` writes `2026-6`, which the pattern refuses: `reverse()` finds no URL. Both directions must agree, so pad the month."
class MonthConverter:
    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value):
        return datetime.strptime(value, "%Y-%m").date()

    def to_url(self, value):
        return f"{value.year}-{value.month}"

# %% exercise="04.2" role="mistake" says="`[0-9]+-[0-9]+` takes `2026-6` too, and two addresses for one page: say how many digits."
class MonthConverter:
    regex = "[0-9]+-[0-9]+"

    def to_python(self, value):
        year, month = value.split("-")
        return date(int(year), int(month), 1)

    def to_url(self, value):
        return f"{value:%Y-%m}"

# %% exercise="04.2" role="hint"
# A converter has `regex`, `to_python(value)` and `to_url(value)`. The regular expression has no `^`, no `$` and no group of its own.
# %% exercise="04.2" role="hint"
# `date(2026, 13, 1)` raises `ValueError`, which is what Django wants to hear.

# %% [markdown] exercise="04.3"
# ### 04.3 A link with a query
#
# Return the URL of the catalogue (`storefront:catalogue`) with the search text `q` and the number of the `page`. An empty text and page 1 do not show up
# in the URL; on later pages the fragment is `results`. For `"war & peace"` and 2 that is `/catalogue/?q=war+%26+peace&page=2#results`. The site may be
# mounted below a prefix.

# %% exercise="04.3" role="check"
def observe(answer):
    seen = [answer(q, page) for q, page in (("", 1), ("emma", 1), ("", 3), ("war & peace", 2), ("#1?", 1), ("Čapek", 2))]
    with override_script_prefix("/shop/"):
        seen.append(answer("emma", 1))
    return seen

# %% exercise="04.3" role="answer" seconds=20
def catalogue_url(q, page):
    # solution
    query = {"q": q} if q else {}
    if page == 1:
        return reverse("storefront:catalogue", query=query)
    return reverse("storefront:catalogue", query=query | {"page": page}, fragment="results")
    # end


check("04.3")

# %% exercise="04.3" role="alternative" note="Before Django 5.2 the query had to be put on by hand, with `urlencode`. You still meet it, and it is as right."
def catalogue_url(q, page):
    query = {name: value for name, value in (("q", q), ("page", page)) if value not in ("", 1)}
    url = reverse("storefront:catalogue")
    if query:
        url += f"?{urlencode(query)}"
    return f"{url}#results" if page > 1 else url

# %% exercise="04.3" role="mistake" says="The text goes into the URL as it is: `&` starts another parameter and `#` ends the query. `query=` escapes it."
def catalogue_url(q, page):
    parts = ([f"q={q}"] if q else []) + ([f"page={page}"] if page > 1 else [])
    url = reverse("storefront:catalogue")
    if parts:
        url += "?" + "&".join(parts)
    return f"{url}#results" if page > 1 else url

# %% exercise="04.3" role="mistake" says="The path is written down, so below a prefix the link leaves the site. `reverse()` knows the prefix."
def catalogue_url(q, page):
    query = {name: value for name, value in (("q", q), ("page", page)) if value not in ("", 1)}
    url = "/catalogue/"
    if query:
        url += f"?{urlencode(query)}"
    return f"{url}#results" if page > 1 else url

# %% exercise="04.3" role="mistake" says="An empty search and page 1 are in the URL: one page, several addresses."
def catalogue_url(q, page):
    return reverse("storefront:catalogue", query={"q": q, "page": page}, fragment="results" if page > 1 else None)

# %% exercise="04.3" role="mistake" says="The query is inside the fragment: what follows `#` is never sent to the server. The query comes first."
def catalogue_url(q, page):
    query = {name: value for name, value in (("q", q), ("page", page)) if value not in ("", 1)}
    url = reverse("storefront:catalogue")
    if page > 1:
        url += "#results"
    return f"{url}?{urlencode(query)}" if query else url

# %% exercise="04.3" role="hint"
# Since 5.2 `reverse()` takes `query=` and `fragment=`.
# %% exercise="04.3" role="hint"
# An empty dictionary as query leaves no `?` behind.

# %% [markdown] exercise="04.4"
# ### 04.4 Between the view and its template
#
# Write a decorator `with_notice` for views. Where a view answers with a `TemplateResponse` that is not rendered yet, its context gets
# `notice` with the text "Closed on Mondays", unless the view has put a `notice` there itself. Any other response goes through as it is. The decorated view
# keeps its name, and what it gets from its URL.

# %% exercise="04.4" role="check"
def observe(answer):
    template = engines["django"].from_string("[{{ notice }}|{{ title }}]")
    views = {
        "context": lambda request: TemplateResponse(request, template, {"title": "Emma"}),
        "own": lambda request: TemplateResponse(request, template, {"notice": "Open today"}),
        "none": lambda request: TemplateResponse(request, template),
        "plain": lambda request: HttpResponse("text"),
        "ready": lambda request: TemplateResponse(request, template, {"title": "Emma"}).render(),
    }
    seen = []
    for name, view in views.items():
        view.__name__ = name
        decorated = answer(view)
        response = decorated(RequestFactory().get("/"))
        seen.append((decorated.__name__, getattr(response, "is_rendered", None)))
        if hasattr(response, "context_data"):
            seen.append(sorted((response.context_data or {}).items()))
        with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("", decorated),)):
            seen.append(Client().get("/").content.decode())

    def book(request, slug):
        return TemplateResponse(request, template, {"title": slug})

    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("<slug:slug>/", answer(book)),)):
        response = Client(raise_request_exception=False).get("/emma/")
    seen.append(("/emma/", response.status_code, response.content.decode() if response.status_code == 200 else ""))
    return seen

# %% exercise="04.4" role="answer" seconds=20
def with_notice(view):
    # solution
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.context_data = {"notice": "Closed on Mondays", **(response.context_data or {})}
        return response

    return wrapper
    # end


check("04.4")

# %% exercise="04.4" role="alternative" note="By what it can do, not by its class: so the handler recognises it too. It also serves `SimpleTemplateResponse`."
def with_notice(view):
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if getattr(response, "is_rendered", True):
            return response
        if response.context_data is None:
            response.context_data = {}
        response.context_data.setdefault("notice", "Closed on Mondays")
        return response

    return wraps(view)(wrapper)

# %% exercise="04.4" role="mistake" says="The response is rendered first: then the context is of no use any more. Change it while it is still a template and a context."
def with_notice(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.render()
            response.context_data = {"notice": "Closed on Mondays", **(response.context_data or {})}
        return response

    return wrapper

# %% exercise="04.4" role="mistake" says="What the view said itself is overwritten. The view knows better: put yours there only if there is none."
def with_notice(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.context_data = {**(response.context_data or {}), "notice": "Closed on Mondays"}
        return response

    return wrapper

# %% exercise="04.4" role="mistake" says="A `TemplateResponse` without a context has None there, and gets no notice from you."
def with_notice(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if getattr(response, "context_data", None) is not None and not response.is_rendered:
            response.context_data.setdefault("notice", "Closed on Mondays")
        return response

    return wrapper

# %% exercise="04.4" role="mistake" says="The decorated view is called `wrapper`. Debug pages and traces show that name: `functools.wraps` keeps the view's."
def with_notice(view):
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.context_data = {"notice": "Closed on Mondays", **(response.context_data or {})}
        return response

    return wrapper

# %% exercise="04.4" role="mistake" says="The wrapper takes a request and no more, so a view with a `slug` in its URL fails. Pass `*args` and `**kwargs` on."
def with_notice(view):
    @wraps(view)
    def wrapper(request):
        response = view(request)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.context_data = {"notice": "Closed on Mondays", **(response.context_data or {})}
        return response

    return wrapper

# %% exercise="04.4" role="hint"
# `response.is_rendered` tells whether it is too late, `response.context_data` is the context, or None.
# %% exercise="04.4" role="hint"
# `{"notice": …, **context}` keeps the value that is in the context already.

# %% [markdown] exercise="04.5"
# ### 04.5 Be the server
#
# Write what a WSGI server does: call `application` with `environ` and a function `start_response(status, headers)`, collect the parts of the body, and **close**
# the response when all is sent, and also when a part fails. The application need not be Django's; its responses have a `close`. Return the number of the status and the body as bytes.

# %% exercise="04.5" role="check"
def observe(answer):
    log = []

    def parts(request):
        for part in ("Good ", "morning"):
            log.append(part)
            yield part

    def broken(request):
        yield "Good "
        raise OSError("the disk is gone")

    def finished(**kwargs):
        log.append("request_finished")

    patterns = (
        path("page/", lambda request: HttpResponse("a page", status=201)),
        path("stream/", lambda request: StreamingHttpResponse(parts(request))),
        path("broken/", lambda request: StreamingHttpResponse(broken(request))),
    )
    request_finished.connect(finished)
    seen = []
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=patterns):
        for url in ("/page/", "/stream/", "/broken/"):
            try:
                seen.append((url, answer(WSGIHandler(), RequestFactory().get(url).environ)))
            except OSError:
                seen.append((url, "OSError"))
            seen.append(list(log))
            log.clear()
    request_finished.disconnect(finished)

    class Body(list):
        def close(self):
            log.append("closed")

    def another(environ, start_response):
        start_response("203 Non-Authoritative Information", [("Content-Type", "text/plain")])
        return Body([b"not ", b"Django"])

    try:
        seen.append((answer(another, RequestFactory().get("/").environ), log))
    except AttributeError:
        seen.append("Only Django's responses are served.")
    return seen

# %% exercise="04.5" role="answer" seconds=20
def serve_once(application, environ):
    # solution
    statuses = []
    response = application(environ, lambda status, headers: statuses.append(status))
    try:
        body = b"".join(response)
    finally:
        response.close()
    return int(statuses[0].split()[0]), body
    # end


check("04.5")

# %% exercise="04.5" role="alternative" note="`contextlib.closing` says the same in one word. A server that is not only for Django asks first whether there is a `close`: WSGI does not demand one."
def serve_once(application, environ):
    from contextlib import closing

    started = {}

    def start_response(status, headers, exc_info=None):
        started["status"] = int(status[:3])

    with closing(application(environ, start_response)) as response:
        body = b"".join(response)
    return started["status"], body

# %% exercise="04.5" role="mistake" says="Nobody closes the response: `request_finished` is never sent, and what hangs on it, database connections first, stays open."
def serve_once(application, environ):
    statuses = []
    response = application(environ, lambda status, headers: statuses.append(status))
    return int(statuses[0].split()[0]), b"".join(response)

# %% exercise="04.5" role="mistake" says="When a part of the body fails, the response stays open: closing belongs into `finally`."
def serve_once(application, environ):
    statuses = []
    response = application(environ, lambda status, headers: statuses.append(status))
    body = b"".join(response)
    response.close()
    return int(statuses[0].split()[0]), body

# %% exercise="04.5" role="mistake" says="It is closed before the body is read. A stream has made nothing yet, and works without what was let go of."
def serve_once(application, environ):
    statuses = []
    response = application(environ, lambda status, headers: statuses.append(status))
    response.close()
    return int(statuses[0].split()[0]), b"".join(response)

# %% exercise="04.5" role="mistake" says="The status comes as text with its reason, `201 Created`. Asked for is the number."
def serve_once(application, environ):
    statuses = []
    response = application(environ, lambda status, headers: statuses.append(status))
    try:
        body = b"".join(response)
    finally:
        response.close()
    return statuses[0], body

# %% exercise="04.5" role="mistake" says="`status_code` is an attribute of Django's responses. What WSGI promises is the call of `start_response` and something to iterate over, so another application fails."
def serve_once(application, environ):
    response = application(environ, lambda status, headers: None)
    try:
        return response.status_code, b"".join(response)
    finally:
        response.close()

# %% exercise="04.5" role="hint"
# `application(environ, start_response)` returns something to iterate over; the status arrives through `start_response`.
# %% exercise="04.5" role="hint"
# `try: b"".join(response)`, and `response.close()` in `finally`.

# %% [markdown] exercise="04.6"
# ### 04.6 One middleware for both kinds of servers
#
# Write a middleware `tagged`: `request.tag` is the request's header `X-Tag`, or `"-"` where it has none, and the response gets it as its header `X-Tag`, unless the
# view has set one. It must work around a synchronous and around an asynchronous `get_response`, without a thread for either, and serve many requests at
# once. The decorator tells Django that it does; which of the two it is this time, `get_response` tells you.

# %% exercise="04.6" role="check"
from unittest import mock

from asgiref.sync import SyncToAsync


def observe(answer):
    def respond(request):
        return HttpResponse(request.tag, headers={"X-Tag": "the view's"} if "own" in request.GET else {})

    async def arespond(request):
        await asyncio.sleep(0.02)
        return respond(request)

    def ask(tag, query=""):
        return RequestFactory().get(f"/?{query}", headers={"x-tag": tag} if tag else {})

    def told(response):
        return response.content.decode(), response["X-Tag"]

    requests = [ask("mira"), ask("tomas"), ask(""), ask("anna", "own")]
    seen = [getattr(answer, "sync_capable", True), getattr(answer, "async_capable", False)]
    middleware = answer(respond)
    seen += [iscoroutinefunction(middleware), [told(middleware(request)) for request in requests]]
    middleware = answer(arespond)
    seen.append(iscoroutinefunction(middleware))

    call, hops = SyncToAsync.__call__, []

    async def counting(self, *args, **kwargs):
        hops.append(self)
        return await call(self, *args, **kwargs)

    async def at_once():
        return await asyncio.gather(*[middleware(request) for request in requests])

    with mock.patch.object(SyncToAsync, "__call__", counting):
        responses = asyncio.run(at_once())
    return [*seen, [told(response) for response in responses], f"{len(hops)} times into a thread"]

# %% exercise="04.6" role="answer"
@sync_and_async_middleware
def tagged(get_response):
    # solution
    def tag(request):
        request.tag = request.headers.get("X-Tag", "-")

    def mark(request, response):
        response.headers.setdefault("X-Tag", request.tag)
        return response

    async def asynchronous(request):
        tag(request)
        return mark(request, await get_response(request))

    def synchronous(request):
        tag(request)
        return mark(request, get_response(request))

    return asynchronous if iscoroutinefunction(get_response) else synchronous
    # end


check("04.6")

# %% exercise="04.6" role="alternative" note="As a class, which may be inherited from and have hooks. `markcoroutinefunction` tells Django that calling the instance gives a coroutine."
class tagged:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        request.tag = request.headers.get("X-Tag", "-")
        if iscoroutinefunction(self):
            return self.acall(request)
        return self.mark(request, self.get_response(request))

    async def acall(self, request):
        return self.mark(request, await self.get_response(request))

    def mark(self, request, response):
        response.headers.setdefault("X-Tag", request.tag)
        return response

# %% exercise="04.6" role="mistake" says="Under an asynchronous server `get_response` gives a coroutine, and a coroutine has no headers: await it in a function of its own."
@sync_and_async_middleware
def tagged(get_response):
    def middleware(request):
        request.tag = request.headers.get("X-Tag", "-")
        response = get_response(request)
        response.headers.setdefault("X-Tag", request.tag)
        return response

    return middleware

# %% exercise="04.6" role="mistake" says="It works both ways and says so to nobody: without the marks Django takes it for synchronous, and puts it into a thread."
def tagged(get_response):
    def mark(request, response):
        response.headers.setdefault("X-Tag", request.tag)
        return response

    async def asynchronous(request):
        request.tag = request.headers.get("X-Tag", "-")
        return mark(request, await get_response(request))

    def synchronous(request):
        request.tag = request.headers.get("X-Tag", "-")
        return mark(request, get_response(request))

    return asynchronous if iscoroutinefunction(get_response) else synchronous

# %% exercise="04.6" role="mistake" says="The tag is kept on the middleware, of which there is one for all requests: under load, people get each other's. Keep it on the request."
class tagged:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        self.tag = request.tag = request.headers.get("X-Tag", "-")
        if iscoroutinefunction(self):
            return self.acall(request)
        return self.mark(self.get_response(request))

    async def acall(self, request):
        return self.mark(await self.get_response(request))

    def mark(self, response):
        response.headers.setdefault("X-Tag", self.tag)
        return response

# %% exercise="04.6" role="mistake" says="The header of the view is overwritten: `setdefault` leaves it."
@sync_and_async_middleware
def tagged(get_response):
    def mark(request, response):
        response.headers["X-Tag"] = request.tag
        return response

    async def asynchronous(request):
        request.tag = request.headers.get("X-Tag", "-")
        return mark(request, await get_response(request))

    def synchronous(request):
        request.tag = request.headers.get("X-Tag", "-")
        return mark(request, get_response(request))

    return asynchronous if iscoroutinefunction(get_response) else synchronous

# %% exercise="04.6" role="mistake" says="The class is not marked as giving a coroutine: Django would call it as a synchronous one and find a coroutine in its hand. Call `markcoroutinefunction(self)`."
class tagged:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.tag = request.headers.get("X-Tag", "-")
        if iscoroutinefunction(self.get_response):
            return self.acall(request)
        return self.mark(request, self.get_response(request))

    async def acall(self, request):
        return self.mark(request, await self.get_response(request))

    def mark(self, request, response):
        response.headers.setdefault("X-Tag", request.tag)
        return response

# %% exercise="04.6" role="mistake" says="`MiddlewareMixin` fits both kinds of servers, but on an asynchronous one it sends each of its two methods to a thread, for every request. Write both ways yourself."
from django.utils.deprecation import MiddlewareMixin


class tagged(MiddlewareMixin):
    def process_request(self, request):
        request.tag = request.headers.get("X-Tag", "-")

    def process_response(self, request, response):
        response.headers.setdefault("X-Tag", request.tag)
        return response

# %% exercise="04.6" role="hint"
# `iscoroutinefunction(get_response)` tells which kind of server it is, once, when the chain is built.
# %% exercise="04.6" role="hint"
# Two inner functions, one with `async def` and `await get_response(request)`; the factory returns one of them.

# %% [markdown] exercise="04.7"
# ### 04.7 Close the shop
#
# Write a middleware `closing_time` that answers 503 with the header `Retry-After: 300` while the setting `MAINTENANCE_MODE` is True. What lies below `/health/` is answered as
# ever. No view may run for the others. Where the setting is False when the chain is built, the middleware leaves itself out, so that no request pays for it.

# %% exercise="04.7" role="check"
def observe(answer):
    called = []

    def get_response(request):
        called.append(request.path)
        return HttpResponse("a page")

    seen = []
    for on in (True, False):
        with override_settings(MAINTENANCE_MODE=on):
            try:
                middleware = answer(get_response)
            except MiddlewareNotUsed:
                seen.append("left out")
                continue
            for url in ("/", "/health/live/", "/books/health/", "/healthy-recipes/"):
                response = middleware(RequestFactory().get(url))
                seen.append((url, response.status_code, response.headers.get("Retry-After")))
    return [*seen, called]

# %% exercise="04.7" role="answer"
def closing_time(get_response):
    # solution
    if not settings.MAINTENANCE_MODE:
        raise MiddlewareNotUsed

    def middleware(request):
        if request.path_info.startswith("/health/"):
            return get_response(request)
        return HttpResponse("Back soon.", status=503, headers={"Retry-After": "300"})

    return middleware
    # end


check("04.7")

# %% exercise="04.7" role="alternative" note="As a class: the place for it is `__init__`, which runs when the chain is built. Choose it when there will be hooks."
class closing_time:
    def __init__(self, get_response):
        if not settings.MAINTENANCE_MODE:
            raise MiddlewareNotUsed("The shop is open.")
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info.startswith("/health/"):
            return self.get_response(request)
        return HttpResponse(status=503, headers={"Retry-After": 300})

# %% exercise="04.7" role="mistake" says="The view runs first, and its answer is thrown away: orders are taken in a closed shop. Answer without calling `get_response`."
def closing_time(get_response):
    if not settings.MAINTENANCE_MODE:
        raise MiddlewareNotUsed

    def middleware(request):
        response = get_response(request)
        if request.path_info.startswith("/health/"):
            return response
        return HttpResponse("Back soon.", status=503, headers={"Retry-After": "300"})

    return middleware

# %% exercise="04.7" role="mistake" says="The setting is asked for each request. Raise `MiddlewareNotUsed` when the chain is built, and the layer is gone."
def closing_time(get_response):
    def middleware(request):
        if not settings.MAINTENANCE_MODE or request.path_info.startswith("/health/"):
            return get_response(request)
        return HttpResponse("Back soon.", status=503, headers={"Retry-After": "300"})

    return middleware

# %% exercise="04.7" role="mistake" says="`in` finds `/health/` anywhere: `/books/health/` stays open. Compare the beginning."
def closing_time(get_response):
    if not settings.MAINTENANCE_MODE:
        raise MiddlewareNotUsed

    def middleware(request):
        if "/health/" in request.path_info:
            return get_response(request)
        return HttpResponse("Back soon.", status=503, headers={"Retry-After": "300"})

    return middleware

# %% exercise="04.7" role="mistake" says="Without `Retry-After` neither browsers nor search engines know that it is for a while."
def closing_time(get_response):
    if not settings.MAINTENANCE_MODE:
        raise MiddlewareNotUsed

    def middleware(request):
        if request.path_info.startswith("/health/"):
            return get_response(request)
        return HttpResponse("Back soon.", status=503)

    return middleware

# %% exercise="04.7" role="hint"
# What is in the factory runs once, what is in the inner function for each request.
# %% exercise="04.7" role="hint"
# `raise MiddlewareNotUsed` in the factory; `HttpResponse(status=503, headers={…})` in the function.

# %% [markdown] exercise="04.8"
# ### 04.8 One exception, one answer
#
# Views raise `OutOfStock`, wherever they are. Write `OutOfStockMiddleware`, so that it becomes JSON `{"detail": "Emma is out of stock"}` with status 409, where the text is the
# exception's. All other exceptions, and all other responses, stay what they are.

# %% exercise="04.8" role="check"
def observe(answer):
    def sold_out(request):
        raise answer.OutOfStock("Emma is out of stock")

    def too_many(request):
        raise answer.OutOfStock("Two copies of We are left")

    def broken(request):
        raise KeyError("emma")

    def denied(request):
        raise PermissionDenied

    patterns = (
        path("sold-out/", sold_out),
        path("too-many/", too_many),
        path("broken/", broken),
        path("denied/", denied),
        path("own-409/", lambda request: HttpResponse("taken", status=409)),
        path("page/", lambda request: HttpResponse("a page")),
    )
    seen = []
    with override_settings(DEBUG=True, MIDDLEWARE=["__main__.OutOfStockMiddleware"], ROOT_URLCONF=patterns):
        client = Client(raise_request_exception=False)
        for url in ("sold-out", "too-many", "broken", "denied", "own-409", "page"):
            response = client.get(f"/{url}/")
            text = response.content.decode() if response.status_code in (200, 409) else ""
            seen.append((url, response.status_code, response["Content-Type"].partition(";")[0], text))
    return seen

# %% exercise="04.8" role="answer" seconds=20
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    # solution
    def process_exception(self, request, exception):
        if isinstance(exception, OutOfStock):
            return JsonResponse({"detail": str(exception)}, status=409)
        return None
    # end


check("04.8")

# %% exercise="04.8" role="alternative" note="A function is middleware as well, and may carry the hook as an attribute. Rare; a class says it more plainly."
class OutOfStock(Exception):
    pass


def OutOfStockMiddleware(get_response):
    def middleware(request):
        return get_response(request)

    def process_exception(request, exception):
        return JsonResponse({"detail": str(exception)}, status=409) if isinstance(exception, OutOfStock) else None

    middleware.process_exception = process_exception
    return middleware

# %% exercise="04.8" role="mistake" says="`get_response` never raises what a view raised: it has become a 500 by then. Use `process_exception`."
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        except OutOfStock as error:
            return JsonResponse({"detail": str(error)}, status=409)

# %% exercise="04.8" role="mistake" says="Every exception becomes a 409: faults in the code look like sold-out books, and nobody is told. Return None for what is not yours."
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        return JsonResponse({"detail": str(exception)}, status=409)

# %% exercise="04.8" role="mistake" says="The status is 200: a program that asks takes it for a success. Say `status=409`."
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, OutOfStock):
            return JsonResponse({"detail": str(exception)})
        return None

# %% exercise="04.8" role="mistake" says="Every 500 becomes a 409 here: the status alone does not tell which exception it was. The exception comes to `process_exception`."
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 500:
            return JsonResponse({"detail": "Emma is out of stock"}, status=409)
        return response

# %% exercise="04.8" role="mistake" says="The text is written down, so every exception says that Emma is out of stock. What happened is in the exception: `str(exception)`."
class OutOfStock(Exception):
    pass


class OutOfStockMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, OutOfStock):
            return JsonResponse({"detail": "Emma is out of stock"}, status=409)
        return None

# %% exercise="04.8" role="hint"
# A `try` in `__call__` sees no exception of a view. Which hook gets it?
# %% exercise="04.8" role="hint"
# `process_exception(self, request, exception)` returns a response, or None for "not mine".
