"""`python -m lab` builds the bookshop's database ahead of the first notebook; with `--lines N`, a grown one too.

With `--postgresql` it builds them for PostgreSQL, with `--mariadb` the plain one for MariaDB.
"""

import argparse
from functools import partial

from . import database


def main():
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--lines", type=int, action="append", default=[], metavar="N", help="grow to N order lines")
    parser.add_argument("--postgresql", action="store_true", help="for PostgreSQL instead of SQLite")
    parser.add_argument("--mariadb", action="store_true", help="for MariaDB instead of SQLite")
    arguments = parser.parse_args()
    if arguments.mariadb and arguments.lines:
        parser.error("--mariadb knows no --lines")
    build = database.build_shop
    if arguments.postgresql:
        from .servers.postgresql import build
    elif arguments.mariadb:
        from .servers.mariadb import build
    database.boot()
    for lines in [None, *arguments.lines]:
        build(lines, report=partial(print, flush=True))


if __name__ == "__main__":
    main()
