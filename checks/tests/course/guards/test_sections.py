import pytest

from checks.course.guards import sections
from checks.tests.course.conftest import SPOKEN


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("## Q64 · What", "## Q63 · What", "answers Q63"),
        ("## Q64 · What", "### Q64 · What", "answers none"),
        ("asked as ", "from ", "has no line with its level and sources"),
        ("asked as ", "asked as Z9, ", "says it is asked as Z9"),
        (SPOKEN, "Too short.", "the spoken answer has 2 words"),
        (SPOKEN, SPOKEN + " " + SPOKEN, "the spoken answer has 108 words"),
        ("**Say it.** ", "", "has no **Say it.**"),
        ("**The trap.** ", "", "has no **The trap.**"),
        ("# %%\nprint(2)\n", "", "**See it** has 2 code cells"),
        ('# %% tags=["raises-exception"]\n1 / 0\n', "", "**The trap** is claimed, not shown"),
        ("# - *When?* Now:", "#", "**Asked next** has 1 follow-ups"),
        ('# %%\nprint("now")\n', "", "**Asked next** shows nothing live"),
        ('quiz("Q64")', 'quiz("Q63")', "has no quiz"),
        ("../exercises/25_deployment.ipynb", "../exercises/24_x.ipynb", "does not lead to the exercises"),
    ],
)
def test_a_missing_part(bench, old, new, finding):
    bench.replace(bench.lesson, old, new)
    assert any(finding in found for found in bench.findings(sections.completeness))


def test_the_wrong_level(bench):
    text = bench.lesson.read_text(encoding="utf-8")
    level = next(word for word in ("Basic", "Intermediate", "Advanced") if f"*{word} · " in text)
    bench.replace(bench.lesson, f"*{level} · ", "*Easy · ")
    assert "says it is Easy" in bench.findings(sections.completeness)[0]


def test_an_unwritten_chapter_is_not_asked_for(bench):
    bench.lesson.unlink()
    assert bench.findings(sections.completeness) == []


def test_links_count_as_the_words_one_reads():
    assert sections.words("See [the long docs](https://example.org/a-b c) – and `F()`.") == 6
