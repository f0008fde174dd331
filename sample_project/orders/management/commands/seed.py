from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.models import User
from catalog.models import Author, Book, Genre, Publisher
from orders.models import Order, OrderLine
from orders.seeding import fill


class Command(BaseCommand):
    help = "Fills the empty database with the shop's books, customers and orders: the same rows each time."

    def add_arguments(self, parser):
        parser.add_argument("--flush", action="store_true", help="Delete everything that is in the database first.")
        parser.add_argument(
            "--admin-password",
            metavar="PASSWORD",
            help='Also create the superuser "admin" with this password, to log in to the admin site while developing.',
        )

    def handle(self, *, flush, admin_password, verbosity, **options):
        if Book._meta.db_table not in connection.introspection.table_names():
            raise CommandError("The database has no tables yet. Run `manage.py migrate` first.")
        if admin_password == "":
            raise CommandError("The password of --admin-password is empty. Give one, or leave the option out.")
        if flush:
            call_command("flush", interactive=False, verbosity=0)
        if any(model.objects.exists() for model in (Publisher, Author, Genre, Book, User, Order)):
            raise CommandError(
                "The database is not empty. Run `manage.py seed --flush` to delete everything in it and fill it anew."
            )

        fill(progress=lambda part: verbosity and self.stdout.write(f"Filling in the {part} …"))
        if admin_password:
            User.objects.create_superuser("admin", "admin@example.org", admin_password)
        if verbosity:
            self.stdout.write(
                self.style.SUCCESS(
                    f"{Book.objects.count()} books by {Author.objects.count()} authors, {User.objects.count()} users, "
                    f"{Order.objects.count():,} orders with {OrderLine.objects.count():,} lines."
                )
            )
