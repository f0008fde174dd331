"""Forms of the desk.

https://docs.djangoproject.com/en/stable/topics/forms/modelforms/
"""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import BaseInlineFormSet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from catalog.models import Book, Contribution, Contributor
from catalog.prices import record_price
from orders.forms import StockForm
from orders.models import Stock
from storefront.forms import SearchForm
from storefront.widgets import EuroInput


class BookSearchForm(SearchForm):
    """The visitors' search, and what only the desk asks."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("In any state")),
            ("sold-out", _("Sold out")),
            ("never-ordered", _("Never ordered")),
            ("out-of-print", _("Out of print")),
        ],
    )

    def search(self, books):
        books = super().search(books)
        if books is None:
            return None
        match self.cleaned_data["state"]:
            case "sold-out":
                return books.filter(Q(stock__isnull=True) | Q(stock__quantity=0))
            case "never-ordered":
                return books.never_ordered()
            case "out-of-print":
                return books.filter(in_print=False)
        return books


class BookForm(forms.ModelForm):
    """A book as the desk knows it. Who may not change prices sees this one, and cannot send another."""

    class Meta:
        model = Book
        fields = [
            "title",
            "slug",
            "author",
            "publisher",
            "genres",
            "published",
            "language",
            "pages",
            "price",
            "in_print",
            "isbn",
            "sequel_to",
            "description",
        ]
        widgets = {
            "price": EuroInput,
            "genres": forms.CheckboxSelectMultiple,
            "description": forms.Textarea(attrs={"rows": 4}),
        }
        labels = {
            "title": _("Title"),
            "slug": _("Address"),
            "author": _("Author"),
            "publisher": _("Publisher"),
            "genres": _("Genres"),
            "published": _("Year of first publication"),
            "language": _("Language"),
            "pages": _("Pages"),
            "price": _("Price"),
            "in_print": _("In print"),
            "isbn": _("ISBN"),
            "sequel_to": _("Sequel to"),
            "description": _("Description"),
        }
        help_texts = {"slug": _("The end of its address. Made from the title if you leave it empty.")}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        if self.instance.pk:
            self.fields["sequel_to"].queryset = Book.objects.exclude(pk=self.instance.pk)
            # Disabled for the browser and for Django: what is sent all the same is not looked at.
            self.fields["price"].disabled = not user.has_perm("catalog.change_price")
        else:
            # The form of a new book knows the defaults of the model, and this one is the database's.
            self.fields["in_print"].initial = True

    def clean_slug(self):
        # Fields are cleaned in their order: the title stands above the slug, and is there if it was valid.
        slug = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("title", ""))
        if not slug and "title" in self.cleaned_data:
            raise ValidationError(_("No address can be made from this title: write one."), code="no_slug")
        return slug

    def save(self, commit=True):
        book = super().save(commit)
        if commit and "price" in self.changed_data:
            record_price(book)
        return book


class BaseContributionFormSet(BaseInlineFormSet):
    """Everybody who worked on one book. The contributors to choose from are read once, not once for every row."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("queryset", Contribution.objects.select_related("contributor"))
        super().__init__(*args, **kwargs)

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"contributors": self.contributors}

    @property
    def contributors(self):
        if not hasattr(self, "_contributors"):
            self._contributors = list(Contributor.objects.all())
        return self._contributors

    def clean(self):
        """Two equal rows: each is right by itself, and the database would refuse the second."""
        super().clean()
        seen = set()
        for form in self.forms:
            if not form.is_valid() or form in self.deleted_forms or not form.cleaned_data:
                continue
            data = form.cleaned_data
            row = (data["contributor"].pk, data["role"], data["volume"] or 0)
            if row in seen:
                raise ValidationError(
                    _("%(contributor)s stands here twice with the same task."), code="twice", params=data
                )
            seen.add(row)


class ContributionForm(forms.ModelForm):
    class Meta:
        model = Contribution
        fields = ["contributor", "role", "volume"]
        labels = {"contributor": _("Contributor"), "role": _("Task"), "volume": _("Volume")}
        help_texts = {"volume": _("Empty for the whole book.")}

    def __init__(self, *args, contributors, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["contributor"].choices = [
            ("", self.fields["contributor"].empty_label),
            *((person.pk, str(person)) for person in contributors),
        ]


ContributionFormSet = forms.inlineformset_factory(
    Book, Contribution, form=ContributionForm, formset=BaseContributionFormSet, extra=2
)


class BaseStockFormSet(forms.BaseModelFormSet):
    def add_fields(self, form, index):
        """The key of each row, as a number.

        The key is a relation to the book, for which Django takes a field that fetches the book, for every row. The row
        itself is among those that the form set has read, or it is none of its business.
        """
        super().add_fields(form, index)
        form.fields["book"] = forms.IntegerField(initial=form.instance.pk, required=False, widget=forms.HiddenInput)


StockFormSet = forms.modelformset_factory(Stock, form=StockForm, formset=BaseStockFormSet, extra=0)
