"""Compares two normal forms (see `observation`) and says in words what differs."""

import json
from collections import Counter
from decimal import Decimal, InvalidOperation

ROWS = ("list", "queryset")
SHOWN = 3


def kind_of(form) -> str:
    """What a normal form is, in the words of a message."""
    if isinstance(form, list):
        return {
            "text": "str",
            "other": str(form[1]) if len(form) > 1 else "other",
            "model": f"{str(form[1]).rpartition('.')[2]} instance" if len(form) > 1 else "model",
            "named": "named tuple",
            "queryset": "QuerySet",
        }.get(form[0], form[0])
    return type(form).__name__ if form is not None else "None"


def describe(form, limit: int = 90) -> str:
    """A normal form as a learner would write it, shortened."""
    text = _describe(form)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _describe(form) -> str:
    if not isinstance(form, list):
        return repr(form)
    name, *rest = form
    match name:
        case "float":
            return rest[0]
        case "int":
            return str(int(rest[0], 16)) if len(rest[0]) < 2000 else "a huge int"
        case "Decimal":
            return f"Decimal('{rest[0]}')"
        case "text":
            return repr(rest[0])
        case "list" | "queryset":
            return "[" + ", ".join(_describe(inner) for inner in rest[0][:20]) + "]"
        case "tuple":
            return "(" + ", ".join(_describe(inner) for inner in rest[0]) + (",)" if len(rest[0]) == 1 else ")")
        case "named":
            return "Row(" + ", ".join(f"{key}={_describe(inner)}" for key, inner in zip(*rest, strict=False)) + ")"
        case "set":
            return "{" + ", ".join(sorted(_describe(inner) for inner in rest[0])) + "}" if rest[0] else "set()"
        case "dict":
            return "{" + ", ".join(f"{_describe(key)}: {_describe(inner)}" for key, inner in rest[0][:20]) + "}"
        case "model":
            label = rest[0].rpartition(".")[2]
            extra = "".join(f", {key}={_describe(inner)}" for key, inner in sorted(rest[2].items()))
            return f"<{label} {_describe(rest[1])}{': ' + rest[3] if rest[3] else ''}{extra}>"
        case "other":
            return f"<{rest[0]}>"
        case "bytes":
            return f"<{rest[1]} bytes>"
        case _:
            return f"{name} {rest[0]}"


def canonical(form, shape: dict[str, set] | None = None) -> str:
    """Equal texts for values that a check takes as equal."""
    return json.dumps(_canonical(form, shape or {}), sort_keys=True)


def _canonical(form, shape):
    if not isinstance(form, list):
        return form
    name, *rest = form
    match name:
        case "float":
            return ["float", format(float(rest[0]), ".12g")]
        case "Decimal":
            try:
                # normalize() would round to 28 digits and turn 100 into 1E+2; both forms are equal on both sides.
                return ["Decimal", format(Decimal(rest[0]).normalize(), "f")]
            except InvalidOperation:
                return ["Decimal", rest[0]]
        case "list" | "queryset":
            return ["list", [_canonical(inner, shape) for inner in rest[0]]]
        case "tuple":
            return ["tuple", [_canonical(inner, shape) for inner in rest[0]]]
        case "named":
            return ["named", rest[0], [_canonical(inner, shape) for inner in rest[1]]]
        case "set":
            return ["set", sorted(canonical(inner, shape) for inner in rest[0])]
        case "dict":
            return ["dict", sorted([canonical(key, shape), canonical(inner, shape)] for key, inner in rest[0])]
        case "model":
            asked = shape.get(rest[0], set())
            extra = {key: _canonical(inner, shape) for key, inner in rest[2].items() if key in asked}
            return ["model", rest[0], _canonical(rest[1], shape), extra]
        case _:
            return form


def shape_of(form, found: dict[str, set] | None = None) -> dict[str, set]:
    """Which annotations the instances of each model carry: those of the reference are the ones compared."""
    found = {} if found is None else found
    if isinstance(form, list) and form[0] == "model":
        found.setdefault(form[1], set()).update(form[3])
        for inner in form[3].values():
            shape_of(inner, found)
    for inner in _inner(form):
        shape_of(inner, found)
    return found


def _inner(form):
    """The normal forms that a value holds; of an instance its key, but not its annotations."""
    if not isinstance(form, list):
        return
    name, *rest = form
    match name:
        case "list" | "queryset" | "tuple" | "set":
            yield from rest[0]
        case "named":
            yield from rest[1]
        case "dict":
            for pair in rest[0]:
                yield from pair
        case "model":
            yield rest[1]


def differences(given, expected, *, ordered: bool) -> list[str]:
    """What differs between an answer's and the reference's result, most telling first; empty when nothing does."""
    if _has_unreadable(expected):
        return [f"The reference itself returns {describe(expected)}, which a check cannot compare."]
    if is_rows(expected) and (is_rows(given) or (isinstance(given, list) and given[0] == "tuple")):
        return _row_differences(given, expected, ordered=ordered)
    shape = shape_of(expected)
    if canonical(given, shape) == canonical(expected, shape):
        return []
    if given is None:
        return [f"The answer is None, expected was {_a(expected)}. A function without `return` gives None."]
    if isinstance(expected, list) and expected[0] == "dict" and isinstance(given, list) and given[0] == "dict":
        return _dict_differences(given, expected, shape)
    if isinstance(expected, list) and expected[0] == "set" and isinstance(given, list) and given[0] == "set":
        return _multiset_differences(given[1], expected[1], shape, "value")
    return [_value_difference(given, expected, shape)]


def _has_unreadable(form) -> bool:
    """Whether a value that only its own class could compare is in a normal form: such a value equals nothing."""
    return isinstance(form, list) and (form[0] == "other" or any(_has_unreadable(inner) for inner in _inner(form)))


def is_rows(form) -> bool:
    return isinstance(form, list) and form[0] in ROWS


def _a(form) -> str:
    kind = kind_of(form)
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _value_difference(given, expected, shape, place: str = "") -> str:
    prefix = f"{place}: you have" if place else "You have"
    if (wrong := type_difference(given, expected, shape)) is not None:
        return f"{prefix} {describe(given)}, expected {describe(expected)}: {wrong}"
    return f"{prefix} {describe(given)}, expected {describe(expected)}."


def type_difference(given, expected, shape) -> str | None:
    """A sentence on types when these alone, or above all, tell two values apart; None where the types agree."""
    mine, theirs = kind_of(given), kind_of(expected)
    if isinstance(given, list) and given[0] == "other":
        return given[2] + ("" if given[2].endswith("?") else ".") if given[2] else f"a {mine} is not {_a(expected)}."
    if isinstance(given, list) and given[0] == "float" and given[1] == "nan":
        return "NaN is what is left of a calculation without a number; it equals nothing, not even itself."
    if mine == theirs:
        return _deeper_type_difference(given, expected, shape)
    if {mine, theirs} == {"datetime", "aware datetime"}:
        return f"yours is {'without' if mine == 'datetime' else 'with'} a time zone."
    if _number(given) is not None and _number(given) == _number(expected):
        return f"the value is right, its type is {mine} where {theirs} is expected."
    if mine.endswith(" instance") and not theirs.endswith(" instance"):
        return (
            f"you return whole instances where {'a plain value' if theirs in _SCALARS else _a(expected)} is expected."
        )
    if theirs.endswith(" instance") and not mine.endswith(" instance"):
        return (
            f"you return {'plain values' if mine in _SCALARS else _a(given) + ' per row'}, expected is {_a(expected)}."
        )
    if is_rows(expected):
        return f"{_a(given)} where rows are expected, a QuerySet or a list."
    return f"{_a(given)} where {_a(expected)} is expected."


_SCALARS = ("str", "int", "float", "Decimal", "bool", "None", "date", "datetime", "aware datetime")


def _deeper_type_difference(given, expected, shape) -> str | None:
    if kind_of(given) == "tuple":
        if len(given[1]) != len(expected[1]):
            return f"yours has {_count(len(given[1]), 'value')}, the expected one {len(expected[1])}."
        pairs = list(zip(given[1], expected[1], strict=True))
    elif kind_of(given) == "dict":
        theirs = {canonical(key): inner for key, inner in expected[1]}
        pairs = [(inner, theirs[canonical(key)]) for key, inner in given[1] if canonical(key) in theirs]
        if len(pairs) != len(expected[1]) or len(pairs) != len(given[1]):
            missing = [
                describe(key) for key, _ in expected[1] if canonical(key) not in {canonical(k) for k, _ in given[1]}
            ]
            extra = [describe(key) for key, _ in given[1] if canonical(key) not in theirs]
            said = [f"the key {', '.join(missing)} is missing"] if missing else []
            said += [f"the key {', '.join(extra)} is not asked for"] if extra else []
            return "; ".join(said) + "."
    elif isinstance(given, list) and given[0] == "model" and given[1:3] == expected[1:3]:
        missing = sorted(shape.get(expected[1], set()) & set(expected[3]) - set(given[3]))
        if missing:
            return f"it is the right row, but it has no `{missing[0]}`."
        pairs = [(given[3][key], inner) for key, inner in expected[3].items() if key in given[3]]
    else:
        return None
    for mine, theirs in pairs:
        if canonical(mine, shape) != canonical(theirs, shape) and kind_of(mine) != kind_of(theirs):
            return type_difference(mine, theirs, shape)
    return None


def _number(form):
    if isinstance(form, bool) or form is None:
        return None
    if isinstance(form, int):
        return Decimal(form)
    if isinstance(form, list) and form[0] in ("float", "Decimal"):
        try:
            value = Decimal(format(float(form[1]), ".12g"))
        except (ValueError, InvalidOperation):
            return None
        return value if value.is_finite() else None
    return None


def _dict_differences(given, expected, shape) -> list[str]:
    mine = {canonical(key): (key, inner) for key, inner in given[1]}
    theirs = {canonical(key): (key, inner) for key, inner in expected[1]}
    said = []
    if missing := [describe(theirs[key][0]) for key in theirs if key not in mine]:
        said.append(f"{_count(len(missing), 'key')} missing: {_few(missing)}.")
    if extra := [describe(mine[key][0]) for key in mine if key not in theirs]:
        said.append(f"{_count(len(extra), 'key')} too many: {_few(extra)}.")
    for key, (name, inner) in theirs.items():
        if key in mine and canonical(mine[key][1], shape) != canonical(inner, shape):
            said += [
                f"At key {describe(name)}: {text[:1].lower()}{text[1:]}"
                for text in differences(mine[key][1], inner, ordered=True)[:1]
            ]
            break
    return said


def _row_differences(given, expected, *, ordered: bool) -> list[str]:
    shape = shape_of(expected)
    mine = [canonical(row, shape) for row in given[1]]
    theirs = [canonical(row, shape) for row in expected[1]]
    if sorted(mine) != sorted(theirs):
        if given[1] and expected[1] and not set(mine) & set(theirs):
            wrong = type_difference(given[1][0], expected[1][0], shape)
            if wrong is not None:
                return [f"Row 1: you have {describe(given[1][0])}, expected {describe(expected[1][0])}: {wrong}"]
        return _multiset_differences(given[1], expected[1], shape, "row")
    if ordered and (place := _first_out_of_order(mine, theirs, expected)) is not None:
        return [
            f"The rows are right, their order is not. Row {place + 1}: you have {describe(given[1][place])}, "
            f"expected {describe(expected[1][place])}."
        ]
    return []


def _first_out_of_order(mine: list[str], theirs: list[str], expected) -> int | None:
    """The first row out of order; rows that tie in the reference's order may come in any order among themselves."""
    groups = expected[3] if expected[0] == "queryset" and expected[3] else list(range(len(theirs)))
    allowed: dict[int, Counter] = {}
    for group, row in zip(groups, theirs, strict=True):
        allowed.setdefault(group, Counter())[row] += 1
    for place, (group, row) in enumerate(zip(groups, mine, strict=True)):
        if not allowed[group][row]:
            return place
        allowed[group][row] -= 1
    return None


def _multiset_differences(given: list, expected: list, shape, noun: str) -> list[str]:
    mine = Counter(canonical(row, shape) for row in given)
    theirs = Counter(canonical(row, shape) for row in expected)
    missing, extra = theirs - mine, mine - theirs
    shown_mine = {canonical(row, shape): describe(row) for row in given}
    shown = shown_mine | {canonical(row, shape): describe(row) for row in expected}
    said = []
    repeated = {row: count for row, count in extra.items() if row in theirs}
    if repeated and not missing and len(repeated) == len(extra):
        row = next(iter(repeated))
        return [
            f"{_count(sum(repeated.values()), noun)} too many, all repeated: {shown[row]} is there {mine[row]} times, "
            f"expected {_times(theirs[row])}."
        ]
    if sum(missing.values()):
        said.append(f"{_count(sum(missing.values()), noun)} missing: {_few([shown[row] for row in missing], sum(missing.values()))}.")
    if sum(extra.values()):
        said.append(f"{_count(sum(extra.values()), noun)} too many: {_few([shown_mine[row] for row in extra], sum(extra.values()))}.")
    same_shape = len(given) == len(expected) == 1
    if same_shape:
        return [_value_difference(given[0], expected[0], shape, f"The only {noun}")]
    if len(given) == len(expected) and given:
        place = next(
            number
            for number, (a, b) in enumerate(zip(given, expected, strict=True))
            if canonical(a, shape) != canonical(b, shape)
        )
        wrong = type_difference(given[place], expected[place], shape)
        if wrong is not None:
            said.insert(
                0,
                f"{noun.capitalize()} {place + 1}: you have {describe(given[place])}, "
                f"expected {describe(expected[place])}: {wrong}",
            )
    return said


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _few(texts: list[str], number: int | None = None) -> str:
    """The first of some texts, and how many of the `number` they stand for are not shown."""
    shown = texts[:SHOWN]
    rest = (len(texts) if number is None else number) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
