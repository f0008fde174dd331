from django.db import models
from django.utils import timezone


class Timestamped(models.Model):
    """Abstract: two columns in the table of each heir, no table of its own, nothing to join.

    Not `auto_now`: that overwrites whatever an import brings along, and `save(update_fields=["text"])` forgets it.
    Like every `save()`, this one is not called by `update()` and `bulk_update()`.

    https://docs.djangoproject.com/en/stable/topics/db/models/#abstract-base-classes
    """

    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        get_latest_by = "created"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            self.updated = timezone.now()
            if kwargs.get("update_fields"):
                kwargs["update_fields"] = {"updated", *kwargs["update_fields"]}
        super().save(*args, **kwargs)
