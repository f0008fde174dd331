"""The journal keeps what it acknowledged, whatever happens to the process or the disk."""

import os
import random
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from checks.learner import journal as journal_module
from checks.learner.journal import Journal, default_path


@pytest.fixture(autouse=True)
def forget_known_files(monkeypatch):
    """Each test is a process that has seen no journal yet."""
    monkeypatch.setattr(journal_module, "_files", {})


@pytest.fixture
def said():
    return []


@pytest.fixture
def journal(tmp_path, said):
    return Journal(tmp_path / "progress.sqlite3", report=said.append)


def new_process():
    journal_module._files.clear()


def answer(journal, item="Q38-1", **changes):
    values = {"version": "aa", "given": "2", "correct": True, "sure": False, "seconds": 3.5} | changes
    return journal.answer(item, **values)


# What goes in comes out


def test_an_answer_comes_back_as_it_was_given(journal):
    at = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    key = journal.answer("Q38-1", "0a1b2c", "[1, 3]", False, True, None, at=at)
    (found,) = journal.answers()
    assert (found.key, found.item, found.version, found.given) == (key, "Q38-1", "0a1b2c", "[1, 3]")
    assert found.correct is False
    assert found.sure is True
    assert found.seconds is None
    assert found.at == at
    assert found.at.utcoffset() == timedelta(0)


def test_an_attempt_comes_back_with_its_whole_source(journal):
    source = 'def books():\n    return Book.objects.filter(title="Čapek’s “R.U.R.”")\n\n\ncheck("13.1")'
    key = journal.attempt("13.1", "ff", "wrong", source, mistake="13.1/2", detail="2 rows are missing", hints=1)
    (found,) = journal.attempts()
    assert (found.key, found.exercise, found.version, found.outcome) == (key, "13.1", "ff", "wrong")
    assert (found.source, found.mistake, found.detail, found.hints) == (source, "13.1/2", "2 rows are missing", 1)


def test_rows_come_oldest_first_and_by_id(journal):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for days, item in [(2, "Q27-1"), (0, "Q38-1"), (1, "Q27-1")]:
        answer(journal, item, given=str(days), at=start + timedelta(days=days))
    assert [row.given for row in journal.answers()] == ["0", "1", "2"]
    assert [row.given for row in journal.answers("Q27-1")] == ["1", "2"]
    assert journal.answers("Q99-9") == []


def test_the_same_key_is_stored_once(journal):
    key = str(uuid.uuid4())
    assert answer(journal, given="first", key=key) == key
    assert answer(journal, given="sent again", key=key) == key
    assert [row.given for row in journal.answers()] == ["first"]


def test_hints_shown_are_remembered(journal):
    assert journal.hints("13.1") == 0
    journal.hint("13.1", 1)
    journal.hint("13.1", 2)
    journal.hint("13.1", 1)
    journal.hint("13.2", 3)
    assert journal.hints("13.1") == 2


def test_keys_are_uuids_and_differ(journal):
    keys = {answer(journal), answer(journal), journal.hint("13.1", 1)}
    assert len({uuid.UUID(key) for key in keys}) == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda j: j.attempt("13.1", "v", "passed", ""), "outcome 'passed' is none of"),
        (lambda j: answer(j, ""), "item must be an id"),
        (lambda j: j.attempt(None, "v", "wrong", ""), "exercise must be an id"),
        (lambda j: j.hint("13.1", 0), "the first hint is number 1"),
        (lambda j: answer(j, at=datetime(2026, 1, 1)), "has no time zone"),
    ],
)
def test_bad_input_is_refused_by_name(journal, call, says):
    with pytest.raises(ValueError, match=says):
        call(journal)


def test_reading_leaves_no_trace(journal):
    assert journal.answers() == []
    assert not journal.path.exists()


# Where it is


def test_course_home_decides_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "elsewhere"))
    assert default_path() == tmp_path / "elsewhere" / "progress.sqlite3"
    answer(Journal())
    assert (tmp_path / "elsewhere" / "progress.sqlite3").exists()


def test_without_course_home_it_is_in_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("COURSE_HOME", raising=False)
    assert "django-interview-course" in default_path().parts
    assert default_path().is_absolute()


def test_a_changed_working_directory_does_not_move_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    journal = Journal(Path("here.sqlite3"))
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    answer(journal)
    assert (tmp_path / "here.sqlite3").exists()


def test_an_answer_said_aloud_comes_back_with_its_points(journal):
    key = journal.recital("Q38", "r1", ["aaa", "bbb"], 5, 61.5)
    (found,) = journal.recitals("Q38")
    assert (found.key, found.met, found.points, found.version, found.seconds) == (key, "aaa bbb", 5, "r1", 61.5)
    assert journal.recitals("Q39") == []


def test_more_points_than_there_are_is_refused(journal):
    with pytest.raises(ValueError, match="cannot be more than all"):
        journal.recital("Q38", "r1", ["a", "b"], 1, None)


def test_the_last_setting_of_a_name_counts(journal):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    journal.set("cap", "30", at=at + timedelta(days=1))
    journal.set("cap", "20", at=at)
    journal.set("interview", "2026-05-01", at=at)
    assert journal.settings() == {"cap": "30", "interview": "2026-05-01"}


def test_the_events_of_a_session_come_back_in_order(journal):
    journal.event("interview/1", "begun", {"plan": ["Q38"]})
    journal.event("interview/2", "begun", {})
    journal.event("interview/1", "finished", {"elapsed": 9})
    assert [(row.kind, row.data) for row in journal.events("interview/1")] == [
        ("begun", '{"plan": ["Q38"]}'),
        ("finished", '{"elapsed": 9}'),
    ]
    assert len(journal.events()) == 3


def test_rows_of_another_journal_are_added_once(journal, tmp_path):
    other = Journal(tmp_path / "other.sqlite3")
    answer(journal, given="here")
    answer(other, given="there")
    assert journal.add(other.rows()) == 1
    assert journal.add(other.rows()) == 0
    assert {row.given for row in journal.answers()} == {"here", "there"}


def test_a_journal_of_the_first_version_is_brought_up_to_date(journal, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(journal_module, "MIGRATIONS", journal_module.MIGRATIONS[:1])
        answer(journal, given="long ago")
    new_process()
    journal.recital("Q38", "r1", [], 5, None)
    assert [row.given for row in journal.answers()] == ["long ago"]
    assert len(journal.recitals()) == 1


# Durability

CHILD = """
import sys
from pathlib import Path
from checks.learner.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    print(journal.answer(sys.argv[3], "v", str(number), True, True, None), flush=True)
"""


def start_child(path, count, item):
    command = [sys.executable, "-c", CHILD, str(path), str(count), item]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_file_is_a_write_ahead_log_with_full_synchronisation(journal):
    answer(journal)
    with closing(journal._connect()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(journal, acknowledged):
    child = start_child(journal.path, 1_000_000, "Q38-1")
    keys = [child.stdout.readline().strip() for _ in range(acknowledged)]
    child.kill()
    rest, errors = child.communicate()
    keys += rest.split("\n")[:-1]  # a last line without its end was cut off by the kill
    assert errors == ""
    assert len(keys) >= acknowledged
    assert set(keys) <= {row.key for row in journal.answers()}


KILLS = int(os.environ.get("COURSE_KILLS", "20"))  # 500 take about two minutes


def test_nothing_acknowledged_is_lost_by_kills_at_random_moments(journal):
    """`COURSE_KILLS=500 pytest -k random_moments` kills as often as that, all on one journal."""
    dice, keys = random.Random(5), set()
    for kill in range(KILLS):
        child = start_child(journal.path, 1_000_000, f"Q{kill % 64 + 1:02}-1")
        keys.add(child.stdout.readline().strip())
        time.sleep(dice.random() / 20)
        child.kill()
        rest, errors = child.communicate()
        keys.update(rest.split("\n")[:-1])
        assert errors == ""
    assert keys <= {row.key for row in journal.answers()}
    assert journal.problem is None


def test_several_processes_write_at_once(journal):
    children = [start_child(journal.path, 40, f"Q{number}-1") for number in range(4)]
    keys = set()
    for child in children:
        out, errors = child.communicate()
        assert errors == ""
        keys.update(out.split())
    assert len(keys) == 160
    assert {row.key for row in journal.answers()} == keys
    assert journal.problem is None


def test_a_write_waits_for_another_kernel(journal, tmp_path):
    answer(journal)
    script = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
import time; time.sleep(1)
c.execute("COMMIT")
"""
    holder = subprocess.Popen([sys.executable, "-c", script, str(journal.path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    answer(journal)
    assert journal.problem is None
    assert len(journal.answers()) == 2
    holder.communicate()


def test_a_kernel_that_hangs_inside_a_write_does_not_stop_the_others(journal, said, monkeypatch):
    monkeypatch.setattr(journal_module, "PATIENCE", 0.1)
    answer(journal)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        answer(journal, given="waited")
        assert "another program holds" in journal.problem
        assert "waited" in [row.given for row in journal.answers()]
        holder.execute("ROLLBACK")
    answer(journal)
    assert journal.problem is None
    new_process()
    assert len(journal.answers()) == 3


# The schema


def test_a_new_file_has_the_newest_schema(journal):
    answer(journal)
    with closing(sqlite3.connect(journal.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(journal_module.MIGRATIONS),)


def test_an_older_file_is_migrated_and_keeps_its_rows(journal, monkeypatch):
    answer(journal, given="before")
    added = ("CREATE TABLE reviews (key TEXT PRIMARY KEY)", "CREATE INDEX reviews_key ON reviews (key)")
    later = (*journal_module.MIGRATIONS, added)
    monkeypatch.setattr(journal_module, "MIGRATIONS", later)
    answer(journal, given="after")
    assert [row.given for row in journal.answers()] == ["before", "after"]
    with closing(sqlite3.connect(journal.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
        assert connection.execute("SELECT count(*) FROM reviews").fetchone() == (0,)


def test_a_migration_that_fails_leaves_the_file_as_it_was(journal, said, monkeypatch):
    answer(journal)
    broken = (*journal_module.MIGRATIONS, ("CREATE TABLE reviews (key TEXT)", "CREATE NONSENSE"))
    monkeypatch.setattr(journal_module, "MIGRATIONS", broken)
    answer(journal, given="in memory")
    assert len(said) == 1
    with closing(sqlite3.connect(journal.path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(broken) - 1,)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'reviews'").fetchone() == (0,)


def test_a_file_of_a_newer_course_is_left_alone(journal, said):
    answer(journal)
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = journal.path.read_bytes()
    answer(journal, given="here")
    answer(journal, given="there")
    assert journal.path.read_bytes() == before
    assert len(said) == 1
    assert "newer version of this course: update" in said[0]
    assert [row.given for row in journal.answers()] == ["here", "there"]


# Trouble with the file


def kept(journal):
    return sorted(path.name for path in journal.path.parent.glob("*.corrupt-*.sqlite3"))


def test_a_corrupt_file_is_kept_aside_and_reported_once(journal, said):
    journal.path.write_bytes(b"not a database at all" * 400)
    answer(journal)
    answer(journal)
    assert len(journal.answers()) == 2
    assert journal.problem is None
    assert kept(journal) == ["progress.corrupt-1.sqlite3"]
    assert (journal.path.parent / "progress.corrupt-1.sqlite3").read_bytes().startswith(b"not a database at all")
    assert len(said) == 1
    assert "progress.corrupt-1.sqlite3" in said[0]


def test_a_second_corrupt_file_does_not_replace_the_first(journal, said):
    for _ in range(2):
        journal.path.write_bytes(b"x" * 5000)
        answer(journal)
    assert kept(journal) == ["progress.corrupt-1.sqlite3", "progress.corrupt-2.sqlite3"]
    assert len(said) == 2


def test_damage_in_the_middle_of_the_file_is_found_at_the_first_use(journal, said):
    for number in range(400):
        journal.attempt("13.1", "v", "wrong", f"# {number}\n" * 50)
    new_process()
    with journal.path.open("r+b") as file:
        file.truncate(journal.path.stat().st_size // 8192 * 4096)
    answer(Journal(journal.path, report=said.append))
    assert kept(journal) == ["progress.corrupt-1.sqlite3"]
    assert len(said) == 1


def test_a_database_that_is_no_journal_is_kept_aside(journal):
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.execute("CREATE TABLE somebody_elses (id)")
        connection.execute(f"PRAGMA user_version = {len(journal_module.MIGRATIONS)}")
    answer(journal)
    assert kept(journal) == ["progress.corrupt-1.sqlite3"]
    assert len(journal.answers()) == 1


def test_two_processes_that_meet_a_corrupt_file_set_aside_one(journal):
    journal.path.write_bytes(b"x" * 5000)
    children = [start_child(journal.path, 10, f"Q{number}-1") for number in range(3)]
    keys = {key for child in children for key in child.communicate()[0].split()}
    assert kept(journal) == ["progress.corrupt-1.sqlite3"]
    assert {row.key for row in journal.answers()} == keys
    assert len(keys) == 30


def test_an_unusable_folder_is_reported_once_and_learning_goes_on(tmp_path, said):
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "progress.sqlite3", report=said.append)
    key = answer(journal)
    journal.hint("13.1", 2)
    journal.attempt("13.1", "v", "correct", "source")
    assert [row.key for row in journal.answers()] == [key]
    assert journal.hints("13.1") == 2
    assert [row.source for row in journal.attempts("13.1")] == ["source"]
    assert len(said) == 1
    assert "COURSE_HOME" in said[0]
    assert journal.problem == said[0]


def test_what_waited_in_memory_is_saved_once_the_disk_allows_it(tmp_path, said):
    folder = tmp_path / "folder"
    folder.write_text("in the way")
    journal = Journal(folder / "progress.sqlite3", report=said.append)
    key = str(uuid.uuid4())
    answer(journal, given="waited", key=key)
    answer(Journal(journal.path), given="the same again", key=key)
    folder.unlink()
    answer(journal, given="wrote")
    assert journal.problem is None
    new_process()
    assert [row.given for row in Journal(journal.path).answers()] == ["waited", "wrote"]


def limited(monkeypatch, pages):
    connect = sqlite3.connect

    def connect_to_a_small_disk(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(journal_module.sqlite3, "connect", connect_to_a_small_disk)


def test_a_full_disk_is_reported_once_and_learning_goes_on(journal, said, monkeypatch):
    answer(journal, given="early")
    with monkeypatch.context() as patch:
        limited(patch, 12)
        for number in range(10):
            journal.attempt("13.1", "v", "wrong", f"# {number}" + "x" * 10_000)
        assert len(said) == 1
        assert "is full: free some" in said[0]
        assert len(journal.attempts()) == 10
    answer(journal, given="late")
    new_process()
    assert len(journal.attempts()) == 10
    assert [row.given for row in journal.answers()] == ["early", "late"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may write everywhere")
def test_a_read_only_folder_still_shows_what_was_answered(journal, said):
    answer(journal, given="early")
    journal.path.chmod(0o444)
    journal.path.parent.chmod(0o555)
    try:
        answer(journal, given="late")
        assert [row.given for row in journal.answers()] == ["early", "late"]
        assert len(said) == 1
    finally:
        journal.path.parent.chmod(0o755)


def test_a_file_that_cannot_be_written_is_still_read(journal, said, monkeypatch):
    answer(journal, given="early")
    connect = sqlite3.connect

    def connect_read_only(path, **options):
        if options.pop("uri", False):
            return connect(path, uri=True, **options)
        return connect(Path(path).as_uri() + "?mode=ro", uri=True, **options)

    monkeypatch.setattr(journal_module.sqlite3, "connect", connect_read_only)
    answer(journal, given="late")
    assert [row.given for row in journal.answers()] == ["early", "late"]
    assert len(said) == 1


def test_where_a_write_ahead_log_is_impossible_it_falls_back_quietly(journal, said, monkeypatch):
    class NoSharedMemory(sqlite3.Connection):
        def execute(self, sql, *parameters):
            if sql == "PRAGMA journal_mode = WAL":
                raise sqlite3.OperationalError("locking protocol")
            return super().execute(sql, *parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(
        journal_module.sqlite3, "connect", lambda *a, **options: connect(*a, factory=NoSharedMemory, **options)
    )
    answer(journal)
    assert len(journal.answers()) == 1
    assert said == []
    assert journal.problem is None


def test_trouble_goes_to_the_error_stream_by_default(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    answer(Journal(tmp_path / "file" / "progress.sqlite3"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_it_needs_nothing_but_the_standard_library():
    script = (
        "import sys, checks.learner.journal;"
        "print(sorted({'pandas', 'django', 'multiprocessing', 'platformdirs'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
