"""Who is let in: by token, by session; and what everybody else is told."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.models import User
from api.authentication import issue_token

ACCOUNT = "/api/v1/account/"
TOKEN = "/api/v1/token/"  # noqa: S105 - an address


@pytest.fixture
def newcomer(db):
    return User.objects.create_user("newcomer", password="six dry plums")  # noqa: S106


def with_token(key):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


class TestToken:
    def test_it_is_given_for_a_password(self, anybody, newcomer):
        response = anybody.post(TOKEN, {"username": "newcomer", "password": "six dry plums"})
        assert response.status_code == 200
        token = Token.objects.get(user=newcomer)
        assert response.json()["token"] == token.key
        assert response.json()["expires"] == (token.created + timedelta(days=30)).isoformat().replace("+00:00", "Z")

    def test_it_is_not_given_for_a_wrong_one(self, anybody, newcomer):
        response = anybody.post(TOKEN, {"username": "newcomer", "password": "plums"})
        assert response.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
        assert response.status_code == 400

    def test_it_says_who_is_asking(self, newcomer):
        client = with_token(issue_token(newcomer).key)
        assert client.get(ACCOUNT).json()["username"] == "newcomer"

    def test_with_it_nobody_asks_for_a_csrf_token(self, newcomer):
        client = APIClient(enforce_csrf_checks=True)
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(newcomer).key}")
        assert client.post("/api/v1/books/emma/reviews/", {"stars": 5}).status_code == 201

    def test_a_browser_that_is_logged_in_gets_one_without_a_csrf_token(self, anna, newcomer):
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(anna)
        response = client.post(TOKEN, {"username": "newcomer", "password": "six dry plums"})
        assert response.status_code == 200

    def test_it_is_the_same_while_it_is_good(self, newcomer):
        assert issue_token(newcomer) == issue_token(newcomer)

    def test_it_ends(self, newcomer, settings):
        token = issue_token(newcomer)
        Token.objects.update(created=timezone.now() - settings.API_TOKEN_LIFETIME)
        response = with_token(token.key).get(ACCOUNT)
        assert response.status_code == 401
        assert response.json() == {"detail": "This token has expired. Ask for a new one."}
        assert issue_token(newcomer).key != token.key
        assert Token.objects.filter(user=newcomer).count() == 1

    @pytest.mark.django_db
    def test_one_that_nobody_has_is_not_taken_for_nobody(self):
        # A book is for everybody, but a program that sends a wrong token has to hear of it.
        assert with_token("0" * 40).get("/api/v1/books/emma/").status_code == 401

    def test_it_does_not_outlive_its_user(self, newcomer):
        client = with_token(issue_token(newcomer).key)
        User.objects.filter(pk=newcomer.pk).update(is_active=False)
        assert client.get(ACCOUNT).status_code == 401

    def test_it_is_revoked(self, newcomer):
        client = with_token(issue_token(newcomer).key)
        assert client.post(f"{TOKEN}revoke/").status_code == 204
        assert client.get(ACCOUNT).status_code == 401


class TestSession:
    def test_a_browser_that_is_logged_in_reads(self, customer):
        assert customer.get(ACCOUNT).json()["username"] == "anna"

    def test_a_browser_does_not_write_without_the_csrf_token(self, anna):
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(anna)
        response = client.post("/api/v1/books/emma/reviews/", {"stars": 5})
        assert response.status_code == 403
        assert response.json()["detail"].startswith("CSRF Failed")

    def test_a_browser_writes_with_the_csrf_token(self, anna):
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(anna)
        # The browsable API sets the cookie; its script copies it into the header.
        client.get("/api/v1/books/emma/reviews/", headers={"Accept": "text/html"})
        token = client.cookies["csrftoken"].value
        response = client.post("/api/v1/books/emma/reviews/", {"stars": 5}, headers={"X-CSRFToken": token})
        assert response.status_code == 201


class TestRefusal:
    def test_who_is_unknown_gets_401_and_is_told_how_to_log_in(self, anybody):
        response = anybody.get(ACCOUNT)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")

    def test_who_is_known_and_may_not_gets_403(self, customer, new_book):
        response = customer.post("/api/v1/books/", new_book)
        assert response.status_code == 403
        assert "WWW-Authenticate" not in response

    def test_without_a_class_that_knows_a_header_401_becomes_403(self, anybody, monkeypatch):
        from rest_framework.authentication import SessionAuthentication

        from api.views import AccountView

        monkeypatch.setattr(AccountView, "authentication_classes", [SessionAuthentication])
        assert anybody.get(ACCOUNT).status_code == 403
