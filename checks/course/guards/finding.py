"""A finding: one thing that is not as it should be, where, and what to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """`place` is a cell, a line or an id inside `file`; a warning does not make `verify` fail."""

    file: str
    place: str
    what: str
    remedy: str
    level: str = "error"


def relative(path: Path, root: Path) -> str:
    """A path as findings name it: from the root of the course, with forward slashes on every system."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
