"""Invents the shop's trade, from a fixed seed: `fill()` gives the same rows with the same keys each time."""

from bisect import bisect
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import Campaign, Profile, User, Visit
from accounts.seeding import BOOKSELLER, fill_accounts
from catalog.models import Author, Book, Contribution, Contributor, Genre, Publisher
from catalog.seeding import PRICE_RISE, book_slugs, fill_catalog, price_before_the_rise, records
from reviews.models import Review, Tag, Tagging, TagGroup
from reviews.seeding import fill_reviews

from .models import Invoice, Order, OrderLine, Payment, Stock

ORDERS = 1_400
OPENING = datetime(2024, 1, 1, tzinfo=UTC)
CLOSING = datetime(2026, 7, 1, tzinfo=UTC)
DAYS = (CLOSING - OPENING).days

# Before, invoices were paper.
INVOICING = datetime(2026, 5, 1, tzinfo=UTC)
DEPOSIT = Decimal(5)

# This order lost its lines: someone emptied the basket and left.
EMPTY_ORDER = 1_234

LINES_PER_ORDER = (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 8)
QUANTITIES = (1,) * 34 + (2,) * 4 + (3, 5)
NOTES = (
    "Please wrap it as a gift.",
    "10% off, as agreed on the phone.",
    "Leave it with the neighbour, M. Lévy.",
    "For our reading_group.",
)


def never_orders(user_pk):
    """One customer in ten only looks around."""
    return user_pk % 10 == 7


def always_cancels(user_pk):
    """A few customers cancel whatever they order."""
    return user_pk % 50 == 13


class Demand:
    """Which books customers put into a basket: some all the time, most now and then, a few never.

    The column `demand` of `catalog/data/books.csv` is the weight of a book; books that are not in that file are never
    drawn. Prices and dates are those of the database.
    """

    def __init__(self):
        rows = records("books")
        slugs = book_slugs([(row["title"], row["author"]) for row in rows])
        weights = {slug: int(row["demand"]) for slug, row in zip(slugs, rows, strict=True)}
        books = [
            book for book in Book.objects.only("pk", "slug", "price", "added").order_by("pk") if weights.get(book.slug)
        ]
        self.keys = [book.pk for book in books]
        self.weights = list(accumulate(weights[book.slug] for book in books))
        self.added = {book.pk: book.added for book in books}
        self.arrivals = sorted(self.added.values())
        self.prices = {book.pk: self.price_history(book) for book in books}

    @staticmethod
    def price_history(book):
        """(the day of the price rise, the price before, the price after, the reduced price)."""
        raised_at = datetime.combine(PRICE_RISE, time(), tzinfo=UTC)
        return raised_at, price_before_the_rise(book), book.price, max(book.price - Decimal("1.50"), Decimal(0))

    def unit_price(self, book_pk, placed_at, reduced):
        raised_at, before, after, sale = self.prices[book_pk]
        if reduced:
            return sale
        return before if placed_at < raised_at else after

    def basket(self, draw, placed_at):
        """Yield (book's key, quantity, unit price) for one order, no book twice, none before it was added."""
        size = LINES_PER_ORDER[int(draw.random() * len(LINES_PER_ORDER))]
        size = min(size, bisect(self.arrivals, placed_at))
        chosen = set()
        while len(chosen) < size:
            book = self.keys[bisect(self.weights, draw.random() * self.weights[-1])]
            if book in chosen or self.added[book] > placed_at:
                continue
            chosen.add(book)
            quantity = QUANTITIES[int(draw.random() * len(QUANTITIES))]
            yield book, quantity, self.unit_price(book, placed_at, reduced=draw.random() < 0.04)


def new_order(pk, customer, placed_at, draw):
    """An unsaved order in the state that its age suggests: old ones are mostly shipped, fresh ones still open."""
    recent = CLOSING - placed_at < timedelta(days=14)
    chance = draw.random()
    shipped_at = placed_at + timedelta(hours=20 + int(draw.random() * 100))
    if always_cancels(customer) or chance < 0.08:
        status = Order.Status.CANCELLED
    elif chance < (0.40 if recent else 0.09):
        status = Order.Status.OPEN
    elif chance < (0.75 if recent else 0.14) or shipped_at >= CLOSING:
        status = Order.Status.PAID
    else:
        status = Order.Status.SHIPPED
    return Order(
        pk=pk,
        number=f"{placed_at.year}-{pk:06d}",
        customer_id=customer,
        status=status,
        placed_at=placed_at,
        shipped_at=shipped_at if status == Order.Status.SHIPPED else None,
        note=NOTES[int(draw.random() * len(NOTES))] if draw.random() < 0.05 else "",
    )


def fill_stock():
    """Copies on the shelf, as in the column `stock` of `catalog/data/books.csv`; an empty cell is no row."""
    Stock.objects.bulk_create(
        Stock(book_id=pk, quantity=row["stock"])
        for pk, row in enumerate(records("books"), start=1)
        if row["stock"] is not None
    )


def fill_orders():
    """Create the orders, oldest first, and their lines."""
    draw = Random("orders")
    # The later of two days: trade grows.
    minutes = sorted(
        max(draw.randrange(DAYS), draw.randrange(DAYS)) * 1440 + draw.randrange(8 * 60, 22 * 60) for _ in range(ORDERS)
    )
    for later in range(100, ORDERS, 100):
        # Two orders in the same minute.
        minutes[later] = minutes[later - 1]

    customers = [
        (joined, pk)
        for pk, joined in User.objects.filter(is_staff=False).order_by("pk").values_list("pk", "date_joined")
        if not never_orders(pk)
    ]
    demand = Demand()
    orders, lines = [], []
    for pk, minute in enumerate(minutes, start=1):
        placed_at = OPENING + timedelta(minutes=minute)
        joined = bisect(customers, (placed_at,))
        # The smaller of two positions: those who came first order more.
        _, customer = customers[min(draw.randrange(joined), draw.randrange(joined))]
        order = new_order(pk, customer, placed_at, draw)
        orders.append(order)
        if pk == EMPTY_ORDER:
            order.status, order.shipped_at = Order.Status.OPEN, None
            continue
        for book, quantity, unit_price in demand.basket(draw, placed_at):
            lines.append(
                OrderLine(pk=len(lines) + 1, order_id=pk, book_id=book, quantity=quantity, unit_price=unit_price)
            )
    Order.objects.bulk_create(orders)
    OrderLine.objects.bulk_create(lines)


def fill_invoices():
    """Create the invoices since May 2026, and what was paid: mostly at once, sometimes in two parts or not at all."""
    bookseller = User.objects.get(username=BOOKSELLER[0])
    amounts = dict(
        OrderLine.objects.filter(order__placed_at__gte=INVOICING)
        .order_by("order")
        .values("order")
        .annotate(total=Sum("amount"))
        .values_list("order", "total")
    )
    invoices, payments = [], []

    def pay(order, invoice, day, amount):
        method = Payment.Method.TRANSFER if order.pk % 4 == 0 else Payment.Method.CARD
        payments.append(
            Payment(
                pk=len(payments) + 1,
                order_id=order.pk,
                invoice_id=invoice and invoice.pk,
                method=method,
                received_on=day,
                amount=amount,
            )
        )

    for order in Order.objects.filter(pk__in=amounts).exclude(status=Order.Status.CANCELLED).order_by("pk"):
        day, amount = order.placed_at.date(), amounts[order.pk]
        if order.status == Order.Status.OPEN:
            if order.pk % 2:
                pay(order, None, day, DEPOSIT)
            continue
        invoice = Invoice(
            pk=len(invoices) + 1,
            number=f"I{order.number}",
            order_id=order.pk,
            issued_by_id=bookseller.pk,
            issued_on=day,
            amount=amount,
        )
        invoices.append(invoice)
        if order.status == Order.Status.SHIPPED and order.pk % 13 == 0:
            continue
        if order.pk % 9 == 0 and amount > DEPOSIT:
            pay(order, invoice, day, DEPOSIT)
            amount -= DEPOSIT
        pay(order, invoice, day + timedelta(days=order.pk % 5), amount)
    Invoice.objects.bulk_create(invoices)
    Payment.objects.bulk_create(payments)


def advance_sequences():
    """Let the next row get the next free key: some databases do not see keys that were given explicitly."""
    models = [
        *(Publisher, Author, Author.correspondents.through, Genre, Book, Book.genres.through),
        *(Contributor, Contribution, User, Profile, Campaign, Visit, Order, OrderLine, Invoice, Payment),
        *(Review, TagGroup, Tag, Tagging),
    ]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def fill(progress=None):
    """Fill the empty, migrated database with the whole shop, or leave it as it was.

    Args:
        progress: called with the name of each part before it is filled.

    Raises:
        django.db.IntegrityError: there are rows already.
    """
    parts = {
        "catalogue": fill_catalog,
        "customers": fill_accounts,
        "stock": fill_stock,
        "orders": fill_orders,
        "invoices": fill_invoices,
        "reviews": fill_reviews,
    }
    with transaction.atomic():
        for name, fill_part in parts.items():
            if progress:
                progress(name)
            fill_part()
        advance_sequences()
