import pytest

from storefront.traffic import traffic


@pytest.fixture(autouse=True)
def _quiet():
    traffic.reset()
    yield
    traffic.reset()


def test_a_request_is_under_way_until_its_response_is_closed(db, client, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "storefront.shelves.BestsellingShelf.__len__", lambda shelf: seen.append(traffic.under_way) or 0
    )
    client.get("/")
    assert seen[0] == 1
    assert (traffic.started, traffic.finished, traffic.under_way) == (1, 1, 0)


def test_errors_are_counted_by_their_kind_and_answers_are_not(db, client, monkeypatch):
    monkeypatch.setattr("storefront.shelves.BestsellingShelf.__len__", lambda shelf: 1 / 0)
    client.raise_request_exception = False
    assert [client.get(path).status_code for path in ("/", "/", "/nowhere/")] == [500, 500, 404]
    assert traffic.errors == {"ZeroDivisionError": 2}
    assert traffic.under_way == 0
