"""What can be seen of the settings before anything goes wrong: `manage.py check`, and at the start of most commands.

https://docs.djangoproject.com/en/stable/topics/checks/
"""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from .caching import Policy

# In the memory of one process, or nowhere.
_UNSHARED = ("locmem.LocMemCache", "dummy.DummyCache")
# On servers that others may use as well.
_SHARED = ("redis.RedisCache", "memcached.PyMemcacheCache", "memcached.PyLibMCCache")


@register(Tags.caches)
def check_cache_policy(app_configs, **kwargs):
    """The seconds in CACHE_POLICY make sense."""
    hint = 'As in {"fresh": 300, "stale": 3600, "lock": 30, "jitter": 0.1}.'
    try:
        problems = Policy(**settings.CACHE_POLICY).problems()
    except TypeError as error:
        # A name too many, one too few, or a text where a number belongs.
        problems = [str(error)]
    return [Error(f"The setting CACHE_POLICY: {problem}", hint=hint, id="storefront.E001") for problem in problems]


@register(Tags.files)
def check_uploads_are_apart(app_configs, **kwargs):
    """What people upload is not served as if it were ours."""
    if not settings.MEDIA_ROOT or not settings.STATIC_ROOT:
        return []
    media, static = Path(settings.MEDIA_ROOT).resolve(), Path(settings.STATIC_ROOT).resolve()
    if media != static and static not in media.parents:
        return []
    return [
        Error(
            "MEDIA_ROOT is inside STATIC_ROOT: what people upload would be served with the shop's own scripts.",
            hint="Give each a folder of its own.",
            id="storefront.E002",
        )
    ]


@register(Tags.caches, deploy=True)
def check_sessions_are_shared(app_configs, **kwargs):
    """A server has more than one process, and each has a memory of its own."""
    if settings.SESSION_ENGINE != "django.contrib.sessions.backends.cache":
        return []
    backend = settings.CACHES[settings.SESSION_CACHE_ALIAS]["BACKEND"]
    if not backend.endswith(_UNSHARED):
        return []
    return [
        Warning(
            "Sessions are kept in a cache that is not shared between processes: visitors are logged out at random.",
            hint="Keep them in the database, or in a cache on a server.",
            id="storefront.W001",
        )
    ]


@register(Tags.caches, deploy=True)
def check_key_prefixes(app_configs, **kwargs):
    """A test system and the live shop on the same server must not read each other's entries."""
    return [
        Warning(
            f"The cache {alias!r} is on a server and has no KEY_PREFIX: another site there may have the same keys.",
            hint='Set KEY_PREFIX, to "bookshop" for instance.',
            id="storefront.W002",
        )
        for alias, cache in settings.CACHES.items()
        if cache["BACKEND"].endswith(_SHARED) and not cache.get("KEY_PREFIX")
    ]
