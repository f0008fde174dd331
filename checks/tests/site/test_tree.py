from checks.course.lesson import ROOT
from checks.site import tree


def test_the_course_is_there_as_on_a_laptop_without_what_a_page_does_not_need():
    found = set(tree.files())
    for name in (
        "checks/__init__.py",
        "checks/bank/13_query_performance.toml",
        "checks/quizzes/static/quiz.js",
        "exercises/source/13_query_performance.py",
        "notebooks/source/13_query_performance.py",
        "sample_project/lab/session.py",
        "sample_project/config/settings/notebook.py",
        "sample_project/catalog/templates/catalog/book.html",
    ):
        if not (ROOT / name).exists():
            continue
        assert name in found, name
    assert not [name for name in found if "/tests/" in name or "__pycache__" in name or ".sqlite3" in name]


def test_the_databases_are_built_for_the_very_code_that_is_served():
    from lab import database

    names = {name.rpartition("/")[2].partition("-")[0] for name in tree.databases()}
    assert names == {"shop.sqlite3", "edge"}
    assert {name.partition("/")[0] for name in tree.databases()} == {database.fingerprint()}
