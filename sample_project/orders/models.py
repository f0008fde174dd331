from django.conf import settings
from django.db import models
from django.db.models import F, Q

from catalog.models import Book


class OrderQuerySet(models.QuerySet):
    def placed_in(self, year):
        return self.filter(placed_at__year=year)

    def completed(self):
        """Orders that brought money: paid or shipped."""
        return self.filter(status__in=[Order.Status.PAID, Order.Status.SHIPPED])


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        SHIPPED = "shipped", "Shipped"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=20, unique=True, help_text="Year and serial number: 2026-000123")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    placed_at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="order_shipped_after_placed",
                condition=Q(shipped_at__isnull=True) | Q(shipped_at__gte=F("placed_at")),
            ),
        ]
        indexes = [models.Index(fields=["status", "placed_at"], name="order_status_placed")]

    def __str__(self):
        return self.number

    @property
    def total(self):
        """The sum of the lines. It reads every line: prefetch `lines` when you list orders."""
        return sum(line.amount for line in self.lines.all())


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="lines")
    quantity = models.PositiveSmallIntegerField(default=1)
    # The price on the day of sale: the book's own may change later.
    unit_price = models.DecimalField(max_digits=6, decimal_places=2)
    amount = models.GeneratedField(
        expression=F("quantity") * F("unit_price"),
        output_field=models.DecimalField(max_digits=9, decimal_places=2),
        db_persist=True,
    )

    class Meta:
        # By the column: naming the relation would sort by the ordering of orders, with a join.
        ordering = ["order_id", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "book"], name="orderline_book_once_per_order"),
            models.CheckConstraint(name="orderline_quantity_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.book.title}"


class Stock(models.Model):
    """Copies on the shelf, apart from the book: it changes with every sale, the book hardly ever."""

    book = models.OneToOneField(Book, on_delete=models.CASCADE, primary_key=True, related_name="stock")
    quantity = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "stock"
        constraints = [models.CheckConstraint(name="stock_not_negative", condition=Q(quantity__gte=0))]

    def __str__(self):
        return f"{self.book.title}: {self.quantity}"
