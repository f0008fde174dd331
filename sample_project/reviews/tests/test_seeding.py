import pytest
from django.db.models import Count, F

from accounts.models import User
from catalog.models import Author, Book
from reviews.models import Review, Tag, Tagging

pytestmark = pytest.mark.django_db


def test_the_unusual_is_there_on_purpose():
    assert Tag.objects.filter(taggings=None).count() == 1
    assert Book.objects.filter(taggings=None).exists()
    assert Book.objects.filter(reviews=None).exists()
    assert Review.objects.anonymous().exists()
    assert Review.everything.withdrawn().exists()
    assert Review.objects.filter(text="").exists()


def test_somebody_withdrew_a_review_and_wrote_another():
    written_twice = (
        Review.everything.exclude(reviewer=None)
        .order_by()
        .values("reviewer", "content_type", "object_id")
        .annotate(times=Count("pk"))
        .filter(times=2)
    )
    assert written_twice
    for row in written_twice:
        same = {name: row[name] for name in ("reviewer", "content_type", "object_id")}
        assert Review.objects.filter(**same).count() == 1


def test_nobody_reviews_before_joining_nor_a_book_before_it_was_added():
    assert not Review.everything.filter(created__lt=F("reviewer__date_joined")).exists()
    assert not Review.everything.filter(created__lt=F("book__added")).exists()


def test_the_staff_and_those_who_only_look_around_say_nothing():
    assert not Review.everything.filter(reviewer__is_staff=True).exists()
    assert not User.objects.filter(pk__endswith="7").exclude(reviews=None).exists()


def test_everything_is_about_a_thing_that_is_there():
    for model in (Review, Tagging):
        for row in model._base_manager.prefetch_related("thing"):
            assert isinstance(row.thing, (Book, Author))


def test_reviews_are_numbered_in_the_order_of_time():
    created = list(Review.everything.order_by("pk").values_list("created", flat=True))
    assert created == sorted(created)


def test_what_a_book_is_about_follows_from_its_genre():
    love = Book.objects.tagged("Love")
    assert love.exists()
    assert not love.exclude(genres__name__in=["Poetry", "Romance"]).exists()
