# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from datetime import date
from decimal import Decimal
from functools import partial

from catalog.models import AudioBook, Author, Book, Genre, PriceChange, Publisher
from django.core.exceptions import NON_FIELD_ERRORS, FieldError, ValidationError
from django.core.validators import MinValueValidator
from django.db import DatabaseError, IntegrityError, OperationalError, connection, models
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Concat
from django.db.models.lookups import BuiltinLookup, Exact
from django.test.utils import CaptureQueriesContext, register_lookup

# %% [markdown] exercise="08.1"
# ### 08.1 A shelf
#
# Write the model `Shelf`: a `code` of at most 10 characters that no other shelf has; a `room`, text of at most 50
# characters that a form may leave empty and that is never NULL; a `capacity`, a number of 0 or more, 30 if nothing is
# said; a `width` in centimetres, a whole number that may be unknown.

# %% exercise="08.1" role="check"
def observe(answer):
    def valid(**values):
        try:
            answer(**{"code": "A"} | values).full_clean()
        except ValidationError:
            return "refused"
        return "valid"

    def stored(**values):
        try:
            return "stored" if answer.objects.create(**values) else None
        except IntegrityError:
            return "refused"

    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, answer._meta.db_table)
    named = ("code", "room", "capacity", "width")
    seen = {
        "may be NULL": {column.name: bool(column.null_ok) for column in described if column.name in named},
        "the least": valid(),
        "lengths that just fit": [valid(code="A" * 10), valid(room="r" * 50)],
        "lengths that do not": [valid(code="A" * 11), valid(room="r" * 51)],
        "no code, no room": [valid(code=""), valid(room="")],
        "capacity 0, then -1": [valid(capacity=0), valid(capacity=-1)],
        "a width in words": valid(width="wide"),
        "in the table: a shelf, its code again, and one below zero": [
            stored(code="A"), stored(code="A"), stored(code="B", capacity=-1)
        ],
    }
    answer.objects.create(code="C", width=120)
    seen["capacity and width if nothing is said"] = answer.objects.values_list("capacity", "width").get(code="A")
    return seen | {"a width of 120": answer.objects.get(code="C").width}

# %% exercise="08.1" role="answer" writes_schema=true
class Shelf(models.Model):
    # solution
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.PositiveSmallIntegerField(default=30)
    width = models.IntegerField(null=True, blank=True)
    # end


check("08.1")

# %% exercise="08.1" role="alternative" note="Wider numbers, and the room's empty text as default of the column. Good where other programs insert without naming it."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True, db_default="")
    capacity = models.PositiveIntegerField(default=30)
    width = models.PositiveIntegerField(null=True, blank=True)

# %% exercise="08.1" role="alternative" note="The rules as constraints, by name. Good where a rule needs a message of its own, a condition or two columns; for one column the field says it shorter."
class Shelf(models.Model):
    code = models.CharField(max_length=10)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.IntegerField(db_default=30)
    width = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="shelf_code"),
            models.CheckConstraint(condition=Q(capacity__gte=0), name="shelf_capacity"),
        ]

# %% exercise="08.1" role="mistake" says="`null=True` on a text gives two ways to say nothing. For an empty text `blank=True` is enough."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True, null=True)
    capacity = models.PositiveSmallIntegerField(default=30)
    width = models.IntegerField(null=True, blank=True)

# %% exercise="08.1" role="mistake" says="The width may be NULL in the table, and validation still requires it: `null` is about the column, `blank` about validation."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.PositiveSmallIntegerField(default=30)
    width = models.IntegerField(null=True)

# %% exercise="08.1" role="mistake" says="A capacity below zero is accepted: an `IntegerField` takes any number. There are positive fields."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.IntegerField(default=30)
    width = models.IntegerField(null=True, blank=True)

# %% exercise="08.1" role="mistake" says="A validator speaks up in `full_clean()` only: the table still takes a capacity below zero. A positive field has a check in the table."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.IntegerField(default=30, validators=[MinValueValidator(0)])
    width = models.IntegerField(null=True, blank=True)

# %% exercise="08.1" role="mistake" says="A width of 120 comes back as 120.0: a float. Whole numbers have a field of their own."
class Shelf(models.Model):
    code = models.CharField(max_length=10, unique=True)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.PositiveSmallIntegerField(default=30)
    width = models.FloatField(null=True, blank=True)

# %% exercise="08.1" role="mistake" says="Two shelves may have the same code: `unique=True` makes the index that refuses it."
class Shelf(models.Model):
    code = models.CharField(max_length=10)
    room = models.CharField(max_length=50, blank=True)
    capacity = models.PositiveSmallIntegerField(default=30)
    width = models.IntegerField(null=True, blank=True)

# %% exercise="08.1" role="hint"
# Ask of each column: may it be NULL? And of each form: may it be left empty?
# %% exercise="08.1" role="hint"
# `blank=True` for the room, `null=True, blank=True` for the width, `PositiveSmallIntegerField(default=30)`.

# %% [markdown] exercise="08.2"
# ### 08.2 Save what is valid
#
# Return the errors of an instance as a dictionary from field to a list of messages, and save it only where there are
# none: then the dictionary is empty. Rules of fields, uniqueness and constraints all count.

# %% exercise="08.2" role="check"
def observe(answer):
    seen = []
    known = Genre.objects.create(name="Known", slug="known")
    Genre.objects.create(name="Taken", slug="taken")
    instances = [
        Genre(name="Maps", slug="maps"),
        Genre(name="", slug="nameless"),
        Genre(name="Taken", slug="other"),
        Author(name="Born Late", slug="born-late", born=1900, died=1800),
        Publisher(name="x" * 300),
        Publisher(name="House of Maps"),
    ]
    for instance in instances:
        before = type(instance).objects.count()
        errors = answer(instance)
        seen.append([str(instance)[:20], errors, type(instance).objects.count() - before])
    for name in ("Taken", "Well Known"):
        known.name = name
        seen.append([f"Known renamed to {name}", answer(known), Genre.objects.get(pk=known.pk).name])
    return seen

# %% exercise="08.2" role="answer"
def save_valid(instance):
    # solution
    try:
        instance.full_clean()
    except ValidationError as error:
        return error.message_dict
    instance.save()
    return {}
    # end


check("08.2")

# %% exercise="08.2" role="alternative" note="What `full_clean()` does, step by step. It stops at the first kind of error; useful where one step has to be left out."
def save_valid(instance):
    for step in (instance.clean_fields, instance.clean, instance.validate_unique, instance.validate_constraints):
        try:
            step()
        except ValidationError as error:
            return error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    instance.save()
    return {}

# %% exercise="08.2" role="mistake" says="Rows are saved that are not valid: `save()` does not validate. Call `full_clean()` first."
def save_valid(instance):
    try:
        instance.save()
    except IntegrityError as error:
        return {NON_FIELD_ERRORS: [str(error)]}
    return {}

# %% exercise="08.2" role="mistake" says="`clean()` is the hook for your own rules, and does nothing by itself. `full_clean()` calls it, and the checks of fields, uniqueness and constraints."
def save_valid(instance):
    try:
        instance.clean()
    except ValidationError as error:
        return error.message_dict
    instance.save()
    return {}

# %% exercise="08.2" role="mistake" says="`clean_fields()` looks at each field alone. The name that is taken and the author who died before being born come through to the table."
def save_valid(instance):
    try:
        instance.clean_fields()
    except ValidationError as error:
        return error.message_dict
    instance.save()
    return {}

# %% exercise="08.2" role="mistake" says="You return the errors, and the row is in the table all the same: it was saved before it was validated."
def save_valid(instance):
    try:
        instance.save()
        instance.full_clean()
    except (ValidationError, IntegrityError) as error:
        return getattr(error, "message_dict", {NON_FIELD_ERRORS: []})
    return {}

# %% exercise="08.2" role="mistake" says="`error_dict` holds exceptions. Their messages, ready to be shown, are in `message_dict`."
def save_valid(instance):
    try:
        instance.full_clean()
    except ValidationError as error:
        return error.error_dict
    instance.save()
    return {}

# %% exercise="08.2" role="mistake" says="`messages` is one flat list: which field each belongs to is lost. `message_dict` keeps it."
def save_valid(instance):
    try:
        instance.full_clean()
    except ValidationError as error:
        return {NON_FIELD_ERRORS: error.messages}
    instance.save()
    return {}

# %% exercise="08.2" role="hint"
# One method of every model runs all validation, and raises one exception.
# %% exercise="08.2" role="hint"
# `except ValidationError as error: return error.message_dict`

# %% [markdown] exercise="08.3"
# ### 08.3 Choices that the table knows
#
# Write the model `Copy` with a `condition`: "new" (shown as "As new"), "worn" ("Well read") or "lost" ("Lost"), new if
# nothing is said. All else, NULL among it, is refused by validation and by the table.

# %% exercise="08.3" role="check"
def observe(answer):
    def attempt(step, error):
        try:
            step()
        except error:
            return "refused"
        return "taken"

    copy = answer.objects.create()
    seen = {"if nothing is said": answer.objects.get().condition, "shown": [], "validated": [], "in the table": []}
    for value in ("new", "worn", "lost", "eaten", "burnt", "", None):
        if value in ("new", "worn", "lost"):
            seen["shown"].append(answer(condition=value).get_condition_display())
        seen["validated"].append([value, attempt(answer(condition=value).full_clean, ValidationError)])
        update = partial(answer.objects.filter(pk=copy.pk).update, condition=value)
        seen["in the table"].append([value, attempt(update, IntegrityError)])
    create = partial(answer.objects.create, condition="eaten")
    return seen | {"eaten, created": attempt(create, (IntegrityError, ValidationError))}

# %% exercise="08.3" role="answer" writes_schema=true
class Copy(models.Model):
    # solution
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"
        LOST = "lost", "Lost"

    condition = models.CharField(max_length=4, choices=Condition, default=Condition.NEW)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(condition__in=["new", "worn", "lost"]), name="copy_condition")]
    # end


check("08.3")

# %% exercise="08.3" role="alternative" note="Plain pairs instead of a class. Shorter; code that compares has to write the texts out."
class Copy(models.Model):
    CONDITIONS = [("new", "As new"), ("worn", "Well read"), ("lost", "Lost")]
    condition = models.CharField(max_length=10, choices=CONDITIONS, default="new")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(condition="new") | Q(condition="worn") | Q(condition="lost"), name="known")
        ]

# %% exercise="08.3" role="mistake" says="The table took the invented value: `choices` are for validation and display. Add a `CheckConstraint`."
class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"
        LOST = "lost", "Lost"

    condition = models.CharField(max_length=4, choices=Condition, default=Condition.NEW)

# %% exercise="08.3" role="mistake" says="`save()` now validates, and `update()` does not call `save()`: the table took the invented value. It has to know the rule itself."
class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"
        LOST = "lost", "Lost"

    condition = models.CharField(max_length=4, choices=Condition, default=Condition.NEW)

    def save(self, *args, **kwargs):
        self.full_clean()
        super().save(*args, **kwargs)

# %% exercise="08.3" role="mistake" says="NULL passes a check: a check refuses only what is false, and a comparison with NULL is unknown. Leave `null` out."
class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"
        LOST = "lost", "Lost"

    condition = models.CharField(max_length=4, choices=Condition, default=Condition.NEW, null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(condition__in=["new", "worn", "lost"]), name="copy_condition")]

# %% exercise="08.3" role="mistake" says="The table refuses it, and nothing shows the words for people: give the field its `choices`."
class Copy(models.Model):
    condition = models.CharField(max_length=4, default="new")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(condition__in=["new", "worn", "lost"]), name="copy_condition")]

    def get_condition_display(self):
        return self.condition

# %% exercise="08.3" role="mistake" says="Nothing is said, and the condition is empty: a choice needs a `default` of its own."
class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "As new"
        WORN = "worn", "Well read"
        LOST = "lost", "Lost"

    condition = models.CharField(max_length=4, choices=Condition)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(condition__in=["new", "worn", "lost"]), name="copy_condition")]

# %% exercise="08.3" role="hint"
# `models.TextChoices` takes a value and a label per line.
# %% exercise="08.3" role="hint"
# `Meta.constraints` with `CheckConstraint(condition=Q(condition__in=[…]), name=…)`.

# %% [markdown] exercise="08.4"
# ### 08.4 The database computes
#
# Write the model `Parcel` with whole numbers `width`, `height` and `depth`, and a `volume` that is always their
# product: also after an `update()`, also in a filter, and also for other programs, whether they insert rows or read
# the column.

# %% exercise="08.4" role="check"
def observe(answer):
    table = answer._meta.db_table
    parcel = answer.objects.create(width=2, height=3, depth=4)
    seen = {"2 by 3 by 4": answer.objects.get(pk=parcel.pk).volume}
    answer.objects.filter(pk=parcel.pk).update(width=10)
    seen["after an update of the width to 10"] = answer.objects.get(pk=parcel.pk).volume
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"INSERT INTO {table} (width, height, depth) VALUES (1, 1, 7)")
            seen["another program inserts"] = "a row"
        except IntegrityError:
            seen["another program inserts"] = "refused"
        try:
            cursor.execute(f"SELECT volume FROM {table} ORDER BY volume")
            seen["another program reads"] = [volume for (volume,) in cursor.fetchall()]
        except OperationalError:
            seen["another program reads"] = "no such column"
    try:
        seen["filter(volume__gt=5)"] = sorted(answer.objects.filter(volume__gt=5).values_list("volume", flat=True))
    except FieldError:
        seen["filter(volume__gt=5)"] = "no such field"
    return seen

# %% exercise="08.4" role="answer" writes_schema=true
class Parcel(models.Model):
    # solution
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()
    volume = models.GeneratedField(
        expression=F("width") * F("height") * F("depth"), output_field=models.BigIntegerField(), db_persist=True
    )
    # end


check("08.4")

# %% exercise="08.4" role="alternative" note="Not stored, computed when it is read: no space, and on PostgreSQL only since Django 6.1 with version 18."
class Parcel(models.Model):
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()
    volume = models.GeneratedField(
        expression=F("width") * F("height") * F("depth"), output_field=models.IntegerField(), db_persist=False
    )

# %% exercise="08.4" role="mistake" says="A property is Python's alone: no filter can use it. A `GeneratedField` is a column."
class Parcel(models.Model):
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()

    @property
    def volume(self):
        return self.width * self.height * self.depth

# %% exercise="08.4" role="mistake" says="An annotation is part of a query. The table has no such column, so other programs cannot read it, and each query computes it anew."
class ParcelManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().annotate(volume=F("width") * F("height") * F("depth"))


class Parcel(models.Model):
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()

    objects = ParcelManager()

# %% exercise="08.4" role="mistake" says="`update()` does not call `save()`, so the volume is out of date, and others cannot insert without knowing it. Let the database compute it."
class Parcel(models.Model):
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()
    volume = models.IntegerField(editable=False)

    def save(self, *args, **kwargs):
        self.volume = self.width * self.height * self.depth
        super().save(*args, **kwargs)

# %% exercise="08.4" role="mistake" says="That is the area of one side: the depth is missing from the expression."
class Parcel(models.Model):
    width = models.IntegerField()
    height = models.IntegerField()
    depth = models.IntegerField()
    volume = models.GeneratedField(
        expression=F("width") * F("height"), output_field=models.BigIntegerField(), db_persist=True
    )

# %% exercise="08.4" role="hint"
# The column itself has to know the formula.
# %% exercise="08.4" role="hint"
# `models.GeneratedField(expression=…, output_field=…, db_persist=True)`

# %% [markdown] exercise="08.5"
# ### 08.5 One price a day
#
# The key of `PriceChange` is a book and a day. Record that the book costs `price` from `day` on: a new row, or another
# price in the row of that day. Other days stay as they are, and so does the book.

# %% exercise="08.5" role="check"
def observe(answer):
    book = Book.objects.order_by("pk").first()
    other = Book.objects.order_by("pk").last()
    days = [(book, date(2030, 1, 1), "5.00"), (book, date(2030, 2, 1), "6.00"), (book, date(2030, 1, 1), "5.50"),
            (other, date(2030, 1, 1), "9.00"), (book, date(2030, 1, 1), "5.50"), (book, date(2030, 1, 1), "5.25")]
    own = book.price
    seen = []
    for which, day, price in days:
        try:
            answer(which, day, Decimal(price))
            seen.append("recorded")
        except (IntegrityError, PriceChange.MultipleObjectsReturned) as error:
            seen.append(type(error).__name__)
    rows = PriceChange.objects.filter(valid_from__year=2030).order_by("book_id", "valid_from")
    before = PriceChange.objects.filter(valid_from__year__lt=2030, price__in=[5, 6, Decimal("5.50"), 9]).count()
    return {
        "calls": seen,
        "2030": list(rows.values_list("book_id", "valid_from", "price")),
        "before": before,
        "the book's own price is as before": Book.objects.get(pk=book.pk).price == own,
    }

# %% exercise="08.5" role="answer"
def record_price(book, day, price):
    # solution
    PriceChange.objects.update_or_create(book=book, valid_from=day, defaults={"price": price})
    # end


check("08.5")

# %% exercise="08.5" role="alternative" note="`save()` of an object whose key is set tries an UPDATE first, and inserts where no row was met. Without the lock that `update_or_create()` takes."
def record_price(book, day, price):
    PriceChange(book=book, valid_from=day, price=price).save()

# %% exercise="08.5" role="alternative" note="The whole key as a tuple. Two queries at most, and the one that usually suffices comes first."
def record_price(book, day, price):
    if not PriceChange.objects.filter(pk=(book.pk, day)).update(price=price):
        PriceChange.objects.create(book=book, valid_from=day, price=price)

# %% exercise="08.5" role="mistake" says="`create()` always inserts, and the key is taken on the second call for a day."
def record_price(book, day, price):
    PriceChange.objects.create(book=book, valid_from=day, price=price)

# %% exercise="08.5" role="mistake" says="The price is part of what you look for, so the row with the old price is not found, and its key is taken. What may change belongs into `defaults`."
def record_price(book, day, price):
    PriceChange.objects.update_or_create(book=book, valid_from=day, price=price)

# %% exercise="08.5" role="mistake" says="You look for the day alone, and other books have prices on it too. The key is the book and the day."
def record_price(book, day, price):
    PriceChange.objects.update_or_create(valid_from=day, defaults={"book": book, "price": price})

# %% exercise="08.5" role="mistake" says="`get_or_create()` leaves the row that it finds: the new price is lost."
def record_price(book, day, price):
    PriceChange.objects.get_or_create(book=book, valid_from=day, defaults={"price": price})

# %% exercise="08.5" role="mistake" says="All days of the book got the new price. The key is the book and the day."
def record_price(book, day, price):
    PriceChange.objects.get_or_create(book=book, valid_from=day, defaults={"price": price})
    PriceChange.objects.filter(book=book).update(price=price)

# %% exercise="08.5" role="hint"
# There is one queryset method for "change it, or make it".
# %% exercise="08.5" role="hint"
# `update_or_create(book=…, valid_from=…, defaults={…})`: the key outside, the rest in `defaults`.

# %% [markdown] exercise="08.6"
# ### 08.6 A list in one column
#
# Write `CommaListField`: in Python a list of texts, in a `TextField`'s column `"a,b"`. An empty list is the empty
# text, NULL is `None`. `full_clean()` accepts lists, and `"a, b"` as well, of which it makes a list.

# %% exercise="08.6" role="check"
def observe(answer):
    class Playlist(models.Model):
        tracks = answer(null=True, blank=True)

        class Meta:
            app_label = "lab"

    seen = []
    for value in (["Emma", "Nana"], ["Dracula"], [], None):
        row = Playlist.objects.create(tracks=value)
        with connection.cursor() as cursor:
            cursor.execute("SELECT tracks FROM lab_playlist WHERE id = %s", [row.pk])
            stored = cursor.fetchone()[0]
        seen.append([value, stored, Playlist.objects.get(pk=row.pk).tracks])
    seen.append(Playlist.objects.filter(tracks=["Emma", "Nana"]).count())
    for typed in ("a, b", "", ["a", "b"], None):
        playlist = Playlist(tracks=typed)
        try:
            playlist.full_clean()
            seen.append(["cleaned", typed, playlist.tracks])
        except (AttributeError, TypeError) as error:
            seen.append(["cleaned", typed, type(error).__name__])
    seen.append(Playlist._meta.get_field("tracks").db_type(connection))
    return seen

# %% exercise="08.6" role="answer" writes_schema=true
class CommaListField(models.Field):
    # solution
    def get_internal_type(self):
        return "TextField"

    def to_python(self, value):
        if value is None or isinstance(value, list):
            return value
        return [part.strip() for part in value.split(",")] if value else []

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)

    def get_prep_value(self, value):
        return value if value is None or isinstance(value, str) else ",".join(value)
    # end


check("08.6")

# %% exercise="08.6" role="alternative" note="A subclass of `TextField` has column, form field and lookups already. Usually the better start; `get_prep_value` of the parent would make text of the list."
class CommaListField(models.TextField):
    def to_python(self, value):
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    def from_db_value(self, value, expression, connection):
        return None if value is None else [part for part in value.split(",") if part]

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value

# %% exercise="08.6" role="mistake" says="What is read from the database is the text. `from_db_value()` is the way back, and `Field` has none of its own."
class CommaListField(models.TextField):
    def to_python(self, value):
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value

# %% exercise="08.6" role="mistake" says="The empty list came back as a list with one empty text: `\"\".split(\",\")` has one part."
class CommaListField(models.TextField):
    def to_python(self, value):
        if isinstance(value, str):
            return [part.strip() for part in value.split(",")]
        return value

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value

# %% exercise="08.6" role="mistake" says="NULL became the empty list, so the two cannot be told apart any more. Give None back as None."
class CommaListField(models.TextField):
    def to_python(self, value):
        if isinstance(value, list):
            return value
        return [part.strip() for part in value.split(",") if part.strip()] if value else []

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value

# %% exercise="08.6" role="mistake" says="`full_clean()` gives `to_python()` whatever is on the instance, so a list too, and a list has no `split()`. What is right already goes through as it is."
class CommaListField(models.TextField):
    def to_python(self, value):
        return None if value is None else [part.strip() for part in value.split(",") if part.strip()]

    def from_db_value(self, value, expression, connection):
        return self.to_python(value)

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value

# %% exercise="08.6" role="hint"
# Four methods: the column's type, input to list, row to list, list to column.
# %% exercise="08.6" role="hint"
# `get_internal_type`, `to_python`, `from_db_value(self, value, expression, connection)`, `get_prep_value`.

# %% [markdown] exercise="08.7"
# ### 08.7 A lookup: not equal
#
# Write the lookup class `NotEqual`, to be used as `language__ne="English"` once it is registered. It compares with
# `<>`, works for every field and expression on either side, and its value travels as a parameter.

# %% exercise="08.7" role="check"
def observe(answer):
    def compared(books):
        try:
            return sorted(books.values_list("pk", flat=True))
        except (DatabaseError, TypeError, ValueError) as error:
            return type(error).__name__

    with register_lookup(models.Field, answer):
        seen = [sorted(Book.objects.filter(language__ne="English").values_list("pk", flat=True))]
        seen.append(sorted(Book.objects.filter(pages__ne=300).values_list("pk", flat=True)))
        seen.append(sorted(Book.objects.filter(author__country__ne="England").values_list("pk", flat=True)))
        seen.append(compared(Book.objects.filter(sequel_to__language__ne="English")))
        seen.append(compared(Book.objects.annotate(mark=Concat("language", Value("!"))).filter(mark__ne="English!")))
        seen.append(compared(Book.objects.filter(title__ne=F("author__name"))))
        seen.append(Book.objects.filter(language__ne="x' OR 1=1 --").count() == Book.objects.count())
        sql, params = Book.objects.order_by().filter(language__ne="Klingon").query.sql_with_params()
        seen.append(["Klingon" in sql, list(params), "<>" in sql])
    return seen

# %% exercise="08.7" role="answer"
class NotEqual(models.Lookup):
    # solution
    lookup_name = "ne"

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} <> {right}", (*left_params, *right_params)
    # end


check("08.7")

# %% exercise="08.7" role="alternative" note="Django's own comparisons are built like this, one method each. `BuiltinLookup` is not documented: fine to read, less so to build on."
class NotEqual(BuiltinLookup):
    lookup_name = "ne"

    def get_rhs_op(self, connection, rhs):
        return f"<> {rhs}"

# %% exercise="08.7" role="mistake" says="The value is part of the SQL. That is an injection, and a quote in a title breaks the query: `process_rhs()` gives a placeholder and its parameters."
class NotEqual(models.Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} <> '{self.rhs}'", tuple(left_params)

# %% exercise="08.7" role="mistake" says="The left side may have parameters too, as `Concat(\"language\", Value(\"!\"))` has: take both lists, in the order of the SQL."
class NotEqual(models.Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler, connection):
        left, _ = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} <> {right}", tuple(right_params)

# %% exercise="08.7" role="mistake" says="A value of your own making works for plain values only: the right side may be another column, as in `F(\"author__name\")`. Let `process_rhs()` make its SQL."
class NotEqual(models.Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        return f"{left} <> %s", (*left_params, self.rhs)

# %% exercise="08.7" role="mistake" says="Those are the equal ones."
class NotEqual(Exact):
    lookup_name = "ne"

# %% exercise="08.7" role="mistake" says="Rows with NULL are among yours. `<>` leaves them out, as SQL does with NULL in every comparison."
class NotEqual(models.Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"({left} <> {right} OR {left} IS NULL)", (*left_params, *right_params, *left_params)

# %% exercise="08.7" role="hint"
# Each side gives its SQL and its parameters; put the operator between, and the parameters in the same order.
# %% exercise="08.7" role="hint"
# `self.process_lhs(compiler, connection)` and `self.process_rhs(compiler, connection)`.

# %% [markdown] exercise="08.8"
# ### 08.8 A field that migrations can rebuild
#
# Write `PriceField`, a `DecimalField` with always 6 digits and 2 decimal places, and an argument `currency`, "EUR" if
# nothing is said. `deconstruct()` must name the currency only where it is another, and never the digits. The field
# that is built from it must be the same.

# %% exercise="08.8" role="check"
def observe(answer):
    seen = []
    for options in ({}, {"currency": "GBP"}, {"currency": "EUR", "null": True}, {"currency": "USD", "default": 5}):
        field = answer(**options)
        try:
            name, path, args, kwargs = field.deconstruct()
            again = field.clone()
        except Exception as error:
            seen.append([options, type(error).__name__])
            continue
        path = path.rpartition(".")[2]
        digits = again.db_type(connection), again.max_digits, again.decimal_places
        seen.append([path, dict(kwargs), again.currency, digits, again.null])
    try:
        field = answer(max_digits=9)
        seen.append(["asked for 9 digits", field.max_digits == field.clone().max_digits])
    except TypeError:
        seen.append(["asked for 9 digits", True])
    return seen

# %% exercise="08.8" role="answer"
class PriceField(models.DecimalField):
    # solution
    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        kwargs["max_digits"], kwargs["decimal_places"] = 6, 2
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        if self.currency != "EUR":
            kwargs["currency"] = self.currency
        return name, path, args, kwargs
    # end


check("08.8")

# %% exercise="08.8" role="alternative" note="The default is named once, as an attribute of the class. Good when subclasses have another."
class PriceField(models.DecimalField):
    home = "EUR"

    def __init__(self, *args, currency=home, **kwargs):
        self.currency = currency
        super().__init__(*args, **kwargs | {"max_digits": 6, "decimal_places": 2})

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kept = {key: value for key, value in kwargs.items() if key not in ("max_digits", "decimal_places")}
        if self.currency != self.home:
            kept["currency"] = self.currency
        return name, path, args, kept

# %% exercise="08.8" role="mistake" says="Without `deconstruct()` the currency is lost in migrations, and the digits are named in every one."
class PriceField(models.DecimalField):
    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        kwargs["max_digits"], kwargs["decimal_places"] = 6, 2
        super().__init__(*args, **kwargs)

# %% exercise="08.8" role="mistake" says="The currency is in every migration, also where it is the default."
class PriceField(models.DecimalField):
    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        kwargs["max_digits"], kwargs["decimal_places"] = 6, 2
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs | {"currency": self.currency}

# %% exercise="08.8" role="mistake" says="The digits are in every migration, though they are never other ones: delete them in `deconstruct()`, since `__init__` sets them."
class PriceField(models.DecimalField):
    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        kwargs["max_digits"], kwargs["decimal_places"] = 6, 2
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self.currency != "EUR":
            kwargs["currency"] = self.currency
        return name, path, args, kwargs

# %% exercise="08.8" role="mistake" says="`setdefault()` lets others choose the digits, and `deconstruct()` forgets what they chose: the copy is another field."
class PriceField(models.DecimalField):
    def __init__(self, *args, currency="EUR", **kwargs):
        self.currency = currency
        kwargs.setdefault("max_digits", 6)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        if self.currency != "EUR":
            kwargs["currency"] = self.currency
        return name, path, args, kwargs

# %% exercise="08.8" role="hint"
# `deconstruct()` returns what `__init__` was called with: add yours to what the parent says, take away what you fixed.
# %% exercise="08.8" role="hint"
# `name, path, args, kwargs = super().deconstruct()`, then `del kwargs["max_digits"]` …

# %% [markdown] exercise="08.9"
# ### 08.9 Rules in the table
#
# Give `Loan` its constraints: a copy has at most one loan that is not returned (`returned` is NULL), and nobody
# returns a copy before the day it was lent.

# %% exercise="08.9" role="check"
def observe(answer):
    def store(copy, lent, returned):
        try:
            answer.objects.create(copy=copy, lent=lent, returned=returned)
            return "stored"
        except IntegrityError:
            return "refused"

    first, second, third = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
    rows = [
        ("A", first, second), ("A", first, second), ("A", second, None), ("A", third, None), ("B", third, None),
        ("A", third, first), ("A", third, third), ("C", third, None), ("C", first, first),
    ]
    seen = [[*row, store(*row)] for row in rows]
    try:
        answer(copy="B", lent=third).full_clean()
        seen.append("valid")
    except ValidationError as error:
        seen.append(sorted(error.message_dict))
    return seen

# %% exercise="08.9" role="answer" writes_schema=true
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        # solution
        constraints = [
            models.UniqueConstraint(fields=["copy"], condition=Q(returned=None), name="loan_one_open"),
            models.CheckConstraint(condition=Q(returned=None) | Q(returned__gte=F("lent")), name="loan_not_backwards"),
        ]
        # end


check("08.9")

# %% exercise="08.9" role="alternative" note="A check is violated only where it is false, and a comparison with NULL is unknown: the first half of the condition may be left out. Shorter, and the reader has to know it."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(returned__gte=F("lent")), name="loan_not_backwards"),
            models.UniqueConstraint("copy", condition=Q(returned__isnull=True), name="loan_one_open"),
        ]

# %% exercise="08.9" role="mistake" says="An `Index` finds rows and refuses none. The constraint with the same condition makes a unique index."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["copy"], condition=Q(returned=None), name="loan_one_open")]
        constraints = [
            models.CheckConstraint(condition=Q(returned=None) | Q(returned__gte=F("lent")), name="loan_not_backwards"),
        ]

# %% exercise="08.9" role="mistake" says="A second open loan is stored: NULL is unlike NULL, so `copy` and `returned` together are never equal. Use a condition."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["copy", "returned"], name="loan_one_open"),
            models.CheckConstraint(condition=Q(returned=None) | Q(returned__gte=F("lent")), name="loan_not_backwards"),
        ]

# %% exercise="08.9" role="mistake" says="A copy can be lent once in its life: the unique constraint lacks its `condition`."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["copy"], name="loan_one_open"),
            models.CheckConstraint(condition=Q(returned=None) | Q(returned__gte=F("lent")), name="loan_not_backwards"),
        ]

# %% exercise="08.9" role="mistake" says="A copy that comes back on the same day is refused: `__gt` leaves the equal day out."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["copy"], condition=Q(returned=None), name="loan_one_open"),
            models.CheckConstraint(condition=Q(returned=None) | Q(returned__gt=F("lent")), name="loan_not_backwards"),
        ]

# %% exercise="08.9" role="mistake" says="Rules in `clean()` hold for forms. `create()` does not call it, so the table has to know them."
class Loan(models.Model):
    copy = models.CharField(max_length=10)
    lent = models.DateField()
    returned = models.DateField(null=True, blank=True)

    def clean(self):
        if type(self).objects.filter(copy=self.copy, returned=None).exists():
            raise ValidationError("This copy is lent.")

# %% exercise="08.9" role="hint"
# One rule compares rows, and only the open ones. The other compares two columns of a row.
# %% exercise="08.9" role="hint"
# `UniqueConstraint(…, condition=Q(returned=None), …)` and `CheckConstraint(condition=Q(…) | Q(returned__gte=F("lent")), …)`

# %% [markdown] exercise="08.10"
# ### 08.10 Languages
#
# Return a list of the languages of all books, each once, in alphabetical order. One query, and the database does the
# work: it sends each language once. Books have a default ordering.

# %% exercise="08.10" role="check"
def observe(answer):
    with CaptureQueriesContext(connection) as seen:
        found = list(answer())
    sent = 0
    with uncounted(), connection.cursor() as cursor:
        for query in seen:
            cursor.execute(f"SELECT COUNT(*) FROM ({query['sql']})")
            sent += cursor.fetchone()[0]
    return {"languages": found, "rows that the database sent": sent}

# %% exercise="08.10" role="answer" ordered=true budget=1
def languages():
    # solution
    return list(Book.objects.order_by("language").values_list("language", flat=True).distinct())
    # end


check("08.10")

# %% exercise="08.10" role="alternative" note="Grouped, which is where one continues with the number of books per language."
def languages():
    groups = Book.objects.values("language").annotate(books=Count("pk")).order_by("language")
    return [group["language"] for group in groups]

# %% exercise="08.10" role="mistake" says="Languages are repeated: the default ordering put the title into `SELECT DISTINCT`. Say your own `order_by()`."
def languages():
    return list(Book.objects.values_list("language", flat=True).distinct())

# %% exercise="08.10" role="mistake" says="The list is right, and every book's language came over the wire for it. Let the database leave the repeated ones out."
def languages():
    return sorted(set(Book.objects.values_list("language", flat=True)))

# %% exercise="08.10" role="mistake" says="In order, and one for every book. `distinct()` is missing."
def languages():
    return list(Book.objects.order_by("language").values_list("language", flat=True))

# %% exercise="08.10" role="mistake" says="The title is back in the ordering, and so in `SELECT DISTINCT`."
def languages():
    return list(Book.objects.order_by("language", "title").values_list("language", flat=True).distinct())

# %% exercise="08.10" role="hint"
# Look at the SQL: which columns stand behind `SELECT DISTINCT`?
# %% exercise="08.10" role="hint"
# `order_by("language")` replaces the default ordering.

# %% [markdown] exercise="08.11"
# ### 08.11 Books and their recordings
#
# `AudioBook` inherits from `Book`. Return `(title, minutes)` for **every** book, by title and primary key; `minutes`
# is `None` where there is no recording. One query.

# %% exercise="08.11" role="check"
def observe(answer):
    with uncounted():
        first, last = Author.objects.order_by("pk").first(), Author.objects.order_by("pk").last()
        Book.objects.create(title="Twins", slug="twins-1", author=last, price=5)
        AudioBook.objects.create(title="Twins", slug="twins-2", author=first, price=5, narrator="Ida Brand", minutes=77)
    return list(answer())

# %% exercise="08.11" role="answer" ordered=true budget=1
def minutes():
    # solution
    books = Book.objects.select_related("audiobook").order_by("title", "pk")
    return [(book.title, book.audiobook.minutes if hasattr(book, "audiobook") else None) for book in books]
    # end


check("08.11")

# %% exercise="08.11" role="alternative" note="The left join gives `None` by itself. The shortest for two columns; objects are better when their methods are used."
def minutes():
    return list(Book.objects.order_by("title", "pk").values_list("title", "audiobook__minutes"))

# %% exercise="08.11" role="mistake" says="`hasattr(book, \"audiobook\")` asks the database for each book. The child is a one-to-one: join it."
def minutes():
    books = Book.objects.order_by("title", "pk")
    return [(book.title, book.audiobook.minutes if hasattr(book, "audiobook") else None) for book in books]

# %% exercise="08.11" role="mistake" says="Equal titles may come in any order: the default ordering ends with the title. Say the primary key as well."
def minutes():
    return list(Book.objects.values_list("title", "audiobook__minutes"))

# %% exercise="08.11" role="mistake" says="Only books with a recording are in your list: the child's manager joins with an inner join."
def minutes():
    return [(book.title, book.minutes) for book in AudioBook.objects.order_by("title", "pk")]

# %% exercise="08.11" role="mistake" says="A `Book` is a book even where a recording exists: querysets of the parent never return the child."
def minutes():
    return [(book.title, getattr(book, "minutes", None)) for book in Book.objects.order_by("title", "pk")]

# %% exercise="08.11" role="hint"
# From the parent the child is a one-to-one with the model's name in lower case.
# %% exercise="08.11" role="hint"
# `select_related("audiobook")`, and `hasattr` for the books without.

# %% [markdown] exercise="08.12"
# ### 08.12 A recording of a book that exists
#
# The book is in the catalogue, and now there is a recording of it. Add the `AudioBook` with its narrator and minutes.
# The row of the book must stay exactly as it is.

# %% exercise="08.12" role="check"
def observe(answer):
    book = Book.objects.filter(audiobook=None).order_by("pk").first()
    before = Book.objects.filter(pk=book.pk).values().get()
    count = Book.objects.count()
    outcome = "added"
    try:
        answer(book, "Ida Brand", 600)
    except Exception as error:
        outcome = type(error).__name__
    recordings = AudioBook.objects.filter(narrator="Ida Brand").values_list("pk", "title", "minutes")
    return {
        "outcome": outcome,
        "the book is as before": Book.objects.filter(pk=book.pk).values().get() == before,
        "books more": Book.objects.count() - count,
        "recordings": list(recordings),
    }

# %% exercise="08.12" role="answer"
def add_recording(book, narrator, minutes):
    # solution
    recording = AudioBook(book_ptr=book, narrator=narrator, minutes=minutes)
    recording.save_base(raw=True)
    # end


check("08.12")

# %% exercise="08.12" role="alternative" note="The parent's columns copied onto the child: two statements, signals as ever, and correct only as long as nobody changes the book meanwhile."
def add_recording(book, narrator, minutes):
    recording = AudioBook(book_ptr=book, narrator=narrator, minutes=minutes)
    for field in Book._meta.concrete_fields:
        if not field.generated:
            setattr(recording, field.attname, getattr(book, field.attname))
    recording.save()

# %% exercise="08.12" role="mistake" says="`save()` writes the book's columns as well, from an object where they were never set. Here the missing price stops it; with columns that may be empty it would blank them."
def add_recording(book, narrator, minutes):
    AudioBook(book_ptr=book, narrator=narrator, minutes=minutes).save()

# %% exercise="08.12" role="mistake" says="Now the catalogue has a second book. The link `book_ptr` says to which book the recording belongs."
def add_recording(book, narrator, minutes):
    AudioBook.objects.create(
        title=f"{book.title} (recording)", slug=f"{book.slug}-recording", author=book.author, price=book.price,
        narrator=narrator, minutes=minutes,
    )

# %% exercise="08.12" role="mistake" says="The recording is there, and the book has changed: the child wrote the columns that you gave it, and the defaults of the rest."
def add_recording(book, narrator, minutes):
    AudioBook(
        book_ptr=book, title=book.title, slug=book.slug, author=book.author, price=book.price, description="A recording",
        narrator=narrator, minutes=minutes,
    ).save()

# %% exercise="08.12" role="mistake" says="`update_fields` asks for an UPDATE, and the recording has no row yet to update."
def add_recording(book, narrator, minutes):
    AudioBook(book_ptr=book, narrator=narrator, minutes=minutes).save(update_fields=["narrator", "minutes"])

# %% exercise="08.12" role="mistake" says="`bulk_create()` refuses models whose parent has a table of its own."
def add_recording(book, narrator, minutes):
    AudioBook.objects.bulk_create([AudioBook(book_ptr=book, narrator=narrator, minutes=minutes)])

# %% exercise="08.12" role="hint"
# `save()` writes both tables. There is a way to write the child's alone.
# %% exercise="08.12" role="hint"
# `save_base(raw=True)`, which fixtures use as well.
