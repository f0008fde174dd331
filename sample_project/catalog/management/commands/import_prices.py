from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from catalog.pricelists import PriceListError, apply, read

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Sets the prices of books from a CSV file with the columns price and isbn or slug. "
        "If one line is wrong, nothing is changed."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="Show what would be changed, and change nothing.")
        parser.add_argument(
            "--batch-size", type=int, default=500, metavar="N", help="How many books at once. Default: 500."
        )

    def handle(self, *, file, dry_run, batch_size, verbosity, **options):
        if batch_size < 1:
            raise CommandError("--batch-size has to be at least 1.")
        prices = self._read(file)
        if verbosity > 1 or dry_run:
            for new in prices:
                self.stdout.write(f"{new.book.title}: {new.book.price} → {new.price}")
        if dry_run:
            self.stdout.write(f"{len(prices)} prices would be changed.")
            return
        # A bar is for somebody who looks. In the log of a nightly run, it would be a heap of lines.
        with Progress(console=Console(stderr=True), disable=not (verbosity and self.stderr.isatty())) as bar:
            task = bar.add_task("Prices", total=len(prices))
            apply(
                prices,
                valid_from=timezone.localdate(),
                batch_size=batch_size,
                progress=lambda count: bar.advance(task, count),
            )
        if verbosity:
            self.stdout.write(self.style.SUCCESS(f"{len(prices)} prices changed."))

    def _read(self, file):
        try:
            # Spreadsheets put a mark before the first column's name.
            with open(file, encoding="utf-8-sig", newline="") as lines:
                return read(lines)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{file} is not text in UTF-8. Save it as CSV UTF-8.", returncode=2) from error
        except PriceListError as error:
            problems = error.problems[:SHOWN]
            if len(error.problems) > SHOWN:
                problems.append(f"… and {len(error.problems) - SHOWN} more.")
            raise CommandError("\n".join([f"Nothing was changed. {file}:", *problems])) from error
