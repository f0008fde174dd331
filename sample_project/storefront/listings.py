"""Lists of books: two pages of `views` once more as classes, and two more ways to cut a list into pages.

`Paginator`, on the home page and on those of genres, knows how many pages there are and pays for it with a count and
an offset. `Keyset` knows neither, and costs the same on every page. The paginator of the new arrivals does not hold up
other requests while it waits for the database.

https://docs.djangoproject.com/en/stable/topics/class-based-views/generic-display/
https://docs.djangoproject.com/en/stable/topics/pagination/
"""

from math import ceil

import django
from asgiref.sync import sync_to_async
from django.shortcuts import get_object_or_404, render
from django.views.generic import DetailView, ListView

from catalog.models import Author, Book, Genre

from .forms import PriceRangeForm
from .keyset import BadCursor, Keyset
from .views import BOOKS_PER_PAGE, cards


class AuthorView(DetailView):
    """`views.author`, as a class."""

    model = Author
    template_name = "storefront/author.html"

    def get_context_data(self, **kwargs):
        books = cards().filter(author=self.object).order_by("published", "title")
        return super().get_context_data(books=books, **kwargs)


class GenreView(ListView):
    """`views.genre`, as a class. What it lists are books, and the genre says which."""

    template_name = "storefront/genre.html"
    paginate_by = BOOKS_PER_PAGE

    def get_queryset(self):
        self.genre = get_object_or_404(Genre, slug=self.kwargs["slug"])
        return cards().filter(genres=self.genre).order_by("title", "pk")

    def paginate_queryset(self, queryset, page_size):
        """The nearest page, as the function shows it. The generic answer to a page that does not exist is a 404."""
        page = self.get_paginator(queryset, page_size).get_page(self.request.GET.get("page"))
        return page.paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(genre=self.genre, **kwargs)
        return {**context, "page": context["page_obj"]}


def books(request):
    """Every book in the order of titles, by keyset: `title` and `author_id` are what a unique index holds already."""
    form = PriceRangeForm(request.GET)
    found = form.narrow(cards())
    keyset = Keyset(Book.objects.none() if found is None else found, ("title", "author_id"), BOOKS_PER_PAGE)
    context = {"form": form, "after": request.GET.get("after")}
    try:
        context["page"] = keyset.page(context["after"])
    except BadCursor as error:
        return render(request, "storefront/books.html", {**context, "error": error}, status=400)
    return render(request, "storefront/books.html", context)


async def arrivals(request):
    """The newest books first; while the database works, the server may do something else.

    Templates are synchronous, and so is what they may look up, such as who is logged in: they get a thread.

    https://docs.djangoproject.com/en/stable/topics/async/
    """
    page = await numbered_page(cards().newest(), request.GET.get("page"), BOOKS_PER_PAGE)
    return await sync_to_async(render)(request, "storefront/arrivals.html", page)


async def numbered_page(books, number, per_page):
    """The `books` of a page and the numbers around it, as plain data: templates cannot await.

    A number that makes no sense is page 1, one that is too high the last page, as for `Paginator.get_page`.
    """
    if django.VERSION >= (6, 0):
        from django.core.paginator import AsyncPaginator

        paginator = AsyncPaginator(books, per_page)
        page = await paginator.aget_page(number)
        rows, number, last = await page.aget_object_list(), page.number, await paginator.anum_pages()
    else:
        # What the asynchronous paginator does, by hand.
        last = max(1, ceil(await books.acount() / per_page))
        try:
            number = int(number)
        except (TypeError, ValueError):
            number = 1
        else:
            number = number if 1 <= number <= last else last
        rows = [book async for book in books[(number - 1) * per_page : number * per_page]]
    return {
        "books": rows,
        "number": number,
        "last": last,
        "previous": number - 1 if number > 1 else None,
        "next": number + 1 if number < last else None,
    }
