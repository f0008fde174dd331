from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress

from storefront import caching
from storefront.feeds import genre_feed, genre_keys
from storefront.shelves import BestsellingShelf
from storefront.views import BOOKS_PER_SHELF, cards


class Command(BaseCommand):
    help = (
        "Works out what the pages keep, before the first visitor has to wait for it. "
        "For the end of a deployment, and after changes that were made with SQL."
    )

    def add_arguments(self, parser):
        parser.add_argument("--outdate", action="store_true", help="First forget what is kept.")

    def handle(self, *, outdate, verbosity, **options):
        backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
        if backend in {"LocMemCache", "DummyCache"}:
            self.stderr.write(
                self.style.WARNING(
                    f"The cache is a {backend}: no other process will see what this one keeps. Set REDIS_URL."
                )
            )
        genres = genre_keys()
        if outdate:
            groups = [caching.CATALOGUE, caching.GENRES, *map(caching.genre, genres.values())]
            caching.outdate(*groups)
            caching.forget_fragment("genre_index")
            genres = genre_keys()
        work = [lambda: BestsellingShelf(cards(), BOOKS_PER_SHELF).books]
        work += [lambda pk=pk: genre_feed(pk) for pk in genres.values()]
        with Progress(console=Console(stderr=True), disable=not (verbosity and self.stderr.isatty())) as bar:
            for part in bar.track(work, description="Warming"):
                part()
        if verbosity:
            self.stdout.write(self.style.SUCCESS(f"{len(work)} entries are warm."))
