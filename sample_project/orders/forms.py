from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Stock


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
