"""Pages that go on after a row, instead of after a number of rows.

`OFFSET 100000` makes the database read 100,000 rows to throw them away, and shows a row twice when somebody adds one
before it. "What comes after this title" is a place in an index. The price: no page numbers, and no jumping to the end.

The cursor in the link holds the values of the last row. It is signed: what comes back is what the shop gave out, for
this very list, and not what somebody typed.

https://docs.djangoproject.com/en/stable/topics/signing/
"""

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext


class BadCursor(ValueError):
    """The cursor is not one that this list gave out."""

    def __init__(self):
        super().__init__(gettext("This link leads nowhere: it is cut off, or belongs to another list."))


@dataclass(frozen=True)
class KeysetPage:
    rows: list[Model]
    # Where the next page begins, for the link; None on the last one.
    after: str | None


class Keyset:
    """Cuts a queryset into pages in the order of `fields`, a query for each.

    Together the fields have to be unique, or rows with equal values get lost between two pages; none of them may be
    NULL, because nothing comes after NULL. An index over them, in this order, makes every page as cheap as the first.

    Args:
        queryset: the rows, with any filter; its order is replaced.
        fields: columns of the model, `-` before one for descending.
        per_page: rows on a page.

    Raises ValueError where a field may be NULL.
    """

    def __init__(self, queryset: QuerySet, fields: tuple[str, ...], per_page: int):
        self.queryset = queryset.order_by(*fields)
        self.per_page = per_page
        model = queryset.model
        self._columns = [
            (field.removeprefix("-"), "lt" if field.startswith("-") else "gt", model._meta.get_field(field.strip("-")))
            for field in fields
        ]
        for name, _, field in self._columns:
            if field.null:
                raise ValueError(f"{model.__name__}.{name} may be NULL: a keyset cannot go on after such a row.")
        self._signer = Signer(salt=f"keyset {model._meta.label} {' '.join(fields)}")

    def page(self, after: str | None = None) -> KeysetPage:
        """The first page, or the one behind the cursor `after`; raises BadCursor where that is not one."""
        rows = self.queryset.filter(self._behind(self._values(after))) if after else self.queryset
        # One more than is shown tells whether there is a next page, without counting.
        rows = list(rows[: self.per_page + 1])
        shown = rows[: self.per_page]
        return KeysetPage(shown, self._cursor(shown[-1]) if len(rows) > self.per_page else None)

    def _behind(self, values):
        """`a >= 1 AND (a > 1 OR (a = 1 AND b > 2))`: the first part says nothing new, but is a range of the index."""
        name, lookup, _ = self._columns[0]
        behind = Q()
        equal = Q()
        for (column, direction, _), value in zip(self._columns, values, strict=True):
            behind |= equal & Q(**{f"{column}__{direction}": value})
            equal &= Q(**{column: value})
        return Q(**{f"{name}__{lookup}e": values[0]}) & behind

    def _cursor(self, row):
        return self._signer.sign_object([field.value_to_string(row) for _, _, field in self._columns])

    def _values(self, cursor):
        try:
            texts = self._signer.unsign_object(cursor)
        except BadSignature:
            raise BadCursor from None
        return [field.to_python(text) for (_, _, field), text in zip(self._columns, texts, strict=True)]
