"""Writes the values in tables."""

from __future__ import annotations


def listed(values: list) -> str:
    """Write values with commas between: text and whole numbers as they are, others with six digits."""
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
