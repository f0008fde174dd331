"""The bank: quiz items read from the TOML files of the chapters, and refused where they are not sound."""

from __future__ import annotations

import ast
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from checks.quizzes.item import KINDS, WITH_CHOICES, Choice, Item
from checks.syllabus import QUESTIONS

FOLDER = Path(__file__).parent.parent / "bank"
FIELDS = {"id", "question", "kind", "prompt", "code", "language", "choices", "answer", "explain", "proof"}
CATCH_ALL = re.compile(r"\b(all|none|both|neither) of (the|these|them)\b.{0,12}$", re.IGNORECASE)


class BankError(ValueError):
    """A bank file is not sound. The message names the file, the item, the field and the remedy."""


class UnknownQuiz(LookupError):
    """No item goes by that name. The message says what there is, and what comes nearest."""


def load(path: Path | None = None) -> dict[str, Item]:
    """Read every item of a bank, in the order of files and items, by id.

    Args:
        path: a chapter's TOML file or a folder of them; by default the bank of the course.

    Raises:
        BankError: a file cannot be read, or an item is not sound.
    """
    if path is None:
        return dict(course_bank())
    return read(sorted(path.glob("*.toml")) if path.is_dir() else [path])


@cache
def course_bank() -> Mapping[str, Item]:
    """The bank of the course, read once: every quiz cell of a lesson asks for it."""
    return read(sorted(FOLDER.glob("*.toml")))


def select(ref: str, items: Mapping[str, Item] | None = None) -> list[Item]:
    """The items of a question (`Q38`), or one item (`Q38-1`).

    Raises:
        UnknownQuiz: there is no such question or item, or the question has no items.
    """
    items = load() if items is None else items
    wanted = str(ref).strip().upper()
    found = [item for item in items.values() if wanted in (item.id, item.question)]
    if found:
        return found
    asked = list(dict.fromkeys(item.question for item in items.values()))
    nearest = difflib.get_close_matches(wanted, [*asked, *items], n=1, cutoff=0)
    hint = f' The nearest is quiz("{nearest[0]}").' if nearest else ""
    there_is = f"There are quizzes for {', '.join(asked) or 'no question yet'}."
    question = wanted.partition("-")[0]
    if question in asked:
        own = ", ".join(item.id for item in items.values() if item.question == question)
        raise UnknownQuiz(f"There is no quiz item {wanted}: {question} has {own}.{hint}")
    if question in QUESTIONS:
        raise UnknownQuiz(f"{question} ({QUESTIONS[question].title}) has no quiz yet. {there_is}{hint}")
    raise UnknownQuiz(f"There is no question {wanted}. {there_is}{hint}")


def read(files: Iterable[Path]) -> dict[str, Item]:
    items: dict[str, Item] = {}
    homes: dict[str, Path] = {}
    slugs = {question.slug for question in QUESTIONS.values()}
    for file in files:
        if file.stem not in slugs:
            nearest = difflib.get_close_matches(file.stem, slugs, n=1, cutoff=0)[0]
            raise BankError(f"{file.name}: no chapter has this name; the nearest is {nearest}.toml.")
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BankError(f"{file.name}: cannot be read: {error}") from error
        if set(data) - {"item", "rubric"} or not all(isinstance(each, list) for each in data.values()):
            raise BankError(f"{file.name}: holds {', '.join(sorted(data))}; expected only [[item]] and [[rubric]].")
        for number, raw in enumerate(data.get("item", []), start=1):
            item = _item(raw, file, number)
            if item.id in items:
                raise BankError(
                    f"{file.name}, {item.id}, `id`: used twice (also in {homes[item.id].name}); give it the next "
                    "free number."
                )
            items[item.id], homes[item.id] = item, file
    return items


def _item(raw: Any, file: Path, number: int) -> Item:
    """Check one item as it stands in a file, and build it."""
    name = raw.get("id") if isinstance(raw, dict) else None

    def wrong(field: str, problem: str) -> BankError:
        return BankError(f"{file.name}, {name or f'item number {number}'}, `{field}`: {problem}")

    if not isinstance(raw, dict):
        raise wrong("item", "expected a table with id, question, kind, prompt, …")

    def known(fields: Iterable[str], allowed: set[str], prefix: str = "") -> None:
        for field in fields:
            if field not in allowed:
                nearest = difflib.get_close_matches(field, allowed, n=1)
                raise wrong(prefix + field, f"no such field{f'; did you mean `{nearest[0]}`?' if nearest else '.'}")

    def text(table: dict, field: str, *, required: bool = True, prefix: str = "") -> str:
        value = table.get(field, "")
        if not isinstance(value, str):
            raise wrong(prefix + field, f"is {value!r}; expected text.")
        if required and not value.strip():
            raise wrong(prefix + field, "is missing.")
        return value.strip("\n") if field == "code" else value.strip()

    known(raw, FIELDS)
    text(raw, "id")
    question, kind = text(raw, "question"), text(raw, "kind")
    if question not in QUESTIONS:
        raise wrong("question", f"{question!r} is not in the syllabus.")
    if QUESTIONS[question].slug != file.stem:
        raise wrong("question", f"{question} belongs to {QUESTIONS[question].slug}.toml.")
    if not re.fullmatch(rf"{question}-[1-9]\d*", name):
        raise wrong("id", f"expected {question}- and a number.")
    if kind not in KINDS:
        raise wrong("kind", f"is {kind!r}; expected one of {', '.join(KINDS)}.")

    proof = raw.get("proof")
    if not isinstance(proof, dict):
        raise wrong("proof", "is missing: expected [item.proof] with `code`.")
    known(proof, {"code"}, "proof.")
    proof_code = text(proof, "code", prefix="proof.")
    code = text(raw, "code", required=kind == "predict")
    language = text(raw, "language", required=False) or "python"
    if kind == "predict" and language != "python":
        raise wrong("language", f"is {language!r}; the code of a predict item is run, so it must be Python.")
    if kind == "predict":
        _parsed(code, lambda problem: wrong("code", problem))
    tree = _parsed(proof_code, lambda problem: wrong("proof.code", problem))
    if not any(
        isinstance(node, (ast.Assert, ast.Raise))
        or isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "raises"
        for node in ast.walk(tree)
    ):
        raise wrong("proof.code", "asserts nothing: use `assert`, or `raises(exception, function, *args)`.")

    answer, choices = raw.get("answer"), raw.get("choices")
    if kind in WITH_CHOICES:
        if answer is not None:
            raise wrong("answer", f"has no place in a {kind} item: its choices say what is right.")
        built = _choices(choices, kind, wrong, known, text)
    else:
        if choices is not None:
            raise wrong("choices", f"have no place in a {kind} item: give its `answer`.")
        allowed = (int, float) if kind == "number" else (int, float, str)
        if answer is None or answer == "":
            raise wrong("answer", "is missing.")
        if isinstance(answer, bool) or not isinstance(answer, allowed):
            raise wrong("answer", f"is {answer!r}; expected a number{' or text' if kind == 'predict' else ''}.")
        if isinstance(answer, str) and "\n" in answer.strip():
            raise wrong("answer", "has several lines; a guess is one line.")
        if not _names(tree, answer):
            raise wrong("proof.code", f"does not compare anything with the answer, {answer!r} (or the name `answer`).")
        built = ()
    return Item(
        id=name,
        question=question,
        kind=kind,
        prompt=text(raw, "prompt"),
        code=code,
        language=language,
        choices=built,
        answer=answer,
        explain=text(raw, "explain", required=kind not in WITH_CHOICES),
        proof=proof_code,
    )


def _choices(raw: Any, kind: str, wrong: Any, known: Any, text: Any) -> tuple[Choice, ...]:
    fewest = 3 if kind == "order" else 2
    if not isinstance(raw, list) or not all(isinstance(choice, dict) for choice in raw):
        raise wrong("choices", "expected a list of [[item.choices]].")
    if not fewest <= len(raw) <= 9:
        raise wrong("choices", f"there are {len(raw)}; expected {fewest} to 9, one for each digit key.")
    built: list[Choice] = []
    for number, choice in enumerate(raw, start=1):
        prefix = f"choices[{number}]."
        known(choice, {"text", "explain"} if kind == "order" else {"text", "correct", "explain"}, prefix)
        words = text(choice, "text", prefix=prefix)
        if CATCH_ALL.search(words):
            raise wrong(prefix + "text", f"{words!r} refers to the other choices, which change places.")
        if kind != "order" and not isinstance(choice.get("correct"), bool):
            raise wrong(prefix + "correct", "is missing: expected true or false.")
        built.append(Choice(words, text(choice, "explain", prefix=prefix), choice.get("correct")))
    if len({choice.key for choice in built}) < len(built):
        raise wrong("choices", "two of them say the same.")
    right = sum(bool(choice.correct) for choice in built)
    if kind == "single" and right != 1:
        raise wrong("choices", f"{right} are correct; expected exactly one.")
    if kind == "multiple" and not 1 <= right < len(built):
        raise wrong("choices", f"{right} of {len(built)} are correct; expected at least one of either sort.")
    return tuple(built)


def _parsed(code: str, wrong: Any) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise wrong(f"is not Python: {error.msg} (line {error.lineno})") from error


def _names(tree: ast.Module, answer: int | float | str) -> bool:
    """Whether a proof mentions the answer, so that the two cannot drift apart unseen."""
    value = answer if isinstance(answer, str) else abs(answer)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(found)) if str(value) in found:
                return True
            case ast.Constant(value=found) if not isinstance(found, bool) and found == value:
                return True
            case ast.Name(id=found) | ast.Attribute(attr=found) if found in ("answer", value):
                return True
    return False
