# %% [markdown]
# # 13 · Query performance
#
# After this chapter you can find the queries of a page, bring two hundred of them down to one or two, read a plan
# before and after an index, and say when each cure is the wrong one.
#
# *Questions: Q38 select_related or prefetch_related · Q39 optimising with query analysis.* The bookshop in this chapter
# has 100,000 order lines. Predict each count before you run the cell.
# [Exercises 13.1 to 13.8](../exercises/13_query_performance.ipynb) follow.

# %%
from checks import quiz
from lab import explain, queries, reset, show, start

start(lines=100_000)

# Django is set up now, so its models can be imported.
import django
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.db import connection, models
from django.db.models import F, Prefetch, Sum
from orders.models import Order, OrderLine

# %% [markdown]
# ## Q38 · select_related or prefetch_related?
#
# *Intermediate · asked as T17, A10*
#
# **Say it.** Both cure the N+1 problem: one query for the list, then one more per row because the loop follows a relation.
# `select_related` joins, so the related row comes in the same query; it follows foreign keys and one-to-one relations.
# `prefetch_related` runs one more query per relation, with all keys in it, and matches the rows in Python; so it also
# serves many-to-many and the reverse side. To one: join. To many: prefetch.
#
# *What lifts it:* the join repeats the parent for every row, prefetching fetches each parent once; a filter after a
# prefetch throws it away; and since 6.1 fetch modes cure N+1 on foreign keys, one-to-ones and deferred fields, while
# many-to-many and reverse foreign keys still need a prefetch.

# %% [markdown]
# **See it.** A hundred order lines with the title and the author of each book. How many queries?

# %%
with queries():
    for line in OrderLine.objects.order_by("pk")[:100]:
        label = f"{line.book.title} by {line.book.author.name}"

# %% [markdown]
# One for the lines, then one for each book and one for each author: the report names the line and the relation. Two hops of
# `select_related` bring it all in one:

# %%
with queries():
    for line in OrderLine.objects.select_related("book__author").order_by("pk")[:100]:
        label = f"{line.book.title} by {line.book.author.name}"

# %% [markdown]
# `prefetch_related` on the same relations takes three: the lines, their books, and their authors. Here only the count:

# %%
with queries(quiet=True) as seen:
    for line in OrderLine.objects.prefetch_related("book__author").order_by("pk")[:100]:
        label = f"{line.book.title} by {line.book.author.name}"
print(len(seen))

# %% [markdown]
# From the other side there is no choice. An author has many books, and a join to many is refused:

# %% tags=["raises-exception"]
list(Author.objects.select_related("books"))

# %%
with queries():
    for author in Author.objects.prefetch_related("books"):
        titles = [book.title for book in author.books.all()]

# %% [markdown]
# Two queries, however many authors. Now the mistake that most code reviews miss. What does the filter cost?

# %%
with queries():
    for author in Author.objects.prefetch_related("books").order_by("pk")[:20]:
        titles = [book.title for book in author.books.filter(language="English")]

# %% [markdown]
# The prefetched rows answer `books.all()`, and `count()`, `exists()` and `first()` from the same rows. `filter()`, `order_by()` or
# `get()` make a new queryset and ask again, once per author. Say it in the prefetch instead, and give the result a name:

# %%
english = Prefetch("books", queryset=Book.objects.filter(language="English"), to_attr="english_books")
with queries():
    for author in Author.objects.prefetch_related(english).order_by("pk")[:20]:
        titles = [book.title for book in author.english_books]

# %% [markdown]
# `to_attr` names a plain list, so nobody takes the part for the whole, as they would if `books.all()` silently lacked rows.

# %% [markdown]
# **The trap.** The example that circulates loops over states to show what `select_related` saves, and prints only their own
# names. That loop has no N+1 to cure. The count is the same with and without:

# %%
class Country(models.Model):
    country_name = models.CharField(max_length=5)

    class Meta:
        app_label = "lab"


class State(models.Model):
    state_name = models.CharField(max_length=5)
    country = models.ForeignKey(Country, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"


india = Country.objects.create(country_name="India")
states = State.objects.bulk_create([State(state_name=name, country=india) for name in ("Goa", "Assam", "Bihar")])

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


def names(states):
    return [state.state_name for state in states]


def countries(states):
    return [state.country.country_name for state in states]


plain, joined = State.objects.order_by("pk"), State.objects.select_related("country").order_by("pk")
print("names:    ", cost(lambda: names(plain.all())), cost(lambda: names(joined.all())))
print("countries:", cost(lambda: countries(plain.all())), cost(lambda: countries(joined.all())))

# %% [markdown]
# Only the second line touches the relation, and only there the join pays. Next, the article prefetches `"state"`. Without a
# `related_name` the attribute is `state_set`; `state` is the name for filters:

# %% tags=["raises-exception"]
list(Country.objects.prefetch_related("state"))

# %%
print(hasattr(india, "state"), hasattr(india, "state_set"))
print(Country.objects.prefetch_related("state_set").filter(state__state_name="Goa").count())

# %% [markdown]
# And it shows the gain on a single object, where there is none: two queries with the prefetch, two without.

# %%
def states_of_india(countries):
    return list(countries.get(country_name="India").state_set.all())


print(cost(lambda: states_of_india(Country.objects)))
print(cost(lambda: states_of_india(Country.objects.prefetch_related("state_set"))))

# %% [markdown]
# Its code does not run as printed either: `model.ForeignKey` for `models`, no `on_delete`, curly quotes. And `max_length=5` is too
# short for a country: SQLite stores the longer name all the same, validation refuses it, and so does PostgreSQL
# ([documentation](https://docs.djangoproject.com/en/stable/ref/models/fields/#charfield)):

# %%
from django.core.exceptions import ValidationError

for statement in ("model.ForeignKey(Country)", "models.ForeignKey(Country)", "State.objects.select_related(‘country’)"):
    try:
        eval(statement)
    except (NameError, TypeError, SyntaxError) as error:
        print(type(error).__name__, "·", error.msg if isinstance(error, SyntaxError) else error)
germany = Country.objects.create(country_name="Germany")
try:
    germany.full_clean()
except ValidationError as error:
    print(error.message_dict)

# %% [markdown]
# The SQL it prints was never sent. One statement has two `WHERE` and no `FROM`; what Django sends names its tables after
# app and model, reads the columns of both, and limits a `get()` to 21 rows:

# %%
from django.db import OperationalError

try:
    connection.cursor().execute("SELECT state_id, state_name WHERE State WHERE country_id IN (1)")
except OperationalError as error:
    print(error)
print(joined.query)
with queries():
    Country.objects.get(id=india.pk)

# %% [markdown]
# **Asked next**
#
# - *When is `select_related` slower than `prefetch_related`?* When many rows share few, wide targets. The join sends the
#   target again with every row, and an object is built each time. How many books do 20,000 lines hold, joined and prefetched?

# %%
lines = OrderLine.objects.order_by("pk")[:20_000]
for way in (lines.select_related("book"), lines.prefetch_related("book")):
    print(len({id(line.book) for line in way}))

# %% [markdown]
# - *How do you test against N+1?* `assertNumQueries` with two sizes of data: the count must not grow with the rows. With
#   one row, an N+1 looks like two queries.
# - *What of `select_related()` without names?* It follows every foreign key that is not null, to a depth of five. Name them;
#   the bare call is deprecated in 6.1, and so is `list_select_related = True` in the admin
#   ([release notes](https://docs.djangoproject.com/en/6.1/releases/6.1/)).
# - *Would you make `FETCH_PEERS` the default?* In the `get_queryset()` of a manager, as a net under code that I do not control,
#   yes. In a view I still name the relation: one join usually beats two queries, and the reader sees what the page needs.

# %%
from django.test import TestCase


def first_titles(number):
    return [line.book.title for line in OrderLine.objects.select_related("book").order_by("pk")[:number]]


for number in (5, 500):
    with TestCase().assertNumQueries(1):
        print(len(first_titles(number)), "titles, one query")

# %% [markdown]
# **Versions.** 6.1 has fetch modes: what happens when code touches a foreign key, a one-to-one or a deferred field that was
# not fetched ([documentation](https://docs.djangoproject.com/en/6.1/topics/db/fetch-modes/)). `FETCH_ONE` is the behaviour everybody
# knows. `FETCH_PEERS` fetches it for all objects of the same queryset at once. On 5.2 name the relation; there is no net.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.db.models import FETCH_ONE, FETCH_PEERS

    for mode in (FETCH_ONE, FETCH_PEERS):
        hundred = OrderLine.objects.fetch_mode(mode).order_by("pk")[:100]
        print(cost(lambda: [line.book.title for line in hundred]))
else:
    print("Django 6.1 prints 101, then 2.")

# %% [markdown]
# It helps only from many to one. A manager such as `author.books` asks for each author, in every mode:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    authors = Author.objects.fetch_mode(FETCH_PEERS).order_by("pk")[:20]
    print(cost(lambda: [len(author.books.all()) for author in authors]))
else:
    print("Django 6.1 prints 21.")

# %% [markdown]
# `FETCH_RAISE` refuses; articles written before the release call it `RAISE`. In a test it turns a forgotten relation into a
# failure that names it:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    from django.core.exceptions import FieldFetchBlocked
    from django.db.models import FETCH_RAISE

    try:
        OrderLine.objects.fetch_mode(FETCH_RAISE).order_by("pk").first().book
    except FieldFetchBlocked as error:
        print(error)
else:
    print("Django 6.1 raises FieldFetchBlocked: Fetching of OrderLine.book blocked.")

# %%
quiz("Q38")

# %% [markdown]
# Practise: exercises [13.1 to 13.4](../exercises/13_query_performance.ipynb).

# %% [markdown]
# ## Q39 · How do you optimise the database, and by which analysis?
#
# *Advanced · asked as T-A2*
#
# **Say it.** I measure before I change: the queries of the page, how many, which repeat, and the plan of the slow one. Then in
# this order: fewer queries, by joining or prefetching; fewer rows and columns, by letting the database filter, count and
# add; a better plan, by an index that matches the condition; batches instead of loops for writes. Caching and copied
# columns come last, because they have to be kept correct for ever.
#
# *What lifts it:* say why an index is not used, what an index costs on every write, and how you find the slow query in
# production.

# %% [markdown]
# **See it.** All orders of one day, among some 32,000. `explain()` shows how the database means to find them:

# %%
from datetime import date, datetime, timezone

reset()
day = datetime(2025, 3, 3, tzinfo=timezone.utc), datetime(2025, 3, 4, tzinfo=timezone.utc)
of_the_day = Order.objects.filter(placed_at__gte=day[0], placed_at__lt=day[1]).order_by()
explain(of_the_day)

# %% [markdown]
# `SCAN` reads the whole table. There is an index with `placed_at` in it, but status comes first there, and an index is searched
# from its left: without the first column most planners pass it by. (With statistics from `ANALYZE`, SQLite
# [may skip](https://www.sqlite.org/optoverview.html#the_skip_scan_optimization) through the few statuses.) With the status given:

# %%
print(Order._meta.indexes[0].fields)
explain(of_the_day.filter(status="open"))

# %% [markdown]
# Give the date an index of its own, and the first queryset goes straight to its rows. In a project this is a line in
# `Meta.indexes` and a migration:

# %%
by_date = models.Index(fields=["placed_at"], name="order_placed_at")
with connection.schema_editor() as editor:
    editor.add_index(Order, by_date)
explain(of_the_day)

# %% [markdown]
# An index is sorted by the value of the column. Whatever hides that value brings the scan back. The same day, asked with a
# function around the column:

# %%
explain(Order.objects.filter(placed_at__date=date(2025, 3, 3)).order_by())

# %% [markdown]
# So ask for a range, as above. `__year` is no such function: Django compiles it to a range by itself. Names are the other
# case: the unique index on `username` serves the exact name, and neither its end nor another case:

# %%
explain(Order.objects.filter(placed_at__year=2025).order_by())
explain(User.objects.filter(username="mira").only("pk").order_by())
explain(User.objects.filter(username__endswith="ra").order_by())
explain(User.objects.filter(username__iexact="MIRA").order_by())

# %% [markdown]
# An index on the expression serves a query with the same expression:

# %%
from django.db.models.functions import Lower

with connection.schema_editor() as editor:
    editor.add_index(User, models.Index(Lower("username"), name="user_lower_name"))
explain(User.objects.alias(lower=Lower("username")).filter(lower="mira").order_by())

# %% [markdown]
# Next, the questions that need no rows. Is there one? How many?

# %%
open_orders = Order.objects.filter(status="open")
with queries():
    open_orders.exists()
    open_orders.count()

# %% [markdown]
# `count()` still visits every row that matches, and a paginator pays that on each page. `len()` fetches them too. The peak of
# memory says what that means:

# %%
import tracemalloc


def peak(step):
    tracemalloc.start()
    step()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


print(len(open_orders.all()) == open_orders.count())
print(peak(lambda: len(open_orders.all())) > 20 * peak(lambda: open_orders.count()))

# %% [markdown]
# Sums belong in the database too. One row comes back instead of 85,000:

# %%
sold = OrderLine.objects.filter(order__status="shipped")
in_python = sum(line.amount for line in sold.iterator(chunk_size=2000))
in_database = sold.aggregate(total=Sum("amount"))["total"]
print(in_python == in_database, peak(lambda: list(sold)) > 100 * peak(lambda: sold.aggregate(Sum("amount"))))

# %% [markdown]
# If you do need many rows, but no methods, plain tuples of the columns you use take less memory than model instances:

# %%
print(peak(lambda: list(sold.all())) > 2 * peak(lambda: list(sold.values_list("book_id", "quantity"))))

# %% [markdown]
# And writes. A hundred new genres one by one, then at once:

# %%
def shelves(prefix):
    return [Genre(name=f"{prefix} {number}", slug=f"{prefix}-{number}") for number in range(100)]


print("save:       ", cost(lambda: [genre.save() for genre in shelves("single")]))
print("bulk_create:", cost(lambda: Genre.objects.bulk_create(shelves("bulk"))))

# %% [markdown]
# `bulk_update()` does the same for objects that each got a value of their own. A change that is the same for many rows, or
# computed from the row itself, needs no objects at all. Neither calls `save()` or sends a signal, and `auto_now` stands still:

# %%
books = list(Book.objects.order_by("pk"))
for position, book in enumerate(books):
    book.pages = position
print(cost(lambda: Book.objects.bulk_update(books, ["pages"])))
with queries():
    Book.objects.filter(published__lt=1850).update(price=F("price") * 2)

# %% [markdown]
# **The trap.** "The column has an index, so the query is fast." It misleads whoever reads the model and not the plan: above,
# `placed_at` stood in an index, and the first plan was a scan all the same. And an index is not free. It is stored beside
# the table, and every insert, delete and update of its columns has to keep it sorted:

# %%
def pages():
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA page_count").fetchone()[0]


before = pages()
with connection.schema_editor() as editor:
    editor.add_index(OrderLine, models.Index(fields=["unit_price"], name="line_price"))
print(f"more than a twentieth larger: {pages() > 1.05 * before}")

# %% [markdown]
# **Asked next**
#
# - *How do you read `EXPLAIN ANALYZE`?* From the inside out: look for the node whose actual rows are far from the estimate, for
#   a sequential scan under a filter that removes most rows, and for loops that multiply a small cost. It runs the query, so
#   wrap an `UPDATE` in a transaction that you roll back
#   ([PostgreSQL](https://www.postgresql.org/docs/current/using-explain.html)). `explain(analyze=True)` asks for it there. SQLite has
#   `EXPLAIN QUERY PLAN`, and no `EXPLAIN ANALYZE`:

# %% tags=["raises-exception"]
of_the_day.explain(analyze=True)

# %% [markdown]
# - *What are the limits of `bulk_create()`?* `save()` is not called and no signal is sent; multi-table children are not
#   supported; many-to-many rows are yours to add. Large lists are sent in batches, one statement each, and `batch_size` sets
#   how large. Keys come back where the database can return them, but not with `ignore_conflicts`
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#bulk-create)).

# %%
from django.db.models.signals import post_save

heard = []


def hear(instance, **kwargs):
    heard.append(instance.name)


post_save.connect(hear, sender=Genre)
created = Genre.objects.bulk_create([Genre(name="Essays", slug="essays"), Genre(name="Letters", slug="letters")])
Genre.objects.create(name="Diaries", slug="diaries")
post_save.disconnect(hear, sender=Genre)
ignored = Genre.objects.bulk_create([Genre(name="Sagas", slug="sagas")], ignore_conflicts=True)
print(heard, all(genre.pk for genre in created), ignored[0].pk)
print(cost(lambda: Genre.objects.bulk_create(shelves("batch"), batch_size=25)))

# %% [markdown]
# - *How do you find the slow query in production?* On the server, sorted by total time: `pg_stat_statements`, then
#   `log_min_duration_statement` for single slow ones. A query of 5 ms that runs ten thousand times a minute is worse than a
#   report of two seconds. Then back to the page that sends it, with a capture.
# - *When would you denormalise?* When the plan is right, the index is there, and the number is still asked too often to be
#   computed. A column that repeats what others say needs one owner and a check that finds drift.

# %% [markdown]
# **Versions.** `StringAgg` was PostgreSQL's own; since 6.0 it works on every database, and a list that took a prefetch and a
# loop is one aggregate. Say `order_by=` if the order matters (SQLite can do that from 3.44 on):

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.db.models import StringAgg, Value

    genres = Genre.objects.filter(books__slug="frankenstein")
    print(genres.aggregate(names=StringAgg("name", Value(", "))))
else:
    print("Django 6.1 prints {'names': 'Gothic, Science fiction'}.")

# %%
quiz("Q39")

# %% [markdown]
# Practise: exercises [13.5 to 13.8](../exercises/13_query_performance.ipynb).
