"""The learner's own copy of the course, and how it is kept up to date: `python -m checks.course.workspace FOLDER`.

The copy has the folders of the course (``notebooks/``, ``exercises/``), so that links between notebooks work in both.
A notebook counts as changed when its cells' sources differ from what was delivered; running one is not writing in it.
What a learner wrote is never overwritten: a new version of a changed notebook is laid beside it.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from checks.learner.journal import Journal

COURSE = Path(__file__).resolve().parents[2]
FOLDERS = ("notebooks", "exercises")


class WorkspaceError(Exception):
    """The copy cannot be written; the text is one sentence with the remedy."""


class Workspace:
    """The learner's copy in ``folder`` of the course in ``course``; ``journal`` is where their answers are."""

    def __init__(self, folder: Path, course: Path = COURSE, journal: Journal | None = None):
        self.folder = folder
        self.course = course
        self.journal = Journal() if journal is None else journal
        self._manifest_path = folder / ".course" / "manifest.json"

    def sync(self) -> list[str]:
        """Deliver what is missing, refresh what the learner left as it was, and offer the rest.

        Returns one sentence for each thing the learner should know. Raises WorkspaceError where the copy cannot be
        written.
        """
        try:
            return self._sync()
        except OSError as error:
            raise WorkspaceError(
                f"Your copy of the course in {self.folder} cannot be written ({error.strerror or error}): free some "
                "disk space or make the folder writable, or choose another one with --folder, then try again."
            ) from error

    def _sync(self) -> list[str]:
        manifest = self._read_manifest()
        delivered, refreshed, notes = [], [], []
        for name in self._names():
            source, mine = self.course / name, self.folder / name
            newest = digest(_cells(source.read_bytes()))
            entry = manifest.setdefault(name, {})
            note = self._put_unreadable_aside(mine)
            if note:
                notes.append(note)
            if not mine.exists():
                # A journal of an earlier copy counts too: an answered exercise comes back.
                restored = self._write(source, mine)
                delivered.append(name)
                if restored:
                    notes.append(f"{name}: your latest answers are back in it ({', '.join(restored)}).")
                entry["delivered"] = newest
                continue
            current = digest(_cells(mine.read_bytes()))
            if current == newest:
                entry["delivered"] = newest
            elif current == entry.get("delivered"):
                self._write(source, mine)
                refreshed.append(name)
                entry["delivered"] = newest
            elif newest not in (entry.get("delivered"), entry.get("offered")):
                offer = self._offer_path(mine, entry.get("offered_as"))
                self._write(source, offer)
                entry |= {"offered": newest, "offered_as": digest(_cells(offer.read_bytes()))}
                notes.append(
                    f"{name}: you changed it and the course has a new version: yours is kept, "
                    f"the new one is beside it as {offer.name}."
                )
        self._write_manifest(manifest)
        if refreshed:
            notes.insert(0, f"Brought up to date: {', '.join(refreshed)}.")
        if delivered:
            notes.insert(0, f"{len(delivered)} notebook{'s' if len(delivered) > 1 else ''} copied to {self.folder}.")
        return notes

    def deliver_settings(self) -> Path:
        """Write JupyterLab's settings for this copy and return their folder, apart from the user's own."""
        settings = self.folder / ".jupyter"
        try:
            shutil.copytree(Path(__file__).parent / "jupyter", settings, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise WorkspaceError(
                f"JupyterLab's settings cannot be written to {settings} ({error}): free some disk space or make the "
                "folder writable, then try again."
            ) from error
        return settings

    def _names(self) -> list[str]:
        return [
            f"{folder}/{path.name}" for folder in FOLDERS for path in sorted((self.course / folder).glob("*.ipynb"))
        ]

    def _put_unreadable_aside(self, mine: Path) -> str | None:
        if not mine.exists():
            return None
        try:
            _cells(mine.read_bytes())
        except ValueError:
            kept = _first_free(mine.with_name(f"{mine.stem}.unreadable-{{}}{mine.suffix}"))
            os.rename(mine, kept)
            return f"{mine.parent.name}/{mine.name} could not be read: it is kept as {kept.name}, and delivered again."
        return None

    def _offer_path(self, mine: Path, offered_as: str | None) -> Path:
        """Where to lay a new version: over an earlier one that the learner left as it was, else at a free name."""
        first = mine.with_name(f"{mine.stem}.new{mine.suffix}")
        if not first.exists():
            return first
        try:
            if digest(_cells(first.read_bytes())) == offered_as:
                return first
        except ValueError:
            pass
        return _first_free(mine.with_name(f"{mine.stem}.new-{{}}{mine.suffix}"), start=2)

    def _write(self, source: Path, target: Path) -> list[str]:
        """Copy a notebook of the course with the learner's answers in it; returns the exercises they are of."""
        notebook = json.loads(source.read_bytes())
        restored = put_answers(notebook, self.journal)
        prepare(notebook)
        _write_whole(target, (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode())
        return restored

    def _read_manifest(self) -> dict[str, dict[str, str]]:
        # Without it, everything that differs from the course counts as the learner's.
        try:
            manifest = json.loads(self._manifest_path.read_text(encoding="utf-8"))
            return {str(name): dict(entry) for name, entry in manifest.items()}
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            return {}

    def _write_manifest(self, manifest: dict[str, dict[str, str]]) -> None:
        _write_whole(self._manifest_path, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())


def put_answers(notebook: dict, journal: Journal) -> list[str]:
    """Put the learner's answers into the answer cells of a notebook, in place; returns the exercises answered.

    The latest answer that passed comes back, or else the latest at all. An answer cell has
    ``{"course": {"exercise": "13.1", "role": "answer"}}`` in its metadata, or else calls ``check("13.1")``.
    """
    restored = []
    for cell in notebook["cells"]:
        exercise = answered_by(cell)
        tried = [row for row in journal.attempts(exercise) if row.outcome != "not attempted"] if exercise else []
        tried = [row for row in tried if row.outcome == "correct"] or tried
        if tried and tried[-1].source.strip() and tried[-1].source != "".join(cell["source"]):
            cell["source"] = tried[-1].source.splitlines(keepends=True)
            restored.append(exercise)
    return restored


def prepare(notebook: dict) -> None:
    """Make a notebook of the course one to work in, in place.

    The outputs go, because a prediction is worth nothing with the answer below it. The language is described as
    JupyterLab would do it, so that it does not take a notebook that was only opened for a changed one.
    """
    from ipykernel.ipkernel import IPythonKernel

    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    metadata = notebook.setdefault("metadata", {})
    metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata["language_info"] = IPythonKernel.language_info


def answered_by(cell: dict) -> str | None:
    """The exercise that a cell is the answer cell of, or None."""
    if cell.get("cell_type") != "code":
        return None
    course = cell.get("metadata", {}).get("course", {})
    if course.get("role") == "answer":
        return course.get("exercise")
    call = re.search(r"""^check\(["']([\d.]+)["']\)""", "".join(cell["source"]), re.MULTILINE)
    return call[1] if call else None


def digest(cells: Iterable[tuple[str, str]]) -> str:
    """A hash of what a notebook says: its cells' types and sources, not their outputs."""
    return hashlib.sha256(json.dumps(list(cells)).encode()).hexdigest()


def _cells(content: bytes) -> list[tuple[str, str]]:
    """The types and sources of a notebook's cells. Raises ValueError where the content is no notebook."""
    try:
        return [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a notebook: {error}") from error


def _first_free(pattern: Path, start: int = 1) -> Path:
    number = start
    while (path := pattern.with_name(pattern.name.format(number))).exists():
        number += 1
    return path


def _write_whole(target: Path, content: bytes) -> None:
    """Write a file so that it is never there in part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    try:
        draft.write_bytes(content)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def main(argv: list[str] | None = None) -> int:
    """Bring a copy up to date and print what the learner should know; returns 1 when it cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m checks.course.workspace", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=COURSE / "my_course")
    workspace = Workspace(parser.parse_args(argv).folder)
    try:
        notes = workspace.sync()
        workspace.deliver_settings()
    except WorkspaceError as error:
        print(error, file=sys.stderr)
        return 1
    for note in notes:
        print(note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
