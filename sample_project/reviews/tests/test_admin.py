import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import Count

from accounts.models import User
from catalog.models import Author, Book
from reviews.models import Review, Tag, TagGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff_client(client):
    """A client whose user is staff and has the given permissions."""

    def log_in(*codenames):
        user = User.objects.create(username="clerk", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="reviews"))
        client.force_login(user)
        return client

    return log_in


@pytest.mark.parametrize(("path", "model"), [("review", Review), ("tag", Tag)])
def test_a_list_takes_the_same_number_of_queries_for_few_rows_and_for_many(
    admin_page, django_assert_max_num_queries, path, model
):
    first, second = model.objects.order_by("pk").values_list("pk", flat=True)[:2]
    admin_page(f"/admin/reviews/{path}/")  # from here on Django remembers the content types
    with django_assert_max_num_queries(12) as few:
        assert admin_page(f"/admin/reviews/{path}/?pk__in={first},{second}").context["cl"].result_count == 2
    # One more at most: reviews are of two kinds of things.
    with django_assert_max_num_queries(len(few) + 1):
        assert admin_page(f"/admin/reviews/{path}/?pk__gte=1").context["cl"].result_count >= 20


def test_groups_are_listed_and_edited_without_a_query_per_tag(admin_page, django_assert_max_num_queries):
    assert '<td class="field-tag_count">8</td>' in admin_page("/admin/reviews/taggroup/").content.decode()
    groups = dict(TagGroup.objects.values_list("name", "pk"))
    with django_assert_max_num_queries(9) as few:
        admin_page(f"/admin/reviews/taggroup/{groups['Reader']}/change/")
    with django_assert_max_num_queries(len(few)):
        admin_page(f"/admin/reviews/taggroup/{groups['Theme']}/change/")


def test_a_tag_shows_what_it_is_on_without_a_query_for_each(admin_page, django_assert_max_num_queries):
    tag = Tag.objects.get(name="Love")
    with django_assert_max_num_queries(12):
        page = admin_page(f"/admin/reviews/tag/{tag.pk}/change/").content.decode()
    assert tag.taggings.count() > 10
    assert tag.taggings.first().thing.title.replace("'", "&#x27;") in page


def test_live_reviews_are_listed_unless_others_are_asked_for(admin_page):
    counts = {
        state: admin_page(f"/admin/reviews/review/?state={state}").context["cl"].result_count
        for state in ("", "withdrawn", "all")
    }
    assert counts[""] == Review.objects.count()
    assert counts["withdrawn"] == Review.everything.withdrawn().count()
    assert counts["all"] == 400


def test_deleting_withdraws(admin_client):
    pks = list(Review.objects.values_list("pk", flat=True)[:2])
    data = {"action": "delete_selected", "_selected_action": pks, "post": "yes"}
    admin_client.post("/admin/reviews/review/", data)
    assert Review.everything.withdrawn().filter(pk__in=pks).count() == 2


def test_reviews_are_brought_back_except_where_there_is_a_newer_one(admin_client):
    ana = User.objects.create(username="ana")
    emma, ulysses = Book.objects.get(title="Emma"), Book.objects.get(title="Ulysses")
    old, other = (Review.objects.create(thing=book, reviewer=ana, stars=1) for book in (emma, ulysses))
    old.delete()
    other.delete()
    Review.objects.create(thing=emma, reviewer=ana, stars=5)
    response = admin_client.post(
        "/admin/reviews/review/?state=withdrawn",
        {"action": "restore", "_selected_action": [old.pk, other.pk]},
        follow=True,
    )
    assert "Brought back: 1. Left withdrawn, as there is a newer one: 1." in response.content.decode()
    assert set(Review.objects.by("ana").values_list("object_id", "stars")) == {(emma.pk, 5), (ulysses.pk, 1)}


def test_bringing_back_needs_its_permission(staff_client):
    page = staff_client("view_review", "change_review").get("/admin/reviews/review/?state=withdrawn")
    assert 'value="restore"' not in page.content.decode()


def test_with_the_permission_it_is_offered(staff_client):
    page = staff_client("view_review", "change_review", "restore_review").get("/admin/reviews/review/?state=withdrawn")
    assert 'value="restore"' in page.content.decode()


def test_who_may_change_a_tag_sees_and_removes_what_it_is_on(staff_client):
    tag = Tag.objects.get(name="Love")
    page = staff_client("view_tag", "change_tag").get(f"/admin/reviews/tag/{tag.pk}/change/").content.decode()
    assert 'name="taggings-0-DELETE"' in page


def test_the_last_group_cannot_be_deleted(admin_client):
    assert admin_client.get(f"/admin/reviews/taggroup/{TagGroup.OTHER}/delete/").status_code == 403
    assert admin_client.get(f"/admin/reviews/taggroup/{TagGroup.OTHER + 1}/delete/").status_code == 200


def test_bringing_back_is_written_down(admin_client, admin_user):
    pk = Review.everything.withdrawn().filter(reviewer=None).values_list("pk", flat=True).first()
    review = Review.everything.get(pk=pk) if pk else Review.objects.create(thing=Book.objects.first(), stars=1)
    review.delete()
    data = {"action": "restore", "_selected_action": [review.pk]}
    admin_client.post("/admin/reviews/review/?state=withdrawn", data)
    assert LogEntry.objects.get(object_id=str(review.pk)).get_change_message() == "Brought back."


class TestOneReview:
    """Asked with the review, `ReviewBackend` answers."""

    def change(self, review):
        return f"/admin/reviews/review/{review.pk}/change/"

    def test_staff_without_more_change_what_they_wrote_themselves(self, staff_client):
        client, clerk = staff_client("view_review"), User.objects.get(username="clerk")
        own = Review.objects.create(thing=Book.objects.get(title="Emma"), reviewer=clerk, stars=3)
        assert client.post(self.change(own), {"stars": 5, "text": "Better at second reading."}).status_code == 302
        own.refresh_from_db()
        assert own.stars == 5
        other = Review.objects.exclude(reviewer=clerk).first()
        assert client.post(self.change(other), {"stars": 1}).status_code == 403

    def test_who_may_change_reviews_changes_any(self, staff_client):
        review = Review.objects.by("anna").first()
        client = staff_client("view_review", "change_review")
        assert client.post(self.change(review), {"stars": 1, "text": "shortened"}).status_code == 302
        review.refresh_from_db()
        assert (review.stars, review.text, review.reviewer.username) == (1, "shortened", "anna")

    def test_a_review_moves_neither_to_another_thing_nor_to_another_reviewer(self, admin_page):
        page = admin_page(self.change(Review.objects.first())).content.decode()
        for name in ("content_type", "object_id", "reviewer"):
            assert f'name="{name}"' not in page
            assert f'name="{name}"' in admin_page("/admin/reviews/review/add/").content.decode()


class TestTagsOnTheirThing:
    @pytest.mark.parametrize("model", [Author, Book])
    def test_the_page_shows_them_without_a_query_for_each(self, admin_page, django_assert_max_num_queries, model):
        few, many = (model.objects.annotate(tags=Count("taggings")).filter(tags=count).first() for count in (1, 2))
        path = f"/admin/catalog/{model._meta.model_name}"
        admin_page(f"{path}/add/")  # from here on Django remembers the content types
        with django_assert_max_num_queries(17) as one:
            page = admin_page(f"{path}/{few.pk}/change/").content.decode()
        assert few.taggings.get().tag.name in page
        with django_assert_max_num_queries(len(one)):
            admin_page(f"{path}/{many.pk}/change/")

    def test_who_may_change_tags_tags_a_book_and_who_may_not_does_not(self, staff_client):
        def page_of(*codenames):
            client = staff_client(*codenames)
            user = User.objects.get(username="clerk")
            user.user_permissions.add(Permission.objects.get(codename="change_book"))
            return client.get("/admin/catalog/book/1/change/").content.decode()

        assert "reviews-tagging-content_type-object_id-__prefix__-tag" in page_of("change_tag")
        User.objects.filter(username="clerk").delete()
        assert "reviews-tagging-content_type-object_id-__prefix__-tag" not in page_of("view_tag")

    def test_a_tag_is_added_and_removed(self, admin_client):
        author = Author.objects.filter(taggings__isnull=False).distinct().first()
        tagging, prefix = author.taggings.first(), "reviews-tagging-content_type-object_id"
        new = Tag.objects.create(name="Brand new")
        count = author.taggings.count()
        form = {"name": author.name, "slug": author.slug, "country": author.country}
        form |= {"born": author.born or "", "died": author.died or ""}
        form |= {f"{prefix}-TOTAL_FORMS": count + 1, f"{prefix}-INITIAL_FORMS": count}
        for number, existing in enumerate(author.taggings.all()):
            form |= {f"{prefix}-{number}-id": existing.pk}
        form |= {f"{prefix}-0-DELETE": "on", f"{prefix}-{count}-tag": new.pk}
        assert admin_client.post(f"/admin/catalog/author/{author.pk}/change/", form).status_code == 302
        assert author.taggings.filter(tag=new).exists()
        assert not author.taggings.filter(pk=tagging.pk).exists()
