"""What an answer returned, as plain data that JSON can carry out of the answer's process.

No method of a returned object decides anything here: types are compared by identity and contents are read through the
built-in types themselves, so an object that claims to be equal to everything, or to be an int, is told apart.

A normal form is None, a bool, an int, a str, or a list whose first element names what it is.
"""

import collections
import datetime
import decimal
import types
import uuid
from itertools import islice

MAX_VALUES = 50_000
MAX_TEXT = 100_000
MAX_DEPTH = 30

_NAMED_TUPLE_PARTS = frozenset(
    [
        "__doc__",
        "__slots__",
        "_fields",
        "__new__",
        "_make",
        "__replace__",
        "_replace",
        "__repr__",
        "_asdict",
        "__getnewargs__",
        "_field_defaults",
        "__match_args__",
        "__module__",
        "__firstlineno__",
        "__static_attributes__",
    ]
)
_LAZY_ROWS = (types.GeneratorType, map, filter, zip, islice, type({}.keys()), type({}.values()), type({}.items()))


class TooMuch(Exception):
    """An answer returned more values than a check looks at."""


def normalise(value):
    """The normal form of a value; querysets and generators are run. Raises TooMuch, and what running them raises."""
    return _Reader().read(value, 0)


def type_label(value) -> str:
    """The real name of a value's type, whatever the value says."""
    return _name(type(value))


class _Reader:
    def __init__(self):
        from django.db.models import Manager, Model, QuerySet
        from django.db.models.enums import ChoicesType
        from django.db.models.query import RawQuerySet
        from django.utils.safestring import SafeString

        self.manager, self.model, self.queryset, self.raw = Manager, Model, QuerySet, RawQuerySet
        self.choices, self.safe = ChoicesType, SafeString
        self.values = 0

    def read(self, value, depth):
        self.values += 1
        if self.values > MAX_VALUES:
            raise TooMuch
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return value if len(value) <= MAX_TEXT else ["text", value[:MAX_TEXT], len(value), hash_of(value)]
        if kind is int:
            return value if -(2**53) < value < 2**53 else ["int", hex(value)]
        if kind is float:
            return ["float", repr(value)]
        if kind is decimal.Decimal:
            return ["Decimal", str(value)]
        if kind is datetime.datetime:
            if value.tzinfo is None:
                return ["datetime", value.isoformat(sep=" ")]
            return ["aware datetime", value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(sep=" ")]
        if kind in (datetime.date, datetime.time):
            return [kind.__name__, value.isoformat()]
        if kind is datetime.timedelta:
            return ["timedelta", str(value)]
        if kind is uuid.UUID:
            return ["UUID", str(value)]
        if kind is bytes:
            return ["bytes", value[:MAX_TEXT].hex(), len(value), hash_of(value)]
        if kind is self.safe:
            return ["SafeString", str.__str__(value)[:MAX_TEXT]]
        if type(kind) is self.choices:
            return str.__str__(value) if str in kind.__mro__ else int.__int__(value) if int in kind.__mro__ else None
        if depth >= MAX_DEPTH:
            return ["other", "nested too deeply", ""]
        if kind in (list, tuple):
            return [kind.__name__, [self.read(inner, depth + 1) for inner in value]]
        if kind is collections.deque:
            return ["list", [self.read(inner, depth + 1) for inner in value]]
        if kind in (set, frozenset):
            return ["set", [self.read(inner, depth + 1) for inner in value]]
        if kind in (dict, collections.defaultdict, collections.Counter, collections.OrderedDict):
            pairs = dict.items(value)
            return ["dict", [[self.read(key, depth + 1), self.read(inner, depth + 1)] for key, inner in pairs]]
        if kind in _LAZY_ROWS:
            return ["list", [self.read(inner, depth + 1) for inner in islice(value, MAX_VALUES + 1)]]
        ancestors = type.__getattribute__(kind, "__mro__")
        if self.queryset in ancestors:
            return self.rows(value, depth)
        if self.raw in ancestors:
            return ["list", [self.read(inner, depth + 1) for inner in value]]
        if self.model in ancestors:
            return self.instance(value, kind, depth)
        if kind.__bases__ == (tuple,) and _is_named_tuple(kind):
            return ["named", list(kind._fields), [self.read(inner, depth + 1) for inner in tuple.__iter__(value)]]
        return ["other", _name(kind), self.advice(value, kind, ancestors)]

    def rows(self, queryset, depth):
        rows = [self.read(row, depth + 1) for row in self.queryset.__iter__(queryset)]
        return ["queryset", rows, bool(queryset.ordered), _ties(queryset)]

    def instance(self, instance, kind, depth):
        meta = kind._meta
        loaded = object.__getattribute__(instance, "__dict__")
        columns = {field.attname for field in meta.concrete_fields}
        extra = {
            str(name): self.read(inner, depth + 1)
            for name, inner in loaded.items()
            if name not in columns and not name.startswith("_") and self.is_annotation(kind, name)
        }
        key = loaded.get(meta.pk.attname) if meta.pk else None
        if key is None:
            # An unsaved instance has no identity but its values.
            extra |= {name: self.read(loaded[name], depth + 1) for name in sorted(columns & loaded.keys())}
        shown = next(
            (loaded[name] for name in ("title", "name", "number", "username") if type(loaded.get(name)) is str), ""
        )
        return ["model", meta.label, self.read(key, depth + 1), extra, shown]

    @staticmethod
    def is_annotation(kind, name):
        """Neither a cached property nor a related object that something looked at."""
        return not hasattr(kind, name)

    def advice(self, value, kind, ancestors):
        if self.manager in ancestors:
            return "a manager is not a queryset yet: call .all() or .filter() on it"
        if kind in (types.FunctionType, types.MethodType, types.BuiltinFunctionType):
            return "it is a function that was not called: are its parentheses missing?"
        if kind is types.CoroutineType:
            return "it is a coroutine: await it"
        if self.model in type.__getattribute__(value, "__mro__") if isinstance(value, type) else False:
            return "it is the model class, not one of its rows"
        for base in ancestors:
            if base in (int, str, list, tuple, dict, set, float, decimal.Decimal):
                return f"it is a {base.__name__} only by inheritance: return the plain value"
        return ""


def hash_of(value: str | bytes) -> str:
    """A digest that stands for a long text."""
    import hashlib

    data = value.encode("utf-8", "surrogatepass") if type(value) is str else value
    return hashlib.sha256(data).hexdigest()[:16]


def _name(kind: type) -> str:
    return str(type.__dict__["__name__"].__get__(kind))


def _is_named_tuple(kind: type) -> bool:
    fields = kind.__dict__.get("_fields")
    return type(fields) is tuple and set(kind.__dict__) <= _NAMED_TUPLE_PARTS | set(fields)


def _ties(queryset) -> list[int] | None:
    """For each row the number of its group of equal sort values, or None where the rows do not show them.

    Rows that tie may come in any order: the database promises none.
    """
    names = []
    query = queryset.query
    if not queryset.ordered or query.combinator or query.extra_order_by:
        return None
    order = query.order_by or (query.get_meta().ordering if query.default_ordering else ())
    meta = query.get_meta()
    for term in order:
        name = term if type(term) is str else getattr(getattr(term, "expression", term), "name", None)
        if type(name) is not str:
            return None
        names.append(name.lstrip("-"))
    fields = getattr(queryset, "_fields", None) or ()
    groups, last = [], None
    for row in queryset._result_cache or ():
        if type(row) is dict:
            read = row
        elif type(row) is tuple and len(fields) == len(row) and all(type(field) is str for field in fields):
            read = dict(zip(fields, row, strict=True))
        elif type(row).__dict__.get("_meta") is meta:
            read = row.__dict__
        elif fields and len(fields) == 1:
            read = {fields[0]: row}  # values_list(flat=True)
        else:
            return None
        if meta.pk and "pk" not in read and meta.pk.attname in read:
            read = {**read, "pk": read[meta.pk.attname]}
        if any(name not in read for name in names):
            return None
        key = [read[name] for name in names]
        if not groups or key != last:
            groups.append(len(groups) and groups[-1] + 1)
        else:
            groups.append(groups[-1])
        last = key
    return groups
