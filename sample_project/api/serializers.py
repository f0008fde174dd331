"""What goes over the wire, and what is let in. https://www.django-rest-framework.org/api-guide/serializers/"""

from collections import Counter

from django.db import transaction
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from accounts.models import Profile
from catalog.fields import normalise
from catalog.models import Author, Book, Genre
from catalog.prices import record_price
from orders.checkout import LONGEST_NOTE, place_order
from orders.exceptions import MOST_COPIES
from orders.models import Order, OrderLine, Stock
from reviews.models import Review, lacks_reason


class AuthorBriefSerializer(serializers.ModelSerializer):
    """An author inside of something else."""

    url = serializers.HyperlinkedIdentityField(view_name="api:author-detail", lookup_field="slug")

    class Meta:
        model = Author
        fields = ["id", "url", "slug", "name"]


class BookListSerializer(serializers.ListSerializer):
    """Many books in one request: all are taken, or none."""

    def validate(self, books):
        # A row is compared with the database, where its neighbour is not yet.
        for name in ["slug", "isbn"]:
            values = Counter(book[name] for book in books if book.get(name))
            if twice := [value for value, times in values.items() if times > 1]:
                raise serializers.ValidationError({name: f"{twice[0]} is there twice."})
        pairs = Counter((book["title"], book["author"]) for book in books)
        if twice := [title for (title, _), times in pairs.items() if times > 1]:
            raise serializers.ValidationError({"title": f"{twice[0]} is there twice."})
        return books

    @transaction.atomic
    def create(self, books):
        created = super().create(books)
        for book in created:
            record_price(book)
        return created


class BookSerializer(serializers.ModelSerializer):
    """A book in a list, and what booksellers write.

    The view brings `author`, `stock` and `genres` along with the books: here, asking for one would be a query each.
    """

    url = serializers.HyperlinkedIdentityField(view_name="api:book-detail", lookup_field="slug")
    slug = serializers.SlugField(
        max_length=300, validators=[UniqueValidator(Book.objects.all(), message="Another book has this slug.")]
    )
    # Two names: readers want to know something of the author, writers say who it is.
    author = AuthorBriefSerializer(read_only=True)
    author_id = serializers.PrimaryKeyRelatedField(
        source="author",
        queryset=Author.objects.all(),
        write_only=True,
        # A form never learns the value of a field that is only written. A list to choose from would show its first
        # author for every book, and who saves the form would have changed it.
        style={"base_template": "input.html"},
    )
    genres = serializers.SlugRelatedField(
        slug_field="slug", many=True, queryset=Genre.objects.all(), required=False, allow_empty=True
    )
    # Declared, because the framework does not know the field. The lookup normalises, so hyphens do not get by.
    isbn = serializers.CharField(
        label="ISBN",
        max_length=17,
        required=False,
        allow_null=True,
        help_text="Ten or thirteen digits, with or without hyphens.",
        validators=[UniqueValidator(Book.objects.all(), message="Another book has this ISBN.")],
    )
    in_stock = serializers.SerializerMethodField()

    class Meta:
        model = Book
        list_serializer_class = BookListSerializer
        fields = [
            "url",
            "slug",
            "title",
            "author",
            "author_id",
            "genres",
            "price",
            "isbn",
            "published",
            "language",
            "pages",
            "in_print",
            "in_stock",
            "description",
        ]
        # A check constraint of the database is not among what the framework looks up in a model.
        extra_kwargs = {"price": {"min_value": 0}, "in_print": {"required": False, "initial": True}}

    def get_in_stock(self, book) -> bool:
        # Without a row the shop never had a copy.
        return hasattr(book, "stock") and book.stock.quantity > 0

    def validate_isbn(self, value):
        """One field: called with its value when the field's own validators are content."""
        if value is None:
            return None
        try:
            return normalise(value)
        except ValueError as error:
            raise serializers.ValidationError(f"This is no ISBN: {error}.", code="invalid") from error

    def validate(self, attrs):
        """Several fields: called when each of them is valid. A PATCH may bring one of the two."""
        author = attrs.get("author") or self.instance.author
        published = attrs.get("published", getattr(self.instance, "published", None))
        if published is not None and author.born is not None and published <= author.born:
            raise serializers.ValidationError({"published": f"{author.name} was born in {author.born}."})
        return attrs


class BookDetailSerializer(BookSerializer):
    """A book alone, with what is too much for a list."""

    publisher = serializers.StringRelatedField()
    rating = serializers.DecimalField(max_digits=3, decimal_places=2, read_only=True)
    # Annotated by the view.
    review_count = serializers.IntegerField(read_only=True)
    review_average = serializers.DecimalField(max_digits=3, decimal_places=2, read_only=True, allow_null=True)
    reviews = serializers.HyperlinkedIdentityField(view_name="api:book-reviews", lookup_field="slug")

    class Meta(BookSerializer.Meta):
        fields = [
            *BookSerializer.Meta.fields,
            "publisher",
            "rating",
            "added",
            "review_count",
            "review_average",
            "reviews",
        ]


class PriceSerializer(serializers.Serializer):
    """{"amount": "5.50", "currency": "EUR"}, from one column: with `source="*"` it gets the whole book."""

    amount = serializers.DecimalField(source="price", max_digits=6, decimal_places=2, min_value=0)
    # Not a read-only field with a default: a PATCH leaves defaults out, of its answer too.
    currency = serializers.SerializerMethodField()

    def get_currency(self, book) -> str:
        return "EUR"


class BookV2Serializer(BookSerializer):
    """Version 2 says in what money a price is."""

    price = PriceSerializer(source="*")


class BookDetailV2Serializer(BookDetailSerializer):
    price = PriceSerializer(source="*")


class BestsellerSerializer(BookSerializer):
    """With the copies sold, annotated by `bestselling()`."""

    sold = serializers.IntegerField(read_only=True)

    class Meta(BookSerializer.Meta):
        fields = ["url", "slug", "title", "author", "sold"]


class StockSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Stock
        fields = ["book", "quantity"]


class BookBriefSerializer(serializers.ModelSerializer):
    """A book inside of something else."""

    url = serializers.HyperlinkedIdentityField(view_name="api:book-detail", lookup_field="slug")

    class Meta:
        model = Book
        fields = ["url", "title", "published"]


class AuthorSerializer(serializers.ModelSerializer):
    url = serializers.HyperlinkedIdentityField(view_name="api:author-detail", lookup_field="slug")
    # Both are made by the view: how many books, and the first few of them.
    book_count = serializers.IntegerField(read_only=True)
    books = BookBriefSerializer(source="first_books", many=True, read_only=True)

    class Meta:
        model = Author
        fields = ["id", "url", "slug", "name", "country", "born", "died", "book_count", "books"]


class GenreSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["slug", "name"]


class OrderLineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", queryset=Book.objects.all())
    title = serializers.CharField(source="book.title", read_only=True)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_COPIES, default=1)

    # For a generated column the framework finds no serializer field, and would give a float here.
    amount = serializers.DecimalField(max_digits=9, decimal_places=2, read_only=True)

    class Meta:
        model = OrderLine
        fields = ["book", "title", "quantity", "unit_price", "amount"]
        # The shop says what a book costs.
        read_only_fields = ["unit_price"]


class OrderSerializer(serializers.ModelSerializer):
    """An order with its lines, which come in with it. Nested lines are not written unless `create()` says how."""

    MOST_LINES = 50

    url = serializers.HyperlinkedIdentityField(view_name="api:order-detail", lookup_field="number")
    customer = serializers.SlugRelatedField(slug_field="username", read_only=True)
    # The column takes any length; who packs should not have to read a book.
    note = serializers.CharField(max_length=LONGEST_NOTE, required=False, allow_blank=True)
    lines = OrderLineSerializer(many=True, allow_empty=False, max_length=MOST_LINES)
    total = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)

    class Meta:
        model = Order
        fields = ["url", "number", "customer", "status", "placed_at", "shipped_at", "note", "lines", "total"]
        read_only_fields = ["number", "status", "placed_at", "shipped_at"]

    def validate_lines(self, lines):
        books = Counter(line["book"] for line in lines)
        if twice := [book for book, times in books.items() if times > 1]:
            raise serializers.ValidationError(f"{twice[0].title} is there twice. Ask for more copies instead.")
        return lines

    def create(self, validated_data):
        """Sell the books; `orders.exceptions.OrderError` where the shop cannot."""
        wanted = {line["book"].pk: line["quantity"] for line in validated_data["lines"]}
        return place_order(validated_data["customer"], wanted, note=validated_data.get("note", ""))


ALREADY_REVIEWED = "You have reviewed this already. Change that review, or withdraw it first."


class ReviewSerializer(serializers.ModelSerializer):
    """A review of the thing that the view puts into the context."""

    url = serializers.HyperlinkedIdentityField(view_name="api:review-detail")
    by = serializers.SlugRelatedField(source="reviewer", slug_field="username", read_only=True)
    # Not in the request, so that nobody can write in the name of somebody else.
    reviewer = serializers.HiddenField(default=serializers.CurrentUserDefault())
    stars = serializers.IntegerField(min_value=1, max_value=5)

    class Meta:
        model = Review
        fields = ["url", "by", "reviewer", "stars", "text", "created", "updated"]

    def to_representation(self, review):
        # Here and not in a field: None never gets as far as the `to_representation()` of one.
        shown = super().to_representation(review)
        shown["by"] = shown["by"] or "a former customer"
        return shown

    def validate(self, attrs):
        # A PATCH may bring one of the two.
        stars, text = (attrs.get(name, getattr(self.instance, name, None)) for name in ("stars", "text"))
        if lacks_reason(stars, text):
            raise serializers.ValidationError({"text": "Tell us what was wrong with it."}, code="reason_missing")
        thing = self.context.get("thing")
        if thing and Review.objects.about(thing).filter(reviewer=attrs["reviewer"]).exists():
            raise serializers.ValidationError(ALREADY_REVIEWED, code="unique")
        return attrs


class ProfileSerializer(serializers.ModelSerializer):
    class Meta:
        model = Profile
        fields = ["city", "newsletter"]


class AccountSerializer(serializers.Serializer):
    """A plain serializer: what it makes of a user and their profile is nobody's table."""

    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    is_bookseller = serializers.BooleanField(source="is_staff", read_only=True)
    profile = ProfileSerializer(allow_null=True)

    def update(self, user, validated_data):
        Profile.objects.update_or_create(user=user, defaults=validated_data.get("profile") or {})
        return user


class LanguageSerializer(serializers.Serializer):
    language = serializers.CharField()
    books = serializers.IntegerField()


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(source="key")
    expires = serializers.DateTimeField()
