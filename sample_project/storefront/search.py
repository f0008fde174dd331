"""Finding a book while its title is being typed."""

import django
from django.core.exceptions import BadRequest
from django.shortcuts import render

from catalog.models import Book

from .forms import SearchForm

MOST_FOUND = 20

# The list of what was found is part of the page, and a response of its own for the script that asks while one types.
# From Django 6.0 on it is a partial inside the page's template; before, a template that the page includes.
# https://docs.djangoproject.com/en/stable/ref/templates/language/#template-partials
if django.VERSION >= (6, 0):
    PAGE, FRAGMENTS = "storefront/search.html", {"found": "storefront/search.html#found"}
else:
    PAGE, FRAGMENTS = "storefront/search_with_include.html", {"found": "storefront/_found.html"}


def search(request):
    """The page, or with `?fragment=found` the list alone. Other fragments do not exist: a bad request."""
    fragment = request.GET.get("fragment")
    if fragment is not None and fragment not in FRAGMENTS:
        raise BadRequest(f"There is no fragment {fragment!r} of this page.")
    form = SearchForm(request.GET)
    books = form.search(Book.objects.select_related("author", "stock").order_by("title", "pk"))
    asked = form.is_valid() and form.cleaned_data["q"]
    found = list(books[: MOST_FOUND + 1]) if asked else []
    context = {"form": form, "asked": asked, "found": found[:MOST_FOUND], "more": len(found) > MOST_FOUND}
    return render(request, FRAGMENTS[fragment] if fragment else PAGE, context)
