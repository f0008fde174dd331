"""The deck for Anki has every item and question, and a second export updates the first."""

import sqlite3
import zipfile
from contextlib import closing

import pytest

from checks.learner.anki import write
from checks.quizzes import bank, rubric


def notes(path, folder):
    with zipfile.ZipFile(path) as package:
        package.extract("collection.anki2", folder)
    with closing(sqlite3.connect(folder / "collection.anki2")) as collection:
        return dict(collection.execute("SELECT guid, flds FROM notes"))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("anki") / "django.apkg"
    return path, write(path)


def test_every_item_and_question_is_a_card(package, tmp_path):
    path, count = package
    found = notes(path, tmp_path)
    assert set(found) == {f"django-interview-{ref}" for ref in [*bank.load(), *rubric.load()]}
    assert count == len(found)


def test_the_front_asks_and_the_back_answers(package, tmp_path):
    found = notes(package[0], tmp_path)
    item = next(item for item in bank.load().values() if item.kind == "single")
    ref, chapter, front, back = found[f"django-interview-{item.id}"].split("\x1f")
    assert ref == item.id
    right = next(choice for choice in item.choices if choice.correct)
    assert right.explain.split()[0].strip("`*") in back
    assert right.explain not in front
    assert "<li>" in front


def test_a_second_export_has_the_same_notes(package, tmp_path):
    write(tmp_path / "again.apkg")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert notes(tmp_path / "again.apkg", tmp_path / "a") == notes(package[0], tmp_path / "b")
