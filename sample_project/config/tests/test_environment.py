"""Variables of the environment, and the sentence for each mistake in them."""

import pytest

from config.environment import EnvironmentMistake, listed, number, optional, required, switch

NAME = "SHOP_TEST_VARIABLE"


@pytest.fixture
def given(monkeypatch):
    def set_to(value):
        monkeypatch.setenv(NAME, value)

    monkeypatch.delenv(NAME, raising=False)
    return set_to


@pytest.mark.usefixtures("given")
def test_what_is_missing():
    assert optional(NAME) == ""
    assert switch(NAME) is False
    assert number(NAME, 25) == 25
    with pytest.raises(EnvironmentMistake, match=f"^Set the environment variable {NAME}: a word.$"):
        required(NAME, "a word")


def test_what_is_there(given):
    given("  two words ")
    assert required(NAME, "") == optional(NAME) == "two words"


def test_lists_have_commas():
    assert listed(" a.example, b.example ,,") == ["a.example", "b.example"]
    assert listed("") == []


@pytest.mark.parametrize(("value", "on"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("off", False)])
def test_switches(given, value, on):
    given(value)
    assert switch(NAME) is on


def test_a_switch_with_another_word_is_refused(given):
    given("perhaps")
    with pytest.raises(EnvironmentMistake, match=f"{NAME} is a switch: set it to 1 or 0"):
        switch(NAME)


@pytest.mark.parametrize("value", ["many", "-1", "2.5", "²"])
def test_a_number_with_other_signs_is_refused(given, value):
    given(value)
    with pytest.raises(EnvironmentMistake, match=f"{NAME} is a number: set it to 25, say"):
        number(NAME, 25)
    given("587")
    assert number(NAME, 25) == 587
