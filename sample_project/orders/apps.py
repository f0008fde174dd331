from django.apps import AppConfig
from django.db.models.signals import post_save


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self):
        from . import receivers

        post_save.connect(receivers.tell_stock, sender="orders.Stock", dispatch_uid="orders.tell_stock")
