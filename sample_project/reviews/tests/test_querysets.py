import pytest

from accounts.models import User
from catalog.models import AudioBook, Author, Book
from reviews.models import Review, Tagging

pytestmark = pytest.mark.django_db


def test_about_takes_a_thing():
    pride = Book.objects.get(title="Pride and Prejudice")
    reviews = Review.objects.about(pride)
    assert set(reviews) == set(pride.reviews.all())
    assert reviews.count() > 5


def test_a_recording_is_another_thing_than_its_book():
    assert not Review.objects.about(AudioBook.objects.get(title="Pride and Prejudice")).exists()


def test_an_author_and_a_book_with_the_same_key_are_kept_apart():
    first_book, first_author = Book.objects.get(pk=1), Author.objects.get(pk=1)
    assert not set(Review.everything.about(first_book)) & set(Review.everything.about(first_author))


def test_about_any_takes_a_model():
    assert Review.objects.about_any(Author).count() + Review.objects.about_any(Book).count() == Review.objects.count()
    assert Tagging.objects.about_any(Author).exists()


def test_by_takes_a_username():
    username = Review.objects.exclude(reviewer=None).first().reviewer.username
    assert set(Review.objects.by(username)) == set(User.objects.get(username=username).reviews.all())


def test_praising_and_panning_leave_out_the_lukewarm():
    assert set(Review.objects.praising().values_list("stars", flat=True)) == {4, 5}
    assert set(Review.objects.panning().values_list("stars", flat=True)) == {1, 2}


def test_newest():
    created = list(Review.objects.newest().values_list("created", flat=True))
    assert created == sorted(created, reverse=True)


def test_live_and_withdrawn_are_all():
    assert set(Review.everything.live()) == set(Review.objects.all())
    assert Review.everything.live().count() + Review.everything.withdrawn().count() == 400
    assert not Review.objects.withdrawn().exists()


def test_questions_can_be_put_together():
    praise = Review.objects.about_any(Book).praising().newest()
    assert praise.exists()
    assert all(review.stars >= 4 for review in praise)
