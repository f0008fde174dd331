"""Every lesson of the browser edition: each cell runs, and puts out what it puts out on a laptop."""

import pytest

from checks.course.lesson import ROOT
from checks.site.visit import text_of
from checks.tests.page.conftest import ELSEWHERE, elsewhere, stored

# What the first cell of a lesson on PostgreSQL says before it goes on without one.
NO_SERVER = "Servers cannot be started in a browser"


def differs(real, here):
    """What is not as it should be in one cell, or None. `real` and `here` are its outputs."""
    wanted, found = text_of(real), text_of(here)
    if ELSEWHERE in found:
        shown = found.partition(ELSEWHERE)[2].removeprefix("this:").removeprefix("nothing.").strip()
        return None if shown == wanted else f"shows {shown!r} instead of {wanted!r}"
    if NO_SERVER in found:
        return None
    if "<widget>" in found or any("widget" in kind for output in real for kind in output.get("data", ())):
        return None if "<widget>" in found else f"shows {found!r} instead of a widget"
    errors = [output for output in real if output["output_type"] == "error"]
    if errors:
        return None if errors[0]["evalue"].split("\n")[0] in found else f"says {found!r} instead of {wanted!r}"
    return None if found == wanted else f"puts out {found!r} instead of {wanted!r}"


NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_cell_runs_as_on_a_laptop(page, notebook):
    name = f"notebooks/{notebook}"
    opened = page(name)
    opened.run_all()
    problems = []
    for number, (real, here) in enumerate(zip(stored(name)["cells"], opened.notebook()["cells"], strict=True)):
        if real["cell_type"] != "code":
            continue
        if here["execution_count"] is None:
            problems.append(f"cell {number} did not run")
        elif problem := differs(real["outputs"], here["outputs"]):
            problems.append(f"cell {number} {problem}")
        if ELSEWHERE in text_of(here["outputs"]):
            elsewhere[name].append((number, text_of(here["outputs"]).split("\n")[0]))
    assert not problems, "\n".join(problems)
