"""Asks suppliers whether they have a book. There are none: each answer is made up, and takes a moment.

Five questions one after the other take five moments; asked at once they take one.
https://docs.djangoproject.com/en/stable/topics/async/
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

SUPPLIERS = ("Northlight Books", "Harbour and Quill", "Pavilion Wholesale", "Meridian Remainders", "Old Mill Press")
MOMENT = 0.2


def ask(supplier: str, book_pk: int) -> int:
    """How many copies the supplier has, when the thread has waited for it."""
    time.sleep(MOMENT)
    return _copies(supplier, book_pk)


async def aask(supplier: str, book_pk: int) -> int:
    """The same; meanwhile the thread does other things."""
    await asyncio.sleep(MOMENT)
    return _copies(supplier, book_pk)


def ask_all(book_pk: int, ask: Callable[[str, int], int] = ask) -> dict[str, int | None]:
    """Copies by supplier, asked one after the other. None stands for one that did not answer."""
    answers = {}
    for supplier in SUPPLIERS:
        try:
            answers[supplier] = ask(supplier, book_pk)
        except OSError:
            answers[supplier] = None
    return answers


async def aask_all(
    book_pk: int, ask: Callable[[str, int], Awaitable[int]] = aask, patience: float = 2
) -> dict[str, int | None]:
    """Copies by supplier, asked all at once. None stands for one that did not answer in `patience` seconds.

    https://docs.python.org/3/library/asyncio-task.html#task-groups
    """

    async def answer(supplier):
        # An error that gets out would end the whole group.
        try:
            async with asyncio.timeout(patience):
                return await ask(supplier, book_pk)
        except OSError:  # TimeoutError is one.
            return None

    async with asyncio.TaskGroup() as group:
        tasks = {supplier: group.create_task(answer(supplier)) for supplier in SUPPLIERS}
    return {supplier: task.result() for supplier, task in tasks.items()}


def _copies(supplier, book_pk):
    return (book_pk * 7 + SUPPLIERS.index(supplier) * 5) % 13
