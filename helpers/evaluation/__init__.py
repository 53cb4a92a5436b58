"""Scores and labels in, numbers out: pure functions on arrays."""
