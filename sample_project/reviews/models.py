from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.timestamps import Timestamped

from .querysets import AboutQuerySet, LiveReviewManager, ReviewQuerySet


class About(models.Model):
    """Abstract: the pair of columns that can point at a row of any model.

    The database cannot keep such a pair right: there is no foreign key over two columns that name a table. What has a
    `GenericRelation` takes these rows with it when it is deleted; what has none leaves them behind.

    https://docs.djangoproject.com/en/stable/ref/contrib/contenttypes/#generic-relations
    """

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    thing = GenericForeignKey("content_type", "object_id")

    class Meta:
        abstract = True


def lacks_reason(stars: int | None, text: str | None) -> bool:
    """Whether a review is so bad that it has to say why, and does not."""
    return stars is not None and stars <= 2 and not (text or "").strip()


class Review(About, Timestamped):
    """What a customer thinks of a book or an author.

    Deleting withdraws: the row stays, with the time, for whoever has to settle a dispute, and the customer may write
    another. `Review.objects` hides such rows, `Review.everything` has them.

    The first manager is the default one, so generic relations, the admin site, forms and `dumpdata` (without `--all`)
    see live reviews only. The base manager stays Django's plain one: `refresh_from_db()`, `save()`, foreign keys
    pointing here and the deletion of a book have to find withdrawn rows as well.

    https://docs.djangoproject.com/en/stable/topics/db/managers/#base-managers
    """

    # What was said stays when the account goes.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="reviews"
    )
    stars = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True)
    withdrawn = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LiveReviewManager()
    everything = models.Manager.from_queryset(ReviewQuerySet)()

    class Meta(Timestamped.Meta):
        ordering = ["-created", "-pk"]
        indexes = [
            # The kind first: every question names it, and few name the thing alone.
            models.Index(fields=["content_type", "object_id"], name="review_about"),
        ]
        constraints = [
            models.CheckConstraint(name="review_1_to_5_stars", condition=Q(stars__gte=1, stars__lte=5)),
            models.UniqueConstraint(
                fields=["reviewer", "content_type", "object_id"],
                condition=Q(withdrawn__isnull=True),
                name="review_one_live_per_reviewer",
                violation_error_message=_("You have reviewed this already. Withdraw that review first."),
            ),
        ]
        permissions = [("restore_review", "Can bring back withdrawn reviews")]

    def __str__(self):
        return f"{self.stars} of 5 stars"

    def delete(self, using=None, keep_parents=False):
        """Withdraw the review; the second time changes nothing. Returns what `Model.delete()` returns."""
        if self.withdrawn:
            return 0, {}
        self.withdrawn = timezone.now()
        self.save(using=using, update_fields=["withdrawn"])
        return 1, {self._meta.label: 1}

    delete.alters_data = True

    def may_be_restored(self):
        """Whether the reviewer has said nothing else about the same thing since."""
        same = {"reviewer": self.reviewer_id, "content_type": self.content_type_id, "object_id": self.object_id}
        return self.reviewer_id is None or not Review.objects.filter(**same).exclude(pk=self.pk).exists()

    def restore(self):
        """Make the review visible again; IntegrityError where its reviewer has written another since."""
        self.withdrawn = None
        self.save(update_fields=["withdrawn"])

    restore.alters_data = True

    def hard_delete(self, using=None):
        """Delete the row for good."""
        return super().delete(using=using)

    hard_delete.alters_data = True


class TagGroup(models.Model):
    """A drawer of tags. The tags of a drawer that is thrown away fall into "Other"."""

    # The key of the group that `reviews.apps` keeps in every database.
    OTHER = 1

    name = models.CharField(max_length=100, unique=True)

    class Meta:
        verbose_name = "group of tags"
        verbose_name_plural = "groups of tags"
        ordering = ["name"]

    def __str__(self):
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=100)
    group = models.ForeignKey(TagGroup, on_delete=models.SET_DEFAULT, default=TagGroup.OTHER, related_name="tags")

    class Meta:
        ordering = ["name"]
        constraints = [
            # "Love" and "love" are one tag. An index over an expression, on every database that the shop runs on.
            models.UniqueConstraint(
                Lower("name"), name="tag_unique_name", violation_error_message=_("There is such a tag already.")
            ),
        ]

    def __str__(self):
        return self.name


class Tagging(About):
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings")

    objects = AboutQuerySet.as_manager()

    class Meta:
        # Whoever may edit tags may use them.
        default_permissions = ()
        ordering = ["pk"]
        indexes = [models.Index(fields=["content_type", "object_id"], name="tagging_about")]
        constraints = [
            models.UniqueConstraint(fields=["tag", "content_type", "object_id"], name="tagging_once_per_thing"),
        ]

    def __str__(self):
        return str(self.tag)
