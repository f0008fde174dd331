"""The quiz widget: sends the items to the page with their verdicts sealed, and records what comes back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from checks.learner.journal import Journal
from checks.quizzes import bank, fallback, markup
from checks.quizzes.item import Item
from checks.quizzes.seal import seal

STATIC = Path(__file__).parent / "static"


class Quiz(anywidget.AnyWidget):
    """Asks items in the page, which judges each answer at once, and records the answers in the learner's journal.

    The kernel is needed for two things only, and the quiz goes on without either: to record answers (the page keeps
    those that were not acknowledged, and the next quiz sends them again) and to run the code of predict items.

    Sources: https://anywidget.dev/en/afm/ and https://ipywidgets.readthedocs.io (custom messages)
    """

    _esm = STATIC / "quiz.js"
    _css = STATIC / "quiz.css"

    name = traitlets.Unicode().tag(sync=True)
    items = traitlets.List().tag(sync=True)
    # What makes a deck of a quiz (see checks.practice): its sort, a first page, seconds on the clock, and how many
    # items there will be when the kernel sends some later.
    mode = traitlets.Unicode("quiz").tag(sync=True)
    intro = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.Int(0).tag(sync=True)
    total = traitlets.Int(0).tag(sync=True)
    before = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        name: str,
        items: Sequence[Item],
        journal: Journal | None = None,
        *,
        sheets: Sequence[dict[str, Any]] | None = None,
        **traits: Any,
    ) -> None:
        """Ask these items under a name (`"Q38"`); without a journal, answers go to the learner's own.

        `sheets` is what the page gets (by default all items), `traits` sets the page's other traits.
        """
        self._asked = tuple(items)
        self._journal = journal
        super().__init__(
            name=name, items=[sheet(item) for item in items] if sheets is None else list(sheets), **traits
        )
        self.on_msg(self._receive)

    def __str__(self) -> str:
        return fallback.text(self.name, self._asked)

    __repr__ = __str__

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        # The inherited text holds the address of the object, which differs on every run.
        data["text/plain"] = fallback.line(self.name, self._asked)
        data["text/html"] = fallback.page(self.name, self._asked)
        return data, metadata

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:
        match message:
            case {"answer": {"key": str(key)} as answer}:
                self.send(self._record(key, answer))
            case {"run": str(ref)}:
                self.send({"ran": ref} | self._run(ref))

    def _record(self, key: str, answer: dict[str, Any]) -> dict[str, str]:
        """Write one answer to the journal; say that it is saved, or in one line why it is not."""
        try:
            if self._journal is None:
                self._journal = Journal(report=lambda sentence: None)
            self._write(answer, key)
            problem = getattr(self._journal, "problem", None)
        # Whatever is wrong with the journal, the quiz goes on.
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        return {"unsaved": key, "problem": " ".join(problem.split())} if problem else {"saved": key}

    def _write(self, answer: dict[str, Any], key: str) -> None:
        seconds = _seconds(answer.get("seconds"))
        at = datetime.fromtimestamp(answer["at"] / 1000, UTC) if answer.get("at") else None
        if "points" in answer:  # said aloud, and rated by the learner
            met = answer["given"].split()
            self._journal.recital(answer["item"], answer["version"], met, answer["points"], seconds, key=key, at=at)
            return
        # An answer that another quiz left behind may be to any item, or to an item as it was before a change: then the
        # page's own verdict stands.
        item = self._known(answer["item"])
        current = item is not None and item.version == answer["version"]
        self._journal.answer(
            answer["item"],
            answer["version"],
            answer["given"],
            item.judge(answer["given"]) if current else bool(answer["correct"]),
            bool(answer["sure"]),
            seconds,
            key=key,
            at=at,
        )

    def _run(self, ref: str) -> dict[str, str]:
        """Run the code of a predict item; what it prints, or in one line why it could not run."""
        item = next((item for item in self._asked if item.id == ref), None)
        if item is None or item.kind != "predict":
            return {"problem": f"{ref} has no code to run."}
        try:
            from checks.quizzes import proof

            return {"output": proof.output(item)}
        except Exception as error:
            return {"problem": " ".join(f"{type(error).__name__}: {error}".split())}

    def _known(self, ref: str) -> Item | None:
        return next((item for item in self._asked if item.id == ref), None) or bank.load().get(ref)


def sheet(item: Item) -> dict[str, Any]:
    """What the page gets of an item: everything that is asked, and what is right or wrong about it under seals.

    Each choice of a single or multiple item has its own seal, which the page opens when the choice was given; what
    concerns the whole item is sealed under `answer`. Choices come in an order that tells nothing: by their keys.
    """
    name = f"{item.id}/{item.version}"
    whole: dict[str, Any] = {"explain": markup.block(item.explain)}
    if item.kind == "order":
        whole["order"] = [choice.key for choice in item.choices]
        whole["explains"] = [markup.inline(choice.explain) for choice in item.choices]
    elif not item.choices:
        whole["answer"] = item.answer
    secrets: dict[str, Any] = {f"{name}/answer": whole}
    choices = sorted(item.choices, key=lambda choice: choice.key)
    seals = seal(secrets)
    if item.kind in ("single", "multiple"):
        seals |= seal({f"{name}/{choice.key}": [choice.correct, markup.inline(choice.explain)] for choice in choices})
    return {
        "id": item.id,
        "version": item.version,
        "kind": item.kind,
        "asks": fallback.ASKS[item.kind],
        "numeric": item.numeric,
        "prompt": markup.block(item.prompt),
        "code": markup.highlighted(item.code, item.language) if item.code else "",
        "choices": [{"key": choice.key, "html": markup.inline(choice.text)} for choice in choices],
        "seals": {seed.rpartition("/")[2]: text for seed, text in seals.items()},
    }


def _seconds(value: Any) -> float | None:
    """A time that a page can really have measured."""
    return round(value, 1) if isinstance(value, (int, float)) and math.isfinite(value) and value >= 0 else None
