import asyncio
import threading

from live.suppliers import SUPPLIERS, aask_all, ask_all


def test_all_are_asked_at_the_same_time():
    async def scene():
        # Nobody gets past it before all five are there. One after the other, the first would wait for ever.
        barrier = asyncio.Barrier(len(SUPPLIERS))

        async def ask(supplier, book_pk):
            await barrier.wait()
            return book_pk

        return await aask_all(3, ask)

    assert asyncio.run(scene()) == dict.fromkeys(SUPPLIERS, 3)


def test_the_synchronous_twin_asks_one_after_the_other():
    asking, most = set(), []

    def ask(supplier, book_pk):
        asking.add((supplier, threading.get_ident()))
        most.append(len(asking))
        asking.clear()
        return book_pk

    assert ask_all(3, ask) == dict.fromkeys(SUPPLIERS, 3)
    assert most == [1] * len(SUPPLIERS)


def test_one_that_fails_or_does_not_answer_costs_its_own_answer_alone():
    failing, silent, *others = SUPPLIERS

    async def aask(supplier, book_pk):
        if supplier == failing:
            raise ConnectionError
        if supplier == silent:
            await asyncio.Event().wait()
        return 1

    def ask(supplier, book_pk):
        if supplier in (failing, silent):
            raise TimeoutError
        return 1

    expected = {failing: None, silent: None, **dict.fromkeys(others, 1)}
    assert asyncio.run(aask_all(3, aask, patience=0.01)) == expected
    assert ask_all(3, ask) == expected


def test_both_ways_of_asking_get_the_same_answers(monkeypatch):
    monkeypatch.setattr("live.suppliers.MOMENT", 0)
    assert asyncio.run(aask_all(12)) == ask_all(12)
