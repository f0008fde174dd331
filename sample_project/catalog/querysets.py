from django.db import models


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
