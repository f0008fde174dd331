"""When what the pages keep is out of date.

`catalog` does not know that anybody keeps anything: that is what signals are for. Where a function of the shop may as
well be called, it should be: a call can be followed.

Nothing here reads the database. `update()`, `bulk_create()` and `bulk_update()` send nothing: who changes the
catalogue with them calls `caching.outdate_on_commit()`, or sends a signal of the shop's own, as `prices_changed`.
"""

from django.apps import apps
from django.db.models.signals import class_prepared, m2m_changed, post_delete, post_save

from catalog.models import Author, Book, Genre

from . import caching


def outdate_catalogue(sender, using, raw=False, **kwargs):
    """A book or an author was saved or deleted. Fixtures send this with `raw`; what loads one, outdates all."""
    if not raw:
        caching.outdate_on_commit(caching.CATALOGUE, using=using)


def outdate_genres(sender, using, raw=False, **kwargs):
    if not raw:
        caching.outdate_on_commit(caching.GENRES, using=using, fragments=["genre_index"])


def outdate_shelves(sender, instance, action, reverse, pk_set, using, raw=False, **kwargs):
    """Books came into genres or left them; from the side of the book, or of the genre (`reverse`).

    With "clear", Django does not say which they were. Since 6.1 it says when a fixture is loaded.
    """
    if raw or action not in {"post_add", "post_remove", "post_clear"}:
        return
    if reverse:
        groups = [caching.genre(instance.pk)]
    elif pk_set is None:
        groups = [caching.CATALOGUE]
    else:
        groups = [caching.genre(pk) for pk in sorted(pk_set)]
    if groups:
        caching.outdate_on_commit(*groups, using=using, fragments=["genre_index"])


def outdate_prices(sender, **kwargs):
    """The signal says that the transaction has ended."""
    caching.outdate(caching.CATALOGUE)


def outdate_all(sender, using, **kwargs):
    """After `migrate` and `flush`: rows were changed, or are all gone, and no model was asked."""
    caching.outdate_on_commit(caching.CATALOGUE, caching.GENRES, using=using, fragments=["genre_index"])


def forget_policy(setting, **kwargs):
    """A test has changed the setting, or put it back.

    https://docs.djangoproject.com/en/stable/ref/signals/#setting-changed
    """
    if setting == "CACHE_POLICY":
        caching.policy.cache_clear()


def follow(model):
    """Let saving or deleting a book by way of this model outdate the catalogue.

    A signal goes to the receivers of the very class that was saved, so each proxy and each child needs its own. A
    receiver for every sender would be shorter, and costs more: Django then loads what it would have deleted with one
    statement, of every model there is. For the same reason no child listens to deletions: its book's are sent as well.
    """
    uid = f"storefront.outdate_catalogue.{model._meta.label}"
    post_save.connect(outdate_catalogue, sender=model, dispatch_uid=uid)
    if model is Book or model._meta.proxy:
        post_delete.connect(outdate_catalogue, sender=model, dispatch_uid=uid)


def follow_kind(sender, **kwargs):
    """A model was defined after the shop had started: a kind of book, perhaps.

    https://docs.djangoproject.com/en/stable/ref/signals/#class-prepared
    """
    if issubclass(sender, Book):
        follow(sender)


def connect():
    """Called once all models are there."""
    for model in apps.get_models():
        if issubclass(model, Book):
            follow(model)
    class_prepared.connect(follow_kind, dispatch_uid="storefront.follow_kind")

    for signal in (post_save, post_delete):
        signal.connect(outdate_catalogue, sender=Author, dispatch_uid="storefront.outdate_catalogue.author")
        signal.connect(outdate_genres, sender=Genre, dispatch_uid="storefront.outdate_genres")
    # The counts of the genres: a book takes its places in them along, and `m2m_changed` is not sent for that.
    post_delete.connect(outdate_genres, sender=Book, dispatch_uid="storefront.outdate_genres")
    m2m_changed.connect(outdate_shelves, sender=Book.genres.through, dispatch_uid="storefront.outdate_shelves")
