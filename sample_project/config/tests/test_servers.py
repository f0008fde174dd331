"""The shop on the servers of production: processes of their own, with production's settings and nothing else."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="gunicorn, and signals that end a server gently, need Linux or macOS"),
    pytest.mark.skipif(
        not find_spec("uvicorn") or not find_spec("gunicorn"), reason="uvicorn and gunicorn are missing"
    ),
]
COMMANDS = {
    "gunicorn": ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application", "--bind", "127.0.0.1:{port}"],
    "uvicorn": ["uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", "{port}"],
}
PAGES = {
    "/": "The Bookshop",
    "/books/emma/": "Jane Austen",
    "/genres/crime/": "Crime",
    "/?q=dickens": "Bleak House",
    "/api/v1/books/": '"title"',
    "/live/": "<main",
    "/health/ready/": '"database": "ok"',
}
SECRETS = ["R8mX4hTn3bYc6Ld0PsGjAeUo"]


class Server:
    """A running server. `log` is all that it has printed."""

    def __init__(self, kind, environment, folder):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._log = folder / f"{kind}.log"
        command = [part.format(port=self.port) for part in COMMANDS[kind]]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self):
        return self._log.read_text()

    def wait(self, patience=60):
        deadline = time.monotonic() + patience
        while True:
            with suppress(OSError):
                if self.get("/health/live/")[0].status == 200:
                    return
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def get(self, path, host="shop.example", proto="https", **headers):
        """(response, text) of a request as the proxy passes it on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                "GET", path, headers={"Host": host, "X-Forwarded-Proto": proto, "Accept": "*/*", **headers}
            )
            response = connection.getresponse()
            return response, response.read().decode(errors="replace")
        finally:
            connection.close()

    def stop(self):
        """End it gently, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def environment(folder):
    """A filled shop with its static files, and the variables that say where it is."""
    inherited = {
        name: os.environ[name] for name in ["PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH"] if name in os.environ
    }
    variables = inherited | {
        "DJANGO_SETTINGS_MODULE": "config.tests.slow_settings",
        "SECRET_KEY": f"9f2kq-only-for-this-test-7w1zv-{SECRETS[0]}",
        "ALLOWED_HOSTS": "shop.example",
        "DATABASE_PATH": str(folder / "shop.sqlite3"),
        "STATIC_ROOT": str(folder / "static"),
        "TRUST_X_FORWARDED_PROTO": "1",
        "WEB_CONCURRENCY": "2",
    }
    for command in ["migrate", "seed", "collectstatic"]:
        arguments = [] if command == "seed" else ["--no-input"]
        done = subprocess.run(
            [sys.executable, "manage.py", command, "--verbosity", "0", *arguments],
            cwd=PROJECT,
            env=variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return variables


@contextmanager
def running(kind, environment, folder):
    server = Server(kind, environment, folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def server(request, environment, folder):
    with running(request.param, environment, folder) as server:
        yield server


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_served(server, path):
    response, text = server.get(path)
    assert response.status == 200, text
    assert PAGES[path] in text
    if not path.startswith("/health/"):
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Request-ID"]
    assert response.headers["Server-Timing"] is None


def test_static_files_have_names_with_a_digest_and_are_kept_for_ever(server):
    _, page = server.get("/")
    [path] = re.findall(r'href="(/static/storefront/shop\.[0-9a-f]{12}\.css)"', page)
    response, text = server.get(path)
    assert response.status == 200
    assert "--paper" in text
    assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    compressed, _ = server.get(path, **{"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.headers["Vary"] == "Accept-Encoding"
    plain, _ = server.get("/static/storefront/shop.css")
    assert "immutable" not in plain.headers["Cache-Control"]
    assert "Warning" not in server.log


def test_what_is_not_https_at_the_proxy_is_sent_there(server):
    response, _ = server.get("/books/emma/", proto="http")
    assert (response.status, response.headers["Location"]) == (301, "https://shop.example/books/emma/")


def test_other_hosts_are_refused_but_for_probes(server):
    assert server.get("/", host="elsewhere.example")[0].status == 400
    assert server.get("/health/ready/", host="10.1.2.3", proto="http")[0].status == 200


def test_an_exception_is_one_line_of_the_log_and_no_page_for_developers(server):
    response, text = server.get("/broken/?code=c0de", **{"X-Request-ID": "proof-1"})
    assert response.status == 500
    assert "ArithmeticError" not in text
    entries = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    [entry] = [entry for entry in entries if entry["logger"] == "django.request" and entry["request_id"] == "proof-1"]
    assert entry["exception"].endswith("ArithmeticError: nothing works")
    assert entry["path"] == "/broken/"
    assert not any(secret in server.log for secret in SECRETS)


def test_the_servers_own_lines_have_no_query_that_may_hold_a_token(server):
    server.get("/nowhere/?code=c0de")
    handshake = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    server.get("/nowhere/?code=c0de", Upgrade="websocket", Connection="Upgrade", **handshake)
    deadline = time.monotonic() + 20
    while len(lines := re.findall(r'.*"logger": "[gu]\w+icorn\.\w+".*/nowhere/.*', server.log)) < 2:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)
    assert not any("code" in line for line in lines)


def ask_for_two_hundred_pages(server):
    """Each on a connection of its own, and none before all are ready to ask. Returns what was not as it should be."""
    paths = [path for path in PAGES for _ in range(200)][:: len(PAGES)]
    assert len(paths) == 200
    assert set(paths) == set(PAGES)
    together = threading.Barrier(len(paths), timeout=60)

    def fetch(path):
        together.wait()
        response, text = server.get(path)
        return path, response.status, PAGES[path] in text

    with ThreadPoolExecutor(len(paths)) as threads:
        answers = list(threads.map(fetch, paths))
    return [answer for answer in answers if answer[1:] != (200, True)]


def test_two_hundred_requests_at_once_are_all_answered(server):
    assert ask_for_two_hundred_pages(server) == []
    assert server.process.poll() is None


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_was_begun_is_finished_before_the_server_ends(kind, environment, tmp_path):
    begun, end = tmp_path / "begun", tmp_path / "end"
    with (
        running(kind, environment | {"SLOW_FOLDER": str(tmp_path)}, tmp_path) as server,
        ThreadPoolExecutor(1) as threads,
    ):
        answer = threads.submit(server.get, "/slow/")
        wait_until(begun.exists)
        server.process.send_signal(signal.SIGTERM)
        # uvicorn says the one, and that worker of gunicorn which has nothing to do the other.
        wait_until(lambda: re.search("Shutting down|Worker exiting", server.log))
        assert not answer.done()
        end.touch()
        response, text = answer.result(timeout=30)
        assert (response.status, text) == (200, "finished")
        code = server.process.wait(timeout=30)
    # uvicorn passes the signal on to itself when it is through.
    assert code in {0, -signal.SIGTERM}, server.log
    assert "Traceback" not in server.log


def test_new_workers_take_over_without_a_request_lost(environment, folder):
    """What HUP does: the way to new code without an interruption."""
    with running("gunicorn", environment, folder) as server:
        before = workers_of(server)
        replaced = threading.Event()

        def keep_asking():
            statuses = []
            while not replaced.is_set():
                statuses.append(server.get("/books/emma/")[0].status)
            return statuses

        with ThreadPoolExecutor(4) as threads:
            answers = [threads.submit(keep_asking) for _ in range(4)]
            try:
                server.process.send_signal(signal.SIGHUP)
                wait_until(lambda: len(workers_of(server) - before) == len(before))
                wait_until(lambda: not before & workers_of(server))
            finally:
                replaced.set()
            statuses = [status for answer in answers for status in answer.result(timeout=60)]
    assert statuses
    assert set(statuses) == {200}


@pytest.fixture(scope="module")
def services():
    """PostgreSQL with the rows of the shop, and Valkey: the variables that name them."""
    script = (
        "import json, sys\n"
        "from lab.servers.caches import valkey\n"
        "from lab.servers.postgresql import postgres\n"
        "with postgres() as database, valkey(cache=None) as store:\n"
        "    print(json.dumps({'DATABASE_URL': database.url, 'REDIS_URL': store.url}), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=inherited,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    if not line:
        _, error = process.communicate()
        pytest.skip(error.strip().splitlines()[-1])
    yield json.loads(line)
    process.communicate("")


def test_the_deployment_check_is_silent_with_both(environment, services):
    """Since Django 6.0 it asks the server for its version, on account of generated columns."""
    checked = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env=environment | services,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.strip() == "System check identified no issues (0 silenced)."
    assert checked.stderr == ""


def test_on_postgresql_and_valkey_nothing_gets_lost_either(environment, services, folder):
    """More requests at once than the pool has connections: they wait for one."""
    with running("uvicorn", environment | services, folder) as server:
        response, text = server.get("/health/ready/")
        assert json.loads(text) == {"status": "ok", "database": "ok", "migrations": "ok", "cache": "ok"}, server.log
        assert ask_for_two_hundred_pages(server) == []
        assert not any(secret in server.log for secret in [*SECRETS, *services.values()])


def wait_until(condition, patience=60):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers_of(server):
    import psutil

    return {child.pid for child in psutil.Process(server.process.pid).children()}
