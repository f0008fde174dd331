from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone


class AboutQuerySet(models.QuerySet):
    """Rows that are about something, whatever it is."""

    def about(self, thing):
        """Rows about this book or author. A recording is asked for as the book it belongs to."""
        return self.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)

    def about_any(self, model):
        """Rows about anything of this kind: `Review.objects.about_any(Author)`."""
        return self.filter(content_type=ContentType.objects.get_for_model(model))


class ReviewQuerySet(AboutQuerySet):
    def by(self, username):
        return self.filter(reviewer__username=username)

    def anonymous(self):
        return self.filter(reviewer__isnull=True)

    def praising(self):
        return self.filter(stars__gte=4)

    def panning(self):
        return self.filter(stars__lte=2)

    def newest(self):
        return self.order_by("-created", "-pk")

    def live(self):
        return self.filter(withdrawn__isnull=True)

    def withdrawn(self):
        return self.filter(withdrawn__isnull=False)

    def delete(self):
        """Withdraw the reviews, and return how many in the form of every `delete()`. `hard_delete()` is the other."""
        count = self.live().update(withdrawn=timezone.now())
        return count, {self.model._meta.label: count} if count else {}

    # As Django's own: not on the manager, where `Review.objects.delete()` would withdraw every review.
    delete.alters_data = True
    delete.queryset_only = True

    def restore(self):
        """Bring withdrawn reviews back, and return how many."""
        return self.withdrawn().update(withdrawn=None)

    restore.alters_data = True
    restore.queryset_only = True

    def hard_delete(self):
        """Delete the rows for good."""
        return super().delete()

    hard_delete.alters_data = True
    hard_delete.queryset_only = True


class LiveReviewManager(models.Manager.from_queryset(ReviewQuerySet)):
    """Hides what was withdrawn."""

    def get_queryset(self):
        return super().get_queryset().live()
