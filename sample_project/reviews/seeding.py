"""Invents what customers think of books and authors, from a fixed seed: the same rows each time."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from django.contrib.contenttypes.models import ContentType

from accounts.models import User
from catalog.models import Author, Book
from catalog.seeding import records

from .models import Review, Tag, Tagging, TagGroup

BOOK_REVIEWS, AUTHOR_REVIEWS = 360, 40
LAST_DAY = datetime(2026, 7, 1, tzinfo=UTC)

GROUPS = {
    "Mood": ["Dark", "Funny", "Hopeful", "Melancholy", "Strange"],
    "Reader": ["For a long journey", "For a rainy day", "Read aloud", "Read twice"],
    "Theme": ["Class", "Growing up", "Guilt", "History", "Ideas", "Love", "Science", "Travel"],
}
UNGROUPED = ["Gift", "Lent and never returned", "Unread"]
# What a book is about follows from its genre; how it was liked does not.
THEMES = {
    "Adventure": "Travel",
    "Children's books": "Growing up",
    "Crime": "Guilt",
    "Historical fiction": "History",
    "Philosophy": "Ideas",
    "Poetry": "Love",
    "Romance": "Love",
    "Science fiction": "Science",
    "Social novel": "Class",
}
OPINIONS = {
    1: ("Not for me.", "I gave up on page 50.", "100% overrated."),
    2: ("Long.", "The middle drags.", "My reading_group hated it."),
    3: ("Fine, once.", "Better than its reputation.", ""),
    4: ("Worth every evening.", "Much funnier than I expected.", "A fine edition – très belle."),
    5: ("I started again at once.", "The best I have read this year.", "Everyone should read this.", ""),
}
STARS = (1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5)


def fill_reviews():
    """Create tags, what they are put on, and reviews, some of them withdrawn; and withdrawn and written again."""
    kinds = ContentType.objects.get_for_models(Book, Author)
    fill_tags(kinds[Book], kinds[Author])
    fill_opinions(kinds[Book], kinds[Author])


def fill_tags(book, author):
    TagGroup.objects.get_or_create(pk=TagGroup.OTHER, defaults={"name": "Other"})
    TagGroup.objects.bulk_create(TagGroup(pk=pk, name=name) for pk, name in enumerate(GROUPS, start=2))
    tags = [(name, group) for group, names in enumerate(GROUPS.values(), start=2) for name in names]
    tags += [(name, TagGroup.OTHER) for name in UNGROUPED]
    Tag.objects.bulk_create(Tag(pk=pk, name=name, group_id=group) for pk, (name, group) in enumerate(tags, start=1))

    draw = Random("tags")
    numbers = {name: pk for pk, (name, _) in enumerate(tags, start=1)}
    # The last tag is there and on nothing.
    opinions = [numbers[name] for name in (*GROUPS["Mood"], *GROUPS["Reader"], *UNGROUPED[:-1])]
    genres = {}
    for pk, genre in Book.genres.through.objects.order_by("pk").values_list("book", "genre__name"):
        genres.setdefault(pk, []).append(genre)
    things = [(book, pk) for pk in Book.objects.order_by("pk").values_list("pk", flat=True)]
    things += [(author, pk) for pk in Author.objects.order_by("pk").values_list("pk", flat=True) if pk % 4 == 0]
    put = []
    for kind, pk in things:
        chosen = set(draw.sample(opinions, draw.choice((0, 0, 1, 1, 2))))
        if kind is book and pk % 5:
            chosen |= {numbers[THEMES[genre]] for genre in genres.get(pk, ()) if genre in THEMES}
        put += [(kind, pk, tag) for tag in sorted(chosen)]
    Tagging.objects.bulk_create(
        Tagging(pk=position, content_type=kind, object_id=pk, tag_id=tag)
        for position, (kind, pk, tag) in enumerate(put, start=1)
    )


def fill_opinions(book, author):
    draw = Random("reviews")
    weights = list(accumulate(int(row["demand"]) for row in records("books")))
    authors = list(Author.objects.exclude(books=None).order_by("pk").values_list("pk", flat=True))
    # Those who only look around have no opinions, and neither has the staff.
    reviewers = [
        (pk, joined)
        for pk, joined in User.objects.filter(is_staff=False, date_joined__lt=LAST_DAY - timedelta(days=30))
        .order_by("pk")
        .values_list("pk", "date_joined")
        if pk % 10 != 7
    ]
    added = dict(Book.objects.values_list("pk", "added"))
    taken, reviews = set(), []
    while len(reviews) < BOOK_REVIEWS + AUTHOR_REVIEWS:
        if len(reviews) < BOOK_REVIEWS:
            kind, pk = book, draw.choices(range(1, len(weights) + 1), cum_weights=weights)[0]
        else:
            kind, pk = author, draw.choice(authors)
        # The smaller of two positions: those who came first say more.
        reviewer, joined = reviewers[min(draw.randrange(len(reviewers)), draw.randrange(len(reviewers)))]
        if (kind, pk, reviewer) in taken:
            continue
        taken.add((kind, pk, reviewer))
        since = max(joined, added[pk]) if kind is book else joined
        created = (since + (LAST_DAY - since) * draw.random()).replace(second=0, microsecond=0)
        stars = draw.choice(STARS)
        withdrawn = created + timedelta(hours=30) if draw.random() < 0.06 else None
        written = {"content_type": kind, "object_id": pk, "reviewer_id": reviewer}
        reviews.append(
            Review(
                **written,
                stars=stars,
                text=draw.choice(OPINIONS[stars]),
                created=created,
                updated=withdrawn or created,
                withdrawn=withdrawn,
            )
        )
        if withdrawn and draw.random() < 0.4:
            again = withdrawn + timedelta(days=2)
            reviews.append(Review(**written, stars=3, text="On second thoughts …", created=again, updated=again))
    reviews.sort(key=lambda review: (review.created, review.object_id, review.reviewer_id))
    for pk, review in enumerate(reviews, start=1):
        review.pk = pk
        if pk % 45 == 0:
            # The account was closed since.
            review.reviewer_id = None
    Review.everything.bulk_create(reviews)
