"""What the shop refuses, as an answer that a program can act upon.

https://www.django-rest-framework.org/api-guide/exceptions/#custom-exception-handling and
https://www.rfc-editor.org/rfc/rfc9457 for the form.
"""

import re
from http import HTTPStatus

from django.db.models import ProtectedError, RestrictedError
from rest_framework.response import Response
from rest_framework.views import exception_handler as framework_handler
from rest_framework.views import set_rollback

from orders.exceptions import NotCancellable, OrderError, OutOfStock


def exception_handler(error, context):
    """What the shop refuses becomes a problem; everything else is the framework's business.

    409 where the same request may succeed another day, 400 where it never will.
    """
    match error:
        case OutOfStock(book=book, wanted=wanted, left=left):
            content = {"status": HTTPStatus.CONFLICT, "book": book.slug, "wanted": wanted, "left": left}
        case NotCancellable():
            content = {"status": HTTPStatus.CONFLICT}
        case OrderError():
            content = {"status": HTTPStatus.BAD_REQUEST}
        case ProtectedError() | RestrictedError():
            detail = "Something else still needs this, such as the orders of a book. It cannot be deleted."
            content = {"status": HTTPStatus.CONFLICT, "detail": detail, "code": "in_use"}
        case _:
            return framework_handler(error, context)
    set_rollback()
    return problem(context["request"], **{"detail": str(error), "code": code_of(error)} | content)


def problem(request, *, status, detail, code, **more):
    """The response that says so."""
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
        **more,
    }
    # What a customer quotes when they write, and what the log has.
    if request_id := getattr(request, "id", None):
        content["request_id"] = request_id
    in_json = request.accepted_renderer.format == "json"
    return Response(content, status=status, content_type="application/problem+json" if in_json else None)


def code_of(error):
    """OutOfStock → "out_of_stock": for programs, which must not depend on the wording of a sentence."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
