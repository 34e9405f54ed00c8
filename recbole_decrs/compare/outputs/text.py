"""Writes the numbers in tables."""

from __future__ import annotations


def listed(values: list) -> str:
    """Write numbers with commas between."""
    return ", ".join(f"{value:g}" for value in values)
