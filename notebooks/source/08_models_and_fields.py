# %% [markdown]
# # 08 · Models and fields
#
# After this chapter you can write a model and say what table it makes, choose a field and its options with reasons,
# write a field of your own, guard rows with constraints, and choose between the three styles of inheritance by their
# SQL.
#
# *Questions: Q21 models · Q22 field types and options · Q23 custom fields · Q24 Meta options · Q25 inheritance.*
# Predict each result before you run the cell. [Exercises 08.1 to 08.12](../exercises/08_models_and_fields.ipynb)
# follow.

# %%
from checks import quiz
from lab import explain, postgres, queries, reset, scratch, show, start

start()

# Django is set up now, so its models can be imported.
import django
from catalog.models import AudioBook, Author, Book, Classic, Contributor, Genre, PriceChange, Publisher
from catalog.timestamps import Timestamped
from django import forms
from django.core.exceptions import FieldError, ValidationError
from django.db import DataError, IntegrityError, NotSupportedError, connection, models
from django.db.models import F, Q
from django.db.utils import ConnectionHandler
from orders.models import BookSales, Order, Stock

# %% [markdown]
# ## Q21 · What is a model, and what does it make?
#
# *Basic · asked as B3*
#
# **Say it.** A model is a Python class that describes one kind of data. The class becomes a table, its fields become
# columns, and an object is a row. Migrations, queries, forms and the admin site all read that one description. The
# inner class `Meta` holds what is no column: table name, ordering, constraints. Django adds what I left out: an `id`
# as primary key, the manager `objects`, and the exceptions `DoesNotExist` and `MultipleObjectsReturned`.
#
# *What lifts it:* `save()` does not validate. `full_clean()` does, forms call it, and the last word on what may be
# stored belongs to the constraints of the database.

# %% [markdown]
# **See it.** The model that circulates has two attributes, "and those will be in the table fields". How many columns
# has the table?

# %%
class SampleModel(models.Model):
    field1 = models.CharField(max_length=50)
    field2 = models.IntegerField()

    class Meta:
        app_label = "lab"
        db_table = "sample_model"


print([field.column for field in SampleModel._meta.fields])

# %% [markdown]
# Three: no field says `primary_key=True`, so Django added `id`. The statement that made the table, without running it
# again:

# %%
with connection.schema_editor(collect_sql=True) as editor:
    editor.create_model(SampleModel)
print(editor.collected_sql[0].replace("(", "(\n  ", 1).replace(', "', ',\n  "'))

# %% [markdown]
# Now a row: create it, change it, save it. Two statements, which?

# %%
with queries():
    sample = SampleModel.objects.create(field1="first", field2=1)
    sample.field2 = 2
    sample.save()

# %% [markdown]
# A new object is inserted, a known one updated: all columns, changed or not, unless `update_fields` names some. Two
# exceptions: an object with a key that you chose, and one that was not loaded whole. What do they send?

# %%
with queries():
    SampleModel(pk=99, field1="ours", field2=1).save()
    SampleModel.objects.only("field1").get(pk=99).save()

# %% [markdown]
# With a key, an UPDATE is tried before the INSERT. Deferred columns are left out. Next: eighty characters where fifty
# are allowed. Does `save()` object?

# %%
too_long = SampleModel(field1="x" * 80, field2=3)
too_long.save()
print(len(SampleModel.objects.get(pk=too_long.pk).field1))
try:
    too_long.full_clean()
except ValidationError as error:
    print(error.message_dict)

# %% [markdown]
# SQLite ignores the length of a `varchar`, and Django does not ask. `full_clean()` does. PostgreSQL refuses the same
# kind of row by itself:

# %%
if postgres.available():
    with postgres():
        try:
            Publisher.objects.create(name="x" * 201)
        except DataError as error:
            print(type(error).__name__, error)
else:
    print(postgres.why_not())

# %% [markdown]
# Between those two stands what no database knows: `blank`, `choices`, validators. An author without a name and an
# order with an invented status are stored; a price below zero is not, because a constraint of the table says so:

# %%
print(Author.objects.create(name="", slug="nobody").pk is not None)
print(Order.objects.filter(pk=1).update(status="lost"), Order.objects.get(pk=1).status)
try:
    Book.objects.filter(pk=1).update(price=-1)
except IntegrityError as error:
    print(type(error).__name__)
reset()

# %% [markdown]
# **The trap.** "A model maps to a database table or collection, and each attribute is a field." Collections are
# MongoDB's word; Django's own backends are relational. One class is not always one table, nor each attribute a column:

# %%
print(Book._meta.db_table, Classic._meta.db_table, Timestamped._meta.abstract)
with connection.cursor() as cursor:
    columns = {column.name for column in connection.introspection.get_table_description(cursor, "catalog_book")}
for attribute in ("title", "author", "author_id", "genres", "reviews", "objects", "get_absolute_url"):
    print(f"{attribute:17}", hasattr(Book, attribute), attribute in columns)

# %% [markdown]
# A proxy shares its parent's table, an abstract model has none. A foreign key's column is `author_id`, and a
# many-to-many has a table of its own instead of a column. "The metaclass helps you set the table name" confuses two
# things:

# %%
print(type(Book).__name__, hasattr(Book, "Meta"))
print(Book._meta.db_table, Book._meta.ordering, Book._meta.verbose_name_plural)

# %% [markdown]
# The metaclass of every model is `ModelBase`. The inner class is called `Meta`, it is read once, and its options live
# on as `_meta`. The printed sample does not run either: its body is not indented, and its quotes are typographic.

# %%
printed = "class SampleModel(models.Model):\nfield1 = models.CharField(max_length = 50)", "db_table = “sample_model”"
for code in printed:
    try:
        compile(code, "article", "exec")
    except SyntaxError as error:
        print(type(error).__name__)
print(Book.__module__)

# %% [markdown]
# The sentence on where models live lost its end in print: it is `models.py` of an app, or modules that a package
# `models` imports. So did the link: [Models](https://docs.djangoproject.com/en/stable/topics/db/models/).

# %% [markdown]
# **Asked next**
#
# - *Why does `save()` not validate?* Because validation is for input, and it costs queries: unique fields, foreign
#   keys and constraints are asked about one by one. Forms, and serializers in their own way, validate before they
#   save. Scripts, `update()` and `bulk_create()` do not. So rules that must always hold belong into constraints. What
#   does one book cost?

# %%
emma = Book.objects.get(slug="emma")
with queries(quiet=True) as validating:
    emma.full_clean()
with queries(quiet=True) as saving:
    emma.save()
print(len(validating), len(saving))

# %% [markdown]
# - *`null=True` on a `CharField`: why not?* Then there are two ways to say nothing, NULL and the empty text, and every
#   filter has to know both. Django's convention is the empty text. The exception is `unique=True` with `blank=True`:
#   two empty texts collide, two NULLs do not
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/fields/#null)).

# %%
class Visitor(models.Model):
    nickname = models.CharField(max_length=20, null=True, blank=True)

    class Meta:
        app_label = "lab"


Visitor.objects.bulk_create([Visitor(nickname=None), Visitor(nickname=""), Visitor(nickname="Mira")])
nameless = Visitor.objects.filter(nickname="").count(), Visitor.objects.filter(nickname=None).count()
print(nameless, Visitor.objects.exclude(nickname="Mira").count())

# %% [markdown]
# - *What does `ModelBase` add to every class?* The options `_meta`, a manager `objects` if there is none, `id` if no
#   field is the primary key, and exceptions of its own, so that `except Book.DoesNotExist` does not catch an author's.
#   Each field places itself on the class, and the class is registered with its app.

# %%
print(type(SampleModel.__dict__["field1"]).__name__, type(SampleModel.objects).__name__)
print(Book.DoesNotExist is Author.DoesNotExist, Book.DoesNotExist.__bases__[0].__name__)

# %% [markdown]
# **Versions.** Without a setting the added key was an `AutoField`, with the warning models.W042; since 6.0 it is a
# `BigAutoField`. Projects made with Django 3.2 to 5.2 name `BigAutoField` in their settings already
# ([documentation](https://docs.djangoproject.com/en/stable/ref/settings/#default-auto-field)). Since 6.0 each model
# has a third exception, `NotUpdated`: an UPDATE that was asked for met no row.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.conf import global_settings

    print(global_settings.DEFAULT_AUTO_FIELD)
    try:
        SampleModel(pk=500, field1="nobody", field2=1).save(force_update=True)
    except SampleModel.NotUpdated as error:
        print(type(error).__name__)
else:
    print("Django 6.1 prints django.db.models.BigAutoField and NotUpdated. 5.2 raises a plain DatabaseError.")

# %%
quiz("Q21")

# %% [markdown]
# Practise: exercises [08.1 to 08.2](../exercises/08_models_and_fields.ipynb).

# %% [markdown]
# ## Q22 · Which field types and options are there, and which do you choose?
#
# *Basic · asked as T21*
#
# **Say it.** A field class decides three things: the column on each database, the value in Python, and the default
# form field. There are fields for text, numbers, time, files, JSON, UUIDs and relations. Options refine them: `null`
# is about the column, `blank` about validation; `default` is computed by Python, `db_default` by the database;
# `choices` lists values; `unique` and `db_index` make indexes. Money is a `DecimalField`, never a float.
#
# *What lifts it:* columns the database computes itself, `GeneratedField`; primary keys of two columns; and which of
# all these rules hold for rows that Django did not write.

# %% [markdown]
# **See it.** Django says itself which column a field becomes. A connection that is never opened is enough to ask for
# PostgreSQL's:

# %%
postgresql = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}})["default"]
NEEDED = {"CharField": {"max_length": 50}, "DecimalField": {"max_digits": 6, "decimal_places": 2}}


def columns(names):
    fields = [getattr(models, name)(**NEEDED.get(name, {})) for name in names.split()]
    show([{"field": type(field).__name__, "SQLite": field.db_type(connection), "PostgreSQL": field.db_type(postgresql)}
          for field in fields])


TEXTS = "CharField EmailField SlugField URLField FilePathField FileField ImageField TextField"
columns(TEXTS)

# %% [markdown]
# Files and images are paths in a `varchar`; the bytes are elsewhere. An `EmailField` is a `CharField` with a
# validator. Must a `CharField` have a `max_length`?

# %%
print(models.CharField().db_type(connection), models.CharField().db_type(postgresql))

# %% [markdown]
# Not on these two, on SQLite since 5.2. MySQL and Oracle want one
# ([documentation](https://docs.djangoproject.com/en/stable/ref/models/fields/#django.db.models.CharField.max_length)).
# Numbers:

# %%
NUMBERS = ("SmallIntegerField IntegerField BigIntegerField PositiveSmallIntegerField PositiveIntegerField "
           "PositiveBigIntegerField SmallAutoField AutoField BigAutoField FloatField DecimalField BooleanField")
columns(NUMBERS)

# %% [markdown]
# PostgreSQL has no unsigned integers, and SQLite takes any. On both, a check keeps a positive field from going below
# zero, and SQLite has one for JSON as well:

# %%
for kind in (models.IntegerField, models.PositiveIntegerField, models.JSONField):
    field = kind()
    field.set_attributes_from_name("copies")
    print(f"{kind.__name__:21}", field.db_check(connection), "|", field.db_check(postgresql))

# %% [markdown]
# The rest, and what a few fields of the bookshop became:

# %%
OTHERS = "DateField DateTimeField TimeField DurationField UUIDField GenericIPAddressField JSONField BinaryField"
columns(OTHERS)

# %%
related = [(Book, "author"), (Stock, "book"), (Book, "genres"), (Book, "decade"), (PriceChange, "pk")]
fields = [model._meta.get_field(name) for model, name in related]
show([{"field": type(field).__name__, "name": field.name, "SQLite": field.db_type(connection),
       "PostgreSQL": field.db_type(postgresql)} for field in fields])

# %% [markdown]
# A foreign key takes the type of the key it points at, here of a `BigAutoField`; a generated column has the type of
# its `output_field`. A many-to-many and a composite key have no column. Is that all?

# %%
kinds = {name for name, kind in vars(models).items() if isinstance(kind, type) and issubclass(kind, models.Field)}
shown = {*TEXTS.split(), *NUMBERS.split(), *OTHERS.split(), *(type(field).__name__ for field in fields)}
print(sorted(kinds - shown))

# %% [markdown]
# Three are removed and kept for old migrations, two are what others are built on, and `OrderWrt` serves
# `order_with_respect_to`. PostgreSQL has more, in `django.contrib.postgres`; maps are for
# [GeoDjango](https://docs.djangoproject.com/en/stable/ref/contrib/gis/model-api/).

# %%
from django.contrib.postgres import fields as special
from django.contrib.postgres.search import SearchVectorField

ranges = "IntegerRangeField BigIntegerRangeField DecimalRangeField DateRangeField DateTimeRangeField"
only_there = [special.ArrayField(models.IntegerField()), special.HStoreField(), SearchVectorField()]
only_there += [getattr(special, name)() for name in ranges.split()]
show([{"field": type(field).__name__, "PostgreSQL": field.db_type(postgresql)} for field in only_there])

# %% [markdown]
# Now options. `null` or `blank`: which one does SQL know?

# %%
with connection.cursor() as cursor:
    described = connection.introspection.get_table_description(cursor, "catalog_book")
may_be_null = {column.name: bool(column.null_ok) for column in described}
for name in ("publisher", "rating", "description", "title"):
    field = Book._meta.get_field(name)
    print(f"{name:11} null={field.null!s:5} blank={field.blank!s:5} NULL in the table: {may_be_null[field.column]}")

# %% [markdown]
# SQL knows `null`. A description is never NULL and may be empty: that is `blank` alone. `default` against
# `db_default`: another program inserts a row and leaves the columns out. Which of the two inserts fails?

# %%
class Label(models.Model):
    copies = models.IntegerField(default=1)
    shelf = models.CharField(max_length=10, db_default="new")

    class Meta:
        app_label = "lab"


with connection.cursor() as cursor:
    for insert in ("INSERT INTO lab_label (copies) VALUES (5)", "INSERT INTO lab_label (shelf) VALUES ('old')"):
        try:
            cursor.execute(insert)
        except IntegrityError as error:
            print(error)
print(list(Label.objects.values_list("copies", "shelf")), type(Label().shelf).__name__)

# %% [markdown]
# The second: `default` is Python's, and the table knows nothing of it. A `db_default` is part of the table; before the
# object is saved its value is a placeholder. Next,
# [`choices`](https://docs.djangoproject.com/en/stable/ref/models/fields/#choices), for forms, validation and display:
# a class as here, pairs, a mapping, or a function that returns them.

# %%
class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"

    condition = models.CharField(max_length=4, choices=Condition)

    class Meta:
        app_label = "lab"


print(Copy(condition=Copy.Condition.WORN).get_condition_display(), Copy.Condition.values, Copy.Condition("new").label)
print(Copy.objects.create(condition="lost").get_condition_display())

# %% [markdown]
# The invented value was stored, and shows as itself; a `CheckConstraint` would refuse it. A `GeneratedField` is a
# column that the database computes from others of the row. Who may write it?

# %%
with queries():
    book = Book.objects.only("published", "decade").get(slug="emma")
print(book.published, book.decade, Book.objects.filter(decade=1810).count())
book.decade = 1900
book.save()
print(Book.objects.get(slug="emma").decade)

# %% [markdown]
# Nobody writes it: an assignment is left out of the UPDATE without a word. A composite primary key: a book has one
# price a day, so book and day together are the key of `PriceChange`.

# %%
change = PriceChange.objects.order_by("pk").first()
print(change.pk, [field.name for field in PriceChange._meta.pk_fields])
print(PriceChange.objects.get(pk=(change.book_id, change.valid_from)) == change)
print([field.column for field in PriceChange._meta.fields if field.column])

# %% [markdown]
# And JSON: keys and indexes are steps in a lookup. There are three kinds of nothing. Which row does each filter find?

# %%
class Leaflet(models.Model):
    data = models.JSONField(null=True)

    class Meta:
        app_label = "lab"


json_null = models.Value(None, models.JSONField())
for data in ({"print": {"pages": [4, 8]}, "colour": None}, {"print": {"pages": [16]}}, json_null, None):
    Leaflet.objects.create(data=data)
found = [("data__print__pages__0", 4), ("data__print__pages__0__gte", 4), ("data__has_key", "colour"),
         ("data__colour", None), ("data__colour__isnull", True), ("data", json_null), ("data__isnull", True)]
for lookup, value in found:
    print(f"{lookup:27}", list(Leaflet.objects.filter(**{lookup: value}).values_list("pk", flat=True)))

# %% [markdown]
# `data__colour=None` finds the key with the value null, `__isnull=True` the rows without the key; `data__isnull` is
# SQL's NULL. `contains`, a document that holds this part, is not there on SQLite
# ([documentation](https://docs.djangoproject.com/en/stable/topics/db/queries/#containment-and-key-lookups)):

# %%
try:
    Leaflet.objects.filter(data__contains={"colour": None}).count()
except NotSupportedError as error:
    print(error)

# %% [markdown]
# PostgreSQL has it, and the GIN index to go with it. Two filters for the same leaflet of 3,000: which one uses the
# index?

# %%
from django.contrib.postgres.indexes import GinIndex

if postgres.available():
    with postgres():
        Leaflet.objects.bulk_create([Leaflet(data={"page": page}) for page in range(3000)])
        with connection.schema_editor() as editor:
            editor.add_index(Leaflet, GinIndex(fields=["data"], name="leaflet_data"))
        connection.cursor().execute("ANALYZE lab_leaflet")
        for leaflets in (Leaflet.objects.filter(data__contains={"page": 4}), Leaflet.objects.filter(data__page=4)):
            print(leaflets.count(), "leaflet_data" in leaflets.explain())
else:
    print(postgres.why_not())

# %% [markdown]
# `contains` alone: it becomes the operator `@>`, which the index knows. A key lookup becomes `data -> 'page' = '4'`
# and reads every row; it would need an index on that expression
# ([GinIndex](https://docs.djangoproject.com/en/stable/ref/contrib/postgres/indexes/#ginindex)).

# %% [markdown]
# **The trap.** `default=[]`. It misleads whoever reads it as "a new list for each row". It is evaluated once, when the
# class is made:

# %%
class Basket(models.Model):
    titles = models.JSONField(default=[])
    notes = models.JSONField(default=list)

    class Meta:
        app_label = "lab"


first, second = Basket(), Basket()
first.titles.append("Emma")
first.notes.append("gift")
print(second.titles, second.notes, [problem.id for problem in Basket.check()])

# %% [markdown]
# In a server that is one list for all requests of a process. Give a callable: `default=list`, not a lambda, which no
# migration can [write down](https://docs.djangoproject.com/en/stable/ref/models/fields/#default). The check
# fields.E010 warns of the list. Three more favourites: floats for money, one NULL per unique column, and the clock
# that does not tick:

# %%
class Ticket(models.Model):
    code = models.CharField(max_length=5, null=True, unique=True)
    paid = models.FloatField(default=0.1)
    touched = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "lab"


tickets = [Ticket.objects.create() for number in range(3)]
print(Ticket.objects.aggregate(total=models.Sum("paid"))["total"] == 0.3, Ticket.objects.filter(code=None).count())
ticket, before = tickets[0], tickets[0].touched
Ticket.objects.filter(pk=ticket.pk).update(paid=2)
ticket.save(update_fields=["paid"])
print(Ticket.objects.get(pk=ticket.pk).touched == before)

# %% [markdown]
# Three dimes are not 0.3, a unique column takes any number of NULLs (`UniqueConstraint(nulls_distinct=False)` takes
# one, on [PostgreSQL 15](https://docs.djangoproject.com/en/stable/ref/models/constraints/#nulls-distinct) and later),
# and `auto_now` knows nothing of `update()`, nor of a `save()` whose `update_fields` leave it out. Where it does work,
# in `save()` and `bulk_create()`, it overwrites what an import brings along; `default=timezone.now` does not.

# %%
from datetime import UTC, datetime

old = datetime(1999, 1, 1, tzinfo=UTC)
Ticket.objects.bulk_create([Ticket(touched=old)])
print(Ticket.objects.filter(touched=old).exists())

# %% [markdown]
# **Asked next**
#
# - *`default` or `db_default`?* `default` where Python has to know the value: a callable, a setting, a form's initial
#   value. `db_default` where other programs write too, where the database's clock counts, or where a column is added
#   to a large table that old code still inserts into. Given both, Django's own inserts use `default`
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/fields/#db-default)).
# %%
class Both(models.Model):
    number = models.IntegerField(default=1, db_default=2)

    class Meta:
        app_label = "lab"


Both.objects.create()
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO lab_both DEFAULT VALUES")
print(list(Both.objects.order_by("pk").values_list("number", flat=True)))

# %% [markdown]
# - *When a `GeneratedField` rather than an annotation or a property?* When the value depends on one row alone and is
#   filtered or sorted by often: it can be indexed. An annotation reaches other tables and needs no migration. A
#   property is for display: no query can use it.

# %%
with connection.schema_editor() as editor:
    editor.add_index(Book, models.Index(fields=["decade"], name="book_decade"))
explain(Book.objects.filter(decade=1810).order_by())
reset()

# %%
for attempt in (lambda: Book.objects.filter(decade=1810), lambda: AudioBook.objects.filter(duration="15:48")):
    try:
        print(attempt().count())
    except FieldError as error:
        print(type(error).__name__)

# %% [markdown]
# - *What breaks with a composite primary key today?* No relation can point at it, generic ones neither; the admin site
#   refuses the model; and no migration turns a primary key into a composite one
#   ([documentation](https://docs.djangoproject.com/en/stable/topics/composite-primary-key/)). A surrogate key with a
#   `UniqueConstraint` is still the safer default.

# %%
class Complaint(models.Model):
    about = models.ForeignKey(PriceChange, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"
        managed = False


print([problem.id for problem in Complaint.check()])

# %% [markdown]
# **Versions.** After an UPDATE, 5.2 leaves a generated column as it was until `refresh_from_db()`; since
# [6.0](https://docs.djangoproject.com/en/6.0/releases/6.0/) `save()` reads it back where the database can return it.
# New in [6.1](https://docs.djangoproject.com/en/6.1/releases/6.1/):
#
# - `JSONNull()` for the JSON null; `filter(data=None)` for it is deprecated.
# - A `DecimalField` may do without digits on SQLite, PostgreSQL and Oracle.
# - A `GeneratedField` need not be stored on PostgreSQL 18, as on SQLite before: `db_persist=False`.
# - `UUID7()` makes keys that grow with time, on PostgreSQL 18, MariaDB 11.7, and SQLite with Python 3.14.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    emma = Book.objects.get(slug="emma")
    emma.published = 1822
    emma.save()
    Leaflet.objects.create(data=models.JSONNull())
    found = Leaflet.objects.filter(data=models.JSONNull()).exists()
    print(emma.decade, found, models.DecimalField().db_type(postgresql))
    reset()
else:
    print("Django 6.1 prints 1820 True numeric. 5.2 would still say 1810 before refresh_from_db().")

# %%
quiz("Q22")

# %% [markdown]
# Practise: exercises [08.3 to 08.5](../exercises/08_models_and_fields.ipynb).

# %% [markdown]
# ## Q23 · What is the Field class, and how do you write a field of your own?
#
# *Advanced · asked as A3*
#
# **Say it.** `Field` is the base class of what a model is made of: it represents a column, and knows how values
# travel. `get_internal_type()` or `db_type(connection)` names the column. `get_prep_value()` turns Python into what
# the database gets, `from_db_value()` turns rows into Python, `to_python()` cleans input, `formfield()` makes the
# form's field, and `deconstruct()` tells migrations how to build the field again. Lookups belong to fields too, and
# new ones can be registered.
#
# *What lifts it:* `from_db_value()` and `to_python()` are different roads, `deconstruct()` must round-trip, and often
# a validator, a `CheckConstraint` or a subclass of an existing field is enough.

# %% [markdown]
# **See it.** Money, kept as whole cents so that sums are exact everywhere. First try: one method. What comes back from
# the database?

# %% reason="A field, a model and a row."
from decimal import Decimal


class OneWayField(models.Field):
    def get_internal_type(self):
        return "BigIntegerField"

    def get_prep_value(self, value):
        return None if value is None else int(Decimal(str(value)) * 100)


class Voucher(models.Model):
    worth = OneWayField()


voucher = Voucher.objects.create(worth=Decimal("12.50"))
print(voucher.worth, Voucher.objects.get().worth)

# %% [markdown]
# The number of the database, 1250, where 12.50 went in, and the object that was just saved still says 12.50. The way
# back is missing. The whole field, with the sentences that a user sees:

# %% reason="A whole field: nothing of it can be left out."
class CentsField(models.Field):
    description = "An amount of money, kept as whole cents"
    default_error_messages = {"invalid": "“%(value)s” is not an amount."}

    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self.currency != "EUR":
            kwargs["currency"] = self.currency
        return name, path, args, kwargs

    def get_internal_type(self):
        return "BigIntegerField"

    def to_python(self, value):
        if value is None:
            return value
        try:
            return Decimal(round(Decimal(str(value)) * 100)).scaleb(-2)
        except (ArithmeticError, ValueError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value}) from None

    def get_prep_value(self, value):
        value = self.to_python(super().get_prep_value(value))
        return None if value is None else int(value.scaleb(2))

    def from_db_value(self, value, expression, connection):
        return None if value is None else Decimal(value).scaleb(-2)

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": forms.DecimalField, "decimal_places": 2} | kwargs)


# %%
class Coupon(models.Model):
    code = models.CharField(max_length=10)
    worth = CentsField(currency="GBP")


Coupon.objects.create(code="SPRING", worth=Decimal("12.50"))
Coupon.objects.create(code="AUTUMN", worth="3.10")
print(Coupon.objects.order_by("pk").values_list("worth", flat=True), Coupon.objects.aggregate(models.Sum("worth")))
with queries():
    found = Coupon.objects.get(worth=Decimal("3.10"))

# %% [markdown]
# The filter went through `get_prep_value()`: 310. So did the text on its way in, and the sum came back as money. The
# column, the form field and what input is refused:

# %%
worth = Coupon._meta.get_field("worth")
offline = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}})["default"]
print(worth.db_type(connection), worth.db_type(offline), type(worth.formfield()).__name__)
try:
    Coupon(code="X", worth="much").full_clean()
except ValidationError as error:
    print(error.message_dict)

# %% [markdown]
# A lookup is a class with `lookup_name` and `as_sql()`; a transform changes the column before the comparison. Two for
# money: `about` finds amounts within one unit, `whole` drops the cents.

# %%
@CentsField.register_lookup
class About(models.Lookup):
    lookup_name = "about"

    def as_sql(self, compiler, connection):
        column, column_params = self.process_lhs(compiler, connection)
        value, value_params = self.process_rhs(compiler, connection)
        return f"ABS({column} - {value}) <= 100", (*column_params, *value_params)


@CentsField.register_lookup
class Whole(models.Transform):
    lookup_name = "whole"
    template = "(%(expressions)s / 100)"
    output_field = models.IntegerField()

# %%
with queries():
    print(Coupon.objects.get(worth__about="4").code, Coupon.objects.filter(worth__whole__gte=12).count())

# %% [markdown]
# Values travel as parameters, never inside the text of the SQL. `whole` is an integer, so every lookup of integers
# comes after it. (SQLite and PostgreSQL divide integers to an integer; MySQL would need `DIV`.) Migrations next: they
# write what `deconstruct()` says, and build the field from it again.

# %%
name, path, args, kwargs = worth.deconstruct()
print(name, path.rpartition(".")[2], args, kwargs)
again = CentsField(*args, **kwargs)
print(again.currency, again.deconstruct()[1:] == worth.deconstruct()[1:])

# %% [markdown]
# **The trap.** Three sentences of the usual answer: "`db_types()` creates the column", "`get_prep_value()` maps to the
# database", "`from_db_value()` maps back". The first method does not exist:

# %%
for method in ("db_types", "db_type", "get_prep_value", "get_db_prep_value", "to_python", "from_db_value"):
    print(f"{method:18}", hasattr(models.Field, method), hasattr(models.JSONField, method))

# %% [markdown]
# It is `db_type(connection)`. `get_prep_value()` is half of the way: `get_db_prep_value(value, connection)` follows,
# for what one backend wants otherwise. And `Field` has no `from_db_value()`: it is called only on fields that define
# it, so most columns pay nothing. Here is one value on both halves:

# %%
from datetime import date, timedelta

duration, day = models.DurationField(), models.DateField()
print(repr(duration.get_prep_value(timedelta(minutes=1))))
print([repr(duration.get_db_prep_value(timedelta(minutes=1), backend)) for backend in (connection, offline)])
print(repr(day.get_db_prep_value(date(2026, 6, 1), connection)))

# %% [markdown]
# Also half true: "`Field` is an abstract class". The documentation says so, yet Python lets you make one; and a
# many-to-many is a field without a column.

# %%
import inspect

print(inspect.isabstract(models.Field), models.Field().db_type(connection), models.Field.__bases__[0].__name__)
print(Book._meta.get_field("genres").db_type(connection), {"exact", "range"} <= set(models.CharField.get_lookups()))

# %% [markdown]
# **Asked next**
#
# - *What calls `to_python()`, what `from_db_value()`?* Cleaning and deserialising call the first, every value read
#   from the database the second, in `values()` too. Assignment calls neither: `coupon.worth = "2.50"` stays text until
#   `full_clean()`, or until the row is read again.

# %%
class TalkingField(CentsField):
    def to_python(self, value):
        print("to_python", repr(value))
        return super().to_python(value)

    def from_db_value(self, value, expression, connection):
        print("from_db_value", repr(value))
        return super().from_db_value(value, expression, connection)


class Fee(models.Model):
    amount = TalkingField()

# %%
fee = Fee(amount=Decimal("1.50"))
fee.full_clean()
print("saving")
fee.save()
print("reading")
fee = Fee.objects.get()

# %% [markdown]
# (`to_python` after "saving" is our own call, in `get_prep_value()`.)
#
# - *Why does `deconstruct()` matter?* `makemigrations` compares what it says of your field with what it says of the
#   field in the migrations. Here the constructor doubles a length, and `deconstruct()` gives the doubled one back:

# %%
class SealedField(models.CharField):
    def __init__(self, *args, max_length, **kwargs):
        super().__init__(*args, max_length=max_length * 2, **kwargs)


sealed = SealedField(max_length=50)
print(sealed.max_length, sealed.clone().max_length, sealed.clone().clone().max_length)

# %% [markdown]
# Each copy is longer than the last. In a project that means a change in every `makemigrations`, for ever:

# %%
site = scratch("mysite")
site.output("python manage.py startapp shop")
site.replace("mysite/settings.py", "INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "shop",')
site.write("shop/models.py", """from django.db import models

class SealedField(models.CharField):
    def __init__(self, *args, max_length, **kwargs):
        super().__init__(*args, max_length=max_length * 2, **kwargs)

class Letter(models.Model):
    text = SealedField(max_length=50)
""")
site.output("python manage.py makemigrations shop")
site.run("python manage.py makemigrations shop")
site.run("python manage.py makemigrations shop")

# %% [markdown]
# The cure is to give back what was passed in: keep the original, and put it into `kwargs`. One last migration, then
# silence:

# %%
site.replace("shop/models.py", "max_length * 2, **kwargs)", """max_length * 2, **kwargs)
        self.given = max_length

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"max_length": self.given}""")
site.output("python manage.py makemigrations shop")
site.run("python manage.py makemigrations shop")

# %% [markdown]
# - *`contribute_to_class()` and descriptors?* The metaclass hands every attribute with `contribute_to_class()` the
#   class and the name. A field registers with `_meta` there and sets its descriptor, which reads deferred values;
#   `choices` add `get_…_display()`. A `descriptor_class` of your own can convert at assignment, of everything but
#   expressions such as `F("amount") + 1`:

# %% reason="A descriptor, a field that has it, and a model that has the field."
from django.db.models.query_utils import DeferredAttribute


class ToCents(DeferredAttribute):
    def __set__(self, instance, value):
        is_expression = hasattr(value, "resolve_expression")
        instance.__dict__[self.field.attname] = value if is_expression else self.field.to_python(value)


class EagerField(CentsField):
    descriptor_class = ToCents


class Price(models.Model):
    amount = EagerField()


print(repr(Price(amount="2.50").amount), repr(Coupon(worth="2.50").worth), type(Price.amount).__name__)

# %% [markdown]
# **Versions.** Since 6.0 `pre_save()` may run more than once in a save, so it must give the same result twice, and
# `as_sql()` returns its parameters as a tuple ([release notes](https://docs.djangoproject.com/en/6.0/releases/6.0/)).
# [6.1](https://docs.djangoproject.com/en/6.1/releases/6.1/) deprecates `get_placeholder()` in favour of
# `get_placeholder_sql()`. The lookups above are written for both.

# %%
quiz("Q23")

# %% [markdown]
# Practise: exercises [08.6 to 08.8](../exercises/08_models_and_fields.ipynb).

# %% [markdown]
# ## Q24 · What belongs into Meta?
#
# *Intermediate · asked as T-I9*
#
# **Say it.** Everything about a model that is not a column: the table's name, the human names, the default ordering,
# constraints, indexes, permissions, whether it is abstract, a proxy, or managed by migrations at all. I use it for
# rules: a `CheckConstraint`, or on most databases a `UniqueConstraint` with a condition, holds for every writer, and
# `full_clean()` knows it as well. I am careful with `ordering`, because every list of rows is then sorted.
#
# *What lifts it:* which options reach the database and which do not, what each costs, and that a constraint gives an
# `IntegrityError` here and a `ValidationError` there.

# %% [markdown]
# **See it.** Genres are ordered by name, contributors by family name, so `ORDER BY` is in every list of them. Which of
# the two is sorted anew each time?

# %%
explain(Genre.objects.all())
explain(Contributor.objects.all())
explain(Contributor.objects.order_by())

# %% [markdown]
# Contributors, in a temporary tree, for code that may not care. The name of a genre is unique, and its index has the
# order already. An ordering through a relation brings joins along, in every list:

# %%
class Edition(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE)

    class Meta:
        app_label = "lab"
        ordering = ["book__author__name"]


for editions in (Edition.objects.all(), Edition.objects.order_by()):
    print(str(editions.query).count("JOIN"))

# %% [markdown]
# Constraints. One loan per copy that is not yet returned, and no loan that ends before it begins. Which of four rows
# are refused?

# %%
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    since = models.IntegerField()
    until = models.IntegerField(null=True, blank=True)

    class Meta:
        app_label = "lab"
        constraints = [
            models.UniqueConstraint(fields=["copy"], condition=Q(until=None), name="one_open_loan"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="loan_forward"),
        ]

# %%
Loan.objects.create(copy="emma-1", since=1, until=5)
Loan.objects.create(copy="emma-1", since=6)
for bad in (Loan(copy="emma-1", since=7), Loan(copy="nana-1", since=7, until=3)):
    for step in (bad.save, bad.full_clean):
        try:
            step()
        except (IntegrityError, ValidationError) as error:
            print(type(error).__name__, error.messages if isinstance(error, ValidationError) else error)

# %% [markdown]
# The second open loan of a copy, and the loan backwards. The table raises `IntegrityError`; `full_clean()` asks first
# and raises `ValidationError`, whose words `violation_error_message` sets. But which database can keep a rule for some
# rows only?

# %%
from importlib import import_module

for backend in ("sqlite3", "postgresql", "mysql"):
    features = import_module(f"django.db.backends.{backend}.features").DatabaseFeatures
    print(f"{backend:10} unique with a condition: {features.supports_partial_indexes}")

# %% [markdown]
# MySQL and MariaDB cannot: Django leaves the constraint out of the table, and a check warns, models.W036. Now an
# index, by name and with a condition. Read the plan before and after:

# %%
cheap = Book.objects.filter(in_print=True, price__lt=5).order_by()
explain(cheap)
print([(index.name, index.fields, str(index.condition)) for index in Book._meta.indexes])
explain(Book.objects.filter(pages__gt=900).order_by())
by_pages = models.Index(fields=["pages"], name="book_pages")
with connection.schema_editor() as editor:
    editor.add_index(Book, by_pages)
explain(Book.objects.filter(pages__gt=900).order_by())
reset()

# %% [markdown]
# Permissions are rows that `migrate` makes: four for each model, and your own. `managed = False` leaves the table to
# somebody else, here a view:

# %%
from django.contrib.auth.models import Permission

of_books = Permission.objects.filter(content_type__app_label="catalog", content_type__model="book")
print(sorted(of_books.values_list("codename", flat=True)))
print(BookSales._meta.managed, BookSales._meta.db_table, BookSales.objects.order_by("-copies")[0].copies)

# %% [markdown]
# **The trap.** "`Meta.ordering` only sorts." It also changes results. In how many languages are the books?

# %%
print(Book.objects.values_list("language").distinct().count(), len(Book.objects.values_list("language").distinct()))
print(len(Book.objects.order_by().values_list("language").distinct()))
print("title" in str(Book.objects.values_list("language").distinct().query))
print(len(Book.objects.values("language").annotate(books=models.Count("pk"))))

# %% [markdown]
# Twenty. The default ordering put `title` into the `SELECT DISTINCT`, so pairs were counted; `count()` dropped the
# ordering and was right. In grouped queries, the last line, Django has ignored the default ordering since 3.1
# ([release notes](https://docs.djangoproject.com/en/stable/releases/3.1/)). Options that circulate and are gone:

# %%
attempts = {
    "index_together": lambda: type("Meta", (), {"app_label": "lab", "index_together": [("a", "b")]}),
    "spelling": lambda: type("Meta", (), {"app_label": "lab", "orderings": ["a"]}),
}
for name, meta in attempts.items():
    try:
        type("Old", (models.Model,), {"__module__": "__main__", "Meta": meta()})
    except TypeError as error:
        print(error)

# %% [markdown]
# `index_together` went with 5.1: use `indexes`. `unique_together` still works and can do less than `UniqueConstraint`:
# no condition, no expression, no message of its own. And `CheckConstraint(check=…)` is now `condition=`; since 6.0 the
# old name is refused.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    try:
        models.CheckConstraint(check=Q(price__gte=0), name="old")
    except TypeError as error:
        print(type(error).__name__)
else:
    print("Django 6.1 prints TypeError. 5.2 takes it with a warning.")

# %% [markdown]
# **Asked next**
#
# - *Does changing `Meta.ordering` create a migration?* Yes, an `AlterModelOptions`, so that the models of old
#   migrations sort as they did. It sends no SQL. Indexes, constraints and `db_table` do.

# %%
shop = scratch(bookshop=True)
shop.replace("catalog/models.py", 'ordering = ["title"]', 'ordering = ["-title"]')
shop.run("python manage.py makemigrations catalog --name newest")
shop.run("python manage.py sqlmigrate catalog 0015_newest")

# %% [markdown]
# - *How are constraints validated in forms?* A model form has its instance validated, constraints included. One that
#   names a field which the form leaves out is skipped, and then the table answers. Ask the instance after
#   `is_valid()`, not in the form's `clean()`: there the instance does not have the new values yet.

# %%
for fields in (["copy", "since", "until"], ["copy", "since"]):
    LoanForm = forms.modelform_factory(Loan, fields=fields)
    form = LoanForm({"copy": "nana-1", "since": 7, "until": 3}, instance=Loan(until=3))
    print(fields, form.is_valid())
for step in (form.save, form.instance.validate_constraints):
    try:
        step()
    except (IntegrityError, ValidationError) as error:
        print(type(error).__name__)

# %% [markdown]
# - *`managed = False`: what changes?* `migrate` makes, alters and drops nothing for it, in test databases neither;
#   queries and the rest work as ever. The migration still records the model. For views and tables of others.

# %%
print(Loan._meta.can_migrate(connection), BookSales._meta.can_migrate(connection))
shop.run("python manage.py sqlmigrate orders 0003", lines=6)

# %%
quiz("Q24")

# %% [markdown]
# Practise: exercises [08.9 to 08.10](../exercises/08_models_and_fields.ipynb).

# %% [markdown]
# ## Q25 · Which styles of inheritance are there, and what does each cost?
#
# *Intermediate · asked as B13*
#
# **Say it.** Three. An abstract base has no table: its fields are copied into each child's. Multi-table inheritance
# gives parent and child a table each, linked by a one-to-one that is the child's primary key: two inserts for a new
# row, a join to read it. A proxy adds only behaviour: methods, a manager, an ordering. I take abstract bases for
# shared columns, proxies for another view of the same rows, and multi-table only where the parent is queried on its
# own.
#
# *What lifts it:* parents come back as parents, never as children; deleting a child deletes its parent; and a
# one-to-one written out is often the better multi-table.

# %% [markdown]
# **See it.** One of each in the bookshop. Which tables do they have, and which columns of their own?

# %%
for model in (Timestamped, Contributor, AudioBook, Classic):
    options = model._meta
    style = "abstract" if options.abstract else "proxy" if options.proxy else f"parents: {len(options.parents)}"
    print(f"{model.__name__:12} {style:11}", [field.column for field in options.local_fields])

# %% [markdown]
# The contributor got `created` and `updated` as columns of its own. The recording has three, and its key is the link.
# Now reading: how many tables does each list need?

# %%
for model in (Contributor, AudioBook, Classic):
    sql = str(model.objects.order_by().query)
    print(f"{model.__name__:12} joins: {sql.count('JOIN')}  table: {model._meta.db_table}")
print("JOIN" in str(AudioBook.objects.order_by().values_list("narrator", "minutes").query))

# %% [markdown]
# The child's own columns are there without the join, the last line. And writing. Places and restaurants are the
# documentation's example. How many statements does each step take?

# %%
class Place(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "lab"


class Restaurant(Place):
    tables = models.IntegerField(default=0)

    class Meta:
        app_label = "lab"

# %%
def cost(step):
    with queries(quiet=True) as seen:
        step()
    return len(seen)


for model in (Place, Restaurant):
    row = model(name="Florian")
    print(f"{model.__name__:10} insert {cost(row.save)}, update {cost(row.save)}, "
          f"read {cost(lambda: list(model.objects.all()))}, delete {cost(row.delete)}")

# %% [markdown]
# Two statements wherever a restaurant is written, one with a join where it is read. (Deleting a place takes two as
# well: it may be a restaurant.) What that join costs, in steps of SQLite's machine, beside one table with the same
# columns and the same 2,000 rows:

# %%
class Diner(models.Model):
    name = models.CharField(max_length=50)
    tables = models.IntegerField(default=0)

    class Meta:
        app_label = "lab"

# %%
def steps(queryset):
    ticks = []
    connection.connection.set_progress_handler(lambda: ticks.append(1) and None, 10)
    list(queryset)
    connection.connection.set_progress_handler(None, 0)
    return len(ticks)


for number in range(2000):
    Restaurant.objects.create(name=f"Place {number}", tables=number)
Diner.objects.bulk_create([Diner(name=f"Place {number}", tables=number) for number in range(2000)])
two_tables, one_table = steps(Restaurant.objects.all()), steps(Diner.objects.all())
print(two_tables > 1.3 * one_table)

# %% [markdown]
# And a filter on a column of each:

# %%
explain(AudioBook.objects.filter(minutes__gt=600, price__lt=10).order_by())

# %% [markdown]
# No index spans two tables: the rows of one are found, and for each the other is looked up. A proxy costs nothing:

# %%
with queries():
    print(Classic.objects.filter(language="French").count(), Classic._meta.ordering, Classic.objects.first())

# %% [markdown]
# **The trap.** "Each model has its own table" is all that most answers say of multi-table inheritance. The link is
# what bites. From the parent you reach the child by name, where there is one:

# %%
link = AudioBook._meta.pk
print(type(link).__name__, link.name, AudioBook._meta.parents[Book] is link)
emma, nana = Book.objects.get(slug="emma"), Book.objects.get(slug="nana")
print(emma.audiobook.minutes, hasattr(nana, "audiobook"))
try:
    nana.audiobook
except Book.audiobook.RelatedObjectDoesNotExist as error:
    print(isinstance(error, AudioBook.DoesNotExist))

# %% [markdown]
# Now make an existing place a restaurant. It looks right, saves without an error, and what is the name afterwards?

# %%
place = Place.objects.create(name="Café Central")
Restaurant(place_ptr=place, tables=20).save()
print(repr(Place.objects.get(pk=place.pk).name))

# %% [markdown]
# Empty: `save()` writes the parent's columns too, from an object that never had them. With
# [`force_insert=(Place,)`](https://docs.djangoproject.com/en/stable/ref/models/instances/#forcing-an-insert-or-update)
# since 5.0, the parent may only be inserted, so it raises instead. `save_base(raw=True)`, which loads fixtures, writes
# the child's table alone. And deleting takes the parent along unless told not to:

# %%
place = Place.objects.create(name="Café Hawelka")
try:
    Restaurant(place_ptr=place, tables=20).save(force_insert=(Place,))
except IntegrityError as error:
    print(type(error).__name__)
Restaurant(place_ptr=place, tables=20).save_base(raw=True)
restaurant = Restaurant.objects.get(pk=place.pk)
print(restaurant.name, restaurant.tables)
restaurant.delete(keep_parents=True)
print(Place.objects.filter(pk=place.pk).exists(), Restaurant.objects.filter(pk=place.pk).exists())

# %% [markdown]
# (`save_base()` is Django's own tool: with `raw=True` it skips `pre_save()`, so `auto_now` as well.) "A proxy with a
# field raises an exception." Not when the class is made: it is a system check, and `manage.py check` reports it.

# %%
class Thriller(Book):
    shivers = models.IntegerField()

    class Meta:
        app_label = "lab"
        proxy = True


print([problem.id for problem in Thriller.check()])

# %% [markdown]
# Managers are inherited along Python's order of bases, so `AudioBook.objects` has the shop's questions. What does a
# second manager change, of a name of its own?

# %%
from django.http import Http404
from django.shortcuts import get_object_or_404


class CheapManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(price__lt=5)


class Bargain(Book):
    cheap = CheapManager()

    class Meta:
        app_label = "lab"
        proxy = True

# %%
print(AudioBook.objects.in_print().count(), Bargain.objects.count() == Book.objects.count())
dear = Bargain.objects.filter(price__gt=5)[0]
try:
    get_object_or_404(Bargain, pk=dear.pk)
except Http404:
    print(Bargain._default_manager.name)

# %% [markdown]
# The child's own manager comes first and becomes the default: for the admin site, for choices in forms, for
# `get_object_or_404()`
# ([documentation](https://docs.djangoproject.com/en/stable/topics/db/managers/#default-managers)). Declare `objects`
# above it, or set `Meta.default_manager_name`. And `save()`: a receiver waits for `sender=Book`. Of which of these
# does it hear?

# %%
from django.db.models.signals import post_delete, post_save

heard = []


def hear(sender, **kwargs):
    heard.append(sender.__name__)


for signal in (post_save, post_delete):
    signal.connect(hear)
Classic.objects.get(slug="emma").save()
AudioBook.objects.get(slug="emma").save()
Restaurant.objects.latest("pk").delete()
for signal in (post_save, post_delete):
    signal.disconnect(hear)
print(heard)

# %% [markdown]
# Of none: a save names the class that was saved, proxy or child. A deletion names the parent as well. Last, `Meta` is
# inherited from abstract parents only, apart from `ordering` and `get_latest_by`:

# %%
print(AudioBook._meta.ordering, AudioBook._meta.permissions, [c.name for c in AudioBook._meta.constraints])

# %% [markdown]
# **Asked next**
#
# - *How do you query all places with their concrete child?* Join the children: `select_related("audiobook")` on the
#   parent, then `hasattr`. One query, a left join per kind of child. Without it, each `hasattr` asks.

# %%
def kinds(books):
    return [hasattr(book, "audiobook") for book in books[:50]]


print(cost(lambda: kinds(Book.objects.all())), cost(lambda: kinds(Book.objects.select_related("audiobook"))))

# %% [markdown]
# - *Why does `related_name` need `%(class)s` in an abstract base?* The foreign key is copied into each child, and
#   every copy would take the same name on the target. The system check says so; `%(class)s` becomes the child's name,
#   and [`%(app_label)s`](https://docs.djangoproject.com/en/stable/topics/db/models/#abstract-related-name) that of its
#   app.

# %%
def children(related_name):
    class Note(models.Model):
        book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name=related_name)

        class Meta:
            abstract = True

    made = [type(name, (Note,), {"__module__": "__main__", "__qualname__": name}) for name in ("Margin", "Footnote")]
    return [problem.id for problem in made[0].check()], [model.book.field.remote_field.related_name for model in made]


for related_name in ("notes", "%(class)s_notes"):
    print(children(related_name))

# %% [markdown]
# - *When is multi-table the right answer?* When the parent is a thing of its own: sold, linked and listed without
#   asking what it is, as the bookshop's books are. Children are few, and rarely listed. Otherwise a foreign key or a
#   one-to-one says the same in the open, and the join is one that you chose.
# - *What of `bulk_create()`?* It refuses multi-table children
#   ([documentation](https://docs.djangoproject.com/en/stable/ref/models/querysets/#bulk-create)): the second insert
#   needs the keys of the first.

# %%
try:
    Restaurant.objects.bulk_create([Restaurant(name="Demel")])
except ValueError as error:
    print(error)

# %%
quiz("Q25")

# %% [markdown]
# Practise: exercises [08.11 to 08.12](../exercises/08_models_and_fields.ipynb).
