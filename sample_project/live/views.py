"""Pages that move, and views that wait for several things at once.

https://docs.djangoproject.com/en/stable/topics/async/
"""

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import aget_object_or_404, get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Book
from orders.models import Stock
from orders.restocking import restock

from . import streams, suppliers
from .forms import RestockForm


@require_safe
def stock(request):
    """What is on the shelf. The page opens a web socket and keeps the numbers right."""
    return _page(request, RestockForm() if request.user.has_perm("orders.change_stock") else None)


def _page(request, form, status=200):
    books = Book.objects.select_related("author", "stock").order_by("title", "pk")
    moves = isinstance(request, ASGIRequest)
    return render(request, "live/stock.html", {"books": books, "moves": moves, "form": form}, status=status)


@require_safe
async def stock_json(request):
    """The same numbers for programs. Asynchronous queries: evaluating the queryset is what must not block."""
    rows = Stock.objects.order_by("pk").values_list("pk", "book__title", "quantity")
    return JsonResponse(
        {
            "count": await Stock.objects.acount(),
            "books": [{"book": pk, "title": title, "quantity": left} async for pk, title, left in rows],
        }
    )


@require_POST
async def restock_book(request):
    """Copies came in. A transaction is synchronous, from its beginning to its end: all of it goes to a thread.

    https://docs.djangoproject.com/en/stable/topics/async/#asgiref.sync.sync_to_async
    """
    user = await request.auser()
    if not await user.ahas_perm("orders.change_stock"):
        raise PermissionDenied
    form = RestockForm(request.POST)
    # Looks the book up, so it asks the database as well; and so do templates.
    if not await sync_to_async(form.is_valid)():
        return await sync_to_async(_page)(request, form, status=400)
    book = form.cleaned_data["book"]
    quantity = await sync_to_async(restock)(book.pk, form.cleaned_data["copies"])
    await sync_to_async(messages.success)(
        request, _("%(title)s: %(quantity)d copies now.") % {"title": book.title, "quantity": quantity}
    )
    return redirect("live:stock")


class AvailabilityAtOnceView(View):
    """What the suppliers have of a book, all asked at the same time: as slow as the slowest."""

    ask = staticmethod(suppliers.aask)

    async def get(self, request, slug):
        book = await aget_object_or_404(Book, slug=slug)
        return JsonResponse({"book": book.pk, "copies": await suppliers.aask_all(book.pk, self.ask)})


class AvailabilityInTurnView(View):
    """The same answer, asked one supplier after the other: as slow as all of them together."""

    ask = staticmethod(suppliers.ask)

    def get(self, request, slug):
        book = get_object_or_404(Book, slug=slug)
        return JsonResponse({"book": book.pk, "copies": suppliers.ask_all(book.pk, self.ask)})


@require_safe
async def events(request):
    """Changes of the stock as server-sent events: `new EventSource("/live/events/")` in a browser, or curl -N."""
    if not isinstance(request, ASGIRequest):
        # Under WSGI, Django would read the stream to its end first. It has none.
        return HttpResponse(
            "This stream needs an ASGI server, such as uvicorn.\n", status=501, content_type="text/plain"
        )
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    if layer is None:
        return HttpResponse("CHANNEL_LAYERS is not set here.\n", status=503, content_type="text/plain")
    return StreamingHttpResponse(
        streams.stock_events(layer),
        content_type="text/event-stream",
        # nginx collects answers before it hands them on, unless it is told not to.
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


@require_safe
@permission_required("orders.view_orderline", raise_exception=True)
def order_lines(request):
    """All order lines, a table of any length that never is in memory as a whole."""
    asynchronous = isinstance(request, ASGIRequest)
    return StreamingHttpResponse(
        streams.aorder_lines() if asynchronous else streams.order_lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="order-lines.csv"'},
    )
