"""Points Django's databases and caches at a server, and back."""

_pointing = []


def point(alias: str, settings: dict, owner):
    """Let the database `alias` have these settings, in every thread, until `point_back(owner)`.

    Connections of before are closed.
    """
    from django.db import connections

    _point(connections, alias, connections.configure_settings({"default": dict(settings)})["default"], owner)


def point_cache(alias: str, settings: dict, owner):
    """The same for a cache."""
    from django.core.cache import caches

    _point(caches, alias, dict(settings), owner)


def point_back(owner):
    """Undo what `point` and `point_cache` did for this owner."""
    for entry in [entry for entry in _pointing if entry["owner"] is owner]:
        handler, alias = place = entry["handler"], entry["alias"]
        _close_all(handler)
        position = _pointing.index(entry)
        later = [other for other in _pointing[position + 1 :] if (other["handler"], other["alias"]) == place]
        if later:
            # Blocks may end in another order than they began: the later one gives back what this one found.
            later[0]["before"] = entry["before"]
        elif entry["before"] is None:
            handler.settings.pop(alias, None)
        else:
            handler.settings[alias] = entry["before"]
        _pointing.remove(entry)


def owner_of(alias: str = "default"):
    """The server that the database `alias` points at, or None while it has what it had from the beginning."""
    found = [entry for entry in _pointing if entry["alias"] == alias and _is_databases(entry["handler"])]
    return found[-1]["owner"] if found else None


def _point(handler, alias, settings, owner):
    _close_all(handler)
    _pointing.append({"handler": handler, "alias": alias, "owner": owner, "before": handler.settings.get(alias)})
    handler.settings[alias] = settings


def _is_databases(handler):
    from django.db import connections

    return handler is connections


def _close_all(handler):
    from asgiref.local import Local
    from django.contrib.contenttypes.models import ContentType

    from .. import database

    if _is_databases(handler):
        database.close_connections()
        ContentType.objects.clear_cache()
    else:
        handler.close_all()
        for cache in handler.all(initialized_only=True):
            # Django leaves connections of the Redis protocol open, to be used again.
            for pool in getattr(getattr(cache, "_cache", None), "_pools", {}).values():
                pool.disconnect()
    # Connections belong to one kind of server; every thread makes new ones.
    handler._connections = Local(handler.thread_critical)
