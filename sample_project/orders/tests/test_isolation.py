"""What a transaction notices of another one, on PostgreSQL. The other runs in a thread, at a moment of our choice."""

from datetime import date
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, OperationalError, connection, connections, transaction
from django.db.models import F

from accounts.models import User
from orders.checkout import place_order
from orders.exceptions import OutOfStock, Overpaid
from orders.isolation import Isolation, isolate
from orders.models import Order, OrderLine, Payment, Stock
from orders.payments import due
from orders.retries import DEADLOCK_DETECTED, SERIALIZATION_FAILURE, retried

from .conftest import PATIENCE

EMMA, PERSUASION = 4, 6
LOCK_NOT_AVAILABLE = "55P03"

pytestmark = pytest.mark.usefixtures("on_postgresql")


def copies():
    return Stock.objects.get(pk=EMMA).quantity


def sell():
    Stock.objects.filter(pk=EMMA).update(quantity=F("quantity") - 1)


def state(error):
    return error.__cause__.sqlstate


@pytest.fixture
def meanwhile(crowd):
    """Let another connection do something, and wait until it has: the result, or the error."""
    return lambda function: crowd(function)[0]


@pytest.mark.parametrize(
    ("level", "noticed"),
    [(None, 1), (Isolation.READ_COMMITTED, 1), (Isolation.REPEATABLE_READ, 0), (Isolation.SERIALIZABLE, 0)],
)
def test_what_others_commit_shows_under_read_committed_alone(meanwhile, level, noticed):
    with transaction.atomic():
        if level:
            isolate(level)
        before = copies()
        meanwhile(sell)
        assert before - copies() == noticed


def test_a_level_has_to_be_chosen_before_anything_is_read():
    def choose_late():
        with transaction.atomic():
            copies()
            isolate(Isolation.SERIALIZABLE)

    with pytest.raises(Exception, match="must be called before any query"):
        choose_late()


def test_under_repeatable_read_the_second_of_two_updates_is_given_up(meanwhile):
    def sell_late():
        with transaction.atomic():
            isolate(Isolation.REPEATABLE_READ)
            copies()
            meanwhile(sell)
            sell()

    before = copies()
    with pytest.raises(OperationalError) as conflict:
        sell_late()
    assert state(conflict.value) == SERIALIZATION_FAILURE
    assert copies() == before - 1


def test_done_again_it_succeeds(meanwhile):
    others = [sell, sell]

    @retried(isolation=Isolation.REPEATABLE_READ, sleep=lambda seconds: None)
    def sell_late():
        seen = copies()
        if others:
            meanwhile(others.pop())
        sell()
        return seen - 1

    before = copies()
    assert sell_late() == copies() == before - 3


@pytest.mark.parametrize("level", [Isolation.REPEATABLE_READ, Isolation.SERIALIZABLE])
def test_the_checkout_sells_exactly_the_stock_under_every_level(crowd, level):
    Stock.objects.filter(pk=EMMA).update(quantity=3)
    customers = User.objects.bulk_create(User(username=f"racer{number}") for number in range(4))
    # Who is given up starts again as often as it takes: each time, somebody else has bought.
    patient = retried(isolation=level, attempts=50)
    results = crowd(*[partial(patient(place_order), customer, {EMMA: 1}) for customer in customers])
    assert len([result for result in results if isinstance(result, Order)]) == 3
    assert [type(result) for result in results if not isinstance(result, Order)] == [OutOfStock]
    assert copies() == 0


class TestWriteSkew:
    """Two payments that are right each by itself, and wrong together: no row is written twice."""

    @pytest.fixture
    def order(self):
        order = Order.objects.create(number="skew", customer_id=1, placed_at="2026-07-01T12:00Z")
        OrderLine.objects.create(order=order, book_id=EMMA, unit_price=10)
        return order

    @staticmethod
    def payment(order, level, before_writing=None):
        @retried(isolation=level, sleep=lambda seconds: None)
        def pay():
            still_due = due(order)
            if still_due < 10:
                raise Overpaid(order, Decimal(10), still_due)
            if before_writing:
                before_writing()
            return Payment.objects.create(order=order, amount=10, received_on=date(2026, 7, 1))

        return pay

    @pytest.mark.parametrize("level", [Isolation.READ_COMMITTED, Isolation.REPEATABLE_READ])
    def test_goes_unnoticed_below_serializable(self, meanwhile, order, level):
        self.payment(order, level, lambda: meanwhile(self.payment(order, level)))()
        assert due(order) == -10

    def test_is_found_by_serializable(self, meanwhile, order):
        level = Isolation.SERIALIZABLE
        others = [self.payment(order, level)]
        with pytest.raises(Overpaid):
            self.payment(order, level, lambda: others and meanwhile(others.pop()))()
        assert due(order) == 0


class TestLocks:
    def test_nowait_is_an_error_at_once(self, meanwhile):
        def take():
            with transaction.atomic():
                Stock.objects.select_for_update(nowait=True).get(pk=EMMA)

        with transaction.atomic():
            Stock.objects.select_for_update().get(pk=EMMA)
            assert state(meanwhile(take)) == LOCK_NOT_AVAILABLE
        assert meanwhile(take) is None

    def test_a_lock_is_no_hindrance_to_who_reads(self, meanwhile):
        with transaction.atomic():
            Stock.objects.select_for_update().get(pk=EMMA)
            assert isinstance(meanwhile(copies), int)

    @pytest.mark.parametrize(("of", "free"), [((), False), (("self",), True), (("self", "customer"), False)])
    def test_of_says_which_of_the_joined_rows(self, meanwhile, of, free):
        def take_customer():
            with transaction.atomic():
                return User.objects.select_for_update(nowait=True).get(pk=1).pk

        with transaction.atomic():
            Order.objects.filter(customer=1).select_related("customer").select_for_update(of=of).first()
            assert (meanwhile(take_customer) == 1) is free

    @pytest.mark.parametrize("no_key", [False, True])
    def test_no_key_lets_others_refer_to_the_row(self, meanwhile, no_key):
        def add_line():
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '50ms'")
                return OrderLine.objects.create(order_id=1234, book_id=EMMA, unit_price=10)

        with transaction.atomic():
            Order.objects.select_for_update(no_key=no_key).get(pk=1234)
            assert isinstance(meanwhile(add_line), OrderLine) is no_key

    def test_outside_of_a_transaction_there_is_nothing_to_hold_a_lock(self):
        with pytest.raises(transaction.TransactionManagementError, match="cannot be used outside of a transaction"):
            Stock.objects.select_for_update().first()


def test_who_wait_for_each_other_are_told_apart_and_one_is_done_again(crowd):
    both_hold_one = Barrier(2)
    attempts, conflicts = [], []

    def take(first, second):
        @retried(sleep=lambda seconds: None)
        def run():
            attempts.append(first)
            Stock.objects.select_for_update().get(pk=first)
            if len(attempts) <= 2:
                both_hold_one.wait(PATIENCE)
            try:
                return Stock.objects.select_for_update().get(pk=second).pk
            except OperationalError as error:
                conflicts.append(state(error))
                raise

        return run

    assert crowd(take(EMMA, PERSUASION), take(PERSUASION, EMMA)) == [PERSUASION, EMMA]
    # Mostly one: who is done again at once may overtake the one who waited.
    assert set(conflicts) == {DEADLOCK_DETECTED}
    assert len(attempts) == 2 + len(conflicts)


def test_another_database_says_that_it_has_no_such_thing(monkeypatch):
    monkeypatch.setitem(vars(connections[DEFAULT_DB_ALIAS]), "vendor", "mysql")
    with pytest.raises(NotSupportedError, match="cannot set the isolation level"):
        isolate(Isolation.SERIALIZABLE)
