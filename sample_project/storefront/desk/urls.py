from django.urls import path
from django.views.generic import RedirectView

from . import views

app_name = "desk"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk:books"), name="home"),
    path("books/", views.BookListView.as_view(), name="books"),
    path("books/new/", views.BookCreateView.as_view(), name="book-create"),
    path("books.csv", views.BookExportView.as_view(), name="book-export"),
    path("books/<slug:slug>/", views.BookUpdateView.as_view(), name="book"),
    path("books/<slug:slug>/delete/", views.BookDeleteView.as_view(), name="book-delete"),
    path("books/<slug:slug>/contributions/", views.ContributionsView.as_view(), name="contributions"),
    path("books/<slug:slug>/excerpt/", views.ExcerptView.as_view(), name="excerpt"),
    path("stock/", views.StockView.as_view(), name="stock"),
]
