"""How gunicorn serves the shop: `gunicorn -c config/gunicorn.py config.wsgi`, from the folder of manage.py.

For pages, the API and the admin site. Web sockets need an ASGI server: see `config/asgi.py`, and README.md.

https://gunicorn.org/reference/settings/
"""

import os

from config.logging import configuration

bind = os.environ.get("BIND", "127.0.0.1:8000")

# Processes: Python runs one thread at a time, so a core wants one or two. Each has its own memory, and its own pool of
# connections to the database. More than the cores can run only wait for one another.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))

# Threads: a page waits for the database most of its time, and its thread lets the others run meanwhile. So many
# requests are worked on at once in a process; the pool of connections (`config/databases.py`) should have room for
# them. The rest wait in the queue of the socket, and none is refused before that is full.
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
backlog = 2048

# A worker that says nothing for so long is killed: with threads, that is a process that hangs, and not a slow page.
timeout = 30
# So long a worker that is told to stop may finish what it has begun. What runs it should wait a little longer.
graceful_timeout = 30
# Longer than the proxy keeps its connections: who closes first must not be the one that is being written to.
keepalive = 75

# Each worker is replaced after so many requests: what leaks a little memory never leaks much of it. The jitter keeps
# them from all leaving at once.
max_requests = 2000
max_requests_jitter = 400

# Loaded before the workers are forked, the code would share memory, but HUP would bring no new code, and whatever is
# opened while it is imported would be shared as well: a connection used by two processes is garbage on the wire.
preload_app = False

# Workers say that they are alive by touching a file. On a busy disk, that alone can take longer than `timeout`.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# Nobody steers the server but by signals: one way in less.
control_socket_disable = True

# The log as in the shop: lines of JSON. Paths without their query, which may hold a token.
logconfig_dict = configuration(os.environ.get("LOG_LEVEL") or "INFO")
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(b)s bytes %(M)s ms"
