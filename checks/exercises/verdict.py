"""From observations of an answer and of the reference to a verdict in words."""

import ast
import difflib
from collections import Counter
from dataclasses import dataclass, field

from checks.exercises import difference
from checks.exercises.source import Exercise, defined_names, is_helper_call, without_helpers
from checks.exercises.trial import Observation

NOT_ATTEMPTED, ERROR, WRONG, SLOW, CORRECT = OUTCOMES = ("not attempted", "error", "wrong", "slow", "correct")

DATASET_NAMES = {
    "shop": "the shop's data",
    "edge": "data with NULLs, ties, equal names and empty relations",
    "empty": "an empty database",
}


@dataclass(frozen=True)
class Lesson:
    """A way to solve an exercise, shown after a pass."""

    title: str
    source: str
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer.

    `message` is one sentence, `details` are further ones; `lines` are the learner's lines (number, text) meant there.
    `mistake` is the number (from 1) of the classic mistake recognised. `output` is what the answer printed.
    """

    exercise: str
    version: str
    outcome: str
    message: str
    details: tuple[str, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    mistake: int | None = None
    queries: int | None = None
    budget: int | None = None
    output: str = ""
    lessons: tuple[Lesson, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        return self.outcome == CORRECT

    def __str__(self) -> str:
        from checks.exercises.presentation import as_text

        return as_text(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from checks.exercises.presentation import as_html, as_text

        return {"text/plain": as_text(self), "text/html": as_html(self)}


def verdict(exercise: Exercise, outcome: str, message: str, **parts) -> Verdict:
    """A verdict on an exercise."""
    return Verdict(exercise.id, exercise.version, outcome, message, budget=exercise.budget, **parts)


# Before anything runs


def unread(exercise: Exercise, source: str) -> Verdict | None:
    """The verdict on an answer that need not run: not attempted, or not Python. None for any other."""
    if len(source) > 100_000:
        return verdict(exercise, ERROR, "The cell is longer than 100,000 characters: a check does not read that.")
    try:
        tree = ast.parse(source)
        stub = ast.parse(exercise.stub)
        unchanged = ast.dump(_answer(tree)) == ast.dump(_answer(stub))
        unsolved = _unsolved(tree) & _unsolved(stub)
    except SyntaxError as error:
        return _syntax_error(exercise, source, error)
    except (RecursionError, MemoryError, ValueError):
        return verdict(
            exercise, ERROR, "Python cannot read the cell: it is nested too deeply, or holds odd characters."
        )
    if unchanged or unsolved:
        return verdict(
            exercise, NOT_ATTEMPTED, f"Exercise {exercise.id} is still open: replace the `...` and run the cell again."
        )
    if not [node for node in tree.body if not is_helper_call(node)]:
        return verdict(
            exercise,
            NOT_ATTEMPTED,
            f"This cell only calls check: write {_names(exercise.entries)} in the same cell, above it.",
        )
    if missing := [entry for entry in exercise.entries if entry not in _bound(tree)]:
        return _missing(exercise, ", ".join(missing), defined_names(tree))
    return None


def _answer(tree: ast.Module) -> ast.Module:
    return ast.Module([node for node in tree.body if not is_helper_call(node)], [])


def _bound(tree: ast.Module) -> set[str]:
    """All names bound anywhere at the top level, also in an if, a with or an import."""
    names = set(defined_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names


def _unsolved(tree: ast.Module) -> set[str]:
    """Where a `...` stands in the place of code: as a whole block, or as a value."""
    found = set()

    def look(node, place):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                code = [
                    inner
                    for inner in block
                    if not (
                        isinstance(inner, ast.Expr)
                        and isinstance(inner.value, ast.Constant)
                        and isinstance(inner.value.value, str)
                    )
                ]
                if len(code) == 1 and isinstance(code[0], ast.Expr) and _is_ellipsis(code[0].value):
                    found.add(f"{place}.{name}")
        for child in ast.iter_child_nodes(node):
            inner = getattr(child, "name", None)
            inside = f"{place}.{inner}" if isinstance(inner, str) else f"{place}.{type(child).__name__}"
            value = getattr(child, "value", None)
            if (
                isinstance(child, ast.Assign | ast.AnnAssign | ast.Return)
                and value is not None
                and _is_ellipsis(value)
            ):
                found.add(f"{inside}: {ast.unparse(child)}")
            look(child, inside)

    look(tree, "")
    return found


def _is_ellipsis(node) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _syntax_error(exercise: Exercise, source: str, error: SyntaxError) -> Verdict:
    lines = source.split("\n")
    number = min(error.lineno or 1, len(lines))
    text = lines[number - 1]
    message = f"{type(error).__name__}: {error.msg}"
    details = ()
    if text.lstrip().startswith(("%", "!")):
        details = ("A check runs plain Python: move magic commands to a cell of their own.",)
    return verdict(exercise, ERROR, message, details=details, lines=((number, text.strip()),))


def _missing(exercise: Exercise, names: str, others: tuple[str, ...] = ()) -> Verdict:
    message = f"This cell does not define {names}: a check looks for that name, in the cell that calls it."
    defined = [name for name in others if name not in exercise.entries]
    details = (f"It defines {', '.join(defined)}.",) if defined else ()
    return verdict(exercise, ERROR, message, details=details)


def _names(entries: tuple[str, ...]) -> str:
    return ", ".join(entries)


# After the runs

_TRACES = {
    "patched": "Your code replaces `{}`, which the check itself relies on: leave it as it is.",
    "directory": "Your code changes the working directory and does not change back.",
    "stdout": "Your code closes or replaces the standard output.",
    "thread": "Your code leaves a thread running: join it before you return.",
    "transaction": "Your code leaves a transaction open: use `transaction.atomic()`, which ends it.",
    "lock": "Your code leaves a lock on the database: close the connection that holds it.",
    "dropped": "Your code drops the table or index `{}`: the exercise is about its rows.",
    "schema": "Your code changes the schema (`{}`), which this exercise does not ask for.",
    "deleted": "Your code deletes or replaces the database file.",
    "damaged": "Your code damages the database file: it can no longer be read.",
    "process": "Your code starts another process, which a check does not allow.",
    "signal": "Your code sends a signal to another process, which a check does not allow.",
    "file": "Your code writes, renames or deletes a file outside its own folder, which a check does not allow ({}).",
}
_DAMAGE = ("dropped", "schema", "deleted", "damaged", "transaction", "lock", "thread")  # the answer's, not the check's
_ENDINGS = {
    "output": "Your code prints more than a megabyte and was stopped: print less.",
    "memory": "Your code takes more than a gigabyte of memory and was stopped: let the database do the work.",
    "processes": "Your code starts process after process and was stopped.",
    "too much": "Your code returns more values than a check can look at: return what the exercise asks for.",
    "broken": "Your code left no readable result: it interferes with the process that runs it.",
}


def troubled(exercise: Exercise, seen: Observation, source: str) -> Verdict | None:
    """The verdict on a run that gave no result to compare, or did more than answer; None for an orderly run."""
    where = DATASET_NAMES[seen.dataset]
    parts = {"output": seen.output, "lines": _lines(seen.error, source)}
    if seen.traces and seen.status not in ("time", "ended", "killed"):
        kind, what = seen.traces[0]
        sentence = _TRACES.get(kind, "Your code interferes with the check.").format(what)
        outcome = WRONG if kind in _DAMAGE else ERROR
        return verdict(exercise, outcome, sentence, **parts)
    match seen.status:
        case "time":
            message = f"Your code ran longer than {exercise.seconds:g} seconds on {where} and was stopped."
            if seen.error.get("in database"):
                message = (
                    f"A query of your code ran longer than {exercise.seconds:g} seconds on {where} and was stopped."
                )
            return verdict(exercise, SLOW, message, **parts)
        case "ended":
            message = f"Your code ends Python itself (exit code {seen.detail}): return the value instead."
            return verdict(exercise, ERROR, message, **parts)
        case "exit":
            return verdict(exercise, ERROR, "Your code calls `sys.exit()`: return the value instead.", **parts)
        case "killed":
            remedy = (
                "often a recursion without end" if seen.detail in ("SIGSEGV", "SIGBUS") else "Python itself crashed"
            )
            return verdict(exercise, ERROR, f"Your code was ended by {seen.detail}: {remedy}.", **parts)
        case "missing":
            return _missing(exercise, seen.detail)
        case status if status in _ENDINGS:
            return verdict(exercise, ERROR, _ENDINGS[status], **parts)
    if seen.status == "error":
        return _error(exercise, seen, source)
    if seen.status != "done":
        return verdict(exercise, ERROR, _ENDINGS["broken"], **parts)
    return None


def _error(exercise: Exercise, seen: Observation, source: str) -> Verdict:
    kind, text = seen.error.get("type", "Error"), seen.error.get("message", "")
    details = []
    if kind == "MemoryError":
        message = "MemoryError: your code asks for more than a gigabyte of memory: let the database do the work."
    elif kind == "RecursionError":
        message = "RecursionError: your code calls itself without end: a recursion needs a case that ends it."
    else:
        first, *rest = text.strip().split("\n") if text.strip() else [""]
        message = f"{kind}: {first}" if first else kind
        details = [line for line in rest if line.strip()][:5]
    if kind in ("NameError", "UnboundLocalError"):
        details.append(
            "Only this cell is run, with the imports of the notebook's first cell: define here what it needs."
        )
    if kind == "TypeError" and text.startswith(tuple(f"{entry}()" for entry in exercise.entries)):
        details.append("It is called as the exercise says: keep the parameters as they were.")
    elif not seen.error.get("frames"):
        details.append("It happened while the check used what your answer returned: is it what the exercise asks for?")
    if seen.dataset != "shop":
        details.append(f"It happened on {DATASET_NAMES[seen.dataset]}.")
    lines = _lines(seen.error, source)
    return verdict(exercise, ERROR, message, details=tuple(details), lines=lines, output=seen.output)


def _lines(error: dict, source: str) -> tuple[tuple[int, str], ...]:
    text = source.split("\n")
    found = []
    for number, _ in error.get("frames", ()):
        if isinstance(number, int) and 0 < number <= len(text) and (number, text[number - 1].strip()) not in found:
            found.append((number, text[number - 1].strip()))
    return tuple(found)


@dataclass(frozen=True)
class Finding:
    """What is not right about an answer on one dataset."""

    dataset: str
    outcome: str
    sentences: tuple[str, ...]
    lines: tuple[tuple[int, str], ...] = ()


def compare(exercise: Exercise, seen: Observation, reference: Observation) -> Finding | None:
    """What differs between an answer's orderly run and the reference's; None when nothing does."""
    for number, (mine, theirs) in enumerate(zip(seen.calls, reference.calls, strict=False)):
        call = _call(exercise, number)
        said = difference.differences(mine["result"], theirs["result"], ordered=exercise.ordered)
        if not said and exercise.ordered and _is_unordered(mine["result"]) and not _is_unordered(theirs["result"]):
            said = [
                "The rows are right and come in order by accident: your queryset has no ORDER BY, so the database may "
                "return them in any order tomorrow."
            ]
        if said:
            return Finding(
                seen.dataset, WRONG, tuple(call + text if place == 0 else text for place, text in enumerate(said))
            )
    if len(seen.calls) != len(reference.calls):
        return Finding(seen.dataset, WRONG, ("The answer could not be called as often as the check calls it.",))
    for number, mine in enumerate(seen.calls):
        if exercise.budget is not None and mine["queries"] > exercise.budget:
            return _over_budget(exercise, seen.dataset, mine, _call(exercise, number))
    return None


def _call(exercise: Exercise, number: int) -> str:
    if exercise.check or exercise.calls == ((),):
        return ""
    arguments = ", ".join(repr(_listed(argument)) for argument in exercise.calls[number])
    return f"For {exercise.entries[0]}({arguments}): "


def _listed(value):
    return [_listed(inner) for inner in value] if isinstance(value, tuple) else value


def _is_unordered(form) -> bool:
    return isinstance(form, list) and form[0] == "queryset" and form[2] is False and len(form[1]) > 1


def _over_budget(exercise: Exercise, dataset: str, mine: dict, call: str) -> Finding:
    allowed = "1 query is" if exercise.budget == 1 else f"{exercise.budget} queries are"
    counted = "1 query ran" if mine["queries"] == 1 else f"{mine['queries']} queries ran"
    first = f"{call}The result is right, but {counted} where {allowed} enough."
    groups = Counter((one["relation"] or "", one["line"] or 0) for one in mine["statements"] if one["relation"])
    by_sql = Counter((one["sql"], one["line"] or 0) for one in mine["statements"])
    sentences, lines = [first], ()
    if groups and groups.most_common(1)[0][1] > 1:
        (relation, line), times = groups.most_common(1)[0]
        sentences.append(
            f"`{relation}` was loaded {times} times, one row at a time{f', by line {line}' if line else ''}."
        )
    elif by_sql and by_sql.most_common(1)[0][1] > 1:
        (_, line), times = by_sql.most_common(1)[0]
        sentences.append(f"The same statement ran {times} times{f', by line {line}' if line else ''}.")
    else:
        line = mine["statements"][-1]["line"] or 0 if mine["statements"] else 0
    if line:
        code = next(one["code"] for one in mine["statements"] if one["line"] == line)
        lines = ((line, code),)
    return Finding(dataset, SLOW, tuple(sentences), lines)


def judge(
    exercise: Exercise,
    source: str,
    seen: dict[str, Observation],
    references: dict[str, Observation],
    mistakes: list[dict[str, Observation]],
) -> Verdict:
    """The verdict on an answer, from its run on each dataset, the reference's and those of the classic mistakes.

    `seen` may end early, at a run that gave no result. `mistakes` may be empty where the answer passes.
    """
    findings = []
    output = next((one.output for one in seen.values() if one.output), "")
    for dataset, one in seen.items():
        if (bad := troubled(exercise, one, source)) is not None:
            number = (
                _recognised(exercise, source, seen, references, mistakes)
                if one.status == "error" and not one.traces
                else None
            )
            if number is not None:
                says = exercise.mistakes[number - 1].says
                bad = Verdict(
                    **{**bad.__dict__, "message": says, "details": (bad.message, *bad.details), "mistake": number}
                )
            return bad
        if (finding := compare(exercise, one, references[dataset])) is not None:
            findings.append(finding)
    if not findings:
        return _passed(exercise, seen, output)
    # What is wrong comes before what is slow, and the data one can see before those one cannot.
    finding = next((one for one in findings if one.outcome == WRONG), findings[0])
    details = list(finding.sentences)
    wrong_on = {one.dataset for one in findings if one.outcome == finding.outcome}
    right_on = [dataset for dataset in seen if dataset not in wrong_on]
    if right_on and finding.dataset != "shop":
        on = " and ".join(DATASET_NAMES[dataset] for dataset in right_on)
        judged = "your answer is right" if finding.outcome == WRONG else "your answer needs few enough"
        details.insert(0, f"On {on} {judged}; on {DATASET_NAMES[finding.dataset]} it is not:")
    number = _recognised(exercise, source, seen, references, mistakes)
    queries = max((call["queries"] for one in seen.values() for call in one.calls), default=None)
    message = details.pop(0) if number is None else exercise.mistakes[number - 1].says
    parts = {"lines": finding.lines, "mistake": number, "queries": queries, "output": output}
    return verdict(exercise, finding.outcome, message, details=tuple(details), **parts)


def _passed(exercise: Exercise, seen: dict[str, Observation], output: str) -> Verdict:
    shown = next(iter(seen.values()))
    queries = max((call["queries"] for call in shown.calls), default=0)
    message = "Correct"
    # Where a check cell looks around by itself, the number is not the answer's.
    if exercise.budget is not None or (queries and not exercise.check):
        message += ", with 1 query" if queries == 1 else f", with {queries} queries"
        if exercise.budget is not None and queries < exercise.budget:
            message += f" (up to {exercise.budget} were allowed)"
    return verdict(exercise, CORRECT, message + ".", queries=queries, output=output, lessons=lessons(exercise))


def lessons(exercise: Exercise) -> tuple[Lesson, ...]:
    """The reference of an exercise and its alternatives, with when each is better."""
    others = (Lesson("Another way", without_helpers(one.source), one.note) for one in exercise.alternatives)
    return (Lesson("The reference", exercise.solution), *others)


# Classic mistakes


def fingerprint(exercise: Exercise, seen: Observation, reference: Observation) -> str:
    """Equal texts for runs of equal effect: the same results, and the same queries where they are over budget."""
    if seen.status == "error":
        return f"{seen.error.get('type')}: {seen.error.get('message')}"
    parts = []
    for mine, theirs in zip(seen.calls, reference.calls, strict=False):
        shape = difference.shape_of(theirs["result"])
        parts.append(_result_text(mine["result"], shape, exercise.ordered, theirs["result"]))
        if exercise.budget is not None and mine["queries"] > exercise.budget:
            parts.append(f"{mine['queries']} queries")
        if exercise.ordered and _is_unordered(mine["result"]):
            parts.append("unordered")
    return "\n".join([seen.status, *parts])


def _result_text(form, shape, ordered, reference) -> str:
    if not ordered and difference.is_rows(form) and difference.is_rows(reference):
        return "\n".join(sorted(difference.canonical(row, shape) for row in form[1]))
    return difference.canonical(form, shape)


def is_equal(exercise: Exercise, seen: dict, others: dict, references: dict) -> bool:
    """Whether two answers had the same effect on every dataset on which both ran."""
    both = [dataset for dataset in exercise.datasets if dataset in seen and dataset in others]
    return bool(both) and all(
        fingerprint(exercise, seen[dataset], references[dataset])
        == fingerprint(exercise, others[dataset], references[dataset])
        for dataset in both
    )


def _recognised(exercise, source, seen, references, mistakes) -> int | None:
    """The number of the classic mistake of the same effect; of several the one that reads most like the answer."""
    same = [number for number, runs in enumerate(mistakes, 1) if is_equal(exercise, seen, runs, references)]
    if not same:
        same = [number for number, runs in enumerate(mistakes, 1) if _same_overrun(exercise, seen, runs, references)]
    mine = without_helpers(source)
    likeness = {
        number: difflib.SequenceMatcher(None, mine, exercise.mistakes[number - 1].source, autojunk=False).ratio()
        for number in (same if len(same) > 1 else ())
    }
    return max(same, key=lambda number: likeness.get(number, 0), default=None)


def _same_overrun(exercise, seen, runs, references) -> bool:
    """Both right, both over budget, and for the same relation, if not with the same number of queries."""
    if exercise.budget is None:
        return False
    for dataset, one in seen.items():
        other = runs.get(dataset)
        if other is None or "error" in (one.status, other.status):
            return False
        for observed in (one, other):
            finding = compare(exercise, observed, references[dataset])
            if finding is not None and finding.outcome != SLOW:
                return False
    mine, theirs = _repeated_relations(seen), _repeated_relations(runs)
    return bool(mine) and mine == theirs


def _repeated_relations(runs: dict[str, Observation]) -> set[str]:
    counted = Counter(one["relation"] for seen in runs.values() for call in seen.calls for one in call["statements"])
    return {relation for relation, times in counted.items() if relation and times > 1}
