# %% [markdown]
# # Django interviews, answered by code that runs
#
# Two widely read lists ask 87 questions about Django; merged they are 64. Many of the answers that go round are outdated or
# were never run. Here the answers run, in notebooks, against a bookshop with real books; each was run on Django 5.2 LTS and on 6.1.
#
# **Try it.** Click into the cell below and press **Shift + Enter**.

# %%
from checks import placement, progress, quiz
from lab import queries, show, start

start()

# Django is set up now, so its models can be imported.
from catalog.models import Author, Book

# %% [markdown]
# A whole Django project is now in your hands, on a copy of its data that is yours alone. Whatever you do to it,
# `start()` brings the first state back. Now a question on which many interviews turn: how many queries
# does this loop run? Say a number, then run it.

# %%
with queries():
    for book in Book.objects.order_by("pk")[:3]:
        print(book.title, "by", book.author.name)

# %% [markdown]
# One for the books, and one for the author of each, even though all three are by the same author. If that came as a surprise,
# chapter [13](13_query_performance.ipynb) is for you. `show()` prints rows as a table:

# %%
show(Author.objects.filter(country="Ireland").order_by("name").values("name", "born", "died"))

# %% [markdown]
# ## How a lesson works
#
# 1. **Say it**: the answer, as you would say it aloud. Read it, look away, say it.
# 2. **See it**: predict what the cell prints, then run it. A wrong guess is worth more than a right one that you read.
# 3. **The trap**: what many people say instead, run and refuted.
# 4. **Asked next**: the follow-up questions.
# 5. **A quiz**: choose with the mouse, or click into the quiz once and use the keys <kbd>1</kbd> to <kbd>9</kbd>, then <kbd>s</kbd> if you are sure
#    and <kbd>n</kbd> if you are not. Without a mouse: run the quiz with <kbd>Ctrl + Enter</kbd> and press <kbd>Tab</kbd> until it has the focus.

# %% [markdown]
# After a pause, run the first cell of a notebook before any other. On Python 3.11 you have Django 5.2; cells on 6.1 then say
# what 6.1 prints.
#
# Here is one question:

# %%
quiz("Q27-1")

# %% [markdown]
# ## How an exercise works
#
# The [exercises](../exercises/13_query_performance.ipynb) are notebooks of their own. You replace `...` with code and run the cell:
# `check("13.1")` at its end runs your answer on the shop's data and on data you have not seen, with missing values and ties, and says
# what differs. `hint("13.1")` helps a little, and more when called again. `solution("13.1")` shows ours when you have passed, or after
# three honest tries.
#
# ## What do you know already?
#
# Twenty questions over all chapters, harder after a right answer. At the end stands a plan of chapters for the days that you have;
# `placement(days=3)` makes it three.

# %%
placement(days=14)

# %% [markdown]
# ## Two weeks, or one evening
#
# | you have | do this |
# | --- | --- |
# | **two weeks** | Two chapters a day in the order of the table. Say each answer aloud before you read it, do the quiz and three exercises. Begin each day with the [review](review.ipynb); in the last days, a [mock interview](mock_interview.ipynb). |
# | **three days** | The quizzes first, without reading. Then the lessons of the questions that you missed, and their exercises. |
# | **one evening** | *Say it* and *The trap* of each question, and the quizzes. Sleep on it. |
#
# ## The chapters
#
# <!-- chapters -->
#
# | | Chapter | Questions | Quiz items | Exercises |
# | --- | --- | --- | --- | --- |
# | 01 | [Django in one hour](01_django_in_one_hour.ipynb) | Q01–Q02 | 8 | [6](../exercises/01_django_in_one_hour.ipynb) |
# | 02 | [Project anatomy](02_project_anatomy.ipynb) | Q03–Q05 | 11 | [7](../exercises/02_project_anatomy.ipynb) |
# | 03 | [Settings and databases](03_settings_and_databases.ipynb) | Q06–Q07 | 11 | [9](../exercises/03_settings_and_databases.ipynb) |
# | 04 | [URLs, requests, middleware](04_urls_requests_middleware.ipynb) | Q08–Q10 | 16 | [8](../exercises/04_urls_requests_middleware.ipynb) |
# | 05 | [Views, responses, errors](05_views_responses_errors.ipynb) | Q11–Q14 | 19 | [9](../exercises/05_views_responses_errors.ipynb) |
# | 06 | [Templates](06_templates.ipynb) | Q15–Q18 | 21 | [10](../exercises/06_templates.ipynb) |
# | 07 | [Static and media files](07_static_and_media.ipynb) | Q19–Q20 | 11 | [8](../exercises/07_static_and_media.ipynb) |
# | 08 | [Models and fields](08_models_and_fields.ipynb) | Q21–Q25 | 21 | [12](../exercises/08_models_and_fields.ipynb) |
# | 09 | [Migrations](09_migrations.ipynb) | Q26 | 11 | [7](../exercises/09_migrations.ipynb) |
# | 10 | [ORM: reading data](10_reading_data.ipynb) | Q27–Q31 | 20 | [8](../exercises/10_reading_data.ipynb) |
# | 11 | [ORM: composing queries](11_composing_queries.ipynb) | Q32–Q34 | 16 | [12](../exercises/11_composing_queries.ipynb) |
# | 12 | [Relationships](12_relationships.ipynb) | Q35–Q37 | 20 | [12](../exercises/12_relationships.ipynb) |
# | 13 | [Query performance](13_query_performance.ipynb) | Q38–Q39 | 10 | [8](../exercises/13_query_performance.ipynb) |
# | 14 | [Transactions, locks, connections](14_transactions_and_connections.ipynb) | Q40–Q42 | 15 | [11](../exercises/14_transactions_and_connections.ipynb) |
# | 15 | [Forms](15_forms.ipynb) | Q43 | 13 | [8](../exercises/15_forms.ipynb) |
# | 16 | [Class-based views and pagination](16_class_based_views.ipynb) | Q44–Q46 | 18 | [9](../exercises/16_class_based_views.ipynb) |
# | 17 | [The admin](17_admin.ipynb) | Q47–Q48 | 14 | [10](../exercises/17_admin.ipynb) |
# | 18 | [Authentication and sessions](18_authentication_and_sessions.ipynb) | Q49–Q51 | 19 | [10](../exercises/18_authentication_and_sessions.ipynb) |
# | 19 | [Signals](19_signals.ipynb) | Q52 | 12 | [10](../exercises/19_signals.ipynb) |
# | 20 | [Caching](20_caching.ipynb) | Q53–Q54 | 12 | [10](../exercises/20_caching.ipynb) |
# | 21 | [Security](21_security.ipynb) | Q55 | 14 | [10](../exercises/21_security.ipynb) |
# | 22 | [Testing](22_testing.ipynb) | Q56 | 10 | [10](../exercises/22_testing.ipynb) |
# | 23 | [Django REST framework](23_rest_framework.ipynb) | Q57–Q60 | 23 | [11](../exercises/23_rest_framework.ipynb) |
# | 24 | [Async, real time, background work](24_async_and_background_work.ipynb) | Q61–Q63 | 16 | [8](../exercises/24_async_and_background_work.ipynb) |
# | 25 | [Deployment](25_deployment.ipynb) | Q64 | 10 | [8](../exercises/25_deployment.ipynb) |
#
# <!-- /chapters -->
#
# ## Where you stand
#
# Answers and attempts are kept on this computer, in one file of your own (`python3 course.py doctor` says where). Ask at any
# time, in any notebook:

# %%
progress()

# %% [markdown]
# Now open [chapter 01, Django in one hour](01_django_in_one_hour.ipynb), or the first chapter of your plan. This copy
# of the course is yours: write into it as you like. A newer version of a lesson never replaces what you wrote.
