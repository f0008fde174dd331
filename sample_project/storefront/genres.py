"""The list of genres, with what each one holds: the same for everybody and hardly ever another."""

from django.db.models import Count, Min
from django.shortcuts import render

from catalog.models import Genre


def genres(request):
    """Every genre. The template keeps the list, and looks at the rows only where it has to make it anew."""
    # The frame of the page knows the visitor, the cart and the messages: it must not be kept for others. So a part of
    # the page is kept, by `{% cache %}`, and the queryset stays a question until that part asks it.
    found = Genre.objects.annotate(count=Count("books"), oldest=Min("books__published")).order_by("name")
    return render(request, "storefront/genres.html", {"genres": found})
