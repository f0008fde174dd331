from django.apps import AppConfig, apps
from django.core.signals import got_request_exception, request_finished, request_started, setting_changed
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class StorefrontConfig(AppConfig):
    name = "storefront"

    def ready(self):
        from .middleware import watch

        connection_created.connect(watch, dispatch_uid="storefront.middleware.watch")
        self._connect_receivers()

    def _connect_receivers(self):
        from catalog.signals import prices_changed

        from . import checks, receivers  # noqa: F401 - the checks register themselves
        from .traffic import traffic

        receivers.connect()
        prices_changed.connect(receivers.outdate_prices, dispatch_uid="storefront.outdate_prices")
        # Sent for each app that has models, which this one has not. Once is enough.
        catalog = apps.get_app_config("catalog")
        post_migrate.connect(receivers.outdate_all, sender=catalog, dispatch_uid="storefront.outdate_all")
        setting_changed.connect(receivers.forget_policy, dispatch_uid="storefront.forget_policy")
        request_started.connect(traffic.begin, dispatch_uid="storefront.traffic.begin")
        request_finished.connect(traffic.end, dispatch_uid="storefront.traffic.end")
        got_request_exception.connect(traffic.fail, dispatch_uid="storefront.traffic.fail")
