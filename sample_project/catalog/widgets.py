from django.forms import Script, Textarea


class CountedTextarea(Textarea):
    """A text field that says how many characters are left, and how many are too many.

    It brings its own script and style sheet: a form that has the field puts them into the page, once each. Both are
    files, with nothing inline, so that a Content-Security-Policy of "self" lets them be. Without the script the field
    is a field: the number is advice, and nothing is refused.

    https://docs.djangoproject.com/en/stable/topics/forms/media/
    """

    class Media:
        css = {"all": ["catalog/counter.css"]}
        js = [Script("catalog/counter.js", defer=True)]

    def __init__(self, advised, attrs=None):
        super().__init__({"data-advised": advised} | (attrs or {}))
