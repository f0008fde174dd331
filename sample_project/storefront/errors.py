"""What visitors see when something cannot be done or went wrong.

For 400 and 403, Django's own views show `400.html`, `403.html`, and `403_csrf.html` where a token was missing: nothing
is to be added. The views here are those where more is needed than a template.

https://docs.djangoproject.com/en/stable/topics/http/views/#customizing-error-views
"""

from django.http import HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.deprecation import MiddlewareMixin
from django.views import defaults

from orders.exceptions import OrderError

API = "/api/"
HTML, JSON = "text/html", "application/json"


def page_not_found(request, exception):
    """404: the page, or JSON for programs."""
    if wants_json(request):
        return JsonResponse({"detail": "Not found."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request):
    """500: the page with the number under which the failure is in the log, or JSON for programs.

    It may be the database, the session or a context processor that failed: the template gets nothing of these, and
    needs no file but itself.
    """
    number = getattr(request, "id", "")
    if wants_json(request):
        return JsonResponse({"detail": "Something went wrong.", "request": number}, status=500)
    # Without the request, no context processor runs.
    page = get_template("500.html").render({"number": number})
    return HttpResponseServerError(page)


def wants_json(request) -> bool:
    """Whether a program asks: below the API's address unless it prefers HTML, elsewhere where it prefers JSON."""
    offers = [JSON, HTML] if request.path_info.startswith(API) else [HTML, JSON]
    return request.get_preferred_type(offers) == JSON


class OrderErrorMiddleware(MiddlewareMixin):
    """An order that the shop cannot take, whichever view it came from, is a conflict and no failure of ours: 409.

    A view that can do better, such as showing the cart with the message, handles the exception itself.
    https://docs.djangoproject.com/en/stable/topics/http/middleware/#process-exception
    """

    def process_exception(self, request, exception):
        if not isinstance(exception, OrderError):
            return None
        if wants_json(request):
            return JsonResponse({"detail": str(exception)}, status=409)
        return render(request, "409.html", {"reason": str(exception)}, status=409)
