# %% [markdown]
# # 14 · Transactions, locks, connections
#
# After this chapter you can say what `atomic()` sends and when it rolls back, cure a lost update in three ways, end a
# deadlock, and tell a persistent connection from a pool.
#
# *Questions: Q40 transactions in depth · Q41 select_for_update and locks · Q42 connection pooling.* All of it runs on a real
# PostgreSQL, with threads that have connections of their own. Predict before you run.
# [Exercises 14.1 to 14.11](../exercises/14_transactions_and_connections.ipynb) follow.

# %% reason="the imports of a chapter that needs threads, transactions and connections"
from checks import quiz
from lab import queries, reset, start

start("postgresql")

# Django is set up now, so its models can be imported.
import django
from accounts.models import User
from catalog.models import Book, Genre
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.db.models import F
from orders.isolation import Isolation, isolate
from orders.models import Order, OrderLine, Payment, Stock
from orders.payments import due
from orders.retries import retried

# %% [markdown]
# ## Q40 · How do transactions work in Django?
#
# *Advanced · asked as T-A3*
#
# **Say it.** Django runs in autocommit: each statement is a transaction of its own. `atomic()` makes several into one. It
# commits when the block ends, and rolls back when an exception leaves it. Inside another `atomic()` it is a savepoint, so
# a part can fail alone. What must only happen if the data are really there, a mail or a task, goes into `on_commit()`.
#
# *What lifts it:* a database error caught inside the block breaks it; `durable=True` refuses to be nested;
# `ATOMIC_REQUESTS` does not cover a streamed body; and the isolation level decides what a check inside is worth.

# %% [markdown]
# **See it.** A sale takes a copy from the shelf and then fails, because the order number is taken. Is the copy gone?

# %%
from contextlib import nullcontext

EMMA, PERSUASION = 4, 6


def copies():
    return Stock.objects.get(pk=EMMA).quantity


def sell(number="2026-001400"):
    Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)
    Order.objects.create(number=number, customer_id=1, placed_at="2026-07-01T12:00Z")

# %%
for block in (nullcontext(), transaction.atomic()):
    before = copies()
    try:
        with block:
            sell()
    except IntegrityError:
        print(type(block).__name__, before - copies())

# %% [markdown]
# Without a block the update was committed before the insert failed. With one, both are undone. Now a block in a block. Which
# words go to the server, and is the first genre kept?

# %%
with queries():
    with transaction.atomic():
        Genre.objects.create(name="Westerns", slug="westerns")
        try:
            with transaction.atomic():
                Genre.objects.create(name="Western", slug="westerns")
        except IntegrityError:
            pass
print(Genre.objects.filter(slug="westerns").values_list("name", flat=True))

# %% [markdown]
# The inner block is a savepoint: PostgreSQL goes back to it, and the outer transaction is as healthy as before. psycopg sends
# the first `BEGIN` by itself, so it is not in the list. Take the inner block away and catch the same error:

# %%
from django.db.transaction import TransactionManagementError

try:
    with transaction.atomic():
        Genre.objects.create(name="Sagas", slug="sagas")
        try:
            Genre.objects.create(name="Western", slug="westerns")
        except IntegrityError:
            print("caught; broken:", connection.needs_rollback)
        Genre.objects.count()
except TransactionManagementError as error:
    print(error)
print(Genre.objects.filter(slug="sagas").exists())

# %% [markdown]
# After a failed statement PostgreSQL refuses all others until the rollback; Django says so before it asks. Without the last
# query there is no error at all, and that is worse. What is left of the genre?

# %%
with transaction.atomic():
    Genre.objects.create(name="Sagas", slug="sagas")
    try:
        Genre.objects.create(name="Western", slug="westerns")
    except IntegrityError:
        pass
print(Genre.objects.filter(slug="sagas").exists())

# %% [markdown]
# The block ends without an exception, and rolls back. So catch outside, or put the statement that may fail into an `atomic()` of
# its own. Next, `on_commit()`. In which order do these run?

# %%
with transaction.atomic():
    transaction.on_commit(lambda: print("1 receipt, open transaction:", connection.in_atomic_block))
    try:
        with transaction.atomic():
            transaction.on_commit(lambda: print("never: its savepoint is rolled back"))
            raise ValueError
    except ValueError:
        pass
    transaction.on_commit(lambda: print("2 stock"))
    print("0 still inside")
transaction.on_commit(lambda: print("3 outside of a transaction: at once"))

# %% [markdown]
# In the order of registration, after the commit, and only what was not rolled back. A callback that fails stops those behind it,
# and raises into the view, although the data are stored. `robust=True` logs its error and goes on
# ([documentation](https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit)):

# %%
from django.test import TestCase


def fail():
    raise ConnectionError("the mail server is away")


with TestCase().assertLogs("django.db.backends.base") as logged, transaction.atomic():
    transaction.on_commit(fail, robust=True)
    transaction.on_commit(lambda: print("the next one runs"))
print(logged.records[0].exc_info[0].__name__, "was logged")

# %%
try:
    with transaction.atomic():
        transaction.on_commit(fail)
        transaction.on_commit(lambda: print("this never prints"))
except ConnectionError as error:
    print("committed, and yet:", error)

# %% [markdown]
# **The trap.** "Everything inside `atomic()` is undone when something goes wrong." It misleads because it is nearly true. The block
# looks at one thing only: does an exception leave it? An error that you swallow is no error, so this half sale is committed:

# %%
before = copies()
with transaction.atomic():
    try:
        Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)
        raise ValueError("the card was refused")
    except ValueError:
        pass
print(before - copies())

# %% [markdown]
# And objects in memory are not rolled back with the rows. Reload them, or set them back yourself:

# %%
stock = Stock.objects.get(pk=EMMA)
before = stock.quantity
try:
    with transaction.atomic():
        stock.quantity = 0
        stock.save()
        raise ValueError("the card was refused")
except ValueError:
    print(stock.quantity, copies() == before)

# %% [markdown]
# **Asked next**
#
# - *Why send e-mail in `on_commit`?* A mail cannot be rolled back, and a task may start before its row is visible to others. After
#   the commit both are safe. The price: if the process dies in between, nothing is sent, so important messages need a row of
#   their own and somebody who looks for it.
# - *How do you test it?* `TestCase` never commits, so callbacks do not run. `captureOnCommitCallbacks()` collects them, and runs
#   them with `execute=True`.

# %%
import unittest


class ReceiptTest(TestCase):
    def test_receipt(self):
        transaction.on_commit(lambda: print("this never prints"))
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            transaction.on_commit(lambda: print("receipt sent"))
        self.assertEqual(len(callbacks), 1)


result = unittest.TestResult()
unittest.TestSuite([ReceiptTest("test_receipt")]).run(result)
print(result.testsRun, result.wasSuccessful())

# %% [markdown]
# - *What does `durable=True` protect from?* From a caller that wraps you. When a durable block ends, its data are committed; inside
#   another block they would not be, so Django refuses. `TestCase` is the exception: its own block is not counted
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic)).

# %% tags=["raises-exception"]
with transaction.atomic():
    with transaction.atomic(durable=True):
        Genre.objects.count()

# %% [markdown]
# - *What does `ATOMIC_REQUESTS` do?* It wraps each view in `atomic()`. Middleware is outside, and so is the body of a streaming
#   response, which is made later. It also holds a transaction open during slow work, so I prefer blocks where they are needed.

# %%
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory


def plain(request):
    return HttpResponse(str(connection.in_atomic_block))


def streamed(request):
    return StreamingHttpResponse(str(connection.in_atomic_block) for part in range(1))

# %%
connection.settings_dict["ATOMIC_REQUESTS"] = True
for view in (plain, streamed):
    print(view.__name__, BaseHandler().make_view_atomic(view)(RequestFactory().get("/")).getvalue())
connection.settings_dict["ATOMIC_REQUESTS"] = False

# %% [markdown]
# - *Isolation levels in Django?* It takes the database's own. PostgreSQL's is READ COMMITTED: each statement sees what was
#   committed before it. Set another one for a connection with `OPTIONS["isolation_level"]`
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/databases/#isolation-level)), or as the first statement of a transaction.
#
# To see it we need others. `together` runs functions at the same moment, each in a thread with a connection of its own:

# %% reason="threads need a barrier, a connection each, and time limits"
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier


def together(*functions):
    barrier = Barrier(len(functions))

    def run(function):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            barrier.wait(10)
            return function()
        except Exception as error:
            return type(error.__cause__ or error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions, timeout=20))

# %% [markdown]
# We read, another connection sells one copy and commits, we read again. Which levels notice?

# %%
def sell_one():
    Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)


for level in Isolation:
    with transaction.atomic():
        isolate(level)
        before = copies()
        together(sell_one)
        print(level, before - copies())

# %% [markdown]
# REPEATABLE READ shows one moment throughout. It still misses *write skew*: two transactions check the same rule, each writes
# another row, and together they break it. An order of 10 is paid twice at the same time:

# %%
def order_of_ten(number):
    order = Order.objects.create(number=number, customer_id=1, placed_at="2026-07-01T12:00Z")
    OrderLine.objects.create(order=order, book_id=EMMA, unit_price=10)
    return order


def pay(order, level, meanwhile=None):
    with transaction.atomic():
        isolate(level)
        if due(order) >= 10:
            if meanwhile:
                together(meanwhile)
            Payment.objects.create(order=order, amount=10, received_on="2026-07-01")

# %%
for level in Isolation:
    order = order_of_ten(f"skew {level}")
    try:
        pay(order, level, meanwhile=partial(pay, order, level))
    except OperationalError as error:
        print(type(error.__cause__).__name__)
    print(level, "still due:", due(order))

# %% [markdown]
# Here `due` locks nothing, and nobody writes the same row twice, so only SERIALIZABLE finds it: it gives one transaction up.
# That is no failure but an invitation to do it all again. The shop's `retried` does, with a pause that grows
# ([PostgreSQL](https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html)):

# %%
others, attempts = [sell_one], []


@retried(isolation=Isolation.REPEATABLE_READ, attempts=3)
def sell_with_a_look():
    attempts.append(copies())
    if others:
        together(others.pop())
    sell_one()


sell_with_a_look()
print(len(attempts), attempts[0] - copies())

# %% [markdown]
# - *And in async code?* `atomic()` is no async context manager. Put the transaction into a synchronous function and call it with
#   `sync_to_async` ([documentation](https://docs.djangoproject.com/en/stable/topics/async/#queries-the-orm)).

# %%
from asgiref.sync import sync_to_async


@sync_to_async
@transaction.atomic
def in_one_transaction():
    return connection.in_atomic_block


print(hasattr(transaction.atomic(), "__aenter__"), await in_one_transaction())

# %% [markdown]
# **Versions.** The low-level `transaction.savepoint()` is called `savepoint_create()` since 6.1, and the old name is deprecated
# ([release notes](https://docs.djangoproject.com/en/6.1/releases/6.1/)). `atomic()` never needed either.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    with transaction.atomic():
        savepoint = transaction.savepoint_create()
        Genre.objects.create(name="Spies", slug="spies")
        transaction.savepoint_rollback(savepoint)
    print(Genre.objects.filter(slug="spies").exists())
else:
    print("Django 6.1 prints False.")

# %% [markdown]
# And `robust=True` did not hold on 5.2 for a `partial` that fails: writing the log entry raised `AttributeError`. There take a function
# or a lambda. On 6.1 it is logged like any other:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    with TestCase().assertLogs("django.db.backends.base") as logged, transaction.atomic():
        transaction.on_commit(partial(fail), robust=True)
    print(len(logged.records))
else:
    print("Django 6.1 prints 1.")

# %%
quiz("Q40")

# %% [markdown]
# Practise: exercises [14.1 to 14.6](../exercises/14_transactions_and_connections.ipynb).

# %% [markdown]
# ## Q41 · What does select_for_update do, and when do you lock?
#
# *Advanced · asked as T-A1*
#
# **Say it.** It adds `FOR UPDATE` to the query: the rows it returns are locked until my transaction ends, and others who want to
# change or lock them wait. So I can read, decide and write without anybody in between. It needs `atomic()`. If the new value can
# be computed from the old one, I take `F()` instead; if conflicts are rare, a version column.
#
# *What lifts it:* `nowait`, `skip_locked` and `of`; that readers are not held up; that two locks in different order are a
# deadlock; and that SQLite ignores all of it without a word.

# %% [markdown]
# **See it.** First the SQL, inside and outside of a transaction:

# %%
reset()
EMMA, PERSUASION = 4, 6
with transaction.atomic(), queries():
    stock = Stock.objects.select_for_update().get(pk=EMMA)

# %% tags=["raises-exception"]
Stock.objects.select_for_update().get(pk=EMMA)

# %% [markdown]
# Now a crowd. `together` runs functions at the same moment, each in a thread with a connection of its own:

# %% reason="threads need a barrier, a connection each, and time limits"
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier


def together(*functions):
    barrier = Barrier(len(functions))

    def run(function):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            barrier.wait(10)
            return function()
        except Exception as error:
            return type(error.__cause__ or error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions, timeout=20))

# %% [markdown]
# Eight customers buy one copy each, and there are eight. The code reads, thinks for a moment and saves. How many are left?

# %%
def shelve(number):
    Stock.objects.filter(pk=EMMA).update(quantity=number)


def copies():
    return Stock.objects.get(pk=EMMA).quantity

# %%
import time


def buy_naively():
    stock = Stock.objects.get(pk=EMMA)
    time.sleep(0.2)
    stock.quantity -= 1
    stock.save()

# %%
shelve(8)
together(*[buy_naively] * 8)
print("sold 8 of 8, none left:", copies() == 0)

# %% [markdown]
# Several read the same number, and each wrote that number less one: the *lost update*. `atomic()` around it changes nothing at
# PostgreSQL's usual level. The first cure lets the database compute, the second makes the others wait:

# %%
def buy_with_f():
    Stock.objects.filter(pk=EMMA, quantity__gte=1).update(quantity=F("quantity") - 1)


@transaction.atomic
def buy_with_lock():
    stock = Stock.objects.select_for_update().get(pk=EMMA)
    time.sleep(0.02)
    stock.quantity -= 1
    stock.save()

# %%
for buy in (transaction.atomic(buy_naively), buy_with_f, buy_with_lock):
    shelve(8)
    together(*[buy] * 8)
    print(copies() == 0)

# %% [markdown]
# The third locks nothing. A version column says whether somebody was faster; then read again. How many are left?

# %%
class Shelf(models.Model):
    copies = models.IntegerField()
    version = models.IntegerField(default=0)

    class Meta:
        app_label = "lab"


def buy_with_version(pk):
    for attempt in range(100):
        shelf = Shelf.objects.get(pk=pk)
        unchanged = Shelf.objects.filter(pk=pk, version=shelf.version)
        if unchanged.update(copies=shelf.copies - 1, version=F("version") + 1):
            return attempt
    raise RuntimeError("Too many others.")

# %%
shelf = Shelf.objects.create(copies=8)
together(*[partial(buy_with_version, shelf.pk)] * 8)
shelf.refresh_from_db()
print(shelf.copies, shelf.version)

# %% [markdown]
# What does waiting look like from the server? One thread wants the row that we hold. We ask `pg_locks` until there is
# somebody who was not granted a lock, and then let go:

# %%
def waiting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]

# %%
shelve(8)
with ThreadPoolExecutor(1) as pool:
    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=EMMA)
        other = pool.submit(together, buy_with_lock)
        deadline = time.monotonic() + 4
        while not waiting() and time.monotonic() < deadline:
            time.sleep(0.01)
        print("waiting:", waiting(), "· done:", other.done())
    other.result(10)
print("sold after the commit:", copies() == 7)

# %% [markdown]
# Who does not want to wait says so. `nowait` is an error at once. `skip_locked` takes the next row: a table becomes a queue:

# %%
def take(**options):
    with transaction.atomic():
        return Stock.objects.select_for_update(**options).filter(pk__in=[EMMA, PERSUASION]).order_by("pk").first().pk


with transaction.atomic():
    Stock.objects.select_for_update().get(pk=EMMA)
    print(together(partial(take, nowait=True)), together(partial(take, skip_locked=True)))

# %% [markdown]
# A join locks the rows of both tables. `of` names those you mean. May another connection lock the customer in the meantime?

# %%
def take_customer():
    with transaction.atomic():
        return User.objects.select_for_update(nowait=True).get(pk=1).username


orders = Order.objects.filter(customer=1).select_related("customer")
for of in ((), ("self",)):
    with transaction.atomic():
        orders.select_for_update(of=of).first()
        print(of, together(take_customer))

# %% [markdown]
# And the price of locks. One takes Emma and then Persuasion, the other the other way round. A barrier sees to it that both hold one:

# %%
def take_both(first, second, both_hold_one=None):
    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=first)
        if both_hold_one:
            both_hold_one.wait(10)
        return Stock.objects.select_for_update().get(pk=second).pk


meet = Barrier(2)
results = together(partial(take_both, EMMA, PERSUASION, meet), partial(take_both, PERSUASION, EMMA, meet))
print(results.count("DeadlockDetected"), "was given up,", 2 - results.count("DeadlockDetected"), "went through")

# %% [markdown]
# PostgreSQL looks after `deadlock_timeout`, a second by default, and ends one of them. The cure is one order for everybody: sort
# before you lock. Then the second waits for the first row, and holds nothing:

# %%
def take_sorted(*keys):
    with transaction.atomic():
        return len(Stock.objects.select_for_update().filter(pk__in=keys).order_by("pk"))


print(together(*[partial(take_sorted, EMMA, PERSUASION), partial(take_sorted, PERSUASION, EMMA)] * 4))

# %% [markdown]
# **The trap.** "It locks the row, so nobody can see it until I am done." It misleads those who think of a mutex. Plain reads go
# on; they see the row as it was committed last. Only who changes or locks it waits:

# %%
shelve(8)
with transaction.atomic():
    stock = Stock.objects.select_for_update().get(pk=EMMA)
    stock.quantity = 0
    stock.save()
    print(together(copies), copies())

# %% [markdown]
# A queryset is lazy, and so is its lock. Nothing is held here until somebody reads it:

# %%
with transaction.atomic():
    lazy = Stock.objects.select_for_update().filter(pk=EMMA)
    print("built:", together(partial(take, nowait=True)))
    list(lazy)
    print("read: ", together(partial(take, nowait=True)))

# %% [markdown]
# And on SQLite the words are dropped without a warning, so tests there prove nothing about locks:

# %%
from django.db.utils import ConnectionHandler

sqlite = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})["default"]
locked = Stock.objects.select_for_update(nowait=True).filter(pk=EMMA).query
with transaction.atomic():
    for database in (connection, sqlite):
        print(database.vendor, "FOR UPDATE" in locked.get_compiler(connection=database).as_sql()[0])

# %% [markdown]
# What SQLite does instead: one writer at a time, for the whole file. With `transaction_mode` IMMEDIATE the transaction takes the
# lock when it begins; a second one waits for `timeout` seconds, and then:

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    options = {"timeout": 0.1, "transaction_mode": "IMMEDIATE"}
    place = {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(folder) / "shop.sqlite3", "OPTIONS": options}
    till, web = (ConnectionHandler({"default": dict(place)})["default"] for user in range(2))
    till.cursor().execute("BEGIN IMMEDIATE")
    try:
        web.cursor().execute("BEGIN IMMEDIATE")
    except OperationalError as error:
        print(error)
    till.close()
    web.close()

# %% [markdown]
# **Asked next**
#
# - *Optimistic locking in Django?* Nothing is built in; it is the version column above: `filter(pk=…, version=…).update(…)`, and a
#   look at the number of rows. It suits forms that stay open for minutes, where nobody may hold a transaction. Under many
#   conflicts it does the work again and again; there a lock is better.
# - *`of` and `no_key`?* `of` limits the lock to some of the joined tables. `no_key=True` sends `FOR NO KEY UPDATE`, which lets
#   others insert rows that refer to mine. Without it, they wait: their foreign key needs a share of the row.

# %%
def add_line():
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    return OrderLine.objects.create(order_id=1234, book_id=EMMA, unit_price=10).quantity


for no_key in (False, True):
    with transaction.atomic():
        Order.objects.select_for_update(no_key=no_key).get(pk=1234)
        print(no_key, together(add_line))

# %% [markdown]
# `of` is also the way out where the relation may be NULL. PostgreSQL locks nothing on the outer side of a join:

# %%
from django.db import NotSupportedError

for of in ((), ("self",)):
    try:
        with transaction.atomic():
            print(of, Book.objects.select_related("publisher").select_for_update(of=of).get(pk=EMMA).title)
    except NotSupportedError as error:
        print(of, type(error).__name__)

# %% [markdown]
# - *How do you avoid deadlocks?* Lock in one order everywhere, in one query with `order_by`; keep transactions short; call no other
#   service while you hold a lock. They still happen, so retry: the transaction that was given up has left nothing behind.
# - *I have the object already. How do I lock it?* Not by trusting what it holds. `refresh_from_db(from_queryset=…)`, since 5.1,
#   reads and locks in one query:

# %%
stock = Stock.objects.get(pk=EMMA)
with transaction.atomic(), queries():
    stock.refresh_from_db(from_queryset=Stock.objects.select_for_update())

# %%
quiz("Q41")

# %% [markdown]
# Practise: exercises [14.7 to 14.10](../exercises/14_transactions_and_connections.ipynb).

# %% [markdown]
# ## Q42 · What does connection pooling change?
#
# *Advanced · asked as T-A6*
#
# **Say it.** By default Django opens a connection when a request first asks the database, and closes it at the end of the request.
# Opening is the expensive part.
# `CONN_MAX_AGE` keeps it, one per thread, used or not. A pool, since 5.1 with psycopg 3 and `psycopg-pool`, lends a few connections
# to many threads and lets the others wait. Each process has its own pool, so for many processes PgBouncer stands in front.
#
# *What lifts it:* the sum over all processes has to stay below `max_connections`, and PgBouncer's transaction mode breaks
# what lives longer than a transaction.

# %% [markdown]
# **See it.** `database` makes a connection with settings of our choice, as every thread gets one. `visit` stands for a request:
# one query, then what Django does when a request ends:

# %% reason="two helpers that belong together"
reset()


def database(name, max_age=0, **options):
    made = connection.copy(name)
    made.settings_dict |= {"CONN_MAX_AGE": max_age, "OPTIONS": {"application_name": name, **options}}
    return made


def visit(made):
    with made.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = cursor.fetchone()[0]
    made.close_if_unusable_or_obsolete()
    return process

# %% [markdown]
# `pg_backend_pid()` is the server's process behind the connection. How many of them do 40 requests use?

# %%
plain = database("plain")
persistent = database("persistent", max_age=60)
two = {"min_size": 1, "max_size": 2}
pooled = database("pooled", pool=two)
for made in (plain, persistent, pooled):
    processes = {visit(made) for request in range(40)}
    print(made.alias, "one each" if len(processes) == 40 else f"at most two: {len(processes) <= 2}")

# %% [markdown]
# 40 processes were started, or one. PostgreSQL forks for every connection and checks the password. What is that worth in time?
# Pool and persistent connection are warm by now:

# %%
from time import perf_counter


def seconds(made):
    begin = perf_counter()
    for request in range(60):
        visit(made)
    return perf_counter() - begin


for made in (persistent, pooled):
    print(made.alias, "less than half the time of plain:", seconds(made) * 2 < seconds(plain))

# %% [markdown]
# On a network, with TLS, the gap is larger. Now many threads. Each has a connection object of its own, so eight objects stand
# for eight threads. After a request each, how many connections does the server still hold?

# %%
def held(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name])
        return cursor.fetchone()[0]

# %%
def after_visits(threads):
    for made in threads:
        visit(made)
    return held(threads[0].alias)


persistent.close()
threads = [database("persistent", max_age=60) for thread in range(8)]
print("persistent:", after_visits(threads))
print("pooled:    ", after_visits([database("pooled", pool=two) for thread in range(8)]) <= 2)
for made in threads:
    made.close()

# %% [markdown]
# Eight idle connections against the two of one pool, which all objects of the same alias in a process share. And when more want one
# than there are? They wait `timeout` seconds, 30 by default, and then:

# %%
narrow = [database("narrow", pool={"min_size": 1, "max_size": 2, "timeout": 0.2}) for thread in range(3)]
try:
    for made in narrow:
        made.ensure_connection()
except OperationalError as error:
    print(type(error.__cause__).__name__, "after", sum(made.connection is not None for made in narrow))
for made in narrow:
    made.close()
narrow[0].close_pool()

# %% [markdown]
# The pool said no. Without one the server does, when `max_connections` are open; here a role that may have two:

# %%
with connection.cursor() as cursor:
    cursor.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk' CONNECTION LIMIT 2")
clerks = [database("clerk", max_age=60) for thread in range(3)]
try:
    for made in clerks:
        made.settings_dict |= {"USER": "clerk", "PASSWORD": "clerk"}
        made.ensure_connection()
except OperationalError as error:
    print("too many connections" in str(error), sum(made.connection is not None for made in clerks))
for made in clerks:
    made.close()
with connection.cursor() as cursor:
    cursor.execute("DROP ROLE clerk")

# %% [markdown]
# **The trap.** "`CONN_MAX_AGE` is Django's connection pool." It misleads since both save the opening. But it shares nothing: each thread
# keeps its own, busy or idle, as the eight above showed. Asked for both, Django refuses:

# %%
from django.core.exceptions import ImproperlyConfigured

try:
    database("both", max_age=60, pool=True).ensure_connection()
except ImproperlyConfigured as error:
    print(error)

# %% [markdown]
# Under ASGI persistent connections should be off
# ([documentation](https://docs.djangoproject.com/en/stable/topics/async/#queries-the-orm)).
# And neither way gives a fresh session: what one request sets, the next one finds.

# %%
single = database("single", pool={"min_size": 1, "max_size": 1})
with single.cursor() as cursor:
    cursor.execute("SET statement_timeout = '1234ms'")
single.close()
with single.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print("still set:", cursor.fetchone()[0] == "1234ms")
single.close()
single.close_pool()

# %% [markdown]
# **Asked next**
#
# - *How do you size the pool with 4 workers × 8 threads?* The pool is per process: four pools. With `max_size=8` nobody ever waits, and the
#   server holds up to 32; with 4 it is 16, and half of the threads may wait at times. Add Celery, commands and a second server during
#   a deploy, and stay below `max_connections`. The default, `True`, is four:

# %%
default = database("default pool", pool=True)
print(default.pool.min_size, default.pool.max_size, default.pool.timeout)
default.close_pool()

# %% [markdown]
# - *What is `CONN_HEALTH_CHECKS`?* A look, once per request, whether a persistent connection still lives. Without it, the first request
#   after the server restarted fails. We end the connections from the server's side:

# %%
def visit_after_a_restart(checks):
    made = database(f"health {checks}", max_age=60)
    made.settings_dict["CONN_HEALTH_CHECKS"] = checks
    process = visit(made)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    try:
        return visit(made) != process
    except OperationalError as error:
        return type(error).__name__
    finally:
        made.close()


print(visit_after_a_restart(False), visit_after_a_restart(True))

# %% [markdown]
# - *PgBouncer's transaction mode: what breaks?* It gives a server connection to a client for one transaction only. So all that
#   outlives a transaction breaks: `SET`, session advisory locks, `LISTEN`, temporary tables, cursors held open
#   ([PgBouncer](https://www.pgbouncer.org/features.html)). Django's `iterator()` is such a cursor. Here is one, seen on the server:

# %%
def open_cursors():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable")
        return cursor.fetchone()[0]


for disabled in (False, True):
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = disabled
    books = Book.objects.iterator(chunk_size=10)
    next(books)
    print("disabled:", disabled, "· open cursors:", open_cursors())
    books.close()
connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False

# %% [markdown]
# So behind it set `DISABLE_SERVER_SIDE_CURSORS`, at the price of all rows in memory, or wrap `iterator()` in `atomic()`
# ([documentation](https://docs.djangoproject.com/en/stable/ref/databases/#transaction-pooling-and-server-side-cursors)).
# `SET LOCAL` and `FOR UPDATE` end with the transaction, and work. Close what this question opened:

# %%
for made in (plain, persistent, pooled):
    made.close()
pooled.close_pool()
print(held("persistent"), held("plain"))

# %%
quiz("Q42")

# %% [markdown]
# Practise: exercise [14.11](../exercises/14_transactions_and_connections.ipynb).
