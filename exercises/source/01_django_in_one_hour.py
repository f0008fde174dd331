# %%
from checks import check, hint, solution
from lab import get, queries, show, start

start()

# Django is set up now, so its models can be imported.
from catalog.models import Book, Genre
from django.apps import apps
from django.http import Http404, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import Resolver404, path, resolve
from django.utils.html import format_html, format_html_join
from django.views import View
from django.views.decorators.http import require_GET

# %% [markdown] exercise="01.1"
# ### 01.1 One endpoint
#
# Write the view `book(request, slug)`. It answers GET with JSON, `{"title": …, "author": …}`; a slug that no book has gives 404;
# every other method gives 405. One query.

# %% exercise="01.1" role="check"
def observe(answer):
    seen = []
    with override_settings(ROOT_URLCONF=(path("books/<slug:slug>/", answer),)):
        client = Client(raise_request_exception=False)
        for slug in ("emma", "poems-3", "emm", "no-such-book"):
            reply = client.get(f"/books/{slug}/")
            seen.append((slug, reply.status_code, reply.json() if reply.status_code == 200 else ""))
        for method in ("post", "delete"):
            seen.append((method, getattr(client, method)("/books/emma/").status_code))
    return seen

# %% exercise="01.1" role="answer" budget=4
@require_GET
def book(request, slug):
    # solution
    found = get_object_or_404(Book.objects.select_related("author"), slug=slug)
    return JsonResponse({"title": found.title, "author": found.author.name})
    # end


check("01.1")

# %% exercise="01.1" role="alternative" note="Only the two columns that the page needs, and the 404 by hand. `get_object_or_404` says the same in one line, with whole objects."
def book(request, slug):
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    found = Book.objects.filter(slug=slug).values_list("title", "author__name").first()
    if found is None:
        raise Http404
    return JsonResponse({"title": found[0], "author": found[1]})

# %% exercise="01.1" role="mistake" says="A path of Django leads to a view for every method: POST and DELETE get the book too. Refuse them with `require_GET`."
def book(request, slug):
    found = get_object_or_404(Book.objects.select_related("author"), slug=slug)
    return JsonResponse({"title": found.title, "author": found.author.name})

# %% exercise="01.1" role="mistake" says="`get()` raises `Book.DoesNotExist`, and that is an error of the server, 500. Only `Http404` becomes a 404: `get_object_or_404` raises it for you."
@require_GET
def book(request, slug):
    found = Book.objects.select_related("author").get(slug=slug)
    return JsonResponse({"title": found.title, "author": found.author.name})

# %% exercise="01.1" role="mistake" says="An answer with the word 404 in it still has the status 200. Raise `Http404`, or return a response with `status=404`."
@require_GET
def book(request, slug):
    found = Book.objects.select_related("author").filter(slug=slug).first()
    if found is None:
        return JsonResponse({"error": 404})
    return JsonResponse({"title": found.title, "author": found.author.name})

# %% exercise="01.1" role="mistake" says="`found.author` asks the database again for every book. `select_related(\"author\")` brings it in the same query."
@require_GET
def book(request, slug):
    found = get_object_or_404(Book, slug=slug)
    return JsonResponse({"title": found.title, "author": found.author.name})

# %% exercise="01.1" role="hint"
# `django.shortcuts` has a function that fetches one object or raises what becomes a 404.
# %% exercise="01.1" role="hint"
# `@require_GET` above the view answers 405 to all the rest.

# %% [markdown] exercise="01.2"
# ### 01.2 What is in the box
#
# Return a dictionary from the label of each installed app of Django's own (those named `django.contrib.…`) to the sorted names of its
# models. An app without models has an empty list.

# %% exercise="01.2" role="answer"
def in_the_box():
    # solution
    return {
        app.label: sorted(model.__name__ for model in app.get_models())
        for app in apps.get_app_configs()
        if app.name.startswith("django.contrib.")
    }
    # end


check("01.2")

# %% exercise="01.2" role="alternative" note="The same from the other side, through all models. It has to begin with an empty list for each app, because one without models never comes up."
def in_the_box():
    box = {app.label: [] for app in apps.get_app_configs() if app.name.startswith("django.contrib.")}
    for model in apps.get_models():
        if model._meta.app_label in box:
            box[model._meta.app_label].append(model.__name__)
    return {label: sorted(names) for label, names in box.items()}

# %% exercise="01.2" role="mistake" says="The bookshop's own apps are in it as well. Django's own are named `django.contrib.…`."
def in_the_box():
    return {app.label: sorted(model.__name__ for model in app.get_models()) for app in apps.get_app_configs()}

# %% exercise="01.2" role="mistake" says="The keys are names, such as `django.contrib.auth`. The label is the last part: it begins the names of tables and permissions."
def in_the_box():
    return {
        app.name: sorted(model.__name__ for model in app.get_models())
        for app in apps.get_app_configs()
        if app.name.startswith("django.contrib.")
    }

# %% exercise="01.2" role="mistake" says="An app without models is missing: messages and staticfiles are installed for what they do, not for tables."
def in_the_box():
    box = {}
    for model in apps.get_models():
        if model.__module__.startswith("django.contrib."):
            box.setdefault(model._meta.app_label, []).append(model.__name__)
    return {label: sorted(names) for label, names in box.items()}

# %% exercise="01.2" role="mistake" says="`include_auto_created=True` adds the tables in the middle of many-to-many relations. Nobody wrote those as models."
def in_the_box():
    return {
        app.label: sorted(model.__name__ for model in app.get_models(include_auto_created=True))
        for app in apps.get_app_configs()
        if app.name.startswith("django.contrib.")
    }

# %% exercise="01.2" role="hint"
# `apps.get_app_configs()` gives one object for each installed app, with a `name` and a `label`.
# %% exercise="01.2" role="hint"
# Each of these objects has `get_models()`.

# %% [markdown] exercise="01.3"
# ### 01.3 Whom the framework finds
#
# Return `(name, arguments)` of the URL pattern that matches a path: `("book", {"slug": "emma"})` for `/books/emma/`. A path that
# nothing matches gives `None`, and so does one without the slash at its end.

# %% exercise="01.3" role="answer" seconds=20 calls=[["/books/emma/"], ["/"], ["/authors/jane-austen/"], ["/authors/jane-austen/books/"], ["/nowhere/at/all/"], ["/books/emma"]]
def found(url):
    # solution
    try:
        match = resolve(url)
    except Resolver404:
        return None
    return match.url_name, match.kwargs
    # end


check("01.3")

# %% exercise="01.3" role="alternative" note="`Resolver404` is a kind of `Http404`, so the wider class catches it too. The narrow one says what is expected."
def found(url):
    try:
        match = resolve(url)
    except Http404:
        return None
    return match.url_name, match.kwargs

# %% exercise="01.3" role="mistake" says="For a path that nothing matches, `resolve` raises `Resolver404` instead of returning `None`."
def found(url):
    match = resolve(url)
    return match.url_name, match.kwargs

# %% exercise="01.3" role="mistake" says="That is the module where the view is written. The name of the pattern is `url_name`, and what `reverse` and `{% url %}` ask for."
def found(url):
    try:
        match = resolve(url)
    except Resolver404:
        return None
    return match.func.__module__, match.kwargs

# %% exercise="01.3" role="mistake" says="That is the name of the view's function. It often equals the name of the pattern, and a class-based view shows that it need not: ask for `url_name`."
def found(url):
    try:
        match = resolve(url)
    except Resolver404:
        return None
    return match.func.__name__, match.kwargs

# %% exercise="01.3" role="mistake" says="`view_name` carries the namespace: `storefront:book`. Asked for is the name of the pattern alone, `url_name`."
def found(url):
    try:
        match = resolve(url)
    except Resolver404:
        return None
    return match.view_name, match.kwargs

# %% exercise="01.3" role="mistake" says="The path without its slash is matched here as well. The resolver does not add one; `CommonMiddleware` answers such a request with a redirect."
def found(url):
    try:
        match = resolve(url if url.endswith("/") else f"{url}/")
    except Resolver404:
        return None
    return match.url_name, match.kwargs

# %% exercise="01.3" role="hint"
# `resolve` is the framework's own question. What does it do when nothing matches?
# %% exercise="01.3" role="hint"
# Catch `Resolver404`; the match has `url_name` and `kwargs`.

# %% [markdown] exercise="01.4"
# ### 01.4 Text from rows
#
# Write the view `shelf(request, slug)` for a genre: `<li>` with the title of each of its books **in print**, by title, one after the
# other without anything between. A title may hold quotes, `&` and `<`: the page shows them as they are, and none of them works as HTML. An
# unknown genre is a 404.

# %% exercise="01.4" role="check"
def observe(answer):
    seen = []
    with uncounted():
        pk = Book.objects.in_print().filter(genres__slug="satire").order_by("pk").values_list("pk", flat=True).first()
        Book.objects.filter(pk=pk).update(title='<b>Love</b> & "War"')
    with override_settings(ROOT_URLCONF=(path("<slug:slug>/", answer),)):
        client = Client(raise_request_exception=False)
        for slug in ("satire", "social-novel", "cookery", "no-such-genre"):
            reply = client.get(f"/{slug}/")
            seen.append((slug, reply.status_code, reply.content.decode() if reply.status_code == 200 else ""))
    return seen

# %% exercise="01.4" role="answer"
def shelf(request, slug):
    # solution
    genre = get_object_or_404(Genre, slug=slug)
    template = engines["django"].from_string("{% for book in books %}<li>{{ book.title }}</li>{% endfor %}")
    books = genre.books.in_print().order_by("title", "pk")
    return HttpResponse(template.render({"books": books}, request))
    # end


check("01.4")

# %% exercise="01.4" role="alternative" note="No template at all: `format_html_join` escapes each title. Right for a line of HTML; a page is easier to read, and to change, as a template."
def shelf(request, slug):
    genre = get_object_or_404(Genre, slug=slug)
    titles = genre.books.in_print().order_by("title", "pk").values_list("title")
    return HttpResponse(format_html_join("", "<li>{}</li>", titles))

# %% exercise="01.4" role="mistake" says="An f-string puts the title into the page as it is. One with a quote or a `<` in it then writes HTML of its own: templates escape, f-strings do not."
def shelf(request, slug):
    genre = get_object_or_404(Genre, slug=slug)
    books = genre.books.in_print().order_by("title", "pk")
    return HttpResponse("".join(f"<li>{book.title}</li>" for book in books))

# %% exercise="01.4" role="mistake" says="`|safe` switches the escaping off: a title with HTML in it would run as HTML. Leave the filter out."
def shelf(request, slug):
    genre = get_object_or_404(Genre, slug=slug)
    template = engines["django"].from_string("{% for book in books %}<li>{{ book.title|safe }}</li>{% endfor %}")
    return HttpResponse(template.render({"books": genre.books.in_print().order_by("title", "pk")}, request))

# %% exercise="01.4" role="mistake" says="`striptags` takes a part of the title away. Escaping alone shows it whole, and harmless."
def shelf(request, slug):
    genre = get_object_or_404(Genre, slug=slug)
    template = engines["django"].from_string("{% for book in books %}<li>{{ book.title|striptags }}</li>{% endfor %}")
    return HttpResponse(template.render({"books": genre.books.in_print().order_by("title", "pk")}, request))

# %% exercise="01.4" role="mistake" says="Books that are out of print stand on the shelf as well. The model's question is there already: `in_print()`."
def shelf(request, slug):
    genre = get_object_or_404(Genre, slug=slug)
    template = engines["django"].from_string("{% for book in books %}<li>{{ book.title }}</li>{% endfor %}")
    return HttpResponse(template.render({"books": genre.books.order_by("title", "pk")}, request))

# %% exercise="01.4" role="mistake" says="A genre that does not exist gives an empty shelf with status 200. An empty genre and an unknown one differ: fetch the genre first."
def shelf(request, slug):
    template = engines["django"].from_string("{% for book in books %}<li>{{ book.title }}</li>{% endfor %}")
    books = Book.objects.in_print().filter(genres__slug=slug).order_by("title", "pk")
    return HttpResponse(template.render({"books": books}, request))

# %% exercise="01.4" role="hint"
# `engines["django"].from_string(…)` makes a template; `render(context, request)` makes its text.
# %% exercise="01.4" role="hint"
# `genre.books.in_print()` are the rows, and `{{ book.title }}` escapes.

# %% [markdown] exercise="01.5"
# ### 01.5 The rule, and the view
#
# Write two functions. `to_reorder(limit)` returns the titles of books with fewer than `limit` copies in stock, by title; a book
# without a row in stock counts as none. `reorder(request)` answers JSON `{"titles": […]}` for `?limit=`, 3 when it is missing, and 400 when it
# is no whole number. The view asks the function.

# %% exercise="01.5" role="check"
import json


def observe(answer):
    seen = [answer.to_reorder(limit) for limit in (1, 4)]
    for query in ("", "?limit=1", "?limit=0", "?limit=many", "?limit=", "?limit=2.5"):
        reply = answer.reorder(RequestFactory().get(f"/{query}"))
        seen.append((query, reply.status_code, json.loads(reply.content) if reply.status_code == 200 else ""))
    # Another rule in the function's place: does the view ask it?
    answer.reorder.__globals__["to_reorder"] = lambda limit: [f"fewer than {limit}"]
    seen.append(json.loads(answer.reorder(RequestFactory().get("/?limit=7")).content))
    return seen

# %% exercise="01.5" role="answer"
def to_reorder(limit):
    # solution
    scarce = Book.objects.filter(stock__quantity__lt=limit)
    missing = Book.objects.filter(stock=None) if limit > 0 else Book.objects.none()
    return list((scarce | missing).order_by("title", "pk").values_list("title", flat=True))
    # end


def reorder(request):
    # solution
    try:
        limit = int(request.GET.get("limit", 3))
    except ValueError:
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": to_reorder(limit)})
    # end


check("01.5")

# %% exercise="01.5" role="alternative" note="A loop over all books says the rule in Python. Clear for a hundred rows; for a hundred thousand the database should do it."
def to_reorder(limit):
    books = Book.objects.select_related("stock").order_by("title", "pk")
    return [book.title for book in books if (book.stock.quantity if hasattr(book, "stock") else 0) < limit]


def reorder(request):
    given = request.GET.get("limit", "3")
    if not given.isdecimal():
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": to_reorder(int(given))})

# %% exercise="01.5" role="mistake" says="Books without a row in stock are missing. A comparison with NULL is never true: ask for `stock=None` as well."
def to_reorder(limit):
    scarce = Book.objects.filter(stock__quantity__lt=limit)
    return list(scarce.order_by("title", "pk").values_list("title", flat=True))


def reorder(request):
    try:
        limit = int(request.GET.get("limit", 3))
    except ValueError:
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": to_reorder(limit)})

# %% exercise="01.5" role="mistake" says="Text that is no number raises `ValueError` in the view: a 500, though the visitor made the mistake. Catch it and answer 400."
def to_reorder(limit):
    scarce = Book.objects.filter(stock__quantity__lt=limit)
    missing = Book.objects.filter(stock=None) if limit > 0 else Book.objects.none()
    return list((scarce | missing).order_by("title", "pk").values_list("title", flat=True))


def reorder(request):
    return JsonResponse({"titles": to_reorder(int(request.GET.get("limit", 3)))})

# %% exercise="01.5" role="mistake" says="`or 3` turns an empty `?limit=` into 3. Asked for is a whole number, and no text is none: 400."
def to_reorder(limit):
    scarce = Book.objects.filter(stock__quantity__lt=limit)
    missing = Book.objects.filter(stock=None) if limit > 0 else Book.objects.none()
    return list((scarce | missing).order_by("title", "pk").values_list("title", flat=True))


def reorder(request):
    try:
        limit = int(request.GET.get("limit") or 3)
    except ValueError:
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": to_reorder(limit)})

# %% exercise="01.5" role="mistake" says="The view has the rule a second time, instead of asking `to_reorder`: when the rule changes, the page does not."
def rows_to_reorder(limit):
    scarce = Book.objects.filter(stock__quantity__lt=limit)
    missing = Book.objects.filter(stock=None) if limit > 0 else Book.objects.none()
    return (scarce | missing).order_by("title", "pk")


def to_reorder(limit):
    return [book.title for book in rows_to_reorder(limit)]


def reorder(request):
    try:
        limit = int(request.GET.get("limit", 3))
    except ValueError:
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": [book.title for book in rows_to_reorder(limit)]})

# %% exercise="01.5" role="mistake" says="`lte` counts a book with exactly `limit` copies. Fewer than is `lt`."
def to_reorder(limit):
    scarce = Book.objects.filter(stock__quantity__lte=limit)
    missing = Book.objects.filter(stock=None) if limit > 0 else Book.objects.none()
    return list((scarce | missing).order_by("title", "pk").values_list("title", flat=True))


def reorder(request):
    try:
        limit = int(request.GET.get("limit", 3))
    except ValueError:
        return HttpResponseBadRequest("limit is a whole number.")
    return JsonResponse({"titles": to_reorder(limit)})

# %% exercise="01.5" role="hint"
# `stock=None` finds the books that have no row there. Two querysets of one model can be joined by `|`.
# %% exercise="01.5" role="hint"
# `int(request.GET.get("limit", 3))` raises `ValueError` for anything else than a whole number.

# %% [markdown] exercise="01.6"
# ### 01.6 A view that is a class
#
# Write the class-based view `Shelf`. GET answers JSON `{"genre": name, "books": number}` for the genre with the `slug` from the URL, and
# 404 for an unknown one. Let `View` answer HEAD, OPTIONS and the refusals. Requests must not see anything of each other.

# %% exercise="01.6" role="check"
def observe(answer):
    seen = []
    with override_settings(ROOT_URLCONF=(path("<slug:slug>/", answer.as_view()),)):
        client = Client(raise_request_exception=False)
        for method, slug in (
            ("get", "satire"), ("get", "cookery"), ("get", "nothing"), ("post", "satire"), ("options", "satire"),
            ("head", "satire"), ("get", "satire"),
        ):  # fmt: skip
            reply = getattr(client, method)(f"/{slug}/")
            body = reply.json() if reply.status_code == 200 and reply.content else ""
            seen.append((method, slug, reply.status_code, reply.headers.get("Allow", ""), body))
    return seen

# %% exercise="01.6" role="answer"
class Shelf(View):
    # solution
    def get(self, request, slug):
        genre = get_object_or_404(Genre, slug=slug)
        return JsonResponse({"genre": genre.name, "books": genre.books.count()})
    # end


check("01.6")

# %% exercise="01.6" role="alternative" note="`setup` runs before every method and sees the arguments of the URL. Worth it where several methods need the same object."
class Shelf(View):
    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.genre = get_object_or_404(Genre, slug=kwargs["slug"])

    def get(self, request, slug):
        return JsonResponse({"genre": self.genre.name, "books": self.genre.books.count()})

# %% exercise="01.6" role="mistake" says="A list on the class is shared by all requests of the process: the second visitor sees what the first asked for. Keep values on `self`, or better in the method."
class Shelf(View):
    seen = []

    def get(self, request, slug):
        genre = get_object_or_404(Genre, slug=slug)
        self.seen.append(genre)
        return JsonResponse({"genre": genre.name, "books": sum(one.books.count() for one in self.seen)})

# %% exercise="01.6" role="mistake" says="Overriding `dispatch` bypasses what `View` does there: now POST and OPTIONS get the shelf as well. Write a method named after the verb."
class Shelf(View):
    def dispatch(self, request, slug):
        genre = get_object_or_404(Genre, slug=slug)
        return JsonResponse({"genre": genre.name, "books": genre.books.count()})

# %% exercise="01.6" role="mistake" says="An unknown genre raises `Genre.DoesNotExist`, which is a 500. `get_object_or_404` makes it a 404."
class Shelf(View):
    def get(self, request, slug):
        genre = Genre.objects.get(slug=slug)
        return JsonResponse({"genre": genre.name, "books": genre.books.count()})

# %% exercise="01.6" role="hint"
# The method of the class has the name of the HTTP verb, in lower case.
# %% exercise="01.6" role="hint"
# `def get(self, request, slug)`: HEAD uses it too, and OPTIONS lists it.
