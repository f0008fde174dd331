# %% [markdown]
# # 23 · Django REST framework
#
# After this chapter you can put an API in front of models and say what each layer does, write serializers that check, nest and stay quick, tell
# authentication from permissions (and 401 from 403), explain a JWT by making one, and read a router's URLs.
#
# *Questions: Q57 what it is · Q58 serializers · Q59 authentication and permissions · Q60 viewsets and routers.* Predict each output before you run its
# cell. [Exercises 23.1 to 23.10](../exercises/23_rest_framework.ipynb) follow.

# %%
from checks import quiz
from lab import asgi, get, post, queries, reset, serve, start

start()

# Django is set up now, so its models can be imported.
import base64
import hmac
import json
import urllib.request
import warnings
from datetime import timedelta
from importlib.metadata import requires
from importlib.util import find_spec
from timeit import repeat
from unittest import mock

import django
import rest_framework
from accounts.models import User
from api.authentication import ExpiringTokenAuthentication
from api.permissions import IsReviewerOrReadOnly
from api.urls import router as shop_router
from api.viewsets import BookViewSet
from catalog.models import Author, Book, Genre
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Prefetch
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, resolve
from django.utils import timezone
from orders.models import Order, OrderLine
from rest_framework import serializers
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import ListAPIView, RetrieveUpdateAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import CursorPagination, LimitOffsetPagination
from rest_framework.permissions import (
    AllowAny,
    DjangoModelPermissions,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet
from reviews.models import Review

# %% [markdown]
# ## Q57 · Put an API in front of the shop
#
# *Basic · asked as T09, B8*
#
# **Say it.** Django REST framework is a package of its own, built on Django, and not a part of it. Its `APIView` is a class-based view that, before your
# method runs, chooses the format of the answer, finds out who asks, checks permissions and throttles, and reads the body by its type. Serializers turn
# objects into data, and check data that comes in. Generic views, viewsets and routers write the usual endpoints. A browser sees the same URLs as pages to
# click through.
#
# *What lifts it:* the defaults. Until you change them everybody may write, lists have no end and nothing is limited. And its views are synchronous.

# %% [markdown]
# **See it.** Which of the two packages needs the other?

# %%
print(requires("djangorestframework"), [package for package in requires("django") if "rest" in package])
print(rest_framework.VERSION, "rest_framework" in settings.INSTALLED_APPS)

# %% [markdown]
# The app brings templates, static files and a command; the models are yours. The shop has such an API below `/api/`. A program asks it over HTTP, from a real
# server. What comes back, and of which type?

# %%
if asgi.available():
    with asgi() as server, urllib.request.urlopen(f"{server.url}/api/v1/books/emma/stock/") as reply:
        print(reply.status, reply.headers["Content-Type"], reply.headers["Allow"])
        print(json.load(reply))
else:
    print(asgi.why_not())

# %% [markdown]
# And a browser, at the same address? Run the cell, and click from the book to its author:

# %%
serve("/api/v1/books/emma/", user="anna")

# %% [markdown]
# That is the browsable API: the same data in a page, with links, a form where you may write, and headers. Nothing was written for it. A view of your own needs
# a method for each verb. What the request has brought is in `request.data`, whatever its format, and a `Response` holds data, not text:

# %%
class Opening(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"Monday": "9 to 5"})

    def post(self, request):
        return Response({"closed on": request.data["day"]}, status=201)

# %% [markdown]
# `APIRequestFactory` calls it without a URL. Four clients, each with its `Accept`: a program, a browser, one that would rather not have JSON, and one that
# wants a picture. Who gets what?

# %%
factory, opening = APIRequestFactory(), Opening.as_view()
browser = "text/html,application/xml;q=0.9,*/*;q=0.8"
for accept in ("*/*", browser, "application/json;q=0.1, text/html", "image/png"):
    reply = opening(factory.get("/", headers={"accept": accept})).render()
    print(reply.status_code, reply["Content-Type"].partition(";")[0], "for", accept)

# %% [markdown]
# The third is a surprise: `q` values [are not taken into account](https://www.django-rest-framework.org/api-guide/content-negotiation/#accept-header), only how exact a type is, and then the order
# of the view's renderers. The other direction is chosen by `Content-Type`. Which of these bodies is read?

# %%
bodies = {"application/json": '{"day": "Sunday"}', "application/x-www-form-urlencoded": "day=Sunday", "text/csv": "Sunday"}
for kind, body in bodies.items():
    reply = opening(factory.generic("POST", "/", body, content_type=kind))
    print(reply.status_code, kind, reply.data.get("closed on"))

# %% [markdown]
# JSON and a form arrive alike; a type without a parser is a 415. Now the order of the checks. One request to review a book has everything wrong with it. It
# is repaired step by step; guess each status:

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
# Format of the answer, version, who asks and may they, type of the body, the body itself, and last the serializer. The body is read late, when somebody
# first asks for `request.data`. Each of these errors is an answer in the format that the client wanted.

# %% [markdown]
# **The trap.** "It is Django's own API layer, so it is safe once it is installed." It is neither. What a new project gets:

# %%
with override_settings(REST_FRAMEWORK={}):
    for what in ("AUTHENTICATION", "PERMISSION", "THROTTLE"):
        print(what, [one.__name__ for one in getattr(api_settings, f"DEFAULT_{what}_CLASSES")])
    print("pages:", api_settings.DEFAULT_PAGINATION_CLASS)

# %% [markdown]
# (A view class copies these when it is imported, so such an override does not change views that exist.) `AllowAny` is what it says. Twelve lines, as every
# tutorial has them, with that default spelled out. Somebody who is not logged in deletes a genre:

# %% reason="A whole API, as small as it gets."
class GenreSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["slug", "name"]


class GenreViewSet(ModelViewSet):
    queryset = Genre.objects.order_by("name")
    serializer_class = GenreSerializer
    permission_classes = [AllowAny]
    lookup_field = "slug"


router = SimpleRouter()
router.register("genres", GenreViewSet)

# %%
with override_settings(ROOT_URLCONF=tuple(router.urls)):
    print(Client().delete("/genres/cookery/").status_code)
print(Genre.objects.filter(slug="cookery").exists(), Client().delete("/api/v1/books/emma/").status_code)
reset()

# %% [markdown]
# Gone. The shop says 401, because its settings begin with another `DEFAULT_PERMISSION_CLASSES`: closed, and opened view by view. Do that on the first day, with a
# `DEFAULT_PAGINATION_CLASS` beside it.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *DRF, Django Ninja, or a plain `JsonResponse`?* `JsonResponse` is enough for one or two addresses that your own page calls. DRF is for many resources with
#   permissions, filters and pages, and for teams that know it. [Django Ninja](https://django-ninja.dev/) takes functions with type hints, checks them with Pydantic,
#   documents itself, and lets views be `async`; the rest you bring. DRF's views are synchronous.
# - *How does content negotiation work?* `Accept` is matched with the `media_type` of the view's renderers, a more exact type before a wildcard, then in the
#   view's order; nothing fits: 406. `?format=json` or a suffix narrows the renderers first. Answers differ by header, so `Vary: Accept` is set for caches.
# - *Throttling and versioning?* A throttle counts requests in the cache, for each user or address, and answers 429 with `Retry-After`. A versioning class
#   finds `request.version` in the path, the host, the query or the header. Both are shown below.

# %% [markdown]
# What a plain view leaves to you: JSON that is none, and a visitor from another site's page (`enforce_csrf`). First the plain view, then DRF's:

# %%
def plain(request):
    return JsonResponse({"closed on": json.loads(request.body)["day"]}, status=201)


with override_settings(ROOT_URLCONF=(path("plain/", plain), path("drf/", Opening.as_view()))):
    for url in ("/plain/", "/drf/"):
        sent = {"content_type": "application/json"}
        print(url, post(url, "{", **sent).status, "|", post(url, '{"day": "Sunday"}', enforce_csrf=True, **sent).status)

# %% [markdown]
# A 500 against a 400. And `APIView` is exempt from the CSRF check as long as no session says who you are (Q59). The shop's versions, and a client that
# guesses passwords:

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
# **Say it.** A serializer works in two directions. Out, it turns an object into plain data, field by field. In, it takes plain data, checks it, and hands over
# `validated_data`, or `errors`. A `ModelSerializer` makes its fields and some validators from a model, and knows how to create and update one row. What it
# does not know is how nested data is to be saved, so you write that. And a serializer fetches nothing in advance: whatever its fields touch is the
# queryset's business.
#
# *What lifts it:* the order of validation, what it costs in queries on the way in as well, and that fields are built anew for every serializer object.

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
# Two things to know: a default of the database (`db_default`) does not make the field optional, and a generated column is read-only, as a bare `ModelField`. In and out;
# what comes of the blanks, of the types, of `id`, and of the colour?

# %%
sent = {"id": 7, "title": "  Sanditon ", "price": "6.5", "in_print": "yes", "colour": "red"}
new = BookSerializer(data=sent)
print(new.is_valid(), new.validated_data)
print(BookSerializer(Book.objects.get(slug="emma")).data)

# %% [markdown]
# Trimmed and converted. Read-only and unknown keys are dropped without a word; a client who misspells a name is not told. Out, a decimal becomes a
# string, so that no digit is lost in JSON. Now the order in which things are checked. A field, a validator of it, a method, and two for the whole:

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
print(wrong.is_valid(), wrong.errors["price"][0].code, "|", *log, sep=" ")

# %% [markdown]
# All fields are tried, so that a client hears of all errors at once. What looks at the whole runs only when each field is valid: `validate()` may rely on its values being
# there and of the right type. Except after a PATCH. Where is `price` now?

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
# With `partial=True` nothing is required, and `attrs` has what was sent. So ask `attrs.get("price", self.instance.price)`. Many objects at once, two of them wrong. What is in
# `errors`?

# %%
rows = [{"title": "Sanditon", "price": "6.50"}, {"title": "", "price": "6.50"}, {"title": "Lesley Castle"}]
many = NewBook(data=rows, many=True)
print(many.is_valid(), json.dumps(many.errors))
with override_settings(REST_FRAMEWORK={"LIST_SERIALIZER_ERRORS_AS_DICT": False}), warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    many = NewBook(data=rows, many=True)
    print(many.is_valid(), json.dumps(many.errors), heard[0].category.__name__)

# %% [markdown]
# Since DRF 3.18 a dictionary by position, with the failing ones only. Before, a list with `{}` for each good one: a front end that loops over it has to
# change. The old form is to be had [until 3.20](https://www.django-rest-framework.org/community/3.18-announcement/), with a warning.

# %% [markdown]
# Out again: three ways to shape the answer. `source` follows attributes, a `SerializerMethodField` calls a method, and `to_representation()` has the last word. What does a book
# without publisher show?

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

# %% [markdown]
# **Nested, in.** A new author arrives with books. Validation works at once; saving does not:

# %%
class TitleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["title", "slug", "price"]


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
# One has to say what it means: `create()` takes the nested part out, saves the parent, then the children, in one transaction. `update()` would have to decide
# whether books that are not in the list are deleted. Two of the same slug in one request: who notices, and what is left?

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
# Validators ask the database, where the twin is not yet: `is_valid()` was true, the constraint spoke, and `atomic` took the author back. Check twins in `validate_books()`,
# or the client sees a 500.

# %% [markdown]
# **Nested, out.** Orders with their lines. How many queries for ten orders?

# %%
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")

    class Meta:
        model = OrderLine
        fields = ["title", "quantity"]


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
# The report names each relation that was loaded on the way. They are the list of what the queryset has to bring: a join to one, a prefetch to many:

# %%
def cost(orders):
    with CaptureQueriesContext(connection) as seen:
        OrderSerializer(orders, many=True).data
    return len(seen)


whole = Order.objects.select_related("customer").prefetch_related("lines__book").order_by("pk")
print([cost(whole[:number]) for number in (10, 50)])

# %% [markdown]
# Three, for ten and for fifty. The cure belongs into the view's `get_queryset()`, and a test with `assertNumQueries` beside it: somebody will add a field. The way in costs queries as well. Twenty
# lines, each with a book by its key:

# %%
class WishSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


wishes = WishSerializer(data=[{"book": pk, "quantity": 1} for pk in range(1, 21)], many=True)
with CaptureQueriesContext(connection) as seen:
    print(wishes.is_valid(), len(seen))

# %% [markdown]
# One for each: a `PrimaryKeyRelatedField` does `get(pk=…)`, a `UniqueValidator` an `exists()`. For bulk requests take plain integers and look them up together, in the list's
# `validate()`; and set `max_length`, which is refused before a row is looked at.

# %% [markdown]
# **Time.** All books, already fetched. One serializer for all of them, one for each, and a serializer whose `to_representation` writes the dictionary. Which
# factors do you expect?

# %%
class QuickSerializer(serializers.BaseSerializer):
    def to_representation(self, book):
        return {"id": book.pk, "title": book.title, "price": str(book.price), "published": book.published}


def seconds(function):
    return min(repeat(function, number=1, repeat=5))


books = list(Book.objects.all())
together = seconds(lambda: BookSerializer(books, many=True).data)
print(seconds(lambda: [BookSerializer(book).data for book in books]) > 10 * together)
print(together > 3 * seconds(lambda: QuickSerializer(books, many=True).data))

# %% [markdown]
# A serializer object builds its fields when they are first asked for, a `ModelSerializer` from the model each time: in a loop that is most of the work, with `many=True` it
# happens once. Per row, the fields cost several times as much as the dictionary itself; worth knowing for exports, and rarely the first thing to
# cure.

# %% [markdown]
# **The trap.** `depth = 1` is in many tutorials as the short way to nest: "it includes related objects". So it does. Orders with their customers; how many queries, and
# which columns?

# %%
class DeepSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ["number", "customer"]
        depth = 1


with CaptureQueriesContext(connection) as seen:
    deep = DeepSerializer(Order.objects.order_by("pk")[:10], many=True).data
print(len(seen), [name for name in deep[0]["customer"] if "e" not in name or "pass" in name])

# %% [markdown]
# The hash of the password, permissions and all: a nested serializer made by `depth` has every field, and brings three queries for each order. `fields = "__all__"` gives
# away in the same manner what a later migration adds. Name the fields, and write the nested serializer.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *`ModelSerializer` or `Serializer`, and which is faster?* The first where the data is a row, the second where it is not: a login, a search, a report. Building
#   a `ModelSerializer` costs more, as it reads the model; per row both run the same fields, so with `many=True` there is little between them. Fewer fields help more, and
#   `values()` or a `to_representation()` of your own more still.
# - *How do you write nested data?* Override `create()` and `update()`, in a transaction; take the nested part out of `validated_data` first. Decide what a missing child
#   means. For updates, match children by a key of theirs that is writable. Or let children have endpoints of their own.
# - *`to_representation` or `source`?* `source` for a field that lies elsewhere, and it works in both directions. `to_representation()` for the shape of the
#   whole, out only. On a field it is never called for `None`: the serializer writes `None` itself.

# %%
class PlainSerializer(serializers.Serializer):
    title = serializers.CharField()
    price = serializers.DecimalField(max_digits=6, decimal_places=2)


plain, model = PlainSerializer, TitleSerializer
print(seconds(lambda: [model().fields for _ in books]) > 2 * seconds(lambda: [plain().fields for _ in books]))
print(PlainSerializer(data={"title": "Emma", "price": None}).is_valid(), plain({"title": "Emma", "price": None}).data)

# %% [markdown]
# **Versions.** DRF 3.18 runs on both, with the same results. What 6.1 adds is on Django's side: with `FETCH_PEERS` a queryset brings a forgotten foreign key for
# all its rows at the first touch. Does the mode go along into a prefetch? `FETCH_RAISE`, for tests, refuses and names the relation:

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
# Now [exercises 23.3 to 23.5](../exercises/23_rest_framework.ipynb).

# %% [markdown]
# ## Q59 · Tell who asks from what they may do
#
# *Intermediate · asked as T-I2*
#
# **Say it.** Authentication finds out who asks: the view's classes are tried in order, and the first that recognises its kind of credentials sets
# `request.user`. None of them does: an anonymous user, and no error yet. Permissions decide. Every class has to say yes, first to the request, and for one
# object again, but only where `get_object()` asks. A refusal is 403; for somebody unknown it is 401, if the first authentication class can say how to log in. Throttles
# come last.
#
# *What lifts it:* where object permissions are never asked, what is not throttled, and what a JWT cannot take back.

# %% [markdown]
# **See it.** One page for people who are logged in, behind three lists of authentication classes. Nobody logs in. Which status is whose?

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
# A 401 must name a way to log in, [says HTTP](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2), and a session has no name for that header: so the first class decides between 401 and 403. A new
# project, with sessions first, says 403 to strangers. Four permissions against three people; `Token nonsense` is a key that does not exist:

# %%
anna = User.objects.get(username="anna")
key = Token.objects.create(user=anna).key
people = {"nobody": {}, "anna": {"authorization": f"Token {key}"}, "nonsense": {"authorization": "Token nonsense"}}
print(f"{'':26}", *people)
for permission in (AllowAny, IsAuthenticatedOrReadOnly, IsAuthenticated, IsAdminUser):
    statuses = [ask([TokenAuthentication], [permission], **headers).status_code for headers in people.values()]
    print(f"{permission.__name__:26}", *statuses)

# %% [markdown]
# The last column: credentials that are there and wrong are an error at once, on open pages too. A client with an expired token cannot even read what everybody
# may read, until it leaves the header out.
#
# Sessions come with a cookie, and the browser sends it from any page. Who needs a CSRF token for a POST?

# %%
with override_settings(ROOT_URLCONF=(path("", Desk.as_view(permission_classes=[AllowAny])),)):
    print("session", post("/", {}, user="anna", enforce_csrf=True).json())
    print("token  ", post("/", {}, headers={"Authorization": f"Token {key}"}, enforce_csrf=True).json())
    print("nobody ", post("/", {}, enforce_csrf=True).json())
reset()

# %% [markdown]
# `APIView` is exempt from Django's own check, and `SessionAuthentication` makes it itself, once the session says who it is. So a login view must not rest on it: an anonymous POST is never
# checked.

# %% [markdown]
# **Objects.** A review may be changed by who wrote it. The permission of the shop has a second method, for the object. Anna tries Mei's, then José one of his own:

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
# 403 and 200. Where the existence itself is nobody's business, filter the queryset instead: the shop's orders of others are 404. Both, one by one:

# %%
order = Order.objects.exclude(customer__username="anna").exclude(customer=None).first()
print(get(f"/api/v1/orders/{order.number}/", user="anna").status, get(f"/api/v1/orders/{order.number}/").status)

# %% [markdown]
# Classes combine with `&`, `|` and `~`. The shop's roles are Django's groups, asked by `DjangoModelPermissions`, which maps verbs to permissions of the model. Which verb asks for none?

# %%
print({verb: codes for verb, codes in DjangoModelPermissions.perms_map.items() if verb in ("GET", "POST", "DELETE")})
for role in ("customer", "Booksellers", "Managers"):
    user = User.objects.create_user(f"new-{role.lower()}", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    sent = {"user": user, "content_type": "application/json"}
    tried = [Client(), Client()]
    for client in tried:
        client.force_login(user)
    print(f"{role:12}", [
        tried[0].patch("/api/v1/books/emma/", body, content_type="application/json").status_code
        for body in ({"pages": 500}, {"price": "1.00"})
    ], tried[1].delete("/api/v1/books/seven-brothers/").status_code)
reset()
