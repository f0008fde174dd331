"""The launcher of the Django interview course: `python3 course.py --help`.

This file must be readable by every Python, so that an old one says what is missing instead of a syntax error. The
commands are in checks/course/launcher.py.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(
        "This course needs Python 3.11 or newer, and this is Python "
        + found
        + ": install one from https://www.python.org/downloads/ and start with it, for example with "
        + "`python3.13 course.py lab`."
    )

if __name__ == "__main__":
    from checks.course.launcher import main

    sys.exit(main())
