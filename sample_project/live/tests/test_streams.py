import asyncio
import json
from contextlib import aclosing
from itertools import islice

import pytest

from catalog.models import Book
from live import announcements, groups, streams
from live.streams import stock_events
from orders.models import OrderLine


async def next_of(stream):
    async with asyncio.timeout(10):
        return await anext(stream)


class TestStockEvents:
    def test_changes_come_as_they_happen(self, layer):
        async def scene():
            async with aclosing(stock_events(layer)) as stream:
                first = await next_of(stream)
                announcements.announce_stock({1: 7})
                announcements.announce_stock({2: 8})
                return first, await next_of(stream), await next_of(stream)

        first, *events = asyncio.run(scene())
        assert first == "retry: 3000\n\n"
        for event, change in zip(events, [(1, 7), (2, 8)], strict=True):
            name, data, end = event.split("\n", 2)
            assert name == "event: stock"
            assert json.loads(data.removeprefix("data: ")) == [{"book": change[0], "quantity": change[1]}]
            assert end == "\n"

    def test_silence_is_broken_by_a_comment_and_loses_nothing(self, layer):
        async def scene():
            async with aclosing(stock_events(layer, heartbeat=0.01)) as stream:
                await next_of(stream)
                comments = await next_of(stream), await next_of(stream)
                announcements.announce_stock({1: 7})
                return comments, await next_of(stream)

        comments, event = asyncio.run(scene())
        assert comments == (": nothing new\n\n",) * 2
        assert event.startswith("event: stock\n")

    def test_a_cancelled_reader_leaves_the_group_and_no_task(self, layer):
        async def read():
            async with aclosing(stock_events(layer)) as stream:
                async for _ in stream:
                    pass

        async def scene():
            task = asyncio.create_task(read())
            while groups.STOCK not in layer.groups or len(asyncio.all_tasks()) < 3:
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            # What was waiting for the layer is cancelled, and needs a turn to notice.
            await asyncio.sleep(0)
            return task.cancelled(), len(asyncio.all_tasks())

        assert asyncio.run(scene()) == (True, 1)
        assert layer.groups == {}


@pytest.mark.django_db
class TestOrderLines:
    def test_both_write_the_same_table(self, run, monkeypatch):
        monkeypatch.setattr(streams, "_CHUNK", 1000)

        async def scene():
            return [line async for line in streams.aorder_lines()]

        lines = list(streams.order_lines())
        assert run(scene) == lines
        assert len(lines) == 4407 + 1
        assert lines[0] == "order,book,quantity,unit price,amount\r\n"
        assert lines[1].startswith("2024-000001,")

    def test_no_title_becomes_a_formula(self):
        """In a spreadsheet, `=HYPERLINK(…)` would be one."""
        book = OrderLine.objects.order_by("pk").first().book
        Book.objects.filter(pk=book.pk).update(title="=1+1")
        assert list(islice(streams.order_lines(), 2))[1].split(",")[1] == "'=1+1"

    def test_it_is_read_bit_by_bit(self, monkeypatch, django_assert_num_queries):
        """The first line needs no query at all, the second reads a chunk."""
        lines = streams.order_lines()
        with django_assert_num_queries(0):
            next(lines)
        with django_assert_num_queries(1):
            next(lines)
        lines.close()
