"""What all servers have in common for whoever uses them in a notebook."""

from ..database import processes_exist
from .process import Unavailable, refuse_without_processes


class Server:
    """A context manager: the server runs in the block, and `server.url` says where.

        if postgres.available():
            with postgres() as server:
                ...

    Entering raises Unavailable where the machine has no such server; a notebook shows its sentence and goes on.
    """

    label = "A server"
    url = ""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    def __repr__(self):
        return self.label

    def start(self):
        """Start the server. Raises Unavailable where that is not possible on this machine."""
        raise Unavailable(f"{self.label} is not available.")

    def stop(self):
        """End the server, and put back what `start` changed."""

    @classmethod
    def available(cls) -> bool:
        """Whether this machine has the server. In a browser the answer is a `lab.browser.Missing`."""
        if not processes_exist():
            from ..browser import Missing

            return Missing()
        return not cls.why_not()

    @classmethod
    def why_not(cls) -> str:
        """The sentence that says what is missing, or "" where the server is available."""
        try:
            refuse_without_processes()
            cls.check()
        except Unavailable as missing:
            return str(missing)
        return ""

    @classmethod
    def check(cls):
        """Raise Unavailable where the machine has no such server."""
