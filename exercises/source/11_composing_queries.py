# %%
import operator
from functools import reduce
from itertools import chain

from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from accounts.models import User
from catalog.models import Author, Book, Genre
from catalog.querysets import BookQuerySet
from django.db import connection, models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value, When, Window
from django.db.models.functions import Coalesce, Rank
from orders.models import Order, OrderLine

# %% [markdown] exercise="11.1"
# ### 11.1 Any of these words
#
# Return the books whose title contains **any** of the words, whatever their case, each once, by title and primary key. No words, no books.
# At most one query.

# %% exercise="11.1" role="check"
def observe(answer):
    # As on PostgreSQL, where `contains` minds capitals: here it finds nothing at all.
    connection.operators = {**connection.operators, "contains": "GLOB %s", "startswith": "GLOB %s", "regex": "GLOB %s"}
    # Equal titles come from this index with the highest key first, unless the answer says otherwise.
    with uncounted(), connection.cursor() as cursor:
        cursor.execute("CREATE INDEX titles_backwards ON catalog_book (title, id DESC)")
    searches = [["war", "peace"], ["THE"], ["poems", "emma", "poe"], []]
    return {f"any_word({words})": list(answer(words)) for words in searches}

# %% exercise="11.1" role="answer" budget=4 writes_schema=true
def any_word(words):
    # solution
    if not words:
        return Book.objects.none()
    found = reduce(operator.or_, (Q(title__icontains=word) for word in words))
    return Book.objects.filter(found).order_by("title", "pk")
    # end


check("11.1")

# %% exercise="11.1" role="alternative" note="`pk__in=[]` is a condition that nothing meets, so it is a start for an OR. No special case is left."
def any_word(words):
    found = Q(pk__in=[])
    for word in words:
        found |= Q(title__icontains=word)
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.1" role="mistake" says="Without words your answer is every book: an empty `Q()` adds no condition. Return `none()`, or start with a condition that nothing meets."
def any_word(words):
    found = Q()
    for word in words:
        found |= Q(title__icontains=word)
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.1" role="mistake" says="`reduce()` raises `TypeError` on an empty list. What should no words give?"
def any_word(words):
    found = reduce(operator.or_, (Q(title__icontains=word) for word in words))
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.1" role="mistake" says="`&=` wants every word in the title. Any of them is `|=`."
def any_word(words):
    found = Q() if words else Q(pk__in=[])
    for word in words:
        found &= Q(title__icontains=word)
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.1" role="mistake" says="A query for each word, and a book with two of the words comes twice. Join the conditions, and ask once."
def any_word(words):
    found = chain.from_iterable(Book.objects.filter(title__icontains=word) for word in words)
    return sorted(found, key=lambda book: (book.title, book.pk))

# %% exercise="11.1" role="mistake" says="`contains` minds capitals on most databases; that SQLite does not is luck. Whatever the case is `icontains`."
def any_word(words):
    found = Q(pk__in=[])
    for word in words:
        found |= Q(title__contains=word)
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.1" role="mistake" says="Books with equal titles come as the database likes, one way today and another way with a new index. Say the primary key as well."
def any_word(words):
    found = Q(pk__in=[])
    for word in words:
        found |= Q(title__icontains=word)
    return Book.objects.filter(found).order_by("title")

# %% exercise="11.1" role="hint"
# Build one `Q` in a loop with `|`. What does it hold when the loop never ran?
# %% exercise="11.1" role="hint"
# `Q(pk__in=[])` meets nothing, and `Q(pk__in=[]) | q` meets what `q` does.

# %% [markdown] exercise="11.2"
# ### 11.2 Filters from a URL
#
# `params` is a dictionary of strings from a query string. Use `language` (exactly), `author` (part of the name, any case) and `max_price`
# (at most); leave out the empty ones, and ignore every other name. Return the books by title and primary key. One query.

# %% exercise="11.2" role="check"
def observe(answer):
    # As on PostgreSQL, where `contains` minds capitals: here it finds nothing at all.
    connection.operators = {**connection.operators, "contains": "GLOB %s", "startswith": "GLOB %s", "regex": "GLOB %s"}
    asked = [
        {"language": "French", "max_price": "9.50"},
        {"author": "austen", "language": ""},
        {},
        {"page": "2", "author": "zola"},
        {"author__country": "Ireland", "in_print": "False"},
        {"language": "french"},
    ]
    return {f"search({params})": list(answer(dict(params))) for params in asked}

# %% exercise="11.2" role="answer" budget=6
def search(params):
    # solution
    lookups = {"language": "language", "author": "author__name__icontains", "max_price": "price__lte"}
    wanted = {lookups[name]: value for name, value in params.items() if name in lookups and value}
    return Book.objects.filter(**wanted).order_by("title", "pk")
    # end


check("11.2")

# %% exercise="11.2" role="alternative" note="A line for each filter: longer, and each may be more than one lookup. Querysets are lazy, so this is still one query. Joined conditions on the book and its one author mean the same in one call or in three."
def search(params):
    books = Book.objects.order_by("title", "pk")
    if language := params.get("language"):
        books = books.filter(language=language)
    if author := params.get("author"):
        books = books.filter(author__name__icontains=author)
    if max_price := params.get("max_price"):
        books = books.filter(price__lte=max_price)
    return books

# %% exercise="11.2" role="mistake" says="The names in the URL became lookups: a visitor may filter by anything that a relation reaches, and an unknown name is an error page. Translate with a table of your own."
def search(params):
    return Book.objects.filter(**params).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="An empty value is a filter in your answer: no book has the language \"\". A form sends empty fields too."
def search(params):
    lookups = {"language": "language", "author": "author__name__icontains", "max_price": "price__lte"}
    wanted = {lookups[name]: value for name, value in params.items() if name in lookups}
    return Book.objects.filter(**wanted).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="Your conditions are joined by OR: a dear French book is found because it is French."
def search(params):
    lookups = {"language": "language", "author": "author__name__icontains", "max_price": "price__lte"}
    found = Q()
    for name, value in params.items():
        if name in lookups and value:
            found |= Q((lookups[name], value))
    return Book.objects.filter(found).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="Names that you do not know still pass, under the name they came with. Keep only those in your table."
def search(params):
    lookups = {"author": "author__name__icontains", "max_price": "price__lte"}
    wanted = {lookups.get(name, name): value for name, value in params.items() if value and name != "page"}
    return Book.objects.filter(**wanted).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="\"At most\" includes the price itself: `price__lte`."
def search(params):
    lookups = {"language": "language", "author": "author__name__icontains", "max_price": "price__lt"}
    wanted = {lookups[name]: value for name, value in params.items() if name in lookups and value}
    return Book.objects.filter(**wanted).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="The language is to be met exactly: `icontains` and `iexact` find \"French\" for \"french\" too."
def search(params):
    lookups = {"language": "language__iexact", "author": "author__name__icontains", "max_price": "price__lte"}
    wanted = {lookups[name]: value for name, value in params.items() if name in lookups and value}
    return Book.objects.filter(**wanted).order_by("title", "pk")

# %% exercise="11.2" role="mistake" says="`contains` minds capitals on most databases; that SQLite does not is luck. Any case is `icontains`."
def search(params):
    lookups = {"language": "language", "author": "author__name__contains", "max_price": "price__lte"}
    wanted = {lookups[name]: value for name, value in params.items() if name in lookups and value}
    return Book.objects.filter(**wanted).order_by("title", "pk")

# %% exercise="11.2" role="hint"
# A dictionary from the names that you allow to the lookups that you mean.
# %% exercise="11.2" role="hint"
# `{lookups[name]: value for name, value in params.items() if name in lookups and value}`

# %% [markdown] exercise="11.3"
# ### 11.3 One or the other
#
# Return the books that are in French or have 600 pages and more, **but not both**, by title and primary key. A book whose pages nobody
# counted is not a long one. One query.

# %% exercise="11.3" role="answer" ordered=true budget=1
def one_or_the_other():
    # solution
    return Book.objects.filter(Q(language="French") ^ Q(pages__gte=600)).order_by("title", "pk")
    # end


check("11.3")

# %% exercise="11.3" role="alternative" note="In words that everybody knows, and the same on every database: MySQL's own XOR is unknown where the pages are NULL, and leaves those French books out. With three conditions it grows long."
def one_or_the_other():
    french, long = Q(language="French"), Q(pages__gte=600)
    return Book.objects.filter((french & ~long) | (~french & long)).order_by("title", "pk")

# %% exercise="11.3" role="mistake" says="Long French books are in your answer: `|` is \"or both\"."
def one_or_the_other():
    return Book.objects.filter(Q(language="French") | Q(pages__gte=600)).order_by("title", "pk")

# %% exercise="11.3" role="mistake" says="These are the books that meet both. You want those that meet one."
def one_or_the_other():
    return Book.objects.filter(Q(language="French") & Q(pages__gte=600)).order_by("title", "pk")

# %% exercise="11.3" role="mistake" says="French books without a number of pages are missing: NULL is not below 600. `~Q(pages__gte=600)` keeps them."
def one_or_the_other():
    short_french = Q(language="French", pages__lt=600)
    return Book.objects.filter(short_french | (~Q(language="French") & Q(pages__gte=600))).order_by("title", "pk")

# %% exercise="11.3" role="mistake" says="Only the French half is there."
def one_or_the_other():
    return Book.objects.filter(Q(language="French") & ~Q(pages__gte=600)).order_by("title", "pk")

# %% exercise="11.3" role="hint"
# There is an operator for it, which Python writes `^`.
# %% exercise="11.3" role="hint"
# `Q(…) ^ Q(…)` in one `filter()`.

# %% [markdown] exercise="11.4"
# ### 11.4 Without such an order
#
# Return the users who have **no** order that was placed in 2025 and cancelled, by username. Users without orders belong to them. One query.

# %% exercise="11.4" role="answer" ordered=true budget=1
def never_cancelled():
    # solution
    cancelled = Order.objects.filter(customer=OuterRef("pk"), status="cancelled", placed_at__year=2025)
    return User.objects.filter(~Exists(cancelled)).order_by("username")
    # end


check("11.4")

# %% exercise="11.4" role="alternative" note="A subquery of keys, which becomes `NOT IN`. Right here because `customer` is never NULL: one NULL among the keys would empty the answer."
def never_cancelled():
    cancelled = Order.objects.filter(status="cancelled", placed_at__year=2025)
    return User.objects.exclude(pk__in=cancelled.values("customer")).order_by("username")

# %% exercise="11.4" role="alternative" note="Count the bad ones and keep who has none: one join, which reads every order. `Exists` may stop at the first."
def never_cancelled():
    cancelled = Count("orders", filter=Q(orders__status="cancelled", orders__placed_at__year=2025))
    return User.objects.annotate(cancelled=cancelled).filter(cancelled=0).order_by("username")

# %% exercise="11.4" role="mistake" says="In `exclude()` each condition is a subquery of its own: whoever cancelled in 2024 and bought in 2025 is gone as well. Negate an `Exists`."
def never_cancelled():
    return User.objects.exclude(orders__status="cancelled", orders__placed_at__year=2025).order_by("username")

# %% exercise="11.4" role="mistake" says="These are the users who never cancelled at all and never ordered in 2025: two negations, about different orders. Both conditions belong into one subquery, and the `~` before it."
def never_cancelled():
    others = ~Q(orders__status="cancelled") & ~Q(orders__placed_at__year=2025)
    return User.objects.filter(others).order_by("username")

# %% exercise="11.4" role="mistake" says="A query for each user. Let the database ask, with `Exists` and `OuterRef`."
def never_cancelled():
    return [
        user for user in User.objects.order_by("username")
        if not user.orders.filter(status="cancelled", placed_at__year=2025).exists()
    ]

# %% exercise="11.4" role="mistake" says="The negation is missing: these are the users who have such an order."
def never_cancelled():
    cancelled = Order.objects.filter(customer=OuterRef("pk"), status="cancelled", placed_at__year=2025)
    return User.objects.filter(Exists(cancelled)).order_by("username")

# %% exercise="11.4" role="hint"
# Say first what such an order is, in one `filter()`. Then negate the whole.
# %% exercise="11.4" role="hint"
# `User.objects.filter(~Exists(Order.objects.filter(customer=OuterRef("pk"), …)))`

# %% [markdown] exercise="11.5"
# ### 11.5 Two numbers for each book
#
# Return rows `(title, number of genres, copies in order lines)` of all books, by title and primary key. A book that was never ordered has 0
# copies. Count every order. One query.

# %% exercise="11.5" role="answer" ordered=true budget=1
def book_numbers():
    # solution
    lines = OrderLine.objects.filter(book=OuterRef("pk")).order_by().values("book")
    copies = Coalesce(Subquery(lines.annotate(number=Sum("quantity")).values("number")), 0)
    books = Book.objects.annotate(genre_count=Count("genres"), copies=copies)
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")
    # end


check("11.5")

# %% exercise="11.5" role="alternative" note="A subquery for each number: no join at all, and each may be taken away without changing the other."
def book_numbers():
    lines = OrderLine.objects.filter(book=OuterRef("pk")).order_by().values("book")
    genres = Book.genres.through.objects.filter(book=OuterRef("pk")).order_by().values("book")
    books = Book.objects.annotate(
        copies=Coalesce(Subquery(lines.annotate(number=Sum("quantity")).values("number")), 0),
        genre_count=Coalesce(Subquery(genres.annotate(number=Count("pk")).values("number")), 0),
    )
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")

# %% exercise="11.5" role="mistake" says="Two joins in one aggregation multiply: each line comes once for each genre, and each genre once for each line. Sum the lines in a subquery."
def book_numbers():
    books = Book.objects.annotate(genre_count=Count("genres"), copies=Coalesce(Sum("lines__quantity"), 0))
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")

# %% exercise="11.5" role="mistake" says="The genres are right, the copies are still too many: `distinct` cures the count, and the sum needs a subquery."
def book_numbers():
    books = Book.objects.annotate(
        genre_count=Count("genres", distinct=True), copies=Coalesce(Sum("lines__quantity"), 0)
    )
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")

# %% exercise="11.5" role="mistake" says="`Sum(distinct=True)` adds each different quantity once: two orders of 1 copy count as 1."
def book_numbers():
    books = Book.objects.annotate(
        genre_count=Count("genres", distinct=True), copies=Coalesce(Sum("lines__quantity", distinct=True), 0)
    )
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")

# %% exercise="11.5" role="mistake" says="Books that were never ordered have `None`. A sum of nothing is NULL; `Coalesce` makes it 0."
def book_numbers():
    lines = OrderLine.objects.filter(book=OuterRef("pk")).order_by().values("book")
    copies = Subquery(lines.annotate(number=Sum("quantity")).values("number"))
    books = Book.objects.annotate(genre_count=Count("genres"), copies=copies)
    return books.order_by("title", "pk").values_list("title", "genre_count", "copies")

# %% exercise="11.5" role="hint"
# One of the two numbers may stay a join. The other becomes a `Subquery`.
# %% exercise="11.5" role="hint"
# `OrderLine.objects.filter(book=OuterRef("pk")).order_by().values("book").annotate(number=Sum("quantity")).values("number")`

# %% [markdown] exercise="11.6"
# ### 11.6 Languages of the shelf
#
# Return `(language, number of books in print)` for the languages with at least `least` books in print, most books first, equal numbers by
# language. One query.

# %% exercise="11.6" role="answer" ordered=true budget=1 calls=[[1], [5], [1000]]
def languages(least):
    # solution
    shelf = Book.objects.in_print().values("language").annotate(number=Count("pk"))
    return shelf.filter(number__gte=least).order_by("-number", "language").values_list("language", "number")
    # end


check("11.6")

# %% exercise="11.6" role="alternative" note="The condition inside of the count: the way to have several numbers side by side, in print and out of it."
def languages(least):
    shelf = Book.objects.values("language").annotate(number=Count("pk", filter=Q(in_print=True)))
    return shelf.filter(number__gte=least).order_by("-number", "language").values_list("language", "number")

# %% exercise="11.6" role="alternative" note="A condition on a plain column of the same table becomes `WHERE` wherever it stands. Before `annotate()` it says so."
def languages(least):
    shelf = Book.objects.values("language").annotate(number=Count("pk")).filter(number__gte=least, in_print=True)
    return shelf.order_by("-number", "language").values_list("language", "number")

# %% exercise="11.6" role="mistake" says="Books that are out of print are counted. Filter the books first, then group."
def languages(least):
    shelf = Book.objects.values("language").annotate(number=Count("pk"))
    return shelf.filter(number__gte=least).order_by("-number", "language").values_list("language", "number")

# %% exercise="11.6" role="mistake" says="Every book is a group of its own: `values()` has to come before `annotate()` to group by the language."
def languages(least):
    shelf = Book.objects.in_print().annotate(number=Count("pk")).filter(number__gte=least)
    return shelf.order_by("-number", "language").values_list("language", "number")

# %% exercise="11.6" role="mistake" says="Ordering by the title adds it to the groups, so that a language comes once per title. Order by what you group by."
def languages(least):
    shelf = Book.objects.in_print().order_by("title").values("language").annotate(number=Count("pk"))
    rows = shelf.filter(number__gte=least).values_list("language", "number")
    return sorted(rows, key=lambda row: (-row[1], row[0]))

# %% exercise="11.6" role="mistake" says="At least is `gte`: a language with exactly that many belongs to the list."
def languages(least):
    shelf = Book.objects.in_print().values("language").annotate(number=Count("pk"))
    return shelf.filter(number__gt=least).order_by("-number", "language").values_list("language", "number")

# %% exercise="11.6" role="hint"
# Filter the rows, group with `values()`, count with `annotate()`, filter the groups.
# %% exercise="11.6" role="hint"
# `Book.objects.in_print().values("language").annotate(number=Count("pk")).filter(number__gte=least)`

# %% [markdown] exercise="11.7"
# ### 11.7 The best of each language
#
# Return `(language, title, rating)` of the best rated book of each language, with **all** that share the first place, by language, title
# and primary key. Books without a rating do not take part. One query.

# %% exercise="11.7" role="answer" ordered=true budget=1
def best():
    # solution
    place = Window(Rank(), partition_by="language", order_by=F("rating").desc())
    books = Book.objects.filter(rating__isnull=False).annotate(place=place).filter(place=1)
    return books.order_by("language", "title", "pk").values_list("language", "title", "rating")
    # end


check("11.7")

# %% exercise="11.7" role="alternative" note="No better one exists: it needs no window functions, says what is meant, and is asked once for each book."
def best():
    better = Book.objects.filter(language=OuterRef("language"), rating__gt=OuterRef("rating"))
    books = Book.objects.filter(~Exists(better), rating__isnull=False)
    return books.order_by("language", "title", "pk").values_list("language", "title", "rating")

# %% exercise="11.7" role="mistake" says="Ties are missing: `RowNumber` and a slice give the first place to one book. `Rank` gives it to all with that rating."
def best():
    top = Book.objects.filter(language=OuterRef("language"), rating__isnull=False).order_by("-rating", "title", "pk")
    books = Book.objects.filter(pk=Subquery(top.values("pk")[:1]))
    return books.order_by("language", "title", "pk").values_list("language", "title", "rating")

# %% exercise="11.7" role="mistake" says="The worst come first in your window. `F(\"rating\").desc()` turns it round."
def best():
    place = Window(Rank(), partition_by="language", order_by="rating")
    books = Book.objects.filter(rating__isnull=False).annotate(place=place).filter(place=1)
    return books.order_by("language", "title", "pk").values_list("language", "title", "rating")

# %% exercise="11.7" role="mistake" says="Without `partition_by` there is one ranking of the whole shop, and one first place."
def best():
    place = Window(Rank(), order_by=F("rating").desc())
    books = Book.objects.filter(rating__isnull=False).annotate(place=place).filter(place=1)
    return books.order_by("language", "title", "pk").values_list("language", "title", "rating")

# %% exercise="11.7" role="mistake" says="These are the groups and their highest rating. Which book has it is not among them."
def best():
    return Book.objects.values("language").annotate(top=Max("rating")).order_by("language").values_list("language", "top")

# %% exercise="11.7" role="hint"
# A rank within each language keeps the rows. Which function gives equal ratings the same place?
# %% exercise="11.7" role="hint"
# `Window(Rank(), partition_by="language", order_by=F("rating").desc())`, then `filter(place=1)`.

# %% [markdown] exercise="11.8"
# ### 11.8 Either, and still a queryset
#
# `first` and `second` are querysets of books, neither ordered by you nor cut. Return one **queryset** with the books that are in either, each once;
# the caller will filter and order it further. Send no query.

# %% exercise="11.8" role="check"
def observe(answer):
    books = Book.objects
    pairs = {
        "cheap or good": (books.filter(price__lt=7), books.filter(rating__gte=4.5)),
        "satire or adventure": (books.filter(genres__name="Satire"), books.filter(genres__name="Adventure")),
        "in print or sold by fives": (books.in_print(), books.filter(lines__quantity__gte=5)),
    }
    found = {}
    for name, (first, second) in pairs.items():
        either = answer(first, second)
        found[name] = list(either.order_by("pk"))
        found[f"{name}, in English"] = either.filter(language="English").order_by("pk").count()
    return found

# %% exercise="11.8" role="answer" budget=6
def either(first, second):
    # solution
    return (first | second).distinct()
    # end


check("11.8")

# %% exercise="11.8" role="alternative" note="Two subqueries of keys. Nothing is multiplied, so there is nothing to make distinct, and it does not matter whether one part has `distinct()` and the other not: `|` raises `TypeError` there."
def either(first, second):
    return Book.objects.filter(Q(pk__in=first.order_by().values("pk")) | Q(pk__in=second.order_by().values("pk")))

# %% exercise="11.8" role="mistake" says="A union cannot be filtered, and the caller wants to. `|` merges the conditions."
def either(first, second):
    return first.order_by().union(second.order_by())

# %% exercise="11.8" role="mistake" says="A list has no `filter()`. Stay with querysets."
def either(first, second):
    return list({*first, *second})

# %% exercise="11.8" role="mistake" says="A join repeats rows: a book in both genres comes twice. Add `distinct()`."
def either(first, second):
    return first | second

# %% exercise="11.8" role="mistake" says="`&` keeps the books that are in both."
def either(first, second):
    return (first & second).distinct()

# %% exercise="11.8" role="hint"
# Which of the three ways from the lesson leaves an ordinary queryset? What does it do across a join?
# %% exercise="11.8" role="hint"
# `(first | second).distinct()`

# %% [markdown] exercise="11.9"
# ### 11.9 A timeline of two models
#
# Return rows `(year, kind, name)`: `"book"` with the title for **each** book, `"birth"` with the name for each author; earliest first, equal years by
# kind, then name. What has no year is left out. The caller slices it, and only that page may be fetched: one query.

# %% exercise="11.9" role="check"
def observe(answer):
    with uncounted():  # two books with one title and one year
        first = Book.objects.filter(published__isnull=False).order_by("published", "title", "pk").first()
        author = Author.objects.exclude(pk=first.author_id).first()
        Book.objects.create(title=first.title, slug="twin", author=author, published=first.published, price=1)
    found = {"first": list(answer()[:15]), "later": list(answer()[100:110])}
    with queries(quiet=True) as seen:
        found["page"] = list(answer()[20:25])
    return {**found, "cut by the database": any("LIMIT" in query.sql for query in seen)}

# %% exercise="11.9" role="answer" budget=3
def timeline():
    # solution
    books = Book.objects.filter(published__isnull=False).order_by().annotate(kind=Value("book"))
    births = Author.objects.filter(born__isnull=False).order_by().annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"), all=True)
    return rows.order_by("published", "kind", "title")
    # end


check("11.9")

# %% exercise="11.9" role="alternative" note="The same names in both parts: the ordering then reads as what it is. More words, and fewer surprises."
def timeline():
    def rows(queryset, kind, year, name):
        known = queryset.filter(**{f"{year}__isnull": False}).order_by()
        return known.annotate(year=F(year), kind=Value(kind), label=F(name)).values_list("year", "kind", "label")

    books = rows(Book.objects.all(), "book", "published", "title")
    return books.union(rows(Author.objects.all(), "birth", "born", "name"), all=True).order_by("year", "kind", "label")

# %% exercise="11.9" role="mistake" says="The parts still have the ordering of their models, and SQLite refuses that. Clear it with `order_by()` in each."
def timeline():
    books = Book.objects.filter(published__isnull=False).annotate(kind=Value("book"))
    births = Author.objects.filter(born__isnull=False).annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"), all=True)
    return rows.order_by("published", "kind", "title")

# %% exercise="11.9" role="mistake" says="Both tables are read whole for each page, in two queries. Let the database unite, sort and cut."
def timeline():
    books = [(book.published, "book", book.title) for book in Book.objects.filter(published__isnull=False)]
    births = [(author.born, "birth", author.name) for author in Author.objects.filter(born__isnull=False)]
    return sorted(chain(books, births))

# %% exercise="11.9" role="mistake" says="Rows without a year are in your timeline. On SQLite NULL comes first, on PostgreSQL last: filter them out of both parts."
def timeline():
    books = Book.objects.order_by().annotate(kind=Value("book"))
    births = Author.objects.order_by().annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"), all=True)
    return rows.order_by("published", "kind", "title")

# %% exercise="11.9" role="mistake" says="All births come first, then all books. In a timeline the year is the first column of the ordering."
def timeline():
    books = Book.objects.filter(published__isnull=False).order_by().annotate(kind=Value("book"))
    births = Author.objects.filter(born__isnull=False).order_by().annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"), all=True)
    return rows.order_by("kind", "published", "title")

# %% exercise="11.9" role="mistake" says="A book is missing: `UNION` removes equal rows, and two books may share title and year. `all=True` keeps every row, and saves the comparing."
def timeline():
    books = Book.objects.filter(published__isnull=False).order_by().annotate(kind=Value("book"))
    births = Author.objects.filter(born__isnull=False).order_by().annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"))
    return rows.order_by("published", "kind", "title")

# %% exercise="11.9" role="mistake" says="`list()` fetches the whole timeline before the caller can cut it. Return the union itself, and the slice becomes a `LIMIT`."
def timeline():
    books = Book.objects.filter(published__isnull=False).order_by().annotate(kind=Value("book"))
    births = Author.objects.filter(born__isnull=False).order_by().annotate(kind=Value("birth"))
    rows = books.values_list("published", "kind", "title").union(births.values_list("born", "kind", "name"), all=True)
    return list(rows.order_by("published", "kind", "title"))

# %% exercise="11.9" role="hint"
# The same columns in both parts, one of them a `Value`. The names of the first part are the names of the whole.
# %% exercise="11.9" role="hint"
# `books.values_list(…).union(births.values_list(…), all=True).order_by("published", "kind", "title")`

# %% [markdown] exercise="11.10"
# ### 11.10 From keys to objects
#
# A page of a mixed feed is a list of pairs, `("book", 3)` or `("author", 7)`. Return the objects in the same order; pairs without a row are
# left out. At most two queries, however long the list is, and no row of another page.

# %% exercise="11.10" role="check"
def observe(answer):
    pages = [
        [("book", 3), ("author", 7), ("book", 1), ("book", 7)],
        [("author", 2), ("author", 1), ("book", 2), ("author", 2)],
        [("book", 999999), ("author", 1)],
        [],
    ]
    found = {}
    with queries(quiet=True) as seen:
        for pairs in pages:
            found[f"objects_of({pairs})"] = list(answer(pairs))
    return {**found, "asks for some keys only": all("WHERE" in query.sql for query in seen)}

# %% exercise="11.10" role="answer" budget=6
def objects_of(pairs):
    # solution
    found = {
        kind: model.objects.in_bulk([pk for pair_kind, pk in pairs if pair_kind == kind])
        for kind, model in (("book", Book), ("author", Author))
    }
    return [found[kind][pk] for kind, pk in pairs if pk in found[kind]]
    # end


check("11.10")

# %% exercise="11.10" role="alternative" note="One dictionary with the pair as its key. Good where the models are more than two."
def objects_of(pairs):
    found = {}
    for kind, model in (("book", Book), ("author", Author)):
        keys = [pk for pair_kind, pk in pairs if pair_kind == kind]
        found |= {(kind, thing.pk): thing for thing in model.objects.filter(pk__in=keys)}
    return [found[pair] for pair in pairs if pair in found]

# %% exercise="11.10" role="mistake" says="A query for each pair. Fetch each kind at once, with `in_bulk()`."
def objects_of(pairs):
    models_of = {"book": Book, "author": Author}
    return [thing for kind, pk in pairs if (thing := models_of[kind].objects.filter(pk=pk).first())]

# %% exercise="11.10" role="mistake" says="First the books, then the authors: the order of the page is lost, and repeated pairs come once."
def objects_of(pairs):
    books = Book.objects.filter(pk__in=[pk for kind, pk in pairs if kind == "book"])
    authors = Author.objects.filter(pk__in=[pk for kind, pk in pairs if kind == "author"])
    return list(chain(books, authors))

# %% exercise="11.10" role="mistake" says="A row may be gone since the page of keys was read: your answer raises `KeyError` then. Leave it out."
def objects_of(pairs):
    found = {
        kind: model.objects.in_bulk([pk for pair_kind, pk in pairs if pair_kind == kind])
        for kind, model in (("book", Book), ("author", Author))
    }
    return [found[kind][pk] for kind, pk in pairs]

# %% exercise="11.10" role="mistake" says="Book 7 and author 7 share a key: your dictionary keeps one of them. Keep the kinds apart."
def objects_of(pairs):
    keys = [pk for _, pk in pairs]
    found = Author.objects.in_bulk(keys) | Book.objects.in_bulk(keys)
    return [found[pk] for _, pk in pairs if pk in found]

# %% exercise="11.10" role="mistake" says="`in_bulk()` without an argument reads the whole table for one page. Give it the keys of this page."
def objects_of(pairs):
    found = {"book": Book.objects.in_bulk(), "author": Author.objects.in_bulk()}
    return [found[kind][pk] for kind, pk in pairs if pk in found[kind]]

# %% exercise="11.10" role="hint"
# `in_bulk()` gives a dictionary from key to object. One for each kind.
# %% exercise="11.10" role="hint"
# Build both dictionaries, then loop over the pairs once more.

# %% [markdown] exercise="11.11"
# ### 11.11 Words of one's own
#
# Write the queryset of order lines: `large()` keeps lines of three copies and more, `sold_in(year)` those whose order was placed in that year and
# not cancelled, and `copies()` returns the sum of the copies, added up by the database, 0 for none. The manager is made with `as_manager()`, and the first two chain in any order.

# %% exercise="11.11" role="answer"
class LineQuerySet(models.QuerySet):
    # solution
    def large(self):
        return self.filter(quantity__gte=3)

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year).exclude(order__status="cancelled")

    def copies(self):
        return self.aggregate(copies=Sum("quantity", default=0))["copies"]
    # end


check("11.11")

# %% exercise="11.11" role="check"
def observe(answer):
    meta = type("Meta", (), {"proxy": True, "app_label": "lab"})
    line = type("AskedLine", (OrderLine,), {"__module__": "lab", "Meta": meta, "objects": answer.as_manager()})
    with queries(quiet=True) as seen:
        lazy = line.objects.large().sold_in(2025)
    with queries(quiet=True) as sums:
        total = line.objects.copies()
    return {
        "large": line.objects.large().count(),
        "sold": [line.objects.sold_in(year).count() for year in (2024, 2025, 1999)],
        "both ways": [lazy.count(), line.objects.sold_in(2025).large().count()],
        "after a filter": line.objects.filter(unit_price__lt=8).large().order_by("pk").sold_in(2025).count(),
        "copies of 2025": line.objects.sold_in(2025).copies(),
        "copies of none": line.objects.none().copies(),
        "copies of all": total,
        "added up by the database": "SUM(" in sums[0].sql,
        "queries to describe": len(seen),
    }

# %% exercise="11.11" role="alternative" note="All in one `filter()`: the order is to one, so it makes no difference here. `Coalesce` does what `default=` does."
class LineQuerySet(models.QuerySet):
    def large(self):
        return self.filter(quantity__gt=2)

    def sold_in(self, year):
        return self.filter(~Q(order__status="cancelled"), order__placed_at__year=year)

    def copies(self):
        return self.aggregate(copies=Coalesce(Sum("quantity"), 0))["copies"]

# %% exercise="11.11" role="mistake" says="A method that starts from `OrderLine.objects` forgets what was chained before. Start from `self`."
class LineQuerySet(models.QuerySet):
    def large(self):
        return self.model._base_manager.filter(quantity__gte=3)

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year).exclude(order__status="cancelled")

    def copies(self):
        return self.aggregate(copies=Sum("quantity", default=0))["copies"]

# %% exercise="11.11" role="mistake" says="The sum of nothing is `None`: say `default=0`."
class LineQuerySet(models.QuerySet):
    def large(self):
        return self.filter(quantity__gte=3)

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year).exclude(order__status="cancelled")

    def copies(self):
        return self.aggregate(copies=Sum("quantity"))["copies"]

# %% exercise="11.11" role="mistake" says="Lines of cancelled orders were not sold."
class LineQuerySet(models.QuerySet):
    def large(self):
        return self.filter(quantity__gte=3)

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year)

    def copies(self):
        return self.aggregate(copies=Sum("quantity", default=0))["copies"]

# %% exercise="11.11" role="mistake" says="`large()` gives a list, and a list does not chain. Return a queryset."
class LineQuerySet(models.QuerySet):
    def large(self):
        return [line for line in self if line.quantity >= 3]

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year).exclude(order__status="cancelled")

    def copies(self):
        return self.aggregate(copies=Sum("quantity", default=0))["copies"]

# %% exercise="11.11" role="mistake" says="Every line is fetched and built to add up one number. Let the database do it, with `aggregate()`."
class LineQuerySet(models.QuerySet):
    def large(self):
        return self.filter(quantity__gte=3)

    def sold_in(self, year):
        return self.filter(order__placed_at__year=year).exclude(order__status="cancelled")

    def copies(self):
        return sum(line.quantity for line in self)

# %% exercise="11.11" role="hint"
# `self` is the queryset so far. Return `self.filter(…)`.
# %% exercise="11.11" role="hint"
# `self.aggregate(copies=Sum("quantity", default=0))["copies"]`

# %% [markdown] exercise="11.12"
# ### 11.12 A manager that hides, and still chains
#
# Write the manager class of a model that shows only books in print. Everything that `BookQuerySet` can do works on the manager and further down the
# chain, and `using()` as well as `db_manager()` choose the database as ever.

# %% exercise="11.12" role="answer"
class InPrintManager(models.Manager.from_queryset(BookQuerySet)):
    # solution
    def get_queryset(self):
        return super().get_queryset().in_print()
    # end


check("11.12")

# %% exercise="11.12" role="check"
def observe(answer):
    meta = type("Meta", (), {"proxy": True, "app_label": "lab"})
    book = type("ShownBook", (Book,), {"__module__": "lab", "Meta": meta, "objects": answer()})
    tried = {
        "all": lambda: book.objects.count(),
        "class of its rows": lambda: type(book.objects.first()).__name__,
        "all again": lambda: book.objects.all().count(),
        "first step": lambda: book.objects.costing_at_most(8).count(),
        "second step": lambda: book.objects.filter(language="French").costing_at_most(9).count(),
        "newest": lambda: list(book.objects.newest().values_list("pk", flat=True)[:5]),
        "out of print": lambda: book.objects.filter(in_print=False).count(),
        "the author's": lambda: book.objects.by("Jane Austen").count(),
        "databases": lambda: [book.objects.using("archive").db, book.objects.db_manager("archive").all().db],
    }
    found = {}
    for name, step in tried.items():
        try:
            found[name] = step()
        except AttributeError as error:
            found[name] = type(error).__name__
    return found

# %% exercise="11.12" role="alternative" note="A queryset made by hand has to be given the database. `super().get_queryset()` remembers that for you."
class InPrintManager(models.Manager.from_queryset(BookQuerySet)):
    def get_queryset(self):
        return BookQuerySet(model=self.model, using=self._db, hints=self._hints).filter(in_print=True)

# %% exercise="11.12" role="mistake" says="A plain manager has plain querysets: `costing_at_most()` is nowhere. Inherit from `Manager.from_queryset(BookQuerySet)`."
class InPrintManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(in_print=True)

# %% exercise="11.12" role="mistake" says="The methods are on the querysets and not on the manager itself: the first step of a chain fails. `from_queryset()` copies them."
class InPrintManager(models.Manager):
    def get_queryset(self):
        return BookQuerySet(self.model, using=self._db).in_print()

# %% exercise="11.12" role="mistake" says="`all()` is one door of many: `count()`, `filter()` and your own methods go through `get_queryset()`. Override that."
class InPrintManager(models.Manager.from_queryset(BookQuerySet)):
    def all(self):
        return super().all().in_print()

# %% exercise="11.12" role="mistake" says="Your queryset forgets which database the manager was given: `db_manager(\"archive\")` still reads the default one. Pass `using=self._db`, or call `super()`."
class InPrintManager(models.Manager.from_queryset(BookQuerySet)):
    def get_queryset(self):
        return BookQuerySet(self.model).in_print()

# %% exercise="11.12" role="mistake" says="Your rows come from `Book.objects`, whatever model the manager is on: a proxy or a child of it gets plain books. Start from `super().get_queryset()`."
class InPrintManager(models.Manager.from_queryset(BookQuerySet)):
    def get_queryset(self):
        return Book.objects.using(self._db).in_print()

# %% exercise="11.12" role="hint"
# `super().get_queryset()` has the methods and the database. What is left to say?
# %% exercise="11.12" role="hint"
# `return super().get_queryset().in_print()`
