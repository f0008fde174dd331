# %% [markdown]
# # A mock interview
#
# Questions to say aloud, code to read and code to write, on the clock, in the mix that is put to a role. You need a quiet room
# and your own voice: an answer that was only thought is half an answer.
#
# Choose the role, `"junior"`, `"mid"` or `"senior"`, and 15, 30 or 60 minutes. The clock starts when you press **Begin**.

# %%
from checks import mock_interview, progress

mock_interview("mid", 30)

# %% [markdown]
# ## What to expect
#
# - **Say**: speak first, then look at the points and tick those that you had. Of a senior more points are expected. Below them stand
#   the follow-ups: answer these too before you unfold them.
# - **Read**: what does this code do? Say how sure you are: sure and wrong costs more than not sure.
# - **Write**: the code is run on real data. You may check it as often as the clock allows.
#
# You may pause, and you may stop: after a restart, or tomorrow, the same cell goes on where you were. `mock_interview(new=True)`
# gives up an interview and begins another.

# %% [markdown]
# ## Afterwards
#
# The report says how it went by topic and by level, how long each question took, and what to read. It is saved beside this
# notebook, as a page and as a table (`mock_interview_….html` and `.csv`). Everything that you answered here counts for your
# [review](review.ipynb) as well.

# %%
progress()
