# %%
from checks import check, hint, solution
from lab import get, post, queries, start

start()

# Django is set up now, so its models can be imported.
import asyncio
import os
import re
from datetime import UTC, datetime

from accounts.models import User
from asgiref.sync import sync_to_async
from catalog.models import Author, Book, Genre
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import AccessMixin, LoginRequiredMixin, UserPassesTestMixin
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db import connection
from django.db.models import ProtectedError, Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views import View
from django.views.generic import DeleteView, DetailView, ListView, TemplateView, UpdateView
from django.views.generic.base import ContextMixin
from orders.models import Order, OrderLine

# %% [markdown] exercise="16.1"
# ### 16.1 A title for every page
#
# Write `TitleMixin`. It puts `title` into the context of a page: the class attribute `title`, `""` where a view has
# none; but where a title is handed to `get_context_data()`, that one. It stands left of any generic view with a
# context, beside other mixins in any order, and loses nothing that they add.

# %% exercise="16.1" role="check"
def observe(answer):
    class Counted:
        def get_context_data(self, **kwargs):
            return super().get_context_data(**kwargs) | {"count": 3}

    class Front(answer, TemplateView):
        title = "Welcome"

    class Untitled(answer, TemplateView):
        pass

    class Own(Front):
        def get_context_data(self, **kwargs):
            return super().get_context_data(title="Tonight only", **kwargs)

    class Left(answer, Counted, TemplateView):
        title = "Shelf"
        extra_context = {"shelf": 3}

    class Right(Counted, answer, TemplateView):
        title = "Shelf"

    class Listed(answer, ListView):
        title = "Genres"
        object_list = ("Satire", "Romance")

    seen = {}
    for view in (Front, Untitled, Own, Left, Right, Listed):
        try:
            context = view().get_context_data(number=7) if view is not Listed else view().get_context_data()
            seen[view.__name__] = {name: context[name] for name in sorted(context) if name != "view"}
            seen[view.__name__]["view"] = "view" in context
        # Python 3.11 sometimes says KeyError for an argument that comes twice.
        except (KeyError, TypeError):
            seen[view.__name__] = "TypeError"
        except Exception as error:
            seen[view.__name__] = type(error).__name__
    try:
        seen["Front, with the empty title"] = Front().get_context_data(title="").get("title")
    except (KeyError, TypeError):
        seen["Front, with the empty title"] = "TypeError"
    except Exception as error:
        seen["Front, with the empty title"] = type(error).__name__
    seen["Listed.get"] = Listed.get.__qualname__
    return seen

# %% exercise="16.1" role="answer" datasets=["empty"]
class TitleMixin:
    # solution
    title = ""

    def get_context_data(self, **kwargs):
        kwargs.setdefault("title", self.title)
        return super().get_context_data(**kwargs)
    # end


check("16.1")

# %% exercise="16.1" role="alternative" note="After `super()` instead of before: what any other class put there counts as handed over. With `ContextMixin` as its base, editors know what `super()` is."
class TitleMixin(ContextMixin):
    title = ""

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context.setdefault("title", self.title)
        return context

# %% exercise="16.1" role="mistake" says="Without `super()` the context ends here: what the view and the mixins on the right would add is gone."
class TitleMixin:
    title = ""

    def get_context_data(self, **kwargs):
        return {"title": self.title} | kwargs

# %% exercise="16.1" role="mistake" says="You call one base by name, so whatever stands between it and you in the line is left out. `super()` calls the next."
class TitleMixin:
    title = ""

    def get_context_data(self, **kwargs):
        kwargs.setdefault("title", self.title)
        return ContextMixin.get_context_data(self, **kwargs)

# %% exercise="16.1" role="mistake" says="A title that is handed over is written over, or handed on twice: look whether there is one."
class TitleMixin:
    title = ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"title": self.title}

# %% exercise="16.1" role="mistake" says="A title that is handed over is written over, or handed on twice: look whether there is one."
class TitleMixin:
    title = ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(title=self.title, **kwargs)

# %% exercise="16.1" role="mistake" says="A method of a mixin takes whatever the next one takes: without `**kwargs`, calls that hand something over fail."
class TitleMixin:
    title = ""

    def get_context_data(self):
        return super().get_context_data(title=self.title)

# %% exercise="16.1" role="mistake" says="This mixin is a view by itself: left of a `ListView`, its `get()` answers, and the list is never made. A mixin has no base, or one without a `get()`."
class TitleMixin(TemplateView):
    title = ""

    def get_context_data(self, **kwargs):
        kwargs.setdefault("title", self.title)
        return super().get_context_data(**kwargs)

# %% exercise="16.1" role="mistake" says="An empty title that is handed over is a title as well: `or` takes it for none. Ask whether the name is there."
class TitleMixin:
    title = ""

    def get_context_data(self, **kwargs):
        kwargs["title"] = kwargs.get("title") or self.title
        return super().get_context_data(**kwargs)

# %% exercise="16.1" role="hint"
# Who has the rest of the context? And how does it get what was handed to you?
# %% exercise="16.1" role="hint"
# `kwargs.setdefault("title", …)`, then `super().get_context_data(**kwargs)`.

# %% [markdown] exercise="16.2"
# ### 16.2 Two conditions at one door
#
# Write `StaffMixin` (staff only) and `OpenMixin` (only while `is_open(request)`). A view with both, in either order,
# lets in who meets both; with one of them, it asks for that one. Who is refused goes to the login page if not logged
# in, and gets a 403 otherwise.

# %% exercise="16.2" role="check"
def observe(answer):
    class Page(View):
        def get(self, request, shelf):
            return HttpResponse(f"shelf {shelf}")

        post = get

    staff, open_ = answer.StaffMixin, answer.OpenMixin
    views = {
        "StaffMixin": (staff,),
        "OpenMixin": (open_,),
        "StaffMixin, OpenMixin": (staff, open_),
        "OpenMixin, StaffMixin": (open_, staff),
    }
    people = {"nobody": AnonymousUser(), "customer": User(username="c"), "staff": User(username="s", is_staff=True)}
    seen = {}
    for bases, mixins in views.items():
        view = type("Door", (*mixins, Page), {}).as_view()
        for name, user in people.items():
            for hours, method in (("open", "get"), ("closed", "get"), ("open", "post"), ("closed", "post")):
                request = getattr(RequestFactory(), method)(f"/?hours={hours}")
                request.user = user
                try:
                    with override_settings(LOGIN_URL="/login/"):
                        response = view(request, shelf=3)
                    found = (response.status_code, response.get("Location", "")[:7])
                    if response.status_code == 200:
                        found = response.content.decode()
                    elif response.status_code == 403:
                        found = 403
                except PermissionDenied:
                    found = 403
                except Exception as error:
                    found = type(error).__name__
                seen[f"{bases}: {method} by {name}, {hours}"] = found
    return seen

# %% exercise="16.2" role="answer" datasets=["empty"]
def is_open(request):
    return request.GET.get("hours") == "open"


class StaffMixin(AccessMixin):
    # solution
    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_staff:
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)
    # end


class OpenMixin(AccessMixin):
    # solution
    def dispatch(self, request, *args, **kwargs):
        if not is_open(request):
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)
    # end


check("16.2")

# %% exercise="16.2" role="alternative" note="With `UserPassesTestMixin` there is one test for the whole line. Each hands the question on by `super()`, and a base at the end agrees."
def is_open(request):
    return request.GET.get("hours") == "open"


class AllTestsMixin(UserPassesTestMixin):
    def test_func(self):
        return True


class StaffMixin(AllTestsMixin):
    def test_func(self):
        return super().test_func() and self.request.user.is_staff


class OpenMixin(AllTestsMixin):
    def test_func(self):
        return super().test_func() and is_open(self.request)

# %% exercise="16.2" role="mistake" says="With both, only the left one is asked: they share the name `test_func`, and one hides the other."
def is_open(request):
    return request.GET.get("hours") == "open"


class StaffMixin(UserPassesTestMixin):
    def test_func(self):
        return self.request.user.is_staff


class OpenMixin(UserPassesTestMixin):
    def test_func(self):
        return is_open(self.request)

# %% exercise="16.2" role="mistake" says="At the end of the line, `UserPassesTestMixin.test_func()` raises `NotImplementedError`: the chain needs a base that agrees."
def is_open(request):
    return request.GET.get("hours") == "open"


class StaffMixin(UserPassesTestMixin):
    def test_func(self):
        return self.request.user.is_staff and super().test_func()


class OpenMixin(UserPassesTestMixin):
    def test_func(self):
        return is_open(self.request) and super().test_func()

# %% exercise="16.2" role="mistake" says="One mixin knows the other by name, so one of them, alone or in the other order, asks too much or too little."
def is_open(request):
    return request.GET.get("hours") == "open"


class OpenMixin(UserPassesTestMixin):
    def test_func(self):
        return is_open(self.request)


class StaffMixin(OpenMixin):
    def test_func(self):
        return super().test_func() and self.request.user.is_staff

# %% exercise="16.2" role="mistake" says="Who is not logged in gets a 403 as well, and never a chance to log in. `handle_no_permission()` knows the difference."
def is_open(request):
    return request.GET.get("hours") == "open"


class StaffMixin:
    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_staff:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class OpenMixin:
    def dispatch(self, request, *args, **kwargs):
        if not is_open(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

# %% exercise="16.2" role="mistake" says="One condition is enough for your chain: it says `or` where both are asked for."
def is_open(request):
    return request.GET.get("hours") == "open"


class NoTestMixin(UserPassesTestMixin):
    def test_func(self):
        return False


class StaffMixin(NoTestMixin):
    def test_func(self):
        return self.request.user.is_staff or super().test_func()


class OpenMixin(NoTestMixin):
    def test_func(self):
        return is_open(self.request) or super().test_func()

# %% exercise="16.2" role="mistake" says="Only GET is guarded. The other methods are as open as before: the question belongs where all of them pass."
def is_open(request):
    return request.GET.get("hours") == "open"


class StaffMixin(AccessMixin):
    def get(self, request, *args, **kwargs):
        if not request.user.is_staff:
            return self.handle_no_permission()
        return super().get(request, *args, **kwargs)


class OpenMixin(AccessMixin):
    def get(self, request, *args, **kwargs):
        if not is_open(request):
            return self.handle_no_permission()
        return super().get(request, *args, **kwargs)

# %% exercise="16.2" role="hint"
# What does `LoginRequiredMixin` do when it agrees, and what when it does not? Yours are like it.
# %% exercise="16.2" role="hint"
# `AccessMixin` has `handle_no_permission()`: login page or 403, as it should be. Whoever is let in goes on to
# `super().dispatch(…)`.

# %% [markdown] exercise="16.3"
# ### 16.3 A login around somebody else's view
#
# A package has class-based views without a login. Write `guarded(view)`: a class that is the given view, of the same
# name, but asks for a login before anything in its `dispatch()` runs. The given class stays open, as it is used
# elsewhere.

# %% exercise="16.3" role="check"
def observe(answer):
    class Report(View):
        title = "Sales"
        log = []

        def dispatch(self, request, *args, **kwargs):
            self.log.append("dispatch")
            return super().dispatch(request, *args, **kwargs)

        def get(self, request, year):
            return HttpResponse(f"{self.title} {year}")

        def post(self, request, year):
            return HttpResponse(f"posted {year}")

    made = answer(Report)
    seen = {"name": made.__name__, "is a Report": issubclass(made, Report), "Report": Report.__name__}
    for which, view in (("guarded", made), ("the given class", Report)):
        for name, user in (("nobody", AnonymousUser()), ("customer", User(username="c"))):
            for method in ("get", "post", "put"):
                Report.log.clear()
                request = getattr(RequestFactory(), method)("/reports/")
                request.user = user
                try:
                    with override_settings(LOGIN_URL="/login/"):
                        response = view.as_view(title="Returns")(request, year=2026)
                    found = response.content.decode() or (response.status_code, response.get("Location", ""))
                except Exception as error:
                    found = type(error).__name__
                seen[f"{which}: {method} by {name}"] = (found, list(Report.log))
    return seen

# %% exercise="16.3" role="answer" datasets=["empty"]
def guarded(view):
    # solution
    return type(view.__name__, (LoginRequiredMixin, view), {})
    # end


check("16.3")

# %% exercise="16.3" role="alternative" note="The same with a decorator. It replaces `dispatch()` of the class that it is given, so it is given a new one."
def guarded(view):
    subclass = type(view.__name__, (view,), {})
    return method_decorator(login_required, name="dispatch")(subclass)

# %% exercise="16.3" role="alternative" note="With a `class` statement; the name has to be set by hand."
def guarded(view):
    class Guarded(LoginRequiredMixin, view):
        pass

    Guarded.__name__ = view.__name__
    return Guarded

# %% exercise="16.3" role="mistake" says="The mixin stands right of the view: its `dispatch()` is never reached, and everybody gets in."
def guarded(view):
    return type(view.__name__, (view, LoginRequiredMixin), {})

# %% exercise="16.3" role="mistake" says="`method_decorator` changes the class that it decorates: now the given view asks for a login everywhere. Make a subclass first."
def guarded(view):
    return method_decorator(login_required, name="dispatch")(view)

# %% exercise="16.3" role="mistake" says="Only GET is guarded. The other methods are as open as before."
def guarded(view):
    return method_decorator(login_required, name="get")(type(view.__name__, (view,), {"get": view.get}))

# %% exercise="16.3" role="mistake" says="The login is asked after the view's own `dispatch()` has begun. A class's own methods come before those of its bases: yours has to be further left."
def guarded(view):
    def get(self, request, *args, **kwargs):
        return login_required(view.get.__get__(self))(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        return login_required(view.post.__get__(self))(request, *args, **kwargs)

    return type(view.__name__, (view,), {"get": get, "post": post})

# %% exercise="16.3" role="mistake" says="The result is no class with `as_view()` any more: a URLconf that sets attributes, or a subclass, cannot use it."
def guarded(view):
    return login_required(view.as_view())

# %% exercise="16.3" role="hint"
# `type(name, bases, {})` makes a class. Which of the two bases has to be asked first?

# %% [markdown] exercise="16.4"
# ### 16.4 One's own note, and nothing else
#
# Finish `OrderNoteView` for `orders/<slug:number>/note/`. Customers change the note of their own orders while these
# are open. Any other order is a 404, whoever's and whichever it is; without a login, one goes to the login page.
# Nothing but the note can be changed. Then on to `/orders/NUMBER/`.

# %% exercise="16.4" role="check"
def observe(answer):
    view = answer.as_view()
    with uncounted():
        mine = Order.objects.filter(status="open").order_by("pk").first()
        closed = ("paid", "shipped", "cancelled")
        done = [Order.objects.filter(status=status).order_by("pk").first() for status in closed]
        other = Order.objects.filter(status="open").exclude(customer=mine.customer).order_by("pk").first()
        other = other or Order.objects.exclude(customer=mine.customer).order_by("pk").first()
        staff = User(username="staff", is_staff=True, is_superuser=True, pk=0)
        cases = [
            ("own open order", mine, mine.customer),
            *((f"own order that is {order.status}", order, order.customer) for order in done if order),
            ("another's order", other, mine.customer),
            ("another's order, asked by staff", mine, staff),
            ("not logged in", mine, AnonymousUser()),
            ("no such order", Order(number="none"), mine.customer),
        ]
    seen = {}
    for method in ("get", "post", "put"):
        for name, order, user in cases:
            data = {"note": f"{method} {name}", "status": "paid", "number": "1", "customer": "2"}
            request = getattr(RequestFactory(), method)("/", data if method != "put" else None)
            request.user = user
            try:
                with override_settings(LOGIN_URL="/login/"):
                    response = view(request, number=order.number)
                found = (response.status_code, response.get("Location", ""))
                if response.status_code == 200:
                    found = (200, sorted(response.context_data["form"].fields))
            except Http404:
                found = 404
            except Exception as error:
                found = type(error).__name__
            with uncounted():
                row = Order.objects.filter(pk=order.pk).values_list("note", "status", "number", "customer_id").first()
                kept = Order.objects.filter(pk=order.pk).exclude(note=order.note).exists()
            changed = row is not None and (kept, row[1:] != (order.status, order.number, order.customer_id))
            if method == "put":
                # A view may answer this method or not; what it must not do is write on another's order.
                if name != "own open order":
                    seen[f"{method}: {name}"] = {"note changed, rest changed": changed}
            else:
                seen[f"{method}: {name}"] = {"answer": found, "note changed, rest changed": changed}
            if row:
                with uncounted():
                    Order.objects.filter(pk=order.pk).update(
                        note=order.note, status=order.status, number=order.number, customer=order.customer
                    )
    return seen

# %% exercise="16.4" role="answer" seconds=20
class OrderNoteView(LoginRequiredMixin, UpdateView):
    # solution
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user, status=Order.Status.OPEN)
    # end


check("16.4")

# %% exercise="16.4" role="alternative" note="`get_object()` is the other place. `get_queryset()` serves lists as well, so a mixin made of it fits more views."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    fields = ["note"]

    def get_object(self, queryset=None):
        orders = self.request.user.orders.filter(status="open")
        return get_object_or_404(orders, number=self.kwargs["number"])

    def get_success_url(self):
        return f"/orders/{self.object.number}/"

# %% exercise="16.4" role="mistake" says="A login says who asks, not whose order it is: any customer can write on any order. Cut the rows down in `get_queryset()`."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

# %% exercise="16.4" role="mistake" says="Orders that are paid, shipped or cancelled can still be changed."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user)

# %% exercise="16.4" role="mistake" says="The page is guarded, the POST is not: what is asked in `get()` alone does not hold where it matters."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get(self, request, *args, **kwargs):
        order = self.get_object()
        if order.customer != request.user or order.status != "open":
            raise Http404
        return super().get(request, *args, **kwargs)

# %% exercise="16.4" role="mistake" says="403 for another's order and 404 for none tells strangers which numbers exist. Both are to be a 404."
class OrderNoteView(UserPassesTestMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def test_func(self):
        if not self.request.user.is_authenticated:
            return False
        order = self.get_object()
        return order.customer == self.request.user and order.status == "open"

# %% exercise="16.4" role="mistake" says="`fields` lets the sender write more than the note: name what may be written, and no more."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note", "status"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user, status=Order.Status.OPEN)

# %% exercise="16.4" role="mistake" says="Without a login there is no login page: the mixin stands on the wrong side, and the filter meets a visitor who is nobody."
class OrderNoteView(UpdateView, LoginRequiredMixin):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get_queryset(self):
        return super().get_queryset().filter(customer=self.request.user, status=Order.Status.OPEN)

# %% exercise="16.4" role="mistake" says="Some orders that are not open can still be changed. Name the status that is allowed, not those that are forbidden: one is soon forgotten."
class OrderNoteView(LoginRequiredMixin, UpdateView):
    model = Order
    fields = ["note"]
    slug_field = slug_url_kwarg = "number"
    success_url = "/orders/{number}/"

    def get_queryset(self):
        orders = super().get_queryset().filter(customer=self.request.user)
        return orders.exclude(status__in=[Order.Status.PAID, Order.Status.SHIPPED])

# %% exercise="16.4" role="hint"
# Which rows may this view see at all? The object is looked for among them.
# %% exercise="16.4" role="hint"
# `slug_field` is the name in the model, `slug_url_kwarg` the name in the URL. A `success_url` may hold `{number}`.

# %% [markdown] exercise="16.5"
# ### 16.5 Delete, unless it was sold
#
# Write `BookDeleteView`, a `DeleteView`. A book that stands in any order stays: the page comes again, with status 200
# and an error of the form as a whole. One that was never ordered is deleted, and on it goes to `/books/`. A GET
# deletes nothing, and any method but GET and POST is a 405.

# %% exercise="16.5" role="check"
def observe(answer):
    view = answer.as_view()
    with uncounted():
        sold = Book.objects.filter(lines__isnull=False).order_by("pk").first()
        unsold, cancelled = (*Book.objects.filter(lines__isnull=True).order_by("pk")[:2], None)[:2]
        order = Order.objects.filter(status="cancelled").first()
        if cancelled and order:
            OrderLine.objects.create(order=order, book=cancelled, quantity=1, unit_price=cancelled.price)
    seen = {}
    books = (("sold book", sold), ("book never ordered", unsold), ("book of a cancelled order only", cancelled))
    for name, book in books:
        if book is None:
            continue
        for method in ("get", "delete", "put", "post"):
            try:
                response = view(getattr(RequestFactory(), method)("/"), slug=book.slug)
                found = {"status": response.status_code, "Location": response.get("Location", "")}
                if response.status_code == 200:
                    form = response.context_data["form"]
                    found["errors"] = {field: len(errors) for field, errors in form.errors.items()}
            except Exception as error:
                found = type(error).__name__
            with uncounted():
                seen[f"{method}: {name}"] = (found, "is there" if Book.objects.filter(pk=book.pk).exists() else "is gone")
    try:
        seen["no such book"] = view(RequestFactory().post("/"), slug="none").status_code
    except Http404:
        seen["no such book"] = 404
    return seen

# %% exercise="16.5" role="answer"
class BookDeleteView(DeleteView):
    # solution
    model = Book
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def form_valid(self, form):
        if self.object.lines.exists():
            form.add_error(None, "This book was sold, and orders need it.")
            return self.form_invalid(form)
        return super().form_valid(form)
    # end


check("16.5")

# %% exercise="16.5" role="alternative" note="Ask forgiveness, not permission: `PROTECT` refuses at the moment of deleting, so an order placed in between is seen too. The shop's desk does it so."
class BookDeleteView(DeleteView):
    model = Book
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except ProtectedError:
            form.add_error(None, "This book was sold, and orders need it.")
            return self.form_invalid(form)

# %% exercise="16.5" role="mistake" says="A POST does not come through `delete()`: since Django 4.0 it calls `form_valid()`. The rule was never asked."
class BookDeleteView(DeleteView):
    model = Book
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def delete(self, request, *args, **kwargs):
        self.object = self.get_object()
        if self.object.lines.exists():
            form = self.get_form()
            form.add_error(None, "This book was sold, and orders need it.")
            return self.form_invalid(form)
        return super().delete(request, *args, **kwargs)

# %% exercise="16.5" role="mistake" says="A request with the method DELETE still deletes: it comes through `delete()`, not through `form_valid()`. Say which methods there are."
class BookDeleteView(DeleteView):
    model = Book
    success_url = "/books/"

    def form_valid(self, form):
        if self.object.lines.exists():
            form.add_error(None, "This book was sold, and orders need it.")
            return self.form_invalid(form)
        return super().form_valid(form)

# %% exercise="16.5" role="mistake" says="The error is added and the book deleted all the same, or the attempt fails: after an error, answer with `form_invalid()`."
class BookDeleteView(DeleteView):
    model = Book
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def form_valid(self, form):
        if self.object.lines.exists():
            form.add_error(None, "This book was sold, and orders need it.")
        return super().form_valid(form)

# %% exercise="16.5" role="mistake" says="With the sold books cut out of `get_queryset()` they are a 404: the visitor is told that the book does not exist, not why it stays."
class BookDeleteView(DeleteView):
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def get_queryset(self):
        return Book.objects.filter(lines__isnull=True)

# %% exercise="16.5" role="mistake" says="A cancelled order is an order, too: its line needs the book, and the deletion fails. Ask for any line."
class BookDeleteView(DeleteView):
    model = Book
    success_url = "/books/"
    http_method_names = ["get", "post"]

    def form_valid(self, form):
        if self.object.lines.exclude(order__status=Order.Status.CANCELLED).exists():
            form.add_error(None, "This book was sold, and orders need it.")
            return self.form_invalid(form)
        return super().form_valid(form)

# %% exercise="16.5" role="hint"
# Which method does a `DeleteView` call when its form is good? And which one for the HTTP method DELETE?
# %% exercise="16.5" role="hint"
# `form.add_error(None, "…")`, then `return self.form_invalid(form)`. `http_method_names` lists what the view answers.

# %% [markdown] exercise="16.6"
# ### 16.6 The books of an author, as a list
#
# Write `AuthorBooksView`, a `ListView` at `authors/<slug:slug>/in-print/`: the author's books that are in print, the
# dearest first, equal ones by `slug`, three on a page. The context has the author as `author` and the books as
# `books`. An unknown author is a 404, one without books an empty page. Three queries at most.

# %% exercise="16.6" role="check"
def observe(answer):
    view = answer.as_view()
    with uncounted():
        slugs = list(Author.objects.order_by("pk").values_list("slug", flat=True)[:20])
        slugs += list(Author.objects.filter(books=None).order_by("pk").values_list("slug", flat=True)[:1])
    seen = {}
    for slug in [*slugs, "none"]:
        for page in ("1", "2"):
            with CaptureQueriesContext(connection) as sent:
                try:
                    context = view(RequestFactory().get("/", {"page": page}), slug=slug).context_data
                    found = {
                        "author": str(context.get("author")),
                        "books": [book.slug for book in context["books"]] if "books" in context else "no such name",
                        "pages": context["paginator"].num_pages if context.get("paginator") else None,
                    }
                except Http404:
                    found = 404
                except Exception as error:
                    found = type(error).__name__
            seen[f"{slug}, page {page}"] = found
            seen[f"queries for {slug}, page {page}"] = "3 at most" if len(sent) <= 3 else str(len(sent))
    return seen

# %% exercise="16.6" role="answer"
class AuthorBooksView(ListView):
    # solution
    context_object_name = "books"
    paginate_by = 3

    def get_queryset(self):
        self.author = get_object_or_404(Author, slug=self.kwargs["slug"])
        return self.author.books.filter(in_print=True).order_by("-price", "slug")

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, **kwargs)
    # end


check("16.6")

# %% exercise="16.6" role="alternative" note="The author in `setup()`, as a mixin for several pages of an author would do it. It runs before any login is asked, which does no harm on a public page."
class AuthorBooksView(ListView):
    model = Book
    ordering = ["-price", "slug"]
    context_object_name = "books"
    paginate_by = 3

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.author = get_object_or_404(Author, slug=kwargs["slug"])

    def get_queryset(self):
        return super().get_queryset().in_print().filter(author=self.author)

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"author": self.author}

# %% exercise="16.6" role="mistake" says="An author whom nobody knows gets an empty page, not a 404: a filter that finds nothing does not complain. Look for the author first."
class AuthorBooksView(ListView):
    context_object_name = "books"
    paginate_by = 3

    def get_queryset(self):
        return Book.objects.in_print().filter(author__slug=self.kwargs["slug"]).order_by("-price", "slug")

    def get_context_data(self, **kwargs):
        author = Author.objects.filter(slug=self.kwargs["slug"]).first()
        return super().get_context_data(author=author, **kwargs)

# %% exercise="16.6" role="mistake" says="An author without books in print is a 404: `allow_empty = False` is about the list, not about the author."
class AuthorBooksView(ListView):
    context_object_name = "books"
    paginate_by = 3
    allow_empty = False

    def get_queryset(self):
        self.author = Author.objects.filter(slug=self.kwargs["slug"]).first()
        return Book.objects.in_print().filter(author=self.author).order_by("-price", "slug")

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, **kwargs)

# %% exercise="16.6" role="mistake" says="Of equal prices, the order is left to chance: name the second column."
class AuthorBooksView(ListView):
    context_object_name = "books"
    paginate_by = 3

    def get_queryset(self):
        self.author = get_object_or_404(Author, slug=self.kwargs["slug"])
        return self.author.books.filter(in_print=True).order_by("-price", "-slug")

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, **kwargs)

# %% exercise="16.6" role="mistake" says="The whole list is under the name `books`, and the page is not: put no list into the context by yourself, `context_object_name` names the page's."
class AuthorBooksView(ListView):
    paginate_by = 3

    def get_queryset(self):
        self.author = get_object_or_404(Author, slug=self.kwargs["slug"])
        return self.author.books.filter(in_print=True).order_by("-price", "slug")

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, books=self.get_queryset(), **kwargs)

# %% exercise="16.6" role="mistake" says="The author comes with each book, so an author without books has no name on the page."
class AuthorBooksView(ListView):
    context_object_name = "books"
    paginate_by = 3

    def get_queryset(self):
        get_object_or_404(Author, slug=self.kwargs["slug"])
        books = Book.objects.in_print().filter(author__slug=self.kwargs["slug"]).select_related("author")
        return books.order_by("-price", "slug")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return context | {"author": context["books"][0].author if context["books"] else None}

# %% exercise="16.6" role="hint"
# What the list holds are books. Where does the view find the author, and when?
# %% exercise="16.6" role="hint"
# `get_queryset()` runs before `get_context_data()`: keep the author as `self.author`.

# %% [markdown] exercise="16.7"
# ### 16.7 A page for whatever number comes
#
# Return a page of the books by `title`, equal titles by `pk`, ten on a page: its books, its number, the number of the
# last page. `number` is what stood in the address, or None. What is no whole number is page 1, and so is everything
# below 1; what is too high is the last page. Two queries at most, and no more rows than are shown.

# %% exercise="16.7" role="check"
def observe(answer):
    with uncounted():
        authors = list(Author.objects.order_by("-pk")[:5])
        # Equal titles, where the index over title and author has them the other way round.
        for author in authors:
            Book.objects.create(title="A Book", slug=f"a-book-{author.pk}", author=author, price=1)
    seen = {}
    for number in ("1", "2", None, "", "two", "2.5", "²", "0", "-3", "17", "18", "9999999"):
        with CaptureQueriesContext(connection) as sent:
            try:
                books, found, last = answer(number)
                shown = [f"{book.title} ({book.slug})" for book in books]
                seen[f"page {number!r}"] = {"page": found, "last page": last, "books": shown}
            except Exception as error:
                seen[f"page {number!r}"] = type(error).__name__
        if len(sent) > 2:
            seen[f"queries for page {number!r}"] = len(sent)
        if any("COUNT(" not in query["sql"] and "LIMIT" not in query["sql"] for query in sent):
            seen[f"query without a LIMIT for page {number!r}"] = True
    return seen

# %% exercise="16.7" role="answer" datasets=["shop", "edge", "empty"]
def books_page(number):
    # solution
    paginator = Paginator(Book.objects.order_by("title", "pk"), 10)
    try:
        page = paginator.page(number)
    except PageNotAnInteger:
        page = paginator.page(1)
    except EmptyPage:
        page = paginator.page(1 if int(number) < 1 else paginator.num_pages)
    return list(page), page.number, paginator.num_pages
    # end


check("16.7")

# %% exercise="16.7" role="alternative" note="Mend the number first, then let `get_page()` do the rest. Shorter, and the rule stands in one line."
def books_page(number):
    try:
        number = max(1, int(number))
    except (TypeError, ValueError):
        number = 1
    page = Paginator(Book.objects.order_by("title", "pk"), 10).get_page(number)
    return list(page.object_list), page.number, page.paginator.num_pages

# %% exercise="16.7" role="mistake" says="`get_page()` takes 0 and -3 for out of range, and so for the last page. Page 1 is asked for."
def books_page(number):
    page = Paginator(Book.objects.order_by("title", "pk"), 10).get_page(number)
    return list(page), page.number, page.paginator.num_pages

# %% exercise="16.7" role="mistake" says="`page()` raises for what is no number and for what is out of range. An address can hold anything."
def books_page(number):
    page = Paginator(Book.objects.order_by("title", "pk"), 10).page(number or 1)
    return list(page), page.number, page.paginator.num_pages

# %% exercise="16.7" role="mistake" says="With a page that is full exactly, or with no book at all, the number of the last page is wrong. Round up, and let there be at least page 1."
def books_page(number):
    try:
        number = max(1, int(number))
    except (TypeError, ValueError):
        number = 1
    books = Book.objects.order_by("title", "pk")
    last = books.count() // 10 + 1 if books else 0
    number = min(number, last)
    return list(books[(number - 1) * 10 : number * 10]), number, last

# %% exercise="16.7" role="mistake" says="What is too high is page 1 here. The last page is nearer to what was meant."
def books_page(number):
    paginator = Paginator(Book.objects.order_by("title", "pk"), 10)
    try:
        page = paginator.page(number)
    except (PageNotAnInteger, EmptyPage):
        page = paginator.page(1)
    return list(page), page.number, paginator.num_pages

# %% exercise="16.7" role="mistake" says="Of equal titles, which comes first is left to the database. Name the second column, or a book may be on two pages."
def books_page(number):
    try:
        number = max(1, int(number))
    except (TypeError, ValueError):
        number = 1
    page = Paginator(Book.objects.order_by("title"), 10).get_page(number)
    return list(page.object_list), page.number, page.paginator.num_pages

# %% exercise="16.7" role="mistake" says="A list is given to the paginator, so every page fetches all books. Give it the queryset: it counts and slices in the database."
def books_page(number):
    try:
        number = max(1, int(number))
    except (TypeError, ValueError):
        number = 1
    page = Paginator(list(Book.objects.order_by("title", "pk")), 10).get_page(number)
    return page.object_list, page.number, page.paginator.num_pages

# %% exercise="16.7" role="mistake" says="`isdigit()` is true of ² as well, which `int()` refuses. Try `int()` and catch what it raises."
def books_page(number):
    number = int(number) if number and number.isdigit() else 1
    page = Paginator(Book.objects.order_by("title", "pk"), 10).get_page(max(1, number))
    return list(page), page.number, page.paginator.num_pages

# %% exercise="16.7" role="hint"
# Try `get_page()` with "0". Which of its answers is not the one asked for?
# %% exercise="16.7" role="hint"
# `int(number)` in a `try`, then `max(1, …)`.

# %% [markdown] exercise="16.8"
# ### 16.8 What comes after this book
#
# Return five books in the order of `added`, newest first, equal ones by `pk`, lowest first; and the cursor for the
# next five, or None where there are no more. `after` is a cursor that you gave out, or None for the beginning. One
# query a page. Books that are added meanwhile must not push others onto the next page.

# %% exercise="16.8" role="check"
def observe(answer):
    with uncounted():
        author = Author.objects.first()
        # More than a page on one day, at different hours.
        for hour in range(8, 14) if author else ():
            added = datetime(2021, 1, 1, hour, tzinfo=UTC)
            Book.objects.create(title=f"At {hour}", slug=f"at-{hour}", author=author, price=1, added=added)
        # In a long list, all pages are full.
        for number in range(-Book.objects.count() % 5 if Book.objects.count() > 100 else 0):
            Book.objects.create(title=f"Old {number}", slug=f"old-{number}", author=author, price=1)
        expected = list(Book.objects.order_by("-added", "pk").values_list("pk", flat=True))
    walked, sizes, most, whole, tied, after = [], [], 0, 0, 0, None
    for step in range(len(expected) + 3):
        with CaptureQueriesContext(connection) as sent:
            books, after = answer(after) if step else answer(None)
            books = list(books)
        most = max(most, len(sent))
        whole += sum("LIMIT" not in query["sql"] for query in sent)
        tied += sum(not re.search(r"ORDER BY.*\bid\b", query["sql"]) for query in sent)
        walked += [book.pk for book in books]
        sizes.append(len(books))
        if after is None:
            break
        if author and step < 2:
            with uncounted():
                Book.objects.create(pk=90_000 + step, title=f"New {step}", slug=f"new-{step}", author=author, price=1, added=now())
    return {
        "books that were lost": len(set(expected) - set(walked)),
        "books that came twice": len(walked) - len(set(walked)),
        "in the right order": walked == expected,
        "books on the pages": sizes if walked == expected else sizes[:3],
        "most queries for a page": most,
        "queries without a LIMIT": whole,
        "queries that leave equal days in any order": tied,
    }

# %% exercise="16.8" role="answer" datasets=["shop", "edge", "empty"] seconds=20
def newest(after=None):
    # solution
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__gt=pk))
    rows = list(books[:6])
    shown = rows[:5]
    return shown, (shown[-1].added, shown[-1].pk) if len(rows) > 5 else None
    # end


check("16.8")

# %% exercise="16.8" role="alternative" note="With the first column once more, as a range: it says nothing new, but an index over both columns can begin the search there. For a long table, write this one."
def newest(after=None):
    books = Book.objects.newest()
    if after is not None:
        books = books.filter(added__lte=after[0]).exclude(added=after[0], pk__lte=after[1])
    rows = books[:6]
    more = len(rows) == 6
    shown = list(rows)[:5]
    return shown, [shown[-1].added, shown[-1].pk] if more else None

# %% exercise="16.8" role="mistake" says="Books that came at the same moment as the last one are lost: the cursor needs the second column as well."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        books = books.filter(added__lt=after)
    rows = list(books[:6])
    shown = rows[:5]
    return shown, shown[-1].added if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="With `lte` the books of the same moment come again, and the walk may never end."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        books = books.filter(added__lte=after)
    rows = list(books[:6])
    shown = rows[:5]
    return shown, shown[-1].added if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="Both columns are compared with `lt`, but `pk` goes up where `added` goes down: rows are lost and come again. Each column is compared in its own direction."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__lt=pk))
    rows = list(books[:6])
    shown = rows[:5]
    return shown, (shown[-1].added, shown[-1].pk) if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="`AND` where it must be `OR`: a book of an earlier day is asked for a higher key as well, and lost."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(added__lte=added, pk__gt=pk)
    rows = list(books[:6])
    shown = rows[:5]
    return shown, (shown[-1].added, shown[-1].pk) if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="Your cursor is a number of rows. When a book is added, the last one of a page comes again on the next: continue after a row."
def newest(after=None):
    start = after or 0
    rows = list(Book.objects.order_by("-added", "pk")[start : start + 6])
    return rows[:5], start + 5 if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="A second query asks whether there is more. One row more than you show tells it."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__gt=pk))
    shown = list(books[:5])
    more = books[5:6].exists()
    return shown, (shown[-1].added, shown[-1].pk) if more else None

# %% exercise="16.8" role="mistake" says="Where the last page is full, your cursor leads to an empty one."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__gt=pk))
    shown = list(books[:5])
    return shown, (shown[-1].added, shown[-1].pk) if len(shown) == 5 else None

# %% exercise="16.8" role="mistake" says="Every page reads all books and cuts in Python. Let the database compare, and stop after six rows."
def newest(after=None):
    books = list(Book.objects.order_by("-added", "pk"))
    if after:
        books = [book for book in books if (book.added, -book.pk) < after]
    shown = books[:5]
    return shown, (shown[-1].added, -shown[-1].pk) if len(books) > 5 else None

# %% exercise="16.8" role="mistake" says="The cursor is the book that was fetched to look ahead, so that one is never shown. Continue after the last one shown."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__gt=pk))
    rows = list(books[:6])
    return rows[:5], (rows[-1].added, rows[-1].pk) if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="The condition knows the second column, and the order does not: books of one moment may come in any order, and the condition passes over some. Both name the same columns."
def newest(after=None):
    books = Book.objects.order_by("-added")
    if after:
        added, pk = after
        books = books.filter(Q(added__lt=added) | Q(added=added, pk__gt=pk))
    rows = list(books[:6])
    shown = rows[:5]
    return shown, (shown[-1].added, shown[-1].pk) if len(rows) > 5 else None

# %% exercise="16.8" role="mistake" says="The list is in the order of the moment and your cursor knows only the day: books of one day at different hours are lost. Compare the very values of the order."
def newest(after=None):
    books = Book.objects.order_by("-added", "pk")
    if after:
        day, pk = after
        books = books.filter(Q(added__date__lt=day) | Q(added__date=day, pk__gt=pk))
    rows = list(books[:6])
    shown = rows[:5]
    return shown, (shown[-1].added.date(), shown[-1].pk) if len(rows) > 5 else None

# %% exercise="16.8" role="hint"
# Behind the book with `added` A and `pk` P is: every book that is older than A, and every book of A with …
# %% exercise="16.8" role="hint"
# Fetch six, show five: the sixth tells whether there is more.

# %% [markdown] exercise="16.9"
# ### 16.9 A page in an async view
#
# Write the coroutine function `arrivals(number)`: the titles on page `number` (1, 2, …) of `Book.objects.newest()`,
# ten on a page, and whether there is a next page. One query, which fetches no other page's books; nothing that blocks
# the event loop; and it has to work on Django 5.2 too.

# %% exercise="16.9" role="check"
def observe(answer):
    with uncounted():
        author = Author.objects.first()
        # In a long list, the last page is full.
        for number in range(-Book.objects.count() % 10 if Book.objects.count() > 100 else 0):
            added = datetime(2020, 1, 1 + number, tzinfo=UTC)
            Book.objects.create(title=f"Old {number}", slug=f"old-{number}", author=author, price=1, added=added)
    # A production server has no such permission.
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    seen = {}

    async def ask(number):
        try:
            titles, more = await answer(number)
            return list(titles), more
        except Exception as error:
            return type(error).__name__

    for number in (1, 2, 16, 17, 18):
        # Sees the queries of `await`, too, which run in a thread of Django's.
        with queries(quiet=True) as sent:
            found = asyncio.run(ask(number))
        seen[f"page {number}"] = found
        seen[f"queries for page {number}"] = len(sent)
        # One row more than is shown, at most.
        limits = [re.search(r"LIMIT (\d+)", statement.sql) for statement in sent]
        if not all(limit and int(limit[1]) <= 11 for limit in limits):
            seen[f"fetches more than page {number}"] = True
    return seen

# %% exercise="16.9" role="answer" datasets=["shop", "edge", "empty"]
async def arrivals(number):
    # solution
    start = (number - 1) * 10
    books = Book.objects.newest()[start : start + 11]
    titles = [book.title async for book in books]
    return titles[:10], len(titles) > 10
    # end


check("16.9")

# %% exercise="16.9" role="alternative" note="In a thread. Right where the work is a function that exists already; for one query, `async for` says it more directly."
async def arrivals(number):
    def read():
        return list(Book.objects.newest().values_list("title", flat=True)[(number - 1) * 10 : number * 10 + 1])

    titles = await sync_to_async(read)()
    return titles[:10], len(titles) == 11

# %% exercise="16.9" role="mistake" says="The ORM is asked in the event loop: Django refuses, with `SynchronousOnlyOperation`. Use `async for`."
async def arrivals(number):
    titles = [book.title for book in Book.objects.newest()[(number - 1) * 10 : number * 10 + 1]]
    return titles[:10], len(titles) > 10

# %% exercise="16.9" role="mistake" says="The count is a second query. One book more than you show tells whether there is a next page."
async def arrivals(number):
    books = Book.objects.newest()
    count = await books.acount()
    titles = [book.title async for book in books[(number - 1) * 10 : number * 10]]
    return titles, count > number * 10

# %% exercise="16.9" role="mistake" says="A full page does not mean that there is another: fetch one more than you show."
async def arrivals(number):
    titles = [book.title async for book in Book.objects.newest()[(number - 1) * 10 : number * 10]]
    return titles, len(titles) == 10

# %% exercise="16.9" role="mistake" says="The first page has the number 1. You skip its ten books."
async def arrivals(number):
    titles = [book.title async for book in Book.objects.newest()[number * 10 : number * 10 + 11]]
    return titles[:10], len(titles) > 10

# %% exercise="16.9" role="mistake" says="One query, but it fetches other pages' books as well. Slice the queryset, not the list."
async def arrivals(number):
    titles = [book.title async for book in Book.objects.newest()]
    return titles[(number - 1) * 10 : number * 10], len(titles) > number * 10

# %% exercise="16.9" role="hint"
# A queryset that is sliced can be read by `async for`, inside a comprehension too.
# %% exercise="16.9" role="hint"
# Eleven rows for a page of ten.
