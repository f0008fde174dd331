"""What the shop does when an order or a stock is saved."""

from django.db import transaction

from .models import Stock
from .signals import stock_changed


def tell_stock(sender, instance, raw, using, update_fields, **kwargs):
    """Send `stock_changed` when somebody saves a stock: in the admin site, in a delivery.

    `update()`, `bulk_create()` and `bulk_update()` save nothing, as Django sees it, and send no `post_save`: whoever
    uses them sends `stock_changed`, as `checkout` does. Rows from a fixture (`raw`) come before those they refer to,
    and are no news.

    https://docs.djangoproject.com/en/stable/ref/signals/#post-save
    """
    if raw or (update_fields is not None and "quantity" not in update_fields):
        return
    if hasattr(instance.quantity, "resolve_expression"):
        # `stock.quantity = F("quantity") - 1`: what came of it, the database knows, and asking would be a query.
        return
    quantities = {instance.pk: Stock._meta.get_field("quantity").to_python(instance.quantity)}
    # Not at once: the transaction may yet be undone, and what others do about it is not the business of this one.
    # A lambda and not a `partial`: should it fail, Django 5.2 asks for its name, which the latter has not.
    transaction.on_commit(
        lambda: stock_changed.send_robust(sender=Stock, quantities=quantities), using=using, robust=True
    )
