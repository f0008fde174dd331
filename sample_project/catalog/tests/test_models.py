from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from catalog.models import (
    AudioBook,
    Author,
    Book,
    Classic,
    Contribution,
    Contributor,
    Genre,
    PriceChange,
    Publisher,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return Author.objects.create(name="Fernando Pessoa", slug="fernando-pessoa")


def new_book(author, **changes):
    fields = {"title": "Mensagem", "slug": "mensagem", "author": author, "price": "8.50"}
    return Book.objects.create(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"price": Decimal("-0.01")}, "book_price_not_negative"),
        ({"rating": Decimal("5.01")}, "book_rating_from_0_to_5"),
        ({"rating": Decimal("-0.01")}, "book_rating_from_0_to_5"),
    ],
)
def test_the_database_refuses_a_book_out_of_bounds(author, changes, constraint):
    book = new_book(author)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Book.objects.filter(pk=book.pk).update(**changes)


@pytest.mark.parametrize("changes", [{"price": 0}, {"rating": 0}, {"rating": 5}, {"rating": None}])
def test_the_database_accepts_the_bounds(author, changes):
    assert new_book(author, **changes).pk


def test_the_database_refuses_the_same_title_by_the_same_author(author):
    new_book(author)
    with pytest.raises(IntegrityError, match="catalog_book.title"), transaction.atomic():
        new_book(author, slug="another-slug")


def test_two_authors_may_use_the_same_title(author):
    assert new_book(author, title="Poems", slug="poems-pessoa").pk
    assert Book.objects.filter(title="Poems").count() == 4


def test_the_database_refuses_a_second_use_of_a_slug(author):
    new_book(author)
    with pytest.raises(IntegrityError, match="catalog_book.slug"), transaction.atomic():
        new_book(author, title="Another title")


@pytest.mark.parametrize(("model", "name"), [(Author, "Jane Austen"), (Genre, "Crime"), (Publisher, "John Murray")])
def test_the_database_refuses_a_second_use_of_a_name(model, name):
    values = {"name": name} if model is Publisher else {"name": name, "slug": "new"}
    with pytest.raises(IntegrityError, match="name"), transaction.atomic():
        model.objects.create(**values)


def test_an_author_cannot_die_before_being_born(author):
    author.born, author.died = 1935, 1888
    with pytest.raises(ValidationError, match="cannot die before being born"):
        author.full_clean()
    with pytest.raises(IntegrityError, match="author_died_after_birth"), transaction.atomic():
        author.save()


@pytest.mark.parametrize(("born", "died"), [(1888, None), (None, 1935), (1888, 1888)])
def test_an_author_may_have_unknown_years(author, born, died):
    author.born, author.died = born, died
    author.full_clean()
    author.save()


def test_an_author_with_books_cannot_be_deleted(author):
    new_book(author)
    with pytest.raises(ProtectedError):
        author.delete()


def test_a_book_survives_its_publisher(author):
    publisher = Publisher.objects.create(name="Parceria António Maria Pereira")
    book = new_book(author, publisher=publisher)
    publisher.delete()
    book.refresh_from_db()
    assert book.publisher is None


@pytest.mark.parametrize(("published", "decade"), [(1934, 1930), (1930, 1930), (1939, 1930), (None, None)])
def test_the_database_computes_the_decade(author, published, decade):
    book = new_book(author, published=published)
    book.refresh_from_db()
    assert book.decade == decade


def test_the_database_fills_in_print_and_added(author):
    book = new_book(author)
    book.refresh_from_db()
    assert book.in_print is True
    assert book.added.tzinfo is not None


@pytest.mark.parametrize(
    ("thing", "path"),
    [
        (Book(slug="emma"), "/books/emma/"),
        (Author(slug="jane-austen"), "/authors/jane-austen/"),
        (Genre(slug="crime"), "/genres/crime/"),
    ],
)
def test_each_thing_knows_its_page(thing, path):
    assert thing.get_absolute_url() == path


@pytest.mark.parametrize("model", [Author, Genre, Publisher])
def test_names_speak_for_things(model):
    assert str(model(name="Émile")) == "Émile"
    assert str(Book(title="Nana")) == "Nana"


class TestAudioBook:
    def test_a_recording_is_a_book_and_a_row_of_its_own(self, django_assert_num_queries):
        with django_assert_num_queries(1) as queries:
            emma = AudioBook.objects.get(title="Emma")
            assert (emma.narrator, emma.duration, emma.price) == ("Petra Lindgren", "15:48", Decimal("9.50"))
        assert "INNER JOIN" in queries[0]["sql"]
        assert isinstance(emma, Book)
        assert emma.pk == Book.objects.get(title="Emma").pk

    def test_books_are_listed_without_a_join(self):
        assert "JOIN" not in str(Book.objects.all().query)
        assert Book.objects.recorded().count() == AudioBook.objects.count() == 14

    def test_a_book_knows_its_recording(self):
        assert Book.objects.get(title="Emma").audiobook.minutes == 948
        with pytest.raises(AudioBook.DoesNotExist):
            _ = Book.objects.get(title="Persuasion").audiobook

    def test_deleting_a_recording_deletes_the_book_unless_the_parent_is_kept(self, author):
        for keep, remains in ((True, 1), (False, 0)):
            recording = AudioBook.objects.create(
                title=f"Mensagem {keep}",
                slug=f"mensagem-{keep}",
                author=author,
                price=5,
                narrator="Ana Costa",
                minutes=60,
            )
            recording.delete(keep_parents=keep)
            assert Book.objects.filter(title=f"Mensagem {keep}").count() == remains
            assert not AudioBook.objects.filter(title=f"Mensagem {keep}").exists()

    def test_deleting_the_book_deletes_the_recording(self, author):
        recording = AudioBook.objects.create(
            title="Mensagem", slug="mensagem", author=author, price=5, narrator="Ana Costa", minutes=60
        )
        Book.objects.get(pk=recording.pk).delete()
        assert not AudioBook.objects.filter(pk=recording.pk).exists()

    def test_an_inherited_generic_relation_looks_for_another_content_type(self):
        recording = AudioBook.objects.get(title="Pride and Prejudice")
        assert recording.reviews.count() == 0
        assert recording.book_ptr.reviews.count() > 5


class TestClassic:
    def test_it_is_the_same_table_with_other_rows_in_another_order(self):
        classics = list(Classic.objects.exclude(published=None))
        assert Classic._meta.db_table == Book._meta.db_table
        assert [book.published for book in classics] == sorted(book.published for book in classics)
        assert classics[-1].published <= 1849
        assert Classic.objects.count() == Book.objects.exclude(published__gte=1850).count() == 45

    def test_its_manager_has_the_questions_of_books(self):
        assert {book.title for book in Classic.objects.by("Charles Dickens")} == {
            "A Christmas Carol",
            "Oliver Twist",
            "The Pickwick Papers",
        }

    def test_a_book_that_it_hides_is_a_row_all_the_same(self):
        ulysses = Book.objects.get(title="Ulysses")
        assert not Classic.objects.filter(pk=ulysses.pk).exists()
        assert Classic._base_manager.get(pk=ulysses.pk).title == "Ulysses"


class TestSequels:
    def test_a_chain_of_sequels(self):
        hound = Book.objects.select_related("sequel_to__sequel_to").get(slug="the-hound-of-the-baskervilles")
        assert hound.sequel_to.sequel_to.title == "A Study in Scarlet"
        assert [book.title for book in Book.objects.get(title="L'Assommoir").sequels.all()] == ["Germinal", "Nana"]

    def test_a_book_cannot_be_the_sequel_to_itself(self):
        emma = Book.objects.get(title="Emma")
        emma.sequel_to = emma
        with pytest.raises(ValidationError, match="sequel to itself"):
            emma.full_clean()
        with pytest.raises(IntegrityError, match="book_not_its_own_sequel"), transaction.atomic():
            emma.save()

    def test_a_sequel_survives_the_first_part(self, author):
        first = new_book(author)
        second = new_book(author, title="Second", slug="second", sequel_to=first)
        first.delete()
        second.refresh_from_db()
        assert second.sequel_to is None


def test_letters_go_both_ways():
    flaubert, sand = (Author.objects.get(name=name) for name in ("Gustave Flaubert", "George Sand"))
    assert flaubert in sand.correspondents.all()
    assert sand in flaubert.correspondents.all()
    sand.correspondents.remove(flaubert)
    assert sand not in flaubert.correspondents.all()


class TestPriceChange:
    def test_book_and_day_are_the_key(self):
        emma = Book.objects.get(title="Emma")
        change = emma.price_changes.get()
        assert change.pk == (emma.pk, change.valid_from)
        assert PriceChange.objects.get(pk=change.pk) == change
        with pytest.raises(IntegrityError), transaction.atomic():
            PriceChange.objects.create(book=emma, valid_from=change.valid_from, price=1)

    def test_the_price_on_a_day(self):
        book = Book.objects.get(pk=3)
        assert (book.title, book.price) == ("Mansfield Park", Decimal("8.75"))
        assert book.price_on(date(2024, 12, 31)) == Decimal("8.00")
        assert book.price_on(date(2025, 1, 1)) == Decimal("8.75")
        assert book.price_on(date(2000, 1, 1)) is None

    def test_today_is_what_the_book_says(self):
        for change in PriceChange.objects.valid_on(date(2026, 7, 1)).select_related("book"):
            assert change.price == change.book.price

    def test_the_latest_change(self):
        assert Book.objects.get(pk=3).price_changes.latest().valid_from == date(2025, 1, 1)

    def test_the_history_goes_with_the_book(self, author):
        book = new_book(author)
        PriceChange.objects.create(book=book, valid_from=date(2026, 1, 1), price=5)
        book.delete()
        assert not PriceChange.objects.filter(price=5, valid_from=date(2026, 1, 1)).exists()


class TestContribution:
    def test_a_book_has_contributors_with_what_they_did(self):
        quixote = Book.objects.get(title="Don Quixote")
        assert [str(contribution) for contribution in quixote.contributions.select_related("contributor")] == [
            "Gustave Doré (illustrator)",
            "John Ormsby (translator)",
        ]
        assert {str(contributor) for contributor in quixote.contributors.all()} == {"Gustave Doré", "John Ormsby"}

    def test_the_relation_can_be_made_with_what_it_says(self):
        emma, dore = Book.objects.get(title="Emma"), Contributor.objects.get(family_name="Doré")
        emma.contributors.add(dore, through_defaults={"role": "illustrator", "volume": 2})
        assert emma.contributions.get(contributor=dore).volume == 2

    @pytest.mark.parametrize("volume", [None, 1])
    def test_nobody_does_the_same_work_twice(self, volume):
        given = {"book": Book.objects.get(title="Emma"), "contributor": Contributor.objects.get(family_name="Doré")}
        Contribution.objects.create(**given, role="illustrator", volume=volume)
        with pytest.raises(IntegrityError), transaction.atomic():
            Contribution.objects.create(**given, role="illustrator", volume=volume)
        assert Contribution.objects.create(**given, role="illustrator", volume=3).pk
        assert Contribution.objects.create(**given, role="editor", volume=volume).pk

    def test_a_contributor_with_work_stays(self):
        with pytest.raises(ProtectedError):
            Contributor.objects.get(family_name="Doré").delete()

    def test_names_are_unique_whatever_their_capitals(self):
        # No capital É: SQLite's LOWER() knows ASCII only.
        double = Contributor(given_name="GUSTAVE", family_name="DORé")
        with pytest.raises(ValidationError, match="somebody of this name"):
            double.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            double.save()


def test_the_price_of_a_book_has_a_permission_of_its_own():
    assert Permission.objects.filter(content_type__app_label="catalog", codename="change_price").exists()
