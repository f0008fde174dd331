"""A transaction that the database gave up is done again, if that may help."""

import pytest
from django.db import IntegrityError, OperationalError, transaction

from catalog.models import Genre
from orders.retries import is_conflict, retried


class StateError(Exception):
    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


def operational_error(sqlstate=None, text="something"):
    error = OperationalError(text)
    error.__cause__ = StateError(sqlstate) if sqlstate else None
    return error


CONFLICT = operational_error("40001")


class Work:
    """Fails so many times, and then says how often it was tried."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.tries = 0

    def __call__(self):
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.tries


@pytest.mark.parametrize(
    ("error", "may_help"),
    [
        (operational_error("40001"), True),
        (operational_error("40P01"), True),
        (operational_error(text="database is locked"), True),
        (operational_error("57014"), False),
        (operational_error(text="no such table"), False),
        (IntegrityError("database is locked"), False),
        (ValueError(), False),
    ],
)
def test_what_may_help(error, may_help):
    assert is_conflict(error) is may_help


@pytest.mark.usefixtures("on_sqlite_file")
class TestRetried:
    def test_it_is_done_again_after_pauses_that_double(self):
        pauses = []
        work = Work(CONFLICT, CONFLICT, CONFLICT)
        assert retried(work, first_pause=1, sleep=pauses.append, draw=lambda: 0.5)() == 4
        assert pauses == [0.5, 1, 2]

    def test_it_gives_up_after_so_many_attempts(self):
        work = Work(*[CONFLICT] * 9)
        with pytest.raises(OperationalError):
            retried(work, attempts=3, sleep=lambda seconds: None)()
        assert work.tries == 3

    @pytest.mark.parametrize("error", [operational_error("57014"), ValueError(), IntegrityError()])
    def test_what_would_fail_again_is_not_done_again(self, error):
        work = Work(error)
        with pytest.raises(type(error)):
            retried(work, sleep=lambda seconds: None)()
        assert work.tries == 1

    def test_each_attempt_begins_with_nothing_of_the_one_before(self):
        errors = [CONFLICT]

        @retried(sleep=lambda seconds: None)
        def add():
            Genre.objects.create(name="Nonsense", slug="nonsense")
            if errors:
                raise errors.pop()

        add()
        assert Genre.objects.filter(name="Nonsense").count() == 1

    def test_it_has_to_be_the_outermost_block(self):
        work = Work()
        with pytest.raises(RuntimeError, match="durable atomic block cannot be nested"), transaction.atomic():
            retried(work)()
        assert work.tries == 0

    def test_it_hands_on_arguments_and_keeps_its_name(self):
        @retried(attempts=2)
        def name_genre(name, *, slug):
            """Say it."""
            return f"{name}, {slug}"

        assert name_genre("Gothic", slug="gothic") == "Gothic, gothic"
        assert (name_genre.__name__, name_genre.__doc__) == ("name_genre", "Say it.")


def test_in_the_transaction_of_a_test_nothing_is_done_again(db):
    work = Work(CONFLICT)
    with pytest.raises(OperationalError):
        retried(work, sleep=lambda seconds: None)()
    assert work.tries == 1
