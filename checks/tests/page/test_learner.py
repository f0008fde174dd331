"""A learner's way through the browser edition: a quiz by keyboard, an exercise, a reload, no network."""

import base64
import shutil

from checks.learner.transfer import imported
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


def test_progress_outlives_a_new_version_of_the_site(built, profile, tmp_path):
    shutil.copytree(built, tmp_path / "site")
    site = Host(tmp_path / "site")
    first = Page(profile.new_page(), site.address, EXERCISES)
    first.run_last("from checks.learner.journal import Journal\nJournal().set('date', '2027-01-15')")
    (old,) = (tmp_path / "site" / "static").glob("python-*")
    old.rename(old.with_name("python-next"))
    settings = tmp_path / "site" / "jupyter-lite.json"
    settings.write_text(settings.read_text(encoding="utf-8").replace(old.name, "python-next"), encoding="utf-8")
    Page(profile.new_page(), site.address, EXERCISES)  # what the browser has kept; the new version may come behind it
    asked = []
    profile.on("request", lambda request: asked.append(request.url))
    again = Page(profile.new_page(), site.address, EXERCISES)
    look = "from checks.learner.journal import Journal\nprint(Journal().settings())"
    assert again.run_last(look) == "{'date': '2027-01-15'}"
    assert any("/static/python-next/" in url for url in asked)
    site.close()


def test_progress_goes_to_a_laptop_and_back(page):
    opened = page(EXERCISES)
    opened.run_last("from checks.learner.journal import Journal\nJournal().set('date', '2027-01-15')")
    opened.run_last('from checks.learner import transfer\ntransfer.main(["export", "../mine.json"])')
    contents = "window.jupyterapp.serviceManager.contents"
    content = opened.tab.evaluate(f"async () => (await {contents}.get('mine.json', {{ content: true }})).content")
    text = base64.b64decode(content).decode()
    rows = imported(text, "mine.json")
    assert [(row.name, row.value) for row in rows] == [("date", "2027-01-15")]
    changed = text.replace("2027-01-15", "2027-02-20").replace(rows[0].key, "00000000-0000-4000-8000-000000000000")
    upload = {"type": "file", "format": "text", "content": changed}
    opened.tab.evaluate(f"upload => {contents}.save('theirs.json', upload)", upload)
    assert opened.run_last('transfer.main(["import", "../theirs.json"]);') == "1 new row from ../theirs.json."


def test_pandas_alone_is_asked_of_pyodides_distribution(chromium, site):
    context = chromium.new_context()
    asked = []
    context.route(lambda url: not url.startswith(site.address), lambda route: route.abort())
    context.on("request", lambda request: asked.append(request.url))
    opened = Page(context.new_page(), site.address, EXERCISES)
    opened.run_last("from lab import show, start\nstart()\nfrom catalog.models import Book")
    show = "show(Book.objects.order_by('pk')[:2])"
    before = opened.run_last(show)
    said = opened.run_last("import pandas")
    assert said.startswith("pandas comes from Pyodide's distribution, which could not be reached.")
    assert opened.run_last(show) == before
    elsewhere = [url for url in asked if not url.startswith((site.address, "blob:", "data:"))]
    context.close()
    assert elsewhere
    assert all(url.startswith("https://cdn.jsdelivr.net/pyodide/") for url in elsewhere)
