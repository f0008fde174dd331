from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import DecimalField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import ngettext

from catalog.admin import BookAdmin
from catalog.models import Book

from .checkout import cancel_order
from .exceptions import NotCancellable
from .forms import OrderLineFormSet, StockForm
from .models import BookSales, Invoice, OpenOrder, Order, OrderLine, Payment, Stock
from .turnover import by_month, years


class OrderLineInline(admin.TabularInline):
    """Lines can be added, and are sold thereby. Those that were sold stay as they were."""

    model = OrderLine
    formset = OrderLineFormSet
    fields = ["book", "quantity", "unit_price", "amount"]
    readonly_fields = ["amount"]
    autocomplete_fields = ["book"]
    extra = 0
    can_delete = False

    def has_change_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        # Each row shows its book: without the join that is a query per row.
        return super().get_queryset(request).select_related("book", "order")


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Booksellers work on orders until these are finished. The others are for those who may delete orders."""

    list_display = ["number", "customer", "status", "placed_at", "shipped_at", "amount"]
    list_select_related = ["customer"]
    list_filter = ["status", "placed_at"]
    search_fields = ["number", "customer__username", "customer__last_name", "lines__book__title"]
    search_help_text = "Number, customer or a title in it"
    date_hierarchy = "placed_at"
    fields = ["number", "customer", "status", "placed_at", "shipped_at", "note"]
    autocomplete_fields = ["customer"]
    inlines = [OrderLineInline]
    actions = ["ship", "cancel"]

    def get_queryset(self, request):
        # Not `Sum("lines__amount")`: a search for a title joins the lines once more, and would count each amount as
        # often as the order has lines. A subquery is also worked out for the rows of the page alone.
        lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
        total = Subquery(lines.annotate(total=Sum("amount")).values("total"))
        return super().get_queryset(request).annotate(amount=Coalesce(total, 0, output_field=DecimalField()))

    @admin.display(ordering="amount")
    def amount(self, order):
        return f"{order.amount:.2f}"

    def get_object(self, request, object_id, from_field=None):
        """Locked, where it is about to be saved: else a customer might cancel it meanwhile, and it be open again."""
        order = super().get_object(request, object_id, from_field)
        if order and request.method == "POST" and connection.in_atomic_block:
            # Locked first and read then: what is saved is the row as it is once nobody else has it.
            Order.objects.select_for_update().get(pk=order.pk)
            order = super().get_object(request, object_id, from_field)
        return order

    def has_change_permission(self, request, obj=None):
        """Without an order: whether any may be changed, as for the list. With one: whether this one may."""
        if not super().has_change_permission(request, obj):
            return False
        unfinished = obj is None or obj.status in (Order.Status.OPEN, Order.Status.PAID)
        return unfinished or request.user.has_perm("orders.delete_order")

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        if obj is None:
            return fields
        # By now they are on paper. And what was cancelled stays so: its copies are on the shelf again.
        final = ["status"] if obj.status == Order.Status.CANCELLED else []
        return [*fields, "number", "customer", "placed_at", *final]

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "status":
            # Cancelling puts copies back: it is an action, not a choice.
            kwargs["choices"] = [choice for choice in Order.Status.choices if choice[0] != Order.Status.CANCELLED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        # Who says that it was shipped need not say when.
        if obj.status == Order.Status.SHIPPED and obj.shipped_at is None:
            obj.shipped_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.action(description="Ship the selected orders that are paid", permissions=["change"])
    def ship(self, request, orders):
        """One UPDATE, however many they are.

        Shipping has no rule that differs between orders, and nobody listens to the saving of an order: what `save()`
        would add is a query for each. The rows are locked first, so that what is logged and reported is what happened.
        """
        with transaction.atomic():
            # By their keys: with a search, the list's own query has DISTINCT, and cannot lock rows.
            chosen = Order.objects.filter(pk__in=list(orders.values_list("pk", flat=True)))
            paid = list(chosen.select_for_update().filter(status=Order.Status.PAID))
            shipped = Order.objects.filter(pk__in=[order.pk for order in paid]).update(
                status=Order.Status.SHIPPED, shipped_at=timezone.now()
            )
            LogEntry.objects.log_actions(
                request.user.pk, paid, CHANGE, [{"changed": {"fields": ["Status", "Shipped at"]}}]
            )
            left = chosen.count() - shipped
        if shipped:
            text = ngettext("%d order is shipped.", "%d orders are shipped.", shipped)
            self.message_user(request, text % shipped, messages.SUCCESS)
        if left:
            text = ngettext("%d order was not paid, and stays.", "%d orders were not paid, and stay.", left)
            self.message_user(request, text % left, messages.WARNING)

    def has_cancel_permission(self, request):
        return request.user.has_perm("orders.cancel_order")

    @admin.action(description="Cancel the selected orders …", permissions=["cancel"])
    def cancel(self, request, orders):
        """Ask first; then order by order, through `cancel_order()`: each has its lock, its books and its `save()`."""
        orders = list(orders.select_related(None).select_related("customer").prefetch_related("lines__book"))
        if request.POST.get("confirmed") == "yes":
            cancelled, kept = [], []
            for order in orders:
                try:
                    cancelled.append(cancel_order(order))
                except NotCancellable:
                    kept.append(order)
            LogEntry.objects.log_actions(request.user.pk, cancelled, CHANGE, [{"changed": {"fields": ["Status"]}}])
            if cancelled:
                text = ngettext("%d order is cancelled.", "%d orders are cancelled.", len(cancelled))
                self.message_user(request, text % len(cancelled), messages.SUCCESS)
            if kept:
                numbers = ", ".join(order.number for order in kept)
                self.message_user(
                    request, f"Shipped or cancelled before, and left alone: {numbers}.", messages.WARNING
                )
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Cancel orders",
            "opts": self.opts,
            "orders": orders,
            "media": self.media,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/orders/cancel.html", context)


@admin.register(OpenOrder)
class OpenOrderAdmin(OrderAdmin):
    """The packing table's page. Its permissions are those of the proxy: to look and to change, for staff.

    There are none to add or to delete. A superuser has all there could be, so it is said here too.
    """

    list_filter = ["status"]
    inlines = []

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class PaymentInline(admin.TabularInline):
    """What came in so far. New money is booked on the page of payments, where it may belong to no invoice."""

    model = Payment
    fields = ["method", "received_on", "amount"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    """Booksellers see the invoices that they issued, and issue them in their own name; managers see all.

    The rows are left out in `get_queryset()`: so they are missing from the list, from searches, from the choices of
    other pages and from their own addresses alike.
    """

    list_display = ["number", "order", "issued_by", "issued_on", "amount", "received", "is_paid"]
    list_select_related = ["order", "issued_by"]
    search_fields = ["number"]
    date_hierarchy = "issued_on"
    autocomplete_fields = ["order", "issued_by"]
    # Counting forgets the model's ordering: see `BookCounting` in the catalogue.
    ordering = ["number"]
    inlines = [PaymentInline]

    def get_queryset(self, request):
        invoices = super().get_queryset(request).annotate(received=Sum("payments__amount", default=0))
        return invoices if self.sees_all(request) else invoices.filter(issued_by=request.user)

    @admin.display(ordering="received")
    def received(self, invoice):
        return f"{invoice.received:.2f}"

    @admin.display(boolean=True, description="paid")
    def is_paid(self, invoice):
        return invoice.received >= invoice.amount

    def sees_all(self, request):
        return request.user.has_perm("orders.change_invoice")

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        return fields if self.sees_all(request) else [*fields, "issued_by"]

    def save_model(self, request, obj, form, change):
        if not change and not self.sees_all(request):
            obj.issued_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    list_display = ["order", "invoice", "method", "received_on", "amount"]
    list_select_related = ["order", "invoice"]
    list_filter = ["method"]
    search_fields = ["order__number", "invoice__number"]
    date_hierarchy = "received_on"
    autocomplete_fields = ["order", "invoice"]


@admin.register(BookSales)
class BookSalesAdmin(admin.ModelAdmin):
    """A page to look at: a view of the database cannot be written, and there is only a permission to see it."""

    list_display = ["book", "copies", "orders", "revenue"]
    list_select_related = ["book"]
    search_fields = ["book__title"]
    change_list_template = "admin/orders/booksales/change_list.html"

    def get_urls(self):
        # Before those of Django, whose last one takes whatever is left for a key.
        return [
            path("report/", self.admin_site.admin_view(self.report), name="orders_booksales_report"),
            *super().get_urls(),
        ]

    def report(self, request):
        """The turnover of a year. `admin_view()` asks for staff; that not all staff may see it is said here.

        https://docs.djangoproject.com/en/stable/ref/contrib/admin/#django.contrib.admin.ModelAdmin.get_urls
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        choices = years()
        # Looked up, not converted: what was asked may be no number, or one of five thousand digits.
        year = {str(choice): choice for choice in choices}.get(request.GET.get("year"), next(iter(choices), None))
        months = list(by_month(year)) if year else []
        context = {
            **self.admin_site.each_context(request),
            "title": f"Turnover of {year}" if year else "Turnover",
            "opts": self.opts,
            "years": choices,
            "year": year,
            "months": months,
            "total": {column: sum(row[column] for row in months) for column in ("orders", "copies", "revenue")},
        }
        return TemplateResponse(request, "admin/orders/booksales/report.html", context)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("orders.view_booksales")


class SupplyFilter(admin.SimpleListFilter):
    """What the shelf holds. Not to have a row is another thing than to have none left."""

    title = "supply"
    parameter_name = "supply"
    LOW = 5

    def lookups(self, request, model_admin):
        return [("plenty", "Plenty"), ("low", f"{self.LOW} or fewer"), ("out", "Sold out"), ("never", "Never kept")]

    def queryset(self, request, queryset):
        conditions = {
            "plenty": {"stock__quantity__gt": self.LOW},
            "low": {"stock__quantity__range": (1, self.LOW)},
            "out": {"stock__quantity": 0},
            "never": {"stock__isnull": True},
        }
        return queryset.filter(**conditions.get(self.value(), {}))


class StockInline(admin.TabularInline):
    """Copies on the shelf. While somebody edits the book, the shop goes on selling: see `StockForm`."""

    model = Stock
    form = StockForm
    can_delete = False

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        # Locked until the page is saved, so that nobody buys between the comparison with what was shown and the save.
        return rows.select_for_update() if request.method == "POST" else rows


# The catalogue knows nothing of stock, so the column and the inline are added to its page from here.
admin.site.unregister(Book)


@admin.register(Book)
class StockedBookAdmin(BookAdmin):
    list_display = [*BookAdmin.list_display, "copies"]
    list_select_related = [*BookAdmin.list_select_related, "stock"]
    list_filter = [SupplyFilter, *BookAdmin.list_filter]
    inlines = [*BookAdmin.inlines, StockInline]

    @admin.display(ordering="stock__quantity")
    def copies(self, book):
        return book.stock.quantity if hasattr(book, "stock") else None
