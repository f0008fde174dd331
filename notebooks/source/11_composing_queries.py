# %% [markdown]
# # 11 · Composing queries
#
# After this chapter you can build conditions from parts, count across several relations without a wrong number, combine
# querysets, and put the questions of a shop into managers and querysets that chain.
#
# *Questions: Q32 Q objects, aggregation, subqueries · Q33 combining querysets · Q34 managers.* Predict each count before
# you run the cell. [Exercises 11.1 to 11.12](../exercises/11_composing_queries.ipynb) follow.

# %%
import operator
from functools import reduce

from checks import quiz
from lab import postgres, queries, reset, start

start()

# Django is set up now, so its models can be imported.
import django
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.db import IntegrityError, connection, models
from django.db.models import (
    Case, Count, Exists, F, FilteredRelation, Max, OuterRef, Q, Subquery, Sum, Value, When, Window,
)
from orders.models import Order, OrderLine

# %% [markdown]
# ## Q32 · What are Q objects?
#
# *Intermediate · asked as T18, A11*
#
# **Say it.** A `Q` object is a condition that I can hold in a variable. `filter()` joins its arguments with AND; with `Q` I
# say "or" with `|`, "not" with `~`, "exclusive or" with `^`, I nest them, and I build them in a loop. It goes into `filter()`
# and `exclude()`, into `When`, the `filter=` of an aggregate, constraints and partial indexes. In a call the `Q` objects stand before the
# keyword arguments, because Python wants positional arguments first.
#
# *What lifts it:* across a relation with many rows, two conditions in one `~Q` are negated about different rows, and two such
# relations in one aggregation multiply each other's rows. Say both, and their cures: `Exists` and a subquery.

# %% [markdown]
# **See it.** Two conditions, and what becomes of them:

# %%
def where(queryset):
    return str(queryset.query).partition(" WHERE ")[2].partition(" ORDER BY ")[0]


french, long = Q(language="French"), Q(pages__gte=600)
for condition in (french | long, french & long, ~french):
    found = Book.objects.filter(condition)
    print(found.count(), where(found))

# %% [markdown]
# `^` wants exactly one of two. Of three or more it wants an odd number, so all three is a match too
# ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#xor)). Counted again by hand, with an "exactly one of
# three" beside it:

# %%
good = Q(rating__gte=4.5)
held = [
    (book.language == "French", (book.pages or 0) >= 600, (book.rating or 0) >= 4.5)
    for book in Book.objects.all()
]
print(Book.objects.filter(french ^ long).count(), sum(sum(row[:2]) == 1 for row in held))
print(Book.objects.filter(french ^ long ^ good).count(), sum(sum(row) % 2 for row in held))
print(sum(sum(row) == 1 for row in held))

# %% [markdown]
# MySQL and MariaDB have an `XOR` of their own, and Django uses it. There NULL on one side makes the whole unknown
# ([MariaDB](https://mariadb.com/docs/server/reference/sql-structure/operators/logical-operators/xor)), so French books without a page
# count would be missing.

# %% [markdown]
# A keyword argument before a `Q` is an error of Python, before Django sees anything:

# %%
try:
    compile('Book.objects.filter(language="French", Q(pages__gte=600))', "view", "eval")
except SyntaxError as error:
    print(error.msg)
print(Book.objects.filter(Q(pages__gte=600), language="French").count())

# %% [markdown]
# Conditions from a list: start with an empty `Q()`, which adds nothing, and join the rest. And if there are no words at
# all?

# %%
def any_word(words):
    return reduce(operator.or_, (Q(title__icontains=word) for word in words), Q())


print(Book.objects.filter(any_word(["war", "peace"])).count())
print(Book.objects.filter(any_word([])).count(), Book.objects.filter(~Q()).count(), Book.objects.count())

# %% [markdown]
# In a filter an empty `Q()` matches everything, and so does its negation: nothing was said, nothing is filtered. A search box left
# empty should perhaps find nothing; then return `none()` yourself. Without the starting value `reduce()` raises
# `TypeError` on an empty list.

# %% [markdown]
# The same conditions label rows. `Case` takes the first `When` that holds; `values()` before `annotate()` groups:

# %%
size = Case(
    When(pages__isnull=True, then=Value("unknown")),
    When(long, then=Value("long")),
    default=Value("short"),
)
for row in Book.objects.values(size=size).annotate(books=Count("pk")).order_by("size"):
    print(row)

# %% [markdown]
# `aggregate()` ends the chain with one dictionary, `annotate()` goes on with rows. A `Q` as `filter=` counts some of
# them. Five numbers about all books: how many queries?

# %%
with queries():
    print(Book.objects.aggregate(
        books=Count("pk"), rated=Count("rating"), french=Count("pk", filter=french),
        longest=Max("pages"), copies=Sum("pages", filter=Q(pk=0)),
    ))

# %% [markdown]
# One. `Count("rating")` skips the NULLs, and a sum of nothing is `None`, not 0; `Sum(…, default=0)` says otherwise.

# %% [markdown]
# A condition on a column chooses what is counted, and stands best before `annotate()`. One on the count chooses among the
# counts. That is `WHERE`, and `HAVING`:

# %%
languages = Book.objects.filter(pages__gte=300).values("language").annotate(books=Count("pk"))
frequent = languages.filter(books__gte=5).order_by("-books")
print(list(frequent.values_list("language", "books")))
sql = str(frequent.query)
print(sql[sql.index("WHERE"):])

# %% [markdown]
# Across a relation the place decides. Dostoevsky has four books here, two of them rated 4.5 or better. One right
# number is 2, another 4. Predict all three:

# %%
dostoevsky = Author.objects.filter(name="Fyodor Dostoevsky")
well_rated = Q(books__rating__gte=4.5)
print(dostoevsky.filter(well_rated).annotate(number=Count("books")).get().number)
print(dostoevsky.annotate(number=Count("books")).filter(well_rated).get().number)
print(dostoevsky.annotate(number=Count("books", filter=well_rated)).get().number)

# %% [markdown]
# The 8 is no number of anything: the filter joined the books once more, so each of the four was counted for each of
# the two ([documentation](https://docs.djangoproject.com/en/stable/topics/db/aggregation/#order-of-annotate-and-filter-clauses)).
# `distinct=True` counts all books of an author who has a good one:

# %%
print(dostoevsky.annotate(number=Count("books", distinct=True)).filter(well_rated).get().number)
none_good = Author.objects.annotate(number=Count("books", filter=well_rated)).filter(number=0)
print(none_good.count(), Author.objects.filter(well_rated).distinct().count(), Author.objects.count())

# %% [markdown]
# `Count(…, filter=…)` keeps the authors without a good book, as 0. It is the one to choose for a list of everybody.

# %% [markdown]
# **The trap.** "`exclude()` gives what `filter()` leaves." Not with two conditions across many rows. Books that were never in a
# cancelled order with three or more copies:

# %%
cancelled = {"lines__quantity__gte": 3, "lines__order__status": "cancelled"}
print(Book.objects.filter(**cancelled).distinct().count(), Book.objects.exclude(**cancelled).count())
lines = OrderLine.objects.filter(book=OuterRef("pk"), quantity__gte=3, order__status="cancelled")
with_one, without = Book.objects.filter(Exists(lines)), Book.objects.filter(~Exists(lines))
print(with_one.count(), without.count(), Book.objects.count())

# %% [markdown]
# `exclude()` also dropped every book with *some* large line and *some other* cancelled one: each condition became a subquery
# of its own. `~Q(…)` does the same. The two `Exists` add up to the whole table.

# %%
for books in (Book.objects.exclude(**cancelled), Book.objects.filter(~Q(**cancelled)), without):
    print(books.count(), str(books.query).count("EXISTS("))

# %% [markdown]
# `filter()` has the rule the other way round: one call, one related row; two calls, perhaps two. Joining `Q` objects with `&` is
# one call:

# %%
in_2024, was_cancelled = Q(orders__placed_at__year=2024), Q(orders__status="cancelled")
for users in (
    User.objects.filter(in_2024, was_cancelled),
    User.objects.filter(in_2024 & was_cancelled),
    User.objects.filter(in_2024).filter(was_cancelled),
):
    print(users.distinct().count(), str(users.query).count("JOIN"))

# %% [markdown]
# NULL is the next surprise. On a column of the model `~Q` keeps the rows without a value, as `exclude()` does. On an
# annotation it loses them:

# %%
poor = Book.objects.filter(rating__lt=4)
print(poor.count(), Book.objects.filter(~Q(rating__lt=4)).count())
print(Book.objects.annotate(stars=F("rating")).filter(~Q(stars__lt=4)).count())

# %% [markdown]
# One NULL in the list of a `NOT IN`, and no row is left. Which books have no sequel? The keys of those that have one include
# NULL, for every book that continues nothing:

# %%
continued = Book.objects.values("sequel_to")
print(Book.objects.exclude(pk__in=continued).count())
print(Book.objects.exclude(pk__in=continued.filter(sequel_to__isnull=False)).count())
print(Book.objects.filter(~Exists(Book.objects.filter(sequel_to=OuterRef("pk")))).count())

# %% [markdown]
# And the most expensive one: two relations with many rows in one aggregation. *Pride and Prejudice* has three genres and 163
# copies in its order lines. Predict both numbers:

# %%
pride = Book.objects.filter(slug="pride-and-prejudice")
print(pride.aggregate(copies=Sum("lines__quantity")))
print(pride.aggregate(genres=Count("genres")))
both = pride.annotate(genre_count=Count("genres"), copies=Sum("lines__quantity"))
print(both.values_list("genre_count", "copies").get())

# %% [markdown]
# Every line was joined with every genre: the sum came three times over, the count once per line. No error, and nobody sees it on a page with test
# data. `distinct=True` cures a count. It does not cure a sum, because it adds each different *value* once:

# %%
cured = pride.annotate(
    genre_count=Count("genres", distinct=True), copies=Sum("lines__quantity", distinct=True)
)
print(cured.values_list("genre_count", "copies").get())

# %% [markdown]
# A subquery sums without a join. `values("book")` groups; an ordering would add its columns to the group, so `order_by()`
# clears it:

# %%
per_book = OrderLine.objects.filter(book=OuterRef("pk")).order_by().values("book")
copies = per_book.annotate(number=Sum("quantity")).values("number")
both = pride.annotate(genre_count=Count("genres"), copies=Subquery(copies))
print(both.values_list("genre_count", "copies").get())

# %% [markdown]
# And the sample that a well-known list prints under this question has an open bracket and curly quotes. Below it stands
# `SELECT * … tag LIKE 'Human%'`, which nothing in the code asks for:

# %%
printed = "objects = Models.objects.get(\n   Q(category=’Eyes’) | Q(category=’Nose’)\n"
try:
    compile(printed, "list", "exec")
except SyntaxError:
    print("SyntaxError")

# %% [markdown]
# With that mended, `get()` is still the wrong verb, because an "or" often finds several rows:

# %%
french_or_german = Q(language="French") | Q(language="German")
try:
    Book.objects.get(french_or_german)
except Book.MultipleObjectsReturned:
    print("MultipleObjectsReturned,", Book.objects.filter(french_or_german).count(), "rows")
sql = str(Book.objects.filter(french_or_german).query)
print("SELECT *" in sql, "LIKE" in sql)

# %% [markdown]
# **Asked next**
#
# - *How do you build dynamic filters safely?* With a table from the names in the URL to lookups. `filter(**request.GET.dict())` lets
#   the visitor choose the lookup: a letter by letter search through a password hash, or through the rows of another table.

# %%
asked = {"max_price": "7.50", "language": "French", "lines__order__customer__password__startswith": "p"}
LOOKUPS = {"max_price": "price__lte", "language": "language"}
condition = Q()
for name, value in asked.items():
    if name in LOOKUPS and value:
        condition &= Q((LOOKUPS[name], value))
print(condition, Book.objects.filter(condition).count())

# %% [markdown]
# Without the table a visitor learns what no page shows, and once could do worse: up to Django 5.2.7 a `_connector` among
# the names was SQL injection ([5.2.8](https://docs.djangoproject.com/en/5.2/releases/5.2.8/)).

# %%
hidden = "lines__order__customer__password__startswith"
print([Book.objects.filter(**{hidden: guess}).exists() for guess in ("!", "p")])
try:
    Book.objects.filter(**{"_connector": "OR 1=1 OR"})
except TypeError:
    print("refused")

# %% [markdown]
# Values still need checking. A form does, and [django-filter](https://django-filter.readthedocs.io/en/stable/) does both halves:

# %% tags=["raises-exception"]
Book.objects.filter(price__lte="cheap")

# %% [markdown]
# - *What does `~Q(genres__name="Romance")` generate?* No join, but `NOT EXISTS` with a subquery over the genres. Books without any
#   genre are kept. A plain join with `<>` would mean: has some genre that is not Romance.

# %%
no_romance = Book.objects.filter(~Q(genres__name="Romance"))
print(where(no_romance).startswith("NOT (EXISTS(SELECT 1"), no_romance.count())
print(Book.objects.filter(genres__name="Romance").count(), Book.objects.filter(genres=None).count())

# %% [markdown]
# - *`Q`, `FilteredRelation` or `Exists`?* `Q` for columns. `Exists` to ask whether a related row is there: no duplicates, and its negation is
#   right. `FilteredRelation` when the related rows themselves are needed and only some of them: the condition goes into the `ON` of the left join, so
#   authors without such a book stay.

# %%
dear = FilteredRelation("books", condition=Q(books__price__gte=12))
authors = Author.objects.annotate(dear=dear).annotate(number=Count("dear")).order_by("-number", "name")
print(list(authors.values_list("name", "number")[:2]), authors.count())

# %% [markdown]
# - *How do you get the newest related row of each?* A `Subquery` with `OuterRef`, ordered and cut to one: one value of one column. The
#   whole list is still one query:

# %%
newest = Order.objects.filter(customer=OuterRef("pk")).order_by("-placed_at", "-pk")
with queries(quiet=True) as seen:
    users = User.objects.annotate(last=Subquery(newest.values("number")[:1])).order_by("pk")
    print(list(users.values_list("username", "last")[:5]))
print(len(seen))

# %% [markdown]
# - *When a window function?* When each row stays and needs a number about its group: a rank, a running total, the row before. Filtering
#   on it wraps the query in another `SELECT`, because `WHERE` comes before windows do. The best rated of each language:

# %%
from django.db.models.functions import Rank

place = Window(Rank(), partition_by="language", order_by=F("rating").desc(nulls_last=True))
best = Book.objects.annotate(place=place).filter(place=1, language__in=["French", "German", "Russian"])
for book in best.order_by("language", "title"):
    print(book.language, book.title, book.rating)
print(str(best.query).count("SELECT"))

# %% [markdown]
# **Versions.** Up to 5.2 Django's own `StringAgg`, which joins the texts of a group, is for PostgreSQL only. Since 6.0 it is among
# `django.db.models`, for [every backend](https://docs.djangoproject.com/en/stable/ref/models/querysets/#stringagg):

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    joined = Book.objects.filter(slug="emma").aggregate(names=models.StringAgg("genres__name", Value(", ")))
    print(sorted(joined["names"].split(", ")))
else:
    print("Django 6.1 prints the genres of Emma, joined by the database.")

# %% [markdown]
# 6.1 is stricter with a `Subquery` as the value of an exact lookup: it has to be cut to one row, even where grouping leaves
# only one. 5.2 asks that of a queryset there, not of a `Subquery`. With `[:1]` both work on both:

# %%
shelf = Book.objects.filter(language=OuterRef("language")).order_by().values("language")
highest = shelf.annotate(highest=Max("rating")).values("highest")
for value in (Subquery(highest[:1]), highest[:1]):
    print(Book.objects.filter(rating=value).count())

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    try:
        print(Book.objects.filter(rating=Subquery(highest)).count())
    except ValueError as error:
        print(error)
else:
    print("Django 6.1 prints that the value must be limited to one result; 5.2 finds", end=" ")
    print(Book.objects.filter(rating=Subquery(highest)).count())

# %%
quiz("Q32")

# %% [markdown]
# Practise: exercises [11.1 to 11.7](../exercises/11_composing_queries.ipynb).

# %% [markdown]
# ## Q33 · How can you combine multiple QuerySets in a view?
#
# *Advanced · asked as A6*
#
# **Say it.** It depends on what they share. The same model: `a | b` merges the conditions into one `WHERE`, and what comes out is an
# ordinary queryset. The same columns: `union()`, `intersection()`, `difference()`, one statement, and afterwards little more than ordering,
# slicing and counting. Different models as objects: `itertools.chain`, one query each and everything in memory. A long mixed list I
# build as a union of `values_list()` with a column for the kind, and paginate that.

# %% [markdown]
# **See it.** Cheap books, and good ones. `chain` runs through one and then the other:

# %%
from itertools import chain

cheap, good = Book.objects.filter(price__lt=7), Book.objects.filter(rating__gte=4.5)
with queries(quiet=True) as seen:
    both = list(chain(cheap, good))
print(len(seen), len(both), len(set(both)), hasattr(both, "filter"))

# %% [markdown]
# Two queries, three books twice, and a list that cannot be filtered. With `|` it is one query, each book once, and the next
# filter is welcome:

# %%
def where(queryset):
    return str(queryset.query).partition(" WHERE ")[2].partition(" ORDER BY ")[0]


print(where(cheap | good))
print((cheap | good).count(), (cheap & good).count(), (cheap ^ good).count())
print((cheap | good).filter(language="French").count())

# %% [markdown]
# The set operations of SQL keep the queries apart and combine their rows. The inner orderings have to go first:

# %%
first, second = cheap.order_by(), good.order_by()
print(first.union(second).count(), first.union(second, all=True).count())
print(first.intersection(second).count(), first.difference(second).count())
print(str(first.values("pk").union(second.values("pk")).order_by().query))

# %% [markdown]
# A slice, `count()`, `exists()`, `order_by()`, `values()` still work on that
# ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#union)). A filter does not:

# %% tags=["raises-exception"]
first.union(second).filter(language="French")

# %% [markdown]
# Two models with `|`? There is no one `WHERE` for two tables:

# %% tags=["raises-exception"]
Book.objects.all() | Author.objects.all()

# %% [markdown]
# Rows of two models, in one statement: the same columns of the same types, and one that says what the row is. Names come from the first part.
# Rows without a year stay out, since databases disagree whether NULL sorts first:

# %%
def rows(queryset, kind, *columns):
    return queryset.order_by().annotate(kind=Value(kind)).values_list("kind", *columns)


known = Book.objects.filter(published__isnull=False)
books = rows(known, "book", "pk", "title", "published")
births = rows(Author.objects.filter(born__isnull=False), "birth", "pk", "name", "born")
feed = books.union(births, all=True).order_by("-published", "title", "kind", "pk")
for row in feed[:4]:
    print(row)

# %% [markdown]
# The database sorts and cuts. Page 12 of the feed is a count and ten rows for Python:

# %%
from django.core.paginator import Paginator

with queries(quiet=True) as seen:
    page = Paginator(feed, 10).page(12)
    print(page.paginator.count, len(page.object_list), page.object_list[0])
print(len(seen), "LIMIT 10 OFFSET 110" in seen[-1].sql)

# %% [markdown]
# **The trap.** "`list(chain(model1_list, model2_list, model3_list))`" is the whole answer on a well-known list, without a word on
# what it costs. For the ten newest rows it fetches and builds every object of both tables, then sorts in Python:

# %%
import tracemalloc


def peak(step):
    tracemalloc.start()
    step()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


# %%
def year(thing):
    return (thing.published if isinstance(thing, Book) else thing.born) or 0


both = chain(Book.objects.all(), Author.objects.all())
everything = peak(lambda: sorted(both, key=year, reverse=True)[:10])
one_page = peak(lambda: list(feed[:10]))
print(everything > 5 * one_page)

# %% [markdown]
# The chain is right where both lists are short and the template wants objects. What Python holds grows with the tables for the
# chain, and not for the page. What the database does still grows: for ten rows it sorts all authors here.

# %%
plan = feed[:10].explain()
print("SCAN catalog_author" in plan, "USE TEMP B-TREE FOR ORDER BY" in plan)

# %% [markdown]
# The count and a deep offset add to it. Where the tables are large, filter each part to a span of years first.

# %% [markdown]
# The next trap is an ordering inside: `Meta.ordering` is enough. On SQLite a part of a union takes no `ORDER BY`, and no `LIMIT`:

# %% tags=["raises-exception"]
list(Book.objects.filter(price__lt=7).union(Book.objects.filter(rating__gte=4.5)))

# %% [markdown]
# PostgreSQL takes both, so a union may work on the server and fail in tests on SQLite. Clear each part with `order_by()` and
# order the union.

# %%
if postgres.available():
    with postgres():
        print(len(Book.objects.filter(price__lt=7).union(Book.objects.filter(rating__gte=4.5))))
        print(len(Book.objects.order_by("pk")[:5].union(Book.objects.order_by("-pk")[:3])))
else:
    print(postgres.why_not())

# %% [markdown]
# And types: what a union of two models returns are instances of the *first*. Nothing converts, nothing warns:

# %%
names = Author.objects.only("pk", "name").order_by().union(Genre.objects.only("pk", "name").order_by())
for found in names.order_by("name")[:3]:
    print(type(found).__name__, found)

# %% [markdown]
# "Adventure" is a genre with the class of an author. Its `books` would be those of the author who has that key. Use `values_list()` across models.
#
# Columns are matched by place alone. A number above a text is fine with SQLite, and an error on PostgreSQL:

# %%
mixed = Book.objects.order_by().values_list("pages").union(Author.objects.order_by().values_list("name"))
print(mixed.count() > 0)
if postgres.available():
    with postgres():
        try:
            mixed.count()
        except django.db.DatabaseError as error:
            print(type(error).__name__)
else:
    print(postgres.why_not())

# %% [markdown]
# `|` has its own: across a join it can repeat rows, because a book in both genres comes once for each:

# %%
satire = Book.objects.filter(genres__name="Satire")
adventure = Book.objects.filter(genres__name="Adventure")
print((satire | adventure).count(), (satire | adventure).distinct().count())
print(satire.order_by().union(adventure.order_by()).count())

# %% [markdown]
# **Asked next**
#
# - *How do you paginate a mixed feed of two models?* Paginate the union of keys, then fetch the objects of this page, one query for each
#   model. At most four queries a page, whatever the tables hold. A row may go between two of them, hence the `if`:

# %%
with queries(quiet=True) as seen:
    page = Paginator(feed, 10).page(12)
    keys = [(kind, pk) for kind, pk, *_ in page.object_list]
    found = {
        "book": Book.objects.in_bulk([pk for kind, pk in keys if kind == "book"]),
        "birth": Author.objects.in_bulk([pk for kind, pk in keys if kind == "birth"]),
    }
    items = [found[kind][pk] for kind, pk in keys if pk in found[kind]]
print(len(seen), [type(item).__name__ for item in items[:4]])

# %% [markdown]
# - *What does `union(all=True)` save?* `UNION` removes duplicates, so the database keeps or sorts all rows to compare them. `UNION ALL` hands them
#   through. Where the parts cannot overlap, as with a column for the kind, say `all=True`. SQLite's plan shows the work:

# %%
for all_rows in (False, True):
    plan = books.union(births, all=all_rows).order_by().explain()
    print(all_rows, "TEMP B-TREE" in plan)

# %% [markdown]
# - *Why can't you filter after a union?* A `WHERE` belongs to one `SELECT`, and Django does not wrap a union to filter it. Filter the parts before,
#   or hand the keys of the union to a new queryset:

# %%
keys = first.values("pk").union(second.values("pk"))
print(Book.objects.filter(pk__in=keys, language="French").count())

# %% [markdown]
# - *And two long, sorted streams in a job?* `heapq.merge` over two `iterator()`s: rows in order, and in memory one
#   [chunk](https://docs.djangoproject.com/en/stable/ref/models/querysets/#iterator) of each side, 2,000 rows by default. Both sides have to be sorted by
#   the same key, and a row that is in both comes twice:

# %%
from heapq import merge

streams = [
    Book.objects.filter(published__gte=1920).order_by("published", "pk").iterator(),
    Book.objects.filter(rating__gte=4.7, published__isnull=False).order_by("published", "pk").iterator(),
]
print([book.published for book in merge(*streams, key=lambda book: (book.published, book.pk))][:6])

# %% [markdown]
# **Versions.** 5.2 leaves a union unordered unless you order it. 6.1 applies the model's `Meta.ordering` to it, and then the columns of
# that ordering must be among the selected ones. Ending a union with an explicit `order_by()` says the same on both:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    both = first.union(second)
    print("ORDER BY" in str(both.query), "ORDER BY" in str(both.order_by().query))
    try:
        list(first.values("pk").union(second.values("pk")))
    except django.db.DatabaseError as error:
        print(error)
else:
    print("Django 6.1 prints True False, and that a term of the ordering is not in the result.")

# %%
quiz("Q33")

# %% [markdown]
# Practise: exercises [11.8 to 11.10](../exercises/11_composing_queries.ipynb).

# %% [markdown]
# ## Q34 · How do custom managers and querysets work?
#
# *Intermediate · asked as T-I11*
#
# **Say it.** A manager is where a query starts, a queryset is what it goes on with. Named filters go on a `QuerySet` subclass, and
# `as_manager()` or `Manager.from_queryset()` makes a manager that has them too, so they chain in any order. A method
# that only the manager has can be called first and never again. Overriding `get_queryset()` hides rows; on the default manager it
# hides them from the admin, forms, reverse relations and dumps as well.
#
# *What lifts it:* `_default_manager` against `_base_manager`, and what a hidden row does to uniqueness.

# %% [markdown]
# **See it.** The shop's books are asked in a bookseller's words. The same steps in two orders:

# %%
with queries(quiet=True) as seen:
    print(Book.objects.in_print().by("Jane Austen").costing_at_most(9).count())
    print(Book.objects.costing_at_most(9).order_by("title").by("Jane Austen").in_print().count())
print(len(seen), type(Book.objects).__name__, type(Book.objects.in_print()).__name__)

# %% [markdown]
# Now the same as a method of a manager. It can start a chain:

# %%
class ShelfManager(models.Manager):
    def in_print(self):
        return self.filter(in_print=True)


class ShelfBook(Book):
    objects = ShelfManager()

    class Meta:
        proxy = True
        app_label = "lab"


print(ShelfBook.objects.in_print().count())

# %% [markdown]
# And not continue one, since `filter()` returns a plain queryset:

# %% tags=["raises-exception"]
ShelfBook.objects.filter(language="French").in_print()

# %% [markdown]
# A batch of vouchers, for all that follows. Two managers share one queryset: the first hides what is used, the second does not.

# %%
class VoucherQuerySet(models.QuerySet):
    def unused(self):
        return self.filter(used=False)

    def worth(self, value):
        return self.filter(value__gte=value)


class UnusedManager(models.Manager.from_queryset(VoucherQuerySet)):
    def get_queryset(self):
        return super().get_queryset().unused()

# %% [markdown]
# `from_queryset()` is for a manager with something of its own to add. `as_manager()` is for one without:

# %%
class Batch(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "lab"


class Voucher(models.Model):
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="vouchers")
    code = models.CharField(max_length=20, unique=True)
    value = models.IntegerField(default=10)
    used = models.BooleanField(default=False)
    objects = UnusedManager()
    everything = VoucherQuerySet.as_manager()

    class Meta:
        app_label = "lab"

# %% [markdown]
# Four vouchers, two of them used. Both managers chain:

# %%
spring = Batch.objects.create(name="Spring")
for code, used in (("A1", False), ("A2", False), ("B1", True), ("B2", True)):
    Voucher.everything.create(batch=spring, code=code, used=used)
worthy = Voucher.everything.worth(5)
print(Voucher.objects.worth(5).count(), worthy.count(), worthy.unused().count())

# %% [markdown]
# **The trap.** "Override `get_queryset()` in `objects`, and used rows are gone everywhere." They are gone where the default manager is asked,
# also where you needed them. A join never asks a manager:

# %%
print("reverse relation:", spring.vouchers.count())
print("the other manager:", spring.vouchers(manager="everything").count())
print("aggregation:", Batch.objects.aggregate(number=Count("vouchers"))["number"])
print("filter across:", Batch.objects.filter(vouchers__used=True).distinct().count())

# %% [markdown]
# The admin takes `_default_manager`, and `dumpdata` without `--all` does too. The shop's reviews hide the withdrawn ones in that
# way, and so does a backup of them:

# %%
import json
from io import StringIO

from django.contrib.admin import ModelAdmin, site
from django.core.management import call_command
from django.test import RequestFactory

print(ModelAdmin(Voucher, site).get_queryset(RequestFactory().get("/")).count())
for options in ([], ["--all"]):
    dump = StringIO()
    call_command("dumpdata", "reviews.Review", *options, stdout=dump)
    print(options, len(json.loads(dump.getvalue())))

# %% [markdown]
# Worst is uniqueness. Validation looks through the default manager and finds the code free. The database does not. In
# `get_or_create()` the `get()` is filtered and the `INSERT` is not:

# %%
again = Voucher(batch=spring, code="B1")
again.full_clean()
print("valid")
for attempt in (again.save, lambda: Voucher.objects.get_or_create(code="B1", defaults={"batch": spring})):
    try:
        attempt()
    except IntegrityError:
        print("and refused by the database")

# %% [markdown]
# So a form accepts it and the page answers 500. The safer habit: `objects` shows everything, and the filtered view has a name of its own.

# %% [markdown]
# The order decides as well. The first manager in the class is the default one, unless `Meta.default_manager_name` names another:

# %%
class OpenVoucher(Voucher):
    unused = UnusedManager()

    class Meta:
        proxy = True
        app_label = "lab"
        default_manager_name = "everything"


print(OpenVoucher._default_manager.count(), OpenVoucher.unused.count(), Voucher._default_manager.name)

# %% [markdown]
# **Asked next**
#
# - *Which manager does a foreign key's reverse accessor use?* A subclass of the related model's `_default_manager` class, filtered by the parent.
#   The forward side, `redemption.voucher`, and both sides of a one-to-one use `_base_manager`, which is plain: a row that points to a hidden row can
#   still be read. So do `save()`, `refresh_from_db()` and the deletion of related rows: the batch takes all four with it ([documentation](https://docs.djangoproject.com/en/stable/topics/db/managers/#base-managers)).

# %%
class Redemption(models.Model):
    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"


Redemption.objects.create(voucher=Voucher.everything.get(code="B1"))
print(Redemption.objects.get().voucher.code)
print(Redemption.objects.select_related("voucher").get().voucher.used)

# %% [markdown]
# - *Should `base_manager_name` point at the filtered manager?* No. The same foreign key then raises for a row that is there, and `refresh_from_db()`
#   does too. The documentation asks not to filter in such a manager.

# %%
class StrictVoucher(Voucher):
    class Meta:
        proxy = True
        app_label = "lab"
        base_manager_name = "objects"


strict = StrictVoucher.everything.get(code="B2")
try:
    strict.refresh_from_db()
except StrictVoucher.DoesNotExist:
    print("not found, used:", strict.used)
print(spring.delete()[1]["lab.Voucher"])

# %% [markdown]
# - *How do you implement soft delete safely?* As the shop does with reviews: `delete()` on model and queryset set a time, the unique
#   constraint holds for live rows only, a second manager has everything, and every join says the condition again.

# %%
from reviews.models import Review

print(Review.objects.count(), Review.everything.count())
with queries(quiet=True) as seen:
    print(Review.objects.filter(stars=1).delete())
print([query.sql.split()[0] for query in seen])
print(Review.objects.count(), Review.everything.count())
print([rule.name for rule in Review._meta.constraints if rule.condition][-1])
reset()

# %% [markdown]
# What it does not catch is a cascade. Deleting the book deletes its reviews for good, since the collector asks
# no queryset of yours:

# %%
book = Book.objects.never_ordered().first()
Review.objects.create(thing=book, stars=5)
about = Review.everything.about(book)
print(about.count() > 0, bool(book.delete()), about.all().count())
reset()

# %% [markdown]
# Nor is it erasure: personal data that must go has to go for good.

# %% [markdown]
# - *What is `use_in_migrations`?* A manager with it is written into the migration, so that `RunPython` has it in its historical model. Without,
#   there is only a plain `objects`: none of your methods, and none of your filters. It must be importable for as long as the migration lives.

# %%
from django.db.migrations.loader import MigrationLoader

old = MigrationLoader(connection).project_state().apps
print(Book.objects.use_in_migrations, hasattr(old.get_model("catalog", "Book").objects, "in_print"))
print(User.objects.use_in_migrations, hasattr(old.get_model("accounts", "User").objects, "create_user"))

# %% [markdown]
# - *Which queryset methods does `as_manager()` copy?* Public ones, without a leading underscore, unless `queryset_only = True`. `delete()` is marked
#   so, and thus `Book.objects.delete()` cannot empty the table by mistake:

# %%
print(hasattr(Book.objects, "delete"), hasattr(Book.objects.all(), "delete"))
print(hasattr(Review.objects, "hard_delete"), hasattr(Review.objects.all(), "hard_delete"))

# %% [markdown]
# **Versions.** 6.1 has [fetch modes](https://docs.djangoproject.com/en/6.1/topics/db/fetch-modes/), and a manager can set one for a whole model. With
# `FETCH_PEERS` the first access to a foreign key fetches it for all rows of the same queryset:

# %%
class PeerManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().fetch_mode(models.FETCH_PEERS)


class PeerBook(Book):
    objects = PeerManager()

    class Meta:
        proxy = True
        app_label = "lab"

# %% [markdown]
# Ten books and the names of their authors, without it and with it:

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    for model in (Book, PeerBook):
        with queries(quiet=True) as seen:
            names = [book.author.name for book in model.objects.order_by("pk")[:10]]
        print(len(seen))
else:
    print("Django 6.1 prints 11, then 2.")

# %%
quiz("Q34")

# %% [markdown]
# Practise: exercises [11.11 and 11.12](../exercises/11_composing_queries.ipynb).
