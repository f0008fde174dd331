"""The printed catalogue: every book with its price, on paper.

The same page is written for both template engines of the settings, and a test compares what comes out.
https://docs.djangoproject.com/en/stable/topics/templates/#support-for-template-engines
"""

from itertools import groupby
from operator import attrgetter

from django.shortcuts import render

from catalog.models import Book


def catalogue(request, engine="django"):
    """All books by author. `engine` is the name of the template engine, "django" or "jinja2"."""
    books = Book.objects.select_related("author").order_by("author__sort_name", "author_id", "published", "title")
    # Django has {% regroup %} and Jinja2 a filter `groupby`, which sorts as well: grouped here, both show the same.
    authors = [(author, list(theirs)) for author, theirs in groupby(books, key=attrgetter("author"))]
    return render(request, "storefront/catalogue.html", {"authors": authors}, using=engine)
