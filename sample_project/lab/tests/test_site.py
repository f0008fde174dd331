"""The live shop: served, framed, behind a proxy, with somebody logged in."""

import re

import pytest

from lab import site

START = "import re, urllib.error, urllib.request\nfrom lab import serve, start\nstart()\n"
START += "from accounts.models import User\n"
OPEN = """
from http.cookiejar import CookieJar
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
from lab import site

def fetch(path, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{site._running().port}{path}", headers=headers)
    try:
        with browser.open(request) as response:
            return response, response.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        raise
"""


def test_pages_files_and_the_data_of_this_moment(python):
    script = (
        START + OPEN + "from catalog.models import Book\nsite._running()\n"
        "book = Book.objects.get(slug='emma')\nBook.objects.filter(pk=book.pk).update(title='Emma, changed')\n"
        "print('Emma, changed' in fetch(book.get_absolute_url())[1])\n"
        "print(fetch('/static/storefront/shop.css')[0].headers['Content-Type'])\n"
        "try:\n    fetch('/static/nothing.css')\nexcept urllib.error.HTTPError as error:\n    print(error.code)"
    )
    assert python(script) == "The bookshop is ready.\nTrue\ntext/css\n404\n"


def test_one_server_per_kernel(python):
    script = START + OPEN + "one = site._running()\nprint(site._running() is one)"
    assert python(script).endswith("\nTrue\n")


def test_it_may_be_framed_by_pages_of_this_machine_only(python):
    script = (
        START + OPEN + "headers = fetch('/')[0].headers\n"
        "print(headers['X-Frame-Options'], headers['Content-Security-Policy'])"
    )
    assert python(script).endswith("\nNone frame-ancestors 'self' http://localhost:* http://127.0.0.1:*\n")


def test_rules_of_the_shop_itself_stay():
    headers = [("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"), ("X-Frame-Options", "DENY")]
    assert site._framed(headers) == [
        (
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
        )
    ]


def test_behind_a_proxy_links_redirects_and_files_have_its_path(python):
    script = (
        START + OPEN + "prefix = {'X-Forwarded-Context': '/user/me/proxy/8000', 'X-Forwarded-Host': 'hub.example'}\n"
        "page = fetch('/', **prefix)[1]\n"
        "print('href=\"/user/me/proxy/8000/static/storefront/shop.css' in page, 'href=\"/books/' in page)\n"
        "print(fetch('/static/storefront/shop.css', **prefix)[0].status)\n"
        "class Stay(urllib.request.HTTPRedirectHandler):\n"
        "    def redirect_request(self, *arguments):\n        return None\n"
        "browser = urllib.request.build_opener(Stay)\n"
        "try:\n    fetch('/admin/', **prefix)\nexcept urllib.error.HTTPError as error:\n"
        "    print(error.headers['Location'])"
    )
    there = "/user/me/proxy/8000"
    assert python(script).endswith(f"\nTrue False\n200\n{there}/admin/login/?next={there}/admin/\n")


def test_a_user_is_let_in_once_the_word_is_right(python):
    script = (
        START + OPEN + "boss = User.objects.create_superuser('boss')\n"
        "path = site._running().let_in(boss, '/admin/catalog/')\n"
        "try:\n    fetch('/-/notebook/guess/?next=/admin/')\nexcept urllib.error.HTTPError as error:\n"
        "    print(error.code)\n"
        "response, page = fetch(path)\n"
        "print(re.sub('.*?//[^/]*', '', response.url), 'BOSS' in page.upper())\n"
        "try:\n    fetch(path.replace('%2Fadmin%2Fcatalog%2F', '//elsewhere.example/'))\n"
        "except urllib.error.HTTPError as error:\n    print(error.code)"
    )
    assert python(script).endswith("\n403\n/admin/catalog/ True\n403\n")


def test_on_postgresql_it_serves_postgresql(python, environment):
    script = (
        START + OPEN + "from lab import postgres\nfrom catalog.models import Book\n"
        "if not postgres.available():\n    print('True False')\nelse:\n"
        "    with postgres():\n        Book.objects.filter(slug='emma').update(title='Emma there')\n"
        "        there = 'Emma there' in fetch('/books/emma/')[1]\n"
        "    print(there, 'Emma there' in fetch('/books/emma/')[1])"
    )
    assert python(script).endswith("\nTrue False\n")


def test_a_script_gets_a_link(python):
    assert re.search(r"\nThe bookshop is at http://127.0.0.1:\d+/admin/\n$", python(START + "serve('/admin/')"))


def test_what_a_notebook_stores_names_no_port(kernel):
    outputs = kernel.run("from lab import serve\nserve('/admin/')")
    assert outputs.text == "The bookshop, live at /admin/\n"
    assert outputs.html == ["<p>The bookshop, live at /admin/ (run the cell to open it)</p>"]
    assert kernel.run("from lab import site\nprint(site._running().port in range(1, 65536))").text == "True\n"


def test_a_path_begins_with_a_slash():
    with pytest.raises(ValueError, match="not 'admin'"):
        site.serve("admin")


def test_without_threads_the_test_client_answers(python):
    script = START + "from lab import site\nsite.database.processes_exist = lambda: False\nserve('/books/')"
    assert python(script).endswith("\nThe bookshop, live at /books/\n")


@pytest.mark.parametrize("base", ["/user/me/", ""])
def test_the_prefix_of_a_hub(monkeypatch, base):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", base)
    assert site._prefix() == ("/user/me/proxy/" if base else "")
