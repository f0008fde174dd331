"""Makes the shop large: as many more orders as a measurement needs, with the customers who place them."""

from datetime import UTC, datetime, timedelta
from random import Random

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Max

from accounts.models import User

from .models import Order, OrderLine
from .seeding import DAYS, OPENING, Demand, advance_sequences, always_cancels, never_orders, new_order

BATCH = 5_000
ORDERS_PER_CUSTOMER = 9


def largest_key(model):
    return model.objects.aggregate(largest=Max("pk"))["largest"] or 0


def orders_normally(user_pk):
    return not never_orders(user_pk) and not always_cancels(user_pk)


def new_customer(pk):
    # They joined before the shop opened, so that any of them may have placed any order.
    joined = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=pk % 500_000)
    username = f"customer{pk:07d}"
    return User(
        pk=pk,
        username=username,
        email=f"{username}@example.org",
        password=UNUSABLE_PASSWORD_PREFIX,
        date_joined=joined,
    )


def grow(orders, progress=None):
    """Add generated orders, about three lines each, to a shop that was filled; return the number of lines added.

    The rows depend on nothing but the keys they get: two calls with 500 leave the same rows as one with 1,000, and
    a run that was interrupted goes on where it stopped. Each batch of 5,000 orders is one transaction.

    Args:
        orders: how many orders to add.
        progress: called after each batch with the number of orders in it.

    Raises:
        ValueError: `orders` is negative, or the shop was not filled.
    """
    if orders < 0:
        raise ValueError(f"orders must not be negative, and is {orders}.")
    demand = Demand()
    old_customers = User.objects.filter(is_staff=False, date_joined__lt=OPENING).order_by("pk")
    customers = [pk for pk in old_customers.values_list("pk", flat=True) if orders_normally(pk)]
    if not demand.keys or not customers:
        raise ValueError("There is no book to order, or nobody to order it. Run `manage.py seed` first.")

    next_order, next_line, next_customer = (largest_key(model) + 1 for model in (Order, OrderLine, User))
    last_order = next_order + orders
    first_line = next_line
    draw = Random()

    for start in range(next_order, last_order, BATCH):
        new_customers, new_orders, new_lines = [], [], []
        for pk in range(start, min(start + BATCH, last_order)):
            if pk % ORDERS_PER_CUSTOMER == 0:
                new_customers.append(new_customer(next_customer))
                if orders_normally(next_customer):
                    customers.append(next_customer)
                next_customer += 1
            draw.seed(pk)
            placed_at = OPENING + timedelta(days=int(draw.random() * DAYS), minutes=int(draw.random() * 1440))
            # The smaller of two positions: those who came first order more.
            position = int(min(draw.random(), draw.random()) * len(customers))
            new_orders.append(new_order(pk, customers[position], placed_at, draw))
            for book, quantity, unit_price in demand.basket(draw, placed_at):
                new_lines.append(
                    OrderLine(pk=next_line, order_id=pk, book_id=book, quantity=quantity, unit_price=unit_price)
                )
                next_line += 1
        with transaction.atomic():
            User.objects.bulk_create(new_customers)
            Order.objects.bulk_create(new_orders)
            OrderLine.objects.bulk_create(new_lines)
            advance_sequences()
        if progress:
            progress(len(new_orders))
    return next_line - first_line
