"""An error in a cell shows the learner's lines and the last word."""

import pytest

from lab.tracebacks import short


def shown(notebook, code):
    """The traceback lines that the kernel sends for a cell."""
    return notebook.run_badly(code).traceback


def test_only_lines_of_cells_are_shown(notebook):
    notebook.run("def find(slug):\n    return Book.objects.get(slug=slug)")
    lines = shown(notebook, "print('first')\nfind('no-such-book')")
    assert lines == [
        "line 2: find('no-such-book')",
        "line 2: return Book.objects.get(slug=slug)",
        "\x1b[31mBook.DoesNotExist\x1b[39m: Book matching query does not exist.",
        "The whole traceback: %tb",
    ]


def test_the_whole_traceback_is_one_command_away(notebook):
    notebook.run_badly("Book.objects.get(pk='abc')")
    assert any("get_prep_value" in line for line in shown(notebook, "%tb"))


def test_a_cell_run_twice_is_told_what_helps(notebook):
    cell = "Genre.objects.create(name='Twice', slug='twice')"
    notebook.run(cell)
    assert "reset()" in shown(notebook, cell)[-2]


def test_a_syntax_error_keeps_its_place():
    try:
        compile("for", "cell", "exec")
    except SyntaxError as error:
        lines = short(type(error), error, error.__traceback__)
    assert "invalid syntax" in lines[-1]


def test_an_interrupt_is_no_error_of_the_learners():
    with pytest.raises(KeyboardInterrupt) as caught:
        raise KeyboardInterrupt
    assert short(caught.type, caught.value, caught.tb) == ["Stopped."]
