from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from catalog.models import Genre
from orders.checkout import LONGEST_NOTE
from orders.models import Order
from reviews.models import Review, lacks_reason

from .cart import MOST_COPIES
from .widgets import EuroInput, StarsInput


class SearchForm(forms.Form):
    """What a visitor looks for. Every field may be empty."""

    q = forms.CharField(
        label=_("Title or author"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Title or author")}),
    )
    genre = forms.ModelChoiceField(
        Genre.objects.all(),
        required=False,
        to_field_name="slug",
        empty_label=_("All genres"),
        error_messages={"invalid_choice": _("The shop has no such genre. Choose one from the list.")},
    )

    def search(self, books):
        """Narrow `books` to what was asked for; None when the form is not valid."""
        if not self.is_valid():
            return None
        if genre := self.cleaned_data["genre"]:
            books = books.filter(genres=genre)
        return books.matching(self.cleaned_data["q"])


class PriceRangeForm(forms.Form):
    """What a book may cost. What concerns two fields is said of the form, or of the field that is easier to mend.

    https://docs.djangoproject.com/en/stable/ref/forms/validation/#cleaning-and-validating-fields-that-depend-on-each-other
    """

    price_from = forms.DecimalField(label=_("From"), required=False, min_value=0, max_digits=6, widget=EuroInput)
    price_to = forms.DecimalField(label=_("To"), required=False, min_value=0, max_digits=6, widget=EuroInput)
    in_stock = forms.BooleanField(label=_("In stock only"), required=False)

    def clean(self):
        # A field that was not valid is missing here.
        low, high = self.cleaned_data.get("price_from"), self.cleaned_data.get("price_to")
        if low is not None and high is not None and low > high:
            self.add_error("price_to", _("This is less than the lower price."))

    def narrow(self, books):
        """The `books` that were asked for; None when the form is not valid."""
        if not self.is_valid():
            return None
        if (low := self.cleaned_data["price_from"]) is not None:
            books = books.filter(price__gte=low)
        if (high := self.cleaned_data["price_to"]) is not None:
            books = books.costing_at_most(high)
        if self.cleaned_data["in_stock"]:
            books = books.filter(stock__quantity__gt=0)
        return books


class OrderSearchForm(forms.Form):
    """Which of their orders a customer wants to see."""

    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any status")), *Order.Status.choices]
    )

    def clean(self):
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            raise ValidationError(_("The first day is after the last one."), code="days_reversed")

    def narrow(self, orders):
        """The `orders` that were asked for; none of them when the form is not valid."""
        if not self.is_valid():
            return orders.none()
        lookups = {"since": "placed_at__date__gte", "until": "placed_at__date__lte", "status": "status"}
        return orders.filter(**{lookups[name]: value for name, value in self.cleaned_data.items() if value})


class CartAddForm(forms.Form):
    quantity = forms.IntegerField(label=_("Copies"), min_value=1, max_value=MOST_COPIES, initial=1)


class CartLineForm(forms.Form):
    """One line of the cart: which book it is about, and how many copies. 0 removes the line."""

    book = forms.IntegerField(widget=forms.HiddenInput)
    quantity = forms.IntegerField(label=_("Copies"), min_value=0, max_value=MOST_COPIES)


class BaseCartFormSet(forms.BaseFormSet):
    """A form for each line. `forms` have their `line`, to show what it is about.

    The forms name their book: in another tab of the browser, the lines may have become others since.
    """

    def __init__(self, *args, lines, **kwargs):
        self.lines = {line.book.pk: line for line in lines}
        initial = [{"book": pk, "quantity": line.quantity} for pk, line in self.lines.items()]
        super().__init__(*args, initial=initial, prefix="lines", **kwargs)
        # As text: whatever was sent, it can be compared, and need not be a number first.
        lines = {str(pk): line for pk, line in self.lines.items()}
        for form in self.forms:
            form.line = lines.get(str(form["book"].value()))

    @property
    def rows(self):
        """The forms of lines that are still in the cart."""
        return [form for form in self.forms if form.line]

    @property
    def total(self):
        return sum(line.amount for line in self.lines.values())

    def save(self, cart):
        """Put the quantities into the cart. Lines that have left it since stay away."""
        for form in self.rows:
            cart.set(form.line.book, form.cleaned_data["quantity"])


CartFormSet = forms.formset_factory(CartLineForm, formset=BaseCartFormSet, extra=0, max_num=200)


class CheckoutForm(forms.Form):
    # Tells a second press of the button from a second order: each page has another.
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Anything we should know?"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    agreed = forms.BooleanField(
        label=_("I order these books and will pay for them"),
        error_messages={"required": _("Tick the box: without it there is no order.")},
    )


class ReviewForm(forms.ModelForm):
    """Stars, and why. Whose review it is, and of what, comes with the instance: nobody can send another name."""

    class Meta:
        model = Review
        fields = ["stars", "text"]
        labels = {"text": _("What you think of it")}
        widgets = {"text": forms.Textarea(attrs={"rows": 6})}

    stars = forms.TypedChoiceField(
        label=_("Stars"),
        coerce=int,
        choices=[(number, format_lazy(_("{stars} of 5 stars"), stars=number)) for number in range(5, 0, -1)],
        widget=StarsInput,
    )

    def clean(self):
        super().clean()
        stars, text = self.cleaned_data.get("stars"), self.cleaned_data.get("text")
        if lacks_reason(stars, text):
            self.add_error("text", ValidationError(_("Tell us what was wrong with it."), code="reason_missing"))
        # One live review per customer and book: of these, the form has no field, and so Django would not ask.
        try:
            self.instance.validate_constraints(exclude={"stars", "text"})
        except ValidationError as error:
            self.add_error(None, error)
