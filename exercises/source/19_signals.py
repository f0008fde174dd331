# %%
from checks import check, hint, solution
from lab import start

start()

# Django is set up now, so its models can be imported.
import asyncio
import gc
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

from accounts.models import User
from asgiref.sync import sync_to_async
from catalog.models import Book, Genre
from catalog.signals import prices_changed
from django.core import serializers
from django.db import connection, transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import Signal
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.text import slugify

# %% [markdown] exercise="19.1"
# ### 19.1 Welcome new customers
#
# Write `welcome`, a receiver of `post_save` for users. It adds the username of each **new** user to the list
# `welcomed`, once the transaction that made the user is committed; where there is none, at once. Nothing is added when
# a user is saved again, when a fixture is loaded, or when the transaction is rolled back.

# %% exercise="19.1" role="check"
def observe(answer):
    welcomed, seen = answer.welcomed, {}

    def told(step):
        welcomed.clear()
        try:
            step()
        except Exception as error:
            return f"{type(error).__name__}, and welcomed {welcomed}"
        return list(welcomed)

    def rolled_back():
        with transaction.atomic():
            User.objects.create(username="ghost")
            transaction.set_rollback(True)

    def inner_block_rolled_back():
        with transaction.atomic():
            User.objects.create(username="outer")
            try:
                with transaction.atomic():
                    User.objects.create(username="inner")
                    raise LookupError
            except LookupError:
                pass

    def in_an_open_transaction():
        with transaction.atomic():
            User.objects.create(username="early")
            seen["before the commit"] = list(welcomed)

    def fixture():
        row = serializers.serialize("json", [User(pk=99_999, username="fixture")])
        for one in serializers.deserialize("json", row):
            one.save()

    try:
        # An answer may connect itself, with `@receiver` and under a name of its own.
        if answer.welcome not in post_save._live_receivers(User)[0]:
            post_save.connect(answer.welcome, sender=User)
    except ValueError as error:
        return {"connecting": f"ValueError: {error}"}
    seen["create() outside of a transaction"] = told(lambda: User.objects.create(username="nora"))
    seen["save() of an old user"] = told(lambda: User.objects.get(username="nora").save())
    seen["save(update_fields=…) of an old user"] = told(
        lambda: User.objects.get(username="nora").save(update_fields=["email"])
    )
    seen["a new instance, saved twice"] = told(lambda: [user.save() for user in [User(username="thea")] * 2])
    seen["get_or_create() of an old user"] = told(lambda: User.objects.get_or_create(username="nora"))
    seen["a fixture"] = told(fixture)
    seen["after a rollback"] = told(rolled_back)
    seen["after the rollback of an inner block"] = told(inner_block_rolled_back)
    seen["after the commit"] = told(in_an_open_transaction)
    return seen

# %% exercise="19.1" role="answer"
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    # solution
    if created and not raw:
        transaction.on_commit(lambda: welcomed.append(instance.username), using=using)
    # end


check("19.1")

# %% exercise="19.1" role="alternative" note="The name is read now and not at the commit: it stays what it was when the user was saved. `partial` or a lambda, either is called later."
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if raw or not created:
        return
    transaction.on_commit(partial(welcomed.append, instance.username), using=using)

# %% exercise="19.1" role="mistake" says="A user who was rolled back has been welcomed: the receiver runs inside the transaction. Leave it to `transaction.on_commit()`."
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        welcomed.append(instance.username)

# %% exercise="19.1" role="mistake" says="Every save of an old user is a welcome, too. `created` says whether the row is new."
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if not raw:
        transaction.on_commit(lambda: welcomed.append(instance.username), using=using)

# %% exercise="19.1" role="mistake" says="Users from a fixture are welcomed as well. Django sends those with `raw=True`."
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if created:
        transaction.on_commit(lambda: welcomed.append(instance.username), using=using)

# %% exercise="19.1" role="mistake" says="The name is added at once, and `on_commit()` is handed what `append()` returned: None. It wants a function to call later."
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        transaction.on_commit(welcomed.append(instance.username), using=using)

# %% exercise="19.1" role="mistake" says="Nobody is in `welcomed`. When `post_save` is sent, `_state.adding` is False already: `created` says who is new. (And the list itself has to grow: another one of that name is not looked at.)"
welcomed = []


def welcome(sender, instance, created, raw, using, **kwargs):
    if instance._state.adding and not raw:
        transaction.on_commit(lambda: welcomed.append(instance.username), using=using)

# %% exercise="19.1" role="mistake" says="The receiver does not take `**kwargs`, and Django sends more than these: it refuses to connect it."
welcomed = []


def welcome(sender, instance, created, raw, using):
    if created and not raw:
        transaction.on_commit(lambda: welcomed.append(instance.username), using=using)

# %% exercise="19.1" role="hint"
# `created` and `raw` say which saves are meant.
# %% exercise="19.1" role="hint"
# `transaction.on_commit()` takes a function, calls it after the commit, and forgets it at a rollback.

# %% [markdown] exercise="19.2"
# ### 19.2 A slug with the key in it
#
# Write `add_key`, a receiver of `post_save` for genres. The slug of a new genre becomes the slug, a hyphen and the
# primary key: `maps` becomes `maps-17`, in the row and in the instance. A genre that is saved again gets no key,
# whatever its slug is by then, and one from a fixture keeps its own. No save sends a second `post_save`.

# %% exercise="19.2" role="check"
def observe(answer):
    heard, seen = [], {}

    def hear(**kwargs):
        heard.append(1)

    def case(name, step):
        heard.clear()
        genre = None
        try:
            genre = step()
        except RecursionError:
            seen[name] = "RecursionError"
            return None
        row = Genre.objects.filter(pk=genre.pk).values_list("slug", flat=True).first()

        def shape(text):
            return f"{text}".replace(str(genre.pk), "<key>")

        seen[name] = {"row": shape(row), "instance": shape(genre.slug), "post_save": len(heard)}
        return genre

    def again(genre):
        genre.name += "!"
        genre.save()
        return genre

    def renamed(genre):
        genre.slug = "charts"
        genre.save()
        return genre

    def fixture():
        row = serializers.serialize("json", [Genre(pk=4321, name="Fixture", slug="fixture")])
        for one in serializers.deserialize("json", row):
            one.save()
        return one.object

    with uncounted():
        before = dict(Genre.objects.values_list("pk", "slug"))
    post_save.connect(hear, sender=Genre)
    if answer not in post_save._live_receivers(Genre)[0]:
        post_save.connect(answer, sender=Genre)
    genre = case("create()", lambda: Genre.objects.create(name="Maps and Charts", slug="maps"))
    if genre:
        case("the same instance saved again", lambda: again(genre))
        case("read and saved again", lambda: again(Genre.objects.get(pk=genre.pk)))
        case("saved again with another slug", lambda: renamed(Genre.objects.get(pk=genre.pk)))
    case("a new instance and save()", lambda: again(Genre(name="Atlases", slug="old-atlases")))
    case("a fixture", fixture)
    with uncounted():
        after = dict(Genre.objects.filter(pk__in=before).values_list("pk", "slug"))
    seen["other genres are as they were"] = after == before
    return seen

# %% exercise="19.2" role="answer"
def add_key(sender, instance, created, raw, using, **kwargs):
    # solution
    if created and not raw:
        instance.slug = f"{instance.slug}-{instance.pk}"
        sender.objects.using(using).filter(pk=instance.pk).update(slug=instance.slug)
    # end


check("19.2")

# %% exercise="19.2" role="alternative" note="`bulk_update()` writes what is in the instance, and sends no signal either. Handy for several fields; for one, `update()` is as short."
def add_key(sender, instance, created, raw, using, **kwargs):
    if raw or not created:
        return
    instance.slug += f"-{instance.pk}"
    sender._base_manager.using(using).bulk_update([instance], ["slug"])

# %% exercise="19.2" role="mistake" says="The instance keeps the old slug, and the next `save()` writes it back. Set both: the row and the attribute."
def add_key(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        sender.objects.filter(pk=instance.pk).update(slug=f"{instance.slug}-{instance.pk}")

# %% exercise="19.2" role="mistake" says="The row keeps the old slug: it has been written when `post_save` is sent. It takes a second statement."
def add_key(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        instance.slug = f"{instance.slug}-{instance.pk}"

# %% exercise="19.2" role="mistake" says="It ends, thanks to `created`, but the receiver's own `save()` is a second `post_save` for everybody who listens. `update()` sends none."
def add_key(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        instance.slug = f"{instance.slug}-{instance.pk}"
        instance.save(update_fields=["slug"])

# %% exercise="19.2" role="mistake" says="`save()` sends `post_save`, whose receiver saves, and so on without end."
def add_key(sender, instance, created, raw, using, **kwargs):
    if not raw:
        instance.slug = f"{instance.slug}-{instance.pk}"
        instance.save()

# %% exercise="19.2" role="mistake" says="The slug grows with every save. Only a new row gets its key: see `created`."
def add_key(sender, instance, created, raw, using, **kwargs):
    if not raw:
        instance.slug = f"{instance.slug}-{instance.pk}"
        sender.objects.filter(pk=instance.pk).update(slug=instance.slug)

# %% exercise="19.2" role="mistake" says="Whoever changes the slug of an old genre finds a key in it: the end of the text does not say whether the row is new. See `created`."
def add_key(sender, instance, raw, using, **kwargs):
    if not raw and not instance.slug.endswith(f"-{instance.pk}"):
        instance.slug = f"{instance.slug}-{instance.pk}"
        sender.objects.filter(pk=instance.pk).update(slug=instance.slug)

# %% exercise="19.2" role="mistake" says="A new slug was made of the name. The one that the genre was given is to get the key."
def add_key(sender, instance, created, raw, using, **kwargs):
    if created and not raw:
        instance.slug = f"{slugify(instance.name)}-{instance.pk}"
        sender.objects.filter(pk=instance.pk).update(slug=instance.slug)

# %% exercise="19.2" role="mistake" says="A fixture was changed while it was loaded: what was dumped must come back as it was. See `raw`."
def add_key(sender, instance, created, raw, using, **kwargs):
    if created:
        instance.slug = f"{instance.slug}-{instance.pk}"
        sender.objects.filter(pk=instance.pk).update(slug=instance.slug)

# %% exercise="19.2" role="hint"
# Which way of writing sends no signal?
# %% exercise="19.2" role="hint"
# `sender.objects.filter(pk=instance.pk).update(…)`, and the same value in the attribute.

# %% [markdown] exercise="19.3"
# ### 19.3 What does this save change?
#
# Write `note_price`, a receiver of `pre_save` for books. When a save is going to change the price of a stored book, it
# adds `(slug, old, new)` to the list `changes`, both prices as `Decimal`. A new book changes nothing, nor does a
# fixture, nor a save that leaves the price out by `update_fields`. The price may have been set as text, such as
# `"9.50"`.

# %% exercise="19.3" role="check"
def observe(answer):
    changes, seen = answer.changes, {}
    with uncounted():
        Book.objects.filter(slug="emma").update(price=Decimal("9.50"))

    def case(name, step):
        changes.clear()
        try:
            step()
            seen[name] = list(changes)
        except Exception as error:
            seen[name] = type(error).__name__
        with uncounted():
            Book.objects.filter(slug="emma").update(price=Decimal("9.50"))

    def saved(price=None, fields=None, books=Book.objects):
        book = books.get(slug="emma")
        if price is not None:
            book.price = price
        book.save(update_fields=fields)

    def new():
        Book.objects.create(title="Maps", slug="maps", author=Book.objects.get(slug="emma").author, price=Decimal("5"))

    def new_with_a_key():
        Book(pk=7001, title="Charts", slug="charts", author=Book.objects.get(slug="emma").author, price=5).save()

    def fixture():
        book = Book.objects.get(slug="emma")
        book.price = Decimal("1.00")
        for one in serializers.deserialize("json", serializers.serialize("json", [book])):
            one.save()

    def twice():
        book = Book.objects.get(slug="emma")
        book.price = Decimal("10.00")
        book.save()
        book.price = Decimal("11.00")
        book.save()

    def behind_its_back():
        book = Book.objects.get(slug="emma")
        Book.objects.filter(slug="emma").update(price=Decimal("8.00"))
        book.save()

    if answer.note_price not in pre_save._live_receivers(Book)[0]:
        pre_save.connect(answer.note_price, sender=Book)
    case("another price", lambda: saved(Decimal("10.00")))
    case("the same price", lambda: saved(Decimal("9.50")))
    case("the same price as text", lambda: saved("9.50"))
    case("the same price with fewer digits", lambda: saved(Decimal("9.5")))
    case("another price as text", lambda: saved("10.25"))
    case("price 0", lambda: saved(Decimal("0")))
    case('another price, update_fields=["title"]', lambda: saved(Decimal("10.00"), ["title"]))
    case('another price, update_fields=["price"]', lambda: saved(Decimal("10.00"), ["price"]))
    case("a book read by only(\"title\")", lambda: saved(books=Book.objects.only("title")))
    case("a new book", new)
    case("a new book whose key is given", new_with_a_key)
    case("a fixture", fixture)
    case("two prices, one after the other", twice)
    case("the row has changed since it was read", behind_its_back)
    return seen

# %% exercise="19.3" role="answer"
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    # solution
    if raw or (update_fields is not None and "price" not in update_fields):
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    new = sender._meta.get_field("price").to_python(instance.price)
    if old is not None and old != new:
        changes.append((instance.slug, old, new))
    # end


check("19.3")

# %% exercise="19.3" role="alternative" note="Whether the row is new is asked of the instance; one that is built by hand around an old key counts as new. `Decimal(str(…))` reads numbers and text alike; the field's own `to_python()` is safer: it knows of everything that the field accepts."
changes = []


def note_price(sender, instance, raw, update_fields, **kwargs):
    if raw or instance._state.adding:
        return
    if update_fields is None or "price" in update_fields:
        stored = sender.objects.get(pk=instance.pk)
        new = Decimal(str(instance.price))
        if stored.price != new:
            changes.append((instance.slug, stored.price, new))

# %% exercise="19.3" role="mistake" says="A save that leaves the price out is noted, too: what is in the instance is not what is written. Look at `update_fields`."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw:
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    new = sender._meta.get_field("price").to_python(instance.price)
    if old is not None and old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="mistake" says="A new book has no row yet, so `get()` raises, and no book can be created any more."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or (update_fields is not None and "price" not in update_fields):
        return
    old = sender.objects.get(pk=instance.pk).price
    new = sender._meta.get_field("price").to_python(instance.price)
    if old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="mistake" says="A book may have its key before it has a row, and `get()` raises then. Ask for the row, by `filter(…).first()`."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or instance.pk is None or (update_fields is not None and "price" not in update_fields):
        return
    old = sender.objects.get(pk=instance.pk).price
    new = sender._meta.get_field("price").to_python(instance.price)
    if old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="mistake" says="Text is compared with a number, and differs always: \"9.50\" is no change. Let the field make a `Decimal` of it: `to_python()`."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or (update_fields is not None and "price" not in update_fields):
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    if old is not None and old != instance.price:
        changes.append((instance.slug, old, instance.price))

# %% exercise="19.3" role="mistake" says="As texts 9.5 and 9.50 differ, as prices they do not. Compare numbers."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or (update_fields is not None and "price" not in update_fields):
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    if old is not None and str(old) != str(instance.price):
        changes.append((instance.slug, old, Decimal(instance.price)))

# %% exercise="19.3" role="mistake" says="Loading a fixture is noted as a change. Django sends it with `raw=True`, and a receiver should leave the database alone then."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if update_fields is not None and "price" not in update_fields:
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    new = sender._meta.get_field("price").to_python(instance.price)
    if old is not None and old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="mistake" says="Where no `update_fields` are given, all fields are saved: then it is None, and this looks for the price in it."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or "price" not in (update_fields or ()):
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    new = sender._meta.get_field("price").to_python(instance.price)
    if old is not None and old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="mistake" says="A price of 0 is a price. Ask whether there is a row, not whether the value is true."
changes = []


def note_price(sender, instance, raw, using, update_fields, **kwargs):
    if raw or (update_fields is not None and "price" not in update_fields):
        return
    old = sender._base_manager.using(using).filter(pk=instance.pk).values_list("price", flat=True).first()
    new = sender._meta.get_field("price").to_python(instance.price)
    if old and new and old != new:
        changes.append((instance.slug, old, new))

# %% exercise="19.3" role="hint"
# `pre_save` comes before the statement: the old price is still in the row. Ask for it there.
# %% exercise="19.3" role="hint"
# `update_fields` is None where all fields are saved. `filter(…).first()` gives None for a new book.

# %% [markdown] exercise="19.4"
# ### 19.4 Forget what was deleted
#
# Write `forget`, a receiver of `post_delete` for genres. It adds the primary key of each deleted genre to the list
# `forgotten`, after the commit. A rolled back deletion leaves no trace there.

# %% exercise="19.4" role="check"
def observe(answer):
    forgotten, seen, keys = answer.forgotten, {}, []

    def case(name, step):
        forgotten.clear()
        keys[:] = [Genre.objects.create(name=slug, slug=slug).pk for slug in ("maps", "atlases")]
        try:
            step(Genre.objects.filter(pk__in=keys))
            found = forgotten
        except Exception as error:
            found = [type(error).__name__, *forgotten]
        known = dict(zip(keys, ("key of the first", "key of the second"), strict=True))
        seen[name] = sorted(str(known.get(key, key) if isinstance(key, int) else key) for key in found)
        Genre.objects.filter(pk__in=keys).delete()

    @transaction.atomic
    def in_a_transaction(genres):
        genres.get(slug="maps").delete()
        seen["before the commit"] = len(forgotten)

    @transaction.atomic
    def both_one_by_one(genres):
        for genre in genres:
            genre.delete()

    @transaction.atomic
    def rolled_back(genres):
        genres.delete()
        transaction.set_rollback(True)

    if answer.forget not in post_delete._live_receivers(Genre)[0]:
        post_delete.connect(answer.forget, sender=Genre)
    case("delete() of one, outside of a transaction", lambda genres: genres.get(slug="maps").delete())
    case("delete() of one, in a transaction", in_a_transaction)
    case("delete() of a queryset of two", lambda genres: genres.delete())
    case("delete() of a queryset of two, in a transaction", transaction.atomic(lambda genres: genres.delete()))
    case("one after the other, in a transaction", both_one_by_one)
    case("rolled back", rolled_back)
    return seen

# %% exercise="19.4" role="answer"
forgotten = []


def forget(sender, instance, using, **kwargs):
    # solution
    pk = instance.pk
    transaction.on_commit(lambda: forgotten.append(pk), using=using)
    # end


check("19.4")

# %% exercise="19.4" role="alternative" note="`partial` takes the key at once. Should such a callback be `robust` and fail, Django 5.2 stumbles over it; there take a function."
forgotten = []


def forget(sender, instance, using, **kwargs):
    transaction.on_commit(partial(forgotten.append, instance.pk), using=using)

# %% exercise="19.4" role="mistake" says="None is forgotten: at the commit, `delete()` has taken the key from the instance. Note it while the receiver runs."
forgotten = []


def forget(sender, instance, using, **kwargs):
    transaction.on_commit(lambda: forgotten.append(instance.pk), using=using)

# %% exercise="19.4" role="mistake" says="Something was forgotten that a rollback brought back. Wait for the commit."
forgotten = []


def forget(sender, instance, using, **kwargs):
    forgotten.append(instance.pk)

# %% exercise="19.4" role="mistake" says="The instance is added, and not its key."
forgotten = []


def forget(sender, instance, using, **kwargs):
    transaction.on_commit(lambda: forgotten.append(instance), using=using)

# %% exercise="19.4" role="mistake" says="`on_commit()` gets what `append()` returned, None, and the key is added at once. Hand it a function."
forgotten = []


def forget(sender, instance, using, **kwargs):
    transaction.on_commit(forgotten.append(instance.pk), using=using)

# %% exercise="19.4" role="hint"
# When does the callback run, and what has `delete()` done with the instance by then?
# %% exercise="19.4" role="hint"
# `pk = instance.pk` first, and `pk` in the function.

# %% [markdown] exercise="19.5"
# ### 19.5 Which books have moved?
#
# Write `note_books`, a receiver of `m2m_changed` for the genres of books. It adds to the set `moved` the primary keys
# of the books that come into a genre or leave one; from whichever side it is done: `book.genres` or `genre.books`,
# with `add`, `remove`, `set` and `clear`. Adding what is there already moves nothing. Whatever is named in a
# `remove()` counts, and so does a book whose genres are cleared.

# %% exercise="19.5" role="check"
def observe(answer):
    moved, seen = answer.moved, {}
    with uncounted():
        author = Book.objects.get(slug="emma").author
        books = [
            Book.objects.create(pk=pk, title=title, slug=title.lower(), author=author, price=1)
            for pk, title in ((7001, "Ape"), (7002, "Bee"), (7003, "Cat"))
        ]
        genres = [Genre.objects.create(pk=pk, name=f"Genre {pk}", slug=f"g{pk}") for pk in (8001, 8002)]
    ape, bee, cat = books
    one, two = genres
    names = {book.pk: book.title for book in books} | {genre.pk: f"genre {genre.pk}" for genre in genres}

    def case(name, step, before=()):
        for book in books:
            book.genres.clear()
        for book, genre in before:
            book.genres.add(genre)
        moved.clear()
        try:
            step()
            found = [names.get(key, key) if isinstance(key, int) else type(key).__name__ for key in moved]
            seen[name] = sorted(map(str, found))
        except Exception as error:
            seen[name] = type(error).__name__

    if answer.note_books not in m2m_changed._live_receivers(Book.genres.through)[0]:
        m2m_changed.connect(answer.note_books, sender=Book.genres.through)
    case("ape.genres.add(one, two)", lambda: ape.genres.add(one, two))
    case("one.books.add(ape, bee)", lambda: one.books.add(ape, bee))
    case("one.books.add(ape, bee), where ape is there", lambda: one.books.add(ape, bee), [(ape, one)])
    case("ape.genres.add(one), where it is there", lambda: ape.genres.add(one), [(ape, one)])
    case("ape.genres.remove(one)", lambda: ape.genres.remove(one), [(ape, one), (bee, one)])
    case("one.books.remove(ape, bee)", lambda: one.books.remove(ape, bee), [(ape, one), (bee, one), (cat, one)])
    case("ape.genres.set([two])", lambda: ape.genres.set([two]), [(ape, one)])
    case("one.books.set([bee, cat])", lambda: one.books.set([bee, cat]), [(ape, one), (bee, one)])
    case("ape.genres.clear()", lambda: ape.genres.clear(), [(ape, one), (bee, one)])
    case("one.books.clear()", lambda: one.books.clear(), [(ape, one), (bee, one), (cat, two)])
    case("one.books.clear(), where there is none", lambda: one.books.clear(), [(cat, two)])
    case("one.books.set([bee], clear=True)", lambda: one.books.set([bee], clear=True), [(ape, one)])
    return seen

# %% exercise="19.5" role="answer" seconds=20
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    # solution
    if action == "pre_clear":
        moved.update(instance.books.values_list("pk", flat=True) if reverse else [instance.pk])
    elif action in {"post_add", "post_remove"} and pk_set:
        moved.update(pk_set if reverse else [instance.pk])
    # end


check("19.5")

# %% exercise="19.5" role="alternative" note="Everything before the change. Should the change fail, the note is wrong; for a cache that is outdated, too much is no harm."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if not action.startswith("pre_"):
        return
    if not reverse:
        if pk_set is None or pk_set:
            moved.add(instance.pk)
    elif pk_set is None:
        for book in instance.books.all():
            moved.add(book.pk)
    else:
        moved.update(pk_set)

# %% exercise="19.5" role="mistake" says="Seen from a genre, the instance is the genre, and its key got among those of the books. `reverse` says which side it is."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if action in {"post_add", "post_remove", "pre_clear"} and pk_set != set():
        moved.add(instance.pk)

# %% exercise="19.5" role="mistake" says="After `clear` it is too late to ask which books there were. Ask at `pre_clear`."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if action == "post_clear":
        moved.update(instance.books.values_list("pk", flat=True) if reverse else [instance.pk])
    elif action in {"post_add", "post_remove"} and pk_set:
        moved.update(pk_set if reverse else [instance.pk])

# %% exercise="19.5" role="mistake" says="A genre that the book has already was added once more, and nothing moved. Django says so with an empty `pk_set`."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if action == "pre_clear":
        moved.update(instance.books.values_list("pk", flat=True) if reverse else [instance.pk])
    elif action in {"post_add", "post_remove"}:
        moved.update(pk_set if reverse else [instance.pk])

# %% exercise="19.5" role="mistake" says="With `clear` there is no `pk_set`: it is None. From the side of a genre, the books have to be asked for."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if reverse:
        moved.update(pk_set)
    elif pk_set is None or pk_set:
        moved.add(instance.pk)

# %% exercise="19.5" role="mistake" says="Whole books are in the set, where keys are wanted."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if action == "pre_clear":
        moved.update(instance.books.all() if reverse else [instance])
    elif action in {"post_add", "post_remove"} and pk_set:
        moved.update(Book.objects.filter(pk__in=pk_set) if reverse else [instance])

# %% exercise="19.5" role="mistake" says="Whoever clears is not heard: `clear` has actions of its own."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if action in {"post_add", "post_remove"} and pk_set:
        moved.update(pk_set if reverse else [instance.pk])

# %% exercise="19.5" role="mistake" says="From a genre, all its books count as moved, though only some came or went. Those are in `pk_set`."
moved = set()


def note_books(sender, instance, action, reverse, pk_set, **kwargs):
    if not reverse:
        if pk_set is None or pk_set:
            moved.add(instance.pk)
    else:
        moved.update(instance.books.values_list("pk", flat=True))

# %% exercise="19.5" role="hint"
# Four cases: from the book or from the genre, with keys or with `clear`.
# %% exercise="19.5" role="hint"
# From a genre (`reverse`) the books are in `pk_set`; with `clear` it is None, and `instance.books` still has them at `pre_clear`.

# %% [markdown] exercise="19.6"
# ### 19.6 Connect once, and for good
#
# `connect_counters(signal, models, counts)` is called in `ready()`. From then on, each time one of the `models` sends
# the signal, `counts`, a `Counter`, counts one under the name of that model. `ready()` may run twice: nothing is
# counted double. And it works where `DEBUG` is False.

# %% exercise="19.6" role="check"
def observe(answer):
    def somebody_else(**kwargs):
        pass

    def told(signal, counts, *models):
        gc.collect()
        counts.clear()
        for model in models:
            signal.send(model, instance=None)
        return sorted(counts.items(), key=str)

    def run(seen):
        signal, other, counts = Signal(), Signal(), Counter()
        signal.connect(somebody_else, sender=Book)
        answer(signal, [Book, Genre], counts)
        seen["a book sends"] = told(signal, counts, Book)
        seen["a book, two genres and a user send"] = told(signal, counts, Book, Genre, Genre, User)
        answer(signal, [Book, Genre], counts)
        seen["connected twice, a genre sends"] = told(signal, counts, Genre)
        answer(signal, [User], counts)
        answer(other, [User], counts)
        seen["users connected later, a book and a user send"] = told(signal, counts, Book, User)
        seen["a user sends another signal"] = told(other, counts, User)

    found = {}
    for debug in (True, False):
        seen = found[f"DEBUG={debug}"] = {}
        with override_settings(DEBUG=debug):
            try:
                run(seen)
            except Exception as error:
                found[f"DEBUG={debug}"] = f"{type(error).__name__}: {error}"
    return found

# %% exercise="19.6" role="answer"
def connect_counters(signal, models, counts):
    # solution
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    for model in models:
        signal.connect(count, sender=model, weak=False, dispatch_uid="count")
    # end


check("19.6")

# %% exercise="19.6" role="alternative" note="A function of the module with its dictionary bound by `partial`: it can be tested without any signal. The partial itself is held by nobody else, so `weak=False`."
def count(counts, sender, **kwargs):
    counts.update([sender.__name__])


def connect_counters(signal, models, counts):
    for model in models:
        receiver = partial(count, counts)
        signal.connect(receiver, sender=model, dispatch_uid=f"count.{model._meta.label}", weak=False)

# %% exercise="19.6" role="mistake" says="In production nothing is counted: nobody holds the inner function but the signal, and that weakly. (With `DEBUG` a cache holds it, by accident.)"
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    for model in models:
        signal.connect(count, sender=model, dispatch_uid="count")

# %% exercise="19.6" role="mistake" says="Called twice, it counts double: each call makes a new function. Give the place a name, with `dispatch_uid`."
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    for model in models:
        signal.connect(count, sender=model, weak=False)

# %% exercise="19.6" role="mistake" says="All is counted under the last model: the inner functions look at `model` when they are called, and the loop is over by then. The sender is an argument."
def connect_counters(signal, models, counts):
    for model in models:

        def count(**kwargs):
            counts[model.__name__] += 1

        signal.connect(count, sender=model, weak=False, dispatch_uid="count")

# %% exercise="19.6" role="mistake" says="Connected without a sender, it counts whoever sends. Say `sender=model`."
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    signal.connect(count, weak=False, dispatch_uid="count")

# %% exercise="19.6" role="mistake" says="The models of the first call are the only ones: the place is taken, and the second call is ignored. Connect with a sender for each model."
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        if sender in models:
            counts[sender.__name__] += 1

    signal.connect(count, weak=False, dispatch_uid="count")

# %% exercise="19.6" role="mistake" says="Where somebody else listens already, nothing is counted: `has_listeners()` asks for any receiver, not for this one. Name the place by `dispatch_uid`."
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    for model in models:
        if not signal.has_listeners(model):
            signal.connect(count, sender=model, weak=False)

# %% exercise="19.6" role="mistake" says="`dispatch_uid` is hard-wired to nothing: None counts as not given, so the second call connects a second function."
def connect_counters(signal, models, counts):
    def count(sender, **kwargs):
        counts[sender.__name__] += 1

    for model in models:
        signal.connect(count, sender=model, weak=False, dispatch_uid=None)

# %% exercise="19.6" role="hint"
# Three arguments of `connect()` besides the receiver: what is each for?
# %% exercise="19.6" role="hint"
# `sender=model` for each model, `weak=False` because the function is made inside, `dispatch_uid="…"` against doubles.

# %% [markdown] exercise="19.7"
# ### 19.7 Silence for a test
#
# Write a context manager `muted(signal, receiver, **how)`: inside the block the receiver does not hear the signal,
# afterwards it does as before, also where the block ends with an exception. `how` is what it was connected with:
# `sender`, `dispatch_uid`, both or none. Other receivers are not touched, and a receiver that was not connected is not
# connected afterwards.

# %% exercise="19.7" role="check"
def observe(answer):
    heard, seen = [], {}

    def hear(**kwargs):
        heard.append("muted one")

    def other(**kwargs):
        heard.append("other")

    def sent(signal, sender):
        heard.clear()
        signal.send(sender)
        return sorted(heard)

    def scenario(connected, how):
        signal, steps = Signal(), {}
        signal.connect(other)
        if connected:
            signal.connect(hear, **how)
        with answer(signal, hear, **how):
            steps["inside"] = sent(signal, Book)
        steps["afterwards, a book sends"] = sent(signal, Book)
        steps["afterwards, a genre sends"] = sent(signal, Genre)
        signal.connect(hear, **how)
        steps["connected once more as before"] = sent(signal, Book)
        steps["and disconnected"] = signal.disconnect(hear, **how), sent(signal, Book)
        return steps

    def meanwhile():
        # With a cache of receivers, as the signals of models have one.
        signal = Signal(use_caching=True)
        signal.connect(hear)
        with answer(signal, hear):
            signal.connect(other)
            inside = sent(signal, Book)
        return inside, sent(signal, Book)

    def failing_block():
        signal = Signal()
        signal.connect(hear)
        try:
            with answer(signal, hear):
                raise LookupError
        except LookupError:
            return "LookupError", sent(signal, Book)
        return "no error", sent(signal, Book)

    def case(name, step):
        try:
            seen[name] = step()
        except Exception as error:
            seen[name] = f"{type(error).__name__}: {error}"

    for how in ({}, {"sender": Book}, {"dispatch_uid": "log"}, {"sender": Book, "dispatch_uid": "log"}):
        described = " and ".join(how) or "nothing else"
        case(f"connected with {described}", lambda: scenario(True, how))
        case(f"not connected, muted with {described}", lambda: scenario(False, how))
    case("another one is connected inside the block", meanwhile)
    case("a block that raises, and who hears afterwards", failing_block)
    return seen

# %% exercise="19.7" role="answer"
@contextmanager
def muted(signal, receiver, **how):
    # solution
    connected = signal.disconnect(receiver, **how)
    try:
        yield
    finally:
        if connected:
            signal.connect(receiver, **how)
    # end


check("19.7")

# %% exercise="19.7" role="alternative" note="As a class: the same in two methods. It can be used as a decorator with `ContextDecorator` as its base, as what `@contextmanager` makes can too."
class muted:
    def __init__(self, signal, receiver, **how):
        self.signal, self.receiver, self.how = signal, receiver, how

    def __enter__(self):
        self.connected = self.signal.disconnect(self.receiver, **self.how)

    def __exit__(self, *exception):
        if self.connected:
            self.signal.connect(self.receiver, **self.how)

# %% exercise="19.7" role="mistake" says="After an exception the receiver stays silent, for all tests that follow. What must happen in any case belongs into `finally`."
@contextmanager
def muted(signal, receiver, **how):
    connected = signal.disconnect(receiver, **how)
    yield
    if connected:
        signal.connect(receiver, **how)

# %% exercise="19.7" role="mistake" says="Whoever was not connected is connected afterwards. `disconnect()` says whether it found anything."
@contextmanager
def muted(signal, receiver, **how):
    signal.disconnect(receiver, **how)
    try:
        yield
    finally:
        signal.connect(receiver, **how)

# %% exercise="19.7" role="mistake" says="Connected with a sender or a `dispatch_uid`, it hears on: `disconnect()` finds it by the same arguments alone."
@contextmanager
def muted(signal, receiver, **how):
    connected = signal.disconnect(receiver)
    try:
        yield
    finally:
        if connected:
            signal.connect(receiver, **how)

# %% exercise="19.7" role="mistake" says="It comes back for all senders, and without its name: connect it with what it was connected with."
@contextmanager
def muted(signal, receiver, **how):
    connected = signal.disconnect(receiver, **how)
    try:
        yield
    finally:
        if connected:
            signal.connect(receiver)

# %% exercise="19.7" role="mistake" says="The others are silenced, too: a test that relies on them would fail for a reason that nobody finds."
@contextmanager
def muted(signal, receiver, **how):
    before, signal.receivers = signal.receivers, []
    try:
        yield
    finally:
        signal.receivers = before

# %% exercise="19.7" role="mistake" says="The list of before comes back as it was: who was connected inside the block is gone, and the signal's cache knows nothing of it. Go by `connect()`."
@contextmanager
def muted(signal, receiver, **how):
    before = list(signal.receivers)
    signal.disconnect(receiver, **how)
    try:
        yield
    finally:
        signal.receivers = before

# %% exercise="19.7" role="hint"
# `disconnect()` returns True where it found the receiver.
# %% exercise="19.7" role="hint"
# `@contextmanager`, one `yield` inside `try`, and the rest in `finally`.

# %% [markdown] exercise="19.8"
# ### 19.8 A slug without a signal
#
# A receiver of `pre_save` cannot add to `update_fields`; an overridden `save()` can. Write the class `Slugged`, for
# models with a `title` and a `slug`: whenever a title is saved, `slugify(title)` is saved as the slug with it. A save
# that leaves the title out by `update_fields` writes what it was asked to, and no more. The caller's `update_fields`
# stay as they are; they may be a list, a tuple or a set.

# %% exercise="19.8" role="check"
def observe(answer):
    class Volume(answer, Book):
        class Meta:
            proxy = True
            app_label = "lab"

    seen = {}
    with uncounted():
        author = Book.objects.get(slug="emma").author

    def case(name, step):
        with uncounted():
            Book.objects.filter(pk=7001).delete()
            Book.objects.create(pk=7001, title="Old", slug="old", author=author, price=1, pages=10)
        volume = Volume.objects.get(pk=7001)
        try:
            step(volume)
        except Exception as error:
            seen[name, "stopped by"] = type(error).__name__
            return
        seen[name] = Book.objects.filter(pk=7001).values_list("title", "slug", "pages").first()

    def changed(volume, **how):
        volume.title, volume.pages = "War & Peace", 20
        volume.save(**how)

    def kept(volume):
        fields = ["title"]
        changed(volume, update_fields=fields)
        seen["the caller's list afterwards"] = fields

    def created(volume):
        volume.delete()
        Volume.objects.create(pk=7001, title="A New One", author=author, price=1, pages=1)

    case("save()", changed)
    case("create()", created)
    case('save(update_fields=["title"])', kept)
    case('save(update_fields=("title", "pages"))', lambda volume: changed(volume, update_fields=("title", "pages")))
    case('save(update_fields={"title"})', lambda volume: changed(volume, update_fields={"title"}))
    case('save(update_fields=["pages"])', lambda volume: changed(volume, update_fields=["pages"]))
    case("save(update_fields=[])", lambda volume: changed(volume, update_fields=[]))
    case(
        'update_or_create(defaults={"title": …})',
        lambda volume: Volume.objects.update_or_create(pk=7001, defaults={"title": "Maps"}),
    )
    how = {"force_update": True, "using": "default"}
    case('save(force_update=True, using="default")', lambda volume: changed(volume, **how))
    return seen

# %% exercise="19.8" role="answer"
class Slugged:
    def save(self, *args, update_fields=None, **kwargs):
        # solution
        if update_fields is None or "title" in update_fields:
            self.slug = slugify(self.title)
            if update_fields is not None:
                update_fields = {"slug", *update_fields}
        super().save(*args, update_fields=update_fields, **kwargs)
        # end


check("19.8")

# %% exercise="19.8" role="alternative" note="The slug is derived in any case, and only added where the title is saved. The instance then has a slug that the row may not have."
class Slugged:
    def save(self, *args, **kwargs):
        self.slug = slugify(self.title)
        fields = kwargs.get("update_fields")
        if fields and "title" in fields:
            kwargs["update_fields"] = [*fields, "slug"]
        return super().save(*args, **kwargs)

# %% exercise="19.8" role="mistake" says="With `update_fields=[\"title\"]` the slug is set and not written: only the named fields are. `update_or_create()` does so as well. Add the slug to them."
class Slugged:
    def save(self, *args, **kwargs):
        self.slug = slugify(self.title)
        super().save(*args, **kwargs)

# %% exercise="19.8" role="mistake" says="Asked to save the pages, it writes the slug of a title that is not stored. Add the slug only where the title is saved."
class Slugged:
    def save(self, *args, update_fields=None, **kwargs):
        self.slug = slugify(self.title)
        if update_fields is not None:
            update_fields = {"slug", *update_fields}
        super().save(*args, update_fields=update_fields, **kwargs)

# %% exercise="19.8" role="mistake" says="The caller's list has grown, and a tuple cannot grow at all. Make a collection of your own."
class Slugged:
    def save(self, *args, update_fields=None, **kwargs):
        if update_fields is None or "title" in update_fields:
            self.slug = slugify(self.title)
            if update_fields is not None:
                update_fields.append("slug")
        super().save(*args, update_fields=update_fields, **kwargs)

# %% exercise="19.8" role="mistake" says="`create()` passes `force_insert`, and others pass `using`: take what Django may hand you and pass it on."
class Slugged:
    def save(self, update_fields=None):
        if update_fields is None or "title" in update_fields:
            self.slug = slugify(self.title)
            if update_fields is not None:
                update_fields = {"slug", *update_fields}
        super().save(update_fields=update_fields)

# %% exercise="19.8" role="mistake" says="The slug is set after the row was written, so it is one save behind."
class Slugged:
    def save(self, *args, update_fields=None, **kwargs):
        if update_fields is not None and "title" in update_fields:
            update_fields = {"slug", *update_fields}
        super().save(*args, update_fields=update_fields, **kwargs)
        self.slug = slugify(self.title)

# %% exercise="19.8" role="mistake" says="Whatever is asked for, everything is saved: `update_fields` did not reach `super().save()`."
class Slugged:
    def save(self, *args, update_fields=None, **kwargs):
        self.slug = slugify(self.title)
        super().save(*args, **kwargs)

# %% exercise="19.8" role="hint"
# `update_fields` is None where everything is saved. Otherwise it names what is.
# %% exercise="19.8" role="hint"
# `{"slug", *update_fields}` is a new set with one more.

# %% [markdown] exercise="19.9"
# ### 19.9 One statement, one signal
#
# Write `raise_prices(books, amount)`: it raises the price of the books in the queryset by one UPDATE, and returns how
# many there were. After the commit it sends the shop's own `prices_changed` once, with `sender=Book` and `books`, a
# list of their primary keys. Where there was no book, or the transaction is rolled back, it sends nothing. No receiver
# that fails may fail the caller.

# %% exercise="19.9" role="check"
def observe(answer):
    heard, seen = [], {}

    def hear(sender, books, **kwargs):
        heard.append((sender.__name__, type(books).__name__, sorted(known.get(pk, pk) for pk in books)))

    def fail(**kwargs):
        raise LookupError

    def saved(**kwargs):
        heard.append("post_save")

    with uncounted():
        author = Book.objects.get(slug="emma").author
        known = {}
        for pk, title in ((7001, "Ape"), (7002, "Bee"), (7003, "Cat")):
            known[pk] = title
            price = Decimal(pk - 7000)
            Book.objects.create(pk=pk, title=title, slug=title.lower(), author=author, price=price, pages=pk)
    mine = Book.objects.filter(pk__in=known)

    def case(name, step):
        heard.clear()
        with uncounted():
            for pk in known:
                Book.objects.filter(pk=pk).update(price=Decimal(pk - 7000))
        with CaptureQueriesContext(connection) as queries:
            try:
                returned = step()
            except Exception as error:
                returned = type(error).__name__
        updates = sum(query["sql"].startswith("UPDATE") for query in queries) - (step is behind_its_back)
        prices = {known[pk]: str(price) for pk, price in mine.order_by("pk").values_list("pk", "price")}
        seen[name] = {"returned": returned, "told": list(heard), "one UPDATE at most": updates <= 1, "prices": prices}

    def rolled_back():
        with transaction.atomic():
            returned = answer(mine.all(), Decimal("0.50"))
            transaction.set_rollback(True)
        return returned

    def open_transaction():
        with transaction.atomic():
            returned = answer(mine.all(), Decimal("0.50"))
            seen["told before the commit"] = list(heard)
        return returned

    def behind_its_back():
        books = mine.all()
        len(books)
        with uncounted():
            mine.update(price=Decimal("7.00"))
        return answer(books, Decimal("0.50"))

    prices_changed.connect(hear, weak=False)
    post_save.connect(saved, sender=Book, weak=False)
    case("three books", lambda: answer(mine.all(), Decimal("0.50")))
    case("those below 2.50", lambda: answer(mine.filter(price__lt=Decimal("2.50")), Decimal("2.00")))
    case("no book", lambda: answer(mine.filter(pages=1), Decimal("0.50")))
    case("rolled back by the caller", rolled_back)
    case("inside a transaction of the caller", open_transaction)
    case("the prices have changed since the queryset was read", behind_its_back)
    prices_changed.disconnect(hear)
    prices_changed.connect(fail, weak=False)
    prices_changed.connect(hear, weak=False)
    case("one receiver fails", lambda: answer(mine.all(), Decimal("0.50")))
    return seen

# %% exercise="19.9" role="answer" seconds=20
def raise_prices(books, amount):
    # solution
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        if keys:
            Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys), robust=True)
    return len(keys)
    # end


check("19.9")

# %% exercise="19.9" role="alternative" note="Locks the rows while it reads their keys, where the database can: nobody else's change comes between. SQLite takes its one write lock for the whole transaction."
@transaction.atomic
def raise_prices(books, amount):
    keys = [book.pk for book in books.select_for_update().only("pk")]
    if not keys:
        return 0

    def tell():
        prices_changed.send_robust(Book, books=keys)

    count = Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
    transaction.on_commit(tell)
    return count

# %% exercise="19.9" role="mistake" says="The keys are asked for when the prices have changed: a queryset by price finds others then. Read them before the UPDATE."
def raise_prices(books, amount):
    with transaction.atomic():
        count = books.update(price=F("price") + amount)
        keys = list(books.values_list("pk", flat=True))
        if count:
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys), robust=True)
    return count

# %% exercise="19.9" role="mistake" says="It was told though the caller rolled back: send after the commit, by `transaction.on_commit()`."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
    if keys:
        prices_changed.send_robust(sender=Book, books=keys)
    return len(keys)

# %% exercise="19.9" role="mistake" says="A receiver's error reaches the caller, though the prices are stored. `send_robust()` keeps it away, and calls the others."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        if keys:
            Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
            transaction.on_commit(lambda: prices_changed.send(sender=Book, books=keys))
    return len(keys)

# %% exercise="19.9" role="mistake" says="With `robust=True` the error stays away from the caller, but `send()` stops at it: the receivers that come later are not told."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        if keys:
            Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
            transaction.on_commit(lambda: prices_changed.send(sender=Book, books=keys), robust=True)
    return len(keys)

# %% exercise="19.9" role="mistake" says="One UPDATE and one `post_save` for each book. One statement does for all of them."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = []
        for book in books:
            book.price += amount
            book.save(update_fields=["price"])
            keys.append(book.pk)
        if keys:
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys), robust=True)
    return len(keys)

# %% exercise="19.9" role="mistake" says="What is written was computed from what was read, and another change in between is lost. Let the database add: `F(\"price\") + amount`."
def raise_prices(books, amount):
    with transaction.atomic():
        changed = list(books)
        for book in changed:
            book.price += amount
        Book.objects.bulk_update(changed, ["price"])
        keys = [book.pk for book in changed]
        if keys:
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys), robust=True)
    return len(keys)

# %% exercise="19.9" role="alternative" note="The queryset itself is updated: short, and right where all that it asks for is still so. The filter is read twice, and without a lock another transaction may change who is found in between."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        count = books.update(price=F("price") + amount)
        if keys:
            transaction.on_commit(partial(prices_changed.send_robust, sender=Book, books=keys))
    return count

# %% exercise="19.9" role="mistake" says="News of nothing: no book was raised, and everybody is told. Send only where there was one."
def raise_prices(books, amount):
    with transaction.atomic():
        keys = list(books.values_list("pk", flat=True))
        Book.objects.filter(pk__in=keys).update(price=F("price") + amount)
        transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys), robust=True)
    return len(keys)

# %% exercise="19.9" role="mistake" says="A queryset is handed on, and asked after the change. Receivers want the keys of those that were raised: make a list first."
def raise_prices(books, amount):
    keys = books.values_list("pk", flat=True)
    with transaction.atomic():
        count = books.update(price=F("price") + amount)
        if count:
            transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=list(keys)), robust=True)
    return count

# %% exercise="19.9" role="hint"
# Three steps in one transaction: read the keys, update by them, and say what is to be sent after the commit.
# %% exercise="19.9" role="hint"
# `transaction.on_commit(lambda: prices_changed.send_robust(sender=Book, books=keys))`

# %% [markdown] exercise="19.10"
# ### 19.10 Tell everybody, from an async view
#
# Write `async def announce(signal, title)`. It sends the signal to all its receivers, sync and async, with the sender
# `"press"` and the `title`, and waits for them. It returns a dictionary: for the name of each receiver its answer, or,
# where it failed, the name of its exception's class. No receiver keeps another one from being called, and async ones
# wait at the same time.

# %% exercise="19.10" role="check"
async def observed(answer):
    heard, seen = [], {}

    def printer(sender, title, **kwargs):
        heard.append(("printer", sender, title))
        return len(title)

    def jammed(**kwargs):
        heard.append("jammed")
        raise OSError("paper")

    def jam(**kwargs):
        heard.append("jam")
        raise OSError("ink")

    async def reader(sender, title, **kwargs):
        await asyncio.sleep(0)
        heard.append(("reader", sender, title))
        return title.upper()

    async def asleep(**kwargs):
        await asyncio.sleep(0)
        heard.append("asleep")
        raise KeyError("chair")

    async def lost(**kwargs):
        heard.append("lost")
        raise ValueError("glasses")

    async def case(name, *receivers):
        signal = Signal()
        for receiver in receivers:
            signal.connect(receiver)
        heard.clear()
        try:
            returned = await answer(signal, "Emma")
            if isinstance(returned, dict):
                # A receiver as key would be shown with its address.
                returned = {key if isinstance(key, str) else type(key).__name__: returned[key] for key in returned}
        except BaseException as error:
            returned = f"raised {type(error).__name__}"
        # Who was left behind comes to an end, so that it does not turn up in the next case.
        await asyncio.sleep(0.05)
        seen[name] = {"returned": returned, "called": sorted(map(str, heard))}

    await case("no receiver")
    await case("one sync", printer)
    await case("one async", reader)
    await case("one of each", reader, printer)
    await case("a sync one fails", jammed, printer, reader)
    await case("an async one fails", asleep, reader, printer)
    await case("two sync ones fail", printer, jammed, jam, reader)
    await case("two async ones fail", lost, asleep, printer, reader)
    await case("an async one fails last", printer, reader, asleep)

    met = asyncio.Event()

    async def waits(**kwargs):
        await asyncio.wait_for(met.wait(), timeout=1)
        return "met"

    async def comes(**kwargs):
        met.set()
        return "came"

    await case("one async receiver waits for another", waits, comes)
    return seen


def observe(answer):
    return asyncio.run(observed(answer))

# %% exercise="19.10" role="answer" seconds=20
async def announce(signal, title):
    # solution
    answers = await signal.asend_robust("press", title=title)
    return {
        receiver.__name__: type(answer).__name__ if isinstance(answer, Exception) else answer
        for receiver, answer in answers
    }
    # end


check("19.10")

# %% exercise="19.10" role="alternative" note="The synchronous call in a thread: what old code does until it is changed. The async receivers still run in the loop, together."
async def announce(signal, title):
    result = {}
    for receiver, answer in await sync_to_async(signal.send_robust)(sender="press", title=title):
        result[receiver.__name__] = answer
        if isinstance(answer, Exception):
            result[receiver.__name__] = answer.__class__.__name__
    return result

# %% exercise="19.10" role="mistake" says="In a running event loop `send_robust()` cannot wait for an async receiver: RuntimeError. Await `asend_robust()`."
async def announce(signal, title):
    answers = signal.send_robust("press", title=title)
    return {
        receiver.__name__: type(answer).__name__ if isinstance(answer, Exception) else answer
        for receiver, answer in answers
    }

# %% exercise="19.10" role="mistake" says="`asend()` raises what a receiver raises, and the other answers are lost. Send robustly."
async def announce(signal, title):
    answers = await signal.asend("press", title=title)
    return {receiver.__name__: answer for receiver, answer in answers}

# %% exercise="19.10" role="mistake" says="The exception itself is the answer of a receiver that failed; the name of its class was asked for."
async def announce(signal, title):
    return {receiver.__name__: answer for receiver, answer in await signal.asend_robust("press", title=title)}

# %% exercise="19.10" role="mistake" says="The receivers are started, and nobody waits for them: there are no answers, and the task may be gone before it is done."
async def announce(signal, title):
    asyncio.get_running_loop().create_task(signal.asend_robust("press", title=title))
    return {}

# %% exercise="19.10" role="mistake" says="One failed, and all that is returned is its error. With `asend_robust()` each receiver has an answer of its own."
async def announce(signal, title):
    try:
        answers = await signal.asend("press", title=title)
    except Exception as error:
        return {"failed": type(error).__name__}
    return {receiver.__name__: answer for receiver, answer in answers}

# %% exercise="19.10" role="mistake" says="Nobody knows who it is from: the sender is `\"press\"`."
async def announce(signal, title):
    answers = await signal.asend_robust(None, title=title)
    return {
        receiver.__name__: type(answer).__name__ if isinstance(answer, Exception) else answer
        for receiver, answer in answers
    }

# %% exercise="19.10" role="hint"
# Signals have four ways to send: with and without `a`, with and without `_robust`.
# %% exercise="19.10" role="hint"
# The answers are pairs of a receiver and what it returned, or the exception that it raised.
