"""Views that a router makes URLs for. https://www.django-rest-framework.org/api-guide/viewsets/"""

from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.parsers import JSONParser
from rest_framework.permissions import (
    DjangoModelPermissionsOrAnonReadOnly,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)
from rest_framework.response import Response
from rest_framework.settings import api_settings

from catalog.models import Author, Book
from catalog.prices import record_price
from orders.checkout import cancel_order
from orders.models import Order, Stock

from .filters import BookFilter, BookSearch, Ordering
from .pagination import CursorPages, Pages
from .permissions import IsCustomer, MayCancelOrders, MaySeeOrders, may_see_orders
from .renderers import CSVRenderer
from .serializers import (
    ALREADY_REVIEWED,
    AuthorSerializer,
    BestsellerSerializer,
    BookDetailSerializer,
    BookDetailV2Serializer,
    BookSerializer,
    BookV2Serializer,
    OrderSerializer,
    ReviewSerializer,
    StockSerializer,
)

BOOKS_OF_AUTHOR = 5
BESTSELLERS = 10
MOST_BOOKS_AT_ONCE = 100


class BookViewSet(viewsets.ModelViewSet):
    """The books: for everybody to read, and for booksellers to write.

    Who may add, change or delete books, or change prices, in the admin site may do so here.
    """

    queryset = Book.objects.select_related("author", "stock").prefetch_related("genres")
    lookup_field = "slug"
    permission_classes = [DjangoModelPermissionsOrAnonReadOnly]
    renderer_classes = [*api_settings.DEFAULT_RENDERER_CLASSES, CSVRenderer]
    pagination_class = CursorPages
    filter_backends = [BookFilter, BookSearch, Ordering]
    search_fields = ["title", "author__name"]
    ordering_fields = ["title", "price", "added"]
    ordering = ["title"]

    def get_queryset(self):
        books = super().get_queryset()
        if self.action == "retrieve":
            books = books.select_related("publisher").with_reviews()
        return books

    def get_serializer_class(self):
        # The class names none, so there is one only where an `@action` brings its own.
        if self.serializer_class:
            return self.serializer_class
        if self.action == "retrieve":
            return BookDetailV2Serializer if self.request.version == "v2" else BookDetailSerializer
        return BookV2Serializer if self.request.version == "v2" else BookSerializer

    @transaction.atomic
    def perform_create(self, serializer):
        book = serializer.save()
        record_price(book)
        serializer.instance = self.reread(book)

    @transaction.atomic
    def perform_update(self, serializer):
        before = serializer.instance.price
        is_changed = serializer.validated_data.get("price", before) != before
        if is_changed and not self.request.user.has_perm("catalog.change_price"):
            raise PermissionDenied("You may change this book, but not its price.")
        book = serializer.save()
        if is_changed:
            # As the desk and the admin site do, whoever changes a price.
            record_price(book)
        serializer.instance = self.reread(book)

    def reread(self, book):
        """The book as the database has it, with its defaults and all that is shown."""
        return self.get_queryset().get(pk=book.pk)

    @extend_schema(
        request=BookSerializer(many=True), responses={201: BookSerializer(many=True)}, filters=False, parameters=[]
    )
    @action(detail=False, methods=["post"], parser_classes=[JSONParser], pagination_class=None)
    def bulk(self, request, **kwargs):
        """Take many books in, or none of them. Errors have the number of their book, counted from 0."""
        serializer = self.get_serializer(
            data=request.data, many=True, allow_empty=False, max_length=MOST_BOOKS_AT_ONCE
        )
        serializer.is_valid(raise_exception=True)
        books = serializer.save()
        found = self.get_queryset().in_bulk([book.pk for book in books])
        shown = self.get_serializer([found[book.pk] for book in books], many=True)
        return Response(shown.data, status=status.HTTP_201_CREATED)

    @action(detail=False, serializer_class=BestsellerSerializer, filter_backends=[], pagination_class=None)
    def bestselling(self, request, **kwargs):
        """The ten books that sold best."""
        books = Book.objects.select_related("author").bestselling()[:BESTSELLERS]
        return Response(self.get_serializer(books, many=True).data)

    @action(detail=True, serializer_class=StockSerializer, filter_backends=[])
    def stock(self, request, **kwargs):
        """How many copies are on the shelf."""
        book = self.get_object()
        stock = book.stock if hasattr(book, "stock") else Stock(book=book, quantity=0)
        return Response(self.get_serializer(stock).data)

    @action(
        detail=True,
        serializer_class=ReviewSerializer,
        # Whoever is logged in may say something: the permission of the class would ask for "add book".
        permission_classes=[IsAuthenticatedOrReadOnly],
        pagination_class=Pages,
        filter_backends=[],
    )
    def reviews(self, request, **kwargs):
        """What customers say about this book, newest first."""
        reviews = self.get_object().reviews.select_related("reviewer").newest()
        page = self.paginate_queryset(reviews)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @reviews.mapping.post
    def add_review(self, request, **kwargs):
        """Say something about this book, once."""
        book = self.get_object()
        serializer = ReviewSerializer(data=request.data, context={**self.get_serializer_context(), "thing": book})
        serializer.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                serializer.save(thing=book)
        except IntegrityError as error:
            # The same customer, at the same time, in another tab: the constraint has seen both.
            raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [ALREADY_REVIEWED]}, code="unique") from error
        return Response(serializer.data, status=status.HTTP_201_CREATED)


class AuthorViewSet(viewsets.ReadOnlyModelViewSet):
    """The authors, each with the first books."""

    queryset = (
        Author.objects.annotate(book_count=Count("books"))
        # A slice of the books of each author, in one query for all of them.
        .prefetch_related(
            Prefetch(
                "books",
                queryset=Book.objects.order_by("published", "title", "pk")[:BOOKS_OF_AUTHOR],
                to_attr="first_books",
            )
        )
        .order_by("name")
    )
    serializer_class = AuthorSerializer
    lookup_field = "slug"
    filter_backends = [SearchFilter]
    search_fields = ["name", "country"]


class OrderViewSet(mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """One's own orders; for staff who may see orders, everybody's. They are placed and cancelled, never deleted."""

    serializer_class = OrderSerializer
    permission_classes = [IsAuthenticated & (IsCustomer | MaySeeOrders)]
    pagination_class = CursorPages
    filter_backends = [Ordering]
    ordering_fields = ["placed_at"]
    ordering = ["-placed_at"]
    lookup_field = "number"
    lookup_value_regex = "[0-9]{4}-[0-9]+"

    def get_queryset(self):
        # An order of somebody else is not among them: 404, where 403 would say that there is one.
        orders = Order.objects.select_related("customer").prefetch_related("lines__book")
        return orders if may_see_orders(self.request.user) else orders.filter(customer=self.request.user)

    @property
    def throttle_scope(self):
        """Placing orders is counted by itself; reading them is not."""
        return "orders" if self.action == "create" else None

    def perform_create(self, serializer):
        order = serializer.save(customer=self.request.user)
        serializer.instance = self.get_queryset().get(pk=order.pk)

    @extend_schema(request=None, responses=OrderSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated & (IsCustomer | MayCancelOrders)])
    def cancel(self, request, **kwargs):
        """Cancel the order, as long as it has not left the house."""
        order = cancel_order(self.get_object())
        return Response(self.get_serializer(self.get_queryset().get(pk=order.pk)).data)
