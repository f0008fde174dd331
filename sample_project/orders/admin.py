from django.contrib import admin
from django.db.models import Sum

from catalog.admin import BookAdmin
from catalog.models import Book

from .models import BookSales, Invoice, OpenOrder, Order, OrderLine, Payment, Stock


class OrderLineInline(admin.TabularInline):
    """Lines can be added. Those that were sold stay as they were."""

    model = OrderLine
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
    list_display = ["number", "customer", "status", "placed_at", "shipped_at", "amount"]
    list_select_related = ["customer"]
    list_filter = ["status", "placed_at"]
    search_fields = ["number", "customer__username", "customer__last_name"]
    date_hierarchy = "placed_at"
    autocomplete_fields = ["customer"]
    inlines = [OrderLineInline]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(amount=Sum("lines__amount", default=0))

    @admin.display(ordering="amount")
    def amount(self, order):
        return f"{order.amount:.2f}"


@admin.register(OpenOrder)
class OpenOrderAdmin(OrderAdmin):
    """The packing table's page. Its permissions are those of the proxy: to look and to change, for staff."""

    list_filter = ["status"]
    inlines = []


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
    list_display = ["number", "order", "issued_by", "issued_on", "amount", "received"]
    list_select_related = ["order", "issued_by"]
    search_fields = ["number"]
    date_hierarchy = "issued_on"
    autocomplete_fields = ["order", "issued_by"]
    inlines = [PaymentInline]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(received=Sum("payments__amount", default=0))

    @admin.display(ordering="received")
    def received(self, invoice):
        return f"{invoice.received:.2f}"


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

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("orders.view_booksales")


class StockInline(admin.TabularInline):
    model = Stock
    can_delete = False


# The catalogue knows nothing of stock, so the column and the inline are added to its page from here.
admin.site.unregister(Book)


@admin.register(Book)
class StockedBookAdmin(BookAdmin):
    list_display = [*BookAdmin.list_display, "copies"]
    list_select_related = [*BookAdmin.list_select_related, "stock"]
    inlines = [*BookAdmin.inlines, StockInline]

    @admin.display(ordering="stock__quantity")
    def copies(self, book):
        return book.stock.quantity if hasattr(book, "stock") else None
