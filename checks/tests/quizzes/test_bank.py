"""The bank is read whole, and an item that is not sound is refused with its place and the remedy."""

import pytest

from checks.quizzes import bank
from checks.quizzes.bank import BankError, UnknownQuiz
from checks.tests.quizzes.sample import ITEMS

SINGLE = """
[[item]]
id = "Q38-1"
question = "Q38"
kind = "single"
prompt = "How many?"

[[item.choices]]
text = "One"
correct = true
explain = "Because."

[[item.choices]]
text = "Two"
correct = false
explain = "Not so."

[item.proof]
code = "assert 1 + 1 == 2"
"""
MULTIPLE = SINGLE.replace('"single"', '"multiple"')
ORDER = """
[[item]]
id = "Q39-1"
question = "Q39"
kind = "order"
prompt = "In which order?"

[[item.choices]]
text = "First"
explain = "It begins."

[[item.choices]]
text = "Second"
explain = "It follows."

[[item.choices]]
text = "Third"
explain = "It ends."

[item.proof]
code = "raises(ValueError, int, 'x')"
"""
THIRD = """[[item.choices]]
text = "Third"
explain = "It ends."
"""
PREDICT = """
[[item]]
id = "Q38-2"
question = "Q38"
kind = "predict"
prompt = "What does it print?"
code = '''
print(len(queries))
'''
answer = 21
explain = "Count them."

[item.proof]
code = "assert output() == str(answer)"
"""


def write(folder, text, name="13_query_performance.toml"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_reads_the_items_of_a_folder_by_id(tmp_path):
    write(tmp_path, SINGLE + PREDICT + ORDER)
    items = bank.load(tmp_path)
    assert list(items) == ["Q38-1", "Q38-2", "Q39-1"]
    assert [choice.correct for choice in items["Q38-1"].choices] == [True, False]
    assert items["Q38-2"].answer == 21
    assert items["Q38-2"].code == "print(len(queries))"
    assert [choice.text for choice in items["Q39-1"].choices] == ["First", "Second", "Third"]


def test_reads_one_file(tmp_path):
    assert list(bank.load(write(tmp_path, ORDER))) == ["Q39-1"]


def test_the_bank_of_the_course_is_sound():
    assert all(item.id.startswith(item.question) for item in bank.load().values())


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (SINGLE, 'id = "Q38-1"\n', "", r"item number 1, `id`: is missing"),
        (SINGLE, '"Q38-1"', '"Q39-1"', r"Q39-1, `id`: expected Q38- and a number"),
        (SINGLE, '"Q38-1"', '"Q38-0"', r"Q38-0, `id`: expected Q38- and a number"),
        (SINGLE, 'question = "Q38"', 'question = "Q65"', r"`question`: 'Q65' is not in the syllabus"),
        (SINGLE, 'question = "Q38"', 'question = "Q27"', r"`question`: Q27 belongs to 10_reading_data.toml"),
        (SINGLE, 'kind = "single"', 'kind = "choice"', r"`kind`: is 'choice'; expected one of single, multiple"),
        (SINGLE, 'prompt = "How many?"', 'prompt = " "', r"`prompt`: is missing"),
        (SINGLE, 'prompt = "How many?"', "prompt = 3", r"`prompt`: is 3; expected text"),
        (SINGLE, "prompt =", "promt =", r"`promt`: no such field; did you mean `prompt`\?"),
        (SINGLE, "correct = false", "correct = true", r"`choices`: 2 are correct; expected exactly one"),
        (SINGLE, "correct = true", "correct = false", r"`choices`: 0 are correct; expected exactly one"),
        (SINGLE, "correct = true\n", "", r"`choices\[1\]\.correct`: is missing: expected true or false"),
        (SINGLE, 'explain = "Not so."', 'explain = ""', r"`choices\[2\]\.explain`: is missing"),
        (SINGLE, 'explain = "Not so."', 'why = "x"', r"`choices\[2\]\.why`: no such field"),
        (SINGLE, 'text = "Two"', 'text = "One"', r"`choices`: two of them say the same"),
        (SINGLE, 'text = "Two"', 'text = "All of the above"', r"`choices\[2\]\.text`: .* refers to the other choices"),
        (SINGLE, 'kind = "single"', 'kind = "single"\nanswer = 1', r"`answer`: has no place in a single item"),
        (SINGLE, "[item.proof]", "[item.prof]", r"`prof`: no such field; did you mean `proof`"),
        (SINGLE, "code =", "cod =", r"`proof\.cod`: no such field; did you mean `code`"),
        (SINGLE, "assert 1 + 1 == 2", "1 + 1 == 2", r"`proof\.code`: asserts nothing"),
        (SINGLE, "assert 1 + 1 == 2", "assert 1 +", r"`proof\.code`: is not Python: .* \(line 1\)"),
        (SINGLE, 'kind = "single"', 'kind = "multiple"\nlanguage = 1', r"`language`: is 1; expected text"),
        (MULTIPLE, "correct = false", "correct = true", r"2 of 2 are correct; expected at least one of either sort"),
        (SINGLE, 'kind = "single"', 'kind = "number"', r"`choices`: have no place in a number item"),
        (ORDER, 'explain = "It ends."', "correct = true", r"`choices\[3\]\.correct`: no such field"),
        (ORDER, THIRD, "", r"`choices`: there are 2; expected 3 to 9"),
        (PREDICT, "answer = 21", "", r"`answer`: is missing"),
        (PREDICT, "answer = 21", "answer = true", r"`answer`: is True; expected a number or text"),
        (PREDICT, "answer = 21", 'answer = "a\\nb"', r"`answer`: has several lines"),
        (PREDICT, 'explain = "Count them."', "", r"`explain`: is missing"),
        (PREDICT, "print(len(queries))", "", r"`code`: is missing"),
        (PREDICT, "print(len(queries))", "print(", r"`code`: is not Python"),
        (PREDICT, "answer = 21", 'answer = 21\nlanguage = "sql"', r"`language`: is 'sql'; the code of a predict item"),
        (PREDICT, "assert output() == str(answer)", "assert output()", r"`proof\.code`: does not compare .* 21"),
        (PREDICT, 'kind = "predict"', 'kind = "number"\nchoices = []', r"`choices`: have no place in a number item"),
    ],
)
def test_names_file_item_and_field_of_what_is_not_sound(tmp_path, text, old, new, said):
    bank.load(write(tmp_path, text))
    assert old in text
    with pytest.raises(BankError, match=said) as caught:
        bank.load(write(tmp_path, text.replace(old, new, 1)))
    assert str(caught.value).startswith("13_query_performance.toml, ")


def test_refuses_an_id_used_twice_and_names_both_files(tmp_path):
    write(tmp_path, SINGLE + SINGLE)
    with pytest.raises(BankError, match=r"Q38-1, `id`: used twice \(also in 13_query_performance.toml\)"):
        bank.load(tmp_path)


def test_refuses_a_file_that_no_chapter_is_named_after(tmp_path):
    with pytest.raises(BankError, match=r"13_performance.toml: no .* the nearest is 13_query_performance.toml"):
        bank.load(write(tmp_path, SINGLE, "13_performance.toml"))


def test_refuses_a_file_that_is_not_toml(tmp_path):
    with pytest.raises(BankError, match=r"13_query_performance.toml: cannot be read: .*line 2"):
        bank.load(write(tmp_path, "\nid = x y"))


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BankError, match=r"13_query_performance.toml: cannot be read"):
        bank.load(tmp_path / "13_query_performance.toml")


@pytest.mark.parametrize("proof", ["assert seen.endswith('LIMIT 21')", "assert len(seen) == 21", "assert x == answer"])
def test_a_proof_may_name_the_answer_in_several_ways(tmp_path, proof):
    bank.load(write(tmp_path, PREDICT.replace("assert output() == str(answer)", proof)))


SAMPLE = {item.id: item for item in ITEMS}


def test_selects_the_items_of_a_question_or_one_item():
    assert [item.id for item in bank.select("Q36", SAMPLE)] == list(SAMPLE)
    assert [item.id for item in bank.select(" q36-2 ", SAMPLE)] == ["Q36-2"]


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("Q99", r"There is no question Q99. There are quizzes for Q36. The nearest is quiz\(\"Q36\"\)"),
        ("Q36-9", r"no quiz item Q36-9: Q36 has Q36-1, Q36-2, Q36-3, Q36-4, Q36-5. The nearest is quiz\(\"Q36-\d\"\)"),
        ("Q38", r"Q38 \(select_related vs prefetch_related .*\) has no quiz yet. There are quizzes for Q36."),
        ("", r"There is no question"),
    ],
)
def test_says_what_there_is_when_a_quiz_is_unknown(ref, said):
    with pytest.raises(UnknownQuiz, match=said):
        bank.select(ref, SAMPLE)


def test_says_so_when_there_are_no_quizzes_at_all():
    with pytest.raises(UnknownQuiz, match="There are quizzes for no question yet"):
        bank.select("Q38", {})
