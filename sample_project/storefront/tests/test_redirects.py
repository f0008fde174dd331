import pytest

from catalog.models import Book
from orders.models import OrderLine
from storefront.cart import Cart

pytestmark = pytest.mark.django_db


def test_301_an_old_address_leads_to_the_new_one_for_good(client, emma):
    response = client.get(f"/book/{emma.pk}/")
    assert (response.status_code, response.url) == (301, "/books/emma/")


def test_an_old_address_of_nothing_is_not_found(client):
    assert client.get("/book/9999/").status_code == 404


def test_302_the_bestseller_is_another_one_tomorrow(client):
    response = client.get("/bestseller/")
    assert (response.status_code, response.url) == (302, "/books/pride-and-prejudice/")
    assert "no-store" in response["Cache-Control"]
    OrderLine.objects.filter(book__slug="pride-and-prejudice").delete()
    assert client.get("/bestseller/").url == "/books/dracula/"


def test_307_the_button_for_the_bestseller_stays_a_post(client):
    response = client.post("/cart/add-bestseller/", {"quantity": 2})
    assert (response.status_code, response.url) == (307, "/cart/add/pride-and-prejudice/")
    followed = client.post("/cart/add-bestseller/", {"quantity": 2}, follow=True)
    assert followed.redirect_chain[0] == ("/cart/add/pride-and-prejudice/", 307)
    assert Cart(client.session).wanted == {Book.objects.get(slug="pride-and-prejudice").pk: 2}


def test_308_a_form_of_old_still_fills_the_cart(client, emma):
    response = client.post("/basket/add/emma/", {"quantity": 3})
    assert (response.status_code, response.url) == (308, "/cart/add/emma/")
    client.post("/basket/add/emma/", {"quantity": 3}, follow=True)
    assert Cart(client.session).wanted == {emma.pk: 3}


def test_308_holds_for_the_page_as_well(client):
    response = client.get("/basket/")
    assert (response.status_code, response.url) == (308, "/cart/")


@pytest.mark.parametrize("path", ["/bestseller/", "/book/1/"])
def test_what_only_shows_takes_no_post(client, path):
    assert client.post(path).status_code == 405


def test_a_shop_that_sold_nothing_has_no_bestseller(client, empty_shop):
    assert client.get("/bestseller/").status_code == 404
    assert client.post("/cart/add-bestseller/", {"quantity": 1}).status_code == 404
