# %% [markdown]
# # 01 · Django in one hour
#
# After this chapter you can say what Django is, who makes it and what it costs, choose a version for a new project, and
# follow one request from the URL to the page while naming the part that does each step.
#
# *Questions: Q01 what Django is and ships · Q02 the MVT architecture.* Predict each output before you run its cell.
# [Exercises 01.1 to 01.6](../exercises/01_django_in_one_hour.ipynb) follow.

# %%
from checks import quiz
from lab import get, scratch, start

start()

# Django is set up now, so its models can be imported.
import inspect
import urllib.error
import urllib.request
from importlib.metadata import metadata, requires
from importlib.util import find_spec

import django
from catalog.models import Book
from django.apps import apps
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.http import HttpResponse
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import path, resolve
from django.utils import deprecation
from django.views import View

# %% [markdown]
# ## Q01 · Say what Django is, who makes it and what it ships
#
# *Basic · asked as T01, M7*
#
# **Say it.** Django is a high-level web framework written in Python, free under a BSD licence and public since July 2005. It
# ships what most sites need: an object-relational mapper with migrations, URL routing, templates, forms, an admin site, users
# and permissions, sessions, caching, and protection against the common attacks. A team of volunteers with a few paid Fellows
# develops it; the Django Software Foundation pays and protects, and does not run the development.
#
# *What lifts it:* a version with a date. Today 5.2 is the long-term release, with security fixes until April 2028, and 6.1 is
# the newest. 6.2, in April 2027, is the last release numbered like that.

# %% [markdown]
# **See it.** What does the package say of itself, and which packages does it need?

# %%
print(metadata("Django")["Summary"])
print(metadata("Django")["License-Expression"])
print([line.split(">")[0] for line in requires("Django") if ";" not in line])

# %% [markdown]
# A framework of this size with two dependencies. The rest is in the box. How many apps of Django's own
# does a new project list, and can you name them? (The bookshop has kept them all.)

# %%
print([app.label for app in apps.get_app_configs() if app.name.startswith("django.contrib.")])

# %% [markdown]
# What the box is worth shows beside another one. Here is one endpoint in Django, in one file, without a project:

# %% reason="A whole site in one file, to be compared with two others."
hello = scratch()
hello.write("django_site.py", '''
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"])

def book(request, slug):
    return JsonResponse({"slug": slug})

urlpatterns = [path("books/<slug:slug>/", book)]
execute_from_command_line(sys.argv)
''')

# %% [markdown]
# The same in Flask and in FastAPI, whose micro-framework style is shorter:

# %% reason="Two whole sites, to be compared with the first."
hello.write("flask_site.py", '''
from flask import Flask
app = Flask(__name__)

@app.get("/books/<slug>/")
def book(slug):
    return {"slug": slug}
''')
hello.write("fastapi_site.py", '''
from fastapi import FastAPI
app = FastAPI()

@app.get("/books/{slug}/")
def book(slug: str):
    return {"slug": slug}
''')

# %% [markdown]
# All three answer a GET alike. Which of them accept a POST to the same address?

# %%
def status(url, data=None):
    try:
        return urllib.request.urlopen(url, data).status
    except urllib.error.HTTPError as error:
        return error.code

# %% reason="Three servers, one after the other."
commands = {
    "Django": "python django_site.py runserver 8000 --noreload",
    "Flask": "flask --app flask_site run --port 8000",
    "FastAPI": "uvicorn fastapi_site:app --port 8000",
}
for name, command in commands.items():
    with hello.running(command) as server:
        url = f"{server.url}/books/emma/"
        print(f"{name:8} GET {status(url)}  POST {status(url, b'')}")

# %% [markdown]
# A path of Django leads to a view, whatever the method; the view decides, or a decorator such as
# [`require_GET`](https://docs.djangoproject.com/en/stable/topics/http/decorators/). (In a whole project the CSRF protection,
# a middleware, would stop this POST with 403.) In the other two a route is a path with a method. In Node the endpoint is no shorter, and its `http` module knows neither routes nor methods: a POST gets the
# book as well.
#
# ```javascript
# const http = require("node:http");
# http.createServer((request, response) => {
#   const found = request.url.match(/^\/books\/([-\w]+)\/$/);
#   response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
#   response.end(JSON.stringify(found ? { slug: found[1] } : {}));
# }).listen(8000, "127.0.0.1");
# ```

# %% [markdown]
# The difference begins with the second week: a database, users, a form, an admin site. Django has a module for each.
# Which packages do the other two name, and is one of them a database layer?

# %%
def needs(package):
    return sorted(line.split(">")[0].split("=")[0] for line in requires(package) if ";" not in line)


print("Flask:  ", *needs("flask"))
print("FastAPI:", *needs("fastapi"))
parts = ["db.models", "db.migrations", "forms", "contrib.admin", "contrib.auth", "contrib.sessions", "core.cache"]
print("Django: ", *[part for part in parts if find_spec(f"django.{part}")])

# %% [markdown]
# Neither brings an ORM, migrations, users or an admin site: there you choose each, and keep the pieces fitting.
# [Flask's own page on its design](https://flask.palletsprojects.com/en/stable/design/) says so.
#
# What Django asks in return: its conventions, a relational database for most of what is in the box, and an ORM that is
# synchronous underneath. The asynchronous `save` of 5.2 and 6.1 is the other one, in a thread:

# %%
print("sync_to_async(self.save)" in inspect.getsource(Model.asave))

# %% [markdown]
# **The trap.** Three sentences circulate. "The Django Software Foundation develops it": the foundation, a *non-profit*
# founded in June 2008, handles money and law, and
# [the Django Project](https://docs.djangoproject.com/en/stable/internals/organization/) the code. "Django is a CMS" is the
# second. What can the apps of a new project store?

# %%
site = scratch("mysite")
models = "from django.apps import apps; print(sorted(model.__name__ for model in apps.get_models()))"
print(site.output(f'python manage.py shell --no-imports -c "{models}"'))

# %% [markdown]
# Users and their rights, sessions, and the admin's log: not a page, not an article. A CMS is what one builds with it
# ([the FAQ says the same](https://docs.djangoproject.com/en/stable/faq/general/)). The third sentence is "features are
# added by plugins". There is no such thing; the unit of reuse is the app:

# %%
print(find_spec("django.plugins"), find_spec("django.contrib.plugins"), apps.get_app_config("reviews").name)

# %% [markdown]
# Dates and names go wrong as well. Written from fall 2003 by Adrian Holovaty and Simon Willison (one article makes him
# "Willson"), named after Django Reinhardt, [open since the summer of 2005](https://docs.djangoproject.com/en/stable/faq/general/):
# "for over a decade" is now more than two, and a list last updated in January 2024 ends with 5.0. Its list of users is cut off:
# the FAQ names Disqus, Instagram, Pinterest and Mozilla. 5.1, 5.2, 6.0 and 6.1 came after it. On
# which side is the Django here?

# %%
print(django.VERSION >= (5, 2))

# %% [markdown]
# "The admin site gives create, read, update and delete for the models" is half of it: a model must be registered, and the visitor must
# be staff, with the permission for that model. Mira is a customer. What does she get?

# %%
print(admin.site.is_registered(Book), admin.site.is_registered(Session))
print(get("/admin/").status, "→", get("/admin/")["Location"])
print(get("/admin/", user="mira").status, "→", get("/admin/", user="mira")["Location"])

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Which version would you start with today, and until when is it supported?* 6.1 for a team that upgrades every eight
#   months: fixes until April 2027, security fixes until December 2027. 5.2 LTS for one that cannot: until April 2028. Either
#   way, plan the step to 6.2 LTS ([the policy](https://docs.djangoproject.com/en/stable/internals/release-process/)).
# - *What do you get over Flask or FastAPI, and what do you pay?* Everything that fits together, one upgrade path, one security
#   team. One pays with conventions, and where a service has no users, no forms and no tables, with parts that stay unused.
# - *What changes with calendar versions?* From January 2028 a release a year, named Django 2028.0, each supported for three years;
#   there are no separate long-term releases after 6.2. Deprecations are announced as `RemovedInDjango2028Warning`.

# %% [markdown]
# The years of support follow from the policy ([DEP 20](https://github.com/django/deps/blob/main/accepted/0020-annual-release-cycle.rst)), so one
# can compute them. 5.2 and 6.2 keep their own ends, in April 2028 and April 2030. Which releases get security fixes in March of a year?

# %%
def supported(year):
    numbered = [release for release, end in {"5.2": 2028, "6.2": 2030}.items() if year <= end]
    return numbered + [f"{january}.0" for january in range(max(2028, year - 2), year + 1)]


for year in (2028, 2030, 2031):
    print(year, *supported(year))

# %% [markdown]
# **Versions.** 5.2 runs on Python 3.10 and newer, 6.0 and 6.1 on 3.12 and newer. The names of the deprecation warnings tell
# which numbers a version expects to come:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(metadata("Django")["Requires-Python"], hasattr(deprecation, "RemovedInDjango2028Warning"))
else:
    print("Django 6.1 prints >=3.12 True")

# %%
quiz("Q01")

# %% [markdown]
# Now [exercises 01.1 and 01.2](../exercises/01_django_in_one_hour.ipynb).

# %% [markdown]
# ## Q02 · Follow a request through model, view and template
#
# *Basic · asked as T02, B1, M4*
#
# **Say it.** Django's pattern is called MVT, model, view and template; the documentation writes MTV. The model is the data and
# its rules. The view is a callable that takes a request, decides which data to show, and returns a response. The template decides
# how they look. What MVC calls the controller is the framework itself: it takes the URL, finds the view and calls it. So a Django
# view is not MVC's view, and a template is never mapped to a URL.
#
# *What lifts it:* say where the business rules go: into models, querysets and plain functions, not into views.

# %% [markdown]
# **See it.** The framework's part first. Whom does it find for a path, and what does it hand over?

# %%
match = resolve("/books/emma/")
print(match.func.__name__, match.kwargs, match.url_name)

# %% [markdown]
# The three parts by hand, without a URL: the model gives rows, the template makes text of them, the view joins both.

# %%
template = engines["django"].from_string("{% for book in books %}<li>{{ book.title }}</li>{% endfor %}")


def cheap(request, limit):
    books = Book.objects.costing_at_most(limit).order_by("title", "pk")[:2]
    return HttpResponse(template.render({"books": books}, request))


print(cheap(RequestFactory().get("/"), limit=5).content.decode())

# %% [markdown]
# A view is a function, so a test can call it like one. A URL pattern gives it to the framework, which turns the text `5` into
# the number:

# %%
urlpatterns = [path("cheap/<int:limit>/", cheap)]
with override_settings(ROOT_URLCONF="__main__"):
    print(Client().get("/cheap/5/").content.decode())
    print(Client().get("/cheap/five/").status_code)

# %% [markdown]
# In which order do the parts work? Let each say when its turn comes: a middleware for the framework, the view, and a
# generator in the place of the model.

# %% reason="One request with a voice for each part."
def framework(get_response):
    def middleware(request):
        print("framework: here is a request for", request.path)
        response = get_response(request)
        print("framework: here is the response", response.status_code)
        return response
    return middleware


def rows():
    print("model: a row, now that somebody asks")
    yield from Book.objects.order_by("pk")[:1]


def talking(request):
    print("view: these rows, in that template")
    return HttpResponse(template.render({"books": rows()}, request))

# %%
urlpatterns = [path("talking/", talking)]
settings = {"ROOT_URLCONF": "__main__", "MIDDLEWARE": ["__main__.framework"]}
with override_settings(**settings):
    print(Client().get("/talking/").content.decode())

# %% [markdown]
# The model speaks after the view has chosen, in the middle of the template: a queryset is lazy, so the query of a page often
# runs while it is rendered. And the controller is nowhere in our code.

# %% [markdown]
# **The trap.** "The template is mapped to a URL", says a widely read list. A path takes a view, and refuses anything else:

# %% tags=["raises-exception"]
path("books/", "storefront/home.html")

# %% [markdown]
# The second version of it is that a template is an HTML file. It is text of any kind, a letter for one (where `&` has to stay
# `&`), and the language of Django is one of two built-in engines:

# %%
letter = "{% autoescape off %}Dear {{ name }},\n{{ book.title }} costs {{ book.price }} now.{% endautoescape %}"
print(engines["django"].from_string(letter).render({"name": "Mira & Ben", "book": Book.objects.get(title="Emma")}))
print(find_spec("django.template.backends.jinja2") is not None)

# %% [markdown]
# **Asked next**
#
# - *Where do you put business logic?* Rules about one row into the model, questions to the table into a queryset, a step that
#   touches several models (a checkout) into a function of its own. A view that only reads the request and chooses a response can
#   be tested without it.
# - *Who is the controller in a class-based view?* Still the framework. `as_view()` returns a function, which the URL resolver
#   calls like any other; `dispatch()` then picks the method named after the HTTP verb.
# - *Can one view have several templates, or none?* Both. `render()` takes a list and uses the first that exists, a view may choose
#   by the request, and a JSON view has none:

# %%
class Sold(View):
    def get(self, request):
        return HttpResponse("a page", content_type="text/plain")


function = Sold.as_view()
print(inspect.isfunction(function), function.view_class.__name__)
print(function(RequestFactory().get("/")).status_code, function(RequestFactory().post("/")).status_code)

# %%
quiz("Q02")

# %% [markdown]
# Now [exercises 01.3 to 01.6](../exercises/01_django_in_one_hour.ipynb), then chapter
# [02 · Project anatomy](02_project_anatomy.ipynb).
