"""The shelves of the shop that are dear to work out, and whose ranking may be some minutes old.

Only the ranking is kept, as primary keys. The books are read each time: nobody should see a price of before, and a
stored model would bring its columns of before into a newer version of the shop.
"""

from django.utils.functional import cached_property

from . import caching


class BestsellingShelf:
    """The books that sold most, of the queryset `books`; as many as `length`. No query before it is looked at.

    One query, whether the ranking is known or not: the whole one at first, then one by primary keys.
    """

    def __init__(self, books, length):
        self._books = books
        self._length = length

    def __iter__(self):
        return iter(self.books)

    def __len__(self):
        return len(self.books)

    def __getitem__(self, place):
        return self.books[place]

    # A template asks for it more than once: whether there are any, how many, each.
    # https://docs.djangoproject.com/en/stable/ref/utils/#django.utils.functional.cached_property
    @cached_property
    def books(self) -> list:
        self._ranked = None
        keys = caching.get_or_compute(
            f"bestselling:{self._length}",
            self._rank,
            groups=(caching.CATALOGUE,),
            # The first books of a new shop should be seen at once.
            keep=bool,
        )
        if self._ranked is None:
            found = self._books.in_bulk(keys)
            # A book may be gone since, without anybody having said so.
            self._ranked = [found[key] for key in keys if key in found]
        return self._ranked

    def _rank(self):
        self._ranked = list(self._books.bestselling()[: self._length])
        return [book.pk for book in self._ranked]
