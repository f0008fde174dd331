"""What outdates what the pages keep, and what does not."""

import logging
from decimal import Decimal

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.test.utils import isolate_apps

from catalog.models import AudioBook, Author, Book, Classic, Genre, Publisher
from catalog.pricelists import NewPrice, apply
from storefront import caching
from storefront.caching import CATALOGUE, GENRES, genre, versions


@pytest.fixture
def outdated(django_capture_on_commit_callbacks):
    """Call it with what to do, and get the groups that were outdated by it."""

    def watch(do):
        groups = (CATALOGUE, GENRES, *(genre(pk) for pk in Genre.objects.values_list("pk", flat=True)))
        before = versions(groups)
        with django_capture_on_commit_callbacks(execute=True):
            do()
            # Not before the transaction has ended.
            assert versions(groups) == before
        after = versions(groups)
        return {group for group in groups if after[group] != before[group]}

    return watch


@pytest.fixture
def emma(db):
    return Book.objects.get(slug="emma")


@pytest.fixture
def crime(db):
    return Genre.objects.get(slug="crime")


def test_saving_a_book_or_an_author(outdated, emma):
    assert outdated(emma.save) == {CATALOGUE}
    assert outdated(emma.author.save) == {CATALOGUE}


def test_saving_by_way_of_a_proxy_or_a_child(outdated, db):
    assert outdated(Classic.objects.first().save) == {CATALOGUE}
    assert outdated(AudioBook.objects.first().save) == {CATALOGUE}


def test_deleting_by_whatever_way(outdated, db):
    books = Book.objects.filter(lines__isnull=True)
    assert outdated(books[0].delete) == {CATALOGUE, GENRES}
    assert CATALOGUE in outdated(Classic.objects.filter(lines__isnull=True)[0].delete)
    assert CATALOGUE in outdated(books.filter(pk=books[0].pk).delete)
    assert outdated(Author.objects.get(slug="george-sand").delete) == {CATALOGUE}


def test_deleting_a_recording_deletes_the_book(outdated, db):
    recording = AudioBook.objects.first()
    recording.lines.all().delete()
    assert CATALOGUE in outdated(recording.delete)


def test_saving_or_deleting_a_genre(outdated, crime):
    assert outdated(crime.save) == {GENRES}
    assert GENRES in outdated(Genre.objects.get(slug="cookery").delete)


def test_a_book_comes_into_a_genre_and_leaves_it(outdated, emma, crime):
    assert outdated(lambda: emma.genres.add(crime)) == {genre(crime.pk)}
    assert outdated(lambda: crime.books.remove(emma)) == {genre(crime.pk)}
    other = Genre.objects.get(slug="gothic")
    before = set(emma.genres.all())
    assert outdated(lambda: emma.genres.set([other])) == {genre(pk) for pk in {other.pk, *(g.pk for g in before)}}
    # Which they were, nobody says.
    assert outdated(emma.genres.clear) == {CATALOGUE}
    assert outdated(crime.books.clear) == {genre(crime.pk)}


def test_a_transaction_that_was_undone_changes_nothing(outdated, emma):
    def do():
        with transaction.atomic():
            emma.save()
            transaction.set_rollback(True)

    assert outdated(do) == set()


def test_what_the_shop_shows_of_neither(outdated, emma):
    assert outdated(Publisher.objects.first().save) == set()
    assert outdated(emma.stock.save) == set()


def test_statements_about_many_rows_send_nothing(outdated, emma):
    def do():
        Book.objects.filter(pk=emma.pk).update(title="Emma Woodhouse")
        Book.objects.bulk_update([emma], ["title"])
        Book.objects.bulk_create([Book(title="New", slug="new", author=emma.author, price=1)])

    assert outdated(do) == set()


def test_so_prices_send_a_signal_of_their_own(django_capture_on_commit_callbacks, emma):
    before = versions((CATALOGUE,))
    with django_capture_on_commit_callbacks(execute=True):
        apply([NewPrice(emma, Decimal("99.00"))], valid_from="2026-11-01")
    assert versions((CATALOGUE,)) != before


@pytest.mark.parametrize("command", ["migrate", "flush"])
def test_migrate_and_flush(db, django_capture_on_commit_callbacks, command):
    before = versions((CATALOGUE, GENRES))
    with django_capture_on_commit_callbacks(execute=True):
        call_command(command, verbosity=0, interactive=False)
    after = versions((CATALOGUE, GENRES))
    assert all(after[group] != before[group] for group in before)


def test_a_model_that_is_defined_later_counts_as_well(outdated, emma):
    with isolate_apps("catalog"):

        class Thin(Book):
            class Meta:
                proxy = True
                app_label = "catalog"

        assert outdated(Thin.objects.get(pk=emma.pk).save) == {CATALOGUE}
        assert post_delete.has_listeners(Thin)


def test_nothing_costs_a_query(django_assert_num_queries, django_capture_on_commit_callbacks, emma, crime):
    """A save is one statement, a deletion what Django needs for it. An `add` has to look what is there already."""
    for save in (emma.save, crime.save, emma.author.save):
        with django_assert_num_queries(1), django_capture_on_commit_callbacks(execute=True):
            save()
    with django_assert_num_queries(2):
        emma.genres.add(crime)


def test_what_is_deleted_by_the_thousand_is_not_loaded_for_it():
    for model in (AudioBook, Publisher):
        assert not post_delete.has_listeners(model)
    assert post_save.has_listeners(AudioBook)


def test_a_cache_that_does_not_answer_keeps_nobody_from_saving(
    monkeypatch, caplog, django_capture_on_commit_callbacks, emma
):
    def fail(*arguments, **options):
        raise ConnectionError("no answer")

    monkeypatch.setattr(type(caches["default"]), "set_many", fail)
    emma.title = "Emma Woodhouse"
    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        emma.save()
    assert Book.objects.get(pk=emma.pk).title == "Emma Woodhouse"
    assert "no answer" in caplog.text


def test_the_policy_is_read_again_when_a_test_changes_it(settings):
    assert caching.policy().fresh == 300
    settings.CACHE_POLICY = {**settings.CACHE_POLICY, "fresh": 7}
    assert caching.policy().fresh == 7
