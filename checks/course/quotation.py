"""The sample in README.md: the output of a cell of the start page, quoted below the same code.

It stands between `<!-- sample -->` and `<!-- /sample -->`, whatever those lines begin with; the builder writes it.
"""

import re

from nbformat import NotebookNode

from checks.course.chapter_table import replace_block
from checks.course.lesson import Course, CourseError, read_notebook, source_text

MARKER = re.compile(r"^(?P<prefix>.*)<!-- sample -->$", re.MULTILINE)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def expected(course: Course) -> str | None:
    """What README.md should say; None where there is no README.md, or it quotes nothing.

    Raises CourseError where no cell of the start page has the code quoted, or it was not built.
    """
    readme, start = course.root / "README.md", course.chapters[0]
    text = source_text(readme) if readme.exists() else ""
    marker = MARKER.search(text)
    if not marker:
        return None
    prefix = marker["prefix"]
    lines = [line.removeprefix(prefix.rstrip()).removeprefix(" ") for line in text[: marker.start()].splitlines()]
    quoted = CODE.findall("\n".join(lines) + "\n")
    cells = read_notebook(start.lesson).cells if start.lesson.exists() else []
    shown = next((cell for cell in cells if quoted and cell.source.strip() == quoted[-1].strip()), None)
    if shown is None or not shown.get("outputs"):
        raise CourseError(f"README.md quotes code whose output is not in {start.lesson.name}: quote a cell of it.")
    return replace_block(text, "sample", f"```\n{plain_text(shown).rstrip()}\n```", prefix)


def plain_text(cell: NotebookNode) -> str:
    """What a cell shows where only text can be shown."""
    parts = [output.text if output.output_type == "stream" else output.get("data", {}).get("text/plain", "") + "\n"
             for output in cell.outputs]  # fmt: skip
    return "".join(parts)


def refresh(course: Course) -> list[str]:
    """Write the quotation where it is not current; returns the names of the files that changed.

    What cannot be quoted is left alone here: `python -m checks verify` names it.
    """
    try:
        text = expected(course)
    except CourseError:
        return []
    if text is None or text == source_text(course.root / "README.md"):
        return []
    (course.root / "README.md").write_text(text, encoding="utf-8", newline="\n")
    return ["README.md"]
