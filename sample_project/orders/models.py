from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Book


class OrderQuerySet(models.QuerySet):
    def placed_in(self, year):
        return self.filter(placed_at__year=year)

    def completed(self):
        """Orders that brought money: paid or shipped."""
        return self.filter(status__in=[Order.Status.PAID, Order.Status.SHIPPED])

    def unfinished(self):
        """Orders that somebody still has to do something about: neither shipped nor cancelled."""
        return self.filter(status__in=[Order.Status.OPEN, Order.Status.PAID])


class InvoiceQuerySet(models.QuerySet):
    def unpaid(self):
        """Invoices that no payment refers to."""
        return self.filter(~Exists(Payment.objects.filter(invoice=OuterRef("pk"))))


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        SHIPPED = "shipped", _("Shipped")
        CANCELLED = "cancelled", _("Cancelled")

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
        get_latest_by = "placed_at"
        permissions = [("cancel_order", "Can cancel an order")]

    def __str__(self):
        return self.number

    @property
    def total(self):
        """The sum of the lines. It reads every line: prefetch `lines` when you list orders."""
        return sum(line.amount for line in self.lines.all())


class OpenOrderManager(models.Manager.from_queryset(OrderQuerySet)):
    def get_queryset(self):
        return super().get_queryset().unfinished()


class OpenOrder(Order):
    """What is still to be done, oldest first: the table of orders, seen from the packing table.

    A proxy has permissions of its own: who packs may change these, and nothing else.
    """

    objects = OpenOrderManager()

    class Meta:
        proxy = True
        ordering = ["placed_at", "pk"]
        default_permissions = ("view", "change")


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


def former_bookseller():
    """The account that stands for booksellers who left; made when the first one leaves. Nobody can log in with it."""
    user, _ = get_user_model()._default_manager.get_or_create(
        username="former-bookseller", defaults={"is_active": False, "password": UNUSABLE_PASSWORD_PREFIX}
    )
    return user


class Invoice(models.Model):
    """Asks for the money of one order."""

    number = models.CharField(max_length=20, unique=True)
    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="invoice")
    # Somebody has to answer for an invoice, always: NULL is no answer, and neither is losing the invoice.
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET(former_bookseller), related_name="issued_invoices"
    )
    issued_on = models.DateField()
    amount = models.DecimalField(max_digits=9, decimal_places=2)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        get_latest_by = "issued_on"
        constraints = [models.CheckConstraint(name="invoice_amount_not_negative", condition=Q(amount__gte=0))]

    def __str__(self):
        return self.number


class Payment(models.Model):
    """Money that came in for an order, before its invoice or after."""

    class Method(models.TextChoices):
        CARD = "card", "Card"
        TRANSFER = "transfer", "Bank transfer"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    # RESTRICT, not PROTECT: an invoice that was paid must not be deleted by itself, but goes together with its order,
    # which takes this payment along.
    invoice = models.ForeignKey(Invoice, on_delete=models.RESTRICT, null=True, blank=True, related_name="payments")
    method = models.CharField(max_length=8, choices=Method, default=Method.CARD)
    received_on = models.DateField()
    amount = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        ordering = ["received_on", "pk"]
        get_latest_by = "received_on"
        constraints = [models.CheckConstraint(name="payment_amount_positive", condition=Q(amount__gt=0))]

    def __str__(self):
        return f"{self.amount:.2f} by {self.get_method_display().lower()}"


class BookSales(models.Model):
    """What each book sold, without cancelled orders: a view of the database, made by a migration. It can be read only.

    Books that sold nothing have no row. https://docs.djangoproject.com/en/stable/ref/models/options/#managed
    """

    # Nothing to do: a view has no rows of its own that could be left behind.
    book = models.OneToOneField(Book, on_delete=models.DO_NOTHING, primary_key=True, related_name="sales")
    copies = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    revenue = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        managed = False
        db_table = "orders_booksales"
        default_permissions = ("view",)
        verbose_name_plural = "book sales"
        ordering = ["-copies", "book_id"]

    def __str__(self):
        return f"{self.copies} × {self.book.title}"


class SentMail(models.Model):
    """What was mailed and must not be mailed again. It refers to nothing, since it outlives what it was about."""

    key = models.CharField(max_length=60, primary_key=True, help_text="What it was about: receipt:2026-000123")
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-sent_at", "key"]
        default_permissions = ("view",)
        verbose_name_plural = "sent mail"

    def __str__(self):
        return self.key
