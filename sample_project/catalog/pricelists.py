"""New prices from a list: the columns `isbn` or `slug`, and `price`.

All of it or nothing: half a price list is worse than that of yesterday.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from .models import Book, PriceChange
from .signals import prices_changed

KEYS = ("isbn", "slug")


class PriceListError(Exception):
    """The list cannot be taken. `problems` are sentences that begin with the line they are about."""

    def __init__(self, problems):
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class NewPrice:
    """A book whose price is another from now on; the book still has the one of before."""

    book: Book
    price: Decimal


def read(lines: Iterable[str]) -> list[NewPrice]:
    """The prices in a list that differ from today's, in its order. Nothing is changed.

    Raises PriceListError with everything that is wrong, not the first of it alone: who sent the list corrects it once.
    """
    reader = csv.DictReader(lines)
    key_name = next((name for name in KEYS if name in (reader.fieldnames or [])), None)
    if key_name is None or "price" not in reader.fieldnames:
        raise PriceListError([f"Line 1: the columns have to be price and one of {', '.join(KEYS)}."])

    wanted, problems, seen = [], [], {}
    try:
        for row in reader:
            line = reader.line_num
            try:
                key, price = _cleaned(row, key_name)
            except ValidationError as error:
                problems.append(f"Line {line}: {' '.join(error.messages)}")
                continue
            if key in seen:
                problems.append(f"Line {line}: {key} was on line {seen[key]} already.")
            else:
                wanted.append((line, key, price))
            seen.setdefault(key, line)
    except csv.Error as error:
        # The reader stopped in the line after the one it has counted.
        problems.append(f"Line {reader.line_num + 1}: {error}.")

    books = Book.objects.in_bulk([key for _, key, _ in wanted], field_name=key_name)
    problems += [f"Line {line}: no book has the {key_name} {key}." for line, key, _ in wanted if key not in books]
    if problems:
        raise PriceListError(sorted(problems, key=lambda problem: int(problem.split()[1].rstrip(":"))))
    return [NewPrice(books[key], price) for _, key, price in wanted if books[key].price != price]


def apply(
    prices: list[NewPrice],
    *,
    valid_from: date,
    batch_size: int = 500,
    progress: Callable[[int], None] = lambda count: None,
):
    """Set the prices, and write down from which day they rule. All in one transaction; `progress` is told each batch.

    A thousand books in a few statements. They send no `post_save`, so that `prices_changed` is sent at the end.
    """
    with transaction.atomic():
        for start in range(0, len(prices), batch_size):
            batch = prices[start : start + batch_size]
            for new in batch:
                new.book.price = new.price
            books = [new.book for new in batch]
            Book.objects.bulk_update(books, ["price"])
            # A second list on the same day takes the place of the first.
            PriceChange.objects.filter(book__in=books, valid_from=valid_from).delete()
            PriceChange.objects.bulk_create(
                PriceChange(book=new.book, valid_from=valid_from, price=new.price) for new in batch
            )
            progress(len(batch))
        if prices:
            changed = [new.book.pk for new in prices]
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=changed), robust=True)


def _cleaned(row, key_name):
    """The key and the price of a row, as the fields of the model want them."""
    # Too many cells are put under None, missing ones are None.
    if None in row or None in row.values():
        raise ValidationError("it has another number of columns than the first line.")
    key = Book._meta.get_field(key_name).clean(row[key_name].strip(), None)
    price = Book._meta.get_field("price").clean(row["price"].strip(), None)
    if price < 0:
        raise ValidationError(f"the price {price} is less than nothing.")
    if not key:
        raise ValidationError(f"the {key_name} is missing.")
    return key, price
