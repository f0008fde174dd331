"""The notebooks as the page gets them, and the outputs of their real run, for cells that a page cannot run."""

import json
from dataclasses import dataclass
from pathlib import Path

from checks.course import workspace
from lab.browser import digest

KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
OUTPUTS = "outputs.json"
SHOWN = ("text/plain", "text/html", "image/svg+xml")


@dataclass(frozen=True)
class Pages:
    """`notebooks`: text by path as the page shows it. `stored`: further files for the page's Python, by path."""

    notebooks: dict[str, str]
    stored: dict[str, bytes]


def prepare(root: Path) -> Pages:
    """All notebooks of the course in `root`."""
    notebooks, outputs = {}, {}
    for folder in workspace.FOLDERS:
        for path in sorted((root / folder).glob("*.ipynb")):
            notebook = json.loads(path.read_bytes())
            outputs |= outputs_of(notebook)
            workspace.prepare(notebook)
            notebook["metadata"]["kernelspec"] = KERNEL
            notebooks[f"{folder}/{path.name}"] = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    text = json.dumps(outputs, ensure_ascii=False, sort_keys=True, indent=0)
    return Pages(notebooks, {OUTPUTS: text.encode()})


def outputs_of(notebook: dict) -> dict[str, list]:
    """The stored outputs of a notebook's code cells, by the digest of the source. Widgets live in their own run only."""
    found = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            found[digest("".join(cell["source"]))] = [
                kept for output in cell["outputs"] if (kept := _kept(output)) is not None
            ]
    return found


def _kept(output):
    if output["output_type"] == "stream":
        return {"output_type": "stream", "text": "".join(output["text"])}
    if output["output_type"] == "error":
        return {name: output[name] for name in ("output_type", "ename", "evalue")}
    data = {kind: output["data"][kind] for kind in SHOWN if kind in output["data"]}
    return {"output_type": "display_data", "data": data} if data else None
