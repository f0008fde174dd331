"""Which SQL ran, and which line of the learner's code made it run.

    with Capture() as seen:
        print(Book.objects.get(pk=1).author)
    len(seen), seen[1].relation  # 2, "Book.author"

Built on Django's hook around every statement, so it sees the same on every database and does not need DEBUG:
https://docs.djangoproject.com/en/stable/topics/db/instrumentation/

Seen are the statements of the thread that enters, and those of `await`, which Django runs in a thread of its own.
Threads that the learner starts have connections of their own and are not seen.
"""

import asyncio
import linecache
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from . import database

# How ipykernel, IPython and Python itself name the file of what was typed in.
CELL = re.compile(r"[/\\]ipykernel_\d+[/\\]|^<ipython-input|^<stdin>|^<python-input|^<console>|^<string>$")
_TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it went to the database.

    `sql` has placeholders, `params` what goes into them (a list of such for `executemany`). `line` and `code` are the
    learner's, None and "" where none of it is on the stack. `relation` names what was loaded only now, because an
    attribute was read: "Book.author", "Author.books", "Book.title (deferred)"; None for any other query.
    """

    sql: str
    params: Any = None
    line: int | None = None
    code: str = ""
    relation: str | None = None
    many: bool = False

    @property
    def steers_transaction(self) -> bool:
        """BEGIN, COMMIT, SAVEPOINT and their kind: shown, but not counted as queries."""
        return bool(_TRANSACTION.match(self.sql))


class Capture(Sequence):
    """A context manager that collects statements. As a sequence it has the queries, in the order in which they ran.

    `everything` has the statements that steer transactions as well. `prefix` says which code is the learner's, by the
    beginning of its file name; by default it is what runs in cells, or in the script that was started.
    """

    def __init__(self, prefix: str | None = None, using: str = "default"):
        self.everything: list[Statement] = []
        self._prefix = prefix
        self._using = using
        self._exits = None

    def __enter__(self):
        from django.db import connections

        self._exits = ExitStack()
        self._exits.enter_context(self._watching(connections[self._using]))
        # Under an event loop `await Book.objects.acount()` has a connection of its own, in a thread of its own.
        if leave := database.in_async_thread(self._watch_here, start=_under_event_loop()):
            self._exits.callback(database.in_async_thread, leave)
        return self

    def __exit__(self, *exception):
        self._exits.close()

    def __len__(self):
        return len(self._queries)

    def __getitem__(self, position):
        return self._queries[position]

    @property
    def _queries(self):
        return [statement for statement in self.everything if not statement.steers_transaction]

    def _watch_here(self):
        from django.db import connections

        exits = ExitStack()
        exits.enter_context(self._watching(connections[self._using]))
        return exits.close

    @contextmanager
    def _watching(self, connection):
        # COMMIT and ROLLBACK are calls of the driver, which no hook sees.
        hidden = {"_commit": "COMMIT", "_rollback": "ROLLBACK"}
        before = {name: connection.__dict__.get(name) for name in hidden}
        for name, sql in hidden.items():
            setattr(connection, name, self._noting(sql, getattr(connection, name)))
        try:
            with connection.execute_wrapper(self._record):
                yield
        finally:
            for name, method in before.items():
                if method is None:
                    connection.__dict__.pop(name, None)
                else:
                    setattr(connection, name, method)

    def _noting(self, sql, method):
        def noted():
            line, code, _ = self._origin(sys._getframe(1))
            self.everything.append(Statement(sql, None, line, code))
            return method()

        return noted

    def _record(self, execute, sql, params, many, context):
        # psycopg composes some statements as objects.
        text = sql if isinstance(sql, str) else sql.as_string(context["connection"].connection)
        if many:
            params = list(params)  # an iterator could not be read twice
        line, code, relation = self._origin(sys._getframe(1), selects=text.lstrip()[:6].upper() == "SELECT")
        self.everything.append(Statement(text, params, line, code, relation, many))
        return execute(sql, params, many, context)

    def _origin(self, frame, selects=False):
        """(line, code, relation), read from the stack: the innermost frames decide."""
        finder = _RelationFinder() if selects else None
        while frame is not None and not self._is_learners(frame):
            if finder and not finder.done:
                finder.look_at(frame)
            frame = frame.f_back
        relation = finder.relation if finder else None
        frame = frame or _awaiting_frame(self._is_learners)
        if frame is None:
            return None, "", relation
        code = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        return frame.f_lineno, code.strip(), relation

    def _is_learners(self, frame):
        name = frame.f_code.co_filename
        if self._prefix is not None:
            return name.startswith(self._prefix)
        return bool(CELL.search(name)) or name == getattr(sys.modules.get("__main__"), "__file__", None)


class _RelationFinder:
    """Looks at frames from the inside out until one tells which attribute of a model asked for the rows."""

    def __init__(self):
        from django.db import models
        from django.db.models import query, query_utils
        from django.db.models.fields import related_descriptors

        self.relation = None
        self.done = False
        self._prefetching = False
        self._files = {module.__file__ for module in (query, query_utils, related_descriptors)}
        self._queryset = models.QuerySet
        self._manager = models.Manager
        self._deferred = query_utils.DeferredAttribute
        self._forward = related_descriptors.ForwardManyToOneDescriptor
        self._reverse = related_descriptors.ReverseOneToOneDescriptor

    def look_at(self, frame):
        if frame.f_code.co_filename not in self._files:
            return
        if frame.f_code.co_name in {"prefetch_one", "prefetch_related_objects"}:
            # Asked for ahead, not late; unless a descriptor did: fetch modes of Django 6.1 prefetch for all peers.
            self._prefetching = True
            self.relation = None
        owner = frame.f_locals.get("self")
        if isinstance(owner, self._forward):
            self._found(owner.field.model, owner.field.name)
        elif isinstance(owner, self._reverse):
            self._found(owner.related.model, owner.related.get_accessor_name())
        elif isinstance(owner, self._deferred):
            self._found(owner.field.model, f"{owner.field.attname} (deferred)")
        elif self._prefetching or self.relation:
            return
        elif isinstance(owner, self._queryset):
            self.relation = _relation_of_queryset(owner)
        elif isinstance(owner, self._manager) and hasattr(owner, "prefetch_cache_name"):
            self.relation = f"{type(owner.instance).__name__}.{owner.prefetch_cache_name}"

    def _found(self, model, attribute):
        self.relation = self.relation or f"{model.__name__}.{attribute}"
        self.done = True


def _relation_of_queryset(queryset):
    """The name of the manager that a queryset comes from, "Author.books", or None."""
    for field in queryset._known_related_objects:
        return f"{field.remote_field.model.__name__}.{field.remote_field.get_accessor_name()}"
    instance = queryset._hints.get("instance")
    if instance is None:
        return None
    tables = {join.table_name for join in queryset.query.alias_map.values()}
    options = type(instance)._meta
    ways = [(field.name, field.remote_field) for field in options.many_to_many]
    ways += [(rel.get_accessor_name(), rel) for rel in options.related_objects if rel.many_to_many]
    for name, rel in ways:
        target = rel.model if rel.field.model is options.concrete_model else rel.related_model
        if rel.through._meta.db_table in tables and target is queryset.model._meta.concrete_model:
            return f"{type(instance).__name__}.{name}"
    return None


def _awaiting_frame(is_learners):
    """The learner's frame that waits for what this thread does: `sync_to_async` leaves no trace of it on the stack."""
    handler = sys._getframe(1)
    while handler is not None and handler.f_code.co_name != "thread_handler":
        handler = handler.f_back
    if handler is None or "task_context" not in handler.f_locals:
        return None
    token = handler.f_locals["task_context"]
    found = []
    for task in asyncio.all_tasks(handler.f_locals["loop"]):
        frames = list(_await_chain(task.get_coro()))
        learners = [frame for frame in frames if is_learners(frame)]
        if learners and any(frame.f_locals.get("task_context") is token for frame in frames):
            return learners[-1]
        found += learners[-1:]
    # `async for` hides its inside; with one waiting task there is no doubt all the same.
    return found[0] if len(found) == 1 else None


def _await_chain(waiting):
    """The frames of a suspended coroutine and of what it waits for, outermost first."""
    while waiting is not None:
        for frame, inner in [("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await")]:
            if getattr(waiting, frame, None) is not None:
                yield getattr(waiting, frame)
                waiting = getattr(waiting, inner)
                break
        else:
            return


def _under_event_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
