#!/usr/bin/env python
"""Django's command line for the bookshop."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise ImportError(
            "Django is not installed in this Python. Install the requirements of the project, or activate its "
            "virtual environment."
        ) from error
    from config.environment import EnvironmentMistake

    try:
        execute_from_command_line(sys.argv)
    except EnvironmentMistake as mistake:
        # One sentence says what to set. Where in the settings it was missed is of no help.
        raise SystemExit(str(mistake)) from None


if __name__ == "__main__":
    main()
