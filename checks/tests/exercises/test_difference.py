import pytest

from checks.exercises.difference import canonical, describe, differences


def book(pk, **extra):
    return ["model", "catalog.Book", pk, extra, f"Book {pk}"]


def rows(*found):
    return ["queryset", list(found), True, None]


@pytest.mark.parametrize(
    ("given", "expected", "ordered"),
    [
        (1, 1, False),
        (["float", "0.1"], ["float", "0.10000000000000001"], False),
        (["Decimal", "1.50"], ["Decimal", "1.5"], False),
        (["Decimal", "100"], ["Decimal", "1E+2"], False),
        (rows(1, 2), ["list", [2, 1]], False),
        (["list", [1, 2]], rows(1, 2), True),
        (["tuple", [1, 2]], ["list", [1, 2]], True),
        (["set", [2, 1]], ["set", [1, 2]], False),
        (["dict", [["a", 1], ["b", 2]]], ["dict", [["b", 2], ["a", 1]]], False),
        (rows(book(1, more=3)), rows(book(1)), False),  # an annotation that nobody asked for
        (["float", "nan"], ["float", "nan"], False),
        (["tuple", [rows(1)]], ["tuple", [["list", [1]]]], False),
        # Texts that are called like a kind of value, first in a row.
        (["list", [["tuple", ["other", 1]]]], ["list", [["tuple", ["other", 1]]]], False),
        (["list", [["tuple", ["model", 1]]]], ["list", [["tuple", ["model", 1]]]], False),
        (["dict", [["other", 1]]], ["dict", [["other", 1]]], False),
    ],
)
def test_what_is_equal(given, expected, ordered):
    assert differences(given, expected, ordered=ordered) == []


@pytest.mark.parametrize(
    ("given", "expected", "ordered", "said"),
    [
        (["Decimal", "1"], 1, False, "the value is right, its type is Decimal where int is expected"),
        (["tuple", [1, 2]], ["tuple", [2, 1]], False, "You have (1, 2), expected (2, 1)."),
        (rows(1, 2), rows(2, 1), True, "Row 1: you have 1, expected 2."),
        (rows(1, 1), rows(1), False, "1 row too many, all repeated: 1 is there 2 times, expected once."),
        (rows(1), rows(1, 1), False, "1 row missing: 1."),
        (rows(1), rows(2), False, "The only row: you have 1, expected 2."),
        (rows(), rows(2), False, "1 row missing: 2."),
        (rows(3), rows(), False, "1 row too many: 3."),
        (rows(1, 2, 3, 4, 5), rows(), False, "5 rows too many: 1, 2, 3 and 2 more."),
        (["dict", [["a", 1]]], ["dict", [["b", 1]]], False, "1 key missing: 'b'."),
        (["dict", [["a", 1]]], ["dict", [["a", 2]]], False, "At key 'a': you have 1, expected 2."),
        (["set", [1]], ["set", [1, 2]], False, "1 value missing: 2."),
        (rows(book(1)), rows(book(1, copies=3)), False, "it is the right row, but it has no `copies`"),
        (rows(book(1, copies=2)), rows(book(1, copies=3)), False, "copies=2"),
        (["datetime", "2026-01-01"], ["aware datetime", "2026-01-01"], False, "yours is without a time zone"),
        (["other", "Everything", ""], 1, False, "a Everything is not an int"),
        (["other", "object", ""], ["other", "object", ""], False, "which a check cannot compare"),
        (
            ["list", [["other", "object", ""]]],
            ["list", [["other", "object", ""]]],
            False,
            "which a check cannot compare",
        ),
    ],
)
def test_what_differs(given, expected, ordered, said):
    assert said in " ".join(differences(given, expected, ordered=ordered))


def test_an_int_is_no_bool():
    assert differences(1, True, ordered=False) == ["You have 1, expected True: an int where a bool is expected."]
    assert differences(["list", [1]], ["list", [True]], ordered=False)


def test_ties_may_come_in_any_order_and_others_may_not():
    tied = ["queryset", [1, 2, 3], True, [0, 0, 1]]
    assert differences(rows(2, 1, 3), tied, ordered=True) == []
    assert differences(rows(2, 3, 1), tied, ordered=True) == [
        "The rows are right, their order is not. Row 2: you have 3, expected 2."
    ]


def test_long_values_are_shortened():
    assert describe("x" * 500).endswith("…")
    assert len(describe("x" * 500)) == 90


def test_canonical_texts_tell_types_apart():
    forms = [1, "1", True, None, ["float", "1.0"], ["Decimal", "1"], ["list", [1]], ["tuple", [1]], ["set", [1]]]
    assert len({canonical(form) for form in forms}) == len(forms)
