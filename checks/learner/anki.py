"""The bank as a deck for Anki: one note per item and per question to say aloud.

Source: https://github.com/kerrickstaley/genanki
"""

from __future__ import annotations

import zlib
from pathlib import Path

import genanki

from checks.quizzes import bank, fallback, markup, rubric
from checks.quizzes.item import Item
from checks.quizzes.rubric import Rubric
from checks.syllabus import QUESTIONS, Question

# Anki knows decks and note types by these numbers: they are for ever, or a second import doubles every card.
DECK, NOTE_TYPE = 1_784_201_337, 1_784_201_338
STYLE = ".card { font: 18px system-ui, sans-serif; text-align: left } pre { background: #8882; padding: 8px }"
FRONT = "<small>{{Chapter}} · {{Id}}</small><div>{{Front}}</div>"
BACK = "{{FrontSide}}<hr id=answer>{{Back}}"


def write(path: Path) -> int:
    """Write the course's items and questions as an `.apkg` file; returns the number of cards.

    Importing a newer file into Anki updates the notes and keeps what Anki knows of them: a note is known by its id.

    Raises:
        OSError: the file cannot be written.
    """
    model = genanki.Model(
        NOTE_TYPE,
        "Django interview",
        fields=[{"name": name} for name in ("Id", "Chapter", "Front", "Back")],
        templates=[{"name": "Card", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )
    deck = genanki.Deck(DECK, "Django interview")
    faces = [(item.id, QUESTIONS[item.question], *_item(item)) for item in bank.load().values()]
    faces += [(spoken.question, QUESTIONS[spoken.question], *_spoken(spoken)) for spoken in rubric.load().values()]
    for ref, question, front, back in faces:
        deck.add_note(_note(model, ref, question, front, back))
    genanki.Package(deck).write_to_file(str(path))
    return len(faces)


def _note(model: genanki.Model, ref: str, question: Question, front: str, back: str) -> genanki.Note:
    chapter = f"{question.chapter:02d} {question.chapter_title}"
    tags = [question.slug, question.level, question.id]
    return genanki.Note(model, [ref, chapter, front, back], guid=f"django-interview-{ref}", tags=tags, due=_place(ref))


def _place(ref: str) -> int:
    """Where a new card stands in Anki's queue: not in the order of the chapters, and the same in every export."""
    return zlib.crc32(ref.encode()) % 1_000_000


def _item(item: Item) -> tuple[str, str]:
    code = f"<pre>{markup.highlighted(item.code, item.language)}</pre>" if item.code else ""
    choices = "".join(f"<li>{markup.inline(choice.text)}</li>" for choice in fallback.shown(item))
    front = (
        markup.block(item.prompt) + code + (f"<p>{fallback.ASKS[item.kind]}</p><ul>{choices}</ul>" if choices else "")
    )
    right = [choice for choice in item.choices if choice.correct or item.kind == "order"]
    answer = "".join(f"<li><b>{markup.inline(each.text)}</b><br>{markup.inline(each.explain)}</li>" for each in right)
    wrong = "".join(
        f"<li>{markup.inline(each.text)}<br><small>{markup.inline(each.explain)}</small></li>"
        for each in item.choices
        if each not in right
    )
    tag = "ol" if item.kind == "order" else "ul"
    back = f"<{tag}>{answer}</{tag}>" if right else f"<p><b>{markup.inline(f'`{item.answer}`')}</b></p>"
    back += f"<p>Not:</p><ul>{wrong}</ul>" if wrong else ""
    return front, back + markup.block(item.explain)


def _spoken(spoken: Rubric) -> tuple[str, str]:
    points = "".join(f"<li>{markup.inline(point.text)}</li>" for point in spoken.points)
    return f"<p>Say aloud:</p>{markup.block(QUESTIONS[spoken.question].title)}", f"<ul>{points}</ul>"
