import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class ForbiddenWordsValidator:
    """Refuses a password that is one of `words` with digits and signs around it: "Bookshop2026!".

    The list of common passwords does not know what is common here. The words are an option in the settings.

    https://docs.djangoproject.com/en/stable/topics/auth/passwords/#writing-your-own-validator
    """

    def __init__(self, words=()):
        self.words = {_letters(word) for word in words}

    def validate(self, password, user=None):
        if _letters(password) in self.words:
            raise ValidationError(
                _("That is how everybody would call a password of this shop."), code="password_is_a_forbidden_word"
            )

    def get_help_text(self):
        return _(
            "Your password can’t be the name of the shop or of a well-known book, even with digits and signs added."
        )


def _letters(text):
    return re.sub(r"[\W\d_]+", "", text).casefold()
