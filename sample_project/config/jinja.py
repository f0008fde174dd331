"""The environment of the second template engine. Jinja2 knows nothing of Django: what templates need is handed over.

https://docs.djangoproject.com/en/stable/topics/templates/#django.template.backends.jinja2.Jinja2
"""

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext, ngettext
from jinja2 import Environment, StrictUndefined

from storefront.context_processors import SHOP_NAME
from storefront.templatetags.bookshop import price, stars


def url(name, *args, **kwargs):
    """The address of a view, as `{% url %}` has it."""
    return reverse(name, args=args, kwargs=kwargs)


def environment(**options):
    """Make Jinja2's environment from what Django's backend passes: `loader`, `autoescape=True`, `auto_reload` …

    A name that does not exist is an error in these templates, where Django's own show nothing.
    """
    made = Environment(**options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    made.globals |= {
        "static": static,
        "url": url,
        "get_language": get_language,
        "_": gettext,
        "ngettext": ngettext,
        "shop_name": SHOP_NAME,
    }
    # The very functions of Django's templates. Both engines take `__html__` as the mark of what is safe already.
    made.filters |= {"price": price, "stars": stars}
    return made
