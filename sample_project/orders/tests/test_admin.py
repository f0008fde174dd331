import pytest
from django.db.models import Count

from orders.models import Invoice, Order

pytestmark = pytest.mark.django_db


def order_with(lines):
    return Order.objects.annotate(count=Count("lines")).filter(count=lines).first()


def test_the_list_takes_the_same_number_of_queries_for_one_order_and_for_many(
    admin_page, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9) as one:
        assert admin_page("/admin/orders/order/?pk__exact=1").context["cl"].result_count == 1
    with django_assert_num_queries(len(one)):
        assert admin_page("/admin/orders/order/?pk__gte=1").context["cl"].result_count == 1_400


def test_an_order_takes_the_same_number_of_queries_with_one_line_and_with_eight(
    admin_page, django_assert_num_queries, django_assert_max_num_queries
):
    admin_page("/admin/orders/order/add/")  # from here on Django remembers the content types
    with django_assert_max_num_queries(9) as one:
        admin_page(f"/admin/orders/order/{order_with(lines=1).pk}/change/")
    with django_assert_num_queries(len(one)):
        admin_page(f"/admin/orders/order/{order_with(lines=8).pk}/change/")


def test_the_list_shows_the_customer_and_the_amount_of_the_lines(admin_page):
    order = order_with(lines=3)
    page = admin_page(f"/admin/orders/order/?q={order.number}").content.decode()
    assert str(order.customer) in page
    assert f'<td class="field-amount">{order.total}</td>' in page


def test_an_order_without_lines_is_worth_nothing(admin_page):
    page = admin_page("/admin/orders/order/?q=2026-001234").content.decode()
    assert '<td class="field-amount">0.00</td>' in page


def test_sold_lines_can_be_read_and_not_changed(admin_page):
    order = order_with(lines=2)
    page = admin_page(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for line in order.lines.all():
        assert line.book.title.replace("'", "&#x27;") in page
    assert 'name="lines-0-quantity"' not in page
    assert 'name="lines-__prefix__-quantity"' in page


def test_the_list_of_books_shows_the_copies_in_stock(admin_page):
    assert '<td class="field-copies">22</td>' in admin_page("/admin/catalog/book/?q=Emma").content.decode()
    assert '<td class="field-copies">-</td>' in admin_page("/admin/catalog/book/?q=Herland").content.decode()


@pytest.mark.parametrize(
    ("path", "one", "many"),
    [
        ("invoice", "pk__exact=1", "pk__gte=1"),
        ("payment", "pk__exact=1", "pk__gte=1"),
        ("openorder", "status__exact=open", ""),
        ("booksales", "book__exact=1", ""),
    ],
)
def test_later_lists_take_the_same_number_of_queries_for_few_rows_and_for_many(
    admin_page, django_assert_num_queries, django_assert_max_num_queries, path, one, many
):
    with django_assert_max_num_queries(10) as queries:
        few = admin_page(f"/admin/orders/{path}/?{one}").context["cl"].result_count
    # Without a filter the admin knows the full count already.
    with django_assert_max_num_queries(len(queries)):
        assert admin_page(f"/admin/orders/{path}/?{many}").context["cl"].result_count > few


def test_an_invoice_shows_what_came_in(admin_page):
    invoice = Invoice.objects.annotate(parts=Count("payments")).filter(parts=2).first()
    page = admin_page(f"/admin/orders/invoice/?q={invoice.number}").content.decode()
    assert f'<td class="field-received">{invoice.amount:.2f}</td>' in page
    page = admin_page(f"/admin/orders/invoice/{invoice.pk}/change/").content.decode()
    assert "5.00 by" in page


def test_sales_can_be_looked_at_and_nothing_else(admin_page, admin_client):
    page = admin_page("/admin/orders/booksales/").content.decode()
    assert "Pride and Prejudice" in page
    assert admin_client.get("/admin/orders/booksales/add/").status_code == 403
