"""The syllabus names every question once, and refuses what does not fit."""

import re

import pytest

from checks.syllabus import FILE, LEVELS, QUESTIONS, SyllabusError, load


def test_has_64_questions_numbered_without_a_gap():
    assert list(QUESTIONS) == [f"Q{number:02d}" for number in range(1, 65)]


def test_has_25_chapters_in_order_each_with_one_slug_and_one_title():
    chapters = list(dict.fromkeys((q.chapter, q.slug, q.chapter_title) for q in QUESTIONS.values()))
    assert [number for number, _, _ in chapters] == list(range(1, 26))
    assert all(re.fullmatch(rf"{number:02d}_[a-z_]+", slug) for number, slug, _ in chapters)


def test_a_question_knows_its_chapter_level_and_sources():
    question = QUESTIONS["Q38"]
    assert (question.chapter, question.slug, question.level) == (13, "13_query_performance", "intermediate")
    assert question.sources == ("T17", "A10")
    assert {q.level for q in QUESTIONS.values()} == set(LEVELS)


def test_no_source_asks_two_questions():
    sources = [source for question in QUESTIONS.values() for source in question.sources]
    assert len(sources) == len(set(sources)) == 87


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Q02,1,", "Q01,1,", r"line 3: the id Q01 comes twice"),
        ("Q02,1,", "Q02,one,", r"line 3: `chapter` is 'one'; expected a number"),
        (",basic,T02", ",easy,T02", r"line 3: `level` is 'easy'; expected one of basic"),
        (",basic,T02 B1 M4", ",basic,", r"line 3: `sources` is missing"),
        ("Q02,1,01_django", "Q02,1,02_django", r"line 3: `slug` is '02_django_in_one_hour'; expected .* 01_"),
        ("Q02,1,01_django_in_one_hour", "Q02,1,01_other", r"line 3: chapter 1 is called .*, .*01_other"),
    ],
)
def test_names_the_line_and_the_field_that_do_not_fit(tmp_path, old, new, said):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "syllabus.csv"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SyllabusError, match=said):
        load(broken)
