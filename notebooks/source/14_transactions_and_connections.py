# %% [markdown]
# # 14 · Transactions, locks, connections
#
# After this chapter you can say what `atomic()` sends and when it rolls back, cure a lost update in three ways, end a
# deadlock, and tell a persistent connection from a pool.
#
# *Questions: Q40 transactions in depth · Q41 select_for_update and locks · Q42 connection pooling.* They run on a real
# PostgreSQL. Where there is none, the first cell says so, cells with `if on_postgresql:` print nothing, and the rest runs
# on SQLite. Predict before you run.
# [Exercises 14.1 to 14.11](../exercises/14_transactions_and_connections.ipynb) follow.

# %% reason="the imports of a chapter that needs threads, transactions and connections"
from checks import quiz
from lab import postgres, queries, reset, start

on_postgresql = postgres.available()
if on_postgresql:
    start("postgresql")
else:
    start()
    print(postgres.why_not())

# Django is set up now, so its models can be imported.
import django
from accounts.models import User
from catalog.models import Book, Genre
from django.db import DatabaseError, IntegrityError, OperationalError, connection, models, transaction
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
# **Say it.** Django runs in autocommit: each statement is a transaction of its own. `atomic()` makes several into one.
# It commits when the block ends, and rolls back when an exception leaves it. Inside another `atomic()` it is a
# savepoint, so a part can fail alone. What must only happen if the data are really there, a mail or a task, goes into
# `on_commit()`.
#
# *What lifts it:* a database error caught inside the block breaks it; `durable=True` refuses to be nested;
# `ATOMIC_REQUESTS` does not cover a streamed body; and the isolation level decides what a check inside is worth.

# %% [markdown]
# **See it.** A sale takes a copy from the shelf and then fails, because the order number is taken. Is the copy gone?

# %%
from contextlib import nullcontext

reset()
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
# Without a block the update was committed before the insert failed. With one, both are undone. Now a block in a block.
# Which words go to the server, and is the first genre kept?

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
# The inner block is a savepoint: PostgreSQL goes back to it, and the outer transaction is as healthy as before.
# psycopg sends `BEGIN` by itself, ahead of the first statement, so it is not in this list. Take the inner block away
# and catch the same error:

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
# After a failed statement PostgreSQL refuses all others until the rollback; when the ORM was writing, Django says so
# before it asks. Without the last query there is no error at all, and that is worse. What is left of the genre?

# %%
with transaction.atomic():
    Genre.objects.create(name="Sagas", slug="sagas")
    try:
        Genre.objects.create(name="Western", slug="westerns")
    except IntegrityError:
        pass
print(Genre.objects.filter(slug="sagas").exists())

# %% [markdown]
# The block ends without an exception, and rolls back. Django does not notice when raw SQL or a plain read fails. It
# sends its `COMMIT`, and PostgreSQL answers that with a rollback, without an error. SQLite would keep the genre:

# %%
if on_postgresql:
    with transaction.atomic():
        Genre.objects.create(name="Sagas", slug="sagas")
        try:
            connection.cursor().execute("SELECT * FROM no_such_table")
        except DatabaseError:
            print("caught; broken, says Django:", connection.needs_rollback)
    print(Genre.objects.filter(slug="sagas").exists())

# %% [markdown]
# So catch outside, or put the statement that may fail into an `atomic()` of its own. Next, `on_commit()`. In which
# order do these run?

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
# In the order of registration, after the commit, and only what was not rolled back. A callback that fails stops those
# behind it, and raises into the view, although the data are stored. `robust=True` logs its error and goes on
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
# **The trap.** "Everything inside `atomic()` is undone when something goes wrong." It misleads because it is nearly
# true. The block looks at one thing only: does an exception leave it? An error that you swallow is no error, so this
# half sale is committed:

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
# - *Why send e-mail in `on_commit`?* A mail cannot be rolled back, and a task may start before its row is visible to
#   others. After the commit both are safe. The price: if the process dies in between, nothing is sent, so important
#   messages need a row of their own and somebody who looks for it.
# - *How do you test it?* `TestCase` never commits, so callbacks do not run. `captureOnCommitCallbacks()` collects
#   them, and runs them with `execute=True`.

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
# - *What does `durable=True` protect from?* From a caller that wraps you. When a durable block ends, its data are
#   committed; inside another block they would not be, so Django refuses. `TestCase` is the exception: its own block is
#   not counted
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic)).

# %% tags=["raises-exception"]
with transaction.atomic():
    with transaction.atomic(durable=True):
        Genre.objects.count()

# %% [markdown]
# - *What does `ATOMIC_REQUESTS` do?* It wraps each view in `atomic()`.
#   [Outside](https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests) are
#   middleware, the rendering of a `TemplateResponse` and the body of a streaming one. Async views it refuses. It also
#   holds a transaction open during slow work, so I prefer blocks where they are needed.

# %%
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory


def plain(request):
    return HttpResponse(str(connection.in_atomic_block))


def streamed(request):
    return StreamingHttpResponse(str(connection.in_atomic_block) for part in range(1))


async def asynchronous(request):
    return HttpResponse()

# %%
connection.settings_dict["ATOMIC_REQUESTS"] = True
for view in (plain, streamed, asynchronous):
    try:
        print(view.__name__, BaseHandler().make_view_atomic(view)(RequestFactory().get("/")).getvalue())
    except RuntimeError as error:
        print(error)
connection.settings_dict["ATOMIC_REQUESTS"] = False

# %% [markdown]
# - *Isolation levels in Django?* PostgreSQL keeps its own, READ COMMITTED unless the server says otherwise: each
#   statement sees what was committed before it began. [On
#   MySQL](https://docs.djangoproject.com/en/stable/ref/databases/#mysql-isolation-level) Django asks for the same.
#   `OPTIONS["isolation_level"]` sets another one [for a
#   connection](https://docs.djangoproject.com/en/stable/ref/databases/#isolation-level); so does the first statement
#   of a transaction.
#
# To see it we need others. `together` runs functions at the same moment, each in a thread with a connection of its
# own:

# %% reason="threads need a barrier, a connection each, and time limits"
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier


def together(*functions):
    barrier = Barrier(len(functions))

    def run(function):
        try:
            if on_postgresql:
                connection.cursor().execute("SET lock_timeout = '20s'")
            barrier.wait(20)
            return function()
        except Exception as error:
            return type(error.__cause__ or error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions, timeout=40))

# %% [markdown]
# We read, another connection sells one copy and commits, we read again. Which levels notice?

# %%
def sell_one():
    Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)


if on_postgresql:
    for level in Isolation:
        with transaction.atomic():
            isolate(level)
            before = copies()
            together(sell_one)
            print(level, before - copies())

# %% [markdown]
# REPEATABLE READ shows one moment throughout. It still misses *write skew*: two transactions check the same rule, each
# writes another row, and together they break it. An order of 10 is paid twice at the same time:

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
if on_postgresql:
    for level in Isolation:
        order = order_of_ten(f"skew {level}")
        try:
            pay(order, level, meanwhile=partial(pay, order, level))
        except OperationalError as error:
            print(type(error.__cause__).__name__)
        print(level, "still due:", due(order))

# %% [markdown]
# Here `due` locks nothing, and nobody writes the same row twice, so only SERIALIZABLE finds it: it gives one
# transaction up. That is no failure but an invitation to do it all again. The shop's `retried` does, with a pause that
# grows ([PostgreSQL](https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html)):

# %%
others, attempts = [sell_one], []


@retried(isolation=Isolation.REPEATABLE_READ, attempts=3)
def sell_with_a_look():
    attempts.append(copies())
    if others:
        together(others.pop())
    sell_one()


if on_postgresql:
    sell_with_a_look()
    print(len(attempts), attempts[0] - copies())

# %% [markdown]
# - *And in async code?* `atomic()` is no async context manager. Put the transaction into a synchronous function and
#   call it with `sync_to_async`
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/async/#queries-the-orm)).

# %%
from asgiref.sync import sync_to_async


@sync_to_async
@transaction.atomic
def in_one_transaction():
    return connection.in_atomic_block


print(hasattr(transaction.atomic(), "__aenter__"), await in_one_transaction())

# %% [markdown]
# **Versions.** The low-level `transaction.savepoint()` is called `savepoint_create()` since 6.1, and the old name is
# deprecated ([release notes](https://docs.djangoproject.com/en/6.1/releases/6.1/)). `atomic()` never needed either.

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
# And `robust=True` did not hold on 5.2 for a `partial` that fails: writing the log entry raised `AttributeError`.
# There take a function or a lambda. On 6.1 it is logged like any other:

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
# **Say it.** It adds `FOR UPDATE` to the query: the rows it returns are locked until my transaction ends, and others
# who want to change or lock them wait. So I can read, decide and write without anybody in between. It needs
# `atomic()`. If the new value can be computed from the old one, I take `F()` instead; if conflicts are rare, a version
# column.
#
# *What lifts it:* `nowait`, `skip_locked` and `of`; that readers are not held up; that two locks in different order
# are a deadlock; and that SQLite ignores all of it without a word.

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
            if on_postgresql:
                connection.cursor().execute("SET lock_timeout = '20s'")
            barrier.wait(20)
            return function()
        except Exception as error:
            return type(error.__cause__ or error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions, timeout=40))

# %% [markdown]
# Eight customers buy one copy each, and there are eight. The code reads, thinks for a moment and saves; the barrier
# has all of them read before one writes. How many are left?

# %%
def shelve(number):
    Stock.objects.filter(pk=EMMA).update(quantity=number)


def copies():
    return Stock.objects.get(pk=EMMA).quantity

# %%
def buy_naively(all_have_read):
    stock = Stock.objects.get(pk=EMMA)
    all_have_read.wait(20)
    stock.quantity -= 1
    stock.save()

# %%
shelve(8)
together(*[partial(buy_naively, Barrier(8))] * 8)
print("sold 8 of 8, left:", copies())

# %% [markdown]
# All read 8, and each wrote 7: the *lost update*. `atomic()` around it changes nothing at PostgreSQL's usual level.
# The first cure lets the database compute, the second makes the others wait. How many do these three leave?

# %%
import time


def buy_with_f():
    Stock.objects.filter(pk=EMMA, quantity__gte=1).update(quantity=F("quantity") - 1)


@transaction.atomic
def buy_with_lock():
    stock = Stock.objects.select_for_update().get(pk=EMMA)
    time.sleep(0.02)
    stock.quantity -= 1
    stock.save()

# %%
if on_postgresql:
    for buy in (transaction.atomic(partial(buy_naively, Barrier(8))), buy_with_f, buy_with_lock):
        shelve(8)
        together(*[buy] * 8)
        print(copies())

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
if on_postgresql:
    shelve(8)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Stock.objects.select_for_update().get(pk=EMMA)
            other = pool.submit(together, buy_with_lock)
            deadline = time.monotonic() + 15
            while not waiting() and time.monotonic() < deadline:
                time.sleep(0.01)
            print("waiting:", waiting(), "· done:", other.done())
        other.result(20)
    print("sold after the commit:", 8 - copies())

# %% [markdown]
# Who does not want to wait says so. `nowait` is an error at once. `skip_locked` takes the next row: a table becomes a
# queue:

# %%
def take(**options):
    with transaction.atomic():
        return Stock.objects.select_for_update(**options).filter(pk__in=[EMMA, PERSUASION]).order_by("pk").first().pk


if on_postgresql:
    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=EMMA)
        print(together(partial(take, nowait=True)), together(partial(take, skip_locked=True)))

# %% [markdown]
# A join locks the rows of both tables. `of` names those you mean. May another connection lock the customer in the
# meantime?

# %%
def take_customer():
    with transaction.atomic():
        return User.objects.select_for_update(nowait=True).get(pk=1).username


orders = Order.objects.filter(customer=1).select_related("customer")
if on_postgresql:
    for of in ((), ("self",)):
        with transaction.atomic():
            orders.select_for_update(of=of).first()
            print(of, together(take_customer))

# %% [markdown]
# And the price of locks. One takes Emma and then Persuasion, the other the other way round. A barrier sees to it that
# both hold one:

# %%
def take_both(first, second, both_hold_one=None):
    with transaction.atomic():
        Stock.objects.select_for_update().get(pk=first)
        if both_hold_one:
            both_hold_one.wait(20)
        return Stock.objects.select_for_update().get(pk=second).pk


if on_postgresql:
    meet = Barrier(2)
    results = together(partial(take_both, EMMA, PERSUASION, meet), partial(take_both, PERSUASION, EMMA, meet))
    print(results.count("DeadlockDetected"), "given up,", len({EMMA, PERSUASION} & set(results)), "went through")

# %% [markdown]
# PostgreSQL looks after `deadlock_timeout`, a second by default, and ends one of them. The cure is one order for
# everybody: sort before you lock. Then the second waits for the first row, and holds nothing:

# %%
def take_sorted(*keys):
    with transaction.atomic():
        return len(Stock.objects.select_for_update().filter(pk__in=keys).order_by("pk"))


if on_postgresql:
    print(together(*[partial(take_sorted, EMMA, PERSUASION), partial(take_sorted, PERSUASION, EMMA)] * 4))

# %% [markdown]
# **The trap.** "It locks the row, so nobody can see it until I am done." It misleads those who think of a mutex. Plain
# reads go on; they see the row as it was committed last. Only who changes or locks it waits:

# %%
if on_postgresql:
    shelve(8)
    with transaction.atomic():
        stock = Stock.objects.select_for_update().get(pk=EMMA)
        stock.quantity = 0
        stock.save()
        print(together(copies), copies())

# %% [markdown]
# A queryset is lazy, and so is its lock. Nothing is held here until somebody reads it:

# %%
if on_postgresql:
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
# What SQLite does instead: one writer at a time, for the whole file. With `transaction_mode` IMMEDIATE the transaction
# takes that lock when it begins; a second one waits for `timeout` seconds, and fails. `begin` does what `atomic()`
# does:

# %%
import tempfile
from pathlib import Path


def begin(database):
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    return "begun"

# %%
with tempfile.TemporaryDirectory() as folder:
    options = {"timeout": 0.1, "transaction_mode": "IMMEDIATE"}
    place = {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(folder) / "shop.sqlite3", "OPTIONS": options}
    till, web = (ConnectionHandler({"default": dict(place)})["default"] for user in range(2))
    for database in (till, web):
        try:
            print(begin(database))
        except OperationalError as error:
            print(error)
    till.close()
    web.close()

# %% [markdown]
# **Asked next**
#
# - *Optimistic locking in Django?* Nothing is built in; it is the version column above: `filter(pk=…,
#   version=…).update(…)`, and a look at the number of rows. It suits forms that stay open for minutes, where nobody
#   may hold a transaction. Under many conflicts it does the work again and again; there a lock is better.

# %% [markdown]
# - *`of` and `no_key`?* `of` limits the lock to some of the joined tables. `no_key=True` sends `FOR NO KEY UPDATE`,
#   which lets others insert rows that refer to mine. Without it, they wait at their commit, when the foreign key is
#   checked. `no_key` is for PostgreSQL alone
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-for-update)).

# %%
def add_line():
    connection.cursor().execute("SET lock_timeout = '50ms'")
    line = OrderLine.objects.create(order_id=1234, book_id=EMMA, unit_price=10)
    line.delete()
    return "added, and deleted again"


if on_postgresql:
    for no_key in (False, True):
        with transaction.atomic():
            Order.objects.select_for_update(no_key=no_key).get(pk=1234)
            print(no_key, together(add_line))

# %% [markdown]
# `of` is also the way out where the relation may be NULL. PostgreSQL refuses to lock what an outer join may leave
# empty:

# %%
from django.db import NotSupportedError

for of in ((), ("self",)) if on_postgresql else ():
    try:
        with transaction.atomic():
            print(of, Book.objects.select_related("publisher").select_for_update(of=of).get(pk=EMMA).title)
    except NotSupportedError as error:
        print(of, type(error).__name__)

# %% [markdown]
# - *How do you avoid deadlocks?* Lock in one order everywhere, in one query with `order_by`; keep transactions short;
#   call no other service while you hold a lock. They still happen, so retry: the transaction that was given up has
#   left nothing behind.
# - *I have the object already. How do I lock it?* Not by trusting what it holds. `refresh_from_db(from_queryset=…)`,
#   since 5.1, reads and locks in one query:

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
# **Say it.** By default Django opens a connection when a request first asks the database, and closes it at the end of
# the request. Opening is the expensive part. `CONN_MAX_AGE` keeps it, one per thread, used or not. A pool, since 5.1
# with psycopg 3 and `psycopg-pool`, lends a few connections to many threads and lets the others wait. Each process has
# its own pool, so for many processes PgBouncer stands in front.
#
# *What lifts it:* the sum over all processes has to stay below `max_connections`; PgBouncer's transaction mode breaks
# what lives longer than a transaction; and on Oracle there is a pool since 5.2
# ([documentation](https://docs.djangoproject.com/en/5.2/ref/databases/#oracle-pool)).

# %% [markdown]
# **See it.** `database` makes a connection with settings of our choice, as every thread gets one. `visit` stands for a
# request: one query, then what Django does when a request ends:

# %% reason="two helpers that belong together"
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
if on_postgresql:
    plain = database("plain")
    persistent = database("persistent", max_age=60)
    two = {"min_size": 1, "max_size": 2}
    pooled = database("pooled", pool=two)
    pooled.close_pool()  # That of an earlier run, if there is one.
    for made in (plain, persistent, pooled):
        processes = {visit(made) for request in range(40)}
        print(made.alias, len(processes) if made is not pooled else len(processes) <= 2)

# %% [markdown]
# 40 processes, one, and at most two. PostgreSQL [starts a
# process](https://www.postgresql.org/docs/current/connect-estab.html) for every connection and checks the password.
# What is that worth in time? Pool and persistent connection are warm by now:

# %%
from timeit import repeat


def quickest(made):
    return min(repeat(lambda: visit(made), number=20, repeat=5))


for made in (persistent, pooled) if on_postgresql else ():
    print(made.alias, "less than half the time of plain:", quickest(made) * 2 < quickest(plain))

# %% [markdown]
# On a network an opening also takes [round trips](https://www.postgresql.org/docs/current/protocol-flow.html), and
# more of them with TLS. Now many threads. Each has a connection object of its own, so eight objects stand for eight
# threads. After a request each, how many connections does the server still hold?

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


if on_postgresql:
    threads = [database("eight", max_age=60) for thread in range(8)]
    print("persistent:", after_visits(threads))
    print("pooled, at most two:", after_visits([database("pooled", pool=two) for thread in range(8)]) <= 2)
    for made in threads:
        made.close()

# %% [markdown]
# Eight idle connections against the two of one pool, which all objects of the same alias in a process share. And when
# a third wants one, while two hold theirs? It waits `timeout` seconds, 30 by default, and then:

# %%
if on_postgresql:
    narrow = [database("narrow", pool={"min_size": 2, "max_size": 2}) for thread in range(3)]
    for made in narrow[:2]:
        made.ensure_connection()
    narrow[2].pool.timeout = 0.2
    try:
        narrow[2].ensure_connection()
    except OperationalError as error:
        print(type(error.__cause__).__name__)
    for made in narrow[:2]:
        made.close()
    narrow[0].close_pool()

# %% [markdown]
# The pool said no. Without one the server does, when `max_connections` are open; here a role that may have two:

# %%
if on_postgresql:
    connection.cursor().execute("DROP ROLE IF EXISTS clerk")
    connection.cursor().execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk' CONNECTION LIMIT 2")
    clerks = [database("clerk", max_age=60) for thread in range(3)]
    try:
        for made in clerks:
            made.settings_dict |= {"USER": "clerk", "PASSWORD": "clerk"}
            made.ensure_connection()
    except OperationalError as error:
        print("too many connections" in str(error), sum(made.connection is not None for made in clerks))
    for made in clerks:
        made.close()
    connection.cursor().execute("DROP ROLE clerk")

# %% [markdown]
# **The trap.** "`CONN_MAX_AGE` is Django's connection pool." It misleads since both save the opening. But it shares
# nothing: each thread keeps its own, busy or idle, as the eight above showed. Asked for both, Django refuses:

# %%
from django.core.exceptions import ImproperlyConfigured

if on_postgresql:
    try:
        database("both", max_age=60, pool=True).ensure_connection()
    except ImproperlyConfigured as error:
        print(error)

# %% [markdown]
# Under ASGI persistent connections should be off
# ([documentation](https://docs.djangoproject.com/en/stable/ref/databases/#persistent-database-connections)).
# And neither way gives a fresh session: what one request sets, the next one finds.

# %%
if on_postgresql:
    single = database("single", pool={"min_size": 1, "max_size": 1})
    single.cursor().execute("SET statement_timeout = '1234ms'")
    single.close()
    with single.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        print("still set:", cursor.fetchone()[0] == "1234ms")
    single.close()
    single.close_pool()

# %% [markdown]
# **Asked next**
#
# - *How do you size the pool with 4 workers × 8 threads?* The pool is per process: four pools. With `max_size=8` no
#   thread waits for another, and the server holds up to 32; with 4 it is 16, and half of the threads may wait at
#   times. Add Celery, commands and a second server during a deploy, and stay below `max_connections`. The default,
#   `True`, is four:

# %%
if on_postgresql:
    default = database("default pool", pool=True)
    print(default.pool.min_size, default.pool.max_size, default.pool.timeout)
    default.close_pool()

# %% [markdown]
# - *What is `CONN_HEALTH_CHECKS`?* A look, once per request and before its first query, whether a persistent
#   connection still lives. Without it, the next request of each thread fails after the server restarted. A pool with
#   it looks whenever it lends one. We end the connections from the server's side:

# %%
def visit_after_a_restart(checks, **settings):
    made = database(f"health {checks}", **settings)
    made.settings_dict["CONN_HEALTH_CHECKS"] = checks
    process = visit(made)
    connection.cursor().execute("SELECT pg_terminate_backend(%s, 20000)", [process])
    try:
        return visit(made) != process
    except OperationalError as error:
        return type(error).__name__
    finally:
        made.close()
        made.close_pool()

# %%
if on_postgresql:
    print("persistent:", visit_after_a_restart(False, max_age=60), visit_after_a_restart(True, max_age=60))
    print("pooled:", visit_after_a_restart(True, pool={"min_size": 1, "max_size": 1}))

# %% [markdown]
# - *PgBouncer's transaction mode: what breaks?* It gives a server connection to a client for one transaction only. So
#   all that outlives a transaction breaks: `SET`, session advisory locks, `LISTEN`, temporary tables, cursors held
#   open ([PgBouncer](https://www.pgbouncer.org/features.html)). Outside of `atomic()`, Django's `iterator()` is such a
#   cursor:

# %%
def open_cursors():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable")
        return cursor.fetchone()[0]


if on_postgresql:
    for disabled in (False, True):
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = disabled
        books = Book.objects.iterator(chunk_size=10)
        next(books)
        print("disabled:", disabled, "· open cursors:", open_cursors())
        books.close()
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False
    print("prepared statements:", connection.connection.prepare_threshold)

# %% [markdown]
# So behind it set `DISABLE_SERVER_SIDE_CURSORS`, at the price of the whole result in memory, or wrap `iterator()` in
# `atomic()`
# ([documentation](https://docs.djangoproject.com/en/stable/ref/databases/#transaction-pooling-and-server-side-cursors)).
# Statements that psycopg prepares on the server are off in Django, so they do no harm. `SET LOCAL` and `FOR UPDATE`
# end with the transaction, and work. Close what this question opened:

# %%
if on_postgresql:
    for made in (plain, persistent, pooled):
        made.close()
    pooled.close_pool()

# %%
quiz("Q42")

# %% [markdown]
# Practise: exercise [14.11](../exercises/14_transactions_and_connections.ipynb).
