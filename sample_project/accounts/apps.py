from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_migrate, pre_delete, pre_save

from .groups import keep_groups


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        # No sender: it is sent once for each app. Django's own receiver, which makes the permissions, was connected
        # before, as `django.contrib.auth` is installed before this app.
        post_migrate.connect(keep_groups, dispatch_uid="accounts.groups.keep_groups")
        self._connect_receivers()

    def _connect_receivers(self):
        from . import receivers

        user = self.get_model("User")
        for signal, receiver, sender in (
            (pre_save, receivers.normalise_email, user),
            (user_logged_in, receivers.log_login, user),
            (user_logged_out, receivers.log_logout, None),
            # Nobody is the sender: who was refused is not known. Django names the module that tried.
            (user_login_failed, receivers.log_failed_login, None),
            (m2m_changed, receivers.log_rights, user.groups.through),
            (m2m_changed, receivers.log_rights, user.user_permissions.through),
            (pre_delete, receivers.log_deletion_begun, user),
            (post_delete, receivers.log_deletion, user),
        ):
            # `ready()` may run twice in one process, as in tests; with a `dispatch_uid` each is connected once.
            signal.connect(receiver, sender=sender, dispatch_uid=f"accounts.{receiver.__name__}")
