"""Addresses that lead to another, each with the status that says how.

| status | for how long | the method |
| --- | --- | --- |
| 301 | for good: browsers and search engines keep it | may become GET |
| 302 | this time | may become GET |
| 307 | this time | stays, with the body |
| 308 | for good | stays, with the body |

https://docs.djangoproject.com/en/stable/topics/http/shortcuts/#redirect
"""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Book


def bestselling_book():
    book = Book.objects.bestselling().first()
    if book is None:
        raise Http404("Nothing has been sold yet.")
    return book


@require_GET
def old_book(request, pk):
    """301: books once had their number in the address. Links of old still work, and everybody learns the new ones."""
    return redirect(get_object_or_404(Book, pk=pk), permanent=True)


@require_GET
@never_cache
def bestseller(request):
    """302: the book that sells best today. Tomorrow it may be another, and nobody must remember this one."""
    return redirect(bestselling_book())


@require_POST
def add_bestseller(request):
    """307: the same, for a button. Were it a 302, the browser would come back with GET, and nothing be bought."""
    return redirect("storefront:cart-add", bestselling_book().slug, preserve_request=True)


def old_cart(request, slug=None):
    """308: the cart was once called a basket. Forms on pages that are still open somewhere send their POST there."""
    target = ("storefront:cart-add", slug) if slug else ("storefront:cart",)
    return redirect(*target, permanent=True, preserve_request=True)
