"""The journal's rows in the storage of the browser: what a page keeps in files of its own is gone with the page.

Each kernel writes what was done in it to a file of its own, so that two open notebooks never write over each other,
and reads the files of all. A row is known by its key, so reading one twice changes nothing.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.learner.journal import Row

# Where JupyterLite shows Python the files of its file browser: https://jupyterlite.readthedocs.io
MOUNT = Path("/drive")
FOLDER = "progress"
MANY = 20  # files; so many are put into one
PAUSE = 1.0  # seconds between looks at the files of others


class Drive:
    """The files in ``folder``. ``say`` gets a sentence about a file that cannot be read, once."""

    def __init__(self, folder: Path, say=lambda sentence: print(sentence, file=sys.stderr)):
        self.folder = folder
        self._say = say
        self._mine = folder / f"{uuid.uuid4()}.json"
        self._kept: dict[str, Row] = {}
        self._read: dict[str, tuple[float, int]] = {}
        self._looked = float("-inf")

    def keep(self, rows: Iterable[Row]) -> None:
        """Add rows to this kernel's file; they are stored when this returns. Raises OSError where that fails."""
        from checks.learner.transfer import as_data

        self._kept |= {row.key: row for row in rows}
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(as_data(self._kept.values()), ensure_ascii=False, indent=1)
        self._mine.write_text(text + "\n", encoding="utf-8")

    def fetch(self) -> list[Row]:
        """The rows of all files that are new, or not what they were at the last look."""
        if time.monotonic() - self._looked < PAUSE:
            return []
        self._looked = time.monotonic()
        found = {}
        for path in self._files():
            with suppress(OSError):  # another kernel may have put it into one with others meanwhile
                status = path.stat()
                if self._read.get(path.name) != (status.st_mtime, status.st_size):
                    found |= {row.key: row for row in self._rows(path)}
                    self._read[path.name] = (status.st_mtime, status.st_size)
        self._put_together()
        return list(found.values())

    def _rows(self, path):
        from checks.learner.transfer import TransferError, imported

        try:
            return imported(path.read_text(encoding="utf-8"), path.name)
        except (TransferError, UnicodeDecodeError) as error:
            self._say(f"Not all of your progress could be read: {error}. The file stays in {FOLDER}/.")
            return []

    def _files(self):
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == ".json" and path != self._mine)
        except OSError:
            return []

    def _put_together(self):
        """Put many files into this kernel's own. What cannot be read stays."""
        files = self._files()
        if len(files) < MANY:
            return
        before = {path: path.stat().st_mtime for path in files}
        rows = {path: self._rows(path) for path in files}
        self.keep(row for one in rows.values() for row in one)
        for path, its_rows in rows.items():
            # A kernel whose file is gone writes it anew, whole, with its next row.
            if its_rows and path.stat().st_mtime == before[path]:
                path.unlink()


@lru_cache
def of_this_page() -> Drive | None:
    """The storage of the browser that this Python runs in; None elsewhere, and where the browser lends none."""
    if sys.platform != "emscripten":
        return None
    if MOUNT.is_dir():
        return Drive(MOUNT / FOLDER)
    print(
        "This browser lends the page no storage, as in a private window: your progress is gone with the page.",
        file=sys.stderr,
    )
    return None
