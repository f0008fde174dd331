"""How the database means to find the rows of a queryset."""

import re

# Rows of SQLite's EXPLAIN QUERY PLAN: number, number of the parent, something unused, text.
_STEP = re.compile(r"(\d+) (\d+) \d+ (.+)")


def explain(queryset, *, format: str | None = None, **options):
    """Print the plan, one step per line; on SQLite, steps inside a step are indented.

    Args:
        queryset: any queryset; it is not run, unless `analyze=True` says so on a database that can do that.
        format, options: handed on to `QuerySet.explain()`: `explain(books, analyze=True)` on PostgreSQL.

    Raises:
        TypeError: something else than a queryset.
        ValueError, NotSupportedError: the database does not know the format or option.

    https://docs.djangoproject.com/en/stable/ref/models/querysets/#explain
    """
    if not hasattr(queryset, "explain"):
        raise TypeError(f"explain() takes a queryset, not {type(queryset).__name__}: explain(Book.objects.all())")
    from django.db import connections

    plan = queryset.explain(format=format, **options)
    if connections[queryset.db].vendor == "sqlite":
        plan = "\n".join(_indented(plan.splitlines()))
    print(plan)


def _indented(rows):
    depths = {"0": -1}
    for row in rows:
        step = _STEP.fullmatch(row)
        if step is None:
            yield row
            continue
        number, parent, text = step.groups()
        depths[number] = depths.get(parent, -1) + 1
        # SQLite up to 3.35 said TABLE.
        yield "  " * depths[number] + re.sub(r"^(SCAN|SEARCH) TABLE ", r"\1 ", text)
