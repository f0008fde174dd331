"""How far one gets in the quizzes without knowing Django: strategies of guessing, scored over a bank.

Only items with exactly one right choice can be guessed that way. A strategy that cannot tell choices apart picks one
of them at random, so a score is the expected share of right answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from checks.quizzes.item import Choice, Item
from checks.quizzes.seal import arranged

HEDGES = re.compile(
    r"\b(usually|typically|generally|normally|often|sometimes|mostly|may|might|can|could|probably|possibly|unless|"
    r"depend(s|ing)?|some|most|rarely|in general)\b",
    re.IGNORECASE,
)
ATTEMPTS = 64  # how often each item's choices are dealt when a fixed position is scored


def scores(items: Iterable[Item]) -> dict[str, tuple[float, float]]:
    """Score each strategy of guessing: its name → (its share of right answers, the share of blind chance).

    The strategies are the longest choice, the most hedged, the one with code, and each fixed position as the page
    deals them. No item with a single right choice: no scores.
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


STRATEGIES: dict[str, Callable[[Choice], float]] = {
    "longest choice": lambda choice: len(choice.text),
    "most hedged": lambda choice: len(HEDGES.findall(choice.text)),
    "has code": lambda choice: "`" in choice.text,
}


def _picked(item: Item, liking: Callable[[Choice], float]) -> float:
    """The chance that the choice liked best is the right one."""
    best = max(liking(choice) for choice in item.choices)
    liked = [choice for choice in item.choices if liking(choice) == best]
    return sum(bool(choice.correct) for choice in liked) / len(liked)


def _dealt(item: Item, position: int) -> float:
    choices = sorted(item.choices, key=lambda choice: choice.key)
    return _mean(bool(arranged(choices, f"{item.id}/{attempt}")[position].correct) for attempt in range(ATTEMPTS))


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m checks bank`: show how well the bank can be guessed; 1 when a strategy beats chance by 5 points."""
    import argparse

    from rich.console import Console
    from rich.table import Table

    from checks.quizzes import bank

    parser = argparse.ArgumentParser(prog="python -m checks bank", description="Guess the quizzes without Django.")
    parser.parse_args(argv)
    items = bank.load().values()
    table = Table("strategy", "right", "chance", "beyond", title=f"Guessing {len(items)} items")
    worst = 0.0
    for name, (score, chance) in scores(items).items():
        worst = max(worst, score - chance)
        table.add_row(name, f"{score:.0%}", f"{chance:.0%}", f"{(score - chance) * 100:+.1f}")
    Console().print(table)
    return 1 if worst > 0.05 else 0
