"""What a learner answered and tried, and where they stand."""

from checks.learner.readiness import progress

__all__ = ["progress"]
