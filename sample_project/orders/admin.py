from django.contrib import admin
from django.db.models import Sum

from catalog.admin import BookAdmin
from catalog.models import Book

from .models import Order, OrderLine, Stock


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


class StockInline(admin.TabularInline):
    model = Stock
    can_delete = False


# The catalogue knows nothing of stock, so the column and the inline are added to its page from here.
admin.site.unregister(Book)


@admin.register(Book)
class StockedBookAdmin(BookAdmin):
    list_display = [*BookAdmin.list_display, "copies"]
    list_select_related = [*BookAdmin.list_select_related, "stock"]
    inlines = [StockInline]

    @admin.display(ordering="stock__quantity")
    def copies(self, book):
        return book.stock.quantity if hasattr(book, "stock") else None
