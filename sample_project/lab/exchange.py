"""One request to the bookshop and what it answers, without a browser or a server.

Built on Django's test client: https://docs.djangoproject.com/en/stable/topics/testing/tools/#the-test-client
"""

import asyncio
import json
import re
from collections import Counter
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from html import escape
from unittest import mock

from . import database

LINES = 12
WIDTH = 110

# On every response of Django; worth a line only where somebody changed them.
_USUAL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Language": "en",
}
# Nor what every answer of the shop has; `trace` shows who put it there.
_UNSEEN = {"Content-Length", "Set-Cookie", "Server-Timing"}
# These are different each time.
_VARYING = {
    name.title()
    for name in [
        "Content-Length",
        "Date",
        "ETag",
        "Expires",
        "Last-Modified",
        "Retry-After",
        "Server-Timing",
        "X-Request-ID",
        "X-Response-Time",
    ]
}
_SECRETS = [
    re.compile(r"""(name="csrfmiddlewaretoken" value=")[^"]+"""),
    re.compile(r"""(\bnonce=["'])[^"']+"""),
    re.compile(r"""('nonce-)[^']+"""),
    # What the API answers with.
    re.compile(r"""("token": ")[0-9a-f]{40}(?=")"""),
    re.compile(r"""("request_id": ")[0-9a-f]{32}(?=")"""),
    # With its microseconds, a moment is a new one: the shop's rows have none.
    re.compile(r"""(")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)(?=")"""),
]
_HEAD = re.compile(r"<head\b.*?</head>|<(script|style|svg)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>", re.DOTALL | re.I)
_MAIN = re.compile(r"<main\b[^>]*>(.*?)</main>", re.DOTALL | re.I)
_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title>", re.DOTALL | re.I)
# Django's own error pages, which it shows while DEBUG is True. The admin site has it too.
_FOR_DEVELOPERS = '<meta name="robots" content="NONE,NOARCHIVE">'

_STYLE = (
    "<style>.lab-reply .w{color:var(--jp-content-font-color2,#767676)}"
    ".lab-reply .good{color:var(--jp-success-color0,#1a7f37)}"
    ".lab-reply .bad{color:var(--jp-error-color0,#c0392b)}</style>"
)

_noting = ContextVar("noting", default=False)


def get(url: str, data: dict | None = None, **options) -> "Reply":
    """Ask the bookshop for a page; the answer shows its status, its headers and the beginning of its body.

        get("/books/", {"q": "emma"})

    Args:
        url: the path, with a query if there is one.
        data: the query as a dict.
        user: who asks: a user, or a user name. Nobody is logged in without.
        enforce_csrf: check the CSRF token, as for a browser.
        follow: follow redirects, and say which.
        headers: a dict of request headers.
        client: a `django.test.Client` that keeps its cookies from one call to the next.

    Raises ValueError where the user is unknown, RuntimeError before the first `start()`.
    """
    return send("GET", url, data, **options)


def post(url: str, data=None, **options) -> "Reply":
    """Send a form to the bookshop, or JSON with `content_type="application/json"`; otherwise as `get`."""
    return send("POST", url, data, **options)


def send(
    method: str,
    url: str,
    data=None,
    *,
    user=None,
    enforce_csrf: bool = False,
    follow: bool = False,
    headers: dict | None = None,
    client=None,
    content_type: str | None = None,
    handler=None,
) -> "Reply":
    """Send any request; `handler()` makes what takes the place of Django's own, to look inside."""
    from django.apps import apps

    if not apps.ready:
        raise RuntimeError("The bookshop does not run yet: call start() first.")
    from django.test import Client
    from django.utils import translation

    client = client or Client(enforce_csrf_checks=enforce_csrf, raise_request_exception=False)
    if user is not None:
        client.force_login(user_of(user))
    if handler is not None:
        client.handler = handler()
    options = {"follow": follow, "headers": headers}
    if content_type is not None:
        options["content_type"] = content_type
    # The language of a page stays active in its thread, which is that of the learner's next line here.
    with outside_event_loop(), templates_noted(), translation.override(translation.get_language()):
        response = getattr(client, method.lower())(url, data, **options)
        body = b"" if method == "HEAD" else _body(response)
    return Reply(method, url, response, body)


@contextmanager
def outside_event_loop():
    """Let asynchronous views run: a cell runs inside an event loop, where `async_to_sync` refuses to work.

    For the block the loop is out of sight; its own work waits, as during any cell. The connections to databases stay
    those of the cell: Django keeps others for code that runs under no loop, and a block `queries()` or `atomic()`
    around a request would know nothing of it.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        yield
        return
    if not database.processes_exist():
        yield
        return
    from django.db import connections

    ours = {connection.alias: connection for connection in connections.all(initialized_only=True)}
    asyncio._set_running_loop(None)
    theirs = {connection.alias: connection for connection in connections.all(initialized_only=True)}
    _put(connections, ours)
    try:
        yield
    finally:
        for alias in ours:
            del connections[alias]
        _put(connections, theirs)
        asyncio._set_running_loop(loop)


def _put(connections, kept):
    for alias, connection in kept.items():
        connections[alias] = connection


@contextmanager
def templates_noted(around=None):
    """Let responses know their templates and contexts, as in Django's test runner.

    `around` is a context manager to enter while a template is rendered.
    """
    from django.template import Template
    from django.test.utils import instrumented_test_render

    original = Template._render

    def render(template, context):
        if not _noting.get():
            return original(template, context)
        with around(template) if around else ExitStack():
            return instrumented_test_render(template, context)

    # A variable of the context goes along into the threads of asynchronous views. Those of a server do not have it.
    token = _noting.set(True)
    try:
        with mock.patch.object(Template, "_render", render):
            yield
    finally:
        _noting.reset(token)


class Reply:
    """What came back. Whatever Django's response has, this has too: `reply.status_code`, `reply.context`.

    https://docs.djangoproject.com/en/stable/topics/testing/tools/#testing-responses
    """

    def __init__(self, method, url, response, body: bytes):
        self.request_line = f"{method} {url}"
        self.response = response
        self.body = body

    def __getattr__(self, name):
        if name.startswith("__") or name == "response":
            raise AttributeError(name)
        return getattr(self.response, name)

    def __getitem__(self, header):
        return self.response[header]

    def __contains__(self, header):
        return header in self.response

    @property
    def text(self) -> str:
        """The body, decoded."""
        return self.body.decode(self.response.charset or "utf-8", errors="replace")

    def json(self):
        """The body as JSON. Raises ValueError where it is something else."""
        return json.loads(self.body)

    @property
    def status(self) -> str:
        return status_line(self.response)

    def __repr__(self):
        return "\n".join(text for _, text in self._lines())

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self):
        spans = {"status": "good" if self.response.status_code < 400 else "bad", "header": "w", "note": "w"}
        lines = [
            f'<span class="{spans[kind]}">{escape(text)}</span>' if kind in spans else escape(text)
            for kind, text in self._lines()
        ]
        return f'{_STYLE}<pre class="lab-reply">' + "\n".join(lines) + "</pre>"

    def _lines(self):
        """(kind, text) of each line that is shown."""
        for url, status in getattr(self.response, "redirect_chain", []):
            yield "note", f"{status} → {url}"
        yield "status", self.status
        for name, value in shown_headers(self.response):
            yield "header", f"{name}: {value}"
        body = list(self._shown_body())
        if body:
            yield "body", ""
        yield from body

    def _shown_body(self):
        kind = self.response.get("Content-Type", "").partition(";")[0]
        if not self.body:
            return
        if exception := getattr(self.response, "exc_info", None):
            yield "body", f"{exception[0].__name__}: {exception[1]}"
        elif self.response.status_code >= 400 and _FOR_DEVELOPERS in self.text and " at /" in _title(self.text):
            yield "body", _title(self.text)
            yield "note", "… Django's page for developers, because DEBUG is True"
        elif kind == "application/json" or kind.endswith("+json"):
            yield from _cut(_stable(json.dumps(self.json(), indent=2, ensure_ascii=False)).splitlines(), 2 * LINES)
        elif kind == "text/html":
            if title := _title(self.text):
                yield "body", f"<title>{title}</title>"
            yield from _cut(_content(self.text))
        elif kind.startswith("text/") or kind.endswith(("xml", "yaml", "javascript")):
            yield from _cut(self.text.splitlines())
        else:
            yield "note", f"{len(self.body):,} bytes of {kind or 'unknown type'}"


def status_line(response) -> str:
    """ "404 Not Found" """
    return f"{response.status_code} {response.reason_phrase}"


def shown_headers(response):
    """(name, value) of the headers worth a line; values that differ each time are a dot-dot-dot."""
    # The id that the shop gave the request itself says nothing. One that was sent along, or set by a view, does.
    request = getattr(response, "wsgi_request", None)
    usual = dict(_USUAL)
    if request and "X-Request-ID" not in request.headers:
        usual["X-Request-ID"] = getattr(request, "id", None)
    for name, value in response.headers.items():
        if name not in _UNSEEN and usual.get(name) != value:
            yield name, shown_header(name, value)
    for morsel in response.cookies.values():
        yield "Set-Cookie", shown_cookie(morsel)


def shown_header(name: str, value: str) -> str:
    """The value, or a dot-dot-dot for one that is different each time."""
    return "…" if name.title() in _VARYING else _stable(value)


def shown_cookie(morsel) -> str:
    """A cookie with its attributes, but for the date: "csrftoken=…; Max-Age=31449600; Path=/; SameSite=Lax"."""
    attributes = [
        name if value is True else f"{name}={value}"
        for name, value in [
            ("Domain", morsel["domain"]),
            ("HttpOnly", morsel["httponly"]),
            ("Max-Age", morsel["max-age"]),
            ("Path", morsel["path"]),
            ("SameSite", morsel["samesite"]),
            ("Secure", morsel["secure"]),
        ]
        if value or value == 0 and name == "Max-Age"
    ]
    return "; ".join([f"{morsel.key}={'…' if morsel.value else ''}", *attributes])


def counted(names) -> list[str]:
    """["home.html", "card.html × 24"]: each name once, in the order of first mention."""
    return [name if times == 1 else f"{name} × {times}" for name, times in Counter(names).items()]


def user_of(user):
    """The user of that name; a user object is given back. Raises ValueError where there is none."""
    from django.contrib.auth import get_user_model

    if not isinstance(user, str):
        return user
    model = get_user_model()
    try:
        return model._default_manager.get_by_natural_key(user)
    except model.DoesNotExist:
        raise ValueError(f"There is no user {user!r}. Give a user object, or make one first.") from None


def _body(response):
    if not getattr(response, "is_async", False):
        return response.getvalue()
    from asgiref.sync import async_to_sync

    async def read():
        return b"".join([part async for part in response])

    return async_to_sync(read)()


def _title(html):
    found = _TITLE.search(html)
    return " ".join(found[1].split()) if found else ""


def _content(html):
    """The lines of the main part, without blank ones, and without the indentation that all have."""
    html = _stable(_HEAD.sub("", html))
    if main := _MAIN.search(html):
        html = main[1]
    lines = [line.rstrip() for line in html.expandtabs(2).splitlines() if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return [line[margin:] for line in lines]


def _stable(text):
    for secret in _SECRETS:
        text = secret.sub(r"\1…", text)
    return text


def _cut(lines, limit=LINES):
    # One line more than the limit is shown: a note would take as much room.
    shown = lines if len(lines) <= limit + 1 else lines[:limit]
    for line in shown:
        yield "body", line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
    if len(lines) > len(shown):
        yield "note", f"… {len(lines) - len(shown)} more lines"
