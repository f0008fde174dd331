"""Web sockets and streams over real connections, and across processes by way of Valkey."""

START = """
import json, time, urllib.request
from contextlib import contextmanager
from lab import asgi, start, valkey
start()
from websockets.sync.client import connect
from channels.layers import get_channel_layer
from orders.models import Stock
from orders.restocking import restock

@contextmanager
def page(server, books):
    with connect(server.url.replace("http", "ws") + "/live/socket/stock/", origin=server.url) as socket:
        socket.send(json.dumps({"action": "subscribe", "books": books}))
        yield lambda: json.loads(socket.recv(timeout=20))["changes"]

def gone(patience=20):
    # The server has to notice first that nobody reads any more.
    deadline = time.monotonic() + patience
    while get_channel_layer().groups and time.monotonic() < deadline:
        time.sleep(0.01)
    return get_channel_layer().groups
"""


def test_what_comes_in_is_seen_by_every_page(python, has):
    has("asgi")
    script = START + (
        "before = Stock.objects.get(pk=1).quantity\n"
        "with asgi() as server, page(server, 'all') as one, page(server, [1]) as other:\n"
        "    print(len(one()), other()[0]['quantity'] == before)\n"
        "    restock(1, 5)\n"
        "    print(one() == other() == [{'book': 1, 'quantity': before + 5}])\n"
        "    restock(2, 5)\n"
        "    print(one()[0]['book'])\n"
        "print(gone())\n"
    )
    assert python(script) == "The bookshop is ready.\n162 True\nTrue\n2\n{}\n"


def test_it_works_from_a_cell_though_a_loop_runs_there(kernel, has):
    has("asgi")
    cell = START + (
        "with asgi() as server, page(server, [1]) as numbers:\n"
        "    before = numbers()[0]['quantity']\n"
        "    restock(1, 5)\n"
        "    print(numbers()[0]['quantity'] - before)\n"
        "    stock = Stock.objects.get(pk=1)\n"
        "    stock.quantity = 3\n"
        "    stock.save()\n"
        "    print(numbers()[0]['quantity'])\n"
    )
    outputs = kernel.run(cell)
    assert outputs.text.endswith("\n5\n3\n")
    assert outputs.stderr == ""


def test_a_page_of_another_site_is_refused(python, has):
    has("asgi")
    script = START + (
        "from channels.security.websocket import AllowedHostsOriginValidator\n"
        "from django.conf import settings\nsettings.ALLOWED_HOSTS = ['127.0.0.1']\n"
        "from websockets.exceptions import InvalidStatus\n"
        "with asgi() as server:\n"
        "    url = server.url.replace('http', 'ws') + '/live/socket/stock/'\n"
        "    for origin in (None, 'https://elsewhere.example'):\n"
        "        try:\n            connect(url, origin=origin)\n"
        "        except InvalidStatus as error:\n            print(error.response.status_code)\n"
    )
    assert python(script).endswith("\n403\n403\n")


def test_a_stream_follows_the_stock_until_its_reader_leaves(python, has):
    has("asgi")
    script = START + (
        "with asgi() as server:\n"
        "    with urllib.request.urlopen(server.url + '/live/events/') as stream:\n"
        "        print(stream.headers['Content-Type'], stream.readline())\n"
        "        left = restock(1, 5)\n"
        "        lines = [stream.readline().decode().strip() for _ in range(3)]\n"
        "        print(lines[1], json.loads(lines[2].partition(':')[2]) == [{'book': 1, 'quantity': left}])\n"
        "    print(gone())\n"
    )
    assert python(script).endswith("\ntext/event-stream b'retry: 3000\\n'\nevent: stock True\n{}\n")


def test_over_valkey_one_process_hears_of_another(python, has):
    has("asgi")
    has("valkey")
    script = START + (
        "import os, subprocess, sys\n"
        "other = '''\n"
        "from lab import start, valkey\nfrom lab.servers import caches\nstart()\n"
        "caches._valkey_program = lambda: None\n"
        "from orders.restocking import restock\n"
        "with valkey():\n    restock(1, 5)\n'''\n"
        "with valkey() as server, asgi() as web, page(web, [1]) as numbers:\n"
        "    before = numbers()[0]['quantity']\n"
        "    environment = {**os.environ, 'REDIS_URL': server.url}\n"
        "    subprocess.run([sys.executable, '-c', other], env=environment, check=True, stdout=subprocess.DEVNULL)\n"
        "    print(numbers()[0]['quantity'] - before)\n"
        "    restock(1, 2)\n"
        "    print(numbers()[0]['quantity'] - before)\n"
        "    layer = get_channel_layer()\n"
        "    print(type(layer).__name__, layer.hosts[0]['socket_timeout'] > layer.brpop_timeout)\n"
        "print(type(get_channel_layer()).__name__)\n"
    )
    assert python(script).endswith("\n5\n2\nRedisChannelLayer True\nInMemoryChannelLayer\n")
