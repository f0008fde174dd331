"""From the cart to the order, and what a customer has ordered.

https://docs.djangoproject.com/en/stable/topics/forms/formsets/
"""

from contextlib import contextmanager
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.cache import cache
from django.db.models import Prefetch, Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.generic import DetailView, ListView

from catalog.models import Book
from orders.checkout import place_order
from orders.exceptions import OrderError
from orders.models import Order, OrderLine

from .cart import Cart
from .forms import CartAddForm, CartFormSet, CheckoutForm, OrderSearchForm

ORDERS_PER_PAGE = 10
KEY_SECONDS = 60 * 60


@require_http_methods(["GET", "POST"])
def cart(request):
    """The lines with their quantities, all in one form."""
    cart = Cart(request.session)
    lines = list(cart)
    if request.method == "POST":
        formset = CartFormSet(request.POST, lines=lines)
        if formset.is_valid():
            formset.save(cart)
            messages.success(request, _("The cart is as you wished."))
            return redirect("storefront:cart")
    else:
        formset = CartFormSet(lines=lines)
    return render(request, "storefront/cart.html", {"formset": formset})


@require_POST
def add_to_cart(request, slug):
    """Put copies of a book into the cart, and go back to where the button was. By POST alone: links must not buy."""
    book = get_object_or_404(Book, slug=slug)
    form = CartAddForm(request.POST)
    if form.is_valid():
        try:
            Cart(request.session).add(book, form.cleaned_data["quantity"])
        except ValueError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("“%(title)s” is in your cart.") % {"title": book.title})
    else:
        messages.error(request, form.errors["quantity"][0])
    return redirect(next_page(request) or book)


def next_page(request):
    """Where the form says to go on, if that is a page of this shop; else "".

    Whoever can send a customer to the shop could else send them on to a copy of it.
    """
    url = request.POST.get("next", "")
    hosts = {request.get_host()}
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=request.is_secure()) else ""


@login_required
@require_http_methods(["GET", "POST"])
def checkout(request):
    """The last look at the cart. What cannot be sold is said, and stays in the cart until the customer decides."""
    cart = Cart(request.session)
    lines = list(cart)
    if not lines:
        messages.info(request, _("Your cart is empty. Put a book into it first."))
        return redirect("storefront:cart")
    form = CheckoutForm(request.POST or None, initial={"key": uuid4()})
    if form.is_valid():
        wanted = {line.book.pk: line.quantity for line in lines}
        try:
            with taken_once(request.user, form.cleaned_data["key"]):
                order = place_order(request.user, wanted, note=form.cleaned_data["note"])
        except TakenAlready:
            messages.info(request, _("The button was pressed twice, and the order taken once."))
            return redirect("storefront:orders")
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            cart.clear()
            messages.success(request, _("Thank you. Your order has the number %(number)s.") % {"number": order.number})
            return redirect("storefront:order", order.number)
    context = {"form": form, "lines": lines, "total": sum(line.amount for line in lines)}
    return render(request, "storefront/checkout.html", context)


class TakenAlready(Exception):
    """This page was sent before."""


@contextmanager
def taken_once(customer, key):
    """Let the same page of the checkout order once, however often its button was pressed. Raises TakenAlready.

    The second press may come while the first is still at work: both have found the same cart in the session, and it is
    emptied too late for the second. The cache sees both. What fails gives the key back, for another try. With a cache
    for each process, the two have to meet in the same one: production shares it, see REDIS_URL.
    """
    place = f"checkout:{customer.pk}:{key}"
    if key and not cache.add(place, True, timeout=KEY_SECONDS):
        raise TakenAlready
    try:
        yield
    except BaseException:
        cache.delete(place)
        raise


class OwnOrdersMixin(LoginRequiredMixin):
    """The orders of whoever asks. Those of others are not forbidden, but not found: not even their numbers leak.

    https://docs.djangoproject.com/en/stable/topics/class-based-views/generic-display/#dynamic-filtering
    """

    def get_queryset(self):
        return Order.objects.filter(customer=self.request.user)


class OrderListView(OwnOrdersMixin, ListView):
    template_name = "storefront/orders.html"
    context_object_name = "orders"
    paginate_by = ORDERS_PER_PAGE

    def get_queryset(self):
        self.form = OrderSearchForm(self.request.GET)
        orders = self.form.narrow(super().get_queryset())
        sums = {"amount": Sum("lines__amount", default=0), "copies": Sum("lines__quantity", default=0)}
        # In so many words: the ordering of the model does not count where rows are grouped.
        return orders.annotate(**sums).order_by("-placed_at", "-pk")

    def get_context_data(self, **kwargs):
        return super().get_context_data(form=self.form, **kwargs)


class OrderView(OwnOrdersMixin, DetailView):
    template_name = "storefront/order.html"
    slug_field = slug_url_kwarg = "number"

    def get_queryset(self):
        lines = OrderLine.objects.select_related("book__author")
        return super().get_queryset().prefetch_related(Prefetch("lines", lines))
