"""The notebooks as the page gets them."""

import json
from dataclasses import dataclass
from pathlib import Path

from checks.course import workspace


@dataclass(frozen=True)
class Pages:
    """`notebooks`: text by path as the page shows it. `stored`: further files for the page's Python."""

    notebooks: dict[str, str]
    stored: dict[str, bytes]


def prepare_notebook(path: Path) -> dict:
    notebook = json.loads(path.read_bytes())
    workspace.prepare(notebook)
    notebook["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    return notebook


def prepare(root: Path) -> Pages:
    """All notebooks of the course in `root`."""
    notebooks = {
        f"{folder}/{path.name}": json.dumps(prepare_notebook(path), ensure_ascii=False, indent=1) + "\n"
        for folder in workspace.FOLDERS
        for path in sorted((root / folder).glob("*.ipynb"))
    }
    return Pages(notebooks, {})
