"""The bookshop on an ASGI server, in a thread of the kernel."""

import socket
import threading
import time
from importlib.util import find_spec

from .. import database
from .process import Unavailable, refuse_without_processes
from .server import Server


class asgi(Server):  # noqa: N801 - learners write `with asgi():`
    """The bookshop on uvicorn for the block: asynchronous views, streams and web sockets over a real connection.

        with asgi() as server:
            urllib.request.urlopen(server.url)

    It runs in a thread, so it has the database, the settings and the classes of this kernel.

    Args:
        app: another ASGI application than the bookshop's.

    Raises Unavailable where uvicorn is missing, RuntimeError where the application does not start.
    """

    label = "uvicorn"

    def __init__(self, app=None):
        self._app = app
        self._server = None
        self._thread = None

    @classmethod
    def check(cls):
        if find_spec("uvicorn") is None:
            raise Unavailable("uvicorn is not installed here: pip install uvicorn, then restart the kernel.")

    def start(self):
        refuse_without_processes()
        self.check()
        database.boot()
        import uvicorn

        if self._app is None:
            from config.asgi import application as app
        else:
            app = self._app
        # The socket is here before the server is: nobody else can take the port.
        listener = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, args=[[listener]], daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        while not self._server.started:
            if not self._thread.is_alive():
                listener.close()
                raise RuntimeError("The ASGI application does not start.")
            time.sleep(0.005)

    def stop(self):
        if self._server:
            with database.interrupts_held():
                self._server.should_exit = True
                self._thread.join(timeout=10)
                self._server = self._thread = None
