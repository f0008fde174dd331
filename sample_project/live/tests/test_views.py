import asyncio
import json
import warnings

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from django.contrib.auth.models import Permission
from django.core.handlers.asgi import ASGIHandler
from django.test import AsyncClient
from django.urls import reverse

from catalog.models import Book
from live import announcements, groups, suppliers
from live.views import AvailabilityAtOnceView, AvailabilityInTurnView
from orders.models import Stock


@pytest.fixture
def delivery(bookseller):
    """A bookseller who may put books on the shelf."""
    bookseller.user_permissions.add(Permission.objects.get(codename="change_stock"))
    return bookseller


@pytest.fixture
def auditor(bookseller):
    bookseller.user_permissions.add(Permission.objects.get(codename="view_orderline"))
    return bookseller


class Reader(ApplicationCommunicator):
    """Reads a page of the ASGI application while it is being made."""

    def __init__(self, path):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        }
        super().__init__(ASGIHandler(), {**scope, "asgi": {"version": "3.0"}, "http_version": "1.1"})

    async def start(self):
        await self.send_input({"type": "http.request"})
        return await self.receive_output(10)

    async def read(self):
        return (await self.receive_output(10))["body"].decode()

    async def hang_up(self):
        await self.send_input({"type": "http.disconnect"})
        await self.wait(10)


@pytest.mark.django_db
class TestStock:
    def test_it_costs_one_query(self, client, django_assert_num_queries):
        with django_assert_num_queries(1):
            page = client.get(reverse("live:stock"))
        assert page.status_code == 200
        emma = Book.objects.select_related("stock").get(title="Emma")
        row = page.content.decode().split(f'data-book="{emma.pk}"')[1].split("</tr>")[0]
        assert f'<td class="number">{emma.stock.quantity}</td>' in row

    def test_a_book_without_a_row_counts_none(self, client):
        page = client.get(reverse("live:stock")).content.decode()
        herland = Book.objects.get(title="Herland")
        assert '<td class="number">0</td>' in page.split(f'data-book="{herland.pk}"')[1].split("</tr>")[0]

    def test_under_wsgi_it_says_that_the_numbers_stand_still(self, client):
        page = client.get(reverse("live:stock")).content.decode()
        assert "data-socket" not in page
        assert 'data-state="off"' in page

    def test_under_asgi_it_names_the_socket_below_its_own_path(self, run):
        async def scene():
            return await AsyncClient().get(reverse("live:stock"))

        page = run(scene).content.decode()
        assert 'data-socket="/live/socket/stock/"' in page
        assert 'role="status"' in page
        assert 'aria-live="polite"' in page

    def test_nothing_on_it_is_forbidden_by_a_strict_policy(self, client):
        page = client.get(reverse("live:stock")).content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert "onclick" not in page
        assert all("src=" in tag.split(">")[0] for tag in page.split("<script")[1:])

    def test_the_numbers_for_programs(self, run):
        async def scene():
            return await AsyncClient().get(reverse("live:stock-json"))

        found = run(scene).json()
        assert found["count"] == 162
        assert [(row["book"], row["quantity"]) for row in found["books"]] == list(
            Stock.objects.order_by("pk").values_list("pk", "quantity")
        )


@pytest.mark.django_db
class TestRestock:
    def test_the_form_is_for_those_who_may(self, client, delivery, customer):
        action = f'action="{reverse("live:restock")}"'
        assert action not in client.get(reverse("live:stock")).content.decode()
        client.force_login(customer)
        assert action not in client.get(reverse("live:stock")).content.decode()
        client.force_login(delivery)
        assert action in client.get(reverse("live:stock")).content.decode()

    def test_copies_are_put_on_the_shelf(self, client, delivery):
        client.force_login(delivery)
        before = Stock.objects.get(pk=1).quantity
        response = client.post(reverse("live:restock"), {"book": 1, "copies": 3}, follow=True)
        assert Stock.objects.get(pk=1).quantity == before + 3
        assert f"{before + 3} copies now" in response.content.decode()

    def test_under_asgi_too(self, run, delivery):
        client = AsyncClient()
        client.force_login(delivery)
        before = Stock.objects.get(pk=1).quantity

        async def scene():
            return await client.post(reverse("live:restock"), {"book": 1, "copies": 3})

        response = run(scene)
        assert (response.status_code, response["Location"]) == (302, reverse("live:stock"))
        assert Stock.objects.get(pk=1).quantity == before + 3

    def test_a_form_that_is_wrong_comes_back(self, client, delivery):
        client.force_login(delivery)
        response = client.post(reverse("live:restock"), {"book": 1, "copies": 0})
        assert response.status_code == 400
        assert "greater than or equal to 1" in response.content.decode()

    def test_others_are_refused(self, client, customer):
        assert client.post(reverse("live:restock"), {"book": 1, "copies": 3}).status_code == 403
        client.force_login(customer)
        assert client.post(reverse("live:restock"), {"book": 1, "copies": 3}).status_code == 403
        assert client.get(reverse("live:restock")).status_code == 405


@pytest.mark.django_db
class TestAvailability:
    def test_suppliers_are_injected(self, rf, async_rf, run):
        async def aask(supplier, book_pk):
            return 4

        def ask(supplier, book_pk):
            return 4

        async def scene():
            return await AvailabilityAtOnceView.as_view(ask=aask)(async_rf.get("/"), slug="emma")

        at_once = run(scene)
        in_turn = AvailabilityInTurnView.as_view(ask=ask)(rf.get("/"), slug="emma")
        expected = {"book": Book.objects.get(slug="emma").pk, "copies": dict.fromkeys(suppliers.SUPPLIERS, 4)}
        assert json.loads(at_once.content) == json.loads(in_turn.content) == expected

    def test_both_pages_answer_alike(self, client, monkeypatch):
        monkeypatch.setattr(suppliers, "MOMENT", 0)
        answers = [
            client.get(reverse(f"live:{name}", args=["emma"])) for name in ("availability", "availability-in-turn")
        ]
        assert answers[0].json() == answers[1].json()

    @pytest.mark.parametrize("name", ["live:availability", "live:availability-in-turn"])
    def test_a_book_that_is_none(self, client, name):
        assert client.get(reverse(name, args=["none"])).status_code == 404


class TestEvents:
    def test_the_stream_follows_the_stock_and_ends_with_its_reader(self, run, layer):
        async def scene():
            reader = Reader(reverse("live:events"))
            start = await reader.start()
            first = await reader.read()
            members = len(layer.groups[groups.STOCK])
            announcements.announce_stock({1: 7})
            second = await reader.read()
            await reader.hang_up()
            return start, first, members, second

        start, first, members, second = run(scene)
        headers = dict(start["headers"])
        assert start["status"] == 200
        assert headers[b"Content-Type"] == b"text/event-stream"
        assert headers[b"Cache-Control"] == b"no-cache"
        assert first == "retry: 3000\n\n"
        assert members == 1
        assert second == 'event: stock\ndata: [{"book": 1, "quantity": 7}]\n\n'
        assert layer.groups == {}

    def test_wsgi_cannot_do_it_and_says_so(self, client):
        response = client.get(reverse("live:events"))
        assert response.status_code == 501
        assert "ASGI" in response.content.decode()

    def test_nor_can_a_shop_without_a_layer(self, run, settings):
        settings.CHANNEL_LAYERS = {}
        assert channel_layers.backends == {}

        async def scene():
            return await AsyncClient().get(reverse("live:events"))

        assert run(scene).status_code == 503


@pytest.mark.django_db
class TestOrderLines:
    def test_both_servers_stream_it_without_a_warning(self, client, run, auditor):
        client.force_login(auditor)
        asynchronous = AsyncClient()
        asynchronous.force_login(auditor)

        async def scene():
            response = await asynchronous.get(reverse("live:order-lines"))
            return response.is_async, b"".join([part async for part in response])

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            response = client.get(reverse("live:order-lines"))
            table = b"".join(response)
            is_async, same_table = run(scene)
        assert (response.streaming, response.is_async, is_async) == (True, False, True)
        assert table == same_table
        assert table.count(b"\r\n") == 4408
        assert response["Content-Disposition"] == 'attachment; filename="order-lines.csv"'

    def test_it_is_not_for_everybody(self, client, customer):
        assert client.get(reverse("live:order-lines")).status_code == 403
        client.force_login(customer)
        assert client.get(reverse("live:order-lines")).status_code == 403


def test_under_wsgi_an_asynchronous_stream_would_be_read_to_its_end_first():
    """Why `order_lines` has two iterators."""
    from django.http import StreamingHttpResponse

    async def lines():
        yield b"1"

    with pytest.warns(Warning, match="must consume asynchronous iterators"):
        assert list(StreamingHttpResponse(lines())) == [b"1"]


def test_under_asgi_a_synchronous_stream_would_be_read_to_its_end_first():
    from django.http import StreamingHttpResponse

    async def read():
        return [part async for part in StreamingHttpResponse(iter([b"1"]))]

    with pytest.warns(Warning, match="must consume synchronous iterators"):
        assert asyncio.run(read()) == [b"1"]
