# %% [markdown]
# # 18 · Authentication and sessions
#
# After this chapter you can say who a request belongs to and who decided that, write a user model and a backend of
# your own, defend a login against session fixation, and choose where sessions are kept, with what each place costs.
#
# *Questions: Q49 authentication · Q50 sessions · Q51 sessions in files.* Predict each output before you run its cell.
# [Exercises 18.1 to 18.10](../exercises/18_authentication_and_sessions.ipynb) follow.

# %% reason="the imports of a chapter with two frameworks, five engines and two servers"
from checks import quiz
from lab import get, memcached, queries, reset, scratch, start, valkey

start()

# Django is set up now, so its models can be imported.
import json
import os
import secrets
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import current_thread
from unittest import mock

import django
from accounts.models import User
from asgiref.sync import iscoroutinefunction
from catalog.models import Book
from django.conf import settings
from django.contrib.auth import aauthenticate, authenticate, get_user, get_user_model, login, update_session_auth_hash
from django.contrib.auth import models as auth_models
from django.contrib.auth import views as auth_views
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.decorators import login_not_required, login_required, permission_required
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher
from django.contrib.auth.hashers import acheck_password, get_hasher, make_password
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import models
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.test.client import RedirectCycleError
from django.urls import path
from django.utils import timezone
from django.utils.module_loading import import_string
from reviews.models import Review

# %% [markdown]
# ## Q49 · Say who somebody is, and what they may do
#
# *Intermediate · asked as T11, I3*
#
# **Say it.** Authentication asks who you are, authorisation what you may do. `authenticate()` hands the credentials to
# each backend in `AUTHENTICATION_BACKENDS` until one returns a user. `login()` writes that user's key into the
# session, under a new session key, and from then on `request.user` is read from there, lazily. What a user may do are
# permissions: add, change, delete, view for each model, given directly or by a group, asked with `has_perm()`.
# Passwords are kept as slow, salted hashes.
#
# *What lifts it:* a user model of one's own from the first migration on; permission for one object is a question that
# Django's backend always answers with no; and what an upgrade of a hash costs, and ends.

# %% [markdown]
# **See it.** The booksellers' desk, asked by nobody, by the customer anna, and by ida, who is staff and becomes a
# bookseller here. Three answers; which of them is about who you are?

# %%
ida = User.objects.get(username="ida")
ida.groups.add(Group.objects.get(name="Booksellers"))
for user in (None, "anna", "ida"):
    print(user, get("/desk/books/", user=user).status)

# %% [markdown]
# 302 leads to the login: we do not know you. 403: we know you, and you may not. Two questions, two answers. Now a
# login, step by step. Does `authenticate()` log anybody in?

# %%
anna = User.objects.get(username="anna")
anna.set_password("sense and sensibility")
anna.save()
print(authenticate(username="anna", password="wrong"))
user = authenticate(username="anna", password="sense and sensibility")
print(user, user.backend)

# %% [markdown]
# No: it returns a user, or `None`, and notes which backend knew them. The browser is told nothing yet. That is what
# `login()` is for, which the shop's login page calls. What does it leave behind?

# %%
browser = Client()
credentials = {"username": "anna", "password": "sense and sensibility"}
print(browser.post("/account/login/", credentials).status_code)
for name, value in browser.session.items():
    print(name, value if len(str(value)) < 50 else f"({len(value)} characters)")

# %% [markdown]
# The key of the user, the backend, and a keyed hash of the password's hash: that is all a login is. (`_session_expiry`
# is the shop's "until the browser is closed".) Next, two new accounts. Who of them can log in?

# %%
reset()
User.objects.create(username="plain", password="persuasion")
User.objects.create_user("hashed", password="persuasion")
for name in ("plain", "hashed"):
    stored = User.objects.get(username=name).password
    print(name, stored == "persuasion", authenticate(username=name, password="persuasion"))

# %% [markdown]
# `create()` stores what it is given: the password lies in the table for all to read, and does not even work.
# `create_user()` and `set_password()` hash it. What is in a hash? (In these notebooks a fast hasher is set; here is
# the real one.)

# %%
PBKDF2 = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
SCRYPT = "django.contrib.auth.hashers.ScryptPasswordHasher"
with override_settings(PASSWORD_HASHERS=[PBKDF2, SCRYPT]):
    one, two = make_password("persuasion"), make_password("persuasion")
algorithm, rounds, salt, digest = one.split("$")
print(algorithm, int(rounds) == PBKDF2PasswordHasher.iterations, len(salt), len(digest))
print(one == two)

# %% [markdown]
# Algorithm, rounds, salt, hash: all that is needed to check it, except the password. The salt makes two equal
# passwords look different. The rounds are there to cost time. (Argon2, bcrypt and scrypt come [with
# Django](https://docs.djangoproject.com/en/stable/topics/auth/passwords/) too; the first two need a package.)

# %% [markdown]
# What do ten times as many rounds cost, and how far away is MD5? Measured as processor time:

# %%
def cost(step, repeat=5):
    def once():
        started = time.thread_time()
        step()
        return time.thread_time() - started

    return min(once() for _ in range(repeat))

# %%
slow, fast, salt = PBKDF2PasswordHasher(), MD5PasswordHasher(), "x" * 22
few, many = [cost(lambda: slow.encode("persuasion", salt, rounds)) for rounds in (20_000, 200_000)]
one_slow, one_fast = [cost(lambda: hasher.encode("persuasion", salt)) for hasher in (slow, fast)]
print(5 < many / few < 20, one_slow > 10_000 * one_fast)

# %% [markdown]
# Linear: ten times the rounds, about ten times the work, for you and for whoever stole the table. With MD5 the thief
# tries tens of thousands of passwords in the time of one. What does it cost the shop? One check, against rendering a
# whole page:

# %%
encoded = slow.encode("persuasion", salt)
print(cost(lambda: slow.verify("persuasion", encoded)) > 10 * cost(lambda: get("/account/login/")))

# %% [markdown]
# One attempt to log in costs more than ten pages, and anybody may send it: that is why it needs a limit. An unknown
# name must cost the same, or the time would tell who has an account. How many hashes are computed for each?

# %%
real = MD5PasswordHasher.encode
for name in ("anna", "nobody"):
    with mock.patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=real) as encode:
        authenticate(username=name, password="wrong")
    print(name, encode.call_count)

# %% [markdown]
# **Upgraded at login.** Django [raises the
# rounds](https://docs.djangoproject.com/en/stable/topics/auth/passwords/#increasing-the-work-factor) with its
# releases. Here is a hash as [Django 4.2](https://docs.djangoproject.com/en/stable/releases/4.2/) made it, with
# 600,000. When does it change: at a wrong password, at the right one, or never?

# %%
def rounds_of(name):
    return int(User.objects.get(username=name).password.split("$")[1])


old = PBKDF2PasswordHasher().encode("persuasion", "x" * 22, 600_000)
User.objects.filter(username="hashed").update(password=old)
with override_settings(PASSWORD_HASHERS=[PBKDF2, SCRYPT]):
    print(get_hasher().must_update(old))
    for password in ("wrong", "persuasion"):
        authenticate(username="hashed", password=password)
        print(rounds_of("hashed") == PBKDF2PasswordHasher.iterations)

# %% [markdown]
# At the right one: only then the password is known. And it has a price that few expect. The same account is logged in
# on a phone, with the old hash, and then logs in on a laptop:

# %%
User.objects.filter(username="hashed").update(password=old)
phone, laptop = Client(), Client()
phone.force_login(User.objects.get(username="hashed"))
print(get_user(phone))
with override_settings(PASSWORD_HASHERS=[PBKDF2, SCRYPT]):
    laptop.login(username="hashed", password="persuasion")
print(get_user(phone), get_user(laptop))

# %% [markdown]
# The phone is out. A session holds a keyed hash of the stored password, and that has changed, though the password has
# not. After each release that raises the rounds, somebody's first new login ends their sessions on other devices.

# %% [markdown]
# **Permissions.** ida again, without her group. What does the second line print, right after she joined?

# %%
reset()
ida = User.objects.get(username="ida")
print(ida.is_staff, ida.has_perm("catalog.change_book"))
ida.groups.add(Group.objects.get(name="Booksellers"))
ida.refresh_from_db()
print(ida.has_perm("catalog.change_book"))
ida = User.objects.get(pk=ida.pk)
print(ida.has_perm("catalog.change_book"))

# %% [markdown]
# `is_staff` opens the door of the admin site and gives no permission. And the answer is kept on the object: fetch the
# user anew, `refresh_from_db()` is not enough. That keeping is worth it. How many queries do twelve questions cost?

# %%
ida = User.objects.get(username="ida")
with queries(quiet=True) as seen:
    for action in ("view", "add", "change") * 4:
        ida.has_perm(f"catalog.{action}_book")
print(len(seen))
for name, active in (("superuser", True), ("retired", False)):
    print(name, User(username=name, is_superuser=True, is_active=active).has_perm("no.such_thing"))

# %% [markdown]
# Two: her own permissions and those of her groups. A superuser has every permission, those that do not exist included;
# to whoever is not active `ModelBackend` gives none. Now the same question **about one object**:

# %%
emma = Book.objects.get(slug="emma")
print(ida.has_perm("catalog.change_book"), ida.has_perm("catalog.change_book", emma))
review = Review.objects.exclude(reviewer=None).select_related("reviewer").first()
writer = review.reviewer
print(writer.has_perm("reviews.change_review"), writer.has_perm("reviews.change_review", review))

# %% [markdown]
# Django has the question and no answer: `ModelBackend` says no to every object, even to those who may change all
# books. The shop's own backend answers for reviews: yes to whoever wrote it. A backend is a class with a few methods.
# This one knows library cards:

# %%
CARDS = {"L-1": "anna", "L-2": "paolo.kim"}


class CardBackend(BaseBackend):
    def authenticate(self, request, card=None):
        return User.objects.filter(username=CARDS.get(card), is_active=True).first()

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id, is_active=True).first()


CARD, MODEL = "__main__.CardBackend", "django.contrib.auth.backends.ModelBackend"
with override_settings(AUTHENTICATION_BACKENDS=[CARD, MODEL]):
    print([authenticate(card=card) for card in ("L-1", "L-2", "L-3")])

# %% [markdown]
# `L-2` is the card of paolo, who is not active: each backend has to look for itself. The `get_user()` of `BaseBackend`
# finds nobody: without one of its own, the login would succeed and be forgotten with the next request. And a backend
# that raises `PermissionDenied` ends the search. Who is asked here?

# %%
class ClosedToday(BaseBackend):
    def authenticate(self, request, **credentials):
        raise PermissionDenied


CLOSED = "__main__.ClosedToday"
for chain in ([CARD, CLOSED], [CLOSED, CARD]):
    with override_settings(AUTHENTICATION_BACKENDS=chain):
        print(authenticate(card="L-1"))

# %% [markdown]
# In the first order the card was enough; in the second nobody comes to the card.

# %% [markdown]
# **A user model of one's own.** There are two classes to begin with. Which of them brings permissions?

# %%
print(settings.AUTH_USER_MODEL, [base.__name__ for base in get_user_model().__bases__])
for base in (AbstractUser, AbstractBaseUser):
    print(base.__name__, hasattr(base, "has_perm"), *[field.name for field in base._meta.fields])

# %% [markdown]
# `AbstractUser` is the user you know, and the right start nearly always: the shop's adds nothing to it, and can at any
# time. `AbstractBaseUser` is a password and the last login. Readers who log in by e-mail:

# %%
class ReaderManager(BaseUserManager):
    def create_user(self, email, password=None):
        reader = self.model(email=self.normalize_email(email))
        reader.set_password(password)
        reader.save(using=self._db)
        return reader

# %%
class Reader(AbstractBaseUser):
    email = models.EmailField(unique=True)
    objects = ReaderManager()
    USERNAME_FIELD = "email"

    class Meta:
        app_label = "lab"

# %%
Reader.objects.all().delete()
for email in ("Nora@Example.ORG", "nora@example.org"):
    print(Reader.objects.create_user(email, "a doll's house"))
nora = Reader.objects.get_by_natural_key("Nora@example.org")
print(nora.check_password("a doll's house"), hasattr(nora, "has_perm"), Reader.objects.count())

# %% [markdown]
# Two readers: `normalize_email()` lowers the domain alone. Where the database tells capitals apart, as here, unique
# addresses want a constraint on `Lower("email")`.
# [`PermissionsMixin`](https://docs.djangoproject.com/en/stable/topics/auth/customizing/#custom-users-and-permissions)
# would add `has_perm()`. In code, the model is named by `get_user_model()`, in foreign keys by
# `settings.AUTH_USER_MODEL`. What becomes of Django's own?

# %%
try:
    auth_models.User.objects.count()
except AttributeError as error:
    print(error)

# %% [markdown]
# **Who may in.** Three decorators around the same page, asked by nobody, by anna, and by ida, who may change books:

# %%
def page(request):
    return HttpResponse("the page")


may_change = permission_required("catalog.change_book")
strict = permission_required("catalog.change_book", raise_exception=True)
views = {"login": login_required(page), "permission": may_change(page), "strict": strict(page)}
pages = [path(f"{name}/", view) for name, view in views.items()]
patterns = (*pages, *import_string("config.urls.urlpatterns"))
with override_settings(ROOT_URLCONF=patterns):
    for name in views:
        print(name, [get(f"/{name}/", user=user).status_code for user in (None, "anna", "ida")])

# %% [markdown]
# One of the nine sends somebody in a circle. anna, in the second line, follows her redirects:

# %%
with override_settings(ROOT_URLCONF=patterns):
    try:
        get("/permission/", user="anna", follow=True)
    except RedirectCycleError as error:
        print(type(error).__name__)

# %% [markdown]
# `permission_required` sends anna to the login, though she is logged in, and a login page that sends on whoever is
# logged in sends her back. `raise_exception=True` tells her 403, and strangers too: put `login_required` around it.

# %% [markdown]
# All three share a weakness: somebody has to think of them. `LoginRequiredMiddleware` (5.1) turns the default around:

# %%
@login_not_required
def opening_hours(request):
    return HttpResponse("9 to 5")


LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
patterns = (path("hours/", opening_hours), path("forgotten/", page))
for chain in (settings.MIDDLEWARE, [*settings.MIDDLEWARE, LOGIN_REQUIRED]):
    with override_settings(MIDDLEWARE=chain, ROOT_URLCONF=patterns, LOGIN_URL="/login/"):
        print([get(url).status_code for url in ("/hours/", "/forgotten/")])

# %% [markdown]
# Of Django's own views, which bear the mark already, and are open with the middleware too?

# %%
for view in (auth_views.LoginView, auth_views.PasswordResetView, auth_views.LogoutView):
    print(view.__name__, "login required:", getattr(view.as_view(), "login_required", True))

# %% [markdown]
# In an asynchronous view the user is `await request.auser()`, because `request.user` may have to ask the database. The
# decorators take such views as they are (5.1):

# %%
@login_required
async def hello(request):
    return HttpResponse(f"Hello {await request.auser()}")


with override_settings(ROOT_URLCONF=(path("", hello),), LOGIN_URL="/login/"):
    print(iscoroutinefunction(hello), get("/").status_code, get("/", user="anna").text)

# %% [markdown]
# The other questions can be awaited as well: [since 5.0](https://docs.djangoproject.com/en/5.0/releases/5.0/) who
# somebody is, [since 5.2](https://docs.djangoproject.com/en/5.2/releases/5.2/) what they may do, and the methods of a
# backend:

# %%
ida = await User.objects.aget(username="ida")
print(await aauthenticate(username="ida", password="wrong"))
print(await ida.ahas_perm("catalog.change_book"))

# %% [markdown]
# **Session fixation.** An attacker visits the shop, gets a session, and plants its key in anna's browser: on a shared
# computer, or from a subdomain. She logs in. Whose are the two sessions then?

# %%
def attack():
    attacker, victim = Client(), Client()
    attacker.post("/cart/add/emma/", {"quantity": 1})
    victim.cookies["sessionid"] = attacker.cookies["sessionid"].value
    victim.post("/account/login/", {"username": "anna", "password": "sense and sensibility"})
    return f"victim: {get_user(victim)}, attacker: {get_user(attacker)}"


anna = User.objects.get(username="anna")
anna.set_password("sense and sensibility")
anna.save()
print(attack())

# %% [markdown]
# The attacker holds a key to nothing. `login()` has called `cycle_key()`: same content, new key, old one deleted. Take
# that one step away, or write the user into the session yourself instead of calling `login()`:

# %%
with mock.patch.object(SessionStore, "cycle_key", lambda session: None):
    print(attack())

# %% [markdown]
# Now the attacker is anna, without her password.

# %% [markdown]
# **The trap.** A widely read list has "Forms Validation" among the parts of the authentication system. The
# [documentation](https://docs.djangoproject.com/en/stable/topics/auth/) says forms and view tools to log in and to
# restrict content. There is validation, of passwords. Who calls it? Not `create_user()`:

# %%
reset()
User.objects.create_user("careless", password="1")
try:
    validate_password("1")
except ValidationError as error:
    print([problem.code for problem in error.error_list])
own = [tool for tool in vars(auth_views).values() if getattr(tool, "__module__", "") == auth_views.__name__]
print(*[tool.__name__ for tool in own if tool.__name__.endswith("View")])

# %% [markdown]
# The forms that set a password
# [call it](https://docs.djangoproject.com/en/stable/topics/auth/passwords/#password-validation), and `createsuperuser`
# and `changepassword` where they ask for one; your own code has to. The same list says "password hashing" without a
# word on rounds and upgrades, and nothing of a user model of your own or of a login as default: you have seen them
# all. And tutorials still log out by a link:

# %%
browser = Client()
browser.force_login(User.objects.get(username="anna"))
print(browser.get("/account/logout/").status_code, get_user(browser))
print(browser.post("/account/logout/").status_code, get_user(browser))

# %% [markdown]
# Since 5.0 logging out is a POST: a link, or an image on another site, must not do it.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Swap `AUTH_USER_MODEL` mid-project: how?* Not by the setting: migrations of other apps depend on the first one of
#   the user's app, and their foreign keys point at the old table. Either start again with a new database and move the
#   rows over, or make a model with `db_table = "auth_user"`, write its first migration as applied, and repair content
#   types and keys by hand. Do it on a copy first.
# - *Object-level permissions?* The hook is `has_perm(perm, obj)`: write a backend, or take a package such as
#   [django-guardian](https://django-guardian.readthedocs.io/), which stores a row for each permission that a user or a
#   group has for an object. For a list, do not ask row by row: filter the queryset.
# - *How are hashes upgraded, and what is `must_update`?* At a successful check: where the algorithm is not the first
#   of `PASSWORD_HASHERS`, or the hasher says `must_update`, for it has other rounds or a short salt, the password is
#   hashed anew. Who never comes keeps the old hash; it can be wrapped.

# %% [markdown]
# What a project with a user and a history says to the late change of the setting:

# %%
USER = """from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    class Meta:
        db_table = "auth_user"
"""
site = scratch("mysite")
site.output("python manage.py migrate")
site.output("python manage.py createsuperuser --no-input --username nora --email nora@example.org")
site.output("python manage.py startapp accounts")
site.write("accounts/models.py", USER)
site.replace("mysite/settings.py", "INSTALLED_APPS = [", 'INSTALLED_APPS = ["accounts",')
site.write("mysite/settings.py", site.read("mysite/settings.py") + 'AUTH_USER_MODEL = "accounts.User"')
site.run("python manage.py makemigrations accounts", lines=2)

# %%
for option in ("", " --fake accounts"):
    site.run(f"python manage.py migrate{option}", lines=3)

# %% [markdown]
# It is refused, also with `--fake`. The model takes the old table, so two entries by hand are enough here: the
# migration is applied, and the content type has a new home. Is nora still there?

# %%
BY_HAND = """from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).record_applied("accounts", "0001_initial")
ContentType.objects.filter(app_label="auth", model="user").update(app_label="accounts")
"""
site.write("by_hand.py", BY_HAND)
site.output("python manage.py shell -c 'import by_hand'")
site.run("python manage.py migrate --check")
site.run("python manage.py makemigrations --check")
site.run("python manage.py shell -v 0 -c 'from accounts.models import User; print(User.objects.get())'")

# %% [markdown]
# The list of one's own objects is a filter. To ask for each, every page would load all rows:

# %%
reviews = Review.objects.select_related("reviewer")
asked = [review.pk for review in reviews if writer.has_perm("reviews.change_review", review)]
with queries(quiet=True) as seen:
    filtered = list(writer.reviews.values_list("pk", flat=True))
print(sorted(asked) == sorted(filtered), len(reviews) // len(filtered), len(seen))

# %% [markdown]
# And who never logs in? Hash the old hash:
# [wrapping](https://docs.djangoproject.com/en/stable/topics/auth/passwords/#password-upgrading-without-requiring-a-login)
# needs no password. Exercise 18.4 does it.

# %% [markdown]
# **Versions.** PBKDF2 has 1,000,000 rounds in 5.2, [1,200,000 in
# 6.0](https://docs.djangoproject.com/en/stable/releases/6.0/), 1,500,000 in 6.1. What does a login cost after the
# update?

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(PBKDF2PasswordHasher.iterations / 1_000_000)
else:
    print("Django 6.1 prints 1.5")

# %% [markdown]
# Half as much again. `acheck_password()` hashes in the event loop on 5.2, where everybody else waits for it. On 6.1 it
# goes into a thread:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    threads = []

    class Witness(MD5PasswordHasher):
        def encode(self, password, salt):
            threads.append(current_thread())
            return super().encode(password, salt)

    with override_settings(PASSWORD_HASHERS=["__main__.Witness"]):
        encoded = make_password("persuasion")
        print(await acheck_password("persuasion", encoded), threads[-1] is current_thread())
else:
    print("Django 6.1 prints True False")

# %% [markdown]
# `LoginRequiredMiddleware` asks on 5.2 who the visitor is before it looks for the mark, so an open view costs whoever
# is logged in two queries. On 6.1:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    browser = Client()
    browser.force_login(User.objects.get(username="anna"))
    chain = [*settings.MIDDLEWARE, LOGIN_REQUIRED]
    with override_settings(MIDDLEWARE=chain, ROOT_URLCONF=(path("hours/", opening_hours),)):
        with queries(quiet=True) as seen:
            browser.get("/hours/")
    print(len(seen))
else:
    print("Django 6.1 prints 0")

# %% [markdown]
# The other differences: `Permission.user_perm_str` is new, a migration that renames a model [renames its
# permissions](https://docs.djangoproject.com/en/6.1/releases/6.1/), and `login(request, None)`, which 5.2 takes for
# `request.user` with a warning, is an error:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(Permission.objects.get(codename="change_book").user_perm_str)
    try:
        login(RequestFactory().get("/"), None)
    except AttributeError:
        print("AttributeError")
else:
    print("Django 6.1 prints catalog.change_book and AttributeError")

# %%
quiz("Q49")

# %% [markdown]
# Now [exercises 18.1 to 18.5](../exercises/18_authentication_and_sessions.ipynb).

# %% [markdown]
# ## Q50 · Keep something for a visitor between requests
#
# *Intermediate · asked as I7*
#
# **Say it.** HTTP forgets. The session framework gives each visitor a dictionary, `request.session`, logged in or not:
# carts, logins, messages. The browser keeps a random key in a cookie, the server the data, in the database unless
# `SESSION_ENGINE` says cache, cached database or files. Signed cookies are the exception: there the data travel in the
# cookie, readable but not changeable. Values are JSON, a session is saved when it was modified, lasts two weeks, and
# expired rows stay until `clearsessions`.
#
# *What lifts it:* what each engine loses and when, that two requests at once overwrite each other, and how to end
# somebody's sessions everywhere.

# %% [markdown]
# **See it.** A counter, and two visitors. What does each of the four requests answer?

# %%
reset()
cache.clear()


def counter(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(request.session["visits"])


COUNTER = (path("", counter),)
mira, tomas = Client(), Client()
with override_settings(ROOT_URLCONF=COUNTER):
    print([client.get("/").text for client in (mira, mira, tomas, mira)])

# %% [markdown]
# What mira's browser was sent, and what the server has of her:

# %%
with override_settings(ROOT_URLCONF=COUNTER):
    reply = get("/", client=mira)
key = mira.cookies["sessionid"].value
row = Session.objects.get(session_key=key)
print(reply)
days = round((row.expire_date - timezone.now()).total_seconds() / 86400)
print(len(key), row.get_decoded(), days, "days")

# %% [markdown]
# 32 random characters, out of the reach of scripts (`HttpOnly`), not sent along with a POST from another site
# (`SameSite=Lax`), good for two weeks. With HTTPS add `SESSION_COOKIE_SECURE`. `Vary: Cookie` tells caches that the
# page depends on it. Is the row secret?

# %%
content = row.session_data.split(":")[0]
print(signing.b64_decode(content.encode()))

# %% [markdown]
# No: in clear, and signed, so that nobody who can write the table can make up a content without the `SECRET_KEY`. What
# does a session cost? Three views with the same session: one leaves it alone, one reads, one writes:

# %%
def ignoring(request):
    return HttpResponse()


def reading(request):
    return HttpResponse(request.session.get("visits"))


patterns = (path("ignoring/", ignoring), path("reading/", reading), path("writing/", counter))
with override_settings(ROOT_URLCONF=patterns):
    for pattern in patterns:
        with queries(quiet=True) as seen:
            reply = mira.get(f"/{pattern.pattern}")
        print(pattern.pattern, len(seen), "Cookie" in reply["Vary"], "sessionid" in reply.cookies)
    print(Client().get("/reading/").cookies.get("sessionid"))

# %% [markdown]
# It is lazy: who does not touch it pays nothing. Who reads pays a query, and the page depends on the cookie from then
# on. Who writes saves the whole. And a visitor for whom nothing is kept gets neither row nor cookie. Reading does not
# renew it either, so what happens to a customer who looks every day and changes nothing?

# %%
for every in (False, True):
    with override_settings(ROOT_URLCONF=patterns, SESSION_SAVE_EVERY_REQUEST=every):
        reply = mira.get("/ignoring/")
        print(every, "sessionid" in reply.cookies)

# %% [markdown]
# They are logged out two weeks after the last **change**. `SESSION_SAVE_EVERY_REQUEST` makes it two weeks after the
# last visit, at a write per request. Next, **what may be in it**. Which of these comes back as it went in?

# %%
def kept(value):
    session = SessionStore()
    session["value"] = value
    session.save()
    return SessionStore(session.session_key)["value"]


for value in ({"emma": [2, None]}, {4: 2}, (1, 2), timezone.now()):
    try:
        print(type(value).__name__, kept(value) == value)
    except TypeError:
        print(type(value).__name__, "TypeError")

# %% [markdown]
# JSON has no integer keys, no tuples, no dates, and no model instances: keep primary keys. The serializer that took
# every Python object, pickle, was [removed in 5.0](https://docs.djangoproject.com/en/5.0/releases/5.0/): who knew the
# `SECRET_KEY` could run code with it, by a signed cookie. The engine `cache` goes without JSON, so there all four would come back: a
# change of engine brings it to light.

# %% [markdown]
# **The engines.** The same cart in each of the five. Predict who has a row, and whose cookie is longest:

# %%
ENGINES = "django.contrib.sessions.backends"


@contextmanager
def engine(name):
    with TemporaryDirectory() as folder, override_settings(SESSION_ENGINE=f"{ENGINES}.{name}"):
        # The engine for files reads SESSION_FILE_PATH once in a process, and keeps it here.
        with mock.patch.object(FileStore, "_storage_path", folder, create=True):
            yield Path(folder)

# %%
def shopper():
    client = Client()
    client.post("/cart/add/emma/", {"quantity": 2})
    return client


def cart_of(client):
    return client.get("/cart/").wsgi_request.session.get("cart")

# %%
print("engine          cookie rows cached files queries")
for name in ("db", "cache", "cached_db", "file", "signed_cookies"):
    before = Session.objects.count()
    with engine(name) as folder:
        client = shopper()
        key = client.cookies["sessionid"].value
        rows, files = Session.objects.count() - before, len(list(folder.iterdir()))
        cached = f"django.contrib.sessions.{name}{key}" in cache
        with queries(quiet=True) as seen:
            cart_of(client)
    print(f"{name:15} {len(key):6} {rows:4} {cached!s:6} {files:5} {len(seen):7}")

# %% [markdown]
# (One query is the book in the cart; the second one of `db` is the session.) Who keeps it in the cookie needs no store
# at all. Now the cache is emptied, as by a restart, or because it is full. Whose cart is left?

# %%
for name in ("cache", "cached_db"):
    with engine(name):
        client = shopper()
        cache.clear()
        print(name, cart_of(client))

# %% [markdown]
# `cache` alone loses it, and every login with it. `cached_db` writes to both, reads from the cache, and falls back on
# the row. With local memory each process would have sessions of its own, or old copies: for both, take a cache that
# all share. On a real server, what is the key, and who clears up?

# %%
if valkey.available():
    import redis

    with valkey() as server, engine("cache"):
        key = shopper().cookies["sessionid"].value
        stored = redis.Redis.from_url(server.url)
        name = stored.keys(f"*{key}")[0]
        print(name.decode().replace(key, "…"), round(stored.ttl(name) / 86400), "days")
else:
    print(valkey.why_not())

# %% [markdown]
# The server forgets it by itself, two weeks after the last write. Memcached does too, and by default takes no value beyond a megabyte.
# What is left of a session that outgrows it?

# %%
if memcached.available():
    with memcached(), engine("cache"):
        session = import_string(f"{ENGINES}.cache.SessionStore")()
        for size in (100_000, 1_100_000):
            session["search"] = "x" * size
            try:
                session.save()
            except Exception as error:
                print(type(error).__name__, error)
            print(size, len(type(session)(session.session_key).get("search", "")))
else:
    print(memcached.why_not())

# %% [markdown]
# An error of the client library, and the old value is gone as well. The limits of the others: a row and a file are
# limited by what you can bear to load whenever the session is read, a cookie by the browser.

# %% [markdown]
# **Signed cookies.** What can somebody do with such a cookie who has no key? Read it, change it, make one up:

# %%
def with_cookie(value):
    client = Client()
    client.cookies["sessionid"] = value
    return client

# %%
with engine("signed_cookies"):
    cookie = shopper().cookies["sessionid"].value
    content, rest = cookie.split(":", 1)
    print(signing.b64_decode(content.encode()))
    forged = signing.b64_encode(json.dumps({"cart": {"4": 99}}).encode()).decode()
    print(cart_of(with_cookie(cookie)), cart_of(with_cookie(f"{forged}:{rest}")))
    for fallbacks in ([], [settings.SECRET_KEY]):
        with override_settings(SECRET_KEY="another one", SECRET_KEY_FALLBACKS=fallbacks):
            print(cart_of(with_cookie(cookie)))

# %% [markdown]
# Read yes, change no: a changed cookie is an empty session, without an error. The same happens to everybody when the
# `SECRET_KEY` changes, unless `SECRET_KEY_FALLBACKS` has the old one, for a while. But there is one thing they can do.
# anna logs out, and somebody has a copy of her cookie:

# %%
for name in ("db", "signed_cookies"):
    with engine(name):
        anna = Client()
        anna.force_login(User.objects.get(username="anna"))
        copy = with_cookie(anna.cookies["sessionid"].value)
        anna.post("/account/logout/")
        print(name, get_user(anna), get_user(copy))

# %% [markdown]
# The server keeps nothing, so it can end nothing: the copy is good until it expires, or the password changes. Neither
# does it hold counters that must not be turned back: a visitor can send yesterday's cookie again
# ([documentation](https://docs.djangoproject.com/en/stable/topics/http/sessions/#using-cookie-based-sessions)).

# %% [markdown]
# And its size? Browsers take [4,096 bytes](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis) for
# name and value. The data are compressed where that helps:

# %%
with engine("signed_cookies"):
    for text in ("a" * 20_000, secrets.token_urlsafe(1500), secrets.token_urlsafe(3000)):
        session = Client().session
        session["search"] = text
        session.save()
        print(len(text), len("sessionid") + len(session.session_key) <= 4096)

# %% [markdown]
# Neither Django nor a test client complains about the third. A browser such as Chromium ignores it, and the last cookie
# that fitted stays: the visitor is back at an older state, on every page.

# %% [markdown]
# **Two at once.** A slow request reads the session, a second one of the same visitor changes it, then the slow one
# writes. Whose change is lost, in which of the engines?

# %%
def slow(request):
    request.session.get("cart")
    other = with_cookie(request.COOKIES["sessionid"])
    other.post("/cart/add/persuasion/", {"quantity": 1})
    request.session["seen"] = "emma"
    return HttpResponse()


patterns = (path("slow/", slow), *import_string("config.urls.urlpatterns"))
for name in ("db", "cache", "cached_db", "file", "signed_cookies"):
    with engine(name), override_settings(ROOT_URLCONF=patterns):
        client = shopper()
        client.get("/slow/")
        print(name, len(cart_of(client)))

# %% [markdown]
# Persuasion is lost in all five: a session is read as a whole and written as a whole, and nobody locks it. What must
# not be lost belongs into a table of its own. And if the second request is a logout?

# %%
def slow(request):
    request.session.get("cart")
    with_cookie(request.COOKIES["sessionid"]).post("/account/logout/")
    request.session["seen"] = "emma"
    return HttpResponse()


patterns = (path("slow/", slow), *import_string("config.urls.urlpatterns"))
for name in ("db", "cache", "cached_db", "file", "signed_cookies"):
    with engine(name), override_settings(ROOT_URLCONF=patterns):
        client = shopper()
        print(name, client.get("/slow/").status_code, cart_of(client))

# %% [markdown]
# A session that was ended meanwhile is not brought back: `SessionInterrupted`, which is a 400. Only the cookie knows
# of no logout. And one that ends in a 500?

# %%
def broken(request):
    request.session["cart"] = {"6": 1}
    return HttpResponse(status=500)


client = shopper()
with override_settings(ROOT_URLCONF=(path("", broken),)):
    print(client.get("/").status_code)
print(cart_of(client))

# %% [markdown]
# With a status from 500 on, nothing is saved.

# %% [markdown]
# **Clearing.** Two sessions, one of them past its time. Who deletes it, and when?

# %%
reset()
for name, seconds in (("alive", 3600), ("expired", -3600)):
    session = SessionStore()
    session["name"] = name
    session.set_expiry(timezone.now() + timedelta(seconds=seconds))
    session.save()
    print(name, dict(SessionStore(session.session_key).items()).get("name"))
print(Session.objects.count())
call_command("clearsessions")
print(Session.objects.count())

# %% [markdown]
# The expired one is served to nobody. With every engine?

# %%
for name in ("db", "cache", "cached_db", "file", "signed_cookies"):
    with engine(name):
        session = import_string(f"{ENGINES}.{name}.SessionStore")()
        session["book"] = "emma"
        session.set_expiry(timezone.now() - timedelta(hours=1))
        session.save()
        print(name, type(session)(session.session_key).get("book"))

# %% [markdown]
# A signed cookie knows `SESSION_COOKIE_AGE` and no time of its own: what `set_expiry()` says, only an honest browser
# keeps. And the row, that was not served, stays. `clearsessions` deletes it, and belongs into cron: for `db`,
# `cached_db` and `file`. Caches forget by themselves, cookies are with the browser. Without it the table grows with
# everybody for whom a view once kept something.

# %% [markdown]
# **The trap.** "Django saves the session by itself", the lists imply. It does when a **key of the session** is set or
# deleted. What is in the list after each of these requests?

# %%
def adding(request, way):
    cart = request.session.setdefault("books", [])
    cart.append(way)
    if way == "told":
        request.session.modified = True
    if way == "assigned":
        request.session["books"] = cart
    return HttpResponse()


client = Client()
with override_settings(ROOT_URLCONF=(path("<way>/", adding),)):
    for way in ("first", "silent", "told", "silent", "assigned"):
        client.get(f"/{way}/")
        print(way, client.session["books"])

# %% [markdown]
# "silent" is lost each time: the list changed, and the session did not hear of it. In the view itself it looks right,
# so tests with one request pass. (`first` was saved because `setdefault()` set the key.)

# %% [markdown]
# The other trap is the sentence "the data are on the server, the cookie has only an id". True of four engines of five,
# and you have read the fifth one's cookie without a key.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How do you log a user out everywhere?* Change the password: a session whose hash does not fit is emptied at the
#   next request that asks for the user, and `update_session_auth_hash()` keeps the one at hand. Or `is_active =
#   False`. Without either, delete their sessions through the engine, because `cached_db` has them twice; the user is
#   inside the data, so it takes a walk through all rows, or a table of your own. In a cache there are no rows to
#   walk through, and with signed cookies only the first two work. A new `SECRET_KEY` logs everybody out.
# - *`cached_db` or `cache`?* `cache` where losing all sessions is a nuisance and no more. `cached_db` where people
#   would lose a cart: it writes to the database each time, and reads there only after a miss.
# - *What happens to the session at login?* A new key with the same content, so the cart survives and a planted key is
#   worth nothing. If another user was logged in, the content goes. Who is logged in already and logs in again keeps
#   the key.

# %%
def change_password(request, keep):
    request.user.set_password(secrets.token_urlsafe())
    request.user.save()
    if keep == "keep":
        update_session_auth_hash(request, request.user)
    return HttpResponse()


with override_settings(ROOT_URLCONF=(path("<keep>/", change_password),)):
    for keep in ("keep", "forget"):
        phone, laptop = Client(), Client()
        for client in (phone, laptop):
            client.force_login(User.objects.get(username="anna"))
        laptop.get(f"/{keep}/")
        print(keep, get_user(phone), get_user(laptop))

# %% [markdown]
# Django's own view for it does keep yours. An inactive user is out at the next request as well; and the walk through
# all rows, where the password shall stay:

# %%
anna, mira = User.objects.get(username="anna"), User.objects.get(username="mira")
clients = [Client(), Client(), Client()]
for client, user in zip(clients, (anna, anna, mira), strict=True):
    client.force_login(user)
contents = ((row.pk, row.get_decoded()) for row in Session.objects.iterator())
theirs = [key for key, content in contents if content.get("_auth_user_id") == str(anna.pk)]
print(Session.objects.filter(pk__in=theirs).delete()[0], [str(get_user(client)) for client in clients])
User.objects.filter(username="mira").update(is_active=False)
print(get_user(clients[2]))

# %% [markdown]
# And the login of a visitor with a cart, twice; then of somebody else in the same browser. Is the key new, is the old
# row left, and where is the cart?

# %%
reset()
client = shopper()
for name in ("anna", "anna", "mira"):
    before = client.cookies["sessionid"].value
    client.force_login(User.objects.get(username=name))
    after = client.cookies["sessionid"].value
    print(name, after != before, Session.objects.filter(pk=before).exists(), cart_of(client))

# %% [markdown]
# **Versions.** Since 5.1 all of it can be awaited: `aget()`, `aset()`, `acycle_key()`. New in 6.1: a session without
# key and content is false. On 5.2 `if request.session:` is always true:

# %%
async def acounter(request):
    await request.session.aset("visits", await request.session.aget("visits", 0) + 1)
    return HttpResponse(await request.session.aget("visits"))


client = Client()
with override_settings(ROOT_URLCONF=(path("", acounter),)):
    print([get("/", client=client).text for _ in range(2)])

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(bool(SessionStore()))
else:
    print("Django 6.1 prints False")

# %%
quiz("Q50")

# %% [markdown]
# Now [exercises 18.6 to 18.8](../exercises/18_authentication_and_sessions.ipynb).

# %% [markdown]
# ## Q51 · Keep sessions in files, and know what that costs
#
# *Basic · asked as A1*
#
# **Say it.** `SESSION_ENGINE = "django.contrib.sessions.backends.file"`, and `SESSION_FILE_PATH` for the folder. Each
# session is a file whose name is the cookie's name and the session's key, so the folder must be closed to other users
# of the machine; without the setting it is the system's temporary folder. Writing replaces the file at once, nothing
# is locked. `clearsessions` removes what has expired. It suits a single server without a database; behind a load
# balancer the other hosts do not know the files.
#
# *What lifts it:* a name in that folder is a login; a full disk loses sessions without a word; and two requests at
# once overwrite each other here too.

# %% [markdown]
# **See it.** Two visitors with something in the cart. What are the files called, and who may read them?

# %%
FILE = "django.contrib.sessions.backends.file"


@contextmanager
def sessions_in_files():
    with TemporaryDirectory() as folder, override_settings(SESSION_ENGINE=FILE, SESSION_FILE_PATH=folder):
        # The engine reads the setting once in a process, and keeps it here.
        with mock.patch.object(FileStore, "_storage_path", folder, create=True):
            yield Path(folder)

# %%
def shopper():
    client = Client()
    client.post("/cart/add/emma/", {"quantity": 2})
    return client


def cart_of(client):
    return client.get("/cart/").wsgi_request.session.get("cart")

# %%
reset()
with sessions_in_files() as folder:
    clients = [shopper(), shopper()]
    names = {file.name for file in folder.iterdir()}
    print(names == {f"sessionid{client.cookies['sessionid'].value}" for client in clients})
    file = next(folder.iterdir())
    print(oct(file.stat().st_mode & 0o777), signing.b64_decode(file.read_text().split(":")[0].encode()))
    print(cart_of(clients[0]), Session.objects.count())

# %% [markdown]
# Cookie name and key; readable by the server's user alone; signed like a row, and not encrypted; and the table is
# empty. The cookie becomes a part of a path. What if somebody sends a path as their key, or a key of the right form
# that nobody gave out?

# %%
with sessions_in_files() as folder:
    for key in ("../../etc/passwd", "madeupmadeupmadeupmadeupmadeup12"):
        client = Client()
        client.cookies["sessionid"] = key
        client.post("/cart/add/emma/", {"quantity": 2})
        given = client.cookies["sessionid"].value
        print(len(given), given == key, len(list(folder.iterdir())))

# %% [markdown]
# Keys have small letters and digits only, and an unknown one is replaced: both visitors got a new key and a file. What
# about somebody who can write in the folder?

# %%
with sessions_in_files() as folder:
    client = shopper()
    file = next(folder.iterdir())
    forged = signing.b64_encode(json.dumps({"_auth_user_id": "5"}).encode()).decode()
    file.write_text(forged + ":" + file.read_text().split(":", 1)[1])
    print(cart_of(client), get_user(client))

# %% [markdown]
# The signature does not fit: an empty session. And a copy of what Django has signed itself? Somebody writes anna's
# session over their own:

# %%
with sessions_in_files() as folder:
    anna, intruder = Client(), shopper()
    anna.force_login(User.objects.get(username="anna"))
    hers, theirs = [folder / f"sessionid{who.cookies['sessionid'].value}" for who in (anna, intruder)]
    theirs.write_text(hers.read_text())
    print(get_user(intruder))

# %% [markdown]
# It fits: the session's key is no part of what is signed, in a row neither. Who can read and write the folder is
# whoever they like. **Expired** files lie there until somebody comes. The age is counted from the last write; here one
# is made to look old:

# %%
with sessions_in_files() as folder:
    old, young = shopper(), shopper()
    os.utime(folder / f"sessionid{old.cookies['sessionid'].value}", (0, 0))
    print(len(list(folder.iterdir())))
    call_command("clearsessions")
    print(len(list(folder.iterdir())), cart_of(old), cart_of(young))

# %% [markdown]
# It opens every single file to find out, where the database has one `DELETE` by an indexed column. How many does it
# open for a hundred sessions of which none has expired?

# %%
with sessions_in_files() as folder:
    for _ in range(100):
        FileStore().save()
    with mock.patch("builtins.open", side_effect=open) as opened:
        call_command("clearsessions")
    print(opened.call_count, len(list(folder.iterdir())))
with queries(quiet=True) as seen:
    call_command("clearsessions")
print(len(seen))

# %% [markdown]
# **Locked?** No. While one request writes, another one reads. Does it see the old session, the new one, or half of it?

# %%
def reading_meanwhile(key, seen, write=os.write):
    def step(descriptor, data):
        written = write(descriptor, data[:10])
        seen.append(FileStore(key).get("book"))
        return written + write(descriptor, data[10:])

    return step

# %%
with sessions_in_files():
    session, seen = FileStore(), []
    session["book"] = "emma"
    session.save()
    session["book"] = "persuasion"
    with mock.patch("os.write", reading_meanwhile(session.session_key, seen)):
        session.save()
    print(seen, FileStore(session.session_key)["book"])

# %% [markdown]
# The old one, whole: the new text goes into a temporary file, which then takes the name at once. (On Windows, [says
# the source](https://github.com/django/django/blob/stable/5.2.x/django/contrib/sessions/backends/file.py), it is
# copied.) But nothing keeps two requests apart. Two tabs, each with a book:

# %%
with sessions_in_files():
    session = FileStore()
    session["books"] = []
    session.save()
    tabs = [FileStore(session.session_key) for _ in range(2)]
    read = [tab["books"] for tab in tabs]
    for tab, books, book in zip(tabs, read, ("emma", "persuasion"), strict=True):
        tab["books"] = [*books, book]
        tab.save()
    print(FileStore(session.session_key)["books"])

# %% [markdown]
# The last one wins, as with every engine. And when the **disk is full**? The shop's answer, and the cart after it:

# %%
full = OSError(28, "No space left on device")
with sessions_in_files() as folder, mock.patch("os.write", side_effect=full):
    client = shopper()
    sizes = [file.stat().st_size for file in folder.iterdir()]
    print("sessionid" in client.cookies, sizes, cart_of(client))
    client.force_login(User.objects.get(username="anna"))
    print(get_user(client))

# %% [markdown]
# No error, no line in the log: `save()` [passes over
# it](https://github.com/django/django/blob/stable/5.2.x/django/contrib/sessions/backends/file.py). The visitor gets a
# cookie for an empty file, and nobody can log in. Only the step before, making the file, fails aloud. Watch the disk.

# %% [markdown]
# And **under ASGI**? The methods of this engine can be awaited. In which thread is the file read?

# %%
def noting(*arguments, opened=open, **options):
    threads.append(current_thread())
    return opened(*arguments, **options)


threads = []
with sessions_in_files():
    session = FileStore()
    session["book"] = "emma"
    session.save()
    with mock.patch("builtins.open", noting):
        print(await FileStore(session.session_key).aget("book"), current_thread() in threads)

# %% [markdown]
# In that of the event loop, which waits for the disk, and all requests with it.

# %% [markdown]
# **The trap.** The list stops at the line with `SESSION_ENGINE`. The default folder is the system's, on Linux mostly
# `/tmp`, where everybody may list the names. What is a name worth?

# %%
with sessions_in_files() as folder:
    anna = Client()
    anna.force_login(User.objects.get(username="anna"))
    neighbour = Client()
    neighbour.cookies["sessionid"] = next(folder.iterdir()).name.removeprefix("sessionid")
    print(get_user(neighbour))

# %% [markdown]
# The files are closed, and it does not help: the name is the key. Give them a folder of their own that is the server's
# alone, mode 700, outside of what a web server serves. It must be there: Django makes none. When does it tell you that
# it is missing?

# %%
with override_settings(SESSION_ENGINE=FILE, SESSION_FILE_PATH="/no/such/folder"):
    try:
        Client().get("/")
    except ImproperlyConfigured as error:
        print(str(error).split(".")[0])
    print(Client(raise_request_exception=False).get("/").status_code)

# %% [markdown]
# At the first request, with a 500 for every page: the engine is made with each request, also where nobody asks for the
# session. Exercise 18.9 makes it in the settings.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *Why not files behind a load balancer?* Each host has its own disk. A visitor whose next request goes to the other
#   one is a stranger there. Sticky sessions help until that host is taken down; a shared network folder brings its
#   latency and its locks into every request. Two containers are two hosts.
# - *Which engine would you choose, and why?* The database, by default: nothing to install, all hosts share it,
#   sessions can be ended. `cached_db` on Redis or Valkey when reads weigh. `cache` where losing them is bearable;
#   signed cookies for little that is no secret; files for one host.
# - *How are files named and locked?* The name is `SESSION_COOKIE_NAME` and the key. They are not locked: a temporary
#   file is renamed, so readers see the old or the new one. A process that dies in between leaves its temporary file,
#   and `clearsessions` leaves it too.

# %%
def move_to(client, folder):
    FileStore._storage_path = folder
    return cart_of(client)


with sessions_in_files() as one, TemporaryDirectory() as two:
    client = shopper()
    key = client.cookies["sessionid"].value
    print("the other host:", move_to(client, two))
    client.cookies["sessionid"] = key
    print("the first again:", move_to(client, str(one)))

# %% [markdown]
# And what a crash leaves behind:

# %%
with sessions_in_files() as folder:
    shopper()
    left = folder / f"{next(folder.iterdir()).name}_out_x7"
    left.write_text("half a sess")
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    call_command("clearsessions")
    print([file == left for file in folder.iterdir()])

# %%
quiz("Q51")

# %% [markdown]
# Now [exercises 18.9 and 18.10](../exercises/18_authentication_and_sessions.ipynb), then chapter [19 ·
# Signals](19_signals.ipynb).
