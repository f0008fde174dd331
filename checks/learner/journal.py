"""The learner's journal: every answer, every attempt and all else that a learner did, in one SQLite file.

Several kernels write to it at once, and a kernel may be killed at any moment: what was acknowledged (the call
returned) is on disk. Where the disk refuses, the journal says so once and keeps the rows in memory; the next write
tries the file again and takes the waiting rows with it.
"""

import errno
import json
import os
import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from checks.learner.drive import Drive, of_this_page

OUTCOMES = ("not attempted", "error", "wrong", "slow", "correct")

# One tuple of statements per schema version. To change the schema, add a tuple; never edit one that was released.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE answers (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, item TEXT NOT NULL, version TEXT NOT NULL, given TEXT NOT NULL,
            correct INTEGER NOT NULL, sure INTEGER NOT NULL, seconds REAL)""",
        """CREATE TABLE attempts (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, exercise TEXT NOT NULL, version TEXT NOT NULL,
            outcome TEXT NOT NULL, source TEXT NOT NULL, mistake TEXT, detail TEXT NOT NULL,
            hints INTEGER NOT NULL)""",
        """CREATE TABLE hints (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, exercise TEXT NOT NULL, number INTEGER NOT NULL)""",
        "CREATE INDEX answers_item ON answers (item, at)",
        "CREATE INDEX attempts_exercise ON attempts (exercise, at)",
        "CREATE INDEX hints_exercise ON hints (exercise)",
    ),
    (
        """CREATE TABLE recitals (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, question TEXT NOT NULL, version TEXT NOT NULL, met TEXT NOT NULL,
            points INTEGER NOT NULL, seconds REAL)""",
        """CREATE TABLE settings (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL)""",
        """CREATE TABLE events (
            key TEXT PRIMARY KEY, at TEXT NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL)""",
        "CREATE INDEX recitals_question ON recitals (question, at)",
        "CREATE INDEX events_session ON events (session, at)",
    ),
)

PATIENCE = 10.0  # seconds to wait for another kernel's write; a write takes milliseconds


@dataclass(frozen=True)
class Answer:
    """One answer to one quiz item, as it was given."""

    key: str
    at: datetime
    item: str
    version: str
    given: str
    correct: bool
    sure: bool
    seconds: float | None


@dataclass(frozen=True)
class Attempt:
    """One check of one exercise, with the whole source of the answer cell."""

    key: str
    at: datetime
    exercise: str
    version: str
    outcome: str
    source: str
    mistake: str | None
    detail: str
    hints: int


@dataclass(frozen=True)
class HintShown:
    """One hint that the learner asked for; the first hint of an exercise is number 1."""

    key: str
    at: datetime
    exercise: str
    number: int


@dataclass(frozen=True)
class Recital:
    """One answer said aloud: which points of the rubric the learner says it had, out of how many."""

    key: str
    at: datetime
    question: str
    version: str
    met: str  # the keys of the points, separated by spaces
    points: int
    seconds: float | None


@dataclass(frozen=True)
class Setting:
    """What the learner set, such as the date of the interview; the latest row of a name counts."""

    key: str
    at: datetime
    name: str
    value: str


@dataclass(frozen=True)
class Event:
    """One step of a session that can be resumed (a mock interview, a placement); ``data`` is JSON."""

    key: str
    at: datetime
    session: str
    kind: str
    data: str


Row = Answer | Attempt | HintShown | Recital | Setting | Event

TABLES: dict[type, str] = {
    Answer: "answers",
    Attempt: "attempts",
    HintShown: "hints",
    Recital: "recitals",
    Setting: "settings",
    Event: "events",
}


@dataclass
class _File:
    """What this process knows of one journal file, shared by every Journal on it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    waiting: list = field(default_factory=list)  # rows that are not on disk yet
    inspected: bool = False
    problem: str | None = None
    reported: set[str] = field(default_factory=set)


_files: dict[Path, _File] = {}


class _NewerSchema(Exception):
    pass


def default_path() -> Path:
    """The journal's place: ``progress.sqlite3`` in ``COURSE_HOME``, or else in the user's data folder."""
    home = os.environ.get("COURSE_HOME")
    if not home:
        from platformdirs import user_data_dir

        home = user_data_dir("django-interview-course", appauthor=False)
    return Path(home).expanduser() / "progress.sqlite3"


class Journal:
    """The learner's journal in the file ``path`` (see ``default_path``).

    ``report`` gets one sentence when something is wrong with the file, once for each kind of trouble in a process;
    the default writes it to the standard error stream. No method raises because of the disk. In a browser the rows
    are also in its storage, the ``drive``, which outlives the page.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        report: Callable[[str], None] | None = None,
        drive: Drive | None = None,
    ):
        # Absolute, because a learner's cell may change the working directory.
        self.path = Path(path if path is not None else default_path()).absolute()
        self._report = report or (lambda sentence: print(sentence, file=sys.stderr))
        self._file = _files.setdefault(self.path, _File())
        self._drive = drive or of_this_page()

    @property
    def problem(self) -> str | None:
        """Why some rows are only in memory, with the remedy; None when everything is on disk."""
        return self._file.problem

    def answer(
        self,
        item: str,
        version: str,
        given: str,
        correct: bool,
        sure: bool,
        seconds: float | None,
        *,
        key: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Store one answer to a quiz item and return its key; the same ``key`` twice is stored once."""
        row = Answer(
            _key(key),
            _moment(at),
            _named("item", item),
            version,
            given,
            bool(correct),
            bool(sure),
            None if seconds is None else float(seconds),
        )
        return self._store(row)

    def attempt(
        self,
        exercise: str,
        version: str,
        outcome: str,
        source: str,
        *,
        mistake: str | None = None,
        detail: str = "",
        hints: int = 0,
        key: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Store one check of an exercise, with the answer cell's whole source, and return its key.

        ``outcome`` is one of ``OUTCOMES``; anything else is a ValueError.
        """
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome {outcome!r} is none of {', '.join(OUTCOMES)}")
        row = Attempt(
            _key(key), _moment(at), _named("exercise", exercise), version, outcome, source, mistake, detail, int(hints)
        )
        return self._store(row)

    def hint(self, exercise: str, number: int, *, key: str | None = None, at: datetime | None = None) -> str:
        """Remember that hint ``number`` (from 1) of an exercise was shown, and return the row's key."""
        if number < 1:
            raise ValueError(f"hint number {number} of exercise {exercise}: the first hint is number 1")
        return self._store(HintShown(_key(key), _moment(at), _named("exercise", exercise), number))

    def recital(
        self,
        question: str,
        version: str,
        met: Iterable[str],
        points: int,
        seconds: float | None,
        *,
        key: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Store one answer said aloud, rated by the learner, and return its key.

        ``met`` holds the keys of the rubric's points that the answer had, ``points`` how many there are.
        """
        met = list(met)
        if not 0 <= len(met) <= points:
            raise ValueError(f"{len(met)} of {points} points of {question}: there cannot be more than all")
        return self._store(
            Recital(
                _key(key),
                _moment(at),
                _named("question", question),
                version,
                " ".join(met),
                int(points),
                None if seconds is None else float(seconds),
            )
        )

    def set(self, name: str, value: str, *, key: str | None = None, at: datetime | None = None) -> str:
        """Remember what the learner set under a name, and return the row's key."""
        return self._store(Setting(_key(key), _moment(at), _named("setting", name), str(value)))

    def event(
        self, session: str, kind: str, data: Mapping, *, key: str | None = None, at: datetime | None = None
    ) -> str:
        """Store one step of a session that can be resumed, and return its key; ``data`` is what JSON can say."""
        text = json.dumps(data, ensure_ascii=False, sort_keys=True)
        return self._store(Event(_key(key), _moment(at), _named("session", session), kind, text))

    def add(self, rows: Iterable[Row]) -> int:
        """Store rows of another journal; returns how many were not here yet.

        A row is known by its key, so adding the same rows twice, or two journals to each other, loses and doubles
        nothing.
        """
        rows = list(rows)
        with self._file.lock:
            known = {row.key for row in self.rows()}
            new = {row.key: row for row in rows if row.key not in known}
            self._store(*new.values())
        return len(new)

    def rows(self) -> list[Row]:
        """Everything in the journal: table by table, each oldest first."""
        return [row for kind in TABLES for row in self._rows(kind, "key", None)]

    def answers(self, item: str | None = None) -> list[Answer]:
        """All answers, or those to one item, oldest first."""
        return self._rows(Answer, "item", item)

    def attempts(self, exercise: str | None = None) -> list[Attempt]:
        """All attempts, or those at one exercise, oldest first."""
        return self._rows(Attempt, "exercise", exercise)

    def hints(self, exercise: str) -> int:
        """How many hints of an exercise the learner has seen."""
        return max((row.number for row in self._rows(HintShown, "exercise", exercise)), default=0)

    def recitals(self, question: str | None = None) -> list[Recital]:
        """All answers said aloud, or those to one question, oldest first."""
        return self._rows(Recital, "question", question)

    def settings(self) -> dict[str, str]:
        """What the learner set, by name."""
        return {row.name: row.value for row in self._rows(Setting, "name", None)}

    def events(self, session: str | None = None) -> list[Event]:
        """The steps of all sessions, or of one, oldest first."""
        return self._rows(Event, "session", session)

    # Each call opens the file anew: a journal that was moved away, restored or repaired meanwhile is then simply the
    # next file, and no handle is carried across a fork or between threads.

    def _store(self, *rows: Row) -> str:
        with self._file.lock:
            self._write(rows)
            if self._drive and rows:
                try:
                    self._drive.keep(rows)
                except OSError as error:
                    self._trouble(
                        "storage",
                        f"Your progress cannot be kept in this browser ({error}): allow this site to store data, or "
                        "free some space; until then it is gone with this page.",
                    )
        return rows[-1].key if rows else ""

    def _write(self, rows: Iterable[Row]) -> None:
        self._file.waiting.extend(rows)
        if self._attempt_on_file(self._write_waiting, create=True):
            self._file.waiting.clear()
            self._file.problem = None

    def _write_waiting(self, connection: sqlite3.Connection) -> bool:
        with _transaction(connection):
            for row in self._file.waiting:
                values = tuple(_to_column(value) for value in astuple(row))
                marks = ", ".join("?" * len(values))
                connection.execute(f"INSERT OR IGNORE INTO {TABLES[type(row)]} VALUES ({marks})", values)
        return True

    def _rows(self, kind: type, column: str, value: str | None) -> list:
        names = ", ".join(field.name for field in fields(kind))
        where, parameters = ("", ()) if value is None else (f" WHERE {column} = ?", (value,))
        query = f"SELECT {names} FROM {TABLES[kind]}{where} ORDER BY at, rowid"
        with self._file.lock:
            if self._drive and (fetched := self._drive.fetch()):
                self._write(fetched)
            found = self._attempt_on_file(lambda connection: connection.execute(query, parameters).fetchall()) or []
            rows = [_from_columns(kind, columns) for columns in found]
            stored = {row.key for row in rows}
            for row in self._file.waiting:
                if type(row) is kind and row.key not in stored and value in (None, getattr(row, column)):
                    stored.add(row.key)
                    rows.append(row)
        return sorted(rows, key=lambda row: row.at)

    def _attempt_on_file(self, work: Callable[[sqlite3.Connection], object], *, create: bool = False):
        """The result of ``work`` on an open connection, or None when the file could not be used (then reported)."""
        for again in (True, False):
            try:
                if create:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                elif not self.path.exists():
                    return None
                with closing(self._connect()) as connection:
                    return work(connection)
            except _NewerSchema:
                self._trouble(
                    "newer",
                    f"Your progress in {self.path} was written by a newer version of this course: update the course; "
                    "until then answers are kept in memory only.",
                )
                return None
            except (sqlite3.DatabaseError, OSError) as error:
                if again and _is_corrupt(error) and self._set_aside(error):
                    continue
                self._trouble(*self._diagnosis(error))
                return None if create else self._read_unlocked(work)
        return None

    def _connect(self) -> sqlite3.Connection:
        # While there is trouble, a learner should not wait the full time at every click.
        patience = PATIENCE if self._file.problem is None else 0.2
        connection = sqlite3.connect(self.path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            # Some file systems (and Pyodide's) have no shared memory, which WAL needs: the older journal is as safe,
            # readers then wait for writers.
            with suppress(sqlite3.OperationalError):
                (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
                if mode != "wal":
                    connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if not self._file.inspected:
                # Damage in the middle of the file would otherwise show only when a later read meets it.
                ((verdict, *_), *_) = connection.execute("PRAGMA quick_check(1)").fetchall()
                if verdict != "ok":
                    raise _corruption(verdict)
                self._file.inspected = True
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _read_unlocked(self, work):
        """Read a file that cannot be written, for example on a read-only disk."""
        try:
            uri = self.path.as_uri() + "?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                return work(connection)
        except (sqlite3.DatabaseError, OSError):
            return None

    def _set_aside(self, error: Exception) -> bool:
        """Rename a corrupt file (and its journal files); True when a fresh file may be tried."""
        try:
            # One process at a time, and the damage is looked at again under the lock: another kernel may have put a
            # healthy file there meanwhile.
            with closing(sqlite3.connect(self.path.with_name(self.path.name + ".lock"), timeout=PATIENCE)) as guard:
                guard.execute("BEGIN EXCLUSIVE")
                if _is_healthy(self.path):
                    return True
                number = 1
                while (kept := self.path.with_name(f"{self.path.stem}.corrupt-{number}{self.path.suffix}")).exists():
                    number += 1
                os.rename(self.path, kept)
                for tail in ("-wal", "-shm", "-journal"):
                    if (companion := self.path.with_name(self.path.name + tail)).exists():
                        os.replace(companion, kept.with_name(kept.name + tail))
        except (sqlite3.Error, OSError):
            return False
        self._file.inspected = False
        self._report_once(
            f"corrupt-{number}",
            f"Your progress file was damaged ({error}): it is kept as {kept}, and a new one is begun. "
            "If you have a backup, copy it over the new file.",
        )
        return True

    def _diagnosis(self, error: Exception) -> tuple[str, str]:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        later = "until then answers are kept in memory only."
        if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
            return "full", f"Your progress cannot be saved, the disk of {self.path.parent} is full: free some; {later}"
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return "locked", (
                f"Your progress cannot be saved, another program holds {self.path}: close what has it open; {later}"
            )
        if _is_corrupt(error):
            return "corrupt", (
                f"Your progress file {self.path} is damaged and could not be moved away: close other notebooks, "
                f"then rename it; {later}"
            )
        return "unwritable", (
            f"Your progress cannot be saved in {self.path.parent} ({error}): make that folder writable, or set "
            f"COURSE_HOME to one that is; {later}"
        )

    def _trouble(self, kind: str, sentence: str) -> None:
        self._file.problem = sentence
        self._report_once(kind, sentence)

    def _report_once(self, kind: str, sentence: str) -> None:
        if kind not in self._file.reported:
            self._file.reported.add(kind)
            self._report(sentence)


def _key(key: str | None) -> str:
    return key or str(uuid.uuid4())


def _named(what: str, name: str) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"{what} must be an id such as 'Q38-1' or '13.1', not {name!r}")
    return name


def _moment(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        raise ValueError(f"at={at!r} has no time zone: pass datetime.now(UTC) or another aware time")
    return at.astimezone(UTC)


def _to_column(value):
    # A fixed width, so that the text sorts like the time.
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _from_columns(kind: type, columns: tuple):
    values = dict(zip((field.name for field in fields(kind)), columns, strict=True))
    values["at"] = datetime.fromisoformat(values["at"])
    if kind is Answer:
        values |= {"correct": bool(values["correct"]), "sure": bool(values["sure"])}
    return kind(**values)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk may have rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise _NewerSchema
    if version == len(MIGRATIONS):
        return
    with _transaction(connection):
        # Another kernel may have migrated while this one waited for the lock.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")


def _corruption(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict.splitlines()[-1])
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _is_corrupt(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # The last two: a sound SQLite file, but not a journal.
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or (
        code == sqlite3.SQLITE_ERROR and ("no such " in str(error) or "already exists" in str(error))
    )


def _is_healthy(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            ((verdict, *_), *_) = connection.execute("PRAGMA quick_check(1)").fetchall()
            _migrate(connection)
            for table in TABLES.values():
                connection.execute(f"SELECT * FROM {table} LIMIT 1")
    except _NewerSchema:
        return True
    except (sqlite3.DatabaseError, OSError):
        return False
    return verdict == "ok"
