"""Where booksellers look after the catalogue. The admin site can do all this, and much that nobody at the desk should.

https://docs.djangoproject.com/en/stable/topics/class-based-views/generic-editing/
"""

from django.contrib import messages
from django.contrib.admin.models import ADDITION, DELETION
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.db.models import ProtectedError
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from catalog.forms import ExcerptForm
from catalog.models import Book, Excerpt
from orders.models import Stock
from storefront.spreadsheets import line

from .forms import BookForm, BookSearchForm, ContributionFormSet, StockFormSet
from .mixins import BooksellerMixin, RecordedMixin

ROWS_PER_PAGE = 25
CHUNK = 500


class BookListView(BooksellerMixin, ListView):
    permission_required = "catalog.view_book"
    template_name = "storefront/desk/books.html"
    context_object_name = "books"
    paginate_by = ROWS_PER_PAGE

    def get_queryset(self):
        self.form = BookSearchForm(self.request.GET)
        books = self.form.search(Book.objects.select_related("author", "stock").order_by("title", "pk"))
        return Book.objects.none() if books is None else books

    def get_context_data(self, **kwargs):
        return super().get_context_data(form=self.form, **kwargs)


class BookFormMixin:
    model = Book
    form_class = BookForm
    template_name = "storefront/desk/book_form.html"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.request.user}

    def get_success_url(self):
        return reverse("desk:book", args=[self.object.slug])


class BookCreateView(BooksellerMixin, RecordedMixin, BookFormMixin, CreateView):
    permission_required = "catalog.add_book"
    action_flag = ADDITION

    def get_record(self, form):
        return _("Added.")


class BookUpdateView(BooksellerMixin, RecordedMixin, BookFormMixin, UpdateView):
    permission_required = "catalog.change_book"


class BookDeleteView(BooksellerMixin, RecordedMixin, DeleteView):
    """Deletes a book that was never sold. One that was stands in orders, and orders keep their books."""

    model = Book
    permission_required = "catalog.delete_book"
    template_name = "storefront/desk/book_delete.html"
    success_url = reverse_lazy("desk:books")
    action_flag = DELETION

    def get_record(self, form):
        return _("Deleted.")

    def form_valid(self, form):
        # Deleting takes the key from the object, and the history has to know which it was.
        self.key = self.object.pk
        try:
            return super().form_valid(form)
        except ProtectedError:
            form.add_error(
                None,
                _("%(book)s was sold and stands in orders. Take it out of print instead.") % {"book": self.object},
            )
            return self.form_invalid(form)

    def record(self, thing, form):
        thing.pk = self.key
        super().record(thing, form)


class BookPartView(BooksellerMixin, RecordedMixin, UpdateView):
    """Something that belongs to a book, and goes back to it when it is saved."""

    model = Book

    def get_success_url(self):
        return reverse("desk:book", args=[self.kwargs["slug"]])


class ContributionsView(BookPartView):
    """Who worked on a book. An inline form set takes the arguments of the form of an `UpdateView`, and saves alike."""

    form_class = ContributionFormSet
    permission_required = ["catalog.add_contribution", "catalog.delete_contribution"]
    template_name = "storefront/desk/contributions.html"

    def form_valid(self, form):
        book = self.object
        with transaction.atomic():
            form.save()
            self.record(book, form)
        messages.success(self.request, f"{book}: {self.get_record(form)}")
        return redirect(self.get_success_url())

    def get_record(self, form):
        counts = {"added": form.new_objects, "changed": form.changed_objects, "removed": form.deleted_objects}
        return _("Contributions: %(added)d added, %(changed)d changed, %(removed)d removed.") % {
            what: len(rows) for what, rows in counts.items()
        }


class ExcerptView(BookPartView):
    """The excerpt of a book: the first, or one in the place of another."""

    form_class = ExcerptForm
    permission_required = "catalog.change_book"
    template_name = "storefront/desk/excerpt.html"

    def get_object(self, queryset=None):
        self.book = super().get_object(Book.objects.select_related("excerpt"))
        return self.book.excerpt if hasattr(self.book, "excerpt") else Excerpt(book=self.book)

    def get_context_data(self, **kwargs):
        return super().get_context_data(book=self.book, **kwargs)


class StockView(BooksellerMixin, ListView):
    """The stock, a page at a time, all numbers of the page in one form.

    What is sent are the rows that were shown: the page may hold others by now. They are locked until they are saved,
    so that nobody buys between the comparison with what was shown and the new number. Each row that changed is saved
    by itself, and so announced: see `orders.receivers`.
    """

    permission_required = "orders.change_stock"
    template_name = "storefront/desk/stock.html"
    paginate_by = ROWS_PER_PAGE
    queryset = Stock.objects.select_related("book__author").order_by("book__title", "pk")

    def get_context_data(self, formset=None, **kwargs):
        context = super().get_context_data(**kwargs)
        return context | {"formset": formset or StockFormSet(queryset=context["page_obj"].object_list)}

    def post(self, request, *args, **kwargs):
        self.object_list = self.get_queryset()
        shown = [pk for name, pk in request.POST.items() if name.endswith("-book") and pk.isdecimal() and len(pk) < 19]
        with transaction.atomic():
            # Locked in the order of keys, as by the checkout: two that wait for each other would wait for ever.
            rows = self.get_queryset().filter(pk__in=shown[:ROWS_PER_PAGE]).order_by("pk")
            formset = StockFormSet(request.POST, queryset=rows.select_for_update(of=["self"]))
            if not formset.is_valid():
                return self.render_to_response(self.get_context_data(formset=formset))
            formset.save()
        count = len(formset.changed_objects)
        messages.success(
            request, ngettext("%(count)s number changed.", "%(count)s numbers changed.", count) % {"count": count}
        )
        return redirect(request.get_full_path())


class BookExportView(BooksellerMixin, View):
    """Every book as CSV, sent while it is read: of a million books, no more than a chunk is ever in memory.

    https://docs.djangoproject.com/en/stable/howto/outputting-csv/#streaming-large-csv-files
    """

    permission_required = "catalog.view_book"
    header = ["ISBN", "Title", "Author", "Published", "Price", "In stock"]

    def get(self, request):
        # An asynchronous server would read all of a synchronous generator first, with a warning.
        lines = self.alines() if isinstance(request, ASGIRequest) else self.lines()
        return StreamingHttpResponse(
            lines,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="books.csv"'},
        )

    def get_books(self):
        # Not `values_list()`: of that, `aiterator()` asks the database outside of the thread that may.
        fields = ["isbn", "title", "author__name", "published", "price", "stock__quantity"]
        return Book.objects.select_related("author", "stock").only(*fields).order_by("pk")

    def lines(self):
        yield line(self.header)
        for book in self.get_books().iterator(chunk_size=CHUNK):
            yield line(cells(book))

    async def alines(self):
        yield line(self.header)
        async for book in self.get_books().aiterator(chunk_size=CHUNK):
            yield line(cells(book))


def cells(book):
    copies = book.stock.quantity if hasattr(book, "stock") else None
    return [book.isbn, book.title, book.author.name, book.published, book.price, copies]
