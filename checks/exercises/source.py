"""Exercise sources: one py:percent file per chapter, `exercises/source/NN_slug.py`.

An exercise is a run of cells with the same `exercise="13.1"`: its prompt (markdown), one answer cell, alternatives,
mistakes, hints and perhaps a check. The format is jupytext's (https://jupytext.readthedocs.io/en/latest/formats-scripts.html);
it is read here rather than by jupytext because a learner's first check would wait more than a second for that import.
"""

import ast
import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "exercises" / "source"
DATASETS = ("shop", "edge", "empty")
ROLES = ("answer", "alternative", "mistake", "hint", "check")
# Calls of the notebook's own helpers: never part of an answer.
HELPERS = frozenset({"check", "hint", "solution", "quiz", "progress", "start", "reset"})

_ID = re.compile(r"(\d{1,2})\.(\d{1,2})")
_MARKER = re.compile(r"# %%(?!%)(?P<rest>.*)")
_KEY = re.compile(r"\s*([A-Za-z_][\w-]*)\s*=\s*")
_BEGIN, _END = "# solution", "# end"
_ANSWER_FIELDS = {
    "ordered": (bool, "true or false"),
    "budget": (int, "a number of queries"),
    "calls": (list, "a list of argument lists, such as [[1], [2]]"),
    "datasets": (list, f"a list of some of {', '.join(DATASETS)}"),
    "seconds": ((int, float), "a number of seconds"),
    "writes_schema": (bool, "true or false"),
}
_FIELDS = {
    None: {},
    "answer": _ANSWER_FIELDS,
    "alternative": {"note": (str, "a sentence")},
    "mistake": {"says": (str, "a sentence")},
    "hint": {},
    "check": {},
}


class SourceError(ValueError):
    """An exercise source that cannot be used: names the file, the line, the exercise and the field."""

    def __init__(self, problem: str, *, path: Path, line: int = 0, exercise: str = "", field: str = ""):
        place = [path.name]
        if line:
            place.append(f"line {line}")
        if exercise:
            place.append(f"exercise {exercise}")
        if field:
            place.append(f"field {field}")
        super().__init__(f"{', '.join(place)}: {problem}")


class UnknownExercise(LookupError):
    """No exercise has the id asked for; the message names the nearest ids."""


@dataclass(frozen=True)
class Alternative:
    """Another correct answer, and when it is the better one."""

    source: str
    note: str


@dataclass(frozen=True)
class Mistake:
    """A classic wrong answer, and the sentence for whoever makes it."""

    source: str
    says: str


@dataclass(frozen=True)
class Exercise:
    """One exercise. `version` changes with what is asked or checked; hints and notes may be reworded freely."""

    id: str
    title: str
    prompt: str
    setup: str  # the import statements of the chapter's first code cell
    stub: str  # the answer cell as a learner finds it
    solution: str
    alternatives: tuple[Alternative, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    check: str  # a cell that defines observe(answer), or ""
    entries: tuple[str, ...]  # the names an answer defines
    ordered: bool = False
    budget: int | None = None
    calls: tuple[tuple, ...] = ((),)
    datasets: tuple[str, ...] = ("shop", "edge")
    seconds: float = 5.0
    writes_schema: bool = False
    version: str = ""
    path: str = ""

    @property
    def chapter(self) -> int:
        return int(self.id.partition(".")[0])


@dataclass(frozen=True)
class Cell:
    """One cell of a source, with the line of its marker."""

    kind: str  # "code" or "markdown"
    metadata: dict
    text: str
    line: int


@dataclass(frozen=True)
class Chapter:
    """All that one source holds."""

    number: int
    introduction: tuple[str, ...]  # markdown outside any exercise
    setup: str  # the whole first code cell
    exercises: tuple[Exercise, ...]
    prompts: dict[str, tuple[str, ...]] = field(default_factory=dict)


def load(which: str | int | None = None, folder: Path | None = None) -> dict[str, Exercise]:
    """Exercises by id: all, those of a chapter (13, "13" or "13_query_performance"), or one ("13.1").

    Raises SourceError for a source that cannot be used and UnknownExercise for an id or chapter that has none.
    """
    if which is not None and _ID.fullmatch(str(which)):
        exercise = find(str(which), folder)
        return {exercise.id: exercise}
    folder = folder or FOLDER
    paths = sorted(folder.glob("[0-9][0-9]_*.py"))
    if which is not None:
        slug = f"{int(which):02}" if str(which).isdigit() else str(which)
        paths = [path for path in paths if slug in (path.stem, path.stem[:2])]
        if not paths:
            raise UnknownExercise(f"No chapter {which} has exercises.")
    return {exercise.id: exercise for path in paths for exercise in read(path).exercises}


def find(exercise_id: str, folder: Path | None = None) -> Exercise:
    """One exercise by its id, `07.1` or `7.1`; UnknownExercise names the nearest ids where there is none."""
    folder = folder or FOLDER
    match = _ID.fullmatch(exercise_id)
    for path in sorted(folder.glob(f"{int(match[1]):02}_*.py")) if match else ():
        for exercise in read(path).exercises:
            if exercise.id.lstrip("0") == exercise_id.lstrip("0"):
                return exercise
    known = [found for path in sorted(folder.glob("[0-9][0-9]_*.py")) for found in _ids(path)]
    near = difflib.get_close_matches(exercise_id, known, n=3, cutoff=0.0) if known else []
    remedy = f" The nearest are {', '.join(near)}." if near else " There are no exercises yet."
    raise UnknownExercise(f"There is no exercise {exercise_id}.{remedy}")


def _ids(path: Path) -> list[str]:
    return list(dict.fromkeys(re.findall(r'^# %%.*\bexercise="([^"]*)"', path.read_text(encoding="utf-8"), re.M)))


_read: dict[Path, tuple[int, int, Chapter]] = {}


def read(path: Path) -> Chapter:
    """Read one source, once per version of the file. Raises SourceError."""
    try:
        status = path.stat()
        known = _read.get(path)
        if known is None or known[:2] != (status.st_mtime_ns, status.st_size):
            known = (status.st_mtime_ns, status.st_size, parse(path.read_text(encoding="utf-8"), path))
            _read[path] = known
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot be read ({error})", path=path) from error
    return known[2]


def parse(text: str, path: Path) -> Chapter:
    """Read the text of one source; the file name gives the chapter. Raises SourceError."""
    if not re.match(r"\d\d_\w+$", path.stem):
        raise SourceError("the file name is not NN_slug.py", path=path)
    number = int(path.stem[:2])
    cells = list(_cells(text, path))
    loose = [cell for cell in cells if "exercise" not in cell.metadata]
    code = [cell for cell in loose if cell.kind == "code"]
    if len(code) > 1:
        raise SourceError(
            "a second code cell without an exercise: there is one set-up cell", path=path, line=code[1].line
        )
    setup = code[0].text if code else ""
    imports = _imports(code[0], path) if code else ""

    runs: dict[str, list[Cell]] = {}
    last = None
    for cell in cells:
        exercise = cell.metadata.get("exercise")
        if exercise is None:
            last = None
            continue
        if exercise in runs and exercise != last:
            raise SourceError("the id is used twice", path=path, line=cell.line, exercise=exercise, field="exercise")
        runs.setdefault(exercise, []).append(cell)
        last = exercise
    exercises = tuple(_exercise(exercise, run, imports, number, path) for exercise, run in runs.items())
    prompts = {exercise: tuple(cell.text for cell in run if _is_prompt(cell)) for exercise, run in runs.items()}
    introduction = tuple(cell.text for cell in loose if cell.kind == "markdown")
    return Chapter(number, introduction, setup, exercises, prompts)


def findings(exercise: Exercise) -> list[str]:
    """What an exercise lacks to be published; an empty list when it has all."""
    found = []
    if len(exercise.mistakes) < 3:
        found.append(f"{exercise.id} has {len(exercise.mistakes)} mistakes, at least 3 are needed")
    if not exercise.alternatives:
        found.append(f"{exercise.id} has no alternative: show at least one other correct answer")
    if not exercise.hints:
        found.append(f"{exercise.id} has no hint")
    return found


def learner_cells(path: Path) -> list:
    """The cells of a learner's practice notebook: the set-up, then each prompt and the cell to fill in.

    Ids hang on exercise and role alone, so that rewording keeps them. Raises SourceError.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell

    chapter = read(path)
    cells = [
        new_markdown_cell(text, id=f"introduction-{number}", metadata={"course": {"role": "introduction"}})
        for number, text in enumerate(chapter.introduction, 1)
    ]
    if chapter.setup:
        cells.append(new_code_cell(chapter.setup, id="setup", metadata={"course": {"role": "setup"}}))
    for exercise in chapter.exercises:
        name = f"exercise-{exercise.id.replace('.', '-')}"
        for number, text in enumerate(chapter.prompts[exercise.id], 1):
            cell_id = f"{name}-prompt" if number == 1 else f"{name}-prompt-{number}"
            metadata = {"course": {"exercise": exercise.id, "role": "prompt"}}
            cells.append(new_markdown_cell(text, id=cell_id, metadata=metadata))
        metadata = {"course": {"exercise": exercise.id, "role": "answer"}}
        cells.append(new_code_cell(exercise.stub, id=f"{name}-answer", metadata=metadata))
    return cells


# Reading cells


def _cells(text: str, path: Path) -> Iterator[Cell]:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _MARKER.fullmatch(line)]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        rest = _MARKER.fullmatch(lines[start])["rest"]
        kind = "markdown" if "[markdown]" in rest.partition("=")[0] else "code"
        metadata = _metadata(rest.replace("[markdown]", "", 1) if kind == "markdown" else rest, path, start + 1)
        body = lines[start + 1 : stop]
        if kind == "markdown":
            body = [re.sub(r"^# ?", "", line) for line in body]
        yield Cell(kind, metadata, "\n".join(body).strip("\n"), start + 1)


def _metadata(text: str, path: Path, line: int) -> dict:
    found: dict = {}
    position = 0
    while text[position:].strip():
        match = _KEY.match(text, position)
        if match is None:
            raise SourceError(f"cannot read the cell's metadata at {text[position:].strip()!r}", path=path, line=line)
        try:
            found[match[1]], position = json.JSONDecoder().raw_decode(text, match.end())
        except ValueError:
            raise SourceError(
                'the value is not JSON, such as "text", 3, true or [1]', path=path, line=line, field=match[1]
            ) from None
    return found


def _is_prompt(cell: Cell) -> bool:
    return cell.kind == "markdown" and "role" not in cell.metadata


def _tree(cell: Cell, path: Path, exercise: str = "") -> ast.Module:
    try:
        return ast.parse(cell.text)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 0)
        raise SourceError(f"not Python: {error.msg}", path=path, line=line, exercise=exercise) from error


def _imports(cell: Cell, path: Path) -> str:
    nodes = [node for node in _tree(cell, path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in nodes)


# Putting an exercise together


def _exercise(exercise: str, run: list[Cell], setup: str, number: int, path: Path) -> Exercise:
    def wrong(problem: str, cell: Cell, field: str = "") -> SourceError:
        return SourceError(problem, path=path, line=cell.line, exercise=str(exercise), field=field)

    match = _ID.fullmatch(exercise) if isinstance(exercise, str) else None
    if match is None:
        raise wrong('an id is chapter and number, such as "13.1"', run[0], "exercise")
    if int(match[1]) != number:
        raise wrong(f"the id is not one of chapter {number}", run[0], "exercise")

    by_role: dict[str | None, list[Cell]] = {role: [] for role in (None, *ROLES)}
    for cell in run:
        role = cell.metadata.get("role")
        if role not in by_role:
            raise wrong(f"{role!r} is none of {', '.join(ROLES)}", cell, "role")
        if role is None and cell.kind == "code":
            raise wrong("a code cell without a role", cell, "role")
        if role not in (None, "hint") and cell.kind == "markdown":
            raise wrong(f"a cell of role {role} is code", cell, "role")
        allowed = _FIELDS[role]
        for name, value in cell.metadata.items():
            if name in ("exercise", "role"):
                continue
            if name not in allowed:
                raise wrong(
                    f"unknown here; a cell of role {role} takes {', '.join(allowed) or 'no field'}", cell, name
                )
            kind, said = allowed[name]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise wrong(f"{value!r} is not {said}", cell, name)
        by_role[role].append(cell)

    prompts, answers, checks = by_role[None], by_role["answer"], by_role["check"]
    if not prompts:
        raise wrong("no prompt: a markdown cell without a role", run[0])
    if len(answers) != 1:
        raise wrong(f"{len(answers)} answer cells: there is one", answers[1] if answers else run[0], "role")
    if len(checks) > 1:
        raise wrong(f"{len(checks)} check cells: there is at most one", checks[1], "role")
    heading = re.match(r"#+\s+" + re.escape(exercise) + r"\s+(\S.*)", prompts[0].text)
    if heading is None:
        raise wrong(f'the prompt begins with "### {exercise} Title"', prompts[0])

    answer = answers[0]
    settings = {name: answer.metadata[name] for name in _ANSWER_FIELDS if name in answer.metadata}
    if settings.get("budget", 0) < 0:
        raise wrong("a budget is not negative", answer, "budget")
    if not 0 < settings.get("seconds", 1) <= 60:
        raise wrong("between 0 and 60 seconds", answer, "seconds")
    if unknown := set(map(str, settings.get("datasets", ()))) - set(DATASETS):
        raise wrong(f"{', '.join(sorted(unknown))}: there are {', '.join(DATASETS)}", answer, "datasets")
    if checks and settings.get("calls") == []:
        del settings["calls"]
    for name in ("calls", "datasets"):
        if settings.get(name) == []:
            raise wrong("an empty list checks nothing", answer, name)
    if not all(isinstance(arguments, list) for arguments in settings.get("calls", ())):
        raise wrong("each call is a list of arguments, such as [[1], [2]]", answer, "calls")
    if checks and "calls" in settings:
        raise wrong("a check cell decides what is called: drop calls", answer, "calls")

    stub, solution = _stub_and_solution(answer, wrong)
    tree = _tree(Cell("code", {}, stub, answer.line), path, exercise)
    if not (tree.body and _calls_check(tree.body[-1], exercise)):
        raise wrong(f'the answer cell ends with check("{exercise}")', answer)
    entries = defined_names(tree)
    if not entries:
        raise wrong("the answer cell defines no name outside # solution … # end", answer)
    if len(entries) > 1 and not checks:
        raise wrong(f"defines {', '.join(entries)}: with several names a check cell has to observe them", answer)
    _tree(Cell("code", {}, solution, answer.line), path, exercise)
    if checks:
        names = [node.name for node in _tree(checks[0], path, exercise).body if isinstance(node, ast.FunctionDef)]
        if "observe" not in names:
            raise wrong("the check cell defines no function observe(answer)", checks[0])

    for role, key in (("alternative", "note"), ("mistake", "says")):
        for cell in by_role[role]:
            if not cell.metadata.get(key, "").strip():
                raise wrong("is missing", cell, key)
            if missing := set(entries) - set(defined_names(_tree(cell, path, exercise))):
                raise wrong(f"the {role} does not define {', '.join(sorted(missing))}", cell)

    parts = {
        "prompt": "\n\n".join(cell.text for cell in prompts),
        "stub": stub,
        "solution": solution,
        "check": checks[0].text if checks else "",
        "settings": settings,
    }
    settings = {name: _frozen(value) for name, value in settings.items()}
    return Exercise(
        id=exercise,
        title=heading[1].strip(),
        prompt=parts["prompt"],
        setup=setup,
        stub=stub,
        solution=solution,
        alternatives=tuple(Alternative(cell.text, cell.metadata["note"]) for cell in by_role["alternative"]),
        mistakes=tuple(Mistake(cell.text, cell.metadata["says"]) for cell in by_role["mistake"]),
        hints=tuple(_hint(cell) for cell in by_role["hint"]),
        check=parts["check"],
        entries=entries,
        version=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12],
        path=str(path),
        **settings,
    )


def _stub_and_solution(answer: Cell, wrong) -> tuple[str, str]:
    stub, solution = [], []
    inside = False
    regions = 0
    for line in answer.text.split("\n"):
        text = line.strip()
        if text == _BEGIN:
            if inside:
                raise wrong(f'"{_BEGIN}" twice without "{_END}"', answer)
            inside, regions = True, regions + 1
            stub.append(line[: len(line) - len(line.lstrip())] + "...")
        elif text == _END:
            if not inside:
                raise wrong(f'"{_END}" without "{_BEGIN}"', answer)
            inside = False
        else:
            solution.append(line)
            if not inside:
                stub.append(line)
    if inside or not regions:
        raise wrong(
            f'"{_END if inside else _BEGIN}" is missing: the solution stands between "{_BEGIN}" and "{_END}"', answer
        )
    return "\n".join(stub).strip("\n"), without_helpers("\n".join(solution))


def without_helpers(source: str) -> str:
    """The source without its statements that only call check, hint, start and the like, every other line as it was."""
    lines = source.split("\n")
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    for node in reversed(body):
        if is_helper_call(node):
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")


def is_helper_call(node: ast.stmt) -> bool:
    """Whether a statement only calls one of the notebook's helpers, such as `check("13.1")`."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in HELPERS
    )


def _calls_check(node: ast.stmt, exercise: str) -> bool:
    return is_helper_call(node) and ast.unparse(node) == f"check({exercise!r})"


def defined_names(tree: ast.Module) -> tuple[str, ...]:
    """The names that the top level of a module defines: functions, classes and variables, in order."""
    names = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    return tuple(dict.fromkeys(names))


def _frozen(value):
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def _hint(cell: Cell) -> str:
    if cell.kind == "markdown":
        return cell.text
    return "\n".join(re.sub(r"^# ?", "", line) for line in cell.text.split("\n"))
