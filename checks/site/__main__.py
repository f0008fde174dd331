"""`python -m checks.site [FOLDER]`: build the browser edition."""

import argparse
import os
import sys
from pathlib import Path

from checks.course.lesson import ROOT
from checks.site.edition import Edition, SiteError
from checks.site.wheels import PackageError


def main(argv: list[str]) -> int:
    """Build the site; 1 and a sentence when it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m checks.site", description=__doc__.split(": ")[1])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist")
    options = parser.parse_args(argv)
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as line:
        try:
            Edition(options.folder, report=lambda text: line.update(f"{text} …")).build()
        except (SiteError, PackageError) as error:
            print(error, file=sys.stderr)
            return 1
    folder = os.path.relpath(options.folder)
    print(
        f"The site is in {options.folder}: any static host can serve it. To look at it here, run\n\n"
        f"    {Path(sys.executable).name} -m http.server --bind 127.0.0.1 --directory {folder}\n\n"
        "and open http://127.0.0.1:8000 in a browser."
    )
    return 0


sys.exit(main(sys.argv[1:]))
