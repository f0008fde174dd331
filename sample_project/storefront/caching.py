"""What the shop keeps for a while, so that it need not work it out for every visitor.

Each entry belongs to one or more groups, and its key contains their versions. `outdate("genres")` gives the group a
new version: nobody asks for the old keys any more, and the cache drops them in its own time. That costs one write,
however many entries there were.

The versions are read before the value is worked out. What is worked out from rows that changed meanwhile is therefore
stored under a key that nobody asks for, instead of replacing what is newer.

https://docs.djangoproject.com/en/stable/topics/cache/#the-low-level-cache-api
"""

import hashlib
import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache as remembered
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.utils import make_template_fragment_key
from django.db import transaction

# Whatever a page tells of books and authors; which genres there are.
CATALOGUE, GENRES = "catalogue", "genres"

_PAUSE = 0.01

# What threads of this process are working out.
_claimed = set()
_claiming = threading.Lock()


def genre(pk: int) -> str:
    """The group of what depends on which books are in that genre."""
    return f"genre:{pk}"


@dataclass(frozen=True)
class Policy:
    """The setting CACHE_POLICY, in seconds."""

    # An entry is as good as new for so long, more or less: see `jitter`.
    fresh: float
    # After that, it may be served for so long while somebody works it out anew.
    stale: float
    # So long the others rely on whoever works it out. It should take less.
    lock: float
    # The share by which `fresh` varies, lest all that was stored in one minute runs out in one minute.
    jitter: float

    def problems(self) -> list[str]:
        """What is wrong with it, in sentences."""
        found = [f"{name} has to be more than 0." for name in ("fresh", "lock") if not getattr(self, name) > 0]
        if not self.stale >= 0:
            found.append("stale must not be less than 0.")
        if not 0 <= self.jitter < 1:
            found.append("jitter has to be at least 0, and less than 1.")
        return found


@remembered
def policy() -> Policy:
    """Read once: settings do not change while the shop runs. In tests they do, and a receiver forgets this."""
    return Policy(**settings.CACHE_POLICY)


def get_or_compute(
    name: str,
    compute: Callable[[], Any],
    *,
    groups: tuple[str, ...] = (),
    keep: Callable[[Any], bool] = lambda value: True,
    alias: str = "default",
) -> Any:
    """The value of that name; where there is none, or none that is fresh, what `compute()` returns.

    However many ask at once, one of them computes. The others get the value that has just run out; where there is
    none, they wait for the new one. That is what keeps a popular page, when its entry runs out, from being worked out
    a hundred times over: Django's own `cache.get_or_set()` lets everybody compute.

    Not in a transaction that has changed the rows itself: everybody would get what may yet be undone.

    Args:
        name: tells the entry from others, whatever characters it has.
        compute: called without arguments. What it raises is raised, and nothing is stored.
        groups: any of them, outdated, outdates the entry.
        keep: whether to store what was computed.
        alias: the cache, of the setting CACHES.
    """
    cache = caches[alias]
    key = key_of(name, groups, alias=alias)
    give_up = time.monotonic() + policy().lock
    while True:
        entry = cache.get(key)
        if _is_fresh(entry):
            return entry[0]
        with _lock(cache, f"{key}:lock") as is_ours:
            if is_ours:
                # Between the look and the lock, somebody else may have finished.
                entry = cache.get(key)
                return entry[0] if _is_fresh(entry) else _computed(cache, key, compute, keep)
        if entry:
            return entry[0]
        if time.monotonic() > give_up:
            # Whoever has the lock takes too long, or is no more. A visitor should get the page all the same.
            return compute()
        time.sleep(_PAUSE)


def _is_fresh(entry):
    return entry is not None and time.time() < entry[1]


def _computed(cache, key, compute, keep):
    value = compute()
    if keep(value):
        seconds = policy().fresh * random.uniform(1 - policy().jitter, 1 + policy().jitter)
        # A pair, so that None is a value like any other.
        cache.set(key, (value, time.time() + seconds), timeout=seconds + policy().stale)
    return value


@contextmanager
def _lock(cache, key):
    """Whether the lock is ours for the block.

    Between processes it is an entry of the cache, since `add` stores nothing where there is something. Among threads
    it is one of Python's as well: the cache that keeps files looks first and writes then, and two may do so at once.
    """
    with _claiming:
        is_ours = key not in _claimed
        _claimed.add(key)
    if not is_ours:
        yield False
        return
    try:
        token = secrets.token_hex(8)
        is_ours = cache.add(key, token, timeout=policy().lock)
        try:
            yield is_ours
        finally:
            # It may have run out, and be somebody else's by now.
            if is_ours and cache.get(key) == token:
                cache.delete(key)
    finally:
        with _claiming:
            _claimed.discard(key)


def key_of(name: str, groups: tuple[str, ...] = (), *, alias: str = "default") -> str:
    """The key of an entry, as it is at the moment. It suits every cache, whatever the name."""
    parts = [name, *versions(groups, alias=alias).values()]
    # Memcached takes 250 characters, without blanks. Hashed with their lengths, lest ("ab", "c") be ("a", "bc").
    digest = hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
    return f"shop:{digest[:32]}"


def versions(groups: tuple[str, ...], *, alias: str = "default") -> dict[str, str]:
    """The present version of each group, made up where it has none; in one request to the cache if all are there."""
    cache = caches[alias]
    found = cache.get_many([_version_key(group) for group in groups])
    result = {}
    for group in groups:
        place = _version_key(group)
        if place not in found:
            # If somebody else was quicker, theirs is taken. The cache may also refuse to keep it: see DummyCache.
            cache.add(place, _new_version(), timeout=None)
            found[place] = cache.get(place, "none")
        result[group] = found[place]
    return result


def outdate(*groups: str, alias: str = "default"):
    """Nothing that is stored for these groups will be found again."""
    caches[alias].set_many({_version_key(group): _new_version() for group in groups}, timeout=None)


def outdate_on_commit(*groups: str, using: str | None = None, fragments: Sequence[str] = ()):
    """The same, once the transaction has ended well: until then, others would store again what was before.

    A cache that does not answer is logged, and keeps nobody from saving a book. `fragments`: see `forget_fragment`.
    """

    # Not `functools.partial`: where a robust callback fails, Django 5.2 asks it for the name that only functions have.
    def outdate_groups():
        outdate(*groups)

    def forget_fragments():
        for name in fragments:
            forget_fragment(name)

    transaction.on_commit(outdate_groups, using=using, robust=True)
    if fragments:
        transaction.on_commit(forget_fragments, using=using, robust=True)


def forget_fragment(name: str, *vary_on, alias: str = "default"):
    """Delete what `{% cache SECONDS name language … %}` keeps, in every language of the shop.

    A page that is being made at this moment from rows of before may still store them afterwards. So a fragment's
    SECONDS are how long the shop can live with that.

    https://docs.djangoproject.com/en/stable/topics/cache/#django.core.cache.utils.make_template_fragment_key
    """
    languages = [code for code, _ in settings.LANGUAGES]
    caches[alias].delete_many([make_template_fragment_key(name, [code, *vary_on]) for code in languages])


def _version_key(group):
    return f"shop:version:{group}"


def _new_version():
    # Drawn, not counted: a counter that the cache had to drop would begin again, and meet the entries of before.
    return secrets.token_hex(8)
