import hashlib
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models
from django.db.models import Count, F

from accounts.models import Campaign, Profile, User, Visit
from catalog.models import AudioBook, Author, Book, Contribution, Contributor, Genre, PriceChange, Publisher
from orders.models import Invoice, Order, OrderLine, Payment, Stock
from orders.seeding import EMPTY_ORDER, Demand, fill
from reviews.models import Review, Tag, Tagging, TagGroup

pytestmark = pytest.mark.django_db

# What every machine, Python and Django has to arrive at, by table. It changes with the data; lessons and exercises
# quote these rows, so look at them again when it does. A column that is added changes none of the others.
ROWS = {
    Publisher: ("d2fbf281283e0d25", 90, "id name city founded"),
    Author: ("25b634ef82d1f734", 110, "id name slug country born died"),
    Genre: ("debdb2c170764ff3", 14, "id name slug"),
    Book: (
        "84a2033dcdbdeae3",
        166,
        "id title slug author_id publisher_id published decade language pages price rating in_print added description",
    ),
    Book.genres.through: ("945669ec5e710e18", 260, "id book_id genre_id"),
    User: (
        "b850026b84b861a6",
        150,
        "id password last_login is_superuser username first_name last_name email is_staff is_active date_joined",
    ),
    Profile: ("1d60daaff7b39f06", 116, "id user_id city born newsletter"),
    Stock: ("de750c4c60d5ac2f", 162, "book_id quantity"),
    Order: ("09f5c829a4511fa4", 1_400, "id number customer_id status placed_at shipped_at note"),
    OrderLine: ("bc8d0edf43e66bc4", 4_407, "id order_id book_id quantity unit_price amount"),
}
# The key of a content type differs from database to database; its name does not.
LATER_ROWS = {
    "sort names": (Author, "d4063391f122998c", 110, "id sort_name"),
    "ISBNs and sequels": (Book, "0d481c914c59f774", 166, "id isbn sequel_to_id"),
    "letters": (Author.correspondents.through, "7ab01cf8800f3e77", 34, "id from_author_id to_author_id"),
    "recordings": (AudioBook, "8835f5109537b0f5", 14, "book_ptr_id narrator minutes"),
    "prices": (PriceChange, "44f1221cd526da8a", 218, "book_id valid_from price"),
    "contributors": (Contributor, "15d8c8737510848b", 45, "id given_name family_name created updated"),
    "contributions": (Contribution, "ac25c9bcc76d6255", 70, "id book_id contributor_id role volume created updated"),
    "campaigns": (Campaign, "3499d79b2b847195", 8, "id name sent_on"),
    "visits": (Visit, "44b0f1c8772eebce", 240, "id user_id campaign_id at"),
    "invoices": (Invoice, "be1126ecf46c8ff1", 166, "id number order_id issued_by_id issued_on amount"),
    "payments": (Payment, "904732b4ec769878", 182, "id order_id invoice_id method received_on amount"),
    "groups of tags": (TagGroup, "f13a3a9d2c2f53ee", 4, "id name"),
    "tags": (Tag, "885b3a0fd869a7ef", 20, "id name group_id"),
    "taggings": (Tagging, "fe9e56f73cab78ed", 327, "id content_type__model object_id tag_id"),
    "reviews": (
        Review,
        "3cc05689118e73eb",
        400,
        "id content_type__model object_id reviewer_id stars text created updated withdrawn",
    ),
}


def digest(model, columns):
    # The base manager: the default one of reviews hides some.
    rows = list(model._base_manager.order_by("pk").values_list(*columns.split()))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def digests():
    later = {name: digest(model, columns) for name, (model, _, _, columns) in LATER_ROWS.items()}
    return {model._meta.label: digest(model, columns) for model, (_, _, columns) in ROWS.items()} | later


EXPECTED = {model._meta.label: value for model, (value, _, _) in ROWS.items()} | {
    name: value for name, (_, value, _, _) in LATER_ROWS.items()
}


def test_the_rows_are_the_same_everywhere():
    assert digests() == EXPECTED


def test_filling_again_gives_the_same_rows_with_the_same_keys(empty_shop):
    assert not [name for name, value in digests().items() if value == EXPECTED[name]]
    fill()
    assert digests() == EXPECTED


def test_the_counts():
    counts = {model: count for model, (_, count, _) in ROWS.items()}
    counts |= {model: count for model, _, count, _ in LATER_ROWS.values()}
    assert {model: model._base_manager.count() for model in counts} == counts


def test_a_filled_shop_is_refused_and_left_as_it_was():
    with pytest.raises(IntegrityError):
        fill()
    assert digests() == EXPECTED


def test_the_parts_are_announced_in_order(empty_shop):
    parts = []
    fill(progress=parts.append)
    assert parts == ["catalogue", "customers", "stock", "orders", "invoices", "reviews"]


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
    assert Tag.objects.create(name="Short").pk == 21
    assert Review.objects.create(thing=Book.objects.get(title="Emma"), stars=5).pk == 401


def test_demand_draws_no_book_that_is_not_in_the_file():
    Book.objects.filter(title="Emma").update(slug="another-emma")
    emma = Book.objects.get(title="Emma").pk
    assert emma not in Demand().keys
    assert len(Demand().keys) > 100


def test_seed_fills_the_empty_database(empty_shop):
    output = StringIO()
    call_command("seed", stdout=output)
    assert digests() == EXPECTED
    assert "166 books by 110 authors, 150 users, 1,400 orders with 4,407 lines." in output.getvalue()


def test_seed_refuses_a_database_with_rows_and_names_the_remedy():
    with pytest.raises(CommandError, match=r"not empty.*seed --flush"):
        call_command("seed")
    assert digests() == EXPECTED


def test_seed_refuses_a_database_with_nothing_but_a_user(empty_shop):
    User.objects.create(username="root")
    with pytest.raises(CommandError, match="not empty"):
        call_command("seed")


def test_seed_with_flush_starts_again():
    Order.objects.filter(pk__gt=1000).delete()
    Publisher.objects.create(name="Penguin")
    call_command("seed", flush=True, verbosity=0)
    assert digests() == EXPECTED


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
