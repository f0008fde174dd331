# %% [markdown]
# # 12 · Relationships
#
# After this chapter you can say where a relation's column lives, predict what each `on_delete` does, choose between one-to-one,
# foreign key and a through model, and say what a generic relation costs and when to refuse one.
#
# *Questions: Q35 relations in depth · Q36 OneToOneField or ForeignKey · Q37 content types.*
# [Exercises 12.1 to 12.12](../exercises/12_relationships.ipynb) follow.

# %%
import sqlite3
from contextlib import closing
from importlib import import_module
from io import StringIO

from checks import quiz
from lab import postgres, queries, reset, start

start()

# Django is set up now, so its models can be imported.
import django
from accounts.models import Profile, User, Visit
from catalog.models import AudioBook, Author, Book, Classic, Contribution, Contributor, Genre, PriceChange, Publisher
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models.signals import post_delete, pre_delete
from orders.models import Invoice, Order, OrderLine, Stock
from reviews.models import Review, Tag, Tagging, TagGroup

# %% [markdown]
# ## Q35 · How do relations between models work, and what happens on delete?
#
# *Intermediate · asked as T-I3*
#
# **Say it.** There are three. A foreign key is many-to-one: one column, on the model that declares it. A one-to-one is a
# foreign key whose column is unique. A many-to-many has a table of its own between the two, and I write that table as a
# `through` model when the link itself has something to say. `related_name` names the other side. `on_delete` says what happens
# to rows that point at a deleted one; Django carries it out, not the database, but for the `DB_` rules of 6.1.
#
# *What lifts it:* carrying it out means reading rows first, whenever a signal or a further relation could care. The `DB_` rules
# hand the work to the database, and skip signals, counts and the children's generic relations.

# %% [markdown]
# **See it.** The field is called `author`; what is the column called, and what does reading each of the two cost?

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


emma = Book.objects.get(slug="emma")
print(Book._meta.get_field("author").column)
print(cost(lambda: emma.author_id), cost(lambda: emma.author), cost(lambda: emma.author))

# %% [markdown]
# The key is there already; the object costs one query and is then kept. In asynchronous code that query raises
# [`SynchronousOnlyOperation`](https://docs.djangoproject.com/en/stable/topics/async/#async-safety), so there you `select_related`
# it. The other side has two names: an attribute, and a word for filters.

# %%
class Magazine(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "lab"


class Article(models.Model):
    title = models.CharField(max_length=50)
    magazine = models.ForeignKey(
        Magazine, on_delete=models.CASCADE, related_name="articles", related_query_name="article"
    )
    reprinted_in = models.ForeignKey(Magazine, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        app_label = "lab"

# %% [markdown]
# One of the two filters fails. Which, and how many attributes has a magazine got from two foreign keys?

# %%
household = Magazine.objects.create(name="Household Words")
Article.objects.create(title="Hard Times", magazine=household)
print(household.articles.count(), Magazine.objects.filter(article__title="Hard Times").count())
print([name for name in dir(household) if "article" in name])
try:
    Magazine.objects.filter(articles__title="Hard Times")
except FieldError:
    print("FieldError: filters say article, not articles")

# %% [markdown]
# Without `related_query_name` the filter word is the `related_name` (or the `default_related_name` of `Meta`); without either, the
# model's name: `article`, and `article_set` as the attribute. `"+"` asks for no other side. Abstract bases write `"%(app_label)s_%(class)s"`
# ([documentation](https://docs.djangoproject.com/en/stable/topics/db/models/#be-careful-with-related-name-and-related-query-name)).

# %% [markdown]
# Now delete. `CASCADE`: one order with its lines, its invoice and two payments. How many statements?

# %%
order = Order.objects.get(pk=1206)
print(order.lines.count(), order.payments.count(), order.invoice.number)
with queries(quiet=True) as seen:
    total, by_model = order.delete()
print(total, sorted(by_model.items()))
print([statement.sql.split()[0] for statement in seen])

# %% [markdown]
# The invoice is read first, since payments point at it; then those payments, twice, to see whether they go as well. Nothing points
# at the lines and nobody listens to them: one `DELETE`, without a look.

# %% [markdown]
# `PROTECT` refuses, and the exception carries the rows. `RESTRICT` refuses as well, except when what stands in the way is
# deleted in the same go: an invoice that was paid may not go alone, but above it went with its order.

# %%
reset()
try:
    User.objects.get(username="mira").delete()
except models.ProtectedError as error:
    print("protected:", len(error.protected_objects), "orders")
try:
    Order.objects.get(pk=1206).invoice.delete()
except models.RestrictedError as error:
    print("restricted:", len(error.restricted_objects), "payments")

# %% [markdown]
# Three more write instead of deleting. `SET_NULL` empties a column, `SET_DEFAULT` uses the default, whose row has to exist, and
# `SET(…)` a value or what a function returns. Who points where afterwards?

# %%
murray = Publisher.objects.get(name="John Murray")
published = list(murray.books.values_list("pk", flat=True))
murray.delete()
print(set(Book.objects.filter(pk__in=published).values_list("publisher", flat=True)))

tags = list(Tag.objects.filter(group__name="Mood").values_list("pk", flat=True))
TagGroup.objects.get(name="Mood").delete()
print(set(Tag.objects.filter(pk__in=tags).values_list("group__name", flat=True)))

User.objects.get(username="ida").delete()
print(set(Invoice.objects.values_list("issued_by__username", flat=True)))

# %% [markdown]
# The last, `DO_NOTHING`, leaves the rows to the database. What does the foreign key constraint say, and what if there is none?

# %%
class Shelf(models.Model):
    class Meta:
        app_label = "lab"


class Label(models.Model):
    shelf = models.ForeignKey(Shelf, on_delete=models.DO_NOTHING)

    class Meta:
        app_label = "lab"


class Note(models.Model):
    shelf = models.ForeignKey(Shelf, on_delete=models.DO_NOTHING, db_constraint=False)

    class Meta:
        app_label = "lab"

# %%
labelled, noted = Shelf.objects.create(), Shelf.objects.create()
Label.objects.create(shelf=labelled)
Note.objects.create(shelf=noted)
try:
    labelled.delete()
except IntegrityError:
    print("the constraint refuses")
noted.delete()
print(Note.objects.count(), Note.objects.filter(shelf__in=Shelf.objects.all()).count())

# %% [markdown]
# The same inside of a transaction. What does `delete()` do now, and when is it refused?

# %%
try:
    with transaction.atomic():
        print(labelled.delete()[0], "deleted")
except IntegrityError:
    print("refused at the commit")
for backend in ("sqlite3", "postgresql", "mysql"):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    print(backend, features.can_defer_constraint_checks)

# %% [markdown]
# Where constraints can be deferred, Django's foreign keys are `DEFERRABLE INITIALLY DEFERRED`: checked at the commit. A `try` around
# the statement is in the wrong place there, and in the right one on MySQL.

# %% [markdown]
# `db_constraint=False` keeps the join and drops the guarantee: the note points at a shelf that is gone, and reading `note.shelf`
# raises `DoesNotExist`. It is meant for
# [legacy data and sharding](https://docs.djangoproject.com/en/stable/ref/models/fields/#django.db.models.ForeignKey.db_constraint).

# %% tags=["raises-exception"]
Note.objects.get().shelf

# %% [markdown]
# Deletion order and signals. Two receivers write down what they hear of:

# %%
reset()
heard = []


def before(sender, **kwargs):
    heard.append(f"pre {sender.__name__}")


def after(sender, **kwargs):
    heard.append(f"post {sender.__name__}")

# %% [markdown]
# The orders 5 and 6 have two lines each. Both are deleted, the second with receivers for orders and lines. Predict what is heard,
# and how many queries listening adds:

# %%
deaf = cost(lambda: Order.objects.get(pk=5).delete())
for model in (Order, OrderLine):
    pre_delete.connect(before, sender=model)
    post_delete.connect(after, sender=model)
listening = cost(lambda: Order.objects.get(pk=6).delete())
for model in (Order, OrderLine):
    pre_delete.disconnect(before, sender=model)
    post_delete.disconnect(after, sender=model)
print(heard)
print(listening - deaf)

# %% [markdown]
# `pre_delete` for everything read for deletion, then the rows, children first, with `post_delete` after each model. A receiver
# makes Django read the lines, so one more query, and all of them in memory. That decides whether a cascade scales.

# %% [markdown]
# A parent that waits for its key from the database has none before it is saved. Saving the child and filtering by the parent
# both refuse:

# %%
nobody = Author(name="Nobody")
for step in (Book(title="Nothing", author=nobody, price=1).save, lambda: Book.objects.filter(author=nobody)):
    try:
        step()
    except ValueError as error:
        print(type(error).__name__, "saved" in str(error))

# %% [markdown]
# A key that Python makes, such as a UUID's default, is there before the row is. Then only the constraint objects:

# %%
ghost = Author(pk=999_999, name="Ghost")
print(Book.objects.filter(author=ghost).count())
try:
    Book(title="Nothing", slug="nothing", author=ghost, price=1).save()
except IntegrityError:
    print("IntegrityError")

# %% [markdown]
# Many-to-many with a through model: a contribution says who, for which book, and as what. `add()` works, and asks nobody for the
# role. What is in the column?

# %%
reset()
dubliners, garnett = Book.objects.get(slug="dubliners"), Contributor.objects.get(family_name="Garnett")
dubliners.contributors.add(garnett)
print(repr(dubliners.contributions.get().role))
dubliners.contributors.set([garnett], through_defaults={"role": Contribution.Role.EDITOR})
print(repr(dubliners.contributions.get().role))

# %% [markdown]
# An empty role, unvalidated: a text column takes `""`, where a date without a value
# [would be refused](https://docs.djangoproject.com/en/stable/topics/db/models/#extra-fields-on-many-to-many-relationships). `set()`
# then saw that Garnett was there and left the row alone. `through_defaults` counts for new links only. A second role is a second
# row, and `remove()` takes all of them:

# %%
dubliners.contributors.clear()
dubliners.contributors.add(garnett, through_defaults={"role": Contribution.Role.EDITOR})
dubliners.contributors.add(garnett, through_defaults={"role": Contribution.Role.TRANSLATOR})
print([row.role for row in dubliners.contributions.all()])
Contribution.objects.create(book=dubliners, contributor=garnett, role=Contribution.Role.TRANSLATOR)
print(dubliners.contributions.count(), dubliners.contributors.count())
dubliners.contributors.remove(garnett)
print(dubliners.contributions.count())

# %% [markdown]
# `contributors.count()` said 2 for one person: there is a row per link, so ask for `.distinct()`.

# %% [markdown]
# Relations to oneself. A sequel points at one book. Correspondence is many-to-many, and symmetrical unless you say otherwise:
# what does one `add()` write?

# %%
sand, behn = Author.objects.get(name="George Sand"), Author.objects.get(name="Aphra Behn")
before_it = Author.correspondents.through.objects.count()
behn.correspondents.add(sand)
print(Author.correspondents.through.objects.count() - before_it, behn in sand.correspondents.all())
print([book.title for book in Book.objects.get(title="L'Assommoir").sequels.order_by("title")])

# %%
class Reader(models.Model):
    name = models.CharField(max_length=20)
    follows = models.ManyToManyField("self", symmetrical=False, related_name="followers")

    class Meta:
        app_label = "lab"


ann, bob = Reader.objects.create(name="Ann"), Reader.objects.create(name="Bob")
ann.follows.add(bob)
print(ann.follows.count(), bob.follows.count(), bob.followers.count())

# %% [markdown]
# **The trap.** "`on_delete=CASCADE` is in the table, so a `DELETE` from anywhere cascades." It misleads whoever knows SQL, where
# the clause has the same name. Look into the table, and delete past Django:

# %%
reset()
with connection.cursor() as cursor:
    cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'orders_orderline'")
    print("ON DELETE" in cursor.fetchone()[0])
try:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM orders_order WHERE id = 3")
except IntegrityError:
    print("refused: its lines are still there")

# %% [markdown]
# The same on PostgreSQL: `a` stands for `NO ACTION`, and the constraint waits for the commit:

# %%
rules = "SELECT confdeltype, condeferred FROM pg_constraint WHERE conrelid = 'orders_orderline'::regclass AND contype = 'f'"
if postgres.available():
    with postgres(), connection.cursor() as cursor:
        cursor.execute(rules)
        print(set(cursor.fetchall()))
        try:
            with transaction.atomic():
                cursor.execute("DELETE FROM orders_order WHERE id = 3")
                print("deleted:", cursor.rowcount)
        except IntegrityError:
            print("refused at the commit")
else:
    print(postgres.why_not())

# %% [markdown]
# And who checks? In SQLite each connection decides, and Django's switches it on. Another program need not
# ([documentation](https://www.sqlite.org/foreignkeys.html#fk_enable)). What is left of order 3?

# %%
with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
    print("foreign keys:", other.execute("PRAGMA foreign_keys").fetchone()[0])
    other.execute("DELETE FROM orders_order WHERE id = 3")
    other.commit()
print(Order.objects.filter(pk=3).count(), "order,", OrderLine.objects.filter(order_id=3).count(), "lines")
reset()

# %% [markdown]
# And the cascade does not call the children's `delete()` either. A review that is deleted is withdrawn and kept, says the
# model; its book knows better:

# %%
april = Book.objects.get(slug="the-enchanted-april")
everything = Review.everything.about(april)
everything.first().delete()
print(everything.count(), everything.withdrawn().count())
april.delete()
print(everything.count())

# %% [markdown]
# **Asked next**
#
# - *`CASCADE` or `DB_CASCADE`, when?* `CASCADE` while a signal, a `GenericRelation` or the numbers that `delete()` returns matter.
#   `DB_CASCADE` (6.1) for many rows that nothing hangs on, and where other programs delete as well. The shop's visits go
#   by such a rule; a migration wrote it into the table, so that it holds on 5.2 as well:

# %%
amelie = User.objects.get(username="amelie.bauer")
amelie.orders.all().delete()
visits = amelie.visits.count()
by_model = amelie.delete()[1]
print(visits, Visit.objects.filter(user_id=amelie.pk).count(), Visit._meta.label in by_model)

# %% [markdown]
# - *`PROTECT` or `RESTRICT`?* `PROTECT` refuses while any such row exists. `RESTRICT` lets it go when a cascade of the same deletion
#   takes the row. So `RESTRICT` guards the middle of a tree, whose root may be deleted. Both are Django's, and look before they
#   delete. What comes in between is stopped by the constraint, with a plain `IntegrityError`:

# %%
def order_meanwhile(instance, **kwargs):
    Order.objects.create(number="meanwhile", customer=instance, placed_at=instance.date_joined)


newcomer = User.objects.create(username="newcomer")
pre_delete.connect(order_meanwhile, sender=User)
try:
    newcomer.delete()
except IntegrityError as error:
    refusal = error
pre_delete.disconnect(order_meanwhile, sender=User)
print(isinstance(refusal, models.ProtectedError), User.objects.filter(username="newcomer").count())

# %% [markdown]
# - *How does `set()` on a many-to-many keep its queries few?* It reads the keys that are there, deletes what is no longer wanted with
#   one statement, and inserts what is new with another. Nothing to change is one query. `clear=True` would write all links anew:

# %%
ann, bob, carl = (Reader.objects.create(name=name) for name in ("Ann", "Bob", "Carl"))
ann.follows.add(bob)
with queries(quiet=True) as seen:
    ann.follows.set([carl])
print([statement.sql.split()[0] for statement in seen])
print(cost(lambda: ann.follows.set([carl])))

# %% [markdown]
# Where somebody listens to `m2m_changed`, or the table between is a model of yours, the insert is preceded by one more look: what is
# missing? The shop listens to the genres of books:

# %%
crime, romance, satire = Genre.objects.filter(slug__in=["satire", "romance", "crime"]).order_by("slug")
emma = Book.objects.get(slug="emma")
emma.genres.set([satire, romance])
with queries(quiet=True) as seen:
    emma.genres.set([romance, crime])
print([statement.sql.split()[0] for statement in seen])

# %% [markdown]
# - *Can a foreign key point at a composite primary key?* No: its column would have to be two. The system check refuses it, and
#   [the documentation](https://docs.djangoproject.com/en/stable/topics/composite-primary-key/) names `ForeignObject`, which makes no
#   constraint, as the way around.

# %%
class Discount(models.Model):
    change = models.ForeignKey(PriceChange, on_delete=models.DO_NOTHING)

    class Meta:
        app_label = "lab"
        managed = False


print([error.id for error in Discount.check()])

# %% [markdown]
# **Versions.** 6.1 has `DB_CASCADE`, `DB_SET_NULL` and `DB_SET_DEFAULT`
# ([documentation](https://docs.djangoproject.com/en/6.1/ref/models/fields/#django.db.models.DB_CASCADE)). On 5.2 it takes
# `DO_NOTHING` and a migration with SQL. One statement deletes; the children are neither read nor counted, and no receiver hears of
# them:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    class Session(models.Model):
        class Meta:
            app_label = "lab"

    class Click(models.Model):
        session = models.ForeignKey(Session, on_delete=models.DB_CASCADE)

        class Meta:
            app_label = "lab"
else:
    print("Django 6.1 makes two models.")

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    session = Session.objects.create()
    Click.objects.bulk_create([Click(session=session) for number in range(500)])
    heard.clear()
    post_delete.connect(after, sender=Click)
    with queries(quiet=True) as seen:
        total = session.delete()[0]
    post_delete.disconnect(after, sender=Click)
    print(len(seen), total, Click.objects.count(), heard)
else:
    print("Django 6.1 prints 1 1 0 []")

# %% [markdown]
# One query, one row counted, 500 clicks gone, nothing heard. `DB_SET_NULL` and `DB_SET_DEFAULT` do the same to a column, without an
# `UPDATE` that you could see. The default is the database's, so it wants a `db_default`, and its row has to exist:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    class Purchase(models.Model):
        session = models.ForeignKey(Session, on_delete=models.DB_SET_NULL, null=True)
        till = models.ForeignKey(Session, on_delete=models.DB_SET_DEFAULT, db_default=1000, related_name="+")

        class Meta:
            app_label = "lab"

    Session.objects.get_or_create(pk=1000)
    visit = Session.objects.create()
    purchase = Purchase.objects.create(session=visit, till=visit)
    print(cost(visit.delete), Purchase.objects.values_list("session", "till").get(pk=purchase.pk))
else:
    print("Django 6.1 prints 1 (None, 1000)")

# %% [markdown]
# A model may not mix both families, and neither may a chain of models: what the database deletes, Django's rules never see. MySQL,
# MariaDB and Oracle have no `DB_SET_DEFAULT`. The system check says all of it:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    class Trail(models.Model):
        click = models.ForeignKey(Click, on_delete=models.CASCADE)
        session = models.ForeignKey(Session, on_delete=models.DB_CASCADE)

        class Meta:
            app_label = "lab"

    print(sorted({error.id for error in Trail.check()}))
    print(import_module("django.db.backends.mysql.features").DatabaseFeatures.supports_on_delete_db_default)
else:
    print("Django 6.1 prints ['fields.E323', 'models.E050'], then False.")

# %%
quiz("Q35")

# %% [markdown]
# Practise: exercises [12.1 to 12.6](../exercises/12_relationships.ipynb).

# %% [markdown]
# ## Q36 · How does a OneToOneField differ from a ForeignKey?
#
# *Basic · asked as A5*
#
# **Say it.** A foreign key is many-to-one: many order lines point at one order. A one-to-one is a foreign key with a unique
# column, so at most one invoice points at an order. That changes the other side: `order.lines` is a manager for any number of
# rows, `order.invoice` is the invoice itself, or an exception where there is none. Both take the same `on_delete`, and both
# require it. I use one-to-one for the part of a row that is optional or belongs to another app.
#
# *What lifts it:* `select_related` follows a one-to-one from both sides, and `hasattr` on the empty side costs a query.

# %% [markdown]
# **See it.** One class extends the other. Guess both lines:

# %%
reset()
line_order, invoice_order = OrderLine._meta.get_field("order"), Invoice._meta.get_field("order")
print(isinstance(invoice_order, models.ForeignKey), isinstance(line_order, models.OneToOneField))
print(line_order.unique, invoice_order.unique)

# %% [markdown]
# The database knows of it too. Both columns refer to the orders; one is unique:

# %%
for model in (OrderLine, Invoice):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
    of_order = [rule for rule in constraints if rule["columns"] == ["order_id"]]
    print(model.__name__, any(rule["foreign_key"] for rule in of_order), any(rule["unique"] for rule in of_order))

# %% [markdown]
# So a second invoice for an order is refused by the table:

# %%
order = Order.objects.get(pk=1206)
try:
    with transaction.atomic():
        Invoice.objects.create(number="again", order=order, issued_by_id=1, issued_on=order.placed_at.date(), amount=1)
except IntegrityError:
    print("one invoice per order")

# %% [markdown]
# From the other side: a manager answers with nothing, an object cannot. Order 2026-001234 has no lines, and no invoice:

# %%
empty = Order.objects.get(number="2026-001234")
print(list(empty.lines.all()), hasattr(empty, "invoice"), hasattr(empty, "lines"))
missing = Order.invoice.RelatedObjectDoesNotExist
print(issubclass(missing, Invoice.DoesNotExist), issubclass(missing, AttributeError))

# %% [markdown]
# The exception is two things at once, which is why `except Invoice.DoesNotExist` and `hasattr` both work:

# %% tags=["raises-exception"]
empty.invoice

# %% [markdown]
# The first look at the other side is a query, on an empty one as well. With `select_related` it is a left join. How many queries?

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


users = User.objects.order_by("pk")
print(cost(lambda: [hasattr(user, "profile") for user in users[:50]]))
print(cost(lambda: [hasattr(user, "profile") for user in users.select_related("profile")[:50]]))

# %% [markdown]
# What was found is kept with the object, and so is "nothing". Tomas has no profile; what does the second look say, after another
# program made one?

# %%
tomas = User.objects.get(username="tomas")
print(cost(lambda: hasattr(tomas, "profile")), cost(lambda: hasattr(tomas, "profile")))
Profile.objects.create(user_id=tomas.pk, city="Porto")
print(hasattr(tomas, "profile"), hasattr(User.objects.get(pk=tomas.pk), "profile"))
tomas.refresh_from_db()
print(hasattr(tomas, "profile"))

# %% [markdown]
# With `primary_key=True` the column is the key as well: a stock has no `id`, and is found by its book.

# %%
stock = Stock.objects.get(book__slug="emma")
print(stock.pk == stock.book_id, [field.name for field in Stock._meta.fields])

# %% [markdown]
# **The trap.** A widely read list calls this the only difference: a foreign key takes `on_delete`, a one-to-one needs the model's
# class alone. Until Django 1.11 it could be left out of either, and
# [since 2.0](https://docs.djangoproject.com/en/stable/releases/2.0/) both refuse:

# %%
for field in (models.ForeignKey, models.OneToOneField):
    try:
        field(User)
    except TypeError as error:
        print(field.__name__, "on_delete" in str(error))

# %% [markdown]
# The real difference is uniqueness and the other side. A country has many states and one capital:

# %%
class Country(models.Model):
    class Meta:
        app_label = "lab"


class State(models.Model):
    country = models.ForeignKey(Country, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"


class Capital(models.Model):
    country = models.OneToOneField(Country, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"

# %%
india = Country.objects.create()
State.objects.bulk_create([State(country=india), State(country=india)])
print(india.state_set.count(), hasattr(india, "capital"))
Capital.objects.create(country=india)
print(hasattr(Country.objects.get(), "capital"), india.delete()[0])

# %% [markdown]
# **Asked next**
#
# - *`ForeignKey(unique=True)` or `OneToOneField`?* The column is the same. But the other side of the foreign key stays a manager of
#   at most one, which asks the database even where `select_related` has joined the row. Django warns:

# %%
class Badge(models.Model):
    owner = models.ForeignKey(Country, on_delete=models.CASCADE, unique=True)

    class Meta:
        app_label = "lab"


print([warning.id for warning in Badge.check()])
for country in (Country.objects.create(), Country.objects.create()):
    Badge.objects.create(owner=country)
print(cost(lambda: [country.badge_set.get() for country in Country.objects.select_related("badge")]))

# %% [markdown]
# - *How do you extend the user: profile, custom model, proxy?* A custom user from the first migration on, for what logging in needs.
#   A profile by one-to-one for what another app wants, or for a project that already runs on Django's user. A proxy adds methods,
#   managers and permissions, and no column ([documentation](https://docs.djangoproject.com/en/stable/topics/auth/customizing/)).
#   The shop has the first two:

# %%
reset()
print(User._meta.label, Profile._meta.get_field("user").remote_field.on_delete.__name__)
print(cost(lambda: list(User.objects.filter(profile=None))), User.objects.filter(profile=None).count())

# %% [markdown]
# - *Why does `select_related` work on the reverse side?* The column is unique, so the join adds one row at most and cannot multiply the
#   users. It is a left join, since the other row may be missing. On a foreign key's reverse side it raises `FieldError`:

# %%
sql = str(User.objects.select_related("profile").query)
print("LEFT OUTER JOIN" in sql, "INNER JOIN" in sql)
try:
    list(Order.objects.select_related("lines"))
except FieldError:
    print("many lines: prefetch_related")

# %% [markdown]
# **Versions.** Both fields take the same rules. To the seven names that 5.2 has, 6.1 adds three for the database:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print([name for name in dir(models) if name.startswith("DB_")])
else:
    print("Django 6.1 prints ['DB_CASCADE', 'DB_SET_DEFAULT', 'DB_SET_NULL'].")

# %%
quiz("Q36")

# %% [markdown]
# Practise: exercises [12.7 to 12.8](../exercises/12_relationships.ipynb).

# %% [markdown]
# ## Q37 · What is the content types framework, and when would you use a generic relation?
#
# *Advanced · asked as T-I12*
#
# **Say it.** `django.contrib.contenttypes` keeps a table with a row for each of your models, so that a row can say "which kind of
# thing". Permissions and the admin's log use it. With a content type and an object id, a `GenericForeignKey` can point at a row of any
# model whose key fits: a review of a book or of an author. The price: the database cannot check it, filters cannot cross it, and deleting the target
# leaves the rows behind unless the target has a `GenericRelation`.
#
# *What lifts it:* `GenericPrefetch` against the N+1, and saying when two nullable foreign keys are better.

# %% [markdown]
# **See it.** A content type knows its model. How many queries do three look-ups cost?

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


reset()
ContentType.objects.clear_cache()
print([cost(lambda: ContentType.objects.get_for_model(Book)) for attempt in range(3)])
kind = ContentType.objects.get_for_model(Book)
print(kind.natural_key(), kind.model_class() is Book)
print(cost(lambda: ContentType.objects.get(app_label="catalog", model="book")))

# %% [markdown]
# `get_for_model`, `get_for_models`, `get_for_id` and `get_by_natural_key` are
# [cached](https://docs.djangoproject.com/en/stable/ref/contrib/contenttypes/#the-contenttypemanager) per process; a plain `get()` asks
# each time. Next, the pair of columns. Assigning an object fills both:

# %%
review = Review.objects.about_any(Author).earliest("pk")
print(type(review.thing).__name__, review.content_type.model, review.object_id == review.thing.pk)
fresh = Review(thing=Book.objects.get(slug="emma"))
print(fresh.content_type == kind, fresh.object_id)

# %% [markdown]
# A list of forty reviews, of books and authors mixed. What does showing each thing cost, and what does a prefetch make of it?

# %%
books, authors = Review.objects.about_any(Book)[:20], Review.objects.about_any(Author)[:20]
mixed = Review.objects.filter(pk__in=[review.pk for review in [*books, *authors]])
print(cost(lambda: [str(review.thing) for review in mixed.all()]))
print(cost(lambda: [str(review.thing) for review in mixed.prefetch_related("thing")]))

# %% [markdown]
# One for the reviews and one per kind. But a page that shows the author of each reviewed book is back at N+1: a common prefetch path
# would have to exist on every kind. `GenericPrefetch` takes a queryset for each:

# %%
def labels(reviews):
    return [f"{review.thing} · {getattr(review.thing, 'author', '')}" for review in reviews]


things = GenericPrefetch("thing", [Book.objects.select_related("author"), Author.objects.all()])
print(cost(lambda: labels(mixed.prefetch_related("thing"))) > 10)
print(cost(lambda: labels(mixed.prefetch_related(things))))

# %% [markdown]
# Filters cannot cross it, since there is no table to join:

# %% tags=["raises-exception"]
Review.objects.filter(thing=Book.objects.get(slug="emma"))

# %% [markdown]
# Name both columns, or give the target a `GenericRelation`: then both directions can be filtered, here with the word `book` from its
# `related_query_name`. What does the join carry beside the key?

# %%
pride = Book.objects.get(slug="pride-and-prejudice")
print(Review.objects.filter(content_type=kind, object_id=pride.pk).count(), pride.reviews.count())
print(Review.objects.filter(book__author__name="Jane Austen").count() > 10)
sql = str(Book.objects.filter(reviews__stars=5).query)
print("content_type_id" in sql, sql.count("JOIN"))

# %% [markdown]
# Integrity: the content type is a real foreign key, the object id is a number. Nothing checks it:

# %%
lost = Tagging.objects.create(tag=Tag.objects.first(), content_type=kind, object_id=999_999)
print(lost.pk is not None, Tagging.objects.get(pk=lost.pk).thing)
reset()

# %% [markdown]
# And a number is all it takes. A key that is a UUID needs another column, and a composite one
# [is not supported](https://docs.djangoproject.com/en/stable/topics/composite-primary-key/#composite-primary-keys-and-relations):

# %%
try:
    Tagging(tag=Tag.objects.first(), thing=PriceChange.objects.first()).save()
except TypeError as error:
    print("expected a number" in str(error))

# %% [markdown]
# And when the target goes? A book has a `GenericRelation`, a genre has none:

# %%
april = Book.objects.get(slug="the-enchanted-april")
cookery = Genre.objects.get(name="Cookery")
tagging = Tagging.objects.create(tag=Tag.objects.first(), thing=cookery)
about_april = Review.objects.about(april)
print(about_april.count())
april.delete()
cookery.delete()
print(about_april.count(), Tagging.objects.filter(pk=tagging.pk).count(), Tagging.objects.get(pk=tagging.pk).thing)

# %% [markdown]
# **The trap.** "`content_type_id` 7 is the book, so I write 7." It misleads because it holds on one machine. The numbers come
# from the order in which the rows were made. Ask for the model; and mind which one: a proxy shares the type of its model, a
# child does not.

# %%
reset()
print(ContentType.objects.get_for_model(Classic) == ContentType.objects.get_for_model(Book))
print(ContentType.objects.get_for_model(Classic, for_concrete_model=False).model)
recording = AudioBook.objects.filter(pk__in=Review.objects.about_any(Book).values("object_id")).first()
print(recording.reviews.count(), Book.objects.get(pk=recording.pk).reviews.count() > 0)

# %% [markdown]
# Fixtures have the same trouble: `dumpdata --natural-foreign` writes the names instead of the number. And a raw number in another
# database may be anything:

# %%
for options in ({}, {"use_natural_foreign_keys": True}):
    out = StringIO()
    call_command("dumpdata", "reviews.Tagging", primary_keys="1", stdout=out, **options)
    print('["catalog", "' in out.getvalue())

# %% [markdown]
# **Asked next**
#
# - *Generic, nullable foreign keys, or a common parent?* Kinds that you can count: one nullable foreign key each, and a check that
#   exactly one is set. Joins, constraints and cascades work. Kinds with a common core: a parent table, at the price of a join.
#   Generic only for what must attach to models that you do not know: tags, comments, a log.

# %%
class Comment(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE, null=True, related_name="+")
    author = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        app_label = "lab"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(book=None, author__isnull=False) | models.Q(book__isnull=False, author=None),
                name="comment_on_one_thing",
            )
        ]

# %%
emma, austen = Book.objects.get(slug="emma"), Author.objects.get(name="Jane Austen")
Comment.objects.create(book=emma)
for things in ({}, {"book": emma, "author": austen}):
    try:
        with transaction.atomic():
            Comment.objects.create(**things)
    except IntegrityError:
        print("exactly one")
print(Comment.objects.filter(book__author=austen).count(), Comment.objects.count())

# %% [markdown]
# - *How do you prefetch a generic foreign key?* `prefetch_related("thing")`: a query per kind. `GenericPrefetch`, since 5.0, where the
#   kinds need querysets of their own. From the target, `prefetch_related("reviews")` on the `GenericRelation` is one query for all:

# %%
print(cost(lambda: [len(book.reviews.all()) for book in Book.objects.prefetch_related("reviews")]))

# %% [markdown]
# - *What happens to the rows when the target is deleted?* With a `GenericRelation` they are deleted with it, by Django, through the
#   base manager, so hidden ones too. Without, they stay, and `thing` is `None`. A raw `DELETE` leaves them in either case: no
#   constraint could object. A job that looks for orphans is part of the price:

# %%
orphan = Tagging.objects.create(tag=Tag.objects.first(), content_type=kind, object_id=999_999)
orphans = Tagging.objects.about_any(Book).exclude(object_id__in=Book.objects.values("pk"))
print(list(orphans) == [orphan])
reset()

# %% [markdown]
# - *And when the model itself goes?* Its content type stays, without a class, until somebody runs
#   [`remove_stale_contenttypes`](https://docs.djangoproject.com/en/stable/ref/django-admin/#remove-stale-contenttypes). Then
#   `content_type`, a plain `CASCADE` here, takes the rows along.

# %%
gone = ContentType.objects.create(app_label="catalog", model="pamphlet")
stale = Tagging.objects.create(tag=Tag.objects.first(), content_type=gone, object_id=1)
print(gone.model_class())
try:
    Tagging.objects.get(pk=stale.pk).thing
except AttributeError:
    print("AttributeError: there is no class to ask")
call_command("remove_stale_contenttypes", interactive=False, verbosity=0)
print(Tagging.objects.filter(pk=stale.pk).count())

# %% [markdown]
# **Versions.** 6.1's [fetch modes](https://docs.djangoproject.com/en/6.1/topics/db/fetch-modes/) know generic foreign keys: with
# `FETCH_PEERS` the first access fetches for all reviews of the queryset, a query per kind. On 5.2 say the prefetch. (And 6.1
# [renames the permissions](https://docs.djangoproject.com/en/6.1/releases/6.1/) of a model that a migration renames.)

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    ContentType.objects.get_for_models(Book, Author)
    reviews = Review.objects.fetch_mode(models.FETCH_PEERS).order_by("pk")
    print(cost(lambda: [str(review.thing) for review in reviews]))
else:
    print("Django 6.1 prints 3.")

# %%
quiz("Q37")

# %% [markdown]
# Practise: exercises [12.9 to 12.12](../exercises/12_relationships.ipynb).
