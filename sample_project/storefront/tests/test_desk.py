import csv
import io
from datetime import date

import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django.views.generic import UpdateView

from accounts.groups import BOOKSELLERS, MANAGERS
from accounts.models import User
from catalog.models import AudioBook, Author, Book, Contribution, Contributor, Excerpt, Publisher
from orders.models import Stock
from orders.signals import stock_changed
from storefront.desk import urls, views
from storefront.desk.mixins import BooksellerMixin, RecordedMixin

pytestmark = pytest.mark.django_db

BOOKS, NEW, BOOK, STOCK = "/desk/books/", "/desk/books/new/", "/desk/books/emma/", "/desk/stock/"
DELETE, CONTRIBUTIONS, EXCERPT = f"{BOOK}delete/", f"{BOOK}contributions/", f"{BOOK}excerpt/"


def staff(group):
    user = User.objects.create_user(group.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def desk(client):
    """The desk, seen by a bookseller."""
    client.force_login(staff(BOOKSELLERS))
    return client


@pytest.fixture
def office(client):
    """The desk, seen by a manager, who may change prices and delete books."""
    client.force_login(staff(MANAGERS))
    return client


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def history(flag):
    return list(LogEntry.objects.filter(action_flag=flag).values_list("object_repr", "change_message"))


class TestWhoMayComeIn:
    @pytest.mark.parametrize("path", [BOOKS, NEW, BOOK, DELETE, CONTRIBUTIONS, EXCERPT, STOCK, "/desk/books.csv"])
    def test_nobody_without_a_login_and_no_customer(self, client, customer, path):
        for method in (client.get, client.post):
            response = method(path)
            assert response.status_code == 302
            assert f"?next={path}" in response.url
        client.force_login(customer)
        assert client.get(path).status_code == client.post(path).status_code == 403

    def test_permissions_alone_do_not_make_a_bookseller(self, client, customer):
        customer.user_permissions.set(Permission.objects.all())
        client.force_login(customer)
        assert client.get(BOOKS).status_code == 403

    @pytest.mark.parametrize(("path", "status"), [(BOOKS, 200), (BOOK, 200), (STOCK, 200), (DELETE, 403)])
    def test_booksellers_may_do_what_their_group_may(self, desk, path, status):
        assert desk.get(path).status_code == status

    def test_the_desk_begins_with_the_books(self, desk):
        assert desk.get("/desk/").url == BOOKS

    @pytest.mark.parametrize("path", ["/desk/books/nothing/", "/desk/books/nothing/contributions/"])
    def test_what_does_not_exist_is_not_found(self, desk, path):
        assert desk.get(path).status_code == 404


class TestOrderOfMixins:
    def test_every_view_asks_for_permission_before_it_does_anything(self):
        classes = [pattern.callback.view_class for pattern in urls.urlpatterns if pattern.name != "home"]
        for view in classes:
            order = view.__mro__
            assert order.index(BooksellerMixin) < order.index(View), view
            if RecordedMixin in order:
                assert view.form_valid.__qualname__.split(".")[0] not in {"ModelFormMixin", "DeletionMixin"}, view

    def test_a_mixin_on_the_right_is_never_asked(self, rf, customer, emma):
        class Open(UpdateView, BooksellerMixin):
            model = Book
            fields = ["title"]
            permission_required = "catalog.change_book"
            template_name = "storefront/review_withdraw.html"

        class Closed(BooksellerMixin, UpdateView):
            model = Book
            fields = ["title"]
            permission_required = "catalog.change_book"

        request = rf.get("/")
        request.user = customer
        assert Open.as_view()(request, slug="emma").status_code == 200
        with pytest.raises(PermissionDenied):
            Closed.as_view()(request, slug="emma")


class TestList:
    def get(self, desk, **query):
        return desk.get(BOOKS, query)

    @pytest.mark.parametrize(
        ("query", "number"),
        [
            ({}, 166),
            ({"q": "zola"}, 4),
            ({"state": "sold-out"}, 8),
            ({"state": "never-ordered"}, 7),
            ({"state": "out-of-print"}, 6),
            ({"state": "never-ordered", "q": "lusíadas"}, 1),
            ({"state": "lost"}, 0),
        ],
    )
    def test_books_are_found_by_state_and_words(self, desk, query, number):
        assert self.get(desk, **query).context["paginator"].count == number

    def test_ten_times_the_books_take_no_more_queries(self, desk, django_assert_num_queries, emma):
        # Session, user, the permissions of the user and of the groups, count, books, genres to choose from.
        with django_assert_num_queries(7):
            self.get(desk, q="emma")
        Book.objects.bulk_create(
            Book(title=f"Emma {n}", slug=f"emma-{n}", author=emma.author, price=1) for n in range(60)
        )
        with django_assert_num_queries(7):
            self.get(desk, q="emma")


def filled(response, **changes):
    """The data that the form of a page would send back."""
    form = response.context["form"]
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (data | changes).items() if value not in (None, False)}


class TestCreate:
    def data(self, **changes):
        return {
            "title": "Sanditon",
            "author": Author.objects.get(slug="jane-austen").pk,
            "language": "English",
            "price": "7.50",
            "in_print": "on",
        } | changes

    def test_a_book_comes_into_the_catalogue(self, desk):
        response = desk.post(NEW, self.data())
        book = Book.objects.get(slug="sanditon")
        assert response.url == "/desk/books/sanditon/"
        assert book.in_print
        assert book.price_on(timezone.localdate()) == book.price
        assert said(response) == ["Sanditon: Added."]
        assert history(ADDITION) == [("Sanditon", "Added.")]

    def test_a_box_that_was_not_ticked_is_not_the_default_of_the_database(self, desk):
        data = self.data()
        del data["in_print"]
        desk.post(NEW, data)
        assert not Book.objects.get(slug="sanditon").in_print

    def test_a_new_book_is_in_print_unless_somebody_says_otherwise(self, desk):
        assert desk.get(NEW).context["form"]["in_print"].value() is True

    @pytest.mark.parametrize(
        ("changes", "errors"),
        [
            ({"title": "Emma", "slug": "another"}, {"__all__"}),
            ({"slug": "emma"}, {"slug"}),
            ({"title": "Emma"}, {"slug", "__all__"}),
            ({"title": "源氏物語"}, {"slug"}),
            ({"title": ""}, {"title"}),
            ({"price": "-1"}, {"price", "__all__"}),
            ({"isbn": "123"}, {"isbn"}),
            ({"isbn": "9789999900041"}, {"isbn"}),
        ],
    )
    def test_what_makes_no_sense_is_shown_again(self, desk, changes, errors):
        response = desk.post(NEW, self.data(**changes))
        assert response.status_code == 200
        assert set(response.context["form"].errors) <= errors
        assert response.context["form"].errors
        assert Book.objects.count() == 166
        assert history(ADDITION) == []

    def test_the_form_reads_its_choices_once(self, desk, django_assert_num_queries):
        # Session, user, two kinds of permissions; authors, publishers, genres, books.
        with django_assert_num_queries(8):
            desk.get(NEW)


class TestUpdate:
    def test_a_bookseller_changes_all_but_the_price(self, desk, emma):
        response = desk.post(BOOK, filled(desk.get(BOOK), pages="500", price="1.00"))
        assert response.url == BOOK
        book = Book.objects.get(pk=emma.pk)
        assert (book.pages, book.price) == (500, emma.price)
        assert said(response) == ["Emma: Changed: Pages."]
        assert history(CHANGE) == [("Emma", "Changed: Pages.")]

    def test_a_manager_changes_the_price_and_the_history_of_prices_knows(self, office, emma):
        before = emma.price_on(date(2026, 1, 1))
        office.post(BOOK, filled(office.get(BOOK), price="19.75"))
        emma.refresh_from_db()
        today = timezone.localdate()
        assert (emma.price, emma.price_on(today), emma.price_on(date(2026, 1, 1))) == (19.75, 19.75, before)
        office.post(BOOK, filled(office.get(BOOK), price="20.00"))
        assert emma.price_on(today) == 20

    def test_a_new_address_is_where_the_form_leads_to(self, desk):
        assert desk.post(BOOK, filled(desk.get(BOOK), slug="miss-woodhouse")).url == "/desk/books/miss-woodhouse/"

    def test_a_book_cannot_be_its_own_sequel(self, desk, emma):
        response = desk.post(BOOK, filled(desk.get(BOOK), sequel_to=emma.pk))
        assert list(response.context["form"].errors) == ["sequel_to"]

    def test_the_page_takes_as_many_queries_for_many_books(self, desk, django_assert_num_queries):
        # Session, user, permissions twice; the book, its genres; authors, publishers, genres, books to choose from.
        with django_assert_num_queries(10):
            desk.get(BOOK)
        Publisher.objects.bulk_create(Publisher(name=f"House {number}") for number in range(50))
        with django_assert_num_queries(10):
            desk.get(BOOK)


class TestDelete:
    def test_a_book_that_was_sold_stays_and_the_page_says_why(self, office):
        response = office.post(DELETE)
        assert response.status_code == 200
        assert "Emma was sold and stands in orders." in response.content.decode()
        assert Book.objects.filter(slug="emma").exists()
        assert history(DELETION) == []
        assert said(response) == []

    def test_a_book_that_nobody_ordered_can_go(self, office):
        book = Book.objects.get(slug="seven-brothers")
        key = str(book.pk)
        response = office.post("/desk/books/seven-brothers/delete/")
        assert response.url == BOOKS
        assert not Book.objects.filter(slug="seven-brothers").exists()
        assert said(response) == ["Seven Brothers: Deleted."]
        assert LogEntry.objects.get(action_flag=DELETION).object_id == key

    def test_a_link_deletes_nothing(self, office):
        assert office.get("/desk/books/seven-brothers/delete/").status_code == 200
        assert Book.objects.filter(slug="seven-brothers").exists()

    def test_where_the_record_cannot_be_written_the_book_stays(self, office, monkeypatch):
        def fail(*args, **kwargs):
            raise RuntimeError("no paper")

        monkeypatch.setattr(views.BookDeleteView, "record", fail)
        with pytest.raises(RuntimeError, match="no paper"):
            office.post("/desk/books/seven-brothers/delete/")
        assert Book.objects.filter(slug="seven-brothers").exists()


class TestContributions:
    PATH = "/desk/books/war-and-peace/contributions/"

    def data(self, response, *new):
        """What the page would send, with rows filled in behind those that are there."""
        formset = response.context["form"]
        data = {
            f"{formset.prefix}-TOTAL_FORMS": formset.initial_form_count() + len(new),
            f"{formset.prefix}-INITIAL_FORMS": formset.initial_form_count(),
        }
        for number, form in enumerate(formset.initial_forms):
            row = {name: form[name].value() for name in form.fields}
            data |= {f"{formset.prefix}-{number}-{name}": value or "" for name, value in row.items()}
        for number, row in enumerate(new, formset.initial_form_count()):
            data |= {f"{formset.prefix}-{number}-{name}": value for name, value in row.items()}
        return data

    def test_rows_are_added_and_removed_together(self, desk):
        book = Book.objects.get(slug="war-and-peace")
        somebody = Contributor.objects.create(given_name="Ann", family_name="Dunnigan")
        page = desk.get(self.PATH)
        data = self.data(page, {"contributor": somebody.pk, "role": "translator", "volume": ""})
        response = desk.post(self.PATH, data | {f"{page.context['form'].prefix}-0-DELETE": "on"})
        assert response.url == "/desk/books/war-and-peace/"
        assert somebody.books.get() == book
        assert book.contributions.count() == 3
        assert said(response) == ["War and Peace: Contributions: 1 added, 0 changed, 1 removed."]
        assert history(CHANGE)[0][0] == "War and Peace"

    def test_the_same_row_twice_is_an_error_and_not_a_crash(self, desk):
        somebody = Contributor.objects.create(given_name="Ann", family_name="Dunnigan")
        row = {"contributor": somebody.pk, "role": "translator", "volume": ""}
        response = desk.post(self.PATH, self.data(desk.get(self.PATH), row, row))
        assert response.status_code == 200
        assert response.context["form"].non_form_errors() == ["Ann Dunnigan stands here twice with the same task."]
        assert not somebody.contributions.exists()

    def test_a_row_that_is_there_already_is_an_error_too(self, desk):
        there = Contribution.objects.filter(book__slug="war-and-peace").first()
        row = {"contributor": there.contributor_id, "role": there.role, "volume": ""}
        response = desk.post(self.PATH, self.data(desk.get(self.PATH), row))
        assert response.status_code == 200
        assert Contribution.objects.filter(book__slug="war-and-peace").count() == 3

    def test_a_contribution_to_another_book_cannot_be_reached(self, desk):
        other = Contribution.objects.exclude(book__slug="war-and-peace").first()
        page = desk.get(self.PATH)
        prefix = page.context["form"].prefix
        data = self.data(page) | {f"{prefix}-0-id": other.pk, f"{prefix}-0-DELETE": "on"}
        desk.post(self.PATH, data)
        assert Contribution.objects.filter(pk=other.pk).exists()

    def test_many_rows_take_no_more_queries_than_few(self, desk, django_assert_num_queries):
        # Session, user, permissions twice; the book, its contributions, everybody to choose from.
        for slug in ("emma", "war-and-peace"):
            with django_assert_num_queries(7):
                desk.get(reverse("desk:contributions", args=[slug]))


class TestExcerpt:
    @pytest.fixture(autouse=True)
    def media(self, settings, tmp_path):
        settings.MEDIA_ROOT = tmp_path
        return tmp_path

    def upload(self, desk, content=b"Emma Woodhouse", name="first pages.txt"):
        return desk.post(EXCERPT, {"file": SimpleUploadedFile(name, content, content_type="text/html")})

    def test_a_file_is_uploaded_and_can_be_downloaded(self, desk, emma, media):
        response = self.upload(desk)
        assert response.url == BOOK
        assert Excerpt.objects.get().book == emma
        assert (media / "excerpts" / "emma.txt").read_bytes() == b"Emma Woodhouse"
        sent = desk.get("/books/emma/excerpt/")
        assert b"".join(sent.streaming_content) == b"Emma Woodhouse"
        # Not what the browser of the uploader called it.
        assert sent["Content-Type"].startswith("text/plain")
        assert history(CHANGE) == [("Excerpt of Emma", "Changed: File.")]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("emma.exe", b"MZ", "is not allowed"),
            ("emma.pdf", b"<html>", "called a PDF"),
            ("emma.txt", b"a" * 1_000_001, "at most 1 MB"),
            ("emma.txt", b"", "empty"),
        ],
    )
    def test_what_is_no_excerpt_is_not_kept(self, desk, media, name, content, message):
        response = self.upload(desk, content, name)
        assert response.status_code == 200
        assert message in response.context["form"].errors["file"][0]
        assert not Excerpt.objects.exists()
        assert list(media.iterdir()) == []

    def test_without_a_file_nothing_is_uploaded(self, desk):
        assert list(desk.post(EXCERPT).context["form"].errors) == ["file"]

    def test_the_form_sends_files(self, desk):
        assert 'enctype="multipart/form-data"' in desk.get(EXCERPT).content.decode()

    def test_a_german_bookseller_reads_german_and_everybody_the_same_history(self, desk):
        german = {"headers": {"accept-language": "de"}}
        refused = desk.post(EXCERPT, {"file": SimpleUploadedFile("a.pdf", b"MZ")}, **german)
        assert "Diese Datei heißt PDF" in refused.content.decode()
        done = desk.post(EXCERPT, {"file": SimpleUploadedFile("a.txt", b"one")}, **german)
        assert said(done) == ["Leseprobe aus Emma: Geändert: Datei."]
        assert history(CHANGE) == [("Excerpt of Emma", "Changed: File.")]

    def test_another_file_takes_the_place_of_the_first(self, desk, media, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            self.upload(desk, b"one")
            self.upload(desk, b"%PDF-1.7 two", "b.pdf")
        assert [file.name for file in (media / "excerpts").iterdir()] == ["emma.pdf"]
        assert Excerpt.objects.count() == 1

    def test_a_refused_file_leaves_the_first_where_it_is(self, desk, media, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            self.upload(desk, b"one")
            self.upload(desk, b"MZ", "b.exe")
        assert (media / "excerpts" / "emma.txt").read_bytes() == b"one"


class TestStock:
    def data(self, response, **quantities):
        """What the page would send, with other numbers for the books named."""
        formset = response.context["formset"]
        data = {"form-TOTAL_FORMS": len(formset.forms), "form-INITIAL_FORMS": len(formset.forms)}
        for number, form in enumerate(formset.forms):
            slug = form.instance.book.slug.replace("-", "_")
            shown = form.instance.quantity
            data |= {
                f"form-{number}-book": form.instance.pk,
                f"form-{number}-quantity": quantities.get(slug, shown),
                f"initial-form-{number}-quantity": shown,
            }
        return data

    def quantity(self, slug):
        return Stock.objects.get(book__slug=slug).quantity

    def test_all_numbers_of_a_page_are_set_at_once(self, desk, django_capture_on_commit_callbacks):
        heard = []

        def hear(quantities, **kwargs):
            heard.append(quantities)

        stock_changed.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                response = desk.post(STOCK, self.data(desk.get(STOCK), agnes_grey=77, anna_karenina=0))
        finally:
            stock_changed.disconnect(hear)
        assert response.url == STOCK
        assert (self.quantity("agnes-grey"), self.quantity("anna-karenina")) == (77, 0)
        assert said(response) == ["2 numbers changed."]
        assert sorted(quantity for quantities in heard for quantity in quantities.values()) == [0, 77]

    def test_the_next_page_comes_back_to_itself(self, desk):
        path = f"{STOCK}?page=2"
        assert desk.post(path, self.data(desk.get(path))).url == path

    def test_a_copy_sold_meanwhile_is_not_put_back(self, desk):
        page = desk.get(STOCK)
        Stock.objects.filter(book__slug="agnes-grey").update(quantity=3)
        response = desk.post(STOCK, self.data(page, agnes_grey=77, anna_karenina=50))
        assert response.status_code == 200
        assert "By now, 3 are on the shelf." in response.content.decode()
        assert self.quantity("agnes-grey") == 3
        assert self.quantity("anna-karenina") != 50

    def test_a_copy_sold_of_a_book_that_was_left_alone_does_not_matter(self, desk):
        page = desk.get(STOCK)
        Stock.objects.filter(book__slug="agnes-grey").update(quantity=3)
        assert desk.post(STOCK, self.data(page, anna_karenina=50)).status_code == 302
        assert (self.quantity("agnes-grey"), self.quantity("anna-karenina")) == (3, 50)

    @pytest.mark.parametrize("number", ["-1", "many", "", "9999999999"])
    def test_a_number_that_makes_no_sense_is_shown_again(self, desk, number):
        response = desk.post(STOCK, self.data(desk.get(STOCK), agnes_grey=number))
        assert response.status_code == 200
        assert response.context["formset"].total_error_count() == 1

    @pytest.mark.parametrize("key", ["x", "99999", "", "9" * 30])
    def test_rows_that_do_not_exist_change_nothing(self, desk, key):
        before = list(Stock.objects.order_by("pk").values_list("quantity", flat=True))
        data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-book": key, "form-0-quantity": 5}
        assert desk.post(STOCK, data).status_code in {200, 302}
        assert list(Stock.objects.order_by("pk").values_list("quantity", flat=True)) == before

    def test_saving_fetches_no_row_by_itself(self, desk):
        data = self.data(desk.get(STOCK), agnes_grey=77)
        with CaptureQueriesContext(connection) as queries:
            desk.post(STOCK, data)
        statements = [query["sql"] for query in queries]
        assert len([sql for sql in statements if 'FROM "orders_stock"' in sql]) == 1
        assert len([sql for sql in statements if 'FROM "catalog_book"' in sql]) == 0
        assert len([sql for sql in statements if sql.startswith("UPDATE")]) == 1

    def test_a_page_of_numbers_takes_one_query(self, desk, django_assert_num_queries):
        # Session, user, permissions twice; how many, and which. The last page is shorter and takes as many.
        for page in (1, 7):
            with django_assert_num_queries(6):
                desk.get(STOCK, {"page": page})


class TestExport:
    def rows(self, client):
        response = client.get("/desk/books.csv")
        assert response.streaming
        text = b"".join(response.streaming_content).decode()
        return list(csv.reader(io.StringIO(text, newline="")))

    def test_every_book_is_a_row(self, desk):
        header, *rows = self.rows(desk)
        assert header == ["ISBN", "Title", "Author", "Published", "Price", "In stock"]
        assert len(rows) == Book.objects.count()
        assert ["9789999900041", "Emma", "Jane Austen", "1815", str(Book.objects.get(slug="emma").price), "22"] in rows

    def test_it_is_a_file_to_be_saved(self, desk):
        assert desk.get("/desk/books.csv")["Content-Disposition"] == 'attachment; filename="books.csv"'

    def test_an_asynchronous_server_streams_it_as_well(self, desk, recwarn):
        async def read():
            client = AsyncClient()
            client.cookies = desk.cookies
            response = await client.get("/desk/books.csv")
            return [part async for part in response.streaming_content]

        parts = async_to_sync(read)()
        assert len(parts) == Book.objects.count() + 1
        assert b"".join(parts) == b"".join(desk.get("/desk/books.csv").streaming_content)
        assert [warning for warning in recwarn if "synchronous" in str(warning.message)] == []

    def test_it_takes_one_query_for_all(self, desk, django_assert_num_queries):
        with django_assert_num_queries(5):
            self.rows(desk)

    @pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)"])
    def test_no_title_becomes_a_formula(self, desk, emma, title):
        Book.objects.filter(pk=emma.pk).update(title=title)
        assert f"'{title}" in [row[1] for row in self.rows(desk)]


def test_a_recording_goes_with_its_book(office):
    book = Book.objects.recorded().first()
    book.lines.all().delete()
    office.post(reverse("desk:book-delete", args=[book.slug]))
    assert not AudioBook.objects.filter(slug=book.slug).exists()
