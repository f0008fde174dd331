from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from orders.growth import grow
from orders.models import Order


class Command(BaseCommand):
    help = "Adds generated orders, about three lines each, and the customers who place them."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, required=True, metavar="N", help="How many orders to add.")

    def handle(self, *, orders, verbosity, **options):
        if Order._meta.db_table not in connection.introspection.table_names():
            raise CommandError("The database has no tables yet. Run `manage.py migrate`, then `manage.py seed`.")
        columns = (
            TextColumn("Orders"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        try:
            with Progress(*columns, console=Console(stderr=True), disable=not verbosity) as bar:
                task = bar.add_task("", total=orders)
                lines = grow(orders, progress=lambda added: bar.advance(task, added))
        except ValueError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. What the bar had reached is in the database; run it again for more."
            ) from None
        if verbosity:
            self.stdout.write(self.style.SUCCESS(f"Added {orders:,} orders with {lines:,} lines."))
