import pytest

from checks.course.guards import practice

CHOICE = """
[[item]]
id = "Q64-{number}"
question = "Q64"
kind = "single"
prompt = "What is {number}?"
[[item.choices]]
text = "a choice of many words that is right, number {number}"
correct = true
explain = "Yes."
[[item.choices]]
text = "short {number}"
correct = false
explain = "No."
[item.proof]
code = "assert True"
"""


def test_an_item_that_is_not_sound(bench):
    kind = 'kind = "{}"\nprompt = "How much is 2?"'
    bench.replace(bench.bank, kind.format("number"), kind.format("guess"))
    (finding,) = bench.findings(practice.bank)
    assert "checks/bank/25_deployment.toml" in finding
    assert "Q64-2" in finding


def test_an_id_used_twice(bench):
    bench.replace(bench.bank, 'id = "Q64-2"', 'id = "Q64-1"')
    assert "used twice" in bench.findings(practice.bank)[0]


def test_a_question_with_too_few_items(bench):
    text = bench.bank.read_text(encoding="utf-8")
    bench.bank.write_text(text[: text.index('\n[[item]]\nid = "Q64-3"')], encoding="utf-8")
    assert "Q64: has 2 items; write at least 3" in bench.findings(practice.bank)[0]


@pytest.mark.parametrize(("count", "level"), [(99, "warning"), (100, "error")])
def test_a_bank_that_can_be_guessed(bench, count, level):
    bench.bank.write_text("".join(CHOICE.format(number=number) for number in range(1, count + 1)), encoding="utf-8")
    guessed = [finding for finding in bench.findings(practice.bank) if "guessing by longest choice" in finding]
    assert guessed[0].startswith(level)


def test_a_chapter_without_exercises(bench):
    bench.exercises.unlink()
    assert "exercises/source/25_deployment.py, : does not exist" in bench.findings(practice.exercises)[0]


def test_too_few_exercises(bench):
    text = bench.exercises.read_text(encoding="utf-8")
    bench.exercises.write_text(text[: text.index('# %% [markdown] exercise="25.6"')], encoding="utf-8")
    assert "has 5 exercises; write at least 6" in bench.findings(practice.exercises)[0]


def test_too_few_mistakes(bench):
    bench.replace(bench.exercises, '# %% exercise="25.2" role="mistake" says="That is two more."\n'
                  "def answer():\n    return 2 + 2\n", "")  # fmt: skip
    assert "25.2: has 2 mistakes" in bench.findings(practice.exercises)[0]


def test_no_hint(bench):
    bench.replace(bench.exercises, '# %% exercise="25.3" role="hint"\n# Use `return`.\n', "")
    assert "25.3: has no hint" in bench.findings(practice.exercises)[0]


def test_no_alternative(bench):
    bench.replace(bench.exercises, '# %% exercise="25.4" role="alternative" note="Says the same."\n'
                  "def answer():\n    return int(4)\n", "")  # fmt: skip
    assert "25.4: has no alternative" in bench.findings(practice.exercises)[0]


def test_an_exercise_of_another_chapter(bench):
    bench.replace(bench.exercises, 'exercise="25.5"', 'exercise="24.5"')
    assert "24.5" in bench.findings(practice.exercises)[0]


@pytest.mark.parametrize("call", ['quiz("Q65")', 'quiz("Q64-9")', 'check("25.9")', 'hint("24.1")'])
def test_a_call_of_something_that_does_not_exist(bench, call):
    bench.replace(bench.lesson, "print(2)", call)
    assert f"calls {call}, which does not exist" in bench.findings(practice.known_ids)[0]


def test_a_question_without_a_rubric(bench):
    text = bench.bank.read_text(encoding="utf-8")
    bench.bank.write_text(text[: text.index("\n[[rubric]]")], encoding="utf-8")
    assert "Q64: has no rubric" in bench.findings(practice.rubrics)[0]


def test_a_point_that_the_spoken_answer_does_not_make(bench):
    bench.replace(bench.bank, 'quote = "the same code runs"', 'quote = "the checklist"')
    (finding,) = bench.findings(practice.rubrics)
    assert "the quote “the checklist” is not in the spoken answer" in finding


def test_a_point_for_seniors_that_the_lesson_does_not_make(bench):
    bench.replace(bench.bank, 'quote = "the checklist"', 'quote = "the cheque list"')
    assert "is not in the lesson" in bench.findings(practice.rubrics)[0]


def test_a_rubric_that_is_not_sound(bench):
    bench.replace(bench.bank, 'role = "senior"', 'role = "boss"')
    (finding,) = bench.findings(practice.rubrics)
    assert "checks/bank/25_deployment.toml" in finding
    assert "expected one of junior, mid, senior" in finding
