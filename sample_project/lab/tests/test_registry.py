"""Models defined in cells. Each script is what several cells would be, run in one process with warnings as errors."""

import pytest

BEGINNING = """
from lab import reset, start
start()
from catalog.models import Author, Book
from django.db import IntegrityError, models, transaction
"""


@pytest.fixture
def cells(python):
    def run(*cells):
        return python(BEGINNING + "\n".join(cells)).removeprefix("The bookshop is ready.\n")

    return run


SHELF = """
class Shelf(models.Model):
    name = models.CharField(max_length=20)
    best = models.ForeignKey(Book, models.CASCADE, null=True, related_name="best_of")
    books = models.ManyToManyField(Book)
"""
WITH_ROOM = SHELF + "    room = models.IntegerField(default=3)\n"
LABEL = """
class Label(models.Model):
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="labels")
    shelves = models.ManyToManyField(Shelf, related_name="more_labels")
"""
USE = """
book = Book.objects.get(pk=1)
shelf = Shelf.objects.create(name="A", best=book)
shelf.books.add(book)
label = Label.objects.create(shelf=shelf)
label.shelves.add(shelf)
print(shelf.labels.count(), shelf.more_labels.count(), book.best_of.count(), book.shelf_set.count())
"""


def test_a_model_needs_no_app_label(cells):
    assert cells(SHELF, "print(Shelf._meta.label, Shelf._meta.db_table)") == "lab.Shelf lab_shelf\n"


def test_a_model_may_name_the_app(cells):
    named = "class Shelf(models.Model):\n    class Meta:\n        app_label = 'lab'\n"
    assert cells(named, named, "print(Shelf.objects.create().pk)") == "1\n"


def test_a_changed_model_has_its_new_column_and_an_empty_table(cells):
    assert (
        cells(SHELF, "Shelf.objects.create()", WITH_ROOM, "print(Shelf.objects.count(), Shelf.objects.create().room)")
        == "0 3\n"
    )


def test_relations_work_from_every_side_after_a_change(cells):
    room = """
label = Label.objects.get(shelf__room=3, shelves__room=3)
print(label.shelf.room, Book.objects.get(best_of__room=3).pk)
"""
    assert cells(SHELF, LABEL, USE, WITH_ROOM, USE, room) == "1 1 1 1\n1 1 1 1\n3 1\n"


def test_what_a_relation_added_to_the_bookshop_goes_with_it(cells):
    changed = "class Shelf(models.Model):\n    pass\n"
    look = """
print(hasattr(Book, 'best_of'), hasattr(Book, 'shelf_set'))
print([relation.name for relation in Book._meta.related_objects if relation.related_model._meta.app_label == "lab"])
"""
    assert cells(SHELF, changed, look, "Book.objects.never_ordered().first().delete()") == "False False\n[]\n"


def test_a_model_may_come_back_after_its_cell_failed(cells):
    failing = """
try:
    class Shelf(models.Model):
        best = models.ForeignKey(Book, models.CASCADE, related_name="best_of")
        class Meta:
            nonsense = True
except TypeError as error:
    print(error)
"""
    printed = cells(SHELF, LABEL, USE, failing, SHELF, USE)
    assert printed == "1 1 1 1\n'class Meta' got invalid attribute(s): nonsense\n1 1 1 1\n"


def test_a_relation_to_a_later_model_waits_and_says_so(cells):
    early = "class Label(models.Model):\n    shelf = models.ForeignKey('Shelf', models.CASCADE)"
    use = "print(Label.objects.create(shelf=Shelf.objects.create()).shelf_id)"
    assert cells(early, SHELF, use) == "Label has no table until Shelf is defined, which its field shelf names.\n1\n"


def test_a_model_with_heirs_asks_for_their_cells(cells):
    heir = "class Cupboard(Shelf):\n    doors = models.IntegerField(default=2)\n"
    printed = cells(
        SHELF, heir, WITH_ROOM, heir, "cupboard = Cupboard.objects.create()\nprint(cupboard.room, cupboard.doors)"
    )
    assert printed == "Cupboard inherits from the Shelf of before: run its cell again.\n3 2\n"


def test_an_heir_and_a_proxy_of_the_bookshop_can_run_again(cells):
    models = """
class AudioBook(Book):
    minutes = models.IntegerField(default=60)
class CheapBook(Book):
    class Meta:
        proxy = True
"""
    use = """
book = AudioBook.objects.create(title="x", slug="x", author_id=1, price=1)
print(CheapBook.objects.count() - 1, book.book_ptr.audiobook)
"""
    assert cells(models, models, use) == "166 x\n"


def test_an_explicit_through_model_can_change(cells):
    shelf = """
class Shelf(models.Model):
    books = models.ManyToManyField(Book, through="Place")
"""
    place = """
class Place(models.Model):
    shelf = models.ForeignKey(Shelf, models.CASCADE)
    book = models.ForeignKey(Book, models.CASCADE)
"""
    use = """
place = Place.objects.create(shelf=Shelf.objects.create(), book_id=1)
print(place.shelf.books.count(), place.book.shelf_set.count())
"""
    printed = cells(shelf, place, use, place + "    number = models.IntegerField(default=1)\n", use, shelf, use)
    assert printed.splitlines()[-3:] == ["1 1", "1 1", "1 1"]


def test_tables_come_back_empty_with_reset(cells):
    assert cells(SHELF, LABEL, USE, "reset()", "print(Shelf.objects.count())", USE) == "1 1 1 1\n0\n1 1 1 1\n"


def test_an_unfinished_iterator_does_not_lock_the_table(cells):
    fill = (
        "Shelf.objects.create()\nShelf.objects.create()\nshelves = Shelf.objects.iterator(chunk_size=1)\nnext(shelves)"
    )
    assert cells(SHELF, fill, WITH_ROOM, "print(Shelf.objects.count())\ndel shelves") == "0\n"


def test_inside_atomic_a_model_is_refused_with_the_remedy(cells):
    inside = """
try:
    with transaction.atomic():
        class Shelf(models.Model):
            pass
except RuntimeError as error:
    print(error)
"""
    printed = cells(inside, SHELF, "print(Shelf.objects.count())")
    assert printed == "A model gets its table outside of transactions: define it before atomic() begins.\n0\n"


def test_an_abstract_model_is_left_to_django(cells):
    abstract = (
        "class Dated(models.Model):\n    day = models.DateField(null=True)\n    class Meta:\n        abstract = True\n"
    )
    assert cells(abstract, "class Note(Dated):\n    pass\n", "print(Note.objects.create().day)") == "None\n"


def test_all_models_of_the_notebook_can_be_forgotten(python):
    script = (
        "from lab import start\nstart()\nfrom django.db import models\nfrom catalog.models import Genre\n"
        "class Shelf(models.Model):\n    genres = models.ManyToManyField(Genre)\n"
        "    class Meta:\n        app_label = 'lab'\n"
        "from lab.registry import forget_models\nforget_models()\n"
        "from django.apps import apps\nprint(list(apps.get_app_config('lab').get_models()))\n"
        "from lab import reset\nreset()\nprint(Genre.objects.filter(name='Cookery').delete()[0])"
    )
    assert python(script) == "The bookshop is ready.\n[]\n1\n"
