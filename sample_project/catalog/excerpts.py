"""What may be uploaded as an excerpt of a book, and what becomes of the file.

https://docs.djangoproject.com/en/stable/topics/security/#user-uploaded-content
"""

from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

MAX_BYTES = 1_000_000
# What the shop sends each of them as: what the browser of the uploader said is not asked.
CONTENT_TYPES = {"pdf": "application/pdf", "txt": "text/plain; charset=utf-8"}


def extension(name):
    """`"Emma.PDF"` → `"pdf"`."""
    return PurePath(name).suffix.removeprefix(".").lower()


def excerpt_path(excerpt, name):
    """Where the file goes. Of the name that the uploader gave, nothing is kept but the extension."""
    return f"excerpts/{excerpt.book.slug[:80]}.{extension(name)}"


def validate_size(file):
    if file.size > MAX_BYTES:
        raise ValidationError(_("An excerpt has at most 1 MB, and this file is larger."), code="too_large")


def validate_content(file):
    """A name says nothing about what is inside: look."""
    if file.size > MAX_BYTES:
        return
    file.seek(0)
    content = file.read()
    file.seek(0)
    if extension(file.name) == "pdf":
        if not content.startswith(b"%PDF-"):
            raise ValidationError(_("This file is called a PDF, and is none."), code="not_pdf")
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationError(_("This file is called a text, and is none in UTF-8."), code="not_text") from None
    if "\0" in text:
        raise ValidationError(_("This file is called a text, and is none."), code="not_text")


def delete_file(sender, instance, using, **kwargs):
    """Delete the file of an excerpt that is gone; Django leaves it where it is.

    A receiver, because `Excerpt.delete()` is not called when the excerpt goes with its book. After the commit, because
    a file does not come back when the transaction does not end well.
    """
    name, storage = instance.file.name, instance.file.storage
    if name:
        transaction.on_commit(lambda: storage.delete(name), using=using, robust=True)
