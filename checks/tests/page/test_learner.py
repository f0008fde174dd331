"""A learner's way through the browser edition: a quiz by keyboard, an exercise, a reload, no network."""

from checks.site.visit import Host, Page

EXERCISES = "exercises/13_query_performance.ipynb"
RIGHT = (
    'def labels():\n    lines = OrderLine.objects.filter(order__status="open").select_related("book__author")'
    '.order_by("pk")\n'
    '    return [f"{line.book.title} by {line.book.author.name}" for line in lines]\n\n\ncheck("13.1")'
)


def test_a_quiz_is_answered_with_the_keyboard_alone(page):
    opened = page("notebooks/00_start_here.ipynb")
    look = "from checks.learner.journal import Journal\nprint([(row.item, row.sure) for row in Journal().answers()])"
    assert opened.run_last(look) == "[]"
    opened.run_last('from checks import quiz\nquiz("Q27-1")')
    quiz = opened.tab.locator(".dq").last
    quiz.locator("input").first.focus()
    opened.tab.keyboard.type("1")
    opened.tab.keyboard.press("s")
    quiz.locator("[role=status].dq-feedback").filter(has_text="ight").wait_for()
    opened.tab.wait_for_function("() => localStorage.getItem('django-interview-course.unsaved') === '{}'")
    assert opened.run_last(look) == "[('Q27-1', True)]"


def test_an_exercise_wrong_then_right_and_all_of_it_is_there_after_a_reload(page):
    opened = page(EXERCISES)
    opened.run_all()
    wrong = opened.run_last(RIGHT.replace('.select_related("book__author")', ""))
    assert "13.1" in wrong
    assert "Correct" not in wrong
    right = opened.run_last(RIGHT)
    assert "Correct, with 1 query." in right
    assert "Checked inside this page" in right
    opened.tab.reload()
    opened.wait_until_ready()
    look = "from checks.learner.journal import Journal\nprint([row.outcome for row in Journal().attempts('13.1')])"
    assert opened.run_last(look).endswith("'correct']")


def test_progress_is_the_same_in_every_open_notebook(page):
    first, second = page(EXERCISES), page("notebooks/19_signals.ipynb")
    first.run_last("from checks.learner.journal import Journal\nJournal().set('date', '2027-01-15')")
    assert second.run_last("from checks.learner.journal import Journal\nprint(Journal().settings())") == (
        "{'date': '2027-01-15'}"
    )


def test_a_link_in_the_shop_leads_to_its_page(page):
    opened = page("notebooks/19_signals.ipynb")
    opened.run_last("from lab import serve, start\nstart()\nserve('/books/')")
    frame = opened.tab.frame_locator("iframe.lab-site").last
    frame.locator('a[href="/books/agnes-grey/"]').first.click()
    frame.get_by_role("heading", name="Agnes Grey").first.wait_for()
    sheet = "() => [...document.querySelectorAll('iframe.lab-site')].at(-1).contentDocument.styleSheets.length"
    assert opened.tab.evaluate(sheet) > 0


def test_after_the_first_visit_no_network_is_needed(built, profile):
    site = Host(built)
    tab = profile.new_page()
    tab.goto(site.address)
    tab.wait_for_url("**/lab/index.html**")
    first = Page(tab, site.address, "notebooks/00_start_here.ipynb")
    first.run_all()
    site.close()
    tab.close()
    again = Page(profile.new_page(), site.address, "notebooks/00_start_here.ipynb")
    assert again.run_last("from lab import start\nstart()") == "The bookshop is ready."
