"""How many requests this process is busy with, and which errors it met: to be read by whoever watches the shop.

In memory and for this process alone: to count an error must not fail, and a cache that does not answer may be that
error.
"""

import sys
from collections import Counter
from threading import Lock


class Traffic:
    """Connected to the request signals by `StorefrontConfig.ready()`.

    https://docs.djangoproject.com/en/stable/ref/signals/#module-django.core.signals
    """

    def __init__(self):
        self._lock = Lock()
        self.reset()

    def reset(self):
        with self._lock:
            self.started = 0
            self.finished = 0
            self.errors = Counter()

    @property
    def under_way(self):
        """Requests that have begun and whose response was not closed yet; a long one may be a stream."""
        # A response that is closed twice ends twice.
        return max(0, self.started - self.finished)

    def begin(self, sender, **kwargs):
        with self._lock:
            self.started += 1

    def end(self, sender, **kwargs):
        with self._lock:
            self.finished += 1

    def fail(self, sender, request=None, **kwargs):
        """Count the exception that is being handled. Those that Django answers, such as Http404, do not get here."""
        kind = sys.exc_info()[0]
        with self._lock:
            self.errors[kind.__name__ if kind else "unknown"] += 1


traffic = Traffic()
