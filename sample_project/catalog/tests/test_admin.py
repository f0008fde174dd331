import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.contrib.staticfiles.finders import find
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.signals import post_save

from accounts.models import User
from catalog.admin import AuthorAdmin
from catalog.forms import RepriceForm
from catalog.models import AudioBook, Author, Book, Classic, Contributor, Excerpt, Genre, Publisher

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


@pytest.fixture
def staff(client):
    """A client whose user is staff and has these permissions of the catalogue."""

    def log_in(*codenames):
        user = User.objects.create(username="clerk", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="catalog"))
        client.force_login(user)
        return client

    return log_in


def posted(page):
    """What a browser would send for the forms of this page, unchanged."""
    forms = [page.context["adminform"].form]
    for formset in page.context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    data = {}
    for form in forms:
        for field in form:
            value = field.value()
            data[field.html_name] = "" if value is None else value
            if field.field.show_hidden_initial:
                data[field.html_initial_name] = field.initial
    return data


class TestFilters:
    @pytest.mark.parametrize(
        ("century", "count"),
        [("old", None), ("18", None), ("19", None), ("20", None), ("none", 6)],
    )
    def test_centuries_share_the_books_out(self, admin_page, century, count):
        found = admin_page(f"/admin/catalog/book/?century={century}").context["cl"].queryset
        years = set(found.values_list("published", flat=True))
        expected = {
            "old": Book.objects.filter(published__lt=1700),
            "none": Book.objects.filter(published=None),
        }.get(century)
        if expected is None:
            first = (int(century) - 1) * 100
            expected = Book.objects.filter(published__range=(first, first + 99))
        assert found.count() == expected.count() > 0
        assert count in (None, found.count())
        assert (None in years) == (century == "none")

    def test_a_century_that_is_none_filters_nothing(self, admin_page):
        assert admin_page("/admin/catalog/book/?century=99").context["cl"].result_count == 166

    def test_authors_have_the_numbers_beside_their_filters(self, admin_page):
        page = admin_page("/admin/catalog/author/").content.decode()
        born = Author.objects.filter(born__range=(1800, 1899)).count()
        assert f"19th ({born})" in page

    def test_books_have_them_only_when_asked_for(self, admin_page):
        assert "18th (" not in admin_page("/admin/catalog/book/").content.decode()
        assert "18th (" in admin_page("/admin/catalog/book/?_facets=True").content.decode()

    def test_contributions_are_counted_once_each_however_the_list_is_filtered(self, admin_page):
        count = Contributor.objects.get(family_name="Garnett").contributions.count()
        for query in ("q=Garnett", "q=Garnett&contributions__role__exact=translator"):
            page = admin_page(f"/admin/catalog/contributor/?{query}").content.decode()
            assert f'<td class="field-contribution_count">{count}</td>' in page


class TestColumns:
    def test_yes_or_no_is_an_icon(self, admin_page):
        page = admin_page("/admin/catalog/book/?q=Emma").content.decode()
        assert re.search(r'class="field-recorded"><img src="[^"]*icon-yes', page)

    def test_what_is_not_known_has_words(self, admin_page):
        assert '<td class="field-age">42</td>' in admin_page("/admin/catalog/author/?q=Austen").content.decode()
        assert '<td class="field-age">unknown</td>' in admin_page("/admin/catalog/author/?q=Homer").content.decode()

    def test_a_computed_column_sorts_by_its_expression(self, admin_page):
        number = AuthorAdmin.list_display.index("age") + 1
        listed = admin_page(f"/admin/catalog/author/?o=-{number}&died__isnull=False&born__isnull=False")
        ages = [author.died - author.born for author in listed.context["cl"].result_list]
        assert ages == sorted(ages, reverse=True)

    def test_years_of_foundation_are_edited_in_the_list(self, admin_client):
        publisher = Publisher.objects.filter(founded=None).order_by("pk").first()
        data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": publisher.pk, "form-0-founded": 1799}
        admin_client.post(f"/admin/catalog/publisher/?pk__exact={publisher.pk}", data | {"_save": "Save"})
        publisher.refresh_from_db()
        assert publisher.founded == 1799


class TestPrice:
    def test_who_may_change_books_only_reads_the_price(self, staff):
        client = staff("view_book", "change_book")
        book = Book.objects.get(title="Emma")
        page = client.get(f"/admin/catalog/book/{book.pk}/change/")
        assert 'name="price"' not in page.content.decode()
        client.post(f"/admin/catalog/book/{book.pk}/change/", posted(page) | {"price": "0.25", "pages": 999})
        before, book = book.price, Book.objects.get(pk=book.pk)
        assert (book.pages, book.price) == (999, before)

    def test_a_new_book_has_a_price_all_the_same(self, staff):
        assert 'name="price"' in staff("view_book", "add_book").get("/admin/catalog/book/add/").content.decode()

    def test_a_changed_price_goes_into_the_history(self, admin_client):
        book = Book.objects.get(title="Emma")
        path = f"/admin/catalog/book/{book.pk}/change/"
        data = posted(admin_client.get(path))
        assert admin_client.post(path, data).status_code == 302
        assert book.price_changes.latest().price == book.price
        count = book.price_changes.count()
        assert admin_client.post(path, data | {"price": "99.75"}).status_code == 302
        assert (book.price_changes.count(), book.price_changes.latest().price) == (count + 1, Decimal("99.75"))
        admin_client.post(path, data | {"price": "98.75"})
        assert (book.price_changes.count(), book.price_changes.latest().price) == (count + 1, Decimal("98.75"))


class TestReprice:
    PATH = "/admin/catalog/book/"

    def send(self, client, books, **more):
        data = {"action": "reprice", "_selected_action": [book.pk for book in books]}
        return client.post(self.PATH, data | more)

    @pytest.fixture
    def books(self):
        return list(Book.objects.filter(title__in=["Emma", "Ulysses"]).order_by("pk"))

    def test_it_asks_first_and_shows_what_would_become_of_it(self, admin_client, books):
        page = self.send(admin_client, books)
        assert page.templates[0].name == "admin/catalog/reprice.html"
        assert 'name="apply"' not in page.content.decode()
        page = self.send(admin_client, books, percent="10", preview="1").content.decode()
        assert 'name="apply"' in page
        for book in books:
            assert f"<td>{book.price}</td>" in page
            assert Book.objects.get(pk=book.pk).price == book.price

    def test_then_it_saves_each_book_and_remembers_who_did(self, admin_client, admin_user, books):
        saved = []

        def hear(sender, instance, update_fields, **kwargs):
            saved.append((instance.pk, set(update_fields)))

        post_save.connect(hear, sender=Book)
        try:
            response = self.send(admin_client, books, percent="10", apply="1")
        finally:
            post_save.disconnect(hear, sender=Book)
        assert response.status_code == 302
        assert "Prices changed: 2." in [str(message) for message in get_messages(response.wsgi_request)]
        assert sorted(saved) == [(book.pk, {"price"}) for book in books]
        for book in books:
            now = Book.objects.get(pk=book.pk)
            assert now.price > book.price
            assert now.price % Decimal("0.25") == 0
            assert now.price_changes.latest().price == now.price
            entry = LogEntry.objects.get(object_id=str(book.pk), content_type__model="book")
            assert (entry.user, entry.get_change_message()) == (admin_user, "Changed Price.")

    @pytest.mark.parametrize("percent", ["", "ten", "-99", "1000"])
    def test_nonsense_is_refused_and_changes_nothing(self, admin_client, books, percent):
        page = self.send(admin_client, books, percent=percent, apply="1")
        assert page.context["form"].errors
        assert [Book.objects.get(pk=book.pk).price for book in books] == [book.price for book in books]

    def test_it_is_for_those_who_may_change_prices(self, staff, books):
        client = staff("view_book", "change_book")
        assert 'value="reprice"' not in client.get(self.PATH).content.decode()
        self.send(client, books, percent="10", apply="1")
        assert Book.objects.get(pk=books[0].pk).price == books[0].price

    def test_recordings_are_repriced_as_the_books_they_are(self, admin_client):
        emma = AudioBook.objects.get(title="Emma")
        data = {"action": "reprice", "_selected_action": [emma.pk], "percent": "50", "apply": "1"}
        admin_client.post("/admin/catalog/audiobook/", data)
        assert Book.objects.get(pk=emma.pk).price > emma.price

    @pytest.mark.parametrize(
        ("price", "percent", "expected"),
        [("8.00", "10", "8.75"), ("8.00", "-50", "4.00"), ("0.25", "-50", "0.25"), ("0.00", "10", "0.00")],
    )
    def test_prices_are_rounded_and_never_vanish(self, price, percent, expected):
        form = RepriceForm({"percent": percent})
        assert form.is_valid()
        assert form.new_price(Decimal(price)) == Decimal(expected)


class TestMedia:
    def test_the_page_of_a_book_has_the_script_and_the_style_sheet_as_files(self, admin_page):
        page = admin_page("/admin/catalog/book/add/").content.decode()
        assert page.count("catalog/counter.js") == page.count("catalog/counter.css") == 1
        assert re.search(r'<script src="[^"]*catalog/counter\.js"[^>]* defer>', page)
        assert re.search(r'<textarea name="description"[^>]*data-advised="600"', page)
        assert find("catalog/counter.js")
        assert find("catalog/counter.css")

    def test_other_pages_do_without(self, admin_page):
        assert "counter.js" not in admin_page("/admin/catalog/genre/add/").content.decode()


def test_an_address_stays_when_the_title_is_corrected(admin_page):
    assert admin_page("/admin/catalog/book/1/change/").context["adminform"].prepopulated_fields == []
    assert admin_page("/admin/catalog/book/add/").context["adminform"].prepopulated_fields


class TestExcerpts:
    @pytest.fixture(autouse=True)
    def media(self, settings, tmp_path):
        settings.MEDIA_ROOT = tmp_path
        return tmp_path

    @pytest.fixture
    def bookseller(self, client):
        """Somebody who may change books, and has no permission for excerpts by name."""
        user = User.objects.create_user("new-bookseller", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_book", "change_book"]))
        client.force_login(user)
        return client

    def file(self, content=b"Emma Woodhouse", name="pages.txt"):
        return SimpleUploadedFile(name, content)

    def test_who_may_change_a_book_uploads_and_replaces_its_excerpt(
        self, bookseller, media, django_capture_on_commit_callbacks
    ):
        response = bookseller.post("/admin/catalog/excerpt/add/", {"book": 4, "file": self.file()})
        assert response.status_code == 302
        excerpt = Excerpt.objects.get()
        path = f"/admin/catalog/excerpt/{excerpt.pk}/change/"
        assert "/books/emma/excerpt/" in excerpt.get_absolute_url()
        assert bookseller.get(path).status_code == 200
        with django_capture_on_commit_callbacks(execute=True):
            bookseller.post(path, {"file": self.file(b"%PDF-1.7", "pages.pdf")})
        assert [file.name for file in (media / "excerpts").iterdir()] == ["emma.pdf"]
        assert '<td class="field-kind">pdf</td>' in bookseller.get("/admin/catalog/excerpt/").content.decode()

    def test_what_is_in_the_file_is_looked_at_here_as_well(self, bookseller):
        response = bookseller.post("/admin/catalog/excerpt/add/", {"book": 4, "file": self.file(b"MZ", "a.pdf")})
        assert "called a PDF" in response.content.decode()
        assert not Excerpt.objects.exists()

    def test_others_do_not_come_in(self, client):
        user = User.objects.create_user("new-packer", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_book"]))
        client.force_login(user)
        assert client.get("/admin/catalog/excerpt/").status_code == 403
        assert client.post("/admin/catalog/excerpt/add/", {"book": 4, "file": self.file()}).status_code == 403
