"""The exercises of the browser edition: every solution passes in the page, or the page says that it cannot tell."""

import pytest

from checks.course.lesson import ROOT

SOLVE = """
from lab import start
start()
from checks.exercises.examiner import run_in_process
from checks.exercises.source import load
for exercise in load("{chapter}").values():
    verdict = run_in_process(exercise, exercise.solution)
    if not verdict.passed:
        print(exercise.id, verdict.message)
"""
CANNOT = "A browser cannot check this exercise"


@pytest.mark.parametrize(
    "chapters", [range(1, 8), range(8, 14), range(14, 20), range(20, 26)], ids=lambda chapters: f"from {chapters[0]}"
)
def test_every_solution_passes_or_the_page_says_that_it_cannot_tell(page, chapters):
    opened = page("exercises/13_query_performance.ipynb")
    opened.patience = 600
    found = []
    for chapter in chapters:
        if list((ROOT / "exercises").glob(f"{chapter:02}_*.ipynb")):
            said = opened.run_last(SOLVE.format(chapter=f"{chapter:02}"))
            found += [line for line in said.splitlines() if line != "The bookshop is ready." and CANNOT not in line]
    assert not found
