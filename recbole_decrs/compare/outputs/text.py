"""Writes the values in tables."""

from __future__ import annotations


def listed(values: list) -> str:
    """Write values with commas between: text and whole numbers as they are, others with six digits."""
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def intervals_by_themselves(n_seeds: int) -> str:
    """Say what the intervals of a table are over, none of which is corrected."""
    over = "users and seeds" if n_seeds > 1 else "users alone, of one seed"
    return f"95% intervals over {over}, each by itself: they are not corrected for their number."
