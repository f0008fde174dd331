from django.contrib import admin
from django.db.models import Count

from .models import AudioBook, Author, Book, Classic, Contribution, Contributor, Genre, Publisher


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
    autocomplete_fields = ["correspondents"]


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


class ContributionInline(admin.TabularInline):
    """Contributions are added and removed. A field to edit each would ask the database for its choices each time."""

    model = Contribution
    autocomplete_fields = ["contributor"]
    extra = 0

    def has_change_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contributor", "book")


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "publisher", "published", "price", "rating", "in_print"]
    list_select_related = ["author", "publisher"]
    list_filter = ["in_print", "genres", "language", "decade"]
    search_fields = ["title", "author__name"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["author", "publisher", "sequel_to"]
    filter_horizontal = ["genres"]
    readonly_fields = ["decade", "added"]
    inlines = [ContributionInline]


@admin.register(AudioBook)
class AudioBookAdmin(BookAdmin):
    list_display = ["title", "author", "narrator", "duration"]
    list_select_related = ["author"]
    search_fields = [*BookAdmin.search_fields, "narrator"]
    # Of `Book`, not of the recording: they are looked after there.
    inlines = []


@admin.register(Classic)
class ClassicAdmin(BookAdmin):
    """The proxy's own manager decides what is listed, and its ordering in which order."""

    list_display = ["title", "author", "published", "language", "price"]
    list_select_related = ["author"]
    list_filter = ["language"]


@admin.register(Contributor)
class ContributorAdmin(admin.ModelAdmin):
    list_display = ["family_name", "given_name", "contribution_count"]
    search_fields = ["family_name", "given_name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(contribution_count=Count("contributions"))

    @admin.display(description="contributions", ordering="contribution_count")
    def contribution_count(self, contributor):
        return contributor.contribution_count
