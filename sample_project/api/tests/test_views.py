"""The views without a router."""

from accounts.models import Profile


def test_genres(anybody):
    answer = anybody.get("/api/v1/genres/").json()
    assert answer["count"] == 14
    assert answer["results"][0] == {"slug": "adventure", "name": "Adventure"}


def test_languages_with_most_books_first(anybody):
    answer = anybody.get("/api/v1/languages/").json()
    assert answer[:2] == [{"language": "English", "books": 93}, {"language": "French", "books": 20}]
    assert anybody.post("/api/v1/languages/").status_code == 401


def test_the_account_is_that_of_who_asks(customer):
    assert customer.get("/api/v1/account/").json() == {
        "username": "anna",
        "email": "anna@example.org",
        "is_bookseller": False,
        "profile": {"city": "Uppsala", "newsletter": customer_newsletter("anna")},
    }


def customer_newsletter(username):
    return Profile.objects.get(user__username=username).newsletter


def test_a_part_of_the_profile_is_changed(customer):
    response = customer.patch("/api/v1/account/", {"profile": {"city": "Umeå"}, "username": "boss", "is_staff": True})
    assert response.status_code == 200
    assert (response.json()["username"], response.json()["profile"]["city"]) == ("anna", "Umeå")
    assert not response.json()["is_bookseller"]
    assert customer.get("/api/v1/account/").json()["profile"]["city"] == "Umeå"


def test_who_has_no_profile_gets_one(bookseller):
    assert bookseller.get("/api/v1/account/").json()["profile"] is None
    assert bookseller.patch("/api/v1/account/", {"profile": {"city": "Oslo"}}).status_code == 200
    assert bookseller.get("/api/v1/account/").json()["profile"] == {"city": "Oslo", "newsletter": False}
