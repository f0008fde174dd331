"""The way of one request through Django: middleware inwards, URL, view, templates, middleware outwards.

https://docs.djangoproject.com/en/stable/topics/http/middleware/#middleware-order-and-layering
"""

from contextlib import contextmanager
from functools import partial, wraps
from html import escape
from unittest import mock

from . import exchange
from .capture import Capture

_STYLE = (
    "<style>.lab-onion{font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);"
    "line-height:1.5}.lab-onion div{border-left:2px solid var(--jp-border-color1,#bdbdbd);padding-left:.8em}"
    ".lab-onion .w{color:var(--jp-content-font-color2,#767676)}"
    ".lab-onion .stop{color:var(--jp-error-color0,#c0392b)}</style>"
)

# The request computes these when somebody first reads them: nobody added them.
_READ_ON_DEMAND = {"COOKIES", "GET", "accepted_types", "accepted_types_by_precedence", "headers"}
_SHOWN_TEMPLATES = 8


def trace(url: str, method: str = "GET", data=None, user=None, **options) -> "Onion":
    """Send a request and show its way, one layer inside the other.

    A line `→` says what a middleware added to the request on the way in, a line `←` what it added to the response on
    the way out, and both how many queries it ran. In the middle are the URL pattern, the view, its queries and the
    templates. A middleware that answers itself ends the way: what lies further in is not reached.

    Args:
        url, method, data, user: as for `get` and `post`; data of a POST are a form.
        options: as for `get`; `enforce_csrf=True` lets the CSRF middleware check the token.

    `trace(…).reply` is the response, `trace(…).seen` the queries.

    Raises ValueError where the method or the user is unknown, RuntimeError before the first `start()`.
    """
    if method.upper() not in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}:
        raise ValueError(f"{method!r} is no method of HTTP that trace() can send: try 'GET' or 'POST'.")
    journey = _Journey()
    handler = partial(_handler, journey, options.get("enforce_csrf", False))
    reply = exchange.send(method.upper(), url, data, user=user, handler=handler, **options)
    return Onion(journey, reply)


class _Layer:
    """A middleware, or the view in the middle: what it did on the way in and on the way out."""

    def __init__(self, name):
        self.name = name
        self.added = []
        self.headers = []
        self.queries = {"in": 0, "out": 0}
        self.answered = ""


class _Journey:
    """Takes notes while the request is on its way."""

    def __init__(self):
        self.layers = []
        self.all_names = []
        self.match = None
        self.templates = []
        self.template_queries = 0
        self.stopped_by = ""
        self.exception = ""
        self.seen = Capture()
        self._depth = 0
        self._attributes = set()
        self._headers = {}
        self._cookies = {}
        self._counted = 0
        self._rendering = 0

    def enter(self, name, request):
        self._note_entry(request)
        self.layers.append(_Layer(name))
        self._depth += 1

    def leave(self, response):
        layer = self.layers[self._depth - 1]
        is_innermost = self._depth == len(self.layers)
        layer.queries["in" if is_innermost else "out"] += self._new_queries()
        headers = dict(response.headers)
        layer.headers = [
            f"{name}: {exchange.shown_header(name, value)}"
            for name, value in headers.items()
            if self._headers.get(name) != value and name != "Set-Cookie"
        ]
        cookies = {name: exchange.shown_cookie(morsel) for name, morsel in response.cookies.items()}
        layer.headers += [f"Set-Cookie: {text}" for name, text in cookies.items() if self._cookies.get(name) != text]
        if is_innermost and layer.name:
            layer.answered = exchange.status_line(response)
        self._headers, self._cookies = headers, cookies
        self._depth -= 1

    @contextmanager
    def rendering(self, template):
        # Django's pages for developers are made of templates without a name.
        if template.name:
            self.templates.append("form widgets" if template.name.startswith("django/forms/") else template.name)
        before = len(self.seen)
        self._rendering += 1
        try:
            yield
        finally:
            self._rendering -= 1
            if not self._rendering:
                self.template_queries += len(self.seen) - before

    def _note_entry(self, request):
        public = {name for name in vars(request) if not name.startswith("_")} - _READ_ON_DEMAND
        if self.layers:
            outer = self.layers[self._depth - 1]
            outer.added = sorted(public - self._attributes)
            outer.queries["in"] += self._new_queries()
        self._attributes = public

    def _new_queries(self):
        new = len(self.seen) - self._counted
        self._counted = len(self.seen)
        return new


def _handler(journey, enforce_csrf):
    """Django's handler of the test client, with a note taken around each layer."""
    from asgiref.sync import iscoroutinefunction
    from django.core.handlers import base
    from django.test.client import ClientHandler

    convert = base.convert_exception_to_response

    class Handler(ClientHandler):
        def load_middleware(self, is_async=False):
            with mock.patch.object(base, "convert_exception_to_response", self._noting):
                super().load_middleware(is_async)
            for hooks, hook in [
                (self._view_middleware, "process_view"),
                (self._template_response_middleware, "process_template_response"),
                (self._exception_middleware, "process_exception"),
            ]:
                hooks[:] = [self._noting_hook(function, hook) for function in hooks]

        def get_response(self, request):
            with journey.seen, exchange.templates_noted(journey.rendering):
                response = super().get_response(request)
            journey.match = request.resolver_match
            return response

        def _noting(self, get_response):
            is_core = getattr(get_response, "__func__", None) in {base.BaseHandler._get_response}
            name = "" if is_core else _name_of(get_response)
            if name:
                journey.all_names.insert(0, name)
            run = convert(self._noting_exception(get_response) if is_core else get_response)

            if iscoroutinefunction(run):

                async def noted(request):
                    journey.enter(name, request)
                    response = await run(request)
                    journey.leave(response)
                    return response

                return noted

            def noted(request):
                journey.enter(name, request)
                response = run(request)
                journey.leave(response)
                return response

            return noted

        def _noting_exception(self, get_response):
            @wraps(get_response)
            def noted(request):
                try:
                    return get_response(request)
                except Exception as error:
                    text = str(error)
                    # The text of a URL that nothing matches is a dict of all patterns.
                    text = "" if text.startswith("{") else text
                    journey.exception = f"{type(error).__name__}: {text}".rstrip(": ")
                    raise

            return noted

        def _noting_hook(self, function, hook):
            owner = _name_of(getattr(function, "__self__", function))

            def answered(response):
                if response is not None and hook != "process_template_response":
                    journey.stopped_by = f"{owner}.{hook}: {exchange.status_line(response)}"
                return response

            if iscoroutinefunction(function):

                @wraps(function)
                async def noted(*args, **kwargs):
                    return answered(await function(*args, **kwargs))

            else:

                @wraps(function)
                def noted(*args, **kwargs):
                    return answered(function(*args, **kwargs))

            return noted

    return Handler(enforce_csrf_checks=enforce_csrf)


def _name_of(middleware):
    """The class of a middleware, or the function that made it."""
    if hasattr(middleware, "__qualname__"):
        return middleware.__qualname__.partition(".<locals>")[0]
    return type(middleware).__name__


class Onion:
    """The way of a request, drawn. `reply` is the response, `seen` has the queries."""

    def __init__(self, journey, reply):
        self._journey = journey
        self.reply = reply
        self.seen = journey.seen

    def __repr__(self):
        lines = [self.reply.request_line]
        lines += ["  " * depth + text for depth, _, text in self._lines()]
        return "\n".join([*lines, self.reply.status])

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self):
        parts, open_divs = [escape(self.reply.request_line), "<br>"], 0
        for depth, kind, text in self._lines():
            while open_divs > depth:
                parts.append("</div>")
                open_divs -= 1
            while open_divs < depth:
                parts.append("<div>")
                open_divs += 1
            name, _, rest = text.partition("  ")
            start = f'<span class="stop">{escape(name)}</span>' if kind == "stop" else escape(name)
            end = f'  <span class="w">{escape(rest.strip())}</span>' if rest else ""
            parts.append(f"{start}{end}<br>")
        parts += ["</div>" * open_divs, escape(self.reply.status)]
        return f'{_STYLE}<div class="lab-onion" style="border:0;padding:0">{"".join(parts)}</div>'

    def _lines(self):
        """(depth, kind, text) from the outside to the inside and back."""
        layers = [layer for layer in self._journey.layers if layer.name]
        for depth, layer in enumerate(layers):
            added = [f"request.{name}" for name in layer.added]
            yield depth, "in", _joined("→ " + layer.name, added, layer.queries["in"])
        depth = len(layers)
        if len(layers) == len(self._journey.layers):
            yield depth - 1, "stop", f"  answers itself: {layers[-1].answered}" if layers else ""
            missed = self._journey.all_names[len(layers) :]
            yield depth - 1, "stop", "  not reached  " + ", ".join([*missed, "the view"])
        else:
            for text in self._core():
                yield depth, "core", text
        for depth, layer in reversed(list(enumerate(layers))):
            yield depth, "out", _joined("← " + layer.name, layer.headers, layer.queries["out"])

    def _core(self):
        journey, match = self._journey, self._journey.match
        core = journey.layers[-1]
        if match is None:
            yield "URL       no pattern matches"
        else:
            kwargs = ", ".join(f"{name}={value!r}" for name, value in match.kwargs.items())
            named = f"name {match.view_name}" if match.url_name else ""
            yield "URL       " + "   ".join(text for text in [match.route or "''", named, kwargs] if text)
            if journey.stopped_by:
                yield f"stopped   by {journey.stopped_by}"
                if ".process_view" in journey.stopped_by:
                    yield f"view      not called: {match._func_path}"
            if ".process_view" not in journey.stopped_by:
                yield f"view      {match._func_path}"
        if journey.exception:
            yield f"raises    {journey.exception}"
        if total := core.queries["in"]:
            inside = journey.template_queries
            yield f"SQL       {_queries(total)}" + (f", {inside} of them in templates" if inside else "")
        if journey.templates:
            names = exchange.counted(journey.templates)
            yield "template  " + ", ".join(names[:_SHOWN_TEMPLATES])
            if len(names) > _SHOWN_TEMPLATES:
                yield f"          … and {len(names) - _SHOWN_TEMPLATES} more"


def _joined(name, additions, queries):
    notes = [f"+ {', '.join(additions)}"] if additions else []
    return "  ".join([name, *notes, *([_queries(queries)] if queries else [])])


def _queries(number):
    return "1 query" if number == 1 else f"{number} queries"
