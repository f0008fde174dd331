# %%
from checks import check, hint, solution
from lab import get, post, queries, show, start

start()

# Django is set up now, so its models can be imported.
import json
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from unittest import mock

from accounts.models import User
from catalog.models import Author, Book, Genre
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password as validate_by_settings
from django.core.cache import cache
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import IntegrityError, connection, transaction
from django.db.models import Prefetch, Sum
from django.http import JsonResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, path, reverse
from orders.models import Order, OrderLine
from rest_framework import mixins, serializers
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.generics import ListCreateAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet, ViewSet
from reviews.models import Review

# %% [markdown] exercise="23.1"
# ### 23.1 A search as an `APIView`
#
# Write `TitleSearch`. A GET with `?q=em` answers `{"count": 3, "results": [{"title": …, "slug": …}, …]}`: how many
# titles hold the text, in any case of letters, and the first five of them by title, then primary key. Without `q`, or
# with a blank one, it is a 400 with an error under `q`. A browser sees the browsable API, as everywhere. Two queries
# at most.

# %% exercise="23.1" role="check"
def observe(answer):
    factory, seen = APIRequestFactory(), []
    # Twins: the older one is by the author with the higher key.
    for author in Author.objects.order_by("-pk")[:2]:
        Book.objects.create(title="The Twins", slug=f"twin-{author.pk}", author=author, price="5.00")
    asked = [{"q": q} for q in ("e", "EMMA", "poems", "twins", "no such title", "%", ".", "", "   ")]
    for parameters in [*asked, {}]:
        with CaptureQueriesContext(connection) as ran:
            reply = answer.as_view(throttle_classes=[])(factory.get("/", parameters))
        body = json.loads(reply.render().content if hasattr(reply, "render") else reply.content)
        shown = body if reply.status_code == 200 else sorted(body)
        seen.append((parameters, reply.status_code, shown, "two queries at most" if len(ran) < 3 else f"{len(ran)} queries"))
    page = answer.as_view(throttle_classes=[])(factory.get("/", {"q": "e"}, headers={"accept": "text/html"}))
    page = page.render() if hasattr(page, "render") else page
    seen.append(("a browser gets", page["Content-Type"].partition(";")[0]))
    seen.append(("POST", answer.as_view(throttle_classes=[], permission_classes=[])(factory.post("/", {"q": "e"})).status_code))
    return seen

# %% exercise="23.1" role="answer" seconds=20
class TitleSearch(APIView):
    def get(self, request):
        # solution
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__icontains=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})
        # end


check("23.1")

# %% exercise="23.1" role="alternative" note="A serializer for the query string: it trims, refuses blanks and words the errors. Better from the second parameter on."
class TitleSearch(APIView):
    class Query(serializers.Serializer):
        q = serializers.CharField()

    class Card(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ["title", "slug"]

    def get(self, request):
        query = self.Query(data=request.query_params)
        query.is_valid(raise_exception=True)
        found = Book.objects.filter(title__icontains=query.validated_data["q"]).order_by("title", "pk")
        return Response({"count": found.count(), "results": self.Card(found[:5], many=True).data})

# %% exercise="23.1" role="alternative" note="`values()` makes rows without model objects, and the error is an ordinary response with a status. As good where nothing else has to hear of the error."
class TitleSearch(APIView):
    def get(self, request):
        q = (request.GET.get("q") or "").strip()
        if not q:
            return Response({"q": "Say what to look for."}, status=400)
        found = Book.objects.filter(title__icontains=q)
        return Response({"count": found.count(), "results": found.order_by("title", "pk").values("title", "slug")[:5]})

# %% exercise="23.1" role="mistake" says="A blank `q` finds every book. Trim it, and refuse what is empty with a 400."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "")
        found = Book.objects.filter(title__icontains=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="`count` counts the results of this page. Count what was found, before it is cut to five."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__icontains=q).order_by("title", "pk")[:5]
        results = [{"title": book.title, "slug": book.slug} for book in found]
        return Response({"count": len(results), "results": results})

# %% exercise="23.1" role="mistake" says="A `JsonResponse` is JSON for everybody: the browser gets no browsable API. Return a `Response`, and DRF chooses the renderer."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            return JsonResponse({"q": ["Say what to look for."]}, status=400)
        found = Book.objects.filter(title__icontains=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return JsonResponse({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="Parameters of the URL are in `request.query_params`. `request.data` is the body, and a GET has none."
class TitleSearch(APIView):
    def get(self, request):
        q = request.data.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__icontains=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="Only a whole title is found, in its own case of letters. `title__icontains` looks inside, in any case."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="Only titles that begin with the text are found. `icontains` looks inside."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__istartswith=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="Two books of one title come in an order that nobody promised: here the index of another constraint decides. Name the primary key as the second."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__icontains=q).order_by("title")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="mistake" says="What was typed is read as a pattern: a dot finds everything. `icontains` takes the text as it is."
class TitleSearch(APIView):
    def get(self, request):
        q = request.query_params.get("q", "").strip()
        if not q:
            raise ValidationError({"q": ["Say what to look for."]})
        found = Book.objects.filter(title__iregex=q).order_by("title", "pk")
        results = [{"title": book.title, "slug": book.slug} for book in found[:5]]
        return Response({"count": found.count(), "results": results})

# %% exercise="23.1" role="hint"
# What stands behind the `?` is in `request.query_params`.
# %% exercise="23.1" role="hint"
# `raise ValidationError({"q": ["…"]})` becomes a 400 with that body; a `Response` of a dictionary becomes JSON, or a page.

# %% [markdown] exercise="23.2"
# ### 23.2 Close the API of a new project
#
# Write the setting `REST_FRAMEWORK` for a project whose views say nothing about it: strangers may read, and only who
# is logged in may write. Programs log in with DRF's own tokens, browsers with their session, and a stranger who writes
# gets a 401. Lists come in numbered pages of 10. Strangers have 3 requests a minute (so that one can try it), users
# are not limited.

# %% exercise="23.2" role="check"
def observe(answer):
    cache.clear()
    factory, seen = APIRequestFactory(), []

    class Names(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ["title"]

    with override_settings(REST_FRAMEWORK=answer):
        try:
            pages = api_settings.DEFAULT_PAGINATION_CLASS
            for what in ("AUTHENTICATION", "PERMISSION", "THROTTLE"):
                getattr(api_settings, f"DEFAULT_{what}_CLASSES")
        except (AttributeError, ImportError) as error:
            return ["this setting cannot be read", type(error).__name__]
        if pages is not None:
            size = api_settings.PAGE_SIZE
            pages = type("Pages", (pages,), {"page_size": size, "default_limit": size, "ordering": "pk"})
        view = ListCreateAPIView.as_view(
            queryset=Book.objects.order_by("pk"),
            serializer_class=Names,
            authentication_classes=api_settings.DEFAULT_AUTHENTICATION_CLASSES,
            permission_classes=api_settings.DEFAULT_PERMISSION_CLASSES,
            throttle_classes=api_settings.DEFAULT_THROTTLE_CLASSES,
            pagination_class=pages,
            filter_backends=[],
            versioning_class=None,
        )
        rates = api_settings.DEFAULT_THROTTLE_RATES
    clock = [1_000_000.0]
    timer = mock.patch.object(SimpleRateThrottle, "timer", lambda self: clock[0])
    with timer, mock.patch.object(SimpleRateThrottle, "THROTTLE_RATES", rates):
        user = User.objects.get(username="jose")
        key = Token.objects.create(user=user).key
        refused = view(factory.post("/", {}))
        seen.append(("a stranger writes", refused.status_code, refused.headers.get("WWW-Authenticate")))
        listed = view(factory.get("/")).data
        kind = sorted(listed) if isinstance(listed, dict) else "a bare list"
        seen.append(("a stranger reads", kind, len(listed.get("results", [])) if isinstance(listed, dict) else len(listed)))
        if isinstance(listed, dict):
            second = view(factory.get("/", {"page": 2})).data.get("results", [])
            moved = "other books" if second != listed.get("results", []) else "the same books again"
            seen.append(("page 2", len(second), moved))
        cache.clear()
        seen.append(("a stranger asks on", [view(factory.get("/")).status_code for _ in range(5)]))
        clock[0] += 50
        seen.append(("after 50 seconds", view(factory.get("/")).status_code))
        clock[0] += 11
        seen.append(("after a minute", view(factory.get("/")).status_code))
        token = {"headers": {"Authorization": f"Token {key}"}}
        seen.append(("a program asks on", [view(factory.get("/", **token)).status_code for _ in range(5)]))
        seen.append(("a program writes", view(factory.post("/", {}, **token)).status_code))
        request = factory.post("/", {})
        request.user = user
        request._dont_enforce_csrf_checks = True
        seen.append(("a browser writes", view(request).status_code))
    cache.clear()
    return seen

# %% exercise="23.2" role="answer" seconds=20
REST_FRAMEWORK = {
    # solution
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
    # end
}


check("23.2")

# %% exercise="23.2" role="alternative" note="The user throttle is on, without a rate: None is no limit. Room for one later, and it costs nothing: without a rate it asks no cache."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": (
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ),
    "DEFAULT_PERMISSION_CLASSES": ("rest_framework.permissions.IsAuthenticatedOrReadOnly",),
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": (
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ),
    "DEFAULT_THROTTLE_RATES": {"anon": "3/m", "user": None},
}

# %% exercise="23.2" role="mistake" says="Sessions come first, and have no `WWW-Authenticate` header: a stranger gets 403. Tokens first make it a 401."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="Rates alone limit nobody: `DEFAULT_THROTTLE_CLASSES` is empty by default."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="`PAGE_SIZE` alone makes no pages: `DEFAULT_PAGINATION_CLASS` is None by default, and lists have no end."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="The permissions are left at `AllowAny`: strangers may write."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="Users are limited too: `UserRateThrottle` with a rate counts whoever is logged in. Leave it out, or give it no rate."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min", "user": "3/min"},
}

# %% exercise="23.2" role="mistake" says="`IsAuthenticated` shuts strangers out of reading as well."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="Three in a second is far more than three in a minute: the letter after the slash is the period."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/sec"},
}

# %% exercise="23.2" role="mistake" says="`?page=2` brings the first books again: `LimitOffsetPagination` counts rows, `?limit=10&offset=10`. Numbered pages are `PageNumberPagination`."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="Browsers are not known here: without `SessionAuthentication` a login by cookie counts for nothing."
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="mistake" says="DRF imports these classes itself, and wants their dotted paths as strings: settings are read before apps can be imported."
from rest_framework.authentication import SessionAuthentication

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        TokenAuthentication,
        SessionAuthentication,
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 10,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/min"},
}

# %% exercise="23.2" role="hint"
# Authentication, permission, pagination and throttle each have a `DEFAULT_…`, and the last two need a number beside it.
# %% exercise="23.2" role="hint"
# The first authentication class decides between 401 and 403.

# %% [markdown] exercise="23.3"
# ### 23.3 Change an order with its lines
#
# Write `update()`. The lines that come in replace those of the order: a book that is in it already keeps its row and
# its price, with the new quantity; a new book is added at its price of today; a book that is not named goes. A PATCH
# without lines leaves them as they are. All of it is saved, or nothing. No request names a book twice.

# %% exercise="23.3" role="check"
def observe(answer):
    books = list(Book.objects.order_by("pk")[:4])
    Book.objects.filter(pk__in=[book.pk for book in books]).update(price="8.00")
    slugs = {book.slug: letter for book, letter in zip(books, "abcd")}
    customer = User.objects.get(username="jose")
    other = Order.objects.create(number="1999-000002", customer=customer, placed_at=datetime(2026, 7, 1, tzinfo=timezone.utc))
    OrderLine.objects.create(order=other, book=books[3], quantity=9, unit_price="1.00")

    def attempt(data, partial):
        order = Order.objects.create(number="1999-000001", customer=customer, note="old", placed_at=datetime(2026, 7, 1, tzinfo=timezone.utc))
        for book, price in zip(books[:2], ("3.00", "4.00")):
            OrderLine.objects.create(order=order, book=book, quantity=1, unit_price=price)
        before = dict(order.lines.values_list("book__slug", "pk"))
        serializer = answer.OrderSerializer(Order.objects.get(pk=order.pk), data=data, partial=partial)
        outcome = serializer.is_valid()
        try:
            saved = serializer.save()
            outcome = type(saved).__name__
        except IntegrityError:
            outcome = "IntegrityError"
        lines = order.lines.order_by("book_id").values_list("book__slug", "quantity", "unit_price", "pk")
        rows = [(slugs[slug], n, price, "same row" if before.get(slug) == pk else "new row") for slug, n, price, pk in lines]
        result = (outcome, Order.objects.get(pk=order.pk).note, rows, "the other order has", other.lines.count())
        Order.objects.filter(pk=order.pk).delete()
        return result

    def lines(**wanted):
        names = {letter: slug for slug, letter in slugs.items()}
        return [{"book": names[letter], "quantity": quantity} for letter, quantity in wanted.items()]

    return [
        ("other quantity", attempt({"note": "new", "lines": lines(a=5, b=1)}, False)),
        ("one goes, one comes", attempt({"note": "new", "lines": lines(c=2, b=3)}, False)),
        ("all go", attempt({"lines": []}, True)),
        ("a note only", attempt({"note": "new"}, True)),
        ("lines only", attempt({"lines": lines(d=1)}, True)),
        ("a line that the database refuses", attempt({"note": "new", "lines": lines(a=7, c=1, d=0)}, False)),
    ]

# %% exercise="23.3" role="answer" seconds=20
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    # solution
    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        if lines is not None:
            order.lines.exclude(book__in=[line["book"] for line in lines]).delete()
            for line in lines:
                book, quantity = line["book"], line["quantity"]
                order.lines.update_or_create(
                    book=book, defaults={"quantity": quantity}, create_defaults={"quantity": quantity, "unit_price": book.price}
                )
        return order
    # end


check("23.3")

# %% exercise="23.3" role="alternative" note="One query to read the lines, and one each to delete, change and add: the number of queries does not grow with the order. Better for long ones."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    def update(self, order, validated_data):
        with transaction.atomic():
            if "lines" in validated_data:
                wanted = {line["book"]: line["quantity"] for line in validated_data.pop("lines")}
                kept = list(order.lines.filter(book__in=wanted))
                order.lines.exclude(book__in=wanted).delete()
                for line in kept:
                    line.quantity = wanted.pop(Book(pk=line.book_id))
                OrderLine.objects.bulk_update(kept, ["quantity"])
                OrderLine.objects.bulk_create(
                    OrderLine(order=order, book=book, quantity=quantity, unit_price=book.price) for book, quantity in wanted.items()
                )
            return super().update(order, validated_data)

# %% exercise="23.3" role="mistake" says="All lines are deleted and made again: they are new rows, at today's prices. The customer had bought at another one."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        if lines is not None:
            order.lines.all().delete()
            for line in lines:
                order.lines.create(**line, unit_price=line["book"].price)
        return order

# %% exercise="23.3" role="mistake" says="A PATCH without lines deletes them all: the default of `pop` makes \"not sent\" an empty list. Tell the two apart."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", [])
        order = super().update(order, validated_data)
        order.lines.exclude(book__in=[line["book"] for line in lines]).delete()
        for line in lines:
            book, quantity = line["book"], line["quantity"]
            order.lines.update_or_create(
                book=book, defaults={"quantity": quantity}, create_defaults={"quantity": quantity, "unit_price": book.price}
            )
        return order

# %% exercise="23.3" role="mistake" says="When one line is refused, the others and the note have been saved: half a change. Put `update()` into a transaction."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        if lines is not None:
            order.lines.exclude(book__in=[line["book"] for line in lines]).delete()
            for line in lines:
                book, quantity = line["book"], line["quantity"]
                order.lines.update_or_create(
                    book=book, defaults={"quantity": quantity}, create_defaults={"quantity": quantity, "unit_price": book.price}
                )
        return order

# %% exercise="23.3" role="mistake" says="Books that are not named any more stay in the order. What comes in replaces the lines, so the others have to go."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        for line in lines or []:
            book, quantity = line["book"], line["quantity"]
            order.lines.update_or_create(
                book=book, defaults={"quantity": quantity}, create_defaults={"quantity": quantity, "unit_price": book.price}
            )
        return order

# %% exercise="23.3" role="mistake" says="The price of today is written into lines that were sold before. Give `unit_price` in `create_defaults` only."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        if lines is not None:
            order.lines.exclude(book__in=[line["book"] for line in lines]).delete()
            for line in lines:
                book = line["book"]
                order.lines.update_or_create(book=book, defaults={"quantity": line["quantity"], "unit_price": book.price})
        return order

# %% exercise="23.3" role="mistake" says="An empty list of lines changes nothing: `if lines` is false for it too. Only None means that no lines were sent."
class LineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())

    class Meta:
        model = OrderLine
        fields = ["book", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["note", "lines"]

    @transaction.atomic
    def update(self, order, validated_data):
        lines = validated_data.pop("lines", None)
        order = super().update(order, validated_data)
        if lines:
            order.lines.exclude(book__in=[line["book"] for line in lines]).delete()
            for line in lines:
                book, quantity = line["book"], line["quantity"]
                order.lines.update_or_create(
                    book=book, defaults={"quantity": quantity}, create_defaults={"quantity": quantity, "unit_price": book.price}
                )
        return order

# %% exercise="23.3" role="hint"
# Take the lines out of `validated_data` first; `super().update()` saves the rest. Were there lines at all?
# %% exercise="23.3" role="hint"
# `update_or_create(book=…, defaults={…}, create_defaults={…})` tells a line that is there from a new one.

# %% [markdown] exercise="23.4"
# ### 23.4 Sign up
#
# Write `SignUpSerializer` for `username`, `email` and `password`. The password is checked by
# `AUTH_PASSWORD_VALIDATORS`, with its errors under `password`; it is stored hashed, and it is never a part of the
# answer. Nobody makes themselves staff. (`validate_by_settings` is Django's `validate_password`, under a name of its
# own.)

# %% exercise="23.4" role="check"
def observe(answer):
    taken, seen = User.objects.get(username="jose").username, []
    people = [
        {"username": "newcomer", "email": "new@example.com", "password": "correct horse battery", "is_staff": True},
        {"username": "second", "email": "", "password": "12345678"},
        {"username": "third", "email": "third@example.com", "password": "short"},
        {"username": taken, "email": "x@example.com", "password": "correct horse battery"},
        {"username": "fourth", "email": "no address", "password": "correct horse battery"},
        {"username": "fifth", "email": "fifth@example.com"},
    ]
    for data in people:
        serializer = answer(data=data)
        valid = serializer.is_valid()
        seen.append((data["username"], valid, sorted(serializer.errors)))
        if valid:
            serializer.save()
            user, shown = User.objects.get(username=data["username"]), dict(serializer.data)
            stored = "hashed" if user.check_password(data["password"]) else "as it was typed"
            stored = stored if user.has_usable_password() else "no password at all"
            seen.append((stored, user.email, user.is_staff, sorted(set(shown) - {"id"})))
    return seen

# %% exercise="23.4" role="answer" seconds=20
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        # solution
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate_password(self, value):
        validate_by_settings(value)
        return value

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)
    # end


check("23.4")

# %% exercise="23.4" role="alternative" note="The function itself as a validator of the field: DRF takes Django's `ValidationError` as well. `set_password()` is what `create_user()` calls."
class SignUpSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, validators=[validate_by_settings])

    class Meta:
        model = User
        fields = ["username", "email", "password"]

    def create(self, validated_data):
        password = validated_data.pop("password")
        user = User(**validated_data)
        user.set_password(password)
        user.save()
        return user

# %% exercise="23.4" role="alternative" note="In `validate()` the validators get a user, so that a password like the name is refused too. Say under which key the errors belong."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate(self, attrs):
        try:
            validate_by_settings(attrs["password"], User(username=attrs["username"], email=attrs.get("email", "")))
        except Exception as error:
            raise ValidationError({"password": error.messages}) from error
        return attrs

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="mistake" says="The password is stored as it was typed: a `ModelSerializer` writes columns, and knows nothing of hashing. Create with `create_user()`; or call `set_password()`, and save after it."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate_password(self, value):
        validate_by_settings(value)
        return value

# %% exercise="23.4" role="mistake" says="The answer holds the hash of the password. Make the field `write_only`."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]

    def validate_password(self, value):
        validate_by_settings(value)
        return value

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="mistake" says="Any password will do. The settings' validators are asked by Django's own forms and commands, not by a serializer: call them."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="mistake" says="`is_staff` can be sent along: every field that is listed and not read-only is written. Name the three."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password", "is_staff"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate_password(self, value):
        validate_by_settings(value)
        return value

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="mistake" says="The errors of the password are under `non_field_errors`: raised in `validate()`, they belong to the whole unless you name a field."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate(self, attrs):
        validate_by_settings(attrs["password"])
        return attrs

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="mistake" says="The account has no password, and nobody can log in to it: `validate_password()` returns None, and what it returns is the value. Return it in the end."
class SignUpSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["username", "email", "password"]
        extra_kwargs = {"password": {"write_only": True}}

    def validate_password(self, value):
        validate_by_settings(value)

    def create(self, validated_data):
        return User.objects.create_user(**validated_data)

# %% exercise="23.4" role="hint"
# Three things: a field that is only written, a `validate_password()`, and a `create()`.
# %% exercise="23.4" role="hint"
# `User.objects.create_user(**validated_data)` hashes. A method called `validate_password` may call `validate_by_settings(value)`.

# %% [markdown] exercise="23.5"
# ### 23.5 A packing list in few queries
#
# Return the data of all open orders, by primary key: `number`, `customer` (the user name), `copies` (the sum of the
# quantities, 0 for an order without lines) and `lines`, each with `title`, `author` (the name) and `quantity`, by
# primary key. Complete both serializers and the function; four queries at most, however many orders there are.

# %% exercise="23.5" role="check"
def observe(answer):
    return json.loads(json.dumps(answer.packing_list()))

# %% exercise="23.5" role="answer" budget=4 ordered=true
class LineSerializer(serializers.ModelSerializer):
    # solution
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")
    # end

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    # solution
    copies = serializers.SerializerMethodField()
    lines = LineSerializer(many=True)
    # end

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]
    # solution

    def get_copies(self, order):
        return sum(line.quantity for line in order.lines.all())
    # end


def packing_list():
    # solution
    lines = OrderLine.objects.select_related("book__author").order_by("pk")
    orders = Order.objects.filter(status="open").select_related("customer").prefetch_related(Prefetch("lines", lines))
    return OrderSerializer(orders.order_by("pk"), many=True).data
    # end


check("23.5")

# %% exercise="23.5" role="alternative" note="The plain prefetch follows the path with a query for each step: four. Shorter, and each author is there once."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.SlugRelatedField(slug_field="username", read_only=True)
    copies = serializers.SerializerMethodField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]

    def get_copies(self, order):
        return sum(line.quantity for line in order.lines.all())


def packing_list():
    orders = Order.objects.filter(status="open").select_related("customer").prefetch_related("lines__book__author")
    return OrderSerializer(orders.order_by("pk"), many=True).data

# %% exercise="23.5" role="alternative" note="The database counts, in the first query. An order without lines has no sum, so `default=0`. Better where the lines are not shown."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    copies = serializers.IntegerField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]


def packing_list():
    orders = Order.objects.filter(status="open").annotate(copies=Sum("lines__quantity", default=0))
    orders = orders.select_related("customer").prefetch_related("lines__book__author").order_by("pk")
    return OrderSerializer(orders, many=True).data

# %% exercise="23.5" role="mistake" says="Every order asks for its lines, every line for its book, every book for its author. A serializer fetches nothing in advance: the queryset has to."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    copies = serializers.SerializerMethodField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]

    def get_copies(self, order):
        return sum(line.quantity for line in order.lines.all())


def packing_list():
    return OrderSerializer(Order.objects.filter(status="open").order_by("pk"), many=True).data

# %% exercise="23.5" role="mistake" says="`aggregate()` in the method is a query for each order: it does not read the prefetched lines. Sum them in Python, or annotate."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    copies = serializers.SerializerMethodField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]

    def get_copies(self, order):
        return order.lines.aggregate(copies=Sum("quantity", default=0))["copies"]


def packing_list():
    orders = Order.objects.filter(status="open").select_related("customer").prefetch_related("lines__book__author")
    return OrderSerializer(orders.order_by("pk"), many=True).data

# %% exercise="23.5" role="mistake" says="An order without lines says `null`: a sum over nothing is NULL. Give `Sum` a `default`."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    copies = serializers.IntegerField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]


def packing_list():
    orders = Order.objects.filter(status="open").annotate(copies=Sum("lines__quantity"))
    orders = orders.select_related("customer").prefetch_related("lines__book__author").order_by("pk")
    return OrderSerializer(orders, many=True).data

# %% exercise="23.5" role="mistake" says="Each line loads its book, and the book its author: the prefetch stops at the lines. Go on along the path, `lines__book__author`."
class LineSerializer(serializers.ModelSerializer):
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author.name")

    class Meta:
        model = OrderLine
        fields = ["title", "author", "quantity"]


class OrderSerializer(serializers.ModelSerializer):
    customer = serializers.CharField(source="customer.username")
    copies = serializers.SerializerMethodField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["number", "customer", "copies", "lines"]

    def get_copies(self, order):
        return sum(line.quantity for line in order.lines.all())


def packing_list():
    orders = Order.objects.filter(status="open").select_related("customer").prefetch_related("lines")
    return OrderSerializer(orders.order_by("pk"), many=True).data

# %% exercise="23.5" role="hint"
# `source="book.author.name"` follows attributes. Which of them does the queryset have to bring along?
# %% exercise="23.5" role="hint"
# `select_related("customer")`, and `prefetch_related("lines__book__author")` or a `Prefetch` with a queryset.

# %% [markdown] exercise="23.6"
# ### 23.6 Two fields that depend on each other
#
# A review with one or two stars has to say why. Complete `validate()`: without a text it is an error under `text`. A
# PATCH may bring one of the two fields; then the other is that of the review. A text of blanks is none.

# %% exercise="23.6" role="check"
def observe(answer):
    seen = []

    def attempt(data, review=None):
        serializer = answer(review, data=data, partial=review is not None)
        before = None if review is None else (review.stars, review.text)
        valid = serializer.is_valid()
        seen.append((before, data, "valid" if valid else sorted(serializer.errors), sorted(serializer.validated_data) if valid else []))

    for data in ({"stars": 5}, {"stars": 3, "text": ""}, {"stars": 2, "text": "Dull."}, {"stars": 2}, {"stars": 1, "text": ""},
                 {"stars": "2", "text": ""}, {"stars": 2, "text": "   "}, {"text": "Dull."}):
        attempt(data)
    attempt({"stars": 1}, Review(stars=4, text="   "))
    good, bad = Review(stars=5, text=""), Review(stars=1, text="Dull.")
    for data in ({"stars": 2}, {"stars": 4}, {"text": ""}, {"text": "Fine."}, {"stars": 1, "text": "Worse."}, {}):
        attempt(data, good)
    for data in ({"stars": 2}, {"text": ""}, {"text": "  "}, {"stars": 3}, {"stars": 4, "text": ""}, {}):
        attempt(data, bad)
    return seen



# %% exercise="23.6" role="answer"
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        # solution
        stars = attrs.get("stars", getattr(self.instance, "stars", None))
        text = attrs.get("text", getattr(self.instance, "text", ""))
        if stars <= 2 and not text.strip():
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs
        # end


check("23.6")

# %% exercise="23.6" role="alternative" note="One object with the old values under the new: it scales to more fields than two."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        old = {"stars": self.instance.stars, "text": self.instance.text} if self.instance else {"text": ""}
        whole = {**old, **attrs}
        if whole["stars"] < 3 and whole["text"].strip() == "":
            raise ValidationError({"text": ["Say what was wrong with it."]})
        return attrs

# %% exercise="23.6" role="mistake" says="A PATCH without stars ends in `KeyError`: `attrs` holds what was sent. The rest is in `self.instance`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        if attrs["stars"] <= 2 and not attrs.get("text", "").strip():
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs

# %% exercise="23.6" role="mistake" says="A PATCH of the stars alone is refused although the review has a text, and one of the text alone is never checked. Fall back to `self.instance`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        if attrs.get("stars", 5) <= 2 and not attrs.get("text", "").strip():
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs

# %% exercise="23.6" role="mistake" says="A text that is sent empty counts as not sent: `or` cannot tell the two apart. Ask with `get(name, default)`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        stars = attrs.get("stars") or getattr(self.instance, "stars", None)
        text = attrs.get("text") or getattr(self.instance, "text", "")
        if stars <= 2 and not text.strip():
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs

# %% exercise="23.6" role="mistake" says="The error is under `non_field_errors`: a form would show it nowhere near the text. Raise a dictionary with the name of the field."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        stars = attrs.get("stars", getattr(self.instance, "stars", None))
        text = attrs.get("text", getattr(self.instance, "text", ""))
        if stars <= 2 and not text.strip():
            raise ValidationError("Say what was wrong with it.")
        return attrs

# %% exercise="23.6" role="mistake" says="`initial_data` is what was sent, as it was sent: a form says `\"2\"`, and text is not less than a number. `attrs` has the values after conversion."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        stars = self.initial_data.get("stars", getattr(self.instance, "stars", None))
        text = self.initial_data.get("text", getattr(self.instance, "text", ""))
        if stars <= 2 and not text.strip():
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs

# %% exercise="23.6" role="mistake" says="A stored text of blanks counts as one. What comes in is trimmed by the field; what is in the row is not."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        stars = attrs.get("stars", getattr(self.instance, "stars", None))
        text = attrs.get("text", getattr(self.instance, "text", ""))
        if stars <= 2 and not text:
            raise ValidationError({"text": "Say what was wrong with it."})
        return attrs

# %% exercise="23.6" role="mistake" says="With a text the method returns None, which DRF does not accept as validated data. Return `attrs` in the end."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]

    def validate(self, attrs):
        stars = attrs.get("stars", getattr(self.instance, "stars", None))
        text = attrs.get("text", getattr(self.instance, "text", ""))
        if stars <= 2 and not text.strip():
            raise ValidationError({"text": "Say what was wrong with it."})

# %% exercise="23.6" role="hint"
# In a PATCH, `attrs` has only what was sent. Where are the values that stay?
# %% exercise="23.6" role="hint"
# `attrs.get("stars", getattr(self.instance, "stars", None))`: the new one, else that of the review, if there is one.

# %% [markdown] exercise="23.7"
# ### 23.7 Who may touch a review
#
# Write the permission `MayTouchReview`. Everybody reads. Who is logged in may write a new one. A review is changed by
# its reviewer, or by whoever has the permission `reviews.change_review`; it is deleted by its reviewer, or by whoever
# has `reviews.delete_review`. Reviews whose reviewer has gone (None) belong to nobody. The project has Django's
# `ModelBackend` and no other.

# %% exercise="23.7" role="check"
def observe(answer):
    class StarsSerializer(serializers.ModelSerializer):
        class Meta:
            model = Review
            fields = ["stars"]

    class Reviews(ModelViewSet):
        queryset = Review.objects.all()
        serializer_class = StarsSerializer
        permission_classes = [answer]
        throttle_classes = []
        # Who may is all that is asked here: nothing is changed.
        perform_create = perform_update = perform_destroy = lambda self, thing: None

    book = Book.objects.order_by("pk").first()
    nora, torvald, editor, cleaner = [User.objects.create(username=name) for name in ("nora", "torvald", "editor", "cleaner")]
    User.objects.create(username="clerk", is_staff=True)
    User.objects.create(username="root", is_superuser=True)
    change, delete = [Permission.objects.get(codename=name, content_type__app_label="reviews") for name in ("change_review", "delete_review")]
    editor.user_permissions.add(change)
    # This one by a group.
    cleaners = Group.objects.create(name="Cleaners")
    cleaners.permissions.add(delete)
    cleaner.groups.add(cleaners)
    reviews = {"nora's": Review.objects.create(thing=book, reviewer=nora, stars=4), "nobody's": Review.objects.create(thing=book, stars=4)}
    calls = [("get", "list", None), ("head", "list", None), ("options", "list", None), ("post", "create", None)]
    calls += [(verb, name, review) for review in reviews for verb, name in
              (("get", "retrieve"), ("put", "update"), ("patch", "partial_update"), ("delete", "destroy"))]
    seen = []
    for user in (None, "nora", "torvald", "editor", "cleaner", "clerk", "root"):
        for verb, name, review in calls:
            request = getattr(APIRequestFactory(), verb)("/", {"stars": 3})
            force_authenticate(request, user and User.objects.get(username=user))
            bound = "get" if verb in ("head", "options") else verb
            view = Reviews.as_view({bound: name}, authentication_classes=[TokenAuthentication])
            with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"]):
                reply = view(request, **({"pk": reviews[review].pk} if review else {}))
            seen.append((user or "a stranger", verb, review or "all", reply.status_code))
    return seen

# %% exercise="23.7" role="answer" seconds=20
class MayTouchReview(BasePermission):
    # solution
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS:
            return True
        if review.reviewer_id is not None and review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.has_perm(wanted)
    # end


check("23.7")

# %% exercise="23.7" role="alternative" note="A table from verbs to permissions, as `DjangoModelPermissions` has one. A verb that is not in it is refused."
class MayTouchReview(BasePermission):
    wanted = {"PUT": "reviews.change_review", "PATCH": "reviews.change_review", "DELETE": "reviews.delete_review"}

    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or bool(request.user and request.user.is_authenticated)

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS:
            return True
        user = request.user
        if request.method not in self.wanted or not user.is_authenticated:
            return False
        return review.reviewer == user or user.has_perm(self.wanted[request.method])

# %% exercise="23.7" role="mistake" says="Strangers may write: without `has_permission` every request gets as far as the object, and a new review has none. And whose key is None owns what belongs to nobody."
class MayTouchReview(BasePermission):
    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS or review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.has_perm(wanted)

# %% exercise="23.7" role="mistake" says="Whoever is logged in may change every review: a permission for the request knows no object. Write `has_object_permission`."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

# %% exercise="23.7" role="mistake" says="Strangers cannot read: reading has to be allowed in both methods."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS or review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.has_perm(wanted)

# %% exercise="23.7" role="mistake" says="HEAD and OPTIONS read as well: a stranger's browser that asks what it may do is refused. `SAFE_METHODS` names all three."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method == "GET" or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method == "GET" or review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.has_perm(wanted)

# %% exercise="23.7" role="mistake" says="Who may change may delete too here: one permission for every verb. Look at `request.method`."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS or review.reviewer_id == request.user.pk:
            return True
        return request.user.has_perm("reviews.change_review")

# %% exercise="23.7" role="mistake" says="Who has the permission is refused, superusers apart: with `ModelBackend`, `has_perm()` is False for every object, and for a name without its app. Ask for `app.permission`, without the object."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS or review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.has_perm(wanted, review)

# %% exercise="23.7" role="mistake" says="Permissions that come from a group are missed: `user_permissions` are those given to the user alone. `has_perm()` asks for both, and lets superusers in."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS:
            return True
        if review.reviewer_id is not None and review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        codenames = request.user.user_permissions.values_list("codename", flat=True)
        return wanted.partition(".")[2] in codenames

# %% exercise="23.7" role="mistake" says="Staff gets in without the permission: `is_staff` opens the admin site, and says nothing about reviews."
class MayTouchReview(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, review):
        if request.method in SAFE_METHODS:
            return True
        if review.reviewer_id is not None and review.reviewer_id == request.user.pk:
            return True
        wanted = "reviews.delete_review" if request.method == "DELETE" else "reviews.change_review"
        return request.user.is_staff or request.user.has_perm(wanted)

# %% exercise="23.7" role="hint"
# Two methods: one for the request, before there is an object, and one for the object.
# %% exercise="23.7" role="hint"
# `SAFE_METHODS` are those that read. `AnonymousUser.pk` is None, like the reviewer of some reviews.

# %% [markdown] exercise="23.8"
# ### 23.8 An authentication class of your own
#
# Write `SignedAuthentication` for the header `Authorization: Signed <value>`. The value is
# `TimestampSigner(salt="api").sign(user.pk)`, and is good for an hour. Requests without the header, or with another
# scheme, are not yours. If the value is altered or too old, or the user is gone or inactive, the request fails. A
# stranger at a closed view gets 401.

# %% exercise="23.8" role="check"
def observe(answer):
    class Desk(APIView):
        authentication_classes = [answer, TokenAuthentication]
        throttle_classes = []

        def get(self, request):
            return Response(request.user.username or "a stranger")

    signer = TimestampSigner(salt="api")
    nora, sleeper, gone = [User.objects.create(username=name) for name in ("nora", "sleeper", "gone")]
    key = Token.objects.create(user=nora).key
    good, inactive, deleted = [signer.sign(user.pk) for user in (nora, sleeper, gone)]
    User.objects.filter(pk=sleeper.pk).update(is_active=False)
    User.objects.filter(pk=gone.pk).delete()
    with mock.patch("time.time", return_value=time.time() - 3700):
        old = signer.sign(nora.pk)
    with mock.patch("time.time", return_value=time.time() - 40 * 86400):
        ancient = signer.sign(nora.pk)
    with mock.patch("time.time", return_value=time.time() - 3000):
        recent = signer.sign(nora.pk)
    headers = {
        "no header": {},
        "good": f"Signed {good}",
        "fifty minutes old": f"Signed {recent}",
        "an hour and more": f"Signed {old}",
        "forty days old": f"Signed {ancient}",
        "altered": f"Signed {good[:-1]}{'A' if good[-1] != 'A' else 'B'}",
        "another user's key": f"Signed {sleeper.pk}{good[good.index(':'):]}",
        "no signature": f"Signed {nora.pk}",
        "another salt": f"Signed {TimestampSigner().sign(nora.pk)}",
        "no value": "Signed",
        "inactive": f"Signed {inactive}",
        "deleted": f"Signed {deleted}",
        "a token of DRF": f"Token {key}",
        "some other scheme": "Basic nonsense",
    }
    seen = []
    for name, value in headers.items():
        for permission in (AllowAny, IsAuthenticated):
            request = APIRequestFactory().get("/", headers={"authorization": value} if value else {})
            reply = Desk.as_view(permission_classes=[permission])(request)
            shown = reply.data if reply.status_code == 200 else reply.headers.get("WWW-Authenticate", "no header").partition(" ")[0]
            seen.append((name, permission.__name__, reply.status_code, shown))
    return seen

# %% exercise="23.8" role="answer" seconds=20
class SignedAuthentication(BaseAuthentication):
    # solution
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            user = User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error
        return user, None

    def authenticate_header(self, request):
        return "Signed"
    # end


check("23.8")

# %% exercise="23.8" role="alternative" note="Two messages, for a program that can ask for a new key by itself. `SignatureExpired` is a `BadSignature`, so it comes first."
class SignedAuthentication(BaseAuthentication):
    def authenticate_header(self, request):
        return "Signed"

    def authenticate(self, request):
        parts = request.headers.get("Authorization", "").split()
        if not parts or parts[0] != "Signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign("".join(parts[1:]), max_age=timedelta(hours=1))
        except SignatureExpired:
            raise AuthenticationFailed("This key has expired.", code="expired") from None
        except BadSignature:
            raise AuthenticationFailed("This is no key.") from None
        user = User.objects.filter(pk=pk, is_active=True).first()
        if user is None:
            raise AuthenticationFailed("This account is closed.")
        return user, pk

# %% exercise="23.8" role="mistake" says="A wrong key counts as no key at all: on an open view its holder is a stranger, and never learns why. None is for \"not mine\"; raise `AuthenticationFailed`."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            user = User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist):
            return None
        return user, None

    def authenticate_header(self, request):
        return "Signed"

# %% exercise="23.8" role="mistake" says="Requests without your header fail, and the next class is never asked. Return None for what is not yours."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            user = User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error
        return user, None

    def authenticate_header(self, request):
        return "Signed"

# %% exercise="23.8" role="mistake" says="The key is good for ever: `unsign()` looks at the time only when it gets `max_age`."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value)
            user = User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error
        return user, None

    def authenticate_header(self, request):
        return "Signed"

# %% exercise="23.8" role="mistake" says="A closed account still gets in. Nobody looks at `is_active` for you here."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            user = User.objects.get(pk=pk)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error
        return user, None

    def authenticate_header(self, request):
        return "Signed"

# %% exercise="23.8" role="mistake" says="Strangers get 403, without a word on how to log in: DRF has no header for them. Write `authenticate_header()`."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            user = User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error
        return user, None

# %% exercise="23.8" role="mistake" says="`authenticate()` returns a pair, the user and what it goes by (`request.auth`), which may be None. DRF unpacks it."
class SignedAuthentication(BaseAuthentication):
    def authenticate(self, request):
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "signed":
            return None
        try:
            pk = TimestampSigner(salt="api").unsign(value, max_age=3600)
            return User.objects.get(pk=pk, is_active=True)
        except (BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed("This key is not valid, or not any more.") from error

    def authenticate_header(self, request):
        return "Signed"

# %% exercise="23.8" role="hint"
# Three outcomes: None for "not mine", `AuthenticationFailed` for "mine, and wrong", a pair for "this user".
# %% exercise="23.8" role="hint"
# `unsign(value, max_age=3600)` raises `BadSignature`, or its subclass `SignatureExpired`.

# %% [markdown] exercise="23.9"
# ### 23.9 Limit who writes, not who reads
#
# Write `WriteThrottle`: three writing requests a minute for each user, or for each address where nobody is logged in.
# Reading is neither limited nor counted. It stands beside DRF's `UserRateThrottle`, and must not share its count.

# %% exercise="23.9" role="check"
def observe(answer):
    cache.clear()
    for name in ("nora", "torvald"):
        User.objects.create(username=name)

    class Everything(UserRateThrottle):
        rate = "1000/min"

    class Desk(APIView):
        permission_classes = [AllowAny]
        throttle_classes = [Everything, answer]

        def get(self, request):
            return Response({})

        post = put = patch = delete = get

    clock = [1_000_000.0]

    def ask(verb, user=None, address="10.0.0.1"):
        request = getattr(APIRequestFactory(), verb)("/", REMOTE_ADDR=address)
        force_authenticate(request, user and User.objects.get(username=user))
        return Desk.as_view()(request).status_code

    with mock.patch.object(SimpleRateThrottle, "timer", lambda self: clock[0]):
        seen = [("a stranger reads five times, then writes four times", [ask("get") for _ in range(5)], [ask("post") for _ in range(4)])]
        seen.append(("and reads again", ask("get"), ask("head"), ask("options")))
        seen.append(("a stranger elsewhere writes", ask("post", address="10.0.0.2")))
        verbs = ("put", "patch", "delete", "post")
        seen.append(("jose changes, deletes and writes", [ask(verb, "jose") for verb in verbs]))
        seen.append(("mira at the same address", ask("post", "mira")))
        seen.append(("nora writes four times", [ask("post", "nora") for _ in range(4)]))
        seen.append(("torvald changes four times", [ask("put", "torvald") for _ in range(4)]))
        seen.append(("jose from another address", ask("post", "jose", address="10.0.0.3")))
        clock[0] += 59
        seen.append(("59 seconds later", ask("post", "jose")))
        clock[0] += 2
        seen.append(("after a minute", ask("post", "jose")))
    cache.clear()
    return seen

# %% exercise="23.9" role="answer" seconds=20
class WriteThrottle(UserRateThrottle):
    # solution
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        if request.method in SAFE_METHODS:
            return None
        return super().get_cache_key(request, view)
    # end


check("23.9")

# %% exercise="23.9" role="alternative" note="Deciding before anything else is done: as good, and plainer where the condition has nothing to do with whom it is."
class WriteThrottle(UserRateThrottle):
    scope = "writing"
    rate = "3/m"

    def allow_request(self, request, view):
        return request.method in ("GET", "HEAD", "OPTIONS") or super().allow_request(request, view)

# %% exercise="23.9" role="mistake" says="The scope is still `user`, so the key in the cache is the same as that of `UserRateThrottle`: what it counts fills your three."
class WriteThrottle(UserRateThrottle):
    rate = "3/min"

    def get_cache_key(self, request, view):
        if request.method in SAFE_METHODS:
            return None
        return super().get_cache_key(request, view)

# %% exercise="23.9" role="mistake" says="Reading is counted and refused as well. A key of None means that a request does not count."
class WriteThrottle(UserRateThrottle):
    scope = "writes"
    rate = "3/min"

# %% exercise="23.9" role="mistake" says="All strangers and users share one count: the key has to say who it is, as the key of `UserRateThrottle` does."
class WriteThrottle(UserRateThrottle):
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        return None if request.method in SAFE_METHODS else "throttle_writes"

# %% exercise="23.9" role="mistake" says="PUT, PATCH and DELETE are not counted. Ask for the verbs that read, and count the rest."
class WriteThrottle(UserRateThrottle):
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        return super().get_cache_key(request, view) if request.method == "POST" else None

# %% exercise="23.9" role="mistake" says="Users are counted by address here, so those behind one router share three requests. Who is logged in has a key: use it."
class WriteThrottle(SimpleRateThrottle):
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        if request.method in SAFE_METHODS:
            return None
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

# %% exercise="23.9" role="mistake" says="Who is logged in is not limited at all: `AnonRateThrottle` returns no key for them. `UserRateThrottle` has one for both."
from rest_framework.throttling import AnonRateThrottle


class WriteThrottle(AnonRateThrottle):
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        if request.method in SAFE_METHODS:
            return None
        return super().get_cache_key(request, view)

# %% exercise="23.9" role="mistake" says="Each verb has a count of its own, so four kinds of writing make twelve requests. Leave the method out of the key."
class WriteThrottle(UserRateThrottle):
    scope = "writes"
    rate = "3/min"

    def get_cache_key(self, request, view):
        if request.method in SAFE_METHODS:
            return None
        return f"{super().get_cache_key(request, view)}_{request.method}"

# %% exercise="23.9" role="hint"
# `UserRateThrottle` knows whom to count. What does `get_cache_key()` return for a request that does not count?
# %% exercise="23.9" role="hint"
# `scope` is a part of the key, and `rate` on the class needs no setting.

# %% [markdown] exercise="23.10"
# ### 23.10 One's own reviews
#
# Write `MyReviewViewSet` and a `router`, so that customers find their own reviews at `/my-reviews/` and
# `/my-reviews/<pk>/`: list (newest first, then highest key), read, change, withdraw (what `Review.delete()` does: the
# row stays, hidden). New ones are not written here, and what was withdrawn is not found. The URL names are
# `my-review-list` and `my-review-detail`. Somebody else's reviews are not found, and strangers are refused.

# %% exercise="23.10" role="check"
def observe(answer):
    book, author = Book.objects.order_by("pk").first(), Author.objects.order_by("pk").first()
    nora, torvald = [User.objects.create(username=name) for name in ("nora", "torvald")]
    names = {}
    second, third = Book.objects.order_by("pk")[1:3]
    for name, thing, reviewer, day in (("first", book, nora, 3), ("second", author, nora, 1), ("third", second, nora, 1),
                                       ("torvald's", book, torvald, 2), ("nobody's", author, None, 2), ("withdrawn", third, nora, 2)):
        review = Review.objects.create(thing=thing, reviewer=reviewer, stars=4, text=name)
        Review.objects.filter(pk=review.pk).update(created=datetime(2026, 7, day, tzinfo=timezone.utc))
        names[review.pk] = name
    pks, seen = {name: pk for pk, name in names.items()}, []
    Review.objects.get(pk=pks["withdrawn"]).delete()
    with override_settings(ROOT_URLCONF=tuple(answer.router.urls)):
        for name, kwargs in (("my-review-list", {}), ("my-review-detail", {"pk": 7})):
            try:
                seen.append((name, reverse(name, kwargs=kwargs)))
            except NoReverseMatch:
                seen.append((name, "no URL"))
        for user in ("nora", "torvald", None):
            client = Client(raise_request_exception=False)
            if user:
                client.force_login(User.objects.get(username=user))
            listed = client.get("/my-reviews/")
            rows = listed.json() if listed.status_code == 200 else []
            rows = rows["results"] if isinstance(rows, dict) else rows
            seen.append((user, "list", listed.status_code, [row["text"] for row in rows]))
            for name in ("first", "torvald's", "nobody's", "withdrawn"):
                url, kind = f"/my-reviews/{pks[name]}/", {"content_type": "application/json"}
                seen.append((user, name, "read", client.get(url).status_code))
                seen.append((user, name, "change", client.patch(url, {"stars": 5}, **kind).status_code))
            seen.append((user, "write", client.post("/my-reviews/", {"stars": 5, "text": "new"}).status_code))
        client = Client(raise_request_exception=False)
        client.force_login(nora)
        seen.append(("nora withdraws", [client.delete(f"/my-reviews/{pks[name]}/").status_code for name in ("first", "torvald's")]))
        after = Review.objects.filter(pk__in=names).order_by("pk").values_list("text", "stars")
        seen.append(("left", list(after), "rows", Review.everything.filter(pk__in=names).count()))
    return seen

# %% exercise="23.10" role="answer" seconds=20
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


# solution
class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Review.objects.filter(reviewer=self.request.user).order_by("-created", "-pk")


# end
router = SimpleRouter()
# solution
router.register("my-reviews", MyReviewViewSet, basename="my-review")
# end


check("23.10")

# %% exercise="23.10" role="alternative" note="A `ModelViewSet` without a verb: POST is a 405, because `http_method_names` does not have it. Shorter, and the schema still has to be told."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(ModelViewSet):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]
    queryset = Review.objects.order_by("-created", "-pk")
    http_method_names = ["get", "put", "patch", "delete", "head", "options"]

    def get_queryset(self):
        return super().get_queryset().filter(reviewer=self.request.user)


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="The list is filtered, the rest is not: everybody's reviews can be read, changed and withdrawn by their key. Filter in `get_queryset()`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]
    queryset = Review.objects.order_by("-created", "-pk")

    def list(self, request):
        own = self.get_queryset().filter(reviewer=request.user)
        return Response(self.get_serializer(own, many=True).data)


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="A `ModelViewSet` takes new reviews too: the POST comes as far as the database, which misses the thing that is reviewed. Take the mixins you need."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(ModelViewSet):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Review.objects.filter(reviewer=self.request.user).order_by("-created", "-pk")


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="The names are `review-list` and `review-detail`, after the model. Say `basename=\"my-review\"`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]
    queryset = Review.objects.order_by("-created", "-pk")

    def get_queryset(self):
        return super().get_queryset().filter(reviewer=self.request.user)


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet)

# %% exercise="23.10" role="mistake" says="A stranger gets a 500: `AnonymousUser` cannot be filtered by, and reading was open to them. Ask for a login with `IsAuthenticated`."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer

    def get_queryset(self):
        return Review.objects.filter(reviewer=self.request.user).order_by("-created", "-pk")


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="Withdrawn reviews are back: `Review.everything` has them. `Review.objects` has those that are live."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Review.everything.filter(reviewer=self.request.user).order_by("-created", "-pk")


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="Reviews can be read and not changed: a read-only viewset has `list` and `retrieve`. Add the mixins for changing and withdrawing."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(ReadOnlyModelViewSet):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self):
        return Review.objects.filter(reviewer=self.request.user).order_by("-created", "-pk")


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="The row is deleted for good, and the shop wanted to keep it. `destroy` calls `delete()` of the review, which hides it: nothing is to be written."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def perform_destroy(self, review):
        review.hard_delete()

    def get_queryset(self):
        return Review.objects.filter(reviewer=self.request.user).order_by("-created", "-pk")


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="mistake" says="Somebody else's review is a 403, which says that it exists. Filter in `get_queryset()`, and it is not found."
class ReviewSerializer(serializers.ModelSerializer):
    class Meta:
        model = Review
        fields = ["stars", "text"]


class MyReviewViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    queryset = Review.objects.order_by("-created", "-pk")

    def filter_queryset(self, queryset):
        return queryset.filter(reviewer=self.request.user) if self.action == "list" else queryset

    def check_object_permissions(self, request, review):
        super().check_object_permissions(request, review)
        if review.reviewer != request.user:
            self.permission_denied(request)


router = SimpleRouter()
router.register("my-reviews", MyReviewViewSet, basename="my-review")

# %% exercise="23.10" role="hint"
# Each action has a mixin. And each begins with `get_queryset()`.
# %% exercise="23.10" role="hint"
# `self.request.user` is in `get_queryset()`; without a queryset of the class, the router wants a `basename`.

# %% [markdown] exercise="23.11"
# ### 23.11 Actions, each with its serializer
#
# Complete `ShelfViewSet`, which everybody may read. `/shelf/` lists all books by title and then key, `/shelf/emma/`
# shows one, by its slug. `/shelf/cheap/` lists those for 5.00 or less, the cheapest first, then by title and key, and
# `/shelf/emma/same-author/` the author's other books, by title and key. A single book is shown by `BookSerializer`,
# lists by `BriefSerializer`, without pages. A list is one query, its filter included; `same-author` two.

# %% exercise="23.11" role="check"
def observe(answer):
    router = SimpleRouter()
    router.register("shelf", answer.ShelfViewSet, basename="shelf")
    author = Author.objects.filter(books__slug="emma").first()
    other = Book.objects.exclude(author=author).order_by("pk").first()
    Book.objects.filter(pk=other.pk).update(price="5.00")
    Book.objects.create(title="Another", slug="another", author=author, price="5.01")
    urls = ["", "emma/", "no-such-book/", "cheap/", "emma/same-author/", f"{other.slug}/same-author/", "no-such-book/same-author/"]
    seen = [sorted({pattern.name for pattern in router.urls})]
    with override_settings(ROOT_URLCONF=tuple(router.urls)):
        client = Client(raise_request_exception=False)
        client.get("/shelf/")
        for url in urls:
            with CaptureQueriesContext(connection) as ran:
                reply = client.get(f"/shelf/{url}")
            body = reply.json() if reply.status_code == 200 else ""
            most = 2 if url.endswith("same-author/") else 4 if url == "emma/" else 1
            seen.append((f"/shelf/{url}", reply.status_code, body, "few queries" if len(ran) <= most else f"{len(ran)} queries"))
        seen.append(("POST", client.post("/shelf/", {}).status_code, client.post("/shelf/cheap/", {}).status_code))
    return seen

# %% exercise="23.11" role="answer" seconds=20
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    # solution
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.action == "retrieve" else BriefSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        book = self.get_object()
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)
    # end


check("23.11")

# %% exercise="23.11" role="alternative" note="The serializer as an argument of `@action`: each endpoint says its own, and the class keeps that of the rest. `retrieve` needs one that differs from `list`, so it is overridden."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"
    serializer_class = BriefSerializer

    def retrieve(self, request, slug):
        return Response(BookSerializer(self.get_object(), context=self.get_serializer_context()).data)

    @action(detail=False)
    def cheap(self, request):
        books = Book.objects.costing_at_most(5).order_by("price", "title", "pk")
        return Response(BriefSerializer(books, many=True).data)

    @action(detail=True, url_path="same-author", serializer_class=BriefSerializer)
    def same_author(self, request, slug):
        book = self.get_object()
        return Response(self.get_serializer(self.get_queryset().exclude(pk=book.pk).filter(author_id=book.author_id), many=True).data)

# %% exercise="23.11" role="mistake" says="Lists show the author and the genres: one serializer for every action, and queries for each row. Choose in `get_serializer_class()`."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"
    serializer_class = BookSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        book = self.get_object()
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="mistake" says="The path is `same_author`, with an underscore: it is the name of the method, unless `url_path` says another."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.action == "retrieve" else BriefSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True)
    def same_author(self, request, slug):
        book = self.get_object()
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="mistake" says="The book itself is among the author's other books."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.action == "retrieve" else BriefSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        books = self.get_queryset().filter(author=self.get_object().author_id)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="mistake" says="`/shelf/cheap/` is a book with the slug `cheap`, which there is not; the list stands at `/shelf/<slug>/cheap/`. An action on all books is `detail=False`."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.action == "retrieve" else BriefSerializer

    @action(detail=True)
    def cheap(self, request, slug):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        book = self.get_object()
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="mistake" says="A book that does not exist is a 500 at `same-author`: `Book.DoesNotExist` is no 404. `get_object()` is, and asks for permissions too."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.action == "retrieve" else BriefSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        book = Book.objects.get(slug=slug)
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="mistake" says="`same-author` shows its books with author and genres, and queries for each: `self.detail` is true for that action too. It is a list; ask for the name of the action."
class BriefSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["slug", "title", "price"]


class BookSerializer(serializers.ModelSerializer):
    author = serializers.CharField(source="author.name")
    genres = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Book
        fields = ["slug", "title", "price", "author", "genres"]


class ShelfViewSet(ReadOnlyModelViewSet):
    queryset = Book.objects.order_by("title", "pk")
    permission_classes = [AllowAny]
    pagination_class = None
    lookup_field = "slug"

    def get_serializer_class(self):
        return BookSerializer if self.detail else BriefSerializer

    @action(detail=False)
    def cheap(self, request):
        books = self.get_queryset().filter(price__lte=5).order_by("price", "title", "pk")
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, url_path="same-author")
    def same_author(self, request, slug):
        book = self.get_object()
        books = self.get_queryset().filter(author=book.author_id).exclude(pk=book.pk)
        return Response(self.get_serializer(books, many=True).data)

# %% exercise="23.11" role="hint"
# `self.action` is the name of the method that is called, `list` and `retrieve` included.
# %% exercise="23.11" role="hint"
# `detail=False` for all books, `detail=True` for one; `url_path` where a path has a hyphen.
