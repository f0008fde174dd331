"""The command line of the checks: `python -m checks COMMAND …`.

Each command is the `main(argv)` of one module, imported when it is asked for, so that `verify` starts no kernel
and `catalog` needs no Django.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

COMMANDS = {
    "verify": ("checks.course.guard", "check the course without running it; lists what is missing"),
    "catalog": ("checks.course.catalog", "list every question with its lesson, quiz items and exercises"),
    "proofs": ("checks.quizzes.proof", "run the proof of every quiz item, or of those named"),
    "exercises": ("checks.exercises.rehearsal", "run stub, solution, alternatives and mistakes of every exercise"),
    "grade": ("checks.course.grade", "give the verdicts of answered exercise notebooks"),
    "bench": ("checks.course.bench", "measure the course against its bounds"),
    "progress": ("checks.learner.transfer", "take progress to another machine, or the cards to Anki"),
    "bank": ("checks.quizzes.guesser", "measure how well the quizzes can be guessed without knowing Django"),
}


def available() -> dict[str, tuple[str, str]]:
    """The commands whose module is there."""
    return {name: entry for name, entry in COMMANDS.items() if _exists(entry[0])}


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def usage() -> str:
    """The help text: one line per command."""
    lines = [f"  {name:<10} {summary}" for name, (_, summary) in available().items()]
    return "\n".join(
        [
            "usage: python -m checks COMMAND [ARGUMENTS]",
            "",
            *lines,
            "",
            "`python -m checks COMMAND --help` shows the arguments of a command.",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Run one command with the rest of the arguments; returns its exit status, 2 for a name it does not know."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    name, *rest = argv
    commands = available()
    if name not in commands:
        print(f"python -m checks: there is no command {name!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    return import_module(commands[name][0]).main(rest) or 0


if __name__ == "__main__":
    sys.exit(main())
