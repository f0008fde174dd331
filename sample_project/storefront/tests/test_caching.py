"""The same behaviour on every cache that Django brings."""

import importlib.util
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import InvalidCacheKey
from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from config.settings.common import SQLITE_OPTIONS
from storefront import caching
from storefront.caching import get_or_compute, key_of, outdate, versions

BACKENDS = "django.core.cache.backends"
KINDS = ["memory", "file", pytest.param("database", marks=pytest.mark.django_db), "redis", "memcached"]
PATIENCE = 20


@pytest.fixture(scope="session")
def server():
    """Start a server of the lab's and return where it is: `server("valkey")`. Skips where this machine has none."""
    from lab.servers import caches as servers
    from lab.servers import process

    running = {}

    def start(name):
        if name == "valkey":
            return servers._launch_valkey()
        started, port = process.start_on_free_port(servers._begin_memcached)
        servers._wait_for_answer(started, port)
        return started, f"127.0.0.1:{port}"

    def address(name):
        # Not entered: as a block, it would point Django's default cache at the server, for all tests.
        if reason := getattr(servers, name).why_not():
            pytest.skip(f"SKIPPED, a real server is missing: {reason}")
        if name not in running:
            running[name] = start(name)
        return running[name][1]

    yield address
    for started, _ in running.values():
        started.stop()


@pytest.fixture
def file_database(tmp_path, django_db_blocker):
    """A SQLite file as the default database, as in production: one in memory, as in tests, locks whole tables."""
    before, held = connections.settings["default"], connections["default"]
    place = {"NAME": str(tmp_path / "caches.sqlite3"), "OPTIONS": SQLITE_OPTIONS, "TEST": {}}
    connections.settings["default"] = {**before, **place}
    connections["default"] = connections.create_connection("default")
    with django_db_blocker.unblock():
        yield
        connections["default"].close()
    connections["default"], connections.settings["default"] = held, before


@pytest.fixture
def use(tmp_path, server):
    """Make a cache of that kind the default one: `use("file", TIMEOUT=60)`."""
    settings = override_settings()

    def choose(kind, **further):
        backend, location = {
            "memory": ("locmem.LocMemCache", "test"),
            "file": ("filebased.FileBasedCache", tmp_path / "cache"),
            "database": ("db.DatabaseCache", "shop_cache"),
            "redis": ("redis.RedisCache", lambda: server("valkey")),
            "memcached": ("memcached.PyMemcacheCache", lambda: server("memcached")),
            "dummy": ("dummy.DummyCache", ""),
        }[kind]
        settings.options = {
            "CACHES": {
                "default": {
                    "BACKEND": f"{BACKENDS}.{backend}",
                    "LOCATION": location() if callable(location) else location,
                    **further,
                }
            }
        }
        settings.enable()
        if kind == "database":
            call_command("createcachetable", verbosity=0)
        caches["default"].clear()
        return caches["default"]

    yield choose
    if settings.options:
        caches["default"].clear()
        caches.close_all()
        settings.disable()


@pytest.fixture(params=KINDS)
def cache(request, use):
    return use(request.param)


class Source:
    """What is dear to work out: counts how often it was."""

    def __init__(self, answer="dear"):
        self.answer = answer
        self.count = 0

    def __call__(self):
        self.count += 1
        return self.answer


class TestEveryCache:
    def test_a_value_is_computed_once(self, cache):
        source = Source({"titles": ["Emma", "Nana"]})
        assert [get_or_compute("shelf", source) for _ in range(3)] == [{"titles": ["Emma", "Nana"]}] * 3
        assert source.count == 1

    @pytest.mark.parametrize("value", [None, 0, "", [], False])
    def test_nothing_is_a_value_as_well(self, cache, value):
        source = Source(value)
        assert get_or_compute("shelf", source) == value
        assert get_or_compute("shelf", source) == value
        assert source.count == 1

    @pytest.mark.parametrize("name", ["with blanks and\nlines", "é 書", "x" * 1000, ""])
    def test_any_text_is_a_name(self, cache, name):
        source = Source()
        get_or_compute(name, source)
        get_or_compute(name, source)
        assert source.count == 1

    def test_outdating_a_group_forgets_all_that_belongs_to_it_and_nothing_else(self, cache):
        of_genre, of_catalogue, of_both, of_none = Source(), Source(), Source(), Source()

        def ask():
            get_or_compute("a", of_genre, groups=("genre:1",))
            get_or_compute("b", of_catalogue, groups=("catalogue",))
            get_or_compute("c", of_both, groups=("catalogue", "genre:1"))
            get_or_compute("d", of_none)

        ask()
        outdate("genre:1")
        ask()
        ask()
        assert [source.count for source in (of_genre, of_catalogue, of_both, of_none)] == [2, 1, 2, 1]

    def test_a_value_of_rows_that_changed_meanwhile_is_not_found_again(self, cache):
        def compute():
            # Somebody saves a book while the old rows are being read.
            outdate("catalogue")
            return "old"

        assert get_or_compute("shelf", compute, groups=("catalogue",)) == "old"
        assert get_or_compute("shelf", lambda: "new", groups=("catalogue",)) == "new"

    def test_a_version_that_was_dropped_does_not_bring_old_entries_back(self, cache):
        get_or_compute("shelf", lambda: "old", groups=("catalogue",))
        outdate("catalogue")
        cache.delete("shop:version:catalogue")
        assert get_or_compute("shelf", lambda: "new", groups=("catalogue",)) == "new"

    def test_what_fails_is_not_stored_and_does_not_lock(self, cache):
        def fail():
            raise LookupError("no rows")

        with pytest.raises(LookupError, match="no rows"):
            get_or_compute("shelf", fail)
        assert get_or_compute("shelf", Source("better")) == "better"

    def test_what_is_not_worth_it_is_not_kept(self, cache):
        source = Source([])
        get_or_compute("shelf", source, keep=bool)
        source.answer = ["Emma"]
        assert get_or_compute("shelf", source, keep=bool) == ["Emma"]
        assert get_or_compute("shelf", source, keep=bool) == ["Emma"]
        assert source.count == 2

    def test_what_ran_out_is_served_while_somebody_works_on_it(self, cache, settings):
        settings.CACHE_POLICY = {"fresh": 0.01, "stale": 60, "lock": 60, "jitter": 0}
        get_or_compute("shelf", lambda: "old")
        time.sleep(0.02)

        def compute():
            return get_or_compute("shelf", lambda: pytest.fail("somebody works on it")), "new"

        assert get_or_compute("shelf", compute) == ("old", "new")

    def test_what_ran_out_is_served_while_another_process_works_on_it(self, cache, settings):
        settings.CACHE_POLICY = {"fresh": 0.01, "stale": 60, "lock": 60, "jitter": 0}
        get_or_compute("shelf", lambda: "old")
        time.sleep(0.02)
        cache.add(f"{key_of('shelf')}:lock", "of another process", timeout=60)
        assert get_or_compute("shelf", lambda: pytest.fail("somebody works on it")) == "old"

    def test_whoever_holds_the_lock_too_long_is_not_waited_for_any_longer(self, cache, settings):
        settings.CACHE_POLICY = {"fresh": 60, "stale": 60, "lock": 1, "jitter": 0}
        lock = f"{key_of('shelf')}:lock"
        cache.add(lock, "of one who was killed", timeout=60)
        source = Source()
        assert get_or_compute("shelf", source) == "dear"
        # And their lock is left to them.
        assert cache.get(lock) == "of one who was killed"

    def test_the_lock_goes_with_the_work(self, cache):
        get_or_compute("shelf", Source())
        assert cache.get(f"{key_of('shelf')}:lock") is None

    def test_a_lock_that_ran_out_and_is_another_s_now_stays(self, cache):
        lock = f"{key_of('shelf')}:lock"

        def compute():
            cache.set(lock, "of the next", timeout=60)

        get_or_compute("shelf", compute)
        assert cache.get(lock) == "of the next"

    def test_what_cannot_be_pickled_is_an_error_and_not_a_wrong_value(self, cache):
        with pytest.raises(Exception, match=r"(?i)pickle|local object"):
            cache.set("function", lambda: None)
        assert cache.get("function") is None

    def test_a_stored_none_is_told_from_nothing_stored(self, cache):
        cache.set("nothing", None)
        missing = object()
        assert cache.get("nothing", missing) is None
        assert cache.get("elsewhere", missing) is missing

    def test_versions_and_counters_of_django_itself(self, cache):
        cache.set("shelf", "first", version=1)
        assert cache.incr_version("shelf") == 2
        assert (cache.get("shelf"), cache.get("shelf", version=2)) == (None, "first")
        cache.set("visits", 41)
        assert cache.incr("visits") == 42
        with pytest.raises(ValueError, match="not found"):
            cache.incr("nowhere")

    def test_many_are_set_and_found_at_once(self, cache):
        assert cache.set_many({"a": 1, "b": 2}) == []
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}


@pytest.mark.parametrize("kind", ["memory", "file", "redis", "memcached"])
def test_of_fifty_who_ask_at_once_one_computes(use, kind):
    use(kind)
    counted, guard, together = [], threading.Lock(), threading.Barrier(50, timeout=PATIENCE)

    def compute():
        with guard:
            counted.append(1)
        # The others meet the lock, not the value.
        time.sleep(0.1)
        return "dear"

    def ask(_):
        together.wait()
        try:
            return get_or_compute("shelf", compute, groups=("catalogue",))
        finally:
            # Each thread has connections of its own.
            caches.close_all()

    versions(("catalogue",))
    with ThreadPoolExecutor(50) as threads:
        assert list(threads.map(ask, range(50))) == ["dear"] * 50
    assert len(counted) == 1


def test_of_ten_who_ask_the_database_at_once_one_computes(file_database, use):
    use("database")
    counted, together = [], threading.Barrier(10, timeout=PATIENCE)

    def compute():
        counted.append(1)
        time.sleep(0.1)
        return "dear"

    def ask(_):
        together.wait()
        try:
            return get_or_compute("shelf", compute)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        assert list(threads.map(ask, range(10))) == ["dear"] * 10
    assert len(counted) == 1


def test_without_the_lock_everybody_computes(use):
    """Django's `get_or_set` promises a value, and not that it is computed once."""
    cache = use("memory")
    counted, together = [], threading.Barrier(8, timeout=PATIENCE)

    def compute():
        together.wait()
        counted.append(1)
        return "dear"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: cache.get_or_set("shelf", compute), range(8)))
    assert len(counted) == 8


def test_a_cache_that_keeps_nothing_costs_time_and_nothing_else(use):
    use("dummy")
    source = Source()
    assert [get_or_compute("shelf", source, groups=("catalogue",)) for _ in range(3)] == ["dear"] * 3
    assert source.count == 3
    outdate("catalogue")


def test_entries_do_not_run_out_together(settings, monkeypatch):
    settings.CACHE_POLICY = {"fresh": 100, "stale": 0, "lock": 1, "jitter": 0.5}
    now = 1_000_000
    monkeypatch.setattr(caching.time, "time", lambda: now)
    for number in range(50):
        get_or_compute(f"shelf {number}", Source())
    ends = {caches["default"].get(key_of(f"shelf {number}"))[1] - now for number in range(50)}
    assert len(ends) > 40
    assert 50 <= min(ends) < 75 < 125 < max(ends) <= 150


def test_names_and_versions_do_not_run_into_each_other():
    outdate("a", "b")
    assert key_of("x", ("a",)) != key_of("x", ("b",)) != key_of("x", ("a", "b"))
    found = versions(("a", "b"))
    caches["default"].set("shop:version:a", "1")
    assert key_of("ab") != key_of("a", ("a",))
    assert found["a"] != found["b"]


@pytest.mark.django_db
def test_all_versions_are_asked_for_in_one_request(use):
    use("database")
    versions(("a", "b", "c"))
    with CaptureQueriesContext(connections["default"]) as asked:
        key_of("shelf", ("a", "b", "c"))
    assert len(asked) == 1


class TestWhatACacheRefuses:
    @pytest.mark.parametrize("key", ["a b", "x" * 251, "a\n"])
    def test_memcached_refuses_such_keys(self, use, key):
        cache = use("memcached")
        with pytest.raises(InvalidCacheKey):
            cache.set(key, 1)

    def test_local_memory_warns_of_them_since_the_shop_may_move(self, use):
        from django.core.cache.backends.base import CacheKeyWarning

        cache = use("memory")
        with pytest.warns(CacheKeyWarning, match="memcached"):
            cache.set("a b", 1)
        assert cache.get_many(["ab"]) == {}

    def test_memcached_does_not_take_more_than_a_megabyte(self, use):
        cache = use("memcached")
        # Some versions of the client say so, all leave it out.
        with suppress(Exception):
            cache.set("large", os.urandom(2**21))
        assert cache.get("large") is None

    def test_local_memory_drops_what_was_used_least_recently(self, use):
        cache = use("memory", OPTIONS={"MAX_ENTRIES": 4, "CULL_FREQUENCY": 2})
        for name in "abcd":
            cache.set(name, 1)
        cache.get("a")
        cache.set("e", 1)
        assert sorted(cache.get_many("abcde")) == ["a", "d", "e"]

    def test_local_memory_gives_a_copy(self, use):
        cache = use("memory")
        titles = ["Emma"]
        cache.set("titles", titles)
        cache.get("titles").append("Nana")
        titles.append("Villette")
        assert cache.get("titles") == ["Emma"]


def test_files_are_in_the_folder_and_nowhere_else(use, tmp_path):
    cache = use("file")
    cache.set("shelf", 1)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".djcache"]


@pytest.mark.django_db
def test_the_database_answers_with_one_query(use, django_assert_num_queries):
    cache = use("database")
    cache.set("shelf", 1)
    with django_assert_num_queries(1):
        assert cache.get("shelf") == 1


def test_another_prefix_is_another_cache(use, server):
    if importlib.util.find_spec("redis") is None:
        pytest.skip("SKIPPED, the package redis is missing")
    use("redis", KEY_PREFIX="live").set("shelf", "of the live shop")
    with override_settings(
        CACHES={
            "default": {
                "BACKEND": f"{BACKENDS}.redis.RedisCache",
                "LOCATION": server("valkey"),
                "KEY_PREFIX": "test",
            }
        }
    ):
        assert caches["default"].get("shelf") is None
    assert caches["default"].get("shelf") == "of the live shop"
