import pytest

from catalog.models import AudioBook, Author, Book, Classic, Contributor, Genre, Publisher

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [AudioBook, Author, Book, Classic, Contributor, Genre, Publisher])
def test_a_list_takes_the_same_number_of_queries_for_one_row_and_for_many(
    admin_page, django_assert_num_queries, django_assert_max_num_queries, model
):
    path = f"/admin/catalog/{model._meta.model_name}/"
    few = model.objects.order_by("pk")[:1].values_list("pk", flat=True)[0]
    with django_assert_max_num_queries(9) as one:
        assert admin_page(f"{path}?pk__exact={few}").context["cl"].result_count == 1
    with django_assert_num_queries(len(one)):
        assert admin_page(f"{path}?pk__gte={few}").context["cl"].result_count > 10


def test_a_list_can_be_searched(admin_page):
    assert admin_page("/admin/catalog/book/?q=zola").context["cl"].result_count == 4
    assert admin_page("/admin/catalog/publisher/?q=Paris").context["cl"].result_count > 5


def test_a_list_shows_relations_and_counts(admin_page):
    assert '<td class="field-book_count">6</td>' in admin_page("/admin/catalog/author/?q=Austen").content.decode()
    assert "Smith, Elder &amp; Co." in admin_page("/admin/catalog/book/?q=Villette").content.decode()


def test_a_book_is_edited_with_its_stock(admin_page):
    book = Book.objects.get(title="Emma")
    page = admin_page(f"/admin/catalog/book/{book.pk}/change/").content.decode()
    assert 'name="stock-0-quantity" value="22"' in page


def test_a_book_takes_the_same_number_of_queries_with_one_contribution_and_with_three(
    admin_page, django_assert_num_queries, django_assert_max_num_queries
):
    admin_page("/admin/catalog/book/add/")  # from here on Django remembers the content types
    with django_assert_max_num_queries(16) as one:
        page = admin_page(f"/admin/catalog/book/{Book.objects.get(title='Anna Karenina').pk}/change/").content.decode()
    assert "Constance Garnett" in page
    with django_assert_num_queries(len(one)):
        admin_page(f"/admin/catalog/book/{Book.objects.get(title='War and Peace').pk}/change/")


def test_a_recording_is_listed_with_its_narrator(admin_page):
    page = admin_page("/admin/catalog/audiobook/?q=Emma").content.decode()
    assert '<td class="field-duration">15:48</td>' in page
