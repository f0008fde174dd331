import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def test_uvicorn_starts_it_as_the_command_line_does_and_ends_without_an_error():
    """Django and Channels know nothing of the lifespan protocol; a server that asks for it has to be content."""
    pytest.importorskip("uvicorn")
    script = (
        "import asyncio, uvicorn\n"
        "config = uvicorn.Config('config.asgi:application', host='127.0.0.1', port=0)\n"
        "server = uvicorn.Server(config)\n"
        "async def main():\n"
        "    task = asyncio.create_task(server.serve())\n"
        "    while not server.started and not task.done():\n        await asyncio.sleep(0.01)\n"
        "    print(server.started, config.lifespan)\n"
        "    server.should_exit = True\n"
        "    await task\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.development"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "True auto\n"), done.stderr
    assert "ERROR" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["config.wsgi", "live.apps"])
def test_wsgi_and_the_app_itself_need_no_channels(module):
    """Who has no web sockets loads nothing for them, where threads and sockets do not exist, either."""
    script = (
        f"import django, sys\ndjango.setup()\nimport {module}\n"
        "print([name for name in ('channels', 'channels_redis', 'daphne', 'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.development"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[]\n", done.stderr
