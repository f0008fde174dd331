import asyncio
import logging

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer, channel_layers
from django.contrib.auth import get_user_model
from django.db.models import F

from live import announcements, groups
from orders.checkout import place_order
from orders.models import Order, Stock
from orders.restocking import restock
from orders.signals import stock_changed

CHANGE = {"type": "stock.changed", "changes": [{"book": 1, "quantity": 7}]}


class Ear:
    """Listens to groups. What it heard is read when the talking is over."""

    def __init__(self, layer, *groups):
        self.layer = layer
        self.groups = groups
        self.channel = asyncio.run(self._join())

    async def _join(self):
        channel = await self.layer.new_channel()
        for group in self.groups:
            await self.layer.group_add(group, channel)
        return channel

    @property
    def heard(self):
        queue = self.layer.channels.get(self.channel)
        return [queue.get_nowait()[1] for _ in range(queue.qsize())] if queue else []


@pytest.fixture
def ear(layer):
    # The loop that it joined on is gone: messages have to lie there until they are looked at.
    layer = InMemoryChannelLayer()
    channel_layers.set("default", layer)
    return Ear(layer, groups.STOCK)


class Broken(InMemoryChannelLayer):
    async def group_send(self, group, message):
        raise ConnectionError("no layer today")


class Silent(InMemoryChannelLayer):
    async def group_send(self, group, message):
        await asyncio.Event().wait()


class TestWhereItIsCalled:
    def test_synchronous_code(self, ear):
        stock_changed.send(Stock, quantities={1: 7})
        assert ear.heard == [CHANGE]

    def test_synchronous_code_on_the_thread_of_a_running_loop(self, ear):
        """A cell of a notebook: async_to_sync would raise there."""

        async def cell():
            stock_changed.send(Stock, quantities={1: 7})
            # It is there at once, not when the cell has ended.
            return ear.heard

        assert asyncio.run(cell()) == [CHANGE]

    def test_asynchronous_code(self, ear):
        async def view():
            await stock_changed.asend(Stock, quantities={1: 7})
            await sync_to_async(announcements.announce_stock)({1: 7})
            return ear.heard

        assert asyncio.run(view()) == [CHANGE, CHANGE]

    def test_a_browser_without_threads_sends_when_the_cell_has_ended(self, ear, monkeypatch):
        def refuse(self, *args):
            raise RuntimeError("can't start new thread")

        async def cell():
            announcements.announce_stock({1: 7})
            before = ear.heard
            while announcements._unfinished:
                await asyncio.sleep(0)
            return before, ear.heard

        monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor.submit", refuse)
        assert asyncio.run(cell()) == ([], [CHANGE])


class TestWhoHears:
    def test_each_book_has_its_group(self, ear, layer):
        second = Ear(channel_layers["default"], groups.of_book(2))
        announcements.announce_stock({1: 7, 2: 8})
        assert [change["book"] for change in ear.heard[0]["changes"]] == [1, 2]
        assert second.heard == [{"type": "stock.changed", "changes": [{"book": 2, "quantity": 8}]}]

    def test_no_change_is_no_message(self, ear):
        announcements.announce_stock({})
        assert ear.heard == []


@pytest.mark.django_db
class TestWhatIsHeard:
    def test_a_sale_is_heard_when_it_is_committed(self, ear, django_capture_on_commit_callbacks):
        desk = Ear(channel_layers["default"], groups.ORDERS)
        anna = get_user_model().objects.get(username="anna")
        left = Stock.objects.get(pk=1).quantity
        with django_capture_on_commit_callbacks(execute=True):
            order = place_order(anna, {1: 2})
            assert (ear.heard, desk.heard) == ([], [])
        assert ear.heard == [{"type": "stock.changed", "changes": [{"book": 1, "quantity": left - 2}]}]
        assert desk.heard == [{"type": "order.placed", "number": order.number}]

    def test_so_is_what_comes_in(self, ear, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            quantity = restock(1, 5)
        assert ear.heard == [{"type": "stock.changed", "changes": [{"book": 1, "quantity": quantity}]}]

    def test_so_is_what_is_saved_and_it_costs_no_query(
        self, ear, django_capture_on_commit_callbacks, django_assert_num_queries
    ):
        stock = Stock.objects.get(pk=1)
        stock.quantity = 7
        with django_assert_num_queries(1), django_capture_on_commit_callbacks(execute=True):
            stock.save()
        assert ear.heard == [CHANGE]

    def test_an_expression_is_no_number(self, ear, django_capture_on_commit_callbacks):
        """Either the database told what it came to (Django 6.1), or nothing is said."""
        stock = Stock.objects.get(pk=1)
        expected = stock.quantity + 1
        stock.quantity = F("quantity") + 1
        with django_capture_on_commit_callbacks(execute=True):
            stock.save()
        heard = ear.heard
        assert heard in ([], [{"type": "stock.changed", "changes": [{"book": 1, "quantity": expected}]}])

    def test_update_is_silent(self, ear, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            Stock.objects.filter(pk=1).update(quantity=7)
        assert ear.heard == []


class TestNothingFails:
    @pytest.mark.parametrize("in_loop", [False, True])
    def test_a_layer_that_fails_is_logged(self, ear, caplog, in_loop):
        channel_layers.set("default", Broken())

        async def cell():
            announcements.announce_stock({1: 7})

        with caplog.at_level(logging.ERROR, "live.announcements"):
            asyncio.run(cell()) if in_loop else announcements.announce_stock({1: 7})
        assert "stock.changed" in caplog.text
        assert "no layer today" in caplog.text

    def test_a_layer_that_does_not_answer_is_given_up(self, ear, caplog, monkeypatch):
        monkeypatch.setattr(announcements, "PATIENCE", 0.01)
        channel_layers.set("default", Silent())
        announcements.announce_stock({1: 7})
        assert "TimeoutError" in caplog.text

    @pytest.mark.parametrize("layers", [{}, None, {"other": {"BACKEND": "live.layers.InMemoryChannelLayer"}}])
    def test_without_a_layer_nothing_happens(self, settings, caplog, layers):
        settings.CHANNEL_LAYERS = layers
        announcements.announce_stock({1: 7})
        announcements.announce_order(Order(number="2026-000001"))
        assert caplog.text == ""
