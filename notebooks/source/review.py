# %% [markdown]
# # The daily review
#
# What you knew last week is not what you know on the day. Every answer that you give in a quiz, and every exercise that you
# try, comes back here when you are about to forget it: soon when it was wrong, later when it was right and you were sure.
#
# Run the cell. Ten minutes a day are enough.

# %%
from checks import progress, review

review()

# %% [markdown]
# ## How it works
#
# - **Choose**: the items of the quizzes, with the keys <kbd>1</kbd> to <kbd>9</kbd>, then <kbd>s</kbd> if you are sure and <kbd>n</kbd> if you are not. Right but
#   not sure comes back sooner.
# - **Say**: a question whose quiz you have begun. Say the answer aloud, look at the points, tick those that you had.
# - **Write**: an exercise that you have tried. <kbd>Ctrl + Enter</kbd> checks it. At most two a day.
#
# A card is asked once a day. When there are more than twenty, those that you know least come first; `review(cap=30)` changes
# the number for good.

# %% [markdown]
# ## When a card comes back
#
# The intervals are those of [FSRS](https://github.com/open-spaced-repetition/py-fsrs) with its published parameters: a card is due
# when the odds that you still know it fall to 90%. Nothing but your answers is stored, so the intervals can be worked out anew at
# any time. An item that a newer version of the course has changed is asked again, and only that one.
#
# ## Where you stand
#
# Name the day of your interview once, as in `progress("2027-01-15")`: from then on you also see what you will know on that day if
# you do nothing more.

# %%
progress()
