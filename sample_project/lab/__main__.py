"""`python -m lab` builds the bookshop's database ahead of the first notebook; with `--lines N`, a grown one too."""

import argparse
from functools import partial

from . import database


def main():
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("--lines", type=int, action="append", default=[], metavar="N", help="grow to N order lines")
    arguments = parser.parse_args()
    database.boot()
    for lines in [None, *arguments.lines]:
        database.build_shop(lines, report=partial(print, flush=True))


if __name__ == "__main__":
    main()
