from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from orders.stale import PATIENCE, cancel_stale_orders, stale_orders


class Command(BaseCommand):
    help = "Cancels orders that nobody paid, and puts their copies back on the shelf. Run again, it finds none."

    def add_arguments(self, parser):
        parser.add_argument(
            "--older-than",
            type=int,
            default=PATIENCE,
            metavar="DAYS",
            help=f"Leave orders alone that were placed since. Default: {PATIENCE}.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Show the orders, and change nothing.")

    def handle(self, *, older_than, dry_run, verbosity, **options):
        if older_than < 0:
            raise CommandError("--older-than is a number of days: 0 or more.")
        stale = stale_orders(older_than)
        if dry_run:
            for order in stale.select_related("customer"):
                self.stdout.write(f"{order.number} of {order.customer.username}, placed {order.placed_at:%Y-%m-%d}")
            self.stdout.write(f"{stale.count()} orders would be cancelled.")
            return
        show = bool(verbosity and self.stderr.isatty())
        with Progress(console=Console(stderr=True), disable=not show) as bar:
            task = bar.add_task("Orders", total=stale.count() if show else None)
            cancelled = cancel_stale_orders(older_than, progress=lambda order: bar.advance(task))
        if verbosity > 1:
            self.stdout.writelines(f"{order.number}\n" for order in cancelled)
        if verbosity:
            self.stdout.write(self.style.SUCCESS(f"{len(cancelled)} orders cancelled."))
