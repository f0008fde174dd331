import hashlib
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models
from django.db.models import Count, F

from accounts.models import Profile, User
from catalog.models import Author, Book, Genre, Publisher
from orders.models import Order, OrderLine, Stock
from orders.seeding import EMPTY_ORDER, Demand, fill

pytestmark = pytest.mark.django_db

MODELS = [Publisher, Author, Genre, Book, Book.genres.through, User, Profile, Stock, Order, OrderLine]

# What every machine, Python and Django has to arrive at. It changes with the data; lessons and exercises quote these
# rows, so look at them again when it does.
DIGEST = "2669c37cdd6a7195"


def digest():
    rows = (model.objects.order_by("pk").values_list() for model in MODELS)
    return hashlib.sha256(repr([list(table) for table in rows]).encode()).hexdigest()[:16]


def test_the_rows_are_the_same_everywhere():
    assert digest() == DIGEST


def test_filling_again_gives_the_same_rows_with_the_same_keys(empty_shop):
    assert digest() != DIGEST
    fill()
    assert digest() == DIGEST


def test_the_counts():
    assert {model._meta.model_name: model.objects.count() for model in MODELS} == {
        "publisher": 90,
        "author": 110,
        "genre": 14,
        "book": 166,
        "book_genres": 260,
        "user": 150,
        "profile": 116,
        "stock": 162,
        "order": 1_400,
        "orderline": 4_407,
    }


def test_a_filled_shop_is_refused_and_left_as_it_was():
    with pytest.raises(IntegrityError):
        fill()
    assert digest() == DIGEST


def test_the_parts_are_announced_in_order(empty_shop):
    parts = []
    fill(progress=parts.append)
    assert parts == ["catalogue", "customers", "stock", "orders"]


def test_orders_are_numbered_in_the_order_of_time():
    orders = list(Order.objects.order_by("pk"))
    assert [order.number for order in orders] == [f"{order.placed_at.year}-{order.pk:06d}" for order in orders]
    assert [order.placed_at for order in orders] == sorted(order.placed_at for order in orders)
    assert orders[0].placed_at >= datetime(2024, 1, 1, tzinfo=UTC)
    assert orders[-1].placed_at < datetime(2026, 7, 1, tzinfo=UTC)


def test_every_status_occurs_and_only_shipped_orders_have_a_date_of_shipping():
    assert set(Order.objects.order_by().values_list("status", flat=True)) == set(Order.Status.values)
    assert not Order.objects.filter(status="shipped", shipped_at=None).exists()
    assert not Order.objects.exclude(status="shipped").exclude(shipped_at=None).exists()


def test_one_order_has_no_lines():
    assert Order.objects.get(lines=None).pk == EMPTY_ORDER


def test_nobody_orders_before_joining_and_nothing_is_ordered_before_it_was_added():
    assert not Order.objects.filter(placed_at__lt=F("customer__date_joined")).exists()
    assert not OrderLine.objects.filter(order__placed_at__lt=F("book__added")).exists()


def test_some_customers_never_order_and_some_cancel_everything():
    customers = User.objects.annotate(count=Count("orders"))
    assert customers.filter(count=0).count() == 35
    kept = Order.objects.exclude(status="cancelled")
    assert set(customers.filter(count__gt=0).exclude(orders__in=kept).values_list("username", flat=True)) == {
        "dragan.laurent",
        "lars.tanaka",
        "petra.chen",
    }


def test_sales_have_a_long_tail_and_ties():
    copies = list(
        Book.objects.annotate(copies=models.Sum("lines__quantity", default=0))
        .order_by("-copies")
        .values_list("copies", flat=True)
    )
    quarter = len(copies) // 4
    assert sum(copies[:quarter]) > sum(copies[quarter:])
    assert copies[2] == copies[3]
    assert copies.count(0) == 7


def test_some_prices_changed_since_the_sale():
    changed = OrderLine.objects.exclude(unit_price=F("book__price"))
    assert 0 < changed.count() < OrderLine.objects.count() / 5


def test_stock_is_plenty_or_none_or_unknown():
    assert Stock.objects.filter(quantity=0).count() == 4
    assert Book.objects.filter(stock=None).count() == 4


def test_new_rows_get_the_keys_that_follow():
    assert Publisher.objects.create(name="Penguin").pk == 91
    assert User.objects.create(username="newcomer").pk == 151


def test_demand_draws_no_book_that_is_not_in_the_file():
    Book.objects.filter(title="Emma").update(slug="another-emma")
    emma = Book.objects.get(title="Emma").pk
    assert emma not in Demand().keys
    assert len(Demand().keys) > 100


def test_seed_fills_the_empty_database(empty_shop):
    output = StringIO()
    call_command("seed", stdout=output)
    assert digest() == DIGEST
    assert "166 books by 110 authors, 150 users, 1,400 orders with 4,407 lines." in output.getvalue()


def test_seed_refuses_a_database_with_rows_and_names_the_remedy():
    with pytest.raises(CommandError, match=r"not empty.*seed --flush"):
        call_command("seed")
    assert digest() == DIGEST


def test_seed_refuses_a_database_with_nothing_but_a_user(empty_shop):
    User.objects.create(username="root")
    with pytest.raises(CommandError, match="not empty"):
        call_command("seed")


def test_seed_with_flush_starts_again():
    Order.objects.filter(pk__gt=1000).delete()
    Publisher.objects.create(name="Penguin")
    call_command("seed", flush=True, verbosity=0)
    assert digest() == DIGEST


def test_seed_creates_a_superuser_only_when_it_is_given_a_password(empty_shop):
    call_command("seed", admin_password="open sesame", verbosity=0)
    admin = User.objects.get(is_superuser=True)
    assert admin.username == "admin"
    assert admin.check_password("open sesame")


def test_seed_refuses_an_empty_password(empty_shop):
    with pytest.raises(CommandError, match="empty"):
        call_command("seed", admin_password="")
    assert not User.objects.exists()


@pytest.mark.parametrize("command", ["seed", "grow"])
def test_a_database_without_tables_is_told_apart(command, monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", lambda *args, **kwargs: [])
    options = {"orders": 1} if command == "grow" else {}
    with pytest.raises(CommandError, match="manage.py migrate"):
        call_command(command, **options)
