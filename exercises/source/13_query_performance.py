# %%
from checks import check, hint, solution
from lab import explain, queries, show, start

start()

# Django is set up now, so its models can be imported.
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from accounts.models import User
from catalog.models import Author, Book, Genre
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.text import slugify
from orders.models import Order, OrderLine, Stock

# %% [markdown] exercise="13.1"
# ### 13.1 Packing labels
#
# Return a list of strings `"Emma by Jane Austen"`, one for each line of an **open** order, by primary key of the line. One
# query, and keep the f-string.

# %% exercise="13.1" role="answer" ordered=true budget=1
def labels():
    # solution
    lines = OrderLine.objects.filter(order__status="open").select_related("book__author").order_by("pk")
    return [f"{line.book.title} by {line.book.author.name}" for line in lines]
    # end


check("13.1")

# %% exercise="13.1" role="alternative" note="Two columns instead of three whole rows for each label. Better for long lists; objects are better when their methods are used."
def labels():
    lines = OrderLine.objects.filter(order__status="open").order_by("pk")
    return [f"{title} by {author}" for title, author in lines.values_list("book__title", "book__author__name")]

# %% exercise="13.1" role="mistake" says="Each label loads its book, and then the author of it: two queries per line. Bring both along with `select_related`."
def labels():
    lines = OrderLine.objects.filter(order__status="open").order_by("pk")
    return [f"{line.book.title} by {line.book.author.name}" for line in lines]

# %% exercise="13.1" role="mistake" says="The book comes along, its author does not: still a query per line. A double underscore takes the second step: `book__author`."
def labels():
    lines = OrderLine.objects.filter(order__status="open").select_related("book").order_by("pk")
    return [f"{line.book.title} by {line.book.author.name}" for line in lines]

# %% exercise="13.1" role="mistake" says="Prefetching works, with a query for the books and one for the authors. To one row, a join does it in the first query."
def labels():
    lines = OrderLine.objects.filter(order__status="open").prefetch_related("book__author").order_by("pk")
    return [f"{line.book.title} by {line.book.author.name}" for line in lines]

# %% exercise="13.1" role="hint"
# From a line you go to one book, and from there to one author.
# %% exercise="13.1" role="hint"
# `select_related("book__author")`

# %% [markdown] exercise="13.2"
# ### 13.2 Shelves
#
# Return a dictionary from the name of each genre to the list of titles **in print**, both in alphabetical order. A genre without such
# a book has an empty list. Two queries.

# %% exercise="13.2" role="check"
def observe(answer):
    return [list(shelf) for shelf in answer().items()]

# %% exercise="13.2" role="answer" budget=2
def shelves():
    # solution
    in_print = Prefetch("books", queryset=Book.objects.in_print().order_by("title", "pk"), to_attr="books_in_print")
    genres = Genre.objects.order_by("name").prefetch_related(in_print)
    return {genre.name: [book.title for book in genre.books_in_print] for genre in genres}
    # end


check("13.2")

# %% exercise="13.2" role="alternative" note="Without `to_attr`, `genre.books.all()` is the filtered part. Shorter, and a surprise for the next reader, who takes it for all books."
def shelves():
    in_print = Prefetch("books", queryset=Book.objects.in_print().order_by("title", "pk"))
    genres = Genre.objects.order_by("name").prefetch_related(in_print)
    return {genre.name: [book.title for book in genre.books.all()] for genre in genres}

# %% exercise="13.2" role="mistake" says="You prefetch all books and then filter: `filter()` is a new queryset, so each genre asks again. Put the filter into `Prefetch(queryset=…)`."
def shelves():
    genres = Genre.objects.order_by("name").prefetch_related("books")
    return {genre.name: [book.title for book in genre.books.filter(in_print=True).order_by("title", "pk")] for genre in genres}

# %% exercise="13.2" role="mistake" says="A query for each genre. `prefetch_related` fetches the books of all genres in one."
def shelves():
    genres = Genre.objects.order_by("name")
    return {genre.name: [book.title for book in genre.books.in_print().order_by("title", "pk")] for genre in genres}

# %% exercise="13.2" role="mistake" says="Books that are out of print are on your shelves."
def shelves():
    genres = Genre.objects.order_by("name").prefetch_related("books")
    return {genre.name: [book.title for book in genre.books.all()] for genre in genres}

# %% exercise="13.2" role="mistake" says="Genres without a book in print are missing: the filter on the genres drops them. Filter the books, not the genres."
def shelves():
    in_print = Prefetch("books", queryset=Book.objects.in_print().order_by("title", "pk"))
    genres = Genre.objects.filter(books__in_print=True).distinct().order_by("name").prefetch_related(in_print)
    return {genre.name: [book.title for book in genre.books.all()] for genre in genres}

# %% exercise="13.2" role="hint"
# A genre has many books, so it is a prefetch, and one that knows which books you want.
# %% exercise="13.2" role="hint"
# `Prefetch("books", queryset=Book.objects.in_print()…, to_attr="books_in_print")`

# %% [markdown] exercise="13.3"
# ### 13.3 Where customers live
#
# Return `(username, city)` for **every** user, by username. A user without a profile has `None`. One query.

# %% exercise="13.3" role="answer" ordered=true budget=1
def cities():
    # solution
    users = User.objects.select_related("profile").order_by("username")
    return [(user.username, user.profile.city if hasattr(user, "profile") else None) for user in users]
    # end


check("13.3")

# %% exercise="13.3" role="alternative" note="The outer join gives `None` by itself. The shortest, when two columns are all you need."
def cities():
    return User.objects.order_by("username").values_list("username", "profile__city")

# %% exercise="13.3" role="mistake" says="`hasattr(user, \"profile\")` asks the database, once for every user. `select_related` follows a one-to-one from either side."
def cities():
    users = User.objects.order_by("username")
    return [(user.username, user.profile.city if hasattr(user, "profile") else None) for user in users]

# %% exercise="13.3" role="mistake" says="The reverse side of a one-to-one raises where there is no row. Test it with `hasattr`."
def cities():
    users = User.objects.select_related("profile").order_by("username")
    return [(user.username, user.profile.city) for user in users]

# %% exercise="13.3" role="mistake" says="Users without a profile are missing from your list."
def cities():
    users = User.objects.filter(profile__isnull=False).select_related("profile").order_by("username")
    return [(user.username, user.profile.city) for user in users]

# %% exercise="13.3" role="hint"
# A one-to-one has one row at most on either side, so it can be joined from either side.
# %% exercise="13.3" role="hint"
# `select_related("profile")`, and `hasattr` for those who have none.

# %% [markdown] exercise="13.4"
# ### 13.4 An order history in two queries
#
# For one username return a list of `(order number, [titles])`, newest order first (of two at the same moment the higher key),
# the titles of an order by primary key of the line. Two queries, however many orders there are.

# %% exercise="13.4" role="answer" ordered=true budget=2 calls=[["mira"], ["nobody has this name"]]
def history(username):
    # solution
    lines = Prefetch("lines", queryset=OrderLine.objects.select_related("book").order_by("pk"))
    orders = Order.objects.filter(customer__username=username).order_by("-placed_at", "-pk").prefetch_related(lines)
    return [(order.number, [line.book.title for line in order.lines.all()]) for order in orders]
    # end


check("13.4")

# %% exercise="13.4" role="alternative" note="Annotating the title onto the lines avoids building a book for each. Worth it when lines are many."
def history(username):
    lines = Prefetch("lines", queryset=OrderLine.objects.annotate(title=F("book__title")).order_by("pk"))
    orders = Order.objects.filter(customer__username=username).order_by("-placed_at", "-pk").prefetch_related(lines)
    return [(order.number, [line.title for line in order.lines.all()]) for order in orders]

# %% exercise="13.4" role="mistake" says="Three queries: orders, lines, books. From a line to its book is one row, so join it inside the prefetch: `Prefetch(\"lines\", queryset=OrderLine.objects.select_related(\"book\"))`."
def history(username):
    orders = Order.objects.filter(customer__username=username).order_by("-placed_at", "-pk")
    orders = orders.prefetch_related("lines__book")
    return [(order.number, [line.book.title for line in order.lines.all()]) for order in orders]

# %% exercise="13.4" role="mistake" says="Ordering or filtering prefetched lines makes a new queryset, and so a query per order. Order them inside the `Prefetch`."
def history(username):
    orders = Order.objects.filter(customer__username=username).order_by("-placed_at", "-pk").prefetch_related("lines")
    return [
        (order.number, [line.book.title for line in order.lines.select_related("book").order_by("pk")])
        for order in orders
    ]

# %% exercise="13.4" role="mistake" says="That is the oldest order first."
def history(username):
    lines = Prefetch("lines", queryset=OrderLine.objects.select_related("book").order_by("pk"))
    orders = Order.objects.filter(customer__username=username).order_by("placed_at", "pk").prefetch_related(lines)
    return [(order.number, [line.book.title for line in order.lines.all()]) for order in orders]

# %% exercise="13.4" role="hint"
# One query for the orders, one for all lines. The books have to come with the lines.
# %% exercise="13.4" role="hint"
# A `Prefetch` takes a queryset, and a queryset may have `select_related`.

# %% [markdown] exercise="13.5"
# ### 13.5 Turnover
#
# Return the turnover of a year as a `Decimal`: the amounts of all lines whose order was placed in that year and is paid or shipped.
# A year without any gives `Decimal(0)`. One query.

# %% exercise="13.5" role="answer" budget=1 calls=[[2024], [2025], [1999]]
def turnover(year):
    # solution
    lines = OrderLine.objects.filter(order__placed_at__year=year, order__status__in=["paid", "shipped"])
    return lines.aggregate(total=Sum("amount", default=Decimal(0)))["total"]
    # end


check("13.5")

# %% exercise="13.5" role="alternative" note="What `default=` writes for you: `COALESCE` in SQL."
def turnover(year):
    orders = Order.objects.completed().placed_in(year)
    return orders.aggregate(total=Coalesce(Sum("lines__amount"), Decimal(0)))["total"]

# %% exercise="13.5" role="mistake" says="The sum of no rows is NULL in SQL, so a year without orders gives `None`. Name a `default`."
def turnover(year):
    lines = OrderLine.objects.filter(order__placed_at__year=year, order__status__in=["paid", "shipped"])
    return lines.aggregate(total=Sum("amount"))["total"]

# %% exercise="13.5" role="mistake" says="You fetch every order and then its lines, and add them in Python. One row with the sum is all that has to travel."
def turnover(year):
    return sum((order.total for order in Order.objects.completed().placed_in(year)), Decimal(0))

# %% exercise="13.5" role="mistake" says="Open and cancelled orders bring no money, and are in your sum."
def turnover(year):
    return OrderLine.objects.filter(order__placed_at__year=year).aggregate(total=Sum("amount", default=Decimal(0)))["total"]

# %% exercise="13.5" role="mistake" says="You add the price of one copy per line. A line may have several: its `amount` is price times quantity."
def turnover(year):
    lines = OrderLine.objects.filter(order__placed_at__year=year, order__status__in=["paid", "shipped"])
    return lines.aggregate(total=Sum("unit_price", default=Decimal(0)))["total"]

# %% exercise="13.5" role="hint"
# `aggregate()` returns a dictionary with one row of results.
# %% exercise="13.5" role="hint"
# `Sum("amount", default=Decimal(0))`

# %% [markdown] exercise="13.6"
# ### 13.6 Let the index find the day
#
# Return a queryset of the orders with the given status that were placed on the given day (UTC), by primary key. There is an index on
# `(status, placed_at)`, and the plan must use **both** columns of it.

# %% exercise="13.6" role="answer" calls=[]
def orders_of(status, day):
    # solution
    start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return Order.objects.filter(status=status, placed_at__gte=start, placed_at__lt=start + timedelta(days=1)).order_by("pk")
    # end


check("13.6")

# %% exercise="13.6" role="check"
def observe(answer):
    days = list(Order.objects.order_by("placed_at").dates("placed_at", "day"))
    found = []
    for status in ("shipped", "cancelled"):
        for day in (days[0], days[len(days) // 2], days[-1], date(2025, 12, 31), date(1999, 12, 31)):
            orders = answer(status, day)
            found.append([status, day, [order.number for order in orders]])
    plan = answer("shipped", days[0]).explain()
    return {"orders": found, "the plan uses both columns": "status=? AND placed_at>? AND placed_at<?" in plan}

# %% exercise="13.6" role="alternative" note="The first moment of a day with `datetime.combine`: the same range, and easier to read aloud."
def orders_of(status, day):
    midnight = datetime.combine(day, datetime.min.time(), tzinfo=timezone.utc)
    orders = Order.objects.filter(status=status).filter(placed_at__gte=midnight)
    return orders.filter(placed_at__lt=midnight + timedelta(days=1)).order_by("pk")

# %% exercise="13.6" role="mistake" says="The orders are right, and the plan is not: `__date` puts a function around the column, so the index can only find the status. Ask for a range."
def orders_of(status, day):
    return Order.objects.filter(status=status, placed_at__date=day).order_by("pk")

# %% exercise="13.6" role="mistake" says="`__range` includes its upper end: an order of the next midnight belongs to the next day. Use `__gte` and `__lt`."
def orders_of(status, day):
    start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return Order.objects.filter(status=status, placed_at__range=(start, start + timedelta(days=1))).order_by("pk")

# %% exercise="13.6" role="mistake" says="The status is missing, so orders of every status are there, and the index is not used: its first column is the status."
def orders_of(status, day):
    start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return Order.objects.filter(placed_at__gte=start, placed_at__lt=start + timedelta(days=1)).order_by("pk")

# %% exercise="13.6" role="hint"
# Compare the bare column with two moments: the first of this day and the first of the next.
# %% exercise="13.6" role="hint"
# `placed_at__gte=start, placed_at__lt=start + timedelta(days=1)`

# %% [markdown] exercise="13.7"
# ### 13.7 Restock in one statement
#
# Add `copies` to each stock that has fewer than five, and return how many stocks you changed. One query, and right even if
# somebody buys a book at the same moment.

# %% exercise="13.7" role="answer" budget=1
def restock(copies):
    # solution
    return Stock.objects.filter(quantity__lt=5).update(quantity=F("quantity") + copies)
    # end


check("13.7")

# %% exercise="13.7" role="check"
def observe(answer):
    changed = answer(7)
    with uncounted():
        return {"changed": changed, "stock": list(Stock.objects.order_by("pk").values_list("pk", "quantity"))}

# %% exercise="13.7" role="alternative" note="Naming the small numbers is the same condition. `__lt` says it better, and can use an index as a range."
def restock(copies):
    return Stock.objects.filter(quantity__in=range(5)).update(quantity=copies + F("quantity"))

# %% exercise="13.7" role="mistake" says="A query for each stock, and a copy sold between your read and your write comes back from the dead. Compute in the database with `F`."
def restock(copies):
    low = list(Stock.objects.filter(quantity__lt=5).order_by("pk"))
    for stock in low:
        stock.quantity += copies
        stock.save()
    return len(low)

# %% exercise="13.7" role="mistake" says="You set the number instead of adding to it: with 7 copies a stock of 3 has 7 now, not 10. `F(\"quantity\")` is the value in the row."
def restock(copies):
    return Stock.objects.filter(quantity__lt=5).update(quantity=copies)

# %% exercise="13.7" role="mistake" says="Fewer than five: a stock of exactly five stays as it is."
def restock(copies):
    return Stock.objects.filter(quantity__lte=5).update(quantity=F("quantity") + copies)

# %% exercise="13.7" role="hint"
# `update()` returns the number of rows that it changed.
# %% exercise="13.7" role="hint"
# `update(quantity=F("quantity") + copies)`

# %% [markdown] exercise="13.8"
# ### 13.8 New genres, all at once
#
# Create a genre for each name in `names`, with its slug from `slugify(name)`. Names that exist already, or come twice, are left alone;
# no two names share a slug. At most two queries for some hundred names.

# %% exercise="13.8" role="answer" budget=2
def add_genres(names):
    # solution
    genres = [Genre(name=name, slug=slugify(name)) for name in names]
    Genre.objects.bulk_create(genres, ignore_conflicts=True)
    # end


check("13.8")

# %% exercise="13.8" role="check"
def observe(answer):
    names = ["Travel Writing", "Satire", "Essays", "Travel Writing", "Poet's Corner"]
    answer([*names, *[f"Shelf {number}" for number in range(30)]])
    with uncounted():
        return list(Genre.objects.order_by("name").values_list("name", "slug"))

# %% exercise="13.8" role="alternative" note="Says exactly which names are new, and hides no other conflict, as `ignore_conflicts` would. A name that another request adds in between is an error here."
def add_genres(names):
    known = set(Genre.objects.filter(name__in=names).values_list("name", flat=True))
    new = [name for name in dict.fromkeys(names) if name not in known]
    Genre.objects.bulk_create([Genre(name=name, slug=slugify(name)) for name in new])

# %% exercise="13.8" role="mistake" says="At least a query for each name. `bulk_create` inserts a whole batch in one."
def add_genres(names):
    for name in names:
        Genre.objects.get_or_create(name=name, defaults={"slug": slugify(name)})

# %% exercise="13.8" role="mistake" says="A name that exists, or comes twice, breaks the unique constraint, and then none is stored. Leave it out, or let the database ignore it."
def add_genres(names):
    Genre.objects.bulk_create([Genre(name=name, slug=slugify(name)) for name in names])

# %% exercise="13.8" role="mistake" says="`bulk_create` calls no `save()` and makes no slug. All slugs are empty, and since a slug is unique only one genre got in."
def add_genres(names):
    Genre.objects.bulk_create([Genre(name=name) for name in names], ignore_conflicts=True)

# %% exercise="13.8" role="hint"
# One `INSERT` can carry all rows. What should the database do with the ones it knows?
# %% exercise="13.8" role="hint"
# `bulk_create(genres, ignore_conflicts=True)`
