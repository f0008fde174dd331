"""What visitors see when something cannot be done or went wrong.

People get a page, programs JSON. `config/urls.py` names the four handlers; where a token was missing, Django's own
view shows `403_csrf.html`.

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


def bad_request(request, exception):
    """400: what the exception says is for the log, and not for whoever tries things out."""
    if wants_json(request):
        return JsonResponse({"detail": "Bad request."}, status=400)
    return defaults.bad_request(request, exception)


def permission_denied(request, exception):
    """403: known, and not allowed. Who is not known is asked to log in instead, by the view."""
    if wants_json(request):
        return JsonResponse({"detail": "Forbidden."}, status=403)
    return defaults.permission_denied(request, exception)


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
