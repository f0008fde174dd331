from decimal import Decimal

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from .models import Excerpt
from .widgets import CountedTextarea

STEP = Decimal("0.25")


class BookForm(forms.ModelForm):
    """A book on its page of the admin site, which says itself which fields there are."""

    class Meta:
        widgets = {"description": CountedTextarea(advised=600, attrs={"rows": 8, "class": "vLargeTextField"})}


class ExcerptForm(forms.ModelForm):
    """The excerpt of a book: the first, or one in the place of another, whose file goes when the new one is kept.

    https://docs.djangoproject.com/en/stable/topics/http/file-uploads/#uploading-files-with-a-modelform
    """

    class Meta:
        model = Excerpt
        fields = ["file"]
        # Not the one with a link to the file: no URL leads there, see `storefront.downloads`.
        widgets = {"file": forms.FileInput(attrs={"accept": ".pdf,.txt"})}
        labels = {"file": _("File")}
        help_texts = {"file": _("A PDF or a text in UTF-8, at most 1 MB.")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # By name: the instance gets the new file.
        self.old_file = self.instance.file.name

    def save(self, commit=True):
        excerpt = super().save(commit)
        if self.old_file:
            transaction.on_commit(self.delete_old_file, robust=True)
        return excerpt

    def delete_old_file(self):
        file = self.instance.file
        if file.name != self.old_file:
            file.storage.delete(self.old_file)


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
