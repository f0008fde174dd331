from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from catalog.models import Author, Book, Genre

from .forms import SearchForm
from .shelves import BestsellingShelf

BOOKS_PER_PAGE = 24
BOOKS_PER_SHELF = 6


def cards():
    """Books with all that a card shows."""
    return Book.objects.select_related("author", "stock")


def home(request):
    """The shelves, then every book, page by page; with a search, what it found."""
    form = SearchForm(request.GET)
    books = form.search(cards().order_by("title", "pk"))
    if books is None:
        books = Book.objects.none()
    page = Paginator(books, BOOKS_PER_PAGE).get_page(request.GET.get("page"))
    searching = form.has_changed()
    context = {"form": form, "page": page, "searching": searching}
    if not searching and page.number == 1:
        context["newest"] = cards().newest()[:BOOKS_PER_SHELF]
        context["bestselling"] = BestsellingShelf(cards(), BOOKS_PER_SHELF)
    return render(request, "storefront/home.html", context)


def book(request, slug):
    found = get_object_or_404(
        Book.objects.select_related("author", "publisher", "stock", "excerpt").prefetch_related("genres"), slug=slug
    )
    also_bought = cards().bought_with(found)[:BOOKS_PER_SHELF]
    return render(request, "storefront/book.html", {"book": found, "also_bought": also_bought})


def author(request, slug):
    found = get_object_or_404(Author, slug=slug)
    books = cards().filter(author=found).order_by("published", "title")
    return render(request, "storefront/author.html", {"author": found, "books": books})


def genre(request, slug):
    found = get_object_or_404(Genre, slug=slug)
    books = cards().filter(genres=found).order_by("title", "pk")
    page = Paginator(books, BOOKS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "storefront/genre.html", {"genre": found, "page": page})
