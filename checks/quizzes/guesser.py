"""The bank as a whole: what there is of each sort, what is asked twice, and how far one gets by guessing.

Only items with exactly one right choice can be guessed that way. A strategy that cannot tell choices apart picks one
of them at random, so a score is the expected share of right answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from checks.quizzes.item import KINDS, Choice, Item
from checks.quizzes.seal import arranged
from checks.syllabus import LEVELS, QUESTIONS

HEDGES = re.compile(
    r"\b(usually|typically|generally|normally|often|sometimes|mostly|may|might|can|could|probably|possibly|unless|"
    r"depend(s|ing)?|some|most|rarely|in general)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{4,}")
ALIKE = 0.6  # items that share more of their words than this are looked at again
ATTEMPTS = 64  # how often each item's choices are dealt when a fixed position is scored


def scores(items: Iterable[Item]) -> dict[str, tuple[float, float]]:
    """Score each strategy of guessing: its name → (its share of right answers, the share of blind chance).

    The strategies are the longest choice, the shortest, the most hedged, the one with code, the one that shares most
    words with the prompt, and each fixed position as the page deals them. No item with a single right choice: no
    scores.
    """
    single = [item for item in items if item.kind == "single"]
    if not single:
        return {}
    found = {
        name: (_mean(_picked(item, strategy) for item in single), _mean(1 / len(item.choices) for item in single))
        for name, strategy in STRATEGIES.items()
    }
    for position in range(max(len(item.choices) for item in single)):
        long_enough = [item for item in single if position < len(item.choices)]
        found[f"position {position + 1}"] = (
            _mean(_dealt(item, position) for item in long_enough),
            _mean(1 / len(item.choices) for item in long_enough),
        )
    return found


STRATEGIES: dict[str, Callable[[Item, Choice], float]] = {
    "longest choice": lambda item, choice: len(choice.text),
    "shortest choice": lambda item, choice: -len(choice.text),
    "most hedged": lambda item, choice: len(HEDGES.findall(choice.text)),
    "has code": lambda item, choice: "`" in choice.text,
    "words of the prompt": lambda item, choice: len(words(choice.text) & words(item.prompt)),
}


def words(text: str) -> set[str]:
    """The words of a text that carry meaning: of four letters and more, in lower case."""
    return {word.lower() for word in WORD.findall(text)}


def twins(items: Iterable[Item]) -> list[tuple[str, str, float]]:
    """Pairs of items that ask nearly the same: their ids, and how alike they are (0 to 1), the most alike first.

    Alike is the share of words of prompt and choices, and of lines of code, that two items have in common (Jaccard).
    """
    asked = {
        item.id: words(" ".join([item.prompt, *(each.text for each in item.choices)]))
        | {line.strip() for line in item.code.splitlines()}
        for item in items
    }
    pairs = [
        (one, other, len(asked[one] & asked[other]) / len(asked[one] | asked[other]))
        for one, other in combinations(asked, 2)
        if asked[one] and asked[other]
    ]
    return sorted((pair for pair in pairs if pair[2] >= ALIKE), key=lambda pair: -pair[2])


def counts(items: Iterable[Item]) -> Counter[tuple[str, str]]:
    """How many items there are of each kind and level."""
    return Counter((item.kind, QUESTIONS[item.question].level) for item in items)


def _picked(item: Item, liking: Callable[[Item, Choice], float]) -> float:
    """The chance that the choice liked best is the right one."""
    best = max(liking(item, choice) for choice in item.choices)
    liked = [choice for choice in item.choices if liking(item, choice) == best]
    return sum(bool(choice.correct) for choice in liked) / len(liked)


def _dealt(item: Item, position: int) -> float:
    choices = sorted(item.choices, key=lambda choice: choice.key)
    return _mean(bool(arranged(choices, f"{item.id}/{attempt}")[position].correct) for attempt in range(ATTEMPTS))


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m checks bank`: what the bank has, and how well it can be guessed.

    1 when a strategy beats chance by 5 points, or two items ask nearly the same.
    """
    import argparse

    from rich.console import Console
    from rich.table import Table

    from checks.quizzes import bank

    parser = argparse.ArgumentParser(prog="python -m checks bank", description="Look at the bank as a whole.")
    parser.parse_args(argv)
    items = bank.load().values()
    console, there_are = Console(), counts(items)
    table = Table(
        "kind", *LEVELS, "all", title=f"{len(items)} items on {len({each.question for each in items})} questions"
    )
    for kind in KINDS:
        row = [there_are[kind, level] for level in LEVELS]
        table.add_row(kind, *map(str, row), str(sum(row)))
    console.print(table)
    table = Table("strategy", "right", "chance", "beyond", title=f"Guessing {len(items)} items")
    worst = 0.0
    for name, (score, chance) in scores(items).items():
        worst = max(worst, score - chance)
        table.add_row(name, f"{score:.0%}", f"{chance:.0%}", f"{(score - chance) * 100:+.1f}")
    console.print(table)
    alike = twins(items)
    for one, other, share in alike:
        console.print(f"{one} and {other} share {share:.0%} of their words: do they ask the same?")
    return 1 if worst > 0.05 or alike else 0
