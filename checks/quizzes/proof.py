"""Runs the code of quiz items on the bookshop: the proofs, and what a predict item prints.

The only part of the quizzes that knows Django, and only inside its functions: reading the bank needs none of it.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from checks.quizzes import bank
from checks.quizzes.item import Item

NAMES = {
    "django.core.exceptions": (
        "FieldError ImproperlyConfigured MultipleObjectsReturned ObjectDoesNotExist SynchronousOnlyOperation "
        "ValidationError"
    ),
    "django.db": (
        "DatabaseError IntegrityError OperationalError connection connections models reset_queries transaction"
    ),
    "django.db.models": (
        "Avg Case Count Exists ExpressionWrapper F FilteredRelation Func Max Min OuterRef Prefetch Q Subquery Sum "
        "Value When Window"
    ),
    "django.http": "Http404 HttpResponse HttpResponseRedirect JsonResponse StreamingHttpResponse",
    "django.shortcuts": "get_object_or_404 redirect render",
    "django.template": "Context Template engines",
    "django.test": "Client RequestFactory override_settings",
    "django.urls": "include path re_path resolve reverse",
    "django.views": "View",
}


class ProofError(Exception):
    """The code of a predict item does not do what its item says."""


def namespace() -> dict[str, Any]:
    """The names that proofs and predict items may use without importing them.

    All installed models by name (`User` is the user model), what queries, URLs and views are written with,
    `connection`, `CaptureQueriesContext`, `queries`, `settings`, `apps`, `django`, and `raises`.
    """
    import django
    from django.apps import apps
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test.utils import CaptureQueriesContext

    from lab import queries

    # The last word on a name is the bookshop's: its apps come after Django's own in this order.
    installed = sorted(apps.get_models(), key=lambda model: not model.__module__.startswith("django."))
    names: dict[str, Any] = {model.__name__: model for model in installed}
    for home, found in NAMES.items():
        names |= {name: getattr(import_module(home), name) for name in found.split()}
    return names | {
        "__name__": "__proof__",
        "CaptureQueriesContext": CaptureQueriesContext,
        "User": get_user_model(),
        "apps": apps,
        "django": django,
        "queries": queries,
        "raises": raises,
        "settings": settings,
    }


def raises(expected: type[BaseException], function: Callable, *args: Any, **kwargs: Any) -> BaseException:
    """Call the function and return the exception that it raises.

    Raises:
        AssertionError: it raised nothing. (Another exception is let through as it is.)
    """
    try:
        function(*args, **kwargs)
    except expected as error:
        return error
    raise AssertionError(f"{getattr(function, '__qualname__', function)} did not raise {expected.__name__}")


@contextlib.contextmanager
def fresh_shop() -> Iterator[None]:
    """Django booted, and its default connection on a fresh copy of the shop data; then on what it had before.

    Models that are defined meanwhile are forgotten: their tables are gone with the copy.
    """
    from lab import database, registry

    database.boot()
    from django.db import connection

    before = connection.settings_dict["NAME"]
    copy = database.private_copy(database.shop())
    database.connect_to(copy)
    try:
        yield
    finally:
        registry.forget_models()
        database.connect_to(before)
        # The copies of a whole bank would fill a small disk before the process ends.
        database.remove(copy)


def prove(item: Item) -> None:
    """Run the proof of one item on a fresh copy of the shop data; return when it holds.

    The proof sees `answer`, the answer of the item, and `output()`, what the item's code prints.

    Raises:
        Exception: whatever the proof raises, with the proof's lines in its traceback.
        ProofError: the code of a predict item raises what its answer does not name.
    """
    with fresh_shop():
        names = namespace() | {"answer": item.answer, "output": lambda: _run(item)[0]}
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), _displays(quiet):
            exec(_compiled(item.proof, f"<proof of {item.id}>"), names)
    if item.kind == "predict":
        with fresh_shop():
            _, error = _run(item)
        if error is not None and type(error).__name__ not in str(item.answer):
            raise ProofError(f"the code that learners see stops with {_said(error)}") from error


def output(item: Item) -> str:
    """What the code of an item prints on a fresh copy of the shop data; an exception is its last line."""
    with fresh_shop():
        return _run(item)[0]


def _run(item: Item) -> tuple[str, Exception | None]:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), _displays(printed):
            exec(_compiled(item.code, f"<{item.id}>"), namespace())
    except Exception as error:
        print(_said(error), file=printed)
        return printed.getvalue().rstrip(), error
    return printed.getvalue().rstrip(), None


@contextlib.contextmanager
def _displays(printed: io.StringIO) -> Iterator[None]:
    """Print what code displays: in a notebook it would show up below whichever cell ran last."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        yield
        return
    from IPython.core.displaypub import CapturingDisplayPublisher

    class Printing(CapturingDisplayPublisher):
        def publish(self, data: dict, *args: Any, **kwargs: Any) -> None:
            print(data.get("text/plain", ""), file=printed)

    publisher, shell.display_pub = shell.display_pub, Printing()
    try:
        yield
    finally:
        shell.display_pub = publisher


def _said(error: BaseException) -> str:
    try:
        text = str(error)
    # Some exceptions of Django show querysets, which need a database that is gone by now.
    except Exception:
        text = "(cannot be shown any more)"
    return f"{type(error).__name__}: {text}".removesuffix(": ")


def _compiled(code: str, name: str) -> Any:
    # Known to linecache, the lines of a proof show up in tracebacks and in what `queries()` prints.
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    return compile(code, name, "exec")


def failure(item: Item, error: BaseException) -> str:
    """Say in a few lines where and how a proof failed: file, item, the line of the proof, the exception."""
    slug = bank.QUESTIONS[item.question].slug
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<proof of")]
    where = f"{slug}.toml, {item.id}"
    if not frames:
        return f"{where}: {_said(error)}"
    last = frames[-1]
    return f"{where}, line {last.lineno} of the proof:\n    {(last.line or '').strip()}\n    {_said(error)}"


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m checks proofs [ID …]`: run the proofs of the items or questions named, or of all.

    Returns:
        0 when every proof holds, 1 when one fails or there is nothing to run, 2 when the bank or an id is wrong.
    """
    import argparse

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    parser = argparse.ArgumentParser(prog="python -m checks proofs", description="Run the proofs of quiz items.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="an item (Q38-1) or a question (Q38); default: all")
    ids = parser.parse_args(argv).ids
    console = Console(highlight=False, soft_wrap=True)
    try:
        items = bank.load()
        wanted = {item.id: item for ref in ids for item in bank.select(ref, items)} if ids else items
    except (bank.BankError, bank.UnknownQuiz) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    if not wanted:
        console.print("The bank has no items yet: nothing is proven.")
        return 1

    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Proofs", total=len(wanted))
        for item in wanted.values():
            progress.update(task, description=item.id)
            try:
                prove(item)
            # A proof may stop with anything, SystemExit of a management command included.
            except (Exception, SystemExit) as error:
                failed += 1
                console.print(f"FAILED {failure(item, error)}", style="red", markup=False)
            progress.advance(task)
    import django

    held = len(wanted) - failed
    console.print(f"{held} of {len(wanted)} proofs hold on Django {django.get_version()}.")
    return 1 if failed else 0
