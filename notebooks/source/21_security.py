# %% [markdown]
# # 21 · Security
#
# After this chapter you can name, for each of the usual attacks, the part of Django that stops it, and what it does not cover. You can roll out a
# content security policy, limit guesses, and say what `check --deploy` never looks at.
#
# *Questions: Q55 security best practices.* Predict each output before you run its cell. Try the attacks on no system that is not yours.
# [Exercises 21.1 to 21.10](../exercises/21_security.ipynb) follow.

# %%
from checks import quiz
from lab import get, post, postgres, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import json
import re
from concurrent.futures import ThreadPoolExecutor
from string import ascii_lowercase
from threading import Barrier
from unittest import mock

import django
from accounts.models import User
from accounts.throttling import LoginThrottle, Throttle
from accounts.views import AccountView
from catalog.models import Book, Excerpt
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core import checks, mail, signing
from django.core.cache import cache
from django.core.exceptions import DisallowedRedirect, FieldError, SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.forms import modelform_factory
from django.http import FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.request import validate_host
from django.shortcuts import get_object_or_404, redirect
from django.template import engines
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.utils.crypto import get_random_string
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.safestring import mark_safe
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from IPython.display import HTML
from orders.models import Order
from packaging.specifiers import SpecifierSet
from rest_framework.serializers import ModelSerializer
from reviews.models import Review
from storefront.purchases import add_to_cart

# %% [markdown]
# ## Q55 · Secure a Django site, and show that it is
#
# *Advanced · asked as T-I6*
#
# **Say it.** The defaults stop the classic attacks: the ORM keeps values apart from the SQL, templates escape, unsafe requests need a CSRF token, pages
# refuse to be framed, unknown hosts get 400. Holes open where somebody steps outside: SQL made of strings, `mark_safe`, `csrf_exempt`, `ALLOWED_HOSTS = ["*"]`.
# And some things Django cannot know: who may see which row, which fields a request may set, what an upload is, how often one may guess. Then HTTPS, secrets
# outside the code, `check --deploy`, and updates.
#
# *What lifts it:* for each protection, what it does not cover; and a second line, such as a content security policy, for the day when the first fails.

# %% [markdown]
# **See it.** Eleven attacks. Each is tried on the shop as it is, then with the protection taken off.
#
# ### SQL injection
#
# A visitor searches for a text that wants to end the string in the SQL and add a condition. What is found, and what does the database get?

# %%
ATTACK = "x' OR '1'='1"
print(get("/search/", {"q": ATTACK}).context["found"])
sql, values = Book.objects.filter(title=ATTACK).values("title").query.sql_with_params()
print(sql[sql.index("WHERE") :])
print(values)

# %% [markdown]
# Nothing is found. Django hands the driver SQL with a place, `%s`, and the text beside it. The driver binds or quotes it: it is never read as SQL. Now the same comparison in `raw()` and `extra()`, first as an
# f-string, then with parameters. How many of the 166 books?

# %%
raw = Book.objects.raw(f"SELECT * FROM catalog_book WHERE title = '{ATTACK}'")
print(len(raw), Book.objects.extra(where=[f"title = '{ATTACK}'"]).count())

raw = Book.objects.raw("SELECT * FROM catalog_book WHERE title = %s", [ATTACK])
print(len(raw), Book.objects.extra(where=["title = %s"], params=[ATTACK]).count())

# %% [markdown]
# All, then none. And a hole in a query for books is a hole in the whole database. What stands in the titles and slugs now?

# %%
mira = User.objects.get(username="mira")
mira.set_password("a fine password")
mira.save()
ATTACK = "x' UNION SELECT id, username, password FROM accounts_user --"
rows = Book.objects.raw(f"SELECT id, title, slug FROM catalog_book WHERE title = '{ATTACK}'")
stolen = {row.title: row.slug for row in rows}
print(len(stolen), stolen["mira"] == mira.password)

# %% [markdown]
# All 150 users, with what is stored of their passwords. Now the other direction: a placeholder stands for a value, never for a name. Who sorts by one is told nothing here. Are these the dearest?

# %%
for column in ("price DESC", "no such column"):
    sorted_books = Book.objects.raw("SELECT * FROM catalog_book ORDER BY %s, id", [column])
    print([book.pk for book in sorted_books[:3]])
print(list(Book.objects.order_by("-price").values_list("pk", flat=True)[:3]))

# %% [markdown]
# SQLite sorts every row by the same constant. What databases let through differs. Here are the same mistake and a second one, a search that brings two more statements, on SQLite and on
# PostgreSQL:

# %%
def attempt(sql, values=()):
    try:
        print(len(Book.objects.raw(sql, values)), "books")
        print(User.objects.filter(is_superuser=True).count(), "superusers")
    except DatabaseError as error:
        print(type(error).__name__)


ATTACK = "x'; UPDATE accounts_user SET is_superuser = true; "
ATTACK += "SELECT * FROM catalog_book WHERE title = 'x"
SEARCH = f"SELECT * FROM catalog_book WHERE title = '{ATTACK}'"

# %%
attempt(SEARCH)
with postgres():
    attempt("SELECT * FROM catalog_book ORDER BY %s, id", ["price DESC"])
    attempt("SELECT * FROM catalog_book WHERE title = %s", [ATTACK])
    attempt(SEARCH)

# %% [markdown]
# SQLite's driver takes one statement at a time. PostgreSQL refuses to sort by a constant, which Django's driver has written into the SQL; with
# [`server_side_binding`](https://docs.djangoproject.com/en/stable/ref/databases/#server-side-parameters-binding) it sorts by it, as SQLite does. And with the f-string all 150 are superusers there, by a query that found no book.

# %% [markdown]
# So names from outside come from a list of yours, in the ORM as well: it refuses SQL as a name, and
# still follows every relation that it knows. This view takes its filters from the URL. What can a visitor find out?

# %%
def count_reviews(request):
    return JsonResponse({"reviews": Review.objects.filter(**request.GET.dict()).count()})


def ask(**lookups):
    return json.loads(count_reviews(RequestFactory().get("/", lookups)).content)["reviews"]


print(ask(stars=5) > 0, ask(reviewer__username="anna") > 0)

# %%
email, asked = "", 0
while True:
    for letter in ascii_lowercase + "@.":
        asked += 1
        if ask(reviewer__username="anna", reviewer__email__startswith=email + letter):
            email += letter
            break
    else:
        break
print(email, asked < 500)

# %% [markdown]
# A mailbox, letter by letter; a hash of a password goes the same way. The cure is a form, or a list of allowed names:

# %%
SORTS = {"title": "title", "price": "price", "newest": "-added"}
for asked in ("newest", "price; DROP TABLE catalog_book", "author__name"):
    print(SORTS.get(asked, "title"))
try:
    Book.objects.order_by("price; DROP TABLE catalog_book")
except FieldError as error:
    print(type(error).__name__)
reset()

# %% [markdown]
# ### Cross-site scripting (XSS)
#
# A customer writes a review with a script in it. What do the readers of the page get?

# %%
SCRIPT = "<script>steal(document.cookie)</script>"
print(post("/books/emma/reviews/new/", {"stars": 5, "text": SCRIPT}, user="ida").status)
page = get("/books/emma/reviews/").text
print([line.strip() for line in page.splitlines() if "steal" in line])

# %% [markdown]
# Text, because templates escape whatever is not marked as safe. Three ways to switch that off, and one to build HTML and keep it:

# %%
def render(source, **context):
    print(engines["django"].from_string(source).render(context))


render("{{ text|safe }}", text=SCRIPT)
render("{% autoescape off %}{{ text }}{% endautoescape %}", text=SCRIPT)
render("{{ text }}", text=mark_safe(f"<b>{SCRIPT}</b>"))
render("{{ text }}", text=format_html("<b>{}</b>", SCRIPT))

# %% [markdown]
# Only the last escaped. Escaping is made for text and for attributes in quotes. These three are escaped too. Which is harmless?

# %%
def render(source, **context):
    print(engines["django"].from_string(source).render(context))


render("<p title={{ name }}>", name="x onmouseover=steal()")
render('<a href="{{ link }}">home</a>', link="javascript:steal()")
render('<a onclick="greet(\'{{ name }}\')">', name="'); steal('")

# %% [markdown]
# None: there was nothing to escape in the first two, and in the third the browser turns `&#x27;` back into a quote before the script is read. So: quotes around attributes, a check
# of the scheme, and data for scripts through `json_script`. What is in `data`?

# %%
def render(source, **context):
    print(engines["django"].from_string(source).render(context))


render('<p title="{{ name }}">', name='x" onmouseover="steal()')
render("{{ data|json_script:'data' }}", data={"name": "</script>" + SCRIPT})

# %% [markdown]
# And a response that is no page has to say so. Both of these have the same body. Which one may a browser run?

# %%
def kind(response):
    print(response["Content-Type"])


kind(HttpResponse(json.dumps({"q": SCRIPT})))
kind(JsonResponse({"q": SCRIPT}))
reset()

# %% [markdown]
# The first is HTML.
#
# ### Cross-site request forgery (CSRF)
#
# A page elsewhere has a form that posts to the shop, and Anna's browser adds her cookies. An attacker has a token too, their own. What gets through?

# %%
anna = Client(enforce_csrf_checks=True)
anna.force_login(User.objects.get(username="anna"))
token = get("/books/emma/", client=anna).context["csrf_token"]
attackers = get("/books/emma/", client=Client()).context["csrf_token"]
for sent in ({}, {"csrfmiddlewaretoken": attackers}, {"csrfmiddlewaretoken": token}):
    print(post("/cart/add/emma/", {"quantity": 9, **sent}, client=anna).status)
print(anna.session["cart"])

# %% [markdown]
# The token has to fit the secret in Anna's cookie, which another site can neither read nor set. And where the browser says from which site a form comes, that is looked at first.
# The token here is right:

# %%
anna = Client(enforce_csrf_checks=True)
data = {"quantity": 9, "csrfmiddlewaretoken": get("/books/emma/", client=anna).context["csrf_token"]}
for origin in ("http://testserver", "https://evil.example", "null"):
    print(origin, post("/cart/add/emma/", data, client=anna, headers={"Origin": origin}).status)
for page in ("", "https://evil.example/", "https://testserver/books/emma/"):
    reply = anna.post("/cart/add/emma/", data, secure=True, headers={"Referer": page} if page else {})
    print(page or "no referer", reply.status_code)

# %% [markdown]
# Under HTTPS, without `Origin`, the `Referer` has to be ours. Now the protection off: `csrf_exempt`, which people find when a form answers 403.

# %%
exempt = path("cart/add/<slug:slug>/", csrf_exempt(add_to_cart))
patterns = (exempt, *import_string("config.urls.urlpatterns"))
anna = Client(enforce_csrf_checks=True)
anna.force_login(User.objects.get(username="anna"))
with override_settings(ROOT_URLCONF=patterns):
    print(post("/cart/add/emma/", {"quantity": 9}, client=anna).status, anna.session["cart"])

# %% [markdown]
# Nine copies that she never asked for. The other way to have no protection is to change something on GET, which nobody checks; the shop refuses it. And in an asynchronous
# view it is the same middleware:

# %%
async def order(request):
    return HttpResponse("ordered")


print(get("/cart/add/emma/").status)
with override_settings(ROOT_URLCONF=(path("order/", order),)):
    print((await AsyncClient(enforce_csrf_checks=True).post("/order/")).status_code)

# %% [markdown]
# A second line is the session cookie: Django's default is [`SameSite=Lax`](https://docs.djangoproject.com/en/stable/ref/settings/#session-cookie-samesite), and browsers leave such a cookie
# out of a form that another site posts. Other subdomains are the same site. What if one of them, old and forgotten, sets a cookie for the whole domain?

# %%
attacker = Client()
token = get("/books/emma/", client=attacker).context["csrf_token"]
anna = Client(enforce_csrf_checks=True)
anna.force_login(User.objects.get(username="anna"))
anna.cookies["csrftoken"] = attacker.cookies["csrftoken"].value
print(post("/cart/add/emma/", {"quantity": 9, "csrfmiddlewaretoken": token}, client=anna).status)
with override_settings(CSRF_USE_SESSIONS=True):
    print(post("/cart/add/emma/", {"quantity": 9, "csrfmiddlewaretoken": token}, client=anna).status)

# %% [markdown]
# Cookie and token fit: both are the attacker's. That is [documented](https://docs.djangoproject.com/en/stable/ref/csrf/#csrf-limitations); the `Origin` still gives it away where browsers send one, and
# with `CSRF_USE_SESSIONS` the secret is in Anna's session.

# %% [markdown]
# ### Clickjacking
#
# Another site shows Mira's account in an invisible frame, above a button of its own. What tells the browser to refuse? And without it?

# %%
print(get("/account/", user="mira")["X-Frame-Options"])
exempt = path("account/", xframe_options_exempt(AccountView.as_view()))
patterns = (exempt, *import_string("config.urls.urlpatterns"))
with override_settings(ROOT_URLCONF=patterns):
    reply = get("/account/", user="mira")
    print(reply.status, "X-Frame-Options" in reply)

# %% [markdown]
# Then only the cookie is left: with `SameSite=Lax` browsers do not send it [into a frame](https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#samesitesamesite-value) of another site. A page that one partner may
# frame cannot say so with this header, which knows `DENY` and `SAMEORIGIN`; `frame-ancestors` of a content security policy can.

# %% [markdown]
# ### Host header
#
# Somebody asks for a new password in Mira's name and sends another `Host`. The letter goes to Mira. Where does its link lead, with the list of hosts and without it?

# %%
mira = User.objects.get(username="mira")
mira.set_password("a fine password")
mira.save()
for hosts in (["shop.example"], ["*"]):
    mail.outbox = []
    with override_settings(ALLOWED_HOSTS=hosts):
        data, headers = {"email": mira.email}, {"Host": "evil.example"}
        reply = post("/account/password/reset/", data, headers=headers)
    print(hosts, reply.status, [re.search(r"https?://[^/]+", letter.body)[0] for letter in mail.outbox])
reset()

# %% [markdown]
# With `["*"]`, to the attacker: one click, and the token is theirs. (With [`django.contrib.sites`](https://docs.djangoproject.com/en/stable/ref/contrib/sites/#get-current-site-shortcut) the link's host comes from the database.) The list is looked at in [`get_host()`](https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts), which `CommonMiddleware` calls. What answers
# before it, as the shop's health check on purpose, answers every host. And which hosts does a dot let in?

# %%
with override_settings(ALLOWED_HOSTS=["shop.example"]):
    print([get(url, headers={"Host": "evil.example"}).status_code for url in ("/", "/health/live/")])
for host in ("shop.example", "www.shop.example", "evilshop.example", "shop.example.evil.org"):
    print(host, validate_host(host, ["shop.example"]), validate_host(host, [".shop.example"]))

# %% [markdown]
# ### Open redirect
#
# The form that puts a book into the cart has a field `next`. Whoever can choose it sends your customers, from your address, to a copy of your login page. Where does the shop send them?

# %%
URLS = ["/cart/", "https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:steal()"]
for url in URLS:
    print(url, "→", post("/cart/add/emma/", {"quantity": 1, "next": url})["Location"])

# %% [markdown]
# Back to the book, wherever another site was meant. Now with a test of one's own, that the address begins with a slash. The second column is Django's. What gets by?

# %%
def naive(url):
    return url.startswith("/")


for url in URLS:
    print(f"{url:24}", naive(url), url_has_allowed_host_and_scheme(url, allowed_hosts={"testserver"}))
print(redirect(URLS[2])["Location"])
try:
    HttpResponseRedirect(URLS[4])
except DisallowedRedirect as error:
    print(type(error).__name__)

# %% [markdown]
# `//evil.example/` is an address without a scheme, and browsers [read a backslash as a slash](https://url.spec.whatwg.org/#relative-state). A redirect refuses strange schemes, and goes to any host. The shop asks
# `url_has_allowed_host_and_scheme`, and so does Django's [`LoginView`](https://docs.djangoproject.com/en/stable/topics/auth/default/#django.contrib.auth.views.LoginView).

# %% [markdown]
# ### Mass assignment
#
# A visitor registers, and sends one field more than the form has. Then a form that somebody wrote in a hurry. Who is a superuser?

# %%
PASSWORD = "correct horse battery"
data = {"username": "newcomer", "email": "new@example.org", "is_superuser": "on"}
print(post("/account/register/", data | {"password1": PASSWORD, "password2": PASSWORD}).status)
newcomer = User.objects.get(username="newcomer")
print(newcomer.is_superuser)

HastyForm = modelform_factory(User, exclude=["password", "is_staff", "date_joined"])
form = HastyForm(data, instance=newcomer)
print(form.is_valid(), form.save().is_superuser)
reset()

# %% [markdown]
# `exclude` names what somebody thought of. `fields` names what may be changed, and a column added next year is not among them. How many fields has the first, and the second?

# %%
print(len(modelform_factory(User, exclude=["password", "is_staff"]).base_fields))
print(list(modelform_factory(User, fields=["first_name", "last_name"]).base_fields))

# %% [markdown]
# `Model(**request.POST.dict())`, `setattr` in a loop and a serializer with `"__all__"` are the same hole:

# %%
class HastySerializer(ModelSerializer):
    class Meta:
        model = User
        fields = "__all__"


sent = {"username": "newcomer", "is_superuser": "True"}
serializer = HastySerializer(User.objects.create(**sent), {"is_staff": True}, partial=True)
print(serializer.is_valid(), serializer.save().is_staff)
print(User.objects.get(username="newcomer").is_superuser)
reset()

# %% [markdown]
# ### Insecure direct object reference
#
# Mira is logged in and types the number of an order by Tomas. What does she get, and what from a view that asks for a login and no more?

# %%
number = Order.objects.filter(customer__username="tomas").latest().number
print(get(f"/orders/{number}/", user="tomas").status, get(f"/orders/{number}/", user="mira").status)


@login_required
def order(request, number):
    return HttpResponse(get_object_or_404(Order, number=number).customer.email)

# %%
request = RequestFactory().get("/")
request.user = User.objects.get(username="mira")
emails = {order(request, f"2026-{serial:06}").text for serial in range(1301, 1401)}
print(len(emails - {""}))

# %% [markdown]
# A hundred requests, and she has the addresses of 60 customers. To be logged in is not to be allowed. The cure is to look only among what is hers; then another's order is not
# forbidden, but not found, and she does not learn that it exists:

# %%
def order(request, number):
    own = Order.objects.filter(customer=request.user)
    return HttpResponse(get_object_or_404(own, number=number).number)


patterns = (path("<slug:number>/", login_required(order)),)
with override_settings(ROOT_URLCONF=patterns):
    print(get(f"/{number}/", user="tomas").status, get(f"/{number}/", user="mira").status)

# %% [markdown]
# A long random number instead of a serial one makes guessing hard. It stops nobody who was sent the link, or reads it in a log.
#
# ### Uploads
#
# A bookseller, or somebody with the password of one, uploads excerpts. Which of these are taken?

# %%
ida = User.objects.get(username="ida")
ida.groups.add(Group.objects.get(name="Managers"))
PAGE = b"<script>steal(document.cookie)</script>"
UPLOADS = {"a.html": PAGE, "a.svg": PAGE, "a.pdf": PAGE, "a.txt": b"x" * 1_000_001, "../../a.txt": PAGE}
for name, content in UPLOADS.items():
    file = SimpleUploadedFile(name, content)
    reply = post("/desk/books/emma/excerpt/", {"file": file}, user="ida")
    print(f"{name:12}", reply.status, [excerpt.file.name for excerpt in Excerpt.objects.all()])

# %% [markdown]
# The last one: nothing is left of its name but the ending, its content is text, and how it is sent decides the rest. Then a media folder as many sites have it. Which of the
# two can steal?

# %%
print(get("/books/emma/excerpt/"))
name = default_storage.save("leaflet.html", ContentFile(PAGE))
print(FileResponse(default_storage.open(name)).headers)
default_storage.delete(name)

# %% [markdown]
# The second: a page of the shop's own origin, whoever wrote it. The shop looks inside, chooses name and type itself, and sends an attachment. Another domain for
# [what users upload](https://docs.djangoproject.com/en/stable/topics/security/#user-uploaded-content) is the stronger form. A path from elsewhere, such as a field of a form, meets the storage:

# %%
try:
    default_storage.save("../config/settings.py", ContentFile(b""))
except SuspiciousOperation as error:
    print(type(error).__name__)
default_storage.delete(Excerpt.objects.get(book__slug="emma").file.name)
reset()

# %% [markdown]
# ### Session theft
#
# Mira logs in. Somebody reads her cookie, from a log or a network without HTTPS, and uses it. When does it stop working?

# %%
def login(client):
    mira = User.objects.get(username="mira")
    mira.set_password("a fine password")
    mira.save()
    post("/account/login/", {"username": "mira", "password": "a fine password"}, client=client)
    return client.cookies["sessionid"]


mira, thief = Client(), Client()
thief.cookies["sessionid"] = login(mira).value
print(get("/account/", client=thief).status)
post("/account/logout/", client=mira)
print(get("/account/", client=thief).status)

# %% [markdown]
# Nothing about the thief looks different to Django: no address or browser is compared. When Mira logs out, the row of her session is gone. Now the same with sessions that live in the cookie
# alone. What does her logging out do, and a new password?

# %%
with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
    mira, thief = Client(), Client()
    thief.cookies["sessionid"] = login(mira).value
    post("/account/logout/", client=mira)
    print(get("/account/", client=thief).status)
    user = User.objects.get(username="mira")
    user.set_password("another fine password")
    user.save()
    print(get("/account/", client=thief).status)

# %% [markdown]
# Her browser forgets the cookie, the thief's does not. A new password helps with either: each session carries [a keyed hash](https://docs.djangoproject.com/en/stable/topics/auth/default/#session-invalidation-on-password-change) of what is stored of the
# password. What makes stealing hard is on the cookie itself:

# %%
reset()
cookie = login(Client())
print(bool(cookie["httponly"]), cookie["samesite"], bool(cookie["secure"]))
with override_settings(SESSION_COOKIE_SECURE=True):
    print(bool(login(Client())["secure"]))
reset()

# %% [markdown]
# Scripts cannot read it, a form that posts from another site does not carry it, and `Secure` is yours to set. The other direction is fixation: the thief plants a session that they know, and waits for
# a login. What has the key become after it?

# %%
mira = Client()
post("/cart/add/emma/", {"quantity": 1}, client=mira)
planted = mira.cookies["sessionid"].value
print(login(mira).value == planted, mira.session["cart"])
reset()

# %% [markdown]
# A new one, with the cart taken along.
#
# ### Secrets
#
# `SECRET_KEY` signs cookies, links and tokens. Somebody has found it in an old commit. On a site with sessions in cookies, who can they be, with a wrong key, with the key, and with the key and a
# copy of the database?

# %%
ENGINE = "django.contrib.sessions.backends.signed_cookies"


def forged(key, **more):
    data = {"_auth_user_id": "1", "cart": {"4": 99}}
    data["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    thief = Client()
    thief.cookies["sessionid"] = signing.dumps(data | more, key=key, salt=ENGINE)
    return thief


# %%
stolen = User.objects.get(username="mira").get_session_auth_hash()
attempts = [forged("a guess"), forged(settings.SECRET_KEY)]
attempts += [forged(settings.SECRET_KEY, _auth_user_hash=stolen)]
with override_settings(SESSION_ENGINE=ENGINE):
    for thief in attempts:
        print("99" in get("/cart/", client=thief).text, get("/account/", client=thief).status)

# %% [markdown]
# The key alone writes any session, and is nobody: the hash of a session is made of the key and the password's hash. With both, anybody. Such sessions could be pickled once, and then the key was enough to run code: Django 5.0
# [removed](https://docs.djangoproject.com/en/5.0/releases/5.0/#features-removed-in-5-0) that serializer. Caches still pickle. What does reading this one do?

# %%
class Gift:
    def __reduce__(self):
        return print, ("whatever the sender likes",)


cache.set("parcel", Gift())
opened = cache.get("parcel")
cache.clear()

# %% [markdown]
# Whoever may write to your Redis may run code in your processes. The next leak is the page for developers. A payment fails, and the shop was deployed with `DEBUG`:

# %%
PASSWORD, CARD, URL = "hunter2", "4111111111111111", "postgresql://shop:hunter3@db/shop"


def pay(request):
    card = CARD
    raise ConnectionError("The bank does not answer.")


# %%
site = {"PAY_PASSWORD": PASSWORD, "DATABASE_DSN": URL, "ROOT_URLCONF": (path("", pay),)}
for debug in (True, False):
    with override_settings(DEBUG=debug, **site):
        page = Client(raise_request_exception=False).get("/").text
    print(debug, [CARD in page, PASSWORD in page, "hunter3" in page])

# %% [markdown]
# Local variables and most settings are shown. Only names with `API`, `AUTH`, `TOKEN`, `KEY`, `SECRET`, `PASS`, `SIGNATURE` or `HTTP_COOKIE` in them are
# [hidden](https://docs.djangoproject.com/en/stable/ref/settings/#debug). Secrets come from the environment or a secret store; chapter
# [03](03_settings_and_databases.ipynb) has that, and a change of keys that logs nobody out.

# %% [markdown]
# ### What `check --deploy` looks at
#
# A new project, then the shop's settings for production. How many remarks has each?

# %%
site, shop = scratch("mysite"), scratch(bookshop=True)
print(re.findall(r"security\.W\d+", site.output("python manage.py check --deploy --tag security")))
live = {"DJANGO_SETTINGS_MODULE": "config.settings.production", "ALLOWED_HOSTS": "shop.example"}
shop.run("python manage.py check --deploy", SECRET_KEY="not-for-real-" * 5, **live)

# %% [markdown]
# HSTS, the redirect to HTTPS, the key, both cookies, `DEBUG`, the hosts: a list of [settings](https://docs.djangoproject.com/en/stable/ref/checks/#security). Warnings do not stop
# a deployment, unless it asks for that. Which exit status, without the option and with it?

# %%
for option in ("", " --fail-level WARNING"):
    site.output("python manage.py check --deploy --tag security" + option)
    print(site.status)

# %% [markdown]
# ### A content security policy
#
# Suppose that escaping failed, and somebody else's script is in the page. A policy tells the browser what may run. The same page three times, live: without a policy, with one that wants
# a nonce on each script, and with a script that bears it. Which scripts run?

# %% reason="A page with and without a policy, shown by the reader's own browser."
def frame(policy, attributes=""):
    script = f"<script {attributes}>document.body.append('The script ran.')</script>"
    meta = f"<meta http-equiv='Content-Security-Policy' content=&quot;{policy}&quot;>"
    body = f"<body style='background: white; color: black'>Reviews of Emma. {script}"
    page = meta + body if policy else body
    return f'<iframe sandbox="allow-scripts" width="260" height="45" srcdoc="{page}"></iframe>'


POLICY = "script-src 'nonce-kx7'"
HTML("<div>" + frame("") + frame(POLICY) + frame(POLICY, "nonce='kx7'") + "</div>")

# %% [markdown]
# The first and the last. The attacker does not know the nonce, if each answer has a new one. When one's own scripts stop, the quick remedy is `'unsafe-inline'`. What does it allow without a nonce,
# and with one beside it?

# %%
INLINE = "script-src 'unsafe-inline'"
HTML("<div>" + frame(INLINE) + frame(INLINE + " 'nonce-kx7'") + "</div>")

# %% [markdown]
# Alone it lets every inline script in; beside a nonce [it is ignored](https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy#unsafe-inline). Django 6.0 makes nonces; before, there is [a package](https://pypi.org/project/django-csp/), or a middleware of a
# few lines. Is the nonce of the header that of the page, and of the next page?

# %% reason="A middleware is a function in a function."
def policy(get_response):
    def middleware(request):
        request.nonce = get_random_string(22)
        response = get_response(request)
        sources = f"script-src 'self' 'nonce-{request.nonce}'"
        response.headers.setdefault("Content-Security-Policy", sources)
        return response

    return middleware


def page(request):
    template = engines["django"].from_string('<script nonce="{{ request.nonce }}">greet()</script>')
    return HttpResponse(template.render({}, request))


# %%
with override_settings(MIDDLEWARE=["__main__.policy"], ROOT_URLCONF=(path("", page),)):
    replies = [Client().get("/") for _ in range(2)]
nonces = [re.search('nonce="(.+?)"', reply.text)[1] for reply in replies]
print([f"'nonce-{nonce}'" in reply["Content-Security-Policy"] for nonce, reply in zip(nonces, replies)])
print(nonces[0] == nonces[1])

# %% [markdown]
# A nonce and a cache do not go together: a page that is kept comes back with the nonce of yesterday. What happens to the second visitor?

# %%
def kept(request):
    return HttpResponse(cache.get_or_set("page", lambda: page(request).text))


with override_settings(MIDDLEWARE=["__main__.policy"], ROOT_URLCONF=(path("", kept),)):
    for reply in [Client().get("/") for _ in range(2)]:
        nonce = re.search('nonce="(.+?)"', reply.text)[1]
        print(f"'nonce-{nonce}'" in reply["Content-Security-Policy"])
cache.clear()

# %% [markdown]
# Their scripts [do not run](https://docs.djangoproject.com/en/6.1/howto/csp/#caching-and-nonce-reuse). Scripts in files of your own, allowed by `'self'`, need no nonce: the shop has no other.

# %% [markdown]
# ### Rate limiting
#
# Django does [not throttle](https://docs.djangoproject.com/en/stable/topics/security/#additional-security-topics) logins; the shop does, for each account at each address. Six wrong passwords, then the right one:

# %%
mira = User.objects.get(username="mira")
mira.set_password("a fine password")
mira.save()
guesses = [f"guess {number}" for number in range(6)] + ["a fine password"]
forms = [{"username": "mira", "password": guess} for guess in guesses]
print([post("/account/login/", form).status_code for form in forms])
reset()

# %% [markdown]
# Then without the limit, with forty wrong ones. How many are looked at?

# %%
mira = User.objects.get(username="mira")
mira.set_password("a fine password")
mira.save()
guesses = [f"guess {number}" for number in range(40)] + ["a fine password"]
forms = [{"username": "mira", "password": guess} for guess in guesses]
with mock.patch.object(LoginThrottle, "attempt", return_value=True):
    statuses = [post("/account/login/", form).status_code for form in forms]
print(statuses.count(200), statuses.count(302))
reset()

# %% [markdown]
# All, until one is right. A limit that is written like a sentence, "if there were fewer than five, let them try, then count", holds while they come one after the other. Twenty at once:

# %% reason="Two ways to count, and one race for both."
class Naive:
    def attempt(self, who):
        count = cache.get(who, 0)
        everybody.wait()
        cache.set(who, count + 1, timeout=60)
        return count < 5


class Shops(Throttle):
    def attempt(self, who):
        everybody.wait()
        return super().attempt(who)


# %%
for throttle in (Naive(), Shops("demo", limit=5, seconds=60)):
    everybody = Barrier(20)
    with ThreadPoolExecutor(20) as visitors:
        print(sum(visitors.map(throttle.attempt, ["mira"] * 20)))
cache.clear()

# %% [markdown]
# Twenty got through: all had looked before one had counted. The shop counts first, by `incr`, and looks at the number that came back. That is one step on Redis and Memcached, [not on
# every backend](https://docs.djangoproject.com/en/stable/topics/cache/#basic-usage); and with local memory each process has a limit of its own.
#
# Who is counted? Many take the first address in a header:

# %%
def by_header(request):
    return request.headers.get("X-Forwarded-For", "").split(",")[0]


def by_connection(request):
    return request.META["REMOTE_ADDR"]


invented = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(40)]
requests = [RequestFactory().get("/", headers=headers) for headers in invented]
for who in (by_header, by_connection):
    print(who.__name__, len({who(request) for request in requests}))

# %% [markdown]
# The sender writes that header, so one visitor is forty. Believe only what your own proxy has added. To count by the account alone is no way out: then anybody can lock anybody out.

# %% [markdown]
# ### Dependencies
#
# The code you did not write has holes too, and they are published. Is this version of Django in the range of
# [CVE-2025-64459](https://docs.djangoproject.com/en/stable/releases/security/)? What did it let through, and what does it answer now?

# %%
AFFECTED = [SpecifierSet(">=4.2,<4.2.26"), SpecifierSet(">=5.1,<5.1.14"), SpecifierSet(">=5.2,<5.2.8")]
for version in ("5.2.7", "5.2.10", django.__version__):
    print(any(version in versions for versions in AFFECTED))
try:
    Book.objects.filter(**{"_connector": "OR 1=1 OR", "title": "x"})
except TypeError as error:
    print(error)

# %% [markdown]
# (The last of the three is yours.) Filters from the URL, `filter(**request.GET.dict())`, were SQL injection until then, with no SQL in sight. A program knows the published
# ranges: [`pip-audit -r requirements.txt`](https://pypi.org/project/pip-audit/) ends with 1 when a version is in one. Are all pinned, those of dependencies too?

# %%
shop = scratch(bookshop=True)
pins = [line for line in shop.read("requirements.txt").splitlines() if "==" in line]
wanted = [line for line in shop.read("requirements.in").splitlines() if line[:1].isalpha()]
print(len(pins) > 2 * len(wanted), all(re.match(r"[\w.\[\],-]+==[\w.]+", pin) for pin in pins))

# %% [markdown]
# **The trap.** "`check --deploy` says nothing, so the site is secure." Here is a project whose view breaks three rules, and its settings two more. Find them before you go on:

# %% reason="A whole view, as somebody would write it."
VIEW = '''
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

@csrf_exempt
def find(request):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM django_migrations WHERE app = '{request.GET['q']}'")
        found = cursor.fetchall()
    return HttpResponse(f"You asked for {request.GET['q']}. Found: {len(found)}")

urlpatterns = [path("", find)]
'''
LIVE = '''
from .settings import *
DEBUG, ALLOWED_HOSTS, SECRET_KEY = False, ["*"], "written into the repository, for everybody to read it"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
'''

# %%
site = scratch("mysite")
site.write("mysite/urls.py", VIEW)
site.write("mysite/live.py", LIVE)
site.output("python manage.py migrate")
print(site.output("python manage.py check --deploy --tag security --settings mysite.live"))
ASK = "import os\nfrom django.test import Client\n"
ASK += "print(Client().get('/', {'q': os.environ['QUERY']}, secure=True).text)"
for query in ("nothing", "x' OR '1'='1", "<script>steal()</script>"):
    print(site.output(f'python manage.py shell -v 0 --settings mysite.live -c "{ASK}"', QUERY=query))

# %% [markdown]
# Silent, and open: SQL from a string, HTML from a string, a POST that nobody checks, every host, a key in the repository. The check reads settings, not code. The rest is for reviews: search for `raw(`, `extra(`,
# `execute(`, `mark_safe`, `|safe`, `csrf_exempt`, `"__all__"`, and every `get_object_or_404` that does not name the user.

# %% [markdown]
# The second trap is advice that has outlived its subject. Lists still say to set `SECURE_BROWSER_XSS_FILTER`. Django 4.0 [removed it](https://docs.djangoproject.com/en/4.0/releases/4.0/#securitymiddleware-no-longer-sets-the-x-xss-protection-header), as most browsers had dropped the header. What does it do, and a misspelled setting?

# %%
def remarks():
    return len(checks.run_checks(tags=["security"], include_deployment_checks=True))


before = remarks()
for name in ("SECURE_BROWSER_XSS_FILTER", "SESSION_COOKIE_SAMSITE"):
    with override_settings(**{name: "Strict"}):
        print("X-XSS-Protection" in get("/"), remarks() == before)

# %% [markdown]
# Nothing, and nobody says so. A misspelled setting is as quiet, where no check misses the right one.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How does Django's CSRF protection work with SPAs?* The same way: a view sets the cookie (`ensure_csrf_cookie`), and the script sends its value back in the header [`X-CSRFToken`](https://docs.djangoproject.com/en/stable/howto/csrf/#using-csrf-protection-with-ajax). A page on another host
#   cannot read the cookie, unless `CSRF_COOKIE_DOMAIN` covers both: it gets the token in a response. Its origin is in `CSRF_TRUSTED_ORIGINS`, CORS allows cookies, and on another site these need `SameSite=None` and `Secure`. With a bearer token that the
#   script adds itself, no CSRF token is needed: browsers do not send one on their own.
# - *What does `SecurityMiddleware` set?* By default `X-Content-Type-Options: nosniff`, `Referrer-Policy: same-origin` and `Cross-Origin-Opener-Policy: same-origin`. If told to, it redirects to HTTPS and sends
#   `Strict-Transport-Security`, over HTTPS alone. Not `X-Frame-Options`, and no policy for content.
# - *How would you roll out CSP?* Report only, with a strict policy and a place that collects reports. Move inline scripts into files, or give them nonces, until only extensions of browsers report. Then enforce it, page by page if need be, and
#   keep a stricter one in report-only beside it.

# %%
@ensure_csrf_cookie
def basket(request):
    return JsonResponse({"copies": json.loads(request.body or "0")})


with override_settings(ROOT_URLCONF=(path("basket/", basket),)):
    page = Client(enforce_csrf_checks=True)
    page.get("/basket/")
    for headers in ({}, {"X-CSRFToken": page.cookies["csrftoken"].value}):
        reply = page.post("/basket/", 2, content_type="application/json", headers=headers)
        print(reply.status_code)

# %% [markdown]
# And the shop's API by a token, with the CSRF check on:

# %%
mira = User.objects.get(username="mira")
mira.set_password("a fine password")
mira.save()
key = post("/api/v1/token/", {"username": "mira", "password": "a fine password"}).json()["token"]
order = {"lines": [{"book": "emma", "quantity": 1}]}
options = {"content_type": "application/json", "enforce_csrf": True}
print(post("/api/v1/orders/", order, user="mira", **options).status)
print(post("/api/v1/orders/", order, headers={"Authorization": f"Token {key}"}, **options).status)
reset()

# %% [markdown]
# Now what `SecurityMiddleware` does by itself, over HTTP and HTTPS, and with the settings for HTTPS on:

# %%
SECURITY = "django.middleware.security.SecurityMiddleware"
patterns = (path("", lambda request: HttpResponse()),)
for settings_for_https in ({}, {"SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": 3600}):
    with override_settings(MIDDLEWARE=[SECURITY], ROOT_URLCONF=patterns, **settings_for_https):
        for secure in (False, True):
            reply = Client().get("/", secure=secure)
            print(reply.status_code, sorted(set(reply.headers) - {"Content-Type", "Location"}))

# %% [markdown]
# [HSTS](https://docs.djangoproject.com/en/stable/ref/middleware/#http-strict-transport-security) is a promise that browsers keep: for so long they will not speak HTTP with this host, whatever becomes of the certificate. Begin with an hour, and add subdomains and
# preloading last.

# %% [markdown]
# **Versions.** CSP is part of Django [since 6.0](https://docs.djangoproject.com/en/6.0/releases/6.0/): a middleware, two settings, a context processor, two decorators. Both policies, and a view with one of its own:

# %% tags=["since-6.1"] reason="The policies, two views and their headers."
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP
    from django.views.decorators.csp import csp_override

    @csp_override({"frame-ancestors": ["https://partner.example"]})
    def embedded(request):
        return HttpResponse()

    with override_settings(
        MIDDLEWARE=["django.middleware.csp.ContentSecurityPolicyMiddleware"],
        SECURE_CSP={"default-src": [CSP.SELF]},
        SECURE_CSP_REPORT_ONLY={"script-src": [CSP.NONE], "report-uri": "/csp/"},
        ROOT_URLCONF=(path("", lambda request: HttpResponse()), path("embedded/", embedded)),
    ):
        for url in ("/", "/embedded/"):
            for name, value in Client().get(url).headers.items():
                print(f"{name}: {value}" if "Policy" in name else url)
else:
    print("Django 6.1 prints two policies for each view.")

# %% [markdown]
# The nonce is [`{{ csp_nonce }}`](https://docs.djangoproject.com/en/6.1/howto/csp/), where the context processor is on, and made when a template asks for it. Django 6.1 adds a tag for the whole attribute, and
# [nonces in the admin site](https://docs.djangoproject.com/en/6.1/releases/6.1/):

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.template.context_processors import csp

    request = RequestFactory().get("/")
    request._csp_nonce = "kx7"
    print(engines["django"].from_string("<script {% csp_nonce_attr %}>").render(csp(request)))
else:
    print('Django 6.1 prints <script nonce="kx7">')

# %% [markdown]
# A nonce that no template has asked for is left out of the header. What remains of these two policies, on a page without scripts of its own?

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware"]
    patterns = (path("", lambda request: HttpResponse()),)
    for sources in ([CSP.SELF, CSP.NONCE], [CSP.NONCE]):
        with override_settings(
            MIDDLEWARE=MIDDLEWARE, SECURE_CSP={"script-src": sources}, ROOT_URLCONF=patterns
        ):
            print(repr(Client().get("/")["Content-Security-Policy"]))
else:
    print("Django 6.1 prints a policy, and an empty one.")

# %% [markdown]
# The second is no policy: whatever script got into that page runs. Name another source beside the nonce, or a `default-src`. Without the context processor every page is
# such a page. Since 6.1 a plain `check` says so:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.utils.csp import CSP

    with override_settings(
        MIDDLEWARE=["django.middleware.csp.ContentSecurityPolicyMiddleware"],
        SECURE_CSP={"script-src": [CSP.NONCE]},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    ):
        print(*[remark.id for remark in checks.run_checks(tags=["security"])])
else:
    print("Django 6.1 prints security.W027")

# %% [markdown]
# `format_html()` without anything to escape is `mark_safe()` in disguise. 5.2 warns of it, and since 6.0 it is an error:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    try:
        format_html("<b>" + "<script>" + "</b>")
    except TypeError as error:
        print(error)
else:
    print("Django 6.1 prints: args or kwargs must be provided.")

# %% [markdown]
# `urlize` makes `http://` links of addresses without a scheme. From Django 2028 on it will be `https://`; 6.0 has a setting to go first:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    with override_settings(URLIZE_ASSUME_HTTPS=True):
        print(engines["django"].from_string("{{ 'www.shop.example'|urlize }}").render())
else:
    print('Django 6.1 prints <a href="https://www.shop.example" rel="nofollow">www.shop.example</a>')

# %% [markdown]
# Signed cookies: name and salt were glued together before signing, so the value of one cookie was good for another with the same sum
# ([CVE-2026-6873](https://docs.djangoproject.com/en/stable/releases/security/)). Since 5.2.15 and 6.0.6 they are signed apart. `SIGNED_COOKIE_LEGACY_SALT_FALLBACK` says whether the old ones are still read: in 5.2 they are, in 6.1 not.

# %% tags=["since-6.1"]
request = RequestFactory().get("/")
request.COOKIES["car"] = signing.get_cookie_signer(salt="cart" + "x").sign("three")
found = request.get_signed_cookie("car", default="refused", salt="tx")
if django.VERSION >= (6, 1):
    print(settings.SIGNED_COOKIE_LEGACY_SALT_FALLBACK, found)
else:
    print("Django 6.1 prints False refused, this one", settings.SIGNED_COOKIE_LEGACY_SALT_FALLBACK, found)

# %%
quiz("Q55")

# %% [markdown]
# Now [exercises 21.1 to 21.10](../exercises/21_security.ipynb), then chapter 22 · Testing.
