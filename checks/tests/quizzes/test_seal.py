"""Seals hide what they hold, open to the same, and arrangements tell nothing."""

from collections import Counter
from itertools import islice

from checks.quizzes.seal import arranged, numbers, seal, unseal


def test_a_seal_opens_to_what_was_sealed():
    value = {"correct": True, "why": "Größer als „eins“: <b>ja</b>"}
    assert unseal("Q38-1/x/y", seal({"Q38-1/x/y": value})["Q38-1/x/y"]) == value


def test_a_seal_shows_neither_words_nor_lengths():
    seals = seal({"a": [True, "A long reason why this is right."], "b": [False, "No."]})
    assert len({len(text) for text in seals.values()}) == 1
    assert "true" not in "".join(seals.values())
    assert seals["a"][:8] != seals["b"][:8]


def test_the_generator_keeps_its_numbers_for_ever():
    # The page has the same generator; stored orders of choices depend on it.
    assert list(islice(numbers("Q38-1/0"), 4)) == [11029329, 9404786, 10168265, 2134826]


def test_arranging_keeps_everything_and_repeats_itself():
    things = list("abcdefg")
    assert sorted(arranged(things, "seed")) == things
    assert arranged(things, "seed") == arranged(things, "seed") != arranged(things, "other seed")
    assert things == list("abcdefg")


def test_every_place_is_as_likely_as_any_other():
    places = Counter(arranged("abcd", f"Q{n}-1/{attempt}").index("a") for n in range(100) for attempt in range(40))
    assert all(900 < count < 1100 for count in places.values())


def test_the_second_attempt_is_as_likely_to_move_a_choice_as_to_leave_it():
    same = sum(arranged("abcd", f"Q{n}-1/0")[0] == arranged("abcd", f"Q{n}-1/1")[0] for n in range(2000))
    assert 420 < same < 580
