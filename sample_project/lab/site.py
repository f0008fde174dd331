"""The live bookshop below a cell: every link, form and page of the admin site works.

One server per kernel, in a thread of it, so the pages show the data of this notebook at this moment.
"""

import atexit
import os
import secrets
import threading
import time
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, urlencode

from . import database
from .exchange import user_of
from .output import KeptAsText, display, in_ipython

# Who comes here with the right word is logged in and sent on: the session of the notebook is not the browser's.
_DOOR = "/-/notebook/"
_FRAMES = "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"

# Where the page of the notebook is decides how the browser reaches the shop: on this machine at the port itself,
# under the same host name, or the browser would keep back the cookies; elsewhere through the notebook's own server.
_SCRIPT = """
function render({ model, el }) {
  const { port, path, prefix, height } = Object.fromEntries(
    ["port", "path", "prefix", "height"].map((name) => [name, model.get(name)]));
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const host = location.hostname === "[::1]" ? "127.0.0.1" : location.hostname;
  const url = prefix ? `${location.origin}${prefix}${port}${path}`
    : `http://${local ? host : "127.0.0.1"}:${port}${path}`;
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener";
  link.style.color = "var(--jp-content-link-color, #0b57d0)";
  link.textContent = "Open the bookshop in a tab of its own";
  const line = document.createElement("p");
  line.append(link);
  el.append(line);
  if (!local && !prefix) {
    line.append(" (the notebook runs on another machine: forward port ", String(port), " to yours first)");
    return;
  }
  const frame = document.createElement("iframe");
  frame.src = url;
  frame.title = "The bookshop";
  frame.className = "lab-site";
  frame.style.cssText = `width:100%;height:${height}px;background:#fff;` +
    "border:1px solid var(--jp-border-color1,#bdbdbd)";
  el.append(frame);
}
export default { render };
"""

_server = None


def serve(path: str = "/", *, user=None, height: int = 480):
    """Show the live bookshop below the cell, opened at `path`; where that cannot be, a link to it.

    The server answers on 127.0.0.1 alone, and ends with the kernel. In a browser there is none: see `lab.frame`.

    Args:
        path: the page to open, such as "/admin/".
        user: who is logged in: a user, or a user name. Pages of the admin site need one who is staff.
        height: of the window, in pixels.

    Raises:
        RuntimeError: before the first `start()`.
        ValueError: the path does not begin with "/", or the user is unknown.
    """
    from django.apps import apps

    if not path.startswith("/"):
        raise ValueError(f'serve() takes a path of the shop, such as "/admin/", not {path!r}.')
    if not apps.ready:
        raise RuntimeError("The bookshop does not run yet: call start() first.")
    if not database.processes_exist():
        from .frame import frame_class

        display(frame_class()(path, user, height=height))
        return
    server = _running()
    inside = server.let_in(user_of(user), path) if user is not None else path
    if in_ipython():
        window = _window_class()
        display(window(port=server.port, shown=path, path=inside, prefix=_prefix(), height=height))
    else:
        print(f"The bookshop is at http://127.0.0.1:{server.port}{inside}")


class _Shop:
    """The server. `port` says where it listens."""

    def __init__(self):
        from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

        class Handler(WSGIRequestHandler):
            def log_message(self, format, *args):
                """Nothing: the pages tell what they do, and a cell has ended by then."""

            def handle(self):
                # The browser may have gone on to another page.
                with suppress(ConnectionError, TimeoutError):
                    super().handle()

        class Listener(ThreadedWSGIServer):
            daemon_threads = True
            busy = set()

            def process_request_thread(self, request, client_address):
                self.busy.add(threading.current_thread())
                try:
                    super().process_request_thread(request, client_address)
                finally:
                    self.busy.discard(threading.current_thread())

            def handle_error(self, request, client_address):
                """A browser that hangs up is no matter for the notebook."""

        self._doors = {}
        self._server = Listener(("127.0.0.1", 0), Handler, ipv6=False)
        self._server.set_app(self)
        self.port = self._server.server_address[1]
        self._pages, self._files = _applications()
        _let_files_follow_the_prefix()
        threading.Thread(target=self._server.serve_forever, args=[0.1], daemon=True).start()
        atexit.register(self.stop)

    def stop(self):
        """Take no more requests, and let those that are being answered close their connections to the database."""
        self._server.shutdown()
        self._server.server_close()
        deadline = time.monotonic() + 1
        # A browser may keep its connection open without asking for anything.
        for thread in list(self._server.busy):
            thread.join(timeout=max(0, deadline - time.monotonic()))

    def let_in(self, user, path):
        """The path that logs the browser in as this user and goes on to `path`."""
        word = secrets.token_urlsafe(16)
        self._doors[word] = user.pk
        return f"{_DOOR}{word}/?{urlencode({'next': path})}"

    def __call__(self, environ, start_response):
        prefix = _forwarded(environ)

        def start(status, headers, exc_info=None):
            return start_response(status, _framed(headers), exc_info)

        if self._is_file(environ):
            return self._files(environ, start)
        if prefix:
            environ["SCRIPT_NAME"] = prefix
        return self._pages(environ, start)

    def _is_file(self, environ):
        return self._files._should_handle(environ.get("PATH_INFO", ""))

    def open_door(self, request):
        """Log the user in whom the word in the path stands for; None where there is no such word."""
        from django.contrib.auth import get_user_model, login
        from django.http import HttpResponseForbidden, HttpResponseRedirect
        from django.urls import get_script_prefix
        from django.utils.http import url_has_allowed_host_and_scheme

        word = request.path_info.removeprefix(_DOOR).partition("/")[0]
        user = get_user_model()._default_manager.filter(pk=self._doors.get(word)).first()
        following = request.GET.get("next", "/")
        if user is None or not url_has_allowed_host_and_scheme(following, allowed_hosts=None):
            return HttpResponseForbidden("This link is of another notebook: run the cell again.")
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return HttpResponseRedirect(get_script_prefix().rstrip("/") + following)


def _applications():
    """What answers requests for pages, and what for static files."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler

    class Pages(WSGIHandler):
        def _get_response(self, request):
            # Inside the middleware: logging in needs the session.
            if request.path_info.startswith(_DOOR):
                return _running().open_door(request)
            return super()._get_response(request)

    pages = Pages()
    return pages, StaticFilesHandler(pages)


def _let_files_follow_the_prefix():
    """Links to static and uploaded files begin with the path of the proxy, where there is one.

    Django computes STATIC_URL once for a process; here some requests come through a proxy, and some do not.
    """
    from django.conf import settings
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import default_storage
    from django.urls import get_script_prefix

    def following(url):
        def with_prefix(*args, **kwargs):
            found, prefix = url(*args, **kwargs), get_script_prefix().rstrip("/")
            return prefix + found if prefix and found.startswith("/") else found

        return with_prefix

    # Read outside of any request, they have no prefix and are kept that way.
    _ = settings.STATIC_URL, settings.MEDIA_URL
    for storage in (staticfiles_storage, default_storage):
        storage.url = following(storage.url)


def _running():
    global _server
    if _server is None:
        with database.interrupts_held():
            _server = _Shop()
    return _server


def _prefix():
    """The path under which JupyterHub's proxy shows ports of this machine, or ""."""
    base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    return f"{base.rstrip('/')}/proxy/" if base else ""


def _forwarded(environ):
    """The path under which a proxy shows this server. Sets what Django reads about the browser's side of the proxy."""
    prefix = environ.get("HTTP_X_FORWARDED_CONTEXT") or environ.get("HTTP_X_FORWARDED_PREFIX") or ""
    if not prefix.startswith("/"):
        return ""
    environ["HTTP_HOST"] = environ.get("HTTP_X_FORWARDED_HOST", environ.get("HTTP_HOST", "")).partition(",")[0].strip()
    if environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip() == "https":
        environ["wsgi.url_scheme"] = "https"
    return quote(prefix.rstrip("/"), safe="/%:@")


def _framed(headers):
    """Let pages of this machine show the shop in a frame. SAMEORIGIN would exclude them: they have another port."""
    kept = []
    for name, value in headers:
        if name.lower() == "x-frame-options":
            continue
        if name.lower() == "content-security-policy":
            rules = [rule for rule in value.split(";") if rule.split()[:1] != ["frame-ancestors"]]
            value = ";".join([*rules, f" {_FRAMES}"])
        kept.append((name, value))
    if not any(name.lower() == "content-security-policy" for name, _ in kept):
        kept.append(("Content-Security-Policy", _FRAMES))
    return kept


@lru_cache
def _window_class():
    import anywidget
    import traitlets

    class Window(KeptAsText, anywidget.AnyWidget):
        """The shop in a frame. What is stored of it names no port: a saved notebook has no server."""

        _esm = _SCRIPT

        port = traitlets.Int().tag(sync=True)
        path = traitlets.Unicode().tag(sync=True)
        shown = traitlets.Unicode()
        prefix = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)

        def __repr__(self):
            return f"The bookshop, live at {self.shown}"

    return Window
