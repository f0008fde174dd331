"""How often somebody may ask."""

import pytest
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

GENRES = "/api/v1/genres/"


def statuses(client, times, url=GENRES, **options):
    return [client.get(url, **options).status_code for _ in range(times)]


@pytest.fixture
def stopped_clock(monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(SimpleRateThrottle, "timer", lambda self: now[0])
    return now


def test_too_many_requests_are_told_when_to_come_back(anybody, rates, stopped_clock):
    rates(anon="2/min")
    assert statuses(anybody, 2) == [200, 200]
    stopped_clock[0] += 15
    response = anybody.get(GENRES)
    assert (response.status_code, response["Retry-After"]) == (429, "45")
    assert response.json() == {"detail": "Request was throttled. Expected available in 45 seconds."}
    stopped_clock[0] += 45
    assert anybody.get(GENRES).status_code == 200


def test_who_is_logged_in_is_counted_apart(anybody, customer, rates):
    rates(anon="1/min", user="3/min")
    assert statuses(anybody, 2) == [200, 429]
    assert statuses(customer, 4) == [200, 200, 200, 429]


def test_the_address_is_that_of_the_connection_not_what_a_client_says(anybody, rates):
    rates(anon="1/min")
    answers = [anybody.get(GENRES, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(2)]
    assert answers == [200, 429]
    assert APIClient(REMOTE_ADDR="10.0.0.1").get(GENRES).status_code == 200


def test_guessing_passwords_is_slow(anybody):
    attempts = [anybody.post("/api/v1/token/", {"username": "anna", "password": str(n)}) for n in range(6)]
    assert [attempt.status_code for attempt in attempts] == [400] * 5 + [429]
    assert anybody.get(GENRES).status_code == 200


def test_placing_orders_is_counted_reading_them_is_not(customer, rates):
    rates(orders="1/min")
    assert [customer.post("/api/v1/orders/", {}).status_code for _ in range(2)] == [400, 429]
    assert customer.get("/api/v1/orders/").status_code == 200
