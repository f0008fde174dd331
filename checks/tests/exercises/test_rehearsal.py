import pytest

from checks.exercises.rehearsal import main
from checks.exercises.source import load

from .conftest import SAMPLE

SOURCE = (SAMPLE / "91_sample.py").read_text(encoding="utf-8")
# One exercise and what it needs of the first cells.
ONE = (
    SOURCE[: SOURCE.index('# %% [markdown] exercise="91.1"')]
    + SOURCE[SOURCE.index('# %% [markdown] exercise="91.6"') :]
)


def rehearsed(tmp_path, capsys, text, *ids):
    (tmp_path / "91_sample.py").write_text(text, encoding="utf-8")
    code = main(list(ids), tmp_path)
    return code, capsys.readouterr().out.splitlines()


def test_the_sample_holds(capsys):
    assert main([], SAMPLE) == 0
    runs = sum(3 + len(one.alternatives) + len(one.mistakes) for one in load(folder=SAMPLE).values())
    assert capsys.readouterr().out == f"6 exercises, {runs} runs, 0 failures.\n"


def test_only_what_is_asked_for_is_rehearsed(capsys):
    assert main(["91.6"], SAMPLE) == 0
    assert capsys.readouterr().out == "1 exercises, 7 runs, 0 failures.\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    return 1\n    # end",
            "    return 2\n    # end",
            "91.6 mistake 1: the data cannot tell this mistake: it passes as correct",
        ),
        (
            "    # solution\n    return 1\n    # end",
            "    return 1\n    # solution\n    # end",
            "91.6 emptied stub: what the learner is given passes already",
        ),
        (
            "    return 1\n    # end",
            "    return undefined\n    # end",
            "91.6 solution: judged error, must be correct.",
        ),
        ("flat=True)[0]", "flat=True)[1]", "91.6 alternative 1: judged wrong, must be correct. Two is not one."),
        ("    return 3", "    return 2", "91.6 mistake 2: taken for mistake 1: the data cannot tell the two apart"),
        ("    return 3", "    return 1", "91.6 mistake 2: the data cannot tell this mistake: it passes as correct"),
        (
            "    return 3",
            "    import time\n    time.sleep(9)",
            "91.6 mistake 2: its sentence is not shown. Your code ran longer than 1.5",
        ),
        ('# %% exercise="91.6" role="hint"\n# One.\n', "", "91.6 has no hint"),
    ],
)
def test_each_failure_is_seen(old, new, said, tmp_path, capsys):
    assert old in ONE
    code, lines = rehearsed(tmp_path, capsys, ONE.replace(old, new, 1))
    assert code == 1
    assert any(line.startswith(said) for line in lines), lines


def test_too_few_mistakes_and_no_alternative_are_failures(tmp_path, capsys):
    start, end = (
        ONE.index('# %% exercise="91.6" role="alternative"'),
        ONE.index('# %% exercise="91.6" role="mistake" says="Three'),
    )
    code, lines = rehearsed(tmp_path, capsys, ONE[:start] + ONE[end:])
    assert code == 1
    assert lines[:2] == [
        "91.6 has 2 mistakes, at least 3 are needed",
        "91.6 has no alternative: show at least one other correct answer",
    ]


def test_a_source_that_cannot_be_read_is_a_failure(tmp_path, capsys):
    (tmp_path / "91_sample.py").write_text(ONE.replace("seconds=1.5", "seconds=soon"), encoding="utf-8")
    assert main([], tmp_path) == 1
    assert "91_sample.py, line" in capsys.readouterr().err


def test_nothing_to_rehearse_is_a_failure(tmp_path, capsys):
    assert main([], tmp_path) == 1
    assert main(["91.9"], SAMPLE) == 2
    assert "There is no exercise 91.9. The nearest are" in capsys.readouterr().err
