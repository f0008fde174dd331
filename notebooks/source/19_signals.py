# %% [markdown]
# # 19 · Signals
#
# After this chapter you can say which signals Django sends, in which order and inside which transaction, name the
# changes that send none, connect a receiver so that it is called once, and say when a plain call is the better tool.
#
# *Questions: Q52 signals.* Predict each output before you run its cell.
# [Exercises 19.1 to 19.10](../exercises/19_signals.ipynb) follow.

# %% reason="the imports of a chapter that meets every signal"
from checks import quiz
from lab import reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import asyncio
import gc
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import current_thread

import django
from accounts.models import Campaign, User, Visit
from asgiref.sync import sync_to_async
from catalog.models import AudioBook, Book, Classic, Contribution, Contributor, Genre, PriceChange
from django.conf import settings
from django.contrib.auth import signals as auth_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core import serializers
from django.core import signals as core_signals
from django.core.management import call_command
from django.core.signals import got_request_exception, request_finished, request_started, setting_changed
from django.db import IntegrityError, connection, models, transaction
from django.db.backends import signals as backend_signals
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.models import F, signals
from django.db.models.signals import class_prepared, m2m_changed, post_delete, post_init, post_migrate, post_save
from django.db.models.signals import pre_delete, pre_init, pre_migrate, pre_save
from django.dispatch import Signal
from django.http import HttpResponse
from django.test import Client, TestCase, override_settings
from django.test import signals as test_signals
from django.test.signals import template_rendered
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment
from django.urls import path
from orders import checkout
from orders.checkout import place_order
from orders.models import Order
from orders.signals import order_placed

# %% [markdown]
# ## Q52 · Listen with signals, and know when they are silent
#
# *Intermediate · asked as T12, I1, M6*
#
# **Say it.** A signal is a list of functions that somebody else calls. The sender calls `send()`, and Django runs each
# connected receiver, in the same process, before the sender goes on. Django sends its own around `save()`, `delete()`,
# many-to-many changes, migrations, requests and logins, so that one app can react to another that does not know it.
# Signals are no queue and no database trigger: `update()` and the `bulk_` methods send none. Inside my own code I call
# a function where I can.
#
# *What lifts it:* which signal is sent inside which transaction, and so what a failing receiver undoes; `on_commit()`
# for whatever leaves the database; what one receiver costs a delete.

# %% [markdown]
# **See it.** A signal of your own is one line. Two receivers, one `send()`. When do they run, and what does `send()`
# return?

# %%
printed = Signal()


def stamp(sender, title, **kwargs):
    return f"{title}, sent by {sender}, in the sender's thread: {current_thread() is sending}"


def measure(sender, title, **kwargs):
    return len(title)

# %%
sending = current_thread()
printed.connect(stamp)
printed.connect(measure)
for receiver, answer in printed.send("the press", title="Emma"):
    print(receiver.__name__, "->", answer)

# %% [markdown]
# At once, in the order of connecting, one after the other; the answers come back in pairs. A slow receiver makes the
# sender slow. Django's own signals are made in the same way. Which module has which?

# %%
NAMES = {}
for module in (signals, core_signals, auth_signals, backend_signals, test_signals):
    found = {value: name for name, value in vars(module).items() if isinstance(value, Signal)}
    NAMES |= found
    print(f"{module.__name__}:", *found.values())

# %% [markdown]
# Nineteen are documented for both versions, and only the first module is about models and their tables
# ([reference](https://docs.djangoproject.com/en/stable/ref/signals/)). To hear them, a receiver that prints, and a block
# that connects it and lets go of it again, whatever happens inside:

# %% reason="The two functions that this chapter uses throughout: one hears, the other connects for a block."
def tell(signal, sender, **facts):
    shown = ("created", "action", "reverse", "pk_set")
    print(NAMES[signal], sender.__name__, *[f"{name}={facts[name]}" for name in shown if name in facts])


@contextmanager
def listening(receiver, *watched, sender=None):
    for signal in watched:
        signal.connect(receiver, sender=sender)
    try:
        yield
    finally:
        for signal in watched:
            signal.disconnect(receiver, sender=sender)

# %% [markdown]
# **Instances and rows.** A row is created, then saved again. Which signals, in which order, and what tells the two
# saves apart?

# %%
with listening(tell, pre_init, post_init, pre_save, post_save, sender=Genre):
    genre = Genre.objects.create(name="Almanacs", slug="almanacs")
    print("and again:")
    genre.save()
reset()

# %% [markdown]
# `created` does. The `init` pair belongs to the instance in Python, not to the row, so it is sent for every row that is
# loaded as well. How often for the 14 genres, as dictionaries and as objects?

# %%
heard = []


def note(signal, **kwargs):
    heard.append(NAMES[signal])


with listening(note, pre_init, post_init, sender=Genre):
    list(Genre.objects.values("name"))
    print(len(heard))
    list(Genre.objects.all())
    print(len(heard), heard[:4])

# %% [markdown]
# Two for each object of a list: a receiver of `post_init` is paid by every page that shows such rows. Now a deletion.
# What is left of the row, and of the object's key, when each of the two is sent?

# %%
def look(signal, instance, **kwargs):
    row = Genre.objects.filter(slug=instance.slug).exists()
    print(f"{NAMES[signal]:11} key: {instance.pk is not None}, row: {row}, transaction: {connection.in_atomic_block}")


genre = Genre.objects.create(name="Almanacs", slug="almanacs")
with listening(look, pre_delete, post_delete, sender=Genre):
    genre.delete()
print("afterwards  key:", genre.pk)
reset()

# %% [markdown]
# That is the answer to "what is `post_delete` for": the `DELETE` has run, the transaction has not been committed yet,
# and the object is still there with its key, to clean up after it. An order takes its lines along. Is the order's pair
# around those of its lines?

# %%
def tell_key(signal, sender, instance, origin, **kwargs):
    print(NAMES[signal], sender.__name__, instance.pk, "because of", type(origin).__name__, origin.pk)


with listening(tell_key, pre_delete, post_delete):
    Order.objects.get(pk=5).delete()
reset()

# %% [markdown]
# No nesting: first every `pre_delete`; then, children first, the rows of a model and their `post_delete`. `origin` is
# what `delete()` was called on, an instance or a queryset. Now a thousand campaigns, to whose deletion nobody in the
# shop listens. How many SELECTs and DELETEs, without a receiver and with one?

# %%
def statements():
    offers = [Campaign(name=f"Offer {number}", sent_on="2026-07-01") for number in range(1000)]
    Campaign.objects.bulk_create(offers)
    with CaptureQueriesContext(connection) as seen:
        Campaign.objects.filter(name__startswith="Offer").delete()
    words = [query["sql"].split()[0] for query in seen]
    return words.count("SELECT"), words.count("DELETE")


print(statements())
with listening(note, pre_delete, sender=Campaign):
    print(statements())

# %% [markdown]
# All thousand are loaded into memory, and deleted a hundred at a time. A receiver of deletions for **all** senders does
# this to every model. Next, the relation between books and genres, changed from both sides. Which keys are in `pk_set`?

# %%
emma, drama = Book.objects.get(slug="emma"), Genre.objects.get(slug="drama")
with listening(tell, m2m_changed, sender=Book.genres.through):
    emma.genres.add(drama)
    drama.books.remove(emma)
    emma.genres.set([drama])
    emma.genres.clear()
reset()

# %% [markdown]
# Those of the other side; `reverse` says which that is. `set()` is what it removes and what it adds. With `clear`
# there are no keys: whoever needs them asks the database at `pre_clear`. And where nothing changes?

# %%
with listening(tell, m2m_changed, sender=Book.genres.through):
    emma.genres.add(*emma.genres.all())
    emma.genres.set(emma.genres.all())
    emma.genres.remove(drama)

# %% [markdown]
# Adding what is there sends empty sets, setting the same sends nothing, and removing what is not there names it all the
# same. So `pk_set` says what was asked for with `remove`, and what was new with `add`.

# %% [markdown]
# **Requests and people.** A page that works, one that does not, one that is not there. Which of them ends without
# `request_finished`?

# %%
patterns = (path("page/", lambda request: HttpResponse()), path("broken/", lambda request: 1 / 0))
client = Client(raise_request_exception=False)
with override_settings(ROOT_URLCONF=patterns):
    for url in ("/page/", "/broken/", "/nowhere/"):
        heard.clear()
        with listening(note, request_started, got_request_exception, request_finished):
            status = client.get(url).status_code
        print(url, status, *heard)

# %% [markdown]
# None, once the response is closed ([chapter 04](04_urls_requests_middleware.ipynb)). `got_request_exception` is for
# what nobody expected; a 404 is no trouble. Logins have three of their own. What does a failed one tell about the
# password, and about a PIN that another backend would ask for?

# %%
def tell_login(signal, credentials=None, **kwargs):
    print(NAMES[signal], credentials or "")


with listening(tell_login, user_logged_in, user_logged_out, user_login_failed):
    client.force_login(User.objects.get(username="anna"))
    client.logout()
    client.login(username="anna", password="sense", pin="1775")

# %% [markdown]
# What is called password, token, key or the like is masked; the PIN is not, nor the user's name, into which people type
# passwords. Look at what you log. Four more signals have no partner. Which of these two classes is announced?

# %%
with listening(tell, class_prepared):

    class Draft(models.Model):
        class Meta:
            app_label = "lab"
            abstract = True

    class Leaflet(Draft):
        class Meta:
            app_label = "lab"

# %% [markdown]
# The concrete one. Now a connection that is opened anew, and a setting. Which change of it is announced?

# %%
heard.clear()
with listening(note, connection_created, setting_changed):
    connection.close()
    Genre.objects.count()
    with override_settings(CURRENCY="florin"):
        settings.LANGUAGE_CODE = settings.LANGUAGE_CODE
print(heard)

# %% [markdown]
# What `override_settings` does, in and out; an assignment is never heard. `template_rendered` is for tests too: it is
# how the test client knows `response.templates`. It needs a
# [test environment](https://docs.djangoproject.com/en/stable/ref/signals/#template-rendered):

# %%
heard.clear()
with listening(note, template_rendered):
    client.get("/books/emma/")
    print(len(heard))
    setup_test_environment()
    response = client.get("/books/emma/")
    teardown_test_environment()
print(len(heard) == len(response.templates) > 0)

# %% [markdown]
# Last, migrations. Are the pairs those of each app? And what does `flush` send, which empties all tables?

# %%
def tell_app(signal, app_config, **kwargs):
    heard.append((NAMES[signal], app_config.label))

# %%
for command, options in (("migrate", {}), ("flush", {"interactive": False})):
    heard.clear()
    with listening(tell_app, pre_migrate, post_migrate):
        call_command(command, verbosity=0, **options)
    order = [name for name, app in heard]
    print(command, order == sorted(order, reverse=True), sorted(set(order)), ("post_migrate", "catalog") in heard)
reset()

# %% [markdown]
# Each app with a `models` module has a pair, sent even where there is nothing to migrate: first `pre_migrate` for
# all, at the end `post_migrate` for all. `flush` sends the second alone (and
# [keeps](https://docs.djangoproject.com/en/stable/ref/django-admin/#flush) the record of applied migrations): receivers
# of it [make](https://docs.djangoproject.com/en/stable/topics/auth/default/#default-permissions) the permissions and
# content types anew.

# %% [markdown]
# **Duplicates.** `make` gives a new function at each call, as does a module that is
# [imported a second time](https://docs.djangoproject.com/en/stable/topics/signals/#preventing-duplicate-signals) under
# another name. One function is connected twice, another once. Who is called how often?

# %%
def make(name):
    def receiver(**kwargs):
        heard.append(name)

    return receiver

# %%
first, second, third = make("first"), make("second"), make("third")
printed, heard = Signal(), []
for receiver in (first, first, second):
    printed.connect(receiver)
printed.send("press")
print(heard)

# %% [markdown]
# The same object counts once; two functions from one source are two. `dispatch_uid` gives the place a name instead.
# Who is called now, for the sender `Book`?

# %%
printed, heard = Signal(), []
printed.connect(first, dispatch_uid="log")
printed.connect(second, dispatch_uid="log")
printed.connect(third, sender=Book, dispatch_uid="log")
printed.send(Book)
print(heard)

# %% [markdown]
# The first stays as long as it lives, the second is ignored without a word. And a place is the name **and** the sender,
# so the third has one of its own. Which of these four calls lets go of one?

# %%
print(printed.disconnect(first), printed.disconnect(third, sender=Book))
print(printed.disconnect(dispatch_uid="log"), printed.disconnect(sender=Book, dispatch_uid="log"))

# %% [markdown]
# `disconnect()` must be told what `connect()` was told, and answers False where it found nothing. Look at that value.

# %% [markdown]
# **References.** `connect()` holds a receiver weakly: whoever connects a function that nobody else holds, loses it. But
# when? Once in development, once in production:

# %%
def connect_inside(signal, **how):
    def receiver(**kwargs):
        heard.append("called")

    signal.connect(receiver, **how)

# %%
for debug, how in ((True, {}), (False, {}), (False, {"weak": False})):
    printed, heard = Signal(), []
    with override_settings(DEBUG=debug):
        connect_inside(printed, **how)
    gc.collect()
    printed.send("press")
    print("DEBUG:", debug, how, heard)

# %% [markdown]
# It works for the developer alone. With `DEBUG` Django looks at the signature, and the cache of signatures holds the
# function. In production it is gone. Receivers belong at the top of a module, or need `weak=False`. Why that look at
# the signature? A receiver without `**kwargs`:

# %%
def deaf(sender):
    heard.append(sender)

# %%
for debug in (True, False):
    printed = Signal()
    with override_settings(DEBUG=debug):
        try:
            printed.connect(deaf)
            print("connected")
            printed.send("press")
        except (ValueError, TypeError) as error:
            print(type(error).__name__)

# %% [markdown]
# With `DEBUG` it is refused at once. Without, each `send()` fails. Senders may add arguments, as Django did with
# `origin` [in 4.1](https://docs.djangoproject.com/en/stable/releases/4.1/#signals), so every receiver takes what it does not know.

# %% [markdown]
# **The trap.** "Signals are triggered by a modification in a model", says a widely read list. It puts the request
# signals into its table of models, and gives the path `django.db.models.pre_init`:

# %%
print(hasattr(models, "pre_init"), hasattr(signals, "pre_init"))
print(hasattr(signals, "request_started"), hasattr(core_signals, "request_started"))

# %% [markdown]
# You have seen a signal without any model. The opposite belief costs more: that each change of a row is told. Seven
# ways to write; which ones are heard?

# %% reason="Seven ways to write, side by side: the comparison is the point."
def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


atlases, diaries = {"name": "Atlases", "slug": "atlases"}, Genre(name="Diaries", slug="diaries")
ways = {
    "create": lambda: Genre.objects.create(**atlases),
    "get_or_create": lambda: Genre.objects.get_or_create(**atlases),
    "update_or_create": lambda: Genre.objects.update_or_create(slug="atlases", defaults={"name": "Maps"}),
    "bulk_create": lambda: Genre.objects.bulk_create([diaries]),
    "bulk_update": lambda: Genre.objects.bulk_update([diaries], ["name"]),
    "update": lambda: Genre.objects.filter(slug="diaries").update(name="Journals"),
    "SQL": lambda: sql("UPDATE catalog_genre SET name = 'Charts' WHERE slug = 'atlases'"),
}

# %%
for name, write in ways.items():
    heard = []
    with listening(note, pre_save, post_save, sender=Genre):
        write()
    print(f"{name:16}", *heard)
reset()

# %% [markdown]
# What goes through `save()` is heard. (`get_or_create` found the row.) Deletions are heard for a queryset as well, as
# you saw with campaigns. But what the database deletes by itself? A user with a visit:

# %%
def tell_class(signal, sender, **kwargs):
    print(NAMES[signal], sender.__name__)

# %%
newcomer = User.objects.create(username="newcomer")
visit = Visit.objects.create(user=newcomer)
with listening(tell_class, pre_delete, post_delete):
    newcomer.delete()
print(Visit.objects.filter(pk=visit.pk).exists())

# %% [markdown]
# The visit is gone, and nobody heard of it. (On 6.1 its relation says
# [`DB_CASCADE`](https://docs.djangoproject.com/en/6.1/ref/models/fields/#django.db.models.DB_CASCADE); on 5.2 it says
# `DO_NOTHING`, and the table has the rule.) And many-to-many relations? A contributor is added, once as a relation,
# once as a row; then a book with genres goes:

# %%
contributor = Contributor.objects.first()
herland, we = Book.objects.get(slug="herland"), Book.objects.get(slug="we")
seven = Book.objects.get(slug="seven-brothers")
print(seven.genres.exists())
with listening(tell_class, m2m_changed), listening(tell_class, pre_save, post_save, sender=Contribution):
    we.contributors.add(contributor, through_defaults={"role": "editor"})
    Contribution.objects.create(book=herland, contributor=contributor, role="editor")
    seven.delete()
reset()

# %% [markdown]
# Relation or row: each tells of itself, never of the other, and a book that goes takes its genres along in silence. The
# sender is exact, too. Who waits for `Book` hears of which of these?

# %%
with listening(tell_class, pre_save, post_save, sender=Book):
    AudioBook.objects.get(slug="emma").save()
    Classic.objects.get(slug="emma").save()
    Book.objects.get(slug="emma").save()
reset()

# %% [markdown]
# Of the last alone: a child and a proxy are senders of their own. An audio book that is deleted: who sends here?

# %%
author = Book.objects.get(slug="emma").author
spoken = AudioBook.objects.create(title="Maps", slug="maps", author=author, price=1, narrator="Mira", minutes=1)
with listening(tell_class, pre_delete, post_delete):
    spoken.delete()
reset()

# %% [markdown]
# Both, for it is a row in each of two tables. A migration's models are senders of their own as well. Who hears of a row
# that a [data migration](https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models) makes?

# %%
historical = MigrationLoader(connection).project_state().apps.get_model("catalog", "Genre")
with listening(tell_class, pre_save, post_save, sender=Genre):
    historical.objects.create(name="Diaries", slug="diaries")
print(Genre.objects.filter(slug="diaries").exists(), historical is Genre)
reset()

# %% [markdown]
# Nobody who waits for `Genre`: the sender is a class that was rebuilt from the migrations. (It has no overridden
# `save()` either.) Two half cases: a save that fails, and a fixture. What does each send?

# %%
def tell_raw(signal, raw, **kwargs):
    print(NAMES[signal], f"{raw=}")

# %%
fixture = serializers.serialize("json", Genre.objects.filter(slug="drama"))
with listening(tell_raw, pre_save, post_save, sender=Genre):
    for row in serializers.deserialize("json", fixture):
        row.save()
    try:
        Genre.objects.create(name="Drama", slug="drama")
    except IntegrityError as error:
        print(type(error).__name__)

# %% [markdown]
# A `pre_` without its `post_` is normal: count nothing by it. And `raw=True` says that a fixture is being loaded: the
# rows it refers to may not be there yet, so a receiver should
# [leave the database alone](https://docs.djangoproject.com/en/stable/ref/signals/#pre-save).

# %% [markdown]
# **The second trap.** "Receivers run in the background, and after the fact." They run in the sender's transaction, if
# there is one. A receiver sends a letter, then the transaction is rolled back:

# %%
def write_letter(instance, **kwargs):
    letters.append(f"We now have {instance.name}!")


def write_letter_later(instance, using, **kwargs):
    transaction.on_commit(lambda: letters.append(f"We now have {instance.name}!"), using=using)

# %%
for receiver in (write_letter, write_letter_later):
    letters = []
    with listening(receiver, post_save, sender=Genre):
        with transaction.atomic():
            Genre.objects.create(name="Diaries", slug="diaries")
            transaction.set_rollback(True)
    print(Genre.objects.filter(slug="diaries").exists(), letters)

# %% [markdown]
# The first letter tells of a row that never was. `on_commit()` waits, and forgets. (A process that dies between the
# commit and the callback forgets as well: [chapter 14](14_transactions_and_connections.ipynb).) Which key does a
# deleted object have by then?

# %%
def note_key(instance, using, **kwargs):
    pk = instance.pk
    transaction.on_commit(lambda: print("now:", instance.pk, "noted before:", pk == key), using=using)


with listening(note_key, post_delete, sender=Genre), transaction.atomic():
    genre = Genre.objects.create(name="Diaries", slug="diaries")
    key = genre.pk
    genre.delete()

# %% [markdown]
# None: take the key while it is there. (What takes long, the callback hands to a task queue, as the checkout does with
# its receipt.) Now receivers that raise. Out of which of these four calls does the error come,
# and is there a row afterwards?

# %%
def fail(**kwargs):
    raise LookupError("out of ink")


def row_after(signal, write):
    with listening(fail, signal, sender=Genre):
        try:
            write()
        except LookupError:
            print(f"{NAMES[signal]:11} raised; row:", Genre.objects.filter(slug="diaries").exists())

# %%
row_after(pre_save, lambda: Genre.objects.create(name="Diaries", slug="diaries"))
row_after(post_save, lambda: Genre.objects.create(name="Diaries", slug="diaries"))
row_after(pre_delete, lambda: Genre.objects.get(slug="diaries").delete())
row_after(post_delete, lambda: Genre.objects.get(slug="diaries").delete())
reset()

# %% [markdown]
# Out of all four, and the second is the surprise: an error in `post_save`, and the row is there. Outside of a
# transaction, a save has been committed when `post_save` is sent. `delete()` opens a transaction around both of its
# signals, so its row comes back. Is the save undone inside `atomic()`? And in `get_or_create()`,
# in `update_or_create()`?

# %%
def create_in_a_transaction():
    with transaction.atomic():
        Genre.objects.create(name="Diaries", slug="diaries")


row_after(post_save, create_in_a_transaction)
row_after(post_save, lambda: Genre.objects.get_or_create(name="Diaries", slug="diaries"))
row_after(post_save, lambda: Genre.objects.update_or_create(name="Diaries", slug="diaries"))

# %% [markdown]
# In all three: the last two open a transaction of their own. So the same receiver undoes a
# save in a view with
# [`ATOMIC_REQUESTS`](https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests),
# and not in a script. What about the other receivers, after one that fails? Django's model signals use `send()`:

# %%
printed, heard = Signal(), []
printed.connect(fail)
printed.connect(first)
try:
    printed.send("press")
except LookupError:
    print("send:", heard)
with TestCase().assertLogs("django.dispatch") as logged:
    answers = printed.send_robust("press")
print("send_robust:", heard, [type(answer).__name__ for _, answer in answers], len(logged.records))

# %% [markdown]
# `send()` stops at the first error. Robustly sent, the error is an answer and a line in the log, and the others are
# called. But robust does not mean harmless. A receiver fails **in the database**, inside a transaction. Is the
# sender's own row kept?

# %%
def duplicate(**kwargs):
    Genre.objects.create(name="Drama", slug="drama")


printed = Signal()
printed.connect(duplicate)
with TestCase().assertLogs("django.dispatch"), transaction.atomic():
    Genre.objects.create(name="Diaries", slug="diaries")
    answers = printed.send_robust("press")
print(type(answers[0][1]).__name__, "row:", Genre.objects.filter(slug="diaries").exists())

# %% [markdown]
# It is gone, and no exception said so: the failed statement had marked the transaction for rollback. An `atomic()` of
# the receiver's own would have kept the damage inside. Or send after the commit. The shop's checkout does, so an order
# outlives a listener that fails:

# %%
mira, emma = User.objects.get(username="mira"), Book.objects.get(slug="emma")
with listening(fail, order_placed), TestCase().assertLogs("django.dispatch") as logged:
    order = place_order(mira, {emma.pk: 1})
print(Order.objects.filter(pk=order.pk).exists(), len(logged.records))
reset()

# %% [markdown]
# **The third trap.** "To set a field after saving, save again in `post_save`." What does that send?

# %%
depth = []


def save_again(instance, **kwargs):
    depth.append(instance.pk)
    instance.save(update_fields=["slug"])

# %%
with listening(save_again, post_save, sender=Genre):
    try:
        Genre.objects.create(name="Diaries", slug="diaries")
    except RecursionError:
        print("RecursionError", len(depth) > 50)
reset()

# %% [markdown]
# Another `post_save`, and so on; `update_fields` changes nothing about that. `update()` sends none, so it ends the
# circle. (What needs no key is set in `pre_save`, without a second statement.)

# %%
def add_key(sender, instance, created, **kwargs):
    depth.append(instance.pk)
    if created:
        instance.slug = f"{instance.slug}-{instance.pk}"
        sender.objects.filter(pk=instance.pk).update(slug=instance.slug)

# %%
depth = []
with listening(add_key, post_save, sender=Genre):
    genre = Genre.objects.create(name="Diaries", slug="diaries")
print(len(depth), Genre.objects.get(pk=genre.pk).slug == f"diaries-{genre.pk}")
reset()

# %% [markdown]
# Disconnecting for the moment is no cure: the list of receivers belongs to the process, so every other thread would
# save unheard meanwhile.

# %% [markdown]
# **Asked next**
#
# - *Signals, an overridden `save()`, or a service function?* A function, where the code that changes is mine: a call can
#   be read and stepped into, and sees many rows at once. `save()`, for what belongs to one row, whoever saves it. A
#   signal, where the sender cannot know the listener: another app's model, or several listeners.

# %% [markdown]
# A model with its own `save()`, and a receiver. Which of them notices what?

# %% reason="A model with both ways to hear: half of it would compare nothing."
class Card(models.Model):
    name = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, blank=True)

    class Meta:
        app_label = "lab"

    def save(self, *args, **kwargs):
        heard.append("save()")
        super().save(*args, **kwargs)


def hear_card(**kwargs):
    heard.append("pre_save")

# %%
row = serializers.serialize("python", [Card(pk=7, name="Fixture")])
ways = {
    "create": lambda: Card.objects.create(name="Emma"),
    "fixture": lambda: [card.save() for card in serializers.deserialize("python", row)],
    "bulk_create": lambda: Card.objects.bulk_create([Card(name="Persuasion")]),
    "update": lambda: Card.objects.update(name="Sanditon"),
}

# %%
for name, write in ways.items():
    heard = []
    with listening(hear_card, pre_save, sender=Card):
        write()
    print(f"{name:12}", *heard)

# %% [markdown]
# A fixture goes past `save()`; many rows at once go past both. Only the function that calls `bulk_create()` can do what
# is to be done with it. The second difference: `update_fields`. A receiver derives the slug from the name. Is it stored?

# %%
def derive_slug(instance, **kwargs):
    instance.slug = instance.name.lower()

# %%
with listening(derive_slug, pre_save, sender=Card):
    card = Card.objects.create(name="Emma")
    Card.objects.update_or_create(pk=card.pk, defaults={"name": "Persuasion"})
    card.name = "Sanditon"
    card.save(update_fields=["name"])
print(card.slug, Card.objects.get(pk=card.pk).slug)

# %% [markdown]
# Twice not: of a row that it finds, `update_or_create()` saves the given fields alone, and those that fill themselves,
# such as `auto_now`
# [since 4.2](https://docs.djangoproject.com/en/stable/releases/4.2/#setting-update-fields-in-model-save-may-now-be-required),
# and a receiver cannot change `update_fields`. An overridden `save()` can add to them, as the shop's `Author` does.
# Third, the price. A receiver writes the history of prices; a function does the same for all:

# %%
def write_history(instance, **kwargs):
    PriceChange.objects.create(book=instance, valid_from="2026-07-01", price=instance.price)

# %%
def raise_prices(books):
    with transaction.atomic():
        raised = Book.objects.filter(pk__in=list(books.values_list("pk", flat=True)))
        raised.update(price=F("price") + 1)
        PriceChange.objects.bulk_create(
            PriceChange(book_id=pk, valid_from="2026-07-01", price=price)
            for pk, price in raised.values_list("pk", "price")
        )

# %%
crime = Book.objects.filter(genres__slug="crime")
with listening(write_history, post_save, sender=Book), CaptureQueriesContext(connection) as by_signal:
    for book in crime:
        book.price += 1
        book.save()
print(len(crime), "books,", len(by_signal), "queries")
reset()

# %%
with CaptureQueriesContext(connection) as by_call:
    raise_prices(crime)
print(len(by_call), "queries")
reset()

# %% [markdown]
# The first number grows with the books, two for each; the second does not, but for batches of inserts. And whoever
# reads `raise_prices` sees what it does. Now a place where a signal is right. Who listens to `order_placed`, and does
# the app that sends it know?

# %%
print([entry[1]().__module__ for entry in order_placed.receivers])
sources = [file.read_text() for file in Path(checkout.__file__).parent.glob("*.py")]
print(any("import live" in source or "from live" in source for source in sources))

# %% [markdown]
# `live` imports `orders`. Without the signal, `orders` would have to import `live`, and every app that comes after it.
# Wherever a direct call is possible, Django's documentation
# [advises](https://docs.djangoproject.com/en/stable/topics/signals/) that.

# %% [markdown]
# - *Why `AppConfig.ready()`?* A receiver is connected when its module is imported, and nothing imports that by itself.
#   `ready()` runs when all models are loaded, in every process: server, worker, command. It
#   [may run twice](https://docs.djangoproject.com/en/stable/ref/applications/#django.apps.AppConfig.ready) in tests:
#   connect functions of a module, or give a `dispatch_uid`.
#
# A new app with a receiver, and a command that asks whether anybody listens:

# %%
site = scratch("mysite")
site.output("python manage.py startapp shelf")
site.replace("mysite/settings.py", "INSTALLED_APPS = [", "INSTALLED_APPS = [\n    'shelf',")

# %% reason="A module of another project, as it would stand there."
site.write(
    "shelf/receivers.py",
    "from django.contrib.auth.models import Group\n"
    "from django.db.models.signals import post_save\n"
    "from django.dispatch import receiver\n\n\n"
    "@receiver(post_save, sender=Group, dispatch_uid='shelf.greet')\n"
    "def greet(sender, instance, **kwargs):\n"
    "    print('Welcome,', instance)\n",
)

# %% [markdown]
# The file alone; then imported in the package's `__init__.py`; then in `ready()`:

# %%
QUESTION = "from django.db.models.signals import post_save; print(post_save.has_listeners(Group))"
ASK = f'python manage.py shell -v 0 -c "from django.contrib.auth.models import Group; {QUESTION}"'
print("the file alone:", site.output(ASK).splitlines()[-1])
site.write("shelf/__init__.py", "from . import receivers\n")
print("__init__.py:", site.output(ASK).splitlines()[-1].partition(":")[0].rpartition(".")[2])
site.write("shelf/__init__.py", "")
site.write("shelf/apps.py", site.read("shelf/apps.py") + "\n    def ready(self):\n        from . import receivers\n")
print("ready():", site.output(ASK).splitlines()[-1])

# %% [markdown]
# The first is silent, the second too early, and says so.
#
# - *Async receivers and `asend()`?* Since 5.0 a receiver may be `async def`, and signals have `asend()` and
#   `asend_robust()`. Both kinds of receivers hear both kinds of sending. What fails is `send()` to an async receiver
#   from inside a running loop, as in an async view or in this cell:

# %%
printed, heard = Signal(), []


async def hear_later(**kwargs):
    heard.append("async begins")
    await asyncio.sleep(0.05)
    heard.append("async ends")

# %%
printed.connect(hear_later)
printed.connect(first)
try:
    printed.send("press")
except RuntimeError as error:
    print(type(error).__name__, heard)

# %% [markdown]
# The synchronous one, connected second, was called before the error. `send()` first calls those, then all async ones
# together. In the loop `asend()` is the way, or `send()` in a thread:

# %%
for send in (printed.asend, sync_to_async(printed.send)):
    heard.clear()
    answers = await send("press")
    print(sorted(heard), [receiver.__name__ for receiver, _ in answers])

# %% [markdown]
# "Async receivers run in the background, then." No: `asend()` waits for all of them. What they do is wait together. In
# which order do two of them begin and end?

# %%
def sleeper(name, seconds):
    async def receiver(**kwargs):
        heard.append(f"{name} begins")
        await asyncio.sleep(seconds)
        heard.append(f"{name} ends")

    return receiver

# %%
slow, quick = sleeper("slow", 0.2), sleeper("quick", 0.05)
printed, heard = Signal(), []
printed.connect(slow)
printed.connect(quick)
await printed.asend("press")
print(heard)

# %% [markdown]
# The same holds for models. `save()` sends with `send()`, so in a loop an async receiver breaks it, after the row is
# stored. `asave()` and `acreate()` run `save()` in a thread, and are safe:

# %%
with listening(slow, post_save, sender=Genre):
    try:
        Genre(name="Diaries", slug="diaries").save()
    except RuntimeError as error:
        print(type(error).__name__, "row:", Genre.objects.filter(slug="diaries").exists())
    heard.clear()
    await Genre.objects.acreate(name="Atlases", slug="atlases")
    print(heard)
reset()

# %% [markdown]
# **Versions.** On 5.2 `asend()` starts synchronous and async receivers at the same time, and if one fails, the other
# async ones go on. On 6.1 the synchronous ones come first, and the async ones are a task group: a failure cancels the
# rest, and two at once come as an `ExceptionGroup`. One synchronous receiver fails, an async one is connected:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    printed, heard = Signal(), []
    printed.connect(quick)
    printed.connect(fail)
    try:
        await printed.asend("press")
    except LookupError:
        await asyncio.sleep(0.1)
        print(heard)
else:
    print("Django 6.1 prints []")

# %% [markdown]
# On 5.2 the list has both entries of `quick`. Two failures at the same time:

# %%
async def fail_later(**kwargs):
    await asyncio.sleep(0)
    raise LookupError


async def fail_as_well(**kwargs):
    await asyncio.sleep(0)
    raise KeyError

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    printed = Signal()
    printed.connect(fail_later)
    printed.connect(fail_as_well)
    try:
        await printed.asend("press")
    except ExceptionGroup as group:
        print([type(error).__name__ for error in group.exceptions])
else:
    print("Django 6.1 prints ['LookupError', 'KeyError']")

# %% [markdown]
# So an `except LookupError` around `asend()` may miss it on 6.1; `asend_robust()` gives errors as answers on both. And
# `django.tasks`, which 5.2 has not, has signals; in 6.1 `m2m_changed` has `raw`, for fixtures:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(*[name for name in vars(import_module("django.tasks.signals")) if name.startswith("task_")])
else:
    print("Django 6.1 prints task_enqueued task_finished task_started")

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    emma = Book.objects.get(slug="emma")
    fixture = serializers.serialize("json", [emma])
    with listening(lambda action, raw, **kwargs: print(action, raw), m2m_changed):
        emma.genres.clear()
        for row in serializers.deserialize("json", fixture):
            row.save()
    reset()
else:
    print("Django 6.1 prints pre_clear and post_clear with False, pre_add and post_add with True")

# %%
quiz("Q52")

# %% [markdown]
# Now [exercises 19.1 to 19.10](../exercises/19_signals.ipynb), then chapter 20 on caching.
