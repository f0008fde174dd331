"""Exercises that check themselves: an answer cell goes to a separate process, a verdict comes back."""

from checks.exercises.session import check, hint, solution

__all__ = ["check", "hint", "solution"]
