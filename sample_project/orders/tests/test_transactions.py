"""What the shop relies on: blocks inside blocks, and what happens after the last of them. On both databases."""

import pytest
from django.db import IntegrityError, connection, transaction

from catalog.models import Genre
from orders.isolation import Isolation, isolate

pytestmark = pytest.mark.usefixtures("real_database")


class Failure(Exception):
    pass


def add(name):
    return Genre.objects.create(name=name, slug=name.lower())


def names():
    return set(Genre.objects.filter(name__in=["Noir", "Pulp"]).values_list("name", flat=True))


def add_and_fail(name, after=None):
    with transaction.atomic():
        add(name)
        if after:
            transaction.on_commit(after)
        raise Failure


def test_a_block_that_fails_leaves_nothing():
    with pytest.raises(Failure):
        add_and_fail("Noir")
    assert names() == set()


def test_an_inner_block_is_a_savepoint_and_fails_alone():
    with transaction.atomic():
        add("Noir")
        with pytest.raises(Failure):
            add_and_fail("Pulp")
    assert names() == {"Noir"}


def test_an_error_of_the_database_is_caught_around_a_block():
    with transaction.atomic():
        add("Noir")
        with pytest.raises(IntegrityError), transaction.atomic():
            add("Noir")
        # The savepoint took the error away with it.
        add("Pulp")
    assert names() == {"Noir", "Pulp"}


def test_and_not_inside_of_it():
    def go_on_regardless():
        with transaction.atomic():
            add("Noir")
            with pytest.raises(IntegrityError):
                add("Noir")
            names()

    # SQLite would go on. Django allows it on neither, since PostgreSQL would not.
    with pytest.raises(transaction.TransactionManagementError, match="until the end of the 'atomic' block"):
        go_on_regardless()
    assert names() == set()


def test_without_a_savepoint_the_outer_block_is_lost():
    def swallow():
        with transaction.atomic():
            add("Noir")
            with pytest.raises(Failure), transaction.atomic(savepoint=False):
                raise Failure
            names()

    with pytest.raises(transaction.TransactionManagementError, match="until the end of the 'atomic' block"):
        swallow()
    assert names() == set()


def test_a_durable_block_is_the_outermost_one_or_an_error():
    with transaction.atomic(durable=True):
        add("Noir")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), transaction.atomic(durable=True):
        pass
    assert names() == {"Noir"}


class TestOnCommit:
    def test_comes_after_the_outermost_block_and_sees_the_rows_committed(self):
        told = []
        with transaction.atomic():
            with transaction.atomic():
                transaction.on_commit(lambda: told.append(connection.in_atomic_block))
            assert told == []
        assert told == [False]

    def test_comes_at_once_where_there_is_no_block(self):
        told = []
        transaction.on_commit(lambda: told.append("at once"))
        assert told == ["at once"]

    def test_goes_with_the_savepoint_that_it_belongs_to(self):
        told = []
        with transaction.atomic():
            with pytest.raises(Failure):
                add_and_fail("Pulp", after=lambda: told.append("inner"))
            transaction.on_commit(lambda: told.append("outer"))
        assert told == ["outer"]

    @pytest.mark.parametrize("robust", [False, True])
    def test_of_several_a_failing_one_stops_the_others_unless_it_is_robust(self, robust):
        told = []

        def fail():
            raise Failure

        def commit():
            with transaction.atomic():
                add("Noir")
                transaction.on_commit(fail, robust=robust)
                transaction.on_commit(lambda: told.append("next"))

        if robust:
            commit()
        else:
            with pytest.raises(Failure):
                commit()
        assert told == (["next"] if robust else [])
        # Either way it is too late to undo anything.
        assert names() == {"Noir"}


def test_sqlite_needs_no_isolation_level(real_database):
    with transaction.atomic():
        isolate(Isolation.SERIALIZABLE)
        add("Noir")
    assert names() == {"Noir"}
