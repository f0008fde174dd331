"""Runs one server, and ends it with the process that asked for it, even where that one was killed.

A script of its own, started as `python guardian.py JSON` with a pipe as its standard input. The pipe closes when the
process at its other end is gone, whatever ended it, on every system. That an orphan has another parent is the second
sign, because a forked child of the kernel keeps the pipe open.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

_LOOK_EVERY = 0.25
_LAST_WORDS = 4000


def guard(command, log, folder, directory, user, stop, patience):
    """Run `command` in `directory` until its parent is gone or says so; then send `stop`, and remove `folder`.

    What the server prints goes to the file `log`. Where it ended by itself, the end of that is printed.
    """
    parent = os.getppid()
    told = threading.Event()
    threading.Thread(target=_listen, args=[told], daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: told.set())
    try:
        with open(log, "ab") as output:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                start_new_session=True,
                **({"user": user, "group": group_of(user), "extra_groups": []} if user else {}),
            )
        while server.poll() is None and not told.wait(_LOOK_EVERY) and os.getppid() == parent:
            continue
        by_itself = server.poll() is not None
        _end(server, stop, patience)
        if by_itself:
            with open(log, "rb") as output:
                os.write(1, output.read()[-_LAST_WORDS:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def group_of(name):
    import pwd

    return pwd.getpwnam(name).pw_gid


def _listen(told):
    # Nothing is ever written: this returns when nobody is left who could.
    os.read(0, 1)
    told.set()


def _end(server, stop, patience):
    if server.poll() is None:
        if os.name == "nt":
            server.terminate()
        else:
            server.send_signal(getattr(signal, stop))
        try:
            server.wait(patience)
        except subprocess.TimeoutExpired:
            server.kill()
    server.wait()
    if hasattr(os, "killpg"):
        # Whatever the server has started is in its session.
        with contextlib.suppress(OSError):
            os.killpg(server.pid, signal.SIGKILL)


if __name__ == "__main__":
    guard(**json.loads(sys.argv[1]))
