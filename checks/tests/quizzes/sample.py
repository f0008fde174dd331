"""Items of every kind, as long as real ones are, for the tests of the quizzes."""

from checks.quizzes.item import Choice, Item

SINGLE = Item(
    id="Q36-1",
    question="Q36",
    kind="single",
    prompt="A `Profile` has `user = OneToOneField(User, …)`. `u` is a user without one. What does `u.profile` do?",
    choices=(
        Choice(
            "It raises `RelatedObjectDoesNotExist`, which is also a `DoesNotExist` of `Profile`.",
            'The reverse side is the object itself; with no row it raises, and `hasattr(u, "profile")` is the test.',
            True,
        ),
        Choice(
            "It returns `None`, as an empty nullable foreign key does on its own side.",
            "`None` is what the forward side of a nullable relation gives.",
            False,
        ),
        Choice(
            "It returns an empty manager, so that `u.profile.all()` gives no rows at all.",
            "A manager is what a foreign key gives on the reverse side, because many rows may point there.",
            False,
        ),
        Choice(
            "It creates the missing profile, since every user must have exactly one row.",
            "The constraint says at most one, not exactly one. Nothing is created by reading.",
            False,
        ),
    ),
    proof="assert True",
)
MULTIPLE = Item(
    id="Q36-2",
    question="Q36",
    kind="multiple",
    prompt="Which of these are true of `OneToOneField(User, on_delete=models.CASCADE)`?",
    choices=(
        Choice("The column carries a unique constraint.", "That is the difference in the database.", True),
        Choice("`select_related` can follow it from `User` as well.", "There is at most one row there.", True),
        Choice("It may be written without `on_delete`.", "Both relations refuse that since Django 2.0.", False),
        Choice("It gives the user a manager called `profile_set`.", "A manager is for many rows.", False),
    ),
    proof="assert True",
)
NUMBER = Item(
    id="Q36-3",
    question="Q36",
    kind="number",
    prompt="How many rows of `Profile` may point at one `User`, **at most**?",
    code="class Profile(models.Model):\n    # one per user\n    user = models.OneToOneField(User, models.CASCADE)",
    answer=1,
    explain="The unique constraint says *at most one*. It does not say *exactly one*.",
    proof="assert 1 == answer",
)
ORDER = Item(
    id="Q36-4",
    question="Q36",
    kind="order",
    prompt="In which order does PostgreSQL evaluate the parts of a `SELECT`?",
    choices=(
        Choice("`FROM` and `JOIN`", "First the rows must be there."),
        Choice("`WHERE`", "Rows are filtered before they are grouped."),
        Choice("`GROUP BY`", "Groups are made of the rows that are left."),
        Choice("`HAVING`", "It sees groups, so it comes after them."),
    ),
    proof="assert True",
)
PREDICT = Item(
    id="Q36-5",
    question="Q36",
    kind="predict",
    prompt="What does this print?",
    code='with queries():\n    print(Profile._meta.get_field("user").unique)',
    answer="True",
    explain="A one-to-one field is a foreign key with a unique constraint.",
    proof='assert output().startswith("True")',
)
ITEMS = (SINGLE, MULTIPLE, NUMBER, ORDER, PREDICT)


def given(item, *texts):
    """An answer as the page sends it: the keys of the choices with these texts (by their beginning)."""
    keys = []
    for text in texts:
        (choice,) = [choice for choice in item.choices if choice.text.startswith(text)]
        keys.append(choice.key)
    return " ".join(keys)
