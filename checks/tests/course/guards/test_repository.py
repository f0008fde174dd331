import pytest

from checks.course import quotation
from checks.course.guards import repository


def test_a_link_of_a_lesson_that_leads_nowhere(bench):
    bench.replace(bench.lesson, "Three numbers", "[Three numbers](24_gone.ipynb)")
    assert "links to 24_gone.ipynb, which does not exist" in bench.findings(repository.links)[0]


def test_a_link_of_the_readme_that_leads_nowhere(bench):
    bench.replace(bench.root / "README.md", "# Small", "# Small\n\n[Gone](docs/gone.md#there)")
    assert "README.md, : links to docs/gone.md#there" in bench.findings(repository.links)[0]


def test_a_link_to_a_notebook_that_is_still_to_be_built(bench):
    bench.notebook.unlink()
    assert bench.findings(repository.links) == []


@pytest.mark.parametrize(
    "page", ["http://docs.djangoproject.com/en/stable/", "https://docs.djangoproject.com/en/dev/x"]
)
def test_a_link_to_documentation_that_will_move(bench, page):
    bench.replace(bench.lesson, "Three numbers", f"[Three numbers]({page})")
    assert f"links to {page}" in bench.findings(repository.links)[0]


def test_a_chapter_table_that_is_not_current(bench):
    bench.replace(bench.root / "README.md", "| 25 |", "| 99 |")
    assert "README.md, : has a chapter table that is not current" in bench.findings(repository.chapters_listed)[0]


def test_a_readme_without_a_chapter_table(bench):
    bench.write("README.md", "# Small\n")
    assert "README.md has no chapter table" in bench.findings(repository.chapters_listed)[0]


README = """# Small

> ```python
> {code}
> ```
>
> <!-- sample -->
> <!-- /sample -->

<!-- chapters -->
<!-- /chapters -->
"""


def quote(bench, code):
    start = "notebooks/source/00_start_here.py"
    bench.write(start, (bench.root / start).read_text(encoding="utf-8") + '\n# %%\nprint("Hello")\n')
    bench.write("README.md", README.format(code=code))
    bench.rebuild()


def test_a_sample_that_is_not_current(bench):
    quote(bench, 'print("Hello")')
    assert "README.md, : quotes an output that is not current" in bench.findings(repository.sample_quoted)[0]
    quotation.refresh(bench.course)
    assert "> ```\n> shown\n> ```\n" in (bench.root / "README.md").read_text(encoding="utf-8")
    assert bench.findings(repository.sample_quoted) == []


def test_a_sample_of_code_that_no_cell_has(bench):
    quote(bench, 'print("Bye")')
    assert "quotes code whose output is not in 00_start_here.ipynb" in bench.findings(repository.sample_quoted)[0]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("-e .\n", "", "does not end with the project itself"),
        ("pyyaml==6.0.3", "pyyaml>=6", "is not pinned"),
        ("pyyaml==6.0.3\n", "", "has no PyYAML>=6"),
        ("pyyaml==6.0.3", "pyyaml==5.1", "but 5.1"),
    ],
)
def test_requirements_that_do_not_agree_with_the_project(bench, old, new, finding):
    bench.replace(bench.root / "requirements.txt", old, new)
    assert any(finding in found for found in bench.findings(repository.dependencies))


@pytest.mark.parametrize(
    "name", ["checks/quizzes/quiz.py", "checks/progress/__init__.py", "sample_project/lab/trace.py"]
)
def test_a_module_that_hides_what_learners_import(bench, name):
    bench.write(name, "")
    assert "hides the learner's function" in bench.findings(repository.module_names)[0]


def test_a_module_that_says_nothing(bench):
    bench.write("checks/course/utils.py", "")
    assert "'utils' says nothing" in bench.findings(repository.module_names)[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sample_project/catalog/models.py", "import lab\n"),
        ("sample_project/catalog/views.py", "from checks.quizzes import bank\n"),
        ("sample_project/lab/session.py", "def run():\n    import checks\n"),
        ("checks/quizzes/bank.py", "from catalog.models import Book\n"),
        ("checks/quizzes/proof.py", "import lab\n"),
        ("checks/learner/readiness.py", "from django.db import models\n"),
        ("checks/exercises/session.py", "from checks.course import lesson\n"),
    ],
)
def test_an_import_of_a_layer_that_must_stay_unknown(bench, name, text):
    bench.write(name, text)
    (finding,) = bench.findings(repository.layering)
    assert name in finding
    assert "which it must not know" in finding


def test_a_launcher_that_needs_something_installed(bench):
    bench.write("checks/course/machine.py", "import rich\n")
    assert "checks/course/machine.py, line 1: imports rich" in bench.findings(repository.launcher)[0]


@pytest.mark.parametrize(
    "text", ["def later():\n    import rich\n", "if TYPE_CHECKING:\n    import rich\n", "import checks.learner\n"]
)
def test_a_launcher_may_import_later_what_is_installed_then(bench, text):
    bench.write("checks/course/machine.py", text)
    assert bench.findings(repository.launcher) == []


@pytest.mark.parametrize("path", ["/" + "home/mira/course/", "C:" + "\\Users\\mira"])
def test_a_file_that_names_a_folder_of_one_machine(bench, path):
    bench.write("checks/course/lesson.py", f"# first line\nROOT = '{path}'\n")
    assert "checks/course/lesson.py, line 2: names a folder" in bench.findings(repository.machine_paths)[0]


def test_what_is_installed_or_built_is_not_read(bench):
    bench.write(".venv/lib/module.py", "ROOT = '/" + "home/mira/course/'\n")
    bench.write("my_course/notes.md", "[gone](gone.md)\n")
    assert bench.findings(repository.machine_paths) == bench.findings(repository.links) == []
