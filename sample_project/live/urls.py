from django.urls import path

from . import views

app_name = "live"
urlpatterns = [
    path("", views.stock, name="stock"),
    path("stock.json", views.stock_json, name="stock-json"),
    path("restock/", views.restock_book, name="restock"),
    path("events/", views.events, name="events"),
    path("order-lines.csv", views.order_lines, name="order-lines"),
    path("availability/<slug:slug>/", views.AvailabilityAtOnceView.as_view(), name="availability"),
    path("availability/<slug:slug>/in-turn/", views.AvailabilityInTurnView.as_view(), name="availability-in-turn"),
]
