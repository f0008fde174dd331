import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers

from catalog.models import Book
from live import announcements, groups
from live.consumers import Close, Feed, StockConsumer
from orders.models import Order, Stock

ALL = {"action": "subscribe", "books": "all"}


async def connected(communicator):
    accepted, _ = await communicator.connect()
    assert accepted
    return communicator


async def ask(communicator, content):
    await communicator.send_json_to(content)
    return await communicator.receive_json_from()


async def closed(communicator):
    message = await communicator.receive_output()
    assert message["type"] == "websocket.close"
    return message["code"]


@sync_to_async
def announce(quantities):
    announcements.announce_stock(quantities)


@pytest.mark.django_db
class TestStock:
    def test_who_subscribes_to_all_gets_all_numbers_then_each_change(self, run, visit):
        async def scene():
            page = await connected(visit("stock"))
            first = await ask(page, ALL)
            await announce({1: 7, 2: 8})
            then = await page.receive_json_from()
            await page.disconnect()
            return first, then

        first, then = run(scene)
        rows = Stock.objects.order_by("pk").values_list("pk", "quantity")
        assert first == {
            "type": "stock",
            "snapshot": True,
            "changes": [{"book": pk, "quantity": quantity} for pk, quantity in rows],
        }
        assert then == {
            "type": "stock",
            "snapshot": False,
            "changes": [{"book": 1, "quantity": 7}, {"book": 2, "quantity": 8}],
        }

    def test_who_subscribes_to_books_hears_of_these_alone(self, run, visit):
        async def scene():
            page = await connected(visit("stock"))
            first = await ask(page, {"action": "subscribe", "books": [2]})
            await announce({1: 7})
            await announce({1: 6, 2: 8})
            then = await page.receive_json_from()
            await page.disconnect()
            return first, then

        first, then = run(scene)
        assert first["changes"] == [{"book": 2, "quantity": Stock.objects.get(pk=2).quantity}]
        assert then["changes"] == [{"book": 2, "quantity": 8}]

    def test_two_clients_hear_what_each_asked_for(self, run, visit):
        async def scene():
            one, two = await connected(visit("stock")), await connected(visit("stock"))
            await ask(one, {"action": "subscribe", "books": [1]})
            await ask(two, {"action": "subscribe", "books": [1, 2]})
            await announce({1: 5})
            both = await one.receive_json_from(), await two.receive_json_from()
            await announce({2: 4})
            second = await two.receive_json_from()
            silent = await one.receive_nothing()
            await one.disconnect()
            await two.disconnect()
            return both, second, silent

        both, second, silent = run(scene)
        assert both[0] == both[1]
        assert second["changes"] == [{"book": 2, "quantity": 4}]
        assert silent

    def test_all_includes_the_books_so_each_change_comes_once(self, run, visit):
        async def scene():
            page = await connected(visit("stock"))
            await ask(page, {"action": "subscribe", "books": [1]})
            await ask(page, ALL)
            await announce({1: 3})
            await announce({2: 2})
            heard = [await page.receive_json_from(), await page.receive_json_from()]
            await page.disconnect()
            return heard

        assert [message["changes"][0]["book"] for message in run(scene)] == [1, 2]

    @pytest.mark.parametrize("books", ["all", [1]])
    def test_who_unsubscribes_hears_no_more(self, run, visit, layer, books):
        async def scene():
            page = await connected(visit("stock"))
            await ask(page, {"action": "subscribe", "books": books})
            answer = await ask(page, {"action": "unsubscribe", "books": books})
            members = dict(layer.groups)
            await page.disconnect()
            return answer, members

        assert run(scene) == ({"type": "unsubscribed", "books": books}, {})

    def test_a_book_that_the_shop_does_not_keep_counts_none(self, run, visit):
        herland = Book.objects.get(title="Herland").pk

        async def scene():
            page = await connected(visit("stock"))
            answer = await ask(page, {"action": "subscribe", "books": [herland]})
            await page.disconnect()
            return answer

        assert run(scene)["changes"] == [{"book": herland, "quantity": 0}]

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            ({}, "The action is"),
            ({"action": "disconnect", "books": "all"}, "The action is"),
            ({"action": ["subscribe"], "books": "all"}, "The action is"),
            ({"action": "subscribe"}, "The books are"),
            ({"action": "subscribe", "books": []}, "The books are"),
            ({"action": "subscribe", "books": "some"}, "The books are"),
            ({"action": "subscribe", "books": [True]}, "The books are"),
            ({"action": "subscribe", "books": ["1"]}, "The books are"),
            ({"action": "subscribe", "books": [0]}, "The books are"),
            ({"action": "subscribe", "books": [2**63]}, "The books are"),
            ({"action": "subscribe", "books": [1, 99_999]}, "There is no such book: 99999."),
            ({"action": "subscribe", "books": list(range(1, 102))}, "100 books at most"),
            ([1], "Send an object"),
        ],
    )
    def test_a_message_that_makes_no_sense_is_answered_and_joins_nothing(self, run, visit, layer, content, error):
        async def scene():
            page = await connected(visit("stock"))
            answer = await ask(page, content)
            members = dict(layer.groups)
            still_there = await ask(page, {"action": "subscribe", "books": [1]})
            await page.disconnect()
            return answer, members, still_there

        answer, members, still_there = run(scene)
        assert answer["type"] == "error"
        assert answer["error"].startswith(error)
        assert members == {}
        assert still_there["type"] == "stock"

    @pytest.mark.parametrize("text", ["{", "NaN?", "[" * 4000])
    def test_what_is_no_json_is_answered(self, run, visit, text):
        async def scene():
            page = await connected(visit("stock"))
            await page.send_to(text_data=text)
            answer = await page.receive_json_from()
            await page.disconnect()
            return answer

        assert run(scene) == {"type": "error", "error": "This is not JSON."}

    @pytest.mark.parametrize(
        ("frame", "code"), [({"bytes_data": b"{}"}, Close.UNSUPPORTED), ({"text_data": "x" * 4097}, Close.TOO_BIG)]
    )
    def test_what_cannot_be_a_message_closes_the_socket(self, run, visit, frame, code):
        async def scene():
            page = await connected(visit("stock"))
            await page.send_to(**frame)
            return await closed(page)

        assert run(scene) == code

    def test_leaving_leaves_no_group_behind(self, run, visit, layer):
        async def scene():
            page = await connected(visit("stock"))
            await ask(page, ALL)
            assert list(layer.groups) == [groups.STOCK]
            await page.disconnect()

        run(scene)
        assert layer.groups == {}


class TestOrders:
    def test_the_staff_hears_of_new_orders(self, run, visit, bookseller):
        order = Order.objects.get(number="2026-001400")
        desk = visit("orders", user=bookseller)

        async def scene():
            await connected(desk)
            assert await desk.receive_json_from() == {"type": "ready"}
            await sync_to_async(announcements.announce_order)(order)
            heard = await desk.receive_json_from()
            await desk.disconnect()
            return heard

        assert run(scene) == {
            "type": "order",
            "number": "2026-001400",
            "customer": order.customer.username,
            "copies": sum(line.quantity for line in order.lines.all()),
            "amount": f"{order.total:.2f}",
        }

    def test_strangers_and_customers_are_told_why_they_may_not(self, run, visit, layer, customer):
        desks = [visit("orders"), visit("orders", user=customer)]

        async def scene():
            return [await closed(await connected(desk)) for desk in desks], dict(layer.groups)

        assert run(scene) == ([Close.LOGIN_NEEDED, Close.FORBIDDEN], {})

    def test_it_listens_to_nobody(self, run, visit, bookseller):
        desk = visit("orders", user=bookseller)

        async def scene():
            await connected(desk)
            await desk.receive_json_from()
            answer = await ask(desk, {"action": "subscribe"})
            await desk.disconnect()
            return answer

        assert run(scene)["type"] == "error"


@pytest.mark.django_db
class TestSlowClients:
    """An application against a client that does not read: what is sent to it never gets through."""

    def test_a_client_who_never_reads_is_let_go(self, run, layer, monkeypatch):
        monkeypatch.setattr(StockConsumer, "capacity", 5)
        sent = []

        async def scene():
            incoming, stuck = asyncio.Queue(), asyncio.Event()

            async def send(message):
                sent.append(message)
                if message["type"] == "websocket.send":
                    await stuck.wait()

            scope = {"type": "websocket", "path": "/", "headers": []}
            task = asyncio.create_task(StockConsumer.as_asgi()(scope, incoming.get, send))
            await incoming.put({"type": "websocket.connect"})
            # Its answer is an error, which needs no database, and it is stuck on the way to the client.
            await incoming.put({"type": "websocket.receive", "text": "?"})
            for _ in range(5):
                await incoming.put({"type": "websocket.receive", "text": "?"})
            await asyncio.sleep(0)
            await incoming.put({"type": "websocket.receive", "text": "?"})
            await task

        run(scene)
        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
        assert sent[-1]["code"] == Close.TOO_SLOW

    def test_the_queue_has_an_end(self):
        assert Feed().outbox.maxsize == Feed.capacity == 100


class TestHandshake:
    @pytest.mark.parametrize("origin", [None, (b"origin", b"https://elsewhere.example")])
    def test_pages_of_other_sites_are_refused(self, run, visit, origin):
        async def scene():
            return await visit("stock", origin=origin).connect()

        assert run(scene)[0] is False

    @pytest.mark.django_db
    def test_a_path_that_leads_nowhere_is_refused_without_an_error(self, run, visit):
        async def scene():
            return await visit("nothing").connect()

        assert run(scene)[0] is False

    @pytest.mark.django_db
    def test_without_a_layer_the_client_is_told(self, run, visit, settings):
        settings.CHANNEL_LAYERS = {}
        assert channel_layers.backends == {}

        async def scene():
            return await closed(await connected(visit("stock")))

        assert run(scene) == Close.NO_LAYER
