from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from catalog.models import Book, Contribution, PriceChange
from orders.models import Order, OrderLine

pytestmark = pytest.mark.django_db


def titles(books):
    return [book.title for book in books]


def test_in_print_leaves_out_what_is_no_longer_printed():
    assert Book.objects.count() - Book.objects.in_print().count() == 6
    assert not Book.objects.in_print().filter(title="Peer Gynt").exists()


def test_by_takes_the_name_of_an_author():
    assert titles(Book.objects.by("Natsume Sōseki")) == ["Botchan", "Kokoro"]


def test_in_genre_takes_the_name_of_a_genre():
    assert "R.U.R." in titles(Book.objects.in_genre("Drama"))
    assert not Book.objects.in_genre("Cookery").exists()


def test_published_before_is_strict_and_leaves_out_unknown_years():
    assert titles(Book.objects.published_before(1532)) == ["The Divine Comedy", "Utopia"]
    assert "The Prince" in titles(Book.objects.published_before(1533))


def test_costing_at_most_includes_the_price_itself():
    assert titles(Book.objects.costing_at_most(Decimal("4.75")).order_by("price")) == [
        "The Yellow Wallpaper",
        "The Metamorphosis",
    ]


def test_never_ordered_ends_with_the_first_order():
    book = Book.objects.never_ordered().get(title="Seven Brothers")
    OrderLine.objects.create(order=Order.objects.first(), book=book, unit_price=book.price)
    assert not Book.objects.never_ordered().filter(pk=book.pk).exists()


def test_querysets_can_be_chained():
    assert titles(Book.objects.in_print().by("Henrik Ibsen").in_genre("Drama")) == ["A Doll's House"]


@pytest.mark.parametrize("text", ["Zola", "zola", "émile", "EMILE", "emile zola", "ÉMILE"])
def test_matching_ignores_case_and_accents(text):
    assert titles(Book.objects.matching(text)) == ["Germinal", "L'Assommoir", "Nana", "Thérèse Raquin"]


def test_matching_wants_every_word_in_title_or_author():
    assert titles(Book.objects.matching("austen emma")) == ["Emma"]
    assert not Book.objects.matching("austen dracula").exists()


@pytest.mark.parametrize("text", ["%", "_", "100%"])
def test_matching_takes_wildcards_literally(text):
    assert not Book.objects.matching(text).exists()


def test_matching_nothing_in_particular_is_every_book():
    assert Book.objects.matching("  ").count() == Book.objects.count()


def test_newest_starts_with_what_came_last():
    assert titles(Book.objects.newest()[:3]) == ["The Enchanted April", "We", "The Red Room"]


def test_bestselling_counts_copies_and_leaves_out_cancelled_orders():
    best = Book.objects.bestselling()
    copies = sum(
        line.quantity
        for line in OrderLine.objects.filter(book=best[0]).select_related("order")
        if line.order.status != Order.Status.CANCELLED
    )
    assert (best[0].title, best[0].sold) == ("Pride and Prejudice", copies)
    assert [book.sold for book in best] == sorted((book.sold for book in best), reverse=True)


def test_bestselling_leaves_out_what_nobody_bought():
    assert not set(Book.objects.bestselling()) & set(Book.objects.never_ordered())


def test_bought_with_counts_the_orders_that_contain_both():
    emma, dracula = Book.objects.get(title="Emma"), Book.objects.get(title="Dracula")
    both = Order.objects.filter(lines__book=emma).filter(lines__book=dracula).count()
    together = {book: book.together for book in Book.objects.bought_with(emma)}
    assert together[dracula] == both > 0
    assert emma not in together


def test_recorded_and_translated():
    assert "Emma" in titles(Book.objects.recorded())
    translated = titles(Book.objects.translated())
    assert "War and Peace" in translated
    assert "Emma" not in translated
    # Three translators, one book.
    assert translated.count("War and Peace") == 1


def test_tagged_takes_a_name_in_any_case():
    tagged = titles(Book.objects.tagged("LOVE"))
    assert tagged == titles(Book.objects.tagged("Love"))
    assert tagged
    assert not Book.objects.tagged("Unread").exists()


def test_with_reviews_counts_live_reviews_only():
    book = Book.objects.with_reviews().order_by("-review_count", "pk").first()
    live = [review.stars for review in book.reviews.all()]
    assert book.review_count == len(live) > 5
    assert book.review_average == pytest.approx(sum(live) / len(live))
    book.reviews.first().delete()
    assert Book.objects.with_reviews().get(pk=book.pk).review_count == len(live) - 1
    unreviewed = Book.objects.with_reviews().filter(review_count=0).first()
    assert unreviewed.review_average is None


def test_price_changes_valid_on_a_day_are_one_for_each_book_that_was_for_sale():
    day = date(2025, 1, 1)
    changes = PriceChange.objects.valid_on(day)
    assert changes.count() == Book.objects.filter(added__lt=datetime(2025, 1, 2, tzinfo=UTC)).count()
    assert len(set(changes.values_list("book", flat=True))) == changes.count()


def test_raised_leaves_out_first_prices():
    raised = PriceChange.objects.raised()
    assert raised.count() == PriceChange.objects.count() - Book.objects.count() == 52
    assert set(raised.values_list("valid_from", flat=True)) == {date(2025, 1, 1)}


def test_contributions_by_role_and_of_a_book():
    peace = Book.objects.get(title="War and Peace")
    translators = Contribution.objects.translations_of(peace).values_list("contributor__family_name", flat=True)
    assert sorted(translators) == ["Garnett", "Maude", "Maude"]
    assert Contribution.objects.by_role("editor").count() == 4
