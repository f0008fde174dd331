"""Notebooks agree with their sources, were executed in order, and hold nothing of the machine that executed them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from checks.course.build import ANSI, NEEDS, RAISES, SINCE, WIDGET_VIEW, Sheet, normalise, raised, serialise, sheets
from checks.course.guards.finding import Finding, relative
from checks.course.lesson import SLUG, Course, CourseError, read_notebook, tags

KNOWN_TAGS = {RAISES, SINCE}
NBVAL_COMMENT = re.compile(r"^\s*#\s*(NBVAL_\w+|PYTEST_VALIDATE_\w+)\s*$", re.MULTILINE)
TIMING_MAGIC = re.compile(r"^\s*%%?(?:time|timeit)\b", re.MULTILINE)

# What an output must not hold, as (what it is called, how it looks, what to do).
MACHINE = [
    (
        "a path of this machine",
        re.compile(r"(?<![\w.:/])(?:/(?:home|Users|root|tmp|var/folders|private/var)/\w)|\b[A-Za-z]:\\|ipykernel_\d"),
        "print a name, not a path; for warnings, catch them and print the message",
    ),
    ("the address of an object", re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "print a value that has a stable text"),
    ("terminal colours", ANSI, "print plain text"),
]
TIMING = re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:ms|µs|us|ns|sec|secs|seconds?|milliseconds?|microseconds?)\b")


def agreement(course: Course) -> Iterator[Finding]:
    """Every source has its notebook, every notebook its source, and both say the same."""
    for sheet in sheets(course):
        rebuild = f"run: course.py build {sheet.chapter.number}"
        if not sheet.target.exists():
            yield Finding(relative(sheet.source, course.root), "", "has no notebook", rebuild)
            continue
        try:
            problem = disagreement(sheet)
        except CourseError as error:
            yield Finding(sheet.name, "", str(error), "mend the source, then " + rebuild)
            continue
        if problem:
            yield Finding(sheet.name, *problem, rebuild)
    known = {chapter.slug for chapter in course.chapters}
    for folder in ("notebooks", "exercises"):
        for notebook in sorted((course.root / folder).glob("*.ipynb")):
            if not (notebook.parent / "source" / f"{notebook.stem}.py").exists():
                yield Finding(relative(notebook, course.root), "", "has no source", "delete it, or write its source")
    files = [*course.root.glob("notebooks/source/*.py"), *course.root.glob("exercises/source/*.py")]
    for file in sorted([*files, *course.root.glob("checks/bank/*.toml")]):
        if file.stem not in known:
            wrong = "is not a chapter of the syllabus" if SLUG.fullmatch(file.stem) else "is not named NN_slug"
            yield Finding(relative(file, course.root), "", wrong, "give it the chapter's number and slug")


def disagreement(sheet: Sheet) -> tuple[str, str] | None:
    """Where a stored notebook departs from its source, as (place, what); raises CourseError for an unreadable one."""
    stored, wanted = read_notebook(sheet.target), sheet.unexecuted()
    for number, (old, new) in enumerate(zip(stored.cells, wanted.cells, strict=False)):
        if (old.cell_type, old.source, old.metadata) != (new.cell_type, new.source, new.metadata):
            return f"cell {number}", "says something else than the source"
        if old.get("id") != new.id:
            return f"cell {number}", f"has the id {old.get('id')!r}, which does not come from its content"
    if len(stored.cells) != len(wanted.cells):
        return "", f"has {len(stored.cells)} cells, the source {len(wanted.cells)}"
    if stored.metadata.get("course") != wanted.metadata.course:
        return "", "was built from an older source or quiz bank"
    if serialise(normalise(stored)) != sheet.target.read_bytes():
        return "", "was saved by an editor, not by the builder"
    return None


def stored_lessons(course: Course) -> Iterator[tuple[str, NotebookNode]]:
    """The name and the content of each lesson's notebook that can be read."""
    for sheet in sheets(course):
        if sheet.kind == "lesson" and sheet.target.exists():
            try:
                yield sheet.name, read_notebook(sheet.target)
            except CourseError:
                continue  # agreement() names it


def execution(course: Course) -> Iterator[Finding]:
    """Every code cell of a lesson was executed, in order; nothing but what is announced raised."""
    for name, notebook in stored_lessons(course):
        expected = 0
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            expected += 1
            place = f"cell {number}"
            if cell.execution_count is None:
                yield Finding(name, place, "was never executed", "run: course.py build, and leave no cell empty")
            elif cell.execution_count != expected:
                what = f"has the count {cell.execution_count} instead of {expected}"
                yield Finding(name, place, what, "run: course.py build --force")
            if raised(cell) and RAISES not in tags(cell):
                yield Finding(name, place, "stores an exception", f"mend the cell, or tag it `{RAISES}`")


def comparability(course: Course) -> Iterator[Finding]:
    """Nothing keeps nbval from comparing a cell, and cells for 6.1 say so in their code."""
    for name, notebook in stored_lessons(course):
        for number, cell in enumerate(notebook.cells):
            place = f"cell {number}"
            for tag in tags(cell):
                program = tag.removeprefix(NEEDS) if tag.startswith(NEEDS) else ""
                if program and f'"{program}"' not in cell.source:
                    remedy = f'write `if which("{program}"):`, so that it runs without it too'
                    yield Finding(name, place, f"is tagged `{tag}` and does not ask for it", remedy)
                elif not program and tag not in KNOWN_TAGS:
                    remedy = f"use no tags but {', '.join(sorted(KNOWN_TAGS))}, {NEEDS}…"
                    yield Finding(name, place, f"has the tag `{tag}`", remedy)
            if cell.cell_type != "code":
                continue
            for comment in NBVAL_COMMENT.findall(cell.source):
                yield Finding(name, place, f"has the comment `# {comment}`", "make the output stable instead")
            if TIMING_MAGIC.search(cell.source):
                yield Finding(name, place, "uses %time", "show a count or a ratio; a time is never the same twice")
            if SINCE in tags(cell) and "django.VERSION" not in cell.source:
                remedy = "write `if django.VERSION >= (6, 1):`, so that it runs on 5.2 too"
                yield Finding(name, place, f"is tagged `{SINCE}` and does not ask for django.VERSION", remedy)
    options = course.root / "pyproject.toml"
    if options.exists():
        text = options.read_text(encoding="utf-8")
        for option in ("--nbval-sanitize-with", "--sanitize-with", "--nbval-lax"):
            if option in text:
                yield Finding("pyproject.toml", "", f"uses {option}", "make the outputs stable instead")


def outputs(course: Course) -> Iterator[Finding]:
    """No output holds a path, an address, a time, colours or a widget's state."""
    here = [text for text in {str(course.root), str(Path.home())} if len(text) > 3]
    for name, notebook in stored_lessons(course):
        if "widgets" in notebook.metadata:
            yield Finding(name, "", "stores the state of widgets", "run: course.py build --force")
        for number, cell in enumerate(notebook.cells):
            place = f"cell {number}"
            for output in cell.get("outputs", ()):
                if WIDGET_VIEW in output.get("data", {}):
                    yield Finding(name, place, "stores a widget view", "run: course.py build --force")
            text = output_text(cell)
            for called, looks, remedy in MACHINE:
                if found := looks.search(text):
                    yield Finding(name, place, f"shows {called}: {excerpt(text, found.start())}", remedy)
            for path in here:
                if path in text:
                    yield Finding(name, place, f"shows a path of this machine: {path}", MACHINE[0][2])
            found = TIMING.search(text)
            if found and "reason" not in cell.metadata:
                remedy = 'show a ratio; a duration that never changes needs reason="…" on its cell'
                yield Finding(name, place, f"shows a time: {excerpt(text, found.start())}", remedy)


def output_text(cell: NotebookNode) -> str:
    """All text a code cell shows, of every kind."""
    parts = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts += [output.evalue, *output.traceback]
        else:
            for kind, value in output.data.items():
                if kind.startswith("text/") or "svg" in kind:
                    parts.append(value if isinstance(value, str) else "".join(value))
                elif "json" in kind:
                    parts.append(json.dumps(value, ensure_ascii=False))
    return "\n".join(parts)


def excerpt(text: str, start: int) -> str:
    """Some characters of the line where something was found."""
    line = text[text.rfind("\n", 0, start) + 1 :].split("\n", 1)[0]
    offset = max(0, start - text.rfind("\n", 0, start) - 21)
    return repr(line[offset : offset + 60])
