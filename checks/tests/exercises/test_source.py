import shutil
from pathlib import Path

import jupytext
import nbformat
import pytest

from checks.exercises import source
from checks.exercises.source import SourceError, UnknownExercise, find, findings, learner_cells, load, parse

SAMPLE = Path(__file__).parent / "sample"
SOURCE = SAMPLE / "91_sample.py"

SMALL = """# %%
from catalog.models import Book

start()

# %% [markdown] exercise="91.1"
# ### 91.1 A title
#
# Do it.

# %% exercise="91.1" role="answer" budget=1
def books():
    first = 1
    # solution
    return Book.objects.all()
    # end


check("91.1")

# %% exercise="91.1" role="mistake" says="No."
def books():
    return None
"""


def small(text=SMALL, name="91_sample.py"):
    return parse(text, Path(name))


def test_an_exercise_holds_what_its_cells_say():
    exercise = load("91.3", SAMPLE)["91.3"]
    assert exercise.title == "With an argument"
    assert exercise.prompt.startswith("### 91.3 With an argument\n\nReturn the titles")
    assert exercise.calls == (("Jane Austen",), ("Émile Zola",), ("Nobody",))
    assert exercise.entries == ("titles",)
    assert exercise.alternatives[0].note == "From the author, when you have one."
    assert [mistake.says for mistake in exercise.mistakes][1] == "You ignore the name."
    assert exercise.hints == ("Cross the relation.",)
    assert (exercise.ordered, exercise.budget, exercise.datasets, exercise.seconds) == (
        False,
        None,
        ("shop", "edge"),
        5.0,
    )
    assert exercise.chapter == 91


def test_the_namespace_of_an_answer_has_the_imports_of_the_first_cell_and_nothing_else():
    assert small().exercises[0].setup == "from catalog.models import Book"


def test_the_stub_has_dots_where_the_solution_was():
    exercise = small().exercises[0]
    assert exercise.stub == 'def books():\n    first = 1\n    ...\n\n\ncheck("91.1")'
    assert exercise.solution == "def books():\n    first = 1\n    return Book.objects.all()"


def test_the_reader_agrees_with_jupytext():
    ours = list(source._cells(SOURCE.read_text(encoding="utf-8"), SOURCE))
    theirs = jupytext.read(SOURCE, fmt="py:percent").cells
    assert [(cell.kind, cell.text) for cell in ours] == [(cell.cell_type, cell.source) for cell in theirs]
    ignored = {"lines_to_next_cell"}
    assert [cell.metadata for cell in ours] == [
        {key: value for key, value in cell.metadata.items() if key not in ignored} for cell in theirs
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role="mistake"', 'role="mistaken"', "line 21, exercise 91.1, field role: 'mistaken' is none of"),
        (' says="No."', "", "line 21, exercise 91.1, field says: is missing"),
        ("    # solution\n", "", '"# end" without "# solution"'),
        ("    # solution\n    return Book.objects.all()\n    # end\n", "    pass\n", '"# solution" is missing'),
        ("    # end\n", "", '"# end" is missing'),
        ('exercise="91.1"', 'exercise="92.1"', "exercise 92.1, field exercise: the id is not one"),
        ('exercise="91.1"', 'exercise="one"', "exercise one, field exercise: an id is chapter and number"),
        ("budget=1", 'budget="one"', "field budget: 'one' is not a number of queries"),
        ("budget=1", "budget=true", "field budget: True is not"),
        ("budget=1", "budget=-1", "field budget: a budget is not negative"),
        ("budget=1", "budget=one", "line 11, field budget: the value is not JSON"),
        ("budget=1", "ordered=1", "field ordered: 1 is not true or false"),
        ("budget=1", "seconds=0", "field seconds: between 0 and 60"),
        ("budget=1", "calls=[1]", "field calls: each call is a list"),
        ("budget=1", "calls=[]", "field calls: an empty list checks nothing"),
        ("budget=1", 'datasets=["shops"]', "field datasets: shops: there are shop, edge, empty"),
        ("budget=1", "budgets=1", "field budgets: unknown here"),
        ('check("91.1")', 'check("91.2")', 'the answer cell ends with check("91.1")'),
        ("# ### 91.1 A title", "# A title", 'the prompt begins with "### 91.1 Title"'),
        ("    return None", "    return None)", "line 23, exercise 91.1: not Python"),
        ("    return None", "    return None\n\n\n# %%\nprint()", "line 26: a second code cell without an exercise"),
        ("def books():\n    return None", "def book():\n    return None", "the mistake does not define books"),
        ("def books():\n    first", "def books(): pass\ndef more():\n    first", "with several names a check cell"),
    ],
)
def test_an_error_names_file_line_exercise_and_field(old, new, said):
    assert old in SMALL
    with pytest.raises(SourceError) as caught:
        small(SMALL.replace(old, new))
    assert str(caught.value).startswith("91_sample.py, line ")
    assert said in str(caught.value)


def test_two_answer_cells_are_an_error():
    answer = SMALL[
        SMALL.index('# %% exercise="91.1" role="answer"') : SMALL.index('# %% exercise="91.1" role="mistake"')
    ]
    with pytest.raises(SourceError, match="2 answer cells"):
        small(SMALL + "\n" + answer)


def test_an_id_used_twice_is_an_error():
    other = SMALL[SMALL.index("# %% [markdown]") :].replace("91.1", "91.2")
    again = SMALL[SMALL.index("# %% [markdown]") :]
    with pytest.raises(SourceError, match="exercise 91.1, field exercise: the id is used twice"):
        small("\n".join([SMALL, other, again]))


def test_a_check_without_observe_is_an_error():
    with pytest.raises(SourceError, match="defines no function observe"):
        small(SMALL + '\n# %% exercise="91.1" role="check"\nprint(1)\n')


def test_a_check_decides_what_is_called():
    check = '\n# %% exercise="91.1" role="check"\ndef observe(answer):\n    return answer()\n'
    with pytest.raises(SourceError, match="field calls: a check cell decides"):
        small(SMALL.replace("budget=1", "calls=[[1]]") + check)


def test_a_file_name_says_the_chapter():
    with pytest.raises(SourceError, match="sample.py: the file name is not NN_slug.py"):
        small(name="sample.py")


def test_too_few_mistakes_alternatives_and_hints_are_findings_and_no_errors():
    assert findings(small().exercises[0]) == [
        "91.1 has 1 mistakes, at least 3 are needed",
        "91.1 has no alternative: show at least one other correct answer",
        "91.1 has no hint",
    ]
    assert findings(find("91.1", SAMPLE)) == []


@pytest.mark.parametrize(
    "change", [("Do it.", "Do this."), ("first = 1", "first = 2"), ("all()", "none()"), ("budget=1", "budget=2")]
)
def test_the_version_changes_with_prompt_stub_solution_and_check(change):
    assert small().exercises[0].version != small(SMALL.replace(*change)).exercises[0].version


def test_the_version_stays_when_a_sentence_is_reworded():
    assert small().exercises[0].version == small(SMALL.replace('"No."', '"Not so."')).exercises[0].version


def test_a_learner_gets_set_up_prompts_and_stubs_without_a_trace_of_the_answer():
    cells = learner_cells(SOURCE)
    assert [cell.id for cell in cells[:4]] == [
        "introduction-1",
        "setup",
        "exercise-91-1-prompt",
        "exercise-91-1-answer",
    ]
    assert cells[3].metadata == {"course": {"exercise": "91.1", "role": "answer"}}
    assert cells[2].metadata == {"course": {"exercise": "91.1", "role": "prompt"}}
    assert cells[3].source.endswith('    ...\n\n\ncheck("91.1")')
    assert "order_by" not in "".join(cell.source for cell in cells)
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


def test_the_zero_of_an_early_chapter_may_be_left_out():
    assert find("1.1") is find("01.1")
    assert find("01.1").id == "01.1"


def test_an_unknown_exercise_names_the_nearest():
    with pytest.raises(UnknownExercise, match=r"There is no exercise 91\.66\. The nearest are 91\.6, "):
        find("91.66", SAMPLE)
    with pytest.raises(UnknownExercise, match="There is no exercise nonsense"):
        find("nonsense", SAMPLE)
    with pytest.raises(UnknownExercise, match="No chapter 92 has exercises"):
        load(92, SAMPLE)


def test_exercises_load_by_id_chapter_and_all(tmp_path):
    assert list(load("91.2", SAMPLE)) == ["91.2"]
    assert list(load(91, SAMPLE)) == list(load("91_sample", SAMPLE)) == list(load(folder=SAMPLE))
    assert list(load(folder=SAMPLE))[:2] == ["91.1", "91.2"]


def test_a_changed_source_is_read_again(tmp_path):
    path = tmp_path / "91_sample.py"
    shutil.copy(SOURCE, path)
    before = find("91.1", tmp_path).version
    path.write_text(
        path.read_text(encoding="utf-8").replace("dearest first,", "dearest book first,"), encoding="utf-8"
    )
    assert find("91.1", tmp_path).version != before
