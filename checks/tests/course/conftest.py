"""A course of one chapter, small and valid: guards are tested by breaking a copy of it."""

import shutil
from pathlib import Path

import nbformat
import pytest

from checks.course import chapter_table
from checks.course.build import normalise, serialise, sheets, write
from checks.course.lesson import Course
from checks.syllabus import QUESTIONS

SPOKEN = " ".join(["Deployment means that the same code runs for others."] * 6)

LESSON = f"""# %% [markdown]
# # 25 · Deployment

# %%
import django

# %% [markdown]
# ## Q64 · What changes in production?
#
# *{QUESTIONS["Q64"].level.capitalize()} · asked as {", ".join(QUESTIONS["Q64"].sources)}*
#
# **Say it.** {SPOKEN}

# %% [markdown]
# **See it.** Three numbers:

# %%
print(1)

# %%
print(2)

# %% tags=["since-6.1"]
if django.VERSION >= (6, 1):
    print(3)

# %% [markdown]
# **The trap.** That one can divide by zero:

# %% tags=["raises-exception"]
1 / 0

# %% [markdown]
# **Asked next**
#
# - *Why?* Because of [the checklist](https://docs.djangoproject.com/en/stable/howto/deployment/checklist/).
# - *When?* Now:

# %%
print("now")

# %%
quiz("Q64")

# %% [markdown]
# [Exercises](../exercises/25_deployment.ipynb)
"""

START = """# %% [markdown]
# # Start here
#
# <!-- chapters -->
# <!-- /chapters -->
"""

EXERCISE = """
# %% [markdown] exercise="25.{number}"
# ### 25.{number} Return {number}
#
# Return it.

# %% exercise="25.{number}" role="answer"
def answer():
    # solution
    return {number}
    # end


check("25.{number}")

# %% exercise="25.{number}" role="alternative" note="Says the same."
def answer():
    return int({number})

# %% exercise="25.{number}" role="mistake" says="That is one more."
def answer():
    return {number} + 1

# %% exercise="25.{number}" role="mistake" says="That is two more."
def answer():
    return {number} + 2

# %% exercise="25.{number}" role="mistake" says="That is three more."
def answer():
    return {number} + 3

# %% exercise="25.{number}" role="hint"
# Use `return`.
"""

ITEM = '''
[[item]]
id = "Q64-{number}"
question = "Q64"
kind = "number"
prompt = "How much is {number}?"
answer = {number}
explain = "It is."
[item.proof]
code = """assert {number} == {number}"""
'''

RUBRIC = """
[[rubric]]
question = "Q64"
points = [
  { text = "The same code runs.", quote = "the same code runs" },
  { text = "It runs for others.", quote = "runs for others" },
  { text = "That is what deployment means.", quote = "Deployment means" },
  { text = "There is a checklist.", quote = "the checklist", role = "senior" },
]
"""

PYPROJECT = """[project]
name = "small"
dependencies = ["django>=5.2,<6.2", "PyYAML>=6"]
"""

REQUIREMENTS = """# Compiled
django==5.2.19 ; python_full_version < '3.12'
django==6.1.3 ; python_full_version >= '3.12'
pyyaml==6.0.3
-e .
"""

MODULES = {
    "course.py": "import sys\n\nfrom checks.course import machine\n",
    "checks/__init__.py": "",
    "checks/course/machine.py": "import platform\n",
    "checks/quizzes/item.py": "import json\n",
    "checks/quizzes/proof.py": "def prove():\n    from lab import boot\n\n    boot()\n",
    "checks/learner/journal.py": "import sqlite3\n",
    "checks/exercises/examiner.py": "import lab\n",
    "sample_project/catalog/__init__.py": "",
    "sample_project/catalog/models.py": "from django.db import models\n",
    "sample_project/lab/__init__.py": "import catalog\n",
}


def executed(notebook):
    """The notebook with counts and outputs as a kernel would leave them."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            if cell.source == "1 / 0":
                cell.outputs = [
                    nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])
                ]
            elif "print" in cell.source:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="shown\n")]
    return notebook


def store(course):
    """Write every notebook of the course as the builder would, without a kernel."""
    for sheet in sheets(course):
        notebook = sheet.unexecuted()
        write(sheet.target, serialise(normalise(executed(notebook) if sheet.kind == "lesson" else notebook)))


@pytest.fixture(scope="session")
def valid_course(tmp_path_factory):
    """The folder of the small course; tests work on a copy."""
    root = tmp_path_factory.mktemp("valid") / "course"
    files = MODULES | {
        "notebooks/source/25_deployment.py": LESSON,
        "notebooks/source/00_start_here.py": START,
        "exercises/source/25_deployment.py": "# %%\nfrom checks import check\n"
        + "".join(EXERCISE.format(number=number) for number in range(1, 7)),
        "checks/bank/25_deployment.toml": "".join(ITEM.format(number=number) for number in range(1, 4)) + RUBRIC,
        "README.md": "# Small\n\n<!-- chapters -->\n<!-- /chapters -->\n",
        "pyproject.toml": PYPROJECT,
        "requirements.txt": REQUIREMENTS,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    course = small(root)
    chapter_table.refresh(course)
    store(course)
    return root


def small(root: Path) -> Course:
    """A course in a folder whose syllabus is one question."""
    return Course(root, {"Q64": QUESTIONS["Q64"]})


class Workbench:
    """A copy of the small course to break."""

    def __init__(self, root: Path):
        self.root = root
        self.course = small(root)
        self.lesson = root / "notebooks" / "source" / "25_deployment.py"
        self.notebook = root / "notebooks" / "25_deployment.ipynb"
        self.exercises = root / "exercises" / "source" / "25_deployment.py"
        self.bank = root / "checks" / "bank" / "25_deployment.toml"

    def replace(self, path: Path, old: str, new: str) -> None:
        """Change a file, which must hold the old text."""
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the course."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    def edit_notebook(self, change) -> None:
        """Apply a function to the stored lesson and write it as the builder would, without normalising."""
        notebook = nbformat.read(self.notebook, as_version=4)
        change(notebook)
        self.notebook.write_bytes(serialise(nbformat.from_dict(notebook)))

    def show(self, text: str, cell: str = "print(1)", **metadata) -> None:
        """Let a code cell of the stored lesson show a text."""

        def change(notebook):
            found = next(one for one in notebook.cells if one.source == cell)
            found.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
            found.metadata.update(metadata)

        self.edit_notebook(change)

    def rebuild(self) -> None:
        """Store every notebook again from its source."""
        store(self.course)

    def findings(self, guard) -> list[str]:
        """What a guard says, one line per finding."""
        return [f"{one.level}: {one.file}, {one.place}: {one.what}; {one.remedy}" for one in guard(self.course)]


@pytest.fixture
def bench(valid_course, tmp_path):
    """A copy of the small course that a test may break."""
    shutil.copytree(valid_course, tmp_path / "course")
    return Workbench(tmp_path / "course")
