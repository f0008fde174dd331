from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from .checkout import locked_stock, take_copies, tell_of_copies
from .exceptions import OutOfStock
from .models import Order, Stock


class OrderLineFormSet(BaseInlineFormSet):
    """Lines that somebody adds to an order by hand: they are sold, and copies leave the shelf as at the checkout.

    The shelf is locked when it is looked at, and until the page is saved: the form set belongs into a transaction.
    """

    def clean(self):
        super().clean()
        # What is wrong with a form is said there; twice the same book is an error of the form set.
        added = [form for form in self.extra_forms if form.has_changed() and form.is_valid()]
        self.books = {form.cleaned_data["book"].pk: form.cleaned_data["book"] for form in added}
        self.wanted = {form.cleaned_data["book"].pk: form.cleaned_data["quantity"] for form in added}
        if not self.wanted:
            return
        if self.instance.status == Order.Status.CANCELLED:
            raise ValidationError(_("This order is cancelled: it takes no more books."), code="cancelled")
        left = locked_stock(self.wanted)
        for pk, quantity in sorted(self.wanted.items()):
            if left.get(pk, 0) < quantity:
                raise ValidationError(str(OutOfStock(self.books[pk], quantity, left.get(pk, 0))), code="out_of_stock")

    def save(self, commit=True):
        lines = super().save(commit)
        if self.wanted:
            tell_of_copies(take_copies(self.books, dict(sorted(self.wanted.items()))))
        return lines


class StockForm(forms.ModelForm):
    """How many copies are on the shelf: counted by a person, while the shop goes on selling.

    The page carries the number it showed. Where that is no longer the number in the database, the count is out
    of date, and would undo the sales since. A number that nobody touched is not saved, whatever it is by now.

    https://docs.djangoproject.com/en/stable/ref/forms/fields/#show-hidden-initial
    """

    class Meta:
        model = Stock
        fields = ["quantity"]

    quantity = forms.IntegerField(label=_("Copies"), min_value=0, max_value=2**31 - 1, show_hidden_initial=True)

    def clean(self):
        super().clean()
        shown, now = self.data.get(self.add_initial_prefix("quantity")), self.initial.get("quantity")
        if "quantity" in self.changed_data and shown != str(now):
            self.add_error(
                "quantity",
                _("By now, %(now)s are on the shelf. Load the page again, and count from there.") % {"now": now},
            )
