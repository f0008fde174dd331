import pytest

from lab import session


def test_start_prints_one_line_and_gives_the_shop(python):
    script = "from lab import start\nstart()\nfrom catalog.models import Book\nprint(Book.objects.count())"
    assert python(script) == "The bookshop is ready.\n166\n"


@pytest.mark.parametrize("again", ["reset()", "start()"])
def test_the_first_state_comes_back(python, again):
    script = (
        "import io\nfrom contextlib import redirect_stdout\nfrom lab import reset, start\nstart()\n"
        "from catalog.models import Genre\n"
        "Genre.objects.all().delete()\n"
        f"with redirect_stdout(io.StringIO()):\n    {again}\n"
        "print(Genre.objects.count())"
    )
    assert python(script) == "The bookshop is ready.\n14\n"


@pytest.mark.parametrize("again", ["reset()", "start()"])
def test_what_was_cached_is_forgotten(python, again):
    script = (
        "import io\nfrom contextlib import redirect_stdout\nfrom lab import reset, start\nstart()\n"
        "from django.core.cache import cache\ncache.set('shelf', 'of before')\n"
        f"with redirect_stdout(io.StringIO()):\n    {again}\n"
        "print(cache.get('shelf'))"
    )
    assert python(script) == "The bookshop is ready.\nNone\n"


def test_the_shop_grows_to_the_lines_asked_for_and_back(python):
    script = (
        "from lab import reset, start\nstart(lines=6_000)\n"
        "from orders.models import OrderLine\n"
        "print(OrderLine.objects.count() >= 6_000)\n"
        "OrderLine.objects.all().delete()\nreset()\nprint(OrderLine.objects.count() >= 6_000)\n"
        "start()\nprint(OrderLine.objects.count())"
    )
    expected = "The bookshop is ready, with at least 6,000 order lines.\nTrue\nTrue\nThe bookshop is ready.\n4407\n"
    assert python(script) == expected


def test_import_lab_does_not_import_django(python):
    script = "import sys, lab\nfrom lab import start\nprint('django.db' in sys.modules, 'IPython' in sys.modules)"
    assert python(script) == "False False\n"


def test_all_names_are_there_and_no_other():
    import lab

    assert lab.__all__ == sorted(lab.__all__)
    assert {"diagram", "explain", "get", "post", "postgres", "queries", "reset", "serve", "show"} < set(lab.__all__)
    assert {"scratch", "start", "trace", "valkey", "worker"} < set(lab.__all__)
    assert set(lab.__all__) == set(lab._HOMES)
    assert all(callable(getattr(lab, name)) for name in lab.__all__)
    with pytest.raises(AttributeError, match="'lab' has no attribute 'begin'"):
        _ = lab.begin


def test_reset_before_start_says_what_to_do(monkeypatch):
    monkeypatch.setattr(session, "_prebuilt", None)
    with pytest.raises(RuntimeError, match=r"call start\(\) first"):
        session.reset()


@pytest.mark.parametrize("arguments", [{"name": "oracle"}, {"lines": 0}, {"lines": "many"}])
def test_start_refuses_what_it_does_not_know(arguments):
    with pytest.raises(ValueError, match="start|lines"):
        session.start(**arguments)


def test_passwords_mail_and_logs_are_those_of_a_notebook(python):
    script = (
        "from lab import start\nstart()\n"
        "from accounts.models import User\nfrom django.conf import settings\nfrom django.core import mail\n"
        "user = User.objects.create_user('newcomer', password='x')\n"
        "mail.send_mail('a', 'b', 'c@example.org', ['d@example.org'])\n"
        "import logging\nlogging.getLogger('django.request').warning('nobody sees this')\n"
        "print(user.password.split('$')[0], len(mail.outbox), settings.DEBUG)"
    )
    assert python(script) == "The bookshop is ready.\nmd5 1 True\n"
