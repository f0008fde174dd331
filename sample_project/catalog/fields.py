"""A model field for the International Standard Book Number."""

from django import forms
from django.core import exceptions
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.utils.translation import gettext_lazy as _


def compact(text):
    """What was typed, without the hyphens and spaces that ISBNs are printed with."""
    return str(text).replace("-", "").replace(" ", "").upper()


def check_digit(digits):
    """The thirteenth digit of an ISBN, given the first twelve."""
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:12])) % 10)


def normalise(text):
    """Thirteen digits for an ISBN of ten or thirteen, with or without hyphens and spaces.

    Raises:
        ValueError: the length, a character or the check digit is wrong; the message says which.

    https://en.wikipedia.org/wiki/ISBN#Check_digits
    """
    isbn = compact(text)
    if not isbn.isascii() or not (isbn[:-1].isdigit() and (isbn[-1].isdigit() or isbn[-1] == "X" and len(isbn) == 10)):
        raise ValueError("an ISBN has digits and hyphens only, and an X at most at the end of one with ten digits")
    if len(isbn) == 10:
        total = sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(isbn))
        if total % 11:
            raise ValueError("the check digit is wrong")
        isbn = f"978{isbn[:9]}"
        return isbn + check_digit(isbn)
    if len(isbn) != 13:
        raise ValueError(f"an ISBN has ten or thirteen digits, and this has {len(isbn)}")
    if not isbn.startswith(("978", "979")):
        raise ValueError("an ISBN of thirteen digits begins with 978 or 979")
    if isbn[12] != check_digit(isbn):
        raise ValueError("the check digit is wrong")
    return isbn


class ISBNField(models.Field):
    """Thirteen digits as text in Python, eight bytes in the database; ISBNs of ten digits are converted.

    The database keeps a number: it is smaller than text, in the index too, and all ISBNs that begin with the same
    digits are one range of it.

    https://docs.djangoproject.com/en/stable/howto/custom-model-fields/
    """

    description = _("International Standard Book Number")
    default_error_messages = {"invalid": _("“%(value)s” is not an ISBN: %(reason)s.")}
    default_help_text = _("Ten or thirteen digits, with or without hyphens.")

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("help_text", self.default_help_text)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        """Without the help text that every ISBN has, so that a better wording needs no migration."""
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("help_text") == self.default_help_text:
            del kwargs["help_text"]
        return name, path, args, kwargs

    def get_internal_type(self):
        """Borrow the column type, on every database, of a field that Django knows."""
        return "BigIntegerField"

    def from_db_value(self, value, expression, connection):
        """A number of the database to text."""
        return None if value is None else str(value)

    def to_python(self, value):
        """What a form or a fixture gives to text; ValidationError where it is no ISBN."""
        if value in self.empty_values:
            return None
        try:
            return normalise(value)
        except ValueError as error:
            raise exceptions.ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value, "reason": error}
            ) from error

    def get_prep_value(self, value):
        """What a query or a model gives to the number that the database knows; ValueError where it is no ISBN."""
        value = super().get_prep_value(value)
        if value in self.empty_values:
            return None
        try:
            return int(normalise(value))
        except ValueError as error:
            raise ValueError(f"Field '{self.name}' expected an ISBN but got {value!r}: {error}.") from error

    def pre_save(self, instance, add):
        """Let the instance, too, have the thirteen digits from now on."""
        value = super().pre_save(instance, add)
        if isinstance(value, (str, int)):
            number = self.get_prep_value(value)
            value = None if number is None else str(number)
            setattr(instance, self.attname, value)
        return value

    def formfield(self, **kwargs):
        # Thirteen digits and four hyphens.
        return super().formfield(**{"form_class": forms.CharField, "max_length": 17, "empty_value": None} | kwargs)


@ISBNField.register_lookup
class StartsWith(models.Lookup):
    """`isbn__startswith="978-0-14"`: a range of numbers, which an index finds; LIKE would read every row."""

    lookup_name = "startswith"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        prefix = compact(self.rhs)
        if not prefix.isdecimal() or len(prefix) > 13:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        return f"{column} BETWEEN %s AND %s", [*params, int(prefix.ljust(13, "0")), int(prefix.ljust(13, "9"))]
