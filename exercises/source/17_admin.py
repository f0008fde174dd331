# %%
from checks import check, hint, solution
from lab import get, post, start

start()

# Django is set up now, so its models can be imported.
import csv
import re
import time
from ipaddress import ip_address, ip_network

from accounts.models import User
from catalog.models import Author, Book, Contribution, Contributor, Genre
from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from orders.models import Invoice, Order, Payment
from reviews.models import Review

# %% [markdown] exercise="17.1"
# ### 17.1 A list without a query per row
#
# Write `BookPage`, the `ModelAdmin` of a list of books with six columns, in this order: the title, the author, the
# author's country, the publisher, how many live reviews the book has (not withdrawn), and how many people contributed
# to it, each counted once. A click on the heading of a count sorts by it. The list takes as many queries for many books
# as for two.

# %% exercise="17.1" role="check"
from html import unescape


def observe(answer):
    with uncounted():
        boss = User.objects.create_superuser("boss")
        books = list(Book.objects.order_by("pk")[:60])
        people = [Contributor.objects.create(given_name=name, family_name="Proof") for name in ("One", "Two")]
        for role in ("translator", "editor"):
            Contribution.objects.create(book=books[3], contributor=people[0], role=role)
        Contribution.objects.create(book=books[3], contributor=people[1], role="editor")
        readers = [User.objects.create_user(f"reader{number}") for number in range(3)]
        reviews = [Review.objects.create(thing=books[3], reviewer=reader, stars=4, text="Good") for reader in readers]
        reviews[0].delete()
    site = admin.AdminSite()
    site.register(Book, answer)
    client = Client()
    client.force_login(boss)

    def listed(query):
        page = client.get(f"/admin/catalog/book/{query}").content.decode()
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.partition("<tbody>")[2].partition("</tbody>")[0], re.DOTALL)
        cells = [re.findall(r'<t[dh] class="field-[^"]*">(.*?)</t[dh]>', row, re.DOTALL) for row in rows]
        return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() or "-" for cell in row] for row in cells]

    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        keys = [",".join(str(book.pk) for book in books[:number]) for number in (2, len(books))]
        rows = sorted(listed(f"?pk__in={keys[1]}"))
        seen = [(row[0], f"column {number}", cell) for row in rows for number, cell in enumerate(row, 1)]
        for column in (5, 6):
            rows = listed(f"?pk__in={keys[1]}&o=-{column}")
            seen.append((f"column {column} downwards", [row[column - 1] for row in rows if len(row) == 6]))
        counts = []
        for key in keys:
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/admin/catalog/book/?pk__in={key}")
            counts.append(len(queries))
    return [*seen, ("queries that more books cost", counts[1] - counts[0])]

# %% exercise="17.1" role="answer" seconds=20
class BookPage(admin.ModelAdmin):
    # solution
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)
        people = Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    @admin.display(description="reviews", ordering="live")
    def review_count(self, book):
        return book.live

    @admin.display(description="people", ordering="people")
    def people_count(self, book):
        return book.people
    # end


check("17.1")

# %% exercise="17.1" role="alternative" note="Subqueries are worked out for the rows of the page alone, where nothing sorts by them, and a search that joins cannot multiply them. The better choice for a large table."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "country", "publisher", "live_reviews", "people"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        reviews = Review.objects.filter(book=OuterRef("pk")).order_by().values("object_id")
        people = Contribution.objects.filter(book=OuterRef("pk")).order_by().values("book")
        return super().get_queryset(request).annotate(
            review_number=Coalesce(Subquery(reviews.annotate(n=Count("pk")).values("n")), 0),
            people_number=Coalesce(Subquery(people.annotate(n=Count("contributor", distinct=True)).values("n")), 0),
        )

    def country(self, book):
        return book.author.country

    @admin.display(ordering="review_number")
    def live_reviews(self, book):
        return book.review_number

    @admin.display(ordering="people_number")
    def people(self, book):
        return book.people_number

# %% exercise="17.1" role="mistake" says="Each row asks for its counts: two queries per book. Let the list's own query count, in `get_queryset()`."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)
        people = Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    @admin.display(ordering="live")
    def review_count(self, book):
        return book.reviews.count()

    @admin.display(ordering="people")
    def people_count(self, book):
        return book.contributors.distinct().count()

# %% exercise="17.1" role="mistake" says="`author__country` in `list_display` joins nothing by itself: a query per row. Name the relations in `list_select_related`."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author_name", "author__country", "publisher", "review_count", "people_count"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)
        people = Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    def author_name(self, book):
        return book.author

    @admin.display(ordering="live")
    def review_count(self, book):
        return book.live

    @admin.display(ordering="people")
    def people_count(self, book):
        return book.people

# %% exercise="17.1" role="mistake" says="With `author` named, Django joins the author alone: each publisher is a query. Name all that the columns touch."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)
        people = Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    @admin.display(ordering="live")
    def review_count(self, book):
        return book.live

    @admin.display(ordering="people")
    def people_count(self, book):
        return book.people

# %% exercise="17.1" role="mistake" says="Two counts over two joins multiply each other: three people and two reviews become six of each. `distinct=True` counts every row once."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None))
        return super().get_queryset(request).annotate(live=live, people=Count("contributors"))

    @admin.display(ordering="live")
    def review_count(self, book):
        return book.live

    @admin.display(ordering="people")
    def people_count(self, book):
        return book.people

# %% exercise="17.1" role="mistake" says="Reviews that were withdrawn are counted: a join goes by the table, and does not know the manager that hides them. Say it in the count's `filter`."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        live, people = Count("reviews", distinct=True), Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    @admin.display(ordering="live")
    def review_count(self, book):
        return book.live

    @admin.display(ordering="people")
    def people_count(self, book):
        return book.people

# %% exercise="17.1" role="mistake" says="The numbers are right, and nothing can be sorted by them: a method needs `@admin.display(ordering=…)`."
class BookPage(admin.ModelAdmin):
    list_display = ["title", "author", "author__country", "publisher", "review_count", "people_count"]
    list_select_related = ["author", "publisher"]

    def get_queryset(self, request):
        live = Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)
        people = Count("contributors", distinct=True)
        return super().get_queryset(request).annotate(live=live, people=people)

    def review_count(self, book):
        return book.live

    def people_count(self, book):
        return book.people

# %% exercise="17.1" role="hint"
# What is joined needs `list_select_related`, what is counted an annotation in `get_queryset()`.
# %% exercise="17.1" role="hint"
# Two counts in one query: `Count("reviews", filter=Q(reviews__withdrawn=None), distinct=True)`, and another over `contributors`.

# %% [markdown] exercise="17.2"
# ### 17.2 Who may do what with a genre
#
# Write `GenrePage`. All staff may look at genres, whatever permissions they have, and find them on the index of the
# site. Changing takes the permission `catalog.change_genre`, as ever. Nobody adds a genre here. Deleting takes
# `catalog.delete_genre`, and a genre with books stays, whoever asks, on its page as in the list's action.

# %% exercise="17.2" role="check"
def observe(answer):
    with uncounted():
        full = Genre.objects.filter(books__isnull=False).order_by("pk").first()
        book = full.books.first()
        empty = [Genre.objects.create(name=f"Empty {number}", slug=f"empty-{number}") for number in range(3)]
        people = {}
        for name, staff, codename in (
            ("a customer", False, "change_genre"),
            ("staff", True, None),
            ("staff who may change", True, "change_genre"),
            ("staff who may delete", True, "delete_genre"),
            ("staff who may add", True, "add_genre"),
        ):
            people[name] = User.objects.create_user(name.replace(" ", "-"), is_staff=staff)
            people[name].user_permissions.set(Permission.objects.filter(codename=codename))
        people["a superuser"] = User.objects.create_superuser("boss")
    site = admin.AdminSite()
    site.register(Genre, answer)
    seen = []
    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        for name, person in people.items():
            client = Client()
            client.force_login(person)
            index = client.get("/admin/")
            seen.append((name, "finds genres on the index", "/admin/catalog/genre/" in index.content.decode()))
            for page in ("", f"{full.pk}/change/", "add/", f"{full.pk}/delete/", f"{empty[0].pk}/delete/"):
                seen.append((name, page or "list", client.get(f"/admin/catalog/genre/{page}").status_code))
            client.post(f"/admin/catalog/genre/{full.pk}/change/", {"name": f"By {name}", "slug": "changed"})
            seen.append((name, "changed it", Genre.objects.filter(name=f"By {name}").exists()))
            for doomed in ([full.pk], [empty[1].pk, full.pk]):
                data = {"action": "delete_selected", "_selected_action": doomed, "post": "yes"}
                client.post("/admin/catalog/genre/", data)
            client.post(f"/admin/catalog/genre/{full.pk}/delete/", {"post": "yes"})
            seen.append((name, "the genre with books is there", Genre.objects.filter(pk=full.pk).exists()))
            Genre(pk=full.pk, name="Full again", slug="full-again").save()
            full.books.add(book)
            Genre.objects.get_or_create(pk=empty[1].pk, name="Empty 1", slug="empty-1")
            data = {"action": "delete_selected", "_selected_action": [empty[1].pk], "post": "yes"}
            client.post("/admin/catalog/genre/", data)
            seen.append((name, "the empty one is there", Genre.objects.filter(pk=empty[1].pk).exists()))
            Genre.objects.get_or_create(pk=empty[1].pk, name="Empty 1", slug="empty-1")
    return seen

# %% exercise="17.2" role="answer" seconds=20
class GenrePage(admin.ModelAdmin):
    # solution
    def has_module_permission(self, request):
        return request.user.is_staff

    def has_view_permission(self, request, obj=None):
        return request.user.is_staff

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.books.exists())
    # end


check("17.2")

# %% exercise="17.2" role="alternative" note="The site has asked for staff before any page is reached, so a plain True will do here. It stops doing so where the page is registered at a site that lets others in."
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        if obj is not None and Book.objects.filter(genres=obj).exists():
            return False
        return request.user.has_perm("catalog.delete_genre")

# %% exercise="17.2" role="mistake" says="The list opens for all staff, and nobody finds it: the index asks `has_module_permission()`, which asks for a permission of the app."
class GenrePage(admin.ModelAdmin):
    def has_view_permission(self, request, obj=None):
        return request.user.is_staff

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or not obj.books.exists())

# %% exercise="17.2" role="mistake" says="All staff may delete now: your answer takes the place of Django's, and does not ask for `catalog.delete_genre` any more. Ask `super()` first."
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return obj is None or not obj.books.exists()

# %% exercise="17.2" role="mistake" says="A genre with books can be deleted on its page: the methods get the object for a reason. Look at `obj.books`."
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

# %% exercise="17.2" role="mistake" says="Without an object the answer is no, so the action is gone from the list, and empty genres cannot be deleted there. Without an object the question is: may they at all?"
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and obj is not None and not obj.books.exists()

# %% exercise="17.2" role="mistake" says="All staff change genres: to look is another permission. Leave `has_change_permission()` as it is, and override `has_view_permission()`."
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_change_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or not obj.books.exists())

# %% exercise="17.2" role="mistake" says="The page refuses, and the list's action deletes all the same: it goes through `delete_queryset()` and asks `has_delete_permission()` for each object. Put the rule there."
class GenrePage(admin.ModelAdmin):
    def has_module_permission(self, request):
        return True

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request):
        return False

    def delete_view(self, request, object_id, extra_context=None):
        if Book.objects.filter(genres=object_id).exists():
            raise PermissionDenied
        return super().delete_view(request, object_id, extra_context)

# %% exercise="17.2" role="hint"
# Five questions, five methods: `has_module_permission`, and `has_…_permission` for view, add, change and delete.
# %% exercise="17.2" role="hint"
# `has_delete_permission(request, obj=None)` is asked without an object for the list, and with each object before it goes.

# %% [markdown] exercise="17.3"
# ### 17.3 The office, and a second factor
#
# Write `OfficeSite`, an `AdminSite` that lets in whom Django lets in, if three more things hold: the request's own
# address (`REMOTE_ADDR`) is in the networks `10.0.0.0/8` or `172.16.0.0/12`; the session has `verified_at`, the second
# when the second factor was given, as `time.time()` has it; and that is at most eight hours ago. An empty address, as a
# server behind a Unix socket has, is not in the office.

# %% exercise="17.3" role="check"
def observe(answer):
    with uncounted():
        people = {
            "boss": User.objects.create_superuser("boss"),
            "staff": User.objects.create_user("clerk", is_staff=True),
            "customer": User.objects.create_user("customer", is_superuser=True),
        }
    now = time.time()
    hour = 3600
    times = {"just now": now, "7.9 hours ago": now - 7.9 * hour, "8.1 hours ago": now - 8.1 * hour, "never": None}
    visits = [(name, "10.1.2.3", "just now", {}) for name in people]
    addresses = ("10.255.0.1", "172.16.0.1", "172.31.255.255", "172.32.0.1", "172.1.1.1", "100.1.2.3", "110.0.0.1")
    visits += [("boss", address, "just now", {}) for address in (*addresses, "203.0.113.9", "", "fd00::1")]
    visits += [("boss", "10.1.2.3", moment, {}) for moment in times]
    visits += [("boss", "203.0.113.9", "just now", {"HTTP_X_FORWARDED_FOR": "10.1.2.3"})]
    visits += [("boss", "10.1.2.3", "just now", {"HTTP_X_FORWARDED_FOR": "203.0.113.9"})]
    site = answer()
    site.register(Book)
    seen = []
    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        for name, address, moment, headers in visits:
            client = Client(REMOTE_ADDR=address, **headers)
            client.force_login(people[name])
            session = client.session
            if times[moment] is not None:
                session["verified_at"] = times[moment]
            session.save()
            seen.append((name, address, f"verified {moment}", *headers.values(), client.get("/admin/").status_code))
        seen.append(("a stranger", "10.1.2.3", Client(REMOTE_ADDR="10.1.2.3").get("/admin/").status_code))
    return seen

# %% exercise="17.3" role="answer" seconds=20
class OfficeSite(admin.AdminSite):
    # solution
    office = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]

    def has_permission(self, request):
        if not super().has_permission(request):
            return False
        try:
            address = ip_address(request.META.get("REMOTE_ADDR", ""))
        except ValueError:
            return False
        recent = time.time() - request.session.get("verified_at", 0) <= 8 * 3600
        return recent and any(address in network for network in self.office)
    # end


check("17.3")

# %% exercise="17.3" role="alternative" note="Each condition by itself, with a name: easier to test, and to replace by a package for second factors."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


def in_office(request):
    text = request.META.get("REMOTE_ADDR")
    return bool(text) and any(ip_address(text) in network for network in OFFICE)


def verified(request):
    moment = request.session.get("verified_at")
    return moment is not None and moment >= time.time() - 8 * 60 * 60


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        return super().has_permission(request) and in_office(request) and verified(request)

# %% exercise="17.3" role="mistake" says="Whoever sits in the office and has verified comes in, customers included: your method takes the place of Django's. Ask `super().has_permission(request)` as well."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        text = request.META.get("REMOTE_ADDR")
        inside = bool(text) and any(ip_address(text) in network for network in OFFICE)
        return inside and time.time() - request.session.get("verified_at", 0) <= 8 * 3600

# %% exercise="17.3" role="mistake" says="`X-Forwarded-For` is a header, and anybody can send one: from outside, with an office address in it, boss comes in. Believe it only from a proxy of yours."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        forwarded = request.headers.get("X-Forwarded-For", request.META.get("REMOTE_ADDR", ""))
        text = forwarded.split(",")[0].strip()
        inside = bool(text) and any(ip_address(text) in network for network in OFFICE)
        recent = time.time() - request.session.get("verified_at", 0) <= 8 * 3600
        return super().has_permission(request) and inside and recent

# %% exercise="17.3" role="mistake" says="Addresses are compared as text: `172.` has 256 networks, of which 16 are meant. `ip_address(…) in ip_network(…)` knows the bits."
class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        inside = request.META.get("REMOTE_ADDR", "").startswith(("10.", "172."))
        recent = time.time() - request.session.get("verified_at", 0) <= 8 * 3600
        return super().has_permission(request) and inside and recent

# %% exercise="17.3" role="mistake" says="Once verified, for ever: the moment is in the session, and nobody looks at it. Compare it with `time.time()`."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        text = request.META.get("REMOTE_ADDR")
        inside = bool(text) and any(ip_address(text) in network for network in OFFICE)
        return super().has_permission(request) and inside and "verified_at" in request.session

# %% exercise="17.3" role="mistake" says="An empty address is no address, and `ip_address` raises for it: each page answers 500. Refuse what cannot be read."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        address = ip_address(request.META["REMOTE_ADDR"])
        recent = time.time() - request.session.get("verified_at", 0) <= 8 * 3600
        return super().has_permission(request) and any(address in network for network in OFFICE) and recent

# %% exercise="17.3" role="mistake" says="Either of them is enough here: in the office without a second factor, or verified from a café. Both have to hold."
OFFICE = [ip_network("10.0.0.0/8"), ip_network("172.16.0.0/12")]


class OfficeSite(admin.AdminSite):
    def has_permission(self, request):
        text = request.META.get("REMOTE_ADDR")
        inside = bool(text) and any(ip_address(text) in network for network in OFFICE)
        recent = time.time() - request.session.get("verified_at", 0) <= 8 * 3600
        return super().has_permission(request) and (inside or recent)

# %% exercise="17.3" role="hint"
# `has_permission(request)` is what every page of the site asks. `super()` knows who is staff.
# %% exercise="17.3" role="hint"
# `ip_address(text) in ip_network("10.0.0.0/8")`; a text that is none raises `ValueError`. A missing moment may count as 0, which is long ago.

# %% [markdown] exercise="17.4"
# ### 17.4 Many changes, one entry each
#
# Write `deactivate(by, users)` for a queryset of users. It sets `is_active` to False for those of them who are active
# and not staff, leaves one `LogEntry` for each whom it changed, by the user `by`, which reads "Changed Active." in the
# history, and returns how many those are. Whoever was inactive before has no entry. The number of queries does not grow
# with the users. If anything fails, nothing has happened, and the caller gets the error.

# %% exercise="17.4" role="check"
from unittest import mock


def observe(answer):
    with uncounted():
        boss = User.objects.create_superuser("boss")
        names = [f"customer{number}" for number in range(12)]
        people = [User.objects.create_user(name) for name in names]
        User.objects.filter(pk=people[1].pk).update(is_active=False)
        User.objects.filter(pk=people[2].pk).update(is_staff=True)
        LogEntry.objects.log_actions(boss.pk, people[:1], CHANGE, "before")
    counts = []
    seen = []
    for chosen in (names[:5], names[3:12], []):
        with CaptureQueriesContext(connection) as queries:
            returned = answer(boss, User.objects.filter(username__in=chosen).order_by("username"))
        statements = [query["sql"].split()[0] for query in queries]
        counts.append(sum(word in ("SELECT", "UPDATE", "INSERT") for word in statements))
        seen.append((f"returned for {len(chosen)} users", returned))
        with uncounted():
            for user in people:
                user.refresh_from_db()
                entries = LogEntry.objects.filter(object_id=str(user.pk)).exclude(change_message="before")
                said = [
                    (str(entry.user), entry.get_change_message(), entry.object_repr, entry.action_flag, str(entry.content_type))
                    for entry in entries.order_by("pk")
                ]
                seen.append((user.username, "active" if user.is_active else "not active", said))
    seen.append(("queries that four more users cost", max(0, counts[1] - counts[0])))
    with uncounted():
        User.objects.filter(username__in=names).update(is_active=True)
    with mock.patch.object(type(LogEntry.objects), "bulk_create", side_effect=RuntimeError, create=True):
        with mock.patch.object(LogEntry, "save", side_effect=RuntimeError):
            try:
                answer(boss, User.objects.filter(username__in=names[5:9]))
                seen.append(("the log cannot be written", "no error"))
            except RuntimeError:
                seen.append(("the log cannot be written", "an error"))
    with uncounted():
        active = User.objects.filter(username__in=names[5:9], is_active=True).count()
    return [*seen, ("active, after the log could not be written", active)]

# %% exercise="17.4" role="answer" seconds=20
def deactivate(by, users):
    # solution
    with transaction.atomic():
        closed = list(users.filter(is_active=True, is_staff=False))
        User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
        LogEntry.objects.log_actions(by.pk, closed, CHANGE, [{"changed": {"fields": ["Active"]}}])
    return len(closed)
    # end


check("17.4")

# %% exercise="17.4" role="alternative" note="On a database with row locks, `select_for_update()` keeps two people from both closing, and both logging, the same account. On SQLite it changes nothing."
@transaction.atomic
def deactivate(by, users):
    closed = list(users.select_for_update().filter(is_active=True).exclude(is_staff=True))
    for user in closed:
        user.is_active = False
    User.objects.bulk_update(closed, ["is_active"])
    if closed:
        LogEntry.objects.log_actions(by.pk, closed, CHANGE, "Changed Active.")
    return len(closed)

# %% exercise="17.4" role="mistake" says="After the `UPDATE` the same queryset is asked again, and finds nobody active any more: no entries. Remember who they are before you change them."
def deactivate(by, users):
    with transaction.atomic():
        closed = users.filter(is_active=True, is_staff=False)
        number = closed.update(is_active=False)
        LogEntry.objects.log_actions(by.pk, list(closed), CHANGE, [{"changed": {"fields": ["Active"]}}])
    return number

# %% exercise="17.4" role="mistake" says="All who were selected have an entry, also those who were inactive, or staff. Log what was changed."
def deactivate(by, users):
    with transaction.atomic():
        selected = list(users)
        number = users.filter(is_active=True, is_staff=False).update(is_active=False)
        LogEntry.objects.log_actions(by.pk, selected, CHANGE, [{"changed": {"fields": ["Active"]}}])
    return number

# %% exercise="17.4" role="mistake" says="User by user: two queries for each. One `UPDATE` and `log_actions()` with all of them is enough."
@transaction.atomic
def deactivate(by, users):
    closed = list(users.filter(is_active=True, is_staff=False))
    for user in closed:
        user.is_active = False
        user.save(update_fields=["is_active"])
        LogEntry.objects.log_actions(by.pk, [user], CHANGE, [{"changed": {"fields": ["Active"]}}])
    return len(closed)

# %% exercise="17.4" role="mistake" says="The accounts are closed although the log could not be written: two statements, and nothing holds them together. Use `transaction.atomic()`."
def deactivate(by, users):
    closed = list(users.filter(is_active=True, is_staff=False))
    User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
    LogEntry.objects.log_actions(by.pk, closed, CHANGE, [{"changed": {"fields": ["Active"]}}])
    return len(closed)

# %% exercise="17.4" role="mistake" says="The log could not be written, and nobody is told: whoever calls takes 0 for an answer. The block undoes the rest by itself; let the error out."
def deactivate(by, users):
    try:
        with transaction.atomic():
            closed = list(users.filter(is_active=True, is_staff=False))
            User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
            LogEntry.objects.log_actions(by.pk, closed, CHANGE, [{"changed": {"fields": ["Active"]}}])
    except Exception:
        return 0
    return len(closed)

# %% exercise="17.4" role="mistake" says="Staff are deactivated as well. They are not meant, and one of them could be you."
def deactivate(by, users):
    with transaction.atomic():
        closed = list(users.filter(is_active=True))
        User.objects.filter(pk__in=[user.pk for user in closed]).update(is_active=False)
        LogEntry.objects.log_actions(by.pk, closed, CHANGE, [{"changed": {"fields": ["Active"]}}])
    return len(closed)

# %% exercise="17.4" role="hint"
# `LogEntry.objects.log_actions(user_id, objects, CHANGE, message)` writes one entry for each object, in one query.
# %% exercise="17.4" role="hint"
# The message `[{"changed": {"fields": ["Active"]}}]` reads "Changed Active.", in the reader's language.

# %% [markdown] exercise="17.5"
# ### 17.5 A filter over a relation
#
# Write `OrdersFilter` for the list of users: `?ordered=never` for those without an order, `once` for those with exactly
# one, `more` for those with two or more; cancelled orders count too. Its title is "orders", its choices read "Never",
# "Once", "More than once". Anything else in the address filters nothing. Each user is listed once, and the counts that
# `?_facets=True` shows are right.

# %% exercise="17.5" role="check"
def observe(answer):
    with uncounted():
        boss = User.objects.create_superuser("boss")
        for name, number in (("proof-none", 0), ("proof-one", 1), ("proof-three", 3)):
            user = User.objects.create_user(name)
            for count in range(number):
                status = Order.Status.CANCELLED if count == 0 else Order.Status.OPEN
                Order.objects.create(number=f"{name}-{count}", customer=user, status=status, placed_at="2026-06-01T12:00Z")
    seen = []
    for extra in ([], ["is_active"]):
        site = admin.AdminSite()
        options = {"list_filter": [answer, *extra], "list_per_page": 500, "list_max_show_all": 500, "ordering": ["pk"]}
        site.register(User, type("UserPage", (admin.ModelAdmin,), options))
        with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
            for value in (None, "never", "once", "more", "nonsense", ""):
                query = {} if value is None else {"ordered": value}
                page = get("/admin/accounts/user/", query, user=boss)
                listed = page.status_code == 200
                found = [user.pk for user in page.context["cl"].result_list] if listed else ["an error", page.status]
                seen.append((f"?ordered={value}", len(found), found))
            page = get("/admin/accounts/user/", {"_facets": "True"}, user=boss).text
            texts = re.findall(r">\s*([^<>]*?)\s*</a>", page.partition('id="changelist-filter"')[2])
            seen += [("facet", text) for text in texts if text.startswith(("Never", "Once", "More"))]
            page = get("/admin/accounts/user/", {"ordered": "once"}, user=boss).text
            chosen = re.findall(r'<li class="selected">\s*<a[^>]*>\s*([^<]*?)\s*</a>', page)
            seen.append(("chosen", chosen[:1]))
            seen.append(("title", "By orders" in page))
    return seen

# %% exercise="17.5" role="answer" seconds=20
class OrdersFilter(admin.SimpleListFilter):
    # solution
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        if self.value() == "never":
            return queryset.filter(orders=None)
        counted = Order.objects.order_by().values("customer").annotate(number=Count("pk")).values("customer")
        if self.value() == "once":
            return queryset.filter(pk__in=counted.filter(number=1))
        if self.value() == "more":
            return queryset.filter(pk__in=counted.filter(number__gt=1))
        return queryset
    # end


check("17.5")

# %% exercise="17.5" role="alternative" note="Shorter: the count is an annotation of the list's own query, which groups the users. A list that annotates counts of its own needs `distinct=True` in both."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return (("never", "Never"), ("once", "Once"), ("more", "More than once"))

    def queryset(self, request, queryset):
        wanted = {"never": {"order_number": 0}, "once": {"order_number": 1}, "more": {"order_number__gte": 2}}
        if self.value() in wanted:
            return queryset.annotate(order_number=Count("orders")).filter(**wanted[self.value()])

# %% exercise="17.5" role="mistake" says="A join to many lists a user once for each order. Count in a subquery, or group the users."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        several = Order.objects.order_by().values("customer").annotate(number=Count("pk")).filter(number__gt=1)
        if self.value() == "never":
            return queryset.filter(orders__isnull=True)
        if self.value() == "once":
            return queryset.filter(orders__isnull=False).exclude(pk__in=several.values("customer"))
        if self.value() == "more":
            return queryset.filter(orders__isnull=False, pk__in=several.values("customer"))
        return queryset

# %% exercise="17.5" role="mistake" says="What stands in the address is written by whoever likes: with `?ordered=nonsense` the list is empty, or an error. Return the queryset as it is."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        counted = queryset.annotate(order_number=Count("orders"))
        if self.value() is None:
            return queryset
        if self.value() == "never":
            return counted.filter(order_number=0)
        if self.value() == "once":
            return counted.filter(order_number=1)
        return counted.filter(order_number__gt=1) if self.value() == "more" else queryset.none()

# %% exercise="17.5" role="mistake" says="Cancelled orders are left out: somebody who ordered once and cancelled counts as one who never ordered."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        wanted = {"never": {"order_number": 0}, "once": {"order_number": 1}, "more": {"order_number__gte": 2}}
        counted = Count("orders", filter=~Q(orders__status="cancelled"))
        if self.value() in wanted:
            return queryset.annotate(order_number=counted).filter(**wanted[self.value()])

# %% exercise="17.5" role="mistake" says="`request.GET` knows the address alone, and a facet asks for each choice in turn, in an address without one: every count is that of all users. `self.value()` knows which choice is meant."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        wanted = {"never": {"order_number": 0}, "once": {"order_number": 1}, "more": {"order_number__gte": 2}}
        chosen = request.GET.get("ordered")
        if chosen in wanted:
            return queryset.annotate(order_number=Count("orders")).filter(**wanted[chosen])
        return queryset

# %% exercise="17.5" role="mistake" says="`once` has those with more orders too: at least one is not exactly one."
class OrdersFilter(admin.SimpleListFilter):
    title = "orders"
    parameter_name = "ordered"

    def lookups(self, request, model_admin):
        return [("never", "Never"), ("once", "Once"), ("more", "More than once")]

    def queryset(self, request, queryset):
        wanted = {"never": {"order_number": 0}, "once": {"order_number__gte": 1}, "more": {"order_number__gt": 1}}
        if self.value() in wanted:
            return queryset.annotate(order_number=Count("orders")).filter(**wanted[self.value()])

# %% exercise="17.5" role="hint"
# `title`, `parameter_name`, `lookups()` and `queryset()`; the choice is `self.value()`, None where there is none.
# %% exercise="17.5" role="hint"
# Annotate the number of orders and filter by it: 0, 1, or more than 1. Returning None leaves the list alone.

# %% [markdown] exercise="17.6"
# ### 17.6 An action for some
#
# Write `BookPage` with the action `retire`, shown as "Take out of print". It takes the selected books out of print
# (`in_print`), in one `UPDATE` whatever their number, leaves one `LogEntry` for each that was in print before, and tells
# by one message how many those are, such as "Out of print now: 2". It is there for staff who may change prices, with the
# permission `catalog.change_price`, and for nobody else.

# %% exercise="17.6" role="check"
def observe(answer):
    with uncounted():
        people = {"boss": User.objects.create_superuser("boss")}
        for name, codenames in (("pricer", ["view_book", "change_price"]), ("editor", ["view_book", "change_book"])):
            people[name] = User.objects.create_user(name, is_staff=True)
            people[name].user_permissions.set(Permission.objects.filter(codename__in=codenames))
        books = list(Book.objects.order_by("pk")[:8])
    site = admin.AdminSite()
    site.register(Book, answer)
    seen = []

    def offered(page):
        form = page.context["action_form"] if page.context else None
        return [(name, str(text)) for name, text in form.fields["action"].choices if name == "retire"] if form else []

    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        for name, person in people.items():
            with uncounted():
                Book.objects.update(in_print=True)
                Book.objects.filter(pk=books[2].pk).update(in_print=False)
                LogEntry.objects.all().delete()
            client = Client()
            client.force_login(person)
            seen.append((name, "is offered", offered(get("/admin/catalog/book/", client=client))))
            for chosen in (books[:3], books[3:8]):
                data = {"action": "retire", "_selected_action": [book.pk for book in chosen]}
                with CaptureQueriesContext(connection) as queries:
                    reply = post("/admin/catalog/book/", data, client=client)
                updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "catalog_book"')]
                page = get("/admin/catalog/book/", client=client)
                told = [str(message) for message in page.context["messages"]] if page.context else []
                # Django tells editors itself that the action is none of theirs.
                numbers = [re.findall(r"\d+", text)[:1] for text in told] if name != "editor" else []
                seen.append((name, len(chosen), "chosen", reply.status_code, "updates", len(updates), "told", numbers))
            out = Book.objects.filter(pk__in=[book.pk for book in books], in_print=False).order_by("pk")
            seen.append((name, "out of print", [book.pk for book in out]))
            entries = LogEntry.objects.order_by("object_id", "pk").values_list("object_id", "action_flag", "user__username")
            seen.append((name, "entries", sorted(map(list, entries))))
            seen.append((name, "others out of print", Book.objects.filter(in_print=False).count() - len(out)))
    return seen

# %% exercise="17.6" role="answer" seconds=20
class BookPage(admin.ModelAdmin):
    actions = ["retire"]
    # solution
    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        with transaction.atomic():
            retired = list(books.filter(in_print=True))
            Book.objects.filter(pk__in=[book.pk for book in retired]).update(in_print=False)
            LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, [{"changed": {"fields": ["In print"]}}])
        self.message_user(request, f"Out of print now: {len(retired)}")
    # end


check("17.6")

# %% exercise="17.6" role="alternative" note="`get_actions()` decides by the request what is there. Longer, and the right place where it depends on more than a permission. Django 6.1 wants `action_location` passed on."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def get_actions(self, request, *args, **kwargs):
        actions = super().get_actions(request, *args, **kwargs)
        if not request.user.has_perm("catalog.change_price"):
            actions.pop("retire", None)
        return actions

    @admin.action(description="Take out of print")
    @transaction.atomic
    def retire(self, request, books):
        retired = list(books.filter(in_print=True))
        books.update(in_print=False)
        LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, "Taken out of print.")
        self.message_user(request, f"{len(retired)} books are out of print.", "success")

# %% exercise="17.6" role="mistake" says="All staff are offered the action, and it works for them. Name a permission in the decorator, and say in a method of the page who has it."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    @admin.action(description="Take out of print")
    def retire(self, request, books):
        with transaction.atomic():
            retired = list(books.filter(in_print=True))
            Book.objects.filter(pk__in=[book.pk for book in retired]).update(in_print=False)
            LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, [{"changed": {"fields": ["In print"]}}])
        self.message_user(request, f"Out of print now: {len(retired)}")

# %% exercise="17.6" role="mistake" says="It asks for the permission to change books: editors have it, and who may change prices has not. The action asks a method named after what you give it: `has_retire_permission()`."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    @admin.action(description="Take out of print", permissions=["change"])
    def retire(self, request, books):
        with transaction.atomic():
            retired = list(books.filter(in_print=True))
            Book.objects.filter(pk__in=[book.pk for book in retired]).update(in_print=False)
            LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, [{"changed": {"fields": ["In print"]}}])
        self.message_user(request, f"Out of print now: {len(retired)}")

# %% exercise="17.6" role="mistake" says="Nothing is in the log: an action writes no history by itself. `LogEntry.objects.log_actions()` does."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        number = books.filter(in_print=True).update(in_print=False)
        self.message_user(request, f"Out of print now: {number}")

# %% exercise="17.6" role="mistake" says="Book by book: an `UPDATE` for each. One for all of them is enough, as nobody needs `save()` here."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        retired = list(books.filter(in_print=True))
        for book in retired:
            book.in_print = False
            book.save()
            self.log_change(request, book, "Taken out of print.")
        self.message_user(request, f"Out of print now: {len(retired)}")

# %% exercise="17.6" role="mistake" says="What was out of print before is counted, and logged, as if it had been changed. Choose those in print first."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        selected = list(books)
        number = books.update(in_print=False)
        LogEntry.objects.log_actions(request.user.pk, selected, CHANGE, [{"changed": {"fields": ["In print"]}}])
        self.message_user(request, f"Out of print now: {number}")

# %% exercise="17.6" role="mistake" says="The books go out of print, and nobody is told. `self.message_user(request, …)` shows a message above the list."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        with transaction.atomic():
            retired = list(books.filter(in_print=True))
            Book.objects.filter(pk__in=[book.pk for book in retired]).update(in_print=False)
            LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, [{"changed": {"fields": ["In print"]}}])

# %% exercise="17.6" role="mistake" says="The whole list goes out of print, not the selection: the action gets the selected rows as its last argument."
class BookPage(admin.ModelAdmin):
    actions = ["retire"]

    def has_retire_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Take out of print", permissions=["retire"])
    def retire(self, request, books):
        retired = list(Book.objects.filter(in_print=True))
        Book.objects.filter(in_print=True).update(in_print=False)
        LogEntry.objects.log_actions(request.user.pk, retired, CHANGE, [{"changed": {"fields": ["In print"]}}])
        self.message_user(request, f"Out of print now: {len(retired)}")

# %% exercise="17.6" role="hint"
# `@admin.action(description=…, permissions=["retire"])` asks the page's `has_retire_permission(request)`.
# %% exercise="17.6" role="hint"
# Fetch those in print, update by their keys, log them, tell their number. All but the message belongs into one transaction.

# %% [markdown] exercise="17.7"
# ### 17.7 Everybody's own invoices
#
# Write `InvoicePage` and `PaymentPage`. Who has the permission `orders.change_invoice` works with all invoices; other
# staff only with those they issued (`issued_by`): in the list, at their addresses, and in the form for payments, where
# no other can be chosen, nor slipped in by a forged form. A new invoice is issued by whoever adds it: the form shows
# `number`, `order`, `issued_on` and `amount`, and no `issued_by`.

# %% exercise="17.7" role="check"
def observe(answer):
    with uncounted():
        people = {"boss": User.objects.create_superuser("boss")}
        for name, codenames in (
            ("seller", ["view_invoice", "add_invoice", "add_payment", "view_payment"]),
            ("manager", ["view_invoice", "add_invoice", "change_invoice", "add_payment", "view_payment"]),
        ):
            people[name] = User.objects.create_user(name, is_staff=True)
            people[name].user_permissions.set(Permission.objects.filter(codename__in=codenames))
        customer = User.objects.create_user("proof-customer")
        orders = [
            Order.objects.create(number=f"proof-{n}", customer=customer, placed_at="2026-06-01T12:00Z") for n in range(6)
        ]
        Payment.objects.all().delete()
        Invoice.objects.filter(pk__in=list(Invoice.objects.values_list("pk", flat=True)[10:])).delete()
        invoices = {
            name: Invoice.objects.create(
                number=f"I-{name}", order=order, issued_by=person, issued_on="2026-06-02", amount="10.00"
            )
            for (name, person), order in zip(people.items(), orders, strict=False)
        }
    site = admin.AdminSite()
    site.register(Invoice, answer.InvoicePage)
    site.register(Payment, answer.PaymentPage)
    seen = []
    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        for (name, person), order in zip(people.items(), orders[3:], strict=True):
            listed = get("/admin/orders/invoice/", user=person)
            numbers = sorted(invoice.number for invoice in listed.context["cl"].result_list) if listed.context else None
            seen.append((name, "lists", len(numbers or []), [number for number in numbers or [] if number.startswith("I-")]))
            for owner, invoice in invoices.items():
                status = get(f"/admin/orders/invoice/{invoice.pk}/change/", user=person).status_code
                seen.append((name, f"opens the invoice by {owner}", status))
            form = get("/admin/orders/payment/add/", user=person)
            field = form.context["adminform"].form.fields["invoice"] if form.context else None
            chosen = sorted(str(label) for key, label in field.choices if key) if field else None
            seen.append((name, "may choose", sum("I-" in label for label in chosen or []), len(chosen or [])))
            for owner, invoice in invoices.items():
                data = {"order": invoice.order_id, "invoice": invoice.pk, "method": "card", "received_on": "2026-07-01"}
                post("/admin/orders/payment/add/", data | {"amount": "1.00"}, user=person)
                seen.append((name, f"payments of the invoice by {owner}", Payment.objects.filter(invoice=invoice).count()))
            fields = get("/admin/orders/invoice/add/", user=person)
            names = sorted(fields.context["adminform"].form.fields) if fields.context else None
            seen.append((name, "fills in", names))
            data = {"number": f"N-{name}", "order": order.pk, "issued_on": "2026-06-03", "amount": "2.00"}
            post("/admin/orders/invoice/add/", data | {"issued_by": customer.pk}, user=person)
            seen.append((name, "issued", [str(by) for by in User.objects.filter(issued_invoices__number=f"N-{name}")]))
        invoice = Invoice.objects.get(number="I-seller")
        data = {"number": "I-seller", "order": invoice.order_id, "issued_on": "2026-06-09", "amount": "10.00"}
        post(f"/admin/orders/invoice/{invoice.pk}/change/", data, user=people["manager"])
        invoice.refresh_from_db()
        seen.append(("after a change by the manager, issued by", str(invoice.issued_by), str(invoice.issued_on)))
    return seen

# %% exercise="17.7" role="answer" seconds=30
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]
    # solution
    def get_queryset(self, request):
        invoices = super().get_queryset(request)
        if request.user.has_perm("orders.change_invoice"):
            return invoices
        return invoices.filter(issued_by=request.user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)
    # end


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]
    # solution
    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "invoice":
            kwargs["queryset"] = self.admin_site.get_model_admin(Invoice).get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
    # end


check("17.7")

# %% exercise="17.7" role="alternative" note="The rule as a function that both pages use, and `get_field_queryset()`, which is asked for each relation of the form. A manager method would serve the rest of the shop as well."
def issued_for(user, invoices):
    return invoices if user.has_perm("orders.change_invoice") else invoices.filter(issued_by=user)


class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]

    def get_queryset(self, request):
        return issued_for(request.user, super().get_queryset(request))

    def save_form(self, request, form, change):
        invoice = super().save_form(request, form, change)
        if not change:
            invoice.issued_by = request.user
        return invoice


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]

    def get_field_queryset(self, db, db_field, request):
        if db_field.name == "invoice":
            return issued_for(request.user, Invoice.objects.all())
        return super().get_field_queryset(db, db_field, request)

# %% exercise="17.7" role="mistake" says="The list is short, and the form for payments offers every invoice of the shop: a form takes its choices from the model's manager. Restrict them in `formfield_for_foreignkey()`."
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]

    def get_queryset(self, request):
        invoices = super().get_queryset(request)
        if request.user.has_perm("orders.change_invoice"):
            return invoices
        return invoices.filter(issued_by=request.user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]

# %% exercise="17.7" role="mistake" says="The list is restricted by what it shows, and the addresses of the others open all the same. `get_queryset()` is where both begin."
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        if not request.user.has_perm("orders.change_invoice"):
            changelist.result_list = changelist.queryset.filter(issued_by=request.user)
        return changelist

    def save_model(self, request, obj, form, change):
        if not change:
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "invoice" and not request.user.has_perm("orders.change_invoice"):
            kwargs["queryset"] = Invoice.objects.filter(issued_by=request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

# %% exercise="17.7" role="mistake" says="Everybody sees their own alone, managers too. Who has `orders.change_invoice` works with all of them."
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(issued_by=request.user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "invoice":
            kwargs["queryset"] = Invoice.objects.filter(issued_by=request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

# %% exercise="17.7" role="mistake" says="Each save makes the invoice the saver's: when a manager corrects one, it is not its seller's any more. `change` tells whether it existed before."
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]

    def get_queryset(self, request):
        invoices = super().get_queryset(request)
        if request.user.has_perm("orders.change_invoice"):
            return invoices
        return invoices.filter(issued_by=request.user)

    def save_model(self, request, obj, form, change):
        obj.issued_by = request.user
        super().save_model(request, obj, form, change)


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "invoice":
            kwargs["queryset"] = self.admin_site.get_model_admin(Invoice).get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

# %% exercise="17.7" role="mistake" says="Autocomplete searches among one's own, and its field takes any key: the forged payment is there. The field's queryset has to be restricted."
class InvoicePage(admin.ModelAdmin):
    fields = ["number", "order", "issued_on", "amount"]
    search_fields = ["number"]

    def get_queryset(self, request):
        invoices = super().get_queryset(request)
        if request.user.has_perm("orders.change_invoice"):
            return invoices
        return invoices.filter(issued_by=request.user)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)


class PaymentPage(admin.ModelAdmin):
    fields = ["order", "invoice", "method", "received_on", "amount"]
    autocomplete_fields = ["invoice"]

# %% exercise="17.7" role="hint"
# `get_queryset(request)` of the page for invoices, `save_model()` for who issued it, `formfield_for_foreignkey()` of the page for payments.
# %% exercise="17.7" role="hint"
# The second page can ask the first: `self.admin_site.get_model_admin(Invoice).get_queryset(request)`.

# %% [markdown] exercise="17.8"
# ### 17.8 Rows inside of a page
#
# Write the inline of `BookPage`, a page with the `title` of a book and, in a table below it, its contributions. They can
# be added, with a contributor (found by a search, not in a list of all of them), a role and a volume, and removed, but
# not edited. No empty rows are shown. The page takes as many queries for a book with five contributions as for one
# with two.

# %% exercise="17.8" role="check"
def observe(answer):
    with uncounted():
        boss = User.objects.create_superuser("boss")
        books = list(Book.objects.order_by("pk")[:2])
        Contribution.objects.filter(book__in=books).delete()
        people = [Contributor.objects.create(given_name=f"Given{number}", family_name="Proof") for number in range(6)]
        for book, number in zip(books, (2, 5), strict=True):
            for person in people[:number]:
                Contribution.objects.create(book=book, contributor=person, role="editor")
    site = admin.AdminSite()
    site.register(Book, answer.BookPage)
    site.register(Contributor, type("ContributorPage", (admin.ModelAdmin,), {"search_fields": ["family_name"]}))
    seen = []
    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),)):
        client = Client()
        client.force_login(boss)
        counts, url = [], f"/admin/catalog/book/{books[0].pk}/change/"
        client.get(url)
        for book in books:
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/admin/catalog/book/{book.pk}/change/")
            counts.append(len(queries))
        seen.append(("queries that three more rows cost", counts[1] - counts[0]))
        page = get(url, client=client)
        inlines = page.context["inline_admin_formsets"]
        seen.append(("tables", [inline.opts.template for inline in inlines]))
        for inline in inlines[:1]:
            formset = inline.formset
            seen.append(("rows, empty ones", formset.initial_form_count(), len(formset.extra_forms)))
            seen.append(("a button to add, with 2 rows and with 50", [formset.max_num > number for number in (2, 50)]))
            fields = formset.empty_form.fields
            seen.append(("a new row has", sorted(name for name in fields if not fields[name].widget.is_hidden)))
            seen.append(("contributors offered in each row", page.text.count("Given5 Proof")))
        names = [person.given_name for person in people[:2]]
        seen.append(("names on the page", [page.text.count(f"{name} Proof") > 0 for name in names]))
        rows = list(books[0].contributions.order_by("pk"))
        head = {"title": books[0].title, "contributions-TOTAL_FORMS": 3, "contributions-INITIAL_FORMS": 2}
        for number, row in enumerate(rows):
            head |= {f"contributions-{number}-id": row.pk, f"contributions-{number}-book": books[0].pk}
            head |= {f"contributions-{number}-contributor": people[5].pk, f"contributions-{number}-role": "illustrator"}
        head |= {"contributions-2-book": books[0].pk, "contributions-2-contributor": people[3].pk}
        post(url, head | {"contributions-2-role": "translator", "contributions-2-volume": "2"}, client=client)

        def present():
            found = books[0].contributions.order_by("contributor__given_name")
            return [[str(row.contributor), row.role, row.volume] for row in found]

        seen.append(("after one was added, and an edit forged", present()))
        rows = list(books[0].contributions.order_by("pk"))
        gone = {"title": books[0].title, "contributions-TOTAL_FORMS": len(rows), "contributions-INITIAL_FORMS": len(rows)}
        for number, row in enumerate(rows):
            gone |= {f"contributions-{number}-id": row.pk, f"contributions-{number}-book": books[0].pk}
            gone |= {f"contributions-{number}-contributor": row.contributor_id, f"contributions-{number}-role": row.role}
            gone |= {f"contributions-{number}-volume": row.volume or ""}
        post(url, gone | {"contributions-0-DELETE": "on"}, client=client)
        seen.append(("after the first was removed", present()))
    return seen

# %% exercise="17.8" role="answer" seconds=20
class ContributionInline(admin.TabularInline):
    model = Contribution
    # solution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")

    def has_change_permission(self, request, obj=None):
        return False
    # end


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]


check("17.8")

# %% exercise="17.8" role="alternative" note="`raw_id_fields` shows a key and a window to search in: less comfortable, no script library, and the page of contributors needs no `search_fields`."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ("contributor", "role", "volume")
    raw_id_fields = ("contributor",)
    extra = 0

    def has_change_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return Contribution.objects.select_related("contributor")


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="Each row has a list with all contributors, which is fetched for each row and sent with each. `autocomplete_fields` looks for the few that somebody types."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")

    def has_change_permission(self, request, obj=None):
        return False


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="The rows can be edited, and each asks for the one contributor that its field shows. Without `has_change_permission()` a row is text."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="Each row names its contributor, and asks for it: a query per row. An inline has a `get_queryset()` too, for `select_related()`."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]
    extra = 0

    def has_change_permission(self, request, obj=None):
        return False


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="Three empty rows are shown: `extra` is 3 where nobody says otherwise."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")

    def has_change_permission(self, request, obj=None):
        return False


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="Text, and nothing else: with `readonly_fields` a new row has no fields either. Take away the permission to change, and leave the one to add."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    readonly_fields = ["contributor", "role", "volume"]
    extra = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="`max_num` is the number of rows a page may have, those that are there included: the button to add one is gone. `extra` is about the empty ones."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]
    max_num = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")

    def has_change_permission(self, request, obj=None):
        return False


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="mistake" says="Nothing can be removed: `can_delete` belongs to those who may delete, and they may."
class ContributionInline(admin.TabularInline):
    model = Contribution
    fields = ["contributor", "role", "volume"]
    autocomplete_fields = ["contributor"]
    extra = 0
    can_delete = False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor")

    def has_change_permission(self, request, obj=None):
        return False


class BookPage(admin.ModelAdmin):
    fields = ["title"]
    inlines = [ContributionInline]

# %% exercise="17.8" role="hint"
# An inline is asked for permissions like a page: to view, add, change and delete its rows.
# %% exercise="17.8" role="hint"
# `extra = 0`, `autocomplete_fields`, no permission to change, and a `get_queryset()` that joins what a row's text needs.

# %% [markdown] exercise="17.9"
# ### 17.9 A page of one's own
#
# Write `BookPage` with a page `stocktake/`, named `catalog_book_stocktake`, beside Django's own: a CSV of the books in
# print, with the heading `title,author` and then a line for each, by title and key. It is for those whom the site lets
# in, which need not be all staff, if they may view books. Others whom it lets in get a 403, everybody else is sent to the
# login. The number of queries does not grow with the books.

# %% exercise="17.9" role="check"
class Site(admin.AdminSite):
    def has_permission(self, request):
        return super().has_permission(request) and request.user.username != "on-leave"


def observe(answer):
    with uncounted():
        people = {"boss": User.objects.create_superuser("boss"), "customer": User.objects.create_user("customer")}
        for name, codename in (("viewer", "view_book"), ("packer", "view_order")):
            people[name] = User.objects.create_user(name, is_staff=True)
            people[name].user_permissions.set(Permission.objects.filter(codename=codename))
        people["former viewer"] = User.objects.create_user("former", is_staff=False)
        people["former viewer"].user_permissions.set(Permission.objects.filter(codename="view_book"))
        people["somebody on leave"] = User.objects.create_superuser("on-leave")
        book = Book.objects.order_by("pk").first()
        book.title = 'Emma, or "the" match-maker'
        book.save()
    site = Site()
    site.register(Book, answer)
    seen = []
    with override_settings(ROOT_URLCONF=(path("admin/", site.urls),), LOGIN_URL="/login/"):
        seen.append(("the name", reverse("admin:catalog_book_stocktake")))
        for name, person in [("a stranger", None), *people.items()]:
            client = Client()
            if person:
                client.force_login(person)
            reply = client.get("/admin/catalog/book/stocktake/")
            where = reply.headers.get("Location", "")
            seen.append((name, reply.status_code, where, reply.headers["Content-Type"].partition(";")[0]))
            if reply.status_code == 200:
                lines = list(csv.reader(b"".join(reply).decode().splitlines()))
                seen += [(name, f"line {number}", *line) for number, line in enumerate(lines)]
        client = Client()
        client.force_login(people["boss"])
        seen.append(("Django's own list", client.get("/admin/catalog/book/").status_code))
        seen.append(("Django's own page", client.get(f"/admin/catalog/book/{book.pk}/change/").status_code))
        counts = []
        for number in (2, 1000):
            with uncounted():
                shown = list(Book.objects.order_by("pk").values_list("pk", flat=True)[:number])
                Book.objects.update(in_print=False)
                Book.objects.filter(pk__in=shown).update(in_print=True)
            with CaptureQueriesContext(connection) as queries:
                b"".join(client.get("/admin/catalog/book/stocktake/"))
            counts.append(len(queries))
        seen.append(("queries that more books cost", counts[1] - counts[0]))
    return seen

# %% exercise="17.9" role="answer" seconds=20
class BookPage(admin.ModelAdmin):
    # solution
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response
    # end


check("17.9")

# %% exercise="17.9" role="alternative" note="Streamed, so that a long list is not built in memory. `get_queryset()` of the page keeps to the rows that this person has."
class Echo:
    def write(self, line):
        return line


class BookPage(admin.ModelAdmin):
    def get_urls(self):
        view = self.admin_site.admin_view(self.stocktake)
        return [path("stocktake/", view, name="catalog_book_stocktake")] + super().get_urls()

    def stocktake(self, request):
        if not request.user.has_perms(["catalog.view_book"]):
            raise PermissionDenied("Not for you.")
        writer = csv.writer(Echo())
        books = self.get_queryset(request).filter(in_print=True).select_related("author").order_by("title", "id")
        lines = [writer.writerow(["title", "author"])]
        lines += (writer.writerow([book.title, book.author.name]) for book in books)
        return StreamingHttpResponse(lines, content_type="text/csv")

# %% exercise="17.9" role="mistake" says="Strangers read the list: a view of your own is as open as any other. Wrap it with `self.admin_site.admin_view()`."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        return [path("stocktake/", self.stocktake, name="catalog_book_stocktake"), *super().get_urls()]

    def stocktake(self, request):
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="All staff read it: `admin_view()` asks whether somebody may come in, not what for. Ask `self.has_view_permission(request)`."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="It asks for the permission alone: who has it and left the staff still gets in, and strangers get a 403 instead of the login. `admin_view()` asks the first question."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        return [path("stocktake/", self.stocktake, name="catalog_book_stocktake"), *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="`staff_member_required` asks for staff, and this site asks for more: who is on leave reads on. `self.admin_site.admin_view()` asks the site itself."
from django.contrib.admin.views.decorators import staff_member_required


class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", staff_member_required(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="The lines are not by title: say the order in the query, the key last, so that equal titles have one as well."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="Behind Django's own patterns, `stocktake` is taken for the key of a book, and redirected. Yours come first."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [*super().get_urls(), page]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="mistake" says="Each line asks for its author: a query per book. Fetch the names along, with `values_list()` or `select_related()`."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        for book in Book.objects.filter(in_print=True).order_by("title", "pk"):
            writer.writerow([book.title, book.author.name])
        return response

# %% exercise="17.9" role="mistake" says="Commas and quotes of a title break the line: a CSV is more than a comma. `csv.writer` quotes what has to be."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        page = path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")
        return [page, *super().get_urls()]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        lines = ["title,author"]
        books = Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name")
        lines += [f"{title},{author}" for title, author in books]
        return HttpResponse("\n".join(lines), content_type="text/csv")

# %% exercise="17.9" role="mistake" says="The page replaces Django's: the list and the pages of books are gone. Keep `super().get_urls()`."
class BookPage(admin.ModelAdmin):
    def get_urls(self):
        return [path("stocktake/", self.admin_site.admin_view(self.stocktake), name="catalog_book_stocktake")]

    def stocktake(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["title", "author"])
        writer.writerows(Book.objects.filter(in_print=True).order_by("title", "pk").values_list("title", "author__name"))
        return response

# %% exercise="17.9" role="hint"
# `get_urls()` returns your `path(…)` and those of `super()`. In which order?
# %% exercise="17.9" role="hint"
# `admin_view()` asks for staff; inside, `if not self.has_view_permission(request): raise PermissionDenied`.

# %% [markdown] exercise="17.10"
# ### 17.10 Columns that show what customers wrote
#
# Write `OrderPage`, the list of orders with three columns: the number; the customer, as a link to their page in the
# admin (`accounts_user_change`), with the user name as text, sorted by it; and the `remark`, the order's note in
# `<em>…</em>`, or "no remark" where it is empty. Names and notes were typed by strangers. The number of queries does
# not grow with the orders.

# %% exercise="17.10" role="check"
def observe(answer):
    with uncounted():
        boss = User.objects.create_superuser("boss")
        names = ["<b>bold</b>", "a&b", "zoe", "anna-proof"]
        people = [User.objects.create(username=name) for name in names]
        notes = ["<script>steal()</script>", "", "Tom & Jerry", 'say "hi"', "It's {0} for {you} & %s", "{}"]
        for number, note in enumerate(notes):
            customer = people[number % len(people)]
            Order.objects.create(number=f"proof-{number}", customer=customer, note=note, placed_at="2026-06-01T12:00Z")
    site = admin.AdminSite()
    site.register(Order, answer)
    site.register(User)
    client = Client()
    client.force_login(boss)
    seen = []

    def listed(query):
        page = client.get(f"/admin/orders/order/{query}").content.decode()
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.partition("<tbody>")[2].partition("</tbody>")[0], re.DOTALL)
        cells = [re.findall(r'<t[dh] class="field-[^"]*">(.*?)</t[dh]>', row, re.DOTALL) for row in rows]
        return [[re.sub(r"\s+", " ", cell.replace("&quot;", '"').replace("&#x27;", "'")) for cell in row] for row in cells]

    with override_settings(ROOT_URLCONF=(path("backoffice/", site.urls), path("admin/", site.urls))):
        for number in range(len(notes)):
            for row in listed(f"?number=proof-{number}"):
                texts = [re.sub(r'<a href="[^"]*orders/order[^>]*>(.*?)</a>', r"\1", cell) for cell in row]
                shown = [re.sub(r"\?_changelist_filters[^\"]*", "", cell) for cell in texts]
                # Quotes, and attributes that do nothing here, are a matter of taste.
                shown = [re.sub(r"<a\b[^>]*?\bhref=([\"'])(.*?)\1[^>]*>", r'<a href="\2">', cell) for cell in shown]
                seen += [(f"order {number}", f"column {place}", cell) for place, cell in enumerate(shown, 1)]
        for order in ("2", "-2"):
            rows = listed(f"?number__startswith=proof-&o={order}")
            seen.append((f"o={order}", [re.sub(r"<[^>]+>", "", row[1]) for row in rows if len(row) > 1]))
        counts = []
        for count in (1, len(notes)):
            numbers = ",".join(f"proof-{number}" for number in range(count))
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/admin/orders/order/?number__in={numbers}")
            counts.append(len(queries))
    return [*seen, ("queries that five more orders cost", counts[1] - counts[0])]

# %% exercise="17.10" role="answer" seconds=20
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    # solution
    list_select_related = ["customer"]

    @admin.display(description="customer", ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note) if order.note else None
    # end


check("17.10")

# %% exercise="17.10" role="alternative" note="The name comes as an annotation, so that nothing of the customer is fetched but what is shown. `mark_safe` is right where everything in it is escaped, and harder to check than `format_html`."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(username=F("customer__username"))

    @admin.display(ordering="username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=(order.customer_id,))
        return mark_safe(f'<a href="{url}">{escape(order.username)}</a>')

    def remark(self, order):
        return format_html("<em>{note}</em>", note=order.note) if order.note else "no remark"

# %% exercise="17.10" role="alternative" note="Other quotes and a class of its own: a browser sees the same link."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html("<a class='buyer' href='{}'>{}</a>", url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note) if order.note else None

# %% exercise="17.10" role="mistake" says="The script in a note runs in the browser of whoever looks at the list, with the rights of staff. `mark_safe` escapes nothing: `format_html` does."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return mark_safe(f'<a href="{url}">{order.customer.username}</a>')

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return mark_safe(f"<em>{order.note}</em>") if order.note else None

# %% exercise="17.10" role="mistake" says="Nothing runs, and nothing is a link either: text is escaped, its tags included. Let `format_html` put the two together."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return f'<a href="{url}">{order.customer.username}</a>'

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return f"<em>{order.note}</em>" if order.note else None

# %% exercise="17.10" role="mistake" says="Each row asks for its customer: a query per order. Join them with `list_select_related`."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note) if order.note else None

# %% exercise="17.10" role="mistake" says="Where there is no note, an empty pair of tags is shown: an empty text inside of them is not empty. Return None, and say what stands for it."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note)

# %% exercise="17.10" role="mistake" says="It sorts by when the customers came, not by their names: `customer` is a key. Follow it to the `username`."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer_id")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note) if order.note else None

# %% exercise="17.10" role="mistake" says="The note is put in first, and what stands in it is the pattern then: braces in a note break the page. Give the pattern, and the values after it."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        url = reverse("admin:accounts_user_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', url, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html(f"<em>{order.note}</em>", "") if order.note else None

# %% exercise="17.10" role="mistake" says="The address is written down, and where the site stands elsewhere, the link leads nowhere: `reverse()` knows where it is."
class OrderPage(admin.ModelAdmin):
    list_display = ["number", "buyer", "remark"]
    list_select_related = ["customer"]

    @admin.display(ordering="customer__username")
    def buyer(self, order):
        return format_html('<a href="/admin/accounts/user/{}/change/">{}</a>', order.customer_id, order.customer.username)

    @admin.display(empty_value="no remark")
    def remark(self, order):
        return format_html("<em>{}</em>", order.note) if order.note else None

# %% exercise="17.10" role="hint"
# A column is escaped unless it is marked as safe, and `format_html(pattern, value, …)` marks what it has escaped itself.
# %% exercise="17.10" role="hint"
# `reverse("admin:accounts_user_change", args=[…])` for the link; None and `empty_value` for what is not there; `ordering` takes a path over a relation.
