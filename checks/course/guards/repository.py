"""The repository around the lessons: links, the chapter table, pinned dependencies, and who may import whom."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from packaging.requirements import Requirement

from checks.course import chapter_table, quotation
from checks.course.build import sheets
from checks.course.guards.finding import Finding, relative
from checks.course.lesson import Course, CourseError, source_text

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
DOCS = re.compile(r"https?://docs\.djangoproject\.com[^\s)>\"'`]*")
STABLE_DOCS = re.compile(r"https://docs\.djangoproject\.com/en/(?:stable|\d+\.\d+)/")

# A module of one of these names would hide what learners import, or say nothing about what is in it.
LEARNER_NAMES = {
    *("quiz", "check", "hint", "solution", "review", "progress"),
    *("start", "reset", "queries", "show", "explain", "trace", "serve"),
}
EMPTY_NAMES = {"utils", "core", "base", "helpers", "util", "misc"}

SKIPPED = {"__pycache__", "my_course", "dist", "build", "node_modules"}
TEXT = {".py", ".md", ".toml", ".txt", ".csv", ".ipynb", ".ini", ".cfg", ".js", ".css", ".html", ".json", ".yml"}
HOME_FOLDER = re.compile(r"(?<![\w.:/])/(?:home|Users)/\w+/|\b[A-Za-z]:\\\\?Users\\")


def tracked(course: Course, *suffixes: str) -> Iterator[Path]:
    """The text files of the course, without what is installed, built or the learner's own."""
    for folder, folders, files in os.walk(course.root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and (name == ".ci" or name[0] != "."))
        for name in sorted(files):
            path = Path(folder) / name
            if path.suffix in (suffixes or TEXT) or (not suffixes and Path(folder).name == ".ci"):
                yield path


def is_test(file: Path) -> bool:
    """Whether a file belongs to the tests, which hold wrong things on purpose."""
    return "tests" in file.parts


def links(course: Course) -> Iterator[Finding]:
    """Every relative link in prose leads to a file, every link into Django's documentation to a page that stays."""
    for sheet in sheets(course):
        try:
            cells = sheet.unexecuted().cells
        except CourseError:
            continue  # agreement() names it
        for number, cell in enumerate(cells):
            if cell.cell_type == "markdown":
                yield from broken(course, sheet.source, f"cell {number}", cell.source, sheet.target.parent)
    for page in tracked(course, ".md"):
        yield from broken(course, page, "", source_text(page), page.parent)
    for file in tracked(course, ".py", ".toml", ".md"):
        if is_test(file):
            continue
        for number, line in enumerate(source_text(file).splitlines(), 1):
            for url in DOCS.findall(line):
                if not STABLE_DOCS.match(url) and "(" not in url and "\\" not in url:
                    remedy = "begin it with https://docs.djangoproject.com/en/stable/"
                    yield Finding(relative(file, course.root), f"line {number}", f"links to {url}", remedy)


def broken(course: Course, file: Path, place: str, markdown: str, folder: Path) -> Iterator[Finding]:
    """The relative links of some markdown that lead nowhere from a folder. A notebook not built yet is a place."""
    to_build = {sheet.target.resolve() for sheet in sheets(course)}
    for target in LINK.findall(CODE.sub("", markdown)):
        path = unquote(target.partition("#")[0])
        if EXTERNAL.match(target) or not path:
            continue
        if not (folder / path).exists() and (folder / path).resolve() not in to_build:
            what = f"links to {target}, which does not exist"
            yield Finding(relative(file, course.root), place, what, "mend the link")


def chapters_listed(course: Course) -> Iterator[Finding]:
    """The chapter tables are those the builder would write."""
    for page in chapter_table.pages(course):
        file = relative(page.file, course.root)
        try:
            if chapter_table.expected(course, page) != source_text(page.file):
                yield Finding(file, "", "has a chapter table that is not current", "run: course.py build")
        except CourseError as error:
            what, _, remedy = str(error).partition(": ")
            yield Finding(file, "", what, remedy)


def sample_quoted(course: Course) -> Iterator[Finding]:
    """The output that README.md quotes is the one stored in the start page."""
    try:
        text = quotation.expected(course)
        if text is not None and text != source_text(course.root / "README.md"):
            yield Finding("README.md", "", "quotes an output that is not current", "run: course.py build")
    except CourseError as error:
        what, _, remedy = str(error).partition(": ")
        yield Finding("README.md", "", what, remedy)


def dependencies(course: Course) -> Iterator[Finding]:
    """requirements.txt pins every direct dependency within its bounds, and ends with the project itself."""
    project, file = course.root / "pyproject.toml", course.root / "requirements.txt"
    recompile = "compile it again, as its first lines say"
    if not (project.exists() and file.exists()):
        yield Finding("requirements.txt", "", "or pyproject.toml is missing", recompile)
        return
    lines = [line.strip() for line in source_text(file).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or lines[-1] != "-e .":
        yield Finding(file.name, "", "does not end with the project itself", "make `-e .` its last line")
    pins: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("-"):
            continue
        pin = Requirement(line)
        exact = [part.version for part in pin.specifier if part.operator == "=="]
        if not exact:
            yield Finding(file.name, line, "is not pinned", recompile)
        pins.setdefault(canonical(pin.name), []).extend(exact)
    for line in tomllib.loads(source_text(project))["project"]["dependencies"]:
        wanted = Requirement(line)
        found = pins.get(canonical(wanted.name), [])
        if not any(wanted.specifier.contains(version, prereleases=True) for version in found):
            what = f"has no {wanted.name}{wanted.specifier}" + (f", but {', '.join(found)}" if found else "")
            yield Finding(file.name, wanted.name, what, recompile)


def canonical(name: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_names(course: Course) -> Iterator[Finding]:
    """No module is named like a function that learners import, or like a drawer for anything."""
    for folder in ("checks", "sample_project/lab"):
        for file in sorted((course.root / folder).rglob("*.py")):
            name = file.parent.name if file.name == "__init__.py" else file.stem
            remedy = "name it for the noun it holds"
            if name in LEARNER_NAMES:
                yield Finding(relative(file, course.root), "", f"hides the learner's function {name}", remedy)
            elif name in EMPTY_NAMES:
                yield Finding(relative(file, course.root), "", f"{name!r} says nothing", remedy)


def layering(course: Course) -> Iterator[Finding]:
    """Nobody imports what it must not know."""
    project = course.root / "sample_project"
    apps = {path.name for path in project.iterdir() if (path / "__init__.py").exists()} if project.exists() else set()
    for file in tracked(course, ".py"):
        path = relative(file, course.root)
        if is_test(file):
            continue
        forbidden = unknown_to(path, apps)
        for module, line, deferred in imports(file):
            culprit = next((name for name in forbidden if module == name or module.startswith(f"{name}.")), None)
            if path == "checks/quizzes/proof.py" and deferred and culprit != "checks.course":
                continue
            if culprit:
                remedy = "turn the dependency round, or move the code to where it may know both"
                yield Finding(path, f"line {line}", f"imports {module}, which it must not know", remedy)


def launcher(course: Course) -> Iterator[Finding]:
    """What runs before anything is installed (course.py and all it imports) needs nothing that must be installed."""
    waiting, seen = [course.root / "course.py"], set()
    while waiting:
        file = waiting.pop()
        if file in seen or not file.exists():
            continue
        seen.add(file)
        for module, line, deferred in imports(file):
            if deferred:
                continue
            top = module.partition(".")[0]
            if top == "checks":
                parts = course.root.joinpath(*module.split("."))
                waiting += [parts.with_suffix(".py"), parts.parent.with_suffix(".py"), parts / "__init__.py"]
            elif top not in sys.stdlib_module_names:
                remedy = "use the standard library, or import it inside the function that needs it"
                what = f"imports {module}, and runs before anything is installed"
                yield Finding(relative(file, course.root), f"line {line}", what, remedy)


def unknown_to(path: str, apps: set[str]) -> set[str]:
    """What a file must not import: the layers above it."""
    first, _, rest = path.partition("/")
    if path == "sample_project/config/settings/notebook.py":
        return {"checks"}  # the lab's own settings
    if first == "sample_project":
        return {"checks"} if rest.startswith("lab/") else {"checks", "lab"}
    if path.startswith(("checks/quizzes/", "checks/learner/")):
        return {"checks.course", "checks.exercises", "django", "notebooks"} | apps
    if first == "checks" and not path.startswith(("checks/course/", "checks/site/")) and path != "checks/__main__.py":
        return {"checks.course"}
    return set()


def imports(file: Path) -> Iterator[tuple[str, int, bool]]:
    """The modules a file imports, as (name, line, whether deferred: inside a function, or for type checkers alone)."""
    try:
        tree = ast.parse(source_text(file))
    except SyntaxError:
        return  # a py:percent source may hold top-level await; a broken module fails every test
    deferred = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef)
        or isinstance(block, ast.If)
        and ast.unparse(block.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno, id(node) in deferred
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno, id(node) in deferred


def machine_paths(course: Course) -> Iterator[Finding]:
    """No file names a folder of the machine it was written on."""
    here = str(course.root) if len(course.root.parts) > 2 else None
    for file in tracked(course):
        try:
            text = source_text(file)
        except UnicodeDecodeError:
            yield Finding(relative(file, course.root), "", "is not UTF-8", "save it as UTF-8")
            continue
        found = None if is_test(file) else HOME_FOLDER.search(text)
        at = found.start() if found else text.find(here) if here else -1
        if at >= 0:
            line = text.count("\n", 0, at) + 1
            yield Finding(relative(file, course.root), f"line {line}", "names a folder of one machine", "take it out")
