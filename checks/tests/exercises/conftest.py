from pathlib import Path

import pytest

from checks.exercises.examiner import Examiner
from checks.exercises.source import load

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture(scope="session")
def sample():
    """The sample exercises by id."""
    return load(folder=SAMPLE)


@pytest.fixture(scope="session")
def examiner():
    with Examiner() as examiner:
        yield examiner
