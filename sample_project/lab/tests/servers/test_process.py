"""A server process gets ready, ends when told, and ends with the process that asked for it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from lab.servers import process
from lab.servers.process import Crashed

READY = "print('ready', flush=True)\n"
SLEEP = "import time\ntime.sleep(600)\n"

# A server that starts another process.
SERVER = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n{READY}{SLEEP}"

# Starts that, and says which processes these are and which folder is theirs.
PARENT = f"""
import os, psutil, sys, time
from lab.servers import process
server = process.start([sys.executable, "-c", {SERVER!r}], "ready")
found = [child.pid for child in psutil.Process().children(recursive=True)]
"""
TELL = "print(*found, server.folder, flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def server():
    started = []

    def start(script, **options):
        started.append(process.start([sys.executable, "-c", script], "ready", **options))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def ended(number):
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def wait_until(condition, patience=20):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stopped_server_is_gone_with_its_folder(server):
    started = server(READY + SLEEP)
    assert started.running
    assert started.folder.is_dir()
    started.stop()
    assert not started.running
    assert not started.folder.exists()
    started.stop()


def test_one_that_does_not_heed_the_signal_is_killed_with_all_it_started(server):
    script = (
        "import signal, subprocess, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\nprint(child.pid)\n"
    )
    started = server(script + READY + SLEEP, patience=0.1)
    child = int(started.log.split()[0])
    assert not ended(child)
    started.stop()
    wait_until(lambda: ended(child))


def test_one_that_ends_at_once_says_its_last_words():
    before = set(Path(tempfile.gettempdir()).glob(f"*-{os.getpid()}-*"))
    with pytest.raises(Crashed, match="no such option"):
        process.start([sys.executable, "-c", "import sys\nsys.exit('no such option')"], "ready")
    assert set(Path(tempfile.gettempdir()).glob(f"*-{os.getpid()}-*")) == before


def test_one_that_does_not_get_ready_is_not_waited_for_for_ever(server):
    started = server(READY + SLEEP)
    with pytest.raises(TimeoutError, match="not ready after 0.1 seconds: ready"):
        started.wait_for("something else", patience=0.1)


def test_a_port_that_somebody_else_took_is_replaced(monkeypatch):
    asked = []

    def begin(port):
        asked.append(port)
        if len(asked) == 1:
            raise Crashed("Address already in use")
        return "started"

    started, port = process.start_on_free_port(begin)
    assert (started, port) == ("started", asked[1])


def test_other_troubles_are_not_tried_again():
    def begin(port):
        raise Crashed("no space left")

    with pytest.raises(Crashed, match="no space left"):
        process.start_on_free_port(begin)


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", process.free_port())):
        pass


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("forked", [False, True], ids=["alone", "with a forked child that lives on"])
def test_nothing_is_left_of_a_process_that_was_killed(environment, forked):
    fork = "if os.fork() == 0:\n    time.sleep(600)\n" if forked else ""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT + fork + TELL], env=environment, stdout=subprocess.PIPE, text=True
    )
    *numbers, folder = parent.stdout.readline().split()
    numbers = [int(number) for number in numbers]
    children = psutil.Process(parent.pid).children()
    assert len(numbers) == 3
    assert os.path.isdir(folder)
    parent.kill()
    parent.wait()
    try:
        wait_until(lambda: all(ended(number) for number in numbers))
        wait_until(lambda: not os.path.exists(folder))
    finally:
        for child in children:
            if child.pid not in numbers and child.is_running():
                child.kill()


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_an_interrupt_of_the_process_group_does_not_reach_the_server(environment):
    # A shell that runs the tests in the background has interrupts ignored, here and in all that is started here.
    script = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += PARENT + "try:\n    " + TELL.strip().replace("\n", "\n    ") + "\nexcept KeyboardInterrupt:\n"
    script += "    print(server.running, all(psutil.pid_exists(number) for number in found))\n"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    numbers = [int(number) for number in parent.stdout.readline().split()[:-1]]
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=30)[0] == "True True\n"
    wait_until(lambda: all(ended(number) for number in numbers))


def test_programs_off_the_path_are_found_newest_first(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for version in ("9", "10"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "serve").touch()
    assert process.find("serve", f"{tmp_path}/*/bin") == tmp_path / "10" / "bin" / "serve"
    assert process.find("serve") is None
