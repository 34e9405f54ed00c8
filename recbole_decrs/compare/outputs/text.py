"""Writes the numbers and rows of tables in Markdown."""

from __future__ import annotations

import numpy as np
from tabulate import tabulate


def as_markdown(rows: list[list[str]], headers: list[str]) -> str:
    """Make a table of texts, which are written as they are."""
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def percent(change: float) -> str:
    """Write a change in percent with its sign; a dash where it is not known."""
    return "-" if np.isnan(change) else f"{change:+.2f}%"


def listed(values: list) -> str:
    """Write numbers with commas between."""
    return ", ".join(f"{value:g}" for value in values)
