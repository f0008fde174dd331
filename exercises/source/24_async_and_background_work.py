# %%
from checks import check, hint, solution
from lab import start

start()

# Django is set up now, so its models can be imported.
import asyncio
import functools
import os
from contextlib import contextmanager
from unittest import mock

from asgiref.sync import async_to_sync, sync_to_async
from catalog.models import Book
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import InMemoryChannelLayer, channel_layers
from channels.testing import WebsocketCommunicator
from config.celery import app
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from orders.models import Order, SentMail, Stock
from orders.tasks import send_receipt

# %% [markdown] exercise="24.1"
# ### 24.1 Ask everybody at once
#
# Write `async def ask_all(suppliers, ask)`. It awaits `ask(name)` for each name, all at the same time, and returns a dictionary in the order of the names. Where one
# raises an `OSError`, its value is None, and the others are not disturbed. Any other exception is a bug, and gets out.

# %% exercise="24.1" role="check"
def observe(answer):
    async def case(names, ask):
        try:
            async with asyncio.timeout(2):
                return list((await answer(names, ask)).items())
        except TimeoutError:
            return "never came to an end"
        except Exception as error:
            errors = getattr(error, "exceptions", [error])
            return "raised " + ", ".join(type(one).__name__ for one in errors)

    async def together():
        met = asyncio.Barrier(4)

        async def ask(name):
            await met.wait()
            return len(name)

        return await case(["Northlight", "Harbour", "Pavilion", "Mill"], ask)

    async def backwards():
        gates = {name: asyncio.Event() for name in "abc"}
        gates["c"].set()

        async def ask(name):
            await gates[name].wait()
            before = chr(ord(name) - 1)
            if before in gates:
                gates[before].set()
            return name.upper()

        return await case(["a", "b", "c"], ask)

    async def troubled():
        late = []

        async def ask(name):
            if name in "xy":
                raise {"x": ConnectionRefusedError, "y": TimeoutError}[name]
            await asyncio.sleep(0.02)
            late.append(name)
            return 0

        return await case(["x", "a", "y", "b"], ask), sorted(late)

    async def broken():
        async def ask(name):
            await asyncio.sleep(0)
            return {}[name]

        return await case(["a"], ask)

    async def nobody():
        return await case([], together)

    steps = {
        "four that wait for each other": together,
        "the last answers first": backwards,
        "two are away": troubled,
        "a bug in one": broken,
        "no names": nobody,
    }
    return {name: asyncio.run(step()) for name, step in steps.items()}

# %% exercise="24.1" role="answer" seconds=20
async def ask_all(suppliers, ask):
    # solution
    async def answer(name):
        try:
            return await ask(name)
        except OSError:
            return None

    answers = await asyncio.gather(*[answer(name) for name in suppliers])
    return dict(zip(suppliers, answers))
    # end


check("24.1")

# %% exercise="24.1" role="alternative" note="A `TaskGroup` waits for all and cancels the rest when a bug gets out, which `gather` does not: there the others run on unattended."
async def ask_all(suppliers, ask):
    async def answer(name):
        try:
            return await ask(name)
        except OSError:
            return None

    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(answer(name)) for name in suppliers}
    return {name: task.result() for name, task in tasks.items()}

# %% exercise="24.1" role="alternative" note="`return_exceptions=True` collects the failures as values. Then the bugs must be sorted out by hand, or they are lost."
async def ask_all(suppliers, ask):
    answers = await asyncio.gather(*[ask(name) for name in suppliers], return_exceptions=True)
    found = {}
    for name, answer in zip(suppliers, answers):
        if isinstance(answer, OSError):
            answer = None
        elif isinstance(answer, BaseException):
            raise answer
        found[name] = answer
    return found

# %% exercise="24.1" role="mistake" says="Each is awaited before the next is asked, so those who wait for each other never meet. Start all, then wait: `gather`, or a `TaskGroup`."
async def ask_all(suppliers, ask):
    found = {}
    for name in suppliers:
        try:
            found[name] = await ask(name)
        except OSError:
            found[name] = None
    return found

# %% exercise="24.1" role="mistake" says="One supplier that is away is the end for all. Catch the error around each single call."
async def ask_all(suppliers, ask):
    answers = await asyncio.gather(*[ask(name) for name in suppliers])
    return dict(zip(suppliers, answers))

# %% exercise="24.1" role="mistake" says="Every exception becomes None, so a bug looks like a supplier that is away. Catch `OSError` and no more."
async def ask_all(suppliers, ask):
    answers = await asyncio.gather(*[ask(name) for name in suppliers], return_exceptions=True)
    return {name: None if isinstance(answer, Exception) else answer for name, answer in zip(suppliers, answers)}

# %% exercise="24.1" role="mistake" says="The dictionary is in the order in which the answers came. Ask in any order, but put them together in that of the names."
async def ask_all(suppliers, ask):
    found = {}

    async def answer(name):
        try:
            found[name] = await ask(name)
        except OSError:
            found[name] = None

    await asyncio.gather(*[answer(name) for name in suppliers])
    return found

# %% exercise="24.1" role="mistake" says="The `try` is around the whole: when one is away, all answers are None."
async def ask_all(suppliers, ask):
    try:
        answers = await asyncio.gather(*[ask(name) for name in suppliers])
    except OSError:
        answers = [None] * len(suppliers)
    return dict(zip(suppliers, answers))

# %% exercise="24.1" role="hint"
# A small coroutine for one supplier, with the `try` in it.
# %% exercise="24.1" role="hint"
# `asyncio.gather(*coroutines)` returns the results in the order of the arguments.

# %% [markdown] exercise="24.2"
# ### 24.2 A transaction in an async view
#
# Write `async def move(source, target, copies)`: it takes copies of the book `source` off the shelf and puts them to `target`, both or neither, and returns the pair of the new
# quantities. A constraint of the database keeps quantities at zero or more; its `IntegrityError` gets out. No query may run in the thread of the event loop.

# %% exercise="24.2" role="check"
def observe(answer):
    def quantities():
        return list(Stock.objects.filter(pk__in=[1, 2]).order_by("pk").values_list("quantity", flat=True))

    def call(*arguments):
        try:
            with mock.patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE=""):
                returned = asyncio.run(answer(*arguments))
            returned = tuple(returned) if isinstance(returned, (tuple, list)) else returned
        except Exception as error:
            returned = f"raised {type(error).__name__}"
        return {"returned": returned, "on the shelf": quantities()}

    Stock.objects.filter(pk=1).update(quantity=10)
    Stock.objects.filter(pk=2).update(quantity=4)
    return {
        "3 from the first to the second": call(1, 2, 3),
        "all the rest": call(1, 2, 7),
        "one more": call(1, 2, 1),
        "and back, too many": call(2, 1, 15),
        "5 back": call(2, 1, 5),
    }

# %% exercise="24.2" role="answer" datasets=["shop"] seconds=20
async def move(source, target, copies):
    # solution
    @sync_to_async
    def in_one_transaction():
        with transaction.atomic():
            Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
            Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
            found = dict(Stock.objects.filter(pk__in=[source, target]).values_list("pk", "quantity"))
        return found[source], found[target]

    return await in_one_transaction()
    # end


check("24.2")

# %% exercise="24.2" role="alternative" note="The decorator `atomic` below that of `sync_to_async`: the same in two lines. The rows are locked in the order of their keys, so that two moves cannot deadlock."
@sync_to_async
@transaction.atomic
def move(source, target, copies):
    rows = {stock.pk: stock for stock in Stock.objects.select_for_update().filter(pk__in=[source, target]).order_by("pk")}
    rows[target].quantity += copies
    rows[target].save(update_fields=["quantity"])
    rows[source].quantity -= copies
    rows[source].save(update_fields=["quantity"])
    return rows[source].quantity, rows[target].quantity

# %% exercise="24.2" role="alternative" note="The variant of Channels, which also closes connections that are too old: for code outside of a request, where nobody else does."
async def move(source, target, copies):
    def both():
        with transaction.atomic():
            for pk, change in ((source, -copies), (target, copies)):
                Stock.objects.filter(pk=pk).update(quantity=F("quantity") + change)
            return [Stock.objects.get(pk=pk).quantity for pk in (source, target)]

    return await database_sync_to_async(both)()

# %% exercise="24.2" role="mistake" says="Two awaited updates are two transactions: when the second is refused, the first stays. Put both into one function with `atomic()`, and that into a thread."
async def move(source, target, copies):
    await Stock.objects.filter(pk=target).aupdate(quantity=F("quantity") + copies)
    await Stock.objects.filter(pk=source).aupdate(quantity=F("quantity") - copies)
    return (await Stock.objects.aget(pk=source)).quantity, (await Stock.objects.aget(pk=target)).quantity

# %% exercise="24.2" role="mistake" says="`atomic()` begins in the thread of the loop, which is refused. A transaction is synchronous from its beginning to its end."
async def move(source, target, copies):
    with transaction.atomic():
        await Stock.objects.filter(pk=target).aupdate(quantity=F("quantity") + copies)
        await Stock.objects.filter(pk=source).aupdate(quantity=F("quantity") - copies)
    return (await Stock.objects.aget(pk=source)).quantity, (await Stock.objects.aget(pk=target)).quantity

# %% exercise="24.2" role="mistake" says="`atomic()` is no asynchronous context manager. Call a synchronous function with `sync_to_async`."
async def move(source, target, copies):
    async with transaction.atomic():
        await Stock.objects.filter(pk=target).aupdate(quantity=F("quantity") + copies)
        await Stock.objects.filter(pk=source).aupdate(quantity=F("quantity") - copies)
    return (await Stock.objects.aget(pk=source)).quantity, (await Stock.objects.aget(pk=target)).quantity

# %% exercise="24.2" role="mistake" says="The function is called at once, in the thread of the loop. Give `sync_to_async` the function, and call what it returns."
async def move(source, target, copies):
    def in_one_transaction():
        with transaction.atomic():
            Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
            Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
            return Stock.objects.get(pk=source).quantity, Stock.objects.get(pk=target).quantity

    return await sync_to_async(in_one_transaction())

# %% exercise="24.2" role="mistake" says="The error is caught inside, so the caller never hears that nothing was moved. Let the `IntegrityError` out."
async def move(source, target, copies):
    @sync_to_async
    def in_one_transaction():
        try:
            with transaction.atomic():
                Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
                Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
        except IntegrityError:
            pass
        return Stock.objects.get(pk=source).quantity, Stock.objects.get(pk=target).quantity

    return await in_one_transaction()

# %% exercise="24.2" role="mistake" says="It is all in a thread, but each statement is a transaction of its own: the refused one leaves the other behind. `atomic()` is missing."
async def move(source, target, copies):
    @sync_to_async
    def both():
        Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
        Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
        return Stock.objects.get(pk=source).quantity, Stock.objects.get(pk=target).quantity

    return await both()

# %% exercise="24.2" role="mistake" says="The quantities come in the order of the keys: moved the other way round, the pair is the wrong way round. First the source, then the target."
async def move(source, target, copies):
    @sync_to_async
    @transaction.atomic
    def both():
        Stock.objects.filter(pk=source).update(quantity=F("quantity") - copies)
        Stock.objects.filter(pk=target).update(quantity=F("quantity") + copies)
        return tuple(Stock.objects.filter(pk__in=[source, target]).order_by("pk").values_list("quantity", flat=True))

    return await both()

# %% exercise="24.2" role="hint"
# Write it as a synchronous function first, with `transaction.atomic()`.
# %% exercise="24.2" role="hint"
# `await sync_to_async(function)(argument)`; or `@sync_to_async` above it.

# %% [markdown] exercise="24.3"
# ### 24.3 A stream that leaves nothing behind
#
# Write the asynchronous generator `feed(queue, listeners)` for a `StreamingHttpResponse`. It adds its queue to the set `listeners`, and only then gives `"retry: 3000\n\n"`; then, for each text in
# the `queue`, `f"data: {text}\n\n"`, as soon as it is there. None in the queue is the end. However it ends, by None, an exception, or a reader who leaves, its queue is no longer in `listeners`.

# %% exercise="24.3" role="check"
def observe(answer):
    async def part(stream):
        try:
            async with asyncio.timeout(2):
                return await anext(stream)
        except StopAsyncIteration:
            return "the end"
        except TimeoutError:
            return "nothing came"

    async def to_the_end():
        queue, listeners = asyncio.Queue(), set()
        for text in ("Emma: 3", "", "We: 0", None, "too late"):
            queue.put_nowait(text)
        stream = answer(queue, listeners)
        return [await part(stream), len(listeners), *[await part(stream) for _ in range(4)], len(listeners)]

    async def leaves_at_once():
        queue, listeners = asyncio.Queue(), set()
        stream = answer(queue, listeners)
        seen = [await part(stream), len(listeners)]
        await stream.aclose()
        return [*seen, len(listeners)]

    async def as_they_come():
        queue, listeners = asyncio.Queue(), set()
        stream = answer(queue, listeners)
        seen = [await part(stream)]
        for text in ("one", "two"):
            queue.put_nowait(text)
            seen.append(await part(stream))
        await stream.aclose()
        return [*seen, len(listeners)]

    async def reader_leaves():
        queue, listeners, other = asyncio.Queue(), set(), object()
        listeners.add(other)
        stream = answer(queue, listeners)
        await part(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        seen = [len(listeners)]
        waiting.cancel()
        try:
            seen.append(f"after cancelling: {await waiting}")
        except asyncio.CancelledError:
            seen.append("cancelled")
        except StopAsyncIteration:
            seen.append("swallowed the cancellation")
        return [*seen, len(listeners), other in listeners]

    async def an_exception():
        queue, listeners = asyncio.Queue(), set()
        stream = answer(queue, listeners)
        seen = [await part(stream)]
        try:
            seen.append(await stream.athrow(ValueError))
        except ValueError:
            seen.append("the error got out")
        except StopAsyncIteration:
            seen.append("swallowed the error")
        return [*seen, len(listeners)]

    async def two_readers():
        queues, listeners = [asyncio.Queue(), asyncio.Queue()], set()
        streams = [answer(queue, listeners) for queue in queues]
        for stream in streams:
            await part(stream)
        for queue in listeners:
            queue.put_nowait("news")
        seen = [await part(stream) for stream in streams]
        await streams[0].aclose()
        return [*seen, len(listeners)]

    steps = {
        "to the end": to_the_end,
        "a reader leaves at once": leaves_at_once,
        "as they come": as_they_come,
        "a reader leaves": reader_leaves,
        "an exception": an_exception,
        "two readers": two_readers,
    }
    return {name: asyncio.run(step()) for name, step in steps.items()}

# %% exercise="24.3" role="answer" seconds=20
async def feed(queue, listeners):
    # solution
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    finally:
        listeners.discard(queue)
    # end


check("24.3")

# %% exercise="24.3" role="alternative" note="Where many streams register somewhere, a context manager says it once. It is left however the generator ends."
@contextmanager
def listening(queue, listeners):
    listeners.add(queue)
    try:
        yield queue
    finally:
        listeners.remove(queue)


async def feed(queue, listeners):
    with listening(queue, listeners):
        yield "retry: 3000\n\n"
        while True:
            text = await queue.get()
            if text is None:
                return
            yield f"data: {text}\n\n"

# %% exercise="24.3" role="mistake" says="A reader who leaves cancels the generator at its `await`, and the line after the loop is never reached. Clean up in `finally`."
async def feed(queue, listeners):
    listeners.add(queue)
    yield "retry: 3000\n\n"
    while (text := await queue.get()) is not None:
        yield f"data: {text}\n\n"
    listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="`except Exception` hears neither of a cancellation nor of `aclose()`: `CancelledError` and `GeneratorExit` are not among them. `finally` is for all."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    except Exception:
        listeners.discard(queue)
        raise
    listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="A reader who leaves is cared for, an error is not: then the queue stays among the listeners. `finally` is for whatever ends it."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    except (asyncio.CancelledError, GeneratorExit):
        listeners.discard(queue)
        raise
    listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="The texts are collected until the end, so a reader sees nothing until then. Give each as soon as it is there."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        texts = []
        while (text := await queue.get()) is not None:
            texts.append(text)
        for text in texts:
            yield f"data: {text}\n\n"
    finally:
        listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="The first part is given before the queue is among the listeners: what happens in between is missed. Add it first."
async def feed(queue, listeners):
    yield "retry: 3000\n\n"
    listeners.add(queue)
    try:
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    finally:
        listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="The first `yield` is outside of `try`: a reader who leaves right then stays among the listeners."
async def feed(queue, listeners):
    listeners.add(queue)
    yield "retry: 3000\n\n"
    try:
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    finally:
        listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="An empty text ends the stream, as it is false. The end is None: ask for that."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while text := await queue.get():
            yield f"data: {text}\n\n"
    finally:
        listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="`CancelledError` is swallowed, so the task looks as if it had ended by itself, and a timeout around it no longer works. Clean up and let it out."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    except asyncio.CancelledError:
        return
    finally:
        listeners.discard(queue)

# %% exercise="24.3" role="mistake" says="All listeners are thrown out when one leaves. Take out your own: `discard(queue)`."
async def feed(queue, listeners):
    listeners.add(queue)
    try:
        yield "retry: 3000\n\n"
        while (text := await queue.get()) is not None:
            yield f"data: {text}\n\n"
    finally:
        listeners.clear()

# %% exercise="24.3" role="hint"
# `CancelledError` is raised where the generator awaits, `GeneratorExit` where it yields. What runs in both cases?
# %% exercise="24.3" role="hint"
# `try: … finally: listeners.discard(queue)`, with the first `yield` inside.

# %% [markdown] exercise="24.4"
# ### 24.4 A consumer for one book
#
# Write `BookConsumer` for a route with `pk`, found in `self.scope["url_route"]["kwargs"]["pk"]`. On connecting it joins the group `book.<pk>` and accepts. When a client sends `{"say": "…"}`, everybody on
# the same book gets `{"said": "…"}`, the sender included, and nobody else. When the client leaves, its channel is in no group any more.

# %% exercise="24.4" role="check"
def observe(answer):
    layer = InMemoryChannelLayer()

    def page(pk):
        page = WebsocketCommunicator(answer.as_asgi(), f"/books/{pk}/")
        page.scope["url_route"] = {"args": (), "kwargs": {"pk": pk}}
        return page

    async def said(page):
        # Asked first, as waiting for a message in vain would end the connection.
        if await page.receive_nothing(timeout=0.5):
            return "nothing"
        return await page.receive_json_from(timeout=5)

    async def scene():
        pages = {name: page(pk) for name, pk in (("a", 1), ("b", 1), ("c", 2))}
        seen = {"accepted": [(await one.connect(timeout=5))[0] for one in pages.values()]}
        seen["groups"] = sorted((name, len(channels)) for name, channels in layer.groups.items())
        await pages["a"].send_json_to({"say": "Is it good?"})
        seen["a asks"] = {name: await said(one) for name, one in pages.items() if name != "c"}
        await pages["c"].send_json_to({"say": "Hello"})
        seen["c hears"] = await said(pages["c"])
        seen["b hears of c"] = await pages["b"].receive_nothing(timeout=0.1)
        for name in ("b", "c"):
            await pages[name].disconnect(timeout=5)
        seen["groups when b and c have left"] = sorted((name, len(channels)) for name, channels in layer.groups.items())
        await pages["a"].send_json_to({"say": "Anybody?"})
        seen["a alone"] = await said(pages["a"])
        await pages["a"].disconnect(timeout=5)
        return seen

    async def bounded():
        try:
            return await scene()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    with mock.patch.object(channel_layers, "backends", {"default": layer}):
        return asyncio.run(bounded())

# %% exercise="24.4" role="answer" seconds=30
class BookConsumer(AsyncJsonWebsocketConsumer):
    # solution
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.book, {"type": "somebody.said", "text": content["say"]})

    async def somebody_said(self, event):
        await self.send_json({"said": event["text"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.book, self.channel_name)
    # end


check("24.4")

# %% exercise="24.4" role="alternative" note="Groups that are listed in `self.groups` before Channels connects are joined and left by the base class. Shorter; the group has to be known that early."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def websocket_connect(self, message):
        self.groups = [f"book.{self.scope['url_route']['kwargs']['pk']}"]
        await super().websocket_connect(message)

    async def receive_json(self, content, **kwargs):
        for group in self.groups:
            await self.channel_layer.group_send(group, {"type": "chat", "said": content["say"]})

    async def chat(self, event):
        await self.send_json({"said": event["said"]})

# %% exercise="24.4" role="mistake" says="Only the sender gets an answer: it never goes through the group. `group_send` reaches the others, in whichever process they are."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        await self.send_json({"said": content["say"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.book, self.channel_name)

# %% exercise="24.4" role="mistake" says="`group_send` is a coroutine function: called without `await`, it sends nothing."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        self.channel_layer.group_send(self.book, {"type": "somebody.said", "text": content["say"]})

    async def somebody_said(self, event):
        await self.send_json({"said": event["text"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.book, self.channel_name)

# %% exercise="24.4" role="mistake" says="All books are one group, so everybody hears everything. The group's name has to contain the key."
class BookConsumer(AsyncJsonWebsocketConsumer):
    groups = ["book"]

    async def receive_json(self, content):
        await self.channel_layer.group_send("book", {"type": "somebody.said", "text": content["say"]})

    async def somebody_said(self, event):
        await self.send_json({"said": event["text"]})

# %% exercise="24.4" role="mistake" says="The channel stays in its group when the client has left. Groups grow, and messages go where nobody reads them: `group_discard` in `disconnect`."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.book, {"type": "somebody.said", "text": content["say"]})

    async def somebody_said(self, event):
        await self.send_json({"said": event["text"]})

# %% exercise="24.4" role="mistake" says="The connection is never accepted: a `connect` of one's own has to call `accept()`."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.book, {"type": "somebody.said", "text": content["say"]})

    async def somebody_said(self, event):
        await self.send_json({"said": event["text"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.book, self.channel_name)

# %% exercise="24.4" role="mistake" says="The type is `somebody.said`, the method `said`: Channels finds no handler for the message. The method is the type with `_` for `.`."
class BookConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.book = f"book.{self.scope['url_route']['kwargs']['pk']}"
        await self.channel_layer.group_add(self.book, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.book, {"type": "somebody.said", "text": content["say"]})

    async def said(self, event):
        await self.send_json({"said": event["text"]})

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.book, self.channel_name)

# %% exercise="24.4" role="hint"
# Four methods: `connect`, `receive_json`, one for the group's message, `disconnect`.
# %% exercise="24.4" role="hint"
# `await self.channel_layer.group_add(group, self.channel_name)`; `group_send(group, {"type": "a.name", …})` calls the method `a_name`.

# %% [markdown] exercise="24.5"
# ### 24.5 Who may listen
#
# Write `StaffConsumer`. Whoever is not logged in is closed with 4401, a user who is not staff with 4403, both **after** accepting, as a browser learns the code only then. Staff get
# `{"type": "ready"}` and are in the group `orders`; nobody else ever is. `self.scope["user"]` is a user or an `AnonymousUser`.

# %% exercise="24.5" role="check"
def observe(answer):
    from accounts.models import User

    joined = []

    class Layer(InMemoryChannelLayer):
        async def group_add(self, group, channel):
            joined.append(group)
            await super().group_add(group, channel)

    layer = Layer()

    async def visit(user):
        joined.clear()
        page = WebsocketCommunicator(answer.as_asgi(), "/orders/")
        page.scope["user"] = user
        accepted, code = await page.connect(timeout=5)
        seen = {"accepted": accepted}
        if accepted:
            # Asked first, as waiting for a message in vain would end the connection.
            silent = await page.receive_nothing(timeout=0.5)
            first = {} if silent else await page.receive_output(timeout=5)
            seen["then"] = first.get("code") or first.get("text") or "nothing"
        seen["in the group"] = len(layer.groups.get("orders", ()))
        seen["has joined"] = list(joined)
        await page.disconnect(timeout=5)
        seen["and after leaving"] = len(layer.groups.get("orders", ()))
        layer.groups.clear()
        return seen

    async def scene():
        users = {
            "anonymous": AnonymousUser(),
            "a customer": User(username="anna"),
            "staff": User(username="ida", is_staff=True),
        }
        try:
            return {name: await visit(user) for name, user in users.items()}
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    with mock.patch.object(channel_layers, "backends", {"default": layer}):
        return asyncio.run(scene())

# %% exercise="24.5" role="answer" seconds=30
class StaffConsumer(AsyncJsonWebsocketConsumer):
    # solution
    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(4401)
        elif not user.is_staff:
            await self.close(4403)
        else:
            await self.channel_layer.group_add("orders", self.channel_name)
            await self.send_json({"type": "ready"})

    async def disconnect(self, code):
        await self.channel_layer.group_discard("orders", self.channel_name)
    # end


check("24.5")

# %% exercise="24.5" role="alternative" note="A table of reasons, worth it when there are more of them."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    def refusal(self):
        user = self.scope["user"]
        checks = [(4401, user.is_authenticated), (4403, user.is_staff)]
        return next((code for code, passed in checks if not passed), None)

    async def connect(self):
        await self.accept()
        if code := self.refusal():
            return await self.close(code)
        self.groups = ["orders"]
        await self.channel_layer.group_add("orders", self.channel_name)
        await self.send_json({"type": "ready"})

# %% exercise="24.5" role="mistake" says="Closed before it is accepted: the handshake fails with 403, and a browser is told 1006, whatever code you give. Accept, then close."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(4401)
            return
        if not user.is_staff:
            await self.close(4403)
            return
        await self.accept()
        await self.channel_layer.group_add("orders", self.channel_name)
        await self.send_json({"type": "ready"})

    async def disconnect(self, code):
        await self.channel_layer.group_discard("orders", self.channel_name)

# %% exercise="24.5" role="mistake" says="The group in the class attribute is joined before `connect` runs: for a moment, strangers hear of orders. Join when you know who it is."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    groups = ["orders"]

    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(4401)
        elif not user.is_staff:
            await self.close(4403)
        else:
            await self.send_json({"type": "ready"})

# %% exercise="24.5" role="mistake" says="Everybody joins, and strangers are put out again: for a moment they are in the group. Ask first, then join."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("orders", self.channel_name)
        await self.accept()
        user = self.scope["user"]
        if user.is_staff:
            await self.send_json({"type": "ready"})
        else:
            await self.channel_layer.group_discard("orders", self.channel_name)
            await self.close(4403 if user.is_authenticated else 4401)

    async def disconnect(self, code):
        await self.channel_layer.group_discard("orders", self.channel_name)

# %% exercise="24.5" role="mistake" says="`close` does not end the method: what follows is run, and the stranger is in the group. Use `else`, or return."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(4401)
        elif not user.is_staff:
            await self.close(4403)
        await self.channel_layer.group_add("orders", self.channel_name)
        await self.send_json({"type": "ready"})

    async def disconnect(self, code):
        await self.channel_layer.group_discard("orders", self.channel_name)

# %% exercise="24.5" role="mistake" says="Every customer who is logged in listens to all orders. Authentication is who, `is_staff` is may."
class StaffConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(4401)
        else:
            await self.channel_layer.group_add("orders", self.channel_name)
            await self.send_json({"type": "ready"})

    async def disconnect(self, code):
        await self.channel_layer.group_discard("orders", self.channel_name)

# %% exercise="24.5" role="hint"
# `is_authenticated` is False for an `AnonymousUser`, and so is `is_staff`: which of the two is asked first?
# %% exercise="24.5" role="hint"
# `accept()`, then either `close(code)` or `group_add(…)` and `send_json(…)`.

# %% [markdown] exercise="24.6"
# ### 24.6 Tell the pages, after the commit
#
# Write `sell(pk, layer)`, a synchronous function. In one transaction it takes a copy of the book off the shelf, and after the commit it sends `{"type": "stock.changed", "book": pk, "quantity": n}` to the
# layer's group `stock`, where n is the new number. Nothing is sent when the transaction is rolled back, also one that the caller has opened. A layer that fails is no error of the sale.

# %% exercise="24.6" role="check"
def observe(answer):
    sent, seen, sold = [], {}, []

    def witness(execute, sql, *arguments):
        if sql.startswith("UPDATE"):
            sold.append("in a transaction" if connection.in_atomic_block else "outside of one")
        return execute(sql, *arguments)

    class Layer:
        async def group_send(self, group, message):
            if connection.in_atomic_block:
                message = {**message, "sent": "inside the transaction"}
            sent.append((group, sorted(message.items())))

    class Away:
        async def group_send(self, group, message):
            raise ConnectionRefusedError

    def step(name, action):
        sent.clear()
        sold.clear()
        try:
            with connection.execute_wrapper(witness):
                action()
            outcome = "done"
        except Exception as error:
            outcome = f"raised {type(error).__name__}"
        left = Stock.objects.get(pk=1).quantity
        seen[name] = {"outcome": outcome, "sold": sorted(set(sold)), "sent": list(sent), "left": left}

    def rolled_back():
        with transaction.atomic():
            answer(1, Layer())
            transaction.set_rollback(True)

    def with_others():
        with transaction.atomic():
            answer(1, Layer())
            seen["before the caller's commit"] = list(sent)

    def scene():
        Stock.objects.filter(pk=1).update(quantity=4)
        step("a sale", lambda: answer(1, Layer()))
        step("the caller rolls back", rolled_back)
        step("the caller commits", with_others)
        step("the layer is away", lambda: answer(1, Away()))
        Stock.objects.filter(pk=1).update(quantity=0)
        step("none left", lambda: answer(1, Layer()))
        return seen

    # In a thread beside a loop, as views run on an ASGI server: `async_to_sync` then uses that loop.
    return asyncio.run(sync_to_async(scene)())

# %% exercise="24.6" role="answer" datasets=["shop"] seconds=20
def sell(pk, layer):
    # solution
    with transaction.atomic():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        quantity = Stock.objects.get(pk=pk).quantity

        def tell():
            async_to_sync(layer.group_send)("stock", {"type": "stock.changed", "book": pk, "quantity": quantity})

        transaction.on_commit(tell, robust=True)
    # end


check("24.6")

# %% exercise="24.6" role="alternative" note="Without `robust=True` the callback has to catch its errors itself. More to write; you decide what is logged, and where."
@transaction.atomic
def sell(pk, layer):
    stock = Stock.objects.select_for_update().get(pk=pk)
    stock.quantity -= 1
    stock.save(update_fields=["quantity"])

    def tell():
        message = {"type": "stock.changed", "book": pk, "quantity": stock.quantity}
        try:
            async_to_sync(layer.group_send)("stock", message)
        except Exception:
            pass

    transaction.on_commit(tell)

# %% exercise="24.6" role="mistake" says="The pages are told before the commit: of a sale that may be rolled back. Leave it to `transaction.on_commit()`."
def sell(pk, layer):
    with transaction.atomic():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        quantity = Stock.objects.get(pk=pk).quantity
        async_to_sync(layer.group_send)("stock", {"type": "stock.changed", "book": pk, "quantity": quantity})

# %% exercise="24.6" role="mistake" says="After your block is not after the commit: inside a caller's transaction it has not happened yet. `on_commit()` waits for the outermost one."
def sell(pk, layer):
    with transaction.atomic():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        quantity = Stock.objects.get(pk=pk).quantity
    try:
        async_to_sync(layer.group_send)("stock", {"type": "stock.changed", "book": pk, "quantity": quantity})
    except OSError:
        pass

# %% exercise="24.6" role="mistake" says="Without a transaction `on_commit()` calls back at once, and between the update and the read another sale may come. One `atomic()` around the two."
def sell(pk, layer):
    Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
    quantity = Stock.objects.get(pk=pk).quantity
    message = {"type": "stock.changed", "book": pk, "quantity": quantity}
    transaction.on_commit(lambda: async_to_sync(layer.group_send)("stock", message), robust=True)

# %% exercise="24.6" role="mistake" says="`group_send` is a coroutine function: called without being awaited, it does nothing. `async_to_sync` runs it."
def sell(pk, layer):
    with transaction.atomic():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        quantity = Stock.objects.get(pk=pk).quantity
        message = {"type": "stock.changed", "book": pk, "quantity": quantity}
        transaction.on_commit(lambda: layer.group_send("stock", message), robust=True)

# %% exercise="24.6" role="mistake" says="The book is sold, the layer is away, and the customer gets an error. `robust=True` logs it and goes on."
def sell(pk, layer):
    with transaction.atomic():
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        quantity = Stock.objects.get(pk=pk).quantity
        message = {"type": "stock.changed", "book": pk, "quantity": quantity}
        transaction.on_commit(lambda: async_to_sync(layer.group_send)("stock", message))

# %% exercise="24.6" role="mistake" says="The old number is sent: it was read before the update. Read it again, or compute it."
def sell(pk, layer):
    with transaction.atomic():
        stock = Stock.objects.get(pk=pk)
        Stock.objects.filter(pk=pk).update(quantity=F("quantity") - 1)
        message = {"type": "stock.changed", "book": pk, "quantity": stock.quantity}
        transaction.on_commit(lambda: async_to_sync(layer.group_send)("stock", message), robust=True)

# %% exercise="24.6" role="hint"
# `transaction.on_commit(function, robust=True)`.
# %% exercise="24.6" role="hint"
# `async_to_sync(layer.group_send)(group, message)` calls the coroutine function from synchronous code. Give `on_commit` a function or a lambda: Django 5.2 wants
# to log the name of a robust callback that failed, and a `partial` has none.

# %% [markdown] exercise="24.7"
# ### 24.7 Queue it when it is there
#
# Write `place(customer, number)`: in one transaction it makes an `Order` of that customer and number, placed at `WHEN`, and queues `send_receipt` for it, so that no worker can be too early. Return the order. The message has to be one that JSON can carry,
# and an order that was rolled back queues nothing.

# %% exercise="24.7" role="check"
def observe(answer):
    from accounts.models import User

    queued, seen = [], {}

    def publish(args=None, kwargs=None, **options):
        # What `delay()` and its relatives come down to.
        inside = "before the commit" if connection.in_atomic_block else "after the commit"
        queued.append((inside, [known(one) for one in [*(args or ()), *(kwargs or {}).values()]]))

    def known(argument):
        if isinstance(argument, (int, str)) and str(argument).isdigit():
            order = Order.objects.filter(pk=argument).first()
            return f"the key of {order.number}" if order else "the key of no order"
        return type(argument).__name__

    def step(name, action):
        queued.clear()
        try:
            returned = action()
        except Exception as error:
            returned = f"raised {type(error).__name__}"
        found = returned.number if isinstance(returned, Order) else returned
        seen[name] = {"returned": found, "queued": list(queued), "orders": Order.objects.filter(number__startswith="X").count()}

    def rolled_back():
        with transaction.atomic():
            answer.place(customer, "X2")
            transaction.set_rollback(True)

    def in_a_larger_one():
        with transaction.atomic():
            order = answer.place(customer, "X3")
            seen["before the caller's commit"] = list(queued)
        return order

    def bad_number():
        return answer.place(customer, "X1")

    customer = User.objects.get(username="anna")
    with mock.patch.object(send_receipt, "apply_async", publish):
        step("an order", lambda: answer.place(customer, "X1"))
        step("the caller rolls back", rolled_back)
        step("the caller commits later", in_a_larger_one)
        step("a number that is taken", bad_number)
    return seen

# %% exercise="24.7" role="answer" datasets=["shop"] seconds=20
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    # solution
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
        send_receipt.delay_on_commit(order.pk)
    return order
    # end


check("24.7")

# %% exercise="24.7" role="alternative" note="The same without Celery's own method, for any queue. Mind `functools.partial` or a lambda: `on_commit` wants a function."
WHEN = Order.objects.latest("placed_at").placed_at


@transaction.atomic
def place(customer, number):
    order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
    transaction.on_commit(functools.partial(send_receipt.delay, order.pk))
    return order

# %% exercise="24.7" role="mistake" says="It is queued inside the transaction: a worker that is quick finds no such order, and a rollback leaves a message without an order. `delay_on_commit`."
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
        send_receipt.delay(order.pk)
    return order

# %% exercise="24.7" role="mistake" says="After the block is too early where the caller has a transaction of its own. `delay_on_commit` waits for the outermost commit."
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
    send_receipt.delay(order.pk)
    return order

# %% exercise="24.7" role="mistake" says="The order itself is the argument: JSON cannot carry it, and with pickle it would be as old as the message. Pass the key."
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
        send_receipt.delay_on_commit(order)
    return order

# %% exercise="24.7" role="mistake" says="`delay()` is called right away, and `on_commit()` is handed its result. Give it a function to call later."
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
        transaction.on_commit(send_receipt.delay(order.pk))
    return order

# %% exercise="24.7" role="mistake" says="A countdown is a guess at how long the commit takes, and a rollback queues all the same."
WHEN = Order.objects.latest("placed_at").placed_at


def place(customer, number):
    with transaction.atomic():
        order = Order.objects.create(customer=customer, number=number, placed_at=WHEN)
        send_receipt.apply_async([order.pk], countdown=5)
    return order

# %% exercise="24.7" role="hint"
# When does a row exist for others? And what does a rollback leave in the queue?
# %% exercise="24.7" role="hint"
# `send_receipt.delay_on_commit(key)`, or `transaction.on_commit(…)` with a function that calls `delay`.

# %% [markdown] exercise="24.8"
# ### 24.8 A task that may come twice
#
# Write the Celery task `reward(order_pk)`. The `Stock` of book 1 goes up by 10, once for each order, however often the task is delivered; it returns whether it did so now. The table of `SentMail`
# keeps keys that are unique: use `f"reward:{order_pk}"`. When the database is away, `OperationalError`, it is retried at most 3 times, with pauses that double from 2 seconds on; other errors fail at once. A worker that dies leaves it to the next one. A try that failed leaves nothing.

# %% exercise="24.8" role="check"
def observe(answer):
    task, seen = answer, {}
    seen["options"] = {
        "acks_late": bool(task.acks_late),
        "reject_on_worker_lost": bool(task.reject_on_worker_lost),
    }
    pauses, retry = [], task.retry

    def retried(*args, **kwargs):
        pauses.append(kwargs.get("countdown"))
        return retry(*args, **kwargs)

    failures, calls = [], []

    class TooLate(OperationalError):
        """The connection breaks when the row has been changed."""

    def trouble(execute, sql, *arguments):
        if not sql.startswith(f'UPDATE "{Stock._meta.db_table}"'):
            return execute(sql, *arguments)
        calls.append("update")
        error = failures.pop() if failures else None
        if error is None or isinstance(error, TooLate):
            done = execute(sql, *arguments)
        if error:
            raise error
        return done

    def run(name, pk, *errors):
        failures[:], calls[:], pauses[:] = errors, [], []
        before = Stock.objects.get(pk=1).quantity
        result = task.apply([pk])
        outcome = result.result if result.state == "SUCCESS" else result.state
        added = Stock.objects.get(pk=1).quantity - before
        keys = SentMail.objects.filter(key__startswith="reward:").count()
        # Run at once, a retry hides the state of the last try; the rows tell.
        outcome = "retried" if pauses else outcome
        seen[name] = {"outcome": outcome, "added": added, "keys": keys, "tries": len(calls), "pauses": list(pauses[:3])}

    Stock.objects.filter(pk=1).update(quantity=100)
    # Of the pauses that jitter may draw, the longest.
    longest = mock.patch("celery.utils.time.random.randrange", lambda stop: stop - 1)
    witness = mock.patch.object(task, "retry", retried)
    with longest, witness, connection.execute_wrapper(trouble):
        run("the first delivery", 1400)
        run("the second delivery", 1400)
        run("another order", 1399)
        run("a bug", 1398, KeyError("bug"))
        run("the same, mended", 1398)
        run("the database is away twice", 1397, OperationalError("away"), OperationalError("away"))
        run("it goes away after the update", 1395, TooLate("away"))
        run("the database is away for good", 1396, *[OperationalError("away") for _ in range(9)])
    return seen

# %% exercise="24.8" role="answer" datasets=["shop"] seconds=30
@app.task(
    # solution
    autoretry_for=(OperationalError,),
    retry_backoff=2,
    max_retries=3,
    acks_late=True,
    reject_on_worker_lost=True,
    # end
)
def reward(order_pk):
    # solution
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new
    # end


check("24.8")

# %% exercise="24.8" role="alternative" note="The insert alone, and its `IntegrityError` as the answer: one statement less. The inner `atomic()` is for PostgreSQL, where an error spoils the transaction."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    try:
        with transaction.atomic():
            SentMail.objects.create(key=f"reward:{order_pk}")
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    except IntegrityError:
        return False
    return True

# %% exercise="24.8" role="alternative" note="By hand: `bind=True` gives the task itself, and `self.retry` raises. For errors that need a look before they are worth a retry."
@app.task(bind=True, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(self, order_pk):
    try:
        with transaction.atomic():
            _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
            if is_new:
                Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    except OperationalError as error:
        raise self.retry(exc=error, countdown=2 * 2**self.request.retries)
    return is_new

# %% exercise="24.8" role="alternative" note="The row is locked, read and saved: for work that has to look at the row. The lock lasts until the commit."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
@transaction.atomic
def reward(order_pk):
    is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")[1]
    if is_new:
        stock = Stock.objects.select_for_update().get(pk=1)
        stock.quantity += 10
        stock.save(update_fields=["quantity"])
    return is_new

# %% exercise="24.8" role="mistake" says="`retry_backoff=True` begins with one second. A number is the first pause."
@app.task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="Without `retry_backoff` each pause is three minutes, Celery's default. Say how they grow."
@app.task(autoretry_for=(OperationalError,), max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="Every delivery adds ten. Let the unique key decide who does it."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return True

# %% exercise="24.8" role="mistake" says="The key stays behind when the work fails, so the next try believes that it is done. One transaction for both."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
    if is_new:
        Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="What is done and that it is done are two transactions: who fails in between does it again. And two workers may both find no key. One `atomic()` for both, the key first."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    if SentMail.objects.filter(key=f"reward:{order_pk}").exists():
        return False
    Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    SentMail.objects.create(key=f"reward:{order_pk}")
    return True

# %% exercise="24.8" role="mistake" says="Every exception is retried, bugs included: four tries, and the error is found late. Name what goes away by itself."
@app.task(autoretry_for=(Exception,), retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="A worker that dies takes the task with it: the message is acknowledged before the work. `acks_late` and `reject_on_worker_lost`."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="`acks_late` alone: Celery acknowledges the task of a process that was killed all the same, unless `reject_on_worker_lost` is set."
@app.task(autoretry_for=(OperationalError,), retry_backoff=2, max_retries=3, acks_late=True)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="mistake" says="Nothing is retried: `max_retries` and a pause do nothing by themselves. `autoretry_for` names the errors."
@app.task(retry_backoff=2, max_retries=3, acks_late=True, reject_on_worker_lost=True)
def reward(order_pk):
    with transaction.atomic():
        _, is_new = SentMail.objects.get_or_create(key=f"reward:{order_pk}")
        if is_new:
            Stock.objects.filter(pk=1).update(quantity=F("quantity") + 10)
    return is_new

# %% exercise="24.8" role="hint"
# The options stand in the decorator: `autoretry_for`, `retry_backoff`, `max_retries`, `acks_late`, `reject_on_worker_lost`.
# %% exercise="24.8" role="hint"
# In one `atomic()`: `get_or_create` of the key, and the update if the key is new.
