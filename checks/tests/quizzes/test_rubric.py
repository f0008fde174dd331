"""Rubrics are read from the bank's files, and refused where they are not sound."""

import pytest

from checks.quizzes.bank import BankError
from checks.quizzes.bank import load as load_items
from checks.quizzes.rubric import load

POINT = '{{ text = "{}", quote = "said so" }}'
THREE = [POINT.format(text) for text in ("one", "two", "three")]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "13_query_performance.toml"

    def write(points, question="Q38", more=""):
        text = f'[[rubric]]\nquestion = "{question}"\n{more}\npoints = [\n' + ",\n".join(points) + "\n]\n"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_points_keep_their_order_and_role(file):
    (rubric,) = load(file([*THREE, '{ text = "four", quote = "q", role = "senior" }'])).values()
    assert [point.text for point in rubric.points] == ["one", "two", "three", "four"]
    assert [point.role for point in rubric.points] == ["junior", "junior", "junior", "senior"]
    assert rubric.points[0].quote == "said so"


def test_more_is_asked_of_a_senior(file):
    points = [*THREE, '{ text = "m", quote = "q", role = "mid" }', '{ text = "s", quote = "q", role = "senior" }']
    (rubric,) = load(file(points)).values()
    assert [len(rubric.asked_of(role)) for role in ("junior", "mid", "senior")] == [3, 4, 5]


def test_the_version_changes_with_what_is_asked_and_not_with_its_quote(file):
    version = load(file(THREE))["Q38"].version
    assert load(file([point.replace("said so", "said otherwise") for point in THREE]))["Q38"].version == version
    assert load(file([point.replace("one", "won") for point in THREE]))["Q38"].version != version


def test_items_and_rubrics_stand_in_one_file(file):
    path = file(THREE)
    assert load_items(path) == {}
    assert list(load(path)) == ["Q38"]


@pytest.mark.parametrize(
    ("points", "options", "says"),
    [
        (THREE[:2], {}, r"13_query_performance.toml, rubric Q38, `points`: there are 2; expected 3 to 5"),
        (THREE * 2, {}, "there are 6"),
        ([*THREE[:2], '{ text = "s", quote = "q", role = "senior" }'], {}, "fewer than 3 are asked of everybody"),
        ([*THREE, THREE[0]], {}, "say the same"),
        ([*THREE, '{ text = "x" }'], {}, r"`points.quote`: is missing"),
        ([*THREE, '{ text = "x", quote = "q", role = "boss" }'], {}, "expected one of junior, mid, senior"),
        ([*THREE, '{ text = "x", quote = "q", rolle = "mid" }'], {}, "no such field"),
        (THREE, {"question": "Q01"}, "expected a question of this chapter"),
        (THREE, {"more": "level = 1"}, r"`level`: no such field"),
    ],
)
def test_what_is_not_sound_is_refused_with_its_place(file, points, options, says):
    with pytest.raises(BankError, match=says):
        load(file(points, **options))


def test_a_question_has_one_rubric(file):
    path = file(THREE)
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(BankError, match="comes twice"):
        load(path)
