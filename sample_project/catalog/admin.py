from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef
from django.template.response import TemplateResponse

from .excerpts import extension
from .forms import BookForm, ExcerptForm, RepriceForm
from .models import AudioBook, Author, Book, Classic, Contribution, Contributor, Excerpt, Genre, Publisher
from .prices import change_price, record_price


class BookCounting:
    """A sortable column with the number of books, counted by the list's own query instead of one query per row.

    A query that groups rows, as counting does, forgets the model's ordering. The list brings its own, but the pages of
    an autocomplete field would come in any order: so it is said again.
    """

    ordering = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(book_count=Count("books"))

    @admin.display(description="books", ordering="book_count")
    def book_count(self, row):
        return row.book_count


class CenturyFilter(admin.SimpleListFilter):
    """By the century of a year, which no column has. Subclasses name the column with the year.

    https://docs.djangoproject.com/en/stable/ref/contrib/admin/filters/#using-a-simplelistfilter
    """

    title = "century"
    parameter_name = "century"
    CENTURIES = {"old": "Before 1700", "18": "18th", "19": "19th", "20": "20th", "none": "Nobody knows"}
    year = None

    def lookups(self, request, model_admin):
        return self.CENTURIES.items()

    def queryset(self, request, queryset):
        chosen = self.value()
        if chosen not in self.CENTURIES:
            return queryset
        if chosen == "none":
            return queryset.filter(**{f"{self.year}__isnull": True})
        if chosen == "old":
            return queryset.filter(**{f"{self.year}__lt": 1700})
        first = (int(chosen) - 1) * 100
        return queryset.filter(**{f"{self.year}__gte": first, f"{self.year}__lt": first + 100})


class BirthFilter(CenturyFilter):
    title = "century of birth"
    year = "born"


class PublicationFilter(CenturyFilter):
    title = "century of publication"
    year = "published"


@admin.register(Author)
class AuthorAdmin(BookCounting, admin.ModelAdmin):
    list_display = ["name", "country", "born", "died", "age", "book_count"]
    list_filter = [BirthFilter, "country"]
    # The numbers beside the filters are one query more for each. The table is small, and people ask.
    show_facets = admin.ShowFacets.ALWAYS
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    autocomplete_fields = ["correspondents"]

    @admin.display(description="lived about, in years", ordering=F("died") - F("born"), empty_value="unknown")
    def age(self, author):
        # By the years alone: who died before the birthday of the last year lived one less.
        return None if author.born is None or author.died is None else author.died - author.born


@admin.register(Publisher)
class PublisherAdmin(BookCounting, admin.ModelAdmin):
    """The year of foundation is mostly missing, and filled in by the dozen: in the list, without opening each page.

    Only what nobody else changes meanwhile is edited like that. The list posts every field back as it was when the
    page was loaded: copies in stock, edited here, would undo what was sold since.
    """

    list_display = ["name", "city", "founded", "book_count"]
    list_editable = ["founded"]
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
    form = BookForm
    list_display = ["title", "author", "publisher", "published", "price", "rating", "in_print", "recorded"]
    list_select_related = ["author", "publisher"]
    list_filter = ["in_print", "genres", "language", PublicationFilter, "decade"]
    search_fields = ["title", "author__name", "publisher__name"]
    search_help_text = "Words of the title, the author or the publisher"
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["author", "publisher", "sequel_to"]
    filter_horizontal = ["genres"]
    readonly_fields = ["decade", "added"]
    inlines = [ContributionInline]
    actions = ["reprice"]

    def get_queryset(self, request):
        return (
            super().get_queryset(request).annotate(recorded=Exists(AudioBook.objects.filter(book_ptr=OuterRef("pk"))))
        )

    @admin.display(boolean=True, ordering="recorded")
    def recorded(self, book):
        return book.recorded

    def get_readonly_fields(self, request, obj=None):
        """What a book costs is not for everybody who may change a book; a new book needs a price, though."""
        fields = super().get_readonly_fields(request, obj)
        if obj is not None and not self.has_reprice_permission(request):
            fields = [*fields, "price"]
        return fields

    def get_prepopulated_fields(self, request, obj=None):
        # A slug is an address: it stays when the title is corrected.
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if "price" in form.changed_data:
            record_price(obj)

    def has_reprice_permission(self, request):
        return request.user.has_perm("catalog.change_price")

    @admin.action(description="Change the prices of the selected books …", permissions=["reprice"])
    def reprice(self, request, books):
        """Ask by how much, show what would become of it, then do it; nothing happens before the second page is sent.

        Book by book, with `save()`: each price is rounded by itself and goes into the book's history, and whoever
        keeps something by its price, such as a cache, listens to `post_save`, which `update()` does not send.

        https://docs.djangoproject.com/en/stable/ref/contrib/admin/actions/#actions-that-provide-intermediate-pages
        """
        confirmed = "percent" in request.POST
        form = RepriceForm(request.POST if confirmed else None)
        if confirmed and form.is_valid() and "apply" in request.POST:
            with transaction.atomic():
                # By their keys: filtered or searched, the list's own query has DISTINCT, and cannot lock rows.
                books = list(Book.objects.select_for_update().filter(pk__in=list(books.values_list("pk", flat=True))))
                for book in books:
                    change_price(book, form.new_price(book.price))
                change = [{"changed": {"fields": ["Price"]}}]
                LogEntry.objects.log_actions(request.user.pk, books, CHANGE, change)
            self.message_user(request, f"Prices changed: {len(books)}.", messages.SUCCESS)
            return None
        books = list(books.order_by("title", "pk"))
        if confirmed and form.is_valid():
            for book in books:
                book.new_price = form.new_price(book.price)
        context = {
            **self.admin_site.each_context(request),
            "title": "Change prices",
            "opts": self.opts,
            "books": books,
            "form": form,
            "previewed": confirmed and form.is_valid(),
            "media": self.media + form.media,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "action": "reprice",
        }
        return TemplateResponse(request, "admin/catalog/reprice.html", context)


@admin.register(Excerpt)
class ExcerptAdmin(admin.ModelAdmin):
    """Whoever may change a book may look after its excerpt, here and at the desk. "View on site" downloads it."""

    form = ExcerptForm
    fields = ["book", "file"]
    list_display = ["book", "kind", "updated"]
    list_select_related = ["book"]
    search_fields = ["book__title"]
    autocomplete_fields = ["book"]

    @admin.display(description="kind")
    def kind(self, excerpt):
        return extension(excerpt.file.name)

    def get_readonly_fields(self, request, obj=None):
        return [] if obj is None else ["book"]

    def has_view_permission(self, request, obj=None):
        return self.has_change_permission(request, obj) or request.user.has_perm("catalog.view_excerpt")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("catalog.change_book")

    has_delete_permission = has_change_permission

    def has_add_permission(self, request):
        return self.has_change_permission(request)


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
    ordering = ["family_name", "given_name"]
    list_display = ["family_name", "given_name", "contribution_count"]
    list_filter = ["contributions__role"]
    search_fields = ["family_name", "given_name", "contributions__book__title"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(contribution_count=Count("contributions", distinct=True))

    @admin.display(description="contributions", ordering="contribution_count")
    def contribution_count(self, contributor):
        return contributor.contribution_count
