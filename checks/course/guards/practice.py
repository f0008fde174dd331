"""The quiz bank and the exercises: enough of each, sound, and known wherever a lesson calls them."""

import re
from collections.abc import Iterator

from checks.course.guards.finding import Finding, relative
from checks.course.lesson import Course, parse, source_text
from checks.practice.lessons import spoken
from checks.quizzes import guesser
from checks.quizzes.bank import BankError, load
from checks.quizzes.item import Item
from checks.quizzes.rubric import ROLES
from checks.quizzes.rubric import load as load_rubrics

ITEMS_PER_QUESTION = 3
EXERCISES_PER_CHAPTER = 6
MORE_EXERCISES = {"08": 10, "10": 8, "11": 10, "12": 10, "13": 8, "14": 10}
GUESSED_FROM = 100  # items: in a smaller bank a strategy beats chance by accident
BEYOND_CHANCE = 0.05
CALL = re.compile(r"""\b(quiz|check|hint|solution)\(\s*["']([^"']+)["']""")


def items(course: Course) -> dict[str, Item]:
    """The items of the bank, or none where it is not sound: bank() says why."""
    try:
        return load(course.root / "checks" / "bank")
    except BankError:
        return {}


def bank(course: Course) -> Iterator[Finding]:
    """The bank is sound, has enough items for every question of a finished chapter, and cannot be guessed."""
    folder = "checks/bank"
    try:
        found = load(course.root / folder)
    except BankError as error:
        yield unsound(error)
        return
    for chapter in course.chapters:
        if not chapter.finished:
            continue
        for question in chapter.questions:
            count = sum(item.question == question.id for item in found.values())
            if count < ITEMS_PER_QUESTION:
                remedy = f"write at least {ITEMS_PER_QUESTION}"
                yield Finding(relative(chapter.bank, course.root), question.id, f"has {count} items", remedy)
    level = "error" if len(found) >= GUESSED_FROM else "warning"
    for strategy, (score, chance) in guesser.scores(found.values()).items():
        if score - chance > BEYOND_CHANCE:
            what = f"guessing by {strategy} gives {score:.0%}, chance is {chance:.0%}"
            yield Finding(folder, "", what, "see `python -m checks bank`, and change choices that give it away", level)


def unsound(error: BankError) -> Finding:
    """A file of the bank that cannot be used."""
    file, _, what = str(error).partition(", ")
    return Finding(f"checks/bank/{file}", "", what or str(error), "mend the file as the message says")


def rubrics(course: Course) -> Iterator[Finding]:
    """Every question of a finished chapter has a rubric, and its points are what the lesson says.

    What everybody is asked stands in the spoken answer, what only some are asked somewhere in the lesson on it.
    """
    folder = course.root / "checks" / "bank"
    try:
        found = load_rubrics(folder)
    except BankError as error:
        yield unsound(error)
        return
    answers = spoken(course.root / "notebooks" / "source")
    for chapter in course.chapters:
        if not chapter.finished:
            continue
        file = relative(chapter.bank, course.root)
        for question in chapter.questions:
            if question.id not in found:
                yield Finding(file, question.id, "has no rubric", "write a [[rubric]] with 3 to 5 points")
                continue
            answer = answers.get(question.id)
            for point in found[question.id].points if answer else ():
                said = answer.said if point.role == ROLES[0] else answer.text
                if plain(point.quote) not in plain(said):
                    where = "the spoken answer" if point.role == ROLES[0] else "the lesson"
                    what = f"the quote “{point.quote}” is not in {where}"
                    yield Finding(file, f"rubric {question.id}", what, "quote what the lesson says, or mend the point")


def plain(text: str) -> str:
    """Text as quotes are compared: one line, without emphasis."""
    return " ".join(text.replace("*", "").split())


def exercises(course: Course) -> Iterator[Finding]:
    """Every finished chapter has enough exercises, each with an alternative, classic mistakes and a hint."""
    from checks.exercises.source import SourceError, findings, read

    for chapter in course.chapters:
        file = relative(chapter.exercise_source, course.root)
        wanted = MORE_EXERCISES.get(chapter.number, EXERCISES_PER_CHAPTER)
        if not chapter.exercise_source.exists():
            if chapter.finished and chapter.questions:
                yield Finding(file, "", "does not exist", f"write at least {wanted} exercises")
            continue
        try:
            found = read(chapter.exercise_source).exercises
        except SourceError as error:
            yield Finding(file, "", str(error), "mend the source as the message says")
            continue
        if len(found) < wanted:
            yield Finding(file, "", f"has {len(found)} exercises", f"write at least {wanted}")
        for exercise in found:
            for what in findings(exercise):
                yield Finding(file, exercise.id, what.removeprefix(f"{exercise.id} "), "write what is missing")


def known_ids(course: Course) -> Iterator[Finding]:
    """A quiz or exercise that a lesson calls exists."""
    from checks.exercises.source import SourceError, load

    quizzes = items(course)
    asked = {item.question for item in quizzes.values()}
    try:
        practice = set(load(folder=course.root / "exercises" / "source"))
    except SourceError:
        return  # exercises() says why
    for chapter in course.chapters:
        if not chapter.finished:
            continue
        file = relative(chapter.lesson_source, course.root)
        for number, cell in enumerate(parse(source_text(chapter.lesson_source)).cells):
            for function, name in CALL.findall(cell.source):
                if name not in (quizzes.keys() | asked if function == "quiz" else practice):
                    what = f'calls {function}("{name}"), which does not exist'
                    yield Finding(file, f"cell {number}", what, "write it, or call one that exists")
