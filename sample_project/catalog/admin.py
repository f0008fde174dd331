from django.contrib import admin
from django.db.models import Count

from .models import Author, Book, Genre, Publisher


class BookCounting:
    """A sortable column with the number of books, counted by the list's own query instead of one query per row."""

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(book_count=Count("books"))

    @admin.display(description="books", ordering="book_count")
    def book_count(self, row):
        return row.book_count


@admin.register(Author)
class AuthorAdmin(BookCounting, admin.ModelAdmin):
    list_display = ["name", "country", "born", "died", "book_count"]
    list_filter = ["country"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Publisher)
class PublisherAdmin(BookCounting, admin.ModelAdmin):
    list_display = ["name", "city", "founded", "book_count"]
    list_filter = ["city"]
    search_fields = ["name", "city"]


@admin.register(Genre)
class GenreAdmin(BookCounting, admin.ModelAdmin):
    list_display = ["name", "book_count"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "publisher", "published", "price", "rating", "in_print"]
    list_select_related = ["author", "publisher"]
    list_filter = ["in_print", "genres", "language", "decade"]
    search_fields = ["title", "author__name"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["author", "publisher"]
    filter_horizontal = ["genres"]
    readonly_fields = ["decade", "added"]
