"""Who can do what with books, authors and orders, and what comes back."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from api.viewsets import BookViewSet
from catalog.models import Author, Book, PriceChange
from orders.models import Order, Stock
from reviews.models import Review

BOOKS = "/api/v1/books/"
ORDERS = "/api/v1/orders/"


def annas_order(status):
    return Order.objects.filter(customer__username="anna", status=status).first()


class TestBooks:
    def test_everybody_reads(self, anybody):
        emma = anybody.get(f"{BOOKS}emma/").json()
        assert emma["title"] == "Emma"
        assert emma["author"] == {
            "id": 1,
            "url": "http://testserver/api/v1/authors/jane-austen/",
            "slug": "jane-austen",
            "name": "Jane Austen",
        }
        assert emma["genres"] == ["romance", "satire"]
        assert (emma["price"], emma["isbn"], emma["in_stock"]) == ("9.50", "9789999900041", True)

    def test_a_list_has_less_than_a_book_alone(self, anybody):
        listed = anybody.get(BOOKS).json()["results"][0]
        alone = anybody.get(listed["url"]).json()
        assert alone.keys() - listed.keys() == {
            "publisher",
            "rating",
            "added",
            "review_count",
            "review_average",
            "reviews",
        }
        assert {name: alone[name] for name in listed} == listed

    def test_withdrawn_reviews_do_not_count(self, anybody):
        before = anybody.get(f"{BOOKS}emma/").json()["review_count"]
        Review.objects.about(Book.objects.get(slug="emma")).first().delete()
        assert anybody.get(f"{BOOKS}emma/").json()["review_count"] == before - 1

    def test_an_unknown_book_is_not_found(self, anybody):
        response = anybody.get(f"{BOOKS}nowhere/")
        assert (response.status_code, response["Content-Type"]) == (404, "application/json")

    def test_booksellers_add_books(self, bookseller, new_book):
        response = bookseller.post(BOOKS, {**new_book, "genres": ["satire"], "isbn": "978-99999-9999-1"})
        assert response.status_code == 201
        assert response["Location"] == response.json()["url"] == f"http://testserver{BOOKS}the-watsons/"
        book = Book.objects.get(slug="the-watsons")
        assert (book.author.name, book.isbn, book.in_print) == ("Jane Austen", "9789999999991", True)
        assert [genre.slug for genre in book.genres.all()] == ["satire"]

    def test_what_the_database_fills_in_is_answered(self, bookseller, new_book):
        assert bookseller.post(BOOKS, new_book).json()["in_print"] is True

    def test_a_part_of_a_book_is_changed(self, bookseller):
        response = bookseller.patch(f"{BOOKS}emma/", {"pages": 500, "genres": ["romance"]})
        assert response.status_code == 200
        assert (response.json()["pages"], response.json()["genres"]) == (500, ["romance"])
        assert Book.objects.get(slug="emma").pages == 500

    def test_a_price_takes_a_permission_of_its_own(self, bookseller, manager):
        response = bookseller.patch(f"{BOOKS}emma/", {"price": "1.00"})
        assert response.status_code == 403
        assert response.json() == {"detail": "You may change this book, but not its price."}
        assert bookseller.patch(f"{BOOKS}emma/", {"price": "9.50"}).status_code == 200
        assert manager.patch(f"{BOOKS}emma/", {"price": "1.00"}).json()["price"] == "1.00"

    def test_the_history_of_prices_knows_of_each(self, manager, new_book):
        manager.post(BOOKS, new_book)
        manager.post(f"{BOOKS}bulk/", [{**new_book, "title": "Sanditon", "slug": "sanditon"}])
        manager.patch(f"{BOOKS}sanditon/", {"price": "1.00"})
        manager.patch(f"{BOOKS}emma/", {"pages": 477, "price": "9.50"})
        today = timezone.localdate()
        changes = PriceChange.objects.filter(valid_from=today).order_by("book__slug")
        assert list(changes.values_list("book__slug", "price")) == [
            ("sanditon", Decimal("1.00")),
            ("the-watsons", Decimal("6.50")),
        ]

    def test_managers_delete_books(self, bookseller, manager, new_book):
        bookseller.post(BOOKS, new_book)
        assert bookseller.delete(f"{BOOKS}the-watsons/").status_code == 403
        assert manager.delete(f"{BOOKS}the-watsons/").status_code == 204
        assert not Book.objects.filter(slug="the-watsons").exists()

    def test_bestselling(self, anybody):
        best = anybody.get(f"{BOOKS}bestselling/").json()
        assert len(best) == 10
        assert [(book["title"], book["sold"]) for book in best[:2]] == [("Pride and Prejudice", 148), ("Dracula", 116)]

    @pytest.mark.parametrize(("slug", "copies"), [("emma", 20), ("northanger-abbey", 0), ("peer-gynt", 0)])
    def test_stock_is_nothing_where_there_is_no_row(self, anybody, slug, copies):
        Stock.objects.filter(book__slug="emma").update(quantity=20)
        assert anybody.get(f"{BOOKS}{slug}/stock/").json() == {"book": slug, "quantity": copies}
        assert anybody.get(f"{BOOKS}{slug}/").json()["in_stock"] is (copies > 0)


class TestManyBooks:
    def test_all_are_taken(self, bookseller, new_book):
        books = [new_book, {**new_book, "title": "Sanditon", "slug": "sanditon"}]
        response = bookseller.post(f"{BOOKS}bulk/", books)
        assert response.status_code == 201
        assert [book["title"] for book in response.json()] == ["The Watsons", "Sanditon"]
        assert Book.objects.filter(slug__in=["the-watsons", "sanditon"]).count() == 2

    def test_errors_name_the_book_by_its_place_and_none_is_taken(self, bookseller, new_book):
        books = [new_book, {"title": "Sanditon"}, {**new_book, "slug": "emma", "title": "Emma II", "price": "-1"}]
        response = bookseller.post(f"{BOOKS}bulk/", books)
        assert response.status_code == 400
        assert response.json() == {
            "1": {name: ["This field is required."] for name in ["slug", "author_id", "price"]},
            "2": {
                "slug": ["Another book has this slug."],
                "price": ["Ensure this value is greater than or equal to 0."],
            },
        }
        assert not Book.objects.filter(slug="the-watsons").exists()

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"title": "Sanditon"}, {"slug": ["the-watsons is there twice."]}),
            ({"slug": "sanditon"}, {"title": ["The Watsons is there twice."]}),
        ],
    )
    def test_books_of_one_request_differ(self, bookseller, new_book, change, error):
        response = bookseller.post(f"{BOOKS}bulk/", [new_book, {**new_book, **change}])
        assert (response.status_code, response.json()) == (400, error)

    def test_isbns_of_one_request_differ_however_they_are_written(self, bookseller, new_book):
        other = {**new_book, "title": "Sanditon", "slug": "sanditon", "isbn": "9789999999991"}
        response = bookseller.post(f"{BOOKS}bulk/", [{**new_book, "isbn": "978-99999-9999-1"}, other])
        assert (response.status_code, response.json()) == (400, {"isbn": ["9789999999991 is there twice."]})

    def test_one_fails_and_none_stays(self, bookseller, new_book, monkeypatch):
        monkeypatch.setattr("api.serializers.BookListSerializer.validate", lambda self, books: books)
        bookseller.raise_request_exception = False
        assert bookseller.post(f"{BOOKS}bulk/", [new_book, new_book]).status_code == 500
        assert not Book.objects.filter(slug="the-watsons").exists()

    def test_not_none_and_not_too_many(self, bookseller, new_book):
        none = bookseller.post(f"{BOOKS}bulk/", [])
        assert none.json() == {"non_field_errors": ["This list may not be empty."]}
        many = bookseller.post(f"{BOOKS}bulk/", [new_book] * 101)
        assert many.json() == {"non_field_errors": ["Ensure this field has no more than 100 elements."]}


class TestReviewsOfABook:
    REVIEWS = f"{BOOKS}emma/reviews/"

    def test_newest_first(self, anybody):
        answer = anybody.get(f"{BOOKS}pride-and-prejudice/reviews/").json()
        created = [review["created"] for review in answer["results"]]
        assert answer["count"] == 10
        assert created == sorted(created, reverse=True)

    def test_a_customer_writes_one_in_their_own_name(self, customer, anna):
        response = customer.post(self.REVIEWS, {"stars": 5, "text": "Again!", "reviewer": 1})
        assert response.status_code == 201
        assert response.json()["by"] == "anna"
        assert Review.objects.about(Book.objects.get(slug="emma")).filter(reviewer=anna).get().text == "Again!"

    def test_a_second_one_is_refused(self, customer):
        customer.post(self.REVIEWS, {"stars": 5})
        response = customer.post(self.REVIEWS, {"stars": 3})
        assert response.status_code == 400
        assert list(response.json()) == ["non_field_errors"]

    def test_a_second_one_at_the_same_moment_is_refused_by_the_database(self, customer, monkeypatch):
        customer.post(self.REVIEWS, {"stars": 5})
        refused = customer.post(self.REVIEWS, {"stars": 3}).json()
        monkeypatch.setattr("api.serializers.ReviewSerializer.validate", lambda self, attrs: attrs)
        response = customer.post(self.REVIEWS, {"stars": 3})
        assert (response.status_code, response.json()) == (400, refused)

    def test_after_withdrawing_another_may_be_written(self, customer):
        url = customer.post(self.REVIEWS, {"stars": 5}).json()["url"]
        assert customer.delete(url).status_code == 204
        assert customer.post(self.REVIEWS, {"stars": 3}).status_code == 201

    @pytest.mark.parametrize("text", [{}, {"text": " "}])
    def test_few_stars_need_a_reason_as_on_the_page(self, customer, text):
        response = customer.post(self.REVIEWS, {"stars": 2, **text})
        assert (response.status_code, list(response.json())) == (400, ["text"])
        review = customer.post(self.REVIEWS, {"stars": 3}).json()
        assert customer.patch(review["url"], {"stars": 1}).status_code == 400
        assert customer.patch(review["url"], {"stars": 1, "text": "It fell apart."}).status_code == 200

    def test_stars_are_one_to_five(self, customer):
        response = customer.post(self.REVIEWS, {"stars": 6})
        assert response.json() == {"stars": ["Ensure this value is less than or equal to 5."]}


class TestAuthors:
    def test_an_author_has_the_first_five_books(self, anybody):
        austen = anybody.get("/api/v1/authors/jane-austen/").json()
        assert austen["book_count"] == 6
        assert [book["published"] for book in austen["books"]] == [1811, 1813, 1814, 1815, 1817]

    def test_the_list_says_the_same(self, anybody):
        listed = anybody.get("/api/v1/authors/?search=Austen").json()["results"]
        assert listed == [anybody.get("/api/v1/authors/jane-austen/").json()]

    def test_an_author_without_books(self, anybody):
        sand = anybody.get("/api/v1/authors/george-sand/").json()
        assert (sand["book_count"], sand["books"]) == (0, [])

    def test_nobody_writes_authors(self, manager):
        response = manager.post("/api/v1/authors/", {"name": "Jane Doe"})
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert not Author.objects.filter(name="Jane Doe").exists()


class TestOrders:
    def test_a_customer_sees_their_own(self, customer):
        orders = customer.get(f"{ORDERS}?page_size=100").json()["results"]
        assert len(orders) == 33
        assert {order["customer"] for order in orders} == {"anna"}

    def test_who_works_in_the_shop_sees_all(self, bookseller):
        orders = bookseller.get(f"{ORDERS}?page_size=100").json()
        assert len({order["customer"] for order in orders["results"]}) > 10

    def test_to_be_staff_is_not_enough(self, customer):
        """Ida is staff, and in no group: the admin site shows her no orders either."""
        ida = APIClient()
        ida.force_login(User.objects.get(username="ida"))
        assert ida.get(ORDERS).json()["results"] == []
        assert ida.get(customer.get(ORDERS).json()["results"][0]["url"]).status_code == 404

    def test_an_order_of_somebody_else_is_not_there(self, customer, bookseller):
        number = Order.objects.exclude(customer__username="anna").first().number
        assert customer.get(f"{ORDERS}{number}/").status_code == 404
        assert bookseller.get(f"{ORDERS}{number}/").status_code == 200

    def test_an_order_comes_with_its_lines(self, customer):
        order = Order.objects.get(number="2026-001339")
        shown = customer.get(f"{ORDERS}2026-001339/").json()
        assert shown["total"] == "43.25"
        assert shown["lines"][0] == {
            "book": "quo-vadis",
            "title": "Quo Vadis",
            "quantity": 1,
            "unit_price": "10.50",
            "amount": "10.50",
        }
        assert len(shown["lines"]) == order.lines.count()

    def test_placing_one_takes_copies_from_the_shelf(self, customer, anna):
        before = Stock.objects.get(book__slug="emma").quantity
        response = customer.post(ORDERS, {"lines": [{"book": "emma", "quantity": 2}, {"book": "persuasion"}]})
        assert response.status_code == 201
        answer = response.json()
        assert (answer["customer"], answer["status"], answer["total"]) == ("anna", "open", "27.50")
        order = Order.objects.get(number=answer["number"])
        assert (order.customer, order.lines.count()) == (anna, 2)
        assert Stock.objects.get(book__slug="emma").quantity == before - 2

    def test_the_shop_says_what_it_costs_and_who_pays(self, customer):
        line = {"book": "emma", "quantity": 1, "unit_price": "0.01", "amount": "0.01"}
        answer = customer.post(ORDERS, {"lines": [line], "customer": "mira", "status": "shipped"}).json()
        assert (answer["customer"], answer["status"], answer["total"]) == ("anna", "open", "9.50")

    def test_a_note_is_no_book(self, customer):
        lines = [{"book": "emma"}]
        assert customer.post(ORDERS, {"lines": lines, "note": "x" * 501}).json().keys() == {"note"}
        assert customer.post(ORDERS, {"lines": lines, "note": "x" * 500}).status_code == 201

    def test_errors_name_the_line(self, customer):
        lines = [{"book": "emma", "quantity": 0}, {"book": "persuasion"}, {"book": "nowhere"}]
        response = customer.post(ORDERS, {"lines": lines})
        assert response.status_code == 400
        assert response.json() == {
            "lines": {
                "0": {"quantity": ["Ensure this value is greater than or equal to 1."]},
                "2": {"book": ["Object with slug=nowhere does not exist."]},
            }
        }

    def test_a_book_is_in_one_line(self, customer):
        response = customer.post(ORDERS, {"lines": [{"book": "emma"}, {"book": "emma"}]})
        assert response.json() == {"lines": ["Emma is there twice. Ask for more copies instead."]}

    @pytest.mark.parametrize("content", [{}, {"lines": []}])
    def test_an_order_has_lines(self, customer, content):
        response = customer.post(ORDERS, content)
        assert (response.status_code, list(response.json())) == (400, ["lines"])

    def test_what_is_not_left_is_a_conflict_and_changes_nothing(self, customer, anna):
        orders = anna.orders.count()
        response = customer.post(ORDERS, {"lines": [{"book": "emma"}, {"book": "northanger-abbey"}]})
        assert response.status_code == 409
        assert response.json()["code"] == "out_of_stock"
        assert anna.orders.count() == orders

    def test_orders_are_neither_changed_nor_deleted(self, manager):
        for method in [manager.put, manager.patch, manager.delete]:
            assert method(f"{ORDERS}2026-001339/").status_code == 405

    def test_a_customer_cancels_and_the_copies_come_back(self, customer):
        number = customer.post(ORDERS, {"lines": [{"book": "emma", "quantity": 2}]}).json()["number"]
        before = Stock.objects.get(book__slug="emma").quantity
        response = customer.post(f"{ORDERS}{number}/cancel/")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        assert Stock.objects.get(book__slug="emma").quantity == before + 2

    def test_what_was_shipped_is_not_cancelled(self, customer):
        order = annas_order(Order.Status.SHIPPED)
        response = customer.post(f"{ORDERS}{order.number}/cancel/")
        assert (response.status_code, response.json()["code"]) == (409, "not_cancellable")

    def test_seeing_an_order_is_not_cancelling_it(self, bookseller, manager, customer):
        number = customer.post(ORDERS, {"lines": [{"book": "emma"}]}).json()["number"]
        assert bookseller.post(f"{ORDERS}{number}/cancel/").status_code == 403
        assert manager.post(f"{ORDERS}{number}/cancel/").status_code == 200

    def test_cancelling_is_posted(self, customer):
        assert customer.get(f"{ORDERS}2026-001339/cancel/").status_code == 405


def test_the_router_names_the_urls():
    version = {"version": "v1"}
    assert reverse("api:book-list", kwargs=version) == BOOKS
    assert reverse("api:book-detail", kwargs={**version, "slug": "emma"}) == f"{BOOKS}emma/"
    assert reverse("api:book-bestselling", kwargs=version) == f"{BOOKS}bestselling/"
    assert reverse("api:order-cancel", kwargs={**version, "number": "2026-000001"}) == f"{ORDERS}2026-000001/cancel/"
    assert [action.url_name for action in BookViewSet.get_extra_actions()] == [
        "bestselling",
        "bulk",
        "reviews",
        "stock",
    ]
