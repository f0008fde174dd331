import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from catalog.models import Book
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
