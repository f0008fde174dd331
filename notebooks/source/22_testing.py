# %% [markdown]
# # 22 · Testing
#
# After this chapter you can say what each of Django's test classes isolates and what it leaves behind, choose between the client and the request factory,
# pin a page to its number of queries, test async views and what happens after a commit, and find a bug that no example showed.
#
# *Questions: Q56 how to test Django applications.* Tests run here in the kernel, on this notebook's copy of the shop, and from a command line in projects
# of their own. [Exercises 22.1 to 22.10](../exercises/22_testing.ipynb) follow.

# %%
from checks import quiz
from lab import postgres, queries, reset, scratch, start

start()

# Django is set up now, so its models can be imported.
import itertools
import random
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest import TestResult, TestSuite, defaultTestLoader, mock

import django
from asgiref.sync import sync_to_async
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.contrib.messages.test import MessagesTestMixin
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, LiveServerTestCase, RequestFactory, SimpleTestCase, TestCase, TransactionTestCase
from django.test import override_settings
from django.test.runner import DiscoverRunner
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import path
from django.utils import timezone
from orders.checkout import place_order
from orders.models import Order, SentMail, Stock
from orders.stale import stale_orders
from orders.tasks import send_receipt
from reviews.models import Review, TagGroup
from storefront.views import cards

# %% [markdown]
# ## Q56 · Test Django applications
#
# *Intermediate · asked as T-I5*
#
# **Say it.** Django builds on `unittest`. `manage.py test` makes a database of its own, migrates it, runs what it finds and removes the database. I use
# `TestCase` nearly always: each test runs in a transaction that is rolled back. `TransactionTestCase` really commits and empties the tables afterwards; a live
# server adds a port for a browser. Pages I call with the test client, which goes through URLs and middleware. Around that: query counts, an outbox for mail,
# and factories for rows.
#
# *What lifts it:* what the rollback hides (commits, locks), why a test with one row finds no N+1, and what you do first with a suite of twenty minutes.

# %% [markdown]
# **See it.** A copy of the shop, with 166 books in its `db.sqlite3`. How many does a test see?

# %%
shop = scratch(bookshop=True)
shop.write("catalog/tests/test_shelf.py", """
from catalog.models import Book
from django.test import TestCase


class ShelfTest(TestCase):
    def test_shelf(self):
        print(Book.objects.count(), "books")
""")
shop.run("python manage.py test catalog.tests.test_shelf")

# %% [markdown]
# None. The test database is [another one](https://docs.djangoproject.com/en/stable/topics/testing/overview/#the-test-database): the name with `test_` before
# it, or on SQLite memory. It holds what the migrations put there. Your rows are never touched.
#
# From here tests run in the kernel, on this notebook's copy, which has rows: so it can be seen what they leave. `run()` does what the command does, but for
# the new database:

# %%
def run(*cases):
    setup_test_environment(debug=False)
    try:
        suite = TestSuite(map(defaultTestLoader.loadTestsFromTestCase, cases))
        result = suite.run(TestResult())
    finally:
        teardown_test_environment()
    for test, trace in [*result.failures, *result.errors]:
        lines = [line for line in trace.splitlines() if not line.startswith((" ", "Traceback"))]
        print(test.id().split(".")[-1], "·", lines[-1].partition(":")[0])
    print(f"{result.testsRun} run, {len(result.failures)} failed, {len(result.errors)} in error")

# %% [markdown]
# **What each class leaves.** One test, which adds a genre to the 14 there are, with three base classes. Is the test inside a transaction? And how many genres
# and books are there afterwards?

# %% reason="Three classes, the same test, and the same look at what is left."
class OneMore:
    def test_one_more(self):
        Genre.objects.create(name="Maps", slug="maps")
        print(Genre.objects.count(), "genres, in a transaction:", connection.in_atomic_block)


for base in (TestCase, TransactionTestCase, LiveServerTestCase):
    print(base.__name__)
    run(type("OneMoreTest", (OneMore, base), {}))
    genres, books, groups = (model.objects.count() for model in (Genre, Book, TagGroup))
    print(f"leaves {genres} genres, {books} books, {groups} tag groups")
    reset()

# %% [markdown]
# `TestCase` rolled back. The other two emptied *every* table of the apps, also of what was there before: rows from a data migration are gone for the next test. What a
# `post_migrate` receiver makes, content types and permissions and here one group, is made again. For the rest there is
# [`serialized_rollback`](https://docs.djangoproject.com/en/stable/topics/testing/overview/#test-case-serialized-rollback).
#
# So the runner orders the classes. Who comes first?

# %%
print([case.__name__ for case in DiscoverRunner.reorder_by])
print(issubclass(TestCase, TransactionTestCase), issubclass(TransactionTestCase, SimpleTestCase))

# %% [markdown]
# All `TestCase` classes, before anybody empties a table. Fourth of the family is `SimpleTestCase`, for whatever needs no database. What does a query do there?

# %%
class TitleTest(SimpleTestCase):
    def test_title(self):
        self.assertEqual(str(Book(title="Emma")), "Emma")

    def test_shelf(self):
        self.assertTrue(Book.objects.exists())


run(TitleTest)

# %% [markdown]
# It is refused. Where all tests are of that kind, [the runner makes no
# database](https://docs.djangoproject.com/en/stable/topics/testing/overview/#the-test-database) at all.
#
# Another connection does not see what a transaction has not committed. A thread has a connection of its own. How many genres do the two see?

# %%
def counted():
    try:
        return Genre.objects.count()
    finally:
        connection.close()


class ThreadTest(TestCase):
    def test_thread(self):
        Genre.objects.create(name="Maps", slug="maps")
        with ThreadPoolExecutor(1) as pool:
            print(Genre.objects.count(), pool.submit(counted).result())


run(ThreadTest)

# %% [markdown]
# The live server runs the site in a thread, on a port, for a browser or another program. Does it find the new genre?

# %%
class PageTest(LiveServerTestCase):
    def test_page(self):
        Genre.objects.create(name="Maps", slug="maps")
        with urllib.request.urlopen(f"{self.live_server_url}/genres/maps/") as page:
            print(page.status, self.client.get("/genres/maps/").status_code)


run(PageTest)
reset()

# %% [markdown]
# It does, because this class commits. (On SQLite in memory Django lets the thread
# [share the connection](https://docs.djangoproject.com/en/stable/topics/testing/tools/#django.test.LiveServerTestCase).)

# %% [markdown]
# **Rows for a class.** `setUp` makes them before each test, `setUpTestData` once, in the transaction of the class. Three tests, a customer with an order. How
# many inserts each?

# %%
def goods():
    anna = User.objects.create(username="anna.b", email="anna.b@example.org")
    return place_order(anna, {1: 1, 2: 2})


class Tests(TestCase):
    def test_number(self):
        self.assertTrue(self.order.number)

    def test_status(self):
        self.order.status = "paid"
        self.assertEqual(self.order.status, "paid")

    def test_total(self):
        self.assertEqual(self.order.status, Order.Status.OPEN)

# %%
class EachTime(Tests):
    def setUp(self):
        self.order = goods()


class Once(Tests):
    @classmethod
    def setUpTestData(cls):
        cls.order = goods()


for case in (EachTime, Once):
    with queries(quiet=True) as seen:
        run(case)
    print(case.__name__, "inserts", sum(query.sql.startswith("INSERT") for query in seen))

# %% [markdown]
# A third. And `test_status` changed the object, yet `test_total`, which ran later, found it open: each test gets
# [a copy](https://docs.djangoproject.com/en/stable/topics/testing/tools/#django.test.TestCase.setUpTestData) of what is assigned to the class, and the rows are
# rolled back. What `setUpClass` assigns, or a module keeps, nobody copies. Which title does the second test see?

# %%
class LeakTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = Book.objects.get(slug="emma")

    def test_1_changes(self):
        self.shared.title = "Emma?"

    def test_2_looks(self):
        print(self.shared.title)


run(LeakTest)

# %% [markdown]
# That of the first test. Run alone, the second one sees another: a test that depends on its neighbour.

# %% [markdown]
# **Client and request factory.** The client is a browser without a screen: cookies, session, middleware, URL, view, template. The factory makes a request,
# and you call the view. What does the second request lack?

# %%
client = Client()
client.force_login(User.objects.get(username="anna"))
by_client = client.get("/search/", query_params={"q": "emma"}).wsgi_request
by_factory = RequestFactory().get("/search/", query_params={"q": "emma"})
for request in (by_client, by_factory):
    print([hasattr(request, name) for name in ("user", "session", "_messages")], request.resolver_match is not None)
reset()

# %% [markdown]
# Whatever middleware puts there, you put there yourself: `request.user = anna`. That is quick, and good for a view that looks at the request alone.
# (`query_params` came with 5.1.)
#
# The client shows more than the answer. Which templates, which context?

# %%
class PagesTest(TestCase):
    def test_book(self):
        response = self.client.get("/books/emma/")
        self.assertContains(response, "Jane Austen", status_code=200)
        self.assertTemplateUsed(response, "storefront/book.html")
        print(response.resolver_match.view_name, response.context["book"])

    def test_login_is_asked_for(self):
        response = self.client.get("/orders/")
        self.assertRedirects(response, "/account/login/?next=/orders/")


run(PagesTest)
print("outside:", Client().get("/books/emma/").context)

# %% [markdown]
# Outside of tests `response.context` is `None`: the test environment
# [hooks into](https://docs.djangoproject.com/en/stable/topics/testing/advanced/#django.test.utils.setup_test_environment) Django's templates.
# `assertRedirects` also [fetches the page](https://docs.djangoproject.com/en/stable/topics/testing/tools/#django.test.SimpleTestCase.assertRedirects) where the redirect leads.
#
# An exception of the view comes out at the client, where a browser gets a 500. And what comes of a POST without a CSRF token?

# %%
def broken(request):
    return HttpResponse(1 / 0)


with override_settings(ROOT_URLCONF=(path("", broken),), DEBUG=False):
    try:
        Client().get("/")
    except ZeroDivisionError:
        print("raised")
    for client in (Client(raise_request_exception=False), Client(enforce_csrf_checks=True)):
        print(client.post("/").status_code)

# %% [markdown]
# The client is let through without a token, unless you ask for the check. `override_settings` is a block, as here, or a decorator for a test or a class. It does not reach what was read
# [when Django started](https://docs.djangoproject.com/en/stable/topics/testing/tools/#overriding-settings), `DATABASES` for one, nor what a module read when it was imported.

# %% [markdown]
# **Queries counted.** Cards of the shop show the author. Somebody forgets `select_related`. With one book in the test, which of the two is found out?

# %%
def names(books):
    return [book.author.name for book in books]


careful, careless = cards(), Book.objects.all()
for size in (1, 10):
    for books in (careful, careless):
        with queries(quiet=True) as seen:
            names(books.order_by("pk")[:size])
        print(size, "books,", len(seen), "queries")

# %% [markdown]
# One against two is a number that anybody would write into a test. One against eleven is a bug. So ask with two sizes, and for the *same* number.
# `assertNumQueries` lists what ran:

# %%
with queries(quiet=True):
    try:
        with TestCase().assertNumQueries(1):
            names(careless.order_by("pk")[:2])
    except AssertionError as error:
        print(*[line[:84] for line in str(error).splitlines()], sep="\n")

# %% [markdown]
# **After the commit.** An order queues its receipt with `on_commit`. (Without a broker the shop's Celery runs a task at once.) How many letters are in the
# outbox, after an order in a `TestCase`, and how many with `captureOnCommitCallbacks`?

# %%
class ReceiptTest(TestCase):
    def test_plain(self):
        place_order(User.objects.get(username="anna"), {2: 1})
        print("plain:   ", len(mail.outbox))

    def test_with_callbacks(self):
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            place_order(User.objects.get(username="anna"), {2: 1})
        print("captured:", len(mail.outbox), "of", len(callbacks), "callbacks")


run(ReceiptTest)

# %% [markdown]
# Without the block nothing is sent, since nothing is committed. (Three callbacks: two signals of the shop, one task.) The block runs them at its end, on
# the same connection and inside the test's transaction. No real mail either: the environment puts an outbox in place of the backend, and every test begins
# with an empty one.

# %% [markdown]
# **Async.** An `async def` test is a coroutine, and Django runs it in an event loop made for it. `self.async_client` calls the site as ASGI does. (The kernel
# has a loop already, so here such tests run in a thread.) The first test changes the stock. Does the second see it?

# %% reason="A class with two tests, and a thread to run it in."
def run_beside(*cases):
    def work():
        try:
            run(*cases)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


# %%
class StockTest(TestCase):
    async def test_1_changes(self):
        response = await self.async_client.get("/live/stock.json")
        print(type(response.asgi_request).__name__, response.status_code)
        await Stock.objects.aupdate(quantity=0)

    async def test_2_looks(self):
        print(await Stock.objects.filter(quantity__gt=0).aexists())


run_beside(StockTest)

# %% [markdown]
# It does not. The ORM goes to the thread of the test, so the change is in the transaction of the test, and is rolled back with it. Which of these three
# can be used in an async test: the plain client, a plain query, `assertNumQueries`? (From a command line, since a notebook lets plain queries pass.)

# %% reason="A whole test module."
shop.write("live/tests/test_mixed.py", """
from django.test import TestCase
from orders.models import Stock

class MixedTest(TestCase):
    async def test_inside(self):
        for step in (lambda: self.client.get("/live/"), Stock.objects.count, self.assertNumQueries(0).__enter__):
            try:
                step()
            except Exception as error:
                print(type(error).__name__)
""")
report = shop.output("python manage.py test -v 0 live.tests.test_mixed").split()
print(*[word for word in report if word.startswith("Synchronous")])

# %% [markdown]
# None. And `captureOnCommitCallbacks` says nothing at all: it looks at the connection of the loop's thread, which nobody uses. How many callbacks does it find, and how
# does a plain test fare with the same async view?

# %%
class CountedTest(TestCase):
    async def test_callbacks(self):
        with self.captureOnCommitCallbacks() as callbacks:
            await sync_to_async(transaction.on_commit)(print)
        print("async:", len(callbacks), "callbacks")

    def test_queries(self):
        with self.assertNumQueries(2):
            print("plain:", self.client.get("/live/stock.json").status_code)


run_beside(CountedTest)

# %% [markdown]
# The plain client calls an async view too, on the connection of the test. So count queries and callbacks in a plain test, and keep `async def` for what you have to
# await. Two things are never awaited here. What do the tests say?

# %%
class ForgottenTest(TestCase):
    async def setUp(self):
        await Stock.objects.all().adelete()

    async def test_set_up(self):
        self.assertTrue(await Stock.objects.aexists())

    def test_no_await(self):
        self.assertTrue(Stock.objects.filter(quantity=-1).aexists())


with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    run_beside(ForgottenTest)
print({warning.category.__name__ for warning in told})

# %% [markdown]
# Both are green. `setUp` stays a plain method, and a coroutine that nobody awaits is always true: a warning is all you get. More in
# [Testing asynchronous code](https://docs.djangoproject.com/en/stable/topics/testing/tools/#testing-asynchronous-code); under pytest a function that is `async def` needs
# [a plugin](https://pytest-django.readthedocs.io/en/latest/helpers.html), a class of Django's does not.

# %% [markdown]
# **Fixtures and factories.** A fixture is a file of rows, loaded once for a `TestCase` class. A factory is a function with defaults. The shop's `Author.save()` fills
# `sort_name`. Who of the two authors has one?

# %%
files = scratch()
files.write("author.json", '[{"model": "catalog.author", "pk": 900, "fields": {"name": "Ann Lee", "slug": "ann-lee"}}]')
number = itertools.count(1)


def make_author(**values):
    n = next(number)
    return Author.objects.create(**{"name": f"Author No {n}", "slug": f"author-{n}", **values})


# %%
class AuthorTest(TestCase):
    fixtures = [str(files.path / "author.json")]

    def test_sort_name(self):
        print([Author.objects.get(pk=900).sort_name, make_author(name="Ann Leigh").sort_name])


run(AuthorTest)

# %% [markdown]
# Fixtures [skip `save()`](https://docs.djangoproject.com/en/stable/topics/serialization/#deserializing-data), and each new column that is required and has no default means that
# you edit the files. A factory is ordinary code: it grows in one place, and the test names what matters to it. [`factory_boy`](https://factoryboy.readthedocs.io/) and
# [`model_bakery`](https://model-bakery.readthedocs.io/) are packages for that; a function does for a start.

# %% [markdown]
# **Time.** Patch `timezone.now`, and it is 2031. Of a review, `save()` sets `updated` by calling it, and the field `created` has `default=timezone.now`. Which of
# the three notices?

# %%
from django.utils.timezone import now

NEW_YEAR = datetime(2031, 1, 1, tzinfo=UTC)
review = Review.objects.first()
with mock.patch("django.utils.timezone.now", return_value=NEW_YEAR):
    review.save()
    years = {"save": review.updated.year, "default": Review(stars=5).created.year, "imported name": now().year}
print({name: year == 2031 for name, year in years.items()})
reset()

# %% [markdown]
# One. The patch replaces a name in a module; the field's default and the imported `now` hold the function itself. Patch where it is
# [looked up](https://docs.python.org/3/library/unittest.mock.html#where-to-patch), or hand the moment over, as the shop does. No patch, and the border can be tested:

# %%
at = datetime(2026, 6, 18, 15, tzinfo=UTC)
order = Order.objects.create(number="T-1", customer=User.objects.first(), placed_at=at, status="open")
border = at + timedelta(days=30)
for moment in (border, border + timedelta(microseconds=1)):
    print(order in stale_orders(30, at=moment))
reset()

# %% [markdown]
# **A bug that no example showed.** Mails are listed page by page: each page goes on below the last date. Three mails, pages of two, and the test is green:

# %%
def listed(size):
    rows, keys = SentMail.objects.order_by("-sent_at"), []
    while page := list(rows[:size]):
        keys += [mail.key for mail in page]
        rows = rows.filter(sent_at__lt=page[-1].sent_at)
    return keys

# %%
def fails(days, size):
    with transaction.atomic():
        SentMail.objects.all().delete()
        rows = [SentMail(key=str(n), sent_at=NEW_YEAR + timedelta(days=day)) for n, day in enumerate(days)]
        SentMail.objects.bulk_create(rows)
        wrong = sorted(listed(size)) != sorted(row.key for row in rows)
        transaction.set_rollback(True)
    return wrong


print(fails([1, 2, 3], 2))

# %% [markdown]
# `fails` states a property, for *any* mails: all pages together hold every mail once. So let chance choose the mails. The seed makes it repeatable:

# %%
def cases(seed, number=100):
    chance = random.Random(seed)
    for _ in range(number):
        yield [chance.randrange(20) for _ in range(chance.randrange(1, 15))], chance.randrange(1, 6)


found = next(case for case in cases(seed=1) if fails(*case))
print(found)

# %% [markdown]
# A failure, and who would read it? Shrink it: leave one mail out, and make the page smaller with it, or let all be a
# day earlier, as long as it still fails. What is left?

# %%
def smaller(days, size):
    for n in range(len(days)):
        shorter = days[:n] + days[n + 1:]
        yield shorter, size
        if size > 1:
            yield shorter, size - 1
    if min(days, default=0) > 0:
        yield [day - 1 for day in days], size


while better := next((case for case in smaller(*found) if fails(*case)), None):
    found = better
print(found)

# %% [markdown]
# Two mails of the same moment, one on a page: the second is skipped. (The steps are chosen with care: with a smaller page alone, the border between the pages moves off the
# tie, and the search is stuck.) The cure is an order without ties, and a border that has all of it. The shrunk case stays as a
# test of its own:

# %%
def listed(size):
    rows, keys = SentMail.objects.order_by("-sent_at", "-key"), []
    while page := list(rows[:size]):
        keys += [mail.key for mail in page]
        last = page[-1]
        rows = rows.filter(Q(sent_at__lt=last.sent_at) | Q(sent_at=last.sent_at, key__lt=last.key))
    return keys


print(fails([0, 0], 1), sum(fails(*case) for case in cases(seed=1)))

# %% [markdown]
# [Hypothesis](https://hypothesis.readthedocs.io/) does both parts for you, the choosing and the shrinking, and remembers what failed. Good properties: nothing is lost,
# there and back gives the same, a quick way agrees with a slow one.

# %% [markdown]
# **The command.** A small project now. Two classes with two tests each write down in which process they ran; whoever is first waits for another. With two processes, how are
# four tests divided?

# %% reason="A whole test module, and the command that runs it."
site = scratch("mysite")
site.output("python manage.py startapp books")
site.write("books/tests.py", """
import os, time
from pathlib import Path
from django.test import TestCase

class FirstTest(TestCase):
    def test_a(self):
        Path(f"{self.id()}.pid").write_text(str(os.getpid()))
        end = time.monotonic() + 20
        while len(list(Path().glob("*.pid"))) < 2 and time.monotonic() < end:
            time.sleep(0.05)
    test_b = test_a

class SecondTest(FirstTest):
    pass
""")
site.run("python manage.py test --parallel 2", lines=6)

# %%
def processes(name):
    return {path.read_text() for path in site.path.glob(f"*{name}.*pid")}


print([len(processes(name)) for name in ("", "FirstTest", "SecondTest")])

# %% [markdown]
# By class: the tests of a class stay together. Each process has a clone of the database. What is not in the database they share: files, a Redis, a port, an
# index of a search engine. Such tests pass alone, and may fail together.
#
# [Also worth knowing](https://docs.djangoproject.com/en/stable/ref/django-admin/#test): `--shuffle` and `--reverse` find tests that lean on others, `--keepdb`
# keeps the database, `--tag` and `-k` choose, `--failfast` stops.

# %% [markdown]
# **Coverage** says which lines ran. A discount from ten copies on, with a test that asserts nothing. How many per cent?

# %% reason="A module and its test belong together."
site.write("books/pricing.py", """
def price(copies):
    total = 10 * copies
    if copies > 10:
        total -= copies
    return total
""")
site.write("books/tests.py", """
from books.pricing import price
from django.test import SimpleTestCase


class PriceTest(SimpleTestCase):
    def test_price(self):
        price(12)
""")
report = site.output("python -m coverage run --branch --include=books/pricing.py manage.py test")
print("a test database:", "Creating test database" in report)
site.run("python -m coverage report --show-missing")

# %% [markdown]
# (No database, for a `SimpleTestCase`.) Every line, and only `--branch` tells that the condition was never false. The bug, `>` where ten copies should count, neither finds: coverage shows what no
# test has touched, not what is right. (With `--parallel`, coverage needs
# [`concurrency = multiprocessing`](https://coverage.readthedocs.io/en/latest/subprocess.html) and `combine`.)

# %% [markdown]
# **pytest-django** runs Django's classes too, if it is told that they are in `tests.py`: by itself pytest looks into `test_*.py`. The class from above, and two functions with
# the same query. What does the first one lack?

# %% reason="A settings file and two tests to compare."
site.write("pytest.ini", """
[pytest]
DJANGO_SETTINGS_MODULE = mysite.settings
python_files = tests.py test_*.py
""")
site.write("books/test_users.py", """
import pytest
from django.contrib.auth.models import User

def test_nobody():
    assert not User.objects.exists()

@pytest.mark.django_db
def test_somebody(django_assert_num_queries):
    User.objects.create(username="anna")
    with django_assert_num_queries(1):
        assert User.objects.exists()
""")
report = site.output("python -m pytest -q --tb=line books").splitlines()
refused = next(line for line in report if "RuntimeError" in line)
print(refused.partition("RuntimeError: ")[2].partition(",")[0])
print(report[-1])

# %% [markdown]
# Permission to use the database: the mark, or the fixture `db`. `@pytest.mark.django_db(transaction=True)` makes it a `TransactionTestCase`. There are fixtures for the
# [rest](https://pytest-django.readthedocs.io/en/latest/helpers.html): `client`, `rf`, `settings`, `mailoutbox`, `live_server`,
# `django_capture_on_commit_callbacks`; `--reuse-db` is `--keepdb`. The shop's own tests are written so.

# %% [markdown]
# **The trap.** "A green `TestCase` means that it works." It misleads everybody who has not thought about the transaction around the test. `select_for_update()` outside of one is an error, on
# databases that have it. The same line, with both classes, on PostgreSQL:

# %%
class Locks:
    def test_locks(self):
        list(Stock.objects.select_for_update()[:1])


if postgres.available():
    with postgres():
        for base in (TestCase, TransactionTestCase):
            run(type("LockTest", (Locks, base), {}))
else:
    print(postgres.why_not())

# %% [markdown]
# In the `TestCase` it is green; in production, where no transaction is around it, it raises on every call. (On SQLite there is no such lock, and both are green: test on the database that you run.)
# The other way round: an error that you expect breaks the transaction of the test, and the next query fails. What cures it?

# %%
class DoubleTest(TestCase):
    def test_bare(self):
        with self.assertRaises(IntegrityError):
            Genre.objects.create(name="Satire", slug="satire")
        Genre.objects.count()

    def test_in_a_block(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            Genre.objects.create(name="Satire", slug="satire")
        Genre.objects.count()


run(DoubleTest)

# %% [markdown]
# A savepoint of your own. And the second trap: a view tested with the factory, on a site whose middleware asks for a login. Who gets in?

# %%
def desk(request):
    return HttpResponse("the desk")


middleware = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
with override_settings(ROOT_URLCONF=(path("desk/", desk),), MIDDLEWARE=middleware, LOGIN_URL="/login/"):
    print("client: ", Client().get("/desk/").status_code)
    print("factory:", desk(RequestFactory().get("/desk/")).status_code)

# %% [markdown]
# The factory knows neither URL nor middleware. Whether a page is open to the world, ask with the client.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *`TestCase` or `TransactionTestCase`?* The first, unless the code under test needs a real commit: locks between connections, threads, a live server,
#   what happens between two commits. The second empties the tables after each test, which costs more the more tables there are. (`atomic(durable=True)` is no
#   reason: a `TestCase` lets it pass where it is outermost, and refuses it inside another block.)
# - *How do you test `on_commit` and Celery?* The callback with `captureOnCommitCallbacks`. The task as a function, with the key it is given: most tests need
#   no queue. Eager mode shows that it is called with arguments that can travel; a few tests run a real worker.
# - *How do you speed up a suite of 20 minutes?* Measure (`--durations`). Then the cheap hasher and `force_login`, `setUpTestData`, `SimpleTestCase` where no row
#   is needed, `TestCase` for `TransactionTestCase`; then `--parallel`, and `--keepdb` on your machine.

# %% [markdown]
# `durable`, in a `TestCase`:

# %%
class DurableTest(TestCase):
    def test_outermost(self):
        with transaction.atomic(durable=True):
            pass

    def test_inside(self):
        with transaction.atomic(), transaction.atomic(durable=True):
            pass


run(DurableTest)

# %% [markdown]
# The price of a flush, three empty tests each; and of a password as it is stored, against the hasher that tests use:

# %%
class Empty:
    def test_1(self): ...
    def test_2(self): ...
    def test_3(self): ...


def seconds(step):
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


# %%
def price(base):
    return seconds(lambda: run(type("EmptyTest", (Empty, base), {})))


def hashing(name):
    with override_settings(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher"]):
        return min(seconds(lambda: make_password("secret")) for _ in range(3))


print(price(TransactionTestCase) > 5 * price(TestCase), hashing("PBKDF2") > 50 * hashing("MD5"))
reset()

# %% [markdown]
# A task, called as a function, then through eager Celery with a key, then with an object. What happens to the third?

# %%
class TaskTest(TestCase):
    def test_task(self):
        order = place_order(User.objects.get(username="anna"), {2: 1})
        print(send_receipt(order.pk), send_receipt.delay(order.pk).get(), len(mail.outbox))
        try:
            send_receipt.delay(order)
        except Exception as error:
            print(type(error).__name__)


run(TaskTest)

# %% [markdown]
# The second call sent nothing, since a receipt goes out once. An `Order` cannot be written as JSON, and Celery's eager mode does write its arguments. What eager mode
# [cannot show](https://docs.celeryq.dev/en/stable/userguide/testing.html): another process that does not see your open transaction yet, a lost broker, a killed worker.

# %% [markdown]
# **Versions.** Since 6.1 `assertContains` may be used several times on a streamed answer; in 5.2 the first use empties it. Since 6.0 `--parallel` also knows the
# start method `forkserver`, the default on Linux from [Python 3.14](https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods) on. `--durations` (since 5.0) needs
# Python 3.12. Both versions have `assertMessages` (5.0) and `assertNotInHTML` (5.1):

# %%
class WelcomeTest(MessagesTestMixin, TestCase):
    def test_welcome(self):
        def welcome(request):
            messages.success(request, "Welcome")
            return HttpResponse("<p>the shop</p>")

        with override_settings(ROOT_URLCONF=(path("", welcome),)):
            response = self.client.get("/")
        self.assertMessages(response, [messages.Message(messages.SUCCESS, "Welcome")])
        self.assertNotInHTML("<p>the desk</p>", response.text)


run(WelcomeTest)

# %%
site.write("books/test_slow.py", """
import time
from django.test import SimpleTestCase


class SlowTest(SimpleTestCase):
    def test_slow(self):
        time.sleep(0.1)
""")

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    streamed = StreamingHttpResponse(["Emma", "Persuasion"])
    for title in ("Emma", "Persuasion"):
        SimpleTestCase().assertContains(streamed, title)
        print(title, "found")
    report = site.output("python manage.py test --durations 1 books.test_slow")
    print("Slowest test durations" in report, "SlowTest.test_slow" in report)
else:
    print("Django 6.1 prints Emma found, Persuasion found, and True True for the slowest test.")

# %%
quiz("Q56")

# %% [markdown]
# Now [exercises 22.1 to 22.10](../exercises/22_testing.ipynb).
