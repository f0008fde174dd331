"""The shop's pages in a frame below a cell where no server can run: Django's test client answers each click.

Links, forms and uploads work. What a page's own script asks the shop for does not: there is nobody to answer.
Source: https://docs.djangoproject.com/en/stable/topics/testing/tools/#the-test-client
"""

import base64
import re
from functools import lru_cache
from html import escape

from .exchange import outside_event_loop, user_of
from .output import KeptAsText

# Static files are part of the site, beside JupyterLab. A document of `srcdoc` has the origin of the page around it,
# which may therefore listen to its links and forms.
_SCRIPT = """
const SHOP = "http://shop.invalid";

function render({ model, el }) {
  const files = new URL("../shop/static/", location.href).href;
  const line = document.createElement("p");
  const frame = document.createElement("iframe");
  frame.title = "The bookshop";
  frame.className = "lab-site";
  frame.style.cssText = `width:100%;height:${model.get("height")}px;background:#fff;` +
    "border:1px solid var(--jp-border-color1,#bdbdbd)";
  el.append(line, frame);

  const ask = (method, url, fields = []) => {
    line.textContent = `${method} ${url.pathname}${url.search} …`;
    model.send({ method, path: url.pathname + url.search, fields });
  };
  const target = (address) => new URL(address || "", SHOP + model.get("path"));

  const follow = (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey) return;
    const address = link.getAttribute("href");
    if (address.startsWith("#") || address.startsWith("javascript:")) return;
    const url = target(address);
    if (url.origin !== SHOP) {
      link.target = "_blank";
      link.rel = "noopener";
      return;
    }
    event.preventDefault();
    ask("GET", url);
  };

  const fieldsOf = async (form, button) => {
    const fields = [];
    for (const [name, value] of new FormData(form, button)) {
      if (typeof value === "string") fields.push([name, value]);
      else if (value.name) {
        const bytes = new Uint8Array(await value.arrayBuffer());
        let text = "";
        for (const byte of bytes) text += String.fromCharCode(byte);
        fields.push([name, { name: value.name, type: value.type, content: btoa(text) }]);
      }
    }
    return fields;
  };

  const submit = async (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    const form = event.target, button = event.submitter;
    const url = target(button?.getAttribute("formaction") || form.getAttribute("action"));
    const fields = await fieldsOf(form, button);
    if ((form.getAttribute("method") || "get").toLowerCase() === "get") {
      url.search = new URLSearchParams(fields.filter(([, value]) => typeof value === "string"));
      ask("GET", url);
    } else ask("POST", url, fields);
  };

  const load = () => {
    line.textContent = `${model.get("status")} ${model.get("path")}`;
    frame.srcdoc = model.get("page").replace(/(["'(=])\\/static\\//g, `$1${files}`);
  };
  frame.addEventListener("load", () => {
    frame.contentDocument.addEventListener("click", follow);
    frame.contentDocument.addEventListener("submit", submit);
  });
  model.on("change:step", load);
  load();
}
export default { render };
"""


# A script that the shop itself writes, as the admin site does with its translations.
_SCRIPTS = re.compile(r'<script src="(/(?!static/)[^"]+)"\s*></script>')


@lru_cache
def frame_class():
    """The widget; the packages it is made of are imported when it is first asked for."""
    import anywidget
    import traitlets

    class Frame(KeptAsText, anywidget.AnyWidget):
        """The page that the shop answers with, and what it answers to the links and forms in it."""

        _esm = _SCRIPT

        page = traitlets.Unicode().tag(sync=True)
        path = traitlets.Unicode().tag(sync=True)
        status = traitlets.Int(200).tag(sync=True)
        step = traitlets.Int(0).tag(sync=True)  # the same page twice is two answers
        height = traitlets.Int(480).tag(sync=True)

        def __init__(self, path, user=None, **options):
            from django.test import Client

            super().__init__(**options)
            self._shown = path
            self._client = Client(raise_request_exception=False)
            if user is not None:
                self._client.force_login(user_of(user))
            self.answer({"method": "GET", "path": path})
            self.on_msg(lambda widget, content, buffers: self.answer(content))

        def answer(self, request):
            """Send a request of the page to the shop, and show what it leads to."""
            with outside_event_loop():
                if request["method"] == "POST":
                    data = _form_data(request.get("fields", ()))
                    response = self._client.post(request["path"], data, follow=True)
                else:
                    response = self._client.get(request["path"], follow=True)
            path = response.redirect_chain[-1][0] if response.redirect_chain else request["path"]
            page = _SCRIPTS.sub(self._script, _page(response))
            with self.hold_sync():
                self.page, self.path, self.status = page, path, response.status_code
                self.step += 1

        def _script(self, found):
            return f"<script>{self._client.get(found[1]).text}</script>"

        def __repr__(self):
            return f"The bookshop, live at {self._shown}"

    return Frame


def _form_data(fields):
    from django.core.files.uploadedfile import SimpleUploadedFile

    data = {}
    for name, value in fields:
        if isinstance(value, dict):
            value = SimpleUploadedFile(value["name"], base64.b64decode(value["content"]), value["type"])
        data.setdefault(name, []).append(value)
    return data


def _page(response):
    """The body as a document: text as it is, of other things only what they are."""
    kind = response.headers.get("Content-Type", "")
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if kind.startswith("text/html"):
        return body.decode(response.charset or "utf-8", "replace")
    if kind.startswith(("text/", "application/json")):
        return f"<pre>{escape(body.decode('utf-8', 'replace'))}</pre>"
    return f"<p>{escape(kind)}, {len(body)} bytes</p>"
