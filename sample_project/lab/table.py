"""Rows as a table below the cell."""

from datetime import date, datetime, time
from html import escape
from itertools import islice

from .output import display

WIDTH_OF_CELL = 60


def show(rows, limit: int = 20):
    """Display rows as a table; NULL stands for None.

    A queryset that has not run yet is asked for at most `limit` rows and one more, never for a count. Of model
    instances the loaded fields are shown, long texts, slugs and passwords aside; a foreign key as its number, or as
    the object where `select_related` brought it along. Showing never loads more.

    Args:
        rows: a queryset of instances, `values()` or `values_list()`; a list of instances, dicts, tuples or plain
            values; one instance; the dict of an `aggregate()`.
        limit: rows to show.

    Raises:
        TypeError: something that has no rows.
        ValueError: the limit is not positive.
    """
    if limit < 1:
        raise ValueError(f"limit is a number of rows from 1, not {limit!r}.")
    display(Table(*_read(rows, limit)))


class Table:
    """Column names and rows of texts, with a sentence on what is missing."""

    def __init__(self, columns: list[str], rows: list[list[str]], note: str):
        self.columns = columns
        self.rows = rows
        self.note = note

    def __repr__(self):
        if not self.rows:
            return self.note
        table = [self.columns, *self.rows]
        widths = [max(len(row[position]) for row in table) for position in range(len(self.columns))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, self.note])

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self):
        if not self.rows:
            return f"<p>{escape(self.note)}</p>"
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in self.rows)
        # Jupyter knows this class from pandas, and styles it for both themes.
        return (
            f'<table class="dataframe">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n'
            f"<p>{escape(self.note)}</p>"
        )


def _read(rows, limit):
    from django.db.models import Model, QuerySet
    from django.db.models.manager import BaseManager

    if isinstance(rows, BaseManager):
        rows = rows.all()
    if isinstance(rows, (Model, dict)):
        rows = [rows]
    if isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__"):
        raise TypeError(f"show() takes a queryset or a list, not {type(rows).__name__}.")
    unread = isinstance(rows, QuerySet) and rows._result_cache is None
    total = None if unread or not hasattr(rows, "__len__") else len(rows)
    found = list(rows[: limit + 1]) if unread else list(islice(rows, limit + 1))
    columns, values = _columns(rows, found)
    return columns, [[_text(value) for value in row] for row in values[:limit]], _note(len(found), limit, total)


def _note(found, limit, total):
    if found > limit:
        return f"{limit} of {total} rows" if total else f"the first {limit} rows, there are more"
    return {0: "no rows", 1: "1 row"}.get(found, f"{found} rows")


def _columns(rows, found):
    from django.db.models import Model

    first = found[0] if found else None
    if isinstance(first, Model):
        getters = _getters(first, rows)
        return list(getters), [[get(item) for get in getters.values()] for item in found]
    if isinstance(first, dict):
        columns = list(dict.fromkeys(name for item in found for name in item))
        return [str(name) for name in columns], [[item.get(name) for name in columns] for item in found]
    if isinstance(first, (tuple, list)):
        names = getattr(first, "_fields", None) or _names_in_query(rows)
        if not names or len(names) != len(first):
            names = range(1, len(first) + 1)
        return [str(name) for name in names], [list(item) for item in found]
    names = _names_in_query(rows)
    return [names[0] if names else "value"], [[item] for item in found]


def _names_in_query(rows):
    """The columns of a values_list()."""
    query = getattr(rows, "query", None)
    if query is None:
        return []
    return list(rows._fields or [*query.extra_select, *query.values_select, *query.annotation_select])


def _getters(first, rows):
    """Column name → function that reads it from an instance, without a query."""
    from django.db.models import SlugField, TextField

    getters = {}
    deferred = first.get_deferred_fields()
    for field in first._meta.concrete_fields:
        if field.attname in deferred or isinstance(field, (SlugField, TextField)) or field.name == "password":
            continue
        if field.is_relation and field.is_cached(first):
            getters[field.name] = lambda item, field=field: _related(item, field)
        else:
            getters[field.attname] = lambda item, name=field.attname: item.__dict__.get(name)
    query = getattr(rows, "query", None)
    for name in [*getattr(query, "extra_select", ()), *getattr(query, "annotation_select", ())]:
        getters[name] = lambda item, name=name: getattr(item, name, None)
    return getters


def _related(item, field):
    """The related object as text. Where its text would need a query of its own, its key."""
    from django.db import connections

    related = item._state.fields_cache.get(field.name)
    if related is None:
        return item.__dict__.get(field.attname)
    connection = connections[item._state.db or "default"]
    # Not a hook around statements: others, earlier in line, would have noted the query that is refused here.
    connection.cursor = _refuse
    try:
        return str(related)
    except _WouldQuery:
        return item.__dict__.get(field.attname)
    finally:
        del connection.cursor


class _WouldQuery(Exception):
    pass


def _refuse():
    raise _WouldQuery


def _text(value):
    match value:
        case None:
            return "NULL"
        case datetime():
            text = value.isoformat(sep=" ", timespec="auto" if value.microsecond or value.second else "minutes")
            return text.removesuffix("+00:00")
        case date() | time():
            return value.isoformat()
    text = " ".join(str(value).split())
    return text if len(text) <= WIDTH_OF_CELL else text[: WIDTH_OF_CELL - 1] + "…"
