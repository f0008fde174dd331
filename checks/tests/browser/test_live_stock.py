"""The page that shows the stock while it changes, in a real browser on a real server."""

import os
import subprocess
import sys

import pytest

# Serves the shop, and puts copies of a book on the shelf for each line that it reads: its key and how many.
SHOP = """
import sys
from lab import asgi, start
start()
from orders.models import Stock
from orders.restocking import restock
with asgi() as server:
    print(server.url, Stock.objects.get(pk=1).quantity, flush=True)
    for line in sys.stdin:
        print(restock(*map(int, line.split())), flush=True)
"""


@pytest.fixture
def shop(chromium, tmp_path):
    environment = {**os.environ, "COURSE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SHOP]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process
        if not process.stdin.closed:
            process.stdin.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


def restock(shop, book, copies):
    shop.stdin.write(f"{book} {copies}\n")
    shop.stdin.flush()
    return shop.stdout.readline().strip()


def test_the_number_moves_and_is_announced_and_a_lost_server_is_said(shop, page):
    assert shop.stdout.readline() == "The bookshop is ready.\n"
    url, before = shop.stdout.readline().split()
    page.goto(f"{url}/live/")
    page.wait_for_selector("#live-state[data-state=connected]")
    row = page.locator("tr[data-book='1']")
    assert row.locator(".number").inner_text() == before

    left = restock(shop, 1, 3)
    assert int(left) == int(before) + 3
    page.wait_for_function(
        "left => document.querySelector(\"tr[data-book='1'] .number\").textContent === left", arg=left
    )
    assert page.locator("#live-news").inner_text() == f"{row.locator('a').inner_text()}: {left} left"

    shop.stdin.close()
    shop.wait(timeout=20)
    page.wait_for_selector("#live-state[data-state=disconnected]")


def test_a_connection_that_broke_is_opened_again_and_shows_what_was_missed(shop, page):
    shop.stdout.readline()
    url, _ = shop.stdout.readline().split()
    connections = []

    def through(connection):
        connections.append(connection)
        connection.connect_to_server()

    page.route_web_socket("**/live/socket/stock/", through)
    page.goto(f"{url}/live/")
    page.wait_for_selector("#live-state[data-state=connected]")

    connections[0].close(code=1011)
    page.wait_for_selector("#live-state[data-state=disconnected]")
    left = restock(shop, 1, 3)
    page.wait_for_selector("#live-state[data-state=connected]")
    assert page.locator("tr[data-book='1'] .number").inner_text() == left
    assert len(connections) == 2
