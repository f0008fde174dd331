"""What the course can ask of a learner: cards in three forms."""

import re
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
CHOOSE, SAY, WRITE = "choose", "say", "write"


@dataclass(frozen=True)
class Card:
    """One thing that can be asked.

    `id` is that of a quiz item (form `choose`), a question (`say`) or an exercise (`write`). An exercise belongs to a
    chapter as a whole: its `question` and `level` are empty. `version` changes with what is asked.
    """

    id: str
    form: str
    chapter: str
    question: str = ""
    level: str = ""
    version: str = ""


def cards() -> dict[str, Card]:
    """Every card of the course by id: quiz items, questions with a rubric, exercises; chapter by chapter."""
    from checks.quizzes import bank, rubric
    from checks.syllabus import QUESTIONS

    found = []
    for item in bank.load().values():
        question = QUESTIONS[item.question]
        found.append(Card(item.id, CHOOSE, question.slug, question.id, question.level, item.version))
    for spoken in rubric.load().values():
        question = QUESTIONS[spoken.question]
        found.append(Card(question.id, SAY, question.slug, question.id, question.level, spoken.version))
    for path in sorted((COURSE / "exercises" / "source").glob("*.py")):
        found += [Card(exercise, WRITE, path.stem) for exercise in exercise_ids(path)]
    return {card.id: card for card in sorted(found, key=lambda card: card.chapter)}


def exercise_ids(path: Path) -> tuple[str, ...]:
    """The ids of the exercises in one source, in the order they are written.

    Read from the cell headers alone: parsing the cells takes a hundred times longer.
    """
    found = re.findall(r'^# %%.*\bexercise="([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(dict.fromkeys(found))
