from decimal import Decimal

from django import forms

from .widgets import CountedTextarea

STEP = Decimal("0.25")


class BookForm(forms.ModelForm):
    """A book on its page of the admin site, which says itself which fields there are."""

    class Meta:
        widgets = {"description": CountedTextarea(advised=600, attrs={"rows": 8, "class": "vLargeTextField"})}


class RepriceForm(forms.Form):
    """By how much the prices of several books go up or down."""

    percent = forms.DecimalField(
        label="Percent",
        min_value=-50,
        max_value=100,
        decimal_places=1,
        help_text="10 makes a book of 8.00 cost 8.80, which is rounded to 8.75. With a minus it becomes cheaper.",
    )

    def new_price(self, price):
        """The changed price, rounded to a multiple of 0.25."""
        changed = price * (100 + self.cleaned_data["percent"]) / 100
        return max(STEP * (changed / STEP).quantize(Decimal(1)), STEP if price else Decimal(0))
