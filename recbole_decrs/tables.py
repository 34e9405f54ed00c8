"""Writes tables in Markdown: as wide as they are for files, and broken into parts for a console of 120 columns."""

from __future__ import annotations

import math
import re
import textwrap

from tabulate import tabulate

WIDTH = 120
"""The number of columns that the console is taken to have."""


def as_markdown(rows: list[list[str]], headers: list[str]) -> str:
    """Make a table of texts; a bar within one, which would end its cell, is written with a backslash."""
    rows, headers = [[_escaped(cell) for cell in row] for row in rows], [_escaped(cell) for cell in headers]
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _escaped(cell: str) -> str:
    return str(cell).replace("|", r"\|")


def cells_of(line: str) -> list[str]:
    """Read the texts of a line that :func:`as_markdown` has written."""
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def in_width(rows: list[list[str]], headers: list[str], n_labels: int = 1, width: int = WIDTH) -> str:
    """Make a table that is no wider than a console, else several below each other with some of the columns each.

    Args:
        rows: texts.
        headers: of the columns.
        n_labels: how many columns at the left say what a row is about, and are repeated in each part.
        width: how many columns the console has; a single column that needs more has them.
    """
    parts: list[str] = []
    begun, taken = list(range(n_labels)), 0
    for column in range(n_labels, len(headers)):
        wider = _of_columns(rows, headers, [*begun, column])
        if taken and len(wider.partition("\n")[0]) > width:
            parts.append(_of_columns(rows, headers, begun))
            begun, taken = list(range(n_labels)), 0
        begun, taken = [*begun, column], taken + 1
    return "\n\n".join([*parts, _of_columns(rows, headers, begun)])


def _of_columns(rows: list[list[str]], headers: list[str], columns: list[int]) -> str:
    return as_markdown([[row[column] for column in columns] for row in rows], [headers[column] for column in columns])


def text_in_width(text: str) -> str:
    """Fit a text in Markdown to a console: tables are broken into parts, other paragraphs into lines."""
    blocks = []
    for block in text.strip("\n").split("\n\n"):
        if block.startswith("|"):
            headers, _, *rows = (cells_of(line) for line in block.split("\n"))
            blocks.append(in_width(rows, headers))
        else:
            blocks.append(textwrap.fill(block, WIDTH))
    return "\n\n".join(blocks) + "\n"


def percent(change: float) -> str:
    """Write a change in percent with its sign; a dash where it is not known."""
    return "-" if math.isnan(change) else f"{change:+.2f}%"
