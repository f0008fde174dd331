"""When Django sends what, shown on the catalogue; and when it does not. What else the shop relies on of signals."""

import asyncio
import gc
import logging

import django
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate
from django.core import serializers
from django.core.management import call_command
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.db.models.signals import (
    class_prepared,
    m2m_changed,
    post_delete,
    post_init,
    post_migrate,
    post_save,
    pre_delete,
    pre_init,
    pre_migrate,
    pre_save,
)
from django.dispatch import Signal, receiver
from django.template import Context, Template
from django.test import override_settings
from django.test.signals import setting_changed, template_rendered
from django.test.utils import CaptureQueriesContext, isolate_apps, setup_test_environment, teardown_test_environment

from accounts.models import Campaign, User, Visit
from catalog.models import AudioBook, Author, Book, Classic, Genre, PriceChange
from orders.models import OrderLine, Stock

NAMES = {
    pre_init: "pre_init",
    post_init: "post_init",
    pre_save: "pre_save",
    post_save: "post_save",
    pre_delete: "pre_delete",
    post_delete: "post_delete",
    m2m_changed: "m2m_changed",
}


class Log:
    """What was sent while the block ran: names of signals, with what `note` makes of the rest."""

    def __init__(self, *signals, sender=None, note=None):
        self.signals, self.sender, self.note = signals, sender, note
        self.entries = []

    def __enter__(self):
        for signal in self.signals:
            signal.connect(self.receive, sender=self.sender)
        return self.entries

    def __exit__(self, *exception):
        for signal in self.signals:
            signal.disconnect(self.receive, sender=self.sender)

    def receive(self, signal, **kwargs):
        self.entries.append(self.note(**kwargs) if self.note else NAMES.get(signal, signal))


@pytest.fixture
def emma(db):
    return Book.objects.get(slug="emma")


SAVING = (pre_save, post_save)
DELETING = (pre_delete, post_delete)


class TestSent:
    def test_by_save_and_create(self, emma):
        with Log(*SAVING, sender=Stock) as log:
            emma.stock.save()
            Stock.objects.create(book=Book.objects.get(slug="herland"))
            Stock.objects.get_or_create(book=emma)
            Stock.objects.update_or_create(book=emma, defaults={"quantity": 5})
        assert log == ["pre_save", "post_save"] * 3

    def test_post_save_says_whether_the_row_is_new_and_which_fields_were_saved(self, emma):
        with Log(post_save, sender=Genre, note=lambda created, update_fields, **rest: (created, update_fields)) as log:
            genre = Genre.objects.create(name="Almanacs", slug="almanacs")
            genre.save(update_fields=["name"])
        assert log == [(True, None), (False, frozenset({"name"}))]

    def test_by_delete_of_an_instance_and_for_each_row_of_a_queryset(self, emma):
        Genre.objects.bulk_create([Genre(name="Almanacs", slug="almanacs"), Genre(name="Atlases", slug="atlases")])
        with Log(*DELETING, sender=Genre) as log:
            Genre.objects.filter(slug__in=["almanacs", "atlases"]).delete()
        assert sorted(log) == ["post_delete"] * 2 + ["pre_delete"] * 2

    def test_at_post_delete_the_row_is_gone_and_the_instance_still_has_its_key(self, db):
        genre = Genre.objects.create(name="Almanacs", slug="almanacs")
        pk = genre.pk
        with Log(
            post_delete,
            sender=Genre,
            note=lambda instance, **rest: (instance.pk, Genre.objects.filter(pk=instance.pk).exists()),
        ) as log:
            genre.delete()
        assert log == [(pk, False)]
        assert genre.pk is None

    def test_for_rows_that_a_cascade_of_django_s_takes_along(self, emma):
        with Log(*DELETING, sender=PriceChange) as log:
            book = Book.objects.get(slug="seven-brothers")
            count = book.price_changes.count()
            book.delete()
        assert sorted(log) == ["post_delete"] * count + ["pre_delete"] * count != []

    def test_for_every_instance_even_if_it_comes_from_the_database(self, db):
        with Log(pre_init, post_init, sender=Genre) as log:
            Genre(name="Almanacs")
            list(Genre.objects.all()[:2])
        assert log == ["pre_init", "post_init"] * 3

    def test_by_a_relation_before_and_after(self, emma):
        drama = Genre.objects.create(name="Almanacs", slug="almanacs")
        seen = {"note": lambda action, reverse, pk_set, **rest: (action, reverse, pk_set)}
        with Log(m2m_changed, sender=Book.genres.through, **seen) as log:
            emma.genres.add(drama)
            emma.genres.add(drama)
            drama.books.remove(emma)
            emma.genres.clear()
        assert log == [
            ("pre_add", False, {drama.pk}),
            ("post_add", False, {drama.pk}),
            # The second time nothing is added, and Django says so.
            ("pre_add", False, set()),
            ("post_add", False, set()),
            ("pre_remove", True, {emma.pk}),
            ("post_remove", True, {emma.pk}),
            ("pre_clear", False, None),
            ("post_clear", False, None),
        ]

    def test_set_is_told_as_what_it_removes_and_adds(self, emma):
        other = Genre.objects.exclude(books=emma).first()
        with Log(m2m_changed, sender=Book.genres.through, note=lambda action, **rest: action) as log:
            emma.genres.set([other])
        assert log == ["pre_remove", "post_remove", "pre_add", "post_add"]

    def test_to_receivers_of_that_very_class(self, emma):
        """Not to those of its parents, nor of what it is a proxy for."""
        recording = AudioBook.objects.first()
        with Log(post_save, sender=Book) as of_books, Log(post_save, note=lambda sender, **rest: sender) as of_all:
            recording.save()
            Classic.objects.first().save()
        assert of_books == []
        assert of_all == [AudioBook, Classic]


class TestNotSent:
    def test_by_statements_about_many_rows(self, emma):
        herland = Book.objects.get(slug="herland")
        with Log(*SAVING) as log:
            Stock.objects.filter(book=emma).update(quantity=F("quantity") - 1)
            Stock.objects.bulk_update([Stock(book=emma, quantity=7)], ["quantity"])
            Stock.objects.bulk_create([Stock(book=herland, quantity=3)])
        assert log == []
        assert list(Stock.objects.filter(book__in=[emma, herland]).values_list("quantity", flat=True)) == [7, 3]

    def test_by_a_save_that_fails(self, emma):
        with Log(*SAVING, sender=Genre) as log, pytest.raises(IntegrityError), transaction.atomic():
            Genre.objects.create(name="Crime", slug="crime")
        assert log == ["pre_save"]

    def test_for_the_rows_between_when_a_book_goes(self, emma):
        book = Book.objects.get(slug="seven-brothers")
        assert book.genres.exists()
        with Log(m2m_changed) as log:
            book.delete()
        assert log == []

    def test_for_what_the_database_deletes_by_itself(self, db):
        """On Django 6.1 the relation says DB_CASCADE; before, it says nothing, and the table does."""
        user = User.objects.create(username="newcomer")
        Visit.objects.create(user=user)
        with Log(*DELETING, note=lambda sender, **rest: sender) as log:
            user.delete()
        assert Visit not in log
        assert User in log
        # The database does it at the end of the statement.
        assert not Visit.objects.filter(user_id=user.pk).exists()

    def test_where_nobody_listens_one_statement_deletes_all(self, db):
        """A receiver is enough to make Django load the rows first, one by one."""
        campaigns = [Campaign(name=f"Offer {number}", sent_on="2026-01-01") for number in range(3)]

        def statements():
            Campaign.objects.bulk_create(campaigns)
            with CaptureQueriesContext(transaction.get_connection()) as queries:
                Campaign.objects.filter(name__startswith="Offer").delete()
            return [query["sql"].split()[0] for query in queries if query["sql"].split()[0] in {"SELECT", "DELETE"}]

        assert statements() == ["DELETE"]
        with Log(pre_delete, sender=Campaign):
            assert statements() == ["SELECT", "DELETE"]

    def test_the_shop_listens_to_no_deletion_of_what_is_deleted_by_the_thousand(self):
        for model in (OrderLine, Stock, PriceChange, Visit, Book.genres.through):
            assert not pre_delete.has_listeners(model), model
            assert not post_delete.has_listeners(model), model


def test_a_fixture_is_raw(db):
    text = serializers.serialize("json", Genre.objects.filter(slug="crime"))
    with Log(post_save, sender=Genre, note=lambda raw, **rest: raw) as log:
        for row in serializers.deserialize("json", text):
            row.save()
        Genre.objects.get(slug="crime").save()
    assert log == [True, False]


@pytest.mark.skipif(django.VERSION < (6, 1), reason="m2m_changed says `raw` since Django 6.1")
def test_a_fixture_s_relations_are_raw_too(emma):
    text = serializers.serialize("json", [emma])
    emma.genres.clear()
    with Log(m2m_changed, sender=Book.genres.through, note=lambda raw, **rest: raw) as log:
        for row in serializers.deserialize("json", text):
            row.save()
        emma.genres.clear()
    # Added as one, then cleared; each before and after.
    assert log == [True, True, False, False]


class TestOtherSignals:
    def test_a_request_begins_and_ends(self, db, client):
        with Log(request_started, request_finished, note=lambda sender, **rest: "sent") as log:
            # The client closes the response, which is the end. Closed again, it would be sent again.
            client.get("/feed/")
        assert log == ["sent", "sent"]

    def test_an_exception_that_nobody_handles(self, db, client, monkeypatch):
        monkeypatch.setattr("storefront.shelves.BestsellingShelf.__len__", lambda shelf: 1 / 0)
        client.raise_request_exception = False
        with Log(got_request_exception, note=lambda request, **rest: request.path) as log:
            assert client.get("/").status_code == 500
            assert client.get("/nowhere/").status_code == 404
        assert log == ["/"]

    def test_migrating_is_announced_for_each_app(self, db):
        with Log(pre_migrate, post_migrate, note=lambda app_config, **rest: app_config.label) as log:
            call_command("migrate", verbosity=0)
        assert log.count("catalog") == log.count("orders") == 2
        # An app without models has no part in it: a receiver with that sender would wait for ever.
        assert "storefront" not in log

    @isolate_apps("catalog")
    def test_a_class_is_ready(self):
        with Log(class_prepared, note=lambda sender, **rest: sender.__name__) as log:

            class Almanac(Genre):
                class Meta:
                    proxy = True
                    app_label = "catalog"

            class Draft(models.Model):
                class Meta:
                    abstract = True
                    app_label = "catalog"

        # An abstract one is not a class of which there are rows.
        assert log == ["Almanac"]

    def test_a_setting_is_changed_and_put_back(self):
        changed = override_settings(SHELF=3)
        with Log(setting_changed, note=lambda setting, value, enter, **rest: (setting, value, enter)) as log:
            changed.enable()
            changed.disable()
        assert log == [("SHELF", 3, True), ("SHELF", None, False)]

    def test_a_template_is_rendered_by_a_test(self, db, client):
        with Log(template_rendered, note=lambda template, **rest: template.name) as log:
            client.get("/books/seven-brothers/")
        assert log[:2] == ["storefront/book.html", "storefront/base.html"]

    def test_and_only_by_a_test(self):
        with Log(template_rendered) as log:
            teardown_test_environment()
            try:
                Template("text").render(Context())
            finally:
                setup_test_environment(debug=False)
        assert log == []

    def test_somebody_came_or_was_refused(self, db):
        from django.contrib.auth.signals import user_login_failed

        with Log(user_login_failed, note=lambda credentials, **rest: credentials) as log:
            assert authenticate(username="anna", password="guess") is None
        # The password is not handed on.
        assert log == [{"username": "anna", "password": "*" * 20}]


class TestReceivers:
    def test_a_failing_receiver_fails_the_sender(self, db):
        def fail(**kwargs):
            raise LookupError

        post_save.connect(fail, sender=Genre)
        try:
            with pytest.raises(LookupError), transaction.atomic():
                Genre.objects.create(name="Almanacs", slug="almanacs")
        finally:
            post_save.disconnect(fail, sender=Genre)
        assert not Genre.objects.filter(slug="almanacs").exists()

    def test_a_robust_send_goes_on_and_logs(self, caplog):
        signal, heard = Signal(), []

        def fail(**kwargs):
            raise LookupError("out of ink")

        def hear(sender, **kwargs):
            heard.append(sender)
            return "heard"

        signal.connect(fail)
        signal.connect(hear)
        with caplog.at_level(logging.ERROR, logger="django.dispatch"):
            answers = signal.send_robust("shop")
        assert heard == ["shop"]
        assert [type(answer) for _, answer in answers] == [LookupError, str]
        assert "out of ink" in caplog.text
        with pytest.raises(LookupError):
            signal.send("shop")

    def test_a_function_that_nobody_holds_is_forgotten(self):
        """With DEBUG, Django looks at its signature and remembers that, and so the function, for a while."""
        signal, heard = Signal(), []

        def connect(**how):
            signal.connect(lambda **kwargs: heard.append(1), **how)

        connect()
        gc.collect()
        signal.send(None)
        assert heard == []
        connect(weak=False)
        gc.collect()
        signal.send(None)
        assert heard == [1]

    def test_under_debug_that_stays_unnoticed(self, settings):
        settings.DEBUG = True
        signal, heard = Signal(), []
        signal.connect(lambda **kwargs: heard.append(1))
        gc.collect()
        signal.send(None)
        assert heard == [1]

    def test_so_is_a_method_with_its_object(self):
        class Listener:
            heard = 0

            def hear(self, **kwargs):
                Listener.heard += 1

        signal = Signal()
        signal.connect(Listener().hear)
        gc.collect()
        signal.send(None)
        assert Listener.heard == 0

    def test_connected_twice_it_is_called_twice_unless_it_has_a_name(self):
        signal, heard = Signal(), []

        def connect(**how):
            # A new function each time, as when a module is imported under two names.
            def hear(**kwargs):
                heard.append(1)

            signal.connect(hear, weak=False, **how)

        connect()
        connect()
        signal.send(None)
        assert heard == [1, 1]

        signal, heard[:] = Signal(), []
        connect(dispatch_uid="hear")
        connect(dispatch_uid="hear")
        signal.send(None)
        assert heard == [1]

    def test_saving_in_post_save_begins_again(self, db):
        depth = []

        @receiver(post_save, sender=Genre)
        def save_again(instance, **kwargs):
            depth.append(1)
            if len(depth) < 5:
                instance.save()

        try:
            Genre.objects.create(name="Almanacs", slug="almanacs")
        finally:
            post_save.disconnect(save_again, sender=Genre)
        assert len(depth) == 5

    def test_what_was_rolled_back_was_sent_all_the_same(self, db):
        with Log(post_save, sender=Genre) as log, transaction.atomic():
            Genre.objects.create(name="Almanacs", slug="almanacs")
            transaction.set_rollback(True)
        assert log == ["post_save"]
        assert not Genre.objects.filter(slug="almanacs").exists()


class TestAsync:
    """https://docs.djangoproject.com/en/stable/topics/signals/#asynchronous-receivers"""

    @staticmethod
    def signal(heard):
        signal = Signal()

        async def hear_later(**kwargs):
            await asyncio.sleep(0)
            heard.append("async")

        def hear(**kwargs):
            heard.append("sync")

        signal.connect(hear_later, weak=False)
        signal.connect(hear, weak=False)
        return signal

    def test_both_kinds_hear_both_kinds_of_sending(self):
        heard = []
        signal = self.signal(heard)
        signal.send(None)
        # First those that need no event loop.
        assert heard == ["sync", "async"]
        asyncio.run(signal.asend(None))
        assert sorted(heard[2:]) == ["async", "sync"]

    def test_inside_a_running_loop_send_cannot_wait_for_an_async_receiver(self):
        heard = []
        signal = self.signal(heard)

        async def view():
            with pytest.raises(RuntimeError, match="async event loop"):
                signal.send(None)
            await signal.asend(None)
            await sync_to_async(signal.send)(None)

        asyncio.run(view())
        assert heard.count("async") == 2

    def test_a_robust_send_tells_which_failed(self, caplog):
        signal = Signal()

        async def fail(**kwargs):
            raise LookupError

        signal.connect(fail)
        [(_, answer)] = asyncio.run(signal.asend_robust(None))
        assert isinstance(answer, LookupError)
        assert "LookupError" in caplog.text

    def test_those_that_wait_wait_together(self):
        signal, met = Signal(), []

        async def main():
            both = asyncio.Barrier(2)

            def waiting(name):
                async def wait(**kwargs):
                    async with asyncio.timeout(20):
                        await both.wait()
                    met.append(name)

                return wait

            signal.connect(waiting("one"), weak=False)
            signal.connect(waiting("other"), weak=False)
            await signal.asend(None)

        asyncio.run(main())
        assert sorted(met) == ["one", "other"]


def test_the_author_s_name_is_kept_in_step_without_a_signal(db):
    """Where it is one's own model, overriding `save()` is plainer than a receiver: it can be found."""
    author = Author.objects.get(slug="jane-austen")
    author.name = "Jane Bennet"
    author.save()
    assert author.sort_name.startswith("Bennet")
