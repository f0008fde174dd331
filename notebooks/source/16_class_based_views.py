# %% [markdown]
# # 16 · Class-based views and pagination
#
# After this chapter you can say which class answers when several have the method, name the steps of a generic view,
# keep customers to their own rows, and cut 100,000 rows into pages of which the last costs what the first does.
#
# *Questions: Q44 mixins · Q45 generic views · Q46 pagination.* The shop has 100,000 order lines here. Predict each
# output. [Exercises 16.1 to 16.9](../exercises/16_class_based_views.ipynb) follow.

# %%
from checks import quiz
from lab import explain, get, post, postgres, queries, reset, scratch, start

start(lines=100_000)

# Django is set up now, so its models can be imported.
import inspect
import json
import re
import warnings
from datetime import date, datetime, timezone
from timeit import repeat

import django
from accounts.models import User, Visit
from catalog.models import Book, Genre
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.paginator import InvalidPage, Paginator
from django.db import connection, models
from django.db.models import Q, Sum
from django.http import Http404, HttpResponse
from django.template import engines
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views import View
from django.views.generic import CreateView, DeleteView, DetailView, ListView, RedirectView, TemplateView, UpdateView
from django.views.generic.base import ContextMixin
from orders.models import Order, OrderLine
from storefront import listings, views
from storefront.desk.views import BookUpdateView
from storefront.keyset import Keyset

# %% [markdown]
# ## Q44 · Write a mixin, and put it at its place
#
# *Intermediate · asked as A2*
#
# **Say it.** A mixin is a small class with one ability for others to inherit; by itself it is of no use. It is plain
# multiple inheritance; to Python it is a class like any other. Python puts a class and all its ancestors into one
# line, the method resolution order, and `super()` calls the next in that line. So a mixin stands left of the view it
# adds to, passes on all arguments, and calls `super()`. `LoginRequiredMixin` on the right protects nothing.
#
# *What lifts it:* no check reports a wrong order; two `UserPassesTestMixin` make one test; and when a decorator is
# enough.

# %% [markdown]
# **See it.** One ability: the browser is to keep no copy of the page. The mixin wraps whatever `dispatch()` comes
# after it, and has no idea which:

# %%
class NoStoreMixin:
    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class Receipt(NoStoreMixin, View):
    def get(self, request):
        return HttpResponse("a receipt")

# %% [markdown]
# It works in the view. What does it do alone?

# %%
request = RequestFactory().get("/")
print(Receipt.as_view()(request)["Cache-Control"])
print(*[ancestor.__name__ for ancestor in Receipt.__mro__])
try:
    NoStoreMixin().dispatch(request)
except AttributeError as error:
    print(error)

# %% [markdown]
# In the line of `Receipt`, `View` comes after the mixin; in its own line, only `object` does. Now two that add to the
# context of a template. Each has `ContextMixin` as its base, and so has `TemplateView`. How often is that called?

# %%
class GenresMixin(ContextMixin):
    def get_context_data(self, **kwargs):
        return super().get_context_data(genres=Genre.objects.count(), **kwargs)


class BooksMixin(ContextMixin):
    def get_context_data(self, **kwargs):
        return super().get_context_data(books=Book.objects.count(), **kwargs)


class Front(GenresMixin, BooksMixin, TemplateView):
    pass


print(*[ancestor.__name__ for ancestor in Front.__mro__])
print(sorted(Front().get_context_data(title="Welcome")))

# %% [markdown]
# Once: in the line each class stands once, and behind all that inherit from it. (`view` is what it adds itself.) So
# `super()` in `GenresMixin` called `BooksMixin`, of which it has never heard. Next, one that forgets `super()`. What
# is left?

# %%
class ShelfMixin(ContextMixin):
    def get_context_data(self, **kwargs):
        return {"shelf": 3} | kwargs


for bases in ((GenresMixin, ShelfMixin, BooksMixin), (GenresMixin, BooksMixin, ShelfMixin)):
    Careless = type("Careless", (*bases, TemplateView), {})
    print(sorted(Careless().get_context_data()))

# %% [markdown]
# Whatever stands right of it is gone. By default a template [draws
# nothing](https://docs.djangoproject.com/en/stable/ref/templates/api/#how-invalid-variables-are-handled) for a name
# that is missing, so nobody is told. And some orders cannot be: a class before its own subclass.

# %%
try:
    type("Impossible", (View, TemplateView), {})
except TypeError as error:
    print(type(error).__name__, "method resolution" in str(error))

# %% [markdown]
# The list that asks this question names one drawback: it is hard to see which method to override. True. `ListView`
# alone has six ancestors besides `object`, and a page of the shop's desk has more. Ask the line which of them have the
# method:

# %%
def homes(view, method):
    return [ancestor.__name__ for ancestor in view.__mro__ if method in vars(ancestor)]


print([len(view.__mro__) - 2 for view in (ListView, UpdateView, BookUpdateView)])
for method in ("dispatch", "get_queryset", "get_form_kwargs", "form_valid"):
    print(method, homes(BookUpdateView, method))

# %% [markdown]
# The first of each row is the one that runs, the others if it calls `super()`. So a saved form is recorded around the
# saving, in one transaction, and permission is asked before `View` looks for `get` or `post`.

# %% [markdown]
# **The trap.** "Combine behaviours of several classes" sounds as if the order were taste. It misleads people who read
# a list of abilities from left to right, the main thing first. One page, two orders, a visitor who is not logged in:

# %%
class OrdersPage(View):
    def get(self, request):
        return HttpResponse(Order.objects.latest().number)


class Guarded(LoginRequiredMixin, OrdersPage):
    pass


class Open(OrdersPage, LoginRequiredMixin):
    pass

# %%
def mounted(view):
    return override_settings(LOGIN_URL="/login/", ROOT_URLCONF=(path("", view.as_view()),))


for view in (Guarded, Open):
    with mounted(view):
        reply, problems = get("/"), checks.run_checks()
    print(*[ancestor.__name__ for ancestor in view.__mro__[:-1]])
    print("   ", reply.status, reply.text, len(problems))

# %% [markdown]
# The second shows the newest order to everybody. `View.dispatch()` comes first in its line and does not call
# `super()`, since nothing is meant to come after it. No exception, no warning, no check. A test as an anonymous
# visitor sees it.
#
# Even in the right order something runs for everybody. What?

# %%
log = []


class Early(LoginRequiredMixin, View):
    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        log.append("setup")

    def dispatch(self, request, *args, **kwargs):
        log.append("dispatch, before super()")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        log.append("get")

# %%
with mounted(Early):
    print(get("/").status, log)

# %% [markdown]
# The class itself stands left of all its mixins, and `setup()` runs before `dispatch()`. Queries there are for
# strangers too, and a 404 from there tells them what exists. Behind the login are `get()`, `post()` and what they
# call.

# %% [markdown] reason="Four questions, each with a full answer."
# **Asked next**
#
# - *Mixin, decorator or base class?* A decorator wraps one function from outside and sees request and response. It
#   stays outside, whatever the order of the bases. A mixin has `self`, so it can fill hooks such as `get_queryset()`.
#   A base class says what a thing is, and stands last.
# - *How does `super()` know what to call?* From two things: the class in whose body it is written, and the type of
#   `self`. It takes the line of the latter and goes on behind the former, so one line of code calls different classes.
# - *`UserPassesTestMixin` twice: why does only one run?* Both have their test in `test_func()`, and the left one hides
#   the right one. There is one `dispatch()` too: the mixin stands once in the line. Chain the tests with `super()`, or
#   write one.
# - *And with `async def get()`?* `LoginRequiredMixin` fails there: its `dispatch()` is synchronous, returns a redirect
#   where an awaitable is expected, and reads the user in the event loop (unless a middleware has read it). Decorate
#   the method: `method_decorator()` takes async ones [since 5.2](https://docs.djangoproject.com/en/5.2/releases/5.2/).

# %% [markdown]
# A decorator on the class, in the order of bases that leaked above. And what a subclass does before `super()`:

# %%
@method_decorator(login_required, name="dispatch")
class Decorated(OrdersPage, LoginRequiredMixin):
    pass


class Sub(Decorated):
    def dispatch(self, request, *args, **kwargs):
        log.append("before the decorator")
        return super().dispatch(request, *args, **kwargs)


log.clear()
for view in (Decorated, Sub):
    with mounted(view):
        print(get("/").status, log)

# %% [markdown]
# The decorator replaces `dispatch()` of the one class it stands at. A subclass is left of that again. Now the same
# `super()` of `GenresMixin`, for two types of `self`:

# %%
class Small(GenresMixin, TemplateView):
    pass


for page in (Front(), Small()):
    print(super(GenresMixin, page).get_context_data.__qualname__)

# %% [markdown]
# Two tests at one door: staff only, and on Mondays only. Today is no Monday. Does ida, who is staff, get in?

# %%
class StaffMixin(UserPassesTestMixin):
    def test_func(self):
        return self.request.user.is_staff


class MondayMixin(UserPassesTestMixin):
    def test_func(self):
        return date(2026, 7, 1).isoweekday() == 1


class Stocktaking(StaffMixin, MondayMixin, OrdersPage):
    pass

# %%
class BothMixin(StaffMixin, MondayMixin):
    def test_func(self):
        return StaffMixin.test_func(self) and MondayMixin.test_func(self)


class Careful(BothMixin, OrdersPage):
    pass


for view in (Stocktaking, Careful):
    with mounted(view):
        print(homes(view, "test_func"), get("/", user="ida").status)

# %% [markdown]
# In the first, nobody asked for the day. The [documentation
# warns](https://docs.djangoproject.com/en/stable/topics/auth/default/#django.contrib.auth.mixins.UserPassesTestMixin).
# Different mixins do add up, since each has a `dispatch()` of its own:

# %%
class Strict(LoginRequiredMixin, PermissionRequiredMixin, OrdersPage):
    permission_required = "orders.view_order"


print(homes(Strict, "dispatch"))
with mounted(Strict):
    print(get("/").status, "|", get("/", user="mira").status)

# %% [markdown]
# Last, the async view. A visitor without a login asks:

# %%
class Waiting(View):
    async def get(self, request):
        return HttpResponse("for customers")


class Mixed(LoginRequiredMixin, Waiting):
    pass


class OnTheMethod(View):
    @method_decorator(login_required)
    async def get(self, request):
        return HttpResponse("for customers")

# %%
for view in (Mixed, OnTheMethod):
    with mounted(view):
        try:
            print(view.__name__, (await AsyncClient().get("/")).status_code)
        except TypeError as error:
            print(view.__name__, type(error).__name__)

# %%
quiz("Q44")

# %% [markdown]
# Now [exercises 16.1 to 16.3](../exercises/16_class_based_views.ipynb).

# %% [markdown]
# ## Q45 · Let a generic view do the usual, and say what differs
#
# *Intermediate · asked as T-I7*
#
# **Say it.** Generic views are classes for what most pages do: show a list or one object; make, change or delete one
# with a form. I name the model or the form and override the hook that differs: `get_queryset()` for which rows,
# `get_context_data()` for what the template gets, `form_valid()` for what a good form does, `get_success_url()` for
# where to go then. They are put together from mixins, and each request gets a new instance. Ownership belongs in
# `get_queryset()`: another's object is a 404.
#
# *What lifts it:* the steps from `setup()` to the template; that a login alone protects no object; and when a function
# is shorter.

# %% [markdown]
# **See it.** Five pages for genres, without a class of one's own: `as_view()` takes values for the attributes. The
# templates are here because the cell has no folder for them; which names do the views ask for?

# %%
form = {"model": Genre, "fields": ["name", "slug"], "success_url": "/"}
patterns = (
    path("", ListView.as_view(model=Genre)),
    path("new/", CreateView.as_view(**form)),
    path("<slug:slug>/", DetailView.as_view(model=Genre)),
    path("<slug:slug>/edit/", UpdateView.as_view(**form)),
    path("<slug:slug>/delete/", DeleteView.as_view(model=Genre, success_url="/")),
)

# %%
def templates(**sources):
    sources = {f"catalog/{name}.html": source for name, source in sources.items()}
    loader = ("django.template.loaders.locmem.Loader", sources)
    backend = "django.template.backends.django.DjangoTemplates"
    return override_settings(TEMPLATES=[{"BACKEND": backend, "OPTIONS": {"loaders": [loader]}}])


pages = templates(
    genre_list="{{ genre_list|length }} genres",
    genre_detail="{{ genre.name }}",
    genre_form="{{ form.errors|length }} errors",
    genre_confirm_delete="Delete {{ genre }}?",
)

# %% [markdown]
# The life of a genre, from the list to the end. What does a form with nothing in it give, and what does a GET of the
# last page delete?

# %%
letters = {"name": "Letters", "slug": "letters"}
with pages, override_settings(ROOT_URLCONF=patterns):
    trip = [get("/"), post("/new/", {}), post("/new/", letters), get("/letters/")]
    trip += [post("/letters/edit/", letters | {"name": "Diaries"}), get("/letters/")]
    trip += [get("/letters/delete/"), post("/letters/delete/"), get("/letters/")]
for reply in trip:
    shown = reply.text if reply.status_code == 200 else ""
    print(reply.request_line, reply.status, getattr(reply, "template_name", [""])[0], shown)

# %% [markdown]
# App, model, suffix: so it is without a `template_name`. A bad form comes back with 200, a good one redirects, and
# deleting is a POST; a link that deletes would be followed by [any program that fetches
# ahead](https://developer.mozilla.org/en-US/docs/Glossary/Safe/HTTP).

# %% [markdown]
# Now the way inside. A mixin that notes each method when somebody asks the view for it, with the class where it is
# written:

# %% reason="A mixin that sees every call: half of it would show nothing."
steps = []


class Traced:
    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name.startswith("_") or not inspect.ismethod(found):
            return found
        home = next(ancestor.__name__ for ancestor in type(self).__mro__ if name in vars(ancestor))

        def noted(*args, **kwargs):
            steps.append(f"{home}.{name}()")
            return found(*args, **kwargs)

        return noted

# %%
def steps_of(view, request, **attributes):
    steps.clear()
    page = type("Page", (Traced, view), {}).as_view(model=Order, slug_field="number", **attributes)
    response = page(request, slug="2026-001400")
    print(*steps, sep="\n")
    return response


response = steps_of(DetailView, RequestFactory().get("/"))
print(response.status_code, response.is_rendered)

# %% [markdown]
# Ten steps, and the answer is a `TemplateResponse` that is not drawn yet: the template runs after the view has
# returned, so a `try` around `get()` does not see its errors. A POST to an `UpdateView`. What happens before the form
# is made, and who saves?

# %% reason="The steps of a POST, in order: the picture of this section."
request = RequestFactory().post("/", {"note": "Ring twice."})
response = steps_of(UpdateView, request, fields=["note"], success_url="/thanks/")
print(response.status_code, Order.objects.get(number="2026-001400").note)
reset()

# %% [markdown]
# First the object, by `get_queryset()`, then the form around it, then `form_valid()`, which saves it and redirects.
# What is called by `super()` is not in the list. Each step is a hook, and so a wish has one place:
#
# | wish | hook |
# | --- | --- |
# | only some rows, joins, order | `get_queryset()` |
# | one more name for the template | `get_context_data()` |
# | the form gets the user | `get_form_kwargs()` |
# | something happens on success | `form_valid()`, with `super()` |
# | where to go then | `get_success_url()` |
# | something before any method, for everybody | `setup()` |
# | who may come in at all | `dispatch()`, in a mixin on the left |

# %% [markdown]
# Why `get_queryset()`, where an attribute `queryset` is shorter? Two visitors. How often is each view asked for the
# date?

# %%
asked = []


def this_month():
    asked.append("date")
    return datetime(2026, 6, 1, tzinfo=timezone.utc)


class Attribute(ListView):
    queryset = Book.objects.filter(added__gte=this_month())


class Method(ListView):
    def get_queryset(self):
        return Book.objects.filter(added__gte=this_month())

# %%
for view in (Attribute, Method):
    before = len(asked)
    with queries(quiet=True) as seen:
        lengths = [len(view.as_view()(RequestFactory().get("/")).context_data["book_list"]) for _ in range(2)]
    print(view.__name__, "asked for the date:", len(asked) - before, "queries:", len(seen), lengths)

# %% [markdown]
# The rows are fresh either way, because `get_queryset()` copies the attribute. The condition is not: it was fixed when
# the class was read, so after a month in production "this month" is an old one. And it knows no `self.request`.
#
# Each request has an instance of its own; the class is everybody's. Three visitors, two lists. How long does each get?

# %%
class Counted(View):
    everybody = []

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.own = []

    def get(self, request):
        self.everybody.append("a visitor")
        self.own.append("a visitor")
        return HttpResponse(f"{len(self.everybody)} {len(self.own)}")


counted = Counted.as_view()
print([counted(RequestFactory().get("/")).text for _ in range(3)])

# %% [markdown]
# What belongs to a request goes on `self`. A list in the body of the class is shared, in every thread of the process.

# %% [markdown]
# **A form that belongs to somebody.** The page must not ask who you are. What becomes of the `customer` that mira
# sends along?

# %%
class Wish(models.Model):
    customer = models.ForeignKey(User, on_delete=models.CASCADE)
    title = models.CharField(max_length=100)

    class Meta:
        app_label = "lab"


class WishCreateView(LoginRequiredMixin, CreateView):
    model = Wish
    fields = ["title"]
    success_url = "/wishes/"

    def form_valid(self, form):
        form.instance.customer = self.request.user
        return super().form_valid(form)

# %%
tomas = User.objects.get(username="tomas")
with override_settings(ROOT_URLCONF=(path("", WishCreateView.as_view()),)):
    print(post("/", {"title": "Emma", "customer": tomas.pk}, user="mira").status)
print(list(Wish.objects.values_list("title", "customer__username")))
try:
    CreateView.as_view(model=Wish)(RequestFactory().get("/"))
except ImproperlyConfigured as error:
    print("without fields:", type(error).__name__)

# %% [markdown]
# It is not among the `fields`, so it is not read; the user comes from the session. Without `fields` there is no form
# at all: Django does not guess what may be written. (Where a check of the form needs the owner, give it an instance in
# `get_form_kwargs()`, as the shop's reviews do: `form_valid()` is too late.)

# %% [markdown]
# **Deleting.** Older advice puts a rule into `delete()`. Since 4.0 a `DeleteView` [has a
# form](https://docs.djangoproject.com/en/stable/ref/class-based-views/generic-editing/#deleteview). Which of the two
# runs for a POST, which for a `DELETE`?

# %%
log = []


class WishDeleteView(DeleteView):
    model = Wish
    success_url = "/wishes/"

    def delete(self, request, *args, **kwargs):
        log.append("delete()")
        return super().delete(request, *args, **kwargs)

    def form_valid(self, form):
        log.append("form_valid()")
        return super().form_valid(form)

# %%
for method in ("post", "delete"):
    wish = Wish.objects.create(customer=tomas, title="Persuasion")
    log.clear()
    with override_settings(ROOT_URLCONF=(path("<int:pk>/", WishDeleteView.as_view()),)):
        getattr(Client(), method)(f"/{wish.pk}/")
    print(method, log, Wish.objects.filter(title="Persuasion").exists())

# %% [markdown]
# One each. A rule in `delete()` is passed over by every form, and a rule in `form_valid()` by a request with the
# method `DELETE`, which needs no more than a line of script. Close that door:

# %%
class Closed(WishDeleteView):
    http_method_names = ["get", "post"]


wish = Wish.objects.create(customer=tomas, title="Persuasion")
with override_settings(ROOT_URLCONF=(path("<int:pk>/", Closed.as_view()),)):
    print(Client().delete(f"/{wish.pk}/").status_code, Client().post(f"/{wish.pk}/").status_code)

# %% [markdown]
# **The trap.** "`LoginRequiredMixin` is there, so the page is safe." It misleads because the page asks for a login and
# gets one. mira has a login of her own:

# %%
class NoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/thanks/"

# %% [markdown]
# Three POSTs of hers: anna's order, one that does not exist, her own. What should the answers be?

# %%
def try_as_mira(view):
    annas, miras = (Order.objects.filter(customer__username=name).latest() for name in ("anna", "mira"))
    numbers = (annas.number, "none", miras.number)
    with override_settings(ROOT_URLCONF=(path("<slug:number>/", view.as_view()),)), queries(quiet=True) as seen:
        statuses = [post(f"/{number}/", {"note": "by mira"}, user="mira").status_code for number in numbers]
    annas.refresh_from_db()
    fetched = [statement for statement in seen if re.match('SELECT.* FROM "orders_order"', statement.sql)]
    print(statuses, "anna's note:", annas.note or "as before", "| orders asked for:", len(fetched))
    reset()


try_as_mira(NoteView)

# %% [markdown]
# A 302 for the first: mira has written on anna's order, whose number she guessed. Who is logged in is one question,
# whose row it is another. Cut the rows down first:

# %%
class OwnMixin(LoginRequiredMixin):
    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user)


class OwnNoteView(OwnMixin, NoteView):
    pass


try_as_mira(OwnNoteView)

# %% [markdown]
# Now another's order and one that does not exist look alike: nothing leaks. Two cures that are worse. One asks in
# `get()`, the other in a `test_func()`. What is wrong with each?

# %%
class AskedOnGet(NoteView):
    def get(self, request, *args, **kwargs):
        if self.get_object().customer != request.user:
            return HttpResponse(status=404)
        return super().get(request, *args, **kwargs)


class Tested(UserPassesTestMixin, NoteView):
    def test_func(self):
        return self.get_object().customer == self.request.user


for view in (AskedOnGet, Tested):
    try_as_mira(view)

# %% [markdown]
# The first guards the page and leaves the POST open. The second holds, but 403 against 404 tells which numbers exist,
# and an order that it lets pass is fetched twice.
#
# A smaller trap: an address by name in the body of a class. It is read when the URLconf imports the view, and the
# URLconf is not done yet:

# %%
site = scratch("mysite")
site.write("mysite/views.py", """
from django.urls import reverse, reverse_lazy
from django.views.generic import FormView


class Contact(FormView):
    success_url = reverse("contact")
""")
site.write("mysite/urls.py", """
from django.urls import path
from mysite.views import Contact

urlpatterns = [path("", Contact.as_view(), name="contact")]
""")

# %%
print(site.output("python manage.py check").splitlines()[-1].partition(" in it")[0])
site.replace("mysite/views.py", "= reverse(", "= reverse_lazy(")
print(site.output("python manage.py check").splitlines()[-1])

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Where do you enforce ownership?* In `get_queryset()`, in a mixin for all views of that model: one place for list,
#   page, form and deletion, and one query. When something is created, the owner comes from the request. The choices of
#   a form's fields are rows too, and want the same filter.
# - *`form_valid()` or `save()`?* What needs the request goes into `form_valid()`: the user, a message, the redirect.
#   What is true of the data goes into the model, best as a constraint, which holds in the admin, the API and the shell
#   as well.
# - *When do generic views become a burden?* When a page has two forms, several models or a flow with branches, and
#   when more is overridden than inherited. Then a function says it in reading order. For the usual with one or two
#   hooks, and for access rules shared by many pages, the class wins.

# %% [markdown]
# The shop has two pages twice, as a function and as a class. The same HTML, the same queries; which is shorter?

# %%
def main(reply):
    return re.search(r"<main.*</main>", reply.text, re.DOTALL)[0]


pairs = ((views.author, listings.AuthorView, "/authors/jane-austen/"), (views.genre, listings.GenreView, "/genres/satire/"))
for function, view, url in pairs:
    with queries(quiet=True) as as_function:
        page = get(url)
    with queries(quiet=True) as as_class:
        same = main(get(f"{url}books/")) == main(page)
    lines = [len(inspect.getsource(one).splitlines()) for one in (function, view)]
    print(same, len(as_function), len(as_class), "lines:", *lines)

# %% [markdown]
# The function, both times. `GenreView` lists books where its address names a genre, and forgives bad page numbers: two
# wishes that `ListView` does not have, paid for with three hooks. The shop's four pages for reviews go the other way:
# they share their rules in mixins (`storefront/reviewing.py`).

# %% [markdown]
# **Versions.** `RedirectView` is generic too. On 6.1 it can keep method and body with `preserve_request`, and joins
# two queries with `&`; 5.2 writes a second question mark:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    moved = RedirectView.as_view(url="/books/?in_stock=on", query_string=True, preserve_request=True)
    response = moved(RequestFactory().get("/old/?page=2"))
    print(response.status_code, response.url)
else:
    print("Django 6.1 prints 307 /books/?in_stock=on&page=2")

# %%
quiz("Q45")

# %% [markdown]
# Now [exercises 16.4 to 16.6](../exercises/16_class_based_views.ipynb).

# %% [markdown]
# ## Q46 · Cut a result into pages, and know what each one costs
#
# *Intermediate · asked as T-I10*
#
# **Say it.** Pagination shows a result in parts, so that a request stays small, however much there is. `Paginator`
# takes a queryset and a size; a page is a slice, `LIMIT` and `OFFSET`, and the number of pages costs one `COUNT`.
# `page()` raises on a bad number, `get_page()` makes the best of it. The order has to be total, or rows may come twice
# and others never. Far pages are slow, since the database reads what it skips; keyset pagination asks for what comes
# after a row.
#
# *What lifts it:* a tie in the order gives no warning; when the count costs more than the page; and what keyset
# pagination cannot do.

# %% [markdown]
# **See it.** Page 2 of the titles. How many queries, and which?

# %%
titles = Book.objects.order_by("title", "pk").only("title")
with queries():
    page = Paginator(titles, 10).page(2)
    found = list(page)

# %% [markdown]
# The count comes first: it decides whether there is a page 2. What an address may hold as a number, and what the two
# methods make of it. Which page is page 0?

# %%
paginator = Paginator(titles, 10)
print(paginator.count, paginator.num_pages)
for number in ("2", 2.5, "two", None, "0", "-1", "99"):
    try:
        strict = paginator.page(number).number
    except InvalidPage as error:
        strict = type(error).__name__
    print(f"{number!r:6} page(): {strict!s:16} get_page(): {paginator.get_page(number).number}")

# %% [markdown]
# What is no whole number becomes page 1; what is out of range becomes the last page, 0 and -1 too. (What the errors
# say is set by
# [`error_messages`](https://docs.djangoproject.com/en/stable/ref/paginator/#django.core.paginator.Paginator.error_messages),
# since 5.0.) `ListView` with `paginate_by` is strict in its own way:

# %%
books = ListView.as_view(model=Book, ordering=["title", "pk"], paginate_by=10)
for number in ("17", "last", "18", "two"):
    try:
        context = books(RequestFactory().get("/", {"page": number})).context_data
        print(number, context["page_obj"].number, len(context["object_list"]), context["is_paginated"])
    except Http404:
        print(number, "404")

# %% [markdown]
# **Links** have to keep the rest of the query. Two ways to page 3 of a search; the
# [tag](https://docs.djangoproject.com/en/stable/ref/templates/builtins/#querystring) is there since 5.1, and reads
# `request`. What is lost in the first?

# %%
links = engines["django"].from_string("""?page={{ page.next_page_number }}
{% querystring page=page.next_page_number %}
{% for number in numbers %}{{ number }} {% endfor %}""")
numbers = paginator.get_elided_page_range(9, on_each_side=1, on_ends=1)
request = RequestFactory().get("/?q=war+%26+peace&page=2")
print(links.render({"page": paginator.page(2), "numbers": numbers}, request))

# %% [markdown]
# The search. (`&amp;` is the `&` of HTML.)
#
# **The price of a far page.** 100,000 order lines, 25 on a page. Is the 4,000th dearer than the first?

# %%
lines = OrderLine.objects.order_by("pk")


def seconds(step):
    return min(repeat(step, number=3, repeat=20))


pages = Paginator(lines, 25)
first = seconds(lambda: list(lines[:25]))
far = seconds(lambda: list(lines[99_975:100_000]))
print(pages.count, pages.num_pages, far > first)

# %% [markdown]
# It is, by a factor that depends on the machine and on what else it does. To compare ways, count the work. SQLite can
# [call a function](https://www.sqlite.org/c3ref/progress_handler.html) after every ten steps of its own:

# %%
def work(step):
    calls = []
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: calls.append(1), 10)
    step()
    connection.connection.set_progress_handler(None, 0)
    return len(calls)


first = work(lambda: list(lines[:25]))
far = work(lambda: list(lines[99_975:100_000]))
print(far > 100 * first, work(lambda: list(lines[49_975:50_000])) < 0.6 * far)

# %% [markdown]
# More than 100 times as much, and half of it half-way: it grows with the number of the page. Ask instead for what
# comes after the last row that was seen:

# %%
seen_last = lines[99_974].pk
behind = lines.filter(pk__gt=seen_last)
after = work(lambda: list(behind[:25]))
print(list(behind[:25]) == list(lines[99_975:100_000]), after < 2 * first)
explain(lines[99_975:100_000])
explain(behind[:25])

# %% [markdown]
# `SCAN` walks from the beginning, `SEARCH` goes to the place. PostgreSQL says how many rows it touched, so here is the
# price as a number. The same three pages, of 100,000 visits:

# %%
def rows_read(queryset):
    plan = json.loads(queryset.explain(analyze=True, format="json"))[0]["Plan"]
    return int(plan["Plans"][0]["Actual Rows"])


FILL = """
INSERT INTO accounts_visit (user_id, at)
SELECT 1 + n % 150, timestamptz '2026-01-01 UTC' + n / 3 * interval '1 minute' FROM generate_series(1, 100000) AS n
"""

# %%
if postgres.available():
    with postgres():
        with connection.cursor() as cursor:
            cursor.execute(FILL)
        visits = Visit.objects.order_by("pk")
        edge = visits[99_974].pk
        three = (visits[:25], visits[99_975:100_000], visits.filter(pk__gt=edge)[:25])
        print([rows_read(page) for page in three])
else:
    print(postgres.why_not())

# %% [markdown]
# 25, 100,000, 25. That is offset against keyset. A key alone is seldom the order that people want. Books by the day
# they came, newest first, ten on a page, continued after the last day seen. Does the walk pass all 166?

# %%
def walk(books, behind):
    found = list(books[:10])
    while part := list(books.filter(behind(found[-1]))[:10]):
        found += part
    return len({book.pk for book in found})


books = Book.objects.order_by("-added", "-pk")
print(walk(books, lambda last: Q(added__lt=last.added)))
print(walk(books, lambda last: Q(added__lt=last.added) | Q(added=last.added, pk__lt=last.pk)))

# %% [markdown]
# Mostly five books came at once, and the first walk loses those of the day on which a page ends. The order needs a
# column that is unique, and the condition needs all columns of the order. For speed it needs an index over them, and
# the first column once more by itself. Why?

# %%
by_date = models.Index(fields=["placed_at", "id"], name="order_by_date")
with connection.schema_editor() as editor:
    editor.add_index(Order, by_date)
orders = Order.objects.order_by("-placed_at", "-pk")
last = orders[30_000]
behind = Q(placed_at__lt=last.placed_at) | Q(placed_at=last.placed_at, pk__lt=last.pk)
explain(orders.filter(behind)[:25])
explain(orders.filter(behind, placed_at__lte=last.placed_at)[:25])

# %% [markdown]
# SQLite makes no range of the index out of the `OR`; `placed_at <= …`, which says nothing new, is one. The shop's
# `Keyset` writes both parts, and gives a signed cursor for the link:

# %%
keyset = Keyset(Order.objects.all(), ("-placed_at", "-id"), per_page=25)
with queries(quiet=True) as seen:
    page = keyset.page()
    following = keyset.page(page.after)
print(len(seen), len(page.rows), following.rows == list(orders[25:50]))
reset()

# %% [markdown]
# One query for each page, without a count. And while people read, rows come and go. A book is added between page 1 and
# page 2, on both ways:

# %%
books = Book.objects.order_by("-added", "-pk")
first_page = list(books[:10])
Book.objects.create(title="Sanditon", slug="sanditon", author_id=1, price=7)
by_offset = list(books[10:20])
last = first_page[-1]
by_keyset = list(books.filter(Q(added__lt=last.added) | Q(added=last.added, pk__lt=last.pk))[:10])
print([len(set(first_page) & set(page)) for page in (by_offset, by_keyset)])
reset()

# %% [markdown]
# Everything has moved down by one, and one book is shown twice. The other way round, a genre of the first page is
# deleted. Which one comes next?

# %%
genres = Genre.objects.order_by("name", "pk")
shown = list(genres[:5])
print("after", shown[-1].name, "comes", genres[5].name)
shown[0].delete()
print("by offset:", genres[5].name, "| by keyset:", genres.filter(name__gt=shown[-1].name)[0].name)
reset()

# %% [markdown]
# By offset one is never shown. (The name is unique, so it is a keyset by itself.)

# %% [markdown]
# **The trap.** "Without an order the rows come as they were put in." It misleads because a small table often does
# behave so. Django warns, once it can see it. Which of these four?

# %%
lists = {
    "no order": Genre.objects.order_by(),
    "Meta.ordering": Order.objects.all(),
    "the same, grouped": Order.objects.annotate(amount=Sum("lines__amount")),
    "order_by language": Book.objects.order_by("language"),
}
for name, queryset in lists.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Paginator(queryset, 10)
    print(f"{name:18}", queryset.ordered, [warning.category.__name__ for warning in caught])

# %% [markdown]
# `Meta.ordering` does not count where rows are grouped, and the warning notices. The last has an order and no warning,
# and yet most of its books are equals. All 17 pages on PostgreSQL, collected:

# %%
print(Book.objects.filter(language="English").count(), "of", Book.objects.count())


def collected(queryset):
    return len({book.pk for page in Paginator(queryset, 10) for book in page})


if postgres.available():
    with postgres():
        for order in (["language"], ["language", "pk"]):
            print(order, "all 166:", collected(Book.objects.order_by(*order)) == 166)
else:
    print(postgres.why_not())

# %% [markdown]
# Each page is a query of its own, and equals [come in any
# order](https://www.postgresql.org/docs/current/queries-limit.html). So on
# [SQLite](https://www.sqlite.org/lang_select.html#the_order_by_clause). End every order with a unique column.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Offset or keyset?* Offset where people jump to page 7, sort by any column and the list is short: the admin, a
#   search with few pages. Keyset for what is long or moves: feeds, exports, an API. Its price: a fixed, indexed, total
#   order without NULL, no page numbers, no "page 7 of 4,004".
# - *How do you avoid the `COUNT`?* Fetch one row more than is shown: it tells whether there is a next page. Or count
#   to a limit and say "more than 1,000"; keep the count in the cache; take PostgreSQL's
#   [estimate](https://www.postgresql.org/docs/current/catalog-pg-class.html), which knows whole tables
#   only. `Paginator` asks its `count`, which a subclass may answer.
# - *Async pagination in 6.0?* The plain one counts in the event loop, and Django refuses. `AsyncPaginator` has the
#   same methods with an `a`: `await paginator.aget_page(2)`. Rows are fetched by `await page.aget_object_list()` or
#   `async for`. Templates cannot await, so hand over a list. On 5.2: `acount()` and a slice, by hand.

# %% [markdown]
# Lines with more than one copy: no index knows them. The page is found at once, the count reads everything. Three ways
# to know less:

# %%
several = lines.filter(quantity__gt=1)
page, count = work(lambda: list(several[:25])), work(lambda: several.count())
limited = work(lambda: several[:1_001].count())
print("the count for a page:", count > 50 * page, "up to a limit:", limited < count / 5, several[:1_001].count())
with queries():
    several[:1_001].count()

# %% [markdown]
# A count up to a limit stops there. One row more than is shown needs no count at all; a subclass of `Paginator` may
# count as it likes:

# %%
def page_of(queryset, number, per_page=25):
    start = (number - 1) * per_page
    rows = list(queryset[start : start + per_page + 1])
    return rows[:per_page], len(rows) > per_page


class ThousandPaginator(Paginator):
    @cached_property
    def count(self):
        return self.object_list[:1_000].count()


with queries(quiet=True) as seen:
    found = [page_of(Book.objects.order_by("title", "pk"), number) for number in (1, 7)]
print(len(seen), [(len(rows), more) for rows, more in found])
print(ThousandPaginator(several, 25).num_pages)

# %% [markdown]
# One query each. In an async view the shop's list of new arrivals does it on both versions. How many queries, and does
# the page say how many pages there are?

# %%
with queries(quiet=True) as seen:
    reply = get("/arrivals/?page=2")
print(reply.status, len(seen), inspect.iscoroutinefunction(listings.arrivals))
found = await listings.numbered_page(Book.objects.newest(), "2", 24)
print(len(found["books"]), found["number"], found["last"], found["next"])

# %% [markdown]
# **Versions.** `AsyncPaginator` is new in 6.0. What is forbidden before the rows are there?

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.core.paginator import AsyncPaginator

    page = await AsyncPaginator(Book.objects.order_by("title", "pk"), 10).aget_page("last")
    try:
        len(page)
    except TypeError as error:
        print(error)
    print(page.number, len(await page.aget_object_list()), await page.ahas_next())
else:
    print("Django 6.1 prints the error, then 1 10 True")

# %% [markdown]
# `orphans` is how many rows are too few for a last page of their own: they join the one before. As many as a page has,
# or more, makes no sense, and 6.0 deprecates it; 5.2 says nothing:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        paginator = Paginator([1, 2, 3], 2, orphans=2)
    print([warning.category.__name__.startswith("RemovedIn") for warning in caught], paginator.num_pages)
else:
    print("Django 6.1 prints [True] 1")

# %%
quiz("Q46")

# %% [markdown]
# Now [exercises 16.7 to 16.9](../exercises/16_class_based_views.ipynb), then chapter [17 · The admin](17_admin.ipynb).
