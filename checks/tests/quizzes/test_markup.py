"""Markdown and code of the bank become HTML that holds no foreign markup."""

from checks.quizzes.markup import block, highlighted, inline


def test_inline_text_has_no_paragraph_around_it():
    assert inline("Use `Q`, *not*\n**or**.") == "Use <code>Q</code>, <em>not</em> <strong>or</strong>."


def test_html_in_the_bank_is_text_to_read():
    assert inline("a <script>x</script> tag") == "a &lt;script&gt;x&lt;/script&gt; tag"
    assert "<b>" not in block("<b>bold</b>") + highlighted("'<b>'")


def test_fenced_code_is_highlighted():
    html = block("Look:\n\n```python\nfor x in y: pass\n```")
    assert html.startswith("<p>Look:</p>")
    assert '<span class="k">for</span>' in html
    assert inline("```python\nfor x in y: pass\n```").startswith("<pre>")


def test_code_has_one_class_per_token():
    assert highlighted("print(1)") == (
        '<span class="nb">print</span><span class="p">(</span><span class="mi">1</span><span class="p">)</span>'
    )


def test_templates_and_shells_are_known_by_their_names():
    assert "nt" in highlighted("<p>{% if x %}</p>", "template")
    assert "gp" in highlighted("$ ls", "shell")


def test_an_unknown_language_stays_plain():
    assert highlighted("a < b", "klingon") == "a &lt; b"
