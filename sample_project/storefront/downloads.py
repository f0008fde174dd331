"""Files that the shop sends.

https://docs.djangoproject.com/en/stable/ref/request-response/#fileresponse-objects
"""

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from catalog.excerpts import CONTENT_TYPES, extension
from catalog.models import Excerpt


@require_safe
def excerpt(request, slug):
    """The excerpt of a book, to be saved and not shown: what somebody uploaded never runs as a page of the shop.

    The kind of file is the one that was checked at the upload, and `nosniff` forbids the browser to guess another.
    """
    found = get_object_or_404(Excerpt.objects.select_related("book"), book__slug=slug)
    kind = extension(found.file.name)
    try:
        file = found.file.open("rb")
    except FileNotFoundError:
        raise Http404("The file is gone.") from None
    name = f"{found.book.slug}.{kind}"
    response = FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[kind])
    response["X-Content-Type-Options"] = "nosniff"
    return response
