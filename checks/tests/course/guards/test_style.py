import pytest

from checks.course.guards import style

CELL = "# %%\nprint(2)\n"


def assigned(lines):
    return "\n".join(f"value_{number} = {number}" for number in range(lines))


@pytest.mark.parametrize(("lines", "level"), [(8, None), (9, "warning"), (15, "warning"), (16, "error")])
def test_long_code(bench, lines, level):
    bench.replace(bench.lesson, CELL, f"# %%\n{assigned(lines)}\n")
    bench.rebuild()
    levels = [finding.partition(":")[0] for finding in bench.findings(style.rhythm)]
    assert levels == ([level] if level else [])


@pytest.mark.parametrize(("lines", "level"), [(10, None), (11, "warning"), (16, "error")])
def test_long_output(bench, lines, level):
    bench.show("line\n" * lines)
    levels = [finding.partition(":")[0] for finding in bench.findings(style.rhythm)]
    assert levels == ([level] if level else [])


@pytest.mark.parametrize(("count", "level"), [(60, None), (61, "warning"), (121, "error")])
def test_long_prose(bench, count, level):
    bench.replace(bench.lesson, "# **See it.** Three numbers:", "# **See it.** " + "word " * (count - 2))
    bench.rebuild()
    levels = [finding.partition(":")[0] for finding in bench.findings(style.rhythm)]
    assert levels == ([level] if level else [])


def test_imports_are_not_read_line_by_line(bench):
    imports = "\n".join(f"from django.db.models import name_{number}" for number in range(20))
    bench.replace(bench.lesson, CELL, f"# %%\nimport os\n{imports}\nprint(2)\n")
    bench.rebuild()
    assert bench.findings(style.rhythm) == []


def test_a_reason_excuses_length(bench):
    bench.replace(bench.lesson, CELL, f'# %% reason="a whole settings file"\n{assigned(30)}\n')
    bench.rebuild()
    assert bench.findings(style.rhythm) == []


def test_headings_tables_and_the_spoken_answer_are_not_prose():
    markdown = "## Q64 · One\n\n*Basic · asked as A5*\n\n**Say it.** Two three.\n\nFour.\n\n| five | six |\n"
    assert style.prose(markdown).split() == ["Four."]


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("from os import *", "imports everything from os"),
        ("first = 1; second = 2", "has a semicolon in line 1"),
        ("def broken(:", "is not Python"),
        ("!ls", "is not Python"),
    ],
)
def test_code_nobody_would_commit(bench, code, finding):
    bench.replace(bench.lesson, "print(2)", code)
    assert finding in bench.findings(style.code)[0]


def test_the_code_of_exercises_is_read_too(bench):
    bench.replace(bench.exercises, "    return 1\n", "    return 1;\n")
    assert "exercises/source/25_deployment.py" in bench.findings(style.code)[0]


def test_await_and_a_semicolon_in_text_are_fine(bench):
    bench.replace(bench.lesson, "print(2)", 'await page("a; b")')
    assert bench.findings(style.code) == []
