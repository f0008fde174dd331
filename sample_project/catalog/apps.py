from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self):
        from django.db.models.signals import post_delete

        from .excerpts import delete_file

        post_delete.connect(delete_file, sender="catalog.Excerpt", dispatch_uid="catalog.delete_file")
