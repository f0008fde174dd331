"""The bookshop on uvicorn, in a thread."""

START = "import urllib.request\nfrom lab import asgi, start\nstart()\nfrom catalog.models import Book\n"


def test_pages_come_over_a_connection_with_the_data_of_this_moment(python, has):
    has("asgi")
    script = (
        START + "with asgi() as server:\n"
        "    Book.objects.filter(slug='emma').update(title='Emma, changed')\n"
        "    with urllib.request.urlopen(f'{server.url}/books/emma/') as response:\n"
        "        print(server, response.status, 'Emma, changed' in response.read().decode())\n"
        "try:\n    urllib.request.urlopen(server.url)\nexcept urllib.error.URLError:\n    print('gone')"
    )
    assert python(script) == "The bookshop is ready.\nuvicorn 200 True\ngone\n"


def test_it_starts_again_and_beside_another(python, has):
    has("asgi")
    script = (
        START + "for _ in range(2):\n    with asgi() as one, asgi() as other:\n"
        "        print([urllib.request.urlopen(each.url).close() for each in (one, other)], one.url != other.url)"
    )
    assert python(script).endswith("\n[None, None] True\n[None, None] True\n")


def test_another_application_can_be_given(python, has):
    has("asgi")
    script = (
        START + "async def app(scope, receive, send):\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'own'})\n"
        "with asgi(app) as server, urllib.request.urlopen(server.url) as response:\n    print(response.read())"
    )
    assert python(script).endswith("\nb'own'\n")


def test_it_runs_in_a_cell(kernel):
    cell = (
        "import asyncio, urllib.request\nfrom lab import asgi\nwith asgi() as server:\n"
        "    print((await asyncio.to_thread(urllib.request.urlopen, server.url)).status)"
    )
    assert kernel.run(cell).text == "200\n"
