from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import User
from catalog.models import Author, Book
from reviews.models import Review
from storefront.forms import ReviewForm

pytestmark = pytest.mark.django_db

LIST, NEW = "/books/emma/reviews/", "/books/emma/reviews/new/"


@pytest.fixture
def review(emma, customer):
    return Review.objects.create(thing=emma, reviewer=customer, stars=4, text="Clever")


def change(review):
    return reverse("storefront:review-update", args=[review.pk])


def withdraw(review):
    return reverse("storefront:review-delete", args=[review.pk])


class TestReading:
    def test_everybody_sees_the_live_reviews_newest_first(self, client):
        pride = Book.objects.get(slug="pride-and-prejudice")
        shown = list(client.get(reverse("storefront:reviews", args=[pride.slug])).context["reviews"])
        assert shown == list(Review.objects.about(pride).newest())
        assert len(shown) == 10

    def test_a_withdrawn_review_is_not_shown(self, client, review):
        assert "Clever" in client.get(LIST).content.decode()
        review.delete()
        assert "Clever" not in client.get(LIST).content.decode()

    def test_a_review_whose_writer_left_is_anonymous(self, client, review):
        review.reviewer.delete()
        assert "Anonymous" in client.get(LIST).content.decode()

    def test_text_of_a_customer_is_text(self, client, review):
        Review.objects.filter(pk=review.pk).update(text="<script>alert(1)</script>")
        assert "<script>alert" not in client.get(LIST).content.decode()

    def test_only_the_writer_is_offered_to_change_it(self, client, shopper, review):
        assert change(review) in shopper.get(LIST).content.decode()
        shopper.logout()
        assert change(review) not in client.get(LIST).content.decode()

    def test_many_reviews_take_no_more_queries_than_few(self, client, emma, django_assert_num_queries):
        Review.objects.about(emma).hard_delete()
        for users in (User.objects.all()[:1], User.objects.all()[1:9]):
            Review.objects.bulk_create(Review(thing=emma, reviewer=user, stars=5) for user in users)
            # The book, how many, which.
            with django_assert_num_queries(3):
                client.get(LIST)

    def test_a_book_that_does_not_exist_has_no_reviews(self, client):
        assert client.get("/books/nothing/reviews/").status_code == 404


class TestWriting:
    def test_it_asks_for_a_login(self, client):
        response = client.post(NEW, {"stars": 5})
        assert response.url.endswith(f"?next={NEW}")

    def test_a_customer_writes_about_the_book_in_the_address(self, shopper, customer, emma):
        response = shopper.post(NEW, {"stars": 5, "text": " Wonderful ", "reviewer": 1, "object_id": 1}, follow=True)
        review = Review.objects.get(reviewer=customer)
        assert (review.thing, review.stars, review.text) == (emma, 5, "Wonderful")
        assert response.redirect_chain == [(LIST, 302)]
        assert "Thank you for your review." in response.content.decode()

    @pytest.mark.parametrize("stars", ["1", "2"])
    def test_few_stars_need_a_reason(self, shopper, customer, stars):
        response = shopper.post(NEW, {"stars": stars, "text": "  "})
        assert response.status_code == 200
        assert response.context["form"].errors == {"text": ["Tell us what was wrong with it."]}
        assert not customer.reviews.exists()

    @pytest.mark.parametrize(("stars", "text"), [("3", ""), ("2", "Too long")])
    def test_more_stars_need_none(self, shopper, stars, text):
        assert shopper.post(NEW, {"stars": stars, "text": text}).status_code == 302

    @pytest.mark.parametrize("stars", ["0", "6", "five", ""])
    def test_there_are_one_to_five_stars(self, shopper, stars):
        assert list(shopper.post(NEW, {"stars": stars, "text": "x"}).context["form"].errors) == ["stars"]

    def test_a_second_review_of_the_same_book_is_an_error_of_the_form(self, shopper, review):
        response = shopper.post(NEW, {"stars": 5})
        assert response.status_code == 200
        assert response.context["form"].non_field_errors() == [
            "You have reviewed this already. Withdraw that review first."
        ]
        assert "reviewed this already" in response.content.decode()

    def test_what_the_constraint_says_is_translated(self, shopper, review):
        page = shopper.post(NEW, {"stars": 4}, headers={"accept-language": "de"}).content.decode()
        assert "Dazu haben Sie schon eine Rezension geschrieben." in page

    def test_so_it_is_where_another_tab_was_faster(self, shopper, review):
        # What the form asks finds nothing yet; the row is refused by the database.
        with mock.patch.object(Review, "validate_constraints"):
            response = shopper.post(NEW, {"stars": 5})
        assert response.status_code == 200
        assert "reviewed this already" in response.content.decode()
        assert Review.objects.count() == Review.objects.filter(withdrawn=None).count()

    def test_after_withdrawing_one_may_write_again(self, shopper, customer, review):
        review.delete()
        assert shopper.post(NEW, {"stars": 5}).status_code == 302
        assert Review.everything.filter(reviewer=customer).count() == 2

    def test_the_stars_are_radio_buttons_with_names(self, shopper):
        shown = shopper.get(NEW).content.decode()
        assert shown.count('type="radio" name="stars"') == 5
        assert '<span class="hidden"> of 5 stars</span>' in shown


class TestChanging:
    def test_the_writer_changes_stars_and_text(self, shopper, review):
        assert shopper.post(change(review), {"stars": 5, "text": "Even better"}).url == LIST
        review.refresh_from_db()
        assert (review.stars, review.text) == (5, "Even better")

    def test_the_form_shows_what_was_said(self, shopper, review):
        shown = shopper.get(change(review)).content.decode()
        assert "Clever" in shown
        assert shown.count("checked") == 1

    @pytest.mark.parametrize("path", [change, withdraw])
    def test_another_customer_does_not_find_it(self, client, review, path):
        client.force_login(User.objects.get(username="anna"))
        assert client.get(path(review)).status_code == 404
        assert client.post(path(review), {"stars": 1, "text": "Hacked"}).status_code == 404
        review.refresh_from_db()
        assert (review.text, review.withdrawn) == ("Clever", None)

    @pytest.mark.parametrize("path", [change, withdraw])
    def test_it_asks_for_a_login(self, client, review, path):
        assert client.post(path(review)).status_code == 302
        review.refresh_from_db()
        assert review.withdrawn is None

    @pytest.mark.parametrize("path", [change, withdraw])
    def test_a_withdrawn_review_is_gone_for_its_writer(self, shopper, review, path):
        review.delete()
        assert shopper.get(path(review)).status_code == 404

    def test_a_review_of_an_author_is_not_one_of_a_book(self, shopper, customer):
        review = Review.objects.create(thing=Author.objects.first(), reviewer=customer, stars=4)
        assert shopper.get(change(review)).status_code == 404


class TestWithdrawing:
    def test_the_row_stays(self, shopper, review):
        response = shopper.post(withdraw(review), follow=True)
        assert response.redirect_chain == [(LIST, 302)]
        assert "has been withdrawn" in response.content.decode()
        assert not Review.objects.filter(pk=review.pk).exists()
        assert Review.everything.get(pk=review.pk).withdrawn

    def test_a_link_withdraws_nothing(self, shopper, review):
        assert shopper.get(withdraw(review)).status_code == 200
        assert Review.objects.filter(pk=review.pk).exists()


def test_the_form_says_what_the_constraint_says(review, emma, customer):
    form = ReviewForm({"stars": "5"}, instance=Review(thing=emma, reviewer=customer))
    with pytest.raises(ValidationError) as raised:
        Review(thing=emma, reviewer=customer, stars=5).validate_constraints()
    assert form.non_field_errors() == raised.value.messages
