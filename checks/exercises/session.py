"""What a learner calls in an exercise notebook: check, hint and solution."""

import builtins
import sys
from contextlib import contextmanager
from types import BuiltinFunctionType

from checks.exercises import source as sources

ATTEMPTS = 3  # after as many tries the solution is shown without further asking

_hints_without_journal: dict[str, int] = {}
_builtins = {name: value for name, value in vars(builtins).items() if type(value) in (type, BuiltinFunctionType)}


def check(exercise_id: str):
    """Check the answer in the cell that calls this, show the verdict, and remember the attempt.

    The cell is run again elsewhere: in a separate process, on data seen and unseen, with the imports of the notebook's
    first cell. Nothing is raised, whatever the answer does.
    """
    if not _is_id(exercise_id):
        return
    source = running_cell()
    if source is None:
        _show_sentence(
            f'check("{exercise_id}") checks the notebook cell that it stands in, and this is not one: '
            "open the chapter's exercises in JupyterLab."
        )
        return
    with _own_builtins():
        _show(checked(exercise_id, source))


def checked(exercise_id: str, source: str):
    """The verdict on an answer, whose attempt is remembered; a sentence to show where it cannot be checked."""
    from checks.exercises.examiner import ExaminerError, examine
    from checks.exercises.presentation import sentence_shown

    try:
        verdict = examine(exercise_id, source, sources.FOLDER)
    except (sources.UnknownExercise, sources.SourceError, ExaminerError) as error:
        return sentence_shown(str(error))
    _remember(verdict, source)
    return verdict


def hint(exercise_id: str):
    """Show the next hint of an exercise, and how many are left."""
    from checks.exercises.presentation import hint_shown

    exercise = _find(exercise_id)
    if exercise is None:
        return
    if not exercise.hints:
        _show_sentence(f"Exercise {exercise_id} has no hints.")
        return
    number = min(_hints_taken(exercise_id) + 1, len(exercise.hints))
    _show(hint_shown(exercise, number))
    _hints_without_journal[exercise_id] = number
    _journal(lambda journal: journal.hint(exercise_id, number))


def solution(exercise_id: str, *, anyway: bool = False):
    """Show the reference and the alternatives of an exercise: after a pass, after three tries, or `anyway`."""
    from checks.exercises.presentation import lessons_shown
    from checks.exercises.verdict import lessons

    exercise = _find(exercise_id)
    if exercise is None:
        return
    attempts = _journal(lambda journal: journal.attempts(exercise_id)) or []
    passed = any(attempt.outcome == "correct" for attempt in attempts)
    tries = len({attempt.source for attempt in attempts if attempt.outcome not in ("correct", "not attempted")})
    if passed or anyway or tries >= ATTEMPTS:
        _show(lessons_shown(exercise, lessons(exercise)))
        return
    made = {0: "none yet", 1: "one so far"}.get(tries, f"{tries} so far")
    _show_sentence(
        f"A solution says more once you have tried: it opens after a pass, or after {ATTEMPTS} different tries "
        f"({made}). "
        f'`hint("{exercise_id}")` gives the next step; `solution("{exercise_id}", anyway=True)` shows it all the same.'
    )


def running_cell() -> str | None:
    """The source of the cell that is being run, or None outside a notebook."""
    shell = _shell()
    if shell is None:
        return None
    try:
        # The request that is being answered: right whatever is stored in the history, out of order as well.
        code = shell.get_parent()["content"]["code"]
        if isinstance(code, str):
            return code
    except (AttributeError, KeyError, TypeError):
        pass  # not ipykernel, or called by a widget
    try:
        return shell.history_manager.input_hist_raw[-1]
    except (AttributeError, IndexError):
        return None


@contextmanager
def _own_builtins():
    """Python's own builtins for as long as a check takes: the cell that it stands in may have replaced some."""
    names = builtins.__dict__
    replaced = {}
    for name, value in _builtins.items():
        if names.get(name) is not value:
            replaced[name] = names.get(name)
            names[name] = value
    try:
        yield
    finally:
        for name, value in replaced.items():
            names[name] = value


def _shell():
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _is_id(exercise_id) -> bool:
    if isinstance(exercise_id, str):
        return True
    _show_sentence(f'An exercise is named in quotes, such as check("13.1"), not {exercise_id!r}.')
    return False


def _find(exercise_id: str):
    if not _is_id(exercise_id):
        return None
    try:
        return sources.find(exercise_id)
    except (sources.UnknownExercise, sources.SourceError) as error:
        _show_sentence(str(error))
        return None


def _show(shown):
    if _shell() is None:
        print(shown)
        return
    from IPython.display import display

    display(shown)


def _show_sentence(text: str):
    from checks.exercises.presentation import sentence_shown

    _show(sentence_shown(text))


def _remember(verdict, source: str):
    _journal(
        lambda journal: journal.attempt(
            verdict.exercise,
            verdict.version,
            verdict.outcome,
            source,
            mistake=None if verdict.mistake is None else str(verdict.mistake),
            detail=verdict.message,
            hints=_hints_taken(verdict.exercise),
        )
    )


def _hints_taken(exercise_id: str) -> int:
    return max(_journal(lambda journal: journal.hints(exercise_id)) or 0, _hints_without_journal.get(exercise_id, 0))


def _journal(use):
    """What `use` does with the learner's journal; None where it cannot be used. It reports its own troubles."""
    try:
        from checks.learner.journal import Journal

        return use(Journal())
    except Exception as error:  # learning goes on without it
        print(f"Your progress was not saved ({type(error).__name__}: {error}).", file=sys.stderr)
        return None
