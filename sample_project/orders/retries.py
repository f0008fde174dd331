"""Doing a transaction again that the database gave up, through no fault of its own, because of another one.

PostgreSQL ends a transaction that would not fit any order of the concurrent ones (SQLSTATE 40001), and one of those
that wait for each other (40P01). Both leave nothing behind, and may succeed when they are done again from the start.
https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
"""

import random
import time
from collections.abc import Callable
from functools import partial, wraps

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from .isolation import Isolation, isolate

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"


def is_conflict(error: BaseException) -> bool:
    """Whether the same transaction, done again, may succeed. What else is wrong would be wrong again."""
    if not isinstance(error, OperationalError):
        return False
    # psycopg names the state on the error that Django wraps; SQLite has only its text.
    state = getattr(error.__cause__, "sqlstate", None)
    return state in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED} or "database is locked" in str(error)


def retried(
    transact: Callable | None = None,
    *,
    using: str = DEFAULT_DB_ALIAS,
    isolation: Isolation | None = None,
    attempts: int = 5,
    first_pause: float = 0.02,
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[], float] = random.random,
):
    """Decorate a function that is a whole transaction: it runs in `atomic()`, and again where that met a conflict.

    It has to be the outermost block, since a part of a transaction cannot be done again: the rest of it would go on
    with what it read before. What the function does besides the database, it may do several times, so leave that to
    `transaction.on_commit`.

    Args:
        using: the database.
        isolation: the isolation level of the transaction; the database's usual one, if not given.
        attempts: how often it is tried in all.
        first_pause: the longest pause after the first attempt, in seconds; it doubles each time. The pause is drawn
            between nothing and that, lest those who met meet again.
        sleep, draw: what pauses, and what draws a number from 0 to 1.

    Raises:
        RuntimeError: it is called inside `atomic()`.
        OperationalError: the last attempt met a conflict as well.

    https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic
    """
    if transact is None:
        options = {"attempts": attempts, "first_pause": first_pause, "sleep": sleep, "draw": draw}
        return partial(retried, using=using, isolation=isolation, **options)

    @wraps(transact)
    def run(*args, **kwargs):
        for attempt in range(attempts):
            try:
                with transaction.atomic(using=using, durable=True):
                    if isolation:
                        isolate(isolation, using)
                    return transact(*args, **kwargs)
            except OperationalError as error:
                # A test may wrap itself in a transaction that `durable` tolerates. It is as lost as any.
                inside = connections[using].in_atomic_block
                if inside or attempt == attempts - 1 or not is_conflict(error):
                    raise
            sleep(draw() * first_pause * 2**attempt)

    return run
