"""A pytest plugin that closes what nbval lets pass, loaded by `-p checks.course.comparison` in pyproject.toml.

nbval runs the cells of a notebook and compares their outputs with the stored ones. It passes a cell that was never
executed, and one that outlives its time limit by swallowing the interrupt; it waits the whole limit for a kernel that
has died. Here these fail, and at once. Cells tagged `since-6.1` hold the outputs of Django 6.1, cells tagged
`needs-msgfmt` those of a machine with that program: without it they are run, and nothing is compared.

Source: https://nbval.readthedocs.io/en/latest/
"""

import os
import shutil
import tempfile
from queue import Empty
from time import monotonic

import pytest

RAISES = "raises-exception"
POLL = 0.5  # seconds between two looks at whether the kernel still lives

home = pytest.StashKey[tuple[str, str | None]]()


def pytest_configure(config):
    """Give notebooks under nbval an empty journal: what the reader has answered must not show in a lesson."""
    if in_use(config):
        folder = tempfile.mkdtemp(prefix="course-home-")
        config.stash[home] = folder, os.environ.get("COURSE_HOME")
        os.environ["COURSE_HOME"] = folder


def pytest_unconfigure(config):
    """Take the empty journal away again."""
    folder, before = config.stash.get(home, (None, None))
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("COURSE_HOME")
        if before is not None:
            os.environ["COURSE_HOME"] = before


def in_use(config) -> bool:
    """Whether this run executes notebooks."""
    return config.getoption("nbval", False) or config.getoption("nbval_lax", False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run one cell under nbval, and refuse what proves nothing."""
    if not (in_use(item.config) and is_cell(item)):
        return (yield)
    # Every run of pytest loads this plugin, and few have a notebook: the builder is not for the others.
    from checks.course.build import missing

    refuse_unproven(item)
    if missing(item.cell):
        item.options["check"] = False
    item.parent.kernel.await_reply = watchful(item)
    timed_out_before = item.parent.timed_out
    result = yield
    if item.parent.timed_out and not timed_out_before:
        limit = f"{item.config.option.nbval_cell_timeout:g} seconds"
        item.raise_cell_error(f"Time limit of {limit} exceeded, and the interrupt was swallowed")
    return result


def is_cell(item) -> bool:
    """Whether a test item is a notebook cell."""
    from nbval.plugin import IPyNbCell

    return isinstance(item, IPyNbCell)


def refuse_unproven(item) -> None:
    """Fail for a stored cell that has nothing to compare with, or holds an exception nobody meant to show."""
    if item.cell.execution_count is None:
        kind = item.parent.nb.metadata.get("course", {}).get("kind")
        remedy = "exercises are for you to run; compare lessons" if kind == "exercises" else "run: course.py build"
        item.raise_cell_error(f"not executed ({remedy})")
    stored_error = next((output for output in item.cell.outputs if output.output_type == "error"), None)
    if stored_error is not None and not item.options["check_exception"]:
        item.raise_cell_error(f"the stored output is {stored_error.ename}, and the cell has no tag `{RAISES}`")


def watchful(item):
    """nbval's `await_reply`, but with one deadline for the whole reply, and an end when the kernel has died."""
    kernel = item.parent.kernel

    def await_reply(msg_id, timeout=None):
        deadline = monotonic() + (timeout or item.config.option.nbval_cell_timeout)
        while True:
            left = deadline - monotonic()
            if left <= 0:
                raise Empty
            try:
                message = kernel.get_message("shell", timeout=min(POLL, left))
            except Empty:
                if not kernel.is_alive():
                    item.raise_cell_error("The kernel died while running this cell")
                continue
            if message["parent_header"].get("msg_id") == msg_id:
                if message["content"]["status"] == "aborted":
                    item.raise_cell_error("The kernel refused to run this cell: one before it was interrupted")
                return

    return await_reply
