"""What the shop refuses, as an answer that a program can act upon.

https://www.django-rest-framework.org/api-guide/exceptions/#custom-exception-handling and
https://www.rfc-editor.org/rfc/rfc9457 for the form.
"""

import re
from http import HTTPStatus

from rest_framework.response import Response
from rest_framework.views import exception_handler as framework_handler
from rest_framework.views import set_rollback

from orders.exceptions import NotCancellable, OrderError, OutOfStock


def exception_handler(error, context):
    """Orders that cannot be taken become problems; everything else is the framework's business."""
    if isinstance(error, OrderError):
        set_rollback()
        return problem(error, context["request"])
    return framework_handler(error, context)


def problem(error, request):
    """The response for an `OrderError`; 409 where the same request may succeed another day, 400 where it never will."""
    conflict = isinstance(error, (OutOfStock, NotCancellable))
    status = HTTPStatus.CONFLICT if conflict else HTTPStatus.BAD_REQUEST
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": str(error),
        "code": code_of(error),
    }
    if isinstance(error, OutOfStock):
        content |= {"book": error.book.slug, "wanted": error.wanted, "left": error.left}
    # What a customer quotes when they write, and what the log has.
    if request_id := getattr(request, "id", None):
        content["request_id"] = request_id
    in_json = request.accepted_renderer.format == "json"
    return Response(content, status=status, content_type="application/problem+json" if in_json else None)


def code_of(error):
    """OutOfStock → "out_of_stock": for programs, which must not depend on the wording of a sentence."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
