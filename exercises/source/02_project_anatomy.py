# %%
from checks import check, hint, solution
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from decimal import Decimal
from io import StringIO
from pathlib import Path

import catalog
from catalog.models import Book, Genre
from django.apps import AppConfig, apps
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

# %% [markdown] exercise="02.1"
# ### 02.1 What an app begins with
#
# Make an app named `name` with Django's own command, in the current folder, and return the sorted paths of its Python files, from
# the folder of the app on, with forward slashes: `"migrations/__init__.py"`.

# %% exercise="02.1" role="answer" ordered=true calls=[["books"], ["loans"]]
def files_of_a_new_app(name):
    # solution
    call_command("startapp", name)
    folder = Path(name)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    # end


check("02.1")

# %% exercise="02.1" role="alternative" note="Django's template for apps, read where it is: no file is written. It rests on where Django keeps it, which nobody promises."
def files_of_a_new_app(name):
    import django

    template = Path(django.__file__).parent / "conf" / "app_template"
    return sorted(path.relative_to(template).as_posix().removesuffix("-tpl") for path in template.rglob("*.py-tpl"))

# %% exercise="02.1" role="mistake" says="`urls.py` is missing in a new app: `startapp` makes none. Ask Django instead of memory."
def files_of_a_new_app(name):
    return ["__init__.py", "admin.py", "apps.py", "migrations/__init__.py", "models.py", "tests.py", "urls.py", "views.py"]

# %% exercise="02.1" role="mistake" says="`glob` stays in the folder itself, so the package `migrations` is left out. `rglob` goes down."
def files_of_a_new_app(name):
    call_command("startapp", name)
    folder = Path(name)
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*.py"))

# %% exercise="02.1" role="mistake" says="These are the files of a project. An app comes from `startapp`."
def files_of_a_new_app(name):
    call_command("startproject", name)
    folder = Path(name)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))

# %% exercise="02.1" role="hint"
# `call_command("startapp", name)` does what `manage.py startapp` does, in this process.
# %% exercise="02.1" role="hint"
# `Path.rglob("*.py")` finds the files, `relative_to(folder).as_posix()` cuts the front off.

# %% [markdown] exercise="02.2"
# ### 02.2 What `manage.py` decides
#
# `manage.py` names the settings before it does anything else. Write that step: put `module` into `environ` (a dictionary such as
# `os.environ`) under Django's name for it, unless somebody has chosen already, and return the module that holds then. An empty text was
# chosen by nobody who meant it: Django would fail, so `module` takes its place.

# %% exercise="02.2" role="check"
def observe(answer):
    seen = []
    for environ in ({}, {"DJANGO_SETTINGS_MODULE": "shop.production"}, {"DJANGO_SETTINGS_MODULE": ""}, {"PATH": "/bin"}):
        seen.append((answer(environ, "mysite.settings"), sorted(environ.items())))
    return seen

# %% exercise="02.2" role="answer"
def choose_settings(environ, module):
    # solution
    if not environ.get("DJANGO_SETTINGS_MODULE"):
        environ["DJANGO_SETTINGS_MODULE"] = module
    return environ["DJANGO_SETTINGS_MODULE"]
    # end


check("02.2")

# %% exercise="02.2" role="alternative" note="The same in one expression. Shorter, and it writes the variable even where nothing changes."
def choose_settings(environ, module):
    environ["DJANGO_SETTINGS_MODULE"] = environ.get("DJANGO_SETTINGS_MODULE") or module
    return environ["DJANGO_SETTINGS_MODULE"]

# %% exercise="02.2" role="mistake" says="An assignment overrules what the server's environment says: production would run with these settings. Write only where nothing was chosen."
def choose_settings(environ, module):
    environ["DJANGO_SETTINGS_MODULE"] = module
    return environ["DJANGO_SETTINGS_MODULE"]

# %% exercise="02.2" role="mistake" says="`setdefault` is what `manage.py` has, and it keeps an empty text: the variable is there. Here an empty one counts as none."
def choose_settings(environ, module):
    return environ.setdefault("DJANGO_SETTINGS_MODULE", module)

# %% exercise="02.2" role="mistake" says="The right module is returned, and the environment does not know it: Django reads the variable, not this function."
def choose_settings(environ, module):
    return environ.get("DJANGO_SETTINGS_MODULE") or module

# %% exercise="02.2" role="mistake" says="The variable is called `DJANGO_SETTINGS_MODULE`; Django reads no other."
def choose_settings(environ, module):
    if not environ.get("SETTINGS_MODULE"):
        environ["SETTINGS_MODULE"] = module
    return environ["SETTINGS_MODULE"]

# %% exercise="02.2" role="hint"
# `manage.py` in a new project has `os.environ.setdefault(…)`. What would that do with an empty text?
# %% exercise="02.2" role="hint"
# `environ.get(name)` is false for a missing variable and for an empty one.

# %% [markdown] exercise="02.3"
# ### 02.3 An app with its own label
#
# Write an `AppConfig` for the package `catalog` with the label `lent_books` and the title "Lent books". When the app is ready, the receiver `greet`
# hears the signal `opened`. Somebody may call `ready()` twice (tests do): the receiver must still be called once per signal. `greet` appends
# the `door` that the signal brings to the list `greeted`.

# %% exercise="02.3" role="check"
def observe(answer):
    config = answer.LentBooksConfig("catalog", catalog)
    answer.opened.send(sender=None, door="before")
    config.ready()
    config.ready()
    answer.opened.send(sender=None, door="front")
    answer.opened.send(sender=None, door="back")
    return [config.name, config.label, str(config.verbose_name), list(answer.greeted)]

# %% exercise="02.3" role="answer"
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


class LentBooksConfig(AppConfig):
    # solution
    name = "catalog"
    label = "lent_books"
    verbose_name = "Lent books"

    def ready(self):
        opened.connect(greet, dispatch_uid="greet who opens a door")
    # end


check("02.3")

# %% exercise="02.3" role="alternative" note="The same function connected twice is one receiver, because Django tells receivers apart by their identity. A `dispatch_uid` is safer where the module could be imported under two names."
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


class LentBooksConfig(AppConfig):
    name = "catalog"
    label = "lent_books"
    verbose_name = "Lent books"

    def ready(self):
        opened.connect(greet)

# %% exercise="02.3" role="mistake" says="The receiver is called before the app is ready: connecting at import happens whether or not the app is installed. Connect in `ready()`."
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


opened.connect(greet)


class LentBooksConfig(AppConfig):
    name = "catalog"
    label = "lent_books"
    verbose_name = "Lent books"

# %% exercise="02.3" role="mistake" says="A function made inside `ready` is held weakly by the signal and gone when `ready` returns: nobody hears anything. Connect one that lives in the module."
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


class LentBooksConfig(AppConfig):
    name = "catalog"
    label = "lent_books"
    verbose_name = "Lent books"

    def ready(self):
        def hear(**kwargs):
            greet(**kwargs)

        opened.connect(hear)

# %% exercise="02.3" role="mistake" says="`weak=False` with a function made anew in each `ready` connects two receivers: every door is greeted twice. Connect one function, or give a `dispatch_uid`."
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


class LentBooksConfig(AppConfig):
    name = "catalog"
    label = "lent_books"
    verbose_name = "Lent books"

    def ready(self):
        opened.connect(lambda **kwargs: greet(**kwargs), weak=False)

# %% exercise="02.3" role="mistake" says="`name` is the path of the package and has to stay `catalog`; the short name for tables is `label`."
opened = Signal()
greeted = []


def greet(door, **kwargs):
    greeted.append(door)


class LentBooksConfig(AppConfig):
    name = "lent_books"
    verbose_name = "Lent books"

    def ready(self):
        opened.connect(greet)

    def __init__(self, app_name, app_module):
        super().__init__("lent_books", app_module)

# %% exercise="02.3" role="hint"
# `name`, `label` and `verbose_name` are attributes of the class.
# %% exercise="02.3" role="hint"
# Connecting the same function again changes nothing. A function made in `ready()` is another one each time.

# %% [markdown] exercise="02.4"
# ### 02.4 A command that answers
#
# Write a `Command` that prints how many books a genre has, as `Satire: 31`. It takes the genre's slug, and `--in-print` to count only
# books in print. A slug that no genre has is a mistake of the user: `CommandError`. Write to the command's own output, so that a test can
# read it.

# %% exercise="02.4" role="check"
def observe(answer):
    seen = []
    for arguments in (["satire"], ["satire", "--in-print"], ["social-novel", "--in-print"], ["cookery"], ["nothing"]):
        printed = StringIO()
        try:
            call_command(answer(), *arguments, stdout=printed)
            seen.append((arguments, printed.getvalue().strip()))
        except CommandError:
            seen.append((arguments, "CommandError"))
    return seen

# %% exercise="02.4" role="answer"
class Command(BaseCommand):
    # solution
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true")

    def handle(self, *, slug, in_print, **options):
        genre = Genre.objects.filter(slug=slug).first()
        if genre is None:
            raise CommandError(f"There is no genre {slug!r}.")
        books = genre.books.in_print() if in_print else genre.books
        self.stdout.write(f"{genre.name}: {books.count()}")
    # end


check("02.4")

# %% exercise="02.4" role="alternative" note="Returning the text from `handle` prints it as well. Good for a command with one result; `self.stdout.write` is the way for more."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true", dest="in_print")

    def handle(self, *args, **options):
        try:
            genre = Genre.objects.get(slug=options["slug"])
        except Genre.DoesNotExist:
            raise CommandError("No such genre.") from None
        books = Book.objects.filter(genres=genre)
        if options["in_print"]:
            books = books.in_print()
        return f"{genre.name}: {books.count()}"

# %% exercise="02.4" role="mistake" says="`print` goes to the terminal, whoever called: a test with `stdout=` reads nothing. Write to `self.stdout`."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true")

    def handle(self, *, slug, in_print, **options):
        genre = Genre.objects.filter(slug=slug).first()
        if genre is None:
            raise CommandError(f"There is no genre {slug!r}.")
        books = genre.books.in_print() if in_print else genre.books
        print(f"{genre.name}: {books.count()}")

# %% exercise="02.4" role="mistake" says="A slug that nobody has ends in a traceback of `DoesNotExist`. What the user can mend is a `CommandError`: one line, status 1."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true")

    def handle(self, *, slug, in_print, **options):
        genre = Genre.objects.get(slug=slug)
        books = genre.books.in_print() if in_print else genre.books
        self.stdout.write(f"{genre.name}: {books.count()}")

# %% exercise="02.4" role="mistake" says="An unknown genre is reported and the command ends well, with status 0: a script that calls it would go on. Raise `CommandError`."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true")

    def handle(self, *, slug, in_print, **options):
        genre = Genre.objects.filter(slug=slug).first()
        if genre is None:
            self.stdout.write(f"There is no genre {slug!r}.")
            return
        books = genre.books.in_print() if in_print else genre.books
        self.stdout.write(f"{genre.name}: {books.count()}")

# %% exercise="02.4" role="mistake" says="`--in-print` is read and not used: both counts are the same."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("slug")
        parser.add_argument("--in-print", action="store_true")

    def handle(self, *, slug, in_print, **options):
        genre = Genre.objects.filter(slug=slug).first()
        if genre is None:
            raise CommandError(f"There is no genre {slug!r}.")
        self.stdout.write(f"{genre.name}: {genre.books.count()}")

# %% exercise="02.4" role="hint"
# `add_arguments(self, parser)` gets a parser of `argparse`; what it read comes to `handle` as keyword arguments.
# %% exercise="02.4" role="hint"
# `parser.add_argument("--in-print", action="store_true")` gives `in_print`.

# %% [markdown] exercise="02.5"
# ### 02.5 A command that changes, or only says so
#
# Write a `Command` that takes a number `percent` (from 1 to 50, else `CommandError`), lowers the price of every book in print by so much, and
# prints `160 prices`. With the flag `--dry-run` it prints the same and changes nothing. Either all prices change or none.

# %% exercise="02.5" role="check"
def observe(answer):
    seen = []
    prices = Book.objects.order_by("pk").values_list("price", flat=True)
    for arguments in (["10", "--dry-run"], ["10"], ["0"], ["51"], ["1", "--dry-run"], ["50"]):
        with uncounted():
            before = list(prices.all())
        printed = StringIO()
        try:
            call_command(answer(), *arguments, stdout=printed)
            seen.append((arguments, printed.getvalue().strip()))
        except CommandError:
            seen.append((arguments, "CommandError"))
        with uncounted():
            # Databases round a half of a cent up or down: of small prices too much for a comparison.
            seen.append([round(float(new / old), 2) if old > 3 else "" for new, old in zip(prices.all(), before, strict=True)])
    return seen

# %% exercise="02.5" role="answer" budget=12
class Command(BaseCommand):
    # solution
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if not 1 <= percent <= 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        books = Book.objects.in_print()
        if dry_run:
            count = books.count()
        else:
            count = books.update(price=F("price") * (Decimal(100 - percent) / 100))
        self.stdout.write(f"{count} prices")
    # end


check("02.5")

# %% exercise="02.5" role="alternative" note="The change is made and taken back: the dry run goes through everything, constraints included. It locks what the real run would lock."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if percent < 1 or percent > 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        with transaction.atomic():
            count = Book.objects.in_print().update(price=F("price") * (Decimal(100 - percent) / 100))
            if dry_run:
                transaction.set_rollback(True)
        self.stdout.write(f"{count} prices")

# %% exercise="02.5" role="mistake" says="`--dry-run` changes the prices all the same."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if not 1 <= percent <= 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        count = Book.objects.in_print().update(price=F("price") * (Decimal(100 - percent) / 100))
        self.stdout.write(f"{count} prices")

# %% exercise="02.5" role="mistake" says="One query per book, and when it stops half-way, half of the prices have changed. One `update` with `F(\"price\")` does it in the database."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if not 1 <= percent <= 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        books = list(Book.objects.in_print())
        for book in [] if dry_run else books:
            book.price = book.price * (100 - percent) / Decimal(100)
            book.save(update_fields=["price"])
        self.stdout.write(f"{len(books)} prices")

# %% exercise="02.5" role="mistake" says="SQLite keeps a price of 9.00 as the whole number 9, and `9 * 90 / 100` is cut to 8. Divide in Python, `Decimal(100 - percent) / 100`, and multiply in the database."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if not 1 <= percent <= 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        books = Book.objects.in_print()
        count = books.count() if dry_run else books.update(price=F("price") * (100 - percent) / 100)
        self.stdout.write(f"{count} prices")

# %% exercise="02.5" role="mistake" says="Books that are out of print have new prices too."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        if not 1 <= percent <= 50:
            raise CommandError("percent is a whole number from 1 to 50.")
        books = Book.objects.all()
        count = books.count() if dry_run else books.update(price=F("price") * (Decimal(100 - percent) / 100))
        self.stdout.write(f"{count} prices")

# %% exercise="02.5" role="mistake" says="0 and 51 are taken. Check the limits before anything is written, and raise `CommandError`."
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("percent", type=int)
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *, percent, dry_run, **options):
        books = Book.objects.in_print()
        count = books.count() if dry_run else books.update(price=F("price") * (Decimal(100 - percent) / 100))
        self.stdout.write(f"{count} prices")

# %% exercise="02.5" role="hint"
# One `update()` changes all rows in one statement, and returns how many there were.
# %% exercise="02.5" role="hint"
# `F("price") * (Decimal(100 - percent) / 100)` is computed by the database. Whole numbers alone will not do: SQLite divides
# a whole price by a whole number as whole numbers.

# %% [markdown] exercise="02.6"
# ### 02.6 Testing a command
#
# Write `run(command, *arguments)` for tests: it runs a command object and returns `(output, error)`, where `output` is what the command wrote and
# `error` the text of its `CommandError`, or `""`. Nothing reaches the terminal, and no other exception is swallowed.

# %% exercise="02.6" role="check"
class Greeting(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("name")

    def handle(self, *, name, **options):
        if name == "nobody":
            self.stdout.write("before")
            raise CommandError("Nobody is not a name.")
        if name == "broken":
            raise KeyError(name)
        self.stdout.write(f"Good morning, {name}")


def observe(answer):
    seen = [answer(Greeting(), "Emma"), answer(Greeting(), "nobody")]
    try:
        seen.append(answer(Greeting(), "broken"))
    except KeyError:
        seen.append("KeyError")
    return seen

# %% exercise="02.6" role="answer"
def run(command, *arguments):
    # solution
    output = StringIO()
    try:
        call_command(command, *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""
    # end


check("02.6")

# %% exercise="02.6" role="alternative" note="With a variable for the error, there is one way out of the function. A matter of taste."
def run(command, *arguments):
    output, message = StringIO(), ""
    try:
        call_command(command, *arguments, stdout=output, stderr=StringIO())
    except CommandError as error:
        message = str(error)
    return output.getvalue(), message

# %% exercise="02.6" role="mistake" says="`except Exception` hides a bug of the command behind an empty error: a `KeyError` must reach the test. Catch `CommandError`."
def run(command, *arguments):
    output = StringIO()
    try:
        call_command(command, *arguments, stdout=output)
    except Exception as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""

# %% exercise="02.6" role="mistake" says="`call_command` raises `CommandError` and does not end the process: `SystemExit` comes from the command line only."
def run(command, *arguments):
    output = StringIO()
    try:
        call_command(command, *arguments, stdout=output)
    except SystemExit as error:
        return output.getvalue(), str(error)
    return output.getvalue(), ""

# %% exercise="02.6" role="mistake" says="What the command wrote before its error is lost. Read the output in both cases."
def run(command, *arguments):
    output = StringIO()
    try:
        call_command(command, *arguments, stdout=output)
    except CommandError as error:
        return "", str(error)
    return output.getvalue(), ""

# %% exercise="02.6" role="hint"
# `call_command(command, *arguments, stdout=…)` takes anything with a `write` method.
# %% exercise="02.6" role="hint"
# Catch `CommandError`, and nothing wider.

# %% [markdown] exercise="02.7"
# ### 02.7 Whose command is it?
#
# Return a dictionary from the label of each app to the sorted names of the commands that it brings, for all apps that bring one and are **not**
# Django's own.

# %% exercise="02.7" role="answer"
def commands_by_app():
    # solution
    found = {}
    for command, owner in get_commands().items():
        if not owner.startswith("django."):
            label = next(app.label for app in apps.get_app_configs() if app.name == owner)
            found.setdefault(label, []).append(command)
    return {label: sorted(names) for label, names in found.items()}
    # end


check("02.7")

# %% exercise="02.7" role="alternative" note="Asking each app for its modules finds commands that another app has replaced as well. `get_commands()` knows which one wins."
def commands_by_app():
    owners = get_commands()
    found = {
        app.label: sorted(name for name, owner in owners.items() if owner == app.name) for app in apps.get_app_configs()
    }
    own = {app.label for app in apps.get_app_configs() if not app.name.startswith("django.")}
    return {label: names for label, names in found.items() if names and label in own}

# %% exercise="02.7" role="mistake" says="Django's own apps are in it: `auth`, `sessions`, `staticfiles` and `contenttypes` bring commands too."
def commands_by_app():
    owners = get_commands()
    found = {
        app.label: sorted(name for name, owner in owners.items() if owner == app.name) for app in apps.get_app_configs()
    }
    return {label: names for label, names in found.items() if names}

# %% exercise="02.7" role="mistake" says="Apps without a command stand there with an empty list. Asked for are those that bring one."
def commands_by_app():
    owners = get_commands()
    return {
        app.label: sorted(name for name, owner in owners.items() if owner == app.name)
        for app in apps.get_app_configs()
        if not app.name.startswith("django.")
    }

# %% exercise="02.7" role="mistake" says="The dictionary goes from command to app. Asked for is the other way round."
def commands_by_app():
    return {name: owner for name, owner in get_commands().items() if not owner.startswith("django.")}

# %% exercise="02.7" role="hint"
# `get_commands()` gives each command's name with the name of the app that brings it.
# %% exercise="02.7" role="hint"
# Django's own apps, and Django itself, have names that begin with `django.`.
