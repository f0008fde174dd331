"""What the shop took in, month by month."""

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from .models import Order


def by_month(year: int):
    """One row for each month of the year in which something was sold: month, orders, copies, revenue. One query.

    Cancelled orders are left out, as in `BookSales`.
    """
    orders = Order.objects.placed_in(year).exclude(status=Order.Status.CANCELLED).order_by()
    return (
        orders.annotate(month=TruncMonth("placed_at"))
        .values("month")
        .annotate(
            # The lines are joined: an order occurs once for each.
            orders=Count("pk", distinct=True),
            copies=Sum("lines__quantity", default=0),
            revenue=Sum("lines__amount", default=0),
        )
        .order_by("month")
    )


def years() -> list[int]:
    """The years in which orders were placed, newest first."""
    return [day.year for day in Order.objects.dates("placed_at", "year", order="DESC")]
