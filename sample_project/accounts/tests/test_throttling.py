import pytest
from django.core.cache import cache

from accounts.throttling import LoginThrottle, Throttle


@pytest.fixture
def throttle():
    return Throttle("test", limit=2, seconds=60)


def test_the_limit_is_counted_for_each_apart(throttle):
    assert [throttle.attempt("nora") for _ in range(4)] == [True, True, False, False]
    assert throttle.attempt("thea")


def test_scopes_are_counted_apart(throttle):
    for _ in range(3):
        throttle.attempt("nora")
    assert Throttle("other", limit=2, seconds=60).attempt("nora")


def test_forgiven_and_forgotten_attempts_do_not_count(throttle):
    assert throttle.attempt("nora")
    throttle.forgive("nora")
    assert [throttle.attempt("nora") for _ in range(3)] == [True, True, False]
    throttle.forget("nora")
    assert throttle.attempt("nora")


def test_it_begins_anew_when_the_time_is_over(throttle, monkeypatch):
    for _ in range(3):
        throttle.attempt("nora")
    cache.touch(throttle.key("nora"), 0)
    assert throttle.attempt("nora")


def test_a_counter_that_runs_out_while_counting_starts_at_one(throttle, monkeypatch):
    def gone(*args, **kwargs):
        raise ValueError("Key not found")

    monkeypatch.setattr("accounts.throttling.cache.incr", gone)
    assert throttle.attempt("nora")
    assert cache.get(throttle.key("nora")) == 1
    throttle.forget("nora")
    throttle.forgive("nora")  # nothing is there, and nothing happens


def test_what_was_typed_is_not_readable_in_the_cache(throttle):
    assert "secret" not in throttle.key("secret word that landed in the wrong field\n")


def test_an_account_is_limited_at_each_address_in_any_capitals():
    throttle = LoginThrottle()
    allowed = [throttle.attempt(name, "10.0.0.1") for name in ["nora", "NORA", " nora ", "Nora", "nora", "nora"]]
    assert allowed == [True] * 5 + [False]
    assert throttle.attempt("nora", "10.0.0.2")
    assert throttle.attempt("thea", "10.0.0.1")


def test_an_address_is_limited_whatever_the_accounts():
    throttle = LoginThrottle()
    assert all(throttle.attempt(f"user{number}", "10.0.0.1") for number in range(throttle.addresses.limit))
    assert not throttle.attempt("another", "10.0.0.1")
    assert throttle.attempt("another", "10.0.0.2")


def test_logins_of_ones_own_do_not_pay_for_guesses():
    throttle = LoginThrottle()
    for number in range(throttle.addresses.limit):
        throttle.attempt(f"user{number}", "10.0.0.1")
        throttle.attempt("mallory", "10.0.0.1")
        throttle.succeeded("mallory", "10.0.0.1")
    assert not throttle.attempt("another", "10.0.0.1")
