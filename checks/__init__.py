"""What a learner calls in a notebook: quizzes, exercises and where one stands.

Each name is imported when it is first asked for: a lesson that only quizzes needs no exercise runner.
"""

from importlib import import_module

__all__ = ["check", "hint", "mock_interview", "placement", "progress", "quiz", "review", "solution"]

_HOMES = {
    "check": "checks.exercises",
    "hint": "checks.exercises",
    "mock_interview": "checks.practice.interview",
    "placement": "checks.practice.adaptive",
    "progress": "checks.learner.readiness",
    "quiz": "checks.quizzes",
    "review": "checks.practice.daily",
    "solution": "checks.exercises",
}


def __getattr__(name):
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__():
    return sorted([*globals(), *__all__])
