"""Builds the lessons and the exercises from their sources, and guards both."""
