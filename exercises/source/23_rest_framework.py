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
from django.contrib.auth.models import Permission
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
# Write `TitleSearch`. A GET with `?q=em` answers `{"count": 3, "results": [{"title": …, "slug": …}, …]}`: how many titles hold the text, in any case of letters, and
# the first five of them by title, then primary key. Without `q`, or with a blank one, it is a 400 with an error under `q`. A browser sees the browsable API, as everywhere. Two queries at most.

# %% exercise="23.1" role="check"
def observe(answer):
    factory, seen = APIRequestFactory(), []
    asked = [{"q": q} for q in ("e", "EMMA", "no such title", "%", "", "   ")]
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

# %% exercise="23.1" role="hint"
# What stands behind the `?` is in `request.query_params`.
# %% exercise="23.1" role="hint"
# `raise ValidationError({"q": ["…"]})` becomes a 400 with that body; a `Response` of a dictionary becomes JSON, or a page.

# %% [markdown] exercise="23.2"
# ### 23.2 Close the API of a new project
#
# Write the setting `REST_FRAMEWORK` for a project whose views say nothing about it: strangers may read, and only who is logged in may write. Programs log in with
# DRF's own tokens, browsers with their session, and a stranger who writes gets a 401. Lists come in numbered pages of 10. Strangers have 3 requests a minute (so that one can try it), users are
# not limited.

# %% exercise="23.2" role="check"
def observe(answer):
    cache.clear()
    factory, seen = APIRequestFactory(), []

    class Names(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ["title"]

    with override_settings(REST_FRAMEWORK=answer):
        pages = api_settings.DEFAULT_PAGINATION_CLASS
        if pages is not None and issubclass(pages, PageNumberPagination):
            pages = type("Pages", (pages,), {"page_size": api_settings.PAGE_SIZE})
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
    with mock.patch.object(SimpleRateThrottle, "THROTTLE_RATES", rates):
        user = User.objects.get(username="jose")
        key = Token.objects.create(user=user).key
        refused = view(factory.post("/", {}))
        seen.append(("a stranger writes", refused.status_code, refused.headers.get("WWW-Authenticate")))
        listed = view(factory.get("/")).data
        kind = sorted(listed) if isinstance(listed, dict) else "a bare list"
        seen.append(("a stranger reads", kind, len(listed.get("results", [])) if isinstance(listed, dict) else len(listed)))
        if isinstance(listed, dict):
            second = view(factory.get("/", {"page": 2})).data
            seen.append(("page 2", len(second.get("results", []))))
        cache.clear()
        seen.append(("a stranger asks on", [view(factory.get("/")).status_code for _ in range(5)]))
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

# %% exercise="23.2" role="hint"
# Authentication, permission, pagination and throttle each have a `DEFAULT_…`, and the last two need a number beside it.
# %% exercise="23.2" role="hint"
# The first authentication class decides between 401 and 403.

# %% [markdown] exercise="23.3"
# ### 23.3 Change an order with its lines
#
# Write `update()`. The lines that come in replace those of the order: a book that is in it already keeps its row and its price, with the new quantity; a new book is added at its price of
# today; a book that is not named goes. A PATCH without lines leaves them as they are. All of it is saved, or nothing. No book is there twice.

# %% exercise="23.3" role="check"
def observe(answer):
    books = list(Book.objects.order_by("pk")[:4])
    Book.objects.filter(pk__in=[book.pk for book in books]).update(price="8.00")
    slugs = {book.slug: letter for book, letter in zip(books, "abcd")}
    customer = User.objects.get(username="jose")

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
        result = (outcome, Order.objects.get(pk=order.pk).note, rows)
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

# %% exercise="23.3" role="hint"
# Take the lines out of `validated_data` first; `super().update()` saves the rest. Were there lines at all?
# %% exercise="23.3" role="hint"
# `update_or_create(book=…, defaults={…}, create_defaults={…})` tells a line that is there from a new one.

# %% [markdown] exercise="23.4"
# ### 23.4 Sign up
#
# Write `SignUpSerializer` for `username`, `email` and `password`. The password is checked by `AUTH_PASSWORD_VALIDATORS`, with its errors under `password`; it is stored hashed, and it is never a part of the answer. Nobody
# makes themselves staff. (`validate_by_settings` is Django's `validate_password`, under a name of its own.)

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
            stored = "hashed" if user.check_password(data["password"]) else "not hashed"
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

# %% exercise="23.4" role="mistake" says="The password is stored as it was typed: a `ModelSerializer` writes columns, and knows nothing of hashing. Create with `create_user()`, or `set_password()`."
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

# %% exercise="23.4" role="mistake" says="Any password will do. The settings' validators are asked by forms of Django, not by a serializer: call them."
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

# %% exercise="23.4" role="hint"
# Three things: a field that is only written, a `validate_password()`, and a `create()`.
# %% exercise="23.4" role="hint"
# `User.objects.create_user(**validated_data)` hashes. A method called `validate_password` may call `validate_by_settings(value)`.

# %% [markdown] exercise="23.5"
# ### 23.5 A packing list in few queries
#
# Return the data of all open orders, by primary key: `number`, `customer` (the user name), `copies` (the sum of the quantities, 0 for an order without lines) and `lines`, each with `title`, `author`
# (the name) and `quantity`, by primary key. Complete both serializers and the function; four queries at most, however many orders there are.

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
# A review with one or two stars has to say why. Complete `validate()`: without a text it is an error under `text`. A PATCH may bring one of the two fields; then the other is that of the review. A text
# of blanks is none.

# %% exercise="23.6" role="check"
def observe(answer):
    seen = []

    def attempt(data, review=None):
        serializer = answer(review, data=data, partial=review is not None)
        before = None if review is None else (review.stars, review.text)
        valid = serializer.is_valid()
        seen.append((before, data, "valid" if valid else sorted(serializer.errors), sorted(serializer.validated_data) if valid else []))

    for data in ({"stars": 5}, {"stars": 3, "text": ""}, {"stars": 2, "text": "Dull."}, {"stars": 2}, {"stars": 1, "text": ""},
                 {"stars": 2, "text": "   "}, {"text": "Dull."}):
        attempt(data)
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
