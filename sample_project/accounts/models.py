from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


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
