import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, Group

from accounts.models import User
from catalog.models import Book
from reviews.models import Review

pytestmark = pytest.mark.django_db
OWN = ["reviews.view_review", "reviews.change_review", "reviews.delete_review"]


@pytest.fixture(params=["sync", "async"])
def may(request):
    """Whether a user has a permission, asked in one of two ways."""
    if request.param == "sync":
        return lambda user, *args: user.has_perm(*args)
    return lambda user, *args: async_to_sync(user.ahas_perm)(*args)


@pytest.fixture
def anna():
    return User.objects.get(username="anna")


@pytest.fixture
def review(anna):
    return Review.objects.by("anna").first()


def member(group, **fields):
    user = User.objects.create(username="clerk", is_staff=True, **fields)
    user.groups.add(Group.objects.get(name=group))
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("perm", OWN)
def test_customers_may_do_as_they_like_with_their_own(may, anna, review, perm):
    assert may(anna, perm, review)
    assert not may(anna, perm)
    assert not may(anna, perm, Review.objects.exclude(reviewer=anna).first())


def test_owning_is_not_all(may, anna, review):
    assert not may(anna, "reviews.restore_review", review)
    assert not may(anna, "orders.change_order", review)


def test_booksellers_may_change_any_and_delete_only_what_their_group_may(may, review):
    bookseller = member("Booksellers")
    assert may(bookseller, "reviews.change_review", review)
    assert not may(bookseller, "reviews.delete_review", review)


def test_a_permission_for_all_of_another_model_says_nothing_about_one_of_them(may):
    bookseller, emma = member("Booksellers"), Book.objects.get(title="Emma")
    assert may(bookseller, "catalog.change_book")
    assert not may(bookseller, "catalog.change_book", emma)


@pytest.mark.parametrize("perm", OWN)
def test_nobody_owns_what_nobody_signed(may, anna, perm):
    anonymous = Review.objects.anonymous().first()
    assert not may(AnonymousUser(), perm, anonymous)
    assert not may(anna, perm, anonymous)


def test_inactive_accounts_may_nothing(may, anna, review):
    anna.is_active = False
    assert not may(anna, "reviews.change_review", review)


def test_superusers_are_not_asked_for(may, review):
    assert may(User(username="boss", is_superuser=True), "reviews.restore_review", review)


def test_a_review_costs_no_query_for_its_owner(anna, review, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert anna.has_perm("reviews.change_review", review)
