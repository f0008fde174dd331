from html.parser import HTMLParser

from checks.exercises.presentation import as_html, as_text, highlighted, hint_shown, inline, lessons_shown
from checks.exercises.source import find
from checks.exercises.verdict import Lesson, Verdict, lessons

from .conftest import SAMPLE

WRONG = Verdict(
    "13.1",
    "0",
    "wrong",
    "Use `select_related`, not a <loop>.",
    details=("`Book.author` was loaded 9 times.",),
    lines=((2, "for book in books:"),),
    output="<b>printed</b>",
)


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def balanced(html):
    parser = Balance()
    parser.feed(html)
    return parser.open == []


def test_a_verdict_reads_in_plain_text():
    assert as_text(WRONG).splitlines() == [
        "✗ 13.1 wrong: Use `select_related`, not a <loop>.",
        "  `Book.author` was loaded 9 times.",
        "  line 2: for book in books:",
        "  It printed:",
        "  | <b>printed</b>",
    ]


def test_a_verdict_in_html_escapes_what_a_learner_wrote():
    html = as_html(WRONG)
    assert "Use <code>select_related</code>, not a &lt;loop&gt;." in html
    assert "&lt;b&gt;printed&lt;/b&gt;" in html
    assert balanced(html)


def test_colours_are_those_of_the_notebooks_theme():
    html = as_html(WRONG)
    assert "var(--jp-error-color1" in html
    assert '<span style="color: var(--jp-mirror-editor-keyword-color)">for</span>' in html


def test_a_pass_shows_the_ways_and_hides_what_was_printed():
    verdict = Verdict(
        "13.1", "0", "correct", "Correct.", output="noise", lessons=(Lesson("The reference", "a = 1", "Short."),)
    )
    assert as_text(verdict) == "✓ 13.1 correct: Correct.\n\nThe reference: Short.\n    a = 1"
    assert "noise" not in as_html(verdict)
    assert balanced(as_html(verdict))


def test_notebooks_get_both():
    assert set(WRONG._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert str(WRONG) == as_text(WRONG)


def test_a_hint_says_how_many_are_left():
    exercise = find("91.1", SAMPLE)
    assert "1 more hint." in str(hint_shown(exercise, 1))
    assert "That was the last hint." in str(hint_shown(exercise, 2))


def test_a_solution_shows_every_way():
    exercise = find("91.1", SAMPLE)
    shown = lessons_shown(exercise, lessons(exercise))
    assert "def dearest():" in shown.text
    assert "The queryset&#x27;s own word" in shown.html or "The queryset's own word" in shown.html
    assert balanced(shown.html)


def test_code_keeps_its_spaces():
    assert highlighted("a  = 1\n\n").endswith("\n\n")
    assert inline("a\nb `c` <d>") == "a<br>b <code>c</code> &lt;d&gt;"
