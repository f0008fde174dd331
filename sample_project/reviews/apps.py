from django.apps import AppConfig
from django.db.models.signals import post_migrate


def keep_the_last_group(sender, using, **kwargs):
    """The group that tags fall into must exist in every database, also after `flush`: a migration would run once."""
    from .models import TagGroup

    group, created = TagGroup.objects.using(using).get_or_create(pk=TagGroup.OTHER, defaults={"name": "Other"})
    if created:
        # The key was given, and not every database sees that.
        from django.core.management.color import no_style
        from django.db import connections

        connection = connections[using]
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [TagGroup]):
                cursor.execute(statement)


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self):
        post_migrate.connect(keep_the_last_group, sender=self)
