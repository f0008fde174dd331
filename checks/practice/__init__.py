"""Practice beyond the lessons: the daily review, the mock interview and the placement."""
