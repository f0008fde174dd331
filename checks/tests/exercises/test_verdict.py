# ruff: noqa: E501  the code and the sentences that are tested stay in one piece
import pytest

from checks.exercises.verdict import CORRECT, ERROR, NOT_ATTEMPTED, SLOW, WRONG

IN_ORDER = "Book.objects.filter(in_print=True).order_by('-price', 'title', 'pk')"


def judged(examiner, sample, exercise, *lines):
    return examiner.examine(sample[exercise], "\n".join(lines) + f'\n\n\ncheck("{exercise}")')


def returning(examiner, sample, exercise, expression):
    name = sample[exercise].entries[0]
    parameters = {"91.3": "name", "91.5": "copies"}.get(exercise, "")
    return judged(examiner, sample, exercise, f"def {name}({parameters}):", f"    return {expression}")


# Not attempted


def test_the_unchanged_stub_is_not_attempted(sample, examiner):
    for exercise in sample.values():
        verdict = examiner.examine(exercise, exercise.stub)
        assert verdict.outcome == NOT_ATTEMPTED
        assert "replace the `...`" in verdict.message


@pytest.mark.parametrize(
    "source",
    [
        'def dearest():\n    ...\n\ncheck("91.1")',
        'def dearest():\n    # my idea\n    ...\n\n\ncheck("91.1")',
        'limit = 3\n\ndef dearest():\n    """Later."""\n    ...\n\n\ncheck("91.1")',
        'check("91.1")',
        "",
    ],
)
def test_dots_that_are_still_there_are_not_an_attempt(source, sample, examiner):
    assert examiner.examine(sample["91.1"], source).outcome == NOT_ATTEMPTED


def test_dots_elsewhere_do_not_hide_an_attempt(sample, examiner):
    verdict = judged(examiner, sample, "91.6", "class Odd(Exception): ...", "def one():", "    return 1")
    assert verdict.outcome == CORRECT


# Error


def test_a_name_error_says_what_is_run_and_shows_the_line(sample, examiner):
    verdict = judged(examiner, sample, "91.1", "def dearest():", "    found = Books.objects.all()", "    return found")
    assert verdict.outcome == ERROR
    assert verdict.message == "NameError: name 'Books' is not defined"
    assert "Only this cell is run, with the imports of the notebook's first cell" in verdict.details[0]
    assert verdict.lines == ((2, "found = Books.objects.all()"),)


def test_an_error_shows_only_the_learners_lines(sample, examiner):
    verdict = judged(
        examiner,
        sample,
        "91.1",
        "def rows():",
        "    return Book.objects.filter(titel=1)",
        "def dearest():",
        "    return rows()",
    )
    assert verdict.message.startswith("FieldError: Cannot resolve keyword 'titel' into field.")
    assert verdict.lines == ((4, "return rows()"), (2, "return Book.objects.filter(titel=1)"))
    assert "site-packages" not in str(verdict)


def test_a_syntax_error_shows_its_line(sample, examiner):
    verdict = judged(examiner, sample, "91.1", "def dearest()", "    return 1")
    assert (verdict.outcome, verdict.message, verdict.lines) == (
        ERROR,
        "SyntaxError: expected ':'",
        ((1, "def dearest()"),),
    )


def test_a_magic_command_is_explained(sample, examiner):
    assert "magic commands" in str(judged(examiner, sample, "91.1", "%time 1", "def dearest():", "    return 1"))


def test_another_name_is_named(sample, examiner):
    verdict = judged(examiner, sample, "91.1", "def daerest():", "    return 1")
    assert verdict.outcome == ERROR
    assert "does not define dearest" in verdict.message
    assert verdict.details == ("It defines daerest.",)


def test_changed_parameters_are_explained(sample, examiner):
    verdict = judged(examiner, sample, "91.1", "def dearest(limit):", "    return 1")
    assert verdict.outcome == ERROR
    assert "keep the parameters" in str(verdict)


def test_an_error_on_unseen_data_names_that_data(sample, examiner):
    verdict = returning(examiner, sample, "91.2", "Stock.objects.aggregate(copies=Sum('quantity'))['copies'] + 0")
    assert verdict.outcome == ERROR
    assert "It happened on an empty database." in verdict.details


def test_messages_hold_no_address(sample, examiner):
    verdict = judged(examiner, sample, "91.6", "def one():", "    raise ValueError(repr(object()))")
    assert verdict.message == "ValueError: <object object>"


# Wrong


@pytest.mark.parametrize(
    ("exercise", "expression", "said"),
    [
        ("91.1", "None", "The answer is None, expected was a QuerySet. A function without `return` gives None."),
        ("91.1", "Book.objects", "a manager is not a queryset yet: call .all()"),
        ("91.1", "Book.objects.all", "it is a function that was not called"),
        (
            "91.1",
            f"list({IN_ORDER})[2:]",
            "2 rows missing: <Book 137: The Tale of Genji>, <Book 146: Kristin Lavransdatter>.",
        ),
        (
            "91.1",
            f"list({IN_ORDER}) * 2",
            "all repeated: <Book 137: The Tale of Genji> is there 2 times, expected once.",
        ),
        ("91.1", f"{IN_ORDER}.values()", "you return a dict per row, expected is a Book instance"),
        (
            "91.1",
            "Book.objects.filter(in_print=True).order_by('-price', '-title', 'pk')",
            "The rows are right, their order is not. Row 2: you have <Book 56: The Wealth of Nations>, expected <Book 146: Kristin Lavransdatter>.",
        ),
        (
            "91.2",
            "float(Stock.objects.aggregate(n=Sum('quantity', default=0))['n'])",
            "the value is right, its type is float where int is expected",
        ),
        ("91.2", "float('nan')", "NaN is what is left of a calculation without a number"),
        ("91.2", "'2388'", "a str where an int is expected"),
        ("91.2", "True", "a bool where an int is expected"),
        (
            "91.3",
            "Book.objects.filter(author__name=name)",
            "For titles('Jane Austen'): Row 1: you have <Book 4: Emma>, expected 'Emma': you return whole instances",
        ),
        (
            "91.3",
            "Book.objects.filter(author__name='Jane Austen').values_list('title', flat=True)",
            "For titles('Émile Zola'): ",
        ),
        (
            "91.3",
            "set(Book.objects.filter(author__name=name).values_list('title', flat=True))",
            "a set where rows are expected",
        ),
        (
            "91.4",
            "[[book.title, book.author.name] for book in Book.objects.select_related('author')]",
            "a list where a tuple is expected",
        ),
        (
            "91.4",
            "Book.objects.values_list('title', 'author__name', 'price')",
            "yours has 3 values, the expected one 2",
        ),
        ("91.4", "Book.objects.values_list('title', 'author__name')[:10]", "156 rows missing"),
    ],
)
def test_wrong_says_what_differs(exercise, expression, said, sample, examiner):
    verdict = returning(examiner, sample, exercise, expression)
    assert verdict.outcome == WRONG
    assert said in str(verdict)


def test_an_answer_right_on_what_is_seen_and_wrong_on_the_rest_is_told_so(sample, examiner):
    verdict = judged(
        examiner,
        sample,
        "91.1",
        "def dearest():",
        f"    return {IN_ORDER}.exclude(title='Œdipe 50%_\\'s \"end\"')",
    )
    assert verdict.outcome == WRONG
    assert verdict.message == (
        "On the shop's data your answer is right; on data with NULLs, ties, equal names and empty relations it is not:"
    )
    assert verdict.details[0].startswith('1 row missing: <Book 6: Œdipe 50%_\'s "end">')


def test_order_by_accident_is_wrong(sample, examiner):
    # Keys of a list are in the right order, but nothing asks the database for it.
    verdict = judged(
        examiner,
        sample,
        "91.1",
        "def dearest():",
        f"    keys = [book.pk for book in {IN_ORDER}]",
        "    rows = Book.objects.none()",
        "    rows = Book.objects.filter(pk__in=keys).order_by()",
        "    rows._result_cache = sorted(rows, key=lambda book: keys.index(book.pk))",
        "    return rows",
    )
    assert verdict.outcome == WRONG
    assert "by accident" in str(verdict)


def test_rows_that_tie_may_come_in_any_order(sample, examiner):
    from dataclasses import replace

    loose = replace(sample["91.1"], solution=sample["91.1"].solution.replace(', "title", "pk"', ""), version="loose")
    source = "def dearest():\n    return Book.objects.in_print().order_by('-price', '-title', '-pk')"
    assert examiner.examine(loose, source).passed
    assert not examiner.examine(loose, source.replace("'-price'", "'price'")).passed


def test_a_wrong_write_is_seen(sample, examiner):
    verdict = judged(
        examiner,
        sample,
        "91.5",
        "def restock(copies):",
        "    Stock.objects.filter(quantity__gt=0).update(quantity=F('quantity') + 5)",
    )
    assert verdict.outcome == WRONG
    assert "4 rows missing: (5, 5)" in str(verdict)


# Slow


def test_too_many_queries_name_the_budget_the_relation_and_the_line(sample, examiner):
    verdict = judged(
        examiner,
        sample,
        "91.4",
        "def pairs():",
        "    found = []",
        "    for book in Book.objects.order_by('pk'):",
        "        author = book.author",
        "        found.append((book.title, author.name))",
        "    return found",
    )
    assert verdict.outcome == SLOW
    assert verdict.message == "Every author is a query of its own."
    assert verdict.details[0] == "The result is right, but 167 queries ran where 1 query is enough."
    assert verdict.details[1] == "`Book.author` was loaded 166 times, one row at a time, by line 4."
    assert verdict.lines == ((4, "author = book.author"),)
    assert (verdict.mistake, verdict.queries, verdict.budget) == (1, 167, 1)


def test_a_repeated_statement_without_a_relation_is_named_too(sample, examiner):
    verdict = returning(
        examiner,
        sample,
        "91.2",
        "sum(stock.quantity for book in Book.objects.all() for stock in Stock.objects.filter(book=book))",
    )
    assert verdict.outcome == SLOW
    assert "The same statement ran 166 times, by line 2." in verdict.details


def test_a_check_does_not_count_its_own_look(sample, examiner):
    assert examiner.examine(sample["91.5"], sample["91.5"].solution).queries == 1


# Mistakes


def test_each_classic_mistake_gets_its_sentence_first(sample, examiner):
    for exercise in sample.values():
        for number, mistake in enumerate(exercise.mistakes, 1):
            verdict = examiner.examine(exercise, mistake.source)
            assert (verdict.mistake, verdict.message) == (number, mistake.says)


def test_the_same_effect_in_other_words_is_recognised(sample, examiner):
    verdict = judged(examiner, sample, "91.2", "def copies():", "    return len(Stock.objects.all())")
    assert verdict.message == "You count the titles, not the copies."


def test_another_error_is_no_classic_mistake(sample, examiner):
    verdict = judged(examiner, sample, "91.3", "def titles(name):", "    raise ValueError('mine')")
    assert (verdict.mistake, verdict.message) == (None, "ValueError: mine")


# Correct


def test_a_pass_shows_the_reference_and_when_each_alternative_is_better(sample, examiner):
    verdict = examiner.examine(sample["91.1"], sample["91.1"].alternatives[0].source)
    assert (verdict.outcome, verdict.message) == (CORRECT, "Correct, with 1 query.")
    assert [lesson.title for lesson in verdict.lessons] == ["The reference", "Another way"]
    assert verdict.lessons[1].note == "The queryset's own word says what is meant."
    assert "# solution" not in verdict.lessons[0].source
    assert "check(" not in verdict.lessons[0].source


def test_rows_may_come_as_a_list_a_queryset_or_a_generator(sample, examiner):
    for expression in (IN_ORDER, f"list({IN_ORDER})", f"(book for book in {IN_ORDER})", f"{IN_ORDER}.iterator()"):
        assert returning(examiner, sample, "91.1", expression).passed


def test_what_is_printed_beside_a_right_answer_is_no_harm(sample, examiner):
    verdict = judged(examiner, sample, "91.6", "print('top')", "def one():", "    print('inside')", "    return 1")
    assert verdict.passed
    assert verdict.output == "top\ninside"


def test_what_is_printed_beside_a_wrong_answer_is_shown(sample, examiner):
    assert "| inside" in str(judged(examiner, sample, "91.6", "def one():", "    print('inside')", "    return 7"))


def test_calls_of_the_notebooks_helpers_are_not_run(sample, examiner):
    assert judged(examiner, sample, "91.6", "start()", "reset()", "def one():", "    return 1", "hint('91.6')").passed


def test_an_async_answer_is_awaited(sample, examiner):
    verdict = judged(
        examiner,
        sample,
        "91.2",
        "async def copies():",
        "    return (await Stock.objects.aaggregate(n=Sum('quantity', default=0)))['n']",
    )
    assert verdict.message == "Correct, with 1 query."
