# %%
from checks import check, hint, solution
from lab import get, post, start

start()

# Django is set up now, so its models can be imported.
import ast
import hashlib
import hmac
import html
import io
import json
import random
import re
import secrets
import time
import uuid
import zipfile
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from accounts.models import User
from catalog.models import Book
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.validators import validate_email
from django.db.models import F, Q
from django.forms.models import model_to_dict
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from orders.models import Invoice, Order
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

# %% [markdown] exercise="21.1"
# ### 21.1 Sort as the visitor likes
#
# `language` and `sort` come from the URL, as they are. Return the books in that language: by title for `"title"`, the cheapest first for `"price"`, the one added last first for
# `"newest"`, and by title for whatever else was sent. Equal ones may come in any order. One query.

# %% exercise="21.1" role="check"
from django.db import DatabaseError, connection

ASKED = [
    ("English", "title"),
    ("English", "price"),
    ("English", "newest"),
    ("French", "newest"),
    ("English", "title; DROP TABLE catalog_book"),
    ("English", "author__name"),
    ("English", "-price"),
    ("English", "pages"),
    ("English", ""),
    ("x' OR '1'='1", "title"),
    ("English' --", "price"),
    ("%", "title"),
    ("Eng", "title"),
    ("", "title"),
]


def observe(answer):
    sent = []

    def watch(execute, sql, params, many, context):
        sent.append(sql)
        return execute(sql, params, many, context)

    seen = []
    for language, sort in ASKED:
        sent.clear()
        try:
            with connection.execute_wrapper(watch):
                found = list(answer(language, sort))
        except DatabaseError:
            if "'" not in language:
                raise
            seen.append((language, sort, "the database did not understand the SQL"))
            continue
        column = {"price": "price", "newest": "added"}.get(sort, "title")
        with uncounted():
            seen.append((language, sort, "how many", len({book.pk for book in found})))
            seen += [(language, sort, place, getattr(book, column)) for place, book in enumerate(found, 1)]
        part = language not in ("%", "") and any(f"'{language}'" in sql for sql in sent)
        seen.append((language, sort, "the language is part of the SQL", part))
    return seen

# %% exercise="21.1" role="answer" ordered=true budget=14
def books(language, sort):
    # solution
    order = {"price": "price", "newest": "-added"}.get(sort, "title")
    return Book.objects.filter(language=language).order_by(order)
    # end


check("21.1")

# %% exercise="21.1" role="alternative" note="In SQL, where there is a reason for it: the value as a parameter, the column from a list of yours. Nothing that was sent becomes part of the text."
SORTS = {"title": "title", "price": "price", "newest": "added DESC"}


def books(language, sort):
    sql = f"SELECT * FROM catalog_book WHERE language = %s ORDER BY {SORTS.get(sort, 'title')}"
    return Book.objects.raw(sql, [language])

# %% exercise="21.1" role="mistake" says="The language is part of the SQL: with a quote in it, all books come back. Give it as a parameter."
SORTS = {"title": "title", "price": "price", "newest": "added DESC"}


def books(language, sort):
    order = SORTS.get(sort, "title")
    return Book.objects.raw(f"SELECT * FROM catalog_book WHERE language = '{language}' ORDER BY {order}")

# %% exercise="21.1" role="mistake" says="The quotes are doubled by hand, and the language is still part of the SQL. Another database, or another place in the statement, has other rules: give it as a parameter."
SORTS = {"title": "title", "price": "price", "newest": "added DESC"}


def books(language, sort):
    order, language = SORTS.get(sort, "title"), language.replace("'", "''")
    return Book.objects.raw(f"SELECT * FROM catalog_book WHERE language = '{language}' ORDER BY {order}")

# %% exercise="21.1" role="mistake" says="What stands in `where` of `extra()` is SQL, and the language is part of it. Give it in `params`, or better: use `filter()`."
def books(language, sort):
    order = {"price": "price", "newest": "-added"}.get(sort, "title")
    return Book.objects.extra(where=[f"language = '{language}'"]).order_by(order)

# %% exercise="21.1" role="mistake" says="The beginning of a language's name is enough for you, and no name at all gives every book. Compare the whole."
def books(language, sort):
    order = {"price": "price", "newest": "-added"}.get(sort, "title")
    return Book.objects.filter(language__startswith=language).order_by(order)

# %% exercise="21.1" role="mistake" says="A parameter is a value: the database sorts by the word `price`, which is the same for all rows. Names come from a list of yours."
SORTS = {"title": "title", "price": "price", "newest": "added DESC"}


def books(language, sort):
    sql = "SELECT * FROM catalog_book WHERE language = %s ORDER BY %s"
    return Book.objects.raw(sql, [language, SORTS.get(sort, "title")])

# %% exercise="21.1" role="mistake" says="Whatever is a field can be sorted by, so visitors choose from all of them. Three words are allowed."
def books(language, sort):
    names = {field.name for field in Book._meta.get_fields()}
    order = "-added" if sort == "newest" else sort if sort.lstrip("-") in names else "title"
    return Book.objects.filter(language=language).order_by(order)

# %% exercise="21.1" role="mistake" says="Your list is asked, and what is not on it is taken as it came: `author__name` sorts by a table that nobody offered. Fall back to the title."
def books(language, sort):
    order = {"newest": "-added"}.get(sort, sort)
    try:
        return Book.objects.filter(language=language).order_by(order)
    except Exception:
        return Book.objects.filter(language=language).order_by("title")

# %% exercise="21.1" role="hint"
# Values can travel beside the SQL. Which part of the query is not a value?
# %% exercise="21.1" role="hint"
# A dict from the words to what `order_by` gets, with `.get(sort, "title")`.

# %% [markdown] exercise="21.2"
# ### 21.2 A name that links to a page
#
# Customers give a name and, if they like, the address of their page. Write `byline(name, homepage)`: HTML for a template, `<a href="…" rel="nofollow">name</a>`, if the address is one of `http` or
# `https` with a host, and the name alone otherwise. Both were typed by strangers. It will be shown as `{{ byline }}`.

# %% exercise="21.2" role="check"
from html.parser import HTMLParser


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def observe(answer):
    seen = []
    for name, homepage in (
        ("Mira", "https://mira.example/"),
        ("Mira", "http://mira.example/books?a=1&b=2"),
        ("Mira & <Tomas>", "https://mira.example/"),
        ("<script>steal()</script>", ""),
        ("<script>steal()</script>", "javascript:steal()"),
        ("Mira", "javascript:steal()"),
        ("Mira", "JavaScript:steal()"),
        ("Mira", "java\nscript:steal()"),
        ("Mira", " javascript:steal()//http://mira.example/"),
        ("Mira", "javascript://mira.example/%0Asteal()"),
        ("Mira", "data:text/html,<script>steal()</script>"),
        ("Mira", "//evil.example/"),
        ("Mira", "https:"),
        ("Mira", ""),
    ):
        reader = Reader()
        reader.feed(engines["django"].from_string("{{ byline }}").render({"byline": answer(name, homepage)}))
        reader.close()
        seen.append((name, homepage, reader.text, reader.tags))
    reader = Reader()
    quoted = answer("Mira", 'https://mira.example/" onmouseover="steal()')
    reader.feed(engines["django"].from_string("{{ byline }}").render({"byline": quoted}))
    names = {name for _, attributes in reader.tags for name in attributes}
    return [*seen, ("a quote in the address", sorted(names - {"href", "rel"}))]

# %% exercise="21.2" role="answer"
def byline(name, homepage):
    # solution
    address = urlsplit(homepage)
    if address.scheme in ("http", "https") and address.netloc:
        return format_html('<a href="{}" rel="nofollow">{}</a>', homepage, name)
    return name
    # end


check("21.2")

# %% exercise="21.2" role="alternative" note="A template inside Python: escaping is the default there, and more HTML stays readable. Heavier for one tag."
LINK = engines["django"].from_string('<a href="{{ homepage }}" rel="nofollow">{{ name }}</a>')


def byline(name, homepage):
    if re.match(r"https?://[^/\s]", homepage):
        return LINK.render({"homepage": homepage, "name": name})
    return name

# %% exercise="21.2" role="mistake" says="`mark_safe` promises that you have escaped everything, and nothing was: a name with `<` is HTML now. `format_html` escapes what it puts in."
def byline(name, homepage):
    address = urlsplit(homepage)
    if address.scheme in ("http", "https") and address.netloc:
        return mark_safe(f'<a href="{homepage}" rel="nofollow">{name}</a>')
    return mark_safe(name)

# %% exercise="21.2" role="mistake" says="All is escaped, and `javascript:` needs no escaping: look at the scheme of the address."
def byline(name, homepage):
    if homepage:
        return format_html('<a href="{}" rel="nofollow">{}</a>', homepage, name)
    return name

# %% exercise="21.2" role="mistake" says="One spelling of one scheme is refused. Browsers ignore case, blanks in front and line breaks inside, and there are other schemes: say which are allowed."
def byline(name, homepage):
    if homepage and not homepage.startswith("javascript:"):
        return format_html('<a href="{}" rel="nofollow">{}</a>', homepage, name)
    return name

# %% exercise="21.2" role="mistake" says="The address has `http` in it somewhere, and another scheme in front of it. Ask for the scheme itself."
def byline(name, homepage):
    if "http" in homepage:
        return format_html('<a href="{}" rel="nofollow">{}</a>', homepage, name)
    return name

# %% exercise="21.2" role="mistake" says="What you return is a plain string, so the template escapes the link and shows its tags. `format_html` returns HTML that is safe."
def byline(name, homepage):
    address = urlsplit(homepage)
    if address.scheme in ("http", "https") and address.netloc:
        return f'<a href="{escape(homepage)}" rel="nofollow">{escape(name)}</a>'
    return name

# %% exercise="21.2" role="hint"
# Escaping is about characters. Which part of an address decides what a click does?
# %% exercise="21.2" role="hint"
# `urlsplit(homepage).scheme` and `.netloc`, then `format_html('<a href="{}" …>{}</a>', …)`.

# %% [markdown] exercise="21.3"
# ### 21.3 A call without a cookie
#
# A bank posts to the view `paid` when money arrives: JSON such as `{"order": "2026-000123"}`, and a header `X-Signature` with the HMAC-SHA256 of the body, as hex, under `settings.BANK_KEY`. Take POST alone (405). Without the
# right signature answer 403, whatever else was sent. With it answer JSON with the `order`. The bank has neither cookies nor a CSRF token. Compare signatures in constant time.

# %% exercise="21.3" role="check"
class Watched:
    """Text, or the bytes of it, that tells when it is compared with something as long as a signature."""

    compared = False

    def __eq__(self, other):
        Watched.compared = Watched.compared or len(other) > 30
        return super().__eq__(other)

    def __ne__(self, other):
        return not self == other


class WatchedBytes(Watched, bytes):
    __hash__ = bytes.__hash__


class WatchedText(Watched, str):
    __hash__ = str.__hash__

    def __str__(self):
        return self

    def encode(self, *options, **more):
        return WatchedBytes(str.encode(self, *options, **more))

    def strip(self, *options):
        return WatchedText(str.strip(self, *options))

    def lower(self):
        return WatchedText(str.lower(self))


def observe(answer):
    Watched.compared = False
    key = "the key of the bank"
    body = '{ "order":  "2026-000123" }'

    def sign(text, key=key):
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

    def send(text=body, method="post", **headers):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        reply = client.generic(method.upper(), "/paid/", text, "application/json", headers=headers)
        return reply.status_code, reply.json() if reply.status_code == 200 else None

    patterns = (path("paid/", answer),)
    with override_settings(BANK_KEY=key, ROOT_URLCONF=patterns, DEBUG=False):
        seen = [
            ("right", send(**{"x-signature": sign(body)})),
            ("another order", send('{"order": "2026-000124"}', **{"x-signature": sign('{"order": "2026-000124"}')})),
            ("none", send()),
            ("empty", send(**{"x-signature": ""})),
            ("of another body", send('{"order": "2026-000124"}', **{"x-signature": sign(body)})),
            ("under another key", send(**{"x-signature": sign(body, "SECRET")})),
            ("a plain hash", send(**{"x-signature": hashlib.sha256(body.encode()).hexdigest()})),
            ("not ASCII", send(**{"x-signature": "é"})),
            ("no JSON, not signed", send("nonsense")),
            ("GET", send("", "get", **{"x-signature": sign("")})),
        ]
    with override_settings(BANK_KEY=key):
        request = RequestFactory().post("/paid/", body, content_type="application/json")
        request.META["HTTP_X_SIGNATURE"] = WatchedText(sign(body))
        answer(request)
    return [*seen, f"asks for a CSRF token: {not getattr(answer, 'csrf_exempt', False)}", f"compared with ==: {Watched.compared}"]

# %% exercise="21.3" role="answer" seconds=20
# solution
@csrf_exempt
@require_POST
# end
def paid(request):
    # solution
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if not constant_time_compare(request.headers.get("X-Signature", ""), expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})
    # end


check("21.3")

# %% exercise="21.3" role="alternative" note="The standard library alone. `compare_digest` refuses text that is not ASCII with a TypeError, so the header becomes bytes first."
@csrf_exempt
def paid(request):
    if request.method != "POST":
        return HttpResponse(status=405)
    expected = hmac.digest(settings.BANK_KEY.encode(), request.body, "sha256").hex()
    if not hmac.compare_digest(request.headers.get("X-Signature", "").encode(), expected.encode()):
        raise PermissionDenied
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="Without `csrf_exempt` the bank gets 403: it has no token. Here the signature does what the token does elsewhere."
@require_POST
def paid(request):
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if not constant_time_compare(request.headers.get("X-Signature", ""), expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="Exempt from CSRF, and nothing in its place: anybody can report a payment. Check the signature."
@csrf_exempt
@require_POST
def paid(request):
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="`==` stops at the first letter that differs, and the time it takes tells how many were right. `constant_time_compare` looks at all of them."
@csrf_exempt
@require_POST
def paid(request):
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if request.headers.get("X-Signature", "") != expected:
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="The JSON is read and written again before it is signed: another blank, and a right signature is refused. Sign `request.body`, byte by byte."
@csrf_exempt
@require_POST
def paid(request):
    try:
        data = json.loads(request.body)
    except ValueError:
        return HttpResponseForbidden("This is no JSON.")
    expected = hmac.new(settings.BANK_KEY.encode(), json.dumps(data).encode(), hashlib.sha256).hexdigest()
    if not constant_time_compare(request.headers.get("X-Signature", ""), expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": data["order"]})

# %% exercise="21.3" role="mistake" says="A header that is missing, or not ASCII, ends in a 500. Whoever calls without a right signature gets 403."
@csrf_exempt
@require_POST
def paid(request):
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(request.headers["X-Signature"], expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="The body is hashed without the key: anybody can compute that. An HMAC needs the secret."
@csrf_exempt
@require_POST
def paid(request):
    expected = hashlib.sha256(request.body).hexdigest()
    if not constant_time_compare(request.headers.get("X-Signature", ""), expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="Turned into bytes, and still compared with `==`, which stops at the first letter that differs. `constant_time_compare` looks at all of them."
@csrf_exempt
@require_POST
def paid(request):
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if expected.encode() == request.headers.get("X-Signature", "").encode():
        return JsonResponse({"order": json.loads(request.body)["order"]})
    return HttpResponseForbidden("The signature is wrong.")

# %% exercise="21.3" role="mistake" says="Key and body in one hash are no HMAC: the bank's signature is another one, and with SHA-256 whoever has seen one can sign a longer body. Use `hmac`, with `settings.BANK_KEY`."
@csrf_exempt
@require_POST
def paid(request):
    expected = hashlib.sha256(settings.BANK_KEY.encode() + request.body).hexdigest()
    if not constant_time_compare(request.headers.get("X-Signature", ""), expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="mistake" says="Who sends no signature is let in: it is compared only where there is one. Nothing is a wrong signature, too."
@csrf_exempt
@require_POST
def paid(request):
    given = request.headers.get("X-Signature")
    expected = hmac.new(settings.BANK_KEY.encode(), request.body, hashlib.sha256).hexdigest()
    if given and not constant_time_compare(given, expected):
        return HttpResponseForbidden("The signature is wrong.")
    return JsonResponse({"order": json.loads(request.body)["order"]})

# %% exercise="21.3" role="hint"
# What was signed are the bytes of the body. When do you need to know what they say?
# %% exercise="21.3" role="hint"
# `hmac.new(key, request.body, hashlib.sha256).hexdigest()`, and `constant_time_compare` from `django.utils.crypto`.

# %% [markdown] exercise="21.4"
# ### 21.4 Whose invoice?
#
# The view `invoice(request, number)` answers JSON with `number` and `amount` (as text). Customers get the invoices of their own orders; who has the permission `orders.view_invoice` gets any. For everybody else there is no such
# invoice, not even for staff: 404. Who is not logged in gets 401, for every number.

# %% exercise="21.4" role="check"
from datetime import date
from decimal import Decimal

from django.utils import timezone


def observe(answer):
    with uncounted():
        people = {name: User.objects.create(username=f"check-{name}") for name in ("owner", "other", "clerk", "staff", "issuer")}
        User.objects.filter(pk=people["staff"].pk).update(is_staff=True)
        people["clerk"].user_permissions.add(Permission.objects.get(codename="view_invoice"))
        people["issuer"].user_permissions.add(Permission.objects.get(codename="change_order"))
        for name, customer in (("mine", "owner"), ("theirs", "other")):
            order = Order.objects.create(number=f"2030-{name}", customer=people[customer], placed_at=timezone.now())
            Invoice.objects.create(
                number=f"I2030-{name}", order=order, issued_by=people["issuer"], issued_on=date(2030, 1, 1), amount=Decimal("9.50")
            )
        people = {name: User.objects.get(pk=user.pk) for name, user in people.items()} | {"nobody": AnonymousUser()}
    seen = []
    for name, user in people.items():
        for number in ("I2030-mine", "I2030-theirs", "I2030-none"):
            request = RequestFactory().get("/")
            request.user = user
            try:
                response = answer(request, number)
            except Http404:
                seen.append((name, number, 404, None))
            except PermissionDenied:
                seen.append((name, number, 403, None))
            else:
                body = json.loads(response.content) if response.status_code == 200 else None
                seen.append((name, number, response.status_code, body))
    return seen

# %% exercise="21.4" role="answer"
def invoice(request, number):
    # solution
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    invoices = Invoice.objects.all()
    if not request.user.has_perm("orders.view_invoice"):
        invoices = invoices.filter(order__customer=request.user)
    found = get_object_or_404(invoices, number=number)
    return JsonResponse({"number": found.number, "amount": str(found.amount)})
    # end


check("21.4")

# %% exercise="21.4" role="alternative" note="Fetched first, asked afterwards. It reads well for one object; for a list there has to be a filter, and then the rule is in two places."
def invoice(request, number):
    user = request.user
    if user.is_anonymous:
        return JsonResponse({"detail": "Log in."}, status=401)
    found = get_object_or_404(Invoice.objects.select_related("order"), number=number)
    if found.order.customer_id != user.pk and not user.has_perm("orders.view_invoice"):
        raise Http404
    return JsonResponse({"number": found.number, "amount": f"{found.amount:.2f}"})

# %% exercise="21.4" role="mistake" says="Whoever is logged in reads every invoice: to be known is not to be allowed. Look among the user's own."
def invoice(request, number):
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    found = get_object_or_404(Invoice, number=number)
    return JsonResponse({"number": found.number, "amount": str(found.amount)})

# %% exercise="21.4" role="mistake" says="403 says that the invoice exists, so anybody can count them. What one may not see is not found."
def invoice(request, number):
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    found = get_object_or_404(Invoice, number=number)
    if found.order.customer != request.user and not request.user.has_perm("orders.view_invoice"):
        return HttpResponse(status=403)
    return JsonResponse({"number": found.number, "amount": str(found.amount)})

# %% exercise="21.4" role="mistake" says="`is_staff` says who may enter the admin site, and nothing about invoices. Ask for the permission."
def invoice(request, number):
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    invoices = Invoice.objects.all() if request.user.is_staff else Invoice.objects.filter(order__customer=request.user)
    found = get_object_or_404(invoices, number=number)
    return JsonResponse({"number": found.number, "amount": str(found.amount)})

# %% exercise="21.4" role="mistake" says="The invoice is looked for before anybody is asked who they are: a stranger gets 404 for one number and 401 for another, and learns which exist."
def invoice(request, number):
    found = get_object_or_404(Invoice, number=number)
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if found.order.customer != request.user and not request.user.has_perm("orders.view_invoice"):
        raise Http404
    return JsonResponse({"number": found.number, "amount": str(found.amount)})

# %% exercise="21.4" role="mistake" says="These are the invoices that the user has issued, not those that they have to pay. Follow the order to its customer."
def invoice(request, number):
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    invoices = Invoice.objects.all()
    if not request.user.has_perm("orders.view_invoice"):
        invoices = invoices.filter(issued_by=request.user)
    found = get_object_or_404(invoices, number=number)
    return JsonResponse({"number": found.number, "amount": str(found.amount)})

# %% exercise="21.4" role="hint"
# Decide first which invoices there are for this user. Then look for the number among them.
# %% exercise="21.4" role="hint"
# `order__customer=request.user`, unless `request.user.has_perm("orders.view_invoice")`.

# %% [markdown] exercise="21.5"
# ### 21.5 Take what is offered, no more
#
# `data` is a dict that came as JSON. Write `update_account(user, data)`: it changes `first_name`, `last_name` and `email`, and nothing else, whatever the dict has. What is not in it stays as it is. The names have at most as many
# letters as their columns, the e-mail is an address or empty; if anything is wrong, nothing is saved. Return the sorted names of what was wrong.

# %% exercise="21.5" role="check"
COLUMNS = ["first_name", "last_name", "email", "username", "is_staff", "is_superuser", "is_active"]


def observe(answer):
    seen = []
    for data in (
        {"first_name": "Mira", "last_name": "Lund", "email": "mira@lund.example"},
        {"first_name": "Mira"},
        {"email": ""},
        {},
        {"first_name": "Mira", "is_superuser": True, "is_staff": True},
        {"last_name": "Lund", "username": "admin", "password": "known", "is_active": False},
        {"last_name": "Lund", "date_joined": "2000-01-01T00:00:00Z", "last_login": "2000-01-01T00:00:00Z"},
        {"last_name": "Lund", "groups": [1], "user_permissions": [1], "set_password": "known", "save": "no"},
        {"first_name": "Mira", "id": 999_999, "pk": 999_999},
        {"email": "nonsense", "first_name": "Mira"},
        {"first_name": "M" * 151, "last_name": "L" * 151, "email": "mira@lund.example"},
        {"first_name": "M" * 150, "last_name": "L" * 150},
    ):
        with uncounted():
            User.objects.filter(username="check-user").delete()
            user = User.objects.create(username="check-user", first_name="Ana", last_name="Silva", email="ana@silva.example")
            before = User.objects.count()
        wrong = answer(User.objects.get(pk=user.pk), dict(data))
        with uncounted():
            row = User.objects.get(pk=user.pk)
            more = User.objects.count() - before, row.groups.count(), row.user_permissions.count()
            same = row.password == user.password, row.date_joined == user.date_joined, row.last_login == user.last_login
            seen.append((data, wrong, [getattr(row, name) for name in COLUMNS], more, same))
            User.objects.filter(pk=999_999).delete()
            User.objects.filter(pk=user.pk).update(username="check-user")
    return seen

# %% exercise="21.5" role="answer"
def update_account(user, data):
    # solution
    fields = ["first_name", "last_name", "email"]
    form = forms.modelform_factory(User, fields=fields)(model_to_dict(user, fields) | data, instance=user)
    if form.is_valid():
        form.save()
    return sorted(form.errors)
    # end


check("21.5")

# %% exercise="21.5" role="alternative" note="Without a form: the model checks its own fields. `update_fields` writes those three, so that nothing else goes back that another request has changed meanwhile."
def update_account(user, data):
    fields = ["first_name", "last_name", "email"]
    for name in fields:
        if name in data:
            setattr(user, name, data[name])
    try:
        user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in fields])
    except ValidationError as error:
        return sorted(error.message_dict)
    user.save(update_fields=fields)
    return []

# %% exercise="21.5" role="mistake" says="The form has a field for every column, so whoever sends `is_superuser` is one. Name the fields."
def update_account(user, data):
    UserForm = forms.modelform_factory(User, fields="__all__")
    form = UserForm(model_to_dict(user) | data, instance=user)
    if form.is_valid():
        form.save()
    return sorted(form.errors)

# %% exercise="21.5" role="mistake" says="What must not be changed is listed, and the list has gaps: the user name, the key, the date. List what may be changed."
def update_account(user, data):
    for name, value in data.items():
        if name not in ("is_staff", "is_superuser", "password", "groups", "user_permissions", "save", "set_password"):
            setattr(user, name, value)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        return sorted(error.message_dict)
    user.save()
    return []

# %% exercise="21.5" role="mistake" says="What was not sent became empty: a form takes a missing text for an empty one. Begin with the values that are there."
def update_account(user, data):
    form = forms.modelform_factory(User, fields=["first_name", "last_name", "email"])(data, instance=user)
    if form.is_valid():
        form.save()
    return sorted(form.errors)

# %% exercise="21.5" role="mistake" says="Nothing is checked: `save()` and `update()` do not validate. A form does, or `clean_fields()`."
def update_account(user, data):
    allowed = {name: data[name] for name in ("first_name", "last_name", "email") if name in data}
    User.objects.filter(pk=user.pk).update(**allowed)
    return []

# %% exercise="21.5" role="mistake" says="What is right was saved although something was wrong. All of it, or nothing."
def update_account(user, data):
    wrong = []
    for name in ("first_name", "last_name", "email"):
        if name in data:
            try:
                User._meta.get_field(name).clean(data[name], user)
            except ValidationError:
                wrong.append(name)
            else:
                setattr(user, name, data[name])
    user.save()
    return sorted(wrong)

# %% exercise="21.5" role="hint"
# Write down what may be changed. What may not is a list without end.
# %% exercise="21.5" role="hint"
# `forms.modelform_factory(User, fields=[…])`, and for what was not sent `model_to_dict(user, fields)`.

# %% [markdown] exercise="21.6"
# ### 21.6 Before you unpack it
#
# A publisher uploads a ZIP archive. Write the validator `check_archive(file)`. Raise `ValidationError` with the code `"not_zip"` if it is none, `"outside"` if a name in it leads out of the folder it would be unpacked in (it is absolute, or
# `..` is one of its parts, whether they are parted by `/` or `\`), and `"too_large"` if all together take more than 1,000,000 bytes once unpacked. Look in this order, unpack nothing, and leave the file at its beginning.

# %% exercise="21.6" role="check"
from unittest import mock


def observe(answer):
    def archive(**contents):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in contents.items():
                info = zipfile.ZipInfo("x")
                info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
                packed.writestr(info, content)
        return buffer.getvalue()

    megabyte = bytes(1_000_000)
    seen = []
    for what, content in (
        ("two files", archive(**{"emma.txt": b"Emma", "emma/cover.txt": b"x"})),
        ("nothing in it", archive()),
        ("dots in a name", archive(**{"emma..txt": b"x", "..emma.txt": b"x", "a.../b.txt": b"x"})),
        ("up", archive(**{"emma.txt": b"x", "../settings.py": b"x"})),
        ("down and up", archive(**{"emma/../../settings.py": b"x"})),
        ("up at the end", archive(**{"emma/..": b"x"})),
        ("absolute", archive(**{"/etc/passwd": b"x"})),
        ("backslashes", archive(**{"..\\settings.py": b"x"})),
        ("absolute with a backslash", archive(**{"\\settings.py": b"x"})),
        ("a megabyte", archive(**{"a.txt": megabyte})),
        ("a megabyte in two", archive(**{"a.txt": megabyte[:600_000], "b.txt": megabyte[:400_000]})),
        ("a byte more", archive(**{"a.txt": megabyte + b"x"})),
        ("many below the limit", archive(**{f"{n}.txt": megabyte[:300_000] for n in range(4)})),
        ("up, and large", archive(**{"../a.txt": megabyte + b"x"})),
        ("text", b"PK, or so they say"),
        ("empty", b""),
        ("cut", archive(**{"emma.txt": b"Emma" * 100})[:-30]),
        ("the list of names is damaged", archive(**{"emma.txt": b"Emma"}).replace(b"PK\x01\x02", b"PK\x09\x09")),
    ):
        file = SimpleUploadedFile("delivery.zip", content)
        with mock.patch.object(zipfile.ZipFile, "open", autospec=True, side_effect=zipfile.ZipFile.open) as unpacked:
            try:
                answer(file)
                said = "taken"
            except ValidationError as error:
                said = error.code
        seen.append((what, said, "closed" if file.closed else file.tell()))
        if unpacked.called:
            seen.append((what, "something was unpacked"))
    return seen

# %% exercise="21.6" role="answer"
def check_archive(file):
    # solution
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from None
    finally:
        file.seek(0)
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/"):
            raise ValidationError("A name leads out of the archive.", code="outside")
    if sum(member.file_size for member in members) > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")
    # end


check("21.6")

# %% exercise="21.6" role="alternative" note="With `PurePosixPath`, which knows the parts of a path. `is_zipfile` looks for the end of the archive alone, so opening it can still fail."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    paths = [PurePosixPath(member.filename.replace("\\", "/")) for member in members]
    if any(path.is_absolute() or ".." in path.parts for path in paths):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if sum(member.file_size for member in members) > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="You have measured what was uploaded. A megabyte of zeros is a thousand bytes in the archive: add up `file_size`."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    names = [member.filename.replace("\\", "/") for member in members]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if file.size > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="Each file is small enough, and all together are not. The limit is for the sum."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    names = [member.filename.replace("\\", "/") for member in members]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if any(member.file_size > 1_000_000 for member in members):
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="`..` at the beginning is refused, and `emma/../../settings.py` gets out all the same. Look at every part of the name."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    if any(member.filename.startswith(("/", "\\", "../", "..\\")) for member in members):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if sum(member.file_size for member in members) > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="`emma..txt` is a fine name. Two dots lead upwards where they are a whole part of the path."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    if any(".." in member.filename or member.filename.startswith(("/", "\\")) for member in members):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if sum(member.file_size for member in members) > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="The file is at its end now: whoever saves it saves nothing. `seek(0)` when you have looked, also when you refuse."
def check_archive(file):
    try:
        members = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    names = [member.filename.replace("\\", "/") for member in members]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise ValidationError("A name leads out of the archive.", code="outside")
    if sum(member.file_size for member in members) > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="mistake" says="You unpack it to see how large it is. That is what a bomb waits for: gigabytes are in memory before you have counted them. `file_size` stands in the archive's list."
def check_archive(file):
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise ValidationError("This is no ZIP archive.", code="not_zip") from error
    finally:
        file.seek(0)
    names = [name.replace("\\", "/") for name in archive.namelist()]
    if any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise ValidationError("A name leads out of the archive.", code="outside")
    size = sum(len(archive.read(name)) for name in archive.namelist())
    file.seek(0)
    if size > 1_000_000:
        raise ValidationError("Unpacked it has more than 1 MB.", code="too_large")

# %% exercise="21.6" role="hint"
# `infolist()` tells names and sizes without unpacking. Which of its two sizes is the one on the disk afterwards?
# %% exercise="21.6" role="hint"
# `name.replace("\\", "/").split("/")` gives the parts; `finally: file.seek(0)` serves every way out.

# %% [markdown] exercise="21.7"
# ### 21.7 Three guesses a minute
#
# Write `attempt(cache, who)`: count an attempt, and return whether it is within 3 in 60 seconds, counted from the first. Attempts that are refused do not make the minute longer. `cache` has the methods of Django's caches and is shared by
# all processes, so two attempts may be made at the same moment.

# %% exercise="21.7" role="check"
class Shared:
    """A cache with a clock set by hand. `before` and `meanwhile` are another process, before and after the next look."""

    def __init__(self):
        self.now, self.rows, self.before, self.meanwhile = 0, {}, None, None

    def _row(self, key):
        row = self.rows.get(key)
        return row if row and (row[1] is None or row[1] > self.now) else None

    def _looked(self):
        if self.meanwhile:
            other, self.meanwhile = self.meanwhile, None
            other()

    def get(self, key, default=None, version=None):
        if self.before:
            other, self.before = self.before, None
            other()
        row = self._row(key)
        self._looked()
        return row[0] if row else default

    def set(self, key, value, timeout=300, version=None):
        self.rows[key] = (value, None if timeout is None else self.now + timeout)

    def add(self, key, value, timeout=300, version=None):
        if self._row(key):
            return False
        self.set(key, value, timeout)
        return True

    def get_or_set(self, key, default, timeout=300, version=None):
        if self._row(key) is None:
            self.add(key, default() if callable(default) else default, timeout)
        return self.get(key)

    def incr(self, key, delta=1, version=None):
        row = self._row(key)
        if row is None:
            self._looked()
            raise ValueError(f"Key '{key}' not found")
        self.rows[key] = (row[0] + delta, row[1])
        return row[0] + delta

    def decr(self, key, delta=1, version=None):
        return self.incr(key, -delta)

    def touch(self, key, timeout=300, version=None):
        row = self._row(key)
        if row:
            self.set(key, row[0], timeout)
        return bool(row)

    def delete(self, key, version=None):
        return bool(self.rows.pop(key, None))

    def has_key(self, key, version=None):
        row = self._row(key)
        self._looked()
        return row is not None

    __contains__ = has_key


def observe(answer):
    shared = Shared()
    seen = [("five by mira", [answer(shared, "mira") for _ in range(5)])]
    seen.append(("tomas", answer(shared, "tomas")))
    for now in (30, 59, 60, 61, 62, 63, 119, 120):
        shared.now = now
        seen.append((f"mira after {now} seconds", answer(shared, "mira")))
    shared = Shared()
    for now in (0, 30, 50, 60, 61, 62, 63):
        shared.now = now
        seen.append((f"ida after {now} seconds", answer(shared, "ida")))

    def once():
        allowed.append(answer(shared, "anna"))

    for moment in ("before", "meanwhile"):
        for earlier, what in ((2, "the third and another"), (0, "the first and another")):
            shared, allowed = Shared(), []
            for _ in range(earlier):
                once()
            setattr(shared, moment, once)
            once()
            setattr(shared, moment, None)
            for _ in range(3):
                once()
            seen.append((f"{what} at the same moment ({moment}): how many get through", sum(allowed)))
    return seen

# %% exercise="21.7" role="answer"
def attempt(cache, who):
    # solution
    key = f"attempts:{who}"
    cache.add(key, 0, timeout=60)
    return cache.incr(key) <= 3
    # end


check("21.7")

# %% exercise="21.7" role="alternative" note="The first attempt is counted by `add` itself. Should the minute end between the two lines, `incr` raises ValueError; then a new minute begins."
def attempt(cache, who):
    key = f"attempts:{who}"
    while True:
        if cache.add(key, 1, 60):
            return True
        try:
            return cache.incr(key) <= 3
        except ValueError:
            continue

# %% exercise="21.7" role="mistake" says="Between the look and the count another process may look as well: at the same moment, as many get through as come. Decide by what `incr` returns: it counts and tells in one step, on Redis and Memcached."
def attempt(cache, who):
    key = f"attempts:{who}"
    if cache.add(key, 1, timeout=60):
        return True
    count = cache.get(key) + 1
    if count > 3:
        return False
    cache.incr(key)
    return True

# %% exercise="21.7" role="mistake" says="`set` begins the minute anew with each attempt, refused ones included, and between `get` and `set` another process may count. `add` sets the time once, `incr` counts in one step."
def attempt(cache, who):
    key = f"attempts:{who}"
    count = cache.get(key, 0) + 1
    cache.set(key, count, timeout=60)
    return count <= 3

# %% exercise="21.7" role="mistake" says="`set` begins the minute anew with each attempt that gets through, and between `get` and `set` another process may count. `add` sets the time once, `incr` counts in one step."
def attempt(cache, who):
    key = f"attempts:{who}"
    count = cache.get(key, 0)
    if count >= 3:
        return False
    cache.set(key, count + 1, timeout=60)
    return True

# %% exercise="21.7" role="mistake" says="Two first attempts at the same moment both find nothing, and both set 1: one of them is not counted. `add` sets a value only where there is none, in one step."
def attempt(cache, who):
    key = f"attempts:{who}"
    try:
        return cache.incr(key) <= 3
    except ValueError:
        cache.set(key, 1, timeout=60)
        return True

# %% exercise="21.7" role="mistake" says="Each attempt sets the time anew, so the minute never ends for who goes on trying. `add` sets it once, and `incr` leaves it."
def attempt(cache, who):
    key = f"attempts:{who}"
    cache.add(key, 0, timeout=60)
    count = cache.incr(key)
    cache.touch(key, 60)
    return count <= 3

# %% exercise="21.7" role="mistake" says="You count, and look again: what you read is the count of whoever came between the two lines, so the third may be refused. `incr` returns the number that is yours."
def attempt(cache, who):
    key = f"attempts:{who}"
    cache.add(key, 0, timeout=60)
    cache.incr(key)
    return cache.get(key) <= 3

# %% exercise="21.7" role="mistake" says="Each attempt keeps a place for a minute of its own: no more than three in any 60 seconds. That is a limit too, and a stricter one. Here the minute is counted from the first, and with it all three end."
def attempt(cache, who):
    return any(cache.add(f"attempts:{who}:{place}", True, timeout=60) for place in range(3))

# %% exercise="21.7" role="mistake" says="The count is kept in this process: each of the others has its own, and it never ends. Keep it in the cache."
COUNTS = {}


def attempt(cache, who):
    COUNTS[who] = COUNTS.get(who, 0) + 1
    return COUNTS[who] <= 3

# %% exercise="21.7" role="mistake" says="One count for all: three attempts by anybody lock everybody out. Put `who` into the key."
def attempt(cache, who):
    cache.add("attempts", 0, timeout=60)
    return cache.incr("attempts") <= 3

# %% exercise="21.7" role="mistake" says="Without a timeout it is the cache's own, which is 300 seconds by default: the minute lasts five."
def attempt(cache, who):
    key = f"attempts:{who}"
    cache.add(key, 0)
    return cache.incr(key) <= 3

# %% exercise="21.7" role="mistake" says="Two get through, and the third is refused: compare with `<=`."
def attempt(cache, who):
    key = f"attempts:{who}"
    cache.add(key, 0, timeout=60)
    return cache.incr(key) < 3

# %% exercise="21.7" role="hint"
# Which method of a cache changes a number without your reading it first? It wants the key to be there.
# %% exercise="21.7" role="hint"
# `cache.add(key, 0, timeout=60)` does nothing where the key is, and `cache.incr(key)` returns the new number.

# %% [markdown] exercise="21.8"
# ### 21.8 A policy with a nonce
#
# Write a middleware `policy` for Django 5.2, which has none. Each request gets `request.nonce`, at least 22 characters that nobody can guess, and each response the header `Content-Security-Policy` with `script-src`: files of our own, and scripts
# that bear this nonce. A view may set a policy itself; then that one stays.

# %% exercise="21.8" role="check"
import time
from unittest import mock


def observe(answer):
    asked = []

    def get_response(request):
        asked.append(request.nonce)
        own = {"Content-Security-Policy": "default-src 'none'"} if "own" in request.GET else {}
        return HttpResponse(str(request.nonce), headers=own)

    middleware = answer(get_response)
    replies = [middleware(RequestFactory().get("/")) for _ in range(20)]
    policies = set()
    for nonce, reply in zip(asked, replies, strict=True):
        header = reply.headers.get("Content-Security-Policy", "").replace(str(nonce), "THIS")
        directives = [part.split() for part in header.split(";") if part.strip()]
        policies.add(tuple(sorted({name: sources for name, *sources in directives}.get("script-src", []))))
    nonces = {str(nonce) for nonce in asked}
    own = middleware(RequestFactory().get("/?own=1")).headers.get("Content-Security-Policy")
    asked.clear()
    state = random.getstate()
    for chain in (middleware, middleware, answer(get_response), answer(get_response)):
        random.seed(7)
        chain(RequestFactory().get("/"))
    random.setstate(state)
    clock = {"time": lambda: 1.5, "time_ns": lambda: 1_500_000_000, "monotonic": lambda: 1.5, "perf_counter": lambda: 1.5}
    with mock.patch.multiple(time, **clock):
        for _ in range(2):
            middleware(RequestFactory().get("/"))
    changing = sum(len(set(letters)) > 1 for letters in zip(*nonces))
    return [
        ("script-src, with THIS for the nonce", sorted(policies)),
        ("different nonces of 20", len(nonces)),
        ("long enough", all(len(nonce) >= 22 for nonce in nonces)),
        ("fit for a header", all(re.fullmatch(r"[A-Za-z0-9+/_=-]+", nonce) is not None for nonce in nonces)),
        ("the same again when `random` starts from the same seed", asked[0] == asked[1]),
        ("the same in two processes", asked[2] == asked[3]),
        ("the same while the clock stands still", asked[4] == asked[5]),
        ("at least 20 characters change", changing >= 20),
        ("a view's own policy stays", own == "default-src 'none'"),
        ("the body is the view's", all(reply.content.decode() in nonces for reply in replies)),
    ]

# %% exercise="21.8" role="answer"
def policy(get_response):
    # solution
    def middleware(request):
        request.nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src 'self' 'nonce-{request.nonce}'")
        return response

    return middleware
    # end


check("21.8")

# %% exercise="21.8" role="alternative" note="As a class, with Django's `get_random_string`, which draws from `secrets` too. Choose it when the policy will have directives to configure."
class policy:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.nonce = get_random_string(24)
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = f"script-src 'nonce-{request.nonce}' 'self';"
        return response

# %% exercise="21.8" role="mistake" says="The nonce is made once, when the chain is built: whoever has seen a page knows it for the next ones. Make one for each request."
def policy(get_response):
    nonce = secrets.token_urlsafe(16)

    def middleware(request):
        request.nonce = nonce
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src 'self' 'nonce-{nonce}'")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="`random` is made for games: whoever has seen enough of its numbers knows the next. `secrets` is made for this."
def policy(get_response):
    def middleware(request):
        request.nonce = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30))
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src 'self' 'nonce-{request.nonce}'")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="The nonce is made of the time, which everybody knows: a hash of it can be tried out. `secrets` is made for this."
def policy(get_response):
    def middleware(request):
        request.nonce = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src 'self' 'nonce-{request.nonce}'")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="`uuid1` is made of the clock and the machine: most of it is the same each time, and the rest is a time. `uuid4` is random; `secrets` says what it is for."
def policy(get_response):
    def middleware(request):
        request.nonce = str(uuid.uuid1())
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src 'self' 'nonce-{request.nonce}'")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="The sources stand in quotes of their own, `'self'` and `'nonce-…'`; without them they are names of hosts."
def policy(get_response):
    def middleware(request):
        request.nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", f"script-src self nonce-{request.nonce}")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="`'unsafe-inline'` lets every inline script run in browsers that do not know nonces, and says that it was meant. Leave it out."
def policy(get_response):
    def middleware(request):
        request.nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        sources = f"'self' 'unsafe-inline' 'nonce-{request.nonce}'"
        response.headers.setdefault("Content-Security-Policy", f"script-src {sources}")
        return response

    return middleware

# %% exercise="21.8" role="mistake" says="The view's own policy is overwritten: `setdefault` leaves it."
def policy(get_response):
    def middleware(request):
        request.nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        response.headers["Content-Security-Policy"] = f"script-src 'self' 'nonce-{request.nonce}'"
        return response

    return middleware

# %% exercise="21.8" role="hint"
# What runs once, and what for each request? And which module of Python is made for secrets?
# %% exercise="21.8" role="hint"
# `secrets.token_urlsafe(16)` has 22 characters; `response.headers.setdefault(name, f"script-src 'self' 'nonce-…'")`.

# %% [markdown] exercise="21.9"
# ### 21.9 Which pins are known to be bad?
#
# `requirements` is the text of a requirements file, `advisories` a dict from the name of a package to a list of ranges, such as `{"django": [">=5.2,<5.2.8"]}`. Return the pinned packages whose version is in one of their ranges, sorted, as
# pairs `("django", "5.2.7")`. Names are the same in any case, and with `-`, `_` or `.`. There may be comments, empty lines, extras (`psycopg[binary]`), markers, and lines that are no pins (`-e .`); markers do not matter here.

# %% exercise="21.9" role="check"
FILE = """
# Compiled from requirements.in; do not edit.
Django==5.2.7 ; python_version < "3.12"
django==6.1.3 ; python_version >= "3.12"
    # via -r requirements.in
asgiref==3.13.0
psycopg[binary,pool]==3.3.1
    # via django
drf_spectacular==0.30.0  # the schema

zope.interface==7.2
django-extra-views==5.2.7
celery>=5.2
#jinja2==3.1.2
-e .
"""


def observe(answer):
    advisories = {
        "django": [">=4.2,<4.2.26", ">=5.1,<5.1.14", ">=5.2,<5.2.8"],
        "psycopg": ["<3.3"],
        "drf-spectacular": ["<0.4", ">=0.30,<0.31"],
        "Zope_Interface": ["<8"],
        "celery": [">=5.2"],
        "jinja2": ["<3.1.5"],
        "pillow": ["<12"],
    }

    def pairs(*asked):
        return [tuple(pair) if isinstance(pair, list) else pair for pair in answer(*asked)]

    seen = [pairs(FILE, advisories), pairs("", advisories), pairs(FILE, {})]
    for version in ("5.2", "5.2.8", "5.2.10", "5.2.7.post1", "5.1.9", "5.10", "4.2.3", "5.2rc1"):
        seen.append((version, pairs(f"django=={version}\n", advisories)))
    return seen

# %% exercise="21.9" role="answer"
def affected(requirements, advisories):
    # solution
    ranges = {canonicalize_name(name): map(SpecifierSet, known) for name, known in advisories.items()}
    ranges = {name: list(known) for name, known in ranges.items()}
    found = set()
    for line in requirements.splitlines():
        line = line.partition("#")[0].strip()
        if "==" not in line or line.startswith("-"):
            continue
        pin = Requirement(line)
        name = canonicalize_name(pin.name)
        for version in (part.version for part in pin.specifier if part.operator == "=="):
            if any(known.contains(version) for known in ranges.get(name, [])):
                found.add((name, version))
    return sorted(found)
    # end


check("21.9")

# %% exercise="21.9" role="alternative" note="A regular expression for the one form that compiled files have. Shorter, and it would pass over whatever it does not know; `Requirement` complains."
def affected(requirements, advisories):
    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?==([\w.!+]+)", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted(
        (name, version) for name, version in pins if any(version in SpecifierSet(known) for known in ranges.get(name, []))
    )

# %% exercise="21.9" role="mistake" says="Names are compared as they are written: `Django` and `drf_spectacular` get by. `canonicalize_name` makes one spelling of them."
def affected(requirements, advisories):
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?==([\w.!+]+)", requirements, re.MULTILINE)
    found = {
        (canonicalize_name(name), version)
        for name, version in pins
        if any(version in SpecifierSet(known) for known in advisories.get(name, []))
    }
    return sorted(found)

# %% exercise="21.9" role="mistake" says="Versions are compared as text, where 5.2.10 comes before 5.2.8. `SpecifierSet` compares them as versions."
def affected(requirements, advisories):
    def inside(version, known):
        bounds = re.findall(r"(>=|<)([\d.]+)", known)
        return all(version >= bound if sign == ">=" else version < bound for sign, bound in bounds)

    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?==([\w.!+]+)", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted((name, v) for name, v in pins if any(inside(v, known) for known in ranges.get(name, [])))

# %% exercise="21.9" role="mistake" says="You compare the numbers of a version, and there is more in one: `5.2rc1` comes before 5.2. `SpecifierSet` knows that."
def affected(requirements, advisories):
    def numbers(version):
        return [int(number) for number in re.findall(r"\d+", version)]

    def inside(version, known):
        bounds = [(sign, numbers(bound)) for sign, bound in re.findall(r"(>=|<)([\d.]+)", known)]
        return all(numbers(version) >= bound if sign == ">=" else numbers(version) < bound for sign, bound in bounds)

    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?==([\w.!+]+)", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted((name, v) for name, v in pins if any(inside(v, known) for known in ranges.get(name, [])))

# %% exercise="21.9" role="mistake" says="The first range is asked, and the others are not. A package has as many as it had holes."
def affected(requirements, advisories):
    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?==([\w.!+]+)", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted((name, v) for name, v in pins if name in ranges and v in SpecifierSet(ranges[name][0]))

# %% exercise="21.9" role="mistake" says="A package with an extra, or with a marker, is passed over: `psycopg[binary]` is psycopg."
def affected(requirements, advisories):
    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)==([\w.]+)$", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted((name, v) for name, v in pins if any(v in SpecifierSet(known) for known in ranges.get(name, [])))

# %% exercise="21.9" role="mistake" says="`>=5.2` is no pin: which version it becomes, the file does not say. Look at `==` alone."
def affected(requirements, advisories):
    ranges = {canonicalize_name(name): known for name, known in advisories.items()}
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,.-]*\])?(?:==|>=)([\w.!+]+)", requirements, re.MULTILINE)
    pins = {(canonicalize_name(name), version) for name, version in pins}
    return sorted((name, v) for name, v in pins if any(v in SpecifierSet(known) for known in ranges.get(name, [])))

# %% exercise="21.9" role="hint"
# The package `packaging`, which pip is built on, reads lines (`Requirement`), names (`canonicalize_name`) and ranges (`SpecifierSet`).
# %% exercise="21.9" role="hint"
# `version in SpecifierSet(">=5.2,<5.2.8")`, for any of the ranges that the package has.

# %% [markdown] exercise="21.10"
# ### 21.10 Read code for holes
#
# `source` is Python. Return the sorted numbers, each once, of the lines where a call of `raw`, `execute` or `mark_safe` begins (as a function or as a method) whose **first argument** is text put together on the spot: an f-string with something in braces, `+`, `%`, or
# `.format(…)`. Parameters may be put together as they like. Do not run the code.

# %% exercise="21.10" role="check"
CODE = '''
from django.utils.safestring import mark_safe
# Book.objects.raw(f"SELECT * FROM {table}") is only mentioned
def find(q, cursor, names):
    """raw("SELECT " + q) is mentioned, too."""
    Book.objects.raw("SELECT * FROM catalog_book WHERE title = %s", [q])
    Book.objects.raw(f"SELECT * FROM catalog_book WHERE title = '{q}'")
    Book.objects.raw("SELECT * FROM catalog_book WHERE title = '%s'" % q)
    Book.objects.raw("SELECT * FROM catalog_book WHERE title = '{}'".format(q))
    cursor.execute("SELECT * FROM catalog_book WHERE title = '" + q + "'")
    cursor.execute(
        "SELECT * FROM catalog_book"
        " WHERE title = %s",
        [f"{q}%"],
    )
    cursor.execute(
        "SELECT * FROM catalog_book"
        f" WHERE title = '{q}'"
    )
    cursor.execute("SELECT 1", ["%" + q + "%"])
    cursor.execute(f"SELECT 1")
    cursor.execute(SQL, [q])
    mark_safe("<br>")
    mark_safe(f"<b>{q}</b>")
    mark_safe(escape(q))
    Book.objects.raw(sql_for("title"), [q])
    cursor.execute("SELECT 1;" * 2)
    text = f"<b>{q}</b>"
    print(f"SELECT {q}")
    logger.info("raw(%s)" % q)
    return [mark_safe("<i>" + name + "</i>") for name in names], lambda: cursor.execute("%s" % q)
'''


def observe(answer):
    return [answer(CODE), answer(""), answer("mark_safe()\nexecute(*parts)\n"), answer("import os\nos.abort()\nraw('a' % b)\n")]

# %% exercise="21.10" role="answer"
def holes(source):
    # solution
    def built(node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add | ast.Mod)
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"

    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raw", "execute", "mark_safe") and built(node.args[0]):
                lines.add(node.lineno)
    return sorted(lines)
    # end


check("21.10")

# %% exercise="21.10" role="alternative" note="A visitor, with a pattern for each kind. It is what a linter's rule looks like: Bandit's B608 and B703, or Ruff's S608 and S308, are of this kind."
class Visitor(ast.NodeVisitor):
    def __init__(self):
        self.lines = set()

    def visit_Call(self, node):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first, *_]):
                if name in {"raw", "execute", "mark_safe"} and self.built(first):
                    self.lines.add(node.lineno)
        self.generic_visit(node)

    def built(self, node):
        match node:
            case ast.JoinedStr(values=values):
                return any(isinstance(value, ast.FormattedValue) for value in values)
            case ast.BinOp(op=ast.Add() | ast.Mod()) | ast.Call(func=ast.Attribute(attr="format")):
                return True
        return False


def holes(source):
    visitor = Visitor()
    visitor.visit(ast.parse(source))
    return sorted(visitor.lines)

# %% exercise="21.10" role="mistake" says="You read text and not code: comments and docstrings count, and a call over several lines does not. `ast` knows where a call begins and what its arguments are."
def holes(source):
    pattern = re.compile(r"\b(?:raw|execute|mark_safe)\((?:f[\"']|.*?[\"'] ?[%+]|.*\.format\()")
    return [number for number, line in enumerate(source.splitlines(), 1) if pattern.search(line)]

# %% exercise="21.10" role="mistake" says="Only f-strings are found. `%`, `+` and `.format()` put text together as well."
def holes(source):
    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            if name in ("raw", "execute", "mark_safe") and isinstance(first, ast.JoinedStr):
                if any(isinstance(part, ast.FormattedValue) for part in first.values):
                    lines.add(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="mistake" says="A parameter may be put together: it travels beside the SQL. Look at the first argument alone."
def holes(source):
    def built(node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, (ast.Add, ast.Mod))
        return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format"

    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            inside = [part for argument in node.args for part in ast.walk(argument)]
            if name in ("raw", "execute", "mark_safe") and any(built(part) for part in inside):
                lines.add(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="mistake" says="An f-string without braces is plain text. Look for a `FormattedValue` in it."
def holes(source):
    def built(node):
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, (ast.Add, ast.Mod))
        return isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format"
        )

    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raw", "execute", "mark_safe") and built(node.args[0]):
                lines.add(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="mistake" says="Every call and every operator counts for you: `mark_safe(escape(name))` puts nothing together. Of the calls look for `.format`, of the operators for `+` and `%`."
def holes(source):
    def built(node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        return isinstance(node, ast.BinOp | ast.Call)

    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raw", "execute", "mark_safe") and built(node.args[0]):
                lines.add(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="mistake" says="There are two calls on one line, and you name the line twice. Collect the numbers in a set."
def holes(source):
    def built(node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add | ast.Mod)
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"

    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raw", "execute", "mark_safe") and built(node.args[0]):
                lines.append(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="mistake" says="Only methods are looked at: `mark_safe` is called as a function, and has an `id` where a method has an `attr`."
def holes(source):
    def built(node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, (ast.Add, ast.Mod))
        return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format"

    lines = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("raw", "execute", "mark_safe") and built(node.args[0]):
                lines.add(node.lineno)
    return sorted(lines)

# %% exercise="21.10" role="hint"
# `ast.parse(source)` and `ast.walk(tree)` give every node; a call is an `ast.Call` with `func`, `args` and `lineno`.
# %% exercise="21.10" role="hint"
# An f-string is `ast.JoinedStr`, its braces are `ast.FormattedValue`; `+` and `%` are `ast.BinOp` with an `op`.
