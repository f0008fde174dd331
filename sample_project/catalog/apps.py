from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, pre_migrate


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self):
        from . import excerpts, receivers

        # `ready()` may run twice in one process, as in tests; a receiver with a `dispatch_uid` is connected once.
        connection_created.connect(receivers.limit_statements, dispatch_uid="catalog.limit_statements")
        pre_migrate.connect(receivers.announce_losses, dispatch_uid="catalog.announce_losses")
        post_delete.connect(excerpts.delete_file, sender="catalog.Excerpt", dispatch_uid="catalog.delete_file")
