"""The spoken answers and the follow-ups are those of the lessons."""

import pytest

from checks.practice.lessons import Followup, spoken

LESSON = """\
# %% [markdown]
# # 13 · Query performance

# %%
start()

# %% [markdown]
# ## Q38 · select or prefetch?
#
# *Intermediate · asked as T17*
#
# **Say it.** Both cure N+1,
# each its own way.
#
# *What lifts it:* the price.

# %% [markdown]
# **See it.** Count:

# %%
print("**Say it.** not this")

# %% [markdown]
# **Asked next**
#
# - *Is it slower, ever?* Yes, when rows are wide.
#   Then prefetch. How many books are that?

# %%
count()

# %% [markdown]
# - *And without names?* It follows all: so
#   name them.
#
# Another paragraph.

# %% [markdown]
# **Versions.** - *None?* None.

# %% [markdown]
# ## Q39 · Measure first
#
# **Say it.** Measure.
"""


@pytest.fixture
def lessons(tmp_path):
    (tmp_path / "13_query_performance.py").write_text(LESSON, encoding="utf-8")
    spoken.cache_clear()
    yield spoken(tmp_path)
    spoken.cache_clear()


def test_what_is_said_is_the_whole_spoken_answer(lessons):
    assert lessons["Q38"].said == "Both cure N+1,\neach its own way.\n\n*What lifts it:* the price."
    assert lessons["Q39"].said == "Measure."
    assert lessons["Q38"].title == "select or prefetch?"


def test_followups_lose_the_sentence_that_leads_to_the_next_cell(lessons):
    assert lessons["Q38"].followups == (
        Followup("Is it slower, ever?", "Yes, when rows are wide.\n  Then prefetch."),
        Followup("And without names?", "It follows all: so\n  name them."),
    )
    assert lessons["Q39"].followups == ()


def test_code_is_not_prose(lessons):
    assert "not this" not in lessons["Q38"].text


def test_every_question_of_the_course_has_an_answer_and_two_followups():
    spoken.cache_clear()
    found = spoken()
    assert len(found) >= 42
    assert [question for question, answer in found.items() if not answer.said or len(answer.followups) < 2] == []
