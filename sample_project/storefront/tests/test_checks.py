"""What `manage.py check` says of the settings."""

import pytest
from django.core.checks import run_checks

REDIS = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
POLICY = {"fresh": 300, "stale": 3600, "lock": 30, "jitter": 0.1}


def ours(deploy=False):
    found = run_checks(include_deployment_checks=deploy)
    return [(message.id, message.msg) for message in found if message.id.startswith("storefront.")]


@pytest.mark.parametrize("deploy", [False, True])
def test_the_shop_s_own_settings_are_fine(deploy):
    assert ours(deploy) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"fresh": 0}, "fresh has to be more than 0."),
        ({"lock": -1}, "lock has to be more than 0."),
        ({"stale": -1}, "stale must not be less than 0."),
        ({"jitter": 1}, "jitter has to be at least 0, and less than 1."),
        ({"fresh": "soon"}, "'>' not supported"),
        ({"frsh": 1}, "unexpected keyword argument 'frsh'"),
    ],
)
def test_a_policy_that_makes_no_sense(settings, change, problem):
    settings.CACHE_POLICY = {**POLICY, **change}
    [(identifier, message)] = ours()
    assert identifier == "storefront.E001"
    assert problem in message


def test_a_policy_that_lacks_something(settings):
    settings.CACHE_POLICY = {"fresh": 300}
    assert [identifier for identifier, _ in ours()] == ["storefront.E001"]


@pytest.mark.parametrize(("media", "count"), [("static", 1), ("static/media", 1), ("media", 0), ("statics", 0)])
def test_uploads_among_the_shop_s_own_files(settings, tmp_path, media, count):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.MEDIA_ROOT = tmp_path / media
    assert [identifier for identifier, _ in ours()] == ["storefront.E002"] * count


@pytest.mark.parametrize(
    ("backend", "count"), [("locmem.LocMemCache", 1), ("dummy.DummyCache", 1), ("db.DatabaseCache", 0)]
)
def test_sessions_in_a_cache_of_one_process(settings, backend, count):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "table"}}
    assert [identifier for identifier, _ in ours(deploy=True)] == ["storefront.W001"] * count
    # On a developer's machine there is one process.
    assert ours() == []


def test_a_server_that_others_may_use_without_a_prefix(settings):
    settings.CACHES = {"default": REDIS}
    [(identifier, message)] = ours(deploy=True)
    assert identifier == "storefront.W002"
    assert "'default'" in message
    settings.CACHES = {"default": {**REDIS, "KEY_PREFIX": "bookshop"}}
    assert ours(deploy=True) == []
