from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from .querysets import BookQuerySet


class Author(models.Model):
    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=200, unique=True)
    country = models.CharField(max_length=100, blank=True)
    born = models.SmallIntegerField("year of birth", null=True, blank=True)
    died = models.SmallIntegerField("year of death", null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="author_died_after_birth",
                condition=Q(born__isnull=True) | Q(died__isnull=True) | Q(died__gte=F("born")),
                violation_error_message="An author cannot die before being born.",
            ),
        ]

    def __str__(self):
        return self.name

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
        ]
        indexes = [
            models.Index(fields=["published"], name="book_published"),
            models.Index(fields=["price"], name="book_in_print_price", condition=Q(in_print=True)),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("storefront:book", args=[self.slug])
