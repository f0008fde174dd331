"""The notebooks as the page gets them, and the outputs of their real run, for cells that a page cannot run."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from checks.course import workspace
from lab.browser import digest

KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
OUTPUTS = "outputs.json"
ELSEWHERE = Path(__file__).with_name("elsewhere.toml")
START = "notebooks/00_start_here.ipynb"
# What the first page says of a laptop, and what is so in a page.
SAID_OTHERWISE = {
    "**Try it.** Click into the cell below": (
        "Python runs in this page, with nothing installed and nothing sent anywhere. What needs a server or another "
        "process shows what it prints on a laptop.\n\n"
        "**Try it.** Wait until the circle at the top right is empty, which takes some seconds. Then click into the "
        "cell below"
    ),
    "are kept on this computer, in one file of your own (`python3 course.py doctor` says where).": (
        "are kept in this browser, in the folder `progress` beside the notebooks. To take them to another computer, "
        'run `from checks.learner import transfer`, then `transfer.main(["export", "../mine.json"])`, and download '
        "that file from the list on the left. There, `python -m checks progress import mine.json` adds them; "
        '`transfer.main(["import", "../mine.json"])` does the same here, with a file that you have uploaded.'
    ),
}
# What the exercises say of a laptop.
EXERCISES_SAY = "runs your answer in a separate process, on data"
EXERCISES_SAY_HERE = "runs your answer inside this page, on data"
SHOWN = ("text/plain", "text/html", "image/svg+xml")


@dataclass(frozen=True)
class Pages:
    """`notebooks`: text by path as the page shows it. `stored`: further files for the page's Python, by path."""

    notebooks: dict[str, str]
    stored: dict[str, bytes]


def prepare(root: Path) -> Pages:
    """All notebooks of the course in `root`."""
    notebooks, outputs, reasons = {}, {}, _reasons()
    for folder in workspace.FOLDERS:
        for path in sorted((root / folder).glob("*.ipynb")):
            notebook = json.loads(path.read_bytes())
            outputs |= outputs_of(notebook, reasons.pop(path.stem, ()) if folder == "notebooks" else ())
            workspace.prepare(notebook)
            if f"{folder}/{path.name}" == START:
                _say_otherwise(notebook)
            if folder == "exercises":
                _say_where(notebook, path.name)
            notebook["metadata"]["kernelspec"] = KERNEL
            notebooks[f"{folder}/{path.name}"] = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    if reasons:
        raise ValueError(f"{ELSEWHERE} names notebooks that are not there: {', '.join(sorted(reasons))}.")
    text = json.dumps(outputs, ensure_ascii=False, sort_keys=True, indent=0)
    return Pages(notebooks, {OUTPUTS: text.encode()})


def _say_otherwise(notebook):
    for old, new in SAID_OTHERWISE.items():
        cells = [cell for cell in notebook["cells"] if _words(old) in _words("".join(cell["source"]))]
        if len(cells) != 1:
            raise ValueError(f"{START} does not say once {old!r}: checks/site/contents.py has to follow its text.")
        cells[0]["source"] = _words("".join(cells[0]["source"]), keep_paragraphs=True).replace(_words(old), new)


def _say_where(notebook, name):
    head = notebook["cells"][0]
    text = "".join(head["source"])
    if EXERCISES_SAY not in text:
        raise ValueError(f"exercises/{name} does not say {EXERCISES_SAY!r}: checks/site/contents.py has to follow it.")
    head["source"] = text.replace(EXERCISES_SAY, EXERCISES_SAY_HERE)


def _words(text, keep_paragraphs=False):
    """Text without the line ends of its source."""
    if keep_paragraphs:
        return "\n\n".join(
            part if part.startswith(("#", "|", "1.", "-")) else _words(part) for part in text.split("\n\n")
        )
    return " ".join(text.split())


def _reasons():
    """The cells that a page is not to run, by notebook."""
    found = {}
    for cell in tomllib.loads(ELSEWHERE.read_text(encoding="utf-8"))["cell"]:
        found.setdefault(cell["notebook"], []).append(cell)
    return found


def outputs_of(notebook: dict, reasons: Iterable[dict] = ()) -> dict[str, dict]:
    """What a page knows of a notebook's code cells, by the digest of the source: the stored outputs, without widgets,
    and why it is not to run them, if there is a reason.

    Raises ValueError where a reason does not fit one cell alone.
    """
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    why = {}
    for reason in reasons:
        fitting = [source for source in sources if reason.get("has", "\0") in source or reason.get("is") == source]
        if len(fitting) != 1:
            raise ValueError(f"{ELSEWHERE}: {reason} fits {len(fitting)} cells instead of one.")
        why[fitting[0]] = {name: reason[name] for name in ("why", "run") if name in reason}
    found = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            kept = [one for output in cell["outputs"] if (one := _kept(output)) is not None]
            found[digest(source)] = {"outputs": kept} | why.get(source, {})
    return found


def _kept(output):
    if output["output_type"] == "stream":
        return {"output_type": "stream", "text": "".join(output["text"])}
    if output["output_type"] == "error":
        return {name: output[name] for name in ("output_type", "ename", "evalue")}
    data = {kind: "".join(output["data"][kind]) for kind in SHOWN if kind in output["data"]}
    return {"output_type": "display_data", "data": data} if data else None
