"""What DATABASE_URL stands for, with the options that a server of that kind wants in production."""

import dj_database_url

from .environment import EnvironmentMistake

_EXAMPLE = "postgresql://user:password@host:5432/name"

# Connections are opened ahead and shared by the threads of a process. Each thread would keep one of its own otherwise,
# and an asynchronous server has a thread per request: https://docs.djangoproject.com/en/stable/ref/databases/#connection-pool
# The server must allow processes × max_size of them.
_POOL = {"min_size": 2, "max_size": 10, "timeout": 30}

_MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    # Django's advice: with the server's own default, get_or_create() may not see what made it fail.
    "isolation_level": "read committed",
    # An overlong text is an error, and not cut.
    "init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'",
}


def database(url: str, sqlite_options: dict) -> dict:
    """The entry of DATABASES for a URL: PostgreSQL, MySQL or MariaDB, SQLite, or any other that Django knows.

    Options in the query of the URL have precedence: `?sslmode=require`, `?pool=false` for connections that last a
    minute instead of a pool, as behind PgBouncer.

    Raises EnvironmentMistake where the URL cannot be read. The URL is not in its text: it has a password.
    """
    try:
        parsed = dj_database_url.parse(url)
    except ValueError:
        raise EnvironmentMistake(
            f"The environment variable DATABASE_URL is no URL of a database: write it like {_EXAMPLE}, with special "
            "characters in the password percent-encoded."
        ) from None
    if not parsed["NAME"]:
        raise EnvironmentMistake(f"The environment variable DATABASE_URL names no database: write it like {_EXAMPLE}.")
    options = parsed.get("OPTIONS", {})
    kind = parsed["ENGINE"].rpartition(".")[2]
    if kind == "sqlite3":
        parsed["OPTIONS"] = {**sqlite_options, **options}
        return parsed
    # A connection that the server has closed meanwhile is noticed before it is used.
    parsed["CONN_HEALTH_CHECKS"] = True
    if kind == "postgresql" and options.get("pool", True) is True:
        parsed["OPTIONS"] = {**options, "pool": _POOL}
        return parsed
    parsed["CONN_MAX_AGE"] = 60
    if kind == "mysql":
        options = {**_MYSQL_OPTIONS, **options}
    parsed["OPTIONS"] = {name: value for name, value in options.items() if name != "pool"}
    return parsed
