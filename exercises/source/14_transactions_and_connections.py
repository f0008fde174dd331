# %%
from checks import check, hint, solution
from lab import queries, start

start()

# Django is set up now, so its models can be imported.
from copy import deepcopy
from functools import partial, wraps

from catalog.models import Genre
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from orders.models import Order, Stock

# %% [markdown] exercise="14.1"
# ### 14.1 All or nothing
#
# Move `copies` from the shelf of one book to that of another, given the primary keys of their `Stock`. If the source has
# too few, or one of the two does not exist, raise `Stock.DoesNotExist`. Whatever fails, and wherever: either both shelves
# change, or **none**.

# %% exercise="14.1" role="answer"
def move(source, target, copies):
    # solution
    with transaction.atomic():
        for pk, change, least in ((source, -copies, copies), (target, copies, 0)):
            stock = Stock.objects.filter(pk=pk, quantity__gte=least)
            if not stock.update(quantity=F("quantity") + change):
                raise Stock.DoesNotExist(pk)
    # end


check("14.1")

# %% exercise="14.1" role="check"
def observe(answer):
    one, other = Stock.objects.order_by("pk").values_list("pk", flat=True)[:2]
    shelves = Stock.objects.filter(pk__in=[one, other]).order_by("pk")
    updates = []

    def call(*arguments):
        shelves.update(quantity=5)
        try:
            answer(*arguments)
            result = "moved"
        except Stock.DoesNotExist:
            result = "Stock.DoesNotExist"
        except OperationalError:
            result = "the error"
        return (result, *shelves.values_list("quantity", flat=True))

    def lose_the_second_update(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            updates.append(sql)
            # The first one fills the shelves.
            if len(updates) == 3:
                raise OperationalError("the connection is lost")
        return execute(sql, params, many, context)

    seen = {
        "3 of 5": call(one, other, 3),
        "5 of 5": call(one, other, 5),
        "6 of 5": call(one, other, 6),
        "to a book without stock": call(one, 99_999, 1),
        "from a book without stock": call(99_999, other, 1),
    }
    with connection.execute_wrapper(lose_the_second_update):
        seen["copies in all, after the connection was lost at the second update"] = sum(call(one, other, 3)[1:])
    return seen

# %% exercise="14.1" role="alternative" note="Reads both rows under a lock and checks before it writes. More queries, and on PostgreSQL nobody else gets in between; the order of the keys avoids deadlocks."
@transaction.atomic
def move(source, target, copies):
    stocks = Stock.objects.select_for_update().filter(pk__in=[source, target]).order_by("pk")
    found = {stock.pk: stock for stock in stocks}
    if len(found) < 2 or found[source].quantity < copies:
        raise Stock.DoesNotExist
    found[source].quantity -= copies
    found[target].quantity += copies
    Stock.objects.bulk_update(found.values(), ["quantity"])

# %% exercise="14.1" role="mistake" says="The target is missing, and the copies have left the source all the same: in autocommit each update is a transaction. Put both into one `atomic()`."
def move(source, target, copies):
    for pk, change, least in ((source, -copies, copies), (target, copies, 0)):
        stock = Stock.objects.filter(pk=pk, quantity__gte=least)
        if not stock.update(quantity=F("quantity") + change):
            raise Stock.DoesNotExist(pk)

# %% exercise="14.1" role="mistake" says="The error is caught inside the block, so the block ends well and commits one half. Raising it again afterwards is too late: let it leave the block."
def move(source, target, copies):
    missing = None
    with transaction.atomic():
        try:
            for pk, change, least in ((source, -copies, copies), (target, copies, 0)):
                stock = Stock.objects.filter(pk=pk, quantity__gte=least)
                if not stock.update(quantity=F("quantity") + change):
                    raise Stock.DoesNotExist(pk)
        except Stock.DoesNotExist as error:
            missing = error
    if missing:
        raise missing

# %% exercise="14.1" role="mistake" says="An update that finds no row is no error: without the target the copies vanish. Look at the number that `update()` returns, for both."
@transaction.atomic
def move(source, target, copies):
    if not Stock.objects.filter(pk=source, quantity__gte=copies).update(quantity=F("quantity") - copies):
        raise Stock.DoesNotExist(source)
    Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)

# %% exercise="14.1" role="mistake" says="A shelf with exactly as many copies as you move has enough."
@transaction.atomic
def move(source, target, copies):
    if not Stock.objects.filter(pk=source, quantity__gt=copies).update(quantity=F("quantity") - copies):
        raise Stock.DoesNotExist(source)
    if not Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies):
        raise Stock.DoesNotExist(target)

# %% exercise="14.1" role="mistake" says="You look at both before you write, and yet the two updates are two transactions: when the connection is lost in between, the copies are gone. Put both into one `atomic()`."
def move(source, target, copies):
    if Stock.objects.get(pk=source).quantity < copies or not Stock.objects.filter(pk=target).exists():
        raise Stock.DoesNotExist
    Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
    Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)

# %% exercise="14.1" role="hint"
# Two updates, one block, and an exception that leaves it.
# %% exercise="14.1" role="hint"
# `update()` returns the number of rows: `if not ….update(…): raise Stock.DoesNotExist`.

# %% [markdown] exercise="14.2"
# ### 14.2 Skip what does not fit
#
# Insert a genre for each `(name, slug)`. One that breaks a constraint of the database is skipped; return the names of
# those, in order. All others go in **together**: if the function fails for any other reason, such as a row without a slug
# to unpack, no genre is left behind.

# %% exercise="14.2" role="answer" ordered=true
def add_genres(rows):
    # solution
    skipped = []
    with transaction.atomic():
        for name, slug in rows:
            try:
                with transaction.atomic():
                    Genre.objects.create(name=name, slug=slug)
            except IntegrityError:
                skipped.append(name)
    return skipped
    # end


check("14.2")

# %% exercise="14.2" role="check"
def observe(answer):
    inserts = []

    def lose_the_second_insert(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            inserts.append(sql)
            if len(inserts) == 2:
                raise OperationalError("the connection is lost")
        return execute(sql, params, many, context)

    def call(*rows):
        before = set(Genre.objects.values_list("name", flat=True))
        try:
            result = answer(list(rows))
        except Exception as error:
            result = type(error).__name__
        new = set(Genre.objects.values_list("name", flat=True)) - before
        return {"result": result, "new": sorted(new)}

    seen = {
        "conflicts": call(("Essays", "essays"), ("Tracts", "essays"), ("Essays", "other"), ("Letters", "letters")),
        "no slug": call(("Sermons", None), ("Travels", "travels")),
        "a slug with a blank": call(("Sea stories", "sea stories")),
        "a row that cannot be unpacked": call(("Diaries", "diaries"), ("Memoirs",)),
        "nothing": call(),
    }
    with connection.execute_wrapper(lose_the_second_insert):
        seen["the connection is lost at the second insert"] = call(("Fables", "fables"), ("Legends", "legends"))
    return seen

# %% exercise="14.2" role="alternative" note="The same with a decorator: the function is the transaction, and a small one makes each savepoint."
@transaction.atomic
def add_genres(rows):
    create = transaction.atomic(Genre.objects.create)
    skipped = []
    for name, slug in rows:
        try:
            create(name=name, slug=slug)
        except IntegrityError:
            skipped.append(name)
    return skipped

# %% exercise="14.2" role="mistake" says="After the first conflict the transaction is broken, and the next query raises `TransactionManagementError`. Give each insert an `atomic()` of its own: a savepoint."
@transaction.atomic
def add_genres(rows):
    skipped = []
    for name, slug in rows:
        try:
            Genre.objects.create(name=name, slug=slug)
        except IntegrityError:
            skipped.append(name)
    return skipped

# %% exercise="14.2" role="mistake" says="Each genre is committed by itself: when a later row is malformed, the earlier ones stay. Put an `atomic()` around the loop."
def add_genres(rows):
    skipped = []
    for name, slug in rows:
        try:
            Genre.objects.create(name=name, slug=slug)
        except IntegrityError:
            skipped.append(name)
    return skipped

# %% exercise="14.2" role="mistake" says="You catch every exception, so a malformed row is skipped in silence. Catch `IntegrityError` alone."
@transaction.atomic
def add_genres(rows):
    skipped = []
    for row in rows:
        try:
            with transaction.atomic():
                Genre.objects.create(name=row[0], slug=row[1])
        except Exception:
            skipped.append(row[0])
    return skipped

# %% exercise="14.2" role="mistake" says="The first conflict ends the loop, and takes all genres before it away. The `try` belongs inside the loop, around a block of its own."
def add_genres(rows):
    skipped = []
    try:
        with transaction.atomic():
            for name, slug in rows:
                skipped.append(name)
                Genre.objects.create(name=name, slug=slug)
                skipped.pop()
    except IntegrityError:
        pass
    return skipped

# %% exercise="14.2" role="mistake" says="You look for names and slugs that are taken. Others may take one after your look, and the database has more constraints, such as NOT NULL. Insert, and see whether it refuses."
@transaction.atomic
def add_genres(rows):
    skipped = []
    for name, slug in rows:
        if Genre.objects.filter(name=name).exists() or Genre.objects.filter(slug=slug).exists():
            skipped.append(name)
        else:
            Genre.objects.create(name=name, slug=slug)
    return skipped

# %% exercise="14.2" role="mistake" says="`full_clean` refuses more than the database does: a slug with a blank breaks a validator, and no constraint. Insert, and see whether the database refuses."
@transaction.atomic
def add_genres(rows):
    from django.core.exceptions import ValidationError

    skipped = []
    for name, slug in rows:
        genre = Genre(name=name, slug=slug)
        try:
            genre.full_clean()
        except ValidationError:
            skipped.append(name)
        else:
            genre.save()
    return skipped

# %% exercise="14.2" role="mistake" says="`ignore_conflicts` passes over every row that is refused, and does not say which. A row that is there may also have been there before."
@transaction.atomic
def add_genres(rows):
    Genre.objects.bulk_create([Genre(name=name, slug=slug) for name, slug in rows], ignore_conflicts=True)
    return [name for name, slug in rows if not Genre.objects.filter(name=name, slug=slug).exists()]

# %% exercise="14.2" role="hint"
# A block around the loop, and another inside of it. Where does the `try` stand?
# %% exercise="14.2" role="hint"
# `try:` then `with transaction.atomic(): Genre.objects.create(…)`, inside the outer block.

# %% [markdown] exercise="14.3"
# ### 14.3 Tell them after the commit
#
# Mark the orders with these numbers as paid, all in one transaction. For each call `send(number)`, in the order given, but
# only when it is certain that the change stays, also where the caller has a transaction open. A number that is not open
# raises `Order.DoesNotExist`, and then nothing changes and nothing is sent.

# %% exercise="14.3" role="answer"
def pay(numbers, send):
    # solution
    with transaction.atomic():
        for number in numbers:
            if not Order.objects.filter(number=number, status="open").update(status="paid"):
                raise Order.DoesNotExist(number)
            transaction.on_commit(partial(send, number))
    # end


check("14.3")

# %% exercise="14.3" role="check"
def observe(answer):
    first, second, third, paid = Order.objects.order_by("pk")[:4]
    Order.objects.filter(pk__in=[first.pk, second.pk, third.pk]).update(status="open")
    Order.objects.filter(pk=paid.pk).update(status="paid")
    sent = []

    def send(number):
        sent.append((number, Order.objects.get(number=number).status, connection.in_atomic_block))

    def call(*orders):
        sent.clear()
        try:
            result = answer([getattr(order, "number", order) for order in orders], send)
        except Order.DoesNotExist:
            result = "Order.DoesNotExist"
        except RuntimeError:
            result = "RuntimeError"
        states = Order.objects.filter(pk__in=[first.pk, second.pk, third.pk]).order_by("pk")
        return (result, tuple(sent), *states.values_list("status", flat=True))

    seen = {"a number that nobody has": call(first, "no such number"), "one that is paid already": call(second, paid)}
    try:
        with transaction.atomic():
            seen["inside of a transaction"] = call(first)
            raise KeyError
    except KeyError:
        seen["which is rolled back"] = tuple(sent)
    return seen | {"two": call(third, first), "none": call()}

# %% exercise="14.3" role="alternative" note="A lambda with the number as a default argument, which is evaluated now. `partial` says the same; on Django 5.2 a lambda is also what works with `robust=True`."
@transaction.atomic
def pay(numbers, send):
    for number in numbers:
        order = Order.objects.filter(status="open").get(number=number)
        order.status = "paid"
        order.save(update_fields=["status"])
        transaction.on_commit(lambda number=number: send(number))

# %% exercise="14.3" role="mistake" says="Every callback sends the last number: a lambda looks its names up when it is called, after the loop. Bind the value with `partial` or a default argument."
def pay(numbers, send):
    with transaction.atomic():
        for number in numbers:
            if not Order.objects.filter(number=number, status="open").update(status="paid"):
                raise Order.DoesNotExist(number)
            transaction.on_commit(lambda: send(number))

# %% exercise="14.3" role="mistake" says="You send inside the transaction. When it is rolled back, the message is out, about something that never happened. `transaction.on_commit`."
def pay(numbers, send):
    with transaction.atomic():
        for number in numbers:
            if not Order.objects.filter(number=number, status="open").update(status="paid"):
                raise Order.DoesNotExist(number)
            send(number)

# %% exercise="14.3" role="mistake" says="After your own block is not after the commit: the caller may have an `atomic()` around you, and roll it back. `on_commit` waits for the outermost one."
def pay(numbers, send):
    with transaction.atomic():
        for number in numbers:
            if not Order.objects.filter(number=number, status="open").update(status="paid"):
                raise Order.DoesNotExist(number)
    for number in numbers:
        send(number)

# %% exercise="14.3" role="mistake" says="Without `atomic()` there is no transaction to wait for: `on_commit` calls at once, and the orders before a wrong number stay paid."
def pay(numbers, send):
    for number in numbers:
        if not Order.objects.filter(number=number, status="open").update(status="paid"):
            raise Order.DoesNotExist(number)
        transaction.on_commit(partial(send, number))

# %% exercise="14.3" role="mistake" says="You pay what is not open: the order that was paid before gets a second message. Look for orders that have the number **and** are open."
@transaction.atomic
def pay(numbers, send):
    for number in numbers:
        order = Order.objects.get(number=number)
        order.status = "paid"
        order.save(update_fields=["status"])
        transaction.on_commit(partial(send, number))

# %% exercise="14.3" role="mistake" says="A durable block is sure of its commit, since it refuses to run inside of a transaction. Here the caller may have one: `on_commit` waits for its end."
def pay(numbers, send):
    with transaction.atomic(durable=True):
        for number in numbers:
            if not Order.objects.filter(number=number, status="open").update(status="paid"):
                raise Order.DoesNotExist(number)
    for number in numbers:
        send(number)

# %% exercise="14.3" role="hint"
# `on_commit` takes a function without arguments. Which number does it have when it is called?
# %% exercise="14.3" role="hint"
# `transaction.on_commit(partial(send, number))`

# %% [markdown] exercise="14.4"
# ### 14.4 Try it, and take it back
#
# Call `change()` and return what it returns, but leave the database as it was before. It also has to work inside somebody else's
# `atomic()`, whose own rows must stay. If `change` raises, so do you.

# %% exercise="14.4" role="answer"
def rehearse(change):
    # solution
    with transaction.atomic():
        result = change()
        transaction.set_rollback(True)
    return result
    # end


check("14.4")

# %% exercise="14.4" role="check"
def observe(answer):
    calls = []

    def change():
        transaction.on_commit(lambda: calls.append("told somebody"))
        Genre.objects.create(name="Rehearsed", slug="rehearsed")
        return Genre.objects.filter(slug="rehearsed").count()

    def fail():
        Genre.objects.create(name="Rehearsed", slug="rehearsed")
        raise KeyError("change")

    def outcome(step):
        try:
            return step()
        except Exception as error:
            return type(error).__name__

    def inside():
        with transaction.atomic():
            Genre.objects.create(name="Outer", slug="outer")
            return answer(change)

    seen = [outcome(step) for step in (partial(answer, change), partial(answer, fail), inside)]
    slugs = Genre.objects.filter(slug__in=["rehearsed", "outer"]).values_list("slug", flat=True)
    return {"results": seen, "left": sorted(slugs), "callbacks": calls}

# %% exercise="14.4" role="alternative" note="An exception of your own leaves the block and is caught right behind it. A few lines more, and it uses nothing but what everybody knows of `atomic()`."
def rehearse(change):
    class TakeItBack(Exception):
        pass

    try:
        with transaction.atomic():
            result = change()
            raise TakeItBack
    except TakeItBack:
        return result

# %% exercise="14.4" role="mistake" says="The block ends without an exception, so it commits. Mark it with `set_rollback(True)`, or let an exception leave it."
def rehearse(change):
    with transaction.atomic():
        return change()

# %% exercise="14.4" role="mistake" says="`transaction.rollback()` is forbidden inside `atomic()`, which manages the transaction itself. `set_rollback(True)` asks it to roll back."
def rehearse(change):
    with transaction.atomic():
        result = change()
        transaction.rollback()
    return result

# %% exercise="14.4" role="mistake" says="A durable block cannot be nested, so it fails inside somebody else's transaction."
def rehearse(change):
    with transaction.atomic(durable=True):
        result = change()
        transaction.set_rollback(True)
    return result

# %% exercise="14.4" role="mistake" says="Without a savepoint of its own the inner block can only give up the whole transaction: the rows of the caller are gone too."
def rehearse(change):
    with transaction.atomic(savepoint=False):
        result = change()
        transaction.set_rollback(True)
    return result

# %% exercise="14.4" role="mistake" says="The rows are gone, and yet what `change` gave to `on_commit` is called: a savepoint that you set by hand does not forget it. Let the end of an `atomic()` roll back."
def rehearse(change):
    with transaction.atomic():
        savepoint = connection.savepoint()
        result = change()
        connection.savepoint_rollback(savepoint)
    return result

# %% exercise="14.4" role="hint"
# How can a block roll back although no error leaves it?
# %% exercise="14.4" role="hint"
# `transaction.set_rollback(True)` at the end of your own `atomic()`.

# %% [markdown] exercise="14.5"
# ### 14.5 A conflict, or a mistake?
#
# A transaction is done again after a serialization failure (SQLSTATE `40001`) or a deadlock (`40P01`), and after nothing
# else. psycopg puts `sqlstate` on its own exception; Django raises its `OperationalError` *from* that one. Say whether this
# error is worth another attempt.

# %% exercise="14.5" role="answer"
def is_conflict(error):
    # solution
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) and state in {"40001", "40P01"}
    # end


check("14.5")

# %% exercise="14.5" role="check"
def observe(answer):
    from psycopg import errors

    def caused(kind, state):
        error = kind("deadlock detected" if state == "55P03" else "an error of the database")
        error.__cause__ = errors.lookup(state)("from the driver") if state else errors.OperationalError("no state")
        return error

    states = {
        "40001": "serialization failure",
        "40P01": "deadlock",
        "40003": "nobody knows whether it was done",
        "55P03": "a lock was not to be had",
        "57014": "a statement timeout",
        "08006": "the connection is lost",
        None: "no state",
    }
    seen = {f"{state} {name}": answer(caused(OperationalError, state)) for state, name in states.items()}
    seen["23505 not unique"] = answer(caused(IntegrityError, "23505"))
    seen["an OperationalError without a cause"] = answer(OperationalError("no such table"))
    seen["a ValueError"] = answer(ValueError("40001"))
    return seen

# %% exercise="14.5" role="alternative" note="Asks the cause for its state and falls back to nothing. Whoever has several databases keeps the set of states per vendor."
def is_conflict(error):
    match error:
        case OperationalError(__cause__=cause):
            return getattr(cause, "sqlstate", "") in ("40001", "40P01")
    return False

# %% exercise="14.5" role="alternative" note="psycopg has a class for each state. It reads well, and ties the code to one driver."
def is_conflict(error):
    from psycopg.errors import DeadlockDetected, SerializationFailure

    return isinstance(error.__cause__, (SerializationFailure, DeadlockDetected))

# %% exercise="14.5" role="mistake" says="`OperationalError` also stands for a lost connection, a timeout or a lock that was not to be had. Doing these again at once makes things worse: look at the state."
def is_conflict(error):
    return isinstance(error, OperationalError)

# %% exercise="14.5" role="mistake" says="The state is on the driver's exception, not on Django's: look at `error.__cause__`."
def is_conflict(error):
    return getattr(error, "sqlstate", None) in {"40001", "40P01"}

# %% exercise="14.5" role="mistake" says="A deadlock victim has left nothing behind either, and may succeed the next time: `40P01`."
def is_conflict(error):
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) == "40001"

# %% exercise="14.5" role="mistake" says="Messages depend on the language and the version of the server. The state does not."
def is_conflict(error):
    return "deadlock" in str(error) or "serialize" in str(error)

# %% exercise="14.5" role="mistake" says="Not all of class 40 is a conflict: `40003` says that nobody knows whether the statement was carried out, and once more may be twice."
def is_conflict(error):
    return (getattr(error.__cause__, "sqlstate", None) or "").startswith("40")

# %% exercise="14.5" role="hint"
# `raise … from …` keeps the first exception in `__cause__`.
# %% exercise="14.5" role="hint"
# `getattr(error.__cause__, "sqlstate", None)`: not every error has a cause.

# %% [markdown] exercise="14.6"
# ### 14.6 Do it again
#
# Write a decorator: `@retried(3)` runs the function in a transaction of its own, the outermost, and again after an
# `OperationalError`, three times at most in all. The last error is raised. Any other exception is raised at once. Nothing
# that a failed attempt wrote may stay.

# %% exercise="14.6" role="answer"
def retried(attempts):
    # solution
    def decorate(function):
        @wraps(function)
        def run(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    with transaction.atomic(durable=True):
                        return function(*args, **kwargs)
                except OperationalError:
                    if attempt == attempts:
                        raise

        return run

    return decorate
    # end


check("14.6")

# %% exercise="14.6" role="check"
def observe(answer):
    def attempt(failures, error, attempts=3, nested=False):
        calls = []

        def work(name):
            calls.append(name)
            Genre.objects.create(name=f"{name} {len(calls)}", slug=f"{name}-{len(calls)}")
            if len(calls) <= failures:
                raise error("injected")
            return len(calls)

        run = answer(attempts)(work)
        try:
            if nested:
                with transaction.atomic():
                    result = run(name="proof")
            else:
                result = run(name="proof")
        except Exception as raised:
            result = type(raised).__name__
        left = list(Genre.objects.filter(slug__startswith="proof-").order_by("slug").values_list("slug", flat=True))
        Genre.objects.filter(slug__startswith="proof-").delete()
        return [result, len(calls), left]

    return {
        "no failure": attempt(0, OperationalError),
        "one failure": attempt(1, OperationalError),
        "two failures": attempt(2, OperationalError),
        "always": attempt(9, OperationalError),
        "another error": attempt(1, ValueError),
        "a broken constraint": attempt(1, IntegrityError),
        "one attempt": attempt(1, OperationalError, attempts=1),
        "inside of atomic": attempt(1, OperationalError, nested=True),
    }

# %% exercise="14.6" role="alternative" note="All attempts but the last may fail in silence; the last one is called plainly. No counter to compare."
def retried(attempts):
    def decorate(function):
        function = transaction.atomic(durable=True)(function)

        @wraps(function)
        def run(*args, **kwargs):
            for spare in range(attempts - 1):
                try:
                    return function(*args, **kwargs)
                except OperationalError:
                    continue
            return function(*args, **kwargs)

        return run

    return decorate

# %% exercise="14.6" role="mistake" says="The block is around the loop: what the failed attempts wrote is committed with the last one. Each attempt needs a transaction of its own."
def retried(attempts):
    def decorate(function):
        @wraps(function)
        @transaction.atomic(durable=True)
        def run(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    return function(*args, **kwargs)
                except OperationalError:
                    if attempt == attempts:
                        raise

        return run

    return decorate

# %% exercise="14.6" role="mistake" says="When the attempts are used up you return `None`, and the caller takes it for success. Raise the last error."
def retried(attempts):
    def decorate(function):
        @wraps(function)
        def run(*args, **kwargs):
            for attempt in range(attempts):
                try:
                    with transaction.atomic(durable=True):
                        return function(*args, **kwargs)
                except OperationalError:
                    continue

        return run

    return decorate

# %% exercise="14.6" role="mistake" says="An error that is no conflict will be there again the next time. Catch `OperationalError` alone."
def retried(attempts):
    def decorate(function):
        @wraps(function)
        def run(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    with transaction.atomic(durable=True):
                        return function(*args, **kwargs)
                except Exception:
                    if attempt == attempts:
                        raise

        return run

    return decorate

# %% exercise="14.6" role="mistake" says="Inside of another transaction you repeat a part of it, on data that were read before. A part cannot be done again: refuse with `durable=True`."
def retried(attempts):
    def decorate(function):
        @wraps(function)
        def run(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    with transaction.atomic():
                        return function(*args, **kwargs)
                except OperationalError:
                    if attempt == attempts:
                        raise

        return run

    return decorate

# %% exercise="14.6" role="mistake" says="`DatabaseError` is the parent of all errors of the database. A broken constraint will be broken the next time too: catch `OperationalError`."
def retried(attempts):
    from django.db import DatabaseError

    def decorate(function):
        @wraps(function)
        def run(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    with transaction.atomic(durable=True):
                        return function(*args, **kwargs)
                except DatabaseError:
                    if attempt == attempts:
                        raise

        return run

    return decorate

# %% exercise="14.6" role="hint"
# Loop, then `try`, then the block: in this order from the outside.
# %% exercise="14.6" role="hint"
# `with transaction.atomic(durable=True): return function(*args, **kwargs)`

# %% [markdown] exercise="14.7"
# ### 14.7 Sell without a lock
#
# Sell `copies` of a book if there are so many: `True`, or else `False` and nothing changes. A missing stock is `False` too.
# **One** query, right however many sell at once.

# %% exercise="14.7" role="answer" budget=1
def sell(book, copies):
    # solution
    enough = Stock.objects.filter(pk=book, quantity__gte=copies)
    return bool(enough.update(quantity=F("quantity") - copies))
    # end


check("14.7")

# %% exercise="14.7" role="check"
def observe(answer):
    with uncounted():
        first = Stock.objects.order_by("pk").values_list("pk", flat=True)[0]
        Stock.objects.filter(pk=first).update(quantity=5)
    # The budget is for one sale.
    seen = {"3 of 5": answer(first, 3)}

    def call(book, copies):
        try:
            result = answer(book, copies)
        except IntegrityError:
            result = "IntegrityError"
        return result, Stock.objects.get(pk=first).quantity

    with uncounted():
        seen["then 3 of 2"] = call(first, 3)
        seen["then 2 of 2"] = call(first, 2)
        seen["then 1 of 0"] = call(first, 1)
        seen["a book without stock"] = call(99_999, 1)
    return seen

# %% exercise="14.7" role="alternative" note="The condition as an excluded case. Here it says the same, since `quantity` is never NULL."
def sell(book, copies):
    stock = Stock.objects.exclude(quantity__lt=copies).filter(pk=book)
    return stock.update(quantity=F("quantity") - copies) == 1

# %% exercise="14.7" role="alternative" note="Leaves the decision to the check constraint. Inside of somebody's `atomic()` the update needs one of its own, else its error breaks the whole transaction."
def sell(book, copies):
    try:
        return Stock.objects.filter(pk=book).update(quantity=F("quantity") - copies) == 1
    except IntegrityError:
        return False

# %% exercise="14.7" role="mistake" says="You read, decide and write. Two queries, and somebody may buy in between: a lost update. Put the condition into the update."
def sell(book, copies):
    stock = Stock.objects.filter(pk=book).first()
    if stock is None or stock.quantity < copies:
        return False
    stock.quantity -= copies
    stock.save()
    return True

# %% exercise="14.7" role="mistake" says="Without a condition the update goes below zero, and the check constraint raises `IntegrityError`. Filter by `quantity__gte`."
def sell(book, copies):
    return bool(Stock.objects.filter(pk=book).update(quantity=F("quantity") - copies))

# %% exercise="14.7" role="mistake" says="The last copies can be sold too: as many as there are is enough."
def sell(book, copies):
    return bool(Stock.objects.filter(pk=book, quantity__gt=copies).update(quantity=F("quantity") - copies))

# %% exercise="14.7" role="mistake" says="`update()` tells how many rows it changed. Whoever ignores it sells what is not there."
def sell(book, copies):
    Stock.objects.filter(pk=book, quantity__gte=copies).update(quantity=F("quantity") - copies)
    return True

# %% exercise="14.7" role="hint"
# The condition and the change can go in the same statement.
# %% exercise="14.7" role="hint"
# `filter(pk=book, quantity__gte=copies).update(…)` returns 1 or 0.

# %% [markdown] exercise="14.8"
# ### 14.8 Was somebody faster?
#
# Set the stock of a book to `compute(old)`, where `old` is its quantity, without a lock: if another one changed it since
# you read it, read and compute again, up to five times in all, then raise `OperationalError`. Return the new quantity. The
# quantity itself serves as the version.

# %% exercise="14.8" role="answer"
def recount(book, compute):
    # solution
    for attempt in range(5):
        old = Stock.objects.get(pk=book).quantity
        new = compute(old)
        if Stock.objects.filter(pk=book, quantity=old).update(quantity=new):
            return new
    raise OperationalError("Too many others change this stock.")
    # end


check("14.8")

# %% exercise="14.8" role="check"
def observe(answer):
    first = Stock.objects.order_by("pk").values_list("pk", flat=True)[0]
    shelf = Stock.objects.filter(pk=first)
    calls = []

    def outcome(compute):
        calls.clear()
        try:
            result = answer(first, compute)
        except OperationalError:
            result = "OperationalError"
        return {"result": result, "computed from": tuple(calls[:9]), "in the end": shelf.get().quantity}

    def with_others(number):
        def compute(old):
            calls.append(old)
            if len(calls) <= number:
                shelf.update(quantity=F("quantity") + 1)
            return old * 2

        shelf.update(quantity=10)
        return outcome(compute)

    def double(old):
        calls.append(old)
        return old * 2

    pushed = []

    def push_in(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not pushed:
            pushed.append(sql)
            shelf.update(quantity=F("quantity") + 1)
        return execute(sql, params, many, context)

    seen = {f"{number} times another one, while you compute": with_others(number) for number in (0, 1, 4, 5)}
    shelf.update(quantity=10)
    with connection.execute_wrapper(push_in):
        seen["another one, right before you write"] = outcome(double)
    return seen

# %% exercise="14.8" role="alternative" note="Reads one column instead of an object. With a separate version column the condition would also notice a change there and back."
def recount(book, compute):
    stock = Stock.objects.filter(pk=book)
    for attempt in range(5):
        old = stock.values_list("quantity", flat=True).get()
        new = compute(old)
        if stock.filter(quantity=old).update(quantity=new) == 1:
            return new
    raise OperationalError("Too many others change this stock.")

# %% exercise="14.8" role="mistake" says="`save()` writes over what another one did in the meantime. Make the update conditional: `filter(pk=…, quantity=old)`."
def recount(book, compute):
    stock = Stock.objects.get(pk=book)
    stock.quantity = compute(stock.quantity)
    stock.save()
    return stock.quantity

# %% exercise="14.8" role="mistake" says="You read once, outside of the loop: after the first conflict every attempt compares with the same old number and fails."
def recount(book, compute):
    old = Stock.objects.get(pk=book).quantity
    for attempt in range(5):
        new = compute(old)
        if Stock.objects.filter(pk=book, quantity=old).update(quantity=new):
            return new
    raise OperationalError("Too many others change this stock.")

# %% exercise="14.8" role="mistake" says="When all attempts failed you return as if it had worked. Raise."
def recount(book, compute):
    for attempt in range(5):
        old = Stock.objects.get(pk=book).quantity
        new = compute(old)
        if Stock.objects.filter(pk=book, quantity=old).update(quantity=new):
            break
    return new

# %% exercise="14.8" role="mistake" says="Four attempts, not five."
def recount(book, compute):
    for attempt in range(4):
        old = Stock.objects.get(pk=book).quantity
        new = compute(old)
        if Stock.objects.filter(pk=book, quantity=old).update(quantity=new):
            return new
    raise OperationalError("Too many others change this stock.")

# %% exercise="14.8" role="mistake" says="You look once more before you write, and between that look and the write there is room for another one. Compare in the statement that writes."
def recount(book, compute):
    for attempt in range(5):
        stock = Stock.objects.get(pk=book)
        new = compute(stock.quantity)
        if Stock.objects.get(pk=book).quantity == stock.quantity:
            stock.quantity = new
            stock.save()
            return new
    raise OperationalError("Too many others change this stock.")

# %% exercise="14.8" role="hint"
# The update must find the row only if it is as you read it.
# %% exercise="14.8" role="hint"
# `filter(pk=book, quantity=old).update(quantity=new)`: 0 rows means that somebody was faster.

# %% [markdown] exercise="14.9"
# ### 14.9 Lock in one order
#
# Return a queryset of the `Stock` of these books, each with its `book` in the same query, that locks **only** the stock,
# waits for it, and always takes the lower key first, so that two sales cannot wait for each other. The check compiles it for
# PostgreSQL, without a server.

# %% exercise="14.9" role="answer"
def locked(books):
    # solution
    stocks = Stock.objects.filter(pk__in=books).select_related("book")
    return stocks.select_for_update(of=("self",)).order_by("pk")
    # end


check("14.9")

# %% exercise="14.9" role="check"
def observe(answer):
    from django.db.utils import ConnectionHandler

    place = {"ENGINE": "django.db.backends.postgresql", "NAME": "compiled"}
    postgresql = ConnectionHandler({"default": {}, "compiled": place})["compiled"]
    # There is no server: let the compiler believe that a transaction is open.
    postgresql.get_autocommit = lambda: False
    stocks = answer([6, 4, 5])
    sql, params = stocks.query.get_compiler(connection=postgresql).as_sql()
    query, _, lock = sql.partition(" FOR ")
    return {
        # FOR NO KEY UPDATE is as good: nobody changes the key of a stock.
        "locked": lock.replace("NO KEY ", ""),
        "in the order of": query.partition(" ORDER BY ")[2],
        "the book in the same query": '"catalog_book"."title"' in query,
        "keys": [stock.pk for stock in stocks],
        "keys of two": [stock.pk for stock in answer([5, 6])],
    }

# %% exercise="14.9" role="alternative" note="The lookup by the relation is the same column, and so is the order by `book_id`."
def locked(books):
    stocks = Stock.objects.select_for_update(of=("self",)).select_related("book")
    return stocks.filter(book__in=books).order_by("book_id")

# %% exercise="14.9" role="alternative" note="The weaker lock, `FOR NO KEY UPDATE`: rows that refer to the stock can still be inserted by others. Enough whenever the key stays as it is; on PostgreSQL alone."
def locked(books):
    stocks = Stock.objects.select_for_update(of=("self",), no_key=True)
    return stocks.filter(pk__in=books).select_related("book").order_by("pk")

# %% exercise="14.9" role="mistake" says="Without `of` the join locks the books as well, and whoever edits a description waits for a sale."
def locked(books):
    return Stock.objects.filter(pk__in=books).select_related("book").select_for_update().order_by("pk")

# %% exercise="14.9" role="mistake" says="Without an order the database locks the rows as it finds them, and two sales may find them differently: a deadlock. `order_by(\"pk\")`."
def locked(books):
    return Stock.objects.filter(pk__in=books).select_related("book").select_for_update(of=("self",))

# %% exercise="14.9" role="mistake" says="`of=(\"book\",)` locks the other table, and leaves the stock free."
def locked(books):
    return Stock.objects.filter(pk__in=books).select_related("book").select_for_update(of=("book",)).order_by("pk")

# %% exercise="14.9" role="mistake" says="`skip_locked` leaves out the rows that somebody else sells just now, as if they did not exist. Here you have to wait for them."
def locked(books):
    stocks = Stock.objects.filter(pk__in=books).select_related("book").order_by("pk")
    return stocks.select_for_update(of=("self",), skip_locked=True)

# %% exercise="14.9" role="mistake" says="Sorting the keys in Python sorts the list of `IN`, not the rows. `order_by(\"pk\")`; and `nowait` raises an error, where you should wait."
def locked(books):
    stocks = Stock.objects.filter(pk__in=sorted(books)).select_related("book")
    return stocks.select_for_update(of=("self",), nowait=True)

# %% exercise="14.9" role="mistake" says="Ordered by `book`, the rows come in the order of the books' titles: `Meta.ordering` of the related model decides. Name the key."
def locked(books):
    return Stock.objects.filter(pk__in=books).select_related("book").select_for_update(of=("self",)).order_by("book")

# %% exercise="14.9" role="hint"
# `of` names the model itself with a special word.
# %% exercise="14.9" role="hint"
# `select_for_update(of=("self",))`, and an order that all of your code shares.

# %% [markdown] exercise="14.10"
# ### 14.10 A table as a queue
#
# Several people pack. Return a queryset of the next `number` orders to pack: paid, the oldest first (of two at the same
# moment the lower key), locked, without waiting for those that another one has in hand. Again it is compiled for
# PostgreSQL, and its rows are read here.

# %% exercise="14.10" role="answer" ordered=true
def next_to_pack(number):
    # solution
    paid = Order.objects.filter(status="paid").order_by("placed_at", "pk")
    return paid.select_for_update(skip_locked=True)[:number]
    # end


check("14.10")

# %% exercise="14.10" role="check"
def observe(answer):
    from django.db.utils import ConnectionHandler

    place = {"ENGINE": "django.db.backends.postgresql", "NAME": "compiled"}
    postgresql = ConnectionHandler({"default": {}, "compiled": place})["compiled"]
    # There is no server: let the compiler believe that a transaction is open.
    postgresql.get_autocommit = lambda: False
    latest = list(Order.objects.order_by("-pk")[:3])
    Order.objects.filter(pk__in=[order.pk for order in latest]).update(status="paid", placed_at="2001-01-01T12:00Z")
    orders = answer(3)
    sql, params = orders.query.get_compiler(connection=postgresql).as_sql()
    query, _, lock = sql.partition(" FOR ")
    return {
        "locks": "UPDATE" in lock,
        "waits": bool(lock) and "SKIP LOCKED" not in lock and "NOWAIT" not in lock,
        "passes over locked orders": "SKIP LOCKED" in lock,
        "the key decides between two of the same moment": '"id"' in query.partition(" ORDER BY ")[2],
        "next 3": [order.number for order in orders],
        "next 5": [order.number for order in answer(5)],
    }

# %% exercise="14.10" role="alternative" note="Only the key is read, and the lock is on the row all the same. `only` is worth it where rows are wide."
def next_to_pack(number):
    orders = Order.objects.select_for_update(skip_locked=True).only("number")
    return orders.filter(status=Order.Status.PAID).order_by("placed_at", "pk")[:number]

# %% exercise="14.10" role="mistake" says="The second packer waits until the first has finished, though other orders are free. Skip the locked rows."
def next_to_pack(number):
    return Order.objects.filter(status="paid").order_by("placed_at", "pk").select_for_update()[:number]

# %% exercise="14.10" role="mistake" says="`nowait` raises an error while other orders are free. A queue passes over the locked ones: `skip_locked`."
def next_to_pack(number):
    return Order.objects.filter(status="paid").order_by("placed_at", "pk").select_for_update(nowait=True)[:number]

# %% exercise="14.10" role="mistake" says="Nothing is locked: two packers read the same orders, and both pack them."
def next_to_pack(number):
    return Order.objects.filter(status="paid").order_by("placed_at", "pk")[:number]

# %% exercise="14.10" role="mistake" says="Orders are sorted newest first by their model. The oldest has waited longest: say the order yourself."
def next_to_pack(number):
    return Order.objects.filter(status="paid").select_for_update(skip_locked=True)[:number]

# %% exercise="14.10" role="mistake" says="Of two orders at the same moment, either may come first, and differently each time. Add the key to the order."
def next_to_pack(number):
    return Order.objects.filter(status="paid").order_by("placed_at").select_for_update(skip_locked=True)[:number]

# %% exercise="14.10" role="hint"
# An option of `select_for_update` leaves out what is locked.
# %% exercise="14.10" role="hint"
# `select_for_update(skip_locked=True)[:number]`

# %% [markdown] exercise="14.11"
# ### 14.11 Size the pool
#
# Return a copy of the settings of a PostgreSQL database with a pool for each of `processes` processes of `threads` threads,
# as large as it can be: no larger than its threads need, and all together at most `limit` connections. If not even one is
# left for each, raise `ValueError`. `min_size` is 1. Other options stay, and the argument is not changed.

# %% exercise="14.11" role="answer"
def pooled(database, processes, threads, limit):
    # solution
    size = min(threads, limit // processes)
    if size < 1:
        raise ValueError("Put PgBouncer in front: there are more processes than connections.")
    options = {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": size}}
    return {**database, "CONN_MAX_AGE": 0, "OPTIONS": options}
    # end


check("14.11")

# %% exercise="14.11" role="check"
def observe(answer):
    def call(database, *numbers):
        before = deepcopy(database)
        try:
            # 0 is the default: with or without it, the settings are the same.
            result = {"CONN_MAX_AGE": 0} | answer(database, *numbers)
        except ValueError:
            result = "ValueError"
        return {"settings": result, "the argument is as before": database == before}

    shop = {"NAME": "shop", "CONN_MAX_AGE": 60, "OPTIONS": {"application_name": "shop"}}
    return {
        "4 processes of 8 threads within 90": call(shop, 4, 8, 90),
        "12 processes of 8 threads within 90": call({"NAME": "shop", "CONN_MAX_AGE": None, "OPTIONS": {}}, 12, 8, 90),
        "3 processes of 8 threads within 3": call({"NAME": "shop"}, 3, 8, 3),
        "4 processes of 8 threads within 3": call({"NAME": "shop"}, 4, 8, 3),
    }

# %% exercise="14.11" role="alternative" note="A deep copy may be changed freely. Longer, and safe when more nested settings follow."
def pooled(database, processes, threads, limit):
    if processes > limit:
        raise ValueError("There are more processes than connections.")
    result = deepcopy(database)
    result["CONN_MAX_AGE"] = 0
    result.setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": min(threads, limit // processes)}
    return result

# %% exercise="14.11" role="mistake" says="`CONN_MAX_AGE` stays, and Django refuses: pooling does not support persistent connections. Set it to 0."
def pooled(database, processes, threads, limit):
    size = min(threads, limit // processes)
    if size < 1:
        raise ValueError
    return {**database, "OPTIONS": {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": size}}}

# %% exercise="14.11" role="mistake" says="A pool belongs to one process. You gave each the whole limit; together they take it once per process."
def pooled(database, processes, threads, limit):
    if limit < processes:
        raise ValueError
    options = {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": min(threads, limit)}}
    return {**database, "CONN_MAX_AGE": 0, "OPTIONS": options}

# %% exercise="14.11" role="mistake" says="You changed the dictionary inside the argument: a shallow copy shares its `OPTIONS`."
def pooled(database, processes, threads, limit):
    size = min(threads, limit // processes)
    if size < 1:
        raise ValueError
    result = {"OPTIONS": {}, **database, "CONN_MAX_AGE": 0}
    result["OPTIONS"]["pool"] = {"min_size": 1, "max_size": size}
    return result

# %% exercise="14.11" role="mistake" says="A pool larger than the threads of its process holds connections that nobody can use."
def pooled(database, processes, threads, limit):
    size = limit // processes
    if size < 1:
        raise ValueError
    options = {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": size}}
    return {**database, "CONN_MAX_AGE": 0, "OPTIONS": options}

# %% exercise="14.11" role="hint"
# Two limits at once: `min(threads, limit // processes)`.
# %% exercise="14.11" role="hint"
# `OPTIONS["pool"]` takes `min_size` and `max_size`; `CONN_MAX_AGE` has to be 0.
