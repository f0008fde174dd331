"""What holds for every page of the admin site, whichever app it is of."""

import pytest
from django.contrib import admin

from accounts.models import User
from catalog.models import Book, Excerpt
from reviews.models import Review

SHOP = {"accounts", "catalog", "orders", "reviews"}
LISTED = sorted(
    (model for model in admin.site._registry if model._meta.app_label in SHOP), key=lambda m: m._meta.label
)


def autocompleted(model):
    return admin.site.get_model_admin(model).autocomplete_fields


def keys(model, count):
    if model is Review:
        # Reviews are about two kinds of things, and each kind is fetched by a query: both lists have both.
        rows = [Review.objects.filter(content_type__model=kind) for kind in ("book", "author")]
        return [pk for kind in rows for pk in kind.values_list("pk", flat=True)[: count // 2]]
    if model is Excerpt and not Excerpt.objects.exists():
        # What is uploaded is in no seed.
        Excerpt.objects.bulk_create(Excerpt(book=book, file=f"{book.slug}.txt") for book in Book.objects.all())
    return list(model._default_manager.order_by("pk").values_list("pk", flat=True)[:count])


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTED, ids=lambda model: model._meta.label_lower)
def test_a_list_takes_as_many_queries_for_a_hundred_rows_as_for_ten(admin_page, django_assert_num_queries, model):
    def page(count):
        wanted = ",".join(str(pk) for pk in keys(model, count))
        shown = admin_page(f"/admin/{model._meta.app_label}/{model._meta.model_name}/?pk__in={wanted}").context["cl"]
        return shown.result_count

    page(10)  # from here on Django remembers the content types
    # Fifteen are plenty: the session, the user, two counts, the rows, the choices of each filter and what it counts.
    with django_assert_num_queries(15, exact=False) as ten:
        few = page(10)
    with django_assert_num_queries(len(ten)):
        many = page(100)
    # Of some there are not a hundred, and of some not even ten.
    assert many > few or many == model._default_manager.count()


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTED, ids=lambda model: model._meta.label_lower)
def test_no_page_of_the_shops_own_has_a_script_or_a_style_inside(admin_page, model):
    """A Content-Security-Policy of "self" would stop it. Django's own data for its scripts are no script."""
    page = admin_page(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").content.decode()
    assert "<script>" not in page
    assert " onclick=" not in page
    assert "<style>" not in page


@pytest.mark.django_db
def test_staff_without_permissions_get_an_empty_site(client):
    client.force_login(User.objects.get(username="ida"))
    assert client.get("/admin/").context["app_list"] == []
    for model in LISTED:
        assert client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").status_code == 403


@pytest.mark.django_db
def test_customers_are_not_let_in(client):
    client.force_login(User.objects.get(username="anna"))
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"


@pytest.mark.django_db
@pytest.mark.filterwarnings("error::django.core.paginator.UnorderedObjectListWarning")
@pytest.mark.parametrize(
    ("app", "model", "field"),
    [(model._meta.app_label, model._meta.model_name, field) for model in LISTED for field in autocompleted(model)],
)
def test_choices_come_in_an_order(admin_client, app, model, field):
    query = {"app_label": app, "model_name": model, "field_name": field, "term": "a"}
    assert admin_client.get("/admin/autocomplete/", query).status_code == 200
