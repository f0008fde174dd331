"""Form widgets of the shop's own. Their templates lie beside the others of the shop.

https://docs.djangoproject.com/en/stable/ref/forms/renderers/#overriding-built-in-widget-templates
"""

from django import forms


class StarsInput(forms.RadioSelect):
    """One to five stars, each a radio button with its name for those who cannot see them."""

    template_name = "storefront/widgets/stars.html"


class EuroInput(forms.NumberInput):
    """An amount, with the sign of the currency beside it."""

    template_name = "storefront/widgets/euro.html"
