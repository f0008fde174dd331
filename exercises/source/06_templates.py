# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
import jinja2
from catalog.models import Book, Genre
from django.db.models import Count, Q
from django.template import Context, Engine, Library, Node
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import mark_safe
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment, SecurityError

# %% [markdown] exercise="06.1"
# ### 06.1 A shelf that visitors cannot write on
#
# Return the source of a template that shows `books`, which have a `title` and a `rating`, as
# `<ol><li>Emma (4.5)</li><li>We (unrated)</li></ol>`. Unrated are those without a rating; 0 is one. Without books it shows `<p>No books.</p>` and
# no list. Titles come from visitors.

# %% exercise="06.1" role="check"
from django.test.html import parse_html


def observe(answer):
    template = Engine().from_string(answer())
    visitors = [
        {"title": "<script>alert(1)</script>", "rating": 0},
        {"title": "Poems & 'Letters'", "rating": None},
        {"title": "Emma", "rating": 4.5},
    ]
    with uncounted():
        stored = list(Book.objects.order_by("rating", "pk").values("title", "rating")[:6])
    return [str(parse_html(template.render(Context({"books": books})))) for books in (visitors, stored, [])]

# %% exercise="06.1" role="answer"
def shelf():
    # solution
    return """
        {% if books %}
        <ol>
          {% for book in books %}<li>{{ book.title }} ({{ book.rating|default_if_none:"unrated" }})</li>{% endfor %}
        </ol>
        {% else %}
        <p>No books.</p>
        {% endif %}
    """
    # end


check("06.1")

# %% exercise="06.1" role="alternative" note="A condition instead of a filter: longer, and the place for more than a word, such as a link to write the first review."
def shelf():
    return """
        {% for book in books %}
        {% if forloop.first %}<ol>{% endif %}
        <li>{{ book.title }} ({% if book.rating is None %}unrated{% else %}{{ book.rating }}{% endif %})</li>
        {% if forloop.last %}</ol>{% endif %}
        {% empty %}<p>No books.</p>
        {% endfor %}
    """

# %% exercise="06.1" role="mistake" says="`|safe` lets the title through as HTML: the visitor's script is a script in your page."
def shelf():
    return """
        {% if books %}
        <ol>
          {% for book in books %}<li>{{ book.title|safe }} ({{ book.rating|default_if_none:"unrated" }})</li>{% endfor %}
        </ol>
        {% else %}<p>No books.</p>{% endif %}
    """

# %% exercise="06.1" role="mistake" says="`default` takes its word for everything that is false, 0 included. `default_if_none` asks for `None` alone."
def shelf():
    return """
        {% if books %}
        <ol>
          {% for book in books %}<li>{{ book.title }} ({{ book.rating|default:"unrated" }})</li>{% endfor %}
        </ol>
        {% else %}<p>No books.</p>{% endif %}
    """

# %% exercise="06.1" role="mistake" says="`{% empty %}` is inside the list, so a shelf without books is a list with a paragraph in it."
def shelf():
    return """
        <ol>
          {% for book in books %}<li>{{ book.title }} ({{ book.rating|default_if_none:"unrated" }})</li>
          {% empty %}<p>No books.</p>{% endfor %}
        </ol>
    """

# %% exercise="06.1" role="mistake" says="The word None stands where there is no rating: the template prints what it is given."
def shelf():
    return """
        {% if books %}
        <ol>{% for book in books %}<li>{{ book.title }} ({{ book.rating }})</li>{% endfor %}</ol>
        {% else %}<p>No books.</p>{% endif %}
    """

# %% exercise="06.1" role="hint"
# Escaping is there unless you switch it off. What is left is `None` against 0.
# %% exercise="06.1" role="hint"
# `{{ book.rating|default_if_none:"unrated" }}`

# %% [markdown] exercise="06.2"
# ### 06.2 A page in a frame
#
# `base.html` is `<title>{% block title %}The Bookshop{% endblock %}</title><main>{% block main %}{% endblock %}</main>`, and `_price.html` shows
# `amount`. Return the source of a page for `book` that extends the one and includes the other: the title is the book's, ` · `, and what the
# base has there; the main part is `<h1>` with the title, then the price. Nothing but `amount` reaches `_price.html`.

# %% exercise="06.2" role="check"
from django.test.html import parse_html


def observe(answer):
    with uncounted():
        books = list(Book.objects.order_by("price", "pk")[:3])
    books.append({"title": "Rose & <b>Thorn</b>", "price": 3})
    shown = []
    for name in ("The Bookshop", "Chapter One"):
        pages = {
            "base.html": "<title>{% block title %}" + name + "{% endblock %}</title><main>{% block main %}{% endblock %}</main>",
            "_price.html": "<b>{{ amount }}</b>{% if book or page %}<i>more than amount</i>{% endif %}",
            "book.html": answer(),
        }
        engine = Engine(loaders=[("django.template.loaders.locmem.Loader", pages)])
        for book in books:
            shown.append(str(parse_html(engine.get_template("book.html").render(Context({"book": book, "page": 7})))))
    return shown

# %% exercise="06.2" role="answer"
def page():
    # solution
    return """{% extends "base.html" %}
        {% block title %}{{ book.title }} · {{ block.super }}{% endblock %}
        {% block main %}
          <h1>{{ book.title }}</h1>
          {% include "_price.html" with amount=book.price only %}
        {% endblock %}
    """
    # end


check("06.2")

# %% exercise="06.2" role="alternative" note="`with` gives a long expression a name for several uses. For one use it is more to read."
def page():
    return """{% extends "base.html" %}
        {% block title %}{% with title=book.title %}{{ title }} · {{ block.super }}{% endwith %}{% endblock title %}
        {% block main %}<h1>{{ book.title }}</h1>{% include "_price.html" with amount=book.price only %}{% endblock main %}
    """

# %% exercise="06.2" role="mistake" says="The name of the shop is written into the page: when the base changes, this page does not. `{{ block.super }}` is what the base has there."
def page():
    return """{% extends "base.html" %}
        {% block title %}{{ book.title }} · The Bookshop{% endblock %}
        {% block main %}<h1>{{ book.title }}</h1>{% include "_price.html" with amount=book.price only %}{% endblock %}
    """

# %% exercise="06.2" role="mistake" says="Text outside of a block is not rendered in a page that extends another: heading and price are gone, without an error."
def page():
    return """{% extends "base.html" %}
        {% block title %}{{ book.title }} · {{ block.super }}{% endblock %}
        <h1>{{ book.title }}</h1>
        {% include "_price.html" with amount=book.price only %}
    """

# %% exercise="06.2" role="mistake" says="`include` hands on the whole context, and here it shows. Add `only`."
def page():
    return """{% extends "base.html" %}
        {% block title %}{{ book.title }} · {{ block.super }}{% endblock %}
        {% block main %}<h1>{{ book.title }}</h1>{% include "_price.html" with amount=book.price %}{% endblock %}
    """

# %% exercise="06.2" role="mistake" says="`_price.html` shows `amount`, and nobody gave it one: a missing name is nothing. Say `with amount=book.price`."
def page():
    return """{% extends "base.html" %}
        {% block title %}{{ book.title }} · {{ block.super }}{% endblock %}
        {% block main %}<h1>{{ book.title }}</h1>{% include "_price.html" only %}{% endblock %}
    """

# %% exercise="06.2" role="mistake" says="`|safe` lets a title through as HTML, in the heading and in the page's title. Escaping is there unless you switch it off."
def page():
    return """{% extends "base.html" %}
        {% block title %}{{ book.title|safe }} · {{ block.super }}{% endblock %}
        {% block main %}<h1>{{ book.title|safe }}</h1>{% include "_price.html" with amount=book.price only %}{% endblock %}
    """

# %% exercise="06.2" role="hint"
# All that the page adds stands in its blocks. What does a block know of the one it replaces?
# %% exercise="06.2" role="hint"
# `{{ block.super }}`, and `{% include "_price.html" with amount=… only %}`

# %% [markdown] exercise="06.3"
# ### 06.3 Links that keep the search
#
# Return the source of a template, as text: the links around a list, `<a rel="prev" href="…">` and `<a rel="next" href="…">`, each only where there is such
# a page. Its context has `page`, a page of a `Paginator`, and `request`. The addresses keep every parameter of the request and change `page` alone.

# %% exercise="06.3" role="check"
import re
from html import unescape
from urllib.parse import parse_qs

from django.core.paginator import Paginator
from django.template import RequestContext
from django.test import RequestFactory


def observe(answer):
    engine = Engine(context_processors=["django.template.context_processors.request"])
    template, pages, seen = engine.from_string(answer()), Paginator(range(30), 10), []
    for asked in ("q=emma+%26+co&page=2", "page=1&genre=satire&genre=romance", "genre=satire&page=3&q=", ""):
        request = RequestFactory().get(f"/search/?{asked}")
        page = pages.get_page(request.GET.get("page"))
        html = template.render(RequestContext(request, {"page": page}))
        links = {}
        for link in re.findall(r"<a\b[^>]*>", html):
            found = dict(re.findall(r'(\w+)="([^"]*)"', link))
            query = unescape(found.get("href", "")).partition("?")[2]
            links[found.get("rel")] = parse_qs(query, keep_blank_values=True)
        seen.append([asked, links])
    return seen

# %% exercise="06.3" role="answer"
def links():
    # solution
    return """
        {% if page.has_previous %}<a rel="prev" href="{% querystring page=page.previous_page_number %}">Previous</a>{% endif %}
        {% if page.has_next %}<a rel="next" href="{% querystring page=page.next_page_number %}">Next</a>{% endif %}
    """
    # end


check("06.3")

# %% exercise="06.3" role="alternative" note="Stored under a name, the address can be used twice. `add` computes with the number; the page's own methods say what is meant."
def links():
    return """
        {% querystring page=page.number|add:"-1" as previous %}{% querystring page=page.number|add:"1" as next %}
        {% if page.number > 1 %}<a rel="prev" href="{{ previous }}">Previous</a>{% endif %}
        {% if page.number < page.paginator.num_pages %}<a rel="next" href="{{ next }}">Next</a>{% endif %}
    """

# %% exercise="06.3" role="mistake" says="The search is lost on the second page: `?page=2` replaces the whole query string."
def links():
    return """
        {% if page.has_previous %}<a rel="prev" href="?page={{ page.previous_page_number }}">Previous</a>{% endif %}
        {% if page.has_next %}<a rel="next" href="?page={{ page.next_page_number }}">Next</a>{% endif %}
    """

# %% exercise="06.3" role="mistake" says="`page` is there twice, once from the request and once from you, and the address grows with each click."
def links():
    return """
        {% if page.has_previous %}
          <a rel="prev" href="?{{ request.GET.urlencode }}&amp;page={{ page.previous_page_number }}">Previous</a>{% endif %}
        {% if page.has_next %}
          <a rel="next" href="?{{ request.GET.urlencode }}&amp;page={{ page.next_page_number }}">Next</a>{% endif %}
    """

# %% exercise="06.3" role="mistake" says="You keep `q` by its name and drop every other parameter, the genres among them. `querystring` keeps them all."
def links():
    return """
        {% if page.has_previous %}
          <a rel="prev" href="?q={{ request.GET.q|urlencode }}&amp;page={{ page.previous_page_number }}">Previous</a>{% endif %}
        {% if page.has_next %}
          <a rel="next" href="?q={{ request.GET.q|urlencode }}&amp;page={{ page.next_page_number }}">Next</a>{% endif %}
    """

# %% exercise="06.3" role="mistake" says="On the first page there is none before it, and `previous_page_number` raises `EmptyPage`: the silence of templates ends at exceptions. Ask `has_previous`."
def links():
    return """
        <a rel="prev" href="{% querystring page=page.previous_page_number %}">Previous</a>
        <a rel="next" href="{% querystring page=page.next_page_number %}">Next</a>
    """

# %% exercise="06.3" role="hint"
# A tag of Django 5.1 takes the parameters of the request and changes those that you name.
# %% exercise="06.3" role="hint"
# `{% querystring page=page.next_page_number %}`

# %% [markdown] exercise="06.4"
# ### 06.4 A processor that costs nothing
#
# Write a context processor that gives every template `shelves`: the genres by name, each with `number`, how many of its books are in print. A page
# that does not use it runs no query, a page that uses it twice runs one.

# %% exercise="06.4" role="check"
from django.db import connection
from django.template import RequestContext
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext


def observe(answer):
    loop, seen = "{% for shelf in shelves %}{{ shelf.name }} {{ shelf.number }};{% endfor %}", {}
    for name, source in {"unused": "<h1>404</h1>", "once": loop, "twice": f"{loop}|{loop}"}.items():
        context = RequestContext(RequestFactory().get("/"), processors=[answer])
        with uncounted(), CaptureQueriesContext(connection) as asked:
            shown = Engine().from_string(source).render(context)
        seen[name] = {"queries": len(asked), "shown": shown}
    return seen

# %% exercise="06.4" role="answer"
def shelves(request):
    # solution
    number = Count("books", filter=Q(books__in_print=True))
    return {"shelves": Genre.objects.annotate(number=number).order_by("name")}
    # end


check("06.4")

# %% exercise="06.4" role="alternative" note="For a value that is no queryset, such as a number or a list made in Python: computed at the first use, and kept."
def shelves(request):
    def load():
        return list(Genre.objects.annotate(number=Count("books", filter=Q(books__in_print=True))).order_by("name"))

    return {"shelves": SimpleLazyObject(load)}

# %% exercise="06.4" role="mistake" says="`list()` asks at once, on every page, used or not: processors run for each rendering with a request."
def shelves(request):
    number = Count("books", filter=Q(books__in_print=True))
    return {"shelves": list(Genre.objects.annotate(number=number).order_by("name"))}

# %% exercise="06.4" role="mistake" says="A function is called at each mention: a page with two menus asks twice. A queryset keeps its rows."
def shelves(request):
    number = Count("books", filter=Q(books__in_print=True))
    return {"shelves": lambda: list(Genre.objects.annotate(number=number).order_by("name"))}

# %% exercise="06.4" role="mistake" says="A query for each genre, when the page is shown. `annotate` counts in the same query."
def shelves(request):
    def load():
        return [{"name": genre.name, "number": genre.books.in_print().count()} for genre in Genre.objects.order_by("name")]

    return {"shelves": SimpleLazyObject(load)}

# %% exercise="06.4" role="mistake" says="Genres without a book in print are missing: a filter on the rows drops them. Filter inside of the `Count`."
def shelves(request):
    genres = Genre.objects.filter(books__in_print=True).annotate(number=Count("books"))
    return {"shelves": genres.order_by("name")}

# %% exercise="06.4" role="hint"
# What asks the database only when somebody loops over it, and remembers the rows?
# %% exercise="06.4" role="hint"
# `Genre.objects.annotate(number=Count("books", filter=…))`, without `list()`

# %% [markdown] exercise="06.5"
# ### 06.5 A basket that looking does not empty
#
# Write a class `Basket`, made with a list of titles. `count()` says how many there are, `clear()` removes them. Python may call both; in a template
# `{{ basket.count }}` works, while `{{ basket.clear }}` shows nothing and changes nothing.

# %% exercise="06.5" role="check"
def observe(answer):
    basket = answer(["Emma", "Nana"])
    template = Engine().from_string("{{ basket.count }} [{{ basket.clear }}] {{ basket.count }}")
    shown = template.render(Context({"basket": basket}))
    basket.clear()
    return [shown, basket.count(), answer([]).count(), answer(["We"]).count()]

# %% exercise="06.5" role="answer"
class Basket:
    # solution
    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    def clear(self):
        self.titles.clear()

    clear.alters_data = True
    # end


check("06.5")

# %% exercise="06.5" role="alternative" note="A decorator names the intention, and is worth it where a class has several such methods."
def alters_data(method):
    method.alters_data = True
    return method


class Basket:
    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    @alters_data
    def clear(self):
        self.titles = []

# %% exercise="06.5" role="mistake" says="The template empties the basket: any method that needs no argument is called. Mark it with `clear.alters_data = True`."
class Basket:
    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    def clear(self):
        self.titles.clear()

# %% exercise="06.5" role="mistake" says="`do_not_call_in_templates` keeps the method from being called, and shows the method itself. `alters_data` shows nothing."
class Basket:
    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    def clear(self):
        self.titles.clear()

    clear.do_not_call_in_templates = True

    def __repr__(self):
        return "Basket"

# %% exercise="06.5" role="mistake" says="On the class the mark keeps templates from making a basket, and its methods are called as before. Mark the method."
class Basket:
    alters_data = True

    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    def clear(self):
        self.titles.clear()

# %% exercise="06.5" role="mistake" says="Templates cannot call `count` either now: it is marked, too. Only what changes something gets the mark."
class Basket:
    def __init__(self, titles):
        self.titles = list(titles)

    def count(self):
        return len(self.titles)

    def clear(self):
        self.titles.clear()

    clear.alters_data = count.alters_data = True

# %% exercise="06.5" role="hint"
# It is what `Model.delete` does. A function can have attributes.
# %% exercise="06.5" role="hint"
# `clear.alters_data = True`, in the body of the class after the method.

# %% [markdown] exercise="06.6"
# ### 06.6 What Jinja needs from Django
#
# Write the function for `OPTIONS["environment"]`: it gets what Django's backend passes (`loader`, `autoescape`, `undefined` and more) and returns an
# environment with the functions `url(name, *args, **kwargs)` and `static(path)`, where a missing name is an error.

# %% exercise="06.6" role="check"
from django.test import override_settings
from django.urls import path

URLS = (path("", str, name="home"), path("books/<slug:slug>/", str, name="book"))


def observe(answer):
    loader = jinja2.DictLoader({"page.html": "<h1>{{ title }}</h1>"})
    try:
        environment = answer(loader=loader, autoescape=True, auto_reload=False, undefined=jinja2.DebugUndefined)
    except (TypeError, KeyError) as error:
        if "undefined" not in str(error):
            raise
        return "The keyword undefined is there twice."
    seen = [environment.get_template("page.html").render(title="<script>")]
    sources = ["{{ url('home') }}", "{{ url('book', slug='emma') }}", "{{ url('book', 'we') }}"]
    with override_settings(ROOT_URLCONF=URLS):
        for source in [*sources, "{{ static('brand/sign.svg') }}", "[{{ titel }}]"]:
            try:
                seen.append(environment.from_string(source).render())
            except jinja2.UndefinedError as error:
                seen.append(type(error).__name__)
    plain = answer(autoescape=False, undefined=jinja2.Undefined)
    return [*seen, plain.from_string("{{ it }}").render(it="<b>")]

# %% exercise="06.6" role="answer"
def environment(**options):
    # solution
    def url(name, *args, **kwargs):
        return reverse(name, args=args, kwargs=kwargs)

    made = jinja2.Environment(**options | {"undefined": jinja2.StrictUndefined})
    made.globals |= {"url": url, "static": static}
    return made
    # end


check("06.6")

# %% exercise="06.6" role="alternative" note="The options are a dictionary of your own, so changing them is fine. Good where several are changed under conditions."
def environment(**options):
    options["undefined"] = jinja2.StrictUndefined
    made = jinja2.Environment(**options)
    made.globals["static"] = static
    made.globals["url"] = lambda name, *args, **kwargs: reverse(name, args=args, kwargs=kwargs)
    return made

# %% exercise="06.6" role="mistake" says="The options are dropped, and `autoescape=True` and the loader with them: a visitor's script is a script now. Pass `**options` on."
def environment(**options):
    def url(name, *args, **kwargs):
        return reverse(name, args=args, kwargs=kwargs)

    made = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, loader=options.get("loader"))
    made.globals |= {"url": url, "static": static}
    return made

# %% exercise="06.6" role="mistake" says="Django's backend passes an `undefined` of its own, so the keyword is there twice: `TypeError`. Put yours in place of the one in `options`."
def environment(**options):
    def url(name, *args, **kwargs):
        return reverse(name, args=args, kwargs=kwargs)

    made = jinja2.Environment(undefined=jinja2.StrictUndefined, **options)
    made.globals |= {"url": url, "static": static}
    return made

# %% exercise="06.6" role="mistake" says="`reverse` takes its arguments as `args=` and `kwargs=`: handed over bare, `url('book', slug='emma')` fails. Wrap it."
def environment(**options):
    made = jinja2.Environment(**options | {"undefined": jinja2.StrictUndefined})
    made.globals |= {"url": reverse, "static": static}
    return made

# %% exercise="06.6" role="mistake" says="A missing name passes unnoticed, with what the backend chose for it. Take `jinja2.StrictUndefined`."
def environment(**options):
    def url(name, *args, **kwargs):
        return reverse(name, args=args, kwargs=kwargs)

    made = jinja2.Environment(**options)
    made.globals |= {"url": url, "static": static}
    return made

# %% exercise="06.6" role="hint"
# `options | {…}` is the dictionary with your value in place of the one that came.
# %% exercise="06.6" role="hint"
# `reverse(name, args=args, kwargs=kwargs)`

# %% [markdown] exercise="06.7"
# ### 06.7 Letters that customers write
#
# Customers may write their own gift cards as Jinja templates. Return the HTML of `source` with `values`; `None` where the template reaches for what it must
# not. Values are escaped. A typing error in the template, `TemplateSyntaxError`, goes to the caller.

# %% exercise="06.7" role="check"
def observe(answer):
    with uncounted():
        book, before = Book.objects.order_by("pk").first(), Book.objects.count()
    seen = []
    for source in (
        "For {{ name }}: {{ book.title|upper }}",
        "{{ name.__class__.__mro__[-1].__name__ }}",
        "{{ book.delete() }}",
        "{% for letter in name %}{{ loop.index }}{% endfor %}",
        "{% if %}",
    ):
        try:
            seen.append(answer(source, {"name": "<b>Ida</b>", "book": book}))
        except Exception as error:
            seen.append(type(error).__name__)
    with uncounted():
        return [seen, Book.objects.count() == before]

# %% exercise="06.7" role="answer"
def card(source, values):
    # solution
    sandbox = SandboxedEnvironment(autoescape=True)
    try:
        return sandbox.from_string(source).render(values)
    except SecurityError:
        return None
    # end


check("06.7")

# %% exercise="06.7" role="alternative" note="The immutable sandbox also refuses to change lists and dictionaries that you pass in. The better choice when they are not copies."
def card(source, values):
    template = ImmutableSandboxedEnvironment(autoescape=True).from_string(source)
    try:
        return template.render(**values)
    except SecurityError:
        return None

# %% exercise="06.7" role="mistake" says="A plain environment shows a customer the classes of the process, and lets the card delete the book. Templates of strangers need the sandbox."
def card(source, values):
    try:
        return jinja2.Environment(autoescape=True).from_string(source).render(values)
    except SecurityError:
        return None

# %% exercise="06.7" role="mistake" says="The sandbox does not escape: the name is HTML in your page. Say `autoescape=True`."
def card(source, values):
    try:
        return SandboxedEnvironment().from_string(source).render(values)
    except SecurityError:
        return None

# %% exercise="06.7" role="mistake" says="`except Exception` takes a typing error for an attack: the customer never hears what is wrong with the card. Catch `SecurityError`."
def card(source, values):
    try:
        return SandboxedEnvironment(autoescape=True).from_string(source).render(values)
    except Exception:
        return None

# %% exercise="06.7" role="mistake" says="`SecurityError` reaches the caller. Asked for is `None` where the sandbox refuses."
def card(source, values):
    return SandboxedEnvironment(autoescape=True).from_string(source).render(values)

# %% exercise="06.7" role="hint"
# Two settings of one environment: what it refuses, and whether it escapes.
# %% exercise="06.7" role="hint"
# `SandboxedEnvironment(autoescape=True)`

# %% [markdown] exercise="06.8"
# ### 06.8 A filter for verse
#
# Write a filter that joins lines with `<br>`: `{{ lines|verse }}`. Lines that are marked as safe stay as they are, all others are escaped.

# %% exercise="06.8" role="check"
def observe(answer):
    engine, library = Engine(), Library()
    engine.template_libraries["poems"] = library
    library.filter("verse", answer)
    template = engine.from_string("{% load poems %}{{ lines|verse }}")
    poems = [
        ["Tyger Tyger,", "burning bright"],
        ["<script>alert(1)</script>", "Rose & Thorn"],
        [mark_safe("<i>Tyger</i> &amp; Lamb"), "1 < 2"],
        ["{} and {0}", "100%"],
        ["one"],
        [],
    ]
    return [template.render(Context({"lines": lines})) for lines in poems]

# %% exercise="06.8" role="answer"
def verse(lines):
    # solution
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))
    # end


check("06.8")

# %% exercise="06.8" role="alternative" note="The same by hand: every piece goes through `conditional_escape`, so the whole may be marked. One forgotten piece is a hole."
def verse(lines):
    return mark_safe("<br>".join(conditional_escape(line) for line in lines))

# %% exercise="06.8" role="mistake" says="`mark_safe` vouches for lines that nobody looked at: the script in the second poem is a script. Escape each line."
def verse(lines):
    return mark_safe("<br>".join(lines))

# %% exercise="06.8" role="mistake" says="The result is plain text, so the template escapes it as well: visitors read `&lt;br&gt;`, and escaped lines are escaped twice."
def verse(lines):
    return "<br>".join(conditional_escape(line) for line in lines)

# %% exercise="06.8" role="mistake" says="`format_html_join` escapes its separator too, unless it is marked: `mark_safe(\"<br>\")`. That one is yours to vouch for."
def verse(lines):
    return format_html_join("<br>", "{}", ((line,) for line in lines))

# %% exercise="06.8" role="mistake" says="`escape` escapes what is safe already, and `<i>` shows as text. `conditional_escape` respects the mark."
def verse(lines):
    return mark_safe("<br>".join(escape(line) for line in lines))

# %% exercise="06.8" role="hint"
# `format_html_join` takes a separator, a format, and the arguments of each piece as a tuple.
# %% exercise="06.8" role="hint"
# The separator is escaped like everything else. Which text here is nobody's but yours?

# %% [markdown] exercise="06.9"
# ### 06.9 A panel around some lines
#
# Write the function of a simple block tag, so that `{% panel heading kind="info" %}…{% endpanel %}` gives
# `<section class="panel info"><h2>heading</h2>…</section>`. `kind` is `plain` unless said otherwise. Headings and kinds may come from visitors.

# %% exercise="06.9" role="check"
def observe(answer):
    engine, library = Engine(), Library()
    engine.template_libraries["panels"] = library
    library.simple_block_tag(answer, name="panel")
    shown = []
    for source in (
        "{% panel heading %}<p>{{ text }}</p>{% endpanel %}",
        "{% panel heading kind='info' %}{{ text }}{% endpanel %}",
        "{% panel text kind=heading %}{% panel 'inside' %}<b>b</b>{% endpanel %}{% endpanel %}",
    ):
        template = engine.from_string("{% load panels %}" + source)
        shown.append(template.render(Context({"heading": '<script>alert("1")</script>', "text": "Rose & Thorn {0}"})))
    return shown

# %% exercise="06.9" role="answer"
def panel(content, heading, kind="plain"):
    # solution
    return format_html('<section class="panel {}"><h2>{}</h2>{}</section>', kind, heading, content)
    # end


check("06.9")

# %% exercise="06.9" role="alternative" note="Named fields read better when there are many of them."
def panel(content, heading, *, kind="plain"):
    html = '<section class="panel {kind}"><h2>{heading}</h2>{content}</section>'
    return format_html(html, kind=kind, heading=heading, content=content)

# %% exercise="06.9" role="mistake" says="`mark_safe` of an f-string vouches for the heading as well: the visitor's script is in the page. `format_html` escapes its arguments."
def panel(content, heading, kind="plain"):
    return mark_safe(f'<section class="panel {kind}"><h2>{heading}</h2>{content}</section>')

# %% exercise="06.9" role="mistake" says="A plain string is escaped by the template, tags included: visitors read the markup. Return what `format_html` makes."
def panel(content, heading, kind="plain"):
    return f'<section class="panel {kind}"><h2>{heading}</h2>{content}</section>'

# %% exercise="06.9" role="mistake" says="The content comes rendered, and is escaped already where it has to be: escaped again, its tags show as text."
def panel(content, heading, kind="plain"):
    return format_html('<section class="panel {}"><h2>{}</h2>{}</section>', kind, heading, escape(content))

# %% exercise="06.9" role="mistake" says="The content is put into the format: braces in it are taken for fields. Everything that varies is an argument."
def panel(content, heading, kind="plain"):
    return format_html('<section class="panel {}"><h2>{}</h2>' + content + "</section>", kind, heading)

# %% exercise="06.9" role="hint"
# A simple block tag gets its content rendered, as safe text, as its first argument.
# %% exercise="06.9" role="hint"
# `format_html("…{}…", kind, heading, content)`

# %% [markdown] exercise="06.10"
# ### 06.10 A node that threads can share
#
# Write the node of a tag `{% number %}` that shows 1, 2, 3 … each time it is reached in one rendering, through nested loops as well. Each tag in a template
# counts for itself, and every rendering starts at 1, also one that begins while another is under way.

# %% exercise="06.10" role="check"
def observe(answer):
    engine, library = Engine(), Library()
    engine.template_libraries["numbers"] = library
    library.tag("number", lambda parser, token: answer())
    seen = {}
    for name, source in {
        "a loop": "{% for a in 'abc' %}{% number %} {% endfor %}",
        "nested loops": "{% for a in 'ab' %}{% for b in 'xy' %}{% number %} {% endfor %}{% endfor %}",
        "two tags": "{% for a in 'ab' %}{% number %}:{% number %} {% endfor %}",
        "another in between": "{% for a in 'ab' %}{% number %}{{ other }} {% endfor %}",
    }.items():
        template = engine.from_string("{% load numbers %}" + source)

        def other():
            return f"({template.render(Context({'other': '-'}))})"

        seen[name] = [template.render(Context({"other": other})) for _ in range(2)]
    return seen

# %% exercise="06.10" role="answer"
class NumberNode(Node):
    # solution
    def render(self, context):
        number = context.render_context.get(self, 0) + 1
        context.render_context[self] = number
        return str(number)
    # end


check("06.10")

# %% exercise="06.10" role="alternative" note="An iterator in the place of the number, as Django's `cycle` has it. Shorter where the next value is more than a sum."
from itertools import count


class NumberNode(Node):
    def render(self, context):
        if self not in context.render_context:
            context.render_context[self] = count(1)
        return str(next(context.render_context[self]))

# %% exercise="06.10" role="mistake" says="The number is kept on the node, and the node lives as long as the template: the second page goes on where the first one ended."
class NumberNode(Node):
    number = 0

    def render(self, context):
        self.number += 1
        return str(self.number)

# %% exercise="06.10" role="mistake" says="What is set in the context ends with the innermost tag, so the count begins anew in each inner loop. `render_context` lasts for the whole rendering."
class NumberNode(Node):
    def render(self, context):
        context[id(self)] = context.get(id(self), 0) + 1
        return str(context[id(self)])

# %% exercise="06.10" role="mistake" says="All tags of the template count together: the key is the same for each. Take the node itself as the key."
class NumberNode(Node):
    def render(self, context):
        number = context.render_context.get("number", 0) + 1
        context.render_context["number"] = number
        return str(number)

# %% exercise="06.10" role="mistake" says="Beginning anew when the context changes still keeps the state on the node: a rendering that comes in between sets the first one back. Two threads do just that."
class NumberNode(Node):
    seen, number = None, 0

    def render(self, context):
        if self.seen is not context:
            self.seen, self.number = context, 0
        self.number += 1
        return str(self.number)

# %% exercise="06.10" role="hint"
# The context has a second store that belongs to one rendering of one template.
# %% exercise="06.10" role="hint"
# `context.render_context.get(self, 0)`
