# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from datetime import date

from accounts.models import Profile, User
from catalog.models import Author, Book, Contribution, Contributor, Genre, Publisher
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q, Value
from django.db.models.functions import Coalesce
from orders.models import Order, OrderLine, Stock
from reviews.models import Tag, Tagging, TagGroup

# %% [markdown] exercise="12.1"
# ### 12.1 Who stands in the way?
#
# Delete the user with this name and return an empty list. Where orders protect the user, delete nothing and return the numbers of
# those orders, sorted.

# %% exercise="12.1" role="check"
def observe(answer):
    with uncounted():
        buyers = User.objects.filter(orders__isnull=False).distinct().order_by("pk")[:2]
        names = [user.username for user in buyers]
        names.append(User.objects.filter(orders=None).order_by("pk").first().username)
    seen = []
    for name in names:
        seen.append([f"returned for {name}", list(answer(name))])
        with uncounted():
            active = User.objects.filter(username=name).values_list("is_active", flat=True).first()
            seen.append([f"{name} afterwards", {None: "deleted", True: "there", False: "switched off"}[active]])
            seen.append([f"orders of {name} afterwards", Order.objects.filter(customer__username=name).count()])
    return seen

# %% exercise="12.1" role="answer"
def delete_customer(username):
    # solution
    try:
        User.objects.get(username=username).delete()
    except models.ProtectedError as error:
        return sorted(order.number for order in error.protected_objects)
    return []
    # end


check("12.1")

# %% exercise="12.1" role="alternative" note="Asking first reads better in a form that shows the reason. Who orders between the question and the deletion is caught all the same: by `PROTECT`, and after it has looked by the constraint, with a plain `IntegrityError`."
def delete_customer(username):
    user = User.objects.get(username=username)
    numbers = sorted(user.orders.values_list("number", flat=True))
    if not numbers:
        user.delete()
    return numbers

# %% exercise="12.1" role="mistake" says="`PROTECT` raises `ProtectedError` where orders point at the user. Catch it: it carries the orders."
def delete_customer(username):
    User.objects.get(username=username).delete()
    return []

# %% exercise="12.1" role="mistake" says="You deleted the orders to get rid of the user. `PROTECT` is there because somebody wanted to keep them."
def delete_customer(username):
    user = User.objects.get(username=username)
    user.orders.all().delete()
    user.delete()
    return []

# %% exercise="12.1" role="mistake" says="The user is switched off, and still there. Often the better idea, but here the row should go where it can."
def delete_customer(username):
    user = User.objects.get(username=username)
    user.is_active = False
    user.save()
    return sorted(user.orders.values_list("number", flat=True))

# %% exercise="12.1" role="mistake" says="The numbers are the right ones, in no order: `protected_objects` is a set. Sort them."
def delete_customer(username):
    try:
        User.objects.get(username=username).delete()
    except models.ProtectedError as error:
        return [order.number for order in error.protected_objects]
    return []

# %% exercise="12.1" role="mistake" says="The message of the exception is for people. What stands in the way is in its `protected_objects`."
def delete_customer(username):
    try:
        User.objects.get(username=username).delete()
    except IntegrityError as error:
        return [str(error)]
    return []

# %% exercise="12.1" role="hint"
# `PROTECT` raises before anything is deleted, and the exception knows the objects.
# %% exercise="12.1" role="hint"
# `except models.ProtectedError as error:` and then `error.protected_objects`

# %% [markdown] exercise="12.2"
# ### 12.2 What would go?
#
# Return what `instance.delete()` would delete, as a dictionary from the model's label to the number of rows, such as
# `{"orders.Order": 1, "orders.OrderLine": 3}`, for an instance of any model. Nothing may be gone afterwards, and the instance is
# still to be used.

# %% exercise="12.2" role="check"
def observe(answer):
    with uncounted():
        instances = list(Order.objects.filter(lines__isnull=False).distinct().order_by("-pk")[:2])
        instances.append(Genre.objects.filter(books__isnull=False).order_by("pk").first())
        author, genre = Author.objects.order_by("pk").first(), Genre.objects.order_by("pk").first()
        book = Book.objects.create(pk=9001, title="New", slug="new", price=1, author=author)
        book.genres.add(genre)
        Stock.objects.create(book=book)
        tag = Tag.objects.create(name="Label", group=TagGroup.objects.get(pk=TagGroup.OTHER))
        Tagging.objects.create(tag=tag, thing=book)
        instances.append(book)
        tables = (Order, OrderLine, Genre, Book, Stock, Tagging, Book.genres.through)
        before = [table.objects.count() for table in tables]
    seen = []
    for number, instance in enumerate(instances, 1):
        name = f"instance {number}, {instance._meta.label}"
        result = answer(instance)
        seen.append([f"{name}: returned", {label: count for label, count in result.items() if count}])
        seen.append([f"{name}: still has its key", instance.pk is not None])
    with uncounted():
        gone = [table.objects.count() - count for table, count in zip(tables, before, strict=True)]
        seen.append(["nothing is gone", not any(gone)])
    return seen

# %% exercise="12.2" role="answer"
def what_goes(instance):
    # solution
    with transaction.atomic():
        by_model = type(instance)._base_manager.get(pk=instance.pk).delete()[1]
        transaction.set_rollback(True)
    return by_model
    # end


check("12.2")

# %% exercise="12.2" role="alternative" note="What the admin site does for its page \"Are you sure?\": it collects and deletes nothing, so receivers stay silent. The class is not part of Django's public API."
def what_goes(instance):
    from django.contrib.admin.utils import NestedObjects

    collector = NestedObjects(using=instance._state.db)
    collector.collect([instance])
    return {model._meta.label: len(instances) for model, instances in collector.data.items()}

# %% exercise="12.2" role="mistake" says="The rows are really gone. Do it in a transaction that you roll back."
def what_goes(instance):
    return instance.delete()[1]

# %% exercise="12.2" role="mistake" says="The rows are back, but `delete()` took the key from the instance: its `pk` is None now. Delete a copy of it."
def what_goes(instance):
    with transaction.atomic():
        by_model = instance.delete()[1]
        transaction.set_rollback(True)
    return by_model

# %% exercise="12.2" role="mistake" says="You name the relations of an order by hand: other models have others, and somebody adds a relation next year. Let Django collect them."
def what_goes(instance):
    from orders.models import Invoice, Payment

    found = {"orders.Order": 1}
    for model in (OrderLine, Invoice, Payment):
        found[model._meta.label] = model.objects.filter(order=instance).count()
    return found

# %% exercise="12.2" role="mistake" says="Only orders have lines, and an order has more than those. Let Django collect what goes: it knows the relations of every model."
def what_goes(instance):
    return {"orders.OrderLine": instance.lines.count()}

# %% exercise="12.2" role="hint"
# `delete()` returns the numbers. A transaction can be taken back.
# %% exercise="12.2" role="hint"
# `transaction.set_rollback(True)` inside `atomic()`, and a fresh copy of the instance.

# %% [markdown] exercise="12.3"
# ### 12.3 Give credit
#
# Record that this person had this role for the **whole** book (`volume` is None), and return the contribution. Called again, it
# changes nothing; another role of the same person is another row.

# %% exercise="12.3" role="check"
def observe(answer):
    with uncounted():
        book, other = Book.objects.order_by("pk")[:2]
        Contribution.objects.filter(book__in=[book, other]).delete()
        person = Contributor.objects.create(given_name="Zelda", family_name="Zanetti")
        rival = Contributor.objects.create(given_name="Yannis", family_name="Ypsilanti")
        Contribution.objects.create(book=book, contributor=person, role="illustrator", volume=1)
        Contribution.objects.create(book=book, contributor=rival, role="translator")
        Contribution.objects.create(book=other, contributor=person, role="editor")
    seen, keys = [], []
    for call, role in enumerate(("translator", "translator", "editor", "illustrator"), 1):
        result = answer(book, person, role)
        with uncounted():
            is_link = isinstance(result, Contribution)
            shown = [str(result.contributor), result.role, result.volume] if is_link else type(result).__name__
            links = Contribution.objects.filter(book=book).order_by("pk")
            rows = [[str(link.contributor), link.role, link.volume] for link in links]
        keys.append(result.pk if is_link else None)
        seen.append([f"call {call}, {role}: returned", shown])
        seen.append([f"call {call}, {role}: links of the book", rows])
    seen.append(["call 2 left the row of call 1", keys[0] == keys[1]])
    return seen

# %% exercise="12.3" role="answer"
def credit(book, contributor, role):
    # solution
    contribution, created = Contribution.objects.get_or_create(
        book=book, contributor=contributor, role=role, volume=None
    )
    return contribution
    # end


check("12.3")

# %% exercise="12.3" role="alternative" note="From the book's side, the book is filled in by the manager."
def credit(book, contributor, role):
    return book.contributions.get_or_create(contributor=contributor, role=role, volume=None)[0]

# %% exercise="12.3" role="mistake" says="`add()` skips a person who is linked already, whatever the role: the second role is lost. Create the row of the through model."
def credit(book, contributor, role):
    book.contributors.add(contributor, through_defaults={"role": role})
    return book.contributions.filter(contributor=contributor, role=role, volume=None).first()

# %% exercise="12.3" role="mistake" says="The second call with the same role meets the unique constraint: `IntegrityError`. Get the row if it is there."
def credit(book, contributor, role):
    return Contribution.objects.create(book=book, contributor=contributor, role=role)

# %% exercise="12.3" role="mistake" says="The role is part of what makes a contribution, not a value to overwrite: the first role is gone."
def credit(book, contributor, role):
    return Contribution.objects.update_or_create(
        book=book, contributor=contributor, volume=None, defaults={"role": role}
    )[0]

# %% exercise="12.3" role="mistake" says="Without the volume you find the contribution to volume 1, and nothing is recorded for the whole book."
def credit(book, contributor, role):
    return Contribution.objects.get_or_create(book=book, contributor=contributor, role=role)[0]

# %% exercise="12.3" role="mistake" says="Called again, it deletes the contribution and writes it anew: another row, and who added it when is lost."
def credit(book, contributor, role):
    Contribution.objects.filter(book=book, contributor=contributor, role=role, volume=None).delete()
    return Contribution.objects.create(book=book, contributor=contributor, role=role)

# %% exercise="12.3" role="mistake" says="In `defaults` the person is not part of the search: you found somebody else's contribution in this role."
def credit(book, contributor, role):
    return Contribution.objects.get_or_create(
        book=book, role=role, volume=None, defaults={"contributor": contributor}
    )[0]

# %% exercise="12.3" role="hint"
# The through model is a model: what would you do with any other row that may be there already?
# %% exercise="12.3" role="hint"
# `Contribution.objects.get_or_create(book=…, contributor=…, role=…, volume=None)`

# %% [markdown] exercise="12.4"
# ### 12.4 Move a book to other shelves
#
# Afterwards the book is in the genres with these slugs and in no others; unknown slugs are ignored. A link that was right before
# stays the same row.

# %% exercise="12.4" role="check"
def observe(answer):
    with uncounted():
        book, other = Book.objects.order_by("pk")[:2]
        slugs = list(Genre.objects.order_by("pk").values_list("slug", flat=True)[:4])
        book.genres.set(Genre.objects.filter(slug__in=slugs[:2]))
        other.genres.set(Genre.objects.filter(slug__in=slugs))
        first = dict(Book.genres.through.objects.filter(book=book).values_list("genre__slug", "pk"))
    seen = []
    for wanted in ([*slugs[1:3], "no-such-genre"], [slugs[1], slugs[3]], [slugs[1]], []):
        answer(book, wanted)
        with uncounted():
            links = dict(Book.genres.through.objects.filter(book=book).values_list("genre__slug", "pk"))
        seen.append([f"genres, asked for {wanted}", sorted(links)])
        if slugs[1] in wanted:
            seen.append([f"the link to {slugs[1]} is the same row", links.get(slugs[1]) == first[slugs[1]]])
    with uncounted():
        seen.append(["genres of another book", other.genres.count()])
        seen.append(["genres there are", Genre.objects.count()])
    return seen

# %% exercise="12.4" role="answer"
def shelve(book, slugs):
    # solution
    book.genres.set(Genre.objects.filter(slug__in=slugs))
    # end


check("12.4")

# %% exercise="12.4" role="alternative" note="What `set()` does, by hand. Needed where the two halves want different treatment, such as a log of what was removed."
def shelve(book, slugs):
    wanted = set(Genre.objects.filter(slug__in=slugs))
    present = set(book.genres.all())
    with transaction.atomic():
        book.genres.remove(*(present - wanted))
        book.genres.add(*(wanted - present))

# %% exercise="12.4" role="mistake" says="`add()` only adds: the book is still on its old shelves."
def shelve(book, slugs):
    book.genres.add(*Genre.objects.filter(slug__in=slugs))

# %% exercise="12.4" role="mistake" says="All links are deleted and written anew, also those that were right. `set()` compares first."
def shelve(book, slugs):
    genres = list(Genre.objects.filter(slug__in=slugs))
    book.genres.clear()
    book.genres.add(*genres)

# %% exercise="12.4" role="mistake" says="`clear=True` empties the table of links before it fills it. Without it, `set()` leaves alone what is right."
def shelve(book, slugs):
    book.genres.set(Genre.objects.filter(slug__in=slugs), clear=True)

# %% exercise="12.4" role="mistake" says="One of the slugs is nobody's, and `get()` raises. A filter finds those that exist."
def shelve(book, slugs):
    book.genres.set([Genre.objects.get(slug=slug) for slug in slugs])

# %% exercise="12.4" role="hint"
# Of the four verbs `add`, `remove`, `set`, `clear`, one compares.
# %% exercise="12.4" role="hint"
# `book.genres.set(…)` takes a queryset.

# %% [markdown] exercise="12.5"
# ### 12.5 The credits
#
# For every book with contributions return `(title, [(family name, role), …])`: books by title and primary key, contributions by
# primary key. Each book once. Two queries.

# %% exercise="12.5" role="check"
def observe(answer):
    with uncounted():
        books = [*Book.objects.exclude(title="Poems").order_by("-pk")[:4], *Book.objects.filter(title="Poems")]
        people = [Contributor.objects.create(family_name=name) for name in ("Zanetti", "Ypsilanti")]
        for book in books:
            # The later row is of the earlier volume: by default contributions are ordered by volume.
            Contribution.objects.create(book=book, contributor=people[1], role="editor", volume=2)
            Contribution.objects.create(book=book, contributor=people[0], role="translator", volume=1)
        Contribution.objects.create(book=books[0], contributor=people[0], role="illustrator")
    return [[title, [tuple(entry) for entry in entries]] for title, entries in answer()]

# %% exercise="12.5" role="answer" ordered=true budget=2
def credits():
    # solution
    contributions = Contribution.objects.select_related("contributor").order_by("pk")
    books = Book.objects.filter(Exists(Contribution.objects.filter(book=OuterRef("pk")))).order_by("title", "pk")
    return [
        (book.title, [(link.contributor.family_name, link.role) for link in book.contributions.all()])
        for book in books.prefetch_related(Prefetch("contributions", queryset=contributions))
    ]
    # end


check("12.5")

# %% exercise="12.5" role="alternative" note="One query from the side of the links, grouped in Python by the book's key. The columns of a book come once for each of its contributions."
def credits():
    found = {}
    for link in Contribution.objects.select_related("book", "contributor").order_by("book__title", "book_id", "pk"):
        title, entries = found.setdefault(link.book_id, (link.book.title, []))
        entries.append((link.contributor.family_name, link.role))
    return list(found.values())

# %% exercise="12.5" role="alternative" note="A join and `distinct()`: shorter, while the database sorts whole rows to find the doubles."
def credits():
    contributions = Contribution.objects.annotate(name=F("contributor__family_name")).order_by("pk")
    books = Book.objects.filter(contributions__isnull=False).distinct().order_by("title", "pk")
    books = books.prefetch_related(Prefetch("contributions", queryset=contributions))
    return [(book.title, [(link.name, link.role) for link in book.contributions.all()]) for book in books]

# %% exercise="12.5" role="mistake" says="The join gives a row per contribution, so books with several appear several times. Use `Exists`, or `distinct()`."
def credits():
    contributions = Contribution.objects.select_related("contributor").order_by("pk")
    books = Book.objects.filter(contributions__isnull=False).order_by("title", "pk")
    return [
        (book.title, [(link.contributor.family_name, link.role) for link in book.contributions.all()])
        for book in books.prefetch_related(Prefetch("contributions", queryset=contributions))
    ]

# %% exercise="12.5" role="mistake" says="Ordering the prefetched rows is a new queryset, and so a query per book. Order them inside the `Prefetch`."
def credits():
    books = Book.objects.filter(contributions__isnull=False).distinct().order_by("title", "pk")
    return [
        (book.title, [(link.contributor.family_name, link.role) for link in book.contributions.order_by("pk")])
        for book in books.prefetch_related("contributions__contributor")
    ]

# %% exercise="12.5" role="mistake" says="Books without contributions are in your list, with nothing to show."
def credits():
    contributions = Contribution.objects.select_related("contributor").order_by("pk")
    books = Book.objects.order_by("title", "pk").prefetch_related(Prefetch("contributions", queryset=contributions))
    return [
        (book.title, [(link.contributor.family_name, link.role) for link in book.contributions.all()])
        for book in books
    ]

# %% exercise="12.5" role="mistake" says="The contributions of a book come by volume, as the model's `Meta.ordering` says. Order them in the `Prefetch`."
def credits():
    books = Book.objects.filter(contributions__isnull=False).distinct().order_by("title", "pk")
    contributions = Contribution.objects.select_related("contributor")
    return [
        (book.title, [(link.contributor.family_name, link.role) for link in book.contributions.all()])
        for book in books.prefetch_related(Prefetch("contributions", queryset=contributions))
    ]

# %% exercise="12.5" role="mistake" says="Several books are called *Poems*, and you put their contributions together. A title is no key."
def credits():
    found = {}
    for link in Contribution.objects.select_related("book", "contributor").order_by("book__title", "book_id", "pk"):
        found.setdefault(link.book.title, []).append((link.contributor.family_name, link.role))
    return list(found.items())

# %% exercise="12.5" role="hint"
# What you show of the link is on the through model, so prefetch that one, not the contributors.
# %% exercise="12.5" role="hint"
# `Prefetch("contributions", queryset=Contribution.objects.select_related("contributor").order_by("pk"))`

# %% [markdown] exercise="12.6"
# ### 12.6 Friends in common
#
# Return the names of the authors who corresponded with both of the two given authors, in alphabetical order. One query (the check
# asks four times).

# %% exercise="12.6" role="check"
def observe(answer):
    with uncounted():
        writers = {
            letter: Author.objects.create(name=f"Writer {letter}", slug=f"writer-{letter.lower()}") for letter in "DBAEC"
        }
        ann, bob, carl, dora, eve = (writers[letter] for letter in "ABCDE")
        ann.correspondents.set([dora, carl, bob])
        bob.correspondents.add(dora, carl, eve)
    pairs = ((ann, bob), (carl, dora), (ann, eve), (bob, ann))
    return [[f"{one} and {other}", list(answer(one, other))] for one, other in pairs]

# %% exercise="12.6" role="answer" budget=4
def common_friends(one, other):
    # solution
    both = Author.objects.filter(correspondents=one).filter(correspondents=other)
    return both.order_by("name").values_list("name", flat=True)
    # end


check("12.6")

# %% exercise="12.6" role="alternative" note="From one author's own list, filtered by the other. The relation is symmetrical, so the direction does not matter."
def common_friends(one, other):
    return one.correspondents.filter(correspondents=other).order_by("name").values_list("name", flat=True)

# %% exercise="12.6" role="mistake" says="In one `filter()` both conditions are about the same link, and no link leads to two authors. Two `filter()` make two joins."
def common_friends(one, other):
    both = Author.objects.filter(Q(correspondents=one) & Q(correspondents=other))
    return both.order_by("name").values_list("name", flat=True)

# %% exercise="12.6" role="alternative" note="Two querysets of one model can be combined with `&`; each brings its own join along."
def common_friends(one, other):
    both = one.correspondents.all() & other.correspondents.all()
    return [author.name for author in both.order_by("name")]

# %% exercise="12.6" role="mistake" says="`__in` asks for either of the two."
def common_friends(one, other):
    either = Author.objects.filter(correspondents__in=[one, other]).distinct()
    return either.order_by("name").values_list("name", flat=True)

# %% exercise="12.6" role="mistake" says="Right, with a query for each author. The database can intersect them in one."
def common_friends(one, other):
    return sorted({author.name for author in one.correspondents.all()} & {author.name for author in other.correspondents.all()})

# %% exercise="12.6" role="hint"
# Each of the two conditions needs a link of its own.
# %% exercise="12.6" role="hint"
# `Author.objects.filter(correspondents=…).filter(correspondents=…)`

# %% [markdown] exercise="12.7"
# ### 12.7 A customer moves
#
# Write the city into the user's profile and return the profile. A user without one gets one; what else is in a profile stays.

# %% exercise="12.7" role="check"
def observe(answer):
    with uncounted():
        settled = User.objects.filter(profile__isnull=False).order_by("pk").first()
        Profile.objects.filter(user=settled).update(newsletter=True, born=date(1990, 1, 2))
        newcomer = User.objects.create(username="newcomer")
        others = Profile.objects.exclude(user=settled)
        cities = dict(others.values_list("user_id", "city"))
    seen = []
    for name, user in (("with a profile", settled), ("without one", newcomer), ("the same again", newcomer)):
        result = answer(User.objects.get(pk=user.pk), "Porto")
        with uncounted():
            rows = [list(row) for row in Profile.objects.filter(user=user).values_list("city", "newsletter", "born")]
            unchanged = dict(others.exclude(user=newcomer).values_list("user_id", "city")) == cities
        seen.append([f"user {name}: returned", type(result).__name__, getattr(result, "city", None)])
        seen.append([f"user {name}: city, newsletter, born", rows])
        seen.append([f"user {name}: nobody else moved", unchanged])
    return seen

# %% exercise="12.7" role="answer"
def move(user, city):
    # solution
    profile, created = Profile.objects.update_or_create(user=user, defaults={"city": city})
    return profile
    # end


check("12.7")

# %% exercise="12.7" role="alternative" note="By hand, with the exception of the empty side. Two requests at once may both find nothing; then the unique column refuses the second, which `update_or_create` would handle."
def move(user, city):
    try:
        profile = user.profile
    except Profile.DoesNotExist:
        profile = Profile(user=user)
    profile.city = city
    profile.save()
    return profile

# %% exercise="12.7" role="mistake" says="The other side of a one-to-one raises `RelatedObjectDoesNotExist` for a user without a profile."
def move(user, city):
    user.profile.city = city
    user.profile.save()
    return user.profile

# %% exercise="12.7" role="mistake" says="A user has one profile at most: the second is refused by the unique column. Update the one that is there."
def move(user, city):
    return Profile.objects.create(user=user, city=city)

# %% exercise="12.7" role="mistake" says="The newsletter and the date of birth are gone: a new profile took the place of the old one. Change the city alone."
def move(user, city):
    Profile.objects.filter(user=user).delete()
    return Profile.objects.create(user=user, city=city)

# %% exercise="12.7" role="mistake" says="`get_or_create` uses its `defaults` for a new profile alone: who has one stays where they were."
def move(user, city):
    return Profile.objects.get_or_create(user=user, defaults={"city": city})[0]

# %% exercise="12.7" role="mistake" says="`update()` on no rows updates none: the user without a profile has none afterwards."
def move(user, city):
    Profile.objects.filter(user=user).update(city=city)
    return Profile.objects.filter(user=user).first()

# %% exercise="12.7" role="hint"
# There is one profile or none. Which method knows both cases?
# %% exercise="12.7" role="hint"
# `Profile.objects.update_or_create(user=…, defaults=…)`

# %% [markdown] exercise="12.8"
# ### 12.8 Copies on the shelf
#
# Return `(title, copies)` of **every** book, by title and primary key. A book without a stock has 0. One query.

# %% exercise="12.8" role="check"
def observe(answer):
    return [tuple(row) if isinstance(row, list) else row for row in answer()]

# %% exercise="12.8" role="answer" ordered=true budget=1
def shelf():
    # solution
    books = Book.objects.select_related("stock").order_by("title", "pk")
    return [(book.title, book.stock.quantity if hasattr(book, "stock") else 0) for book in books]
    # end


check("12.8")

# %% exercise="12.8" role="alternative" note="The left join gives NULL for a missing stock, and `Coalesce` turns it into 0. The shortest when two columns are all you need."
def shelf():
    books = Book.objects.annotate(copies=Coalesce("stock__quantity", 0)).order_by("title", "pk")
    return books.values_list("title", "copies")

# %% exercise="12.8" role="mistake" says="`hasattr(book, \"stock\")` is a query for each book. `select_related` follows a one-to-one from this side as well."
def shelf():
    books = Book.objects.order_by("title", "pk")
    return [(book.title, book.stock.quantity if hasattr(book, "stock") else 0) for book in books]

# %% exercise="12.8" role="mistake" says="A prefetch is a second query. On the other side of a one-to-one there is one row at most, so a join does it."
def shelf():
    books = Book.objects.prefetch_related("stock").order_by("title", "pk")
    return [(book.title, book.stock.quantity if hasattr(book, "stock") else 0) for book in books]

# %% exercise="12.8" role="mistake" says="Some books have no stock, and `book.stock` raises for them. The join alone does not change that."
def shelf():
    books = Book.objects.select_related("stock").order_by("title", "pk")
    return [(book.title, book.stock.quantity) for book in books]

# %% exercise="12.8" role="mistake" says="From the side of the stock you see only books that have one."
def shelf():
    stocks = Stock.objects.select_related("book").order_by("book__title", "book__pk")
    return [(stock.book.title, stock.quantity) for stock in stocks]

# %% exercise="12.8" role="mistake" says="Where there is no stock, the outer join answers `None`, and 0 was asked for."
def shelf():
    return Book.objects.order_by("title", "pk").values_list("title", "stock__quantity")

# %% exercise="12.8" role="hint"
# One row at most on the other side, so the join is safe from here.
# %% exercise="12.8" role="hint"
# `select_related("stock")` and `hasattr`, or `Coalesce("stock__quantity", 0)`

# %% [markdown] exercise="12.9"
# ### 12.9 The tags of anything
#
# Return the names of the tags on a thing, sorted. The thing may be a book, an author or a genre, and a genre has no
# `GenericRelation`.

# %% exercise="12.9" role="check"
def observe(answer):
    with uncounted():
        group = TagGroup.objects.get(pk=TagGroup.OTHER)
        tags = [Tag.objects.create(name=f"Label {letter}", group=group) for letter in "CAB"]
        book = Book.objects.create(pk=9001, title="New", slug="new", price=1, author=Author.objects.order_by("pk").first())
        author = Author.objects.create(pk=9001, name="New Author", slug="new-author")
        genre = Genre.objects.create(pk=9001, name="New Genre", slug="new-genre")
        bare = Genre.objects.create(pk=9002, name="Bare Genre", slug="bare-genre")
        for thing, number in ((book, 3), (author, 1), (genre, 2)):
            for tag in tags[:number]:
                Tagging.objects.create(tag=tag, thing=thing)
        other = Genre.objects.create(pk=9003, name="Other Genre", slug="other-genre")
        Tagging.objects.create(tag=tags[2], thing=other)
    things = (book, author, genre, other, bare)
    return [[f"{thing._meta.model_name} {thing.pk}, {thing}", list(answer(thing))] for thing in things]

# %% exercise="12.9" role="answer"
def tags_of(thing):
    # solution
    kind = ContentType.objects.get_for_model(thing)
    taggings = Tagging.objects.filter(content_type=kind, object_id=thing.pk)
    return taggings.order_by("tag__name").values_list("tag__name", flat=True)
    # end


check("12.9")

# %% exercise="12.9" role="alternative" note="From the side of the tags, with both conditions in one `filter()`, so that they are about the same tagging."
def tags_of(thing):
    kind = ContentType.objects.get_for_model(thing)
    tags = Tag.objects.filter(taggings__content_type=kind, taggings__object_id=thing.pk)
    return [tag.name for tag in tags.order_by("name")]

# %% exercise="12.9" role="mistake" says="The number alone says too little: a book, an author and a genre may have the same key. Filter by the content type as well."
def tags_of(thing):
    return Tagging.objects.filter(object_id=thing.pk).order_by("tag__name").values_list("tag__name", flat=True)

# %% exercise="12.9" role="mistake" says="A generic foreign key cannot be filtered: there is no column `thing`. Filter by its two columns."
def tags_of(thing):
    return Tagging.objects.filter(thing=thing).order_by("tag__name").values_list("tag__name", flat=True)

# %% exercise="12.9" role="mistake" says="Books and authors have `taggings`, a genre has not."
def tags_of(thing):
    return thing.taggings.order_by("tag__name").values_list("tag__name", flat=True)

# %% exercise="12.9" role="mistake" says="The two conditions are in two `filter()`, so each may be met by another tagging of the same tag: tags of other things slip in."
def tags_of(thing):
    kind = ContentType.objects.get_for_model(thing)
    tags = Tag.objects.filter(taggings__content_type=kind).filter(taggings__object_id=thing.pk).distinct()
    return [tag.name for tag in tags.order_by("name")]

# %% exercise="12.9" role="hint"
# A thing is named by two columns: its kind and its key.
# %% exercise="12.9" role="hint"
# `ContentType.objects.get_for_model(thing)` works for an instance as well.

# %% [markdown] exercise="12.10"
# ### 12.10 Labels of mixed things
#
# Return a text for each tagging, newest (highest primary key) first, the first `number` of them: `"Love: Emma by Jane Austen"` for a
# book, `"Love: Jane Austen"` for an author. Things that are gone are `"Love: gone"`. Three queries; content types are cached.

# %% exercise="12.10" role="check"
def observe(answer):
    with uncounted():
        tag = Tag.objects.create(name="Label", group=TagGroup.objects.get(pk=TagGroup.OTHER))
        things = [*Book.objects.order_by("pk")[:5], *Author.objects.order_by("pk")[:4]]
        for thing in things:
            Tagging.objects.create(tag=tag, thing=thing)
        kinds = ContentType.objects.get_for_models(Book, Author, Tagging)
        Tagging.objects.create(tag=tag, content_type=kinds[Book], object_id=999_999)
    return list(answer(9))

# %% exercise="12.10" role="answer" ordered=true budget=3
def labels(number):
    # solution
    things = GenericPrefetch("thing", [Book.objects.select_related("author"), Author.objects.all()])
    newest = Tagging.objects.select_related("tag").prefetch_related(things).order_by("-pk")[:number]

    def label(thing):
        if thing is None:
            return "gone"
        return f"{thing} by {thing.author}" if isinstance(thing, Book) else str(thing)

    return [f"{tagging.tag}: {label(tagging.thing)}" for tagging in newest]
    # end


check("12.10")

# %% exercise="12.10" role="alternative" note="Grouped by hand with `in_bulk()`: what a prefetch does, for code that needs plain dictionaries."
def labels(number):
    newest = list(Tagging.objects.select_related("tag").order_by("-pk")[:number])
    kinds = ContentType.objects.get_for_models(Book, Author)
    keys = {kind: [row.object_id for row in newest if row.content_type_id == kind.pk] for kind in kinds.values()}
    books = Book.objects.select_related("author").in_bulk(keys[kinds[Book]])
    texts = {(kinds[Book].pk, pk): f"{book} by {book.author}" for pk, book in books.items()}
    authors = Author.objects.in_bulk(keys[kinds[Author]])
    texts |= {(kinds[Author].pk, pk): str(author) for pk, author in authors.items()}
    return [f"{row.tag}: {texts.get((row.content_type_id, row.object_id), 'gone')}" for row in newest]

# %% exercise="12.10" role="mistake" says="Each `tagging.thing` is a query of its own. Prefetch it: one query for each kind."
def labels(number):
    lines = []
    for tagging in Tagging.objects.select_related("tag").order_by("-pk")[:number]:
        thing = tagging.thing
        text = "gone" if thing is None else f"{thing} by {thing.author}" if isinstance(thing, Book) else str(thing)
        lines.append(f"{tagging.tag}: {text}")
    return lines

# %% exercise="12.10" role="mistake" says="The things come in two queries, the author of each book in another. `GenericPrefetch` takes a queryset for the books."
def labels(number):
    lines = []
    for tagging in Tagging.objects.select_related("tag").prefetch_related("thing").order_by("-pk")[:number]:
        thing = tagging.thing
        text = "gone" if thing is None else f"{thing} by {thing.author}" if isinstance(thing, Book) else str(thing)
        lines.append(f"{tagging.tag}: {text}")
    return lines

# %% exercise="12.10" role="mistake" says="Nothing guards a generic key: a thing that is gone reads as `None`."
def labels(number):
    things = GenericPrefetch("thing", [Book.objects.select_related("author"), Author.objects.all()])
    newest = Tagging.objects.select_related("tag").prefetch_related(things).order_by("-pk")[:number]
    return [
        f"{row.tag}: {row.thing} by {row.thing.author}" if isinstance(row.thing, Book) else f"{row.tag}: {row.thing}"
        for row in newest
    ]

# %% exercise="12.10" role="hint"
# A prefetch of `thing` is one query for each kind, and the books should bring their authors along.
# %% exercise="12.10" role="hint"
# `GenericPrefetch("thing", [Book.objects.select_related("author"), Author.objects.all()])`

# %% [markdown] exercise="12.11"
# ### 12.11 Find the orphans
#
# Return the primary keys of the taggings whose thing is gone, sorted, whatever its kind. The number of queries may grow with the
# kinds, not with the rows: at most ten.

# %% exercise="12.11" role="check"
def observe(answer):
    with uncounted():
        tag = Tag.objects.create(name="Label", group=TagGroup.objects.get(pk=TagGroup.OTHER))
        genre = Genre.objects.create(pk=9001, name="New Genre", slug="new-genre")
        kinds = ContentType.objects.get_for_models(Book, Author, Genre, Publisher)
        author = Author.objects.create(pk=9002, name="New Author", slug="new-author")
        for number in range(12):
            other = Genre.objects.create(pk=9100 + number, name=f"Genre {number}", slug=f"genre-{number}")
            Tagging.objects.create(tag=tag, thing=other)
        for thing in (genre, author, Publisher.objects.order_by("pk").first()):
            Tagging.objects.create(tag=tag, thing=thing)
        Tagging.objects.create(pk=90_001, tag=tag, content_type=kinds[Book], object_id=9001)
        Tagging.objects.create(pk=90_002, tag=tag, content_type=kinds[Genre], object_id=9002)
        Tagging.objects.create(pk=90_003, tag=tag, content_type=kinds[Author], object_id=9003)
        Tagging.objects.create(pk=90_004, tag=tag, content_type=kinds[Publisher], object_id=9004)
        before = Tagging.objects.count()
    seen = [["orphans", list(answer())]]
    with uncounted():
        seen.append(["taggings deleted", before - Tagging.objects.count()])
    return seen

# %% exercise="12.11" role="answer" budget=10
def orphans():
    # solution
    found = []
    for kind in ContentType.objects.filter(pk__in=Tagging.objects.order_by().values("content_type")):
        things = kind.model_class()._base_manager.values("pk")
        of_kind = Tagging.objects.filter(content_type=kind)
        found += of_kind.exclude(object_id__in=things).values_list("pk", flat=True)
    return sorted(found)
    # end


check("12.11")

# %% exercise="12.11" role="alternative" note="Shorter, and it loads every tagging and every thing into memory. Fine for a small table. A default manager that hides rows would make orphans of what it hides."
def orphans():
    taggings = Tagging.objects.prefetch_related("thing")
    return sorted(tagging.pk for tagging in taggings if tagging.thing is None)

# %% exercise="12.11" role="mistake" says="Each `tagging.thing` is a query. The database can compare a whole kind at once."
def orphans():
    return sorted(tagging.pk for tagging in Tagging.objects.all() if tagging.thing is None)

# %% exercise="12.11" role="mistake" says="You looked for books alone; orphans of other kinds are missing."
def orphans():
    lost = Tagging.objects.about_any(Book).exclude(object_id__in=Book.objects.values("pk"))
    return sorted(lost.values_list("pk", flat=True))

# %% exercise="12.11" role="mistake" says="A key may be some author's and still no book's: compare each kind with its own table."
def orphans():
    lost = Tagging.objects.all()
    for model in (Book, Author, Genre):
        lost = lost.exclude(object_id__in=model.objects.values("pk"))
    return sorted(lost.values_list("pk", flat=True))

# %% exercise="12.11" role="mistake" says="You ask the kinds that you know of, and somebody tagged another. The taggings themselves say which kinds occur."
def orphans():
    found = []
    for model in (Book, Author, Genre):
        lost = Tagging.objects.about_any(model).exclude(object_id__in=model.objects.values("pk"))
        found += lost.values_list("pk", flat=True)
    return sorted(found)

# %% exercise="12.11" role="mistake" says="The orphans are found, and deleted as well: return their keys, and leave the rows to whoever asked."
def orphans():
    found = [tagging.pk for tagging in Tagging.objects.prefetch_related("thing") if tagging.thing is None]
    Tagging.objects.filter(pk__in=found).delete()
    return sorted(found)

# %% exercise="12.11" role="hint"
# One query says which kinds occur, then one for each kind.
# %% exercise="12.11" role="hint"
# `content_type.model_class()` leads to the table to compare with.

# %% [markdown] exercise="12.12"
# ### 12.12 Exactly one of several
#
# Instead of a generic relation a model has several nullable foreign keys. Return a `Q` for its `CheckConstraint` that holds when
# exactly one of the named columns is set: `exactly_one("book", "author", "genre")`. Any number of names, two or more.

# %% exercise="12.12" role="check"
def observe(answer):
    from itertools import product

    seen = []
    for names in (("book", "author"), ("book", "author", "genre")):
        condition = answer(*names)
        for values in product((None, 1), repeat=len(names)):
            columns = dict(zip(names, values, strict=True))
            typed = {name: Value(value, output_field=models.IntegerField()) for name, value in columns.items()}
            seen.append([columns, condition.check(typed)])
    return seen

# %% exercise="12.12" role="answer"
def exactly_one(*names):
    # solution
    condition = Q()
    for chosen in names:
        condition |= Q(**{f"{name}__isnull": name != chosen for name in names})
    return condition
    # end


check("12.12")

# %% exercise="12.12" role="alternative" note="At least one, and no two. Clear for two or three columns; the number of pairs grows with the square."
def exactly_one(*names):
    from itertools import combinations

    at_least_one = Q(*(Q(**{f"{name}__isnull": False}) for name in names), _connector=Q.OR)
    no_two = [~Q(**{f"{one}__isnull": False, f"{two}__isnull": False}) for one, two in combinations(names, 2)]
    return Q(at_least_one, *no_two)

# %% exercise="12.12" role="mistake" says="XOR of several conditions holds for every odd number of them: with three columns, for all three set."
def exactly_one(*names):
    condition = Q(**{f"{names[0]}__isnull": False})
    for name in names[1:]:
        condition ^= Q(**{f"{name}__isnull": False})
    return condition

# %% exercise="12.12" role="mistake" says="At least one is set, and nothing forbids two."
def exactly_one(*names):
    return Q(*(Q(**{f"{name}__isnull": False}) for name in names), _connector=Q.OR)

# %% exercise="12.12" role="mistake" says="At most one: a row that points at nothing passes."
def exactly_one(*names):
    condition = Q(**{f"{name}__isnull": True for name in names})
    for chosen in names:
        condition |= Q(**{f"{name}__isnull": True for name in names if name != chosen})
    return condition

# %% exercise="12.12" role="hint"
# For each column one alternative: this one is set, and all others are not.
# %% exercise="12.12" role="hint"
# `Q(book__isnull=False, author__isnull=True) | Q(book__isnull=True, author__isnull=False)`
