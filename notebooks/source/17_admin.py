# %% [markdown]
# # 17 · The admin
#
# After this chapter you can give staff a back office with the rights they need and no more, cure the queries of a
# list, say what its history leaves out, harden it, and shape it.
#
# *Questions: Q47 what the admin is · Q48 ways to customise it.* Predict each output before you run its cell.
# [Exercises 17.1 to 17.10](../exercises/17_admin.ipynb) follow.

# %% reason="the imports of a chapter about the framework with the most parts"
from checks import quiz
from lab import get, post, queries, reset, serve, start

start()

# Django is set up now, so its models can be imported.
import re
from inspect import signature
from ipaddress import ip_address, ip_network
from unittest import mock

import django
from accounts.models import User
from asgiref.sync import iscoroutinefunction
from catalog.models import Book, Contribution, Contributor, Genre, PriceChange
from catalog.prices import record_price
from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Count, Sum
from django.forms import Script
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path, resolve, reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from orders.models import Invoice, Order, Payment

# %% [markdown]
# ## Q47 · Give staff a back office with Django's admin
#
# *Basic · asked as T05*
#
# **Say it.** The admin is a site that Django builds from the models: for each one that I register, a list with search
# and filters, forms to add, change and delete, and a history. It is for staff whom one trusts, not for customers. To
# come in, a user must be active and have `is_staff`. What they find there depends on the permissions to view, add,
# change and delete each kind of row. A class, `ModelAdmin`, says how the pages of a model look and what they allow.
#
# *What lifts it:* the queries of a list; what the history does not hold; that most of its hardening stands in front of
# it; and that work in steps, such as packing an order, deserves views of its own.

# %% [markdown]
# **See it.** Live, as boss, a superuser, sees it. Open a list, change something, look at its history; the link above
# the window opens it in a tab of its own. It shows the data of this notebook, and its session is one of these rows: a
# `reset()` further down takes it away. After *Run All*, or when you see a login form or a 404, run this cell again.

# %%
reset()
User.objects.create_superuser("boss")
serve("/admin/", user="boss")

# %% [markdown]
# A model that is registered gets a `ModelAdmin`, and that has pages. Which ones does a genre get, and are their views
# coroutines? `PriceChange` has a composite primary key; can it be registered?

# %%
print([pattern.name for pattern in admin.site.get_model_admin(Genre).urls])
print(iscoroutinefunction(resolve("/admin/catalog/genre/").func))
try:
    admin.site.register(PriceChange)
except ImproperlyConfigured:
    print("PriceChange is refused")

# %% [markdown]
# Five pages; the sixth pattern sends old addresses on. The views are synchronous, so [under
# ASGI](https://docs.djangoproject.com/en/stable/topics/async/#async-views) they run in a thread.

# %% [markdown]
# Who is let in? anna is a customer, odd a superuser whom nobody made staff, ida staff without a single permission:

# %%
reset()
User.objects.create_superuser("boss")
User.objects.create_user("odd", is_superuser=True)
for name in (None, "anna", "odd", "ida", "boss"):
    reply = get("/admin/catalog/book/", user=name)
    print(f"{name!s:5} {reply.status_code} {reply.headers.get('Location', '')}")

# %% [markdown]
# Two questions, one after the other. May you come in at all? `is_active and is_staff`, or off to the login: all the
# permissions there are do not help odd. May you do this? Otherwise 403. Now ida may look at books, and no more:

# %%
ida = User.objects.get(username="ida")
ida.user_permissions.add(Permission.objects.get(codename="view_book"))
page = get("/admin/catalog/book/4/change/", user="ida")
print(page.status, "Emma" in page.text, 'name="_save"' in page.text, 'name="title"' in page.text)
print(post("/admin/catalog/book/4/change/", {"title": "Ema"}, user="ida").status)

# %% [markdown]
# The same address shows text instead of fields, and what is posted there is refused. What does she see of the rest of
# the site?

# %%
for app in get("/admin/", user="ida").context["app_list"]:
    print(app["app_label"], [model["object_name"] for model in app["models"]])
for place in ("catalog/genre", "accounts", "nothing"):
    print(place, get(f"/admin/{place}/", user="ida").status)

# %% [markdown]
# The index names what she may see. The rest is 403, and an app without anything for her 404, like a page that does not
# exist. Permissions come to people best [by
# groups](https://docs.djangoproject.com/en/stable/topics/auth/default/#groups).

# %% [markdown]
# Every change through a form leaves a `LogEntry`: who, when, what. What does it say about a genre that boss renames?

# %%
renamed = {"name": "Novel of manners", "slug": "novel-of-manners"}
print(post("/admin/catalog/genre/1/change/", renamed, user="boss").status)
entry = LogEntry.objects.first()
print(entry.user, entry.get_action_flag_display(), entry.object_repr, sep=" | ")
print(entry.get_change_message())

# %% [markdown]
# **What a list costs.** A list with ten books, then with fifty; only the columns differ. `author` is a foreign key,
# `author__country` a column behind it, which `list_display` takes since 5.1. Which of them grows?

# %%
client = Client()
client.force_login(User.objects.get(username="boss"))


def costs(**options):
    site = admin.AdminSite()
    site.register(Book, **options)
    counts = []
    for rows in (10, 50):
        with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)), queries(quiet=True) as seen:
            client.get(f"/admin/catalog/book/?pk__lte={rows}")
        counts.append(len(seen))
    return counts

# %%
print("title          ", costs(list_display=["title"]))
print("author         ", costs(list_display=["title", "author"]))
print("author__country", costs(list_display=["title", "author__country"]))

# %% [markdown]
# Five queries are session, user, two counts and the rows. `author` is a foreign key that is never NULL, and stands in
# the list itself: there Django joins. A path behind it asks for no join, so alone it is a query per row. The cure says
# which relations to join:

# %%
print(costs(list_display=["title", "author", "author__country"]))
print(costs(list_display=["title", "author__country"], list_select_related=["author"]))

# %% [markdown]
# Now the half cure. `publisher` is a foreign key in the list as well, and only `author` is named. Predict:

# %%
both = ["title", "author", "publisher"]
print(costs(list_display=both, list_select_related=["author"]))
print(costs(list_display=both, list_select_related=["author", "publisher"]))

# %% [markdown]
# What you name takes the place of what Django would have joined, so name all of them. And a column that counts, which
# no join cures:

# %%
class Counting(admin.ModelAdmin):
    list_display = ["title", "helpers"]

    def helpers(self, book):
        return book.contributors.distinct().count()


class Annotated(Counting):
    def get_queryset(self, request):
        return super().get_queryset(request).annotate(helper_count=Count("contributors", distinct=True))

    def helpers(self, book):
        return book.helper_count

# %%
print(costs(admin_class=Counting), costs(admin_class=Annotated))

# %% [markdown]
# **The trap.** "The admin gives CRUD over the models", says a widely read list. Over registered models, to staff, each
# with permissions: you have seen four who did not get it. From this belief comes a hole. ida is to help customers, so
# she gets `change_user`, with Django's own page:

# %%
reset()
ida = User.objects.get(username="ida")
ida.user_permissions.set(Permission.objects.filter(codename="change_user"))
site = admin.AdminSite()
site.register(User, UserAdmin)
form = {"username": "ida", "is_staff": "on", "is_active": "on", "is_superuser": "on"}
form |= {"date_joined_0": "2026-01-01", "date_joined_1": "12:00"}
with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
    print(post(f"/admin/accounts/user/{ida.pk}/change/", form, user="ida").status_code)
print(User.objects.get(username="ida").is_superuser)

# %% [markdown]
# Who may change users may make themselves superuser: [Django says
# so](https://docs.djangoproject.com/en/stable/topics/auth/default/#managing-users-in-the-admin), and leaves it to you.
# The shop's page refuses the accounts of staff, and shows rights as text:

# %%
reset()
ida.user_permissions.set(Permission.objects.filter(codename="change_user"))
anna, ida = User.objects.get(username="anna"), User.objects.get(username="ida")
print(post(f"/admin/accounts/user/{ida.pk}/change/", form, user="ida").status)
fields = get(f"/admin/accounts/user/{anna.pk}/change/", user="ida").context["adminform"].form.fields
print("first_name" in fields, "is_superuser" in fields, "user_permissions" in fields)

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Who can log in to the admin?* Whoever is active and `is_staff`, by any backend; a superuser without it cannot.
#   There is no second login: the session is the shop's, so staff who are logged in there are in here.
# - *How do you keep an audit trail?* `LogEntry` is a history for people: names of fields, no values, only what the
#   admin's pages write into it, or you, and it goes with its user. For evidence keep rows of your own, written in the
#   same transaction or by a trigger, and deactivate people instead of deleting them.
# - *How do you harden the admin (2FA, path, IP)?* First in front of it: VPN or allowed addresses at the proxy, HTTPS.
#   Then a second factor, with a package such as [django-otp](https://django-otp-official.readthedocs.io/), a limit on
#   guesses, few superusers. Another path, `ADMIN_PATH` in the shop, keeps noise away, and stops nobody who knows it.

# %% [markdown]
# The audit trail, tried. boss renames a genre on its page, then a script does. How many entries, and how many when
# boss is deleted?

# %%
reset()
boss = User.objects.create_superuser("boss")
post("/admin/catalog/genre/1/change/", renamed, user="boss")
Genre.objects.filter(pk=1).update(name="Satire of manners")
print(LogEntry.objects.count(), LogEntry.objects.get().change_message)
boss.delete()
print(LogEntry.objects.count())

# %% [markdown]
# A second factor and an office network, in the one place that every page asks. What may someone see who is outside, or
# has not verified?

# %%
class Vault(admin.AdminSite):
    def has_permission(self, request):
        inside = ip_address(request.META["REMOTE_ADDR"]) in ip_network("10.0.0.0/8")
        return super().has_permission(request) and inside and "verified" in request.session


def visit(address, verified):
    client = Client(REMOTE_ADDR=address)
    client.force_login(User.objects.get(username="boss"))
    session = client.session
    session.update({"verified": True} if verified else {})
    session.save()
    return [client.get(f"/admin/{page}").status_code for page in ("", "login/")]

# %%
reset()
User.objects.create_superuser("boss")
with override_settings(ROOT_URLCONF=(path("admin/", Vault().urls),)):
    print(visit("10.1.2.3", verified=False))
    print(visit("10.1.2.3", verified=True))
    print(visit("203.0.113.9", verified=True))

# %% [markdown]
# The pages are closed, and the login form is open to the world: it is the one view that has to be. That is why
# addresses are a matter for the proxy; behind one, `REMOTE_ADDR` is the proxy's anyway. The form itself is for
# guessing. Five wrong passwords, then the right one, with the shop's `login_form` and with Django's:

# %%
def guess():
    client = Client()
    for password in ["persuade"] * 5 + ["persuasion"]:
        client.post("/admin/login/", {"username": "boss", "password": password})
    cache.clear()
    return get_user(client).is_authenticated


boss = User.objects.get(username="boss")
boss.set_password("persuasion")
boss.save()
print("the shop's:", guess())
with mock.patch.object(admin.site, "login_form", None):
    print("Django's:  ", guess())

# %% [markdown]
# Django has no limit of its own. And whoever knocks does not learn which pages there are: their addresses send
# strangers to the login, and so do addresses where nothing is:

# %%
for place in ("catalog/book/", "catalog/book/4/change/", "no/such/page/"):
    print(get(f"/admin/{place}")["Location"])

# %% [markdown]
# **Versions.** A nullable foreign key in `list_display`, and no `list_select_related`. 5.2 calls `select_related()`
# without names, which leaves nullable ones out: `[15, 55]`. 6.1 joins by name, and deprecates `list_select_related =
# True`:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    reset()
    client.force_login(User.objects.create_superuser("boss"))
    print(costs(list_display=["title", "publisher"]))
else:
    print("Django 6.1 prints [5, 5]")

# %% [markdown]
# New in 6.0: `AdminSite.password_change_form`, for a form of your own where staff change their password. It is `None`,
# and then Django's is taken:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    print(admin.site.password_change_form)
else:
    print("Django 6.1 prints None")

# %%
quiz("Q47")

# %% [markdown]
# Now [exercises 17.1 to 17.4](../exercises/17_admin.ipynb).

# %% [markdown]
# ## Q48 · Shape the admin with options, methods and templates
#
# *Intermediate · asked as A9*
#
# **Say it.** In three rings. Options of the `ModelAdmin` say what a list shows, filters and searches, which fields and
# inlines a form has, and which actions there are. Methods, most with the request at hand, decide the rest:
# `get_queryset()` for whose rows these are, `has_change_permission()` for one object, `save_model()` for who did it,
# `get_urls()` for pages of one's own, wrapped in `admin_view()`. Around them are templates, scripts and styles in an
# inner class `Media`, and an `AdminSite` of one's own, with its login and its registry.
#
# *What lifts it:* what a hook does not cover: an action that calls `update()` passes by `save()`, the one that deletes
# passes by the model's `delete()`, and hidden rows can still be chosen elsewhere; and the queries that facets,
# searches and inlines cost.

# %% [markdown]
# **See it.** The shop's list of orders, live, as ida sees it, who is a manager here: filters, dates, search, actions,
# and lines inside of an order. Cells below change her rights, and the addresses of the whole kernel while they run:
# after *Run All*, or when the window says 403 or 404, run this cell again. A browser has one session for both windows:
# whom you served last is logged in.

# %%
reset()
ida, boss = User.objects.get(username="ida"), User.objects.create_superuser("boss")
ida.groups.add(Group.objects.get(name="Managers"))
serve("/admin/orders/order/", user="ida")

# %% [markdown]
# For what follows, a site with nothing but the pages of a cell, and the text of a column:

# %%
def site(*pages):
    own = admin.AdminSite()
    for model, page in pages:
        own.register(model, page)
    return override_settings(ROOT_URLCONF=(path("admin/", own.urls),))


def column(reply, name):
    cells = re.findall(f'class="field-{name}[^"]*">(.*?)</t[dh]>', reply.text)
    return [re.sub(r'<img[^>]*alt="(\w+)">|<[^>]+>', r"\1", cell) for cell in cells]

# %% [markdown]
# **Columns.** A path over a relation (5.1), and two methods that say how they are shown and sorted. Three Japanese
# books, one of them without a year: in which order does `o=-3` put them, the third column downwards?

# %%
class Aged(admin.ModelAdmin):
    list_display = ["title", "author__country", "age", "cheap"]
    list_select_related = ["author"]

    @admin.display(ordering="-published", empty_value="nobody knows")
    def age(self, book):
        return book.published and 2026 - book.published

    @admin.display(description="below 8.00", boolean=True)
    def cheap(self, book):
        return book.price < 8

# %%
with site((Book, Aged)):
    page = get("/admin/catalog/book/?language=Japanese&o=-3", user="boss")
for name in ("title", "age", "cheap"):
    print(column(page, name))
print("sortable:", re.findall(r'class="sortable column-(\w+)', page.text))

# %% [markdown]
# The database sorts, so a method needs `ordering`, a column or an expression; `cheap` has none, and no link. The
# opposite of `-published` is the oldest first, and before that, on SQLite, the one without a year.

# %% [markdown]
# **Filters and facets.** A filter of one's own is two methods, and a choice may count its rows, since 5.0: a facet.
# What does a list cost without and with them?

# %%
class LengthFilter(admin.SimpleListFilter):
    title, parameter_name = "length", "length"

    def lookups(self, request, model_admin):
        return [("short", "Up to 200 pages"), ("long", "More"), ("none", "Nobody counted")]

    def queryset(self, request, books):
        chosen = {"short": {"pages__lte": 200}, "long": {"pages__gt": 200}, "none": {"pages": None}}
        return books.filter(**chosen.get(self.value(), {}))


class Filtered(admin.ModelAdmin):
    list_filter = [LengthFilter, "genres", "in_print"]

# %%
client = Client()
client.force_login(boss)
with site((Book, Filtered)):
    print(get("/admin/catalog/book/?length=short", client=client).context["cl"].result_count)
    for query in ("", "?_facets=True"):
        with queries(quiet=True) as seen:
            page = get(f"/admin/catalog/book/{query}", client=client)
        print(len(seen), re.findall(r"(?:Up to|More|Nobody)[^<]*?(?=\s*<)", page.text))

# %% [markdown]
# Three facets, six queries more. Each counts all rows of the list, not those of the page, and each builds all filters
# anew, so the choices of `genres` are fetched three times again. By default somebody has to ask for them;
# `admin.ShowFacets.NEVER` keeps them away from a large table, `ALWAYS` is for small ones.

# %% [markdown]
# On a large table the two counts hurt as well. One of them is for a number alone, that of all rows in "8 results (166
# total)":

# %%
class Large(admin.ModelAdmin):
    show_full_result_count = False


for page in (admin.ModelAdmin, Large):
    with site((Book, page)), queries(quiet=True) as seen:
        get("/admin/catalog/book/", client=client)
    print(len(seen), sum("COUNT(" in query.sql for query in seen))

# %% [markdown]
# **Search.** Each word has to be found in one of `search_fields`; a path may lead to many rows. This list sums the
# lines of an order. It is right until somebody searches:

# %%
class Summed(admin.ModelAdmin):
    list_display = ["number", "amount"]
    search_fields = ["number", "lines__book__title"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(found=Sum("lines__amount"))

    def amount(self, order):
        return f"{order.found:.2f}"

# %%
with site((Order, Summed)):
    for query in ("?number=2024-000001", "?q=2024-000001"):
        print(column(get(f"/admin/orders/order/{query}", user="boss"), "amount"))
print(column(get("/admin/orders/order/?q=2024-000001", user="boss"), "amount"))

# %% [markdown]
# Three lines, joined a second time for the search: each amount counts three times. The shop's own page, the last line,
# sums in a `Subquery`, which no join touches.

# %% [markdown]
# **Inlines.** The rows of a book's contributors, inside of its page. Anna Karenina has one, War and Peace three. What
# does each way cost?

# %%
class Plain(admin.TabularInline):
    model, extra = Contribution, 0


class Joined(Plain):
    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")


class Searched(Joined):
    autocomplete_fields = ["contributor"]


class Fixed(Joined):
    def has_change_permission(self, request, obj=None):
        return False

# %%
class ContributorPage(admin.ModelAdmin):
    search_fields = ["family_name"]


get("/admin/catalog/book/4/change/", client=client)
for inline in (Plain, Joined, Searched, Fixed):
    page = type("BookPage", (admin.ModelAdmin,), {"fields": ["title"], "inlines": [inline]})
    counts = []
    for title in ("Anna Karenina", "War and Peace"):
        pk = Book.objects.get(title=title).pk
        with site((Book, page), (Contributor, ContributorPage)), queries(quiet=True) as seen:
            get(f"/admin/catalog/book/{pk}/change/", client=client)
        counts.append(len(seen))
    print(inline.__name__, counts)

# %% [markdown]
# Two queries per row: the contributor, for the row's text, and the choices of its field. Joining saves the first. The
# choices stay: a list of all contributors in every row. Autocomplete sends small pages, and still asks once per row,
# for the one chosen. Rows that are added and removed, not edited, need no choices: constant.

# %% [markdown]
# **Actions** get the selected rows as a queryset. `permissions` decides who sees one, here by
# `has_change_permission()`:

# %%
@admin.action(description="Take out of print", permissions=["change"])
def retire(page, request, books):
    with transaction.atomic():
        changed = list(books.filter(in_print=True))
        Book.objects.filter(pk__in=[book.pk for book in changed]).update(in_print=False)
        LogEntry.objects.log_actions(request.user.pk, changed, CHANGE, "Taken out of print.")
    page.message_user(request, f"Out of print now: {len(changed)}.")


class Retiring(admin.ModelAdmin):
    actions = [retire]

# %% [markdown]
# ida gets the permission to view, and posts what boss posts. Which books are out of print in the end, and does a
# history tell?

# %%
ida.groups.clear()
ida.user_permissions.set(Permission.objects.filter(codename="view_book"))
with site((Book, Retiring)):
    for name, pk in (("ida", 1), ("boss", 2)):
        post("/admin/catalog/book/", {"action": "retire", "_selected_action": [pk]}, user=name)
print(Book.objects.filter(pk__in=[1, 2], in_print=False))
print(LogEntry.objects.values_list("object_repr", "change_message"))

# %% [markdown]
# The entry is there because `retire` wrote it. An action of your own logs nothing by itself, the list runs it in no
# transaction, and nobody is asked about single rows. Django brings one along that does log and ask. Does it call the
# model's `delete()`?

# %%
with mock.patch.object(Genre, "delete", autospec=True) as delete:
    data = {"action": "delete_selected", "_selected_action": [7, 8], "post": "yes"}
    post("/admin/catalog/genre/", data, user="boss")
    print(delete.called, Genre.objects.filter(pk__in=[7, 8]).exists())
    post("/admin/catalog/genre/9/delete/", {"post": "yes"}, user="boss")
    print(delete.called)

# %% [markdown]
# No: `delete_selected` is one `queryset.delete()`, which sends signals and [does not
# call](https://docs.djangoproject.com/en/stable/ref/contrib/admin/actions/) your `delete()`. The page for one object
# does. What has to happen either way goes into `delete_queryset()` as well, into the queryset's own `delete()`, or to
# a receiver of `post_delete`, which hears of both.

# %% [markdown]
# **Saving.** `save_model()` has what the model does not: the request and the form. Here a changed price goes into the
# book's history, as the shop's page does it:

# %%
class Priced(admin.ModelAdmin):
    fields = ["price"]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if "price" in form.changed_data:
            record_price(obj)


emma = Book.objects.get(slug="emma")
with site((Book, Priced)):
    for price in (emma.price, "9.75"):
        post(f"/admin/catalog/book/{emma.pk}/change/", {"price": price}, user="boss")
        print(emma.price_changes.count(), emma.price_changes.latest().price)

# %% [markdown]
# **For one object.** `has_change_permission()` answers two questions: may they at all, and, with an order in hand, may
# they change this one? Booksellers of the shop work on orders until these are shipped:

# %%
ida.groups.set([Group.objects.get(name="Booksellers")])
for status in ("paid", "shipped"):
    order = Order.objects.filter(status=status).first()
    page = get(f"/admin/orders/order/{order.pk}/change/", user="ida")
    print(status, page.status, 'name="_save"' in page.text)

# %% [markdown]
# **Pages of one's own.** Three addresses for the same view; the first is not wrapped, the last stands behind Django's
# own. Who gets in where?

# %%
def turnover(request):
    return HttpResponse("21,521.25")


class Reporting(admin.ModelAdmin):
    def get_urls(self):
        wrapped = self.admin_site.admin_view(turnover)
        own = [path("open/", turnover), path("wrapped/", wrapped)]
        return [*own, *super().get_urls(), path("late/", wrapped)]

# %%
ida.groups.clear()
with site((Book, Reporting)):
    for name in (None, "anna", "ida"):
        replies = [get(f"/admin/catalog/book/{page}/", user=name) for page in ("open", "wrapped", "late")]
        print(name, *[reply.headers.get("Location", reply.text) for reply in replies])

# %% [markdown]
# [`admin_view()`](https://docs.djangoproject.com/en/stable/ref/contrib/admin/#django.contrib.admin.ModelAdmin.get_urls)
# makes it a page of the admin: for those whom the site lets in, with CSRF, not cached. It asks for no permission, and
# ida has none here: ask yourself, as the shop's report does. Behind Django's own URLs the address is taken for the key
# of a book.

# %% [markdown]
# **The trap.** "Add JavaScript through the `js` parameter", says a widely read list, "a list of URLs that point to
# JavaScript modules". Try the parameter. What becomes of it?

# %%
def scripts(media):
    return [line for line in media.render().splitlines() if "counter" in line]


own = admin.AdminSite()
own.register(Book, js=["catalog/counter.js"])
print(scripts(own.get_model_admin(Book).media))

# %% [markdown]
# Nothing, and nobody complains: options become attributes of the class, whatever they are called. `js` belongs into an
# inner class `Media`, of the page, a form or a widget. And are those modules?

# %%
class Scripted(admin.ModelAdmin):
    class Media:
        css = {"all": ["catalog/counter.css"]}
        js = ["catalog/counter.js", "https://cdn.example/counter.js"]
        js += [Script("counter/module.js", type="module")]


print(*scripts(Scripted(Book, own).media), sep="\n")

# %% [markdown]
# Relative paths go through `static()`, URLs stay. They are classic scripts; `Script` (5.2) sets attributes such as
# `type="module"`. The shop's widget brings its own, so that each page that has the field has the script, once:

# %%
for name in ("book", "genre"):
    print(name, scripts(get(f"/admin/catalog/{name}/add/", user="boss").context["media"]))

# %% [markdown]
# The second trap is worse. Staff read what customers wrote, with the rights of staff. Three columns show the note of
# an order. Which of them runs what is in it?

# %%
class Notes(admin.ModelAdmin):
    list_display = ["plain", "marked", "formatted"]

    def plain(self, order):
        return f"<b>{order.note}</b>"

    def marked(self, order):
        return mark_safe(f"<b>{order.note}</b>")

    def formatted(self, order):
        return format_html("<b>{}</b>", order.note)

# %%
Order.objects.filter(pk=1).update(note="<script>steal()</script>")
with site((Order, Notes)):
    page = get("/admin/orders/order/?pk=1", user="boss")
print(*re.findall(r'class="field-(\w+)">(?:<a[^>]*>)?(.*?)(?:</a>)?</t[dh]>', page.text), sep="\n")

# %% [markdown]
# A column is escaped unless it is marked as safe. `mark_safe` promises that you have seen to it; `format_html` escapes
# what it puts in.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How do you restrict rows per user?* `get_queryset()` of the `ModelAdmin`: list, search, actions, addresses and
#   autocomplete all begin there. Not the choices of other pages: restrict them in their `formfield_for_foreignkey()`,
#   which also decides what a forged form may choose.
# - *Override a template vs `ModelAdmin` hook?* For what is shown or allowed, a hook: it is Python, documented and easy
#   to test. For where something stands on a page, a block in a template of one model, found by its name. Extend
#   Django's template; a copy of it stays what it was when Django's changes.
# - *Second `AdminSite`: why?* Other people, other models, another login: it has a registry, a name, `has_permission()`
#   and templates of its own. It is no fence: the permissions are the same in both, and so is the session.

# %% [markdown]
# Rows of mira alone. What does ida see in the list, at another invoice's address, and in the form for payments?

# %%
class Mine(admin.ModelAdmin):
    def get_queryset(self, request):
        return super().get_queryset(request).filter(order__customer__username="mira")


class Paying(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]


class PayingMine(Paying):
    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "invoice":
            page = self.admin_site.get_model_admin(Invoice)
            kwargs["queryset"] = page.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

# %%
ida.user_permissions.set(Permission.objects.filter(content_type__app_label="orders"))
foreign = Invoice.objects.exclude(order__customer__username="mira").first()
payment = {"order": foreign.order_id, "invoice": foreign.pk}
payment |= {"method": "card", "received_on": "2026-07-01", "amount": 1}
for page in (Paying, PayingMine):
    with site((Invoice, Mine), (Payment, page)):
        listed = get("/admin/orders/invoice/", user="ida").context["cl"].result_count
        address = get(f"/admin/orders/invoice/{foreign.pk}/change/", user="ida")["Location"]
        form = get("/admin/orders/payment/add/", user="ida").context["adminform"].form
        sent = post("/admin/orders/payment/add/", payment, user="ida").status_code
    print(listed, address, form.fields["invoice"].queryset.count(), sent)

# %% [markdown]
# With the first page ida chooses among all, and the payment is taken (302). With the second there is one to choose,
# and the form comes back (200). `autocomplete_fields` alone does not help: its search is restricted, its field takes
# any key.

# %% [markdown]
# Templates. These names are tried for a list; the shop fills one in for its sales, and adds a button with a block:

# %%
page = get("/admin/orders/booksales/", user="boss")
print(get("/admin/catalog/book/", user="boss").template_name)
print(page.template_name, reverse("admin:orders_booksales_report") in page.text)

# %% [markdown]
# And a second site, for journalists: who is in the group `Press` comes in, staff or not, and reads books.

# %%
class PressSite(admin.AdminSite):
    site_header = "Press office"
    login_form = AuthenticationForm

    def has_permission(self, request):
        return request.user.is_active and request.user.groups.filter(name="Press").exists()


press = PressSite(name="press")
press.register(Book)
group = Group.objects.create(name="Press")
group.permissions.add(Permission.objects.get(codename="view_book"))
User.objects.get(username="anna").groups.add(group)

# %%
with override_settings(ROOT_URLCONF=(path("admin/", admin.site.urls), path("press/", press.urls))):
    for name in ("anna", "boss"):
        print(name, [get(f"/{place}/catalog/book/", user=name).status_code for place in ("press", "admin")])
    print(reverse("admin:index"), reverse("press:index"), reverse("admin:index", current_app="press"))

# %% [markdown]
# boss is no journalist, and is sent away, superuser or not. `reverse("admin:…")` means the site called `admin`, unless
# `current_app` says which. Why the `login_form`? anna has a password here. Which form takes it?

# %%
anna = User.objects.get(username="anna")
anna.set_password("persuasion")
anna.save()
for form in (AdminAuthenticationForm, AuthenticationForm):
    print(form.__name__, form(data={"username": "anna", "password": "persuasion"}).is_valid())

# %% [markdown]
# The admin's own form takes staff alone, whatever the site's `has_permission()` says.

# %% [markdown]
# **Versions.** New in 6.1: an action on the page of a single object, by `location`. On 5.2 `admin.action()` does not
# know the argument, and a button needs a template and a view:

# %% tags=["since-6.1"] reason="The action, the page and its choices belong together."
if django.VERSION >= (6, 1):
    places = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]

    @admin.action(description="Praise it", description_plural="Praise them", location=places)
    def praise(page, request, books):
        page.message_user(request, f"Praised: {books.get()}")

    with site((Book, type("Praising", (admin.ModelAdmin,), {"actions": [praise]}))):
        for place in ("", "4/change/"):
            form = get(f"/admin/catalog/book/{place}", user="boss").context["action_form"]
            print(form.fields["action"].choices[-1][1])
else:
    print("Django 6.1 prints Praise them, then Praise it")

# %% [markdown]
# More of 6.1: `delete_confirmation_max_display` shortens the list of what goes along when something is deleted, and
# `forms.Stylesheet` does for styles what `Script` does. Whoever overrides `get_actions(request)` has to take
# `action_location` as well, or is warned:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(admin.ModelAdmin.delete_confirmation_max_display, hasattr(forms, "Stylesheet"))
    print(list(signature(admin.ModelAdmin.get_actions).parameters))
else:
    print("Django 6.1 prints None True, then ['self', 'request', 'action_location']")

# %%
quiz("Q48")

# %% [markdown]
# Now [exercises 17.5 to 17.10](../exercises/17_admin.ipynb), then chapter [18 · Authentication and
# sessions](18_authentication_and_sessions.ipynb).
