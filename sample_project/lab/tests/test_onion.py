"""What `trace` shows of the way of a request."""

import pytest
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template import Context, Template
from django.urls import path

from accounts.models import User
from catalog.models import Genre
from lab.onion import trace

pytestmark = pytest.mark.django_db
HERE = __name__


def stamp(get_response):
    def middleware(request):
        request.stamp = Genre.objects.count()
        response = get_response(request)
        response["X-Stamp"] = str(Genre.objects.count())
        return response

    return middleware


class Turnstile:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/closed/":
            return HttpResponse(status=503)
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        return HttpResponse(status=402) if "toll" in request.path else None

    def process_exception(self, request, exception):
        return HttpResponse("saved") if isinstance(exception, ArithmeticError) else None


def page(request, number):
    genres = Genre.objects.order_by("name")[:2]
    return HttpResponse(
        Template("{% for genre in genres %}{{ genre.books.count }}{% endfor %}").render(
            Context({"genres": list(genres)})
        )
    )


def broken(request):
    return 1 / 0


def forbidden(request):
    raise PermissionDenied("not you")


@login_required
def private(request):
    return HttpResponse("private")


urlpatterns = [
    path("pages/<int:number>/", page, name="page"),
    path("toll/", page, {"number": 1}),
    path("broken/", broken),
    path("forbidden/", forbidden),
    path("private/", private),
]


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = HERE
    settings.MIDDLEWARE = [f"{HERE}.stamp", f"{HERE}.Turnstile"]


def test_the_whole_way():
    assert repr(trace("/pages/3/")) == (
        "GET /pages/3/\n"
        "→ stamp  + request.stamp  1 query\n"
        "  → Turnstile\n"
        f"    URL       pages/<int:number>/   name page   number=3\n"
        f"    view      {HERE}.page\n"
        "    SQL       3 queries, 2 of them in templates\n"
        "  ← Turnstile\n"
        "← stamp  + X-Stamp: 14  1 query\n"
        "200 OK"
    )


def test_it_is_the_same_each_time():
    assert repr(trace("/pages/3/")) == repr(trace("/pages/3/"))


def test_a_middleware_that_answers_ends_the_way():
    assert repr(trace("/closed/")) == (
        "GET /closed/\n"
        "→ stamp  + request.stamp  1 query\n"
        "  → Turnstile\n"
        "    answers itself: 503 Service Unavailable\n"
        "    not reached  the view\n"
        "  ← Turnstile  + Content-Type: text/html; charset=utf-8\n"
        "← stamp  + X-Stamp: 14  1 query\n"
        "503 Service Unavailable"
    )


def test_middleware_that_is_not_reached_is_named(settings):
    settings.MIDDLEWARE = [f"{HERE}.Turnstile", f"{HERE}.stamp"]
    assert "not reached  stamp, the view" in repr(trace("/closed/"))


def test_a_hook_that_answers_is_named_and_the_view_not_called():
    text = repr(trace("/toll/"))
    assert "stopped   by Turnstile.process_view: 402 Payment Required" in text
    assert f"view      not called: {HERE}.page" in text


def test_an_exception_that_a_middleware_handles():
    text = repr(trace("/broken/"))
    assert "stopped   by Turnstile.process_exception: 200 OK" in text
    assert text.endswith("200 OK")


def test_an_exception_of_the_view_is_named():
    text = repr(trace("/forbidden/"))
    assert "raises    PermissionDenied: not you" in text
    assert text.endswith("403 Forbidden")


def test_a_url_that_nothing_matches(settings):
    settings.DEBUG = True
    text = repr(trace("/nothing/"))
    assert "URL       no pattern matches" in text
    assert "view" not in text
    assert text.endswith("404 Not Found")


def test_a_user_and_a_method(settings):
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "config.urls", settings_of_the_shop()
    User.objects.create_superuser("boss")
    text = repr(trace("/admin/", user="boss"))
    assert "→ RequestIDMiddleware  + request.id\n" in text
    assert "→ AuthenticationMiddleware  + request." in text
    assert text.endswith("200 OK")
    refused = repr(trace("/admin/login/", "POST", {"username": "boss"}, enforce_csrf=True))
    assert "stopped   by CsrfViewMiddleware.process_view: 403 Forbidden" in refused


def test_templates_are_listed_once_each(settings):
    settings.ROOT_URLCONF = "config.urls"
    text = repr(trace("/"))
    assert "template  storefront/home.html, storefront/base.html" in text
    assert "storefront/_card.html × " in text


def test_asynchronous_middleware_is_shown_too(settings):
    settings.MIDDLEWARE = [f"{HERE}.waiting", f"{HERE}.stamp"]
    text = repr(trace("/pages/3/"))
    assert "→ waiting\n  → stamp" in text
    assert text.endswith("200 OK")


def waiting(get_response):
    async def middleware(request):
        return await get_response(request)

    return middleware


waiting.async_capable = True
waiting.sync_capable = False


def test_reply_and_queries_can_be_asked_for():
    onion = trace("/pages/3/")
    assert onion.reply.status_code == 200
    assert len(onion.seen) == 5


def test_a_method_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'BREW' is no method of HTTP"):
        trace("/", "BREW")


def test_html_nests_the_layers():
    html = trace("/pages/3/")._repr_mimebundle_()["text/html"]
    assert html.count("<div") == html.count("</div>")
    assert "pages/&lt;int:number&gt;/" in html


def settings_of_the_shop():
    from config.settings import common

    return common.MIDDLEWARE
