"""Quizzes in a notebook: `quiz("Q38")`."""

from __future__ import annotations

__all__ = ["quiz"]


def quiz(ref: str):
    """Ask the quiz items of a question (`"Q38"`), or one of them (`"Q38-1"`).

    Returns a widget, which the notebook shows when the call is the last line of a cell. Where ipywidgets and
    anywidget are not installed, prints the items instead.

    Raises:
        UnknownQuiz: no item goes by that name; the message says which there are.
        BankError: a file of the bank is not sound.
    """
    from checks.quizzes import bank, fallback

    items = bank.select(ref)
    name = str(ref).strip().upper()
    if not fallback.has_widgets():
        print(fallback.text(name, items))
        return None
    from checks.quizzes.widget import Quiz

    return Quiz(name, items)
