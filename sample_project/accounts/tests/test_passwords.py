import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.passwords import ForbiddenWordsValidator
from config.settings import common, notebook


@pytest.mark.parametrize("password", ["bookshop", "Bookshop2026!", "12book-shop34", "PrideAndPrejudice1813"])
def test_the_words_are_refused_in_any_capitals_and_with_digits_and_signs(password):
    with pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert "password_is_a_forbidden_word" in [error.code for error in refused.value.error_list]


@pytest.mark.parametrize("password", ["my bookshop of dreams", "bookshops", "19-06-2031-x7"])
def test_a_password_may_contain_a_word(password):
    validate_password(password)


def test_a_validator_without_words_refuses_nothing():
    ForbiddenWordsValidator().validate("bookshop")


def test_the_help_text_is_shown_with_the_others():
    assert len(password_validators_help_texts()) == 5
    assert "the name of the shop" in password_validators_help_texts()[-1]


def test_similarity_to_the_user_is_looked_at_too():
    with pytest.raises(ValidationError, match="too similar"):
        validate_password("nora.helmer1", User(username="nora.helmer"))


def test_the_first_hasher_is_slow_and_standard_except_in_notebooks():
    assert [path.rpartition(".")[2] for path in common.PASSWORD_HASHERS] == [
        "PBKDF2PasswordHasher",
        "ScryptPasswordHasher",
    ]
    assert notebook.PASSWORD_HASHERS == ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.django_db
def test_a_login_hashes_the_password_anew_where_the_hasher_is_not_the_first_any_more():
    scrypt = make_password("a doll's house", hasher="scrypt")
    nora = User.objects.create(username="nora", email="nora@example.org", password=scrypt)
    assert authenticate(username="nora@example.org", password="wrong") is None
    nora.refresh_from_db()
    assert nora.password == scrypt
    assert authenticate(username="nora@example.org", password="a doll's house") == nora
    nora.refresh_from_db()
    assert identify_hasher(nora.password).algorithm == "quick"
    assert nora.check_password("a doll's house")


@pytest.mark.django_db
def test_a_login_hashes_the_password_anew_where_the_rounds_became_more(nora, monkeypatch):
    from accounts.tests.hashers import QuickHasher

    monkeypatch.setattr(QuickHasher, "iterations", 2)
    authenticate(username="nora", password="a doll's house")
    nora.refresh_from_db()
    assert nora.password.startswith("quick$2$")
