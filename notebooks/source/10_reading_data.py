# %% [markdown]
# # 10 · Reading data
#
# After this chapter you can say what the ORM does and what it costs, fetch all rows, some rows or exactly one without
# surprises, and show the SQL behind any of it.
#
# *Questions: Q27 the ORM · Q28 all rows · Q29 filtering · Q30 one object · Q31 seeing the SQL.* Predict each count before
# you run the cell: that is the practice. [Exercises 10.1 to 10.8](../exercises/10_reading_data.ipynb) follow.

# %%
from checks import quiz
from lab import explain, queries, reset, show, start

start()

# Django is set up now, so its models can be imported.
import django
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.db import connection, models
from django.db.models import F, Subquery
from orders.models import Order, OrderLine

# %% [markdown]
# ## Q27 · What is the Django ORM?
#
# *Basic · asked as T03, B6*
#
# **Say it.** The ORM maps a class to a table and an object to a row, and turns method calls into parameterised SQL for
# whichever database is configured. What I build is a queryset: the description of a query. It is lazy, so nothing is
# sent until I ask for rows or a number. Once it was read as a whole it keeps its rows, and looping over it again costs nothing.
# It replaces most SQL, not all of it: `raw()` and cursors are there for the rest.
#
# *What lifts it:* say which operations send a query, and which of them fill the cache. Most slow pages come from not
# knowing the difference.

# %% [markdown]
# **See it.** Two filters and an ordering. How many queries?

# %%
with queries():
    austen = Book.objects.filter(author__name="Jane Austen")
    late = austen.exclude(published__lt=1815).order_by("published", "title")

# %% [markdown]
# None: that was a description. Looping over it sends one, with every condition in it:

# %%
with queries():
    for book in late:
        print(book.published, book.title)

# %% [markdown]
# The rows stay in that queryset. Three more questions to it are free:

# %%
with queries():
    print(len(late), late[0].title, late.exists())

# %% [markdown]
# A queryset that was never read as a whole has no cache to answer from. A small meter, and six requests to one
# queryset. Predict the six numbers:

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


books = Book.objects.in_print().order_by("title")
print(cost(lambda: books[0]), cost(lambda: books[0]), cost(lambda: list(books)))
print(cost(lambda: books[0]), cost(lambda: books.count()), cost(lambda: bool(books)))

# %% [markdown]
# An index on an unread queryset is a query each time, and keeps nothing. `list()` fills the cache, and from then on
# indexing, `count()` and `bool()` read it.

# %% [markdown]
# **The trap.** "The ORM lets you work without ever writing SQL," says a well-known list. It misleads those who then
# bend the ORM around a query that SQL says plainly. Django keeps the door open, and returns model instances through it:

# %%
longest = """
    SELECT * FROM catalog_book AS book
    WHERE pages = (SELECT MAX(pages) FROM catalog_book WHERE decade = book.decade)
    AND decade < %s ORDER BY decade, title
"""
for book in Book.objects.raw(longest, [1800]):
    print(book.decade, book.title, book.pages)

# %% [markdown]
# The placeholder is not Python formatting: `raw()` hands the parameter to the driver apart from the text, so a quote in
# it cannot end the statement. [Performing raw SQL queries](https://docs.djangoproject.com/en/stable/topics/db/sql/)
# has the warnings.

# %% [markdown]
# **Asked next**
#
# - *What triggers evaluation?* Iterating, `len()`, `list()`, `bool()`, `repr()`, pickling, an index, and a slice with a step.
#   A plain slice of an unread queryset does not: it returns another lazy queryset
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#when-querysets-are-evaluated)).

# %%
import pickle

def fresh():
    return Book.objects.in_print().order_by("title")

print("no query:", cost(lambda: fresh()[:5]), cost(lambda: fresh().all()))
print("a query: ", cost(lambda: fresh()[:6:2]), cost(lambda: len(fresh())), cost(lambda: bool(fresh())),
      cost(lambda: repr(fresh())), cost(lambda: pickle.dumps(fresh())))

# %% [markdown]
# - *How does the result cache behave?* One per queryset object, filled by the first complete evaluation, never
#   refreshed. A row that changes afterwards is not seen until you ask a new queryset:

# %%
books = Book.objects.filter(title="Emma")
before = [book.price for book in books]
Book.objects.filter(title="Emma").update(price=1)
print(books[0].price == before[0], books.all()[0].price)

# %% [markdown]
# - *What does `iterator(chunk_size=…)` do to memory?* It hands out rows in chunks and keeps none, so where the
#   database streams, as SQLite and PostgreSQL do, the peak follows the chunk and not the table. A second loop queries again. Measured on the order lines, the whole list against chunks of 100:

# %%
import tracemalloc


def peak(rows):
    tracemalloc.start()
    for _ in rows():
        pass
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


lines = OrderLine.objects.order_by("pk")
print(peak(lambda: list(lines)) > 5 * peak(lambda: lines.iterator(chunk_size=100)))

# %% [markdown]
# **Versions.** 6.1 can say whether an ordering decides between every two rows. Two books of one year are a tie, and a
# page break inside a tie can repeat or lose rows. On 5.2 you have to know it yourself:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(Book.objects.order_by("published").totally_ordered)
    print(Book.objects.order_by("published", "pk").totally_ordered)
else:
    print("Django 6.1 prints False, then True.")

# %%
quiz("Q27")

# %% [markdown]
# Practise: exercises [10.1 and 10.2](../exercises/10_reading_data.ipynb).

# %% [markdown]
# ## Q28 · How do you view all items of a model?
#
# *Basic · asked as I12*
#
# **Say it.** `Book.objects.all()`. It is lazy: one `SELECT` without a `LIMIT` when I loop over it, and the rows are kept
# in that queryset. For a real table I ask for less: `values_list()` when I need plain data, `only()` or `defer()` when
# one column is heavy, a slice for a page, `iterator()` for a job that reads millions. And `all()` means all that the
# manager lets through, not all that the table holds.

# %% [markdown]
# **See it.** The whole table, every column, no limit:

# %%
reset()
with queries():
    print(len(Book.objects.all()))

# %% [markdown]
# Plain data instead of objects: two columns travel, and no `Book` is built.

# %%
with queries():
    pairs = Book.objects.order_by("published", "title").values_list("published", "title")[:3]
    print(list(pairs))

# %% [markdown]
# `values()` gives dictionaries, `flat=True` the bare column:

# %%
print(Book.objects.order_by("title").values("title", "author__name")[0])
print(list(Author.objects.filter(country="Ireland").order_by("name").values_list("name", flat=True)))

# %% [markdown]
# `only()` still builds objects, with the other fields left out until somebody reads them. Three books, and then their
# prices: how many queries?

# %%
with queries():
    for book in Book.objects.only("title").order_by("title")[:3]:
        print(book.title, book.price)

# %% [markdown]
# One, and one more per object: a deferred field turns the first read on each object into a round trip. `defer()` is for a column that this
# code path never reads.

# %% [markdown]
# **The trap.** "`all()` returns every row of the table." It returns what the manager's `get_queryset()` returns. Declare a
# manager that hides rows first, and they are gone from `all()`, from the admin and from this count:

# %%
class InPrint(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(in_print=True)


class AvailableBook(Book):
    objects = InPrint()

    class Meta:
        proxy = True
        app_label = "lab"


print(AvailableBook.objects.all().count(), Book.objects.all().count())

# %% [markdown]
# **Asked next**
#
# - *`objects`, `_default_manager`, `_base_manager`?* `objects` is a name. `_default_manager` is the one in
#   `Meta.default_manager_name`, else the first that the class defines, else its parent's: the admin and the reverse side of
#   relations use it. `_base_manager` is a plain `Manager` unless
#   `Meta.base_manager_name` says otherwise: Django uses it to follow a foreign key, so that a hidden row can still be
#   reached ([documentation](https://docs.djangoproject.com/en/stable/topics/db/managers/#default-managers)).

# %%
for manager in (AvailableBook.objects, AvailableBook._default_manager, AvailableBook._base_manager):
    print(f"{manager.name:14} {type(manager).__name__:8} {manager.count()}")

# %% [markdown]
# - *What does `defer()` cost when you touch the field?* One query per object and field, as above. The round trip, not the
#   column, is what you pay.
# - *How do you stream a million rows?* `iterator(chunk_size=2000)`. On PostgreSQL it uses a server-side cursor, which does not
#   survive a pooler in transaction mode unless the loop is inside `atomic()`
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/databases/#transaction-pooling-server-side-cursors)).
#   Together with `prefetch_related` the chunk size is not optional:

# %% tags=["raises-exception"]
for author in Author.objects.prefetch_related("books").iterator():
    print(author)

# %% [markdown]
# **Versions.** `values_list(flat=True)` without a field name gives the first column, usually the primary key. 6.1 deprecates
# that; name the field. Since 5.2 the columns of `values()` come in the order in which you name them.

# %% tags=["since-6.1"]
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    Genre.objects.values_list(flat=True)
if django.VERSION >= (6, 1):
    print(caught[0].category.__name__)
else:
    print("Django 6.1 warns with RemovedInDjango2028Warning.")

# %%
quiz("Q28")

# %% [markdown]
# Practise: exercises [10.3 and 10.4](../exercises/10_reading_data.ipynb).

# %% [markdown]
# ## Q29 · How do you filter the items of a model?
#
# *Basic · asked as I13*
#
# **Say it.** `filter()` keeps the rows for which every condition holds; on the model's own columns `exclude()` is its
# complement. A condition is `field__lookup=value`, and the double underscore also crosses relations, which becomes a join.
# Across a relation with many rows, conditions in one `filter()` call speak of the same related row, chained calls may each
# find another. In one `exclude()` they do not, so negate an `Exists`. For "or" and comparisons of columns there are `Q` and `F`.
#
# *What lifts it:* the multi-valued rule with its joins, `exclude()` with NULL, and the duplicates that a join brings.

# %% [markdown]
# **See it.** A lookup becomes an operator of SQL. Four of them:

# %%
def where(queryset):
    return str(queryset.query).partition(" WHERE ")[2].partition(" ORDER BY ")[0]


for lookup in ({"title": "Emma"}, {"title__icontains": "war"}, {"published__range": (1813, 1815)}, {"rating": None}):
    print(Book.objects.filter(**lookup).count(), where(Book.objects.filter(**lookup)))

# %% [markdown]
# A double underscore crosses a foreign key, and the join is written for you:

# %%
with queries():
    print(Book.objects.filter(author__country="Ireland", published__lt=1900).count())

# %% [markdown]
# Now a relation with many rows. Which customers placed an order in 2024 that was cancelled? And what does the second
# line ask?

# %%
one_call = User.objects.filter(orders__status="cancelled", orders__placed_at__year=2024).distinct()
two_calls = User.objects.filter(orders__status="cancelled").filter(orders__placed_at__year=2024).distinct()
print(one_call.count(), two_calls.count())

# %% [markdown]
# The second asks for a customer with some cancelled order, and some order of 2024: perhaps not the same one. The SQL
# shows why, since each call joined the orders anew:

# %%
print(str(one_call.query).count("JOIN"), str(two_calls.query).count("JOIN"))

# %% [markdown]
# `exclude()` is "not", and in SQL a comparison with NULL is neither true nor false. For a column Django adds the missing half,
# so that no row falls between the two. For an annotation it does not:

# %%
poor, rest = Book.objects.filter(rating__lt=4), Book.objects.exclude(rating__lt=4)
print(poor.count(), rest.count(), Book.objects.count())
print(where(rest))
print(Book.objects.annotate(stars=F("rating")).exclude(stars__lt=4).count())

# %% [markdown]
# **The trap.** "`exclude(rating__lt=4)` is the same as `filter(rating__gte=4)`." It misleads whoever thinks in numbers
# and forgets the rows without one. Books that nobody rated are in the first and not in the second:

# %%
print(Book.objects.exclude(rating__lt=4).count(), Book.objects.filter(rating__gte=4).count())
print(Book.objects.filter(rating=None).count())

# %% [markdown]
# The second trap is order: a slice is a `LIMIT`, and SQL filters before it limits. Django refuses to guess which of the
# two you meant:

# %% tags=["raises-exception"]
Book.objects.order_by("-rating")[:10].filter(in_print=True)

# %% [markdown]
# **Asked next**
#
# - *Why does a chained `filter()` on a many-to-many return other rows?* Each call is a join of its own, so each condition
#   may be met by a different related row. Books that are both satire and adventure are found in this way, with two joins of
#   two tables each: no single genre has both names
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/db/queries/#spanning-multi-valued-relationships)).

# %%
neither = Book.objects.filter(genres__name="Satire", genres__slug="adventure")
both = Book.objects.filter(genres__name="Satire").filter(genres__name="Adventure")
print(neither.count(), both.count())
print(str(neither.query).count("JOIN"), str(both.query).count("JOIN"))

# %% [markdown]
# - *How does `exclude()` treat NULL?* It keeps rows whose column is NULL, as shown: the compiled condition carries
#   `IS NOT NULL` inside the `NOT`. Raw SQL that says `NOT (rating < 4)` would lose them.
# - *Is `exclude()` always the complement of `filter()`?* Not across a relation with many rows: there each condition is looked for
#   on its own. Users without an order of 2024 that was cancelled, asked wrongly and rightly:

# %%
from django.db.models import Exists, OuterRef

bad_year = Order.objects.filter(customer=OuterRef("pk"), status="cancelled", placed_at__year=2024)
print(User.objects.count() - one_call.count())
print(User.objects.exclude(orders__status="cancelled", orders__placed_at__year=2024).count())
print(User.objects.filter(~Exists(bad_year)).count())

# %% [markdown]
# - *`F`, `Exists`, `Subquery`: when?* `F` compares or computes with columns in the database. `Exists` asks whether a related
#   row is there, and does not multiply rows as a join does. `Subquery` brings one value from another table. The join
#   needs `distinct()`, and the database then sorts out what it first multiplied:

# %%
sold = OrderLine.objects.filter(book=OuterRef("pk"), quantity__gte=2)
print(Book.objects.filter(lines__quantity__gte=2).count())
print(Book.objects.filter(lines__quantity__gte=2).distinct().count(), Book.objects.filter(Exists(sold)).count())

# %% [markdown]
# `F` at work: lines that were sold for less than the book costs today. And `Subquery`: the day of a user's last order.

# %%
print(OrderLine.objects.filter(unit_price__lt=F("book__price")).count())
last = Order.objects.filter(customer=OuterRef("pk")).order_by("-placed_at").values("placed_at__date")[:1]
print(User.objects.annotate(last_order=Subquery(last)).get(username="mira").last_order)

# %%
quiz("Q29")

# %% [markdown]
# Practise: exercises [10.5 and 10.6](../exercises/10_reading_data.ipynb).

# %% [markdown]
# ## Q30 · How do you get one particular item?
#
# *Basic · asked as A7, M1*
#
# **Say it.** `get()` when there must be exactly one: it raises `DoesNotExist` for none and `MultipleObjectsReturned` for
# more, and both are attributes of the model class. In a view, `get_object_or_404()` turns the first into a 404. When
# absence is normal, `first()` gives `None`, but only an explicit ordering says which row is first. `get_or_create()`
# needs a unique constraint to be safe when two requests arrive together.

# %% [markdown]
# **See it.** One row, and a limit that nobody wrote:

# %%
with queries():
    print(Book.objects.get(slug="emma"))

# %% [markdown]
# Django asks for at most 21 rows: enough to say how many, up to twenty, without reading the table. None at all:

# %% tags=["raises-exception"]
Book.objects.get(title="Emma II")

# %% [markdown]
# Several:

# %% tags=["raises-exception"]
Book.objects.get(author__name="Jane Austen")

# %% [markdown]
# A value that cannot be a key never reaches the database. That is a third exception: for an integer key `ValueError`, for a
# UUID `ValidationError`. Code that reads an id from a URL has to think of it:

# %% tags=["raises-exception"]
Book.objects.get(pk="abc")

# %% [markdown]
# `get_object_or_404()` translates only the first of the three. With the path converter `<int:pk>` the third cannot happen:

# %%
from django.http import Http404
from django.shortcuts import get_object_or_404

try:
    get_object_or_404(Book, title="Emma II")
except Http404 as error:
    print(type(error).__name__, error)

# %% [markdown]
# `first()` returns `None` where `get()` would raise `DoesNotExist`, and one row where there are several. Without an ordering
# on the model it sorts by primary key:

# %%
print(Book.objects.filter(title="Emma II").first())
with queries():
    print(User.objects.filter(is_staff=True).first())

# %% [markdown]
# **The trap.** "`get_or_create()` is atomic, so it cannot create duplicates." It looks, and then it creates. Between the
# two another request may look as well. Here are the four steps of two requests, on a model without a constraint:

# %%
class Shelf(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "lab"


def look():
    return Shelf.objects.filter(name="Poetry").exists()


first_sees, second_sees = look(), look()
for seen in (first_sees, second_sees):
    if not seen:
        Shelf.objects.create(name="Poetry")
print(Shelf.objects.count())

# %% [markdown]
# Two shelves, and from now on the call that was meant to be safe fails for everybody:

# %% tags=["raises-exception"]
Shelf.objects.get_or_create(name="Poetry")

# %% [markdown]
# The documentation says so: the method is atomic "assuming that the database enforces uniqueness of the keyword arguments"
# ([get_or_create](https://docs.djangoproject.com/en/stable/ref/models/querysets/#get-or-create)). With the constraint the second
# `INSERT` is refused, and `get_or_create()` catches that and gets the row of the winner. A manager that looks too early
# plays the slower request:

# %%
class LateLook(models.QuerySet):
    looks = 0

    def get(self, *args, **kwargs):
        LateLook.looks += 1
        if LateLook.looks == 1:
            raise Genre.DoesNotExist  # the other request has not stored it yet
        return super().get(*args, **kwargs)


print(LateLook(Genre).get_or_create(name="Satire", slug="satire"))

# %% [markdown]
# **Asked next**
#
# - *Is `get_or_create()` atomic?* Each half is, the pair is not. The database has to enforce the uniqueness.
# - *Why does `get()` fetch up to 21 rows?* To put a number into the message without counting the table. Above twenty it
#   stops counting:

# %% tags=["raises-exception"]
OrderLine.objects.get(quantity=1)

# %% [markdown]
# - *`get_object_or_404()` or catching `DoesNotExist` in an API?* The shortcut in views, where Django turns `Http404` into a
#   page and REST framework into a JSON answer. In services and tasks catch `DoesNotExist`: they know of no HTTP.
# - *And the quiz question with `get(id='123')`?* A string of digits is converted, so it works like `123`. With a
#   primary key alone, of the two only `DoesNotExist` can happen; a condition on a to-many relation beside it brings the other back.

# %%
emma = Book.objects.get(slug="emma")
print(Book.objects.get(id=str(emma.pk)))
try:
    Book.objects.get(pk=emma.pk, genres__name__contains="a")
except Book.MultipleObjectsReturned as error:
    print(error)

# %% [markdown]
# **Versions.** An emptied ordering, `order_by()`, says "I do not care". Up to 6.0 `first()` cared all the same and added the
# primary key; from 6.1 on it takes you at your word, and which row comes first is the database's choice:

# %% tags=["since-6.1"]
with queries(quiet=True) as seen:
    Book.objects.order_by().first()
print(django.VERSION >= (6, 1), "ORDER BY" in seen[0].sql)

# %%
quiz("Q30")

# %% [markdown]
# Practise: exercise [10.7](../exercises/10_reading_data.ipynb).

# %% [markdown]
# ## Q31 · How do you obtain the SQL of a queryset?
#
# *Intermediate · asked as A8*
#
# **Say it.** `str(queryset.query)` shows the statement without running it, and that is good enough to read. It is not what
# is sent: the parameters are pasted in without quotes. The pair of text and parameters comes from
# `query.sql_with_params()`. For what really ran I capture it: `connection.queries` under `DEBUG`,
# `CaptureQueriesContext` in a test, `connection.execute_wrapper()` in production. And for why it is slow, `explain()`.

# %% [markdown]
# **See it.** No query is run to read a query:

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


dubliners = Book.objects.filter(author__name="James Joyce", title__startswith="D").only("title").order_by("pk")
print(cost(lambda: str(dubliners.query)))
print(dubliners.query)

# %% [markdown]
# Text and parameters apart, as the compiler hands them to the backend:

# %%
sql, params = dubliners.query.sql_with_params()
print(sql.partition(" WHERE ")[2], params)

# %% [markdown]
# Only a queryset has a `query` to print. `count()`, `update()` and `delete()` compile something else, so capture them.
# `CaptureQueriesContext` works whether or not `DEBUG` is on:

# %%
from django.test.utils import CaptureQueriesContext

with CaptureQueriesContext(connection) as captured:
    Book.objects.filter(title="Emma").update(pages=474)
print(captured[0]["sql"])

# %% [markdown]
# In production nobody keeps every statement. A wrapper sees each query as it runs, though not the `COMMIT`, and may time it,
# count it or log it:

# %%
def log(execute, sql, params, many, context):
    print(sql.split()[0], params)
    return execute(sql, params, many, context)


with connection.execute_wrapper(log):
    Book.objects.filter(title="Emma").exists()

# %% [markdown]
# And the plan, which says how the database means to find the rows:

# %%
explain(Book.objects.filter(published=1815).order_by("pk"))

# %% [markdown]
# **The trap.** "Print the query, paste it into the SQL shell." It works with numbers and breaks with the first word,
# because the printed text has no quotes around it:

# %% tags=["raises-exception"]
with connection.cursor() as cursor:
    cursor.execute(str(Book.objects.filter(title="Emma").query))

# %% [markdown]
# The second half of the trap: the text is always compiled for the `default` database, even after `using("archive")`.
# PostgreSQL is sent something else, and `get_compiler()` with its connection shows it:

# %%
from django.db.utils import ConnectionHandler

archive = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "archive"}})["default"]
words = Book.objects.using("archive").filter(title__icontains="war").order_by()
print("str()      ", str(words.query).partition(" WHERE ")[2])
for database in (connection, archive):
    text = words.query.get_compiler(connection=database).as_sql()[0]
    print(f"{database.vendor:11}", text.partition(" WHERE ")[2])

# %% [markdown]
# **Asked next**
#
# - *How do you see the SQL of an `update()`?* Capture it, as above: there is no queryset left to print.
# - *How would you log slow queries in production?* First on the server (`log_min_duration_statement` in PostgreSQL), because it
#   sees every client. In Django, an execute wrapper with a threshold
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/db/instrumentation/)): a middleware holds it around each request.
# - *What else is `execute_wrapper` good for?* To forbid: a block that must not touch the database can prove it.

# %% tags=["raises-exception"]
def blocker(execute, sql, params, many, context):
    raise RuntimeError(f"No queries here, please: {sql.split()[0]}")


with connection.execute_wrapper(blocker):
    Book.objects.count()

# %% [markdown]
# - *And a queryset that cannot match?* Django does not send it. Asked for its SQL, it raises:

# %% tags=["raises-exception"]
print(cost(lambda: list(Book.objects.none())), cost(lambda: list(Book.objects.filter(pk__in=[]))))
str(Book.objects.filter(pk__in=[]).query)

# %% [markdown]
# **Versions.** 6.1 quotes every alias of a table; before, the second join of a table was a bare `T3`. Raw fragments in
# `extra()` or `RawSQL` that name such an alias in the old way can break on a database that folds unquoted names.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    joined_twice = User.objects.filter(orders__status="paid").filter(orders__status="open").only("pk")
    print(str(joined_twice.query).partition(" WHERE ")[0].partition(" FROM ")[2])
else:
    print('Django 6.1 writes "T3" where this version writes T3.')

# %%
quiz("Q31")

# %% [markdown]
# Practise: exercise [10.8](../exercises/10_reading_data.ipynb).
