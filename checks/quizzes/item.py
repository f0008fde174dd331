"""A quiz item: what is asked, what is right, and the verdict on a given answer."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property

KINDS = ("single", "multiple", "number", "order", "predict")
WITH_CHOICES = ("single", "multiple", "order")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """One choice of an item, with the reason why it is right or wrong (of an order item: why it has its place)."""

    text: str
    explain: str
    correct: bool | None = None

    @cached_property
    def key(self) -> str:
        """The name of the choice in given answers: the same wherever it stands, and telling nothing about it."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:6]


@dataclass(frozen=True)
class Item:
    """One item of the bank.

    `choices` stand in the order of the bank, which for an order item is the right one. `answer` is the right number or
    text of a number or predict item. `proof` is Python that asserts the right answer.
    """

    id: str
    question: str
    kind: str
    prompt: str
    code: str = ""
    language: str = "python"
    choices: tuple[Choice, ...] = ()
    answer: int | float | str | None = None
    explain: str = ""
    proof: str = ""

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change when what is asked or what is right changes, not when its reasons do."""
        asked = [self.prompt, self.code, [[choice.text, choice.correct] for choice in self.choices], self.answer]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]

    @property
    def numeric(self) -> bool:
        """Whether the answer is a number to type."""
        return isinstance(self.answer, (int, float))

    @property
    def solution(self) -> str:
        """The right answer, written as given answers are."""
        if self.kind == "order":
            return " ".join(choice.key for choice in self.choices)
        if self.kind in WITH_CHOICES:
            return " ".join(sorted(choice.key for choice in self.choices if choice.correct))
        return str(self.answer)

    def judge(self, given: str) -> bool:
        """Say whether an answer is right.

        Choices are given by their keys, separated by spaces: in the given order for an order item, in any order
        otherwise. A number is given in digits. Text counts without regard to case, outer quotes and runs of spaces.
        An answer that cannot be read (an unknown key, a word for a number) is wrong, not an error.
        """
        if self.kind == "order":
            return given.split() == self.solution.split()
        if self.kind in WITH_CHOICES:
            return sorted(given.split()) == self.solution.split()
        if self.numeric:
            digits = re.sub(r"[\s_]", "", given)
            return bool(NUMBER.fullmatch(digits)) and float(digits) == float(self.answer)
        return plain(given) == plain(str(self.answer))


def plain(text: str) -> str:
    """Text as it is compared: one line, lower case, without outer quotes."""
    text = " ".join(text.split())
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    return text.lower()
