"""German, from the header of a request to the compiled file.

https://docs.djangoproject.com/en/stable/topics/i18n/translation/
"""

import gettext
import re
import shutil
import subprocess
import sys
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import ngettext

from orders.exceptions import EmptyOrder, OutOfStock
from orders.models import Order
from storefront.forms import SearchForm

FOLDER = settings.BASE_DIR / "locale/de/LC_MESSAGES"
# As the README gives it.
MAKEMESSAGES = [
    *("makemessages", "-l", "de", "--no-wrap", "--no-obsolete", "--add-location", "file"),
    *("--ignore", "lab/*", "--ignore", "*/tests/*"),
]


def needs(tool):
    return pytest.mark.skipif(
        shutil.which(tool) is None, reason=f"{tool} is not installed: install GNU gettext (Debian: gettext)."
    )


def said(client, path="/", **headers):
    response = client.get(path, headers=headers)
    return response, response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["de", "de-AT", "fr, de;q=0.8, en;q=0.5"])
def test_a_browser_that_wants_german_gets_it(client, header):
    response, page = said(client, accept_language=header)
    assert '<html lang="de">' in page
    assert "<h2>Meistverkauft</h2>" in page
    assert '<span class="price">9,75 €</span>' in page
    assert response.headers["Content-Language"] == "de"
    assert "Accept-Language" in response.headers["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("header", [None, "fr", "en-GB, de;q=0.5", "*", "no such language", "de" * 300])
def test_everybody_else_gets_english(client, header):
    response, page = said(client, **({} if header is None else {"accept_language": header}))
    assert '<html lang="en">' in page
    assert "<h2>Bestselling</h2>" in page
    assert '<span class="price">9.75 €</span>' in page
    assert response.headers["Content-Language"] == "en"


@pytest.mark.django_db
def test_the_choice_in_the_footer_is_kept_in_a_cookie_and_wins(client):
    form = re.search(
        r'<form class="inline" method="post" action="/i18n/.*?</form>', said(client)[1], re.DOTALL
    ).group()
    assert re.findall(r'<button[^>]*value="(\w+)"[^>]*>([^<]+)<', form) == [("en", "English"), ("de", "Deutsch")]
    assert re.search(r'value="en"[^>]*aria-current="true"', form)
    response = client.post("/i18n/setlang/", {"language": "de", "next": "/books/emma/"})
    assert (response.status_code, response.url) == (302, "/books/emma/")
    assert client.cookies["django_language"].value == "de"
    assert "Zum Inhalt springen" in said(client, accept_language="en")[1]


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["xx", "", "../../etc"])
def test_a_language_that_the_shop_does_not_speak_changes_nothing(client, asked):
    client.post("/i18n/setlang/", {"language": asked, "next": "/"})
    assert "django_language" not in client.cookies


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_the_choice_leads_to_no_other_site(client, elsewhere):
    response = client.post("/i18n/setlang/", {"language": "de", "next": elsewhere})
    assert response.url == "/"


@pytest.mark.django_db
@pytest.mark.parametrize(("q", "heading"), [("emma", "1 Buch gefunden"), ("zola", "4 Bücher gefunden")])
def test_the_plural_is_that_of_the_language(client, q, heading):
    assert f"<h2>{heading}</h2>" in said(client, f"/?q={q}", accept_language="de")[1]


def test_a_lazy_text_waits_for_the_language_of_the_reader():
    """Forms, choices and labels are made when modules are imported, long before anybody asks for a page."""
    label = SearchForm.base_fields["q"].label
    assert str(label) == "Title or author"
    with translation.override("de"):
        assert str(label) == "Titel oder Autor"
        assert Order(status="paid").get_status_display() == "Bezahlt"
    assert Order(status="paid").get_status_display() == "Paid"


class Emma:
    title = "Emma"


def test_what_the_shop_says_in_python_is_translated_as_well():
    with translation.override("de"):
        assert str(EmptyOrder()).startswith("Diese Bestellung ist leer.")
        assert str(OutOfStock(Emma, wanted=3, left=1)).startswith("Von Emma ist nur noch 1 Exemplar da")
        assert str(OutOfStock(Emma, wanted=3, left=2)).startswith("Von Emma sind nur noch 2 Exemplare da")
        assert ngettext("%(found)s book found", "%(found)s books found", 0) % {"found": 0} == "0 Bücher gefunden"


@pytest.mark.django_db
def test_numbers_and_texts_of_a_page_for_errors_are_translated(client):
    assert "Diese Seite steht nicht in unseren Regalen" in said(client, "/nowhere/", accept_language="de")[1]


def test_the_template_of_a_number_uses_the_decimal_comma():
    from django.template import Context, Template

    with translation.override("de"):
        assert Template("{{ price }}").render(Context({"price": Decimal("9.75")})) == "9,75"


def catalogue(path):
    with open(path, "rb") as file:
        return dict(gettext.GNUTranslations(file)._catalog)


def test_the_compiled_file_is_there_for_those_without_the_tools():
    assert catalogue(FOLDER / "django.mo")["Cart"] == "Warenkorb"


@needs("msgfmt")
def test_the_compiled_file_says_what_the_source_says(tmp_path):
    fresh = tmp_path / "django.mo"
    compiled = subprocess.run(
        ["msgfmt", "--check-format", "--check-domain", "-o", fresh, FOLDER / "django.po"],
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stderr
    assert catalogue(fresh) == catalogue(FOLDER / "django.mo"), "run: manage.py compilemessages -l de"


@needs("msgattrib")
@pytest.mark.parametrize("state", ["--only-fuzzy", "--untranslated", "--only-obsolete"])
def test_no_text_is_guessed_missing_or_out_of_use(state):
    listed = subprocess.run(["msgattrib", state, FOLDER / "django.po"], capture_output=True, text=True, check=True)
    assert "msgid" not in listed.stdout


@needs("xgettext")
def test_every_text_that_is_marked_is_in_the_source(tmp_path):
    """`makemessages` in a copy of the project finds what the file in the repository has, no more and no less."""
    copy = tmp_path / "shop"
    unwanted = shutil.ignore_patterns("tests", "*.sqlite3*", "__pycache__", "*.mo", "media", "staticfiles", "data")
    shutil.copytree(settings.BASE_DIR, copy, ignore=unwanted)
    made = subprocess.run([sys.executable, "manage.py", *MAKEMESSAGES], cwd=copy, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    found = messages(copy / "locale/de/LC_MESSAGES/django.po")
    assert found - messages(FOLDER / "django.po") == set(), f"run: manage.py {' '.join(MAKEMESSAGES)}"
    assert messages(FOLDER / "django.po") - found == set(), "no longer marked anywhere"


def messages(path):
    """What is to be translated, each with its context and plural, as gettext's files have it."""
    lines = re.findall(r'^((?:msgctxt|msgid|msgid_plural) .*(?:\n".*")*)', path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r'"\n"', "", line) for line in lines}


def test_the_readme_says_how_to_bring_it_up_to_date():
    quoted = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8").replace('"', "")
    assert f"python manage.py {' '.join(MAKEMESSAGES)}\n" in quoted
    assert "python manage.py compilemessages -l de\n" in quoted
