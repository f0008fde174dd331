from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from .deletion import DB_CASCADE, DB_SET_NULL


class User(AbstractUser):
    """The shop's own user, from the first migration on: a project can hardly change `AUTH_USER_MODEL` later.

    https://docs.djangoproject.com/en/stable/topics/auth/customizing/#using-a-custom-user-model-when-starting-a-project
    """


class Profile(models.Model):
    """What the shop knows of a customer beside the login. A user may have none."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    city = models.CharField(max_length=100, blank=True)
    born = models.DateField(null=True, blank=True)
    newsletter = models.BooleanField(default=False)

    def __str__(self):
        return f"{self.user.username} of {self.city}" if self.city else self.user.username


class Campaign(models.Model):
    """A newsletter that went out, with a link to the shop."""

    name = models.CharField(max_length=100, unique=True)
    sent_on = models.DateField()

    class Meta:
        ordering = ["-sent_on"]
        get_latest_by = "sent_on"

    def __str__(self):
        return self.name


class VisitQuerySet(models.QuerySet):
    def from_campaigns(self):
        return self.filter(campaign__isnull=False)

    def on(self, day):
        return self.filter(at__date=day)


class Visit(models.Model):
    """A customer came by. There are far more visits than anything else, and nothing hangs on them.

    So the database deletes them with their user, and no Python reads them first: no signal is sent. All relations of
    such a model are alike, and it can only point at models that are not themselves deleted by Python.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=DB_CASCADE, related_name="visits")
    campaign = models.ForeignKey(Campaign, on_delete=DB_SET_NULL, null=True, blank=True, related_name="visits")
    at = models.DateTimeField(default=timezone.now)

    objects = VisitQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        get_latest_by = "at"
        # Nobody writes or edits the past.
        default_permissions = ("view", "delete")

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M}"
