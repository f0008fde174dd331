import sqlite3
from datetime import date
from decimal import Decimal

import pytest

from lab.sql import WIDTH, literal, readable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (3, "3"),
        (Decimal("9.50"), "9.50"),
        ("Gulliver's", "'Gulliver''s'"),
        (date(2026, 1, 2), "'2026-01-02'"),
        (b"\x01", "x'01'"),
        ("x" * 70, "'" + "x" * 56 + "…'"),
    ],
)
def test_values_are_written_as_sql_writes_them(value, text):
    assert literal(value) == text


def test_full_values_are_not_cut():
    assert literal("x" * 70, full=True) == "'" + "x" * 70 + "'"


def test_parameters_take_the_place_of_their_marks():
    sql = 'SELECT "t"."a" FROM "t" WHERE "t"."a" LIKE %s AND "t"."b" > %s'
    assert readable(sql, ("50%s", 3)) == "SELECT t.a FROM t WHERE t.a LIKE '50%s' AND t.b > 3"


def test_doubled_percent_signs_are_single_ones():
    assert readable("SELECT STRFTIME('%%Y', %s)", ("now",)) == "SELECT STRFTIME('%Y', 'now')"


def test_sql_without_parameters_is_left_as_it_is():
    assert readable("SELECT '%s' LIKE '%%'") == "SELECT '%s' LIKE '%%'"


def test_reserved_words_and_text_keep_their_quotes():
    assert readable('SELECT "t"."order", \'a "plain" word\' FROM "t"') == 'SELECT t."order", \'a "plain" word\' FROM t'


def test_many_columns_are_counted_per_table():
    columns = ", ".join(f'"book"."c{n}"' for n in range(6)) + ', "author"."id", "author"."name"'
    assert readable(f'SELECT {columns} FROM "book"') == "SELECT (6 columns of book), author.id, author.name FROM book"


def test_few_columns_are_listed():
    assert readable('SELECT "t"."a", "t"."b", "t"."c", "t"."d" FROM "t"') == "SELECT t.a, t.b, t.c, t.d FROM t"


def test_long_in_lists_are_counted():
    marks = ", ".join(["%s"] * 100)
    assert "IN (1, 2, 3, … 100 values)" in readable(
        f'DELETE FROM "t" WHERE "t"."id" IN ({marks})', list(range(1, 101))
    )


def test_full_leaves_nothing_out():
    marks = ", ".join(["%s"] * 30)
    assert readable(f"SELECT 1 WHERE 1 IN ({marks})", list(range(30)), full=True).count(",") == 29


def test_rows_and_columns_of_an_insert_are_counted():
    names = ", ".join(f'"c{n}"' for n in range(6))
    row = "(" + ", ".join(["%s"] * 6) + ")"
    text = readable(f'INSERT INTO "t" ({names}) VALUES {row}, {row}', list(range(12)))
    assert text == "INSERT INTO t (6 columns) VALUES (0, 1, 2, … 6 values), … 2 rows"


def test_assignments_of_an_update_are_counted():
    assignments = ", ".join(f'"c{n}" = %s' for n in range(6))
    assert (
        readable(f'UPDATE "t" SET {assignments} WHERE "t"."id" = %s', list(range(7)))
        == "UPDATE t SET (6 columns) WHERE t.id = 6"
    )


def test_conditions_on_booleans_are_written_the_short_way():
    assert (
        readable('SELECT 1 FROM "t" WHERE "t"."a" = %s AND "t"."b" = %s', (True, False))
        == "SELECT 1 FROM t WHERE t.a AND NOT t.b"
    )
    assert readable('UPDATE "t" SET "a" = %s', (True,)) == "UPDATE t SET a = TRUE"


def test_long_statements_have_a_line_per_clause_and_indented_subqueries():
    sql = (
        'SELECT "a"."name" FROM "author" "a" INNER JOIN "book" ON ("a"."id" = "book"."author_id") '
        'WHERE EXISTS(SELECT %s AS "a" FROM "book" U0 WHERE (U0."author_id" = ("a"."id") AND U0."published" < %s) '
        'LIMIT 1) ORDER BY "a"."name" ASC LIMIT 3'
    )
    assert readable(sql, (1, 1850)).splitlines() == [
        "SELECT a.name",
        "FROM author a",
        "INNER JOIN book ON (a.id = book.author_id)",
        "WHERE EXISTS(",
        "    SELECT 1 AS a",
        "    FROM book U0",
        "    WHERE (U0.author_id = (a.id) AND U0.published < 1850) LIMIT 1)",
        "ORDER BY a.name ASC LIMIT 3",
    ]


def test_lines_that_are_too_long_break_at_commas_and_conditions():
    sql = "SELECT 1 FROM t WHERE (" + " AND ".join(f"column_number_{n} > 0" for n in range(12)) + ")"
    lines = readable(sql).splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    assert " ".join(line.strip() for line in lines) == sql


def test_what_is_shown_in_full_is_still_sql():
    sql = (
        'SELECT "a", "b" FROM (SELECT %s AS "a", %s AS "b" UNION ALL SELECT %s, %s) '
        'WHERE "a" IN (%s, %s, %s, %s, %s, %s, %s)'
    )
    text = readable(sql, ("it's", None, "x", 2, *"tuvwyz", "it's"), full=True)
    assert sqlite3.connect(":memory:").execute(text).fetchall() == [("it's", None)]


def test_of_many_sets_the_first_is_shown():
    assert readable("UPDATE t SET a = %s", [(1,), (2,)], many=True) == "UPDATE t SET a = 1"
