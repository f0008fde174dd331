"""Answers as a table. https://www.django-rest-framework.org/api-guide/renderers/#custom-renderers"""

import csv
from io import StringIO

from rest_framework.renderers import BaseRenderer

from storefront.spreadsheets import harmless


class CSVRenderer(BaseRenderer):
    """The rows of a list, or one row for a single thing; for `Accept: text/csv`, `?format=csv` or the suffix ".csv".

    Objects become several columns ("author.name"), lists one, with semicolons. Only this page of the list is there.
    """

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        if data is None:
            return ""
        if isinstance(data, dict) and "results" in data:
            data = data["results"]
        rows = [flat(row) for row in (data if isinstance(data, list) else [data])]
        # Every column that any row has, in the order of first mention.
        columns = dict.fromkeys(name for row in rows for name in row)
        text = StringIO()
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def flat(row, prefix=""):
    """{"author": {"name": "Jane Austen"}} → {"author.name": "Jane Austen"}"""
    if not isinstance(row, dict):
        return {prefix.rstrip(".") or "value": cell(row)}
    columns = {}
    for name, value in row.items():
        if isinstance(value, dict):
            columns |= flat(value, f"{prefix}{name}.")
        else:
            columns[f"{prefix}{name}"] = cell(value)
    return columns


def cell(value):
    if isinstance(value, list):
        return cell("; ".join(str(item) for item in value))
    return harmless(value)
