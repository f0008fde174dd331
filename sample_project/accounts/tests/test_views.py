import re

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client

from accounts.forms import RegistrationForm
from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "a doll's house"
LOGIN = "/account/login/"


def log_in(client, username="nora", password=PASSWORD, **more):
    return client.post(LOGIN, {"username": username, "password": password} | more)


def errors(response):
    return [message for messages in response.context["form"].errors.values() for message in messages]


class TestLogin:
    @pytest.mark.parametrize("name", ["nora", "nora@example.org"])
    def test_by_name_and_by_address(self, client, nora, name):
        response = log_in(client, name)
        assert (response.status_code, response.headers["Location"]) == (302, "/")
        assert get_user(client) == nora

    def test_an_address_may_be_longer_than_a_name(self, client):
        # What counts is the address's own limit, in the page and in the form.
        assert 'maxlength="254"' in client.get(LOGIN).content.decode()
        address = f"{'n' * 64}@{'h' * 60}.{'e' * 60}.example"
        User.objects.create_user("nora", address, PASSWORD)
        assert log_in(client, address).status_code == 302

    def test_what_is_wrong_is_not_said(self, client, nora):
        User.objects.create_user("asleep", "asleep@example.org", PASSWORD, is_active=False)
        pages = [log_in(client, "nora", "wrong"), log_in(client, "nobody", "wrong"), log_in(client, "asleep")]
        assert len({tuple(errors(page)) for page in pages}) == 1
        assert "not an account and its password" in errors(pages[0])[0]
        assert not get_user(client).is_authenticated

    def test_the_session_gets_a_new_key_and_keeps_what_was_in_it(self, client, nora):
        session = client.session
        session["cart"] = {"1": 2}
        session.save()
        before = session.session_key
        log_in(client)
        assert client.session.session_key != before
        assert client.session["cart"] == {"1": 2}
        assert not client.session.exists(before)

    def test_the_session_of_somebody_else_is_not_continued(self, client, nora):
        client.force_login(User.objects.get(username="anna"))
        session = client.session
        session["cart"] = {"1": 2}
        session.save()
        client.get(LOGIN)
        client.logout()
        log_in(client)
        assert "cart" not in client.session

    def test_it_leads_on_to_the_page_that_asked(self, client, nora):
        page = client.get("/account/")
        assert page.headers["Location"] == "/account/login/?next=/account/"
        assert 'name="next" value="/account/"' in client.get(page.headers["Location"]).content.decode()
        assert log_in(client, next="/account/").headers["Location"] == "/account/"

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "javascript:alert(1)",
            "http:///evil.example",
            " https://evil.example",
        ],
    )
    def test_it_does_not_lead_to_another_site(self, client, nora, elsewhere):
        assert log_in(client, next=elsewhere).headers["Location"] == "/"

    def test_who_is_logged_in_is_sent_on(self, client, nora):
        client.force_login(nora)
        assert client.get(f"{LOGIN}?next=/account/").headers["Location"] == "/account/"

    def test_the_session_ends_with_the_browser_unless_it_shall_stay(self, client, nora):
        log_in(client)
        assert client.session.get_expire_at_browser_close()
        client.logout()
        log_in(client, remember="on")
        assert not client.session.get_expire_at_browser_close()

    def test_a_form_of_another_site_is_refused(self, nora):
        assert log_in(Client(enforce_csrf_checks=True)).status_code == 403


class TestThrottle:
    def test_after_five_wrong_passwords_the_right_one_has_to_wait(self, client, nora):
        for _ in range(5):
            assert log_in(client, password="wrong").status_code == 200
        response = log_in(client)
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "900"
        assert "Wait 15 minutes" in response.content.decode()
        assert not get_user(client).is_authenticated

    def test_an_unknown_account_gets_the_same_answer(self, client):
        answers = [log_in(client, "nobody").status_code for _ in range(6)]
        assert answers == [200] * 5 + [429]

    def test_the_same_account_at_another_address_and_other_accounts_are_let_in(self, client, nora):
        for _ in range(6):
            log_in(client, password="wrong")
        assert Client(REMOTE_ADDR="10.0.0.9").login(username="nora", password=PASSWORD)
        thea = User.objects.create_user("thea", "thea@example.org", PASSWORD)
        log_in(client, "thea")
        assert get_user(client) == thea

    def test_a_login_wipes_the_slate(self, client, nora):
        for _ in range(2):
            for _ in range(4):
                log_in(client, password="wrong")
            assert log_in(client).status_code == 302
            client.logout()

    def test_the_admin_site_counts_too(self, client, nora):
        User.objects.filter(pk=nora.pk).update(is_staff=True)
        for _ in range(5):
            log_in(client, password="wrong")
        response = client.post("/admin/login/", {"username": "nora", "password": PASSWORD})
        assert "Wait 15 minutes" in response.content.decode()
        assert not get_user(client).is_authenticated

    def test_so_does_the_browsable_api(self, client, nora):
        for _ in range(5):
            log_in(client, password="wrong")
        response = client.post("/api/auth/login/", {"username": "nora", "password": PASSWORD})
        assert response.status_code == 429
        assert "Wait 15 minutes" in response.content.decode()


class TestLogout:
    def test_it_takes_a_post_and_forgets_the_session(self, client, nora):
        client.force_login(nora)
        before = client.session.session_key
        assert client.get("/account/logout/").status_code == 405
        assert get_user(client) == nora
        assert client.post("/account/logout/").headers["Location"] == "/"
        assert not get_user(client).is_authenticated
        assert not client.session.exists(before)


class TestRegister:
    DATA = {"username": "hedda", "email": "hedda@example.org", "password1": PASSWORD, "password2": PASSWORD}

    def register(self, client, **changes):
        return client.post("/account/register/", self.DATA | changes)

    def test_it_makes_an_account_and_logs_in(self, client):
        response = self.register(client, first_name="Hedda", follow=True)
        assert response.status_code == 302
        user = User.objects.get(username="hedda")
        assert get_user(client) == user
        assert (user.email, user.is_staff, user.is_superuser) == ("hedda@example.org", False, False)
        assert user.check_password(PASSWORD)

    def test_rights_are_not_for_the_asking(self, client):
        self.register(client, is_staff="on", is_superuser="on")
        assert not User.objects.get(username="hedda").is_staff

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("email", "NORA@example.org", "There is an account with this address"),
            ("email", "", "required"),
            ("username", "Nora", "already exists"),
            ("username", "some@body", "without @"),
            ("password2", "another one", "didn’t match"),
        ],
    )
    def test_what_is_refused(self, client, nora, field, value, message):
        response = self.register(client, **{field: value})
        assert message in " ".join(errors(response))
        assert not User.objects.filter(username="hedda").exists()

    def test_a_name_that_is_taken_at_the_same_moment_is_an_error_of_the_form(self, client, monkeypatch):
        """Both requests asked for the name when it was free; the database has the last word."""
        User.objects.create_user("hedda")
        monkeypatch.setattr(RegistrationForm, "clean_username", lambda form: form.cleaned_data["username"])
        monkeypatch.setattr(RegistrationForm, "validate_unique", lambda form: None)
        response = self.register(client)
        assert response.status_code == 200
        assert "already exists" in " ".join(errors(response))
        assert User.objects.filter(username="hedda").count() == 1

    def test_the_validators_are_asked(self, client):
        response = self.register(client, password1="Bookshop2026!", password2="Bookshop2026!")
        assert "how everybody would call" in " ".join(errors(response))

    def test_the_rules_stand_beside_the_field(self, client):
        page = client.get("/account/register/").content.decode()
        assert "the name of the shop" in page
        described = re.search(r'name="password1"[^>]*aria-describedby="(\S+)"', page)
        assert f'id="{described[1]}"' in page

    def test_who_has_an_account_is_sent_on(self, client, nora):
        client.force_login(nora)
        assert client.get("/account/register/").status_code == 302


class TestPasswordChange:
    def test_it_asks_for_the_old_one_and_ends_other_sessions(self, client, nora):
        elsewhere = Client()
        for browser in (client, elsewhere):
            browser.force_login(nora)
        data = {"new_password1": "the wild duck 1884", "new_password2": "the wild duck 1884"}
        assert "incorrectly" in " ".join(errors(client.post("/account/password/", data | {"old_password": "wrong"})))
        response = client.post("/account/password/", data | {"old_password": PASSWORD}, follow=True)
        assert "logged out everywhere else" in response.content.decode()
        assert get_user(client) == nora
        assert not get_user(elsewhere).is_authenticated

    def test_it_needs_a_login(self, client):
        assert client.get("/account/password/").headers["Location"] == "/account/login/?next=/account/password/"


class TestPasswordReset:
    def ask(self, client, address="nora@example.org"):
        return client.post("/account/password/reset/", {"email": address}, follow=True)

    def link(self):
        return re.search(r"http://testserver(\S+)", mail.outbox[-1].body)[1]

    def test_a_letter_leads_to_a_new_password(self, client, nora):
        self.ask(client, "NORA@example.org")
        letter = mail.outbox[0]
        assert (letter.to, letter.subject) == (["Nora@example.org"], "A new password for the bookshop")
        assert letter.from_email == "The Bookshop <shop@example.org>"
        page = client.get(self.link(), follow=True)
        address = page.redirect_chain[-1][0]
        assert address.endswith("/set-password/")
        response = client.post(address, {"new_password1": "rosmersholm 86", "new_password2": "rosmersholm 86"})
        assert response.headers["Location"] == LOGIN
        nora.refresh_from_db()
        assert nora.check_password("rosmersholm 86")
        assert client.get(self.link(), follow=True).context["validlink"] is False

    @pytest.mark.parametrize("address", ["unknown@example.org", "anna@example.org", "asleep@example.org"])
    def test_the_answer_is_the_same_for_addresses_that_get_no_letter(self, client, nora, address):
        User.objects.create_user("asleep", "asleep@example.org", PASSWORD, is_active=False)
        # Each page has a token of its own.
        plain = [
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
            for page in (self.ask(client), self.ask(client, address))
        ]
        assert plain[0] == plain[1]
        assert len(mail.outbox) == 1

    def test_nobody_fills_the_mailbox_of_somebody_else(self, client, nora):
        pages = [self.ask(client, address).redirect_chain for address in ["nora@example.org", "NORA@example.org"] * 3]
        assert pages == [pages[0]] * 6
        assert len(mail.outbox) == 3

    def test_nobody_writes_to_a_list_of_people(self, client, nora):
        for number in range(50):
            self.ask(client, f"somebody{number}@example.org")
        self.ask(client)
        assert mail.outbox == []

    def test_a_login_spends_the_link(self, client, nora):
        self.ask(client)
        log_in(client)
        client.logout()
        page = client.get(self.link(), follow=True)
        assert page.context["validlink"] is False
        assert "of no use any more" in page.content.decode()

    def test_a_made_up_link_is_of_no_use(self, client):
        assert client.get("/account/password/reset/MQ/c0ffee-00/").context["validlink"] is False


@pytest.mark.parametrize("page", ["", "login/", "register/", "password/", "password/reset/", "password/reset/sent/"])
def test_every_field_has_a_label_and_the_passwords_are_hints_for_password_managers(client, nora, page):
    if page in ("", "password/"):
        client.force_login(nora)
    html = client.get(f"/account/{page}").content.decode()
    fields = re.findall(r'<input type="(?:text|email|password|checkbox)"[^>]*>', html)
    for field in fields:
        identity = re.search(r'id="([^"]+)"', field)
        assert identity is not None, field
        if identity[1].startswith("id_") and "search" not in identity[1]:
            assert f'for="{identity[1]}"' in html
        if 'type="password"' in field:
            assert 'autocomplete="' in field
