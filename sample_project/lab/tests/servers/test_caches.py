"""Valkey and Memcached as Django's cache."""

import pytest

START = "from lab import memcached, start, valkey\nstart()\nfrom django.core.cache import cache, caches\n"


@pytest.mark.parametrize("name", ["valkey", "memcached"])
def test_the_cache_is_on_it_in_the_block_and_in_memory_after(python, has, name):
    has(name)
    script = (
        START + "cache.set('answer', 'here')\n"
        f"with {name}() as server:\n"
        "    print(cache.get('answer'))\n"
        "    cache.set('answer', 'there')\n"
        "    print(cache.get('answer'), type(caches['default']).__name__)\n"
        "print(cache.get('answer'))"
    )
    backend = {"valkey": "RedisCache", "memcached": "PyMemcacheCache"}[name]
    assert python(script) == f"The bookshop is ready.\nNone\nthere {backend}\nhere\n"


def test_another_cache_can_be_pointed_at_it_or_none(python, has):
    has("valkey")
    script = (
        START + "with valkey(cache='shared') as server:\n    caches['shared'].set('a', 1)\n"
        "    print(caches['shared'].get('a'), cache.get('a'))\n"
        "with valkey(cache=None) as server:\n    print(type(caches['default']).__name__)\n"
        "print(list(caches.settings))"
    )
    assert python(script).endswith("\n1 None\nLocMemCache\n['default']\n")


def test_the_password_is_needed(python, has):
    has("valkey")
    script = (
        START + "import redis, re\nwith valkey() as server:\n"
        "    try:\n        redis.Redis.from_url(re.sub(':[0-9a-f]{32}@', '', server.url)).ping()\n"
        "    except redis.AuthenticationError:\n        print('refused')\n"
        "    print(redis.Redis.from_url(server.url).ping())"
    )
    assert python(script).endswith("\nrefused\nTrue\n")


def test_each_notebook_has_its_own(python, has):
    has("valkey")
    script = (
        START + "with valkey() as one, valkey('second') as other:\n"
        "    cache.set('a', 1)\n    print(one.url != other.url, caches['second'].get('a'))"
    )
    assert python(script).endswith("\nTrue None\n")


def test_where_there_is_none_one_sentence_says_what_to_do(python):
    script = (
        "from lab import Unavailable, memcached, valkey\nfrom lab.servers import caches, process\n"
        "caches._valkey_program = lambda: None\nprocess.find = lambda *names: None\n"
        "print(valkey.available(), memcached.available())\n"
        "for kind in (valkey, memcached):\n"
        "    try:\n        kind().start()\n    except Unavailable as missing:\n        print(missing)"
    )
    output = python(script, REDIS_URL="")
    assert output.startswith("False False\nValkey is not installed here")
    assert "\nMemcached is not installed here" in output
    assert output.count("\n") == 3


def test_a_server_of_one_s_own_is_used_where_there_is_no_other(python, has):
    has("valkey")
    script = (
        START + "from lab.servers import caches as servers\nimport os\nwith valkey(cache=None) as own:\n"
        "    servers._valkey_program = lambda: None\n    os.environ['REDIS_URL'] = own.url\n"
        "    with valkey() as server:\n        cache.set('a', 1)\n"
        "        print(server.url == own.url, cache.get('a'))\n"
        "    import redis\n    print(redis.Redis.from_url(own.url).ping())"
    )
    assert python(script).endswith("\nTrue 1\nTrue\n")
