"""What a learner calls first: the bookshop's data, for this process alone, and back to its first state."""

from pathlib import Path

from . import cells, database, registry

_prebuilt: Path | None = None


def start(name: str = "shop", *, lines: int | None = None):
    """Set Django up on a private copy of the bookshop's data. Called again, it gives a fresh copy, as `reset()` does.

    Args:
        name: what to start; "shop" is the bookshop on SQLite.
        lines: at least so many order lines; the shop grows to them. Built once per machine, which may take a while.

    Raises:
        ValueError: the name is unknown, or `lines` is not a positive whole number.
        RuntimeError: Django already runs in this process with other settings, or the data could not be built.
    """
    global _prebuilt
    if name != "shop":
        raise ValueError(f'start() does not know {name!r}. Call start() for the bookshop, which is start("shop").')
    if lines is not None and (not isinstance(lines, int) or lines < 1):
        raise ValueError(f"lines is a number of order lines, such as 100_000, not {lines!r}.")
    database.boot()
    cells.watch()
    _prebuilt = database.shop(lines)
    _renew()
    print(
        "The bookshop is ready." if lines is None else f"The bookshop is ready, with at least {lines:,} order lines."
    )


def reset():
    """Give the bookshop's data their first state back. Open transactions and iterators of this kernel end.

    Raises RuntimeError before the first `start()`.
    """
    if _prebuilt is None:
        raise RuntimeError("There is nothing to reset yet: call start() first.")
    _renew()


def _renew():
    used = database.connected_to()
    with database.interrupts_held():
        database.connect_to(database.private_copy(_prebuilt))
        registry.create_tables()
    if used:
        database.remove(used)
