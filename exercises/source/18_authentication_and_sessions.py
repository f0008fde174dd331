# %%
from checks import check, hint, solution
from lab import start

start()

# Django is set up now, so its models can be imported.
import os
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from accounts.models import User
from catalog.models import Book
from django.conf import settings
from django.contrib.auth import authenticate, get_user, login, logout
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from orders.models import Order

# %% [markdown] exercise="18.1"
# ### 18.1 Log in by e-mail
#
# Write an authentication backend `EmailBackend` for `authenticate(email=…, password=…)`. Capitals in the address do
# not matter. Nobody gets in by an address that two accounts have, by an empty one, or into an account that is not
# active, and a session ends when its account is put to sleep. An unknown address costs as much as a wrong password: at
# least one hash is computed.

# %% exercise="18.1" role="check"
import sys
from types import ModuleType
from unittest import mock


def observe(answer):
    module = sys.modules["shopkeeper"] = ModuleType("shopkeeper")
    module.EmailBackend = answer
    people = [("nora", "Nora@Example.org", True), ("thea", "thea@example.org", True)]
    people += [("twin", "THEA@example.org", True)]
    people += [("sleeper", "sleeper@example.org", False), ("nomail", "", True)]
    people += [("awake", "shared@example.org", True), ("asleep", "shared@example.org", False)]
    User.objects.filter(email="").update(email="elsewhere@example.com")
    for name, email, active in people:
        User.objects.create_user(name, password=f"{name}'s own", is_active=active)
        User.objects.filter(username=name).update(email=email)

    def attempt(email, password):
        try:
            return str(authenticate(email=email, password=password))
        except Exception as error:
            return type(error).__name__

    with override_settings(AUTHENTICATION_BACKENDS=["shopkeeper.EmailBackend"]):
        seen = [
            (email, password, attempt(email, password))
            for email, password in [
                ("Nora@Example.org", "nora's own"),
                ("nora@example.ORG", "nora's own"),
                ("nora@example.org", "wrong"),
                ("thea@example.org", "thea's own"),
                ("thea@example.org", "twin's own"),
                ("sleeper@example.org", "sleeper's own"),
                ("shared@example.org", "awake's own"),
                ("", "nomail's own"),
                ("nobody@example.org", "wrong"),
                ("ora@example.org", "nora's own"),
                (None, None),
            ]
        ]
        for email in ("nora@example.org", "nobody@example.org"):
            real = MD5PasswordHasher.encode
            with mock.patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=real) as hashed:
                attempt(email, "wrong")
            seen.append((email, "a hash was computed" if hashed.call_count else "no hash was computed"))
        client = Client()
        nora = User.objects.get(username="nora")
        client.force_login(nora, backend="shopkeeper.EmailBackend")
        seen.append(("the next request is by", str(get_user(client))))
        User.objects.filter(pk=nora.pk).update(is_active=False)
        seen.append(("and when the account sleeps", str(get_user(client))))
    return seen

# %% exercise="18.1" role="answer" seconds=20
class EmailBackend(BaseBackend):
    # solution
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        user = users[0]
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id, is_active=True).first()
    # end


check("18.1")

# %% exercise="18.1" role="alternative" note="`ModelBackend` brings `get_user()`, `user_can_authenticate()` and permissions. The better base where this backend is the only one."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None, **kwargs):
        if not email or password is None:
            return None
        try:
            user = User.objects.get(email__iexact=email)
        except (User.DoesNotExist, User.MultipleObjectsReturned):
            make_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user

# %% exercise="18.1" role="alternative" note="`ModelBackend` does the rest once the name is known, and hashes once for a name that nobody has. Two queries."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None, **kwargs):
        if not email or password is None:
            return None
        names = list(User.objects.filter(email__iexact=email).values_list("username", flat=True)[:2])
        return super().authenticate(request, username=names[0] if len(names) == 1 else "", password=password)

# %% exercise="18.1" role="mistake" says="The address is compared with its capitals. `email__iexact` does not look at them."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password) and self.user_can_authenticate(users[0]):
            return users[0]

# %% exercise="18.1" role="mistake" says="Two accounts have the address, and `get()` raises `MultipleObjectsReturned`: the login page ends with a 500."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        try:
            user = User.objects.get(email__iexact=email)
        except User.DoesNotExist:
            User().set_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user

# %% exercise="18.1" role="mistake" says="Where two accounts have the address, `first()` takes one of them. Nobody has proven that it is theirs: let neither in."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        user = User.objects.filter(email__iexact=email).order_by("pk").first()
        if user is None:
            User().set_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user

# %% exercise="18.1" role="mistake" says="Of two accounts with the address one sleeps, and you let the other in. The address is still that of two: nobody knows whose it is."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email, is_active=True)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password):
            return users[0]

# %% exercise="18.1" role="mistake" says="An account that is not active gets in. Django leaves that question to each backend."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password):
            return users[0]

# %% exercise="18.1" role="mistake" says="There is no `get_user()`: the login succeeds, and the next request is by nobody."
class EmailBackend(BaseBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password) and users[0].is_active:
            return users[0]

# %% exercise="18.1" role="mistake" says="`get_user()` returns whoever has the key, so an account that is put to sleep stays logged in where it is."
class EmailBackend(BaseBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password) and users[0].is_active:
            return users[0]

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id).first()

# %% exercise="18.1" role="mistake" says="For an unknown address no hash is computed: the answer comes much sooner, and whoever measures knows which addresses have an account."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        users = list(User.objects.filter(email__iexact=email)[:2]) if email else []
        if len(users) == 1 and users[0].check_password(password) and self.user_can_authenticate(users[0]):
            return users[0]

# %% exercise="18.1" role="mistake" says="The empty address is that of an account without one, and lets its owner in. Ask for the address first."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if email is None or password is None:
            return None
        users = list(User.objects.filter(email__iexact=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password) and self.user_can_authenticate(users[0]):
            return users[0]

# %% exercise="18.1" role="mistake" says="A piece of somebody's address is taken for the whole: `ora@…` finds nora. Compare the whole of it, with `email__iexact`."
class EmailBackend(ModelBackend):
    def authenticate(self, request, email=None, password=None):
        if not email or password is None:
            return None
        users = list(User.objects.filter(email__icontains=email)[:2])
        if len(users) != 1:
            User().set_password(password)
            return None
        if users[0].check_password(password) and self.user_can_authenticate(users[0]):
            return users[0]

# %% exercise="18.1" role="hint"
# A backend has `authenticate(self, request, **credentials)` and `get_user(self, user_id)`. Which of the accounts may be returned by each?
# %% exercise="18.1" role="hint"
# Fetch two at most. Where it is not exactly one, `User().set_password(password)` takes as long as a check.

# %% [markdown] exercise="18.2"
# ### 18.2 Permission for one order
#
# Write a backend `OrderBackend` that answers `user.has_perm(perm, order)`. Customers may view their own orders
# (`orders.view_order`), and cancel them (`orders.cancel_order`) while the status is `"open"`. Who has a permission for
# all orders has it for each. Nobody who is not active may do anything, and of other objects the backend knows nothing.
# It stands beside `ModelBackend`.

# %% exercise="18.2" role="check"
import sys
from types import ModuleType


def observe(answer):
    module = sys.modules["shopkeeper"] = ModuleType("shopkeeper")
    module.OrderBackend = answer
    names = ("nora", "torvald", "clerk", "sleeper")
    nora, torvald, clerk, sleeper = [User.objects.create(username=name) for name in names]
    User.objects.filter(pk=sleeper.pk).update(is_active=False)
    clerk.user_permissions.add(Permission.objects.get(codename="view_order", content_type__app_label="orders"))
    orders = {}
    placed = [(nora, "open"), (nora, "paid"), (nora, "cancelled"), (torvald, "open"), (sleeper, "open")]
    for number, (customer, status) in enumerate(placed):
        name = f"{customer.username}, {status}"
        orders[name] = Order.objects.create(
            number=f"1879-00000{number}", customer=customer, status=status, placed_at=datetime(2026, 7, 1, tzinfo=UTC)
        )
    # The last one is that of another app, with the codename of an order's.
    perms = [f"orders.{action}_order" for action in ("view", "cancel", "change", "delete")] + ["depot.view_order"]
    seen = []
    backends = ["django.contrib.auth.backends.ModelBackend", "shopkeeper.OrderBackend"]
    with override_settings(AUTHENTICATION_BACKENDS=backends):
        people = [User.objects.get(username=name) for name in ("nora", "clerk", "sleeper")] + [AnonymousUser()]
        things = [*orders.items(), ("a book", Book.objects.order_by("pk").first()), ("no object", None)]
        for person in people:
            for perm in perms:
                for name, thing in things:
                    try:
                        allowed = bool(person.has_perm(perm, thing))
                    except Exception as error:
                        allowed = type(error).__name__
                    seen.append((str(person), perm, name, allowed))
    return seen

# %% exercise="18.2" role="answer" seconds=20
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        # solution
        if not isinstance(obj, Order) or not user_obj.is_active:
            return False
        if user_obj.has_perm(perm):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status == "open")
        # end


check("18.2")

# %% exercise="18.2" role="alternative" note="As a set of permissions, from which `BaseBackend` makes `has_perm()` and `get_all_permissions()`: a page can list what somebody may do."
class OrderBackend(BaseBackend):
    def get_user_permissions(self, user_obj, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active:
            return set()
        granted = {perm for perm in user_obj.get_all_permissions() if perm.startswith("orders.")}
        if obj.customer == user_obj:
            granted.add("orders.view_order")
            if obj.status == "open":
                granted.add("orders.cancel_order")
        return granted

# %% exercise="18.2" role="mistake" says="Any object is taken for an order: a book has no customer. Ask what it is first."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if obj is None or not user_obj.is_active:
            return False
        if user_obj.has_perm(perm):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status == "open")

# %% exercise="18.2" role="mistake" says="To ask `user.has_perm(perm, obj)` is to ask this backend again, without end. Ask for all orders: without the object."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active:
            return False
        if user_obj.has_perm(perm, obj):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status == "open")

# %% exercise="18.2" role="mistake" says="The clerk, who may view all orders, may view none of them: `ModelBackend` says no to every object, so yours has to say yes."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active or obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status == "open")

# %% exercise="18.2" role="mistake" says="An account that is not active sees its orders. `ModelBackend` looks at `is_active` for its own answers alone."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order):
            return False
        if user_obj.has_perm(perm):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status == "open")

# %% exercise="18.2" role="mistake" says="The owner may do anything with an order: delete it, and cancel one that is paid. Name what is allowed."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active:
            return False
        return user_obj.has_perm(perm) or obj.customer_id == user_obj.pk

# %% exercise="18.2" role="mistake" says="Only paid orders are kept from being cancelled: one that is cancelled already, or on its way, is not. Say what is allowed: `open`."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active:
            return False
        if user_obj.has_perm(perm):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm == "orders.view_order" or (perm == "orders.cancel_order" and obj.status != "paid")

# %% exercise="18.2" role="mistake" says="Only the codename is compared: another app may have a permission of the same name. Compare the app's label too."
class OrderBackend(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        if not isinstance(obj, Order) or not user_obj.is_active:
            return False
        if user_obj.has_perm(perm):
            return True
        if obj.customer_id != user_obj.pk:
            return False
        return perm.endswith(".view_order") or (perm.endswith(".cancel_order") and obj.status == "open")

# %% exercise="18.2" role="hint"
# `has_perm(perm)` without an object asks about all of them, and `ModelBackend` knows.
# %% exercise="18.2" role="hint"
# Three questions, in this order: is it an order and somebody active? May they do it with all? Is it theirs, and is it one of the two?

# %% [markdown] exercise="18.3"
# ### 18.3 Who may do this?
#
# Return the **active** users who have the permission `perm`, such as `"orders.change_order"`: given to them, by one of
# their groups, or because they are superusers. Each once, by user name. One query. The codename alone says too little:
# another app may have the same.

# %% exercise="18.3" role="check"
def observe(answer):
    with uncounted():
        permission = Permission.objects.get(codename="change_order", content_type__app_label="orders")
        namesake = Permission.objects.create(
            codename="change_order", name="Change order", content_type=ContentType.objects.get_for_model(Book)
        )
        desk, cellar = [Group.objects.create(name=name) for name in ("Desk", "Cellar")]
        for group in (desk, cellar):
            group.permissions.add(permission)
        for name, active, superuser in [
            ("zoe", True, False),
            ("both", True, False),
            ("grouped", True, False),
            ("retired", False, False),
            ("retired-root", False, True),
            ("root", True, True),
            ("other", True, False),
            ("none", True, False),
        ]:
            user = User.objects.create(username=f"18-{name}", is_active=active, is_superuser=superuser)
            if name in ("zoe", "both", "retired"):
                user.user_permissions.add(permission)
            if name in ("both", "grouped"):
                user.groups.add(desk, cellar)
            if name == "other":
                user.user_permissions.add(namesake)
    return [user.username for user in answer("orders.change_order")]

# %% exercise="18.3" role="answer" ordered=true budget=1 seconds=20
def who_may(perm):
    # solution
    return User.objects.with_perm(perm, backend="django.contrib.auth.backends.ModelBackend").order_by("username")
    # end


check("18.3")

# %% exercise="18.3" role="alternative" note="What `with_perm()` sends is an EXISTS like this one. By hand where the rules are your own."
def who_may(perm):
    app_label, codename = perm.split(".")
    granted = Permission.objects.filter(
        Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk")), content_type__app_label=app_label, codename=codename
    )
    return User.objects.filter(Exists(granted) | Q(is_superuser=True), is_active=True).order_by("username")

# %% exercise="18.3" role="alternative" note="Joins and `distinct()`: right, and the database multiplies rows to fold them again."
def who_may(perm):
    app_label, codename = perm.split(".")
    found = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
    may = Q(user_permissions__in=found) | Q(groups__permissions__in=found) | Q(is_superuser=True)
    return User.objects.filter(may, is_active=True).distinct().order_by("username")

# %% exercise="18.3" role="mistake" says="Each user is asked in turn, with two queries each. Turn it round: which users does the permission have?"
def who_may(perm):
    return [user for user in User.objects.order_by("username") if user.has_perm(perm)]

# %% exercise="18.3" role="mistake" says="Somebody with the permission by two ways is listed more than once: a join gives a row for each way. Use EXISTS, or `distinct()`."
def who_may(perm):
    app_label, codename = perm.split(".")
    found = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
    may = Q(user_permissions__in=found) | Q(groups__permissions__in=found) | Q(is_superuser=True)
    return User.objects.filter(may, is_active=True).order_by("username")

# %% exercise="18.3" role="mistake" says="Who has the permission by a group is missing. There are two tables to look at."
def who_may(perm):
    app_label, codename = perm.split(".")
    found = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
    may = Q(user_permissions__in=found) | Q(is_superuser=True)
    return User.objects.filter(may, is_active=True).distinct().order_by("username")

# %% exercise="18.3" role="mistake" says="Superusers are missing. They have every permission, and no row for any."
def who_may(perm):
    return User.objects.with_perm(
        perm, backend="django.contrib.auth.backends.ModelBackend", include_superusers=False
    ).order_by("username")

# %% exercise="18.3" role="mistake" says="Users who are not active are listed, though they may do nothing, superusers included."
def who_may(perm):
    return User.objects.with_perm(
        perm, backend="django.contrib.auth.backends.ModelBackend", is_active=None
    ).order_by("username")

# %% exercise="18.3" role="mistake" says="A permission of another app has the same codename. Compare the app's label too."
def who_may(perm):
    codename = perm.split(".")[1]
    granted = Permission.objects.filter(Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk")), codename=codename)
    return User.objects.filter(Exists(granted) | Q(is_superuser=True), is_active=True).order_by("username")

# %% exercise="18.3" role="mistake" says="Nobody has asked the database for an order, and it gives the rows as they come."
def who_may(perm):
    return User.objects.with_perm(perm, backend="django.contrib.auth.backends.ModelBackend")

# %% exercise="18.3" role="hint"
# The manager of users has a method for it. The shop has several backends, so it wants to know which one to ask.
# %% exercise="18.3" role="hint"
# `User.objects.with_perm(perm, backend="django.contrib.auth.backends.ModelBackend")`

# %% [markdown] exercise="18.4"
# ### 18.4 Save old hashes without the passwords
#
# Some accounts still have a hash of Django's `MD5PasswordHasher`, `md5$salt$hash`. Nobody knows the passwords. Write
# `WrappedMD5Hasher`, with `algorithm = "wrapped_md5"`, which makes a PBKDF2 hash **of the MD5 hash**, and
# `wrap_all()`, which turns all of them into such hashes and leaves all others alone. The hasher will stand second in
# `PASSWORD_HASHERS`, and MD5 will not be there any more: whoever logs in gets a plain PBKDF2 hash.

# %% exercise="18.4" role="check"
import sys
from types import ModuleType
from unittest import mock


def observe(answer):
    module = sys.modules["shopkeeper"] = ModuleType("shopkeeper")
    module.WrappedMD5Hasher = answer.WrappedMD5Hasher
    backend = "django.contrib.auth.backends.ModelBackend"
    pbkdf2 = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    User.objects.exclude(username="nobody").update(password="!unusable")
    with mock.patch.object(PBKDF2PasswordHasher, "iterations", 1000):
        for name, encoded in (
            ("nora", MD5PasswordHasher().encode("nora's own", "salt")),
            ("thea", MD5PasswordHasher().encode("thea's own", "another")),
            ("modern", PBKDF2PasswordHasher().encode("modern's own", "x" * 22)),
            ("md5fan", PBKDF2PasswordHasher().encode("md5$md5", "md5" * 8)),
        ):
            User.objects.create(username=name, password=encoded)
        untouched = dict(User.objects.filter(username__startswith="m").values_list("username", "password"))
        hashers = [pbkdf2, "shopkeeper.WrappedMD5Hasher"]
        with override_settings(PASSWORD_HASHERS=hashers, AUTHENTICATION_BACKENDS=[backend]):
            answer.wrap_all()
            # A second run, as of a job that was broken off, must do no harm.
            answer.wrap_all()
            stored = dict(User.objects.values_list("username", "password"))
            seen = [(name, stored[name].split("$")[0], len(stored[name]) <= 128) for name in ("nora", "thea")]
            seen += [(name, "as it was" if stored[name] == untouched[name] else "changed") for name in untouched]
            seen.append(("md5 hashes left", sum(password.startswith("md5$") for password in stored.values())))
            seen.append(("rounds", stored["nora"].split("$")[1:2]))
            logins = [("nora", "wrong"), ("nora", "nora's own"), ("thea", "thea's own"), ("md5fan", "md5$md5")]
            for name, password in logins:
                try:
                    user = str(authenticate(username=name, password=password))
                except Exception as error:
                    user = type(error).__name__
                after = User.objects.get(username=name).password.split("$")[0]
                seen.append((name, password, user, after))
    return seen

# %% exercise="18.4" role="answer" seconds=20
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    # solution
    def encode_md5_hash(self, md5_hash, salt, iterations=None):
        return super().encode(md5_hash, salt, iterations)

    def encode(self, password, salt, iterations=None):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return self.encode_md5_hash(md5_hash, salt, iterations)
    # end


def wrap_all():
    # solution
    hasher = WrappedMD5Hasher()
    for user in User.objects.filter(password__startswith="md5$").iterator():
        algorithm, salt, md5_hash = user.password.split("$")
        user.password = hasher.encode_md5_hash(md5_hash, salt)
        user.save(update_fields=["password"])
    # end


check("18.4")

# %% exercise="18.4" role="alternative" note="The whole old text is what is hashed. Shorter; it ties the hash to the format of another class."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode(self, password, salt, iterations=None):
        return self.wrap(MD5PasswordHasher().encode(password, salt), iterations)

    def wrap(self, old, iterations=None):
        return super().encode(old, old.split("$")[1], iterations)


def wrap_all():
    users = list(User.objects.filter(password__startswith="md5$"))
    for user in users:
        user.password = WrappedMD5Hasher().wrap(user.password)
    User.objects.bulk_update(users, ["password"], batch_size=500)

# %% exercise="18.4" role="mistake" says="The stored text is hashed as if it were the password: with `encode()`, MD5 comes twice, and nobody can log in. Give PBKDF2 the MD5 hash itself."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode(self, password, salt, iterations=None):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return super().encode(md5_hash, salt, iterations)


def wrap_all():
    for user in User.objects.filter(password__startswith="md5$"):
        algorithm, salt, md5_hash = user.password.split("$")
        user.password = WrappedMD5Hasher().encode(md5_hash, salt)
        user.save(update_fields=["password"])

# %% exercise="18.4" role="mistake" says="With a new salt the MD5 hash cannot be made again from the password: the old salt was in it. Keep it."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode_md5_hash(self, md5_hash, salt, iterations=None):
        return super().encode(md5_hash, salt, iterations)

    def encode(self, password, salt, iterations=None):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return self.encode_md5_hash(md5_hash, salt, iterations)


def wrap_all():
    hasher = WrappedMD5Hasher()
    for user in User.objects.filter(password__startswith="md5$"):
        user.password = hasher.encode_md5_hash(user.password.split("$")[2], hasher.salt())
        user.save(update_fields=["password"])

# %% exercise="18.4" role="mistake" says="`set_password()` makes a plain hash, of a text that is no password. Nobody can log in any more, and there is no way back."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode(self, password, salt, iterations=None):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return super().encode(md5_hash, salt, iterations)


def wrap_all():
    for user in User.objects.filter(password__startswith="md5$"):
        user.set_password(user.password.split("$")[2])
        user.save(update_fields=["password"])

# %% exercise="18.4" role="mistake" says="You take every hash with `md5` somewhere in it, also one of PBKDF2 and those you have wrapped already. Its beginning says what it is: `md5$`."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode_md5_hash(self, md5_hash, salt, iterations=None):
        return super().encode(md5_hash, salt, iterations)

    def encode(self, password, salt, iterations=None):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return self.encode_md5_hash(md5_hash, salt, iterations)


def wrap_all():
    hasher = WrappedMD5Hasher()
    for user in User.objects.filter(password__contains="md5"):
        salt, md5_hash = user.password.split("$")[-2:]
        user.password = hasher.encode_md5_hash(md5_hash, salt)
        user.save(update_fields=["password"])

# %% exercise="18.4" role="mistake" says="`iterations` is not passed on. `verify()` needs the rounds that are in the hash, and so does a hash that was made with other ones."
class WrappedMD5Hasher(PBKDF2PasswordHasher):
    algorithm = "wrapped_md5"

    def encode_md5_hash(self, md5_hash, salt):
        return super().encode(md5_hash, salt)

    def encode(self, password, salt):
        md5_hash = MD5PasswordHasher().encode(password, salt).split("$")[2]
        return self.encode_md5_hash(md5_hash, salt)


def wrap_all():
    hasher = WrappedMD5Hasher()
    for user in User.objects.filter(password__startswith="md5$"):
        algorithm, salt, md5_hash = user.password.split("$")
        user.password = hasher.encode_md5_hash(md5_hash, salt)
        user.save(update_fields=["password"])

# %% exercise="18.4" role="hint"
# At a login you have the password, and can make the MD5 hash from it, with the salt that is stored. In `wrap_all()` you have the MD5 hash, and not the password. Both go on in the same way.
# %% exercise="18.4" role="hint"
# `encode(password, salt, iterations=None)` makes the MD5 hash and hands it to a method that calls `super().encode(md5_hash, salt, iterations)`; `wrap_all()` calls that method.

# %% [markdown] exercise="18.5"
# ### 18.5 A login for a program
#
# Write the view `log_in`. It takes a POST with `username`, `password` and perhaps `next`, and answers with JSON:
# `{"user": …, "next": …}` with the user's name, or `{"error": "…"}` and 401. Other methods get 405. `next` is where
# the program goes on: a URL of this site, `"/"` for anything else. A session key from before the login is worth
# nothing after it, and the cart survives.

# %% exercise="18.5" role="check"
def observe(answer):
    for name, active in (("nora", True), ("sleeper", False)):
        User.objects.create_user(name, password="a doll's house", is_active=active)

    def cart(request):
        request.session["cart"] = {"4": 1}
        return HttpResponse()

    def ask(client, method="post", **data):
        response = getattr(client, method)("/log-in/", data)
        if response.status_code not in (200, 401):
            return response.status_code
        try:
            # The words of an error are free.
            content = {name: "…" if name == "error" else value for name, value in response.json().items()}
            return response.status_code, sorted(content.items())
        except ValueError:
            return "no JSON"

    right = {"username": "nora", "password": "a doll's house"}
    seen = []
    with override_settings(ROOT_URLCONF=(path("log-in/", answer), path("cart/", cart))):
        attempts = {
            "right": right,
            "wrong password": right | {"password": "wrong"},
            "not active": right | {"username": "sleeper"},
            "no password": {"username": "nora"},
        }
        targets = ["/orders/?page=2", "https://evil.example/", "//evil.example/", "/\\evil.example/"]
        for target in [*targets, "javascript:alert(1)", "http://testserver/cart/"]:
            attempts[f"next={target}"] = right | {"next": target}
        for name, data in attempts.items():
            client = Client(raise_request_exception=False)
            seen.append((name, ask(client, **data), str(get_user(client))))
        client = Client(raise_request_exception=False)
        seen.append(("GET", ask(client, "get", **right), str(get_user(client))))
        client = Client(raise_request_exception=False)
        client.get("/cart/")
        planted = Client()
        planted.cookies["sessionid"] = client.cookies["sessionid"].value
        ask(client, **right)
        seen.append(("with a cart", str(get_user(client)), client.session.get("cart")))
        seen.append(("who knew the key from before", str(get_user(planted))))
    return seen

# %% exercise="18.5" role="answer" seconds=20
def log_in(request):
    # solution
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "That is not an account and its password."}, status=401)
    login(request, user)
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    return JsonResponse({"user": user.get_username(), "next": target})
    # end


check("18.5")

# %% exercise="18.5" role="alternative" note="`AuthenticationForm` asks the backends, says no to the inactive, and limits the length of what is typed."
from django.contrib.auth.forms import AuthenticationForm


@require_POST
def log_in(request):
    form = AuthenticationForm(request, request.POST)
    if not form.is_valid():
        return JsonResponse({"error": form.errors}, status=401)
    login(request, form.get_user())
    target = request.POST.get("next")
    safe = url_has_allowed_host_and_scheme(target, request.get_host())
    return JsonResponse({"user": request.user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="The user is written into the session by hand, and the key stays: whoever planted it is logged in as well. `login()` gives the session a new key."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    request.session["_auth_user_id"] = str(user.pk)
    request.session["_auth_user_backend"] = user.backend
    request.session["_auth_user_hash"] = user.get_session_auth_hash()
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="`next` is given back unseen: a link to your login, prepared by somebody else, ends on their site. `url_has_allowed_host_and_scheme()` looks at it."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    login(request, user)
    return JsonResponse({"user": user.get_username(), "next": request.POST.get("next") or "/"})

# %% exercise="18.5" role="mistake" says="A `next` that begins with a slash can still leave the site: `//evil.example/` is a host, and browsers read a backslash as a slash."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    login(request, user)
    target = request.POST.get("next", "")
    safe = target.startswith("/") or target.startswith(f"http://{request.get_host()}/")
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="You look for the user and check the password yourself: an account that is not active gets in. That, and more, is what `authenticate()` is for."
@require_POST
def log_in(request):
    user = User.objects.filter(username=request.POST.get("username")).first()
    if user is None or not user.check_password(request.POST.get("password")):
        return JsonResponse({"error": "no"}, status=401)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="`authenticate()` says who it is, and logs nobody in: the next request is by nobody. `login(request, user)` is the second step."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="A session that was emptied first is safe, and the visitor's cart is gone. `login()` keeps the content under a new key."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    request.session.flush()
    login(request, user)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="The status is right, and what comes with it is no JSON: a program that reads `error` fails."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return HttpResponse("no", status=401)
    login(request, user)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="mistake" says="Without a password in the form, `request.POST[…]` raises: the answer is a 500. A login that lacks something is a wrong one: `get()`, and 401."
@require_POST
def log_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return JsonResponse({"error": "no"}, status=401)
    login(request, user)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return JsonResponse({"user": user.get_username(), "next": target if safe else "/"})

# %% exercise="18.5" role="hint"
# Three steps: `authenticate()`, `login()`, and a look at `next`.
# %% exercise="18.5" role="hint"
# `url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})`

# %% [markdown] exercise="18.6"
# ### 18.6 The books you looked at
#
# Write `remember(session, slug)`, which a view calls for each book that is looked at. `session["seen"]` then has the
# slugs of the last **five** books, the newest first, each once. It must be there in the next request, with every
# engine.

# %% exercise="18.6" role="check"
def observe(answer):
    def view(request, slug):
        answer(request.session, slug)
        return HttpResponse()

    visits = ["emma", "dracula", "emma", "nana", "emma", "walden", "beowulf", "herland", "dracula", "dracula", "we"]
    seen = []
    for engine in ("db", "signed_cookies"):
        seen.append(engine)
        name = f"django.contrib.sessions.backends.{engine}"
        with override_settings(SESSION_ENGINE=name, ROOT_URLCONF=(path("<slug:slug>/", view),)):
            client = Client()
            for slug in visits:
                try:
                    client.get(f"/{slug}/")
                except TypeError:
                    seen.append((slug, "TypeError"))
                    continue
                kept = client.session.get("seen")
                seen.append((slug, type(kept).__name__, list(kept or [])))
            other = Client()
            other.get("/emma/")
            seen.append(("another visitor", list(other.session.get("seen", []))))
    return seen

# %% exercise="18.6" role="answer" seconds=20
def remember(session, slug):
    # solution
    others = [seen for seen in session.get("seen", []) if seen != slug]
    session["seen"] = [slug, *others][:5]
    # end


check("18.6")

# %% exercise="18.6" role="alternative" note="Changed in place, and said so. You need `modified` wherever a value is changed that the session already has."
def remember(session, slug):
    seen = session.setdefault("seen", [])
    if slug in seen:
        seen.remove(slug)
    seen.insert(0, slug)
    del seen[5:]
    session.modified = True

# %% exercise="18.6" role="alternative" note="A dictionary keeps its order, so it drops doubles while the first stays. Short, and every reader stops to think."
def remember(session, slug):
    session["seen"] = list(dict.fromkeys([slug, *session.get("seen", [])]))[:5]

# %% exercise="18.6" role="mistake" says="The list is changed in place, and the session does not hear of it: from the second book on, nothing is saved. Assign it, or set `session.modified`."
def remember(session, slug):
    seen = session.setdefault("seen", [])
    if slug in seen:
        seen.remove(slug)
    seen.insert(0, slug)
    del seen[5:]

# %% exercise="18.6" role="mistake" says="A book that is looked at again is there twice."
def remember(session, slug):
    session["seen"] = [slug, *session.get("seen", [])][:5]

# %% exercise="18.6" role="mistake" says="A book that is looked at again stays where it was. It is the newest now."
def remember(session, slug):
    seen = session.get("seen", [])
    if slug not in seen:
        session["seen"] = [slug, *seen][:5]

# %% exercise="18.6" role="mistake" says="The list grows without end, and is loaded with every request. Five are enough."
def remember(session, slug):
    session["seen"] = [slug, *[seen for seen in session.get("seen", []) if seen != slug]]

# %% exercise="18.6" role="mistake" says="The newest is the last one in your list."
def remember(session, slug):
    session["seen"] = [*[seen for seen in session.get("seen", []) if seen != slug], slug][-5:]

# %% exercise="18.6" role="mistake" says="A deque cannot be written as JSON: the session is not saved, and the page ends with a `TypeError`."
def remember(session, slug):
    seen = deque(session.get("seen", []), maxlen=5)
    if slug in seen:
        seen.remove(slug)
    seen.appendleft(slug)
    session["seen"] = seen

# %% exercise="18.6" role="hint"
# Make a new list, and assign it.
# %% exercise="18.6" role="hint"
# `[slug, *others][:5]`, where `others` are those seen before without this one.

# %% [markdown] exercise="18.7"
# ### 18.7 Log out everywhere
#
# Write `log_out_everywhere(user, keep=None)`: all sessions of the user end, and nobody else's; the password stays. The
# session with the key `keep` goes on, if there is one. Return how many ended. The engine is `db` or `cached_db`, as
# `settings.SESSION_ENGINE` says.

# %% exercise="18.7" role="check"
from django.core.cache import cache


def observe(answer):
    seen = []
    for engine in ("db", "cached_db"):
        cache.clear()
        Session.objects.all().delete()
        with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
            users = {name: User.objects.create(username=f"{name}-{engine}") for name in ("nora", "thea")}
            # Its key has the digits of nora's in it.
            users["tenfold"] = User.objects.create(username=f"tenfold-{engine}", pk=int(f"{users['nora'].pk}0"))
            clients = {}
            for name in ("nora phone", "nora laptop", "nora work", "thea phone", "tenfold phone"):
                clients[name] = Client()
                clients[name].force_login(users[name.split()[0]])
            visitor = Client()
            session = visitor.session
            session["cart"] = {str(users["nora"].pk): 1}
            session.save()

            def still_in():
                return [name for name, client in clients.items() if get_user(client).is_authenticated]

            ended = answer(users["nora"], clients["nora laptop"].session.session_key)
            seen.append((engine, "kept the laptop", ended, still_in(), bool(visitor.session.get("cart"))))
            ended = answer(users["nora"])
            seen.append((engine, "kept nothing", ended, still_in(), bool(visitor.session.get("cart"))))
            seen.append((engine, "once more", answer(users["nora"]), still_in()))
            nora = User.objects.get(pk=users["nora"].pk)
            unchanged = (nora.password, nora.is_active) == ("", True)
            seen.append((engine, "the account", "is as it was" if unchanged else "has changed"))
    return seen

# %% exercise="18.7" role="answer" seconds=20
def log_out_everywhere(user, keep=None):
    # solution
    engine = import_module(settings.SESSION_ENGINE)
    theirs = [
        row.session_key
        for row in Session.objects.iterator()
        if row.session_key != keep and row.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    for key in theirs:
        engine.SessionStore(key).delete()
    return len(theirs)
    # end


check("18.7")

# %% exercise="18.7" role="alternative" note="The engine reads and deletes, and this function knows of the table only which keys there are. One query more for each session, with `db`."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    ended = 0
    for key in Session.objects.exclude(session_key=keep).values_list("session_key", flat=True):
        session = store(key)
        if session.get("_auth_user_id") == str(user.pk):
            session.flush()
            ended += 1
    return ended

# %% exercise="18.7" role="mistake" says="Another password ends their sessions, and the one that should be kept, too. Here it was to stay: nobody could log in again."
def log_out_everywhere(user, keep=None):
    rows = Session.objects.exclude(pk=keep)
    ended = sum(row.get_decoded().get("_auth_user_id") == str(user.pk) for row in rows)
    user.set_unusable_password()
    user.save()
    return ended

# %% exercise="18.7" role="mistake" says="The user's key is text in a session, and you compare it with a number: nobody is logged out."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    theirs = [row.pk for row in Session.objects.exclude(pk=keep) if row.get_decoded().get("_auth_user_id") == user.pk]
    for key in theirs:
        store(key).delete()
    return len(theirs)

# %% exercise="18.7" role="mistake" says="The rows are gone, and with `cached_db` the sessions go on: they are in the cache as well. Let the engine's own `SessionStore` delete them."
def log_out_everywhere(user, keep=None):
    rows = Session.objects.exclude(pk=keep)
    theirs = [row.pk for row in rows if row.get_decoded().get("_auth_user_id") == str(user.pk)]
    return Session.objects.filter(pk__in=theirs).delete()[0]

# %% exercise="18.7" role="mistake" says="You look for the user's key anywhere in the session, as a piece of text: others have it in theirs, in a longer number or a cart."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    theirs = [row.pk for row in Session.objects.exclude(pk=keep) if str(user.pk) in str(row.get_decoded())]
    for key in theirs:
        store(key).delete()
    return len(theirs)

# %% exercise="18.7" role="mistake" says="What is in the column is signed base64: a search for text finds nothing in it. Decode the rows."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    theirs = Session.objects.exclude(pk=keep).filter(session_data__contains=f'"_auth_user_id":"{user.pk}"')
    keys = list(theirs.values_list("session_key", flat=True))
    for key in keys:
        store(key).delete()
    return len(keys)

# %% exercise="18.7" role="mistake" says="The session that should be kept is ended too."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    theirs = [row.pk for row in Session.objects.all() if row.get_decoded().get("_auth_user_id") == str(user.pk)]
    for key in theirs:
        store(key).delete()
    return len(theirs)

# %% exercise="18.7" role="mistake" says="Everybody is logged out, and the carts of visitors are gone."
def log_out_everywhere(user, keep=None):
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = list(Session.objects.exclude(pk=keep).values_list("session_key", flat=True))
    for key in keys:
        store(key).delete()
    return len(keys)

# %% exercise="18.7" role="hint"
# The user is inside the data, as `"_auth_user_id"`. Each row has `get_decoded()`.
# %% exercise="18.7" role="hint"
# `import_module(settings.SESSION_ENGINE).SessionStore(key).delete()` also empties the cache where the engine has one.

# %% [markdown] exercise="18.8"
# ### 18.8 Logged out when idle
#
# Write a middleware `idle_limit`, which stands below `AuthenticationMiddleware`: whoever is logged in and has sent no
# request for **more than 30 minutes** is logged out, and the view sees nobody. Who is active stays, for as long as
# they like. Take the time from `time.time()`, and save it at most once a minute: not every request should write.
# Visitors without a login get no session from it.

# %% exercise="18.8" role="check"
import sys
from types import ModuleType
from unittest import mock


def observe(answer):
    module = sys.modules["shopkeeper"] = ModuleType("shopkeeper")
    module.idle_limit = answer
    nora = User.objects.create(username="nora")

    def view(request):
        known = "in the session" if "_auth_user_id" in request.session else "not in the session"
        return HttpResponse(f"{request.user}, {known}")

    chain = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "shopkeeper.idle_limit",
    ]
    start = 1_780_000_000.25
    seen = []

    def visit(client, seconds):
        with mock.patch("time.time", return_value=start + seconds):
            response = client.get("/")
        return seconds, response.text, "saved" if "sessionid" in response.cookies else "not saved"

    with override_settings(MIDDLEWARE=chain, ROOT_URLCONF=(path("", view),)):
        for name, times in (
            ("active", [0, 20 * 60, 40 * 60, 65 * 60, 94 * 60]),
            ("idle", [0, 31 * 60, 32 * 60]),
            ("busy", [0, 10, 20, 30, 75, 80, 29 * 60 + 80]),
            ("within a minute, then idle for 29:50", [0, 50, 30 * 60 + 40]),
        ):
            client = Client()
            client.force_login(nora)
            seen += [(name, *visit(client, seconds)) for seconds in times]
        client = Client()
        seen += [("without a login", *visit(client, seconds)) for seconds in (0, 60 * 60)]
        client = Client()
        client.force_login(nora)
        visit(client, 0)
        with mock.patch("time.time", return_value=start + 3600):
            client.get("/")
        seen.append(("left in the session", sorted(client.session.keys())))
        client.force_login(nora)
        seen.append(("logged in again", *visit(client, 3700)))
    return seen

# %% exercise="18.8" role="answer" seconds=20
def idle_limit(get_response):
    # solution
    def middleware(request):
        if request.user.is_authenticated:
            now, seen = time.time(), request.session.get("seen_at")
            if seen is not None and now - seen > 30 * 60:
                logout(request)
            elif seen is None or now - seen >= 60:
                request.session["seen_at"] = now
        return get_response(request)

    return middleware
    # end


check("18.8")

# %% exercise="18.8" role="alternative" note="As a class. Without `async_capable` Django puts both into a thread under ASGI, where asking for `request.user` is allowed."
class idle_limit:
    LIMIT, STEP = timedelta(minutes=30), timedelta(minutes=1)

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            self.look_at(request)
        return self.get_response(request)

    def look_at(self, request):
        now = time.time()
        idle = timedelta(seconds=now - request.session.setdefault("seen_at", now))
        if idle > self.LIMIT:
            logout(request)
        elif idle >= self.STEP:
            request.session["seen_at"] = now

# %% exercise="18.8" role="mistake" says="The time is noted once, so people are thrown out 30 minutes after the login, in the middle of their work."
def idle_limit(get_response):
    def middleware(request):
        if request.user.is_authenticated:
            now = time.time()
            if now - request.session.setdefault("seen_at", now) > 30 * 60:
                logout(request)
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="Every request writes the session. Note the time when the last note is a minute old."
def idle_limit(get_response):
    def middleware(request):
        if request.user.is_authenticated:
            now = time.time()
            if now - request.session.get("seen_at", now) > 30 * 60:
                logout(request)
            else:
                request.session["seen_at"] = now
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="Visitors who never logged in get a session, and a row each: robots too."
def idle_limit(get_response):
    def middleware(request):
        now, seen = time.time(), request.session.get("seen_at")
        if seen is not None and now - seen > 30 * 60:
            logout(request)
        elif seen is None or now - seen >= 60:
            request.session["seen_at"] = now
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="The view runs first, as the user who should be out by then. Look before `get_response`."
def idle_limit(get_response):
    def middleware(request):
        response = get_response(request)
        if request.user.is_authenticated:
            now, seen = time.time(), request.session.get("seen_at")
            if seen is not None and now - seen > 30 * 60:
                logout(request)
            elif seen is None or now - seen >= 60:
                request.session["seen_at"] = now
        return response

    return middleware

# %% exercise="18.8" role="mistake" says="The session is empty, and the user of this request is still there: the view runs as them. `logout(request)` sees to both."
def idle_limit(get_response):
    def middleware(request):
        if request.user.is_authenticated:
            now, seen = time.time(), request.session.get("seen_at")
            if seen is not None and now - seen > 30 * 60:
                request.session.flush()
            elif seen is None or now - seen >= 60:
                request.session["seen_at"] = now
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="`set_expiry()` counts from the last time the session was saved, and here nobody saves it again: who is active is out after 30 minutes."
def idle_limit(get_response):
    def middleware(request):
        if request.user.is_authenticated and request.session.get("_session_expiry") is None:
            request.session.set_expiry(30 * 60)
            request.session["seen_at"] = time.time()
        elif request.user.is_authenticated and time.time() - request.session["seen_at"] > 30 * 60:
            logout(request)
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="The user of this request is nobody, and the session still has the login: the next request is theirs again. `logout(request)` empties it."
def idle_limit(get_response):
    def middleware(request):
        if request.user.is_authenticated:
            now, seen = time.time(), request.session.get("seen_at")
            if seen is not None and now - seen > 30 * 60:
                request.user = AnonymousUser()
                del request.session["seen_at"]
            elif seen is None or now - seen >= 60:
                request.session["seen_at"] = now
        return get_response(request)

    return middleware

# %% exercise="18.8" role="mistake" says="The time is noted in the process: the session, where the next worker would look for it, knows nothing of it, and a restart forgets it."
def idle_limit(get_response):
    last = {}

    def middleware(request):
        if request.user.is_authenticated:
            now, key = time.time(), request.session.session_key
            if now - last.get(key, now) > 30 * 60:
                logout(request)
            else:
                last[key] = now
        return get_response(request)

    return middleware

# %% exercise="18.8" role="hint"
# In the session: when they were last seen. Three cases: too long ago, a minute or more, less than that.
# %% exercise="18.8" role="hint"
# `request.user.is_authenticated` first; then `logout(request)` or `request.session["seen_at"] = now`; then the view.

# %% [markdown] exercise="18.9"
# ### 18.9 Sessions in files, closed to others
#
# Write `file_sessions(folder)`, to be called in a settings file with a `Path`. It returns the two settings for
# sessions in files in that folder as a dictionary. It makes the folder and its parents where they are missing, and
# sees to it that nobody but its owner may look into it, also where it is there already with a mode that is too open.

# %% exercise="18.9" role="check"
def observe(answer):
    os.umask(0o022)
    base = Path.cwd() / "site"
    there = base / "there"
    there.mkdir(parents=True)
    there.chmod(0o755)
    seen = []
    for name, folder in (("new", base / "var" / "sessions"), ("again", base / "var" / "sessions"), ("there", there)):
        try:
            given = answer(folder)
        except Exception as error:
            seen.append((name, type(error).__name__))
            continue
        seen.append((name, sorted(given), folder.is_dir() and oct(folder.stat().st_mode & 0o777)))
        if "_storage_path" in vars(FileStore):
            del FileStore._storage_path
        with override_settings(**given):
            client = Client()
            try:
                client.post("/cart/add/emma/", {"quantity": 1})
                client.get("/")
                session = client.session
                session["cart"] = {"1": 1}
                session.save()
            except Exception as error:
                seen.append((name, type(error).__name__))
                continue
            key = client.cookies["sessionid"].value
            seen.append((name, "the file is there" if (folder / f"sessionid{key}").exists() else "no file"))
    return seen

# %% exercise="18.9" role="answer" seconds=20 datasets=["shop"]
def file_sessions(folder):
    # solution
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return {
        "SESSION_ENGINE": "django.contrib.sessions.backends.file",
        "SESSION_FILE_PATH": str(folder),
    }
    # end


check("18.9")

# %% exercise="18.9" role="alternative" note="With `os`. `makedirs` gives its mode to the last folder alone, and `chmod` makes sure of it."
def file_sessions(folder):
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o700)
    return dict(SESSION_ENGINE="django.contrib.sessions.backends.file", SESSION_FILE_PATH=folder)

# %% exercise="18.9" role="mistake" says="Everybody on the machine may list the folder, and a name in it is a session's key. Mode 700 is for the owner alone."
def file_sessions(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="`mkdir(mode=…)` says nothing of a folder that is there already: it stays open."
def file_sessions(folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="The folder is not made, and Django makes none: every request ends in `ImproperlyConfigured`."
def file_sessions(folder):
    if folder.is_dir():
        folder.chmod(0o700)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="The settings are read at each start, so the folder is there the second time: `exist_ok=True`."
def file_sessions(folder):
    folder.mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="`SESSION_FILE_PATH` alone changes nothing: the engine is still the database."
def file_sessions(folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return {"SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="Mode 600 is for files. A folder needs the x for its owner, to get at what is in it."
def file_sessions(folder):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o600)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="mistake" says="`700` is a decimal number, and quite another mode. File modes are octal: `0o700`."
def file_sessions(folder):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(700)
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}

# %% exercise="18.9" role="hint"
# The settings are `SESSION_ENGINE` and `SESSION_FILE_PATH`. A mode for the owner alone: `0o700`.
# %% exercise="18.9" role="hint"
# `folder.mkdir(…)` for the new one, `folder.chmod(…)` for both.

# %% [markdown] exercise="18.10"
# ### 18.10 From files into the database
#
# The shop gets a second server, and its sessions have to leave the files. Write `move_to_database()`, which runs while
# the engine is still `file`. It writes a row of `django_session` for each session, so that all cookies go on working,
# those of visitors with a cart too. Each keeps the time at which it expires. What has expired does not come along, nor
# what a crash left behind. Return how many moved.

# %% exercise="18.10" role="check"
def observe(answer):
    folder = Path.cwd() / "sessions"
    folder.mkdir()
    if "_storage_path" in vars(FileStore):
        del FileStore._storage_path
    files = {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": str(folder)}
    Session.objects.all().delete()
    nora = User.objects.create(username="nora")
    clients, now = {}, timezone.now()
    with override_settings(**files):
        for name, written, expiry in (
            ("login", timedelta(0), None),
            ("cart", timedelta(days=4), None),
            ("expired", timedelta(days=20), None),
            ("ended", timedelta(0), now - timedelta(hours=1)),
            ("long", timedelta(days=20), now + timedelta(days=30)),
        ):
            client = clients[name] = Client()
            if name in ("login", "expired"):
                client.force_login(nora)
            session = client.session
            session["cart"] = {"1": 2}
            if expiry:
                session.set_expiry(expiry)
            session.save()
            client.cookies["sessionid"] = session.session_key
            moment = (now - written).timestamp()
            os.utime(folder / f"sessionid{session.session_key}", (moment, moment))
        left = folder / f"sessionid{clients['cart'].cookies['sessionid'].value}_out_x7"
        left.write_text("half a sess")
        (folder / "README").write_text("Sessions live here.")
        try:
            moved = answer()
        except Exception as error:
            return type(error).__name__
    seen = [("moved", moved), ("rows", Session.objects.count())]
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.db"):
        for name, client in clients.items():
            row = Session.objects.filter(session_key=client.cookies["sessionid"].value).first()
            days = round((row.expire_date - now).total_seconds() / 86400) if row else None
            content = row.get_decoded() if row else {}
            expires = f"expires in {days} days" if row else "no row"
            seen.append((name, str(get_user(client)), content.get("cart"), expires))
    return seen

# %% exercise="18.10" role="answer" seconds=20 datasets=["shop"]
def move_to_database():
    # solution
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob(f"{settings.SESSION_COOKIE_NAME}*"):
        old = FileStore(file.name.removeprefix(settings.SESSION_COOKIE_NAME))
        content = dict(old.items())
        if content:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            Session.objects.save(old.session_key, content, old.get_expiry_date(modification=written))
            moved += 1
    return moved
    # end


check("18.10")

# %% exercise="18.10" role="alternative" note="The file is decoded without the engine, so nothing is removed on the way, and the files stay as they are until the new server runs."
def move_to_database():
    rows, store = [], SessionStore()
    for file in Path(settings.SESSION_FILE_PATH).iterdir():
        key = file.name.removeprefix("sessionid")
        if len(key) != 32 or not file.name.startswith("sessionid"):
            continue
        content = store.decode(file.read_text())
        written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
        expires = store.get_expiry_date(modification=written, expiry=content.get("_session_expiry"))
        if content and expires > timezone.now():
            rows.append(Session(session_key=key, session_data=store.encode(content), expire_date=expires))
    return len(Session.objects.bulk_create(rows))

# %% exercise="18.10" role="alternative" note="The text goes over as it stands: both engines sign alike, for both classes are called `SessionStore`, whose name is in the salt. With an engine of your own it would not fit."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob(f"{settings.SESSION_COOKIE_NAME}{'?' * 32}"):
        text, old = file.read_text(), FileStore(file.name.removeprefix(settings.SESSION_COOKIE_NAME))
        if text:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            expires = old.get_expiry_date(modification=written)
            Session.objects.create(session_key=old.session_key, session_data=text, expire_date=expires)
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="Each session gets a new key, and nobody's cookie leads to it: all are logged out. A `SessionStore` whose key has no row forgets the key when it is loaded."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        old = FileStore(file.name.removeprefix("sessionid"))
        content = dict(old.items())
        if content:
            new = SessionStore(old.session_key)
            new.update(content)
            new.save()
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="The cookie's name is still in the key: the file is called `sessionid…`, and the key is what follows."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        old = FileStore(file.name.removeprefix("sessionid"))
        content = dict(old.items())
        if content:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            Session.objects.save(file.name, content, old.get_expiry_date(modification=written))
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="All sessions begin their two weeks anew. The age of a session is that of its file: pass it as `modification`."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        old = FileStore(file.name.removeprefix("sessionid"))
        content = dict(old.items())
        if content:
            Session.objects.save(old.session_key, content, old.get_expiry_date())
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="Only those with a login come along: the carts of visitors are lost."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        old = FileStore(file.name.removeprefix("sessionid"))
        content = dict(old.items())
        if "_auth_user_id" in content:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            Session.objects.save(old.session_key, content, old.get_expiry_date(modification=written))
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="What has expired gets a row as well. Run `clearsessions` first, or look at the date."
def move_to_database():
    moved, store = 0, SessionStore()
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        content = store.decode(file.read_text())
        if content:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            expires = store.get_expiry_date(modification=written, expiry=content.get("_session_expiry"))
            Session.objects.save(file.name.removeprefix("sessionid"), content, expires)
            moved += 1
    return moved

# %% exercise="18.10" role="mistake" says="The time that a session has set for itself, with `set_expiry()`, is forgotten. `get_expiry_date()` knows both."
def move_to_database():
    call_command("clearsessions")
    moved = 0
    for file in Path(settings.SESSION_FILE_PATH).glob("sessionid*"):
        old = FileStore(file.name.removeprefix("sessionid"))
        content = dict(old.items())
        if content:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            expires = written + timedelta(seconds=settings.SESSION_COOKIE_AGE)
            Session.objects.save(old.session_key, content, expires)
            moved += 1
    return moved

# %% exercise="18.10" role="hint"
# The name of a file is the cookie's name and the key. `FileStore(key)` reads it, `Session.objects.save(key, content, expire_date)` writes a row.
# %% exercise="18.10" role="hint"
# `call_command("clearsessions")` first; then `old.get_expiry_date(modification=written)`, where `written` is the time of the file.
