"""What `get` and `post` show of a response."""

import asyncio
import io
import threading
from contextlib import ExitStack

import pytest
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import path
from django.utils.translation import get_language

from accounts.models import User
from lab import exchange
from lab.exchange import get, post

pytestmark = pytest.mark.django_db


async def slow(request):
    await asyncio.sleep(0)
    return HttpResponse("done", content_type="text/plain")


async def drops(request):
    async def parts():
        for part in ("one ", "two"):
            yield part

    return StreamingHttpResponse(parts(), content_type="text/plain")


def echo(request):
    return JsonResponse({"user": request.user.username, "given": request.POST.dict(), "query": request.GET.dict()})


def form(request):
    from django.middleware.csrf import get_token

    page = "<html><head><title> A\n form</title></head><body><main>\n\n  <p>"
    page += f'<input name="csrfmiddlewaretoken" value="{get_token(request)}">\n    more</main></body></html>'
    return HttpResponse(page)


def long(request):
    return HttpResponse("".join(f"line {number}\n" for number in range(20)), content_type="text/plain")


def picture(request):
    return FileResponse(io.BytesIO(b"\x89PNG and more"), content_type="image/png")


def broken(request):
    return HttpResponse(1 / 0)


def marked(request):
    headers = {"X-Request-ID": "8f1c", "ETag": '"1"', "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse("x", content_type="text/plain", headers=headers)


urlpatterns = [path(f"{view.__name__}/", view) for view in (slow, drops, echo, form, long, picture, broken, marked)]


@pytest.fixture(autouse=True)
def urls(settings):
    settings.ROOT_URLCONF = __name__
    # The notebook's settings have none.
    settings.SECURE_CSP_REPORT_ONLY = {}


def test_status_headers_and_body():
    assert repr(get("/slow/")) == "200 OK\nContent-Type: text/plain\nVary: Accept-Language\n\ndone"


def test_json_is_pretty():
    reply = get("/echo/", {"q": "emma"})
    assert repr(reply) == (
        "200 OK\nContent-Type: application/json\nVary: Accept-Language, Cookie\n\n"
        '{\n  "user": "",\n  "given": {},\n  "query": {\n    "q": "emma"\n  }\n}'
    )
    assert reply.json()["query"] == {"q": "emma"}


def test_html_is_its_title_and_the_beginning_of_its_main_part_the_same_each_time():
    assert repr(get("/form/")) == (
        "200 OK\nContent-Type: text/html; charset=utf-8\nVary: Cookie, Accept-Language\n"
        "Set-Cookie: csrftoken=…; Max-Age=31449600; Path=/; SameSite=Lax\n\n"
        '<title>A form</title>\n<p><input name="csrfmiddlewaretoken" value="…">\n  more'
    )
    assert repr(get("/form/")) == repr(get("/form/"))


def test_long_bodies_are_cut():
    assert repr(get("/long/")).endswith("line 11\n… 8 more lines")
    assert get("/long/").text.endswith("line 19\n")


def test_other_bodies_are_counted():
    assert repr(get("/picture/")).endswith("13 bytes of image/png")


def test_streams_are_read_to_the_end():
    assert get("/drops/").text == "one two"


def test_values_that_vary_are_not_shown_and_changed_defaults_are():
    text = repr(get("/marked/"))
    assert "X-Request-ID: …\nETag: …\nX-Frame-Options: SAMEORIGIN\n" in text
    assert "Referrer-Policy" not in text
    assert get("/marked/")["X-Request-ID"] == "8f1c"


def test_the_id_of_the_request_is_shown_where_somebody_gave_it():
    assert "X-Request-ID" not in repr(get("/slow/"))
    assert "X-Request-ID: …" in repr(get("/slow/", headers={"X-Request-ID": "abc"}))
    assert get("/slow/", headers={"X-Request-ID": "abc"})["X-Request-ID"] == "abc"


def test_json_does_not_show_what_is_new_each_time():
    content = {
        "token": "0123456789" * 4,
        "request_id": "0123456789abcdef" * 2,
        "expires": "2026-11-21T14:09:49.314804Z",
        "placed_at": "2026-06-11T21:57:00Z",
        "note": "my token",
    }
    request = JsonResponse(content)
    shown = repr(exchange.Reply("GET", "/", request, request.content))
    for line in ['"token": "…"', '"request_id": "…"', '"expires": "…"']:
        assert line in shown
    for line in ['"placed_at": "2026-06-11T21:57:00Z"', '"note": "my token"']:
        assert line in shown


def test_an_exception_is_a_server_error_with_its_name(settings):
    settings.DEBUG = True
    text = repr(get("/broken/"))
    assert text.startswith("500 Internal Server Error\nContent-Type: text/html")
    assert text.endswith("\n\nZeroDivisionError: division by zero")


def test_the_page_for_developers_is_named_not_shown(settings):
    settings.DEBUG = True
    assert repr(get("/nope/")).endswith(
        "Page not found at /nope/\n… Django's page for developers, because DEBUG is True"
    )


def test_forms_are_sent():
    assert post("/echo/", {"title": "Emma"}).json()["given"] == {"title": "Emma"}


def test_the_token_is_asked_for_on_request_only():
    assert post("/echo/", {}).status == "200 OK"
    assert post("/echo/", {}, enforce_csrf=True).status == "403 Forbidden"


@pytest.mark.parametrize("by_name", [True, False])
def test_a_user_can_ask(by_name):
    user = User.objects.create_user("visitor")
    assert get("/echo/", user="visitor" if by_name else user).json()["user"] == "visitor"
    assert get("/echo/").json()["user"] == ""


def test_an_unknown_user_is_named():
    with pytest.raises(ValueError, match="no user 'nobody at all'"):
        get("/echo/", user="nobody at all")


def test_a_client_keeps_its_cookies():
    client = Client()
    get("/form/", client=client)
    assert "csrftoken" in client.cookies


def test_a_page_in_german_leaves_the_cell_in_english(settings):
    settings.ROOT_URLCONF = "config.urls"
    assert get("/", headers={"Accept-Language": "de"}).headers["Content-Language"] == "de"
    assert get_language() == "en"


def test_redirects_are_followed_on_request(settings):
    settings.ROOT_URLCONF = "config.urls"
    assert get("/admin/").status == "302 Found"
    assert repr(get("/admin/", follow=True)).startswith("302 → /admin/login/?next=/admin/\n200 OK\n")


def test_templates_and_contexts_are_known(settings):
    settings.ROOT_URLCONF = "config.urls"
    reply = get("/")
    assert reply.templates[0].name == "storefront/home.html"
    assert reply.context["page"].number == 1


def test_templates_of_other_threads_are_not_noted():
    seen = []

    def note(template):
        seen.append(template.name)
        return ExitStack()

    def render(name):
        Template("text", name=name).render(Context())

    with exchange.templates_noted(note):
        thread = threading.Thread(target=render, args=["there"])
        thread.start()
        thread.join()
        render("here")
    assert seen == ["here"]


def test_html_escapes_what_the_site_sends():
    assert "&lt;title&gt;A form&lt;/title&gt;" in get("/form/")._repr_mimebundle_()["text/html"]


def test_the_event_loop_is_out_of_sight_and_comes_back():
    async def cell():
        loop = asyncio.get_running_loop()
        with exchange.outside_event_loop(), pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return asyncio.get_running_loop() is loop

    assert asyncio.run(cell())


def test_asynchronous_views_answer_in_a_cell(kernel):
    kernel.run(
        "import sys, types\nfrom lab import get, trace\nfrom django.test import override_settings\n"
        "from django.http import HttpResponse\nfrom django.urls import path\n"
        "async def slow(request):\n    return HttpResponse(await Genre.objects.acount(), content_type='text/plain')\n"
        "cell_urls = types.ModuleType('cell_urls')\ncell_urls.urlpatterns = [path('slow/', slow)]\n"
        "sys.modules['cell_urls'] = cell_urls"
    )
    cell = "with override_settings(ROOT_URLCONF='cell_urls'):\n"
    cell += "    print(get('/slow/').text, len(trace('/slow/').seen))"
    assert kernel.run(cell).text == "14 1\n"
    assert kernel.run("print(await Genre.objects.acount())").text == "14\n"


def test_a_request_is_made_on_the_connection_of_the_cell(kernel):
    kernel.run("from lab import get, queries, reset\nfrom django.db import transaction\nreset()")
    assert kernel.run("with queries():\n    get('/api/v1/languages/')\n").text.startswith("1 query\n")
    cell = "with transaction.atomic():\n"
    cell += "    Book.objects.filter(slug='emma').update(title='Emma II')\n"
    cell += "    print(get('/api/v1/books/emma/').json()['title'])\n"
    cell += "    transaction.set_rollback(True)\n"
    cell += "print(get('/api/v1/books/emma/').json()['title'])"
    assert kernel.run(cell).text == "Emma II\nEmma\n"
