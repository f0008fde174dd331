from django.apps import AppConfig
from django.db.models.signals import post_migrate

from .groups import keep_groups


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        # No sender: it is sent once for each app. Django's own receiver, which makes the permissions, was connected
        # before, as `django.contrib.auth` is installed before this app.
        post_migrate.connect(keep_groups, dispatch_uid="accounts.groups.keep_groups")
