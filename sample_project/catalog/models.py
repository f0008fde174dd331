from django.contrib.contenttypes.fields import GenericRelation
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower, Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .excerpts import CONTENT_TYPES, excerpt_path, validate_content, validate_size
from .fields import ISBNField
from .names import sort_name
from .querysets import BookQuerySet, ClassicManager, ContributionQuerySet, PriceChangeQuerySet
from .timestamps import Timestamped


class Author(models.Model):
    name = models.CharField(max_length=200, unique=True)
    # Filled by `save()`; who calls `bulk_create()` gives it.
    sort_name = models.CharField(max_length=200, blank=True, editable=False)
    slug = models.SlugField(max_length=200, unique=True)
    country = models.CharField(max_length=100, blank=True)
    born = models.SmallIntegerField("year of birth", null=True, blank=True)
    died = models.SmallIntegerField("year of death", null=True, blank=True)
    # Symmetrical, as for every relation to "self" without a through model: who got letters also wrote some.
    correspondents = models.ManyToManyField("self", blank=True)
    # Named by text: `reviews` knows the catalogue, and deleting an author has to delete what was said of them.
    reviews = GenericRelation("reviews.Review", related_query_name="author")
    taggings = GenericRelation("reviews.Tagging", related_query_name="author")

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(Lower("sort_name"), name="author_sort_name_lower")]
        constraints = [
            models.CheckConstraint(
                name="author_died_after_birth",
                condition=Q(born__isnull=True) | Q(died__isnull=True) | Q(died__gte=F("born")),
                violation_error_message=_("An author cannot die before being born."),
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.sort_name = sort_name(self.name)
        if kwargs.get("update_fields") and "name" in kwargs["update_fields"]:
            kwargs["update_fields"] = {"sort_name", *kwargs["update_fields"]}
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("storefront:author", args=[self.slug])


class Publisher(models.Model):
    name = models.CharField(max_length=200, unique=True)
    city = models.CharField(max_length=100, blank=True)
    founded = models.SmallIntegerField("year of foundation", null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Genre(models.Model):
    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("storefront:genre", args=[self.slug])


class Book(models.Model):
    """A title in the catalogue. How many copies are on the shelf is the business of `orders.Stock`."""

    title = models.CharField(max_length=300)
    slug = models.SlugField(max_length=300, unique=True)
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="books")
    # The house that first printed it; often nobody knows.
    publisher = models.ForeignKey(Publisher, on_delete=models.SET_NULL, null=True, blank=True, related_name="books")
    genres = models.ManyToManyField(Genre, related_name="books", blank=True)
    published = models.SmallIntegerField("year of first publication", null=True, blank=True)
    decade = models.GeneratedField(
        expression=F("published") / 10 * 10, output_field=models.SmallIntegerField(), db_persist=True
    )
    language = models.CharField(max_length=50, default="English")
    pages = models.PositiveSmallIntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=6, decimal_places=2)
    rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True, help_text="0 to 5")
    in_print = models.BooleanField(db_default=True)
    added = models.DateTimeField(db_default=Now(), editable=False)
    description = models.TextField(blank=True)
    isbn = ISBNField("ISBN", null=True, blank=True, unique=True)
    sequel_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="sequels")
    contributors = models.ManyToManyField("Contributor", through="Contribution", related_name="books", blank=True)
    reviews = GenericRelation("reviews.Review", related_query_name="book")
    taggings = GenericRelation("reviews.Tagging", related_query_name="book")

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["title", "author"], name="book_title_unique_per_author"),
            models.CheckConstraint(name="book_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(
                name="book_rating_from_0_to_5",
                condition=Q(rating__isnull=True) | Q(rating__gte=0, rating__lte=5),
            ),
            models.CheckConstraint(
                name="book_not_its_own_sequel",
                condition=Q(sequel_to__isnull=True) | ~Q(sequel_to=F("id")),
                violation_error_message=_("A book cannot be the sequel to itself."),
            ),
        ]
        indexes = [
            models.Index(fields=["published"], name="book_published"),
            models.Index(fields=["price"], name="book_in_print_price", condition=Q(in_print=True)),
        ]
        permissions = [("change_price", "Can change the price of a book")]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("storefront:book", args=[self.slug])

    def price_on(self, day):
        """What the book cost on that day, or None where it was not for sale yet."""
        return self.price_changes.valid_on(day).values_list("price", flat=True).first()


class AudioBook(Book):
    """A title that the shop also sells as a recording: a row here, and the row of the book, joined by its key.

    The child, not `Book(Product)` under a parent with every price: recordings are few and books are many, and so the
    join is paid by who asks for recordings; below a common parent every list of books would be one. Whoever needs no
    more than the book asks `Book`, and gets both kinds. `delete()` deletes the book as well, unless
    `keep_parents=True`. Generic relations are inherited, but look for rows about the content type of recordings: ask
    the book for its reviews.

    https://docs.djangoproject.com/en/stable/topics/db/models/#multi-table-inheritance
    """

    narrator = models.CharField(max_length=200)
    minutes = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "audio book"
        constraints = [models.CheckConstraint(name="audiobook_minutes_positive", condition=Q(minutes__gt=0))]

    @property
    def duration(self):
        """Hours and minutes: 11:35."""
        return f"{self.minutes // 60}:{self.minutes % 60:02}"


class Classic(Book):
    """The books that were already old when the shop's grandmother opened it: same table, other rows, other order.

    https://docs.djangoproject.com/en/stable/topics/db/models/#proxy-models
    """

    objects = ClassicManager()

    class Meta:
        proxy = True
        ordering = ["published", "title"]


class PriceChange(models.Model):
    """What a book costs from a day on. A book has one price a day: together the two are the key.

    The admin site does not take models with a composite key.

    https://docs.djangoproject.com/en/stable/topics/composite-primary-key/
    """

    pk = models.CompositePrimaryKey("book_id", "valid_from")
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="price_changes")
    valid_from = models.DateField()
    price = models.DecimalField(max_digits=6, decimal_places=2)

    objects = PriceChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "price change"
        ordering = ["book_id", "valid_from"]
        get_latest_by = "valid_from"
        constraints = [models.CheckConstraint(name="pricechange_price_not_negative", condition=Q(price__gte=0))]

    def __str__(self):
        return f"{self.price} from {self.valid_from}"


class Contributor(Timestamped):
    """Who worked on a book and did not write it."""

    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100)

    class Meta(Timestamped.Meta):
        ordering = ["family_name", "given_name"]
        constraints = [
            models.UniqueConstraint(
                Lower("family_name"),
                Lower("given_name"),
                name="contributor_unique_name",
                violation_error_message=_("There is somebody of this name already, perhaps with other capitals."),
            ),
        ]

    def __str__(self):
        return f"{self.given_name} {self.family_name}".strip()


class Contribution(Timestamped):
    """Who did what for which book: a many-to-many relation that has something to say itself."""

    class Role(models.TextChoices):
        TRANSLATOR = "translator", _("Translator")
        ILLUSTRATOR = "illustrator", _("Illustrator")
        EDITOR = "editor", _("Editor")

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="contributions")
    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="contributions")
    role = models.CharField(max_length=11, choices=Role)
    volume = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty for the whole book.")

    objects = ContributionQuerySet.as_manager()

    class Meta(Timestamped.Meta):
        ordering = ["book_id", "volume", "pk"]
        constraints = [
            # NULL is unlike NULL, so that the four columns alone would let the whole book be translated twice.
            # `nulls_distinct=False` says so directly, and is for PostgreSQL 15 and later only.
            models.UniqueConstraint(
                F("book"), F("contributor"), F("role"), Coalesce("volume", 0), name="contribution_unique"
            ),
        ]

    def __str__(self):
        return f"{self.contributor} ({self.get_role_display().lower()})"


class Excerpt(Timestamped):
    """The first pages of a book, to read before buying. A table of its own: few books have one.

    https://docs.djangoproject.com/en/stable/topics/http/file-uploads/
    """

    book = models.OneToOneField(Book, on_delete=models.CASCADE, related_name="excerpt")
    file = models.FileField(
        upload_to=excerpt_path,
        validators=[FileExtensionValidator(list(CONTENT_TYPES)), validate_size, validate_content],
        help_text="A PDF or a text in UTF-8, at most 1 MB.",
    )

    def __str__(self):
        return _("Excerpt of %(title)s") % {"title": self.book.title}

    def get_absolute_url(self):
        return reverse("storefront:excerpt", args=[self.book.slug])
