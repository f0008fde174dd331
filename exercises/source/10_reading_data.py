# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from accounts.models import User
from catalog.models import Author, Book, Genre
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q
from django.test.utils import CaptureQueriesContext
from orders.models import Order, OrderLine

# %% [markdown] exercise="10.1"
# ### 10.1 Two answers from one query
#
# Return a tuple: how many books by Jane Austen the shop knows, and the list of their titles, oldest first (equal years
# by title). One query.

# %% exercise="10.1" role="answer" budget=1
def austen():
    # solution
    books = Book.objects.filter(author__name="Jane Austen").order_by("published", "title")
    titles = [book.title for book in books]
    return len(titles), titles
    # end


check("10.1")

# %% exercise="10.1" role="alternative" note="Plain strings instead of books: better when the titles are all you need."
def austen():
    titles = Book.objects.by("Jane Austen").order_by("published", "title").values_list("title", flat=True)
    return len(titles), list(titles)

# %% exercise="10.1" role="mistake" says="`count()` on a queryset that was not read yet is a query of its own. Read the rows first: their number is then free."
def austen():
    books = Book.objects.filter(author__name="Jane Austen").order_by("published", "title")
    return books.count(), [book.title for book in books]

# %% exercise="10.1" role="mistake" says="You read every book and ask each for its author: that is a query per book. Let the database filter by the author's name."
def austen():
    books = Book.objects.order_by("published", "title")
    titles = [book.title for book in books if book.author.name == "Jane Austen"]
    return len(titles), titles

# %% exercise="10.1" role="mistake" says="The order is by title. Without `order_by()` the model's own ordering holds, and for books that is the title."
def austen():
    titles = [book.title for book in Book.objects.filter(author__name="Jane Austen")]
    return len(titles), titles

# %% exercise="10.1" role="hint"
# A queryset that was read as a whole keeps its rows, and Python can count those.
# %% exercise="10.1" role="hint"
# Build the list of titles first, then take its `len()`.

# %% [markdown] exercise="10.2"
# ### 10.2 Say it in SQL, safely
#
# Return the books with exactly this title, by primary key. Do it through `Book.objects.raw()`, to have done it once; titles contain
# quotes.

# %% exercise="10.2" role="answer" ordered=true budget=1 calls=[["Emma"], ["Gulliver's Travels"], ["no such title"]]
def titled(title):
    # solution
    return Book.objects.raw("SELECT * FROM catalog_book WHERE title = %s ORDER BY id", [title])
    # end


check("10.2")

# %% exercise="10.2" role="alternative" note="Named placeholders read better when there are several parameters, or one is used twice."
def titled(title):
    return Book.objects.raw("SELECT * FROM catalog_book WHERE title = %(title)s ORDER BY id", {"title": title})

# %% exercise="10.2" role="mistake" says="The title becomes part of the SQL text, so its apostrophe ends the string. Whoever types the title writes your SQL. Hand it over as a parameter."
def titled(title):
    return Book.objects.raw(f"SELECT * FROM catalog_book WHERE title = '{title}' ORDER BY id")

# %% exercise="10.2" role="mistake" says="A placeholder in quotes is text, so the statement has no place for your parameter. Leave the quotes away, the driver needs none."
def titled(title):
    return Book.objects.raw("SELECT * FROM catalog_book WHERE title = '%s' ORDER BY id", [title])

# %% exercise="10.2" role="mistake" says="`LIKE` is not `=`: on SQLite it ignores case, and `%` and `_` are wildcards, so other titles are found."
def titled(title):
    return Book.objects.raw("SELECT * FROM catalog_book WHERE title LIKE %s ORDER BY id", [f"%{title[:4]}%"])

# %% exercise="10.2" role="hint"
# `raw()` takes the SQL text with `%s`, and a list of parameters beside it.
# %% exercise="10.2" role="hint"
# `Book.objects.raw("SELECT * FROM catalog_book WHERE title = %s …", [title])`

# %% [markdown] exercise="10.3"
# ### 10.3 A price list without objects
#
# Return rows `(title, author's name, price)` of the books in print, cheapest first, equal prices by title, equal titles by
# primary key. One query.

# %% exercise="10.3" role="answer" ordered=true budget=1
def price_list():
    # solution
    return Book.objects.in_print().order_by("price", "title", "pk").values_list("title", "author__name", "price")
    # end


check("10.3")

# %% exercise="10.3" role="alternative" note="With objects you have their methods, and pay for columns that are not shown. `select_related` keeps it at one query."
def price_list():
    books = Book.objects.in_print().select_related("author").order_by("price", "title", "pk")
    return [(book.title, book.author.name, book.price) for book in books]

# %% exercise="10.3" role="mistake" says="Each `book.author` is a query. Ask for `author__name` among the values, or join with `select_related`."
def price_list():
    books = Book.objects.in_print().order_by("price", "title", "pk")
    return [(book.title, book.author.name, book.price) for book in books]

# %% exercise="10.3" role="mistake" says="Books that are out of print are in your list."
def price_list():
    return Book.objects.order_by("price", "title", "pk").values_list("title", "author__name", "price")

# %% exercise="10.3" role="mistake" says="That is the dearest first. A minus in `order_by()` turns one column round."
def price_list():
    return Book.objects.in_print().order_by("-price", "title", "pk").values_list("title", "author__name", "price")

# %% exercise="10.3" role="mistake" says="`author` alone gives the author's key. Cross the relation with a double underscore."
def price_list():
    return Book.objects.in_print().order_by("price", "title", "pk").values_list("title", "author", "price")

# %% exercise="10.3" role="hint"
# `values_list()` crosses relations as filters do.
# %% exercise="10.3" role="hint"
# `.order_by("price", "title", "pk").values_list("title", "author__name", "price")`

# %% [markdown] exercise="10.4"
# ### 10.4 Each language once
#
# Return the languages of the books, each once, in alphabetical order, as plain strings. One query.

# %% exercise="10.4" role="answer" ordered=true budget=1
def languages():
    # solution
    return Book.objects.order_by("language").values_list("language", flat=True).distinct()
    # end


check("10.4")

# %% exercise="10.4" role="alternative" note="Grouping does the same, and has a place for a number beside each language."
def languages():
    groups = Book.objects.order_by("language").values("language").annotate(books=Count("pk"))
    return [group["language"] for group in groups]

# %% exercise="10.4" role="mistake" says="The model orders books by title, so the title joins the `SELECT DISTINCT` and every title is a row. Replace the ordering with `order_by(\"language\")`."
def languages():
    return Book.objects.values_list("language", flat=True).distinct()

# %% exercise="10.4" role="mistake" says="Each language comes once per book. Add `distinct()`."
def languages():
    return Book.objects.order_by("language").values_list("language", flat=True)

# %% exercise="10.4" role="mistake" says="Rows of one column are still tuples. `flat=True` gives the bare values."
def languages():
    return Book.objects.order_by("language").values_list("language").distinct()

# %% exercise="10.4" role="hint"
# Look at the SQL of your queryset: is there a column in it that you did not ask for?
# %% exercise="10.4" role="hint"
# `order_by("language")` replaces the ordering by title.

# %% [markdown] exercise="10.5"
# ### 10.5 The same order
#
# Return the users who placed an order **in 2024 that was cancelled**, by username, each once. One query.

# %% exercise="10.5" role="answer" ordered=true budget=1
def cancelled_in_2024():
    # solution
    users = User.objects.filter(orders__status="cancelled", orders__placed_at__year=2024)
    return users.order_by("username").distinct()
    # end


check("10.5")

# %% exercise="10.5" role="alternative" note="`Exists` stops at the first such order and multiplies no rows, so there is nothing to make distinct. Better when users have many orders."
def cancelled_in_2024():
    orders = Order.objects.filter(customer=OuterRef("pk"), status="cancelled", placed_at__year=2024)
    return User.objects.filter(Exists(orders)).order_by("username")

# %% exercise="10.5" role="mistake" says="Two `filter()` calls may find two different orders: one that was cancelled, another of 2024. Put both conditions into one call."
def cancelled_in_2024():
    users = User.objects.filter(orders__status="cancelled").filter(orders__placed_at__year=2024)
    return users.order_by("username").distinct()

# %% exercise="10.5" role="mistake" says="A user with two such orders is there twice: the join gives a row per order. Add `distinct()`, or use `Exists`."
def cancelled_in_2024():
    users = User.objects.filter(orders__status="cancelled", orders__placed_at__year=2024)
    return users.order_by("username")

# %% exercise="10.5" role="mistake" says="You ask every user for their orders: a query for each. Filter across the relation instead."
def cancelled_in_2024():
    return [
        user for user in User.objects.order_by("username")
        if user.orders.filter(status="cancelled", placed_at__year=2024).exists()
    ]

# %% exercise="10.5" role="mistake" says="These are all cancelled orders of any year."
def cancelled_in_2024():
    return User.objects.filter(orders__status="cancelled").order_by("username").distinct()

# %% exercise="10.5" role="hint"
# Both conditions must speak of the same order. What did the lesson say about one call and two?
# %% exercise="10.5" role="hint"
# `User.objects.filter(orders__status=…, orders__placed_at__year=…)`, and then each user once.

# %% [markdown] exercise="10.6"
# ### 10.6 Below four, or unrated
#
# Return the books that cannot be recommended: rated below 4, or never rated. By title, equal titles by primary
# key. One query.

# %% exercise="10.6" role="answer" ordered=true budget=1
def not_recommended():
    # solution
    return Book.objects.exclude(rating__gte=4).order_by("title", "pk")
    # end


check("10.6")

# %% exercise="10.6" role="alternative" note="Says what is meant, and survives a reader who does not know how `exclude()` treats NULL."
def not_recommended():
    return Book.objects.filter(Q(rating__lt=4) | Q(rating__isnull=True)).order_by("title", "pk")

# %% exercise="10.6" role="mistake" says="NULL is not below 4, so the unrated books are missing. `exclude(rating__gte=4)` keeps them."
def not_recommended():
    return Book.objects.filter(rating__lt=4).order_by("title", "pk")

# %% exercise="10.6" role="mistake" says="A rating of exactly 4 can be recommended, and your answer lists it. Exclude `gte`, not `gt`."
def not_recommended():
    return Book.objects.exclude(rating__gt=4).order_by("title", "pk")

# %% exercise="10.6" role="mistake" says="Two conditions in one `filter()` are joined by AND, and no rating is both missing and below 4. Join them with `|` between two `Q`."
def not_recommended():
    return Book.objects.filter(rating__lt=4, rating__isnull=True).order_by("title", "pk")

# %% exercise="10.6" role="hint"
# `exclude()` is a complement: which rows are left when you drop the good ones?
# %% exercise="10.6" role="hint"
# `exclude(rating__gte=4)`, or two `Q` objects with `|`.

# %% [markdown] exercise="10.7"
# ### 10.7 The newest, or nothing
#
# Return the number of the newest order of this user that is shipped (of two at the same moment the one with the higher key),
# or `None`: for a user without one, and for a name that nobody has. One query.

# %% exercise="10.7" role="answer" budget=1 calls=[["mira"], ["lars.tanaka"], ["ida"], ["nobody has this name"]]
def newest_shipped(username):
    # solution
    order = Order.objects.filter(customer__username=username, status="shipped").order_by("-placed_at", "-pk").first()
    return order.number if order else None
    # end


check("10.7")

# %% exercise="10.7" role="alternative" note="Reads one column and builds no order. `first()` on plain values gives the value or `None`, with no test."
def newest_shipped(username):
    orders = Order.objects.filter(customer__username=username, status="shipped").order_by("-placed_at", "-pk")
    return orders.values_list("number", flat=True).first()

# %% exercise="10.7" role="mistake" says="`latest()` and `get()` raise `DoesNotExist` where there is no row. Absence is normal here, so `first()` fits."
def newest_shipped(username):
    return Order.objects.filter(customer__username=username, status="shipped").latest("placed_at", "pk").number

# %% exercise="10.7" role="mistake" says="That is the oldest order. Newest first is `order_by(\"-placed_at\", \"-pk\")`."
def newest_shipped(username):
    order = Order.objects.filter(customer__username=username, status="shipped").order_by("placed_at", "pk").first()
    return order.number if order else None

# %% exercise="10.7" role="mistake" says="Your answer ignores the status, so an order that is still open may be the newest."
def newest_shipped(username):
    order = Order.objects.filter(customer__username=username).order_by("-placed_at", "-pk").first()
    return order.number if order else None

# %% exercise="10.7" role="mistake" says="You fetch the user first: a query more, and an exception for a name that nobody has. Filter across the relation."
def newest_shipped(username):
    order = User.objects.get(username=username).orders.filter(status="shipped").order_by("-placed_at", "-pk").first()
    return order.number if order else None

# %% exercise="10.7" role="hint"
# Which method gives `None` where `get()` raises?
# %% exercise="10.7" role="hint"
# Filter by `customer__username` and status, order newest first, `first()`.

# %% [markdown] exercise="10.8"
# ### 10.8 Watch what is sent
#
# `step` is a function. Run it and return the first word of each SQL statement that it sent, in order: `["SELECT", "UPDATE"]`.
# It must work with `DEBUG = False`, and run the step once. `BEGIN` and `COMMIT` do not matter.

# %% exercise="10.8" role="answer"
def verbs(step):
    # solution
    with CaptureQueriesContext(connection) as captured:
        step()
    return [query["sql"].split()[0] for query in captured]
    # end


check("10.8")

# %% exercise="10.8" role="check"
from django.test import override_settings


def read_then_write():
    Book.objects.filter(title="Emma").exists()
    Book.objects.filter(title="Emma").update(pages=1)


def write_and_read():
    Genre.objects.create(name="Almanacs", slug="almanacs")
    Genre.objects.filter(slug="almanacs").delete()
    list(Genre.objects.filter(slug="almanacs"))


@override_settings(DEBUG=False)
def observe(answer):
    runs = []

    def once():
        runs.append(1)
        Book.objects.first()

    steps = (Book.objects.count, read_then_write, write_and_read, once, lambda: list(Book.objects.none()))
    verbs = [[verb for verb in answer(step) if verb not in ("BEGIN", "COMMIT")] for step in steps]
    return {"verbs": verbs, "the step ran": len(runs)}

# %% exercise="10.8" role="alternative" note="A wrapper sees statements as they run, with no log to grow. It is the way to do this in production."
def verbs(step):
    words = []

    def note(execute, sql, params, many, context):
        words.append(sql.split()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        step()
    return words

# %% exercise="10.8" role="mistake" says="`connection.queries` is kept only while `DEBUG` is on. `CaptureQueriesContext` keeps it for the length of a block."
def verbs(step):
    before = len(connection.queries)
    step()
    return [query["sql"].split()[0] for query in connection.queries[before:]]

# %% exercise="10.8" role="mistake" says="These are whole statements. The first word of each is `sql.split()[0]`."
def verbs(step):
    with CaptureQueriesContext(connection) as captured:
        step()
    return [query["sql"] for query in captured]

# %% exercise="10.8" role="mistake" says="Only the first statement is in your answer. A step may send several, or none."
def verbs(step):
    with CaptureQueriesContext(connection) as captured:
        step()
    return [query["sql"].split()[0] for query in captured[:1]] if captured.captured_queries else []

# %% exercise="10.8" role="hint"
# The lesson has three ways to see what is sent. Two of them work without `DEBUG`.
# %% exercise="10.8" role="hint"
# `with CaptureQueriesContext(connection) as captured:` and then loop over `captured`.
