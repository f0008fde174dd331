from django.db import models
from django.db.models import Avg, Count, Exists, OuterRef, Q, Subquery, Sum
from django.utils.text import slugify


class BookQuerySet(models.QuerySet):
    """Questions a bookseller asks, in their words: `Book.objects.in_print().by("Jane Austen")`."""

    def in_print(self):
        return self.filter(in_print=True)

    def by(self, author_name):
        return self.filter(author__name=author_name)

    def in_genre(self, name):
        return self.filter(genres__name=name)

    def published_before(self, year):
        return self.filter(published__lt=year)

    def costing_at_most(self, price):
        return self.filter(price__lte=price)

    def never_ordered(self):
        return self.filter(lines__isnull=True)

    def matching(self, text):
        """Books whose title or author contains every word of `text`, whatever its case and accents."""
        books = self
        for word in text.split():
            found = Q(title__icontains=word) | Q(author__name__icontains=word)
            # Slugs have no accents and no capitals, so that "emile" and "ÉMILE" find Émile.
            if slug := slugify(word):
                found |= Q(slug__contains=slug) | Q(author__slug__contains=slug)
            books = books.filter(found)
        return books

    def newest(self):
        return self.order_by("-added", "pk")

    def bestselling(self):
        """The books that sold, most copies first, with the number as `sold`; cancelled orders sold nothing."""
        # A subquery per book, not a join: grouping a million joined lines by all that a book has takes twice as long.
        OrderLine = self.model.lines.rel.related_model
        lines = OrderLine.objects.filter(book=OuterRef("pk")).exclude(order__status="cancelled").order_by()
        copies = lines.values("book").annotate(copies=Sum("quantity")).values("copies")
        return self.filter(Exists(lines)).annotate(sold=Subquery(copies)).order_by("-sold", "title", "pk")

    def bought_with(self, book):
        """The other books of the orders that contain `book`, most frequent first, with the number as `together`."""
        return (
            self.filter(lines__order__lines__book=book)
            .exclude(pk=book.pk)
            .annotate(together=Count("lines__order"))
            .order_by("-together", "title", "pk")
        )

    def recorded(self):
        """The books that the shop also has as a recording."""
        return self.filter(audiobook__isnull=False)

    def translated(self):
        return self.filter(Exists(self.model.contributions.rel.related_model.objects.translations_of(OuterRef("pk"))))

    def tagged(self, name):
        return self.filter(taggings__tag__name__iexact=name)

    def with_reviews(self):
        """Annotate the number of reviews and their mean, as `review_count` and `review_average` (None without any).

        A join knows nothing of managers: that withdrawn reviews do not count has to be said again.
        """
        live = Q(reviews__withdrawn__isnull=True)
        return self.annotate(
            review_count=Count("reviews", filter=live), review_average=Avg("reviews__stars", filter=live)
        )


class ClassicManager(models.Manager.from_queryset(BookQuerySet)):
    """Books first published before 1850, or so long ago that nobody knows when."""

    LAST_YEAR = 1849

    def get_queryset(self):
        return super().get_queryset().filter(Q(published__lte=self.LAST_YEAR) | Q(published__isnull=True))


class ContributionQuerySet(models.QuerySet):
    def translations_of(self, book):
        return self.filter(role=self.model.Role.TRANSLATOR, book=book)

    def by_role(self, role):
        return self.filter(role=role)


class PriceChangeQuerySet(models.QuerySet):
    def valid_on(self, day):
        """The change that rules on that day, for each book that was for sale."""
        later = self.model._base_manager.filter(
            book=OuterRef("book"), valid_from__gt=OuterRef("valid_from"), valid_from__lte=day
        )
        return self.filter(~Exists(later), valid_from__lte=day)

    def raised(self):
        """The changes after which a book cost more than before."""
        before = (
            self.model._base_manager.filter(book=OuterRef("book"), valid_from__lt=OuterRef("valid_from"))
            .order_by("-valid_from")
            .values("price")[:1]
        )
        return self.filter(price__gt=Subquery(before))
