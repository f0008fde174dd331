"""Practice beyond the lessons: the daily review, the mock interview and the placement."""

from checks.practice.adaptive import placement
from checks.practice.daily import review
from checks.practice.interview import mock_interview

__all__ = ["mock_interview", "placement", "review"]
