"""Whatever a cell does, the next one works, or says in one line what to do."""

import random

import pytest

from .notebook import Notebook

WRITE = "Genre.objects.create(name='Next', slug='next')\nprint(Genre.objects.filter(slug='next').count())"

LONG_SQL = """
cursor = connection.cursor()
print("running", flush=True)
cursor.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
"""


def test_a_cell_can_run_twice(notebook):
    cell = "with queries():\n    print(Book.objects.count())"
    first = notebook.run(cell)
    assert first == notebook.run(cell)
    assert (
        first.text
        == "166\n1 query\n1  SELECT COUNT(*) AS __count FROM catalog_book\n   line 2: print(Book.objects.count())\n"
    )
    assert first.stderr == ""


@pytest.mark.parametrize("seed", range(3))
def test_cells_can_run_in_any_order(notebook, seed):
    cells = [
        "start()",
        "reset()",
        "class Shelf(models.Model):\n    books = models.ManyToManyField(Book)",
        "class Shelf(models.Model):\n    room = models.IntegerField(default=1)",
        "Book.objects.update(price=1)",
        "books = Book.objects.iterator()\nbook = next(books)",
        "print(await Book.objects.acount())",
        "with queries():\n    print(Author.objects.first().books.count())",
        "with transaction.atomic():\n    Genre.objects.all().delete()",
        "cursor = connection.cursor()\ncursor.execute('BEGIN')",
    ]
    order = random.Random(seed).choices(cells, k=15)
    for cell in order:
        outputs = notebook.run(cell)
        assert outputs.stderr == "", order
    notebook.run("reset()")
    assert (
        notebook.run("print(Book.objects.filter(price__gt=1).count() > 100, Genre.objects.count())").text
        == "True 14\n"
    )


def test_an_interrupt_inside_atomic_rolls_back(notebook):
    cell = """
with transaction.atomic():
    Book.objects.update(price=1)
    print("running", flush=True)
    while True:
        pass
"""
    outputs = notebook.run_badly(cell, interrupt=True)
    assert outputs.error.startswith("KeyboardInterrupt")
    assert notebook.run("print(Book.objects.filter(price=1).count())").text == "0\n"
    assert notebook.run(WRITE).text == "1\n"


@pytest.mark.parametrize("ending", ["while True: pass", "1 / 0", "pass"], ids=["interrupted", "failed", "forgotten"])
def test_a_raw_begin_is_rolled_back_and_said(notebook, ending):
    cell = f"""
cursor = connection.cursor()
cursor.execute("BEGIN IMMEDIATE")
Book.objects.update(price=1)
print("running", flush=True)
{ending}
"""
    outputs = notebook.run_badly(cell, interrupt=ending.startswith("while"))
    assert "Rolled back: this cell left a transaction open." in outputs.text
    assert notebook.run("print(Book.objects.filter(price=1).count())").text == "0\n"
    assert notebook.run(WRITE).text == "1\n"


@pytest.mark.parametrize("opening", ["transaction.atomic().__enter__()", "transaction.set_autocommit(False)"])
def test_a_transaction_that_is_never_left_is_rolled_back_and_said(notebook, opening):
    assert "Rolled back" in notebook.run(f"block = {opening}\nBook.objects.update(price=1)").text
    assert notebook.run("print(Book.objects.filter(price=1).count())").text == "0\n"
    assert notebook.run(WRITE).text == "1\n"
    assert notebook.run("print(connection.get_autocommit(), connection.in_atomic_block)").text == "True False\n"


def test_an_unfinished_iterator_does_not_stop_the_next_cell(notebook):
    cell = """
books = Book.objects.iterator(chunk_size=1)
next(books)
print("running", flush=True)
while True:
    pass
"""
    assert notebook.run_badly(cell, interrupt=True).error.startswith("KeyboardInterrupt")
    assert notebook.run(WRITE).text == "1\n"
    assert notebook.run("reset()\ndel books\nprint(Genre.objects.count())") == notebook.run(
        "print(Genre.objects.count())"
    )


def test_long_sql_stops_at_an_interrupt(notebook):
    outputs = notebook.run_badly(LONG_SQL, interrupt=True)
    assert outputs.error.startswith("KeyboardInterrupt")
    assert notebook.run(WRITE).text == "1\n"


def test_long_sql_that_is_awaited_stops_at_an_interrupt(notebook):
    notebook.run("from asgiref.sync import sync_to_async")
    cell = "def count():\n" + LONG_SQL.replace("\n", "\n    ")
    outputs = notebook.run_badly(cell + "\nawait sync_to_async(count)()", interrupt=True)
    assert outputs.error
    assert notebook.run("print(await Book.objects.acount())").text == "166\n"
    assert notebook.run(WRITE).text == "1\n"


def test_async_cells_see_what_sync_cells_wrote_also_after_reset(notebook):
    assert notebook.run("print(await Book.objects.acount())").text == "166\n"
    notebook.run("Book.objects.filter(lines=None).delete()")
    assert notebook.run("print(await Book.objects.acount())").text == "159\n"
    notebook.run("reset()")
    assert notebook.run("print(await Book.objects.acount())").text == "166\n"
    cell = (
        "print([book.title async for book in Book.objects.filter(author__name='Homer')])\nprint(Genre.objects.count())"
    )
    assert notebook.run(cell).text == "['The Iliad', 'The Odyssey']\n14\n"
    notebook.run("await Genre.objects.acreate(name='Next', slug='next')")
    assert notebook.run("print(Genre.objects.count())").text == "15\n"


def test_queries_of_await_are_shown_with_their_line(notebook):
    outputs = notebook.run("with queries() as seen:\n    n = 1\n    await Book.objects.acount()\nprint(len(seen))")
    assert "1 query\n" in outputs.text
    assert "line 3: await Book.objects.acount()" in outputs.text
    outputs = notebook.run("with queries():\n    async for genre in Genre.objects.all():\n        pass")
    assert "line 2: async for genre in Genre.objects.all():" in outputs.text


def test_two_kernels_write_at_once_without_seeing_each_other(notebook, environment):
    with Notebook(environment) as other:
        other.run("from lab import start\nstart()\nfrom catalog.models import Book, Genre")
        writing = "for n in range(300):\n    Genre.objects.create(name=f'n{n}', slug=f'n{n}')"
        message = other.client.execute(writing)
        notebook.run(writing)
        while other.client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] != message:
            pass
        assert notebook.run("print(Genre.objects.count())").text == "314\n"
        assert other.run("print(Genre.objects.count())").text == "314\n"


def test_a_model_is_defined_changed_and_run_again(notebook):
    shelf = "class Shelf(models.Model):\n    book = models.ForeignKey(Book, models.CASCADE, related_name='shelves')"
    label = "class Label(models.Model):\n    shelf = models.ForeignKey(Shelf, models.CASCADE)"
    use = (
        "shelf = Shelf.objects.create(book=Book.objects.get(pk=1))\n"
        "label = Label.objects.create(shelf=shelf)\n"
        "print(Label.objects.get().shelf.book.shelves.count(), shelf.label_set.count())"
    )
    for cell in (shelf, label, use):
        outputs = notebook.run(cell)
    assert outputs.text == "1 1\n"
    outputs = notebook.run(shelf + "\n    room = models.IntegerField(default=7)")
    assert (outputs.text, outputs.stderr) == ("", "")
    assert notebook.run(use + "\nprint(Label.objects.filter(shelf__room=7).count())").text == "1 1\n1\n"


def test_the_query_log_does_not_grow_without_end(notebook):
    notebook.run("for n in range(1000):\n    Genre.objects.count()")
    assert notebook.run("print(len(connection.queries) <= 201)").text == "True\n"


def test_outputs_hold_nothing_that_varies(notebook, environment):
    cells = [
        "start()",
        "with queries():\n    for book in Book.objects.all()[:3]:\n        print(book.author)",
        "with queries(), transaction.atomic(), transaction.atomic():\n    Genre.objects.filter(pk=1).delete()",
        "show(Book.objects.select_related('author'), 2)",
        "explain(Book.objects.filter(published=1813))",
        "cursor = connection.cursor()\ncursor.execute('BEGIN')\nNone",
    ]
    first = [notebook.run_badly(cell) for cell in cells]
    with Notebook(environment) as other:
        other.run("from lab import explain, queries, show, start\nstart()")
        other.run("from catalog.models import Book, Genre\nfrom django.db import connection, transaction")
        assert first == [other.run_badly(cell) for cell in cells]
    for outputs in first:
        assert " at 0x" not in outputs.text + str(outputs.html)
        assert "/tmp" not in outputs.text + str(outputs.html)
