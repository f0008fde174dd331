"""Lines of CSV that a spreadsheet may open without harm.

https://docs.djangoproject.com/en/stable/howto/outputting-csv/#streaming-large-csv-files
"""

import csv

# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def line(values) -> str:
    """One line, with its end."""
    return csv.writer(_Echo()).writerow([harmless(value) for value in values])


def harmless(value):
    """A spreadsheet takes a text that begins with = + - or @ for a formula, and runs it: an apostrophe prevents it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


class _Echo:
    """A file that keeps nothing: what is written to it is given back."""

    def write(self, text):
        return text
