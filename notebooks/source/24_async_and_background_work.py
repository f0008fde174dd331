# %% [markdown]
# # 24 · Async, real time, background work
#
# After this chapter you can say when an asynchronous view pays and what it must not do, push changes to a page over a web socket, and give work to
# a worker so that it is neither lost nor done twice.
#
# *Questions: Q61 asynchronous views · Q62 Channels and web sockets · Q63 background tasks.* Predict each output before you run its cell.
# [Exercises 24.1 to 24.8](../exercises/24_async_and_background_work.ipynb) follow.

# %%
from checks import quiz
from lab import asgi, db_worker, get, reset, scratch, start, valkey, worker

start()

# Django is set up now, so its models can be imported.
import asyncio
import json
import os
import re
import shutil
import sys
import threading
import time
import urllib.request
import warnings
from importlib.util import find_spec
from unittest import mock

import django
from accounts.models import User
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from asgiref.testing import ApplicationCommunicator
from catalog.models import Book
from channels.db import database_sync_to_async
from channels.exceptions import ChannelFull
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.security.websocket import OriginValidator
from channels.testing import WebsocketCommunicator
from config.asgi import application
from config.celery import app
from django.core.exceptions import SynchronousOnlyOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, override_settings
from django.urls import path
from live.consumers import StockConsumer
from live.streams import stock_events
from orders import background
from orders.checkout import place_order
from orders.models import Order, SentMail, Stock
from orders.restocking import restock
from orders.tasks import sales_report, send_receipt

# %% [markdown]
# ## Q61 · Serve with asynchronous views, and know when
#
# *Advanced · asked as T-A9*
#
# **Say it.** On an ASGI server Django runs an `async def` view in the event loop: one thread runs the views of many requests, as long as each of them awaits. That pays
# where views wait for other services, for streams, for web sockets. It makes neither Python nor the database faster. The ORM's `a`-methods run the same query
# in a thread. Transactions are synchronous, so the whole block goes into a function, called with `sync_to_async`. One synchronous middleware
# blocks a thread for every request.
#
# *What lifts it:* that a blocking call in an async view stops everybody, what happens when the client leaves, and a measurement before the move.

# %% [markdown]
# **See it.** A view has fifty slow calls to make, to other services, say. One view makes them in turn, the other at once. By which factor do they differ?

# %%
def in_turn(request):
    for _ in range(50):
        time.sleep(0.05)
    return HttpResponse("50 answers")


async def at_once(request):
    await asyncio.gather(*[asyncio.sleep(0.05) for _ in range(50)])
    return HttpResponse("50 answers")

# %%
async def seconds(url):
    started = time.perf_counter()
    await AsyncClient().get(url)
    return time.perf_counter() - started


with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("in-turn/", in_turn), path("at-once/", at_once))):
    slow = await seconds("/in-turn/")
    fast = min([await seconds("/at-once/") for _ in range(5)])
print(slow > 8 * fast)

# %% [markdown]
# Fifty pauses against one, and some work around it. Now the other way round: fifty **requests**, one slow call in each. Every view waits until all fifty have arrived. In how many threads
# do they wait, plain views and async ones?

# %%
met, amet = threading.Barrier(50), asyncio.Barrier(50)
alive = []


def plain(request):
    met.wait(timeout=50)
    return HttpResponse(threading.current_thread().name)


async def asynchronous(request):
    await amet.wait()
    alive.append(threading.active_count())
    return HttpResponse(threading.current_thread().name)

# %%
async def ask(handler, url):
    exchange = ApplicationCommunicator(handler, AsyncRequestFactory().get(url).scope)
    await exchange.send_input({"type": "http.request", "body": b""})
    await exchange.receive_output(timeout=50)
    body = (await exchange.receive_output(timeout=50))["body"]
    await exchange.wait(timeout=50)
    return body


async def fifty(url, *chain):
    with override_settings(MIDDLEWARE=chain, ROOT_URLCONF=(path("plain/", plain), path("async/", asynchronous))):
        handler = ASGIHandler()
        return await asyncio.gather(*[ask(handler, url) for _ in range(50)])


print(len(set(await fifty("/plain/"))), len(set(await fifty("/async/"))))

# %% [markdown]
# Django's ASGI handler gives each request [a thread of its own](https://docs.djangoproject.com/en/stable/topics/async/#asgiref.sync.sync_to_async) for what is synchronous: here fifty, with up to fifty
# connections to the database. Plain views under ASGI work; they do not become cheaper. What happens to the async view behind **one** synchronous middleware?

# %%
held = set()


def old_style(get_response):
    def middleware(request):
        held.add(threading.current_thread().name)
        return get_response(request)

    return middleware

# %%
class NewStyle:
    sync_capable, async_capable = False, True

    def __init__(self, get_response):
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request):
        held.add(threading.current_thread().name)
        return await self.get_response(request)


for name in ("old_style", "NewStyle"):
    held.clear()
    await fifty("/async/", f"__main__.{name}")
    print(name, len(held))

# %% [markdown]
# Fifty threads are blocked, and wait for fifty coroutines. Nothing says so but the log, where `DEBUG` is on: `django.request` has
# [a message](https://docs.djangoproject.com/en/stable/topics/async/#async-views) for each adapted middleware. Does it then take no thread without such a layer? Count those that **exist** while the async views wait, once with
# and once without Django's own signals:

# %%
async def fifty_more():
    alive.clear()
    before = threading.active_count()
    await fifty("/async/")
    return max(alive) - before >= 50


print(await fifty_more())
with mock.patch.object(request_started, "receivers", []), mock.patch.object(request_finished, "receivers", []):
    print(await fifty_more())

# %% [markdown]
# The receivers of `request_started`, such as `close_old_connections`, are synchronous, so each request gets its thread, and keeps it until it is answered. Behind an async chain that thread is idle;
# a synchronous layer blocks it, and adds two changes of thread. Async saves waiting more than it saves threads: measure before you promise.

# %% [markdown]
# **The ORM.** A notebook allows synchronous queries where a loop runs, by [a variable](https://docs.djangoproject.com/en/stable/topics/async/#async-safety) that has no place in production.
# Without it, which of the three is refused?

# %%
strict = mock.patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE="")

with strict:
    books = Book.objects.filter(slug="emma")
    print(await books.acount(), [book.title async for book in books])
    try:
        print(books.get().title)
    except SynchronousOnlyOperation as error:
        print(type(error).__name__)

# %% [markdown]
# Building a queryset asks nothing, so it needs no `await`; evaluating it does. `aget`, `acreate`, `asave`, `async for` are there. Are they
# asynchronous to the bottom? Three queries at once, and a witness around each:

# %%
log, threads = [], set()


def witness(execute, *arguments):
    log.append("in")
    threads.add(threading.current_thread())
    try:
        return execute(*arguments)
    finally:
        log.append("out")


await sync_to_async(lambda: connection.execute_wrappers.append(witness))()
await asyncio.gather(*[Book.objects.acount() for _ in range(3)])
await sync_to_async(lambda: connection.execute_wrappers.remove(witness))()
print(*log, "|", len(threads), threading.current_thread() in threads)

# %% [markdown]
# One after the other, in one thread beside the loop: it is `sync_to_async` around the synchronous method, and one connection. `gather` over queries
# of one request gains nothing; the loop only stays free for others. There is a hole: with `aiterator()`, one of these two runs its query in the loop. Which?

# %%
async def read(books):
    with strict:
        try:
            return len([row async for row in books.aiterator()])
        except SynchronousOnlyOperation as error:
            return type(error).__name__


books = Book.objects.order_by("pk")[:3]
print(await read(books.values("pk")), await read(books.values_list("pk")))

# %% [markdown]
# That is so in 5.2 and in 6.1: with `aiterator()` take `values()`, or `values_list()` with `flat` or `named`. And a transaction?

# %%
try:
    async with transaction.atomic():
        pass
except TypeError:
    print("no asynchronous atomic()")
with strict:
    try:
        with transaction.atomic():
            await Book.objects.acount()
    except SynchronousOnlyOperation:
        print("and the plain one is refused")
with transaction.atomic():
    print(connection.in_atomic_block, await sync_to_async(lambda: connection.in_atomic_block)())

# %% [markdown]
# The last line is why: what you await runs on another thread's connection, **outside** the block. So the transaction goes to the thread as a whole:

# %%
@sync_to_async
def move(source, target, copies):
    with transaction.atomic():
        Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
        Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)


before = Stock.objects.get(pk=1).quantity
try:
    await move(source=2, target=1, copies=10_000)
except IntegrityError:
    print("rolled back:", Stock.objects.get(pk=1).quantity == before)

# %% [markdown]
# **Streams** want an asynchronous generator. Under ASGI, what does Django do with a plain one? "made" is written when a line is made, "sent" when it leaves:

# %%
log = []


def lines():
    for _ in range(3):
        log.append("made")
        yield "a line\n"


async def alines():
    for line in lines():
        yield line

# %% reason="A server in a few lines: what it is sent is what is observed."
async def stream(made_by):
    log.clear()
    incoming = [{"type": "http.request", "body": b""}]

    async def receive():
        return incoming.pop() if incoming else await asyncio.Future()

    async def send(message):
        if message.get("body"):
            log.append("sent")

    view = path("", lambda request: StreamingHttpResponse(made_by()))
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(view,)), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await ASGIHandler()(AsyncRequestFactory().get("/").scope, receive, send)
    print(*log, [warning.category.__name__ for warning in caught])


await stream(lines)
await stream(alines)

# %% [markdown]
# The plain one is read to its end first, in memory, with a warning. Now a reader who leaves, at a real server. The shop's `/live/events/` waits in a group of listeners:

# %%
listeners = get_channel_layer().groups
with asgi() as server:
    with urllib.request.urlopen(f"{server.url}/live/events/") as reader:
        print(reader.headers["Content-Type"], reader.readline(), len(listeners))
        restock(1, 5)
        print([reader.readline().decode().strip() for _ in range(2)])
    while listeners:
        time.sleep(0.01)
print(len(listeners))

# %% [markdown]
# Django heard of the disconnect, cancelled the generator where it awaited, and its `finally` left the group. What about a thread that is at work then?

# %%
log, begun, go_on = [], threading.Event(), threading.Event()


def transfer():
    begun.set()
    go_on.wait(timeout=50)
    log.append("committed")


async def view():
    await sync_to_async(transfer)()
    log.append("answered")

# %%
request = asyncio.create_task(view())
while not begun.is_set():
    await asyncio.sleep(0.01)
request.cancel()
await asyncio.wait([request])
go_on.set()
while not log:
    await asyncio.sleep(0.01)
print(request.cancelled(), log)

# %% [markdown]
# A thread cannot be cancelled: the work is done, and nobody is told. So it has to be fit for being asked again, as in Q63.

# %% [markdown]
# **The trap.** "Async makes Django faster." Three views meet a ticker, which counts as often as the loop gets to it. Are there more than fifty ticks while each view runs?

# %%
def work():
    return sum(n * n for n in range(1_000_000))


async def waits():
    await asyncio.sleep(0.2)


async def computes():
    work()


async def blocks():
    time.sleep(0.2)

# %%
async def ticks_during(view):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    await view()
    ticker.cancel()
    return ticks


print([await ticks_during(view) > 50 for view in (waits, computes, blocks)])

# %% [markdown]
# While the other two ran, no other request of this loop could go on. Computing belongs into another process, a blocking library into a
# thread, here one of a pool and not the one that synchronous code of the request shares:

# %%
async def in_a_thread():
    await sync_to_async(time.sleep, thread_sensitive=False)(0.2)


print(await ticks_during(in_a_thread) > 50)

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *When does async help Django?* When much of a request is waiting for something other than the database, or connections stay open: several services asked at once,
#   streams, long polling, web sockets. It does not help for pages made of queries and templates, for computing, or with libraries that block.
# - *How do you run a transaction in an async view?* As one synchronous function with `atomic()`, called with `sync_to_async`. A plain `atomic()` in the loop's thread is refused;
#   where the safety is off, what is awaited inside runs outside of it. `ATOMIC_REQUESTS` refuses async views.
# - *What does a sync middleware do to the stack?* Django runs it in a thread, which is blocked while the view runs in the loop: one for each request, and two changes of thread.
#   Synchronous layers next to each other share the change. Django's own middleware can do both; look at what others wrote.

# %% [markdown]
# Two more that are asked. An async view under WSGI works. What does it lose? Two requests each way, and the loops they ran in:

# %%
loops = []


async def view(request):
    loops.append(asyncio.get_running_loop())
    return HttpResponse()


with override_settings(MIDDLEWARE=[], ROOT_URLCONF=(path("", view),)):
    print([get("/").status_code for _ in range(2)], len(set(loops)))
    loops.clear()
    print([(await AsyncClient().get("/")).status_code for _ in range(2)], len(set(loops)))

# %% [markdown]
# Under WSGI [each request has a loop of its own](https://docs.djangoproject.com/en/stable/topics/async/#async-views): calls of one view can overlap, requests
# cannot share a thread. And `request.user`, which is a query at the first look?

# %%
async def by_attribute(request):
    return HttpResponse(request.user.username)


async def by_auser(request):
    return HttpResponse((await request.auser()).username)


client = AsyncClient(raise_request_exception=False)
await client.aforce_login(await User.objects.aget(username="mira"))
with strict, override_settings(ROOT_URLCONF=(path("attribute/", by_attribute), path("auser/", by_auser))):
    reply = await client.get("/attribute/")
    print(reply.status_code, reply.exc_info[0].__name__)
    print((await client.get("/auser/")).text)

# %% [markdown]
# **Versions.** The ORM's `a`-methods are older than 5.2; `Paginator` got its asynchronous twin in 6.0. And the cache: before 6.1 `aincr()` reads, then writes, so counts that meet are lost. Since
# then it calls the `incr()` of a backend that has its own: memory, Redis, Memcached.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from django.core.paginator import AsyncPaginator

    page = await AsyncPaginator(Book.objects.order_by("pk"), 50).apage(2)
    print(await page.ahas_next(), len(await page.aget_object_list()))
else:
    print("Django 6.1 prints True 50")

# %% tags=["since-6.1"]
from django.core.cache import cache

await cache.aset("visits", 0)
await asyncio.gather(*[cache.aincr("visits") for _ in range(50)])
counted = await cache.aget("visits")
if django.VERSION >= (6, 1):
    print(counted)
else:
    print(f"Django 6.1 prints 50; this one counted {counted} of 50")

# %%
quiz("Q61")

# %% [markdown]
# Now [exercises 24.1 to 24.3](../exercises/24_async_and_background_work.ipynb).

# %% [markdown]
# ## Q62 · Push over web sockets, with Channels
#
# *Advanced · asked as T-I8*
#
# **Say it.** Django answers HTTP. For web sockets I add Channels: its router looks at the type of a connection, gives HTTP to Django and a web socket to a
# consumer, one object per connection, with methods for connect, receive and disconnect. To reach other connections, consumers join groups of a channel layer. In
# production that is Redis, as memory ends at the process. I check the `Origin` header and the user at the handshake, and use the ORM asynchronously.
#
# *What lifts it:* layers lose messages by design, slow clients need a limit, and often server-sent events or polling would do.

# %% [markdown]
# **See it.** What does Django itself do with a web socket? Then the shop's application, which has a router around Django:

# %%
async def connect(application, route, *headers):
    page = WebsocketCommunicator(application, route, headers=headers)
    try:
        return await page.connect()
    except ValueError as error:
        return type(error).__name__


ORIGIN = (b"origin", b"http://testserver")
print(await connect(ASGIHandler(), "/live/socket/stock/", ORIGIN))
print(await connect(application, "/live/socket/stock/", ORIGIN))

# %% [markdown]
# A consumer is a class, its instance one connection. This one passes on to everybody what anybody says. `WebsocketCommunicator` is a client for tests, without a
# server:

# %%
class Counter(AsyncJsonWebsocketConsumer):
    groups = ["counter"]

    async def receive_json(self, content):
        await self.channel_layer.group_send("counter", {"type": "sale.made", "title": content["title"]})

    async def sale_made(self, event):
        await self.send_json({"sold": event["title"]})


pages = [WebsocketCommunicator(Counter.as_asgi(), "/") for _ in range(2)]
print([(await page.connect())[0] for page in pages])
await pages[0].send_json_to({"title": "Emma"})
print([await page.receive_json_from(timeout=30) for page in pages])
for page in pages:
    await page.disconnect(timeout=30)
print("daphne" in sys.modules)

# %% [markdown]
# The last line: `channels.testing` imports Daphne, on whatever server you run. Tests need `channels[daphne]`. The layer's message has a `type`; its name with `_` for `.` is the [method that is called](https://channels.readthedocs.io/en/stable/topics/consumers.html). The class attribute
# `groups` joins and leaves by itself. Now for real: uvicorn, two clients over TCP, and a delivery in the shop. Who hears of it?

# %%
from websockets.sync.client import connect as open_socket

with asgi() as server:
    address = server.url.replace("http", "ws") + "/live/socket/stock/"
    with open_socket(address, origin=server.url) as one, open_socket(address, origin=server.url) as other:
        for page, books in ((one, [1, 2]), (other, "all")):
            page.send(json.dumps({"action": "subscribe", "books": books}))
            print(len(json.loads(page.recv(timeout=30))["changes"]), "books")
        left = restock(1, 5)
        for page in (one, other):
            print(json.loads(page.recv(timeout=30))["changes"] == [{"book": 1, "quantity": left}])

# %% [markdown]
# `restock()` is plain synchronous code that knows no socket: after its commit a receiver tells the group of that book, with `group_send`. The same in a browser. Is the number on the page
# the new one, without a reload?

# %% reason="A browser is started, shown a page, and watched."
chromium = shutil.which("chromium") or shutil.which("google-chrome")
if find_spec("playwright") and chromium:
    from playwright.async_api import async_playwright

    with asgi() as server:
        async with async_playwright() as tools:
            browser = await tools.chromium.launch(executable_path=chromium)
            page = await browser.new_page()
            await page.goto(f"{server.url}/live/")
            await page.locator("#live-state[data-state=connected]").wait_for()
            left = restock(1, 5)
            await page.locator("tr[data-book='1'] .number", has_text=str(left)).wait_for()
            print(await page.locator("#live-news").inner_text() == f"{Book.objects.get(pk=1)}: {left} left")
            await browser.close()
else:
    print("This cell drives Chromium with Playwright: pip install playwright, and a Chromium.")

# %% [markdown]
# Try it with your hands, in a cell of your own: `server = asgi()`, `server.start()`, and `/live/` below `server.url` in two windows. `restock(1, 5)` moves both; `server.stop()` ends it.
#
# **Between processes.** Another process sends to the group `stock`. Which layer carries it over to this one?

# %%
TELL = """
import asyncio, os
from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer
url = os.environ.get("REDIS_URL")
layer = RedisChannelLayer(hosts=[url]) if url else InMemoryChannelLayer()
change = {"type": "stock.changed", "changes": [{"book": 1, "quantity": 77}]}
asyncio.run(layer.group_send("stock", change))
"""
elsewhere = scratch()
elsewhere.write("tell.py", TELL)

# %%
async def hears(**environment):
    page = WebsocketCommunicator(StockConsumer.as_asgi(), "/")
    await page.connect()
    await page.send_json_to({"action": "subscribe", "books": "all"})
    await page.receive_json_from(timeout=30)
    elsewhere.output("python tell.py", **environment)
    # What is said here comes after what was said there.
    restock(2, 1)
    first = await page.receive_json_from(timeout=30)
    await page.disconnect(timeout=30)
    return first["changes"][0]["book"]

# %%
print("in memory, the first that is heard is of book", await hears())
with valkey() as server:
    print("on Valkey, the first that is heard is of book", await hears(REDIS_URL=server.url))

# %% [markdown]
# In memory the other process spoke to itself, without an error. With two web workers, every piece of news would miss those who are connected to the other one.

# %% [markdown]
# **Who is there?** Any page on the Internet [may open a web socket](https://channels.readthedocs.io/en/stable/topics/security.html) to the shop. No CSRF token is asked for, and cookies come along as far as `SameSite` lets
# them, so from every subdomain: the server has to look at `Origin`. `AuthMiddlewareStack` puts the user into `scope["user"]`. The feed of new orders is for the staff. What do these four get?

# %%
async def knock(name, origin=b"http://testserver"):
    client = Client()
    if name:
        client.force_login(User.objects.get(username=name))
    cookie = client.cookies.output(header="", sep=";").strip().encode()
    page = WebsocketCommunicator(
        OriginValidator(application, ["http://testserver"]),
        "/live/socket/orders/",
        headers=[(b"origin", origin), (b"cookie", cookie)],
    )
    accepted, code = await page.connect(timeout=30)
    return await page.receive_output(timeout=30) if accepted else "refused"

# %%
for name in (None, "anna", "ida"):
    answer = await knock(name)
    print(name, answer.get("code") or answer.get("text"))
print("ida", await knock("ida", b"https://elsewhere.example"))

# %% [markdown]
# From another site not even the handshake succeeds. The shop accepts before it closes with 4401 or 4403: closed **before** it is accepted, a socket is
# [refused with HTTP 403](https://asgi.readthedocs.io/en/stable/specs/www.html#close-send-event), and a browser's script learns no reason.

# %% [markdown]
# **Too much, too fast.** A layer keeps a number of messages for each channel. What becomes of the rest?

# %%
layer = InMemoryChannelLayer(capacity=3)
name = await layer.new_channel()
await layer.group_add("stock", name)
for n in range(5):
    await layer.group_send("stock", {"type": "stock.changed", "n": n})
try:
    await layer.send(name, {"type": "stock.changed"})
except ChannelFull:
    print("ChannelFull")
print([(await layer.receive(name))["n"] for _ in range(3)])

# %% [markdown]
# Dropped, and `group_send` raises nothing: delivery is [at most once](https://channels.readthedocs.io/en/stable/topics/channel_layers.html). And a client that does not read? A consumer that awaits its `send` waits too, and
# its channel fills. The shop's puts messages into a queue with an end:

# %% reason="A client that never reads has to be played: the server's `send` gets stuck."
class Impatient(StockConsumer):
    capacity = 3


async def overfeed():
    incoming, stuck, sent = asyncio.Queue(), asyncio.Event(), []

    async def send(message):
        sent.append(f"{message['type']} {int(message.get('code', 0)) or ''}".strip())
        if message["type"] == "websocket.send":
            await stuck.wait()

    incoming.put_nowait({"type": "websocket.connect"})
    for _ in range(10):
        incoming.put_nowait({"type": "websocket.receive", "text": "?"})
    await Impatient.as_asgi()({"type": "websocket", "path": "/", "headers": []}, incoming.get, send)
    return sent


print(*await overfeed(), sep="\n")

# %% [markdown]
# One message is on its way, three wait, and with the next the client is let go, with a code of the shop's own. It comes back and asks for the state, which is less than all it has missed.

# %% [markdown]
# **The trap.** "Django supports web sockets, with ASGI" is refuted above. The other one: an async consumer that asks the ORM as a view would. It fails, or, where the safety is off, it blocks every connection
# of the process:

# %%
class Shelf(AsyncJsonWebsocketConsumer):
    def copies(self):
        return Stock.objects.get(pk=1).quantity

    async def receive_json(self, content):
        copies = self.copies() if content["plain"] else await database_sync_to_async(self.copies)()
        await self.send_json({"copies": copies})


async def copies(plain, patience):
    page = WebsocketCommunicator(Shelf.as_asgi(), "/")
    await page.connect()
    await page.send_json_to({"plain": plain})
    return (await page.receive_json_from(timeout=patience))["copies"]

# %%
with mock.patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE=""):
    try:
        await copies(plain=True, patience=2)  # an error comes out when the waiting ends
    except SynchronousOnlyOperation as error:
        print(type(error).__name__)
print(await copies(plain=False, patience=30) == Stock.objects.get(pk=1).quantity)

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *SSE, web socket, or polling?* Polling for what may be late: any server, any cache. Server-sent events for news in one direction: plain HTTP, which the browser reconnects by itself. A web socket where the client talks too, and often.
#   An open stream holds a worker or one of its threads under WSGI; a web socket needs ASGI.
# - *Why a Redis channel layer?* Consumers live in many processes, and views or workers want to reach them. Memory ends at the process; Redis is in the middle. What it loses is lost, so a page asks for the
#   state when it connects.
# - *How do you scale and authenticate sockets?* More processes behind a proxy that lets connections live, all on one layer; limits per client, heartbeats, reconnecting with a random pause. Session cookie plus `Origin`
#   for browsers, a short-lived token for others; asked at the handshake, so end the socket at logout.

# %% [markdown]
# Server-sent events in the shop are a view with an asynchronous generator on the same group. What does a reader get?

# %%
stream = stock_events(get_channel_layer())
print(repr(await anext(stream)))
left = restock(1, 5)
event = await anext(stream)
print(repr(event.replace(str(left), "…")))
await stream.aclose()
reset()

# %% [markdown]
# And "asked at the handshake": a bookseller opens the feed, and is then no longer staff. Does she hear of the next order?

# %%
ida, anna = User.objects.get(username="ida"), User.objects.get(username="anna")
client = Client()
client.force_login(ida)
cookie = client.cookies.output(header="", sep=";").strip().encode()
page = WebsocketCommunicator(application, "/live/socket/orders/", headers=[ORIGIN, (b"cookie", cookie)])
await page.connect(timeout=30)
print(await page.receive_json_from(timeout=30))
User.objects.filter(pk=ida.pk).update(is_staff=False)
place_order(anna, {2: 1})
print((await page.receive_json_from(timeout=30))["customer"])
await page.disconnect(timeout=30)
reset()

# %% [markdown]
# She does, until the socket closes. Where that matters, tell her consumer to close, through a group of its own.

# %%
quiz("Q62")

# %% [markdown]
# Now [exercises 24.4 to 24.6](../exercises/24_async_and_background_work.ipynb).

# %% [markdown]
# ## Q63 · Give work to a worker, and lose none of it
#
# *Advanced · asked as T-I4*
#
# **Say it.** What a visitor need not wait for goes to a queue: the view puts a small message there, a worker process runs the task. With Celery I pass keys,
# not objects, and queue after the commit, with `delay_on_commit`, or the worker finds no row yet. A task may be lost with its worker, or,
# acknowledged late, come again: tasks must bear being run twice. Failures that pass are retried with growing pauses, and limits end what hangs. Django 6.0 has an interface for tasks, `django.tasks`, without a worker.
#
# *What lifts it:* when a message is acknowledged, what a killed worker leaves, and what the eager mode of the tests never shows.

# %% [markdown]
# **See it.** A real worker in a process of its own, with Valkey between. The receipt of an order is sent twice, on purpose. What do the two tasks return, and what if the whole order is the argument?

# %%
order = Order.objects.get(pk=1400)
with worker():
    results = [send_receipt.delay(order.pk) for _ in range(2)]
    print(sorted(result.get(timeout=50) for result in results))
    try:
        send_receipt.delay(order)
    except Exception as error:
        print(type(error).__name__)

# %% [markdown]
# A message is JSON, and an object is none; a key is. The worker reads the row as it is **then**. One of the two sent the letter, the other found it sent: the key of the letter is
# written first, in the transaction that the sending is part of, and a constraint admits it once.
#
# **Retry.** Tasks live in modules that a worker can import. Here is one more. What does it return, and after which pauses?

# %%
workshop = scratch()
sys.path.append(str(workshop.path))
BINDERY = """
import time
from celery.exceptions import SoftTimeLimitExceeded
from config.celery import app

PATIENT = {"autoretry_for": (ConnectionError,), "retry_backoff": 1, "retry_jitter": False}

@app.task(bind=True, **PATIENT, max_retries=2)
def call_supplier(self, busy):
    if self.request.retries < busy:
        raise ConnectionError("The line is busy.")
    return f"answered call {self.request.retries + 1}"
"""
workshop.write("bindery.py", BINDERY)

# %%
with worker("bindery:app") as crew:
    from bindery import call_supplier

    print(call_supplier.delay(busy=2).get(timeout=50))
    print(re.findall(r"Retry in (\d+)s", crew.log))
    failed = call_supplier.delay(busy=9)
    print(type(failed.get(timeout=50, propagate=False)).__name__, failed.state)

# %% [markdown]
# One second, two, four, up to `retry_backoff_max`. In the shop `retry_jitter` stays on, its default, and draws each pause, lest all come back at once. After `max_retries` the error is the result. An error not
# named in `autoretry_for`, such as a row that does not exist, fails at once: patience does not help there.
#
# **Limits.** Two tasks never end. Which of them can clean up?

# %%
LIMITS = """
@app.task(soft_time_limit=1, time_limit=50)
def bind_gently():
    try:
        while True:
            time.sleep(0.05)
    except SoftTimeLimitExceeded:
        return "put away"

@app.task(time_limit=1)
def bind_for_ever():
    while True:
        time.sleep(0.05)
"""
workshop.write("limits.py", BINDERY + LIMITS)

# %%
with worker("limits:app", pool="prefork", concurrency=1):
    from limits import bind_for_ever, bind_gently

    print(bind_gently.delay().get(timeout=50))
    print(type(bind_for_ever.delay().get(timeout=50, propagate=False)).__name__)

# %% [markdown]
# The soft limit raises in the task, the hard one kills the process, and the worker starts another. Both together need [processes](https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits), the pool
# `prefork`: gevent has the hard one only, and threads cannot be stopped.
#
# **A killed worker.** Both tasks kill their own process, the first time. One acknowledges its message before the work, as is the default, the other after. Which one is done in the end?

# %%
MISHAPS = """
import os, signal
from config.celery import app
from django.core.cache import cache

def struck(name):
    cache.add(name, 0)
    if cache.incr(name) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{name}: done, begun {cache.get(name)} times"

@app.task
def early():
    return struck("early")

@app.task(acks_late=True, reject_on_worker_lost=True)
def late():
    return struck("late")
"""
workshop.write("mishaps.py", MISHAPS)

# %%
with valkey(), worker("mishaps:app", pool="prefork", concurrency=1):
    from mishaps import early, late

    print(type(early.delay().get(timeout=50, propagate=False)).__name__)
    print(late.delay().get(timeout=50))

# %% [markdown]
# Without `reject_on_worker_lost` a task whose process dies is acknowledged, `acks_late` or not: Celery [says](https://docs.celeryq.dev/en/stable/userguide/tasks.html#Task.reject_on_worker_lost) that a
# task which kills its worker would otherwise come back for ever. When the whole machine goes, Redis delivers what was not acknowledged again, after the
# [`visibility_timeout`](https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html#visibility-timeout), one hour by default.
#
# **A chord.** Genres side by side, then one summary, when all have been counted. And what is the state of a task that nobody has ever queued?

# %%
with worker():
    summary = sales_report(2026, 6).delay().get(timeout=50)
    print(len(summary["genres"]), summary["genres"][0])
    print(app.AsyncResult("never-queued").state)

# %% [markdown]
# PENDING means "I know nothing"; and [results expire](https://docs.celeryq.dev/en/stable/userguide/configuration.html#result-expires), after a day by default. The parts' results are counted in the result backend. One part that fails is [the end of the chord](https://docs.celeryq.dev/en/stable/userguide/canvas.html#error-handling): the summary is not called. **By the clock**, `beat` is a process that
# only queues. There must be one of it, or everything comes twice:

# %%
print(*[f"{name}: {entry['schedule']}" for name, entry in app.conf.beat_schedule.items()], sep="\n")
TICKS = """
from config.celery import app
from django.core.cache import cache

@app.task
def tick():
    cache.add("ticks", 0)
    cache.incr("ticks")

app.conf.beat_schedule["tick"] = {"task": "clock.tick", "schedule": 0.1}
"""
workshop.write("clock.py", TICKS)

# %%
with valkey(), worker("clock:app", "--beat"):
    from django.core.cache import cache

    while cache.get("ticks", 0) < 3:
        time.sleep(0.02)
    print("three ticks")

# %% [markdown]
# **The trap.** A view inside `atomic()`, or with `ATOMIC_REQUESTS`, saves an order and queues its receipt. The worker is quick. What does it find, before the commit?

# %%
anna = User.objects.get(username="anna")


def save_order(number):
    return Order.objects.create(customer=anna, number=number, placed_at=Order.objects.latest("placed_at").placed_at)


with worker():
    with transaction.atomic():
        early_bird = save_order("2026-900001")
        result = send_receipt.delay(early_bird.pk)
        print(type(result.get(timeout=50, propagate=False)).__name__)

# %% [markdown]
# The row was there for us alone. Where the commit is faster nobody notices, so it shows rarely, and under load. `delay_on_commit` waits for the commit, and a rollback queues nothing:

# %%
with worker() as crew:
    with transaction.atomic():
        patient = save_order("2026-900002")
        send_receipt.delay_on_commit(patient.pk)
    with transaction.atomic():
        send_receipt.delay_on_commit(save_order("2026-900003").pk)
        transaction.set_rollback(True)
    # A queue keeps its order: what was queued before this has arrived when this is done.
    print(send_receipt.delay(1398).get(timeout=50), crew.log.count("] received"), "messages")
    while not SentMail.objects.filter(key="receipt:2026-900002").exists():
        time.sleep(0.02)

# %% [markdown]
# Two: the order's and the last one. `delay_on_commit` returns None, as there is no result to ask for yet. And why do tests not find it? They run tasks eagerly, in the same transaction:

# %%
print(app.conf.task_always_eager)
with transaction.atomic():
    result = send_receipt.delay(save_order("2026-900004").pk)
    print(result.state, result.get())
reset()

# %% [markdown]
# On the connection that has the open transaction the row is found. So let some tests have a real worker, or look at what was published when.

# %% [markdown] reason="Three questions, each with a full answer."
# **Asked next**
#
# - *How do you make tasks idempotent?* Give the effect a key, and let a unique constraint decide who does it, in one transaction with the effect; or write so that twice is as once: set a state where it is
#   still the old one, do not add. Towards services outside, send the key along, where they take one.
# - *`acks_late` and the visibility timeout?* By default a message is acknowledged before the work, so a worker that dies loses it. `acks_late` does it after, and the message of a worker that is gone comes again; for one process of a pool that is killed, set `reject_on_worker_lost` as well. On Redis, what is not acknowledged in the visibility timeout
#   goes to another worker, even though the first still works, so it must exceed the longest task and the longest `countdown`.
# - *Tasks framework or Celery?* `django.tasks` gives libraries and apps one way to queue, with a backend of your choice; with one on the same database, queue and rows commit together, and there is no broker to run. That is enough for letters and thumbnails.
#   Retries with pauses, chords, schedules and limits are Celery's.

# %% [markdown]
# Idempotent by state: which of two deliveries pays the order?

# %%
def pay(pk):
    unpaid = Order.objects.filter(pk=pk, status=Order.Status.OPEN)
    return unpaid.update(status=Order.Status.PAID) == 1


pk = Order.objects.filter(status=Order.Status.OPEN).first().pk
print([pay(pk) for _ in range(2)])
reset()

# %% [markdown]
# Of two that pay at once, too, the condition in the `UPDATE` lets one through.
#
# **Django's own.** A task of the shop for `django.tasks`, with two backends, and once for an order that does not exist. Which statuses do you expect, before there is a worker and after?

# %%
queue = background.send_receipt.using(backend="database")
at_once = background.send_receipt.enqueue(1399)
queued, missing = queue.enqueue(1400), queue.enqueue(99_999)
print(at_once.status.value, at_once.return_value, queued.status.value)
with db_worker("database"):
    for result in (queued, missing):
        while not result.is_finished:
            time.sleep(0.02)
            result.refresh()
print(queued.status.value, queued.return_value)
print(missing.status.value, missing.errors[0].exception_class_path, missing.attempts)

# %% [markdown]
# The default backend, `ImmediateBackend`, is no queue: the visitor waits. The other one is a package, [django-tasks-db](https://pypi.org/project/django-tasks-db/), with a command for the worker. A failure is a status, tried once: to retry is your
# own work. What of a transaction that is rolled back?

# %%
from django_tasks_db.models import DBTaskResult

before = DBTaskResult.objects.count()
with transaction.atomic():
    queue.enqueue(1400)
    transaction.set_rollback(True)
print(DBTaskResult.objects.count() - before, "queued")

# %% [markdown]
# The queue was rolled back with the rest, as it is in the same database: no `on_commit`, and no broker.
#
# **Versions.** `django.tasks` is in Django since 6.0, with two backends: one runs at once, one runs nothing. For 5.2 there is the package `django-tasks`, which the shop uses there. In 6.1
# [tasks and results can be pickled](https://docs.djangoproject.com/en/6.1/releases/6.1/), and `@task` hands what it does not know to the backend.

# %% tags=["since-6.1"]
if django.VERSION >= (6, 0):
    from pkgutil import iter_modules

    import django.tasks.backends

    print(*[module.name for module in iter_modules(django.tasks.backends.__path__)])
    dummy = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    with override_settings(TASKS=dummy):
        status = background.send_receipt.enqueue(1398).status.value
    print(status, SentMail.objects.filter(key__endswith="1398").count())
else:
    print("Django 6.1 prints base dummy immediate, then READY 0")

# %%
reset()
quiz("Q63")

# %% [markdown]
# Now [exercises 24.7 and 24.8](../exercises/24_async_and_background_work.ipynb), then chapter
# [25 · Deployment](25_deployment.ipynb).
