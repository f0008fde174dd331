# %% [markdown]
# # 23 · Django REST framework
#
# After this chapter you can put an API in front of models and say what each layer does, write serializers that check,
# nest and stay quick, tell authentication from permissions (and 401 from 403), explain a JWT by making one, and read a
# router's URLs.
#
# *Questions: Q57 what it is · Q58 serializers · Q59 authentication and permissions · Q60 viewsets and routers.*
# Predict each output before you run its cell. [Exercises 23.1 to 23.11](../exercises/23_rest_framework.ipynb) follow.

# %%
from checks import quiz
from lab import asgi, get, post, queries, reset, serve, start

start()

# Django is set up now, so its models can be imported.
import base64
import hmac
import json
import time
import urllib.request
import warnings
from cProfile import Profile
from datetime import timedelta
from functools import partial
from importlib.metadata import requires
from importlib.util import find_spec
from pstats import Stats
from timeit import repeat
from urllib.parse import parse_qs, urlsplit

import django
import rest_framework
from accounts.models import User
from api.authentication import ExpiringTokenAuthentication
from api.permissions import IsReviewerOrReadOnly
from api.urls import router as shop_router
from api.viewsets import BookViewSet
from catalog.models import Author, Book, Genre
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection, transaction
from django.db.models import Prefetch
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, include, path, resolve
from django.utils import timezone
from orders.models import Order, OrderLine
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import ListAPIView, RetrieveUpdateAPIView
from rest_framework.pagination import CursorPagination, LimitOffsetPagination
from rest_framework.permissions import AllowAny, BasePermission, DjangoModelPermissions
from rest_framework.permissions import IsAdminUser, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet
from reviews.models import Review

# %% [markdown]
# ## Q57 · Put an API in front of the shop
#
# *Basic · asked as T09, B8*
#
# **Say it.** Django REST framework is a package of its own, built on Django, and not a part of it. Its `APIView` is a
# class-based view that, before your method runs, chooses the format of the answer, finds out who asks, and checks
# permissions and throttles; the body is read by its type when you ask for it. Serializers turn objects into data, and
# check data that comes in. Generic views, viewsets and routers write the usual endpoints. A browser sees the same URLs
# as pages to click through.
#
# *What lifts it:* the defaults. Until you change them everybody may write, lists have no end and nothing is limited.
# And its views are synchronous.

# %% [markdown]
# **See it.** Which of the two packages needs the other?

# %%
print(requires("djangorestframework"), [package for package in requires("django") if "rest" in package])
print(rest_framework.VERSION, "rest_framework" in settings.INSTALLED_APPS)

# %% [markdown]
# The app brings templates, static files and a command; the models are yours. The shop has such an API below `/api/`. A
# program asks it over HTTP, from a real server. What comes back, and of which type?

# %%
if asgi.available():
    with asgi() as server, urllib.request.urlopen(f"{server.url}/api/v1/books/emma/stock/") as reply:
        print(reply.status, reply.headers["Content-Type"], json.load(reply))
        print(reply.headers["Allow"], "|", reply.headers["Vary"])
else:
    print(asgi.why_not())

# %% [markdown]
# And a browser, at the same address? Run the cell, and click from the book to its author:

# %%
serve("/api/v1/books/emma/", user="anna")

# %% [markdown]
# That is the browsable API: the same data in a page, with links, a form where you may write, and headers. No view was
# written for it. A view of your own needs a method for each verb. What the request has brought is in `request.data`,
# whatever its format, and a `Response` holds data, not text:

# %%
class Opening(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"Monday": "9 to 5"})

    def post(self, request):
        return Response({"closed on": request.data["day"]}, status=201)

# %% [markdown]
# `APIRequestFactory` calls it without a URL. Four clients, each with its `Accept`: a program, a browser, one that
# would rather not have JSON, and one that wants a picture. Who gets what? And the browser with `?format=json`?

# %%
factory, opening = APIRequestFactory(), Opening.as_view()
browser = "text/html,application/xml;q=0.9,*/*;q=0.8"
for accept in ("*/*", browser, "application/json;q=0.1, text/html", "image/png"):
    reply = opening(factory.get("/", headers={"accept": accept})).render()
    print(reply.status_code, reply["Content-Type"].partition(";")[0], "for", accept)
print(opening(factory.get("/?format=json", headers={"accept": browser})).render()["Content-Type"])

# %% [markdown]
# The third is a surprise: `q` values [are not taken into
# account](https://www.django-rest-framework.org/api-guide/content-negotiation/), only how exact a type is, and then
# the order of the view's renderers. The other direction is chosen by `Content-Type`. Which of these bodies is read?

# %%
bodies = {"application/json": '{"day": "Sunday"}', "application/x-www-form-urlencoded": "day=Sunday"}
bodies["text/csv"] = "Sunday"
for kind, body in bodies.items():
    reply = opening(factory.generic("POST", "/", body, content_type=kind))
    print(reply.status_code, kind, reply.data.get("closed on"))

# %% [markdown]
# JSON and a form arrive alike; a type without a parser is a 415. Now the order of the checks. One request to review a
# book has everything wrong with it. It is repaired step by step; guess each status:

# %%
def review(version, accept, user, kind, body):
    url = f"/api/{version}/books/emma/reviews/"
    return post(url, body, user=user, content_type=kind, headers={"Accept": accept}).status


wrong = {"version": "v9", "accept": "image/png", "user": None, "kind": "text/csv", "body": "{"}
repairs = [{"accept": "application/json"}, {"version": "v1"}, {"user": "jose"}, {"kind": "application/json"}]
for repair in [{}, *repairs, {"body": '{"stars": 9}'}, {"body": '{"stars": 5}'}]:
    wrong |= repair
    print(review(**wrong), repair)
reset()

# %% [markdown]
# Format of the answer, version, who asks and may they, type of the body, the body itself, and last the serializer. The
# body is read late, when somebody first asks for `request.data`. Each error comes in the format that was agreed upon,
# and the 406 in the view's first.

# %% [markdown]
# **The trap.** "It is Django's framework to create RESTful APIs rapidly." Many answers end here, and miss what an
# interviewer waits for: it is not Django's, and who may do what is left to you. What a new project gets:

# %%
with override_settings(REST_FRAMEWORK={}):
    for what in ("AUTHENTICATION", "PERMISSION", "THROTTLE"):
        print(what, [one.__name__ for one in getattr(api_settings, f"DEFAULT_{what}_CLASSES")])
    print("pages:", api_settings.DEFAULT_PAGINATION_CLASS)
    print("meanwhile:", APIView.permission_classes[0].__name__)

# %% [markdown]
# (The last line is the shop's: a view class takes its defaults when it is imported, and such an override comes too
# late for it.) `AllowAny` is what it says. A whole API with that default spelled out, and the same with the shop's:

# %%
class GenreSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["slug", "name"]


class GenreViewSet(ModelViewSet):
    queryset = Genre.objects.order_by("name")
    serializer_class = GenreSerializer
    permission_classes = [AllowAny]
    lookup_field = "slug"


class ClosedViewSet(GenreViewSet):
    permission_classes = api_settings.DEFAULT_PERMISSION_CLASSES

# %% [markdown]
# Somebody who is not logged in deletes a genre from each:

# %%
router = SimpleRouter()
router.register("open", GenreViewSet)
router.register("closed", ClosedViewSet, basename="closed")
with override_settings(ROOT_URLCONF=tuple(router.urls)):
    print([Client().delete(f"/{name}/cookery/").status_code for name in ("closed", "open")])
print(Genre.objects.filter(slug="cookery").exists())
reset()

# %% [markdown]
# Gone. Set `DEFAULT_PERMISSION_CLASSES` on the first day, closed, and open views one by one; and a
# `DEFAULT_PAGINATION_CLASS` beside it.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *DRF, Django Ninja, or a plain `JsonResponse`?* `JsonResponse` is enough for one or two addresses that your own
#   page calls. DRF is for many resources with permissions, filters and pages, and for teams that know it. [Django
#   Ninja](https://django-ninja.dev/) takes functions with type hints, checks them with Pydantic, documents itself, and
#   lets views be `async`; authentication, pages and throttles it has, generic views and permission classes it has not.
#   DRF's views are synchronous; async ones are [left to
#   packages](https://github.com/encode/django-rest-framework/issues/8496) such as adrf.
# - *How does content negotiation work?* `Accept` is matched with the `media_type` of the view's renderers, a more
#   exact type before a wildcard, then in the view's order; nothing fits: 406. `?format=json` or a suffix narrows the
#   renderers first; a format that no renderer has is a 404. Where a view has several renderers, `Vary: Accept` tells
#   caches that the answers differ.
# - *Throttling and versioning?* A throttle counts requests in the cache, for each user or address, and answers 429
#   with `Retry-After`. A versioning class finds `request.version` in the path, the host, the query or the header. Both
#   are shown below.

# %% [markdown]
# What a plain view leaves to you: JSON that is none, and a visitor from another site's page (`enforce_csrf`). First
# the plain view, then DRF's:

# %%
def plain(request):
    return JsonResponse({"closed on": json.loads(request.body)["day"]}, status=201)


with override_settings(ROOT_URLCONF=(path("plain/", plain), path("drf/", Opening.as_view()))):
    for url in ("/plain/", "/drf/"):
        broken = post(url, "{", content_type="application/json")
        foreign = post(url, '{"day": "Sunday"}', content_type="application/json", enforce_csrf=True)
        print(url, broken.status, "|", foreign.status)

# %% [markdown]
# A 500 against a 400. And `APIView` is exempt from the CSRF check as long as no session says who you are (Q59). The
# shop's versions, and a client that guesses passwords:

# %%
print([get(f"/api/{version}/books/emma/").json()["price"] for version in ("v1", "v2")])
guesses = [post("/api/v1/token/", {"username": "anna", "password": f"guess {n}"}) for n in range(6)]
print([guess.status_code for guess in guesses], int(guesses[-1]["Retry-After"]) > 0)
reset()

# %%
quiz("Q57")

# %% [markdown]
# Now [exercises 23.1 and 23.2](../exercises/23_rest_framework.ipynb).

# %% [markdown]
# ## Q58 · Write serializers that check, nest and stay quick
#
# *Intermediate · asked as T-I1*
#
# **Say it.** A serializer works in two directions. Out, it turns an object into plain data, field by field. In, it
# takes plain data, checks it, and hands over `validated_data`, or `errors`. A `ModelSerializer` makes its fields and
# some validators from a model, and knows how to create and update one row. What it does not know is how nested data is
# to be saved, so you write that. And a serializer fetches nothing in advance: whatever its fields touch is the
# queryset's business.
#
# *What lifts it:* the order of validation, what it costs in queries on the way in as well, and that fields are built
# anew for every serializer object.

# %% [markdown]
# **See it.** What does it make of six columns? `decade` is generated by the database, `in_print` has a default there:

# %%
class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "price", "published", "in_print", "decade"]
        extra_kwargs = {"published": {"min_value": 1450, "max_value": 2100}}


print(repr(BookSerializer()))

# %% [markdown]
# Two things to know: a default of the database (`db_default`) does not make the field optional, and a generated column
# is read-only, as a bare `ModelField`. In and out; what comes of the blanks, of the types, of `id`, and of the colour?

# %%
sent = {"id": 7, "title": "  Sanditon ", "price": "6.5", "in_print": "yes", "colour": "red"}
new = BookSerializer(data=sent)
print(new.is_valid(), new.validated_data)
print(BookSerializer(Book.objects.get(slug="emma")).data)

# %% [markdown]
# Trimmed and converted. Read-only and unknown keys are dropped without a word; a client who misspells a name is not
# told. Out, a decimal becomes a string, so that no digit is lost in JSON. The opposite of read-only is `write_only`:
# it comes in, and is never shown. What is stored here?

# %%
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "password"]
        extra_kwargs = {"password": {"write_only": True}}


new = SignUpSerializer(data={"username": "newcomer", "password": "correct horse"})
print(new.is_valid(), new.save().password, new.data)
reset()

# %% [markdown]
# The password, as it was typed: `create()` of a `ModelSerializer` fills columns, and hashing is `create_user()`'s. Now
# the order in which things are checked. A field, a validator of it, a method, and two for the whole:

# %% reason="Every place where validation can happen, in one class."
log = []


def noting(name):
    return lambda value: log.append(name)


class Title(serializers.CharField):
    def to_internal_value(self, data):
        log.append("to_internal_value of the field")
        return super().to_internal_value(data)


class NewBook(serializers.Serializer):
    title = Title(validators=[noting("validators of the field")])
    price = serializers.DecimalField(max_digits=6, decimal_places=2)

    class Meta:
        validators = [noting("validators of the serializer")]

    def validate_title(self, value):
        log.append("validate_title")
        return value

    def validate(self, attrs):
        log.append("validate")
        return attrs

# %%
NewBook(data={"title": "Sanditon", "price": "6.50"}).is_valid()
print(*log, sep=" → ")
log.clear()
wrong = NewBook(data={"title": "Sanditon", "price": "cheap"})
print(wrong.is_valid(), wrong.errors["price"][0].code)
print(*log, sep=" → ")

# %% [markdown]
# All fields are tried, so that a client hears of all errors at once. What looks at the whole runs only when each field
# is valid: `validate()` may rely on required values being there, and of the right type. Except in a PATCH. Where is
# `price` now?

# %%
class Discount(BookSerializer):
    def validate(self, attrs):
        log.append(sorted(attrs))
        return attrs


log.clear()
emma = Book.objects.get(slug="emma")
patch = Discount(emma, data={"in_print": False}, partial=True)
print(patch.is_valid(), log, Discount(emma, data={"in_print": False}).is_valid())

# %% [markdown]
# With `partial=True` nothing is required, and `attrs` has what was sent. So ask `attrs.get("price",
# self.instance.price)`. Many objects at once, two of them wrong. What is in `errors`?

# %%
rows = [{"title": "Sanditon", "price": "6.50"}, {"title": "", "price": "6.50"}, {"title": "Lesley Castle"}]
many = NewBook(data=rows, many=True)
print(many.is_valid(), json.dumps(many.errors))
as_before = override_settings(REST_FRAMEWORK={"LIST_SERIALIZER_ERRORS_AS_DICT": False})
with as_before, warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    many = NewBook(data=rows, many=True)
    print(many.is_valid(), json.dumps(many.errors), heard[0].category.__name__)

# %% [markdown]
# Since DRF 3.18 a dictionary by position, with the failing ones only; before, a list with `{}` for each good one. A
# front end that loops over it has to change. A
# [setting](https://www.django-rest-framework.org/community/release-notes/) brings the list back until 3.20. Its
# warning is of a kind that Python hides unless asked.

# %% [markdown]
# Out again: three ways to shape the answer. `source` follows attributes, a `SerializerMethodField` calls a method, and
# `to_representation()` has the last word. What does a book without publisher show, and in the answer to a PATCH?

# %%
class CardSerializer(serializers.ModelSerializer):
    publisher = serializers.CharField(source="publisher.name", default="self-published", read_only=True)
    title = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ["title", "publisher", "pages"]

    def get_title(self, book):
        return f"{book.title} by {book.author.name}"

    def to_representation(self, book):
        return {name: value for name, value in super().to_representation(book).items() if value is not None}

# %%
for slug in ("emma", "meditations"):
    print(CardSerializer(Book.objects.get(slug=slug)).data)
patch = CardSerializer(Book.objects.get(slug="meditations"), data={}, partial=True)
print(patch.is_valid(), patch.data)

# %% [markdown]
# A `PATCH` leaves defaults out, of its answer too. Where a key must always be there, make it a method.
#
# A method is called for each row, and what it touches is fetched for each row. Queries for twenty books, with nothing
# brought along, with the authors, and with both relations:

# %%
shelf = Book.objects.order_by("pk")[:20]
for books in (shelf, shelf.select_related("author"), shelf.select_related("author", "publisher")):
    with CaptureQueriesContext(connection) as seen:
        CardSerializer(books, many=True).data
    print(len(seen))

# %% [markdown]
# **Nested, in.** A new author arrives with books. Validation works at once; saving does not:

# %%
class TitleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["title", "slug", "price"]

# %%
class AuthorSerializer(serializers.ModelSerializer):
    books = TitleSerializer(many=True)

    class Meta:
        model = Author
        fields = ["name", "slug", "books"]

# %%
udolpho = {"title": "The Mysteries of Udolpho", "slug": "udolpho", "price": "7.50"}
radcliffe = {"name": "Ann Radcliffe", "slug": "ann-radcliffe", "books": [udolpho]}
author = AuthorSerializer(data=radcliffe)
print(author.is_valid())
try:
    author.save()
except AssertionError as error:
    print(str(error).splitlines()[0])

# %% [markdown]
# One has to say what it means: `create()` takes the nested part out, saves the parent, then the children, in one
# transaction. `update()` would have to decide whether books that are not in the list are deleted. Two of the same slug
# in one request: who notices, and what is left?

# %%
class WholeAuthorSerializer(AuthorSerializer):
    @transaction.atomic
    def create(self, validated_data):
        books = validated_data.pop("books")
        author = super().create(validated_data)
        Book.objects.bulk_create(Book(author=author, **book) for book in books)
        return author

# %%
for books in ([udolpho, udolpho | {"title": "Udolpho"}], [udolpho]):
    author = WholeAuthorSerializer(data=radcliffe | {"books": books})
    author.is_valid(raise_exception=True)
    try:
        print(author.save().books.count(), author.data["books"][0]["slug"])
    except IntegrityError:
        print("IntegrityError,", Author.objects.filter(slug="ann-radcliffe").count(), "authors left")
reset()

# %% [markdown]
# Validators ask the database, where the twin is not yet: `is_valid()` was true, the constraint spoke, and `atomic`
# took the author back. Check twins in `validate_books()`, or the client sees a 500.

# %% [markdown]
# **Nested, out.** Orders with their lines. How many queries for ten orders?

# %%
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")

    class Meta:
        model = OrderLine
        fields = ["title", "quantity"]

# %%
class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "lines"]

# %% reason="The report names three relations; cut, it would name fewer."
with queries():
    data = OrderSerializer(Order.objects.order_by("pk")[:10], many=True).data

# %% [markdown]
# The report names each relation that was loaded on the way. They are the list of what the queryset has to bring: a
# join to one, a prefetch to many:

# %%
def cost(orders):
    with CaptureQueriesContext(connection) as seen:
        OrderSerializer(orders, many=True).data
    return len(seen)


whole = Order.objects.select_related("customer").prefetch_related("lines__book").order_by("pk")
print([cost(whole[:number]) for number in (10, 50)])

# %% [markdown]
# Three, for ten and for fifty. The cure belongs in the view's `get_queryset()`, and a test with `assertNumQueries`
# beside it: somebody will add a field. The way in costs queries as well. Twenty lines, each with a book by its key:

# %%
class WishSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


wishes = WishSerializer(data=[{"book": pk, "quantity": 1} for pk in range(1, 21)], many=True)
with CaptureQueriesContext(connection) as seen:
    print(wishes.is_valid(), len(seen))

# %% [markdown]
# One for each: a `PrimaryKeyRelatedField` looks up its key, row by row. A bulk request takes plain integers and looks
# them up together, in a list serializer of its own:

# %%
class WishListSerializer(serializers.ListSerializer):
    def validate(self, wishes):
        books = Book.objects.in_bulk([wish["book"] for wish in wishes])
        if unknown := [wish["book"] for wish in wishes if wish["book"] not in books]:
            raise serializers.ValidationError(f"Unknown books: {unknown}")
        return [{**wish, "book": books[wish["book"]]} for wish in wishes]

# %%
class BulkWishSerializer(serializers.Serializer):
    book = serializers.IntegerField()
    quantity = serializers.IntegerField(min_value=1)

    class Meta:
        list_serializer_class = WishListSerializer

# %% [markdown]
# And a `max_length`. The same twenty, where fifty are allowed and where ten are:

# %%
for most in (50, 10):
    bulk = BulkWishSerializer(data=wishes.initial_data, many=True, max_length=most)
    with CaptureQueriesContext(connection) as seen:
        print(bulk.is_valid(), len(seen))

# %% [markdown]
# One query for all, and none for a list that is too long.

# %% [markdown]
# **Time.** All books, already fetched. One serializer for all of them, one for each, and a serializer whose
# `to_representation` writes the dictionary. Which factors do you expect?

# %%
class QuickSerializer(serializers.BaseSerializer):
    def to_representation(self, book):
        return {"id": book.pk, "title": book.title, "price": str(book.price), "published": book.published}

# %%
def seconds(function):
    return min(repeat(function, number=1, repeat=5))


books = list(Book.objects.all())
together = seconds(lambda: BookSerializer(books, many=True).data)
print(seconds(lambda: [BookSerializer(book).data for book in books]) > 10 * together)
print(together > 3 * seconds(lambda: QuickSerializer(books, many=True).data))

# %% [markdown]
# A serializer object builds its fields when they are first asked for, a `ModelSerializer` from the model each time: in
# a loop that is most of the work, with `many=True` it happens once. Per row, the fields cost several times as much as
# the dictionary itself; worth knowing for exports, and rarely the first thing to cure.

# %% [markdown]
# **The trap.** `depth = 1` is the [short way to
# nest](https://www.django-rest-framework.org/api-guide/serializers/#specifying-nested-serialization), and who takes it
# for a join is misled twice. Orders with their customers; how many queries, and which columns?

# %%
class DeepSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ["number", "customer"]
        depth = 1


with CaptureQueriesContext(connection) as seen:
    deep = DeepSerializer(Order.objects.order_by("pk")[:10], many=True).data
print(len(seen), list(deep[0]["customer"])[:6])

# %% [markdown]
# The hash of the password, permissions and all: a nested serializer made by `depth` has every field, and brings three
# queries for each order. `fields = "__all__"` gives away in the same manner what a later migration adds. Name the
# fields, and write the nested serializer.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *`ModelSerializer` or `Serializer`, and which is faster?* The first where the data is a row, the second where it is
#   not: a login, a search, a report. Building a `ModelSerializer` costs more, as it reads the model; per row both run
#   the same kinds of field, so with `many=True` there is little between them. What helps is a `to_representation()` of
#   your own, as above.
# - *How do you write nested data?* Override `create()` and `update()`, in a transaction; take the nested part out of
#   `validated_data` first. Decide what a missing child means. For updates, match children by a key of theirs that is
#   writable. Or let children have endpoints of their own.
# - *`to_representation` or `source`?* `source` for a field that has another name or lies elsewhere. It works in both
#   directions, but a dotted path is written only by a `create()` or `update()` of yours. `to_representation()` for the
#   shape of the whole, out only. On a field it is never called for `None`: the serializer writes `None` itself.

# %%
class PlainSerializer(serializers.Serializer):
    title = serializers.CharField()
    slug = serializers.CharField()
    price = serializers.DecimalField(max_digits=6, decimal_places=2)


def calls(function):
    profile = Profile()
    profile.runcall(function)
    return Stats(profile).total_calls

# %% [markdown]
# Counted in calls of functions, which are the same on every run: the fields of each, then the data of all books.

# %%
plain, model, books = PlainSerializer, TitleSerializer, list(Book.objects.all())
print(calls(lambda: [model().fields for _ in books]) > 2 * calls(lambda: [plain().fields for _ in books]))
print(calls(lambda: model(books, many=True).data) < 1.5 * calls(lambda: plain(books, many=True).data))
print(plain({"title": "Emma", "slug": "emma", "price": None}).data)

# %% [markdown]
# **Versions.** DRF 3.18 runs on both, and what you have seen of it is the same. What 6.1 adds is on Django's side:
# with `FETCH_PEERS` a queryset brings a forgotten foreign key for all its rows at the first touch. Does the mode go
# along into a prefetch? `FETCH_RAISE`, for tests, refuses and names the relation:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.core.exceptions import FieldFetchBlocked
    from django.db.models import FETCH_PEERS, FETCH_RAISE

    orders = Order.objects.order_by("pk")[:10]
    lines = Prefetch("lines", OrderLine.objects.fetch_mode(FETCH_PEERS))
    print([cost(some.prefetch_related("lines")) for some in (orders, orders.fetch_mode(FETCH_PEERS))])
    print(cost(orders.fetch_mode(FETCH_PEERS).prefetch_related(lines)))
    try:
        cost(orders.fetch_mode(FETCH_RAISE))
    except FieldFetchBlocked as error:
        print(error)
else:
    print("Django 6.1 prints [44, 35], then 4, then that fetching of Order.customer is blocked.")

# %% [markdown]
# It does not: the customers came together, the books of the lines did not, until the inner queryset had the mode too.

# %%
quiz("Q58")

# %% [markdown]
# Now [exercises 23.3 to 23.6](../exercises/23_rest_framework.ipynb).

# %% [markdown]
# ## Q59 · Tell who asks from what they may do
#
# *Intermediate · asked as T-I2*
#
# **Say it.** Authentication finds out who asks: the view's classes are tried in order, and the first that recognises
# its kind of credentials sets `request.user`. None of them does: an anonymous user, and no error yet. Permissions
# decide. Every class has to say yes, first to the request, and for one object again, but only where `get_object()`
# asks. A refusal is 403; for somebody unknown it is 401, if the first authentication class can say how to log in.
# Throttles come last.
#
# *What lifts it:* where object permissions are never asked, what is not throttled, and what a JWT cannot take back.

# %% [markdown]
# **See it.** One page for people who are logged in, behind four lists of authentication classes. Nobody logs in. Which
# status is whose?

# %%
class Desk(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"user": request.user.username})

    def post(self, request):
        return Response({"user": request.user.username}, status=201)

# %%
factory = APIRequestFactory()


def ask(authentication, permissions=(IsAuthenticated,), **headers):
    desk = Desk.as_view(authentication_classes=authentication, permission_classes=permissions, throttle_classes=[])
    return desk(factory.get("/", headers=headers))


for classes in ([TokenAuthentication], [SessionAuthentication, BasicAuthentication], [BasicAuthentication], []):
    reply = ask(classes)
    print(reply.status_code, reply.headers.get("WWW-Authenticate"), [one.__name__ for one in classes])

# %% [markdown]
# A 401 must name a way to log in, [says HTTP](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2), and a session
# has no name for that header: so the first class decides between 401 and 403. A new project, with sessions first, says
# 403 to strangers. Four permissions against three people; `Token nonsense` is a key that does not exist:

# %%
anna = User.objects.get(username="anna")
key = Token.objects.create(user=anna).key
people = {"nobody": {}, "anna": {"authorization": f"Token {key}"}, "nonsense": {"authorization": "Token nonsense"}}
print(" " * 25, *[f"{name:>8}" for name in people])
for permission in (AllowAny, IsAuthenticatedOrReadOnly, IsAuthenticated, IsAdminUser):
    statuses = [ask([TokenAuthentication], [permission], **headers).status_code for headers in people.values()]
    print(f"{permission.__name__:25}", *[f"{status:8}" for status in statuses])

# %% [markdown]
# The last column: credentials that are there and wrong are an error at once, on open pages too. A client whose token
# was deleted cannot even read what everybody may read, until it leaves the header out.
#
# A session comes in a cookie, which a browser adds by itself, in the worst case to the form of another site. Who needs
# a CSRF token for a POST?

# %%
with override_settings(ROOT_URLCONF=(path("", Desk.as_view(permission_classes=[AllowAny])),)):
    print("session", post("/", {}, user="anna", enforce_csrf=True).json())
    print("token  ", post("/", {}, headers={"Authorization": f"Token {key}"}, enforce_csrf=True).json())
    print("nobody ", post("/", {}, enforce_csrf=True).json())
reset()

# %% [markdown]
# `APIView` is exempt from Django's own check, and `SessionAuthentication` makes it itself, once the session says who
# it is. An anonymous POST is never checked, so [leave logging
# in](https://www.django-rest-framework.org/api-guide/authentication/#sessionauthentication) to Django's own view.

# %% [markdown]
# **Objects.** A review may be changed by who wrote it. The permission of the shop has a second method, for the object.
# Anna tries Mei's, then José one of his own:

# %%
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class ReviewView(RetrieveUpdateAPIView):
    queryset = Review.objects.all()
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticatedOrReadOnly, IsReviewerOrReadOnly]

# %%
def change(view, username, review):
    request = factory.patch("/", {"text": "Read twice."})
    force_authenticate(request, User.objects.get(username=username))
    return view.as_view()(request, pk=review.pk).status_code


mei, jose = (Review.objects.filter(reviewer__username__startswith=name).first() for name in ("mei.", "jose"))
print(change(ReviewView, "anna", mei), change(ReviewView, "jose", jose))

# %% [markdown]
# 403 and 200. Where the existence itself is nobody's business, filter the queryset instead: the shop's orders of
# others are 404. Anna, then a stranger:

# %%
order = Order.objects.exclude(customer__username="anna").first()
print(get(f"/api/v1/orders/{order.number}/", user="anna").status, get(f"/api/v1/orders/{order.number}/").status)

# %% [markdown]
# Classes combine with `&`, `|` and `~`. Roles are Django's groups, asked by `DjangoModelPermissions`, which maps verbs
# to permissions of the model. Which verb asks for none?

# %%
print({verb: codes for verb, codes in DjangoModelPermissions.perms_map.items() if verb in ("GET", "POST", "DELETE")})


def tries(client):
    edit = partial(client.patch, "/api/v1/books/emma/", content_type="application/json")
    replies = (edit({"pages": 500}), edit({"price": "1.00"}), client.delete("/api/v1/books/seven-brothers/"))
    return [reply.status_code for reply in replies]

# %% [markdown]
# Three people try to change the number of pages, then a price, then to delete a book:

# %%
for role in ("no group", "Booksellers", "Managers"):
    client, user = Client(), User.objects.create_user(f"new-{role}", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    print(f"{role:12}", tries(client))
reset()

# %% [markdown]
# `GET` asks for nothing: whoever is logged in may read, [unless a subclass
# adds](https://www.django-rest-framework.org/api-guide/permissions/#djangomodelpermissions) `view_…` to the map. The
# price is a permission of its own, which the shop's view asks for in `perform_update()`.

# %% [markdown]
# **Throttles.** A rate, and a key in the cache made of the scope and the user or address. Four requests in a minute:

# %%
class TwiceAMinute(AnonRateThrottle):
    scope, rate = "desk", "2/min"


desk = Desk.as_view(authentication_classes=[], permission_classes=[AllowAny], throttle_classes=[TwiceAMinute])
replies = [desk(factory.get("/")) for _ in range(4)]
print([reply.status_code for reply in replies], 50 < int(replies[-1].headers["Retry-After"]) <= 60)
reset()

# %% [markdown]
# The key holds the times of the last requests, read, changed and written back without a lock. So several processes
# need a shared cache, and even then some requests too many get through: DRF
# [says](https://www.django-rest-framework.org/api-guide/throttling/) that it is no protection against brute force.
#
# And what is the address? A client makes up another `X-Forwarded-For` each time; DRF's default first, then the number of
# proxies said:

# %%
for proxies in (None, 0):
    with override_settings(REST_FRAMEWORK={**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}):
        made_up = [factory.get("/", headers={"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(4)]
        print(proxies, [desk(request).status_code for request in made_up])
    reset()

# %% [markdown]
# Without `NUM_PROXIES` the header is believed, whoever wrote it: a new address for every request. Say how many proxies
# stand in front of Django.

# %% [markdown]
# **JWT.** A signed JSON Web Token is three pieces of base64: a header, claims, and a signature over both. Libraries
# such as PyJWT make them; here it is by hand, to see what is in it:

# %%
SIGNING_KEY = b"a secret of the server, 32 bytes"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature(text, key):
    return encoded(hmac.digest(key, text.encode(), "sha256"))


def issue(claims, key=SIGNING_KEY):
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{signature(text, key)}"

# %%
token = issue({"sub": "3", "name": "anna", "exp": 4102444800})
print(*token.split("."), sep="\n")
print(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

# %% [markdown]
# Everybody can read it, without the key: signed is not encrypted. What the key protects is that nobody else can make
# one. The reading side checks the signature first, with the algorithm that **it** expects, then the time:

# %%
def claims_of(token):
    text, _, given = token.rpartition(".")
    if not hmac.compare_digest(given.encode(), signature(text, SIGNING_KEY).encode()):
        raise AuthenticationFailed("The signature is wrong.")
    claims = json.loads(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))
    if claims["exp"] <= time.time():
        raise AuthenticationFailed("The token has expired.")
    return claims

# %%
class JWTAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = claims_of(token)
        return User(pk=int(claims["sub"]), username=claims["name"]), claims

    def authenticate_header(self, request):
        return "Bearer"

# %% [markdown]
# Three outcomes: None for "not mine", an exception for "mine, and wrong", a pair for "this user". One good token, and
# three that are not: expired, changed by its owner, and one that says in its header that it needs no signature:

# %%
header, payload, signed = token.split(".")
expired = issue({"sub": "3", "name": "anna", "exp": 1})
changed = ".".join([header, encoded(b'{"sub": "5", "name": "ida", "exp": 4102444800}'), signed])
unsigned = ".".join([encoded(b'{"alg": "none"}'), payload, ""])
for sent in (token, expired, changed, unsigned):
    reply = ask([JWTAuthentication], authorization=f"Bearer {sent}")
    print(reply.status_code, *reply.data.values())

# %% [markdown]
# A reader that believes the header's `alg` takes the last one; the [best practices for
# JWT](https://www.rfc-editor.org/rfc/rfc8725#section-3.1) begin with it. What is it good for? Three ways to know Anna,
# and then her account is closed. Queries and status of each:

# %% reason="Three ways, before and after: half of it would be no comparison."
reset()
anna = User.objects.get(username="anna")
browser = Client()
browser.force_login(anna)
ways = {"session": (browser, ""), "token": (Client(), f"Token {Token.objects.create(user=anna).key}")}
ways["JWT"] = (Client(), f"Bearer {token}")
classes = [JWTAuthentication, TokenAuthentication, SessionAuthentication]
with override_settings(ROOT_URLCONF=(path("", Desk.as_view(authentication_classes=classes)),)):
    for active in (True, False):
        User.objects.filter(pk=anna.pk).update(is_active=active)
        for name, (client, authorization) in ways.items():
            with CaptureQueriesContext(connection) as seen:
                status = client.get("/", headers={"Authorization": authorization}).status_code
            print(f"{name:8}", "open  " if active else "closed", status, len(seen), "queries")
reset()

# %% [markdown]
# This JWT asks nobody, so nobody can say no: it is good until it expires. Keep it to minutes, with a refresh token that
# is looked up. (Its `User` is not loaded, and must not be saved.) Simple JWT, a package, loads the user each time unless
# you choose its [stateless
# class](https://django-rest-framework-simplejwt.readthedocs.io/en/latest/stateless_user_authentication.html): a closed
# account is out at once, for one query.

# %% [markdown]
# **The trap.** "With an object permission on the class, the object is safe." Many rewrite `get_object()`, for a lookup
# of their own. Anna and Mei's review again:

# %%
class ShorterReviewView(ReviewView):
    def get_object(self):
        return get_object_or_404(Review, pk=self.kwargs["pk"])


print(change(ShorterReviewView, "anna", mei), Review.objects.get(pk=mei.pk).text)
reset()

# %% [markdown]
# Nobody asked. It is `get_object()` of the generic view that calls `self.check_object_permissions(self.request, obj)`;
# whoever replaces it has to do so too. Another belief is that tokens end by themselves:

# %%
key = Token.objects.create(user=User.objects.get(username="anna")).key
Token.objects.update(created=timezone.now() - timedelta(days=3000))
for authentication in (TokenAuthentication, ExpiringTokenAuthentication):
    print(authentication.__name__, ask([authentication], authorization=f"Token {key}").status_code)
print(Token._meta.pk.name, Token.objects.get().pk == key)

# %% [markdown]
# A token of DRF is good until somebody deletes it or closes the account; the shop's class adds an end. And its key is
# in the table as it is: who reads the database can use it. The last belief: a throttle slows down who guesses
# passwords:

# %%
guess = {"authorization": f"Basic {base64.b64encode(b'anna:guess').decode()}"}
desk = Desk.as_view(authentication_classes=[BasicAuthentication], throttle_classes=[TwiceAMinute])
print([desk(factory.get("/", headers=guess)).status_code for _ in range(5)])
reset()

# %% [markdown]
# Throttles are asked **after** authentication and permissions, so what fails there is never counted. Guard a login
# where it happens, in front of the view or in a view without authentication, as `/api/v1/token/` is.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *JWT, session or token?* For a browser on your own site the session: `HttpOnly` cookie, CSRF check, log out works.
#   A token for programs and apps that you want to be able to cut off: one query, deleted when lost. A JWT where
#   services that share no database have to know who asks; short lives, keys that rotate, and a list of revoked ones as
#   soon as "log out" has to mean it, which is a look-up again.
# - *Where do object permissions fail silently?* In lists, which [never call
#   them](https://www.django-rest-framework.org/api-guide/permissions/#limitations-of-object-level-permissions). Filter
#   in `get_queryset()`. In `create()`, where there is no object yet. In an `@action` that fetches by itself. And
#   `user.has_perm(perm, obj)` is False for every object with Django's `ModelBackend`, whatever the user's permissions;
#   an active superuser gets True before any backend is asked.
# - *How do you do role-based access?* Groups with permissions, and permission classes that ask `has_perm`, rather than
#   for the name of a group. `DjangoModelPermissions` for the usual verbs; `get_permissions()` per action for the rest.

# %%
class OwnOrder(BasePermission):
    def has_object_permission(self, request, view, order):
        return order.customer_id == request.user.pk


class NumberSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ["number"]

# %%
class OrderList(ListAPIView):
    queryset = Order.objects.order_by("pk")
    serializer_class = NumberSerializer
    permission_classes = [OwnOrder]

# %%
class OwnOrderList(OrderList):
    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user)

# %%
request, anna = factory.get("/"), User.objects.get(username="anna")
force_authenticate(request, anna)
print([view.as_view()(request).data["count"] for view in (OrderList, OwnOrderList)])
anna.user_permissions.add(Permission.objects.get(codename="view_order"))
order = Order.objects.first()
for user in (User.objects.get(username="anna"), User(is_superuser=True)):
    print(user.has_perm("orders.view_order"), user.has_perm("orders.view_order", order))
reset()

# %%
quiz("Q59")

# %% [markdown]
# Now [exercises 23.7 to 23.9](../exercises/23_rest_framework.ipynb).

# %% [markdown]
# ## Q60 · Let a router write the URLs of a viewset
#
# *Advanced · asked as T-A8*
#
# **Say it.** A viewset is one class for all that can be done with a resource. Its methods are actions, `list`,
# `create`, `retrieve`, `update`, `destroy` and your own, and not verbs. A router reads the class and makes the URL
# patterns: which verb at which path calls which action. With `self.action` the class chooses its queryset, serializer
# and permissions for each. `@action` adds an endpoint. Whose rows these are is decided in `get_queryset()`, where
# every look-up begins.
#
# *What lifts it:* reading the table a router makes, cursor pages, versions, and when a plain `APIView` is the better
# choice.

# %% [markdown]
# **See it.** By hand first: `as_view()` of a viewset wants to know which verb is which action. What do the last two
# calls say?

# %%
factory = APIRequestFactory()
books = BookViewSet.as_view({"get": "list"})
print(books(factory.get("/", {"page_size": 1}), version="v1").data["results"][0]["title"])
print(books(factory.post("/"), version="v1").status_code)
try:
    BookViewSet.as_view()
except TypeError as error:
    print(type(error).__name__)

# %% [markdown]
# (401 and not 405: permissions come before the method.) A viewset with two actions of its own, one for the list and
# one for a single genre, which takes two verbs:

# %% reason="One viewset that shows each kind of action."
class GenreSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["slug", "name"]


class GenreViewSet(ModelViewSet):
    queryset = Genre.objects.order_by("name")
    serializer_class = GenreSerializer
    lookup_field = "slug"

    @action(detail=False)
    def empty(self, request):
        genres = self.get_queryset().filter(books=None)
        return Response(self.get_serializer(genres, many=True).data)

    @action(detail=True, url_path="books")
    def titles(self, request, slug):
        return Response(self.get_object().books.order_by("title").values_list("title", flat=True)[:2])

    @titles.mapping.post
    def add_title(self, request, slug):
        return Response({"action": self.action})

# %%
def table(router):
    for pattern in router.urls:
        print(f"{pattern.name:12} {pattern.pattern!s:34}", *getattr(pattern.callback, "actions", {}).values())


router = SimpleRouter()
router.register("genres", GenreViewSet)
table(router)

# %% [markdown]
# Four patterns for nine actions. Names begin with the `basename`, the model in lower case; `url_path` changes the path
# and not the name; two methods share one path through `mapping`. `empty` stands before `<slug>`, and so wins. Called:

# %%
with override_settings(ROOT_URLCONF=tuple(router.urls)):
    print(get("/genres/empty/").json(), get("/genres/satire/books/").json())
    print(post("/genres/satire/books/", {}, user="anna").json(), get("/genres/satire").status)

# %% [markdown]
# In the second method `self.action` is `add_title`: who compares with `"titles"` misses it. And without the slash at
# the end it is a redirect, which a POST [does not survive](04_urls_requests_middleware.ipynb);
# `SimpleRouter(trailing_slash=False)` makes paths without. `DefaultRouter` makes more of the same class. What?

# %%
more = DefaultRouter()
more.register("genres", GenreViewSet)
print(len(router.urls), len(more.urls), [pattern.name for pattern in more.urls if "genre" not in pattern.name])
print([resolve(url, tuple(more.urls)).kwargs for url in ("/genres/satire/", "/genres/satire.json")])

# %% [markdown]
# A page of links at the root, and each path again with a format suffix. That is why the default lookup is `[^/.]+`: no
# slash and **no dot**. (With `use_regex_path=False` a router writes `<str:slug>`, and a dot may stand in it.) Which of
# these slugs is found, in which of three tables?

# %%
class DottedViewSet(GenreViewSet):
    lookup_value_regex = "[^/]+"


def find(viewset, url, urls):
    urls.register("genres", viewset)
    try:
        return resolve(url, tuple(urls.urls)).kwargs
    except Resolver404:
        return "404"

# %%
plain_paths = partial(SimpleRouter, use_regex_path=False)
for viewset, kind in ((GenreViewSet, SimpleRouter), (DottedViewSet, SimpleRouter), (GenreViewSet, plain_paths)):
    print([find(viewset, url, kind()) for url in ("/genres/satire/", "/genres/v1.2/")])

# %% [markdown]
# The shop's orders have `lookup_field = "number"` and `lookup_value_regex = "[0-9]{4}-[0-9]+"`, so nonsense ends in
# the URLconf. Its whole table, without the suffixes:

# %% reason="The URLs of the shop's API, as the router makes them."
for pattern in shop_router.urls:
    if "format" not in str(pattern.pattern) and pattern.name != "api-root":
        verbs = [verb for verb in pattern.callback.actions if verb != "head"]
        print(f"{pattern.name:16} {pattern.pattern!s:44}", *verbs)

# %% [markdown]
# **Per action.** One class, and another serializer, permission or queryset for some actions. The hooks are called for
# each request:

# %%
class GuardedViewSet(GenreViewSet):
    def get_permissions(self):
        open_to_all = self.action in ("list", "retrieve", "empty", "titles")
        return [AllowAny()] if open_to_all else [IsAdminUser()]

    def get_serializer_class(self):
        return NameSerializer if self.action == "list" else GenreSerializer

    @action(detail=False, permission_classes=[AllowAny])
    def number(self, request):
        return Response(self.get_queryset().count())

# %%
class NameSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["name"]

# %%
guarded = SimpleRouter()
guarded.register("genres", GuardedViewSet)
with override_settings(ROOT_URLCONF=tuple(guarded.urls)):
    print(get("/genres/").json()["results"][0], get("/genres/satire/").json(), get("/genres/number/").status)
    for user in (None, "anna", "ida"):
        print(user, post("/genres/", {"slug": "new", "name": "New"}, user=user).status)
reset()

# %% [markdown]
# Listed are the open ones, so an action that somebody adds later is closed. `number` is: its own `permission_classes`
# are what `get_permissions()` would read, if it were not overridden.
#
# The queryset is where a nested serializer is paid for. Queries for books, without and with it:

# %%
class ShelfSerializer(serializers.ModelSerializer):
    genres = GenreSerializer(many=True)
    author = serializers.CharField(source="author.name")

    class Meta:
        model = Book
        fields = ["slug", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("pk")
    serializer_class = ShelfSerializer

# %%
class FetchingViewSet(ShelfViewSet):
    def get_queryset(self):
        return super().get_queryset().select_related("author").prefetch_related("genres")

# %%
for viewset in (ShelfViewSet, FetchingViewSet):
    with CaptureQueriesContext(connection) as seen:
        viewset.as_view({"get": "list"})(factory.get("/"))
    print(viewset.__name__, len(seen))

# %% [markdown]
# Twenty books a page: a count, the page, an author and the genres for each; then 3. An action that counts rows or
# changes one does not need them: ask `self.action`.
#
# **Whose rows.** An order belongs to a customer, so there is no queryset to write on the class. What does the router
# say?

# %%
class NumberSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ["number"]

# %%
class OrderViewSet(ReadOnlyModelViewSet):
    serializer_class = NumberSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Order.objects.filter(customer=self.request.user).order_by("pk")

# %%
orders = SimpleRouter()
try:
    orders.register("orders", OrderViewSet)
except AssertionError as error:
    print(error)
orders.register("orders", OrderViewSet, basename="order")
print([pattern.name for pattern in orders.urls])

# %% [markdown]
# **Pages.** Page numbers and offsets count rows from the start, a cursor says where the last page ended. Somebody adds
# a book between page 1 and page 2. Who sees what?

# %%
class ByTitle(CursorPagination):
    page_size, ordering = 3, "title"


class ByOffset(LimitOffsetPagination):
    default_limit = 3


class TitleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["title"]

# %%
def turn_page(pagination):
    view = ListAPIView.as_view(
        queryset=Book.objects.order_by("title"), serializer_class=TitleSerializer, pagination_class=pagination
    )
    first = view(factory.get("/")).data
    Book.objects.create(title="A Beginning", slug=f"new-{pagination.__name__}", author_id=1, price=5)
    with CaptureQueriesContext(connection) as seen:
        second = view(factory.get(first["next"])).data
    reset()
    last_and_next = first["results"][-1:] + second["results"][:1]
    return [book["title"] for book in last_and_next], seen[-1]["sql"]

# %%
for pagination in (ByOffset, ByTitle):
    titles, sql = turn_page(pagination)
    print(titles, sql.partition('FROM "catalog_book"')[2], sep="\n")

# %% [markdown]
# The offset shows a book twice, and the database [computes what it
# skips](https://www.postgresql.org/docs/current/queries-limit.html). The cursor has a `WHERE` on the last title, which
# an index can answer at any depth. Its price: no page numbers, no total, and an order that is [stable and never
# NULL](https://www.django-rest-framework.org/api-guide/pagination/#cursorpagination). A cursor is base64, for
# everybody to read and to make up:

# %%
link = get("/api/v1/books/", {"page_size": 2}).json()["next"]
print(base64.b64decode(parse_qs(urlsplit(link).query)["cursor"][0]))
made_up = base64.b64encode(b"p=We").decode()
print(get("/api/v1/books/", {"cursor": made_up, "page_size": 1}).json()["results"][0]["title"])

# %% [markdown]
# **Schema.** The classes know enough to describe themselves. The shop's OpenAPI document is made by drf-spectacular
# from serializers, filters and routes; DRF's own generator is
# [deprecated](https://www.django-rest-framework.org/api-guide/schemas/), and CoreAPI, which older articles use, is
# gone:

# %%
schema = get("/api/v1/schema/", {"format": "json"}).json()
print(schema["openapi"], len(schema["paths"]), "paths", find_spec("rest_framework.schemas.coreapi"))
stock = schema["paths"]["/api/v1/books/{slug}/stock/"]["get"]
print(stock["operationId"], [one["name"] for one in stock["parameters"]], list(stock["responses"]))
print(schema["components"]["schemas"]["Stock"]["properties"]["quantity"])

# %% [markdown]
# **The trap.** "Overriding `list()` is enough, so that customers see their own orders." The list is right. Anna asks
# for an order of somebody else by its key:

# %%
class ListedViewSet(ReadOnlyModelViewSet):
    queryset = Order.objects.order_by("pk")
    serializer_class = NumberSerializer
    permission_classes = [IsAuthenticated]

    def list(self, request):
        own = self.get_queryset().filter(customer=request.user)
        return Response(self.get_serializer(own, many=True).data)

# %%
foreign = Order.objects.exclude(customer__username="anna").first()
request = factory.get("/")
force_authenticate(request, User.objects.get(username="anna"))
for viewset in (ListedViewSet, OrderViewSet):
    listed = viewset.as_view({"get": "list"})(request).data
    one = viewset.as_view({"get": "retrieve"})(request, pk=foreign.pk)
    print(len(listed if isinstance(listed, list) else listed["results"]), one.status_code, one.data.get("number"))

# %% [markdown]
# `retrieve`, and `update` and `destroy` where there are such, take the class's queryset. It stands first on OWASP's
# list for APIs, as [broken object level
# authorization](https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/). Filter in
# `get_queryset()`. And do not touch `queryset` on the class: it lives as long as the process. How many genres, before
# and after one is added?

# %%
class KeptViewSet(ReadOnlyModelViewSet):
    queryset = Genre.objects.order_by("name")

    def list(self, request):
        return Response({"kept": len(self.queryset), "asked": len(self.get_queryset())})


kept = KeptViewSet.as_view({"get": "list"})
print(kept(factory.get("/")).data)
Genre.objects.create(name="Letters", slug="letters")
print(kept(factory.get("/")).data)
reset()

# %% [markdown]
# The first request filled it for all that follow in this process. `get_queryset()` makes a copy each time. Generic
# views that are no viewsets guard against it:

# %%
class KeptView(ListAPIView):
    queryset = Genre.objects.order_by("name")


KeptView.as_view()
try:
    len(KeptView.queryset)
except RuntimeError as error:
    print(str(error).partition(",")[0])

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *ViewSet or generic `APIView`?* A viewset for a resource with the usual actions: one class, one line of URL.
#   Generic views for one or two endpoints, or where list and detail have little in common. `APIView` for what is no
#   resource, a login or a report: there the verb says it all, and `if self.action ==` chains tell you that you took
#   the wrong one.
# - *How do you nest routes?* An `@action(detail=True)` for one level. Or include the router below a prefix with an
#   argument, and filter by it in `get_queryset()`, as below;
#   [drf-nested-routers](https://github.com/alanjds/drf-nested-routers) writes that for you. Deeper than one level,
#   prefer `/books/?author=…`.
# - *How do you version an API?* In the path, it can be seen, cached and routed; in `Accept` the address stays. Either
#   way `request.version` chooses the serializer. Add fields freely, and start a version only for what breaks clients:
#   then run both, say when the old one ends, and count who still calls it.

# %%
class BooksOfAuthor(ShelfViewSet):
    serializer_class = TitleSerializer

    def get_queryset(self):
        author = get_object_or_404(Author, slug=self.kwargs["author"])
        return super().get_queryset().filter(author=author)

# %%
nested = SimpleRouter()
nested.register("books", BooksOfAuthor, basename="author-book")
with override_settings(ROOT_URLCONF=(path("authors/<slug:author>/", include(nested.urls)),)):
    for url in ("/authors/jane-austen/books/", "/authors/homer/books/4/", "/authors/nobody/books/"):
        reply = get(url)
        print(reply.status_code, reply.json().get("count"), url)

# %% [markdown]
# Emma is book 4, and not by Homer: 404, because the filter holds for `retrieve` too. And versions: one view, two
# serializers, and links that stay in their version:

# %%
for version in ("v1", "v2", "v3"):
    reply = get(f"/api/{version}/books/emma/")
    print(reply.status_code, reply.json().get("price"), reply.json().get("url"))

# %%
quiz("Q60")

# %% [markdown]
# Now [exercises 23.10 and 23.11](../exercises/23_rest_framework.ipynb).
