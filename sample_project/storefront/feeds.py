"""New books, for programs that look every few minutes: the pages of the shop that are the same for everybody.

They know nothing of sessions, carts and languages, and so may be kept whole, here and on the way.

https://docs.djangoproject.com/en/stable/ref/contrib/syndication/
"""

import hashlib

from django.contrib.syndication.views import Feed
from django.http import Http404
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_page
from django.views.decorators.http import condition, conditional_page

from catalog.models import Book, Genre

from . import caching

LENGTH = 20
SECONDS = 300
_COLUMNS = ("title", "slug", "author__name", "description", "added")


def rows(books):
    """What an entry shows, of the newest books, as plain data: that can be stored, and models should not be."""
    return list(books.newest().values(*_COLUMNS)[:LENGTH])


class BookFeed(Feed):
    """An entry for each book."""

    feed_type = Atom1Feed
    # Not that of the visitor: books are described in one language.
    language = "en"

    def __call__(self, request, *args, **kwargs):
        response = super().__call__(request, *args, **kwargs)
        # Django puts the date of the newest book here. A title that was put right would never be seen.
        del response["Last-Modified"]
        return response

    def item_title(self, item):
        return item["title"]

    def item_author_name(self, item):
        return item["author__name"]

    def item_description(self, item):
        return item["description"]

    def item_link(self, item):
        return reverse("storefront:book", args=[item["slug"]])

    def item_pubdate(self, item):
        return item["added"]


class NewestFeed(BookFeed):
    title = "New in the bookshop"

    def link(self):
        return reverse("storefront:home")

    def items(self):
        return rows(Book.objects.all())


# Per view. Time alone decides: who asks within five minutes gets what there was, even if a book came in between. Each
# URL has its entry, its query included, and each combination of the headers that `Vary` names. Never do this to a page
# that shows the visitor's name: whatever does not name the cookie in `Vary` is everybody's.
# Outside of it, the answer gets an ETag of its content, and whoever has that content gets 304 without it.
# https://docs.djangoproject.com/en/stable/topics/cache/#the-per-view-cache
newest = conditional_page(cache_page(SECONDS)(NewestFeed()))


class GenreFeed(BookFeed):
    def get_object(self, request, slug):
        pk = genre_keys().get(slug)
        if pk is None:
            raise Http404
        return genre_feed(pk)

    def title(self, feed):
        return f"New in the bookshop: {feed['name']}"

    def link(self, feed):
        return reverse("storefront:genre", args=[feed["slug"]])

    def items(self, feed):
        return feed["rows"]


def genre_keys():
    """The primary keys of the genres, by slug."""
    return caching.get_or_compute(
        "genre-keys", lambda: dict(Genre.objects.values_list("slug", "pk")), groups=(caching.GENRES,), keep=bool
    )


def genre_feed(pk):
    """What the feed of this genre tells, and its ETag. A change to a book, or to the genre, makes it anew at once."""

    def compute():
        genre = Genre.objects.filter(pk=pk).first()
        if genre is None:
            raise Http404
        found = {"slug": genre.slug, "name": genre.name, "rows": rows(Book.objects.filter(genres=pk))}
        return {**found, "etag": f'"{hashlib.sha256(repr(found).encode()).hexdigest()[:32]}"'}

    groups = (caching.CATALOGUE, caching.GENRES, caching.genre(pk))
    return caching.get_or_compute(f"genre-feed:{pk}", compute, groups=groups)


def genre_etag(request, slug):
    pk = genre_keys().get(slug)
    return pk and genre_feed(pk)["etag"]


# The ETag is known before the answer is made: who has it costs neither a query nor the making of a feed.
# https://docs.djangoproject.com/en/stable/topics/conditional-view-processing/
@condition(etag_func=genre_etag)
def of_genre(request, slug):
    response = GenreFeed()(request, slug=slug)
    # Others may keep it, but ask each time: asking is cheap.
    patch_cache_control(response, public=True, no_cache=True)
    return response
