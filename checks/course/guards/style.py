"""The rhythm of a lesson (some prose, a little code, a little output) and code that a good engineer would commit."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from nbformat import NotebookNode

from checks.course.build import sheets
from checks.course.guards.finding import Finding, relative
from checks.course.guards.notebooks import stored_lessons
from checks.course.guards.sections import QUIZ, words
from checks.course.lesson import Course, parse, source_text

# What is measured: (from here a warning, from here an error).
PROSE, CODE, OUTPUT = (60, 120), (8, 15), (10, 15)
SAY_IT = re.compile(r"^\*\*Say it\.?\*\*", re.MULTILINE)
TABLE_OR_HEADING = re.compile(r"^\s*\|.*$|^#.*$|^\*\w+ · asked as .*$", re.MULTILINE)
IMPORT = re.compile(r"(?:from [\w.]+ )?import \w")
BLOCK = re.compile(r"```.*?```|<!--.*?-->", re.DOTALL)


def rhythm(course: Course) -> Iterator[Finding]:
    """No cell says, codes or shows too much at once, unless it gives its reason."""
    for name, notebook in stored_lessons(course):
        for number, cell in enumerate(notebook.cells):
            reason = cell.metadata.get("reason")
            for unit, length, (soft, hard) in lengths(cell):
                if length <= soft:
                    continue
                level = "error" if length > hard and not reason else "warning"
                if level == "warning" and reason:
                    continue
                remedy = f'keep to {soft}; over {hard} needs reason="…" on the cell'
                yield Finding(name, f"cell {number}", f"has {length} {unit}", remedy, level)


def lengths(cell: NotebookNode) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """What there is to measure in a cell. Imports are not read line by line; a quiz shows as much as it has items."""
    if cell.cell_type == "markdown":
        yield "words of prose", words(prose(cell.source)), PROSE
    elif cell.cell_type == "code" and not QUIZ.search(cell.source):
        code = [line for line in cell.source.splitlines() if line.strip() and not IMPORT.match(line)]
        yield "lines of code", len(code), CODE
        yield "lines of output", sum(output_lines(output) for output in cell.outputs), OUTPUT


def prose(markdown: str) -> str:
    """Markdown without headings, tables and code; the spoken answer has bounds of its own and is left out."""
    text = TABLE_OR_HEADING.sub("", BLOCK.sub("", markdown))
    if spoken := SAY_IT.search(text):
        rest = text[spoken.end() :].strip().split("\n\n", 1)
        text = text[: spoken.start()] + (rest[1] if len(rest) > 1 else "")
    return text


def output_lines(output: NotebookNode) -> int:
    """How many lines a reader sees; of a rich output, those of its plain text."""
    if output.output_type == "stream":
        return len(output.text.splitlines())
    if output.output_type == "error":
        return len(output.traceback)
    text = output.data.get("text/plain", "")
    return len((text if isinstance(text, str) else "".join(text)).splitlines())


def code(course: Course) -> Iterator[Finding]:
    """Code of lessons and exercises is Python, without `import *` and without semicolons."""
    for sheet in sheets(course):
        file = relative(sheet.source, course.root)
        for number, cell in enumerate(parse(source_text(sheet.source)).cells):
            if cell.cell_type == "code":
                for what, remedy in code_problems(cell.source):
                    yield Finding(file, f"cell {number}", what, remedy)


def code_problems(source: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the code of one cell, as (what, remedy)."""
    try:
        tree = compile(source, "<cell>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        yield f"is not Python: {error.msg}, line {error.lineno}", "write plain Python: no magics, no shell"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
            yield f"imports everything from {node.module}", "import names"
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.OP and token.string == ";":
            yield f"has a semicolon in line {token.start[0]}", "give each statement its line"
