"""What a learner calls first: the bookshop's data, for this process alone, and back to its first state."""

from pathlib import Path

from . import cells, database, registry
from .servers import connection

_prebuilt: Path | None = None
# The server that the whole notebook runs on, where it asked for one.
_server = None


def start(name: str = "shop", *, lines: int | None = None):
    """Set Django up on a private copy of the bookshop's data. Called again, it gives a fresh copy, as `reset()` does.

    Args:
        name: "shop" is the bookshop on SQLite, "postgresql" the same on a PostgreSQL server of this notebook's own.
        lines: at least so many order lines; the shop grows to them. Built once per machine, which may take a while.

    Raises:
        ValueError: the name is unknown, or `lines` is not a positive whole number.
        RuntimeError: Django already runs in this process with other settings, or the data could not be built.
        Unavailable: this machine has no PostgreSQL.
    """
    global _prebuilt
    if name not in {"shop", "postgresql"}:
        raise ValueError(
            f'start() does not know {name!r}. Call start() for the bookshop on SQLite, or start("postgresql").'
        )
    if lines is not None and (not isinstance(lines, int) or lines < 1):
        raise ValueError(f"lines is a number of order lines, such as 100_000, not {lines!r}.")
    database.boot()
    cells.watch()
    if _prebuilt is None or name == "shop":
        _prebuilt = database.shop(lines if name == "shop" else None)
    _leave_server()
    empty_caches()
    if connection.owner_of() is None:
        _renew()
    if name == "postgresql":
        _enter_server(lines)
    place = " on PostgreSQL" if name == "postgresql" else ""
    print(
        f"The bookshop is ready{place}."
        if lines is None
        else f"The bookshop is ready{place}, with at least {lines:,} order lines."
    )


def reset():
    """Give the bookshop's data their first state back. Open transactions and iterators of this kernel end.

    Raises RuntimeError before the first `start()`.
    """
    if _prebuilt is None:
        raise RuntimeError("There is nothing to reset yet: call start() first.")
    empty_caches()
    if server := connection.owner_of():
        server.reset()
    else:
        _renew()


def _enter_server(lines):
    global _server
    from .servers.postgresql import postgres

    server = postgres(lines=lines)
    server.start()
    _server = server


def _leave_server():
    global _server
    if _server:
        _server.stop()
        _server = None


def empty_caches():
    """What pages kept is of rows that are no more. Caches on a server are left to whoever asked for the server."""
    from django.core.cache import caches
    from django.core.cache.backends.locmem import LocMemCache

    for alias in caches.settings:
        if isinstance(caches[alias], LocMemCache):
            caches[alias].clear()


def _renew():
    used = database.connected_to()
    with database.interrupts_held():
        database.connect_to(database.private_copy(_prebuilt))
        registry.create_tables()
    if used:
        database.remove(used)
