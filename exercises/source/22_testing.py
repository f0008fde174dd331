# %% [markdown]
# # 22 · Testing: exercises
#
# In most of these you write the tests, and `check` runs them: on code that is right, and on code with the faults that people make. A good test is green on the
# first and red on all the others. [The lesson](../notebooks/22_testing.ipynb) has the background.

# %%
from checks import check, hint, solution
from lab import start

start()

# Django is set up now, so its models can be imported.
import random
from datetime import UTC, datetime, timedelta
from unittest import TestResult, TestSuite, defaultTestLoader, mock
from uuid import uuid4

from asgiref.sync import async_to_sync
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.contrib import messages
from django.contrib.auth.decorators import login_required, user_passes_test
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory, SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment
from django.urls import path
from django.utils import timezone
from orders.models import SentMail, Stock

# %% [markdown] exercise="22.1"
# ### 22.1 Find an N+1, whatever the number of books
#
# `listing(size)` returns the first books as pairs of title and author. Write a test that is green for any good way to fetch them, with a join or with a second
# query, and red where the number of queries grows with the books. The test calls `self.listing`. (The shop's rows are there.)

# %% exercise="22.1" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    return "green" if result.wasSuccessful() else "red"


def observe(answer):
    def pairs(books, size):
        return [(book.title, book.author.name) for book in books.order_by("pk")[:size]]

    ways = {
        "a join": lambda size: pairs(Book.objects.select_related("author"), size),
        "a second query": lambda size: pairs(Book.objects.prefetch_related("author"), size),
        "a query for each book": lambda size: pairs(Book.objects.all(), size),
        "a query for each other book": lambda size: pairs(Book.objects.select_related("author"), (size + 1) // 2)
        + pairs(Book.objects.all(), size // 2),
    }
    seen = {}
    for name, way in ways.items():
        answer.listing = staticmethod(way)
        # The check itself logs queries; on a test run the log is off, unless a test asks for it.
        with uncounted(), mock.patch.object(connection, "force_debug_cursor", False):
            seen[name] = run(answer)
    return seen

# %% exercise="22.1" role="answer" datasets=["shop"]
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    # solution
    def queries_for(self, size):
        with CaptureQueriesContext(connection) as seen:
            self.listing(size)
        return len(seen)

    def test_queries_do_not_grow(self):
        self.assertEqual(self.queries_for(2), self.queries_for(12))
    # end


check("22.1")

# %% exercise="22.1" role="alternative" note="`assertNumQueries` with the number that the small list took: when it fails, it lists the queries."
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def test_queries_do_not_grow(self):
        with CaptureQueriesContext(connection) as few:
            self.listing(3)
        with self.assertNumQueries(len(few)):
            self.listing(30)

# %% exercise="22.1" role="alternative" note="A limit instead of a comparison: both good ways stay below it, and a list long enough cannot."
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def test_at_most_two_queries(self):
        with CaptureQueriesContext(connection) as seen:
            self.listing(20)
        self.assertLessEqual(len(seen), 2)

# %% exercise="22.1" role="mistake" says="You ask for exactly one query, so the good way with a second query is red as well. Compare two sizes instead of naming a number."
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def test_one_query(self):
        with self.assertNumQueries(1):
            self.listing(10)

# %% exercise="22.1" role="mistake" says="With one book, an N+1 is two queries, as many as the good second query. Use more books."
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def test_at_most_two_queries(self):
        with CaptureQueriesContext(connection) as seen:
            self.listing(1)
        self.assertLessEqual(len(seen), 2)

# %% exercise="22.1" role="mistake" says="The test looks at what comes back, which is right in all the ways. Nothing counts the queries, so the N+1 stays green. (`connection.queries` does not either: in a test run `DEBUG` is off, and it stays empty.)"
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def test_length(self):
        self.assertEqual(len(self.listing(10)), 10)

# %% exercise="22.1" role="mistake" says="unittest runs methods whose names begin with `test`. Yours has another name, so there are no tests."
class ListingTest(TestCase):
    @staticmethod
    def listing(size):
        return [(book.title, book.author.name) for book in Book.objects.select_related("author").order_by("pk")[:size]]

    def check_queries(self):
        with self.assertNumQueries(1):
            self.listing(10)

# %% exercise="22.1" role="hint"
# Call the listing with few books and with many. What should be the same?
# %% exercise="22.1" role="hint"
# `with CaptureQueriesContext(connection) as seen:` and then `len(seen)`.

# %% [markdown] exercise="22.2"
# ### 22.2 Make the rows once for the class
#
# Three tests need `self.maps`, a genre "Maps" (slug `maps`), and `self.atlas`, an author "Ann Atlas" (slug `ann-atlas`). Make both once for the class, so that each
# test still finds them as they were made, whatever another test does to them.

# %% exercise="22.2" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    errors = {trace.strip().splitlines()[-1].partition(":")[0] for _, trace in result.errors}
    if result.failures:
        errors.add("AssertionError")
    return f"red: {', '.join(sorted(errors))}" if errors else "green"


def observe(answer):
    class Watched(answer):
        def test_1_changes(self):
            self.maps.name = self.atlas.name = "changed"
            self.maps.save()
            self.atlas.save()

        def test_2_looks(self):
            self.assertEqual([self.maps.name, self.atlas.name], ["Maps", "Ann Atlas"])
            self.maps.refresh_from_db()
            self.atlas.refresh_from_db()
            self.assertEqual([self.maps.name, self.atlas.name], ["Maps", "Ann Atlas"])

    before = Genre.objects.count(), Author.objects.count()
    inserts = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            inserts.append(sql)
        return execute(sql, params, many, context)

    # The tests close the connection at their end, and the log of its queries begins anew.
    with connection.execute_wrapper(watch):
        outcome = run(answer)
    return {
        "rolled back": issubclass(answer, TestCase),
        "its tests": outcome,
        "rows are made once": len(inserts) <= 2,
        "tests that change and look": run(Watched),
        "rows left behind": (Genre.objects.count(), Author.objects.count()) != before,
    }

# %% exercise="22.2" role="answer" seconds=20
class ShelfTest(TestCase):
    # solution
    @classmethod
    def setUpTestData(cls):
        cls.maps = Genre.objects.create(name="Maps", slug="maps")
        cls.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")
    # end

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))


check("22.2")

# %% exercise="22.2" role="alternative" note="With `bulk_create`, which calls no `save()`: whatever `save()` fills, you give. Worth it for many rows."
class ShelfTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        (cls.maps,) = Genre.objects.bulk_create([Genre(name="Maps", slug="maps")])
        cls.atlas = Author(name="Ann Atlas", slug="ann-atlas")
        cls.atlas.save()

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="`setUp` runs before each test: three tests, three times the rows. Make them for the class."
class ShelfTest(TestCase):
    def setUp(self):
        self.maps = Genre.objects.create(name="Maps", slug="maps")
        self.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="What `setUpClass` assigns is the same object for all tests: one changes it, the next one sees that. `setUpTestData` gives each test a copy."
class ShelfTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.maps = Genre.objects.create(name="Maps", slug="maps")
        cls.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="The rows are there, and the tests cannot reach them: assign the objects to `cls`."
class ShelfTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        maps = Genre.objects.create(name="Maps", slug="maps")
        atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="`setUpClass` without `super()` begins no transaction for the class: Django's own set-up is skipped."
class ShelfTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.maps = Genre.objects.create(name="Maps", slug="maps")
        cls.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="`setUpTestData` is called on the class, so it must be a class method: without `@classmethod` it is missing its argument."
class ShelfTest(TestCase):
    def setUpTestData(self):
        self.maps = Genre.objects.create(name="Maps", slug="maps")
        self.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="Objects made in the body of the class are not saved, so there are no rows; and if they were saved there, no transaction would be around it."
class ShelfTest(TestCase):
    maps = Genre(name="Maps", slug="maps")
    atlas = Author(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="mistake" says="A `TransactionTestCase` has no `setUpTestData`, since its tables are emptied after each test. Take `TestCase`."
class ShelfTest(TransactionTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.maps = Genre.objects.create(name="Maps", slug="maps")
        cls.atlas = Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="alternative" note="`setUpClass` makes the rows, and each test fetches its own objects: a query for each object and test."
class ShelfTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Genre.objects.create(name="Maps", slug="maps")
        Author.objects.create(name="Ann Atlas", slug="ann-atlas")

    def setUp(self):
        self.maps = Genre.objects.get(slug="maps")
        self.atlas = Author.objects.get(slug="ann-atlas")

    def test_names(self):
        self.assertEqual(str(self.maps), "Maps")

    def test_sort_name(self):
        self.assertEqual(self.atlas.sort_name, "Atlas, Ann")

    def test_rows(self):
        self.assertTrue(Genre.objects.contains(self.maps) and Author.objects.contains(self.atlas))

# %% exercise="22.2" role="hint"
# There is a class method that runs once, inside of the transaction of the class.
# %% exercise="22.2" role="hint"
# `@classmethod` and `def setUpTestData(cls):`, and assign to `cls`.

# %% [markdown] exercise="22.3"
# ### 22.3 A factory for books
#
# Write `make_book(**values)`: it saves and returns a book that is valid, with whatever was given in place of its own defaults. Call it as often as you like. A book
# without a given author gets a new one; where the author is given, no other is made.

# %% exercise="22.3" role="check"
def observe(answer):
    def valid(book):
        try:
            book.full_clean()
        except ValidationError as error:
            return sorted(error.message_dict)
        return book.pk is not None and Book.objects.filter(pk=book.pk).exists()

    books, authors = Book.objects.count(), Author.objects.count()
    seen = {"three without arguments": [valid(answer()) for _ in range(3)]}
    seen["books and authors more"] = [Book.objects.count() - books, Author.objects.count() - authors]
    known = Author.objects.create(name="Known Author", slug="known-author")
    authors = Author.objects.count()
    book = answer(author=known, title="Known", slug="known", price=3, pages=77)
    seen["given"] = [book.author == known, book.title == "Known", book.slug == "known", book.price == 3, book.pages == 77]
    seen["two with one title"] = [valid(answer(author=known)), valid(answer(author=known, title="Other"))]
    seen["two of one title by two authors"] = [valid(answer(title="Poems")), valid(answer(title="Poems"))]
    two = answer(title="Poems"), answer(title="Poems")
    seen["new authors"] = [Author.objects.count() - authors, len({book.author_id for book in two})]
    return seen

# %% exercise="22.3" role="answer"
def make_book(**values):
    # solution
    number = uuid4().hex
    if "author" not in values:
        values["author"] = Author.objects.create(name=f"Author No {number}", slug=f"author-no-{number}")
    defaults = {"title": f"Book No {number}", "slug": f"book-no-{number}", "price": 10}
    return Book.objects.create(**{**defaults, **values})
    # end


check("22.3")

# %% exercise="22.3" role="alternative" note="`setdefault` reads in the order of the fields. The number comes from the table; two processes might draw the same one."
def make_book(**values):
    number = Book.objects.count() + Author.objects.count()
    if "author" not in values:
        values["author"] = Author.objects.create(name=f"Writer {number}", slug=f"writer-{number}")
    values.setdefault("title", f"Volume {number}")
    values.setdefault("slug", f"volume-{number}")
    values.setdefault("price", "5.00")
    book = Book(**values)
    book.save()
    return book

# %% exercise="22.3" role="mistake" says="What must be unique comes twice, so the second call fails: a slug, or a title of the same author. Number them, and make an author for each book."
def make_book(**values):
    author, _ = Author.objects.get_or_create(name="An Author", slug="an-author")
    return Book.objects.create(**{"title": "A Book", "slug": "a-book", "author": author, "price": 10, **values})

# %% exercise="22.3" role="mistake" says="The default author is made even where one is given: the dictionary is built before you look. Ask first."
def make_book(**values):
    number = uuid4().hex
    author = Author.objects.create(name=f"Author {number}", slug=f"author-{number}")
    return Book.objects.create(
        **{"title": f"Book {number}", "slug": f"book-{number}", "author": author, "price": 10, **values}
    )

# %% exercise="22.3" role="mistake" says="Your defaults come last and overwrite what was given. The values of the test have the last word."
def make_book(**values):
    number = uuid4().hex
    if "author" not in values:
        values["author"] = Author.objects.create(name=f"Author {number}", slug=f"author-{number}")
    return Book.objects.create(**{**values, "title": f"Book {number}", "slug": f"book-{number}", "price": 10})

# %% exercise="22.3" role="mistake" says="The book is made in memory and not saved: no query finds it."
def make_book(**values):
    number = uuid4().hex
    if "author" not in values:
        values["author"] = Author.objects.create(name=f"Author {number}", slug=f"author-{number}")
    return Book(**{"title": f"Book {number}", "slug": f"book-{number}", "price": 10, **values})

# %% exercise="22.3" role="hint"
# What is required: title, slug, author, price. What is unique: the slug, and the name and slug of an author.
# %% exercise="22.3" role="hint"
# `{**defaults, **values}`, a counter or `uuid4()` for what must be unique, and an `if` before the author is made.

# %% [markdown] exercise="22.4"
# ### 22.4 A receipt, after the commit and not before
#
# `sell(refused=False)` records a sale in a transaction and sends one letter once that is committed; with `refused=True` the card is refused, it raises `ValueError`, and
# no letter goes out. Write tests that find: no letter at all, a letter that goes out before the commit, two letters. They call `self.sell`.

# %% exercise="22.4" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    return "green" if result.wasSuccessful() else "red"


def observe(answer):
    def letters():
        letter()
        letter()

    def letter():
        send_mail("Your order", "Thank you.", None, ["anna@example.org"])

    def shop(during=(), after=()):
        def sell(refused=False):
            with transaction.atomic():
                SentMail.objects.create(key="sold")
                for send in during:
                    send()
                for send in after:
                    transaction.on_commit(send)
                if refused:
                    raise ValueError("The card was refused.")

        return sell

    ways = {
        "after the commit": shop(after=[letter]),
        "no letter": shop(),
        "before the commit": shop(during=[letter]),
        "two letters": shop(after=[letter, letter]),
        "one before and one after": shop(during=[letter], after=[letter]),
        "a callback that sends nothing": shop(after=[lambda: None]),
        "two letters by one callback": shop(after=[letters]),
    }
    seen = {}
    for name, way in ways.items():
        answer.sell = staticmethod(way)
        seen[name] = run(answer)
    result = TestResult()
    answer.sell = staticmethod(ways["after the commit"])
    setup_test_environment(debug=False)
    try:
        TestSuite([defaultTestLoader.loadTestsFromTestCase(answer)]).run(result)
    finally:
        teardown_test_environment()
    seen["exceptions where all is right"] = sorted(trace.strip().splitlines()[-1] for _, trace in result.errors)
    return seen

# %% exercise="22.4" role="answer" datasets=["edge"] seconds=20
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    # solution
    def test_one_letter_after_the_commit(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.sell()
            self.assertEqual(mail.outbox, [])
        self.assertEqual(len(mail.outbox), 1)

    def test_refused(self):
        with self.captureOnCommitCallbacks(execute=True), self.assertRaises(ValueError):
            self.sell(refused=True)
        self.assertEqual(mail.outbox, [])
    # end


check("22.4")

# %% exercise="22.4" role="alternative" note="The callbacks collected and then called by hand: what was sent before is seen between."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks() as callbacks:
            self.sell()
        before = len(mail.outbox)
        for callback in callbacks:
            callback()
        self.assertEqual((before, len(mail.outbox)), (0, 1))

# %% exercise="22.4" role="alternative" note="With real commits, at the price of a flush after each test. Here the refused sale is what finds the early letter."
class ReceiptTest(TransactionTestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        self.sell()
        self.assertEqual(len(mail.outbox), 1)

    def test_refused(self):
        with self.assertRaises(ValueError):
            self.sell(refused=True)
        self.assertEqual(len(mail.outbox), 0)

# %% exercise="22.4" role="mistake" says="A `TestCase` commits nothing, so the callback never runs, and the right shop is red too. Collect the callbacks with `captureOnCommitCallbacks`."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        self.sell()
        self.assertEqual(len(mail.outbox), 1)

    def test_refused(self):
        with self.assertRaises(ValueError):
            self.sell(refused=True)
        self.assertEqual(len(mail.outbox), 0)

# %% exercise="22.4" role="mistake" says="One letter in the end is there also if it went out too early. Look into the outbox before the callbacks run, or refuse a sale."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.sell()
        self.assertEqual(len(mail.outbox), 1)

# %% exercise="22.4" role="mistake" says="Without `execute=True` the callbacks are collected and not called. An empty outbox is then no news: no letter at all stays green."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks():
            self.sell()
        self.assertEqual(len(mail.outbox), 0)

# %% exercise="22.4" role="mistake" says="The outbox is only asked whether something is in it. Two letters are something, too."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.sell()
            self.assertFalse(mail.outbox)
        self.assertTrue(mail.outbox)

    def test_refused(self):
        with self.assertRaises(ValueError):
            self.sell(refused=True)
        self.assertFalse(mail.outbox)

# %% exercise="22.4" role="mistake" says="One callback is not one letter: it may send nothing, or two. Let it run, and look into the outbox."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks() as callbacks:
            self.sell()
        self.assertEqual(len(callbacks), 1)
        self.assertEqual(mail.outbox, [])

# %% exercise="22.4" role="mistake" says="A refused sale raises `ValueError`, and nothing in your test expects it: the right shop is red."
class ReceiptTest(TestCase):
    @staticmethod
    def sell(refused=False):
        with transaction.atomic():
            transaction.on_commit(lambda: send_mail("Your order", "Thank you.", None, ["anna@example.org"]))
            if refused:
                raise ValueError("The card was refused.")

    def test_letter(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.sell()
            self.assertEqual(mail.outbox, [])
        self.assertEqual(len(mail.outbox), 1)

    def test_refused(self):
        self.sell(refused=True)
        self.assertEqual(mail.outbox, [])

# %% exercise="22.4" role="hint"
# The block of `captureOnCommitCallbacks(execute=True)` runs the callbacks at its end. Inside of it nothing has been sent yet, if all is well.
# %% exercise="22.4" role="hint"
# Two assertions about `mail.outbox`: `[]` within the block, length 1 after it.

# %% [markdown] exercise="22.5"
# ### 22.5 Call a view without the client
#
# Write `visit(view, user, path="/")`: it calls the view with a GET request of `RequestFactory` and returns the response. The view may look at `request.user`, read and
# write `request.session`, and call `messages.success(request, …)`. (A query string may be part of the path.)

# %% exercise="22.5" role="check"
def observe(answer):
    def view(request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        messages.success(request, "Welcome")
        told = [str(message) for message in messages.get_messages(request)]
        words = [request.method, request.path, request.GET.get("q", "-"), request.user.get_username() or "nobody"]
        return HttpResponse(" ".join([*words, str(request.session["visits"]), *told]), status=202)

    @login_required(login_url="/in/")
    def closed(request):
        return HttpResponse("inside")

    from django.contrib.auth.models import AnonymousUser

    reader = User.objects.create(username="reader")
    first, second = answer(view, reader, "/shelf/?q=emma"), answer(view, AnonymousUser())
    return {
        "with a query": [first.status_code, first.content.decode()],
        "nobody": [second.status_code, second.content.decode()],
        "closed": [answer(closed, reader).status_code, answer(closed, AnonymousUser()).status_code],
    }

# %% exercise="22.5" role="answer" datasets=["edge"]
def visit(view, user, path="/"):
    # solution
    request = RequestFactory().get(path)
    request.user = user
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    return view(request)
    # end


check("22.5")

# %% exercise="22.5" role="alternative" note="The real middleware puts session and messages there. It goes on working when they change."
def visit(view, user, path="/"):
    request = RequestFactory().get(path)
    request.user = user
    return SessionMiddleware(MessageMiddleware(view))(request)

# %% exercise="22.5" role="alternative" note="A dictionary will do as a session, where a view only reads and writes keys."
def visit(view, user, path="/"):
    request = RequestFactory().get(path)
    request.user, request.session = user, {}
    request._messages = FallbackStorage(request)
    return view(request)

# %% exercise="22.5" role="mistake" says="The request has a user, and no session: `SessionMiddleware` did not run. Give it one."
def visit(view, user, path="/"):
    request = RequestFactory().get(path)
    request.user = user
    return view(request)

# %% exercise="22.5" role="mistake" says="Messages need a storage of their own on the request: without `MessageMiddleware`, put a `FallbackStorage` there."
def visit(view, user, path="/"):
    request = RequestFactory().get(path)
    request.user = user
    request.session = SessionStore()
    return view(request)

# %% exercise="22.5" role="mistake" says="The path is not used: the view sees `/`, and no query."
def visit(view, user, path="/"):
    request = RequestFactory().get("/")
    request.user = user
    return SessionMiddleware(MessageMiddleware(view))(request)

# %% exercise="22.5" role="mistake" says="Nobody is a visitor, too: the request needs `user` also where that is an `AnonymousUser`."
def visit(view, user, path="/"):
    request = RequestFactory().get(path)
    if user.is_authenticated:
        request.user = user
    return SessionMiddleware(MessageMiddleware(view))(request)

# %% exercise="22.5" role="hint"
# Three attributes that middleware would have set: `user`, `session`, and the storage of the messages.
# %% exercise="22.5" role="hint"
# A middleware is built with the next thing to call: `SessionMiddleware(MessageMiddleware(view))(request)`.

# %% [markdown] exercise="22.6"
# ### 22.6 Who gets in?
#
# The page `/report/` sends who is not logged in to `/login/`, refuses customers with 403, and shows itself to staff. Write the tests with `self.client`. They have to find:
# a page open to all, one open to every customer, one that asks only those who are logged in who they are and is open to strangers, one that sends customers to the login, one that is shut for everybody. Log in without passwords.

# %% exercise="22.6" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    return "green" if result.wasSuccessful() else "red"


def observe(answer):
    def report(request):
        return HttpResponse("the report")

    def staff(user):
        if not user.is_staff:
            raise PermissionDenied
        return True

    def shut(request):
        raise PermissionDenied

    def no_customers(user):
        return user.is_anonymous or staff(user)

    ways = {
        "right": login_required(user_passes_test(staff)(report)),
        "open to all": report,
        "open to customers": login_required(report),
        "customers go to the login": user_passes_test(lambda user: user.is_staff)(report),
        "nobody is asked to log in": user_passes_test(staff)(report),
        "shut": login_required(shut),
        "open to strangers": user_passes_test(no_customers)(report),
    }
    seen = {}
    for name, way in ways.items():
        with override_settings(ROOT_URLCONF=(path("report/", way), path("login/", report)), LOGIN_URL="/login/"):
            seen[name] = run(answer)
    return seen

# %% exercise="22.6" role="answer" datasets=["edge"]
class ReportTest(TestCase):
    # solution
    @classmethod
    def setUpTestData(cls):
        cls.customer = User.objects.create(username="reader")
        cls.bookseller = User.objects.create(username="bookseller", is_staff=True)

    def test_nobody_is_sent_to_the_login(self):
        response = self.client.get("/report/")
        self.assertRedirects(response, "/login/?next=/report/", fetch_redirect_response=False)

    def test_customers_are_refused(self):
        self.client.force_login(self.customer)
        self.assertEqual(self.client.get("/report/").status_code, 403)

    def test_staff_sees_it(self):
        self.client.force_login(self.bookseller)
        self.assertEqual(self.client.get("/report/").status_code, 200)
    # end


check("22.6")

# %% exercise="22.6" role="alternative" note="A table of who and what, with `subTest`: each row is reported by itself."
class ReportTest(TestCase):
    def test_who_gets_in(self):
        for name, is_staff, status in [("nobody", None, 302), ("reader", False, 403), ("bookseller", True, 200)]:
            with self.subTest(name):
                self.client.logout()
                if is_staff is not None:
                    self.client.force_login(User.objects.create(username=name, is_staff=is_staff))
                self.assertEqual(self.client.get("/report/").status_code, status)

# %% exercise="22.6" role="alternative" note="With a factory for visitors, and the login page fetched along the way."
class ReportTest(TestCase):
    def status_for(self, **values):
        self.client.force_login(User.objects.create(username="visitor", **values))
        return self.client.get("/report/").status_code

    def test_nobody(self):
        self.assertRedirects(self.client.get("/report/"), "/login/?next=/report/")

    def test_customer(self):
        self.assertEqual(self.status_for(), 403)

    def test_staff(self):
        self.assertEqual(self.status_for(is_staff=True), 200)

# %% exercise="22.6" role="mistake" says="Only those who may are tested. That a door opens does not say that it can be shut: test who must not get in."
class ReportTest(TestCase):
    def test_staff_sees_it(self):
        self.client.force_login(User.objects.create(username="bookseller", is_staff=True))
        self.assertEqual(self.client.get("/report/").status_code, 200)

# %% exercise="22.6" role="mistake" says="Nobody tests who is logged in and is no staff: a page open to every customer stays green."
class ReportTest(TestCase):
    def test_nobody(self):
        self.assertEqual(self.client.get("/report/").status_code, 302)

    def test_staff_sees_it(self):
        self.client.force_login(User.objects.create(username="bookseller", is_staff=True))
        self.assertEqual(self.client.get("/report/").status_code, 200)

# %% exercise="22.6" role="mistake" says="`assertNotEqual(…, 200)` is content with any other answer, so a customer who is sent to the login goes unnoticed. Say which status you expect."
class ReportTest(TestCase):
    def test_nobody(self):
        self.assertEqual(self.client.get("/report/").status_code, 302)

    def test_customers(self):
        self.client.force_login(User.objects.create(username="reader"))
        self.assertNotEqual(self.client.get("/report/").status_code, 200)

    def test_staff_sees_it(self):
        self.client.force_login(User.objects.create(username="bookseller", is_staff=True))
        self.assertEqual(self.client.get("/report/").status_code, 200)

# %% exercise="22.6" role="mistake" says="The tests refuse everybody and let nobody in: a page that is shut for all stays green."
class ReportTest(TestCase):
    def test_nobody(self):
        self.assertEqual(self.client.get("/report/").status_code, 302)

    def test_customers(self):
        self.client.force_login(User.objects.create(username="reader"))
        self.assertEqual(self.client.get("/report/").status_code, 403)

# %% exercise="22.6" role="mistake" says="`login()` checks a password, and a user made by `create()` has none that fits, so it returns False and everybody is a stranger. `force_login` takes the user."
class ReportTest(TestCase):
    def test_staff_sees_it(self):
        User.objects.create(username="bookseller", is_staff=True, password="secret")
        self.client.login(username="bookseller", password="secret")
        self.assertEqual(self.client.get("/report/").status_code, 200)

# %% exercise="22.6" role="mistake" says="With `follow=True` you see the page at the end of all redirects: 200 is the login as well as the report. Look at the first answer."
class ReportTest(TestCase):
    def test_nobody(self):
        self.assertEqual(self.client.get("/report/", follow=True).status_code, 200)

    def test_customers(self):
        self.client.force_login(User.objects.create(username="reader"))
        self.assertEqual(self.client.get("/report/").status_code, 403)

    def test_staff_sees_it(self):
        self.client.force_login(User.objects.create(username="bookseller", is_staff=True))
        self.assertEqual(self.client.get("/report/").status_code, 200)

# %% exercise="22.6" role="hint"
# Three kinds of visitors, three answers: 302, 403, 200.
# %% exercise="22.6" role="hint"
# `self.client.force_login(User.objects.create(username="bookseller", is_staff=True))`

# %% [markdown] exercise="22.7"
# ### 22.7 Stop the clock at the border
#
# `parcel_leaves_today()` is true before 15:00 UTC, by `timezone.now()`, and false from 15:00 on. Write tests that find: a border at 14:00, 14:30 or 16:00, one where 15:00 itself
# still counts, and a function that always says the same. They call `self.parcel_leaves_today`, and pass at any time of the day.

# %% exercise="22.7" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    return "green" if result.wasSuccessful() else "red"


def observe(answer):
    class Clock(datetime):
        moment = None

        @classmethod
        def now(cls, tz=None):
            return cls.moment

    ways = {
        "right": lambda: timezone.now().hour < 15,
        "in UTC": lambda: timezone.now().astimezone(UTC).hour < 15,
        "by minutes": lambda: timezone.now() < timezone.now().replace(hour=15, minute=0, second=0, microsecond=0),
        "border at 14:00": lambda: timezone.now().hour < 14,
        "border at 16:00": lambda: timezone.now().hour < 16,
        "border at 14:30": lambda: (timezone.now().hour, timezone.now().minute) < (14, 30),
        "15:00 itself counts": lambda: timezone.now().time() <= timezone.now().time().replace(15, 0, 0, 0),
        "always": lambda: True,
        "never": lambda: False,
    }
    seen = {}
    for name, way in ways.items():
        answer.parcel_leaves_today = staticmethod(way)
        seen[name] = []
        for hour in (4, 20):
            Clock.moment = datetime(2026, 5, 4, hour, tzinfo=UTC)
            # Below `timezone.now`, so that answers may replace either of the two.
            with mock.patch("django.utils.timezone.datetime", Clock):
                seen[name].append(run(answer))
    return seen

# %% exercise="22.7" role="answer" datasets=["edge"]
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    # solution
    def leaves_at(self, moment):
        with mock.patch("django.utils.timezone.now", return_value=moment):
            return self.parcel_leaves_today()

    def test_border(self):
        three = datetime(2026, 6, 18, 15, tzinfo=UTC)
        self.assertIs(self.leaves_at(three - timedelta(microseconds=1)), True)
        self.assertIs(self.leaves_at(three), False)
    # end


check("22.7")

# %% exercise="22.7" role="alternative" note="`patch.object` on the module, once per test: the same name is replaced. Two tests say in their names what they are about."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    @mock.patch.object(timezone, "now", lambda: datetime(2026, 6, 18, 14, 59, 59, tzinfo=UTC))
    def test_before_three(self):
        self.assertTrue(self.parcel_leaves_today())

    @mock.patch.object(timezone, "now", lambda: datetime(2026, 6, 18, 15, tzinfo=UTC))
    def test_from_three_on(self):
        self.assertFalse(self.parcel_leaves_today())

# %% exercise="22.7" role="alternative" note="One level lower: the class that `timezone.now` asks. It also reaches code that has imported `now` by name."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_border(self):
        with mock.patch("django.utils.timezone.datetime") as clock:
            clock.now.return_value = datetime(2026, 6, 18, 14, 59, 59, 999999, tzinfo=UTC)
            self.assertTrue(self.parcel_leaves_today())
            clock.now.return_value = datetime(2026, 6, 18, 15, tzinfo=UTC)
            self.assertFalse(self.parcel_leaves_today())

# %% exercise="22.7" role="mistake" says="Two o'clock is a whole hour before the border: one at 14:30 stays green. Take the last moment before three."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_border(self):
        for hour, expected in ((14, True), (15, False)):
            with mock.patch("django.utils.timezone.now", return_value=datetime(2026, 6, 18, hour, tzinfo=UTC)):
                self.assertIs(self.parcel_leaves_today(), expected)

# %% exercise="22.7" role="mistake" says="`timezone.now` gives UTC. Three o'clock in another zone is another moment, and code that converts it is red: use `tzinfo=UTC`."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_border(self):
        there = timezone.get_fixed_timezone(120)
        for moment, expected in (
            (datetime(2026, 6, 18, 14, 59, 59, 999999, tzinfo=there), True),
            (datetime(2026, 6, 18, 15, tzinfo=there), False),
        ):
            with mock.patch("django.utils.timezone.now", return_value=moment):
                self.assertIs(self.parcel_leaves_today(), expected)

# %% exercise="22.7" role="mistake" says="Morning and evening are far from the border: wherever it is, the test is green. Test the last moment before it and the first one after."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_morning_and_evening(self):
        for hour, expected in ((9, True), (20, False)):
            with mock.patch("django.utils.timezone.now", return_value=datetime(2026, 6, 18, hour, tzinfo=UTC)):
                self.assertIs(self.parcel_leaves_today(), expected)

# %% exercise="22.7" role="mistake" says="The clock runs on: the test is green in the morning and red in the evening. Patch `timezone.now`."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_now(self):
        self.assertTrue(self.parcel_leaves_today())

# %% exercise="22.7" role="mistake" says="The test computes what it expects as the function does. Whoever changes the border in one of them sees it; a fault that both share, or a moment far from the border, does not show."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_now(self):
        self.assertEqual(self.parcel_leaves_today(), timezone.now().hour < 15)

# %% exercise="22.7" role="mistake" says="A minute past three is not three: whether 15:00 itself counts, this does not ask."
class ParcelTest(SimpleTestCase):
    @staticmethod
    def parcel_leaves_today():
        return timezone.now().hour < 15

    def test_border(self):
        for minutes, expected in ((-1, True), (1, False)):
            moment = datetime(2026, 6, 18, 15, tzinfo=UTC) + timedelta(minutes=minutes)
            with mock.patch("django.utils.timezone.now", return_value=moment):
                self.assertIs(self.parcel_leaves_today(), expected)

# %% exercise="22.7" role="hint"
# Two moments are enough: the last before three, and three itself.
# %% exercise="22.7" role="hint"
# `with mock.patch("django.utils.timezone.now", return_value=moment):`

# %% [markdown] exercise="22.8"
# ### 22.8 Shrink a failing case
#
# Write `shrink(case, fails)`: `case` is a list for which `fails(case)` is true. Return a list that still fails, made by leaving items out, and from which no single item
# can be left out without the failure going away. The order stays, and `case` itself is not changed.

# %% exercise="22.8" role="check"
def observe(answer):
    conditions = {
        "has a 7": lambda case: 7 in case,
        "has two alike": lambda case: len(set(case)) < len(case),
        "adds up to more than 20": lambda case: sum(case) > 20,
        "falls somewhere": lambda case: any(b < a for a, b in zip(case, case[1:])),
        "has a 7, and no 5 without a 3": lambda case: 7 in case and (5 not in case or 3 in case),
        "is of any kind": lambda case: True,
    }
    seen = {}
    for name, fails in conditions.items():
        chance = random.Random(name)
        drawn = [[chance.randrange(10) for _ in range(12)] for _ in range(30)]
        outcomes = set()
        for case in [[3, 5, 7], [1, 7, 7, 9, 3, 8], *drawn]:
            if not fails(case):
                continue
            given = list(case)
            small = list(answer(given, fails))
            rest = iter(case)
            smallest = not any(fails(small[:n] + small[n + 1 :]) for n in range(len(small)))
            outcomes.add(
                (
                    "still fails" if fails(small) else "does not fail",
                    "smallest" if smallest else "an item too many",
                    "left out only" if all(item in rest for item in small) else "order or items changed",
                    "case as it was" if given == case else "case changed",
                )
            )
        seen[name] = sorted(outcomes)
    return seen

# %% exercise="22.8" role="answer" datasets=["edge"]
def shrink(case, fails):
    # solution
    position = 0
    while position < len(case):
        shorter = case[:position] + case[position + 1 :]
        if fails(shorter):
            case, position = shorter, 0
        else:
            position += 1
    return case
    # end


check("22.8")

# %% exercise="22.8" role="alternative" note="`next` finds the first shorter list that fails; the loop ends when there is none."
def shrink(case, fails):
    def shorter():
        return (case[:n] + case[n + 1 :] for n in range(len(case)))

    while (smaller := next(filter(fails, shorter()), None)) is not None:
        case = smaller
    return case

# %% exercise="22.8" role="alternative" note="Recursive: the same search, and a deep stack for a long case."
def shrink(case, fails):
    for n in range(len(case)):
        shorter = case[:n] + case[n + 1 :]
        if fails(shorter):
            return shrink(shorter, fails)
    return case

# %% exercise="22.8" role="mistake" says="One pass is not enough: after an item is gone, an earlier one may go that had to stay before. Begin anew after each success."
def shrink(case, fails):
    position = 0
    while position < len(case):
        shorter = case[:position] + case[position + 1 :]
        if fails(shorter):
            case = shorter
        else:
            position += 1
    return case

# %% exercise="22.8" role="mistake" says="You only drop items at the end. What matters may stand there, with the ballast before it."
def shrink(case, fails):
    while case and fails(case[:-1]):
        case = case[:-1]
    return case

# %% exercise="22.8" role="mistake" says="The caller's list is changed. Make a shorter copy instead of taking items out of it."
def shrink(case, fails):
    position = 0
    while position < len(case):
        item = case.pop(position)
        if fails(case):
            position = 0
        else:
            case.insert(position, item)
            position += 1
    return case

# %% exercise="22.8" role="mistake" says="`remove(item)` takes the first of its kind, and a set of the items loses doubles and order. Leave out by position."
def shrink(case, fails):
    case = sorted(set(case)) if fails(sorted(set(case))) else sorted(case)
    position = 0
    while position < len(case):
        shorter = case[:position] + case[position + 1 :]
        if fails(shorter):
            case, position = shorter, 0
        else:
            position += 1
    return case

# %% exercise="22.8" role="hint"
# `case[:n] + case[n + 1:]` is the list without the item at n.
# %% exercise="22.8" role="hint"
# When a shorter list fails, take it and begin again at 0; otherwise go on to the next position.

# %% [markdown] exercise="22.9"
# ### 22.9 Let chance look for a counterexample
#
# `split(cents, parts)` cuts a sum into instalments: as many as `parts`, all whole cents, together the sum, and no two of them more than one cent apart. Write
# `counterexample(split, seed)`: try 500 random cases, with sums from 0 to 1000 and 1 to 12 parts, and return the first `(cents, parts)` where that is not so, or `None`. The same
# seed tries the same cases, whatever else draws random numbers.

# %% exercise="22.9" role="check"
def observe(answer):
    def right(cents, parts):
        return [(cents + n) // parts for n in range(parts)]

    def holds(split, cents, parts):
        shares = split(cents, parts)
        return [type(share) for share in shares] == [int] * parts and sorted(shares) == sorted(right(cents, parts))

    def spread_badly(cents, parts):
        return [cents // parts] * (parts - 1) + [cents // parts + cents % parts]

    splits = {
        "right": right,
        "another order": lambda cents, parts: right(cents, parts)[::-1],
        "loses the rest": lambda cents, parts: [cents // parts] * parts,
        "the rest in one": spread_badly,
        "one too few": lambda cents, parts: right(cents, parts - 1) if parts == 12 else right(cents, parts),
        "halves": lambda cents, parts: [cents / parts] * parts,
        "small sums only": lambda cents, parts: right(cents, parts) if cents >= 100 else [cents],
    }
    seen = {}
    for name, split in splits.items():
        tried = []

        def watched(cents, parts, draws=random.Random(name)):
            tried.append((cents, parts))
            # Somebody else draws too, and not the same in the two runs.
            for _ in range(draws.randrange(3)):
                random.random()
            return split(cents, parts)

        found = answer(watched, 1)
        runs = [list(tried)]
        tried.clear()
        again = answer(watched, 1)
        runs.append(list(tried))
        tried.clear()
        answer(watched, 2)
        within = all(0 <= cents <= 1000 and 1 <= parts <= 12 for cents, parts in runs[0])
        seen[name] = {
            "found": found is not None,
            "the first of them": found is None or tuple(found) == next(case for case in runs[0] if not holds(split, *case)),
            "the same again": found == again and runs[0] == runs[1],
            "another seed, other cases": tried != runs[0],
            "within the bounds": within,
            "enough cases": found is not None or len(runs[0]) >= 500,
            "every number of parts": found is not None or len({parts for _, parts in runs[0]}) == 12,
        }
    return seen

# %% exercise="22.9" role="answer" datasets=["edge"]
def counterexample(split, seed):
    # solution
    chance = random.Random(seed)
    for _ in range(500):
        cents, parts = chance.randint(0, 1000), chance.randint(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            return cents, parts
    return None
    # end


check("22.9")

# %% exercise="22.9" role="alternative" note="The property as a function of its own, the cases as a generator: `next` puts them together."
def counterexample(split, seed):
    def holds(cents, parts):
        shares = split(cents, parts)
        lowest, more = divmod(cents, parts)
        return sorted(shares) == [lowest] * (parts - more) + [lowest + 1] * more and {type(n) for n in shares} == {int}

    chance = random.Random(seed)
    cases = ((chance.randrange(1001), chance.randrange(1, 13)) for _ in range(500))
    return next((case for case in cases if not holds(*case)), None)

# %% exercise="22.9" role="mistake" says="Only the sum is looked at. The rest in one instalment, or halves of cents, have the right sum as well: ask for each property."
def counterexample(split, seed):
    chance = random.Random(seed)
    for _ in range(500):
        cents, parts = chance.randint(0, 1000), chance.randint(1, 12)
        if sum(split(cents, parts)) != cents:
            return cents, parts
    return None

# %% exercise="22.9" role="mistake" says="The seed is not used: what fails today cannot be repeated tomorrow. Draw from `random.Random(seed)`."
def counterexample(split, seed):
    for _ in range(500):
        cents, parts = random.randint(0, 1000), random.randint(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            return cents, parts
    return None

# %% exercise="22.9" role="mistake" says="`random.seed` sets the generator that all share: whoever else draws from it moves your cases. Make your own, `random.Random(seed)`."
def counterexample(split, seed):
    random.seed(seed)
    for _ in range(500):
        cents, parts = random.randint(0, 1000), random.randint(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            return cents, parts
    return None

# %% exercise="22.9" role="mistake" says="You try all the cases and keep the last that fails. Return the first one: it is found sooner, and the same seed leads straight to it."
def counterexample(split, seed):
    chance, found = random.Random(seed), None
    for _ in range(500):
        cents, parts = chance.randint(0, 1000), chance.randint(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            found = cents, parts
    return found

# %% exercise="22.9" role="mistake" says="`randrange(1, 12)` ends at 11: twelve parts are never tried. `randint` has both ends."
def counterexample(split, seed):
    chance = random.Random(seed)
    for _ in range(500):
        cents, parts = chance.randrange(1000), chance.randrange(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            return cents, parts
    return None

# %% exercise="22.9" role="mistake" says="The generator is made anew for each case, with the same seed: 500 times the same case."
def counterexample(split, seed):
    for _ in range(500):
        chance = random.Random(seed)
        cents, parts = chance.randint(0, 1000), chance.randint(1, 12)
        shares = split(cents, parts)
        whole = all(isinstance(share, int) for share in shares)
        if not whole or len(shares) != parts or sum(shares) != cents or max(shares) - min(shares) > 1:
            return cents, parts
    return None

# %% exercise="22.9" role="hint"
# Four properties: how many instalments, whole cents, their sum, and how far the largest is from the smallest.
# %% exercise="22.9" role="hint"
# `chance = random.Random(seed)` before the loop, `chance.randint(1, 12)` inside of it.

# %% [markdown] exercise="22.10"
# ### 22.10 Await what you test
#
# `is_left(slug, copies)` is a coroutine function: whether at least so many copies of the book are in stock, and False for a book that nobody knows. The rows are made for you: three
# copies of `test-atlas`. Write tests that find: always True, always False, "more than" in place of "at least", and a book not looked at. They call `self.is_left`.

# %% exercise="22.10" role="check"
def run(case):
    setup_test_environment(debug=False)
    try:
        result = TestSuite([defaultTestLoader.loadTestsFromTestCase(case)]).run(TestResult())
    finally:
        teardown_test_environment()
    if not result.testsRun and result.wasSuccessful():
        return "no tests"
    return "green" if result.wasSuccessful() else "red"


def observe(answer):
    import warnings

    from asgiref.sync import AsyncSingleThreadContext

    async def right(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    async def other_way(slug, copies):
        stock = await Stock.objects.filter(book__slug=slug).afirst()
        return stock is not None and stock.quantity >= copies

    async def always(slug, copies):
        return True

    async def never(slug, copies):
        return False

    async def more(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gt=copies).aexists()

    async def any_book(slug, copies):
        return copies <= 3

    ways = {
        "right": right,
        "by the object": other_way,
        "always": always,
        "never": never,
        "more than": more,
        "any book": any_book,
    }
    seen = {}
    # One thread for the loops of all tests, ended with the block.
    with warnings.catch_warnings(), AsyncSingleThreadContext():
        warnings.simplefilter("ignore")
        for name, way in ways.items():
            answer.is_left = staticmethod(way)
            with uncounted():
                seen[name] = run(answer)
    return seen

# %% exercise="22.10" role="answer" datasets=["edge"] seconds=20
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    # solution
    async def test_at_least(self):
        self.assertIs(await self.is_left("test-atlas", 3), True)
        self.assertIs(await self.is_left("test-atlas", 4), False)

    async def test_unknown_book(self):
        self.assertIs(await self.is_left("no-such-book", 1), False)
    # end


check("22.10")

# %% exercise="22.10" role="alternative" note="A plain test that makes the coroutine synchronous, where the rest of the test is synchronous: query counts, callbacks."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    def test_table(self):
        is_left = async_to_sync(self.is_left)
        for slug, copies, expected in [("test-atlas", 3, True), ("test-atlas", 4, False), ("unknown", 1, False)]:
            with self.subTest(slug=slug, copies=copies):
                self.assertEqual(is_left(slug, copies), expected)

# %% exercise="22.10" role="alternative" note="One test per sentence. Each is a coroutine of its own, and gets an event loop of its own."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    async def test_all_of_them(self):
        self.assertTrue(await self.is_left("test-atlas", 3))

    async def test_one_more_than_there_is(self):
        self.assertFalse(await self.is_left("test-atlas", 4))

    async def test_unknown_book(self):
        self.assertFalse(await self.is_left("unknown", 0))

# %% exercise="22.10" role="mistake" says="Without `await` you test the coroutine, which is always true: the right function is red where you expect False. Make the tests `async def`."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    def test_at_least(self):
        self.assertTrue(self.is_left("test-atlas", 3))
        self.assertFalse(self.is_left("test-atlas", 4))

    def test_unknown_book(self):
        self.assertFalse(self.is_left("unknown", 1))

# %% exercise="22.10" role="mistake" says="A coroutine that nobody awaits is always true, so the test is green whatever the function does. Make it `async def`, and await."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    def test_at_least(self):
        self.assertTrue(self.is_left("test-atlas", 3))

# %% exercise="22.10" role="mistake" says="One copy and ten are far from the border: `more than` answers the same. Ask for exactly as many as there are."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    async def test_few_and_many(self):
        self.assertTrue(await self.is_left("test-atlas", 1))
        self.assertFalse(await self.is_left("test-atlas", 10))

    async def test_unknown_book(self):
        self.assertFalse(await self.is_left("unknown", 1))

# %% exercise="22.10" role="mistake" says="Only one book is asked for: a function that does not look at the slug stays green."
class StockTest(TestCase):
    @staticmethod
    async def is_left(slug, copies):
        return await Stock.objects.filter(book__slug=slug, quantity__gte=copies).aexists()

    @classmethod
    def setUpTestData(cls):
        jane = Author.objects.create(name="A Test Author", slug="a-test-author")
        atlas = Book.objects.create(title="Test Atlas", slug="test-atlas", author=jane, price=9)
        Stock.objects.create(book=atlas, quantity=3)

    async def test_border(self):
        self.assertTrue(await self.is_left("test-atlas", 3))
        self.assertFalse(await self.is_left("test-atlas", 4))

# %% exercise="22.10" role="hint"
# A test may be `async def` in a Django `TestCase`; it needs nothing else.
# %% exercise="22.10" role="hint"
# `self.assertTrue(await self.is_left("test-atlas", 3))`, and the cases beside it: one copy more, another slug.
