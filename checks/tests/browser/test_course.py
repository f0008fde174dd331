"""A learner's first hour: the lab as the README starts it, a lesson, quizzes, an exercise, and progress that stays."""

import contextlib
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from checks.course import browser
from checks.course.environment import Environment, base_interpreter
from checks.course.launcher import ROOT
from checks.learner.journal import Journal

AA = 4.5
WRONG = """def not_recommended():
    return Book.objects.filter(rating__lt=4).order_by("title", "pk")


check("10.6")"""
RIGHT = WRONG.replace("filter(rating__lt=4)", "exclude(rating__gte=4)")


@pytest.fixture(scope="module")
def course(chromium, tmp_path_factory):
    """`python3 course.py lab`, with the address that it prints."""
    if not Environment(ROOT).is_ready():
        pytest.skip("the course's .venv is not set up: `python3 course.py test browser` does that")
    folder, home = tmp_path_factory.mktemp("copy") / "my_course", tmp_path_factory.mktemp("progress")
    command = [base_interpreter(), "course.py", "lab", "--no-browser", f"--folder={folder}"]
    process = subprocess.Popen(
        [*command, "--LabApp.expose_app_in_browser=True"],
        cwd=ROOT,
        env={**os.environ, "COURSE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if address := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
                break
        else:
            pytest.fail("The lab did not come up: " + "".join(said))
        parts = urlsplit(address[0])
        server = browser.Server(f"http://{parts.netloc}", parse_qs(parts.query)["token"][0], folder)
        yield server, address[0], home
    finally:
        process.send_signal(signal.SIGINT if os.name != "nt" else signal.CTRL_C_EVENT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        if process.poll() is None:
            process.kill()


@pytest.fixture
def lab(profile, course):
    page = profile.new_page()
    page.set_default_timeout(20_000)
    yield browser.Lab(page, course[0])
    page.close()


@pytest.fixture
def journal(course):
    return Journal(course[2] / "progress.sqlite3")


def button(card, name):
    return card.get_by_role("button", name=name, exact=True)


def feedback(card):
    return card.locator("[role=status].dq-feedback")


def run_cell(lab, index, source=None):
    """Run one cell; with a source, typed into it first as a learner would."""
    lab.page.evaluate(
        """index => { const { content } = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = index; content.scrollToItem(index); content.activate() }""",
        index,
    )
    lab.page.evaluate(
        """() => { const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            window.hasRun = false;
            kernel.iopubMessage.connect((_, message) => { if (message.content.execution_state === 'idle'
                && message.parent_header.msg_type === 'execute_request') window.hasRun = true }) }"""
    )
    if source is not None:
        lab.page.keyboard.press("Enter")
        lab.page.keyboard.press("ControlOrMeta+a")
        lab.page.keyboard.insert_text(source)
    lab.page.keyboard.press("ControlOrMeta+Enter")
    lab.page.wait_for_function("() => window.hasRun", timeout=60_000)


def text_of(outputs):
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("ename", "")
        for output in outputs
    )


def test_the_printed_address_opens_the_first_page_and_nothing_stands_before_it(lab, course):
    server, address, _ = course
    lab.page.goto(address)
    title = lab.page.locator(".jp-Notebook h1").filter(has_text="Django interviews, answered by code that runs")
    title.wait_for(timeout=60_000)
    lab.page.wait_for_function("window.jupyterapp !== undefined")
    lab.wait_idle()
    assert lab.page.locator(".jp-Dialog").count() == 0
    assert lab.page.locator("text=/Jupyter news/i").count() == 0
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server.address}/api/contents?token=wrong", timeout=10)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_first_page_runs_and_a_question_is_answered_by_mouse(lab, journal, theme):
    before = len(journal.answers("Q27-1"))
    lab.open("notebooks/00_start_here.ipynb")
    lab.theme(theme)
    lab.run_all()
    assert "4 queries" in text_of([output for cell in lab.outputs() for output in cell])
    card = lab.quizzes().first
    card.get_by_role("textbox").or_(card.get_by_role("spinbutton")).fill("0")
    button(card, "Sure").click()
    feedback(card).get_by_text("Right").wait_for()
    card.get_by_text("Saved").wait_for()
    assert min(ratio for _, ratio in lab.contrasts(card)) >= AA
    answers = journal.answers("Q27-1")
    assert len(answers) == before + 1
    assert answers[-1].correct
    assert answers[-1].sure
    lab.theme("light")


def test_a_lesson_runs_to_its_end_and_a_question_is_answered_by_keyboard(lab, journal):
    lab.open("notebooks/13_query_performance.ipynb")
    lab.run_all(timeout=240)
    assert "201 queries" in text_of([output for cell in lab.outputs() for output in cell])
    card = lab.quizzes().first
    card.scroll_into_view_if_needed()
    field = card.get_by_role("textbox").or_(card.get_by_role("spinbutton"))
    field.focus()
    lab.page.keyboard.type("21")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.press("n")
    feedback(card).get_by_text("Not right").or_(feedback(card).get_by_text("Wrong")).first.wait_for()
    card.get_by_text("Saved").wait_for()
    (answer,) = journal.answers("Q38-1")
    assert (answer.given, answer.correct, answer.sure) == ("21", False, False)


def test_an_exercise_is_solved_wrongly_then_rightly_and_progress_outlives_the_kernel(lab, journal):
    lab.open("exercises/10_reading_data.ipynb")
    sources = lab.cells()
    index = next(number for number, source in enumerate(sources) if 'check("10.6")' in source)
    first_code = next(number for number, source in enumerate(sources) if "start()" in source)
    run_cell(lab, first_code)
    run_cell(lab, index)
    assert "not attempted" in text_of(lab.outputs()[index])
    run_cell(lab, index, WRONG)
    said = text_of(lab.outputs()[index])
    assert "wrong" in said
    assert "NULL is not below 4" in said
    run_cell(lab, index, RIGHT)
    assert "correct" in text_of(lab.outputs()[index])
    outcomes = [attempt.outcome for attempt in journal.attempts("10.6") if attempt.outcome != "not attempted"]
    assert outcomes == ["wrong", "correct"]

    lab.restart()
    run_cell(lab, first_code, "from checks import progress\n\nprogress()")
    told = text_of(lab.outputs()[first_code])
    assert re.search(r"reading data .* 1/8", told)


def test_a_lesson_opened_without_its_kernel_shows_its_questions_and_no_error(lab):
    lab.open("notebooks/00_start_here.ipynb")
    lab.run_all()
    lab.quizzes().first.wait_for()
    saved = lab.save()
    assert "widget-view" not in str(saved)
    lab.restart()
    lab.open("notebooks/00_start_here.ipynb")
    output = lab.page.locator(".jp-OutputArea-output").filter(has_text="Q27-1").first
    output.wait_for()
    assert output.get_by_text("How many queries").count() == 1
    assert lab.page.get_by_text("Error displaying widget").count() == 0
