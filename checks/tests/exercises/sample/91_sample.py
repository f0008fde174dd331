# %% [markdown]
# # Sample exercises

# %%
from accounts.models import User
from catalog.models import Author, Book
from checks import check, hint, solution
from django.db.models import Count, F, Sum
from lab import start
from orders.models import Stock

start()

# %% [markdown] exercise="91.1"
# ### 91.1 Rows in order
#
# Return the books in print, dearest first, then by title and key.

# %% exercise="91.1" role="answer" ordered=true budget=1
def dearest():
    # solution
    return Book.objects.filter(in_print=True).order_by("-price", "title", "pk")
    # end


check("91.1")

# %% exercise="91.1" role="alternative" note="The queryset's own word says what is meant."
def dearest():
    return Book.objects.in_print().order_by(F("price").desc(), "title", "pk")

# %% exercise="91.1" role="mistake" says="Books out of print are in your list."
def dearest():
    return Book.objects.order_by("-price", "title", "pk")

# %% exercise="91.1" role="mistake" says="That is the cheapest first."
def dearest():
    return Book.objects.filter(in_print=True).order_by("price", "title", "pk")

# %% exercise="91.1" role="mistake" says="Values are not books."
def dearest():
    return Book.objects.filter(in_print=True).order_by("-price", "title", "pk").values_list("title", flat=True)

# %% exercise="91.1" role="hint"
# A minus turns the order round.
# %% exercise="91.1" role="hint"
# `order_by("-price", …)`

# %% [markdown] exercise="91.2"
# ### 91.2 One number
#
# Return how many copies are on the shelf.

# %% exercise="91.2" role="answer" budget=1 datasets=["shop", "edge", "empty"]
def copies():
    # solution
    return Stock.objects.aggregate(copies=Sum("quantity", default=0))["copies"]
    # end


check("91.2")

# %% exercise="91.2" role="alternative" note="Fine for a handful of rows."
def copies():
    return sum(Stock.objects.values_list("quantity", flat=True))

# %% exercise="91.2" role="mistake" says="The sum of no rows is NULL."
def copies():
    return Stock.objects.aggregate(copies=Sum("quantity"))["copies"]

# %% exercise="91.2" role="mistake" says="You count the titles, not the copies."
def copies():
    return Stock.objects.count()

# %% exercise="91.2" role="mistake" says="You return the dictionary around the number."
def copies():
    return Stock.objects.aggregate(copies=Sum("quantity", default=0))

# %% exercise="91.2" role="hint"
# Aggregate.

# %% [markdown] exercise="91.3"
# ### 91.3 With an argument
#
# Return the titles of the author with this name, in any order.

# %% exercise="91.3" role="answer" calls=[["Jane Austen"], ["Émile Zola"], ["Nobody"]]
def titles(name):
    # solution
    return Book.objects.filter(author__name=name).values_list("title", flat=True)
    # end


check("91.3")

# %% exercise="91.3" role="alternative" note="From the author, when you have one."
def titles(name):
    return [book.title for author in Author.objects.filter(name=name) for book in author.books.all()]

# %% exercise="91.3" role="mistake" says="`get()` raises where there is no author."
def titles(name):
    return Author.objects.get(name=name).books.values_list("title", flat=True)

# %% exercise="91.3" role="mistake" says="You ignore the name."
def titles(name):
    return Book.objects.values_list("title", flat=True)

# %% exercise="91.3" role="mistake" says="Rows of one column are tuples."
def titles(name):
    return Book.objects.filter(author__name=name).values_list("title")

# %% exercise="91.3" role="hint"
# Cross the relation.

# %% [markdown] exercise="91.4"
# ### 91.4 Within a budget
#
# Return a list of `(title, author's name)` of all books. One query.

# %% exercise="91.4" role="answer" budget=1
def pairs():
    # solution
    return [(book.title, book.author.name) for book in Book.objects.select_related("author")]
    # end


check("91.4")

# %% exercise="91.4" role="alternative" note="No objects needed."
def pairs():
    return Book.objects.values_list("title", "author__name")

# %% exercise="91.4" role="mistake" says="Every author is a query of its own."
def pairs():
    return [(book.title, book.author.name) for book in Book.objects.all()]

# %% exercise="91.4" role="mistake" says="The author's key is not the name."
def pairs():
    return Book.objects.values_list("title", "author")

# %% exercise="91.4" role="mistake" says="Prefetching takes a second query."
def pairs():
    return [(book.title, book.author.name) for book in Book.objects.prefetch_related("author")]

# %% exercise="91.4" role="hint"
# Join.

# %% [markdown] exercise="91.5"
# ### 91.5 Writing
#
# Add this many copies to every stock, in one query.

# %% exercise="91.5" role="answer" budget=1
def restock(copies):
    # solution
    Stock.objects.update(quantity=F("quantity") + copies)
    # end


check("91.5")

# %% exercise="91.5" role="check"
def observe(answer):
    answer(5)
    with uncounted():
        return list(Stock.objects.order_by("pk").values_list("pk", "quantity"))

# %% exercise="91.5" role="alternative" note="Written the other way round."
def restock(copies):
    Stock.objects.all().update(quantity=copies + F("quantity"))

# %% exercise="91.5" role="mistake" says="A query for each stock."
def restock(copies):
    for stock in Stock.objects.all():
        stock.quantity += copies
        stock.save()

# %% exercise="91.5" role="mistake" says="You set the number instead of adding to it."
def restock(copies):
    Stock.objects.update(quantity=copies)

# %% exercise="91.5" role="mistake" says="Nothing is saved."
def restock(copies):
    for stock in Stock.objects.all():
        stock.quantity += copies

# %% exercise="91.5" role="hint"
# `F` computes in the database.

# %% [markdown] exercise="91.6"
# ### 91.6 Without an answer that passes by accident
#
# Return the number 1.

# %% exercise="91.6" role="answer" seconds=1.5 datasets=["shop"]
def one():
    # solution
    return 1
    # end


check("91.6")

# %% exercise="91.6" role="alternative" note="The long way."
def one():
    return User.objects.order_by("pk").values_list("pk", flat=True)[0]

# %% exercise="91.6" role="mistake" says="Two is not one."
def one():
    return 2

# %% exercise="91.6" role="mistake" says="Three is not one."
def one():
    return 3

# %% exercise="91.6" role="mistake" says="A text is not a number."
def one():
    return "1"

# %% exercise="91.6" role="hint"
# One.
