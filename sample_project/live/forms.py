from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Book
from orders.exceptions import MOST_COPIES


class RestockForm(forms.Form):
    """Copies that came in."""

    book = forms.ModelChoiceField(Book.objects.order_by("title", "pk"), empty_label=None, label=_("Book"))
    copies = forms.IntegerField(min_value=1, max_value=MOST_COPIES, initial=1, label=_("Copies"))
