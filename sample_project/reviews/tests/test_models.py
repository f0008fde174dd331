from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from catalog.models import Author, Book
from reviews.models import Review, Tag, Tagging, TagGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def emma():
    return Book.objects.get(title="Emma")


@pytest.fixture
def mira():
    return User.objects.create(username="mira.review")


@pytest.fixture
def review(emma, mira):
    return Review.objects.create(thing=emma, reviewer=mira, stars=4)


class TestAbout:
    def test_a_review_is_about_whatever_it_was_given(self, review, emma, mira):
        austen = Author.objects.get(name="Jane Austen")
        other = Review.objects.create(thing=austen, reviewer=mira, stars=5)
        assert (review.thing, other.thing) == (emma, austen)
        assert review in emma.reviews.all()
        assert other in austen.reviews.all()
        assert other not in emma.reviews.all()

    def test_the_relation_can_be_followed_from_either_side(self, review, emma):
        assert review in Review.objects.filter(book__title="Emma")
        assert emma in Book.objects.filter(reviews__pk=review.pk)
        assert not Review.objects.filter(author__name="Emma").exists()

    def test_things_of_several_kinds_take_one_query_for_each_kind(self, django_assert_num_queries):
        ContentType.objects.get_for_models(Book, Author)
        with django_assert_num_queries(3):
            kinds = {type(review.thing) for review in Review.objects.prefetch_related("thing")}
        assert kinds == {Book, Author}

    def test_what_was_said_goes_with_the_book_withdrawn_or_not(self, mira):
        book = Book.objects.create(title="Mensagem", slug="mensagem", author_id=1, price=5)
        review = Review.objects.create(thing=book, reviewer=mira, stars=4)
        review.delete()
        book.taggings.create(tag=Tag.objects.first())
        book.delete()
        assert not Review.everything.filter(pk=review.pk).exists()
        assert not Tagging.objects.about_any(Book).filter(object_id=review.object_id).exists()

    @pytest.mark.parametrize("model", [Review, Tagging])
    def test_there_is_an_index_for_the_pair(self, model):
        assert ["content_type", "object_id"] in [index.fields for index in model._meta.indexes]


class TestReview:
    def test_it_has_one_to_five_stars(self, emma):
        for stars in (0, 6):
            with pytest.raises(IntegrityError, match="review_1_to_5_stars"), transaction.atomic():
                Review.objects.create(thing=emma, stars=stars)

    def test_a_reviewer_has_one_live_review_of_a_thing(self, review, emma, mira):
        second = Review(thing=emma, reviewer=mira, stars=1)
        with pytest.raises(ValidationError, match="reviewed this already"):
            second.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            second.save()
        review.delete()
        second.save()
        assert list(Review.objects.by("mira.review")) == [second]

    def test_it_outlives_the_account(self, review, mira):
        mira.delete()
        review.refresh_from_db()
        assert review.reviewer is None
        assert review in Review.objects.anonymous()


class TestSoftDeletion:
    def test_deleting_withdraws(self, review):
        assert review.delete() == (1, {"reviews.Review": 1})
        assert not Review.objects.filter(pk=review.pk).exists()
        kept = Review.everything.get(pk=review.pk)
        assert kept.withdrawn is not None
        assert kept.updated >= kept.withdrawn

    def test_deleting_twice_changes_nothing(self, review):
        review.delete()
        time = review.withdrawn
        assert review.delete() == (0, {})
        assert Review.everything.get(pk=review.pk).withdrawn == time

    def test_many_are_withdrawn_by_one_statement(self, django_assert_num_queries, emma):
        count = Review.objects.about(emma).count()
        with django_assert_num_queries(1):
            assert Review.objects.about(emma).delete() == (count, {"reviews.Review": count})
        assert not Review.objects.about(emma).exists()
        assert Review.everything.about(emma).count() >= count
        assert Review.objects.about(emma).delete() == (0, {})

    def test_the_relation_of_a_book_hides_and_withdraws_too(self, review, emma):
        emma.reviews.all().delete()
        assert emma.reviews.count() == 0
        assert Review.everything.about(emma).exists()

    def test_restoring(self, review):
        review.delete()
        review.restore()
        assert Review.objects.get(pk=review.pk).withdrawn is None
        review.delete()
        assert Review.everything.filter(pk=review.pk).restore() == 1
        assert Review.objects.filter(pk=review.pk).exists()

    def test_restoring_beside_a_newer_review_is_refused(self, review, emma, mira):
        review.delete()
        assert review.may_be_restored()
        Review.objects.create(thing=emma, reviewer=mira, stars=1)
        assert not review.may_be_restored()
        with pytest.raises(IntegrityError), transaction.atomic():
            review.restore()

    def test_without_a_reviewer_there_is_nobody_to_say_it_twice(self, emma):
        first = Review.objects.create(thing=emma, stars=1)
        first.delete()
        Review.objects.create(thing=emma, stars=2)
        assert first.may_be_restored()

    def test_hard_deletion_is_for_good(self, review):
        assert review.hard_delete() == (1, {"reviews.Review": 1})
        assert not Review.everything.filter(pk=review.pk).exists()

    def test_hard_deletion_of_many_takes_the_withdrawn(self, review):
        review.delete()
        Review.everything.filter(pk=review.pk).hard_delete()
        assert not Review.everything.filter(pk=review.pk).exists()

    def test_a_withdrawn_review_can_be_read_again_and_saved(self, review):
        """By the base manager, which hides nothing; it is the default manager that hides."""
        review.delete()
        review.refresh_from_db()
        review.stars = 1
        review.save()
        assert Review.everything.get(pk=review.pk).stars == 1
        assert Review._default_manager.count() < Review._base_manager.count()

    def test_no_manager_deletes_everything_by_accident(self):
        for manager in (Review.objects, Review.everything):
            for name in ("delete", "hard_delete", "restore"):
                assert not hasattr(manager, name)

    def test_a_template_cannot_delete(self):
        assert Review.delete.alters_data
        assert Review.hard_delete.alters_data
        assert Review.restore.alters_data

    def test_a_fixture_keeps_the_time(self, review):
        review.delete()
        (copy,) = serializers.deserialize("json", serializers.serialize("json", [review]))
        assert copy.object.withdrawn is not None

    def test_bringing_back_has_a_permission(self):
        assert Permission.objects.filter(codename="restore_review", content_type__app_label="reviews").exists()


class TestTags:
    def test_a_tag_falls_into_other_unless_it_has_a_group(self):
        assert Tag.objects.create(name="Short").group.name == "Other"

    def test_the_tags_of_a_group_that_goes_fall_into_other(self):
        theme = TagGroup.objects.get(name="Theme")
        names = set(theme.tags.values_list("name", flat=True))
        assert len(names) == 8
        theme.delete()
        assert set(Tag.objects.filter(group=TagGroup.OTHER).values_list("name", flat=True)) >= names

    def test_a_name_is_used_once_whatever_its_capitals(self):
        with pytest.raises(ValidationError, match="such a tag already"):
            Tag(name="LOVE").full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            Tag.objects.create(name="love")

    def test_a_thing_has_a_tag_once(self, emma):
        tag = Tag.objects.create(name="Short")
        emma.taggings.create(tag=tag)
        with pytest.raises(IntegrityError), transaction.atomic():
            emma.taggings.create(tag=tag)

    def test_taggings_go_with_the_tag(self, emma):
        tag = Tag.objects.create(name="Short")
        tagging = emma.taggings.create(tag=tag)
        tag.delete()
        assert not Tagging.objects.filter(pk=tagging.pk).exists()

    def test_taggings_have_no_permissions_of_their_own(self):
        assert not Permission.objects.filter(content_type__model="tagging").exists()


def test_names():
    review = Review(stars=3, created=datetime(2026, 1, 1, tzinfo=UTC))
    assert str(review) == "3 of 5 stars"
    assert str(TagGroup(name="Mood")) == "Mood"
    assert str(Tagging(tag=Tag(name="Sea"))) == "Sea"
